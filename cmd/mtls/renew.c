/*
 * The listener executes itself anew now and then, so that children do not
 * share one address layout for ever.  Sockets and slots are handed over
 * in a file without a name:
 *
 *	listen FD
 *	slot PID HALF LIFE NET DATA CTL BEGUN CONN GROUP [IP]
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/num.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/in.h"
#include "io/log.h"
#include "io/spawn.h"
#include "mtls.h"

static const char variable[] = "PNEU_MTLS_STATE";

static bool
write_state(FILE *f, const int *fds, int n)
{
	for (int i = 0; i < n; i++)
		fprintf(f, "listen %d\n", fds[i]);
	for (size_t i = 0; i < slots.n; i++) {
		const struct slot *s = &slots.slot[i];

		fprintf(f, "slot %ld %ld %d %d %d %d %d %s %s %s\n",
		    (long)s->pid, (long)s->half, s->life, s->parked.net,
		    s->parked.data, s->parked.ctl, s->begun, s->conn,
		    s->group[0] == '\0' ? "-" : s->group, s->ip);
	}
	return fflush(f) == 0 && lseek(fileno(f), 0, SEEK_SET) == 0;
}

static void
keep_slot(const struct slot *s, bool yes)
{
	const int fds[] = { s->life, s->parked.net, s->parked.data,
		s->parked.ctl };

	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		if (fds[i] != -1)
			fs_cloexec(fds[i], !yes);
}

/* Whether exec keeps what was handed over. */
static void
keep(const int *fds, int n, int state, bool yes)
{
	fs_cloexec(state, !yes);
	for (int i = 0; i < n; i++)
		fs_cloexec(fds[i], !yes);
	for (size_t i = 0; i < slots.n; i++)
		keep_slot(&slots.slot[i], yes);
}

void
renew(struct mtls *m, const int *fds, int n, char *const *argv)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, caught;
	char path[LIMIT_PATH], number[16];
	FILE *f;

	if (!keys_good(m) || !spawn_find(progname, path, sizeof(path)))
		return;
	f = tmpfile();
	if (f == NULL || !write_state(f, fds, n)) {
		log_error("hand over", NULL);
		if (f != NULL)
			fclose(f);
		return;
	}
	snprintf(number, sizeof(number), "%d", fileno(f));
	if (setenv(variable, number, 1) == 0) {
		keep(fds, n, fileno(f), true);
		sigaction(SIGHUP, &ignore, &caught); /* until caught again */
		slots_files(false);
		execv(path, argv);
		log_error(path, NULL);
		slots_files(true);
		sigaction(SIGHUP, &caught, NULL);
		keep(fds, n, fileno(f), false);
	}
	unsetenv(variable);
	fclose(f);
}

/* A descriptor, or -1. */
static int
take_fd(struct span *line)
{
	return (int)num_or(span_word(line), INT32_MAX, UINT64_MAX);
}

static void
take_slot(struct span line)
{
	uint64_t pid = num_or(span_word(&line), INT32_MAX, 0);
	uint64_t half = num_or(span_word(&line), INT32_MAX, 0);
	int life = take_fd(&line);
	struct parked p;
	struct span begun, conn, group;
	struct slot *s = slots_add("", &(struct net_peer){ .uid = -1 });

	if (s == NULL) { /* fewer than there were: it goes on, uncounted */
		for (int i = 0; i < 4; i++, life = take_fd(&line))
			if (life > STDERR_FILENO)
				close(life);
		return;
	}
	s->pid = (pid_t)pid;
	s->half = (pid_t)half;
	s->life = life;
	p.net = take_fd(&line);
	p.data = take_fd(&line);
	p.ctl = take_fd(&line);
	if (p.ctl != -1)
		slots_park(s, &p);
	begun = span_word(&line);
	conn = span_word(&line);
	group = span_word(&line);
	s->begun = span_is(begun, "1");
	if (!span_cstr(conn, s->conn, sizeof(s->conn)))
		s->conn[0] = '\0';
	if (!span_cstr(group, s->group, sizeof(s->group)) ||
	    strcmp(s->group, "-") == 0)
		s->group[0] = '\0';
	if (!span_cstr(span_word(&line), s->ip, sizeof(s->ip)))
		s->ip[0] = '\0';
	keep_slot(s, false);
}

bool
is_renewed(void)
{
	return getenv(variable) != NULL;
}

int
renewed(int *fds)
{
	static char buf[4096];
	const char *state = getenv(variable);
	uint64_t fd = num_or(span_of(state), INT32_MAX, 0);
	struct span line;
	struct in in;
	int n = 0;

	unsetenv(variable);
	if (fd <= STDERR_FILENO)
		return 0;
	in_init(&in, (int)fd, buf, sizeof(buf));
	while (in_line(&in, &line) == 1) {
		struct span kind = span_word(&line);
		uint32_t sock;

		if (span_is(kind, "slot")) {
			take_slot(line);
		} else if (span_is(kind, "listen") && n < SOCKETS_MAX &&
		    num_u32(span_word(&line), &sock)) {
			fds[n] = (int)sock;
			fs_cloexec(fds[n++], true);
		}
	}
	close((int)fd);
	return n;
}
