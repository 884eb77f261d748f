#!/usr/bin/env bats
#
# mauth, and the server behind it, are started once, too, and fork for each
# connection and each user.

load lib
load tls
load ready.sh

# people: bob, with mail, and the accounts of a login; programs in bin
people() {
	ids=$(id -u):$(id -g)
	if [ "$(id -u)" -eq 0 ]; then
		u='-u root'
		ids=62011:62011
		echo 'pneu-login 62003 62003' >>conf/uids
	fi
	mkdir -p home state bin
	chown "$ids" home
	printf '%s\n' "queue $work/queue" "state $work/state" >conf/paths
	echo 'example.test' >conf/domains
	echo "bob@example.test:$ids:$work/home:maildir=$work/home/m" >conf/users
	(umask 077 && echo "bob@example.test:a:all:{PLAIN}secret:" >conf/secrets)
	touch -d '1 minute ago' conf/*
	install "$BUILD"/m{tls,auth,imapd,pop} bin/
}

# mauth_is_ready PID: of the mtls PID, which is to end with the test; $pid,
# $m and $port
mauth_is_ready() {
	pid=$1
	started="$started $pid"
	wait_for grep -q 'listen .*port=' log
	port=$(sed -n 's/.*listen .*port=\([0-9]*\).*/\1/p' log)
	wait_for eval 'm=$(pgrep -P $pid -x mauth) &&
		[[ $(readlink /proc/$m/fd/4) == /dev/null ]]'
}

# mauth_serve ARG...: mtls and mauth with these; $pid, $m and $port
mauth_serve() {
	: >log
	bin/mtls -l 127.0.0.1:0 $u mauth "$@" 2>>log 3>&- &
	mauth_is_ready $!
}

# The server that is ready below mauth: $server.
has_server() {
	for server in $(pgrep -P "$m" -x mimapd) $(pgrep -P "$m" -x mpop); do
		[[ $(readlink "/proc/$server/fd/4") != /dev/null ]] || return 0
	done
	return 1
}

# is_dead PID: it has gone, or it waits for its parent to look
is_dead() {
	! kill -0 "$1" || grep -q '^State:.*Z' "/proc/$1/status"
}

# imap: a session of bob with a descriptor in s; its process in last
imap() {
	exec {s}<>"/dev/tcp/127.0.0.1/$port"
	printf 'a LOGIN bob@example.test secret\r\n' >&$s
	read -r line <&$s
	read -r line <&$s
	[[ $line == 'a OK'* ]] || return 1
	last=$(pgrep -n -P "${1:-$server}" -x mimapd)
}

# what_is PID: all that tells one session from another
what_is() {
	grep -E '^(Uid|Gid|Groups|NoNewPrivs|Seccomp|SigIgn|SigBlk|SigCgt)' "/proc/$1/status"
	readlink "/proc/$1/cwd" "/proc/$1/root"
	cat "/proc/$1/limits"
	ls -l "/proc/$1/fd" | sed -n 's/.* \([0-9]* -> .*\)/\1/p' |
		sed 's/^[0-9]* -> //; s/\[[0-9]*\]//' | sort
}

@test "behind mauth the server is ready, too, and forks for a user" {
	people
	mauth_serve mimapd
	wait_for has_server
	imap
	what_is $last >ready.what
	was=$server
	has_server
	[ $was = $server ]
	exec {s}>&-
	if [ "$(id -u)" -eq 0 ]; then
		grep -q '^Uid:.62011.62011.62011.62011$' ready.what
		grep -qE '^Groups:\s*$' ready.what
	fi
	# the same from a name that nobody prepares for
	ln -s mimapd bin/other
	mauth_serve -g imap other
	exec {s}<>"/dev/tcp/127.0.0.1/$port"
	printf 'a LOGIN bob@example.test secret\r\n' >&$s
	read -r line <&$s
	read -r line <&$s
	[[ $line == 'a OK'* ]]
	last=$(pgrep -P "$m" -x other)
	what_is $last >executed.what
	exec {s}>&-
	diff ready.what executed.what
}

@test "only the monitor can speak to the server that is ready, not the greeter" {
	people
	mauth_serve mimapd
	wait_for has_server
	exec {s}<>"/dev/tcp/127.0.0.1/$port"
	read -r line <&$s
	monitor=$(pgrep -P "$m" -x mauth)
	greeter=$(pgrep -P "$monitor" -x mauth)
	packets() { # how many sockets that keep packets whole
		local n=0 i
		for i in $(ls -l "/proc/$1/fd" | sed -n 's/.*socket:\[\([0-9]*\)\]$/\1/p'); do
			! awk -v i="$i" '$7 == i && $5 == "0005" { exit 1 }' /proc/net/unix ||
				continue
			n=$((n + 1))
		done
		echo $n
	}
	[ "$(packets $monitor)" -eq 1 ]
	[ "$(packets $greeter)" -eq 0 ]
	printf 'a LOGIN bob@example.test secret\r\n' >&$s
	read -r line <&$s
	last=$(pgrep -P "$server" -x mimapd)
	[ "$(packets $last)" -eq 0 ]
	exec {s}>&-
}

