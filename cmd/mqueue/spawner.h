/*
 * spawner - the only part of run that can become another user
 *
 * It parses `routes` itself and can do one thing: start the command of a
 * route of the table it last gave away.  It reads no message, no envelope
 * and no result.
 */
#ifndef MQUEUE_SPAWNER_H
#define MQUEUE_SPAWNER_H

#include <sys/types.h>

#include "base/buf.h"
#include "queue/routes.h"

enum spawner_kind { SPAWNER_TABLE, SPAWNER_START, SPAWNER_KILL };

struct spawner_request {
	uint32_t kind, generation, route;
	bool jobs; /* with -J; else the text behind: environment, arguments */
	pid_t pid;
};

enum spawner_answer { SPAWNER_TEXT, SPAWNER_STARTED, SPAWNER_ENDED };

struct spawner_reply {
	uint32_t kind, generation;
	bool more; /* SPAWNER_TEXT: goes on in the next packet */
	pid_t pid; /* or 0, and err */
	int err, status;
};

/*
 * Leave a spawner: the socket to it, or it dies.  In the child it never
 * returns.
 */
int spawner_leave(void);

#endif
