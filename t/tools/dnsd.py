#!/usr/bin/env python3
"""A small DNS server on loopback, for PNEU_DNS in tests.

usage: dnsd.py ZONE [LOG]
Prints the port (UDP and TCP), then answers from the file ZONE, read anew
for each question.  A line of it:

  NAME A|AAAA|MX|CNAME|TXT|PTR VALUE     MX has a preference in front
  NAME fail [TYPE]     SERVFAIL, to every type or to that one
  NAME silent          no answer
  NAME secure          the AD flag
  NAME truncated       by UDP only the flag, the records by TCP
  NAME lies            in front of the answer wrong ones: id, question
  NAME loop            a name that points at itself
A name that is not there is NXDOMAIN.  LOG gets a line for each question:
udp|tcp NAME TYPE.
"""
import socket
import struct
import sys
import threading

TYPES = {"A": 1, "CNAME": 5, "PTR": 12, "MX": 15, "TXT": 16, "AAAA": 28}
WORDS = ("fail", "silent", "secure", "truncated", "lies", "loop")


def zone():
    with open(sys.argv[1]) as f:
        return [w for w in (line.split() for line in f) if len(w) > 1]


def wire(name):
    labels = [x for x in name.strip(".").split(".") if x]
    return b"".join(bytes([len(x)]) + x.encode() for x in labels) + b"\0"


def data(kind, words):
    if kind == "A":
        return socket.inet_aton(words[0])
    if kind == "AAAA":
        return socket.inet_pton(socket.AF_INET6, words[0])
    if kind == "MX":
        return struct.pack(">H", int(words[0])) + wire(words[1])
    if kind == "TXT":
        text = " ".join(words).encode()
        return b"".join(bytes([len(text[i:i + 9])]) + text[i:i + 9]
                        for i in range(0, len(text), 9))
    return wire(words[0])


def question(msg):
    at, labels = 12, []
    while msg[at]:
        labels.append(msg[at + 1:at + 1 + msg[at]].decode())
        at += 1 + msg[at]
    return ".".join(labels).lower(), struct.unpack(">H", msg[at + 1:at + 3])[0], msg[12:at + 5]


def answer(msg, tcp):
    """A list of datagrams."""
    name, number, asked = question(msg)
    kind = {v: k for k, v in TYPES.items()}.get(number, str(number))
    if len(sys.argv) > 2:
        with open(sys.argv[2], "a") as f:
            f.write("%s %s %s\n" % ("tcp" if tcp else "udp", name, kind))
    lines = [w for w in zone() if w[0].lower() == name]
    words = {w[1]: w[2:] for w in lines if w[1] in WORDS}
    if "silent" in words:
        return []
    records, rcode, flags = [], 0 if lines else 3, 0x81
    if "fail" in words and words["fail"] in ([], [kind]):
        rcode, lines = 2, []
    owner = name
    for _ in range(20):
        here = [w for w in zone() if w[0].lower() == owner and w[1] == kind]
        there = [w for w in zone() if w[0].lower() == owner and w[1] == "CNAME"]
        if rcode or here or not there:
            break
        records.append((owner, "CNAME", there[0][2:]))
        owner = there[0][2].lower()
    if not rcode:
        records += [(owner, kind, w[2:]) for w in here]
    if "truncated" in words and not tcp:
        records, flags = [], 0x83
    body = b"".join(wire(o) + struct.pack(">HHIH", TYPES[k], 1, 60, len(data(k, d))) + data(k, d)
                    for o, k, d in records)
    if "loop" in words:
        at = 12 + len(asked)
        body, records = struct.pack(">HHHIH", 0xc000 | at, number, 1, 60, 0), [0]

    ad = 0x20 if "secure" in words else 0

    def whole(ident, q):
        return (ident + struct.pack(">BBHHHH", flags, 0x80 | ad | rcode, 1, len(records), 0, 0)
                + q + body)
    good = whole(msg[:2], asked)
    if "lies" in words:
        other = bytes([msg[0] ^ 1, msg[1]])
        return [b"", b"x", whole(other, asked),
                whole(msg[:2], wire("other.test") + asked[-4:]), good]
    return [good]


def by_tcp(server):
    while True:
        c, _ = server.accept()
        with c, c.makefile("rb") as f:
            n = f.read(2)
            if len(n) == 2:
                for a in answer(f.read(struct.unpack(">H", n)[0]), True):
                    c.sendall(struct.pack(">H", len(a)) + a)


def both():
    """A port that is free for UDP and TCP."""
    while True:
        u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        u.bind(("127.0.0.1", 0))
        t = socket.socket()
        try:
            t.bind(u.getsockname())
        except OSError:
            u.close()
            t.close()
            continue
        t.listen(16)
        return u, t


udp, tcp_server = both()
threading.Thread(target=by_tcp, args=(tcp_server,), daemon=True).start()
print(udp.getsockname()[1], flush=True)
while True:
    message, peer = udp.recvfrom(4096)
    for a in answer(message, False):
        udp.sendto(a, peer)