@test "a server that is ready and dies: the next session is served, and another is ready" {
	people
	mauth_serve mimapd
	wait_for has_server
	was=$server
	imap
	kill -9 "$was"
	wait_for is_dead "$was"
	printf 'b NOOP\r\n' >&$s
	read -r line <&$s
	[[ $line == 'b OK'* ]]
	exec {s}>&-
	imap "$m"
	exec {s}>&-
	another() { # it is looked for at a connection
		imap "$m" && exec {s}>&- && has_server && [ "$server" != "$was" ]
	}
	wait_for another
	imap
	exec {s}>&-
}

@test "a session that dies of a fault is logged, and all start anew" {
	people
	mauth_serve mimapd
	wait_for has_server
	was=$m
	imap
	kill -ABRT "$last"
	wait_for grep -q 'mtls error what="a connection" why="signal 6"' log
	another() {
		m=$(pgrep -P $pid -x mauth) && [ "$m" != "$was" ] && has_server
	}
	wait_for another
	exec {s}>&-
	imap
	exec {s}>&-
}

@test "a new file of the server is used from a session on that begins later" {
	people
	mauth_serve mimapd
	wait_for has_server
	imap
	exec {s}>&-
	cp bin/mimapd bin/new
	mv bin/new bin/mimapd
	new() {
		has_server && imap && exec {s}>&- &&
			[ "$(stat -Lc %i "/proc/$server/exe")" -eq "$(stat -c %i bin/mimapd)" ]
	}
	wait_for new
}

@test "what the server can't begin is said to the client: a home that is missing, a root" {
	people
	mauth_serve mimapd
	wait_for has_server
	rm -r home
	exec {s}<>"/dev/tcp/127.0.0.1/$port"
	printf 'a LOGIN bob@example.test secret\r\n' >&$s
	read -r line <&$s
	read -r line <&$s
	[[ $line == '* BYE '* ]]
	exec {s}>&-
	grep -q "mimapd error what=\"$work/home\" why=\"No such file or directory\"" log
	[ "$(id -u)" -ne 0 ] || {
		sed -i 's/62011:62011/0:0/' conf/users
		touch -d '1 minute ago' conf/users
		exec {s}<>"/dev/tcp/127.0.0.1/$port"
		printf 'a LOGIN bob@example.test secret\r\n' >&$s
		read -r line <&$s
		read -r line <&$s
		[[ $line != 'a OK'* ]]
		exec {s}>&-
		wait_for eval '! pgrep -u 0 -P "$server" -x mimapd'
	}
}

@test "without a session nobody wakes up" {
	people
	mauth_serve mimapd
	wait_for has_server
	imap
	exec {s}>&-
	wakes() {
		sed -n 's/^voluntary_ctxt_switches:.//p' "/proc/$pid/status" "/proc/$m/status" "/proc/$server/status"
	}
	still() {
		local before=$(wakes)
		sleep 0.7
		[ "$(wakes)" = "$before" ]
	}
	wait_for still
}

@test "with -r and with -u the server is executed" {
	people
	for o in -r "-u $(id -un)"; do
		mauth_serve $o mimapd
		exec {s}<>"/dev/tcp/127.0.0.1/$port"
		read -r line <&$s
		! has_server || false
		exec {s}>&-
	done
}

@test "when the listener has ended all of it is gone, after the last that may log in" {
	people
	mauth_serve mimapd
	wait_for has_server
	exec {s}<>"/dev/tcp/127.0.0.1/$port"
	read -r line <&$s
	kill $pid
	wait $pid || :
	printf 'a LOGIN bob@example.test secret\r\n' >&$s
	read -r line <&$s
	[[ $line == 'a OK'* ]]
	wait_for eval '! kill -0 $m'
	wait_for eval '! kill -0 $server'
	exec {s}>&-
}

@test "mauth is ready, too, and a connection counts until its server ends" {
	echo 'connections-per-address 1' >conf/limits
	ids=$(id -u):$(id -g)
	if [ "$(id -u)" -eq 0 ]; then
		u='-u root'
		ids=62011:62011
		echo 'pneu-login 62003 62003' >>conf/uids
	fi
	echo 'example.test' >conf/domains
	mkdir -p home
	chown "$ids" home
	echo "bob@example.test:$ids:$work/home:maildir=$work/home" >conf/users
	(umask 077 && echo "bob@example.test:a:all:{SHA512-CRYPT}$(openssl passwd -6 secret):" >conf/secrets)
	: >log
	mtls -l 127.0.0.1:0 $u mauth mpop 2>log 3>&- &
	mauth_is_ready $!
	python3 - "$port" >out 3>&- <<-'PY' &
		import poplib, sys, time
		p = poplib.POP3("127.0.0.1", int(sys.argv[1]))
		p.user("bob@example.test"); p.pass_("secret")
		print(p.stat(), flush=True)
		time.sleep(100)
	PY
	held=$!
	started="$started $held"
	wait_for grep -qF '(0, 0)' out
	pgrep -P "$m" -x mpop
	run -0 socat -u "TCP:127.0.0.1:$port" -
	[ -z "$output" ]
	wait_for grep -q 'refuse .*too many connections of this address' log
	kill "$held"
	wait_for eval 'printf "QUIT\r\n" | socat -t 60 - "TCP:127.0.0.1:$port" | grep -q "^+OK"'
	[ "$(pgrep -P $pid -x mauth)" = "$m" ]
}
