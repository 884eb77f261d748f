#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth/monitor.h"
#include "auth/penalty.h"
#include "base/die.h"
#include "base/enc.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/facts.h"
#include "io/fs.h"
#include "io/log.h"
#include "io/spawn.h"
#include "mauth.h"

enum {
	PATIENCE = 10,     /* seconds for the greeter to do its part */
	EXCHANGES_MAX = 50 /* of all kinds, the cancelled ones too */
};

struct watch {
	struct mauth *m;
	pid_t child;
	int fd;
	unsigned wrong, exchanges;
	struct sasl sasl;
	struct login *login;
	enum greet_failure failure; /* to be said after SASL_FAILED */
	unsigned distinct, nshown;  /* different wrong secrets */
	unsigned char shown[LIMIT_AUTH_TRIES][SHA256_LEN], mark[SHA256_LEN];
};

static void
add_facts(struct logline *l, const struct mauth *m)
{
	log_str(l, "peer", m->peer.ipc ? "local" : m->peer.ip);
	log_str(l, "svc", m->proto->service);
	if (m->tls_facts[0] != '\0')
		log_str(l, "tls", m->tls_facts);
}

static void
log_auth(const struct watch *w, bool ok, const char *why)
{
	struct logline l;

	log_begin(&l, ok ? "auth ok" : "auth no");
	log_str(&l, "user", ok ? w->login->user.address : w->sasl.user);
	add_facts(&l, w->m);
	if (w->login->label[0] != '\0')
		log_str(&l, "label", w->login->label);
	if (!ok)
		log_str(&l, "why", why);
	log_end(&l);
}

_Noreturn static void
end(struct watch *w, const char *why, int status)
{
	struct logline l;

	if (w->child != -1) {
		kill(w->child, SIGKILL);
		waitpid(w->child, NULL, 0);
	}
	log_begin(&l, "close");
	add_facts(&l, w->m);
	log_str(&l, "why", why);
	log_end(&l);
	exit(status);
}

/* The greeter has gone by itself. */
_Noreturn static void
gone(struct watch *w)
{
	int status = spawn_wait(w->child, false, deadline_in(PATIENCE));
	const char *why = spawn_why(status);

	w->child = -1;
	if (status == -1 || !WIFEXITED(status))
		end(w, why, EXIT_TEMP);
	switch (WEXITSTATUS(status)) {
	case GREETER_QUIT:
		end(w, "quit", EXIT_OK);
	case GREETER_TIMEOUT:
		end(w, "timeout", EXIT_OK);
	case GREETER_EOF:
		end(w, "eof", EXIT_OK);
	case GREETER_LOST:
		end(w, "lost", EXIT_OK);
	case GREETER_INJECTED:
		end(w, "input behind STARTTLS", EXIT_OK);
	default:
		end(w, why, EXIT_TEMP);
	}
}

static void
answer(struct watch *w, enum monitor_type type, struct span data)
{
	if (monitor_send(w->fd, type, data) == -1)
		gone(w);
}

static void
fail(struct watch *w, enum greet_failure f)
{
	char code = (char)f;

	answer(w, MONITOR_FAIL, (struct span){ &code, 1 });
}

/* The mark of what was shown, before it is wiped; false when it is none. */
static bool
mark(struct watch *w)
{
	struct span secret = { "", 0 };

	if (w->sasl.kind == SASL_PASSWORD)
		secret = span_of(w->sasl.password);
	if (w->sasl.kind == SASL_TOKEN)
		secret = span_of(w->sasl.token);
	if (secret.n > 0)
		penalty_mark(w->sasl.user, secret, w->mark);
	return secret.n > 0;
}

/* How many different wrong secrets this connection has shown, with this. */
static unsigned
count_distinct(struct watch *w, const unsigned char *this)
{
	for (unsigned i = 0; this != NULL && i < w->nshown; i++)
		if (memcmp(w->shown[i], this, SHA256_LEN) == 0)
			return w->distinct;
	if (this != NULL && w->nshown < LIMIT_AUTH_TRIES)
		memcpy(w->shown[w->nshown++], this, SHA256_LEN);
	return ++w->distinct;
}

/*
 * A "no" comes a fixed time after the question, which hides how it was
 * found, and later each time, unless what was shown is the same: for this
 * connection and, unless the peer is on this machine, for its address and
 * for the name.
 */
static void
delay(struct watch *w, int64_t asked, bool later, const unsigned char *this)
{
	int64_t unit = (int64_t)conf_limit("auth-delay", 60, TIME_AUTH_DELAY);
	unsigned n = later ? 1 : count_distinct(w, this), past = 0;
	int64_t left;

	if (!later && !net_is_loopback(&w->m->peer))
		past =
		    penalty_add(w->m->peer.ip, w->sasl.user, this, unix_now());
	if (past > n)
		n = past;
	left = asked + n * unit * 1000 - deadline_now();
	if (left > 0)
		poll(NULL, 0, (int)left);
}

