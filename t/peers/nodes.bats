#!/usr/bin/env bats
#
# One Maildir on two nodes, whose network file system, GlusterFS, remembers
# sizes, times and names for half a minute: what one has written under the
# lock is what the other goes on from.

load ../lib

setup() {
	[ "$(id -u)" -eq 0 ] || skip "only root can mount"
	[ -e /dev/fuse ] || skip "no file systems of users here"
	for p in glusterfs glusterfsd; do
		command -v $p >/dev/null || skip "$p is not installed"
	done
	at_home
	D=$(mktemp -d /tmp/pneu-t.XXXXXX)
	started=
	serve
	node one
	node two
	mkdir -p "$D/one/box/tmp" "$D/one/box/new" "$D/one/box/cur"
}

teardown() {
	[ -n "$D" ] || return 0
	[ -z "$started" ] || kill $started || :
	umount -l "$D/one" "$D/two" 2>/dev/null || :
	rm -rf "$D"
}

# volume NAME TYPE [OPTION VALUE]... [-- BELOW]: one of a stack
volume() {
	printf 'volume %s\n\ttype %s\n' "$1" "$2"
	shift 2
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		printf '\toption %s %s\n' "$1" "$2"
		shift 2
	done
	[ $# -eq 0 ] || printf '\tsubvolumes %s\n' "$2"
	echo end-volume
}

serve() {
	mkdir "$D/files"
	port=$(free_port)
	{
		volume disk storage/posix directory "$D/files"
		volume locks features/locks -- disk
		volume server protocol/server transport-type tcp \
			transport.socket.bind-address 127.0.0.1 \
			transport.socket.listen-port "$port" \
			auth.addr.locks.allow 127.0.0.1 -- locks
	} >"$D/server.vol"
	glusterfsd -N -f "$D/server.vol" -l "$D/server.log" 3>&- &
	started=$!
	wait_for bash -c "</dev/tcp/127.0.0.1/$port"
}

# node NAME: mounted there
node() {
	volume remote protocol/client transport-type tcp \
		remote-host 127.0.0.1 remote-port "$port" \
		remote-subvolume locks >"$D/$1.vol"
	mkdir "$D/$1"
	glusterfs -N -f "$D/$1.vol" -l "$D/$1.log" --attribute-timeout=30 \
		--entry-timeout=30 "$D/$1" 3>&- 2>err &
	started="$started $!"
	wait_for mountpoint -q "$D/$1" || skip "file systems can't be mounted"
}

sessions() {
	PYTHONPATH=$ROOT/t/imap:$PYTHONPATH python3 - "$D/one/box" "$D/two/box" 3>&-
}

@test "each node goes on from what the other has written" {
	sessions <<-'PY'
		import subprocess, sys
		from client import Session
		one, two = map(Session, sys.argv[1:])
		for s in one, two:
		    s("SELECT INBOX")
		for uid in range(1, 7):
		    s = (two, one)[uid % 2]
		    s.append()
		    assert f" {uid}] " in s.tagged, s.tagged
		subprocess.run(["mdeliver", sys.argv[1]], check=True,
		    input=b"Subject: own\n\nbody\n")
		assert "* 7 EXISTS" in two("NOOP")
		one("STORE 2 +FLAGS (\\Seen work)")
		assert "* 2 FETCH (FLAGS (\\Recent \\Seen work))" in two("NOOP") or \
		    "work" in two("FETCH 2 FLAGS")[0]
		two("STORE 3 +FLAGS \\Deleted")
		two("EXPUNGE")
		assert "* 3 EXPUNGE" in one("NOOP")
	PY
}

@test "each node finds the index that the other has put in place of its own" {
	sessions <<-'PY'
		import glob, sys
		from client import Session
		one, two = map(Session, sys.argv[1:])
		for s in one, two:
		    s("SELECT INBOX")
		def generation():
		    return glob.glob(sys.argv[1] + "/pneu.journal.*")
		one.append(100)
		for turn in range(1, 4):
		    was = generation()
		    two("NOOP")
		    while generation() == was:
		        two("STORE 1:* +FLAGS (a b)")
		        two("STORE 1:* -FLAGS (a b)")
		    one.append()
		    assert f" {100 + turn}] " in one.tagged, one.tagged
		    one, two = two, one
	PY
}

@test "sessions on both and other programs: all views are one" {
	run -0 python3 "$ROOT/t/tools/imapstorm.py" "$D/one/box,$D/two/box" \
		6 "${STORM:-5}" 3>&-
	echo "$output"
	[[ $output == "6 sessions, "*", 0 faults" ]]
}
