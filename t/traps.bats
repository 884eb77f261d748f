#!/usr/bin/env bats
#
# What one session alone does not show of the traps that clients fall into:
# several sessions, several servers' starts, other programs.  What one
# session does show is in t/imap/traps.txt.

load lib
load imap

@test "each capability is kept: a command that only it has is answered so" {
	py <<'E'
import re
from client import Session

text = "Subject: a\r\nContent-Type: text/plain\r\n\r\nword\r\n"
lit = f"{{{len(text)}+}}\r\n{text}"
# name: a command, and what must be in its answer (None: only OK)
table = {
    "IMAP4rev1": ("NOOP", None),
    "IMAP4rev2": ("FETCH 1 BINARY.SIZE[1]", r"BINARY.SIZE\[1\] 6\)"),
    "LITERAL+": ("STATUS {5+}\r\nINBOX (MESSAGES)", r'"INBOX" \(MESSAGES '),
    "ID": ("ID NIL", r'\* ID \("name" "pneu"'),
    "ENABLE": ("ENABLE CONDSTORE", r"\* ENABLED CONDSTORE"),
    "IDLE": ("IDLE\r\nDONE", r"\+ idling"),
    "NAMESPACE": ("NAMESPACE", r'\* NAMESPACE \(\("" "/"\)\) NIL NIL'),
    "CHILDREN": ('LIST "" INBOX', r"\\HasNoChildren"),
    "UNSELECT": ("UNSELECT", None),
    "UIDPLUS": ("APPEND INBOX " + lit, r"\[APPENDUID \d+ \d+\]"),
    "MOVE": ("MOVE 2 Other", r"\[COPYUID \d+ \d+ \d+\]"),
    "ESEARCH": ("SEARCH RETURN (COUNT) ALL", r'\* ESEARCH \(TAG "x"\) COUNT '),
    "SEARCHRES": ("SEARCH RETURN (SAVE) 1\r\ny FETCH $ UID", r"\* 1 FETCH"),
    "WITHIN": ("SEARCH YOUNGER 1000 NOT OLDER 1000", r"\* SEARCH 1"),
    "I18NLEVEL=1": ('SEARCH CHARSET UTF-8 BODY "WORD"', r"\* SEARCH 1"),
    "PARTIAL": ("UID FETCH 1:* UID (PARTIAL 1:1)", r"\* 1 FETCH \(UID \d+\)"),
    "SORT": ("SORT (SIZE) UTF-8 1", r"\* SORT 1"),
    "SORT=DISPLAY": ("SORT (DISPLAYFROM) UTF-8 1", r"\* SORT 1"),
    "ESORT": ("SORT RETURN (MIN) (SIZE) UTF-8 1", r"\) MIN 1"),
    "CONTEXT=SEARCH": ("SEARCH RETURN (UPDATE COUNT) 1", r"\) COUNT 1"),
    "CONTEXT=SORT": ("SORT RETURN (UPDATE COUNT) (SIZE) UTF-8 1", r"\) COUNT 1"),
    "MULTISEARCH": ("ESEARCH IN (inboxes) UID 1", r'MAILBOX "INBOX" UIDV'),
    "THREAD=REFERENCES": ("THREAD REFERENCES UTF-8 1", r"\* THREAD \(1\)"),
    "THREAD=REFS": ("THREAD REFS UTF-8 1", r"\* THREAD \(1\)"),
    "THREAD=ORDEREDSUBJECT": ("THREAD ORDEREDSUBJECT UTF-8 1", r"\* THREAD \(1\)"),
    "LIST-EXTENDED": ('LIST () "" (INBOX Other) RETURN (SUBSCRIBED)', r"Other"),
    "LIST-STATUS": ('LIST "" INBOX RETURN (STATUS (UIDNEXT))', r"\* STATUS"),
    "STATUS=SIZE": ("STATUS INBOX (SIZE)", r"\(SIZE \d+\)"),
    "SPECIAL-USE": ('LIST (SPECIAL-USE) "" * RETURN (SPECIAL-USE)', r"\\Sent"),
    "CREATE-SPECIAL-USE": ("CREATE Bin (USE (\\Trash))", None),
    "CONDSTORE": ("FETCH 1 MODSEQ", r"MODSEQ \(\d+\)"),
    "QRESYNC": ("ENABLE QRESYNC\r\ny SELECT INBOX (QRESYNC (1 1))", r"y OK"),
    "OBJECTID": ("FETCH 1 EMAILID", r"EMAILID \("),
    "SAVEDATE": ("FETCH 1 SAVEDATE", r"SAVEDATE "),
    "INPROGRESS": None,  # see imapsync.bats
    "UIDBATCHES": ("UIDBATCHES 500", r'\* UIDBATCHES \(TAG "x"\)'),
    "UIDONLY": ("ENABLE UIDONLY\r\ny UID FETCH 1 UID", r"\* 1 UIDFETCH|y OK"),
    "QUOTA": ("GETQUOTAROOT INBOX", r'\* QUOTAROOT "INBOX"'),
    "QUOTA=RES-STORAGE": None,  # see boxes.bats
    "QUOTA=RES-MESSAGE": None,
    "METADATA": ("GETMETADATA INBOX /shared/comment", r"/shared/comment NIL"),
    "LIST-METADATA": ('LIST "" INBOX RETURN (METADATA ("/shared/comment"))',
                      r"\* METADATA"),
    "ACL": ("GETACL INBOX", r'\* ACL "INBOX" '),
    "RIGHTS=texk": ("MYRIGHTS INBOX", r"[texk]{4}"),
    "LIST-MYRIGHTS": ('LIST "" INBOX RETURN (MYRIGHTS)', r"\* MYRIGHTS"),
    "NOTIFY": ("NOTIFY SET STATUS (inboxes (MessageNew MessageExpunge))",
               r"\* STATUS"),
    "MULTIAPPEND": (f"APPEND INBOX {lit} {lit}", r"APPENDUID \d+ \d+:\d+"),
    "CATENATE": ('APPEND INBOX CATENATE (URL "/INBOX/;UID=1")', "APPENDUID"),
    "URL-PARTIAL": ('APPEND INBOX CATENATE (URL "/INBOX/;UID=1/;PARTIAL=0.9")',
                    "APPENDUID"),
    "BINARY": ("FETCH 1 BINARY.PEEK[1]", r"BINARY\[1\]"),
    "REPLACE": ("REPLACE 1 INBOX " + lit, r"APPENDUID"),
    "UTF8=ACCEPT": ("ENABLE UTF8=ACCEPT", r"\* ENABLED UTF8=ACCEPT"),
    "PREVIEW": ("FETCH 1 PREVIEW", r'PREVIEW "word"'),
    "COMPRESS=DEFLATE": None,  # see compress.bats
    "APPENDLIMIT": ("STATUS INBOX (APPENDLIMIT)", r"APPENDLIMIT \d+"),
}
a = Session()
a("CREATE Other")
a("CREATE Sent (USE (\\Sent))")
for line in a("CAPABILITY"):
    told = line.split()[2:]
told = [re.sub("^APPENDLIMIT=.*", "APPENDLIMIT", x) for x in told]
assert len(told) == len(set(told))
assert sorted(told) == sorted(table), set(told) ^ set(table)
a.append(2, text=text)
for name in told:
    if table[name] is None:
        continue
    command, want = table[name]
    s = Session()
    s("SELECT INBOX")
    s.send("x " + command)
    last = "y " if "\r\ny " in command else "x "
    lines = s.until(last)
    assert lines[-1].startswith(last + "OK"), (name, lines)
    assert want is None or re.search(want, "\n".join(lines)), (name, lines)
    s.close()
    if a("STATUS INBOX (MESSAGES)")[-1].endswith("(MESSAGES 1)"):
        a.append(text=text)
# the page has the same list
page = open(__import__("os").environ["ROOT"] + "/man/mimapd.8").read()
page = page[page.index(".Ss Capabilities"):page.index("before the login")]
for name in told:
    assert re.search(r"(?<![\w=-])" + re.escape(name) + r"(?![\w=-])",
                     page.replace("\\-", "-")), name + " is not in mimapd(8)"
E
}

