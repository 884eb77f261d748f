#!/usr/bin/env bats
#
# mdeliver(8): a message is delivered whole, or not at all.

load lib

setup() {
	D=$(mktemp -d /tmp/pneu-t.XXXXXX)
	chmod 0711 "$D"
	mkdir -p "$D/conf" "$D/queue/tmp" "$D/box/tmp" "$D/box/new" "$D/box/cur"
	chmod 0755 "$D/conf"
	A=$(id -u):$(id -g) B=$(id -u):$(id -g)
	if [ "$(id -u)" -eq 0 ]; then
		A=62101:62101 B=62102:62102
		echo 'pneu 62001 62001' >"$D/conf/uids"
		chown 62001:62001 "$D/queue" "$D/queue/tmp"
		chmod 0700 "$D/queue"
	fi
	for u in alice:$A bob:$B; do
		mkdir -m 0700 "$D/${u%%:*}"
		chown "${u#*:}" "$D/${u%%:*}"
	done
	echo mail.example.test >"$D/conf/me"
	echo "queue $D/queue" >"$D/conf/paths"
	echo example.test >"$D/conf/domains"
	users "alice@example.test:$A:$D/alice:" \
		"bob@example.test:$B:$D/bob:"
	export PNEU_CONF=$D/conf D
	cd "$D"
	message >m
}

teardown() {
	umount "$D/full" 2>/dev/null || :
	rm -rf "$D"
}

# conf NAME LINE...: a file of the configuration that is not new any more
conf() {
	printf '%s\n' "${@:2}" >"$D/conf/$1"
	touch -d '1 minute ago' "$D/conf/$1" "$D/conf/domains"
}

users() {
	conf users "$@"
}

message() {
	printf 'From: a@example.org\nSubject: %s\n\nbody\n' "${1:-hello}"
}

# What mdeliver files in front of a message for RCPT from SENDER.
front() {
	printf 'Return-Path: <%s>\nDelivered-To: %s\n' "$2" "$1"
}

# deliver RCPT...: the message m from x@example.org
deliver() {
	mdeliver -f x@example.org -- "$@" <"$D/m"
}

# The messages of a user's Maildir; how many.
of() {
	find "$D/$1" -path '*/new/*' -type f
}

count() {
	of "$1" | grep -c . || :
}

nothing_left() {
	[ -z "$(find "$D/alice" "$D/bob" "$D/box" -type f ! -name "pneu.*")" ]
}

result_is() {
	[ "$(grep -v '^mdeliver' <<<"$output")" = "$1" ] || {
		echo "got: $output" >&2
		return 1
	}
}

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

@test "an alias leads to users, and to names in its own domain" {
	conf aliases '# comment' 'staff: alice@example.test, bob' \
		'Sales@Example.Test: staff' 'sales@other.test: nobody'
	run -0 deliver sALES@example.test
	[ "$(count alice) $(count bob)" = '1 1' ]
	grep -qx 'Delivered-To: sALES@example.test' "$(of bob)"
}

@test "recipients that meet in a Maildir by an alias get one message there" {
	conf aliases 'staff: alice, bob' 'team: bob'
	run -0 deliver staff@example.test bob@example.test team@example.test
	[ "$(count alice) $(count bob)" = '1 1' ]
	[ "$(cut -f2 <<<"$(grep -v ^mdeliver <<<"$output")" | sort -u)" = 2.0.0 ]
	# who was addressed twice gets two
	run -0 deliver bob@example.test bob+x@example.test
	[ "$(count bob)" = 3 ]
}

@test "a refused recipient does not take another's message along" {
	conf aliases 'staff: bob, :include:/nonexistent'
	run -75 deliver staff@example.test bob@example.test
	[[ $output == *$'staff@example.test\t4.3.5\tan included list'* ]]
	[ "$(count bob)" = 1 ]
}

@test "bob: bob, alice is no circle" {
	conf aliases 'bob: bob, alice'
	run -0 deliver bob@example.test
	run -0 deliver bob+x@example.test
	[ "$(count alice) $(count bob)" = '2 2' ]
}

