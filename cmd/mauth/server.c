#include <signal.h>
#include <unistd.h>

#include "base/die.h"
#include "io/fs.h"
#include "io/ready.h"
#include "io/spawn.h"
#include "io/user.h"
#include "mauth.h"

static void
fill_session(struct session *s, const struct mauth *m, const struct login *l)
{
	if (!span_cstr(span_of(l->user.address), s->login, sizeof(s->login)))
		die(EXIT_TEMP, "%s: name too long", l->user.address);
	snprintf(s->service, sizeof(s->service), "%s", m->proto->service);
	snprintf(s->mech, sizeof(s->mech), "%s", l->mech);
	snprintf(s->label, sizeof(s->label), "%s", l->label);
	snprintf(s->tls, sizeof(s->tls), "%s", m->tls_facts);
	snprintf(s->conn, sizeof(s->conn), "%s", m->conn);
}

/* No login is root: not by a mistake in a file, nor by one of a helper. */
static void
become(const struct mauth *m, const struct login *l)
{
	uid_t uid = m->run_as != NULL ? m->uid : l->user.uid;
	gid_t gid = m->run_as != NULL ? m->gid : l->user.gid;

	if (!m->root)
		return;
	if (uid == 0)
		die(EXIT_TEMP, "%s: its uid is 0", l->user.address);
	if (user_become(uid, gid) == -1)
		die_sys(EXIT_TEMP, "become uid %lu", (unsigned long)uid);
}

/* To the server that is ready: does not return when that has it. */
static void
hand_over(struct mauth *m, const struct login *l, int record)
{
	struct ready_session s = { .sock = STDIN_FILENO,
		.life = ready_life(),
		.record = record,
		.hold = l->seat,
		.uid = l->user.uid,
		.gid = l->user.gid,
		.env = &m->env };

	if (ready_server() == NULL || s.life == -1)
		return;
	if (m->root && s.uid == 0)
		die(EXIT_TEMP, "%s: its uid is 0", l->user.address);
	env_setf(&m->env, "PNEU_SESSION", "%d", READY_CTL);
	if (ready_send_session(ready_server(), &s) == 0)
		_exit(EXIT_OK);
	ready_leave_server();
}

void
server(struct mauth *m, const struct login *l, struct session *s)
{
	int fd[2];

	fill_session(s, m, l);
	env_set(&m->env, "USER", span_of(l->user.address));
	if (!env_set(&m->env, "HOME", span_of(l->user.home)) ||
	    !env_set(&m->env, "MAILDIR", span_of(l->user.maildir)))
		die(EXIT_TEMP, "%s: its home is no path for an environment",
		    l->user.address);
	if (spawn_pipe(fd) == -1 || session_send(fd[1], s) == -1)
		die_sys(EXIT_TEMP, "hand over the session");
	hand_over(m, l, fd[0]);
	/* life and the seat end with the server, which knows of neither */
	if (fs_cloexec(fd[0], false) == -1 ||
	    (l->seat != -1 && fs_cloexec(l->seat, false) == -1) ||
	    (ready_life() != -1 && fs_cloexec(ready_life(), false) == -1))
		die_sys(EXIT_TEMP, "hand over the session");
	env_setf(&m->env, "PNEU_SESSION", "%d", fd[0]);
	become(m, l);
	if (m->run_as == NULL && chdir(l->user.home) == -1)
		die_sys(EXIT_TEMP, "%s", l->user.home);
	signal(SIGPIPE, SIG_DFL);
	execve(m->path, m->program, env_vector(&m->env));
	die_sys(EXIT_TEMP, "%s", m->program[0]);
}
