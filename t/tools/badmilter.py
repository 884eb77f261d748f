#!/usr/bin/env python3
"""A server that is no good milter.

usage: badmilter.py SOCKET WHAT
"""
import os, socket, struct, sys, threading, time

path, what = sys.argv[1:]
FULL = struct.pack('>III', 6, 0x1ff, 0)


def packet(body):
    return struct.pack('>I', len(body)) + body


def options(version=6, actions=0x1ff, steps=0):
    return packet(b'O' + struct.pack('>III', version, actions, steps))


def read_packet(c):
    head = b''
    while len(head) < 4:
        more = c.recv(4 - len(head))
        if not more:
            return None
        head += more
    body = b''
    n = struct.unpack('>I', head)[0]
    while len(body) < n:
        more = c.recv(n - len(body))
        if not more:
            return None
        body += more
    return body


ANSWERS = {
    'http': b'HTTP/1.0 400 Bad Request\r\n\r\n',
    'zeros': b'\0' * 100,
    'random': os.urandom(1) + b'\x91\xaf\xfe\x17' * 100,
    'long': struct.pack('>I', 0x7fffffff) + b'O' * 100,
    'short': packet(b'O' + FULL[:7]),
    'version': options(version=7),
    'actions': options(actions=0x1000),
    'steps': options(steps=0x800),
    'twice': options() * 2,
    'early': options() + packet(b'hX\0y\0'),
}
COMMANDS = b'CHMRTLNBE'


def serve(c):
    if what == 'silent':
        time.sleep(60)
    elif what == 'drip':
        for b in options() * 1000:
            c.send(bytes([b]))
            time.sleep(0.2)
    elif what in ANSWERS:
        c.sendall(ANSWERS[what])
        c.recv(65536)
        time.sleep(60)
    read_packet(c)
    c.sendall(options())
    while (body := read_packet(c)) is not None:
        if body[:1] == b'B' and what == 'full':
            time.sleep(60)
        if body[:1] == b'E' and what == 'changes':
            c.sendall(packet(b'hX\0y\0') * 10001)
        if body[0] in COMMANDS:
            c.sendall(packet(b'c'))


def answer(c):
    try:
        serve(c)
    except OSError:
        pass
    c.close()


s = socket.socket(socket.AF_UNIX)
s.bind(path)
s.listen(5)
while True:
    c, _ = s.accept()
    threading.Thread(target=answer, args=(c,), daemon=True).start()
