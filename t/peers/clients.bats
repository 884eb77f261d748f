#!/usr/bin/env bats
#
# Real clients against a host of scripts/up.

load ../lib
load ../host

setup() {
	at_host
	A=alice@example.test B=bob@example.test C=carol@example.test
}

need() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

# A message with this subject is in the Maildir of NAME.
arrived() {
	grep --exclude='pneu.*' -lrx "Subject: $2" "$PNEU_DIR/mail/$1" >/dev/null
}

# Put a message with subject $2 into the mailbox of NAME, by LMTP.
put() {
	printf 'Subject: %s\r\n\r\nfor %s\r\n' "$2" "$1" >put.eml
	python3 - "$LMTP_PORT" "$1@example.test" <<-'EOF'
		import smtplib, sys
		s = smtplib.LMTP("127.0.0.1", int(sys.argv[1]))
		s.sendmail("x@elsewhere.test", [sys.argv[2]], open("put.eml", "rb").read())
		s.quit()
	EOF
	wait_for arrived "$1" "$2"
}

@test "swaks: SMTP, STARTTLS, submission, pipelining, LMTP" {
	need swaks
	run -0 swaks -s 127.0.0.1:$SMTP_PORT -f x@elsewhere.test -t $B \
		--h-Subject 'swaks plain'
	run -0 swaks -s 127.0.0.1:$SMTP_PORT -tls -f x@elsewhere.test -t $B \
		--h-Subject 'swaks starttls'
	run -0 swaks -s 127.0.0.1:$SUBMISSION_PORT -tls -a PLAIN -au $A \
		-ap secret-alice -f $A -t $B --h-Subject 'swaks plain login'
	run -0 swaks -s 127.0.0.1:$SUBMISSIONS_PORT -tlsc -a LOGIN -au $A \
		-ap secret-alice -f $A -t $B --h-Subject 'swaks login login'
	run -0 swaks -s 127.0.0.1:$SMTP_PORT --pipeline -f x@elsewhere.test \
		-t $B,$C --h-Subject 'swaks pipelined'
	run -0 swaks -s 127.0.0.1:$LMTP_PORT --protocol LMTP \
		-f x@elsewhere.test -t $B --h-Subject 'swaks lmtp'
	for s in plain starttls 'plain login' 'login login' pipelined lmtp; do
		wait_for arrived bob "swaks $s"
	done
	wait_for arrived carol 'swaks pipelined'
}

@test "swaks: a wrong password, a relay attempt and an unknown user" {
	need swaks
	run -28 swaks -s 127.0.0.1:$SUBMISSION_PORT -tls -a PLAIN -au $A \
		-ap wrong -f $A -t $B
	[[ $output == *" 535 5.7.8 "* ]]
	run -24 swaks -s 127.0.0.1:$SMTP_PORT -f x@elsewhere.test -t y@elsewhere.test
	[[ $output == *" 5.7.1 "* ]]
	run -24 swaks -s 127.0.0.1:$SMTP_PORT -f x@elsewhere.test -t nobody@example.test
	[[ $output == *" 550 5.1.1 "* ]]
	run -23 swaks -s 127.0.0.1:$SUBMISSION_PORT -tls -f $A -t $B
	[[ $output == *" 530 5.7.0 "* ]]
}

@test "curl: smtp, smtps, imap, imaps, pop3, pop3s" {
	need curl
	printf 'From: <%s>\r\nSubject: by curl\r\n\r\n.dot\r\n' $A >m
	curl() { command curl -sS --cacert "$PNEU_CA" "$@"; }
	curl smtp://localhost:$SUBMISSION_PORT --ssl-reqd -u $A:secret-alice \
		--mail-from $A --mail-rcpt $C -T m
	wait_for arrived carol 'by curl'
	run -0 curl imaps://localhost:$IMAPS_PORT/INBOX -u $C:secret-carol \
		-X 'SEARCH SUBJECT "by curl"'
	uid=$(tr -d '\r' <<<"$output" | awk '/SEARCH/ { print $3 }')
	run -0 curl "imap://localhost:$IMAP_PORT/INBOX;MAILINDEX=$uid" \
		--ssl-reqd -u $C:secret-carol
	[[ $output == *".dot"* ]]
	run -0 curl pop3://localhost:$POP3_PORT/ --ssl-reqd -u $C:secret-carol
	n=$(wc -l <<<"$output")
	run -0 curl pop3s://localhost:$POP3S_PORT/$n -u $C:secret-carol
	[[ $output == *$'\n'".dot"* ]]
	run -67 curl imaps://localhost:$IMAPS_PORT/ -u $C:wrong
	run -67 curl pop3s://localhost:$POP3S_PORT/ -u $C:wrong
	run -67 curl smtps://localhost:$SUBMISSIONS_PORT -u $A:wrong \
		--mail-from $A --mail-rcpt $C -T m
}

