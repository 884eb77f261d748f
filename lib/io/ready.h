/*
 * ready - a program that is started once and forks for each connection
 *
 * To execute a program takes longer than to serve a short session.  A
 * launcher that has many connections for one of our programs starts it
 * once, as who shall serve them, and hands it each connection through a
 * socket.  The program has read its command line and nothing else; for a
 * connection it forks, and the child becomes what an executed program
 * would have been: descriptors, environment, all that is read later.
 *
 * The parent reads only what the launcher says, never a connection, and
 * the child has nothing left of the way to the launcher.
 *
 * A program that is ready may have one ready in its turn: mauth has the
 * server, which forks for a user who has logged in, and becomes that user
 * first of all.
 */
#ifndef IO_READY_H
#define IO_READY_H

#include <sys/types.h>

#include "base/limits.h"
#include "io/env.h"

/* The launcher's side.  All zero: nothing was started. */
struct ready {
	pid_t pid;             /* 0: none runs */
	int fd;                /* to it, when one runs: to be polled */
	bool serves;           /* it has said so */
	bool useless;          /* none of ours, or it ended without */
	bool sessions;         /* it serves users who have logged in */
	int64_t began, looked; /* deadline_now */
	char path[LIMIT_PATH];
	uint64_t file; /* which file that was */
};

/*
 * Start argv with the environment env as uid and gid (if become), unless
 * it is none of ours that can do this; it is not waited for.  False when
 * none was started.
 */
bool ready_start(struct ready *, char *const *argv, struct env *env,
    bool become, uid_t, gid_t);

/* Whether a connection can be handed over now. */
bool ready_serves(const struct ready *);

/*
 * Whether it is to be started: none runs, and it is one of ours.  One whose
 * file is another than when it was started is ended first; that is looked
 * at once a second.
 */
bool ready_due(struct ready *);

/*
 * A connection.  The program gets sock as descriptors 0 and 1, env besides
 * its own, and life, which it holds as long as it lives.
 */
struct ready_conn {
	int sock, life;
	int ctl, data;  /* or -1: SSLCTLFD, and SSLREADFD and SSLWRITEFD */
	unsigned facts; /* facts.h: to be had from ctl before it begins */
	int64_t wait;   /* seconds for them; then a byte is written to life */
	struct env *env;
};

/* Numbers of those descriptors in the program. */
enum { READY_CTL = 3, READY_DATA = 4, READY_DATA2 = 5 };

/* Hand it over: the descriptors can be closed then.  0, or -1 and errno. */
MUST int ready_send(struct ready *, const struct ready_conn *);

/*
 * The session of a user.  The program gets sock as descriptors 0 and 1,
 * record as READY_CTL, env in place of its own, life as above, and another
 * descriptor to be held as long, or -1.  It starts in HOME of env, as uid
 * and gid, where we are root.
 */
struct ready_session {
	int sock, life, record, hold;
	uid_t uid;
	gid_t gid;
	struct env *env;
};

MUST int ready_send_session(struct ready *, const struct ready_session *);

/*
 * fd can be read: 0; the number of the signal by which a child died, if
 * that was a fault; -1 when the program is gone.
 */
MUST int ready_hear(struct ready *);

/* No more connections for it: it ends when it has begun what it got. */
void ready_end(struct ready *);

/*
 * The program's side, after its command line and before all else.
 * Returns in a child that has a connection; at once when nobody wants a
 * ready program; else never.  With `server`, a command line, that is made
 * ready, too.
 */
void ready_serve(char *const *server);

/* The same of a program whose connections are sessions of users. */
void ready_serve_sessions(void);

/*
 * In such a child: the server that is ready, or NULL.  Who gives up its
 * rights must let it go first: to speak to it is to be anybody.
 */
struct ready *ready_server(void);
void ready_leave_server(void);

/*
 * In such a child, the descriptor `life`, close-on-exec: who executes
 * another program passes it on.  Else -1.
 */
int ready_life(void);

#endif
