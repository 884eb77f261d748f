#!/usr/bin/env bats
#
# mimapd(8): COMPRESS=DEFLATE (RFC 4978).

load lib
load imap

@test "after the OK both ways are compressed, a byte at a time too" {
	py <<'E'
from client import Compressed
for step in 1, 7, 100000:
    a = Compressed()
    assert "COMPRESS=DEFLATE" in a("CAPABILITY")[0]
    a("COMPRESS LZW", "BAD")
    a("COMPRESS", "BAD")
    a("COMPRESS DEFLATE")
    a.compress(step)
    assert "COMPRESS" not in a("CAPABILITY")[0]
    a("COMPRESS DEFLATE", "NO [COMPRESSIONACTIVE]")
    a("SELECT INBOX")
    a.append(3, text="Subject: {}\r\n\r\n" + "line of it\r\n" * 5000)
    got = a("FETCH 1:2 (BODY.PEEK[TEXT])")
    assert len(got) == 2 and len(got[0]) > 60000
    plain, wire = a.plain, a.wire
    assert wire < plain / 10, (wire, plain)
    # told as it happens, with a flush
    a.send("x IDLE")
    assert a.until("+ ")
    b = Compressed()
    b.append(1)
    assert a.until("* ")[-1].endswith("EXISTS")
    a.send("DONE")
    a.until("x OK")
    got = a("LOGOUT")
    assert got[-1].startswith("* BYE"), got
    assert a.rest() == b""
    assert a.p.wait() == 0
E
}

@test "what comes behind the command in one write is compressed already" {
	py <<'E'
from client import Compressed
a = Compressed()
import zlib
z = zlib.compressobj(6, zlib.DEFLATED, -15)
more = z.compress(b"y NOOP\r\nz NOOP\r\n") + z.flush(zlib.Z_SYNC_FLUSH)
a.p.stdin.write(b"x COMPRESS DEFLATE\r\n" + more)
a.p.stdin.flush()
a.until("x OK")
a.compress(1, z)
a.until("y OK")
a.until("z OK")
a("NOOP")
# a burst is split where no byte ends: nothing is lost, nobody waits for it
part = z.compress(b"w NOOP\r\n") + z.flush(zlib.Z_PARTIAL_FLUSH)
a.raw(part)
a.until("w OK")
# larger than any buffer
many = z.compress(b"v NOOP\r\n" * 20000) + z.flush(zlib.Z_SYNC_FLUSH)
a.raw(many)
for i in range(20000):
    assert a.line() == "v OK NOOP completed"
a("NOOP")
E
}

@test "what is not compressed, damaged or a bomb ends the session with BYE" {
	py <<'E'
from client import Compressed
import os, zlib
for bad in b"x NOOP\r\n" * 20, b"\xff" * 50:
    a = Compressed()
    a("COMPRESS DEFLATE")
    a.compress(1000)
    a.raw(bad)
    assert a.line().startswith("* BYE")
    assert a.rest() == b"" and a.p.wait() == 0
a = Compressed()
a("COMPRESS DEFLATE")
a.compress(100)
z = a.z
bomb = z.compress(b"x APPEND INBOX {900000000+}\r\n")
for i in range(100):
    bomb += z.compress(b"\0" * 1000000)
bomb += z.flush(zlib.Z_SYNC_FLUSH)
try:
    a.raw(bomb)
except BrokenPipeError:
    pass
assert a.until("* BYE") and a.p.wait() == 0
assert os.listdir("box/tmp") == []
# a message that only compresses well is none
a = Compressed()
a("COMPRESS DEFLATE")
a.compress(100000)
m = "Subject: x\r\n\r\n" + "0123456789abcdefghijklmnopqrstuvwxyz\r\n" * 300000
a(f"APPEND INBOX {{{len(m)}+}}\r\n{m}")
E
}
