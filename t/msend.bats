#!/usr/bin/env bats
#
# msend(8): a message goes to the next host, and what is not known to have
# arrived is for later.

load lib
load mqueue.sh
load msend.sh

@test "a message arrives byte for byte, with CRLF and dots undone" {
	sink s +8bitmime
	printf 'Subject: \303\244\n\n.\n..\n.x\nFrom y\n \ttrail \t\n%s\n\0\200\377\n\r\nend\n' \
		"$(printf '%0990d' 0)" >m
	run -0 --separate-stderr to bob@b.test
	[ "$output" = $'bob@b.test\t2.0.0\t127.0.0.1[127.0.0.1] said: 250 2.0.0 taken as 1' ]
	[[ $stderr == "msend sent from=alice@a.test rcpt=bob@b.test host=127.0.0.1 code=2.0.0 "* ]]
	crlf m | cmp - s/1.eml
}

@test "a last line without an end gets one, and an empty message is one" {
	sink s
	printf 'Subject: x\n\nno end' >m
	run -0 to bob@b.test
	printf 'Subject: x\r\n\r\nno end\r\n' | cmp - s/1.eml
	: >m
	run -0 to bob@b.test
	[ -f s/2.eml ]
	[ ! -s s/2.eml ]
}

@test "a bare CR becomes a blank, also where a piece of the message ends" {
	sink s
	printf 'Subject: x\n\na\rb\n\r.\r\n%065500d\rQUIT\n' 0 >m
	printf '\r\rend\r' >>m
	run -0 to bob@b.test
	python3 - <<-'P'
		import re
		sent = open("s/1.eml", "rb").read()
		assert not re.search(rb"\r(?!\n)|(?<!\r)\n", sent)
		head = b"Subject: x\n\na b\n .\n" + b"0" * 65500 + b" QUIT\n"
		assert sent == (head + b"  end \n").replace(b"\n", b"\r\n")
	P
}

@test "a message in a pipe is sent when its end is confirmed, else not" {
	sink s
	run -0 bash -c "cat m | msend -h 127.0.0.1:$PORT -f a@a.test -- b@b.test"
	echo -n y >yes
	: >no
	MAIL_COMMITFD=7 run -0 to b@b.test 7<yes
	MAIL_COMMITFD=7 run -75 to b@b.test 7<no
	[[ $output == *"not committed"* ]]
	MAIL_COMMITFD=7 run -75 to b@b.test 7<&-
	[ ! -e s/3.eml ]
	[ "$(grep -c 'C: MAIL' s/log)" -eq 2 ]
}

@test "size, 8 bits and what is asked of reports go where they are known" {
	sink plain
	printf 'Subject: \303\244\n\n' >m
	export MAIL_RET=HDRS MAIL_ENVID=x+2B1
	export MAIL_RCPT_ARGS=$'NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b@b.test\n'
	run -0 to b@b.test c@b.test
	grep -qx 'C: MAIL FROM:<alice@a.test>' plain/log
	grep -qx 'C: RCPT TO:<b@b.test>' plain/log
	sink all +dsn +size=1000 +8bitmime
	run -0 to b@b.test c@b.test
	grep -qx 'C: MAIL FROM:<alice@a.test> SIZE=15 BODY=8BITMIME RET=HDRS ENVID=x+2B1' all/log
	grep -qx 'C: RCPT TO:<b@b.test> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;b@b.test' all/log
	grep -qx 'C: RCPT TO:<c@b.test>' all/log
	MAIL_ENVID=$'e\r\nRSET' run -0 to b@b.test
	lacks RSET all/log
}

@test "a message larger than the server says is refused without sending it" {
	sink s +size=10
	run -69 --separate-stderr to b@b.test
	[ "$(codes)" = 5.3.4 ]
	lacks 'C: MAIL' s/log
}

@test "an address that is not ASCII needs a server that knows" {
	sink no
	run -69 --separate-stderr to 'bäb@b.test'
	[ "$(codes)" = 5.6.7 ]
	sink yes +smtputf8
	run -0 to 'bäb@b.test'
	grep -q '^C: MAIL .* SMTPUTF8' yes/log
}

