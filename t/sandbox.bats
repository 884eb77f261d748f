#!/usr/bin/env bats
#
# What speaks with strangers can do nothing else: a process of each kind is
# made to try what whoever took it over would try.

load lib
load host

setup_file() {
	host_up
	export PNEU_DIR
	"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O1 -o "$BATS_FILE_TMPDIR/inject" \
		"$ROOT/t/tools/inject.c"
}

setup() {
	at_host
	PATH=$BATS_FILE_TMPDIR:$PATH
	[ "$(uname -m)" = x86_64 ] || skip "system calls are put in on x86-64 only"
}

# The processes called NAME that are of this host, and no listener's.
of_name() {
	local pid
	for pid in $(pgrep -x "$1"); do
		grep -zq "^PNEU_DIR=$PNEU_DIR" "/proc/$pid/environ" 2>/dev/null ||
			continue
		grep -qx "$pid" "$PNEU_DIR/pid" || echo "$pid"
	done
}

# The one of them that has a filter of system calls: numbers of processes
# start again at the end, so the last is not always the newest.
confined() {
	local pid
	for pid in $(of_name "$1"); do
		! grep -q '^Seccomp:.*2' "/proc/$pid/status" || echo "$pid"
	done | tail -n 1
}

# None of them is left from a connection that has ended.
no_more() {
	[ -z "$(confined "$1")" ]
}

# Connect descriptor 7 to PORT and read the greeting.
hold() {
	exec 7<>"/dev/tcp/127.0.0.1/$1"
	read -r -u 7 greeting
	echo "$greeting"
}

# Each of these fails, with EPERM (seccomp) or EACCES (Landlock).
forbidden() {
	local what
	for what in "open $PNEU_CONF/secrets" 'open /etc/passwd' \
		"connect $SMTP_PORT" fork 'exec /bin/true'; do
		# shellcheck disable=SC2086 # words
		run -0 inject "$1" $what
		echo "$what: $output"
		[ "$output" = EPERM ] || [ "$output" = EACCES ]
	done
}

@test "a process without a sandbox could do all of it" {
	sleep 60 3>&- &
	pid=$!
	run -0 inject $pid open /etc/passwd
	[ "$output" = ok ]
	run -0 inject $pid connect "$SMTP_PORT"
	[ "$output" = ok ]
	run -0 inject $pid exec /bin/true
	[ "$output" = ok ]
	wait $pid || :
}

@test "the TLS half of mtls can't open, connect, fork or execute" {
	wait_for no_more mtls
	coproc tls { exec openssl s_client -quiet -CAfile "$PNEU_CA" \
		-connect "127.0.0.1:$IMAPS_PORT" 2>/dev/null 3>&-; }
	read -r -u "${tls[0]}" greeting
	[[ $greeting == '* OK'* ]]
	half=$(confined mtls)
	[ -n "$half" ]
	forbidden "$half"
	kill "$tls_PID"
	wait "$tls_PID" || :
}

@test "the greeter of mauth can't open, connect, fork or execute" {
	wait_for no_more mauth
	hold "$SUBMISSION_PORT"
	greeter=$(confined mauth)
	[ -n "$greeter" ]
	forbidden "$greeter"
	exec 7>&-
}

@test "mrecv can't read the queue, nor connect, fork or execute" {
	wait_for no_more mrecv
	hold "$SMTP_PORT"
	server=$(confined mrecv)
	[ -n "$server" ]
	: >"$PNEU_DIR/queue/0000000000000000"
	chmod 0644 "$PNEU_DIR/queue/0000000000000000"
	for what in "open $PNEU_DIR/queue/0000000000000000" \
		"open $PNEU_DIR/queue" "open $PNEU_CONF" 'open /etc/passwd' \
		"open $PNEU_DIR/mail" "connect $SMTP_PORT" fork 'exec /bin/true'; do
		# shellcheck disable=SC2086 # words
		run -0 inject "$server" $what
		echo "$what: $output"
		[ "$output" = EPERM ] || [ "$output" = EACCES ]
	done
	run -0 inject "$server" open "$PNEU_CONF/users"
	[ "$output" = ok ]
	rm "$PNEU_DIR/queue/0000000000000000"
	exec 7>&-
}

