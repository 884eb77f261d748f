#!/usr/bin/env bats
#
# The filters of share/pneu/filters with their real daemons: up, down,
# hanging, and talking nonsense.  Nothing here asks the network.

load ../lib

# The queue's account is another one, when there are accounts.
own() {
	[ "$(id -u)" -ne 0 ] || chown 62001:62001 "$@"
}

# What hangs, and what talks nonsense, by TCP and on a Unix socket.
bad_daemons() {
	cat >bad.py <<-'EOF'
		import os, select, socket
		def tcp():
		    s = socket.socket()
		    s.bind(("127.0.0.1", 0))
		    s.listen(64)
		    return s
		def local(name):
		    s = socket.socket(socket.AF_UNIX)
		    s.bind(name)
		    s.listen(64)
		    return s
		free = socket.socket()
		free.bind(("127.0.0.1", 0))  # bound, not listening: refused
		hang, odd = tcp(), tcp()
		uhang, uodd = local("hang"), local("odd")
		with open("ports.new", "w") as f:
		    for n, s in ("down", free), ("hang", hang), ("odd", odd):
		        print(f"{n}={s.getsockname()[1]}", file=f)
		os.rename("ports.new", "ports")
		kept = []
		while True:
		    for s in select.select([hang, odd, uhang, uodd], [], [])[0]:
		        c, _ = s.accept()
		        if s in (hang, uhang):
		            kept.append(c)
		            continue
		        try:
		            c.recv(65536)
		            c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n{what?}")
		            c.shutdown(socket.SHUT_WR)
		            while c.recv(65536):
		                pass
		        except OSError:
		            pass
		        c.close()
	EOF
	python3 bad.py >bad.log 2>&1 3>&- &
	echo $! >>pids
	wait_for test -s ports
}

# spamd, with three rules of our own
start_spamd() {
	mkdir sa home
	echo 'loadplugin Mail::SpamAssassin::Plugin::Check' >sa/init.pre
	cat >sa/rules.cf <<-'EOF'
		required_score 5
		report_safe 0
		use_bayes 0
		add_header all Status "_YESNO_, score=_SCORE_ required=_REQD_ tests=_TESTS_"
		body GTUBE /XJS\*C4JDBQADN1\.NSBN3\*2IDNEN\*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL\*C\.34X/
		score GTUBE 1000
		header MAYBE Subject =~ /maybe/
		score MAYBE 6
	EOF
	as=
	[ "$(id -u)" -ne 0 ] || as='-u nobody'
	# shellcheck disable=SC2086
	HOME=$PWD/home spamd -L -x -m 2 $as -C "$PWD/sa" --siteconfigpath="$PWD/sa" \
		--socketpath="$PWD/spamd" -s stderr >spamd.log 2>&1 3>&- &
	echo $! >>pids
}

