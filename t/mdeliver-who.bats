#!/usr/bin/env bats
#
# mdeliver(8): where an address leads: aliases, subaddresses, domains, commands,
# and other hosts.

load lib
load mdeliver.sh

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
