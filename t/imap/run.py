"""Play a conversation with `mimapd -p` and compare what it says.

usage: run.py MODE FILE MAILDIR [COMMAND...]

MODE is "whole" (all input at once) or "bytes" (a read gives one byte).  A
line of FILE is "C: text" (to the server), "M: text" (a line of the message
that {M} in the C line before it stands for the length of), "+: text" (the
same command goes on behind that message), or "S: text" (from the server;
"~" in it stands for any run of characters).  {V} in what
is sent stands for the UIDVALIDITY that the server has told first.
"""

import os
import re
import socket
import subprocess
import sys
import threading


def parse(path):
    client, server, pending = [], [], None
    for line in open(path, encoding="utf-8", newline="\n"):
        kind, text = line[:3], line[3:].rstrip("\n")
        if kind == "C: ":
            client.append([text.encode(), b""])
        elif kind == "+: ":
            client.append([text.encode(), b"", None])
        elif kind == "M: ":
            client[-1][1] += text.encode() + b"\r\n"
        elif kind == "S: ":
            server.append(text)
    out = b""
    for text, message, *goes_on in client:
        if out and not goes_on:
            out += b"\r\n"
        out += text.replace(b"{M", b"{%d" % len(message))
        if message:
            out += b"\r\n" + message
    return out + b"\r\n", server


def play(mode, data, argv):
    a, b = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    p = subprocess.Popen(argv, stdin=b, stdout=subprocess.PIPE)
    b.close()
    said, told = [], threading.Event()

    def listen():
        for line in p.stdout:
            said.append(line)
            if b"[UIDVALIDITY " in line:
                told.set()
        told.set()

    def validity():
        told.wait(120)
        m = re.search(rb"\[UIDVALIDITY (\d+)\]", b"".join(said))
        return m.group(1) if m else b"?"

    reader = threading.Thread(target=listen)
    reader.start()
    step = 1 if mode == "bytes" else 4096
    try:
        for n, part in enumerate(data.split(b"{V}")):
            if n > 0:
                part = validity() + part
            for i in range(0, len(part), step):
                a.send(part[i:i + step])
    except OSError:
        pass
    a.close()
    reader.join()
    return b"".join(said), p.wait()


def main():
    mode, path, maildir = sys.argv[1:4]
    argv = sys.argv[4:] or ["mimapd", "-p", maildir]
    data, want = parse(path)
    said, status = play(mode, data, argv)
    got = said.decode("utf-8", "replace").split("\r\n")
    # what a server says that was stopped with its machine
    got = [x for x in got if not x.startswith("* OK [INPROGRESS ")]
    for n, line in enumerate(want):
        pattern = ".*".join(re.escape(x) for x in line.split("~"))
        if n >= len(got) or not re.fullmatch(pattern, got[n], re.S):
            print(f"{path} ({mode}), line {n + 1} from the server:")
            print("want:", line)
            print("got: ", *got[max(0, n - 2):n + 3], sep="\n  ")
            return 1
    if got[len(want):] != [""]:
        print(f"{path} ({mode}): more was said:", *got[len(want):], sep="\n")
        return 1
    return status


sys.exit(main())
