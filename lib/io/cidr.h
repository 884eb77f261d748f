/*
 * cidr - an address, or a network of addresses
 *
 *	192.0.2.1  192.0.2.0/24  2001:db8::/32
 *
 * What is written as an IPv4 address within IPv6 (::ffff:192.0.2.1) is the
 * IPv4 address.  Bits behind the length of a network count for nothing.
 */
#ifndef IO_CIDR_H
#define IO_CIDR_H

#include "base/span.h"

struct cidr {
	unsigned char ip[16];
	unsigned bits; /* leading ones that count */
	bool v6;
};

/* False when it is neither; there are no names here. */
MUST bool cidr_parse(struct span, struct cidr *);

/* Whether an address, with no length behind it, is one of them. */
bool cidr_has(const struct cidr *, const char *ip);

#endif
