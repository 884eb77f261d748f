#!/usr/bin/env bats
#
# Programs that are started once and fork for each connection, and TLS
# halves that are there once they are asked for.

load lib
load tls

setup_file() {
	dir=$(mktemp -d /tmp/pneu-t.XXXXXX)
	chmod 0711 "$dir"
	tls_conf "$dir"
	echo mail.example.test >"$dir/me"
	echo 'example.test relay' >"$dir/domains"
	export SHARED=$dir
}

teardown_file() {
	rm -rf "$SHARED"
}

setup() {
	work=$(mktemp -d /tmp/pneu-t.XXXXXX)
	chmod 0755 "$work"
	cd "$work"
	export PNEU_CONF=$work/conf
	cp -a "$SHARED" conf
	mkdir queue
	echo "queue $work/queue" >conf/paths
	started=
	u=
	if [ "$(id -u)" -eq 0 ]; then
		u='-u pneu'
		chown 62001 queue
	fi
}

teardown() {
	[ -z "$started" ] || kill $started 2>/dev/null || :
	cd /
	rm -rf "$work"
}

# The same, once the program is ready.
serve_ready() {
	serve "$@"
	wait_for parent
}

# The program that is ready: $ready.  It holds places open for descriptors
# to come; a session that has lost its parent does not.
parent() {
	for p in $(pgrep -P "$pid" -x mrecv); do
		[[ $(readlink "/proc/$p/fd/4") != /dev/null ]] || {
			ready=$p
			return
		}
	done
	return 1
}

sessions() {
	pgrep -P "$ready" -x mrecv
}

halves() {
	pgrep -P "$pid" -x mtls
}

# Whether a listener of this test runs, or what it left for its sessions.
is_left() {
	for p in $(pgrep -x mtls); do
		! tr '\0' '\n' <"/proc/$p/environ" 2>/dev/null |
			grep -qx "PNEU_CONF=$work/conf" || return 0
	done
	return 1
}

# hold N: connections that say nothing, greeted, until $held is killed
hold() {
	python3 - "$port" "$1" >held 3>&- <<-'PY' &
		import socket, sys, time
		all = []
		for i in range(int(sys.argv[2])):
		    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		    assert s.recv(100).startswith(b"220"), i
		    all.append(s)
		print("held", flush=True)
		time.sleep(100)
	PY
	held=$!
	started="$started $held"
	wait_for grep -q held held
}

let_go() {
	kill "$held"
	wait_for eval '[ -z "$(sessions)" ]'
}

# A whole session in the clear, with one message.
send_one() {
	printf 'Subject: s\r\n\r\nx\r\n' >m
	curl -sS "$@" --mail-from a@elsewhere.test --mail-rcpt b@example.test \
		-T m "smtp://127.0.0.1:$port"
}

@test "a program is started once, as who serves, and forks for a connection" {
	serve_ready -s mrecv -- mqueue add
	hold 2
	[ "$(sessions | wc -l)" -eq 2 ]
	[ "$(halves)" = "" ]
	if [ "$(id -u)" -eq 0 ]; then
		for p in $ready $(sessions); do
			[ "$(ps -o uid= -p $p | tr -d ' ')" = 62001 ]
		done
	fi
	let_go
	send_one
	send_one
	was=$ready
	parent
	[ "$ready" -eq "$was" ]
	[ "$(find queue -maxdepth 1 -type f | wc -l)" -eq 2 ]
	run -1 grep -E 'error|refuse' log
}

@test "its child is what an executed program would have been" {
	cat >conf/seen <<-SH
		#!/bin/sh
		env | sort >$work/queue/env
		# mrecv has closed what it closes, and waits for this one
		cat >/dev/null
		cat <&3 >/dev/null
		ls -l /proc/\$PPID/fd | sed -n 's/.*-> //p' >$work/queue/fds
	SH
	chmod 0755 conf/seen
	serve_ready mrecv -- "$work/conf/seen"
	send_one
	cp queue/env env.ready
	cp queue/fds fds.ready
	# the same from a name that nobody prepares for
	: >log
	ln -s "$BUILD/mrecv" conf/mrecv-too
	mtls -l 127.0.0.1:0 $u "$work/conf/mrecv-too" -- "$work/conf/seen" \
		2>>log 3>&- &
	started="$started $!"
	wait_for grep -q 'listen .*port=' log
	port=$(sed -n 's/.*listen .*port=\([0-9]*\).*/\1/p' log)
	send_one
	for f in env.ready queue/env; do
		sed 's/^\(MAIL_ID\|MAIL_CONN\|TCP[A-Z]*PORT\)=.*/\1/
			s/^_=.*//' "$f" >"${f##*/}.bare"
	done
	diff env.ready.bare env.bare
	# descriptors: one more, by which the listener sees that it lives
	sed 's/[0-9]*\]$//' fds.ready | sort >a
	sed 's/[0-9]*\]$//' queue/fds | sort >b
	diff a b >diff.fds || :
	[ "$(grep -c '^[<>]' diff.fds)" -le 1 ]
	run -0 cat diff.fds
	[[ $output != *"> "* ]]
}

