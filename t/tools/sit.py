#!/usr/bin/env python3
"""Sit at a terminal program: sit.py COMMAND... <SCRIPT

Lines of the script: "wait TEXT" until TEXT, blanks aside, has been on
the screen since the last key (60 s), "send KEYS" with \\r \\n \\t \\e and \\xNN, "end" until the
program has ended.  Exit 1, with what was on the screen, if one fails.
"""
import os
import pty
import re
import select
import signal
import sys
import time


def main(argv):
    pid, fd = pty.fork()
    if pid == 0:
        os.environ.update(TERM="xterm", LINES="40", COLUMNS="120")
        os.execvp(argv[0], argv)
    seen = b""

    def read(seconds):
        nonlocal seen
        if not select.select([fd], [], [], seconds)[0]:
            return True
        try:
            more = os.read(fd, 65536)
        except OSError:
            more = b""
        seen += more
        return bool(more)

    for line in sys.stdin:
        what, _, arg = line.rstrip("\n").partition(" ")
        text = arg.encode().decode("unicode_escape").replace("\\e", "\x1b")
        end = time.monotonic() + 60
        if what == "send":
            seen = b""
            os.write(fd, text.encode("latin-1"))
            continue
        alive = True
        while time.monotonic() < end and alive:
            plain = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]|\s", b"",
                           seen)
            if what == "wait" and text.replace(" ", "").encode() in plain:
                break
            alive = read(0.2)
        else:
            if what == "wait" or alive:
                print(f"waited in vain: {line}", plain.decode("latin-1"))
                os.kill(pid, signal.SIGKILL)
                return 1
    os.waitpid(pid, 0)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
