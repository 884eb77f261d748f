# For the tests of msend: a queue, servers that do as they are told, and DNS
# that says what it is told.  Sourced behind lib and mqueue.sh.

setup() {
	PEERS=
	queue_setup
	printf 'Subject: x\n\n.one\n..two\nthree\n' >m
	unset PNEU_DNS MAIL_RCPT_ARGS MAIL_RET MAIL_ENVID
}

teardown() {
	for p in $PEERS; do
		kill "$p" 2>/dev/null || :
	done
	queue_teardown
}

# peer FILE COMMAND...: in the background; the port it prints is in $PORT
peer() {
	local file=$1
	shift
	: >"$file"
	"$@" >"$file" 2>>"$D/peers" 3>&- </dev/null &
	PEERS="$PEERS $!"
	wait_for test -s "$file"
	PORT=$(cat "$file")
}

# sink NAME RULE...: an SMTP server; its messages and log are in NAME/
sink() {
	mkdir -p "$D/$1"
	peer "$D/$1.port" python3 "$ROOT/t/tools/smtpsink.py" "$D/$1" "${@:2}"
}

# zone: standard input is what DNS says
zone() {
	cat >"$D/zone"
	[ -z "${PNEU_DNS:-}" ] || return 0
	local port=${PORT:-}
	peer "$D/dns.port" python3 "$ROOT/t/tools/dnsd.py" "$D/zone" "$D/dnslog"
	export PNEU_DNS=127.0.0.1:$PORT
	PORT=$port
}

# to RCPT...: m from alice to them through $PORT
to() {
	msend -t 60 -h "127.0.0.1:$PORT" -f alice@a.test -- "$@" <m
}

by_mx() {
	msend -t 60 -h ":$PORT" -f alice@a.test -- "$@" <m
}

# The code that each recipient got, as words.
codes() {
	cut -f2 <<<"$output" | tr '\n' ' ' | sed 's/ $//'
}

# No line of the file matches: in the middle of a test, ! fails nothing.
lacks() {
	if grep -q -- "$1" "$2"; then
		return 1
	fi
}

# The file as it should have come: CRLF.
crlf() {
	sed 's/\r*$/\r/' "$1"
}

certificate() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-subj "/CN=$1" -addext "subjectAltName=DNS:$1" -days 2 \
		-keyout "$D/key" -out "$D/ca.pem" 2>/dev/null
	cat "$D/key" "$D/ca.pem" >"$D/tls.pem"
}
