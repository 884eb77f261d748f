#!/usr/bin/env bats
#
# mrecv(8): a session in, one message at a time out, whole or not at all.

load lib

setup() {
	cd "$BATS_TEST_TMPDIR"
	mkdir conf store
	cat >conf/users <<-'E'
		alice@example.test:62011:62011:/nonexistent/alice:
		bob@example.test:62012:62012:/nonexistent/bob:disabled
		carol@example.test:62013:62013:/nonexistent/carol:
		josé@xn--bcher-kva.test:62014:62014:/nonexistent/jose:
	E
	printf 'example.test\nrelay.test relay\nbücher.test\n' >conf/domains
	printf 'postmaster: alice@example.test\nabuse: alice@example.test\n' >conf/aliases
	echo mx.example.test >conf/me
	echo '192.0.2.9 xclient' >conf/proxies
	echo "queue $PWD/queue" >conf/paths
	touch -d '1 hour ago' conf/*
	export PNEU_CONF=$PWD/conf
	# a sink that keeps its word: nothing before the commit
	script sink 'cat >"'"$PWD"'/tmp.$$"
		[ "$(eval "head -c 1 <&$MAIL_COMMITFD")" = y ] || {
			rm "'"$PWD"'/tmp.$$"
			exit 75
		}
		printf "%s\n" "$@" >"'"$PWD"'/args"
		env >"'"$PWD"'/env"
		mv "'"$PWD"'/tmp.$$" "'"$PWD"'/store/$MAIL_ID"'
}

# script NAME TEXT: an executable in the present folder
script() {
	printf '#!/bin/sh\n%s\n' "$2" >"$1"
	chmod +x "$1"
}

# say LINE...: a dialogue
say() {
	printf '%s\r\n' "$@"
}

# one LINE...: a session with one message for alice, whose lines are given
one() {
	say 'EHLO me.test' 'MAIL FROM:<s@x.org>' 'RCPT TO:<alice@example.test>' \
		DATA "$@" . QUIT
}

# bulk N: N bytes in lines of 70
bulk() {
	{ head -c "$1" /dev/zero | tr '\0' y | fold -w 70; echo; } | sed 's/$/\r/'
}

# last_reply FILE: what was said after the dot
last_reply() {
	tr -d '\r' <"$1" | tail -n 2 | head -n 1
}

queued() {
	find queue -maxdepth 1 -type f -name '????????????????' 2>/dev/null
}

@test "every transcript, as a dialogue, in one write and byte by byte" {
	echo queue queue >conf/paths # below conf
	run "$ROOT/t/smtp/play" "$PNEU_CONF" "$ROOT"/t/smtp/*.txt
	grep -A 9 '^not ok' <<<"$output" || true
	[ "$status" -eq 0 ]
}

@test "a message goes straight into the queue, with a trace field first" {
	one 'Subject: hi' '' hello | TCPREMOTEIP=192.0.2.7 PROTO=TCP mrecv -- mqueue add >out 2>err
	[[ $(last_reply out) =~ ^250\ 2.0.0\ ok\ ([0-9a-z]{16})$ ]]
	id=${BASH_REMATCH[1]}
	sed '1,/^$/d' "queue/$id" >got
	[[ $(sed -n 1p got) == "Received: from me.test ([192.0.2.7])" ]]
	[[ $(sed -n 2p got) == $'\t'"by mx.example.test with ESMTP id $id" ]]
	[[ $(sed -n 3p got) == $'\t'"for <alice@example.test>; "*" +0000" ]]
	[ "$(sed -n '4,$p' got)" = $'Subject: hi\n\nhello' ]
	grep -qx "to alice@example.test" "queue/$id"
	grep -q "^mrecv accept conn=${id%??} id=$id peer=192.0.2.7 from=s@x.org rcpt=alice@example.test n=1 size=22$" err
	grep -q "^mrecv close conn=${id%??} peer=192.0.2.7 svc=smtp n=1 why=quit$" err
	[ "$(wc -l <err)" -eq 2 ]
}

@test "the sink is called as a transport and knows what mrecv vouches for" {
	one 'Subject: hi' '' hello | MAIL_AUTH=evil MAIL_HELO=evil FOO=bar \
		TCPREMOTEIP=192.0.2.7 mrecv -- ./sink one 'two words' >out
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	printf '%s\n' one 'two words' -f s@x.org -- alice@example.test | cmp - args
	grep -qx 'MAIL_FROM=s@x.org' env
	grep -qx 'MAIL_RCPTS=alice@example.test' env
	grep -qx 'MAIL_RCPT_ARGS=' env
	grep -qx 'MAIL_HELO=me.test' env
	grep -qx 'MAIL_AUTH=' env
	grep -qx 'MAIL_WITH=ESMTP' env
	grep -qx 'MAIL_BODY=7BIT' env
	grep -qx 'TCPREMOTEIP=192.0.2.7' env
	grep -qx "MAIL_ID=$(ls store)" env
	! grep -q FOO env || false
	tail -n 3 store/* | cmp - <(printf 'Subject: hi\n\nhello\n')
}

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

@test "through a filter, too, the queue gets what DSN asks" {
	script f 'env | grep ^MAIL_R >env; cat'
	echo "pneu $(id -u) $(id -g)" >conf/uids
	say 'EHLO me.test' 'MAIL FROM:<s@x.org> ENVID=x1 RET=FULL' \
		'RCPT TO:<alice@example.test>' \
		'RCPT TO:<carol@example.test> NOTIFY=NEVER ORCPT=rfc822;c@d' \
		DATA 'Subject: x' . QUIT | mrecv -F ./f -- mqueue add >out
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	grep -qx 'MAIL_RET=FULL' env
	grep -q '^from s@x.org ENVID=x1 RET=FULL' "$(queued)"
	grep -qx 'to alice@example.test' "$(queued)"
	grep -qx 'to carol@example.test NOTIFY=NEVER ORCPT=rfc822;c@d' "$(queued)"
}

@test "what is asked of the queue is kept by it, and told to a filter" {
	script f 'env | grep "^MAIL_" >env; cat'
	echo "pneu $(id -u) $(id -g)" >conf/uids
	export PROTO=IPC IPCREMOTEEUID=0 SSL_PROTOCOL=TLSv1.3
	send() {
		say 'EHLO me.test' "MAIL FROM:<josé@bücher.test> SMTPUTF8 BY=3600;RT HOLDFOR=600 REQUIRETLS" \
			'RCPT TO:<josé@xn--bcher-kva.test> ORCPT=utf-8;josé@bücher.test' \
			DATA 'From: josé@bücher.test' . QUIT | mrecv -p "$@" >out
		cat out
		[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	}
	for way in '' '-F ./f'; do
		rm -rf queue
		send $way -- mqueue add
		grep -q "^from josé@bücher.test SMTPUTF8 BY=20[-0-9]*T[0-9:]*Z;RT HOLDUNTIL=20[-0-9]*T[0-9:]*Z REQUIRETLS BODY=8BITMIME$" "$(queued)"
		grep -qx 'to josé@xn--bcher-kva.test ORCPT=utf-8;josé@bücher.test' "$(queued)"
		grep -q 'by mx.example.test with UTF8SMTPS (TLSv1.3) id' "$(queued)"
		left=$(($(stat -c %Y "$(queued)") - $(date +%s)))
		[ "$left" -gt 500 ]
		[ "$left" -le 600 ]
	done
	grep -qx 'MAIL_SMTPUTF8=1' env
	grep -qx 'MAIL_REQUIRETLS=1' env
	grep -qx 'MAIL_BODY=8BITMIME' env
	grep -qx 'MAIL_FROM=josé@bücher.test' env
	grep -qx 'MAIL_RCPTS=josé@xn--bcher-kva.test' env
	grep -qx 'MAIL_RCPT_ARGS=ORCPT=utf-8;josé@bücher.test' env
	grep -q '^MAIL_BY=20.*Z;RT$' env
	grep -q '^MAIL_HOLDUNTIL=20.*Z$' env
}

@test "BINARYMIME: what another's MIME parser decodes is the same to the octet" {
	cat >make.py <<-'E'
		import sys, random, email, email.policy
		random.seed(7)
		every = bytes(range(256))
		parts = [every * 3, b"", b"\r\n", b"\n.\n\r.\r\r\n.", b"\0" * 1000,
		         b"--b\r", b"\r\n--outer-not\r\n" * 40, random.randbytes(100000)]
		def leaf(x):
		    return (b"Content-Type: application/octet-stream\r\n"
		            b"Content-Transfer-Encoding: binary\r\n\r\n" + x)
		def multi(b, parts):
		    return (b"Content-Type: multipart/mixed; boundary=\"" + b + b"\"\r\n"
		            b"Content-Transfer-Encoding: binary\r\n\r\n"
		            + b"".join(b"--" + b + b"\r\n" + p + b"\r\n" for p in parts)
		            + b"--" + b + b"--\r\n")
		inner = multi(b"in ner", map(leaf, parts[4:]))
		msg = (b"From: s@x.org\r\nMIME-Version: 1.0\r\n"
		       + multi(b"outer", [leaf(p) for p in parts[:4]] + [inner]))
		if sys.argv[1] == "send":
		    out = sys.stdout.buffer
		    out.write(b"EHLO a\r\nMAIL FROM:<s@x.org> BODY=BINARYMIME\r\n"
		              b"RCPT TO:<alice@example.test>\r\n")
		    while len(msg) > 30000:
		        n = random.randrange(1, 30000)
		        out.write(b"BDAT %d\r\n" % n + msg[:n])
		        msg = msg[n:]
		    out.write(b"BDAT %d LAST\r\n" % len(msg) + msg + b"QUIT\r\n")
		else:
		    text = open(sys.argv[2], "rb").read()
		    assert b"\r" not in text and b"\0" not in text
		    assert b"binary" not in text.lower().replace(b"octet", b"")
		    m = email.message_from_bytes(text, policy=email.policy.default)
		    got = [p.get_payload(decode=True) for p in m.walk()
		           if not p.is_multipart()]
		    assert got == parts, [len(x) for x in got]
	E
	python3 make.py send | mrecv -- ./sink >out
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	python3 make.py look store/*
	grep -qx MAIL_BODY=8BITMIME env
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

@test "a HELO that is no name is called invalid" {
	say 'EHLO $(reboot)' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' \
		DATA 'Subject: x' . QUIT | mrecv -- ./sink >out
	grep -qx 'MAIL_HELO=invalid' env
	grep -q '^Received: from invalid' store/*
	[ "$(sed -n 2p args)" = "" ]
}

@test "only a well formed MAIL_CONN is taken over" {
	one x | MAIL_CONN=0123456789abcd mrecv -- ./sink 2>err
	grep -q 'conn=0123456789abcd' err
	one x | MAIL_CONN='../../etc/pass' mrecv -- ./sink 2>err
	! grep -q passwd err || false
	! grep -q '\.\.' err || false
}

@test "a sink's status becomes the reply" {
	for s in 0:250 75:451 1:451 70:451 99:250 67:550 65:550 68:550 69:550 77:550 100:550 111:451; do
		script end "cat >/dev/null; exit ${s%:*}"
		one x | mrecv -- ./end >out
		[[ $(last_reply out) == ${s#*:}* ]]
	done
	script end 'kill -9 $$'
	one x | mrecv -- ./end >out 2>err
	[[ $(last_reply out) == "451 4.3.0 "* ]]
	grep -q 'refuse .*code=451 why="signal 9"' err
}

@test "a sink that is missing means later, and the log says which" {
	one x | mrecv -- ./nosuch >out 2>err
	grep -q '^451 4.3.0' out
	grep -q '^mrecv error .*what=./nosuch why="No such file' err
	! grep -q '^354' out || false
}

@test "a sink's result lines decide for their recipients" {
	script end 'cat >/dev/null
		printf "alice@example.test\t2.1.5\tfine\n"
		printf "carol@example.test\t5.2.2\tmailbox full\n"
		printf "abuse@example.test\t4.2.1\tbusy%%20now\n"
		echo a word for the log
		exit 75'
	say 'LHLO me' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' \
		'RCPT TO:<carol@example.test>' 'RCPT TO:<abuse@example.test>' \
		'RCPT TO:<postmaster@example.test>' DATA x . >in
	mrecv -L -- ./end <in >out 2>err
	tr -d '\r' <out | tail -n 4 >last
	grep -q '^250 2.0.0 ok' <(sed -n 1p last)
	[ "$(sed -n 2p last)" = "550 5.2.2 mailbox full" ]
	[ "$(sed -n 3p last)" = "451 4.2.1 busy now" ]
	[ "$(sed -n 4p last)" = "451 4.3.0 try again later" ]
	grep -q 'mrecv sink .*text="a word for the log"' err
	grep -q 'refuse .*rcpt=carol@example.test code=550 why="5.2.2 mailbox full"' err
	[ "$(grep -c ' accept ' err)" -eq 1 ]
	# SMTP has one answer, and it is the worst
	sed 's/^LHLO/EHLO/' in | mrecv -- ./end >out
	[ "$(tr -d '\r' <out | tail -n 1)" = "451 4.2.1 busy now" ]
	sed '/abuse/d; /postmaster/d; s/^LHLO/EHLO/' in | mrecv -- ./end >out
	[ "$(tr -d '\r' <out | tail -n 1)" = "550 5.2.2 mailbox full" ]
}

@test "a sink that writes much before it reads does not hang" {
	script end 'head -c 300000 /dev/zero | tr "\0" "x" | fold; cat >/dev/null'
	{ say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA
	bulk 500000; say .; } | timeout 120 mrecv -- ./end >out 2>/dev/null
	[[ $(tail -n 1 out) == 250* ]]
}

@test "a sink that slept while its message went by stores none of it" {
	echo time-command 1 >conf/limits
	script slow 'sleep 3; exec ./sink "$@"'
	{ say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA 'Subject: x' ''
	bulk 500000; say . QUIT; } | mrecv -- ./slow >out 2>err
	cat out err
	[[ $(last_reply out) == "451 4.3.0 "* ]]
	[ -z "$(ls store)" ]
	echo time-command 60 >conf/limits
	{ say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA 'Subject: x' ''
	bulk 500000; say . QUIT; } | mrecv -- ./slow >out 2>err
	[[ $(last_reply out) == "250 "* ]]
	[ "$(cat store/* | wc -c)" -gt 500000 ]
}

@test "who vouches for a login alone hears the channel's secret" {
	one 'Subject: x' | SSL_PROTOCOL=TLSv1.3 SSL_CIPHER=x SSL_TLS_EXPORTER=c2VjcmV0 \
		mrecv -F cat -- ./sink >out
	[[ $(last_reply out) == "250 "* ]]
	grep -qx SSL_PROTOCOL=TLSv1.3 env
	! grep EXPORTER env
}

@test "a filter rewrites the message, in order" {
	script f1 'sed "s/hello/goodbye/"; echo one says hello >&2'
	script f2 'echo "X-From: $MAIL_FROM"; echo "X-To: $MAIL_RCPTS"; cat'
	one 'Subject: hi' '' hello | mrecv -F ./f1 -F "./f2 'a b'" -- ./sink >out 2>err
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	[ "$(head -n 2 store/*)" = $'X-From: s@x.org\nX-To: alice@example.test' ]
	[ "$(tail -n 1 store/*)" = goodbye ]
	grep -qx 'one says hello' err
}

@test "a filter refuses with a permanent status and a 5.x.x line, else later" {
	while IFS='|' read -r text status want; do
		script f "cat; echo '$text' >&2; exit $status"
		one 'Subject: x' | mrecv -F ./f -- ./sink >out 2>/dev/null
		echo "$text|$status: $(last_reply out)"
		[ "$(last_reply out)" = "$want" ]
		[ -z "$(ls store)" ]
	done <<-'E'
		5.7.1 smells of spam|65|554 5.7.1 smells of spam
		5.7.1 smells of spam|100|554 5.7.1 smells of spam
		smells of spam|65|451 4.3.0 try again later
		5.7.1 smells of spam|75|451 4.3.0 try again later
		4.7.1 slow down|75|451 4.7.1 slow down
		4.7.1 slow down|69|451 4.7.1 slow down
		5.7.1 smells of spam|1|451 4.3.0 try again later
	E
	script f 'cat; printf "5.7.1 a\001b\n" >&2; exit 69'
	one 'Subject: x' | mrecv -F ./f -- ./sink >out 2>/dev/null
	[ "$(last_reply out)" = "554 5.7.1 refused" ]
	script f 'cat; printf "5.7.1 %0500d\n" 1 >&2; exit 69'
	one 'Subject: x' | mrecv -F ./f -- ./sink >out 2>/dev/null
	[ "$(last_reply out)" = "554 5.7.1 refused" ]
}

@test "a filter's output counts only if it wrote a header and ended with 0" {
	for text in 'cat >/dev/null' 'cat >/dev/null; echo; echo body' \
		'cat; exit 3' 'cat; kill -9 $$' 'echo no header; cat'; do
		script f "$text"
		one 'Subject: x' | mrecv -F ./f -- ./sink >out 2>/dev/null
		[[ $(last_reply out) == "451 4.3.0 "* ]]
		[ -z "$(ls store)" ]
	done
	one 'Subject: x' | mrecv -F ./nosuch -- ./sink >out 2>err
	grep -q '^451' out
	grep -q 'error .*what=./nosuch' err
}

@test "99 takes and drops, hold: takes and holds" {
	script f 'cat; exit 99'
	one 'Subject: x' | mrecv -F ./f -- ./sink >out 2>err
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	[ -z "$(ls store)" ]
	grep -q ' accept .*text=dropped' err
	script f 'cat; echo "hold: looked at by hand" >&2'
	script f2 'cat'
	one 'Subject: x' | mrecv -F ./f -F ./f2 -- ./sink >out
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	grep -qx 'MAIL_HOLD=looked at by hand' env
	one 'Subject: x' | MAIL_HOLD=me mrecv -F ./f2 -- ./sink >out
	! grep -q MAIL_HOLD env || false
}

@test "a reason to hold is never empty nor unprintable" {
	script f 'cat; printf "hold: \303\251\001\n" >&2'
	one 'Subject: x' | mrecv -F ./f -- ./sink >out
	grep -qx 'MAIL_HOLD=???' env
	script f 'cat; echo "hold: " >&2'
	one 'Subject: x' | mrecv -F ./f -- ./sink >out
	grep -qx 'MAIL_HOLD=./f' env
}

@test "behind filters the queue is written without mqueue add" {
	echo "pneu $(id -u) $(id -g)" >conf/uids
	script f 'sed s/hello/goodbye/'
	script held 'cat; echo "hold: to be seen" >&2'
	script mqueue 'touch called; exit 75'
	one 'Subject: x' '' hello | PATH=$PWD:$PATH mrecv -F ./f '-F?' ./f \
		-- mqueue add >out 2>err
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	f=$(queued)
	[ "$(basename "$f")" = "$(last_reply out | cut -d ' ' -f 4)" ]
	[ "$(sed -n '2,3p' "$f")" = $'from s@x.org\nto alice@example.test' ]
	[ "$(tail -n 1 "$f")" = goodbye ]
	[ "$(mqueue ls | cut -f 2)" = new ]
	[ -z "$(ls queue/tmp)" ]
	rm "$f"
	one 'Subject: x' '' hello | mrecv -F ./held -F ./f -- mqueue add >out 2>err
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	f=$(queued)
	[ "$(cat "$f.hold")" = 'to be seen' ]
	rm "$f" "$f.hold"
	script f 'cat; exit 99'
	one 'Subject: x' | mrecv -F ./f -- mqueue add >out
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	[ -z "$(queued)" ]
	script f 'cat; exit 1'
	one 'Subject: x' | mrecv -F ./f -- mqueue add >out 2>err
	[[ $(last_reply out) == "451 4.3.0 "* ]]
	[ -z "$(queued)$(ls queue/tmp)" ]
}

@test "the reason to hold is on the disk before the message has its name" {
	command -v strace >/dev/null || skip "strace is not installed"
	script f 'cat; echo hold: because >&2'
	strace -f -o trace -y -e trace=fsync,renameat,renameat2,rename true ||
		skip "no strace here"
	one 'Subject: x' >talk
	strace -f -o trace -y -e trace=fsync,renameat,renameat2,rename \
		mrecv -F ./f -- mqueue add <talk >out
	[[ $(last_reply out) == "250 "* ]]
	sed -n 's/.*fsync([0-9]*<[^>]*queue\/\([^>]*\)>.*/fsync \1/p
		s/.*fsync([0-9]*<[^>]*queue>.*/fsync folder/p
		s/.*rename.*/rename/p' trace | sed 's/[0-9a-z]\{16\}/ID/' >order
	cat order
	[ "$(xargs <order)" = \
		'fsync ID.hold fsync folder rename fsync ID fsync folder' ]
}

@test "the default road starts no process" {
	command -v strace >/dev/null || skip "strace is not installed"
	for i in 1 2 3; do one 'Subject: x' | sed '$d'; done >in
	say QUIT >>in
	strace -f -o trace -e trace=fork,vfork,clone,clone3,execve \
		mrecv -- mqueue add <in >out
	[ "$(grep -c '^250 2.0.0 ok ' out)" -eq 3 ]
	grep -v exited trace
	[ "$(grep -c execve trace)" -eq 1 ]
	! grep -Eq 'fork|clone' trace || false
}

@test "recipients of more than 64 KiB are told 452, never before the hundredth" {
	long=$(printf '%060d' 1).$(printf '%060d' 2).$(printf '%060d' 3).$(printf '%060d' 4)
	echo "$long.relay.test relay" >>conf/domains
	touch -d '1 hour ago' conf/domains
	{
		say 'EHLO a' 'MAIL FROM:<>'
		python3 -c 'import sys
for i in range(300): print(f"RCPT TO:<{i:064d}@{sys.argv[1]}.relay.test>\r")' "$long"
		say QUIT
	} | mrecv -- ./sink >out 2>/dev/null
	n=$(grep -n -m 1 '^452 4.5.3' out | cut -d : -f 1)
	echo "first 452 in line $n; $(grep -c '^250 2.1.5' out) good"
	[ "$(grep -c '^250 2.1.5' out)" -ge 100 ]
	[ "$(grep -c '^250 2.1.5' out)" -le 210 ]
	[ "$(grep -c '^452 4.5.3' out)" -ge 90 ]
}

@test "LMTP answers each of a thousand recipients" {
	python3 -c 'for i in range(1000): print("u%d@example.test:62011:62011:/nonexistent:" % i)' >conf/users
	touch -d '1 hour ago' conf/users
	script f 'cat; printf "4.7.1 %0390d\n" 1 >&2; exit 75'
	{
		say 'LHLO a' 'MAIL FROM:<>'
		python3 -c 'for i in range(1000): print("RCPT TO:<u%d@example.test>\r" % i)'
		say DATA 'Subject: x' . QUIT
	} | mrecv -L -F ./f -- ./sink >out 2>/dev/null
	[ "$(grep -c '^451 4.7.1 0' out)" -eq 1000 ]
	[[ $(tail -n 1 out) == 221* ]]
}

@test "-F? goes on without one that fails, but hears its no" {
	script add 'echo "X-One: 1"; cat'
	script bad 'head -c 10; exit 1'
	script last 'echo "X-Two: 2"; cat'
	one 'Subject: x' '' body | mrecv -F ./add '-F?' ./bad '-F?' ./nosuch \
		-F? ./last -- ./sink >out 2>err
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
	[ "$(head -n 2 store/*)" = $'X-Two: 2\nX-One: 1' ]
	[ "$(tail -n 1 store/*)" = body ]
	grep -q 'error .*what=./bad why="exit 1"' err
	rm store/*
	script bad 'cat; echo 5.7.1 no >&2; exit 69'
	one 'Subject: x' | mrecv '-F?' ./bad -- ./sink >out 2>err
	[ "$(last_reply out)" = "554 5.7.1 no" ]
}

@test "a filter that takes too long is killed with its children" {
	echo filter-time 1 >conf/limits
	script f 'echo $$ >pid; sleep 100 & echo $! >>pid; wait'
	one 'Subject: x' | mrecv -F ./f -- ./sink >out 2>err
	[[ $(last_reply out) == "451 4.3.0 "* ]]
	grep -q 'what=./f why=timeout' err
	gone() { ! kill -0 "$1"; }
	for p in $(cat pid); do wait_for gone "$p"; done
	one 'Subject: x' | mrecv '-F?' ./f -- ./sink >out 2>err
	[[ $(last_reply out) == "250 2.0.0 ok "* ]]
}

@test "a filter that ends before what it started: later, not half a message" {
	echo filter-time 1 >conf/limits
	script f 'printf "Subject: x\n\none half\n"; { sleep 30; echo other half; } & exit 0'
	one 'Subject: x' | mrecv -F ./f -- ./sink >out 2>err
	cat out err
	[[ $(last_reply out) == "451 4.3.0 "* ]]
	grep -q 'what=./f why=timeout' err
	[ -z "$(ls store)" ]
}

@test "a filter that hangs does not outlive an mrecv that was killed" {
	script f 'echo $$ >pid; exec sleep 300'
	mkfifo talk
	mrecv -F ./f -- ./sink <talk >out 2>err 3>&- &
	mrecv=$!
	exec 4>talk
	say 'EHLO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA >&4
	wait_for test -s pid
	kill -9 "$mrecv"
	exec 4>&-
	gone() { ! kill -0 "$1"; }
	wait_for gone "$(cat pid)"
}

@test "a filter may stop reading early" {
	script f 'head -n 1 >/dev/null; echo "Subject: short"; echo'
	{ say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA 'Subject: long' ''
	bulk 400000; say .; } | mrecv -F ./f -F ./f -- ./sink >out
	[[ $(tail -n 1 out) == 250* ]]
	[ "$(cat store/*)" = "Subject: short" ]
}

@test "a client killed at any KiB leaves nothing: queue, sink, filter" {
	"$ROOT/t/smtp/kill" client 64 "$PWD/store" -- -- ./sink
	rm store/*
	script f 'cat'
	"$ROOT/t/smtp/kill" client 64 "$PWD/store" -- -F ./f -- ./sink
	mkdir -p queue/tmp
	"$ROOT/t/smtp/kill" client 64 "$PWD/queue" -- -- mqueue add
	[ -z "$(ls queue/tmp)" ]
}

@test "mrecv killed at any KiB leaves nothing: queue, sink, filter" {
	"$ROOT/t/smtp/kill" mrecv 64 "$PWD/store" -- -- ./sink
	rm store/*
	script f 'cat'
	"$ROOT/t/smtp/kill" mrecv 64 "$PWD/store" -- -F ./f -- ./sink
	mkdir -p queue/tmp
	"$ROOT/t/smtp/kill" mrecv 64 "$PWD/queue" -- -- mqueue add
}

@test "a filter killed at any KiB leaves nothing, before a sink and mqueue add" {
	script f "echo \$\$ >'$PWD/filter.pid'; exec cat"
	"$ROOT/t/smtp/kill" filter 64 "$PWD/store" -- -F ./f -- ./sink
	mkdir -p queue/tmp
	echo "pneu $(id -u) $(id -g)" >conf/uids
	"$ROOT/t/smtp/kill" filter 64 "$PWD/queue" -- -F ./f -- mqueue add
}

@test "the size limit holds for what is declared and for what comes" {
	echo message 2000 >conf/limits
	say 'EHLO a' 'MAIL FROM:<> SIZE=2001' QUIT | mrecv -- ./sink >out
	grep -q '^250-SIZE 2000' out
	grep -q '^552 5.3.4' out
	one "$(printf '%02000d' 1)" | mrecv -- ./sink >out 2>err
	[[ $(last_reply out) == "552 5.3.4 "* ]]
	[ -z "$(ls store)" ]
	grep -q 'refuse .*code=552 why="5.3.4' err
	one "$(printf '%01998d' 1)" | mrecv -- ./sink >out
	[[ $(last_reply out) == "250 "* ]]
}

@test "with less than a floor of free space MAIL is put off" {
	echo free-space 99999999999999999 >conf/limits
	say 'EHLO a' 'MAIL FROM:<>' QUIT | mrecv -- mqueue add >out
	grep -q '^452 4.3.1' out
	echo free-space 0 >conf/limits
	say 'EHLO a' 'MAIL FROM:<> SIZE=1000000000' QUIT | mrecv -- mqueue add >out
	grep -q '^250 2.1.0' out
}

@test "a full disk is later, and leaves nothing" {
	{ say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA
	bulk 400000; say .; } >in
	limit_fsize 64 mrecv -- mqueue add <in >out 2>/dev/null
	[[ $(tail -n 1 out) == "452 4.3.1 "* ]]
	[ -z "$(queued)" ]
	[ -z "$(ls queue/tmp)" ]
	script f cat
	limit_fsize 64 mrecv -F ./f -- ./sink <in >out 2>/dev/null
	[[ $(tail -n 1 out) == 45[12]\ 4.3.* ]]
	[ -z "$(ls store)" ]
}

@test "a queue that can't be opened means later at MAIL" {
	touch queue
	say 'EHLO a' 'MAIL FROM:<>' QUIT | mrecv -- mqueue add >out 2>err
	grep -q '^451 4.3.0' out
	grep -q '^mrecv error .*queue' err
}

@test "too many Received fields are a loop" {
	{ say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA
	for i in $(seq 100); do say "Received: by h$i; now"; done
	say '' body . ; } >in
	mrecv -- ./sink <in >out
	[[ $(tail -n 1 out) == "250 "* ]]
	rm store/*
	sed 's/h100;/h;\r\nreceived : h/' in | mrecv -- ./sink >out
	[[ $(tail -n 1 out) == "554 5.4.6 "* ]]
	[ -z "$(ls store)" ]
}

@test "a header of more than a mebibyte is refused" {
	{ say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA
	bulk 1200000 | sed 's/^/X-Y: /'; say .; } | mrecv -- ./sink >out
	[[ $(tail -n 1 out) == "552 5.3.4 header"* ]]
	[ -z "$(ls store)" ]
}

@test "Return-Path does not come in; Bcc only on port 25" {
	one 'Return-Path: <a@b>' 'Subject: x' 'return-PATH : <c@d' ' e>' 'Bcc: f@g' '' b |
		mrecv -- ./sink >out
	! grep -qi return-path store/* || false
	! grep -q 'e>' store/* || false
	grep -q '^Bcc: f@g' store/*
}

@test "Authentication-Results that bear our name do not come in, but by LMTP" {
	local forged=('Authentication-Results: (x)' ' MX.example.test 1; spf=pass'
		'Authentication-Results: elsewhere.test; spf=fail' 'X-Spam: No' '' b)

	one "${forged[@]}" | mrecv -- ./sink >out
	! grep -qi 'mx.example.test 1\|spf=pass' store/* || false
	grep -qx 'Authentication-Results: elsewhere.test; spf=fail' store/*
	grep -qx 'X-Spam: No' store/*
	rm store/*
	one "${forged[@]}" | sed s/EHLO/LHLO/ | mrecv -L -- ./sink >out
	grep -qx ' MX.example.test 1; spf=pass' store/*
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

@test "long lines and odd octets stay as they are" {
	python3 - <<-'E' >in
		import sys
		out = sys.stdout.buffer
		body = b"X: " + b"y" * 60000 + b"\r\n\r\n" + b"z" * 200000 + b"\r\n"
		body += b"\0 \x01\x1a\x7f\x80\xff\r\n"
		open("want", "wb").write(body.replace(b"\r\n", b"\n"))
		head = b"EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.test>\r\n"
		out.write(head + b"DATA\r\n" + body + b".\r\n" + head[8:]
		          + b"BDAT %d LAST\r\n" % len(body) + body + b"QUIT\r\n")
	E
	mrecv -- ./sink <in >out
	[ "$(grep -c '^250 2.0.0 ok' out)" -eq 2 ]
	for f in store/*; do
		sed '1,/^\tfor /d' "$f" | cmp - want
	done
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

@test "STARTTLS by the UCSPI-TLS convention, and nothing before it counts" {
	cat >wrap.py <<-'E'
		import os, socket, subprocess, sys
		mode = sys.argv[1]
		ctl, theirs = socket.socketpair()
		r1, w1 = os.pipe(); r2, w2 = os.pipe()
		for fd in (theirs.fileno(), r1, w2): os.set_inheritable(fd, True)
		env = dict(os.environ, SSLCTLFD=str(theirs.fileno()), SSLREADFD=str(r1), SSLWRITEFD=str(w2))
		p = subprocess.Popen(['mrecv', '--', './sink'], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
		    pass_fds=(theirs.fileno(), r1, w2), env=env)
		theirs.close(); os.close(r1); os.close(w2)
		first = b'EHLO plain\r\nMAIL FROM:<p@x.org>\r\nRSET\r\nSTARTTLS\r\n'
		if mode == 'inject': first += b'NOOP\r\n'
		p.stdin.write(first); p.stdin.flush()
		if mode == 'inject':
		    sys.stdout.buffer.write(p.stdout.read()); sys.exit(p.wait())
		assert ctl.recv(1) == b'Y'
		if mode == 'fail':
		    ctl.close(); sys.stdout.buffer.write(p.stdout.read()); sys.exit(p.wait())
		ctl.sendall(b'SSL_PROTOCOL=TLSv1.3\0SSL_CIPHER=TLS_AES\0PATH=/evil\0'); ctl.sendall(b'\0')
		os.write(w1, b'MAIL FROM:<x@x.org>\r\nEHLO tls\r\nSTARTTLS\r\nMAIL FROM:<t@x.org>\r\n'
		    b'RCPT TO:<alice@example.test>\r\nDATA\r\nSubject: x\r\n.\r\nQUIT\r\n'); os.close(w1)
		sys.stdout.buffer.write(p.stdout.read())
		while True:
		    got = os.read(r2, 65536)
		    if not got: break
		    sys.stdout.buffer.write(got)
		sys.exit(p.wait())
	E
	python3 wrap.py tls >out 2>err
	tr -d '\r' <out >said
	grep -q '^220 2.0.0 ready' said
	sed '1,/ready/d' said >after
	[[ $(sed -n 1p after) == "503 5.5.1 "* ]]
	! grep -q STARTTLS after || false
	grep -q '^503 5.5.1 TLS already' after
	grep -q 'from tls' store/*
	grep -q 'with ESMTPS (TLSv1.3 TLS_AES) id' store/*
	grep -qx 'SSL_CIPHER=TLS_AES' env
	! grep -q evil env || false
	! grep -q SSLCTLFD env || false
	python3 wrap.py inject >out 2>err
	[[ $(tail -n 1 out) == "554 5.5.1 "* ]]
	python3 wrap.py fail >out 2>err
	[[ $(tail -n 1 out) == "220 2.0.0 "* ]]
	grep -q 'close .*why=tls' err
}

@test "root writes the queue as pneu" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	open=$(mktemp -d)
	chmod 0711 "$open"
	mkdir -m 0700 "$open/queue"
	chown 62001:62001 "$open/queue"
	cp -rp conf "$open/"
	chmod 0755 "$open/conf"
	echo "queue $open/queue" >"$open/conf/paths"
	echo 'pneu 62001 62001' >"$open/conf/uids"
	one 'Subject: x' | PNEU_CONF=$open/conf mrecv -- mqueue add >out
	owner=$(stat -c %u "$open"/queue/????????????????)
	rm -r "$open"
	[[ $(last_reply out) == "250 "* ]]
	[ "$owner" = 62001 ]
}

@test "over TCP the last words arrive, even when nobody reads the rest" {
	tcpserver -1 -H -R -l 0 127.0.0.1 0 mrecv -- mqueue add >port 2>err 3>&- &
	pid=$!
	wait_for test -s port
	cat >client.py <<-'E'
		import socket, sys
		s = socket.create_connection(('127.0.0.1', int(sys.argv[1])))
		s.settimeout(90)
		try:
		    s.sendall(b'EHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<alice@example.test>\r\nDATA\r\n'
		        b'Subject: x\n.\nMAIL FROM:<evil@x.org>\r\n' + b'x' * 400000)
		except OSError: pass
		got = b''
		while True:
		    piece = s.recv(65536)
		    if not piece: break
		    got += piece
		sys.stdout.buffer.write(got)
	E
	for i in 1 2 3 4 5; do
		python3 client.py "$(head -n 1 port)" >out
		[[ $(tail -n 1 out) == "550 5.6.0 "* ]]
	done
	# it waits for what the client may yet say, and then it logs the end
	wait_for eval '[ "$(grep -c "close .*peer=127.0.0.1 .*why=refused" err)" -eq 5 ]'
	kill "$pid"
	grep -q 'refuse .*code=550 why="5.6.0' err
	[ -z "$(queued)" ]
}

@test "silence ends with 421, in a command and in a message" {
	printf 'command-time 1\ndata-time 1\n' >conf/limits
	mkfifo client
	exec 4<>client # no end of it ever comes
	timeout 120 mrecv -- ./sink <client >out 2>err 4>&-
	[[ $(tail -n 1 out) == "421 4.4.2 "* ]]
	grep -q 'close .*why=timeout' err
	say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA 'Subject: x' >&4
	timeout 120 mrecv -- ./sink <client >out 4>&-
	[[ $(tail -n 1 out) == "421 4.4.2 "* ]]
	[ -z "$(ls store)" ]
	exec 4>&-
	printf 'session-time 2\n' >conf/limits
	{ for i in $(seq 120); do say NOOP; sleep 0.5; done; } 2>/dev/null |
		mrecv -- ./sink >out || true
	[[ $(tail -n 1 out) == "421 4.4.2 "* ]]
}

@test "files that are missing or doubtful mean later, never no" {
	rm conf/users
	say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' 'RCPT TO:<x@y.org>' | mrecv -- ./sink >out 2>err
	grep -q '^451 4.3.0' out
	rm conf/domains
	say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' 'RCPT TO:<x@y.org>' | mrecv -- ./sink >out 2>err
	! grep -q '^55' out || false
}

@test "200 MB pass with little memory" {
	[ "${BUILD##*/}" != build-san ] || skip "memory of a sanitizer build"
	printf 'message 300000000\n' >conf/limits
	script f 'exec cat'
	# its parent is the runner, whose parent is mrecv
	script null 'wc -c >size; pid=$(awk "/^PPid/ { print \$2 }" /proc/$PPID/status)
		grep "^Name.*mrecv" /proc/$pid/status && grep VmHWM /proc/$pid/status >hwm'
	{ say 'HELO a' 'MAIL FROM:<>' 'RCPT TO:<alice@example.test>' DATA 'Subject: long' ''
	yes "$(printf '%070d' 7)"$'\r' | head -n 2900000
	say .; } | mrecv -F ./f -- ./null >out
	[[ $(tail -n 1 out) == 250* ]]
	[ "$(tr -dc 0-9 <hwm)" -lt 16000 ]
	[ "$(cat size)" -gt 200000000 ]
}

