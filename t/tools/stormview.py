"""A session of `mimapd -p` and the view that it was told of.

EXISTS, EXPUNGE, VANISHED, FETCH, UIDFETCH: what was told must fit what was
told before, and by settle() what the server has.
"""
import bisect
import collections
import random
import re
import subprocess
import sys
import threading
import time
import zlib


# What never changes, wherever it comes from.
FACTS = [("subject", rb"Subject: (\S+)"),
         ("subject", rb'ENVELOPE \(NIL "([^"]*)"'),
         ("size", rb"RFC822\.SIZE (\d+)")]


class Wrong(Exception):
    pass


class Names:
    """What a UID names, for all sessions: its subject and its size."""

    def __init__(self):
        self.lock = threading.Lock()
        self.of = {}

    def note(self, what, box, validity, uid, text):
        with self.lock:
            was = self.of.setdefault((what, box, validity, uid), text)
        if was != text:
            raise Wrong(f"{what} of UID {uid} of {validity} was {was}, "
                        f"is {text}")


class Wire:
    """Lines to and from a program, compressed from some point on."""

    def __init__(self, *argv):
        self.p = subprocess.Popen(argv, bufsize=0, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
        self.buf = b""
        self.log = collections.deque(maxlen=5000)
        self.z = self.u = None

    def compress(self):
        self.z = zlib.compressobj(1, zlib.DEFLATED, -15)
        self.u = zlib.decompressobj(-15)

    def send(self, data):
        self.log.append(data)
        if self.z:
            data = self.z.compress(data) + self.z.flush(zlib.Z_SYNC_FLUSH)
        self.p.stdin.write(data)

    def more(self):
        data = self.p.stdout.read(65536)
        if not data:
            raise Wrong("the session has ended")
        self.buf += self.u.decompress(data) if self.u else data

    def line(self):
        """A response line with its literals in place."""
        text = b""
        while True:
            while b"\n" not in self.buf:
                self.more()
            part, self.buf = self.buf.split(b"\n", 1)
            text += part
            m = re.search(rb"\{(\d+)\}\r$", part)
            if not m:
                self.log.append(text)
                return text[:-1]
            want = int(m.group(1))
            while len(self.buf) < want:
                self.more()
            text += b"\n" + self.buf[:want]
            self.buf = self.buf[want:]

    def close(self):
        self.p.stdin.close()
        while self.p.stdout.read(65536):
            pass
        self.p.wait(60)


def uids_in(text):
    """The numbers of a set: 1:3,7"""
    for r in text.split(","):
        a, _, b = r.partition(":")
        yield from range(int(a), int(b or a) + 1)


class Entry:
    """A message, as far as it is known."""

    def __init__(self, uid=None):
        self.uid, self.flags, self.modseq = uid, None, 0

    def __repr__(self):
        flags = "?" if self.flags is None else " ".join(sorted(self.flags))
        return f"{self.uid}({flags})"

    def same(self, other):
        return self.uid == other.uid and self.flags == other.flags


class Session:
    def __init__(self, box, names, seed, kinds=()):
        self.names, self.rng, self.kinds = names, random.Random(seed), kinds
        self.wire = Wire("mimapd", "-p", box)
        self.n = 0
        self.view = []
        self.name = ""          # of the command under way
        self.box = self.validity = None
        self.opening = False    # what comes is of the mailbox before
        self.modseq = 0         # the highest when the view was whole
        self.earlier = set()    # VANISHED (EARLIER)
        self.wire.line()
        if "compress" in kinds:
            self.do("COMPRESS DEFLATE", ("OK",))
            self.wire.compress()
        for word in ("IMAP4rev2", "QRESYNC", "UIDONLY"):
            if word.lower() in kinds:
                self.do(f"ENABLE {word}", ("OK",))
        if "notify" in kinds:
            self.do("NOTIFY SET (SELECTED (MessageNew (UID FLAGS) "
                    "MessageExpunge FlagChange)) (PERSONAL (MessageNew "
                    "MessageExpunge))", ("OK",))

    # ------------------------------------------------------ what it is told

    def told(self, text):
        if self.opening and re.match(rb"\* (FLAGS|OK \[CLOSED)", text):
            self.view, self.opening = [], False
        m = re.match(rb"\* (\d+) (EXISTS|EXPUNGE|FETCH|UIDFETCH)"
                     rb"(?: \((.*)\))?$", text, re.S)
        if m is None:
            self.told_else(text)
            return
        n, what = int(m.group(1)), m.group(2)
        if what == b"EXISTS":
            if n < len(self.view):
                raise Wrong(f"EXISTS {n} shrinks from {len(self.view)}")
            self.view += [Entry() for _ in range(n - len(self.view))]
        elif what == b"EXPUNGE":
            self.expunged()
            if "uidonly" in self.kinds or "qresync" in self.kinds:
                raise Wrong("EXPUNGE where VANISHED is due")
            del self.view[n - 1]
        elif (what == b"UIDFETCH") != ("uidonly" in self.kinds):
            raise Wrong(f"of the other kind: {text!r}")
        elif what == b"UIDFETCH":
            self.fetched(self.by_uid(n), m.group(3))
        elif n > len(self.view):
            raise Wrong(f"FETCH of {n}, of {len(self.view)} messages")
        else:
            self.fetched(self.view[n - 1], m.group(3))

    def told_else(self, text):
        m = re.match(rb"\* VANISHED( \(EARLIER\))? ([0-9:,]+)$", text)
        if m and m.group(1):
            self.earlier.update(uids_in(m.group(2).decode()))
        elif m:
            self.vanished(set(uids_in(m.group(2).decode())))
        m = re.search(rb"\[UIDVALIDITY (\d+)", text)
        if m:
            self.validity = int(m.group(1))
        m = re.search(rb"\[HIGHESTMODSEQ (\d+)", text)
        if m and self.name == "SELECT":
            self.modseq = int(m.group(1))
        if text.startswith(b"* BYE"):
            raise Wrong(text.decode())

    def expunged(self):
        """With NOTIFY it may have been on its way before the command."""
        if "notify" not in self.kinds and self.name in (
                "FETCH", "STORE", "SEARCH"):
            raise Wrong(f"a message goes during {self.name}")

    def vanished(self, gone):
        self.expunged()
        known = {e.uid for e in self.view}
        self.view = [e for e in self.view if e.uid not in gone]
        for uid in gone - known:
            i = self.after(uid)
            if "uidonly" in self.kinds:
                i = len(self.view) - 1
            if self.view[i:] and self.view[i].uid is None:
                del self.view[i]

    def after(self, uid):
        """Where one stands that was told of by EXISTS alone: between those
        whose UIDs are known."""
        if "uidonly" in self.kinds:
            return bisect.bisect_right(
                self.view, uid, key=lambda e: e.uid or sys.maxsize)
        for at in range(len(self.view), 0, -1):
            e = self.view[at - 1]
            if e.uid is not None and e.uid <= uid:
                return at
        return 0

    def by_uid(self, uid):
        """With UIDONLY nobody knows where one stands that was told of by
        EXISTS alone: those are at the end."""
        at = self.after(uid - 1)
        if self.view[at:] and self.view[at].uid == uid:
            return self.view[at]
        if not self.view or self.view[-1].uid is not None:
            raise Wrong(f"UIDFETCH of {uid}, which is not there")
        self.view.pop()
        self.view.insert(at, Entry(uid))
        return self.view[at]

    def fetched(self, e, text):
        m = re.search(rb"\bUID (\d+)", text)
        if m:
            uid = int(m.group(1))
            if e.uid not in (None, uid):
                raise Wrong(f"a message was UID {e.uid} and is {uid}")
            e.uid = uid
        for what, how in FACTS:
            s = re.search(how, text)
            if s and e.uid is not None:
                self.names.note(what, self.box, self.validity, e.uid,
                                s.group(1))
        m = re.search(rb"\bMODSEQ \((\d+)\)", text)
        if m:
            if int(m.group(1)) < e.modseq:
                raise Wrong(f"MODSEQ of {e} falls from {e.modseq}")
            e.modseq = int(m.group(1))
        m = re.search(rb"FLAGS \(([^)]*)\)", text)
        if m:
            flags = set(m.group(1).decode().split())
            e.flags = frozenset(f for f in flags if f != r"\Recent")

    # ---------------------------------------------------------- what it says

    def do(self, command, ok=("OK", "NO")):
        self.n += 1
        tag = f"t{self.n}"
        words = command.split()
        self.name = words[0]
        self.wire.send(f"{tag} {command}\r\n".encode())
        while True:
            text = self.wire.line()
            if text.startswith(b"+ "):
                time.sleep(self.rng.random() / 5)
                self.wire.send(b"DONE\r\n")
            elif text.startswith(tag.encode() + b" "):
                self.name = ""
                result = text.split(b" ", 2)[1].decode()
                if result not in ok:
                    raise Wrong(f"{command}: {text.decode()}")
                return result
            else:
                self.told(text)

    def select(self, box):
        self.opened("", box)
        self.look()

    def opened(self, how, box):
        self.opening, self.box = True, box
        self.do(f"SELECT {box}{how}", ("OK",))
        if self.opening:
            raise Wrong("SELECT tells no FLAGS")

    def resync(self):
        """SELECT again, what was known and what is told since together."""
        self.look()
        old = {e.uid: e for e in self.view if e.uid is not None}
        self.earlier = set()
        self.opened(f" (QRESYNC ({self.validity} {self.modseq}))", self.box)
        told = {e.uid: e for e in self.view if e.uid is not None}
        have = {uid: e for uid, e in old.items() if uid not in self.earlier}
        have.update({uid: e for uid, e in told.items()
                     if e.flags is not None})
        n, modseq = len(self.view), self.modseq
        if n:
            self.do("FETCH 1:* (UID FLAGS MODSEQ)")
        now = self.view[:n]
        differ = {e.uid for e in now} ^ set(have)
        if differ and "notify" not in self.kinds:  # which has told already
            raise Wrong(f"QRESYNC is wrong about {sorted(differ)}")
        for e in now:
            was = have.get(e.uid, e).flags
            if e.modseq <= modseq and was is not None and was != e.flags:
                raise Wrong(f"QRESYNC gives {have[e.uid]}, and it is {e}")

    def look(self):
        if self.view and "uidonly" in self.kinds:
            self.do("UID FETCH 1:* (FLAGS)")
        elif self.view:
            self.do("FETCH 1:* (UID FLAGS)")

    def settle(self):
        """Nothing happens any more: the view is what the server has."""
        where = f"{self.kinds} in {self.box}"
        self.do("NOOP")
        before = [(e.uid, e.flags) for e in self.view]
        self.look()
        now = list(self.view)
        if "uidonly" in self.kinds:  # those without a UID may be anywhere
            uids = {uid for uid, _ in before}
            now.sort(key=lambda e: (e.uid not in uids, e.uid))
        for was, e in zip(before, now):
            for a, b in zip(was, (e.uid, e.flags)):
                if a is not None and a != b:
                    raise Wrong(f"{where}: was told {was}, and it is {e}")
        if len(before) != len(self.view):
            raise Wrong(f"{where}: was told of {len(before)}, and there "
                        f"are {len(self.view)}")
        if [e for e in self.view if e.uid is None]:
            raise Wrong(f"{where}: some are told of, and not there")

    def close(self):
        self.wire.close()
