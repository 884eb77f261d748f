/*
 * user - become another user, or nobody in particular, for good
 */
#ifndef IO_USER_H
#define IO_USER_H

#include <sys/types.h>

#include "base/span.h"

bool user_is_root(void);

/*
 * Drop to uid and gid with no further groups, irrevocably.  0, or -1 and
 * errno; when it fails the caller must not go on.  When we are not root:
 * 0 and nothing done (one uid does everything).
 */
MUST int user_become(uid_t uid, gid_t gid);

/* By the name of an account of ours (conf_account). */
MUST int user_become_named(const char *name);

/*
 * Make ready what user_empty_root needs, once in a parent of many, so
 * that no child has to.  0, or -1 and errno.
 */
MUST int user_prepare_empty_root(void);

/* What that holds open, or -1: to be kept by who closes all else. */
int user_empty_root_fd(void);

/*
 * Root only: chroot into an empty directory that no one can write, then
 * become the user.  Not root: only the rest of the sandbox.
 */
MUST int user_empty_root(uid_t uid, gid_t gid);

#endif
