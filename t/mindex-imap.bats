#!/usr/bin/env bats
#
# mindex(8), import imap: an account of another server.

load lib
load mindex.sh

@test "import imap: all of an account, with UIDs, and what is new later" {
	imap_source
	folder m
	run -0 mindex import -n imap -- mimapd -p src
	[[ $output == *$'INBOX\timport\t108 messages, 0 more were there'* ]]
	[ ! -e m/.A.B* ]
	run -0 mindex import imap -- mimapd -p src
	diff <(content src INBOX) <(content m INBOX)
	diff <(content src 'A/Bä') <(content m 'A/Bä')
	MAILDIR=src mindex show | cut -f 1-3,5-7 | sort >a
	mindex show | cut -f 1-3,5-7 | sort | diff a -
	diff src/subscriptions m/subscriptions
	diff src/pneu.special-use m/pneu.special-use
	cmp src/"$(MAILDIR=src mindex show INBOX | sed -n '9s/.*\t//p')" \
		m/"$(mindex show INBOX | sed -n '9s/.*\t//p')"
	# deleted here, new there
	printf '1 SELECT INBOX\r\n2 STORE 1 +FLAGS.SILENT \\Deleted\r\n3 EXPUNGE\r\n' |
		mimapd -p m >/dev/null
	message src/new/1800000000.M1P1.h new
	run -0 mindex import -v imap -- mimapd -p src
	[[ $output == *$'INBOX\timport\t1 messages, 0 more were there'* ]]
	[ "$(show 1 INBOX | wc -l)" -eq 108 ]
	[ "$(show 1 INBOX | tail -n 1)" = 121 ]
}

@test "import imap: cut off anywhere, the next run goes on" {
	imap_source
	folder m
	for n in 1 200 5000 40000; do
		run -75 mindex import imap -- \
			bash -c "exec dd bs=1 count=$n status=none < <(mimapd -p src)"
		[[ $output == *'the server has gone'* ]]
	done
	[ "$(show 1 INBOX | wc -l)" -ge 40 ]
	run -0 mindex import imap -- mimapd -p src
	diff <(content src INBOX) <(content m INBOX)
	# the state was lost, or a crash came between: nothing twice
	rm m/pneu.import
	run -0 mindex import -v imap -- mimapd -p src
	[[ $output == *$'INBOX\timport\t0 messages, 108 more were there'* ]]
}

@test "import imap: only some mailboxes, into one that is in use" {
	imap_source
	folder m
	message m/new/1700000000.M1P1.h mine
	mindex show INBOX >/dev/null
	run -0 mindex import -v imap only=INBOX not=Gone -- mimapd -p src
	[[ $output == *$'Gone\tleave\tnot wanted'* ]]
	[ "$(show 1 INBOX | wc -l)" -eq 109 ]
	[ ! -e m/.Gone ]
	run -64 mindex import imap
	run -64 mindex import imap frob=1 -- true
	run -69 mindex import imap -- /no/such/program
	run -76 mindex import imap -- printf 'what is this\r\n'
}

