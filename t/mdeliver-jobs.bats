#!/usr/bin/env bats
#
# mdeliver(8): jobs of the queue in batches, and as which user each is done.

load lib
load mdeliver.sh

# job ID RCPT...: a queued message and its job line
queued() {
	{
		printf 'pneu-queue 1\nfrom s@example.org\n'
		printf 'to %s\n' "${@:2}"
		printf 'received 2026-11-22T22:44:31Z 192.0.2.1 mx.example.net ESMTP\n'
		printf 'size %012d\n\n' 60
		message "$1"
	} >"queue/$1"
	[ "$(id -u)" -ne 0 ] || chown 62001:62001 "queue/$1"
	chmod 0600 "queue/$1"
	job "$@"
}

job() {
	printf '%s\t%s\tmdeliver' "$1" "$D/queue/$1"
	printf '\t%s' "${@:2}"
	echo
}

id() {
	if [ $# -gt 0 ] && [[ $1 == [0-9]* ]]; then
		printf '%016d' "$1"
	else
		command id "$@"
	fi
}

@test "-J does a batch of 16 jobs as each user, and syncs a folder once" {
	for i in $(seq 16); do
		queued "$(id "$i")" alice@example.test bob@example.test
	done >jobs
	for u in alice bob; do deliver $u@example.test; done
	find . -path '*/new/*' -delete
	strace -f -o trace -y -e trace=fsync,rename,renameat,renameat2 true \
		2>/dev/null || skip "no strace here"
	export ASAN_OPTIONS=detect_leaks=0 # it needs ptrace itself
	cat jobs | strace -f -o trace -y -e trace=fsync,renameat \
		mdeliver -J >results
	[ "$(wc -l <results)" = 32 ]
	[ "$(cut -f3 results | sort -u)" = 2.0.0 ]
	[ "$(cut -f1,2 results | sort)" = "$(awk -F'\t' '{ print $1 FS $4; print $1 FS $5 }' jobs | sort)" ]
	[ "$(count alice) $(count bob)" = '16 16' ]
	[ "$(stat -c %u:%g $(of alice) | sort -u)" = "$A" ]
	[ "$(stat -c %u:%g $(of bob) | sort -u)" = "$B" ]
	grep -q '^Return-Path: <s@example.org>$' $(of bob)
	for u in alice bob; do
		[ "$(grep -c "fsync.*$u/Maildir/tmp/" trace)" = 16 ]
		[ "$(grep -c "fsync.*$u/Maildir/new>" trace)" = 1 ]
	done
	# every file is synced before any is renamed, the folder after all
	order=$(grep 'bob/Maildir' trace | sed -n 's/.*fsync.*Maildir\/tmp.*/file/p
		s/.*renameat.*/rename/p; s/.*fsync.*\/new>.*/folder/p' | uniq)
	[ "$(echo $order)" = 'file rename folder' ]
}

@test "-J takes percent signs and says them again byte for byte" {
	users "\"a b\"@example.test:$B:$D/bob:"
	queued "$(id 1)" '"a%20b"@example.test' '%6eobody@example.test' >jobs
	run -0 mdeliver -J <jobs
	result_is "$(id 1)"$'\t"a%20b"@example.test\t2.0.0\tdelivered%20to%20'"$D/bob/Maildir
$(id 1)	nobody@example.test	5.1.1	no%20such%20user"
}

@test "-J: a bad line is told, those before it are done, the status is 65" {
	{ queued "$(id 1)" bob@example.test; printf 'no\033job\n'
		queued "$(id 2)" bob@example.test; } >jobs
	run -65 mdeliver -J <jobs
	grep -qx 'mdeliver: not a job: no?job' <<<"$output"
	[ "$(count bob)" = 1 ]
	[[ $output == *"$(id 1)"$'\tbob@example.test\t2.0.0\t'* ]]
	run -0 mdeliver -J </dev/null
	[ -z "$output" ]
}

@test "-J: what is no plain file of the queue is later" {
	queued "$(id 1)" bob@example.test >jobs
	mv "queue/$(id 1)" outside
	ln -s "$D/outside" "queue/$(id 1)"
	queued "$(id 2)" bob@example.test >>jobs
	ln "queue/$(id 2)" "queue/hard"
	mkfifo "queue/$(id 3)"
	job "$(id 3)" bob@example.test >>jobs
	mkdir "queue/$(id 4)"
	job "$(id 4)" bob@example.test >>jobs
	job "$(id 5)" bob@example.test >>jobs
	printf '%s\t%s\tr\tbob@example.test\n' "$(id 6)" "$D/outside" \
		"$(id 7)" "$D/queue/../queue/$(id 2)" "$(id 8)" m >>jobs
	printf 'pneu-queue 1\nfrom' >"queue/$(id 9)"
	job "$(id 9)" bob@example.test >>jobs
	run -0 mdeliver -J <jobs
	[ "$(grep -c $'^0.*\t4.3.0\t' <<<"$output")" = 9 ]
	nothing_left
}

@test "as root nobody's mail is delivered as root" {
	[ "$(command id -u)" -eq 0 ] || skip "needs root"
	users "bob@example.test:0:0:$D/bob:" "alice@example.test:62101:0:$D/alice:"
	run -75 deliver bob@example.test alice@example.test
	[[ $output == *$'bob@example.test\t4.3.0\tdelivery as uid 0: users: '* ]]
	nothing_left
}

@test "as root nothing of a user's is touched before it is that user" {
	[ "$(command id -u)" -eq 0 ] || skip "needs root"
	strace -f -o trace -e trace=file,setresuid true 2>/dev/null ||
		skip "no strace here"
	export ASAN_OPTIONS=detect_leaks=0 # it needs ptrace itself
	strace -f -o trace -e trace=file,setresuid mdeliver -f '' -- \
		bob@example.test <m
	awk '/setresuid\(62102/ { seen[$1] = 1 }
		/\/bob/ && !/execve/ { if (!seen[$1]) { print; bad = 1 } else n++ }
		END { exit bad || !n }' trace
	# a folder that belongs to bob is filed into as bob
	chown -R 62102:62102 box
	run -0 mdeliver box <m
	[ "$(stat -c %u:%g box/new/*)" = 62102:62102 ]
	# a link that bob put in place of his Maildir gives him no more
	rm -rf bob/Maildir
	ln -s "$D/alice" bob/Maildir
	run -75 deliver bob@example.test
	[ -z "$(ls alice)" ]
}

child_of() {
	! kill -0 "$1" || {
		child=$(pgrep -U 62102 -P "$1" mdeliver) &&
			[ -n "$(ls "$D/bob")" ]
	}
}

@test "a child that dies makes its part later, and no other's" {
	[ "$(command id -u)" -eq 0 ] || skip "only root has children"
	truncate -s 250M m
	# the first child, bob's; again if it had done its work by then
	for _ in 1 2 3 4 5; do
		child=
		rm -rf alice/Maildir bob/Maildir
		mdeliver -f '' -- bob@example.test alice@example.test \
			<m >out 2>err 3>&- &
		pid=$!
		! wait_for child_of $pid || kill -9 "$child" || :
		status=0
		wait $pid || status=$?
		[ "$status" -eq 0 ] || break
	done
	[ "$status" -eq 75 ]
	grep -qx $'bob@example.test\t4.3.0\tdelivery as uid 62102: signal 9' out
	grep -q $'^alice@example.test\t2.0.0\t' out
	[ "$(count bob) $(count alice)" = '0 1' ]
}

@test "as an ordinary user all of it is done under one uid" {
	[ "$(command id -u)" -eq 0 ] || skip "the other tests are this"
	command -v setpriv >/dev/null || skip "no setpriv"
	chown -R 62103:62103 "$D"
	run -0 setpriv --reuid 62103 --regid 62103 --clear-groups \
		"$(command -v mdeliver)" -f '' -- alice@example.test \
		bob@example.test <m
	[ "$(stat -c %u $(of alice) $(of bob) | sort -u)" = 62103 ]
}
