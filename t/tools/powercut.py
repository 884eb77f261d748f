#!/usr/bin/env python3
"""What a power cut may leave of a run, and whether anything was lost.

    powercut.py store|queue [-n STATES] [-d SYNC]

A run of the programs is recorded with strace, call by call.  Then the file
system is rebuilt as it could stand after a cut at each point: what was
synced is there, of the rest any part may be missing, in any order (a file's
bytes are kept by its fsync, a folder's names by the folder's, a rename
leaves the old name or the new one).  On each of these the programs are
started again, and

    no message that was answered is lost,
    no UID that was shown names another message, or UIDVALIDITY has changed.

Prints the number of states that were looked at and each fault.  Exit 1 if
there was one.  -d takes one kind of sync out of the record (file, folder,
journal, index, queue, queue-folder): the faults that this makes must be
found.
"""
import concurrent.futures
import hashlib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

CALLS = ("openat,open,creat,write,pwrite64,writev,pwritev,rename,renameat,"
         "renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,"
         "ftruncate,truncate,fsync,fdatasync,close,dup,dup2,dup3,lseek,"
         "sendfile,copy_file_range,splice,fallocate,symlink,symlinkat")


# ---------------------------------------------------------------- the record

class Tree:
    """Inodes: a folder is a dict of names, a file a bytearray."""

    def __init__(self):
        self.node = {0: {}}
        self.next = 1

    def load(self, path, ino=0):
        for name in sorted(os.listdir(path)):
            p = os.path.join(path, name)
            i = self.new(os.path.isdir(p))
            self.node[ino][name] = i
            if os.path.isdir(p):
                self.load(p, i)
            else:
                self.node[i] = bytearray(open(p, "rb").read())

    def new(self, folder):
        i = self.next
        self.next += 1
        self.node[i] = {} if folder else bytearray()
        return i

    def copy(self):
        t = Tree()
        t.node = {i: dict(n) if isinstance(n, dict) else bytearray(n)
                  for i, n in self.node.items()}
        t.next = self.next
        return t

    def find(self, path):
        """(folder, name, inode or None) of a path of the top."""
        ino, parts = 0, [p for p in path.split("/") if p not in ("", ".")]
        if not parts:
            return None, "", 0
        for p in parts[:-1]:
            ino = self.node[ino][p]
        return ino, parts[-1], self.node[ino].get(parts[-1])

    def apply(self, op, lost=False, zeros=False):
        kind = op[0]
        if lost:
            return
        if kind == "add":
            self.node.setdefault(op[3], {} if op[4] else bytearray())
            self.node[op[1]][op[2]] = op[3]
        elif kind == "del":
            self.node[op[1]].pop(op[2], None)
        elif kind == "ren":
            if self.node[op[1]].get(op[2]) == op[5]:
                del self.node[op[1]][op[2]]
            self.node[op[3]][op[4]] = op[5]
        elif kind == "data":
            f, at, b = self.node.setdefault(op[1], bytearray()), op[2], op[3]
            f.extend(b"\0" * (at - len(f)))
            f[at:at + len(b)] = b"\0" * len(b) if zeros else b
        elif kind == "trunc":
            f = self.node.setdefault(op[1], bytearray())
            del f[op[2]:]
            f.extend(b"\0" * (op[2] - len(f)))

    def write(self, path, ino=0):
        os.makedirs(path, exist_ok=True)
        for name, i in self.node[ino].items():
            n, p = self.node.get(i, bytearray()), os.path.join(path, name)
            if isinstance(n, dict):
                self.write(p, i)
            else:
                with open(p, "wb") as f:
                    f.write(n)

    def digest(self):
        h = hashlib.sha256()

        def walk(ino, path):
            for name, i in sorted(self.node[ino].items()):
                n = self.node.get(i, bytearray())
                h.update(f"{path}/{name}\0".encode())
                if isinstance(n, dict):
                    walk(i, f"{path}/{name}")
                else:
                    h.update(hashlib.sha256(n).digest())
        walk(0, "")
        return h.digest()


def unhex(s):
    return bytes.fromhex(s.replace("\\x", ""))


