#!/usr/bin/env bats
#
# A broken set-up never bounces mail, and a file that is being written
# never makes a "no".

load lib
load host

setup_file() {
	host_up
	export PNEU_DIR
	echo 'info: alice@example.test' >>"$PNEU_DIR/conf/aliases"
	cp -a "$PNEU_DIR/conf" "$PNEU_DIR/conf.good"
}

setup() {
	at_host
	for f in users domains routes aliases; do
		cp "$PNEU_DIR/conf.good/$f" "$PNEU_CONF/$f.new"
		mv "$PNEU_CONF/$f.new" "$PNEU_CONF/$f"
	done
}

# rcpt ADDRESS: the reply to RCPT TO
rcpt() {
	printf 'EHLO x\r\nMAIL FROM:<x@elsewhere.test>\r\nRCPT TO:<%s>\r\nQUIT\r\n' "$1" |
		python3 -c '
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])), 30)
f = s.makefile("rwb")
f.readline()
reply = b""
for line in sys.stdin.buffer.read().splitlines(True):
    f.write(line); f.flush()
    reply = f.readline()
    while reply[3:4] == b"-":
        reply = f.readline()
    if line.startswith(b"RCPT"):
        print(reply.decode().strip())
' "$SMTP_PORT"
}

queued() {
	printf 'Subject: q\n\nx\n' | mqueue add -f alice@example.test -- bob@example.test
}

# The message waits, with this reason, and nobody got a report.
waits() {
	mqueue ls -R | grep "^$1" | grep -q "$2"
}

no_report() {
	! grep --exclude='pneu.*' -rq 'report-type' "$PNEU_DIR/mail" || false
}

@test "users rewritten byte by byte under load: no permanent refusal" {
	python3 - "$PNEU_CONF/users" 3>&- <<-'EOF' &
		import os, sys, time
		text = open(sys.argv[1], "rb").read()
		end = time.time() + 6
		while time.time() < end or (time.time() < end + 120
		        and not os.path.exists("enough")):
		    f = os.open(sys.argv[1], os.O_WRONLY | os.O_TRUNC)
		    for i in range(len(text)):
		        os.write(f, text[i:i + 1])
		        if i % 8 == 0:
		            time.sleep(0.001)
		    os.close(f)
	EOF
	writer=$!
	n=0
	while kill -0 $writer 2>/dev/null; do
		queued >/dev/null
		r=$(rcpt bob@example.test)
		case $r in
		2* | 4*) ;;
		*) echo "refused: $r"; return 1 ;;
		esac
		n=$((n + 1))
		[ $n -lt 3 ] || : >enough
	done
	[ $n -ge 3 ]
	cp "$PNEU_DIR/conf.good/users" "$PNEU_CONF/users"
	run -0 rcpt bob@example.test
	[[ $output == "250 "* ]]
	arrived() {
		mqueue ls | mqueue retry -
		has_mail bob $n
	}
	WAIT=60 wait_for arrived
	no_report
	run ! grep ' bounce ' "$PNEU_DIR/log/queue"
}

@test "an empty or missing users or domains file is a temporary no" {
	for f in users domains; do
		: >"$PNEU_CONF/$f"
		touch -d '1 minute ago' "$PNEU_CONF/$f"
		run -0 rcpt bob@example.test
		[[ $output == "451 4.3.0"* ]]
		rm "$PNEU_CONF/$f"
		run -0 rcpt bob@example.test
		[[ $output == "451 4.3.0"* ]]
		cp "$PNEU_DIR/conf.good/$f" "$PNEU_CONF/$f"
		run -0 rcpt bob@example.test
		[[ $output == "250 "* ]]
	done
}

@test "a file that an editor is writing is read again, and then it is a yes" {
	for f in users domains aliases; do
		who=bob
		[ $f != aliases ] || who=info
		# it is waited for two seconds: an editor that comes later, on a
		# machine that stands still, is no matter of this test
		for _ in 1 2 3 4 5; do
			: >"$PNEU_CONF/$f"
			{
				sleep 0.5
				cat "$PNEU_DIR/conf.good/$f" >"$PNEU_CONF/$f"
			} 3>&- &
			run -0 rcpt $who@example.test
			wait
			[[ $output != "250 "* ]] || break
		done
		[[ $output == "250 "* ]]
	done
}

@test "a bad line hurts only itself, and makes a no temporary" {
	touch -d '1 minute ago' "$PNEU_CONF/users" "$PNEU_CONF/aliases"
	run -0 rcpt nobody@example.test
	[[ $output == "550 5.1.1"* ]]
	echo 'this is no user' >>"$PNEU_CONF/users"
	touch -d '1 minute ago' "$PNEU_CONF/users"
	run -0 rcpt nobody@example.test
	[[ $output == "4"* ]]
	run -0 rcpt bob@example.test
	[[ $output == "250"* ]]
	grep -q 'users:4: ' "$PNEU_DIR/log/smtp"
}

@test "a last line without its end is half of one: no yes, no no" {
	printf 'dave@example.test:1:1:%s:maildir=/tm' "$PNEU_DIR" >>"$PNEU_CONF/users"
	touch -d '1 minute ago' "$PNEU_CONF/users" "$PNEU_CONF/aliases"
	run -0 rcpt dave@example.test
	[[ $output == "451 4.3.0"* ]]
	printf '\n* msen' >"$PNEU_CONF/routes"
	id=$(queued)
	wait_for waits "$id" deferred
	no_report
	mqueue rm "$id"
}

@test "a missing program: mail waits" {
	echo 'example.test nosuchprogram' >"$PNEU_CONF/routes"
	id=$(queued)
	wait_for waits "$id" deferred
	no_report
	mqueue rm "$id"
}

@test "no route, an empty or missing routes file: mail waits" {
	for routes in 'other.test msend' '' missing; do
		if [ "$routes" = missing ]; then
			rm -f "$PNEU_CONF/routes"
		else
			printf '%s\n' "$routes" >"$PNEU_CONF/routes"
		fi
		id=$(queued)
		wait_for waits "$id" deferred
		no_report
		mqueue rm "$id"
	done
}

@test "empty domains: mail that is queued for them waits" {
	: >"$PNEU_CONF/domains"
	touch -d '1 minute ago' "$PNEU_CONF/domains"
	id=$(queued)
	wait_for waits "$id" deferred
	no_report
	cp "$PNEU_DIR/conf.good/domains" "$PNEU_CONF/domains"
	mqueue retry "$id"
	gone() { ! mqueue ls | grep -q "^$id"; }
	wait_for gone
}

@test "a transport that is killed, or ends oddly: mail waits" {
	for cmd in "sh -c 'kill -9 \$\$'" "sh -c 'exit 1'" "sh -c 'exit 127'" false; do
		echo "example.test $cmd" >"$PNEU_CONF/routes"
		id=$(queued)
		wait_for waits "$id" deferred
		no_report
		mqueue rm "$id"
	done
}
