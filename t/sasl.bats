#!/usr/bin/env bats
#
# mauth(8): the mechanisms by which somebody proves who it is.

load lib
. "$ROOT/t/mauth.sh"

A=alice@example.test
tls='-e SSL_PROTOCOL=TLSv1.3 -e PROTO=TCP -e TCPREMOTEIP=192.0.2.7'
exporter=$(printf 'exporter of thirty-two bytes----' | base64 -w0)

says() { # TEXT: the last answer begins with it
	[[ $(grep '^< ' said | tail -n 1) == "< $1"* ]]
}

salt_of() { # USER: the salt and rounds that it is told
	sasl SCRAM-SHA-256 "$1" wrong bin/mauth mpop >/dev/null
	sed -n 's/^< r=.*,\(s=.*\)/\1/p' said
}

@test "SCRAM-SHA-256 in each protocol, with the command or after it" {
	conf secrets "$A:first:all:$pencil:"
	for p in mrecv mpop mimapd; do
		for o in x=1 late=1 gs2=y "authzid=$A"; do
			sasl -o $o SCRAM-SHA-256 $A pencil bin/mauth $p
			grep -qx 'offered SCRAM-SHA-256 PLAIN LOGIN' said
			grep -qx verified said
			says "hello from $p"
			grep -qx 'mech SCRAM-SHA-256' out/session
			grep -qx 'label first' out/session
			grep -q "auth ok .* user=$A .* label=first" log
		done
	done
	! grep -q pencil log || false
}

@test "SCRAM: a wrong password, an unknown user and rubbish get the same words" {
	conf secrets "$A:first:all:$pencil:"
	for who in $A nobody@example.test 'a b' ''; do
		sasl SCRAM-SHA-256 "$who" wrong bin/mauth mpop
		says '-ERR [AUTH] authentication failed'
		[ "$(grep -c '^<' said)" -eq 2 ]
	done
	sasl -o authzid=bob@example.test SCRAM-SHA-256 $A pencil bin/mauth mpop
	says '-ERR [AUTH] authentication failed'
	[ ! -e out/facts ]
}

@test "SCRAM: a name that nobody has gets a salt, always the same" {
	mkdir state
	echo "state $d/state" >conf/paths
	for key in state none; do
		[ $key = state ] || echo "state $d/nowhere" >conf/paths
		conf secrets "$A:first:all:$pencil:" \
			"bob@example.test:x:all:$ink:"
		one=$(salt_of nobody@example.test)
		[[ $one == s=????????????????????????,i=4096 ]]
		[ "$(salt_of NOBODY@example.test)" = "$one" ]
		[ "$(salt_of nobody2@example.test)" != "$one" ]
		# so does one that is known and has no secret
		[ "$(salt_of bob@example.test)" != "$one" ]
		[ "$(salt_of bob@example.test)" = "$(salt_of BOB@example.test)" ]
		[ "$(salt_of $A)" = 's=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096' ]
		# other secrets come and go
		conf secrets "$A:first:all:$pencil:" "$A:b:all:$brush:"
		[ "$(salt_of nobody@example.test)" = "$one" ]
	done
	[ "$(stat -c '%a %s' state/login-key)" = "600 32" ]
}

@test "SCRAM: any secret of a user proves it, in its scope and time" {
	conf secrets "$A:a:all:$pencil:" "$A:b:imap,send:$brush:" \
		"$A:c:all:$ink:2020-01-01T00:00:00Z"
	for p in pencil/a brush/b; do
		sasl SCRAM-SHA-256 $A ${p%/*} bin/mauth mimapd
		says 'hello from mimapd'
		grep -qx "label ${p#*/}" out/session
	done
	sasl SCRAM-SHA-256 $A brush bin/mauth mpop
	says '-ERR [AUTH] not allowed to read mail here'
	grep -q 'label=b why=scope' log
	sasl SCRAM-SHA-256 $A ink bin/mauth mpop
	says '-ERR [AUTH] authentication failed'
	grep -q 'label=c why=expired' log
	conf users "$users disabled"
	sasl SCRAM-SHA-256 $A pencil bin/mauth mimapd
	says 'c NO [AUTHORIZATIONFAILED]'
	grep -q 'why=disabled' log
}

