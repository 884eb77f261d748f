#!/usr/bin/env bats
#
# mtls(8): peers that are slow, rude, or cut the line, in TLS.

load lib
load tls

setup() {
	cd "$BATS_TEST_TMPDIR"
	SHARED=$(mktemp -d /tmp/pneu-t.XXXXXX)
	chmod 0711 "$SHARED"
	tls_conf "$SHARED/conf"
	export PNEU_CONF=$SHARED/conf PYTHONPATH=$PWD
	echo mail.example.test >"$PNEU_CONF/me"
	echo example.test >"$PNEU_CONF/domains"
	echo ann@example.test:62003:62003:/nonexistent: >"$PNEU_CONF/users"
	touch -d '1 hour ago' "$PNEU_CONF"/*
	started=
	u=
	[ "$(id -u)" -ne 0 ] || u='-u pneu'
	cat >peer.py <<-'PY'
		import socket, ssl
		class Peer:
		    """TLS with every byte in our hands."""
		    def __init__(self, port, version=None):
		        ctx = ssl._create_unverified_context()
		        if version:
		            ctx.maximum_version = version
		        self.inc, self.out = ssl.MemoryBIO(), ssl.MemoryBIO()
		        self.t = ctx.wrap_bio(self.inc, self.out, server_hostname="a.test")
		        self.s = socket.create_connection(("127.0.0.1", int(port)))
		        self.s.settimeout(90)
		        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		        self.send = self.s.sendall
		    def do(self, f, *a):
		        while True:
		            try:
		                r = f(*a)
		                self.flush()
		                return r
		            except ssl.SSLWantReadError:
		                self.flush()
		                d = self.s.recv(65536)
		                self.inc.write(d) if d else self.inc.write_eof()
		    def flush(self):
		        d = self.out.read()
		        if d:
		            self.send(d)
		    def shake(self):
		        self.do(self.t.do_handshake)
		    def say(self, data):
		        self.do(self.t.write, data)
		    def line(self):
		        b = b""
		        while not b.endswith(b"\n"):
		            b += self.do(self.t.read, 1)
		        return b
		    def rest(self):
		        b = b""
		        try:
		            while d := self.do(self.t.read, 65536):
		                b += d
		            return b
		        except ssl.SSLError as e:
		            return b + e.reason.encode()
		        except OSError as e:
		            return b + type(e).__name__.encode()
	PY
}

teardown() {
	[ -z "$started" ] || kill $started 2>/dev/null || :
	cat log >&2 2>/dev/null || :
	rm -rf "$SHARED"
}

still_serves() {
	python3 -c 'import sys
from peer import Peer
p = Peer(sys.argv[1])
p.shake()
p.say(b"x\n")
assert p.line() == b"x\n"' "$port"
	wait_for eval '! pgrep -P $pid -x cat'
}

@test "a handshake a byte at a time, and a byte a record, is one" {
	serve -i cat
	python3 - "$port" <<-'PY'
		import ssl, sys, time
		from peer import Peer
		for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
		    p = Peer(sys.argv[1], version)
		    def drip(data):
		        for i in range(len(data)):
		            p.s.sendall(data[i:i + 1])
		    p.send = drip
		    p.shake()
		    p.say(b"hello\n")
		    assert p.line() == b"hello\n"
		    p = Peer(sys.argv[1], version)
		    def crumbs(data):                # the hello alone: not encrypted
		        assert data[0] == 22
		        for b in data[5:]:
		            p.s.sendall(data[:3] + b"\0\1" + bytes([b]))
		        p.send = p.s.sendall
		    p.send = crumbs
		    p.shake()
		    p.say(b"hello\n")
		    assert p.line() == b"hello\n"
	PY
}

@test "a handshake that goes on for ever ends after its time" {
	echo 'handshake-time 2' >"$PNEU_CONF/limits"
	serve -i cat
	python3 - "$port" <<-'PY'
		import sys, time
		from peer import Peer
		p, begin = Peer(sys.argv[1]), time.time()
		def drip(data):
		    for i in range(len(data)):
		        p.s.sendall(data[i:i + 1])
		        time.sleep(0.1)
		p.send = drip
		try:
		    p.shake()
		    assert False
		except OSError:
		    pass
		assert time.time() - begin < 20
	PY
	wait_for grep -q 'refuse .*why="silence in the handshake"' log
	still_serves
}

@test "what is no TLS, before and after the handshake, ends it" {
	serve -i sh -c 'cat; echo the end of it >&2'
	python3 - "$port" <<-'PY'
		import os, sys
		from peer import Peer
		for junk in (b"\x16\x03\x01\xff\xff" + b"x" * 70000,
		        b"\x16\x03\x01\0\4\1\xff\xff\xff" + b"\x16\x03\x01\0\1x" * 999,
		        b"\x80\x2e\1\0\2" + b"\0" * 60, os.urandom(5000), b"\0" * 9,
		        b"\x15\x03\x01\0\2\2\x28", b"\x17\x03\x03\0\5hello"):
		    p = Peer(sys.argv[1])
		    try:
		        p.send(junk)
		        while p.s.recv(1000):
		            pass
		    except ConnectionError:
		        pass
		p = Peer(sys.argv[1])
		p.shake()
		p.say(b"one\n")
		assert p.line() == b"one\n"
		p.s.sendall(b"\x17\x03\x03\0\x20" + b"z" * 32)
		print(p.rest())
	PY
	wait_for eval '[ "$(grep -c "refuse " log)" -ge 6 ]'
	wait_for grep -q 'the end of it' log
	wait_for eval '! pgrep -P $pid -x cat'
}

@test "a burst of tiny records, and of the largest, both ways" {
	serve -i cat
	python3 - "$port" <<-'PY'
		import sys, threading
		from peer import Peer
		p = Peer(sys.argv[1])
		p.shake()
		n = 0
		for i in range(20000):              # a byte a record
		    p.t.write(b"%d" % (i % 10))
		p.t.write(b"\n")
		for i in range(100):                # 16 KiB a record
		    p.t.write(b"z" * 16383 + b"\n")
		data = p.out.read()
		threading.Thread(target=p.s.sendall, args=(data,)).start()
		line = p.line()
		assert line == b"0123456789" * 2000 + b"\n"
		while n < 100 * 16384:
		    d = p.do(p.t.read, 65536)
		    assert not d.strip(b"z\n")
		    n += len(d)
	PY
	still_serves
}

@test "keys that are updated again and again" {
	serve -i cat
	mkfifo in
	openssl s_client -tls1_3 -connect "127.0.0.1:$port" <in >out 2>&1 3>&- &
	started="$started $!"
	exec 9>in
	echo first >&9
	wait_for grep -q ^first out
	for i in 1 2 3 4 5 6 7 8; do
		echo K >&9
		wait_for eval '[ $(grep -c KEYUPDATE out) -eq '$i' ]'
		echo "after $i" >&9
		wait_for grep -q "^after $i" out
	done
	exec 9>&-
	still_serves
}

@test "a message that is cut, with or without a proper end, is not taken" {
	cat >"$SHARED/sink" <<-'PY'
		#!/usr/bin/env python3
		import os, sys
		n = 0
		while d := os.read(0, 65536):
		    n += len(d)
		if os.read(int(os.environ["MAIL_COMMITFD"]), 1) != b"y":
		    sys.exit(75)
		print("taken", n, file=sys.stderr)
	PY
	chmod 0755 "$SHARED/sink"
	serve -i mrecv -- "$SHARED/sink"
	cat >cut.py <<-'PY'
		import socket, ssl, sys, time
		from peer import Peer
		for how in "reset", "end", "notify", "whole":
		    p = Peer(sys.argv[1])
		    p.shake()
		    p.line()
		    for c in (b"HELO a.test", b"MAIL FROM:<a@b.test>",
		            b"RCPT TO:<ann@example.test>", b"DATA"):
		        p.say(c + b"\r\n")
		        assert p.line()[:1] in b"23", c
		    p.say(b"Subject: x\r\n\r\n" + b"text\r\n" * 20000)
		    if how == "reset":
		        p.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
		            b"\1\0\0\0\0\0\0\0")
		    elif how == "notify":
		        try:
		            p.t.unwrap()
		        except ssl.SSLWantReadError:
		            pass
		        p.flush()
		    elif how == "whole":
		        p.say(b".\r\n")
		        assert p.line()[:3] == b"250"
		    p.s.close()
	PY
	python3 cut.py "$port"
	wait_for eval '[ $(grep -c "mrecv close" log) -eq 4 ]'
	[ "$(grep -c '^taken' log)" -eq 1 ]
	[ "$(grep -c 'mrecv accept' log)" -eq 1 ]
	wait_for eval '! pgrep -P $pid -x mtls'
}

@test "who has said its end still gets the last reply, and a proper end" {
	serve -i sh -c 'cat >/dev/null; head -c 300000 /dev/zero; echo bye'
	python3 - "$port" <<-'PY'
		import ssl, sys
		from peer import Peer
		p = Peer(sys.argv[1], ssl.TLSVersion.TLSv1_3)
		p.shake()
		p.say(b"last words\n")
		# close_notify by hand, so that Python reads on: half a connection
		try:
		    p.t.unwrap()
		except ssl.SSLWantReadError:
		    pass
		p.flush()
		got = 0
		while d := p.s.recv(65536):
		    got += len(d)
		assert got > 300000, got
	PY
}

@test "a silent connection costs little, with TLS or before it" {
	[[ $BUILD != *san* ]] || skip "the sanitizers need more"
	[ -r /proc/self/smaps_rollup ] || skip "there is no smaps_rollup"
	echo 'connections-per-address 1000' >"$PNEU_CONF/limits"
	cat >cost.py <<-'PY'
		import os, socket, ssl, subprocess, sys, time
		port, parent, how, n = sys.argv[1], sys.argv[2], sys.argv[3], 60
		def family(pid):
		    kids = subprocess.run(["pgrep", "-P", pid], text=True,
		        capture_output=True).stdout.split()
		    return [pid] + [f for k in kids for f in family(k)]
		def pss():
		    sum = 0
		    for pid in family(parent):
		        try:
		            for l in open("/proc/%s/smaps_rollup" % pid):
		                if l.startswith("Pss:"):
		                    sum += int(l.split()[1])
		        except OSError:
		            pass
		    return sum
		before, keep = pss(), []
		for i in range(n):
		    s = socket.create_connection(("127.0.0.1", int(port)))
		    if how == "clear":
		        assert s.recv(100)[:4] == b"220 "
		    if how == "tls":
		        s = ssl._create_unverified_context().wrap_socket(s)
		        assert s.recv(100)[:4] == b"220 "
		    keep.append(s)
		# wait until all of them are there, and quiet
		was, now = -1, pss()
		while abs(now - was) > now // 50:
		    time.sleep(0.5)
		    was, now = now, pss()
		each = (now - before) // n
		print(how, "kB each:", each)
		sys.exit(each >= (400 if how != "tls" else 600))
	PY
	serve -s mrecv -- cat
	python3 cost.py "$port" "$pid" clear
	serve -i mrecv -- cat
	python3 cost.py "$port" "$pid" silent
	python3 cost.py "$port" "$pid" tls
}
