#!/usr/bin/env bats
#
# mrecv(8): too much, too long, too late; files and disks that fail.

load lib
load mrecv.sh

@test "a sink that writes much before it reads does not hang" {
	script end 'head -c 300000 /dev/zero | tr "\0" "x" | fold; cat >/dev/null'
	{ say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA
	bulk 500000; say .; } | timeout 120 mrecv -- ./end >out 2>/dev/null
	[[ $(tail -n 1 out) == 250* ]]
}

@test "a sink that slept while its message went by stores none of it" {
	echo time-command 1 >conf/limits
	script slow 'sleep 3; exec ./sink "$@"'
	{ say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA 'Subject: x' ''
	bulk 500000; say . QUIT; } | mrecv -- ./slow >out 2>err
	cat out err
	[[ $(last_reply out) == "451 4.3.0 "* ]]
	[ -z "$(ls store)" ]
	echo time-command 60 >conf/limits
	{ say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA 'Subject: x' ''
	bulk 500000; say . QUIT; } | mrecv -- ./slow >out 2>err
	[[ $(last_reply out) == "250 "* ]]
	[ "$(cat store/* | wc -c)" -gt 500000 ]
}

@test "recipients of more than 64 KiB are told 452, never before the hundredth" {
	long=$(printf '%060d' 1).$(printf '%060d' 2).$(printf '%060d' 3).$(printf '%060d' 4)
	echo "$long.relay.test relay" >>conf/domains
	touch -d '1 hour ago' conf/domains
	{
		say 'EHLO a' 'MAIL FROM:<>'
		python3 -c 'import sys
for i in range(300): print(f"RCPT TO:<{i:064d}@{sys.argv[1]}.relay.test>\r")' "$long"
		say QUIT
	} | mrecv -- ./sink >out 2>/dev/null
	n=$(grep -n -m 1 '^452 4.5.3' out | cut -d : -f 1)
	echo "first 452 in line $n; $(grep -c '^250 2.1.5' out) good"
	[ "$(grep -c '^250 2.1.5' out)" -ge 100 ]
	[ "$(grep -c '^250 2.1.5' out)" -le 210 ]
	[ "$(grep -c '^452 4.5.3' out)" -ge 90 ]
}

@test "LMTP answers each of a thousand recipients" {
	python3 -c 'for i in range(1000): print("u%d@example.test:62011:62011:/nonexistent:" % i)' >conf/users
	touch -d '1 hour ago' conf/users
	script f 'cat; printf "4.7.1 %0390d\n" 1 >&2; exit 75'
	{
		say 'LHLO a' 'MAIL FROM:<>'
		python3 -c 'for i in range(1000): print("RCPT TO:<u%d@example.test>\r" % i)'
		say DATA 'Subject: x' . QUIT
	} | mrecv -L -F ./f -- ./sink >out 2>/dev/null
	[ "$(grep -c '^451 4.7.1 0' out)" -eq 1000 ]
	[[ $(tail -n 1 out) == 221* ]]
}

@test "the size limit holds for what is declared and for what comes" {
	echo message 2000 >conf/limits
	say 'EHLO a' 'MAIL FROM:<> SIZE=2001' QUIT | mrecv -- ./sink >out
	grep -q '^250-SIZE 2000' out
	grep -q '^552 5.3.4' out
	one "$(printf '%02000d' 1)" | mrecv -- ./sink >out 2>err
	[[ $(last_reply out) == "552 5.3.4 "* ]]
	[ -z "$(ls store)" ]
	grep -q 'refuse .*code=552 why="5.3.4' err
	one "$(printf '%01998d' 1)" | mrecv -- ./sink >out
	[[ $(last_reply out) == "250 "* ]]
}

@test "with less than a floor of free space MAIL is put off" {
	echo free-space 99999999999999999 >conf/limits
	say 'EHLO a' 'MAIL FROM:<>' QUIT | mrecv -- mqueue add >out
	grep -q '^452 4.3.1' out
	echo free-space 0 >conf/limits
	say 'EHLO a' 'MAIL FROM:<> SIZE=1000000000' QUIT | mrecv -- mqueue add >out
	grep -q '^250 2.1.0' out
}

@test "a full disk is later, and leaves nothing" {
	{ say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA
	bulk 400000; say .; } >in
	limit_fsize 64 mrecv -- mqueue add <in >out 2>/dev/null
	[[ $(tail -n 1 out) == "452 4.3.1 "* ]]
	[ -z "$(queued)" ]
	[ -z "$(ls queue/tmp)" ]
	script f cat
	limit_fsize 64 mrecv -F ./f -- ./sink <in >out 2>/dev/null
	[[ $(tail -n 1 out) == 45[12]\ 4.3.* ]]
	[ -z "$(ls store)" ]
}

@test "a queue that can't be opened means later at MAIL" {
	touch queue
	say 'EHLO a' 'MAIL FROM:<>' QUIT | mrecv -- mqueue add >out 2>err
	grep -q '^451 4.3.0' out
	grep -q '^mrecv error .*queue' err
}

