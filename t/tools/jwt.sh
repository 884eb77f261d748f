# JSON Web Tokens and keys by openssl.  Sourced.

b64url() {
	base64 -w0 | tr '+/' '-_' | tr -d '='
}

unhex() {
	python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.stdin.read()))'
}

# jwt_keys: rsa.key ec.key ed.key, their .pub, and jwks.json
jwt_keys() {
	openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.key 2>/dev/null
	openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.key
	openssl genpkey -algorithm ED25519 -out ed.key
	for k in rsa ec ed; do
		openssl pkey -in $k.key -pubout -out $k.pub
	done
	n=$(openssl rsa -in rsa.key -modulus -noout | cut -d = -f 2 | unhex | b64url)
	x=$(openssl pkey -in ec.key -pubout -outform DER | tail -c 64 | head -c 32 | b64url)
	y=$(openssl pkey -in ec.key -pubout -outform DER | tail -c 32 | b64url)
	o=$(openssl pkey -in ed.key -pubout -outform DER | tail -c 32 | b64url)
	cat >jwks.json <<-END
		{ "keys": [
		  { "kty": "RSA", "kid": "r1", "use": "sig", "alg": "RS256", "n": "$n", "e": "AQAB" },
		  { "kty": "EC", "crv": "P-256", "kid": "e1", "x": "$x", "y": "$y" },
		  { "kty": "OKP", "crv": "Ed25519", "kid": "o1", "x": "$o" }
		] }
	END
}

# jwt KEY HEADER CLAIMS: a token signed by rsa, ec or ed
jwt() {
	text=$(printf %s "$2" | b64url).$(printf %s "$3" | b64url)
	case $1 in
	rsa) sig=$(printf %s "$text" | openssl dgst -sha256 -sign rsa.key | b64url) ;;
	ed)
		printf %s "$text" >to.sign
		sig=$(openssl pkeyutl -sign -rawin -inkey ed.key -in to.sign | b64url)
		;;
	ec)
		# DER to r and s of 32 bytes each
		sig=$(printf %s "$text" | openssl dgst -sha256 -sign ec.key |
			openssl asn1parse -inform DER |
			sed -n 's/.*INTEGER *://p' |
			while read -r h; do printf '%064s' "$h" | tr ' ' 0; done |
			unhex | b64url)
		;;
	esac
	printf '%s.%s\n' "$text" "$sig"
}
