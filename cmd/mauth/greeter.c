#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <unistd.h>

#include "auth/monitor.h"
#include "base/die.h"
#include "io/deadline.h"
#include "io/in.h"
#include "io/sandbox.h"
#include "io/user.h"
#include "mauth.h"

enum { INPUT_SIZE = 16384, OUTPUT_MAX = 262144 };

struct greet {
	struct mauth *m;
	struct in in;
	int out_fd, monitor;
	struct buf out;
	void *engine;
};

_Noreturn static void
leave(enum greeter_end how)
{
	_exit((int)how);
}

static void
flush(struct greet *g)
{
	if (g->out.over ||
	    write_all(g->out_fd, g->out.p, g->out.n, g->m->deadline) == -1)
		leave(GREETER_LOST);
	buf_clear(&g->out);
}

_Noreturn static void
say_bye(struct greet *g, bool timeout)
{
	g->m->proto->bye(g->engine, timeout);
	/* the time is up, but a last line may still fit the socket */
	(void)!write_all(g->out_fd, g->out.p, g->out.n, deadline_in(1));
	leave(timeout ? GREETER_TIMEOUT : GREETER_LOST);
}

/* Wait for the peer, or for the end of the monitor. */
static void
fill(struct greet *g)
{
	struct pollfd p[2] = { { .fd = g->in.fd, .events = POLLIN },
		{ .fd = g->monitor, .events = POLLIN } };
	int r = poll(p, 2, deadline_left(g->m->deadline));

	if (r == -1 && errno != EINTR)
		leave(GREETER_LOST);
	if (r == 0)
		say_bye(g, true);
	if (r > 0 && p[1].revents != 0)
		say_bye(g, false);
	if (r <= 0 || p[0].revents == 0)
		return;
	switch (in_fill(&g->in)) {
	case IN_DATA:
		break;
	case IN_EOF:
		leave(GREETER_EOF);
	case IN_TIMEOUT:
	case IN_FULL:
	case IN_ERROR:
		leave(GREETER_LOST);
	}
}

/* What the peer had said in the clear must not count behind TLS. */
static void
start_tls(struct greet *g)
{
	static struct monitor_msg answer;
	struct mauth *m = g->m;

	if (g->in.data.n > 0)
		leave(GREETER_INJECTED);
	flush(g);
	if (monitor_send(g->monitor, MONITOR_TLS, SPAN("")) == -1 ||
	    monitor_receive(g->monitor, &answer, DEADLINE_NEVER) != 1 ||
	    answer.type != MONITOR_STARTED || answer.n == 0 ||
	    !span_cstr((struct span){ answer.data + 1, answer.n - 1 }, m->mechs,
		sizeof(m->mechs)))
		leave(GREETER_LOST);
	g->in.fd = m->tls.in;
	g->out_fd = m->tls.out;
	m->conf.tls_active = m->conf.plain_ok = true;
	m->proto->tls_started(g->engine);
}

_Noreturn static void
hand_over(struct greet *g)
{
	static struct monitor_msg never;
	struct span rest = g->in.data;
	bool ok;

	flush(g);
	ok = monitor_send(
		 g->monitor, MONITOR_STATE, g->m->proto->state(g->engine)) == 0;
	while (ok && rest.n > 0) {
		size_t n =
		    rest.n < MONITOR_DATA_MAX ? rest.n : MONITOR_DATA_MAX;

		ok = monitor_send(
			 g->monitor, MONITOR_UNREAD, span_take(&rest, n)) == 0;
	}
	if (ok && monitor_send(g->monitor, MONITOR_END, SPAN("")) == 0)
		(void)!monitor_receive(g->monitor, &never, DEADLINE_NEVER);
	leave(GREETER_LOST);
}

static void
take_answer(struct greet *g)
{
	static struct monitor_msg answer;

	if (monitor_receive(g->monitor, &answer, DEADLINE_NEVER) != 1)
		say_bye(g, false);
	if (answer.type == MONITOR_CHALLENGE)
		g->m->proto->challenge(g->engine, monitor_data(&answer));
	else if (answer.type == MONITOR_FAIL && answer.n == 1)
		g->m->proto->fail(
		    g->engine, (enum greet_failure)answer.data[0]);
	else if (answer.type == MONITOR_PROVED)
		hand_over(g);
	else
		leave(GREETER_LOST);
}

static void
ask(struct greet *g, enum greet_event e, const struct greet_auth *a)
{
	int r;

	if (e == GREET_AUTH)
		r = monitor_send_begin(
		    g->monitor, a->mech, a->has_response ? &a->response : NULL);
	else
		r = monitor_send(g->monitor, MONITOR_NEXT, a->response);
	if (r == 0)
		take_answer(g);
	else if (errno == EMSGSIZE)
		g->m->proto->fail(g->engine, GREET_SYNTAX);
	else
		say_bye(g, false);
}

_Noreturn static void
talk(struct greet *g)
{
	for (;;) {
		struct greet_auth a = { 0 };
		enum greet_event e =
		    g->m->proto->next(g->engine, &g->in.data, &a);

		switch (e) {
		case GREET_MORE:
			flush(g);
			fill(g);
			break;
		case GREET_TLS:
			start_tls(g);
			break;
		case GREET_AUTH:
		case GREET_RESPONSE:
			ask(g, e, &a);
			break;
		case GREET_CANCEL:
			break;
		case GREET_END:
			flush(g);
			leave(GREETER_QUIT);
		}
	}
}

void
greeter(struct mauth *m, int fd)
{
	static _Alignas(max_align_t) char engine[GREET_SIZE_MAX];
	static char input[INPUT_SIZE];
	struct greet g = {
		.m = m, .out_fd = STDOUT_FILENO, .monitor = fd, .engine = engine
	};

	if (user_empty_root(m->greeter_uid, m->greeter_gid) == -1 ||
	    sandbox_limits(true, 0) == -1 || sandbox_paths(NULL, 0) == -1 ||
	    sandbox_streams() == -1)
		die_sys(EXIT_TEMP, "greeter: give up privileges");
	if (m->proto->size > sizeof(engine))
		die(EXIT_SOFTWARE, "greeter: engine too large");
	in_init(&g.in, STDIN_FILENO, input, sizeof(input));
	if (!in_unread(&g.in, (struct span){ m->unread, m->nunread }))
		die(EXIT_SOFTWARE, "greeter: too much input");
	buf_init(&g.out, OUTPUT_MAX);
	m->proto->init(engine, &g.out, &m->conf);
	talk(&g);
}
