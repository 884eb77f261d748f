#include "store/deliver.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/die.h"
#include "io/log.h"
#include "store/view.h"

struct delivery {
	struct index ix;
	struct cache cache;
	uint32_t uid; /* the next one */
	bool any;
};

static void
forget(struct delivery *d)
{
	cache_close(&d->cache);
	index_close(&d->ix);
	free(d);
}

struct delivery *
delivery_begin(const char *path, int wait_ms)
{
	struct delivery *d = die_calloc(1, sizeof(*d));

	d->cache.fd = -1;
	if (index_open(&d->ix, path) == -1) {
		free(d);
		return NULL;
	}
	if (index_lock_in(&d->ix, wait_ms) == -1) {
		forget(d);
		return NULL;
	}
	if (index_scan(&d->ix, true) == -1) {
		index_unlock(&d->ix);
		forget(d);
		return NULL;
	}
	d->uid = d->ix.uidnext;
	return d;
}

void
delivery_add(struct delivery *d, const struct maildir_file *f)
{
	struct index_new new = { .in_new = true, .fresh = true };
	struct stat st;

	if (f->in_cur || d->uid == UINT32_MAX || fstat(f->fd, &st) == -1)
		return;
	new.uid = d->uid++;
	new.file = span_of(f->name);
	new.modseq = d->ix.modseq + 1;
	new.date = (int64_t)st.st_mtime;
	new.size = f->wire.size;
	index_put_new(&d->ix, &new);
	if (f->head.n > 0)
		cache_put(&d->cache, new.uid, FACT_HEAD, buf_span(&f->head));
	if (f->body.n > 0)
		cache_put(&d->cache, new.uid, FACT_BODY, buf_span(&f->body));
	d->any = true;
}

void
delivery_end(struct delivery *d)
{
	int err = errno;

	if (d == NULL)
		return;
	if (d->any) {
		index_put_own_change(&d->ix, SCAN_NEW);
		if (index_commit(&d->ix) == -1)
			log_error(d->ix.path, NULL);
		else
			view_flush_facts(&d->ix, &d->cache);
	}
	index_unlock(&d->ix);
	forget(d);
	errno = err;
}
