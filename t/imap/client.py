"""Sessions of `mimapd -p` for tests that need more than one at a time."""

import os
import re
import signal
import subprocess
import zlib

signal.alarm(240)


class Session:
    progress = False

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
        """All lines up to the one that begins so; without those that say
        that it takes long, unless the test is about them: the machine may
        have been stopped."""
        lines = [self.line()]
        while not lines[-1].startswith(start):
            if "[INPROGRESS" in lines[-1] and not self.progress:
                lines.pop()
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


class Compressed(Session):
    """A session that can be compressed from some point on."""

    def __init__(self, *args, **env):
        self.z = self.u = None
        super().__init__(*args, bufsize=0, **env)

    def compress(self, step, z=None):
        self.z = z or zlib.compressobj(6, zlib.DEFLATED, -15)
        self.u = zlib.decompressobj(-15)
        self.step, self.have = step, b""
        self.plain = self.wire = 0
        self.fd = self.p.stdout.fileno()

    def raw(self, data):
        for i in range(0, len(data), self.step):
            self.p.stdin.write(data[i:i + self.step])
            self.p.stdin.flush()

    def fill(self):
        got = os.read(self.fd, self.step)
        plain = self.u.decompress(got)
        self.have += plain
        self.wire += len(got)
        self.plain += len(plain)
        return got

    def rest(self):
        while self.fill():
            pass
        return self.have

    def line(self):
        if self.u is None:
            return super().line()
        end = 0
        while True:
            at = self.have.find(b"\r\n", end)
            if at == -1:
                assert self.fill(), "the session has ended"
                continue
            m = re.search(rb"\{(\d+)\}$", self.have[end:at])
            end = at + 2 + (int(m.group(1)) if m else 0)
            while len(self.have) < end:
                assert self.fill(), "the session has ended"
            if not m:
                break
        s, self.have = self.have[:end - 2], self.have[end:]
        return s.decode("utf-8", "replace")

    def send(self, text):
        if self.z is None:
            return super().send(text)
        if isinstance(text, str):
            text = text.encode()
        self.raw(self.z.compress(text + b"\r\n") +
                 self.z.flush(zlib.Z_SYNC_FLUSH))
