#!/usr/bin/env bats
#
# pneu-access(5): who may send what to whom, decided at RCPT.

load lib

setup() {
	cd "$BATS_TEST_TMPDIR"
	mkdir conf state
	cat >conf/users <<-'E'
		alice@example.test:62011:62011:/nonexistent/alice:
		carol@example.test:62013:62013:/nonexistent/carol:
	E
	echo example.test >conf/domains
	echo mx.example.test >conf/me
	printf 'queue %s\nstate %s\n' "$PWD/queue" "$PWD/state" >conf/paths
	touch -d '1 hour ago' conf/*
	export PNEU_CONF=$PWD/conf PROTO=TCP TCPREMOTEIP=192.0.2.7
}

teardown() {
	[ -z "${DNSD:-}" ] || kill "$DNSD"
}

# zone LINE...: a DNS server that knows these
zone() {
	printf '%s\n' "$@" >zone
	[ -z "${DNSD:-}" ] || return 0
	python3 "$ROOT/t/tools/dnsd.py" zone asked >port 3>&- &
	DNSD=$!
	wait_for test -s port
	export PNEU_DNS=127.0.0.1:$(cat port)
}

# access LINE...: the file, as if written an hour ago
access() {
	printf '%s\n' "$@" >conf/access
	touch -d '1 hour ago' conf/access
}

say() {
	printf '%s\r\n' "$@"
}

# ask SENDER RCPT...: the replies to RCPT
ask() {
	{
		say 'EHLO me.test' "MAIL FROM:<$1>"
		shift
		printf 'RCPT TO:<%s>\r\n' "$@"
		say QUIT
	} | mrecv -- mqueue add 2>err | tr -d '\r' | sed '1,/2.1.0 ok/d; /^221 /d'
}

# send RCPT...: a message to them, replies in out
send() {
	{
		say 'EHLO me.test' 'MAIL FROM:<s@x.org>'
		printf 'RCPT TO:<%s>\r\n' "$@"
		say DATA 'Subject: x' '' hello . QUIT
	} | mrecv -- mqueue add >out 2>err
}

queued() {
	find queue -maxdepth 1 -type f -name '????????????????' 2>/dev/null
}

is() {
	[ "$1" = "$2" ] || {
		printf 'got:    %s\nwanted: %s\n' "$1" "$2"
		cat err
		return 1
	}
}

@test "the first line whose patterns all hold decides" {
	access 'allow from:good@x.org' \
		'reject from:@x.org helo:me.test -- 5.7.1 not you' \
		'later from:.slow.test' \
		'reject to:carol@example.test peer:192.0.2.0/24 -- 553 5.2.1 she is out'
	is "$(ask good@x.org alice@example.test carol@example.test)" \
		$'250 2.1.5 ok\n250 2.1.5 ok'
	is "$(ask other@x.org alice@example.test)" '550 5.7.1 not you'
	grep -q '^mrecv refuse .*peer=192.0.2.7 from=other@x.org rcpt=alice@example.test code=550 why="access:2: 5.7.1 not you"$' err
	is "$(ask a@b.slow.test alice@example.test)" '450 4.7.1 try again later'
	is "$(ask a@y.org alice@example.test carol@example.test)" \
		$'250 2.1.5 ok\n553 5.2.1 she is out'
	TCPREMOTEIP=198.51.100.1 ask a@y.org carol@example.test >got
	is "$(cat got)" '250 2.1.5 ok'
}

@test "postmaster and abuse are reached through every reject" {
	access 'reject peer:0.0.0.0/0'
	is "$(ask a@y.org postmaster postmaster@example.test Abuse@example.test alice@example.test abuse@other.test)" \
		"$(printf '%s\n' '250 2.1.5 ok' '250 2.1.5 ok' '250 2.1.5 ok' '550 5.7.1 refused' '550 5.7.1 refused')"
}

@test "a recipient that is unknown is not told from one that is, to who is refused" {
	access 'reject peer:192.0.2.7'
	is "$(ask a@y.org alice@example.test nobody@example.test)" \
		$'550 5.7.1 refused\n550 5.7.1 refused'
	access 'allow peer:192.0.2.7'
	is "$(ask a@y.org nobody@example.test x@other.test)" \
		$'550 5.1.1 no such user\n550 5.7.1 relaying denied'
}

@test "hold keeps the message in the queue, with the reason" {
	access 'hold to:alice@example.test -- looked at first'
	send carol@example.test alice@example.test
	grep -q '^250 2.0.0 ok' out
	id=$(basename "$(queued)")
	is "$(cat "queue/$id.hold")" 'looked at first'
	grep -q "accept .*id=$id .*text=held" err
	rm -r queue
	send carol@example.test
	[ -n "$(queued)" ]
	[ ! -e queue/*.hold ]
	# not the next message of the session
	rm -r queue
	{ say 'EHLO me.test'
	for r in alice carol; do
		say 'MAIL FROM:<s@x.org>' "RCPT TO:<$r@example.test>" DATA 'Subject: x' . 
	done
	say QUIT; } | mrecv -- mqueue add >out 2>err
	[ "$(queued | wc -l)" -eq 2 ]
	[ "$(ls queue/*.hold | wc -l)" -eq 1 ]
	# behind a filter the sink is told
	printf '#!/bin/sh\ncat >/dev/null; echo "$MAIL_HOLD" >held\n' >sink
	chmod +x sink
	{ say 'EHLO me.test' 'MAIL FROM:<s@x.org>' 'RCPT TO:<alice@example.test>' \
		DATA 'Subject: x' . QUIT; } | mrecv -F cat -- ./sink >out 2>err
	is "$(cat held)" 'looked at first'
}

@test "drop takes a recipient and forgets it, and no other" {
	access 'drop to:alice@example.test'
	send carol@example.test alice@example.test
	grep -q '^250 2.0.0 ok' out
	is "$(grep '^to ' "$(queued)")" 'to carol@example.test'
	is "$(grep -c '^250 2.1.5' out)" 2
	grep -q '^mrecv drop .*from=s@x.org rcpt=alice@example.test why=access:1$' err
	rm -r queue
	send alice@example.test carol@example.test
	is "$(grep '^to ' "$(queued)")" 'to carol@example.test'
	rm -r queue
	send alice@example.test
	grep -q '^250 2.0.0 ok' out
	[ -z "$(queued)" ]
	grep -q 'accept .*n=0 .*text=dropped$' err
	printf '#!/bin/sh\n: >called\n' >sink
	chmod +x sink
	{ say 'EHLO me.test' 'MAIL FROM:<s@x.org>' 'RCPT TO:<alice@example.test>' \
		DATA 'Subject: x' . QUIT; } | mrecv -F ./sink -- ./sink >out 2>err
	grep -q '^250 2.0.0 ok' out
	[ ! -e called ]
	{ say 'EHLO me.test' 'MAIL FROM:<s@x.org>' 'RCPT TO:<alice@example.test>' \
		'BDAT 14 LAST' 'Subject: x' ''; say QUIT; } | mrecv -- mqueue add >out 2>err
	grep -q '^250 2.0.0 ok' out
	grep -q '^221 ' out
	[ -z "$(queued)" ]
	[ -z "$(find queue/tmp -type f 2>/dev/null)" ]
}

@test "a bad line hurts only itself, but makes every no temporary" {
	access 'reject from:bad@x.org' 'refuse from:@x.org' 'drop from:spam@x.org' 'allow from:ok@x.org'
	is "$(ask bad@x.org alice@example.test)" '450 4.7.1 try again later'
	grep -q "access:2: not an action" err
	grep -q 'why="access:1, in doubt: 4.7.1 try again later"' err
	is "$(ask spam@x.org alice@example.test)" '450 4.7.1 try again later'
	is "$(ask ok@x.org alice@example.test)" '250 2.1.5 ok'
	is "$(ask else@x.org alice@example.test)" '250 2.1.5 ok'
	# being written just now
	echo 'reject from:bad@x.org -- 550 5.7.1 go' >conf/access
	is "$(ask bad@x.org alice@example.test)" '450 4.7.1 go'
	printf 'reject from:bad@x.org\nallow fr' >conf/access
	touch -d '1 hour ago' conf/access
	is "$(ask bad@x.org alice@example.test)" '450 4.7.1 try again later'
}

@test "a file that can't be read means later" {
	mkdir conf/access
	is "$(ask a@x.org alice@example.test postmaster@example.test)" \
		$'451 4.3.0 try again later\n250 2.1.5 ok'
	grep -q '^mrecv error .*access' err
	# as little as one that is too long, of which no line counts
	rmdir conf/access
	{ echo 'reject peer:192.0.2.7 -- 521 no'; yes 'reject from:somebody@far.test' | head -n 160000; } >conf/access
	touch -d '1 hour ago' conf/access
	is "$(ask a@x.org alice@example.test postmaster@example.test)" \
		$'451 4.3.0 try again later\n250 2.1.5 ok'
	grep -q '^mrecv error .*access.* why="File too large"' err
}

@test "421 and 521 are said instead of the greeting" {
	access 'reject peer:192.0.2.7 -- 521 no mail for you' 'later peer:192.0.2.8 -- 421 4.7.0 too busy'
	is "$(say 'EHLO me.test' QUIT | mrecv -- mqueue add 2>err | tr -d '\r')" '521 5.7.1 no mail for you'
	grep -q '^mrecv refuse .*peer=192.0.2.7 .*code=521 why=access:1$' err
	grep -q '^mrecv close .*why=refused$' err
	export TCPREMOTEIP=192.0.2.8
	is "$(say 'EHLO me.test' QUIT | mrecv -- mqueue add 2>err | tr -d '\r')" '421 4.7.0 too busy'
	# a line above that rests on the sender is asked first, so at RCPT
	export TCPREMOTEIP=192.0.2.7
	access 'allow from:good@x.org' 'reject peer:192.0.2.7 -- 521 5.3.2 no mail'
	is "$(ask good@x.org alice@example.test)" '250 2.1.5 ok'
	is "$(ask bad@x.org alice@example.test carol@example.test)" '521 5.3.2 no mail'
}

@test "LMTP is not asked: who is in front has decided" {
	access 'reject from:*'
	is "$(say 'LHLO me.test' 'MAIL FROM:<a@x.org>' 'RCPT TO:<alice@example.test>' QUIT |
		mrecv -L -- mqueue add 2>err | tr -d '\r' | tail -n 2 | head -n 1)" '250 2.1.5 ok'
}

@test "a login can be named" {
	unset PROTO TCPREMOTEIP
	cat >>conf/users <<-E
		me@example.test:$(id -u):$(id -g):/nonexistent:
	E
	touch -d '1 hour ago' conf/users
	access 'later auth:me@example.test to:@big.test -- 4.7.1 not so many'
	{ say 'EHLO me.test' 'MAIL FROM:<me@example.test>' 'RCPT TO:<x@big.test>' \
		'RCPT TO:<x@small.test>' QUIT; } | mrecv -p -- mqueue add 2>err | tr -d '\r' >out
	is "$(tail -n 3 out | head -n 2)" $'450 4.7.1 not so many\n250 2.1.5 ok'
}

@test "dnsbl: refuses who is listed, and allow dnsbl: spares who is on a white list" {
	zone '7.2.0.192.bl.test A 127.0.0.2' '8.2.0.192.bl.test A 127.0.0.4' \
		'8.2.0.192.wl.test A 127.0.10.2' '9.2.0.192.bl.test A 127.255.255.254' \
		'10.2.0.192.bl.test A 192.0.2.80' '11.2.0.192.bl.test CNAME x.bl.test' \
		'x.bl.test A 127.0.0.3' \
		'13.2.0.192.bl.test truncated' '13.2.0.192.bl.test A 127.0.0.2' \
		'14.2.0.192.bl.test lies' '14.2.0.192.bl.test A 127.0.0.2' \
		'1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.test A 127.0.0.2'
	access 'allow dnsbl:wl.test' 'reject dnsbl:bl.test=127.0.0.4 -- 5.7.1 an open proxy' \
		'reject dnsbl:bl.test -- 5.7.1 listed at bl.test'
	is "$(ask a@x.org alice@example.test)" '550 5.7.1 listed at bl.test'
	grep -q 'refuse .*code=550 why="access:3: 5.7.1 listed at bl.test"' err
	is "$(sort asked)" $'udp 7.2.0.192.bl.test A\nudp 7.2.0.192.wl.test A'
	# every address: a white list, "you ask too much", a parked domain,
	# a CNAME, an answer by TCP, one behind wrong ones, IPv4 within IPv6
	while read -r ip want; do
		TCPREMOTEIP=$ip ask a@x.org alice@example.test >got
		is "$(cut -d ' ' -f 1 got) $ip" "$want $ip"
	done <<-'E'
		192.0.2.8 250
		192.0.2.9 250
		192.0.2.10 250
		192.0.2.11 550
		192.0.2.12 250
		192.0.2.13 550
		192.0.2.14 550
		::ffff:192.0.2.7 550
		2001:db8::1 550
		2001:db8::2 250
	E
	access 'reject dnsbl:bl.test=127.0.0.4 -- 5.7.1 an open proxy'
	is "$(ask a@x.org alice@example.test)" '250 2.1.5 ok'
}

@test "a list that does not answer refuses nobody, and turns no into later" {
	zone '7.2.0.192.bl.test fail' '7.2.0.192.wl.test A 127.0.0.2'
	access 'reject dnsbl:bl.test'
	is "$(ask a@x.org alice@example.test)" '250 2.1.5 ok'
	grep -q '^mrecv error .*what=7.2.0.192.bl.test why="no answer"' err
	zone '7.2.0.192.wl.test silent'
	printf 'dns-time 3\n' >conf/limits
	access 'allow dnsbl:wl.test' 'reject peer:192.0.2.0/24'
	is "$(ask a@x.org alice@example.test)" '450 4.7.1 try again later'
	# all at once, in the time of one
	for i in 1 2 3 4 5 6; do echo "7.2.0.192.l$i.test silent"; done >zone
	access 'reject dnsbl:l1.test' 'reject dnsbl:l2.test' 'reject dnsbl:l3.test' \
		'reject dnsbl:l4.test' 'reject dnsbl:l5.test' 'reject dnsbl:l6.test'
	before=$SECONDS
	is "$(ask a@x.org alice@example.test)" '250 2.1.5 ok'
	[ $((SECONDS - before)) -lt 15 ]
}

@test "client: is a name that leads back to the address" {
	zone '7.2.0.192.in-addr.arpa PTR liar.test' '7.2.0.192.in-addr.arpa PTR mx.good.test' \
		'liar.test A 192.0.2.99' 'mx.good.test A 192.0.2.1' 'mx.good.test A 192.0.2.7' \
		'8.2.0.192.in-addr.arpa PTR liar.test' \
		'1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR six.good.test' \
		'six.good.test AAAA 2001:db8::1' '9.2.0.192.in-addr.arpa fail' \
		'10.2.0.192.in-addr.arpa PTR slow.test' 'slow.test fail A'
	access 'reject client:.bad.test' 'reject client:unknown -- 5.7.25 no name'
	send alice@example.test
	grep -q '^250 2.0.0 ok' out
	grep -q '^Received: from me.test (mx.good.test \[192.0.2.7\])$' "$(queued)"
	while read -r ip want; do
		TCPREMOTEIP=$ip ask a@x.org alice@example.test >got
		is "$ip $(cat got)" "$ip $want"
	done <<-'E'
		192.0.2.8 550 5.7.25 no name
		192.0.2.11 550 5.7.25 no name
		192.0.2.9 450 4.7.1 no name
		192.0.2.10 450 4.7.1 no name
		2001:db8::1 250 2.1.5 ok
	E
	access 'reject client:.good.test'
	is "$(ask a@x.org alice@example.test)" '550 5.7.1 refused'
	TCPREMOTEIP=192.0.2.8 ask a@x.org alice@example.test >got
	is "$(cat got)" '250 2.1.5 ok'
	printf '#!/bin/sh\ncat >/dev/null; env >env\n' >sink
	chmod +x sink
	access 'reject client:bad.test'
	{ say 'EHLO me.test' 'MAIL FROM:<s@x.org>' 'RCPT TO:<alice@example.test>' \
		DATA 'Subject: x' . QUIT; } | mrecv -- ./sink >out 2>err
	grep -qx TCPREMOTEHOST=mx.good.test env
}

@test "DNS is asked for nothing that access does not name, nor for who is known or near" {
	zone '7.2.0.192.bl.test A 127.0.0.2' '1.0.0.127.bl.test A 127.0.0.2'
	is "$(ask a@x.org alice@example.test)" '250 2.1.5 ok'
	access 'reject from:b@x.org'
	is "$(ask a@x.org alice@example.test)" '250 2.1.5 ok'
	access 'reject dnsbl:bl.test' 'reject client:unknown'
	TCPREMOTEIP=127.0.0.1 ask a@x.org alice@example.test >got
	is "$(cat got)" '250 2.1.5 ok'
	[ ! -e asked ]
	echo "me@example.test:$(id -u):$(id -g):/nonexistent:" >>conf/users
	touch -d '1 hour ago' conf/users
	unset PROTO TCPREMOTEIP
	{ say 'EHLO me.test' 'MAIL FROM:<me@example.test>' 'RCPT TO:<x@y.test>' QUIT; } |
		mrecv -p -- mqueue add 2>err | tr -d '\r' >out
	is "$(tail -n 2 out | head -n 1)" '250 2.1.5 ok'
	[ ! -e asked ]
}

@test "a listed client can be told so instead of the greeting" {
	zone '7.2.0.192.bl.test A 127.0.0.2'
	access 'reject dnsbl:bl.test -- 521 5.7.1 listed'
	is "$(say 'EHLO me.test' QUIT | mrecv -- mqueue add 2>err | tr -d '\r')" '521 5.7.1 listed'
}

@test "SIGTERM ends the wait for DNS" {
	zone '7.2.0.192.bl.test silent'
	printf 'dns-time 60\n' >conf/limits
	access 'reject dnsbl:bl.test'
	mkfifo in
	mrecv -- mqueue add <in >out 2>err 3>&- &
	pid=$!
	exec 4>in
	wait_for grep -q bl.test asked
	kill "$pid"
	before=$SECONDS
	wait "$pid"
	exec 4>&-
	[ $((SECONDS - before)) -lt 30 ]
	grep -q '^421 4.3.2' out
}
