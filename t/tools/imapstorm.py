#!/usr/bin/env python3
"""Many sessions at once on two mailboxes, doing random work.

    imapstorm.py MAILDIR[,MAILDIR] SESSIONS SECONDS [SEED]

Each session keeps the view that it was told of (stormview.py); some speak
QRESYNC, UIDONLY, NOTIFY, IMAP4rev2 or COMPRESS.  Threads of their own work
on the files as mutt, another delivery agent and rm would, and mdeliver
delivers.  At the end every view must be what the server says, all must be
the same, and the same as that of a fresh session and the files; no UID may
ever have named two messages.  Two Maildirs are one, as two nodes see it that
learn of each other's work when their file system likes to.  After a fault the last lines of each session
are in MAILDIR.log.NUMBER.
"""
import os
import random
import subprocess
import sys
import threading
import time

from stormview import Names, Session, Wrong

FLAGS = [r"\Seen", r"\Answered", r"\Flagged", r"\Deleted", "$Forwarded",
         "work", "later"]
BOXES = ["INBOX", "Other"]
SEARCHES = ["DELETED", "UNSEEN", "ALL", "KEYWORD work", "SUBJECT foreign"]


def kinds_of(i):
    """What session number i speaks."""
    k = {0: ("qresync",), 1: ("uidonly",), 2: ("imap4rev2",), 3: (),
         4: ("notify",), 5: ("qresync", "compress")}[i % 6]
    return k + ("notify",) if i % 13 == 12 and "notify" not in k else k


