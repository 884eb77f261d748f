#!/usr/bin/env python3
# usage: imapview.py COMMAND: what an IMAP server on stdin and stdout (PREAUTH)
# shows of its mailboxes, as lines that two servers can be compared by.
import imaplib
import re
import sys

m = imaplib.IMAP4_stream(sys.argv[1])
if m.state != "AUTH":
    sys.exit("no PREAUTH")


def names(lines):
    out = []
    for line in lines:
        if not line:
            continue
        sep, name = re.match(rb'\(.*?\) ("."|NIL) (.*)$', line).groups()
        if name.startswith(b'"'):
            name = re.sub(rb"\\(.)", rb"\1", name[1:-1])
        if b"oselect" not in line.lower() and b"onexistent" not in line.lower():
            out.append((name.replace(sep.strip(b'"'), b"/").decode(), name))
    return sorted(out)


for shown, name in names(m.lsub('""', "*")[1]):
    print("subscribed", shown)
for shown, name in names(m.list('""', "*")[1]):
    m.select(b'"' + re.sub(rb'(["\\])', rb"\\\1", name) + b'"', readonly=True)
    validity = m.untagged_responses["UIDVALIDITY"][0].decode()
    uidnext = m.untagged_responses["UIDNEXT"][0].decode()
    print(shown, validity, uidnext)
    _, data = m.uid("FETCH", "1:*", "(UID FLAGS INTERNALDATE RFC822.SIZE)")
    rows = {}
    for d in data:
        if not d:
            continue
        uid = int(re.search(rb"UID (\d+)", d).group(1))
        flags = re.search(rb"FLAGS \((.*?)\)", d).group(1).decode().split()
        flags = sorted(f for f in flags if f != "\\Recent")
        date = imaplib.Internaldate2tuple(d)
        size = re.search(rb"RFC822.SIZE (\d+)", d).group(1).decode()
        rows[uid] = (flags, date, size)
    for uid in sorted(rows):
        flags, date, size = rows[uid]
        print(" ", uid, " ".join(flags), "%d" % __import__("time").mktime(date), size)
m.logout()
