/*
 * Connections that last, counted in all and by address.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/die.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "mtls.h"

/*
 * From seven eighths on some are dropped at random.  A slot has a
 * descriptor, and three more while its TLS half is not asked for.
 */
enum { FULL_NUM = 7, FULL_DEN = 8, OTHER_FDS = 128, PARKED_FDS = 3 };

struct slots slots;

static struct rlimit files_given, files_ours;

void
slots_files(bool ours)
{
	setrlimit(RLIMIT_NOFILE, ours ? &files_ours : &files_given);
}

/*
 * Descriptors for each slot.  With fewer some connections have their TLS
 * half from the start; with less than one each there are fewer slots.
 */
static void
fit_descriptors(void)
{
	rlim_t want = slots.max * (1 + PARKED_FDS) + OTHER_FDS;
	size_t used;

	if (getrlimit(RLIMIT_NOFILE, &files_given) == -1)
		return;
	files_ours = files_given;
	if (files_given.rlim_cur < want)
		files_ours.rlim_cur = want;
	if (files_ours.rlim_max < want)
		files_ours.rlim_max = want; /* where root may */
	if (setrlimit(RLIMIT_NOFILE, &files_ours) == -1) {
		files_ours = files_given;
		files_ours.rlim_cur = files_given.rlim_max;
		slots_files(true);
	}
	if (files_ours.rlim_cur < slots.max + OTHER_FDS)
		slots.max = files_ours.rlim_cur > 2 * OTHER_FDS
		    ? (size_t)files_ours.rlim_cur - OTHER_FDS
		    : OTHER_FDS / 2;
	used = slots.max + OTHER_FDS / 2;
	slots.max_parked = files_ours.rlim_cur > used
	    ? ((size_t)files_ours.rlim_cur - used) / PARKED_FDS
	    : 0;
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
	slots.slot = die_calloc(slots.max, sizeof(*slots.slot));
}

static size_t
of_group(const char *group)
{
	size_t n = 0;

	for (size_t i = 0; i < slots.n; i++)
		n += strcmp(slots.slot[i].group, group) == 0;
	return n;
}

/* Free a slot if all of the connection has ended. */
static void
settle(struct slot *s)
{
	if (s->pid == 0 && s->half == 0 && s->life == -1 && s->parked.ctl == -1)
		*s = slots.slot[--slots.n];
}

static void
free_slot(struct slot *s)
{
	slots_unpark(s);
	if (s->life != -1)
		close(s->life);
	*s = slots.slot[--slots.n];
}

/*
 * End the oldest connection (of this group, unless NULL) whose program has
 * not started: a silent handshake does not hold a slot.  Whoever is killed,
 * the other half sees it; both are reaped without a slot.
 */
static bool
end_a_handshake(const struct mtls *m, const char *group)
{
	struct mtls ended = *m;
	size_t oldest = slots.n;
	struct slot *o;

	for (size_t i = 0; i < slots.n; i++) {
		const struct slot *s = &slots.slot[i];

		if (!s->begun && (s->pid != 0 || s->half != 0) &&
		    (group == NULL || strcmp(s->group, group) == 0) &&
		    (oldest == slots.n || s->since < slots.slot[oldest].since))
			oldest = i;
	}
	o = &slots.slot[oldest];
	if (oldest == slots.n ||
	    kill(o->pid != 0 ? o->pid : o->half, SIGKILL) == -1)
		return false;
	memcpy(ended.peer.ip, o->ip, NET_IP_SIZE);
	refuse(&ended, o->conn, "unfinished handshake, room for others");
	free_slot(o);
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
	if (m->proxied)
		group[0] = '\0';
	if (group[0] != '\0' && of_group(group) >= slots.max_address &&
	    !end_a_handshake(m, group))
		return "too many connections of this address";
	if ((slots.n >= slots.max || drops_at_random()) &&
	    !end_a_handshake(m, NULL))
		return "too many connections";
	return NULL;
}

struct slot *
slots_add(const char *conn, const struct net_peer *peer)
{
	struct slot *s;

	if (slots.n == slots.max)
		return NULL;
	s = &slots.slot[slots.n++];
	*s = (struct slot){
		.life = -1, .parked = { -1, -1, -1 }, .since = deadline_now()
	};
	snprintf(s->conn, sizeof(s->conn), "%s", conn);
	net_peer_group(peer, s->group);
	memcpy(s->ip, peer->ip, sizeof(s->ip));
	return s;
}

void
slots_park(struct slot *s, const struct parked *p)
{
	s->parked = *p;
	slots.nparked++;
}

void
slots_unpark(struct slot *s)
{
	if (s->parked.ctl == -1)
		return;
	close(s->parked.net);
	close(s->parked.data);
	close(s->parked.ctl);
	s->parked = (struct parked){ -1, -1, -1 };
	slots.nparked--;
}

void
slots_reaped(pid_t pid)
{
	for (size_t i = 0; i < slots.n; i++) {
		struct slot *s = &slots.slot[i];

		if (s->pid != pid && s->half != pid)
			continue;
		if (s->pid == pid)
			s->pid = 0;
		else
			s->half = 0;
		settle(s);
		return;
	}
}

size_t
slots_poll(struct pollfd *p)
{
	size_t n = 0;

	for (size_t i = 0; i < slots.n; i++) {
		const struct slot *s = &slots.slot[i];
		/* who has not asked for TLS ends ctl with its life */
		if (s->parked.ctl != -1)
			p[n++] = (struct pollfd){ .fd = s->parked.ctl,
				.events = POLLIN };
		else if (s->life != -1) /* whoever writes there for fun */
			p[n++] = (struct pollfd){ .fd = s->life,
				.events = s->begun ? 0 : POLLIN };
	}
	return n;
}

static void
heard_life(struct slot *s)
{
	char c;
	/* once begun, it is heard of only at its end */
	ssize_t r = s->begun ? 0 : read(s->life, &c, 1);

	if (r == 0) {
		close(s->life);
		s->life = -1;
	}
	if (r >= 0)
		s->begun = true; /* or ended: no handshake that lasts */
}

void
slots_heard(struct mtls *m, int fd)
{
	for (size_t i = 0; i < slots.n; i++) {
		struct slot *s = &slots.slot[i];

		if (s->life == fd)
			heard_life(s);
		else if (s->parked.ctl == fd)
			launch_half(m, s);
		else
			continue;
		settle(s);
		return;
	}
}
