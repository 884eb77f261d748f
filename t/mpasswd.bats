#!/usr/bin/env bats
#
# mpasswd(8): users and their secrets, changed whole and under a lock.

load lib

A=alice@example.test

setup() {
	d=$(mktemp -d /tmp/pneu-t.XXXXXX)
	cd "$d"
	mkdir conf
	export PNEU_CONF=$d/conf
	echo "$A:62011:62011:/home/alice:" >conf/users
	touch -d '1 minute ago' conf/users
}

teardown() {
	cd /
	rm -rf "$d"
}

# The secret of a line, proved by another hand.
is_password() { # LINE PASSWORD
	python3 - "$1" "$2" <<-'EOF'
		import base64, hashlib, hmac, sys
		scheme, rest = sys.argv[1].split(":")[3][1:].split("}")
		assert scheme == "SCRAM-SHA-256"
		n, *keys = rest.split(",")
		salt, stored, server = map(base64.b64decode, keys)
		s = hashlib.pbkdf2_hmac("sha256", sys.argv[2].encode(), salt, int(n))
		mac = lambda t: hmac.new(s, t, "sha256").digest()
		assert len(salt) == 16 and int(n) == 10000
		ok = (hashlib.sha256(mac(b"Client Key")).digest() == stored
		      and mac(b"Server Key") == server)
		sys.exit(not ok)
	EOF
}

salt_of() {
	sed 's/.*}[0-9]*,\([^,]*\),.*/\1/' <<<"$1"
}

line() { # LABEL
	grep "^$A:$1:" conf/secrets
}

@test "add: hashed, of mode 0600, with a mark of the format" {
	run -0 mpasswd add $A <<<'pass word'
	[ "$output" = "" ]
	[ "$(head -n 1 conf/secrets)" = '# pneu-secrets 1' ]
	[ "$(stat -c %a conf/secrets)" = 600 ]
	is_password "$(line '')" 'pass word'
	[[ $(line '') == "$A::all:"*: ]]
	[ "$(ls -A conf | xargs)" = '.lock secrets users' ]
	# a case of its own does not make another user
	run -65 mpasswd add ALICE@EXAMPLE.TEST <<<x
	[ "$output" = "mpasswd: $A: has a secret of the label \"\"" ]
	run -67 mpasswd add alcie@example.test <<<x
	[ "$output" = "mpasswd: alcie@example.test: not in $d/conf/users" ]
}

@test "all secrets of a user share salt and rounds" {
	mpasswd add $A <<<one
	mpasswd add $A label=phone scopes=imap,send expires=2030-01-02 <<<two
	mpasswd add $A label=pad expires=+10 <<<three
	is_password "$(line phone)" two
	is_password "$(line pad)" three
	[ "$(salt_of "$(line phone)")" = "$(salt_of "$(line '')")" ]
	[ "$(salt_of "$(line pad)")" = "$(salt_of "$(line '')")" ]
	[[ $(line phone) == *:imap,send:*:2030-01-02T00:00:00Z ]]
	mpasswd set $A label=phone <<<four
	is_password "$(line phone)" four
	[ "$(salt_of "$(line phone)")" = "$(salt_of "$(line '')")" ]
	[[ $(line phone) == *:imap,send:*:2030-01-02T00:00:00Z ]]
	echo 'bob@example.test:1:1:/home/bob:' >>conf/users
	mpasswd add bob@example.test <<<one
	[ "$(salt_of "$(grep ^bob conf/secrets)")" != "$(salt_of "$(line '')")" ]
}

