#!/usr/bin/env python3
"""kill -9 every process of a host, until there is none.

usage: killhost.py CONF
They are those with PNEU_CONF=CONF in their environment that run a program
of ours.  Prints how many it killed.
"""
import os
import signal
import sys

OURS = ("mtls", "mauth", "mrecv", "mqueue", "mdeliver", "msend", "mpop",
        "mimapd")
want = b"PNEU_CONF=" + os.fsencode(sys.argv[1])
killed = set()
while True:
    found = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/environ" % pid, "rb") as f:
                if want not in f.read().split(b"\0"):
                    continue
            with open("/proc/%s/comm" % pid) as f:
                if f.read().strip() not in OURS:
                    continue
            os.kill(int(pid), signal.SIGKILL)
        except OSError:
            continue
        found += 1
        killed.add(pid)
    if found == 0:
        break
print("%d killed" % len(killed))
