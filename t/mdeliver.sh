# For the tests of mdeliver: two users with Maildirs, a queue, and a message.
# Sourced behind lib.

setup() {
	D=$(mktemp -d /tmp/pneu-t.XXXXXX)
	chmod 0711 "$D"
	mkdir -p "$D/conf" "$D/queue/tmp" "$D/box/tmp" "$D/box/new" "$D/box/cur"
	chmod 0755 "$D/conf"
	A=$(id -u):$(id -g) B=$(id -u):$(id -g)
	if [ "$(id -u)" -eq 0 ]; then
		A=62101:62101 B=62102:62102
		echo 'pneu 62001 62001' >"$D/conf/uids"
		chown 62001:62001 "$D/queue" "$D/queue/tmp"
		chmod 0700 "$D/queue"
	fi
	for u in alice:$A bob:$B; do
		mkdir -m 0700 "$D/${u%%:*}"
		chown "${u#*:}" "$D/${u%%:*}"
	done
	echo mail.example.test >"$D/conf/me"
	echo "queue $D/queue" >"$D/conf/paths"
	echo example.test >"$D/conf/domains"
	users "alice@example.test:$A:$D/alice:" \
		"bob@example.test:$B:$D/bob:"
	export PNEU_CONF=$D/conf D
	cd "$D"
	message >m
}

teardown() {
	umount "$D/full" 2>/dev/null || :
	rm -rf "$D"
}

# conf NAME LINE...: a file of the configuration that is not new any more
conf() {
	printf '%s\n' "${@:2}" >"$D/conf/$1"
	touch -d '1 minute ago' "$D/conf/$1" "$D/conf/domains"
}

users() {
	conf users "$@"
}

message() {
	printf 'From: a@example.org\nSubject: %s\n\nbody\n' "${1:-hello}"
}

# What mdeliver files in front of a message for RCPT from SENDER.
front() {
	printf 'Return-Path: <%s>\nDelivered-To: %s\n' "$2" "$1"
}

# deliver RCPT...: the message m from x@example.org
deliver() {
	mdeliver -f x@example.org -- "$@" <"$D/m"
}

# The messages of a user's Maildir; how many.
of() {
	find "$D/$1" -path '*/new/*' -type f
}

count() {
	of "$1" | grep -c . || :
}

nothing_left() {
	[ -z "$(find "$D/alice" "$D/bob" "$D/box" -type f ! -name "pneu.*")" ]
}

result_is() {
	[ "$(grep -v '^mdeliver' <<<"$output")" = "$1" ] || {
		echo "got: $output" >&2
		return 1
	}
}
