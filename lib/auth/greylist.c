#include "auth/greylist.h"

#include "base/buf.h"
#include "base/limits.h"

enum { UNTIL, FIRST, PASSED };

enum { KEY_MAX = 2 * LIMIT_ADDRESS + 80 };

static void
put_folded(struct buf *b, struct span s)
{
	for (size_t i = 0; i < s.n; i++)
		buf_putc(b, to_lower(s.p[i]));
	buf_putc(b, '\0');
}

/* A network is known: its time begins anew. */
static bool
known_network(struct slots *f, struct span network,
    const struct greylist_times *t, int64_t now)
{
	char room[KEY_MAX];
	struct buf b = { room, 0, sizeof(room), sizeof(room), false };
	struct slot s;

	put_folded(&b, SPAN("network"));
	put_folded(&b, network);
	if (!slots_begin(f, buf_span(&b), now, &s))
		return true;
	s.v[UNTIL] = (uint32_t)now + t->known;
	slots_end(f, &s, s.found);
	return s.found;
}

static void
learn_network(struct slots *f, struct span network,
    const struct greylist_times *t, int64_t now)
{
	char room[KEY_MAX];
	struct buf b = { room, 0, sizeof(room), sizeof(room), false };
	struct slot s;

	put_folded(&b, SPAN("network"));
	put_folded(&b, network);
	if (!slots_begin(f, buf_span(&b), now, &s))
		return;
	s.v[UNTIL] = (uint32_t)now + t->known;
	s.v[PASSED] = 1;
	slots_end(f, &s, true);
}

static enum greylist_result
judge(
    struct slot *s, const struct greylist_times *t, int64_t now, uint32_t *wait)
{
	uint32_t age = (uint32_t)now - s->v[FIRST];

	*wait = t->delay;
	if (!s->found || s->v[FIRST] > now) { /* a clock went backwards */
		s->v[FIRST] = (uint32_t)now;
		s->v[UNTIL] = (uint32_t)now + t->retry;
		s->v[PASSED] = 0;
		return t->delay == 0 ? GREYLIST_PASSED : GREYLIST_NEW;
	}
	if (s->v[PASSED] == 0 && age < t->delay) {
		*wait = t->delay - age;
		return GREYLIST_EARLY;
	}
	s->v[UNTIL] = (uint32_t)now + t->known;
	if (s->v[PASSED] != 0)
		return GREYLIST_KNOWN;
	s->v[PASSED] = 1;
	return GREYLIST_PASSED;
}

enum greylist_result
greylist_ask(struct slots *f, struct span network, struct span sender,
    struct span rcpt, const struct greylist_times *t, int64_t now,
    uint32_t *wait)
{
	char room[KEY_MAX];
	struct buf b = { room, 0, sizeof(room), sizeof(room), false };
	enum greylist_result r;
	struct slot s;

	*wait = 0;
	if (f->fd == -1 || known_network(f, network, t, now))
		return GREYLIST_KNOWN;
	put_folded(&b, SPAN("triplet"));
	put_folded(&b, network);
	put_folded(&b, sender);
	put_folded(&b, rcpt);
	(void)!slots_begin(f, buf_span(&b), now, &s);
	r = judge(&s, t, now, wait);
	slots_end(f, &s, true);
	if (r == GREYLIST_PASSED)
		learn_network(f, network, t, now);
	return r;
}
