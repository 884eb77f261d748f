# Parts of scripts/up: the configuration of a host in a folder, its keys,
# and its processes.  Sourced, with $dir, $bin, $root and fail set.

domain=example.test

# put FILE MODE: standard input becomes conf/FILE unless there is one
put() {
	if [ -e "$dir/conf/$1" ]; then
		cat >/dev/null
	else
		(umask 077 && cat >"$dir/conf/$1.new")
		chmod "$2" "$dir/conf/$1.new"
		mv "$dir/conf/$1.new" "$dir/conf/$1"
	fi
}

# own NAME PATH: give it to an account, when there are accounts
own() {
	! $root || chown "$(awk -v n="$1" '$1 == n { print $2 ":" $3 }' \
		"$dir/conf/uids")" "$2"
}

make_conf() {
	mkdir -p "$dir/conf" "$dir/log" "$dir/mail" "$dir/home"
	chmod 0755 "$dir/conf" "$dir/log" "$dir/home"
	chmod 0711 "$dir/mail"
	if $root; then
		put uids 0644 <<-EOF
			pneu 62001 62001
			pneu-tls 62002 62002
			pneu-login 62003 62003
			pneu-sign 62004 62004
			pneu-relay 62005 62005
			pneu-lists 62006 62006
			alice 62011 62011
			bob 62012 62012
			carol 62013 62013
		EOF
	fi
	echo mail.$domain | put me 0644
	put paths 0644 <<-EOF
		queue $dir/queue
		state $dir/state
		run $dir/sock
	EOF
	# mutt with libgsasl takes the strongest and then can't do it
	printf '%s\n' '# see mauth(8)' 'SCRAM-SHA-256-PLUS *' | put masks 0644
	echo $domain | put domains 0644
	make_users
	printf 'postmaster: alice@%s\nabuse: alice@%s\n' $domain $domain |
		put aliases 0644
	if $root; then
		echo "$domain user=root mdeliver"
	else
		echo "$domain mdeliver"
	fi | { cat && echo '* msend'; } | put routes 0644
	mkdir -p "$dir/queue" "$dir/state" "$dir/sock"
	chmod 0700 "$dir/queue" "$dir/state"
	chmod 0755 "$dir/sock"
	own pneu "$dir/queue"
	own pneu "$dir/state"
}

make_users() {
	users= names=
	for name in alice bob carol; do
		ids=$(id -u):$(id -g)
		! $root || ids=$(awk -v n=$name '$1 == n { print $2 ":" $3 }' \
			"$dir/conf/uids")
		[ -n "$ids" ] || continue
		mkdir -p "$dir/home/$name" "$dir/mail/$name"
		chmod 0700 "$dir/home/$name" "$dir/mail/$name"
		! $root || chown "$ids" "$dir/home/$name" "$dir/mail/$name"
		names="$names $name"
		users="$users$name@$domain:$ids:$dir/home/$name:maildir=$dir/mail/$name
"
	done
	printf %s "$users" | put users 0644
	[ ! -e "$dir/conf/secrets" ] || return 0
	for name in $names; do
		echo "secret-$name" | "$bin/mpasswd" -c "$dir/conf" \
			add "$name@$domain" label=first
	done
}

# A CA of this host's own, and a certificate for localhost and the domain.
make_keys() {
	[ ! -e "$dir/conf/tls/default.pem" ] || return 0
	mkdir -p "$dir/conf/tls" "$dir/ca"
	chmod 0700 "$dir/conf/tls" "$dir/ca"
	(
		umask 077
		cd "$dir/ca"
		key='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
		cat >ext <<-EOF
			subjectAltName = DNS:localhost,DNS:mail.$domain,IP:127.0.0.1
			basicConstraints = CA:FALSE
			extendedKeyUsage = serverAuth
		EOF
		openssl req -x509 $key -keyout ca.key -out ca.pem -days 3650 \
			-subj "/CN=pneu test CA $$" \
			-addext 'basicConstraints = critical,CA:TRUE' \
			-addext 'keyUsage = critical,keyCertSign,cRLSign' &&
			openssl req $key -keyout host.key -out host.csr \
				-subj /CN=mail.$domain &&
			openssl x509 -req -in host.csr -CA ca.pem -CAkey ca.key \
				-CAcreateserial -days 825 -extfile ext -out host.pem
	) >"$dir/log/keys" 2>&1 || fail "can't make keys: see $dir/log/keys"
	(umask 077 &&
		cat "$dir/ca/host.key" "$dir/ca/host.pem" >"$dir/conf/tls/default.pem")
	cp "$dir/ca/ca.pem" "$dir/ca.pem"
	chmod 0644 "$dir/ca.pem"
}

