/*
 * monitor - what mauth's greeter and its monitor say to each other
 *
 * Records on a socket pair: a type, a length of two bytes and at most
 * LIMIT_MONITOR_MSG bytes in all.  The greeter asks and waits for the
 * answer, one request at a time; what it hands over after MONITOR_PROVED
 * is not answered.  The monitor believes nothing of what it gets.
 */
#ifndef AUTH_MONITOR_H
#define AUTH_MONITOR_H

#include "base/limits.h"
#include "base/span.h"

enum monitor_type {
	/* requests */
	MONITOR_BEGIN = 'B', /* mechanism NUL, and "-" or "=" response */
	MONITOR_NEXT = 'N',  /* the answer to a challenge */
	MONITOR_TLS = 'T',   /* start TLS now */
	/* answers */
	MONITOR_CHALLENGE = 'c', /* its text */
	MONITOR_FAIL = 'f',      /* a byte: enum greet_failure */
	MONITOR_PROVED = 'p',    /* hand over, and be killed */
	MONITOR_STARTED = 't',   /* TLS is there, "y" and mechanisms, or
				    (length 0) it is not */
	/* the hand-over */
	MONITOR_STATE = 'S',  /* of the engine */
	MONITOR_UNREAD = 'U', /* input not used, again for more */
	MONITOR_END = 'E'
};

enum { MONITOR_DATA_MAX = LIMIT_MONITOR_MSG - 3 };

struct monitor_msg {
	enum monitor_type type;
	size_t n;
	char data[MONITOR_DATA_MAX];
};

/*
 * data of at most MONITOR_DATA_MAX.  0, or -1 and errno: ETIMEDOUT when the
 * other side has read nothing for 10 seconds.
 */
MUST int monitor_send(int fd, enum monitor_type, struct span data);

/*
 * Wait for a record until the deadline.  1; 0 when the other side is gone;
 * -1 and errno (EPROTO for what is no record).
 */
MUST int monitor_receive(int fd, struct monitor_msg *, int64_t deadline);

struct span monitor_data(const struct monitor_msg *);

/* MONITOR_BEGIN to bytes and back; response is NULL when there is none. */
MUST int monitor_send_begin(
    int fd, struct span mech, const struct span *response);
MUST bool monitor_parse_begin(const struct monitor_msg *, struct span *mech,
    struct span *response, bool *has_response);

#endif
