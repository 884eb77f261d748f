#!/usr/bin/env python3
"""What connections that say nothing cost, and whether others are greeted.

usage: memory.py PORT CONNECTIONS EXE...
Sums the memory (PSS) of all processes whose program's path begins with one
of EXE, with CONNECTIONS connections that were greeted and say nothing, and
without.  Prints: KiB before, KiB more for each connection, milliseconds
that a new client waited for its greeting.
"""
import os
import socket
import sys
import time

port, count, exes = int(sys.argv[1]), int(sys.argv[2]), tuple(sys.argv[3:])


def total():
    kib = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if not os.readlink("/proc/%s/exe" % pid).startswith(exes):
                continue
            with open("/proc/%s/smaps_rollup" % pid) as f:
                for line in f:
                    if line.startswith("Pss:"):
                        kib += int(line.split()[1])
        except OSError:
            continue
    return kib


def connect():
    s = socket.create_connection(("127.0.0.1", port), 60)
    assert s.recv(200).startswith(b"220"), "no greeting"
    return s


connect().close()
time.sleep(0.5)
before = total()
silent = [connect() for _ in range(count)]
began = time.monotonic()
connect().close()
waited = (time.monotonic() - began) * 1000
print(before, "%.0f" % ((total() - before) / count), "%.0f" % waited)
