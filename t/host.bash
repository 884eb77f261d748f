# What the tests of a whole host share: scripts/up once for a file, and each
# test in a folder of its own with the host's env.  A file that sets up more
# has a setup, or a setup_file, of its own.

setup_file() {
	host_up
	export PNEU_DIR
}

teardown_file() {
	host_down
}

at_host() {
	cd "$BATS_TEST_TMPDIR"
	export HOME=$PWD
	. "$PNEU_DIR/env"
}

setup() {
	at_host
}
