#!/usr/bin/env bats
#
# pneu(8): our programs, whatever stands first in PATH.

load lib

@test "runs the program beside it, not the first in PATH" {
	mkdir other
	printf '#!/bin/sh\necho other\n' >other/mqueue
	chmod +x other/mqueue
	PATH=$PWD/other:$PATH run -0 "$BUILD/pneu" mqueue -V
	[[ $output == "mqueue "* ]]
}

@test "a name that is not a program of ours is wrong usage" {
	run -64 pneu nosuch
	[ "$output" = "pneu: nosuch: No such file or directory" ]
	run -64 pneu ../build/pneu
	[ "$output" = "pneu: ../build/pneu: not the name of a program" ]
}

@test "wrong usage says so" {
	run -64 pneu
	[ "$output" = "usage: pneu [-V] PROGRAM [ARG ...]" ]
	run -64 pneu -x
	[[ ${lines[-1]} == "usage: "* ]]
}

setup() {
	cd "$BATS_TEST_TMPDIR"
}
