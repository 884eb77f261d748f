#!/usr/bin/env bats
#
# Real clients log in by each mechanism, on a host of scripts/up.

load ../lib
load ../host

A=alice@example.test

# A host that shows all it has, asks for client certificates and takes tokens.
setup_file() {
	host_dir
	mkdir -p "$PNEU_DIR/conf" "$PNEU_DIR/keys"
	chmod 0755 "$PNEU_DIR/conf"
	cd "$PNEU_DIR/keys"
	. "$ROOT/t/tools/jwt.sh"
	jwt_keys
	cp jwks.json "$PNEU_DIR/conf/jwks.json"
	chmod 0644 "$PNEU_DIR/conf/jwks.json"
	echo 'mtoken jwt keys=jwks.json iss=https://id.test aud=mail' \
		>"$PNEU_DIR/conf/token"
	: >"$PNEU_DIR/conf/masks"
	jwt ed '{"alg":"EdDSA"}' "{\"iss\":\"https://id.test\",\"aud\":\"mail\",\"email\":\"$A\",\"exp\":$(($(date +%s) + 3000))}" >token
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-days 2 -subj '/CN=client CA' -keyout ca.key -out ca.crt 2>/dev/null
	for who in $A mallory@example.test; do
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
			-subj /CN=x -keyout $who.key -out csr 2>/dev/null
		printf 'subjectAltName = email:%s\nextendedKeyUsage = clientAuth\n' \
			$who >ext
		openssl x509 -req -in csr -CA ca.crt -CAkey ca.key \
			-CAcreateserial -days 2 -extfile ext -out $who.crt 2>/dev/null
	done
	chmod 0711 .
	host_up
	cp ca.crt "$PNEU_DIR/conf/tls/clients.pem"
	export PNEU_DIR
	wait_for asks_for_certificates
}

asks_for_certificates() {
	openssl s_client -connect "localhost:$IMAPS_PORT" </dev/null 2>&1 |
		grep -q 'Acceptable client certificate'
}

setup() {
	at_host
	keys=$PNEU_DIR/keys
}

need() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
}

