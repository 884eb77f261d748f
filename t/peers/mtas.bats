#!/usr/bin/env bats
#
# Real mail servers deliver into this one: Postfix, and Exim, which sends in
# chunks.  What goes to keep.test stays in the queue, where its envelope can
# be seen.

load ../lib

setup_file() {
	[ "$(id -u)" -eq 0 ] || skip "Postfix and Exim need root"
	PATH=$PATH:/usr/sbin:/sbin
	host_up
	export PNEU_DIR PATH
	printf 'keep.test relay\n' >>"$PNEU_CONF/domains"
	sed -i '1i keep.test false' "$PNEU_CONF/routes"
	cd "$PNEU_DIR"
	port=$(free_port)
	echo "export POSTFIX_PORT=$port" >>env
}

teardown_file() {
	[ "$(id -u)" -eq 0 ] || return 0
	stop_postfix
	host_down
}

setup() {
	. "$PNEU_DIR/env"
	cd "$PNEU_DIR"
}

# offered KEYWORD: by our port 25
offered() {
	python3 -c 'import smtplib, sys
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]))
s.ehlo("x")
sys.exit(not s.has_extn(sys.argv[2]))' "$SMTP_PORT" "$1"
}

postfix_answers() {
	(echo QUIT | timeout 2 bash -c "cat >/dev/tcp/127.0.0.1/$POSTFIX_PORT") 2>/dev/null
}

# A Postfix that gives all to our port 25, by TLS.
start_postfix() {
	command -v postfix >/dev/null || skip "postfix is not installed"
	[ ! -d pf ] || return 0
	mkdir -p pf/conf pf/data pf/queue
	chown postfix pf/data
	cat >pf/conf/main.cf <<-EOF
		compatibility_level = 3.6
		queue_directory = $PNEU_DIR/pf/queue
		data_directory = $PNEU_DIR/pf/data
		maillog_file = $PNEU_DIR/pf/log
		maillog_file_prefixes = /tmp
		inet_interfaces = 127.0.0.1
		myhostname = client.test
		mydestination =
		local_recipient_maps =
		smtpd_peername_lookup = no
		smtpd_recipient_restrictions = permit_mynetworks, reject
		relayhost = [localhost]:$SMTP_PORT
		smtp_host_lookup = native
		smtp_tls_security_level = secure
		smtp_tls_CAfile = $PNEU_CA
		smtp_tls_loglevel = 1
		smtp_tls_secure_cert_match = nexthop
		smtputf8_enable = yes
		message_size_limit = 0
		alias_maps =
		alias_database =
	EOF
	sed "s/^smtp *inet .*/127.0.0.1:$POSTFIX_PORT inet n - n - - smtpd/
		s/^\([a-z]* *unix  *[-ny]  *[-ny]  *\)y /\1n /" \
		/usr/share/postfix/master.cf.dist | grep -v '^ *#' >pf/conf/master.cf
	echo 'postlog unix-dgram n - n - 1 postlogd' >>pf/conf/master.cf
	sort -u -k1,2 pf/conf/master.cf >m && mv m pf/conf/master.cf
	postfix -c "$PNEU_DIR/pf/conf" start 3>&- >pf/start 2>&1 || {
		cat pf/start
		return 1
	}
	wait_for postfix_answers
}

stop_postfix() {
	[ ! -e "$PNEU_DIR/pf/conf/main.cf" ] ||
		postfix -c "$PNEU_DIR/pf/conf" stop 3>&- >/dev/null 2>&1 || :
}

# to_postfix SENDER RCPT MAIL-OPTIONS RCPT-OPTIONS <message
to_postfix() {
	python3 -c '
import smtplib, sys
sender, rcpt, mail, opts = sys.argv[2:6]
s = smtplib.SMTP("127.0.0.1", int(sys.argv[1]))
s.ehlo("x.test")
if "SMTPUTF8" in mail:
    s.command_encoding = "utf-8"
for line in (s.mail(sender, mail.split()), s.rcpt(rcpt, opts.split()),
    s.data(sys.stdin.buffer.read().replace(b"\n", b"\r\n"))):
    assert line[0] == 250, line
s.quit()' "$POSTFIX_PORT" "$@"
}

# An id in the queue whose message has this subject.
kept() {
	local id
	for id in $(mqueue ls | cut -f 1); do
		! mqueue cat "$id" | grep -qx "Subject: $1" || { echo "$id"; return; }
	done
	return 1
}

