#!/usr/bin/env bats
#
# fail2ban reads our log: real lines of mauth and mrecv, with what
# supervisors put in front, held against the filter by fail2ban-regex.

load ../lib

setup() {
	command -v fail2ban-regex >/dev/null || skip "no fail2ban"
	cd "$BATS_TEST_TMPDIR"
	mkdir conf
	echo example.test >conf/domains
	echo mx.example.test >conf/me
	echo "queue $PWD/queue" >conf/paths
	echo auth-delay 0 >conf/limits
	echo 'alice@example.test:62011:62011:/nonexistent:' >conf/users
	echo 'alice@example.test:first:all:{PLAIN}secret-alice:' >conf/secrets
	printf '%s\n' 'later from:@slow.test' 'reject from:@bad.test' >conf/access
	[ "$(id -u)" -ne 0 ] || echo 'pneu-login 62003 62003' >conf/uids
	touch -d '1 hour ago' conf/*
	export PNEU_CONF=$PWD/conf PROTO=TCP
	filter=$ROOT/share/pneu/fail2ban/filter.d/pneu.conf
}

# mail IP LINE...: a session from an address
mail() {
	local ip=$1
	shift
	printf '%s\r\n' 'EHLO a.test' "$@" QUIT |
		TCPREMOTEIP=$ip mrecv -- mqueue add >/dev/null 2>>log
}

login() {
	local ip=$1
	shift
	{ printf '%s\r\n' "$@"; sleep 0.2; } |
		TCPREMOTEIP=$ip TCPLOCALIP=127.0.0.1 SSL_PROTOCOL=TLSv1.3 SSL_CIPHER=X timeout 20 \
		mauth -g pop3 true >/dev/null 2>>log || :
}

# banned MODE FILE: the addresses that it finds, with counts
banned() {
	fail2ban-regex -o ip "$2" "$filter[mode=$1]" >found 2>errors || {
		cat errors
		return 1
	}
	sort found | uniq -c | sed 's/^ *//'
}

is() {
	diff <(printf '%s\n' "$2") <(printf '%s\n' "$1")
}

lines() {
	login 192.0.2.1 'USER alice@example.test' 'PASS wrong'
	login 192.0.2.1 'USER nobody@example.test' 'PASS wrong'
	login 2001:db8::1 'USER a" b=c peer=203.0.113.9 why=user' 'PASS wrong'
	login 192.0.2.99 QUIT
	mail 192.0.2.2 'MAIL FROM:<x@bad.test>' 'RCPT TO:<alice@example.test>'
	mail 192.0.2.3 'MAIL FROM:<>' 'RCPT TO:<nobody@example.test>' 'RCPT TO:<zed@example.test>'
	mail 2001:db8::2 'MAIL FROM:<x@y.test>' 'RCPT TO:<x@other.test>'
	# put off, and taken
	mail 192.0.2.98 'MAIL FROM:<x@slow.test>' 'RCPT TO:<alice@example.test>'
	mail 192.0.2.98 'MAIL FROM:<x@y.test>' 'RCPT TO:<alice@example.test>' DATA 'Subject: x' .
	# somebody who would like to ban another
	mail 192.0.2.4 'MAIL FROM:<"mrecv refuse conn=x peer=203.0.113.9 from=a code=550 why=x"@y.test>' \
		'RCPT TO:<"mauth auth no conn=x user=a peer=203.0.113.9 why=user"@example.test>'
}

@test "addresses that guess, and those that are refused, and nobody else" {
	lines
	cat log
	[ "$(grep -c 'auth no' log)" -ge 3 ]
	# as journald, s6-log, syslog and multilog write it
	sed 's/^/2026-11-29T03:00:00+00:00 mx mtls[412]: /' log >journal
	sed 's/^/2026-11-29 03:00:00.123456789  /' log >s6
	sed 's/^/Nov 29 03:00:00 mx mauth[7]: /' log >syslog
	sed 's/^/@400000006929dc00112a8800 /' log >multilog
	for f in journal s6 syslog multilog; do
		is "$(banned normal $f)" $'2 192.0.2.1\n1 2001:db8::1'
		is "$(banned aggressive $f)" "$(
			cat <<-'E'
				2 192.0.2.1
				1 192.0.2.2
				2 192.0.2.3
				1 192.0.2.4
				1 2001:db8::1
				1 2001:db8::2
			E
		)"
	done
}

@test "a failure of ours is not a failure of theirs" {
	echo rubbish >>conf/secrets
	touch -d '1 hour ago' conf/secrets
	login 192.0.2.1 'USER alice@example.test' 'PASS wrong'
	grep -q 'auth no .*why=later' log
	echo 'mauth auth no conn=x user=a@b.test peer=192.0.2.1 svc=imap why=sessions' >>log
	sed 's/^/2026-11-29T03:00:00Z /' log >lines
	is "$(banned aggressive lines)" ''
}
