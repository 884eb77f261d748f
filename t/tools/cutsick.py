"""A disk that fails for a while: syncs that fail, and what is promised later.

After a sync that failed the kernel takes for written what it could not
write.  So the next one succeeds, of whichever process.
"""
import subprocess

from cutstore import LOOK, Mail, append, select

ALL = "-e", "inject=fsync,fdatasync:error=EIO"
ONE = "-e", "inject=fdatasync:error=EIO:when=1"
NAME = *ONE, "-e", "inject=fsync:error=EIO:when=3"


class Sick(Mail):
    """The journal's sync fails, or every sync does; then the disk is well
    again.  A keyword and UIDs are shown by who comes behind."""

    old = 3

    def ill(self, how, *commands, want):
        """A session on the disk that fails; how its answers begin."""
        text = "".join(f"t{n} {c}\r\n" for n, c in
                       enumerate((*commands, "LOGOUT")))
        at = len(self.ops)
        self.strace([*how, "mimapd", "-p", self.box], text.encode())
        if not any(op[0] == "fail" for op in self.ops[at:]):
            raise SystemExit("powercut: no sync has failed")
        said = b"".join(op[1] for op in self.ops[at:] if op[0] == "say")
        got = [x.split()[1].decode() for x in said.split(b"\r\n")
               if x.startswith(b"t")]
        if got != want + ["OK"]:
            raise SystemExit(f"powercut: a failing disk: {said.decode()}")

    def delivered(self, *tokens):
        """In the journal, and not synced there."""
        for t in tokens:
            self.deliver(t)

    def run(self):
        with self.step("one"):
            self.session(select("INBOX"), LOOK)
            self.delivered("one", "two")
            self.ill(ONE, "SELECT INBOX", want=["OK"])
            self.session(select("INBOX"), LOOK)
        with self.step("all"):
            self.delivered("three", "four")
            self.ill(ALL, "SELECT INBOX", want=["NO"])
            self.session(append("INBOX", "five"), select("INBOX"), LOOK)
        with self.step("snapshot"):  # nor can one be put in its place
            self.delivered("six", "seven")
            self.ill(ALL, "STATUS INBOX (UIDNEXT)", want=["NO"])
            self.delivered("eight")
            self.session(select("INBOX"), LOOK)
        with self.step("name"):  # it has no name for sure
            self.delivered("nine")
            self.ill(NAME, "SELECT INBOX", want=["NO"])
            self.deliver("ten")
            self.session(select("INBOX"), LOOK)
        if len(self.shown) != 3 + 5 + 8 + 1 + 11 + 13:
            raise SystemExit(f"powercut: shown were {self.shown}")

    def check(self, path, end):
        # it comes first if all are numbered anew
        with open(f"{path}/box/cur/1.M1P1.h:2,S", "w") as f:
            f.write("Subject: early\n\nbody\n")
        subprocess.run(["touch", "-d", "@1000000", f"{path}/box/cur"],
                       check=True)
        yield from super().check(path, end)
