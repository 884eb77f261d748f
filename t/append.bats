#!/usr/bin/env bats
#
# mimapd(8): messages that come in by APPEND.

load lib
load imap

@test "a command with several messages leaves all of them or nothing" {
	py <<'E'
import os
from client import Session
a = Session()
a("SELECT INBOX")
many = "".join(f" (\\Seen $K{i % 3}) {{{6}+}}\r\nx: {i:03}" for i in range(500))
assert "* 500 EXISTS" in a("APPEND INBOX" + many)
assert " 1:500] " in a.tagged
assert os.listdir("box/tmp") == []
got = a("UID FETCH 500 (FLAGS BODY[])")
assert "x: 499\r\n" in got[0] and "$K1" in got[0], got
a("APPEND INBOX" + many + " {1+}\r\nx bad", "BAD")
assert os.listdir("box/tmp") == [] and len(os.listdir("box/cur")) == 500
# a message of no bytes cancels it
for end in "{0}", "{0+}\r\n", "~{0+}\r\n", "UTF8 (~{0+}\r\n)":
    a("APPEND INBOX" + many + " " + end, "NO [CANNOT]")
    a("APPEND INBOX " + end, "NO [CANNOT]")
assert os.listdir("box/tmp") == [] and len(os.listdir("box/cur")) == 500
# the connection ends in the last of them
b = Session()
b.send("x APPEND INBOX" + many + " {10+}\r\nx")
b.close()
assert os.listdir("box/tmp") == [] and len(os.listdir("box/cur")) == 500
assert not any("EXISTS" in x for x in a("NOOP"))
# too many to be held
a("APPEND INBOX" + "".join(" {1+}\r\nx" for i in range(2500)), "NO [LIMIT]")
assert os.listdir("box/tmp") == [] and len(os.listdir("box/cur")) == 500
a.append(1)
assert " 501] " in a.tagged
E
}

@test "one session fills several mailboxes, selected or not, gone and made anew" {
	py <<'E'
from client import Session
a, b = Session(), Session()
a("CREATE A"); a("CREATE B")
for box in "A", "A", "B", "A", "B":
    a.append(1, box)
# what FETCH tells is known to others at once
a.append(1, "B", "Subject: known{}\r\n\r\nbody\r\n")
assert b"known0" in open("box/.B/pneu.cache", "rb").read()
b("SELECT B"); b("UID STORE 3 +FLAGS.SILENT (\\Deleted)"); b("EXPUNGE"); b("CLOSE")
a("SELECT A")
a.append(2, "A"); a.append(2, "B"); a.append(1, "A")
assert " 6] " in a.tagged, a.tagged
got = a("STATUS B (MESSAGES UIDNEXT)")
assert got == ["* STATUS \"B\" (MESSAGES 4 UIDNEXT 6)"], got
b("STATUS A (MESSAGES)")
a("SELECT B"); a.append(1, "A")
assert " 7] " in a.tagged
b("DELETE A")
m = "Subject: x\r\n"
a(f"APPEND A {{{len(m)}+}}\r\n{m}", "NO [TRYCREATE]")
b("CREATE A")
a.append(1, "A")
assert " 1] " in a.tagged, a.tagged
b.append(1, "A")
assert " 2] " in b.tagged
a.append(1, "A")
assert " 3] " in a.tagged
E
}

@test "what is too large is refused before it is sent, or passed over" {
	mkdir conf
	printf 'message 100\n' >conf/limits
	py <<'E'
from client import Session
a = Session()
a("SELECT INBOX")
a("APPEND INBOX {101}", "NO [TOOBIG]")
a("APPEND INBOX {101+}\r\n" + "x" * 101, "NO [TOOBIG]")
a("APPEND INBOX {100+}\r\n" + "x" * 100)
a("APPEND INBOX {100+}\r\n" + "x" * 100 + " {101+}\r\n" + "x" * 101, "NO [TOOBIG]")
a("APPEND nobox {90}", "NO [TRYCREATE]")
got = a("NOOP")
assert got == [], got
a('APPEND INBOX CATENATE (URL "/INBOX/;UID=1" TEXT {1+}\r\nx)', "NO [TOOBIG]")
a('APPEND INBOX CATENATE (TEXT {1+}\r\nx URL "/INBOX/;UID=1")', "NO [TOOBIG]")
assert "APPENDLIMIT=100" in a("CAPABILITY")[0]
got = a("STATUS INBOX (APPENDLIMIT)")
assert got == ['* STATUS "INBOX" (APPENDLIMIT 100)'], got
assert a("STATUS INBOX (MESSAGES)") == ["* STATUS \"INBOX\" (MESSAGES 1)"]
E
}

