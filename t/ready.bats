#!/usr/bin/env bats
#
# Programs that are started once and fork for each connection, and TLS
# halves that are there once they are asked for.

load lib
load tls
load ready.sh

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
