#!/usr/bin/env bats
#
# mindex(8): a mailbox shown, its names of POP3, what is compressed, and the way
# of a Maildir to us and back.

load lib
load mindex.sh

@test "wrong usage is one line and 64, no Maildir 66" {
	for args in '' 'show -x' 'adopt -j' 'frob' '-d'; do
		run -64 mindex $args
		[ "${#lines[@]}" -eq 1 ]
		[[ $output == "usage: mindex"* ]]
	done
	run -66 mindex show
	folder m
	run -66 mindex show None
	[[ $output == *"None: no such mailbox"* ]]
	run -0 mindex -d m show
	[[ $output == INBOX* ]]
}

@test "show: mailboxes and messages, as lines and as JSON" {
	folder m
	folder m/.Work
	message 'm/cur/1700000001.M1P1.h:2,S' one
	run -0 show 1,3,5,6
	[ "$output" = $'INBOX\t2\t1\t0\nWork\t1\t0\t0' ]
	run -0 show 1-5,7,9 INBOX
	[ "$output" = $'1\t\\Seen\t\t2\t2023-11-14T22:13:20Z\t29\tcur/1700000001.M1P1.h:2,S' ]
	[ -n "$(show 8 INBOX)" ]
	mindex show -j >j
	mindex show -j INBOX >>j
	python3 - <<-'EOF'
		import json
		a, b, c = [json.loads(l) for l in open("j")]
		assert a["mailbox"] == "INBOX" and a["uidnext"] == 2, a
		assert b["messages"] == 0, b
		assert c["flags"] == "\\Seen" and c["size"] == 29, c
	EOF
}

# Lines with a byte that a terminal might take for an order.
orders() {
	LC_ALL=C grep -aP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|(^|[\x00-\xc1\xf5-\xff])[\x80-\xbf]'
}

@test "show, check, adopt: no name of a file, mailbox or keyword reaches a terminal raw" {
	name=$'1700000001.\033]0;x\007\233m\302\205\303\251\377.h'
	folder m
	folder $'m/.A\302\205\033\233'
	message "m/cur/$name:2,Sa" one
	message "m/cur/1700000002.b:2,S" two
	printf '3 V1600000000 N5 G00000000000000000000000000000001\n2 :%s\n' "$name" >m/dovecot-uidlist
	printf '0 key\033\302\233word\n' >m/dovecot-keywords
	printf 'A\302\205\033\233\nB\033\n' >m/subscriptions
	mkdir $'m/.B\033'
	printf '3 V1 N5\n7 :%s\n' "$name" >$'m/.A\302\205\033\233/dovecot-uidlist'
	for args in 'adopt -n' 'adopt -nv' 'adopt -v' show 'show INBOX' \
		'show -j' 'show -j INBOX' 'check -v' 'check' 'repair -v' 'export -nv dovecot'; do
		mindex $args >said 2>&1 || true
		! orders <said || { echo "$args"; cat -v said; false; }
	done
	run -0 mindex show INBOX
	[[ $output == *$'1700000001.%1B]0;x%07%9Bm%C2%85\303\251%FF.h:2,'* ]]
	mindex show -j INBOX >json
	python3 - "$name" <<-'E'
		import json, os, sys
		files = [json.loads(x)["file"] for x in open("json")]
		assert any(os.fsencode(sys.argv[1]) in os.fsencode(f) for f in files), files
	E
}

@test "uidl import: names of POP3, by UID and by file" {
	indexed
	printf 'aaa 1\nb!b\t1700000003.M3P1.h,S=22,W=25\n\nccc 99\nno good name 2\n' >u
	run -0 mindex uidl -v import INBOX u
	[ "$output" = $'INBOX\tuidl\t2 names of POP3, 2 lines passed over' ]
	printf 'UIDL\r\nQUIT\r\n' | mpop -p m >pop
	grep -x $'1 aaa\r' pop
	grep -x $'3 b!b\r' pop
	echo 'x 77' >u
	run -65 mindex uidl -n import INBOX u
	run -64 mindex uidl import INBOX
}

# The lines of a page that begin with "$ ", as they are read on a screen.
commands_of() {
	mandoc -T utf8 "$ROOT/man/$1" | col -bx | sed 's/‐/-/g' |
		awk '/^ *\$ / { on = 1; sub(/^ *\$ /, "") }
		on { print; on = /\\$/ }'
}

@test "pneu-migrate(7): every line of it does what it says" {
	unset MAILDIR
	imap_source
	dovecot_maildir
	mv m Maildir
	folder other
	message other/cur/1700000077.M1P1.h:2,S other
	make_mbox archive.mbox
	echo 'old 1' >uidl
	echo secret >password
	mkdir bin
	printf '#!/bin/sh\n[ "$1" = old.example.org ] && exec mimapd -p "$HOME/src"\n' >bin/ssh
	printf '#!/bin/sh\n[ "$1" = s_client ] && exec mimapd -p "$HOME/src"\n' >bin/openssl
	chmod +x bin/*
	PATH=$PWD/bin:$PATH
	commands_of pneu-migrate.7 >lines
	[ "$(grep -c '^mindex' lines)" -eq 13 ]
	run sh -ex lines
	echo "$output"
	[ "$status" -eq 0 ]
	export MAILDIR=$PWD/Maildir
	[ "$(show 4 Archive | wc -l)" -eq 4 ]
	[ "$(show 1 INBOX | wc -l)" -eq 220 ]
	[ "$(show 2 | head -n 1)" = 1795934182 ]
	grep -x $'1\told' Maildir/pneu.uidl
}

@test "compress: old messages, which stay what they are" {
	indexed
	touch m/cur/1700000003*
	rm -r m/pneu.*
	printf '1 SELECT INBOX\r\n2 UID FETCH 1:* (UID RFC822.SIZE INTERNALDATE BODY.PEEK[])\r\n' >cmds
	mimapd -p m <cmds | grep -v '^1 OK\|^2 OK\|UIDVALIDITY' >before
	run -0 mindex compress -n 30
	[ "$output" = $'INBOX\tcompress\t2 messages' ]
	run -0 mindex compress -v 30
	[ "$(gzip -dc <m/cur/1700000001*)" = $'Subject: 1\n\ntext of 1' ]
	! gzip -t <"$(ls m/cur/1700000003*)" || false
	mimapd -p m <cmds | grep -v '^1 OK\|^2 OK\|UIDVALIDITY' | diff <(grep -v CAPABILITY before) <(grep -v CAPABILITY -)
	run -0 mindex check
	[ -z "$(ls m/tmp)" ]
	run -0 mindex compress -v 30
	[ "$output" = $'INBOX\tcompress\t0 messages' ]
	run -64 mindex compress INBOX
}

@test "compress: as many as one likes in little memory" {
	folder m
	for i in {1000..1300}; do
		printf 'Subject: s\n\ntext\n' >"m/cur/170000$i.M1P1.h,S=17,W=20:2,"
	done
	touch -d @1700000000 m/cur/*
	mindex show INBOX >/dev/null
	(
		case $BUILD in
		*-san) ;;
		*) ulimit -v 40000 ;;
		esac
		mindex compress -v 30 >said
	)
	[ "$(tail -n 1 said)" = $'INBOX\tcompress\t301 messages' ]
}
