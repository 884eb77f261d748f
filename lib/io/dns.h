/*
 * dns - a stub resolver for what mail needs: MX, A, AAAA, TXT, PTR, TLSA
 *
 * Asks the resolvers of /etc/resolv.conf, or PNEU_DNS=ADDR:PORT alone, by
 * UDP with EDNS0 and random ids and ports, then TCP when truncated.  No
 * answer and SERVFAIL are DNS_TEMP and never an empty answer.
 */
#ifndef IO_DNS_H
#define IO_DNS_H

#include "base/arena.h"

enum dns_type {
	DNS_A = 1,
	DNS_CNAME = 5,
	DNS_PTR = 12,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_TLSA = 52
};

enum dns_result {
	DNS_OK,     /* at least one record */
	DNS_NODATA, /* the name exists, without such records */
	DNS_NXDOMAIN,
	DNS_TEMP, /* SERVFAIL, refused, no answer: later */
	DNS_BAD   /* not a domain name */
};

struct dns_rr {
	uint16_t pref; /* MX */
	uint32_t ttl;
	struct span data; /* A: 4, AAAA: 16, TLSA: the bytes; TXT: joined;
			     MX, PTR, CNAME: a name without its last dot
			     ("" is the root: a null MX), NUL-terminated */
};

struct dns_answer {
	struct dns_rr *rr;
	size_t n;
	bool secure; /* the resolver said AD, and is trusted (loopback) */
};

/*
 * Ask for name, following CNAMEs.  Records are in the arena.  Blocks until
 * the deadline at most.
 */
enum dns_result dns_query(struct arena *, struct span name, enum dns_type,
    int64_t deadline, struct dns_answer *);

/* Questions that are asked at the same time. */
enum { DNS_BATCH_MAX = 48 };

struct dns_ask {
	struct span name; /* to be kept by who asks */
	enum dns_type type;
	enum dns_result result;
	struct dns_answer answer;
	/* its own */
	bool done;
	int fd;
	unsigned tries, hops;
	uint16_t id;
	struct span now; /* the name, or where a CNAME led */
	int64_t again;   /* when another server is asked */
};

struct dns_batch {
	struct dns_ask v[DNS_BATCH_MAX];
	size_t n;
	/* An answer has come: more may be added.  Or NULL. */
	void (*answered)(struct dns_batch *, const struct dns_ask *);
	void *arg;
};

/* One more question; false when there are too many. */
bool dns_batch_add(struct dns_batch *, struct span name, enum dns_type);

/*
 * Ask them all.  Blocks until each is answered; what is not at the
 * deadline, or when stop_fd can be read, is DNS_TEMP.
 */
void dns_batch_run(struct arena *, struct dns_batch *, int64_t deadline);

/* "NXDOMAIN" and so on, for the log. */
const char *dns_result_name(enum dns_result);

#endif