@test "a change of the configuration counts from the next connection" {
	serve_ready mrecv -- mqueue add
	printf 'EHLO x\r\nQUIT\r\n' | socat -t 60 - "TCP:127.0.0.1:$port" >out
	grep -q '^220 mail.example.test' out
	echo other.example.test >conf/me
	echo 'message 4711' >conf/limits
	printf 'EHLO x\r\nQUIT\r\n' | socat -t 60 - "TCP:127.0.0.1:$port" >out
	grep -q '^220 other.example.test' out
	grep -q '250.SIZE 4711' out
}

@test "when it dies the next connection is served, and another is ready" {
	serve_ready mrecv -- mqueue add
	hold 1
	was=$ready
	kill -9 "$ready"
	wait_for eval '! kill -0 '"$was"
	send_one
	sleep 1
	send_one
	wait_for eval 'parent && [ $ready -ne '"$was"' ]'
	send_one
	[ "$(find queue -maxdepth 1 -type f | wc -l)" -eq 3 ]
	kill -0 "$held"
}

@test "a child that dies of a fault is logged, and both start anew" {
	serve_ready mrecv -- mqueue add
	was=$ready
	hold 1
	kill -ABRT "$(sessions)"
	wait_for grep -q 'mtls error what="a connection" why="signal 6"' log
	wait_for eval 'parent && [ $ready -ne '"$was"' ]'
	[ "$(grep -c listen log)" -eq 1 ]
	send_one
}

@test "SIGHUP: another is ready, sessions go on and are counted" {
	echo 'connections-per-address 1' >conf/limits
	serve_ready -s mrecv -- mqueue add
	was=$ready
	hold 1
	kill -HUP "$pid"
	wait_for eval 'parent && [ $ready -ne '"$was"' ]'
	run -56 send_one
	wait_for grep -q 'refuse .*too many connections of this address' log
	kill "$held"
	wait_for send_one
}

@test "SIGHUP with fewer connections allowed than there are: none is stuck" {
	serve_ready -s mrecv -- mqueue add
	hold 4
	echo 'connections 2' >conf/limits
	was=$ready
	kill -HUP "$pid"
	wait_for eval 'parent && [ $ready -ne '"$was"' ] || ! kill -0 '"$was"
	kill "$held"
	# its sockets and pipes, and nothing of the four
	wait_for eval '[ "$(ls /proc/'$pid'/fd | wc -l)" -le 9 ]' ||
		{ ls -l "/proc/$pid/fd"; false; }
	wait_for send_one
}

@test "a new file of the program is used from the next connection on" {
	mkdir bin
	cp "$BUILD/mtls" "$BUILD/mrecv" bin
	mtls=$work/bin/mtls
	serve_ready mrecv -- mqueue add
	was=$ready
	cp bin/mrecv bin/new
	mv bin/new bin/mrecv
	sleep 1.1
	send_one
	wait_for eval 'send_one && parent && [ $ready -ne '"$was"' ]'
}

@test "one that can't start leaves each connection to be executed" {
	mtls -l 127.0.0.1:0 $u mrecv 2>log 3>&- &
	pid=$!
	started=$pid
	wait_for grep -q 'error what=.*/mrecv why="is not ready' log
	port=$(sed -n 's/.*listen .*port=\([0-9]*\).*/\1/p' log)
	run -0 socat -u "TCP:127.0.0.1:$port" -
	[ -z "$output" ]
	[ "$(grep -c 'usage: mrecv' log)" -ge 2 ]
}