class Storm(Session):
    """One that does anything."""

    def pick(self, uid):
        """A set of some messages, by number or UID; None if there is none."""
        r = self.rng
        known = [e.uid for e in self.view if e.uid is not None]
        if uid:
            if not known:
                return None
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
            n = e.uid if uid else i + 1
            if which == "$" or n is None or int(a) <= n <= int(b or a):
                e.flags = None

    def message(self):
        flags = " ".join(self.rng.sample(FLAGS, self.rng.randrange(3)))
        text = (f"Subject: m{os.getpid()}.{id(self)}.{self.rng.random()}"
                f"\r\n\r\nbody\r\n")
        return f"({flags}) {{{len(text)}+}}\r\n{text}"

    def box_of_all(self):
        return self.rng.choice(BOXES)

    def append(self, _uid, _which):
        n = self.rng.choice([1, 1, 1, 2, 5])
        self.do(f"APPEND {self.box_of_all()} "
                + " ".join(self.message() for _ in range(n)))

    def replace(self, uid, which):
        which = which.split(":")[0]
        self.do(f"{uid}REPLACE {which} {self.box_of_all()} "
                + self.message())

    def store(self, uid, which):
        r = self.rng
        silent = r.choice(["", ".SILENT"])
        if silent:
            self.not_told(which, bool(uid))
        since = ""
        if "qresync" in self.kinds and r.random() < 0.3:
            since = f"(UNCHANGEDSINCE {self.modseq + r.randrange(99)}) "
        flags = " ".join(r.sample(FLAGS, r.randrange(1, 3)))
        self.do(f"{uid}STORE {which} {since}{r.choice(['', '+', '-'])}FLAGS"
                f"{silent} ({flags})")
        if silent and "notify" in self.kinds:  # told on the way to it
            self.not_told(which, bool(uid))

    def fetch(self, uid, which):
        what = self.rng.choice(["BODY.PEEK[HEADER]", "ENVELOPE RFC822.SIZE",
                                "ENVELOPE BODYSTRUCTURE"])
        self.do(f"{uid}FETCH {which} (UID FLAGS {what})"
                if "uidonly" not in self.kinds else
                f"UID FETCH {which} (FLAGS {what})")

    def search(self, uid, _which):
        r = self.rng
        how = r.choice(["", "", "RETURN (MIN COUNT) ", "RETURN (ALL) "])
        self.do(f"{uid}SEARCH {how}{r.choice(SEARCHES)}")

    def saved(self, uid, _which):
        """What was found, by its name, after the others had their turn."""
        r = self.rng
        some = self.pick(True)
        if some is None:
            return
        self.do(f"{uid}SEARCH RETURN (SAVE) UID {some} {r.choice(SEARCHES)}",
                ("OK",))
        if r.random() < 0.5:
            self.do("NOOP")
        r.choice([self.fetch, self.store, self.copy])(uid, "$")

    def sort(self, uid, _which):
        self.do(f"{uid}SORT (SUBJECT) UTF-8 {self.rng.choice(SEARCHES)}")

    def expunge(self, _uid, _which):
        self.do("EXPUNGE")

    def uid_expunge(self, _uid, _which):
        which = self.pick(True)
        if which:
            self.do(f"UID EXPUNGE {which}")

    def copy(self, uid, which):
        self.do(f"{uid}COPY {which} {self.box_of_all()}")

    def move(self, uid, which):
        self.do(f"{uid}MOVE {which} {self.box_of_all()}")

    def idle(self, _uid, _which):
        self.do("IDLE")

    def again(self, _uid, _which):
        if "qresync" in self.kinds and self.rng.random() < 0.7:
            self.resync()
            return
        if self.rng.random() < 0.3:
            self.do(self.rng.choice(["CLOSE", "UNSELECT"]), ("OK",))
        self.select(self.rng.choice(["INBOX", "INBOX", "Other"]))

    def status(self, _uid, _which):
        self.do(f"STATUS {self.box_of_all()} (MESSAGES UNSEEN UIDNEXT)",
                ("OK",))

    def boxes(self, _uid, which):
        """A mailbox that others make, fill, rename and remove, too."""
        self.do(self.rng.choice([
            "CREATE Shared", "DELETE Shared", "RENAME Shared Shared2",
            "RENAME Shared2 Shared", "DELETE Shared2", "LIST \"\" *",
            "STATUS Shared (MESSAGES)", "APPEND Shared " + self.message(),
            f"UID COPY {self.pick(True) or 1} Shared",
            f"UID MOVE {self.pick(True) or 1} Shared2"]))

    def noop(self, _uid, _which):
        self.do("NOOP")

    WORK = [(append, 10), (replace, 4), (store, 26), (fetch, 14),
            (search, 4), (saved, 6), (sort, 2), (expunge, 5),
            (uid_expunge, 3), (copy, 6), (move, 6), (idle, 4), (again, 3),
            (status, 2), (boxes, 3), (noop, 10)]

    def step(self):
        only_uid = {"uidonly", "notify"} & set(self.kinds)
        uid = "UID " if only_uid or self.rng.random() < 0.5 else ""
        which = self.pick(bool(uid))
        what = self.rng.choices([w for w, _ in self.WORK],
                                [n for _, n in self.WORK])[0]
        if which is None:
            what = Storm.append
        what(self, uid, which)


def foreign(box, stop, rng):
    """What other programs do: deliver, flag, remove, move to cur/, and cut
    the cache short, of which nothing may show."""
    n = 0
    while not stop.is_set():
        time.sleep(rng.random() / 20)
        top = rng.choice([box, box, f"{box}/.Other"])
        try:
            k = rng.random()
            if k < 0.4:
                n += 1
                name = f"{int(time.time())}.F{n}P{os.getpid()}.storm"
                with open(f"{top}/tmp/{name}", "w") as f:
                    f.write(f"Subject: foreign{n}\n\nbody\n")
                os.rename(f"{top}/tmp/{name}", f"{top}/new/{name}")
                continue
            if k < 0.41:
                os.truncate(f"{top}/pneu.cache", rng.choice([0, 5000]))
                continue
            sub = rng.choice(["new", "cur"])
            files = os.listdir(f"{top}/{sub}")
            if not files:
                continue
            old = rng.choice(files)
            if k < 0.55:
                os.unlink(f"{top}/{sub}/{old}")
            else:
                new = old.split(":")[0] + ":2," + "".join(
                    sorted(rng.sample("DFRST", rng.randrange(3))))
                os.rename(f"{top}/{sub}/{old}", f"{top}/cur/{new}")
        except FileNotFoundError:
            pass