class Record:
    """The operations of a run below a folder, from the log of strace."""

    def __init__(self, base):
        self.base = os.path.realpath(base)
        self.first = Tree()
        self.first.load(self.base)
        self.now = self.first.copy()
        self.ops = []
        self.at = {}      # (pid, fd): offset

    def path(self, cwd, s):
        p = os.path.normpath(os.path.join(cwd, s))
        if p == self.base or p.startswith(self.base + "/"):
            return p[len(self.base):]
        return None

    def op(self, *op):
        self.ops.append(op)
        self.now.apply(op)

    def read(self, log):
        part = {}
        for line in open(log, errors="replace"):
            pid, rest = line.rstrip("\n").split(None, 1)
            if rest.endswith("<unfinished ...>"):
                part[pid] = rest[:-len("<unfinished ...>")].rstrip()
                continue
            m = re.match(r"<\.\.\. \w+ resumed>\s*(.*)", rest)
            if m:
                rest = part.pop(pid, "") + m.group(1)
            m = re.match(r"(\w+)\((.*)\)\s*= (-?\d+)", rest)
            if m and int(m.group(3)) >= 0:
                self.call(pid, m.group(1), m.group(2), int(m.group(3)))

    def call(self, pid, name, args, r):
        a = re.findall(r'AT_FDCWD<[^>]*>|"[^"]*"|\d+<[^>]*>|[^,\s]+', args)
        fd = [re.match(r"(\d+|AT_FDCWD)<([^>]*)>", x) for x in a]
        where = [os.fsdecode(unhex(m.group(2))) if m else None for m in fd]
        text = [unhex(x[1:-1]) if x.startswith('"') else b"" for x in a]
        cwd = where[0] if where and where[0] else os.getcwd()
        if name in ("openat", "open", "creat"):
            i = 1 if name == "openat" else 0
            self.opened(pid, r, self.path(cwd, os.fsdecode(text[i])), args)
        elif name in ("mkdirat", "mkdir"):
            p = self.path(cwd, os.fsdecode(text[name == "mkdirat"]))
            if p is not None:
                d, n, _ = self.now.find(p)
                self.op("add", d, n, self.now.new(True), True)
        elif name in ("rename", "renameat", "renameat2", "link", "linkat"):
            self.named(name, a, where, text, cwd)
        elif name in ("unlink", "unlinkat", "rmdir"):
            p = self.path(cwd, os.fsdecode(text[name == "unlinkat"]))
            if p is not None:
                d, n, _ = self.now.find(p)
                self.op("del", d, n)
        elif name in ("write", "pwrite64"):
            self.wrote(pid, name, a, fd, where, text[1][:r])
        elif name == "lseek":
            self.at[pid, fd[0].group(1)] = r
        elif name in ("ftruncate", "fsync", "fdatasync"):
            ino = self.inode(where[0])
            if ino is not None and name == "ftruncate":
                self.op("trunc", ino, int(a[1]))
            elif ino is not None:
                self.op("sync", ino, self.path("/", where[0]))
        elif name not in ("close", "dup", "dup2", "dup3"):
            for w in where:
                if w is not None and self.path("/", w) is not None:
                    raise SystemExit(f"powercut: {name} is not understood")

    def inode(self, path):
        p = self.path("/", path.removesuffix(" (deleted)"))
        if p is None or path.endswith(" (deleted)"):
            return None
        return self.now.find(p)[2]

    def opened(self, pid, fd, p, args):
        self.at[pid, str(fd)] = 0
        if p is None:
            return
        d, n, ino = self.now.find(p)
        if ino is None and "O_CREAT" in args:
            self.op("add", d, n, self.now.new(False), False)
        elif "O_TRUNC" in args and len(self.now.node[ino]) > 0:
            self.op("trunc", ino, 0)

    def named(self, name, a, where, text, cwd):
        if name in ("rename", "link"):
            old, new = text[0], text[1]
            oldcwd = newcwd = cwd
        else:
            old, new = text[1], text[3]
            oldcwd, newcwd = where[0], where[2]
        p, q = (self.path(c, os.fsdecode(s))
                for c, s in ((oldcwd, old), (newcwd, new)))
        if p is None and q is None:
            return
        d, n, ino = self.now.find(p)
        e, m, _ = self.now.find(q)
        if name.startswith("link"):
            self.op("add", e, m, ino, False)
        else:
            self.op("ren", d, n, e, m, ino)

    def wrote(self, pid, name, a, fd, where, data):
        key = pid, fd[0].group(1)
        ino = self.inode(where[0])
        if ino is None:
            if key[1] == "1":
                self.ops.append(("say", data))
            return
        if name == "pwrite64":
            at = int(a[3])
        else:
            at = self.at.get(key, len(self.now.node[ino]))
            self.at[key] = at + len(data)
        self.op("data", ino, at, data)


    def strace_begin(self, argv, **how):
        self.log = self.base + ".log"
        cmd = ["strace", "-f", "-y", "-xx", "-s", "10000000", "-o", self.log,
               "-e", "trace=" + CALLS] + argv
        return subprocess.Popen(cmd, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, **how)

    def strace_end(self):
        self.read(self.log)
        os.unlink(self.log)

    def strace(self, argv, text, **how):
        with self.strace_begin(argv, **how) as p:
            p.communicate(text)
        if p.returncode != 0:
            raise SystemExit(f"powercut: {argv[0]} ended with {p.returncode}")
        self.strace_end()


