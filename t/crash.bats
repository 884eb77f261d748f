#!/usr/bin/env bats
#
# kill -9 of everything: what was answered 250 is there, and no UID has
# changed its message.

load lib
load host

# UID and mark of every message, as IMAP serves them.
uids() {
	python3 - <<-'EOF'
		import imaplib, os, re, ssl
		i = imaplib.IMAP4_SSL("localhost", int(os.environ["IMAPS_PORT"]),
		    ssl_context=ssl.create_default_context(cafile=os.environ["PNEU_CA"]))
		i.login("bob@example.test", "secret-bob")
		i.select("INBOX")
		v = i.response("UIDVALIDITY")[1][0].decode()
		for a in i.uid("FETCH", "1:*", "(BODY.PEEK[HEADER.FIELDS (X-Mark)])")[1]:
		    if isinstance(a, tuple):
		        print(v, re.search(rb"UID (\d+)", a[0]).group(1).decode(),
		              re.search(rb"X-Mark: (\S+)", a[1]).group(1).decode())
	EOF
}

marks() {
	grep -hr '^X-Mark: ' "$PNEU_DIR/mail/bob" --include='*,S=*' |
		sed 's/.*: //' | sort -u
}

queue_empty() {
	[ -z "$(mqueue ls)" ]
}

all_there() {
	sort -u acked >want
	marks >have
	[ -z "$(comm -23 want have)" ]
}

@test "everything is killed three times while four clients send" {
	: >acked
	for round in 1 2 3; do
		"$ROOT/t/tools/senders.py" "$SMTP_PORT" 4 100000 \
			bob@example.test $round >new 3>&- &
		senders=$!
		enough() { [ "$(wc -l <new)" -ge 150 ]; }
		WAIT=60 wait_for enough
		uids >>seen
		run -0 "$ROOT/t/tools/killhost.py" "$PNEU_CONF"
		echo "$output"
		[ "${output%% *}" -ge 12 ]
		wait $senders
		cat new >>acked
		host_up
	done
	WAIT=60 wait_for all_there
	uids >>seen
	# a UID (with its UIDVALIDITY) never names two messages, and all have one
	[ -z "$(sort -u seen | awk '{ print $1, $2 }' | uniq -d)" ]
	[ -z "$(comm -23 want <(cut -d ' ' -f 3 seen | sort -u))" ]
	wait_for queue_empty
	[ -z "$(mqueue fsck)" ]
}
