"""A day's work by Python's imaplib on bob's mail, over STARTTLS.

Commands that it knows by name are called by it, others by xatom; what comes
back is parsed by imaplib, and compared here.
"""

import imaplib
import os
import ssl
import time

for name in "ID", "MOVE", "GETMETADATA", "SETMETADATA":
    imaplib.Commands[name] = ("NONAUTH", "AUTH", "SELECTED")


def connect():
    c = imaplib.IMAP4("localhost", int(os.environ["IMAP_PORT"]))
    c.starttls(ssl.create_default_context(cafile=os.environ["PNEU_CA"]))
    assert "STARTTLS" not in c.capabilities
    c.authenticate("PLAIN", lambda _: b"\0bob@example.test\0secret-bob")
    return c


def ok(answer, want=None):
    assert answer[0] == "OK", answer
    if want is not None:
        assert answer[1] == want, (answer[1], want)
    return answer[1]


def no(call, *args):
    """NO is an answer, BAD is not."""
    answer = call(*args)
    assert answer[0] == "NO", answer
    return answer[1][0]


def told(c, name):
    return c.response(name)[1]


c = connect()
ok(c.enable("UTF8=ACCEPT"))
assert c.utf8_enabled
ok(c.namespace(), [b'(("" "/")) NIL NIL'])
ok(c.xatom("ID", '("name" "imaplib")'))
assert told(c, "ID")[0].startswith(b'("name" "pneu"')

# mailboxes; imaplib sends UTF-8 from now on
ok(c.create("Work"))
ok(c.create('"Büro/Größe"'))
ok(c.subscribe('"Büro/Größe"'))
ok(c.rename('"Büro/Größe"', '"Büro/Maß"'))
assert no(c.create, "Work").startswith(b"[ALREADYEXISTS]")
ok(c.list(), [b'(\\HasNoChildren) "/" "INBOX"',
              b'(\\Noselect \\HasChildren) "/" "B\xc3\xbcro"',
              b'(\\HasNoChildren) "/" "B\xc3\xbcro/Ma\xc3\x9f"',
              b'(\\HasNoChildren) "/" "Work"'])
assert b"Gr\xc3\xb6\xc3\x9fe" in ok(c.lsub())[0]

# APPEND with flags, keywords and a date.  In UTF8 mode Python (gh-78319)
# puts "UTF8 (" and ")" into the literal, so the mode is hidden from it.
c.utf8_enabled = False
when = time.mktime((2026, 9, 1, 12, 0, 0, 0, 0, -1))
for n, (subject, of, sent, refs) in enumerate([
        ("beta", "zoe@x.test", "Tue, 1 Sep 2026 10:00:00 +0000", ""),
        ("Re: beta", "ann@x.test", "Wed, 2 Sep 2026 10:00:00 +0000", "<0@x>"),
        ("alpha", "mia@x.test", "Mon, 31 Aug 2026 10:00:00 +0000", ""),
        ("größe", "bea@x.test", "Thu, 3 Sep 2026 10:00:00 +0000", "<1@x>")]):
    m = (f"From: {of}\r\nSubject: {subject}\r\nDate: {sent}\r\n"
         f"Message-ID: <{n}@x>\r\n" + (f"References: {refs}\r\n" if refs else "")
         + "\r\n" + "text\r\n" * (n + 1)).encode()
    ok(c.append("Work", "(\\Seen kw)" if n == 0 else None,
               imaplib.Time2Internaldate(when) if n == 0 else None, m))
assert no(c.append, "None", None, None, b"x\r\n\r\n").startswith(b"[TRYCREATE]")
ok(c.select("Work"), [b"4"])
assert int(told(c, "UIDVALIDITY")[0]) > 0
assert told(c, "UIDNEXT") == [b"5"]

# FETCH
[head] = [x for x in ok(c.fetch("1", "(UID FLAGS INTERNALDATE RFC822.SIZE)"))]
assert b"kw" in head and b"\\Seen" in head, head
assert time.mktime(imaplib.Internaldate2tuple(head)) == when
parts = ok(c.uid("FETCH", "4", "(BODY.PEEK[HEADER.FIELDS (SUBJECT)] BODY.PEEK[TEXT]<0.6>)"))
assert parts[0][1] == "Subject: größe\r\n\r\n".encode(), parts
assert parts[1][1] == b"text\r\n"
assert ok(c.fetch("1", "BODY.PEEK[TEXT]<0.4>"))[0][1] == b"text"

