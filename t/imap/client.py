"""Sessions of `mimapd -p` for tests that need more than one at a time."""

import re
import signal
import subprocess

signal.alarm(60)


class Session:
    def __init__(self, maildir="box", *args, **env):
        self.p = subprocess.Popen(
            ["mimapd", "-p", *args, maildir], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, **env)
        self.greeting = self.line()

    def line(self):
        """A response, with the literals in it."""
        s = b""
        while True:
            part = self.p.stdout.readline()
            assert part, "the session has ended"
            s += part
            m = re.search(rb"\{(\d+)\}\r\n$", part)
            if not m:
                return s[:-2].decode("utf-8", "replace")
            s += self.p.stdout.read(int(m.group(1)))

    def send(self, text):
        if isinstance(text, str):
            text = text.encode()
        self.p.stdin.write(text + b"\r\n")
        self.p.stdin.flush()

    def until(self, start):
        """All lines up to the one that begins so."""
        lines = [self.line()]
        while not lines[-1].startswith(start):
            lines.append(self.line())
        return lines

    def __call__(self, command, ok="OK"):
        """The untagged responses to a command, which must end with OK."""
        self.send("x " + command)
        lines = self.until("x ")
        assert lines[-1].startswith("x " + ok), (command, lines)
        self.tagged = lines.pop()
        return lines

    def append(self, n=1, box="INBOX", text="Subject: {}\r\n\r\nbody\r\n"):
        for i in range(n):
            m = text.format(i)
            self(f"APPEND {box} {{{len(m)}+}}\r\n{m}")

    def close(self):
        self.p.stdin.close()
        self.p.stdout.close()
        return self.p.wait()
