#!/usr/bin/env bats
#
# Nothing from the network or an environment becomes an option, a path or
# an identity.

load lib
load host

setup() {
	. "$PNEU_DIR/env"
	cd_open
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
	chmod 0755 sink
}

# the arguments that the sink got
called_with() {
	printf "arg=%s\n" "$@" | diff - <(grep "^arg=" called)
}

dialogue() {
	printf '%s\r\n' "$@"
}

@test "a recipient -n@example.test is a recipient" {
	echo '-n@example.test: bob@example.test' >>"$PNEU_CONF/aliases"
	printf 'Subject: to dash n\r\n\r\nx\r\n' >m
	curl -sS --mail-from x@elsewhere.test --mail-rcpt -n@example.test \
		-T m "smtp://127.0.0.1:$SMTP_PORT"
	wait_for grep --exclude='pneu.*' -rq '^Subject: to dash n' "$PNEU_DIR/mail/bob"
	dialogue 'EHLO x' 'MAIL FROM:<-f@elsewhere.test>' \
		'RCPT TO:<-n@example.test>' DATA 'Subject: q' '' x . QUIT |
		mrecv -- "$PWD/sink"
	called_with -f -f@elsewhere.test -- -n@example.test
}

@test "a quoted local part with a blank stays one recipient" {
	echo '"a b"@example.test: bob@example.test' >>"$PNEU_CONF/aliases"
	dialogue 'EHLO x' 'MAIL FROM:<"c d"@elsewhere.test>' \
		'RCPT TO:<"a b"@example.test>' DATA 'Subject: q' '' x . QUIT |
		mrecv -- "$PWD/sink" >out
	called_with -f '"c d"@elsewhere.test' -- '"a b"@example.test'
	dialogue 'EHLO x' 'MAIL FROM:<"c d"@elsewhere.test>' \
		'RCPT TO:<"a b"@example.test>' DATA 'Subject: a blank' '' x . QUIT |
		mrecv -- mqueue add
	wait_for grep --exclude='pneu.*' -rq '^Subject: a blank' "$PNEU_DIR/mail/bob"
}

@test "NOTIFY reaches a shell script as environment, never as an argument" {
	echo "* $PWD/sink" >"$PNEU_CONF/routes"
	printf 'Subject: n\n\nx\n' | MAIL_RCPT_ARGS='NOTIFY=FAILURE,DELAY ORCPT=rfc822;--help' \
		mqueue add -f x@elsewhere.test -- y@elsewhere.test
	wait_for grep -q '^x$' called
	called_with -f x@elsewhere.test -- y@elsewhere.test
	grep -q '^env=MAIL_RCPT_ARGS=NOTIFY=FAILURE,DELAY ORCPT=' called
}

@test "an inherited MAIL_AUTH is no login" {
	run -0 env MAIL_AUTH=alice@example.test MAIL_WITH=ESMTPSA mrecv -S -- \
		"$PWD/sink" < <(dialogue 'EHLO x' 'MAIL FROM:<alice@example.test>' QUIT)
	[[ $output == *"530 5.7.0"* ]]
	dialogue 'EHLO x' 'MAIL FROM:<x@elsewhere.test>' \
		'RCPT TO:<bob@example.test>' DATA 'Subject: q' '' x . QUIT |
		MAIL_AUTH=alice@example.test MAIL_WITH=ESMTPSA mrecv -- "$PWD/sink"
	called_with -f x@elsewhere.test -- bob@example.test
	run -1 grep 'alice\|ESMTPSA' called
}

@test "MAIL_ID=../x is no path" {
	echo '* nosuchprogram' >"$PNEU_CONF/routes"
	printf 'Subject: i\n\nx\n' | MAIL_ID=../x mqueue add -f x@elsewhere.test -- \
		nobody@elsewhere.test >id
	grep -qxE '[0-9a-z]{16}' id
	[ -z "$(find "$PNEU_DIR" -name x)" ]
	mqueue show "$(cat id)" >shown
	dialogue 'EHLO x' 'MAIL FROM:<x@elsewhere.test>' \
		'RCPT TO:<bob@example.test>' DATA 'Subject: q' '' x . QUIT |
		MAIL_ID=../x MAIL_CONN=../../../../y mrecv -- "$PWD/sink"
	grep -qxE 'env=MAIL_ID=[0-9a-z]{16}' called
	grep -qxE 'env=MAIL_CONN=[0-9a-z]{14}' called
	run -66 mqueue show ../conf/me
	run -66 mqueue rm ../conf/me
	[ -e "$PNEU_CONF/me" ]
}

@test "a recipient with slashes or dots is no path in a Maildir" {
	find "$PNEU_DIR" -type d | sort >before
	run -69 mdeliver -f x@elsewhere.test -- ../../x@example.test <sink
	for rcpt in '"../../x"@example.test' /etc/passwd@example.test \
		'"bob+../x"@example.test' "$PNEU_DIR/x@example.test"; do
		run -67 mdeliver -f x@elsewhere.test -- "$rcpt" <sink
	done
	for rcpt in bob+/x bob+/./x bob+x/.y/x bob+/etc/passwd; do
		rcpt=$rcpt@example.test
		mdeliver -f x@elsewhere.test -- "$rcpt" <<<'Subject: detail'
	done
	[ "$(grep --exclude='pneu.*' -rl '^Subject: detail' "$PNEU_DIR/mail" | wc -l)" -eq 4 ]
	[ "$(grep -rl '^Subject: detail' "$PNEU_DIR/mail/bob/new" | wc -l)" -eq 4 ]
	find "$PNEU_DIR" -type d | sort | comm -13 before - >made
	run -1 grep -v "^$PNEU_DIR/mail/bob" made
}

@test "line ends in a reply of a sink make no second reply" {
	printf '#!/bin/sh\ncat >/dev/null\nprintf "%%s\\t5.1.1\\tno\\r250 ok\\n" "$4"\n' >bad
	chmod +x bad
	dialogue 'EHLO x' 'MAIL FROM:<x@elsewhere.test>' \
		'RCPT TO:<bob@example.test>' DATA 'Subject: q' '' x . QUIT |
		mrecv -- "$PWD/bad" >out
	run -1 grep -a "$(printf '\r.')" out
	grep -q '^5[0-9][0-9] 5\.' out
}
