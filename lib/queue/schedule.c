#include "queue/schedule.h"

#include "base/die.h"
#include "base/limits.h"
#include "io/conf.h"

enum { YEAR = 31536000 };

void
schedule_limits(struct retry *r)
{
	r->first = (int64_t)conf_limit("retry-first", YEAR, TIME_RETRY_FIRST);
	r->max = (int64_t)conf_limit("retry-max", YEAR, TIME_RETRY_MAX);
	r->lifetime =
	    (int64_t)conf_limit("queue-lifetime", YEAR, TIME_QUEUE_LIFE);
	r->delay = (int64_t)conf_limit("delay-notice", YEAR, TIME_DELAY_NOTICE);
}

int64_t
schedule_next(const struct retry *r, unsigned tries, int64_t received,
    int64_t now, const char *id)
{
	int64_t wait = r->first, end = received + r->lifetime;
	unsigned spread = 0;

	for (unsigned i = 1; i < tries && wait < r->max; i++)
		wait *= 2;
	if (wait > r->max)
		wait = r->max;
	for (const char *p = id; *p != '\0'; p++)
		spread = spread * 31 + (unsigned char)*p;
	wait += wait * (int64_t)(spread % 100) / 1000;
	if (now < end && now + wait > end)
		return end;
	return now + wait;
}

int64_t
schedule_horizon(const struct retry *r)
{
	int64_t most = r->max + r->max / 10;

	return (most > LEASE_MAX ? most : LEASE_MAX) + 60;
}

static void
swap(struct due *a, struct due *b)
{
	struct due t = *a;

	*a = *b;
	*b = t;
}

void
schedule_push(struct schedule *s, int64_t at, const char *id)
{
	size_t i = s->n;

	if (s->n == s->cap) {
		size_t cap = s->cap == 0 ? 256 : s->cap * 2;

		if (cap > s->max) {
			s->lost = true;
			return;
		}
		s->v = realloc(s->v, cap * sizeof(s->v[0]));
		if (s->v == NULL)
			die_memory();
		s->cap = cap;
	}
	s->n++;
	s->v[i].at = at;
	memcpy(s->v[i].id, id, MAIL_ID_LEN);
	for (; i > 0 && s->v[i].at < s->v[(i - 1) / 2].at; i = (i - 1) / 2)
		swap(&s->v[i], &s->v[(i - 1) / 2]);
}

bool
schedule_pop(struct schedule *s, int64_t now, char id[MAIL_ID_LEN + 1])
{
	size_t i = 0;

	if (s->n == 0 || s->v[0].at > now)
		return false;
	memcpy(id, s->v[0].id, MAIL_ID_LEN);
	id[MAIL_ID_LEN] = '\0';
	s->v[0] = s->v[--s->n];
	for (;;) {
		size_t least = i;

		for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < s->n; k++)
			if (s->v[k].at < s->v[least].at)
				least = k;
		if (least == i)
			return true;
		swap(&s->v[i], &s->v[least]);
		i = least;
	}
}

int64_t
schedule_first(const struct schedule *s)
{
	return s->n == 0 ? INT64_MAX : s->v[0].at;
}
