#!/usr/bin/env bats
#
# msend(8), -J: messages of the queue, in as few sessions as they need.

load lib
load mqueue.sh
load msend.sh

@test "jobs of one next hop share a session, and the queue gets results" {
	sink s 'RCPT:no@=550 5.1.1 unknown'
	echo '* msend' >conf/routes
	a=$(message one | mqueue add -f alice@a.test -- b@b.test)
	b=$(message two | mqueue add -f alice@a.test -- no@b.test c@b.test)
	mqueue next >jobs
	run -0 --separate-stderr msend -J -t 60 -h "127.0.0.1:$PORT" <jobs
	[ -z "$stderr" ]
	grep -qx "$a	b@b.test	2.0.0	127.0.0.1\[127.0.0.1\]%20said:.*" <<<"$output"
	grep -qx "$b	no@b.test	5.1.1	.*%20unknown" <<<"$output"
	grep -q "^$b	-	<%20550%205.1.1%20unknown" <<<"$output"
	lacks "^$a	-	" - <<<"$output"
	[ "$(grep -c 'S: 220' s/log)" -eq 1 ]
	[ "$(grep -c 'C: MAIL' s/log)" -eq 2 ]
	tail -n 2 s/log | grep -q 'C: QUIT'
	mqueue cat "$a" >m
	crlf m | cmp - "$(grep -l 'Subject: one' s/*.eml)"
	mqueue done <<<"$output"
	wait_for test ! -e "queue/$a"
}

@test "a session that the server closed meanwhile is made anew" {
	sink s +reuse=1
	echo '* msend' >conf/routes
	for i in 1 2 3; do
		message $i | mqueue add -f alice@a.test -- b@b.test
	done
	mqueue next >jobs
	run -0 msend -J -t 60 -h "127.0.0.1:$PORT" <jobs
	[ "$(grep -c '	2.0.0	' <<<"$output")" -eq 3 ]
	[ "$(ls s/*.eml | wc -l)" -eq 3 ]
}

@test "a message that the server may have taken is not sent again at once" {
	sink s +nopipelining once:END='250 2.0.0 first' once:END=drop
	echo '* msend' >conf/routes
	for i in 1 2 3; do
		message $i | mqueue add -f alice@a.test -- b@b.test
	done
	mqueue next >jobs
	run -0 msend -J -t 60 -h "127.0.0.1:$PORT" <jobs
	# the first and third are sent, the second one once
	[ "$(awk '$2 != "-" { printf "%s ", $3 }' <<<"$output")" = '2.0.0 4.4.2 2.0.0 ' ]
	[ "$(ls s/*.eml | wc -l)" -eq 3 ]
}

@test "the dialogue of one message is not told of another" {
	sink s
	zone <<-'END'
		b.test MX 10 mx.test
		mx.test A 127.0.0.1
	END
	echo '* msend' >conf/routes
	message secret | mqueue add -f alice@a.test -- b@b.test
	message | mqueue add -f alice@a.test -- x@none.test
	mqueue next >jobs
	sort -k4 jobs >sorted
	run -0 msend -J -t 60 -h ":$PORT" <sorted
	grep -q '	x@none.test	5.1.2	' <<<"$output"
	lacks '	-	.*b@b.test' - <<<"$output"
}

@test "a session with nothing to send is closed with QUIT after a while" {
	sink s
	echo '* msend' >conf/routes
	message | mqueue add -f alice@a.test -- b@b.test
	mkfifo pipe
	msend -J -t 60 -h "127.0.0.1:$PORT" <pipe >results 3>&- &
	PEERS="$PEERS $!"
	exec 8>pipe
	mqueue next >&8
	wait_for grep -q 2.0.0 results
	wait_for grep -q 'C: QUIT' s/log
	exec 8>&-
}

@test "a job whose file is gone, elsewhere or a link is for later" {
	sink s
	echo '* msend' >conf/routes
	id=$(message | mqueue add -f alice@a.test -- b@b.test)
	cp "queue/$id" elsewhere
	ln -s "$id" queue/link
	for file in "$D/queue/none" "$D/elsewhere" "$D/queue/link" queue/$id \
		"$D/queue/../queue/$id" "$D/queue/tmp"; do
		echo "$file"
		run -0 msend -J -h "127.0.0.1:$PORT" \
			<<<"$id	$file	msend	b@b.test"
		grep -q "^$id	b@b.test	4.3.0	" <<<"$output"
	done
	ln "queue/$id" second
	run -0 msend -J -h "127.0.0.1:$PORT" <<<"$id	$D/queue/$id	msend	b@b.test"
	grep -q '	4.3.0	' <<<"$output"
	[ ! -e s/1.eml ]
}

@test "a recipient of a job that is no address makes no command" {
	sink s
	echo '* msend' >conf/routes
	id=$(message | mqueue add -f alice@a.test -- b@b.test)
	run -0 msend -J -h "127.0.0.1:$PORT" \
		<<<"$id	$D/queue/$id	msend	x%0D%0ARSET@b.test	b@b.test"
	grep -q '	5.1.3	' <<<"$output"
	grep -q '	b@b.test	2.0.0	' <<<"$output"
	lacks '^C: RSET' s/log
}

@test "what is no job is one line, and 65" {
	run -65 msend -J <<<'nonsense'
	[ "$output" = 'msend: not a job: nonsense' ]
	run -0 msend -J </dev/null
	[ -z "$output" ]
}

@test "mqueue run drives it" {
	sink s 'RCPT:no@=550 5.1.1 unknown'
	cp "$BUILD/msend" bin/
	echo "* $D/bin/msend -t 60 -h 127.0.0.1:$PORT" >conf/routes
	start_run
	message | mqueue add -f '' -- b@b.test
	wait_for test -e s/1.eml
	wait_for empty
	grep -q '^mqueue sent .*to=b@b.test .*code=2.0.0' log
}