/* Log a "no", let it take its time, and leave what to say in w->failure. */
static void
refuse(struct watch *w, int64_t asked, enum greet_failure f, const char *why,
    const unsigned char *this)
{
	bool wrong = f != GREET_LATER && f != GREET_FULL;

	log_auth(w, false, why);
	if (wrong)
		w->wrong++;
	delay(w, asked, !wrong, this);
	if (wrong && w->wrong >= LIMIT_AUTH_TRIES)
		f = GREET_LIMIT; /* a failure of ours is not the peer's */
	w->failure = f;
}

/* Who proved it needs a seat; false when there is none. */
static bool
welcome(struct watch *w)
{
	const struct user *u = &w->login->user;

	if (!seat_take(u->address, w->m->seats,
		u->has_sessions ? u->sessions : w->m->sessions,
		&w->login->seat)) {
		refuse(w, deadline_now(), GREET_FULL, "sessions", NULL);
		fail(w, w->failure);
		return false;
	}
	log_auth(w, true, NULL);
	if (!net_is_loopback(&w->m->peer))
		penalty_good(w->m->peer.ip, u->address, unix_now());
	return true;
}

/* True when somebody is logged in. */
static bool
decide(struct watch *w)
{
	int64_t asked = deadline_now();
	enum greet_failure f = GREET_WRONG;
	const char *why = "user";
	bool ok, marked;

	w->login->label[0] = '\0';
	w->login->mech = w->sasl.mech;
	if (w->sasl.kind == SASL_CERT && w->sasl.user[0] == '\0')
		(void)!span_cstr(span_of(w->m->cert.user.address), w->sasl.user,
		    sizeof(w->sasl.user));
	if (w->m->check != NULL)
		ok = checkpw(w->m, &w->sasl, w->login, &f, &why);
	else
		ok = judge(w->m, &w->sasl, w->login, &f, &why);
	marked = !ok && mark(w);
	wipe(w->sasl.password, sizeof(w->sasl.password));
	wipe(w->sasl.token, sizeof(w->sasl.token));
	if (!ok) {
		refuse(w, asked, f, why, marked ? w->mark : NULL);
		if (w->sasl.kind == SASL_TOKEN && f == GREET_WRONG)
			answer(
			    w, MONITOR_CHALLENGE, sasl_refuse_token(&w->sasl));
		else
			fail(w, w->failure);
	} else if (w->sasl.kind == SASL_PROOF) {
		answer(w, MONITOR_CHALLENGE,
		    sasl_prove(&w->sasl, &w->login->keys));
		wipe(&w->login->keys, sizeof(w->login->keys));
		return false;
	} else {
		return welcome(w);
	}
	return false;
}

/* Somebody wants to prove a secret: tell the salt, whoever it is. */
static void
salt(struct watch *w)
{
	unsigned char raw[SCRAMD_NONCE / 4 * 3];
	struct buf nonce = { .max = SCRAMD_NONCE };
	struct scram_secret secret;
	struct span challenge;

	if (!judge_salt(w->m, w->sasl.user, &secret)) {
		refuse(w, deadline_now(), GREET_LATER, "later", NULL);
		fail(w, w->failure);
		return;
	}
	fs_random(raw, sizeof(raw));
	enc_base64(&nonce, (struct span){ (char *)raw, sizeof(raw) });
	if (sasl_salt(&w->sasl, buf_cstr(&nonce), &secret, &challenge) ==
	    SASL_CHALLENGE)
		answer(w, MONITOR_CHALLENGE, challenge);
	else
		fail(w, GREET_SYNTAX);
	buf_free(&nonce);
}

/* True when somebody is logged in. */
static bool
step(struct watch *w, enum sasl_result r, struct span challenge)
{
	switch (r) {
	case SASL_CHALLENGE:
		answer(w, MONITOR_CHALLENGE, challenge);
		return false;
	case SASL_LOOKUP:
		salt(w);
		return false;
	case SASL_READY:
		return decide(w);
	case SASL_PROVED:
		return welcome(w);
	case SASL_NO:
		w->login->label[0] = '\0';
		refuse(w, deadline_now(), GREET_WRONG, w->sasl.why, NULL);
		fail(w, w->failure);
		return false;
	case SASL_REFUSED:
		w->login->label[0] = '\0';
		refuse(w, deadline_now(), GREET_WRONG, w->sasl.why, NULL);
		answer(w, MONITOR_CHALLENGE, challenge);
		return false;
	case SASL_FAILED:
		fail(w, w->failure);
		return false;
	case SASL_SYNTAX:
		fail(w, GREET_SYNTAX);
		return false;
	case SASL_MECH:
		break;
	}
	fail(w, GREET_MECH);
	return false;
}

