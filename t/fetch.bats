#!/usr/bin/env bats
#
# mimapd(8): FETCH, from the files and from what the index keeps of them.

load lib
load imap

# Messages of all kinds in box/cur, delivered by something else.
messages() {
	python3 - <<'E'
import os
for d in "cur", "new", "tmp":
    os.makedirs("box/" + d)
m = [
    b"Subject: plain\nFrom: A <a@x>\nX-Odd: 1\n\nHello,\n\tworld\n",
    "Subject: ä\nTo: Ü <u@x>\n\n> quoted\nünquoted\n".encode(),
    b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\n"
    b"Content-Type: application/pdf; name=\"a\"\n"
    b"Content-Transfer-Encoding: base64\n\nQUJD\n--b\n"
    b"Content-Type: message/rfc822\n\nSubject: in\n\nin\n--b--\n",
    b"Subject: crlf\r\nReferences: <1>\r\n <2>\r\n\r\nx\r\n",
    b"Subject: no end\n\nlast line",
    b"Subject: no body\nDate: now",
    b"",
    b"References: " + b"<x@y>\n " * 9000 + b"<z>\nSubject: long\n\nx\n",
    b"X: " + b"y" * 300000 + b"\nSubject: far\n\n" + b"line\n" * 60000,
]
for i, text in enumerate(m):
    with open(f"box/cur/{1700000000 + i}.M{i}P1.h:2,", "wb") as f:
        f.write(text)
E
}

@test "what is kept is what the file says; no file is opened for it" {
	messages
	py <<'E'
import os, shutil
from client import Session
names = "date subject from to references x-priority list-id content-type"
asked = ["ENVELOPE", "BODY", "BODYSTRUCTURE", "RFC822.SIZE", "PREVIEW",
         f"BODY.PEEK[HEADER.FIELDS ({names})]",
         "(PREVIEW BODY ENVELOPE RFC822.SIZE)"]
def all(*a):
    s = Session(*a)
    s("SELECT INBOX")
    got = [s("FETCH 1:* " + x) for x in asked]
    twice = [s("FETCH 1:* " + x) for x in asked]
    assert got == twice
    s.close()
    return got
def session():
    s = Session()
    s("SELECT INBOX")
    return s
first = all()
assert "Hello" in first[4][0] and len(first[0]) == 9
# The same when they are asked for in another order, with nothing kept.
for x in asked:
    shutil.rmtree("copy", ignore_errors=True)
    shutil.copytree("box", "copy",
                    ignore=shutil.ignore_patterns("pneu.*"))
    s = Session("copy")
    s("SELECT INBOX")
    assert s("FETCH 1:* " + x) == first[asked.index(x)], x
    s.close()
    assert all("copy") == first
# Other fields than those are read; together they are the header.
s = session()
def lines(got):
    return got[0].split("\r\n", 1)[1][:-1].split("\r\n")
for i in 1, 2, 3, 4, 5, 6, 8, 9:
    head = lines(s(f"FETCH {i} BODY.PEEK[HEADER]"))
    some = lines(s(f"FETCH {i} BODY.PEEK[HEADER.FIELDS (subject x x-odd)]"))
    kept = lines(s(f"FETCH {i} BODY.PEEK[HEADER.FIELDS (Subject)]"))
    want = [x for x in head if x.startswith(("Subject:", "X:", "X-Odd:"))]
    assert some == want + ["", ""], (i, some)
    want = [x for x in want if x.startswith("S")]
    assert kept == want + ["", ""], (i, kept)
s.close()
# Texts are served from what is kept: the files could say what they like.
for n in os.listdir("box/cur"):
    open("box/cur/" + n, "w").write("Subject: other\n\nother\n")
s = session()
for k, x in enumerate(asked):
    assert s("FETCH 1:6 " + x) == first[k][:6], x
s.close()
E
}