@test "wrong usage is one line" {
	usage='usage: mrecv [-LnpSVv] [-c DIR] [-F COMMAND] [-m ADDR] ... [--] SINK [ARG ...]'
	for args in '' '-x' '-S' '-v x' '-LS x' '-Lp x' '-F' '-F?' '-c'; do
		run -64 mrecv $args
		[ "$output" = "$usage" ]
	done
	run -64 mrecv -F "a 'b" -- x
	[ "$output" = "mrecv: -F: a 'b: not a command" ]
	run -64 mrecv -F "" -- x
	[ "$output" = "mrecv: -F: : not a command" ]
	run -0 mrecv -V
	[ "$output" = "mrecv 0.1" ]
}

@test "-c names the configuration, for children too" {
	mv conf other
	unset PNEU_CONF
	one 'Subject: x' | mrecv -c "$PWD/other" -- ./sink >out
	[[ $(last_reply out) == "250 "* ]]
	grep -qx "PNEU_CONF=$PWD/other" env
}

@test "no byte of a client makes a line of the log" {
	say 'HELO a' 'MAIL FROM:<"a b = c"@x.org>' 'RCPT TO:<"x\" y"@example.test>' QUIT |
		mrecv -- ./sink >out 2>err
	[ "$(wc -l <err)" -eq 2 ]
	grep -q 'from="\\"a b = c\\"@x.org"' err
}

