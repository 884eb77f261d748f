/*
 * The other end of the spawner: tables, starts, ends.
 */
#include "run.h"

#include <errno.h>
#include <unistd.h>

#include "io/log.h"
#include "io/pass.h"
#include "spawner.h"

static char packet[PASS_MAX];

static void
ask(struct spawner_request q, struct span text, const int *fds, size_t nfds)
{
	struct buf b = { .max = PASS_MAX };

	buf_put(&b, (struct span){ (const char *)&q, sizeof(q) });
	buf_put(&b, text);
	if (pass_send(run.sock, buf_span(&b), fds, nfds) == -1)
		die_sys(EXIT_TEMP, "the spawner");
	buf_free(&b);
}

static struct spawner_reply
hear(struct span *text)
{
	struct spawner_reply r;
	int fds[PASS_FDS];
	ssize_t n = pass_receive(run.sock, packet, sizeof(packet), fds);

	if (n < (ssize_t)sizeof(r))
		die(EXIT_TEMP, "the spawner has ended");
	memcpy(&r, packet, sizeof(r));
	*text = (struct span){ packet + sizeof(r), (size_t)n - sizeof(r) };
	return r;
}

/* The next answer of a kind; ends of children in between are noted. */
static struct spawner_reply
wait_for(enum spawner_answer kind, struct span *text)
{
	for (;;) {
		struct spawner_reply r = hear(text);

		if (r.kind == kind)
			return r;
		if (r.kind == SPAWNER_ENDED)
			worker_ended(r.pid, r.status);
	}
}

static void
free_table(struct table *t)
{
	arena_free(&t->arena);
	free(t);
}

void
link_leave_table(struct table *t)
{
	if (--t->users == 0 && t != run.table)
		free_table(t);
}

void
link_table(void)
{
	struct table *t = calloc(1, sizeof(*t)), *old = run.table;
	struct buf b = { .max = ROUTES_MAX };
	struct spawner_reply r;
	struct span text;

	if (t == NULL)
		die_memory();
	ask((struct spawner_request){ .kind = SPAWNER_TABLE }, SPAN(""), NULL,
	    0);
	do {
		r = wait_for(SPAWNER_TEXT, &text);
		buf_put(&b, text);
	} while (r.more);
	arena_init(&t->arena, ROUTES_ARENA);
	text = arena_span(&t->arena, buf_span(&b));
	buf_free(&b);
	routes_parse(&t->arena, text, NULL, &t->routes);
	t->generation = r.generation;
	run.table = t;
	if (old != NULL && old->users == 0)
		free_table(old);
}

pid_t
link_start(const struct worker *w, struct span text, const int fds[4], int *err)
{
	struct spawner_reply r;
	size_t n = fds[3] != -1 ? 4 : 3;
	struct span none;

	ask((struct spawner_request){ .kind = SPAWNER_START,
		.generation = w->table->generation,
		.route = w->number,
		.jobs = w->jobs },
	    text, fds, n);
	r = wait_for(SPAWNER_STARTED, &none);
	*err = r.err;
	return r.err == 0 ? r.pid : -1;
}

void
link_kill(pid_t pid)
{
	ask((struct spawner_request){ .kind = SPAWNER_KILL, .pid = pid },
	    SPAN(""), NULL, 0);
}

void
link_serve(void)
{
	struct span text;
	struct spawner_reply r = hear(&text);

	if (r.kind == SPAWNER_ENDED)
		worker_ended(r.pid, r.status);
}
