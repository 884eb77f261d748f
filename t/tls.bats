#!/usr/bin/env bats
#
# mtls(8): which keys, which settings, who the client is.

load lib
load tls

setup_file() {
	SHARED=$(mktemp -d /tmp/pneu-t.XXXXXX)
	export SHARED
	tls_conf "$SHARED"
	new_pair "$SHARED/two.pem" two.test
	new_pair "$SHARED/wild.pem" '*.wild.test'
	new_pair "$SHARED/rsa.pem" rsa.test rsa:2048
	new_pair "$SHARED/ca.pem" authority
	new_pair "$SHARED/otherca.pem" stranger
}

teardown_file() {
	rm -rf "$SHARED"
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	export PNEU_CONF=$PWD/conf
	cp -a "$SHARED" conf
	chmod 0711 .
	started=
	u=
	[ "$(id -u)" -ne 0 ] || u='-u pneu'
}

teardown() {
	[ -z "$started" ] || kill $started 2>/dev/null || :
}

# A program that is called NAME and prints its environment.
env_named() {
	printf '#!/bin/sh\nexec env\n' >"$SHARED/$1"
	chmod 0755 "$SHARED/$1"
}

@test "names: a thousand of them, one for all below, the exact one first" {
	cp conf/wild.pem conf/tls/_.wild.test.pem
	cp conf/two.pem conf/tls/a.wild.test.pem
	for i in $(seq 990); do
		ln conf/two.pem "conf/tls/n$i.Many.test.pem"
	done
	serve -i cat
	serves two.test -servername n1.many.test
	serves two.test -servername N990.MANY.TEST
	serves one.test -servername n991.many.test
	serves '*.wild.test' -servername b.wild.test
	serves '*.wild.test' -servername B.WILD.test
	serves two.test -servername a.wild.test
	serves one.test -servername wild.test
	serves one.test -servername c.b.wild.test
	[ ! -s log ] || ! grep -q error log
	rm conf/tls/n1.Many.test.pem conf/tls/_.wild.test.pem
	wait_for serves one.test -servername n1.many.test
	serves one.test -servername b.wild.test
	serves two.test -servername n2.many.test
}

@test "names: more than there may be are logged, the others served" {
	for i in $(seq 1001); do
		ln conf/two.pem "conf/tls/n$i.test.pem"
	done
	serve -i cat
	grep -q 'error what=.*/tls/n[0-9]*.test.pem why="too many names"' log
	serves one.test -servername none.test
}

@test "names: hostile ones get the default, and are no fact" {
	cp conf/two.pem conf/tls/two.test.pem
	cp conf/two.pem conf/tls/clients.pem
	serve -i env
	for name in ../one ../tls/two.test default clients .test .. . _ '*.test' \
		'$(reboot)' 'two.test x' "$(printf 'a\tb')" two.test.pem \
		"$(printf 'x%.0s' $(seq 255))" "$(printf '\377\376\001')"; do
		serves one.test -servername "$name" || { echo "$name"; false; }
	done
	by_tls -servername '$(reboot)' </dev/null >out
	grep -q SSL_PROTOCOL out
	! grep -q SNI out || false
	# a NUL inside, and a length that lies
	python3 - "$port" <<-'PY'
		import socket, ssl, struct, sys
		def hello(sni):
		    inc, out = ssl.MemoryBIO(), ssl.MemoryBIO()
		    t = ssl._create_unverified_context().wrap_bio(inc, out,
		        server_hostname="placeholder.test")
		    try:
		        t.do_handshake()
		    except ssl.SSLWantReadError:
		        pass
		    b = out.read()
		    old = b"placeholder.test"
		    assert len(sni) == len(old) and old in b
		    return b.replace(old, sni)
		for sni in (b"a\0b.test12345678", b"\0" * 16, b"\xff" * 16):
		    s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
		    s.sendall(hello(sni))
		    got = s.recv(100)
		    print(sni, got[:1])
		    s.close()
	PY
	serves two.test -servername two.test
}

@test "keys: RSA and ECDSA in one file, the chain after each" {
	sign_pair leaf conf/ca.pem /CN=both.test subjectAltName=DNS:both.test
	cat conf/rsa.pem.key conf/rsa.pem.crt conf/two.pem.crt leaf.key leaf.crt \
		conf/ca.pem.crt >conf/tls/default.pem
	serve -i cat
	serves both.test -tls1_2 -sigalgs ECDSA+SHA256
	serves rsa.test -tls1_2 -sigalgs RSA-PSS+SHA256
	serves rsa.test -tls1_3 -sigalgs RSA-PSS+SHA256
	run openssl s_client -showcerts -connect "127.0.0.1:$port" \
		-sigalgs ECDSA+SHA256 </dev/null
	[ "$(grep -c BEGIN <<<"$output")" -eq 2 ]
	[[ $output == *"i:CN = authority"* ]]
	run openssl s_client -showcerts -connect "127.0.0.1:$port" \
		-sigalgs RSA-PSS+SHA256 </dev/null
	[ "$(grep -c BEGIN <<<"$output")" -eq 2 ]
	[[ $output == *"s:CN = two.test"* ]]
}