@test "each recipient has its own result, and later wins" {
	sink s 'RCPT:no@=550 5.1.1 unknown' 'RCPT:wait@=450 4.2.1 greylisted'
	run -75 --separate-stderr to no@b.test wait@b.test yes@b.test
	[ "$(codes)" = '5.1.1 4.2.1 2.0.0' ]
	[[ $output == *"said: 550 5.1.1 unknown"* ]]
	[ "$(cut -d' ' -f1,2 <<<"$stderr" | tr '\n' ' ')" = \
		'msend bounce msend defer msend sent ' ]
	[ "$(grep -c 'C: DATA' s/log)" -eq 1 ]
	run -67 to no@b.test
}

@test "without PIPELINING one command waits for the reply to the last" {
	sink s +nopipelining 'RCPT:no@=550 5.1.1 unknown'
	run -67 --separate-stderr to yes@b.test no@b.test
	[ "$(codes)" = '2.0.0 5.1.1' ]
	crlf m | cmp - s/1.eml
	run -67 to no@b.test
	[ "$(grep -c 'C: DATA' s/log)" -eq 1 ]
}

@test "when all are refused and DATA is taken, only a dot is sent" {
	sink s RCPT='550 5.1.1 unknown' DATA='354 go on' END='554 5.5.1 nobody'
	run -67 --separate-stderr to a@b.test b@b.test
	[ "$(codes)" = '5.1.1 5.1.1' ]
	[ ! -e s/1.eml ]
	[ "$(tail -n 1 s/log)" = 'S: 221 2.0.0 bye' ]
}

@test "a refusal of MAIL, DATA or the message is one for every recipient" {
	for rule in 'MAIL=550 5.7.1 not you' 'DATA=554 5.5.0 no' 'END=552 5.3.4 big'; do
		sink "${rule%%=*}" "$rule"
		run -69 --separate-stderr to a@b.test b@b.test
		code=$(cut -d' ' -f2 <<<"${rule#*=}")
		[ "$(codes)" = "$code $code" ]
	done
	sink later 'END=452 4.3.1 full'
	run -75 --separate-stderr to a@b.test
	[ "$(codes)" = 4.3.1 ]
}

@test "a yes to another question does not mean that it was sent" {
	sink data 'DATA=250 2.0.0 fine'
	run -75 --separate-stderr to a@b.test
	[ "$(codes)" = 4.5.0 ]
	sink end 'END=354 2.0.0 more'
	run -75 --separate-stderr to a@b.test
	[ "$(codes)" = 4.5.0 ]
	sink none 'END=what?'
	run -75 --separate-stderr to a@b.test
	[ "$(codes)" = 4.5.0 ]
}

@test "a connection that is lost at any step is for later" {
	for step in CONNECT EHLO MAIL RCPT DATA BODY END; do
		echo "$step"
		sink $step $step=drop
		run -75 --separate-stderr to a@b.test
		[ "$(codes)" = 4.4.2 ]
	done
	[ -e END/1.eml ] # it may have been taken: a second one may come
	run -75 --separate-stderr msend -h 127.0.0.1:1 -f '' -- a@b.test <m
	[ "$(codes)" = 4.4.2 ]
	[[ $output == *"connect to 127.0.0.1: "* ]]
}

@test "a server that is silent, or slow without end, is left in time" {
	for rule in CONNECT=slow EHLO=slow MAIL=slow DATA=slow END=slow \
		CONNECT=drip EHLO=drip EHLO=endless; do
		echo "$rule"
		sink "${rule/=/-}" "$rule"
		SECONDS=0
		run -75 --separate-stderr msend -t 1 -h "127.0.0.1:$PORT" -f '' \
			-- a@b.test <m
		[ $SECONDS -le 60 ]
		[[ $(codes) == 4.* ]]
	done
}

@test "421 leaves what was decided and puts off the rest" {
	sink s 'RCPT:no@=550 5.1.1 unknown' 'RCPT:bye@=421 4.3.2 closing'
	run -75 --separate-stderr to no@b.test bye@b.test yes@b.test
	[ "$(codes)" = '5.1.1 4.3.2 4.3.2' ]
}

