#!/usr/bin/env bats
#
# Installed, and among other packages' programs of the same names.

load lib

setup() {
	cd "$BATS_TEST_TMPDIR"
	prefix=$PWD/usr
}

teardown() {
	host_down
}

install_it() {
	# programs that others run now are not made anew
	make -s -o all -C "$ROOT" install PREFIX="$prefix" B="$BUILD" >/dev/null
}

@test "make install puts programs in libexec and links in bin and sbin" {
	install_it
	for p in mimapd mqueue msend pneu; do
		[ "$(readlink "$prefix/bin/$p")" = "$prefix/libexec/pneu/$p" ]
	done
	for p in mtls mauth mrecv mdeliver mpop; do
		[ "$(readlink "$prefix/sbin/$p")" = "$prefix/libexec/pneu/$p" ]
	done
	[ -f "$prefix/share/man/man8/mtls.8" ]
	[ -f "$prefix/share/man/man7/pneu.7" ]
	(cd "$ROOT/share" && find pneu -type f -printf '%P\n') | sort >want
	(cd "$prefix/share/pneu" && find . -type f -printf '%P\n') | sort | diff want -
	[ -s want ]
	run -0 "$prefix/bin/pneu" mpop -V
	make -s -C "$ROOT" uninstall PREFIX="$prefix"
	[ -z "$(find "$prefix" ! -type d)" ]
	[ ! -e "$prefix/share/pneu" ]
}

@test "an installed filter finds the others' program of its name" {
	install_it
	f=$prefix/share/pneu/filters
	mkdir real
	printf '#!/bin/sh\ncat >/dev/null; echo stdin: OK\n' >real/clamdscan
	chmod +x real/clamdscan
	PATH=$f:$PWD/real:$PATH run -0 clamdscan < <(printf 'Subject: x\n\nx\n')
	[ "${lines[0]}" = 'X-Virus-Scanned: clean' ]
}

@test "a stranger's program of the same name is not uninstalled" {
	mkdir -p usr/sbin
	echo other >usr/sbin/other
	install_it
	ln -sf other usr/sbin/mpop
	make -s -C "$ROOT" uninstall PREFIX="$prefix"
	[ "$(readlink usr/sbin/mpop)" = other ]
}

@test "with nothing in the environment, mimapd -p serves" {
	install_it
	run -0 env -i PATH="$prefix/bin:/usr/bin:/bin" \
		HOME="$PWD" sh -c \
		"printf 'a LIST \"\" *\r\nb LOGOUT\r\n' | mimapd -p"
	[[ $output == "* PREAUTH "* ]]
	[[ $output == *"INBOX"* ]]
	[[ $output == *"a OK "* ]]
}

@test "and without even a HOME, it serves the home of passwd" {
	install_it
	box=$(getent passwd "$(id -u)" | cut -d: -f6)/Maildir
	[ -w "${box%/*}" ] || skip "this account has no home"
	exec 9<"${box%/*}" # not while another run of this has it
	flock 9
	[ ! -e "$box" ] && mkdir "$box" || box=
	run env -i PATH="$prefix/bin:/usr/bin:/bin" PNEU_CONF="$PWD/none" \
		sh -c "printf 'b LOGOUT\r\n' | mimapd -p"
	rm -rf "$box"
	exec 9<&-
	[ "$status" -eq 0 ]
	[[ $output == "* PREAUTH "*"b OK "* ]]
}

@test "the road holds with another mdeliver and mpop first in PATH" {
	mkdir other
	for p in mdeliver mpop mrecv mimapd msend mqueue; do
		printf '#!/bin/sh\necho "$0 $*" >>%s/called\nexit 0\n' "$PWD" >other/$p
		chmod +x other/$p
	done
	for p in mdeliver mpop; do # of mblaze and of Martin Lambers
		[ ! -x /usr/bin/$p ] || ln -sf /usr/bin/$p other/$p
	done
	PATH=$PWD/other:$PATH host_up
	run -0 "$ROOT/t/tools/submit.py" "$SUBMISSION_PORT" "$PNEU_CA" \
		alice@example.test secret-alice alice@example.test \
		bob@example.test <(printf 'Subject: x\n\nx\n')
	wait_for has_mail bob 1
	run -0 curl -sS --cacert "$PNEU_CA" -u bob@example.test:secret-bob \
		"pop3s://localhost:$POP3S_PORT/1"
	[[ $output == *"Subject: x"* ]]
	[ ! -e called ]
}

@test "a command is looked for in bin of paths, before PATH" {
	host_dir
	cd_open
	mkdir conf mine theirs
	printf 'bin %s\n' "$PWD/mine" >conf/paths
	for d in mine theirs; do
		printf '#!/bin/sh\ncat >/dev/null\necho %s >>%s/called\n' $d "$PWD" >$d/tool
		chmod +x $d/tool
	done
	echo 'example.test' >conf/domains
	printf 'x@example.test: |tool\n' >conf/aliases
	printf 'u@example.test:%s:%s:%s:\n' "$(id -u)" "$(id -g)" "$PWD" >conf/users
	echo 'pneu 62001 62001' >conf/uids
	touch called
	chmod -R a+rwX called
	PATH=$PWD/theirs:$PATH PNEU_CONF=$PWD/conf run -0 mdeliver -f '' -- \
		x@example.test < <(printf 'Subject: x\n\nx\n')
	[ "$(cat called)" = mine ]
}
