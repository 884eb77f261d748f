#!/usr/bin/env bats
#
# scripts/up and down: hosts side by side, any user, again and again.

load lib

setup() {
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	[ -z "${one:-}" ] || PNEU_DIR=$one host_down
	[ -z "${two:-}" ] || PNEU_DIR=$two host_down
}

send() {
	curl -sS --mail-from x@elsewhere.test --mail-rcpt bob@example.test \
		-T <(printf 'Subject: %s\r\n\r\nx\r\n' "$1") "smtp://127.0.0.1:$SMTP_PORT"
}

@test "two hosts side by side do not see each other's mail" {
	host_dir
	one=$PNEU_DIR
	host_up
	send first
	host_dir
	two=$PNEU_DIR
	host_up
	send second
	PNEU_DIR=$one wait_for has_mail bob 1
	PNEU_DIR=$two wait_for has_mail bob 1
	grep --exclude='pneu.*' -rq 'Subject: first' "$one/mail/bob"
	grep --exclude='pneu.*' -rq 'Subject: second' "$two/mail/bob"
}

@test "down leaves the mail, up keeps ports and configuration" {
	host_dir
	one=$PNEU_DIR
	# ports that the kernel gives to nobody while the host is down
	for p in SMTP SUBMISSION SUBMISSIONS LMTP POP3 POP3S IMAP IMAPS; do
		echo "export ${p}_PORT=$(free_port)"
	done >"$PNEU_DIR/env"
	host_up
	send kept
	wait_for has_mail bob 1
	before=$(sort "$PNEU_DIR/env")
	echo '# mine' >>"$PNEU_DIR/conf/routes"
	"$ROOT/scripts/down" -d "$PNEU_DIR"
	run ! send refused
	"$ROOT/scripts/up" -d "$PNEU_DIR" 3>&-
	[ "$(sort "$PNEU_DIR/env")" = "$before" ]
	grep -q '# mine' "$PNEU_DIR/conf/routes"
	send again
	wait_for has_mail bob 2
}

@test "up on a host that is up says so" {
	host_up
	one=$PNEU_DIR
	run -1 "$ROOT/scripts/up" -d "$PNEU_DIR"
	[[ $output == "up: $PNEU_DIR is up already"* ]]
}

@test "an ordinary user runs all of it under one uid" {
	[ "$(id -u)" -eq 0 ] || skip "only root can become another user"
	host_dir
	one=$PNEU_DIR
	chown 61999:61999 "$one"
	# the tree may lie in a folder that is closed to others
	mkdir "$one/tree" "$one/tree/build"
	cp -R "$ROOT/scripts" "$one/tree"
	for p in mtls mauth mpasswd mrecv mqueue mdeliver msend mpop mimapd; do
		cp "$BUILD/$p" "$one/tree/build"
	done
	setpriv --reuid 61999 --regid 61999 --clear-groups --reset-env env \
		HOME="$one" PATH="$PATH" "$one/tree/scripts/up" -d "$one" 3>&-
	. "$one/env"
	"$ROOT/t/tools/submit.py" "$SUBMISSION_PORT" "$PNEU_CA" \
		alice@example.test secret-alice alice@example.test \
		bob@example.test <(printf 'Subject: x\n\nx\n')
	wait_for has_mail bob 1
	[ "$(stat -c %u "$(mail_of bob)")" = 61999 ]
	curl -sS --cacert "$PNEU_CA" -u bob@example.test:secret-bob \
		"imaps://localhost:$IMAPS_PORT/INBOX;MAILINDEX=1" | grep 'Subject: x'
	for pid in $(cat "$one/pid"); do
		[ "$(stat -c %u "/proc/$pid")" = 61999 ]
	done
}

@test "wrong usage says so" {
	run -64 "$ROOT/scripts/up" -x
	[[ $output == *"usage: scripts/up [-d DIR]" ]]
	run -64 "$ROOT/scripts/down" -x
	run -66 "$ROOT/scripts/down" -d "$PWD/nosuch"
	[ "$output" = "down: $PWD/nosuch: no such host" ]
}
