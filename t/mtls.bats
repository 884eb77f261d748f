#!/usr/bin/env bats
#
# mtls(8): a connection in, a program run on it, TLS in between.

load lib
load tls

setup_file() {
	dir=$(mktemp -d /tmp/pneu-t.XXXXXX)
	chmod 0711 "$dir"
	tls_conf "$dir"
	new_pair "$dir/two.pem" two.test
	export SHARED=$dir
}

teardown_file() {
	rm -rf "$SHARED"
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	export PNEU_CONF=$PWD/conf
	cp -a "$SHARED" conf
	chmod 0711 .
	started=
	u=
	[ "$(id -u)" -ne 0 ] || u='-u pneu'
}

teardown() {
	[ -z "$started" ] || kill $started 2>/dev/null || :
}

in_clear() {
	socat -t 60 - "TCP:127.0.0.1:$port"
}

no_process_of() {
	! ps -o pid= --ppid "$1" | grep -q . || false
}

@test "wrong usage is one line and 64" {
	for bad in '' '-i' '-i -s cat' '-x cat' '-l' '-l nonsense cat' \
		'-l 127.0.0.1:99999 cat'; do
		run -64 mtls ${u:+$u} $bad
		[ "${#lines[@]}" -eq 1 ]
	done
	run -64 mtls $u -l ::1:25 cat
	[ "$output" = "mtls: -l ::1:25: not an address" ]
	run -64 mtls $u -i cat </dev/null
	[ "$output" = "mtls: descriptor 0 is not a socket" ]
}

@test "root has to say who runs the program; others can't choose" {
	if [ "$(id -u)" -eq 0 ]; then
		run -64 mtls -l 127.0.0.1:0 cat
		[ "$output" = "mtls: -u is needed as root" ]
		run -78 mtls -u nosuchuser -l 127.0.0.1:0 cat
		[ "$output" = "mtls: -u nosuchuser: no such user" ]
		as='setpriv --reuid 65534 --regid 65534 --clear-groups'
	fi
	run -0 ${as:-} mtls -u nosuchuser id -u </dev/null
	[ "$output" = "$(${as:-} id -u)" ]
}

@test "a program that is missing, and a port that is taken, are for later" {
	run -75 mtls $u -l 127.0.0.1:0 nosuchprogram
	[ "$output" = "mtls: nosuchprogram: no such program" ]
	serve cat
	run -75 mtls $u -l "127.0.0.1:$port" cat
	[ "$output" = "mtls: listen on 127.0.0.1:$port: Address already in use" ]
}

@test "a key that is missing or broken keeps the listener from starting" {
	rm conf/tls/default.pem
	run -78 mtls $u -l 127.0.0.1:0 -i cat
	[[ $output == "mtls: "*/tls/default.pem:\ No\ such* ]]
	echo rubbish >conf/tls/default.pem
	run -78 mtls $u -l 127.0.0.1:0 -s cat
	[[ $output == "mtls: "*/tls/default.pem:* ]]
	[ "${#lines[@]}" -eq 1 ]
	cat conf/one.pem.key conf/two.pem.crt >conf/tls/default.pem
	run -78 mtls $u -l 127.0.0.1:0 -i cat
}

@test "the environment is built from nothing" {
	export MAIL_AUTH=mallory MAIL_CONN=forged LD_SHOW=1 IFS_X=y SSL_X=1
	export TCPREMOTEIP=8.8.8.8 PROTO=TCP PNEU_SESSION=9 HOME=/root
	serve env
	in_clear </dev/null >out
	grep -q '^PROTO=TCP$' out
	grep -q '^TCPREMOTEIP=127.0.0.1$' out
	grep -q "^TCPLOCALPORT=$port\$" out
	grep -qE '^MAIL_CONN=[0-9a-z]{14}$' out
	run -1 grep -vE '^(PATH|HOME|LANG|PNEU_CONF|PNEU_DNS|PROTO|TCP(REMOTE|LOCAL)(IP|PORT)|MAIL_CONN)=' out
}

