/* The server's side: keys for each name, settings, clients' certificates. */
#include <dirent.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/die.h"
#include "base/limits.h"
#include "io/log.h"
#include "io/tls.h"
#include "io/tlsctx.h"

enum { WHY_SIZE = 256, PATH_SIZE = 1024 };

/* NAME.pem, with a key of each kind. */
struct tls_name {
	char name[LIMIT_DOMAIN + 1];
	struct tls_stamp stamp;
	bool good;     /* the file, as it is now */
	unsigned pass; /* of tls_server_load that saw it last */
	struct tls_key key[TLS_KEYS];
	size_t nkeys; /* 0: there never was a good one */
};

static const char clients_file[] = "clients.pem";

static struct tls_name *
find_name(const struct tls_ctx *t, const char *name)
{
	size_t from = 0, to = t->nnames;

	while (from < to) {
		size_t mid = from + (to - from) / 2;
		int c = strcasecmp(name, t->names[mid].name);

		if (c == 0)
			return &t->names[mid];
		if (c < 0)
			to = mid;
		else
			from = mid + 1;
	}
	return NULL;
}

/* The name itself, then the one for all names beside it, then the rest. */
static const struct tls_name *
name_for(const struct tls_ctx *t, const char *asked)
{
	char wild[LIMIT_DOMAIN + 2];
	const struct tls_name *n = NULL;
	const char *dot = asked == NULL ? NULL : strchr(asked, '.');

	if (asked != NULL && strcasecmp(asked, "default") != 0)
		n = find_name(t, asked);
	if ((n == NULL || n->nkeys == 0) && dot != NULL && dot > asked &&
	    snprintf(wild, sizeof(wild), "_%s", dot) < (int)sizeof(wild))
		n = find_name(t, wild);
	return n != NULL && n->nkeys > 0 ? n : find_name(t, "default");
}

/* After the client's hello: the keys of the name that it asks for. */
static int
on_keys(SSL *ssl, void *arg)
{
	const struct tls_name *n =
	    name_for(arg, SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));

	SSL_certs_clear(ssl);
	for (size_t i = 0; n != NULL && i < n->nkeys; i++)
		if (SSL_use_cert_and_key(ssl, n->key[i].cert, n->key[i].key,
			n->key[i].chain, 1) != 1)
			return 0;
	return n != NULL;
}

/* Say that the name was looked at. */
static int
on_name(SSL *ssl, int *alert, void *arg)
{
	(void)alert;
	(void)arg;
	return SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name) == NULL
	    ? SSL_TLSEXT_ERR_NOACK
	    : SSL_TLSEXT_ERR_OK;
}

/*
 * RFC 7301, section 3.2: who says what it speaks, and means none of ours,
 * was led here by somebody else.
 */
