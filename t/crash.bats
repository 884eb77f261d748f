#!/usr/bin/env bats
#
# kill -9 of everything: what was answered 250 is there, and no UID has
# changed its message.

load lib

setup_file() {
	host_up
	export PNEU_DIR
}

teardown_file() {
	host_down
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	. "$PNEU_DIR/env"
}

# Every process of this host: they all have PNEU_DIR in their environment.
kill_all() {
	for round in 1 2 3; do
		for e in /proc/[0-9]*/environ; do
			pid=${e#/proc/} pid=${pid%/environ}
			[ "$pid" != $$ ] && [ "$pid" != "$BASHPID" ] || continue
			tr '\0' '\n' <"$e" 2>/dev/null |
				grep -qx "PNEU_CONF=$PNEU_CONF" || continue
			case $(tr '\0' ' ' <"/proc/$pid/cmdline") in
			*mtls* | *mrecv* | *mauth* | *mqueue* | *mdeliver* | *msend* | *mimapd* | *mpop*)
				kill -9 "$pid" 2>/dev/null || : ;;
			esac
		done
	done
}

# UID and mark of every message, as IMAP serves them.
uids() {
	python3 - <<-'EOF'
		import imaplib, os, re, ssl
		i = imaplib.IMAP4_SSL("localhost", int(os.environ["IMAPS_PORT"]),
		    ssl_context=ssl.create_default_context(cafile=os.environ["PNEU_CA"]))
		i.login("bob@example.test", "secret-bob")
		i.select("INBOX")
		v = i.response("UIDVALIDITY")[1][0].decode()
		for a in i.fetch("1:*", "(UID BODY.PEEK[HEADER.FIELDS (X-Mark)])")[1]:
		    if isinstance(a, tuple):
		        print(v, re.search(rb"UID (\d+)", a[0]).group(1).decode(),
		              re.search(rb"X-Mark: (\S+)", a[1]).group(1).decode())
	EOF
}

marks() {
	grep -hr '^X-Mark: ' "$PNEU_DIR/mail/bob" --include='*,S=*' |
		sed 's/.*: //' | sort -u
}

all_there() {
	sort -u acked >want
	marks >have
	[ -z "$(comm -23 want have)" ]
}

@test "everything is killed three times while four clients send" {
	: >acked
	: >seen
	for round in 1 2 3; do
		"$ROOT/t/tools/senders.py" "$SMTP_PORT" 4 100000 \
			bob@example.test >new 3>&- &
		senders=$!
		WAIT=20 wait_for test "$(wc -l <acked)" -ge 0
		enough() { [ "$(wc -l <new)" -ge 150 ]; }
		WAIT=60 wait_for enough
		uids >>seen || :
		kill_all
		wait $senders || :
		sed "s/^/$round./" new >/dev/null
		cat new >>acked
		"$ROOT/scripts/up" -d "$PNEU_DIR" 3>&-
		. "$PNEU_DIR/env"
	done
	WAIT=120 wait_for all_there
	uids >>seen
	# a UID (with its UIDVALIDITY) never names two messages
	[ -s seen ]
	[ -z "$(sort -u seen | awk '{ print $1, $2 }' | uniq -d)" ]
	[ -z "$(ls -A "$PNEU_DIR/queue/tmp")" ] || mqueue fsck
}