@test "TLS at once: facts in the environment, and the name asked for" {
	serve -i env
	by_tls -servername two.test </dev/null >out
	grep -q '^SSL_PROTOCOL=TLSv1.3$' out
	grep -q '^SSL_CIPHER=TLS_' out
	grep -q '^SSL_CIPHER_USEKEYSIZE=[0-9]*$' out
	grep -q '^SSL_TLS_SNI_SERVERNAME=two.test$' out
	by_tls -tls1_2 </dev/null >out
	grep -q '^SSL_PROTOCOL=TLSv1.2$' out
	! grep -q SNI out || false
	run by_tls -tls1_1 -cipher ALL:@SECLEVEL=0 </dev/null
	[[ $output != *SSL_PROTOCOL* ]]
}

@test "a name from the peer that is no host name is no fact" {
	serve -i env
	by_tls -servername 'x$(reboot) y' </dev/null >out
	grep -q '^SSL_PROTOCOL=' out
	! grep -q 'reboot' out || false
}

@test "another NAME.pem is for that name, the default for the rest" {
	cp conf/two.pem conf/tls/two.test.pem
	serve -i cat
	serves two.test -servername TWO.test
	serves one.test -servername three.test
	serves one.test -noservername
}

@test "keys that change are used; a broken one is logged once, the old kept" {
	serve -i cat
	serves one.test
	cp conf/two.pem conf/tls/new && mv conf/tls/new conf/tls/default.pem
	wait_for serves two.test
	echo rubbish >conf/tls/new && mv conf/tls/new conf/tls/default.pem
	wait_for eval 'served; grep -q "error.*default.pem" log'
	serves two.test
	sleep 1.1
	serves two.test
	[ "$(grep -c error log)" -eq 1 ]
	cp conf/one.pem conf/tls/new && mv conf/tls/new conf/tls/default.pem
	wait_for serves one.test
}

@test "sessions are resumed for mail readers and not for SMTP" {
	printf '#!/bin/sh\necho hello\n' >mrecv
	install -m 0755 mrecv "$SHARED/mrecv"
	install -m 0755 mrecv "$SHARED/mpop"
	serve -i "$SHARED/mpop"
	run by_tls -sess_out session </dev/null
	run openssl s_client -connect "127.0.0.1:$port" -sess_in session </dev/null
	[[ $output == *Reused,* ]]
	serve -i "$SHARED/mrecv"
	rm session
	run by_tls -sess_out session </dev/null
	[ ! -s session ] || {
		run openssl s_client -connect "127.0.0.1:$port" -sess_in session </dev/null
		[[ $output != *Reused,* ]]
	}
}

@test "STARTTLS: a program asks for TLS, with and without facts" {
	cat >smtp <<-'SH'
		#!/usr/bin/env python3
		import os, sys
		env = os.environ
		ctl, rd, wr = (int(env["SSL%sFD" % n]) for n in ("CTL", "READ", "WRITE"))
		print("220 ready", flush=True)
		sys.stdin.readline()
		print("250-x\n250 STARTTLS", flush=True)
		sys.stdin.readline()
		print("220 go", flush=True)
		how = sys.argv[1]
		os.write(ctl, how.encode())
		facts = b""
		while how == "Y" and not facts.endswith(b"\0\0"):
		    facts += os.read(ctl, 100) or sys.exit("no TLS")
		line = os.read(rd, 100)
		os.write(wr, b"said " + line + facts.replace(b"\0", b"\n") + b"end\n")
	SH
	install -m 0755 smtp "$SHARED/smtp"
	for how in Y y; do
		serve -s "$SHARED/smtp" $how
		{ echo hello; sleep 1; } | by_tls -starttls smtp >out
		grep -q '^said hello' out
		grep -q '^end' out
		if [ $how = Y ]; then
			grep -q '^SSL_PROTOCOL=TLSv1.3' out
		else
			! grep -q SSL_ out || false
		fi
	done
}

