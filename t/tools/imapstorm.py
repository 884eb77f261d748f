#!/usr/bin/env python3
"""Many sessions at once on one mailbox, doing random work.

    imapstorm.py MAILDIR SESSIONS SECONDS [SEED]

Each session keeps the view that it was told of: EXISTS, EXPUNGE, VANISHED,
FETCH.  A thread of its own works on the files as mutt, another delivery
agent and rm would.  At the end every view must be what the server says,
all must be the same, and the same as that of a fresh session; no UID may
ever have named two messages.
"""
import os
import random
import re
import subprocess
import sys
import threading
import time

FLAGS = [r"\Seen", r"\Answered", r"\Flagged", r"\Deleted", "$Forwarded",
         "work", "later"]


class Wrong(Exception):
    pass


class Names:
    """Which message a UID names, for all sessions."""

    def __init__(self):
        self.lock = threading.Lock()
        self.of = {}

    def note(self, validity, uid, subject):
        with self.lock:
            was = self.of.setdefault((validity, uid), subject)
        if was != subject:
            raise Wrong(f"UID {uid} of {validity} was {was}, is {subject}")


class Session:
    def __init__(self, box, names, seed, qresync=False):
        self.names, self.rng = names, random.Random(seed)
        self.p = subprocess.Popen(["mimapd", "-p", box], bufsize=0,
                                  stdin=subprocess.PIPE, text=False,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL)
        self.f = self.p.stdout
        self.buf = b""
        self.n = 0
        self.view = []          # [uid or None, flags or None]
        self.name = ""          # of the command under way
        self.validity = None
        self.found = []
        self.line()
        self.qresync = qresync
        if qresync:
            self.do("ENABLE QRESYNC")

    def line(self):
        """A response line with its literals in place."""
        text = b""
        while True:
            while b"\n" not in self.buf:
                more = self.f.read(65536)
                if not more:
                    raise Wrong(f"the session ended in {self.name}")
                self.buf += more
            part, self.buf = self.buf.split(b"\n", 1)
            text += part
            m = re.search(rb"\{(\d+)\}\r$", part)
            if not m:
                return text[:-1]
            want = int(m.group(1))
            while len(self.buf) < want:
                self.buf += self.f.read(65536)
            text += b"\n" + self.buf[:want]
            self.buf = self.buf[want:]

    def told(self, text):
        m = re.match(rb"\* (\d+) (EXISTS|EXPUNGE|FETCH)(?: \((.*)\))?$", text,
                     re.S)
        if m is None:
            m = re.match(rb"\* VANISHED ([0-9:,]+)$", text)
            if m:
                self.vanished(m.group(1).decode())
            m = re.search(rb"\[UIDVALIDITY (\d+)", text)
            if m:
                self.validity = int(m.group(1))
            if text.startswith(b"* BYE"):
                raise Wrong(text.decode())
            return
        n, what = int(m.group(1)), m.group(2)
        if what == b"EXISTS":
            if n < len(self.view):
                raise Wrong(f"EXISTS {n} shrinks from {len(self.view)}")
            self.view += [[None, None] for _ in range(n - len(self.view))]
        elif what == b"EXPUNGE":
            self.expunged()
            del self.view[n - 1]
        else:
            self.fetched(n, m.group(3))

    def expunged(self):
        if self.name in ("FETCH", "STORE", "SEARCH"):
            raise Wrong(f"a message goes during {self.name}")

    def vanished(self, text):
        self.expunged()
        gone = set()
        for r in text.split(","):
            a, _, b = r.partition(":")
            gone.update(range(int(a), int(b or a) + 1))
        known = {e[0] for e in self.view}
        self.view = [e for e in self.view if e[0] not in gone]
        for uid in gone - known:
            self.forget_unknown(uid)

    def forget_unknown(self, uid):
        """One that was told of by EXISTS alone: it stands between those
        whose UIDs are known."""
        after = 0
        for i, e in enumerate(self.view):
            if e[0] is not None and e[0] < uid:
                after = i + 1
        if after < len(self.view) and self.view[after][0] is None:
            del self.view[after]

    def fetched(self, n, text):
        if n > len(self.view):
            raise Wrong(f"FETCH of {n}, of {len(self.view)} messages")
        e = self.view[n - 1]
        m = re.search(rb"\bUID (\d+)", text)
        if m:
            uid = int(m.group(1))
            if e[0] not in (None, uid):
                raise Wrong(f"message {n} was UID {e[0]} and is {uid}")
            e[0] = uid
            s = re.search(rb"Subject: (\S+)", text)
            if s:
                self.names.note(self.validity, uid, s.group(1))
        m = re.search(rb"FLAGS \(([^)]*)\)", text)
        if m:
            flags = set(m.group(1).decode().split())
            e[1] = frozenset(f for f in flags if f != r"\Recent")

    def do(self, command, ok=("OK", "NO")):
        self.n += 1
        tag = f"t{self.n}"
        words = command.split()
        self.name = words[0]
        self.p.stdin.write(f"{tag} {command}\r\n".encode())
        while True:
            text = self.line()
            if text.startswith(b"+ "):
                time.sleep(self.rng.random() / 5)
                self.p.stdin.write(b"DONE\r\n")
            elif text.startswith(tag.encode() + b" "):
                self.name = ""
                result = text.split(b" ", 2)[1].decode()
                if result not in ok:
                    raise Wrong(f"{command}: {text.decode()}")
                return result
            else:
                self.told(text)

    def select(self, box):
        self.view = []
        self.do(f"SELECT {box}", ("OK",))
        self.look()

    def look(self):
        if self.view:
            self.do("FETCH 1:* (UID FLAGS)")

    def pick(self, uid):
        """A set of some messages, by number or UID; None if there is none."""
        r = self.rng
        known = [e[0] for e in self.view if e[0] is not None]
        if uid and known:
            a = r.choice(known)
            return r.choice([str(a), f"{a}:{a + r.randrange(9)}"])
        if not self.view:
            return None
        a = r.randrange(len(self.view)) + 1
        return r.choice([str(a), f"{a}:{min(a + 3, len(self.view))}"])

    def not_told(self, which, uid):
        """The flags of these are not known any more."""
        a, _, b = which.partition(":")
        for i, e in enumerate(self.view):
            n = e[0] if uid else i + 1
            if n is None or int(a) <= n <= int(b or a):
                e[1] = None

    def step(self):
        r = self.rng
        uid = "UID " if r.random() < 0.5 else ""
        which = self.pick(bool(uid))
        k = r.randrange(100)
        flags = " ".join(r.sample(FLAGS, r.randrange(1, 3)))
        if k < 12 or which is None:
            text = (f"Subject: m{os.getpid()}.{id(self)}.{self.n}\r\n\r\n"
                    f"body\r\n")
            self.do(f"APPEND {r.choice(['INBOX', 'Other'])} ({flags}) "
                    f"{{{len(text)}+}}\r\n{text}")
        elif k < 40:
            silent = r.choice(["", ".SILENT"])
            if silent:
                self.not_told(which, bool(uid))
            self.do(f"{uid}STORE {which} {r.choice(['', '+', '-'])}FLAGS"
                    f"{silent} ({flags})")
        elif k < 55:
            self.do(f"{uid}FETCH {which} (UID FLAGS BODY.PEEK[HEADER])")
        elif k < 62:
            self.do(f"{uid}SEARCH {r.choice(['DELETED', 'UNSEEN', 'ALL'])}")
        elif k < 68:
            self.do("EXPUNGE")
        elif k < 74:
            self.do(f"{uid}COPY {which} {r.choice(['INBOX', 'Other'])}")
        elif k < 80:
            self.do(f"{uid}MOVE {which} Other")
        elif k < 84:
            self.do("IDLE")
        elif k < 86:
            self.select(r.choice(["INBOX", "INBOX", "Other"]))
        elif k < 88:
            self.do(f"STATUS {r.choice(['INBOX', 'Other'])} "
                    "(MESSAGES UNSEEN UIDNEXT)")
        else:
            self.do("NOOP")

    def settle(self):
        """The view once nothing happens any more; that the server has the
        same."""
        self.do("NOOP")
        before = [list(e) for e in self.view]
        self.look()
        for was, now in zip(before, self.view):
            for a, b in zip(was, now):
                if a is not None and a != b:
                    raise Wrong(f"was told {was}, and it is {now}")
        if len(before) != len(self.view):
            raise Wrong(f"was told of {len(before)}, has {len(self.view)}")

    def close(self):
        self.p.stdin.close()
        self.p.wait(20)