@test "the TLS half is there once it is asked for, and counts" {
	echo 'connections-per-address 2' >conf/limits
	serve_ready -s mrecv -- mqueue add
	python3 - "$port" >out 3>&- <<-'PY' &
		import smtplib, ssl, sys, time
		s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]))
		s.starttls(context=ssl._create_unverified_context())
		s.ehlo()
		print("by TLS", flush=True)
		time.sleep(100)
	PY
	started="$started $!"
	wait_for grep -q 'by TLS' out
	[ "$(halves | wc -l)" -eq 1 ]
	hold 1
	[ "$(halves | wc -l)" -eq 1 ]
	run -56 send_one
	kill "$held"
	wait_for send_one -k --ssl-reqd
	wait_for eval '[ "$(halves | wc -l)" -eq 1 ]'
	wait_for eval '[ "$(ls /proc/$pid/fd | wc -l)" -le 20 ]'
}

@test "TLS at once: a silent handshake is a TLS half and no program's" {
	echo 'connections-per-address 2' >conf/limits
	serve_ready -i mrecv -- mqueue add
	for i in 1 2; do
		socat -u "TCP:127.0.0.1:$port" - >/dev/null 3>&- &
		started="$started $!"
	done
	wait_for eval '[ "$(halves | wc -l)" -eq 2 ]'
	printf 'QUIT\r\n' | openssl s_client -quiet -connect \
		"127.0.0.1:$port" >out 2>/dev/null
	grep -q '^220 ' out
	wait_for grep -q 'refuse .*why="unfinished handshake, room for others"' log
	wait_for grep -q 'mrecv close .*tls="TLSv1.3' log
}

# few FILES: a listener that may have that many open
few() {
	(
		ulimit -n "$1"
		[ "$(id -u)" -ne 0 ] || exec setpriv \
			--bounding-set -sys_resource --inh-caps -sys_resource \
			env PATH="$PATH" mtls -l 127.0.0.1:0 $u -s mrecv -- mqueue add
		exec mtls -l 127.0.0.1:0 -s mrecv -- mqueue add
	) 2>log 3>&- &
	pid=$!
	started=$pid
	wait_for grep -q 'listen .*port=' log
	port=$(sed -n 's/.*listen .*port=\([0-9]*\).*/\1/p' log)
	wait_for parent
}

@test "with few descriptors TLS halves are there from the start" {
	echo 'connections 100' >conf/limits
	few 240
	hold 40
	[ "$(halves | wc -l)" -gt 0 ]
	send_one -k --ssl-reqd
	let_go
	wait_for eval '[ "$(halves | wc -l)" -eq 0 ]'
}

@test "with very few descriptors, too" {
	few 100
	hold 40
	[ "$(halves | wc -l)" -gt 30 ]
	! grep 'Too many open files' log || false
	let_go
}

@test "SIGTERM: the port is free, sessions finish and may ask for TLS" {
	serve_ready -s mrecv -- mqueue add
	mkfifo go
	python3 - "$port" >out 3>&- <<-'PY' &
		import smtplib, ssl, sys
		s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]))
		s.ehlo()
		print("here", flush=True)
		open("go").read()
		s.starttls(context=ssl._create_unverified_context())
		s.sendmail("a@elsewhere.test", "b@example.test", "Subject: s\n\nx")
		s.quit()
		print("sent", flush=True)
	PY
	client=$!
	started="$started $client"
	wait_for grep -q here out
	kill "$pid"
	wait "$pid"
	wait_for eval '! pgrep -P $pid'
	run -7 send_one
	echo >go
	wait "$client"
	grep -q sent out
	wait_for eval '! is_left'
}

# people: bob, with mail, and the accounts of a login; programs in bin
people() {
	ids=$(id -u):$(id -g)
	if [ "$(id -u)" -eq 0 ]; then
		u='-u root'
		ids=62011:62011
		echo 'pneu-login 62003 62003' >>conf/uids
	fi
	mkdir -p home state bin
	chown "$ids" home
	printf '%s\n' "queue $work/queue" "state $work/state" >conf/paths
	echo 'example.test' >conf/domains
	echo "bob@example.test:$ids:$work/home:maildir=$work/home/m" >conf/users
	(umask 077 && echo "bob@example.test:a:all:{PLAIN}secret:" >conf/secrets)
	touch -d '1 minute ago' conf/*
	install "$BUILD"/m{tls,auth,imapd,pop} bin/
}

# mauth_is_ready PID: of the mtls PID, which is to end with the test; $pid,
# $m and $port
mauth_is_ready() {
	pid=$1
	started="$started $pid"
	wait_for grep -q 'listen .*port=' log
	port=$(sed -n 's/.*listen .*port=\([0-9]*\).*/\1/p' log)
	wait_for eval 'm=$(pgrep -P $pid -x mauth) &&
		[[ $(readlink /proc/$m/fd/4) == /dev/null ]]'
}