@test "CATENATE takes text, URLs of every kind and UTF8, in any order" {
	py <<'E'
from client import Session
def lit(s): return f"{{{len(s)}+}}\r\n{s}"
a = Session()
a("CREATE Drafts")
old = ("Subject: old\r\nFrom: a@b.c\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
       "--b\r\n\r\ntext\r\n--b\r\nContent-Type: application/x-zip\r\n\r\nzip\r\n--b--\r\n")
a(f"APPEND Drafts {lit(old)}")
a("SELECT INBOX")
v = a("STATUS Drafts (UIDVALIDITY)")[0].split()[-1][:-1]
def text(uid=None):
    got = a("UID FETCH * (BODY.PEEK[])")[-1]
    return got.split("}\r\n", 1)[1][:-1]
for u in "/Drafts;UIDVALIDITY=" + v + "/;UID=1", "/Drafts/;UID=1":
    a(f'APPEND INBOX (\\Seen) CATENATE (URL "{u}/;SECTION=HEADER" TEXT ' + lit("--b\r\n") +
      f' URL {u}/;SECTION=2.MIME URL {lit(u + "/;SECTION=2")} TEXT ' + lit("\r\n--b--\r\n") + ')')
    assert " [APPENDUID " in a.tagged
    assert text() == old.split("--b")[0] + "--b\r\nContent-Type: application/x-zip\r\n\r\nzip\r\n--b--\r\n", text()
a('APPEND INBOX CATENATE (URL "/Drafts/;UID=1/;PARTIAL=9.3" TEXT {3+}\r\n: x URL "/Drafts/;UID=1/;SECTION=TEXT/;PARTIAL=60" URL /Drafts/;UID=1/;PARTIAL=100000)')
assert text() == "old: x" + old.split("\r\n\r\n", 1)[1][60:], text()
a('APPEND INBOX CATENATE (URL "/Drafts/;UID=1/;SECTION=HEADER.FIELDS%20(FROM)") (\\Flagged) CATENATE (TEXT {3+}\r\nx:y) {3+}\r\na:b')
assert ":" in a.tagged.split()[4], a.tagged
assert text() == "a:b\r\n"
n = a("STATUS INBOX (MESSAGES)")
for bad in ("/Drafts/;UID=2", "/nobox/;UID=1", "/Drafts;UIDVALIDITY=1/;UID=1", "http://x/", "/Drafts/;UID=1/;SECTION=9",
            ";UID=999", "imap://elsewhere.test/Drafts/;UID=1", "/Drafts/;UID=1/;SECTION=NONSENSE", "x]y"):
    a(f'APPEND INBOX CATENATE (TEXT {{3+}}\r\na:b URL "{bad}")', "NO [BADURL " + bad.replace("]", "?"))
    a(f'APPEND INBOX CATENATE (URL "{bad}" TEXT {{3+}}\r\na:b)', "NO [BADURL ")
for bad in ("CATENATE ()", "CATENATE", "CATENATE (X)", "CATENATE (TEXT)", "CATENATE (URL)", "CATENATE (TEXT x)",
            "CATENATE (TEXT {1+}\r\nx", "UTF8 ()", "UTF8 (x)", "UTF8 (~{1+}\r\nx x)", "UTF8 ({1+}\r\nx)", "(\\Seen) UTF8",
            "CATENATE (({1+}\r\nx))", "CATENATE (UTF8 (~{1+}\r\nx y))", "UTF8 (~{1+}\r\nx ~{1+}\r\nx)"):
    a("APPEND INBOX " + bad, "BAD")
assert a("STATUS INBOX (MESSAGES)") == n
import os
assert os.listdir("box/tmp") == []
a('APPEND INBOX CATENATE (UTF8 (~{3+}\r\na:b) TEXT {2+}\r\n\r\n)')
assert text() == "a:b\r\n"
a('APPEND INBOX (\\Seen) UTF8 (~{3+}\r\na:b)')
# the selected mailbox, by a relative URL
a('UID SEARCH 1')
a('APPEND Drafts CATENATE (URL ";UID=1/;SECTION=HEADER.FIELDS%20(SUBJECT)")')
assert a("STATUS Drafts (MESSAGES)")[0].endswith("(MESSAGES 2)")
a("FETCH 1 BODY.PEEK[HEADER.FIELDS (SUBJECT)]")
# a message that was read is not mixed up with one of another mailbox
before = a("FETCH 1 BODY.PEEK[]")
a('APPEND Drafts CATENATE (URL "/Drafts/;UID=1")')
assert a("FETCH 1 BODY.PEEK[]") == before
E
}