@test "RFC 7162, 3.1.4: three sessions hear of each other's flags" {
	py <<'E'
from client import Session
a, b, c = Session(), Session(), Session()
b.append(7)
for s in a, b, c:
    s("SELECT INBOX (CONDSTORE)")
def flags(lines):
    return [x.split(" (UID 7 ")[1].replace(" \\Recent", "").split(" MODSEQ")[0]
            for x in lines if "FLAGS" in x]
a("STORE 7 +FLAGS.SILENT (\\Deleted)")
# b's own change is silent, a's is not
assert flags(b("STORE 7 +FLAGS.SILENT (\\Answered)")) == ["FLAGS (\\Answered \\Deleted)"]
assert flags(c("NOOP")) == ["FLAGS (\\Answered \\Deleted)"]
assert b("NOOP") == []
assert len(flags(a("NOOP"))) == 1
said = a("STORE 7 +FLAGS.SILENT (\\Seen)")
assert len(said) == 1 and "MODSEQ (" in said[0] and "FLAGS" not in said[0]
assert flags(c("NOOP")) == ["FLAGS (\\Seen \\Answered \\Deleted)"]
assert a("NOOP") == []
a("STORE 7 -FLAGS.SILENT (\\Answered \\Seen)")
assert flags(c("NOOP")) == flags(b("NOOP")) == ["FLAGS (\\Deleted)"]
# what b has expunged meanwhile is neither changed nor MODIFIED
b("STORE 4:6 +FLAGS.SILENT (\\Deleted)"); b("EXPUNGE")
c("STORE 2 +FLAGS.SILENT (\\Flagged)")
a.send("x STORE 1:7 (UNCHANGEDSINCE 9) +FLAGS (\\Seen)")
assert "[MODIFIED 2]" in a.until("x ")[-1]
assert [x for x in a("NOOP") if "EXPUNGE" in x] == [f"* {n} EXPUNGE" for n in (7, 6, 5, 4)]
# the MODSEQ of a search that is an ESEARCH, and of a sort
[line] = a("SORT RETURN (ALL) (SUBJECT) UTF-8 MODSEQ 9")
assert line.startswith('* ESEARCH (TAG "x") ALL 1:3 MODSEQ '), line
E
}

