#!/usr/bin/env bats
#
# Dovecot's own IMAP client, imapc: doveadm takes an account away from us,
# with UIDs, flags and dates, and works in one from afar.

load ../lib
load ../host

setup() {
	at_host
	command -v doveadm >/dev/null || skip "no doveadm"
	imap=/usr/lib/dovecot/imap
	[ -x $imap ] || skip "Dovecot is not installed"
	cd_open
	find "$PNEU_DIR/mail/alice" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
	mkdir m run raw
	cat >conf <<-E
		base_dir = $PWD/run
		mail_location = maildir:$PWD/m
		protocols = imap
		ssl = no
		first_valid_uid = 1
		first_valid_gid = 1
		namespace inbox {
		  inbox = yes
		  separator = /
		}
		imapc_host = 127.0.0.1
		imapc_port = $IMAPS_PORT
		imapc_ssl = imaps
		imapc_ssl_verify = no
		imapc_user = alice@example.test
		imapc_password = secret-alice
		imapc_features = rfc822.size fetch-headers fetch-bodystructure search modseq
		imapc_rawlog_dir = $PWD/raw
	E
	theirs="env USER=x HOME=$PWD"
	as=
	if [ "$(id -u)" -eq 0 ]; then
		# Dovecot serves nobody as root
		chown -R 62001:62001 .
		theirs="setpriv --reuid 62001 --regid 62001 --clear-groups $theirs"
		as='setpriv --reuid 62011 --regid 62011 --clear-groups'
	fi
}

# doveadm's words are in the file told, what it says to the log in said.
doveadm() {
	$theirs timeout 120 doveadm -c "$PWD/conf" "$@" >told 2>said 3>&- || {
		cat said
		false
	}
	! grep -E 'Error|Warning|Panic' said || false
}

# The same, in alice's account, and nothing is refused there.
there() {
	doveadm -o mail_location=imapc: "$@"
	! grep -aE '^[0-9.]+ [0-9]+ (NO|BAD)' raw/* || false
}

# Commands of another client of alice's, which succeed.
alice() {
	(cat && echo z LOGOUT) | sed 's/$/\r/' |
		$as mimapd -p "$PNEU_DIR/mail/alice" 2>>alice.log >talk
	! grep -E '^[a-z0-9]+ (NO|BAD)' talk || false
	grep -q '^z OK' talk
}

# put MAILBOX FLAGS: the command for a message of its own.
put() {
	local text
	n=$((${n:-0} + 1))
	text="From: J"$'\xc3\xb6'"rg <j@x.test>
Message-ID: <$n@x.test>
Subject: n"$'\xe4'" $n

body $n
"
	printf 'p APPEND "%s" (%s) "%02d-Mar-2021 10:00:00 +0000" {%d+}\n%s\n' \
		"$1" "$2" $((n % 28 + 1)) \
		"$(printf %s "$text" | sed 's/$/\r/' | wc -c)" "$text"
}

view() {
	"$ROOT/t/tools/imapview.py" "$1 2>>view.log"
}

# Both show the same, from UIDVALIDITY to flags.
alike() {
	view "$as mimapd -p $PNEU_DIR/mail/alice" >ours
	view "$theirs $imap -c $PWD/conf" | diff ours -
}

@test "doveadm backup takes UIDs, flags, keywords, dates and names along" {
	alice <<-'E'
		1 CREATE Entw&APw-rfe
		2 CREATE "a b"
		3 CREATE "a b/say \"hi\""
		4 CREATE empty
		5 SUBSCRIBE "a b/say \"hi\""
	E
	n=0
	for box in INBOX 'Entw&APw-rfe' 'a b/say \"hi\"'; do
		for flags in '' '\Seen' '\Flagged $Forwarded' 'work \Answered' \
			'\Draft Blue' '\Deleted'; do
			put "$box" "$flags"
		done
		printf '%s\n' "1 SELECT \"$box\"" '2 UID STORE 2 +FLAGS (\Deleted)' \
			'3 UID EXPUNGE 2'
	done >commands
	alice <commands
	doveadm backup -R imapc:
	alike
	[ "$(grep -c '^  5 Blue .Draft' ours)" = 3 ]
	# what has changed since
	alice <<-'E'
		1 SELECT INBOX
		2 UID STORE 3 -FLAGS ($Forwarded)
		3 UID STORE 4 +FLAGS (\Deleted Red)
		4 UID EXPUNGE 4
		5 RENAME empty full
		6 DELETE Entw&APw-rfe
	E
	put full '\Seen' >commands
	put INBOX Red >>commands
	alice <commands
	doveadm backup -R imapc:
	alike
	! grep -aE '^[0-9.]+ [0-9]+ (NO|BAD)' raw/* || false
}

@test "doveadm works in our mailboxes by imapc" {
	for flags in '' '\Seen' '\Flagged work'; do
		put INBOX "$flags"
	done >commands
	alice <commands
	there mailbox create New 'New/Sub way'
	there mailbox subscribe New
	there copy New mailbox INBOX all
	there flags add '\Seen Zed' mailbox New uid 1:2
	there flags remove '\Flagged' mailbox New flagged
	there move 'New/Sub way' mailbox New keyword Zed
	there expunge mailbox New unseen
	there mailbox status 'messages unseen uidnext' '*'
	sort told | diff - <(cat <<-'E'
		INBOX messages=3 uidnext=4 unseen=2
		New messages=0 uidnext=4 unseen=0
		New/Sub way messages=2 uidnext=3 unseen=0
	E
	)
	there fetch 'uid flags hdr.message-id imap.envelope imap.bodystructure' \
		mailbox 'New/Sub way' uid 2
	grep -qx 'uid: 2' told
	grep -q '^flags: .Seen .*Zed' told
	grep -qx 'hdr.message-id: <2@x.test>' told
	grep -q '^Jörg NIL "j" "x.test"' told
	grep -qF '"text" "plain" ("charset" "us-ascii")' told
	there search mailbox INBOX subject 3 seen
	[ ! -s told ]
	there search mailbox INBOX '(' body 'body 2' or keyword work ')'
	[ "$(cut -d' ' -f2 told | tr '\n' ' ')" = '2 3 ' ]
	there search mailbox INBOX since 2021-03-03 before 2021-03-04
	[ "$(cut -d' ' -f2 told)" = 2 ]
	there mailbox rename New Newer
	there mailbox list
	sort told | tr '\n' ' ' | grep -qx 'INBOX Newer Newer/Sub way '
	there mailbox delete -r Newer
	there mailbox list
	[ "$(cat told)" = INBOX ]
}
