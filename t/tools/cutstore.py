"""Mail stores: what was promised of each message, and whether it was kept."""
import contextlib
import os
import re
import subprocess

from cutrecord import Record


LOOK = "UID FETCH 1:* (UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])"


class Mail(Record):
    """Maildirs.  A message is named by the token in its Subject, a mailbox
    by its name, with the folder in front where it is not in ./box.  TOKEN#2
    is a further promise for the same message."""

    old = 0            # messages old0, old1, ... that were there before
    roots = ("box",)

    def __init__(self, base):
        self.box = os.path.join(base, "box")
        for d in ("tmp", "new", "cur", ".Junk/tmp", ".Junk/new", ".Junk/cur"):
            os.makedirs(os.path.join(self.box, d), exist_ok=True)
        for n in range(self.old):
            with open(f"{self.box}/cur/{1000 + n}.M1P1.h:2,S", "w") as f:
                f.write(f"Subject: old{n}\n\nbody\n")
        self.places = []   # (point, token, mailboxes it must be in one of)
        self.either = []   # (point, tokens, one of which must be there)
        self.shown = []    # (point, mailbox, validity, uid, token)
        self.kept = []     # (point, mailbox, validity): stays as it is
        self.steps = {}    # name: where it begins and ends
        super().__init__(base)

    @contextlib.contextmanager
    def step(self, name):
        begin = len(self.ops)
        yield
        self.steps[name] = begin, len(self.ops)

    def facts_at(self, end):
        return tuple(sum(p <= end for p, *_ in facts)
                     for facts in (self.places, self.either, self.shown,
                                   self.kept))

    def keep(self):
        """What a session has shown is on disk when it has ended."""
        for box, validity in {(b, v) for _, b, v, *_ in self.shown}:
            self.kept.append((len(self.ops), box, validity))

    def place(self, token, *boxes):
        self.places.append((len(self.ops), token, boxes))

    def where(self, token):
        """The mailboxes of the last promise."""
        return [b for _, t, b in self.places if t == token][-1]

    def deliver(self, token):
        self.strace(["mdeliver", self.box],
                    f"Subject: {token}\n\nbody\n".encode())
        self.place(token, "INBOX")

    def session(self, *commands, **how):
        """Commands, each after the answer to the one before.  A command is
        its text, or that and what it promises: see promise."""
        at, moves = len(self.ops), {}
        with self.strace_begin(["mimapd", "-p", self.box], **how) as p:
            for n, c in enumerate((*commands, "LOGOUT")):
                c, moves[n] = (c, ()) if isinstance(c, str) else (c[0], c[1:])
                p.stdin.write(f"t{n} {c}\r\n".encode())
                p.stdin.flush()
                line = b"-"
                while line and not line.startswith(b"t%d " % n):
                    line = p.stdout.readline()
        self.strace_end()
        self.answers(at, moves)
        self.keep()

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
                box = self.promise(moves[int(m.group(1))], asked, point + 1,
                                   m.group(3), box)
                asked = point + 1

    def popped(self, at, box):
        """Each UIDL and what TOP showed of it, since operation `at`: the
        tokens."""
        names, tokens = [], []
        for point in range(at, len(self.ops)):
            if self.ops[point][0] == "say":
                said = self.ops[point][1]
                names += [(point + 1, int(v), int(u)) for v, u in
                          re.findall(rb"^\d+ (\d+)\.(\d+)\r", said, re.M)]
                tokens += [t.decode() for t in
                           re.findall(rb"^Subject: (\S+)", said, re.M)]
        for (point, v, u), token in zip(names, tokens, strict=True):
            self.shown.append((point, box, v, u, token))
        self.keep()
        return tokens

    def promise(self, moves, asked, point, text, box):
        """("box", it): it is selected; ("either", tokens): one is there,
        from when it is asked; (token, mailboxes, old): from then in any of
        these, and once it is answered in the first."""
        a = re.search(rb"APPENDUID (\d+) (\d+)", text)
        uid = int(a.group(2)) if a else 0
        for token, to, *old in moves:
            if token == "box":
                box = to
            elif token == "either":
                self.either.append((asked, to))
            else:
                if old[0]:
                    self.places.append((asked, token, old[0] + to))
                self.places.append((point, token, to))
                if a and "gone" not in to:
                    self.shown.append((point, to[0], int(a.group(1)), uid,
                                       token))
                    self.kept.append((point, to[0], int(a.group(1))))
                    uid += 1
        return box

    def faults(self, path, root, new):
        """Faults of one Maildir, and what is in its mailboxes."""
        top = os.path.join(path, root)
        names = ["INBOX"] + sorted(
            d[1:] for d in os.listdir(top) if re.match(r"\.[A-Z]", d)
            and os.path.isdir(os.path.join(top, d, "cur")))
        cmd = b""
        for n in names:
            text = f"Subject: after-{n}\r\n\r\n"
            cmd += (f"a APPEND {n} {{{len(text)}+}}\r\n{text}\r\n"
                    f"b SELECT {n}\r\n"
                    f"c {LOOK}\r\n").encode()
        out = subprocess.run(["mimapd", "-p", top], input=cmd + b"z LOGOUT\r\n",
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        said = out.stdout.decode(errors="replace")
        left = list(names)
        for m in re.finditer(
                r"\[UIDVALIDITY (\d+)|UID (\d+)[^{\r]*\{\d+\}\r\n"
                r"Subject: (\S+)|^[abc] (?:NO|BAD).*", said, re.M):
            if m.group(1):
                box = left.pop(0)
                if root != "box":
                    box = f"{root}/{box}"
                validity = new.valid[box] = int(m.group(1))
            elif m.group(2):
                new.have.setdefault(m.group(3), set()).add(box)
                new.uids[box, validity, int(m.group(2))] = m.group(3)
            else:
                yield f"answered {m.group(0)}"
        if left or out.returncode != 0:
            yield f"no session: {said[-300:]!r} {out.stderr[-300:]!r}"

    def check(self, path, end):
        """The faults of the store at path, as a cut at `end` left it."""
        new = Found()
        for root in self.roots:
            if os.path.isdir(os.path.join(path, root)):
                yield from self.faults(path, root, new)
        must = {f"old{n}": ("INBOX",) for n in range(self.old)}
        for point, token, boxes in self.places:
            if point <= end:
                must[token] = boxes
        for token, boxes in must.items():
            have = new.have.get(token.split("#")[0], set())
            if "gone" not in boxes and not have & set(boxes):
                yield f"{token} is not in {'/'.join(boxes)}"
        for point, tokens in self.either:
            if point <= end and not set(tokens) & set(new.have):
                yield f"none of {tokens} is there"
        yield from self.changed(end, new)
        for point, b, validity, uid, token in self.shown:
            now = new.uids.get((b, validity, uid), token)
            if point <= end and now != token:
                yield f"{b} {validity} {uid} was {token} and is {now}"

    def changed(self, end, new):
        """UIDVALIDITYs that are another one: greater, while what was shown
        may not be on disk yet."""
        for point, b, validity, *_ in self.shown:
            if point <= end and new.valid.get(b, validity) < validity:
                yield f"{b} had UIDVALIDITY {validity}, has {new.valid[b]}"
        for b, validity in {(b, v) for p, b, v in self.kept if p <= end}:
            if new.valid.get(b, validity) != validity:
                yield f"{b} kept UIDVALIDITY {validity}, has {new.valid[b]}"


class Found:
    """What a session saw."""

    def __init__(self):
        self.have, self.uids, self.valid = {}, {}, {}


def select(box):
    return f"SELECT {box}", ("box", box)


def message(token):
    text = f"Subject: {token}\r\n\r\n" + "body\r\n" * 20
    return f"{{{len(text)}+}}\r\n{text}"


def append(box, *tokens):
    return (f"APPEND {box} " + " ".join(message(t) for t in tokens),
            *((t, (box,), ()) for t in tokens))


class Store(Mail):
    """Deliveries, APPEND, STORE, MOVE, COPY, EXPUNGE, and enough changes
    that the journal becomes a snapshot."""

    old = 60

    def run(self):
        self.deliver("one")
        self.session(select("INBOX"), LOOK)
        self.deliver("two")
        self.deliver("three")
        self.session(
            append("INBOX", "four"), append("Junk", "five"),
            select("INBOX"), LOOK,
            ("MOVE 61 Junk", ("one", ("Junk",), ("INBOX",))),
            ("COPY 61 Junk", ("two", ("INBOX", "Junk"), ())),
            "STORE 62 +FLAGS (\\Deleted $x)",
            ("EXPUNGE", ("three", ("gone",), ("INBOX",))),
            append("Junk", "six"), select("Junk"), LOOK)
        words = [f"STORE 1:* {s}FLAGS (k{n % 3})" for n in range(40)
                 for s in "+-"]
        self.session(select("INBOX"), *words, append("INBOX", "seven"), LOOK)
        made = sum(op[0] == "ren" and op[4] == "pneu.snapshot"
                   for op in self.ops)
        if made < 3:  # one for each folder, and one for a long journal
            raise SystemExit("powercut: the journal became no snapshot")
        self.deliver("eight")
        self.session(select("INBOX"), LOOK, append("INBOX", "nine"))
