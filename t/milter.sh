# For the tests of mrecv -m: a milter made with libmilter that does what it is
# told, a sink, and messages to send.  Sourced behind lib.

setup_file() {
	command -v gcc >/dev/null || skip "gcc is not installed"
	[ -e /usr/include/libmilter/mfapi.h ] || skip "libmilter is not installed"
	gcc -O1 -o "$BATS_FILE_TMPDIR/milter" "$ROOT/t/tools/milter.c" -lmilter -lpthread
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	mkdir conf store
	for u in alice bob carol dave; do
		echo "$u@example.test:62011:62011:/nonexistent/$u:"
	done >conf/users
	echo example.test >conf/domains
	echo mx.example.test >conf/me
	echo "queue $PWD/queue" >conf/paths
	echo "pneu $(id -u) $(id -g)" >conf/uids
	touch -d '1 hour ago' conf/*
	export PNEU_CONF=$PWD/conf
	pids=
	script sink 'cat >"'"$PWD"'/store/$MAIL_ID"; printf "%s\n" "$@" >"'"$PWD"'/args"
		env >"'"$PWD"'/env"'
	m=unix:$PWD/m
}

teardown() {
	[ -z "$pids" ] || kill -9 $pids 2>/dev/null || :
	wait 2>/dev/null || :
}

script() {
	printf '#!/bin/sh\n%s\n' "$2" >"$1"
	chmod +x "$1"
}

# milter ACTION...: the one at $PWD/m, its log is $PWD/told
milter() {
	rm -f m
	"$BATS_FILE_TMPDIR/milter" "$PWD/m" "$PWD/told" "$@" 3>&- &
	pid=$!
	pids="$pids $pid"
	wait_for listens "$PWD/m"
}

stop() {
	kill -9 "$pid" 2>/dev/null || :
	wait "$pid" 2>/dev/null || :
	rm -f m told store/*
}

say() {
	printf '%s\r\n' "$@"
}

# one LINE...: a session with one message for alice and bob
one() {
	say 'EHLO me.test' 'MAIL FROM:<s@x.org>' 'RCPT TO:<alice@example.test>' \
		'RCPT TO:<bob@example.test>' DATA "$@" . QUIT
}

# bulk N: N bytes in lines of 70
bulk() {
	head -c "$1" /dev/zero | tr '\0' y | fold -w 70 | sed '$!s/$/\r/'
}

last_reply() {
	tr -d '\r' <"$1" | tail -n 2 | head -n 1
}

ok() {
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
}

# The message that was stored, without our Received.
stored() {
	awk 'NR > 1 && !/^\t/ { on = 1 } on' store/*
}

# With a milter that does ACTION..., one message is taken.
taken() {
	milter "$@"
	one 'Subject: hi' 'X-A: 1' 'X-A: 2' '' hello | mrecv -m "$m" -- ./sink >out 2>err
	cat err out told
	ok
	! grep FAILED told || false
}
