#!/usr/bin/env bats
#
# mimapd(8): a Maildir, as mail clients see it.

load lib
load imap

# A message of Maildir ./box, by hand.
drop() {
	mkdir -p box/tmp box/new box/cur
	cat >"box/new/$1"
}

@test "-V prints the version" {
	run -0 mimapd -V
	[[ $output == "mimapd "* ]]
}

@test "wrong usage is one line and 64" {
	for args in -x "a b" "-p a b" -c; do
		run -64 mimapd $args
		[ "$output" = "usage: mimapd [-pV] [-c dir] [maildir]" ]
	done
}

@test "without a login and without -p it serves nobody" {
	run -64 mimapd box
	[ "${#lines[@]}" = 1 ]
	[[ $output == "mimapd: nobody has logged in"* ]]
	[ ! -e box ]
}

@test "a record of another format is put off" {
	run -75 bash -c 'exec 5< <(echo pneu-session 99); PNEU_SESSION=5 mimapd'
	[[ $output == *"* BYE "* ]]
	[[ $output == *"session record"* ]]
}

@test "after a login it answers the command of the login, and reads on" {
	unread=$(printf 'b NOOP\r\nc LOG')x
	unread=${unread%x}
	printf '%s\n' 'pneu-session 1' 'login alice@example.test' \
		'service imap' 'mech PLAIN' 'label ' 'tls ' \
		'conn 01234567890abc' 'state 3' "unread ${#unread}" '' >record
	printf 'A.1%s' "$unread" >>record
	export MAILDIR=$PWD/box
	run -0 --separate-stderr bash -c 'exec 5< <(cat record); printf "OUT\r\n" |
		PNEU_SESSION=5 mimapd | tr -d "\r"'
	[[ ${lines[0]} == "A.1 OK [CAPABILITY IMAP4rev1 "*"] Logged in" ]]
	[ "${lines[1]}" = "b OK NOOP completed" ]
	[ "${lines[3]}" = "c OK Logout completed" ]
	[ "$stderr" = "mimapd close conn=01234567890abc user=alice@example.test svc=imap n=2" ]
}

@test "the line at the end names the peer, and no user where none is known" {
	run -0 --separate-stderr env -u USER PROTO=TCP TCPREMOTEIP=192.0.2.7 \
		TCPREMOTEPORT=99 mimapd -p box < <(printf 'a LOGOUT\r\n')
	[[ $stderr =~ ^"mimapd close conn="[0-9a-z]{14}" peer=192.0.2.7 svc=imap n=1"$ ]]
}

@test "a Maildir that can't be made is one line and 75" {
	: >file
	run -75 --separate-stderr mimapd -p file/box
	[ "${#stderr_lines[@]}" = 1 ]
	[[ $stderr == "mimapd: file/box: "* ]]
}

@test "with no configuration at all it serves ~/Maildir" {
	run -0 env -i HOME="$HOME" PATH="$PATH" \
		sh -c 'printf "a LOGOUT\r\n" | mimapd -p'
	[[ $output == "* PREAUTH [CAPABILITY IMAP4rev1 "* ]]
	[ -d Maildir/cur ]
}

