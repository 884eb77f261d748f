#!/usr/bin/env bats
#
# Connections that say nothing cost little, and others are greeted.

load lib
load host

@test "300 silent connections: less than 400 kB each, others are greeted" {
	. "$PNEU_DIR/env"
	echo 'connections-per-address 400' >"$PNEU_CONF/limits"
	listener=$(sed -n 2p "$PNEU_DIR/pid")
	grep -q mrecv "/proc/$listener/cmdline"
	is_ready() {
		parent=$(pgrep -P "$listener" mrecv) && [ "$parent" != "${was:-}" ] &&
			[ "$(readlink "/proc/$parent/fd/4")" = /dev/null ]
	}
	wait_for is_ready
	was=$parent
	kill -HUP "$listener"
	wait_for is_ready
	run -0 "$ROOT/t/tools/memory.py" "$SMTP_PORT" 300 "$listener"
	echo "$output"
	read -r before each waited <<<"$output"
	[ "$waited" -lt 1000 ]
	[[ $BUILD == *san* ]] || [ "$each" -lt 400 ]
}