@test "an exchange can be given up, and another begun" {
	conf secrets "$A:first:all:$pencil:"
	first=$(printf 'n,,n=%s,r=abc' $A | base64 -w0)
	for p in "mrecv|220*|AUTH SCRAM-SHA-256|334 |334 *|501 5.7.0 *|AUTH PLAIN" \
		"mpop|+OK*|AUTH SCRAM-SHA-256|+ |+ *|-ERR *|AUTH PLAIN" \
		"mimapd|\* OK*|a AUTHENTICATE SCRAM-SHA-256|+ |+ *|a BAD *|b AUTHENTICATE PLAIN"; do
		IFS='|' read -r prog greeting begin empty more no again <<<"$p"
		hello=
		[ $prog != mrecv ] || hello=$'C: EHLO x\nS* 250-AUTH SCRAM-SHA-256 PLAIN LOGIN\nS* 250 *'
		talk -- bin/mauth $prog <<-END
			S: ${greeting#\\}
			$hello
			C: $begin
			S: $empty
			C: *
			S: $no
			C: $begin
			S: $empty
			C: $first
			S: $more
			C: *
			S: $no
			C: $begin $first
			S: $more
			C: *
			S: $no
			C: $again =
			S: *
			C: $again $(plain $A pencil)
			S: hello from $prog
		END
	done
	! grep -q 'auth no' log || false
}

@test "SCRAM: what was changed on the way is found out" {
	conf secrets "$A:first:all:$pencil:"
	sasl -o tail=aaaaaaaaaaaaaaaaaaaaaaaa SCRAM-SHA-256 $A pencil bin/mauth mpop
	says '-ERR [AUTH] authentication failed'
	grep -qx '< e=other-error' said
	sasl -o proof=AAAA SCRAM-SHA-256 $A pencil bin/mauth mpop
	says '-ERR malformed response'
	sasl -o ack=x SCRAM-SHA-256 $A pencil bin/mauth mpop
	says '-ERR malformed response'
	sasl -o 'nonce=a b' SCRAM-SHA-256 $A pencil bin/mauth mpop
	says '-ERR malformed response'
	[ ! -e out/facts ]
}

@test "SCRAM is offered only where it refuses nobody's password" {
	none='offered PLAIN LOGIN'
	conf secrets "$A:first:all:$pencil:" "$A:b:all:{PLAIN}x:"
	sasl SCRAM-SHA-256 $A pencil bin/mauth mrecv
	grep -qx "$none" said
	says '504 5.5.4 No such mechanism'
	conf secrets "$A:first:all:$pencil:" '' '# a comment'
	# not to a checkpassword program, which is shown passwords
	sasl SCRAM-SHA-256 $A pencil bin/mauth -k false mrecv
	grep -qx "$none" said
	# nor outside TLS
	sasl -e PROTO=TCP -e TCPREMOTEIP=192.0.2.7 SCRAM-SHA-256 $A pencil \
		bin/mauth mimapd
	grep -qx 'offered ' said
	says 'c NO [PRIVACYREQUIRED]'
}

@test "SCRAM-SHA-256-PLUS is bound to its channel, at once or behind STARTTLS" {
	conf secrets "$A:first:all:$pencil:"
	f="-f SSL_PROTOCOL=TLSv1.3 -f SSL_TLS_EXPORTER=$exporter"
	for how in "$tls -e SSL_TLS_EXPORTER=$exporter" "$f"; do
		for p in mrecv mpop mimapd; do
			sasl $how SCRAM-SHA-256-PLUS $A pencil bin/mauth $p
			grep -qx 'offered SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN LOGIN' said
			grep -qx verified said
			says "hello from $p"
			grep -qx 'mech SCRAM-SHA-256-PLUS' out/session
			! grep -q EXPORTER out/env || false
		done
		# who can't bind need not
		sasl $how SCRAM-SHA-256 $A pencil bin/mauth mpop
		says 'hello from mpop'
	done
	rm out/facts
	# a man in the middle has another channel, or hid the mechanism
	sasl $f -o binding=other SCRAM-SHA-256-PLUS $A pencil bin/mauth mpop
	grep -qx '< e=channel-bindings-dont-match' said
	says '-ERR [AUTH] authentication failed'
	grep -q "auth no .* user=$A .* why=channel-bindings-dont-match" log
	sasl $f -o gs2=y SCRAM-SHA-256 $A pencil bin/mauth mpop
	grep -qx '< e=server-does-support-channel-binding' said
	says '-ERR [AUTH] authentication failed'
	sasl $f -o gs2=p=tls-unique SCRAM-SHA-256-PLUS $A pencil bin/mauth mpop
	grep -qx '< e=unsupported-channel-binding-type' said
	sasl $f -o gs2=n SCRAM-SHA-256-PLUS $A pencil bin/mauth mpop
	says '-ERR malformed response'
	# without the fact there is nothing to bind to
	sasl $tls SCRAM-SHA-256-PLUS $A pencil bin/mauth mpop
	grep -qx 'offered SCRAM-SHA-256 PLAIN LOGIN' said
	says '-ERR no such mechanism'
	[ ! -e out/facts ]
}

@test "masks hide mechanisms from everybody or from some" {
	conf secrets "$A:first:all:$pencil:"
	conf masks 'SCRAM-SHA-256-PLUS *' 'LOGIN peer:192.0.2.0/24' \
		'PLAIN peer:198.51.100.0/24 *' 'IDLE client:x'
	sasl $tls -e SSL_TLS_EXPORTER=$exporter SCRAM-SHA-256-PLUS $A pencil \
		bin/mauth mrecv
	grep -qx 'offered SCRAM-SHA-256 PLAIN' said
	says '504 5.5.4 No such mechanism'
	# who could bind and was not told that we can is not attacked
	sasl $tls -e SSL_TLS_EXPORTER=$exporter -o gs2=y SCRAM-SHA-256 $A pencil \
		bin/mauth mrecv
	says 'hello from mrecv'
	rm out/facts
	conf masks 'PLAIN *' 'LOGIN *' 'SCRAM-SHA-256 *'
	for p in mrecv/504 mpop/-ERR 'mimapd/c NO [CANNOT]'; do
		sasl PLAIN $A pencil bin/mauth ${p%%/*}
		grep -qx 'offered ' said
		says "${p#*/}"
	done
	talk -- bin/mauth mpop <<-END
		S: +OK*
		C: USER $A
		S: +OK
		C: PASS pencil
		S: -ERR no such mechanism
		C: QUIT
		S: +OK*
	END
	talk -- bin/mauth mimapd <<-END
		S: * OK [CAPABILITY * LOGINDISABLED]*
		C: a LOGIN $A pencil
		S: a NO [CANNOT] *
	END
	# behind STARTTLS, where there is nothing either
	sasl -f SSL_PROTOCOL=x PLAIN $A pencil bin/mauth mrecv
	says 504
	[ ! -e out/facts ]
	conf masks 'PLAIN' 'LOGIN helo:x'
	sasl PLAIN $A pencil bin/mauth mpop
	grep -qx 'offered SCRAM-SHA-256 PLAIN LOGIN' said
	grep -q 'conf/masks:1: not NAME and' log
	grep -q 'conf/masks:2: not NAME and' log
}

@test "EXTERNAL: whose certificate it is" {
	ok='-e SSL_CLIENT_VERIFY=SUCCESS'
	mkdir conf/tls
	: >conf/tls/clients.pem
	mail="-e SSL_CLIENT_SAN_Email_0=Alice@example.test"
	for how in "$mail" "-e SSL_CLIENT_S_DN_CN=$A" \
		"$mail -e SSL_CLIENT_S_DN_CN=Alice"; do
		sasl $tls $ok $how EXTERNAL '' '' bin/mauth mpop
		grep -qx 'offered EXTERNAL PLAIN LOGIN' said
		says 'hello from mpop'
		grep -qx "login $A" out/session
		grep -qx 'mech EXTERNAL' out/session
	done
	for p in mrecv mpop mimapd; do
		sasl $tls $ok $mail -o late=1 -o authzid=$A EXTERNAL '' '' \
			bin/mauth $p
		says "hello from $p"
	done
	sasl -f SSL_PROTOCOL=TLSv1.3 ${ok/-e/-f} ${mail/-e/-f} EXTERNAL '' '' \
		bin/mauth mrecv
	says 'hello from mrecv'
	rm out/facts
	sasl $tls $ok $mail -o authzid=bob@example.test EXTERNAL '' '' bin/mauth mpop
	says '-ERR [AUTH] authentication failed'
	grep -q 'why=user' log
	conf users "$users disabled"
	sasl $tls $ok $mail EXTERNAL '' '' bin/mauth mpop
	says '-ERR [AUTH]'
	grep -q "user=$A .* why=disabled" log
	conf users "$users"
	# it is there only for one that was proved and is somebody's
	for how in "$mail" "$ok" "-e SSL_CLIENT_VERIFY=FAILED $mail" \
		"$ok -e SSL_CLIENT_SAN_Email_0=x@example.net" \
		"$ok -e SSL_CLIENT_SAN_Email_0=x@example.net -e SSL_CLIENT_S_DN_CN=$A"; do
		sasl $tls $how EXTERNAL '' '' bin/mauth mpop
		grep -qx 'offered PLAIN LOGIN' said
		says '-ERR no such mechanism'
	done
	sasl $ok $mail EXTERNAL '' '' bin/mauth mpop
	says '-ERR no such mechanism'
	rm conf/tls/clients.pem
	sasl $tls $ok $mail EXTERNAL '' '' bin/mauth mpop
	grep -qx 'offered PLAIN LOGIN' said
	[ ! -e out/facts ]
}

# A command that judges tokens; what it was given is in out/.
judge() {
	cat >bin/judge <<-END
		#!/bin/sh
		t=\$(cat)
		{ id -u; echo "args \$*"; } >$d/out/judge
		env >$d/out/judge.env
		echo "\$t" >$d/out/token
		case \$t in
		good) echo $A ;;
		other) echo bob@example.test ;;
		nobody) echo nobody@example.test ;;
		silent) ;;
		noend) printf $A ;;
		bad) echo $A; exit 1 ;;
		later) exit 111 ;;
		killed) kill -9 \$\$ ;;
		esac
	END
	chmod 0755 bin/judge
	conf token "${1:-}judge 'two words'"
	[ "$(id -u)" -ne 0 ] ||
		echo 'pneu-relay 62005 62005' >>conf/uids
}

