#!/usr/bin/env bats
#
# Sizes that stand in the names of files, ,S= and ,W=: believed until the
# file is opened.  A wrong one, of a file that was edited or that another
# program named so, never cuts a message off, fills it up or ends a session
# ("Cached message size larger than expected").

load lib

setup() {
	cd "$BATS_TEST_TMPDIR"
	export HOME=$BATS_TEST_TMPDIR
	export PNEU_CONF=$BATS_TEST_TMPDIR/no-conf
	export PYTHONPATH=$BATS_TEST_TMPDIR:$ROOT/t/imap PYTHONDONTWRITEBYTECODE=1
	mkdir -p box/tmp box/new box/cur
	cat >put.py <<-'E'
		import re
		def wire(m):
		    m = m if m.endswith(b"\n") else m + b"\n"
		    return re.sub(rb"(?<!\r)\n", b"\r\n", m)
		def text(n, lines):
		    return (b"Subject: s%d\n\n" % n) + b"a line of text\n" * lines
		def put(n, m, s=None, w=None, data=None):
		    """A message that says of itself what it likes."""
		    name = "box/cur/%d.M1P1.h" % (1000000000 + n)
		    name += ",S=%d" % (len(m) if s is None else s)
		    name += ",W=%d" % (len(wire(m)) if w is None else w)
		    open(name + ":2,S", "wb").write(data or m)
		    return name + ":2,S"
		def size(a, n):
		    got = a("FETCH %d (RFC822.SIZE)" % n)
		    return int(re.match(r"\* \d+ FETCH \(RFC822.SIZE (\d+)\)$", got[0])[1])
		def body(a, n, items="BODY.PEEK[]"):
		    got = a("FETCH %d (%s)" % (n, items))
		    assert len(got) == 1, got
		    m = re.search(r"BODY\[\] \{(\d+)\}\r\n(.*)", got[0], re.S)
		    text = m[2].encode()
		    rest = text[int(m[1]):].decode()
		    return text[:int(m[1])], rest, got[0][:m.start()]
	E
}

py() {
	run python3 - 3>&-
	[ $status -eq 0 ] || { echo "$output"; false; }
}

@test "sizes in names are told without a look at any file" {
	python3 - <<-'E'
		from put import *
		for n in range(200):
		    put(n, text(n, n))
	E
	strace -f -e trace=file -o calls mimapd -p box >out <<-'E'
		1 STATUS INBOX (SIZE)
		2 SELECT INBOX
		3 FETCH 1:* (RFC822.SIZE)
		4 LOGOUT
	E
	[ "$(grep -c 'RFC822.SIZE' out)" = 200 ]
	grep -q '^\* 200 FETCH (RFC822.SIZE 3201)' out
	sum=$(sed -n 's/.*RFC822.SIZE \([0-9]*\).*/\1/p' out | paste -sd+ | bc)
	grep -q "SIZE $sum)" out
	! grep 'M1P1' calls || false
	strace -f -e trace=file -o calls mpop -p box <<<$'STAT\r\nLIST\r\nQUIT\r' >out
	grep -q "^+OK 200 $sum" out
	! grep 'M1P1' calls || false
}

@test "a wrong W= never shows in a literal, and is told once it is known" {
	py <<'E'
from put import *
from client import Session
small, large = text(1, 10), text(2, 30000)
for n, m in (1, small), (3, large):
    put(n, m, w=len(m) + 1)       # too short
    put(n + 1, m, w=2 * len(m))   # too long
a = Session()
a("SELECT INBOX")
for n, m in (1, small), (2, small), (3, large), (4, large):
    said = size(a, n)
    assert said == (len(m) + 1 if n % 2 else 2 * len(m)), said
    got, rest, before = body(a, n)
    assert got == wire(m), (n, len(got), len(wire(m)))
    assert f" RFC822.SIZE {len(got)}" in rest, rest
    got, rest, before = body(a, n)
    assert got == wire(m) and "RFC822.SIZE" not in rest
    assert size(a, n) == len(wire(m))
    assert a(f"FETCH {n} BODY.PEEK[]<{len(wire(m))}.9>")[0].endswith(' "")')
a("LOGOUT"); a.close()
b = Session() # it is in the index
b("SELECT INBOX")
assert [size(b, n) for n in range(1, 5)] == [len(wire(m)) for m in (small, small, large, large)]
E
}

@test "one answer has one size, whatever the name says" {
	py <<'E'
from put import *
from client import Session
for n, m in (1, text(1, 10)), (2, text(2, 30000)), (3, text(3, 2)):
    put(n, m, w=len(m) + 2)
    a = Session()
    a("SELECT INBOX")
    got, rest, before = body(a, n, "RFC822.SIZE BODY.PEEK[]")
    assert got == wire(m) and f"RFC822.SIZE {len(got)}" in before, before
    a.close()
    rest = f"FETCH (RFC822.SIZE {len(wire(m))} BODY"
put(4, text(4, 9), w=len(text(4, 9)) + 2)
a = Session()
a("SELECT INBOX")
assert f"RFC822.SIZE {len(wire(text(4, 9)))} " in a("FETCH 4 (RFC822.SIZE BODYSTRUCTURE)")[0]
E
}

