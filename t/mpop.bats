#!/usr/bin/env bats
#
# mpop(8): a maildrop is a snapshot, and only QUIT removes anything.

load lib

setup() {
	at_home
	mkdir -p box/tmp box/new box/cur
	printf 'Subject: one\n\n.dot\n..two\nlast\n' >box/new/1000000001.M1P1.h
	printf 'Subject: two\n\nbody\n' >box/new/1000000002.M1P1.h
	printf 'Subject: three\n\n' >box/new/1000000003.M1P1.h
}

# Commands in, answers out without their CR.
pop() {
	printf '%s\r\n' "$@" | mpop -p box 2>log | tr -d '\r'
}

files() {
	find box/new box/cur -type f | wc -l
}

# The record that mauth hands over, on descriptor 9: login, input, state.
session() {
	printf 'pneu-session 1\nlogin %s\nservice pop3\nmech PLAIN\nlabel -\ntls \nconn 01k0000000abcd\nstate %d\nunread %d\n\n%s%s' \
		"$1" "${#3}" "${#2}" "$3" "$2"
}

@test "-p greets in the transaction state and serves a Maildir" {
	run -0 pop STAT LIST "LIST 2" QUIT
	[ "${lines[0]}" = "+OK pneu POP3 ready, no login needed" ]
	[ "${lines[1]}" = "+OK 3 75" ]
	[ "${lines[3]}" = "1 35" ]
	[ "${lines[7]}" = "+OK 2 22" ]
	[ "${lines[8]}" = "+OK bye" ]
	[ "$(files)" = 3 ]
	grep -q '^mpop close conn=.* svc=pop3 size=0 .* why=quit n=0$' log
}

@test "RETR sends what LIST counted, with dots doubled" {
	pop "RETR 1" QUIT >out
	[ "$(sed -n 2p out)" = "+OK 35 octets" ]
	sed '1,2d; /^\.$/,$d; s/^\.//' out >got
	printf 'Subject: one\n\n.dot\n..two\nlast\n' | cmp - got
	grep -qx '\.\.\.two' out
}

@test "RETR marks a message as seen, TOP does not" {
	pop "RETR 1" "TOP 2 1" QUIT >out
	[ -e box/cur/1000000001.M1P1.h:2,S ]
	[ -e box/cur/1000000002.M1P1.h:2, ]
}