static int
on_alpn(SSL *ssl, const unsigned char **out, unsigned char *n,
    const unsigned char *in, unsigned nin, void *arg)
{
	const struct tls_ctx *t = arg;
	unsigned char *chosen;

	(void)ssl;
	if (SSL_select_next_proto(&chosen, n, t->alpn, (unsigned)t->nalpn, in,
		nin) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

/* A bad certificate of a client is none: whoever asks decides. */
static int
on_client(X509_STORE_CTX *c, void *arg)
{
	(void)arg;
	if (X509_verify_cert(c) != 1 &&
	    X509_STORE_CTX_get_error(c) == X509_V_OK)
		X509_STORE_CTX_set_error(c, X509_V_ERR_UNSPECIFIED);
	return 1;
}

/* Words become the list of RFC 7301: each behind its length. */
static void
set_alpn(struct tls_ctx *t, const char *words)
{
	struct span left = span_of(words), w;

	while ((w = span_word(&left)).n > 0 &&
	    t->nalpn + 1 + w.n <= sizeof(t->alpn)) {
		t->alpn[t->nalpn++] = (unsigned char)w.n;
		memcpy(t->alpn + t->nalpn, w.p, w.n);
		t->nalpn += w.n;
	}
	if (t->nalpn > 0)
		SSL_CTX_set_alpn_select_cb(t->ctx, on_alpn, t);
}

/*
 * Forward secrecy and authenticated encryption alone: RFC 9325, section
 * 4.2, and the intermediate settings that browsers agree on, less their
 * finite-field groups.  A hybrid group first, where there is one.
 */
static void
set_server(SSL_CTX *c)
{
	static const char groups[] = "X25519:P-256:P-384";
	static const char hybrid[] = "X25519MLKEM768:X25519:P-256:P-384";

	SSL_CTX_set_security_level(c, 2);
	SSL_CTX_set_cipher_list(c,
	    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
	    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
	    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305");
	SSL_CTX_set_ciphersuites(c,
	    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
	    "TLS_CHACHA20_POLY1305_SHA256");
	SSL_CTX_set1_sigalgs_list(c,
	    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:"
	    "RSA-PSS+SHA256:RSA-PSS+SHA384:RSA-PSS+SHA512:"
	    "RSA+SHA256:RSA+SHA384:RSA+SHA512");
	if (SSL_CTX_set1_groups_list(c, hybrid) != 1)
		SSL_CTX_set1_groups_list(c, groups);
	SSL_CTX_set_options(
	    c, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_max_cert_list(c, LIMIT_TLS_CLIENT_CHAIN);
	ERR_clear_error();
}

struct tls_ctx *
tls_server(bool tickets, const char *alpn)
{
	struct tls_ctx *t = die_calloc(1, sizeof(*t));

	t->ctx = tls_new_ctx(true);
	t->tickets = tickets;
	set_server(t->ctx);
	tls_set_tickets(t->ctx, tickets);
	SSL_CTX_set_session_id_context(
	    t->ctx, (const unsigned char *)"pneu", 4);
	SSL_CTX_set_cert_cb(t->ctx, on_keys, t);
	SSL_CTX_set_tlsext_servername_callback(t->ctx, on_name);
	set_alpn(t, alpn);
	return t;
}

/* Read the file of a name again; when it is bad, the keys stay. */
static void
load_name(struct tls_ctx *t, struct tls_name *n, const char *path, char *why,
    size_t size)
{
	struct tls_key key[TLS_KEYS] = { { NULL, NULL, NULL } };
	size_t nkeys = 0;
	const char *bad = tls_keys_read(t->ctx, path, key, &nkeys);

	n->good = bad == NULL;
	if (bad == NULL) {
		tls_keys_free(n->key, n->nkeys);
		memcpy(n->key, key, sizeof(key));
		n->nkeys = nkeys;
	} else if (*bad == '\0') {
		tls_reason(why, size);
	} else {
		snprintf(why, size, "%s", bad);
	}
	ERR_clear_error();
}

/* The entry of a name, a new one if there is none; NULL: too many. */
static struct tls_name *
add_name(struct tls_ctx *t, const char *name)
{
	struct tls_name *n = find_name(t, name);
	size_t at;

	if (n != NULL)
		return n;
	if (t->nnames == LIMIT_TLS_NAMES)
		return NULL;
	if (t->nnames % 16 == 0) {
		n = realloc(t->names, (t->nnames + 16) * sizeof(*n));
		if (n == NULL)
			die_memory();
		t->names = n;
	}
	for (at = t->nnames; at > 0; at--) {
		if (strcasecmp(t->names[at - 1].name, name) < 0)
			break;
		t->names[at] = t->names[at - 1];
	}
	t->nnames++;
	n = &t->names[at];
	*n = (struct tls_name){ .nkeys = 0 };
	snprintf(n->name, sizeof(n->name), "%s", name);
	return n;
}

/* False: there is no such file. */
static bool
look_at(const char *path, struct tls_stamp *s)
{
	struct stat st;

	*s = (struct tls_stamp){ 0 };
	if (stat(path, &st) == -1)
		return false;
	s->sec = (int64_t)st.st_mtim.tv_sec;
	s->nsec = (int64_t)st.st_mtim.tv_nsec;
	s->size = (int64_t)st.st_size;
	s->ino = (int64_t)st.st_ino;
	return true;
}

static bool
same_stamp(const struct tls_stamp *a, const struct tls_stamp *b)
{
	return a->sec == b->sec && a->nsec == b->nsec && a->size == b->size &&
	    a->ino == b->ino;
}

/* A file of the folder: one for a server name, or none of ours. */
static bool
name_of(const char *file, char *name, size_t size)
{
	struct span s = span_of(file);

	return s.n > 4 && *s.p != '.' && !span_is(s, clients_file) &&
	    !span_is(s, "default.pem") &&
	    span_is((struct span){ s.p + s.n - 4, 4 }, ".pem") &&
	    span_cstr((struct span){ s.p, s.n - 4 }, name, size);
}

/* NAME.pem for a server name; a bad one is logged, and the old one kept. */
static void
look_at_name(struct tls_ctx *t, const char *dir, const char *file)
{
	char path[PATH_SIZE], name[LIMIT_DOMAIN + 1], why[WHY_SIZE];
	struct tls_stamp stamp;
	struct tls_name *n;

	if (!name_of(file, name, sizeof(name)) ||
	    snprintf(path, sizeof(path), "%s/%s", dir, file) >=
		(int)sizeof(path) ||
	    !look_at(path, &stamp))
		return;
	n = add_name(t, name);
	if (n == NULL) {
		log_error(path, "too many names");
		return;
	}
	n->pass = t->pass;
	if (same_stamp(&stamp, &n->stamp))
		return;
	n->stamp = stamp;
	load_name(t, n, path, why, sizeof(why));
	if (!n->good)
		log_error(path, why);
}

/* Names whose files were removed are no longer served. */
static void
drop_gone(struct tls_ctx *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->nnames; i++) {
		if (t->names[i].pass == t->pass)
			t->names[kept++] = t->names[i];
		else
			tls_keys_free(t->names[i].key, t->names[i].nkeys);
	}
	t->nnames = kept;
}

/* default.pem, for every name: 0, or -1 and why. */
static int
load_default(struct tls_ctx *t, const char *dir, char *why, size_t size)
{
	struct tls_name *n = add_name(t, "default");
	char path[PATH_SIZE];
	struct tls_stamp stamp;

	if (n == NULL)
		die_memory();
	n->pass = t->pass;
	snprintf(path, sizeof(path), "%s/default.pem", dir);
	look_at(path, &stamp);
	if (n->good && same_stamp(&stamp, &n->stamp))
		return 0;
	n->stamp = stamp;
	load_name(t, n, path, why, size);
	return n->good ? 0 : -1;
}

/* Whose certificates are believed, and which ones no longer. */
static X509_STORE *
read_clients(const char *path)
{
	X509_STORE *s = X509_STORE_new();
	X509_LOOKUP *l = X509_STORE_add_lookup(s, X509_LOOKUP_file());
	STACK_OF(X509_OBJECT) * all;

	if (l == NULL)
		die_memory();
	if (X509_load_cert_crl_file(l, path, X509_FILETYPE_PEM) < 1) {
		X509_STORE_free(s);
		return NULL;
	}
	all = X509_STORE_get0_objects(s);
	for (int i = 0; i < sk_X509_OBJECT_num(all); i++)
		if (X509_OBJECT_get_type(sk_X509_OBJECT_value(all, i)) ==
		    X509_LU_CRL)
			X509_STORE_set_flags(s, X509_V_FLAG_CRL_CHECK);
	return s;
}

/*
 * With clients.pem every client is asked for a certificate.  Nobody who
 * shows one is resumed by a ticket, which would outlive its revocation.
 */
static void
load_clients(struct tls_ctx *t, const char *dir)
{
	char path[PATH_SIZE], why[WHY_SIZE];
	struct tls_stamp stamp;
	X509_STORE *store;
	bool there;

	snprintf(path, sizeof(path), "%s/%s", dir, clients_file);
	there = look_at(path, &stamp);
	if (same_stamp(&stamp, &t->clients))
		return;
	t->clients = stamp;
	if (!there) {
		SSL_CTX_set_verify(t->ctx, SSL_VERIFY_NONE, NULL);
		tls_set_tickets(t->ctx, t->tickets);
		return;
	}
	ERR_clear_error();
	errno = 0;
	store = read_clients(path);
	if (store == NULL) {
		tls_reason(why, sizeof(why));
		log_error(path, why);
		return;
	}
	SSL_CTX_set_cert_store(t->ctx, store);
	SSL_CTX_set_client_CA_list(t->ctx, SSL_load_client_CA_file(path));
	SSL_CTX_set_cert_verify_callback(t->ctx, on_client, NULL);
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
	tls_set_tickets(t->ctx, false);
	ERR_clear_error();
}

int
tls_server_load(struct tls_ctx *t, const char *dir, char *why, size_t size)
{
	struct dirent *e;
	DIR *d;
	int r;

	t->pass++;
	r = load_default(t, dir, why, size);
	d = opendir(dir);
	if (d == NULL)
		return r;
	while ((e = readdir(d)) != NULL)
		look_at_name(t, dir, e->d_name);
	closedir(d);
	drop_gone(t);
	load_clients(t, dir);
	return r;
}

/* A handshake with ourselves, and a byte. */
static void
rehearse(SSL *server, SSL *client)
{
	BIO *a = NULL, *b = NULL;
	char c = 0;

	if (BIO_new_bio_pair(&a, 0, &b, 0) != 1)
		die_memory();
	SSL_set_bio(server, a, a);
	SSL_set_bio(client, b, b);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	for (int i = 0; i < 16; i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
	}
	SSL_write(client, &c, 1);
	SSL_read(server, &c, 1);
	SSL_write(server, &c, 1);
	SSL_shutdown(server);
}

void
tls_server_warm(struct tls_ctx *t)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	SSL_CTX *c = tls_new_ctx(false);

	for (size_t i = 0; i < 2; i++) {
		SSL *server = SSL_new(t->ctx), *client = SSL_new(c);

		if (server == NULL || client == NULL)
			die_memory();
		SSL_set_max_proto_version(client, versions[i]);
		rehearse(server, client);
		SSL_free(client);
		SSL_free(server);
	}
	SSL_CTX_free(c);
	ERR_clear_error();
}
