#!/usr/bin/env bats
#
# mqueue(8): what a person does to messages: bounce, edit, adopt, stat.

load lib
load mqueue.sh

setup() { queue_setup; }
teardown() { queue_teardown; }

editor() {
	transport ed
	export EDITOR="$D/bin/ed 'two words'"
	unset VISUAL
}

dsn() {
	mqueue cat "$(mqueue ls 'from:<>' | cut -f1)"
}

@test "bounce tells the sender, with the reason, of those who are left" {
	echo '* msend' >conf/routes
	id=$(add b@y.test c@y.test d@y.test)
	mqueue next >/dev/null
	printf '%s\tc@y.test\t2.0.0\tok\n' "$id" | mqueue done 2>/dev/null
	mqueue hold "$id"
	mqueue bounce -r '5.7.1 not wanted here' "$id" 2>err
	[ "$(grep -c "^mqueue bounce id=$id .*code=5.7.1" err)" -eq 2 ]
	[ ! -e "queue/$id" ]
	[ ! -e "queue/$id.hold" ]
	dsn >report
	[ "$(grep -cx 'Status: 5.7.1' report)" -eq 2 ]
	grep -q 'not wanted here' report
	run ! grep -q c@y.test report
	mqueue ls | mqueue rm -
	mqueue bounce "$(add b@y.test)" 2>/dev/null
	dsn | grep -qx 'Status: 5.0.0'
	mqueue ls to:alice@example.org | mqueue bounce - 2>/dev/null
	empty
	run -64 mqueue bounce
	run -64 mqueue bounce -r '5.1.1' x
	run -64 mqueue bounce -r $'a\nb' x
	run -66 mqueue bounce 0000000000000000
}

@test "what is being delivered is not bounced, and not edited" {
	transport sink <<<'touch "$D/out/began"; while [ ! -e "$D/out/go" ]; do sleep 0.05; done'
	echo '* sink' >conf/routes
	start_run
	id=$(add b@y.test)
	wait_for test -e out/began
	run -75 mqueue bounce "$id"
	editor <<<'exit 0'
	run -75 mqueue edit "$id"
	[[ $output == *'being delivered'* ]]
	touch out/go
	wait_for empty
}

@test "edit puts the copy in place, with its size, due when it was" {
	id=$(add b@y.test)
	touch -d '2026-11-30T01:02:03Z' "queue/$id"
	editor <<-'END'
		[ "$1" = 'two words' ] || exit 1
		ls "$D/queue" | grep -q hold || exit 1
		sed -i 's/^to b@/to other@/; s/^body/a longer body/' "$2"
	END
	mqueue edit "$id"
	[ "$(stat -c %Y "queue/$id")" -eq "$(date -d 2026-11-30T01:02:03Z +%s)" ]
	[ "$(stat -c %a "queue/$id")" = 600 ]
	[ "$(ls queue)" = "$(printf '%s\ntmp\n' "$id")" ]
	grep -qx 'to other@y.test' "queue/$id"
	[ -z "$(mqueue fsck)" ]
	[ -z "$(ls queue/tmp)" ]
	# a hold from before stays
	mqueue hold -r why "$id"
	editor <<<'sed -i "s/other@/third@/" "$2"'
	mqueue edit "$id"
	[ "$(cat "queue/$id.hold")" = why ]
	grep -qx 'to third@y.test' "queue/$id"
}

@test "edit: a copy that is no message leaves it as it was" {
	id=$(add b@y.test)
	cp -p "queue/$id" was
	editor <<<'exit 1'
	run -75 mqueue edit "$id"
	cmp was "queue/$id"
	[ -z "$(ls queue/tmp)" ]
	for bad in '1s/1/x/' 's/^to b@/to b b@@/' '/^to /d' 's/^size 0/size /' \
		'/^size/d' '1,$d'; do
		echo "sed -i '$bad' \"\$2\"" | editor
		run -75 mqueue edit "$id"
		[[ $output == *"left as it was; the copy is $D/queue/tmp/$id.edit" ]]
		cmp was "queue/$id"
		[ ! -e "queue/$id.hold" ]
		state_is "$id" new
	done
	export EDITOR=/does/not/exist
	run -75 mqueue edit "$id"
	cmp was "queue/$id"
	touch -d '-3 hours' "queue/tmp/$id.edit"
	mqueue fsck
	[ -z "$(ls queue/tmp)" ]
}

