#!/usr/bin/env bats
#
# A message of 200 MB passes the whole road, and no process grows with it.

load lib

setup_file() {
	host_dir
	export THERE=$PNEU_DIR
	host_up
	there=$SMTP_PORT
	# the host here relays all to the one there
	host_dir
	export HERE=$PNEU_DIR
	mkdir -p "$HERE/conf"
	echo here.test >"$HERE/conf/domains"
	echo "* msend -h 127.0.0.1:$there" >"$HERE/conf/routes"
	host_up
}

teardown_file() {
	PNEU_DIR=${HERE:-} host_down
	PNEU_DIR=${THERE:-} host_down
}

setup() {
	cd "$BATS_TEST_TMPDIR"
}

teardown() {
	: >stop
}

# the message without what was put on top is that of file $1
same() {
	tail -c 195000000 | cmp - <(tail -c 195000000 "$1")
}

@test "200 MB go in over TLS, on, and out by POP3 and IMAP, in 16 MB a process" {
	! grep -q __asan_init "$BUILD/mrecv" || skip "the sanitizers need more memory"
	"$ROOT/t/tools/peak.py" stop "$HERE/conf" "$THERE/conf" >peak 3>&- &
	python3 - >big <<-'EOF'
		import sys
		w = sys.stdout.buffer.write
		w(b"Subject: big\n\n")
		line = b"." + b"0123456789abcdef" * 4 + b"\n"
		for i in range(201 * 1000 * 1000 // (len(line) + 1)):
		    w(line)
	EOF
	sed 's/$/\r/' big >big.crlf
	. "$HERE/env"
	curl -sS --cacert "$PNEU_CA" --url "smtps://localhost:$SUBMISSIONS_PORT" \
		--user alice@example.test:secret-alice \
		--mail-from alice@example.test --mail-rcpt bob@example.test \
		-T big.crlf
	. "$THERE/env"
	WAIT=60 wait_for has_mail bob 1
	same big <"$(mail_of bob)"
	curl -sS --cacert "$PNEU_CA" --user bob@example.test:secret-bob \
		"pop3s://localhost:$POP3S_PORT/1" | same big.crlf
	curl -sS --cacert "$PNEU_CA" --user bob@example.test:secret-bob \
		"imaps://localhost:$IMAPS_PORT/INBOX;MAILINDEX=1" | same big.crlf
	: >stop
	wait
	cat peak
	# mauth is gone before the message comes
	[ "$(grep -v ^mauth peak | cut -d ' ' -f 1 | xargs)" = \
		"mdeliver mimapd mpop mqueue mrecv msend mtls" ]
	[ -z "$(awk '$2 > 16384' peak)" ]
}
