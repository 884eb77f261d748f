# For the tests of programs that are ready: a configuration and a queue in
# $work, listeners, and connections that are held.  Sourced behind lib and tls.

setup_file() {
	dir=$(mktemp -d /tmp/pneu-t.XXXXXX)
	chmod 0711 "$dir"
	tls_conf "$dir"
	echo mail.example.test >"$dir/me"
	echo 'example.test relay' >"$dir/domains"
	export SHARED=$dir
}

teardown_file() {
	rm -rf "$SHARED"
}

setup() {
	work=$(mktemp -d /tmp/pneu-t.XXXXXX)
	chmod 0755 "$work"
	cd "$work"
	export PNEU_CONF=$work/conf
	cp -a "$SHARED" conf
	mkdir queue
	echo "queue $work/queue" >conf/paths
	started=
	u=
	if [ "$(id -u)" -eq 0 ]; then
		u='-u pneu'
		chown 62001 queue
	fi
}

teardown() {
	[ -z "$started" ] || kill $started 2>/dev/null || :
	cd /
	rm -rf "$work"
}

# The same, once the program is ready.
serve_ready() {
	serve "$@"
	wait_for parent
}

# The program that is ready: $ready.  It holds places open for descriptors
# to come; a session that has lost its parent does not.
parent() {
	for p in $(pgrep -P "$pid" -x mrecv); do
		[[ $(readlink "/proc/$p/fd/4") != /dev/null ]] || {
			ready=$p
			return
		}
	done
	return 1
}

sessions() {
	pgrep -P "$ready" -x mrecv
}

halves() {
	pgrep -P "$pid" -x mtls
}

# Whether a listener of this test runs, or what it left for its sessions.
is_left() {
	for p in $(pgrep -x mtls); do
		! tr '\0' '\n' <"/proc/$p/environ" 2>/dev/null |
			grep -qx "PNEU_CONF=$work/conf" || return 0
	done
	return 1
}

# hold N: connections that say nothing, greeted, until $held is killed
hold() {
	python3 - "$port" "$1" >held 3>&- <<-'PY' &
		import socket, sys, time
		all = []
		for i in range(int(sys.argv[2])):
		    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		    assert s.recv(100).startswith(b"220"), i
		    all.append(s)
		print("held", flush=True)
		time.sleep(100)
	PY
	held=$!
	started="$started $held"
	wait_for grep -q held held
}

let_go() {
	kill "$held"
	wait_for eval '[ -z "$(sessions)" ]'
}

# A whole session in the clear, with one message.
send_one() {
	printf 'Subject: s\r\n\r\nx\r\n' >m
	curl -sS "$@" --mail-from a@elsewhere.test --mail-rcpt b@example.test \
		-T m "smtp://127.0.0.1:$port"
}