@test "a literal8 comes back to the octet, its binary parts in base64" {
	py <<'E'
from client import Session
import os
def say(a, text, ok="OK"): return a(text.encode("latin-1").decode("latin-1") if 0 else text, ok)
a = Session()
a("SELECT INBOX")
def app(m, ok="OK"):
    a.send(b"x APPEND INBOX ~{%d+}\r\n%s" % (len(m), m))
    lines = a.until("x ")
    assert lines[-1].startswith("x " + ok), lines
def whole():
    got = a("UID FETCH * (BODY.PEEK[])")[-1]
    return got.split("}\r\n", 1)[1][:-1]
# lines stay as they are, whatever they say
m = b"Subject: x\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: binary\r\n\r\ntext\r\n"
app(m); assert whole() == m.decode()
# a part with a NUL, and with line ends that are none, becomes base64
data = b"\0\1\2\r\n\r\n\n\r\xff" * 50
m = (b"Subject: y\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext\r\n--b\r\n"
     b"Content-Type: image/x\r\nContent-Transfer-Encoding: binary\r\n\r\n" + data + b"\r\n--b--\r\n")
app(m)
a.send("x UID FETCH * (BINARY.PEEK[2])")
raw = a.p.stdout.readline()
n = int(raw.split(b"~{")[1].split(b"}")[0])
assert n == len(data) and a.p.stdout.read(n) == data
a.until("x OK")
assert "base64" in whole() and "--b\r\n\r\ntext\r\n--b\r\n" in whole()
# a NUL elsewhere is refused, and nothing is there
before = a("STATUS INBOX (MESSAGES)")
app(b"Subject: z\r\n\r\nte\0xt\r\n", "NO [UNKNOWN-CTE]")
assert a("STATUS INBOX (MESSAGES)") == before and os.listdir("box/tmp") == []
# a bare LF is no reason to
app(b"Subject: z\n\nte\rxt"); assert whole() == "Subject: z\r\n\r\nte\rxt\r\n", whole()
app(b"Subject: z\r\n\r\ntext\r"); assert whole() == "Subject: z\r\n\r\ntext\r\n", repr(whole())
E
}