def foreign(box, stop, rng):
    """What other programs do: deliver, flag, remove, move to cur/."""
    n = 0
    while not stop.is_set():
        time.sleep(rng.random() / 20)
        try:
            k = rng.random()
            if k < 0.4:
                n += 1
                name = f"{int(time.time())}.F{n}P{os.getpid()}.storm"
                with open(f"{box}/tmp/{name}", "w") as f:
                    f.write(f"Subject: foreign{n}\n\nbody\n")
                os.rename(f"{box}/tmp/{name}", f"{box}/new/{name}")
                continue
            sub = rng.choice(["new", "cur"])
            files = os.listdir(f"{box}/{sub}")
            if not files:
                continue
            old = rng.choice(files)
            if k < 0.5:
                os.unlink(f"{box}/{sub}/{old}")
            else:
                new = old.split(":")[0] + ":2," + "".join(
                    sorted(rng.sample("DFRST", rng.randrange(3))))
                os.rename(f"{box}/{sub}/{old}", f"{box}/cur/{new}")
        except FileNotFoundError:
            pass


def main(box, sessions, seconds, seed=1):
    names, stop, faults = Names(), threading.Event(), []
    for d in ("tmp", "new", "cur", ".Other/tmp", ".Other/new", ".Other/cur"):
        os.makedirs(os.path.join(box, d), exist_ok=True)
    all_of_them = [Session(box, names, seed * 1000 + i, i % 3 == 0)
                   for i in range(sessions)]
    steps = [0]

    def work(s):
        try:
            s.select("INBOX")
            while not stop.is_set():
                s.step()
                steps[0] += 1
        except (Wrong, OSError) as e:
            faults.append(f"{s.n}: {e}")
            stop.set()

    threads = [threading.Thread(target=work, args=(s,)) for s in all_of_them]
    threads.append(threading.Thread(
        target=foreign, args=(box, stop, random.Random(seed))))
    for t in threads:
        t.start()
    stop.wait(seconds)
    stop.set()
    for t in threads:
        t.join()
    if not faults:
        try:
            compare(box, names, all_of_them)
        except Wrong as e:
            faults.append(str(e))
    for s in all_of_them:
        s.close()
    for f in faults:
        print(f)
    print(f"{sessions} sessions, {steps[0]} commands, "
          f"{len(names.of)} messages, {len(faults)} faults")
    return bool(faults)


def compare(box, names, sessions):
    for s in sessions:
        s.settle()
        s.select("INBOX")
    fresh = Session(box, names, 0)
    fresh.select("INBOX")
    fresh.do("FETCH 1:* (UID BODY.PEEK[HEADER])")
    files = sum(len(os.listdir(f"{box}/{d}")) for d in ("new", "cur"))
    if files != len(fresh.view):
        raise Wrong(f"{files} files, {len(fresh.view)} messages")
    for s in sessions:
        if s.view != fresh.view:
            raise Wrong("two sessions differ: " + str(
                [(a, b) for a, b in zip(s.view, fresh.view) if a != b][:5]))
    fresh.close()


if __name__ == "__main__":
    a = sys.argv
    sys.exit(main(a[1], int(a[2]), float(a[3]), int(a[4]) if a[4:] else 1))
