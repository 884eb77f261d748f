#!/usr/bin/env bats
#
# The programs under other launchers than mtls -l: each line of README.

load ../lib
load ../host

setup() {
	at_host
	PATH=$BUILD:/usr/sbin:/sbin:$PATH
	started=
}

teardown() {
	[ -z "$started" ] || {
		kill $started 2>/dev/null
		wait $started 2>/dev/null || :
	}
}

# The line of README.md that begins so, with A made B, in the background.
readme_line() {
	local line

	line=$(sed -n "s|^    \($1 .*\)|\1|p" "$ROOT/README.md" | head -n 1)
	[[ $line == *"$2"* ]]
	line=${line/"$2"/"$3"}
	echo "$line"
	sh -c "exec $line" 2>>log 3>&- &
	started="$started $!"
}

# The same, a listener of ours: its port.
own_listener() {
	: >log
	readme_line "$1" "$2" "${2% *} 127.0.0.1:0" >&2
	wait_for grep -q 'listen .*port=' log
	port=$(sed -n 's/.* listen .*port=\([0-9]*\).*/\1/p' log)
}

need() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

listening() {
	python3 -c "import socket; socket.create_connection(('127.0.0.1', $1), 1).close()"
}

read_imaps() {
	curl -sS --cacert "$PNEU_CA" -u bob@example.test:secret-bob \
		"imaps://localhost:$1/" | grep INBOX
}

imap_starttls() {
	curl -sS --cacert "$PNEU_CA" --ssl-reqd -u bob@example.test:secret-bob \
		"imap://localhost:$1/" | grep INBOX
}

@test "the host of README.md: each of its listeners" {
	printf 'Subject: by the lines of README\r\n\r\nx\r\n' >m
	own_listener 'mtls -l :25 ' '-l :25'
	curl -sS --cacert "$PNEU_CA" --ssl-reqd --mail-from a@elsewhere.test \
		--mail-rcpt bob@example.test -T m "smtp://localhost:$port"
	own_listener 'mtls -l :465' '-l :465'
	curl -sS --cacert "$PNEU_CA" -u alice@example.test:secret-alice \
		--mail-from alice@example.test --mail-rcpt carol@example.test \
		-T m "smtps://localhost:$port"
	own_listener 'mtls -l :587' '-l :587'
	curl -sS --cacert "$PNEU_CA" --ssl-reqd \
		-u alice@example.test:secret-alice \
		--mail-from alice@example.test --mail-rcpt carol@example.test \
		-T m "smtp://localhost:$port"
	wait_for has_mail bob 1
	wait_for has_mail carol 2
	own_listener 'mtls -l :995' '-l :995'
	run -0 curl -sS --cacert "$PNEU_CA" -u carol@example.test:secret-carol \
		"pop3s://localhost:$port/"
	[ "${#lines[@]}" -eq 2 ]
	own_listener 'mtls -l :993' '-l :993'
	read_imaps $port
}

@test "tcpserver: IMAP with STARTTLS and a login" {
	need tcpserver
	port=$(free_port)
	readme_line tcpserver '0 143' "127.0.0.1 $port"
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
	wait_for grep --exclude='pneu.*' -lr '^Subject: by tcpserver' "$PNEU_DIR/mail/bob"
}

# dialogue SOCKET LINE...: each is answered by +OK or the tag and OK
dialogue() {
	python3 - "$@" <<-'EOF'
		import socket, sys
		s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
		f = s.makefile("rwb")
		print(f.readline())
		for line in sys.argv[2:]:
		    f.write(line.encode() + b"\r\n"); f.flush()
		    tag = line.split()[0].encode() + b" OK"
		    while not (answer := f.readline()).startswith((b"+OK", tag)):
		        assert answer.startswith(b"* "), (line, answer)
	EOF
}

@test "s6-ipcserver: IMAP and POP3 on a local socket" {
	need s6-ipcserver
	readme_line s6-ipcserver /run/pneu/imap "$PWD/imap"
	s6-ipcserver "$PWD/pop3" mauth mpop 2>log2 3>&- &
	started="$started $!"
	wait_for listens "$PWD/imap"
	wait_for listens "$PWD/pop3"
	dialogue imap 'a LOGIN bob@example.test secret-bob' 'b SELECT INBOX' \
		'c LOGOUT'
	dialogue pop3 'USER bob@example.test' 'PASS secret-bob' STAT QUIT
}

