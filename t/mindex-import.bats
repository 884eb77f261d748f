#!/usr/bin/env bats
#
# mindex(8), import and restore: what comes from an mbox or another Maildir.

load lib
load mindex.sh

@test "import mbox: flags, keywords, dates, quoted lines, Content-Length" {
	folder m
	make_mbox box
	run -0 mindex import -n mbox Old box
	[ "$output" = $'Old\timport\t4 messages, 0 more were there' ]
	[ ! -e m/.Old ]
	run -0 mindex import -v mbox Old box
	[ "$output" = $'Old\timport\t4 messages, 0 more were there' ]
	run -0 show 1-3,5 Old
	[ "$output" = $'1\t\\Seen \\Answered \\Flagged\tfoo Junk\t1998-01-03T01:05:34Z
2\t\\Seen\t$Forwarded\t1998-01-04T01:00:00Z
3\t\t\t1998-01-05T01:05:34Z
4\t\t\t1998-01-05T01:05:34Z' ]
	f() { cat m/.Old/"$(show 9 Old | sed -n "$1p")"; }
	run -0 f 1
	[ "$output" = $'From: alice@example.org\nSubject: first\n\nFrom here\n>From there\n\nFrom here on, no date, no message' ]
	[ "$(f 2 | grep -c '^From carol')" -eq 2 ]
	! f 2 | grep -i 'content-length\|mozilla' || false
	[ "$(f 3)" = $'Subject: third\n\ntwice' ]
	# again: nothing is new; with one more: that one alone, by a pipe
	run -0 mindex import -v mbox Old box
	[ "$output" = $'Old\timport\t0 messages, 4 more were there' ]
	printf '\nFrom d Tue Jan  6 01:05:34 1998\n\nnew\n' >>box
	run -0 bash -c 'mindex import -v mbox Old - <box'
	[ "$output" = $'Old\timport\t1 messages, 4 more were there' ]
	[ "$(show 4,5 Old | wc -l)" -eq 5 ]
}

@test "import: the first FETCH of what came opens no message" {
	make_mbox box
	run -0 mindex import mbox Old box
	folder src
	for i in 1 2 3; do
		message "src/cur/170000000$i.M1P1.h:2,S" "$i"
	done
	run -0 mindex import maildir src
	printf '1 EXAMINE Old\r\n2 FETCH 1:* (ENVELOPE BODYSTRUCTURE RFC822.SIZE)\r\n3 EXAMINE INBOX\r\n4 FETCH 1:* (ENVELOPE BODYSTRUCTURE RFC822.SIZE)\r\n' >cmds
	strace -f -e trace=openat -o trace mimapd -p m <cmds >imap
	[ "$(grep -c 'ENVELOPE (' imap)" -eq 7 ]
	! grep -E '(mbox|M1P1)' trace || false
	run -0 mindex check
	[ -z "$output" ]
}

@test "import and restore: the quota holds, and the same command goes on" {
	mkdir conf
	make_mbox box
	quota() {
		printf '%s\n' "u@example.test:$(id -u):$(id -g):$PWD:maildir=m quota=$1" >conf/users
	}
	foretold() { # ARG ...: -n says where it ends, and writes nothing
		find m -type f ! -name 'pneu.*' -printf '%p %T@\n' | sort >before
		run -75 mindex "$1" -n "${@:2}"
		find m -type f ! -name 'pneu.*' -printf '%p %T@\n' | sort | diff before -
	}
	mkdir -p m/cur m/new m/tmp
	quota 1M,2
	foretold import mbox Old box
	[ "$output" = 'mindex: Old: over quota: the next message would have no room, 2 would be taken' ]
	run -75 mindex import -v mbox Old box
	[ "$output" = 'mindex: Old: over quota: the next message has no room, 2 were taken' ]
	[ "$(show 1 Old | wc -l)" -eq 2 ]
	[ -z "$(find m -path "*/tmp/*")" ]
	[ "$(tail -n +2 m/maildirsize | awk '{ n += $2 } END { print n }')" -eq 2 ]
	run -75 mindex import mbox Old box
	[ "$(show 1 Old | wc -l)" -eq 2 ]
	# another Maildir than that user's has what its maildirsize says
	folder other
	printf '1000000S,3C\n0 0\n' >other/maildirsize
	run -75 mindex -d other import mbox Old box
	[[ $output == *' 3 were taken' ]]
	folder free
	run -0 mindex -d free import mbox Old box
	[ ! -e free/maildirsize ]
	quota 100
	foretold restore free
	[[ $output == *': over quota: the next message would have no room, '* ]]
	run -75 mindex restore free
	[[ $output == *': over quota: the next message has no room, '* ]]
	# to the octet: by size it ends where it is said, whatever the limit
	size=$(cat free/.Old/cur/* | wc -c)
	for n in $((size / 3)) $((size / 2)) $((size - 1)) $size; do
		for how in 'mbox Old box' "maildir $PWD/free" "imap -- mimapd -p $PWD/free"; do
			rm -rf m && folder m
			quota $n
			said=$(mindex import -n $how 2>&1) && r=0 || r=$?
			[[ $said == *'over quota'* ]] && e=75 || e=0
			[ "$r" = $e ]
			run mindex import $how
			if [[ $how != imap* ]]; then
				[ "$status" = "$r" ]
				[[ $r = 0 || ${said/ would have / has } == "${output/ were taken/ would be taken}" ]]
			elif [ "$status" = 75 ]; then
				[ "$r" = 75 ]
			fi
		done
	done
	rm -rf m && folder m
	quota 1M,2
	run -75 mindex import mbox Old box
	quota 1M,10
	run -0 mindex import -v mbox Old box
	[[ $output == *'2 messages, 2 more were there' ]]
	run -0 mindex check
	[ -z "$output" ]
}

@test "import mbox: the UIDs that it has go into an empty mailbox" {
	folder m
	printf 'From a Sat Jan  3 01:05:34 1998\nX-IMAPbase: 1234567 0000000009 foo\nX-UID: 3\n\nx\n\nFrom a Sat Jan  3 01:05:34 1998\nX-UID: 7\n\ny\n' >box
	printf '1000000S\n0 0\n' >m/maildirsize
	run -0 mindex import mbox New box
	run -0 mindex check
	[ "$(show 2 | tail -n 1)" = 1234567 ]
	[ "$(show 1 New | xargs)" = '3 7' ]
	sed -i 's/^x$/other/' box
	run -0 mindex import mbox New box
	[ "$(show 1 New | xargs)" = '3 7 8' ]
	echo 'Subject: none' >none
	run -65 mindex import mbox New none
	[[ $output == *'none: no mbox'* ]]
	run -66 mindex import mbox New missing
	run -64 mindex import mbox New
	run -75 mindex import mbox a//b box
}

@test "import mbox: as much as one likes in little memory" {
	folder m
	python3 - <<-'EOF'
		with open("box", "w") as f:
		    for i in range(3):
		        f.write("From a Sat Jan  3 01:05:34 1998\nSubject: %d\n\n" % i)
		        for k in range(400000):
		            f.write("a line of a long message, not the first one\n")
		        f.write("\n")
	EOF
	(
		case $BUILD in
		*-san) ;;
		*) ulimit -v 40000 ;;
		esac
		mindex import mbox Big box
	)
	[ "$(show 7 Big | head -n 1)" -gt 18000000 ]
}

@test "import maildir: another Maildir, with Dovecot's UIDs and keywords" {
	dovecot_maildir
	mv m other
	folder m
	run -0 mindex import -n maildir other
	[[ $output == *$'INBOX\timport\t3 messages'* ]]
	[ ! -e m/.Work.2026 ]
	run -0 mindex import maildir other
	[ "$(find other -name 'pneu*' | wc -l)" -eq 0 ]
	run -0 show 1-3,5 INBOX
	[ "$output" = $'1\t\\Flagged\t$Forwarded foo\t2020-09-13T12:26:41Z
3\t\\Seen\tfoo bar\t2020-09-13T12:26:42Z
4\t\t\t2020-09-13T12:26:49Z' ]
	[ "$(show 2 | head -n 1)" = 1795934182 ]
	[ "$(cat m/subscriptions)" = Work.2026 ]
	# what is new later is taken, what was there is not
	message other/new/1700000010.M10P1.h ten
	run -0 mindex import -v maildir other
	[[ $output == *$'INBOX\timport\t1 messages, 3 more were there'* ]]
	[[ $output == *$'Work/2026\timport\t0 messages, 1 more were there'* ]]
	run -66 mindex import maildir nothing
}

@test "import maildir: a second time takes nothing, whatever the names are" {
	folder other
	folder m
	for n in 9.M1P1.h 10.M1P1.h 1.M5P1.h 1.M12P1.h 100.M1P1.h odd.name; do
		message "other/cur/$n:2,S" "$n"
	done
	run -0 mindex import maildir other
	run -0 mindex import -v maildir other
	[[ $output == *$'INBOX\timport\t0 messages, 6 more were there'* ]]
	run -0 mindex restore -v other
	[[ $output == *$'INBOX\timport\t0 messages, 6 more were there'* ]]
}

@test "restore: what the folder has lost comes back under new UIDs" {
	folder m
	for i in 1 2 3; do
		message "m/cur/170000000$i.M${i}P1.h:2,S" "$i" "160000000$i"
	done
	mindex show INBOX >/dev/null
	printf '1 SELECT INBOX\r\n2 STORE 2 +FLAGS (old \\Flagged)\r\n' | mimapd -p m
	cp -a m backup
	printf '1 SELECT INBOX\r\n2 STORE 1:2 +FLAGS (\\Deleted)\r\n3 EXPUNGE\r\n' | mimapd -p m
	[ "$(show 1 INBOX)" = 3 ]
	run -0 mindex restore -n -v backup
	[[ $output == *$'INBOX\tcopy\t1700000002.M2P1.h'* ]]
	[ "$(show 1 INBOX)" = 3 ]
	run -0 mindex restore backup INBOX
	run -0 show 1-3,5 INBOX
	[ "$output" = $'3\t\\Seen\t\t2020-09-13T12:26:43Z
4\t\\Seen\t\t2020-09-13T12:26:41Z
5\t\\Seen \\Flagged\told\t2020-09-13T12:26:42Z' ]
	run -0 mindex restore -v backup
	[[ $output == *$'INBOX\timport\t0 messages, 3 more were there'* ]]
	run -66 mindex restore backup None
}

@test "import: what was cut off goes on with the UIDs, but for absurd ones" {
	folder m
	for i in $(seq 300); do
		printf 'From a Thu Jan  1 00:00:%02d 1998\nX-UID: %d\n' $((i % 60)) $((2 * i))
		[ "$i" -gt 1 ] || printf 'X-IMAPbase: 42 600\n'
		printf 'Subject: %d\n\nx\n\n' "$i"
	done >box
	head -n 1495 box >part
	run -0 mindex import mbox INBOX part
	run -0 mindex import mbox INBOX box
	[ "$(show 1 INBOX | xargs)" = "$(seq 2 2 600 | xargs)" ]
	[ "$(show 2,3 | head -n 1)" = $'42\t601' ]
	sed 's/^X-UID: 600$/X-UID: 4294967290/' box >absurd
	run -0 mindex import mbox New absurd
	[ "$(show 1 New | tail -n 2 | xargs)" = '598 599' ]
}

@test "import mbox: a file that ends in a header loses nothing of it" {
	folder m
	for end in 'X-Odd' 'Status: RO' 'Status: RO\n' 'X-Odd: 1'; do
		printf "From a Thu Jan  1 00:00:01 1998\nSubject: x\nX-Status: F\n$end" >box
		run -0 mindex import mbox "${#end}" box
	done
	[ "$(cat m/.5/cur/* m/.8/cur/* | xargs)" = 'Subject: x X-Odd Subject: x X-Odd: 1' ]
	[ "$(show 2 10)" = '\Seen \Flagged' ]
	[ "$(show 2 12)" = '\Seen \Flagged' ]
}

@test "import maildir: names too long for sizes, and two files of one name" {
	folder m
	folder src
	long=1700000001.$(printf '%0220d' 1)
	message "src/cur/$long:2,S" long
	message src/cur/1700000002.M2P1.h:2,S two
	message src/cur/1700000002.M2P1.h:2,RS "two, too"
	run -75 mindex import -v maildir src
	[[ $output == *'not taken, another has this name'* ]]
	[ "$(show 1 INBOX | wc -l)" = 2 ]
	grep -lx 'Subject: long' m/cur/*
	run -75 mindex import -v maildir src
	[[ $output == *$'INBOX\timport\t0 messages, 2 more were there'* ]]
	rm src/cur/1700000002.M2P1.h:2,RS
	run -0 mindex import -v maildir src
}
