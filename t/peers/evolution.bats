#!/usr/bin/env bats
#
# Evolution's IMAP client: NOTIFY with what it wants of each new message,
# QRESYNC, UTF8=ACCEPT, MOVE, LIST-STATUS.

load ../lib
load ../host

# camel_does MODE: its words, and the server's, are in the file said.MODE
camel_does() {
	timeout 240 /usr/bin/python3 -W ignore "$ROOT/t/peers/camel.py" "$1" \
		"$PWD/base" >"said.$1" 2>err 3>&- </dev/null || { cat err; false; }
	[ "$(tail -n 1 err)" = "done" ]
	! grep -E '[A-Z][0-9]{5} (NO|BAD) |\* (NO|BAD) ' "said.$1" || false
}

@test "Evolution's imapx: news by NOTIFY, changes by QRESYNC" {
	eds=$ROOT/build/eds/usr
	[ -d "$eds" ] || skip "no provider of Evolution's"
	/usr/bin/python3 -c 'import gi; gi.require_version("Camel", "1.2")' ||
		skip "no libcamel"
	mkdir base schemas
	"$(ls /usr/lib/*/glib-2.0/glib-compile-schemas)" --targetdir=schemas \
		"$eds/share/glib-2.0/schemas"
	export GSETTINGS_SCHEMA_DIR=$PWD/schemas GSETTINGS_BACKEND=memory
	# no network but our own
	export GIO_USE_NETWORK_MONITOR=base GIO_USE_VFS=local
	export EDS_CAMEL_PROVIDER_DIR=$eds/lib/evolution-data-server/camel-providers
	export CAMEL_DEBUG=imapx:io
	camel_does first
	grep -q 'NOTIFY SET (selected (MessageNew (UID .*BODYSTRUCTURE)' said.first
	grep -qE "^(\[.*')?A[0-9]+ OK Notify completed" said.first
	grep -q 'SELECT INBOX (QRESYNC (' said.first
	# with what it has kept
	camel_does again
}
