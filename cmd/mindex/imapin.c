/* import imap [user=NAME] [auth=token] [only=MAILBOX] [not=MAILBOX] -- COMMAND
 */
#include "imapin.h"

#include "base/die.h"
#include "base/grow.h"
#include "base/num.h"
#include "base/sha256.h"
#include "imaplink.h"
#include "import.h"
#include "store/adopt.h"
#include "store/boxfile.h"

enum { CHUNK = 50, SIZES = 200, WORDS = 32 };

static struct {
	const char *user, *only[WORDS], *not [WORDS];
	size_t nonly, nnot;
	bool by_token;
} want;

static struct target to;

/* The mailbox there, as it was opened. */
static struct {
	uint32_t uidvalidity, uidnext, key;
	uint64_t exists;
	uint32_t *uid; /* those to be taken, rising */
	size_t n, cap;
	bool *got;     /* uid[i] is here */
	uint32_t last; /* was taken before */
	bool keep;     /* UIDs are ours, too */
	bool writing, cr, after_cr;
	struct buf words, body, scratch;
} box;

static void
opened(struct span text)
{
	struct span rest = text, number = span_word(&rest);
	uint32_t n;

	if (span_iis(span_trim(rest), "EXISTS") && num_u32(number, &n))
		box.exists = n;
	else if (imapc_code(text, "UIDVALIDITY", &n))
		box.uidvalidity = n;
	else if (imapc_code(text, "UIDNEXT", &n))
		box.uidnext = n;
}

static void
base_of(uint32_t uid, char base[64])
{
	snprintf(base, 64, "%lu.U%luK%08lx.imap",
	    (unsigned long)box.uidvalidity, (unsigned long)uid,
	    (unsigned long)box.key);
}

static void
listed(struct span text)
{
	struct imapc_fetch f;

	buf_clear(&box.words);
	if (!imapc_fetch(text, &f, &box.words, &box.body, &box.scratch) ||
	    f.uid <= box.last)
		return;
	box.uid = grow_array(box.uid, box.n, &box.cap, sizeof(*box.uid));
	box.uid[box.n++] = f.uid;
}

/*
 * CRLF becomes LF; any other CR or LF stays.  A CR in front of CRLF would be
 * taken for a part of it, so that line keeps its own.
 */
static void
write_lines(struct span s)
{
	size_t n;

	while (s.n > 0) {
		if (box.cr) {
			if (*s.p != '\n' || box.after_cr)
				maildir_write(&to.bring.file, SPAN("\r"));
			box.after_cr = *s.p == '\r';
			box.cr = false;
		}
		n = span_chr(s, '\r');
		if (n > 0)
			box.after_cr = false;
		maildir_write(&to.bring.file, span_take(&s, n));
		if (s.n > 0) {
			span_take(&s, 1);
			box.cr = true;
		}
	}
}

static void
body(struct span piece)
{
	if (!box.writing && bring_create(&to.bring) == -1)
		die_sys(EXIT_TEMP, "%s", to.name);
	box.writing = true;
	write_lines(piece);
}

static int
compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* In whatever order, and how often, the server has listed them. */
static void
put_in_order(void)
{
	size_t n = 0;

	if (box.n > 0)
		qsort(box.uid, box.n, sizeof(*box.uid), compare);
	for (size_t i = 0; i < box.n; i++)
		if (n == 0 || box.uid[i] != box.uid[n - 1])
			box.uid[n++] = box.uid[i];
	box.n = n;
	box.got = die_calloc(n + 1, sizeof(*box.got));
}

/* Whether it was asked for, and did not come yet; then it has now. */
static bool
is_wanted(uint32_t uid)
{
	const uint32_t *p = box.n == 0
	    ? NULL
	    : bsearch(&uid, box.uid, box.n, sizeof(uid), compare);
	bool *got = p == NULL ? NULL : &box.got[p - box.uid];

	if (got == NULL || *got)
		return false;
	*got = true;
	return true;
}

