/*
 * Who can't wait: clients that talk before they are greeted, and those
 * that go on making errors.  Neither is ever a client of this host or one
 * that has logged in.
 */
#include <sys/socket.h>

#include "io/deadline.h"
#include "io/stop.h"
#include "policy.h"

/*
 * Something was said, and not just the connection closed.  A launcher that
 * feeds us from a pipe has a client that can't hear.
 */
static bool
has_spoken(const struct mrecv *m)
{
	char c;

	return recv(m->in.fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

bool
patience_early(struct mrecv *m)
{
	if (!policy.foreign || m->submission || m->tls[0] != '\0')
		return false;
	if (has_spoken(m))
		return true;
	/* a SIGTERM ends it, and then the dialogue */
	return limit_of(MRECV_GREET_DELAY) > 0 &&
	    stop_wait(m->in.fd, policy.greet_at) == 0 && has_spoken(m);
}

void
patience_tarpit(struct mrecv *m)
{
	uint64_t gentle = limit_of(MRECV_TARPIT_ERRORS), n;
	int64_t until;

	if (m->s.errors == policy.errors)
		return;
	n = m->s.errors > policy.errors ? m->s.errors : 0;
	policy.errors = m->s.errors;
	if (n <= gentle || !policy.foreign)
		return;
	n = (n - gentle) * limit_of(MRECV_TARPIT_DELAY);
	until = deadline_in(n < TIME_TARPIT ? (int64_t)n : TIME_TARPIT);
	(void)!stop_wait(-1, until < m->end ? until : m->end);
}