@test "UIDVALIDITY grows when a mailbox is made again, and goes along with RENAME" {
	py <<'E'
import re
from client import Session
a = Session()
def validity(box):
    [line] = a(f"STATUS {box} (UIDVALIDITY UIDNEXT)")
    return [int(x) for x in re.findall(r"UID\w+ (\d+)", line)]
seen = []
for i in range(5):
    a("CREATE Box")
    a.append(3, "Box")
    next, uidvalidity = validity("Box")
    assert next == 4 and uidvalidity > 0
    seen.append(uidvalidity)
    a("DELETE Box")
assert seen == sorted(set(seen)), seen
a("CREATE Box"); a.append(2, "Box")
a("SELECT Box"); a("STORE 2 +FLAGS (\\Deleted)"); a("EXPUNGE"); a("UNSELECT")
was = validity("Box")
a("RENAME Box Other")
assert validity("Other") == was and was[0] == 3
a("CREATE Box")
assert validity("Box")[1] not in seen + [was[1]]
# the highest one was expunged: not given again, in this session or the next
a = Session()
a.append(1, "Other")
assert "APPENDUID %d 3]" % was[1] in a.tagged
E
}

@test "a session on a mailbox that was renamed leaves the new one of that name alone" {
	mkdir -p box/{,.A/}{tmp,new,cur}
	for i in {1..600}; do
		echo >"box/.A/cur/$((1000000000 + i)).P1.h:2,"
	done
	PYTHONPATH=$ROOT/t/imap run -0 python3 - <<'E'
from client import Session
a, b = Session(), Session()
a("SELECT A")
b("RENAME A B")
b("CREATE A")
b.append(1, "A")
b("SELECT A")
b("STORE 1 +FLAGS.SILENT (Vital)")
one = b("STATUS A (UIDVALIDITY)")
two = b("STATUS B (UIDVALIDITY)")
b("SELECT B")
for i in range(6):
    b("STORE 1:* +FLAGS.SILENT (Often)")
    b("STORE 1:* -FLAGS.SILENT (Often)")
b("UNSELECT")

told = a("STORE 7 +FLAGS (Mine)")
assert [s for s in told if s.startswith("* 7 FETCH (FLAGS (Mine)")], told
a("UNSELECT")
assert b("STATUS A (UIDVALIDITY)") == one
assert b("STATUS B (UIDVALIDITY)") == two
b("SELECT A")
assert "* 1 FETCH (FLAGS (Vital))" in b("FETCH 1 (FLAGS)")
b("SELECT B")
assert "* 7 FETCH (FLAGS (Mine))" in b("FETCH 7 (FLAGS)")
E
}

