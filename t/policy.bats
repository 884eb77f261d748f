#!/usr/bin/env bats
#
# mrecv(8): clients that can't wait, that send too much, or come for the
# first time.

load lib

setup() {
	cd "$BATS_TEST_TMPDIR"
	mkdir conf state
	cat >conf/users <<-'E'
		alice@example.test:62011:62011:/nonexistent/alice:
		carol@example.test:62013:62013:/nonexistent/carol:
	E
	echo example.test >conf/domains
	echo mx.example.test >conf/me
	printf 'queue %s\nstate %s\n' "$PWD/queue" "$PWD/state" >conf/paths
	touch -d '1 hour ago' conf/*
	export PNEU_CONF=$PWD/conf PROTO=TCP TCPREMOTEIP=192.0.2.7
}

teardown() {
	host_down
}

access() {
	printf '%s\n' "$@" >conf/access
	touch -d '1 hour ago' conf/access
}

limits() {
	printf '%s\n' "$@" >conf/limits
}

say() {
	printf '%s\r\n' "$@"
}

is() {
	[ "$1" = "$2" ] || {
		printf 'got:    %s\nwanted: %s\n' "$1" "$2"
		cat err
		return 1
	}
}

# on_socket STEP...: mrecv on a socket, as a launcher gives it.  A step is
# said, or is: hear CODE; caught (it has a handler of SIGTERM, and has read
# what was said); term; over (what is left is read).
# Options of mrecv in OPTIONS.  Prints how long it took, then the replies.
on_socket() {
	python3 - "$@" 3>&- <<'E'
import fcntl, os, signal, socket, struct, subprocess, sys, termios, time
signal.alarm(240)
ours, theirs = socket.socketpair()
start = time.monotonic()
p = subprocess.Popen(["mrecv"] + os.environ.get("OPTIONS", "").split() + ["--", "mqueue", "add"],
                     stdin=theirs, stdout=theirs, stderr=open("err", "wb"))
got = b""
def hear():
    global got
    piece = ours.recv(65536)
    got += piece
    return piece
theirs.close()
for step in sys.argv[1:]:
    word, _, arg = step.partition(" ")
    if word == "hear":
        while not any(l.startswith(arg.encode()) for l in got.split(b"\r\n")[:-1]):
            assert hear(), "end before " + arg + ": " + repr(got)
        took = time.monotonic() - start
        print("%s after %d" % (arg, took), file=open("times", "a"))
    elif word == "caught":
        while True:
            s = open("/proc/%d/status" % p.pid).read()
            left = fcntl.ioctl(ours, termios.TIOCOUTQ, b"....")
            if (int(s.split("SigCgt:")[1].split()[0], 16) >> signal.SIGTERM - 1 & 1
                    and struct.unpack("i", left)[0] == 0):
                break
            time.sleep(0.01)
    elif word == "term":
        p.send_signal(signal.SIGTERM)
    elif word == "over":
        while hear():
            pass
    else:
        ours.sendall(step.encode() + b"\r\n")
assert p.wait(60) == 0
sys.stdout.write(got.decode().replace("\r", ""))
E
}

# took CODE LEAST MOST: on_socket heard the last reply after so many seconds
took() {
	local code after seconds
	read -r code after seconds <<<"$(tail -n 1 times)"
	[ "$code" = "$1" ]
	[ "$seconds" -ge "$2" ]
	[ "$seconds" -le "$3" ]
}

@test "a client that speaks first is refused, also without a delay" {
	# it has spoken before mrecv runs
	python3 - <<'E' >out 3>&-
import signal, socket, subprocess
signal.alarm(240)
ours, theirs = socket.socketpair()
ours.sendall(b"EHLO me.test\r\nMAIL FROM:<>\r\n")
p = subprocess.Popen(["mrecv", "--", "mqueue", "add"], stdin=theirs, stdout=theirs, stderr=open("err", "wb"))
theirs.close()
got = b""
while True:
    piece = ours.recv(4096)
    if not piece: break
    got += piece
ours.close()  # it waits for this, to the last words
assert p.wait(60) == 0
print(got.decode().replace("\r", ""), end="")
E
	is "$(cat out)" '554 5.5.1 wait for the greeting'
	grep -q '^mrecv refuse .*peer=192.0.2.7 .*code=554 why="5.5.1 wait for the greeting"$' err
	grep -q '^mrecv close .*why=refused$' err
}

@test "greet-delay: who waits is served, who does not is refused at once" {
	limits 'greet-delay 2'
	is "$(on_socket 'hear 220' QUIT over)" $'220 mx.example.test ESMTP\n221 2.0.0 bye'
	took 220 2 200
	rm times
	limits 'greet-delay 60'
	is "$(on_socket 'EHLO me.test' 'hear 554' over)" '554 5.5.1 wait for the greeting'
	took 554 0 40
}

@test "nobody waits on submission, on this host, inside TLS, or where access allows" {
	limits 'greet-delay 60'
	OPTIONS=-S on_socket 'EHLO me.test' 'hear 220' QUIT over >out
	TCPREMOTEIP=127.0.0.1 on_socket 'EHLO me.test' 'hear 220' QUIT over >out
	TCPREMOTEIP=::1 on_socket 'EHLO me.test' 'hear 220' QUIT over >out
	SSL_PROTOCOL=TLSv1.3 on_socket 'EHLO me.test' 'hear 220' QUIT over >out
	access 'allow peer:192.0.2.0/24'
	on_socket 'EHLO me.test' 'hear 220' QUIT over >out
	rm conf/limits conf/access
	say 'EHLO me.test' QUIT | mrecv -- mqueue add >out 2>err # a pipe can't hear
	[[ $(head -n 1 out) == 220* ]]
}

@test "SIGTERM ends the wait for the greeting, and that for a reply" {
	limits 'greet-delay 60'
	on_socket caught term over >out
	grep -q '^421 4.3.2' out
	limits 'tarpit-errors 0' 'tarpit-delay 60'
	on_socket 'hear 220' NONSENSE caught term over >out
	grep -q '^421 4.3.2' out
}

@test "a client that goes on making errors waits longer for each" {
	limits 'tarpit-errors 2'
	on_socket 'hear 220' A B C D 'EHLO x' 'hear 250' QUIT over >out
	took 250 2 200
	rm times
	# nobody on this host
	limits 'tarpit-errors 2' 'tarpit-delay 60'
	TCPREMOTEIP=127.0.0.1 on_socket 'hear 220' A B C D E F G H 'EHLO x' 'hear 250' QUIT over >out
	took 250 0 40
}

# ask SENDER RCPT...: the replies to RCPT
ask() {
	{
		say 'EHLO me.test' "MAIL FROM:<$1>"
		shift
		printf 'RCPT TO:<%s>\r\n' "$@"
		say QUIT
	} | mrecv ${OPTIONS:-} -- mqueue add 2>err | tr -d '\r' | sed '1,/2.1.0 ok/d; /^221 /d'
}

# repeat N COMMAND...: its output, with counts
repeat() {
	local i
	for ((i = $1; i > 0; i--)); do "${@:2}"; done | uniq -c | sed 's/^ *//'
}

