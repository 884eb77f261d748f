#!/usr/bin/env bats
#
# mrecv(8) -n: what would be decided, and why, and nothing else.

load lib

setup() {
	cd "$BATS_TEST_TMPDIR"
	mkdir conf state
	cat >conf/users <<-'E'
		alice@example.test:62011:62011:/nonexistent/alice:
		carol@example.test:62013:62013:/nonexistent/carol:disabled
	E
	printf 'example.test\nrelay.test relay\n' >conf/domains
	echo mx.example.test >conf/me
	printf 'queue %s\nstate %s\n' "$PWD/queue" "$PWD/state" >conf/paths
	touch -d '1 hour ago' conf/*
	export PNEU_CONF=$PWD/conf PROTO=TCP TCPREMOTEIP=192.0.2.7
	printf '%s\n' 'EHLO me.test' 'FOO bar' 'MAIL FROM:<s@x.org>' \
		'RCPT TO:<alice@example.test>' 'RCPT TO:<carol@example.test>' \
		'RCPT TO:<zed@example.test>' 'RCPT TO:<x@other.test>' \
		DATA 'Subject: x' '' 'FOO is no command here' . QUIT >session
}

teardown() {
	[ -z "${DNSD:-}" ] || kill "$DNSD"
}

access() {
	printf '%s\n' "$@" >conf/access
	touch -d '1 hour ago' conf/access
}

# tabs as | so that they can be seen
dry() {
	mrecv -n "$@" -- mqueue add 2>err | tr '\t' '|'
}

is() {
	diff <(printf '%s\n' "$2") <(printf '%s\n' "$1") || {
		cat err
		return 1
	}
}

@test "each decision is a line, and nothing is done" {
	find conf state session -exec stat -c '%n %s %Y' {} + | sort >before
	run -0 dry <session
	is "$output" "$(
		cat <<-'E'
			connect 192.0.2.7|220|greet-delay 0
			helo me.test|250|extensions
			command FOO|500 5.5.1 unknown command|the protocol
			mail s@x.org|250 2.1.0 ok|anybody may send
			rcpt alice@example.test|250 2.1.5 ok|users
			rcpt carol@example.test|550 5.2.1 mailbox disabled|users
			rcpt zed@example.test|550 5.1.1 no such user|users
			rcpt x@other.test|550 5.7.1 relaying denied|domains
			sink|would run|mqueue add
			message|250|recipients: 1
		E
	)"
	[ ! -s err ]
	[ ! -e queue ]
	find conf state session -exec stat -c '%n %s %Y' {} + | sort | diff before -
	# lines of CR LF are the same
	sed 's/$/\r/' session | dry >crlf
	is "$(cat crlf)" "$output"
}

@test "TCPREMOTEIP alone names the client" {
	unset PROTO
	access 'reject peer:192.0.2.7'
	dry <session >out
	grep -qx 'rcpt alice@example.test|550 5.7.1 refused|access:1' out
}

@test "two runs are the same, and one under another access is not" {
	access 'reject from:nobody@x.org'
	dry -vv <session >one
	sleep 1.1
	dry -vv <session >two
	cmp one two
	dry <session >one
	cp -rp conf new
	printf '%s\n' 'reject from:@x.org to:alice@example.test -- not her' >new/access
	touch -d '1 hour ago' new/access
	dry -c new <session >two || :
	run -1 diff one two
	[[ $output == *'> rcpt alice@example.test|550 5.7.1 not her|access:1'* ]]
	[[ $output == *'< message|250|recipients: 1'* ]]
}

@test "what it decides is what is decided" {
	access 'later to:alice@example.test' 'drop to:.relay.test' 'reject helo:me.test -- 553 no'
	dry <session | grep -E '^(rcpt|command|mail)' | cut -d '|' -f 2 >would
	sed 's/$/\r/' session | mrecv -- mqueue add 2>err | tr -d '\r' |
		grep -E '^([45]|250 2\.1)' >real
	diff would real
	grep -q '^450 4.7.1' real
	grep -q '^553 5.7.1 no' real
}

@test "-v says what DNS and each line of access said, -vv the dialogue" {
	printf '%s\n' '7.2.0.192.bl.test A 127.0.0.4' '7.2.0.192.in-addr.arpa PTR mx.good.test' \
		'mx.good.test A 192.0.2.7' '7.2.0.192.wl.test fail' >zone
	python3 "$ROOT/t/tools/dnsd.py" zone >port 3>&- &
	DNSD=$!
	wait_for test -s port
	export PNEU_DNS=127.0.0.1:$(cat port)
	access 'allow dnsbl:wl.test' 'reject client:.bad.test' 'reject peer:192.0.2.0/24 dnsbl:bl.test=127.0.0.4'
	dry -v <session >out
	grep -qx 'dnsbl wl.test|no answer|7.2.0.192.wl.test' out
	grep -qx 'dnsbl bl.test|127.0.0.4|7.2.0.192.bl.test' out
	grep -qx 'client|mx.good.test|what leads back to the address' out
	grep -qx 'access:1 alice@example.test|DNS did not answer|allow dnsbl:wl.test' out
	grep -qx 'access:2 alice@example.test|no|reject client:.bad.test' out
	grep -q '^access:3 alice@example.test|yes|reject peer:192.0.2.0/24' out
	grep -qx 'rcpt alice@example.test|450 4.7.1 try again later|access:3, in doubt' out
	! grep -q '^[CS]: ' out || false
	dry -vv <session >out
	grep -qx 'C: EHLO me.test' out
	grep -qx 'S: 250 2.0.0 ok' out || grep -qx 'S: 554 5.5.1 no valid recipients' out
	dry <session >out
	! grep -q '^access' out || false
}

@test "filters, holds and drops are said, and no command is started" {
	printf '#!/bin/sh\n: >%s/called\ncat\n' "$PWD" >f
	chmod +x f
	access 'hold to:alice@example.test -- looked at first'
	mrecv -n -F './f one' -- ./f two <session | tr '\t' '|' >out
	is "$(grep -A9 ^filter out)" $'filter|would run|./f one\nsink|would run|./f two\nmessage|held|looked at first\nmessage|250|recipients: 1'
	[ ! -e called ]
	mrecv -n -m unix:/nonexistent -F? './f one' -- ./f two <session | tr '\t' '|' >out
	is "$(grep -A9 ^milter out)" $'milter|would be asked|unix:/nonexistent\nfilter|would run|./f one\nsink|would run|./f two\nmessage|held|looked at first\nmessage|250|recipients: 1'
	access 'drop to:alice@example.test'
	dry <session >out
	grep -qx 'rcpt alice@example.test|250, dropped|access:1' out
	grep -qx 'message|250, dropped|recipients: 0' out
	# a message that is never taken
	{ sed '/^DATA/q' session; for i in $(seq 101); do echo 'Received: x'; done; echo; echo .; } |
		dry >out
	grep -q '^message|554|5.4.6' out
}

@test "limits and greylist are asked, counted within the session, and not written" {
	printf 'messages-per-address 2\n' >conf/limits
	{ echo 'EHLO a'; for i in 1 2 3; do echo 'MAIL FROM:<>'; echo 'RCPT TO:<alice@example.test>'; echo RSET; done; echo QUIT; } >session
	for i in 1 2; do
		dry <session >out
		is "$(grep -c '^rcpt.*|250' out)" 2
		is "$(grep '^rcpt.*|450' out)" 'rcpt alice@example.test|450 4.7.1 too many messages in an hour, try again later|messages-per-address 2'
	done
	is "$(ls state)" ''
	access 'greylist peer:0.0.0.0/0'
	dry <session >out
	is "$(grep -c '^rcpt.*|451 4.7.1 greylisted' out)" 3
	is "$(ls state)" ''
	# nor is a file that is there
	{ sed 's/$/\r/' session | mrecv -- mqueue add; } >/dev/null 2>&1
	sha256sum state/* >before
	dry <session >out
	sha256sum -c --quiet before
}

@test "a client that is refused at once, or waits, and one that is known" {
	printf 'greet-delay 30\ntarpit-errors 0\n' >conf/limits
	dry <session >out
	is "$(head -n 1 out)" 'connect 192.0.2.7|220|greet-delay 30'
	access 'reject peer:192.0.2.7 -- 521 5.3.2 no mail'
	dry <session >out
	is "$(cat out)" 'connect 192.0.2.7|521 5.3.2 no mail|access:1'
	unset PROTO TCPREMOTEIP
	PROTO=IPC IPCREMOTEEUID=62011 dry -S <session >out
	grep -qx 'mail s@x.org|553 5.7.1 not an address of yours|alice@example.test' out
	dry -S <session >out
	grep -qx 'mail s@x.org|530 5.7.0 log in first|nobody has logged in' out
}

@test "no byte of a session makes a line" {
	printf '%s\n' 'EHLO a' 'MAIL FROM:<"a b"@x.org>' 'RCPT TO:<"x y"@example.test>' QUIT | dry >out
	cat out
	[ "$(grep -c '|.*|' out)" -eq "$(wc -l <out)" ]
	grep -q '^rcpt "x%20y"@example.test|550' out
}