@test "HELO is for a server that does not know EHLO, and for no other" {
	sink old +noehlo
	run -0 to a@b.test
	grep -q '^C: HELO mail.example.test$' old/log
	lacks 'C: MAIL.* SIZE' old/log
	sink no 'EHLO=550 5.7.1 go away'
	run -69 to a@b.test
	sink later 'EHLO=451 4.7.1 later'
	run -75 to a@b.test
	lacks 'C: HELO' no/log
	lacks 'C: HELO' later/log
}

@test "delivery in time: what is left of it is passed on, or it comes back" {
	in_time() { # SECONDS MODE: the codes of a message to the sink
		MAIL_BY="$(date -u -d "$1 seconds" +%Y-%m-%dT%H:%M:%SZ);$2" \
			run --separate-stderr to b@b.test
		echo "$output" >said
		codes
	}
	sink s +deliverby=60 +dsn
	[ "$(in_time +100 R)" = 2.0.0 ]
	grep -qE 'MAIL FROM:<alice@a.test> BY=(100|[89].);R$' s/log
	[ "$(in_time +100 RT)" = 2.0.0 ]
	grep -qF $'\trelayed to 127.0.0.1[127.0.0.1], which said: 250 ' said
	[ "$(in_time +50 R)" = 5.4.7 ]
	[ "$(in_time -5 R)" = 5.4.7 ]
	[ "$(in_time -5 NT)" = 2.0.0 ]
	grep -qE 'BY=-[0-9]+;NT$' s/log
	[ "$(in_time +50 N)" = 2.0.0 ]
	lacks 'relayed to' said
	sink old +dsn
	[ "$(in_time +100 R)" = 5.3.3 ]
	[ "$(in_time +100 N)" = 2.0.0 ]
	grep -q 'relayed to' said
	lacks BY= old/log
}

