#!/usr/bin/env bats
#
# mimapd(8): messages that other parsers are tested with have the structure
# and the decoded parts that stand beside them.

load lib
load imap

setup() {
	at_home
	data=$ROOT/../shared/data/mime
	[ -d "$data" ] || skip "no corpus here"
}

# differ CORPUS: the messages where we say something else are these alone.
differ() {
	grep -v '^#' | sort >want
	python3 "$ROOT/t/imap/parsed.py" "$1" "$data/$1" box >all 3>&-
	grep -v '^same ' all | sort >got
	diff want got
	[ "$(grep -c . all)" -ge 80 ]
}

@test "the messages of Apache mime4j" {
	differ mime4j <<'E'
# what is left of base64 that was cut off, or has text behind it
TEXT mimetools-testmsgs/frag.msg
TEXT mimetools-testmsgs/multi-frag.msg
# a message in base64 (RFC 2046 forbids it): IMAP can't number its parts
STRUCTURE mimetools-testmsgs/multi-2gifs-base64.msg
STRUCTURE testmsgs/bad-newlines-multiple-parts-base64.msg
STRUCTURE testmsgs/base64encoded-rfc822message-nested.msg
STRUCTURE testmsgs/base64encoded-rfc822message.msg
# a line that is no field does not end the header
TEXT testmsgs/malformedHeaderStartsBody-nocrlfcrlf.msg
TEXT testmsgs/malformedHeaderStartsBody-noheader.msg
# a boundary may not end in blanks, and blanks behind it do not count
STRUCTURE testmsgs/very-long-boundary.msg
# one of more than 998 characters (70 are allowed)
STRUCTURE testmsgs/very-very-long-boundary.msg
STRUCTURE testmsgs/weird-boundary.msg
E
}

@test "the messages of mail-parser" {
	differ mail-parser <<'E'
# base64 that is none is text to them
TEXT rfc/000.eml
# a message in base64
STRUCTURE rfc/008.eml
TEXT thirdparty/002.eml
# line ends within UTF-16: those of text are CRLF
TEXT thirdparty/005.eml
# a boundary in the header of a part ends that part
STRUCTURE thirdparty/015.eml
E
}