@test "import imap: a login, other separators and old servers" {
	folder m
	cat >server <<-'EOF'
		#!/usr/bin/env python3
		import sys, base64
		mode = sys.argv[1]
		def say(s): sys.stdout.write(s + "\r\n"); sys.stdout.flush()
		say("* OK ready")
		for line in sys.stdin:
		    tag, _, rest = line.strip().partition(" ")
		    word = rest.split()[0].upper()
		    if word == "CAPABILITY":
		        say("* CAPABILITY IMAP4rev1 NAMESPACE" + {"plain": " AUTH=PLAIN", "no": " LOGINDISABLED"}.get(mode, ""))
		    elif word == "LOGIN" and rest != 'LOGIN "me" "a \\"b\\\\"':
		        say(tag + " NO wrong"); continue
		    elif word == "AUTHENTICATE":
		        say("+ ")
		        if base64.b64decode(sys.stdin.readline()) != b'\0me\0a "b\\':
		            say(tag + " NO wrong"); continue
		    elif word == "NAMESPACE":
		        say('* NAMESPACE (("INBOX." ".")) NIL NIL')
		    elif word == "LIST":
		        say('* LIST (\\Noselect) "." INBOX.Top')
		        say('* LIST () "." {14}\r\nINBOX.Top.a/bc')
		        say('* LIST () "." "INBOX"')
		    elif word == "LSUB":
		        say('* LSUB () "." "INBOX.Top.a/bc"')
		    elif word == "EXAMINE":
		        say("* 2 EXISTS\r\n* OK [UIDVALIDITY 42] x\r\n* OK [UIDNEXT 20] x")
		    elif rest.endswith(":* (UID)"):
		        say("* 1 FETCH (UID 5)\r\n* 2 FETCH (UID 9)")
		    elif "BODY.PEEK[]" in rest:
		        say('* 1 FETCH (BODY[] "short" FLAGS (\\Recent kw) UID 5 INTERNALDATE " 3-Jan-1998 01:05:34 +0000")')
		        say('* 2 FETCH (FLAGS (\\Seen))\r\n* 2 FETCH (UID 9 BODY[] NIL X (1 (2)))')
		    say(tag + " OK done")
	EOF
	chmod +x server
	printf 'a "b\\\n' >pw
	for mode in login plain; do
		rm -rf m && folder m
		run -0 mindex import -v -w 3 imap user=me -- ./server $mode 3<pw
		[ "$(cut -f 1-3,5 <(mindex show INBOX))" = $'5\t\t'"kw"$'\t1998-01-03T01:05:34Z
9\t\t\t'"$(cut -f 5 <(mindex show INBOX) | tail -n 1)" ]
		[ "$(show 1-3 Top/a_bc)" = $'5\t\tkw\n9\t\t' ]
		[ "$(show 2,3 | tail -n 1)" = $'42\t20' ]
		[ "$(cat m/subscriptions)" = Top.a_bc ]
	done
	run -77 mindex import -w 3 imap user=you -- ./server login 3<pw
	[[ $output == *'refuses the login'* ]]
	run -77 mindex import imap -- ./server login
	run -69 mindex import -w 3 imap user=me -- ./server no 3<pw
}

@test "import imap: a token, by either mechanism, and what is wrong with it" {
	folder m
	cat >server <<-'EOF'
		#!/usr/bin/env python3
		import sys, base64
		mech, ir, good = sys.argv[1:]
		log = open("said", "w")
		def say(s): sys.stdout.write(s + "\r\n"); sys.stdout.flush()
		def hear(): s = sys.stdin.readline().strip(); log.write(s + "\n"); return s
		want = {"OAUTHBEARER": b"n,a=m=2Ce=3D@x,\1auth=Bearer %s\1\1",
		        "XOAUTH2": b"user=m,e=@x\1auth=Bearer %s\1\1"}
		say("* OK ready")
		while line := hear():
		    tag, word, *rest = line.split()
		    if word == "CAPABILITY":
		        say("* CAPABILITY IMAP4rev1 AUTH=PLAIN " + " ".join("AUTH=" + m for m in mech.split("+")) + " SASL-IR" * (ir == "ir"))
		    elif word == "AUTHENTICATE":
		        if ir == "late":
		            say("+ ")
		        text = base64.b64decode(rest[1] if ir == "ir" else hear())
		        if rest[0] != mech.split("+")[0] or text != want[rest[0]] % open("good", "rb").read():
		            say("+ " + base64.b64encode(b'{"status":"400\x1b"}').decode())
		            if hear() != {"OAUTHBEARER": "AQ==", "XOAUTH2": ""}[rest[0]]:
		                say(tag + " BAD what is this"); continue
		            say(tag + " NO [AUTHENTICATIONFAILED] no"); continue
		    elif word == "LIST":
		        say('* LIST () "/" INBOX')
		    elif word == "EXAMINE":
		        say("* 0 EXISTS\r\n* OK [UIDVALIDITY 42] x\r\n* OK [UIDNEXT 20] x")
		    say(tag + " OK done")
	EOF
	chmod +x server
	head -c 5377 /dev/zero | tr '\0' t >good # some are long
	{ head -c 5377 good; printf '\r\nnot this\n'; } >token
	echo stale >stale
	for mech in OAUTHBEARER XOAUTH2 OAUTHBEARER+XOAUTH2; do
		for ir in ir late; do
			run -0 mindex import -w 3 imap user=m,e=@x auth=token -- \
				./server $mech $ir x 3<token
			run -77 mindex import -w 3 imap user=m,e=@x auth=token -- \
				./server $mech $ir x 3<stale
			[[ $output == *'refuses the login: NO [AUTHENTICATIONFAILED] no: {"status":"400?"}' ]]
			[[ $output != *stale* ]]
		done
	done
	run -69 mindex import -w 3 imap user=me auth=token -- ./server PLAIN ir x 3<token
	[[ $output == *'takes no token'* ]]
	run -64 mindex import -w 3 imap user=me auth=token -- \
		./server XOAUTH2 ir x 3< <(echo a b)
	run -64 mindex import -w 3 imap user=me auth=token -- \
		./server XOAUTH2 ir x 3< <(head -c 7200 /dev/zero | tr '\0' t)
	run -64 mindex import imap user=me auth=tokens -- true
}

@test "import imap: what does not come is said, and asked for again" {
	folder m
	cat >server <<-'EOF'
		#!/usr/bin/env python3
		import re, sys
		mode = sys.argv[1]
		def say(s): sys.stdout.write(s + "\r\n"); sys.stdout.flush()
		say("* PREAUTH ready")
		for line in sys.stdin:
		    tag, _, rest = line.strip().partition(" ")
		    word = rest.split()[0].upper()
		    if word == "LIST":
		        say('* LIST () "." "INBOX"\r\n* LIST () "." "Other"')
		    elif word == "EXAMINE":
		        n = 0 if mode == "empty" else 4
		        say(f"* {n} EXISTS\r\n* OK [UIDVALIDITY 42] x")
		    elif rest.endswith(":* (UID)"):
		        if mode in ("refuse", "empty"):
		            say(tag + " NO not now"); continue
		        for u in 9, 5, 8, 5, 6:          # in no order, and twice
		            say(f"* {u} FETCH (UID {u})")
		    elif "BODY.PEEK[]" in rest:
		        asked = rest.split()[2]
		        for u in 5, 6, 8, 9, 7:          # 7 was not asked for
		            if not any(int(a) <= u <= int(b) for a, b in
		                    (x.split(":") for x in asked.split(","))) and u != 7:
		                continue
		            if u == 6 and mode in ("leave", "no"):
		                continue
		            for i in 0, 1:
		                say('* %d FETCH (UID %d BODY[] "m%d")' % (u, u, u))
		        if mode == "no" and ("5:6" in asked or "6:6" in asked):
		            say(tag + " NO can't read that"); continue
		    say(tag + " OK done")
	EOF
	chmod +x server
	for mode in leave no; do
		rm -rf m && folder m
		run -75 mindex import -v imap -- ./server $mode
		[[ $output == *'INBOX: UID 6 does not come'* ]]
		[ "$(show 1 INBOX | xargs)" = '5 8 9' ]
		[ "$(show 1 Other | xargs)" = '5 8 9' ]
		run -0 mindex import -v imap -- ./server all
		[[ $output == *$'INBOX\timport\t1 messages, 2 more were there'* ]]
		[ "$(show 1 INBOX | wc -l)" = 4 ]
		grep -lx m6 m/cur/*
		run -0 mindex import -v imap -- ./server all
		[[ $output == *$'INBOX\timport\t0 messages, 0 more were there'* ]]
	done
	# a refusal is no empty mailbox; an empty one is not asked
	rm -rf m && folder m
	run -75 mindex import imap -- ./server refuse
	[[ $output == *'INBOX: the server says NO not now'* ]]
	[[ $output == *'Other: the server says NO not now'* ]]
	run -0 mindex import imap -- ./server empty
}

@test "import imap: a list of mailboxes without end, and names that are none" {
	folder m
	cat >server <<-'EOF'
		#!/usr/bin/env python3
		import sys
		def say(s): sys.stdout.write(s + "\r\n"); sys.stdout.flush()
		say("* PREAUTH ready")
		for line in sys.stdin:
		    tag, _, rest = line.strip().partition(" ")
		    if rest.startswith("LIST"):
		        sys.stdout.write("".join('* LIST (\\Noselect) "/" b%d\r\n' % i for i in range(150000)))
		        say('* LIST () "/" "%s"\r\n* LIST () "/" B\r\n* LIST () "/" A' % ("x" * 5000))
		    elif rest.startswith("LSUB"):
		        say('* LSUB () "/" "A"\r\n* LSUB () "/" "gone"')
		    elif rest.startswith("EXAMINE"):
		        say("* 0 EXISTS")
		    say(tag + " OK done")
	EOF
	chmod +x server
	run -75 timeout 120 mindex import -v imap -- ./server
	[[ $output == *'a mailbox is left'* ]]
	[ "$(sed -n 's/\timport\t.*//p' <<<"$output" | xargs)" = 'B A' ]
	[ "$(cat m/subscriptions)" = A ]
}
