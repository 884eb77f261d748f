/*
 * confine - the sandboxes of the programs that read the configuration
 *
 * A table of the configuration may be a link to a file somewhere else,
 * which then may be read too.
 */
#ifndef IO_CONFINE_H
#define IO_CONFINE_H

#include "io/sandbox.h"

enum { CONFINE_TABLES = 8 };

/*
 * Append to p[n], which has room for CONFINE_TABLES + 1 more: the folder
 * of the configuration to be read, and of these tables those that are
 * links.  The new number.
 */
size_t confine_conf(struct sandbox_path *p, size_t n, const char *const *tables,
    size_t ntables);

/*
 * Nothing from here on but the mail below root, the configuration, and
 * what libc reads to convert charsets.  For who serves one user, with that
 * user's rights.  0, or -1 and errno.
 */
int confine_mail(const char *root);

#endif