@test "keys: what is not fit to be served, and why" {
	bad() {
		run -78 mtls -l 127.0.0.1:0 $u -i cat
		[ "$output" = "mtls: $PWD/conf/tls/default.pem: $1" ]
	}
	cat conf/one.pem.key conf/two.pem.crt >conf/tls/default.pem
	bad "no certificate of its key"
	cat conf/one.pem.crt >conf/tls/default.pem
	bad "no private key"
	openssl ec -in conf/one.pem.key -aes128 -passout pass:x 2>/dev/null |
		cat - conf/one.pem.crt >conf/tls/default.pem
	bad "key under a passphrase"
	openssl pkcs8 -topk8 -in conf/one.pem.key -passout pass:x |
		cat - conf/one.pem.crt >conf/tls/default.pem
	bad "key under a passphrase"
	cat conf/one.pem conf/two.pem >conf/tls/default.pem
	bad "not replacing certificate"
	new_pair weak weak.test rsa:1024
	cp weak conf/tls/default.pem
	bad "ee key too small"
	head -n 8 conf/one.pem >conf/tls/default.pem
	run -78 mtls -l 127.0.0.1:0 $u -i cat
	[ "${#lines[@]}" -eq 1 ]
	openssl ec -in conf/one.pem.key 2>/dev/null |
		cat - conf/one.pem.crt >conf/tls/default.pem
	serve -i cat
	serves one.test
}

@test "keys: one that is out of date is served" {
	openssl req -new -key conf/one.pem.key -subj /CN=old.test -out csr
	openssl x509 -req -in csr -signkey conf/one.pem.key -days -1 \
		-out old.crt 2>/dev/null
	cat conf/one.pem.key old.crt >conf/tls/default.pem
	serve -i cat
	serves old.test
}

@test "keys: a broken one of a name is logged once, and the good one kept" {
	cp conf/two.pem conf/tls/two.test.pem
	serve -i cat
	serves two.test -servername two.test
	echo rubbish >conf/tls/new && mv conf/tls/new conf/tls/two.test.pem
	serves two.test -servername two.test
	wait_for eval 'served; grep -q "error what=.*/two.test.pem" log'
	serves two.test -servername two.test
	cp conf/wild.pem conf/tls/x.wild.test.pem
	wait_for serves '*.wild.test' -servername x.wild.test
	[ "$(grep -c two.test.pem log)" -eq 1 ]
	# a new listener has no good one
	serve -i cat
	grep -q 'error what=.*/two.test.pem why="no private key"' log
	serves one.test -servername two.test
}

@test "settings: versions, ciphers and groups of today alone" {
	cat conf/rsa.pem >>conf/tls/default.pem
	serve -i env
	for v in -tls1 -tls1_1; do
		run by_tls $v -cipher ALL:@SECLEVEL=0 </dev/null
		[[ $output != *SSL_PROTOCOL* ]]
	done
	for c in AES128-GCM-SHA256 ECDHE-RSA-AES128-SHA256 \
		ECDHE-ECDSA-AES256-SHA DHE-RSA-AES128-GCM-SHA256 \
		ECDHE-ECDSA-AES128-CCM ECDHE-ECDSA-CAMELLIA128-SHA256 \
		ADH-AES128-GCM-SHA256 NULL-SHA256; do
		run by_tls -tls1_2 -cipher "$c:@SECLEVEL=0" </dev/null
		[[ $output != *SSL_PROTOCOL* ]] || { echo "$c"; false; }
	done
	for g in P-521 X448 brainpoolP256r1; do
		run by_tls -groups $g </dev/null
		[[ $output != *SSL_PROTOCOL* ]] || { echo "$g"; false; }
	done
	for g in X25519 P-256 P-384; do
		by_tls -groups $g </dev/null | grep -q SSL_PROTOCOL
	done
	# the server's order, but chacha for who wants it most
	by_tls -tls1_2 -cipher \
		ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256 \
		</dev/null | grep -q '^SSL_CIPHER=ECDHE-ECDSA-AES128-GCM-SHA256$'
	by_tls -tls1_2 -cipher \
		ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256 \
		</dev/null | grep -q '^SSL_CIPHER=ECDHE-ECDSA-CHACHA20-POLY1305$'
}

