#!/usr/bin/env bats
#
# mimapd(8): mailboxes as a set: their names, quota, metadata, rights.

load lib
load imap

setup() {
	at_home
	mkdir conf
	echo example.test >conf/domains
	user ''
}

# user OPTIONS: the line of the one user
user() {
	printf '%s\n' "u@example.test:$(id -u):$(id -g):$PWD:maildir=box $1" \
		>conf/users
}

both() {
	for mode in whole bytes; do
		rm -rf box
		play "$mode" "$ROOT/t/imap/boxes/$1.txt" box
	done
}

@test "quota: told, kept up by all commands, and refused before a literal" {
	user quota=2K,4
	both quota
	run -0 cat box/maildirsize
	[ "${lines[0]}" = "2048S,4C" ]
}

@test "quota: without one there is no root, nothing is counted or written" {
	run -0 say "a GETQUOTAROOT INBOX" 'b GETQUOTA ""' \
		"c SETQUOTA ROOT (STORAGE 1)"
	[ "${lines[1]}" = '* QUOTAROOT "INBOX"' ]
	[[ ${lines[2]} == "a OK"* ]]
	[[ ${lines[3]} == "b NO [NONEXISTENT]"* ]]
	[[ ${lines[4]} == "c NO [NOPERM]"* ]]
	[ ! -e box/maildirsize ]
}

@test "quota: the file of another program holds where users say nothing" {
	mkdir -p box/cur box/new box/tmp
	echo "3000S" >box/maildirsize
	run -0 say "a GETQUOTAROOT INBOX"
	[ "${lines[2]}" = '* QUOTA "ROOT" (STORAGE 0 2)' ]
}

@test "names with the prefix INBOX. and dots, as Courier has them, end to end" {
	user 'separator=. prefix=INBOX.'
	both courier
	[ -d box/.Work.2027 ]
}

@test "a mailbox that can't have its use is not made" {
	mkdir -p box/cur box/new box/tmp
	echo pneu-special-use 99 >box/pneu.special-use
	run -0 say 'a CREATE Sent (USE (\Sent))' 'b STATUS Sent (MESSAGES)'
	[[ ${lines[1]} == "a NO "* ]]
	[ ! -e box/.Sent ]
}

@test "the file imap gives separator, prefix and uses to all" {
	printf '%s\n' 'separator .' 'prefix INBOX.' 'sent Raus' >conf/imap
	run -0 say "a CREATE INBOX.Raus" "b LIST (SPECIAL-USE) \"\" *" \
		"c NAMESPACE"
	[ "${lines[2]}" = '* LIST (\HasNoChildren \Sent) "." "INBOX.Raus"' ]
	[ "${lines[4]}" = '* NAMESPACE (("INBOX." ".")) NIL NIL' ]
	user 'separator=/ prefix='
	run -0 say "c NAMESPACE"
	[ "${lines[1]}" = '* NAMESPACE (("" "/")) NIL NIL' ]
}

@test "a word that the file imap does not have is logged, and hurts nobody" {
	printf '%s\n' 'separator .' 'sepparator /' 'trash Muell' >conf/imap
	run -0 say "c NAMESPACE"
	[ "${lines[1]}" = '* NAMESPACE (("" ".")) NIL NIL' ]
	grep -q 'imap:2: ' log
	run ! grep -q 'imap:[13]: ' log
}

@test "mbsync finds folders below INBOX. by itself, both ways" {
	command -v mbsync >/dev/null || skip "no mbsync"
	user 'separator=. prefix=INBOX.'
	run -0 say "a CREATE INBOX.Work.2026"
	mkdir -p local/New/cur local/New/new local/New/tmp
	printf 'Subject: new\n\nhi\n' >local/New/cur/1.a.b:2,S
	printf '%s\n' 'IMAPStore far' 'Tunnel "mimapd -p box 2>>log"' '' \
		'MaildirStore near' "Path $PWD/local/" "Inbox $PWD/local/INBOX" \
		'SubFolders Verbatim' '' 'Channel c' 'Far :far:' 'Near :near:' \
		'Patterns *' 'Create Both' 'SyncState *' >mbsyncrc
	run -0 mbsync -c mbsyncrc -a
	[ -d local/Work/2026/cur ]
	[ "$(ls box/.New/cur | wc -l)" = 1 ]
}

@test "a prefix that does not end with the separator serves nobody" {
	user 'prefix=INBOX.'
	run -75 mimapd -p box <<<''
	[[ $output == *"* BYE "* ]]
	[[ $output == *"prefix INBOX.: "* ]]
}

@test "LIST: the options of selection and return, alone and together" {
	both list
}

@test "metadata of mailboxes and the server are kept, moved, listed, removed" {
	both metadata
}

