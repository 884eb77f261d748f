#!/usr/bin/env bats
#
# A short one of `make soak`: nothing grows with traffic.

load lib

@test "3,000 messages come through, and nothing is more at the end" {
	[[ $BUILD != *san* ]] || skip "memory that was freed is kept to be checked"
	run -0 "$ROOT/t/bench/soak" 3000
	echo "$output"
	[[ $output == "3000 messages in "* ]]
}
