/*
 * runner - a process apart that starts the commands of a command line
 *
 * A program that speaks with strangers and yet has commands to start forks
 * a runner before it closes its sandbox behind itself.  The runner knows
 * the commands and the addresses by number: it starts no other, connects
 * to no other, and of what it is asked with it believes little: arguments
 * only behind the command of a transport, and variables only of the names
 * that a message or a connection has (MAIL_, TCP, SSL_, PROTO, IPC); PATH
 * and the like are its own.
 *
 * It ends with the program, whatever that dies of.
 */
#ifndef IO_RUNNER_H
#define IO_RUNNER_H

#include "io/net.h"
#include "io/spawn.h"

enum { RUNNER_COMMANDS = 20, RUNNER_ADDRS = 16 };

struct runner_command {
	char *const *argv;
	bool transport; /* -f SENDER -- RCPT... may follow */
};

struct runner {
	struct runner_command command[RUNNER_COMMANDS];
	size_t ncommands;
	struct net_addr addr[RUNNER_ADDRS];
	size_t naddrs;
	pid_t pid;
	int fd;
};

/*
 * Fork it, with the commands and addresses set in *r.  0, or -1 and errno.
 */
MUST int runner_start(struct runner *);

/*
 * Start command i as the leader of a process group of its own, with s's
 * envp, in, out, err, and keep_from[0] as keep_to[0]; nothing else of s
 * counts.  args: what follows its words, NULL-ended, or NULL.  The pid, or
 * -1 and errno, as from spawn.
 */
MUST pid_t runner_spawn(
    struct runner *, size_t i, const struct spawn *s, char *const *args);

/* As spawn_wait, for the whole group. */
int runner_wait(struct runner *, pid_t pid, int64_t deadline);

/* Kill the whole group at once, and wait for it. */
void runner_kill(struct runner *, pid_t pid);

/* Connect to address i: as net_connect. */
MUST int runner_connect(
    struct runner *, size_t i, int64_t deadline, bool *temp);

#endif
