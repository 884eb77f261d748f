#!/usr/bin/env bats
#
# mqueue(8), run: every message gets where it should, and none is lost.

load lib
load mqueue.sh

setup() { queue_setup; }
teardown() { queue_teardown; }

@test "new mail goes at once, as arguments that can't be options" {
	transport sink <<-'END'
		{ printf '<%s>' "$@"; echo; cat; } >"$D/out/$MAIL_ID"
	END
	echo '* sink' >conf/routes
	start_run
	id=$(message | mqueue add -- -n@y.test '"a b"@y.test')
	wait_for empty
	head -n 1 "out/$id" | grep -qx -- '<-f><><--><-n@y.test><"a b"@y.test>'
	tail -n +2 "out/$id" | cmp - <(message)
	[ "$(ls queue)" = $'lock\ntmp' ]
	grep -q "^mqueue sent id=$id from=\"\" to=-n@y.test route=sink code=2.0.0" log
}

@test "what waited before run began goes, too" {
	id=$(add b@y.test)
	transport sink <<<'cat >/dev/null'
	echo '* sink' >conf/routes
	start_run
	wait_for empty
}

@test "the exit status decides, and result lines before it" {
	transport sink <<-'END'
		cat >/dev/null
		case $4 in
		perm*) echo 'no such user'; exit 67 ;;
		drop*) exit 99 ;;
		odd*) exit 3 ;;
		sig*) kill -9 $$ ;;
		lines*) shift 3
			printf '%s\t5.7.1\tno\n' "$1"
			printf '%s\t4.2.2\tfull\n' "$2"
			exit 0 ;;
		esac
		exit 75
	END
	echo '* sink' >conf/routes
	start_run
	for who in perm drop odd sig later; do
		id=$(message | mqueue add -- $who@y.test)
		eval "$who=$id"
	done
	lines=$(message | mqueue add -- lines@y.test l2@y.test l3@y.test)
	for id in $odd $sig $later; do
		wait_for state_is "$id" deferred
	done
	wait_for has_marks "$lines" xxtook
	wait_for test ! -e "queue/$perm"
	wait_for test ! -e "queue/$drop"
	grep -q "^mqueue bounce id=$perm .*code=5.0.0 .*text=\"no such user\"" log
	mqueue ls -R "$odd" | grep -q '4.3.0.*sink: exit 3$'
	mqueue ls -R "$sig" | grep -q '4.3.0.*sink: signal 9$'
	full() { mqueue ls -R "$lines" | grep -q 'deferred.*4.2.2.*full$'; }
	wait_for full
}

@test "a broken set-up never bounces" {
	printf '%s\n' 'missing.test nosuchprogram' "bad.test 'unfinished" \
		'evil.test user=root sh' >conf/routes
	start_run
	a=$(add b@missing.test) b=$(add b@bad.test) c=$(add b@none.test) \
		d=$(add b@evil.test)
	for id in $a $b $c $d; do
		wait_for state_is "$id" deferred
	done
	mqueue ls | cut -f9 >why
	grep -qx 'nosuchprogram: No such file or directory' why
	grep -qx 'routes:2: not a route' why
	grep -qx 'routes:3: not a route' why
	grep -qx 'no route' why
	rm conf/routes
	e=$(add b@none.test)
	wait_for state_is "$e" deferred
}

@test "mending the routes mends the mail that waits" {
	echo '* nosuchprogram' >conf/routes
	start_run
	id=$(add b@y.test)
	wait_for state_is "$id" deferred
	transport sink <<<'cat >/dev/null'
	echo '* sink' >conf/routes
	mqueue retry "$id"
	wait_for empty
}

