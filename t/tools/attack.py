#!/usr/bin/env python3
"""Attack the host of $PNEU_DIR/env, while somebody else sends mail to it.

usage: t/tools/attack.py NAME

The attacker comes from 127.0.0.1.  From 127.0.0.2 a bystander sends a
message to carol, Subject: bystander NAME N, again and again, from
the first moment of the attack to its end; each must be accepted, and within
30 seconds.  What the attack itself must meet with is in each function.
"""
import os, select, socket, ssl, sys, threading, time

ENV = os.environ
RCPT = '<bob@example.test>'


class Smtp:
    """A client that reads replies and has no opinion."""

    def __init__(self, port='SMTP', source='127.0.0.1', tls=False, ehlo=True):
        self.hello = 'LHLO' if port == 'LMTP' else 'EHLO'
        self.address = '127.0.0.1', int(ENV[port + '_PORT'])
        self.source = source, 0
        self.connect(tls)
        if ehlo:
            self.greeted(tls)
            self.ehlo()

    def connect(self, tls):
        self.s = socket.create_connection(self.address, 60, self.source)
        self.buf = b''
        if tls:
            self.tls()

    def greeted(self, tls):
        """An address may have so many at once, and those of the attacker
        that were just closed may yet count; the bystander has to be served."""
        end = time.monotonic() + 60
        while (code := self.reply()[0]) != 220:
            assert code == 0 and self.source[0] == '127.0.0.1', code
            assert time.monotonic() < end, 'no greeting'
            self.s.close()
            time.sleep(0.1)
            self.connect(tls)

    def tls(self):
        ctx = ssl.create_default_context(cafile=ENV['PNEU_CA'])
        self.s = ctx.wrap_socket(self.s, server_hostname='localhost')

    def ehlo(self):
        code, self.offers = self.do(f'{self.hello} client.test')
        assert code == 250, self.offers

    def send(self, data):
        """False once the server has gone."""
        try:
            self.s.sendall(data if isinstance(data, bytes) else data.encode())
            return True
        except OSError:
            return False

    def reply(self):
        """(code, text); code 0 when the server has closed."""
        text = b''
        while True:
            while b'\r\n' not in self.buf:
                try:
                    got = self.s.recv(65536)
                except ConnectionError:
                    got = b''
                if not got:
                    return 0, text.decode('latin-1')
                self.buf += got
            line, self.buf = self.buf.split(b'\r\n', 1)
            text += line + b'\n'
            if line[3:4] != b'-':
                return int(line[:3]), text.decode('latin-1')

    def do(self, line):
        self.send(line if isinstance(line, bytes) else line.encode() + b'\r\n')
        return self.reply()

    def envelope(self):
        assert self.do('MAIL FROM:<x@elsewhere.test>')[0] == 250
        assert self.do(f'RCPT TO:{RCPT}')[0] == 250

    def data(self, message):
        """The reply to a message, which is the last one of the session."""
        self.envelope()
        assert self.do('DATA')[0] == 354
        self.send(message)
        self.send(b'\r\n.\r\n')
        return self.reply()

    def close(self):
        self.s.close()


def one(message, **how):
    c = Smtp(**how)
    said = c.data(message)
    c.close()
    return said


# What may not end a message (and what may not begin another one)

ENDINGS = [b'\n.\n', b'\n.\r\n', b'\r.\r', b'\r.\r\n', b'\r\n.\n', b'\r\n.\r',
           b'\n.\r', b'\r\n\r.\r\n', b'\r\r\n.\r\n', b'\r\n.\r\r\n',
           b'\r\n.\n\r\n', b'\n\n.\n\n', b'\n\r.\n\r', b'\r\n.\r\0\n']
# these are text of a message, which goes on
TEXT = [b'\r\n\0.\r\n', b'\r\n.\0\r\n', b'\r\n..\r\n', b'\r\n. \r\n',
        b'\r\n.\x0b\r\n', b'\x85.\x85', b'\xe2\x80\xa8.\xe2\x80\xa8',
        b'\r\n \r\n.x\r\n', b'\0\r\n.\t\r\n']
