#!/usr/bin/env bats
#
# mauth(8): what a no costs who guesses, and whom it costs nothing.

load lib
load mauth.sh

@test "a wrong password costs the time of a right one, known user or not" {
	hash=$(openssl passwd -6 -salt 'rounds=600000$abcdefgh' x) || skip
	conf secrets "alice@example.test::all:{SHA512-CRYPT}$hash:"
	for user in alice@example.test nobody@example.test; do
		# processor time: what the clock says depends on the neighbours
		TIMEFORMAT=%3U
		{
			time talk -- bin/mauth mpop >out.talk 2>&1 <<-END
				S: +OK*
				C: AUTH PLAIN $(plain $user wrong)
				S: -ERR [AUTH] *
			END
		} 2>cpu
		eval "t_${user%@*}=$(tr -d '.,' <cpu | sed 's/^0*//')"
	done
	echo "$t_alice ms, $t_nobody ms"
	[ $t_alice -gt 100 ]
	[ $t_nobody -gt $((t_alice * 2 / 3)) ]
}

@test "the fourth failure ends the connection" {
	talk -- bin/mauth -g smtp mpop <<-END
		S: 220 *
		C: EHLO x
		S* 250 *
		C: AUTH PLAIN $(plain a b)
		S: 535 5.7.8 *
		C: AUTH PLAIN $(plain a b)
		S: 535 5.7.8 *
		C: AUTH PLAIN $(plain a b)
		S: 535 5.7.8 *
		C: AUTH PLAIN $(plain a b)
		S: 535 5.7.8 *
		S: 421 4.7.0 *
		GONE
	END
}

# A bound from above says nothing of one run: neighbours add to its time.  So
# that a story was short enough is asked of the best of three.
short_enough() {
	long=false
	for i in 1 2 3; do
		long=false
		"$1"
		$long || return 0
	done
	return 1
}

# at_most MS LIMIT
at_most() {
	[ "$1" -lt "$2" ] || long=true
}

refusals() {
	begin=$(date +%s%N)
	talk -- bin/mauth mpop <<-END
		S: +OK*
		C: AUTH PLAIN $(plain alice@example.test x)
		S: -ERR *
		SH: date +%s%N >one
		C: AUTH PLAIN $(plain alice@example.test y)
		S: -ERR *
		SH: date +%s%N >two
		C: AUTH PLAIN $(plain alice@example.test x)
		S: -ERR *
		SH: date +%s%N >three
	END
	one=$(cat one) two=$(cat two) three=$(cat three)
	[ $((one - begin)) -ge 1000000000 ]
	[ $((two - one)) -ge 1900000000 ]
	# what was tried before costs no more
	at_most $((three - two)) 2900000000
}

@test "refusals come slower and slower" {
	rm conf/limits
	short_enough refusals
}

failures() {
	rm -rf state
	mkdir state
	# IP USER PASSWORD ANSWER; sets $ms: how long mauth thought about it
	try() {
		talk -e PROTO=TCP -e "TCPREMOTEIP=$1" -e SSL_PROTOCOL=TLSv1.3 \
			-- bin/mauth mpop <<-END
				S: +OK*
				SH: date +%s%N >began
				C: AUTH PLAIN $(plain "$2" "$3")
				S: $4
				SH: date +%s%N >ended
			END
		ms=$((($(cat ended) - $(cat began)) / 1000000))
	}
	no='-ERR [AUTH]*' yes='hello from mpop'
	try 192.0.2.1 alice@example.test x "$no"
	at_most $ms 2000
	try 192.0.2.1 nobody@example.test x "$no"
	[ $ms -ge 2000 ]
	try 192.0.2.2 ALICE@example.test y "$no"
	[ $ms -ge 2000 ]
	# a right one is never delayed
	try 192.0.2.1 alice@example.test secret-alice "$yes"
	at_most $ms 2000
	# from where she logged in, what others did delays nobody
	try 192.0.2.1 alice@example.test z "$no"
	at_most $ms 2000
	try 192.0.2.9 alice@example.test z2 "$no"
	[ $ms -ge 3000 ]
	[ "$(head -n 1 state/logins)" = "pneu-logins 1" ]
	! grep -aq 'alice\|secret' state/logins || false
}

@test "failures of an address and of a name are counted over connections" {
	echo auth-delay 1 >conf/limits
	echo "state $d/state" >conf/paths
	short_enough failures
}

phone() {
	rm -rf state
	mkdir state
	for n in 1 2 3; do
		talk -e PROTO=TCP -e TCPREMOTEIP=192.0.2.1 \
			-e SSL_PROTOCOL=TLSv1.3 -- bin/mauth mpop <<-END
				S: +OK*
				SH: date +%s%N >began
				C: AUTH PLAIN $(plain alice@example.test old)
				S: -ERR [AUTH]*
				SH: date +%s%N >ended
			END
		at_most $((($(cat ended) - $(cat began)) / 1000000)) 1900
	done
}

@test "a phone with an old password is one failure, however often it tries" {
	echo auth-delay 1 >conf/limits
	echo "state $d/state" >conf/paths
	short_enough phone
}

@test "a peer that drips has no more time than one that is silent" {
	echo login-time 1 >>conf/limits
	talk -- bin/mauth mpop <<-'END'
		S: +OK*
		S: -ERR waited too long, closing
		GONE
	END
	grep -q 'close .*why=timeout' log
	# one that would go on for a minute
	python3 - 2>log 3>&- <<-'PY'
		import socket, subprocess, time
		ours, theirs = socket.socketpair()
		p = subprocess.Popen(["bin/mauth", "mpop"], stdin=theirs, stdout=theirs)
		theirs.close()
		ours.recv(100)
		end, gone = time.monotonic() + 60, False
		while not gone:
		    assert time.monotonic() < end
		    try:
		        ours.sendall(b"U")
		        time.sleep(0.2)
		    except OSError:
		        gone = True
		assert p.wait(60) == 0
	PY
	grep -q 'close .*why=timeout' log
}
