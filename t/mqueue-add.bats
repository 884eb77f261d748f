#!/usr/bin/env bats
#
# mqueue(8): what is added is there, whole, and says what it should.

load lib
load mqueue.sh

setup() { queue_setup; }
teardown() { queue_teardown; }

@test "a message is one file: envelope, blank line, message" {
	message one >m
	id=$(TCPREMOTEIP=192.0.2.1 MAIL_HELO=mx.test MAIL_WITH=ESMTPS \
		MAIL_RET=HDRS MAIL_ENVID=x17 mqueue add -f a@x.test -- \
		b@y.test <m)
	head -n 3 "queue/$id" | diff - <(printf '%s\n' 'pneu-queue 1' \
		'from a@x.test RET=HDRS ENVID=x17' 'to b@y.test')
	grep -qE '^received 2[-0-9]*T[:0-9]*Z 192.0.2.1 mx.test ESMTPS$' "queue/$id"
	size=$(sed 's/$/\r/' m | wc -c)
	grep -q "^size $(printf %012d "$size")$" "queue/$id"
	mqueue cat "$id" | cmp - m
	[ -z "$(ls queue/tmp)" ]
}

@test "bytes pass as they are, also without an end of the last line" {
	printf 'Subject: \303\244\n\n.\n..\nFrom x\n\0\r\n no end' >m
	id=$(mqueue add -f a@x.test -- b@y.test <m)
	mqueue cat "$id" | cmp - m
}

@test "the null sender and odd addresses are one word each" {
	id=$(message | mqueue add -- '"a b"@y.test' -n@y.test)
	grep -qx 'from <>' "queue/$id"
	grep -qx 'to "a%20b"@y.test' "queue/$id"
	grep -qx 'to -n@y.test' "queue/$id"
	mqueue ls -R | cut -f8 | diff - <(printf '%s\n' '"a%20b"@y.test' \
		-n@y.test)
}

@test "only the byte y on MAIL_COMMITFD commits" {
	for word in '' n yes; do
		printf %s "$word" >go
		run bash -c 'printf "Subject: x\n\n" |
			MAIL_COMMITFD=7 mqueue add -f a@x.test -- b@y.test 7<go'
		if [ "$word" = yes ]; then
			[ "$status" -eq 0 ]
		else
			[ "$status" -eq 75 ]
			[ "$output" = "mqueue: the message was not completed" ]
			[ -z "$(ls queue/tmp)" ]
			empty
		fi
	done
	run -75 bash -c 'echo x | MAIL_COMMITFD=99 mqueue add -- b@y.test'
}

@test "MAIL_ID is used when it is an id and new, else replaced" {
	id=$(message | MAIL_ID=0123456789abcdef mqueue add -- b@y.test)
	[ "$id" = 0123456789abcdef ]
	for bad in 0123456789abcdef ../../../../tmp/xxx 0123456789ABCDEF x ''; do
		id=$(message | MAIL_ID=$bad mqueue add -- b@y.test)
		[[ $id =~ ^[0-9a-z]{16}$ ]]
		[ "$id" != "$bad" ]
	done
}

@test "an inherited MAIL_AUTH is information, in a word of its own" {
	id=$(message | MAIL_AUTH=$'x\nto evil@z.test' mqueue add -- b@y.test)
	run ! grep -q evil "queue/$id"
	id=$(message | MAIL_AUTH=alice@x.test mqueue add -- b@y.test)
	grep -qx 'auth alice@x.test' "queue/$id"
	[[ $(mqueue ls -j "$id") == *'"auth":"alice@x.test"'* ]]
}

@test "recipient parameters go with their recipients, wrong ones do not" {
	id=$(message | MAIL_RCPT_ARGS=$'NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b@y\n\nNOTIFY=-n' \
		mqueue add -- b@y.test c@y.test d@y.test 2>err)
	grep -qx 'to b@y.test NOTIFY=SUCCESS,DELAY ORCPT=rfc822;b@y' "queue/$id"
	grep -qx 'to c@y.test' "queue/$id"
	grep -qx 'to d@y.test' "queue/$id"
	grep -qx 'mqueue: NOTIFY: not a parameter of a recipient' err
}

