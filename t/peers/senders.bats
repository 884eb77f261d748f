#!/usr/bin/env bats
#
# Real programs that send, on each road in: port 25, 587 with STARTTLS and a
# login, 465 with TLS at once and a login, LMTP.  What arrives is what was
# sent, byte for byte.

load ../lib
load ../host

setup_file() {
	host_up
	export PNEU_DIR
	cd "$PNEU_DIR"
	# a message that is awkward, and one that is large
	python3 - <<-'EOF'
		import random
		head = (b"From: <alice@example.test>\nTo: <bob@example.test>\n"
		    b"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n"
		    b"Content-Transfer-Encoding: 8bit\n"
		    b"Date: Sun, 29 Nov 2026 00:00:00 +0000\nMessage-ID: <@@>\n"
		    b"Subject: @@\n\n")
		odd = (".\n..\n.dot\nFrom x\n\nprix: 5 €, 日本\n"
		    "To: no field\n" + "x" * 990 + "\n\n\nend\n").encode()
		open("odd", "wb").write(head + odd)
		r = random.Random(1)
		line = lambda: bytes(r.choice(b"abcdefghij .,") for _ in range(70)) + b"\n"
		block = b"".join(line() for _ in range(1000))
		open("large", "wb").write(head + block * 70)
	EOF
	chmod 0644 odd large
}

setup() {
	at_host
	A=alice@example.test B=bob@example.test
}

need() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

# The file of the message with this subject.
file_of() {
	grep --exclude='pneu.*' -lrxF "Subject: $1" "$PNEU_DIR/mail/bob" | head -n 1
}

arrived() {
	[ -n "$(file_of "$1")" ]
}

# body_is SUBJECT FILE: the body has arrived as it was.
body_is() {
	WAIT=60 wait_for arrived "$1"
	cmp <(sed '1,/^$/d' "$2") <(sed '1,/^$/d' "$(file_of "$1")")
}

# each_road CLIENT: calls CLIENT ROAD FILE with FILE of either kind, ROAD
# being 25, 587 or 465.
each_road() {
	local road kind
	for road in 25 587 465; do
		for kind in odd large; do
			sed "1,/^$/s/@@/$1.$road.$kind/" "$PNEU_DIR/$kind" >m
			"$1" $road m
		done
	done
	for road in 25 587 465; do
		for kind in odd large; do
			body_is "$1.$road.$kind" "$PNEU_DIR/$kind"
		done
	done
	# with a login it says so, and never to whom the client's address is
	grep -q 'with ESMTP ' "$(file_of "$1.25.odd")"
	grep -q 'with ESMTPSA ' "$(file_of "$1.587.odd")"
	grep -q 'with ESMTPSA ' "$(file_of "$1.465.odd")"
}

by_swaks() {
	local where=(-s "127.0.0.1:$SMTP_PORT")
	local login=(-a PLAIN -au $A -ap secret-alice)
	[ $1 != 587 ] || where=(-s "127.0.0.1:$SUBMISSION_PORT" -tls "${login[@]}")
	[ $1 != 465 ] || where=(-s "127.0.0.1:$SUBMISSIONS_PORT" -tlsc "${login[@]}")
	head -c -1 "$2" >unended # it adds a line end
	swaks "${where[@]}" -f $A -t $B -d @unended >said || {
		tail -n 20 said
		return 1
	}
}

@test "swaks" {
	need swaks
	each_road by_swaks
}

by_msmtp() {
	local where=(--port="$SMTP_PORT")
	local login=(--tls=on --tls-trust-file="$PNEU_CA" --auth=on --user=$A
		--passwordeval='echo secret-alice')
	[ $1 != 587 ] || where=(--port="$SUBMISSION_PORT" "${login[@]}")
	[ $1 != 465 ] || where=(--port="$SUBMISSIONS_PORT" "${login[@]}" --tls-starttls=off)
	msmtp --host=localhost "${where[@]}" --from=$A $B <"$2"
}

@test "msmtp" {
	need msmtp
	each_road by_msmtp
}

by_curl() {
	local where=("smtp://localhost:$SMTP_PORT")
	local login=(--cacert "$PNEU_CA" -u $A:secret-alice)
	[ $1 != 587 ] || where=(--ssl-reqd "${login[@]}" "smtp://localhost:$SUBMISSION_PORT")
	[ $1 != 465 ] || where=("${login[@]}" "smtps://localhost:$SUBMISSIONS_PORT")
	sed 's/$/\r/' "$2" >crlf
	curl -sS "${where[@]}" --mail-from $A --mail-rcpt $B -T crlf
}

