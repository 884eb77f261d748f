#!/usr/bin/env bats
#
# mimapd(8): how clients keep in step, with other sessions and over time.

load lib
load imap

@test "no EXPUNGE in an answer to FETCH, STORE and SEARCH; others have it" {
	py <<'E'
from client import Session
a, b = Session(), Session()
a.append(4)
a("SELECT INBOX"); b("SELECT INBOX")
a("UID STORE 2 +FLAGS.SILENT (\\Deleted)")
a("EXPUNGE")
for c in "FETCH 1 (FLAGS)", "STORE 1 +FLAGS (\\Flagged)", "SEARCH SEEN":
    got = b(c)
    assert not any("EXPUNGE" in x for x in got), (c, got)
assert b("FETCH 3 (UID)") == ["* 3 FETCH (UID 3)"]
b("FETCH 2 (BODY[])", "NO [EXPUNGEISSUED]")
assert b("NOOP") == ["* 2 EXPUNGE"]
a("UID STORE 3 +FLAGS.SILENT (\\Deleted)"); a("EXPUNGE")
got = b("UID FETCH 1 (UID)")
assert "* 1 FETCH (UID 1)" in got and got[-1] == "* 2 EXPUNGE", got
E
}

@test "EXISTS never shrinks: what has gone is told first" {
	py <<'E'
from client import Session
a, b = Session(), Session()
a.append(3)
a("SELECT INBOX"); b("SELECT INBOX")
a("STORE 1:2 +FLAGS.SILENT (\\Deleted)"); a("EXPUNGE"); a.append(1)
got = b("SEARCH ALL")
assert got[1] == "* 4 EXISTS", got
got = [x for x in b("NOOP") if "FETCH" not in x]
assert got == ["* 2 EXPUNGE", "* 1 EXPUNGE"], got
a.append(1); a("STORE 1 +FLAGS.SILENT (\\Deleted)"); a("EXPUNGE")
got = b("NOOP")
assert got[0] == "* 1 EXPUNGE" and got[-2] == "* 2 EXISTS", got
E
}

@test "a client with CONDSTORE hears of others' flags with UID and MODSEQ" {
	py <<'E'
from client import Session
a, b = Session(), Session()
a.append(2)
a("SELECT INBOX"); b("SELECT INBOX (CONDSTORE)")
a("STORE 2 +FLAGS (\\Flagged $Label1)")
got = b("NOOP")
assert "* 2 FETCH (UID 2 FLAGS (\\Flagged $Label1) MODSEQ (4))" in got, got
assert [x.split()[1] for x in got][:2] == ["FLAGS", "OK"], got
assert a("NOOP") == []
E
}

@test "a condition holds against what another session did just now" {
	py <<'E'
from client import Session
a, b = Session(), Session()
a.append(3)
a("SELECT INBOX (CONDSTORE)"); b("SELECT INBOX (CONDSTORE)")
b("STORE 2 +FLAGS.SILENT (\\Flagged)")
got = a("STORE 1:3 (UNCHANGEDSINCE 4) +FLAGS.SILENT (\\Seen)")
assert a.tagged.startswith("x OK [MODIFIED 2]"), a.tagged
assert any(x.startswith("* 2 FETCH (UID 2 FLAGS (\\Flagged") for x in got), got
assert any(x.startswith("* 1 FETCH (UID 1 MODSEQ (6))") for x in got), got
E
}

@test "with QRESYNC expunges of others are VANISHED, in order and whole" {
	py <<'E'
from client import Session
a, b = Session(), Session()
a.append(9)
a("SELECT INBOX"); b("ENABLE QRESYNC"); b("SELECT INBOX")
a("STORE 2:4,6,9 +FLAGS.SILENT (\\Deleted)"); a("EXPUNGE"); a.append(1)
got = b("NOOP")
assert got[0] == "* VANISHED 2:4,6,9", got
assert got[1] == "* 5 EXISTS", got
assert b("FETCH 4:5 (UID)") == ["* 4 FETCH (UID 8)", "* 5 FETCH (UID 10)"]
E
}