@test "REPLACE: the new message is there before the old one goes" {
	py <<'E'
from client import Session
a = Session()
a.append(5); a("CREATE Sent")
a("REPLACE 1 INBOX {1+}\r\nx", "BAD")
a("SELECT INBOX")
got = a("REPLACE 2 INBOX (\\Draft) {12+}\r\nSubject: new")
assert got[0].startswith("* OK [APPENDUID ") and got[0].split("]")[0].endswith(" 6"), got
assert [x for x in got[1:] if "EX" in x] == ["* 2 EXPUNGE", "* 5 EXISTS"], got
got = a("UID REPLACE 6 Sent {13+}\r\nSubject: sent")
assert [x for x in got if "EX" in x] == ["* 5 EXPUNGE"] and " 1]" in got[0], got
got = a("UID REPLACE 5 INBOX CATENATE (URL \"/INBOX/;UID=5\" TEXT {3+}\r\na:b)")
assert any("* 4 EXPUNGE" == x for x in got), got
for bad in "REPLACE 9 INBOX {1+}\r\nx", "REPLACE 0 INBOX {1+}\r\nx", "REPLACE x INBOX {1+}\r\nx", \
        "REPLACE 1 INBOX {1+}\r\nx {1+}\r\nx", "REPLACE 1 INBOX {1+}\r\nx CATENATE (URL ;UID=1)", "REPLACE 1 INBOX", "REPLACE 1":
    a(bad, "BAD")
a("UID REPLACE 5 INBOX {1+}\r\nx", "NO [NONEXISTENT]")
a("REPLACE 1 nobox {1+}\r\nx", "NO [TRYCREATE]")
assert a("UID SEARCH ALL") == ["* SEARCH 1 3 4 7"]
a("EXAMINE INBOX")
a("REPLACE 1 INBOX {1+}\r\nx", "NO [READ-ONLY]")
a("ENABLE QRESYNC"); a("SELECT INBOX")
got = a("REPLACE 1 {5+}\r\nINBOX {12+}\r\nSubject: new")
assert "* VANISHED 1" in got, got
got = a("REPLACE * INBOX {13+}\r\nSubject: last")
assert "* VANISHED 8" in got, got
got = a("UID REPLACE * INBOX {13+}\r\nSubject: last")
assert "* VANISHED 9" in got, got
a("CREATE Empty"); a("SELECT Empty")
a("REPLACE * INBOX {1+}\r\nx", "BAD")
E
}

@test "UTF8=ACCEPT: names are UTF-8 for who asked, and composed" {
	py <<'E'
from client import Session
import os
a, b = Session(), Session()
a('CREATE "Entw&APw-rfe"')
assert "UTF8=ACCEPT" in a("CAPABILITY")[0]
assert a("ENABLE UTF8=ACCEPT") == ["* ENABLED UTF8=ACCEPT"]
assert a("ENABLE UTF8=ACCEPT") == ["* ENABLED"]
got = a('LIST "" "*"')
assert '* LIST (\\HasNoChildren) "/" "Entwürfe"' in got, got
a('CREATE "Müll & Co"')
a('APPEND "Entwürfe" (\\Seen) UTF8 (~{16+}\r\nSubject: Grüße)')
a('APPEND Entwürfe {14+}\r\nSubject: Gruß')
a('STATUS "Entwürfe" (MESSAGES)')
got = b('LIST "" "*"')
assert all(x.isascii() for x in got) and any("M&APw-ll &- Co" in x for x in got), got
# a letter and its mark are one letter in a name that is made
a('CREATE "Cafe\u0301"')
a('STATUS "Caf\u00e9" (MESSAGES)')
# and in any command, but for what others have made as two
a('SELECT "Cafe\u0301"')
a('SUBSCRIBE "Cafe\u0301"')
assert a('LSUB "" "Cafe\u0301"') == ['* LSUB (\\HasNoChildren) "/" "Caf\u00e9"']
a('RENAME "Cafe\u0301" "The\u0301"')
a('DELETE "The\u0301"')
for d in "cur", "new", "tmp":
    os.makedirs("box/.no&AwE-/" + d)
a('SELECT "no\u0301"')
a.send(b'x STATUS "M\xfcll" (MESSAGES)')
assert a.line().startswith("x BAD")
a('SELECT "Entwürfe"')
a('SEARCH CHARSET UTF-8 SUBJECT "Grüße"', "BAD")
assert a('SEARCH SUBJECT "Grüße"') == ["* SEARCH 1"]
c = Session()
c("ENABLE IMAP4rev2")
got = c('CREATE "a\u0301"')
assert got == ['* LIST (\\HasNoChildren) "/" "\u00e1" ("OLDNAME" ("a\u0301"))'], got
got = c('SELECT "a\u0301"')
assert '* LIST (\\HasNoChildren) "/" "\u00e1" ("OLDNAME" ("a\u0301"))' in got, got
E
}
