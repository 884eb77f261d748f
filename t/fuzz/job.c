/* queue/job: what is read as a job or a result is written the same. */
#include <assert.h>

#include "queue/job.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span line = { (const char *)p, n };
	struct buf out = { .max = LIMIT_JOB_LINE };
	struct result r, again;
	struct arena a;
	struct job j, k;

	arena_init(&a, 1 << 22);
	if (job_parse(&a, line, &j) && job_put(&out, &j)) {
		struct span back = { out.p, out.n - 1 };

		assert(job_parse(&a, back, &k));
		assert(j.nrcpts == k.nrcpts && strcmp(j.file, k.file) == 0);
		for (size_t i = 0; i < j.nrcpts; i++)
			assert(span_eq(j.rcpts[i], k.rcpts[i]));
	}
	buf_clear(&out);
	if (result_parse(&a, line, &r) && !r.remark) {
		char code[64];

		assert(span_cstr(r.code, code, sizeof(code)));
		if (result_put(&out, r.id, r.rcpt, code, r.text)) {
			struct span back = { out.p, out.n - 1 };

			assert(span_chr(back, '\n') == back.n);
			assert(result_parse(&a, back, &again));
			assert(span_eq(r.rcpt, again.rcpt));
			assert(r.status == again.status);
		}
	}
	buf_free(&out);
	arena_free(&a);
	return 0;
}
