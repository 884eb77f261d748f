#!/usr/bin/env bats
#
# The mail store (DESIGN section 4), seen through mpop: its index is a
# cache, and no name that a client was told ever means another message.

load lib

setup() {
	at_home
	mkdir -p box/tmp box/new box/cur
	for i in 1 2 3; do
		message $i >"box/new/100000000$i.M1P1.h"
	done
}

message() {
	printf 'Subject: %s\n\nbody %s\n' "$1" "$1"
}

pop() {
	printf '%s\r\n' "$@" | mpop -p box 2>>log | tr -d '\r'
}

# Each message's UIDL and subject.
named() {
	local n i
	n=$(pop STAT QUIT | sed -n 's/^+OK \([0-9]*\) [0-9]*$/\1/p')
	{
		printf 'UIDL\r\n'
		for i in $(seq 1 "$n"); do
			printf 'TOP %d 0\r\n' "$i"
		done
		printf 'QUIT\r\n'
	} | mpop -p box 2>>log | tr -d '\r' | awk '
		/^[0-9]+ [0-9.]+$/ { uidl[++n] = $2 }
		/^Subject: / { print uidl[++k], $2 }'
}

# No name stands for two messages in all these files.
one_message_each() {
	[ -z "$(sort -u "$@" | cut -d' ' -f1 | uniq -d)" ]
}

# Let mtimes become old enough to be trusted, without waiting.
age() {
	touch -d '-10 seconds' box/new box/cur
}

teardown() {
	umount full 2>/dev/null || :
}

@test "an index that is lost gives every message a new name" {
	named >one
	rm box/pneu.*
	named >two
	[ "$(wc -l <two)" = 3 ]
	one_message_each one two
	rm box/pneu.snapshot box/pneu.journal.*
	named >three
	one_message_each one two three
	[ "$(cut -d. -f1 three | sort -u)" -gt "$(cut -d. -f1 two | sort -u)" ]
}

@test "an index from a backup gives no name a second time" {
	named >one
	cp -a box backup
	message 4 >box/new/1000000004.M1P1.h
	named >two
	rm box/cur/1000000004*
	cp -a backup/pneu.snapshot backup/pneu.journal.* box
	message 5 >box/new/1000000005.M1P1.h
	named >three
	[ "$(wc -l <three)" = 4 ]
	one_message_each one two three
}

@test "a damaged index is made again, and loses no message" {
	named >one
	for i in 1 2 3 4 5 6 7 8 9; do
		case $((i % 3)) in
		0) f=box/pneu.snapshot ;;
		1) f=$(echo box/pneu.journal.*) ;;
		2) f=box/pneu.uidvalidity ;;
		esac
		printf '\377\1' | dd of="$f" bs=1 conv=notrunc status=none \
			seek=$((RANDOM % $(stat -c %s "$f")))
		named >"two.$i"
		[ "$(cut -d' ' -f2 "two.$i" | sort | tr -d '\n')" = 123 ]
	done
	one_message_each one two.*
}

@test "a journal of a later release is left alone" {
	pop QUIT >/dev/null
	j=$(echo box/pneu.journal.*)
	printf 'pneu-journal 2\nsomething' >"$j"
	run -75 --separate-stderr mpop -p box </dev/null
	[ "$(cat "$j")" = "$(printf 'pneu-journal 2\nsomething')" ]
	[ -z "$(find box/new -type f)" ]
}

@test "a UIDVALIDITY memory of a later release is left alone" {
	pop QUIT >/dev/null
	printf 'pneu-uidvalidity 7\n' >box/pneu.uidvalidity
	rm box/pneu.snapshot
	run -75 --separate-stderr mpop -p box </dev/null
	[ "$(cat box/pneu.uidvalidity)" = "pneu-uidvalidity 7" ]
}

@test "flags that mblaze sets keep the names" {
	named >one
	mflag -S -F box/cur/1000000002* >/dev/null
	ls box/cur | grep -q '1000000002.M1P1.h:2,FS'
	named | cmp one -
	mflag -s box/cur/1000000002* >/dev/null
	named | cmp one -
}

@test "a message in new with flags in its name is served" {
	message odd >box/new/1000000007.M1P1.h:2,S
	message odder >box/cur/1000000008.M1P1.h
	message unsorted >box/cur/1000000009.M1P1.h:2,SRFFx
	named >one
	[ "$(wc -l <one)" = 6 ]
	pop "RETR 4" "RETR 5" "RETR 6" QUIT >out
	[ "$(grep -c '^Subject' out)" = 3 ]
	named | cmp one -
}

