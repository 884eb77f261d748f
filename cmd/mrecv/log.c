/*
 * The lines of the log: one accept a message, one refuse for what was
 * refused.
 */
#include "io/log.h"

#include "dry.h"
#include "message.h"

void
log_message(
    struct mrecv *m, struct logline *l, const char *event, const char *id)
{
	log_begin(l, event);
	if (id != NULL)
		log_str(l, "id", id);
	if (m->peer.ip[0] != '\0')
		log_str(l, "peer", m->peer.ip);
	if (m->peer.ipc && m->peer.uid >= 0)
		log_num(l, "uid", (uint64_t)m->peer.uid);
	if (m->login[0] != '\0')
		log_str(l, "user", m->login);
	log_str(l, "from", m->s.sender);
}

void
log_refusal(struct mrecv *m, const char *id, struct span rcpt, int code,
    struct span why)
{
	struct logline l;

	if (m->dry) {
		if (id != NULL)
			dry_refusal(m, code, why);
		return;
	}
	log_message(m, &l, "refuse", id);
	if (rcpt.n > 0)
		log_span(&l, "rcpt", rcpt);
	log_num(&l, "code", (uint64_t)code);
	log_span(&l, "why", why);
	log_end(&l);
}

/* The recipients, as many as a line has room for, separated by commas. */
static struct span
rcpt_list(struct mrecv *m)
{
	static char list[LOG_LINE_SIZE / 2];
	struct span all = buf_span(&m->s.rcpts), s;
	size_t n = all.n > 0 ? all.n - 1 : 0;

	if (n > sizeof(list)) {
		n = span_rchr((struct span){ all.p, sizeof(list) }, '\n');
		if (n > sizeof(list))
			n = sizeof(list);
	}
	memcpy(list, all.p, n);
	for (size_t i = 0; i < n; i++)
		if (list[i] == '\n')
			list[i] = ',';
	s = (struct span){ list, n };
	return s;
}

void
log_accept(struct mrecv *m, size_t nrcpt, const char *text)
{
	struct logline l;

	if (m->dry)
		return;
	log_message(m, &l, "accept", msg.id);
	log_span(&l, "rcpt", rcpt_list(m));
	log_num(&l, "n", nrcpt);
	log_num(&l, "size", m->s.size);
	if (m->tls[0] != '\0')
		log_str(&l, "tls", m->tls);
	if (text != NULL)
		log_str(&l, "text", text);
	log_end(&l);
	m->accepted++;
}
