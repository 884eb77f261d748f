"""SEARCH, SORT and THREAD of a made-up mailbox, as Dovecot answers them.

usage: agree.py DIR SEED

The same messages are given to Dovecot's imap, which needs no daemon, and
to mimapd.
"""

import base64
import os
import random
import subprocess
import sys
from pathlib import Path

top, seed = Path(sys.argv[1]).resolve(), int(sys.argv[2])
random.seed(seed)
uid = os.getuid() or 65534
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()


def word(text):
    return "=?utf-8?b?%s?=" % base64.b64encode(text.encode()).decode()


def subject():
    s = random.choice(("apple", "Banana", "cherry pie", "a [b] c", "",
                       "Éclair", "éclair", "straße", "zebra", "APPLE",
                       "Привет", "привет мир"))
    for _ in range(random.choice((0, 0, 1, 1, 2, 3))):
        s = random.choice((f"Re: {s}", f"RE:{s}", f"Fwd: {s}", f"[list] {s}",
                           f"{s} (fwd)", f"[fwd: {s}]", f"fw: {s}",
                           f"Re [x]: {s}", f"  {s}"))
    if any(ord(c) > 127 for c in s) or random.random() < 0.1:
        return word(s)
    return s


def address():
    local = random.choice(("anna", "Bert", "chris", "dora.x", "ANNA"))
    host = random.choice(("example.net", "example.com"))
    name = random.choice(("", "", "Zoe", '"Quoted, Name"', word("Émile"),
                          "emil"))
    return f"{name} <{local}@{host}>" if name else f"{local}@{host}"


def date():
    return "%d %s %d %02d:%02d:00 %s" % (
        random.randint(1, 28), random.choice(MONTHS),
        random.choice((2019, 2020)), random.randint(0, 23),
        random.randint(0, 59), random.choice(("+0000", "-0500", "+0930")))


def ids(n):
    return " ".join(f"<{random.randint(1, 60)}@x>" for _ in range(n))


messages = []
for i in range(80):
    h = []
    if random.random() < 0.9:
        h.append(f"Subject: {subject()}")
    if random.random() < 0.9:
        h.append(f"From: {address()}")
    if random.random() < 0.8:
        h.append(f"To: {address()}, {address()}")
    if random.random() < 0.3:
        h.append(f"Cc: {address()}")
    if random.random() < 0.9:
        h.append(f"Date: {date()}")
    if random.random() < 0.9:
        h.append(f"Message-ID: <{random.randint(1, 60)}@x>")
    if random.random() < 0.5:
        h.append(f"References: {ids(random.randint(0, 4))}")
    if random.random() < 0.3:
        h.append(f"In-Reply-To: {ids(random.randint(0, 2))}")
    body = " ".join(random.choices("one two three four Five SIX".split(),
                                   k=random.randint(1, 30)))
    messages.append(("\n".join(h) + "\n\n" + body + "\n").encode())

for name in ("ours", "theirs"):
    for d in ("cur", "new", "tmp"):
        (top / name / d).mkdir(parents=True)
    for i, m in enumerate(messages):
        flags = random.Random(i).choice(("", "S", "FS", "RS"))
        f = top / name / "cur" / f"{1500000000 + i}.m{i:03}.host:2,{flags}"
        f.write_bytes(m)
        t = 1500000000 + random.Random(seed * 1000 + i).randrange(10 ** 8)
        os.utime(f, (t, t))

conf = top / "conf"
run = top / "run"
run.mkdir()
conf.write_text(f"""protocols = imap
base_dir = {run}
state_dir = {run}
log_path = {run}/log
ssl = no
mail_location = maildir:{top}/theirs
mail_uid = {uid}
mail_gid = {uid}
first_valid_uid = 0
first_valid_gid = 0
stats_writer_socket_path =
""")
if os.getuid() == 0:
    for p in [top, *top.rglob("*")]:
        if "ours" not in p.parts:
            os.chown(p, uid, uid)


class Session:
    def __init__(self, argv, **env):
        self.p = subprocess.Popen(argv, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.DEVNULL,
                                  env={**os.environ, **env})
        self.p.stdout.readline()

    def command(self, line):
        data = line.encode()
        self.p.stdin.write(b"a " + data + b"\r\n")
        self.p.stdin.flush()
        out = []
        while True:
            said = self.p.stdout.readline()
            assert said, line
            if said.startswith(b"a "):
                assert said.startswith(b"a OK"), (line, said)
                return out
            out.append(said.decode().strip())

    def end(self):
        self.p.stdin.close()
        self.p.stdout.close()
        self.p.wait()


def sessions():
    return (Session(["mimapd", "-p", str(top / "ours")]),
            Session(["/usr/lib/dovecot/imap", "-c", str(conf)],
                    USER="nobody", HOME=str(run)))


keys = "ARRIVAL CC DATE FROM SIZE SUBJECT TO DISPLAYFROM DISPLAYTO".split()
commands = [f"SORT ({k}) UTF-8 ALL" for k in keys]
for _ in range(15):
    some = random.sample(keys, random.randint(1, 3))
    by = " ".join(random.choice(("", "REVERSE ")) + k for k in some)
    commands.append(f"{random.choice(('', 'UID '))}SORT ({by}) UTF-8 "
                    + random.choice(("ALL", "SEEN", "UNFLAGGED", "5:40")))
for kind in ("REFERENCES", "REFS", "ORDEREDSUBJECT"):
    for what in ("ALL", "SEEN", "3:50", "UNSEEN", "BODY five"):
        commands.append(f"THREAD {kind} UTF-8 {what}")
# A message without a Date is sent neither before nor since a day, for us;
# Dovecot takes it for one of 1970: SENTBEFORE is left out.
for key in ('SUBJECT "apple"', "FROM anna", "TO example.com", "BODY six",
            "TEXT three", "SENTON 3-Feb-2020",
            "SENTSINCE 1-Jul-2019", "BEFORE 1-Jan-2019", "CC x",
            "HEADER message-id 1", 'HEADER references ""', "LARGER 250",
            "OR FROM bert (SUBJECT pie NOT SEEN)", "OLDER 100000",
            'SUBJECT "[list"', "BODY \"two three\"",
            "NOT SENTSINCE 1-Feb-2020 UNSEEN"):
    commands.append(f"SEARCH {key}")
    commands.append(f"UID SEARCH RETURN (MIN MAX COUNT ALL) {key}")

bad = 0
for again in range(2):
    ours, theirs = sessions()
    ours.command("SELECT INBOX")
    theirs.command("SELECT INBOX")
    for line in commands:
        a, b = ours.command(line), theirs.command(line)
        b = [x.replace(" ) ", ") ") for x in b]
        if "ESEARCH" in line or "RETURN" in line:
            a, b = [sorted(x[0].split()) for x in (a, b)]
        if a != b:
            bad += 1
            print(line, a, b, sep="\n  ")
    ours.end()
    theirs.end()
sys.exit(bad > 0)
