/*
 * What an IMAP or POP3 client waits for.
 * usage: imapload [-s] PORT USER PASSWORD COMMAND...
 *
 * Connects to loopback (-s: with TLS), logs in and sends each COMMAND when
 * the one before is answered.  For one that begins with = a line is
 * printed: milliseconds from sending it to the end of its answer, untagged
 * lines, bytes.  Besides IMAP commands there are
 *   -COMMAND            which may fail
 *   append BOX N DIR    N messages of DIR/cur, one after the other
 *   idle DIR N          N messages renamed into DIR/new in IDLE, the median
 *   logins N CLIENTS    N times connect, log in and out, so many at once:
 *                       connections a second; "scrams": by SCRAM-SHA-256
 *   hold N COMMAND      N connections more which log in, send COMMAND and
 *                       IDLE; then reads standard input to its end
 *   pop N               another session, of POP3: PASS STAT UIDL LIST, and
 *                       RETR of N messages, pipelined: milliseconds of both
 * The first of these makes the connection, except logins, hold and pop.
 */
#include "client.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct client cl;
static SSL_CTX *ctx;
static const char *user, *pass;
static int port;

/* The messages of DIR/cur, with CRLF, made ready for APPEND. */
static struct literal {
	char *p;
	size_t n;
} * messages;

static void
read_message(struct literal *m, int dir, const char *name)
{
	static char text[1 << 20];
	int fd = openat(dir, name, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text));

	close(fd);
	if (n <= 0 || (m->p = malloc((size_t)n * 2)) == NULL)
		fail(name);
	m->n = 0;
	for (ssize_t i = 0; i < n; i++) {
		if (text[i] == '\n')
			m->p[m->n++] = '\r';
		m->p[m->n++] = text[i];
	}
}

static void
read_messages(const char *path, long n)
{
	char cur[1000];
	struct dirent *e;
	DIR *d;

	snprintf(cur, sizeof(cur), "%s/cur", path);
	messages = calloc((size_t)n, sizeof(*messages));
	if (messages == NULL || (d = opendir(cur)) == NULL)
		fail(cur);
	while (n > 0 && (e = readdir(d)) != NULL)
		if (e->d_name[0] != '.')
			read_message(&messages[--n], dirfd(d), e->d_name);
	if (n > 0)
		fail("too few messages to append");
	closedir(d);
}

static struct answer
append(const char *box, long n, const char *path)
{
	struct answer a = { 0 };
	double began;

	read_messages(path, n);
	began = now_ms();
	for (long i = 0; i < n; i++) {
		struct literal *m = &messages[i];
		char tag[20], line[1400];
		size_t len;

		snprintf(tag, sizeof(tag), "a%u", ++cl.tag);
		len = (size_t)snprintf(line, sizeof(line),
		    "%s APPEND %s {%zu+}\r\n", tag, box, m->n);
		if ((m->p = realloc(m->p, m->n + len + 2)) == NULL)
			fail("memory");
		memmove(m->p + len, m->p, m->n);
		memcpy(m->p, line, len);
		memcpy(m->p + len + m->n, "\r\n", 2);
		client_say(&cl, m->p, len + m->n + 2);
		imap_answer(&cl, tag, &a);
	}
	a.ms = now_ms() - began;
	return a;
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static struct answer
idle(const char *dir, long times)
{
	struct answer a = { 0 };
	double *took = calloc((size_t)times, sizeof(*took));

	if (took == NULL)
		exit(1);
	for (long i = 0; i < times; i++) {
		char tmp[1000], new[1000], tag[20];
		double began;
		int fd;

		snprintf(tag, sizeof(tag), "a%u", ++cl.tag);
		client_say(&cl, tag, strlen(tag));
		client_say(&cl, " IDLE\r\n", 7);
		while (client_line(&cl)[0] != '+')
			;
		usleep(20000 + (unsigned)(i * 37 % 100) * 1000);
		snprintf(tmp, sizeof(tmp), "%s/tmp/1700000000.i%ldP%ld.bench",
		    dir, i, (long)getpid());
		snprintf(new, sizeof(new), "%s/new/1700000000.i%ldP%ld.bench",
		    dir, i, (long)getpid());
		fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL, 0666);
		if (fd == -1 || dprintf(fd, "Subject: idle\n\nhi\n") < 0)
			fail("can't write a message");
		fchmod(fd, 0666);
		close(fd);
		began = now_ms();
		if (rename(tmp, new) == -1)
			fail("can't rename a message");
		while (strstr(client_line(&cl), " EXISTS") == NULL)
			;
		took[i] = now_ms() - began;
		client_say(&cl, "DONE\r\n", 6);
		imap_answer(&cl, tag, &a);
	}
	qsort(took, (size_t)times, sizeof(*took), compare);
	a.ms = took[times / 2];
	return a;
}