@test "msmtp sends with TLS at once and with STARTTLS" {
	need msmtp
	for how in on off; do
		port=$SUBMISSION_PORT
		[ $how = on ] || port=$SUBMISSIONS_PORT
		printf 'Subject: msmtp %s\n\nhello\n' $how |
			msmtp --host=localhost --port=$port --tls=on \
				--tls-starttls=$how --tls-trust-file="$PNEU_CA" \
				--auth=on --user=$A --passwordeval='echo secret-alice' \
				--from=$A $B
		wait_for arrived bob "msmtp $how"
	done
}

# mutt without hands: it does the words given to it, on a screen of its own
mutt_does() {
	TERM=xterm run -0 timeout 120 script -qec \
		"mutt -F muttrc -e 'push \"$1\"'" screen </dev/null
}

# A message with this subject in a folder (.) of bob has these flags.
has_flags() {
	grep --exclude='pneu.*' -lr "^Subject: $2" "$PNEU_DIR/mail/bob/$1/cur" |
		grep -q ":2,$3\$"
}

muttrc() {
	cat <<-EOF
		set from=$A realname=Alice use_from=yes resolve=no
		set ssl_ca_certificates_file=$PNEU_CA certificate_file=/dev/null
		set smtp_url=smtps://alice%40example.test@localhost:$SUBMISSIONS_PORT/
		set smtp_pass=secret-alice imap_pass=secret-bob imap_user=$B
		set copy=no mail_check=1 timeout=1 sort=date prompt_after=no
		set confirmcreate=no confirmappend=no quit=yes delete=yes
		set header_cache= message_cachedir= wait_key=no
	EOF
}

@test "mutt sends, reads, flags and saves" {
	need mutt
	muttrc >muttrc
	cat >>muttrc <<-EOF
		set ssl_force_tls=yes
		set folder=imaps://localhost:$IMAPS_PORT/ spoolfile=+INBOX
	EOF
	for n in 1 2; do
		echo "the body of $n" | mutt -F muttrc -s "from mutt $n" $B
		wait_for arrived bob "from mutt $n"
	done
	mutt_does '<limit>~s mutt<enter><first-entry><display-message><exit><pipe-message>cat >seen<enter><flag-message><copy-message>=Copied<enter><next-undeleted><save-message>=Saved<enter><sync-mailbox><exit>'
	grep -q 'the body of 1' seen
	has_flags . 'from mutt 1' FS
	has_flags .Copied 'from mutt 1' FS
	has_flags .Saved 'from mutt 2' ''
	run ! grep -lr '^Subject: from mutt 2' "$PNEU_DIR/mail/bob/cur" \
		"$PNEU_DIR/mail/bob/new"
	# STARTTLS, and into another folder
	sed -i "s,imaps://localhost:$IMAPS_PORT,imap://localhost:$IMAP_PORT," muttrc
	mutt_does '<change-folder>=Saved<enter><toggle-new><flag-message><sync-mailbox><exit>'
	has_flags .Saved 'from mutt 2' FS
}

@test "mutt reads a Maildir through a tunnel, without a password" {
	need mutt
	printf 'Subject: at home\n\nthe body at home\n' |
		(mkdir -p box/new box/cur box/tmp && mdeliver box/)
	muttrc >muttrc
	cat >>muttrc <<-EOF
		set tunnel="mimapd -p $PWD/box 2>$PWD/err"
		set folder=imap://localhost/ spoolfile=+INBOX
	EOF
	mutt_does '<display-message><exit><pipe-message>cat >seen<enter><flag-message><sync-mailbox><exit>'
	grep -q 'the body at home' seen
	grep -lr '^Subject: at home' box/cur | grep -q ':2,FS$'
}

mbsyncrc() {
	cat <<-EOF
		IMAPAccount pneu
		$1

		IMAPStore far
		Account pneu

		MaildirStore near
		Path $PWD/near/
		Inbox $PWD/near/INBOX
		SubFolders Verbatim

		Channel all
		Far :far:
		Near :near:
		Patterns *
		Create Both
		Expunge Both
		SyncState *
	EOF
}

