#include "client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

void
fail(const char *what)
{
	fprintf(stderr, "load: %s\n", what);
	_exit(1);
}

SSL_CTX *
client_tls(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL)
		fail("no TLS");
	return ctx;
}

void
client_open(struct client *c, SSL_CTX *ctx, int port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((unsigned short)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int on = 1;

	c->at = c->n = 0;
	c->tag = 0;
	c->ssl = NULL;
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) == -1)
		fail("connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (ctx == NULL)
		return;
	c->ssl = SSL_new(ctx);
	if (c->ssl == NULL || SSL_set_fd(c->ssl, c->fd) != 1 ||
	    SSL_connect(c->ssl) != 1)
		fail("handshake");
}

void
client_close(struct client *c)
{
	if (c->ssl != NULL) {
		SSL_shutdown(c->ssl);
		SSL_free(c->ssl);
	}
	close(c->fd);
}

void
client_say(struct client *c, const char *s, size_t n)
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

/* More behind what is unread. */
static size_t
fill(struct client *c)
{
	long r;

	if (c->at > 0) {
		memmove(c->buf, c->buf + c->at, c->n);
		c->at = 0;
	}
	if (c->n == sizeof(c->buf))
		fail("a line without end");
	r = c->ssl == NULL
	    ? (long)read(c->fd, c->buf + c->n, sizeof(c->buf) - c->n)
	    : SSL_read(c->ssl, c->buf + c->n, (int)(sizeof(c->buf) - c->n));
	if (r <= 0)
		fail("the server has closed");
	c->n += (size_t)r;
	return (size_t)r;
}

char *
client_line(struct client *c)
{
	char *p, *end;

	while ((end = memchr(c->buf + c->at, '\n', c->n)) == NULL)
		fill(c);
	p = c->buf + c->at;
	c->n -= (size_t)(end + 1 - p);
	c->at += (size_t)(end + 1 - p);
	*end = '\0';
	if (end > p && end[-1] == '\r')
		end[-1] = '\0';
	return p;
}

void
imap_answer(struct client *c, const char *tag, struct answer *a)
{
	size_t n = strlen(tag);

	for (;;) {
		char *p = c->buf + c->at, *end = memchr(p, '\n', c->n);

		if (end == NULL) {
			a->bytes += (long)fill(c);
			continue;
		}
		if (p[0] == '*' && p[1] == ' ')
			a->untagged++;
		if (memcmp(p, tag, n) == 0 && p[n] == ' ')
			break;
		c->n -= (size_t)(end + 1 - p);
		c->at += (size_t)(end + 1 - p);
	}
	if (memcmp(c->buf + c->at + n, " OK", 3) != 0)
		fail(client_line(c));
	client_line(c);
}

struct answer
imap_ask(struct client *c, const char *command)
{
	struct answer a = { 0 };
	char tag[20], line[2000];
	double began = now_ms();
	int n;

	snprintf(tag, sizeof(tag), "a%u", ++c->tag);
	n = snprintf(line, sizeof(line), "%s %s\r\n", tag, command);
	client_say(c, line, (size_t)n);
	imap_answer(c, tag, &a);
	a.ms = now_ms() - began;
	return a;
}

void
imap_login(struct client *c, const char *user, const char *pass)
{
	char line[300];

	client_line(c);
	snprintf(line, sizeof(line), "LOGIN %s %s", user, pass);
	imap_ask(c, line);
}

void
imap_try(struct client *c, const char *command)
{
	char line[2000];

	snprintf(line, sizeof(line), "try %s\r\n", command);
	client_say(c, line, strlen(line));
	while (strncmp(client_line(c), "try ", 4) != 0)
		;
}

static void
say_base64(struct client *c, const char *before, const char *s)
{
	char line[2000], out[1000];

	EVP_EncodeBlock(
	    (unsigned char *)out, (const unsigned char *)s, (int)strlen(s));
	snprintf(line, sizeof(line), "%s%s\r\n", before, out);
	client_say(c, line, strlen(line));
}

static void
hear_base64(struct client *c, char *out, size_t size)
{
	char *s = client_line(c);

	while (strncmp(s, "* ", 2) == 0)
		s = client_line(c);
	if (strncmp(s, "+ ", 2) != 0 || strlen(s) > size)
		fail(s);
	out[EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)s + 2,
	    (int)strlen(s + 2))] = '\0';
}

static void
proof(const char *pass, const char *server, const char *bare, const char *nonce,
    char *final, size_t size)
{
	unsigned char salted[32], key[32], stored[32], sign[32], salt[200];
	char auth[1000], p[60];
	const char *s = strstr(server, ",s="), *i = strstr(server, ",i=");
	char *end;
	int n;

	if (s == NULL || i == NULL || i < s)
		fail("not SCRAM");
	snprintf((char *)auth, sizeof(auth), "%.*s", (int)(i - s - 3), s + 3);
	n = EVP_DecodeBlock(salt, (unsigned char *)auth, (int)strlen(auth));
	for (end = auth + strlen(auth); end[-1] == '='; end--)
		n--;
	PKCS5_PBKDF2_HMAC(pass, -1, salt, n, (int)strtol(i + 3, NULL, 10),
	    EVP_sha256(), 32, salted);
	HMAC(EVP_sha256(), salted, 32, (const unsigned char *)"Client Key", 10,
	    key, NULL);
	EVP_Digest(key, 32, stored, NULL, EVP_sha256(), NULL);
	snprintf(final, size, "c=biws,r=%s", nonce);
	n = snprintf(auth, sizeof(auth), "%s,%s,%s", bare, server, final);
	HMAC(EVP_sha256(), stored, 32, (unsigned char *)auth, (size_t)n, sign,
	    NULL);
	for (int k = 0; k < 32; k++)
		key[k] ^= sign[k];
	EVP_EncodeBlock((unsigned char *)p, key, 32);
	snprintf(final, size, "c=biws,r=%s,p=%s", nonce, p);
}

void
imap_scram(struct client *c, const char *user, const char *pass)
{
	char bare[200], first[220], server[1000], final[1000], nonce[300];
	struct answer a = { 0 };

	client_line(c);
	client_say(c, "s AUTHENTICATE SCRAM-SHA-256\r\n", 30);
	hear_base64(c, server, sizeof(server));
	snprintf(bare, sizeof(bare), "n=%s,r=bench%ld", user, (long)getpid());
	snprintf(first, sizeof(first), "n,,%s", bare);
	say_base64(c, "", first);
	hear_base64(c, server, sizeof(server));
	snprintf(nonce, sizeof(nonce), "%.*s", (int)strcspn(server + 2, ","),
	    server + 2);
	proof(pass, server, bare, nonce, final, sizeof(final));
	say_base64(c, "", final);
	hear_base64(c, server, sizeof(server));
	say_base64(c, "", "");
	imap_answer(c, "s", &a);
}
