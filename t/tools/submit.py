#!/usr/bin/env python3
"""Send files through a submission port and print the replies' queue ids.

usage: submit.py PORT CA USER PASSWORD SENDER RCPT[,RCPT...] FILE...
Lines of the files end in LF; a failure is one line and exit status 1.
"""
import smtplib
import ssl
import sys

port, ca, user, password, sender, rcpts = sys.argv[1:7]
s = smtplib.SMTP("localhost", int(port), timeout=60)
s.starttls(context=ssl.create_default_context(cafile=ca))
s.login(user, password)
for name in sys.argv[7:]:
    with open(name, "rb") as f:
        data = f.read().replace(b"\n", b"\r\n")
    code, text = s.mail(sender, ["BODY=8BITMIME"])
    if code != 250:
        sys.exit("MAIL: %d %s" % (code, text))
    for r in rcpts.split(","):
        code, text = s.rcpt(r)
        if code != 250:
            sys.exit("RCPT %s: %d %s" % (r, code, text))
    code, text = s.data(data)
    if code != 250:
        sys.exit("DATA: %d %s" % (code, text))
    print(text.decode())
s.quit()
