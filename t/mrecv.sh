# For the tests of mrecv: a configuration, a sink that keeps its word, and
# sessions to say.  Sourced behind lib.

setup() {
	cd "$BATS_TEST_TMPDIR"
	mkdir conf store
	cat >conf/users <<-'E'
		alice@example.test:62011:62011:/nonexistent/alice:
		bob@example.test:62012:62012:/nonexistent/bob:disabled
		carol@example.test:62013:62013:/nonexistent/carol:
		josé@xn--bcher-kva.test:62014:62014:/nonexistent/jose:
	E
	printf 'example.test\nrelay.test relay\nbücher.test\n' >conf/domains
	printf 'postmaster: alice@example.test\nabuse: alice@example.test\n' >conf/aliases
	echo mx.example.test >conf/me
	echo '192.0.2.9 xclient' >conf/proxies
	echo "queue $PWD/queue" >conf/paths
	touch -d '1 hour ago' conf/*
	export PNEU_CONF=$PWD/conf
	# a sink that keeps its word: nothing before the commit
	script sink 'cat >"'"$PWD"'/tmp.$$"
		[ "$(eval "head -c 1 <&$MAIL_COMMITFD")" = y ] || {
			rm "'"$PWD"'/tmp.$$"
			exit 75
		}
		printf "%s\n" "$@" >"'"$PWD"'/args"
		env >"'"$PWD"'/env"
		mv "'"$PWD"'/tmp.$$" "'"$PWD"'/store/$MAIL_ID"'
}

# script NAME TEXT: an executable in the present folder
script() {
	printf '#!/bin/sh\n%s\n' "$2" >"$1"
	chmod +x "$1"
}

# say LINE...: a dialogue
say() {
	printf '%s\r\n' "$@"
}

# one LINE...: a session with one message for alice, whose lines are given
one() {
	say 'EHLO me.test' 'MAIL FROM:<s@x.org>' 'RCPT TO:<alice@example.test>' \
		DATA "$@" . QUIT
}

# bulk N: N bytes in lines of 70
bulk() {
	{ head -c "$1" /dev/zero | tr '\0' y | fold -w 70; echo; } | sed 's/$/\r/'
}

# last_reply FILE: what was said after the dot
last_reply() {
	tr -d '\r' <"$1" | tail -n 2 | head -n 1
}

queued() {
	find queue -maxdepth 1 -type f -name '????????????????' 2>/dev/null
}