@test "files that are no messages are passed over" {
	touch box/cur/.hidden
	mkdir box/cur/folder
	mkfifo box/new/fifo
	ln -s /nowhere box/new/1000000001.dangling
	[ "$(named | wc -l)" = 3 ]
	[ "$(named | wc -l)" = 3 ]
}

@test "sizes in a name count if they can be those of one message" {
	message 4 >box/new/1000000004.M1P1.h,S=9999,W=10
	message 5 >box/new/1000000005.M1P1.h,S=99,W=123
	run -0 pop LIST QUIT
	grep -qx "4 $(message 4 | sed 's/$/\r/' | wc -c)" <<<"$output"
	grep -qx "5 123" <<<"$output"
}

@test "a warm open of 3,000 messages reads no directory and no message" {
	command -v strace || skip "no strace"
	for i in $(seq 3000); do
		message "$i" >"box/cur/11000$i.h,S=$(message "$i" | wc -c),W=30:2,"
	done
	age
	pop STAT QUIT >/dev/null
	age
	pop QUIT >/dev/null
	printf 'STAT\r\nUIDL\r\nLIST\r\nQUIT\r\n' >in
	strace -s 400 -o trace mpop -p box <in >out 2>log || skip "no ptrace"
	[ "$(grep -c '^3003 ' out)" = 2 ]
	! grep -q getdents trace || false
	! grep -q '"cur/' trace || false
}