@test "where reports end the queue is told" {
	export MAIL_RCPT_ARGS=$'NOTIFY=SUCCESS\nNOTIFY=FAILURE\n'
	sink s
	run -0 --separate-stderr to b@b.test c@b.test d@b.test
	[ "$(grep -c 'relayed to' <<<"$output")" -eq 1 ]
	[[ ${lines[0]} == $'b@b.test\t2.0.0\trelayed to 127.0.0.1'* ]]
	sink dsn +dsn
	run -0 --separate-stderr to b@b.test c@b.test
	[[ $output != *'relayed to'* ]]
	# through the queue, to the sender
	sink again
	id=$(message | MAIL_RCPT_ARGS=NOTIFY=SUCCESS mqueue add -f a@x.test -- b@y.test)
	echo "* msend -h 127.0.0.1:$PORT" >conf/routes
	start_run
	wait_for empty
	[ -e again/2.eml ]
	grep -q '^Action: relayed' again/*.eml
}

@test "8-bit text becomes quoted-printable where 8BITMIME is missing" {
	python3 - <<-'P'
		from email.message import EmailMessage
		import email.policy
		m = EmailMessage(policy=email.policy.SMTP.clone(cte_type="8bit", linesep="\n"))
		m["Subject"] = "x"
		m.set_content("B\u00fccher =\n" * 500 + "tr\u00e4il \t\n.\n", cte="8bit")
		m.add_attachment("ascii\n.\n")
		inner = EmailMessage(policy=m.policy)
		inner["Subject"] = "in"
		inner.set_content("\u00e4" * 400, cte="8bit")
		m.add_attachment(inner)
		open("m8", "wb").write(m.as_bytes())
	P
	grep -q $'\303' m8
	sink seven +size=100000
	run -0 --separate-stderr msend -h "127.0.0.1:$PORT" -f a@a.test -- b@b.test <m8
	grep -qx 'C: MAIL FROM:<a@a.test>' seven/log
	# no MIME, a bare CR where nothing is encoded, NUL where it is
	printf 'Subject: a\rb\n\n\303\274\0\r\n\rx' >small
	run -0 --separate-stderr msend -h "127.0.0.1:$PORT" -f a@a.test -- b@b.test <small
	printf '%s\r\n' 'Subject: a b' 'MIME-Version: 1.0' \
		'Content-Type: text/plain; charset=unknown-8bit' \
		'Content-Transfer-Encoding: quoted-printable' '' '=C3=BC=00' '=0Dx' |
		cmp - seven/2.eml
	sink eight +8bitmime
	run -0 --separate-stderr msend -h "127.0.0.1:$PORT" -f a@a.test -- b@b.test <m8
	crlf m8 | cmp - eight/1.eml
	python3 - <<-'P'
		import email, email.policy, re
		sent = open("seven/1.eml", "rb").read()
		assert not re.search(rb"[\x80-\xff]|[^\r]\n", sent)
		assert all(len(x) <= 78 for x in sent.split(b"\r\n")), sent
		assert b"8bit" not in sent
		one, two = (email.message_from_bytes(b.replace(b"\r\n", b"\n"), policy=email.policy.default)
		    for b in (sent, open("eight/1.eml", "rb").read()))
		leaves = [[(p.get_content_type(), p.get_content()) for p in m.walk()
		    if not p.is_multipart()] for m in (one, two)]
		assert leaves[0] == leaves[1] and len(leaves[0]) == 3, leaves
	P
}

@test "SMTPUTF8 is needed only for what is not ASCII in the end" {
	export MAIL_SMTPUTF8=1
	printf 'Subject: \303\244\n\nx\n' >u
	sink no
	run -0 --separate-stderr to $'b@b\303\274cher.test'
	grep -qx 'C: RCPT TO:<b@xn--bcher-kva.test>' no/log
	[ "$(cut -f1 <<<"$output")" = $'b@b\303\274cher.test' ]
	run -69 --separate-stderr to $'b@b\303\274cher.test' $'\303\274@b.test' c@b.test
	[ "$(codes)" = '2.0.0 5.6.7 2.0.0' ]
	run -69 --separate-stderr msend -h "127.0.0.1:$PORT" -f $'\303\244@a.test' -- b@b.test <m
	[ "$(codes)" = 5.6.7 ]
	run -69 --separate-stderr msend -h "127.0.0.1:$PORT" -f a@a.test -- b@b.test <u
	[ "$(codes)" = 5.6.9 ]
	run -0 --separate-stderr msend -h "127.0.0.1:$PORT" -f $'a@\303\244.test' -- b@b.test <m
	grep -qx 'C: MAIL FROM:<a@xn--4ca.test>' no/log
	sink yes +smtputf8 +8bitmime
	run -0 --separate-stderr msend -h "127.0.0.1:$PORT" -f a@a.test -- $'\303\274@b\303\274.test' <u
	grep -qx 'C: MAIL FROM:<a@a.test> BODY=8BITMIME SMTPUTF8' yes/log
	grep -qx $'C: RCPT TO:<\303\274@b\303\274.test>' yes/log
	# 8 bits in a header that nobody asked SMTPUTF8 for went before, and go
	unset MAIL_SMTPUTF8
	sink old
	run -0 --separate-stderr msend -h "127.0.0.1:$PORT" -f a@a.test -- b@b.test <u
}

@test "limits of a server are kept: recipients, domains, messages" {
	sink s '+limits=RCPTMAX=2 MAILMAX=2' +dsn
	run -0 --separate-stderr to {a,b,c,d,e}@b.test
	[ "$(codes)" = '2.0.0 2.0.0 2.0.0 2.0.0 2.0.0' ]
	grep -oE 'C: (EHLO|MAIL|RCPT|QUIT)' s/log | cut -c4 | tr -d '\n' |
		grep -qx EMRRMRRQEMRQ
	sink d '+limits=RCPTDOMAINMAX=1'
	run -0 --separate-stderr to a@x.test b@y.test c@X.test d@y.test
	grep -E 'C: (MAIL|RCPT)' d/log | sed 's/C: RCPT TO:<\(.\).*/\1/; s/C: MAIL.*/M/' |
		tr -d '\n' | grep -qx MacMbd
	# one that closes after its number, as it said, loses nothing
	sink one '+limits=MAILMAX=1' +reuse=1
	for _ in 1 2 3; do
		add b@y.test >/dev/null
	done
	echo "* msend -h 127.0.0.1:$PORT" >conf/routes
	mqueue next | msend -J -h "127.0.0.1:$PORT" >results
	[ "$(grep -c 2.0.0 results)" -eq 3 ]
	[ "$(grep -c 'C: QUIT' one/log || :)" -le 1 ]
	[ -s one/3.eml ]
	[ ! -e one/4.eml ]
}

