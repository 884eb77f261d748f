# What every bats file loads: build/ first in PATH, and a few words.

bats_require_minimum_version 1.5.0

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$ROOT/build}
PATH=$BUILD:$PATH
export ROOT BUILD PATH
unset PNEU_CONF PNEU_DNS PNEU_SESSION MAILDIR MAIL MAIL_COMMITFD MAIL_ID
unset MAIL_AUTH MAIL_RCPT_ARGS PROTO TCPREMOTEIP SSLCTLFD
# a host of our own, never one that the caller has at heart
case ${PNEU_DIR:-} in
/tmp/pneu-t.*) ;;
*) unset PNEU_DIR ;;
esac

# The folder of a test is its home, with the configuration that it makes in
# ./conf, if any.
at_home() {
	cd "$BATS_TEST_TMPDIR"
	export HOME=$PWD PNEU_CONF=$PWD/conf
}

# Run a command with its files limited to N blocks of 1024 bytes.
limit_fsize() {
	(
		ulimit -f "$1"
		trap '' XFSZ
		shift
		"$@"
	)
}

# N zero bytes.
zeros() {
	head -c "$1" /dev/zero
}

# Wait until a command succeeds, 30 seconds at most (WAIT= for more).
wait_for() {
	local end=$((SECONDS + ${WAIT:-30}))
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || {
			echo "gave up waiting for: $*" >&2
			return 1
		}
		sleep 0.05
	done
}

# A port for a program that can't say which one it got: one that the kernel
# gives to no connection in the meantime.
free_port() {
	python3 -c 'import random, socket
while True:
    p = random.randrange(10000, 32000)
    try:
        for a in "127.0.0.1", "0.0.0.0":
            socket.socket().bind((a, p))
        break
    except OSError:
        pass
print(p)'
}

# A program listens on this Unix socket: its name is there a little earlier.
listens() {
	grep -q " 00010000 .* $1\$" /proc/net/unix
}

# The last line of a file is this text.
last_line_is() {
	[ "$(tail -n 1 "$1")" = "$2" ]
}

# A whole host (scripts/up) in a folder that every account can reach; its
# env is sourced.  host_down stops it and removes the folder.
host_dir() {
	PNEU_DIR=$(mktemp -d /tmp/pneu-t.XXXXXX)
	chmod 0711 "$PNEU_DIR"
}

host_up() {
	[ -n "${PNEU_DIR:-}" ] || host_dir
	"$ROOT/scripts/up" -d "$PNEU_DIR" 3>&- || {
		tail -n 20 "$PNEU_DIR"/log/* >&2
		return 1
	}
	. "$PNEU_DIR/env"
}

host_down() {
	[ -d "${PNEU_DIR:-}" ] || return 0
	"$ROOT/scripts/down" -d "$PNEU_DIR" 3>&- || :
	rm -rf "$PNEU_DIR"
}

# A folder in the host's where every account may write: cd there.
cd_open() {
	cd "$(mktemp -d "$PNEU_DIR/open.XXXXXX")" && chmod 0777 .
}

# What is in the Maildir of NAME.
mail_of() {
	find "$PNEU_DIR/mail/$1/new" "$PNEU_DIR/mail/$1/cur" -type f 2>/dev/null
}

# NAME has N messages.
has_mail() {
	[ "$(mail_of "$1" | grep -c .)" -eq "$2" ]
}
