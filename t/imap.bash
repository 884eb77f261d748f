# What the tests of mimapd share: a home of their own with the Maildir box,
# and three ways to speak with a session on it.  A file with more to set up
# has a setup of its own, which calls at_home.
#
# shellcheck disable=SC2154 # status and output: bats has them
export PYTHONPATH=$ROOT/t/imap PYTHONDONTWRITEBYTECODE=1

setup() {
	at_home
}

# Lines of a client, CRLF added; its answers, without CR.
say() {
	printf '%s\r\n' "$@" | mimapd -p box 2>log | tr -d '\r'
}

# A transcript: run.py says what is in one.
play() {
	run -0 python3 "$ROOT/t/imap/run.py" "$@" 3>&-
}

# A script on standard input, for several sessions at once: see client.py.
py() {
	run python3 - 3>&-
	[ "$status" -eq 0 ] || {
		echo "$output"
		return 1
	}
}
