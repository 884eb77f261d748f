#!/usr/bin/env bats
#
# pneu-masks(5): what is hidden from a client, a user or an address.

load lib
load imap

setup() {
	at_home
	export USER=alice@example.test
	mkdir conf
}

masks() {
	printf '%s\n' "$@" >conf/masks
}

@test "a capability that is hidden is neither told, enabled nor known" {
	masks 'QRESYNC *' 'move *' 'UIDBATCHES peer:192.0.2.0/24' \
		'UIDONLY auth:alice@example.test' 'IDLE auth:bob@example.test'
	run -0 say 'a ENABLE QRESYNC CONDSTORE UIDONLY' 'b SELECT INBOX' \
		'c UIDBATCHES 500' 'd MOVE 1 x' 'e SELECT INBOX (QRESYNC (1 1))' \
		'f CAPABILITY'
	for line in "${lines[0]}" "$(grep '^\* CAPA' <<<"$output")"; do
		[[ $line == *" IDLE "*" UIDPLUS ESEARCH "* ]]
		[[ $line == *" UIDBATCHES"* ]]
		[[ $line != *QRESYNC* && $line != *" MOVE"* && $line != *UIDONLY* ]]
	done
	grep -qx '\* ENABLED CONDSTORE' <<<"$output"
	grep -q '^c OK' <<<"$output"
	grep -qx 'd BAD Unknown command' <<<"$output"
	grep -q '^e BAD' <<<"$output"
}

@test "peer: is where the client is, auth: who the user is" {
	masks 'UIDBATCHES peer:192.0.2.0/24' 'MOVE auth:@example.test *' \
		'IDLE auth:alice@example.test peer:192.0.2.8'
	export PROTO=TCP TCPREMOTEIP=192.0.2.7 TCPREMOTEPORT=99
	run -0 say 'a UIDBATCHES 500'
	[[ ${lines[0]} == *" IDLE "* ]]
	[[ ${lines[0]} != *UIDBATCHES* && ${lines[0]} != *" MOVE"* ]]
	grep -qx 'a BAD Unknown command' <<<"$output"
	export TCPREMOTEIP=192.0.2.8
	run -0 say 'a IDLE'
	[[ ${lines[0]} != *" IDLE "* ]]
	grep -qx 'a BAD Unknown command' <<<"$output"
}

@test "id: counts from the command ID on, and anew with each" {
	masks 'MOVE id:*some*mail' 'NAMESPACE id:*acme*'
	run -0 say 'a ID ("NAME" "Some Mail" "version" "acme")' 'b CAPABILITY' \
		'c ID ("name" "x" "vendor" "ACME Inc.")' 'd CAPABILITY' \
		'e NAMESPACE' 'f ID NIL' 'g CAPABILITY' 'h NAMESPACE'
	[[ ${lines[0]} == *" MOVE "* ]]
	mapfile -t capa < <(grep '^\* CAPA' <<<"$output")
	[[ ${capa[0]} != *" MOVE "* && ${capa[0]} == *" NAMESPACE "* ]]
	[[ ${capa[1]} == *" MOVE "* && ${capa[1]} != *" NAMESPACE "* ]]
	[[ ${capa[2]} == *" MOVE "*  && ${capa[2]} == *" NAMESPACE "* ]]
	grep -qx 'e BAD Unknown command' <<<"$output"
	grep -q '^h OK' <<<"$output"
}

@test "UIDONLY is hidden from Outlook, and a line about it changes that" {
	outlook='a ID ("name" "Microsoft Office 365" "version" "1.0")'
	run -0 say "$outlook" 'b CAPABILITY' 'c ENABLE UIDONLY'
	[[ ${lines[0]} == *UIDONLY* ]]
	[[ $(grep '^\* CAPA' <<<"$output") != *UIDONLY* ]]
	grep -qx '\* ENABLED' <<<"$output"
	run -0 say 'a ID ("name" "Outlook-iOS")' 'c ENABLE UIDONLY'
	grep -qx '\* ENABLED' <<<"$output"
	run -0 say 'a ID ("name" "Mail")' 'c ENABLE UIDONLY'
	grep -qx '\* ENABLED UIDONLY' <<<"$output"
	masks 'UIDONLY auth:@none.invalid'
	run -0 say "$outlook" 'c ENABLE UIDONLY'
	grep -qx '\* ENABLED UIDONLY' <<<"$output"
}

@test "an algorithm of THREAD is a capability of its own" {
	masks 'THREAD=REFS *' 'MULTISEARCH *'
	run -0 say 'a SELECT INBOX' 'b THREAD REFS UTF-8 ALL' \
		'c THREAD REFERENCES UTF-8 ALL' \
		'd ESEARCH IN (MAILBOXES INBOX) ALL'
	[[ ${lines[0]} == *" THREAD=REFERENCES "* ]]
	[[ ${lines[0]} != *THREAD=REFS* && ${lines[0]} != *MULTISEARCH* ]]
	grep -qx 'b BAD Unknown command' <<<"$output"
	grep -q '^c OK' <<<"$output"
	grep -qx 'd BAD Unknown command' <<<"$output"
}

@test "bad lines are logged and hide nothing" {
	masks 'MOVE' 'IDLE helo:x' 'QRESYNC peer:x' 'UIDBATCHES auth:'
	run -0 say 'a NOOP'
	[[ ${lines[0]} == *" IDLE "*" MOVE "*" QRESYNC "*" UIDBATCHES"* ]]
	for n in 1 2 3 4; do
		grep -q "conf/masks:$n: not NAME and" log
	done
}

@test "a name that many lines hide leaves room for the others" {
	{
		for i in $(seq 1200); do echo 'MOVE *'; done
		echo 'QRESYNC *'
	} >conf/masks
	run -0 say 'a NOOP'
	[[ ${lines[0]} != *" MOVE "* && ${lines[0]} != *QRESYNC* ]]
}

@test "what was said by ID before a login counts behind it" {
	for id in 'acme
' 'none
'; do
		printf '%s\n' 'pneu-session 1' 'login alice@example.test' \
			'service imap' 'mech PLAIN' 'label ' 'tls ' \
			'conn 01234567890abc' "state $((3 + ${#id}))" 'unread 0' \
			'' >record
		printf 'x1\n%s' "$id" >>record
		masks 'MOVE id:acme*'
		run -0 bash -c 'exec 5< <(cat record); MAILDIR=$PWD/box
			export MAILDIR; printf "a LOGOUT\r\n" |
			PNEU_SESSION=5 mimapd 2>/dev/null | tr -d "\r"'
		[[ ${lines[0]} == "x1 OK [CAPABILITY IMAP4rev1 "*"] Logged in" ]]
		if [[ $id == acme* ]]; then
			[[ ${lines[0]} != *" MOVE "* ]]
		else
			[[ ${lines[0]} == *" MOVE "* ]]
		fi
	done
}
