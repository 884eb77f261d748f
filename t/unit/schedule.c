/* When mail is due: growing, spread, bounded; and the heap's order. */
#include "test.h"

#include <stdlib.h>

#include "queue/schedule.h"

static void
times(void)
{
	const struct retry r = { 300, 14400, 432000, 14400 };
	const char *id = "01k2ab3cd4ef5g01";
	int64_t last = 0;

	for (unsigned n = 1; n < 40; n++) {
		int64_t wait = schedule_next(&r, n, 1000, 1000, id) - 1000;

		check(wait >= 300 && wait <= 14400 + 1440);
		check(wait >= last);
		last = wait;
	}
	check(last >= 14400);
	/* never past the end of its life, where it is given up */
	check(schedule_next(&r, 30, 1000, 1000 + 431990, id) == 433000);
	check(schedule_horizon(&r) > 14400 + 1440);
}

static void
order(void)
{
	struct schedule s = { .max = 4096 };
	char id[MAIL_ID_LEN + 1], name[MAIL_ID_LEN + 8];
	int64_t last = -1;
	unsigned seed = 7;

	for (int i = 0; i < 1000; i++) {
		seed = seed * 1103515245 + 12345;
		snprintf(name, sizeof(name), "%016u", seed >> 16 & 0x3fff);
		schedule_push(&s, seed >> 16 & 0x3fff, name);
	}
	check(s.n == 1000 && !s.lost);
	check(!schedule_pop(&s, schedule_first(&s) - 1, id));
	while (s.n > 0) {
		int64_t at = schedule_first(&s);

		check(at >= last);
		check(schedule_pop(&s, INT64_MAX, id));
		check(strtoll(id, NULL, 10) == at);
		last = at;
	}
	check(schedule_first(&s) == INT64_MAX);
	for (int i = 0; i < 5000; i++)
		schedule_push(&s, i, "0000000000000000");
	check(s.lost && s.n <= 4096);
	free(s.v);
}

int
main(void)
{
	times();
	order();
	return done();
}
