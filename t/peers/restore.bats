#!/usr/bin/env bats
#
# A folder, or a whole Maildir, is put back from a backup while clients
# remember more: none of them is shown a wrong message.

load ../lib

setup() {
	command -v mbsync >/dev/null || skip "mbsync is not installed"
	at_home
	mkdir -p box/.Work/{tmp,new,cur} box/{tmp,new,cur} near
	cat >rc <<-E
	IMAPAccount pneu
	Tunnel "mimapd -p $PWD/box"

	IMAPStore far
	Account pneu

	MaildirStore near
	Path $PWD/near/
	Inbox $PWD/near/INBOX
	SubFolders Verbatim

	Channel all
	Far :far:
	Near :near:
	Patterns *
	Create Near
	Expunge Near
	SyncState *
	E
	rc=$PWD/rc
}

# arrive FOLDER SUBJECT...
arrive() {
	local s
	for s in "${@:2}"; do
		printf 'From: a@b\nSubject: %s\nMessage-ID: <%s@x>\n\n%s\n' \
			"$s" "$s" "body $s" | mdeliver "box/$1"
	done
}

sync() {
	mbsync -c "$rc" -a >synced 2>&1 || { cat synced; false; }
}

# What mbsync has: each message once, its body that of its subject.
near_is() {
	local f s
	for f in near/"$1"/{new,cur}/*; do
		[ -e "$f" ] || continue
		s=$(sed -n 's/^Subject: //p' "$f")
		grep -qx "body $s" "$f"
		echo "$s"
	done | sort >have
	printf '%s\n' "${@:2}" | sort | diff - have
}

# A client with QRESYNC: what it remembers is kept in ./mind.
client() {
	python3 - "$PWD/box" "$1" "$PWD/mind.$1" 3>&- <<'E'
import json, os, re, subprocess, sys
sys.path.insert(0, os.environ["ROOT"] + "/t/tools")
box, name, mind = sys.argv[1:]
m = {"validity": 0, "modseq": 0, "uids": {}}
if os.path.exists(mind):
    m = json.load(open(mind))
p = subprocess.Popen(["mimapd", "-p", box], stdin=subprocess.PIPE,
                     stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
def do(tag, text):
    p.stdin.write(f"{tag} {text}\r\n".encode())
    p.stdin.flush()
    out = []
    while True:
        line = p.stdout.readline().decode().rstrip("\r\n")
        assert line or p.poll() is None, "the session ended"
        if line.startswith(tag + " "):
            assert line.startswith(tag + " OK"), line
            return out
        out.append(line)
do("a", "ENABLE QRESYNC")
known = m["uids"]
ask = f" (QRESYNC ({m['validity']} {m['modseq']}))" if m["validity"] else ""
out = do("b", f"SELECT {name}{ask}")
text = "\n".join(out)
validity = int(re.search(r"UIDVALIDITY (\d+)", text).group(1))
modseq = int(re.search(r"HIGHESTMODSEQ (\d+)", text).group(1))
if validity != m["validity"]:
    known = {}
for line in out:
    v = re.match(r"\* VANISHED \(EARLIER\) (\S+)", line)
    for r in v.group(1).split(",") if v else ():
        a, _, b = r.partition(":")
        known = {u: s for u, s in known.items()
                 if not int(a) <= int(u) <= int(b or a)}
top = max(map(int, known), default=0)
new = "\n".join(do("c", f"UID FETCH {top + 1}:* "
                        "(UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
for u, s in re.findall(r"UID (\d+) [^\n]*\nSubject: (\S+)", new):
    if int(u) > top:
        known[u] = s
# What it believes, against what is there.
all_of_it = "\n".join(do("d", "UID FETCH 1:* "
                              "(UID BODY.PEEK[HEADER.FIELDS (SUBJECT)])"))
there = dict(re.findall(r"UID (\d+) [^\n]*\nSubject: (\S+)", all_of_it))
assert known == there, (known, there)
do("e", "LOGOUT")
json.dump({"validity": validity, "modseq": modseq, "uids": known},
          open(mind, "w"))
print(*sorted(known.values()))
E
}

@test "a folder is put back: mbsync and a QRESYNC client see what is there" {
	arrive .Work one two
	sync
	run -0 client Work
	[ "$output" = "one two" ]
	cp -a box/.Work saved
	arrive .Work three four
	sync
	run -0 client Work
	[ "$output" = "four one three two" ]
	rm -rf box/.Work
	cp -a saved box/.Work
	arrive .Work five six
	run -0 client Work
	[ "$output" = "five one six two" ]
	sync
	near_is Work one two five six
}

@test "a whole Maildir is put back, with all that remembers" {
	arrive . one two
	sync
	run -0 client INBOX
	cp -a box saved
	arrive . three four
	sync
	run -0 client INBOX
	[ "$output" = "four one three two" ]
	rm -rf box
	cp -a saved box
	arrive . five six
	run -0 client INBOX
	[ "$output" = "five one six two" ]
	sync
	near_is INBOX one two five six
}

@test "copied over what is there, file by file" {
	arrive . one two
	sync
	run -0 client INBOX
	cp -a box saved
	arrive . three four
	sync
	run -0 client INBOX
	find box -name 'pneu.*' -delete
	cp -a saved/. box/
	rm -f box/new/* # what came later was lost
	find box/cur -type f -newer saved/pneu.snapshot -delete
	arrive . five six
	run -0 client INBOX
	sync
	near_is INBOX $(client INBOX)
}
