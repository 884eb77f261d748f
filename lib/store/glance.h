/*
 * glance - whether a folder has changed, without opening it
 *
 * Three or four looks at its files: the mtimes of new/ and cur/, and the
 * journal, which has the changes that no file's name tells (keywords).
 * For who has to look at many folders every second, because nothing
 * watches them.  What has changed is a matter for folder_status.
 */
#ifndef STORE_GLANCE_H
#define STORE_GLANCE_H

#include "base/span.h"

/* All zero is one that nothing is like. */
struct glance {
	int64_t new_ns, cur_ns;
	uint64_t gen; /* of the journal; 0: there is none */
	uint64_t size;
};

/* Look at the folder again; whether it is another than *g was. */
bool glance_renew(struct glance *g, const char *path);

#endif
