# What every bats file loads: build/ first in PATH, and a few words.

bats_require_minimum_version 1.5.0

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$ROOT/build}
PATH=$BUILD:$PATH
export ROOT BUILD PATH
unset PNEU_CONF MAILDIR MAIL MAIL_COMMITFD PNEU_SESSION

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

# Wait until a command succeeds, 10 seconds at most (WAIT= for more).
wait_for() {
	local end=$((SECONDS + ${WAIT:-10}))
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || {
			echo "gave up waiting for: $*" >&2
			return 1
		}
		sleep 0.05
	done
}

# The last line of a file is this text.
last_line_is() {
	[ "$(tail -n 1 "$1")" = "$2" ]
}
