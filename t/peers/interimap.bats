#!/usr/bin/env bats
#
# interimap keeps two accounts alike by QRESYNC, and hears by NOTIFY what is
# new; pullimap waits by IDLE for mail and hands it on by LMTP.  Near: a
# Maildir through a tunnel.  Far: alice, by TLS and COMPRESS.

load ../lib
load ../host

setup() {
	at_host
	for p in interimap pullimap; do
		command -v $p >/dev/null || skip "$p is not installed"
	done
	mkdir -p box/new box/cur box/tmp
	find "$PNEU_DIR/mail/alice" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
	as=
	[ "$(id -u)" -ne 0 ] ||
		as='setpriv --reuid 62011 --regid 62011 --clear-groups'
	echo "exec $BUILD/mimapd -p $PWD/box 2>>$PWD/near.log" >near
	echo "exec $as $BUILD/mimapd -p $PNEU_DIR/mail/alice 2>>$PWD/far.log" >far
	cat >rc <<-E
		database = $PWD/state.db
		[local]
		type = tunnel
		command = sh $PWD/near
		null-stderr = YES
		[remote]
		type = imaps
		host = localhost
		port = $IMAPS_PORT
		username = alice@example.test
		password = secret-alice
		SSL_CAfile = $PNEU_CA
	E
	n=0
}

teardown() {
	[ -z "${pid:-}" ] || { kill "$pid" && wait "$pid"; } 2>/dev/null || :
}

# One run, in which nothing is refused and nothing is odd to interimap.  Its
# dialogue with both is in the file said.
once() {
	timeout 120 interimap --config="$PWD/rc" --debug "$@" </dev/null \
		>said 2>&1 3>&- || { cat said; false; }
	no_faults
}

no_faults() {
	! grep -E ' S: [0-9*]+ (NO|BAD|BYE)|WARNING|ERROR' said || false
}

# Commands for the side near or far, a line each: all of them succeed.
at() {
	(cat && echo z LOGOUT) | sed 's/$/\r/' | sh "$1" >talk
	! grep -E '^[a-z0-9]+ (NO|BAD)' talk || false
	grep -q '^z OK' talk
}

# put SIDE MAILBOX SUBJECT [FLAGS]: a message whose size tells it.
put() {
	local text
	n=$((n + 1))
	text="Subject: $3"$'\r\n\r\n'$(printf 'x%.0s' $(seq $n))$'\r\n'
	printf '%s APPEND "%s" (%s) "%02d-Jan-2020 10:00:00 +0000" {%d+}\n%s\n' \
		p "$2" "${4:-}" $((n % 28 + 1)) $(LC_ALL=C; echo ${#text}) "${text//$'\r'/}" |
		at "$1"
}

# What a side shows: a line for each mailbox and for each message, whose UID
# is its own affair.
shows() {
	"$ROOT/t/tools/imapview.py" "sh $1" | awk '
		/^ / { $1 = ""; print box, $0; next }
		/^sub/ { print; next }
		{ NF -= 2; box = $0; print }' | sort
}

alike() {
	shows near >near.view
	shows far | diff near.view -
}

@test "interimap: what is new, changed and gone, in both directions" {
	at near <<-'E'
		1 CREATE Entw&APw-rfe
		2 CREATE "a b/say \"hi\""
		3 CREATE empty
		4 SUBSCRIBE "a b/say \"hi\""
	E
	at far <<<'1 CREATE Far/Deep'
	put near INBOX "near"
	put near 'Entw&APw-rfe' $'na\xc3\xafve' '\Seen'
	put near 'a b/say \"hi\"' quoted '\Flagged $Junk'
	for i in 1 2 3 4 5; do
		put far INBOX "far $i" '\Answered work'
	done
	put far Far/Deep deep '\Draft'
	once
	grep -q 'C: [0-9]* COMPRESS DEFLATE' said
	alike
	[ "$(grep -c '^INBOX .*Answered work' near.view)" = 5 ]
	grep -qF 'a b/say "hi"  $Junk \Flagged' near.view
	grep -qx 'subscribed a b/say "hi"' near.view
	# flags and expunges of both sides meet, with new messages
	at near <<-'E'
		1 SELECT INBOX
		2 STORE 1:3 +FLAGS (\Seen)
		3 STORE 2 +FLAGS (\Deleted)
		4 EXPUNGE
	E
	at far <<-'E'
		1 SELECT INBOX
		2 STORE 5 -FLAGS (work)
		3 STORE 4 +FLAGS (\Deleted $MDNSent)
		4 EXPUNGE
	E
	put far INBOX late '\Flagged'
	put near 'Entw&APw-rfe' later
	once
	grep -q 'C: [0-9]* SELECT INBOX (QRESYNC (' said
	grep -q 'S: \* VANISHED (EARLIER) ' said
	alike
	[ "$(grep -c '^INBOX  ' near.view)" = 5 ]
	# nothing is left to do
	once
	! grep -E ' C: [0-9]+ (SELECT|UID|APPEND)' said || false
	# names change and go
	once --rename Far Near
	once --delete empty
	once
	alike
	grep -q '^Near/Deep  .Draft' near.view
	! grep -q ^empty near.view || false
	once --repair
	alike
}

# SIDE has a message with this subject whose file's name ends so.
has() {
	grep -lrx --exclude='pneu.*' "Subject: $2" "$(folder_of "$1")" |
		grep -q -- "$3\$"
}

folder_of() {
	case $1 in
	near) echo box ;;
	far) echo "$PNEU_DIR/mail/alice" ;;
	bob) echo "$PNEU_DIR/mail/bob" ;;
	esac
}

