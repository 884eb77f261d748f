#include "mail/digest.h"

#include "mail/addr.h"
#include "mail/bodystructure.h"

enum {
	PACK_EIGHT = 1,
	PACK_FIELDS = 2,
	PACK_FOREIGN = 4,
	PACK_LONE = 8,  /* without the BODY that was kept, too, before */
	FIELD_HEAD = 4, /* its number and three bytes of length */
	FIELDS_MAX = LIMIT_DIGEST_KEPT - 16384,
	FIELD_SHORT = 1000, /* in an ENVELOPE that was too long */
	SLOTS = 256
};

/*
 * What Thunderbird, K-9, Apple Mail, Outlook, mutt, mbsync, OfflineIMAP,
 * Roundcube and Delta Chat ask for.  The numbers are on disk: add at the
 * end.
 */
static const char *const names[] = { "Date", "From", "Sender", "Reply-To", "To",
	"Cc", "Bcc", "Subject", "Message-ID", "In-Reply-To", "References",
	"Newsgroups", "Followup-To", "Priority", "X-Priority", "Importance",
	"X-MSMail-Priority", "Content-Type", "Content-Transfer-Encoding",
	"Content-Disposition", "Content-Description", "MIME-Version", "List-Id",
	"List-Post", "List-Unsubscribe", "List-Unsubscribe-Post",
	"List-Subscribe", "List-Help", "List-Archive",
	"Disposition-Notification-To", "Return-Receipt-To", "X-Label",
	"X-Original-To", "Delivered-To", "Return-Path", "Lines", "X-TUID",
	"X-OfflineIMAP", "X-K9mail-Identity", "Mail-Followup-To",
	"Mail-Reply-To", "Auto-Submitted", "Precedence", "X-Spam-Flag",
	"X-Uniform-Type-Identifier", "X-Universally-Unique-Identifier",
	"X-Mail-Created-Date", "X-MSOESRec", "X-Ref", "User-Agent", "X-Mailer",
	"Keywords", "X-Forwarded-Message-Id", "Authentication-Results",
	"Chat-Version", "Autocrypt-Setup-Message",
	"X-Microsoft-Original-Message-ID" };

enum { NNAMES = sizeof(names) / sizeof(names[0]) };

_Static_assert((int)NNAMES <= (int)DIGEST_FIELDS, "a set has 64 bits");

static unsigned
hash(struct span name)
{
	unsigned char a = (unsigned char)to_lower(name.p[0]),
		      b = (unsigned char)to_lower(name.p[name.n / 2]),
		      c = (unsigned char)to_lower(name.p[name.n - 1]);

	return ((unsigned)name.n * 37 + a * 5U + b * 17U + c * 3U) % SLOTS;
}

/* Each name in the first slot from its hash on that was free. */
static void
fill(unsigned char slot[SLOTS], struct span known[NNAMES])
{
	for (unsigned i = NNAMES; i-- > 0;) {
		unsigned h;

		known[i] = span_of(names[i]);
		h = hash(known[i]);
		while (slot[h] != 0)
			h = (h + 1) % SLOTS;
		slot[h] = (unsigned char)(i + 1);
	}
}

int
digest_field_id(struct span name)
{
	static unsigned char slot[SLOTS]; /* the number and one; 0: free */
	static struct span known[NNAMES];

	if (known[0].n == 0)
		fill(slot, known);
	if (name.n == 0)
		return -1;
	for (unsigned h = hash(name); slot[h] != 0; h = (h + 1) % SLOTS)
		if (name.n == known[slot[h] - 1].n &&
		    span_ieq(name, known[slot[h] - 1]))
			return slot[h] - 1;
	return -1;
}

const char *
digest_field_name(int id)
{
	return id >= 0 && id < NNAMES ? names[id] : NULL;
}

static void
set_number(char *to, size_t v)
{
	for (int i = 0; i < 3; i++)
		to[i] = (char)(v >> (8 * i) & 0xff);
}

