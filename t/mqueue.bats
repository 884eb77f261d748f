#!/usr/bin/env bats
#
# mqueue(8): looking at the queue, and deciding by hand.

load lib
load mqueue.sh

setup() { queue_setup; }
teardown() { queue_teardown; }

@test "ls of an empty queue prints nothing" {
	mqueue add -- b@y.test </dev/null >id
	mqueue rm "$(cat id)"
	run -0 mqueue ls
	[ -z "$output" ]
}

@test "ls has nine columns, ls -R a line a recipient" {
	id=$(add b@y.test c@z.test)
	mqueue ls | awk -F'\t' -v id="$id" '
		NF == 9 && $1 == id && $2 == "new" && $3 ~ /Z$/ && $4 ~ /Z$/ &&
		$5 == 0 && $6 == 45 && $7 == "alice@example.org" && $8 == 2 &&
		$9 == "" { ok++ } END { exit !(ok == 1 && NR == 1) }'
	echo '* msend' >conf/routes
	mqueue ls -R | awk -F'\t' '
		NF == 9 && $2 == "new" && $5 == "msend" && $6 == "-" &&
		$7 == "alice@example.org" { ok++ }
		END { exit !(ok == 2 && NR == 2) }'
}

@test "ls -j is JSON that a parser takes, whatever the addresses hold" {
	message | mqueue add -f '"\"x"@y.test' -- 'ü@y.test' >/dev/null
	mqueue ls -j | python3 -c '
import json, sys
e = json.loads(sys.stdin.read())
assert set(e) == set("id state received next tries size from auth peer reason rcpts".split()), e
assert set(e["rcpts"][0]) == set("rcpt state route host code text tries next".split())
assert e["rcpts"][0]["rcpt"] == "ü@y.test"'
}

@test "patterns choose, and all of a line must hold" {
	a=$(add b@gmail.test) b=$(add c@y.test)
	message | mqueue add -f x@z.test -- c@gmail.test >c
	[ "$(mqueue ls to:@gmail.test | wc -l)" -eq 2 ]
	[ "$(mqueue ls to:@gmail.test from:x@z.test | cut -f1)" = "$(cat c)" ]
	[ -z "$(mqueue ls older:1h)" ]
	[ -z "$(mqueue ls larger:1M)" ]
	[ "$(mqueue ls larger:10 status:new | wc -l)" -eq 3 ]
	[ "$(mqueue ls "$b" | cut -f1)" = "$b" ]
	run -64 mqueue ls larger:many
	[ "$output" = 'mqueue: larger:many: not a pattern' ]
	run -64 mqueue ls -x
	[ "$output" = 'usage: mqueue ls [-Rj] [PATTERN ...]' ]
}

@test "hold, release, retry and rm take ids, lines and JSON" {
	a=$(add b@y.test) b=$(add c@y.test)
	mqueue ls | mqueue hold -r throttled -
	[ "$(mqueue ls status:held | wc -l)" -eq 2 ]
	[ "$(mqueue ls "$a" | cut -f9)" = throttled ]
	mqueue ls -j | mqueue release -
	[ "$(mqueue ls status:new | wc -l)" -eq 2 ]
	mqueue retry "$a" "$b"
	mqueue rm "$a"
	[ "$(mqueue ls | cut -f1)" = "$b" ]
	run -0 mqueue rm - </dev/null
}

@test "an unknown id is a line, the rest goes on, 66 at the end" {
	a=$(add b@y.test)
	for verb in hold release retry rm; do
		run -66 mqueue $verb nosuch ../etc/passwd 0000000000000000 "$a"
		[ "${lines[0]}" = 'mqueue: nosuch: no such message' ]
		[ "${lines[1]}" = 'mqueue: ../etc/passwd: no such message' ]
		[ "${#lines[@]}" -eq 3 ]
	done
	empty
	for verb in hold release retry rm cat show; do
		run -64 mqueue $verb
		[[ $output == "usage: mqueue $verb "* ]]
	done
	run -66 mqueue cat "$a"
	run -66 mqueue show ../../etc/passwd
	run -64 mqueue hold -r $'two\nlines' "$a"
}

@test "a symbolic link or a second name in the queue is not followed" {
	a=$(add b@y.test)
	echo secret >other
	ln -s "$D/other" queue/0000000000000000
	ln "queue/$a" queue/0000000000000001
	[ -z "$(mqueue ls)" ]
	run -75 mqueue cat 0000000000000000
}

@test "next prints a job, leases it, and done marks what came back" {
	echo '* msend' >conf/routes
	id=$(add b@y.test 'c@y.test')
	mqueue next -n >dry
	mqueue next >job
	cmp dry job
	printf '%s\t%s\tmsend\tb@y.test\tc@y.test\n' "$id" "$D/queue/$id" |
		cmp - job
	[ -z "$(mqueue next)" ]
	state_is "$id" active
	printf '%s\tb@y.test\t2.0.0\tsent%%20it\n' "$id" | mqueue done 2>err
	grep -q "^mqueue sent id=$id .*to=b@y.test .*code=2.0.0" err
	has_marks "$id" okto
	state_is "$id" deferred
	[[ $(mqueue show "$id") == *'sent it'* ]]
	mqueue next "$id" | grep -q 'c@y.test'
	printf '%s\tc@y.test\t2.0.0\tok\n' "$id" | mqueue done 2>/dev/null
	empty
	[ -z "$(ls queue | grep -v -e tmp -e lock)" ]
}

