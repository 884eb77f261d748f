/*
 * tls - TLS 1.2 and 1.3 on a connected socket, by OpenSSL
 *
 * With tlsserver.c and tlskeys.c the only user of openssl.  A tls_ctx holds
 * keys and settings and is made once; a tls is one connection.  Its
 * descriptor stays the caller's, who makes it non-blocking and waits where
 * a result says so; SIGPIPE must be ignored.
 */
#ifndef IO_TLS_H
#define IO_TLS_H

#include "base/span.h"

struct tls_ctx;
struct tls;

enum tls_result {
	TLS_DONE,       /* n bytes, or the handshake is complete */
	TLS_WANT_READ,  /* wait for the socket to be readable, call again */
	TLS_WANT_WRITE, /* the same, writable */
	TLS_EOF,        /* the peer closed properly (close_notify) */
	TLS_CUT,        /* the connection ended without close_notify */
	TLS_FAILED      /* tls_why says what */
};

/*
 * A server context with no key yet.  tickets: whether sessions may be
 * resumed (never on port 25).  alpn: the protocols that it speaks, the
 * preferred one first, between blanks; NULL: whatever a client likes.
 * Dies on lack of memory.
 */
struct tls_ctx *tls_server(bool tickets, const char *alpn);

/*
 * Load `default.pem`, every NAME.pem and `clients.pem` of a directory, as
 * pneu-tls(5) has it, where they are not as they were.  0; -1 when
 * default.pem does not parse or match, with a one-line reason in why; the
 * context keeps what it had before then.  Other bad files are logged, once
 * a state, and what they had before stays; those that are gone are dropped.
 */
MUST int tls_server_load(
    struct tls_ctx *, const char *dir, char *why, size_t size);

/*
 * Go through what a handshake needs, so that children forked afterwards
 * find it done, and in memory that they share.
 */
void tls_server_warm(struct tls_ctx *);

/*
 * A client context; ca is a file of certificates, or NULL for those of
 * the system.
 */
struct tls_ctx *tls_client(const char *ca);

/* Begin a session on fd.  name: for a client, the host (SNI); or NULL. */
struct tls *tls_accept(struct tls_ctx *, int fd);
struct tls *tls_connect(struct tls_ctx *, int fd, const char *name);

/* Go on with the handshake. */
enum tls_result tls_handshake(struct tls *);

/* At most max bytes; *n says how many. */
enum tls_result tls_read(struct tls *, void *, size_t max, size_t *n);
enum tls_result tls_write(struct tls *, const void *, size_t max, size_t *n);

/* Whether bytes are already decrypted and waiting. */
bool tls_pending(const struct tls *);

/* Send close_notify, once, without waiting for the peer's. */
void tls_shutdown(struct tls *);
void tls_free(struct tls *);

/* Why the last call failed, one line. */
const char *tls_why(const struct tls *);

/* Facts of a complete handshake: "TLSv1.3", the cipher, bits, the SNI. */
const char *tls_version(const struct tls *);
const char *tls_cipher(const struct tls *);
const char *tls_sni(const struct tls *);
int tls_bits(const struct tls *);

/* The protocol that was agreed on by ALPN, or "".  Until the next call. */
const char *tls_alpn(const struct tls *);

/*
 * What binds other proofs to this session: tls-exporter, RFC 9266.  False
 * before TLS 1.3.
 */
enum { TLS_EXPORTER_SIZE = 32 };
MUST bool tls_exporter(const struct tls *, unsigned char[TLS_EXPORTER_SIZE]);

/*
 * The one common name, and the first mail address among the other names,
 * of the peer's certificate (which tls_verified judges).  Any bytes but
 * NUL.  False when there is none, or none that fits.
 */
MUST bool tls_peer_cn(const struct tls *, char *, size_t);
MUST bool tls_peer_email(const struct tls *, char *, size_t);

/*
 * Whether the peer's certificate is good, for a client with its name; and
 * if not why.
 */
bool tls_verified(const struct tls *);
const char *tls_verify_why(const struct tls *);

#endif
