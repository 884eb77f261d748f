#!/usr/bin/env bats
#
# Options mean the same everywhere, usage lines are those of the manual,
# and wrong usage is one line and 64.

load lib

programs() {
	for p in "$BUILD"/m* "$BUILD/pneu"; do
		[ -f "$p" ] && [ -x "$p" ] && basename "$p"
	done
}

# The SYNOPSIS of a page as one line.
synopsis() {
	mandoc -T utf8 "$ROOT/man/$1.8" | col -bx |
		awk '/^SYNOPSIS/ { on = 1; next } /^[A-Z]/ { on = 0 } on' |
		tr '\n' ' ' | tr -s ' ' | sed 's/^ //; s/ $//; s/‐/-/g'
}

lower() {
	tr 'A-Z' 'a-z'
}

letters() {
	grep -o -- '[[ ]-[A-Za-z]*' | tr -d '[ -' | xargs
}

@test "each program says its version with -V" {
	for p in $(programs); do
		run -0 "$BUILD/$p" -V
		[ "$output" = "$p 0.1" ]
	done
}

@test "an unknown option is wrong usage, and the line is the manual's" {
	for p in $(programs); do
		run -64 "$BUILD/$p" -Z
		[ "${#lines[@]}" -eq 1 ]
		usage=${output#usage: }
		manual=$(synopsis "$p")
		echo "usage:  $usage"
		echo "manual: $manual"
		# words in any case, letters as they are; verbs may follow
		[[ "$(lower <<<"$manual") " == "$(lower <<<"$usage") "* ]]
		[[ "$(letters <<<"$manual") " == "$(letters <<<"$usage") "* ]]
	done
}

@test "usage lines of mindex's verbs are the manual's" {
	cd "$BATS_TEST_TMPDIR"
	mandoc -T utf8 "$ROOT/man/mindex.8" | col -bx | sed 's/‐/-/g; s/ | /|/g' >page
	for v in show check repair rebuild adopt export restore compress uidl; do
		run -64 mindex "$v" -Z
		grep -Fiqx "     ${output#usage: mindex }" page || {
			echo "$output"
			return 1
		}
	done
}

@test "a letter in a usage line is in the table of options" {
	table=nvjJfFmlhutrwVpciSLskgadRe
	for p in $(programs); do
		for o in $("$BUILD/$p" -Z 2>&1 | grep -o '\[-[A-Za-z]*' | tr -d '[-' | fold -w 1); do
			[[ $table == *$o* ]] || { echo "$p has -$o"; return 1; }
		done
	done
}

@test "a missing argument of an option is wrong usage" {
	for p in $(programs); do
		[ "$p" != pneu ] || continue
		run -64 "$BUILD/$p" -c
		[[ $output == *"usage: $p"* ]]
	done
}
