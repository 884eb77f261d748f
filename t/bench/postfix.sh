# Sourced by t/bench/smtp: a Postfix of its own, on loopback, that holds all
# it accepts.  What would slow it down without need is off: the pause when
# mail arrives faster than it leaves, the end of a process after 100
# connections, name look-ups.

free_port() {
	python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

start_postfix() {
	postfix_port=$(free_port)
	postfix_milter_port=$(free_port)
	mkdir "$t/postfix" "$t/postfix-data" "$disk/postfix"
	chown postfix "$t/postfix-data"
	cp "$PNEU_CONF/tls/default.pem" "$t/postfix/key.pem"
	cat >"$t/postfix/main.cf" <<-EOF
		compatibility_level = 3.6
		queue_directory = $disk/postfix
		data_directory = $t/postfix-data
		maillog_file = /var/log/pneu-bench.log
		maillog_file_prefixes = /var/log
		inet_interfaces = 127.0.0.1
		myhostname = mail.example.test
		mydestination = example.test
		local_recipient_maps =
		smtpd_peername_lookup = no
		disable_dns_lookups = yes
		smtpd_recipient_restrictions = check_client_access static:HOLD, permit_mynetworks
		smtpd_tls_security_level = may
		smtpd_tls_chain_files = $t/postfix/key.pem
		message_size_limit = 0
		mailbox_size_limit = 0
		in_flow_delay = 0
		max_use = 100000
		smtpd_client_connection_count_limit = 0
		default_process_limit = 1200
	EOF
	sed "s/^smtp *inet .*/127.0.0.1:$postfix_port inet n - n - - smtpd/
		s/^\([a-z]* *unix  *[-ny]  *[-ny]  *\)y /\1n /" \
		/usr/share/postfix/master.cf.dist >"$t/postfix/master.cf"
	echo 'postlog unix-dgram n - n - 1 postlogd' >>"$t/postfix/master.cf"
	printf '127.0.0.1:%s inet n - n - - smtpd -o smtpd_milters=unix:%s\n' \
		"$postfix_milter_port" "$t/milter.sock" >>"$t/postfix/master.cf"
	sort -u -k1,2 "$t/postfix/master.cf" | grep -v '^ *#' >"$t/postfix/m" &&
		mv "$t/postfix/m" "$t/postfix/master.cf"
	postfix -c "$t/postfix" start 2>"$t/postfix.err" ||
		{ cat "$t/postfix.err" >&2; fail "Postfix does not start"; }
	tries=0
	until (echo QUIT | timeout 2 bash -c "cat >/dev/tcp/127.0.0.1/$postfix_port") 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || fail "Postfix does not answer"
		sleep 0.1
	done
}