@test "too many Received fields are a loop" {
	{ say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA
	for i in $(seq 100); do say "Received: by h$i; now"; done
	say '' body . ; } >in
	mrecv -- ./sink <in >out
	[[ $(tail -n 1 out) == "250 "* ]]
	rm store/*
	sed 's/h100;/h;\r\nreceived : h/' in | mrecv -- ./sink >out
	[[ $(tail -n 1 out) == "554 5.4.6 "* ]]
	[ -z "$(ls store)" ]
}

@test "a header of more than a mebibyte is refused" {
	{ say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA
	bulk 1200000 | sed 's/^/X-Y: /'; say .; } | mrecv -- ./sink >out
	[[ $(tail -n 1 out) == "552 5.3.4 header"* ]]
	[ -z "$(ls store)" ]
}

@test "long lines and odd octets stay as they are" {
	python3 - <<-'E' >in
		import sys
		out = sys.stdout.buffer
		body = b"X: " + b"y" * 60000 + b"\r\n\r\n" + b"z" * 200000 + b"\r\n"
		body += b"\0 \x01\x1a\x7f\x80\xff\r\n"
		open("want", "wb").write(body.replace(b"\r\n", b"\n"))
		head = b"EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.test>\r\n"
		out.write(head + b"DATA\r\n" + body + b".\r\n" + head[8:]
		          + b"BDAT %d LAST\r\n" % len(body) + body + b"QUIT\r\n")
	E
	mrecv -- ./sink <in >out
	[ "$(grep -c '^250 2.0.0 ok' out)" -eq 2 ]
	for f in store/*; do
		sed '1,/^\tfor /d' "$f" | cmp - want
	done
}

@test "over TCP the last words arrive, even when nobody reads the rest" {
	tcpserver -1 -H -R -l 0 127.0.0.1 0 mrecv -- mqueue add >port 2>err 3>&- &
	pid=$!
	wait_for test -s port
	cat >client.py <<-'E'
		import socket, sys
		s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
		s.settimeout(90)
		try:
		    s.sendall(b'EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n'
		        b'Subject: x\n.\nMAIL FROM:<evil@x.org>\r\n' + b'x' * 400000)
		except OSError: pass
		got = b''
		while True:
		    piece = s.recv(65536)
		    if not piece: break
		    got += piece
		sys.stdout.buffer.write(got)
	E
	for i in 1 2 3 4 5; do
		python3 client.py "$(head -n 1 port)" >out
		[[ $(tail -n 1 out) == "550 5.6.0 "* ]]
	done
	# it waits for what the client may yet say, and then it logs the end
	wait_for eval '[ "$(grep -c "close .*peer=127.0.0.1 .*why=refused" err)" -eq 5 ]'
	kill "$pid"
	grep -q 'refuse .*code=550 why="5.6.0' err
	[ -z "$(queued)" ]
}

@test "silence ends with 421, in a command and in a message" {
	printf 'command-time 1\ndata-time 1\n' >conf/limits
	mkfifo client
	exec 4<>client # no end of it ever comes
	timeout 120 mrecv -- ./sink <client >out 2>err 4>&-
	[[ $(tail -n 1 out) == "421 4.4.2 "* ]]
	grep -q 'close .*why=timeout' err
	say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA 'Subject: x' >&4
	timeout 120 mrecv -- ./sink <client >out 4>&-
	[[ $(tail -n 1 out) == "421 4.4.2 "* ]]
	[ -z "$(ls store)" ]
	exec 4>&-
	printf 'session-time 2\n' >conf/limits
	{ for i in $(seq 120); do say NOOP; sleep 0.5; done; } 2>/dev/null |
		mrecv -- ./sink >out || true
	[[ $(tail -n 1 out) == "421 4.4.2 "* ]]
}

@test "files that are missing or doubtful mean later, never no" {
	rm conf/users
	say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' 'RCPT TO:<x@y.org>' | mrecv -- ./sink >out 2>err
	grep -q '^451 4.3.0' out
	rm conf/domains
	say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' 'RCPT TO:<x@y.org>' | mrecv -- ./sink >out 2>err
	! grep -q '^55' out || false
}

@test "200 MB pass with little memory" {
	[ "${BUILD##*/}" != build-san ] || skip "memory of a sanitizer build"
	printf 'message 300000000\n' >conf/limits
	script f 'exec cat'
	# its parent is the runner, whose parent is mrecv
	script null 'wc -c >size; pid=$(awk "/^PPid/ { print \$2 }" /proc/$PPID/status)
		grep "^Name.*mrecv" /proc/$pid/status && grep VmHWM /proc/$pid/status >hwm'
	{ say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA 'Subject: long' ''
	yes "$(printf '%070d' 7)"$'\r' | head -n 2900000
	say .; } | mrecv -F ./f -- ./null >out
	[[ $(tail -n 1 out) == 250* ]]
	[ "$(tr -dc 0-9 <hwm)" -lt 16000 ]
	[ "$(cat size)" -gt 200000000 ]
}
