#!/usr/bin/env bats
#
# mindex: a mailbox shown, taken over, brought along and given back.

load lib

setup() {
	at_home
	export MAILDIR=$PWD/m
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
		3 W29 Pold-name :1700000002.M2P1.h
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
	printf '# a remark\n\nuser=bob lrs :write-deleted expunge\n-user=eve w\n"user=a \\"b\\" c" l\nauthenticated lr\nanyone s\ngroup=staff lr\ngroup-override=x lr\nuser=odd lrz\nuser=anyone lrw\nuser=name :frob\n"user=open l\nuser=none\n' >m/.Open/dovecot-acl
	printf 'owner lr\nowner s' >m/.Shut/dovecot-acl
	printf 'owner lrwstipekxa\n' >m/.Left/dovecot-acl
	printf 'pneu-acl 1\nlra owner\n' >m/.Mine/pneu.acl
	printf 'owner lrs\n' >m/.Mine/dovecot-acl
	run -0 mindex adopt -n -v
	for l in group=staff group-override=x user=odd user=anyone user=name '"user=open'; do
		[[ $output == *$'Open\tacl\tleft: '"$l"* ]]
	done
	[ "$(grep -c 'left: ' <<<"$output")" -eq 6 ]
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

# An mbox as several programs write it.
make_mbox() {
	cat >"$1" <<-'EOF'
		From alice@example.org Sat Jan  3 01:05:34 1998
		From: alice@example.org
		Status: RO
		X-Status: AF
		X-Keywords: foo   Junk
		X-UID: 7
		Subject: first

		>From here
		>>From there

		From here on, no date, no message

		From bob@example.org Sun Jan  4 02:00:00 +0100 1998
		X-Mozilla-Status: 1001
		Subject: second
		Content-Length: 111

		From carol@example.org Mon Jan  5 01:05:34 1998

		From carol@example.org Mon Jan  5 01:05:34 1998

		This is text

		From carol@example.org Mon Jan  5 01:05:34 1998
		Subject: third

		twice

		From carol@example.org Mon Jan  5 01:05:34 1998
		Subject: third

		twice
	EOF
}

@test "import mbox: flags, keywords, dates, quoted lines, Content-Length" {
	folder m
	make_mbox box
	run -0 mindex import -n mbox Old box
	[ "$output" = $'Old\timport\t4 messages, 0 more were there' ]
	[ ! -e m/.Old ]
	run -0 mindex import -v mbox Old box
	[ "$output" = $'Old\timport\t4 messages, 0 more were there' ]
	run -0 show 1-3,5 Old
	[ "$output" = $'1\t\\Seen \\Answered \\Flagged\tfoo Junk\t1998-01-03T01:05:34Z
2\t\\Seen\t$Forwarded\t1998-01-04T01:00:00Z
3\t\t\t1998-01-05T01:05:34Z
4\t\t\t1998-01-05T01:05:34Z' ]
	f() { cat m/.Old/"$(show 9 Old | sed -n "$1p")"; }
	run -0 f 1
	[ "$output" = $'From: alice@example.org\nSubject: first\n\nFrom here\n>From there\n\nFrom here on, no date, no message' ]
	[ "$(f 2 | grep -c '^From carol')" -eq 2 ]
	! f 2 | grep -i 'content-length\|mozilla' || false
	[ "$(f 3)" = $'Subject: third\n\ntwice' ]
	# again: nothing is new; with one more: that one alone, by a pipe
	run -0 mindex import -v mbox Old box
	[ "$output" = $'Old\timport\t0 messages, 4 more were there' ]
	printf '\nFrom d Tue Jan  6 01:05:34 1998\n\nnew\n' >>box
	run -0 bash -c 'mindex import -v mbox Old - <box'
	[ "$output" = $'Old\timport\t1 messages, 4 more were there' ]
	[ "$(show 4,5 Old | wc -l)" -eq 5 ]
}

@test "import: the first FETCH of what came opens no message" {
	make_mbox box
	run -0 mindex import mbox Old box
	folder src
	for i in 1 2 3; do
		message "src/cur/170000000$i.M1P1.h:2,S" "$i"
	done
	run -0 mindex import maildir src
	printf '1 EXAMINE Old\r\n2 FETCH 1:* (ENVELOPE BODYSTRUCTURE RFC822.SIZE)\r\n3 EXAMINE INBOX\r\n4 FETCH 1:* (ENVELOPE BODYSTRUCTURE RFC822.SIZE)\r\n' >cmds
	strace -f -e trace=openat -o trace mimapd -p m <cmds >imap
	[ "$(grep -c 'ENVELOPE (' imap)" -eq 7 ]
	! grep -E '(mbox|M1P1)' trace || false
	run -0 mindex check
	[ -z "$output" ]
}

@test "import and restore: the quota holds, and the same command goes on" {
	mkdir conf
	make_mbox box
	quota() {
		printf '%s\n' "u@example.test:$(id -u):$(id -g):$PWD:maildir=m quota=$1" >conf/users
	}
	foretold() { # ARG ...: -n says where it ends, and writes nothing
		find m -type f ! -name 'pneu.*' -printf '%p %T@\n' | sort >before
		run -75 mindex "$1" -n "${@:2}"
		find m -type f ! -name 'pneu.*' -printf '%p %T@\n' | sort | diff before -
	}
	mkdir -p m/cur m/new m/tmp
	quota 1M,2
	foretold import mbox Old box
	[ "$output" = 'mindex: Old: over quota: the next message would have no room, 2 would be taken' ]
	run -75 mindex import -v mbox Old box
	[ "$output" = 'mindex: Old: over quota: the next message has no room, 2 were taken' ]
	[ "$(show 1 Old | wc -l)" -eq 2 ]
	[ -z "$(find m -path "*/tmp/*")" ]
	[ "$(tail -n +2 m/maildirsize | awk '{ n += $2 } END { print n }')" -eq 2 ]
	run -75 mindex import mbox Old box
	[ "$(show 1 Old | wc -l)" -eq 2 ]
	# another Maildir than that user's has what its maildirsize says
	folder other
	printf '1000000S,3C\n0 0\n' >other/maildirsize
	run -75 mindex -d other import mbox Old box
	[[ $output == *' 3 were taken' ]]
	folder free
	run -0 mindex -d free import mbox Old box
	[ ! -e free/maildirsize ]
	quota 100
	foretold restore free
	[[ $output == *': over quota: the next message would have no room, '* ]]
	run -75 mindex restore free
	[[ $output == *': over quota: the next message has no room, '* ]]
	# to the octet: by size it ends where it is said, whatever the limit
	size=$(cat free/.Old/cur/* | wc -c)
	for n in $((size / 3)) $((size / 2)) $((size - 1)) $size; do
		for how in 'mbox Old box' "maildir $PWD/free" "imap -- mimapd -p $PWD/free"; do
			rm -rf m && folder m
			quota $n
			said=$(mindex import -n $how 2>&1) && r=0 || r=$?
			[[ $said == *'over quota'* ]] && e=75 || e=0
			[ "$r" = $e ]
			run mindex import $how
			if [[ $how != imap* ]]; then
				[ "$status" = "$r" ]
				[[ $r = 0 || ${said/ would have / has } == "${output/ were taken/ would be taken}" ]]
			elif [ "$status" = 75 ]; then
				[ "$r" = 75 ]
			fi
		done
	done
	rm -rf m && folder m
	quota 1M,2
	run -75 mindex import mbox Old box
	quota 1M,10
	run -0 mindex import -v mbox Old box
	[[ $output == *'2 messages, 2 more were there' ]]
	run -0 mindex check
	[ -z "$output" ]
}

@test "import mbox: the UIDs that it has go into an empty mailbox" {
	folder m
	printf 'From a Sat Jan  3 01:05:34 1998\nX-IMAPbase: 1234567 0000000009 foo\nX-UID: 3\n\nx\n\nFrom a Sat Jan  3 01:05:34 1998\nX-UID: 7\n\ny\n' >box
	printf '1000000S\n0 0\n' >m/maildirsize
	run -0 mindex import mbox New box
	run -0 mindex check
	[ "$(show 2 | tail -n 1)" = 1234567 ]
	[ "$(show 1 New | xargs)" = '3 7' ]
	sed -i 's/^x$/other/' box
	run -0 mindex import mbox New box
	[ "$(show 1 New | xargs)" = '3 7 8' ]
	echo 'Subject: none' >none
	run -65 mindex import mbox New none
	[[ $output == *'none: no mbox'* ]]
	run -66 mindex import mbox New missing
	run -64 mindex import mbox New
	run -75 mindex import mbox a//b box
}

@test "import mbox: as much as one likes in little memory" {
	folder m
	python3 - <<-'EOF'
		with open("box", "w") as f:
		    for i in range(3):
		        f.write("From a Sat Jan  3 01:05:34 1998\nSubject: %d\n\n" % i)
		        for k in range(400000):
		            f.write("a line of a long message, not the first one\n")
		        f.write("\n")
	EOF
	(
		case $BUILD in
		*-san) ;;
		*) ulimit -v 40000 ;;
		esac
		mindex import mbox Big box
	)
	[ "$(show 7 Big | head -n 1)" -gt 18000000 ]
}

@test "import maildir: another Maildir, with Dovecot's UIDs and keywords" {
	dovecot_maildir
	mv m other
	folder m
	run -0 mindex import -n maildir other
	[[ $output == *$'INBOX\timport\t3 messages'* ]]
	[ ! -e m/.Work.2026 ]
	run -0 mindex import maildir other
	[ "$(find other -name 'pneu*' | wc -l)" -eq 0 ]
	run -0 show 1-3,5 INBOX
	[ "$output" = $'1\t\\Flagged\t$Forwarded foo\t2020-09-13T12:26:41Z
3\t\\Seen\tfoo bar\t2020-09-13T12:26:42Z
4\t\t\t2020-09-13T12:26:49Z' ]
	[ "$(show 2 | head -n 1)" = 1795934182 ]
	[ "$(cat m/subscriptions)" = Work.2026 ]
	# what is new later is taken, what was there is not
	message other/new/1700000010.M10P1.h ten
	run -0 mindex import -v maildir other
	[[ $output == *$'INBOX\timport\t1 messages, 3 more were there'* ]]
	[[ $output == *$'Work/2026\timport\t0 messages, 1 more were there'* ]]
	run -66 mindex import maildir nothing
}

@test "import maildir: a second time takes nothing, whatever the names are" {
	folder other
	folder m
	for n in 9.M1P1.h 10.M1P1.h 1.M5P1.h 1.M12P1.h 100.M1P1.h odd.name; do
		message "other/cur/$n:2,S" "$n"
	done
	run -0 mindex import maildir other
	run -0 mindex import -v maildir other
	[[ $output == *$'INBOX\timport\t0 messages, 6 more were there'* ]]
	run -0 mindex restore -v other
	[[ $output == *$'INBOX\timport\t0 messages, 6 more were there'* ]]
}

@test "restore: what the folder has lost comes back under new UIDs" {
	folder m
	for i in 1 2 3; do
		message "m/cur/170000000$i.M${i}P1.h:2,S" "$i" "160000000$i"
	done
	mindex show INBOX >/dev/null
	printf '1 SELECT INBOX\r\n2 STORE 2 +FLAGS (old \\Flagged)\r\n' | mimapd -p m
	cp -a m backup
	printf '1 SELECT INBOX\r\n2 STORE 1:2 +FLAGS (\\Deleted)\r\n3 EXPUNGE\r\n' | mimapd -p m
	[ "$(show 1 INBOX)" = 3 ]
	run -0 mindex restore -n -v backup
	[[ $output == *$'INBOX\tcopy\t1700000002.M2P1.h'* ]]
	[ "$(show 1 INBOX)" = 3 ]
	run -0 mindex restore backup INBOX
	run -0 show 1-3,5 INBOX
	[ "$output" = $'3\t\\Seen\t\t2020-09-13T12:26:43Z
4\t\\Seen\t\t2020-09-13T12:26:41Z
5\t\\Seen \\Flagged\told\t2020-09-13T12:26:42Z' ]
	run -0 mindex restore -v backup
	[[ $output == *$'INBOX\timport\t0 messages, 3 more were there'* ]]
	run -66 mindex restore backup None
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

# A Maildir src that mimapd serves; 120 messages in INBOX, UIDs with gaps.
imap_source() {
	folder src
	for i in $(seq 120); do
		printf 'Subject: %s\n\nline\r\r\nb\rc\n%s\n' "$i" "$(printf '%0500d' "$i")" \
			>"src/cur/17000${i}00.M${i}P1.h:2,S"
		touch -d "@$((1600000000 + i))" "src/cur/17000${i}00.M${i}P1.h:2,S"
	done
	printf '1 SELECT INBOX\r\n2 STORE 7 +FLAGS (foo $Forwarded \\Flagged)\r\n3 STORE 3,50:60 +FLAGS.SILENT \\Deleted\r\n4 EXPUNGE\r\n5 CREATE A/B&AOQ-\r\n6 SUBSCRIBE A/B&AOQ-\r\n7 COPY 1:3 A/B&AOQ-\r\n8 CREATE Gone (USE (\\Trash))\r\n9 LOGOUT\r\n' |
		mimapd -p src >/dev/null
}

# What is in a mailbox but for names of files and MODSEQ.
content() {
	MAILDIR=$1 mindex show "$2" | cut -f 1-3,5,7
}

@test "import imap: all of an account, with UIDs, and what is new later" {
	imap_source
	folder m
	run -0 mindex import -n imap -- mimapd -p src
	[[ $output == *$'INBOX\timport\t108 messages, 0 more were there'* ]]
	[ ! -e m/.A.B* ]
	run -0 mindex import imap -- mimapd -p src
	diff <(content src INBOX) <(content m INBOX)
	diff <(content src 'A/Bä') <(content m 'A/Bä')
	MAILDIR=src mindex show | cut -f 1-3,5-7 | sort >a
	mindex show | cut -f 1-3,5-7 | sort | diff a -
	diff src/subscriptions m/subscriptions
	diff src/pneu.special-use m/pneu.special-use
	cmp src/"$(MAILDIR=src mindex show INBOX | sed -n '9s/.*\t//p')" \
		m/"$(mindex show INBOX | sed -n '9s/.*\t//p')"
	# deleted here, new there
	printf '1 SELECT INBOX\r\n2 STORE 1 +FLAGS.SILENT \\Deleted\r\n3 EXPUNGE\r\n' |
		mimapd -p m >/dev/null
	message src/new/1800000000.M1P1.h new
	run -0 mindex import -v imap -- mimapd -p src
	[[ $output == *$'INBOX\timport\t1 messages, 0 more were there'* ]]
	[ "$(show 1 INBOX | wc -l)" -eq 108 ]
	[ "$(show 1 INBOX | tail -n 1)" = 121 ]
}

@test "import imap: cut off anywhere, the next run goes on" {
	imap_source
	folder m
	for n in 1 200 5000 40000; do
		run -75 mindex import imap -- \
			bash -c "exec dd bs=1 count=$n status=none < <(mimapd -p src)"
		[[ $output == *'the server has gone'* ]]
	done
	[ "$(show 1 INBOX | wc -l)" -ge 40 ]
	run -0 mindex import imap -- mimapd -p src
	diff <(content src INBOX) <(content m INBOX)
	# the state was lost, or a crash came between: nothing twice
	rm m/pneu.import
	run -0 mindex import -v imap -- mimapd -p src
	[[ $output == *$'INBOX\timport\t0 messages, 108 more were there'* ]]
}

@test "import imap: only some mailboxes, into one that is in use" {
	imap_source
	folder m
	message m/new/1700000000.M1P1.h mine
	mindex show INBOX >/dev/null
	run -0 mindex import -v imap only=INBOX not=Gone -- mimapd -p src
	[[ $output == *$'Gone\tleave\tnot wanted'* ]]
	[ "$(show 1 INBOX | wc -l)" -eq 109 ]
	[ ! -e m/.Gone ]
	run -64 mindex import imap
	run -64 mindex import imap frob=1 -- true
	run -69 mindex import imap -- /no/such/program
	run -76 mindex import imap -- printf 'what is this\r\n'
}

@test "import imap: a login, other separators and old servers" {
	folder m
	cat >server <<-'EOF'
		#!/usr/bin/env python3
		import sys, base64
		mode = sys.argv[1]
		def say(s): sys.stdout.write(s + "\r\n"); sys.stdout.flush()
		say("* OK ready")
		for line in sys.stdin:
		    tag, _, rest = line.strip().partition(" ")
		    word = rest.split()[0].upper()
		    if word == "CAPABILITY":
		        say("* CAPABILITY IMAP4rev1 NAMESPACE" + {"plain": " AUTH=PLAIN", "no": " LOGINDISABLED"}.get(mode, ""))
		    elif word == "LOGIN" and rest != 'LOGIN "me" "a \\"b\\\\"':
		        say(tag + " NO wrong"); continue
		    elif word == "AUTHENTICATE":
		        say("+ ")
		        if base64.b64decode(sys.stdin.readline()) != b'\0me\0a "b\\':
		            say(tag + " NO wrong"); continue
		    elif word == "NAMESPACE":
		        say('* NAMESPACE (("INBOX." ".")) NIL NIL')
		    elif word == "LIST":
		        say('* LIST (\\Noselect) "." INBOX.Top')
		        say('* LIST () "." {14}\r\nINBOX.Top.a/bc')
		        say('* LIST () "." "INBOX"')
		    elif word == "LSUB":
		        say('* LSUB () "." "INBOX.Top.a/bc"')
		    elif word == "EXAMINE":
		        say("* 2 EXISTS\r\n* OK [UIDVALIDITY 42] x\r\n* OK [UIDNEXT 20] x")
		    elif rest.endswith(":* (UID)"):
		        say("* 1 FETCH (UID 5)\r\n* 2 FETCH (UID 9)")
		    elif "BODY.PEEK[]" in rest:
		        say('* 1 FETCH (BODY[] "short" FLAGS (\\Recent kw) UID 5 INTERNALDATE " 3-Jan-1998 01:05:34 +0000")')
		        say('* 2 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (UID 9 BODY[] NIL X (1 (2)))')
		    say(tag + " OK done")
	EOF
	chmod +x server
	printf 'a "b\\\n' >pw
	for mode in login plain; do
		rm -rf m && folder m
		run -0 mindex import -v -w 3 imap user=me -- ./server $mode 3<pw
		[ "$(cut -f 1-3,5 <(mindex show INBOX))" = $'5\t\t'"kw"$'\t1998-01-03T01:05:34Z
9\t\t\t'"$(cut -f 5 <(mindex show INBOX) | tail -n 1)" ]
		[ "$(show 1-3 Top/a_bc)" = $'5\t\tkw\n9\t\t' ]
		[ "$(show 2,3 | tail -n 1)" = $'42\t20' ]
		[ "$(cat m/subscriptions)" = Top.a_bc ]
	done
	run -77 mindex import -w 3 imap user=you -- ./server login 3<pw
	[[ $output == *'refuses the login'* ]]
	run -77 mindex import imap -- ./server login
	run -69 mindex import -w 3 imap user=me -- ./server no 3<pw
}

@test "import imap: a token, by either mechanism, and what is wrong with it" {
	folder m
	cat >server <<-'EOF'
		#!/usr/bin/env python3
		import sys, base64
		mech, ir, good = sys.argv[1:]
		log = open("said", "w")
		def say(s): sys.stdout.write(s + "\r\n"); sys.stdout.flush()
		def hear(): s = sys.stdin.readline().strip(); log.write(s + "\n"); return s
		want = {"OAUTHBEARER": b"n,a=m=2Ce=3D@x,\1auth=Bearer %s\1\1",
		        "XOAUTH2": b"user=m,e=@x\1auth=Bearer %s\1\1"}
		say("* OK ready")
		while line := hear():
		    tag, word, *rest = line.split()
		    if word == "CAPABILITY":
		        say("* CAPABILITY IMAP4rev1 AUTH=PLAIN " + " ".join("AUTH=" + m for m in mech.split("+")) + " SASL-IR" * (ir == "ir"))
		    elif word == "AUTHENTICATE":
		        if ir == "late":
		            say("+ ")
		        text = base64.b64decode(rest[1] if ir == "ir" else hear())
		        if rest[0] != mech.split("+")[0] or text != want[rest[0]] % open("good", "rb").read():
		            say("+ " + base64.b64encode(b'{"status":"400\x1b"}').decode())
		            if hear() != {"OAUTHBEARER": "AQ==", "XOAUTH2": ""}[rest[0]]:
		                say(tag + " BAD what is this"); continue
		            say(tag + " NO [AUTHENTICATIONFAILED] no"); continue
		    elif word == "LIST":
		        say('* LIST () "/" INBOX')
		    elif word == "EXAMINE":
		        say("* 0 EXISTS\r\n* OK [UIDVALIDITY 42] x\r\n* OK [UIDNEXT 20] x")
		    say(tag + " OK done")
	EOF
	chmod +x server
	head -c 5377 /dev/zero | tr '\0' t >good # some are long
	{ head -c 5377 good; printf '\r\nnot this\n'; } >token
	echo stale >stale
	for mech in OAUTHBEARER XOAUTH2 OAUTHBEARER+XOAUTH2; do
		for ir in ir late; do
			run -0 mindex import -w 3 imap user=m,e=@x auth=token -- \
				./server $mech $ir x 3<token
			run -77 mindex import -w 3 imap user=m,e=@x auth=token -- \
				./server $mech $ir x 3<stale
			[[ $output == *'refuses the login: NO [AUTHENTICATIONFAILED] no: {"status":"400?"}' ]]
			[[ $output != *stale* ]]
		done
	done
	run -69 mindex import -w 3 imap user=me auth=token -- ./server PLAIN ir x 3<token
	[[ $output == *'takes no token'* ]]
	run -64 mindex import -w 3 imap user=me auth=token -- \
		./server XOAUTH2 ir x 3< <(echo a b)
	run -64 mindex import -w 3 imap user=me auth=token -- \
		./server XOAUTH2 ir x 3< <(head -c 7200 /dev/zero | tr '\0' t)
	run -64 mindex import imap user=me auth=tokens -- true
}

@test "import imap: what does not come is said, and asked for again" {
	folder m
	cat >server <<-'EOF'
		#!/usr/bin/env python3
		import re, sys
		mode = sys.argv[1]
		def say(s): sys.stdout.write(s + "\r\n"); sys.stdout.flush()
		say("* PREAUTH ready")
		for line in sys.stdin:
		    tag, _, rest = line.strip().partition(" ")
		    word = rest.split()[0].upper()
		    if word == "LIST":
		        say('* LIST () "." "INBOX"\r\n* LIST () "." "Other"')
		    elif word == "EXAMINE":
		        n = 0 if mode == "empty" else 4
		        say(f"* {n} EXISTS\r\n* OK [UIDVALIDITY 42] x")
		    elif rest.endswith(":* (UID)"):
		        if mode in ("refuse", "empty"):
		            say(tag + " NO not now"); continue
		        for u in 9, 5, 8, 5, 6:          # in no order, and twice
		            say(f"* {u} FETCH (UID {u})")
		    elif "BODY.PEEK[]" in rest:
		        asked = rest.split()[2]
		        for u in 5, 6, 8, 9, 7:          # 7 was not asked for
		            if not any(int(a) <= u <= int(b) for a, b in
		                    (x.split(":") for x in asked.split(","))) and u != 7:
		                continue
		            if u == 6 and mode in ("leave", "no"):
		                continue
		            for i in 0, 1:
		                say('* %d FETCH (UID %d BODY[] "m%d")' % (u, u, u))
		        if mode == "no" and ("5:6" in asked or "6:6" in asked):
		            say(tag + " NO can't read that"); continue
		    say(tag + " OK done")
	EOF
	chmod +x server
	for mode in leave no; do
		rm -rf m && folder m
		run -75 mindex import -v imap -- ./server $mode
		[[ $output == *'INBOX: UID 6 does not come'* ]]
		[ "$(show 1 INBOX | xargs)" = '5 8 9' ]
		[ "$(show 1 Other | xargs)" = '5 8 9' ]
		run -0 mindex import -v imap -- ./server all
		[[ $output == *$'INBOX\timport\t1 messages, 2 more were there'* ]]
		[ "$(show 1 INBOX | wc -l)" = 4 ]
		grep -lx m6 m/cur/*
		run -0 mindex import -v imap -- ./server all
		[[ $output == *$'INBOX\timport\t0 messages, 0 more were there'* ]]
	done
	# a refusal is no empty mailbox; an empty one is not asked
	rm -rf m && folder m
	run -75 mindex import imap -- ./server refuse
	[[ $output == *'INBOX: the server says NO not now'* ]]
	[[ $output == *'Other: the server says NO not now'* ]]
	run -0 mindex import imap -- ./server empty
}

@test "import imap: a list of mailboxes without end, and names that are none" {
	folder m
	cat >server <<-'EOF'
		#!/usr/bin/env python3
		import sys
		def say(s): sys.stdout.write(s + "\r\n"); sys.stdout.flush()
		say("* PREAUTH ready")
		for line in sys.stdin:
		    tag, _, rest = line.strip().partition(" ")
		    if rest.startswith("LIST"):
		        sys.stdout.write("".join('* LIST (\\Noselect) "/" b%d\r\n' % i for i in range(150000)))
		        say('* LIST () "/" "%s"\r\n* LIST () "/" B\r\n* LIST () "/" A' % ("x" * 5000))
		    elif rest.startswith("LSUB"):
		        say('* LSUB () "/" "A"\r\n* LSUB () "/" "gone"')
		    elif rest.startswith("EXAMINE"):
		        say("* 0 EXISTS")
		    say(tag + " OK done")
	EOF
	chmod +x server
	run -75 timeout 120 mindex import -v imap -- ./server
	[[ $output == *'a mailbox is left'* ]]
	[ "$(sed -n 's/\timport\t.*//p' <<<"$output" | xargs)" = 'B A' ]
	[ "$(cat m/subscriptions)" = A ]
}

@test "import: what was cut off goes on with the UIDs, but for absurd ones" {
	folder m
	for i in $(seq 300); do
		printf 'From a Thu Jan  1 00:00:%02d 1998\nX-UID: %d\n' $((i % 60)) $((2 * i))
		[ "$i" -gt 1 ] || printf 'X-IMAPbase: 42 600\n'
		printf 'Subject: %d\n\nx\n\n' "$i"
	done >box
	head -n 1495 box >part
	run -0 mindex import mbox INBOX part
	run -0 mindex import mbox INBOX box
	[ "$(show 1 INBOX | xargs)" = "$(seq 2 2 600 | xargs)" ]
	[ "$(show 2,3 | head -n 1)" = $'42\t601' ]
	sed 's/^X-UID: 600$/X-UID: 4294967290/' box >absurd
	run -0 mindex import mbox New absurd
	[ "$(show 1 New | tail -n 2 | xargs)" = '598 599' ]
}

@test "import mbox: a file that ends in a header loses nothing of it" {
	folder m
	for end in 'X-Odd' 'Status: RO' 'Status: RO\n' 'X-Odd: 1'; do
		printf "From a Thu Jan  1 00:00:01 1998\nSubject: x\nX-Status: F\n$end" >box
		run -0 mindex import mbox "${#end}" box
	done
	[ "$(cat m/.5/cur/* m/.8/cur/* | xargs)" = 'Subject: x X-Odd Subject: x X-Odd: 1' ]
	[ "$(show 2 10)" = '\Seen \Flagged' ]
	[ "$(show 2 12)" = '\Seen \Flagged' ]
}

@test "import maildir: names too long for sizes, and two files of one name" {
	folder m
	folder src
	long=1700000001.$(printf '%0220d' 1)
	message "src/cur/$long:2,S" long
	message src/cur/1700000002.M2P1.h:2,S two
	message src/cur/1700000002.M2P1.h:2,RS "two, too"
	run -75 mindex import -v maildir src
	[[ $output == *'not taken, another has this name'* ]]
	[ "$(show 1 INBOX | wc -l)" = 2 ]
	grep -lx 'Subject: long' m/cur/*
	run -75 mindex import -v maildir src
	[[ $output == *$'INBOX\timport\t0 messages, 2 more were there'* ]]
	rm src/cur/1700000002.M2P1.h:2,RS
	run -0 mindex import -v maildir src
}

@test "adopt: a folder without UIDs to give is not adopted" {
	dovecot_maildir
	sed -i '1s/N[0-9]*/N4294967295/' m/dovecot-uidlist
	run -65 mindex adopt INBOX
	[[ $output == *'too few UIDs are left'* ]]
	[ "$(show 1 INBOX | xargs)" = '1 2 3' ]
}

# A Maildir of three messages that mimapd has told of.
indexed() {
	folder m
	for i in 1 2 3; do
		message "m/cur/170000000$i.M${i}P1.h,S=22,W=25:2,S" "$i"
	done
	printf '1 SELECT INBOX\r\n2 FETCH 1:* (ENVELOPE BODYSTRUCTURE RFC822.SIZE)\r\n3 STORE 2 +FLAGS foo\r\n' |
		mimapd -p m >imap
	mindex show INBOX >before
}

# check finds this, and repair mends it.
finds() {
	find m -type f | sort | xargs md5sum >files
	run -1 mindex check
	[[ $output == *"$1"* ]]
	find m -type f | sort | xargs md5sum | diff files -
	run -0 mindex repair
	run -0 mindex check
	[ -z "$output" ]
}

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
