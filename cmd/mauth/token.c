#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/words.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/in.h"
#include "io/log.h"
#include "io/out.h"
#include "io/spawn.h"
#include "mauth.h"

enum { NO = 1 }; /* the exit status for a token that is no good */

static const char file[] = "token", account[] = "pneu-relay";

/* [user=ACCOUNT] COMMAND, the first record; false when there is none. */
static bool
read_command(char *line, size_t size)
{
	static struct conf c;
	struct span s;
	bool ok;

	if (conf_open(&c, file) == -1) {
		if (errno != ENOENT)
			log_error("token", NULL);
		return false;
	}
	ok = conf_next(&c, &s) == 1 && span_cstr(s, line, size);
	conf_close(&c);
	return ok;
}

bool
token_is_configured(void)
{
	char line[LIMIT_CONF_LINE];

	return read_command(line, sizeof(line));
}

/* The token in a pipe: it always fits. */
static int
token_pipe(const char *token)
{
	int fd[2];

	if (spawn_pipe(fd) == -1)
		return -1;
	if (write_all(fd[1], token, strlen(token), deadline_in(1)) == -1) {
		close(fd[0]);
		fd[0] = -1;
	}
	close(fd[1]);
	return fd[0];
}

/* True, with a command that has been started and its output. */
static bool
start(struct mauth *m, int in, int *out, pid_t *pid)
{
	char line[LIMIT_CONF_LINE], name[64];
	struct spawn s = { .in = in, .err = -1, .group = true };
	struct span command, word;
	struct arena a;
	int fd[2];

	*pid = -1;
	if (!read_command(line, sizeof(line)) || spawn_pipe(fd) == -1)
		return false;
	command = span_of(line);
	snprintf(name, sizeof(name), "%s", account);
	if (span_starts(command, "user=")) {
		word = span_word(&command);
		span_take(&word, 5);
		if (!span_cstr(word, name, sizeof(name)))
			name[0] = '\0';
	}
	arena_init(&a, 4 * LIMIT_CONF_LINE);
	s.argv = words_split(&a, command);
	s.envp = env_vector(&m->env);
	s.out = fd[1];
	s.user = m->root;
	if (s.argv == NULL)
		errno = EINVAL;
	else if (!m->root || conf_account(name, &s.uid, &s.gid) == 0)
		*pid = spawn(&s);
	arena_free(&a);
	close(fd[1]);
	*out = fd[0];
	if (*pid == -1)
		close(fd[0]);
	return *pid != -1;
}

/* The first line of what it prints, all of which is read. */
static int
finish(pid_t pid, int fd, char *address, size_t size)
{
	int64_t deadline = deadline_in(TIME_TOKEN);
	char text[2 * LIMIT_ADDRESS];
	enum in_result r;
	struct in in;
	struct span line;

	in_init(&in, fd, text, sizeof(text));
	in.deadline = deadline;
	while ((r = in_fill(&in)) == IN_DATA)
		;
	close(fd);
	line = in.data;
	if (r != IN_EOF || span_chr(line, '\n') == line.n ||
	    !span_cstr(span_trim(span_cut(&line, '\n')), address, size))
		address[0] = '\0';
	return spawn_wait(pid, true, deadline);
}

/* Who the token is of, and whether that is who the peer wants to be. */
static bool
take(const struct sasl *sasl, const char *address, struct login *l,
    enum greet_failure *failure, const char **why)
{
	static struct user as;
	enum verdict v = users_find(span_of(address), &l->user), w = v;

	if (v == OK && sasl->user[0] != '\0')
		w = users_find(span_of(sasl->user), &as);
	if (v == TEMP || w == TEMP)
		return false;
	if (v == OK && w == OK &&
	    (sasl->user[0] == '\0' || strcmp(as.address, l->user.address) == 0))
		return true;
	*failure = GREET_WRONG;
	*why = "user";
	return false;
}

bool
token_judge(struct mauth *m, const struct sasl *sasl, struct login *l,
    enum greet_failure *failure, const char **why)
{
	char address[LIMIT_ADDRESS + 1];
	int in = token_pipe(sasl->token), out, status;
	pid_t pid;

	if (in == -1 || !start(m, in, &out, &pid)) {
		log_error("command of token", NULL);
		if (in != -1)
			close(in);
		return false;
	}
	close(in);
	status = finish(pid, out, address, sizeof(address));
	if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == NO) {
		*failure = GREET_WRONG;
		*why = "token";
		return false;
	}
	if (status == 0 && address[0] != '\0')
		return take(sasl, address, l, failure, why);
	log_error("command of token",
	    status == 0 ? "said no address" : spawn_why(status));
	return false;
}