# mauth_serve ARG...: mtls and mauth with these; $pid, $m and $port
mauth_serve() {
	: >log
	bin/mtls -l 127.0.0.1:0 $u mauth "$@" 2>>log 3>&- &
	mauth_is_ready $!
}

# The server that is ready below mauth: $server.
has_server() {
	for server in $(pgrep -P "$m" -x mimapd) $(pgrep -P "$m" -x mpop); do
		[[ $(readlink "/proc/$server/fd/4") != /dev/null ]] || return 0
	done
	return 1
}

# is_dead PID: it has gone, or it waits for its parent to look
is_dead() {
	! kill -0 "$1" || grep -q '^State:.*Z' "/proc/$1/status"
}

# imap: a session of bob with a descriptor in s; its process in last
imap() {
	exec {s}<>"/dev/tcp/127.0.0.1/$port"
	printf 'a LOGIN bob@example.test secret\r\n' >&$s
	read -r line <&$s
	read -r line <&$s
	[[ $line == 'a OK'* ]] || return 1
	last=$(pgrep -n -P "${1:-$server}" -x mimapd)
}

# what_is PID: all that tells one session from another
what_is() {
	grep -E '^(Uid|Gid|Groups|NoNewPrivs|Seccomp|SigIgn|SigBlk|SigCgt)' "/proc/$1/status"
	readlink "/proc/$1/cwd" "/proc/$1/root"
	cat "/proc/$1/limits"
	ls -l "/proc/$1/fd" | sed -n 's/.* \([0-9]* -> .*\)/\1/p' |
		sed 's/^[0-9]* -> //; s/\[[0-9]*\]//' | sort
}

@test "behind mauth the server is ready, too, and forks for a user" {
	people
	mauth_serve mimapd
	wait_for has_server
	imap
	what_is $last >ready.what
	was=$server
	has_server
	[ $was = $server ]
	exec {s}>&-
	if [ "$(id -u)" -eq 0 ]; then
		grep -q '^Uid:.62011.62011.62011.62011$' ready.what
		grep -qE '^Groups:\s*$' ready.what
	fi
	# the same from a name that nobody prepares for
	ln -s mimapd bin/other
	mauth_serve -g imap other
	exec {s}<>"/dev/tcp/127.0.0.1/$port"
	printf 'a LOGIN bob@example.test secret\r\n' >&$s
	read -r line <&$s
	read -r line <&$s
	[[ $line == 'a OK'* ]]
	last=$(pgrep -P "$m" -x other)
	what_is $last >executed.what
	exec {s}>&-
	diff ready.what executed.what
}

@test "only the monitor can speak to the server that is ready, not the greeter" {
	people
	mauth_serve mimapd
	wait_for has_server
	exec {s}<>"/dev/tcp/127.0.0.1/$port"
	read -r line <&$s
	monitor=$(pgrep -P "$m" -x mauth)
	greeter=$(pgrep -P "$monitor" -x mauth)
	packets() { # how many sockets that keep packets whole
		local n=0 i
		for i in $(ls -l "/proc/$1/fd" | sed -n 's/.*socket:\[\([0-9]*\)\]$/\1/p'); do
			! awk -v i="$i" '$7 == i && $5 == "0005" { exit 1 }' /proc/net/unix ||
				continue
			n=$((n + 1))
		done
		echo $n
	}
	[ "$(packets $monitor)" -eq 1 ]
	[ "$(packets $greeter)" -eq 0 ]
	printf 'a LOGIN bob@example.test secret\r\n' >&$s
	read -r line <&$s
	last=$(pgrep -P "$server" -x mimapd)
	[ "$(packets $last)" -eq 0 ]
	exec {s}>&-
}

@test "a server that is ready and dies: the next session is served, and another is ready" {
	people
	mauth_serve mimapd
	wait_for has_server
	was=$server
	imap
	kill -9 "$was"
	wait_for is_dead "$was"
	printf 'b NOOP\r\n' >&$s
	read -r line <&$s
	[[ $line == 'b OK'* ]]
	exec {s}>&-
	imap "$m"
	exec {s}>&-
	another() { # it is looked for at a connection
		imap "$m" && exec {s}>&- && has_server && [ "$server" != "$was" ]
	}
	wait_for another
	imap
	exec {s}>&-
}

@test "a session that dies of a fault is logged, and all start anew" {
	people
	mauth_serve mimapd
	wait_for has_server
	was=$m
	imap
	kill -ABRT "$last"
	wait_for grep -q 'mtls error what="a connection" why="signal 6"' log
	another() {
		m=$(pgrep -P $pid -x mauth) && [ "$m" != "$was" ] && has_server
	}
	wait_for another
	exec {s}>&-
	imap
	exec {s}>&-
}

