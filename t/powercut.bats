#!/usr/bin/env bats
#
# What was answered survives a power cut, wherever it comes; and the test
# that says so finds the fault when one sync is taken out (t/tools/powercut.py).
# CUTS=0 looks at every state that there is.

load lib

setup_file() {
	command -v strace >/dev/null || skip "strace is not installed"
	strace -o /dev/null true 2>/dev/null || skip "nothing can be traced here"
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	[[ $BUILD != *san* ]] || skip "the programs are recorded as they are built"
	export PNEU_CONF=$PWD/no-conf HOME=$PWD
}

cut() { python3 "$ROOT/t/tools/powercut.py" "$@" 3>&-; }

@test "a store: delivery, APPEND, MOVE, COPY, EXPUNGE, a new snapshot" {
	run -0 cut store -n "${CUTS:-1200}"
	echo "$output"
	[[ $output == *" operations, "*" states, 0 faults" ]]
}

@test "without the sync of a message, a folder, the journal or the index" {
	run -0 cut store -n 300 -d file -d folder -d journal -d index
}

@test "MULTIAPPEND, REPLACE, gzip, folders, POP3, two recipients, mindex" {
	run -0 cut more -n "${CUTS:-1500}"
	echo "$output"
	[[ $output == *" operations, "*" states, 0 faults" ]]
}

@test "without one sync of any of these" {
	run -0 cut more -n 150 \
		-d multiappend:file -d multiappend:folder \
		-d multiappend:journal -d replace:file -d replace:folder \
		-d gzip:file -d gzip:folder -d create:root -d create:folder \
		-d create:index -d rename:root -d inbox:folder -d inbox:index \
		-d batch:file -d batch:folder -d rebuild:index
	run -0 cut more -d pop:journal # few states of all have its fault
}

@test "STATUS of folders without an index" {
	run -0 cut numbers
	echo "$output"
	[[ $output == *" operations, "*" states, 0 faults" ]]
}

@test "without the sync of the memory, an index or a journal of these" {
	run -0 cut numbers -d memory -d index -d journal
}

@test "a first index that is shown before it is on disk" {
	run -0 cut first -n "${CUTS:-700}"
	echo "$output"
	[[ $output == *" operations, "*" states, 0 faults" ]]
}

@test "without its promise, or the sync that follows" {
	run -0 cut first -n 400 -d select:memory -d others:memory \
		-d pop:memory -d append:index -d append:journal
}

@test "a disk whose syncs fail for a while" {
	run -0 cut sick -n "${CUTS:-700}"
	echo "$output"
	[[ $output == *" operations, "*" states, 0 faults" ]]
}

@test "the queue: mqueue add" {
	run -0 cut queue
}

@test "without the sync of a queued message or of the queue" {
	run -0 cut queue -d queue -d queue-folder
}
