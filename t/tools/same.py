#!/usr/bin/env python3
"""Compare a mailbox with the files that were sent to it.

usage: same.py pop3|imap PORT CA USER PASSWORD DIR
       same.py maildir PATH DIR
Every file of DIR must be there once, byte for byte behind the trace
fields that were put on top.  By POP3 and IMAP the sizes that were told
(STAT, LIST, RFC822.SIZE) must be those of what was served.
"""
import glob
import imaplib
import os
import poplib
import re
import ssl
import sys

TRACE = re.compile(rb"(?:(?:Return-Path|Delivered-To|Received):.*\n"
                   rb"(?:[ \t].*\n)*)+")


def pop3(port, ca, user, password):
    p = poplib.POP3_SSL("localhost", int(port), timeout=60,
                        context=ssl.create_default_context(cafile=ca))
    p.user(user)
    p.pass_(password)
    count, total = p.stat()
    sizes = [int(line.split()[1]) for line in p.list()[1]]
    assert len(sizes) == count and sum(sizes) == total, "STAT and LIST differ"
    for n in range(1, count + 1):
        lines = p.retr(n)[1]
        data = b"".join(line + b"\r\n" for line in lines)
        assert len(data) == sizes[n - 1], \
            "message %d: LIST %d, RETR %d" % (n, sizes[n - 1], len(data))
        yield data
    p.quit()


def imap(port, ca, user, password):
    i = imaplib.IMAP4_SSL("localhost", int(port), timeout=60,
                          ssl_context=ssl.create_default_context(cafile=ca))
    i.login(user, password)
    count = int(i.select("INBOX", readonly=True)[1][0])
    for n in range(1, count + 1):
        answer = i.fetch(str(n), "(RFC822.SIZE BODY.PEEK[])")[1][0]
        size = int(re.search(rb"RFC822.SIZE (\d+)", answer[0]).group(1))
        assert len(answer[1]) == size, \
            "message %d: RFC822.SIZE %d, BODY[] %d" % (n, size, len(answer[1]))
        yield answer[1]
    i.logout()


def maildir(path):
    for name in glob.glob(path + "/new/*") + glob.glob(path + "/cur/*"):
        with open(name, "rb") as f:
            data = f.read()
        told = re.search(r",S=(\d+),W=(\d+)", name)
        crlf = len(data) + data.count(b"\n") - data.count(b"\r\n")
        assert told and (int(told[1]), int(told[2])) == (len(data), crlf), \
            "%s: %d and %d octets" % (name, len(data), crlf)
        yield data.replace(b"\n", b"\r\n")


how, args, folder = sys.argv[1], sys.argv[2:-1], sys.argv[-1]
got = []
for message in {"pop3": pop3, "imap": imap, "maildir": maildir}[how](*args):
    text = message.replace(b"\r\n", b"\n")
    trace = TRACE.match(text)
    got.append(text[trace.end():] if trace else text)
want = []
for name in sorted(os.listdir(folder)):
    with open(os.path.join(folder, name), "rb") as f:
        want.append(f.read())
missing = [m for m in want if m not in got]
extra = [m for m in got if m not in want]
for m in missing[:3]:
    print("missing: %r" % m[:300])
for m in extra[:3]:
    print("not sent: %r" % m[:300])
if missing or extra or len(got) != len(want):
    sys.exit("%s: %d of %d are the same" %
             (how, len(want) - len(missing), len(want)))
print("%d the same" % len(want))
