#!/usr/bin/env python3
"""Many sessions that wait, and how soon they hear of a message.

    idlers.py FOLDER SESSIONS UIDS

Starts SESSIONS of mimapd in IDLE on UIDS Maildirs, each of a uid of its own
(62500 and up; of ours if it is one), renames a message into new/ of each,
and prints how many heard of it, and the longest that one took.  Exit 1 if
one took more than two seconds.
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


def wait(sessions, word, seconds):
    """Until each has said the word: those that did, and when the last did."""
    poll, text, last = select.poll(), {}, 0
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
                last = time.monotonic() - begun
    return sum(word in t for t in text.values()), last


def main(top, n, uids):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    owner = [None] if uids == 1 else [62500 + i for i in range(uids)]
    boxes = [(f"{top}/box{i}", uid) for i, uid in enumerate(owner)]
    for path, uid in boxes:
        maildir(path, uid)
    sessions = [start(*boxes[i % uids]) for i in range(n)]
    ready, _ = wait(sessions, b"+ idling", 120)
    for path, uid in boxes:
        with open(f"{path}/tmp/1.M1P1.h", "w") as f:
            f.write("Subject: x\n\n")
        if uid is not None:
            os.chown(f"{path}/tmp/1.M1P1.h", uid, uid)
    for path, _ in boxes:
        os.rename(f"{path}/tmp/1.M1P1.h", f"{path}/new/1.M1P1.h")
    heard, last = wait(sessions, b"* 1 EXISTS", 10)
    for p in sessions:
        p.kill()
    for p in sessions:
        p.wait()
    print(f"{ready} wait, {heard} heard, the last after {last:.3f} s")
    return heard != n or last > 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
