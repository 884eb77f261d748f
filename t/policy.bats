#!/usr/bin/env bats
#
# mrecv(8): clients that can't wait, that send too much, or come for the
# first time.

load lib

setup() {
	cd "$BATS_TEST_TMPDIR"
	mkdir conf state
	cat >conf/users <<-'E'
		alice@example.test:62011:62011:/nonexistent/alice:
		carol@example.test:62013:62013:/nonexistent/carol:
	E
	echo example.test >conf/domains
	echo mx.example.test >conf/me
	printf 'queue %s\nstate %s\n' "$PWD/queue" "$PWD/state" >conf/paths
	touch -d '1 hour ago' conf/*
	export PNEU_CONF=$PWD/conf PROTO=TCP TCPREMOTEIP=192.0.2.7
}

access() {
	printf '%s\n' "$@" >conf/access
	touch -d '1 hour ago' conf/access
}

limits() {
	printf '%s\n' "$@" >conf/limits
}

say() {
	printf '%s\r\n' "$@"
}

is() {
	[ "$1" = "$2" ] || {
		printf 'got:    %s\nwanted: %s\n' "$1" "$2"
		cat err
		return 1
	}
}

# on_socket STEP...: mrecv on a socket, as a launcher gives it.  A step is
# said, or is: hear CODE; wait SECONDS; term; over (what is left is read).
# Options of mrecv in OPTIONS.  Prints how long it took, then the replies.
on_socket() {
	python3 - "$@" 3>&- <<'E'
import os, signal, socket, subprocess, sys, time
signal.alarm(60)
ours, theirs = socket.socketpair()
start = time.monotonic()
p = subprocess.Popen(["mrecv"] + os.environ.get("OPTIONS", "").split() + ["--", "mqueue", "add"],
                     stdin=theirs, stdout=theirs, stderr=open("err", "wb"))
got = b""
def hear():
    global got
    piece = ours.recv(65536)
    got += piece
    return piece
theirs.close()
for step in sys.argv[1:]:
    word, _, arg = step.partition(" ")
    if word == "hear":
        while not any(l.startswith(arg.encode()) for l in got.split(b"\r\n")[:-1]):
            assert hear(), "end before " + arg + ": " + repr(got)
        took = time.monotonic() - start
        print("%s after %d" % (arg, took), file=open("times", "a"))
    elif word == "wait":
        time.sleep(float(arg))
    elif word == "term":
        p.send_signal(signal.SIGTERM)
    elif word == "over":
        while hear():
            pass
    else:
        ours.sendall(step.encode() + b"\r\n")
assert p.wait(20) == 0
sys.stdout.write(got.decode().replace("\r", ""))
E
}

@test "a client that speaks first is refused, also without a delay" {
	# it has spoken before mrecv runs
	python3 - <<'E' >out 3>&-
import signal, socket, subprocess
signal.alarm(30)
ours, theirs = socket.socketpair()
ours.sendall(b"EHLO me.test\r\nMAIL FROM:<>\r\n")
p = subprocess.Popen(["mrecv", "--", "mqueue", "add"], stdin=theirs, stdout=theirs, stderr=open("err", "wb"))
theirs.close()
got = b""
while True:
    piece = ours.recv(4096)
    if not piece: break
    got += piece
print(got.decode().replace("\r", ""), end="")
E
	is "$(cat out)" '554 5.5.1 wait for the greeting'
	grep -q '^mrecv refuse .*peer=192.0.2.7 .*code=554 why="5.5.1 wait for the greeting"$' err
	grep -q '^mrecv close .*why=refused$' err
}

@test "greet-delay: who waits is served, who does not is refused at once" {
	limits 'greet-delay 2'
	is "$(on_socket 'hear 220' QUIT over)" $'220 mx.example.test ESMTP\n221 2.0.0 bye'
	is "$(cat times)" '220 after 2'
	rm times
	is "$(on_socket 'EHLO me.test' 'hear 554' over)" '554 5.5.1 wait for the greeting'
	[[ $(cat times) == '554 after '[01] ]]
}

@test "nobody waits on submission, on this host, inside TLS, or where access allows" {
	limits 'greet-delay 60'
	OPTIONS=-S on_socket 'EHLO me.test' 'hear 220' QUIT over >out
	TCPREMOTEIP=127.0.0.1 on_socket 'EHLO me.test' 'hear 220' QUIT over >out
	TCPREMOTEIP=::1 on_socket 'EHLO me.test' 'hear 220' QUIT over >out
	SSL_PROTOCOL=TLSv1.3 on_socket 'EHLO me.test' 'hear 220' QUIT over >out
	access 'allow peer:192.0.2.0/24'
	on_socket 'EHLO me.test' 'hear 220' QUIT over >out
	rm conf/limits conf/access
	say 'EHLO me.test' QUIT | mrecv -- mqueue add >out 2>err # a pipe can't hear
	[[ $(head -n 1 out) == 220* ]]
}

@test "SIGTERM ends the wait for the greeting, and that for a reply" {
	limits 'greet-delay 60'
	on_socket 'wait 0.3' term over >out
	grep -q '^421 4.3.2' out
	limits 'tarpit-errors 0' 'tarpit-delay 60'
	on_socket 'hear 220' NONSENSE 'wait 0.3' term over >out
	grep -q '^421 4.3.2' out
}

@test "a client that goes on making errors waits longer for each" {
	limits 'tarpit-errors 2'
	on_socket 'hear 220' A B C D 'EHLO x' 'hear 250' QUIT over >out
	[[ $(tail -n 1 times) == '250 after '[2-4] ]]
	rm times
	# nobody on this host
	TCPREMOTEIP=127.0.0.1 on_socket 'hear 220' A B C D E F G H 'EHLO x' 'hear 250' QUIT over >out
	[[ $(tail -n 1 times) == '250 after '[01] ]]
}