ok='250 2.1.5 ok'
many='450 4.7.1 too many messages in an hour, try again later'
rcpts='452 4.7.1 too many recipients in an hour, try again later'

@test "messages and recipients of an address, of its network, in an hour" {
	limits 'messages-per-address 3'
	is "$(repeat 5 ask a@x.org alice@example.test)" "3 $ok"$'\n'"2 $many"
	grep -q '^mrecv refuse .*peer=192.0.2.7 .*code=450 why="messages-per-address 3: 4.7.1 ' err
	TCPREMOTEIP=192.0.2.8 ask a@x.org alice@example.test >got
	is "$(cat got)" "$ok"
	limits 'recipients-per-network 3'
	rm state/*
	is "$(ask a@x.org alice@example.test carol@example.test)" "$ok"$'\n'"$ok"
	TCPREMOTEIP=192.0.2.8 ask a@x.org alice@example.test carol@example.test >got
	is "$(cat got)" "$ok"$'\n'"$rcpts"
	grep -q 'why="recipients-per-network 3: ' err
	TCPREMOTEIP=192.0.3.8 ask a@x.org alice@example.test >got
	is "$(cat got)" "$ok"
	# of IPv6 the network of 64 bits
	limits 'messages-per-network 1'
	export TCPREMOTEIP=2001:db8::1
	is "$(ask a@x.org alice@example.test)" "$ok"
	export TCPREMOTEIP=2001:db8::ffff:1
	is "$(ask a@x.org alice@example.test)" "$many"
	export TCPREMOTEIP=2001:db8:0:1::1
	is "$(ask a@x.org alice@example.test)" "$ok"
}

@test "what is refused counts for nothing, and one limit not for another" {
	limits 'messages-per-address 2' 'messages-per-network 3'
	access 'reject from:no@x.org'
	is "$(repeat 5 ask no@x.org alice@example.test)" '5 550 5.7.1 refused'
	is "$(repeat 5 ask a@x.org nobody@example.test)" '5 550 5.1.1 no such user'
	is "$(repeat 4 ask a@x.org alice@example.test)" "2 $ok"$'\n'"2 $many"
	# the two that were too many for the address left room for the network
	export TCPREMOTEIP=192.0.2.8
	is "$(repeat 2 ask a@x.org alice@example.test)" "1 $ok"$'\n'"1 $many"
	grep -q 'why="messages-per-network 3: ' err
}

@test "a message counts once, and not where another limit refused it" {
	limits 'messages-per-address 1'
	is "$(ask a@x.org alice@example.test carol@example.test)" "$ok"$'\n'"$ok"
	rm state/rates
	limits 'messages-per-address 2' 'messages-per-network 1'
	is "$(repeat 3 ask a@x.org alice@example.test)" "1 $ok"$'\n'"2 $many"
	limits 'messages-per-address 2' 'messages-per-network 9'
	is "$(repeat 2 ask a@x.org alice@example.test)" "1 $ok"$'\n'"1 $many"
}

@test "postmaster, this host and who is allowed are not counted" {
	limits 'messages-per-address 1' 'recipients-per-address 1'
	access 'allow from:good@x.org'
	is "$(repeat 3 ask a@x.org postmaster@example.test)" "3 $ok"
	is "$(repeat 3 ask good@x.org alice@example.test)" "3 $ok"
	is "$(repeat 3 ask a@x.org alice@example.test)" "1 $ok"$'\n'"2 $many"
	export TCPREMOTEIP=127.0.0.1
	is "$(repeat 3 ask a@x.org alice@example.test)" "3 $ok"
}

@test "a login has limits of its own, whatever its address" {
	unset TCPREMOTEIP
	export PROTO=IPC IPCREMOTEEUID=62011 OPTIONS=-S
	limits 'recipients-per-login 3' 'messages-per-address 1'
	is "$(ask alice@example.test a@y.test b@y.test c@y.test d@y.test)" \
		"$ok"$'\n'"$ok"$'\n'"$ok"$'\n'"$rcpts"
	grep -q '^mrecv refuse .*user=alice@example.test .*code=452 why="recipients-per-login 3: ' err
	IPCREMOTEEUID=62013 ask carol@example.test a@y.test >got
	is "$(cat got)" "$ok"
	access 'allow auth:alice@example.test'
	is "$(repeat 3 ask alice@example.test a@y.test)" "3 $ok"
	# root sends what it likes
	rm conf/access
	export IPCREMOTEEUID=0
	is "$(repeat 5 ask alice@example.test a@y.test)" "5 $ok"
}

@test "forty clients at once are counted as forty" {
	limits 'messages-per-address 25'
	for i in $(seq 40); do
		{ say 'EHLO me.test' 'MAIL FROM:<a@x.org>' 'RCPT TO:<alice@example.test>' QUIT; } |
			mrecv -- mqueue add >out.$i 2>err.$i 3>&- &
	done
	wait
	is "$(cat out.* | grep -c '2.1.5 ok')" 25
	is "$(cat out.* | grep -c '^450 4.7.1')" 15
}

@test "where the state folder can't be used nothing is limited, and that is logged" {
	limits 'messages-per-address 1'
	access 'greylist peer:0.0.0.0/0'
	rm -r state
	is "$(repeat 3 ask a@x.org alice@example.test)" "3 $ok"
	grep -q '^mrecv error .*what=.*state/rates' err
	grep -q '^mrecv error .*what=.*state/greylist' err
	mkdir state
	printf 'pneu-rates 2\n' >state/rates
	printf 'x' >state/greylist
	is "$(repeat 3 ask a@x.org alice@example.test)" "3 $ok"
	grep -q 'error .*what=.*state/rates.* why="a file of another format"' err
	is "$(cat state/rates)" 'pneu-rates 2'
}

@test "nothing is opened or written where there are no limits" {
	is "$(ask a@x.org alice@example.test)" "$ok"
	is "$(ls state)" ''
}

@test "greylist: who comes again is known, and so is its network" {
	limits 'greylist-delay 1'
	access 'allow from:friend@x.org' 'greylist peer:0.0.0.0/0'
	is "$(ask a@x.org alice@example.test)" '451 4.7.1 greylisted, try again in 1 seconds'
	grep -q 'code=451 why="access:2: 4.7.1 greylisted' err
	is "$(ask friend@x.org alice@example.test)" "$ok"
	is "$(ask a@x.org nobody@example.test postmaster@example.test)" \
		$'550 5.1.1 no such user\n'"$ok"
	is "$(ask '' alice@example.test)" '451 4.7.1 greylisted, try again in 1 seconds'
	is "$(ask b@x.org alice@example.test)" '451 4.7.1 greylisted, try again in 1 seconds'
	passed() { [ "$(ask a@x.org alice@example.test)" = "$ok" ]; }
	wait_for passed
	is "$(ask new@x.org carol@example.test)" "$ok"
	export TCPREMOTEIP=192.0.2.200
	is "$(ask new@x.org carol@example.test)" "$ok"
	export TCPREMOTEIP=192.0.3.7
	is "$(ask new@x.org carol@example.test)" '451 4.7.1 greylisted, try again in 1 seconds'
	export TCPREMOTEIP=127.0.0.1
	is "$(ask new@x.org carol@example.test)" "$ok"
}

@test "a stolen login on a whole host sends no more than its recipients in an hour" {
	host_dir
	mkdir -p "$PNEU_DIR/conf"
	echo 'recipients-per-login 3' >"$PNEU_DIR/conf/limits"
	unset PNEU_CONF PROTO TCPREMOTEIP
	host_up
	for i in 1 2 3 4; do
		curl -sS --ssl-reqd --cacert "$PNEU_CA" --url "smtp://localhost:$SUBMISSION_PORT" \
			--user "alice@$PNEU_DOMAIN:secret-alice" --mail-from "alice@$PNEU_DOMAIN" \
			--mail-rcpt "bob@$PNEU_DOMAIN" -T - <<<$'Subject: x\r\n\r\nhello\r' >>sent 2>&1 && echo ok >>sent
	done
	cat sent
	[ "$(grep -c '^ok' sent)" -eq 3 ]
	grep -rq "refuse .*user=alice@$PNEU_DOMAIN .*code=452 why=\"recipients-per-login 3: " "$PNEU_DIR/log"
	[ -e "$PNEU_DIR/state/rates" ]
	# somebody else sends on
	curl -sS --ssl-reqd --cacert "$PNEU_CA" --url "smtp://localhost:$SUBMISSION_PORT" \
		--user "bob@$PNEU_DOMAIN:secret-bob" --mail-from "bob@$PNEU_DOMAIN" \
		--mail-rcpt "alice@$PNEU_DOMAIN" -T - <<<$'Subject: x\r\n\r\nhello\r'
}

@test "limits, the greylist and access are about the client that XCLIENT names" {
	echo '127.0.0.1 xclient' >conf/proxies
	touch -d '1 hour ago' conf/proxies
	export TCPREMOTEIP=127.0.0.1
	# through ADDR NAME: the reply to RCPT
	through() {
		say 'EHLO proxy.test' "XCLIENT ADDR=$1 NAME=$2" 'EHLO me.test' 'MAIL FROM:<a@x.org>' \
			'RCPT TO:<alice@example.test>' QUIT |
			mrecv -- mqueue add 2>err | tr -d '\r' | tail -n 2 | head -n 1
	}
	limits 'messages-per-address 1'
	is "$(through 192.0.2.7 mx.test)" "$ok"
	is "$(through 192.0.2.7 mx.test)" "$many"
	is "$(through 192.0.2.8 mx.test)" "$ok"
	is "$(repeat 3 ask a@x.org alice@example.test)" "3 $ok"
	rm conf/limits
	access 'reject client:bad.test' 'later client:unknown' 'reject dnsbl:bl.test' 'greylist peer:192.0.2.0/24'
	is "$(through 192.0.2.7 bad.test)" '550 5.7.1 refused'
	is "$(through 192.0.2.7 '[UNAVAILABLE]')" '450 4.7.1 try again later'
	is "$(through 192.0.2.7 good.test)" '451 4.7.1 greylisted, try again in 300 seconds'
	is "$(through 198.51.100.7 good.test)" "$ok"
	access 'reject client:unknown'
	is "$(through 192.0.2.7 '[TEMPUNAVAIL]')" '450 4.7.1 try again later'
	is "$(through 192.0.2.7 '[UNAVAILABLE]')" '550 5.7.1 refused'
}
