#include "io/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include "base/die.h"
#include "io/tlsctx.h"

enum { WHY_SIZE = 256 };

struct tls {
	SSL *ssl;
	bool ended;
	char why[WHY_SIZE];
};

void
tls_reason(char *why, size_t size)
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

void
tls_set_tickets(SSL_CTX *c, bool on)
{
	if (on)
		SSL_CTX_clear_options(c, SSL_OP_NO_TICKET);
	else
		SSL_CTX_set_options(c, SSL_OP_NO_TICKET);
	SSL_CTX_set_num_tickets(c, on ? 1 : 0);
}

/* TLS 1.2 and 1.3, and as little memory as there can be. */
SSL_CTX *
tls_new_ctx(bool server)
{
	SSL_CTX *c =
	    SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());

	if (c == NULL)
		die_memory();
	SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
	SSL_CTX_set_options(c, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	/* a session lives in its ticket: each connection is a process */
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_mode(c,
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
		SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS |
		SSL_MODE_NO_AUTO_CHAIN);
	return c;
}

struct tls_ctx *
tls_client(const char *ca)
{
	struct tls_ctx *t = die_calloc(1, sizeof(*t));

	t->ctx = tls_new_ctx(false);
	tls_set_tickets(t->ctx, false);
	/* with any server that has forward secrecy */
	SSL_CTX_set_cipher_list(t->ctx,
	    "ECDHE+AESGCM:ECDHE+CHACHA20:DHE+AESGCM:DHE+CHACHA20:!aNULL");
	SSL_CTX_set1_groups_list(t->ctx, "X25519:P-256:P-384");
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
	tls_reason(t->why, sizeof(t->why));
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

const char *
tls_alpn(const struct tls *t)
{
	static char name[256];
	const unsigned char *p;
	unsigned n;

	SSL_get0_alpn_selected(t->ssl, &p, &n);
	if (!span_cstr((struct span){ (const char *)p, n }, name, sizeof(name)))
		return "";
	return name;
}

/*
 * TLS 1.2 has it, too, if it has the extended master secret, but clients
 * that bind a login to TLS 1.2 do it by tls-unique alone.
 */
bool
tls_exporter(const struct tls *t, unsigned char out[TLS_EXPORTER_SIZE])
{
	static const char label[] = "EXPORTER-Channel-Binding";

	return SSL_version(t->ssl) >= TLS1_3_VERSION &&
	    SSL_export_keying_material(t->ssl, out, TLS_EXPORTER_SIZE, label,
		sizeof(label) - 1, NULL, 0, 0) == 1;
}

static bool
copy_text(const ASN1_STRING *a, char *text, size_t size)
{
	int n = a == NULL ? -1 : ASN1_STRING_length(a);

	return n > 0 &&
	    span_cstr((struct span){ (const char *)ASN1_STRING_get0_data(a),
			  (size_t)n },
		text, size);
}

bool
tls_peer_cn(const struct tls *t, char *text, size_t size)
{
	X509 *x = SSL_get0_peer_certificate(t->ssl);
	X509_NAME *name = x == NULL ? NULL : X509_get_subject_name(x);
	unsigned char *utf8 = NULL;
	bool ok = false;
	int i, n;

	if (name == NULL)
		return false;
	i = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
	if (i < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, i) >= 0)
		return false;
	n = ASN1_STRING_to_UTF8(
	    &utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, i)));
	if (n > 0)
		ok = span_cstr(
		    (struct span){ (const char *)utf8, (size_t)n }, text, size);
	OPENSSL_free(utf8);
	return ok;
}

bool
tls_peer_email(const struct tls *t, char *text, size_t size)
{
	X509 *x = SSL_get0_peer_certificate(t->ssl);
	GENERAL_NAMES *all = x == NULL
	    ? NULL
	    : X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	bool ok = false;

	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);

		if (g->type != GEN_EMAIL)
			continue;
		ok = copy_text(g->d.rfc822Name, text, size);
		break;
	}
	GENERAL_NAMES_free(all);
	ERR_clear_error();
	return ok;
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