in_box() {
	grep --exclude='pneu.*' -lrqx "Subject: $1" "$PNEU_DIR/mail/bob"
}

# envelope SUBJECT: the lines of its envelope
envelope() {
	wait_for kept "$1"
	mqueue show -r "$(kept "$1")" | sed '/^$/q' | tee /dev/stderr
}

message() {
	printf 'From: x@elsewhere.test\nTo: bob@example.test\nSubject: %s\n\n' "$1"
	cat
}

awkward() {
	printf '.\n..\n.x\nFrom y\n\n'
	head -c 900 /dev/zero | tr '\0' z
	printf '\n\nprix: 5 \342\202\254\n'
}

same_body() {
	wait_for in_box "$1"
	diff <(sed '1,/^$/d' "$(grep --exclude='pneu.*' -lrx "Subject: $1" "$PNEU_DIR/mail/bob")") "$2"
}

@test "Postfix delivers over TLS that it has verified, byte for byte" {
	start_postfix
	awkward >want
	message 'postfix odd' <want | to_postfix x@elsewhere.test bob@example.test BODY=8BITMIME ''
	base64 -w 70 /dev/urandom | head -c 3000000 >large || :
	echo >>large
	message 'postfix large' <large | to_postfix x@elsewhere.test bob@example.test '' ''
	same_body 'postfix odd' want
	same_body 'postfix large' large
	# its log is written by a process of its own
	wait_for grep -q 'Verified TLS connection established to localhost' pf/log
	wait_for grep -q 'status=sent (250 2.0.0 ok [0-9a-z]\{16\})' pf/log
}

@test "Postfix hands on DSN parameters, which the queue keeps" {
	start_postfix
	message 'postfix dsn' <<<x | to_postfix x@elsewhere.test q@keep.test \
		'RET=HDRS ENVID=a+2Bb' 'NOTIFY=SUCCESS,DELAY ORCPT=rfc822;old@keep.test'
	run -0 envelope 'postfix dsn'
	[[ $output == *'from x@elsewhere.test'*'RET=HDRS'* ]]
	[[ $output == *'ENVID=a+2Bb'* ]]
	[[ $output == *$'\nto q@keep.test '*'ORCPT=rfc822;old@keep.test'* ]]
	[[ $output == *'NOTIFY=SUCCESS,DELAY'* ]]
	# relayed on, so it tells nobody of success itself
	run -1 grep 'dsn.*success' pf/log
}

@test "Postfix: many at once, on connections that it keeps" {
	start_postfix
	smtp-source -s 10 -m 200 -f x@elsewhere.test -t bob@example.test \
		-S postfix.many 127.0.0.1:$POSTFIX_PORT
	many() {
		[ "$(grep --exclude='pneu.*' -lr '^Subject: postfix.many' "$PNEU_DIR/mail/bob" | wc -l)" -eq 200 ]
	}
	WAIT=60 wait_for many
	run -1 grep 'status=deferred\|status=bounced' pf/log
}

@test "Postfix tells its sender of a recipient that is not here" {
	start_postfix
	message 'postfix unknown' <<<x | to_postfix bob@example.test nobody@example.test '' ''
	bounced() {
		grep --exclude='pneu.*' -lrq '^Subject: Undelivered Mail' "$PNEU_DIR/mail/bob"
	}
	wait_for bounced
	wait_for grep -q 'to=<nobody@example.test>.*dsn=5.1.1.*said: 550 5.1.1 no such user' pf/log
}

@test "Postfix hands on UTF-8 addresses" {
	start_postfix
	offered SMTPUTF8 || skip "no SMTPUTF8 is offered"
	message 'postfix ütf' <<<x | to_postfix дима@elsewhere.test списки@keep.test \
		'SMTPUTF8 BODY=8BITMIME' ''
	run -0 envelope 'postfix ütf'
	[[ $output == *'from дима@elsewhere.test'*'SMTPUTF8'* ]]
	[[ $output == *$'\nto списки@keep.test'* ]]
}

# Not in exim(), which stands in pipelines: skip would end its part alone.
need_exim() {
	[ -x "$ROOT/build/exim/usr/sbin/exim4" ] || skip "Exim is not in build/exim"
}