@test "metadata: values of 4096 bytes, a NUL in them, and 100 entries" {
	big=$(head -c 4096 /dev/zero | tr '\0' x)
	run -0 say "a SETMETADATA INBOX (/shared/big \"$big\")" \
		"b SETMETADATA INBOX (/shared/big \"y$big\")" \
		"c GETMETADATA INBOX (MAXSIZE 4095) /shared/big"
	[[ ${lines[1]} == "a OK "* ]]
	[[ ${lines[2]} == "b NO [METADATA MAXSIZE 4096] "* ]]
	[[ ${lines[3]} == "c OK [METADATA LONGENTRIES 4096] "* ]]
	many=$(seq -f '/shared/%g "x"' 99)
	run -0 say "a SETMETADATA INBOX (${many//$'\n'/ })" \
		'b SETMETADATA INBOX (/shared/more "x" /shared/1 "y")' \
		'c GETMETADATA INBOX (/shared/1 /shared/more)' \
		'd SETMETADATA INBOX (/shared/more "x" /shared/big NIL)'
	[[ ${lines[1]} == "a OK "* ]]
	[[ ${lines[2]} == "b NO [METADATA TOOMANY] "* ]]
	[ "${lines[3]}" = '* METADATA "INBOX" (/shared/1 "x" /shared/more NIL)' ]
	[[ ${lines[5]} == "d OK "* ]]
	printf 'a SETMETADATA INBOX (/shared/1 ~{3+}\r\nx\0y)\r\n%s\r\n' \
		"b GETMETADATA INBOX /shared/1" | mimapd -p box >out 2>log
	grep -aq '^\* METADATA "INBOX" (/shared/1 ~{3}' out
}

@test "metadata: who runs the server is not for clients to say" {
	run -0 say 'a SETMETADATA "" (/shared/comment "x" /Shared/Admin "mailto:y")' \
		'b GETMETADATA "" (/shared/comment /shared/admin)'
	[[ ${lines[1]} == "a NO [NOPERM] "* ]]
	[ "${lines[2]}" = '* METADATA "" (/shared/comment NIL /shared/admin NIL)' ]
}

@test "metadata: a damaged file loses what is behind the damage, no more" {
	run -0 say 'a SETMETADATA INBOX (/shared/a "1" /shared/b "2")'
	sed -i 's/^.shared.b 1/&0/' box/pneu.metadata
	run -0 say 'a GETMETADATA INBOX (/shared/a /shared/b)'
	[ "${lines[1]}" = '* METADATA "INBOX" (/shared/a "1" /shared/b NIL)' ]
	echo 'pneu-metadata 2' >box/pneu.metadata
	run -0 say 'a GETMETADATA INBOX /shared/a' \
		'b SETMETADATA INBOX (/shared/a "x")'
	[[ ${lines[1]} == "a NO [UNAVAILABLE]"* ]]
	[[ ${lines[2]} == "b NO [UNAVAILABLE]"* ]]
	[ "$(cat box/pneu.metadata)" = "pneu-metadata 2" ]
}

@test "ACL: the rights of the owner are kept, inherited, and what each allows" {
	both acl
}

@test "ACL: without s a FETCH leaves a message unseen, without e CLOSE keeps it" {
	run -0 say "a APPEND INBOX (\\Deleted) {1+}" "x" \
		"b SETACL INBOX owner -se" "c SELECT INBOX" \
		"d FETCH 1 (BODY[] FLAGS)" "e CLOSE" "f STATUS INBOX (MESSAGES UNSEEN)"
	[[ $output == *"d OK"* ]]
	[[ $output == *"e OK"* ]]
	[[ $output == *"(MESSAGES 1 UNSEEN 1)"* ]]
}

@test "ACL: a file of a later release leaves the owner l and a" {
	run -0 say "a CREATE Work"
	echo 'pneu-acl 2' >box/.Work/pneu.acl
	run -0 say "a MYRIGHTS Work" "b SELECT Work" "c SETACL Work owner lr"
	[ "${lines[1]}" = '* MYRIGHTS "Work" la' ]
	[[ ${lines[3]} == "b NO [NOPERM]"* ]]
	[[ ${lines[4]} == "c NO [UNAVAILABLE]"* ]]
}

notify() {
	rm -rf box
	run -0 python3 "$ROOT/t/imap/notify.py" box "$1" 3>&-
}

@test "NOTIFY: every event of the selected mailbox and of others" {
	notify events
}

@test "NOTIFY: a renamed INBOX is told with its old name" {
	notify inbox
}

@test "NOTIFY: what a client does itself is no news to it" {
	notify own
}

@test "NOTIFY: SELECTED-DELAYED keeps the numbers until a command" {
	notify delayed
}

@test "NOTIFY NONE is silence, and SET tells what has accumulated" {
	notify none
}

@test "NOTIFY: IDLE tells the same, and what was delayed" {
	notify idle
}

@test "NOTIFY: with QRESYNC there are MODSEQs, and VANISHED" {
	notify condstore
}

@test "NOTIFY: without the right r a mailbox is NoAccess, until it is given" {
	notify rights
}

@test "NOTIFY: a search that is kept has items told of what comes" {
	notify update
}

@test "NOTIFY: what is wrong is said" {
	notify bad
}

@test "NOTIFY: where inotify is refused the same is found by looking" {
	mkdir bin
	printf '#!/bin/sh\nexec strace -o /dev/null -e %s %s "$@"\n' \
		inject=inotify_init1:error=EMFILE "$(command -v mimapd)" >bin/mimapd
	chmod +x bin/mimapd
	PATH=$PWD/bin:$PATH notify poll
}

@test "NOTIFY: more than 5000 mailboxes are too many, at once or later" {
	rm -rf box
	mkdir -p box/tmp box/new box/cur
	seq -f 'box/.f%g/cur' 5000 | xargs mkdir -p
	run -0 python3 "$ROOT/t/imap/notify.py" box many 3>&-
}
