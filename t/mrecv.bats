#!/usr/bin/env bats
#
# mrecv(8): a session in, one message at a time out, whole or not at all.

load lib
load mrecv.sh

@test "every transcript, as a dialogue, in one write and byte by byte" {
	echo queue queue >conf/paths # below conf
	run "$ROOT/t/smtp/play" "$PNEU_CONF" "$ROOT"/t/smtp/*.txt
	grep -A 9 '^not ok' <<<"$output" || true
	[ "$status" -eq 0 ]
}

@test "a message goes straight into the queue, with a trace field first" {
	one 'Subject: hi' '' hello | TCPREMOTEIP=192.0.2.7 PROTO=TCP mrecv -- mqueue add >out 2>err
	[[ $(last_reply out) =~ ^250\ 2.0.0\ ok\ ([0-9a-z]{16})$ ]]
	id=${BASH_REMATCH[1]}
	sed '1,/^$/d' "queue/$id" >got
	[[ $(sed -n 1p got) == "Received: from me.test ([192.0.2.7])" ]]
	[[ $(sed -n 2p got) == $'\t'"by mx.example.test with ESMTP id $id" ]]
	[[ $(sed -n 3p got) == $'\t'"for <alice@example.test>; "*" +0000" ]]
	[ "$(sed -n '4,$p' got)" = $'Subject: hi\n\nhello' ]
	grep -qx "to alice@example.test" "queue/$id"
	grep -q "^mrecv accept conn=${id%??} id=$id peer=192.0.2.7 from=s@x.org rcpt=alice@example.test n=1 size=22$" err
	grep -q "^mrecv close conn=${id%??} peer=192.0.2.7 svc=smtp n=1 why=quit$" err
	[ "$(wc -l <err)" -eq 2 ]
}

@test "the sink is called as a transport and knows what mrecv vouches for" {
	one 'Subject: hi' '' hello | MAIL_AUTH=evil MAIL_HELO=evil FOO=bar \
		TCPREMOTEIP=192.0.2.7 mrecv -- ./sink one 'two words' >out
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	printf '%s\n' one 'two words' -f s@x.org -- alice@example.test | cmp - args
	grep -qx 'MAIL_FROM=s@x.org' env
	grep -qx 'MAIL_RCPTS=alice@example.test' env
	grep -qx 'MAIL_RCPT_ARGS=' env
	grep -qx 'MAIL_HELO=me.test' env
	grep -qx 'MAIL_AUTH=' env
	grep -qx 'MAIL_WITH=ESMTP' env
	grep -qx 'MAIL_BODY=7BIT' env
	grep -qx 'TCPREMOTEIP=192.0.2.7' env
	grep -qx "MAIL_ID=$(ls store)" env
	! grep -q FOO env || false
	tail -n 3 store/* | cmp - <(printf 'Subject: hi\n\nhello\n')
}

@test "BINARYMIME: what another's MIME parser decodes is the same to the octet" {
	cat >make.py <<-'E'
		import sys, random, email, email.policy
		random.seed(7)
		every = bytes(range(256))
		parts = [every * 3, b"", b"\r\n", b"\n.\n\r.\r\r\n.", b"\0" * 1000,
		         b"--b\r", b"\r\n--outer-not\r\n" * 40, random.randbytes(100000)]
		def leaf(x):
		    return (b"Content-Type: application/octet-stream\r\n"
		            b"Content-Transfer-Encoding: binary\r\n\r\n" + x)
		def multi(b, parts):
		    return (b"Content-Type: multipart/mixed; boundary=\"" + b + b"\"\r\n"
		            b"Content-Transfer-Encoding: binary\r\n\r\n"
		            + b"".join(b"--" + b + b"\r\n" + p + b"\r\n" for p in parts)
		            + b"--" + b + b"--\r\n")
		inner = multi(b"in ner", map(leaf, parts[4:]))
		msg = (b"From: s@x.org\r\nMIME-Version: 1.0\r\n"
		       + multi(b"outer", [leaf(p) for p in parts[:4]] + [inner]))
		if sys.argv[1] == "send":
		    out = sys.stdout.buffer
		    out.write(b"EHLO a\r\nMAIL FROM:<s@x.org> BODY=BINARYMIME\r\n"
		              b"RCPT TO:<alice@example.test>\r\n")
		    while len(msg) > 30000:
		        n = random.randrange(1, 30000)
		        out.write(b"BDAT %d\r\n" % n + msg[:n])
		        msg = msg[n:]
		    out.write(b"BDAT %d LAST\r\n" % len(msg) + msg + b"QUIT\r\n")
		else:
		    text = open(sys.argv[2], "rb").read()
		    assert b"\r" not in text and b"\0" not in text
		    assert b"binary" not in text.lower().replace(b"octet", b"")
		    m = email.message_from_bytes(text, policy=email.policy.default)
		    got = [p.get_payload(decode=True) for p in m.walk()
		           if not p.is_multipart()]
		    assert got == parts, [len(x) for x in got]
	E
	python3 make.py send | mrecv -- ./sink >out
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	python3 make.py look store/*
	grep -qx MAIL_BODY=8BITMIME env
}

@test "a HELO that is no name is called invalid" {
	say 'EHLO $(reboot)' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' \
		DATA 'Subject: x' . QUIT | mrecv -- ./sink >out
	grep -qx 'MAIL_HELO=invalid' env
	grep -q '^Received: from invalid' store/*
	[ "$(sed -n 2p args)" = "" ]
}

@test "only a well formed MAIL_CONN is taken over" {
	one x | MAIL_CONN=0123456789abcd mrecv -- ./sink 2>err
	grep -q 'conn=0123456789abcd' err
	one x | MAIL_CONN='../../etc/pass' mrecv -- ./sink 2>err
	! grep -q passwd err || false
	! grep -q '\.\.' err || false
}

@test "a sink's status becomes the reply" {
	for s in 0:250 75:451 1:451 70:451 99:250 67:550 65:550 68:550 69:550 77:550 100:550 111:451; do
		script end "cat >/dev/null; exit ${s%:*}"
		one x | mrecv -- ./end >out
		[[ $(last_reply out) == ${s#*:}* ]]
	done
	script end 'kill -9 $$'
	one x | mrecv -- ./end >out 2>err
	[[ $(last_reply out) == "451 4.3.0 "* ]]
	grep -q 'refuse .*code=451 why="signal 9"' err
}

@test "a sink that is missing means later, and the log says which" {
	one x | mrecv -- ./nosuch >out 2>err
	grep -q '^451 4.3.0' out
	grep -q '^mrecv error .*what=./nosuch why="No such file' err
	! grep -q '^354' out || false
}

@test "a sink's result lines decide for their recipients" {
	script end 'cat >/dev/null
		printf "alice@example.test\t2.1.5\tfine\n"
		printf "carol@example.test\t5.2.2\tmailbox full\n"
		printf "abuse@example.test\t4.2.1\tbusy%%20now\n"
		echo a word for the log
		exit 75'
	say 'LHLO me' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' \
		'RCPT TO:<carol@example.test>' 'RCPT TO:<abuse@example.test>' \
		'RCPT TO:<postmaster@example.test>' DATA x . >in
	mrecv -L -- ./end <in >out 2>err
	tr -d '\r' <out | tail -n 4 >last
	grep -q '^250 2.0.0 ok' <(sed -n 1p last)
	[ "$(sed -n 2p last)" = "550 5.2.2 mailbox full" ]
	[ "$(sed -n 3p last)" = "451 4.2.1 busy now" ]
	[ "$(sed -n 4p last)" = "451 4.3.0 try again later" ]
	grep -q 'mrecv sink .*text="a word for the log"' err
	grep -q 'refuse .*rcpt=carol@example.test code=550 why="5.2.2 mailbox full"' err
	[ "$(grep -c ' accept ' err)" -eq 1 ]
	# SMTP has one answer, and it is the worst
	sed 's/^LHLO/EHLO/' in | mrecv -- ./end >out
	[ "$(tr -d '\r' <out | tail -n 1)" = "451 4.2.1 busy now" ]
	sed '/abuse/d; /postmaster/d; s/^LHLO/EHLO/' in | mrecv -- ./end >out
	[ "$(tr -d '\r' <out | tail -n 1)" = "550 5.2.2 mailbox full" ]
}

@test "the default road starts no process" {
	command -v strace >/dev/null || skip "strace is not installed"
	for i in 1 2 3; do one 'Subject: x' | sed '$d'; done >in
	say QUIT >>in
	strace -f -o trace -e trace=fork,vfork,clone,clone3,execve \
		mrecv -- mqueue add <in >out
	[ "$(grep -c '^250 2.0.0 ok ' out)" -eq 3 ]
	grep -v exited trace
	[ "$(grep -c execve trace)" -eq 1 ]
	! grep -Eq 'fork|clone' trace || false
}

@test "Authentication-Results that bear our name do not come in, but by LMTP" {
	local forged=('Authentication-Results: (x)' ' MX.example.test 1; spf=pass'
		'Authentication-Results: elsewhere.test; spf=fail' 'X-Spam: No' '' b)

	one "${forged[@]}" | mrecv -- ./sink >out
	! grep -qi 'mx.example.test 1\|spf=pass' store/* || false
	grep -qx 'Authentication-Results: elsewhere.test; spf=fail' store/*
	grep -qx 'X-Spam: No' store/*
	rm store/*
	one "${forged[@]}" | sed s/EHLO/LHLO/ | mrecv -L -- ./sink >out
	grep -qx ' MX.example.test 1; spf=pass' store/*
}

@test "STARTTLS by the UCSPI-TLS convention, and nothing before it counts" {
	cat >wrap.py <<-'E'
		import os, socket, subprocess, sys
		mode = sys.argv[1]
		ctl, theirs = socket.socketpair()
		r1, w1 = os.pipe(); r2, w2 = os.pipe()
		for fd in (theirs.fileno(), r1, w2): os.set_inheritable(fd, True)
		env = dict(os.environ, SSLCTLFD=str(theirs.fileno()), SSLREADFD=str(r1), SSLWRITEFD=str(w2))
		p = subprocess.Popen(['mrecv', '--', './sink'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
		    pass_fds=(theirs.fileno(), r1, w2), env=env)
		theirs.close(); os.close(r1); os.close(w2)
		first = b'EHLO plain\r\nMAIL FROM:<p@x.org>\r\nRSET\r\nSTARTTLS\r\n'
		if mode == 'inject': first += b'NOOP\r\n'
		p.stdin.write(first); p.stdin.flush()
		if mode == 'inject':
		    sys.stdout.buffer.write(p.stdout.read()); sys.exit(p.wait())
		assert ctl.recv(1) == b'Y'
		if mode == 'fail':
		    ctl.close(); sys.stdout.buffer.write(p.stdout.read()); sys.exit(p.wait())
		ctl.sendall(b'SSL_PROTOCOL=TLSv1.3\0SSL_CIPHER=TLS_AES\0PATH=/evil\0'); ctl.sendall(b'\0')
		os.write(w1, b'MAIL FROM:<x@x.org>\r\nEHLO tls\r\nSTARTTLS\r\nMAIL FROM:<t@x.org>\r\n'
		    b'RCPT TO:<alice@example.test>\r\nDATA\r\nSubject: x\r\n.\r\nQUIT\r\n'); os.close(w1)
		sys.stdout.buffer.write(p.stdout.read())
		while True:
		    got = os.read(r2, 65536)
		    if not got: break
		    sys.stdout.buffer.write(got)
		sys.exit(p.wait())
	E
	python3 wrap.py tls >out 2>err
	tr -d '\r' <out >said
	grep -q '^220 2.0.0 ready' said
	sed '1,/ready/d' said >after
	[[ $(sed -n 1p after) == "503 5.5.1 "* ]]
	! grep -q STARTTLS after || false
	grep -q '^503 5.5.1 TLS already' after
	grep -q 'from tls' store/*
	grep -q 'with ESMTPS (TLSv1.3 TLS_AES) id' store/*
	grep -qx 'SSL_CIPHER=TLS_AES' env
	! grep -q evil env || false
	! grep -q SSLCTLFD env || false
	python3 wrap.py inject >out 2>err
	[[ $(tail -n 1 out) == "554 5.5.1 "* ]]
	python3 wrap.py fail >out 2>err
	[[ $(tail -n 1 out) == "220 2.0.0 "* ]]
	grep -q 'close .*why=tls' err
}

@test "root writes the queue as pneu" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	open=$(mktemp -d)
	chmod 0711 "$open"
	mkdir -m 0700 "$open/queue"
	chown 62001:62001 "$open/queue"
	cp -rp conf "$open/"
	chmod 0755 "$open/conf"
	echo "queue $open/queue" >"$open/conf/paths"
	echo 'pneu 62001 62001' >"$open/conf/uids"
	one 'Subject: x' | PNEU_CONF=$open/conf mrecv -- mqueue add >out
	owner=$(stat -c %u "$open"/queue/????????????????)
	rm -r "$open"
	[[ $(last_reply out) == "250 "* ]]
	[ "$owner" = 62001 ]
}

@test "wrong usage is one line" {
	usage='usage: mrecv [-LnpSVv] [-c DIR] [-F COMMAND] [-m ADDR] ... [--] SINK [ARG ...]'
	for args in '' '-x' '-S' '-v x' '-LS x' '-Lp x' '-F' '-F?' '-c'; do
		run -64 mrecv $args
		[ "$output" = "$usage" ]
	done
	run -64 mrecv -F "a 'b" -- x
	[ "$output" = "mrecv: -F: a 'b: not a command" ]
	run -64 mrecv -F "" -- x
	[ "$output" = "mrecv: -F: : not a command" ]
	run -0 mrecv -V
	[ "$output" = "mrecv 0.1" ]
}

@test "-c names the configuration, for children too" {
	mv conf other
	unset PNEU_CONF
	one 'Subject: x' | mrecv -c "$PWD/other" -- ./sink >out
	[[ $(last_reply out) == "250 "* ]]
	grep -qx "PNEU_CONF=$PWD/other" env
}

@test "no byte of a client makes a line of the log" {
	say 'HELO a' 'MAIL FROM:<"a b = c"@x.org>' 'RCPT TO:<"x\" y"@example.test>' QUIT |
		mrecv -- ./sink >out 2>err
	[ "$(wc -l <err)" -eq 2 ]
	grep -q 'from="\\"a b = c\\"@x.org"' err
}

# end_by_term [DATA]: a session that gets SIGTERM, while idle or in DATA
end_by_term() {
	python3 - "$@" 3>&- <<'E'
import signal, subprocess, sys
signal.alarm(240)
data = len(sys.argv) > 1
p = subprocess.Popen(["mrecv", "--", "./sink"], stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE, stderr=open("err", "wb"))
def say(s):
    p.stdin.write(s.encode())
    p.stdin.flush()
def hear(code):
    line = p.stdout.readline()
    assert line.startswith(code), line
hear(b"220")
say("HELO x\r\n"); hear(b"250")
bdat = data and sys.argv[1] == "BDAT"
if data:
    say("MAIL FROM:<s@x.org>\r\nRCPT TO:<alice@example.test>\r\n")
    hear(b"250"); hear(b"250")
if bdat:
    say("BDAT 12\r\nSubject: x\r\n"); hear(b"250")
elif data:
    say("DATA\r\n"); hear(b"354")
    say("Subject: x\r\n")
p.send_signal(signal.SIGTERM)
if bdat:
    say("BDAT 2 LAST\r\n\r\n"); hear(b"250 2.0.0 ok")
elif data:
    say("\r\nhello\r\n.\r\n"); hear(b"250 2.0.0 ok")
hear(b"421 4.3.2")
assert p.stdout.readline() == b""
assert p.wait(60) == 0
E
}

@test "SIGTERM says 421 to a client that is idle" {
	run -0 end_by_term
	[ "$(grep -c '^mrecv close .* n=0 why=shutdown$' err)" = 1 ]
}

@test "SIGTERM lets a message in DATA be taken before the 421" {
	for how in DATA BDAT; do
		run -0 end_by_term "$how"
		[ "$(ls store | wc -l)" = 1 ]
		[ "$(grep -c '^mrecv close .* n=1 why=shutdown$' err)" = 1 ]
		rm store/*
	done
}
