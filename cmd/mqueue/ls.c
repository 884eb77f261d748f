/*
 * mqueue ls - the queue as lines, or as JSON
 */
#include "mqueue.h"

#include <errno.h>
#include <unistd.h>

#include "base/date.h"
#include "base/enc.h"
#include "io/deadline.h"
#include "io/out.h"

enum { PATTERNS = 64, TAIL = 65536 };

static struct {
	bool rcpts, json;
	struct pattern patterns[PATTERNS];
	size_t npatterns;
	char *ids[PATTERNS]; /* plain ids among the patterns */
	size_t nids;
	struct routes routes;
	bool routed;
	struct out out;
} ls;

static char output[32768];

struct entry {
	struct queued m;
	struct envelope e;
	struct arena arena;
	struct buf tail, held;
	const char *state;
	struct story last;
	bool tried;
};

static void
put_time(int64_t t)
{
	char date[DATE_RFC3339_SIZE];

	out_puts(&ls.out, date_rfc3339(t, date));
}

static void
put_pct(struct span s)
{
	struct buf b = { .max = 3 * s.n + 1 };

	if (s.n == 0)
		out_puts(&ls.out, "<>");
	else if (enc_pct(&b, s))
		out_put(&ls.out, buf_span(&b));
	buf_free(&b);
}

