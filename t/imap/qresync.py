"""A client that follows RFC 7162, section 6, while others change its mailbox.

usage: qresync.py SEED ROUNDS

It keeps UIDs with their flags and a HIGHESTMODSEQ, loses the connection at
any moment, comes back by SELECT (QRESYNC ...), and must then have what a
fresh session sees.
"""

import glob
import os
import random
import re
import sys

from client import Session

R = random.Random(int(sys.argv[1]))
FLAGS = ["\\Seen", "\\Flagged", "\\Answered", "$Label1"]


def uids(text):
    for part in text.split(","):
        a, _, b = part.partition(":")
        yield from range(int(a), int(b or a) + 1)


class Client:
    def __init__(self):
        self.view, self.modseq, self.validity = {}, 0, None

    def take(self, lines, tagged):
        """What one command told; numbers are mapped as it says."""
        highest = None
        for x in lines + [tagged]:
            m = re.match(r"\* VANISHED (\(EARLIER\) )?(\S+)$", x)
            if m:
                for uid in uids(m.group(2)):
                    if m.group(1) is None:
                        assert uid in self.numbers, (x, self.numbers)
                        self.numbers.remove(uid)
                    self.view.pop(uid, None)
            assert "EXPUNGE" not in x or "EXPUNGEISSUED" in x, x
            m = re.match(r"\* (\d+) FETCH \((.*)\)$", x)
            if m:
                uid = int(re.search(r"UID (\d+)", m.group(2)).group(1))
                n = int(m.group(1))
                if n <= len(self.numbers):
                    assert self.numbers[n - 1] == uid, (x, self.numbers)
                flags = re.search(r"FLAGS \(([^)]*)\)", m.group(2))
                if flags:
                    self.view[uid] = sorted(
                        f for f in flags.group(1).split() if f != "\\Recent")
                mod = re.search(r"MODSEQ \((\d+)\)", m.group(2))
                if mod:
                    self.seen = max(self.seen, int(mod.group(1)))
            m = re.search(r"OK \[HIGHESTMODSEQ (\d+)\]", x)
            if m:
                highest = int(m.group(1))
        if highest is not None:
            self.modseq = highest
        elif self.seen > self.modseq:
            self.modseq = self.seen
        self.seen = 0

    def run(self, command, ok=""):
        lines = self.s(command, ok)
        self.take(lines, self.s.tagged)
        for x in lines:
            m = re.match(r"\* (\d+) EXISTS", x)
            if m:
                self.count = int(m.group(1))
        if self.count > len(self.numbers):
            self.learn()
        return lines

    def learn(self):
        """The UIDs and flags of what is new."""
        first = max(self.numbers, default=0) + 1
        lines = self.s(f"UID FETCH {first}:* (FLAGS MODSEQ)")
        for x in lines:
            m = re.match(r"\* \d+ FETCH \(UID (\d+) FLAGS", x)
            if m and int(m.group(1)) >= first:
                if int(m.group(1)) not in self.numbers:
                    self.numbers.append(int(m.group(1)))
        self.take(lines, self.s.tagged)
        for x in lines:
            m = re.match(r"\* (\d+) EXISTS", x)
            if m and int(m.group(1)) > len(self.numbers):
                self.learn()

    def connect(self):
        self.s, self.seen, self.numbers = Session(), 0, []
        self.s("ENABLE QRESYNC")
        how = ""
        if self.validity:
            how = f" (QRESYNC ({self.validity} {self.modseq}"
            known = sorted(self.view)
            if known and R.random() < 0.5:
                how += f" 1:{known[-1]}"
                if R.random() < 0.5:
                    n = sorted(R.sample(range(len(known)),
                                        R.randint(1, len(known))))
                    how += " (%s %s)" % (
                        ",".join(str(i + 1) for i in n),
                        ",".join(str(known[i]) for i in n))
            how += "))"
        lines = self.s("SELECT INBOX" + how)
        text = "\n".join(lines)
        self.count = int(re.search(r"\* (\d+) EXISTS", text).group(1))
        validity = re.search(r"UIDVALIDITY (\d+)", text).group(1)
        assert self.validity in (None, validity)
        self.validity = validity
        self.take(lines, self.s.tagged)
        # the order of what is left; what is new is in there, too
        if self.count > 0:
            all = self.s("UID SEARCH RETURN (ALL) ALL")[0]
            self.numbers = list(uids(all.split(" ALL ")[1]))
            new = [u for u in self.numbers if u not in self.view]
            if new:
                lines = self.s("UID FETCH " + ",".join(map(str, new)) +
                               " (FLAGS)")
                self.take(lines, self.s.tagged)


def truth():
    s, got = Session(), {}
    s("SELECT INBOX")
    for x in s("FETCH 1:* (UID FLAGS)", ""):
        m = re.match(r"\* \d+ FETCH \(UID (\d+) FLAGS \(([^)]*)\)", x)
        if m:
            got[int(m.group(1))] = sorted(
                f for f in m.group(2).split() if f != "\\Recent")
    s.close()
    return got


def change(other):
    """One thing that somebody else does."""
    what = R.randrange(8)
    n = len(other("UID SEARCH ALL")[0].split()) - 2
    some = f"{R.randint(1, max(n, 1))}:{R.randint(1, max(n, 1))}"
    if what < 2:
        other.append(R.randint(1, 3))
        other("NOOP")
    elif what < 5 and n > 0:
        other(f"STORE {some} {R.choice('+-')}FLAGS.SILENT ({R.choice(FLAGS)})",
              "")
    elif what == 5 and n > 2:
        other(f"STORE {R.randint(1, n)} +FLAGS.SILENT (\\Deleted)", "")
        other("EXPUNGE")
    elif what == 6 and n > 0:
        other(f"COPY {R.randint(1, n)} INBOX", "")
    elif what == 7:
        files = sorted(glob.glob("box/cur/*"))
        if files and R.random() < 0.5:
            os.remove(R.choice(files))
        elif files:
            f = R.choice(files)
            os.rename(f, f.split(":")[0] + ":2," + R.choice(["", "F", "FS"]))


def main():
    me, other = Client(), Session()
    other.append(5)
    other("SELECT INBOX")
    connected = False
    for _ in range(int(sys.argv[2])):
        if not connected:
            me.connect()
            connected = True
        for _ in range(R.randrange(4)):
            change(other)
            other("NOOP")
        for _ in range(R.randrange(3)):
            n = len(me.numbers)
            what = R.randrange(5)
            if what == 0:
                me.run("NOOP")
            elif what == 1 and n > 0:
                me.run(f"FETCH {R.randint(1, n)} (UID FLAGS MODSEQ)")
            elif what == 2 and n > 0:
                me.run(f"STORE {R.randint(1, n)} +FLAGS ({R.choice(FLAGS)})")
            elif what == 3 and n > 0:
                uid, flag = R.choice(me.numbers), R.choice(FLAGS)
                if flag in me.view[uid]:
                    me.view[uid].remove(flag)
                me.run(f"UID STORE {uid} -FLAGS.SILENT ({flag})")
            elif n > 0:
                me.run(f"FETCH {R.randint(1, n)} (UID BODY.PEEK[TEXT])")
        if R.random() < 0.4:
            me.s.p.kill() if R.random() < 0.5 else None
            me.s.close()
            connected = False
            me.connect()
            connected = True
            want = truth()
            assert me.view == want, ("after SELECT", me.modseq, me.view, want)
        elif R.random() < 0.5:
            me.run("NOOP")
            want = truth()
            me.run("NOOP")
            assert me.view == want, ("after NOOP", me.modseq, me.view, want)


main()
