#!/usr/bin/env bats
#
# Nothing from the network or an environment becomes an option, a path or
# an identity.

load lib

setup_file() {
	host_up
	export PNEU_DIR
}

teardown_file() {
	host_down
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	. "$PNEU_DIR/env"
	cat >sink <<-'EOF'
		#!/bin/sh
		# a shell script as transport: notes how it was called
		exec >>"${0%/*}/called"
		echo "n=$#"
		for a; do echo "arg=$a"; done
		env | grep '^MAIL_' | sed 's/^/env=/'
		cat
		[ -z "$MAIL_COMMITFD" ] || [ "$(eval "head -c 1 <&$MAIL_COMMITFD")" = y ] || exit 75
	EOF
	chmod +x sink
	chmod o+rx . sink
}

dialogue() {
	printf '%s\r\n' "$@"
}

@test "a recipient -n@example.test is a recipient" {
	echo '-n@example.test: bob@example.test' >>"$PNEU_CONF/aliases"
	run -0 swaks -s 127.0.0.1:$SMTP_PORT -f x@elsewhere.test \
		-t -n@example.test --h-Subject 'to dash n'
	wait_for grep -rq '^Subject: to dash n' "$PNEU_DIR/mail/bob"
}

@test "a quoted local part with a blank stays one recipient" {
	echo '"a b"@example.test: bob@example.test' >>"$PNEU_CONF/aliases"
	dialogue 'EHLO x' 'MAIL FROM:<"c d"@elsewhere.test>' \
		'RCPT TO:<"-x y"@elsewhere.test>' DATA 'Subject: q' '' x . QUIT |
		mrecv -p -- "$PWD/sink" >out
	[ "$(grep -c '^arg=' called)" -eq 4 ]
	grep -qx 'arg="-x y"@elsewhere.test' called
	grep -qx 'arg=--' called
}

@test "NOTIFY reaches a shell script as environment, never as an argument" {
	echo "* $PWD/sink" >"$PNEU_CONF/routes"
	printf 'Subject: n\n\nx\n' | MAIL_RCPT_ARGS='NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;--help' \
		mqueue add -f x@elsewhere.test -- y@elsewhere.test
	wait_for grep -q 'n=4' called
	[ "$(grep '^arg=' called)" = "arg=-f
arg=x@elsewhere.test
arg=--
arg=y@elsewhere.test" ]
	grep -q 'env=MAIL_RCPT_ARGS=NOTIFY=SUCCESS,FAILURE ORCPT=' called
}

@test "an inherited MAIL_AUTH is no login" {
	run -0 env MAIL_AUTH=alice@example.test MAIL_WITH=ESMTPSA mrecv -S -- \
		"$PWD/sink" < <(dialogue 'EHLO x' 'MAIL FROM:<alice@example.test>' QUIT)
	[[ $output == *"530 5.7.0"* ]]
	dialogue 'EHLO x' 'MAIL FROM:<x@elsewhere.test>' \
		'RCPT TO:<bob@example.test>' DATA 'Subject: q' '' x . QUIT |
		MAIL_AUTH=alice@example.test mrecv -- "$PWD/sink"
	! grep -q 'MAIL_AUTH=alice' called
}

@test "MAIL_ID=../x is no path" {
	printf 'Subject: i\n\nx\n' | MAIL_ID=../x mqueue add -f x@elsewhere.test -- \
		nobody@elsewhere.test >id
	grep -qxE '[0-9a-z]{16}' id
	[ ! -e "$PNEU_DIR/x" ]
	run -66 mqueue show ../conf/me
	run -66 mqueue rm ../conf/me
	[ -e "$PNEU_CONF/me" ]
}

@test "a recipient with slashes or dots is no path in a Maildir" {
	for rcpt in ../../x@example.test /etc/passwd@example.test \
		bob+../../x@example.test 'bob+/x@example.test'; do
		printf 'Subject: p\n\nx\n' |
			mdeliver -f x@elsewhere.test -- "$rcpt" || :
	done
	[ -z "$(find "$PNEU_DIR" -newer sink -name 'x')" ]
}

@test "line ends in a reply of a sink make no second reply" {
	printf '#!/bin/sh\ncat >/dev/null\nprintf "%%s\\t5.1.1\\tno\\r250 ok\\n" "$4"\n' >bad
	chmod +x bad
	dialogue 'EHLO x' 'MAIL FROM:<x@elsewhere.test>' \
		'RCPT TO:<bob@example.test>' DATA 'Subject: q' '' x . QUIT |
		mrecv -- "$PWD/bad" >out
	[ "$(tr -d '\n' <out | tr '\r' '\n' | grep -c '^250 ok')" -eq 0 ]
}
