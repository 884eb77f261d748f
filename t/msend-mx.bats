#!/usr/bin/env bats
#
# msend(8): which hosts DNS names for a domain, and which of them is tried.

load lib
load mqueue.sh
load msend.sh

@test "MX go by preference, and the next one is for when the first fails" {
	sink low +addr=127.0.0.2
	low=${PEERS##* }
	zone <<-'END'
		b.test MX 20 high.test
		b.test MX 10 low.test
		low.test A 127.0.0.2
		high.test A 127.0.0.3
	END
	sink high +addr=127.0.0.3 "+port=$PORT"
	run -0 --separate-stderr by_mx a@b.test
	[[ $output == *'low.test[127.0.0.2] said:'* ]]
	[[ $stderr == *' host=low.test '* ]]
	kill "$low"
	wait_for bash -c "! exec 9<>/dev/tcp/127.0.0.2/$PORT"
	run -0 --separate-stderr by_mx a@b.test
	[[ $output == *'high.test[127.0.0.3] said:'* ]]
}

@test "a host that does not talk to us is left for the next one" {
	sink bad +addr=127.0.0.2 'CONNECT=554 5.3.2 not here'
	sink good +addr=127.0.0.3 "+port=$PORT"
	zone <<-'END'
		b.test MX 10 bad.test
		b.test MX 20 good.test
		bad.test A 127.0.0.2
		good.test A 127.0.0.3
		only.test MX 10 bad.test
		mixed.test MX 10 dead.test
		mixed.test MX 20 bad.test
		dead.test A 127.0.0.9
	END
	run -0 by_mx a@b.test
	[ -e good/1.eml ]
	# for good only when all of them say so
	run -69 --separate-stderr by_mx a@only.test
	[ "$(codes)" = 5.3.2 ]
	run -75 --separate-stderr by_mx a@mixed.test
	[ "$(codes)" = 4.4.2 ]
}

@test "what a host says of a recipient is final for its domain" {
	sink one +addr=127.0.0.2 'RCPT=550 5.1.1 unknown'
	sink two +addr=127.0.0.3 "+port=$PORT"
	zone <<-'END'
		b.test MX 10 one.test
		b.test MX 20 two.test
		one.test A 127.0.0.2
		two.test A 127.0.0.3
	END
	run -67 by_mx a@b.test
	[ ! -e two/log ]
}

@test "DNS decides: no such domain, no mail, an address, or later" {
	sink s
	zone <<-'END'
		null.test MX 0 .
		null.test A 127.0.0.1
		addr.test A 127.0.0.1
		text.test TXT hello
		fail.test fail MX
		fail.test A 127.0.0.1
		half.test fail A
		half.test TXT x
		mxfail.test MX 10 lost.test
		lost.test fail
		mxgone.test MX 10 gone.test
		alias.test CNAME real.test
		real.test MX 10 mxalias.test
		mxalias.test CNAME addr.test
		big.test truncated
		big.test MX 10 addr.test
		lies.test lies
		lies.test MX 10 addr.test
		loop.test CNAME loop.test
		odd.test loop
		ok6.test MX 10 six.test
		six.test fail AAAA
		six.test A 127.0.0.1
	END
	run -75 --separate-stderr by_mx a@null.test a@none.test a@addr.test \
		a@text.test a@fail.test a@half.test a@mxfail.test a@mxgone.test \
		a@alias.test a@big.test a@lies.test a@ok6.test
	[ "$(codes)" = '5.1.10 5.1.2 2.0.0 5.4.4 4.4.3 4.4.3 4.4.3 4.4.4 2.0.0 2.0.0 2.0.0 2.0.0' ]
	grep -qx 'tcp big.test MX' dnslog
	run -68 by_mx a@none.test
	run -75 --separate-stderr by_mx a@loop.test
	[[ $(codes) == 4.4.3 ]]
}

@test "a domain beyond ASCII is looked up as what it is in DNS" {
	sink s +smtputf8
	zone <<-'E'
		xn--bcher-kva.test A 127.0.0.1
	E
	run -0 by_mx $'b@B\303\234CHER.test' $'c@bu\314\210cher.test' d@xn--bcher-kva.test
	[ "$(grep -c 'C: MAIL' s/log)" -eq 1 ]
	grep -q 'xn--bcher-kva.test MX' dnslog
	run -68 --separate-stderr by_mx $'b@\342\200\213.test'
	[ "$(codes)" = 5.1.2 ]
}

@test "a resolver that is silent, or not there, is for later" {
	export PNEU_DNS=127.0.0.1:1
	PORT=25
	run -75 --separate-stderr by_mx a@b.test
	[ "$(codes)" = 4.4.3 ]
	PNEU_DNS=rubbish run -75 --separate-stderr by_mx a@b.test
	[ "$(codes)" = 4.4.3 ]
}

@test "ourselves and what is no better than ourselves is not tried" {
	sink s
	zone <<-'END'
		b.test MX 10 good.test
		b.test MX 20 mail.example.test
		b.test MX 30 worse.test
		us.test MX 10 Mail.Example.Test
		us.test MX 10 peer.test
		us.test MX 20 good.test
		good.test A 127.0.0.1
		peer.test A 127.0.0.1
		worse.test A 127.0.0.9
	END
	run -0 msend -n -h ":$PORT" -- a@b.test
	[ "$output" = "a@b.test	try 127.0.0.1 port $PORT	good.test" ]
	run -69 --separate-stderr by_mx a@us.test
	[ "$(codes)" = 5.4.6 ]
}

@test "an address literal is the host itself" {
	sink s
	PNEU_DNS=127.0.0.1:1 run -0 by_mx 'a@[127.0.0.1]'
	grep -qxF 'C: RCPT TO:<a@[127.0.0.1]>' s/log
	run -75 --separate-stderr by_mx 'a@[IPv6:::1]'
	[ "$(codes)" = 4.4.2 ]
}

@test "domains with the same hosts are one transaction" {
	sink s
	zone <<-'END'
		a.test MX 10 mx.test
		b.test MX 5 mx.test
		c.test A 127.0.0.1
		mx.test A 127.0.0.1
	END
	run -0 --separate-stderr by_mx x@a.test y@b.test z@A.TEST w@c.test
	[ "$(grep -c 'C: MAIL' s/log)" -eq 1 ]
	[ "$(cut -f1 <<<"$output" | tr '\n' ' ')" = 'x@a.test y@b.test z@A.TEST w@c.test ' ]
}

@test "-n says where it would go, twice the same, and goes nowhere" {
	sink s
	zone <<-'END'
		b.test MX 10 two.test
		b.test MX 10 one.test
		b.test MX 10 three.test
		one.test A 127.0.0.1
		two.test A 127.0.0.2
		three.test A 127.0.0.3
		null.test MX 0 .
	END
	run -0 msend -n -h ":$PORT" -- a@b.test
	first=$output
	[ "${#lines[@]}" -eq 3 ]
	for i in 1 2 3 4 5; do
		run -0 msend -n -h ":$PORT" -- a@b.test
		[ "$output" = "$first" ]
	done
	run -69 msend -n -- a@null.test
	[ "$output" = "a@null.test	refuse 5.1.10	null.test: the domain takes no mail" ]
	run -68 msend -n -- a@none.test
	run -0 msend -n -h 127.0.0.1:9 -- a@none.test
	[ "$output" = "a@none.test	try 127.0.0.1 port 9	-h" ]
	[ ! -e s/log ]
}

@test "equal hosts share the load" {
	zone <<-'END'
		b.test MX 10 one.test
		b.test MX 10 two.test
		one.test A 127.0.0.2
		two.test A 127.0.0.3
	END
	sink one +addr=127.0.0.2
	sink two +addr=127.0.0.3 "+port=$PORT"
	for i in $(seq 24); do
		by_mx a@b.test >/dev/null 2>&1
	done
	[ -e one/1.eml ]
	[ -e two/1.eml ]
}
