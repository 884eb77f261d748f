#!/usr/bin/env bats
#
# msend(8): TLS where it is offered, and where a message requires it.

load lib
load mqueue.sh
load msend.sh

@test "TLS is used where it is offered, and its certificate looked at" {
	certificate localhost
	sink s "+tls=$D/tls.pem"
	run -0 --separate-stderr to a@b.test
	[[ $stderr == *' tls="TLSv1.3 TLS_'*' unverified" '* ]]
	crlf m | cmp - s/1.eml
	[ "$(grep -c '^C: EHLO' s/log)" -eq 2 ]
	export SSL_CERT_FILE=$D/ca.pem
	run -0 --separate-stderr msend -h "localhost:$PORT" -f '' -- a@b.test <m
	[[ $stderr == *' tls="TLSv1.3 TLS_'* && $stderr != *unverified* ]]
}

@test "where TLS fails the message goes in the clear, on a new connection" {
	sink broken +brokentls
	run -0 --separate-stderr to a@b.test
	[[ $stderr != *tls=* ]]
	[ "$(grep -c 'S: 220 sink' broken/log)" -eq 2 ]
	sink later +brokentls 'STARTTLS=454 4.7.0 not now'
	run -0 to a@b.test
	[ "$(grep -c 'S: 220 sink' later/log)" -eq 1 ]
}

@test "REQUIRETLS goes where TLS is proved and passed on, and nowhere else" {
	certificate localhost
	export MAIL_REQUIRETLS=1 SSL_CERT_FILE=$D/ca.pem
	needs() { # CODE SERVER OPTIONS...: what a message to it gets
		sink "$2" "${@:3}"
		run --separate-stderr msend -t "${T:-60}" -h "localhost:$PORT" -f a@a.test -- b@b.test <m
		[ "$(codes)" = "$1" ]
	}
	needs 2.0.0 good "+tls=$D/tls.pem" +requiretls
	grep -qx 'C: MAIL FROM:<a@a.test> REQUIRETLS' good/log
	needs 5.7.10 plain
	needs 5.7.10 liar +requiretls
	needs 5.7.30 old "+tls=$D/tls.pem"
	needs 5.7.10 broken +brokentls
	needs 5.7.10 no454 "+tls=$D/tls.pem" +requiretls 'STARTTLS=454 4.7.0 no'
	T=1 needs 4.4.2 slow 'CONNECT=slow'
	for s in plain liar old broken no454; do
		lacks 'C: MAIL' $s/log
	done
	# a certificate of somebody else, or of nobody that is known
	sink other "+tls=$D/tls.pem" +requiretls
	run -69 --separate-stderr to b@b.test
	[ "$(codes)" = 5.7.10 ]
	unset SSL_CERT_FILE
	run -69 --separate-stderr msend -h "localhost:$PORT" -f a@a.test -- b@b.test <m
	[ "$(codes)" = 5.7.10 ]
	lacks 'C: MAIL' other/log
	# a bounce is not lost for it
	run -0 --separate-stderr msend -h "localhost:$PORT" -f '' -- b@b.test <m
	grep -qx 'C: MAIL FROM:<> REQUIRETLS' other/log
	sink bounce
	run -0 --separate-stderr msend -h "localhost:$PORT" -f '' -- b@b.test <m
}

@test "REQUIRETLS by MX: names that DNSSEC vouches for, and the next host" {
	certificate localhost
	export MAIL_REQUIRETLS=1 SSL_CERT_FILE=$D/ca.pem
	sink a +addr=127.0.0.1 "+tls=$D/tls.pem"
	zone <<-'E'
		b.test MX 10 first.test
		b.test MX 20 localhost
		b.test secure
		c.test MX 10 localhost
		localhost A 127.0.0.2
		first.test A 127.0.0.1
	E
	sink b +addr=127.0.0.2 "+port=$PORT" "+tls=$D/tls.pem" +requiretls
	run -0 --separate-stderr by_mx b@b.test
	grep -qx 'C: MAIL FROM:<alice@a.test> REQUIRETLS' b/log
	lacks 'C: MAIL' a/log
	run -69 --separate-stderr by_mx c@c.test
	[ "$(codes)" = 5.7.10 ]
	[[ $output == *DNSSEC* ]]
	# one of them can't be reached: that may be better another time
	zone <<-'E'
		b.test MX 10 first.test
		b.test MX 20 gone.test
		b.test secure
		first.test A 127.0.0.1
		gone.test A 127.0.0.9
	E
	run -75 --separate-stderr by_mx b@b.test
	# the domain is its own host, and the certificate is for it
	zone <<<'localhost A 127.0.0.2'
	run -0 --separate-stderr by_mx b@localhost
	unset MAIL_REQUIRETLS
	zone <<<'c.test MX 10 first.test
first.test A 127.0.0.1'
	run -0 --separate-stderr by_mx c@c.test
}

@test "a session that is open serves REQUIRETLS only if it is one for it" {
	certificate localhost
	export SSL_CERT_FILE=$D/ca.pem
	sink s "+tls=$D/tls.pem"
	a=$(add b@y.test)
	b=$(message | MAIL_REQUIRETLS=1 mqueue add -f alice@example.org -- b@y.test)
	c=$(add b@y.test)
	echo "* msend -h localhost:$PORT" >conf/routes
	mqueue next | msend -J -h "localhost:$PORT" >results
	[ "$(grep -c "^$a.*2.0.0\|^$b.*5.7.30\|^$c.*2.0.0" results)" -eq 3 ]
	[ "$(grep -c 'C: MAIL' s/log)" -eq 2 ]
}

@test "what a server says in front of TLS is not believed" {
	certificate localhost
	sink s "+tls=$D/tls.pem" $'STARTTLS=220 2.0.0 go\n250 injected'
	run -75 --separate-stderr to a@b.test
	[ "$(codes)" = 4.7.5 ]
	[ ! -e s/1.eml ]
}
