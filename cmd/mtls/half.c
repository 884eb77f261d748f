/*
 * The half of a connection that speaks TLS.  It runs as pneu-tls in an
 * empty root and can do nothing but move bytes.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "base/die.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/log.h"
#include "io/out.h"
#include "io/sandbox.h"
#include "io/user.h"
#include "mtls.h"

_Noreturn static void
give_up(const struct mtls *m, const char *why)
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
		give_up(m, "not a request of UCSPI-TLS");
	return c == 'Y';
}

/*
 * Wait for the peer.  False when the other half has gone: nobody waits
 * for this handshake.
 */
static bool
wait_peer(const struct mtls *m, int net, short events, int ctl, int64_t until)
{
	struct pollfd p[2] = { { .fd = net, .events = events }, { .fd = ctl } };
	int r;

	do
		r = poll(p, 2, deadline_left(until));
	while (r == -1 && errno == EINTR);
	if (r == 0)
		give_up(m, "silence in the handshake");
	return (p[1].revents & (POLLHUP | POLLERR)) == 0;
}

static void
shake_hands(const struct mtls *m, struct tls *tls, int net, int ctl)
{
	int64_t deadline = deadline_in(m->handshake);

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
			give_up(m, r == TLS_EOF ? "closed" : tls_why(tls));
		}
		if (!wait_peer(m, net, r == TLS_WANT_READ ? POLLIN : POLLOUT,
			ctl, deadline))
			_exit(EXIT_TEMP);
	}
}

/* NAME=value, NUL, ..., NUL: SSLCTLFD's answer to 'Y'. */
static void
tell_facts(struct tls *tls, int ctl)
{
	const char *name = tls_sni(tls);
	char text[1024];
	int n = snprintf(text, sizeof(text),
	    "SSL_PROTOCOL=%s%cSSL_CIPHER=%s%cSSL_CIPHER_USEKEYSIZE=%d%c",
	    tls_version(tls), 0, tls_cipher(tls), 0, tls_bits(tls), 0);
	int more = *name == '\0'
	    ? 0
	    : snprintf(text + n, sizeof(text) - (size_t)n,
		  "SSL_TLS_SNI_SERVERNAME=%.255s%c", name, 0);

	/* the last NUL, after the terminating one of nothing */
	text[n + more] = '\0';
	if (write_all(ctl, text, (size_t)(n + more) + 1,
		deadline_in(TIME_HANDSHAKE)) == -1)
		_exit(EXIT_TEMP);
}

void
half(struct mtls *m, int net, int app, int ctl)
{
	bool facts = true;
	struct tls *tls;

	signal(SIGPIPE, SIG_IGN);
	if (m->ctx != NULL)
		drop(m);
	if (m->mode == MODE_STARTTLS)
		facts = await_request(m, ctl);
	if (m->ctx == NULL) {
		/* under a launcher: keys are read when they are needed */
		keys_load(m);
		drop(m);
	}
	fs_nonblock(net, true);
	fs_nonblock(app, true);
	tls = tls_accept(m->ctx, net);
	shake_hands(m, tls, net, ctl);
	if (facts)
		tell_facts(tls, ctl);
	close(ctl);
	pump(tls, net, app);
	_exit(EXIT_OK);
}
