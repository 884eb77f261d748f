"""The queue: mqueue add, three messages."""
import os
import subprocess

from cutrecord import Record


class Queue(Record):
    """mqueue add: two messages, by argument and one by its envelope."""

    def __init__(self, base):
        self.conf = os.path.join(base, "conf")
        os.makedirs(self.conf)
        os.makedirs(os.path.join(base, "queue", "tmp"))
        self.settle(base)
        self.taken = []
        self.steps = {}
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