@test "OAUTHBEARER and XOAUTH2: a command says whose token it is" {
	sasl OAUTHBEARER $A good bin/mauth mpop
	grep -qx 'offered PLAIN LOGIN' said
	says '-ERR no such mechanism'
	judge
	for m in OAUTHBEARER XOAUTH2; do
		for p in mrecv mpop mimapd; do
			for o in x=1 late=1; do
				sasl -o $o $m $A good bin/mauth $p
				grep -qx 'offered PLAIN LOGIN OAUTHBEARER XOAUTH2' said
				says "hello from $p"
				grep -qx "login $A" out/session
				grep -qx "mech $m" out/session
			done
		done
	done
	grep -q "auth ok .* user=$A" log
	# the token is on no command line and in no environment
	[ "$(cat out/token)" = good ]
	[ "$(sed -n 2p out/judge)" = 'args two words' ]
	! grep good out/judge.env || false
	! grep -w good log || false
	[ "$(id -u)" -ne 0 ] || [ "$(sed -n 1p out/judge)" = 62005 ]
	# who is not said is whoever the token says
	printf 'n,,\1auth=bearer good\1\1' >t
	sasl -o text=t OAUTHBEARER x x bin/mauth mpop
	says 'hello from mpop'
	grep -qx "login $A" out/session
	printf 'user=\1auth=Bearer good\1\1' >t
	sasl -o text=t XOAUTH2 x x bin/mauth mpop
	says 'hello from mpop'
}