@test "curl" {
	need curl
	each_road by_curl
}

by_nodemailer() {
	cat >send.js <<-'EOF'
		const e = process.env, [road, file, from, to] = process.argv.slice(2);
		const nodemailer = require(e.ROOT + '/build/npm/node_modules/nodemailer');
		const o = {host: 'localhost', tls: {ca: require('fs').readFileSync(e.PNEU_CA)}};
		if (road == '25') {
			o.port = e.SMTP_PORT;
			o.ignoreTLS = true;
		} else {
			o.port = road == '587' ? e.SUBMISSION_PORT : e.SUBMISSIONS_PORT;
			o.secure = road == '465';
			o.requireTLS = true;
			o.auth = {user: 'alice@example.test', pass: 'secret-alice'};
		}
		nodemailer.createTransport(o).sendMail({
			envelope: {from: from, to: [to]},
			raw: require('fs').readFileSync(file)
		}, (err) => {
			if (err) {
				console.log(err);
				process.exit(1);
			}
		});
	EOF
	node send.js "$1" "$2" "$A" "$B"
}

@test "nodemailer" {
	need node
	[ -d "$ROOT/build/npm/node_modules/nodemailer" ] || skip "nodemailer is not installed"
	each_road by_nodemailer
}

by_smtplib() {
	cat >send.py <<-'EOF'
		import os, smtplib, ssl, sys
		e, road = os.environ, sys.argv[1]
		ctx = ssl.create_default_context(cafile=e["PNEU_CA"])
		if road == "465":
		    s = smtplib.SMTP_SSL("localhost", int(e["SUBMISSIONS_PORT"]), context=ctx)
		else:
		    s = smtplib.SMTP("localhost", int(
		        e["SMTP_PORT" if road == "25" else "SUBMISSION_PORT"]))
		if road == "587":
		    s.starttls(context=ctx)
		if road != "25":
		    s.login("alice@example.test", "secret-alice")
		a, b = sys.argv[3:]
		utf8 = [] if (a + b).isascii() else ["SMTPUTF8"]
		s.sendmail(a, [b], open(sys.argv[2], "rb").read().replace(b"\n", b"\r\n"),
		    ["BODY=8BITMIME"] + utf8)
		s.quit()
	EOF
	python3 send.py "$1" "$2" "$A" "$B"
}

@test "Python's smtplib" {
	each_road by_smtplib
}

@test "UTF-8 addresses: curl, nodemailer and smtplib" {
	swaks -s 127.0.0.1:$SMTP_PORT -q EHLO | grep -q '250[- ]SMTPUTF8' ||
		skip "no SMTPUTF8 is offered"
	[ -d "$ROOT/build/npm/node_modules/nodemailer" ] || skip "nodemailer is not installed"
	export LC_ALL=C.UTF-8
	echo 'списки@example.test: bob@example.test' >>"$PNEU_CONF/aliases"
	A=дима@elsewhere.test B=списки@example.test
	for by in by_curl by_nodemailer by_smtplib; do
		sed "1,/^$/s/@@/utf8.$by/" "$PNEU_DIR/odd" >m
		$by 25 m
		body_is "utf8.$by" "$PNEU_DIR/odd"
		grep -qxF "Return-Path: <$A>" "$(file_of "utf8.$by")"
		grep -q 'with UTF8SMTP ' "$(file_of "utf8.$by")"
	done
	# without the parameter it is no address
	run -0 python3 - <<-'EOF'
		import os, smtplib
		s = smtplib.SMTP("127.0.0.1", int(os.environ["SMTP_PORT"]))
		s.command_encoding = "utf-8"
		s.ehlo()
		code, text = s.mail("дима@elsewhere.test")
		assert code == 553 and text.startswith(b"5.6.7"), (code, text)
		s.mail("x@elsewhere.test")
		code, text = s.rcpt("списки@example.test")
		assert code in (550, 553) and text.startswith(b"5.6.7"), (code, text)
	EOF
}

# bob and carol have so many messages from smtp-source
source_has() {
	[ "$(grep --exclude='pneu.*' -lr "^Subject: $1" "$PNEU_DIR/mail" | wc -l)" -eq "$2" ]
}

