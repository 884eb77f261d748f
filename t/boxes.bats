#!/usr/bin/env bats
#
# mimapd(8): mailboxes as a set: their names, quota, metadata, rights.

load lib

setup() {
	cd "$BATS_TEST_TMPDIR"
	export HOME=$BATS_TEST_TMPDIR
	export PNEU_CONF=$BATS_TEST_TMPDIR/conf
	mkdir conf
	echo example.test >conf/domains
	user ''
}

# user OPTIONS: the line of the one user
user() {
	printf '%s\n' "u@example.test:$(id -u):$(id -g):$PWD:maildir=box $1" \
		>conf/users
}

# Lines of a client, CRLF added, to a session on ./box.
say() {
	printf '%s\r\n' "$@" | mimapd -p box 2>log | tr -d '\r'
}

play() {
	run -0 python3 "$ROOT/t/imap/run.py" "$@" 3>&-
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

@test "a prefix that does not end with the separator serves nobody" {
	user 'prefix=INBOX.'
	run -75 mimapd -p box <<<''
	[[ $output == *"* BYE "* ]]
	[[ $output == *"prefix INBOX.: "* ]]
}