@test "mrecv with a filter and a sink of its own can't, either" {
	user=
	[ "$(id -u)" -ne 0 ] || user='-u pneu'
	cp "$(command -v mrecv)" "$PNEU_DIR/mrecv"
	# shellcheck disable=SC2086 # words
	mtls -l 127.0.0.1:0 $user "$PNEU_DIR/mrecv" -F cat -- \
		sh -c 'cat >/dev/null' 2>"$PNEU_DIR/own" 3>&- &
	listener=$!
	wait_for grep -q port= "$PNEU_DIR/own"
	hold "$(sed -n 's/.*port=//p' "$PNEU_DIR/own")"
	server=$(of_name mrecv | while read -r pid; do
		grep -q '^Seccomp:.*2' "/proc/$pid/status" || continue
		[ "$(readlink "/proc/$pid/exe")" != "$PNEU_DIR/mrecv" ] || echo "$pid"
	done | tail -n 1)
	kill "$listener"
	wait "$listener" || :
	forbidden "$server"
	printf '%s\r\n' 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' \
		DATA 'A: b' . QUIT >&7
	cat <&7 >"$PNEU_DIR/said"
	cat "$PNEU_DIR/said"
	grep -q '^250 2.0.0 ok' "$PNEU_DIR/said"
	exec 7>&-
}

@test "a table that is a link to somewhere else is read" {
	mkdir "$PNEU_DIR/elsewhere"
	chmod 0755 "$PNEU_DIR/elsewhere"
	mv "$PNEU_CONF/users" "$PNEU_DIR/elsewhere/"
	ln -s "$PNEU_DIR/elsewhere/users" "$PNEU_CONF/users"
	hold "$SMTP_PORT"
	printf 'HELO a\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.test>\r\n' >&7
	for i in 1 2 3; do
		read -r -u 7 reply
		echo "$reply"
	done
	[[ $reply == '250 2.1.5'* ]]
	exec 7>&-
}

# mail NAME PORT LOGIN...: what a server may do once it serves alice
served() {
	local name=$1 server what reply
	wait_for no_more "$name"
	hold "$2" >/dev/null
	printf '%s\r\n' "${@:3}" >&7
	for what in "${@:3}"; do
		until read -r -u 7 reply; [[ $reply == [a+]* ]]; do :; done
	done
	[[ $reply == *"ogged in"* ]]
	server=$(confined "$name")
	[ -n "$server" ]
	forbidden "$server"
	run -0 inject "$server" open "$PNEU_DIR/mail/bob"
	[ "$output" = EACCES ]
	run -0 inject "$server" open "$PNEU_DIR/mail/alice"
	[ "$output" = ok ]
	exec 7>&-
}

@test "mimapd reaches the mail of its user, and can't connect, fork or execute" {
	served mimapd "$IMAP_PORT" 'a LOGIN alice@example.test secret-alice'
}

@test "mpop, too" {
	served mpop "$POP3_PORT" 'USER alice@example.test' 'PASS secret-alice'
}

@test "mimapd in its sandbox still converts charsets and makes folders" {
	run -0 curl -sS --user alice@example.test:secret-alice \
		"imap://127.0.0.1:$IMAP_PORT" -X 'CREATE Sandbox/Deep'
	printf 'Subject: =?KOI8-R?B?8NLJ18XU?=\r\n\r\nb\r\n' >koi8
	run -0 curl -sS --user alice@example.test:secret-alice -T koi8 \
		"imap://127.0.0.1:$IMAP_PORT/Sandbox%2FDeep"
	run -0 curl -sS --user alice@example.test:secret-alice \
		"imap://127.0.0.1:$IMAP_PORT/Sandbox%2FDeep" \
		-X $'SEARCH CHARSET UTF-8 SUBJECT \xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82'
	echo "$output"
	[[ $output == *"SEARCH 1"* ]]
	run -0 curl -sS --user alice@example.test:secret-alice \
		"imap://127.0.0.1:$IMAP_PORT" -X 'DELETE Sandbox/Deep'
}
