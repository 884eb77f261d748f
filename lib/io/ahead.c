#include "io/ahead.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/fs.h"

/* The stack is the least that Linux has on any of its machines (aarch64). */
enum { STACK = 131072, PAGE = 4096 };

/* A file that was asked for, and what a thread found. */
struct slot {
	char name[AHEAD_PATH];
	uint32_t tag;
	size_t n; /* bytes in front */
	int fd;   /* -1: it could not be read, or nothing is left to read */
	bool bad, ended;
	uint64_t size;
};

/* Files that go to the thread together: to wake it costs as much as one. */
struct batch {
	struct slot slot[LIMIT_AHEAD];
	char *fronts;
	size_t n, begun, done, taken;
};

/* While one batch is taken from, the thread reads the other. */
struct ahead {
	int dirfd;
	enum ahead_want want;
	size_t front; /* bytes of each */
	struct batch batch[2], *now, *next;
	bool going; /* the thread has the next one */
	bool stop;
	pthread_mutex_t lock;
	pthread_cond_t begin, done;
	pthread_t thread;
};

/* No more of it is wanted than what is in front. */
static bool
is_enough(const struct ahead *a, const struct slot *s, const char *front)
{
	return s->ended ||
	    (a->want == AHEAD_HEAD &&
		span_find((struct span){ front, s->n }, SPAN("\n\n")) < s->n);
}

static bool
read_front(const struct ahead *a, struct slot *s, char *front)
{
	struct stat st;
	ssize_t n;

	/* what is no file must not be waited for */
	s->fd = openat(a->dirfd, s->name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (s->fd == -1)
		return false;
	n = read(s->fd, front, a->front);
	if (n <= 0)
		return false;
	s->n = (size_t)n;
	s->size = s->n;
	s->ended = s->n < a->front;
	if (!s->ended && fstat(s->fd, &st) == -1)
		return false;
	if (!s->ended)
		s->size = (uint64_t)st.st_size;
	return true;
}

static void
read_slot(const struct ahead *a, struct slot *s, char *front)
{
	s->bad = !read_front(a, s, front);
	if (s->fd != -1 && (s->bad || is_enough(a, s, front))) {
		close(s->fd);
		s->fd = -1;
	}
}

/* Under the lock: read one that nobody has begun. */
static void
read_one(struct ahead *a, struct batch *b)
{
	size_t i = b->begun++;

	pthread_mutex_unlock(&a->lock);
	read_slot(a, &b->slot[i], b->fronts + i * a->front);
	pthread_mutex_lock(&a->lock);
	b->done++;
}

static void *
work(void *arg)
{
	struct ahead *a = arg;

	pthread_mutex_lock(&a->lock);
	for (;;) {
		struct batch *b = a->next;

		if (a->stop)
			break;
		if (!a->going || b->begun == b->n) {
			pthread_cond_wait(&a->begin, &a->lock);
			continue;
		}
		read_one(a, b);
		if (b->done == b->n)
			pthread_cond_signal(&a->done);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* With all signals blocked, so that it takes none. */
static bool
start_thread(struct ahead *a)
{
	pthread_attr_t attr;
	sigset_t all, before;
	bool ok;

	if (pthread_attr_init(&attr) != 0)
		return false;
	sigfillset(&all);
	ok = pthread_attr_setstacksize(&attr, STACK) == 0 &&
	    pthread_sigmask(SIG_SETMASK, &all, &before) == 0;
	if (ok) {
		ok = pthread_create(&a->thread, &attr, work, a) == 0;
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	pthread_attr_destroy(&attr);
	return ok;
}

/* Memory, and what the thread needs. */
static bool
make(struct ahead *a)
{
	for (size_t i = 0; i < 2; i++) {
		a->batch[i].fronts = malloc(LIMIT_AHEAD * a->front);
		if (a->batch[i].fronts == NULL)
			return false;
	}
	return pthread_mutex_init(&a->lock, NULL) == 0 &&
	    pthread_cond_init(&a->begin, NULL) == 0 &&
	    pthread_cond_init(&a->done, NULL) == 0;
}

static void
unmake(struct ahead *a)
{
	for (size_t i = 0; i < 2; i++)
		free(a->batch[i].fronts);
	free(a);
}

/* Each file may stay open until it is taken; half as many are for others. */
static bool
has_descriptors(int dirfd)
{
	int fd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3 * LIMIT_AHEAD);

	fs_close(fd);
	return fd != -1;
}

struct ahead *
ahead_begin(int dirfd, enum ahead_want want)
{
	struct ahead *a = has_descriptors(dirfd) ? calloc(1, sizeof(*a)) : NULL;

	if (a == NULL)
		return NULL;
	a->dirfd = dirfd;
	a->want = want;
	a->front = want == AHEAD_HEAD ? PAGE : LIMIT_AHEAD_FRONT;
	a->now = &a->batch[0];
	a->next = &a->batch[1];
	if (make(a) && start_thread(a))
		return a;
	unmake(a);
	return NULL;
}

/* Close what nobody wants. */
static void
clear(struct batch *b)
{
	for (; b->taken < b->done; b->taken++)
		fs_close(b->slot[b->taken].fd);
	b->n = b->begun = b->done = b->taken = 0;
}

void
ahead_end(struct ahead *a)
{
	int err = errno;

	if (a == NULL)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->begin);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	clear(a->now);
	clear(a->next);
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->begin);
	pthread_cond_destroy(&a->done);
	unmake(a);
	errno = err;
}

size_t
ahead_room(const struct ahead *a)
{
	return a->going ? 0 : LIMIT_AHEAD - a->next->n;
}

void
ahead_ask(struct ahead *a, uint32_t tag, const char *name)
{
	struct slot *s = &a->next->slot[a->next->n++];

	s->tag = tag;
	s->fd = -1;
	s->n = 0;
	snprintf(s->name, sizeof(s->name), "%s", name);
}

void
ahead_go(struct ahead *a)
{
	if (a->going || a->next->n == 0)
		return;
	pthread_mutex_lock(&a->lock);
	a->going = true;
	pthread_cond_signal(&a->begin);
	pthread_mutex_unlock(&a->lock);
}

/* What the thread has read is taken from now on; who waits helps. */
static void
turn(struct ahead *a)
{
	struct batch *b = a->next;

	clear(a->now);
	pthread_mutex_lock(&a->lock);
	while (b->begun < b->n)
		read_one(a, b);
	while (b->done < b->n)
		pthread_cond_wait(&a->done, &a->lock);
	a->going = false;
	a->next = a->now;
	a->now = b;
	pthread_mutex_unlock(&a->lock);
}

/* The oldest that may be the one with this tag; or NULL. */
static struct slot *
find(struct ahead *a, uint32_t tag)
{
	for (;;) {
		struct batch *b = a->now;

		for (; b->taken < b->n; b->taken++) {
			if (b->slot[b->taken].tag >= tag)
				return &b->slot[b->taken];
			fs_close(b->slot[b->taken].fd);
		}
		if (!a->going)
			return NULL;
		turn(a);
	}
}

bool
ahead_take(struct ahead *a, uint32_t tag, struct ahead_file *f)
{
	struct slot *s = find(a, tag);
	size_t i;

	if (s == NULL || s->tag != tag)
		return false;
	i = a->now->taken++;
	*f = (struct ahead_file){ .front = { a->now->fronts + i * a->front,
				      s->n },
		.fd = s->fd,
		.ended = s->ended,
		.size = s->size };
	return !s->bad;
}
