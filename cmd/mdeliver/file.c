#include <errno.h>
#include <stdarg.h>

#include "mdeliver.h"
#include "store/deliver.h"
#include "store/quota.h"

struct filing {
	struct maildir md;
	struct maildir_file file;
	bool open, placed;
};

void
target_set(
    struct target *t, enum verdict v, const char *code, const char *fmt, ...)
{
	va_list ap;

	t->done = true;
	t->verdict = v;
	snprintf(t->code, sizeof(t->code), "%s", code);
	va_start(ap, fmt);
	vsnprintf(t->text, sizeof(t->text), fmt, ap);
	va_end(ap);
}

static void
later(struct target *t, const char *what)
{
	bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG;

	target_set(t, TEMP, full ? "4.2.2" : "4.3.0", "%s %s: %s", what,
	    t->path, strerror(errno));
}

static void
put(void *ctx, struct span s)
{
	maildir_write(ctx, s);
}

/* Whether message i has room beside those before it, not yet placed. */
static bool
has_room(struct target *const *t, const struct filing *f, size_t i)
{
	static struct quota q;
	uint64_t size = f[i].file.size, n = 1;

	for (size_t k = 0; k < i; k++)
		if (f[k].open && strcmp(t[k]->path, t[i]->path) == 0) {
			size += f[k].file.size;
			n++;
		}
	quota_init(&q, t[i]->path, t[i]->quota_bytes, t[i]->quota_messages);
	return quota_room(&q, size, n);
}

/* Written and synced, or set to later with nothing left. */
static void
write_one(struct target *const *targets, struct filing *all, size_t i)
{
	static struct digester digester;
	struct target *t = targets[i];
	struct filing *f = &all[i];
	int r;

	if (maildir_open(&f->md, t->path, true) == -1) {
		later(t, "open");
		return;
	}
	if (maildir_create(&f->md, &f->file) == -1) {
		later(t, "create in");
		maildir_close(&f->md);
		return;
	}
	maildir_digest(&f->file, &digester);
	r = source_read(t->source, t->address, put, &f->file);
	if (r == 0 && !has_room(targets, all, i)) {
		target_set(t, TEMP, "4.2.2", "%s is full", t->path);
		maildir_abort(&f->file);
		maildir_close(&f->md);
		return;
	}
	if (r == 0)
		r = maildir_sync(&f->file);
	if (r == 0) {
		f->open = true;
		return;
	}
	if (r == 1)
		target_set(t, PERM, "5.4.6", "it was delivered to %s before",
		    t->address);
	else
		later(t, "write to");
	maildir_abort(&f->file);
	maildir_close(&f->md);
}

/* All of them lie in one folder. */
static void
place_all(struct target *const *t, struct filing *f, size_t n)
{
	struct delivery *d = NULL;
	bool any = false;

	for (size_t i = 0; i < n; i++) {
		if (!f[i].open)
			continue;
		if (!any)
			d = delivery_begin(t[i]->path, LOCK_WAIT_MS);
		any = true;
		f[i].placed = maildir_place(&f[i].file, NULL, 0) == 0;
		if (!f[i].placed) {
			later(t[i], "rename in");
			maildir_abort(&f[i].file);
		} else if (d != NULL) {
			delivery_add(d, &f[i].file);
		}
	}
	delivery_end(d);
}

static bool
synced_before(struct target *const *t, const struct filing *f, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (f[k].placed && strcmp(t[k]->path, t[i]->path) == 0)
			return true;
	return false;
}

void
file_targets(struct target *const *t, size_t n)
{
	static struct filing f[BATCH_JOBS];

	memset(f, 0, sizeof(f));
	for (size_t i = 0; i < n; i++)
		write_one(t, f, i);
	place_all(t, f, n);
	for (size_t i = 0; i < n; i++) {
		if (!f[i].placed)
			continue;
		if (!synced_before(t, f, i) &&
		    maildir_sync_dir(&f[i].md, false) == -1) {
			/* it may be there after all: a duplicate then */
			later(t[i], "sync");
			f[i].placed = false;
			maildir_abort(&f[i].file);
			continue;
		}
		target_set(t[i], OK, "2.0.0", "delivered to %s", t[i]->path);
		quota_add(t[i]->path, (int64_t)f[i].file.size, 1);
		maildir_done(&f[i].file);
	}
	for (size_t i = 0; i < n; i++) {
		if (!f[i].open)
			continue;
		if (!synced_before(t, f, i))
			maildir_clean(&f[i].md);
		maildir_close(&f[i].md);
	}
}
