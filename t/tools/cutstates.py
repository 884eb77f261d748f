"""What a power cut at each point of a record may leave.

What was synced is there; of the rest any part may be missing, in any order,
and of what stood there at a sync that failed, whatever is synced later:
a file's bytes are kept by its fsync, a folder's names by the folder's, a
rename leaves the old name or the new one.  Of bytes in place of others a
half may be the old one.
"""
import random
import re
import sys


# numbers of pneu.uidvalidity, written in place or at the end
MEMORY = re.compile(rb"\d{10}( \d{10}( .*\n)?)?$")

# behind the end of a step: promises are made with its last operation
AFTER = 8


def durable(ops, end):
    """Which operations before `end` a cut at `end` can't take back."""
    kept = set()
    synced = set()
    for i in range(end - 1, -1, -1):
        op = ops[i]
        if op[0] == "sync":
            synced.add(op[1])
        elif op[0] == "fail":
            synced.discard(op[1])
        elif op[0] in ("data", "trunc", "add", "del"):
            if op[1] in synced:
                kept.add(i)
        elif op[0] == "ren" and op[3] in synced:
            kept.add(i)
    return kept


def variants(ops, pending, rng):
    """What may be missing (or be zeros) of the pending operations; and
    which of them was cut in two (and the half that is there)."""
    data = {i for i in pending if ops[i][0] in ("data", "trunc")}
    names = pending - data
    yield set(), set(), ()
    yield set(pending), set(), ()
    yield set(), data, ()
    yield data, set(), ()
    yield names, set(), ()
    late = sorted(pending)[-6:]
    for i in late:
        yield {i}, set(), ()
        yield set(pending) - {i}, set(), ()
    for _ in range(4):
        yield {i for i in pending if rng.random() < 0.5}, set(), ()
    memory = [i for i in data if ops[i][0] == "data"
              and MEMORY.match(ops[i][3])][-2:]
    for i in memory:
        for half in 0, 1:
            yield set(pending) - {i}, set(), ((i, half),)
            yield names, set(), ((i, half),)


def states(rec, ops, limit, window):
    """(point, tree): those that differ, spread over the window."""
    rng = random.Random(1)
    cuts = {}
    for end in range(window[0] + 1, window[1] + 1):
        if ops[end - 1][0] in ("sync", "fail") and end < len(ops):
            continue
        pending = {i for i in range(end)
                   if ops[i][0] not in ("sync", "fail", "say", "none")}
        pending -= durable(ops, end)
        for lost, zeros, torn in variants(ops, pending, rng):
            cuts[end, frozenset(lost), frozenset(zeros), torn] = None
    cuts = list(cuts)
    if limit and len(cuts) > limit:
        late = [c for c in cuts if c[0] > window[1] - 2 * AFTER]
        cuts = random.Random(2).sample(cuts, limit - limit // 3) + \
            random.Random(3).sample(late, min(limit // 3, len(late)))
    found = {}
    for end, lost, zeros, torn in cuts:
        t = rec.first.copy()
        for i in range(end):
            t.apply(ops[i], i in lost, i in zeros, dict(torn).get(i))
        found.setdefault((t.digest(), rec.facts_at(end)), (end, t))
    return list(found.values())


def window(rec, drop):
    """The part of the record where a sync is taken out: of STEP:KIND that
    of the step, else all."""
    step = drop.rpartition(":")[0] if drop else ""
    if not step:
        return 0, len(rec.ops)
    begin, end = rec.steps[step]
    return begin, min(end + AFTER, len(rec.ops))


def without(ops, drop, part):
    """The record with one kind of sync taken out."""
    test = {
        "file": lambda p: "/tmp/" in p or "/new/" in p or "/cur/" in p,
        "folder": lambda p: p.endswith(("/new", "/cur")),
        "journal": lambda p: "/pneu.journal" in p,
        "index": lambda p: "/pneu.snapshot" in p,
        "memory": lambda p: p.endswith("/pneu.uidvalidity"),
        "queue": lambda p: re.search(r"/queue/(tmp/)?[0-9a-z]{16}", p),
        "queue-folder": lambda p: p.endswith("/queue"),
        "root": lambda p: p.endswith("/box"),
    }[drop.rpartition(":")[2]]
    # the facts stand at numbers of operations: those stay
    left = [("none",) if op[0] == "sync" and part[0] <= i < part[1]
            and test(op[2]) else op for i, op in enumerate(ops)]
    if left == ops:
        sys.exit(f"powercut: no sync of this kind: {drop}")
    return left