@test "s6: the run script under a supervisor" {
	need s6-supervise
	run -0 grep -F "$(tail -n 1 "$ROOT/scripts/services/s6/imaps-run")" \
		"$ROOT/README.md"
	mkdir imaps
	sed "s/:993/127.0.0.1:0/" "$ROOT/scripts/services/s6/imaps-run" >imaps/run
	chmod +x imaps/run
	s6-supervise imaps >log 2>&1 3>&- &
	started=$!
	wait_for grep -q 'listen .*port=' log
	port=$(sed -n 's/.*port=\([0-9]*\).*/\1/p' log)
	read_imaps $port
	# a kill is a restart
	s6-svc -k imaps
	wait_for eval '[ "$(grep -c "listen .*port=" log)" -eq 2 ]'
	port=$(sed -n 's/.*port=\([0-9]*\).*/\1/p' log | tail -n 1)
	read_imaps $port
	s6-svc -xd imaps
}

@test "systemd: a socket with Accept=yes" {
	need systemd-socket-activate
	port=$(free_port)
	readme_line systemd-socket-activate '-l 143' \
		"-l 127.0.0.1:$port -E PNEU_CONF=$PNEU_CONF"
	wait_for listening $port
	imap_starttls $port
}

@test "systemd: what the units start" {
	need systemd-socket-activate
	units=$ROOT/scripts/services/systemd
	line=$(sed -n 's/^ExecStart=//p' "$units/pneu-imaps@.service")
	port=$(free_port)
	systemd-socket-activate --accept --inetd -l 127.0.0.1:$port \
		-E PNEU_CONF="$PNEU_CONF" \
		${line//\/usr\/local\/libexec\/pneu/"$BUILD"} 2>log 3>&- &
	started=$!
	wait_for listening $port
	read_imaps $port
	# systemd's own opinion, with programs that are here
	need systemd-analyze
	for u in "$units"/*; do
		sed "s,/usr/local/libexec/pneu,$BUILD," "$u" >"${u##*/}"
	done
	run -0 systemd-analyze verify --man=no ./pneu-*
	[[ $output != *pneu-* ]]
}

@test "inetd: the connection is all three descriptors" {
	need inetd
	[ "$(id -u)" -eq 0 ] || skip "inetd wants root"
	# inetd gives no environment: a wrapper says where the host is
	printf '#!/bin/sh\nPNEU_CONF=%s exec %s/"$@"\n' \
		"$PNEU_CONF" "$BUILD" >serve
	chmod +x serve
	line=$(sed -n 's/^    \(imap stream .*\)/\1/p' "$ROOT/README.md")
	grep -Fq "${line#imap }" <(tr -s ' ' <"$ROOT/scripts/services/inetd.conf")
	imap=$(free_port) pop3=$(free_port) smtp=$(free_port) imaps=$(free_port)
	for s in imap pop3 smtp imaps; do
		sed -n "s,^$s  *,127.0.0.1:${!s} ,p" \
			"$ROOT/scripts/services/inetd.conf"
	done | sed "s,/usr/local/sbin/mtls mtls,$PWD/serve serve mtls," >conf
	[ "$(wc -l <conf)" -eq 4 ]
	inetd -i "$PWD/conf" >log 2>&1 3>&- &
	started=$!
	wait_for listening $imap
	imap_starttls $imap
	wait_for listening $imaps
	read_imaps $imaps
	wait_for listening $pop3
	curl -sS --cacert "$PNEU_CA" --ssl-reqd \
		-u bob@example.test:secret-bob "pop3://localhost:$pop3/"
	wait_for listening $smtp
	printf 'Subject: by inetd\r\n\r\nx\r\n' >m
	curl -sS --cacert "$PNEU_CA" --ssl-reqd --mail-from a@elsewhere.test \
		--mail-rcpt bob@example.test -T m "smtp://localhost:$smtp"
	wait_for grep --exclude='pneu.*' -lr '^Subject: by inetd' "$PNEU_DIR/mail/bob"
}
