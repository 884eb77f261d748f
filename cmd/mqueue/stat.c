/*
 * mqueue stat - how much there is, by state or by domain
 */
#include "mqueue.h"

#include <unistd.h>

#include "base/date.h"
#include "io/deadline.h"
#include "mail/addr.h"
#include "mail/idn.h"

enum { SLOTS = 2 * LIMIT_STAT_DOMAINS };

enum state { NEW, ACTIVE, DEFERRED, HELD, STATES };

struct sum {
	const char *name;
	uint64_t messages, rcpts, size, waiting;
	int64_t oldest;
};

static struct {
	bool domains;
	int64_t now;
	struct sum states[STATES];
	struct arena names;
	struct sum *v[LIMIT_STAT_DOMAINS];
	size_t n;
	struct sum *slots[SLOTS];
	struct sum others; /* domains past LIMIT_STAT_DOMAINS */
} s = { .states = { { .name = "new" }, { .name = "active" },
	    { .name = "deferred" }, { .name = "held" } },
	.others = { .name = "*" } };

static void
older(struct sum *to, int64_t t)
{
	if (to->oldest == 0 || t < to->oldest)
		to->oldest = t;
}

static enum state
state_of(const struct queued *m)
{
	struct buf tail = { .max = 4096 };
	bool tried;

	if (queue_held(&queue, m->id, NULL))
		return HELD;
	if (m->leased && m->due > s.now)
		return ACTIVE;
	tried = story_read(&queue, m->id, &tail);
	buf_free(&tail);
	return tried ? DEFERRED : NEW;
}

static struct sum *
sum_of(struct span domain)
{
	uint32_t h = 2166136261U;
	struct sum **slot;

	for (size_t i = 0; i < domain.n; i++)
		h = (h ^ (unsigned char)domain.p[i]) * 16777619U;
	while (*(slot = &s.slots[h % SLOTS]) != NULL) {
		if (span_is(domain, (*slot)->name))
			return *slot;
		h++;
	}
	if (s.n == LIMIT_STAT_DOMAINS)
		return &s.others;
	*slot = arena_alloc(&s.names, sizeof(**slot));
	(*slot)->name = arena_str(&s.names, domain);
	return s.v[s.n++] = *slot;
}

static void
count_rcpt(const struct envelope *e, size_t i, enum state state)
{
	struct span local, domain = SPAN("-");
	struct buf ascii = { .max = LIMIT_DOMAIN };
	struct sum *to;

	if (e->rcpts[i].mark != MARK_TO)
		return;
	if (addr_split(e->rcpts[i].address, &local, &domain) &&
	    idn_to_ascii(&ascii, domain))
		domain = buf_span(&ascii);
	to = sum_of(domain);
	to->rcpts++;
	to->waiting += state == DEFERRED;
	older(to, e->received);
	buf_free(&ascii);
}

static bool
count(void *ctx, const char *id)
{
	struct queued m;
	struct envelope e = { .nrcpts = 0 };
	struct arena a;
	enum state state;

	(void)ctx;
	if (queued_open(&queue, id, false, &m) == -1)
		return true;
	arena_init(&a, ENVELOPE_ARENA);
	state = state_of(&m);
	if (envelope_read(m.fd, &a, &e) == -1) {
		e.nrcpts = 0;
		state = HELD;
	} else {
		older(&s.states[state], e.received);
	}
	s.states[state].messages++;
	s.states[state].rcpts += envelope_count(&e, MARK_TO);
	s.states[state].size += e.size;
	for (size_t i = 0; s.domains && i < e.nrcpts; i++)
		count_rcpt(&e, i, state);
	arena_free(&a);
	queued_close(&m);
	return true;
}

static const char *
time_of(const struct sum *v, char *date)
{
	return v->oldest == 0 ? "-" : date_rfc3339(v->oldest, date);
}

static void
print_states(void)
{
	char date[DATE_RFC3339_SIZE];

	for (size_t i = 0; i < STATES; i++) {
		const struct sum *v = &s.states[i];

		printf("%s\t%llu\t%llu\t%llu\t%s\n", v->name,
		    (unsigned long long)v->messages,
		    (unsigned long long)v->rcpts, (unsigned long long)v->size,
		    time_of(v, date));
	}
}

/* Most recipients first, then by name. */
static int
by_rcpts(const void *a, const void *b)
{
	const struct sum *x = *(struct sum *const *)a;
	const struct sum *y = *(struct sum *const *)b;

	if (x->rcpts != y->rcpts)
		return x->rcpts < y->rcpts ? 1 : -1;
	return strcmp(x->name, y->name);
}

static void
print_domain(const struct sum *v)
{
	char date[DATE_RFC3339_SIZE];

	printf("%s\t%llu\t%llu\t%s\n", v->name, (unsigned long long)v->rcpts,
	    (unsigned long long)v->waiting, time_of(v, date));
}

int
stat_main(int argc, char **argv)
{
	int ch;

	while ((ch = getopt(argc, argv, "+R")) != -1)
		if (ch == 'R')
			s.domains = true;
		else
			usage_of("stat");
	if (argc != optind)
		usage_of("stat");
	open_queue(false);
	s.now = unix_now();
	arena_init(&s.names,
	    LIMIT_STAT_DOMAINS * (sizeof(struct sum) + LIMIT_DOMAIN + 64));
	if (queue_list(&queue, "", count, NULL) == -1)
		die_sys(EXIT_TEMP, "queue %s", queue.path);
	if (!s.domains)
		print_states();
	qsort(s.v, s.n, sizeof(s.v[0]), by_rcpts);
	for (size_t i = 0; s.domains && i < s.n; i++)
		print_domain(s.v[i]);
	if (s.others.rcpts > 0)
		print_domain(&s.others);
	return fflush(stdout) == 0 ? EXIT_OK : EXIT_TEMP;
}