@test "set: what is said is changed, the rest of the file stays as it is" {
	printf '%s\n' '# of Alice' "$A:a:all:{PLAIN}old:" '' \
		'rubbish' "$A:b:all:{PLAIN}other:2030-01-01T00:00:00Z" >conf/secrets
	chmod 0600 conf/secrets
	cp conf/secrets before
	run -64 mpasswd set $A <<<x
	[ "$output" = "mpasswd: $A: has 2 secrets, say label=" ]
	run -66 mpasswd set $A label=c <<<x
	[ "$output" = "mpasswd: $A: has no such secret" ]
	run -65 mpasswd set $A label=a rename=b
	cmp conf/secrets before
	mpasswd set $A label=b scopes=pop rename='at work' expires=never
	diff before conf/secrets >d || :
	[ "$(cat d)" = "5c5
< $A:b:all:{PLAIN}other:2030-01-01T00:00:00Z
---
> $A:at work:pop:{PLAIN}other:" ]
	mpasswd set $A label=a <<<new
	is_password "$(line a)" new
	[ "$(sed -n '1p;3,4p' conf/secrets)" = "$(sed -n '1p;3,4p' before)" ]
}

@test "generate: printed once, and good" {
	run -0 mpasswd add $A label=app scopes=imap generate
	[[ $output =~ ^[a-z2-9]{4}(-[a-z2-9]{4}){4}$ ]]
	is_password "$(line app)" "$output"
	first=$output
	run -0 mpasswd set $A generate
	[ "$output" != "$first" ]
	is_password "$(line app)" "$output"
	! grep -q -e "$first" -e "$output" conf/secrets || false
}

@test "a password comes from -w, too, and never from an argument" {
	mpasswd -w 5 add $A 5<<<by-descriptor </dev/null
	is_password "$(line '')" by-descriptor
	run -64 mpasswd add $A label=x secret </dev/null
	[ "$output" = "mpasswd: secret: not a word for this" ]
	for bad in '' $'tab\t' "$(head -c 1025 /dev/zero | tr '\0' x)"; do
		run -65 mpasswd set $A <<<"$bad"
		[[ $output == "mpasswd: password: it "* ]]
	done
	mpasswd set $A <<<"$(head -c 1024 /dev/zero | tr '\0' x)"
	printf 'no end' | mpasswd set $A
	is_password "$(line '')" 'no end'
}

@test "a terminal shows a prompt twice and no password" {
	cat >type.py <<-'EOF'
		import os, pty, sys, time
		pid, fd = pty.fork()
		if pid == 0:
		    os.execvp("mpasswd", ["mpasswd"] + sys.argv[3:])
		said = b""
		for answer in sys.argv[1:3]:
		    while not said.endswith(b": "):
		        said += os.read(fd, 100)
		    sys.stdout.write(said.decode().replace("\r", ""))
		    said = b""
		    os.write(fd, answer.encode() + b"\n")
		try:
		    while True:
		        more = os.read(fd, 100)
		        if not more:
		            break
		        said += more
		except OSError:
		    pass
		print(said.decode().replace("\r", ""))
		sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
	EOF
	run -0 python3 type.py 'my secret' 'my secret' add $A
	[ "$(xargs <<<"$output")" = "password of $A: again:" ]
	is_password "$(line '')" 'my secret'
	run -65 python3 type.py one two set $A
	[[ $output == *"mpasswd: password: not the same twice"* ]]
	is_password "$(line '')" 'my secret'
}

@test "ls" {
	run -75 mpasswd ls
	mpasswd add $A label=a <<<x
	echo 'bob@example.test:1:1:/home/bob:' >>conf/users
	mpasswd add bob@example.test label='say "hi"' scopes=pop \
		expires=2030-01-01 <<<x
	run -0 mpasswd ls
	[ "$output" = "$A	a	all	SCRAM-SHA-256	
bob@example.test	say \"hi\"	pop	SCRAM-SHA-256	2030-01-01T00:00:00Z" ]
	run -0 mpasswd ls BOB@example.test
	[ "${#lines[@]}" -eq 1 ]
	run -0 mpasswd -j ls
	[ "$(jq -r .label <<<"$output" | xargs -d '\n')" = 'a say "hi"' ]
	run -0 mpasswd ls nobody@example.test
	[ "$output" = "" ]
}

@test "rm: one, all, or the user; never all by accident" {
	for l in a b c; do
		mpasswd add $A label=$l <<<x
	done
	run -64 mpasswd rm $A
	[ "$output" = "mpasswd: rm $A: say label=, all or user" ]
	run -66 mpasswd rm $A label=d
	mpasswd rm $A label=b
	[ "$(mpasswd ls | cut -f 2 | xargs)" = 'a c' ]
	mpasswd rm $A all
	[ "$(mpasswd ls)" = '' ]
	run -66 mpasswd rm $A all
	mpasswd rm $A user
	[ "$(cat conf/users)" = '' ]
}

@test "add user=: a line in users" {
	B=bob@example.test
	mpasswd add $B user=62012:62012:/home/bob <<<x
	mpasswd add cy@example.test user=1:1:/h:'maildir=mail send=@x.test' <<<x
	[ "$(tail -n 2 conf/users)" = "$B:62012:62012:/home/bob:
cy@example.test:1:1:/h:maildir=mail send=@x.test" ]
	[ "$(stat -c %a conf/users)" = 644 ]
	run -65 mpasswd add $B label=x user=1:1:/h <<<x
	for bad in 0:0:/root x:1:/h 1:1:h 1:1 1:1:/h:nonsense; do
		run -64 mpasswd add dan@example.test user=$bad <<<x
		! grep -q ^dan conf/users conf/secrets || false
	done
}

@test "check" {
	mpasswd add $A label=a scopes=imap <<<right
	mpasswd add $A label=b expires=2020-01-01 <<<old
	touch -d '1 minute ago' conf/secrets
	run -0 mpasswd check $A scopes=imap <<<right
	[ "$output" = a ]
	run -77 mpasswd check $A scopes=imap <<<wrong
	[ "$output" = "mpasswd: $A: wrong password" ]
	run -77 mpasswd check $A scopes=pop <<<right
	run -77 mpasswd check $A <<<old
	[[ $output == *'"b" has expired' ]]
	run -67 mpasswd check nobody@example.test <<<x
}

@test "import: the passwd-file of Dovecot" {
	cat >dovecot <<-'EOF'
		# comment
		alice@example.test:{SHA512-CRYPT}$6$pneupneu$r/.RQ6ZKv.IFZQ6cgYECGbHIlvQRIMBl7HlCfOZzF8nUJFLXu.2ZWIx.DiXseydQDemIUR62SmsaxHZ9XRGfR/
		bob:{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=:5001:5002::/home/bob::
		carol:{PLAIN}secret-carol:5001:5001::/home/carol::userdb_mail=maildir:~/mail:INDEX=x userdb_quota_rule=*:storage=1G
		dan:{CLEARTEXT}x:::::: nologin userdb_uid=7 userdb_gid=8 userdb_home=/d
		eve:$1$saltsalt$tTWg0JeO/sYmHvtKmZE8c.:9:9::/e::
		fay:{SSHA}abcd:9:9::/f::
		gus:{BLF-CRYPT}$2b$04$abcdefghijklmnopqrstuudjQGlIesOYHpM86vx2I7n8S/U3Cyboi
		hal:{CRYPT}!:9:9::/h::
		bad name:{PLAIN}x:9:9::/h::
		root:{PLAIN}x:0:0::/root::
	EOF
	run -65 --separate-stderr mpasswd import dovecot domain=example.test
	[ "$output" = "alice@example.test	secret
bob@example.test	secret
bob@example.test	user
carol@example.test	secret
carol@example.test	user
dan@example.test	user
eve@example.test	secret
eve@example.test	user
fay@example.test	user
gus@example.test	secret
hal@example.test	user
root@example.test	secret" ]
	printf '%s\n' "${stderr_lines[@]}" | cut -d : -f 2- | sed 's/ *$//' >said
	diff said - <<-'EOF'
		 dovecot:4: not kept: userdb_quota_rule=*:storage=1G
		 dovecot:7: not a scheme that we know: SSHA
		 dovecot:8: without uid, gid and home, so not in users: gus@example.test
		 dovecot:9: not a hash of CRYPT
		 dovecot:10: not an address (domain= adds one): bad name
		 dovecot:11: not a line of users: root@example.test:0:0:/root:
	EOF
	diff conf/users - <<-'EOF'
		alice@example.test:62011:62011:/home/alice:
		bob@example.test:5001:5002:/home/bob:
		carol@example.test:5001:5001:/home/carol:maildir=mail
		dan@example.test:7:8:/d:
		eve@example.test:9:9:/e:
		fay@example.test:9:9:/f:
		hal@example.test:9:9:/h:
	EOF
	touch -d '1 minute ago' conf/*
	mpasswd check $A <<<secret-alice
	mpasswd check bob@example.test <<<pencil
	mpasswd check carol@example.test <<<secret-carol
	mpasswd check eve@example.test <<<test
	! grep -q secret-carol conf/secrets || false
	# again: nothing is put in twice
	cp conf/secrets before
	run -65 --separate-stderr mpasswd import - domain=example.test <dovecot
	[ "$output" = "" ]
	cmp conf/secrets before
}

@test "a newer format is left alone, and so is a file that was cut off" {
	printf '%s\n' '# pneu-secrets 2' "$A:x:all:{PLAIN}x:" >conf/secrets
	cp conf/secrets before
	for v in "add $A" "set $A" "rm $A all"; do
		run -75 mpasswd $v <<<x
		[[ $output == *"secrets: of a newer format, left alone" ]]
	done
	run -75 mpasswd ls
	touch -d '1 minute ago' conf/secrets
	run -75 mpasswd check $A <<<x
	cmp conf/secrets before
	printf '%s\n%s' "$A:x:all:{PLAIN}x:" "bob@ex" >conf/secrets
	run -75 mpasswd add $A label=y <<<x
	[[ $output == *"its last line has no end" ]]
}

@test "many at once: each change is there in the end" {
	mpasswd add $A <<<x
	for i in 1 2 3 4 5 6 7 8; do
		mpasswd add $A label=$i generate >/dev/null &
	done
	wait
	[ "$(mpasswd ls | cut -f 2 | sort | xargs)" = '1 2 3 4 5 6 7 8' ]
	[ "$(mpasswd ls | wc -l)" -eq 9 ]
}

@test "a full disk leaves the old file" {
	mpasswd add $A <<<x
	cp conf/secrets before
	for i in 1 2 3 4 5 6 7 8; do
		echo "# $(head -c 200 /dev/zero | tr '\0' x)" >>conf/secrets
	done
	cp conf/secrets before
	run limit_fsize 1 mpasswd add $A label=y <<<x
	[ "$status" -eq 75 ]
	cmp conf/secrets before
	[ ! -e conf/secrets.new ]
}

@test "a link stays a link, and owner and mode of the file stay" {
	mkdir real
	mpasswd add $A <<<x
	mv conf/secrets real/
	ln -s ../real/secrets conf/secrets
	chmod 0400 real/secrets
	[ "$(id -u)" -ne 0 ] || chown 62001:62001 real/secrets
	owner=$(stat -c %u:%g real/secrets)
	mpasswd add $A label=y <<<x
	[ -L conf/secrets ]
	[ "$(stat -c %u:%g real/secrets)" = "$owner" ]
	[ "$(mpasswd ls | wc -l)" -eq 2 ]
}

@test "wrong usage is one line" {
	usage="usage: mpasswd [-V] [-j] [-c DIR] [-w FD] VERB [ARG ...]"
	for args in "" "-Z" "verb" "add" "set" "rm" "check" "import"; do
		run -64 mpasswd $args
		[ "$output" = "$usage" ]
	done
	run -64 mpasswd -w x ls
	run -64 mpasswd add $A scopes=everything
	run -64 mpasswd add $A label=a:b
	run -64 mpasswd add $A expires=tomorrow
	run -64 mpasswd rm $A scopes=all
}