@test "the name of a mailbox that was renamed under a session means the new one" {
	py <<'E'
from client import Session
a, b = Session(), Session()
b("CREATE A")
b.append(1, "A", "Subject: old\r\n\r\nold\r\n")
a("SELECT A")
b("RENAME A B")
b("CREATE A")
a.append(1, "A", "Subject: new\r\n\r\nnew\r\n")
assert a("STATUS A (MESSAGES)") == ['* STATUS "A" (MESSAGES 1)']
a('APPEND A CATENATE (URL "/A/;UID=1/;SECTION=TEXT")')
b("SELECT A")
assert b("FETCH 2 (BODY[])") == ["* 2 FETCH (BODY[] {5}\r\nnew\r\n FLAGS (\\Seen \\Recent))"], b.tagged
found = a("ESEARCH IN (mailboxes A) RETURN (COUNT) ALL")
assert 'MAILBOX "A"' in found[0] and "COUNT 2" in found[0], found
found = a("ESEARCH IN (mailboxes B) RETURN (COUNT) ALL")
assert 'MAILBOX "B"' in found[0] and "COUNT 1" in found[0], found
E
}

@test "no HIGHESTMODSEQ is told past an expunge that is not told yet" {
	py <<'E'
import glob, os, re
from client import Session
a, b = Session(), Session()
a.append(3)
a("ENABLE QRESYNC")
a("SELECT INBOX")
b("SELECT INBOX")
a("SEARCH RETURN (UPDATE) BODY body")
# looked at anew for the search, its file turns out to have gone
first = min(glob.glob("box/cur/*"), key=lambda f: int(re.search(r"Q(\d+)\.", f)[1]))
b("STORE 1 +FLAGS.SILENT (Again)")
b.append(1)
was = os.stat("box/cur")
os.unlink(first)
os.utime("box/cur", ns=(was.st_atime_ns, was.st_mtime_ns))
told, gone = 0, False
for i in range(3):
    for line in a("NOOP"):
        m = re.search(r"HIGHESTMODSEQ (\d+)", line)
        if m and not gone:
            told = int(m[1])
        gone = gone or line == "* VANISHED 1"
assert gone
again = Session()
again("ENABLE QRESYNC")
[v] = [re.search(r"\d+", s)[0] for s in a("STATUS INBOX (UIDVALIDITY)")]
assert told == 0 or "* VANISHED (EARLIER) 1" in again(
    f"SELECT INBOX (QRESYNC ({v} {told}))"), told
E
}

@test "no HIGHESTMODSEQ is told past flags that NOTIFY keeps to itself" {
	py <<'E'
import re
from client import Session
a, b = Session(), Session()
a.append(3)
a("ENABLE QRESYNC")
a("SELECT INBOX")
a("NOTIFY SET (SELECTED (MessageNew MessageExpunge))")
b("SELECT INBOX")
b("STORE 1 +FLAGS.SILENT (Unheard)")
a("STORE 2 +FLAGS.SILENT (\\Deleted)")
a("EXPUNGE")
told = int(re.search(r"HIGHESTMODSEQ (\d+)", a.tagged)[1])
again = Session()
again("ENABLE QRESYNC")
[v] = [re.search(r"\d+", s)[0] for s in a("STATUS INBOX (UIDVALIDITY)")]
lines = again(f"SELECT INBOX (QRESYNC ({v} {told}))")
assert [s for s in lines if s.startswith("* 1 FETCH") and "Unheard" in s], lines
E
}

@test "QRESYNC: what has gone above the last one is told, too" {
	py <<'E'
import re
from client import Session
a, b = Session(), Session()
b.append(6)
a("ENABLE QRESYNC")
said = "\n".join(a("SELECT INBOX"))
validity = re.search(r"UIDVALIDITY (\d+)", said).group(1)
modseq = re.search(r"HIGHESTMODSEQ (\d+)", said).group(1)
a.close()
b("SELECT INBOX")
b("STORE 2,5:6 +FLAGS (\\Deleted)"); b("EXPUNGE")
for known in "", " 1:6", " 1:6 (1,3 1,3)":
    a = Session()
    a("ENABLE QRESYNC")
    said = a(f"SELECT INBOX (QRESYNC ({validity} {modseq}{known}))")
    assert "* VANISHED (EARLIER) 2,5:6" in said, said
    assert "* 3 EXISTS" in said and "* OK [UIDNEXT 7] Predicted next UID" in said
    a.close()
E
}

@test "INTERNALDATE stays when another program touches or copies the file" {
	py <<'E'
import glob, os, shutil
from client import Session
a = Session()
m = "Subject: x\r\n\r\nx\r\n"
a(f'APPEND INBOX " 1-Feb-2020 03:04:05 +0000" {{{len(m)}+}}\r\n{m}')
a("CREATE Other")
a("SELECT INBOX")
want = a("FETCH 1 INTERNALDATE")
assert '" 1-Feb-2020 03:04:05 +0000"' in want[0]
a("COPY 1 Other"); a("MOVE 1 Other")
a("SELECT Other")
assert [x.split("(")[1] for x in a("FETCH 1:2 INTERNALDATE")] == [want[0].split("(")[1]] * 2
for f in glob.glob("box/.Other/*/*.*"):
    if os.path.basename(os.path.dirname(f)) in ("cur", "new"):
        os.utime(f, (10 ** 9, 10 ** 9))
a.close()
a = Session()
a("SELECT Other")
assert [x.split("(")[1] for x in a("FETCH 1:2 INTERNALDATE")] == [want[0].split("(")[1]] * 2
E
}

