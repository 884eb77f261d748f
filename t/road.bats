#!/usr/bin/env bats
#
# The whole road: submitted, queued, delivered or relayed, and read.

load lib

setup_file() {
	host_dir
	export THERE=$PNEU_DIR
	host_up
	export THERE_SMTP=$SMTP_PORT THERE_POP3S=$POP3S_PORT \
		THERE_IMAPS=$IMAPS_PORT THERE_CA=$PNEU_CA
	# the host here calls no domain its own: all of it is relayed there
	host_dir
	export HERE=$PNEU_DIR
	mkdir -p "$HERE/conf"
	echo here.test >"$HERE/conf/domains"
	echo "* msend -h 127.0.0.1:$THERE_SMTP" >"$HERE/conf/routes"
	host_up
	export HERE_SUBMISSION=$SUBMISSION_PORT HERE_CA=$PNEU_CA
}

teardown_file() {
	PNEU_DIR=$HERE host_down
	PNEU_DIR=$THERE host_down
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	. "$THERE/env"
}

submit() {
	"$ROOT/t/tools/submit.py" "$SUBMISSION_PORT" "$PNEU_CA" \
		alice@example.test secret-alice alice@example.test "$@"
}

# Nothing is left in the queue of host DIR.
queue_empty() {
	[ -z "$(PNEU_CONF=$1/conf mqueue ls)" ]
}

@test "30 awkward messages arrive byte for byte by POP3, IMAP and as files" {
	mkdir sent
	"$ROOT/t/tools/messages.py" sent alice@example.test bob@example.test
	submit bob@example.test sent/*
	WAIT=60 wait_for has_mail bob 30
	run -0 "$ROOT/t/tools/same.py" maildir "$THERE/mail/bob" sent
	for how in "pop3 $POP3S_PORT" "imap $IMAPS_PORT"; do
		run -0 "$ROOT/t/tools/same.py" $how "$PNEU_CA" \
			bob@example.test secret-bob sent
		[ "${lines[-1]}" = "30 the same" ]
	done
	wait_for queue_empty "$THERE"
}

@test "and the same through a second host, relayed by SMTP" {
	mkdir sent
	"$ROOT/t/tools/messages.py" sent alice@example.test carol@example.test
	(. "$HERE/env" && submit carol@example.test sent/*)
	WAIT=60 wait_for has_mail carol 30
	run -0 "$ROOT/t/tools/same.py" pop3 "$POP3S_PORT" "$PNEU_CA" \
		carol@example.test secret-carol sent
	wait_for queue_empty "$HERE"
	[ "$(grep -c ' sent ' "$HERE"/log/queue)" -ge 30 ]
}

@test "one message for three users is one transaction, and each gets one" {
	printf 'Subject: all\nMessage-ID: <all@x>\n\nhello\n' >all
	before=$(grep -c 'mrecv accept' "$THERE/log/smtp" || :)
	(. "$HERE/env" && submit \
		alice@example.test,bob@example.test,carol@example.test all)
	got() {
		for u in alice bob carol; do
			grep --exclude='pneu.*' -lr 'Message-ID: <all@x>' "$THERE/mail/$u" || return 1
		done
	}
	wait_for got
	[ "$(grep -c 'mrecv accept' "$THERE/log/smtp")" -eq $((before + 1)) ]
}

@test "what can't be delivered comes back as a report" {
	printf 'Subject: nobody\n\nhello\n' >m
	echo 'nobody@elsewhere.test' >/dev/null
	(. "$HERE/env" && submit nobody@example.test m)
	dsn() {
		grep --exclude='pneu.*' -lr 'report-type=delivery-status' "$THERE/mail/alice" \
			"$HERE/mail/alice"
	}
	WAIT=60 wait_for dsn
	run -0 dsn
	grep -q 'Final-Recipient: rfc822; *nobody@example.test' "${lines[0]}"
	grep -q 'Status: 5.1.1' "${lines[0]}"
}

@test "mail for postmaster arrives, with a domain, without, at the host's name" {
	printf 'Subject: to the postmaster\r\n\r\nx\r\n' >m
	arrived() {
		[ "$(grep --exclude='pneu.*' -lr '^Subject: to the postmaster' "$THERE/mail/alice" |
			wc -l)" -ge "$1" ]
	}
	n=0
	for rcpt in postmaster Postmaster@mail.example.test abuse@example.test; do
		n=$((n + 1))
		curl -sS --mail-from x@elsewhere.test --mail-rcpt $rcpt -T m \
			"smtp://127.0.0.1:$SMTP_PORT"
		wait_for arrived $n
	done
}
