/* Job and result lines: there and back, and what is not one. */
#include "test.h"

#include "queue/job.h"

#define ID "01k2ab3cd4ef5g01"

static const char *const bad_jobs[] = {
	"",
	ID,
	ID "\t/q/f",
	ID "\t/q/f\tmsend",
	ID "\t/q/f\tmsend\t",
	ID "\t\tmsend\ta@b",
	"../../etc/passwd\t/q/f\tmsend\ta@b",
	ID "x\t/q/f\tmsend\ta@b",
	ID "\t/q/f\tmsend\ta b@c",
	ID "\t/q/f\tmsend\ta%2",
	ID "\t/q%00f\tmsend\ta@b",
};

static const char *const bad_results[] = {
	"",
	ID,
	ID "\ta@b",
	ID "\ta@b\t2.0\tok",
	ID "\ta@b\t3.0.0\tok",
	ID "\ta@b\t250\tok",
	ID "\ta@b\t2.0.0000\tok",
	ID "\ta@b\t2.0.0\tok\tmore",
	ID "\ta@b\t2.0.0\tnot encoded",
	ID "\t\t2.0.0\tok",
	"short\ta@b\t2.0.0\tok",
};

static void
round_trip(struct arena *a)
{
	struct span rcpts[2] = { SPAN("\"a b\t\"@c"), SPAN("x%y@z") };
	struct job j = { ID, "/q dir/" ID, "msend -h x", rcpts, 2 }, k;
	struct buf b = { .max = LIMIT_JOB_LINE };

	check(job_put(&b, &j));
	check(b.p[b.n - 1] == '\n');
	check(job_parse(a, (struct span){ b.p, b.n - 1 }, &k));
	check(strcmp(k.file, j.file) == 0 && strcmp(k.route, j.route) == 0);
	check(k.nrcpts == 2 && span_eq(k.rcpts[0], rcpts[0]) &&
	    span_eq(k.rcpts[1], rcpts[1]));
	buf_free(&b);
}

static void
results(struct arena *a)
{
	struct buf b = { .max = 2 * LIMIT_RESULT_LINE };
	static char big[3 * LIMIT_RESULT_LINE];
	struct result r;

	check(result_put(&b, ID, SPAN("a b@c"), "4.4.1", SPAN("no\nanswer")));
	check(result_parse(a, (struct span){ b.p, b.n - 1 }, &r));
	check(span_is(r.rcpt, "a b@c") && r.status == TEMP);
	check(span_is(r.text, "no\nanswer") && !r.remark);
	buf_clear(&b);
	memset(big, '\n', sizeof(big));
	check(result_put(
	    &b, ID, SPAN("a@c"), "5.0.0", (struct span){ big, sizeof(big) }));
	check(b.n <= LIMIT_RESULT_LINE);
	check(result_parse(a, (struct span){ b.p, b.n - 1 }, &r));
	check(r.status == PERM);
	buf_clear(&b);
	check(remark_put(&b, ID, SPAN("> MAIL FROM:<x>")));
	check(result_parse(a, (struct span){ b.p, b.n - 1 }, &r));
	check(r.remark && span_is(r.text, "> MAIL FROM:<x>"));
	check(!result_put(
	    &b, ID, (struct span){ big, sizeof(big) }, "2.0.0", SPAN("")));
	check(result_parse(a, span_of(ID "\ta@b\t2.0.0\t"), &r) &&
	    r.status == OK && r.text.n == 0);
	buf_free(&b);
}

static void
too_many(struct arena *a)
{
	struct buf b = { .max = LIMIT_JOB_LINE };
	struct job j;

	buf_puts(&b, ID "\t/q\tr");
	for (int i = 0; i < LIMIT_JOB_RCPTS; i++)
		buf_puts(&b, "\ta@b");
	check(job_parse(a, buf_span(&b), &j) && j.nrcpts == LIMIT_JOB_RCPTS);
	buf_puts(&b, "\ta@b");
	check(!job_parse(a, buf_span(&b), &j));
	buf_free(&b);
}

int
main(void)
{
	struct arena a;
	struct job j;
	struct result r;

	arena_init(&a, 1048576);
	for (size_t i = 0; i < sizeof(bad_jobs) / sizeof(bad_jobs[0]); i++)
		check(!job_parse(&a, span_of(bad_jobs[i]), &j));
	for (size_t i = 0; i < sizeof(bad_results) / sizeof(bad_results[0]);
	     i++)
		check(!result_parse(&a, span_of(bad_results[i]), &r));
	round_trip(&a);
	results(&a);
	too_many(&a);
	arena_free(&a);
	return done();
}