# ----------------------------------------------------------------- the states

def durable(ops, end):
    """Which operations before `end` a cut at `end` can't take back."""
    kept = set()
    synced = set()
    for i in range(end - 1, -1, -1):
        op = ops[i]
        if op[0] == "sync":
            synced.add(op[1])
        elif op[0] in ("data", "trunc", "add", "del"):
            if op[1] in synced:
                kept.add(i)
        elif op[0] == "ren" and op[3] in synced:
            kept.add(i)
    return kept


def variants(ops, pending, rng):
    """What may be missing (or be zeros) of the pending operations."""
    data = {i for i in pending if ops[i][0] in ("data", "trunc")}
    names = pending - data
    yield set(), set()
    yield set(pending), set()
    yield set(), data
    yield data, set()
    yield names, set()
    late = sorted(pending)[-6:]
    for i in late:
        yield {i}, set()
        yield set(pending) - {i}, set()
    for _ in range(4):
        yield {i for i in pending if rng.random() < 0.5}, set()


def states(rec, ops, limit):
    """(point, tree): those that differ, spread over the whole run."""
    rng = random.Random(1)
    found = {}
    for end in range(1, len(ops) + 1):
        if ops[end - 1][0] == "sync" and end < len(ops):
            continue
        pending = {i for i in range(end) if ops[i][0] not in ("sync", "say")}
        pending -= durable(ops, end)
        for lost, zeros in variants(ops, pending, rng):
            t = rec.first.copy()
            for i in range(end):
                t.apply(ops[i], i in lost, i in zeros)
            found.setdefault((t.digest(), rec.facts_at(end)), (end, t))
    all_of_them = list(found.values())
    if limit and len(all_of_them) > limit:
        all_of_them = random.Random(2).sample(all_of_them, limit)
    return all_of_them


def without(ops, kind):
    """The record with one kind of sync taken out."""
    test = {
        "file": lambda p: "/tmp/" in p or "/new/" in p or "/cur/" in p,
        "folder": lambda p: p.endswith(("/new", "/cur")),
        "journal": lambda p: "/pneu.journal" in p,
        "index": lambda p: "/pneu.snapshot" in p,
        "queue": lambda p: re.search(r"/queue/(tmp/)?[0-9a-z]{16}", p),
        "queue-folder": lambda p: p.endswith("/queue"),
    }[kind]
    # the facts stand at numbers of operations: those stay
    left = [("none",) if op[0] == "sync" and test(op[2]) else op
            for op in ops]
    if left == ops:
        sys.exit(f"powercut: no sync of this kind: {kind}")
    return left


# ------------------------------------------------------------------ the store

