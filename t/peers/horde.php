<?php
// A day's work by Horde's IMAP client, the library of its webmail, twice:
// with its cache, for which it enables QRESYNC, and without.
error_reporting(E_ALL & ~E_DEPRECATED);
set_error_handler(function ($no, $text, $file, $line) {
	if ($no & (E_WARNING | E_USER_WARNING))
		throw new Exception("$text at $file:$line");
	return true;
});
spl_autoload_register(function ($class) {
	$file = "/usr/share/php/" . strtr($class, "_\\", "//") . ".php";
	if (is_file($file))
		require_once $file;
});
use Horde_Imap_Client as I;

// "4" and 4 are the same: some of its numbers are texts.
function same($got, $want, $what)
{
	if ($got != $want)
		throw new Exception("$what: " . var_export($got, true) .
		    ", not " . var_export($want, true));
}

function client($name, $cache)
{
	$c = new Horde_Imap_Client_Socket([
		"username" => "$name@example.test",
		"password" => "secret-$name",
		"hostspec" => "localhost",
		"port" => getenv("IMAP_PORT"),
		"secure" => "tls",
		"context" => ["ssl" => ["cafile" => getenv("PNEU_CA")]],
		"debug" => getenv("DEBUG") . ".$name" . ($cache ? ".cache" : ""),
		"cache" => $cache ? ["backend" =>
		    new Horde_Imap_Client_Cache_Backend_Null()] : [],
		"capability_ignore" => $cache ? [] : ["UTF8"],
	]);
	$c->statuscache = false;
	return $c;
}

function message($n, $more = "", $body = null)
{
	return "From: \"A \\\"q\\\" $n\" <a$n@x.test>\r\n" .
	    "To: =?utf-8?q?J=C3=B6rg?= <j@x.test>\r\nMessage-ID: <$n@x.test>\r\n" .
	    sprintf("Date: Wed, %d Jan 2020 10:00:00 +0000\r\n", 30 - $n) .
	    "$more\r\n" . ($body ?? "body $n\r\n");
}

