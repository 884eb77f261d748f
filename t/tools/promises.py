#!/usr/bin/env python3
"""A hundred messages that ask for everything, and what must become of them.

usage: promises.py send PORT          to a submission port, as alice
       promises.py check DIR MAILS    DIR has the sinks good, old and no;
                                      MAILS the Maildirs
Which message asks what follows from its number alone.
"""
import collections
import email
import glob
import os
import re
import smtplib
import ssl
import sys
import time

COUNT = 100
DESTS = ("bob@example.test", "x@good.test", "x@old.test", "x@no.test")
NOTIFY = (None, "SUCCESS,FAILURE,DELAY", "FAILURE", "NEVER", "SUCCESS")
ASKS = ("", "by_r", "by_n", "hold", "header", "address", "8bit", "tls",
        "trace", "idn", "two")
RET = ("FULL", "HDRS", None)


class Mail:
    def __init__(self, i):
        self.i, self.envid = i, "m+2B%d" % i
        self.asks, self.notify = ASKS[i // 4 % len(ASKS)], NOTIFY[i % 5]
        self.ret = RET[i % 3]
        self.rcpt = DESTS[i % 4]
        self.where = self.rcpt.split("@")[1].split(".")[0]
        if self.asks == "address" and i % 4:
            self.rcpt = self.rcpt.replace("x@", "\u00fc@")
        if self.asks == "idn" and i % 4:
            self.rcpt = self.rcpt.replace("@", "@\u00fc.")
        self.local = i % 4 == 0

    def mail(self):
        words = ["ENVID=" + self.envid]
        if self.ret:
            words.append("RET=" + self.ret)
        words += {"by_r": ["BY=3600;R"], "by_n": ["BY=3600;N"],
                  "trace": ["BY=3600;RT"], "hold": ["HOLDFOR=3"],
                  "header": ["SMTPUTF8", "BODY=8BITMIME"],
                  "address": ["SMTPUTF8"], "idn": ["SMTPUTF8"],
                  "8bit": ["BODY=8BITMIME"], "tls": ["REQUIRETLS"],
                  }.get(self.asks, [])
        return " ".join(words)

    def text(self):
        lines = ["From: alice@example.test", "To: somebody@example.test",
                 "Subject: n%d%s" % (self.i, " \u00fc" if self.asks == "header" else ""),
                 "Message-ID: <%d@example.test>" % self.i,
                 "Date: " + email.utils.formatdate()]
        if self.asks == "8bit":
            lines += ["MIME-Version: 1.0", "Content-Transfer-Encoding: 8bit",
                      "Content-Type: text/plain; charset=utf-8"]
        lines += ["", "B\u00fccher" if self.asks == "8bit" else "text"]
        return "".join(x + "\r\n" for x in lines).encode()

    def code(self):
        """Why it must fail, or None."""
        if self.local:
            return None
        if self.asks == "tls":
            return "5.7.10"
        if self.where == "no":
            return "5.1.1"
        if self.where == "old":
            return {"by_r": "5.3.3", "trace": "5.3.3", "header": "5.6.9",
                    "address": "5.6.7"}.get(self.asks)
        return None

    def reports(self):
        asked = self.notify or "FAILURE"
        if self.code():
            return ["failed"] if "FAILURE" in asked else []
        success = "SUCCESS" in asked
        if self.local:
            return ["delivered"] if success else []
        never = asked == "NEVER"
        if self.where == "good":
            told = self.asks == "trace" and not never
        else:
            told = success or (self.asks == "by_n" and not never)
        return ["relayed"] if told else []


def send(port):
    context = ssl._create_unverified_context()
    for start in range(0, COUNT, 10):
        s = smtplib.SMTP("127.0.0.1", port)
        s.starttls(context=context)
        s.login("alice@example.test", "secret-alice")
        s.ehlo()
        s.command_encoding = "utf-8"
        for i in range(start, start + 10):
            m = Mail(i)
            notify = " NOTIFY=" + m.notify if m.notify else ""
            for line in ("MAIL FROM:<alice@example.test> " + m.mail(),
                         "RCPT TO:<%s>%s" % (m.rcpt, notify)):
                r = s.docmd(line)
                assert r[0] == 250, (line, r)
            r = s.data(m.text())
            assert r[0] == 250, r
        s.quit()


def subjects(files):
    found = collections.Counter()
    for name in files:
        with open(name, "rb") as f:
            head = f.read().split(b"\n\n")[0].split(b"\r\n\r\n")[0]
        n = re.search(rb"(?m)^Subject: n(\d+)", head)
        if n:
            found[int(n[1])] += 1
    return found


def reports(folder):
    found = collections.defaultdict(list)
    for name in glob.glob(os.path.join(folder, "alice", "new", "*")):
        with open(name, "rb") as f:
            text = f.read().decode()
        envid = re.search(r"(?m)^Original-Envelope-Id: m\+(\d+)$", text)
        assert envid, text
        action = re.search(r"(?m)^Action: (\w+)$", text)[1]
        status = re.search(r"(?m)^Status: (\S+)$", text)[1]
        found[int(envid[1])].append((action, status, text))
    return found


def check(folder, mails):
    bad = 0
    at = {w: subjects(glob.glob(os.path.join(folder, w, "*.eml")))
          for w in ("good", "old", "no")}
    at["example"] = subjects(glob.glob(os.path.join(mails, "bob", "new", "*")))
    told = reports(mails)
    for i in range(COUNT):
        m = Mail(i)
        want = {w: int(w == m.where and not m.code()) for w in at}
        got = {w: at[w][i] for w in at}
        said = [a for a, _, _ in told[i]]
        wrong = want != got or said != m.reports()
        for _, status, text in told[i]:
            wrong |= m.code() is not None and status != m.code()
            wrong |= "failed" in said and (m.ret == "FULL" and m.asks != "tls") != \
                ("\nFrom: alice@example.test" in text and "Bücher" in text
                 if m.asks == "8bit" else "\ntext\n" in text)
        if wrong:
            bad = 1
            print(i, m.rcpt, m.mail(), m.notify, "wanted", want, m.reports(),
                  m.code(), "got", got, [t[:2] for t in told[i]])
    with open(os.path.join(folder, "good", "log")) as f:
        log = f.read()
    for i in range(COUNT):
        m = Mail(i)
        if m.where != "good" or m.code():
            continue
        line = re.search(r"(?m)^C: MAIL .*ENVID=m\+2B%d( .*)?$" % i, log)
        words = line[0] if line else ""
        for word in m.mail().split():
            if word.startswith("BY="):
                ok = re.search(r" BY=3[56]\d\d;%s$" % word[8:], words)
            else:
                ok = word.startswith("HOLD") or " " + word in words
            if not ok:
                bad = 1
                print(i, "said", words, "without", word)
    return bad


if sys.argv[1] == "send":
    send(int(sys.argv[2]))
else:
    sys.exit(check(sys.argv[2], sys.argv[3]))