@test "nothing a server says makes a line of ours" {
	sink s $'RCPT=550-5.1.1 a\tb\e[1m\n550 5.1.1 b@b.test'
	run -67 --separate-stderr to b@b.test
	[ "${#lines[@]}" -eq 1 ]
	[[ $output != *$'\e'* ]]
	[[ $output == *"550 5.1.1 a?b?[1m 5.1.1 b@b.test" ]]
}

@test "more recipients than a transaction takes go in several" {
	sink s
	run -0 --separate-stderr to $(seq -f 'u%g@b.test' 150)
	[ "$(grep -c '2.0.0' <<<"$output")" -eq 150 ]
	[ "$(grep -c 'C: MAIL' s/log)" -eq 2 ]
	[ "$(grep -c 'S: 220' s/log)" -eq 1 ]
}

@test "the next hop may be a Unix socket or a descriptor" {
	sink s
	socat "UNIX-LISTEN:$D/sock,fork" "TCP:127.0.0.1:$PORT" 3>&- &
	PEERS="$PEERS $!"
	wait_for listens "$D/sock"
	run -0 msend -h "unix:$D/sock" -f '' -- a@b.test <m
	run -0 bash -c "exec 9<>/dev/tcp/127.0.0.1/$PORT
		msend -h fd:9 -f '' -- a@b.test <m"
	[ -e s/2.eml ]
}

@test "-vv shows the dialogue, and -v why a host was left" {
	sink s
	run -0 --separate-stderr msend -vv -h "127.0.0.1:$PORT" -f '' -- a@b.test <m
	[[ $stderr == *"> EHLO mail.example.test"*"< 250 "*"> QUIT"* ]]
	run -75 --separate-stderr msend -v -h 127.0.0.1:1 -f '' -- a@b.test <m
	[[ ${stderr_lines[0]} == "msend: 127.0.0.1: connect to "* ]]
}

@test "wrong usage is one line and 64" {
	for args in '' '-f a@b.test' 'b@b.test' '-J b@b.test' '-J -n' \
		'-J -f a@b.test' '-t' '-h' '-n' '-x'; do
		echo "msend $args"
		run -64 msend $args </dev/null
		[ "${#lines[@]}" -eq 1 ]
		[[ ${lines[-1]} == "usage: msend "* ]]
	done
}

@test "a bad argument is named" {
	run -64 msend -t 0 -f '' -- a@b.test
	[ "$output" = 'msend: -t 0: not a number of seconds' ]
	run -64 msend -t 1x -f '' -- a@b.test
	run -64 msend -h nonsense -f '' -- a@b.test
	[ "$output" = 'msend: -h nonsense: not an address' ]
	run -64 msend -f 'a b' -- a@b.test
	[ "$output" = 'msend: -f a b: not an address' ]
	run -65 msend -f '' -- 'a b'
	[ "$output" = 'msend: a b: not an address' ]
	run -65 msend -f '' -- $'a\r\nRSET@b.test'
	run -65 msend -f '' -- -n
	[ "$output" = 'msend: -n: not an address' ]
	sink s
	run -0 to -n@b.test '"a b"@b.test'
	grep -qxF 'C: RCPT TO:<-n@b.test>' s/log
	grep -qxF 'C: RCPT TO:<"a b"@b.test>' s/log
}

@test "results that can't be written are for later" {
	sink s
	run -75 bash -c "msend -h 127.0.0.1:$PORT -f '' -- a@b.test <m >/dev/full"
	[[ $output == *"msend: results: "* ]]
}
