#include "dry.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/enc.h"
#include "message.h"

enum { LINES_MAX = 1048576, VERB_MAX = 16 };

static struct in lines;
static bool text;  /* lines of the input end with LF alone */
static bool begun; /* a line was read */
static char helo[LIMIT_DOMAIN + 1];
static char verb[VERB_MAX + 1];

void
dry_open(struct mrecv *m)
{
	static char room[LINES_MAX];

	if (!m->dry)
		return;
	in_init(&lines, m->in.fd, room, sizeof(room));
	if (getenv("TCPREMOTEIP") != NULL)
		setenv("PROTO", "TCP", 0);
}

static void
put_arg(struct span arg)
{
	struct buf b = { .max = 3 * LIMIT_SMTP_LINE };

	if (enc_pct(&b, arg))
		printf(" %s", buf_cstr(&b));
	buf_free(&b);
}

void
dry_line(const struct mrecv *m, const char *step, struct span arg,
    const char *decision, const char *because)
{
	if (!m->dry)
		return;
	fputs(step, stdout);
	if (arg.n > 0)
		put_arg(arg);
	printf("\t%s\t%s\n", decision, because);
}

void
dry_reply(const struct mrecv *m, const char *step, struct span arg, int code,
    const char *said, const char *because)
{
	char decision[LIMIT_SMTP_REPLY];

	snprintf(decision, sizeof(decision), "%d %s", code, said);
	dry_line(m, step, arg, decision, because);
}

void
dry_reason(const struct mrecv *m, const char *step, struct span arg,
    const char *decision, const char *because)
{
	if (m->verbose > 0)
		dry_line(m, step, arg, decision, because);
}

static void
note_helo(struct mrecv *m)
{
	if (strcmp(helo, m->s.helo) == 0)
		return;
	memcpy(helo, m->s.helo, sizeof(helo));
	dry_line(m, "helo", span_of(helo), "250",
	    m->s.esmtp ? "extensions" : "no extensions");
}

void
dry_engine(struct mrecv *m, size_t n)
{
	struct span said = buf_span(&m->s.out);

	if (!m->dry)
		return;
	note_helo(m);
	for (span_take(&said, n); said.n > 0;) {
		struct span line = span_cut(&said, '\n');
		char decision[LIMIT_SMTP_REPLY];

		if (line.n > 0 && (*line.p == '4' || *line.p == '5') &&
		    span_cstr(span_take(&line, line.n - 1), decision,
			sizeof(decision)))
			dry_line(m, "command", span_of(verb), decision,
			    "the protocol");
	}
}

/* A command, in words. */
static void
would(struct mrecv *m, const char *step, char *const *argv)
{
	static struct buf b = { .max = LIMIT_PATH };

	buf_clear(&b);
	for (; argv[0] != NULL; argv++)
		buf_printf(&b, "%s%s", b.n > 0 ? " " : "", argv[0]);
	for (size_t i = 0; i < b.n; i++)
		if (!is_print(b.p[i]))
			b.p[i] = '?';
	dry_line(m, step, SPAN(""), "would run", buf_cstr(&b));
}

void
dry_message(struct mrecv *m)
{
	bool kept = m->s.nrcpt > 0;
	char n[32];

	snprintf(n, sizeof(n), "recipients: %u", m->s.nrcpt);
	for (size_t i = 0; kept && i < m->nstages; i++)
		if (m->stages[i].argv != NULL)
			would(m, "filter", m->stages[i].argv);
		else
			dry_line(m, "milter", SPAN(""), "would be asked",
			    m->stages[i].name);
	if (kept)
		would(m, "sink", m->sink);
	if (kept && m->hold[0] != '\0')
		dry_line(m, "message", SPAN(""), "held", m->hold);
	dry_line(m, "message", SPAN(""), kept ? "250" : "250, dropped", n);
}

void
dry_refusal(const struct mrecv *m, int code, struct span why)
{
	char decision[8], because[LIMIT_SMTP_REPLY];

	snprintf(decision, sizeof(decision), "%d", code);
	snprintf(because, sizeof(because), "%.*s", (int)why.n, why.p);
	dry_line(m, "message", SPAN(""), decision, because);
}

static void
note_verb(struct span line)
{
	struct span word = span_word(&line);
	size_t n = 0;

	for (; n < word.n && n < VERB_MAX && is_alnum(word.p[n]); n++)
		verb[n] = to_upper(word.p[n]);
	verb[n] = '\0';
}

static void
show(const char *who, struct span line)
{
	fputs(who, stdout);
	for (size_t i = 0; i < line.n; i++)
		putchar(is_print(line.p[i]) ? line.p[i] : '?');
	putchar('\n');
}

/* A line that somebody typed ends with LF: what they mean is CR LF. */
bool
dry_fill(struct mrecv *m)
{
	struct span line;
	char *to = m->in.buf;
	size_t left = m->in.data.n;

	if (in_line(&lines, &line) != 1 || left + line.n + 2 > m->in.cap) {
		m->why = "gone";
		return false;
	}
	if (!begun)
		text = line.n == 0 || line.p[line.n - 1] != '\r';
	begun = true;
	memmove(to, m->in.data.p, left);
	memcpy(to + left, line.p, line.n);
	m->in.data = (struct span){ to, left + line.n };
	if (text)
		to[m->in.data.n++] = '\r';
	to[m->in.data.n++] = '\n';
	if (!text && line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	if (!smtpd_in_message(&m->s))
		note_verb(line);
	if (m->verbose > 1)
		show("C: ", line);
	return true;
}

void
dry_flush(struct mrecv *m)
{
	struct span said = buf_span(&m->s.out);

	while (m->verbose > 1 && said.n > 0) {
		struct span line = span_cut(&said, '\n');

		line.n--;
		show("S: ", line);
	}
	fflush(stdout);
}
