#include <unistd.h>

#include "io/conf.h"
#include "io/fs.h"
#include "message.h"

int
spool_open(struct spool *s)
{
	const char *tmp = getenv("TMPDIR");
	char queue[LIMIT_PATH], path[LIMIT_PATH + 32];
	const char *dirs[] = { queue, tmp != NULL ? tmp : "/tmp" };
	int fd = -1;

	snprintf(queue, sizeof(queue), "%s/tmp", conf_path("queue"));
	for (size_t i = 0; i < 2 && fd == -1; i++) {
		snprintf(path, sizeof(path), "%.*s/mrecv.XXXXXX",
		    (int)LIMIT_PATH, dirs[i]);
		fd = mkstemp(path);
	}
	if (fd == -1)
		return -1;
	unlink(path);
	fs_cloexec(fd, true);
	out_init(&s->out, fd, s->buf, sizeof(s->buf));
	return 0;
}

int
spool_rewind(struct spool *s)
{
	if (out_flush(&s->out) == -1)
		return -1;
	return lseek(s->out.fd, 0, SEEK_SET) == -1 ? -1 : 0;
}

void
spool_close(struct spool *s)
{
	if (s->out.fd > 0)
		close(s->out.fd);
	s->out.fd = -1;
}