@test "a file that was edited is found out by whatever opens it" {
	py <<'E'
from put import *
from client import Session
for n, road in enumerate(("BODY.PEEK[]", "BODY.PEEK[TEXT]", "BODY.PEEK[1]",
        "ENVELOPE", "BODYSTRUCTURE", "PREVIEW", "SEARCH TEXT nowhere", "RFC822.TEXT"), 1):
    for k, lines in (0, 30), (50, 20000):
        m = text(n, lines)
        new = text(n, lines) + b"more\n" * 7
        put(n + k, m, data=new)
        a = Session()
        a("SELECT INBOX")
        i = 1 if lines == 30 else 2
        assert size(a, i) == len(wire(m))
        a(road if "SEARCH" in road else f"FETCH {i} ({road})")
        assert size(a, i) == len(wire(new)), (road, lines, size(a, i), len(wire(new)))
        a.close()
    import glob, os
    for f in glob.glob("box/cur/*") + glob.glob("box/pneu*"): os.unlink(f)
E
}

@test "what was kept of a text goes with the size that was another's" {
	py <<'E'
from put import *
from client import Session
f = put(1, text(1, 5))
a = Session()
a("SELECT INBOX")
assert '"s1"' in a("FETCH 1 (ENVELOPE BODYSTRUCTURE)")[0]
open(f, "wb").write(text(99, 6))
a("FETCH 1 BODY.PEEK[]")
assert '"s99"' in a("FETCH 1 (ENVELOPE)")[0]
a("LOGOUT"); a.close()
b = Session()
b("SELECT INBOX")
assert '"s99"' in b("FETCH 1 (ENVELOPE)")[0]
assert size(b, 1) == len(wire(text(99, 6)))
E
}

@test "POP3: RETR says and sends what is there, and LIST then tells it" {
	py <<'E'
from put import *
import subprocess
small, large = text(1, 10) + b".dot\n", text(2, 30000)
put(1, small, w=len(small) + 1)
put(2, small, data=small + b"edited\n")
put(3, large, w=2 * len(large))
put(4, large, data=large[:70000])
want = [small, small + b"edited\n", large, large[:70000]]
out = subprocess.run(["mpop", "-p", "box"], stdout=subprocess.PIPE, check=True,
    input=b"".join(b"RETR %d\r\n" % n for n in range(1, 5)) + b"LIST\r\nQUIT\r\n").stdout
for n, m in enumerate(want, 1):
    head = b"+OK %d octets\r\n" % len(wire(m))
    sent = head + wire(m).replace(b"\r\n.", b"\r\n..") + b".\r\n"
    assert out.count(sent) == 1, (n, len(wire(m)))
    assert b"\r\n%d %d\r\n" % (n, len(wire(m))) in out
out = subprocess.run(["mpop", "-p", "box"], stdout=subprocess.PIPE, check=True,
    input=b"STAT\r\nQUIT\r\n").stdout
assert b"+OK 4 %d\r\n" % sum(len(wire(m)) for m in want) in out, out
E
}

@test "compressed files have the sizes of their text; sizes that can't be do not count" {
	py <<'E'
from put import *
from client import Session
import gzip
m = text(1, 30000)
put(1, m, data=gzip.compress(m))
put(2, m, data=gzip.compress(m + b"more\n"))
for n, s, w in (3, 10, 9), (4, 10, 100), (5, 10, 2 ** 64), (6, 2 ** 63, 2 ** 63), (7, 0, 0):
    put(n, text(n, 5), s=s, w=w)
a = Session()
a("SELECT INBOX")
assert size(a, 1) == size(a, 2) == len(wire(m))
assert body(a, 1)[0] == wire(m) and size(a, 1) == len(wire(m))
assert body(a, 2)[0] == wire(m + b"more\n") and size(a, 2) == len(wire(m)) + 6
for n in range(3, 8):
    assert size(a, n) == len(wire(text(n, 5))), n
E
}

@test "a copy of a message whose name is wrong is named right" {
	py <<'E'
from put import *
from client import Session
import os
m = text(1, 10)
put(1, m, w=len(m) + 3)
put(2, m, data=m + b"more\n")
a = Session()
a("CREATE X"); a("SELECT INBOX")
a("COPY 1:2 X") # nobody knows yet
a("FETCH 1:2 BODY.PEEK[]")
a("CREATE Y"); a("COPY 1:2 Y")
names = " ".join(os.listdir("box/.Y/cur"))
for n in m, m + b"more\n":
    assert f",S={len(n)},W={len(wire(n))}:" in names, names
for box in "X", "Y":
    a("SELECT " + box)
    assert body(a, 1)[0] == wire(m) and size(a, 1) == len(wire(m))
    assert body(a, 2)[0] == wire(m + b"more\n") and size(a, 2) == len(wire(m)) + 6
E
}

@test "mindex check finds wrong sizes, repair mends names and index" {
	python3 - <<-'E'
		from put import *
		put(1, text(1, 10), w=len(text(1, 10)) + 3)
		put(2, text(2, 10), data=text(2, 11))
		put(3, text(3, 10))
	E
	mindex -d box show INBOX >/dev/null
	run mindex -d box check
	[ "$(grep -c 'W= in its name' <<<"$output")" = 2 ]
	[ "$(grep -c 'S= in its name' <<<"$output")" = 1 ]
	[ "$(grep -c 'the size in the index' <<<"$output")" = 2 ]
	mindex -d box repair
	run -0 mindex -d box check
	[ -z "$output" ]
	ls box/cur | grep -c ',S=178,W=191:2,S'
	ls box/cur | grep -c ',S=163,W=175:2,S'
}