start_rspamd() {
	mkdir rs
	rspamd=$(free_port)
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
		rspamd_config.KNOWN = {
		  callback = function(task)
		    local from, ip = task:get_from('smtp'), task:get_from_ip()
		    return from and from[1].addr == 'x@elsewhere.test' and
		      ip and ip:to_string() == '192.0.2.7' and
		      task:get_helo() == 'client.test' and not task:get_user()
		  end, score = 0.25, description = 'the envelope is known'
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
		actions { reject = 15; add_header = 6; greylist = 4; quarantine = 14; discard = 900; }
		worker "normal" { bind_socket = "127.0.0.1:$rspamd"; count = 1; }
	EOF
	rspamd -f -i -c "$PWD/rs/rspamd.conf" >rspamd.log 2>&1 3>&- &
	echo $! >>pids
	echo "rspamd=$rspamd" >>ports
}

# clamd, which knows one virus
start_clamd() {
	mkdir clam
	python3 - >clam/local.ndb <<-'EOF'
		eicar = (rb'X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-'
		    rb'STANDARD-ANTIVIRUS-TEST-FILE!$H+H*')
		print(f'Eicar-Local:0:*:{eicar.hex()}')
	EOF
	cat >clamd.conf <<-EOF
		Foreground yes
		LocalSocket $PWD/clamd
		DatabaseDirectory $PWD/clam
		TemporaryDirectory $PWD/clam
		MaxThreads 2
		LogFile $PWD/clamd.log
	EOF
	for s in hang odd none; do
		echo "LocalSocket $PWD/$s" >clamd-$s.conf
	done
	clamd -c clamd.conf >clamd.out 2>&1 3>&- &
	echo $! >>pids
}

clamd_answers() {
	clamdscan -c clamd.conf --ping 1
}

setup_file() {
	for p in spamd spamc rspamd rspamc clamd clamdscan; do
		command -v $p >/dev/null || skip "$p is not installed"
	done
	# where other accounts can read
	D=$(mktemp -d /tmp/pneu-t.XXXXXX)
	export D
	chmod 0755 "$D"
	cp -r "$ROOT/share/pneu/filters" "$D/filters"
	cd "$D"
	: >pids
	bad_daemons
	start_rspamd
	start_spamd
	start_clamd
	mkdir conf
	echo mx.example.test >conf/me
	echo example.test >conf/domains
	echo "bob@example.test:$(id -u):$(id -g):$PWD/home:" >conf/users
	printf 'queue %s\nstate %s\n' "$PWD/queue" "$PWD/state" >conf/paths
	echo '* false' >conf/routes
	mkdir queue state
	[ "$(id -u)" -ne 0 ] || echo 'pneu 62001 62001' >conf/uids
	chmod 0700 queue state
	own queue state
	WAIT=200 wait_for rspamc -h 127.0.0.1:$rspamd -t 1 conf/me || {
		tail -n 20 rspamd.log
		return 1
	}
	WAIT=200 wait_for spamc -x -E -U "$PWD/spamd" <conf/me
	WAIT=200 wait_for clamd_answers
}

teardown_file() {
	[ -s "$D/pids" ] || return 0
	# each is a child of this process
	kill $(cat "$D/pids") || :
	wait
	rm -rf "$D"
}

setup() {
	. "$D/ports"
	# what they keep for a while is in a folder of their own
	FILTERS="env TMPDIR=$D/work $D/filters"
	rm -rf "$D/work"
	mkdir -m 0777 "$D/work"
	export PNEU_CONF=$D/conf
	cd "$BATS_TEST_TMPDIR"
	spam='XJS*C4JDBQADN1.NSBN3*2IDNEN*GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL*C.34X'
	virus='X5O!P%@AP[4\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*'
	rm -rf "$D/queue"
	mkdir "$D/queue"
	own "$D/queue"
}

no_file() {
	[ -z "$(ls "$D/work")" ]
}

# send FILTER SUBJECT TEXT: the reply to the message in $reply, the
# message that is queued in the file got, and its state in $state.
send() {
	printf '%s\r\n' 'EHLO client.test' 'MAIL FROM:<x@elsewhere.test>' \
		'RCPT TO:<bob@example.test>' DATA "Subject: $2" \
		'X-Spam-Status: No, score=-99.0 required=5.0' \
		'X-Spam-Score: -99' 'x-virus-scanned: never,' ' ever' \
		'From: x@elsewhere.test' '' "$3" . QUIT |
		env PROTO=TCP TCPREMOTEIP=192.0.2.7 TCPLOCALPORT=25 \
			mrecv -F "$1" -- mqueue add >said 2>log
	cat log said
	reply=$(sed -n '/^354 /{n;p;}' said | tr -d '\r')
	id=$(mqueue ls | cut -f 1)
	state=$(mqueue ls | cut -f 2)
	: >got
	[ -z "$id" ] || mqueue cat "$id" >got
	wait_for no_file
}

# later FILTER: the daemon is of no use, so the message comes later
later() {
	local began=$SECONDS
	send "$1" later hello
	[[ $reply == '451 4.'* ]]
	[ -z "$id" ]
	[ $((SECONDS - began)) -le 40 ]
}

header_of() {
	sed '/^$/q' got
}

@test "spamc: what is no spam passes, with what spamd says of it" {
	send "$FILTERS/spamc -h unix:$D/spamd -R 10 -H 5" hi hello
	[[ $reply == '250 2.'* ]]
	[ "$state" != held ]
	header_of | grep -q '^X-Spam-Status: No, score=0'
	run ! grep 'score=-99' got
	grep -q '^hello$' got
}

@test "spamc: spam is marked, held or refused, as the options say" {
	send "$FILTERS/spamc -h unix:$D/spamd" hi "$spam"
	[[ $reply == '250 2.'* ]]
	header_of | grep -q '^X-Spam-Status: Yes, score=1000'
	mqueue rm "$id"
	send "$FILTERS/spamc -h unix:$D/spamd -R 10 -H 5" hi "$spam"
	[ "$reply" = '554 5.7.1 this looks like spam' ]
	[ -z "$id" ]
	send "$FILTERS/spamc -h unix:$D/spamd -R 10 -r 'no, thanks'" hi "$spam"
	[ "$reply" = '554 5.7.1 no, thanks' ]
	send "$FILTERS/spamc -h unix:$D/spamd -R 10 -H 5" maybe hello
	[[ $reply == '250 2.'* ]]
	[ "$state" = held ]
	[[ "$(mqueue ls)" == *'spam, score 6.0'* ]]
}

@test "spamc: what is too large passes unseen, and forgeries do not" {
	send "$FILTERS/spamc -h unix:$D/spamd -R 10 -z 100" hi "$spam"
	[[ $reply == '250 2.'* ]]
	run ! grep -i '^x-spam' got
	grep -q "^XJS" got
	grep -q 'passed on unseen' log
}

@test "spamc: spamd is down, hangs, talks nonsense, or there is no spamc" {
	later "$FILTERS/spamc -h unix:$D/none"
	later "$FILTERS/spamc -h 127.0.0.1:$down"
	later "$FILTERS/spamc -t 1 -h 127.0.0.1:$hang"
	later "$FILTERS/spamc -t 1 -h unix:$D/hang"
	later "$FILTERS/spamc -t 5 -h 127.0.0.1:$odd"
	later "$FILTERS/spamc -t 5 -h unix:$D/odd"
	later "$FILTERS/spamc -t 5 -h unix:$D/spamd -- --nonsense"
}

@test "rspamc: what is no spam passes, and rspamd knows whence it came" {
	send "$FILTERS/rspamc -h 127.0.0.1:$rspamd" hi hello
	[[ $reply == '250 2.'* ]]
	[ "$state" != held ]
	header_of | grep -qx 'X-Spam-Action: no action'
	header_of | grep -qx 'X-Spam-Score: 0.25 / [0-9.]*'
	header_of | grep -qx 'X-Spam-Symbols: KNOWN'
	run ! grep '^X-Spam:\|-99$\|^Return-Path' got
	grep -q '^hello$' got
	# a field that is no one's of ours stays
	grep -q '^x-virus-scanned: never,$' got
}

@test "rspamc: each action" {
	f="$FILTERS/rspamc -h 127.0.0.1:$rspamd"
	send "$f" hi "$spam"
	[ "$reply" = '554 5.7.1 Gtube pattern' ]
	send "$f -r 'no, thanks'" hi "$spam"
	[ "$reply" = '554 5.7.1 no, thanks' ]
	send "$f" 'wish soft reject: come back' hello
	[[ $reply == '451 4.7.1 come back' ]]
	[ -z "$id" ]
	send "$f" 'wish discard: away' hello
	[[ $reply == '250 2.'* ]]
	[ -z "$id" ]
	for wish in 'add header' 'rewrite subject' greylist; do
		send "$f" "wish $wish: x" hello
		[[ $reply == '250 2.'* ]]
		header_of | grep -qx "X-Spam-Action: $wish"
		[ "$wish" = greylist ] || header_of | grep -qx 'X-Spam: Yes'
		mqueue rm "$id"
	done
	send "$f" 'wish quarantine: look at it' hello
	[[ $reply == '250 2.'* ]]
	[ "$state" = held ]
	[[ "$(mqueue ls)" == *'rspamd: '* ]]
}

@test "rspamc: no address of a message is an argument" {
	mkdir "$D/bin"
	: >"$D/args"
	own "$D/args"
	cat >"$D/bin/rspamc" <<-EOF
		#!/bin/sh
		echo "\$*" >>$D/args
		exec $(command -v rspamc) "\$@"
	EOF
	chmod 0755 "$D/bin" "$D/bin/rspamc"
	PATH=$D/bin:$PATH send "$FILTERS/rspamc -h 127.0.0.1:$rspamd" hi hello
	[[ $reply == '250 2.'* ]]
	header_of | grep -qx 'X-Spam-Symbols: KNOWN'
	[ -s "$D/args" ]
	run ! grep @ "$D/args"
}

@test "rspamc: rspamd is down, hangs, or talks nonsense" {
	later "$FILTERS/rspamc -h 127.0.0.1:$down"
	later "$FILTERS/rspamc -t 1 -h 127.0.0.1:$hang"
	later "$FILTERS/rspamc -t 5 -h 127.0.0.1:$odd"
	later "$FILTERS/rspamc -h 127.0.0.1:$rspamd -- --nonsense"
}

@test "clamdscan: what is clean passes, and says so" {
	send "$FILTERS/clamdscan -- -c $D/clamd.conf" hi hello
	[[ $reply == '250 2.'* ]]
	header_of | grep -qx 'X-Virus-Scanned: clean'
	run ! grep 'never,\|^ ever' got
	grep -q '^hello$' got
}

@test "clamdscan: a virus is refused or held" {
	send "$FILTERS/clamdscan -- -c $D/clamd.conf" hi "$virus"
	[ "$reply" = '554 5.7.1 this carries Eicar-Local.UNOFFICIAL' ]
	[ -z "$id" ]
	send "$FILTERS/clamdscan -r 'no viruses here' -- -c $D/clamd.conf" hi "$virus"
	[ "$reply" = '554 5.7.1 no viruses here' ]
	send "$FILTERS/clamdscan -H -- -c $D/clamd.conf" hi "$virus"
	[[ $reply == '250 2.'* ]]
	[ "$state" = held ]
	[[ "$(mqueue ls)" == *Eicar-Local* ]]
	header_of | grep -qx 'X-Virus-Scanned: Eicar-Local.UNOFFICIAL'
}

@test "clamdscan: clamd is down, hangs, or talks nonsense" {
	later "$FILTERS/clamdscan -- -c $D/clamd-none.conf"
	later "$FILTERS/clamdscan -t 1 -- -c $D/clamd-hang.conf"
	later "$FILTERS/clamdscan -t 5 -- -c $D/clamd-odd.conf"
	later "$FILTERS/clamdscan -- -c $D/nothing.conf"
}

# No process has this word in its command line.
nobody_has() {
	! pgrep -f -- "$1" || false
}

@test "a filter that is killed, or whose client goes, leaves nothing" {
	echo 'filter-time 2' >"$D/conf/limits"
	# patience that is longer than that of mrecv
	later "$FILTERS/clamdscan -t 50 -- -c $D/clamd-hang.conf"
	later "$FILTERS/rspamc -t 50 -h 127.0.0.1:$hang"
	later "$FILTERS/spamc -t 50 -h unix:$D/hang"
	rm "$D/conf/limits"
	wait_for nobody_has clamd-hang.conf
	wait_for nobody_has "127.0.0.1:$hang"
	wait_for nobody_has "$D/hang"
	mkdir "$D/tmp"
	own "$D/tmp"
	{
		printf '%s\r\n' 'EHLO c' 'MAIL FROM:<x@elsewhere.test>' \
			'RCPT TO:<bob@example.test>' DATA 'Subject: half' ''
		head -c 300000 /dev/zero | tr '\0' x | fold -w 70 | sed 's/$/\r/'
	} | mrecv -F "env TMPDIR=$D/tmp $D/filters/clamdscan -- -c $D/clamd.conf" \
		-- mqueue add >said
	[ -z "$(ls "$D/tmp")" ]
	[ -z "$(mqueue ls)" ]
	wait_for nobody_has "$D/tmp"
}

@test "an optional filter whose daemon is down does not stop mail" {
	printf '%s\r\n' 'EHLO c' 'MAIL FROM:<x@elsewhere.test>' \
		'RCPT TO:<bob@example.test>' DATA 'Subject: x' '' hello . QUIT |
		mrecv '-F?' "$FILTERS/clamdscan -- -c $D/clamd-none.conf" \
			-F "$FILTERS/rspamc -h 127.0.0.1:$rspamd" -- mqueue add >said
	grep -q '^250 2.0.0' said
	mqueue cat "$(mqueue ls | cut -f 1)" | grep -q '^X-Spam-Action: no action'
}

@test "wrong usage is one line and 64" {
	for f in spamc rspamc clamdscan; do
		for a in -Z '-t x' '-z -1' '-h x'; do
			[ "$f$a" != 'clamdscan-h x' ] || continue
			# shellcheck disable=SC2086
			run -64 "$D/filters/$f" $a </dev/null
			[ "${#lines[@]}" -eq 1 ]
			[[ $output == "usage: $f "* ]]
			[ "$(mandoc -T utf8 "$ROOT/man/pneu-filters.7" | col -bx |
				sed 's/‐/-/g' | grep -cF "${output#usage: }")" -eq 1 ]
		done
	done
	run -64 "$D/filters/spamc" -R high </dev/null
}
