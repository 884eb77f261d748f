"""STATUS of folders that have no index yet: numbers are told without it."""
import os
import re
import subprocess

from cutstore import LOOK, Mail, append, select

STATUS = re.compile(rb'STATUS "(L\d)" \(UIDNEXT (\d+) UIDVALIDITY (\d+)\)')


def ask(names):
    return [f"STATUS L{n} (UIDVALIDITY UIDNEXT)" for n in names]


class Numbers(Mail):
    """UIDVALIDITYs are far ahead of the clock, so that one that is lost
    would be given again, to another folder; and those set aside for the
    last session go on where half of the digits change."""

    def __init__(self, base):
        box = os.path.join(base, "box")
        for n in range(9):
            for d in "tmp", "new", "cur":
                os.makedirs(f"{box}/.L{n}/{d}")
            with open(f"{box}/.L{n}/cur/{n}.M1P1.h:2,S", "w") as f:
                f.write(f"Subject: later{n}\n\nbody\n")
        with open(f"{box}/pneu.uidvalidity", "w") as f:
            f.write("pneu-uidvalidity 1\n3000099990 0000000001 .Gone\n")
        self.numbers = []  # (point, mailbox, UIDNEXT, UIDVALIDITY)
        super().__init__(base)

    def facts_at(self, end):
        told = sum(p <= end for p, *_ in self.numbers)
        return super().facts_at(end), told

    def answers(self, at, moves):
        for point in range(at, len(self.ops)):
            if self.ops[point][0] == "say":
                for box, *n in STATUS.findall(self.ops[point][1]):
                    self.numbers.append((point + 1, box, *map(int, n)))
        super().answers(at, moves)

    def run(self):
        self.session(*ask("012"))
        self.session(*ask("12"))
        self.strace(["mdeliver", f"{self.box}/.L1"],
                    b"Subject: more\n\nbody\n")
        self.place("more", "L1")
        self.session(*ask("132"))
        self.session(select("L1"), LOOK, append("L0", "first"), *ask("10"))
        self.session(*ask("45678"))
        if len(self.numbers) != 15:
            raise SystemExit(f"powercut: STATUS said {self.numbers}")

    def check(self, path, end):
        box = os.path.join(path, "box")
        out = subprocess.run(  # whose UIDVALIDITY is lost gets another's
            ["mimapd", "-p", box], stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            input="".join(f"s {c}\r\n" for c in ask("768543210")).encode())
        now = {b: (int(v), int(u)) for b, u, v in STATUS.findall(out.stdout)}
        for point, b, u, v in self.numbers:
            has = now.get(b, (0, 0))
            if point <= end and (has[0] < v or has[0] == v and has[1] < u):
                yield f"{b} had UIDVALIDITY {v}, UIDNEXT {u}, has {has}"
        yield from super().check(path, end)
