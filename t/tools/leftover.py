#!/usr/bin/env python3
"""Kill what a test left running, and say what it was.

usage: leftover.py MARK
Its processes are those with CHECK_MARK=MARK in their environment, and
their children.  They have a minute to end by themselves.  Exit status 1
when some had to be killed.
"""
import os
import signal
import sys
import time

mark = b"CHECK_MARK=" + os.fsencode(sys.argv[1])
# this process and those above it have the mark, too
spared = {os.getpid()}


def look():
    parent, ours = {}, set()
    for pid in map(int, filter(str.isdigit, os.listdir("/proc"))):
        try:
            with open("/proc/%d/stat" % pid) as f:
                state, above = f.read().rpartition(")")[2].split()[:2]
            with open("/proc/%d/environ" % pid, "rb") as f:
                marked = mark in f.read().split(b"\0")
        except OSError:
            marked = False
        else:
            if state not in "ZX":
                parent[pid] = int(above)
                if marked:
                    ours.add(pid)
    pid = os.getpid()
    while pid in parent:
        spared.add(pid)
        pid = parent[pid]
    ours -= spared
    more = True
    while more:
        more = {p for p in parent if parent[p] in ours} - ours - spared
        ours |= more
    return ours


end = time.monotonic() + 60
while look() and time.monotonic() < end:
    time.sleep(0.1)
left = look()
for pid in sorted(left):
    try:
        with open("/proc/%d/cmdline" % pid) as f:
            print(pid, f.read().replace("\0", " "))
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
sys.exit(1 if left else 0)