@test "OAUTHBEARER: mindex import logs in with a token" {
	judge
	install "$BUILD/mimapd" bin/
	mkdir -p home/Maildir/new home/Maildir/cur home/Maildir/tmp
	printf 'Subject: taken along\n\nx\n' >home/Maildir/cur/1.M1P1.h:2,S
	[ "$(id -u)" -ne 0 ] || chown -R 62011 home
	printf '#!/bin/sh\nexec env PROTO=TCP TCPREMOTEIP=192.0.2.7 "$@"\n' >bin/with
	chmod 0755 bin/with
	echo good >t
	run -0 mindex -d "$d/m" import -w 3 imap user=$A auth=token -- \
		bin/with SSL_PROTOCOL=TLSv1.3 bin/mauth bin/mimapd 3<t
	grep -q 'taken along' m/cur/*
	grep -qx good out/token
	echo bad >t
	run -77 mindex -d "$d/m" import -w 3 imap user=$A auth=token -- \
		bin/with SSL_PROTOCOL=TLSv1.3 bin/mauth bin/mimapd 3<t
	[[ $output == *'{"status":"invalid_token"}'* ]]
}

@test "OAUTHBEARER and XOAUTH2: what is no good is told as they want it" {
	judge
	for t in bad other nobody; do
		sasl OAUTHBEARER $A $t bin/mauth mpop
		grep -qx '< {"status":"invalid_token"}' said
		says '-ERR [AUTH] authentication failed'
		sasl XOAUTH2 $A $t bin/mauth mimapd
		grep -qx '< {"status":"401","schemes":"bearer"}' said
		says 'c NO [AUTHENTICATIONFAILED]'
	done
	sasl XOAUTH2 bob@example.test good bin/mauth mrecv
	says '535 5.7.8'
	grep -q 'user=bob@example.test .* why=user' log
	sasl XOAUTH2 $A bad bin/mauth mrecv
	grep -q "user=$A .* why=token" log
	# a failure of ours is not theirs
	for t in later killed silent noend; do
		sasl OAUTHBEARER $A $t bin/mauth mpop
		[ "$(grep -c '^<' said)" -eq 1 ]
		says '-ERR [SYS/TEMP]'
		grep -q "user=$A .* why=later" log
	done
	conf token nothing-like-that
	sasl OAUTHBEARER $A good bin/mauth mpop
	says '-ERR [SYS/TEMP]'
	rm out/token
	judge
	# rubbish never comes to the command
	for t in 'n,,\1\1' 'n,,\1auth=\1\1' 'n,,\1auth=Basic x\1\1' \
		'n,,\1auth=Bearer a b\1\1'; do
		printf "$t" >t
		sasl -o text=t OAUTHBEARER x x bin/mauth mpop
		grep -qx '< {"status":"invalid_token"}' said
		says '-ERR [AUTH]'
	done
	for t in '' '\1' 'n,,' 'n,,auth=Bearer good\1\1' 'p=x,,\1auth=Bearer good\1\1' \
		'n,,\1auth=Bearer good\1' 'n,,\1auth=Bearer good\1\1x' \
		'n,b=c,\1auth=Bearer good\1\1'; do
		printf "$t" >t
		sasl -o text=t OAUTHBEARER x x bin/mauth mpop
		says '-ERR malformed response'
	done
	[ ! -e out/token ]
	[ ! -e out/facts ]
}

@test "a long token passes, a longer one is refused" {
	judge
	echo "case \$t in xxx*) echo $A ;; esac" >>bin/judge
	for p in mrecv mpop mimapd; do
		long=$(head -c 7000 /dev/zero | tr '\0' x)
		sasl -o late=1 OAUTHBEARER $A $long bin/mauth $p
		says "hello from $p"
		sasl OAUTHBEARER $A $long bin/mauth $p
		says "hello from $p"
		longer=$(head -c 20000 /dev/zero | tr '\0' x)
		sasl -o late=1 OAUTHBEARER $A $longer bin/mauth $p || :
		! says "hello from $p" || false
	done
}

@test "tokens: user= says as whom the command runs" {
	root_only
	judge 'user=62099 '
	sasl OAUTHBEARER $A good bin/mauth mpop
	says 'hello from mpop'
	[ "$(sed -n 1p out/judge)" = 62099 ]
	judge 'user=nobody-of-that-name '
	rm -f out/judge
	sasl OAUTHBEARER $A good bin/mauth mpop
	says '-ERR [SYS/TEMP]'
	[ ! -e out/judge ]
}

@test "tokens: a JWT that mtoken verifies" {
	. "$ROOT/t/tools/jwt.sh"
	cd conf
	jwt_keys
	t=$(jwt ec '{"alg":"ES256"}' "{\"iss\":\"https://id.test\",\"aud\":\"mail\",\"email\":\"$A\",\"exp\":$(($(date +%s) + 60))}")
	cd ..
	install "$BUILD/mtoken" bin/
	judge
	conf token 'mtoken jwt keys=jwks.json iss=https://id.test aud=mail'
	sasl OAUTHBEARER $A "$t" bin/mauth mimapd
	says 'hello from mimapd'
	sasl OAUTHBEARER $A "${t%?????}AAAAA" bin/mauth mimapd
	says 'c NO [AUTHENTICATIONFAILED]'
	grep -q '^mtoken refuse conn=[0-9a-z]* why=signature' log
	! grep -qF "$t" log || false
}

@test "no time tells an unknown user from a wrong password" {
	conf secrets "bob@example.test:x:all:$ink:" "$A:a:all:$pencil:" \
		"$A:b:all:$brush:" "$A:c:all:$ink:"
	for mech in PLAIN SCRAM-SHA-256; do
		rm -f $A nobody@example.test
		alike=false
		for i in $(seq 80); do
			for who in $A nobody@example.test; do
				sasl $mech $who wrong bin/mauth mpop >/dev/null
				sed -n 's/^= \(.*\) ms/\1/p' said >>$who
			done
			[ $i -ge 15 ] || continue
			# the lower quartile: neighbours only add to it, so as
			# many are asked as it takes; what differs does in all
			a=$(sort -n $A | sed -n $((i / 4 + 1))p)
			n=$(sort -n nobody@example.test | sed -n $((i / 4 + 1))p)
			echo "$mech: $a ms, unknown $n ms, of $i"
			! awk "BEGIN { exit !($a < $n * 1.5 + 1 && $n < $a * 1.5 + 1) }" ||
				{ alike=true; break; }
		done
		$alike
	done
}
