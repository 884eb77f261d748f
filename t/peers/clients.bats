#!/usr/bin/env bats
#
# Real clients against a host of scripts/up.

load ../lib

setup_file() {
	host_up
	export PNEU_DIR
}

teardown_file() {
	host_down
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	export HOME=$PWD
	. "$PNEU_DIR/env"
	A=alice@example.test B=bob@example.test C=carol@example.test
}

need() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

# A message with this subject is in the Maildir of NAME.
arrived() {
	grep -lr "^Subject: $2" "$PNEU_DIR/mail/$1" >/dev/null
}

# Put a message with subject $2 into the mailbox of NAME, by LMTP.
put() {
	need curl
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

@test "mutt sends, reads, flags and saves" {
	need mutt
	cat >muttrc <<-EOF
		set from=$A realname=Alice use_from=yes
		set ssl_ca_certificates_file=$PNEU_CA ssl_force_tls=yes
		set smtp_url=smtps://alice%40example.test@localhost:$SUBMISSIONS_PORT/
		set smtp_pass=secret-alice imap_pass=secret-bob imap_user=$B
		set folder=imaps://localhost:$IMAPS_PORT/ spoolfile=+INBOX
		set copy=no mail_check=1 timeout=1 sort=threads
		set certificate_file=/dev/null header_cache=
	EOF
	echo hello | mutt -F muttrc -s 'from mutt' $B
	wait_for arrived bob 'from mutt'
	# tag all, flag them, copy to a new folder, leave
	cat >>muttrc <<-'EOF'
		set confirmcreate=no confirmappend=no quit=yes
		push "T~A<enter>;wF;C=Kept<enter><sync-mailbox><exit>"
	EOF
	TERM=xterm run -0 timeout 20 script -qec 'mutt -F muttrc' /dev/null </dev/null
	[ -n "$(ls "$PNEU_DIR"/mail/bob/.Kept/cur/ "$PNEU_DIR"/mail/bob/.Kept/new/ | grep .)" ]
	grep -lr '^Subject: from mutt' "$PNEU_DIR/mail/bob/.Kept"
	[ -n "$(find "$PNEU_DIR/mail/bob/cur" -name '*:2,*F*')" ]
}

mbsyncrc() {
	cat <<-EOF
		IMAPAccount pneu
		Host localhost
		Port $IMAPS_PORT
		User $C
		Pass secret-carol
		SSLType IMAPS
		CertificateFile $PNEU_CA
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

@test "mbsync: a two-way sync, which is empty the second time" {
	need mbsync
	put carol 'for mbsync'
	mkdir -p near
	mbsyncrc >rc
	run -0 mbsync -c rc -a
	grep -lr '^Subject: for mbsync' near/INBOX
	# changes on both sides: a new folder, a flag, a message
	printf 'Subject: from near\n\nx\n' >near/INBOX/new/1.1.near
	m=$(grep -lr '^Subject: for mbsync' near/INBOX)
	mv "$m" "${m%/*/*}/cur/$(basename "${m%:2,*}"):2,FS"
	mkdir -p near/Work/cur near/Work/new near/Work/tmp
	printf 'Subject: at work\n\nx\n' >near/Work/new/2.1.near
	run -0 mbsync -c rc -a
	wait_for arrived carol 'from near'
	grep -lr '^Subject: at work' "$PNEU_DIR/mail/carol/.Work"
	[ -n "$(grep -lr '^Subject: for mbsync' "$PNEU_DIR/mail/carol/cur" | grep ':2,FS')" ]
	run -0 mbsync -c rc -a -V
	[[ $output != *"pulling new"*[1-9]* ]] || :
	before=$(find near -type f -name '*.*' | sort; find "$PNEU_DIR/mail/carol" -type f -path '*cur*' | sort)
	run -0 mbsync -c rc -a
	after=$(find near -type f -name '*.*' | sort; find "$PNEU_DIR/mail/carol" -type f -path '*cur*' | sort)
	[ "$before" = "$after" ]
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
			keep mda "$BUILD/mdeliver $PWD/got-$proto/"
		EOF
		chmod 600 rc
		mkdir -p got-$proto/new got-$proto/cur got-$proto/tmp
		fetchmail -f rc --idfile ids --pidfile pid -a -s --nosyslog ||
			[ $? -eq 1 ]
		grep -lr "^Subject: for fetchmail $proto" got-$proto/new
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
	offlineimap -c rc -o
	wait_for arrived bob 'back by offlineimap'
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
		assert i.status("Made", "(MESSAGES)")[1] == [b"Made (MESSAGES 1)"]
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
