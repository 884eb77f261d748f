/*
 * The stages of a message, in the order of the command line.
 */
#include <errno.h>
#include <unistd.h>

#include "base/words.h"
#include "io/log.h"
#include "message.h"

static struct arena words;

/* "-F? COMMAND" is an option letter F whose argument is "?". */
bool
stage_add(struct mrecv *m, int letter, char *argv[])
{
	struct stage *s = &m->stages[m->nstages];
	char *text = optarg;

	if (m->nstages == MRECV_STAGES)
		die(EXIT_USAGE, "-F, -m: more than %d of them", MRECV_STAGES);
	if (strcmp(text, "?") == 0) {
		s->optional = true;
		text = argv[optind];
		if (text == NULL)
			return false;
		optind++;
	}
	s->name = text;
	if (letter == 'm') {
		if (!net_parse(text, &s->addr) || s->addr.kind == NET_FD)
			die(EXIT_USAGE, "-m: %s: not an address", text);
		s->number = m->nstages++ - m->nfilters;
		return true;
	}
	words.max = LIMIT_ENV_TOTAL;
	s->argv = words_split(&words, span_of(text));
	if (s->argv == NULL)
		die(EXIT_USAGE, "-F: %s: not a command", text);
	s->name = s->argv[0];
	s->number = m->nfilters++;
	m->nstages++;
	return true;
}

/*
 * Filters before the first optional one and the first milter run while the
 * message arrives. An optional one, and what follows it, get it from the spool:
 * only so it is still there when that one fails.
 */
int
stages_begin(struct mrecv *m)
{
	size_t n = 0;

	while (n < m->nstages && !m->stages[n].optional &&
	    m->stages[n].argv != NULL)
		n++;
	msg.nfirst = n;
	if (spool_open(&msg.spool) == -1)
		return -1;
	if (n == 0 ||
	    chain_start(&msg.chain, m->stages, n, env_vector(&msg.env), -1,
		&msg.spool.out, m->filter_time) == 0)
		return 0;
	spool_close(&msg.spool);
	return -1;
}

static void
log_failure(const struct outcome *o)
{
	struct logline l;

	if (o->logged)
		return;
	log_begin(&l, "error");
	log_str(&l, "id", msg.id);
	log_str(&l, "what", o->what);
	log_str(&l, "why", o->why);
	if (o->text[0] != '\0')
		log_str(&l, "text", o->text);
	log_end(&l);
}

/* A filter that reads the spool; what it wrote becomes the spool. */
static void
run_filter(struct mrecv *m, const struct stage *f, struct outcome *o)
{
	*o = (struct outcome){ .verdict = TEMP, .what = f->name };
	if (spool_rewind(&msg.spool) == -1 || spool_open(&msg.next) == -1) {
		snprintf(o->why, sizeof(o->why), "%s", strerror(errno));
		return;
	}
	if (chain_start(&msg.chain, f, 1, env_vector(&msg.env),
		msg.spool.out.fd, &msg.next.out, m->filter_time) == -1) {
		snprintf(o->why, sizeof(o->why), "%s", strerror(errno));
		spool_close(&msg.next);
		return;
	}
	chain_end(&msg.chain, o);
	if (o->verdict == OK && !o->drop && out_flush(&msg.next.out) == -1) {
		o->verdict = TEMP;
		snprintf(o->why, sizeof(o->why), "%s", strerror(errno));
	}
	if (o->verdict == OK && !o->drop)
		spool_swap();
	else
		spool_close(&msg.next);
}

/*
 * All stages: OK, with a reason to hold or not, or what is to be said.
 * An optional one that fails is passed over; its "no" counts.
 */
void
stages_end(struct mrecv *m, struct outcome *all)
{
	struct outcome o;

	*all = (struct outcome){ .verdict = OK };
	if (msg.nfirst > 0)
		chain_end(&msg.chain, all);
	for (size_t i = msg.nfirst; i < m->nstages; i++) {
		if (all->verdict != OK || all->drop)
			break;
		if (m->stages[i].argv == NULL)
			milter_run(m, i, &o);
		else
			run_filter(m, &m->stages[i], &o);
		if (o.verdict == TEMP && m->stages[i].optional && !o.refused) {
			log_failure(&o);
			continue;
		}
		if (o.verdict == OK && o.hold[0] == '\0')
			memcpy(o.hold, all->hold, sizeof(o.hold));
		*all = o;
	}
	if (all->verdict != OK)
		log_failure(all);
}
