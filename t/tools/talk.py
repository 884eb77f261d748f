#!/usr/bin/env python3
"""Run a server on a connection and play a conversation with it.

usage: talk.py [-2is] [-b BYTES] [-e NAME=VALUE] SCRIPT COMMAND [ARG ...]

COMMAND gets a TCP connection over loopback (-i: a Unix socket pair) as
descriptors 0 and 1, and with -2 also as 2 (inetd).  With -s it is offered UCSPI-TLS, played without any
cryptography.  -b: what is sent goes in pieces of so many bytes.  -e: set a
variable.  Lines of SCRIPT ("-" is standard input):

    C: text    send it and CRLF (backslash escapes as in Python)
    C> text    send it without a line end
    S: text    the next line must be this, where * is anything
    S* text    lines may come, and then this one must
    TLS        wait for the request for TLS, answer, go on inside
    NOTLS      the same, but the handshake fails
    SH: text   run it in a shell, PID being the server's process
    CLOSE      close our side
    GONE       the other side must close now

Prints what SH printed and, at the end, "exit N".  A line that is not as
expected ends it with status 1, and the conversation on standard error.
"""
import getopt
import os
import re
import socket
import subprocess
import sys
import time

opts, args = getopt.getopt(sys.argv[1:], "2b:e:is")
flags = dict(opts)
step = int(flags.get("-b", 0))
script = sys.stdin if args[0] == "-" else open(args[0])
env = dict(os.environ)
for name in ("PROTO", "TCPREMOTEIP", "SSLCTLFD", "SSL_PROTOCOL", "MAIL_CONN"):
    env.pop(name, None)
env.update(v.split("=", 1) for o, v in opts if o == "-e")

if "-i" in flags:
    ours, theirs = socket.socketpair()
else:
    listener = socket.create_server(("127.0.0.1", 0))
    ours = socket.create_connection(listener.getsockname())
    theirs = listener.accept()[0]
    listener.close()
fds = []
if "-s" in flags:
    ctl, ctl_theirs = socket.socketpair()
    tls, tls_theirs = socket.socketpair()
    n, m = ctl_theirs.fileno(), tls_theirs.fileno()
    fds = [n, m]
    env.update(SSLCTLFD=str(n), SSLREADFD=str(m), SSLWRITEFD=str(m))
child = subprocess.Popen(args[1:], stdin=theirs, stdout=theirs, env=env,
                         stderr=theirs if "-2" in flags else None,
                         pass_fds=fds)
theirs.close()
if fds:
    ctl_theirs.close()
    tls_theirs.close()
ours.settimeout(60)
said = []
held = b""


def fail(why):
    sys.stderr.write("".join(said) + why + "\n")
    child.kill()
    sys.exit(1)


def line():
    global held
    while b"\n" not in held:
        try:
            more = ours.recv(4096)
        except OSError as e:
            more = b""
            said.append("(%s)\n" % e)
        if not more:
            text, held = held, b""
            return text or None
        held += more
    text, held = held.split(b"\n", 1)
    return text + b"\n"


def send(text):
    data = text.encode("latin-1", "backslashreplace")
    data = data.decode("unicode_escape").encode("latin-1")
    for i in range(0, len(data), step or len(data) or 1):
        ours.sendall(data[i:i + (step or len(data))])
        if step:
            time.sleep(0.001)


def expect(glob, must=True):
    got = line()
    said.append("S: %s" % (got.decode("latin-1") if got else "(end)\n"))
    want = ".*".join(re.escape(p) for p in glob.split("*"))
    ok = got is not None and got.endswith(b"\r\n") and re.fullmatch(
        want, got[:-2].decode("latin-1"), re.S)
    if not ok and (must or got is None):
        fail("wanted: " + glob)
    return ok


def start_tls(ok):
    global ours, held
    ctl.settimeout(60)
    if ctl.recv(1) != b"Y":
        fail("no request for TLS")
    if ok:
        ctl.sendall(b"SSL_PROTOCOL=TLSv1.3\0SSL_CIPHER=NONE\0PATH=/x\0\0")
        ours, held = tls, b""
        ours.settimeout(60)
    ctl.close()


for text in script:
    text = text.rstrip("\n").lstrip("\t")
    word, _, rest = text.partition(" ")
    if word in ("C:", "C>"):
        said.append(text + "\n")
        send(rest + ("\r\n" if word == "C:" else ""))
    elif word == "S:":
        expect(rest)
    elif word == "S*":
        while not expect(rest, False):
            pass
    elif word in ("TLS", "NOTLS"):
        start_tls(word == "TLS")
    elif word == "SH:":
        subprocess.run(["sh", "-c", rest], env=dict(env, PID=str(child.pid)))
    elif word == "CLOSE":
        ours.close()
    elif word == "GONE":
        got = line()
        if got is not None:
            fail("wanted the end, got: %r" % got)
    elif word:
        fail("not a line of a script: " + text)
ours.close()
try:
    print("exit %d" % child.wait(60))
except subprocess.TimeoutExpired:
    fail("it does not end")
