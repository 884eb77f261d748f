/* auth/session: a record that is taken is sent on the same. */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "auth/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static enum session_result
receive(int fd, struct session *s)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", fd);
	setenv("PNEU_SESSION", number, 1);
	return session_receive(s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct session a, b;
	int fd[2];

	if (n > 30000 || pipe(fd) == -1)
		return 0;
	assert(write(fd[1], p, n) == (ssize_t)n);
	close(fd[1]);
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	if (receive(fd[0], &a) == SESSION_OK) {
		assert(a.nstate <= sizeof(a.state));
		assert(a.nunread <= sizeof(a.unread));
		assert(pipe(fd) == 0 && session_send(fd[1], &a) == 0);
		assert(receive(fd[0], &b) == SESSION_OK);
		assert(strcmp(a.login, b.login) == 0);
		assert(strcmp(a.tls, b.tls) == 0);
		assert(a.nstate == b.nstate && a.nunread == b.nunread);
		assert(memcmp(a.unread, b.unread, a.nunread) == 0);
	}
	assert(getenv("PNEU_SESSION") == NULL);
	return 0;
}
