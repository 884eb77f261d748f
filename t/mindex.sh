# For the tests of mindex: Maildirs as other servers leave them, an mbox, and an
# account to be read by IMAP.  Sourced behind lib.

setup() {
	at_home
	export MAILDIR=$PWD/m
}

# Make folder $1 of the Maildir.
folder() {
	mkdir -p "$1/new" "$1/cur" "$1/tmp"
}

# A message with subject $2 as file $1, its time is $3.
message() {
	printf 'Subject: %s\n\ntext of %s\n' "$2" "$2" >"$1"
	touch -d "@${3:-1700000000}" "$1"
}

# Columns of `show`.
show() {
	mindex show "${@:2}" | cut -f "$1"
}

# As Dovecot 2.3 leaves it.
dovecot_maildir() {
	folder m
	message 'm/cur/1700000001.M1P1.h:2,Fab' one 1600000001
	message 'm/cur/1700000002.M2P1.h:2,Sac' two 1600000002
	message 'm/new/1700000009.M9P1.h' nine 1600000009
	cat >m/dovecot-uidlist <<-'EOF'
		3 V1795934182 N8 Gf82a7616e6c70b6b7a55000083ecc375
		1 :1700000001.M1P1.h
		3 W29 Pold-name :1700000002.M2P1.h
		4 :1700000003.M3P1.h
	EOF
	printf '0 foo\n1 $Forwarded\n2 bar\n' >m/dovecot-keywords
	echo 6b0bc7e8 >m/dovecot-uidvalidity
	printf 'V\t2\n\nWork\t2026\n' >m/subscriptions
	folder m/.Work.2026
	message 'm/.Work.2026/cur/1700000001.M1P1.h:2,' one 1600000001
	printf '3 V1795934183 N1 G00\n7 :1700000001.M1P1.h\n' \
		>m/.Work.2026/dovecot-uidlist
	folder m/.Empty
}

# As Courier-IMAP 5.0.13 leaves it.
courier_maildir() {
	folder m
	message m/cur/1700000001.M1P1.h:2,S one
	message m/cur/1700000002.M2P1.h:2, two
	message m/cur/1700000004.M4P1.h:2, four
	printf '1 795934014 6\n1 1700000001.M1P1.h\n2 1700000002.M2P1.h\n4 1700000004.M4P1.h\n' \
		>m/courierimapuiddb
	mkdir m/courierimapkeywords
	printf 'bar\nfoo\n\n1700000001.M1P1.h:1\n1700000002.M2P1.h:0 1\n' \
		>m/courierimapkeywords/:list
	printf 'bar\n' >m/courierimapkeywords/.5986447.1700000001.M1P1.h
	printf 'baz\nfoo\n' >m/courierimapkeywords/.5986448.1700000001.M1P1.h
	printf 'old\n' >m/courierimapkeywords/.5986446.1700000001.M1P1.h
	cat >m/courierpop3dsizelist <<-'EOF'
		/3 3 1795934065
		1700000001.M1P1.h:2,S 19 1:1795934065:0
		1700000002.M2P1.h:2, 19 0:0:0
	EOF
	printf 'INBOX.Entwürfe\nINBOX\nINBOX.A&-B\n' >m/courierimapsubscribed
	folder m/.Entwürfe
	printf '1 795934015 1\n' >m/.Entwürfe/courierimapuiddb
}

# An mbox as several programs write it.
make_mbox() {
	cat >"$1" <<-'EOF'
		From alice@example.org Sat Jan  3 01:05:34 1998
		From: alice@example.org
		Status: RO
		X-Status: AF
		X-Keywords: foo   Junk
		X-UID: 7
		Subject: first

		>From here
		>>From there

		From here on, no date, no message

		From bob@example.org Sun Jan  4 02:00:00 +0100 1998
		X-Mozilla-Status: 1001
		Subject: second
		Content-Length: 111

		From carol@example.org Mon Jan  5 01:05:34 1998

		From carol@example.org Mon Jan  5 01:05:34 1998

		This is text

		From carol@example.org Mon Jan  5 01:05:34 1998
		Subject: third

		twice

		From carol@example.org Mon Jan  5 01:05:34 1998
		Subject: third

		twice
	EOF
}

# A Maildir src that mimapd serves; 120 messages in INBOX, UIDs with gaps.
imap_source() {
	folder src
	for i in $(seq 120); do
		printf 'Subject: %s\n\nline\r\r\nb\rc\n%s\n' "$i" "$(printf '%0500d' "$i")" \
			>"src/cur/17000${i}00.M${i}P1.h:2,S"
		touch -d "@$((1600000000 + i))" "src/cur/17000${i}00.M${i}P1.h:2,S"
	done
	printf '1 SELECT INBOX\r\n2 STORE 7 +FLAGS (foo $Forwarded \\Flagged)\r\n3 STORE 3,50:60 +FLAGS.SILENT \\Deleted\r\n4 EXPUNGE\r\n5 CREATE A/B&AOQ-\r\n6 SUBSCRIBE A/B&AOQ-\r\n7 COPY 1:3 A/B&AOQ-\r\n8 CREATE Gone (USE (\\Trash))\r\n9 LOGOUT\r\n' |
		mimapd -p src >/dev/null
}

# What is in a mailbox but for names of files and MODSEQ.
content() {
	MAILDIR=$1 mindex show "$2" | cut -f 1-3,5,7
}

# A Maildir of three messages that mimapd has told of.
indexed() {
	folder m
	for i in 1 2 3; do
		message "m/cur/170000000$i.M${i}P1.h,S=22,W=25:2,S" "$i"
	done
	printf '1 SELECT INBOX\r\n2 FETCH 1:* (ENVELOPE BODYSTRUCTURE RFC822.SIZE)\r\n3 STORE 2 +FLAGS foo\r\n' |
		mimapd -p m >imap
	mindex show INBOX >before
}

# check finds this, and repair mends it.
finds() {
	find m -type f | sort | xargs md5sum >files
	run -1 mindex check
	[[ $output == *"$1"* ]]
	find m -type f | sort | xargs md5sum | diff files -
	run -0 mindex repair
	run -0 mindex check
	[ -z "$output" ]
}