SECOND = (b'MAIL FROM:<evil@elsewhere.test>\r\nRCPT TO:<bob@example.test>\r\n'
          b'DATA\r\nSubject: smuggled\r\n\r\nsmuggled\r\n.\r\n')


def smuggle(c, ending):
    c.envelope()
    assert c.do('DATA')[0] == 354
    c.send(b'Subject: carrier\r\n\r\nhello' + ending + SECOND)
    said = []
    while True:
        c.s.settimeout(60)
        try:
            code, _ = c.reply()
        except TimeoutError:
            code = None
        if not code:
            c.close()
            return said
        said.append(code)
        if code == 250 and len(said) == 1:
            assert c.do('NOOP')[0] == 250
            assert c.do('QUIT')[0] == 221


def endings():
    for port in 'SMTP', 'LMTP':
        for e in ENDINGS:
            said = smuggle(Smtp(port), e)
            assert said == [550], (port, e, said)
        for e in TEXT:
            said = smuggle(Smtp(port), e)
            assert said == [250], (port, e, said)


def endings_tls():
    for e in ENDINGS:
        c = Smtp()
        assert c.do('STARTTLS')[0] == 220
        c.tls()
        c.ehlo()
        said = smuggle(c, e)
        assert said == [550], (e, said)


def endings_bdat():
    """In a chunk a dot is nothing, and a bare CR or LF is an error."""
    if 'CHUNKING' not in Smtp().offers:
        return
    for e in ENDINGS + TEXT:
        c = Smtp()
        c.envelope()
        body = b'Subject: carrier\r\n\r\nhello' + e + SECOND
        said = c.do(b'BDAT %d LAST\r\n' % len(body) + body)[0]
        assert said == (550 if e in ENDINGS else 250), (e, said)
        c.close()
    # a number that is none; the octets of one that is are always taken
    for size in (b'-1', b'99999999999999999999', b'18446744073709551616',
                 b'0x10', b'', b'1 FIRST', b'1 LAST LAST'):
        c = Smtp()
        c.envelope()
        said = c.do(b'BDAT ' + size + b'\r\n' + (b'x' if b' ' in size else b''))[0]
        assert 500 <= said < 600, (size, said)
        if b' ' not in size:  # where it ends is not known: no more is heard
            c.send(SECOND)
            assert c.reply()[0] in (0, 421), size
        c.close()


# STARTTLS and what comes with it

def starttls():
    for port in 'SMTP', 'SUBMISSION':
        for more in (b'NOOP\r\n', b'RSET\r\nMAIL FROM:<x@elsewhere.test>\r\n',
                     b'EHLO x\r\nAUTH PLAIN AGFsaWNlAHg=\r\n', b'\0', b'\r\n'):
            c = Smtp(port=port)
            code = c.do(b'STARTTLS\r\n' + more)[0]
            if code != 220:
                assert code in (0, 421, 501, 503, 554), code
                c.close()
                continue
            # it may have seen them late: then they are the handshake
            try:
                c.tls()
            except (ssl.SSLError, OSError):
                c.close()
                continue
            raise AssertionError((port, more, 'TLS with input before it'))


# Too much

HEAD = b'From: x@elsewhere.test\r\nSubject: '


def long_lines():
    c = Smtp()
    line = b'NOOP ' + b'x' * 1000000 + b'\r\n'
    assert c.do(line)[0] == 500
    assert c.do('NOOP')[0] == 250
    assert c.do(b'MAIL FROM:<' + b'a' * 100000 + b'@elsewhere.test>\r\n')[0] >= 500
    assert c.do(b'EHLO ' + b'e' * 3000 + b'\r\n')[0] >= 500
    c.close()
    c = Smtp()
    c.send(b'A' * 4000000)  # never ends
    c.close()
    said = one(HEAD + b'attack long line\r\n\r\n' + b'x' * 1000000 + b'\r\n')
    assert said[0] == 250, said
    said = one(HEAD + b'attack long lines\r\n\r\n' + (b'y' * 99998 + b'\r\n') * 100)
    assert said[0] == 250, said


