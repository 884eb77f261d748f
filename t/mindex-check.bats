#!/usr/bin/env bats
#
# mindex(8), check, repair and rebuild: what is wrong is found and mended.

load lib
load mindex.sh

@test "check: a folder that is well, changed by others, or has no index" {
	folder m
	message m/cur/1700000001.M1P1.h:2,S one
	run -0 mindex check -v
	[[ $output == *$'INBOX\tnone\t'* ]]
	[ ! -e m/pneu.snapshot ]
	indexed
	run -0 mindex check
	[ -z "$output" ]
	mv m/cur/1700000001.M1P1.h,S=22,W=25:2,{S,FS}
	rm m/cur/1700000002*
	message m/new/1700000004.M1P1.h four
	run -0 mindex check -v
	[[ $output == *"files are new, 1 renamed, 1 gone"* ]]
}

@test "check and repair: sizes, without another UID" {
	indexed
	mv m/cur/1700000001.M1P1.h,S=22,W={25,99}:2,S
	mv m/cur/1700000002.M2P1.h,S={22,7},W=25:2,S
	mindex show INBOX >/dev/null
	rm -r m/pneu.*
	mindex show INBOX >before
	finds 'UID 1, cur/1700000001.M1P1.h,S=22,W=99:2,S: W= in its name'
	[ -e m/cur/1700000001.M1P1.h,S=22,W=25:2,S ]
	[ -e m/cur/1700000002.M2P1.h,S=22,W=25:2,S ]
	[ "$(show 1,2,8 INBOX)" = "$(cut -f 1,2,8 before)" ]
	echo 'more text' >>m/cur/1700000003.M3P1.h,S=22,W=25:2,S
	finds 'the size in the index'
	[ "$(show 1,8 INBOX)" = "$(cut -f 1,8 before)" ]
	[ "$(show 7 INBOX | tail -n 1)" = 36 ]
}

@test "check and repair: facts of a file that was rewritten" {
	indexed
	f=m/cur/1700000002.M2P1.h,S=22,W=25:2,S
	sed -i 's/^Subject: 2/Subject: X/' "$f"
	finds 'the facts of its header'
	cut -f 1-3 before | diff - <(show 1-3 INBOX)
	printf '1 SELECT INBOX\r\n2 FETCH 2 ENVELOPE\r\n' | mimapd -p m | grep '"X"'
}

@test "check and repair: texts of pneu.cache that are damaged or lost" {
	indexed
	printf '1 SELECT INBOX\r\n2 SEARCH BODY nothing\r\n' | mimapd -p m >/dev/null
	run -0 mindex check
	printf '1 SELECT INBOX\r\n2 FETCH 1:* (ENVELOPE BODYSTRUCTURE)\r\n3 SEARCH BODY nothing\r\n' >cmds
	at=32
	for i in 1 2 3; do
		size=$(stat -c %s m/pneu.cache)
		printf '\377\001' | dd of=m/pneu.cache bs=1 seek=$((at + 24)) conv=notrunc status=none
		finds $'INBOX\tcache\t1 texts are not where'
		cut -f 1-3 before | diff - <(show 1-3 INBOX)
		mimapd -p m <cmds >/dev/null
		at=$size
	done
	truncate -s 32 m/pneu.cache
	finds $'INBOX\tcache\t9 texts are not where'
	mimapd -p m <cmds >/dev/null
	head -c 5000 /dev/urandom >m/pneu.cache
	finds $'INBOX\tcache\t9 texts are not where'
	mimapd -p m <cmds >/dev/null
	rm m/pneu.cache
	run -0 mindex check
	[ -z "$output" ]
	run -0 mindex check -v
	[[ $output == *$'INBOX\tcache\t9 texts'* ]]
	mimapd -p m <cmds | tail -n 5 | diff <(mimapd -p m <cmds | tail -n 5) -
	run -0 mindex check -v
	[[ $output != *cache* ]]
}

@test "check and repair: journal, snapshot, memory, maildirsize" {
	indexed
	printf 'half a record' >>m/pneu.journal.*
	finds 'bytes at the end of pneu.journal.'
	cut -f 1-3 before | diff - <(show 1-3 INBOX)
	mindex rebuild
	v=$(show 2 | head -n 1)
	sed -i "s/ 0000000003 \.$/ 0000000009 ./" m/pneu.uidvalidity
	finds 'UIDNEXT is 4, but UID 9 was given'
	[ "$(show 2,3 | head -n 1)" = "$v"$'\t10' ]
	printf '100S\n5 1\n-2 0\n' >m/maildirsize
	finds '3 bytes, 1 messages; there are 66, 3'
	printf '\377\377' | dd of=m/pneu.snapshot bs=1 seek=4100 conv=notrunc 2>/dev/null
	finds $'INBOX\tsnapshot\tit is damaged'
	[ "$(show 2 | head -n 1)" -gt "$v" ]
}

@test "rebuild: the same UIDs, and facts for all" {
	indexed
	rm m/pneu.cache
	message m/new/1700000004.M4P1.h four
	run -0 mindex rebuild -v
	[[ $output == *$'INBOX\trebuild\tUIDVALIDITY '*', 4 messages' ]]
	cut -f 1-3,8 before | diff - <(show 1-3,8 INBOX | head -n 3)
	[ "$(show 1 INBOX | tail -n 1)" = 4 ]
	run -0 mindex check
	# FETCH reads no message any more
	printf '1 SELECT INBOX\r\n2 FETCH 1:* (ENVELOPE BODYSTRUCTURE)\r\n' >cmds
	strace -f -e trace=openat -o trace mimapd -p m <cmds >/dev/null
	! grep 'cur/1700' trace || false
}