@test "retry times grow, and at the end there is a notification" {
	limits 'retry-first 1' 'retry-max 1' 'delay-notice 1'
	transport sink <<-'END'
		cat >"$D/out/$MAIL_ID"
		case $4 in alice*) exit 0 ;; esac
		echo 'come back later'; exit 75
	END
	echo '* sink' >conf/routes
	start_run
	id=$(add b@y.test)
	wait_for deferred_often "$id"
	wait_for told_of_delay
	stop_run
	limits 'retry-first 1' 'retry-max 1' 'delay-notice 1' 'queue-lifetime 1'
	start_run
	wait_for empty
	grep -q "^mqueue bounce id=$id .*code=4.4.7" log
	grep -lx 'Action: delayed' out/* | wc -l | grep -qx 1
	dsn=$(grep -lx 'Action: failed' out/*)
	grep -qx 'Status: 4.4.7' "$dsn"
	grep -q 'come back later' "$dsn"
}

@test "NOTIFY=SUCCESS is answered once delivered, before it is forgotten" {
	transport sink <<<'cat >"$D/out/$MAIL_ID"'
	echo '* sink' >conf/routes
	start_run
	id=$(message | MAIL_RCPT_ARGS=NOTIFY=SUCCESS mqueue add -f a@x.test -- b@y.test)
	told() { grep -lqx 'Action: delivered' out/*; }
	wait_for told
	wait_for empty
}

@test "a -J transport is kept for many jobs, in any order of results" {
	job_transport msend <<-'END'
		[ "$1" = -J ] || exit 64
		echo $$ >>"$D/out/pids"
		case $rcpt in
		no*) code=5.1.1 text=no%20such%20user ;;
		later*) code=4.2.1 text=full
			printf '%s\t-\t450%%20the%%20dialogue\n' "$id" ;;
		esac
	END
	echo '* msend' >conf/routes
	start_run
	for i in 1 2 3 4 5 6; do
		add "u$i@y.test" >/dev/null
		wait_for empty
	done
	[ "$(sort -u out/pids | wc -l)" -eq 1 ]
	id=$(add later@y.test u@y.test)
	wait_for has_marks "$id" took
	wait_for grep -qx '  450 the dialogue' "queue/$id.log"
	id=$(message | mqueue add -- no@y.test)
	gone() { [ ! -e "queue/$id" ]; }
	wait_for gone
	grep -q "^mqueue bounce id=$id .*code=5.1.1 .*text=\"no such user\"" log
}

@test "a transport that dies with jobs in hand: they are tried again" {
	limits 'retry-first 1' 'retry-max 1'
	job_transport msend <<-'END'
		[ -e "$D/out/once" ] || { : >"$D/out/once"; kill -9 $$; }
	END
	echo '* msend' >conf/routes
	start_run
	id=$(add b@y.test c@z.test)
	wait_for empty
	grep -q "^mqueue defer id=$id .*text=\"msend: signal 9\"" log
}

@test "one dead destination does not delay another" {
	job_transport msend <<-'END'
		case $rcpt in *@dead.test)
			sleep 60; code=4.4.1 text=no%20answer ;;
		esac
	END
	echo '* msend' >conf/routes
	start_run
	for i in $(seq 20); do add "u$i@dead.test" >/dev/null; done
	id=$(add u@alive.test x@dead.test)
	wait_for has_marks "$id" okto
}

@test "a host that did not answer is left alone, until retry" {
	job_transport msend <<-'END'
		echo "$rcpt" >>"$D/out/tried"
		[ -e "$D/out/up" ] || code=4.4.1 text=no%20answer
	END
	echo '* msend' >conf/routes
	start_run
	a=$(add a@dead.test)
	wait_for state_is "$a" deferred
	b=$(add b@dead.test)
	later() { [ "$(mqueue ls "$1" | cut -f4)" \> "$(date -u +%FT%TZ)" ]; }
	wait_for later "$b"
	[ "$(cat out/tried)" = a@dead.test ]
	: >out/up
	mqueue retry "$a" "$b"
	wait_for empty
}

@test "the deadline of a command is kept, and is not a refusal" {
	limits 'time-command 1'
	transport sink <<<'sleep 60 & sleep 60'
	echo '* sink' >conf/routes
	start_run
	id=$(add b@y.test)
	wait_for state_is "$id" deferred
	mqueue ls "$id" | grep -q 'sink: took too long$'
}

@test "held mail stays, and goes when it is released" {
	transport sink <<<'cat >/dev/null'
	echo '* sink' >conf/routes
	id=$(message | MAIL_HOLD=wait mqueue add -- b@y.test)
	start_run
	add c@y.test >/dev/null
	one() { [ "$(mqueue ls | wc -l)" -eq 1 ]; }
	wait_for one
	state_is "$id" held
	mqueue release "$id"
	wait_for empty
}

@test "a file whose size disagrees is held, never sent" {
	transport sink <<<'cat >/dev/null'
	echo '* sink' >conf/routes
	id=$(add b@y.test)
	truncate -s -3 "queue/$id"
	sed -i 's/^received 2.../received 2020/' "queue/$id"
	start_run
	wait_for state_is "$id" held
	[ "$(mqueue ls | cut -f9)" = 'the size disagrees' ]
	has_marks "$id" to
}

@test "what is marked while others are tried stays leased, and is tried once" {
	transport sink <<-'END'
		echo began >>"$D/out/runs"
		cat >/dev/null
		printf '%s\t2.0.0\tdone\n' "$4"
		while [ ! -e "$D/out/go" ]; do sleep 0.05; done
	END
	echo '* sink' >conf/routes
	start_run
	id=$(add b@y.test c@y.test)
	wait_for has_marks "$id" okto
	wait_for state_is "$id" active
	chmod u+x "queue/$id" # run hears of that, and looks
	chmod u+x "queue/$id"
	[ -z "$(mqueue next)" ]
	other=$(add d@y.test)
	wait_for state_is "$other" active
	: >out/go
	wait_for empty
	[ "$(grep -c began out/runs)" -eq 2 ]
	[ "$(grep -c "^mqueue sent id=$id" log)" -eq 2 ]
}

@test "a second run refuses; after kill -9 the next one goes on" {
	transport sink <<-'END'
		[ -e "$D/out/go" ] || sleep 60
		cat >/dev/null
	END
	echo '* sink' >conf/routes
	start_run
	run -75 mqueue run
	[[ $output == *"$D/queue: another run is at work"* ]]
	id=$(add b@y.test)
	wait_for state_is "$id" active
	kill -9 "$RUN"
	wait "$RUN" || :
	state_is "$id" active
	: >out/go
	start_run
	wait_for empty
}

@test "the clock that went backwards: what is due too far ahead is due now" {
	transport sink <<<'cat >/dev/null'
	echo '* sink' >conf/routes
	id=$(add b@y.test)
	touch -d '+3 days' "queue/$id"
	start_run
	wait_for empty
}

@test "touch makes it due" {
	transport sink <<<'[ -e "$D/out/go" ] || exit 75; cat >/dev/null'
	echo '* sink' >conf/routes
	start_run
	id=$(add b@y.test)
	wait_for state_is "$id" deferred
	: >out/go
	touch "queue/$id"
	wait_for empty
}

@test "as root: commands run as pneu or user=, never as root" {
	[ "$(id -u)" -eq 0 ] || skip "not root"
	transport sink <<<'id -u >"$D/out/$4"; id -G >>"$D/out/$4"; cat >>"$D/out/$4"'
	transport mdeliver <<-'END'
		[ "$1" = -J ] && id -u >"$D/out/deliver"
		tab=$(printf '\t')
		while IFS=$tab read -r id file route rcpt; do
			printf '%s\t%s\t2.0.0\tok\n' "$id" "$rcpt"
		done
	END
	printf '%s\n' 'lists.test user=pneu-lists sink' \
		'who.test user=nosuchaccount sink' \
		'local.test user=root mdeliver' '* sink' >conf/routes
	start_run
	add a@lists.test >/dev/null
	add a@y.test >/dev/null
	add a@local.test >/dev/null
	who=$(add a@who.test)
	wait_for state_is "$who" deferred
	one() { [ "$(mqueue ls | wc -l)" -eq 1 ]; }
	wait_for one
	head -n 2 out/a@lists.test | diff - <(printf '62006\n62006\n')
	tail -n +3 out/a@lists.test | cmp - <(message)
	head -n 2 out/a@y.test | diff - <(printf '62001\n62001\n')
	[ "$(cat out/deliver)" = 0 ]
	# by the real account: run itself is pneu's, the spawner root's
	[ "$(stat -c %u "/proc/$RUN")" = 62001 ]
	mqueue rm "$who"
	chmod 0666 conf/routes
	echo '# changed' >>conf/routes
	id=$(add b@local.test)
	wait_for state_is "$id" deferred
	mqueue ls | cut -f9 | grep -qx 'mdeliver: Permission denied'
}

@test "a message of 50 MB passes run in little memory" {
	transport sink <<<'cat | wc -c >"$D/out/size"'
	echo '* sink' >conf/routes
	start_run
	{ message; yes "$(printf %070d 1)" | head -c 50000000; } |
		mqueue add -f a@x.test -- b@y.test >/dev/null
	WAIT=30 wait_for empty
	[ "$(cat out/size)" -gt 50000000 ]
	[ "$(awk '/VmHWM/ { print $2 }' "/proc/$RUN/status")" -lt 16384 ]
}

@test "TERM ends it once what is in hand is done" {
	transport sink <<<'while [ ! -e "$D/out/go" ]; do sleep 0.05; done; cat >/dev/null'
	echo '* sink' >conf/routes
	start_run
	id=$(add b@y.test)
	wait_for state_is "$id" active
	kill "$RUN"
	: >out/go
	wait "$RUN"
	RUN=
	empty
	run -64 mqueue run x
	[ "$output" = 'usage: mqueue run' ]
}
