#!/usr/bin/env bats
#
# mindex: a mailbox shown, taken over, brought along and given back.

load lib

setup() {
	cd "$BATS_TEST_TMPDIR"
	export PNEU_CONF=$PWD/none HOME=$PWD MAILDIR=$PWD/m
}

# Make folder $1 of the Maildir.
folder() {
	mkdir -p "$1/new" "$1/cur" "$1/tmp"
}

# A message with subject $2 as file $1, its time is $3.
message() {
	printf 'Subject: %s\n\ntext of %s\n' "$2" "$2" >"$1"
	touch -d "@${3:-1700000000}" "$1"
}

# Columns of `show`.
show() {
	mindex show "${@:2}" | cut -f "$1"
}

# As Dovecot 2.3 leaves it.
dovecot_maildir() {
	folder m
	message 'm/cur/1700000001.M1P1.h:2,Fab' one 1600000001
	message 'm/cur/1700000002.M2P1.h:2,Sac' two 1600000002
	message 'm/new/1700000009.M9P1.h' nine 1600000009
	cat >m/dovecot-uidlist <<-'EOF'
		3 V1795934182 N8 Gf82a7616e6c70b6b7a55000083ecc375
		1 :1700000001.M1P1.h
		3 W35 Pold-name :1700000002.M2P1.h
		4 :1700000003.M3P1.h
	EOF
	printf '0 foo\n1 $Forwarded\n2 bar\n' >m/dovecot-keywords
	echo 6b0bc7e8 >m/dovecot-uidvalidity
	printf 'V\t2\n\nWork\t2026\n' >m/subscriptions
	folder m/.Work.2026
	message 'm/.Work.2026/cur/1700000001.M1P1.h:2,' one 1600000001
	printf '3 V1795934183 N1 G00\n7 :1700000001.M1P1.h\n' \
		>m/.Work.2026/dovecot-uidlist
	folder m/.Empty
}

# As Courier-IMAP 5.0.13 leaves it.
courier_maildir() {
	folder m
	message m/cur/1700000001.M1P1.h:2,S one
	message m/cur/1700000002.M2P1.h:2, two
	message m/cur/1700000004.M4P1.h:2, four
	printf '1 795934014 6\n1 1700000001.M1P1.h\n2 1700000002.M2P1.h\n4 1700000004.M4P1.h\n' \
		>m/courierimapuiddb
	mkdir m/courierimapkeywords
	printf 'bar\nfoo\n\n1700000001.M1P1.h:1\n1700000002.M2P1.h:0 1\n' \
		>m/courierimapkeywords/:list
	printf 'bar\n' >m/courierimapkeywords/.5986447.1700000001.M1P1.h
	printf 'baz\nfoo\n' >m/courierimapkeywords/.5986448.1700000001.M1P1.h
	printf 'old\n' >m/courierimapkeywords/.5986446.1700000001.M1P1.h
	cat >m/courierpop3dsizelist <<-'EOF'
		/3 3 1795934065
		1700000001.M1P1.h:2,S 19 1:1795934065:0
		1700000002.M2P1.h:2, 19 0:0:0
	EOF
	printf 'INBOX.Entwürfe\nINBOX\nINBOX.A&-B\n' >m/courierimapsubscribed
	folder m/.Entwürfe
	printf '1 795934015 1\n' >m/.Entwürfe/courierimapuiddb
}

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
	run -0 mindex show INBOX
	[ "$output" = $'1\t\\Seen\t\t2\t2023-11-14T22:13:20Z\t29\tcur/1700000001.M1P1.h:2,S' ]
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