class Store(Record):
    """A Maildir: deliveries, APPEND, STORE, MOVE, COPY, EXPUNGE, and enough
    changes that the journal becomes a snapshot."""

    def __init__(self, base):
        self.box = os.path.join(base, "box")
        for d in ("tmp", "new", "cur", ".Junk/tmp", ".Junk/new", ".Junk/cur"):
            os.makedirs(os.path.join(self.box, d))
        for n in range(60):
            with open(f"{self.box}/cur/{1000 + n}.M1P1.h:2,S", "w") as f:
                f.write(f"Subject: old{n}\n\nbody\n")
        self.places = []   # (point, token, mailboxes it must be in one of)
        self.shown = []    # (point, mailbox, validity, uid, token)
        super().__init__(base)

    def facts_at(self, end):
        return (sum(p <= end for p, *_ in self.places),
                sum(p <= end for p, *_ in self.shown))

    def place(self, token, *boxes):
        self.places.append((len(self.ops), token, boxes))

    def deliver(self, token):
        self.strace(["mdeliver", self.box],
                    f"Subject: {token}\n\nbody\n".encode())
        self.place(token, "INBOX")

    def session(self, *commands):
        """Commands, each after the answer to the one before.  A command is
        its text, or that and (token, mailboxes) pairs: where the messages
        may be from when it is sent, and where when it is answered."""
        at, moves = len(self.ops), {}
        with self.strace_begin(["mimapd", "-p", self.box]) as p:
            for n, c in enumerate((*commands, "LOGOUT")):
                c, moves[n] = (c, ()) if isinstance(c, str) else (c[0], c[1:])
                p.stdin.write(f"t{n} {c}\r\n".encode())
                p.stdin.flush()
                line = b"-"
                while line and not line.startswith(b"t%d " % n):
                    line = p.stdout.readline()
        self.strace_end()
        self.answers(at, moves)

    def answers(self, at, moves):
        """Each tagged OK, at the operation that said it."""
        box = validity = None
        text, asked = b"", at
        for point in range(at, len(self.ops)):
            if self.ops[point][0] != "say":
                continue
            text += self.ops[point][1]
            while b"\r\n" in text:
                m = re.search(rb"\* \d+ FETCH \((?:FLAGS \([^)]*\) )?UID (\d+)"
                              rb"[^{\r]*\{\d+\}\r\nSubject: (\S+)", text)
                line, rest = text.split(b"\r\n", 1)
                if b"{" in line and line.endswith(b"}"):
                    if not m or b"\r\n\r\n" not in rest:
                        break
                    self.shown.append((point + 1, box, validity,
                                       int(m.group(1)), m.group(2).decode()))
                    rest = rest.split(b"\r\n\r\n", 1)[1]
                text = rest
                m = re.match(rb"\* OK \[UIDVALIDITY (\d+)", line)
                if m:
                    validity = int(m.group(1))
                m = re.match(rb"t(\d+) (\S+) (.*)", line)
                if not m:
                    continue
                if m.group(2) != b"OK":
                    raise SystemExit(f"powercut: {line.decode()}")
                for token, to, old in moves[int(m.group(1))]:
                    if token == "box":
                        box = to
                        continue
                    if old:
                        self.places.append((asked, token, old + to))
                    self.places.append((point + 1, token, to))
                    a = re.search(rb"APPENDUID (\d+) (\d+)", m.group(3))
                    if a:
                        self.shown.append((point + 1, to[0], int(a.group(1)),
                                           int(a.group(2)), token))
                asked = point + 1

    def run(self):
        def append(token, box):
            text = f"Subject: {token}\r\n\r\nbody\r\n"
            return (f"APPEND {box} {{{len(text)}+}}\r\n{text}",
                    (token, (box,), ()))

        def select(box):
            return f"SELECT {box}", ("box", box, ())
        look = "UID FETCH 1:* (UID BODY.PEEK[HEADER])"
        self.deliver("one")
        self.session(select("INBOX"), look)
        self.deliver("two")
        self.deliver("three")
        self.session(
            append("four", "INBOX"), append("five", "Junk"),
            select("INBOX"), look,
            ("MOVE 61 Junk", ("one", ("Junk",), ("INBOX",))),
            ("COPY 61 Junk", ("two", ("INBOX", "Junk"), ())),
            "STORE 62 +FLAGS (\\Deleted $x)",
            ("EXPUNGE", ("three", ("gone",), ("INBOX", "gone"))),
            append("six", "Junk"), select("Junk"), look)
        words = [f"STORE 1:* {s}FLAGS (k{n % 3})" for n in range(40)
                 for s in "+-"]
        self.session(select("INBOX"), *words, append("seven", "INBOX"), look)
        made = sum(op[0] == "ren" and op[4] == "pneu.snapshot"
                   for op in self.ops)
        if made < 3:  # one for each folder, and one for a long journal
            raise SystemExit("powercut: the journal became no snapshot")
        self.deliver("eight")
        self.session(select("INBOX"), look, append("nine", "INBOX"))

    def check(self, path, end):
        """The faults of the store at path, as a cut at `end` left it."""
        box = os.path.join(path, "box")
        new = {"INBOX": "after1", "Junk": "after2"}
        cmd = b""
        for b, token in new.items():
            text = f"Subject: {token}\r\n\r\n"
            cmd += (f"a APPEND {b} {{{len(text)}+}}\r\n{text}\r\n"
                    f"b SELECT {b}\r\n"
                    "c UID FETCH 1:* (UID BODY.PEEK[HEADER])\r\n").encode()
        out = subprocess.run(["mimapd", "-p", box], input=cmd + b"z LOGOUT\r\n",
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said = out.stdout.decode(errors="replace")
        have, uids, b, valid = {}, {}, None, {}
        for m in re.finditer(
                r"\[UIDVALIDITY (\d+)|UID (\d+)[^{\r]*\{\d+\}\r\n"
                r"Subject: (\S+)|^b OK|^[abc] (?:NO|BAD).*", said, re.M):
            if m.group(1):
                b = "Junk" if b == "INBOX" else "INBOX"
                validity = valid[b] = int(m.group(1))
            elif m.group(2):
                have.setdefault(m.group(3), set()).add(b)
                uids[b, validity, int(m.group(2))] = m.group(3)
            elif not m.group(0).startswith("b OK"):
                yield f"answered {m.group(0)}"
        if b != "Junk":
            yield f"no session: {said[-300:]!r} {out.stderr[-300:]!r}"
            return
        must = {f"old{n}": ("INBOX",) for n in range(60)}
        for point, token, boxes in self.places:
            if point <= end:
                must[token] = boxes
        for token, boxes in must.items():
            if "gone" not in boxes and not have.get(token, set()) & set(boxes):
                yield f"{token} is not in {'/'.join(boxes)}"
        for b, validity in {(b, v) for p, b, v, *_ in self.shown if p <= end}:
            if valid[b] != validity:
                yield f"{b} had UIDVALIDITY {validity} and has {valid[b]}"
        for point, b, validity, uid, token in self.shown:
            now = uids.get((b, validity, uid), token)
            if point <= end and now != token:
                yield f"{b} {validity} {uid} was {token} and is {now}"


# ------------------------------------------------------------------ the queue

class Queue(Record):
    """mqueue add: two messages, by argument and one by its envelope."""

    def __init__(self, base):
        self.conf = os.path.join(base, "conf")
        os.makedirs(self.conf)
        os.makedirs(os.path.join(base, "queue", "tmp"))
        self.settle(base)
        self.taken = []
        super().__init__(base)

    @staticmethod
    def settle(base):
        """What the record does not have: configuration, and as root the
        account that a queue belongs to."""
        if os.getuid() == 0:
            with open(os.path.join(base, "conf", "uids"), "w") as f:
                f.write("pneu 62001 62001\n")
            os.chmod(base, 0o711)
            os.chmod(os.path.dirname(base), 0o711)
            for d, _, files in os.walk(os.path.join(base, "queue")):
                for p in (d, *(os.path.join(d, f) for f in files)):
                    os.chown(p, 62001, 62001)
        with open(os.path.join(base, "conf", "paths"), "w") as f:
            f.write(f"queue {base}/queue\nstate {base}/state\n")
        with open(os.path.join(base, "conf", "domains"), "w") as f:
            f.write("example.test\n")

    def facts_at(self, end):
        return sum(p <= end for p, _ in self.taken)

    def add(self, token):
        body = f"Subject: {token}\n\n" + "text " * 4000 + "\nend\n"
        self.strace(["mqueue", "add", "-f", "a@example.test", "--",
                     "b@example.test"], body.encode(),
                    env={**os.environ, "PNEU_CONF": self.conf})
        self.taken.append((len(self.ops), body))

    def run(self):
        for token in ("one", "two", "three"):
            self.add(token)

    def check(self, path, end):
        self.settle(path)
        env = {**os.environ, "PNEU_CONF": os.path.join(path, "conf")}

        def mqueue(*args):
            return subprocess.run(["mqueue", *args], env=env, text=True,
                                  capture_output=True)
        bodies = set()
        for line in mqueue("ls").stdout.splitlines():
            got = mqueue("cat", line.split("\t")[0])
            if got.returncode == 0:  # else it is said to be damaged
                bodies.add(got.stdout)
        for b in bodies:
            if not b.endswith("\nend\n"):
                yield f"half a message: {b[:60]!r}"
        for point, body in self.taken:
            if point <= end and body not in bodies:
                yield f"lost: {body[:20]!r}"


# ----------------------------------------------------------------------- main

def look(rec, end, tree, top, n):
    path = os.path.join(top, f"state{n}")
    tree.write(path)
    try:
        return [f"cut at {end} of {len(rec.ops)}: {f}"
                for f in rec.check(path, end)]
    finally:
        shutil.rmtree(path)


def main(argv):
    kind, limit, drop = argv[1], 0, None
    for i, a in enumerate(argv):
        if a == "-n":
            limit = int(argv[i + 1])
        elif a == "-d":
            drop = argv[i + 1]
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory() as d, \
            tempfile.TemporaryDirectory(dir=shm) as top:
        base = os.path.join(os.path.realpath(d), "run")
        os.mkdir(base)
        rec = {"store": Store, "queue": Queue}[kind](base)
        rec.run()
        ops = without(rec.ops, drop) if drop else rec.ops
        cuts = states(rec, ops, limit)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            jobs = [pool.submit(look, rec, end, t, top, n)
                    for n, (end, t) in enumerate(cuts)]
            faults = [f for j in jobs for f in j.result()]
    for f in faults[:20]:
        print(f)
    print(f"{len(rec.ops)} operations, {len(cuts)} states, "
          f"{len(faults)} faults")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