said_so() {
	grep -qF "$1" said
}

# interimap has asked both for NOTIFY, and they have said so.
listens_to_both() {
	[ "$(grep -cE '^(local|remote): S: [0-9]+ OK Notify' said)" = 4 ]
}

@test "interimap --notify: what one side has, the other gets unasked" {
	at near <<<'1 CREATE Work'
	once
	interimap --config="$PWD/rc" --debug --notify --watch=3000 </dev/null \
		>said 2>&1 3>&- &
	pid=$!
	wait_for listens_to_both || { cat said; false; }
	printf 'Subject: to near\n\nx\n' | mdeliver box/
	wait_for has far 'to near' ''
	put far INBOX 'to far'
	wait_for has near 'to far' ''
	put far Work 'to work'
	wait_for has near 'to work' ''
	at near <<-'E'
		1 SELECT INBOX
		2 STORE 1 +FLAGS (\Flagged)
	E
	wait_for has far 'to near' ':2,.*F.*'
	at far <<-'E'
		1 SELECT INBOX
		2 STORE 2 +FLAGS (\Deleted)
		3 EXPUNGE
	E
	wait_for said_so 'local(INBOX): Removed 1 UID(s) 2'
	! has near 'to far' '' || false
	# it does not follow names, but hears of them
	at far <<<'1 CREATE Later'
	wait_for said_so 'remote(INBOX): S: * LIST (\HasNoChildren) "/" "Later"'
	# it was told all that, and has not looked
	[ "$(grep -c ' C: [0-9]* LIST "" \*' said)" = 2 ]
	! grep -E ' C: [0-9]+ NOOP' said || false
	no_faults
	kill $pid
	wait $pid || :
	pid=
	at far <<<'1 DELETE Later'
	alike
}

@test "pullimap: IDLE, LMTP, and what is old goes" {
	cat >pull <<-E
		[alice]
		statefile = $PWD/pulled
		deliver-method = lmtp:[127.0.0.1]:$LMTP_PORT
		deliver-rcpt = bob@example.test
		purge-after = 30
		$(sed -n '/^type = imaps/,$p' rc)
	E
	: >pulled
	find "$PNEU_DIR/mail/bob" -mindepth 1 -maxdepth 1 -exec rm -rf {} +
	put far INBOX old
	pullimap --config="$PWD/pull" --debug --idle alice </dev/null \
		>said 2>&1 3>&- &
	pid=$!
	# what is old is handed on, then found by ESEARCH and expunged
	wait_for said_so 'S: + idling' || { cat said; false; }
	said_so 'S: * ESEARCH (TAG "000005") UID COUNT 1 ALL 1'
	wait_for has bob old ''
	! has far old '' || false
	# what comes is handed on at once and stays, read
	printf 'From: J\xc3\xb6rg "J" <j@x.test>\nSubject: %s "\\"\n\nx\n' \
		$'\xe4\xf6' | $as mdeliver "$PNEU_DIR/mail/alice/"
	wait_for said_so 'from <j@x.test>'
	wait_for said_so 'UID STORE 2 +FLAGS.SILENT (\Seen)'
	LC_ALL=C wait_for has bob $'\xe4\xf6 "\\\\"' ''
	put far INBOX last
	wait_for has bob last ''
	no_faults
}
