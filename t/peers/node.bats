#!/usr/bin/env bats
#
# IMAP clients that npm has, beside imapflow.

load ../lib
load ../host

@test "node-imap: searches, parts, sort, thread; told by IDLE of emailjs" {
	for p in imap emailjs-imap-client; do
		[ -d "$ROOT/build/npm/node_modules/$p" ] || skip "no $p"
	done
	timeout 200 node "$ROOT/t/peers/node-imap.js" >out 2>&1 3>&- ||
		{ cat out; false; }
	[ "$(cat out)" = "done" ]
}
