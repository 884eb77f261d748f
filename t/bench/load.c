/*
 * Messages by SMTP with STARTTLS, by so many connections at once.
 * usage: load [-1] PORT CONNECTIONS MESSAGES SIZE; prints messages a second
 *
 * smtp-source has no TLS.  -1: a connection for each message.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct client {
	int fd;
	SSL *ssl; /* NULL: in the clear */
	char buf[4096];
	size_t n;
};

static void
fail(const char *what)
{
	fprintf(stderr, "load: %s\n", what);
	_exit(1);
}

static void
say(struct client *c, const char *s, size_t n)
{
	while (n > 0) {
		long w = c->ssl == NULL ? (long)write(c->fd, s, n)
					: SSL_write(c->ssl, s, (int)n);

		if (w <= 0)
			fail("the server is gone");
		s += w;
		n -= (size_t)w;
	}
}

/* Read one reply, of a class. */
static void
hear(struct client *c, char class)
{
	for (;;) {
		char *end = memchr(c->buf, '\n', c->n);
		bool last;
		long r;

		if (end != NULL) {
			last = c->buf[3] != '-';
			if (last && c->buf[0] != class) {
				fprintf(
				    stderr, "load: %.*s", (int)c->n, c->buf);
				_exit(1);
			}
			c->n -= (size_t)(end + 1 - c->buf);
			memmove(c->buf, end + 1, c->n);
			if (last)
				return;
			continue;
		}
		if (c->n == sizeof(c->buf))
			fail("a line without end");
		r = c->ssl == NULL
		    ? (long)read(c->fd, c->buf + c->n, sizeof(c->buf) - c->n)
		    : SSL_read(
			  c->ssl, c->buf + c->n, (int)(sizeof(c->buf) - c->n));
		if (r <= 0)
			fail("the server has closed");
		c->n += (size_t)r;
	}
}

static void
ask(struct client *c, const char *s, char class)
{
	say(c, s, strlen(s));
	hear(c, class);
}

static void
begin(struct client *c, SSL_CTX *ctx, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((unsigned short)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1;

	*c = (struct client){ .fd = socket(AF_INET, SOCK_STREAM, 0) };
	if (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) == -1)
		fail("connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	hear(c, '2');
	ask(c, "EHLO load.test\r\n", '2');
	ask(c, "STARTTLS\r\n", '2');
	c->ssl = SSL_new(ctx);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1 ||
	    SSL_connect(c->ssl) != 1)
		fail("handshake");
	ask(c, "EHLO load.test\r\n", '2');
}

static void
end(struct client *c)
{
	ask(c, "QUIT\r\n", '2');
	SSL_shutdown(c->ssl);
	SSL_free(c->ssl);
	close(c->fd);
}

static void
work(SSL_CTX *ctx, int port, long n, const char *text, size_t size, bool one)
{
	struct client c;

	for (long i = 0; i < n; i++) {
		if (i == 0 || one)
			begin(&c, ctx, port);
		ask(&c, "MAIL FROM:<a@elsewhere.test>\r\n", '2');
		ask(&c, "RCPT TO:<bob@example.test>\r\n", '2');
		ask(&c, "DATA\r\n", '3');
		say(&c, text, size);
		hear(&c, '2');
		if (i == n - 1 || one)
			end(&c);
	}
	_exit(0);
}

static char *
make_text(size_t size)
{
	static const char head[] = "From: <a@elsewhere.test>\r\n"
				   "To: <bob@example.test>\r\n"
				   "Subject: load\r\n\r\n";
	size_t n = sizeof(head) - 1;
	char *p = malloc(size);

	if (p == NULL || size < 200)
		exit(64);
	memset(p, 'X', size);
	memcpy(p, head, n);
	for (; n + 72 < size - 5; n += 72)
		memcpy(p + n + 70, "\r\n", 2);
	memcpy(p + size - 5, "\r\n.\r\n", 5);
	return p;
}

int
main(int argc, char *argv[])
{
	bool one = argc == 6 && strcmp(argv[1], "-1") == 0;
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	struct timespec a, b;
	long clients, messages;
	int status, bad = 0;
	size_t size;
	char *text;

	argv += one;
	if (argc - one != 5 || ctx == NULL)
		return 64;
	clients = strtol(argv[2], NULL, 10);
	messages = strtol(argv[3], NULL, 10);
	size = (size_t)strtol(argv[4], NULL, 10);
	text = make_text(size);
	clock_gettime(CLOCK_MONOTONIC, &a);
	for (long i = 0; i < clients; i++)
		if (fork() == 0)
			work(ctx, (int)strtol(argv[1], NULL, 10),
			    messages / clients, text, size, one);
	while (wait(&status) > 0)
		bad |= status;
	clock_gettime(CLOCK_MONOTONIC, &b);
	if (bad != 0)
		return 1;
	printf("%.0f\n",
	    (double)(messages / clients * clients) /
		((double)(b.tv_sec - a.tv_sec) +
		    (double)(b.tv_nsec - a.tv_nsec) / 1e9));
	return 0;
}
