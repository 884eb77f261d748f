#!/usr/bin/env bats
#
# mtls(8): connections that come through a proxy, and say so.

load lib
load tls

setup() {
	cd "$BATS_TEST_TMPDIR"
	SHARED=$(mktemp -d /tmp/pneu-t.XXXXXX)
	tls_conf "$SHARED/conf"
	chmod 0711 "$SHARED"
	export PNEU_CONF=$SHARED/conf
	echo '127.0.0.1 proxy' >"$PNEU_CONF/proxies"
	echo mail.example.test >"$PNEU_CONF/me"
	echo example.test >"$PNEU_CONF/domains"
	echo ann@example.test:62003:62003:/nonexistent: >"$PNEU_CONF/users"
	touch -d '1 hour ago' "$PNEU_CONF"/*
	echo 'connections-per-address 3' >"$PNEU_CONF/limits"
	started=
	u=
	[ "$(id -u)" -ne 0 ] || u='-u pneu'
	v1='PROXY TCP4 192.0.2.77 198.51.100.9 4711 2525\r\n'
	# the same, by version 2, with a name behind it
	v2='\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x13\xc0\0\2\x4d\xc6\x33\x64\x09\x12\x67\x09\xdd\2\0\4a.de'
	cat >talk.py <<-'PY'
		# talk.py PORT FIRST MODE [TEXT]: FIRST before all, a byte at a
		# time where MODE has "slow"; then TEXT, in TLS where it has "tls"
		import socket, ssl, sys, time
		port, first, mode = int(sys.argv[1]), sys.argv[2], sys.argv[3]
		first = first.encode().decode("unicode_escape").encode("latin-1")
		s = socket.create_connection(("127.0.0.1", port))
		s.settimeout(90)
		s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		for i in range(len(first) if "slow" in mode else 0):
		    s.sendall(first[i:i + 1])
		    time.sleep(0.002)
		text = sys.argv[4].encode().decode("unicode_escape").encode() \
		    if sys.argv[4:] else b""
		try:
		    if "tls" in mode:
		        if "slow" not in mode:
		            s.sendall(first)
		        s = ssl._create_unverified_context().wrap_socket(s)
		        s.sendall(text)
		    else:
		        # in one piece with the header
		        s.sendall((b"" if "slow" in mode else first) + text)
		        s.shutdown(socket.SHUT_WR)
		    while d := s.recv(4096):
		        sys.stdout.buffer.write(d)
		except (OSError, ssl.SSLError) as e:
		    print(type(e).__name__)
	PY
}

teardown() {
	[ -z "$started" ] || kill $started 2>/dev/null || :
	cat log >&2 2>/dev/null || :
	rm -rf "$SHARED"
}

talk() {
	python3 talk.py "$port" "$@"
}

nc_open() {
	socat -u OPEN:/dev/null "TCP:127.0.0.1:$1"
}

is_behind() {
	grep -q '^TCPREMOTEIP=192.0.2.77$' out
	grep -q '^TCPREMOTEPORT=4711$' out
	grep -q '^TCPLOCALIP=198.51.100.9$' out
	grep -q '^TCPLOCALPORT=2525$' out
	grep -q '^PROTO=TCP$' out
}

@test "plain: who is behind the proxy, and every byte that follows" {
	serve sh -c 'env; cat'
	for header in "$v1" "$v2"; do
		for mode in clear slow; do
			talk "$header" $mode 'one\r\ntwo' >out
			is_behind
			[ "$(tail -n 2 out | tr -d '\r' | xargs)" = "one two" ]
		done
	done
	wait_for eval '! ps -o pid= --ppid $pid | grep -q .'
}

@test "TLS at once: the same, in front of the handshake" {
	serve -i sh -c 'env; head -c 5'
	for header in "$v1" "$v2"; do
		for mode in tls tls-slow; do
			talk "$header" $mode 'five.' >out
			is_behind
			grep -q '^SSL_PROTOCOL=TLSv1.3$' out
			[ "$(tail -n 1 out)" = five. ]
		done
	done
}

@test "STARTTLS: the same, in front of the greeting" {
	serve -s mrecv -- sh -c 'cat >&2'
	cat >starttls.py <<-'PY'
		import smtplib, socket, ssl, sys
		class Behind(smtplib.SMTP):
		    def _get_socket(self, *a):
		        s = super()._get_socket(*a)
		        s.sendall(sys.argv[2].encode().decode(
		            "unicode_escape").encode("latin-1"))
		        return s
		s = Behind("127.0.0.1", int(sys.argv[1]), timeout=90)
		s.starttls(context=ssl._create_unverified_context())
		s.sendmail("a@client.test", "ann@example.test", "Subject: x\r\n\r\ny\r\n")
		s.quit()
	PY
	for header in "$v1" "$v2"; do
		python3 starttls.py "$port" "$header"
		wait_for grep -q 'Received: .*\[192.0.2.77\]' log
		grep -q 'with ESMTPS' log
		grep -q 'mrecv accept .*peer=192.0.2.77' log
		: >log
	done
}

@test "a program that is ready hears of it, too, and who is refused is logged" {
	serve mrecv -- cat
	talk "$v1" clear >out
	grep -q '^220 ' out
	wait_for grep -q 'mrecv close .*peer=192.0.2.77' log
	serve -i mrecv -- cat
	talk "$v2" clear 'not TLS' >out
	wait_for grep -q 'refuse .*peer=192.0.2.77' log
}

@test "a proxy that speaks for itself is itself" {
	serve env
	for header in 'PROXY UNKNOWN\r\n' '\r\n\r\n\0\r\nQUIT\n\x20\0\0\0' \
		'\r\n\r\n\0\r\nQUIT\n\x21\0\0\0'; do
		talk "$header" clear >out
		grep -q '^TCPREMOTEIP=127.0.0.1$' out
	done
}

@test "a proxy without a header, or with a bad one, is refused" {
	serve cat
	for bad in 'EHLO a\r\n' 'PROXY TCP4 1 2 3 4\r\n' '\x16\x03\x01' \
		'\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x04abcd' \
		'\r\n\r\n\0\r\nQUIT\n\x21\0\xff\xff'; do
		: >log
		run talk "$bad" clear 'NOOP\r\n'
		[[ $output != *NOOP* ]]
		wait_for grep -q 'refuse conn=[0-9a-z]* peer=127.0.0.1 svc=cat why="not a header of the PROXY protocol"' log
	done
	: >log
	run talk 'PROXY TCP4' clear
	[ -z "$output" ]
	wait_for grep -q 'refuse .*why=closed' log
	wait_for eval '! ps -o pid= --ppid $pid | grep -q .'
}

@test "a header has the time of a handshake" {
	echo 'handshake-time 1' >"$PNEU_CONF/limits"
	for mode in '' -i -s; do
		serve $mode cat
		run -0 timeout 120 socat -u "TCP:127.0.0.1:$port" -
		[ -z "$output" ]
		wait_for grep -q 'refuse .*why="silence in the handshake"' log
	done
	# a byte now and then does not make it longer
	serve -i cat
	python3 - "$port" <<-'PY'
		import socket, sys, time
		s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		begin = time.time()
		try:
		    while time.time() < begin + 40:
		        s.sendall(b"PROXY UNKNOWN" if time.time() - begin < 0.1 else b"x")
		        time.sleep(0.3)
		except ConnectionError:
		    pass
		assert time.time() - begin < 30
	PY
}

@test "somebody else's header is only what a client says" {
	echo '192.0.2.1 proxy' >"$PNEU_CONF/proxies"
	echo '127.0.0.1 xclient' >>"$PNEU_CONF/proxies"
	serve sh -c 'env; cat'
	talk "$v1" clear 'one\r\n' >out
	grep -q '^TCPREMOTEIP=127.0.0.1$' out
	grep -q '^PROXY TCP4 192.0.2.77' out
	serve -i env
	run talk "$v1" tls
	[[ $output != *TCPREMOTEIP* ]]
	# the file is read for each connection
	echo '127.0.0.0/8 proxy' >"$PNEU_CONF/proxies"
	talk "$v1" tls >out
	is_behind
}

@test "the connections of a proxy are not those of one address" {
	serve cat
	for i in 1 2 3 4 5; do
		printf "$v1" | socat -t 60 - "TCP:127.0.0.1:$port,shut-none" 3>&- &
		started="$started $!"
	done
	wait_for eval '[ $(pgrep -P $pid -x cat | wc -l) -eq 5 ]'
	[[ $(talk "$v1" clear six) == six ]]
}

@test "a launcher's connection, in every way" {
	command -v tcpserver >/dev/null || skip "tcpserver is not installed"
	for mode in '' -i -s; do
		port=$(free_port)
		tcpserver -HR -l 0 127.0.0.1 "$port" mtls $mode $u env 2>>log 3>&- &
		started="$started $!"
		wait_for nc_open "$port"
		how=clear
		[ "$mode" != -i ] || how=tls
		talk "$v2" $how >out
		is_behind
	done
}

@test "as root: the header is read by nobody who could do harm" {
	[ "$(id -u)" -eq 0 ] || skip "accounts are for root"
	serve cat
	printf 'PROXY ' | socat -t 60 - "TCP:127.0.0.1:$port,shut-none" 3>&- &
	started="$started $!"
	wait_for pgrep -U 62002 -P $pid
	half=$(pgrep -U 62002 -P $pid)
	# the filter of system calls is the last that it puts on
	wait_for grep -q '^Seccomp:[[:space:]]*2' "/proc/$half/status"
	grep -q '^NoNewPrivs:[[:space:]]*1' "/proc/$half/status"
	[ -z "$(ls -A "/proc/$half/root/")" ]
	# without the account nobody is served who would need it
	echo 'pneu 62001 62001' >"$PNEU_CONF/uids"
	serve cat
	run talk "$v1" clear x
	[[ $output != x ]]
	wait_for grep -q 'refuse .*why="pneu-tls: no such user"' log
	echo '192.0.2.1 proxy' >"$PNEU_CONF/proxies"
	[ "$(talk '' clear x)" = x ]
}
