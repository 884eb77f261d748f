#!/usr/bin/env bats
#
# The README's pipelines do what it says, in dash and in bash with pipefail.

load lib

# Two hosts: what the first has for example.net goes to no host that answers;
# the other takes it.
setup_file() {
	host_dir
	export OTHER_DIR=$PNEU_DIR
	mkdir -p "$OTHER_DIR/conf"
	printf '%s\n' example.test 'example.net catchall=bob@example.test' \
		>"$OTHER_DIR/conf/domains"
	as=
	[ "$(id -u)" -ne 0 ] || as='user=root '
	echo "* ${as}mdeliver" >"$OTHER_DIR/conf/routes"
	host_up
	export RELAY_PORT=$SMTP_PORT
	host_dir
	export PNEU_DIR
	mkdir -p "$PNEU_DIR/conf"
	echo '* msend -h 127.0.0.1:1' >"$PNEU_DIR/conf/routes"
	host_up
}

teardown_file() {
	host_down
	PNEU_DIR=$OTHER_DIR host_down
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	. "$PNEU_DIR/env"
	ids=
	export HOME=$PWD
	mkdir -p Maildir/new Maildir/cur Maildir/tmp
}

teardown() {
	[ -z "$ids" ] || mqueue rm $ids
}

# pipeline N: the Nth block of the README that is marked as one
pipeline() {
	awk -v n="$1" '/^```sh pipeline/ { on = ++k == n; next }
		/^```/ { on = 0 } on' "$ROOT/README.md"
}

# in_shells N BEFORE AFTER: run it in dash and in bash with pipefail
in_shells() {
	pipeline "$1" >line
	[ -s line ]
	for shell in 'dash -e' 'bash -eo pipefail'; do
		"$2"
		# a pipe, as tee may not begin the file anew
		$shell ./line 2>&1 >out | cat >err
		[ "${PIPESTATUS[0]}" -eq 0 ] || { cat out err; return 1; }
		"$3"
	done
}

waiting() {
	ids="$ids $(printf 'Subject: w\n\nx\n' | mqueue add \
		-f alice@example.test -- x@example.net y@example.net)"
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
	n=0
	after() {
		n=$((n + 2))
		grep -Eq "^ *$n example.net\$" out
	}
	in_shells 2 waiting after
}

@test "hold and release" {
	after() { [ -z "$(mqueue ls status:held)" ]; }
	in_shells 3 waiting after
	# the first line alone
	pipeline 3 | head -n 1 >line
	sh -e ./line
	[ "$(mqueue ls status:held to:@example.net | wc -l)" -eq 2 ]
	mqueue ls status:held | grep -q 'their server is down'
}

@test "the queue by hand" {
	# a queue that nobody else empties
	cp -a "$PNEU_CONF" "$PNEU_DIR/conf2"
	mkdir -m 0700 "$PNEU_DIR/queue2"
	chown --reference="$PNEU_DIR/queue" "$PNEU_DIR/queue2"
	PNEU_CONF=$PNEU_DIR/conf2
	sed -i "s,^queue .*,queue $PNEU_DIR/queue2," "$PNEU_CONF/paths"
	n=0
	after() {
		ids=
		n=$((n + 1)) # one copy in one mailbox
		[ "$(grep -Ec $'\t[xy]@example.net\t2\\.' err)" -eq 2 ]
		[ -z "$(mqueue ls)" ]
		PNEU_DIR=$OTHER_DIR wait_for has_mail bob $n
	}
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
