#!/usr/bin/env bats
#
# What others look for in a server's TLS, and do not find: sslscan and
# testssl.sh, with TLS at once and on request.

load ../lib
load ../tls

setup() {
	cd "$BATS_TEST_TMPDIR"
	chmod 0711 .
	export PNEU_CONF=$PWD/conf
	tls_conf conf
	new_pair rsa rsa.test rsa:2048
	cat rsa >>conf/tls/default.pem
	echo mail.example.test >conf/me
	echo example.test >conf/domains
	echo 'connections-per-address 1000' >conf/limits
	started=
	u=
	[ "$(id -u)" -ne 0 ] || u='-u pneu'
}

teardown() {
	[ -z "$started" ] || kill $started 2>/dev/null || :
}

# Nothing but what was meant to be there; a field a line.
judge_sslscan() {
	cat scan.xml
	[ "$(grep -o '<protocol .*enabled="1"' scan.xml |
		sed 's/.*version="\([^"]*\)".*/\1/' | xargs)" = "1.2 1.3" ]
	grep -q '<renegotiation supported="0"' scan.xml
	! grep -q '<heartbleed .*vulnerable="1"' scan.xml || false
	! grep -q '<compression supported="1"' scan.xml || false
	[ "$(grep -c '<cipher ' scan.xml)" -eq 9 ]
	! grep '<cipher ' scan.xml |
		grep -vE '_(GCM|POLY1305)_|-(GCM-SHA|POLY1305)' || false
	! grep '<cipher ' scan.xml | grep -qE 'strength="(weak|medium|null|anonymous)"' || false
	! grep '<cipher ' scan.xml | grep -vq ' ecdhebits=' || false
	[ "$(grep '<group ' scan.xml | sed 's/.*name="\([^"]*\)".*/\1/' |
		sort -u | xargs)" = "secp256r1 (NIST P-256) secp384r1 (NIST P-384) x25519" ]
}

# Neither a warning nor a finding.
judge_testssl() {
	command -v testssl >/dev/null || skip "testssl.sh is not installed"
	MAX_WAITSOCK=60 CCS_MAX_WAITSOCK=60 HEARTBLEED_MAX_WAITSOCK=60 \
		STARTTLS_SLEEP=60 testssl --quiet --color 0 --warnings off -p -s -f -P -U \
		--csvfile found.csv "$@" "127.0.0.1:$port" >log.testssl 2>&1 3>&- ||
		:
	cat found.csv
	[ "$(grep -cE '"(OK|INFO)"' found.csv)" -gt 30 ]
	for id in TLS1_2 TLS1_3 PFS cipher_order secure_client_renego heartbleed; do
		grep -q "^\"$id\".*\"OK\"" found.csv
	done
	# what it lacks itself is no finding
	! grep -v ^.engine_problem found.csv |
		grep -E '"(LOW|MEDIUM|HIGH|CRITICAL|WARN|FATAL)"' || false
}

@test "sslscan: TLS at once" {
	serve -i mrecv -- cat
	sslscan --timeout=60 --xml=scan.xml "127.0.0.1:$port" >/dev/null
	judge_sslscan
}

@test "sslscan: STARTTLS" {
	serve -s mrecv -- cat
	sslscan --timeout=60 --xml=scan.xml --starttls-smtp "127.0.0.1:$port" >/dev/null
	judge_sslscan
}

@test "testssl.sh: TLS at once" {
	serve -i mrecv -- cat
	judge_testssl
}

@test "testssl.sh: STARTTLS" {
	serve -s mrecv -- cat
	judge_testssl -t smtp
}
