/*
 * net - addresses of options -l and -h, listening, connecting
 *
 *	HOST:PORT  [V6]:PORT  :PORT  unix:PATH  fd:N
 */
#ifndef IO_NET_H
#define IO_NET_H

#include "base/span.h"

enum net_kind { NET_TCP, NET_UNIX, NET_FD };

struct net_addr {
	enum net_kind kind;
	char host[256]; /* "" for every address; or the path */
	uint16_t port;
	int fd;
};

/* False for anything that is not one of the forms above. */
MUST bool net_parse(const char *text, struct net_addr *);

/*
 * Listen.  fds gets at most max descriptors, close-on-exec and
 * non-blocking; the number of them, or -1 and errno.  ":PORT" listens on
 * v6 and v4.  Port 0 is a free one (net_port).
 * fd:N must listen already (ENOTSOCK, EINVAL).  A Unix socket is replaced
 * if no one listens on it, and gets the mode 0666: the directory it lies
 * in says who may.
 */
MUST int net_listen(const struct net_addr *, int *fds, int max);

/*
 * Accept a connection, close-on-exec and blocking.  The descriptor, or -1
 * and errno.
 */
MUST int net_accept(int fd);

/* The port a socket is bound to, 0 if none. */
uint16_t net_port(int fd);

/*
 * Connect before the deadline, trying every address of the host in turn.
 * The descriptor (blocking, close-on-exec, TCP_NODELAY), or -1 and errno;
 * *temp tells whether trying later may help.  Names are resolved by
 * getaddrinfo, numeric addresses directly.
 */
MUST int net_connect(const struct net_addr *, int64_t deadline, bool *temp);

/* "192.0.2.1" or "2001:db8::1" (v4-mapped shown as v4); "" when none. */
enum { NET_IP_SIZE = 46 };

struct net_peer {
	char ip[NET_IP_SIZE];
	uint16_t port;
	char local_ip[NET_IP_SIZE];
	uint16_t local_port;
	bool ipc; /* a Unix socket: the next three are known, or -1 */
	long uid, gid, pid;
};

/* Who is at the other end; false for what is not a socket. */
bool net_peer(int fd, struct net_peer *);

/*
 * The same from the UCSPI environment (PROTO, TCPREMOTEIP, IPCREMOTEEUID,
 * ...) that a launcher gave; what it did not set is taken from fd.
 * Environment that does not parse as an address or number counts as not
 * set.
 */
bool net_peer_env(int fd, struct net_peer *);

/*
 * Who counts as one where connections are counted: a v4 address, the /64
 * network of a v6 address, the account behind a Unix socket; "" if unknown.
 */
void net_peer_group(const struct net_peer *, char group[NET_IP_SIZE]);

/* 127.0.0.0/8, ::1 or a Unix socket. */
bool net_is_loopback(const struct net_peer *);

/* No delay for what is written; harmless on what is not TCP. */
void net_nodelay(int fd);

/* Notice in time that the peer's machine has gone; harmless as above. */
void net_keepalive(int fd);

#endif
