/*
 * addr - addresses of envelopes and header fields
 *
 * A bare address is local-part "@" domain as RFC 5321, section 4.1.2 has
 * them (a quoted local part keeps its quotes when it needs them), without
 * angle brackets.  UTF-8 in either half is syntactically fine (RFC 6531);
 * whether it may be used is the caller's question.
 */
#ifndef MAIL_ADDR_H
#define MAIL_ADDR_H

#include "base/arena.h"
#include "base/buf.h"

/*
 * Reverse-path or Forward-path at the front of *in:
 *	"<" [ A-d-l ":" ] Mailbox ">"  or  "<>"  or  "<Postmaster>"
 * taken off *in.  *addr gets the bare address (empty for "<>"; a source
 * route is dropped; needless quotes are removed, into the arena).  False
 * when it is none of these or over a limit of RFC 5321, section 4.5.3.1.
 */
MUST bool addr_path(struct arena *, struct span *in, struct span *addr);

/* Whether s is a bare address, or "postmaster" in any case. */
bool addr_valid(struct span s);

/* The halves; false when there is no "@" outside quotes. */
bool addr_split(struct span addr, struct span *local, struct span *domain);

/* The same mailbox: domains fold case and IDN forms, local parts do not. */
bool addr_same(struct span a, struct span b);

/*
 * The same as people write them: local parts fold case, too, and a letter
 * is the same composed or not.
 */
bool addr_alike(struct span a, struct span b);
bool addr_local_alike(struct span a, struct span b);

bool addr_is_ascii(struct span);

/* A domain name of letters, digits, hyphens (or UTF-8), or a literal. */
bool addr_domain_valid(struct span);

/* One entry of an address list of RFC 5322, section 3.4. */
enum addr_kind {
	ADDR_MAILBOX,
	ADDR_GROUP_START, /* name is the group's */
	ADDR_GROUP_END,
	ADDR_END, /* the list is used up */
	ADDR_BAD  /* skipped to the next comma */
};

struct addr {
	struct span name;  /* display name, unquoted; p NULL when absent */
	struct span route; /* obsolete source route; p NULL when absent */
	struct span local, domain; /* unquoted local part; domain may be
				      empty (p NULL) for what has no "@" */
};

/*
 * The next entry of an unfolded or folded field body, in time linear in
 * its length.  Texts are in the list, or where that is not what they say,
 * in the arena.
 */
enum addr_kind addr_next(
    struct arena *, struct span *list, bool *in_group, struct addr *);

#endif
