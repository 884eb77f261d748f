#!/usr/bin/env bats
#
# Who runs what, as root: the table of accounts, before and after login.

load lib

setup_file() {
	[ "$(id -u)" -eq 0 ] || return 0
	host_up
	export PNEU_DIR
}

teardown_file() {
	[ "$(id -u)" -ne 0 ] || host_down
}

setup() {
	cd "$BATS_TEST_TMPDIR"
	[ "$(id -u)" -eq 0 ] || skip "accounts are for root"
	. "$PNEU_DIR/env"
}

# who WANT PORT LINE...: connect with TLS, say the lines; the processes of
# the session are "PROGRAM ACCOUNT", sorted: they must come to be WANT
who() {
	python3 - "$PNEU_DIR" "$@" <<-'EOF'
		import os, socket, ssl, sys, time
		conf = sys.argv[1]
		names = {"0": "root"}
		for line in open(conf + "/conf/uids"):
		    name, uid, gid = line.split()
		    names[uid] = name
		def procs():
		    found = set()
		    for pid in filter(str.isdigit, os.listdir("/proc")):
		        try:
		            cmd = open("/proc/%s/cmdline" % pid).read().split("\0")
		            st = open("/proc/%s/status" % pid).read()
		            env = open("/proc/%s/environ" % pid, "rb").read()
		        except OSError:
		            continue
		        if b"PNEU_CONF=%s/conf\0" % conf.encode() not in env:
		            continue  # another host's
		        prog = os.path.basename(cmd[0])
		        if prog in ("mtls", "mauth", "mrecv", "mpop", "mimapd"):
		            uid = st.split("\nUid:")[1].split()[1]
		            found.add((int(pid), prog, names.get(uid, uid)))
		    return found
		def settled(want=None):  # no one on its way to be something else
		    end = time.monotonic() + 60
		    now, then = procs(), None
		    while now != then or want and table(now) != want:
		        if time.monotonic() > end:
		            break
		        time.sleep(0.3)
		        now, then = procs(), now
		    return now
		def table(now):
		    return "\n".join("%s %s" % p[1:] for p in
		        sorted(now - before, key=lambda p: (p[1], p[2])))
		before = settled()
		s = socket.create_connection(("127.0.0.1", int(sys.argv[3])), 60)
		ctx = ssl.create_default_context(cafile=os.environ["PNEU_CA"])
		t = ctx.wrap_socket(s, server_hostname="localhost")
		f = t.makefile("rwb")
		f.readline()
		for line in sys.argv[4:]:
		    f.write(line.encode() + b"\r\n"); f.flush()
		    answer = f.readline()
		    while line.startswith("EHLO") and answer[3:4] == b"-":
		        answer = f.readline()
		now = table(settled(sys.argv[2]))
		print(now)
		t.close()
		sys.exit(now != sys.argv[2])
	EOF
}

@test "IMAP: before login keys and password are root's, words are nobody's" {
	run -0 who "mauth pneu-login
mauth root
mtls pneu-tls" \
		"$IMAPS_PORT"
}

@test "IMAP: after login the server is the user" {
	run -0 who "mimapd bob
mtls pneu-tls" \
		"$IMAPS_PORT" 'a LOGIN bob@example.test secret-bob'
}

@test "POP3: after login the server is the user" {
	run -0 who "mpop carol
mtls pneu-tls" \
		"$POP3S_PORT" 'USER carol@example.test' 'PASS secret-carol'
}

@test "submission: after login the server is pneu" {
	ir=$(printf '\0alice@example.test\0secret-alice' | base64 -w0)
	run -0 who "mrecv pneu
mtls pneu-tls" \
		"$SUBMISSIONS_PORT" 'EHLO x' "AUTH PLAIN $ir"
}

@test "a message that alice submitted lies in a queue of pneu" {
	pneu=$(awk '$1 == "pneu" { print $2 }' "$PNEU_CONF/uids")
	[ "$(stat -c '%u %a' "$PNEU_DIR/queue")" = "$pneu 700" ]
	printf 'x@nowhere.test\n' >/dev/null
	echo '* nosuchprogram' >"$PNEU_CONF/routes"
	printf 'Subject: s\n\nx\n' >m
	"$ROOT/t/tools/submit.py" "$SUBMISSION_PORT" "$PNEU_CA" \
		alice@example.test secret-alice alice@example.test x@example.org m
	id=$(mqueue ls | cut -f 1)
	[ "$(stat -c %u "$PNEU_DIR/queue/$id")" = "$pneu" ]
	mqueue rm "$id"
}

@test "the listener and the spawner are root, and the runner is pneu" {
	run -0 ps -o uid=,args= -p "$(paste -sd, "$PNEU_DIR/pid")"
	[ "$(grep -c ' *0 .*mtls' <<<"$output")" -ge 8 ]
	pneu=$(awk '$1 == "pneu" { print $2 }' "$PNEU_CONF/uids")
	wait_for eval 'ps -eo uid=,args= | grep -q "^ *$pneu .*mqueue run"'
}

@test "mail is the user's alone" {
	for u in alice bob carol; do
		uid=$(awk -v n=$u '$1 == n { print $2 }' "$PNEU_CONF/uids")
		[ "$(stat -c '%u %a' "$PNEU_DIR/mail/$u")" = "$uid 700" ]
	done
	[ "$(stat -c '%u %a' "$PNEU_CONF/secrets")" = "0 600" ]
	[ "$(stat -c '%u %a' "$PNEU_CONF/tls/default.pem")" = "0 600" ]
}
