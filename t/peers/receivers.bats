#!/usr/bin/env bats
#
# Servers of others take what the queue and msend give them: Postfix's
# smtp-sink, aiosmtpd.

load ../lib
load ../mqueue.sh

setup() {
	PATH=$PATH:/usr/sbin
	PEERS=
	queue_setup
	unset PNEU_DNS MAIL_RCPT_ARGS MAIL_RET MAIL_ENVID MAIL_BY
	unset MAIL_SMTPUTF8 MAIL_REQUIRETLS
	PORT=$(free_port)
}

teardown() {
	for p in $PEERS; do
		kill "$p" 2>/dev/null || :
	done
	host_down
	queue_teardown
}

# The next one on this port: not before the last has left it.
gone() {
	# shellcheck disable=SC2086 # numbers
	kill $PEERS
	# shellcheck disable=SC2086
	wait $PEERS || :
	PEERS=
}

answers() {
	(echo QUIT | timeout 2 bash -c "cat >/dev/tcp/127.0.0.1/$PORT") 2>/dev/null
}

peer() {
	"$@" >>peer.log 2>&1 3>&- </dev/null &
	PEERS="$PEERS $!"
	wait_for answers
}

# Postfix's sink, its messages in got/; it insists on an account.
sink() {
	command -v smtp-sink >/dev/null || skip "smtp-sink is not installed"
	mkdir -p got
	chmod 0777 got .
	local as=
	[ "$(id -u)" -ne 0 ] || as="-u nobody"
	# shellcheck disable=SC2086 # options
	peer smtp-sink $as "$@" -D "$D/got/%M." "127.0.0.1:$PORT" 100
}

# The Python that has aiosmtpd.
aio() {
	local py
	for py in python3 /usr/bin/python3; do
		! "$py" -c 'import aiosmtpd' 2>/dev/null || break
		py=
	done
	[ -n "$py" ] || skip "aiosmtpd is not installed"
	peer "$py" -m aiosmtpd -n -l "127.0.0.1:$PORT" "$@" \
		-c aiosmtpd.handlers.Mailbox "$D/box"
}

eight() {
	printf 'Subject: x\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n'
	printf 'Content-Transfer-Encoding: 8bit\n\nB\303\274cher =\n.\n'
}

@test "smtp-sink: a message in 8 bits, and in 7 where it has no 8BITMIME" {
	sink
	eight | msend -h "127.0.0.1:$PORT" -f a@x.test -- b@y.test
	grep -q $'B\303\274cher =' got/*
	rm got/*
	gone
	sink -8
	eight | msend -h "127.0.0.1:$PORT" -f a@x.test -- b@y.test
	grep -qx 'Content-Transfer-Encoding: quoted-printable.*' got/*
	grep -q '^B=C3=BCcher =3D' got/*
	run ! grep -q $'\303' got/*
}

@test "smtp-sink: without PIPELINING, without ESMTP, one connection at a time" {
	limits 'retry-first 1' 'retry-max 1'
	for how in -p -e '-m 1'; do
		# shellcheck disable=SC2086 # options
		sink $how
		echo "* msend -h 127.0.0.1:$PORT" >conf/routes
		for _ in 1 2 3; do
			add b@y.test c@y.test >/dev/null
		done
		start_run
		wait_for empty
		stop_run
		gone
		[ "$(cat got/* | grep -c '^Subject: ')" -eq 3 ] || {
			echo "smtp-sink $how"
			ls -l got
			cat peer.log log
			false
		}
		rm got/*
	done
}

@test "smtp-sink: 500 messages by mqueue run, none lost, none twice" {
	sink -c
	for i in $(seq 500); do
		message "n$i" | mqueue add -f a@x.test -- b@y.test >/dev/null
	done
	echo "* msend -h 127.0.0.1:$PORT" >conf/routes
	start_run
	WAIT=60 wait_for empty
	cat got/* | tr -d '\r' | sed -n 's/^Subject: n//p' | sort -n |
		diff - <(seq 500)
}

@test "our own mrecv: TLS that is required, DSN, UTF-8, as many as it takes" {
	host_up
	export SSL_CERT_FILE=$PNEU_CA
	eight >m
	MAIL_REQUIRETLS=1 MAIL_RET=HDRS MAIL_BY=2036-01-01T00:00:00Z\;N run -0 \
		msend -vv -h "localhost:$SMTP_PORT" -f a@x.test -- bob@example.test <m
	[[ $output == *"> MAIL FROM:<a@x.test> "*" BODY=8BITMIME RET=HDRS REQUIRETLS BY="*";N"* ]]
	MAIL_SMTPUTF8=1 run -0 msend -h "localhost:$SMTP_PORT" -f $'\303\244@x.test' \
		-- bob@example.test <m
	# more than a transaction takes, which it says
	for i in $(seq 150); do
		echo "u$i@example.test:$(grep ^bob@ "$PNEU_CONF/users" | cut -d: -f 2-)"
	done >>"$PNEU_CONF/users"
	# a file that is new is not believed when it says no
	touch -d '1 minute ago' "$PNEU_CONF/users"
	printf 'Subject: many\n\nx\n' >m
	run -0 msend -h "localhost:$SMTP_PORT" -f a@x.test -- \
		$(seq -f 'u%g@example.test' 150) <m
	[ "$(grep -c $'\t2.0.0\t' <<<"$output")" -eq 150 ]
	many() {
		[ "$(grep --exclude='pneu.*' -lrx 'Subject: many' "$PNEU_DIR/mail/bob" | wc -l)" -eq 150 ]
	}
	wait_for many
}

@test "aiosmtpd: UTF-8 addresses, and what it takes without SMTPUTF8" {
	aio -u
	eight | MAIL_SMTPUTF8=1 msend -h "127.0.0.1:$PORT" -f $'\303\244@x.test' \
		-- $'b@b\303\274cher.test' $'\303\266@y.test'
	grep -q '^X-RcptTo:.*b.cher' box/new/* || grep -q '^X-RcptTo: =?utf-8' box/new/*
	grep -q $'B\303\274cher =' box/new/*
	gone
	rm -rf box
	aio
	eight >m
	MAIL_SMTPUTF8=1 run -69 msend -h "127.0.0.1:$PORT" -f a@x.test \
		-- $'b@b\303\274cher.test' $'\303\266@y.test' <m
	[[ $output == *$'b@b\303\274cher.test\t2.'* ]]
	[[ $output == *$'\303\266@y.test\t5.6.7'* ]]
	grep -q '^X-RcptTo: b@xn--bcher-kva.test' box/new/*
}

@test "aiosmtpd: a message larger than it takes is not sent" {
	aio -s 1000
	head -c 5000 /dev/zero | tr '\0' x >m
	run -69 msend -h "127.0.0.1:$PORT" -f a@x.test -- b@y.test <m
	[[ $output == *5.3.4* ]]
	[ -z "$(ls box/new 2>/dev/null)" ]
}
