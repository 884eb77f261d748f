#!/usr/bin/env bats
#
# pneu-events(5): what happens to messages is told to programs.

load lib

setup() {
	at_home
	mkdir -p conf box/tmp box/new box/cur box/.Junk/{tmp,new,cur}
	for n in 1 2 3; do
		printf 'Subject: m%s\n\nbody %s\n' $n $n \
			>box/new/100000000$n.M1P1.h
	done
	# What it was told, then the message, in one write.
	cat >heard <<-'E'
	#!/bin/sh
	{ echo "$* $MAIL_EVENT $MAIL_BOX_FROM>$MAIL_BOX_TO $MAIL_UID" \
		"[$MAIL_FLAGS] [$MAIL_CHANGED] $MAIL_USER"; cat; } >"$HOME/one"
	cat "$HOME/one" >>"$HOME/told"
	E
	chmod +x heard
	: >told
}

rule() { printf '%s\n' "$@" >conf/events; }

say() {
	printf '%s\r\n' "$@" "z LOGOUT" |
		USER=ann mimapd -p box 2>>log | tr -d '\r' >out
	grep -q '^z OK' out
}

told() { [ "$(grep -c "$1" told)" = "${2:-1}" ]; }
all_done() { [ ! -s box/pneu.event-queue ]; }

@test "moving to Junk teaches a filter, with the message on its input" {
	rule "moved,copied to=Junk $PWD/heard spam" "moved from=Junk $PWD/heard ham"
	say 'a SELECT INBOX' 'b STORE 1 FLAGS (\Seen $x)' 'c MOVE 1 Junk' \
		'd COPY 1 Junk'
	wait_for all_done
	say 'e SELECT Junk' 'f MOVE 1 INBOX'
	wait_for all_done
	grep -qxF 'spam moved INBOX>Junk 1 [\Seen $x] [] ann' told
	grep -qx 'spam copied INBOX>Junk 2 .*' told
	grep -qx 'ham moved Junk>INBOX 4 .*' told
	[ "$(grep -c '^body 1$' told)" = 2 ]
	[ "$(grep -c '^body 2$' told)" = 1 ]
}

@test "flags, appends and expunges are told, and a rule of the user's own" {
	rule "flagged flag='\\Flagged' $PWD/heard flag"
	printf '%s\n' "appended,expunged $PWD/heard own" >box/pneu.events
	say 'a SELECT INBOX' 'b STORE 1:2 +FLAGS (\Flagged)' \
		'c STORE 3 +FLAGS (\Deleted)' 'd EXPUNGE' \
		'e APPEND Junk (\Seen) {14+}' $'Subject: x\r\n' ''
	wait_for all_done
	[ "$(grep -c '^flag ' told)" = 2 ]
	grep -qxF 'flag flagged INBOX>INBOX 2 [\Flagged] [+ \Flagged] ann' told
	grep -qxF 'own expunged INBOX> 3 [\Deleted] [] ann' told
	grep -qxF 'own appended >Junk 1 [\Seen] [] ann' told
	! grep -q '^body 3$' told || false
}

@test "a program that hangs delays no client, and the session may end" {
	mkfifo gate
	rule "flagged sh -c 'read x <$PWD/gate; echo done >>$PWD/told'"
	say 'a SELECT INBOX' 'b STORE 1 +FLAGS (\Seen)' 'c STORE 2 +FLAGS (\Seen)'
	grep -q '^c OK' out
	[ -s box/pneu.event-queue ]
	echo go >gate
	wait_for told done 1
	echo go >gate
	wait_for all_done
	[ "$(cat told)" = "done
done" ]
}

@test "one that fails is run again by a later session, five times in all" {
	rule "flagged sh -c 'echo try >>$PWD/told; exit 75'"
	say 'a SELECT INBOX' 'b STORE 1 +FLAGS (\Seen)'
	wait_for told try 1
	for n in 2 3 4 5; do
		wait_for grep -q "^$((n - 1))flagged" box/pneu.event-queue
		say 'a NOOP'
		wait_for told try $n
	done
	wait_for all_done
	grep -q '^mimapd error .*why="exit 75"' log
}

@test "one that refuses is not run again" {
	rule "flagged sh -c 'echo try >>$PWD/told; exit 69'"
	say 'a SELECT INBOX' 'b STORE 1 +FLAGS (\Seen)'
	wait_for told try 1
	wait_for all_done
}

@test "what a killed process left is done by the next session" {
	rule "moved $PWD/heard late"
	say 'a SELECT INBOX' 'b MOVE 1 Junk'
	wait_for all_done
	v=$(sed -n 's/.*COPYUID \([0-9]*\) .*/\1/p' out)
	: >told
	# as it stood: one done, one to do, one torn by a power cut
	printf -- '-moved\t%s\t1\t.Junk\tINBOX\tJunk\t-\t-\n+moved\t%s\t1\t.Junk\tINBOX\tJunk\t-\t-\n+mov' \
		$v $v >box/pneu.event-queue
	say 'a NOOP'
	wait_for told late 1
	say 'a SELECT INBOX' 'b MOVE 1 Junk'
	wait_for told late 2
	wait_for all_done
}

@test "without rules there is no file, and bad rules are said" {
	say 'a SELECT INBOX' 'b MOVE 1 Junk'
	[ ! -e box/pneu.event-queue ]
	rule "moved" "gone cmd" "moved 'x" "moved $PWD/heard ok"
	say 'a SELECT INBOX' 'b MOVE 1 Junk'
	wait_for told "ok moved"
	grep -q 'conf/events:1: no command' log
	grep -q 'conf/events:2: not an event' log
	grep -q 'conf/events:3: a quote is not closed' log
	wait_for all_done
}
