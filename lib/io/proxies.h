/*
 * proxies - the file `proxies`: peers that speak for others
 *
 *	ADDRESS|NETWORK WORD ...
 *
 * The words are "proxy" (begins with a header of the PROXY protocol) and
 * "xclient" (may use XCLIENT); pneu-proxies(5).  The first line that has
 * the peer's address counts.
 */
#ifndef IO_PROXIES_H
#define IO_PROXIES_H

#include "base/span.h"

/*
 * Whether the peer at this address is named with this word.  Reads the
 * file; an address that is unknown ("") is nobody's.
 */
bool proxies_allow(const char *ip, const char *word);

#endif
