#include "auth/monitor.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/buf.h"
#include "io/deadline.h"
#include "io/out.h"

enum { HEAD = 3, PATIENCE = 10 };

static const char types[] = "BNTcfptSUE";

int
monitor_send(int fd, enum monitor_type type, struct span data)
{
	char record[LIMIT_MONITOR_MSG];
	int r, err;

	if (data.n > MONITOR_DATA_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	record[0] = (char)type;
	record[1] = (char)(data.n >> 8);
	record[2] = (char)(data.n & 0xff);
	if (data.n > 0)
		memcpy(record + HEAD, data.p, data.n);
	r = write_all(fd, record, HEAD + data.n, deadline_in(PATIENCE));
	err = errno;
	wipe(record, HEAD + data.n);
	errno = err;
	return r;
}

/* Exactly n bytes: 1; 0 when there was none at all; -1 and errno. */
static int
read_all(int fd, char *p, size_t n, int64_t deadline)
{
	size_t at = 0;

	while (at < n) {
		ssize_t r;

		if (deadline_wait(fd, POLLIN, deadline) == -1)
			return -1;
		r = read(fd, p + at, n - at);
		if (r == 0 && at == 0)
			return 0;
		if (r == 0)
			errno = EPROTO;
		if (r == 0 || (r == -1 && errno != EINTR && errno != EAGAIN))
			return -1;
		if (r > 0)
			at += (size_t)r;
	}
	return 1;
}

int
monitor_receive(int fd, struct monitor_msg *m, int64_t deadline)
{
	char head[HEAD];
	int r = read_all(fd, head, sizeof(head), deadline);

	if (r != 1)
		return r;
	m->n = (size_t)(unsigned char)head[1] << 8 | (unsigned char)head[2];
	if (head[0] == '\0' || strchr(types, head[0]) == NULL ||
	    m->n > sizeof(m->data)) {
		errno = EPROTO;
		return -1;
	}
	m->type = (enum monitor_type)head[0];
	r = m->n == 0 ? 1 : read_all(fd, m->data, m->n, deadline);
	if (r == 0) {
		errno = EPROTO;
		return -1;
	}
	return r;
}

struct span
monitor_data(const struct monitor_msg *m)
{
	return (struct span){ m->data, m->n };
}

int
monitor_send_begin(int fd, struct span mech, const struct span *response)
{
	struct buf b = { .max = MONITOR_DATA_MAX };
	int r, err;

	buf_put(&b, mech);
	buf_putc(&b, '\0');
	buf_putc(&b, response == NULL ? '-' : '=');
	if (response != NULL)
		buf_put(&b, *response);
	errno = EMSGSIZE;
	r = b.over ? -1 : monitor_send(fd, MONITOR_BEGIN, buf_span(&b));
	err = errno;
	wipe(b.p, b.n);
	buf_free(&b);
	errno = err;
	return r;
}

bool
monitor_parse_begin(const struct monitor_msg *m, struct span *mech,
    struct span *response, bool *has_response)
{
	struct span in = monitor_data(m);

	if (span_chr(in, '\0') == in.n)
		return false;
	*mech = span_cut(&in, '\0');
	if (in.n == 0)
		return false;
	*has_response = *span_take(&in, 1).p == '=';
	*response = in;
	return true;
}
