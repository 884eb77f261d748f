"""The messages of two public corpora, placed into a Maildir as they are:
FETCH BODYSTRUCTURE and BINARY[] against what stands beside each message.

usage: parsed.py mime4j|mail-parser FOLDER MAILDIR

Prints a line for each message: "same NAME", or "STRUCTURE NAME" or "TEXT
NAME", with what differs when V is in the environment.
"""

import codecs
import json
import os
import re
import sys

from client import Session
from corpus import dict_of, parse


def responses(s, command):
    """FETCH items of one message, as bytes."""
    s.send("x " + command)
    out = b""
    while True:
        line = s.p.stdout.readline()
        assert line, "the session has ended"
        m = re.search(rb"\{(\d+)\}\r\n$", line)
        if line.startswith(b"x "):
            assert b" OK " in line or b"UNKNOWN-CTE" in line, line
            return dict_of(parse(out.replace(b"~{", b"{"), out.index(b"("))[0])
        out += line
        if m:
            out += s.p.stdout.read(int(m.group(1)))


def tree(body, number="", inner=False):
    """[kind, number, type, charset, children, size]"""
    if isinstance(body[0], list):
        n, parts = 0, []
        while isinstance(body[n], list):
            parts.append(tree(body[n], f"{number}.{n + 1}".lstrip(".")))
            n += 1
        return ["multi", number, b"multipart", None, parts]
    number = number or "1"
    if inner:
        number += ".1"
    kind = (body[0] + b"/" + body[1]).lower()
    if kind in (b"message/rfc822", b"message/global") and len(body) > 9:
        child = body[8]
        one = not isinstance(child[0], list)
        return ["message", number, kind, None, [tree(child, number, one)]]
    params = body[2] if isinstance(body[2], list) else []
    params = {params[i].lower(): params[i + 1]
              for i in range(0, len(params), 2)}
    return ["leaf", number, kind, params.get(b"charset"), [], int(body[6])]


def shape(t):
    if t[0] == "leaf":
        return "leaf"
    return [t[0], *[shape(c) for c in t[4]]]


def drop_empty(t, want):
    """IMAP's grammar wants a part, if an empty one, where there is none."""
    if want == ["multi"] and len(t[4]) == 1 and t[4][0][5:] == [0]:
        t[4] = []
    for child, w in zip(t[4], want[1:]):
        drop_empty(child, w)


def leaves(t):
    if t[0] == "leaf":
        yield t
    for c in t[4]:
        yield from leaves(c)


# What mime4j says: elements of XML that is not always well-formed.

def mime4j(path):
    text = open(path[:-4] + "_decoded.xml", "rb").read()
    text = re.sub(rb"(?s)<(header|preamble|epilogue)>.*?</\1>", b"", text)
    stack = [["root"]]
    names = []
    for m in re.finditer(
            rb"<(/?)(message|multipart|text-body|binary-body)"
            rb"(?: name=\"([^\"]*)\")?\s*/?>", text):
        close, tag, name = m.groups()
        if name is not None:
            stack[-1].append("leaf")
            names.append(name.decode())
        elif close:
            done = stack.pop()
            stack[-1].append(done)
        else:
            stack.append(["multi" if tag == b"multipart" else "message"])
    top = stack[0][1]
    want = top[1] if len(top) > 1 else "leaf"
    texts = []
    for n in names:
        with open(os.path.join(os.path.dirname(path), n), "rb") as f:
            texts.append((None, f.read()))
    return want, texts


# What mail-parser says: a list of parts that name their children.

def mail_parser(path):
    with open(path[:-4] + ".json", encoding="utf-8") as f:
        return json_message(json.load(f))


def json_message(j):
    texts = []

    def walk(i):
        body = j["parts"][i]["body"]
        (kind, value), = body.items()
        if kind == "Multipart":
            return ["multi", *[walk(k) for k in value]]
        if kind == "Message":
            inner, more = json_message(value)
            texts.extend(more)
            return ["message", inner]
        if kind in ("Text", "Html"):
            texts.append(("utf-8", value.encode()))
        else:
            texts.append((None, bytes(value)))
        return "leaf"

    return walk(0), texts


def plain(b):
    """Line ends and blanks at the end of all are a matter of taste."""
    b = re.sub(rb"\r*\n", b"\n", b).strip()
    return re.sub(rb"(\xef\xbf\xbd)+", b"\xef\xbf\xbd", b)


def same_text(mine, leaf, charset, theirs):
    if plain(mine) == plain(theirs):
        return True
    if charset is None and not leaf[2].startswith(b"text/"):
        return False
    name = (leaf[3] or b"us-ascii").decode("latin-1")
    for cs in name, "utf-8", "windows-1252", "latin-1":
        for errors in "strict", "replace":
            try:
                codecs.lookup(cs)
                text = mine.decode(cs, errors).encode("utf-8", "replace")
            except (LookupError, UnicodeError):
                continue
            if plain(text.lstrip(b"\xef\xbb\xbf")) == \
                    plain(theirs.lstrip(b"\xef\xbb\xbf")):
                return True
    return False


def one(s, number, path, read):
    want, texts = read(path)
    got = responses(s, f"FETCH {number} BODYSTRUCTURE")
    mine = tree(got[b"BODYSTRUCTURE"])
    drop_empty(mine, want)
    if shape(mine) != want:
        return "STRUCTURE", (shape(mine), want)
    for leaf, (charset, theirs) in zip(leaves(mine), texts):
        item = f"BINARY.PEEK[{leaf[1]}]"
        got = responses(s, f"FETCH {number} {item}")
        text = got[f"BINARY[{leaf[1]}]".encode()]
        if text == b"NIL":  # an encoding that nobody decodes
            got = responses(s, f"FETCH {number} BODY.PEEK[{leaf[1]}]")
            text = got[f"BODY[{leaf[1]}]".encode()]
        if not same_text(text, leaf, charset, theirs):
            return "TEXT", (leaf, text[:300], theirs[:300])
    return "same", ()


def main():
    kind, folder, maildir = sys.argv[1:4]
    read = {"mime4j": mime4j, "mail-parser": mail_parser}[kind]
    paths = []
    for root, _, names in os.walk(folder):
        paths += [os.path.join(root, n) for n in names
                  if n.endswith((".msg", ".eml"))]
    paths.sort()
    for d in "cur", "new", "tmp":
        os.makedirs(f"{maildir}/{d}")
    for i, path in enumerate(paths):
        with open(path, "rb") as f, \
                open(f"{maildir}/cur/{i + 1000}.M{i}.h:2,", "wb") as to:
            to.write(f.read())
    s = Session(maildir)
    s("SELECT INBOX")
    for i, path in enumerate(paths):
        result, why = one(s, i + 1, path, read)
        print(result, os.path.relpath(path, folder))
        if os.environ.get("V") and why:
            for x in why:
                print("   ", x)
    s.close()


main()