static size_t
number(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;

	return u[0] | (size_t)u[1] << 8 | (size_t)u[2] << 16;
}

bool
digest_field_next(struct span *fields, int *id, struct span *line)
{
	size_t n;

	if (fields->n < FIELD_HEAD)
		return false;
	*id = (unsigned char)fields->p[0];
	n = number(fields->p + 1);
	if (n > fields->n - FIELD_HEAD || *id >= NNAMES)
		return false;
	line->p = fields->p + FIELD_HEAD;
	line->n = n;
	span_take(fields, FIELD_HEAD + n);
	return true;
}

/* A line as it goes out: CRLF, and no NUL. */
static void
put_line(struct buf *b, struct span line)
{
	size_t start = b->n;

	if (line.n > 0 && line.p[line.n - 1] == '\r')
		line.n--;
	buf_put(b, line);
	if (memchr(line.p, '\0', line.n) != NULL)
		for (size_t i = start; i < b->n; i++)
			if (b->p[i] == '\0')
				b->p[i] = (char)0x80;
	buf_puts(b, "\r\n");
}

static void
keep_field(void *ctx, const struct header *h)
{
	struct digester *d = ctx;
	struct buf *b = &d->fields;
	int id = digest_field_id(h->name);
	struct span raw = h->raw;
	size_t start = b->n;
	char head[FIELD_HEAD] = { (char)id };

	if (id == -1)
		return;
	d->cut = d->cut || h->cut;
	buf_put(b, (struct span){ head, FIELD_HEAD });
	while (raw.n > 0)
		put_line(b, span_cut(&raw, '\n'));
	if (!b->over)
		set_number(b->p + start + 1, b->n - start - FIELD_HEAD);
}

/* The first text part that says anything. */
static bool
read_text(void *ctx, const struct mime_part *part, struct span s)
{
	struct digester *d = ctx;

	if (part != d->text_part) {
		if (d->text_part != NULL && d->preview.n > 0)
			return false;
		if (!preview_begin(&d->preview, part))
			return false;
		d->text_part = part;
	}
	return preview_feed(&d->preview, s);
}

void
digester_begin(struct digester *d, unsigned want)
{
	if (d->arena.max == 0) {
		arena_init(&d->arena, LIMIT_IMAP_ARENA);
		arena_alloc(&d->arena, 1); /* a chunk that stays */
		d->mark = arena_mark(&d->arena);
		d->hooks = (struct mime_hooks){ d, keep_field, read_text };
		buf_init(&d->envelope, LIMIT_DIGEST);
		buf_init(&d->fields, FIELDS_MAX);
		buf_init(&d->structure, LIMIT_DIGEST);
		buf_init(&d->text, LIMIT_PREVIEW * 4 + 4);
	}
	arena_release(&d->arena, d->mark);
	buf_clear(&d->fields);
	d->want = want;
	d->text_part = NULL;
	d->cut = false;
	mime_init(&d->mime, &d->arena);
	d->mime.hooks = &d->hooks;
	d->mime.head_only = (want & DIGEST_BODY) == 0;
}

bool
digester_feed(struct digester *d, struct span s)
{
	mime_feed(&d->mime, s);
	return !d->mime.head_only || !mime_has_head(&d->mime);
}

static void
make_envelope(struct digester *d, const struct imapenv *full)
{
	struct imapenv e = *full;

	buf_clear(&d->envelope);
	if (imapenv_put(&d->envelope, &d->arena, &e) && !d->envelope.over)
		return;
	for (size_t i = 0; i < IMAPENV_FIELDS; i++)
		if (e.field[i].n > FIELD_SHORT)
			e.field[i].n = FIELD_SHORT;
	buf_clear(&d->envelope);
	imapenv_put(&d->envelope, &d->arena, &e);
}