@test "STARTTLS: a program that never asks is served in the clear" {
	serve -s sh -c 'read -r x; echo "got $x"'
	[ "$(echo a | in_clear)" = "got a" ]
	wait_for no_process_of $pid
}

@test "STARTTLS: what is no request, and what is no TLS, ends it" {
	serve -s sh -c 'printf n >&3; cat <&3; echo over'
	[ "$(in_clear </dev/null)" = over ]
	wait_for grep -q 'refuse conn=[0-9a-z]* peer=127.0.0.1 svc=sh why="not a request' log
	serve -s sh -c 'printf Y >&3; cat <&3; echo over'
	{ echo "GET / HTTP/1.0"; sleep 1; } | in_clear >out
	grep -q over out
	wait_for grep -q 'refuse .*why=' log
}

@test "200 MB pass whole both ways, in little memory" {
	serve -i sh -c 'sha256sum; head -c 209715200 /dev/zero'
	cat >both.py <<-'PY'
		import hashlib, os, socket, ssl, subprocess, sys
		ctx = ssl._create_unverified_context()
		inc, out = ssl.MemoryBIO(), ssl.MemoryBIO()
		t = ctx.wrap_bio(inc, out)
		s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		def flush():
		    s.sendall(out.read())
		def more():
		    d = s.recv(65536)
		    inc.write(d) if d else inc.write_eof()
		def do(f, *a):
		    while True:
		        try:
		            r = f(*a); flush(); return r
		        except ssl.SSLWantReadError:
		            flush(); more()
		do(t.do_handshake)
		block, h = os.urandom(1 << 20), hashlib.sha256()
		for i in range(200):
		    t.write(block); flush(); h.update(block)
		rss = subprocess.run(["sh", "-c", "grep -h VmHWM /proc/$1/status $(pgrep -P $1"
		    " | sed 's|.*|/proc/&/status|') 2>/dev/null", "", sys.argv[2]],
		    capture_output=True, text=True).stdout
		print("rss", max(int(l.split()[1]) for l in rss.splitlines()))
		try:
		    t.unwrap()              # our close_notify; theirs comes later
		except ssl.SSLWantReadError:
		    pass
		flush()
		# Python reads no more after its close_notify: count what comes
		got = 0
		while True:
		    d = s.recv(1 << 20)
		    if not d:
		        break
		    got += len(d)
		print("got", got >= 209715200)
	PY
	run -0 python3 both.py "$port" "$pid"
	echo "$output"
	[[ $output == *"got True"* ]]
	rss=$(sed -n 's/^rss //p' <<<"$output")
	[[ $BUILD == *san* ]] || [ "$rss" -lt 16384 ]
}

@test "all that a program wrote arrives before the end, which is proper" {
	serve -i sh -c 'head -c 3000000 /dev/zero'
	python3 - "$port" <<-'PY'
		import socket, ssl, sys, time
		s = ssl._create_unverified_context().wrap_socket(
		    socket.create_connection(("127.0.0.1", int(sys.argv[1]))),
		    suppress_ragged_eofs=False)
		time.sleep(0.5)
		n = 0
		while True:
		    d = s.recv(65536)
		    if not d:
		        break
		    n += len(d)
		assert n == 3000000, n
	PY
}

@test "a silent handshake ends after its time, and is logged" {
	echo 'handshake-time 1' >conf/limits
	serve -i cat
	run -0 timeout 120 socat -u "TCP:127.0.0.1:$port" -
	[ -z "$output" ]
	wait_for grep -q 'refuse conn=[0-9a-z]* peer=127.0.0.1 svc=cat why="silence in the handshake"' log
}

@test "silent handshakes do not hold the slots of others" {
	echo 'connections-per-address 3' >conf/limits
	serve -i echo hello
	for i in 1 2 3; do
		socat -u "TCP:127.0.0.1:$port" - 3>&- &
		started="$started $!"
	done
	wait_for eval '[ $(ps -o pid= --ppid $pid | wc -l) -ge 3 ]'
	[ "$(by_tls </dev/null)" = hello ]
	wait_for grep -q 'refuse .*why="unfinished handshake, room for others"' log
}