# SEARCH, SORT, THREAD
ok(c.search(None, "ALL"), [b"1 2 3 4"])
ok(c.search(None, "SUBJECT", '"GRÖßE"'), [b"4"])
ok(c.search(None, "KEYWORD", "KW", "SENTSINCE", "1-Sep-2026"), [b"1"])
ok(c.search(None, "TEXT", "nothing"), [b""])
ok(c.uid("SEARCH", "OR", "FROM", "ann", "NOT", "LARGER", "1"), [b"2"])
ok(c.sort("(SUBJECT REVERSE DATE)", "UTF-8", "ALL"), [b"3 2 1 4"])
ok(c.sort("(FROM)", "US-ASCII", "1:3"), [b"2 3 1"])
ok(c.uid("SORT", "(REVERSE SIZE)", "UTF-8", "UNSEEN"), [b"4 2 3"])
ok(c.thread("REFERENCES", "UTF-8", "ALL"), [b"(3)(1 2 4)"])
ok(c.thread("ORDEREDSUBJECT", "UTF-8", "ALL"), [b"(3)(1 2)(4)"])
ok(c.uid("THREAD", "REFS", "UTF-8", "ALL"), [b"(3)(1 2 4)"])

# STORE, COPY, MOVE, EXPUNGE
assert b"\\Flagged" in ok(c.store("1:2", "+FLAGS", "(\\Flagged)"))[1]
assert ok(c.store("1", "-FLAGS.SILENT", "(\\Seen)")) == [None]
assert b"\\Seen" not in ok(c.fetch("1", "(FLAGS)"))[0]
ok(c.copy("1,3", '"Büro/Maß"'))
assert told(c, "COPYUID")[0].endswith(b" 1,3 1:2")
ok(c.uid("MOVE", "2", '"Büro/Maß"'))
assert told(c, "COPYUID")[0].endswith(b" 2 3")
assert told(c, "EXPUNGE") == [b"2"]
ok(c.store("1,3", "+FLAGS", "(\\Deleted)"))
assert sorted(ok(c.expunge())) in ([b"1", b"2"], [b"1", b"3"])
ok(c.search(None, "UID", "1:*"), [b"1"])
ok(c.status('"Büro/Maß"', "(MESSAGES UIDNEXT UNSEEN SIZE)"))
ok(c.check())
ok(c.recent())

# quota
root, quota = ok(c.getquotaroot("Work"))
assert root == [b'"Work" "ROOT"'], root
assert quota[0].startswith(b'"ROOT" (STORAGE ') and b"MESSAGE 4 1000" in quota[0], quota
ok(c.getquota('"ROOT"'), quota)
assert no(c.setquota, '"ROOT"', "(STORAGE 1)").startswith(b"[NOPERM]")

# rights
ok(c.myrights("Work"), [b'"Work" lrswipkxteacd'])
ok(c.getacl("Work"), [b'"Work" bob@example.test lrswipkxteacd'])
ok(c.setacl("Work", "ann", "lr"))
assert b' ann lr' in ok(c.getacl("Work"))[0]
ok(c.deleteacl("Work", "ann"))
assert b"ann" not in ok(c.getacl("Work"))[0]

# annotations: imaplib's own command is of a draft; METADATA by hand
ok(c.xatom("SETMETADATA", "Work", '(/private/comment "mine")'))
ok(c.xatom("GETMETADATA", "Work", "/private/comment"))
assert told(c, "METADATA") == [b'"Work" (/private/comment "mine")']

# two connections: what one does the other hears, by NOOP and in IDLE
d = connect()
ok(d.select("Work"), [b"1"])
ok(d.append("Work", None, None, b"Subject: new\r\n\r\nx\r\n"))
ok(c.noop())
assert told(c, "EXISTS")[-1] == b"2"
tag = c._new_tag()
c.send(tag + b" IDLE\r\n")
assert c.readline().startswith(b"+ ")
ok(d.store("2", "+FLAGS", "(\\Answered)"))
line = c.readline()
assert line.startswith(b"* 2 FETCH (") and b"\\Answered" in line, line
c.send(b"DONE\r\n")
while not line.startswith(tag):
    line = c.readline()
assert b" OK " in line

# leaving: UNSELECT keeps, CLOSE removes, EXAMINE changes nothing
ok(c.store("1", "+FLAGS", "(\\Deleted)"))
ok(c.unselect())
ok(c.select("Work", readonly=True), [b"2"])
try:
    c.store("1", "-FLAGS", "(\\Deleted)")
except c.readonly:
    pass
else:
    assert no(c.store, "1", "-FLAGS", "(\\Deleted)")
ok(c.close())
ok(c.select("Work"), [b"2"])
ok(c.close())
ok(c.select("Work"), [b"1"])
ok(c.close())
ok(c.delete("Work"))
assert no(c.select, "Work").startswith(b"[NONEXISTENT]")
d.logout()
c.logout()

# without UTF8=ACCEPT a name is modified UTF-7
c = connect()
assert b'(\\HasNoChildren) "/" "B&APw-ro/Ma&AN8-"' in ok(c.list())
ok(c.delete('"B&APw-ro/Ma&AN8-"'))
c.logout()
