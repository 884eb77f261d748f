#!/usr/bin/env bats
#
# What was answered survives a power cut, wherever it comes; and the test
# that says so finds the fault when one sync is taken out (t/tools/powercut.py).

load lib

setup_file() {
	command -v strace >/dev/null || skip "strace is not installed"
	strace -o /dev/null true 2>/dev/null || skip "nothing can be traced here"
}

setup() {
	at_home
	[[ $BUILD != *san* ]] || skip "the programs are recorded as they are built"
}

cut() { python3 "$ROOT/t/tools/powercut.py" "$@" 3>&-; }

@test "a store: delivery, APPEND, MOVE, COPY, EXPUNGE, a new snapshot" {
	run -0 cut store
}

@test "without the sync of a message, a folder, the journal or the index" {
	for kind in file folder journal index; do
		run -1 cut store -n 300 -d $kind
		[[ ${lines[0]} == "cut at "* ]]
	done
}

@test "the queue: mqueue add" {
	run -0 cut queue
}

@test "without the sync of a queued message or of the queue" {
	for kind in queue queue-folder; do
		run -1 cut queue -d $kind
		[[ ${lines[0]} == "cut at "* ]]
	done
}
