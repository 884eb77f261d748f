/*
 * Connections that last, counted in all and by address.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/die.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "mtls.h"

/* From seven eighths on some are dropped at random. */
enum { FULL_NUM = 7, FULL_DEN = 8, OTHER_FDS = 128 };

struct slots slots;

static struct rlimit files_given, files_ours;

void
slots_files(bool ours)
{
	setrlimit(RLIMIT_NOFILE, ours ? &files_ours : &files_given);
}

/* A descriptor for each slot. */
static void
fit_descriptors(void)
{
	rlim_t want = slots.max + OTHER_FDS;

	if (getrlimit(RLIMIT_NOFILE, &files_given) == -1)
		return;
	files_ours = files_given;
	if (files_given.rlim_cur < want)
		files_ours.rlim_cur =
		    files_given.rlim_max < want ? files_given.rlim_max : want;
	if (files_ours.rlim_cur < want)
		slots.max = files_ours.rlim_cur > 2 * OTHER_FDS
		    ? (size_t)files_ours.rlim_cur - OTHER_FDS
		    : OTHER_FDS / 2;
	slots_files(true);
}

void
slots_init(void)
{
	slots.max =
	    conf_limit("connections", LIMIT_CONNECTIONS_MAX, LIMIT_CONNECTIONS);
	slots.max_address = conf_limit("connections-per-address",
	    LIMIT_CONNECTIONS_MAX, LIMIT_CONNECTIONS_ADDRESS);
	if (slots.max == 0)
		slots.max = 1;
	fit_descriptors();
	slots.slot = calloc(slots.max, sizeof(*slots.slot));
	if (slots.slot == NULL)
		die_memory();
}

static size_t
of_group(const char *group)
{
	size_t n = 0;

	for (size_t i = 0; i < slots.n; i++)
		n += strcmp(slots.slot[i].group, group) == 0;
	return n;
}

static void
free_slot(size_t i)
{
	if (slots.slot[i].life != -1)
		close(slots.slot[i].life);
	slots.slot[i] = slots.slot[--slots.n];
}

/*
 * End the oldest connection (of this group, unless NULL) whose program has
 * not started: a silent handshake does not hold a slot.  Its TLS half sees
 * that the other one is gone; both are reaped without a slot.
 */
static bool
end_a_handshake(const struct mtls *m, const char *group)
{
	struct mtls ended = *m;
	size_t oldest = slots.n;

	for (size_t i = 0; i < slots.n; i++) {
		const struct slot *s = &slots.slot[i];

		if (!s->begun && s->pid != 0 &&
		    (group == NULL || strcmp(s->group, group) == 0) &&
		    (oldest == slots.n || s->since < slots.slot[oldest].since))
			oldest = i;
	}
	if (oldest == slots.n || kill(slots.slot[oldest].pid, SIGKILL) == -1)
		return false;
	memcpy(ended.peer.ip, slots.slot[oldest].ip, NET_IP_SIZE);
	refuse(&ended, slots.slot[oldest].conn,
	    "unfinished handshake, room for others");
	free_slot(oldest);
	return true;
}

static bool
drops_at_random(void)
{
	size_t start = slots.max * FULL_NUM / FULL_DEN;
	uint32_t dice;

	if (slots.n < start || slots.max - start < 2)
		return false;
	fs_random(&dice, sizeof(dice));
	return dice % (slots.max - start) < slots.n - start;
}

const char *
slots_refuse(const struct mtls *m, const struct net_peer *peer)
{
	char group[NET_IP_SIZE];

	net_peer_group(peer, group);
	if (group[0] != '\0' && of_group(group) >= slots.max_address &&
	    !end_a_handshake(m, group))
		return "too many connections of this address";
	if ((slots.n >= slots.max || drops_at_random()) &&
	    !end_a_handshake(m, NULL))
		return "too many connections";
	return NULL;
}

struct slot *
slots_add(pid_t pid, int life, const char *conn, const char *group)
{
	struct slot *s;

	if (slots.n == slots.max)
		return NULL;
	s = &slots.slot[slots.n++];
	*s = (struct slot){ .pid = pid, .life = life, .since = deadline_now() };
	snprintf(s->conn, sizeof(s->conn), "%s", conn);
	snprintf(s->group, sizeof(s->group), "%s", group);
	return s;
}

void
slots_reaped(pid_t pid)
{
	for (size_t i = 0; i < slots.n; i++) {
		struct slot *s = &slots.slot[i];

		if (s->pid != pid)
			continue;
		s->pid = 0;
		if (s->life == -1)
			free_slot(i);
		return;
	}
}

void
slots_alive(int life)
{
	for (size_t i = 0; i < slots.n; i++) {
		struct slot *s = &slots.slot[i];
		char c;
		ssize_t r;

		if (s->life != life)
			continue;
		r = read(life, &c, 1);
		if (r == 1) {
			s->begun = true;
		} else if (r == 0) {
			close(life);
			s->life = -1;
			s->begun = true; /* the program, or nothing */
			if (s->pid == 0)
				free_slot(i);
		}
		return;
	}
}
