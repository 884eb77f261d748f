#!/usr/bin/env bats
#
# SEARCH, SORT and THREAD of mimapd(8) and of Dovecot: the same answers.

load ../lib

setup() {
	at_home
}

@test "a made-up mailbox is sorted, threaded and searched as Dovecot does it" {
	[ -x /usr/lib/dovecot/imap ] || skip "no Dovecot here"
	# Dovecot drops root: what leads to the mailbox must be open to it
	top=$(mktemp -d /tmp/agree.XXXXXX)
	chmod 755 "$top"
	bad=0
	for seed in 1 2 3 4 5 6; do
		python3 "$ROOT/t/imap/agree.py" "$top/$seed" $seed 3>&- || bad=1
	done
	rm -r "$top"
	[ "$bad" = 0 ]
}
