#!/usr/bin/env bats
#
# mauth(8): nobody is served before it is proved who it is, and nothing of
# the peer's is parsed with privileges.

load lib
load mauth.sh

@test "POP3: USER and PASS, and the server is told who it is" {
	talk -- bin/mauth mpop -x 'two words' <<-END
		S: +OK mail.example.test POP3 ready
		C: CAPA
		S: +OK*
		S: TOP
		S: UIDL
		S: PIPELINING
		S: RESP-CODES
		S: AUTH-RESP-CODE
		S: EXPIRE NEVER
		S: UTF8
		S: LANG
		S: USER
		S: SASL PLAIN LOGIN
		S: IMPLEMENTATION pneu
		S: .
		C: NOOP
		S: -ERR *
		C: USER Alice@EXAMPLE.test
		S: +OK
		C: PASS secret-alice\r\nSTAT
		S: hello from mpop
		C: QUIT
	END
	[ "$(cat out/session)" = "pneu-session 1
login alice@example.test
service pop3
mech PLAIN
label first
tls 
conn $(sed -n 's/^MAIL_CONN=//p' out/env)
state 0
unread 6

STAT"$'\r' ]
	[ "$(tail -n 1 out/facts)" = "argv -x two words" ]
	grep -qx "HOME=$d/home" out/env
	grep -qx "MAILDIR=$d/home/Maildir" out/env
	grep -qx USER=alice@example.test out/env
	[ "$(cat out/rest)" = QUIT$'\r' ]
	[[ $(cat log) == "mauth auth ok conn=$(sed -n s/^MAIL_CONN=//p out/env) user=alice@example.test peer=127.0.0.1 svc=pop3 label=first" ]]
}

@test "SMTP: AUTH PLAIN with the command or after it, AUTH LOGIN in two ways" {
	for how in "C: AUTH PLAIN $(plain alice@example.test secret-alice)" \
		"C: AUTH plain
S: 334 
C: $(plain alice@example.test secret-alice)" \
		"C: AUTH LOGIN
S: 334 VXNlcm5hbWU6
C: YWxpY2VAZXhhbXBsZS50ZXN0
S: 334 UGFzc3dvcmQ6
C: c2VjcmV0LWFsaWNl" \
		"C: AUTH LOGIN YWxpY2VAZXhhbXBsZS50ZXN0
S: 334 UGFzc3dvcmQ6
C: c2VjcmV0LWFsaWNl"; do
		talk -- bin/mauth mrecv -S <<-END
			S: 220 mail.example.test ESMTP
			C: EHLO client.test
			S* 250-AUTH PLAIN LOGIN
			S* 250 *
			C: MAIL FROM:<alice@example.test>
			S: 530 5.7.0 *
			$how
			S: hello from mrecv
		END
		grep -qx 'state 16' out/session
		[ "$(tail -n 1 out/session)" = 'EHLO client.test' ]
		grep -qx 'service smtp' out/session
	done
}

@test "IMAP: LOGIN, and the server is told the tag it has to answer" {
	talk -- bin/mauth mimapd <<-END
		S: * OK *
		C: a7 LOGIN alice@example.test secret-alice
		S: hello from mimapd
	END
	grep -q a7 out/session
	grep -qx 'service imap' out/session
}

@test "input may come byte by byte" {
	talk -b 1 -- bin/mauth mpop <<-END
		S: +OK*
		C: USER alice@example.test
		S: +OK
		C: AUTH PLAIN $(plain alice@example.test secret-alice)
		S: hello from mpop
	END
	talk -b 1 -- bin/mauth mimapd <<-END
		S: * OK *
		C: a AUTHENTICATE PLAIN $(plain alice@example.test secret-alice)
		S: hello from mimapd
	END
}

@test "a wrong password and an unknown user get the same words" {
	talk -- bin/mauth mpop <<-END
		S: +OK*
		C: USER alice@example.test
		S: +OK
		C: PASS secret-bob
		S: -ERR [AUTH] authentication failed
		C: USER nobody@example.test
		S: +OK
		C: PASS secret-alice
		S: -ERR [AUTH] authentication failed
		C: AUTH PLAIN $(printf 'bob@example.test\0alice@example.test\0secret-alice' | base64 -w0)
		S: -ERR [AUTH] authentication failed
		C: QUIT
		S: +OK bye
		GONE
	END
	[ "$(grep -o 'why=.*' log)" = "why=secret
why=user
why=user
why=quit" ]
	grep -q '^mauth auth no conn=[0-9a-z]\{14\} user=nobody@example.test peer=127.0.0.1 svc=pop3 why=user$' log
	! grep -q secret- log || false
	[ ! -e out/facts ]
}

@test "a secret counts for its scopes and until its end, a disabled user not at all" {
	conf secrets 'alice@example.test:a:imap,send:{PLAIN}one:' \
		'alice@example.test:b:all:{PLAIN}two:2020-01-01T00:00:00Z'
	talk -- bin/mauth mpop <<-END
		S: +OK*
		C: AUTH PLAIN $(plain alice@example.test one)
		S: -ERR [AUTH] not allowed to read mail here
		C: AUTH PLAIN $(plain alice@example.test two)
		S: -ERR [AUTH] authentication failed
	END
	grep -q 'label=a why=scope' log
	grep -q 'label=b why=expired' log
	talk -- bin/mauth mrecv <<-END
		S: 220 *
		C: HELO x
		S: 250 *
		C: AUTH PLAIN $(plain alice@example.test one)
		S: hello from mrecv
	END
	conf users "$users disabled"
	talk -- bin/mauth mrecv <<-END
		S: 220 *
		C: HELO x
		S: 250 *
		C: AUTH PLAIN $(plain alice@example.test one)
		S: 535 5.7.8 *
	END
	grep -q 'why=disabled' log
}

@test "while a file is in doubt nobody is called wrong" {
	later() {
		rm -f out/facts
		talk -- bin/mauth mpop <<-END
			S: +OK*
			C: AUTH PLAIN $(plain "${1:-alice@example.test}" x)
			S: -ERR [SYS/TEMP] *
		END
		grep -q 'auth no .*why=later' log
	}
	conf secrets 'rubbish' "$secrets"
	later
	grep -q 'conf/secrets:1: not ADDRESS:LABEL:SCOPES:HASH:EXPIRES' log
	talk -- bin/mauth mpop <<-END
		S: +OK*
		C: AUTH PLAIN $(plain alice@example.test secret-alice)
		S: hello from mpop
	END
	later nobody@example.test
	conf secrets
	later
	rm conf/secrets
	later
	grep -q 'conf/secrets.*No such file' log
	conf secrets "$secrets"
	conf users
	later
	talk -- bin/mauth mrecv <<-END
		S: 220 *
		C: HELO x
		S: 250 *
		C: AUTH PLAIN $(plain alice@example.test secret-alice)
		S: 454 4.7.0 *
	END
}

@test "however often we fail, it is not called the peer's failure" {
	rm conf/secrets
	try="C: AUTH PLAIN $(plain alice@example.test secret-alice)
S: -ERR [SYS/TEMP]*"
	talk -- bin/mauth mpop <<-END
		S: +OK*
		$try
		$try
		$try
		$try
		$try
		$try
		C: QUIT
		S: +OK*
	END
}

@test "a password that was changed just now works at once" {
	printf '%s\n' 'alice@example.test:new:all:{PLAIN}new:' >conf/secrets
	talk -- bin/mauth mpop <<-END
		S: +OK*
		C: AUTH PLAIN $(plain alice@example.test new)
		S: hello from mpop
	END
}

@test "STARTTLS: what was said before is forgotten, and the facts are told" {
	talk -s -e PROTO=TCP -e TCPREMOTEIP=192.0.2.7 -- bin/mauth mrecv <<-END
		S: 220 *
		C: EHLO before.test
		S* 250-STARTTLS
		S* 250 *
		C: AUTH PLAIN $(plain alice@example.test secret-alice)
		S: 538 5.7.11 *
		C: STARTTLS
		S: 220 2.0.0 *
		TLS
		C: AUTH PLAIN $(plain alice@example.test secret-alice)
		S: 503 *
		C: STARTTLS
		S: 503 *
		C: EHLO x
		S* 250-AUTH PLAIN LOGIN
		S* 250 *
		C: AUTH PLAIN $(plain alice@example.test secret-alice)
		S: hello from mrecv
	END
	grep -qx 'tls TLSv1.3 NONE' out/session
	[ "$(tail -n 1 out/session)" = 'EHLO x' ]
	grep -qx SSL_PROTOCOL=TLSv1.3 out/env
	grep -qx TCPREMOTEIP=192.0.2.7 out/env
	! grep -q '^SSLCTLFD\|^PATH=/x' out/env || false
	grep -q 'auth ok .*peer=192.0.2.7 svc=smtp tls="TLSv1.3 NONE"' log
}

@test "STLS and IMAP's STARTTLS work alike" {
	talk -s -e PROTO=TCP -e TCPREMOTEIP=192.0.2.7 -- bin/mauth mpop <<-END
		S: +OK*
		C: USER alice@example.test
		S: -ERR *
		C: STLS
		S: +OK*
		TLS
		C: USER alice@example.test
		S: +OK
		C: PASS secret-alice
		S: hello from mpop
	END
	talk -s -e PROTO=TCP -e TCPREMOTEIP=192.0.2.7 -- bin/mauth mimapd <<-END
		S: * OK *LOGINDISABLED*
		C: a LOGIN alice@example.test secret-alice
		S: a NO [PRIVACYREQUIRED]*
		C: b STARTTLS
		S: b OK*
		TLS
		C: c LOGIN alice@example.test secret-alice
		S: hello from mimapd
	END
}

@test "input behind STARTTLS in the clear ends the connection" {
	for c in "mpop|STLS|QUIT|+OK*" "mrecv|STARTTLS|EHLO x|220 *" \
		"mimapd|a STARTTLS|b LOGIN x y|* OK*"; do
		IFS='|' read -r prog start more greeting <<<"$c"
		talk -s -- bin/mauth $prog <<-END
			S: $greeting
			C: $start\r\n$more
			GONE
		END
		grep -q 'close .*why="input behind STARTTLS"' log
	done
}

@test "a handshake that fails ends the connection" {
	talk -s -- bin/mauth mpop <<-END
		S: +OK*
		C: STLS
		S: +OK*
		NOTLS
		GONE
	END
	grep -q 'close .*why=handshake' log
}

@test "a password is taken inside TLS, on loopback and on a Unix socket only" {
	no="S: +OK*
C: USER alice@example.test
S: -ERR a password may come only inside TLS
C: AUTH PLAIN =
S: -ERR a password may come only inside TLS
C: STLS
S: -ERR TLS is not offered here"
	yes="S: +OK*
C: USER alice@example.test
S: +OK"
	talk -e PROTO=TCP -e TCPREMOTEIP=192.0.2.7 -- bin/mauth mpop <<<"$no"
	talk -e PROTO=TCP -e TCPREMOTEIP=2001:db8::1 -- bin/mauth mpop <<<"$no"
	talk -e PROTO=TCP -e TCPREMOTEIP=192.0.2.7 -e SSL_PROTOCOL=TLSv1.3 \
		-- bin/mauth mpop <<<"$yes"
	talk -e PROTO=TCP6 -e TCPREMOTEIP=::1 -- bin/mauth mpop <<<"$yes"
	talk -i -- bin/mauth mpop <<<"$yes"
}

@test "a program that is missing: the peer is told to try later" {
	for c in "smtp|421 4.3.0 *" "pop3|-ERR [SYS/TEMP] *" "imap|* BYE *"; do
		talk -- bin/mauth -g "${c%%|*}" nosuch <<-END >said
			S: ${c#*|}
			GONE
		END
		[ "$(cat said)" = "exit 75" ]
		grep -q 'mauth error what="nosuch" why="No such file or directory"' log
	done
	printf '#!/nosuch/interpreter\n' >bin/mpop
	talk -- bin/mauth mpop <<-END >said
		S: +OK*
		C: AUTH PLAIN $(plain alice@example.test secret-alice)
		S: -ERR [SYS/TEMP] *
		GONE
	END
	[ "$(cat said)" = "exit 75" ]
}

@test "each way a connection ends is one line of the log" {
	talk -- bin/mauth mpop <<-END
		S: +OK*
		C: QUIT
		S: +OK bye
		GONE
	END
	[[ $(cat log) == "mauth close conn="*" peer=127.0.0.1 svc=pop3 why=quit" ]]
	talk -- bin/mauth mpop <<-END
		S: +OK*
		CLOSE
	END
	[[ $(cat log) == "mauth close conn="*" why=eof" ]]
}

@test "a greeter that is killed takes nobody in, and says so" {
	talk -- bin/mauth mpop <<-'END' >said
		S: +OK*
		SH: kill -9 $(ps -o pid= --ppid $PID)
		GONE
	END
	[ "$(cat said)" = "exit 75" ]
	grep -q 'close .*why="signal 9"' log
}

@test "a monitor that is killed leaves no greeter" {
	talk -- bin/mauth mpop <<-'END' >said
		S: +OK*
		SH: ps -o pid= --ppid $PID >greeter; kill -9 $PID
		S: -ERR [SYS/TEMP] closing*
		GONE
	END
	gone() {
		! kill -0 $(cat greeter) || false
	}
	wait_for gone
}

@test "lines that are too long, and rubbish, are refused and bounded" {
	long=$(head -c 13000 /dev/zero | tr '\0' A)
	talk -- bin/mauth mrecv <<-END
		S: 220 *
		C: HELO x
		S: 250 *
		C: AUTH PLAIN $long
		S: 500 5.5.2 *
		C: AUTH PLAIN
		S: 334 
		C: $long
		S: 500 5.5.6 *
		C: AUTH PLAIN
		S: 334 
		C: *
		S: 501 *
		C: \0\1\2
		S: 500 5.5.2 *
		C: AUTH PLAIN AAAA\0
		S: 500 5.5.2 *
		C: QUIT
		S: 221 *
		GONE
	END
}

@test "under inetd the log is not said to the peer" {
	talk -2 -- bin/mauth mpop <<-END
		S: +OK*
		C: AUTH PLAIN $(plain alice@example.test x)
		S: -ERR [AUTH]*
		C: AUTH PLAIN $(plain alice@example.test secret-alice)
		S: hello from mpop
	END
	[ "$(sed -n 's/^PNEU_SESSION=//p' out/env)" -ge 3 ]
}

@test "wrong usage is one line" {
	usage="usage: mauth [-rV] [-c DIR] [-g smtp|pop3|imap] [-k CMD] [-u USER] PROGRAM [ARG ...]"
	for args in "" "-Z" "-c" "-g imap" "-k x"; do
		run -64 mauth $args
		[ "$output" = "$usage" ]
	done
	run -64 mauth -g http mpop
	[ "$output" = "mauth: -g http: not smtp, pop3 or imap" ]
	run -64 mauth /bin/sh
	[ "$output" = "mauth: /bin/sh: its protocol is not known, use -g" ]
	run -64 mauth -k "'" mpop
	[ "$output" = "mauth: -k ': not a command" ]
	run -0 mauth -V
	[ "$output" = "mauth 0.1" ]
}
