-- Two accounts under imapfilter: its searches, marks, copies and moves, also
-- from one account to the other; then it waits by IDLE for the file "wake".
options.info = false
options.starttls = true
options.create = true
options.subscribe = true
options.wakeonany = false

local function account(name, port, ssl)
	return IMAP {
		server = "localhost",
		port = tonumber(os.getenv(port)),
		ssl = ssl,
		username = name .. "@example.test",
		password = "secret-" .. name,
	}
end

local alice = account("alice", "IMAPS_PORT", "auto")
local bob = account("bob", "IMAP_PORT") -- by STARTTLS

local function same(got, want, what)
	if got ~= want then
		error(what .. ": " .. tostring(got) .. ", not " .. tostring(want), 2)
	end
end

-- The numbers in the subjects of a result.
local function told(results)
	local out = {}
	for _, m in ipairs(results) do
		local mailbox, uid = table.unpack(m)
		local subject = mailbox[uid]:fetch_field("subject")
		table.insert(out, tonumber(subject:match("(%d+)")))
	end
	table.sort(out)
	return table.concat(out, " ")
end

local box = "a b/Entw\xc3\xbcrfe & [x]"
alice:create_mailbox(box)
local here = alice[box]
same(#here:select_all(), 0, "nothing in a new mailbox")
same(#here:contain_body("x"), 0, "nothing found in it")

local messages = {
	"From: ann@x.test\r\nTo: bob@y.test\r\nDate: Wed, 1 Jan 2020 10:00:00 +0000\r\n" ..
	    "Subject: one 1\r\n\r\nhello world\r\n",
	"From: =?utf-8?q?J=C3=B6rg?= <j@x.test>\r\nCc: ann@x.test\r\n" ..
	    "Subject: two 2\r\nX-Kind: red\r\n\r\n" .. ("long line\r\n"):rep(500),
	"From: \"A \\\"q\\\" B\" <q@x.test>\r\nSubject: n\xc3\xa4he 3\r\n" ..
	    "Date: Thu, 2 Jan 2020 10:00:00 +0000\r\n\r\nund so wei\xc3\x9f\r\n",
	"Subject: 4\r\nMIME-Version: 1.0\r\n" ..
	    "Content-Type: multipart/mixed; boundary=z\r\n\r\n--z\r\n" ..
	    "\r\npart one\r\n--z\r\nContent-Type: text/html; name=\"a b.html\"\r\n" ..
	    "\r\n<b>part two</b>\r\n--z\r\nContent-Type: message/rfc822\r\n\r\n" ..
	    "Subject: within\r\n\r\ninner\r\n--z--\r\n",
	"Bcc: hidden@x.test\r\nSubject: 5\r\n\r\n.\r\n",
}
local flags = { {}, { "\\Seen", "work" }, { "\\Flagged" },
    { "\\Answered", "\\Draft" }, {} }
for i, text in ipairs(messages) do
	here:append_message(text, flags[i],
	    string.format("%02d-Feb-2021 10:00:00 +0000", i))
end
local exist, recent, unseen, nextid = here:check_status()
same(exist, 5, "messages")
same(unseen, 4, "unseen")
same(nextid, 6, "UIDNEXT")

same(told(here:select_all()), "1 2 3 4 5", "all")
same(told(here:is_seen()), "2", "seen")
same(told(here:is_unseen()), "1 3 4 5", "unseen")
same(told(here:is_answered()), "4", "answered")
same(told(here:is_draft() + here:is_flagged()), "3 4", "draft or flagged")
same(told(here:is_flagged() * here:is_unseen()), "3", "flagged and unseen")
same(told(here:is_deleted()), "", "deleted")
same(told(here:select_all() - here:is_unanswered()), "4", "not unanswered")
same(told(here:has_keyword("work")), "2", "keyword")
same(told(here:has_unkeyword("work")), "1 3 4 5", "no keyword")
same(told(here:is_larger(5000)), "2", "larger")
same(told(here:is_smaller(60)), "5", "smaller")
same(told(here:is_newer(10000)), "1 2 3 4 5", "newer")
same(told(here:is_older(100)), "1 2 3 4 5", "older")
same(told(here:arrived_before("02-Feb-2021")), "1", "arrived before")
same(told(here:arrived_on("03-Feb-2021")), "3", "arrived on")
same(told(here:arrived_since("04-Feb-2021")), "4 5", "arrived since")
same(told(here:sent_on("1-Jan-2020")), "1", "sent on")
same(told(here:sent_since("02-Jan-2020") * here:sent_before("3-Jan-2020")),
    "3", "sent then")
same(told(here:contain_from("ann")), "1", "from")
same(told(here:contain_to("BOB@")), "1", "to")
same(told(here:contain_cc("ann@x.test")), "2", "cc")
same(told(here:contain_bcc("hidden")), "5", "bcc")
same(told(here:contain_subject("two")), "2", "subject")
same(told(here:contain_field("X-Kind", "red")), "2", "a field")
same(told(here:contain_field("X-Kind", "")), "2", "a field that is there")
same(told(here:contain_body("PART TWO")), "4", "body")
same(told(here:contain_message("inner")), "4", "text")
same(told(here:match_from('^"A ..q.. B" ')), "3", "quotes")
options.charset = "UTF-8"
same(told(here:contain_subject("N\xc3\x84HE")), "3", "8-bit subject")
same(told(here:contain_body("WEISS")), "", "folded")
same(told(here:contain_from("j\xc3\xb6rg")), "2", "encoded name")
options.charset = nil
same(told(here:send_query('OR (SUBJECT one KEYWORD $X) NOT UID 1:4')),
    "5", "a query")
same(told(here:match_header("^X-Kind: r.d")), "", "no match at the start")
same(told(here:match_field("X-Kind", "^r.d$")), "2", "pattern of a field")
same(told(here:match_message("(?s)hello.*world")), "1", "pattern of a text")

local four = here[4]
same(four:fetch_size(), #messages[4], "size")
same(four:fetch_date(), " 4-Feb-2021 10:00:00 +0000", "date")
same(four:fetch_message(), messages[4], "text")
same(four:fetch_header() .. four:fetch_body(), messages[4], "halves")
same(four:fetch_part("2"), "<b>part two</b>", "part")
same(four:fetch_part("3.1"), "inner", "part of a part")
local s = four:fetch_structure()
same(s["2"].name, "a b.html", "name")
same(s["3.1"].type, "text/plain", "type")
local f = four:fetch_flags()
table.sort(f)
same(f[1] .. f[2], "\\Answered\\Draft", "flags")

-- marks
here:is_flagged():unmark_flagged()
here:contain_subject("one"):mark_flagged()
same(told(here:is_flagged()), "1", "marked")
here:select_all():add_flags({ "Blue", "\\Seen" })
here:has_keyword("work"):replace_flags({ "Red" })
same(told(here:has_keyword("Blue") * here:is_seen()), "1 3 4 5", "added")
same(told(here:has_keyword("Red")), "2", "replaced")
here:is_seen():remove_flags({ "Blue" })
same(told(here:has_keyword("Blue")), "", "removed")
options.expunge = false
here:contain_subject("5"):mark_deleted()
same(told(here:is_deleted()), "5", "marked for later")
here:is_deleted():unmark_deleted()
options.expunge = true

-- into mailboxes that are not there: made and subscribed by TRYCREATE
here:contain_subject("one"):copy_messages(alice["Copied/Deep"])
same(told(alice["Copied/Deep"]:is_flagged()), "1", "copied")
here:has_keyword("Red"):move_messages(alice["Moved"])
same(told(here:select_all()), "1 3 4 5", "what is left")
same(told(alice["Moved"]:has_keyword("Red")), "2", "moved")
local names = alice:list_subscribed("", "*")
table.sort(names)
same(table.concat(names, ","), "Copied/Deep,Moved", "subscribed")
-- to the other account
here:match_field("Subject", "^[34]"):move_messages(bob["From Alice"])
here:contain_subject("n"):copy_messages(bob["From Alice"])
same(told(bob["From Alice"]:select_all()), "1 3 4", "over there")
local got = bob["From Alice"]:is_answered()
same(got[1][1][got[1][2]]:fetch_message(), messages[4], "text over there")
same(got[1][1][got[1][2]]:fetch_date(), " 4-Feb-2021 10:00:00 +0000",
    "date over there")
here:contain_subject("5"):delete_messages()
same(told(here:select_all()), "1 3", "deleted")

-- names
alice:rename_mailbox("Moved", "Gone on")
alice:unsubscribe_mailbox("Moved")
alice:delete_mailbox("Copied/Deep")
names = alice:list_all("", "*")
table.sort(names)
same(table.concat(names, ","), "Gone on,INBOX," .. box, "names")

-- new mail is moved by a rule
print("idle")
io.stdout:flush()
alice.INBOX:check_status()
local update, event
repeat
	update, event = alice.INBOX:enter_idle()
	same(update, true, "IDLE")
until #alice.INBOX:contain_subject("rule 6") > 0
alice.INBOX:contain_subject("rule 6"):move_messages(alice["Ruled"])
same(told(alice["Ruled"]:select_all()), "6", "ruled")
same(#alice.INBOX:select_all(), 0, "nothing left in INBOX")
print("done")
