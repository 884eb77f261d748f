#!/usr/bin/env bats
#
# Messages that are compressed on disk, by us or by another program.

load lib
load imap

setup() {
	at_home
	mkdir conf
	mkdir -p box/tmp box/new box/cur
}

@test "compress gzip: APPEND and mdeliver write it, and nobody sees it" {
	echo 'compress gzip' >conf/imap
	printf 'Subject: by mdeliver\n\nhello\n' >m
	run -0 mdeliver box <m
	f=$(echo box/new/*)
	zcat <"$f" | cmp - m
	[[ $f == *,S=$(stat -c %s m),W=* ]]
	py <<'E'
import glob, gzip, os
from client import Session
a = Session()
m = "Subject: one\r\nFrom: a@b.c\r\n\r\n" + "line\r\n" * 2000
a(f"APPEND INBOX (\\Seen) {{{len(m)}+}}\r\n{m}")
a("CREATE X")
a("SELECT INBOX")
for f in glob.glob("box/cur/*"):
    p = gzip.open(f).read()
    assert f",S={len(p)},W={len(p) + p.count(10)}:2," in f, f
    assert os.path.getsize(f) < max(len(p) / 10, 100)
def same(s, uid, n=1):
    got = s(f"UID FETCH {uid} (RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[] BODY.PEEK[TEXT]<6.6>)")
    assert f"RFC822.SIZE {len(m)} " in got[0] and "\r\n" + m in got[0], got
    assert '"one"' in got[0] and " 2000" in got[0] and "{6}\r\nline\r\n" in got[0], got
same(a, 2)
a("COPY 2 X"); a("MOVE 2 X")
assert a("UID SEARCH TEXT hello") == ["* SEARCH 1"]
a("SELECT X")
same(a, 1); same(a, 2)
a.close()
# without the index, and without what names say
for f in glob.glob("box/.X/pneu.*"):
    os.unlink(f)
for i, f in enumerate(sorted(glob.glob("box/.X/cur/*"))):
    assert f",S={len(m) - 2003},W={len(m)}:2,S" in f and open(f, "rb").read(2) == b"\x1f\x8b"
    if i:
        os.rename(f, "box/.X/cur/17.x.y:2,S")
a = Session()
a("SELECT X")
same(a, 1); same(a, 2)
assert os.listdir("box/.X/tmp") == []
E
	printf '%s\r\n' STAT 'RETR 1' QUIT | mpop -p box 2>/dev/null | tr -d '\r' >got
	grep -qx '+OK 1 31' got
	grep -qx hello got
}

@test "what another program compressed is read; what is damaged, as it is" {
	py <<'E'
import gzip, os
from client import Session
m = b"Subject: old\n\n" + b"text\n" * 5000
z = gzip.compress(m)
def put(name, data):
    open("box/cur/" + name, "wb").write(data)
put(f"1.a.h,S={len(m)}:2,S", z)
put(f"2.b.h,S={len(m)},W={len(m) + m.count(10)}:2,S", gzip.compress(m[:99]) + gzip.compress(m[99:]))
put("3.cut.h:2,S", z[:-9])
put("4.noise.h:2,S", z[:20] + bytes(range(256)) + z[276:])
put("5.tail.h:2,S", z + b"\0" * 99)
put("6.short.h:2,S", b"\x1f\x8b\x08")
put("7.short.h:2,S", b"\x1f\x8b")
a = Session()
a("SELECT INBOX")
got = a("FETCH 1:7 (RFC822.SIZE)")
full = len(m) + m.count(10)
for i in 1, 2, 5:
    assert got[i - 1] == f"* {i} FETCH (RFC822.SIZE {full})", got
    assert a(f"FETCH {i} (BODY.PEEK[TEXT])")[0].count("text\r\n") == 5000
for i in 3, 4, 6, 7:
    s = a(f"FETCH {i} (RFC822.SIZE)")[0]
    assert 0 < int(s.split()[-1][:-1]) < 1000, s
    a(f"FETCH {i} (BODY.PEEK[] ENVELOPE)")
assert a("SEARCH SUBJECT old") == ["* SEARCH 1 2 5"]
a("CREATE Y"); a("COPY 1:7 Y")
for f in os.listdir("box/.Y/cur"):
    assert open("box/.Y/cur/" + f, "rb").read(2) == b"\x1f\x8b"
a("SELECT Y")
assert [x.split()[-1] for x in a("FETCH 1:7 (RFC822.SIZE)")] == [
    a(f"FETCH {i} (RFC822.SIZE)")[0].split()[-1] for i in range(1, 8)]
assert os.listdir("box/tmp") == []
E
}

@test "a message that begins like a gzip file comes back as it was" {
	py <<'E'
import gzip
from client import Session
a = Session()
a("SELECT INBOX")
for m in gzip.compress(b"Subject: x\n\nsurprise\n", mtime=0) + b"\r\n", b"\x1fabc\r\n":
    m = m.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    a.send(b"x APPEND INBOX {%d+}\r\n%s" % (len(m), m))
    a.until("x OK")
    a.send("x FETCH * (BODY.PEEK[])")
    raw = b""
    while not raw.endswith(b"x OK Fetch completed\r\n"):
        raw += a.p.stdout.readline()
    want = m.replace(b"\0", b"\x80")
    assert b"{%d}\r\n%s)\r\n" % (len(m), want) in raw, (want, raw)
E
}

@test "a Maildir of compressed messages is imported with its text and dates" {
	mkdir -p other/tmp other/new other/cur
	printf 'Subject: packed\n\ntext\n' | gzip >other/cur/1.a.h:2,S
	touch -d '2001-02-03 04:05:06 UTC' other/cur/1.a.h:2,S
	MAILDIR=box run -0 mindex import maildir other
	f=$(echo box/cur/*)
	printf 'Subject: packed\n\ntext\n' | cmp - "$f"
	[ "$(date -u -r "$f" +%F)" = 2001-02-03 ]
}
