#!/usr/bin/env python3
"""Write 30 awkward messages, m01.eml to m30.eml, into a folder.

Lines end in LF, as between our programs.  Dots, "From " lines, 8-bit
bytes, trailing blanks, long lines, empty lines at the end.
usage: messages.py DIR FROM TO
"""
import sys

folder, sender, rcpt = sys.argv[1:]
bodies = [
    b".\n",
    b"..\n.\n...\n",
    b".leading\nno\n.\n.end\n",
    b"From the beginning\n>From quoted\nFrom me\n",
    b"trailing blanks   \ntab\t\n \n\t\n",
    b"x" * 900 + b"\n" + b"." * 900 + b"\n",
    b"y" * 998 + b"\n",
    "Grüße aus Köln, 東京, Ελλάδα\n".encode(),
    bytes(range(0x80, 0x100)) + b"\n",
    b"latin1 \xe4\xf6\xfc\xdf\n.\xff\n",
    b"\n\n\n",
    b"a\n\n\n\n",
    b"one line\n",
    b"QUIT\nRSET\nDATA\n.\nMAIL FROM:<a@b>\n",
    b"{10}\r"[:4] + b" literal\n* OK fake\na1 OK done\n",
    b"+OK fake\n-ERR fake\n.\n",
    b"=20 not quoted-printable =\n=3D\n",
    b"--boundary\n--boundary--\n",
    b"\x01\x02\x1b[31m control\n",
    b"tab\tin\tline\n.\tdot\n",
]
while len(bodies) < 30:
    n = len(bodies)
    bodies.append(b"".join(
        b"%s%d %s\n" % (b"." * (i % 4), i, b"z" * ((i * 37) % 900))
        for i in range(n * 7)))
for n, body in enumerate(bodies, 1):
    head = ("From: <%s>\nTo: <%s>\nSubject: awkward %d\n"
            "Date: Sun, 22 Nov 2026 22:44:%02d +0000\n"
            "Message-ID: <awkward.%d@example.test>\n" %
            (sender, rcpt, n, n, n)).encode()
    if n % 5 == 0:
        head += b"X-Folded: one\n two\n\tthree  \n"
    with open("%s/m%02d.eml" % (folder, n), "wb") as f:
        f.write(head + b"\n" + body)
