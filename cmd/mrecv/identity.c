/*
 * Who is there: the record of mauth, else the peer of a Unix socket, else
 * the calling user.  Nothing else is believed.
 */
#include <pwd.h>
#include <unistd.h>

#include "auth/session.h"
#include "io/conf.h"
#include "io/ident.h"
#include "io/log.h"
#include "mrecv.h"

static struct session session;

/* NAME@HOST for an account that has no line in `users`. */
static void
name_account(struct mrecv *m, uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	if (pw != NULL)
		snprintf(m->login, sizeof(m->login), "%s@%s", pw->pw_name,
		    conf_me());
	else
		snprintf(m->login, sizeof(m->login), "%lu@%s",
		    (unsigned long)uid, conf_me());
}

static void
by_uid(struct mrecv *m, uid_t uid)
{
	m->known = true;
	m->trusted = uid == 0;
	snprintf(m->mech, sizeof(m->mech), "EXTERNAL");
	m->lookup = users_find_uid(uid, &m->user);
	if (m->lookup == OK)
		snprintf(m->login, sizeof(m->login), "%.*s",
		    (int)sizeof(m->login) - 1, m->user.address);
	else
		name_account(m, uid);
}

static void
by_session(struct mrecv *m)
{
	const char *s = session.login;

	m->known = m->by_login = m->submission = true;
	m->hello = (struct span){ session.state, session.nstate };
	snprintf(m->login, sizeof(m->login), "%s", s);
	snprintf(m->tls, sizeof(m->tls), "%s", session.tls);
	snprintf(m->mech, sizeof(m->mech), "%s",
	    session.mech[0] != '\0' ? session.mech : "UNKNOWN");
	if (strlen(session.conn) == CONN_LEN) {
		setenv("MAIL_CONN", session.conn, 1);
		m->conn = ident_conn(true);
	}
	m->lookup = users_find(span_of(s), &m->user);
	if (!in_unread(
		&m->in, (struct span){ session.unread, session.nunread }))
		die(EXIT_TEMP, "session: too much input");
}

/*
 * The peer of a Unix socket, where the launcher says that it is one.  A
 * socket pair is a Unix socket too, and what is behind it may be the
 * network: without such a word only -p takes its peer for the client.
 */
static bool
is_local(const struct mrecv *m, bool *said)
{
	const char *proto = getenv("PROTO");

	*said = proto != NULL && strcmp(proto, "IPC") == 0;
	return m->peer.ipc && m->peer.uid >= 0 &&
	    (*said || (proto == NULL && m->preauth));
}

void
identify(struct mrecv *m)
{
	enum session_result r = SESSION_NONE;
	bool said;

	if (!m->lmtp)
		r = session_receive(&session);
	if (r == SESSION_BAD)
		die(EXIT_TEMP, "session: the record can't be read");
	if (r == SESSION_OK)
		by_session(m);
	else if (m->submission && is_local(m, &said))
		by_uid(m, (uid_t)m->peer.uid);
	else if (m->preauth && !said)
		by_uid(m, getuid());
}
