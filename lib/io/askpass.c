#include "io/askpass.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "base/die.h"
#include "base/limits.h"
#include "io/deadline.h"
#include "io/out.h"

static int terminal = -1;
static struct termios with_echo;

/* A terminal that was left without an echo is of no use to anybody. */
static void
interrupted(int sig)
{
	tcsetattr(terminal, TCSAFLUSH, &with_echo);
	signal(sig, SIG_DFL);
	raise(sig);
}

static const char *
check(const char *p, size_t n, size_t size, char *to)
{
	if (n == 0)
		return "it is empty";
	if (n >= size)
		return "it is too long";
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)p[i] < ' ' || p[i] == 0x7f)
			return "it has a control character";
	memcpy(to, p, n);
	to[n] = '\0';
	return NULL;
}

enum { SECRET_MAX = LIMIT_TOKEN + 1024 };

/* The first line, byte for byte: what follows is for somebody else. */
static const char *
line_of(int fd, char *to, size_t size)
{
	char text[SECRET_MAX];
	const char *why;
	size_t n = 0;
	ssize_t r;

	while (n < sizeof(text)) {
		r = read(fd, text + n, 1);
		if (r == -1 && errno == EINTR)
			continue;
		if (r == -1)
			return strerror(errno);
		if (r == 0 || text[n] == '\n')
			break;
		n++;
	}
	if (n > 0 && text[n - 1] == '\r')
		n--;
	why = check(text, n, size, to);
	wipe(text, sizeof(text));
	return why;
}

static const char *
typed(const char *prompt, char *to, size_t size)
{
	const char *why;

	(void)!write_all(terminal, prompt, strlen(prompt), DEADLINE_NEVER);
	why = line_of(terminal, to, size);
	(void)!write_all(terminal, "\n", 1, DEADLINE_NEVER);
	return why;
}

static const char *
at_terminal(const char *prompt, bool twice, char *to, size_t size)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct termios quiet;
	char again[2048];
	const char *why;

	if (tcgetattr(terminal, &with_echo) == -1)
		return strerror(errno);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		signal(signals[i], interrupted);
	quiet = with_echo;
	quiet.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	if (tcsetattr(terminal, TCSAFLUSH, &quiet) == -1)
		return strerror(errno);
	why = typed(prompt, to, size);
	if (why == NULL && twice) {
		why = typed("again: ", again, sizeof(again));
		if (why == NULL && strcmp(to, again) != 0)
			why = "not the same twice";
		wipe(again, sizeof(again));
	}
	tcsetattr(terminal, TCSAFLUSH, &with_echo);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		signal(signals[i], SIG_DFL);
	return why;
}

const char *
askpass(int fd, const char *prompt, bool twice, char *to, size_t size)
{
	const char *why;

	to[0] = '\0';
	if (fd != -1 || !isatty(STDIN_FILENO))
		return line_of(fd != -1 ? fd : STDIN_FILENO, to, size);
	terminal = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (terminal == -1)
		return strerror(errno);
	why = at_terminal(prompt, twice, to, size);
	close(terminal);
	return why;
}
