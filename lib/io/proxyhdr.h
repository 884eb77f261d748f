/*
 * proxyhdr - the header of the PROXY protocol, versions 1 and 2
 *
 * A proxy that hands on a connection says in front of everything else who
 * is at its other end.  A proxyhdr is fed what came, in pieces of any size,
 * and takes the header off the front, not a byte more.  It does no I/O.
 *
 * Version 1 is a line of text of at most 107 bytes; version 2 is binary,
 * here of at most LIMIT_PROXY_HEADER bytes.  Of what may follow the
 * addresses in it only the checksum is looked at.
 */
#ifndef IO_PROXYHDR_H
#define IO_PROXYHDR_H

#include "base/limits.h"
#include "base/span.h"
#include "io/net.h"

enum proxyhdr_result {
	PROXYHDR_MORE,  /* all input used: feed more */
	PROXYHDR_PEER,  /* the header has ended: addresses are known */
	PROXYHDR_LOCAL, /* the same, but the proxy speaks for itself, or can't
			   tell: the connection's own addresses count */
	PROXYHDR_BAD    /* not such a header */
};

/* All zero is a fresh one. */
struct proxyhdr {
	size_t n;
	unsigned char buf[LIMIT_PROXY_HEADER];
	/* after PROXYHDR_PEER: as net_peer has them */
	char ip[NET_IP_SIZE], local_ip[NET_IP_SIZE];
	uint16_t port, local_port;
};

/*
 * Take bytes of the header off the front of *in.  Anything but
 * PROXYHDR_MORE is final.
 */
enum proxyhdr_result proxyhdr_next(struct proxyhdr *, struct span *in);

#endif