@test "a delayed VANISHED holds the HIGHESTMODSEQ of the client back" {
	py <<'E'
from client import Session
a, b = Session(), Session()
a.append(3)
a("SELECT INBOX"); b("ENABLE QRESYNC")
validity = [x.split()[3][:-1] for x in b("SELECT INBOX") if "UIDVAL" in x][0]
a("STORE 2 +FLAGS.SILENT (\\Deleted)")
b("NOOP")
a("EXPUNGE")
a("STORE 1 +FLAGS.SILENT (\\Flagged)")
b("FETCH 2 (BODY[])", "NO")
got = b("FETCH 1 (FLAGS MODSEQ)")
assert "* OK [HIGHESTMODSEQ 5] Expunges are delayed" in got, got
b.close()
b = Session(); b("ENABLE QRESYNC")
got = b(f"SELECT INBOX (QRESYNC ({validity} 5))")
assert any(x.startswith("* VANISHED (EARLIER)") for x in got), got
E
}

@test "who came or went by others is told with the HIGHESTMODSEQ" {
	py <<'E'
from client import Session
a, b = Session(), Session()
a.append(3)
a("SELECT INBOX"); b("ENABLE QRESYNC"); b("SELECT INBOX")
a("STORE 2 +FLAGS.SILENT (\\Deleted)")
got = b("NOOP")
assert got == ["* 2 FETCH (UID 2 FLAGS (\\Deleted) MODSEQ (5))"], got
a("EXPUNGE")
got = b("NOOP")
assert got == ["* VANISHED 2", "* OK [HIGHESTMODSEQ 6] Highest"], got
a.append(1)
got = b("NOOP")
assert got[-1] == "* OK [HIGHESTMODSEQ 7] Highest", got
assert b("NOOP") == []
# who hears of no flags is told of nothing that is above them
b("NOTIFY SET (SELECTED (MessageNew MessageExpunge))")
a("STORE 1 +FLAGS.SILENT (\\Flagged)")
a.append(1)
got = b("NOOP")
assert got[0] == "* 4 EXISTS" and "MODSEQ" not in "".join(got), got
E
}

@test "pipelined commands are answered in order" {
	py <<'E'
from client import Session
a = Session()
a.append(3)
a.send("1 SELECT INBOX\r\n2 STORE 1 +FLAGS (\\Deleted)\r\n3 FETCH 1 FLAGS\r\n"
       "4 EXPUNGE\r\n5 FETCH 1 (UID)\r\n6 STORE 1 -FLAGS (\\Seen)\r\n"
       "7 CLOSE\r\n8 STATUS INBOX (MESSAGES)\r\n9 NOOP")
lines = a.until("9 ")
tags = [x[0] for x in lines if x[0] != "*"]
assert tags == list("123456789"), lines
at = lines.index
assert at("* 1 EXPUNGE") < at("* 1 FETCH (UID 2)"), lines
assert '* STATUS "INBOX" (MESSAGES 2)' in lines, lines
E
}

@test "a command that works for long says so, and how far it is" {
	mkdir conf
	echo 'imap-progress 0' >conf/limits
	py <<'E'
import re
from client import Session
a = Session()
a.progress = True
a.append(1, text="Subject: {}\r\n\r\nneedle\r\n")
a("SELECT INBOX")
for i in range(6):
    a("COPY 1:* INBOX"); a("NOOP")
got = a("SEARCH BODY nothing")
words = [x for x in got if "INPROGRESS" in x]
assert len(words) == 3, got
assert words[0] == '* OK [INPROGRESS ("x" 31 64)] Still at work', words
a.send("t]g UID FETCH 1:* (FLAGS)")
got = a.until("t]g ")
assert any("[INPROGRESS (NIL 32 64)]" in x for x in got), got
assert not any("INPROGRESS" in x for x in a("NOOP"))
E
}

