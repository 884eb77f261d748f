#!/usr/bin/env bats
#
# Clients that keep a copy and ask only for what has changed.

load ../lib
load ../imap

teardown() {
	[ -z "${PNEU_DIR:-}" ] || host_down
}

# Another client of alice's: Python on standard input, with `c` logged in.
other() {
	python3 -c 'import imaplib, os, sys
c = imaplib.IMAP4("127.0.0.1", int(os.environ["IMAP_PORT"]))
c.login("alice@example.test", "secret-alice")
def add(*names):
    for n in names:
        c.append("INBOX", None, None, b"Subject: %s\r\n\r\nx\r\n" % n.encode())
exec(sys.stdin.read())
c.logout()'
}

flow() {
	run -0 --separate-stderr timeout 200 node "$ROOT/t/peers/imapflow.js" \
		"$1" "$PWD/state"
}

@test "imapflow: what changed between two connections, and while it is idle" {
	[ -d "$ROOT/build/npm/node_modules/imapflow" ] || skip "no imapflow"
	host_up
	. "$PNEU_DIR/env"
	other <<<'add(*(str(i) for i in range(30)))'
	flow first
	[ "$output" = "first 30 messages 0 flags 0 vanished" ]
	flow again
	[ "$output" = "again 30 messages 0 flags 0 vanished" ]
	# flags, expunges in the middle and at the end, new messages
	other <<-'E'
		c.select()
		c.store("3:5", "+FLAGS", "(\\Flagged $x)")
		c.store("1,7:9,30", "+FLAGS", "(\\Deleted)")
		c.expunge()
		add("new1", "new2")
	E
	flow again
	[ "$output" = "again 27 messages 5 flags 5 vanished" ]
	flow again
	[ "$output" = "again 27 messages 0 flags 0 vanished" ]
	# a new message that is gone before it was seen
	other <<-'E'
		add("short")
		c.select()
		c.store("28", "+FLAGS", "(\\Deleted)")
		c.expunge()
		c.store("2", "-FLAGS", "(\\Flagged)")
	E
	flow again
	[[ $output == "again 27 messages 1 flags "* ]]
	# everything
	other <<-'E'
		c.select()
		c.store("1:*", "+FLAGS", "(\\Deleted)")
		c.expunge()
	E
	flow again
	[[ $output == "again 0 messages 0 flags "* ]]
	other <<<'add("a", "b", "c", "d")'
	flow again
	timeout 200 node "$ROOT/t/peers/imapflow.js" live "$PWD/state" >out 2>&1 3>&- &
	pid=$!
	wait_for test -e state.ready
	other <<-'E'
		c.select()
		c.store("2", "+FLAGS", "(\\Seen)")
		c.store("3", "+FLAGS", "(\\Deleted)")
		c.expunge()
		add("live")
	E
	: >state.done
	wait $pid || { cat out; false; }
	[[ $(cat out) == "live 4 messages "* ]]
}

# What NeoMutt shows: all messages, and the flagged ones.
neo() {
	rm -f all flagged neolog0
	: >all
	: >flagged
	tag='<tag-prefix><pipe-message>cat'
	TERM=vt100 run timeout 120 script -qc "neomutt -n -d 4 -l $PWD/neolog -F rc -e \
'push \"<tag-pattern>~A<enter>$tag >>$PWD/all<enter><untag-pattern>~A<enter>\
<tag-pattern>~F<enter>$tag >>$PWD/flagged<enter><exit>\"'" \
		/dev/null </dev/null 3>&-
}

# The same of a session that has nothing in its head.
truth() {
	python3 - <<-'E'
		import imaplib, os
		c = imaplib.IMAP4_stream(os.environ["TUNNEL"])
		c.select(readonly=True)
		for key, name in ("ALL", "all.want"), ("FLAGGED", "flagged.want"):
		    got = []
		    for n in c.search(None, key)[1][0].split():
		        got.append(c.fetch(n, "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")[1][0][1].decode().strip())
		    open(name, "w").write("".join(x + "\n" for x in got))
	E
	for f in all flagged; do
		tr -d '\r' <$f | grep '^Subject:' | diff - $f.want
	done
}

@test "NeoMutt with QRESYNC: its header cache, brought up to date" {
	command -v neomutt >/dev/null || skip "no neomutt"
	mkdir cache
	export TUNNEL="$BUILD/mimapd -p $PWD/box 2>>$PWD/log"
	cat >rc <<-E
		set tunnel="$TUNNEL"
		set folder=imap://me@localhost/ spoolfile=imap://me@localhost/INBOX
		set imap_qresync=yes imap_condstore=yes header_cache=$PWD/cache/
		set quit=yes delete=yes mark_old=no wait_key=no pipe_split=yes
		set imap_peek=yes sort=mailbox-order
	E
	change() {
		python3 -c 'import os, sys
from client import Session
c = Session()
exec(sys.stdin.read())'
	}
	change <<-'E'
		c.append(12, text="Subject: m{}\r\n\r\nx\r\n")
		c("SELECT INBOX")
		c("STORE 1 +FLAGS (\\Flagged)")
	E
	neo
	truth
	[ "$(grep -c . all.want)" = 12 ]
	# flags of others: no message is read again
	change <<-'E'
		c("SELECT INBOX")
		c("STORE 2,5 +FLAGS (\\Flagged)")
	E
	neo
	truth
	grep -q 'CHANGEDSINCE [0-9]* VANISHED' neolog0
	grep -q 'UID 5 updated' neolog0
	! grep -q 'QRESYNC failed' neolog0 || false
	! grep -q 'FETCH [0-9:]* (UID FLAGS INTERNALDATE' neolog0 || false
	# behind what has vanished it counts wrongly, with Dovecot as well; it
	# finds that out and starts again
	change <<-'E'
		c("SELECT INBOX")
		c("STORE 3:4,12 +FLAGS (\\Deleted)")
		c("EXPUNGE")
		c("STORE 5 +FLAGS (\\Flagged)")
		c.append(2, text="Subject: new{}\r\n\r\nx\r\n")
	E
	neo
	truth
	grep -q 'Handling VANISHED' neolog0
	neo
	truth
}