@test "MAIL_HOLD makes it held, with the reason" {
	id=$(message | MAIL_HOLD='looks like spam' mqueue add -- b@y.test)
	state_is "$id" held
	[ "$(mqueue ls | cut -f9)" = 'looks like spam' ]
}

@test "show -r and add -e move a message, without who has it already" {
	id=$(message | MAIL_RET=FULL mqueue add -f a@x.test -- b@y.test c@y.test)
	sed -i 's/^to b@/ok b@/' "queue/$id"
	mqueue show -r "$id" >f
	new=$(mqueue add -e <f)
	[ "$new" != "$id" ]
	grep -qx 'from a@x.test RET=FULL' "queue/$new"
	has_marks "$new" to
	mqueue cat "$id" | cmp - <(mqueue cat "$new")
}

@test "add -e refuses what is not whole or not its format" {
	id=$(add b@y.test)
	mqueue show -r "$id" >f
	run -65 mqueue add -e < <(head -c -3 f)
	[[ $output == 'mqueue: the size is '* ]]
	run -65 mqueue add -e < <(message)
	[ "$output" = 'mqueue: not a file of the format pneu-queue 1' ]
	run -75 mqueue add -e < <(sed '1s/1/2/' f)
	[ "$output" = 'mqueue: the format is newer than this program' ]
	run -65 mqueue add -e < <(sed 's/^to/ok/' f)
	[ "$output" = 'mqueue: no recipient is left' ]
	[ "$(mqueue ls | wc -l)" -eq 1 ]
	[ -z "$(ls queue/tmp)" ]
}

@test "wrong usage and wrong addresses are one line each" {
	run -64 mqueue
	[ "$output" = 'usage: mqueue [-V] [-c DIR] VERB [ARG ...]' ]
	run -64 mqueue frobnicate
	run -64 mqueue add </dev/null
	[ "$output" = 'usage: mqueue add [-e] [-f SENDER] [--] [RCPT ...]' ]
	run -64 mqueue add -x </dev/null
	run -64 mqueue add -e b@y.test </dev/null
	run -65 mqueue add 'not an address' </dev/null
	[ "$output" = 'mqueue: not an address: not an address' ]
	run -65 mqueue add -f 'a b' -- b@y.test </dev/null
	run -0 mqueue -V
	[ "$output" = 'mqueue 0.1' ]
}

@test "a full disk, a small limit: nothing stays behind" {
	run -75 limit_fsize 100 mqueue add -- b@y.test < <(zeros 300000)
	[ -z "$(ls queue/tmp)" ]
	limits 'message 100'
	run -65 mqueue add -- b@y.test < <(zeros 300)
	[ "$output" = 'mqueue: the message is too large' ]
	limits "free-space $((1 << 60))"
	run -75 mqueue add -- b@y.test < <(message)
	[[ $output == *'too little free space' ]]
	rm conf/limits
	empty
}

@test "a queue that is not there: later" {
	echo "queue $D/nosuch/queue" >conf/paths
	run -75 mqueue ls
	[ "$output" = "mqueue: queue $D/nosuch/queue: No such file or directory" ]
}

@test "a message made from another is logged with its parent" {
	run -0 --separate-stderr env MAIL_PARENT=0123456789abcdef mqueue add \
		-f a@b.test -- c@d.test < <(printf 'Subject: x\n\nx\n')
	[[ $stderr == "mqueue accept id=$output parent=0123456789abcdef from=a@b.test n=1 size="* ]]
	run -0 --separate-stderr env MAIL_PARENT=../../x mqueue add \
		-f a@b.test -- c@d.test < <(printf 'Subject: x\n\nx\n')
	[ -z "$stderr" ]
}