@test "one address gets so many connections, then refusals that are logged" {
	echo 'connections-per-address 2' >conf/limits
	serve cat
	for i in 1 2; do
		socat -u "TCP:127.0.0.1:$port" - 3>&- &
		started="$started $!"
	done
	wait_for eval '[ $(pgrep -P $pid -x cat | wc -l) -eq 2 ]'
	[ -z "$(echo x | in_clear)" ]
	wait_for grep -q 'refuse conn=[0-9a-z]* peer=127.0.0.1 svc=cat why="too many connections of this address"' log
	pkill -P $pid -x cat
	wait_for eval '[ "$(echo x | in_clear)" = x ]'
}

@test "a Unix socket says who is there; a stale one is replaced" {
	python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("s")'
	mtls -l "unix:$PWD/s" $u env 2>log 3>&- &
	started=$!
	wait_for grep -q "listen svc=env host=$PWD/s" log
	run -0 socat -t 60 - UNIX:s </dev/null
	[[ $output == *PROTO=IPC* ]]
	[[ $output == *IPCREMOTEEUID=$(id -u)* ]]
	[[ $output == *IPCREMOTEEGID=$(id -g)* ]]
	[[ $output == *IPCREMOTEPID=* ]]
	run -75 mtls -l "unix:$PWD/s" $u env
	[ "$output" = "mtls: listen on unix:$PWD/s: Address already in use" ]
}

@test "an inherited socket is served, and one that does not listen refused" {
	cat >give.py <<-'PY'
		import os, socket, sys
		s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
		os.dup2(s.fileno(), 3)
		os.set_inheritable(3, True)
		os.execvp("mtls", sys.argv[1:])
	PY
	python3 give.py mtls -l fd:3 $u echo hello 2>log 3>&- &
	started=$!
	wait_for grep -q 'port=' log
	port=$(sed -n 's/.*port=//p' log)
	[ "$(in_clear </dev/null)" = hello ]
	run -75 mtls -l fd:0 $u cat </dev/null
	[[ $output == "mtls: listen on fd:0: "* ]]
}

@test "SIGTERM ends listening, and sessions finish" {
	serve -i sh -c 'read -r x; echo "got $x"'
	mkfifo in
	by_tls <in >out 3>&- &
	started="$started $!"
	exec 9>in
	wait_for pgrep -P $pid -x sh
	kill $pid
	wait $pid
	run -1 in_clear </dev/null
	echo late >&9
	wait_for grep -q 'got late' out
	exec 9>&-
}

@test "SIGHUP executes it anew: the sockets, sessions and counts stay" {
	echo 'connections-per-address 1' >conf/limits
	serve -i sh -c 'read -r x; echo "got $x"'
	mkfifo in
	by_tls <in >out 3>&- &
	exec 9>in
	wait_for pgrep -P $pid -x sh
	was=$(cat /proc/$pid/stat | cut -d ' ' -f 26-28)
	kill -HUP $pid
	[[ $BUILD == *san* ]] || wait_for eval \
		'[ "$(cut -d " " -f 26-28 /proc/'$pid'/stat)" != "$was" ]'
	[ -z "$(echo no | by_tls)" ]
	wait_for grep -q 'refuse .*too many connections of this address' log
	echo yes >&9
	wait_for grep -q 'got yes' out
	exec 9>&-
	wait_for eval '[ "$(echo new | by_tls)" = "got new" ]'
	[ "$(grep -c listen log)" -eq 1 ]
}

@test "it executes itself anew after a child died of a fault" {
	serve sh -c 'kill -SEGV $$'
	was=$(cut -d ' ' -f 26-28 /proc/$pid/stat)
	in_clear </dev/null || :
	wait_for grep -q 'error what="a connection" why="signal 11"' log
	[[ $BUILD == *san* ]] || wait_for eval \
		'[ "$(cut -d " " -f 26-28 /proc/'$pid'/stat)" != "$was" ]'
	in_clear </dev/null || :
	wait_for eval '[ $(grep -c "signal 11" log) -eq 2 ]'
}