/* A message is whole. */
static void
fetched(struct span text)
{
	struct imapc_fetch f;
	char base[64];

	buf_clear(&box.words);
	if (!imapc_fetch(text, &f, &box.words, &box.body, &box.scratch) ||
	    !f.has_body) {
		if (box.writing)
			bring_drop(&to.bring);
		box.writing = box.cr = box.after_cr = false;
		return;
	}
	body(f.body);
	if (box.cr)
		maildir_write(&to.bring.file, SPAN("\r"));
	box.writing = box.cr = box.after_cr = false;
	base_of(f.uid, base);
	if (!is_wanted(f.uid)) {
		bring_drop(&to.bring);
		return;
	}
	target_done(&to,
	    &(struct bring_msg){ .base = base,
		.uid = box.keep ? f.uid : 0,
		.flags = f.flags,
		.keywords = buf_span(&box.words),
		.date = f.date });
}

/* Items of those from i to end that are not here yet: "a:b,c:d". */
static void
ask_for(size_t i, size_t end, const char *items)
{
	struct buf b;
	const char *sep = "UID FETCH ";

	buf_init(&b, (end - i) * 24 + 128);
	for (; i < end; i++) {
		size_t first = i;

		if (box.got[i])
			continue;
		while (i + 1 < end && !box.got[i + 1] &&
		    box.uid[i + 1] == box.uid[i] + 1)
			i++;
		buf_printf(&b, "%s%lu:%lu", sep, (unsigned long)box.uid[first],
		    (unsigned long)box.uid[i]);
		sep = ",";
	}
	buf_puts(&b, items);
	if (*sep == ',')
		link_run(buf_span(&b));
	buf_free(&b);
}

static void
ask(size_t i, size_t end)
{
	ask_for(i, end, " (UID FLAGS INTERNALDATE BODY.PEEK[])");
}

static size_t
missing(size_t i, size_t end)
{
	size_t n = 0;

	for (; i < end; i++)
		n += !box.got[i];
	return n;
}

/* One by one: one that the server can't give stops no other. */
static void
ask_again(size_t i, size_t end)
{
	for (; i < end; i++) {
		if (box.got[i])
			continue;
		ask(i, i + 1);
		if (!box.got[i])
			warn("%s: UID %lu does not come: the server says %s",
			    to.name, (unsigned long)box.uid[i], link_answer());
	}
}

/* What did not come is asked for again by the next run. */
static void
fetch_all(void)
{
	size_t end, asked, lost = 0;
	uint32_t last = box.last;

	link_untagged = fetched;
	link_body = body;
	for (size_t i = 0; i < box.n; i = end) {
		end = box.n - i < CHUNK ? box.n : i + CHUNK;
		asked = missing(i, end);
		ask(i, end);
		ask_again(i, end);
		target_commit(&to);
		for (size_t k = i; k < end && lost == 0 && box.got[k]; k++)
			last = box.uid[k];
		if (last > box.last)
			imported_write(to.path, box.key, box.uidvalidity, last);
		lost += missing(i, end);
		if (asked > 1 && missing(i, end) == asked)
			break; /* and so for all of them */
	}
	link_untagged = NULL;
	link_body = NULL;
	if (lost > 0)
		status = EXIT_TEMP;
}

/* Line ends are two octets there, so that more may have room than is said. */
static void
sized(struct span text)
{
	struct imapc_fetch f;

	buf_clear(&box.words);
	if (!imapc_fetch(text, &f, &box.words, &box.body, &box.scratch) ||
	    f.size == 0 || !is_wanted(f.uid))
		return;
	to.size = f.size;
	target_done(&to, NULL);
}

/* -n: what would be taken, and whether it has room. */
static void
foretell(void)
{
	size_t end;

	if (target_foretells()) {
		link_untagged = sized;
		for (size_t i = 0; i < box.n; i = end) {
			end = box.n - i < SIZES ? box.n : i + SIZES;
			ask_for(i, end, " (UID RFC822.SIZE)");
		}
		link_untagged = NULL;
	}
	to.taken += missing(0, box.n);
}

static void
take_messages(void)
{
	char base[64];

	box.keep = target_keeps(&to, box.uidvalidity);
	put_in_order();
	for (size_t i = 0; i < box.n; i++) {
		base_of(box.uid[i], base);
		box.got[i] = target_has(&to, base);
	}
	if (!dry_run) {
		fetch_all();
		if (box.keep)
			target_uidnext(&to, box.uidnext);
	} else {
		foretell();
	}
	free(box.got);
	box.got = NULL;
}