/* How many bytes of well-formed UTF-8 begin at p; 0 if none do. */
static size_t
utf8_length(struct span s)
{
	unsigned char c = (unsigned char)*s.p;
	size_t n = c < 0xc2 ? 0
	    : c < 0xe0      ? 2
	    : c < 0xf0      ? 3
	    : c < 0xf5      ? 4
			    : 0;

	if (n == 0 || n > s.n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if (((unsigned char)s.p[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static void
put_json(struct span s)
{
	out_putc(&ls.out, '"');
	while (s.n > 0) {
		unsigned char c = (unsigned char)*s.p;
		size_t n = c > 0x7f ? utf8_length(s) : 1;

		if (n == 0) {
			out_puts(&ls.out, "\\ufffd");
			n = 1;
		} else if (c < ' ' || c == 0x7f) {
			out_printf(&ls.out, "\\u%04x", c);
		} else {
			if (c == '"' || c == '\\')
				out_putc(&ls.out, '\\');
			out_put(&ls.out, (struct span){ s.p, n });
		}
		span_take(&s, n);
	}
	out_putc(&ls.out, '"');
}

static void
put_key(const char *key, struct span value)
{
	out_printf(&ls.out, ",\"%s\":", key);
	put_json(value);
}

/* The last line of the story about a recipient. */
static bool
story_of(struct entry *t, struct span rcpt, struct story *s)
{
	struct span text = buf_span(&t->tail);
	struct buf want = { .max = 3 * rcpt.n };
	struct story line;
	bool found = false;

	enc_pct(&want, rcpt);
	while (text.n > 0)
		if (story_parse(span_cut(&text, '\n'), &line) &&
		    span_eq(line.rcpt, buf_span(&want))) {
			*s = line;
			found = true;
		}
	buf_free(&want);
	return found;
}

static const char *
state_of(struct entry *t, int64_t now)
{
	if (t->held.n > 0 || queue_held(&queue, t->m.id, NULL))
		return "held";
	if (t->m.leased && t->m.due > now)
		return "active";
	return t->tried ? "deferred" : "new";
}

static struct span
route_of(struct entry *t, struct span rcpt)
{
	struct pattern_facts f = facts_of(&t->e, rcpt);
	int i;

	if (!ls.routed)
		return SPAN("");
	i = routes_find(&ls.routes, &f);
	return i == -1 ? SPAN("") : span_of(ls.routes.v[i].text);
}

/* Every pattern holds of the message with this recipient. */
static bool
wanted(struct entry *t, struct span rcpt)
{
	struct pattern_facts f = facts_of(&t->e, rcpt);
	int64_t age = unix_now() - t->e.received;

	f.status = span_of(t->state);
	f.route = route_of(t, rcpt);
	f.age = age > 0 ? (uint64_t)age : 0;
	for (size_t i = 0; i < ls.npatterns; i++)
		if (!pattern_match(&ls.patterns[i], &f))
			return false;
	return true;
}

static struct span
reason_of(const struct entry *t)
{
	return t->held.n > 0 ? buf_span(&t->held) : t->last.text;
}

static void
put_message(struct entry *t)
{
	out_printf(&ls.out, "%s\t%s\t", t->m.id, t->state);
	put_time(t->e.received);
	out_putc(&ls.out, '\t');
	put_time(t->m.due);
	out_printf(
	    &ls.out, "\t%u\t%llu\t", t->last.n, (unsigned long long)t->e.size);
	put_pct(t->e.sender);
	out_printf(&ls.out, "\t%zu\t", t->e.nrcpts);
	out_put(&ls.out, reason_of(t));
	out_putc(&ls.out, '\n');
}

static const char *
rcpt_state(const struct entry *t, size_t i)
{
	switch (t->e.rcpts[i].mark) {
	case MARK_TO:
		return t->state;
	case MARK_OK:
		return "ok";
	case MARK_NO:
		return "no";
	case MARK_XX:
		return "xx";
	}
	return "";
}

static void
put_rcpt(struct entry *t, size_t i)
{
	struct span rcpt = t->e.rcpts[i].address;
	struct story s = { .n = 0 };
	struct span route;

	story_of(t, rcpt, &s);
	route = route_of(t, rcpt);
	out_printf(&ls.out, "%s\t%s\t", t->m.id, rcpt_state(t, i));
	put_time(t->m.due);
	out_printf(&ls.out, "\t%u\t", s.n);
	out_put(&ls.out, route.n > 0 ? span_word(&route) : SPAN("-"));
	out_putc(&ls.out, '\t');
	out_put(&ls.out, s.code.n > 0 ? s.code : SPAN("-"));
	out_putc(&ls.out, '\t');
	put_pct(t->e.sender);
	out_putc(&ls.out, '\t');
	put_pct(rcpt);
	out_putc(&ls.out, '\t');
	out_put(
	    &ls.out, s.n == 0 && t->held.n > 0 ? buf_span(&t->held) : s.text);
	out_putc(&ls.out, '\n');
}

static void
json_rcpt(struct entry *t, size_t i)
{
	struct span rcpt = t->e.rcpts[i].address;
	struct story s = { .n = 0 };

	story_of(t, rcpt, &s);
	out_puts(&ls.out, "{\"rcpt\":");
	put_json(rcpt);
	put_key("state", span_of(rcpt_state(t, i)));
	put_key("route", route_of(t, rcpt));
	put_key("host", SPAN(""));
	put_key("code", s.code);
	put_key("text", s.text);
	out_printf(&ls.out, ",\"tries\":%u,\"next\":\"", s.n);
	put_time(t->m.due);
	out_puts(&ls.out, "\"}");
}

static void
json_head(struct entry *t)
{
	out_puts(&ls.out, "{\"id\":");
	put_json(span_of(t->m.id));
	put_key("state", span_of(t->state));
	out_puts(&ls.out, ",\"received\":\"");
	put_time(t->e.received);
	out_puts(&ls.out, "\",\"next\":\"");
	put_time(t->m.due);
	out_printf(&ls.out, "\",\"tries\":%u,\"size\":%llu", t->last.n,
	    (unsigned long long)t->e.size);
	put_key("from", t->e.sender);
	put_key("auth", t->e.auth);
	put_key("peer", t->e.ip);
	put_key("reason", reason_of(t));
	out_puts(&ls.out, ",\"rcpts\":[");
}

static void
put_entry(struct entry *t)
{
	bool any = false, shown = false;

	for (size_t i = 0; i < t->e.nrcpts; i++) {
		if (!wanted(t, t->e.rcpts[i].address))
			continue;
		if (ls.rcpts && !ls.json)
			put_rcpt(t, i);
		any = true;
	}
	if (!any || (ls.rcpts && !ls.json))
		return;
	if (!ls.json) {
		put_message(t);
		return;
	}
	json_head(t);
	for (size_t i = 0; i < t->e.nrcpts; i++) {
		if (ls.rcpts && !wanted(t, t->e.rcpts[i].address))
			continue;
		if (shown)
			out_putc(&ls.out, ',');
		json_rcpt(t, i);
		shown = true;
	}
	out_puts(&ls.out, "]}\n");
}

static void
put_broken(const char *id)
{
	if (ls.npatterns > 0)
		return;
	if (ls.json)
		out_printf(&ls.out,
		    "{\"id\":\"%s\",\"state\":\"held\","
		    "\"reason\":\"not a queue file\",\"rcpts\":[]}\n",
		    id);
	else
		out_printf(&ls.out, "%s\theld\t-\t-\t0\t0\t-\t0\t%s\n", id,
		    "not a queue file");
}

static bool
show_one(void *ctx, const char *id)
{
	struct entry t = { .tail.max = TAIL, .held.max = 2048 };

	(void)ctx;
	if (queued_open(&queue, id, false, &t.m) == -1)
		return true; /* it has gone */
	arena_init(&t.arena, ENVELOPE_ARENA);
	if (envelope_read(t.m.fd, &t.arena, &t.e) == -1) {
		put_broken(id);
	} else {
		if (!ls.rcpts && !ls.json)
			t.tail.max = 8192;
		story_read(&queue, id, &t.tail);
		t.tried = story_last(buf_span(&t.tail), &t.last);
		queue_held(&queue, id, &t.held);
		t.state = state_of(&t, unix_now());
		put_entry(&t);
	}
	arena_free(&t.arena);
	buf_free(&t.tail);
	buf_free(&t.held);
	queued_close(&t.m);
	return true;
}

static void
parse_patterns(char **argv)
{
	for (; *argv != NULL; argv++) {
		if (ls.npatterns == PATTERNS || ls.nids == PATTERNS)
			die(EXIT_USAGE, "too many patterns");
		if (ident_is_mail(span_of(*argv)))
			ls.ids[ls.nids++] = *argv;
		else if (!pattern_parse(
			     span_of(*argv), &ls.patterns[ls.npatterns]))
			die(EXIT_USAGE, "%.100s: not a pattern", *argv);
		else
			ls.npatterns++;
	}
}

int
ls_main(int argc, char **argv)
{
	struct arena a;
	int ch;

	while ((ch = getopt(argc, argv, "+Rj")) != -1)
		switch (ch) {
		case 'R':
			ls.rcpts = true;
			break;
		case 'j':
			ls.json = true;
			break;
		default:
			usage_of("ls");
		}
	parse_patterns(argv + optind);
	open_queue(false);
	ls.routed = ls.rcpts || ls.json;
	for (size_t i = 0; i < ls.npatterns; i++)
		ls.routed |= ls.patterns[i].kind == PATTERN_ROUTE;
	arena_init(&a, ROUTES_ARENA);
	if (ls.routed)
		load_routes(&a, &ls.routes);
	out_init(&ls.out, STDOUT_FILENO, output, sizeof(output));
	if (ls.nids > 0)
		for (size_t i = 0; i < ls.nids; i++)
			show_one(NULL, ls.ids[i]);
	else if (queue_list(&queue, "", show_one, NULL) == -1)
		die_sys(EXIT_TEMP, "queue %s", queue.path);
	if (out_flush(&ls.out) == -1)
		die_sys(EXIT_TEMP, "standard output");
	arena_free(&a);
	return EXIT_OK;
}