# How often she has logged in so far.
logins() {
	cat "$PNEU_DIR"/log/* | grep -c "auth ok .* user=$A" || :
}

@test "gsasl: SCRAM-SHA-256 and -PLUS bound to the channel, on IMAP and SMTP" {
	need gsasl
	n=$(logins)
	# that it could bind and does not it regards as an error of its user
	for m in SCRAM-SHA-256-PLUS 'SCRAM-SHA-256 --no-cb' PLAIN; do
		for s in "--imap --connect=localhost:$IMAP_PORT" \
			"--smtp --connect=localhost:$SUBMISSION_PORT"; do
			run -0 gsasl $s --mechanism=$m --x509-ca-file="$PNEU_CA" \
				-a $A -p secret-alice </dev/null
			n=$((n + 1))
			[ "$(logins)" -eq $n ]
		done
	done
	# nothing is offered to bind to in TLS 1.2, where it would try another
	run -0 gsasl --imap --connect=localhost:$IMAP_PORT -a $A -p secret-alice \
		--priority=NORMAL:-VERS-TLS1.3 --x509-ca-file="$PNEU_CA" \
		--mechanism=SCRAM-SHA-256 --no-cb </dev/null
	[[ $output != *SHA-256-PLUS* ]]
	n=$((n + 1))
	run ! gsasl --imap --connect=localhost:$IMAP_PORT -a $A -p wrong \
		--mechanism=SCRAM-SHA-256-PLUS --x509-ca-file="$PNEU_CA" </dev/null
	[[ $output == *AUTHENTICATIONFAILED* ]]
	[ "$(logins)" -eq $n ]
}

send() { # LINE... of an msmtp account
	cat >msmtprc <<-END
		account a
		host localhost
		from $A
		user $A
		tls on
		tls_trust_file $PNEU_CA
		$(printf '%s\n' "$@")
		account default : a
	END
	chmod 0600 msmtprc
	printf 'Subject: x\n\nx\n' | msmtp -C msmtprc bob@example.test
}

@test "msmtp: scram-sha-256, plain, login, xoauth2, oauthbearer, external" {
	need msmtp
	n=$(logins)
	for how in "port $SUBMISSION_PORT" "port $SUBMISSIONS_PORT
		tls_starttls off"; do
		for m in scram-sha-256 plain login on; do
			send "$how" "auth $m" 'password secret-alice'
		done
		for m in xoauth2 oauthbearer; do
			send "$how" "auth $m" "passwordeval cat $keys/token"
		done
		send "$how" 'auth external' "tls_cert_file $keys/$A.crt" \
			"tls_key_file $keys/$A.key"
	done
	[ "$(logins)" -eq $((n + 14)) ]
	run send "port $SUBMISSION_PORT" 'auth scram-sha-256' 'password x'
	[[ $output == *"535 5.7.8"* ]]
	echo rubbish >bad
	run send "port $SUBMISSION_PORT" 'auth xoauth2' "passwordeval cat $PWD/bad"
	[[ $output == *"535 5.7.8"* ]]
	run send "port $SUBMISSION_PORT" 'auth external' \
		"tls_cert_file $keys/mallory@example.test.crt" \
		"tls_key_file $keys/mallory@example.test.key"
	[[ $output != *"250 "* && $status -ne 0 ]]
	[ "$(logins)" -eq $((n + 14)) ]
}

@test "curl: tokens, and a certificate, on IMAP, POP3 and SMTP" {
	need curl
	n=$(logins)
	c="curl -sS --cacert $PNEU_CA"
	for url in imaps://localhost:$IMAPS_PORT/ pop3s://localhost:$POP3S_PORT/; do
		for m in XOAUTH2 OAUTHBEARER; do
			$c "$url" -u $A: --login-options AUTH=$m \
				--oauth2-bearer "$(cat "$keys/token")"
		done
		$c "$url" -u $A: --login-options AUTH=EXTERNAL \
			--cert "$keys/$A.crt" --key "$keys/$A.key"
	done
	[ "$(logins)" -eq $((n + 6)) ]
	printf 'Subject: x\r\n\r\nx\r\n' >m
	for m in XOAUTH2 OAUTHBEARER; do
		$c smtps://localhost:$SUBMISSIONS_PORT -u $A: \
			--login-options AUTH=$m -T m --mail-from $A \
			--mail-rcpt bob@example.test \
			--oauth2-bearer "$(cat "$keys/token")"
	done
	[ "$(logins)" -eq $((n + 8)) ]
	run -67 $c imaps://localhost:$IMAPS_PORT/ -u $A: \
		--login-options AUTH=XOAUTH2 --oauth2-bearer rubbish
	run ! $c imaps://localhost:$IMAPS_PORT/ -u $A: \
		--login-options AUTH=EXTERNAL \
		--cert "$keys/mallory@example.test.crt" \
		--key "$keys/mallory@example.test.key"
	[ "$(logins)" -eq $((n + 8)) ]
}

@test "mutt: SCRAM-SHA-256 where -PLUS is hidden, as on a host of scripts/up" {
	need mutt
	echo 'SCRAM-SHA-256-PLUS *' >"$PNEU_CONF/masks"
	touch -d '1 minute ago' "$PNEU_CONF/masks"
	n=$(logins)
	cat >muttrc <<-EOF
		set from=$A ssl_ca_certificates_file=$PNEU_CA
		set certificate_file=/dev/null copy=no ssl_force_tls=yes
		set smtp_url=smtps://alice%40example.test@localhost:$SUBMISSIONS_PORT/
		set smtp_pass=secret-alice
	EOF
	echo x | mutt -F muttrc -s 'by mutt' bob@example.test
	[ "$(logins)" -eq $((n + 1)) ]
	: >"$PNEU_CONF/masks"
}
