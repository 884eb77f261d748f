#!/usr/bin/env bats
#
# mrecv -m: a milter made with libmilter is told all, and does all that a
# milter may do.

load lib
load milter.sh

@test "a milter is told all, and what is not changed is not touched" {
	milter
	say 'EHLO me.test' 'MAIL FROM:<s@x.org> SIZE=100 BODY=8BITMIME' \
		'RCPT TO:<alice@example.test>' DATA 'Subject:  two' 'X:' \
		' folded' '' hello '.QUIT' '' . QUIT |
		PROTO=TCP TCPREMOTEIP=192.0.2.7 TCPREMOTEPORT=4321 mrecv -m "$m" -- ./sink >out
	cat told
	ok
	wait_for grep -q '^close' told
	for line in 'connect [192.0.2.7]' 'family 2' 'macro j=mx.example.test' \
		'macro {daemon_name}=MTA' 'macro {client_addr}=192.0.2.7' \
		'macro {client_port}=4321' 'macro v=pneu 0.1' \
		'macro _=[192.0.2.7] [192.0.2.7]' 'helo me.test' \
		'mail <s@x.org> SIZE=100 BODY=8BITMIME' 'macro {mail_addr}=s@x.org' \
		'macro {mail_host}=x.org' 'rcpt <alice@example.test>' \
		'macro {rcpt_addr}=alice@example.test' 'data ' \
		'header Subject:[ two]' 'header X:[\n folded]' 'eoh ' \
		'body 15 crlf' 'eom '; do
		grep -qxF "$line" told || { echo "not told: $line"; false; }
	done
	! grep -q 'header Received' told || false
	! grep -q abort told || false
	id=$(last_reply out | cut -d ' ' -f 4)
	[ "$(grep -c "macro i=$id" told)" -eq 2 ]
	[ "$(stored)" = $'Subject:  two\nX:\n folded\n\nhello\nQUIT' ]
	grep -q '^Received: ' store/*
}

@test "IPv6, no address, and a login are told" {
	milter
	one 'Subject: x' | PROTO=TCP TCPREMOTEIP=2001:db8::1 mrecv -m "$m" -- ./sink >out
	ok
	grep -qx 'family 10' told
	grep -qxF 'connect [2001:db8::1]' told
	stop
	echo "me@example.test:$(id -u):$(id -g):/nonexistent/me:" >>conf/users
	touch -d '1 hour ago' conf/users
	milter
	say 'EHLO a' 'MAIL FROM:<me@example.test>' 'RCPT TO:<x@y.org>' DATA 'Subject: x' \
		'' . QUIT | mrecv -p -m "$m" -- ./sink >out
	ok
	grep -qx 'connect localhost' told
	grep -qx 'family 0' told
	grep -qx 'macro {daemon_name}=MSA' told
	grep -qx 'macro {auth_authen}=me@example.test' told
	grep -qx 'macro {auth_type}=EXTERNAL' told
}

@test "fields are added, inserted, changed and deleted" {
	taken 'eom=add:X-New|at the end' 'eom=insert:0|X-Top|1\n\tfolded' \
		'eom=insert:1|X-Second|2' 'eom=insert:99|X-Last|3' \
		'eom=change:2|x-a|changed' 'eom=change:1|Subject|'
	stored
	[ "$(stored)" = $'X-Top: 1\n\tfolded\nX-Second: 2\nX-A: 1\nx-a: changed\nX-New: at the end\nX-Last: 3\n\nhello' ]
	head -n 1 store/* | grep -q '^Received: '
}

@test "a field that is changed and is not there is added, or left alone" {
	taken 'eom=change:3|X-A|three' 'eom=change:1|X-No|' 'eom=change:1|Received|'
	[ "$(stored)" = $'Subject: hi\nX-A: 1\nX-A: 2\nX-A: three\n\nhello' ]
	grep -q '^Received: ' store/*
}

@test "a value can't end the header nor make a field" {
	taken 'eom=add:X-New|a\n\nbody\nX-B: c'
	[ "$(stored)" = $'Subject: hi\nX-A: 1\nX-A: 2\nX-New: a\n\tbody\n\tX-B: c\n\nhello' ]
}

@test "the body is replaced, a short one and a long one" {
	taken 'eom=body:0|new\ntext\n' 'eom=add:X-B|1' 'eom=body:0|more'
	[ "$(stored)" = $'Subject: hi\nX-A: 1\nX-A: 2\nX-B: 1\n\nnew\ntext\nmore' ]
	stop
	taken 'eom=body:20000|'
	[ "$(stored | wc -l)" -eq 20004 ]
	[ "$(stored | tail -n 1 | wc -c)" -eq 81 ]
	stop
	echo message 1000000 >conf/limits
	milter 'eom=body:20000|'
	one 'Subject: x' | mrecv -m "$m" -- ./sink >out 2>err
	[[ $(last_reply out) == "451 4.3.0 "* ]]
	grep 'error .*why="File too large"' err
	[ -z "$(ls store)" ]
}

@test "recipients come and go, and the sender" {
	taken 'eom=addrcpt:<carol@example.test>' 'eom=delrcpt:<bob@EXAMPLE.test>' \
		'eom=delrcpt:<nobody@example.test>' 'eom=addrcpt:dave@example.test' \
		'eom=addrcpt:<alice@example.test>' 'eom=from:<new@x.org>|'
	[ "$(xargs <args)" = '-f new@x.org -- alice@example.test carol@example.test dave@example.test' ]
	grep -qx 'MAIL_FROM=new@x.org' env
	[ "$(sed -n '/^MAIL_RCPTS=/,/^[A-Z]*_*[A-Z]*=/p' env | head -n 3)" = \
		$'MAIL_RCPTS=alice@example.test\ncarol@example.test\ndave@example.test' ]
	grep -q 'accept .*from=new@x.org .*n=3' err
	stop
	taken 'eom=from:<>|'
	[ "$(sed -n 2p args)" = '' ]
	stop
	rm args
	taken 'eom=delrcpt:<bob@example.test>' 'eom=delrcpt:<alice@example.test>'
	[ ! -e args ]
	grep -q 'accept .*text=dropped' err
	stop
	for bad in 'addrcpt:no address' 'addrcpt:<>' 'from:<a@b> c' 'addrcpt:a@b\nc@d'; do
		milter "eom=$bad"
		one 'Subject: x' | mrecv -m "$m" -- ./sink >out 2>err
		[[ $(last_reply out) == "451 4.3.0 "* ]]
		grep -q "error .*what=$m why=\"not a " err
		[ -z "$(ls store)" ]
		stop
	done
}

@test "who is given twice and taken away once does not get it" {
	milter 'eom=delrcpt:<bob@example.test>'
	say 'EHLO me.test' 'MAIL FROM:<s@x.org>' 'RCPT TO:<bob@example.test>' \
		'RCPT TO:<alice@example.test>' 'RCPT TO:<bob@EXAMPLE.test>' \
		'RCPT TO:<bob@example.test>' DATA 'Subject: hi' . QUIT |
		mrecv -m "$m" -- ./sink >out 2>err
	cat out err
	ok
	[ "$(xargs <args)" = '-f s@x.org -- alice@example.test' ]
}

@test "the queue gets what a milter made of the envelope, with parameters" {
	milter 'eom=addrcpt:<carol@example.test>|NOTIFY=NEVER' 'eom=from:<new@x.org>|' \
		'eom=quarantine:looked at by hand' 'eom=insert:0|X-Top|1'
	one 'Subject: hi' '' hello | mrecv -m "$m" -- mqueue add >out 2>err
	ok
	f=$(find queue -name '????????????????' -type f)
	cat "$f"
	[ "$(sed -n 2,5p "$f")" = $'from new@x.org\nto alice@example.test\nto bob@example.test\nto carol@example.test NOTIFY=NEVER' ]
	[ "$(cat "$f.hold")" = 'looked at by hand' ]
	[ "$(mqueue ls | cut -f 2)" = held ]
	ls queue/tmp
	[ -z "$(ls queue/tmp)" ]
	grep -q 'accept .*text=held' err
}

@test "addresses beyond ASCII, where the message may have them" {
	milter 'eom=delrcpt:<bob@example.test>' 'eom=addrcpt:<jürgen@example.test>' 'eom=from:<ö@x.org>|'
	one 'Subject: x' | sed 's/^MAIL.*>/& SMTPUTF8/' |
		mrecv -m "$m" -- mqueue add >out 2>err
	cat out err
	ok
	f=$(find queue -name '????????????????' -type f)
	cat "$f"
	[ "$(sed -n 2,4p "$f")" = $'from ö@x.org SMTPUTF8 BODY=8BITMIME\nto alice@example.test\nto jürgen@example.test' ]
	one 'Subject: x' | mrecv -m "$m" -- mqueue add >out 2>err
	[[ $(last_reply out) == "451 4.3.0 "* ]]
	grep 'error .*why="not a recipient"' err
}

@test "quarantine holds, another sink hears why" {
	taken 'eom=quarantine:why é'
	grep -qx 'MAIL_HOLD=why ??' env
}

@test "each answer at each step of the envelope" {
	while read -r step action want; do
		milter "$step=$action"
		say 'EHLO me.test' 'MAIL FROM:<s@x.org>' 'RCPT TO:<alice@example.test>' \
			DATA 'Subject: x' . QUIT | mrecv -m "$m" -- ./sink >out 2>err
		got=$(grep '^[45]' out | head -n 1 | tr -d '\r')
		good=$(sed '/^[45]/,$d' out | grep -c '^250 2.1' || :)
		echo "$step=$action: $good:$got"
		[ "$good:$got" = "$want" ]
		[ -z "$(ls store)" ]
		grep -q "refuse .*why=\"$m: " err
		stop
	done <<-'E'
		connect reject 0:550 5.7.1 refused
		connect tempfail 0:451 4.7.1 try again later
		connect reply:554|5.7.1|not_you 0:554 5.7.1 not_you
		helo reject 0:550 5.7.1 refused
		helo reply:450|4.7.1|later 0:450 4.7.1 later
		mail reject 0:550 5.7.1 refused
		mail tempfail 0:451 4.7.1 try again later
		mail reply:550|5.1.8|who 0:550 5.1.8 who
		mail reply:550||who 0:550 5.7.1 who
		rcpt reject 1:550 5.7.1 refused
		rcpt tempfail 1:451 4.7.1 try again later
		rcpt reply:550|5.1.1|nobody 1:550 5.1.1 nobody
		data reject 2:550 5.7.1 refused
		data reply:450|4.2.0|wait 2:450 4.2.0 wait
		mail reply:421|4.7.0|bye 0:421 4.7.0 bye
	E
}

@test "421 ends the session behind BDAT, too" {
	milter 'data=reply:421|4.7.0|bye'
	{ say 'EHLO me.test' 'MAIL FROM:<s@x.org>' 'RCPT TO:<alice@example.test>' \
		'BDAT 14 LAST' 'Subject: x' '' NOOP QUIT; } |
		mrecv -m "$m" -- ./sink >out 2>err
	cat out
	[ "$(tail -n 1 out | tr -d '\r')" = '421 4.7.0 bye' ]
	[ -z "$(ls store)" ]
}

@test "each answer at each step of the message" {
	while read -r step action want; do
		milter "$step=$action"
		one 'Subject: x' '' body | mrecv -m "$m" -- ./sink >out 2>err
		got=$(grep '^[45]' out | head -n 1 | tr -d '\r')
		echo "$step=$action: $got"
		[ "$got" = "$want" ]
		[ -z "$(ls store)" ]
		grep -q "refuse .*code=${want%% *}" err
		stop
	done <<-'E'
		header reject 550 5.7.1 refused
		header@Subject reply:554|5.7.1|no_subjects 554 5.7.1 no_subjects
		eoh tempfail 451 4.7.1 try again later
		body reject 550 5.7.1 refused
		body reply:552|5.2.3|big 552 5.2.3 big
		eom reject 550 5.7.1 refused
		eom tempfail 451 4.7.1 try again later
		eom reply:554|5.7.1|spam 554 5.7.1 spam
		eom reply:451|4.7.1|grey 451 4.7.1 grey
		eom reply:421|4.7.1|bye 421 4.7.1 bye
	E
}

@test "a recipient is refused, the others get it" {
	milter 'rcpt@bob=reply:550|5.1.1|no bob'
	one 'Subject: x' | mrecv -m "$m" -- ./sink >out 2>err
	ok
	grep -q '^550 5.1.1 no bob' out
	[ "$(tail -n 1 args)" = alice@example.test ]
	grep -q 'refuse .*rcpt=bob@example.test code=550' err
}

@test "a reply of several lines, in SMTP and LMTP" {
	milter 'eom=reply:554|5.7.1|one|two'
	one 'Subject: x' | mrecv -m "$m" -- ./sink >out 2>err
	[ "$(tr -d '\r' <out | grep '^554')" = $'554-5.7.1 one\n554 5.7.1 two' ]
	one 'Subject: x' | sed 's/^EHLO/LHLO/' | mrecv -L -m "$m" -- ./sink >out 2>err
	[ "$(grep -c '^554 5.7.1 two' out)" -eq 2 ]
	[[ $(tail -n 1 out) == 221* ]]
}

@test "LMTP answers those that it was told of" {
	script sink 'cat >/dev/null
		for r; do case $r in
		carol*) printf "%s\t4.2.2\tfull\n" "$r" ;;
		*@*) printf "%s\t2.0.0\tok\n" "$r" ;;
		esac; done'
	milter 'eom=delrcpt:<bob@example.test>' 'eom=addrcpt:<carol@example.test>' \
		'eom=addrcpt:<dave@example.test>'
	one 'Subject: x' | sed 's/^EHLO/LHLO/' | mrecv -L -m "$m" -- ./sink >out 2>err
	cat out
	[ "$(grep -c '^250 2.0.0 ok ' out)" -eq 1 ]
	[ "$(grep -c '^451 4.2.2 full' out)" -eq 1 ]
	stop
	milter 'eom=delrcpt:<bob@example.test>'
	one 'Subject: x' | sed 's/^EHLO/LHLO/' | mrecv -L -m "$m" -- ./sink >out 2>err
	[ "$(grep -c '^250 2.0.0 ok ' out)" -eq 2 ]
}

@test "discard takes and drops, at each step" {
	for step in mail rcpt data header eoh body eom; do
		milter "$step=discard" 'eom=add:X|1'
		one 'Subject: x' '' body | mrecv -m "$m" -- ./sink >out 2>err
		ok
		[ -z "$(ls store)" ]
		grep -q 'accept .*text=dropped' err
		stop
	done
}

@test "accept at each step ends what is asked" {
	for step in connect helo mail rcpt data header eoh body; do
		milter "$step=accept" 'eom=add:X-Eom|1'
		{ one 'Subject: x' '' body | sed '$d'
		one 'Subject: y' '' body | sed 1d; } | mrecv -m "$m" -- ./sink >out 2>err
		[ "$(grep -c '^250 2.0.0 ok' out)" -eq 2 ]
		! grep -q '^eom' told || false
		! grep -q X-Eom store/* || false
		n=2
		case $step in connect | helo) n=0 ;; esac
		echo "$step: $(grep -c '^mail' told)"
		[ "$(grep -c '^mail' told)" -eq $n ]
		[ "$(grep -c '^connect' told)" -eq 1 ]
		stop
	done
}

@test "skip ends the body, and the end is still asked" {
	milter body=skip 'eom=add:X-Eom|1'
	one 'Subject: x' '' "$(bulk 300000)" |
		mrecv -m "$m" -- ./sink >out 2>err
	ok
	[ "$(grep -c '^body 65535' told)" -eq 1 ]
	[ "$(grep -c '^body' told)" -eq 1 ]
	grep -q '^X-Eom: 1' store/*
	stop
	milter
	one 'Subject: x' '' "$(bulk 300000)" |
		mrecv -m "$m" -- ./sink >out 2>err
	ok
	[ "$(grep -c '^body' told)" -eq 5 ]
}

@test "steps that are not wanted are not told, others not answered" {
	# no connect, helo, rcpt, body, DATA; no answer to fields and the EOH
	milter options=4029b 'eom=add:X-Eom|1'
	one 'Subject: x' '' body | mrecv -m "$m" -- ./sink >out 2>err
	ok
	! grep -Eq '^(connect|helo|rcpt|body|data)' told || false
	grep -q '^mail' told
	grep -q '^header' told
	grep -q '^X-Eom: 1' store/*
	stop
	# no answer to anything; values with their leading blank
	milter options=1ff080 'eom=change:1|Subject| new'
	one 'Subject: x' '' body | mrecv -m "$m" -- ./sink >out 2>err
	ok
	grep -qxF 'header Subject:[ x]' told
	[ "$(stored | head -n 1)" = 'Subject: new' ]
}

@test "one connection serves the messages of a session; an unfinished one is aborted" {
	milter
	{ one 'Subject: 1' | sed '$d'; say 'MAIL FROM:<a@x.org>' RSET 'MAIL FROM:<b@x.org>' \
		'RCPT TO:<alice@example.test>' 'EHLO other.test'
	one 'Subject: 2' | sed 1d; } | mrecv -m "$m" -- ./sink >out 2>err
	[ "$(grep -c '^250 2.0.0 ok .' out)" -ge 2 ]
	cat told
	[ "$(grep -c '^connect' told)" -eq 1 ]
	[ "$(grep -c '^abort' told)" -eq 2 ]
	[ "$(grep '^helo' told | xargs)" = 'helo me.test helo other.test' ]
	[ "$(grep '^mail' told | xargs)" = 'mail <s@x.org> mail <a@x.org> mail <b@x.org> mail <s@x.org>' ]
	[ "$(ls store | wc -l)" -eq 2 ]
}

@test "milters and filters in the order of the command line" {
	script f1 'echo "X-F1: 1"; cat'
	script f2 'echo "X-F2: $(echo $MAIL_RCPTS)"; cat'
	milter 'eom=insert:0|X-M|1' 'eom=change:1|X-F1|seen' 'eom=addrcpt:<carol@example.test>'
	one 'Subject: x' | mrecv -F ./f1 -m "$m" -F ./f2 -- ./sink >out 2>err
	cat err store/*
	ok
	[ "$(head -n 2 store/* | cut -c 1-70)" = $'X-F2: alice@example.test bob@example.test carol@example.test\nX-M: 1' ]
	sed -n 3p store/* | grep -q '^X-F1: seen'
	rm store/*
	one 'Subject: x' | mrecv -m "$m" -F ./f1 -- ./sink >out 2>err
	ok
	[ "$(sed -n 1p store/*)" = 'X-F1: 1' ]
	grep -q '^X-M: 1' store/*
	rm store/*
	script f1 'cat; echo 5.7.1 no >&2; exit 65'
	one 'Subject: x' | mrecv -m "$m" -F ./f1 -- ./sink >out 2>err
	[ "$(last_reply out)" = '554 5.7.1 no' ]
}

@test "STARTTLS makes another client of it" {
	milter
	python3 "$ROOT/t/tools/ucspitls.py" -m "$m" -- ./sink >out 2>err
	cat out err told
	[ "$(grep -c '^connect' told)" -eq 2 ]
	grep -qx 'macro {tls_version}=TLSv1.3' told
	grep -qx 'macro {cipher}=TLS_AES_128_GCM_SHA256' told
	[ "$(grep -c '^offered' told)" -eq 1 ]
	[ "$(ls store | wc -l)" -eq 2 ]
}

@test "XCLIENT makes another client of it" {
	echo '192.0.2.9 xclient' >conf/proxies
	touch -d '1 hour ago' conf/proxies
	milter
	{
		say 'EHLO proxy' 'MAIL FROM:<s@x.org>' RSET \
			'XCLIENT ADDR=198.51.100.7 NAME=c.test PORT=4242'
		one 'Subject: x'
	} | PROTO=TCP TCPREMOTEIP=192.0.2.9 TCPREMOTEPORT=1 mrecv -m "$m" -- ./sink >out 2>err
	cat out err told
	ok
	[ "$(grep '^connect' told | xargs)" = 'connect [192.0.2.9] connect c.test' ]
	grep -qx 'macro {client_addr}=198.51.100.7' told
	grep -qx 'macro {client_port}=4242' told
	[ "$(grep -c '^offered' told)" -eq 1 ]
	[ "$(grep '^helo' told | xargs)" = 'helo proxy helo me.test' ]
}

@test "wrong usage is one line; an address of another kind is none" {
	for a in nowhere fd:3 :x; do
		run -64 mrecv -m "$a" -- ./sink
		[ "${#lines[@]}" -eq 1 ]
	done
	run -64 mrecv '-m?'
	[[ $output == usage:* ]]
	many=()
	for i in $(seq 17); do many+=(-m unix:x); done
	run -64 mrecv "${many[@]}" -- ./sink
	[ "${#lines[@]}" -eq 1 ]
}