@test "conversations of real clients go as written, whole and a byte at a time" {
	for f in "$ROOT"/t/imap/*.txt; do
		for mode in whole bytes; do
			rm -rf box
			play "$mode" "$f" box
		done
	done
}

@test "a session ends with one line of the log" {
	say "a NOOP" "b LOGOUT"
	run -0 grep -c "mimapd close " log
	[ "$output" = 1 ]
	grep -q 'svc=imap n=2' log
}

@test "end of input without LOGOUT is an end too" {
	say "a NOOP"
	grep -q "mimapd close " log
}

@test "literals that are too large are not asked for" {
	run -0 say "a SELECT {9000}" "b APPEND INBOX {99999999999}" "c NOOP"
	[[ $output == *"a BAD Literal too large"* ]]
	[[ $output == *"b NO [TOOBIG]"* ]]
	[[ $output != *$'\n+ '* ]]
	[[ $output == *"c OK"* ]]
}

@test "a message that is sent unasked and refused is passed over" {
	run -0 say "a APPEND none {8+}" "b LOGOUT" "c NOOP"
	[[ $output == *"a NO [TRYCREATE]"* ]]
	[[ $output != *"b OK"* ]]
	[[ $output == *"c OK"* ]]
}

@test "no text of a client can make a response" {
	run -0 say 'a SELECT {14+}' $'x\r\na OK faked\r' 'b STATUS "x"y (MESSAGES)' \
		'c CREATE {3+}' $'\x01\x02\x03'
	[[ $output != *$'\na OK faked'* ]]
	[[ $output == *"c NO [CANNOT]"* ]]
}

@test "what other programs do shows at the next command" {
	drop 1.a.host <<<$'Subject: a\n\nb'
	drop 2.b.host <<<$'Subject: c\n\nd'
	run -0 python3 - <<'E'
import glob, imaplib, os
c = imaplib.IMAP4_stream("mimapd -p box 2>/dev/null")
assert c.select() == ("OK", [b"2"])
first = sorted(glob.glob("box/cur/1.a*"))[0]
os.rename(first, first.split(":")[0] + ":2,FS")
open("box/new/3.c.host", "w").write("Subject: e\n\nf\n")
os.remove(glob.glob("box/cur/2.b*")[0])
c.noop()
assert c.untagged_responses["EXPUNGE"] == [b"2"], c.untagged_responses
assert c.untagged_responses["EXISTS"][-1] == b"2", c.untagged_responses
assert b"\\Flagged" in c.untagged_responses["FETCH"][0]
print(c.fetch("1:*", "(UID)"))
E
	[[ $output == *"UID 1"*"UID 3"* ]]
}

@test "a message that another expunged keeps its number until it may go" {
	drop 1.a.host <<<$'Subject: a\n\nb'
	drop 2.b.host <<<$'Subject: c\n\nd'
	run -0 python3 - <<'E'
import glob, imaplib, os
c = imaplib.IMAP4_stream("mimapd -p box 2>/dev/null")
c.select()
os.remove(glob.glob("box/cur/1.a*")[0])
typ, data = c.fetch("1", "(BODY.PEEK[])")
assert typ == "NO" and b"EXPUNGEISSUED" in data[0], (typ, data)
assert "EXPUNGE" not in c.untagged_responses
typ, data = c.fetch("2", "(BODY.PEEK[HEADER])")
assert typ == "OK" and b"Subject: c" in data[0][1], data
c.noop()
assert c.untagged_responses["EXPUNGE"] == [b"1"]
E
}

@test "IDLE tells of a new message at once, and SIGTERM says BYE" {
	run -0 python3 - 3>&- <<'E'
import os, signal, subprocess, time
signal.alarm(240)
p = subprocess.Popen(["mimapd", "-p", "box"], stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
def say(s):
    p.stdin.write(s + b"\r\n"); p.stdin.flush()
def wait(s):
    while True:
        line = p.stdout.readline()
        assert line, "closed before " + repr(s)
        if s in line:
            return
wait(b"PREAUTH")
say(b"a SELECT INBOX"); wait(b"a OK")
say(b"b IDLE"); wait(b"+ ")
start = time.monotonic()
open("box/tmp/x", "w").write("Subject: x\n\ny\n")
os.rename("box/tmp/x", "box/new/9.x.host")
wait(b"* 1 EXISTS")
assert time.monotonic() - start < 20
say(b"DONE"); wait(b"b OK")
p.send_signal(signal.SIGTERM)
wait(b"* BYE Server is shutting down")
assert p.wait(60) == 0
E
}

# Sessions whose IDLE has nothing to tell.
still() {
	export PNEU_CONF=$PWD/conf
	run -0 env PYTHONPATH="$ROOT/t/imap" python3 - 3>&-
}

@test "IDLE says that it is still there, again and again" {
	mkdir conf
	echo 'imap-still 1' >conf/limits
	still <<'E'
import time
from client import Session
for select in True, False:
    a = Session()
    if select:
        a("SELECT INBOX")
    start = time.monotonic()
    a.send("i IDLE")
    assert a.line() == "+ idling"
    assert [a.line(), a.line()] == ["* OK Still here"] * 2
    assert 1.9 < time.monotonic() - start < 60
    if select:
        Session().append()
        a.until("* 1 EXISTS")
        a.until("* OK Still here")
    a.send("done")
    assert a.until("i ")[-1] == "i OK Idle completed"
    assert not a("NOOP")
E
}

@test "IDLE says so after two minutes, and never where that is 0" {
	grep -q '	TIME_IMAP_STILL = 120,' "$ROOT/lib/base/limits.h"
	mkdir conf
	for limit in 0 120; do
		echo "imap-still $limit" >conf/limits
		still <<'E'
import select
from client import Session
a = Session()
a("SELECT INBOX")
a.send("i IDLE")
a.until("+ ")
assert select.select([a.p.stdout], [], [], 1.5)[0] == []
a.send("DONE")
assert a.line() == "i OK Idle completed"
E
	done
}

@test "IDLE gives back the memory that an answer took" {
	[[ $BUILD != *san* ]] || skip "the sanitizers need more"
	[ -r /proc/self/smaps_rollup ] || skip "there is no smaps_rollup"
	mkdir -p box/tmp box/new box/cur
	for i in {1..400}; do
		printf 'Subject: %s\n\nhi\n' $i >"box/cur/17000$i.x.host:2,S"
	done
	run -0 python3 - 3>&- <<'E'
import signal, subprocess
signal.alarm(240)
p = subprocess.Popen(["mimapd", "-p", "box"], stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
def ask(s, until):
    p.stdin.write(s + b"\r\n"); p.stdin.flush()
    while until not in p.stdout.readline():
        pass
def private():
    with open("/proc/%d/smaps_rollup" % p.pid) as f:
        return sum(int(l.split()[1]) for l in f if l.startswith("Private_Dirty"))
ask(b"a SELECT INBOX", b"a OK")
ask(b"b FETCH 1:* (ENVELOPE BODYSTRUCTURE)", b"b OK")
busy = private()
ask(b"c IDLE", b"+ ")
ask(b"DONE", b"c OK")
idle = private()
print(busy, idle)
assert idle <= busy - 100, (busy, idle)
ask(b"d FETCH 1:* (ENVELOPE)", b"d OK")
p.stdin.close()
assert p.wait() == 0
E
}

@test "what APPEND stored is what FETCH gives, bare CR and LF, NUL, 8-bit" {
	run -0 python3 - <<'E'
import imaplib
c = imaplib.IMAP4_stream("mimapd -p box 2>/dev/null")
c.select()
text = b"A: b\r\n\r\n.\r\nFrom x\r\na\rb\r\n\xff\x00\xfe \r\n" + b"x" * 70000
c.send(b"x APPEND INBOX {%d+}\r\n%s\r\n" % (len(text), text))
while not c.readline().startswith(b"x OK"):
    pass
typ, data = c.fetch("1", "(RFC822.SIZE BODY.PEEK[])")
want = text.replace(b"\0", b"\x80") + b"\r\n"
assert data[0][1] == want, data[0][0]
assert b"RFC822.SIZE %d " % len(want) in data[0][0], data[0][0]
got, at = b"", 0
while True:
    typ, data = c.fetch("1", "(BODY.PEEK[]<%d.1000>)" % at)
    piece = data[0][1] if isinstance(data[0], tuple) else b""
    got += piece
    at += 1000
    if not piece:
        break
assert got == want
E
}

@test "every message of the corpus has a structure whose parts can be read" {
	data=$ROOT/../shared/data/mime
	[ -d "$data" ] || skip "no corpus here"
	run -0 python3 "$ROOT/t/imap/corpus.py" "$data" box 3>&-
	read -r n same <<<"${lines[-1]}"
	[ "$n" -ge 160 ]
	[ "$same" -ge 140 ]
}

@test "a message of 200 MB passes in constant memory" {
	run -0 python3 - 3>&- <<'E'
import subprocess
p = subprocess.Popen(["mimapd", "-p", "box"], stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
line = b"x" * 998 + b"\r\n"
n = 200000
p.stdin.write(b"a APPEND INBOX {%d+}\r\n" % (14 + n * 1000))
p.stdin.write(b"Subject: x\r\n\r\n")
for i in range(n):
    p.stdin.write(line)
p.stdin.write(b"\r\nb SELECT INBOX\r\nc FETCH 1 (BODYSTRUCTURE BODY[])\r\n")
p.stdin.flush()
got = 0
while True:
    s = p.stdout.readline()
    assert s
    if s.startswith(b"* 1 FETCH"):
        size = int(s[s.rindex(b"{") + 1:s.rindex(b"}")])
        while got < size:
            got += len(p.stdout.read(min(65536, size - got)))
    if s.startswith(b"c "):
        assert s.startswith(b"c OK"), s
        break
rss = [int(x.split()[1]) for x in open(f"/proc/{p.pid}/status")
       if x.startswith("VmHWM")][0]
p.stdin.close()
print(size, rss)
assert size == 14 + n * 1000 and rss < 16384, rss
E
}

@test "limits are answered, and the session goes on" {
	drop 1.a.host <<<$'Subject: a\n\nb'
	run -0 say "a SELECT INBOX" \
		"b SEARCH $(printf 'SEEN %.0s' $(seq 1001))" \
		"c SEARCH $(printf '(%.0s' $(seq 40))SEEN$(printf ')%.0s' $(seq 40))" \
		"d SEARCH $(printf 'NOT %.0s' $(seq 900))SEEN" \
		"e LIST \"\" $(head -c 70000 /dev/zero | tr '\0' x)" \
		"g STORE 1 +FLAGS (\$a $(printf 'word%.0s ' $(seq 4000)) \$b)" \
		"h STORE 1 +FLAGS.SILENT (\$a)" \
		"f NOOP"
	[[ $output == *"b BAD Too many search keys"* ]]
	[[ $output == *"c BAD "* ]]
	[[ $output == *"d BAD Too many search keys"* ]]
	[[ $output == *"e BAD Command line too long"* ]]
	[[ $output == *"g BAD Too many flags"* ]]
	[[ $output == *"h OK"* ]]
	[[ $output == *"f OK"* ]]
}

@test "twenty bad commands in a row end the session" {
	run -0 say $(seq -f 'x%g' 30)
	[[ $output == *"* BYE Too many errors" ]]
}

@test "mbsync syncs both ways, and the second time nothing" {
	command -v mbsync >/dev/null || skip "no mbsync"
	drop 1.a.host <<<$'Subject: a\nMessage-ID: <1@x>\n\nb'
	mkdir -p near
	cat >rc <<E
IMAPStore far
Tunnel "$BUILD/mimapd -p $PWD/box 2>>$PWD/log"

MaildirStore near
Path $PWD/near/
Inbox $PWD/near/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Both
Expunge Both
Sync All
SyncState *
E
	run -0 mbsync -c rc all
	[ "$(ls near/INBOX/new near/INBOX/cur | grep -c U=)" = 1 ]
	printf 'Subject: n\nMessage-ID: <2@x>\n\nnear\n' >near/INBOX/cur/5.n.host:2,S
	mkdir -p near/Sub/{cur,new,tmp}
	printf 'Subject: s\nMessage-ID: <3@x>\n\nsub\n' >near/Sub/cur/6.n.host:2,FS
	run -0 mbsync -c rc all
	[ "$(find box/new box/cur -type f | grep -c .)" = 2 ]
	[ -n "$(find box/.Sub/cur -type f)" ]
	find box near -type f -path '*cur*' | sort >before
	run -0 mbsync -V -c rc all
	find box near -type f -path '*cur*' | sort >after
	cmp before after
	[[ $output != *"+1"* ]]
}

@test "offlineimap lives on it" {
	command -v offlineimap >/dev/null || skip "no offlineimap"
	drop 1.a.host <<<$'Subject: a\nMessage-ID: <1@x>\n\nb'
	cat >rc <<E
[general]
accounts = a
metadata = $PWD/meta
[Account a]
localrepository = l
remoterepository = r
[Repository l]
type = Maildir
localfolders = $PWD/local
[Repository r]
type = IMAP
remoteuser = me
preauthtunnel = $BUILD/mimapd -p $PWD/box 2>/dev/null
E
	run -0 offlineimap -c rc -o -u basic
	[ "$(find local -type f -path '*INBOX*' | grep -c U=)" = 1 ]
	printf 'Subject: n\nMessage-ID: <2@x>\n\nx\n' >local/INBOX/new/7.n.host
	run -0 offlineimap -c rc -o -u basic
	[ "$(find box/new box/cur -type f | grep -c .)" = 2 ]
}

@test "mutt reads and marks" {
	command -v mutt >/dev/null || skip "no mutt"
	drop 1.a.host <<<$'From: a@b\nSubject: find me\n\nb'
	cat >rc <<E
set tunnel="$BUILD/mimapd -p $PWD/box 2>/dev/null"
set folder=imap://me@localhost/ spoolfile=imap://me@localhost/INBOX
set quit=yes delete=yes mark_old=no
E
	TERM=vt100 run timeout 120 script -qc "mutt -F rc -f imap://me@localhost/INBOX \
-e 'push \"<flag-message><sync-mailbox><quit>\"'" /dev/null </dev/null 3>&-
	wait_for sh -c 'ls box/cur | grep -q F'
}

@test "two sessions see each other's flags, messages and expunges" {
	drop 1.a.host <<<$'Subject: a\n\nb'
	drop 2.b.host <<<$'Subject: c\n\nd'
	run -0 python3 - <<'E'
import imaplib
a = imaplib.IMAP4_stream("mimapd -p box 2>/dev/null")
b = imaplib.IMAP4_stream("mimapd -p box 2>/dev/null")
a.select(); b.select()
a.store("2", "+FLAGS", "(\\Flagged $Junk)")
a.append("INBOX", "", None, b"Subject: e\r\n\r\nf\r\n")
a.store("1", "+FLAGS.SILENT", "(\\Deleted)")
a.expunge()
typ, data = b.uid("FETCH", "2", "(FLAGS)")
assert any(b"\\Flagged" in d and b"$Junk" in d for d in data), data
assert b.untagged_responses["EXPUNGE"] == [b"1"]
b.noop()
assert b.untagged_responses["EXISTS"][-1] == b"2"
typ, data = b.search(None, "KEYWORD", "$junk")
assert data == [b"1"], data
b.store("1", "+FLAGS", "($Late)")
typ, data = a.store("1", "-FLAGS", "($Late)")
assert data and not any(b"$Late" in d for d in data), data
assert b.create("Box")[0] == "OK" and b.copy("1:2", "Box")[0] == "OK"
assert a.status("Box", "(MESSAGES UIDNEXT)")[1] == [b'"Box" (MESSAGES 2 UIDNEXT 3)']
E
}

@test "what another has taken Deleted from is not expunged" {
	drop 1.a.host <<<$'Subject: a\n\nb'
	drop 2.b.host <<<$'Subject: c\n\nd'
	drop 3.c.host <<<$'Subject: e\n\nf'
	drop 4.d.host <<<$'Subject: g\n\nh'
	PYTHONPATH=$ROOT/t/imap run -0 python3 - <<'E'
from client import Session
a, b = Session(), Session()
for n, end in enumerate(("EXPUNGE", "UID EXPUNGE 1:*", "CLOSE")):
    a("SELECT INBOX")
    b("SELECT INBOX")
    a("STORE 1:2 +FLAGS.SILENT (\\Deleted)")
    b("STORE 1 -FLAGS.SILENT (\\Deleted)")
    a(end)
    a("SELECT INBOX")
    uids = [s.split()[4].rstrip(")") for s in a("FETCH 1:* (UID)")]
    assert uids[0] == "1" and len(uids) == 3 - n, (end, uids)
E
}

@test "sizes in file names are not trusted" {
	mkdir -p box/tmp box/new box/cur
	printf 'Subject: a\n\nhello\n' >box/cur/1.a.host,S=5,W=6:2,
	printf 'Subject: a\n\nhello\n' >box/cur/2.a.host,S=900,W=950:2,
	run -0 say "a SELECT INBOX" "b FETCH 1:2 (RFC822.SIZE BODY.PEEK[])"
	[ "$(grep -c 'RFC822.SIZE 21 BODY\[\] {21}' <<<"$output")" = 2 ]
}

@test "RENAME INBOX moves its messages and leaves it" {
	drop 1.a.host <<<$'Subject: a\n\nb'
	run -0 say "a RENAME INBOX Old" "b STATUS Old (MESSAGES)" \
		"c STATUS INBOX (MESSAGES)"
	[[ $output == *'"Old" (MESSAGES 1)'*'"INBOX" (MESSAGES 0)'* ]]
}

@test "search finds what encodings and charsets hide" {
	drop 1.a.host <<'E'
Subject: =?koi8-r?B?8NLJ18XU?= =?iso-8859-1?q?na=EFve?=
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/plain; charset=windows-1251
Content-Transfer-Encoding: base64

z/Do4uXy
--b
Content-Type: application/octet-stream

secret
--b--
E
	run -0 say "a SELECT INBOX" "b SEARCH SUBJECT {12+}" \
		"привет" "c SEARCH BODY ПРИВЕТ" "d SEARCH SUBJECT NAÏV" \
		"e SEARCH TEXT secret" "f SEARCH NOT FROM x HEADER subject \"\""
	[ "$(grep -c '^\* SEARCH 1$' <<<"$output")" = 4 ]
	[ "$(grep -c '^\* SEARCH$' <<<"$output")" = 1 ]
}

@test "SIGTERM lets a command finish and then says BYE" {
	run -0 python3 - 3>&- <<'E'
import signal, subprocess
signal.alarm(240)
p = subprocess.Popen(["mimapd", "-p", "box"], stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
p.stdout.readline()
p.stdin.write(b"a APPEND INBOX {30}\r\n"); p.stdin.flush()
assert p.stdout.readline().startswith(b"+ ")
p.send_signal(signal.SIGTERM)
p.stdin.write(b"Subject: x\r\n\r\n" + b"y" * 14 + b"\r\n\r\n")
p.stdin.flush()
assert b"a OK [APPENDUID" in p.stdout.readline()
assert b"* BYE" in p.stdout.readline()
assert p.wait(60) == 0
E
}