@test "adopt: a Maildir of Dovecot keeps its UIDs, keywords and dates" {
	dovecot_maildir
	run -0 mindex adopt -n -v
	[[ $output == *$'INBOX\tadopt\tdovecot-uidlist: UIDVALIDITY 1795934182, UIDNEXT 8, 2 messages'* ]]
	[[ $output == *$'INBOX\tgone\t1 UIDs have no file'* ]]
	[[ $output == *$'INBOX\tnew\t1 files get UIDs from 8 on'* ]]
	[[ $output == *$'Work/2026\tadopt'* ]]
	[ -z "$(find m -name 'pneu.snapshot')" ]
	find m -name 'dovecot*' -o -name subscriptions | xargs cat | sort >before
	run -0 mindex adopt
	[ -z "$output" ]
	find m -name 'dovecot*' -o -name subscriptions | xargs cat | sort | diff before -
	run -0 show 1-3,5 INBOX
	[ "$output" = $'1\t\\Flagged\t$Forwarded foo\t2020-09-13T12:26:41Z
3\t\\Seen\tfoo bar\t2020-09-13T12:26:42Z
8\t\t\t2020-09-13T12:26:49Z' ]
	run -0 show 1-3
	[ "${lines[0]}" = $'INBOX\t1795934182\t9' ]
	[[ $output == *$'Work/2026\t1795934183\t8'* ]]
	[ "$(show 1 Work/2026)" = 7 ]
	# $Forwarded is a letter of the name
	[ -e 'm/cur/1700000001.M1P1.h:2,FPab' ]
	# names of POP3: its default, and one of its own
	run -0 cat m/pneu.uidl
	[ "$output" = $'pneu-uidl 1\n1795934182\n1\t000000016b0bc7e6\n3\told-name' ]
	# mimapd shows the same, and a new mailbox gets a larger UIDVALIDITY
	printf '1 LIST (SUBSCRIBED) "" "*"\r\n2 CREATE x\r\n3 STATUS x (UIDVALIDITY)\r\n4 SELECT INBOX\r\n5 UID FETCH 1:* FLAGS\r\n' |
		mimapd -p m >imap
	grep -F '"Work/2026"' imap
	grep -F '[UIDVALIDITY 1795934182]' imap
	grep -E '^\* 2 FETCH \(UID 3 FLAGS \(.*Seen.*foo.*bar' imap
	v=$(sed -n 's/.*STATUS.*UIDVALIDITY \([0-9]*\).*/\1/p' imap)
	[ "$v" -gt $((0x6b0bc7e8)) ]
}

@test "adopt: a second time, what is ours is left alone" {
	dovecot_maildir
	run -0 mindex adopt
	mindex show INBOX >before
	sed -i 's/^3 W35/5 W35/' m/dovecot-uidlist
	run -0 mindex adopt -v INBOX
	[[ $output == *$'INBOX\tleave\tit has an index, UIDVALIDITY 1795934182'* ]]
	mindex show INBOX | diff before -
	run -0 mindex adopt -R INBOX
	[ "$(show 1 INBOX | tr '\n' ' ')" = '1 5 8 ' ]
}

@test "adopt: a list that is none leaves the folder alone" {
	dovecot_maildir
	echo nonsense >m/dovecot-uidlist
	run -75 mindex adopt -v
	[[ $output == *$'INBOX\tleave'* ]]
	[ ! -e m/pneu.snapshot ]
	[ "$(show 1 Work/2026)" = 7 ]
}

@test "adopt: a Maildir of Courier keeps its UIDs, keywords and UIDLs" {
	courier_maildir
	run -0 mindex adopt -v
	[[ $output == *$'.Entwürfe\trename\t.Entw&APw-rfe'* ]]
	run -0 show 1-3 INBOX
	[ "$output" = $'1\t\\Seen\tfoo baz
2\t\tbar foo
4\t\t' ]
	run -0 show 1-3
	[ "$output" = $'INBOX\t795934014\t6\nEntwürfe\t795934015\t1' ]
	run -0 cat m/pneu.uidl
	[ "$output" = $'pneu-uidl 1\n795934014\n1\tUID1-1795934065\n2\t1700000002.M2P1.h' ]
	run -0 cat m/subscriptions
	[ "$output" = $'Entw&APw-rfe\nINBOX\nA&-B' ]
}

@test "adopt: the UIDs that mbsync wrote into names" {
	folder m
	message 'm/cur/1700000001.M1P1.h,U=5:2,S' five
	message 'm/cur/1700000002.M2P1.h,U=3:2,' three
	message 'm/new/1700000003.M3P1.h' new
	printf '1234\n9\n' >m/.uidvalidity
	run -0 mindex adopt
	run -0 show 1,2 INBOX
	[ "$output" = $'3\t\n5\t\\Seen\n10\t' ]
	[ "$(show 2,3)" = $'1234\t11' ]
}
