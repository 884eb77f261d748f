# What the filters of this folder share: sourced, with $name set.
#
# The message is spooled in a file that has no name any more once the first
# byte is in it, so nothing is left behind whatever kills the filter.  It is
# open for reading several times over: descriptors 4 to 7.
set -u
export LC_ALL=C
spool_max=4194304 # blocks of 512 bytes

# Something is wrong here: nobody is to blame, so the message comes later.
later() {
	echo "$name: $*" >&2
	exit 75
}

usage() {
	echo "usage: $name $usage" >&2
	exit 64
}

# is_number TEXT: whole and not negative
is_number() {
	case $1 in
	'' | *[!0-9]*) return 1 ;;
	esac
	[ ${#1} -le 15 ]
}

# is_score TEXT: like -1 or 5.25
is_score() {
	echo "$1" | grep -qxE -e '-?[0-9]{1,9}(\.[0-9]{1,9})?'
}

# at_least SCORE LIMIT
at_least() {
	awk -v a="$1" -v b="$2" 'BEGIN { exit !(a + 0 >= b + 0) }'
}

# The text of a reply: one line of printable ASCII.
printable() {
	tr -cd '\040-\176' | cut -c 1-300
}

# host_port ADDR: sets host and port
host_port() {
	port=${1##*:}
	host=${1%:*}
	host=${host#[[]}
	host=${host%]}
	[ -n "$host" ] || host=localhost
	case $1 in
	*:*) is_number "$port" || usage ;;
	*) usage ;;
	esac
}

# The client is the program of our name that is not ourselves.
find_client() {
	client=
	rest=$PATH:
	while [ -n "$rest" ] && [ -z "$client" ]; do
		dir=${rest%%:*}
		rest=${rest#*:}
		[ -x "${dir:-.}/$name" ] && ! cmp -s "${dir:-.}/$name" "$0" &&
			client=${dir:-.}/$name
	done
	[ -n "$client" ] || later "there is no $name in PATH"
	foreground=
	# in our process group, which is what gets killed in the end
	! timeout --foreground 1 true 2>/dev/null || foreground=--foreground
}

# within COMMAND...: it has $seconds; 124 and more when it took longer
within() {
	# shellcheck disable=SC2086 # empty, or an option
	timeout $foreground -k 1 "$seconds" "$@"
}

# An empty spool: 8 writes it.
open_spool() {
	file=$(mktemp "${TMPDIR:-/tmp}/pneu-filter.XXXXXX") ||
		later "can't make a temporary file"
	exec 8>"$file" 4<"$file" 5<"$file" 6<"$file" 7<"$file" 9<"$file"
	rm -f "$file"
}

# Standard input into the spool; sets size.
spool() {
	open_spool
	(ulimit -f $spool_max && exec cat) >&8 ||
		later "can't keep the message in ${TMPDIR:-/tmp}"
	exec 8>&-
	size=$(wc -c <&9 | tr -d ' ')
}

# pass_on PATTERN: the message without the fields whose name matches, which
# are ours to set.  What stands on standard input goes in front.
pass_on() {
	lines=$(sed '/^$/q' <&5 | wc -l)
	cat &&
		sed '/^$/q' <&6 | sed -e ':a' -e "/^$1/{" -e ':b' -e '$d' -e N \
			-e 's/^.*\n//' -e '/^[ 	]/bb' -e ba -e '}' &&
		tail -n "+$((lines + 1))" <&7 ||
		later "can't write the message"
}