@test "recipients without a result are put back, and due again" {
	echo '* msend' >conf/routes
	id=$(add b@y.test)
	mqueue next >/dev/null
	printf '%s\t-\t250%%20hello\n' "$id" | mqueue done
	[ "$(mqueue next | wc -l)" -eq 1 ]
}

@test "a lease of next ends with its time or with release" {
	echo '* msend' >conf/routes
	id=$(add b@y.test)
	mqueue next -t 100 >/dev/null
	[ -z "$(mqueue next)" ]
	mqueue release "$id"
	[ "$(mqueue next -t 1 | wc -l)" -eq 1 ]
	again() { [ -n "$(mqueue next)" ]; }
	wait_for again
	for bad in 0 x 99999999 -1; do
		run -64 mqueue next -t "$bad"
	done
}

@test "done says what is not a result, and goes on" {
	echo '* msend' >conf/routes
	id=$(add b@y.test)
	run -66 mqueue done < <(printf '%s\tb@y.test\t2.0.0\tx\n' "$id")
	[ "$output" = "mqueue: $id: not leased by next" ]
	mqueue next >/dev/null
	printf 'junk\n%s\tz@y.test\t2.0.0\tx\n%s\tb@y.test\t2.0.0\tx\n' \
		"$id" "$id" >r
	run -65 mqueue done <r
	[ "${lines[0]}" = 'mqueue: not a result: junk' ]
	[ "${lines[1]}" = "mqueue: $id: no such open recipient: z@y.test" ]
	empty
}

@test "a job has 100 recipients at most, and one route" {
	printf '%s\n' 'a.test msend -h x.test:25' '* msend' >conf/routes
	add $(seq -f 'u%g@b.test' 150) v@a.test >/dev/null
	mqueue next | awk -F'\t' '{ print NF - 3, $3 }' |
		diff - <(printf '%s\n' '1 msend%20-h%20x.test:25' \
			'100 msend' '50 msend')
}

@test "a failed recipient is marked no, its DSN queued once, then xx" {
	echo '* msend' >conf/routes
	id=$(message | MAIL_ENVID=x17 MAIL_RCPT_ARGS='ORCPT=rfc822;B@y.test' \
		mqueue add -f alice@example.org -- b@y.test c@y.test)
	mqueue next >/dev/null
	printf '%s\tb@y.test\t5.1.1\t550%%205.1.1%%20nobody\n' "$id" |
		mqueue done 2>err
	grep -q "^mqueue bounce id=$id .*code=5.1.1" err
	grep -q "^mqueue accept id=.* parent=$id " err
	has_marks "$id" xxto
	dsn=$(mqueue ls 'from:<>' | cut -f1)
	mqueue cat "$dsn" >dsn
	grep -qx 'To: alice@example.org' dsn
	grep -qx 'Final-Recipient: rfc822;b@y.test' dsn
	grep -qx 'Original-Recipient: rfc822;B@y.test' dsn
	grep -qx 'Original-Envelope-Id: x17' dsn
	grep -qx 'Status: 5.1.1' dsn
	grep -qx 'Diagnostic-Code: smtp; 550 5.1.1 nobody' dsn
	grep -qx 'Subject: hello' dsn
	run ! grep -qx body dsn
	python3 - dsn <<-'END'
		import email, sys
		m = email.message_from_binary_file(open(sys.argv[1], 'rb'))
		assert m.get_content_type() == 'multipart/report'
		assert [p.get_content_type() for p in m.get_payload()] == [
		    'text/plain', 'message/delivery-status',
		    'text/rfc822-headers']
	END
	# a crash between the marks: done again, it is the same notification
	sed -i 's/^xx/no/' "queue/$id"
	touch "queue/$id"
	mqueue next "$id" >/dev/null
	printf '%s\t-\tx\n' "$id" | mqueue done
	has_marks "$id" xxto
	[ "$(mqueue ls 'from:<>' | wc -l)" -eq 1 ]
}

@test "RET=FULL returns the message; NEVER and the null sender return none" {
	echo '* msend' >conf/routes
	id=$(message | MAIL_RET=FULL mqueue add -f a@x.test -- b@y.test)
	mqueue next >/dev/null
	printf '%s\tb@y.test\t5.0.0\tno\n' "$id" | mqueue done 2>/dev/null
	mqueue cat "$(mqueue ls 'from:<>' | cut -f1)" >dsn
	grep -qx body dsn
	mqueue ls | mqueue rm -
	id=$(message | MAIL_RCPT_ARGS=NOTIFY=NEVER mqueue add -f a@x.test -- b@y.test)
	mqueue next >/dev/null
	printf '%s\tb@y.test\t5.0.0\tno\n' "$id" | mqueue done 2>/dev/null
	empty
	id=$(message | mqueue add -- b@y.test)
	mqueue next >/dev/null
	printf '%s\tb@y.test\t5.0.0\tno\n' "$id" | mqueue done 2>/dev/null
	empty
}

