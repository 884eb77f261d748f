#!/usr/bin/env bats
#
# The programs under other launchers than mtls -l: each line of README.

load ../lib

setup_file() {
	host_up
	export PNEU_DIR
}

teardown_file() {
	host_down
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	. "$PNEU_DIR/env"
	PATH=$BUILD:/usr/sbin:/sbin:$PATH
	started=
}

teardown() {
	[ -z "$started" ] || kill $started 2>/dev/null || :
}

need() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

free_port() {
	python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

listening() {
	python3 -c "import socket; socket.create_connection(('127.0.0.1', $1), 1).close()"
}

imap_starttls() {
	curl -sS --cacert "$PNEU_CA" --ssl-reqd -u bob@example.test:secret-bob \
		"imap://localhost:$1/" | grep INBOX
}

@test "tcpserver: IMAP with STARTTLS and a login" {
	need tcpserver
	port=$(free_port)
	tcpserver -HR -l 0 127.0.0.1 $port mtls -s -u root mauth mimapd \
		2>log 3>&- &
	started=$!
	wait_for listening $port
	imap_starttls $port
}

@test "tcpserver: POP3 with TLS at once, and SMTP in the clear" {
	need tcpserver
	port=$(free_port) smtp=$(free_port)
	tcpserver -HR -l 0 127.0.0.1 $port mtls -i -u root mauth mpop 2>log 3>&- &
	started=$!
	tcpserver -HR -l 0 127.0.0.1 $smtp mtls -u pneu mrecv -- mqueue add 2>log2 3>&- &
	started="$started $!"
	wait_for listening $port
	wait_for listening $smtp
	curl -sS --cacert "$PNEU_CA" -u bob@example.test:secret-bob \
		"pop3s://localhost:$port/"
	printf 'Subject: by tcpserver\r\n\r\nx\r\n' >m
	curl -sS --mail-from a@elsewhere.test --mail-rcpt bob@example.test \
		-T m "smtp://localhost:$smtp"
	wait_for grep -lr '^Subject: by tcpserver' "$PNEU_DIR/mail/bob"
}

@test "s6-ipcserver: POP3 on a local socket" {
	need s6-ipcserver
	s6-ipcserver "$PWD/pop3" mauth mpop 2>log 3>&- &
	started=$!
	wait_for test -S pop3
	run -0 python3 - <<-'EOF'
		import socket
		s = socket.socket(socket.AF_UNIX); s.connect("pop3")
		f = s.makefile("rwb")
		assert f.readline().startswith(b"+OK")
		for line in b"USER bob@example.test", b"PASS secret-bob", b"STAT", b"QUIT":
		    f.write(line + b"\r\n"); f.flush()
		    answer = f.readline()
		    assert answer.startswith(b"+OK"), (line, answer)
	EOF
}

@test "s6: the run script under a supervisor" {
	need s6-supervise
	mkdir imaps
	sed "s/:993/127.0.0.1:0/" "$ROOT/scripts/services/s6/imaps-run" >imaps/run
	chmod +x imaps/run
	s6-supervise imaps >log 2>&1 3>&- &
	started=$!
	wait_for grep -q 'listen .*port=' log
	port=$(sed -n 's/.*port=\([0-9]*\).*/\1/p' log)
	curl -sS --cacert "$PNEU_CA" -u bob@example.test:secret-bob \
		"imaps://localhost:$port/" | grep INBOX
	s6-svc -xd imaps
}

@test "systemd: a socket with Accept=yes" {
	need systemd-socket-activate
	port=$(free_port)
	systemd-socket-activate --accept --inetd -l 127.0.0.1:$port \
		-E PATH="$PATH" -E PNEU_CONF="$PNEU_CONF" \
		"$BUILD/mtls" -s -u root mauth mimapd 2>log 3>&- &
	started=$!
	wait_for listening $port
	imap_starttls $port
}

@test "inetd: the connection is all three descriptors" {
	need inetd
	[ "$(id -u)" -eq 0 ] || skip "inetd wants root"
	port=$(free_port)
	printf '#!/bin/sh\nPNEU_CONF=%s exec %s/mtls -s -u root mauth mimapd\n' \
		"$PNEU_CONF" "$BUILD" >serve
	chmod +x serve
	echo "127.0.0.1:$port stream tcp nowait root $PWD/serve serve" >conf
	inetd -i "$PWD/conf" >log 2>&1 3>&- &
	started=$!
	wait_for listening $port
	imap_starttls $port
}
