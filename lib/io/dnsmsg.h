/*
 * dnsmsg - questions and answers of DNS as bytes (RFC 1035, RFC 6891)
 *
 * Pure: no descriptor, no clock.  What comes from the network is bounded
 * by its length, compression pointers only go backwards, and names are
 * shown with letters, digits, "-", "_" and dots alone, others as they are
 * but never with a NUL.
 */
#ifndef IO_DNSMSG_H
#define IO_DNSMSG_H

#include "io/dns.h"

enum { DNSMSG_QUERY_MAX = 300, DNSMSG_NAME_MAX = 255 };

/*
 * A question with EDNS0 and recursion desired.  Its length, or 0 when
 * name is not a domain name.
 */
size_t dnsmsg_query(unsigned char out[DNSMSG_QUERY_MAX], uint16_t id,
    struct span name, enum dns_type);

struct dnsmsg {
	enum dns_result result;
	struct dns_answer answer;
	struct span cname; /* the end of a CNAME chain without records, or "" */
	bool truncated;
};

/*
 * Read an answer to that question.  False when it is none: another id or
 * question, or not well formed; then wait for another.
 */
MUST bool dnsmsg_parse(struct arena *, struct span msg, uint16_t id,
    struct span name, enum dns_type, struct dnsmsg *);

#endif
