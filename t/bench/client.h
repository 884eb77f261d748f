/*
 * client - connections of the load programs
 *
 * Each call ends the program when the server does not do what it should:
 * a figure of a failed run is worth nothing.
 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct client {
	int fd;
	SSL *ssl; /* NULL: in the clear */
	unsigned tag;
	size_t at, n;              /* what is unread in buf */
	char buf[4 * 1024 * 1024]; /* SORT answers in one line */
};

/* What one command brought. */
struct answer {
	double ms;
	long untagged, bytes;
};

double now_ms(void);
void fail(const char *what);
SSL_CTX *client_tls(void);
/* To PORT of loopback; with TLS from the first byte when ctx is there. */
void client_open(struct client *, SSL_CTX *ctx, int port);
void client_close(struct client *);
void client_say(struct client *, const char *, size_t);
/* The next line without its end; valid until the next call. */
char *client_line(struct client *);

/* IMAP: one command and all of its answer; it must be OK. */
struct answer imap_ask(struct client *, const char *command);
/* The same, and it may fail. */
void imap_try(struct client *, const char *command);
/* Read on until the tagged answer. */
void imap_answer(struct client *, const char *tag, struct answer *);
void imap_login(struct client *, const char *user, const char *pass);
void imap_scram(struct client *, const char *user, const char *pass);

#endif
