#!/usr/bin/env bats
#
# UCSPI-TLS with somebody else on either side: programs that ask as those of
# mailfront, notqmail and s6 do, under mtls; mrecv and mauth under a server
# that answers as sslserver and s6-ucspitlsd do.

load ../lib
load ../tls

setup() {
	cd "$BATS_TEST_TMPDIR"
	shared=$(mktemp -d /tmp/pneu-t.XXXXXX)
	chmod 0711 "$shared"
	export PNEU_CONF=$shared/conf
	tls_conf "$shared/conf"
	cd "$shared/conf"
	mkdir -m 0700 ../ann
	echo mail.example.test >me
	echo example.test >domains
	printf 'pneu-login 62004 62004\n' >>uids
	printf 'ann@example.test:62003:62003:%s:\n' "$shared/ann" >users
	echo 'ann@example.test:x:all:{PLAIN}secret:' >secrets
	chmod 0600 secrets
	cd "$BATS_TEST_TMPDIR"
	started=
	u=
	[ "$(id -u)" -ne 0 ] || {
		u='-u pneu'
		chown 62003:62003 "$shared/ann"
	}
}

teardown() {
	[ -z "$started" ] || kill $started 2>/dev/null || :
	cat log >&2 2>/dev/null || :
	rm -rf "$shared"
}

program() {
	cat >"$shared/$1"
	chmod 0755 "$shared/$1"
}

# What a client sees of an SMTP server's TLS.
smtp_client() {
	cat >client.py <<-'PY'
		import smtplib, ssl, sys
		s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), timeout=90)
		s.ehlo("client.test")
		assert s.has_extn("starttls")
		s.starttls(context=ssl._create_unverified_context())
		for command in sys.argv[2:]:
		    print(*s.docmd(command))
	PY
	python3 client.py "$port" "$@"
}

@test "mtls serves a program that closes its input first and says y" {
	program front <<-'PY'
		#!/usr/bin/env python3
		import os, sys
		os.write(1, b"220 front\r\n")
		assert os.read(0, 500).lower().startswith(b"ehlo")
		os.write(1, b"250-front\r\n250 STARTTLS\r\n")
		assert os.read(0, 500).lower() == b"starttls\r\n"
		os.write(1, b"220 go\r\n")
		os.close(0)
		os.write(int(os.environ["SSLCTLFD"]), b"y")
		os.dup2(int(os.environ["SSLREADFD"]), 0)
		os.dup2(int(os.environ["SSLWRITEFD"]), 1)
		os.write(1, b"250 you said " + os.read(0, 500))
	PY
	serve -s "$shared/front"
	[ "$(smtp_client 'XYZ 1')" = "250 b'you said XYZ 1'" ]
}

@test "mtls serves a program that says Y and reads up to two NULs" {
	program qmail <<-'PY'
		#!/usr/bin/env python3
		import os
		# there has to be such a variable, and it is not "-"
		assert os.environ["UCSPITLS"] != "-"
		os.write(1, b"220 q\r\n")
		os.read(0, 500)
		os.write(1, b"250-q\r\n250 STARTTLS\r\n")
		os.read(0, 500)
		os.write(1, b"220 go\r\n")
		ctl, rd, wr = (int(os.environ["SSL%sFD" % n])
		    for n in ("CTL", "READ", "WRITE"))
		assert ctl and rd and wr
		os.write(ctl, b"Y")
		for fd, to in (rd, 0), (wr, 1):     # fd_move
		    os.dup2(fd, to)
		    os.close(fd)
		text = b""
		while not text.endswith(b"\0\0"):
		    more = os.read(ctl, 8192)
		    assert more
		    text += more
		facts = dict(f.split(b"=", 1) for f in text[:-2].split(b"\0"))
		assert facts[b"SSL_PROTOCOL"] == b"TLSv1.3", facts
		assert b"SSL_CIPHER" in facts
		os.read(0, 500)
		os.write(1, b"250 ok\r\n")
	PY
	serve -s "$shared/qmail"
	[ "$(smtp_client NOOP)" = "250 b'ok'" ]
}

@test "mtls serves a proxy that asks on behalf of another program" {
	program proxy <<-'PY'
		#!/usr/bin/env python3
		import os, select, socket, subprocess
		env = os.environ
		fds = [int(env.pop("SSL%sFD" % n)) for n in ("CTL", "READ", "WRITE")]
		a, b = socket.socketpair()
		p = subprocess.Popen(["mrecv", "--", "cat"], stdin=b, stdout=b,
		    env=env, preexec_fn=lambda: [os.close(f) for f in fds])
		b.close()
		read, write, tls = 0, 1, False
		while True:
		    for f in select.select([read, a], [], [])[0]:
		        data = os.read(f if f == read else a.fileno(), 4096)
		        if not data:
		            os._exit(0)
		        if f != read:
		            if data.startswith(b"250-") and not tls:
		                data = data.replace(b"\n", b"\n250-STARTTLS\r\n", 1)
		            os.write(write, data)
		        elif data.lower() == b"starttls\r\n":
		            os.write(write, b"220 go\r\n")
		            os.write(fds[0], b"y")
		            read, write, tls = fds[1], fds[2], True
		        else:
		            a.sendall(data)
	PY
	serve -s "$shared/proxy"
	run smtp_client "EHLO again" QUIT
	echo "$output"
	[[ $output == *"mail.example.test"* ]]
	[[ $output == *"221 "* ]]
}

