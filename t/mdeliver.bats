#!/usr/bin/env bats
#
# mdeliver(8): a message is delivered whole, or not at all.

load lib
load mdeliver.sh

@test "into a Maildir: standard input byte for byte, nothing in tmp" {
	printf 'Subject: a\0b\n\n\0\r\n \nFrom x\n..\xff\n' >msg
	run -0 mdeliver box <msg
	[ -z "$output" ]
	cmp msg box/new/*
	[ -z "$(ls box/tmp)" ]
	[[ $(basename box/new/*) == *,S=30,W=35 ]]
	[ "$(stat -c %a box/new/*)" = 600 ]
}

@test "one LF is added only to a last line that has none" {
	printf 'Subject: a\n\nno newline at end' >msg
	run -0 mdeliver box <msg
	cmp <(cat msg; echo) box/new/*
	rm box/new/*
	run -0 mdeliver box </dev/null
	[ "$(stat -c %s box/new/*)" = 0 ]
}

@test "a Maildir that is missing is later and says so" {
	run -75 mdeliver nosuch <m
	[ "$output" = 'mdeliver: nosuch: No such file or directory' ]
	run -75 mdeliver conf <m
	[ "$output" = 'mdeliver: conf/tmp: No such file or directory' ]
	run -75 mdeliver m <m
	[ "$output" = 'mdeliver: m: Not a directory' ]
}

@test "a full disk leaves nothing behind" {
	zeros 9000 >big
	run -75 limit_fsize 4 mdeliver box <big
	[ "$output" = 'mdeliver: box: File too large' ]
	run -75 limit_fsize 4 mdeliver -f '' -- bob@example.test <big
	[[ $output == *$'bob@example.test\t4.2.2\twrite to '*'File too large'* ]]
	nothing_left
}

@test "a file system without room leaves nothing behind" {
	[ "$(id -u)" -eq 0 ] || skip "needs mount"
	mkdir full
	mount -t tmpfs -o size=64k,mode=0777 tmpfs full 2>/dev/null ||
		skip "no mount here"
	users "bob@example.test:$B:$D/full:"
	zeros 200000 >big
	run -75 mdeliver -f '' -- bob@example.test <big
	[[ $output == *$'bob@example.test\t4.2.2\twrite to '*'No space left'* ]]
	[ -z "$(find full -type f)" ]
	run -0 deliver bob@example.test
}

@test "for a recipient: fields in front, its own Return-Paths dropped" {
	printf '%s\n' 'Return-Path: <evil@x.test>' 'Subject: x' \
		'RETURN-PATH: <folded' ' @x.test>' 'X: y' 'return-path : z' '' \
		'Return-Path: in the body' >m
	run -0 deliver bob@example.test
	result_is $'bob@example.test\t2.0.0\tdelivered to '"$D/bob/Maildir"
	{
		front bob@example.test x@example.org
		printf '%s\n' 'Subject: x' 'X: y' '' 'Return-Path: in the body'
	} | cmp - "$(of bob)"
	[ "$(stat -c %a bob/Maildir)" = 700 ]
	[ "$(stat -c %u:%g "$(of bob)" bob/Maildir | sort -u)" = "$B" ]
	grep -q "^mdeliver deliver rcpt=bob@example.test box=$D/bob/Maildir\$" \
		<<<"$output"
}

@test "a bounce has <> in its Return-Path" {
	run -0 mdeliver -f '' -- bob@example.test <m
	[ "$(head -n 1 "$(of bob)")" = 'Return-Path: <>' ]
}

@test "messages without body, without header, and empty ones arrive" {
	printf 'Subject: x\n' | mdeliver -f '' -- bob@example.test
	front bob@example.test '' | cat - <(printf 'Subject: x\n') |
		cmp - "$(of bob)"
	rm "$(of bob)"
	printf 'Subj' | mdeliver -f '' -- bob@example.test
	front bob@example.test '' | cat - <(printf '\nSubj\n') |
		cmp - "$(of bob)"
	rm "$(of bob)"
	printf 'no header\n\0\n' | mdeliver -f '' -- bob@example.test
	front bob@example.test '' | cat - <(printf '\nno header\n\0\n') |
		cmp - "$(of bob)"
	rm "$(of bob)"
	mdeliver -f '' -- bob@example.test </dev/null
	front bob@example.test '' | cmp - "$(of bob)"
}

@test "a pipe and a file whose offset is not 0 are read alike" {
	cat m | mdeliver -f '' -- bob@example.test
	{ echo junk; cat m; } >m2
	{ read -r _; mdeliver -f '' -- alice@example.test; } <m2
	cmp <(tail -n +3 "$(of bob)") m
	# read of bash leaves the offset behind the line
	cmp <(tail -n +3 "$(of alice)") m
	[ -z "$(ls queue/tmp)" ]
}

@test "each recipient has its result, and the worst is the exit status" {
	users "alice@example.test:$A:$D/alice:" "bob@example.test:$B:$D/bob:" \
		"off@example.test:$B:$D/off:disabled"
	run -67 deliver bob@example.test nobody@example.test
	result_is $'bob@example.test\t2.0.0\tdelivered to '"$D/bob/Maildir
nobody@example.test	5.1.1	no such user"
	grep -q '^mdeliver: nobody@example.test: 5.1.1 no such user$' <<<"$output"
	run -69 deliver off@example.test
	result_is $'off@example.test\t5.2.1\tmailbox disabled'
	run -75 deliver x@elsewhere.test off@example.test
	result_is $'x@elsewhere.test\t4.3.5\tits domain is not ours
off@example.test\t5.2.1\tmailbox disabled'
	run -69 deliver 'no address'
	result_is $'no address\t5.1.3\tnot an address'
}

@test "MAIL_COMMITFD decides: y delivers, anything else discards" {
	for say in y n ''; do
		for to in box '-f x@example.org -- bob@example.test'; do
			want=75
			[ "$say" != y ] || want=0
			MAIL_COMMITFD=9 run -$want mdeliver $to <m \
				9< <(printf '%s' "$say")
			if [ "$want" = 0 ]; then
				find . -path '*/new/*' -delete
			else
				[[ $output == *'the message was not committed' ]]
			fi
			[ -z "$(find box bob alice -type f ! -name 'pneu.*')" ]
		done
	done
	MAIL_COMMITFD=x run -75 mdeliver box <m
	MAIL_COMMITFD=77 run -75 mdeliver box <m
	nothing_left
}

# The session has no process any more.
nobody_in() {
	! pgrep -s "$1"
}

@test "kill -9 at any time leaves no part of a message in new" {
	head -c 3000000 /dev/zero | tr '\0' 'x' | fold -w 70 >body
	echo >>body
	{ message; cat body; } >m
	size=$(stat -c %s m)
	at_it=
	for ms in 000 002 004 006 008 010 012 014 016 020 024 030; do
		setsid mdeliver -f x@example.org -- bob@example.test \
			<m >/dev/null 2>&1 3>&- &
		at_it="$at_it $!"
		sleep 0.$ms
		kill -9 $! 2>/dev/null || :
		wait $! 2>/dev/null || :
	done
	# children of root's may be at it yet
	for s in $at_it; do
		wait_for nobody_in "$s"
	done
	front=$(front bob@example.test x@example.org | wc -c)
	for f in $(of bob); do
		[ "$(stat -c %s "$f")" = $((size + front)) ]
	done
}

@test "old files in tmp are removed, young ones are left" {
	touch -d '40 hours ago' box/tmp/old
	touch box/tmp/young
	chown "$B" box box/*
	users "bob@example.test:$B:$D/bob:maildir=$D/box"
	run -0 deliver bob@example.test
	[ "$(ls box/tmp)" = young ]
}

@test "a bad line hurts only itself, and makes a no temporary" {
	for bad in 'bob' 'bob@example.test:1' 'x@example.test:1:1:home:' \
		'x@example.test:a:1:/home:' 'x@example.test:1:1:/home' \
		'x y@example.test:1:1:/h:' 'x@example.test:1:1:/h:quota=much' \
		'x@example.test:1:1:/h:colour=red' '@:1:1:/h:' \
		'x@example.test:1:99999999999:/h:' ; do
		users "$bad" "bob@example.test:$B:$D/bob:"
		run -0 deliver bob@example.test
		run -75 deliver nobody@example.test
		[ "$(grep -c "^mdeliver: $D/conf/users:1: not ADDRESS:UID:GID:HOME:OPTIONS\$" <<<"$output")" = 1 ]
		result_is $'nobody@example.test\t4.3.0\tcan\'t tell now'
	done
	users "bob@example.test:$B:$D/bob:"
	conf aliases 'no colon'
	run -75 deliver nobody@example.test
	grep -q "^mdeliver: $D/conf/aliases:1: not NAME: TARGET, ...\$" <<<"$output"
	run -0 deliver bob@example.test
	rm conf/aliases
	conf domains 'example.test colour=red' example.test
	run -75 deliver x@foreign.test
	grep -q "^mdeliver: $D/conf/domains:1: not DOMAIN " <<<"$output"
	run -0 deliver bob@example.test
}

# while_written FILE LINE NAME: it is delivered to NAME while FILE is empty,
# and gets its line.  A file is waited for two seconds: who comes too late
# with it, on a machine that stands still, tries again.
while_written() {
	for _ in 1 2 3 4 5; do
		: >"conf/$1"
		(sleep 0.4; echo "$2" >"conf/$1") 3>&- &
		run deliver "$3@example.test"
		wait $!
		[ "$status" -ne 0 ] || return 0
	done
	return 1
}

@test "empty, missing, unfinished and changing files make a no temporary" {
	start=$SECONDS
	: >conf/users
	touch -d '1 minute ago' conf/users
	run -75 deliver nobody@example.test
	rm conf/users
	run -75 deliver nobody@example.test
	printf 'bob@example.test:%s:/home' "$B" >conf/users
	touch -d '1 minute ago' conf/users
	run -75 deliver nobody@example.test
	users "bob@example.test:$B:$D/bob:"
	conf domains
	: >conf/domains
	run -75 deliver bob@example.test
	rm conf/domains
	run -75 deliver bob@example.test
	[ $((SECONDS - start)) -le 60 ]
	# an editor has emptied the file and writes it a second later
	conf domains example.test
	while_written users "bob@example.test:$B:$D/bob:" bob
	run -67 deliver nobody@example.test
	while_written aliases 'new: bob' new
}

@test "-n says where it leads, does nothing, and exits as it would" {
	conf aliases 'staff: bob, eve@elsewhere.test, |cat, nobody'
	run -0 mdeliver -n staff@example.test
	[ "$output" = "staff@example.test	file $D/bob/Maildir	users
staff@example.test	forward eve@elsewhere.test	aliases
staff@example.test	run cat	aliases
staff@example.test	skip no such user	aliases" ]
	run -67 mdeliver -n -f x@example.org -- nobody@example.test
	[ "$output" = $'nobody@example.test\trefuse no such user\tusers' ]
	run -75 mdeliver -n x@elsewhere.test
	[ "$output" = $'x@elsewhere.test\tlater its domain is not ours\tdomains' ]
	run -69 mdeliver -n $'a\nb@example.test'
	[ "$output" = $'a?b@example.test\trefuse not an address\tsyntax' ]
	nothing_left
	[ ! -e bob/Maildir ]
}

@test "-c names the configuration" {
	mv conf other
	run -75 deliver bob@example.test
	run -0 mdeliver -c other -f '' -- bob@example.test <m
	[ "$(count bob)" = 1 ]
}

@test "a message of 200 MB passes in 16 MB of memory" {
	yes 'a line of a large message, seventy bytes or so in length, more or less' |
		head -c 209715200 >big
	printf '\n' >nl
	cat m big nl >m2 && rm big
	cat >watch.py <<-'END'
		import os, resource, sys
		pid = os.spawnvp(os.P_WAIT, sys.argv[1], sys.argv[1:])
		kb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
		print(kb)
		sys.exit(0 if pid == 0 and kb < 16384 else 1)
	END
	[[ $BUILD != *san* ]] || skip "sanitizers take memory"
	run -0 python3 watch.py mdeliver -f '' -- bob@example.test <m2
	tail -n +3 "$(of bob)" | cmp - m2
}

@test "10,000 users are read once, in large pieces" {
	[[ $BUILD != *san* ]] || skip "sanitizers read, too"
	for i in $(seq 10000 19999); do
		echo "user$i@example.test:62102:62102:/home/user$i:"
	done >conf/users
	echo "bob@example.test:$B:$D/bob:" >>conf/users
	touch -d '1 minute ago' conf/users
	strace -o calls -e trace=read,pread64,mmap mdeliver -n bob@example.test
	n=$(grep -c . calls)
	echo "$n calls for $(stat -c %s conf/users) bytes"
	[ "$n" -lt 60 ]
}

@test "wrong usage is one line and 64" {
	usage='usage: mdeliver [-JnV] [-c DIR] [-f SENDER -- RCPT ... | MAILDIR]'
	for args in '' '-Z' '-f' '-c' 'box box' '-f x@y.test' '-n' '-J box' \
		'-J -f x@y.test' '-J -n' '-f x@y.test --'; do
		run -64 mdeliver $args <m
		[ "$output" = "$usage" ]
	done
	run -64 mdeliver -f 'no address' -- bob@example.test <m
	[ "$output" = 'mdeliver: -f no address: not an address' ]
	nothing_left
}

@test "quota: what would not fit waits with 4.2.2, and leaves nothing" {
	n=$({ front alice@example.test x@example.org; cat m; } | wc -c)
	users "alice@example.test:$A:$D/alice:quota=$((3 * n)),10" \
		"bob@example.test:$B:$D/bob:quota=0,1"
	deliver alice@example.test
	deliver alice@example.test bob@example.test
	deliver alice@example.test
	run -75 deliver alice@example.test
	[[ $output == *"4.2.2"*" is full"* ]]
	run -75 deliver bob@example.test
	[ "$(ls alice/Maildir/new | wc -l)" = 3 ]
	[ -z "$(ls alice/Maildir/tmp)" ]
	[ "$(head -n1 alice/Maildir/maildirsize)" = "$((3 * n))S,10C" ]
	rm "$(find alice/Maildir/new -type f | head -n1)"
	touch -d '20 minutes ago' alice/Maildir/maildirsize
	deliver alice@example.test
}
