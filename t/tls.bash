# Servers and certificates for the tests of TLS: a folder conf with accounts
# and default.pem, programs started on a free port, a small authority.

ec='ec -pkeyopt ec_paramgen_curve:P-256'

# A key (KIND, or ECDSA) and a certificate of its own for NAME in FILE.
new_pair() {
	local file=$1 name=$2
	# shellcheck disable=SC2086 # words
	openssl req -x509 -newkey ${3:-$ec} -nodes -subj "/CN=$name" -days 30 \
		-keyout "$file.key" -out "$file.crt" \
		-addext "subjectAltName=DNS:$name" 2>/dev/null
	cat "$file.key" "$file.crt" >"$file"
}

# FILE.pem, .key and .crt: a certificate by the authority CA (a path without
# .crt) for the SUBJECT, with the lines of extensions that follow.
sign_pair() {
	local file=$1 ca=$2 subject=$3
	shift 3
	printf '%s\n' "$@" >"$file.ext"
	# shellcheck disable=SC2086 # words
	openssl req -newkey $ec -nodes -utf8 \
		-keyout "$file.key" -out "$file.csr" -subj "$subject" 2>/dev/null
	openssl x509 -req -in "$file.csr" -CA "$ca.crt" -CAkey "$ca.key" \
		-out "$file.crt" -days "${DAYS:-30}" -extfile "$file.ext" 2>/dev/null
	cat "$file.key" "$file.crt" >"$file.pem"
}

tls_conf() {
	mkdir -p "$1/tls"
	chmod 0711 "$1"
	printf 'pneu 62001 62001\npneu-tls 62002 62002\n' >"$1/uids"
	new_pair "$1/one.pem" one.test
	cp "$1/one.pem" "$1/tls/default.pem"
	chmod 0600 "$1/tls/default.pem"
}

# serve OPTION... PROGRAM...: listen on a free port; $port and $pid.
serve() {
	: >log
	# shellcheck disable=SC2086 # none or two words
	"${mtls:-mtls}" -l 127.0.0.1:0 $u "$@" 2>>log 3>&- &
	pid=$!
	started="$started $pid"
	wait_for grep -q 'listen .*port=' log
	port=$(sed -n 's/.*listen .*port=\([0-9]*\).*/\1/p' log)
}

# What the peer says by TLS, without the talk of openssl.
by_tls() {
	openssl s_client -quiet -connect "127.0.0.1:$port" "$@" 2>/dev/null
}

# The name in the certificate that is served.
served() {
	openssl s_client -connect "127.0.0.1:$port" "$@" </dev/null 2>/dev/null |
		openssl x509 -noout -subject 2>/dev/null | sed 's/.*CN = //'
}

# served is $want, with these options
serves() {
	[ "$(served "${@:2}")" = "$1" ]
}
