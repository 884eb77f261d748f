#!/usr/bin/env bats
#
# HAProxy in front, with send-proxy and send-proxy-v2: who is behind it is
# who the mail is from, and TLS passes through.

load ../lib
load ../tls

setup() {
	command -v haproxy >/dev/null || PATH=$PATH:/usr/sbin
	command -v haproxy >/dev/null || skip "haproxy is not installed"
	cd "$BATS_TEST_TMPDIR"
	SHARED=$(mktemp -d /tmp/pneu-t.XXXXXX)
	chmod 0711 "$SHARED"
	tls_conf "$SHARED/conf"
	export PNEU_CONF=$SHARED/conf
	echo '127.0.0.1 proxy' >"$PNEU_CONF/proxies"
	echo mail.example.test >"$PNEU_CONF/me"
	echo example.test >"$PNEU_CONF/domains"
	echo ann@example.test:62003:62003:/nonexistent: >"$PNEU_CONF/users"
	touch -d '1 hour ago' "$PNEU_CONF"/*
	cp "$PNEU_CONF/tls/default.pem" cert.pem
	started=
	u=
	[ "$(id -u)" -ne 0 ] || u='-u pneu'
}

teardown() {
	[ -z "$started" ] || kill $started 2>/dev/null || :
	cat log haproxy.log >&2 2>/dev/null || :
	rm -rf "$SHARED"
}

# in_front HOW...: HAProxy before $port, at $front; checks once a second.
in_front() {
	front=$(free_port)
	cat >haproxy.cfg <<-CFG
		global
		    log stderr format raw local0 notice
		defaults
		    mode tcp
		    timeout connect 60s
		    timeout client 90s
		    timeout server 90s
		    timeout check 60s
		listen mail
		    bind 127.0.0.1:$front
		    bind [::1]:$front v6only
		    server ours 127.0.0.1:$port check inter 300ms $*
	CFG
	haproxy -db -f haproxy.cfg 2>haproxy.log >&2 3>&- &
	started="$started $!"
	wait_for socat -u OPEN:/dev/null "TCP:127.0.0.1:$front"
}

# From another address than HAProxy's own; through STARTTLS.
send_from() {
	cat >send.py <<-'PY'
		import smtplib, ssl, sys
		s = smtplib.SMTP(sys.argv[2], int(sys.argv[1]), timeout=90,
		    source_address=(sys.argv[2], 0))
		s.starttls(context=ssl._create_unverified_context())
		s.sendmail("a@client.test", "ann@example.test",
		    "Subject: x\r\n\r\n" + "line\r\n" * 5000)
		s.quit()
	PY
	python3 send.py "$front" "$1"
}

@test "SMTP with STARTTLS: Received and log have the client's address" {
	# not into the log: lines of others would stand amid those of a message
	: >"$SHARED/got"
	chmod 0666 "$SHARED/got"
	serve -s mrecv -- sh -c "cat >>'$SHARED/got'"
	for how in send-proxy send-proxy-v2 'send-proxy-v2 proxy-v2-options crc32c' \
		'send-proxy-v2 proxy-v2-options unique-id,authority,crc32c'; do
		: >log
		: >"$SHARED/got"
		in_front $how
		send_from ::1
		wait_for grep -q 'mrecv accept .*peer=::1 ' log
		grep -q '^Received: .*\[IPv6:::1\]' "$SHARED/got"
		grep -q 'with ESMTPS' "$SHARED/got"
		[ "$(grep -c '^line' "$SHARED/got")" -eq 5000 ]
		! grep -q 'not a header' log || false
	done
}

@test "TLS at once passes through to us" {
	printf '#!/bin/sh\nenv\n' >"$SHARED/show"
	chmod 0755 "$SHARED/show"
	serve -i "$SHARED/show"
	for how in send-proxy send-proxy-v2; do
		in_front $how
		openssl s_client -quiet -connect "[::1]:$front" -servername a.test \
			</dev/null 2>/dev/null >out || :
		cat out
		grep -q '^TCPREMOTEIP=::1$' out
		grep -q "^TCPLOCALPORT=$front\$" out
		grep -q '^SSL_TLS_SNI_SERVERNAME=a.test$' out
	done
}

@test "TLS ended by HAProxy, in the clear to us" {
	serve env
	front=$(free_port)
	in_front send-proxy-v2-ssl-cn
	sed -i "s|bind 127.0.0.1:$front|& ssl crt $PWD/cert.pem|" haproxy.cfg
	kill ${started##* }
	haproxy -db -f haproxy.cfg 2>haproxy.log >&2 3>&- &
	started="$started $!"
	wait_for eval 'openssl s_client -quiet -connect 127.0.0.1:$front -bind 127.0.0.1:0 </dev/null 2>/dev/null >out; grep -q TCPREMOTEPORT out'
	grep -q '^TCPREMOTEIP=127.0.0.1$' out
	grep -q "^TCPLOCALPORT=$front\$" out
}

@test "its health checks are answered, and a host without proxies is none" {
	serve mrecv -- cat
	in_front send-proxy-v2
	wait_for grep -q 'mrecv close' log
	sleep 1
	! grep -q DOWN haproxy.log || false
	# one that has gone before it was looked at is nobody's
	! grep 'mrecv close' log | grep -v 'peer=' || false
	rm "$PNEU_CONF/proxies"
	# a client that has gone before it was looked at is not refused
	wait_for eval 'socat -t 60 - "TCP:127.0.0.1:$front" </dev/null >said
		grep -q "mrecv close .*why=refused" log'
}
