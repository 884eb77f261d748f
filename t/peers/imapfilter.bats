#!/usr/bin/env bats
#
# imapfilter: SEARCH of all kinds, flags, COPY, MOVE and APPEND between two
# accounts, TRYCREATE, IDLE.

load ../lib
load ../host

teardown() {
	[ -z "${pid:-}" ] || { kill "$pid" && wait "$pid"; } 2>/dev/null || :
}

@test "imapfilter: searches, marks, moves, and a rule that waits by IDLE" {
	command -v imapfilter >/dev/null || skip "no imapfilter"
	imapfilter -t "$PNEU_CA" -c "$ROOT/t/peers/imapfilter.lua" -d debug \
		</dev/null >out 2>err 3>&- &
	pid=$!
	waits() {
		grep -q '^+ idling' debug || ! kill -0 $pid
	}
	WAIT=120 wait_for waits
	[ "$(cat out)" = idle ] || { cat out err; false; }
	printf 'Subject: rule 6\r\n\r\nx\r\n' >m
	curl -sS -m 60 --ssl-reqd --cacert "$PNEU_CA" -T m --mail-from a@x.test \
		--mail-rcpt alice@example.test "smtp://localhost:$SMTP_PORT"
	wait $pid || { cat out err; false; }
	pid=
	[ "$(cat out)" = $'idle\ndone' ]
	# the four mailboxes that were not there, and no other complaint
	[ "$(grep -cE '^[0-9A-F]{4} NO \[TRYCREATE\]' debug)" = 4 ]
	! grep -E '^([0-9A-F]{4} BAD|[0-9A-F]{4} NO [^[]|\* BYE [^L])' debug || false
}