@test "TOP gives the header, a blank line and the first lines" {
	run -0 pop "TOP 1 1" "TOP 1 0" "TOP 1 99" "TOP 1" "TOP 1 x" QUIT
	[ "$output" = "+OK pneu POP3 ready, no login needed
+OK
Subject: one

..dot
.
+OK
Subject: one

.
+OK
Subject: one

..dot
...two
last
.
-ERR TOP takes a message and a number
-ERR TOP takes a message and a number
+OK bye" ]
}

@test "deleted messages go at QUIT, and their numbers stay" {
	run -0 pop "DELE 1" "DELE 1" "RETR 1" "LIST 1" STAT LIST QUIT
	[ "${lines[1]}" = "+OK deleted at QUIT" ]
	[ "${lines[2]}" = "-ERR that message is deleted" ]
	[ "${lines[3]}" = "-ERR that message is deleted" ]
	[ "${lines[4]}" = "-ERR that message is deleted" ]
	[ "${lines[5]}" = "+OK 2 40" ]
	[ "${lines[7]}" = "2 22" ]
	[ "$(files)" = 2 ]
	grep -q ' why=quit n=1$' log
}

@test "a dropped connection deletes nothing" {
	run -0 pop "DELE 1" "DELE 2"
	[ "$(files)" = 3 ]
	grep -q ' why=closed n=0$' log
}

@test "RSET takes deletions back" {
	run -0 pop "DELE 1" RSET STAT QUIT
	[ "${lines[3]}" = "+OK 3 75" ]
	[ "$(files)" = 3 ]
}

@test "UIDL names are the same in every session and never used again" {
	pop UIDL QUIT | sed -n '/^[0-9]/p' >first
	[ "$(wc -l <first)" = 3 ]
	pop "DELE 3" QUIT >/dev/null
	printf 'Subject: four\n\n' >box/new/1000000004.M1P1.h
	pop UIDL "UIDL 3" QUIT >second
	sed -n 3,4p second | cmp - <(head -n 2 first)
	! grep -qF "$(tail -n 1 first | cut -d' ' -f2)" second || false
	grep -q "^+OK 3 [0-9]*\.4$" second
}

@test "UIDL names survive flags that other programs set" {
	pop UIDL QUIT | sed -n '/^[0-9]/p' >first
	mv box/cur/1000000002.M1P1.h:2, box/cur/1000000002.M1P1.h:2,FRS
	pop UIDL QUIT | sed -n '/^[0-9]/p' | cmp - first
}

@test "a message that another program removed is -ERR, the rest goes on" {
	mkfifo in
	mpop -p box <in >out 2>log &
	exec 8>in
	printf 'STAT\r\n' >&8
	wait_for grep -q '+OK 3' out
	rm box/cur/1000000002*
	printf 'RETR 2\r\nDELE 2\r\nRETR 3\r\nDELE 3\r\nQUIT\r\n' >&8
	exec 8>&-
	wait
	grep -q '^-ERR that message has gone' out
	grep -q '^+OK bye' out
	[ "$(files)" = 1 ]
}

@test "a new message does not change the numbers of a session" {
	mkfifo in
	mpop -p box <in >out 2>log &
	exec 8>in
	printf 'STAT\r\n' >&8
	wait_for grep -q '+OK 3' out
	printf 'x\n\n' >box/new/0999999999.M1P1.h
	printf 'STAT\r\nDELE 1\r\nQUIT\r\n' >&8
	exec 8>&-
	wait
	[ "$(grep -c '+OK 3 75' out)" = 2 ]
	[ ! -e box/cur/1000000001.M1P1.h:2, ]
	[ "$(files)" = 3 ]
}

@test "CAPA lists what there is, and no login" {
	run -0 pop CAPA QUIT
	for c in TOP UIDL PIPELINING RESP-CODES AUTH-RESP-CODE; do
		grep -qx "$c" <<<"$output"
	done
	! grep -qE 'SASL|USER|STLS' <<<"$output" || false
}

@test "UTF8: 8-bit headers come as they are with it, encoded without" {
	printf 'Subject: Gr\303\274\303\237e\nFrom: x@y\n\nb\303\266dy\n' \
		>box/new/1000000004.M1P1.h
	pop "RETR 4" "TOP 4 0" QUIT >out
	[ "$(grep -cxF 'Subject: =?UTF-8?B?R3LDvMOfZQ==?=' out)" = 2 ]
	grep -qx $'b\303\266dy' out
	pop UTF8 "RETR 4" QUIT >out
	grep -qx $'Subject: Gr\303\274\303\237e' out
	mkdir conf
	echo "example.test" >conf/domains
	echo "alice@example.test:$(id -u):$(id -g):$PWD:maildir=box" >conf/users
	session alice@example.test $'RETR 4\r\nUTF8\r\nQUIT\r\n' UTF8 |
		PNEU_SESSION=9 mpop 9<&0 </dev/null 2>log | tr -d '\r' >out
	grep -qx $'Subject: Gr\303\274\303\237e' out
	grep -qx -e '-ERR UTF8 comes before the login' out
}

@test "LANG lists and takes English" {
	run -0 pop LANG "LANG en" "LANG xx" CAPA QUIT
	[ "${lines[2]}" = "en English" ]
	[ "${lines[4]}" = "+OK en English it is" ]
	[ "${lines[5]}" = "-ERR no such language here" ]
	grep -qx UTF8 <<<"$output"
	grep -qx LANG <<<"$output"
}

@test "UIDL gives the names that another server gave" {
	pop UIDL QUIT >first
	v=$(sed -n 's/^1 \([0-9]*\)\.1$/\1/p' first)
	printf 'pneu-uidl 1\n%s\n1\t<old-1>\n3\told.3\n' "$v" >box/pneu.uidl
	run -0 pop UIDL "UIDL 3" QUIT
	[ "${lines[2]}" = "1 <old-1>" ]
	[ "${lines[3]}" = "2 $v.2" ]
	[ "${lines[4]}" = "3 old.3" ]
	[ "${lines[6]}" = "+OK 3 old.3" ]
	printf 'pneu-uidl 1\n%s\n1\t<old-1>\n' $((v + 1)) >box/pneu.uidl
	pop UIDL QUIT | cmp - first
	printf 'noise' >box/pneu.uidl
	run -75 --separate-stderr mpop -p box </dev/null
	[[ $output == "-ERR [SYS/TEMP]"* ]]
}

@test "LOGIN-DELAY: a login too soon is refused, not one with -p" {
	mkdir conf
	echo "example.test" >conf/domains
	echo "alice@example.test:$(id -u):$(id -g):$PWD:maildir=box" >conf/users
	echo "pop3-login-delay 100" >conf/limits
	login() {
		session alice@example.test $'CAPA\r\nQUIT\r\n' |
			PNEU_SESSION=9 mpop 9<&0 </dev/null 2>log | tr -d '\r'
	}
	run -0 login
	grep -qx 'LOGIN-DELAY 100' <<<"$output"
	run -0 login
	[ "$output" = "-ERR [LOGIN-DELAY] too soon after the last login" ]
	grep -q '^mpop close .*user=alice@example.test why=delay$' log
	touch -d '101 seconds ago' box/pneu.pop3-login
	run -0 login
	[ "${lines[0]}" = "+OK logged in" ]
	run -0 pop CAPA QUIT
	! grep -q LOGIN-DELAY <<<"$output" || false
}

@test "wrong commands are answered, and twenty of them end the session" {
	run -0 pop NOPE "LIST 4" "LIST 0" "LIST x" "STAT 1" "USER a" "RETR" \
		"DELE -1" NOOP noop QUIT
	[ "${lines[1]}" = "-ERR no such command" ]
	[ "${lines[2]}" = "-ERR no such message" ]
	[ "${lines[5]}" = "-ERR that takes no argument" ]
	[ "${lines[6]}" = "-ERR you are logged in already" ]
	[ "${lines[10]}" = "+OK" ]
	run -0 pop $(yes NOPE | head -n 30)
	[ "$(grep -c '^-ERR' <<<"$output")" = 20 ]
	grep -q ' why=errors n=0$' log
}

@test "a line without end is refused and does not grow" {
	(zeros 100000 | tr '\0' A; printf '\r\nNOOP\r\nQUIT\r\n') |
		mpop -p box >out 2>log
	[ "$(tr -d '\r' <out | sed -n 2,3p)" = "-ERR the line is too long
+OK" ]
}

@test "a login of mauth is greeted with its success, and its input kept" {
	mkdir conf
	echo "example.test" >conf/domains
	echo "alice@example.test:$(id -u):$(id -g):$PWD:maildir=box" >conf/users
	printf 'QUIT\r\n' >in
	session alice@example.test $'NOOP\r\nSTAT\r\n' |
		PNEU_SESSION=9 mpop 9<&0 <in 2>log | tr -d '\r' >out
	[ "$(cat out)" = "+OK logged in
+OK
+OK 3 75
+OK bye" ]
	grep -q '^mpop close conn=01k0000000abcd .*user=alice@example.test' log
}

@test "a user whose Maildir is not there yet has an empty one" {
	run -0 bash -c 'printf "STAT\r\nQUIT\r\n" | mpop -p 2>/dev/null'
	[[ ${lines[1]} == "+OK 0 0"* ]]
	[ -d Maildir/new ]
}

@test "with a Maildir as argument and no session it serves that" {
	run -0 bash -c 'printf "STAT\r\nQUIT\r\n" | mpop box 2>/dev/null'
	[[ ${lines[1]} == "+OK 3 75"* ]]
}

@test "without a login, -p or a Maildir it serves nobody" {
	run -64 mpop
	[ "$output" = "mpop: nobody is logged in: run by mauth, or with -p" ]
}

@test "a record of a login that can't be read is later" {
	run -75 --separate-stderr bash -c \
		'echo nonsense | PNEU_SESSION=9 mpop 9<&0 </dev/null'
	[[ $output == "-ERR [SYS/TEMP]"* ]]
	[ "$stderr" = "mpop: the record of the login can't be read" ]
}

@test "a Maildir that is not there is later, and the client is told" {
	run -75 --separate-stderr mpop -p nosuch </dev/null
	[[ $output == "-ERR [SYS/TEMP]"* ]]
	[ "$stderr" = "mpop: nosuch: No such file or directory" ]
	[ ! -e nosuch ]
}

@test "an index of a later release is left alone" {
	pop QUIT >/dev/null
	printf 'pneu-snapshot 2\nwhatever' >box/pneu.snapshot
	run -75 --separate-stderr mpop -p box </dev/null
	[[ $output == "-ERR [SYS/TEMP]"* ]]
	[ "$(head -n 1 box/pneu.snapshot)" = "pneu-snapshot 2" ]
}

@test "wrong usage says so" {
	run -64 mpop -Z
	[ "$output" = "usage: mpop [-pV] [-c DIR] [MAILDIR]" ]
	run -64 mpop -p a b
	[ "$output" = "usage: mpop [-pV] [-c DIR] [MAILDIR]" ]
	run -64 mpop -c
	run -0 mpop -V
	[ "$output" = "mpop 0.1" ]
}

@test "a large message passes in little memory" {
	[[ $BUILD != *san* ]] || skip "the sanitizers need more"
	(printf 'Subject: big\n\n'; zeros 60000000 | tr '\0' x | fold -w 900) \
		>box/new/1000000009.M1P1.h
	printf 'RETR 4\r\nQUIT\r\n' >in
	bash -c 'ulimit -v 60000; mpop -p box <in 2>log' | wc -c >n
	[ "$(cat n)" -gt 60000000 ]
	grep -q why=quit log
}

@test "SIGTERM ends a session that waits, deletes nothing and is logged" {
	run -0 python3 - 3>&- <<'E'
import signal, subprocess
signal.alarm(240)
p = subprocess.Popen(["mpop", "-p", "box"], stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE, stderr=open("err", "wb"))
p.stdout.readline()
p.stdin.write(b"DELE 1\r\n")
p.stdin.flush()
assert p.stdout.readline().startswith(b"+OK")
p.send_signal(signal.SIGTERM)
assert p.stdout.readline() == b""
assert p.wait(60) == 0
E
	[ "$(files)" = 3 ]
	[ "$(grep -c '^mpop close .* why=shutdown n=0$' err)" = 1 ]
}