def binary():
    noise = bytes(range(256)) * 40
    for junk in (noise, noise[::-1], os.urandom(20000), b'\x16\x03\x01' * 3000,
                 b'\0' * 10000, b'\xff' * 10000, b'\r' * 10000, b'\n' * 10000,
                 b'GET / HTTP/1.1\r\nHost: x\r\n\r\n',
                 b'POST / HTTP/1.1\r\nContent-Length: 99\r\n\r\n' + SECOND):
        c = Smtp(ehlo=False)
        assert c.reply()[0] == 220
        c.send(junk + b'\r\n')
        c.s.settimeout(60)
        while c.reply()[0] not in (0, 421):
            if not c.send(b'\x80\xfe\r\n'):
                break
        c.close()
    said = one(HEAD + b'attack nul\r\nX-Nul: a\0b\r\n\r\n\0\0\0\r\n\xff\xfe\x80\r\n')
    assert said[0] == 250 or 500 <= said[0] < 600, said


def headers():
    many = b''.join(b'X-%d: y\r\n' % i for i in range(50000))
    said = one(HEAD + b'heap of fields\r\n' + many + b'\r\nbody\r\n')
    assert said[0] == 250, said
    said = one(HEAD + b'heap of same fields\r\n' + b'To: a@b.c\r\n' * 50000 +
               b'\r\nbody\r\n')
    assert said[0] == 250, said
    to = b'To: ' + b',\r\n '.join([b'a@b.c'] * 100000) + b'\r\n'
    said = one(HEAD + b'heap of recipients\r\n' + to + b'\r\nbody\r\n')
    assert said[0] == 250, said
    fold = b'X-Fold: a\r\n' + b' b\r\n' * 200000
    said = one(HEAD + b'heap of folds\r\n' + fold + b'\r\nbody\r\n')
    assert said[0] == 250, said
    for big in (b'X: ' + b'z' * 2000000 + b'\r\n',
                b'X: ' + b'z\r\n ' * 600000 + b'\r\n',
                b'X-%d: y\r\n' % 7 * 400000):
        said = one(HEAD + b'too large\r\n' + big + b'\r\nbody\r\n')
        assert 550 <= said[0] < 560, said
    said = one(b'Received: from x by y; Sun, 29 Nov 2026 00:00:00 +0000\r\n' * 101 +
               HEAD + b'a loop\r\n\r\nbody\r\n')
    assert said[0] == 554 and '5.4.6' in said[1], said


def nested():
    deep = b'MIME-Version: 1.0\r\n'
    for i in range(1000):
        deep += (b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n'
                 % (i, i))
    deep += b'\r\nthe core\r\n'
    for i in range(999, -1, -1):
        deep += b'--%d--\r\n' % i
    said = one(HEAD + b'attack nested\r\n' + deep)
    assert said[0] == 250, said
    deep = b'Content-Type: message/rfc822\r\n\r\n' * 1000
    said = one(HEAD + b'attack messages\r\n' + deep + b'x\r\n')
    assert said[0] == 250, said
    wide = (b'Content-Type: multipart/mixed; boundary=x\r\n\r\n' +
            b'--x\r\n\r\npart\r\n' * 20000 + b'--x--\r\n')
    said = one(HEAD + b'attack parts\r\n' + wide)
    assert said[0] == 250, said
    same = (b'Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n' * 1000 +
            b'--x--\r\n')
    said = one(HEAD + b'attack same boundary\r\n' + same)
    assert said[0] == 250, said


# Too slow; limits: command-time 4, data-time 4, session-time 9

