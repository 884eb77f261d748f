#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/num.h"
#include "io/deadline.h"
#include "io/in.h"
#include "io/log.h"
#include "io/spawn.h"
#include "io/user.h"
#include "mauth.h"

enum {
	REQUEST_MAX = 512, /* of the checkpassword interface */
	REPORT_MAX = 4096,
	NO = 1, /* exit statuses of that interface */
	MISUSED = 2
};

static const char report_format[] = "pneu-report 1";

/* NAME NUL PASSWORD NUL TIMESTAMP NUL in a pipe, to be read as 3. */
static int
request(const struct sasl *sasl)
{
	struct buf b = { .max = REQUEST_MAX };
	int fd[2], r = -1;

	buf_puts(&b, sasl->user);
	buf_putc(&b, '\0');
	buf_puts(&b, sasl->password);
	buf_putc(&b, '\0');
	buf_putu(&b, (uint64_t)unix_now());
	buf_putc(&b, '\0');
	if (!b.over && spawn_pipe(fd) == 0) {
		r = write_all(fd[1], b.p, b.n, DEADLINE_NEVER);
		close(fd[1]);
		if (r == -1)
			close(fd[0]);
		else
			r = fd[0];
	}
	if (b.over)
		errno = EMSGSIZE;
	wipe(b.p, b.n);
	buf_free(&b);
	return r;
}

/* The words of -k, then ourselves, to say who it was made. */
static char **
command(struct arena *a, char *const *words)
{
	static char me[LIMIT_PATH], option[] = "-k", dash[] = "-";
	char **argv;
	size_t n = 0;

	while (words[n] != NULL)
		n++;
	snprintf(me, sizeof(me), "%s/mauth", spawn_self_dir());
	argv = arena_alloc(a, (n + 4) * sizeof(*argv));
	memcpy(argv, words, n * sizeof(*argv));
	argv[n++] = me;
	argv[n++] = option;
	argv[n++] = dash;
	return argv;
}

static bool
start(struct mauth *m, int in, int *out, pid_t *pid)
{
	struct arena a;
	struct spawn s = { .in = -1, .err = -1, .group = true, .nkeep = 1 };
	int fd[2];

	if (spawn_pipe(fd) == -1)
		return false;
	arena_init(&a, 4 * LIMIT_CONF_LINE);
	s.argv = command(&a, m->check);
	s.envp = env_vector(&m->env);
	s.keep_from[0] = in;
	s.keep_to[0] = 3;
	s.out = fd[1];
	*out = fd[0];
	*pid = spawn(&s);
	close(fd[1]);
	if (*pid == -1)
		close(fd[0]);
	arena_free(&a);
	return *pid != -1;
}

static bool
copy_path(struct span v, char *to, size_t size)
{
	return v.n > 0 && *v.p == '/' && span_cstr(v, to, size);
}

/* A name that the program chose, when it is an address that fits. */
static void
take_name(struct span v, struct user *u)
{
	char name[sizeof(u->address)];

	if (span_chr(v, '@') < v.n && span_cstr(v, name, sizeof(name)))
		memcpy(u->address, name, sizeof(name));
}

/* KEY SP VALUE LF ...; all of it, or it does not count. */
static bool
parse(struct span text, struct user *u)
{
	uint32_t uid = 0, gid = 0;
	bool uid_ok = false, gid_ok = false, home_ok = false;

	if (text.n == 0 || text.p[text.n - 1] != '\n' ||
	    !span_is(span_cut(&text, '\n'), report_format))
		return false;
	while (text.n > 0) {
		struct span v = span_cut(&text, '\n'), key = v;

		if (v.n == 0)
			continue;
		key = span_cut(&v, ' ');
		if (span_is(key, "uid"))
			uid_ok = num_u32(v, &uid);
		else if (span_is(key, "gid"))
			gid_ok = num_u32(v, &gid);
		else if (span_is(key, "home"))
			home_ok = copy_path(v, u->home, sizeof(u->home));
		else if (span_is(key, "maildir") && v.n > 0 &&
		    !copy_path(v, u->maildir, sizeof(u->maildir)))
			return false;
		else if (span_is(key, "user"))
			take_name(v, u);
	}
	u->uid = uid;
	u->gid = gid;
	if (u->maildir[0] == '\0' &&
	    snprintf(u->maildir, sizeof(u->maildir), "%s/Maildir", u->home) >=
		(int)sizeof(u->maildir))
		return false;
	return uid_ok && gid_ok && home_ok;
}

/* All that it prints, and how it ends. */
static int
finish(pid_t pid, int fd, char *text, size_t size, size_t *n)
{
	int64_t deadline = deadline_in(TIME_CHECKPASSWORD);
	enum in_result r;
	struct in in;

	in_init(&in, fd, text, size);
	in.deadline = deadline;
	while ((r = in_fill(&in)) == IN_DATA)
		;
	close(fd);
	*n = r == IN_EOF ? in.data.n : 0;
	return spawn_wait(pid, true, deadline);
}

bool
checkpw(struct mauth *m, const struct sasl *sasl, struct login *l,
    enum greet_failure *failure, const char **why)
{
	char text[REPORT_MAX];
	size_t n = 0;
	int in = request(sasl), out, status;
	bool too_long = in == -1 && errno == EMSGSIZE;
	pid_t pid;

	*failure = too_long ? GREET_WRONG : GREET_LATER;
	*why = too_long ? "secret" : "later";
	if (in == -1)
		return false;
	if (!start(m, in, &out, &pid)) {
		log_error("checkpassword program", NULL);
		close(in);
		return false;
	}
	close(in);
	status = finish(pid, out, text, sizeof(text), &n);
	l->user = (struct user){ 0 };
	if (!span_cstr(
		span_of(sasl->user), l->user.address, sizeof(l->user.address)))
		return false;
	if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == NO) {
		*failure = GREET_WRONG;
		*why = "secret";
		return false;
	}
	if (status == 0 && parse((struct span){ text, n }, &l->user))
		return true;
	log_error("checkpassword program",
	    status == 0 ? "said nothing of use" : spawn_why(status));
	return false;
}

static void
say(const char *key, const char *variable)
{
	const char *v = getenv(variable);

	if (v != NULL && strchr(v, '\n') == NULL)
		printf("%s %s\n", key, v);
}

int
checkpw_report(void)
{
	printf("%s\nuid %lu\ngid %lu\n", report_format, (unsigned long)getuid(),
	    (unsigned long)getgid());
	say("home", "HOME");
	say("user", "USER");
	say("maildir", "MAILDIR");
	return fflush(stdout) == 0 ? EXIT_OK : EXIT_TEMP;
}