@test "COPY and MOVE take along what is kept, and make nothing up" {
	messages
	py <<'E'
import glob
from client import Session
names = "date subject from to references x-priority list-id content-type"
def fetch(s, which):
    lines = s(f"FETCH {which} (ENVELOPE BODY BODYSTRUCTURE PREVIEW "
              f"RFC822.SIZE BODY.PEEK[HEADER.FIELDS ({names})])")
    return [x.split(" ", 2)[2] for x in lines]
s = Session()
s("CREATE A"); s("CREATE B"); s("SELECT INBOX")
one, two, three = fetch(s, "1:3")   # found out, and not written yet
s("COPY 1:4 A"); s("COPY 2,1 INBOX"); s("MOVE 1 B"); s("MOVE 4 B")
s("SELECT A"); s("MOVE 2 B")
s.close()
# The files could say what they like now.
for n in glob.glob("box/cur/*") + glob.glob("box/.?/cur/*"):
    open(n, "w").write("Subject: other\n\nother\n")
s = Session()
s("SELECT A"); assert fetch(s, "1:2") == [one, three]
assert '"other"' in fetch(s, "3")[0]
s("SELECT B"); assert fetch(s, "1,3") == [one, two]
assert '"other"' in fetch(s, "2")[0]
s("SELECT INBOX"); assert fetch(s, "8:9") == [one, two]
s.close()
E
}

@test "APPEND leaves all that FETCH asks for with the index" {
	mkdir -p box/cur box/new box/tmp
	py <<'E'
import glob
from client import Session
asked = ("FETCH 1:* (ENVELOPE BODY BODYSTRUCTURE PREVIEW RFC822.SIZE "
         "BODY.PEEK[HEADER.FIELDS (Subject References)])")
s = Session()
s.append(3, text="Subject: {0}\r\nReferences: <a>\r\n\r\nbody {0}")
s("SELECT INBOX")
s.append(2, text="Subject: own {0}\r\n\r\nbody {0}\r\n")
s("NOOP")
# The files could say what they like: nobody looks.
for n in glob.glob("box/cur/*"):
    open(n, "w").write("Subject: other\n\nother\n")
got = s("FETCH 4:5 PREVIEW")
assert got == [f'* {i} FETCH (PREVIEW "body {i - 4}")' for i in (4, 5)], got
s.close()
s = Session()
s("SELECT INBOX")
got = s(asked)
for i, x in enumerate(got):
    n = i if i < 3 else i - 3
    assert f'PREVIEW "body {n}"' in x and "other" not in x, x
    assert "References: <a>\r\n" in x or i >= 3, x
    assert f'(NIL "{n}" NIL' in x or f'(NIL "own {n}" NIL' in x, x
E
}

