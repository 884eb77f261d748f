"""A first index that is shown before it is on disk.

Its UIDVALIDITY was promised: if the index is lost, a greater one comes.
Once the session has ended the index stays.
"""
import os
import subprocess

from cutstore import LOOK, Mail, append, select


class First(Mail):
    """SELECT, FETCH and UIDL of folders without an index, all commands in
    one piece, so that no pause puts it on disk; another program delivers,
    removes a file and looks while it is not there.  UIDVALIDITYs are far
    ahead of the clock, so that one that is lost would be given again."""

    boxes = range(4)

    def __init__(self, base):
        self.box = os.path.join(base, "box")
        for n in self.boxes:
            for d in "tmp", "new", "cur":
                os.makedirs(f"{self.box}/.L{n}/{d}")
            for k in range(3):
                self.file(self.box, n, 1000 + k, f"first{n}{k}")
        with open(f"{self.box}/pneu.uidvalidity", "w") as f:
            f.write("pneu-uidvalidity 1\n3000000000 0000000001 .Gone\n")
        super().__init__(base)

    @staticmethod
    def file(box, n, time, token):
        with open(f"{box}/.L{n}/cur/{time}.M1P1.h:2,S", "w") as f:
            f.write(f"Subject: {token}\n\nbody\n")

    def at_once(self, *commands, broken=False):
        """A session whose commands come in one piece.  broken: what it
        would put on disk behind the promise is not to be had."""
        at, moves = len(self.ops), {}
        text = ""
        for n, c in enumerate((*commands, "LOGOUT")):
            c, moves[n] = (c, ()) if isinstance(c, str) else (c[0], c[1:])
            text += f"t{n} {c}\r\n"
        self.strace(self.program(["mimapd", "-p", self.box], broken),
                    text.encode())
        self.answers(at, moves)
        if not broken:
            self.keep()

    @staticmethod
    def program(argv, broken):
        """The first fsync is that of the memory's name."""
        return ["-e", "inject=fsync:error=EIO:when=2+"] * broken + argv

    def pop(self, n):
        """UIDL and TOP, and none is removed."""
        at = len(self.ops)
        self.strace(["mpop", "-p", f"{self.box}/.L{n}"],
                    b"UIDL\r\nTOP 1 0\r\nTOP 2 0\r\nTOP 3 0\r\nQUIT\r\n")
        if len(self.popped(at, f"L{n}")) != 3:
            raise SystemExit("powercut: mpop has not three messages")

    def run(self):
        with self.step("select"):
            self.at_once(select("L0"), LOOK)
        with self.step("others"):
            self.at_once(select("L1"), LOOK, broken=True)
            self.strace(["mdeliver", f"{self.box}/.L1"],
                        b"Subject: more\n\nbody\n")
            self.place("more", "L1")
            self.strace(["rm", f"{self.box}/.L1/cur/1001.M1P1.h:2,S"], b"")
            self.strace(["mimapd", "-p", self.box],
                        b"s STATUS L1 (UIDNEXT UIDVALIDITY)\r\n")
            self.at_once(select("L1"), LOOK, append("L1", "last"))
        with self.step("pop"):
            self.pop(2)
        with self.step("append"):
            self.at_once(select("L3"), LOOK, append("L3", "own"), LOOK)
        if len(self.shown) != 3 + 3 + 3 + 1 + 3 + 3 + 1 + 4:
            raise SystemExit(f"powercut: shown were {self.shown}")

    def check(self, path, end):
        box = os.path.join(path, "box")
        for n in self.boxes:  # it comes first if all are numbered anew
            self.file(box, n, 1, f"early{n}")
        subprocess.run(["mimapd", "-p", box], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL,
                       input="".join(f"s STATUS L{n} (UIDNEXT)\r\n"
                                     for n in self.boxes).encode())
        yield from super().check(path, end)
