"""SEARCH BODY and TEXT of random needles, against what is known of the mail.

usage: needles.py MAILDIR

Messages are made in several encodings and charsets.  A needle that was cut
from a message must find it, the first time (when it is read) and again
(when its signature tells): exactly the messages that hold it are found.
"""

import base64
import quopri
import random
import subprocess
import sys
import time
from pathlib import Path

random.seed(int(sys.argv[2]) if len(sys.argv) > 2 else 7)
WORDS = ("quick brown fox lazy dog Über Straße naïve café Привет мир "
         "ελληνικά 日本語 x y zz =?no?= {braces} a.b.c 100% ' \\ & Ж").split()
box = Path(sys.argv[1])
for d in ("tmp", "new", "cur"):
    (box / d).mkdir(parents=True, exist_ok=True)


def text(n):
    lines = []
    for _ in range(n):
        words = random.choices(WORDS, k=random.randint(1, 9))
        if random.random() < 0.3:
            words.append("".join(random.choices("abcdefghijklmnop", k=12)))
        lines.append(" ".join(words))
    return "\n".join(lines) + "\n"


def part(body):
    kind = random.choice("8qbl")
    head, raw = "Content-Type: text/plain; charset=utf-8\n", body.encode()
    if kind == "q":
        head += "Content-Transfer-Encoding: quoted-printable\n"
        raw = quopri.encodestring(raw)
    elif kind == "b":
        head += "Content-Transfer-Encoding: base64\n"
        raw = base64.encodebytes(raw.replace(b"\n", b"\r\n"))
    elif kind == "l":
        head = "Content-Type: text/plain; charset=koi8-r\n"
        body = body.encode("koi8-r", "ignore").decode("koi8-r")
        raw = body.encode("koi8-r")
    return head, raw, body


bodies = []
for i in range(60):
    parts = [part(text(random.choice((1, 3, 40, 400)))) for _ in
             range(random.choice((1, 1, 3)))]
    subject = f"Subject: number {i} of them"
    if len(parts) == 1:
        head, raw, _ = parts[0]
        m = f"{subject}\n{head}\n".encode() + raw
    else:
        m = (f"{subject}\nContent-Type: multipart/mixed; boundary=bb\n\n"
             ).encode()
        for head, raw, _ in parts:
            m += f"--bb\n{head}\n".encode() + raw + b"\n"
        m += b"--bb--\n"
    (box / "new" / f"{1700000000 + i}.m{i}.host").write_bytes(m)
    bodies.append([b for _, _, b in parts])

p = subprocess.Popen(["mimapd", "-p", str(box)], stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def command(line, literal=b""):
    data = line.encode()
    if literal:
        data += b" {%d+}\r\n" % len(literal) + literal
    p.stdin.write(b"a " + data + b"\r\n")
    p.stdin.flush()
    out = []
    while True:
        said = p.stdout.readline()
        assert said, "it has ended"
        if said.startswith(b"a "):
            assert said.startswith(b"a OK"), said
            return out
        if b"[INPROGRESS" not in said:  # a machine that was stopped
            out.append(said)


def found(key, needle):
    out = command(f"SEARCH {key}", needle.replace("\n", "\r\n").encode())
    return {int(x) - 1 for x in out[0].split()[2:]}


p.stdout.readline()
command("SELECT INBOX")
needles = []
for _ in range(120):
    i = random.randrange(len(bodies))
    b = random.choice(bodies[i])
    n = random.choice((1, 2, 3, 4, 5, 8, 13, 40))
    at = random.randrange(max(1, len(b) - n))
    needle = b[at:at + n]
    if random.random() < 0.2:
        needle = needle[:1] + "@" + needle[1:]
    if needle.strip("\n"):
        needles.append(needle)
for again in (1, 2):
    for needle in needles:
        for key in ("BODY", "TEXT"):
            n = needle.upper() if random.random() < 0.3 and \
                needle.upper().lower() == needle.lower() else needle
            want = {i for i, parts in enumerate(bodies)
                    if any(needle in b for b in parts)}
            got = found(key, n)
            if not want <= got:
                sys.exit(f"{key} {needle!r}, time {again}: {want - got} "
                         "were missed")
            if "@" in needle and len(needle) > 6 and got:
                sys.exit(f"{key} {needle!r}: {got} do not hold it")
            if again == 2 and random.random() < 0.02:
                none = found(key, "not in any of them")
                assert not none, none
p.stdin.close()
sys.exit(p.wait())