@test "a name is told only after the journal was synced" {
	command -v strace || skip "no strace"
	printf 'UIDL\r\nQUIT\r\n' >in
	strace -s 400 -o trace mpop -p box <in >out 2>log || skip "no ptrace"
	awk '/^fdatasync|^fsync/ { synced = 1 }
		/^write\(1,/ && !synced { exit 1 }' trace
	grep -qE '^(fdatasync|fsync)' trace
	# Nothing is new the next time, but a new message is.
	message 9 >box/new/1000000009.M1P1.h
	strace -s 400 -o trace mpop -p box <in >out 2>log
	awk '/^pwrite64.*1000000009/ { written = 1; synced = 0 }
		/^fdatasync|^fsync/ { synced = 1 }
		/^write\(1,/ { exit !(written && synced) }' trace
}

# The operations of a STATUS of box/.L, in their order.
status_calls() {
	printf 'a STATUS L (UIDVALIDITY UIDNEXT)\r\n' |
		strace -y -e trace=fsync,fdatasync,pwrite64,renameat,write -o trace \
			mimapd -p box >out 2>log || skip "no ptrace"
	sed -nE 's/^(fsync|fdatasync|pwrite64)\([0-9]*<[^>]*\/([^>]*)>.*/\1 \2/p
		s/^write\(1<.*/answer/p
		s/^renameat.*snapshot".*/rename/p' trace
}

kept() {
	grep -q kept box/pneu.journal.*
}

@test "a folder that is made again and again fills no memory of UIDs" {
	{
		echo 'pneu-uidvalidity 1'
		seq -f '1700000000 0000000000 .n%06.0f' 40000
	} >box/pneu.uidvalidity
	for i in $(seq 20); do
		printf 'a %s\r\n' 'CREATE T' 'STATUS T (UIDVALIDITY)' 'DELETE T'
	done >in
	mimapd -p box <in >out 2>log
	sed -n 's/.*(UIDVALIDITY \([0-9]*\)).*/\1/p' out >got
	[ "$(wc -l <got)" -eq 20 ]
	sort -nuc got
	[ "$(wc -l <box/pneu.uidvalidity)" -lt 40005 ]
}

@test "a first index is put on disk while the client is quiet" {
	local p say
	mkfifo say
	for p in mpop mimapd; do
		rm -f box/pneu.*
		$p -p box <say >out 2>log &
		exec {say}>say
		printf 'a SELECT INBOX\r\n' >&$say
		wait_for kept
		# one line: who has read QUIT may be gone at a second
		case $p in
		mpop) printf 'QUIT\r\n' >&$say ;;
		mimapd) printf 'b LOGOUT\r\n' >&$say ;;
		esac
		exec {say}>&-
		wait $!
	done
	grep -q '^a OK' out
}

@test "a first index that can't be put on disk is shown, and that is said" {
	command -v strace || skip "no strace"
	printf 'a SELECT INBOX\r\nb UID FETCH 1:* UID\r\nc LOGOUT\r\n' >in
	strace -e trace=fsync -e inject=fsync:error=EIO:when=2+ -o trace \
		mimapd -p box <in >out 2>log || skip "no ptrace"
	grep -q '^b OK' out
	grep -q 'Input/output error\|EIO' log
	grep -q 'INJECTED' trace
	! kept || false
	printf 'a SELECT INBOX\r\nb LOGOUT\r\n' | mimapd -p box >again
	kept
	[ "$(grep UIDVALIDITY out)" = "$(grep UIDVALIDITY again)" ]
}

@test "an index that can't be read for now is not made anew" {
	command -v strace || skip "no strace"
	strace -o trace true || skip "no ptrace"
	named >was
	run -75 strace -o trace -P "$PWD/box/pneu.snapshot" -e trace=mmap \
		-e inject=mmap:error=ENOMEM:when=1 mpop -p box </dev/null
	grep -q INJECTED trace
	named >is
	diff was is
}

@test "a memory of UIDs that can't be put on disk is not trusted again" {
	command -v strace || skip "no strace"
	local mark="0000000000 000000000[01] !"
	mkdir -p box/.L/tmp box/.L/new box/.L/cur
	printf 'a STATUS L (UIDVALIDITY)\r\nb LOGOUT\r\n' >in
	strace -e trace=fdatasync -e inject=fdatasync:error=EIO -o trace \
		mimapd -p box <in >out 2>log || skip "no ptrace"
	grep -q 'INJECTED' trace
	grep -q '^a NO' out
	[ "$(grep -x "$mark" box/pneu.uidvalidity)" = "0000000000 0000000001 !" ]
	# each line is written again, then it is synced
	strace -y -e trace=pwrite64,fdatasync -o trace mimapd -p box <in >out
	grep -q '^a OK' out
	[ "$(sed -n '/^fdatasync.*pneu.uidvalidity/q; /uidvalidity>, "\\n", 1,/p' \
		trace | wc -l)" -ge 3 ]
	[ "$(grep -x "$mark" box/pneu.uidvalidity)" = "0000000000 0000000000 !" ]
	# and from then on as ever
	rm box/.L/pneu.*
	strace -y -e trace=pwrite64,fdatasync -o trace mimapd -p box <in >out
	grep -q '^a OK' out
	! grep -q 'uidvalidity>, "\\n", 1,' trace || false
}

@test "numbers of a first index are told when what they rest on is kept" {
	command -v strace || skip "no strace"
	mkdir -p box/.L/tmp box/.L/new box/.L/cur
	# the memory, and its name
	status_calls >calls
	sed -n '/^fdatasync pneu.uidvalidity/,/^answer/p' calls |
		grep -qx 'fsync box'
	grep -qx answer calls
	# a snapshot in place of one that has told numbers
	for i in $(seq 5000); do
		: >"box/.L/new/$i.M1P1.h"
	done
	status_calls >calls
	sed '/^rename/q' calls | grep -q '^fsync pneu.snapshot.new'
}

@test "a full disk is later, and tells no name" {
	run -75 limit_fsize 0 mpop -p box </dev/null
	[ "${lines[0]}" = "mpop: box: File too large" ]
	[[ ${lines[1]} == "-ERR [SYS/TEMP]"* ]]
	[ "$(named | wc -l)" = 3 ]
}

@test "kill -9 at QUIT removes nothing that was not deleted" {
	for round in 1 2 3 4 5 6 7 8; do
		for i in $(seq 40); do
			message "$round.$i" >"box/new/12000$round.$i"
		done
		{ for i in $(seq 4 2 40); do echo "DELE $i"; done; echo QUIT; } >in
		mpop -p box <in >out 2>>log &
		sleep 0.00$round
		kill -9 $! 2>/dev/null || :
		wait $! || :
		named >"names.$round"
		# Numbers 1 to 3 and the odd ones were never deleted.
		[ "$(cut -d' ' -f2 "names.$round" | grep -c '^[123]$')" = 3 ]
		rm box/*/12000*
	done
	one_message_each names.*
}

@test "a Maildir whose own name begins with a dot keeps its memory inside" {
	mv box .mail
	printf 'UIDL\r\nQUIT\r\n' | mpop -p .mail >out 2>log
	[ -s .mail/pneu.uidvalidity ]
	[ ! -e pneu.uidvalidity ]
}

@test "on a full disk messages can be removed, and flags are the files' own" {
	[ "$(id -u)" -eq 0 ] || skip "needs mount"
	mkdir full
	mount -t tmpfs -o size=512k,mode=0777 tmpfs full 2>/dev/null ||
		skip "no mount here"
	mkdir -p full/box/{tmp,new,cur}
	for i in {100..150}; do
		echo "Subject: $i" >"full/box/cur/$i.M1.host:2,S"
	done
	printf 'a SELECT INBOX\r\n' | mimapd -p full/box >/dev/null
	# up to the last byte of the journal's page
	dd if=/dev/zero of=full/fill bs=4k 2>/dev/null || :
	for i in {100..150}; do
		mv full/box/cur/$i.M1.host:2,{S,RS}
	done
	run -0 mimapd -p full/box < <(printf '%s\r\n' 'a SELECT INBOX' \
		'b STORE 1:* +FLAGS.SILENT (\Deleted)' 'c FETCH 51 FLAGS' \
		'd EXPUNGE' 'e SELECT INBOX' 'f LOGOUT')
	[[ $output == *'* 51 EXISTS'*'a OK'*'c OK'*'d OK'*'* 0 EXISTS'*'e OK'* ]]
	[ -z "$(ls full/box/cur)" ]
	rm full/fill
	run -0 mimapd -p full/box < <(printf 'a SELECT INBOX\r\n')
	[[ $output == *'* 0 EXISTS'*'UIDNEXT 52]'*'a OK'* ]]
}

@test "a mailbox without an index is shown where nothing can be written" {
	[ "$(id -u)" -eq 0 ] || skip "needs mount"
	mkdir full
	mount -t tmpfs -o size=256k,mode=0777 tmpfs full 2>/dev/null ||
		skip "no mount here"
	mkdir -p full/box/{tmp,new,cur}
	for i in {101..103}; do
		echo "Subject: m$i" >"full/box/cur/$i.M1.host:2,S"
	done
	echo "Subject: new" >full/box/new/200.M1.host
	dd if=/dev/zero of=full/fill bs=4k 2>/dev/null || :
	printf '%s\r\n' 'a SELECT INBOX' 'b UID FETCH 1:* (UID ENVELOPE)' \
		'c UID STORE 1 +FLAGS (\Flagged)' 'd UID COPY 1 INBOX' \
		'e APPEND INBOX {3+}' abc 'f STATUS INBOX (UIDNEXT)' \
		'g SORT (SUBJECT) UTF-8 ALL' 'h CLOSE' 'i SELECT INBOX' \
		'j LOGOUT' >in
	mimapd -p full/box <in >out
	for say in '* 4 EXISTS' 'a OK [READ-ONLY]' 'c NO' 'd NO' 'e NO' 'f NO' \
		'* SORT 1 2 3 4' 'h OK' 'i OK [READ-ONLY]'; do
		grep -qF "$say" out
	done
	[ "$(grep -c '^\* NO \[UIDNOTSTICKY\]' out)" = 2 ]
	[ "$(grep -c '^\* [1-4] FETCH (UID [1-4] ENVELOPE (NIL "' out)" = 4 ]
	[ "$(ls full/box/cur full/box/new | grep -c M1)" = 4 ]
	# no two are alike, and none is what an index would get
	sed -n 's/.*UIDVALIDITY \([0-9]*\).*/\1/p' out >told
	[ "$(sort -u told | wc -l)" = 2 ]
	[ "$(awk '$1 > 4026531840' told | wc -l)" = 2 ]
	# POP3 has no word for it
	run -75 mpop -p full/box </dev/null
	# a message that goes is told all the same
	mkfifo say
	mimapd -p full/box <say >out 2>log &
	exec {fd}>say
	printf 'a SELECT INBOX\r\n' >&$fd
	wait_for grep -q '^a OK' out
	rm full/box/cur/102.*
	printf 'b NOOP\r\nc LOGOUT\r\n' >&$fd
	exec {fd}>&-
	wait $!
	grep -q '^\* 2 EXPUNGE' out
	mount -o remount,ro full
	mimapd -p full/box <in >out
	grep -q '^\* NO \[UIDNOTSTICKY\]' out
	mount -o remount,rw full
	rm full/fill
	mimapd -p full/box <in >out
	grep -q '^a OK \[READ-WRITE\]' out
	! grep UIDNOTSTICKY out || false
	[ "$(sed -n 's/.*UIDVALIDITY \([0-9]*\).*/\1/p' out |
		awk '$1 < 4026531840' | wc -l)" = 2 ]
}

@test "what was removed on a full disk is written down when there is room" {
	[ "$(id -u)" -eq 0 ] || skip "needs mount"
	mkdir full
	mount -t tmpfs -o size=512k,mode=0777 tmpfs full 2>/dev/null ||
		skip "no mount here"
	run -0 env PYTHONPATH="$ROOT/t/imap" PYTHONDONTWRITEBYTECODE=1 \
		python3 - 3>&- <<'E'
import os
from client import Session
b = "full/box"
for d in "tmp", "new", "cur", "../more":
    os.makedirs(f"{b}/{d}")
for i in range(100, 151):  # with another link each, so that no room comes
    open(f"{b}/cur/{i}.M1.host:2,ST", "w").write(f"Subject: {i}\n")
    os.link(f"{b}/cur/{i}.M1.host:2,ST", f"full/more/{i}")
def look(n):
    s = Session(b)
    got = s("SELECT INBOX")
    assert f"* {n} EXISTS" in got, (n, got)
    s.close()
look(51)
a = Session(b)
a("SELECT INBOX")
with open("full/fill", "wb", 0) as f:
    try:
        while True:
            f.write(bytes(4096))
    except OSError:
        pass
def flags(names, to):
    for n in os.listdir(b + "/cur"):
        if n[:3] in names:
            os.rename(f"{b}/cur/{n}", f"{b}/cur/{n[:3]}.M1.host:2,{to}")
    look(51)
for k in range(6):
    flags([str(i) for i in range(100, 151)], "ST" if k % 2 else "RST")
for k in range(100):
    flags(["100"], "ST" if k % 2 else "RST")
got = a("UID EXPUNGE 25,30:31")
assert len([x for x in got if "EXPUNGE" in x]) == 3, got
os.remove("full/fill")
os.utime(b + "/new", (1700000000, 1700000000))
os.utime(b + "/cur", (1700000000, 1700000000))
a("NOOP")
look(48)
E
}

@test "an index that is cut short under a session: BYE, or nothing at all" {
	PYTHONPATH=$ROOT/t/imap run -0 python3 - 3>&- <<'E'
from client import Session
a = Session()
a.append(600, text="Subject: {}\r\nFrom: " + "x" * 200 + "@y\r\n\r\nbody\r\n")
a("SELECT INBOX")
was = a("FETCH 1:* (ENVELOPE BODYSTRUCTURE)")
assert a("FETCH 1:* (ENVELOPE BODYSTRUCTURE)") == was
for size in 0, 4096, 65536, 0:
    open("box/pneu.cache", "r+").truncate(size)
    assert a("FETCH 1:* (ENVELOPE BODYSTRUCTURE)") == was, size
    b = Session()
    b("SELECT INBOX")
    assert b("FETCH 1:* (ENVELOPE BODYSTRUCTURE)") == was, size
    b.close()
b = Session()
b("SELECT INBOX")
open("box/pneu.snapshot", "r+").truncate(0)
b.send("x FETCH 1:* FLAGS")
lines = b.until("* BYE")
assert b.close() == 75
# and where BYE has to go through a compressor
from client import Compressed
a.close()
b = Session()
b.append(600)
b.close()
b = Compressed()
b("COMPRESS DEFLATE")
b.compress(1000)
b("SELECT INBOX")
open("box/pneu.snapshot", "r+").truncate(0)
b.send("x FETCH 1:* FLAGS")
assert b.until("* BYE")
assert b.rest() == b"" and b.p.wait() == 75
E
}

@test "a size that is known is told where the facts are not" {
	PYTHONPATH=$ROOT/t/imap run -0 python3 - 3>&- <<'E'
import os
from client import Session
m = "Subject: s\r\n\r\nline\r\n"
a = Session()
a.append(2, text=m)
a.close()
os.unlink("box/pneu.cache")
with open("box/cur/3.named,S=17,W=20:2,S", "w") as f:
    f.write(m.replace("\r", ""))
a = Session()
a("SELECT INBOX")
uids = a("UID SEARCH ALL")[0].split()[2:]
for u in uids:
    for what in "ENVELOPE", "BODYSTRUCTURE", "ENVELOPE BODY", "ENVELOPE":
        got = a(f"UID FETCH {u} ({what} RFC822.SIZE)")[0]
        want = a(f"UID FETCH {u} BODY.PEEK[]")[0].split("{")[1].split("}")[0]
        assert f"RFC822.SIZE {want})" in got, (want, got)
E
}