@test "aliases in a circle, and of nobody, are later" {
	conf aliases 'a: b' 'b: c' 'c: a' 'gone: nobody@example.test' 'e: ,' \
		'bad: "x' 'cmd: |"x' 'file: /tmp/mbox' \
		'n0: n1' 'n1: n2' 'n2: n3' 'n3: n4' 'n4: n5' 'n5: n6' 'n6: n7' \
		'n7: n8' 'n8: n9' 'n9: n10' 'n10: bob'
	run -75 deliver a@example.test
	result_is $'a@example.test\t4.4.6\taliases go in a circle'
	run -75 deliver n0@example.test
	result_is $'n0@example.test\t4.4.6\taliases go in a circle'
	run -0 deliver n1@example.test
	run -75 deliver gone@example.test
	result_is $'gone@example.test\t4.3.5\tits alias leads nowhere'
	run -75 deliver e@example.test
	run -75 deliver bad@example.test
	run -75 deliver cmd@example.test
	result_is $'cmd@example.test\t4.3.5\tan alias\'s command is bad'
	run -75 deliver file@example.test
	result_is $'file@example.test\t4.3.5\tan alias\'s target is bad'
	[ "$(count bob)" = 1 ]
}

@test "who is gone or disabled is skipped and logged, the others get theirs" {
	users "bob@example.test:$B:$D/bob:" "off@example.test:$B:$D/off:disabled"
	conf aliases 'staff: bob, nobody, off' 'offs: off'
	run -0 deliver staff@example.test
	[ "$(count bob)" = 1 ]
	grep -qx 'mdeliver: aliases: staff@example.test leads to nobody@example.test: no such user' <<<"$output"
	run -69 deliver offs@example.test
}

@test "too many targets are later, and nobody gets one" {
	seq -f 'u%g@elsewhere.test' 501 >list
	chmod 0644 list
	conf aliases "many: bob, :include:$D/list"
	run -75 deliver many@example.test
	result_is $'many@example.test\t4.3.5\taliases lead to too many'
	nothing_left
}

@test ":include: reads addresses, with comments, and no device or pipe" {
	printf '%s\n' '# us' '' 'alice@example.test ' 'not an address' \
		bob@example.test >list
	mkfifo pipe
	chmod 0644 list pipe
	conf aliases "all: :include:$D/list" "pipe: :include:$D/pipe" \
		'dev: :include:/dev/zero' 'rel: :include:list' "dir: :include:$D"
	run -0 deliver all@example.test
	[ "$(count alice) $(count bob)" = '1 1' ]
	grep -qx "mdeliver: $D/list:4: not an address" <<<"$output"
	for a in pipe dev rel dir; do
		run -75 deliver $a@example.test
		result_is $a$'@example.test\t4.3.5\tan included list can\'t be read'
	done
}

@test "root reads no included list that pneu can't" {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	echo bob@example.test >alice/list
	chmod 0600 alice/list
	conf aliases "all: :include:$D/alice/list"
	run -75 deliver all@example.test
	nothing_left || [ "$(count bob)" = 0 ]
}