static struct answer
logins(long total, long clients, bool scram)
{
	struct answer a = { 0 };
	double began = now_ms();
	int status, bad = 0;

	for (long i = 0; i < clients; i++) {
		if (fork() != 0)
			continue;
		for (long k = 0; k < total / clients; k++) {
			client_open(&cl, ctx, port);
			(scram ? imap_scram : imap_login)(&cl, user, pass);
			imap_ask(&cl, "LOGOUT");
			client_close(&cl);
		}
		_exit(0);
	}
	while (wait(&status) > 0)
		bad |= status;
	if (bad != 0)
		fail("a login failed");
	a.ms =
	    (double)(total / clients * clients) / ((now_ms() - began) / 1000);
	return a;
}

static void
hold(long count, const char *command)
{
	char c;

	for (long i = 0; i < count; i++) {
		client_open(&cl, ctx, port);
		imap_login(&cl, user, pass);
		imap_ask(&cl, command);
		client_say(&cl, "i IDLE\r\n", 8);
		while (client_line(&cl)[0] != '+')
			;
	}
	printf("ready\n");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
}

/* Read n answers of POP3 that have many lines. */
static void
pop_lists(long n)
{
	while (n > 0) {
		char *s = client_line(&cl);

		if (strncmp(s, "-ERR", 4) == 0)
			fail(s);
		if (strcmp(s, ".") == 0)
			n--;
	}
}

static void
pop_ask(const char *command, const char *arg)
{
	char line[300];

	snprintf(line, sizeof(line), "%s%s\r\n", command, arg);
	client_say(&cl, line, strlen(line));
	if (strncmp(client_line(&cl), "+OK", 3) != 0)
		fail(command);
}

static void
pop(long messages)
{
	double began, listed, done;
	long sent = 0;

	client_open(&cl, ctx, port);
	client_line(&cl);
	pop_ask("USER ", user);
	began = now_ms();
	pop_ask("PASS ", pass);
	pop_ask("STAT", "");
	client_say(&cl, "UIDL\r\n", 6);
	pop_lists(1);
	client_say(&cl, "LIST\r\n", 6);
	pop_lists(1);
	listed = now_ms();
	/* 100 commands are under way, so that neither end blocks */
	for (long i = 0; i < messages; i++) {
		char line[3000];
		size_t n = 0;

		while (sent < messages && sent < i + 100 && n < 2900)
			n += (size_t)snprintf(
			    line + n, 30, "RETR %ld\r\n", ++sent);
		client_say(&cl, line, n);
		pop_lists(1);
	}
	done = now_ms();
	pop_ask("QUIT", "");
	client_close(&cl);
	printf("%.3f %.3f 0\n", listed - began, done - listed);
}

static void
run(const char *command)
{
	bool timed = command[0] == '=';
	struct answer a = { 0 };
	char word[300], dir[300];
	long n;

	command += timed;
	if (sscanf(command, "append %299s %ld %299s", word, &n, dir) == 3)
		a = append(word, n, dir);
	else if (sscanf(command, "idle %299s %ld", word, &n) == 2)
		a = idle(word, n);
	else if (command[0] == '-')
		imap_try(&cl, command + 1);
	else
		a = imap_ask(&cl, command);
	if (timed)
		printf("%.3f %ld %ld\n", a.ms, a.untagged, a.bytes);
}

int
main(int argc, char *argv[])
{
	bool tls = argc > 1 && strcmp(argv[1], "-s") == 0;
	long n, clients;
	int at;

	argv += tls;
	argc -= tls;
	if (argc < 5)
		return 64;
	ctx = tls ? client_tls() : NULL;
	port = (int)strtol(argv[1], NULL, 10);
	user = argv[2];
	pass = argv[3];
	argv += 4;
	if (sscanf(*argv, "logins %ld %ld", &n, &clients) == 2) {
		printf("%.1f 0 0\n", logins(n, clients, false).ms);
	} else if (sscanf(*argv, "scrams %ld %ld", &n, &clients) == 2) {
		printf("%.1f 0 0\n", logins(n, clients, true).ms);
	} else if (sscanf(*argv, "hold %ld %n", &n, &at) == 1) {
		hold(n, *argv + at);
	} else if (sscanf(*argv, "pop %ld", &n) == 1) {
		pop(n);
	} else {
		client_open(&cl, ctx, port);
		imap_login(&cl, user, pass);
		while (*argv != NULL)
			run(*argv++);
		imap_ask(&cl, "LOGOUT");
	}
	return 0;
}
