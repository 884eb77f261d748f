#!/usr/bin/env python3
"""A message before and one after STARTTLS by the UCSPI-TLS convention.

usage: ucspitls.py ARG...	(of mrecv)
"""
import os, socket, subprocess, sys

ctl, theirs = socket.socketpair()
r1, w1 = os.pipe()
r2, w2 = os.pipe()
fds = (theirs.fileno(), r1, w2)
env = dict(os.environ, SSLCTLFD=str(fds[0]), SSLREADFD=str(r1),
           SSLWRITEFD=str(w2))
p = subprocess.Popen(['mrecv'] + sys.argv[1:], stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE, pass_fds=fds, env=env)
for fd in fds[1:]:
    os.close(fd)
theirs.close()
MESSAGE = (b'EHLO me\r\nMAIL FROM:<s@x.org>\r\nRCPT TO:<alice@example.test>\r\n'
           b'DATA\r\nSubject: x\r\n\r\n.\r\n')
p.stdin.write(MESSAGE + b'STARTTLS\r\n')
p.stdin.flush()
assert ctl.recv(1) == b'Y'
ctl.sendall(b'SSL_PROTOCOL=TLSv1.3\0SSL_CIPHER=TLS_AES_128_GCM_SHA256\0\0')
os.write(w1, MESSAGE + b'QUIT\r\n')
os.close(w1)
sys.stdout.buffer.write(p.stdout.read())
while got := os.read(r2, 65536):
    sys.stdout.buffer.write(got)
sys.exit(p.wait())
