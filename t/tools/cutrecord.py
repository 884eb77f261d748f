"""A run of programs below a folder, recorded call by call.

Tree is a file system of inodes; Record reads the log of strace into
operations on one: add, del, ren, data, trunc, sync, fail, which is a sync that
failed, and say, which is what the client was told.
"""
import hashlib
import os
import re
import subprocess

CALLS = ("openat,open,creat,write,pwrite64,writev,pwritev,rename,renameat,"
         "renameat2,link,linkat,unlink,unlinkat,mkdir,mkdirat,rmdir,"
         "ftruncate,truncate,fsync,fdatasync,close,dup,dup2,dup3,lseek,"
         "sendfile,copy_file_range,splice,fallocate,symlink,symlinkat")


class Tree:
    """Inodes: a folder is a dict of names, a file a bytearray."""

    def __init__(self):
        self.node = {0: {}}
        self.next = 1

    def load(self, path, ino=0):
        for name in sorted(os.listdir(path)):
            p = os.path.join(path, name)
            i = self.new(os.path.isdir(p))
            self.node[ino][name] = i
            if os.path.isdir(p):
                self.load(p, i)
            else:
                self.node[i] = bytearray(open(p, "rb").read())

    def new(self, folder):
        i = self.next
        self.next += 1
        self.node[i] = {} if folder else bytearray()
        return i

    def copy(self):
        t = Tree()
        t.node = {i: dict(n) if isinstance(n, dict) else bytearray(n)
                  for i, n in self.node.items()}
        t.next = self.next
        return t

    def find(self, path):
        """(folder, name, inode or None) of a path of the top."""
        ino, parts = 0, [p for p in path.split("/") if p not in ("", ".")]
        if not parts:
            return None, "", 0
        for p in parts[:-1]:
            ino = self.node[ino][p]
        return ino, parts[-1], self.node[ino].get(parts[-1])

    def apply(self, op, lost=False, zeros=False, half=None):
        """half: only the first half of data was written (0), or the
        second (1)."""
        kind = op[0]
        if kind == "add" and op[4]:
            self.node.setdefault(op[3], {})
        if lost:
            return
        if kind == "add":
            self.node.setdefault(op[3], {} if op[4] else bytearray())
            self.node[op[1]][op[2]] = op[3]
        elif kind == "del":
            self.node[op[1]].pop(op[2], None)
        elif kind == "ren":
            if self.node[op[1]].get(op[2]) == op[5]:
                del self.node[op[1]][op[2]]
            self.node[op[3]][op[4]] = op[5]
        elif kind == "data":
            f, at, b = self.node.setdefault(op[1], bytearray()), op[2], op[3]
            f.extend(b"\0" * (at - len(f)))
            if half is not None and len(f) >= at + len(b):
                b, at = ((b[:len(b) // 2], at) if half == 0 else
                         (b[len(b) // 2:], at + len(b) // 2))
            f[at:at + len(b)] = b"\0" * len(b) if zeros else b
        elif kind == "trunc":
            f = self.node.setdefault(op[1], bytearray())
            del f[op[2]:]
            f.extend(b"\0" * (op[2] - len(f)))

    def write(self, path, ino=0):
        os.makedirs(path, exist_ok=True)
        for name, i in self.node[ino].items():
            n, p = self.node.get(i, bytearray()), os.path.join(path, name)
            if isinstance(n, dict):
                self.write(p, i)
            else:
                with open(p, "wb") as f:
                    f.write(n)

    def digest(self):
        h = hashlib.sha256()

        def walk(ino, path):
            for name, i in sorted(self.node[ino].items()):
                n = self.node.get(i, bytearray())
                h.update(f"{path}/{name}\0".encode())
                if isinstance(n, dict):
                    walk(i, f"{path}/{name}")
                else:
                    h.update(hashlib.sha256(n).digest())
        walk(0, "")
        return h.digest()


def unhex(s):
    return bytes.fromhex(s.replace("\\x", ""))


class Record:
    """The operations of a run below a folder, from the log of strace."""

    def __init__(self, base):
        self.base = os.path.realpath(base)
        self.first = Tree()
        self.first.load(self.base)
        self.now = self.first.copy()
        self.ops = []
        self.at = {}      # (pid, fd): offset

    def path(self, cwd, s):
        p = os.path.normpath(os.path.join(cwd, s))
        if p == self.base or p.startswith(self.base + "/"):
            return p[len(self.base):]
        return None

    def op(self, *op):
        self.ops.append(op)
        self.now.apply(op)

    def read(self, log):
        part = {}
        for line in open(log, errors="replace"):
            pid, rest = line.rstrip("\n").split(None, 1)
            if rest.endswith("<unfinished ...>"):
                part[pid] = rest[:-len("<unfinished ...>")].rstrip()
                continue
            m = re.match(r"<\.\.\. \w+ resumed>\s*(.*)", rest)
            if m:
                rest = part.pop(pid, "") + m.group(1)
            m = re.match(r"(\w+)\((.*)\)\s*= (-?\d+)", rest)
            if m and (int(m.group(3)) >= 0
                      or m.group(1) in ("fsync", "fdatasync")):
                self.call(pid, m.group(1), m.group(2), int(m.group(3)))

    def call(self, pid, name, args, r):
        a = re.findall(r'AT_FDCWD<[^>]*>|"[^"]*"|\d+<[^>]*>|[^,\s]+', args)
        fd = [re.match(r"(\d+|AT_FDCWD)<([^>]*)>", x) for x in a]
        where = [os.fsdecode(unhex(m.group(2))) if m else None for m in fd]
        text = [unhex(x[1:-1]) if x.startswith('"') else b"" for x in a]
        cwd = where[0] if where and where[0] else os.getcwd()
        if name in ("openat", "open", "creat"):
            i = 1 if name == "openat" else 0
            self.opened(pid, r, self.path(cwd, os.fsdecode(text[i])), args)
        elif name in ("mkdirat", "mkdir"):
            p = self.path(cwd, os.fsdecode(text[name == "mkdirat"]))
            if p is not None:
                d, n, _ = self.now.find(p)
                self.op("add", d, n, self.now.new(True), True)
        elif name in ("rename", "renameat", "renameat2", "link", "linkat"):
            self.named(name, a, where, text, cwd)
        elif name in ("unlink", "unlinkat", "rmdir"):
            p = self.path(cwd, os.fsdecode(text[name == "unlinkat"]))
            if p is not None:
                d, n, _ = self.now.find(p)
                self.op("del", d, n)
        elif name in ("write", "pwrite64"):
            self.wrote(pid, name, a, fd, where, text[1][:r])
        elif name == "lseek":
            self.at[pid, fd[0].group(1)] = r
        elif name in ("ftruncate", "fsync", "fdatasync"):
            ino = self.inode(where[0])
            if ino is not None and name == "ftruncate":
                self.op("trunc", ino, int(a[1]))
            elif ino is not None:
                self.op("sync" if r == 0 else "fail", ino,
                        self.path("/", where[0]))
        elif name not in ("close", "dup", "dup2", "dup3"):
            for w in where:
                if w is not None and self.path("/", w) is not None:
                    raise SystemExit(f"powercut: {name} is not understood")

    def inode(self, path):
        p = self.path("/", path.removesuffix(" (deleted)"))
        if p is None or path.endswith(" (deleted)"):
            return None
        return self.now.find(p)[2]

    def opened(self, pid, fd, p, args):
        self.at[pid, str(fd)] = 0
        if p is None:
            return
        d, n, ino = self.now.find(p)
        if ino is None and "O_CREAT" in args:
            self.op("add", d, n, self.now.new(False), False)
        elif "O_TRUNC" in args and len(self.now.node[ino]) > 0:
            self.op("trunc", ino, 0)

    def named(self, name, a, where, text, cwd):
        if name in ("rename", "link"):
            old, new = text[0], text[1]
            oldcwd = newcwd = cwd
        else:
            old, new = text[1], text[3]
            oldcwd, newcwd = where[0], where[2]
        p, q = (self.path(c, os.fsdecode(s))
                for c, s in ((oldcwd, old), (newcwd, new)))
        if p is None and q is None:
            return
        d, n, ino = self.now.find(p)
        e, m, _ = self.now.find(q)
        if name.startswith("link"):
            self.op("add", e, m, ino, False)
        else:
            self.op("ren", d, n, e, m, ino)

    def wrote(self, pid, name, a, fd, where, data):
        key = pid, fd[0].group(1)
        ino = self.inode(where[0])
        if ino is None:
            if key[1] == "1":
                self.ops.append(("say", data))
            return
        if name == "pwrite64":
            at = int(a[3])
        else:
            at = self.at.get(key, len(self.now.node[ino]))
            self.at[key] = at + len(data)
        self.op("data", ino, at, data)


    def strace_begin(self, argv, **how):
        self.log = self.base + ".log"
        cmd = ["strace", "-f", "-y", "-xx", "-s", "10000000", "-o", self.log,
               "-e", "trace=" + CALLS] + argv
        return subprocess.Popen(cmd, stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, **how)

    def strace_end(self):
        self.read(self.log)
        os.unlink(self.log)

    def strace(self, argv, text, **how):
        with self.strace_begin(argv, **how) as p:
            p.communicate(text)
        if p.returncode != 0:
            raise SystemExit(f"powercut: {argv[0]} ended with {p.returncode}")
        self.strace_end()