@test "a command of 8172 octets and more is one command" {
	py <<'E'
from client import Session
a = Session()
a.append(3)
a("SELECT INBOX")
for size in 980, 8172, 60000:
    set = "1:3"
    while len(set) < size - 20:
        set += ",1"
    assert len(a(f"UID FETCH {set} UID")) == 3
names = " ".join(f"X-Field-{n}" for n in range(500))
assert "X-Field-499" in a(f"FETCH 1 BODY.PEEK[HEADER.FIELDS ({names})]")[0]
E
}

@test "with 64 keywords there is no room for another, and the client is told" {
	py <<'E'
from client import Session
a = Session()
a.append(2)
a("SELECT INBOX")
assert "PERMANENTFLAGS" in a("STORE 1 +FLAGS (k0)")[1] and a("CREATE Full") == []
room = " ".join(f"k{n}" for n in range(63))  # $Forwarded is there, too
said = "\n".join(a(f"STORE 1 +FLAGS ({room})"))
assert " k62)] Flags permitted" in said, said
a("STORE 2 +FLAGS (k1 new)", ok="NO [LIMIT]")
assert "FLAGS (\\Recent)" in a("FETCH 2 FLAGS")[0]
a("STORE 2 +FLAGS (K1 k2)")
# what is saved is saved, without it
a("APPEND INBOX (new k3) {4+}\r\nx: y")
assert "FLAGS (\\Recent k3)" in a("FETCH 3 FLAGS")[0]
a("STORE 3 +FLAGS (%s)" % ("y" * 65), ok="BAD")
a.append(1, "Full")
a("SELECT Full")
a("STORE 1 +FLAGS (" + room.replace("k", "l") + ")")
a("SELECT INBOX")
a("COPY 3 Full"); a("MOVE 2 Full")
a("SELECT Full")
assert a("FETCH 2:3 FLAGS") == [f"* {n} FETCH (FLAGS (\\Recent))" for n in (2, 3)]
E
}

@test "a mailbox that is made anew ends the sessions that see it" {
	py <<'E'
import glob
import os
from client import Session

def anew(empty, command):
    a = Session()
    a.append(1, text="Subject: first\r\n\r\nbody\r\n")
    a("SELECT INBOX")
    a("FETCH 1 ENVELOPE")
    if empty:
        a("STORE 1:* +FLAGS (\\Deleted)")
        a("EXPUNGE")
    for f in glob.glob("box/pneu.snapshot") + glob.glob("box/pneu.journal.*"):
        os.unlink(f)
    with open("box/new/1000000001.M1P1.h", "w") as f:
        f.write("Subject: another\n\nbody\n")
    b = Session()
    b("SELECT INBOX")
    assert '"another"' in b("FETCH 1 ENVELOPE")[0]
    b.close()
    a.send("x " + command)
    said = "\n".join(a.until("x "))
    assert "another" not in said and "EXISTS" not in said, said
    if "BYE" not in said:
        a.send("y NOOP")
        assert "BYE" in "\n".join(a.until("* BYE"))
    for d in "box/new/", "box/cur/":
        for f in os.listdir(d):
            os.unlink(d + f)

for command in ("NOOP", "UID FETCH 1:* ENVELOPE", "UID FETCH 1 BODY[]",
                "UID SEARCH SUBJECT another", "UID STORE 1 +FLAGS (\\Seen)"):
    for empty in False, True:
        anew(empty, command)
E
}

@test "UIDVALIDITYs that were set aside are for no mailbox that had a greater one" {
	py <<'E'
import re
from client import Session

def validity(s, box):
    return int(re.search(r"UIDVALIDITY (\d+)",
                         s(f"STATUS {box} (UIDVALIDITY)")[0])[1])

a, b = Session(), Session()
for n in range(8):
    a(f"CREATE L{n}")
    validity(a, f"L{n}")
b("CREATE X")
first = validity(b, "X")
b("DELETE X")
a("CREATE X")
assert validity(a, "X") > first
E
}
