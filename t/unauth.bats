#!/usr/bin/env bats
#
# mauth -r and mimapd(8): UNAUTHENTICATE, and another login.

load lib
. "$ROOT/t/mauth.sh"

# alice and bob, with mail of their own, and the real server
people() {
	id=62011
	users= secrets=
	for n in alice bob; do
		mkdir "$d/$n"
		ids=$(id -u):$(id -g)
		if [ "$(id -u)" -eq 0 ]; then
			ids=$id:$id
			chown $ids "$d/$n"
		fi
		users+="$n@example.test:$ids:$d/$n:"$'\n'
		secrets+="$n@example.test:$n:all:{PLAIN}secret-$n:"$'\n'
		id=$((id + 1))
	done
	conf users "${users%$'\n'}"
	conf secrets "${secrets%$'\n'}"
	install "$BUILD/mimapd" bin/
}

L='S: * OK *CAPABILITY * Logged in'

@test "after UNAUTHENTICATE somebody else logs in, and nothing is left over" {
	people
	for step in 4096 1; do
		rm -rf alice/Maildir bob/Maildir
		talk -b $step -- bin/mauth -r mimapd <<-'END'
			S: * OK [CAPABILITY *
			C: a LOGIN alice@example.test secret-alice
			S: a OK [CAPABILITY * UNAUTHENTICATE*] Logged in
			C: b CREATE hers
			S: b OK *
			C: c ENABLE CONDSTORE QRESYNC UIDONLY
			S: * ENABLED CONDSTORE QRESYNC UIDONLY
			S: c OK Enabled
			C: d SELECT INBOX
			S* d OK *
			C: e UID SEARCH RETURN (SAVE) ALL
			S* e OK *
			C: f UNAUTHENTICATE
			S: f OK Unauthenticate completed
			C: g SELECT INBOX
			S: g BAD Unknown command, or not before login
			C: h CAPABILITY
			S: * CAPABILITY *AUTH=PLAIN*
			S: h OK *
			C: i LOGIN bob@example.test secret-alice
			S: i NO [AUTHENTICATIONFAILED] *
			C: j LOGIN bob@example.test secret-bob
			S: j OK [CAPABILITY * UNAUTHENTICATE*] Logged in
			C: k CHECK
			S: k BAD No mailbox is selected
			C: l LIST "" hers
			S: l OK *
			C: m SELECT INBOX
			S* m OK *
			C: n FETCH 1 FLAGS
			S: n BAD No message of that number
			C: o ENABLE QRESYNC
			S: * ENABLED QRESYNC
			S* o OK Enabled
			C: p LOGOUT
			S: * BYE *
			S: p OK *
			GONE
		END
	done
	[ "$(grep -c 'auth ok' log)" -eq 2 ]
	if [ "$(id -u)" -eq 0 ]; then
		[ "$(stat -c %u alice/Maildir bob/Maildir | xargs)" = "62011 62012" ]
	fi
}

@test "the next login may be in the same packet, again and again" {
	people
	run -0 talk -- bin/mauth -r mimapd <<-'END'
		S: * OK [CAPABILITY *
		C> a LOGIN alice@example.test secret-alice\r\nb UNAUTHENTICATE\r\nc LOGIN bob@example.test secret-bob\r\nd NOOP\r\ne UNAUTHENTICATE\r\nf LOGIN alice@example.test secret-alice\r\ng UNAUTHENTICATE\r\nh NOOP\r\n
		S: a OK * Logged in
		S: b OK Unauthenticate completed
		S: c OK * Logged in
		S: d OK NOOP completed
		S: e OK Unauthenticate completed
		S: f OK * Logged in
		S: g OK Unauthenticate completed
		S: h OK *
		C: i LOGOUT
		S: * BYE *
		S: i OK *
		GONE
	END
	[ "${lines[-1]}" = "exit 0" ]
}

@test "without -r, by ssh, and where it is masked, it is not known" {
	people
	talk -- bin/mauth mimapd <<-'END'
		S: * OK [CAPABILITY *
		C: a LOGIN alice@example.test secret-alice
		S: a OK *
		C: b UNAUTHENTICATE
		S: b BAD Unknown command
		CLOSE
		GONE
	END
	run -0 bash -c 'printf "a UNAUTHENTICATE\r\n" | PNEU_AGAIN=1 mimapd -p box'
	[[ $output != *UNAUTHENTICATE* ]]
	[[ $output == *"a BAD Unknown command"* ]]
	conf masks 'UNAUTHENTICATE *'
	talk -- bin/mauth -r mimapd <<-'END'
		S: * OK [CAPABILITY *
		C: a LOGIN alice@example.test secret-alice
		S: a OK *
		C: b UNAUTHENTICATE
		S: b BAD Unknown command
		C: c CAPABILITY
		S: * CAPABILITY *
		S: c OK *
		CLOSE
		GONE
	END
	run -64 bin/mauth -r mpop
	[[ $output == *"-r is for IMAP alone"* ]]
}

@test "the server's end is the end: its status, a signal, a lost client" {
	people
	for how in 'SH: kill $PID' 'SH: pkill -TERM -P $PID'; do
		run -0 talk -- bin/mauth -r mimapd <<-END
			S: * OK [CAPABILITY *
			C: a LOGIN alice@example.test secret-alice
			S: a OK *
			$how
			S: * BYE Server is shutting down
			GONE
		END
		[ "${lines[-1]}" = "exit 0" ]
	done
	run -0 talk -- bin/mauth -r mimapd <<-'END'
		S: * OK [CAPABILITY *
		C: a LOGIN alice@example.test secret-alice
		S: a OK *
		CLOSE
		GONE
	END
	[ "${lines[-1]}" = "exit 0" ]
	printf '#!/bin/sh\necho "* BYE"\r\nexit 7\n' >bin/mimapd
	run -0 talk -- bin/mauth -r mimapd <<-'END'
		S: * OK [CAPABILITY *
		C: a LOGIN alice@example.test secret-alice
		S: * BYE
		GONE
	END
	[ "${lines[-1]}" = "exit 7" ]
}

@test "behind COMPRESS it is in the clear again" {
	people
	run -0 python3 - "$d/bin/mauth" <<-'E'
		import socket, subprocess, sys, zlib
		a, b = socket.socketpair()
		a.settimeout(90)
		server = socket.create_server(("127.0.0.1", 0))
		a = socket.create_connection(server.getsockname())
		b = server.accept()[0]
		p = subprocess.Popen([sys.argv[1], "-r", "mimapd"], stdin=b, stdout=b)
		b.close()
		def until(s, tag):
		    while not any(x.startswith(tag) for x in s.split(b"\r\n")[:-1]):
		        more = a.recv(4096)
		        assert more, s
		        s += more
		    return s
		until(b"", b"* OK")
		a.send(b"a LOGIN alice@example.test secret-alice\r\n")
		until(b"", b"a OK")
		a.send(b"b COMPRESS DEFLATE\r\n")
		until(b"", b"b OK")
		c = zlib.compressobj(wbits=-15)
		a.send(c.compress(b"c NOOP\r\nd UNAUTHENTICATE\r\n") +
		       c.flush(zlib.Z_SYNC_FLUSH))
		d = zlib.decompressobj(wbits=-15)
		text = b""
		while b"d OK" not in text:
		    text += d.decompress(a.recv(4096))
		assert text.startswith(b"c OK"), text
		a.send(b"e LOGIN bob@example.test secret-bob\r\nf LOGOUT\r\n")
		got = until(b"", b"f OK")
		assert b"COMPRESS=DEFLATE" in got, got
		assert p.wait(60) == 0
	E
}

@test "inside TLS it stays inside TLS" {
	people
	talk -s -e PROTO=TCP -e TCPREMOTEIP=192.0.2.7 -- bin/mauth -r mimapd <<-'END'
		S: * OK [CAPABILITY * STARTTLS LOGINDISABLED] *
		C: a STARTTLS
		S: a OK *
		TLS
		C: b LOGIN alice@example.test secret-alice
		S: b OK * Logged in
		C: c UNAUTHENTICATE
		S: c OK *
		C: d CAPABILITY
		S: * CAPABILITY *AUTH=PLAIN AUTH=LOGIN
		S: d OK *
		C: e STARTTLS
		S: e BAD TLS is not available
		C: f LOGIN bob@example.test secret-bob
		S: f OK * Logged in
		C: g LOGOUT
		S: * BYE *
		S: g OK *
		GONE
	END
}