# end_by_term [DATA]: a session that gets SIGTERM, while idle or in DATA
end_by_term() {
	python3 - "$@" 3>&- <<'E'
import signal, subprocess, sys
signal.alarm(240)
data = len(sys.argv) > 1
p = subprocess.Popen(["mrecv", "--", "./sink"], stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE, stderr=open("err", "wb"))
def say(s):
    p.stdin.write(s.encode())
    p.stdin.flush()
def hear(code):
    line = p.stdout.readline()
    assert line.startswith(code), line
hear(b"220")
say("HELO x\r\n"); hear(b"250")
bdat = data and sys.argv[1] == "BDAT"
if data:
    say("MAIL FROM:<s@x.org>\r\nRCPT TO:<alice@example.test>\r\n")
    hear(b"250"); hear(b"250")
if bdat:
    say("BDAT 12\r\nSubject: x\r\n"); hear(b"250")
elif data:
    say("DATA\r\n"); hear(b"354")
    say("Subject: x\r\n")
p.send_signal(signal.SIGTERM)
if bdat:
    say("BDAT 2 LAST\r\n\r\n"); hear(b"250 2.0.0 ok")
elif data:
    say("\r\nhello\r\n.\r\n"); hear(b"250 2.0.0 ok")
hear(b"421 4.3.2")
assert p.stdout.readline() == b""
assert p.wait(60) == 0
E
}

@test "SIGTERM says 421 to a client that is idle" {
	run -0 end_by_term
	[ "$(grep -c '^mrecv close .* n=0 why=shutdown$' err)" = 1 ]
}

@test "SIGTERM lets a message in DATA be taken before the 421" {
	for how in DATA BDAT; do
		run -0 end_by_term "$how"
		[ "$(ls store | wc -l)" = 1 ]
		[ "$(grep -c '^mrecv close .* n=1 why=shutdown$' err)" = 1 ]
		rm store/*
	done
}
