#!/usr/bin/env bats
#
# mrecv -m: a milter that is not there, hangs, dies, is started anew, speaks
# something else; and a great deal of mail.

load lib
load milter.sh

@test "a milter that was started anew between two messages is asked anew" {
	milter
	{
		one 'Subject: 1' | sed '$d'
		wait_for grep -q '^250 2.0.0 ok' out
		stop >/dev/null
		milter 'eom=add:X-Anew|1' >/dev/null
		echo "$pid" >anew
		one 'Subject: 2' | sed 1d
	} | mrecv -m "$m" -- ./sink >out 2>err
	kill "$(cat anew)"
	cat out err told
	[ "$(grep -c '^250 2.0.0 ok' out)" -eq 2 ]
	grep -q '^X-Anew' store/*
	grep -q '^connect' told
	[ ! -s err ] || ! grep error err
}

@test "progress is waited for, but not for ever" {
	printf 'filter-time 6\n' >conf/limits
	args=()
	for i in 1 2 3 4 5 6 7; do args+=(eom=progress eom=sleep:1); done
	milter "${args[@]}" 'eom=add:X-Late|1'
	late() { # who is stopped for longer than 6 s is late, once
		one 'Subject: x' | mrecv -m "$m" -- ./sink >out 2>err
		cat out err >&2
		ok && grep -q '^X-Late: 1' store/*
	}
	late || late || late
	stop
	printf 'filter-time 1\n' >conf/limits
	args=()
	for i in 1 2 3 4 5; do args+=(eom=progress eom=sleep:0.7); done
	milter "${args[@]}"
	one 'Subject: x' | mrecv -m "$m" -- ./sink >out 2>err
	[[ $(last_reply out) == "451 4.3.0 "* ]]
	grep -q 'error .*why=timeout' err
	[ -z "$(ls store)" ]
}

# down WHAT WHY: with -m "later", with -m? passed over, and the log says why
down() {
	one 'Subject: x' '' body | mrecv -m "$m" -- ./sink >out 2>err
	cat err out
	grep -q '^451 4.3.0' out
	grep -q "error .*what=$m why=$2" err
	[ -z "$(ls store)" ]
	$1
	one 'Subject: x' '' body | mrecv '-m?' "$m" -- ./sink >out 2>err
	cat err out
	ok
	grep -q "error .*what=$m why=$2" err
	[ "$(stored)" = $'Subject: x\n\nbody' ]
	rm store/*
}

@test "a milter that is not there, hangs, dies" {
	down : '"No such file or directory"'
	for step in connect helo mail rcpt data header eoh body eom; do
		again() { stop; milter "$step=die" eom=add:X:1; }
		milter "$step=die" eom=add:X:1
		down again '"connection closed"'
		stop
	done
	printf 'milter-time 1\nfilter-time 1\n' >conf/limits
	for step in connect rcpt header eom; do
		milter "$step=sleep:60"
		down : timeout
		stop
	done
	rm conf/limits
	# it dies after it has said what to change, and before the answer
	again() { stop; milter 'eom=add:X|1' 'eom=delrcpt:<bob@example.test>' 'eom=quarantine:x' 'eom=body:0|x' eom=die; }
	milter 'eom=add:X|1' 'eom=delrcpt:<bob@example.test>' 'eom=quarantine:x' 'eom=body:0|x' eom=die
	down again '"connection closed"'
	[ "$(xargs <args)" = '-f s@x.org -- alice@example.test bob@example.test' ]
	! grep MAIL_HOLD env || false
}

@test "-m? hears a no, and a later" {
	for a in eom=reject rcpt=tempfail eom=tempfail 'eom=reply:451|4.7.1|grey' mail=reject; do
		milter "$a"
		one 'Subject: x' | mrecv '-m?' "$m" -- ./sink >out 2>err
		grep -q '^[45]5[01]' out
		[ -z "$(ls store)" ]
		stop
	done
}

# talker NAME: a server at $PWD/m that answers each packet so
talker() {
	rm -f m
	python3 "$ROOT/t/tools/badmilter.py" "$PWD/m" "$1" 3>&- &
	pid=$!
	pids="$pids $pid"
	wait_for listens "$PWD/m"
}

@test "a milter that speaks garbage is for later, or passed over" {
	for what in http zeros random long short version actions steps twice early; do
		echo "== $what"
		talker "$what"
		down : '"not the milter protocol"'
		stop
	done
	printf 'milter-time 1\nfilter-time 1\n' >conf/limits
	for what in silent drip; do
		talker "$what"
		down : timeout
		stop
	done
	talker full
	one 'Subject: x' '' "$(bulk 3000000)" |
		mrecv -m "$m" -- ./sink >out 2>err
	[[ $(last_reply out) == "451 4.3.0 "* ]]
	grep -q 'error .*why=timeout' err
	stop
	rm conf/limits
	talker changes
	one 'Subject: x' | mrecv -m "$m" -- ./sink >out 2>err
	[[ $(last_reply out) == "451 4.3.0 "* ]]
	grep -q 'error .*why="more changes than there may be"' err
}

@test "50,000 fields and 50 MB pass, with little memory" {
	milter 'eom=change:49999|a|last' 'eom=insert:0|X-Top|1' 'eom=change:3|a|'
	{
		say 'EHLO a' 'MAIL FROM:<s@x.org>' 'RCPT TO:<alice@example.test>' DATA
		seq 50000 | sed 's/.*/a: &\r/'
		printf '\r\n'
		yes 0123456789012345678901234567890123456789012345678901234567890123456789 |
			head -n 700000 | sed 's/$/\r/'
		say . QUIT
	} >in
	# its parent is the runner, whose parent is mrecv
	script sink 'pid=$(awk "/^PPid/ { print \$2 }" /proc/$PPID/status)
		cat >"'"$PWD"'/store/$MAIL_ID"
		awk "/^Name|^VmHWM/ { print \$2 }" /proc/$pid/status >peak'
	mrecv -m "$m" -- ./sink <in >out 2>err
	cat out err peak
	ok
	[ "$(head -n 1 peak)" = mrecv ]
	sed '/^$/q' store/* >header
	awk 'NR > 1 && !/^\t/' header >fields
	[ "$(wc -l <fields)" -eq 50001 ]
	[ "$(head -n 4 fields | xargs)" = 'X-Top: 1 a: 1 a: 2 a: 4' ]
	[ "$(tail -n 3 fields | xargs)" = 'a: last a: 50000' ]
	[ "$(stored | wc -c)" -gt 49000000 ]
	[ "${BUILD##*/}" = build-san ] || [ "$(tail -n 1 peak)" -lt 8000 ]
}

@test "mrecv killed at any KiB before a milter leaves nothing" {
	milter 'eom=add:X-M|1'
	mkdir -p queue/tmp
	"$ROOT/t/smtp/kill" mrecv 64 "$PWD/queue" -- -m "$m" -- mqueue add
	grep -q '^X-M: 1' queue/????????????????
	rm queue/????????????????
	"$ROOT/t/smtp/kill" client 64 "$PWD/queue" -- -m "$m" -- mqueue add
	grep -q '^X-M: 1' queue/????????????????
	ls queue/tmp; 	[ -z "$(ls queue/tmp)" ]
}