# service NAME COMMAND...: start it in a session of its own.  Its number is
# in DIR/pid before that of the next one: the lines stand in this order.
service() {
	name=$1
	shift
	services=$((services + 1))
	setsid -f sh -c 'echo $$ >>"$1"; shift; exec "$@"' sh "$dir/pid" "$@" \
		</dev/null >>"$dir/log/$name" 2>&1
	until [ "$(wc -l <"$dir/pid")" -ge $services ]; do
		sleep 0.01
	done
}

# The port NAME had the last time, so that a restart changes nothing.
old_port() {
	p=$(sed -n "s/^export $1_PORT=//p" "$dir/env" 2>/dev/null || :)
	echo "${p:-0}"
}

# listen NAME OPTION... -- PROGRAM...: a service behind mtls
listen() {
	port=$1
	log=$(echo "$1" | tr 'A-Z' 'a-z')
	shift
	at=$(old_port "$port")
	if [ "$at" -ne 0 ] && busy "$at"; then
		at=0
	fi
	opts=
	while [ "$1" != -- ]; do
		opts="$opts $1"
		shift
	done
	shift
	: >>"$dir/log/$log"
	printf '%s %s\n' "$port" "$(wc -l <"$dir/log/$log")" >>"$dir/ports.new"
	# shellcheck disable=SC2086 # options are words
	service "$log" "$bin/mtls" -l "127.0.0.1:$at" $opts "$@"
}

busy() {
	awk -v p="$(printf ':%04X' "$1")" \
		'index($2, p) && $4 == "0A" { found = 1 } END { exit !found }' \
		/proc/net/tcp 2>/dev/null
}

# The ports from the "listen" lines of the logs, once all are there.
learn_ports() {
	: >"$dir/env.new"
	while read -r name skip; do
		log=$dir/log/$(echo "$name" | tr 'A-Z' 'a-z')
		p=$(tail -n "+$((skip + 1))" "$log" 2>/dev/null |
			sed -n 's/.* listen .*port=\([0-9]*\).*/\1/p' | tail -n 1)
		[ -n "$p" ] || { late=$log; return 1; }
		echo "export ${name}_PORT=$p" >>"$dir/env.new"
	done <"$dir/ports.new"
	[ -S "$dir/sock/submit" ] || { late=$dir/log/submit; return 1; }
}

start() {
	: >"$dir/pid"
	services=0
	: >"$dir/ports.new"
	rm -f "$dir/sock/submit"
	pneu= monitor=
	if $root; then
		pneu='-u pneu' monitor='-u root'
	fi
	# shellcheck disable=SC2086 # accounts are words
	{
		service queue "$bin/mqueue" run
		listen SMTP -s $pneu -- mrecv -- mqueue add
		listen SUBMISSION -s $monitor -- mauth $pneu mrecv -S -- mqueue add
		listen SUBMISSIONS -i $monitor -- mauth $pneu mrecv -S -- mqueue add
		listen LMTP $pneu -- mrecv -L -- mqueue add
		listen POP3 -s $monitor -- mauth mpop
		listen POP3S -i $monitor -- mauth mpop
		listen IMAP -s $monitor -- mauth mimapd
		listen IMAPS -i $monitor -- mauth mimapd
		service submit "$bin/mtls" -l "unix:$dir/sock/submit" $pneu \
			mrecv -p -- mqueue add
	}
	tries=0
	until learn_ports; do
		tries=$((tries + 1))
		[ $tries -lt 400 ] || fail "does not serve after 20 s: see $late"
		sleep 0.05
	done
	{
		cat <<-EOF
			export PNEU_DIR='$dir'
			export PNEU_CONF='$dir/conf'
			export PNEU_HOST=127.0.0.1
			export PNEU_CA='$dir/ca.pem'
			export PNEU_DOMAIN=$domain
		EOF
		cat "$dir/env.new"
	} >"$dir/env.full"
	mv "$dir/env.full" "$dir/env"
	rm -f "$dir/env.new" "$dir/ports.new"
}