def drip():
    # times are from before what the server counts from: never too short
    def until_421(began, c, text, least, most):
        c.s.settimeout(0.4)
        for b in text:
            c.send(bytes([b]))
            try:
                code, _ = c.reply()
                break
            except TimeoutError:
                continue
        took = time.monotonic() - began
        assert code in (0, 421), code
        assert least <= took <= most, (took, least, most)
        c.close()
        done.append(text[:10])

    def command(text):
        began = time.monotonic()
        until_421(began, Smtp(), text, 4, 60)

    def data():
        began = time.monotonic()
        c = Smtp()
        c.envelope()
        assert c.do('DATA')[0] == 354
        until_421(began, c, b'Subject: slowly\r\n\r\n' + b'x' * 1000, 9, 60)

    def silent_in_data():
        c = Smtp()
        c.envelope()
        assert c.do('DATA')[0] == 354
        began = time.monotonic()
        c.send(b'Subject: half a')
        assert c.reply()[0] in (0, 421)
        assert 4 <= time.monotonic() - began <= 60
        done.append('silent')

    def unfinished_chunk():
        c = Smtp()
        c.envelope()
        # so many may come, but do not
        assert c.do(b'BDAT 4294967295 LAST\r\n' + SECOND)[0] in (421, 552)
        c.close()
        done.append('chunk')

    done = []
    jobs = [threading.Thread(target=t) for t in (
        lambda: command(b'NOOP ' + b'x' * 1000),
        lambda: command(b'MAIL FROM:<' + b'y' * 1000),
        data, silent_in_data, unfinished_chunk)]
    for j in jobs:
        j.start()
    for j in jobs:
        j.join()
    assert len(done) == len(jobs), done


def half_open():
    """As many as one address may have, each with half of something."""
    half = [b'', b'E', b'EHLO client.test\r', b'EHLO x\r\nMAIL FROM:<',
            b'EHLO x\r\nSTARTTLS\r\n', b'EHLO x\r\nMAIL FROM:<x@elsewhere.test>\r\n'
            b'RCPT TO:<bob@example.test>\r\nDATA\r\nSubject: half\r\n\r\nx\r\n.\r']
    kept = []
    for i in range(18):
        c = Smtp(ehlo=False)
        c.send(half[i % len(half)])
        kept.append(c)
    time.sleep(1.5)
    for i, c in enumerate(kept):
        if i % 2:
            c.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                           b'\1\0\0\0\0\0\0\0')  # a reset
        c.close()


def flood():
    """Ten times what an address may have; limits: 20 an address.  A new
    one may be greeted where an old one, which says nothing, is ended."""
    greeted = 0
    kept = []
    for i in range(200):
        s = socket.socket()
        s.settimeout(5)
        try:
            s.connect(('127.0.0.1', int(ENV['SMTP_PORT'])))
        except OSError:
            continue
        kept.append(s)
    alive = set(kept)
    began = time.monotonic()
    while len(alive) > 20 or time.monotonic() < began + 1:
        assert time.monotonic() < began + 60, len(alive)
        for s in select.select(list(alive), [], [], 0.1)[0]:
            try:
                if s.recv(4096):
                    greeted += 1
                    continue
            except OSError:
                pass
            alive.remove(s)
    for s in kept:
        s.close()
    assert alive and 20 <= greeted < 200, (len(alive), greeted)


def storm():
    """Connections that go as soon as they have come."""
    for i in range(300):
        s = socket.socket()
        try:
            s.connect(('127.0.0.1', int(ENV['SMTP_PORT'])))
            s.send(b'EHLO x\r\nQUIT\r\n')
        except OSError:
            pass
        s.close()


class Bystander(threading.Thread):
    def __init__(self, name):
        super().__init__()
        self.attack = name
        self.sent, self.stop, self.why = 0, False, None

    def message(self):
        began = time.monotonic()
        c = Smtp(source='127.0.0.2')
        assert c.do('STARTTLS')[0] == 220
        c.tls()
        c.ehlo()
        assert c.do('MAIL FROM:<friend@elsewhere.test>')[0] == 250
        assert c.do('RCPT TO:<carol@example.test>')[0] == 250
        assert c.do('DATA')[0] == 354
        said = c.do(f'Subject: bystander {self.attack} {self.sent + 1}\r\n'
                    '\r\nhello\r\n.')
        assert said[0] == 250, said
        assert c.do('QUIT')[0] == 221
        c.close()
        took = time.monotonic() - began
        assert took < 30, f'it took {took} s'
        self.sent += 1

    def run(self):
        try:
            while not self.stop or self.sent == 0:
                self.message()
                time.sleep(0.05)
        except Exception as e:
            self.why = e


def main():
    name = sys.argv[1]
    by = Bystander(name)
    by.start()
    try:
        globals()[name]()
    finally:
        by.stop = True
        by.join()
    assert by.why is None, f'the bystander: {by.why!r}'
    print(by.sent)


main()
