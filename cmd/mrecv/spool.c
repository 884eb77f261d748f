#include <unistd.h>

#include "io/conf.h"
#include "io/fs.h"
#include "message.h"

const char *
spool_dir(void)
{
	static char dir[LIMIT_PATH];
	const char *tmp = getenv("TMPDIR");

	if (dir[0] != '\0')
		return dir;
	snprintf(dir, sizeof(dir), "%s/tmp", conf_path("queue"));
	if (access(dir, W_OK | X_OK) == -1)
		snprintf(dir, sizeof(dir), "%s", tmp != NULL ? tmp : "/tmp");
	return dir;
}

int
spool_open(struct spool *s)
{
	int fd = fs_unnamed(spool_dir());

	if (fd == -1)
		return -1;
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

void
spool_swap(void)
{
	spool_close(&msg.spool);
	msg.spool = msg.next;
	msg.spool.out.buf = msg.spool.buf;
	msg.next.out.fd = -1;
}
