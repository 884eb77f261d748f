#!/usr/bin/env bats
#
# mauth(8): nobody is served before it is proved who it is, and nothing of
# the peer's is parsed with privileges.

load lib
. "$ROOT/t/mauth.sh"

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

@test "a wrong password costs the time of a right one, known user or not" {
	hash=$(openssl passwd -6 -salt 'rounds=600000$abcdefgh' x) || skip
	conf secrets "alice@example.test::all:{SHA512-CRYPT}$hash:"
	for user in alice@example.test nobody@example.test; do
		# processor time: what the clock says depends on the neighbours
		TIMEFORMAT=%3U
		{
			time talk -- bin/mauth mpop >out.talk 2>&1 <<-END
				S: +OK*
				C: AUTH PLAIN $(plain $user wrong)
				S: -ERR [AUTH] *
			END
		} 2>cpu
		eval "t_${user%@*}=$(tr -d '.,' <cpu | sed 's/^0*//')"
	done
	echo "$t_alice ms, $t_nobody ms"
	[ $t_alice -gt 100 ]
	[ $t_nobody -gt $((t_alice * 2 / 3)) ]
}

@test "the fourth failure ends the connection" {
	talk -- bin/mauth -g smtp mpop <<-END
		S: 220 *
		C: EHLO x
		S* 250 *
		C: AUTH PLAIN $(plain a b)
		S: 535 5.7.8 *
		C: AUTH PLAIN $(plain a b)
		S: 535 5.7.8 *
		C: AUTH PLAIN $(plain a b)
		S: 535 5.7.8 *
		C: AUTH PLAIN $(plain a b)
		S: 535 5.7.8 *
		S: 421 4.7.0 *
		GONE
	END
}

# A bound from above says nothing of one run: neighbours add to its time.  So
# that a story was short enough is asked of the best of three.
short_enough() {
	long=false
	for i in 1 2 3; do
		long=false
		"$1"
		$long || return 0
	done
	return 1
}

# at_most MS LIMIT
at_most() {
	[ "$1" -lt "$2" ] || long=true
}

refusals() {
	begin=$(date +%s%N)
	talk -- bin/mauth mpop <<-END
		S: +OK*
		C: AUTH PLAIN $(plain alice@example.test x)
		S: -ERR *
		SH: date +%s%N >one
		C: AUTH PLAIN $(plain alice@example.test y)
		S: -ERR *
		SH: date +%s%N >two
		C: AUTH PLAIN $(plain alice@example.test x)
		S: -ERR *
		SH: date +%s%N >three
	END
	one=$(cat one) two=$(cat two) three=$(cat three)
	[ $((one - begin)) -ge 1000000000 ]
	[ $((two - one)) -ge 1900000000 ]
	# what was tried before costs no more
	at_most $((three - two)) 2900000000
}

@test "refusals come slower and slower" {
	rm conf/limits
	short_enough refusals
}

failures() {
	rm -rf state
	mkdir state
	# IP USER PASSWORD ANSWER; sets $ms: how long mauth thought about it
	try() {
		talk -e PROTO=TCP -e "TCPREMOTEIP=$1" -e SSL_PROTOCOL=TLSv1.3 \
			-- bin/mauth mpop <<-END
				S: +OK*
				SH: date +%s%N >began
				C: AUTH PLAIN $(plain "$2" "$3")
				S: $4
				SH: date +%s%N >ended
			END
		ms=$((($(cat ended) - $(cat began)) / 1000000))
	}
	no='-ERR [AUTH]*' yes='hello from mpop'
	try 192.0.2.1 alice@example.test x "$no"
	at_most $ms 2000
	try 192.0.2.1 nobody@example.test x "$no"
	[ $ms -ge 2000 ]
	try 192.0.2.2 ALICE@example.test y "$no"
	[ $ms -ge 2000 ]
	# a right one is never delayed
	try 192.0.2.1 alice@example.test secret-alice "$yes"
	at_most $ms 2000
	# from where she logged in, what others did delays nobody
	try 192.0.2.1 alice@example.test z "$no"
	at_most $ms 2000
	try 192.0.2.9 alice@example.test z2 "$no"
	[ $ms -ge 3000 ]
	[ "$(head -n 1 state/logins)" = "pneu-logins 1" ]
	! grep -aq 'alice\|secret' state/logins || false
}

