#include "mail/intake.h"

/* A field name is known; its bytes and the colon are in i->name. */
static void
begin_field(struct intake *i)
{
	struct span name = { i->name, i->nname };

	name = span_trim((struct span){ name.p, span_chr(name, ':') });
	i->fields = true;
	i->drop = span_iis(name, "Return-Path") ||
	    (i->submission &&
		(span_iis(name, "Bcc") || span_iis(name, "Resent-Bcc")));
	i->state = INTAKE_IN_FIELD;
	if (i->authserv.n > 0 && span_iis(name, "Authentication-Results")) {
		i->state = INTAKE_IN_ID;
		i->id = (struct authserv){ 0 };
	}
	if (span_iis(name, "Received"))
		i->received++;
	if (span_iis(name, "From"))
		i->from++;
	if (span_iis(name, "Date"))
		i->has_date = true;
	if (span_iis(name, "Message-ID"))
		i->has_id = true;
}

/* ftext = %d33-57 / %d59-126, and blanks before the colon (obsolete) */
static bool
part_of_name(struct intake *i, char c)
{
	if (is_blank(c)) {
		i->blank = i->nname > 0;
		return i->blank;
	}
	return !i->blank && is_print(c);
}

/* Collect a name.  True once the field is known, or too long a name. */
static bool
collect(struct intake *i, struct span *in)
{
	while (in->n > 0 && i->nname < INTAKE_NAME) {
		char c = *in->p;

		if (c == ':' && i->nname > 0) {
			i->name[i->nname++] = *span_take(in, 1).p;
			begin_field(i);
			return true;
		}
		if (c == ':' || !part_of_name(i, c)) {
			i->no_blank = true;
			i->state = INTAKE_ENDED;
			return false;
		}
		i->name[i->nname++] = *span_take(in, 1).p;
	}
	if (i->nname < INTAKE_NAME)
		return false;
	i->drop = false;
	i->state = INTAKE_IN_FIELD;
	return i->fields = true;
}

/*
 * How Authentication-Results begin is held until it is known whose they
 * are: true.  Their end comes with a line that does not continue them.
 */
static bool
collect_id(struct intake *i, struct span *in)
{
	enum authserv_is whose = AUTHSERV_MORE;
	char c = '\0';

	while (in->n > 0 && whose == AUTHSERV_MORE) {
		if (i->name[i->nname - 1] == '\n' && !is_blank(*in->p)) {
			i->state = INTAKE_AT_BOL;
			return true;
		}
		if (i->nname == INTAKE_HELD) {
			whose = AUTHSERV_OURS;
			break;
		}
		c = *span_take(in, 1).p;
		i->name[i->nname++] = c;
		whose = authserv_next(&i->id, i->authserv, c);
	}
	if (whose == AUTHSERV_MORE)
		return false;
	i->drop = whose == AUTHSERV_OURS;
	i->state = c == '\n' ? INTAKE_AT_BOL : INTAKE_IN_FIELD;
	return true;
}

/* What was held of a name, to be passed on. */
static bool
take_name(struct intake *i, struct span *piece)
{
	*piece = (struct span){ i->name, i->nname };
	i->nname = 0;
	return piece->n > 0;
}

static void
begin_line(struct intake *i, char c)
{
	i->blank = false;
	if (c == '\n')
		i->state = INTAKE_ENDED;
	else if (is_blank(c) && i->fields)
		i->state = INTAKE_IN_FIELD; /* continues the field */
	else
		i->state = INTAKE_IN_NAME;
}

/* The rest of a line, up to and with its LF. */
static struct span
rest_of_line(struct intake *i, struct span *in)
{
	size_t n = span_chr(*in, '\n');

	if (n < in->n) {
		n++;
		i->state = INTAKE_AT_BOL;
	}
	return span_take(in, n);
}

enum intake_event
intake_next(struct intake *i, struct span *in, struct span *piece)
{
	size_t before = in->n;

	if (i->state == INTAKE_ENDED) {
		i->done = true;
		return take_name(i, piece) ? INTAKE_PIECE : INTAKE_MORE;
	}
	while (in->n > 0) {
		bool give = false;

		switch (i->state) {
		case INTAKE_AT_BOL:
			begin_line(i, *in->p);
			break;
		case INTAKE_IN_NAME:
			if (collect(i, in) && i->state == INTAKE_IN_FIELD)
				give = take_name(i, piece) && !i->drop;
			break;
		case INTAKE_IN_ID:
			if (collect_id(i, in))
				give = take_name(i, piece) && !i->drop;
			break;
		case INTAKE_IN_FIELD:
			*piece = rest_of_line(i, in);
			give = !i->drop;
			break;
		case INTAKE_ENDED:
			break;
		}
		i->bytes += before - in->n;
		before = in->n;
		if (give)
			return INTAKE_PIECE;
		if (i->state == INTAKE_ENDED)
			return INTAKE_END;
	}
	return INTAKE_MORE;
}

void
intake_eof(struct intake *i)
{
	if (i->state == INTAKE_IN_ID)
		i->nname = 0; /* nobody's, and nothing in it */
	i->state = INTAKE_ENDED;
}