# near and the Maildir $1: changes on both sides pass, and then none are left.
# The network dialogue of the last run shows that nothing was moved.
both_ways() {
	mkdir near
	mbsync -c rc -a
	grep -lr '^Subject: for mbsync' near/INBOX
	# here: a flag, a message, a folder with a message
	m=$(grep -lr '^Subject: for mbsync' near/INBOX)
	t=${m##*/}
	mv "$m" "near/INBOX/cur/${t%:2,*}:2,FS"
	printf 'Subject: from near\n\nx\n' >near/INBOX/new/1.1.near
	mkdir -p near/Work/cur near/Work/new near/Work/tmp
	printf 'Subject: at work\n\nx\n' >near/Work/new/2.1.near
	# there: a message
	printf 'Subject: from far\n\nx\n' | "$2"
	mbsync -c rc -a
	grep -lr '^Subject: from near' "$1/cur" "$1/new"
	grep -lr '^Subject: at work' "$1/.Work"
	grep -lr '^Subject: for mbsync' "$1/cur" | grep ':2,FS$'
	grep -lr '^Subject: from far' near/INBOX
	# gone here, gone there
	rm "$(grep -lr '^Subject: from near' near/INBOX)"
	mbsync -c rc -a
	run ! grep -lr '^Subject: from near' "$1/cur" "$1/new"
	run -0 mbsync -c rc -a -Dn
	[[ $output == *">>> "*"SELECT"* ]]
	! grep -E '>>> .*(APPEND|STORE|EXPUNGE|BODY)' <<<"$output" || false
}

@test "mbsync: a two-way sync, which is empty the second time" {
	need mbsync
	put carol 'for mbsync'
	mbsyncrc "Host localhost
		Port $IMAPS_PORT
		User $C
		Pass secret-carol
		SSLType IMAPS
		CertificateFile $PNEU_CA" >rc
	by_lmtp() {
		cat >/dev/null
		put carol 'from far'
	}
	both_ways "$PNEU_DIR/mail/carol" by_lmtp
}

@test "mbsync: the same through a tunnel, without a password" {
	need mbsync
	mkdir -p box/new box/cur box/tmp
	by_hand() {
		mdeliver "$PWD/box/"
	}
	printf 'Subject: for mbsync\n\nx\n' | by_hand
	mbsyncrc "Tunnel \"mimapd -p $PWD/box\"" >rc
	both_ways "$PWD/box" by_hand
}

@test "fetchmail takes mail by POP3 and IMAP and delivers it by mdeliver" {
	need fetchmail
	for proto in POP3 IMAP; do
		put bob "for fetchmail $proto"
		port=$POP3S_PORT
		[ $proto = POP3 ] || port=$IMAPS_PORT
		cat >rc <<-EOF
			poll localhost proto $proto port $port user "$B"
			password "secret-bob" ssl sslcertck sslcertfile "$PNEU_CA"
			mda "$BUILD/mdeliver $PWD/got-$proto/"
		EOF
		chmod 600 rc
		mkdir -p got-$proto/new got-$proto/cur got-$proto/tmp
		# one that is kept is there the next time; one that is not is gone
		fetchmail -f rc --idfile ids --pidfile pid -k -a -s --nosyslog
		grep -lr "^Subject: for fetchmail $proto" got-$proto/new
		arrived bob "for fetchmail $proto"
		fetchmail -f rc --idfile ids --pidfile pid -K -a -s --nosyslog
		has_mail bob 0
		run -1 fetchmail -f rc --idfile ids --pidfile pid -a -s --nosyslog
		[[ $output != *fetchmail:*error* ]]
	done
}

@test "offlineimap: there and back" {
	need offlineimap
	put bob 'for offlineimap'
	cat >rc <<-EOF
		[general]
		accounts = a
		metadata = $PWD/meta
		ui = quiet
		[Account a]
		localrepository = l
		remoterepository = r
		[Repository l]
		type = Maildir
		localfolders = $PWD/box
		[Repository r]
		type = IMAP
		remotehost = localhost
		remoteport = $IMAPS_PORT
		ssl = yes
		sslcacertfile = $PNEU_CA
		remoteuser = $B
		remotepass = secret-bob
	EOF
	offlineimap -c rc -o
	grep -lr '^Subject: for offlineimap' box/INBOX
	printf 'Subject: back by offlineimap\n\nx\n' >"box/INBOX/new/1.1.x"
	m=$(grep -lr '^Subject: for offlineimap' box/INBOX)
	t=${m##*/}
	mv "$m" "box/INBOX/cur/${t%:2,*}:2,FS"
	offlineimap -c rc -o
	wait_for arrived bob 'back by offlineimap'
	has_flags . 'for offlineimap' FS
	before=$(find box "$PNEU_DIR/mail/bob/cur" -type f | sort)
	offlineimap -c rc -o
	[ "$before" = "$(find box "$PNEU_DIR/mail/bob/cur" -type f | sort)" ]
}

@test "Python's smtplib, imaplib and poplib" {
	run -0 python3 - <<-'EOF'
		import imaplib, os, poplib, smtplib, ssl, time
		e = os.environ
		ctx = ssl.create_default_context(cafile=e["PNEU_CA"])
		s = smtplib.SMTP_SSL("localhost", int(e["SUBMISSIONS_PORT"]), context=ctx)
		s.login("alice@example.test", "secret-alice")
		s.sendmail("alice@example.test", ["bob@example.test"],
		    "Subject: by smtplib\r\n\r\n.hello\r\n")
		s.quit()
		i = imaplib.IMAP4("localhost", int(e["IMAP_PORT"]))
		i.starttls(ctx)
		i.login("bob@example.test", "secret-bob")
		for _ in range(100):
		    i.select("INBOX")
		    n = i.search(None, "SUBJECT", '"by smtplib"')[1][0].split()
		    if n:
		        break
		    time.sleep(0.1)
		body = i.fetch(n[0], "(BODY[TEXT])")[1][0][1]
		assert body == b".hello\r\n", body
		i.append("INBOX", "(\\Seen)", None, b"Subject: appended\r\n\r\nx\r\n")
		i.create("Made")
		assert i.copy(n[0], "Made")[0] == "OK"
		assert i.status("Made", "(MESSAGES)")[1] == [b'"Made" (MESSAGES 1)']
		i.store(n[0], "+FLAGS", "(\\Deleted)")
		i.expunge()
		i.logout()
		p = poplib.POP3("localhost", int(e["POP3_PORT"]))
		assert "STLS" in p.capa()
		p.stls(ctx)
		p.user("bob@example.test")
		p.pass_("secret-bob")
		assert b"Subject: appended" in p.retr(p.stat()[0])[1]
		p.quit()
	EOF
	[ -z "$output" ]
}

@test "mblaze and mutt share a Maildir with an IMAP session that is open" {
	need mflag
	need mutt
	mkdir -p box/new box/cur box/tmp
	for n in 1 2; do
		printf 'Subject: shared %s\nDate: Sun, 22 Nov 2026 10:00:0%s +0000\n\nx\n' \
			$n $n | mdeliver box/
	done
	cat >muttrc <<-'EOT'
		set folder=. quit=yes delete=yes sort=date move=no
		push "<last-entry><delete-message><sync-mailbox><exit>"
	EOT
	run -0 python3 - <<-'EOT'
		import subprocess
		def sh(s): return subprocess.run(s, shell=True, check=True,
		    stdin=subprocess.DEVNULL, capture_output=True, text=True).stdout
		p = subprocess.Popen(["mimapd", "-p", "box"], stdin=subprocess.PIPE,
		    stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
		def do(line):
		    p.stdin.write(line.encode() + b"\r\n"); p.stdin.flush()
		    said = []
		    while not said or not said[-1].startswith("a "):
		        said.append(p.stdout.readline().decode())
		        assert said[-1], said
		    assert said[-1].startswith("a OK"), said
		    return "".join(said)
		assert "* 2 EXISTS" in do("a SELECT INBOX")
		sh("mlist box | mpick -t 'subject =~ \"shared 1\"' | mflag -S")
		said = do("a NOOP")
		assert "FETCH (FLAGS (\\Seen" in said, said
		sh("TERM=xterm timeout 120 script -qec 'mutt -F muttrc -f box' screen")
		said = do("a NOOP")
		assert "* 2 EXPUNGE" in said, said
		do("a STORE 1 +FLAGS (\\Answered)")
		assert len(sh("mlist -R box").split()) == 1
		do("a LOGOUT")
		p.wait()
	EOT
}
