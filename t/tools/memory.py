#!/usr/bin/env python3
"""What connections that say nothing cost, and whether others are greeted.

usage: memory.py PORT CONNECTIONS PID...
Sums the memory (PSS) of these processes and all below them, with
CONNECTIONS connections that were greeted and say nothing, and without.
Prints: KiB before, KiB more for each connection, and milliseconds that a
new client waited for its greeting then, the best of five.
"""
import os
import socket
import sys
import time

port, count = int(sys.argv[1]), int(sys.argv[2])


def family():
    parent = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/stat" % pid) as f:
                parent[pid] = f.read().rpartition(")")[2].split()[1]
        except OSError:
            continue
    found, more = set(), set(sys.argv[3:])
    while more:
        found |= more
        more = {p for p in parent if parent[p] in more} - found
    return found


def total():
    kib = 0
    for pid in family():
        try:
            with open("/proc/%s/smaps_rollup" % pid) as f:
                for line in f:
                    if line.startswith("Pss:"):
                        kib += int(line.split()[1])
        except OSError:
            continue
    return kib


def greeted():
    s = socket.create_connection(("127.0.0.1", port), 60)
    assert s.recv(200).startswith(b"220"), "no greeting"
    return s


def wait():
    began = time.monotonic()
    greeted().close()
    return (time.monotonic() - began) * 1000


greeted().close()
time.sleep(0.5)
before = total()
silent = [greeted() for _ in range(count)]
each = (total() - before) / count
print(before, "%.0f" % each, "%.0f" % min(wait() for _ in range(5)))