@test "limits on messages: the last ones of a set, and where it stopped" {
	mkdir conf
	printf '%s\n' 'imap-messages 3' 'imap-save-messages 2' >conf/limits
	py <<'E'
from client import Session
a = Session()
assert " MESSAGELIMIT=3 SAVELIMIT=2" in a.greeting, a.greeting
for i in range(8):
    a.append(1)
a("SELECT INBOX")
def uids(lines):
    return [x.split()[1] for x in lines if "FETCH" in x]
assert uids(a("FETCH 1:8 (UID)")) == ["6", "7", "8"]
assert a.tagged.startswith("x OK [MESSAGELIMIT 3 6] "), a.tagged
assert uids(a("UID FETCH 1:2,5:7,9:* (UID)")) == ["6", "7", "8"]
assert a.tagged.startswith("x OK [MESSAGELIMIT 3 6] "), a.tagged
assert uids(a("UID FETCH 1:2,4 (UID)")) == ["1", "2", "4"]
assert a.tagged == "x OK Fetch completed", a.tagged
# on from there
assert uids(a("UID FETCH 1:5 (UID)")) == ["3", "4", "5"]
assert a.tagged.startswith("x OK [MESSAGELIMIT 3 3] "), a.tagged
assert uids(a("UID FETCH 1:* (UID) (PARTIAL 2:6)")) == ["4", "5", "6"]
assert a.tagged.startswith("x OK [MESSAGELIMIT 3 4] "), a.tagged
assert uids(a("UID FETCH 1:* (UID) (PARTIAL 2:4)")) == ["2", "3", "4"]
assert a.tagged == "x OK Fetch completed", a.tagged
assert a("SEARCH ALL") == ["* SEARCH 6 7 8"]
assert a.tagged.startswith("x OK [MESSAGELIMIT 3 6] "), a.tagged
assert a("UID SEARCH UIDBEFORE 6") == ["* SEARCH 3 4 5"]
assert a.tagged.startswith("x OK [MESSAGELIMIT 3 3] "), a.tagged
assert a("SEARCH RETURN (COUNT) ALL") == ['* ESEARCH (TAG "x") COUNT 8']
assert a.tagged == "x OK Search completed", a.tagged
assert uids(a("STORE 1:* +FLAGS (\\Flagged)")) == ["6", "7", "8"]
assert a.tagged.startswith("x OK [MESSAGELIMIT 3 6] "), a.tagged
assert a("SEARCH FLAGGED") == ["* SEARCH 6 7 8"]
# what saves is whole or not at all
a("CREATE box")
assert a("UID COPY 1:3 box", "NO [MESSAGELIMIT 2]") == []
assert a("UID COPY 1:2 box") == []
m = "{1+}\r\nx"
a(f"APPEND box {m} {m} {m}", "NO [MESSAGELIMIT 2]")
a(f"APPEND box {m} {m}")
assert a("STATUS box (MESSAGES)") == ['* STATUS "box" (MESSAGES 4)']
got = a("UID MOVE 1:4 box")
assert got[0].split()[4:6] == ["2:4", "5:7]"], got
assert a.tagged.startswith("x OK [MESSAGELIMIT 3 2] "), a.tagged
a("ENABLE QRESYNC")
a("UID STORE 5:7 +FLAGS.SILENT (\\Deleted)")
a("UID STORE 8,1 +FLAGS.SILENT (\\Deleted)")
got = a("UID EXPUNGE 1:*")
assert got == ["* VANISHED 6:8", "* OK [MESSAGELIMIT 3 6] Not all of them"], got
assert a.tagged.startswith("x OK [HIGHESTMODSEQ "), a.tagged
assert a("EXPUNGE") == ["* VANISHED 1,5"]
E
	rm conf/limits
	py <<'E'
from client import Session
assert "LIMIT=" not in Session().greeting.replace("APPENDLIMIT=", "")
E
}