@test "nobody is left behind" {
	serve -i true
	for i in 1 2 3; do by_tls </dev/null || :; done
	{ echo rubbish; } | in_clear >/dev/null || :
	wait_for no_process_of $pid
}

@test "as root: TLS is another account in an empty root, the program is -u's" {
	[ "$(id -u)" -eq 0 ] || skip "accounts are for root"
	serve -i sh -c 'id -u; id -G; read -r x'
	mkfifo in
	by_tls <in >out 3>&- &
	exec 9>in
	wait_for eval '[ "$(grep -c "^62001$" out)" -eq 2 ]'
	[ "$(cat out)" = "62001
62001" ]
	half=$(pgrep -U 62002 -P $pid)
	grep -q '^Groups:[[:space:]]*$' /proc/$half/status
	grep -q '^NoNewPrivs:[[:space:]]*1' /proc/$half/status
	grep -q '^Seccomp:[[:space:]]*2' /proc/$half/status
	[ -z "$(ls -A /proc/$half/root/)" ]
	echo >&9
	exec 9>&-
}

@test "as an ordinary user it does all of this under one uid" {
	[ "$(id -u)" -eq 0 ] || skip "the other tests are that"
	cp -a conf "$SHARED/nobody"
	chown -R 65534 "$SHARED/nobody"
	export PNEU_CONF=$SHARED/nobody
	cd /
	log=$BATS_TEST_TMPDIR/log
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		mtls -l 127.0.0.1:0 -i -u root id -u 2>"$log" 3>&- &
	started=$!
	wait_for grep -q 'port=' "$log"
	port=$(sed -n 's/.*port=//p' "$log")
	[ "$(by_tls </dev/null)" = 65534 ]
}

@test "tcpserver: TLS at once, on request, and none" {
	command -v tcpserver >/dev/null || skip "tcpserver is not installed"
	port=$(free_port)
	tcpserver -HR -l 0 127.0.0.1 $port mtls -i $u env 2>log 3>&- &
	started=$!
	wait_for eval 'by_tls </dev/null >out && grep -q SSL_PROTOCOL out'
	grep -q '^TCPREMOTEIP=127.0.0.1' out
	! grep -q TCPREMOTEINFO out || false
}

@test "s6-ipcserver: the peer's account comes from the launcher" {
	command -v s6-ipcserver >/dev/null || skip "s6 is not installed"
	s6-ipcserver "$PWD/s" mtls $u env 2>log 3>&- &
	started=$!
	wait_for listens "$PWD/s"
	run -0 socat -t 60 - UNIX:s </dev/null
	[[ $output == *PROTO=IPC* ]]
	[[ $output == *IPCREMOTEEUID=$(id -u)* ]]
}

@test "inetd: nothing is logged into the connection" {
	cat >inetd.py <<-'PY'
		import os, socket, subprocess, sys
		a, b = socket.socketpair()
		p = subprocess.Popen(sys.argv[1:], stdin=b, stdout=b, stderr=b)
		b.close()
		try:
		    a.sendall(b"rubbish\r\n\r\n" * 10)
		    a.shutdown(socket.SHUT_WR)
		except BrokenPipeError:
		    pass
		got = b""
		while True:
		    try:
		        d = a.recv(1000)
		    except ConnectionResetError:
		        break
		    if not d:
		        break
		    got += d
		p.wait()
		assert b"mtls" not in got, got
	PY
	run -0 python3 inetd.py mtls -i $u cat
	run -0 python3 inetd.py mtls $u nosuch
}

@test "what a launcher left open reaches no program" {
	user=
	[ "$(id -u)" -ne 0 ] || user='-u root'
	exec 9</etc/passwd
	run -0 bash -c "mtls $user sh -c 'ls -l /proc/self/fd' </dev/null"
	exec 9<&-
	[[ $output != *passwd* ]]
	[[ $output == *"0 -> /dev/null"* ]]
}
