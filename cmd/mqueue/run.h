/*
 * run - the parts of `mqueue run`
 *
 * An active message has tasks: recipients of one destination, as one job.
 * A destination is a route, and with msend also a domain.  A worker is a
 * process of one route; while it has tasks it serves one destination, so
 * that a dead one delays no other.
 */
#ifndef MQUEUE_RUN_H
#define MQUEUE_RUN_H

#include <poll.h>
#include <sys/types.h>

#include "mqueue.h"

enum {
	ACTIVE_MAX = 256,
	WORKERS_MAX = 200,
	DEST_TASKS = 100, /* tasks of a destination in hand */
	WAITING_MAX = 1000000
};

/* The table of routes of a generation. */
struct table {
	struct arena arena;
	struct routes routes;
	uint32_t generation;
	size_t users; /* destinations and workers that point here */
};

struct active {
	struct active *next;
	struct attempt at;
	size_t tasks;
};

struct dest {
	struct dest *next;
	struct table *table;
	uint32_t number; /* of the route */
	const struct route *route;
	char domain[LIMIT_DOMAIN + 1];
	struct task *first, **last;
	size_t tasks; /* in hand: queued or given to a worker */
	size_t workers;
	int64_t until; /* failing: not before */
	char why[200];
	char (*waiting)[MAIL_ID_LEN]; /* messages for later, first in first */
	size_t head, nwaiting, cap;
};

struct task {
	struct task *next;
	struct active *active;
	struct dest *dest;
	uint32_t *rcpts; /* indexes */
	size_t nrcpts, answered, failed;
	struct span code; /* the last bad one */
};

struct worker {
	pid_t pid;
	struct table *table;
	uint32_t number;
	struct dest *dest; /* NULL: idle */
	bool jobs;         /* -J, else one message */
	int in, out, commit;
	struct buf to;   /* job lines not yet written */
	struct buf from; /* an unfinished line */
	struct task *tasks[LIMIT_JOBS_OUT];
	size_t ntasks;
	int64_t deadline; /* of the oldest thing it has to do */
	int64_t idle;     /* since when */
	off_t feed;       /* where the message goes on; -1: all is given */
	bool closed;      /* its output has ended */
	bool ended;
	bool killed;
	int status;
	char last[400]; /* its last words, for a reason */
};

struct run {
	int sock;  /* of the spawner */
	int watch; /* or -1 */
	int64_t started, looked;
	struct table *table; /* the current one */
	struct schedule schedule;
	struct active *active;
	size_t nactive;
	struct dest *dests;
	struct worker *workers[WORKERS_MAX];
	size_t nworkers;
	bool stopping, as_root;
	struct {
		uint64_t job_time, command_time, dest_workers, route_workers,
		    idle;
	} limit;
};

extern struct run run;

/* take.c: hand out a message that is due. */
void take_message(const char *id);
void dest_wake(struct dest *); /* there is room again */
void dests_forgive(void);      /* forget who was failing */
void dests_clean(void);

/* task.c: what becomes of a task. */
void task_result(struct task *, const struct result *);
void task_end(struct task *, const char *code, const char *why);
void active_end(struct active *);

/* worker.c: processes. */
void dest_dispatch(struct dest *);
void workers_poll(struct pollfd *, size_t *n);
void workers_serve(const struct pollfd *);
void workers_check(void); /* deadlines, idle ones, ends */
void worker_ended(pid_t, int status);
void workers_close_idle(void);

/* link.c: the spawner. */
void link_table(void);
void link_leave_table(struct table *); /* one of its users is no more */
pid_t link_start(
    const struct worker *, struct span text, const int fds[4], int *err);
void link_kill(pid_t);
void link_serve(void);

#endif
