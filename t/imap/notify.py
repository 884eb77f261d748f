"""Two sessions on one Maildir: what the one with NOTIFY is told.

usage: notify.py MAILDIR NAME

NAME is one of the functions below that begin with test_.
"""

import os
import select
import subprocess
import sys
import time


class Session:
    def __init__(self):
        self.p = subprocess.Popen(
            ["mimapd", "-p", sys.argv[1]], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.buf = b""
        self.line()

    def line(self, wait=120):
        end = time.time() + wait
        fd = self.p.stdout.fileno()
        while b"\r\n" not in self.buf:
            left = max(0, end - time.time())
            if not select.select([fd], [], [], left)[0]:
                return None
            data = os.read(fd, 65536)
            if not data:
                return None
            self.buf += data
        line, self.buf = self.buf.split(b"\r\n", 1)
        return line.decode()

    def send(self, text):
        self.p.stdin.write(text.encode() + b"\r\n")
        self.p.stdin.flush()

    def cmd(self, text):
        self.send("a " + text)
        out = []
        while True:
            line = self.line()
            assert line is not None, (text, out)
            if line.startswith("a "):
                self.said = out
                return line
            out.append(line)

    def ok(self, text):
        line = self.cmd(text)
        assert line.startswith("a OK"), (text, line)
        return self.said

    def hears(self, *want):
        """These lines come, each beginning so, and in this order."""
        for w in want:
            line = self.line()
            assert line is not None and line.startswith(w), (w, line)

    def silent(self):
        line = self.line(0.3)
        assert line is None, line


def append(box, text="x"):
    return "APPEND %s {%d+}\r\n%s" % (box, len(text), text)


def test_events(a, b):
    b.ok("CREATE Lists/Im")
    said = a.ok(
        "NOTIFY SET STATUS (selected (MessageNew (uid "
        "body.peek[header.fields (from subject)]) MessageExpunge FlagChange))"
        " (subtree Lists (MessageNew MessageExpunge FlagChange))"
        " (personal (MailboxName SubscriptionChange MailboxMetadataChange"
        " ServerMetadataChange))")
    assert len(said) == 1, said
    assert said[0].startswith('* STATUS "Lists/Im" (MESSAGES 0 UIDNEXT 1 ')
    assert "HIGHESTMODSEQ" in said[0], said
    a.ok("SELECT INBOX")
    b.ok(append("Lists/Im"))
    a.hears('* STATUS "Lists/Im" (MESSAGES 1 UIDNEXT 2 UIDVALIDITY ')
    b.ok(append("INBOX", "Subject: xy\r\n\r\n"))
    a.hears("* 1 EXISTS", "* 1 RECENT",
            "* 1 FETCH (UID 1 BODY[HEADER.FIELDS (from subject)] {15}",
            "Subject: xy", "", ")")
    b.ok("SELECT INBOX")
    b.ok("STORE 1 +FLAGS (\\Seen kw)")
    a.hears("* FLAGS", "* OK [PERMANENTFLAGS",
            "* 1 FETCH (UID 1 FLAGS (\\Seen ")
    b.ok("STORE 1 +FLAGS (\\Deleted)")
    a.hears("* 1 FETCH (UID 1 FLAGS (\\Seen \\Deleted ")
    b.ok("EXPUNGE")
    a.hears("* 1 EXPUNGE")
    b.ok("CREATE New")
    a.hears('* LIST (\\HasNoChildren) "/" "New"')
    b.ok("CREATE New/child")
    a.hears('* LIST (\\HasNoChildren) "/" "New/child"',
            '* LIST (\\HasChildren) "/" "New"')
    b.ok("RENAME New Newer")
    # two folders are renamed, and a may look when one of them is
    said = [a.line()]
    while said[-1] and not said[-1].startswith(
            '* LIST (\\HasChildren) "/" "Newer"'):
        said.append(a.line())
    assert said[0].endswith('"/" "Newer" ("OLDNAME" ("New"))'), said
    assert said[-1] and len(said) <= 3, said
    b.ok("SUBSCRIBE Newer")
    a.hears('* LIST (\\HasChildren \\Subscribed) "/" "Newer"')
    b.ok('SETMETADATA Newer (/shared/comment "x" /private/a "b")')
    a.hears('* METADATA "Newer" /shared/comment /private/a')
    b.ok('SETMETADATA Newer (/shared/comment NIL /private/d "e")')
    a.hears('* METADATA "Newer" /private/d /shared/comment')
    b.ok('SETMETADATA "" (/shared/comment "x")')
    a.hears('* METADATA "" /shared/comment')
    b.ok("DELETE Newer/child")
    a.hears('* LIST (\\NonExistent \\HasNoChildren) "/" "Newer/child"',
            '* LIST (\\HasNoChildren \\Subscribed) "/" "Newer"')
    a.silent()


def test_inbox(a, b):
    """A renamed INBOX is told as such, once, and stays."""
    b.ok(append("INBOX"))
    a.ok("NOTIFY SET (personal (MailboxName))")
    b.ok("RENAME INBOX Old")
    a.hears('* LIST (\\HasNoChildren) "/" "Old" ("OLDNAME" ("INBOX"))')
    b.ok("RENAME Old Older")
    a.hears('* LIST (\\HasNoChildren) "/" "Older" ("OLDNAME" ("Old"))')
    b.ok("CREATE Other")
    line = a.line()
    assert line == '* LIST (\\HasNoChildren) "/" "Other"', line
    # one that was there before the list, and comes into it later
    box = sys.argv[1]
    os.utime(box + "/.Older/maildirfolder", (1, 1))
    os.rename(box + "/.Older", box + "/aside")
    a.hears('* LIST (\\NonExistent ')
    os.rename(box + "/aside", box + "/.Older")
    line = a.line()
    assert line == '* LIST (\\HasNoChildren) "/" "Older"', line
    a.silent()


def test_own(a, b):
    """What the client does itself is no news to it."""
    b.ok("CREATE Work")
    a.ok("NOTIFY SET (selected (MessageNew (uid) MessageExpunge))"
         " (personal (MessageNew MessageExpunge MailboxName"
         " MailboxMetadataChange SubscriptionChange))")
    a.ok("CREATE Mine")
    a.ok(append("Work"))
    a.ok('SETMETADATA Mine (/shared/x "1")')
    a.ok("SUBSCRIBE Mine")
    a.ok("RENAME Mine Yours")
    a.ok("DELETE Yours")
    a.ok("SELECT Work")
    said = a.ok(append("Work"))
    assert not any("FETCH" in s for s in said), said
    a.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    assert "* 1 EXPUNGE" in a.ok("EXPUNGE")
    a.ok("UNSELECT")
    a.silent()
    b.ok(append("Work"))
    a.hears('* STATUS "Work" (MESSAGES 2 ')


def test_delayed(a, b):
    """Numbers stay what they are until the client allows it."""
    b.ok(append("INBOX"))
    a.ok("NOTIFY SET (selected-delayed MessageNew (UID) MessageExpunge)")
    a.ok("SELECT INBOX")
    b.ok("SELECT INBOX")
    b.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    b.ok("EXPUNGE")
    b.ok(append("INBOX"))
    a.hears("* 2 EXISTS")
    while (line := a.line(0.3)) is not None:
        assert "EXPUNGE" not in line, line
    assert a.ok("NOOP") == ["* 1 EXPUNGE"]


def test_none(a, b):
    a.ok("SELECT INBOX")
    a.ok("NOTIFY NONE")
    b.ok(append("INBOX"))
    a.silent()
    assert a.ok("NOOP") == []
    said = a.ok("NOTIFY SET (selected (MessageNew MessageExpunge))")
    assert said[0] == "* 1 EXISTS", said
    b.ok("SELECT INBOX")
    b.ok("STORE 1 +FLAGS (\\Seen)")
    a.silent()


def test_idle(a, b):
    b.ok("CREATE Work")
    a.ok("NOTIFY SET (selected-delayed (MessageNew MessageExpunge))"
         " (mailboxes (Work None) (MessageNew MessageExpunge FlagChange))")
    a.ok("SELECT INBOX")
    a.send("i IDLE")
    a.hears("+ ")
    b.ok(append("Work"))
    a.hears('* STATUS "Work" (MESSAGES 1 ')
    b.ok(append("INBOX"))
    a.hears("* 1 EXISTS", "* 1 RECENT")
    b.ok("SELECT Work")
    b.ok("STORE 1 +FLAGS (kw)")
    a.hears('* STATUS "Work" (UIDVALIDITY ')
    b.ok("SELECT INBOX")
    b.ok("STORE 1 +FLAGS.SILENT (\\Deleted)")
    b.ok("EXPUNGE")
    a.hears("* 1 EXPUNGE")
    a.send("DONE")
    a.hears("i OK")


def test_condstore(a, b):
    b.ok("CREATE Work")
    a.ok("ENABLE QRESYNC")
    a.ok("NOTIFY SET (selected (MessageNew MessageExpunge FlagChange))"
         " (personal (MessageNew MessageExpunge FlagChange))")
    a.ok("SELECT INBOX")
    b.ok(append("Work"))
    line = a.line()
    assert line.startswith('* STATUS "Work" (MESSAGES 1 '), line
    assert "HIGHESTMODSEQ" in line, line
    b.ok(append("INBOX"))
    a.hears("* 1 EXISTS", "* 1 RECENT", "* OK [HIGHESTMODSEQ ")
    b.ok("SELECT INBOX")
    b.ok("STORE 1 +FLAGS (\\Deleted)")
    line = a.line()
    assert line.startswith("* 1 FETCH (UID 1 ") and "MODSEQ" in line, line
    b.ok("EXPUNGE")
    a.hears("* VANISHED 1", "* OK [HIGHESTMODSEQ ")


def test_rights(a, b):
    b.ok("CREATE Work")
    b.ok("SETACL Work owner -r")
    b.ok("CREATE Open")
    said = a.ok("NOTIFY SET STATUS"
                " (personal (MessageNew MessageExpunge))")
    assert '* LIST (\\HasNoChildren \\NoAccess) "/" "Work"' in said, said
    assert not any("STATUS \"Work\"" in s for s in said), said
    b.ok(append("Work"))
    b.ok("SETACL Work owner +r")
    a.hears('* LIST (\\HasNoChildren) "/" "Work"')
    b.ok(append("Work"))
    a.hears('* STATUS "Work" (MESSAGES 2 ')


def test_update(a, b):
    """UPDATE of a search with items, told of messages that come."""
    b.ok(append("INBOX", "Subject: one\r\n\r\n"))
    a.ok("NOTIFY SET (selected (MessageNew MessageExpunge FlagChange))")
    a.ok("SELECT INBOX")
    a.ok("UID SEARCH RETURN (COUNT UPDATE (UID BODY.PEEK[HEADER.FIELDS"
         " (SUBJECT)])) SUBJECT two")
    b.ok(append("INBOX", "Subject: two\r\n\r\n"))
    a.hears("* 2 EXISTS", "* 2 RECENT",
            '* ESEARCH (TAG "a") UID ADDTO (0 2)',
            "* 2 FETCH (UID 2 BODY[HEADER.FIELDS (SUBJECT)] {16}",
            "Subject: two", "", ")")
    b.ok(append("INBOX", "Subject: three\r\n\r\n"))
    a.hears("* 3 EXISTS")
    while (line := a.line(0.3)) is not None:
        assert "FETCH" not in line and "ESEARCH" not in line, line


def test_bad(a, b):
    for args, want in [
            ("SET (selected (MessageNew))", "BAD"),
            ("SET (personal (FlagChange))", "BAD"),
            ("SET (personal (Foo))", "NO [BADEVENT (MessageNew "),
            ("SET (personal (AnnotationChange))", "NO [BADEVENT ("),
            ("SET (selected (MailboxName))", "BAD"),
            ("SET (personal (MessageNew (uid) MessageExpunge))", "BAD"),
            ("SET (selected (MessageNew (foo) MessageExpunge))", "BAD"),
            ("SET (selected NONE) (selected-delayed NONE)", "BAD"),
            ("SET (subtree (MessageNew MessageExpunge))", "BAD"),
            ("SET (nowhere (MailboxName))", "BAD"),
            ("SET ()", "BAD"), ("SET", "BAD"), ("SET x", "BAD"),
            ("FOO", "BAD"), ("NONE x", "BAD")]:
        line = a.cmd("NOTIFY " + args)
        assert line.startswith("a " + want), (args, line)


def test_poll(a, b):
    """Started where inotify is refused."""
    b.ok("CREATE Work")
    a.ok("NOTIFY SET (selected (MessageNew MessageExpunge))"
         " (personal (MessageNew MessageExpunge FlagChange MailboxName))")
    a.ok("SELECT INBOX")
    b.ok(append("INBOX"))
    a.hears("* 1 EXISTS", "* 1 RECENT")
    b.ok(append("Work"))
    a.hears('* STATUS "Work" (MESSAGES 1 ')
    b.ok("CREATE Neu")
    a.hears('* LIST (\\HasNoChildren) "/" "Neu"')
    # no name of a file and no mtime tells of a keyword
    b.ok("SELECT Work")
    b.ok("STORE 1 +FLAGS.SILENT (kw)")
    a.hears('* STATUS "Work" (UIDVALIDITY ')
    b.ok("STORE 1 -FLAGS.SILENT (kw)")
    a.hears('* STATUS "Work" (UIDVALIDITY ')


def test_many(a, b):
    line = a.cmd("NOTIFY SET (personal (MailboxName))")
    assert line.startswith("a NO [NOTIFICATIONOVERFLOW]"), line
    os.rename(sys.argv[1] + "/.f1", sys.argv[1] + "/gone")
    a.ok("NOTIFY SET (personal (MailboxName))")
    os.rename(sys.argv[1] + "/gone", sys.argv[1] + "/.f1")
    a.hears("* OK [NOTIFICATIONOVERFLOW]")
    b.ok("DELETE f2")
    a.silent()


def main():
    a, b = Session(), Session()
    try:
        globals()["test_" + sys.argv[2]](a, b)
        for s in (a, b):
            s.send("z LOGOUT")
            s.p.stdin.close()
            assert s.p.wait() == 0
    finally:
        for s in (a, b):
            s.p.kill()
            s.p.wait()


main()
