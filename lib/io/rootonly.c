#include "io/rootonly.h"

#include <sys/stat.h>

#include "base/limits.h"

bool
rootonly(const char *path)
{
	char part[LIMIT_PATH], *real = realpath(path, NULL), *slash;
	struct stat st;
	bool ok = real != NULL && strlen(real) < sizeof(part);

	if (ok) {
		snprintf(part, sizeof(part), "%s", real);
		ok = stat(part, &st) == 0 && st.st_uid == 0 &&
		    (st.st_mode & (S_IWGRP | S_IWOTH)) == 0;
	}
	free(real);
	while (ok && (slash = strrchr(part, '/')) != NULL) {
		*slash = '\0';
		ok = stat(part[0] == '\0' ? "/" : part, &st) == 0 &&
		    st.st_uid == 0 &&
		    ((st.st_mode & (S_IWGRP | S_IWOTH)) == 0 ||
			(st.st_mode & S_ISVTX) != 0);
	}
	return ok;
}