@test "settings: a client can't renegotiate" {
	serve -i cat
	mkfifo in
	openssl s_client -tls1_2 -connect "127.0.0.1:$port" <in >out 2>&1 3>&- &
	started="$started $!"
	exec 9>in
	echo first >&9
	wait_for grep -q ^first out
	echo R >&9
	wait_for grep -q 'no renegotiation' out
	exec 9>&-
}

@test "settings: no ticket for SMTP, none of both versions" {
	env_named mrecv
	env_named mpop
	serve -i "$SHARED/mrecv"
	for v in -tls1_2 -tls1_3; do
		run openssl s_client $v -connect "127.0.0.1:$port" </dev/null
		[[ $output != *"TLS session ticket:"* ]]
	done
	serve -i "$SHARED/mpop"
	run openssl s_client -tls1_2 -connect "127.0.0.1:$port" </dev/null
	[[ $output == *"TLS session ticket:"* ]]
}

@test "ALPN: the protocol of the program, and an alert for another" {
	cat >alpn.py <<-'PY'
		import socket, ssl, sys
		ctx = ssl._create_unverified_context()
		if sys.argv[2] != "-":
		    ctx.set_alpn_protocols(sys.argv[2].split(","))
		t = ctx.wrap_socket(
		    socket.create_connection(("127.0.0.1", int(sys.argv[1]))))
		print(t.selected_alpn_protocol())
		while d := t.recv(4096):
		    sys.stdout.write(d.decode())
	PY
	while read -r program good; do
		env_named $program
		serve -i "$SHARED/$program"
		python3 alpn.py $port $good >out
		[ "$(head -n 1 out)" = "$good" ]
		grep -q "^SSL_ALPN=$good\$" out
		python3 alpn.py $port http/1.1,$good >out
		[ "$(head -n 1 out)" = "$good" ]
		run openssl s_client -alpn h2,http/1.1 -connect \
			"127.0.0.1:$port" </dev/null
		[[ $output == *"SSL alert number 120"* ]]
		wait_for grep -q 'refuse .*why="no application protocol"' log
		python3 alpn.py $port - >out
		[ "$(head -n 1 out)" = None ]
		! grep -q SSL_ALPN out || false
	done <<-'TABLE'
		mrecv smtp
		mrecv esmtp
		mpop pop3
		mimapd imap
		msieved managesieve
	TABLE
	serve -i env
	python3 alpn.py $port h2 >out
	[ "$(head -n 1 out)" = None ]
}

# who FILE: the facts about the client of this key and certificate.
who() {
	by_tls -cert "$1.crt" -key "$1.key" "${@:2}" </dev/null |
		grep SSL_CLIENT | sort
}