static void
make_structure(struct digester *d, const struct mime_part *root)
{
	struct mime_part opaque = *root;
	struct buf *b = &d->structure;

	buf_clear(b);
	if (bodystructure_put(b, &d->arena, root, true))
		return;
	opaque.kind = MIME_LEAF;
	opaque.child = NULL;
	buf_clear(b);
	bodystructure_put(b, &d->arena, &opaque, true);
}

void
digester_end(struct digester *d, struct digest *g)
{
	const struct mime_part *root = mime_end(&d->mime);

	*g = (struct digest){ 0 };
	make_envelope(d, root->envelope);
	g->envelope = buf_span(&d->envelope);
	if (!d->cut && !d->fields.over)
		g->fields = buf_span(&d->fields);
	if ((d->want & DIGEST_BODY) != 0) {
		make_structure(d, root);
		buf_clear(&d->text);
		if (d->text_part != NULL &&
		    !preview_end(&d->preview, d->charsets, &d->text))
			g->foreign = d->charsets == NULL;
		g->structure = buf_span(&d->structure);
		g->preview = buf_span(&d->text);
		g->size = d->mime.at.wire;
		if (d->mime.last != '\n') /* an end that is added */
			g->size += d->mime.last == '\r' ? 1 : 2;
	}
	g->eight = !addr_is_ascii(g->envelope) || !addr_is_ascii(g->structure);
}

void
digester_free(struct digester *d)
{
	header_free(&d->mime.header); /* where no end was asked for */
	arena_free(&d->arena);
	buf_free(&d->envelope);
	buf_free(&d->fields);
	buf_free(&d->structure);
	buf_free(&d->text);
	d->arena.max = 0;
}

/*
 * HEAD: flags, how many names were known, 3 bytes of length, ENVELOPE,
 * fields.  BODY: flags, 3 bytes of length, BODYSTRUCTURE, the preview;
 * without PACK_LONE, a length and BODY stand before that.
 */
bool
digest_put(struct buf *b, const struct digest *g, unsigned kind, size_t max)
{
	char head[5] = { g->eight ? PACK_EIGHT : 0, NNAMES };

	if (kind == DIGEST_BODY) {
		if (g->structure.n + g->preview.n + 4 > max)
			return false;
		head[0] |= PACK_LONE | (g->foreign ? PACK_FOREIGN : 0);
		set_number(head + 1, g->structure.n);
		buf_put(b, (struct span){ head, 4 });
		buf_put(b, g->structure);
		return buf_put(b, g->preview);
	}
	if (g->envelope.n + sizeof(head) > max)
		return false;
	set_number(head + 2, g->envelope.n);
	if (g->fields.p != NULL &&
	    g->envelope.n + sizeof(head) + g->fields.n <= max)
		head[0] |= PACK_FIELDS;
	buf_put(b, (struct span){ head, sizeof(head) });
	buf_put(b, g->envelope);
	return (head[0] & PACK_FIELDS) == 0 || buf_put(b, g->fields);
}

static bool
take_text(struct span *s, struct span *text)
{
	size_t n;

	if (s->n < 3)
		return false;
	n = number(s->p);
	span_take(s, 3);
	if (n > s->n)
		return false;
	*text = span_take(s, n);
	return true;
}

bool
digest_get(struct span s, unsigned kind, struct digest *g)
{
	unsigned char flags, known;
	struct span body;

	if (s.n < 2)
		return false;
	flags = (unsigned char)*span_take(&s, 1).p;
	g->eight = g->eight || (flags & PACK_EIGHT) != 0;
	if (kind == DIGEST_BODY) {
		g->foreign = (flags & PACK_FOREIGN) != 0;
		if (((flags & PACK_LONE) == 0 && !take_text(&s, &body)) ||
		    !take_text(&s, &g->structure))
			return false;
		g->preview = s;
		return true;
	}
	known = (unsigned char)*span_take(&s, 1).p;
	if (!take_text(&s, &g->envelope))
		return false;
	g->fields = (struct span){ NULL, 0 };
	if ((flags & PACK_FIELDS) != 0 && known == NNAMES)
		g->fields = s;
	return true;
}
