#!/usr/bin/env python3
"""What a power cut may leave of a run, and whether anything was lost.

    powercut.py store|more|numbers|first|sick|queue [-n CUTS] [-d [STEP:]SYNC ...]

A run of the programs is recorded with strace, call by call (cutrecord.py).
Then the file system is rebuilt as it could stand after a cut at each point,
or at so many of them (cutstates.py).  On each of these the programs are
started again, and

    no message that was answered is lost,
    no UID that was shown names another message, or UIDVALIDITY has changed.

store is the work of a day, more all else that gives or moves messages, in
steps (cutstore.py, cutmore.py); numbers is STATUS of folders without an
index (cutnumbers.py), first is SELECT and UIDL of these (cutfirst.py); sick
is a disk whose syncs fail for a while (cutsick.py); queue is mqueue add
(cutqueue.py).

Prints the number of states that were looked at and the faults.  Exit 1 if
there was one.  Each -d takes one kind of sync out of the record, or of a step
of it (file, folder, root, journal, index, memory, queue, queue-folder): then
exit 1 if this makes no fault.
"""
import concurrent.futures
import os
import shutil
import sys
import tempfile

from cutfirst import First
from cutmore import More
from cutnumbers import Numbers
from cutqueue import Queue
from cutsick import Sick
from cutstates import states, window, without
from cutstore import Store


def look(rec, end, tree, top, n):
    path = os.path.join(top, f"state{n}")
    tree.write(path)
    try:
        return [f"cut at {end} of {len(rec.ops)}: {f}"
                for f in rec.check(path, end)]
    finally:
        shutil.rmtree(path)


def faults(rec, drop, limit, top):
    """The faults of the record, or of what is left of it: printed."""
    part = window(rec, drop)
    ops = without(rec.ops, drop, part) if drop else rec.ops
    cuts = states(rec, ops, limit, part)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(look, rec, end, t, top, n)
                for n, (end, t) in enumerate(cuts)]
        found = [f for j in jobs for f in j.result()]
    for f in found[:1 if drop else 20]:
        print(f)
    print(f"{drop + ': ' if drop else ''}{len(rec.ops)} operations, "
          f"{len(cuts)} states, {len(found)} faults", flush=True)
    return len(found)


def main(argv):
    limit, drops = 0, []
    for i, a in enumerate(argv):
        if a == "-n":
            limit = int(argv[i + 1])
        elif a == "-d":
            drops.append(argv[i + 1])
    shm = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory() as d, \
            tempfile.TemporaryDirectory(dir=shm) as top:
        base = os.path.join(os.path.realpath(d), "run")
        os.mkdir(base)
        rec = {"store": Store, "more": More, "numbers": Numbers,
               "first": First, "sick": Sick, "queue": Queue}[argv[1]](base)
        rec.run()
        if not drops:
            return faults(rec, None, limit, top) > 0
        return not all([faults(rec, drop, limit, top) for drop in drops])


if __name__ == "__main__":
    sys.exit(main(sys.argv))
