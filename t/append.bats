#!/usr/bin/env bats
#
# mimapd(8): messages that come in by APPEND.

load lib

setup() {
	cd "$BATS_TEST_TMPDIR"
	export HOME=$BATS_TEST_TMPDIR
	export PNEU_CONF=$BATS_TEST_TMPDIR/no-conf
	export PYTHONPATH=$ROOT/t/imap PYTHONDONTWRITEBYTECODE=1
}

py() {
	run -0 python3 - 3>&-
}

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
# the connection ends in the last of them
b = Session()
b.send("x APPEND INBOX" + many + " {10+}\r\nx")
b.close()
assert os.listdir("box/tmp") == [] and len(os.listdir("box/cur")) == 500
assert not any("EXISTS" in x for x in a("NOOP"))
# too many to be held
a("APPEND INBOX" + "".join(" {1+}\r\nx" for i in range(1500)), "NO [LIMIT]")
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
a("SELECT A")
a.append(2, "A"); a.append(2, "B"); a.append(1, "A")
assert " 6] " in a.tagged, a.tagged
got = a("STATUS B (MESSAGES UIDNEXT)")
assert got == ["* STATUS \"B\" (MESSAGES 4 UIDNEXT 5)"], got
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
	export PNEU_CONF=$PWD/conf
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
assert "APPENDLIMIT=100" in a("CAPABILITY")[0]
got = a("STATUS INBOX (APPENDLIMIT)")
assert got == ['* STATUS "INBOX" (APPENDLIMIT 100)'], got
assert a("STATUS INBOX (MESSAGES)") == ["* STATUS \"INBOX\" (MESSAGES 1)"]
E
}
