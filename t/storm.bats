#!/usr/bin/env bats
#
# Many sessions at once: what each was told is what is there, and nobody
# waits for long.  STORM=SECONDS is how long the storm lasts.

load lib

setup() {
	D=$(mktemp -d /tmp/pneu-t.XXXXXX)
	chmod 0755 "$D"
	cd "$D"
	export PNEU_CONF=$PWD/no-conf HOME=$PWD
}

teardown() {
	rm -rf "$D"
}

storm() { python3 "$ROOT/t/tools/imapstorm.py" "$@" 3>&-; }

@test "fifty sessions on two mailboxes, and other programs: all views are one" {
	run -0 storm "$PWD/box" 50 "${STORM:-8}"
	echo "$output"
	[[ $output == "50 sessions, "*", 0 faults" ]]
}

@test "a view that was told wrong is found" {
	# each of them is deaf to one EXPUNGE in forty; it ends with the first
	run -1 python3 - 3>&- <<E
import sys
sys.path.insert(0, "$ROOT/t/tools")
import imapstorm
told = imapstorm.Session.told
count = [0]
def deaf(self, text):
    count[0] += b" EXPUNGE" in text
    if b" EXPUNGE" not in text or count[0] % 40:
        told(self, text)
imapstorm.Session.told = deaf
sys.exit(imapstorm.main("$PWD/box", 6, 60, 1))
E
}

@test "300 sessions of one uid wait, and all hear of a message within 2 s of their own" {
	[[ $BUILD != *san* ]] || skip "the sanitizers need too much memory"
	run -0 python3 "$ROOT/t/tools/idlers.py" "$PWD" 300 1 3>&-
	echo "$output"
	[[ $output == "300 wait, 300 heard, "* ]]
}

@test "2,000 sessions of 40 uids wait, and all hear of a message within 2 s of their own" {
	[[ $BUILD != *san* ]] || skip "the sanitizers need too much memory"
	[ "$(id -u)" -eq 0 ] || skip "only root has many uids"
	setpriv --reuid 62500 --regid 62500 --clear-groups \
		test -x "$(command -v mimapd)" -a -x "$PWD" ||
		skip "other accounts can't come here"
	run -0 python3 "$ROOT/t/tools/idlers.py" "$PWD" 2000 40 3>&-
	echo "$output"
	[[ $output == "2000 wait, 2000 heard, "* ]]
}
