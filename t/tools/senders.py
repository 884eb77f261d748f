#!/usr/bin/env python3
"""Send numbered messages over several connections until the host is gone.

usage: senders.py PORT CLIENTS LIMIT RCPT PREFIX >marks
Prints the mark (X-Mark: PREFIX.CLIENT.NUMBER) of each message that was
answered 250, at that moment.
"""
import os
import smtplib
import sys
import threading

port, clients, limit = map(int, sys.argv[1:4])
rcpt, prefix = sys.argv[4:]
filler = b"x" * 70 + b"\r\n"


def send(client):
    try:
        s = smtplib.SMTP("127.0.0.1", port, timeout=30)
        for n in range(limit):
            mark = "%s.%d.%d" % (prefix, client, n)
            s.sendmail("x@elsewhere.test", [rcpt],
                       b"Subject: numbered\r\nX-Mark: %s\r\n\r\n" %
                       mark.encode() + filler * (n % 200))
            os.write(1, (mark + "\n").encode())
    except (OSError, smtplib.SMTPException):
        pass


threads = [threading.Thread(target=send, args=(c,)) for c in range(clients)]
for t in threads:
    t.start()
for t in threads:
    t.join()