/* Which mailbox of which user it is, in the names of files. */
static uint32_t
key_of(const char *raw)
{
	unsigned char digest[SHA256_LEN];
	struct sha256 sha;

	sha256_init(&sha);
	sha256_put(&sha, span_of(want.user));
	sha256_put(&sha, (struct span){ "", 1 });
	sha256_put(&sha, span_of(raw));
	sha256_end(&sha, digest);
	return (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 |
	    (uint32_t)digest[2] << 8 | digest[3];
}

static bool
examine(const struct remote *r)
{
	struct buf b;
	bool ok;

	buf_init(&b, LIMIT_MAILBOX_NAME * 2 + 32);
	buf_puts(&b, "EXAMINE ");
	box.uidvalidity = box.uidnext = 0;
	box.exists = 0;
	link_untagged = opened;
	ok = imapc_put_quoted(&b, span_of(r->raw)) && link_run(buf_span(&b));
	link_untagged = NULL;
	buf_free(&b);
	return ok;
}

static void
take_box(const struct remote *r)
{
	static const struct {
		unsigned theirs, ours;
	} uses[] = { { IMAPC_DRAFTS, BOX_DRAFTS }, { IMAPC_JUNK, BOX_JUNK },
		{ IMAPC_SENT, BOX_SENT }, { IMAPC_TRASH, BOX_TRASH },
		{ IMAPC_ARCHIVE, BOX_ARCHIVE } };
	unsigned use = 0;

	if (!examine(r)) {
		warn("%s: the server says %s", r->name, link_answer());
		status = EXIT_TEMP;
		return;
	}
	if (!target_open(&to, r->name))
		return;
	box.key = key_of(r->raw);
	box.n = 0;
	box.last =
	    to.exists ? imported_read(to.path, box.key, box.uidvalidity) : 0;
	link_untagged = listed;
	if (box.exists > 0 &&
	    !link_runf("UID FETCH %lu:* (UID)", (unsigned long)box.last + 1)) {
		warn("%s: the server says %s", r->name, link_answer());
		status = EXIT_TEMP;
		box.n = 0;
	}
	link_untagged = NULL;
	take_messages();
	for (size_t i = 0; i < 5; i++)
		if ((r->attrs & uses[i].theirs) != 0)
			use |= uses[i].ours;
	if (to.made && use != 0 &&
	    boxfile_set_use(boxes.fd, dir_of(to.path), use) == -1)
		failed(r->name);
	if (!dry_run && (r->attrs & IMAPC_SUBSCRIBED) != 0 &&
	    boxes_subscribe(&boxes, span_of(r->name), true) != BOX_OK)
		failed(r->name);
	target_close(&to);
}

static bool
is_in(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(name, list[i]) == 0)
			return true;
	return false;
}

static void
take_all(void)
{
	size_t n;
	struct remote *r = remote_list(&n);

	for (size_t i = 0; i < n; i++) {
		if ((r[i].attrs & IMAPC_NOSELECT) != 0)
			continue;
		if (r[i].name == NULL) {
			say(r[i].raw, "leave", "no name that we can have");
			continue;
		}
		if ((want.nonly > 0 &&
			!is_in(r[i].name, want.only, want.nonly)) ||
		    is_in(r[i].name, want.not, want.nnot)) {
			say_more(r[i].name, "leave", "not wanted");
			continue;
		}
		take_box(&r[i]);
	}
	for (size_t i = 0; i < n; i++) {
		free(r[i].raw);
		free(r[i].name);
	}
	free(r);
}

int
import_imap(char **argv)
{
	for (; *argv != NULL && strcmp(*argv, "--") != 0; argv++) {
		if (strncmp(*argv, "user=", 5) == 0)
			want.user = *argv + 5;
		else if (strcmp(*argv, "auth=token") == 0)
			want.by_token = true;
		else if (strncmp(*argv, "only=", 5) == 0 && want.nonly < WORDS)
			want.only[want.nonly++] = *argv + 5;
		else if (strncmp(*argv, "not=", 4) == 0 && want.nnot < WORDS)
			want.not [want.nnot++] = *argv + 4;
		else
			usage_of("import");
	}
	if (argv[0] == NULL || argv[1] == NULL)
		usage_of("import");
	buf_init(&box.words, LIMIT_IMAP_RESPONSE);
	buf_init(&box.body, LIMIT_IMAP_RESPONSE);
	buf_init(&box.scratch, LIMIT_IMAP_RESPONSE);
	link_open(argv + 1, want.user, want.by_token);
	take_all();
	link_close();
	buf_free(&box.words);
	buf_free(&box.body);
	buf_free(&box.scratch);
	free(box.uid);
	return status;
}
