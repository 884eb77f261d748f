#!/usr/bin/env bats
#
# mrecv(8): who the client is.  What users may submit, what is done to it, and
# clients for whom a proxy or mauth speaks.

load lib
load mrecv.sh

@test "before a login and after it the same extensions are offered" {
	keywords() { say 'EHLO a' QUIT | "$@" 2>/dev/null | tr -d '\r' | grep '^250' |
		sed 's/^250[- ]//' | grep -v '^AUTH' | sed 's/ 20.*Z$//' | sort; }
	for sink in 'mqueue add' ./sink; do
		[ "$(id -u)" -ne 0 ] ||
			printf '%s\n' 'pneu 62001 62001' 'pneu-login 62003 62003' >conf/uids
		keywords mauth -u pneu mrecv -S -- $sink >before
		rm -f conf/uids
		keywords mrecv -S -- $sink >after
		grep -q PIPELINING before
		diff before after
	done
}

@test "XCLIENT: policy, log, trace and filters are about the client spoken for" {
	printf 'reject peer:198.51.100.%s\n' '7 -- 521 5.7.1 not that one' \
		'8 -- 5.7.1 nor that one' >conf/access
	touch -d '1 hour ago' conf/access
	proxy() { say "$@" | PROTO=TCP TCPREMOTEIP=192.0.2.9 TCPREMOTEPORT=999 TCPLOCALIP=192.0.2.25 mrecv -- ./sink >out 2>err; }
	mail='MAIL FROM:<s@x.org>'
	to='RCPT TO:<alice@example.test>'
	proxy 'EHLO proxy' 'XCLIENT NAME=c.test ADDR=IPV6:2001:db8:0::7 PORT=4242 DESTADDR=192.0.2.26 DESTPORT=25' \
		'EHLO client.test' "$mail" "$to" DATA 'Subject: x' . QUIT
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	[ "$(grep -c '^220 ' out)" -eq 2 ]
	grep -q '^250-XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT' out
	grep -qF 'Received: from client.test (c.test [IPv6:2001:db8::7])' store/*
	grep -q 'accept .*peer=2001:db8::7 ' err
	grep -q 'close .*peer=2001:db8::7 ' err
	for line in TCPREMOTEIP=2001:db8::7 TCPREMOTEPORT=4242 TCPREMOTEHOST=c.test \
		TCPLOCALIP=192.0.2.26 TCPLOCALPORT=25 MAIL_HELO=client.test; do
		grep -qx "$line" env
	done
	# without a hello of its own; and the next client is another
	rm store/*
	proxy 'XCLIENT ADDR=192.0.2.77 HELO=said.test PROTO=SMTP' "$mail" "$to" \
		DATA 'Subject: y' . 'XCLIENT ADDR=[UNAVAILABLE]' 'EHLO b' QUIT
	grep -qF 'Received: from said.test ([192.0.2.77])' store/*
	grep -q 'with SMTP id' store/*
	! grep -q TCPREMOTEHOST env || false
	grep -q 'accept .*peer=192.0.2.77 ' err
	! grep -q 'close .*peer=' err || false
	# who is refused, and what is no address
	proxy 'XCLIENT ADDR=198.51.100.7' "$mail"
	[ "$(tail -n 1 out | tr -d '\r')" = '521 5.7.1 not that one' ]
	grep -q 'refuse .*peer=198.51.100.7 .*code=521' err
	proxy 'XCLIENT ADDR=198.51.100.8 HELO=x' "$mail" "$to" QUIT
	grep -q '^550 5.7.1 nor that one' out
	proxy 'XCLIENT ADDR=nonsense' QUIT
	grep -q '^501 5.5.4' out
	# anybody else may not
	say 'EHLO a' 'XCLIENT ADDR=192.0.2.77' QUIT |
		PROTO=TCP TCPREMOTEIP=192.0.2.10 mrecv -- ./sink >out 2>err
	grep -q '^550 5.7.1' out
	! grep -q '^250-XCLIENT' out || false
}

@test "XCLIENT LOGIN is a login where users submit, and nowhere else" {
	proxy() { say "$@" | PROTO=TCP TCPREMOTEIP=192.0.2.9 mrecv $S -- ./sink >out 2>err; }
	S=-S
	proxy 'EHLO p' 'XCLIENT LOGIN=alice@example.test ADDR=192.0.2.77' 'EHLO c' \
		'MAIL FROM:<carol@example.test>' 'MAIL FROM:<alice@example.test>' \
		'RCPT TO:<x@elsewhere.org>' DATA 'Subject: x' . \
		'XCLIENT LOGIN=[UNAVAILABLE]' 'EHLO c' 'MAIL FROM:<alice@example.test>' QUIT
	tr -d '\r' <out | grep -v '^250[- ]' | cut -c 1-9 >codes
	printf '%s\n' '220 mx.ex' '220 mx.ex' '553 5.7.1' '354 end w' '220 mx.ex' '530 5.7.0' '221 2.0.0' | diff - codes
	grep -qx MAIL_AUTH=alice@example.test env
	grep -qx MAIL_WITH=ESMTPA env
	grep -q 'accept .*user=alice@example.test' err
	S=
	proxy 'XCLIENT LOGIN=alice@example.test' 'EHLO c' \
		'MAIL FROM:<alice@example.test>' 'RCPT TO:<x@elsewhere.org>' QUIT
	grep -q '^550 5.7.1' out
}

@test "REQUIRETLS is offered only within TLS, FUTURERELEASE only to users" {
	offers() { say 'EHLO a' QUIT | "$@" 2>/dev/null; }
	! offers mrecv -- mqueue add | grep -q 'REQUIRETLS\|FUTURERELEASE' || false
	SSL_PROTOCOL=TLSv1.3 offers mrecv -- mqueue add >out
	grep -q REQUIRETLS out
	! grep -q FUTURERELEASE out || false
	offers mrecv -p -- mqueue add >out
	! grep -q REQUIRETLS out || false
	grep -q '^250-FUTURERELEASE 2592000 20..-..-..T..:..:..Z' out
	! SSL_PROTOCOL=TLSv1.3 offers mrecv -p -- ./sink |
		grep -q 'REQUIRETLS\|FUTURERELEASE\|DELIVERBY\|DSN' || false
}

@test "a login in a domain beyond ASCII sends as its own address, in any form" {
	sed -i 's/62014:62014/62011:62011/; /^alice/d' conf/users
	touch -d '1 hour ago' conf/users
	for from in 'josé@bücher.test' 'josé@xn--bcher-kva.test' 'JOSÉ@BÜCHER.test'; do
		say 'EHLO a' "MAIL FROM:<$from> SMTPUTF8" QUIT |
			PROTO=IPC IPCREMOTEEUID=62011 mrecv -p -- ./sink >out 2>err
		grep -q '^250 2.1.0' out
	done
	say 'EHLO a' "MAIL FROM:<jose@bücher.test> SMTPUTF8" QUIT |
		PROTO=IPC IPCREMOTEEUID=62011 mrecv -p -- ./sink >out 2>err
	grep -q '^553 5.7.1' out
}

@test "who vouches for a login alone hears the channel's secret" {
	one 'Subject: x' | SSL_PROTOCOL=TLSv1.3 SSL_CIPHER=x SSL_TLS_EXPORTER=c2VjcmV0 \
		mrecv -F cat -- ./sink >out
	[[ $(last_reply out) == "250 "* ]]
	grep -qx SSL_PROTOCOL=TLSv1.3 env
	! grep EXPORTER env
}

@test "Return-Path does not come in; Bcc only on port 25" {
	one 'Return-Path: <a@b>' 'Subject: x' 'return-PATH : <c@d' ' e>' 'Bcc: f@g' '' b |
		mrecv -- ./sink >out
	! grep -qi return-path store/* || false
	! grep -q 'e>' store/* || false
	grep -q '^Bcc: f@g' store/*
}

# submit LINE...: as alice, at a Unix socket
submit() {
	say "$@" | PROTO=IPC IPCREMOTEEUID=62011 IPCREMOTEPID=1 mrecv -p -- ./sink
}

@test "a submission gets Date and Message-ID, loses Bcc, hides where it is from" {
	submit 'EHLO laptop.home' 'MAIL FROM:<alice@example.test>' \
		'RCPT TO:<x@elsewhere.org>' DATA 'Subject: x' 'bcc: secret@y.org,' \
		' more@y.org' 'To: x@elsewhere.org' '' body . QUIT >out 2>err
	grep -q '^Date: .* +0000$' store/*
	grep -qx "Message-ID: <$(ls store)@mx.example.test>" store/*
	! grep -q 'secret\|more@' store/* || false
	! grep -q laptop store/* || false
	grep -q '^Received: by mx.example.test with ESMTP id ' store/*
	[ "$(tail -n 2 store/*)" = $'\nbody' ]
	grep -qx MAIL_AUTH=alice@example.test env
	grep -q 'accept .*uid=62011 user=alice@example.test from=alice@example.test' err
	rm store/*
	submit 'EHLO laptop.home' 'MAIL FROM:<alice@example.test>' \
		'RCPT TO:<x@elsewhere.org>' DATA 'date: then' 'MESSAGE-ID: <a@b>' . >out
	[ "$(grep -ci '^date:' store/*)" -eq 1 ]
	[ "$(grep -ci '^message-id:' store/*)" -eq 1 ]
}

@test "a submission without From gets the sender's, one with two is refused" {
	mail() { submit 'EHLO laptop.home' "MAIL FROM:<$1>" 'RCPT TO:<x@elsewhere.org>' \
		DATA "${@:2}" . QUIT >out 2>err; }
	mail alice@example.test 'Subject: x' 'Resent-Bcc: secret@y.org' '' 'From: body'
	[ "$(grep -c '^From: ' store/*)" -eq 2 ]
	grep -qx 'From: <alice@example.test>' store/*
	! grep -q secret store/* || false
	! grep -qi ^sender store/* || false
	rm store/*
	mail '' 'Subject: a notice' '' body
	! grep -q '^From' store/* || false
	rm store/*
	mail alice@example.test 'From: alice@example.test' 'fROM : carol@example.test' '' body
	[[ $(last_reply out) == "554 5.6.0 "* ]]
	[ -z "$(ls store)" ]
	# somebody else's mail is not looked at
	one 'From: a@b' 'From: c@d' | mrecv -- ./sink >out
	[[ $(last_reply out) == "250 "* ]]
	one 'Subject: x' | mrecv -- ./sink >out
	[ "$(grep -c '^From' store/* | grep -c ':[12]')" -eq 1 ]
}

@test "a login sends as its own addresses only" {
	sed -i 's,alice:$,alice:send=sales@example.test,' conf/users
	touch -d '1 hour ago' conf/users
	submit 'EHLO a' 'MAIL FROM:<carol@example.test>' 'MAIL FROM:<sales@example.test>' \
		RSET 'MAIL FROM:<>' RSET 'MAIL FROM:<x@elsewhere.org>' >out 2>err
	tr -d '\r' <out | tail -n 6 | cut -c 1-9 >codes
	printf '%s\n' '553 5.7.1' '250 2.1.0' '250 2.0.0' '250 2.1.0' '250 2.0.0' '553 5.7.1' | cmp - codes
	grep -q 'refuse .*from=carol@example.test code=553' err
}

@test "-p without a line in users is the account's own name" {
	me=$(id -un)
	say 'EHLO a' "MAIL FROM:<$me@mx.example.test>" 'RCPT TO:<x@y.org>' QUIT |
		mrecv -p -- ./sink >out 2>err
	[ "$(grep -c '^250 2.1' out)" -eq 2 ]
	grep -q "close .*user=$me@mx.example.test" err
}

@test "-p: an account that is not root sends as itself alone" {
	[ "$(id -u)" -eq 0 ] || skip "needs a second account"
	open=$(mktemp -d)
	cp -rp conf "$BUILD/mrecv" "$open"
	chmod -R go+rX "$open"
	say 'EHLO a' "MAIL FROM:<root@mx.example.test>" \
		"MAIL FROM:<nobody@mx.example.test>" QUIT |
		PNEU_CONF=$open/conf setpriv --reuid 65534 --regid 65534 \
			--clear-groups "$open/mrecv" -p -- ./sink >out 2>err
	rm -r "$open"
	grep -q '^553 5.7.1' out
	grep -q '^250 2.1.0' out
}

@test "a socket pair is no login: -S wants PROTO=IPC" {
	cat >pair.py <<-'E'
		import os, socket, subprocess, sys
		a, b = socket.socketpair()
		for k in ('PROTO', 'IPCREMOTEEUID'): os.environ.pop(k, None)
		os.environ.update(w.split('=') for w in sys.argv[2:])
		p = subprocess.Popen(['mrecv', sys.argv[1], '--', './sink'], stdin=b, stdout=b)
		b.close()
		a.sendall(b'EHLO a\r\nMAIL FROM:<>\r\nQUIT\r\n')
		got = b''
		while True:
		    d = a.recv(65536)
		    if not d: break
		    got += d
		sys.stdout.buffer.write(got)
	E
	python3 pair.py -S >out
	grep -q '^530 5.7.0' out
	python3 pair.py -S PROTO=TCP TCPREMOTEIP=192.0.2.1 >out
	grep -q '^530 5.7.0' out
	python3 pair.py -S PROTO=IPC >out
	grep -q '^530 5.7.0' out
	python3 pair.py -p PROTO=IPC >out
	grep -q '^530 5.7.0' out
	python3 pair.py -S PROTO=IPC IPCREMOTEEUID=62011 >out
	grep -q '^250 2.1.0' out
	python3 pair.py -p >out 2>err
	grep -q '^250 2.1.0' out
}

# The record of a login as mauth writes it; the bytes after -- are unread.
session() {
	local state=$1 unread=$2
	printf 'pneu-session 1\nlogin alice@example.test\nservice smtp\nmech PLAIN\nlabel x\ntls TLSv1.3 AES\nconn 0123456789abcd\nstate %d\nunread %d\n\n%s%s' \
		${#state} ${#unread} "$state" "$unread"
}

@test "after mauth: 235, the EHLO name, unread input, ESMTPSA" {
	session 'EHLO laptop' $'NOOP\r\n' >record
	say 'MAIL FROM:<alice@example.test>' 'RCPT TO:<x@y.org>' DATA 'Subject: x' . QUIT |
		PNEU_SESSION=7 mrecv -S -- ./sink 7< <(cat record) >out 2>err
	tr -d '\r' <out | cut -c 1-9 >codes
	printf '%s\n' '235 2.7.0' '250 2.0.0' '250 2.1.0' '250 2.1.5' '354 end w' '250 2.0.0' '221 2.0.0' | cmp - codes
	grep -q 'with ESMTPSA (TLSv1.3 AES) id 0123456789abcd00' store/*
	grep -q '^mrecv accept conn=0123456789abcd .*tls="TLSv1.3 AES"' err
	grep -qx MAIL_WITH=ESMTPSA env
	! grep -q PNEU_SESSION env || false
}

@test "a session record that can't be read is later" {
	run -75 env PNEU_SESSION=7 mrecv -S -- ./sink 7< <(echo nonsense)
	[[ $output == *"421 4.3.0 "* ]]
	[[ $output == *"mrecv error "*what=*session* ]]
}
