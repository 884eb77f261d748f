#!/usr/bin/env python3
"""Many sessions that wait, and how soon they hear of a message.

    idlers.py FOLDER SESSIONS UIDS

Starts SESSIONS of mimapd in IDLE on UIDS Maildirs, each of a uid of its own
(62500 and up; of ours if it is one), renames a message into new/ of each,
and prints how many heard of it, and the longest that one took: by the clock,
without what it waited for a processor, which others may have, and of all
processors for all of them.  Exit 1 if the last two are more than two and four
seconds, each of three times.
"""
import os
import resource
import select
import subprocess
import sys
import time


def maildir(path, uid):
    for d in ("tmp", "new", "cur"):
        os.makedirs(f"{path}/{d}", exist_ok=True)
        if uid is not None:
            os.chown(f"{path}/{d}", uid, uid)
    if uid is not None:
        os.chown(path, uid, uid)


def start(path, uid):
    p = subprocess.Popen(["mimapd", "-p", path], stdin=subprocess.PIPE,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         bufsize=0, user=uid, group=uid,
                         extra_groups=[] if uid is not None else None)
    p.stdin.write(b"a SELECT INBOX\r\nb IDLE\r\n")
    return p


def used(pid):
    """What a process has run, and has waited for a processor, in seconds."""
    try:
        with open(f"/proc/{pid}/schedstat") as f:
            return [int(n) / 1e9 for n in f.read().split()[:2]]
    except OSError:
        return [0, 0]


def wait(sessions, word, seconds):
    """Until each has said the word: after how long each that did."""
    poll, text, when = select.poll(), {}, {}
    for p in sessions:
        poll.register(p.stdout, select.POLLIN)
        text[p.stdout.fileno()] = b""
    left, begun = len(sessions), time.monotonic()
    while left and time.monotonic() < begun + seconds:
        for fd, _ in poll.poll(1000):
            more = os.read(fd, 65536)
            text[fd] += more
            if word in text[fd] or not more:
                poll.unregister(fd)
                left -= 1
                if word in text[fd]:
                    when[fd] = time.monotonic() - begun
    return when


def tell(sessions, boxes, number):
    """A message in each; who heard and when, how late the last was without
    its waiting, and what all processors did for that."""
    name = f"{number}.M1P1.h"
    for path, uid in boxes:
        with open(f"{path}/tmp/{name}", "w") as f:
            f.write("Subject: x\n\n")
        if uid is not None:
            os.chown(f"{path}/tmp/{name}", uid, uid)
    before, own = [used(p.pid) for p in sessions], used(os.getpid())
    for path, _ in boxes:
        os.rename(f"{path}/tmp/{name}", f"{path}/new/{name}")
    heard = wait(sessions, b"* %d EXISTS" % number, 60)
    own = used(os.getpid())[1] - own[1]
    spent = [[b - a for a, b in zip(was, used(p.pid))]
             for was, p in zip(before, sessions)]
    late = max((heard.get(p.stdout.fileno(), 60) - waited - own
                for p, (_, waited) in zip(sessions, spent)))
    busy = sum(run for run, _ in spent) / os.cpu_count()
    return heard, late, busy


def main(top, n, uids):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    owner = [None] if uids == 1 else [62500 + i for i in range(uids)]
    boxes = [(f"{top}/box{i}", uid) for i, uid in enumerate(owner)]
    for path, uid in boxes:
        maildir(path, uid)
    sessions = [start(*boxes[i % uids]) for i in range(n)]
    ready = wait(sessions, b"+ idling", 240)
    for number in 1, 2, 3:
        heard, late, busy = tell(sessions, boxes, number)
        # once more where it was late: the machine may have stood still,
        # which no clock of a process shows
        if late <= 2 and busy <= 4 or len(heard) != n:
            break
    for p in sessions:
        p.kill()
    for p in sessions:
        p.wait()
    print(f"{len(ready)} wait, {len(heard)} heard, the last after "
          f"{max(heard.values(), default=0):.3f} s: {late:.3f} s of its own, "
          f"{busy:.3f} s of all processors")
    return len(heard) != n or late > 2 or busy > 4


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
