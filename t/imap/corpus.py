"""Every message of a folder through APPEND, ENVELOPE, BODYSTRUCTURE and each
part, compared with what Python's email package and plain counting say.

usage: corpus.py FOLDER MAILDIR
"""

import email
import email.policy
import imaplib
import os
import re
import sys


def parse(s, i=0):
    """The value of an IMAP response at s[i:], and where it ends."""
    while s[i:i + 1] == b" ":
        i += 1
    if s[i:i + 1] == b"(":
        out, i = [], i + 1
        while True:
            while s[i:i + 1] == b" ":
                i += 1
            if s[i:i + 1] == b")":
                return out, i + 1
            v, i = parse(s, i)
            out.append(v)
    if s[i:i + 1] == b'"':
        j = i + 1
        while s[j:j + 1] != b'"':
            j += 2 if s[j:j + 1] == b"\\" else 1
            assert j < len(s), "unfinished string"
        return s[i + 1:j], j + 1
    if s[i:i + 1] == b"{":
        j = s.index(b"}", i)
        n = int(s[i + 1:j])
        assert s[j + 1:j + 3] == b"\r\n", s[j:j + 10]
        return s[j + 3:j + 3 + n], j + 3 + n
    m = re.match(rb"[^ ()]+", s[i:])
    assert m, s[i:i + 20]
    return m.group(), i + m.end()


def leaves(body, number=""):
    """Part numbers with sizes, as BODYSTRUCTURE has them."""
    if isinstance(body[0], list):
        n = 0
        for part in body:
            if not isinstance(part, list):
                break
            n += 1
            yield from leaves(part, f"{number}{n}.")
        return
    yield (number + "1." if number == "" else number)[:-1], body
    if body[0].lower() == b"message" and body[1].lower() == b"rfc822":
        inner = body[8]
        prefix = number or "1."
        if isinstance(inner[0], list):
            yield from leaves(inner, prefix)
        else:
            yield from leaves(inner, prefix + "1.")


def brief(body):
    """BODY, of a BODYSTRUCTURE."""
    if isinstance(body[0], list):
        n = next(i for i, p in enumerate(body) if not isinstance(p, list))
        return [*map(brief, body[:n]), body[n]]
    if isinstance(body[7], list):
        return [*body[:8], brief(body[8]), body[9]]
    return body[:8] if body[0].lower() == b"text" else body[:7]


def fetch(c, uid, what):
    c.send(b"x UID FETCH %d %s\r\n" % (uid, what.encode()))
    out = b""
    while True:
        line = c.readline()
        assert line, "the server has gone"
        out += line
        m = re.search(rb"\{(\d+)\}\r\n$", line)
        if m:
            out += c.read(int(m.group(1)))
            continue
        if line.startswith(b"x "):
            assert line.startswith(b"x OK"), line
            break
    i = out.index(b"(")
    return dict_of(parse(out, i)[0]), out


def dict_of(items):
    return {items[i].upper(): items[i + 1] for i in range(0, len(items), 2)}


def append(c, raw):
    c.send(b"x APPEND INBOX {%d+}\r\n%s\r\n" % (len(raw), raw))
    while True:
        line = c.readline()
        assert line, "the server has gone"
        if line.startswith(b"x "):
            return int(re.search(rb"OK \[APPENDUID \d+ (\d+)", line).group(1))


def one(c, path):
    raw = open(path, "rb").read()
    raw = re.sub(rb"\r*\n", b"\r\n", raw)
    uid = append(c, raw)
    if raw.endswith(b"\r"):
        raw += b"\n"
    if not raw.endswith(b"\n"):
        raw += b"\r\n"
    raw = raw.replace(b"\0", b"\x80")
    got, _ = fetch(c, uid, "(RFC822.SIZE ENVELOPE BODY BODYSTRUCTURE "
                           "BODY.PEEK[])")
    assert got[b"BODY[]"] == raw, "BODY[] differs"
    assert int(got[b"RFC822.SIZE"]) == len(raw)
    assert len(got[b"ENVELOPE"]) == 10
    assert got[b"BODY"] == brief(got[b"BODYSTRUCTURE"])
    for number, part in leaves(got[b"BODYSTRUCTURE"]):
        got2, _ = fetch(c, uid, f"(BODY.PEEK[{number}] "
                                f"BODY.PEEK[{number}.MIME])")
        text = got2[b"BODY[%s]" % number.encode()]
        assert len(text) == int(part[6]), (number, len(text), part)
        assert text in raw
        if part[0].lower() == b"text" or part[1].lower() == b"rfc822":
            lines = part[7] if part[0].lower() == b"text" else part[9]
            assert text.count(b"\n") == int(lines), (number, part)
        again, _ = fetch(c, uid, f"BODY.PEEK[{number}]<3.50>")
        assert again[b"BODY[%s]<3>" % number.encode()] == text[3:53]
    return structure(got[b"BODYSTRUCTURE"]), raw


def structure(body):
    if isinstance(body[0], list):
        parts = [structure(p) for p in body if isinstance(p, list)
                 and p and (isinstance(p[0], list) or len(p) > 6)]
        return ["multipart", *parts]
    if body[0].lower() == b"message" and body[1].lower() == b"rfc822":
        return ["message", structure(body[8])]
    return "leaf"


def python_structure(m):
    if m.is_multipart() and m.get_content_maintype() == "message":
        return ["message", python_structure(m.get_payload(0))]
    if m.is_multipart():
        return ["multipart", *[python_structure(p) for p in m.get_payload()]]
    return "leaf"


def main():
    folder, maildir = sys.argv[1:3]
    c = imaplib.IMAP4_stream(f"mimapd -p {maildir} 2>/dev/null")
    c.select("INBOX")
    n = same = 0
    for root, _, names in os.walk(folder):
        for name in sorted(names):
            if not name.endswith((".msg", ".eml")):
                continue
            path = os.path.join(root, name)
            try:
                mine, raw = one(c, path)
            except Exception:
                print("in", path)
                raise
            n += 1
            theirs = python_structure(
                email.message_from_bytes(raw, policy=email.policy.compat32))
            if mine == theirs:
                same += 1
            elif os.environ.get("V"):
                print(name, mine, theirs)
    c.logout()
    print(n, same)


if __name__ == "__main__":
    main()
