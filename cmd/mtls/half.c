/*
 * The half of a connection that speaks TLS.  It runs as pneu-tls in an
 * empty root and can do nothing but move bytes.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/die.h"
#include "base/enc.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/log.h"
#include "io/out.h"
#include "io/sandbox.h"
#include "io/settle.h"
#include "io/user.h"
#include "mtls.h"

enum { FACTS_SIZE = 2048, FACT_MAX = 255 };

void
half_give_up(const struct mtls *m, const char *why)
{
	refuse(m, NULL, why);
	_exit(EXIT_TEMP);
}

static void
drop(const struct mtls *m)
{
	if (user_empty_root(m->tls_uid, m->tls_gid) == -1 ||
	    sandbox_limits(true, 0) == -1 || sandbox_paths(NULL, 0) == -1 ||
	    sandbox_streams() == -1)
		die_sys(EXIT_TEMP, "give up privileges");
}

/* Wait for the 'y' or 'Y' of UCSPI-TLS; true when facts are wanted. */
static bool
await_request(const struct mtls *m, int ctl)
{
	char c;
	ssize_t r;

	do
		r = read(ctl, &c, 1);
	while (r == -1 && errno == EINTR);
	if (r != 1) /* the program ended without TLS */
		_exit(EXIT_OK);
	if (c != 'y' && c != 'Y')
		half_give_up(m, "not a request of UCSPI-TLS");
	return c == 'Y';
}

void
half_wait(const struct mtls *m, int net, short events, int ctl, int64_t until)
{
	struct pollfd p[2] = { { .fd = net, .events = events }, { .fd = ctl } };
	int r;

	do
		r = poll(p, 2, deadline_left(until));
	while (r == -1 && errno == EINTR);
	if (r == 0)
		half_give_up(m, "silence in the handshake");
	if ((p[1].revents & (POLLHUP | POLLERR)) != 0)
		_exit(EXIT_TEMP);
}

static void
shake_hands(
    const struct mtls *m, struct tls *tls, int net, int ctl, int64_t deadline)
{
	for (;;) {
		enum tls_result r = tls_handshake(tls);

		switch (r) {
		case TLS_DONE:
			return;
		case TLS_WANT_READ:
		case TLS_WANT_WRITE:
			break;
		case TLS_EOF:
		case TLS_CUT:
		case TLS_FAILED:
			half_give_up(m, r == TLS_EOF ? "closed" : tls_why(tls));
		}
		half_wait(m, net, r == TLS_WANT_READ ? POLLIN : POLLOUT, ctl,
		    deadline);
	}
}

/* The facts are short names and numbers: whatever else there is, is none. */
static bool
is_plain(const char *v)
{
	size_t n = strlen(v);

	for (size_t i = 0; i < n; i++)
		if (!is_alnum(v[i]) && strchr("._-+:@=~", v[i]) == NULL)
			return false;
	return n > 0 && n <= FACT_MAX;
}

static void
put_fact(struct buf *b, const char *name, const char *value)
{
	if (!is_plain(value) || b->max - b->n < FACT_MAX + 64)
		return;
	buf_puts(b, name);
	buf_putc(b, '=');
	buf_puts(b, value);
	buf_putc(b, '\0');
}

/* Who the client is, by its certificate. */
static void
put_client(struct buf *b, const struct tls *tls)
{
	char text[FACT_MAX + 1];

	if (!tls_verified(tls))
		return;
	put_fact(b, "SSL_CLIENT_VERIFY", "SUCCESS");
	if (tls_peer_cn(tls, text, sizeof(text)))
		put_fact(b, "SSL_CLIENT_S_DN_CN", text);
	if (tls_peer_email(tls, text, sizeof(text)))
		put_fact(b, "SSL_CLIENT_SAN_Email_0", text);
}

static void
put_exporter(struct buf *b, const struct tls *tls)
{
	unsigned char key[TLS_EXPORTER_SIZE];

	if (tls_exporter(tls, key)) {
		buf_put(b, SPAN("SSL_TLS_EXPORTER="));
		enc_base64(b, (struct span){ (char *)key, sizeof(key) });
		buf_putc(b, '\0');
	}
	wipe(key, sizeof(key));
}

static void
put_facts(struct buf *b, const struct tls *tls)
{
	char bits[16];

	snprintf(bits, sizeof(bits), "%d", tls_bits(tls));
	put_fact(b, "SSL_PROTOCOL", tls_version(tls));
	put_fact(b, "SSL_CIPHER", tls_cipher(tls));
	put_fact(b, "SSL_CIPHER_USEKEYSIZE", bits);
	put_fact(b, "SSL_TLS_SNI_SERVERNAME", tls_sni(tls));
	put_fact(b, "SSL_ALPN", tls_alpn(tls));
	put_client(b, tls);
	put_exporter(b, tls);
}

/* NAME=value, NUL, ..., NUL: also SSLCTLFD's answer to 'Y'. */
static void
tell_facts(struct buf *b, int ctl)
{
	buf_putc(b, '\0');
	if (write_all(ctl, b->p, b->n, deadline_in(TIME_HANDSHAKE)) == -1)
		_exit(EXIT_TEMP);
	wipe(b->p, b->n);
	buf_clear(b);
}

/* By nobody who has read a byte of the peer. */
static void
prepare(struct mtls *m)
{
	if (m->mode != MODE_PLAIN && m->ctx == NULL)
		keys_load(m);
	drop(m);
}

void
half(struct mtls *m, int net, int app, int ctl)
{
	/* under a launcher: keys are read when they are needed */
	bool lazy = m->mode == MODE_STARTTLS && m->ctx == NULL && !m->proxied;
	int64_t deadline = deadline_in(m->handshake);
	struct buf facts = { .max = FACTS_SIZE };
	bool wanted = true;
	struct tls *tls;

	signal(SIGPIPE, SIG_IGN);
	if (!lazy)
		prepare(m);
	if (m->proxied)
		proxy_header(m, net, ctl, deadline, &facts);
	if (m->proxied && m->mode != MODE_IMPLICIT)
		tell_facts(&facts, ctl);
	if (m->mode == MODE_PLAIN)
		_exit(EXIT_OK);
	if (m->mode == MODE_STARTTLS) {
		wanted = await_request(m, ctl);
		deadline = deadline_in(m->handshake);
	}
	if (lazy)
		prepare(m);
	fs_nonblock(net, true);
	fs_nonblock(app, true);
	tls = tls_accept(m->ctx, net);
	shake_hands(m, tls, net, ctl, deadline);
	put_facts(&facts, tls);
	if (wanted)
		tell_facts(&facts, ctl);
	buf_free(&facts);
	close(ctl);
	settle_heap();
	pump(tls, net, app);
	_exit(EXIT_OK);
}