# A server by the book: pipes for the clear text, a socket pair for control,
# the facts of mod_ssl (long ones, too).  The second word is how it behaves.
foreign() {
	cat >server.py <<-'PY'
		import os, select, socket, ssl, sys
		pem, how, port, program = (sys.argv[1], sys.argv[2],
		    sys.argv[3], sys.argv[4:])
		l = socket.create_server(("127.0.0.1", 0))
		open(port, "w").write("%d\n" % l.getsockname()[1])
		c, peer = l.accept()
		ctl, theirs = socket.socketpair()
		to, wr = os.pipe(), os.pipe()
		pid = os.fork()
		if pid == 0:
		    keep = [theirs.fileno(), to[0], wr[1]]
		    for f in keep:
		        os.set_inheritable(f, True)
		    os.dup2(c.fileno(), 0)
		    os.dup2(c.fileno(), 1)
		    for name, f in zip(("CTL", "READ", "WRITE"), keep):
		        os.environ["SSL%sFD" % name] = str(f)
		    os.environ.update(PROTO="TLS", UCSPITLS="",
		        SSLREMOTEIP=peer[0], SSLREMOTEPORT=str(peer[1]))
		    os.execvp(program[0], program)
		theirs.close()
		os.close(to[0])
		os.close(wr[1])
		asked = ctl.recv(1)
		if asked not in (b"y", b"Y"):
		    sys.exit("asked %r" % asked)
		if how == "drop":
		    sys.exit()
		ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
		ctx.load_cert_chain(pem)
		t = ctx.wrap_socket(c, server_side=True)
		if asked == b"Y":
		    facts = {"SSL_PROTOCOL": t.version(), "SSL_CIPHER": t.cipher()[0],
		        "SSL_SERVER_CERT": open(pem).read() * 9,
		        "SSL_SESSION_ID": "0" * 64, "PATH": "/nowhere",
		        "LD_PRELOAD": "/x", "SSL_CLIENT_S_DN": "/CN=x y\nz"}
		    text = "".join("%s=%s\0" % f for f in facts.items()) + "\0"
		    for i in range(0, len(text), 1000):
		        ctl.sendall(text.encode()[i:i + 1000])
		ctl.close()
		t.setblocking(False)
		out = b""
		while True:
		    r = select.select([t, wr[0]], [], [])[0]
		    if t in r or t.pending():
		        try:
		            data = t.recv(16384)
		            if not data:
		                break
		            os.write(to[1], data)
		        except ssl.SSLWantReadError:
		            pass
		    if wr[0] in r:
		        data = os.read(wr[0], 16384)
		        if not data:
		            break
		        t.setblocking(True)
		        t.sendall(data)
		        t.setblocking(False)
		t.close()
		os.waitpid(pid, 0)
	PY
	rm -f port
	python3 server.py "$PNEU_CONF/one.pem" "$@" 2>>log 3>&- &
	started="$started $!"
	wait_for test -s port
	port=$(cat port)
}

@test "mrecv takes mail under a server of others" {
	program sink <<-'SH'
		#!/bin/sh
		env >"$1"
		cat >"$2"
	SH
	touch "$shared/env" "$shared/mail"
	foreign serve port mrecv -- "$shared/sink" "$shared/env" "$shared/mail"
	cat >send.py <<-'PY'
		import smtplib, ssl, sys
		s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]), timeout=90)
		s.starttls(context=ssl._create_unverified_context())
		s.ehlo("client.test")
		assert not s.has_extn("starttls")
		s.sendmail("a@client.test", "ann@example.test",
		    "Subject: x\r\n\r\n" + "line\r\n" * 20000)
		s.quit()
	PY
	run -0 python3 send.py "$port"
	grep -q 'with ESMTPS' "$shared/mail"
	grep -q 'TLSv1.3' "$shared/mail"
	[ "$(grep -c '^line' "$shared/mail")" -eq 20000 ]
	! grep -q 'nowhere\|LD_PRELOAD\|SSL_SERVER_CERT' "$shared/env" || false
}

@test "mrecv ends when TLS was promised and does not come" {
	foreign drop port mrecv -- cat
	run smtp_client NOOP
	[ "$status" -ne 0 ]
}

@test "mauth logs in under a server of others" {
	foreign serve port mauth mimapd
	cat >login.py <<-'PY'
		import imaplib, ssl, sys
		m = imaplib.IMAP4("127.0.0.1", int(sys.argv[1]), timeout=90)
		assert "STARTTLS" in m.capabilities, m.capabilities
		m.starttls(ssl._create_unverified_context())
		assert "STARTTLS" not in m.capabilities, m.capabilities
		print(m.login("ann@example.test", "secret"))
		print(m.logout())
	PY
	run -0 python3 login.py "$port"
	[[ $output == *OK* ]]
}
