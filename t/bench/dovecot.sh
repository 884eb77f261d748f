# Sourced by t/bench/store: a Dovecot of its own, on loopback, twice: as it
# is installed, and in its high-performance mode (login processes that serve
# many).  APPEND syncs the file and its folder before OK, which is what
# mail_fsync = optimized does.  Limits that a load could meet are lifted.

free_ports() {
	python3 -c 'import socket, sys
all = [socket.socket() for _ in range(int(sys.argv[1]))]
for s in all:
    s.bind(("127.0.0.1", 0))
print(*(s.getsockname()[1] for s in all))' "$1"
}

# dovecot_at FOLDER IMAP IMAPS POP3 LOGIN-OPTIONS: started; its id in pid
dovecot_at() {
	mkdir -p "$1/run" "$1/state"
	cat >"$1/conf" <<-EOT
		protocols = imap pop3
		listen = 127.0.0.1
		base_dir = $1/run
		state_dir = $1/state
		log_path = $1/log
		ssl_cert = <$PNEU_CONF/tls/default.pem
		ssl_key = <$PNEU_CONF/tls/default.pem
		disable_plaintext_auth = no
		auth_mechanisms = plain scram-sha-256
		mail_location = maildir:~/Maildir
		mail_fsync = optimized
		mail_max_userip_connections = 10000
		first_valid_uid = 1000
		default_vsz_limit = 4G
		passdb {
		  driver = passwd-file
		  args = scheme=PLAIN username_format=%u $1/users
		}
		userdb {
		  driver = passwd-file
		  args = username_format=%u $1/users
		}
		namespace inbox {
		  inbox = yes
		}
		service imap-login {
		  $5
		  inet_listener imap {
		    port = $2
		  }
		  inet_listener imaps {
		    port = $3
		    ssl = yes
		  }
		}
		service pop3-login {
		  inet_listener pop3 {
		    port = $4
		  }
		  inet_listener pop3s {
		    port = 0
		  }
		}
		service imap {
		  process_limit = 10000
		}
	EOT
	for u in bench pop; do
		echo "$u@example.test:{PLAIN}secret:$uid:$uid::$disk/d/$u::"
	done >"$1/users"
	echo "scram@example.test:$scram:$uid:$uid::$disk/d/bench::" >>"$1/users"
	chmod 0644 "$1/users"
	dovecot -c "$1/conf" || fail "Dovecot does not start"
	until [ -s "$1/run/master.pid" ]; do sleep 0.05; done
	dovecots="${dovecots:-} $1"
}

start_dovecot() {
	# shellcheck disable=SC2046 # six words
	set -- $(free_ports 6)
	d_imap=$1 d_imaps=$2 d_pop=$3 high_imaps=$5
	dovecot_at "$t/dovecot" "$1" "$2" "$3" ''
	dovecot_at "$t/dovecot-high" "$4" "$5" "$6" \
		"service_count = 0
		 process_min_avail = $(nproc)"
}

stop_dovecot() {
	for d in ${dovecots:-}; do
		[ ! -s "$d/run/master.pid" ] || kill "$(cat "$d/run/master.pid")" || :
	done
}