@test "ids of mailboxes and messages stay where they must, and nowhere else" {
	py <<'E'
import re
from client import Session
a = Session()
def box(name):
    got = a(f"STATUS {name} (MAILBOXID)")
    return re.search(r"MAILBOXID \(([A-Za-z0-9_-]{1,255})\)", got[0]).group(1)
def mails():
    return re.findall(r"EMAILID \(([A-Za-z0-9_-]{1,255})\)",
                      "\n".join(a("FETCH 1:* (EMAILID)")))
a("CREATE one"); a("CREATE two")
assert f"MAILBOXID ({box('two')})" in a.tagged or True
ids = {box("INBOX"), box("one"), box("two")}
assert len(ids) == 3
one = box("one")
a("RENAME one three")
assert box("three") == one
a("CREATE one")
assert a.tagged.split()[3] == f"({box('one')})]" and box("one") != one, a.tagged
assert f"* OK [MAILBOXID ({one})] Identified" in a("SELECT three")
a.append(3, "three")
a("NOOP")
first = mails()
assert len(set(first)) == 3
a("COPY 1:2 two"); a("MOVE 3 two")
assert mails() == first[:2]
a("SELECT two")
assert mails() == first
assert a(f"SEARCH EMAILID {first[1]}") == ["* SEARCH 2"]
assert a(f"SEARCH EMAILID {first[1].swapcase()}") == ["* SEARCH"]
# a copy beside it is the same message; one that is appended is not
a("COPY 1 two"); a.append(1, "two"); a("NOOP")
now = mails()
assert now[3] == first[0] and now[4] not in first, now
# whoever looks later is told the same
b = Session()
b("SELECT two")
assert [x.split("(")[2] for x in b("FETCH 1:* (EMAILID)")] == \
    [x + "))" for x in now]
# and the day they were saved does not change with their flags
days = b("FETCH 1:* (SAVEDATE)")
b("STORE 1:* +FLAGS.SILENT (\\Seen)"); b("COPY 1:* one")
assert b("FETCH 1:* (SAVEDATE)") == days
E
}

@test "a QRESYNC client that is cut off again and again never misses a change" {
	for seed in 1 2 3 4; do
		rm -rf box
		run python3 "$ROOT/t/imap/qresync.py" $seed 100 3>&-
		[ $status -eq 0 ] || { echo "seed $seed: $output"; false; }
	done
}

@test "an annotation of a mailbox raises its HIGHESTMODSEQ, and no message's" {
	py <<'E'
import re
from client import Session
a, b = Session(), Session()
a.append(2)
b("SELECT INBOX (CONDSTORE)")
def highest():
    return int(re.search(r"MODSEQ (\d+)", a("STATUS INBOX (HIGHESTMODSEQ)")[0]).group(1))
was = highest()
a('SETMETADATA INBOX (/private/comment "x")')
assert highest() == was + 1
assert b("NOOP") == []
assert b(f"FETCH 1:* (FLAGS) (CHANGEDSINCE {was})") == []
a('SETMETADATA "" (/private/comment "x")')
assert highest() == was + 1
a("STATUS INBOX (MESSAGES)"); a("SELECT INBOX")
assert highest() == was + 1
E
}

@test "a mailbox that another session deletes has no messages any more" {
	py <<'E'
from client import Session
a, b = Session(), Session()
b("CREATE f")
b("APPEND f {6+}\r\na: b\r\n")
b("APPEND f {6+}\r\na: c\r\n")
a("SELECT f")
b("DELETE f")
b("CREATE f")
assert a("NOOP") == ["* 2 EXPUNGE", "* 1 EXPUNGE"]
a("APPEND f {6+}\r\na: d\r\n")
assert a("STATUS f (MESSAGES)") == ['* STATUS "f" (MESSAGES 1)']
E
}
