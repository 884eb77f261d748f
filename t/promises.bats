#!/usr/bin/env bats
#
# What EHLO promises is kept to the end: a hundred messages that ask for
# every extension in turn, by submission, the queue and msend.

load lib

setup() {
	PEERS=
	host_dir
	mkdir "$PNEU_DIR/conf" "$PNEU_DIR/sinks"
	cd "$PNEU_DIR/sinks"
	sink good +dsn +8bitmime +smtputf8 +deliverby=60 '+limits=RCPTMAX=50 MAILMAX=20'
	sink old +nopipelining
	sink no +dsn +8bitmime +smtputf8 +deliverby 'RCPT=550 5.1.1 nobody'
}

teardown() {
	for p in $PEERS; do
		kill "$p" 2>/dev/null || :
	done
	host_down
}

sink() {
	mkdir "$1"
	: >"$1.port"
	python3 "$ROOT/t/tools/smtpsink.py" "$PNEU_DIR/sinks/$1" "${@:2}" \
		>"$1.port" 2>"$1.err" 3>&- </dev/null &
	PEERS="$PEERS $!"
	wait_for test -s "$1.port"
}

queue_empty() {
	[ -z "$(mqueue ls)" ]
}

@test "a hundred messages with everything that can be asked end as they should" {
	host_up
	for s in good old no; do
		hop=127.0.0.1:$(cat $s.port)
		sed -i "1i $s.test msend -h $hop\n.$s.test msend -h $hop" \
			"$PNEU_CONF/routes"
	done
	began=$(date +%s)
	python3 "$ROOT/t/tools/promises.py" send "$SUBMISSION_PORT"
	WAIT=60 wait_for queue_empty || {
		mqueue ls
		false
	}
	python3 "$ROOT/t/tools/promises.py" check "$PNEU_DIR/sinks" "$PNEU_DIR/mail" || {
		tail -n 30 "$PNEU_DIR"/log/*
		false
	}
	# what was for the future did not come before it
	for f in $(grep -l '^Subject: n12' good/*.eml "$PNEU_DIR"/mail/bob/new/*); do
		[ "$(stat -c %Y "$f")" -ge $((began + 3)) ] || grep -q 'n12[0-9]' "$f"
	done
	# to the last, in 7 bits where there are no others
	! grep -l $'\303' old/*.eml || false
}
