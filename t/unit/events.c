/* store/events: lines of the queue, and which rules they meet. */
#include "store/events.h"
#include "test.h"

static const struct {
	const char *line;
	bool ok;
	const char *from, *to, *changed;
} lines[] = {
	{ "+moved\t7\t1\t.Junk\tINBOX\tJunk\t%5CSeen%20$x\t-", true, "INBOX",
	    "Junk", "" },
	{ "3flagged\t7\t1\t-\tA%09B\t%2D\t-\t+%20%5CSeen", true, "A\tB", "-",
	    "+ \\Seen" },
	{ "+moved\t7\t1\t.Junk\tINBOX\tJunk\t-", false, NULL, NULL, NULL },
	{ "+moved\t7\t1\t.Junk\tINBOX\tJunk\t-\t-\tx", false, NULL, NULL,
	    NULL },
	{ "+none\t7\t1\t-\t-\t-\t-\t-", false, NULL, NULL, NULL },
	{ "+moved\tx\t1\t-\t-\t-\t-\t-", false, NULL, NULL, NULL },
	{ "+moved\t7\t1\t-\t%zz\t-\t-\t-", false, NULL, NULL, NULL },
	{ "+", false, NULL, NULL, NULL },
	{ "", false, NULL, NULL, NULL },
};

static const struct {
	const char *from, *to, *flag;
	bool ok;
} rules[] = {
	{ NULL, NULL, NULL, true },
	{ "inbox", "Junk", NULL, true },
	{ "*", "*", NULL, true },
	{ NULL, "junk", NULL, false },
	{ "Junk", NULL, NULL, false },
	{ NULL, NULL, "\\seen", true },
	{ NULL, NULL, "\\Deleted", false },
};

int
main(void)
{
	struct event ev = { .kind = EVENT_MOVED,
		.from = SPAN("INBOX"),
		.to = SPAN("Junk"),
		.changed = SPAN("+ \\Seen") };
	struct buf fields;

	buf_init(&fields, 4096);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		struct event got;
		bool ok = events_parse(span_of(lines[i].line), &got, &fields);

		check(ok == lines[i].ok);
		if (!ok)
			continue;
		check(got.uidvalidity == 7 && got.uid == 1);
		check(span_is(got.from, lines[i].from));
		check(span_is(got.to, lines[i].to));
		check(span_is(got.changed, lines[i].changed));
	}
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct event_rule r = { .kinds = EVENT_MOVED | EVENT_COPIED,
			.from = rules[i].from,
			.to = rules[i].to,
			.flag = rules[i].flag };

		check(events_match(&r, &ev) == rules[i].ok);
		r.kinds = EVENT_COPIED;
		check(!events_match(&r, &ev));
	}
	buf_free(&fields);
	return done();
}
