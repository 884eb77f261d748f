#!/usr/bin/env python3
"""A scripted SMTP server on loopback, for tests of the client side.

usage: smtpsink.py DIR [RULE ...]
Prints the port, then serves until it is killed.  Each message accepted is
DIR/N.eml as it came, with CRLF and dots undone; the dialogue is DIR/log.
A rule is VERB=REPLY, tried in order where VERB (CONNECT, EHLO, MAIL, RCPT,
DATA, END, QUIT, STARTTLS) or VERB:TEXT (TEXT in the command) matches:

  RCPT:bob=550 5.1.1 no     the reply, CRLF added
  END=drop                  close without a reply
  CONNECT=slow              never say a word
  EHLO=drip                 a byte every 0.2 s, and no end
  EHLO=endless              lines and no last one
  BODY=drop                 close after the first line of the message
  once:MAIL=421 4.3.2 busy  the first time only
Options among the rules: +noehlo +nopipelining +tls=CERT.pem +dsn +size=N
+8bitmime +smtputf8 +brokentls (offered, then closed) +addr=IP +port=N
+reuse=N (close without a word after N messages) +requiretls (in TLS)
+deliverby=N +limits=WORDS
"""
import os
import socket
import ssl
import sys
import threading
import time

folder, words = sys.argv[1], sys.argv[2:]
options = {w[1:].split("=")[0]: w.partition("=")[2]
           for w in words if w[0] == "+"}
rules = [w for w in words if w[0] != "+"]
lock = threading.Lock()
count = 0


def rule(verb, text):
    for r in list(rules):
        what, _, reply = r.partition("=")
        once = what.startswith("once:")
        v, _, part = what[5 if once else 0:].partition(":")
        if v == verb and part in text:
            if once:
                rules.remove(r)
            return reply
    return None


class Session(threading.Thread):
    def __init__(self, sock):
        super().__init__(daemon=True)
        self.sock, self.file = sock, sock.makefile("rb")
        self.rcpts = 0

    def log(self, line):
        with lock, open(os.path.join(folder, "log"), "a") as f:
            f.write(line + "\n")

    def say(self, reply):
        self.log("S: " + reply.replace("\n", "|"))
        self.sock.sendall(reply.replace("\n", "\r\n").encode() + b"\r\n")

    def odd(self, r):
        """What is no reply; True when the session is to be closed."""
        if r == "slow":
            threading.Event().wait()
        while r in ("drip", "endless"):
            self.sock.sendall(b"2" if r == "drip" else b"250-more\r\n")
            if r == "drip":
                time.sleep(0.2)
        return r == "drop"

    def answer(self, verb, text, reply):
        """False when the session is to be closed."""
        r = rule(verb, text)
        if self.odd(r):
            return False
        self.say(r or reply)
        return not (r or reply).startswith("421")

    def ehlo(self, tls):
        lines = ["sink.example", "ENHANCEDSTATUSCODES"]
        if "nopipelining" not in options:
            lines.append("PIPELINING")
        for o in "8bitmime", "smtputf8", "dsn":
            if o in options:
                lines.append(o.upper())
        for o in "deliverby", "limits":
            if o in options:
                lines.append((o.upper() + " " + options[o]).strip())
        if "requiretls" in options and tls:
            lines.append("REQUIRETLS")
        if "size" in options:
            lines.append("SIZE " + options["size"])
        if ("tls" in options or "brokentls" in options) and not tls:
            lines.append("STARTTLS")
        return "\n".join("250%s%s" % (" " if i == len(lines) - 1 else "-", l)
                         for i, l in enumerate(lines))

    def data(self):
        global count
        body = bytearray()
        while True:
            line = self.file.readline()
            if not line or rule("BODY", "") == "drop":
                return None
            if line == b".\r\n":
                break
            body += line[1:] if line.startswith(b".") else line
        with lock:
            count += 1
            n = count
        return n, body

    def run(self):
        try:
            self.serve()
        except OSError:
            pass
        self.sock.close()

    def serve(self):
        tls, taken = False, 0
        if not self.answer("CONNECT", "", "220 sink.example ESMTP"):
            return
        while True:
            line = self.file.readline().decode("utf-8", "replace").rstrip("\r\n")
            if not line:
                return
            self.log("C: " + line)
            verb = line.split()[0].upper()
            reply = "250 2.0.0 ok"
            if verb == "EHLO":
                reply = self.ehlo(tls)
                if "noehlo" in options:
                    reply = "502 5.5.1 what?"
            elif verb == "MAIL":
                self.rcpts = 0
            elif verb == "DATA":
                reply = "354 go on" if self.rcpts else "554 5.5.1 nobody"
            elif verb == "STARTTLS":
                reply = "220 2.0.0 go on"
            elif verb == "QUIT":
                reply = "221 2.0.0 bye"
            r = rule(verb, line)
            if self.odd(r):
                return
            reply = r or reply
            self.say(reply)
            if verb == "RCPT" and reply[0] == "2":
                self.rcpts += 1
            if verb == "QUIT" or reply.startswith("421"):
                return
            if verb == "STARTTLS" and reply[0] == "2" and "brokentls" in options:
                return
            if verb == "STARTTLS" and reply[0] == "2":
                ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                ctx.load_cert_chain(options["tls"])
                self.sock = ctx.wrap_socket(self.sock, server_side=True)
                self.file, tls = self.sock.makefile("rb"), True
                self.log("-: TLS")
            if verb == "DATA" and reply[0] == "3":
                got = self.data()
                if got is None:
                    self.log("-: lost in DATA")
                    return
                n, body = got
                if self.rcpts:
                    with open(os.path.join(folder, "%d.eml" % n), "wb") as f:
                        f.write(body)
                if not self.answer("END", "", "250 2.0.0 taken as %d" % n):
                    return
                taken += 1
                if taken == int(options.get("reuse", 0)):
                    return


server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
server.bind((options.get("addr", "127.0.0.1"), int(options.get("port", 0))))
server.listen(64)
print(server.getsockname()[1], flush=True)
while True:
    Session(server.accept()[0]).start()