# An Exim that gives all to our port 25.  It wants its own account, which
# only it sees.
exim() {
	if [ ! -d ex ]; then
		mkdir -p ex/spool ex/log
		chown nobody ex/spool ex/log
		(cat /etc/passwd && echo 'Debian-exim:x:65534:65534::/:/bin/false') >ex/passwd
		(cat /etc/group && echo 'Debian-exim:x:65534:') >ex/group
		cp -r "$ROOT/build/exim" ex/
		cat >ex/conf <<-EOF
			primary_hostname = client.test
			exim_path = $PNEU_DIR/ex/exim/usr/sbin/exim4
			spool_directory = $PNEU_DIR/ex/spool
			log_file_path = $PNEU_DIR/ex/log/%slog
			exim_user = nobody
			exim_group = nogroup
			never_users =
			keep_environment =
			qualify_domain = elsewhere.test
			smtputf8_advertise_hosts = :
			dsn_advertise_hosts = :
			accept_8bitmime = true
			acl_smtp_rcpt = accept_all
			log_selector = +smtp_confirmation +smtp_mailauth
			begin acl
			accept_all:
			  accept
			begin routers
			out:
			  driver = manualroute
			  domains = *
			  route_list = * 127.0.0.1
			  self = send
			  transport = smtp
			begin transports
			smtp:
			  driver = smtp
			  port = $SMTP_PORT
			  allow_localhost
			  hosts_try_chunking = *
			  command_timeout = 20s
			begin retry
			* * F,1m,1m
		EOF
		cat >ex/run <<-EOF
			mount --bind $PNEU_DIR/ex/passwd /etc/passwd
			mount --bind $PNEU_DIR/ex/group /etc/group
			exec $PNEU_DIR/ex/exim/usr/sbin/exim4 -C $PNEU_DIR/ex/conf -odi -oi "\$@"
		EOF
	fi
	unshare -m sh ex/run "$@" 3>&- 2>>ex/err
}

@test "Exim delivers, byte for byte" {
	need_exim
	awkward >want
	message 'exim odd' <want | exim -f x@elsewhere.test bob@example.test
	base64 -w 70 /dev/urandom | head -c 3000000 >large || :
	echo >>large
	message 'exim large' <large | exim -f x@elsewhere.test bob@example.test
	same_body 'exim odd' want
	same_body 'exim large' large
	grep -q '=> bob@example.test .*TLS1.3.* C="250 .*[0-9a-z]\{16\}' ex/log/mainlog
	offered CHUNKING || skip "no CHUNKING is offered"
	# K: it sent chunks
	grep -q '=> bob@example.test .* K C=' ex/log/mainlog
}

@test "Exim hands on UTF-8 addresses, DSN parameters and an empty sender" {
	need_exim
	offered SMTPUTF8 || skip "no SMTPUTF8 is offered"
	sed -i 's/advertise_hosts = :/advertise_hosts = */' ex/conf
	{
		printf '%s\r\n' 'EHLO x.test' \
			'MAIL FROM:<дима@elsewhere.test> SMTPUTF8 BODY=8BITMIME RET=FULL ENVID=e7' \
			'RCPT TO:<списки@keep.test> NOTIFY=NEVER' DATA \
			'From: дима@elsewhere.test' 'Subject: exim ütf' '' x . \
			'MAIL FROM:<>' 'RCPT TO:<q@keep.test> NOTIFY=FAILURE ORCPT=rfc822;o@keep.test' \
			DATA 'From: x@y.test' 'Subject: exim null' '' x . QUIT
	} | exim -bs
	run -0 envelope 'exim ütf'
	[[ $output == *'from дима@elsewhere.test'*'SMTPUTF8'* ]]
	[[ $output == *'RET=FULL'*'ENVID=e7'* ]]
	[[ $output == *$'\nto списки@keep.test '*'NOTIFY=NEVER'* ]]
	run -0 envelope 'exim null'
	[[ $output == *$'\nfrom <>'* || $output == *$'\nfrom \n'* ]]
	[[ $output == *$'\nto q@keep.test '*'NOTIFY=FAILURE'*'ORCPT=rfc822;o@keep.test'* ]]
}

@test "Exim: many at once, several on a connection" {
	need_exim
	for n in $(seq 40); do
		message 'exim many' <<<"$n" | exim -odq -f x@elsewhere.test bob@example.test
	done
	exim -qq
	many() {
		[ "$(grep --exclude='pneu.*' -lr '^Subject: exim many' "$PNEU_DIR/mail/bob" | wc -l)" -eq 40 ]
	}
	WAIT=30 wait_for many
	run -1 grep 'exim many.*==\|\*\*' ex/log/mainlog
}
