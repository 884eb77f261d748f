#!/usr/bin/env bats
#
# mqueue(8): what is sent for the future waits for it, and what is to be
# delivered in time is not delivered later.

load lib
load mqueue.sh

setup() { queue_setup; }
teardown() { queue_teardown; }

# at OFFSET: that time, as in an envelope
at() {
	date -u -d "$1" +%Y-%m-%dT%H:%M:%SZ
}

# timed NAME=VALUE... -- RCPT...: a message with that in its environment
timed() {
	local vars=()
	while [ "$1" != -- ]; do
		vars+=("$1")
		shift
	done
	message | env "${vars[@]}" mqueue add -f alice@example.org "$@"
}

next_of() {
	mqueue ls "$1" | cut -f4
}

sink_of_everything() {
	transport sink <<<'cat >"$D/out/$MAIL_ID"; date +%s.%N >"$D/out/$MAIL_ID.at"'
	echo '* sink' >conf/routes
}

failing_sink() {
	transport sink <<-'END'
		cat >"$D/out/$MAIL_ID"
		case $4 in alice*) exit 0 ;; esac
		echo 'come back later'; exit 75
	END
	echo '* sink' >conf/routes
}

@test "a message for the future is due then, and says so" {
	when=$(at '+30 days')
	id=$(timed MAIL_HOLDUNTIL="$when" -- b@y.test)
	grep -qx "from alice@example.org HOLDUNTIL=$when" "queue/$id"
	[ "$(next_of "$id")" = "$when" ]
	state_is "$id" new
	echo '* msend' >conf/routes
	[ -z "$(mqueue next)" ]
	# moved to another queue it still is
	again=$(mqueue show -r "$id" | mqueue add -e)
	[ "$(next_of "$again")" = "$when" ]
	run -75 timed MAIL_HOLDUNTIL=tomorrow -- b@y.test
	[[ $output == *"MAIL_HOLDUNTIL: not a time"* ]]
}

@test "run waits for it, over a start and however far off it is" {
	sink_of_everything
	far=$(timed MAIL_HOLDUNTIL="$(at '+30 days')" -- b@y.test)
	start_run
	when=$(at '+5 seconds')
	soon=$(timed MAIL_HOLDUNTIL="$when" -- b@y.test)
	now=$(add c@y.test)
	wait_for test -s "out/$now.at"
	stop_run
	start_run
	wait_for test -s "out/$soon.at"
	[ "$(cut -d . -f 1 "out/$soon.at")" -ge "$(date -d "$when" +%s)" ]
	wait_for grep -q "id=$soon" log
	[ ! -e "out/$far" ]
	state_is "$far" new
}

@test "a clock that went back does not let it go early" {
	sink_of_everything
	id=$(timed MAIL_HOLDUNTIL="$(at '+2 hours')" -- b@y.test)
	touch -d '+3 days' "queue/$id"
	start_run
	other=$(add c@y.test)
	wait_for test -e "out/$other"
	[ ! -e "out/$id" ]
}

@test "retry leaves it alone, release lets it go; a hold is another matter" {
	sink_of_everything
	when=$(at '+2 days')
	id=$(timed MAIL_HOLDUNTIL="$when" -- b@y.test)
	run -0 mqueue retry "$id"
	[[ $output == *"$id: sent for $when"* ]]
	[ "$(next_of "$id")" = "$when" ]
	mqueue hold "$id"
	mqueue release "$id"
	[ "$(next_of "$id")" = "$when" ]
	start_run
	mqueue release "$id"
	wait_for empty
	[ -e "out/$id" ]
}

@test "its life, and the notice of delay, begin with its release" {
	limits 'retry-first 1' 'retry-max 1' 'delay-notice 2'
	failing_sink
	printf 'pneu-queue 1\nfrom alice@example.org HOLDUNTIL=%s\nto b@y.test\nreceived %s - - -\nsize 000000000013\n\nSubject: x\n\n' \
		"$(at '+1 second')" "$(at '-10 days')" >file
	sed -i 's/size 0*13/size 000000000014/' file
	start_run
	id=$(mqueue add -e <file)
	# received long ago it would have been given up at its first attempt
	wait_for deferred_often "$id"
	wait_for told_of_delay
	stop_run
	limits 'retry-first 1' 'retry-max 1' 'delay-notice 2' 'queue-lifetime 1'
	start_run
	wait_for empty
	grep -q "^mqueue bounce id=$id .*code=4.4.7" log
	[ "$(grep -lx 'Action: delayed' out/* | wc -l)" -eq 1 ]
	grep -q '^Future-Release-Request: until;' $(grep -lx 'Action: failed' out/*)
}

@test "too late: it is returned and not tried" {
	sink_of_everything
	id=$(timed MAIL_BY="$(at '-1 second');R" -- b@y.test c@y.test)
	[ -z "$(mqueue next -n)" ]
	start_run
	wait_for empty
	wait_for grep -q 'to=alice@example.org' log
	[ ! -e "out/$id" ]
	[ "$(grep -c "^mqueue bounce id=$id .*code=5.4.7" log)" -eq 2 ]
	dsn=$(grep -lx 'Action: failed' out/*)
	[ "$(grep -cx 'Status: 5.4.7' "$dsn")" -eq 2 ]
	grep -q '^Deliver-By-Date: ' "$dsn"
}

@test "in time it is tried, and returned when the time is over" {
	limits 'retry-first 600' 'retry-max 600'
	failing_sink
	start_run
	by=$(at '+15 seconds')
	id=$(timed MAIL_BY="$by;R" -- b@y.test)
	wait_for grep -q "^mqueue defer id=$id" log
	[ "$(next_of "$id")" = "$by" ]
	wait_for empty
	grep -q "^mqueue bounce id=$id .*code=5.4.7" log
	[ "$(grep -c "^mqueue defer id=$id" log)" -eq 1 ]
	[ "$(date +%s)" -ge "$(date -d "$by" +%s)" ]
	# by hand, too
	id=$(timed MAIL_BY="$(at '-1 second');R" 'MAIL_RCPT_ARGS=NOTIFY=NEVER' -- b@y.test)
	wait_for empty
}

@test "next by hand returns what is too late" {
	echo '* msend' >conf/routes
	id=$(timed MAIL_BY="$(at '-1 second');R" -- b@y.test)
	run -0 mqueue next
	[[ $output != *"$id	"* ]]
	[ "$(mqueue ls 'from:<>' | wc -l)" -eq 1 ]
	[ "$(mqueue ls | wc -l)" -eq 1 ]
}

@test "N: the sender is told once, and delivery goes on" {
	limits 'retry-first 1' 'retry-max 1'
	failing_sink
	start_run
	id=$(timed MAIL_BY="$(at '+2 seconds');N" -- b@y.test)
	silent=$(timed MAIL_BY="$(at '+2 seconds');N" MAIL_RCPT_ARGS=NOTIFY=FAILURE -- b@y.test)
	tries() {
		[ "$(grep -c "^mqueue defer id=$1" log)" -ge 5 ]
	}
	wait_for tries "$id"
	wait_for tries "$silent"
	told() {
		[ "$(grep -lx 'Action: delayed' out/* | wc -l)" -eq 1 ]
	}
	wait_for told
	dsn=$(grep -lx 'Action: delayed' out/*)
	grep -qx 'Status: 4.4.7' "$dsn"
	grep -q '^Deliver-By-Date: ' "$dsn"
	grep -q "parent=$id" log
	run ! grep -q "parent=$silent" log
	state_is "$id" deferred
	sink_of_everything
	wait_for empty
}
