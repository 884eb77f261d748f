#!/usr/bin/env bats
#
# SEARCH of mimapd(8): what is found, and that nothing is missed.

load lib

setup() {
	cd "$BATS_TEST_TMPDIR"
	export HOME=$BATS_TEST_TMPDIR
	export PNEU_CONF=$BATS_TEST_TMPDIR/no-conf
}

# Lines of a client, CRLF added, to a session on ./box.
say() {
	printf '%s\r\n' "$@" | mimapd -p box 2>log | tr -d '\r'
}

@test "no text is missed, read for the first time or by its signature" {
	run -0 python3 "$ROOT/t/imap/needles.py" box 3>&-
	for seed in 1 2; do
		run -0 python3 "$ROOT/t/imap/needles.py" "box$seed" $seed 3>&-
	done
}

@test "a rare word opens no message the second time" {
	mkdir -p box/tmp box/new box/cur
	for i in 1 2 3 4 5 6 7 8; do
		printf 'Subject: s\n\nnothing here is rare\n' >"box/new/$i.a.host"
	done
	printf 'Subject: s\n\nxylophone\n' >box/new/9.a.host
	run -0 say 'a SELECT INBOX' 'b SEARCH BODY xylophone'
	[[ $output == *$'\n* SEARCH 9\n'* ]]
	run -0 strace -f -o trace -e trace=openat \
		bash -c 'printf "a SELECT INBOX\r\nb SEARCH BODY xylophone\r\n" |
		mimapd -p box 2>log'
	[[ $output == *"* SEARCH 9"* ]]
	[ "$(grep -c '[0-9]\.a\.host' trace)" = 1 ]
}