function work($c, $name, $cache)
{
	$box = "Entwürfe & \"q\"/日本語";
	foreach (["Entwürfe & \"q\"", $box, "Leer"] as $b)
		$c->createMailbox($b, $b === "Leer" ?
		    ["special_use" => [I::SPECIALUSE_ARCHIVE]] : []);
	$c->subscribeMailbox($box);
	$list = $c->listMailboxes("*", I::MBOX_ALL_SUBSCRIBED, [
		"attributes" => true, "children" => true, "special_use" => true,
		"status" => I::STATUS_MESSAGES | I::STATUS_HIGHESTMODSEQ, "sort" => true]);
	same(array_map("strval", array_keys($list)),
	    ["INBOX", "Entwürfe & \"q\"", $box, "Leer"], "list");
	same(in_array("\\subscribed", $list[$box]["attributes"]), true, "subscribed");
	same(in_array("\\archive", $list["Leer"]["attributes"]), true, "use");
	same($list[$box]["status"]["messages"], 0, "LIST-STATUS");
	$s = $c->search($box, new Horde_Imap_Client_Search_Query());
	same([$s["count"], $s["match"]->ids], [0, []], "search of nothing");

	// APPEND: several at once, 8-bit, NUL by BINARY, parts by CATENATE
	$token = $c->getSyncToken($box);
	$bin = message(3, "Subject: Re: naught\r\nIn-Reply-To: <1@x.test>\r\n" .
	    "References: <1@x.test>\r\nMIME-Version: 1.0\r\n" .
	    "Content-Transfer-Encoding: binary\r\nContent-Type: x/y\r\n", "a\0b\r\n");
	$uids = $c->append($box, [
		["data" => message(1, "Subject: naught\r\n"),
		    "flags" => ["\\Seen", "Blue"],
		    "internaldate" => new DateTime("2021-03-04 05:06:07 +0200")],
		["data" => message(2, "Subject: n\xc3\xa4he\r\n")],
		["data" => $bin, "flags" => ["\\Flagged"]]]);
	same($uids->ids, [1, 2, 3], "APPENDUID");
	$mixed = "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=z\r\n";
	$uids = $c->append($box, [["data" => [
		["t" => "text", "v" => message(4, "Subject: parts\r\n$mixed", "") .
		    "\r\n--z\r\nContent-Type: text/plain; charset=utf-8\r\n" .
		    "Content-Transfer-Encoding: base64\r\n\r\n" .
		    base64_encode("größer") . "\r\n--z\r\n" .
		    "Content-Type: message/rfc822\r\n\r\n"],
		["t" => "url", "v" => "/" . rawurlencode($box) . "/;UID=1"],
		// with UTF8=ACCEPT its second text would be a quoted string
		...($cache ? [] : [["t" => "text", "v" => "\r\n--z--\r\n"]])]]]);
	same($uids->ids, [4], "CATENATE");

	$sync = $c->sync(Horde_Imap_Client_Mailbox::get($box), $token);
	same($sync->newmsgsuids->ids, [1, 2, 3, 4], "new since the token");

	// FETCH
	$q = new Horde_Imap_Client_Fetch_Query();
	$q->structure();
	$q->envelope();
	$q->flags();
	$q->imapDate();
	$q->size();
	$q->uid();
	$q->fullText(["peek" => true]);
	$q->headerText(["peek" => true]);
	$q->bodyText(["peek" => true]);
	$q->headers("some", ["Subject", "References"], ["peek" => true]);
	$got = $c->fetch($box, $q);
	same($got[1]->getFullMsg(), message(1, "Subject: naught\r\n"), "text");
	same($got[1]->getFlags(), ["\\seen", "\\recent", "blue"], "flags");
	same($got[1]->getImapDate()->getTimestamp(), 1614827167, "date");
	$e = $got[1]->getEnvelope();
	same($e->from[0]->personal, 'A "q" 1', "quotes");
	same($e->to[0]->personal, "Jörg", "encoded name");
	same($got[2]->getSize(), strlen(message(2, "Subject: n\xc3\xa4he\r\n")), "size");
	same($got[2]->getHeaders("some", 1)->getValue("subject"), "nähe", "8-bit");
	same($got[3]->getFullMsg(), strtr($bin, "\0", "\x80"), "no NUL in BODY[]");
	$p = $got[4]->getStructure();
	same($p->contentTypeMap(), [0 => "multipart/mixed", 1 => "text/plain",
	    2 => "message/rfc822", "2.1" => "text/plain"], "parts");
	same($p["2.1"]->getType(), "text/plain", "part of a part");
	$q = new Horde_Imap_Client_Fetch_Query();
	$q->bodyPart("1", ["decode" => true, "peek" => true]);
	$q->bodyPartSize("1");
	$q->bodyPart("2.1", ["peek" => true, "start" => 1, "length" => 3]);
	$q->mimeHeader("2", ["peek" => true]);
	$q->headerText(["id" => "2", "peek" => true]);
	$m = $c->fetch($box, $q, ["ids" => $c->getIdsOb(4)])[4];
	same($m->getBodyPart("1"), "größer", "BINARY");
	same($m->getBodyPartDecode("1"), "8bit", "it was decoded there");
	same($m->getBodyPartSize("1"), strlen("größer"), "BINARY.SIZE");
	same($m->getBodyPart("2.1"), "ody", "a piece");
	same($m->getMimeHeader("2"), "Content-Type: message/rfc822\r\n\r\n", "MIME");
	same(substr($m->getHeaderText("2"), 0, 5), "From:", "HEADER");

	// SEARCH, SORT, THREAD, with their RETURN options
	$find = function ($set, $opts = []) use ($c, $box) {
		$q = new Horde_Imap_Client_Search_Query();
		if ($set)
			$set($q);
		return $c->search($box, $q, $opts);
	};
	$uids = function ($set, $opts = []) use ($find) {
		return $find($set, $opts)["match"]->ids;
	};
	same($uids(function ($q) { $q->charset("UTF-8", false);
	    $q->headerText("subject", "NÄHE"); }), [2], "folded subject");
	same($uids(function ($q) { $q->text("body 2"); }), [2], "body");
	same($uids(function ($q) { $q->flag("Blue", false); }), [2, 3, 4], "keyword");
	same($uids(function ($q) { $q->size(400, true); }), [4], "larger");
	same($uids(function ($q) { $q->dateSearch(new DateTime("2020-01-28"),
	    Horde_Imap_Client_Search_Query::DATE_BEFORE); }), [3, 4], "sent before");
	same($uids(function ($q) { $q->intervalSearch(3600,
	    Horde_Imap_Client_Search_Query::INTERVAL_YOUNGER); }), [2, 3, 4], "YOUNGER");
	$r = $find(null, ["results" => [I::SEARCH_RESULTS_COUNT, I::SEARCH_RESULTS_MIN,
	    I::SEARCH_RESULTS_MAX, I::SEARCH_RESULTS_SAVE]]);
	same([$r["count"], $r["min"], $r["max"], $r["save"]], [4, 1, 4, true], "RETURN");
	same($uids(function ($q) use ($c) { $q->previousSearch(true);
	    $q->flag("\\Flagged"); }), [3], "SEARCHRES");
	$by = function (...$sort) use ($uids) {
		return $uids(null, ["sort" => $sort]);
	};
	same($by(I::SORT_DATE), [4, 3, 2, 1], "by date");
	same($by(I::SORT_ARRIVAL)[0], 1, "by arrival");
	same($by(I::SORT_REVERSE, I::SORT_FROM), [4, 3, 2, 1], "by name, reversed");
	same($by(I::SORT_DISPLAYFROM), [1, 2, 3, 4], "by what is shown");
	same($by(I::SORT_SUBJECT, I::SORT_DATE), [3, 1, 2, 4], "by subject");
	same($by(I::SORT_SIZE)[3], 4, "by size");
	foreach ([I::THREAD_ORDEREDSUBJECT, I::THREAD_REFERENCES, I::THREAD_REFS]
	    as $kind) {
		$t = $c->thread($box, ["criteria" => $kind]);
		$ids = array_keys($t->getThread(3));
		sort($ids);
		same($ids, [1, 3], "thread $kind");
	}

	// STORE, COPY, MOVE, EXPUNGE, and what another session hears of it
	$other = client($name, true);
	$other->openMailbox($box, I::OPEN_READWRITE);
	$old = $other->getSyncToken($box);
	$c->store($box, ["add" => ["\\Answered", "\$Forwarded"],
	    "ids" => $c->getIdsOb([2, 4])]);
	$c->store($box, ["remove" => ["Blue"], "ids" => $c->getIdsOb(1)]);
	$c->store($box, ["replace" => ["\\Draft"], "ids" => $c->getIdsOb(3)]);
	$map = $c->copy($box, "Leer", ["ids" => $c->getIdsOb([2, 4]),
	    "force_map" => true]);
	same($map, [2 => 1, 4 => 2], "COPYUID");
	$c->copy($box, "Neu/Da", ["ids" => $c->getIdsOb([1]), "create" => true,
	    "move" => true]);
	same($c->status("Neu/Da", I::STATUS_MESSAGES)["messages"], 1, "moved");
	$c->store($box, ["add" => ["\\Deleted"], "ids" => $c->getIdsOb(2)]);
	same($c->expunge($box, ["list" => true])->ids, [$cache ? 2 : 1], "expunged");
	$sync = $other->sync(Horde_Imap_Client_Mailbox::get($box), $old);
	$ids = $sync->flagsuids->ids;
	sort($ids);
	same($ids, [3, 4], "flags since the token");
	$ids = $sync->vanisheduids->ids;
	sort($ids);
	same($ids, [1, 2], "gone since the token");
	$m = $other->vanished($box, 1);
	same(array_values(array_intersect([1, 2, 3, 4], $m->ids)), [1, 2], "VANISHED");
	$other->logout();

	// rights, quota, metadata, names, ID
	// its METADATA, ACL and QUOTAROOT take no UTF-8 for a name
	$on = $cache ? "INBOX" : $box;
	$c->setMetadata($on, ["/private/comment" => "\"x\" {1} ö"]);
	same($c->getMetadata($on, "/private/comment", ["depth" => 0])[$on]
	    ["/private/comment"], "\"x\" {1} ö", "metadata");
	same((string)$c->getMyACLRights($on) !== "", true, "MYRIGHTS");
	same(array_keys($c->getACL($on)) !== [], true, "GETACL");
	$quota = array_values($c->getQuotaRoot("INBOX"));
	same($quota[0]["storage"]["limit"], 102400, "quota");
	same($quota[0]["message"]["limit"], 1000, "quota of messages");
	$c->renameMailbox("Neu/Da", "Neu & \"alt\"");
	$c->deleteMailbox("Leer");
	same(array_map("strval", array_keys($c->listMailboxes(["N*", "L*"],
	    I::MBOX_ALL))), ["Neu & \"alt\""], "names");
	same($c->getID()["name"], "pneu", "ID");
	same(array_keys($c->getNamespaces())[0], "", "NAMESPACE");
	$c->noop();
	$c->close();
	$c->logout();
}

foreach (["alice" => false, "bob" => true] as $name => $cache)
	work(client($name, $cache), $name, $cache);
echo "done\n";