@test "a new file of the server is used from a session on that begins later" {
	people
	mauth_serve mimapd
	wait_for has_server
	imap
	exec {s}>&-
	cp bin/mimapd bin/new
	mv bin/new bin/mimapd
	new() {
		has_server && imap && exec {s}>&- &&
			[ "$(stat -Lc %i "/proc/$server/exe")" -eq "$(stat -c %i bin/mimapd)" ]
	}
	wait_for new
}

@test "what the server can't begin is said to the client: a home that is missing, a root" {
	people
	mauth_serve mimapd
	wait_for has_server
	rm -r home
	exec {s}<>"/dev/tcp/127.0.0.1/$port"
	printf 'a LOGIN bob@example.test secret\r\n' >&$s
	read -r line <&$s
	read -r line <&$s
	[[ $line == '* BYE '* ]]
	exec {s}>&-
	grep -q "mimapd error what=\"$work/home\" why=\"No such file or directory\"" log
	[ "$(id -u)" -ne 0 ] || {
		sed -i 's/62011:62011/0:0/' conf/users
		touch -d '1 minute ago' conf/users
		exec {s}<>"/dev/tcp/127.0.0.1/$port"
		printf 'a LOGIN bob@example.test secret\r\n' >&$s
		read -r line <&$s
		read -r line <&$s
		[[ $line != 'a OK'* ]]
		exec {s}>&-
		wait_for eval '! pgrep -u 0 -P "$server" -x mimapd'
	}
}

@test "without a session nobody wakes up" {
	people
	mauth_serve mimapd
	wait_for has_server
	imap
	exec {s}>&-
	wakes() {
		sed -n 's/^voluntary_ctxt_switches:.//p' "/proc/$pid/status" "/proc/$m/status" "/proc/$server/status"
	}
	still() {
		local before=$(wakes)
		sleep 0.7
		[ "$(wakes)" = "$before" ]
	}
	wait_for still
}

@test "with -r and with -u the server is executed" {
	people
	for o in -r "-u $(id -un)"; do
		mauth_serve $o mimapd
		exec {s}<>"/dev/tcp/127.0.0.1/$port"
		read -r line <&$s
		! has_server || false
		exec {s}>&-
	done
}

@test "when the listener has ended all of it is gone, after the last that may log in" {
	people
	mauth_serve mimapd
	wait_for has_server
	exec {s}<>"/dev/tcp/127.0.0.1/$port"
	read -r line <&$s
	kill $pid
	wait $pid || :
	printf 'a LOGIN bob@example.test secret\r\n' >&$s
	read -r line <&$s
	[[ $line == 'a OK'* ]]
	wait_for eval '! kill -0 $m'
	wait_for eval '! kill -0 $server'
	exec {s}>&-
}

@test "mauth is ready, too, and a connection counts until its server ends" {
	echo 'connections-per-address 1' >conf/limits
	ids=$(id -u):$(id -g)
	if [ "$(id -u)" -eq 0 ]; then
		u='-u root'
		ids=62011:62011
		echo 'pneu-login 62003 62003' >>conf/uids
	fi
	echo 'example.test' >conf/domains
	mkdir -p home
	chown "$ids" home
	echo "bob@example.test:$ids:$work/home:maildir=$work/home" >conf/users
	(umask 077 && echo "bob@example.test:a:all:{SHA512-CRYPT}$(openssl passwd -6 secret):" >conf/secrets)
	: >log
	mtls -l 127.0.0.1:0 $u mauth mpop 2>log 3>&- &
	mauth_is_ready $!
	python3 - "$port" >out 3>&- <<-'PY' &
		import poplib, sys, time
		p = poplib.POP3("127.0.0.1", int(sys.argv[1]))
		p.user("bob@example.test"); p.pass_("secret")
		print(p.stat(), flush=True)
		time.sleep(100)
	PY
	held=$!
	started="$started $held"
	wait_for grep -qF '(0, 0)' out
	pgrep -P "$m" -x mpop
	run -0 socat -u "TCP:127.0.0.1:$port" -
	[ -z "$output" ]
	wait_for grep -q 'refuse .*too many connections of this address' log
	kill "$held"
	wait_for eval 'printf "QUIT\r\n" | socat -t 60 - "TCP:127.0.0.1:$port" | grep -q "^+OK"'
	[ "$(pgrep -P $pid -x mauth)" = "$m" ]
}