def deliver(box, stop, rng, faults):
    """Our own agent."""
    n = 0
    while not stop.is_set():
        time.sleep(rng.random() / 5)
        n += 1
        r = subprocess.run(["mdeliver", box], capture_output=True,
                           input=f"Subject: own{n}\n\nbody\n".encode())
        if r.returncode != 0:
            faults.append(f"mdeliver: {r.returncode}")
            stop.set()


def thin(box, stop, rng):
    """So that mailboxes stay at some size: rm, as cron would."""
    while not stop.wait(1):
        for top in (box, f"{box}/.Other"):
            files = os.listdir(f"{top}/cur")
            for f in rng.sample(files, max(0, len(files) - 300)):
                try:
                    os.unlink(f"{top}/cur/{f}")
                except FileNotFoundError:
                    pass


def main(boxes, sessions, seconds, seed=1):
    nodes = boxes.split(",")
    box = nodes[0]
    names, stop, faults, steps = Names(), threading.Event(), [], [0]
    for d in ("tmp", "new", "cur", ".Other/tmp", ".Other/new", ".Other/cur"):
        os.makedirs(os.path.join(box, d), exist_ok=True)
    all_of_them = [Storm(nodes[i % len(nodes)], names, seed * 1000 + i, kinds_of(i))
                   for i in range(sessions)]

    def work(s):
        try:
            s.select("INBOX")
            while not stop.is_set():
                s.step()
                steps[0] += 1
        except Exception as e:  # whatever it is
            faults.append(f"{s.kinds} {s.n} {s.name}: {e}")
            stop.set()

    rng = random.Random(seed)
    threads = [threading.Thread(target=work, args=(s,)) for s in all_of_them]
    threads += [threading.Thread(target=foreign, args=(box, stop, rng)),
                threading.Thread(target=thin, args=(box, stop, rng)),
                threading.Thread(target=deliver,
                                 args=(nodes[-1], stop, rng, faults))]
    for t in threads:
        t.start()
    stop.wait(seconds)
    stop.set()
    for t in threads:
        t.join()
    if not faults:
        try:
            compare_in_time(nodes, names, all_of_them)
        except Wrong as e:
            faults.append(str(e))
    for s in all_of_them:
        s.close()
    for f in faults:
        print(f)
    for i, s in enumerate(all_of_them if faults else ()):
        with open(f"{box}.log.{i}", "wb") as f:
            f.write(b"\n".join(s.wire.log))
    print(f"{sessions} sessions, {steps[0]} commands, "
          f"{len(names.of)} facts, {len(faults)} faults")
    return bool(faults)


def compare_in_time(nodes, names, sessions):
    """Where there are two nodes, all views are one within a minute."""
    end = time.monotonic() + (60 if len(nodes) > 1 else 0)
    while True:
        try:
            return compare(nodes[0], names, sessions)
        except Wrong:
            if time.monotonic() > end:
                raise
        time.sleep(1)


def compare(path, names, sessions):
    """All views are one, in both mailboxes."""
    for s in sessions:
        s.settle()
    for box, top in zip(BOXES, (path, f"{path}/.Other")):
        for s in sessions:
            s.select(box)
        fresh = Session(path, names, 0)
        fresh.select(box)
        fresh.do("FETCH 1:* (UID BODY.PEEK[HEADER])")
        fresh.do("FETCH 1:* (UID ENVELOPE RFC822.SIZE)")
        files = sum(len(os.listdir(f"{top}/{d}")) for d in ("new", "cur"))
        if files != len(fresh.view):
            raise Wrong(f"{files} files, {len(fresh.view)} messages")
        for s in sessions:
            if [(e.uid, e.flags) for e in s.view] != [
                    (e.uid, e.flags) for e in fresh.view]:
                raise Wrong("two sessions differ: " + str(
                    [(a, b) for a, b in zip(s.view, fresh.view)
                     if not a.same(b)][:5]))
        fresh.close()


if __name__ == "__main__":
    a = sys.argv
    sys.exit(main(a[1], int(a[2]), float(a[3]), int(a[4]) if a[4:] else 1))