@test "/folder/ is a Maildir, written as pneu when we are root" {
	mkdir -m 0777 arch
	conf aliases "arch: $D/arch/lists/"
	run -0 deliver arch@example.test
	[ -f arch/lists/new/* ]
	[ "$(id -u)" -ne 0 ] || [ "$(stat -c %u arch/lists/new/*)" = 62001 ]
}

@test "|command gets the message, what it must know, and nothing else" {
	mkdir -m 0777 out
	cat >cmd <<-'END'
		#!/bin/sh
		cd "${0%/*}/out"
		printf '%s\n' "$@" >args
		env | sort >env
		id -u >uid
		cat >message
		eval "read -r y <&$MAIL_COMMITFD"
		echo "$y" >commit
		echo noise
		echo 'thank you'
	END
	chmod 0755 cmd
	conf aliases "cmd: |$D/cmd 'a, b' \"c d\""
	EVIL=1 run -0 deliver cmd@example.test
	[[ $output == *$'cmd@example.test\t2.0.0\tgiven to '*': thank you'* ]]
	[ "$(tr '\n' '|' <out/args)" = 'a, b|c d|-f|x@example.org|--|cmd@example.test|' ]
	{ front cmd@example.test x@example.org; cat m; } | cmp - out/message
	[ "$(cat out/commit)" = y ]
	grep -qx MAIL_FROM=x@example.org out/env
	grep -qx MAIL_RCPTS=cmd@example.test out/env
	! grep -q EVIL out/env || false
	if [ "$(id -u)" -eq 0 ]; then
		[ "$(cat out/uid)" = 62001 ]
		! grep -q ^HOME out/env || false
	fi
}

@test "the status of a command is the result" {
	cat >cmd <<-'END'
		#!/bin/sh
		case $1 in
		eof) exit 0 ;;
		loud) yes | head -c 1000000; cat >/dev/null; exit 0 ;;
		bg) sleep 8 & cat >/dev/null; exit 0 ;;
		sig) kill -9 $$ ;;
		*) echo "no $1" >&2; exit "$1" ;;
		esac
	END
	chmod 0755 cmd
	conf aliases $(for s in 0 67 75 99 100 1 eof loud bg sig; do
		echo "c$s:|$D/cmd=$s"; done | tr '=' '\001') x
	sed -i "s/\x01/ /; s/:|/: |/; /^x\$/d" conf/aliases
	conf aliases "$(cat conf/aliases)" 'none: |/nonexistent/cmd'
	head -c 400000 /dev/zero | tr '\0' '\n' >>m
	for s in 0 99 eof loud bg; do
		run -0 deliver c$s@example.test
	done
	[ $SECONDS -lt 60 ]
	for s in 67 100; do
		run -69 deliver c$s@example.test
		[[ $output == *$'\t5.3.0\t'*"exit $s no $s"* ]]
	done
	for s in 75 1 sig; do
		run -75 deliver c$s@example.test
		[[ $output == *$'\t4.3.0\t'* ]]
	done
	run -75 deliver none@example.test
	[[ $output == *$'\t4.3.5\t/nonexistent/cmd: No such file'* ]]
	nothing_left
}

@test "an address elsewhere is queued again with the same sender" {
	chmod 0700 queue
	conf aliases 'out: eve@elsewhere.test, bob'
	run -0 deliver out@example.test
	[ "$(count bob)" = 1 ]
	id=$(mqueue ls | cut -f1)
	[ "$(mqueue ls -R | cut -f7,8)" = $'x@example.org\teve@elsewhere.test' ]
	mqueue cat "$id" | grep -qx 'Delivered-To: out@example.test'
	[[ $output == *"forwarded"* || $output == *'to=eve@elsewhere.test'* ]]
}

@test "what the sender asked for goes on with what is forwarded" {
	chmod 0700 queue
	conf aliases 'out: eve@elsewhere.test, bob' "cmd: |sh -c 'cat >/dev/null; env >$D/out/env'"
	mkdir -m 0777 out
	export MAIL_REQUIRETLS=1 MAIL_SMTPUTF8=1 MAIL_RET=HDRS MAIL_ENVID=x+2B1
	export MAIL_BY='2036-01-01T00:00:00Z;RT' MAIL_BODY=8BITMIME MAIL_FOO=x
	export MAIL_RCPT_ARGS=$'\nNOTIFY=SUCCESS,DELAY ORCPT=rfc822;O@x.test\n'
	run -0 deliver bob@example.test out@example.test
	id=$(mqueue ls | cut -f1)
	grep -aqx "from x@example.org RET=HDRS ENVID=x+2B1 BODY=8BITMIME SMTPUTF8 REQUIRETLS BY=2036-01-01T00:00:00Z;RT" "queue/$id"
	grep -aqx 'to eve@elsewhere.test NOTIFY=DELAY ORCPT=rfc822;O@x.test' "queue/$id"
	[[ $output == *$'out@example.test\t2.0.0\tqueued for eve@elsewhere.test as '* ]]
	run -0 deliver cmd@example.test
	grep -qx MAIL_REQUIRETLS=1 out/env
	run ! grep FOO out/env
	mqueue rm "$id"
	# from the queue, by a job; and told as what it is
	unset MAIL_REQUIRETLS MAIL_SMTPUTF8 MAIL_RET MAIL_ENVID MAIL_BY MAIL_BODY
	id=$(MAIL_REQUIRETLS=1 MAIL_RCPT_ARGS=$'NOTIFY=SUCCESS\nNOTIFY=SUCCESS' \
		mqueue add -f x@example.org -- out@example.test bob@example.test <m)
	unset MAIL_RCPT_ARGS
	echo '* mdeliver' >conf/routes
	mqueue next | mdeliver -J 2>/dev/null | mqueue done
	grep -axh 'from x@example.org.*' queue/* | grep -qx 'from x@example.org REQUIRETLS'
	grep -aqxh 'to eve@elsewhere.test NOTIFY=NEVER' queue/*
	[ "$(grep -ah '^Action: ' queue/* | sort | tr '\n' ' ')" = 'Action: delivered Action: expanded ' ]
}

@test "subaddresses are their user's, unless they are somebody" {
	conf domains 'example.test' 'dash.test sep=-' 'none.test sep='
	users "bob@example.test:$B:$D/bob:" \
		"bob+x@example.test:$A:$D/alice:" \
		"bob@dash.test:$B:$D/bob:" "bob@none.test:$B:$D/bob:"
	conf aliases 'bob+list: alice+y' 'alice: bob+x'
	run -0 deliver bob+x@example.test
	[ "$(count alice) $(count bob)" = '1 0' ]
	run -0 deliver bob+y@example.test bob-a-b@dash.test BOB+Q@example.test
	[ "$(count alice) $(count bob)" = '1 3' ]
	run -0 deliver bob+list@example.test
	[ "$(count alice)" = 2 ]
	run -67 deliver bob+y@none.test bob-y@example.test bob+y@dash.test
	[ "$(grep -c 5.1.1 <<<"$(grep -v ^mdeliver <<<"$output")")" = 3 ]
}

@test "same-as, catchall, relay, and a same-as that leads nowhere" {
	conf domains example.test 'www.test same-as=example.test' \
		'any.test catchall=alice@example.test' 'far.test relay' \
		'bad.test same-as=none.test' 'c1.test same-as=c2.test' \
		'c2.test same-as=c1.test' 'loop.test catchall=x@loop.test'
	run -0 deliver Bob@WWW.test whoever@any.test
	[ "$(count alice) $(count bob)" = '1 1' ]
	run -67 deliver nobody@www.test
	for d in far bad c1 loop; do
		run -75 deliver bob@$d.test
	done
}

@test "postmaster and abuse always lead somewhere" {
	users "off@example.test:$A:$D/alice:disabled" \
		"bob@example.test:$B:$D/bob:"
	conf domains example.test other.test
	run -0 deliver postmaster Postmaster@example.test abuse@example.test \
		abuse@other.test postmaster@mail.example.test
	[ "$(count bob)" = 5 ]
	conf aliases 'postmaster: alice@example.test'
	users "alice@example.test:$A:$D/alice:" "bob@example.test:$B:$D/bob:"
	run -0 deliver abuse@other.test
	[ "$(count alice)" = 1 ]
}

@test "a message that was delivered to this address before goes in a circle" {
	{ echo 'Delivered-To: BOB@Example.test'; cat m; } >m2
	run -69 mdeliver -f '' -- bob@example.test <m2
	result_is $'bob@example.test\t5.4.6\tit was delivered to bob@example.test before'
	nothing_left
	{ cat m; echo 'Delivered-To: bob@example.test'; } >m2
	run -0 mdeliver -f '' -- bob@example.test <m2
	{ echo 'Delivered-To: alice@example.test'; cat m; } >m2
	run -0 mdeliver -f '' -- bob@example.test <m2
}

@test "an address is never an option or a path" {
	users "-n@example.test:$B:$D/bob:" "\"a b\"@example.test:$A:$D/alice:"
	run -0 deliver -n@example.test '"a b"@example.test'
	[ "$(count alice) $(count bob)" = '1 1' ]
	[[ $output == *$'"a b"@example.test\t2.0.0\t'* ]]
	before=$(find . -type f | sort)
	for rcpt in ../../x@example.test /etc/passwd@example.test .@example.test \
		'"../x"@example.test' '"/etc"@example.test' '..@example.test' \
		'-n+../../x@example..test' $'a\tb@example.test' $'a\nb@x.test'; do
		run mdeliver -f '' -- "$rcpt" <m
		[ "$status" -eq 67 ] || [ "$status" -eq 69 ] || [ "$status" -eq 75 ]
		[ "$(grep -vc ^mdeliver <<<"$output")" = 1 ]
	done
	[ "$(find . -type f | sort)" = "$before" ]
	run -0 deliver -n+/x@example.test
	[ "$(count bob)" = 2 ]
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
