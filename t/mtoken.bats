#!/usr/bin/env bats
#
# mtoken(8): a token is good only if all that is asked for holds.

load lib
. "$ROOT/t/tools/jwt.sh"

A=alice@example.test

setup_file() {
	cd "$BATS_FILE_TMPDIR"
	jwt_keys
	for name in localhost other.test; do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 \
			-nodes -days 2 -subj /CN=$name -keyout k.pem -out c.pem \
			-addext "subjectAltName = DNS:$name" 2>/dev/null
		cat k.pem c.pem >$name.pem
		cp c.pem $name.crt
	done
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	cp "$BATS_FILE_TMPDIR"/* .
	export PNEU_CONF=$PWD
	now=$(date +%s)
	ok="\"iss\":\"https://id.test\",\"aud\":\"mail\",\"exp\":$((now + 9000))"
	claims="{$ok,\"email\":\"$A\"}"
}

teardown() {
	[ -z "${server:-}" ] || kill "$server"
}

check_jwt() { # TOKEN WORD...: sets $output and $status
	token=$1
	shift
	run --separate-stderr mtoken jwt keys=jwks.json iss=https://id.test \
		aud=mail "$@" <<<"$token"
}

good() {
	[ "$status" -eq 0 ] && [ "$output" = "${1:-$A}" ] || {
		echo "$status: $output $stderr"
		return 1
	}
}

bad() { # WHY
	[ "$status" -eq 1 ] && [ "$output" = "" ] &&
		[[ $stderr == *"mtoken refuse why=$1" ]] || {
		echo "$status: $output $stderr"
		return 1
	}
}

@test "RS256, ES256 and EdDSA, by JWK and by PEM" {
	for k in rsa/RS256/r1 ec/ES256/e1 ed/EdDSA/o1; do
		IFS=/ read -r key alg kid <<<"$k"
		for h in "{\"alg\":\"$alg\"}" "{\"alg\":\"$alg\",\"kid\":\"$kid\"}"; do
			t=$(jwt $key "$h" "$claims")
			check_jwt "$t"
			good
			check_jwt "$t" keys=$key.pub
			good
			# of a file of several, in any order
			cat ed.pub rsa.pub ec.pub localhost.crt >all.pem
			check_jwt "$t" keys=all.pem
			good
			check_jwt "$t" keys=localhost.crt
			bad signature
		done
		# each byte of it counts
		for f in 1 2 3; do
			p=$(cut -d . -f $f <<<"$t")
			x=$(tr 'A-Ma-m' 'N-Zn-z' <<<"${p:5:1}")
			[ "$x" != "${p:5:1}" ] || x=A
			check_jwt "$(awk -F. -v OFS=. -v f=$f -v x=$x \
				'{ $f = substr($f, 1, 5) x substr($f, 7) } 1' <<<"$t")"
			[ "$status" -eq 1 ]
		done
	done
	# by a certificate, as some publish them
	cp k.pem ec.key
	cp localhost.crt cert.pem
	openssl pkey -in localhost.pem -out ec.key
	check_jwt "$(jwt ec '{"alg":"ES256"}' "$claims")" keys=cert.pem
	good
}

@test "no other algorithm, whatever it says" {
	t=$(jwt rsa '{"alg":"RS256"}' "$claims")
	none=$(printf '{"alg":"none"}' | b64url).$(printf %s "$claims" | b64url)
	for bad in "$none." "$none.AAAA" "$(cut -d . -f 1,2 <<<"$t")" \
		"$(cut -d . -f 1,2 <<<"$t")." "$t.x" x '' . .. "$t=" \
		"$(jwt rsa '{"alg":"RS256","crit":["b64"]}' "$claims")" \
		"$(jwt rsa '{"alg":"PS256"}' "$claims")" \
		"$(jwt rsa '{"alg":"RS256","alg":"RS256"}' "$claims")" \
		"$(head -c 7169 /dev/zero | tr '\0' a)"; do
		check_jwt "$bad"
		bad '"not a token"'
	done
	# HMAC with the public key as its secret
	h=$(printf '{"alg":"HS256"}' | b64url).$(printf %s "$claims" | b64url)
	s=$(printf %s "$h" | openssl dgst -sha256 -hmac "$(cat rsa.pub)" -binary | b64url)
	check_jwt "$h.$s" keys=rsa.pub
	bad '"not a token"'
	# an algorithm of another key
	check_jwt "$(jwt rsa '{"alg":"ES256"}' "$claims")"
	bad signature
	# a name that says which key, and it is not
	check_jwt "$(jwt rsa '{"alg":"RS256","kid":"e1"}' "$claims")"
	bad signature
	# too small a key
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:1024 \
		-out rsa.key 2>/dev/null
	openssl pkey -in rsa.key -pubout -out rsa.pub
	check_jwt "$(jwt rsa '{"alg":"RS256"}' "$claims")" keys=rsa.pub
	bad signature
}

@test "claims: time, issuer, audience, scope, address" {
	say() { # CLAIMS WORD...
		c=$1
		shift
		check_jwt "$(jwt ed '{"alg":"EdDSA"}' "$c")" "$@"
	}
	base="\"iss\":\"https://id.test\",\"aud\":\"mail\""
	m="\"email\":\"$A\""
	say "{$base,$m}"
	bad '"it never expires"'
	say "{$base,$m,\"exp\":$((now - 61))}"
	bad expired
	say "{$base,$m,\"exp\":$(($(date +%s) - 10))}" # clocks differ
	good
	say "{$base,$m,\"exp\":$((now + 9000)).5}"
	good
	say "{$base,$m,\"exp\":\"$((now + 9000))\"}"
	bad '"not a time"'
	say "{$base,$m,\"exp\":1e99}"
	bad '"not a time"'
	say "{$ok,$m,\"nbf\":$((now + 9000))}"
	bad '"not yet valid"'
	say "{$ok,$m,\"nbf\":$((now - 90))}"
	good
	say "{$ok,$m}" iss=https://id.test/
	bad issuer
	say "{$ok,$m}" aud=other
	bad audience
	say "{$ok,$m}" aud=* iss=*
	good
	say "{\"iss\":\"https://id.test\",\"aud\":[\"x\",\"mail\"],\"exp\":$((now + 9000)),$m}"
	good
	say "{\"iss\":[\"https://id.test\"],\"aud\":\"mail\",\"exp\":$((now + 9000)),$m}"
	bad issuer
	say "{$ok,$m}" scope=imap
	bad scope
	say "{$ok,$m,\"scope\":\"openid imap\"}" scope=imap
	good
	say "{$ok,$m,\"scope\":\"openid imaps\"}" scope=imap
	bad scope
	say "{$ok,$m,\"scp\":[\"imap\"]}" scope=imap
	good
	say "{$ok,$m,\"email_verified\":false}"
	bad '"the address is not verified"'
	say "{$ok,$m,\"email_verified\":true}"
	good
	say "{$ok,$m,$m}"
	bad '"no address"'
	say "{$ok,\"email\":\"alice\\nroot@x\"}"
	bad '"no address"'
	say "{$ok,\"email\":\"alice\"}"
	bad '"no address"'
	say "{$ok,\"email\":\"\\u0061lice\"}" domain=example.test
	good
	say "{$ok,\"upn\":\"$A\"}" claim=upn
	good
	say "[$ok]"
	bad '"not claims"'
}

@test "keys that are not there or no keys: later" {
	t=$(jwt ed '{"alg":"EdDSA"}' "$claims")
	for f in nothing empty rubbish.pem; do
		: >empty
		printf '%s\n' '-----BEGIN PUBLIC KEY-----' AAAA '-----END PUBLIC KEY-----' >rubbish.pem
		check_jwt "$t" keys=$f
		[ "$status" -eq 111 ]
		[[ $stderr == *"mtoken error what=token why="* ]]
	done
}

start_server() { # CERTIFICATE
	mkdir -p d
	rm -f d/port
	"$ROOT/t/tools/introspectd.py" "$1.pem" d 3>&- &
	server=$!
	wait_for test -s d/port
	port=$(cat d/port)
}

ask() { # TOKEN WORD...
	token=$1
	shift
	run --separate-stderr mtoken -t 3 introspect ca=localhost.crt \
		url=https://localhost:$port/introspect "$@" <<<"$token"
}

@test "introspection over HTTPS" {
	start_server localhost
	echo "{\"active\":true,\"username\":\"$A\",\"scope\":\"mail\"}" >d/good
	echo "{\"active\":true,\"username\":\"$A\",\"exp\":$((now - 99))}" >d/old
	echo "{\"active\":\"true\",\"username\":\"$A\"}" >d/odd
	echo '{"active":true,"sub":"alice"}' >d/sub
	printf 'user %s\npassword %s\n' 'mail server' 'p:w+1' >login
	for mode in length chunked close; do
		echo $mode >d/mode
		ask good scope=mail login=login
		good
		ask none
		bad '"not active"'
	done
	grep -q '^token=good&token_type_hint=access_token$' d/requests
	grep -qx '/introspect' d/requests
	[ "$(sed -n 's/^Authorization: Basic //p' d/requests | head -n 1 |
		base64 -d)" = 'mail%20server:p%3Aw%2B1' ]
	ask old
	bad expired
	ask odd
	bad '"not active"'
	ask good scope=other
	bad scope
	ask sub
	bad '"no address"'
	ask sub claim=sub domain=example.test
	good
	# nothing is said of a token by a server that fails
	echo nonsense >d/nonsense
	ask nonsense
	[ "$status" -eq 111 ]
	for mode in 'status 401' 'status 500' cut; do
		echo $mode >d/mode
		ask good
		[ "$status" -eq 111 ]
		[ "$output" = "" ]
	done
	echo hang >d/mode
	begin=$SECONDS
	ask good
	[ "$status" -eq 111 ]
	[ $((SECONDS - begin)) -lt 40 ]
	rm d/mode
	ask good ca=other.test.crt
	[ "$status" -eq 111 ]
	[[ $stderr == *certificate* ]]
	! grep -q good <<<"$stderr" || false
	kill $server
	ask good
	[ "$status" -eq 111 ]
	start_server other.test
	ask good ca=other.test.crt
	[ "$status" -eq 111 ]
	[[ $stderr == *certificate* ]]
}

@test "wrong usage is one line" {
	usage="usage: mtoken [-V] [-c DIR] [-t SEC] jwt|introspect WORD ..."
	for args in "" "-Z" "what" "-t"; do
		run -64 mtoken $args
		[ "$output" = "$usage" ]
	done
	run -64 mtoken jwt keys=x iss=y
	[ "$output" = "mtoken: jwt: say iss= and aud= (* for any)" ]
	run -64 mtoken jwt url=x
	run -64 mtoken introspect keys=x
	run -64 mtoken introspect url=http://x/ </dev/null
	run -64 mtoken -t 0 jwt
}
