#include "io/tls.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/die.h"
#include "base/limits.h"
#include "io/log.h"

enum { NAMES_MAX = 64, WHY_SIZE = 256 };

struct pair { /* NAME.pem */
	char name[LIMIT_DOMAIN + 1];
	SSL_CTX *ctx;
};

struct tls_ctx {
	SSL_CTX *ctx;
	bool tickets;
	struct pair pair[NAMES_MAX];
	size_t npair;
};

struct tls {
	SSL *ssl;
	bool ended;
	char why[WHY_SIZE];
};

/* The reason at the top of OpenSSL's queue, which is emptied. */
static void
reason(char *why, size_t size)
{
	unsigned long e = ERR_peek_last_error();
	const char *text = e == 0 ? NULL : ERR_reason_error_string(e);

	if (text != NULL)
		snprintf(why, size, "%s", text);
	else if (errno != 0)
		snprintf(why, size, "%s", strerror(errno));
	else
		snprintf(why, size, "failed");
	ERR_clear_error();
}

/* Nobody is there to ask: a key under a passphrase is a bad key. */
static int
no_passphrase(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/*
 * TLS 1.2 with forward secrecy and AEAD, and 1.3: the intermediate
 * settings that browsers and mail hosts agree on.
 */
static SSL_CTX *
new_ctx(const SSL_METHOD *method, bool tickets)
{
	SSL_CTX *c = SSL_CTX_new(method);

	if (c == NULL)
		die_memory();
	SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
	SSL_CTX_set_cipher_list(
	    c, "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:!aNULL");
	SSL_CTX_set1_groups_list(c, "X25519:P-256:P-384");
	SSL_CTX_set_options(c,
	    SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION |
		(tickets ? 0 : SSL_OP_NO_TICKET));
	/* a session lives in its ticket: each connection is a process */
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_default_passwd_cb(c, no_passphrase);
	SSL_CTX_set_mode(c,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_num_tickets(c, tickets ? 1 : 0);
	return c;
}

/* Pick the pair of the name that the client asks for. */
static int
on_name(SSL *ssl, int *alert, void *arg)
{
	const struct tls_ctx *t = arg;
	const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

	(void)alert;
	for (size_t i = 0; name != NULL && i < t->npair; i++)
		if (strcasecmp(t->pair[i].name, name) == 0) {
			SSL_set_SSL_CTX(ssl, t->pair[i].ctx);
			return SSL_TLSEXT_ERR_OK;
		}
	return name == NULL ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK;
}

struct tls_ctx *
tls_server(bool tickets)
{
	struct tls_ctx *t = calloc(1, sizeof(*t));

	if (t == NULL)
		die_memory();
	t->tickets = tickets;
	return t;
}

/* A context with the key and chain of one file; NULL and why. */
static SSL_CTX *
load_pair(struct tls_ctx *t, const char *path, char *why, size_t size)
{
	SSL_CTX *c = new_ctx(TLS_server_method(), t->tickets);

	errno = 0;
	SSL_CTX_set_options(c, SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_dh_auto(c, 1);
	SSL_CTX_set_session_id_context(c, (const unsigned char *)"pneu", 4);
	if (SSL_CTX_use_certificate_chain_file(c, path) == 1 &&
	    SSL_CTX_use_PrivateKey_file(c, path, SSL_FILETYPE_PEM) == 1 &&
	    SSL_CTX_check_private_key(c) == 1) {
		SSL_CTX_set_tlsext_servername_callback(c, on_name);
		SSL_CTX_set_tlsext_servername_arg(c, t);
		return c;
	}
	reason(why, size);
	SSL_CTX_free(c);
	return NULL;
}

static struct pair *
find_pair(struct tls_ctx *t, const char *name)
{
	for (size_t i = 0; i < t->npair; i++)
		if (strcmp(t->pair[i].name, name) == 0)
			return &t->pair[i];
	if (t->npair == NAMES_MAX)
		return NULL;
	snprintf(t->pair[t->npair].name, sizeof(t->pair[0].name), "%s", name);
	return &t->pair[t->npair];
}

/* NAME.pem for a server name; a bad one is logged, and the old one kept. */
static void
load_name(struct tls_ctx *t, const char *dir, const char *file)
{
	char path[LIMIT_PATH], name[LIMIT_DOMAIN + 1], why[WHY_SIZE];
	struct span s = span_of(file);
	struct pair *p;
	SSL_CTX *c;

	if (s.n <= 4 || !span_is((struct span){ s.p + s.n - 4, 4 }, ".pem") ||
	    *s.p == '.' || span_is(s, "default.pem") ||
	    !span_cstr((struct span){ s.p, s.n - 4 }, name, sizeof(name)) ||
	    snprintf(path, sizeof(path), "%s/%s", dir, file) >=
		(int)sizeof(path))
		return;
	c = load_pair(t, path, why, sizeof(why));
	if (c == NULL) {
		log_error(path, why);
		return;
	}
	p = find_pair(t, name);
	if (p == NULL) {
		log_error(path, "too many names");
		SSL_CTX_free(c);
		return;
	}
	if (p == &t->pair[t->npair])
		t->npair++;
	else
		SSL_CTX_free(p->ctx);
	p->ctx = c;
}

/* Names whose files were removed are no longer served. */
static void
drop_gone(struct tls_ctx *t, const char *dir)
{
	char path[LIMIT_PATH];

	for (size_t i = t->npair; i-- > 0;) {
		int n = snprintf(
		    path, sizeof(path), "%s/%s.pem", dir, t->pair[i].name);

		if (n < (int)sizeof(path) && access(path, F_OK) == 0)
			continue;
		SSL_CTX_free(t->pair[i].ctx);
		t->pair[i] = t->pair[--t->npair];
	}
}

int
tls_server_load(struct tls_ctx *t, const char *dir, char *why, size_t size)
{
	char path[LIMIT_PATH];
	struct dirent *e;
	SSL_CTX *c;
	DIR *d;

	if (snprintf(path, sizeof(path), "%s/default.pem", dir) >=
	    (int)sizeof(path)) {
		snprintf(why, size, "path too long");
		return -1;
	}
	c = load_pair(t, path, why, size);
	if (c == NULL)
		return -1;
	if (t->ctx != NULL)
		SSL_CTX_free(t->ctx);
	t->ctx = c;
	drop_gone(t, dir);
	d = opendir(dir);
	while (d != NULL && (e = readdir(d)) != NULL)
		load_name(t, dir, e->d_name);
	if (d != NULL)
		closedir(d);
	return 0;
}

struct tls_ctx *
tls_client(const char *ca)
{
	struct tls_ctx *t = tls_server(false);

	t->ctx = new_ctx(TLS_client_method(), false);
	/* reported, not enforced: whoever asked decides */
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_NONE, NULL);
	if (ca != NULL)
		SSL_CTX_load_verify_file(t->ctx, ca);
	else
		SSL_CTX_set_default_verify_paths(t->ctx);
	ERR_clear_error();
	return t;
}

static struct tls *
begin(struct tls_ctx *c, int fd)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (t == NULL || c->ctx == NULL || (t->ssl = SSL_new(c->ctx)) == NULL ||
	    SSL_set_fd(t->ssl, fd) != 1)
		die_memory();
	return t;
}

struct tls *
tls_accept(struct tls_ctx *c, int fd)
{
	struct tls *t = begin(c, fd);

	SSL_set_accept_state(t->ssl);
	return t;
}

struct tls *
tls_connect(struct tls_ctx *c, int fd, const char *name)
{
	struct tls *t = begin(c, fd);

	SSL_set_connect_state(t->ssl);
	if (name != NULL) {
		SSL_set_tlsext_host_name(t->ssl, name);
		SSL_set1_host(t->ssl, name);
		SSL_set_hostflags(t->ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	}
	return t;
}

static enum tls_result
result(struct tls *t, int r)
{
	int err = SSL_get_error(t->ssl, r);

	switch (err) {
	case SSL_ERROR_NONE:
		return TLS_DONE;
	case SSL_ERROR_WANT_READ:
		return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT_WRITE;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_EOF;
	default:
		break;
	}
	t->ended = true; /* no close_notify after this */
	if (ERR_GET_REASON(ERR_peek_error()) ==
		SSL_R_UNEXPECTED_EOF_WHILE_READING ||
	    (err == SSL_ERROR_SYSCALL &&
		(errno == 0 || errno == ECONNRESET || errno == EPIPE))) {
		ERR_clear_error();
		snprintf(t->why, sizeof(t->why), "connection lost");
		return TLS_CUT;
	}
	reason(t->why, sizeof(t->why));
	return TLS_FAILED;
}

enum tls_result
tls_handshake(struct tls *t)
{
	ERR_clear_error();
	errno = 0;
	return result(t, SSL_do_handshake(t->ssl));
}

enum tls_result
tls_read(struct tls *t, void *p, size_t max, size_t *n)
{
	ERR_clear_error();
	errno = 0;
	*n = 0;
	return result(t, SSL_read_ex(t->ssl, p, max, n));
}

enum tls_result
tls_write(struct tls *t, const void *p, size_t max, size_t *n)
{
	ERR_clear_error();
	errno = 0;
	*n = 0;
	if (max == 0)
		return TLS_DONE;
	return result(t, SSL_write_ex(t->ssl, p, max, n));
}

bool
tls_pending(const struct tls *t)
{
	return SSL_has_pending(t->ssl) == 1;
}

void
tls_shutdown(struct tls *t)
{
	if (!t->ended && SSL_is_init_finished(t->ssl))
		SSL_shutdown(t->ssl);
	t->ended = true;
	ERR_clear_error();
}

void
tls_free(struct tls *t)
{
	if (t == NULL)
		return;
	SSL_free(t->ssl);
	free(t);
}

const char *
tls_why(const struct tls *t)
{
	return t->why;
}

const char *
tls_version(const struct tls *t)
{
	return SSL_get_version(t->ssl);
}

const char *
tls_cipher(const struct tls *t)
{
	return SSL_get_cipher_name(t->ssl);
}

const char *
tls_sni(const struct tls *t)
{
	const char *name =
	    SSL_get_servername(t->ssl, TLSEXT_NAMETYPE_host_name);

	return name == NULL ? "" : name;
}

int
tls_bits(const struct tls *t)
{
	return SSL_get_cipher_bits(t->ssl, NULL);
}

bool
tls_verified(const struct tls *t)
{
	return SSL_get0_peer_certificate(t->ssl) != NULL &&
	    SSL_get_verify_result(t->ssl) == X509_V_OK;
}

const char *
tls_verify_why(const struct tls *t)
{
	return X509_verify_cert_error_string(SSL_get_verify_result(t->ssl));
}
