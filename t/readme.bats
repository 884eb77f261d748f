#!/usr/bin/env bats
#
# The README's pipelines do what it says, in dash and in bash with pipefail.

load lib

setup_file() {
	host_dir
	export PNEU_DIR
	# nothing leaves: example.net is a host that refuses connections
	mkdir -p "$PNEU_DIR/conf"
	echo '* msend -h 127.0.0.1:1' >"$PNEU_DIR/conf/routes"
	host_up
	export RELAY_PORT=$SMTP_PORT
}

teardown_file() {
	host_down
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	. "$PNEU_DIR/env"
	export HOME=$PWD
	mkdir -p Maildir/new Maildir/cur Maildir/tmp
}

# pipeline N: the Nth block of the README that is marked as one
pipeline() {
	awk -v n="$1" '/^```sh pipeline/ { on = ++k == n; next }
		/^```/ { on = 0 } on' "$ROOT/README.md"
}

# run it in dash and in bash with pipefail, as root in the queue's host
in_shells() {
	pipeline "$1" >line
	[ -s line ]
	for shell in 'dash -e' 'bash -eo pipefail'; do
		"$2"
		$shell ./line >out 2>err || { cat out err; return 1; }
		"$3"
	done
}

waiting() {
	printf 'Subject: w\n\nx\n' | mqueue add -f alice@example.test -- \
		x@example.net y@example.net bob@example.test >/dev/null
}

@test "there are five" {
	[ "$(grep -c '^```sh pipeline' "$ROOT/README.md")" -eq 5 ]
}

@test "unread mail" {
	before() { printf 'Subject: u\n\nx\n' | mdeliver Maildir/; }
	after() { grep -Eq '^\* STATUS "?INBOX"? \(MESSAGES [1-9][0-9]* UNSEEN [1-9]' out; }
	in_shells 1 before after
}

@test "whose mail is waiting" {
	after() { grep -q '[1-9] example.net' out; }
	in_shells 2 waiting after
}

@test "hold and release" {
	after() { [ -s out ] || [ ! -s err ]; }
	in_shells 3 waiting after
	[ -z "$(mqueue ls status:held)" ]
}

@test "the queue by hand" {
	after() { :; }
	in_shells 4 waiting after
}

@test "old mail into a Maildir" {
	before() {
		mkdir -p old
		for n in 1 2 3; do printf 'Subject: o%s\n\nx\n' $n >old/$n.eml; done
	}
	after() {
		[ -z "$(ls old)" ]
		[ "$(grep -lr '^Subject: o' Maildir/new | wc -l)" -ge 3 ]
	}
	in_shells 5 before after
}
