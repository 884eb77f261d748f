#!/usr/bin/env bats
#
# SEARCH of mimapd(8): what is found, and that nothing is missed.

load lib
load imap

@test "no text is missed, read for the first time or by its signature" {
	run -0 python3 "$ROOT/t/imap/needles.py" box 3>&-
	for seed in 1 2; do
		run -0 python3 "$ROOT/t/imap/needles.py" "box$seed" $seed 3>&-
	done
}

@test "FROM and TO see what a quoted pair stands for, HEADER how it is written" {
	mkdir -p box/tmp box/new box/cur
	for f in From To Cc Bcc; do
		printf '%s: "A \\"B\\" C" <a@b.test>,\n "D\\\\E" <d@e.test>\n\nx\n' "$f"
	done >all
	split -l 4 --additional-suffix=.a.host all box/new/
	grep -rqF '"A \"B\" C"' box/new
	run -0 say 'a SELECT INBOX' \
		'b SEARCH FROM "B\" C"' 'c SEARCH TO "\"A \"B\" C\" <a@"' \
		'd SEARCH CC "D\\E"' 'e SEARCH BCC "\\\"B"' \
		'f SEARCH FROM "D\\\\E"' 'g SEARCH HEADER From "\\\"B"' \
		'h SEARCH HEADER To "B\" C"' 'i SEARCH BCC "e.test>"' \
		'j SEARCH FROM "E\" <d@e"'
	[ "$(grep '^\* SEARCH' <<<"$output" | tr '\n' ,)" = "* SEARCH 1,* SEARCH\
 2,* SEARCH 3,* SEARCH,* SEARCH,* SEARCH 1,* SEARCH,* SEARCH 4,* SEARCH 1," ]
}

@test "a rare word opens no message the second time" {
	mkdir -p box/tmp box/new box/cur
	for i in 1 2 3 4 5 6 7 8; do
		printf 'Subject: s\n\nnothing here is rare\n' >"box/new/$i.a.host"
	done
	printf 'Subject: s\n\nxylophone\n' >box/new/9.a.host
	run -0 say 'a SELECT INBOX' 'b SEARCH BODY xylophone'
	[[ $output == *$'\n* SEARCH 9\n'* ]]
	run -0 strace -f -o trace -e trace=openat \
		bash -c 'printf "a SELECT INBOX\r\nb SEARCH BODY xylophone\r\n" |
		mimapd -p box 2>log'
	[[ $output == *"* SEARCH 9"* ]]
	[ "$(grep -c '[0-9]\.a\.host' trace)" = 1 ]
}

@test "orders and threads are kept, and never believed when damaged" {
	mkdir -p box/tmp box/new box/cur
	for i in 1 2 3 4 5 6 7 8 9; do
		printf 'Subject: %s\nMessage-ID: <%s@x>\nReferences: <%s@x>\n\nx\n' \
			$((9 - i)) $i $((i / 2)) >"box/cur/$i.a.host:2,"
	done
	ask() {
		say 'a SELECT INBOX' 'b SORT (SUBJECT) UTF-8 ALL' \
			'c THREAD REFERENCES UTF-8 ALL' | grep -e '^\* [ST]'
	}
	ask >want
	[ "$(head -n 1 want)" = "* SORT 9 8 7 6 5 4 3 2 1" ]
	for f in order.subject threads; do
		[ -s "box/pneu.$f" ]
		cp "box/pneu.$f" good
		ask | diff want -
		cmp "box/pneu.$f" good
		for at in 3 14 18 30 45; do
			printf '\377' | dd of="box/pneu.$f" bs=1 seek=$at \
				conv=notrunc status=none
			ask | diff want -
		done
		head -c 40 good >"box/pneu.$f"
		ask | diff want -
		head -c 200 /dev/urandom >"box/pneu.$f"
		ask | diff want -
	done
	# without one of them, and with another that comes
	rm box/cur/3.a.host:2,
	printf 'Subject: 4a\nReferences: <9@x>\n\nx\n' >box/new/a.a.host
	ask >with
	[ "$(head -n 1 with)" = "* SORT 8 7 6 5 4 9 3 2 1" ]
	rm box/pneu.order.subject box/pneu.threads
	ask | diff with -
	[ -z "$(ls box/*.new 2>/dev/null)" ]
}