@test "who relayed is told when asked, and only then" {
	echo '* msend' >conf/routes
	by="$(date -u -d '+1 hour' +%Y-%m-%dT%H:%M:%SZ)"
	told() { # ENVIRONMENT... of a message that is passed on; who is told
		mqueue ls | mqueue rm -
		id=$(message | env "$@" mqueue add -f a@x.test -- b@y.test)
		mqueue next >/dev/null
		printf '%s\tb@y.test\t2.0.0\t%s%%20mx.y.test[::1]\n' "$id" "$how" |
			mqueue done 2>/dev/null
		dsn=$(mqueue ls 'from:<>' | cut -f1)
		[ -z "$dsn" ] || mqueue cat "$dsn" | sed -n 's/^Action: //p'
	}
	how=relayed%20to
	[ "$(told MAIL_RCPT_ARGS=NOTIFY=SUCCESS,FAILURE)" = relayed ]
	[ -z "$(told MAIL_RCPT_ARGS=NOTIFY=FAILURE)" ]
	[ -z "$(told A=)" ]
	[ "$(told MAIL_BY="$by;RT")" = relayed ]
	[ "$(told MAIL_BY="$by;N")" = relayed ]
	[ -z "$(told MAIL_BY="$by;R")" ]
	[ -z "$(told MAIL_BY="$by;NT" MAIL_RCPT_ARGS=NOTIFY=NEVER)" ]
	how=sent%20to
	[ -z "$(told MAIL_RCPT_ARGS=NOTIFY=SUCCESS)" ]
	[ -z "$(told MAIL_BY="$by;NT")" ]
}

@test "who said no is named, and the report is guarded like the message" {
	echo '* msend' >conf/routes
	id=$(message | MAIL_REQUIRETLS=1 MAIL_RET=FULL mqueue add -f a@x.test -- \
		b@y.test c@y.test)
	mqueue next >/dev/null
	{
		printf '%s\tb@y.test\t5.1.1\tmx.y.test[::1]%%20said:%%20550%%205.1.1%%20no\n' "$id"
		printf '%s\tc@y.test\t5.1.1\tm%%0ax[::1]%%20said:%%20550%%205.1.1%%20no\n' "$id"
	} | mqueue done 2>/dev/null
	dsn=$(mqueue ls 'from:<>' | cut -f1)
	grep -qx 'from <> REQUIRETLS' "queue/$dsn"
	mqueue cat "$dsn" >dsn
	[ "$(grep -c '^Remote-MTA:' dsn)" -eq 1 ]
	grep -qx 'Remote-MTA: dns;mx.y.test' dsn
	grep -qx 'Diagnostic-Code: smtp; 550 5.1.1 no' dsn
	run ! grep -qx body dsn
}

@test "addresses beyond ASCII are reported as RFC 6533 has it" {
	echo '* msend' >conf/routes
	id=$(message | MAIL_SMTPUTF8=1 MAIL_RCPT_ARGS='ORCPT=utf-8;\x{FC}@y.test' \
		mqueue add -f $'\303\244@x.test' -- $'\303\266@y.test')
	mqueue next >/dev/null
	printf '%s\t\303\266@y.test\t5.1.1\tno\n' "$id" | mqueue done 2>/dev/null
	dsn=$(mqueue ls 'from:<>' | cut -f1)
	grep -qx 'from <> SMTPUTF8 BODY=8BITMIME' "queue/$dsn"
	mqueue cat "$dsn" >dsn
	python3 - dsn <<-'END'
		import sys
		text = open(sys.argv[1], 'rb').read().decode()
		for line in ('Original-Recipient: utf-8;ü@y.test',
		    'Final-Recipient: utf-8;ö@y.test',
		    'Content-Type: message/global-delivery-status',
		    'Content-Type: message/global-headers', 'To: ä@x.test'):
		    assert '\n' + line + '\n' in text, line
	END
}

@test "fsck holds what disagrees, frees leases, cleans, deletes no message" {
	a=$(add b@y.test) b=$(add c@y.test) c=$(add d@y.test)
	truncate -s -3 "queue/$a"
	echo nonsense >"queue/$b"
	chmod 700 "queue/$c"
	touch -d '+1 hour' "queue/$c"
	touch -d '-1 day' queue/tmp/0000000000000000 \
		queue/0000000000000009.log
	mqueue fsck -n >dry
	mqueue fsck >got 2>/dev/null
	cmp dry got
	grep -q "^$a	the size disagrees" got
	grep -q "^$b	not a queue file" got
	grep -q "^$c	a lease that ended" got
	grep -q '^tmp/0000000000000000	' got
	grep -q '^0000000000000009.log	' got
	state_is "$a" held
	state_is "$c" new
	[ -e "queue/$b" ]
	[ ! -e queue/tmp/0000000000000000 ]
	run -0 mqueue fsck
	[ -z "$output" ]
	run -64 mqueue fsck x
}