@test "edit mends a file that is held because it is none" {
	id=$(add b@y.test)
	sed -i '1s/.*/pneu-queue x/' "queue/$id"
	mqueue fsck >/dev/null || :
	editor <<<'sed -i "1s/.*/pneu-queue 1/" "$2"'
	mqueue edit "$id"
	mqueue cat "$id" | grep -qx body
}

@test "run delivers what was edited, at once" {
	transport sink <<<'cat >"$D/out/$4"'
	echo '* sink' >conf/routes
	id=$(add b@y.test)
	mqueue hold "$id"
	start_run
	editor <<<'sed -i "s/^to b@/to c@/" "$2"'
	mqueue edit "$id"
	state_is "$id" held
	mqueue release "$id"
	wait_for test -s out/c@y.test
	limits 'retry-first 1000'
	wait_for empty
}

@test "adopt takes the queue of a dead node, as it was" {
	mkdir other
	mv queue other/
	mkdir -m 700 queue
	[ "$(id -u)" -ne 0 ] || chown 62001 queue other
	cp conf/paths was
	echo "queue $D/other/queue" >conf/paths
	a=$(add a@y.test)
	b=$(add b@y.test)
	c=$(MAIL_HOLDUNTIL=2030-01-01T00:00:00Z add c@y.test)
	mqueue hold -r why "$b"
	echo '* msend' >conf/routes
	mqueue next "$a" >/dev/null
	printf '%s\ta@y.test\t4.0.0\tlater\n' "$a" | mqueue done 2>/dev/null
	transport sink <<<'sleep 100'
	echo '* sink' >conf/routes
	ln -s "$D/other/queue/lock" queue/lock # what start_run looks at
	start_run
	rm queue/lock
	mv was conf/paths
	run -75 mqueue adopt "$D/other/queue"
	[[ $output == *'a run is at work there'* ]]
	kill -9 "$RUN"
	wait "$RUN" || :
	RUN=
	! at_work other/queue || false
	mqueue adopt "$D/other/queue" | sort | diff - <(printf '%s\n' "$a" "$b" "$c" | sort)
	[ -z "$(find other/queue -type f ! -name lock)" ]
	state_is "$b" held
	[ "$(cat "queue/$b.hold")" = why ]
	mqueue show "$a" | grep -q later
	[ "$(mqueue ls "$c" | cut -f4)" = 2030-01-01T00:00:00Z ]
	[ -z "$(mqueue adopt "$D/other/queue")" ]
	run -64 mqueue adopt "$D/queue"
	run -75 mqueue adopt "$D/nothing"
}

@test "adopt across file systems copies, and goes on after a crash" {
	other=$(mktemp -d /dev/shm/pneu-t.XXXXXX) || skip "no other file system"
	[ "$(stat -c %d "$other")" != "$(stat -c %d queue)" ] ||
		skip "no other file system"
	id=$(add b@y.test)
	touch -d '2030-01-01T00:00:00Z' "queue/$id"
	cp -rp queue "$other/queue"
	chmod 755 "$other"
	# copied, and not yet removed there
	[ "$(mqueue adopt "$other/queue")" = "$id" ]
	[ ! -e "$other/queue/$id" ]
	cp -rp queue/. "$other/queue/"
	mqueue cat "$id" >want
	mqueue rm "$id"
	[ "$(mqueue adopt "$other/queue")" = "$id" ]
	mqueue cat "$id" | cmp - want
	[ "$(mqueue ls "$id" | cut -f4)" = 2030-01-01T00:00:00Z ]
	[ -z "$(ls queue/tmp)" ]
	rm -rf "$other"
}

@test "stat counts by state and by domain" {
	mqueue rm "$(add a@x.test)"
	run -0 mqueue stat
	[ "${lines[0]}" = "new	0	0	0	-" ]
	add a@x.test b@Y.test c@y.test >/dev/null
	id=$(add $'d@b\303\274cher.test' d@xn--bcher-kva.test e@y.test)
	mqueue hold "$id"
	run -0 mqueue stat
	[[ ${lines[0]} == "new	1	3	"* && ${lines[1]} == "active	0	0	0	-" ]]
	[[ ${lines[2]} == deferred* && ${lines[3]} == "held	1	3	"*Z ]]
	[ "$(mqueue stat -R | cut -f 1-3)" = "$(printf '%s\t%s\t0\n' y.test 3 \
		xn--bcher-kva.test 2 x.test 1)" ]
	run -64 mqueue stat x
}
