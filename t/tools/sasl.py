#!/usr/bin/env python3
"""Log in to a server that is run on a connection, as a client would.

usage: sasl.py [-e NAME=VALUE] [-f NAME=VALUE] [-o KEY=VALUE]
               MECHANISM USER SECRET COMMAND [ARG ...]

COMMAND gets a TCP connection over loopback as descriptors 0 and 1; SMTP,
POP3 or IMAP is known by its greeting.  -e: a variable of its environment.
-f: a fact of TLS; with any of them it is offered UCSPI-TLS, played without
cryptography, and STARTTLS comes first.  -o says what to do otherwise:

    gs2=FLAG      of SCRAM: n, y, p=NAME (p=tls-exporter with -PLUS)
    binding=TEXT  the channel's data (that of the fact SSL_TLS_EXPORTER)
    authzid=NAME  ask to be somebody else
    late=1        no initial response, though there could be one
    nonce=TEXT    of ours
    tail=TEXT     replaces the server's part of the nonce
    proof=TEXT    instead of the right one
    ack=TEXT      the answer to the last message of the server
    text=FILE     the initial response, as it is
    times=N       so many tries on one connection

Prints the mechanisms offered, what the server says, decoded, and how many
milliseconds each try took: "offered ...", "< ...", "= ... ms".
"""
import base64
import getopt
import hashlib
import hmac
import os
import socket
import subprocess
import sys
import time

opts, args = getopt.getopt(sys.argv[1:], "e:f:o:")
mech, user, secret, command = args[0], args[1], args[2], args[3:]
o = dict(v.split("=", 1) for k, v in opts if k == "-o")
facts = [v for k, v in opts if k == "-f"]
extra = [v for k, v in opts if k == "-e"]
env = dict(os.environ)
for name in ("PROTO", "TCPREMOTEIP", "SSLCTLFD", "SSL_PROTOCOL", "MAIL_CONN"):
    env.pop(name, None)
env.update(v.split("=", 1) for v in extra)
binding = b""
for f in facts + extra:
    if f.startswith("SSL_TLS_EXPORTER="):
        binding = base64.b64decode(f.split("=", 1)[1])
if "binding" in o:
    binding = o["binding"].encode()

listener = socket.create_server(("127.0.0.1", 0))
conn = socket.create_connection(listener.getsockname())
theirs = listener.accept()[0]
fds = []
if facts:
    ctl, ctl_theirs = socket.socketpair()
    tls, tls_theirs = socket.socketpair()
    fds = [ctl_theirs.fileno(), tls_theirs.fileno()]
    env.update(SSLCTLFD=str(fds[0]), SSLREADFD=str(fds[1]),
               SSLWRITEFD=str(fds[1]))
child = subprocess.Popen(command, stdin=theirs, stdout=theirs, env=env,
                         pass_fds=fds)
theirs.close()
if facts:
    ctl_theirs.close()
    tls_theirs.close()
conn.settimeout(60)
f = conn.makefile("rwb")


def line():
    text = f.readline().decode("latin-1").rstrip("\r\n")
    if not text:
        print("< (end)")
        sys.exit(1)
    return text


def send(text):
    f.write(text.encode() + b"\r\n")
    f.flush()


greeting = line()
imap, pop = greeting.startswith("*"), greeting.startswith("+")


def starttls():
    global conn, f
    send("a STARTTLS" if imap else "STLS" if pop else "STARTTLS")
    line()
    ctl.recv(1)
    ctl.sendall("".join(x + "\0" for x in facts).encode() + b"\0")
    ctl.close()
    conn = tls
    conn.settimeout(60)
    f = conn.makefile("rwb")


