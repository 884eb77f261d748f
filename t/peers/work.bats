#!/usr/bin/env bats
#
# A day's work by IMAP libraries, each with a parser of its own: mailboxes,
# APPEND, FETCH of parts, SEARCH, flags, COPY, MOVE, quota, rights, IDLE.

load ../lib
load ../host

# user NAME OPTIONS: an empty Maildir, and these in the file users.
user() {
	find "$PNEU_DIR/mail/$1" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
	sed -i "s|^\($1@[^ ]*\).*|\1 $2|" "$PNEU_CONF/users"
}

need() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

@test "imapflow: with COMPRESS and without, literal8, BINARY, chunks, PARTIAL" {
	[ -d "$ROOT/build/npm/node_modules/imapflow" ] || skip "no imapflow"
	user alice quota=100M,1000
	run -0 timeout 200 node "$ROOT/t/peers/imapflow-work.js"
	[ "$output" = "done" ]
}

@test "Python's imaplib: SORT, THREAD, quota, rights, UTF8=ACCEPT, UNSELECT" {
	user bob quota=100M,1000
	run -0 timeout 200 python3 "$ROOT/t/peers/imaplib-work.py"
	[ -z "$output" ]
}

@test "Perl's Mail::IMAPClient: compressed, with partial flushes" {
	perl -MMail::IMAPClient -e 1 || skip "no Mail::IMAPClient"
	user carol quota=100M,1000
	run -0 timeout 200 perl "$ROOT/t/peers/mail-imapclient.pl"
	! grep '^not ok' <<<"$output" || false
}

@test "Ruby's net/imap: ENVELOPE, BODYSTRUCTURE, THREAD, IDLE" {
	ruby -rnet/imap -e 1 || skip "no net/imap"
	# it knows of one resource
	user alice quota=100M
	run -0 timeout 200 ruby "$ROOT/t/peers/net-imap.rb"
	[ "$output" = "done" ]
}

# curl ARGS: as bob, by TLS.
as_bob() {
	curl -sS -m 120 --cacert "$PNEU_CA" -u bob@example.test:secret-bob "$@" |
		tr -d '\r'
}

@test "curl: APPEND, LIST, SEARCH, STORE, sections, and POP3" {
	need curl
	user bob ''
	imaps=imaps://localhost:$IMAPS_PORT
	printf '%s\r\n' 'From: b@x.test' 'Subject: big' 'MIME-Version: 1.0' \
		'Content-Type: multipart/mixed; boundary=z' '' --z '' one --z \
		'Content-Type: text/html' '' '<b>' --z-- >m
	head -c 300000 /dev/zero | tr '\0' x | fold -w 70 >>m
	echo >>m
	as_bob $imaps -X 'CREATE Up/Load'
	as_bob -T m "$imaps/Up%2FLoad"
	as_bob -T m "$imaps/Up%2FLoad"
	run -25 curl -sS -m 120 --cacert "$PNEU_CA" -u bob@example.test:secret-bob \
		-T m "$imaps/None"
	run -0 as_bob $imaps
	[[ $output == *'LIST (\HasNoChildren) "/" "Up/Load"'* ]]
	run -0 as_bob "$imaps/Up%2FLoad" -X 'STATUS Up/Load (MESSAGES)'
	[ "$output" = '* STATUS "Up/Load" (MESSAGES 2)' ]
	run -0 as_bob "$imaps/Up%2FLoad?SUBJECT%20big%20SMALLER%20500000"
	[ "$output" = "* SEARCH 1 2" ]
	as_bob "$imaps/Up%2FLoad" -X 'STORE 1 +FLAGS \Deleted' >/dev/null
	run -0 as_bob "$imaps/Up%2FLoad" -X 'FETCH 1:2 FLAGS'
	[[ ${lines[0]} == *'\Deleted'* ]]
	as_bob "$imaps/Up%2FLoad" -X EXPUNGE
	run -0 as_bob "$imaps/Up%2FLoad" -X 'UID SEARCH ALL'
	[ "$output" = "* SEARCH 2" ]
	# the whole, a part, a header, and from an offset
	as_bob "$imaps/Up%2FLoad;UID=2" >got
	diff <(tr -d '\r' <m) got
	run -0 as_bob "$imaps/Up%2FLoad;UID=2;SECTION=2"
	[ "$output" = "<b>" ]
	run -0 as_bob "$imaps/Up%2FLoad;UID=2;SECTION=HEADER.FIELDS%20(SUBJECT)"
	[ "$output" = "Subject: big" ]
	run -0 as_bob "$imaps/Up%2FLoad;UID=2;SECTION=1;PARTIAL=1.2"
	[ "$output" = "ne" ]
	run -78 curl -sS -m 120 --cacert "$PNEU_CA" -u bob@example.test:secret-bob \
		"$imaps/Up%2FLoad;UIDVALIDITY=1;UID=2"
	# POP3 sees INBOX
	as_bob $imaps/INBOX -T m
	pop3s=pop3s://localhost:$POP3S_PORT
	run -0 as_bob $pop3s
	[[ $output == "1 "* ]]
	as_bob $pop3s/1 >got
	diff <(tr -d '\r' <m) got
	run -0 as_bob -l $pop3s
	[[ $output =~ ^1\ [!-~]+$ ]]
	run -0 as_bob -X 'TOP 1 0' $pop3s
	[ "${lines[1]}" = "Subject: big" ]
	as_bob -X 'DELE 1' -I $pop3s
	run -0 as_bob $pop3s
	[ -z "$output" ]
}
