"""Everything else that gives, moves or names messages, a step each."""
import os

from cutstore import LOOK, Mail, append, message, select


class More(Mail):
    """MULTIAPPEND, REPLACE, APPEND compressed, folders made, renamed and
    deleted, POP3, a delivery to several users, mindex."""

    old = 4
    roots = ("box", "alice/Maildir", "bob/Maildir")

    def __init__(self, base):
        self.user = dict(alice=62101, bob=62102)
        self.homes(base)
        super().__init__(base)
        top = os.path.dirname(base)
        self.gzip = self.conf(top, "gzip", imap="compress gzip")
        uid = {u: n if os.getuid() == 0 else os.getuid()
               for u, n in self.user.items()}
        self.mail = self.conf(
            top, "mail", me="mx.example.test", domains="example.test",
            uids="pneu 62001 62001", paths=f"queue {base}/queue",
            users="\n".join(f"{u}@example.test:{n}:{n}:{base}/{u}:"
                            for u, n in uid.items()))

    def homes(self, base):
        """Of the users; and a message whose name tells a wrong size."""
        os.makedirs(os.path.join(base, "box", "cur"))
        with open(f"{base}/box/cur/999.M1P1.h,S=7:2,S", "w") as f:
            f.write("Subject: wrong\n\nbody\n")
        for user, uid in self.user.items():
            os.mkdir(os.path.join(base, user), 0o700)
            if os.getuid() == 0:
                os.chown(os.path.join(base, user), uid, uid)
        if os.getuid() == 0:
            for d in (base, os.path.dirname(base)):
                os.chmod(d, 0o711)

    @staticmethod
    def conf(top, name, **files):
        d = os.path.join(top, name)
        os.mkdir(d, 0o755)
        for file, text in files.items():
            with open(os.path.join(d, file), "w") as f:
                f.write(text + "\n")
        return {**os.environ, "PNEU_CONF": d}

    def pop(self, gone):
        """UIDL and TOP of all, DELE of some; QUIT is answered."""
        at = len(self.ops)
        for token in gone:
            self.place(token, "INBOX", "gone")
        self.strace(["mpop", "-p", self.box],
                    b"UIDL\r\n" + b"".join(b"TOP %d 0\r\n" % n
                                           for n in range(1, self.count + 1))
                    + b"".join(b"DELE %d\r\n" % n
                               for n in range(1, len(gone) + 1))
                    + b"QUIT\r\n")
        tokens = self.popped(at, "INBOX")
        if tokens[:len(gone)] != gone:
            raise SystemExit(f"powercut: mpop has {tokens}")

    def rename(self, old, new):
        """What was promised to be in one, is in the other."""
        tokens = [t for t in dict.fromkeys(t for _, t, _ in self.places)
                  if self.where(t) == (old,)]
        return (f"RENAME {old} {new}",
                *((t, (new,), (old,)) for t in tokens))

    def run(self):
        for n in range(self.old):
            self.place(f"old{n}", "INBOX")
        self.place("wrong", "INBOX")
        self.session(select("INBOX"), LOOK)
        with self.step("repair"):
            self.strace(["mindex", "-d", self.box, "repair"], b"")
        with self.step("multiappend"):
            self.session(append("Junk", "m0", "m1", "m2", "m3"),
                         select("Junk"), LOOK, "STORE 1 +FLAGS (\\Deleted)",
                         ("EXPUNGE", ("m0", ("gone",), ("Junk",))))
        with self.step("replace"):
            self.session(
                select("Junk"), LOOK,
                (f"REPLACE 1 Junk {message('r1')}", ("either", ("m1", "r1")),
                 ("m1", ("gone",), ("Junk",)), ("r1", ("Junk",), ())),
                (f"UID REPLACE 3 INBOX {message('r2')}",
                 ("either", ("m2", "r2")), ("m2", ("gone",), ("Junk",)),
                 ("r2", ("INBOX",), ())), LOOK)
        with self.step("gzip"):
            self.session(append("INBOX", "g1"), append("Junk", "g2", "g3"),
                         select("Junk"), LOOK, env=self.gzip)
        with self.step("create"):
            self.session("CREATE Work", append("Work", "w1"))
        with self.step("rename"):
            self.session(select("Work"), LOOK, self.rename("Work", "Done"),
                         select("Done"), LOOK)
        with self.step("delete"):
            self.session("CREATE Old", append("Old", "o1"), select("Old"),
                         LOOK, ("DELETE Old", ("o1", ("gone",), ("Old",))),
                         append("Done", "w2"), select("Done"), LOOK)
        with self.step("inbox"):
            self.session(self.rename("INBOX", "Past"), select("Past"), LOOK)
        with self.step("pop"):
            self.count = 3
            for token in ("p1", "p2", "p3"):
                self.deliver(token)
            self.pop(["p1", "p2"])
        with self.step("batch"):
            self.strace(["mdeliver", "-f", "", "--", "alice@example.test",
                         "bob@example.test"], b"Subject: both\n\nbody\n",
                        env=self.mail)
            self.place("both", "alice/Maildir/INBOX")
            self.place("both#2", "bob/Maildir/INBOX")
        with self.step("rebuild"):
            self.strace(["mindex", "-d", self.box, "rebuild"], b"")
        self.session(select("Past"), LOOK, append("Past", "last"))
        self.happened("repair", lambda op: op[0] == "ren" and "S=7" in op[2])
        self.happened("gzip", lambda op: op[0] == "data"
                      and op[3].startswith(b"\x1f\x8b"))

    def happened(self, step, what):
        begin, end = self.steps[step]
        if not any(what(op) for op in self.ops[begin:end]):
            raise SystemExit(f"powercut: {step} does not do its work")