@test "sixteen searches are kept up to date, another is told so" {
	for i in $(seq 17); do
		echo "u$i SEARCH RETURN (UPDATE COUNT) ALL"
	done >lines
	mapfile -t lines <lines
	run -0 say "a SELECT INBOX" "${lines[@]}" "z CANCELUPDATE u3" \
		"u18 UID SORT RETURN (UPDATE COUNT) (DATE) UTF-8 ALL"
	[ "$(grep -c 'NOUPDATE' <<<"$output")" = 1 ]
	[[ $output == *'* NO [NOUPDATE "u17"]'*'u17 OK'*'u18 OK'* ]]
}

@test "what is removed costs a search that is kept one look, not one each" {
	run -0 python3 - 3>&- <<'E'
import os
from client import Session
for d in "cur", "new", "tmp":
    os.makedirs("box/" + d)
for i in range(8):
    open(f"box/cur/{i}.a:2,", "w").write(f"Subject: {i * 5 % 8}\n\nx\n")
s = Session()
s("SELECT INBOX")
for i in range(12):
    s("COPY 1:* INBOX")
def used():
    f = open(f"/proc/{s.p.pid}/stat").read().rsplit(")", 1)[1].split()
    return int(f[11])                    # of user time
def expunge(n, what):
    for i in range(n):
        s.send(f"k{i} UID {what} ALL")
        s.until(f"k{i} ")
    s("STORE 1:8192 +FLAGS.SILENT (\\Deleted)")
    before = used()
    got = s("EXPUNGE")
    assert sum("EXPUNGE" in x for x in got) == 8192, got[:5]
    now = used()
    if n > 0:
        s("CANCELUPDATE " + " ".join(f'"k{i}"' for i in range(n)))
    return now - before
none = expunge(0, "")
found = expunge(16, "SEARCH RETURN (UPDATE COUNT)")
sorted = expunge(
    16, "SORT RETURN (UPDATE COUNT) (REVERSE SUBJECT) UTF-8")
assert max(found, sorted) < 10 * none + 30, (none, found, sorted)
E
}

@test "messages that come are put into the orders that are kept" {
	mkdir -p box/tmp box/new box/cur
	put() { # N: a message with few different subjects, senders and dates
		printf 'Subject: Re: s%s\nFrom: f%s@x\nDate: %s Mar 2020 %s:00:00 +0000\n\nx\n' \
			$(($1 * 7919 % 40)) $(($1 * 104729 % 13)) \
			$(($1 * 31 % 28 + 1)) $(($1 % 24)) \
			>"box/cur/$((1000 + $1)).a.host:2,"
	}
	ask() {
		say 'a SELECT INBOX' 'b SORT (SUBJECT) UTF-8 ALL' \
			'c SORT (REVERSE SUBJECT) UTF-8 ALL' \
			'd SORT (FROM REVERSE DATE) UTF-8 ALL' |
			grep '^\* SORT'
	}
	for i in $(seq 300); do put $i; done
	ask >first
	for n in 301 306 308 320; do
		before=$(cat box/pneu.order.subject | cksum)
		for i in $(seq $n $((n + n % 6))); do put $i; done
		rm "box/cur/$((1000 + n - 200)).a.host:2,"
		ask >merged
		! diff -q first merged || false
		[ "$(cat box/pneu.order.subject | cksum)" != "$before" ]
		mkdir kept
		mv box/pneu.order.* kept
		ask | diff merged -
		rm box/pneu.order.*
		mv kept/* box
		rmdir kept
		cp merged first
	done
}
