#!/usr/bin/env bats
#
# mrecv -m with milters that sites run: Rspamd's proxy and OpenDKIM.
# Nothing here asks the network.

load ../lib

GTUBE='XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X'

listening() {
	python3 -c "import socket; socket.create_connection(('127.0.0.1', $1), 1).close()"
}

start_rspamd() {
	mkdir rs
	cat >rs/rspamd.lua <<-'EOF'
		rspamd_config.WISH = {
		  callback = function(task)
		    local s = task:get_header('Subject') or ''
		    local wish, text = s:match('^wish ([a-z ]+): (.*)$')
		    if wish then
		      task:set_pre_result(wish, text)
		      return true
		    end
		  end, score = 1.5, description = 'what the subject wants'
		}
		rspamd_config.FACTS = {
		  callback = function(task)
		    local ip, from = task:get_from_ip(), task:get_from('smtp')
		    local to = task:get_recipients('smtp')
		    local facts = string.format('%s %s %s %s %s',
		      ip and ip:is_valid() and ip:to_string() or 'local',
		      task:get_helo(), from and from[1].addr, to and to[#to].addr,
		      task:get_user())
		    task:set_milter_reply({
		      add_headers = { ['X-Facts'] = facts,
		        ['X-Id'] = task:get_queue_id() },
		      remove_headers = { ['X-Old'] = 0 },
		    })
		    return true
		  end, score = 0.25, description = 'what is known'
		}
	EOF
	echo test >rs/tld # a long list takes long to load
	cat >rs/rspamd.conf <<-EOF
		options {
		  filters = "";
		  dns { nameserver = ["127.0.0.1:9"]; timeout = 0.1s; retransmits = 1; }
		  tempdir = "$PWD/rs";
		  control_socket = "$PWD/rs/control mode=0600";
		  pidfile = "$PWD/rs/pid";
		  hs_cache_dir = "$PWD/rs";
		  disable_hyperscan = true;
		  url_tld = "$PWD/rs/tld";
		  enable_test_patterns = true;
		}
		lua = "$PWD/rs/rspamd.lua";
		logging { type = "console"; level = "info"; }
		actions { reject = 15; add_header = 6; greylist = 4; rewrite_subject = 50;
		  discard = 900; quarantine = 800; }
		worker "rspamd_proxy" {
		  bind_socket = "127.0.0.1:$rspamd";
		  milter = yes;
		  timeout = 20s;
		  count = 1;
		  upstream "local" { default = yes; self_scan = yes; }
		}
	EOF
	rspamd -f -i -c "$PWD/rs/rspamd.conf" >rspamd.log 2>&1 3>&- &
	echo $! >>pids
}

# opendkim NAME LINE...: one at $D/NAME.sock, as the present user
start_opendkim() {
	local name=$1

	shift
	printf '%s\n' "Socket local:$D/$name.sock" 'Syslog no' "PidFile $D/$name.pid" \
		'RequireSafeKeys no' 'UMask 000' "$@" >"$name.conf"
	opendkim -f -l -x "$name.conf" >"$name.log" 2>&1 3>&- &
	echo $! >>pids
}

setup_file() {
	for p in rspamd opendkim opendkim-genkey; do
		command -v $p >/dev/null || skip "$p is not installed"
	done
	D=$(mktemp -d /tmp/pneu-t.XXXXXX)
	export D
	chmod 0755 "$D"
	cd "$D"
	: >pids
	rspamd=$(free_port)
	export rspamd
	start_rspamd
	opendkim-genkey -b 2048 -d example.test -s sel
	chmod 0600 sel.private
	python3 - >public <<-'EOF'
		import re
		text = ''.join(re.findall(r'"([^"]*)"', open('sel.txt').read()))
		print('sel._domainkey.example.test', text)
	EOF
	start_opendkim sign 'Mode s' 'Domain example.test' 'Selector sel' \
		"KeyFile $D/sel.private" 'Canonicalization simple/simple' \
		'InternalHosts 192.0.2.0/24' 'SignatureAlgorithm rsa-sha256'
	start_opendkim relaxed 'Mode s' 'Domain example.test' 'Selector sel' \
		"KeyFile $D/sel.private" 'Canonicalization relaxed/relaxed' \
		'MTA MSA' 'InternalHosts 198.51.100.1'
	start_opendkim verify 'Mode v' "TestPublicKeys $D/public" \
		'AuthservID mx.example.test' 'InternalHosts 198.51.100.1'
	mkdir conf
	echo mx.example.test >conf/me
	echo example.test >conf/domains
	for u in alice bob; do
		echo "$u@example.test:$(id -u):$(id -g):$PWD/home:"
	done >conf/users
	printf 'queue %s\nstate %s\n' "$PWD/queue" "$PWD/state" >conf/paths
	echo "pneu $(id -u) $(id -g)" >conf/uids
	echo '* false' >conf/routes
	touch -d '1 hour ago' conf/*
	for s in sign relaxed verify; do
		wait_for listens "$D/$s.sock"
	done
	WAIT=200 wait_for listening "$rspamd" || {
		tail -n 20 rspamd.log
		return 1
	}
}

teardown_file() {
	[ -d "${D:-}" ] || return 0
	local pids
	pids=$(cat "$D/pids")
	kill $pids 2>/dev/null || :
	gone() { ! kill -0 $pids 2>/dev/null; }
	wait_for gone || kill -9 $pids 2>/dev/null || :
	rm -rf "$D"
}

setup() {
	cd "$D"
	rm -rf queue state
	mkdir queue state
	export PNEU_CONF=$D/conf PROTO=TCP TCPREMOTEIP=192.0.2.7 TCPREMOTEPORT=4321
	rm -f conf/limits
}

say() {
	printf '%s\r\n' "$@"
}

# one LINE...: a session with one message from alice to bob
one() {
	say 'EHLO client.test' 'MAIL FROM:<alice@example.test>' \
		'RCPT TO:<bob@example.test>' DATA "$@" . QUIT
}

last_reply() {
	tr -d '\r' <out | tail -n 2 | head -n 1
}

id_of() {
	last_reply | cut -d ' ' -f 4
}

# recv OPTION...: standard input is a session; the message goes to the queue
recv() {
	mrecv "$@" -- mqueue add >out 2>err
	cat out err
}

@test "Rspamd knows the envelope, adds and removes fields" {
	one 'Subject: hello' 'X-Old: 1' 'X-Old: 2' 'From: <alice@example.test>' '' body |
		recv -m "127.0.0.1:$rspamd"
	[[ $(last_reply) == "250 2.0.0 ok "* ]]
	mqueue cat "$(id_of)" | tee m
	grep -qx 'X-Facts: 192.0.2.7 client.test alice@example.test bob@example.test nil' m
	grep -qx "X-Id: $(id_of)" m
	! grep -q X-Old m || false
	head -n 1 m | grep -q '^Received: '
	[ "$(tail -n 1 m)" = body ]
}

@test "Rspamd knows who logged in" {
	export PROTO=IPC IPCREMOTEEUID=$(id -u)
	one 'Subject: hello' 'From: <alice@example.test>' '' body |
		recv -p -m "127.0.0.1:$rspamd"
	[[ $(last_reply) == "250 2.0.0 ok "* ]]
	mqueue cat "$(id_of)" | tee m
	grep -qx 'X-Facts: local client.test alice@example.test bob@example.test alice@example.test' m
}

@test "Rspamd refuses, defers, marks, changes the subject, drops, holds" {
	one 'Subject: junk' '' "$GTUBE" | recv -m "127.0.0.1:$rspamd"
	[[ $(last_reply) == "554 5.7.1 Gtube pattern" ]]
	one 'Subject: wish soft reject: come again' '' body | recv -m "127.0.0.1:$rspamd"
	[[ $(last_reply) == "451 4.7.1 come again" ]]
	[ -z "$(mqueue ls)" ]
	one 'Subject: wish add header: x' '' body | recv -m "127.0.0.1:$rspamd"
	[[ $(last_reply) == "250 2.0.0 ok "* ]]
	mqueue cat "$(id_of)" | grep -qx 'X-Spam: Yes'
	one 'Subject: wish rewrite subject: x' '' body | recv -m "127.0.0.1:$rspamd"
	[[ $(last_reply) == "250 2.0.0 ok "* ]]
	mqueue cat "$(id_of)" | tee m
	grep -q '^Subject: \*\*\* SPAM \*\*\*' m
	[ "$(grep -c '^Subject:' m)" -eq 1 ]
	mqueue rm $(mqueue ls | cut -f 1)
	one 'Subject: wish discard: x' '' body | recv -m "127.0.0.1:$rspamd"
	[[ $(last_reply) == "250 2.0.0 ok "* ]]
	[ -z "$(mqueue ls)" ]
	one 'Subject: wish quarantine: x' '' body | recv -m "127.0.0.1:$rspamd"
	[[ $(last_reply) == "250 2.0.0 ok "* ]]
	[ "$(mqueue ls | cut -f 2)" = held ]
}

@test "many messages in a session, one connection to Rspamd" {
	{
		say 'EHLO client.test'
		for i in 1 2 3 4 5; do
			one "Subject: $i" '' body | sed '1d;$d'
		done
		say QUIT
	} | recv -m "127.0.0.1:$rspamd"
	[ "$(grep -c '^250 2.0.0 ok ' out)" -eq 5 ]
	[ "$(mqueue ls | grep -c new)" -eq 5 ]
	for id in $(mqueue ls | cut -f 1); do
		[ "$(mqueue cat "$id" | grep -c "^X-Id: $id")" -eq 1 ]
	done
}

# The message that is queued, as a session from another host.
again() {
	{
		say 'EHLO other.test' 'MAIL FROM:<alice@example.test>' \
			'RCPT TO:<bob@example.test>' DATA
		mqueue cat "$(id_of)" | sed 's/^\./../; s/$/\r/'
		say . QUIT
	} >session
	TCPREMOTEIP=203.0.113.9 recv -m "unix:$D/verify.sock" <session
	[[ $(last_reply) == "250 2.0.0 ok "* ]]
	mqueue cat "$(id_of)" | tee verified
}

@test "OpenDKIM signs, simple/simple, and another one verifies it" {
	one 'From: Alice <alice@example.test>' 'To: bob@example.test' \
		'Subject:  with  blanks' '	and a fold' 'Date: Sun, 29 Nov 2026 03:00:00 +0000' \
		'Message-ID: <1@example.test>' '' 'a line' '' '..dots' 'tab	 ' '' '' |
		recv -m "unix:$D/sign.sock"
	[[ $(last_reply) == "250 2.0.0 ok "* ]]
	mqueue cat "$(id_of)" | grep -q '^DKIM-Signature: .*d=example.test'
	mqueue cat "$(id_of)" | sed -n 2,20p | grep -q 'c=simple/simple'
	again
	grep -q 'dkim=pass.*header.d=example.test' verified ||
		tr -d '\n' <verified | grep -q 'dkim=pass[^;]*header.d=example.test'
	# and what was changed does not
	sed -i 's/^a line/another line/' session
	TCPREMOTEIP=203.0.113.9 recv -m "unix:$D/verify.sock" <session
	mqueue cat "$(id_of)" | grep -q 'dkim=fail'
}

@test "OpenDKIM signs what is submitted, relaxed, large, behind Rspamd and a filter" {
	printf '#!/bin/sh\nsed "s/^Subject: .*/Subject: by a filter/"\n' >f
	chmod +x f
	export IPCREMOTEEUID=$(id -u)
	one 'From: <alice@example.test>' 'Subject: x' '' \
		"$(head -c 400000 /dev/zero | tr '\0' y | fold -w 70 | sed '$!s/$/\r/')" |
		PROTO=IPC mrecv -p -m "127.0.0.1:$rspamd" -F ./f -m "unix:$D/relaxed.sock" \
			-- mqueue add >out 2>err
	cat out err
	[[ $(last_reply) == "250 2.0.0 ok "* ]]
	again >/dev/null
	head -n 30 verified
	sed '/^$/q' verified | tr -d '\n' | grep -q 'dkim=pass[^;]*header.d=example.test'
	grep -qx 'Subject: by a filter' verified
}

@test "both stopped and gone: for later, or without them" {
	echo milter-time 1 >conf/limits
	for m in "127.0.0.1:$rspamd" "unix:$D/sign.sock"; do
		case $m in
		unix:*) pids=$(cat sign.pid) ;;
		*) pids="$(pgrep -P "$(head -n 1 pids)" | xargs)" ;;
		esac
		kill -STOP $pids
		one 'Subject: x' '' body | recv -m "$m"
		later=$(grep -c '^451 4.3.0' out || :)
		one 'Subject: x' '' body | recv '-m?' "$m"
		taken=$(grep -c '^250 2.0.0 ok ' out || :)
		kill -CONT $pids
		[ "$later" -eq 1 ]
		[ "$taken" -eq 1 ]
		grep -q 'error .*why=timeout' err
	done
	one 'Subject: x' '' body | recv -m "127.0.0.1:$(free_port)"
	grep -q '^451 4.3.0' out
	grep -q 'error .*why="Connection refused"' err
	one 'Subject: x' '' body | recv '-m?' "127.0.0.1:$(free_port)"
	[[ $(last_reply) == "250 2.0.0 ok "* ]]
}
