#!/usr/bin/env bats
#
# mindex(8), adopt and export: a Maildir of Dovecot or Courier is taken over, and
# given back.

load lib
load mindex.sh

@test "adopt -R: no UID that was given here names another message" {
	dovecot_maildir
	run -0 mindex adopt
	for i in 4 5 6; do
		message m/new/170001000$i.M1P1.h "new $i"
		mindex show INBOX >/dev/null
	done
	mindex show INBOX | cut -f 1,7 | sed 's/:2.*//' >before
	high=$(mindex show -j | sed -n 's/.*"mailbox":"INBOX".*"modseq":\([0-9]*\).*/\1/p')
	rm m/new/1700010004* m/cur/1700010004* 2>/dev/null || true
	run -0 mindex adopt -R
	mindex show INBOX | cut -f 1,7 | sed 's/:2.*//' >after
	# who has a UID of before is the same message
	join -j 1 <(sort before) <(sort after) | awk '$2 != $3 { exit 1 }'
	[ "$(tail -n 1 after | cut -f 1)" -gt "$(tail -n 1 before | cut -f 1)" ]
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
	sed -i 's/^3 W29/5 W29/' m/dovecot-uidlist
	run -0 mindex adopt -v INBOX
	[[ $output == *$'INBOX\tleave\tit has an index, UIDVALIDITY 1795934182'* ]]
	mindex show INBOX | diff before -
	run -0 mindex adopt -R INBOX
	[ "$(show 1 INBOX | tr '\n' ' ')" = '1 5 9 ' ]
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

@test "adopt: the rights that Courier keeps, but for those of groups" {
	courier_maildir
	for f in Shut Open Mine; do
		folder m/.$f
		printf '1 795934020 1\n' >m/.$f/courierimapuiddb
	done
	# as maildiracl(1) 1.0.16 has written them
	printf 'owner aceilrstwx\nadministrators aceilrstwx\n' >m/courierimapacl
	printf 'owner aceiklrstwx\nadministrators aceilrstwx\nuser=bob lrs\n-user=eve w\nanonymous lr\nanyone s\ngroup=staff lr\n' >m/.Open/courierimapacl
	printf 'owner alrs\n' >m/.Shut/courierimapacl
	printf 'pneu-acl 1\nlra owner\n' >m/.Mine/pneu.acl
	printf 'owner alrswi\n' >m/.Mine/courierimapacl
	run -0 mindex adopt -n -v
	[[ $output == *$'Shut\tacl\tcourierimapacl\nShut\tacl\towner lrsa'* ]]
	[[ $output == *$'Open\tacl\tleft: group=staff lr'* ]]
	[[ $output == *$'Mine\tacl\tthere is one'* ]]
	[ ! -e m/.Shut/pneu.acl ]
	run -0 mindex adopt
	[ -z "$output" ]
	[ ! -e m/pneu.acl ]
	[ "$(cat m/.Mine/pneu.acl)" = $'pneu-acl 1\nlra owner' ]
	[ "$(cat m/.Shut/pneu.acl)" = $'pneu-acl 1\nlrsa owner' ]
	[ "$(sort m/.Open/pneu.acl)" = "$(sort <<<$'pneu-acl 1\nlrswipkxtea owner\nlrs bob\nw -eve\nlrs anyone')" ]
	printf '1 MYRIGHTS Shut\r\n2 SELECT Shut\r\n3 MYRIGHTS INBOX\r\n' | mimapd -p m >imap
	grep '^\* MYRIGHTS "Shut" "\?lrsa' imap
	grep '^2 OK' imap
	grep '^\* MYRIGHTS "INBOX" "\?lrswipkxteacd' imap
}

@test "adopt: the rights that Dovecot keeps, but for those of groups" {
	dovecot_maildir
	for f in Open Shut Left Mine; do
		folder m/.$f
		printf '3 V1795934182 N1 Gf82a7616e6c70b6b7a55000083ecc375\n' >m/.$f/dovecot-uidlist
	done
	printf '# a remark\n\nuser=bob lrs :write-deleted expunge\n-user=eve w\n"user=a \\"b\\" c" l\nauthenticated lr\nanyone s\ngroup=staff lr\ngroup-override=x lr\nuser=odd lrz\nuser=anyone lrw\nuser=name :frob\n"user=open l\nuser=none\n"user=cut \\' >m/.Open/dovecot-acl
	printf 'owner lr\nowner s' >m/.Shut/dovecot-acl
	printf 'owner lrwstipekxa\n' >m/.Left/dovecot-acl
	printf 'pneu-acl 1\nlra owner\n' >m/.Mine/pneu.acl
	printf 'owner lrs\n' >m/.Mine/dovecot-acl
	run -0 mindex adopt -n -v
	for l in group=staff group-override=x user=odd user=anyone user=name '"user=open' '"user=cut'; do
		[[ $output == *$'Open\tacl\tleft: '"$l"* ]]
	done
	[ "$(grep -c 'left: ' <<<"$output")" -eq 7 ]
	[ ! -e m/.Open/pneu.acl ]
	run -0 mindex adopt
	[ ! -e m/pneu.acl ]
	[ ! -e m/.Left/pneu.acl ]
	[ "$(cat m/.Mine/pneu.acl)" = $'pneu-acl 1\nlra owner' ]
	# the owner keeps a
	[ "$(cat m/.Shut/pneu.acl)" = $'pneu-acl 1\nlrsa owner' ]
	[ "$(sort m/.Open/pneu.acl)" = "$(sort <<<$'pneu-acl 1\nlrswipkxtea owner\nlrste bob\nw -eve\nl a "b" c\nlrs anyone\n- none')" ]
	printf '1 MYRIGHTS Shut\r\n2 SELECT Shut\r\n3 MYRIGHTS Open\r\n4 GETACL Open\r\n' | mimapd -p m >imap
	grep '^\* MYRIGHTS "Shut" "\?lrsa' imap
	grep '^2 OK' imap
	grep '^\* MYRIGHTS "Open" "\?lrswipkxtea' imap
	grep '^4 OK' imap
}

@test "adopt: where Dovecot had no letter for a keyword, that is said" {
	dovecot_maildir
	run -0 mindex adopt -n
	[[ $output != *26th* ]]
	for i in $(seq 0 27); do echo "$i key$i"; done >m/dovecot-keywords
	run -0 mindex adopt -n
	[[ $output == *$'INBOX\tleave\tkeywords after the 26th, '* ]]
	[[ $output != *'passed over'* ]]
	head -n 26 m/dovecot-keywords >k
	mv k m/dovecot-keywords
	run -0 mindex adopt -v
	[[ $output == *$'INBOX\tleave\tkeywords after the 26th, '* ]]
	[ "$(show 3 INBOX | head -n 1)" = 'key0 key1' ]
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

@test "export: what Dovecot and Courier read" {
	dovecot_maildir
	run -0 mindex adopt
	printf '1 SELECT INBOX\r\n2 STORE 3 +FLAGS (bar baz)\r\n3 STORE 2 -FLAGS bar\r\n' |
		mimapd -p m >/dev/null
	run -0 mindex export -n dovecot
	[[ $output == *$'INBOX\texport\tUIDVALIDITY 1795934182, UIDNEXT 9, 3 messages'* ]]
	grep -q 'M3P1' m/dovecot-uidlist
	run -0 mindex export dovecot
	[ -z "$output" ]
	run -0 cat m/dovecot-uidlist
	[ "$output" = '3 V1795934182 N9 Gf82a7616e6c70b6b7a55000083ecc375
1 P000000016b0bc7e6 :1700000001.M1P1.h
3 Pold-name W29 :1700000002.M2P1.h
8 :1700000009.M9P1.h' ]
	[ "$(cat m/dovecot-keywords)" = $'0 $Forwarded\n1 foo\n2 bar\n3 baz' ]
	[ -e 'm/cur/1700000001.M1P1.h:2,FPab' ]
	[ -e 'm/cur/1700000002.M2P1.h:2,Sb' ]
	[ -e 'm/cur/1700000009.M9P1.h:2,cd' ]
	# our own view of it is the same as before
	[ "$(show 1,3 INBOX)" = $'1\t$Forwarded foo\n3\tfoo\n8\tbar baz' ]
	run -0 mindex export courier INBOX
	run -0 cat m/courierimapuiddb m/courierimapkeywords/:list m/courierimapsubscribed
	[ "$output" = '1 1795934182 9
1 1700000001.M1P1.h
3 1700000002.M2P1.h
8 1700000009.M9P1.h
$Forwarded
foo
bar
baz

1700000001.M1P1.h:0 1
1700000002.M2P1.h:1
1700000009.M9P1.h:2 3
INBOX.Work.2026' ]
	run -64 mindex export cyrus
}

@test "adopt: a folder without UIDs to give is not adopted" {
	dovecot_maildir
	sed -i '1s/N[0-9]*/N4294967295/' m/dovecot-uidlist
	run -65 mindex adopt INBOX
	[[ $output == *'too few UIDs are left'* ]]
	[ "$(show 1 INBOX | xargs)" = '1 2 3' ]
}
