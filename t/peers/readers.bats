#!/usr/bin/env bats
#
# Further programs that read mail, against a host of scripts/up.

load ../lib
load ../host

teardown() {
	[ -z "${G:-}" ] || rm -rf "$G"
}

setup() {
	at_host
	for s in first second; do
		printf 'From: ann <a@b>\r\nSubject: %s letter\r\n\r\nof %s %s\r\n' \
			$s $s $BATS_TEST_NUMBER >put.eml
		python3 - "$LMTP_PORT" <<-'E'
			import smtplib, sys
			s = smtplib.LMTP("127.0.0.1", int(sys.argv[1]))
			s.sendmail("a@b.test", ["bob@example.test"],
			           open("put.eml", "rb").read())
			s.quit()
		E
		wait_for arrived "of $s $BATS_TEST_NUMBER"
	done
}

arrived() {
	grep -qrx "$1" "$PNEU_DIR/mail/bob/cur" "$PNEU_DIR/mail/bob/new"
}

gone() { ! arrived "$@"; }

need() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

# getmail delivers to nobody as root.
fetch() {
	local as=
	[ "$(id -u)" -ne 0 ] || as='setpriv --reuid nobody --regid nogroup --clear-groups'
	# shellcheck disable=SC2086 # words
	$as getmail -g "$G" -r "$G/rc.$1"
}

@test "getmail by POP3 and by IMAP: each message once" {
	need getmail
	G=$(mktemp -d /tmp/pneu-t.XXXXXX)
	cp "$PNEU_CA" "$G/ca.pem"
	cd "$G"
	for kind in POP3 IMAP; do
		mkdir -p $kind/{tmp,new,cur}
		[ $kind = POP3 ] && port=$POP3S_PORT || port=$IMAPS_PORT
		cat >rc.$kind <<-E
		[retriever]
		type = Simple${kind}SSLRetriever
		server = localhost
		port = $port
		username = bob@example.test
		password = secret-bob
		ca_certs = $G/ca.pem
		[destination]
		type = Maildir
		path = $G/$kind/
		[options]
		read_all = false
		verbose = 0
		E
		[ "$(id -u)" -ne 0 ] || chown -R nobody:nogroup "$G"
		run -0 fetch $kind
		n=$(ls $kind/new | wc -l)
		[ "$n" -ge 2 ]
		grep -qr '^of second 1' $kind/new
		run -0 fetch $kind
		[ "$(ls $kind/new | wc -l)" = "$n" ]
	done
}

@test "alpine reads a message and deletes it" {
	need alpine
	cat >pinerc <<-E
	inbox-path={127.0.0.1:$IMAP_PORT/notls/user=bob@example.test}INBOX
	disable-these-authenticators=LOGIN
	feature-list=enable-msg-view-urls,expunge-without-confirm,quit-without-confirm
	personal-name=Bob
	last-version-used=99.99
	E
	run -0 python3 "$ROOT/t/tools/sit.py" alpine -p pinerc -i <<-'E'
	wait PASSWORD
	send secret-bob\r
	wait Preserve password
	send n
	wait letter
	send j
	wait number to jump
	send \x16
	send \r
	send \r
	wait of second 2
	send d
	send q
	end
	E
	wait_for gone "of second 2"
}

@test "aerc lists the mailbox and shows a message" {
	need aerc
	mkdir -m 0700 -p .config/aerc
	cat >.config/aerc/accounts.conf <<-E
	[bob]
	source = imap+insecure://bob%40example.test:secret-bob@127.0.0.1:$IMAP_PORT
	default = INBOX
	from = Bob <bob@example.test>
	E
	chmod 0600 .config/aerc/accounts.conf
	run -0 python3 "$ROOT/t/tools/sit.py" aerc <<-'E'
	wait second letter
	send \r
	wait of second 3
	send :quit -f\r
	end
	E
}