@test "failures of an address and of a name are counted over connections" {
	echo auth-delay 1 >conf/limits
	echo "state $d/state" >conf/paths
	short_enough failures
}

phone() {
	rm -rf state
	mkdir state
	for n in 1 2 3; do
		talk -e PROTO=TCP -e TCPREMOTEIP=192.0.2.1 \
			-e SSL_PROTOCOL=TLSv1.3 -- bin/mauth mpop <<-END
				S: +OK*
				SH: date +%s%N >began
				C: AUTH PLAIN $(plain alice@example.test old)
				S: -ERR [AUTH]*
				SH: date +%s%N >ended
			END
		at_most $((($(cat ended) - $(cat began)) / 1000000)) 1900
	done
}

@test "a phone with an old password is one failure, however often it tries" {
	echo auth-delay 1 >conf/limits
	echo "state $d/state" >conf/paths
	short_enough phone
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

@test "the server's environment is made from nothing" {
	export MAIL_AUTH=root@example.test FOO=bar LD_LIBRARY_PATH=/x \
		PNEU_SESSION=0 PNEU_X=1 SSL_X='a b'
	talk -e IPCREMOTEEUID=0 -- bin/mauth mpop <<-END
		S: +OK*
		C: AUTH PLAIN $(plain alice@example.test secret-alice)
		S: hello from mpop
	END
	! grep -q '^MAIL_AUTH\|^FOO\|^LD_' out/env || false
	grep -qx PNEU_X=1 out/env
	grep -qx "PNEU_CONF=$d/conf" out/env
	grep -qx PROTO=TCP out/env
	grep -qx TCPREMOTEIP=127.0.0.1 out/env
	[ "$(sed -n 's/^PNEU_SESSION=//p' out/env)" -ge 3 ]
	grep -qx 'login alice@example.test' out/session
}

@test "as root: monitor root, greeter locked in, server the user" {
	root_only
	talk -- bin/mauth mpop <<-'END' >who
		S: +OK*
		SH: for p in $PID $(ps -o pid= --ppid $PID); do ps -o uid=,comm= -p $p; done; g=$(ps -o pid= --ppid $PID | tr -d ' '); grep -E '^(Groups|NoNewPrivs|Seccomp|CapEff):' /proc/$g/status; ls -A /proc/$g/root/; grep 'Max processes' /proc/$g/limits; ls /proc/$g/fd | wc -l
		C: AUTH PLAIN AGFsaWNlQGV4YW1wbGUudGVzdABzZWNyZXQtYWxpY2U=
		S: hello from mpop
		SH: ps -o uid=,comm= -p $PID; ps -o pid= --ppid $PID | wc -l
	END
	tr -s ' \t' ' ' <who | sed 's/^ //; s/ $//' >table
	cat table
	[ "$(head -n 8 table)" = "0 mauth
62003 mauth
Groups:
CapEff: 0000000000000000
NoNewPrivs: 1
Seccomp: 2
Max processes 0 0 processes
4" ]
	[ "$(sed -n 9p table)" = "62011 mpop" ]
	[ "$(head -n 1 out/facts)" = "uid 62011 gid 62011 groups 62011" ]
	[ "$(sed -n 2p out/facts)" = "cwd $d/home" ]
}

@test "as root: -u decides who the server is" {
	root_only
	talk -- bin/mauth -u pneu mrecv -S <<-END
		S: 220 *
		C: HELO x
		S: 250 *
		C: AUTH PLAIN $(plain alice@example.test secret-alice)
		S: hello from mrecv
	END
	[ "$(head -n 1 out/facts)" = "uid 62001 gid 62001 groups 62001" ]
	grep -qx 'login alice@example.test' out/session
	run -75 bin/mauth -u nosuchuser mrecv </dev/null
	[[ $output == "421 4.3.0 "* || $output == *'what="account nosuchuser"'* ]]
}

@test "as root: a user whose uid is 0 is not served" {
	root_only
	conf users "alice@example.test:0:0:$d/home:"
	talk -- bin/mauth mpop <<-END >said
		S: +OK*
		C: AUTH PLAIN $(plain alice@example.test secret-alice)
		S: -ERR [SYS/TEMP] *
		GONE
	END
	grep -q 'uid is 0' log
	[ "$(cat said)" = "exit 75" ]
	[ ! -e out/facts ]
}

@test "an ordinary user runs all of it, and -u is ignored" {
	me=$(id -u)
	as=
	if [ "$me" -eq 0 ]; then
		as='setpriv --reuid 62020 --regid 62020 --clear-groups' me=62020
		chmod 0644 conf/secrets
	fi
	talk -- $as bin/mauth -u pneu mpop <<-END
		S: +OK*
		C: AUTH PLAIN $(plain alice@example.test secret-alice)
		S: hello from mpop
	END
	[[ $(head -n 1 out/facts) == "uid $me "* ]]
}

# A checkpassword program that knows alice.
checkpassword() {
	cat >bin/checkpassword <<-'END'
		#!/usr/bin/env python3
		import os, sys
		user, password = os.read(3, 512).split(b"\0")[:2]
		if password != b"a b'c" or user != b"alice":
		    sys.exit(int(password) if password.isdigit() else 1)
		uid = int(os.environ.get("PNEU_TEST_UID", "62011"))
		if os.getuid() == 0:
		    os.setgroups([])
		    os.setgid(uid)
		    os.setuid(uid)
		os.chdir(os.environ["PNEU_TEST_HOME"])
		os.environ.update(USER="alice@other.test", HOME=os.getcwd(), SHELL="/bin/sh")
		os.execvp(sys.argv[2], sys.argv[2:])
	END
	chmod 0755 bin/checkpassword
	export PNEU_TEST_HOME=$d/home
	rm conf/users conf/secrets
}

@test "-k: a checkpassword program says who it is" {
	checkpassword
	talk -- bin/mauth -k "'$d/bin/checkpassword' opt" mpop <<-END
		S: +OK*
		C: USER alice
		S: +OK
		C: PASS secret-alice
		S: -ERR [AUTH] authentication failed
		C: USER alice
		S: +OK
		C: PASS a b'c
		S: hello from mpop
	END
	[ "$(sed -n 2p out/facts)" = "cwd $d/home" ]
	[ "$(id -u)" -ne 0 ] ||
		[ "$(head -n 1 out/facts)" = "uid 62011 gid 62011 groups 62011" ]
	grep -qx 'login alice@other.test' out/session
	grep -qx "HOME=$d/home" out/env
	grep -qx "MAILDIR=$d/home/Maildir" out/env
	! grep -q '^SHELL' out/env || false
	grep -q 'why=secret' log
}

@test "-k: any other status than 1 is a failure of ours" {
	checkpassword
	talk -- bin/mauth -k "$d/bin/checkpassword opt" mpop <<-END
		S: +OK*
		C: AUTH PLAIN $(plain alice 111)
		S: -ERR [SYS/TEMP] *
		C: AUTH PLAIN $(plain alice 2)
		S: -ERR [SYS/TEMP] *
		C: AUTH PLAIN $(plain alice 0)
		S: -ERR [SYS/TEMP] *
	END
	grep -q 'error .*why="exit 111"' log
	grep -q 'error .*why="exit 2"' log
	grep -q 'error .*why="said nothing of use"' log
	talk -- bin/mauth -k "$d/bin/nosuch" mpop <<-END
		S: +OK*
		C: AUTH PLAIN $(plain alice 1)
		S: -ERR [SYS/TEMP] *
	END
	grep -q 'error .*No such file' log
	long=$(head -c 600 /dev/zero | tr '\0' x)
	talk -- bin/mauth -k "$d/bin/checkpassword opt" mpop <<-END
		S: +OK*
		C: AUTH PLAIN $(plain alice "$long")
		S: -ERR [AUTH] *
	END
}

@test "-k: nobody becomes root by it" {
	root_only
	checkpassword
	export PNEU_TEST_UID=0
	talk -- bin/mauth -k "$d/bin/checkpassword opt" mpop <<-END
		S: +OK*
		C: AUTH PLAIN $(plain alice "a b'c")
		S: -ERR [SYS/TEMP] *
		GONE
	END
	[ ! -e out/facts ]
}

@test "-k -: prints who it was made" {
	run -0 env -i HOME=/h USER=u MAILDIR=/m bin/mauth -k -
	[ "$output" = "pneu-report 1
uid $(id -u)
gid $(id -g)
home /h
user u
maildir /m" ]
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

@test "a peer that drips has no more time than one that is silent" {
	echo login-time 1 >>conf/limits
	talk -- bin/mauth mpop <<-'END'
		S: +OK*
		S: -ERR waited too long, closing
		GONE
	END
	grep -q 'close .*why=timeout' log
	# one that would go on for a minute
	python3 - 2>log 3>&- <<-'PY'
		import socket, subprocess, time
		ours, theirs = socket.socketpair()
		p = subprocess.Popen(["bin/mauth", "mpop"], stdin=theirs, stdout=theirs)
		theirs.close()
		ours.recv(100)
		end, gone = time.monotonic() + 60, False
		while not gone:
		    assert time.monotonic() < end
		    try:
		        ours.sendall(b"U")
		        time.sleep(0.2)
		    except OSError:
		        gone = True
		assert p.wait(60) == 0
	PY
	grep -q 'close .*why=timeout' log
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

@test "-c names the configuration, for the server too" {
	unset PNEU_CONF
	talk -- bin/mauth -c "$d/conf" mpop <<-END
		S: +OK mail.example.test*
		C: AUTH PLAIN $(plain alice@example.test secret-alice)
		S: hello from mpop
	END
	grep -qx "PNEU_CONF=$d/conf" out/env
}

@test "relative paths are meant from where mauth was started" {
	export PNEU_CONF=conf
	talk -- bin/mauth -g pop3 ./bin/mpop <<-END
		S: +OK mail.example.test*
		C: AUTH PLAIN $(plain alice@example.test secret-alice)
		S: hello from mpop
	END
	grep -qx "PNEU_CONF=$d/conf" out/env
	[ "$(sed -n 2p out/facts)" = "cwd $d/home" ]
}

@test "a home that is missing: later" {
	rmdir home
	talk -- bin/mauth mpop <<-END >said
		S: +OK*
		C: AUTH PLAIN $(plain alice@example.test secret-alice)
		S: -ERR [SYS/TEMP] *
		GONE
	END
	[ "$(cat said)" = "exit 75" ]
	grep -q "error what=\"$d/home\" why=\"No such file or directory\"" log
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

@test "behind mtls -l it is started once, and counted as long as its server" {
	root_only
	install "$BUILD/mtls" bin/
	cat >bin/mpop <<-'END'
		#!/bin/sh
		printf 'hello\r\n'
		cat
	END
	printf '%s\n' 'pneu-tls 62002 62002' >>conf/uids
	echo connections-per-address 1 >conf/limits
	bin/mtls -l 127.0.0.1:0 -u root mauth mpop 2>log 3>&- &
	mtls=$!
	wait_for grep -q listen log
	port=$(sed -n 's/.*port=\([0-9]*\).*/\1/p' log)
	one_more() { # a session: logged in, and still there
		exec {s}<>"/dev/tcp/127.0.0.1/$port"
		read -r line <&$s
		[[ $line == "+OK"* ]] || return 1
		printf 'AUTH PLAIN %s\r\n' "$(plain alice@example.test secret-alice)" >&$s
		read -r line <&$s
		[[ $line == hello* ]]
	}
	wait_for one_more
	first=$s
	# the parent is root's, and has no connection; one more is the empty
	# root of the greeters
	parent=$(pgrep -P $mtls -x mauth)
	[ "$(ls /proc/$parent/fd | wc -l)" -le 7 ]
	for i in 1 2 3; do
		exec {s}<>"/dev/tcp/127.0.0.1/$port"
		run timeout 2 head -n 1 <&$s
		[[ $output != +OK* ]]
		exec {s}<&-
	done
	exec {first}<&-
	wait_for one_more
	exec {s}<&-
	kill $mtls
	wait $mtls || :
	ended() {
		! kill -0 $parent || false
	}
	wait_for ended
	[ "$(grep -c 'auth ok' log)" -eq 2 ]
	ldd bin/mauth >libs
	! grep -q 'libssl\|libcrypto' libs || false
}
