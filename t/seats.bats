#!/usr/bin/env bats
#
# mauth(8): a user has so many sessions at once; who wants one more is told
# so, in words that no client takes for a wrong password.

load lib
. "$ROOT/t/mauth.sh"

people() { # OPTIONS of alice
	mkdir state "$d/home/Maildir"
	echo "state $d/state" >conf/paths
	conf users "$users$1" "bob@example.test:$ids:$d/home:"
	conf secrets "$secrets" 'bob@example.test:first:all:{PLAIN}secret-bob:'
	[ "$(id -u)" -ne 0 ] || chown -R 62011:62011 "$d/home"
	held=0
	install "$BUILD/mimapd" bin/
}

# hold 'ARGUMENTS of mauth' LINE...: a session that has logged in and stays
# until descriptor s is closed; its process is last
hold() {
	local arguments=$1
	shift
	held=$((held + 1))
	mkfifo in.$held
	PROTO=TCP TCPREMOTEIP=127.0.0.1 bin/mauth $arguments \
		<in.$held >said.$held 2>>log 3>&- &
	last=$!
	exec {s}>in.$held
	printf '%s\r\n' "$@" >&$s
	wait_for grep -q '^hello\|^a OK' said.$held
}

alice='a LOGIN alice@example.test secret-alice'
full='NO [LIMIT] Too many sessions of yours, close some'

# ask NAME ANSWER: what the next one is told
ask() {
	talk -- bin/mauth mimapd <<-END
		S: * OK *
		C: a LOGIN $1@example.test secret-$1
		S: a $2*
		C: b LOGOUT
		S* b OK *
	END
}

has_seat() {
	ask alice OK
}

@test "one more than there may be is told [LIMIT], until one ends, however it does" {
	people
	echo 'sessions-per-user 2' >>conf/limits
	hold mimapd "$alice"
	first=$s
	hold mimapd "$alice"
	ask alice "$full"
	[[ $(head -n 1 log) == "mauth auth no conn="*" user=alice@example.test peer=127.0.0.1 svc=imap label=first why=sessions" ]]
	ask bob OK
	exec {first}>&-
	wait_for has_seat
	hold mimapd "$alice"
	ask alice "$full"
	kill -9 $last
	wait_for has_seat
	exec {s}>&-
}

@test "without a word in limits there are 50, which is more than clients open" {
	people
	for i in $(seq 50); do
		hold mimapd "$alice"
	done
	ask alice "$full"
	kill $last
	wait_for has_seat
	kill $(jobs -p)
	wait
}

@test "the connection stays, it counts as no wrong password, and may succeed later" {
	people sessions=1
	hold mimapd "$alice"
	{
		echo 'S: * OK *'
		for i in 1 2 3 4 5 6; do
			echo "C: a$i LOGIN alice@example.test secret-alice"
			echo "S: a$i $full"
		done
		echo "C: b AUTHENTICATE PLAIN $(plain alice@example.test secret-alice)"
		echo "S: b $full"
		echo "SH: kill -9 $last; while kill -0 $last 2>&1; do sleep 0.05; done >/dev/null"
		echo 'C: d LOGIN alice@example.test secret-alice'
		echo 'S: d OK *'
	} | talk -e PROTO=TCP -e TCPREMOTEIP=192.0.2.7 -e TCPLOCALIP=192.0.2.1 \
		-e SSL_PROTOCOL=TLSv1.3 -- bin/mauth mimapd
	[ "$(grep -c why=sessions log)" -eq 7 ]
	exec {s}>&-
	# whoever is refused for it leaves nothing among the failures
	cp state/logins before
	hold mimapd "$alice"
	talk -e PROTO=TCP -e TCPREMOTEIP=192.0.2.8 -e TCPLOCALIP=192.0.2.1 \
		-e SSL_PROTOCOL=TLSv1.3 -- bin/mauth mimapd <<-END
			S: * OK *
			C: a LOGIN alice@example.test secret-alice
			S: a $full
		END
	cmp before state/logins
	exec {s}>&-
}

@test "who repeats it is slowed down, by the same each time" {
	people sessions=1
	sed -i 's/^auth-delay.*/auth-delay 1/' conf/limits
	hold mimapd "$alice"
	began=$(date +%s%N)
	talk -- bin/mauth mimapd <<-END
		S: * OK *
		C: a LOGIN alice@example.test secret-alice
		S: a $full
		C: b LOGIN alice@example.test secret-alice
		S: b $full
	END
	took=$((($(date +%s%N) - began) / 1000000))
	echo "$took ms"
	[ $took -ge 2000 ]
	exec {s}>&-
}

