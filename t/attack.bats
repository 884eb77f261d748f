#!/usr/bin/env bats
#
# A host that is attacked: nothing slips through, nothing falls over, and
# everyone else is served meanwhile (t/tools/attack.py).

load lib
load host

setup_file() {
	host_dir
	mkdir "$PNEU_DIR/conf"
	limits 60 120
	host_up
	export PNEU_DIR
}

# limits COMMAND-TIME SESSION-TIME: those, and few connections
limits() {
	cat >"$PNEU_DIR/conf/limits" <<-EOF
		command-time $1
		data-time $1
		session-time $2
		connections 60
		connections-per-address 20
	EOF
}

faults() {
	grep -hiE 'sanitizer|runtime error|signal [0-9]|segfault|assert|core dump' \
		"$PNEU_DIR"/log/*
}

# No listener has a connection left, and at most one program that is ready.
all_gone() {
	local pid seen=0
	for pid in $(cat "$PNEU_DIR/pid"); do
		tr '\0' ' ' <"/proc/$pid/cmdline" | grep -q 'mtls -l 127' || continue
		seen=$((seen + 1))
		[ "$(pgrep -c -P "$pid")" -le 1 ] || return 1
	done
	[ $seen -ge 5 ]
}

carol_has() {
	[ "$(grep --exclude='pneu.*' -lr "^Subject: bystander $1 " "$PNEU_DIR/mail/carol" | wc -l)" -eq "$2" ]
}

queue_is_empty() {
	[ -z "$(mqueue ls)" ]
}

# attack NAME: what it must meet with is said in attack.py
attack() {
	run python3 "$ROOT/t/tools/attack.py" "$1"
	[ "$status" -eq 0 ] || {
		echo "$output"
		tail -n 20 "$PNEU_DIR/log/smtp"
		return 1
	}
	echo "the bystander sent $output"
	faults || :
	WAIT=60 wait_for queue_is_empty
	carol_has "$1" "$output"
	WAIT=60 wait_for all_gone
	run -1 faults
	bob_has smuggled 0
}

# bob has so many messages with a subject that begins with this
bob_has() {
	local n
	n=$(find "$PNEU_DIR/mail/bob" -type f -path '*/new/*' -exec \
		awk '/^$/ { exit } /^Subject: '"$1"'/ { print FILENAME; exit }' {} \; | wc -l)
	echo "bob has $n"
	[ "$n" -eq "$2" ]
}

@test "no ending but CRLF . CRLF ends a message" {
	attack endings
	# what was text is in one message each, with the rest; SMTP and LMTP
	bob_has carrier 18
}

@test "nor within TLS" {
	attack endings_tls
	bob_has carrier 18
}

@test "nor in a chunk" {
	attack endings_bdat
}

@test "what comes behind STARTTLS in the clear is not done" {
	attack starttls
}

@test "long lines: of commands refused, of a message kept" {
	attack long_lines
	bob_has 'attack long' 2
}

@test "noise, other protocols, zero bytes" {
	attack binary
}

@test "50,000 fields, 100,000 recipients in a field, a header too large, a loop" {
	attack headers
	bob_has heap 4
	bob_has 'too large' 0
	bob_has 'a loop' 0
}

@test "a thousand nested parts are kept, and IMAP shows what it can" {
	attack nested
	bob_has 'attack (nested|messages|parts|same)' 4
	run -0 python3 - <<-'EOF'
		import imaplib, os, ssl
		e = os.environ
		imaplib._MAXLINE = 1 << 24
		i = imaplib.IMAP4_SSL("localhost", int(e["IMAPS_PORT"]),
		    ssl_context=ssl.create_default_context(cafile=e["PNEU_CA"]))
		i.login("bob@example.test", "secret-bob")
		n = int(i.select("INBOX")[1][0])
		said = i.fetch("1:*", "(ENVELOPE BODYSTRUCTURE)")[1]
		assert n >= 4 and len(said) == n, (n, len(said))
		for k in range(1, n + 1):
		    assert i.fetch(str(k), "(BODY[1.1.1.1] BODY[HEADER.FIELDS (To)])")[0] == "OK"
		i.logout()
	EOF
	run -1 faults
}

@test "a byte at a time is taken until the deadline, and not beyond" {
	limits 4 9
	attack drip
	limits 60 120
	bob_has slowly 0
	bob_has half 0
}

@test "half-open connections" {
	attack half_open
	bob_has half 0
}

@test "a flood of connections from one address" {
	attack flood
	grep -q 'mtls refuse.*127.0.0.1' "$PNEU_DIR/log/smtp"
}

@test "connections that go as soon as they have come" {
	attack storm
}