@test "so does a delivery by mdeliver" {
	mkdir -p box/cur box/new box/tmp
	for i in 1 2; do
		printf 'Subject: s%s\n\nbody %s\n' $i $i | mdeliver box
	done
	for f in box/new/*; do
		echo "Subject: other" >"$f"
	done
	py <<'E'
from client import Session
s = Session()
s("SELECT INBOX")
got = s("FETCH 1:* (ENVELOPE PREVIEW BODY RFC822.SIZE)")
for i in 1, 2:
    assert f'"s{i}"' in got[i - 1] and f'"body {i}"' in got[i - 1], got
E
}

@test "a cache that is cut, damaged or removed costs time only" {
	messages
	py <<'E'
import os, random
from client import Session
def ask():
    s = Session()
    s("SELECT INBOX")
    got = s("FETCH 1:* (ENVELOPE BODYSTRUCTURE PREVIEW RFC822.SIZE)")
    s.close()
    return got
first = ask()
data = open("box/pneu.cache", "rb").read()
r = random.Random(1)
for i in range(40):
    d = bytearray(data)
    if i % 3 == 0:
        d = d[:r.randrange(len(d))]
    elif i % 3 == 1:
        for _ in range(20):
            d[r.randrange(len(d))] ^= 1 << r.randrange(8)
    else:
        a = r.randrange(len(d))
        d[a:a + 3000] = r.randbytes(min(3000, len(d) - a))
    if i == 39:
        os.unlink("box/pneu.cache")
    else:
        open("box/pneu.cache.x", "wb").write(d)
        os.rename("box/pneu.cache.x", "box/pneu.cache")
    assert ask() == first, i
    assert ask() == first, i
E
}

@test "the cache of messages that are gone is given back" {
	mkdir -p box/cur box/new box/tmp
	py <<'E'
import os
from client import Session
big = "References: " + "<aaaaaaaaaaaaa@bbbbbbbbb>\r\n " * 1200 + "<c>\r\n"
s = Session()
def again():
    global s
    s.close()
    s = Session()
    s("SELECT INBOX")
def add(n):
    s.append(n, text="Subject: {}\r\n" + big + "\r\nbody\r\n")
add(100)
again()
s("FETCH 1:* ENVELOPE")
again()
full = os.stat("box/pneu.cache").st_size
assert full > 2500000, full
s("STORE 1:95 +FLAGS.SILENT (\\Deleted)")
s("EXPUNGE")
sizes = []
for i in range(12):
    add(5)
    again()
    s("FETCH 1:* ENVELOPE")
    again()
    sizes.append(os.stat("box/pneu.cache").st_size)
assert min(sizes) < full, sizes
got = s("FETCH 1:* ENVELOPE")
assert len(got) == 65 and '"95"' in got[0], got[0]
again()
assert s("FETCH 1:* ENVELOPE") == got
E
}

@test "PREVIEW, and LAZY where nothing is known yet" {
	messages
	py <<'E'
from client import Session
s = Session()
s("SELECT INBOX")
assert " PREVIEW" in s("CAPABILITY")[0]
lazy = s("FETCH 1:3 (PREVIEW (LAZY))")
assert lazy == [f"* {i} FETCH (PREVIEW NIL)" for i in (1, 2, 3)], lazy
assert s("FETCH 1 PREVIEW") == ['* 1 FETCH (PREVIEW "Hello, world")']
assert s("FETCH 2 PREVIEW") == ["* 2 FETCH (PREVIEW {9}\r\n\u00fcnquoted)"]
assert s("FETCH 3 PREVIEW") == ['* 3 FETCH (PREVIEW "one")']
assert s("FETCH 7 PREVIEW") == ['* 7 FETCH (PREVIEW "")']
assert s("FETCH 1 PREVIEW (LAZY)") == ['* 1 FETCH (PREVIEW "Hello, world")']
assert s("UID FETCH 4 (UID PREVIEW (LAZY))") == [
    '* 4 FETCH (UID 4 PREVIEW NIL)']
assert s("FETCH 4 (PREVIEW (LAZY) BODY)")[0].startswith(
    '* 4 FETCH (PREVIEW "x" BODY (')
for bad in "PREVIEW (OTHER)", "(PREVIEW (OTHER))", "PREVIEW ()", \
        "(PREVIEW LAZY)", "PREVIEW (LAZY LAZY)", "(UID (LAZY))":
    s("FETCH 1 " + bad, "BAD")
# A charset that APPEND leaves to whoever asks first.
for cs, text in ("koi8-r", "\u043f\u0440\u0438"), ("iso-2022-jp", "\u65e5"):
    m = f"Content-Type: text/plain; charset={cs}\r\n\r\n".encode()
    m += text.encode(cs)
    s.send(b"x APPEND INBOX {%d+}\r\n%s" % (len(m), m))
    assert "OK" in s.until("x ")[-1]
    n = len(text.encode())
    for _ in range(2):
        assert s("UID FETCH * PREVIEW")[-1].endswith(
            f"PREVIEW {{{n}}}\r\n{text})")
got = s("FETCH 1 (PREVIEW) (CHANGEDSINCE 999999)")
assert [x for x in got if "FETCH" in x] == [], got
E
}

@test "ENVELOPE stands while PREVIEW (LAZY) looks at what is new in the cache" {
	mkdir -p box/tmp box/new box/cur
	for i in 1 2 3; do
		printf 'Subject: s%d\n\ntext\n' "$i" >"box/cur/$i.M1P1.h:2,"
	done
	py <<'E'
from client import Session
a = Session()
a("SELECT INBOX")
a("FETCH 1:* ENVELOPE")
a("UNSELECT")
a("SELECT INBOX")
assert '"s1"' in a("FETCH 1 ENVELOPE")[0]
b = Session()
b("SELECT INBOX")
b("FETCH 1:* PREVIEW")
b.close()
a("NOOP")
said = a("FETCH 2 (ENVELOPE PREVIEW (LAZY))")[0]
assert '"s2"' in said and 'PREVIEW "text"' in said, said
E
}

@test "the last line of a file without its end is sent with one" {
	messages
	py <<'E'
from client import Session
s = Session()
s("SELECT INBOX")
assert s("FETCH 5 (RFC822.SIZE BODY.PEEK[])") == [
    "* 5 FETCH (RFC822.SIZE 30 BODY[] {30}\r\n"
    "Subject: no end\r\n\r\nlast line\r\n)"]
assert s("FETCH 5 BODY.PEEK[]<28.5>") == [
    "* 5 FETCH (BODY[]<28> {2}\r\n\r\n)"]
assert s("FETCH 5 BODY.PEEK[]<29.5>") == ["* 5 FETCH (BODY[]<29> {1}\r\n\n)"]
whole = s("FETCH 9 BODY.PEEK[]")[0].split("\r\n", 1)[1][:-1]
size = int(s("FETCH 9 RFC822.SIZE")[0].split()[-1][:-1])
assert len(whole) == size == 300000 + 360000 + 21, (len(whole), size)
for at in 0, 1, 299999, 300017, 500001, size - 3:
    part = s(f"FETCH 9 BODY.PEEK[]<{at}.70000>")[0].split("\r\n", 1)[1][:-1]
    assert part == whole[at:at + 70000], at
E
}

@test "no 8-bit byte is in a quoted string of ENVELOPE or BODYSTRUCTURE" {
	mkdir -p box/cur box/new box/tmp
	python3 - <<'E'
open("box/cur/1.a:2,", "wb").write(
    b"Subject: \xc3\xa4\nFrom: \xc3\xa4 <a@b>, \"\xff\" <c@d>\n"
    b"Content-Type: text/plain; name=\"\xc3\xa4.txt\"; x=\"\xff\"\n"
    b"Content-Description: \xc3\xa4\n\nx\n")
E
	py <<'E'
import re
from client import Session
s = Session()
s("SELECT INBOX")
s.send("y FETCH 1 (ENVELOPE BODY BODYSTRUCTURE)")
got = s.p.stdout.read1(100000)
while b"\ny OK" not in got:
    got += s.p.stdout.read1(100000)
for q in re.findall(rb'"[^"]*"', got):
    assert q.isascii(), q
assert b'"=?UTF-8?B?w6Q=?="' in got
assert b'"name*" "utf-8\'\'%C3%A4.txt"' in got
assert b"{1}\r\n\xff" in got, got
E
}

@test "a message that is there and can't be read is none that has gone" {
	messages
	py <<'E'
import os
from client import Session
name = "box/cur/1700000001.M1P1.h:2,"
s = Session()
s("SELECT INBOX")
os.rename(name, "away")
os.symlink(os.path.basename(name), name)
got = s("UID FETCH 1:4 (ENVELOPE)", "NO [UNAVAILABLE]")
assert len([x for x in got if " FETCH (UID" in x]) == 3, got
E
}
