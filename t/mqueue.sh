# For the tests of mqueue: a queue of its own, with stand-in transports.
# Sourced behind lib.

queue_setup() {
	D=$(mktemp -d /tmp/pneu-t.XXXXXX)
	chmod 0755 "$D"
	mkdir "$D/conf" "$D/queue" "$D/bin" "$D/out"
	chmod 0777 "$D/out"
	chmod 0700 "$D/queue"
	if [ "$(id -u)" -eq 0 ]; then
		echo "pneu 62001 62001
pneu-lists 62006 62006" >"$D/conf/uids"
		chown 62001:62001 "$D/queue"
	fi
	echo mail.example.test >"$D/conf/me"
	echo "queue $D/queue" >"$D/conf/paths"
	: >"$D/conf/routes"
	cp "$BUILD/mqueue" "$D/bin/"
	PATH=$D/bin:$PATH
	export PNEU_CONF=$D/conf D
	cd "$D"
}

queue_teardown() {
	stop_run
	# transports that outlived it, each with its process group
	own=$(ps -o pgid= -p $$ | tr -d ' ')
	for g in $(ps -eo pgid=,args= | awk 'index($0, ENVIRON["D"] "/bin/") {
		print $1 }' | sort -u); do
		[ "$g" = "$own" ] || kill -9 -- "-$g" 2>/dev/null || :
	done
	rm -rf "$D"
}

# transport NAME: standard input becomes an executable sh script
transport() {
	{
		echo '#!/bin/sh'
		echo "D=$D"
		cat
	} >"$D/bin/$1"
	chmod 0755 "$D/bin/$1"
}

# A -J transport: standard input is sh that sets code and text for a job
# line that was read into id, file and rcpts.
job_transport() {
	{
		echo 'tab=$(printf "\t")'
		echo 'while IFS=$tab read -r id file route rcpts; do'
		echo 'IFS=$tab; for rcpt in $rcpts; do IFS=" "; code=2.0.0 text=done'
		cat
		echo 'printf "%s\t%s\t%s\t%s\n" "$id" "$rcpt" "$code" "$text"'
		echo 'done; done'
	} | transport "$1"
}

message() {
	printf 'From: a@example.org\nSubject: %s\n\n%s\n' "${1:-hello}" \
		"${2:-body}"
}

# add RCPT...: queue a message from alice, print its id
add() {
	message | mqueue add -f alice@example.org -- "$@"
}

limits() {
	printf '%s\n' "$@" >"$D/conf/limits"
}

start_run() {
	mqueue run 2>>"$D/log" 3>&- </dev/null &
	RUN=$!
	wait_for at_work "$D/queue"
}

# A run holds the lock of this queue: the file is there earlier, and later.
at_work() {
	python3 - "$1/lock" <<-'E'
		import fcntl, struct, sys
		ask = struct.pack("hhqqi", fcntl.F_WRLCK, 0, 0, 0, 0)
		with open(sys.argv[1], "r+b") as f:
		    got = fcntl.fcntl(f, fcntl.F_GETLK, ask)
		sys.exit(struct.unpack("hhqqi", got)[0] == fcntl.F_UNLCK)
	E
}

stop_run() {
	if [ -n "${RUN:-}" ]; then
		kill "$RUN" 2>/dev/null || :
		wait "$RUN" 2>/dev/null || :
		RUN=
	fi
}

# Two attempts at least have failed.
deferred_often() {
	[ "$(grep -c "^mqueue defer id=$1" "$D/log")" -ge 2 ]
}

told_of_delay() {
	grep -qx 'Action: delayed' "$D"/out/*
}

empty() {
	[ -z "$(mqueue ls)" ]
}

# The marks of a message, in order, as one word.
marks() {
	grep -aE '^(to|ok|no|xx) ' "$D/queue/$1" | cut -c1-2 | tr -d '\n'
}

has_marks() {
	[ "$(marks "$1")" = "$2" ]
}

state_is() {
	[ "$(mqueue ls "$1" | cut -f2)" = "$2" ]
}
