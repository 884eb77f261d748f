#!/usr/bin/env bats
#
# mrecv(8), -F: what a filter may do to a message, and what becomes of it when
# one fails, hangs or is killed.

load lib
load mrecv.sh

@test "through a filter, too, the queue gets what DSN asks" {
	script f 'env | grep ^MAIL_R >env; cat'
	echo "pneu $(id -u) $(id -g)" >conf/uids
	say 'EHLO me.test' 'MAIL FROM:<s@x.org> ENVID=x1 RET=FULL' \
		'RCPT TO:<alice@example.test>' \
		'RCPT TO:<carol@example.test> NOTIFY=NEVER ORCPT=rfc822;c@d' \
		DATA 'Subject: x' . QUIT | mrecv -F ./f -- mqueue add >out
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	grep -qx 'MAIL_RET=FULL' env
	grep -q '^from s@x.org ENVID=x1 RET=FULL' "$(queued)"
	grep -qx 'to alice@example.test' "$(queued)"
	grep -qx 'to carol@example.test NOTIFY=NEVER ORCPT=rfc822;c@d' "$(queued)"
}

@test "what is asked of the queue is kept by it, and told to a filter" {
	script f 'env | grep "^MAIL_" >env; cat'
	echo "pneu $(id -u) $(id -g)" >conf/uids
	export PROTO=IPC IPCREMOTEEUID=0 SSL_PROTOCOL=TLSv1.3
	send() {
		say 'EHLO me.test' "MAIL FROM:<josé@bücher.test> SMTPUTF8 BY=3600;RT HOLDFOR=600 REQUIRETLS" \
			'RCPT TO:<josé@xn--bcher-kva.test> ORCPT=utf-8;josé@bücher.test' \
			DATA 'From: josé@bücher.test' . QUIT | mrecv -p "$@" >out
		cat out
		[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	}
	for way in '' '-F ./f'; do
		rm -rf queue
		send $way -- mqueue add
		grep -q "^from josé@bücher.test SMTPUTF8 BY=20[-0-9]*T[0-9:]*Z;RT HOLDUNTIL=20[-0-9]*T[0-9:]*Z REQUIRETLS BODY=8BITMIME$" "$(queued)"
		grep -qx 'to josé@xn--bcher-kva.test ORCPT=utf-8;josé@bücher.test' "$(queued)"
		grep -q 'by mx.example.test with UTF8SMTPS (TLSv1.3) id' "$(queued)"
		left=$(($(stat -c %Y "$(queued)") - $(date +%s)))
		[ "$left" -gt 500 ]
		[ "$left" -le 600 ]
	done
	grep -qx 'MAIL_SMTPUTF8=1' env
	grep -qx 'MAIL_REQUIRETLS=1' env
	grep -qx 'MAIL_BODY=8BITMIME' env
	grep -qx 'MAIL_FROM=josé@bücher.test' env
	grep -qx 'MAIL_RCPTS=josé@xn--bcher-kva.test' env
	grep -qx 'MAIL_RCPT_ARGS=ORCPT=utf-8;josé@bücher.test' env
	grep -q '^MAIL_BY=20.*Z;RT$' env
	grep -q '^MAIL_HOLDUNTIL=20.*Z$' env
}

@test "a filter rewrites the message, in order" {
	script f1 'sed "s/hello/goodbye/"; echo one says hello >&2'
	script f2 'echo "X-From: $MAIL_FROM"; echo "X-To: $MAIL_RCPTS"; cat'
	one 'Subject: hi' '' hello | mrecv -F ./f1 -F "./f2 'a b'" -- ./sink >out 2>err
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	[ "$(head -n 2 store/*)" = $'X-From: s@x.org\nX-To: alice@example.test' ]
	[ "$(tail -n 1 store/*)" = goodbye ]
	grep -qx 'one says hello' err
}

@test "a filter refuses with a permanent status and a 5.x.x line, else later" {
	while IFS='|' read -r text status want; do
		script f "cat; echo '$text' >&2; exit $status"
		one 'Subject: x' | mrecv -F ./f -- ./sink >out 2>/dev/null
		echo "$text|$status: $(last_reply out)"
		[ "$(last_reply out)" = "$want" ]
		[ -z "$(ls store)" ]
	done <<-'E'
		5.7.1 smells of spam|65|554 5.7.1 smells of spam
		5.7.1 smells of spam|100|554 5.7.1 smells of spam
		smells of spam|65|451 4.3.0 try again later
		5.7.1 smells of spam|75|451 4.3.0 try again later
		4.7.1 slow down|75|451 4.7.1 slow down
		4.7.1 slow down|69|451 4.7.1 slow down
		5.7.1 smells of spam|1|451 4.3.0 try again later
	E
	script f 'cat; printf "5.7.1 a\001b\n" >&2; exit 69'
	one 'Subject: x' | mrecv -F ./f -- ./sink >out 2>/dev/null
	[ "$(last_reply out)" = "554 5.7.1 refused" ]
	script f 'cat; printf "5.7.1 %0500d\n" 1 >&2; exit 69'
	one 'Subject: x' | mrecv -F ./f -- ./sink >out 2>/dev/null
	[ "$(last_reply out)" = "554 5.7.1 refused" ]
}

@test "a filter's output counts only if it wrote a header and ended with 0" {
	for text in 'cat >/dev/null' 'cat >/dev/null; echo; echo body' \
		'cat; exit 3' 'cat; kill -9 $$' 'echo no header; cat'; do
		script f "$text"
		one 'Subject: x' | mrecv -F ./f -- ./sink >out 2>/dev/null
		[[ $(last_reply out) == "451 4.3.0 "* ]]
		[ -z "$(ls store)" ]
	done
	one 'Subject: x' | mrecv -F ./nosuch -- ./sink >out 2>err
	grep -q '^451' out
	grep -q 'error .*what=./nosuch' err
}

@test "99 takes and drops, hold: takes and holds" {
	script f 'cat; exit 99'
	one 'Subject: x' | mrecv -F ./f -- ./sink >out 2>err
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	[ -z "$(ls store)" ]
	grep -q ' accept .*text=dropped' err
	script f 'cat; echo "hold: looked at by hand" >&2'
	script f2 'cat'
	one 'Subject: x' | mrecv -F ./f -F ./f2 -- ./sink >out
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	grep -qx 'MAIL_HOLD=looked at by hand' env
	one 'Subject: x' | MAIL_HOLD=me mrecv -F ./f2 -- ./sink >out
	! grep -q MAIL_HOLD env || false
}

@test "a reason to hold is never empty nor unprintable" {
	script f 'cat; printf "hold: \303\251\001\n" >&2'
	one 'Subject: x' | mrecv -F ./f -- ./sink >out
	grep -qx 'MAIL_HOLD=???' env
	script f 'cat; echo "hold: " >&2'
	one 'Subject: x' | mrecv -F ./f -- ./sink >out
	grep -qx 'MAIL_HOLD=./f' env
}

@test "behind filters the queue is written without mqueue add" {
	echo "pneu $(id -u) $(id -g)" >conf/uids
	script f 'sed s/hello/goodbye/'
	script held 'cat; echo "hold: to be seen" >&2'
	script mqueue 'touch called; exit 75'
	one 'Subject: x' '' hello | PATH=$PWD:$PATH mrecv -F ./f '-F?' ./f \
		-- mqueue add >out 2>err
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	f=$(queued)
	[ "$(basename "$f")" = "$(last_reply out | cut -d ' ' -f 4)" ]
	[ "$(sed -n '2,3p' "$f")" = $'from s@x.org\nto alice@example.test' ]
	[ "$(tail -n 1 "$f")" = goodbye ]
	[ "$(mqueue ls | cut -f 2)" = new ]
	[ -z "$(ls queue/tmp)" ]
	rm "$f"
	one 'Subject: x' '' hello | mrecv -F ./held -F ./f -- mqueue add >out 2>err
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	f=$(queued)
	[ "$(cat "$f.hold")" = 'to be seen' ]
	rm "$f" "$f.hold"
	script f 'cat; exit 99'
	one 'Subject: x' | mrecv -F ./f -- mqueue add >out
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	[ -z "$(queued)" ]
	script f 'cat; exit 1'
	one 'Subject: x' | mrecv -F ./f -- mqueue add >out 2>err
	[[ $(last_reply out) == "451 4.3.0 "* ]]
	[ -z "$(queued)$(ls queue/tmp)" ]
}

@test "the reason to hold is on the disk before the message has its name" {
	command -v strace >/dev/null || skip "strace is not installed"
	script f 'cat; echo hold: because >&2'
	strace -f -o trace -y -e trace=fsync,renameat,renameat2,rename true ||
		skip "no strace here"
	one 'Subject: x' >talk
	strace -f -o trace -y -e trace=fsync,renameat,renameat2,rename \
		mrecv -F ./f -- mqueue add <talk >out
	[[ $(last_reply out) == "250 "* ]]
	sed -n 's/.*fsync([0-9]*<[^>]*queue\/\([^>]*\)>.*/fsync \1/p
		s/.*fsync([0-9]*<[^>]*queue>.*/fsync folder/p
		s/.*rename.*/rename/p' trace | sed 's/[0-9a-z]\{16\}/ID/' >order
	cat order
	[ "$(xargs <order)" = \
		'fsync ID.hold fsync folder rename fsync ID fsync folder' ]
}

@test "-F? goes on without one that fails, but hears its no" {
	script add 'echo "X-One: 1"; cat'
	script bad 'head -c 10; exit 1'
	script last 'echo "X-Two: 2"; cat'
	one 'Subject: x' '' body | mrecv -F ./add '-F?' ./bad '-F?' ./nosuch \
		-F? ./last -- ./sink >out 2>err
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	[ "$(head -n 2 store/*)" = $'X-Two: 2\nX-One: 1' ]
	[ "$(tail -n 1 store/*)" = body ]
	grep -q 'error .*what=./bad why="exit 1"' err
	rm store/*
	script bad 'cat; echo 5.7.1 no >&2; exit 69'
	one 'Subject: x' | mrecv '-F?' ./bad -- ./sink >out 2>err
	[ "$(last_reply out)" = "554 5.7.1 no" ]
}

@test "a filter that takes too long is killed with its children" {
	echo filter-time 1 >conf/limits
	script f 'echo $$ >pid; sleep 100 & echo $! >>pid; wait'
	one 'Subject: x' | mrecv -F ./f -- ./sink >out 2>err
	[[ $(last_reply out) == "451 4.3.0 "* ]]
	grep -q 'what=./f why=timeout' err
	gone() { ! kill -0 "$1"; }
	for p in $(cat pid); do wait_for gone "$p"; done
	one 'Subject: x' | mrecv '-F?' ./f -- ./sink >out 2>err
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
}

@test "a filter that ends before what it started: later, not half a message" {
	echo filter-time 1 >conf/limits
	script f 'printf "Subject: x\n\none half\n"; { sleep 30; echo other half; } & exit 0'
	one 'Subject: x' | mrecv -F ./f -- ./sink >out 2>err
	cat out err
	[[ $(last_reply out) == "451 4.3.0 "* ]]
	grep -q 'what=./f why=timeout' err
	[ -z "$(ls store)" ]
}

@test "a filter that hangs does not outlive an mrecv that was killed" {
	script f 'echo $$ >pid; exec sleep 300'
	mkfifo talk
	mrecv -F ./f -- ./sink <talk >out 2>err 3>&- &
	mrecv=$!
	exec 4>talk
	say 'EHLO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA >&4
	wait_for test -s pid
	kill -9 "$mrecv"
	exec 4>&-
	gone() { ! kill -0 "$1"; }
	wait_for gone "$(cat pid)"
}

@test "a filter may stop reading early" {
	script f 'head -n 1 >/dev/null; echo "Subject: short"; echo'
	{ say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA 'Subject: long' ''
	bulk 400000; say .; } | mrecv -F ./f -F ./f -- ./sink >out
	[[ $(tail -n 1 out) == 250* ]]
	[ "$(cat store/*)" = "Subject: short" ]
}

@test "a client killed at any KiB leaves nothing: queue, sink, filter" {
	"$ROOT/t/smtp/kill" client 64 "$PWD/store" -- -- ./sink
	rm store/*
	script f 'cat'
	"$ROOT/t/smtp/kill" client 64 "$PWD/store" -- -F ./f -- ./sink
	mkdir -p queue/tmp
	"$ROOT/t/smtp/kill" client 64 "$PWD/queue" -- -- mqueue add
	[ -z "$(ls queue/tmp)" ]
}

@test "mrecv killed at any KiB leaves nothing: queue, sink, filter" {
	"$ROOT/t/smtp/kill" mrecv 64 "$PWD/store" -- -- ./sink
	rm store/*
	script f 'cat'
	"$ROOT/t/smtp/kill" mrecv 64 "$PWD/store" -- -F ./f -- ./sink
	mkdir -p queue/tmp
	"$ROOT/t/smtp/kill" mrecv 64 "$PWD/queue" -- -- mqueue add
}

@test "a filter killed at any KiB leaves nothing, before a sink and mqueue add" {
	script f "echo \$\$ >'$PWD/filter.pid'; exec cat"
	"$ROOT/t/smtp/kill" filter 64 "$PWD/store" -- -F ./f -- ./sink
	mkdir -p queue/tmp
	echo "pneu $(id -u) $(id -g)" >conf/uids
	"$ROOT/t/smtp/kill" filter 64 "$PWD/queue" -- -F ./f -- mqueue add
}
