# What the tests of mauth share: a configuration, servers that say what they
# found, and clients.

# A folder that every account can reach, with a program for each service
# that says what it found.
setup() {
	d=$(mktemp -d /tmp/pneu-t.XXXXXX)
	chmod 0711 "$d"
	mkdir "$d/conf" "$d/bin" "$d/home" "$d/out"
	chmod 0755 "$d/conf" "$d/bin" "$d/home"
	chmod 0777 "$d/out"
	cd "$d"
	install "$BUILD/mauth" bin/
	for p in mrecv mpop mimapd; do
		server >"bin/$p"
		chmod 0755 "bin/$p"
	done
	export PNEU_CONF=$d/conf
	echo mail.example.test >conf/me
	echo example.test >conf/domains
	echo auth-delay 0 >conf/limits
	ids=$(id -u):$(id -g)
	if [ "$(id -u)" -eq 0 ]; then
		printf '%s\n' 'pneu 62001 62001' 'pneu-login 62003 62003' >conf/uids
		ids=62011:62011
	fi
	users="alice@example.test:$ids:$d/home:"
	secrets='alice@example.test:first:all:{PLAIN}secret-alice:'
	conf users "$users"
	conf secrets "$secrets"
	touch -d '1 minute ago' conf/*
}

teardown() {
	cd /
	rm -rf "$d"
}

# conf FILE LINE...: written a while ago
conf() {
	file=conf/$1
	shift
	printf '%s\n' "$@" >"$file"
	touch -d '1 minute ago' "$file"
}

server() {
	cat <<-END
		#!/bin/sh
		{
			echo "uid \$(id -u) gid \$(id -g) groups \$(id -G)"
			echo "cwd \$(pwd)"
			echo "argv \$*"
		} >$d/out/facts
		env | sort >$d/out/env
		eval "cat <&\$PNEU_SESSION" >$d/out/session
		printf 'hello from %s\r\n' "\${0##*/}"
		cat >$d/out/rest
	END
}

# talk [OPTION ...] -- COMMAND...: the conversation is standard input
talk() {
	opts=
	while [ "$1" != -- ]; do
		opts="$opts $1"
		shift
	done
	shift
	"$ROOT/t/tools/talk.py" $opts - "$@" 2>log || {
		cat log >&2
		return 1
	}
}

# sasl [OPTION ...] MECHANISM USER SECRET [PROGRAM]: tools/sasl.py
sasl() {
	"$ROOT/t/tools/sasl.py" "$@" >said 2>log || {
		cat said log >&2
		return 1
	}
	cat said
}

# Secrets of one salt and 4096 rounds: the passwords are pencil, brush, ink.
salted='{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ=='
pencil=$salted,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=
brush=$salted,JlLaFRpiGMlxbsASahrEn1kWymwASUMiu0lwHBqZSwE=,Nj1EEO3wKWtEgOH+C8IDd7eWclRtoF0wSJK2TIZZygM=
ink=$salted,4WcPqg9erpg9ZCUHagR/wBDFiSkQDUVzY6kYmEthczI=,tQL/RsVwyzDNENnLZxbNU6hT42LLN48hxwB15O8Kwaw=

plain() { # USER PASSWORD
	printf '\0%s\0%s' "$1" "$2" | base64 -w0
}

root_only() {
	[ "$(id -u)" -eq 0 ] || skip "accounts are for root"
}