def offered():
    found = []
    send("b CAPABILITY" if imap else "CAPA" if pop else "EHLO x")
    while True:
        got = line()
        if imap and got.startswith("* CAP"):
            found = [w[5:] for w in got.split() if w.startswith("AUTH=")]
        elif pop and got.startswith("SASL "):
            found = got.split()[1:]
        elif got[3:9].upper() == " AUTH " or got[3:9].upper() == "-AUTH ":
            found = got.split()[1:]
        if got == "." or got.startswith("250 ") or got.startswith("b "):
            return " ".join(found)


def b64(b):
    return base64.b64encode(b).decode()


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def mac(key, text):
    return hmac.new(key, text, "sha256").digest()


class Scram:
    def __init__(self):
        plus = mech.upper().endswith("-PLUS")
        flag = o.get("gs2", "p=tls-exporter" if plus else "n")
        who = o.get("authzid")
        self.gs2 = "%s,%s," % (flag, "a=" + who if who else "")
        self.nonce = o.get("nonce") or b64(os.urandom(18))
        name = user.replace("=", "=3D").replace(",", "=2C")
        self.bare = "n=%s,r=%s" % (name, self.nonce)
        self.data = binding if flag.startswith("p") else b""
        self.step = 0

    def first(self):
        return (self.gs2 + self.bare).encode()

    def next(self, text):
        if text.startswith(b"e="):
            return b""
        self.step += 1
        if self.step > 1:
            v = b"v=" + base64.b64encode(mac(self.server_key, self.auth))
            print("verified" if v == text else "NOT VERIFIED")
            return o.get("ack", "").encode()
        a = dict(p.split("=", 1) for p in text.decode().split(","))
        if not a["r"].startswith(self.nonce):
            sys.exit("the nonce is not ours")
        salted = hashlib.pbkdf2_hmac("sha256", secret.encode(),
                                     base64.b64decode(a["s"]), int(a["i"]))
        nonce = a["r"]
        if "tail" in o:
            nonce = self.nonce + o["tail"]
        c = b64(self.gs2.encode() + self.data)
        final = "c=%s,r=%s" % (c, nonce)
        self.auth = ("%s,%s,%s" % (self.bare, text.decode(), final)).encode()
        key = mac(salted, b"Client Key")
        self.server_key = mac(salted, b"Server Key")
        proof = xor(key, mac(hashlib.sha256(key).digest(), self.auth))
        return (final + ",p=" + o.get("proof", b64(proof))).encode()


class Simple:
    def __init__(self):
        if "text" in o:
            self.text = open(o["text"], "rb").read()
        elif mech == "PLAIN":
            self.text = ("%s\0%s\0%s" % (o.get("authzid", ""), user,
                                         secret)).encode()
        elif mech == "EXTERNAL":
            self.text = o.get("authzid", "").encode()
        elif mech == "XOAUTH2":
            self.text = ("user=%s\1auth=Bearer %s\1\1" % (user,
                                                          secret)).encode()
        elif mech == "OAUTHBEARER":
            self.text = ("n,a=%s,\1host=x\1port=1\1auth=Bearer %s\1\1"
                         % (user, secret)).encode()

    def first(self):
        return self.text

    def next(self, text):
        return b"\1" if mech == "OAUTHBEARER" else b""


def attempt():
    c = Scram() if mech.startswith("SCRAM") else Simple()
    late = "late" in o
    begin = time.monotonic()
    first = "" if late else " " + (b64(c.first()) or "=")
    send(("c AUTHENTICATE " if imap else "AUTH ") + mech + first)
    while True:
        got = line()
        if not (got.startswith("334") or got.startswith("+ ")):
            break
        text = base64.b64decode(got.split(" ", 1)[1])
        if text:
            print("<", text.decode("latin-1"))
        if late:
            late = False
            send(b64(c.first()))
        else:
            send(b64(c.next(text)))
    print("<", got)
    print("= %.1f ms" % ((time.monotonic() - begin) * 1000))


if facts:
    starttls()
print("offered", offered())
for i in range(int(o.get("times", 1))):
    attempt()
f.close()
conn.close()
child.wait(30)
