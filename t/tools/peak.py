#!/usr/bin/env python3
"""Watch hosts and print each program's largest resident memory in KiB.

usage: peak.py STOP CONF...
Looks at all processes with PNEU_CONF=CONF in their environment until the
file STOP is there, or who started this has ended.
"""
import os
import re
import sys
import time

want = {b"PNEU_CONF=" + os.fsencode(conf) for conf in sys.argv[2:]}
parent = os.getppid()
peak = {}
while not os.path.exists(sys.argv[1]) and os.getppid() == parent:
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open("/proc/%s/environ" % pid, "rb") as f:
                if not want.intersection(f.read().split(b"\0")):
                    continue
            with open("/proc/%s/status" % pid) as f:
                status = f.read()
        except OSError:
            continue
        name = re.search(r"Name:\t(.*)", status)[1]
        size = re.search(r"VmHWM:\s*(\d+)", status)
        if size and name.startswith("m"):
            peak[name] = max(peak.get(name, 0), int(size[1]))
    time.sleep(0.05)
for name, size in sorted(peak.items()):
    print(name, size)