@test "smtp-source: many sessions, many messages, several recipients" {
	need smtp-source
	for n in "" 0 1 2 3; do
		echo "${n}list@example.test: bob@example.test"
	done >>"$PNEU_CONF/aliases"
	smtp-source -s 10 -m 100 -f x@elsewhere.test -t $B -S source.one \
		127.0.0.1:$SMTP_PORT
	smtp-source -s 8 -m 80 -d -f x@elsewhere.test -t $B -S source.many \
		127.0.0.1:$SMTP_PORT
		smtp-source -s 2 -m 4 -r 3 -f x@elsewhere.test -t list@example.test \
		-S source.rcpts 127.0.0.1:$SMTP_PORT
	smtp-source -l 3000000 -m 2 -f x@elsewhere.test -t $B -S source.large \
		127.0.0.1:$SMTP_PORT
	smtp-source -o -f x@elsewhere.test -t $B 127.0.0.1:$SMTP_PORT && return 1
	WAIT=60 wait_for source_has source.one 100
	WAIT=60 wait_for source_has source.many 80
	WAIT=60 wait_for source_has source.large 2
	WAIT=60 wait_for source_has source.rcpts 4
}

@test "LMTP: smtp-source, swaks and Python" {
	need smtp-source
	smtp-source -L -s 5 -m 50 -f x@elsewhere.test -t $B -S lmtp.source \
		127.0.0.1:$LMTP_PORT
	smtp-source -L -d -s 2 -m 20 -l 100000 -f x@elsewhere.test -t $B \
		-S lmtp.many 127.0.0.1:$LMTP_PORT
	for kind in odd large; do
		sed "1,/^$/s/@@/lmtp.swaks.$kind/" "$PNEU_DIR/$kind" >m
		head -c -1 m >unended
		swaks --protocol LMTP -s 127.0.0.1:$LMTP_PORT -f x@elsewhere.test \
			-t $B,carol@example.test -d @unended >said
		# a reply for each
		[ "$(grep -c '^<-  250 2.0.0 ' said)" -eq 2 ]
	done
	run -0 python3 - <<-'EOF'
		import os, smtplib
		s = smtplib.LMTP("127.0.0.1", int(os.environ["LMTP_PORT"]))
		no = s.sendmail("x@elsewhere.test",
		    ["bob@example.test", "nobody@example.test", "carol@example.test"],
		    "Subject: lmtp.python\r\n\r\nhello\r\n")
		assert list(no) == ["nobody@example.test"] and no["nobody@example.test"][0] == 550, no
		s.quit()
	EOF
	WAIT=60 wait_for source_has lmtp.source 50
	WAIT=60 wait_for source_has lmtp.many 20
	wait_for source_has lmtp.python 2
	body_is lmtp.swaks.odd "$PNEU_DIR/odd"
	body_is lmtp.swaks.large "$PNEU_DIR/large"
}

@test "swaks speaks for another client, if it may" {
	echo '127.0.0.3 xclient' >"$PNEU_CONF/proxies"
	swaks -s 127.0.0.1:$SMTP_PORT -li 127.0.0.3 -q EHLO | grep -q '250[- ]XCLIENT' ||
		skip "no XCLIENT is offered"
	swaks -s 127.0.0.1:$SMTP_PORT -li 127.0.0.3 -f x@elsewhere.test -t $B \
		--xclient 'ADDR=192.0.2.77 NAME=client.test HELO=said.test PROTO=ESMTP' \
		--h-Subject 'xclient v4' >said
	wait_for arrived 'xclient v4'
	sed '/^$/q' "$(file_of 'xclient v4')" | grep -q '192\.0\.2\.77'
	grep -q 'mrecv accept .*peer=192.0.2.77 ' "$PNEU_DIR/log/smtp"
	swaks -s 127.0.0.1:$SMTP_PORT -li 127.0.0.3 -tls -f x@elsewhere.test -t $B \
		--xclient-addr IPV6:2001:db8::7 --xclient-name '[UNAVAILABLE]' \
		--h-Subject 'xclient v6' >said
	wait_for arrived 'xclient v6'
	grep -q 'mrecv accept .*peer=2001:db8::7 ' "$PNEU_DIR/log/smtp"
	# anybody else does not hear of it, and may not
	run swaks -s 127.0.0.1:$SMTP_PORT -q EHLO
	[[ $output != *XCLIENT* ]]
	run -0 python3 - <<-'EOF'
		import os, smtplib
		s = smtplib.SMTP("127.0.0.1", int(os.environ["SMTP_PORT"]))
		s.ehlo()
		code, text = s.docmd("XCLIENT ADDR=192.0.2.78")
		assert 500 <= code < 560, (code, text)
	EOF
	run -1 grep 'peer=192.0.2.78' "$PNEU_DIR/log/smtp"
}