static bool
question(struct watch *w, const struct monitor_msg *q)
{
	struct span mech, response, challenge = { "", 0 };
	enum sasl_result r;
	bool has;

	if (q->type == MONITOR_NEXT) {
		r = sasl_next(&w->sasl, monitor_data(q), &challenge);
	} else if (!monitor_parse_begin(q, &mech, &response, &has)) {
		r = SASL_SYNTAX;
	} else if (!w->m->conf.plain_ok) {
		fail(w, GREET_PRIVACY);
		return false;
	} else if (++w->exchanges > EXCHANGES_MAX) {
		delay(w, deadline_now(), true, NULL);
		fail(w, GREET_LATER);
		return false;
	} else {
		r = sasl_begin(&w->sasl, &w->m->sasl, mech,
		    has ? &response : NULL, &challenge);
	}
	return step(w, r, challenge);
}

/* What is kept of a handshake for the log. */
struct told {
	struct mauth *m;
	char protocol[32], cipher[64];
};

static void
take_told(void *arg, const char *name, struct span value)
{
	struct told *t = arg;

	if (take_fact(t->m, span_of(name), value))
		env_set(&t->m->env, name, value);
	if (strcmp(name, "SSL_PROTOCOL") == 0 &&
	    !span_cstr(value, t->protocol, sizeof(t->protocol)))
		t->protocol[0] = '\0';
	if (strcmp(name, "SSL_CIPHER") == 0 &&
	    !span_cstr(value, t->cipher, sizeof(t->cipher)))
		t->cipher[0] = '\0';
}

/* Ask the TLS half to begin; true when it has, and told its facts. */
static bool
handshake(struct mauth *m)
{
	struct told t = { .m = m };
	int64_t deadline = deadline_in(TIME_HANDSHAKE);

	if (write_all(m->tls.ctl, "Y", 1, deadline) == -1 ||
	    facts_read(m->tls.ctl, FACTS_TLS | FACTS_BINDING, deadline,
		take_told, &t) == -1)
		return false;
	snprintf(m->tls_facts, sizeof(m->tls_facts), "%s%s%s",
	    t.protocol[0] != '\0' ? t.protocol : "TLS",
	    t.cipher[0] != '\0' ? " " : "", t.cipher);
	return true;
}

static void
start_tls(struct watch *w)
{
	struct mauth *m = w->m;
	char started[sizeof(m->mechs) + 1];

	if (m->tls.ctl == -1 || m->conf.tls_active)
		end(w, "STARTTLS out of turn", EXIT_PROTOCOL);
	if (!handshake(m))
		end(w, "handshake", EXIT_OK);
	if (dup2(m->tls.in, STDIN_FILENO) == -1 ||
	    dup2(m->tls.out, STDOUT_FILENO) == -1)
		die_sys(EXIT_TEMP, "TLS descriptors");
	close(m->tls.ctl);
	close(m->tls.in);
	close(m->tls.out);
	m->tls = (struct tls_fds){ -1, -1, -1 };
	m->conf.tls_active = m->conf.plain_ok = true;
	sasl_wipe(&w->sasl);
	offer(m);
	snprintf(started, sizeof(started), "y%s", m->mechs);
	answer(w, MONITOR_STARTED, span_of(started));
}

static bool
take_piece(const struct monitor_msg *q, char *to, size_t size, size_t *n)
{
	if (q->n > size - *n)
		return false;
	memcpy(to + *n, q->data, q->n);
	*n += q->n;
	return true;
}

/* State and unread input, then the end of the greeter. */
static void
take_over(struct watch *w, struct session *s)
{
	static struct monitor_msg q;
	int64_t deadline = deadline_in(PATIENCE);
	bool ok = true;

	answer(w, MONITOR_PROVED, SPAN(""));
	s->nstate = s->nunread = 0;
	do {
		if (monitor_receive(w->fd, &q, deadline) != 1)
			gone(w);
		if (q.type == MONITOR_STATE)
			ok = take_piece(
			    &q, s->state, sizeof(s->state), &s->nstate);
		else if (q.type == MONITOR_UNREAD)
			ok = take_piece(
			    &q, s->unread, sizeof(s->unread), &s->nunread);
		else if (q.type != MONITOR_END)
			ok = false;
		if (!ok)
			end(w, "bad hand-over", EXIT_PROTOCOL);
	} while (q.type != MONITOR_END);
	kill(w->child, SIGKILL);
	waitpid(w->child, NULL, 0);
	close(w->fd);
}

void
monitor(struct mauth *m, pid_t child, int fd, struct login *login,
    struct session *s)
{
	static struct watch w;
	static struct monitor_msg q;
	bool in = false;
	int r;

	/* zero besides, and not touched without need */
	w.m = m;
	w.child = child;
	w.fd = fd;
	w.login = login;
	while (!in) {
		r = monitor_receive(fd, &q, m->deadline + PATIENCE * 1000);
		if (r == 0)
			gone(&w);
		if (r == -1)
			end(&w, strerror(errno), EXIT_TEMP);
		if (q.type == MONITOR_BEGIN || q.type == MONITOR_NEXT)
			in = question(&w, &q);
		else if (q.type == MONITOR_TLS)
			start_tls(&w);
		else
			end(&w, "bad request", EXIT_PROTOCOL);
		wipe(q.data, q.n);
	}
	take_over(&w, s);
}