@test "a proof by SCRAM takes a seat like a password" {
	people sessions=1
	conf secrets "alice@example.test:one:all:$pencil:"
	hold mimapd 'a LOGIN alice@example.test pencil'
	sasl SCRAM-SHA-256 alice@example.test pencil bin/mauth mimapd
	grep -qF "$full" said
	! grep -q ' OK .*Logged in' said || false
	exec {s}>&-
	again() {
		sasl SCRAM-SHA-256 alice@example.test pencil bin/mauth mimapd
		grep -q ' OK .*Logged in' said
	}
	wait_for again
}

@test "POP3 says [IN-USE] and SMTP 454 4.7.0; each service has seats of its own" {
	people sessions=1
	sed -i 's|cat >.*/rest|cat >/dev/null|' bin/mpop bin/mrecv
	hold mimapd "$alice"
	imap=$s
	hold mpop "AUTH PLAIN $(plain alice@example.test secret-alice)"
	pop=$s
	hold mrecv 'EHLO a.test' "AUTH PLAIN $(plain alice@example.test secret-alice)"
	talk -- bin/mauth mpop <<-END
		S: +OK*
		C: USER alice@example.test
		S: +OK
		C: PASS secret-alice
		S: -ERR [IN-USE] too many sessions of yours, close some
		C: QUIT
		S: +OK*
	END
	talk -- bin/mauth mrecv <<-END
		S: 220 *
		C: EHLO a.test
		S* 250 *
		C: AUTH PLAIN $(plain alice@example.test secret-alice)
		S: 454 4.7.0 Too many sessions of yours, close some
		C: QUIT
		S: 221 *
	END
	ask alice "$full"
	exec {imap}>&- {pop}>&- {s}>&-
}

@test "a user's own number counts, and 0 is any number" {
	people sessions=0
	echo 'sessions-per-user 1' >>conf/limits
	hold mimapd "$alice"
	a=$s
	hold mimapd "$alice"
	b=$s
	hold mimapd 'a LOGIN bob@example.test secret-bob'
	ask bob "$full"
	[ ! -e state/sessions ] || [ "$(ls state/sessions | wc -l)" -eq 1 ]
	exec {a}>&- {b}>&- {s}>&-
}

@test "what can't be found out shuts nobody out, and is logged" {
	people sessions=1
	hold mimapd "$alice"
	mv state/sessions elsewhere
	ln -s "$d/elsewhere" state/sessions
	ask alice OK
	grep -q "^mauth error what=\"$d/state/sessions\" why=\"Not a directory\"" log
	rm state/sessions
	echo >state/sessions
	ask alice OK
	rm state/sessions
	mkdir state/sessions
	mkfifo "state/sessions/$(ls elsewhere)"
	ask alice OK
	grep -q '^mauth error .* why="Invalid argument"' log
	# without a state folder nothing is counted, and nothing is said of it
	rm -r state
	ask alice OK
	! grep -q error log || false
	exec {s}>&-
}

@test "-r: who has logged out by UNAUTHENTICATE has given the seat back" {
	people sessions=1
	hold '-r mimapd' "$alice"
	ask alice "$full"
	printf 'b UNAUTHENTICATE\r\n' >&$s
	wait_for grep -q '^b OK' said.$held
	wait_for has_seat
	printf 'c LOGIN alice@example.test secret-alice\r\n' >&$s
	wait_for grep -q '^c OK' said.$held
	ask alice "$full"
	exec {s}>&-
	wait_for has_seat
}

@test "as root, behind mtls -l: the server has become the user, and keeps the seat" {
	root_only
	people sessions=1
	install "$BUILD/mtls" bin/
	echo 'pneu-tls 62002 62002' >>conf/uids
	bin/mtls -l 127.0.0.1:0 -u root mauth mimapd 2>mtls.log 3>&- &
	mtls=$!
	wait_for grep -q listen mtls.log
	port=$(sed -n 's/.*port=\([0-9]*\).*/\1/p' mtls.log)
	login() { # ANSWER
		exec {s}<>"/dev/tcp/127.0.0.1/$port"
		read -r line <&$s
		printf '%s\r\n' "$alice" >&$s
		read -r line <&$s
		[[ $line == "a $1"* ]]
	}
	login OK
	first=$s
	for p in $(pgrep -u 62011 -x mimapd); do
		ls -l "/proc/$p/fd" || :
	done 2>&1 | grep -q "$d/state/sessions/"
	login "NO [LIMIT]"
	exec {first}>&-
	again() { # on the same connection
		printf '%s\r\n' "$alice" >&$s
		read -r line <&$s
		[[ $line == "a OK"* ]]
	}
	wait_for again
	kill $mtls
	wait $mtls || :
}