@test "client certificates: good ones are facts, others are nobody" {
	cp conf/ca.pem.crt conf/tls/clients.pem
	usage='extendedKeyUsage=clientAuth'
	sign_pair ann conf/ca.pem /O=x/CN=ann "$usage" \
		subjectAltName=DNS:a.test,email:ann@example.test,email:b@example.test
	sign_pair mx conf/ca.pem /CN=mx.example.test subjectAltName=DNS:mx.test
	sign_pair server conf/ca.pem /CN=server extendedKeyUsage=serverAuth
	sign_pair stranger conf/otherca.pem /CN=ann "$usage"
	new_pair alone ann
	DAYS=-1 sign_pair late conf/ca.pem /CN=ann "$usage"
	serve -i env
	for v in -tls1_2 -tls1_3; do
		[ "$(who ann $v)" = "SSL_CLIENT_SAN_Email_0=ann@example.test
SSL_CLIENT_S_DN_CN=ann
SSL_CLIENT_VERIFY=SUCCESS" ]
		[ "$(who mx $v)" = "SSL_CLIENT_S_DN_CN=mx.example.test
SSL_CLIENT_VERIFY=SUCCESS" ]
		for nobody in server stranger alone; do
			by_tls $v -cert $nobody.crt -key $nobody.key \
				</dev/null >out
			grep -q SSL_PROTOCOL out
			! grep -q SSL_CLIENT out || false
		done
		by_tls $v </dev/null >out
		grep -q SSL_PROTOCOL out
		! grep -q SSL_CLIENT out || false
	done
	[ -z "$(who late)" ]
	# the names of authorities that help a client choose
	openssl s_client -connect "127.0.0.1:$port" </dev/null 2>/dev/null |
		grep -A 1 'Acceptable client' | grep -q 'CN = authority'
	# without the file nobody is asked
	rm conf/tls/clients.pem
	wait_for eval '[ -z "$(who ann)" ]'
}

@test "client certificates: hostile names are no facts" {
	cp conf/ca.pem.crt conf/tls/clients.pem
	python3 - <<-'PY'
		long = "a" * 3000
		def ext(f, san):
		    open(f, "w").write("subjectAltName=" + san + "\n")
		ext("long.san", "email:%s@example.test" % long)
		ext("many.san", ",".join("email:u%d@example.test" % i
		    for i in range(1500)))
		ext("cmd.san", "email:a;reboot@example.test")
	PY
	sign_pair long conf/ca.pem /CN=ann "$(cat long.san)"
	sign_pair many conf/ca.pem /CN=ann "$(cat many.san)"
	sign_pair cmd conf/ca.pem '/CN=a b;$(x)' "$(cat cmd.san)"
	sign_pair two conf/ca.pem /CN=ann/CN=root subjectAltName=DNS:x
	sign_pair utf conf/ca.pem /CN=ännchen subjectAltName=DNS:x
	# IA5String ann@example.test NUL .evil.test; DN with a NUL
	sign_pair nul conf/ca.pem /CN=ann 'subjectAltName=DER:30:1d:81:1b:61:6e:6e:40:65:78:61:6d:70:6c:65:2e:74:65:73:74:00:2e:65:76:69:6c:2e:74:65:73:74'
	serve -i env
	[ "$(who long)" = "SSL_CLIENT_S_DN_CN=ann
SSL_CLIENT_VERIFY=SUCCESS" ]
	[[ $(who many) == "SSL_CLIENT_SAN_Email_0=u0@example.test"* ]]
	[ "$(who cmd)" = SSL_CLIENT_VERIFY=SUCCESS ]
	[ "$(who two)" = SSL_CLIENT_VERIFY=SUCCESS ]
	[ "$(who utf)" = SSL_CLIENT_VERIFY=SUCCESS ]
	[ "$(who nul)" = "SSL_CLIENT_S_DN_CN=ann
SSL_CLIENT_VERIFY=SUCCESS" ]
	# more than 64 KiB of certificates end the handshake
	python3 -c 'print("subjectAltName=" + ",".join(
	    "email:u%d@example.test" % i for i in range(4000)))' >huge.san
	sign_pair huge conf/ca.pem /CN=ann "$(cat huge.san)"
	[ -z "$(who huge)" ]
	wait_for grep -q 'refuse .*why="excessive message size"' log
	[[ $(who many) == *VERIFY=SUCCESS ]]
}

@test "client certificates: one that was revoked is nobody" {
	sign_pair ann conf/ca.pem /CN=ann extendedKeyUsage=clientAuth
	sign_pair ben conf/ca.pem /CN=ben extendedKeyUsage=clientAuth
	touch index
	echo 01 >number
	cat >ca.cnf <<-CNF
		[ca]
		default_ca = x
		[x]
		database = index
		crlnumber = number
		default_md = sha256
		default_crl_days = 30
		certificate = conf/ca.pem.crt
		private_key = conf/ca.pem.key
	CNF
	openssl ca -config ca.cnf -revoke ben.crt 2>/dev/null
	openssl ca -config ca.cnf -gencrl -out crl 2>/dev/null
	cp conf/ca.pem.crt conf/tls/clients.pem
	serve -i env
	[[ $(who ben) == *SUCCESS ]]
	cat crl conf/ca.pem.crt >conf/tls/new && mv conf/tls/new conf/tls/clients.pem
	wait_for eval '[ -z "$(who ben)" ]'
	[[ $(who ann) == *SUCCESS ]]
	# a broken file is logged, and the last good one counts
	echo rubbish >conf/tls/new && mv conf/tls/new conf/tls/clients.pem
	wait_for eval 'who ann; grep -q "error what=.*/clients.pem" log'
	[[ $(who ann) == *SUCCESS ]]
	[ -z "$(who ben)" ]
}

@test "client certificates: no session of theirs is resumed" {
	env_named mimapd
	cp conf/ca.pem.crt conf/tls/clients.pem
	serve -i "$SHARED/mimapd"
	for v in -tls1_2 -tls1_3; do
		run openssl s_client $v -connect "127.0.0.1:$port" </dev/null
		[[ $output != *"TLS session ticket:"* ]]
	done
}

@test "tls-exporter: both ends have the same, in TLS 1.3" {
	serve -i env
	openssl s_client -tls1_3 -connect "127.0.0.1:$port" -keymatexportlen 32 \
		-keymatexport EXPORTER-Channel-Binding -ign_eof \
		</dev/null >out 2>/dev/null
	ours=$(sed -n 's/^SSL_TLS_EXPORTER=//p' out | base64 -d | od -An -tx1 |
		tr -d ' \n' | tr a-f A-F)
	theirs=$(sed -n 's/.*Keying material: //p' out)
	[ "${#ours}" -eq 64 ]
	[ "$ours" = "$theirs" ]
	by_tls -tls1_2 </dev/null >out
	grep -q SSL_PROTOCOL=TLSv1.2 out
	! grep -q EXPORTER out || false
}
