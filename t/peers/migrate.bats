#!/usr/bin/env bats
#
# A Maildir moves from a real Dovecot to us and back: both show the same.

load ../lib

setup() {
	imap=/usr/lib/dovecot/imap
	[ -x $imap ] || skip "Dovecot is not installed"
	D=$(mktemp -d /tmp/pneu-t.XXXXXX)
	chmod 0755 "$D"
	cd "$D"
	cat >dovecot.conf <<-EOF
		base_dir = $D/run
		mail_location = maildir:$D/m
		protocols = imap
		ssl = no
		log_path = $D/log
		first_valid_uid = 1
		first_valid_gid = 1
	EOF
	mkdir -p m/new m/cur m/tmp
	[ "$(id -u)" -ne 0 ] || chown -R 62001:62001 "$D"
	export HOME=$D MAILDIR=$D/m
	dovecot="env USER=x $imap -c $D/dovecot.conf"
	ours="$BUILD/mimapd -p $D/m"
}

teardown() {
	cd /
	rm -rf "$D"
}

# Dovecot serves nobody as root.
user() {
	if [ "$(id -u)" -eq 0 ]; then
		setpriv --reuid 62001 --regid 62001 --clear-groups "$@"
	else
		"$@"
	fi
}

view() {
	user "$ROOT/t/tools/imapview.py" "$1"
}

# Commands, a line each, to a server.
talk() {
	sed 's/$/\r/' | user $1
}

message() {
	printf 'Subject: %s\n\ntext of %s\n' "$2" "$2" | user tee "m/$1" >/dev/null
	user touch -d "@$3" "m/$1"
}

mailbox_of_dovecot() {
	for i in 1 2 3 4 5; do
		message "new/170000000$i.M${i}P1.h" "message $i" "160000000$i"
	done
	talk "$dovecot" >talk <<-'EOF'
		1 SELECT INBOX
		2 STORE 1 +FLAGS (foo $Forwarded \Flagged)
		3 STORE 2:3 +FLAGS (bar foo \Seen)
		4 CREATE Work.2026
		5 CREATE Entw&APw-rfe
		6 SUBSCRIBE Work.2026
		7 SUBSCRIBE Entw&APw-rfe
		8 COPY 1:4 Work.2026
		9 STORE 2,5 +FLAGS (\Deleted)
		10 EXPUNGE
		11 SELECT Work.2026
		12 STORE 4 +FLAGS (\Answered other)
		13 STORE 1 +FLAGS (\Deleted)
		14 EXPUNGE
		15 LOGOUT
	EOF
	grep -q '^15 OK' talk
}

@test "Dovecot to us: UIDs, flags, keywords, dates, subscriptions" {
	mailbox_of_dovecot
	view "$dovecot" >theirs
	grep 'subscribed Work/2026' theirs
	grep -F '$Forwarded \Flagged foo' theirs
	run -0 user mindex adopt
	view "$ours" | diff theirs -
	# and Dovecot, which has not seen us at work, still does
	view "$dovecot" | diff theirs -
}

@test "and back: Dovecot shows what we changed" {
	mailbox_of_dovecot
	run -0 user mindex adopt
	message new/1700000009.M9P1.h nine 1600000009
	talk "$ours" >talk <<-'EOF'
		1 SELECT INBOX
		2 STORE 1 -FLAGS ($Forwarded foo)
		3 STORE 2 +FLAGS (new $Junk \Answered)
		4 STORE 3 +FLAGS (\Deleted)
		5 EXPUNGE
		6 CREATE Later/Deep
		7 SUBSCRIBE Later/Deep
		8 UNSUBSCRIBE Work/2026
		9 COPY 1:2 Later/Deep
		10 SELECT Work/2026
		11 STORE 1:* +FLAGS ($Forwarded)
		12 STORE 2 +FLAGS (\Deleted)
		13 EXPUNGE
		14 LOGOUT
	EOF
	grep -q '^14 OK' talk
	view "$ours" >here
	grep -F '$Junk' here
	run -0 user mindex export dovecot
	view "$dovecot" | diff here -
	# UIDs go on where we left off
	message new/1700000010.M10P1.h ten 1600000010
	view "$dovecot" >there
	uid=$(sed -n 's/^INBOX [0-9]* //p' here)
	grep "^  $uid  1600000010" there
	# the names of POP3 are Dovecot's own again
	user mindex adopt -R
	view "$ours" | diff there -
}

@test "Courier's files are made and read again" {
	mailbox_of_dovecot
	run -0 user mindex adopt
	view "$ours" >before
	run -0 user mindex export courier
	[ -d m/.Entwürfe ]
	head -n 1 m/courierimapuiddb | grep '^1 [0-9]* 6$'
	user find m -name 'dovecot*' -o -name 'pneu.*' | user xargs rm
	run -0 user mindex adopt
	view "$ours" | diff before -
}

@test "a live account of Dovecot, by IMAP" {
	mailbox_of_dovecot
	view "$dovecot" >theirs
	run -0 user mindex -d new import imap -- $dovecot
	view "$BUILD/mimapd -p $D/new" | diff theirs -
}
