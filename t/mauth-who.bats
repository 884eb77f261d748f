#!/usr/bin/env bats
#
# mauth(8): as whom the server runs, in which folder and environment, and
# checkpassword programs that say so.

load lib
load mauth.sh

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
