#!/usr/bin/env bats
#
# A message of 200 MB passes the whole road, and no process grows with it.

load lib

setup_file() {
	host_up
	export PNEU_DIR
}

teardown_file() {
	[ -z "${watcher:-}" ] || kill "$watcher" 2>/dev/null || :
	host_down
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	. "$PNEU_DIR/env"
}

# The largest resident memory, in KiB, of each program of the host.
watch_memory() {
	while :; do
		for s in /proc/[0-9]*/status; do
			case $(tr '\0' ' ' <"${s%status}cmdline" 2>/dev/null) in
			*mtls* | *mauth* | *mrecv* | *mqueue* | *mdeliver* | *mimapd* | *mpop* | *msend*)
				awk '/^Name:/ { n = $2 } /^VmHWM:/ { print n, $2 }' \
					"$s" 2>/dev/null ;;
			esac
		done
		sleep 0.2
	done
}

@test "200 MB go in over TLS, and out by POP3 and IMAP, in 16 MB a process" {
	[ -z "${BUILD##*build}" ] || skip "the sanitizers need more memory"
	watch_memory >memory 2>/dev/null 3>&- &
	watcher=$!
	python3 - >big <<-'EOF'
		import sys
		w = sys.stdout.buffer.write
		w(b"Subject: big\n\n")
		line = b"." + b"0123456789abcdef" * 4 + b"\n"
		for i in range(200 * 1000 * 1000 // (len(line) + 1)):
		    w(line)
	EOF
	sed 's/$/\r/' big >big.crlf
	curl -sS --cacert "$PNEU_CA" --url "smtps://localhost:$SUBMISSIONS_PORT" \
		--user alice@example.test:secret-alice \
		--mail-from alice@example.test --mail-rcpt bob@example.test \
		-T big.crlf
	WAIT=60 wait_for has_mail bob 1
	tail -c 199000000 big | cmp - <(tail -c 199000000 "$(mail_of bob)")
	curl -sS --cacert "$PNEU_CA" --user bob@example.test:secret-bob \
		"pop3s://localhost:$POP3S_PORT/1" |
		tail -c 199000000 | cmp - <(tail -c 199000000 big.crlf)
	curl -sS --cacert "$PNEU_CA" --user bob@example.test:secret-bob \
		"imaps://localhost:$IMAPS_PORT/INBOX;MAILINDEX=1" |
		tail -c 199000000 | cmp - <(tail -c 199000000 big.crlf)
	kill $watcher
	sort -k1,1 -k2,2n memory | awk '{ m[$1] = $2 } END {
		for (p in m) print p, m[p] }' >peak
	cat peak
	[ "$(wc -l <peak)" -ge 6 ]
	[ "$(awk '$2 > 16384' peak)" = "" ]
}
