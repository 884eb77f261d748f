#!/usr/bin/env bats
#
# Horde's IMAP client: LIST-EXTENDED, MULTIAPPEND, CATENATE, BINARY, UTF8,
# ESEARCH, SEARCHRES, SORT, THREAD, QRESYNC, METADATA, ACL, quota.

load ../lib
load ../host

@test "Horde's Imap_Client: once as it is, once with a cache and UTF-8" {
	command -v php >/dev/null || skip "no php"
	[ -e /usr/share/php/Horde/Imap/Client/Socket.php ] ||
		skip "no Horde_Imap_Client"
	sed -E -i 's/^((alice|bob)@[^ ]*).*/\1 quota=100M,1000/' "$PNEU_CONF/users"
	DEBUG=$PWD/debug run timeout 200 php "$ROOT/t/peers/horde.php" 3>&-
	[ "$output" = "done" ] || { echo "$output"; false; }
	# a COPY to a mailbox that it then makes, and no other complaint
	[ "$(grep -aE '^S: [0-9*]+ (NO|BAD)' debug.* | grep -cF '[TRYCREATE]')" = 2 ]
	[ "$(grep -caE '^S: [0-9*]+ (NO|BAD)' debug.alice)" = 1 ]
	[ "$(grep -caE '^S: [0-9*]+ (NO|BAD)' debug.bob.cache)" = 1 ]
}
