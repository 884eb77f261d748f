/*
 * http - a request and its response, for one question over HTTP/1.1
 *
 * The connection ends with the response, so that all of it is there when
 * it is taken apart (RFC 9112).
 */
#ifndef AUTH_HTTP_H
#define AUTH_HTTP_H

#include "base/buf.h"

/* https://NAME[:PORT][/PATH]; spans into the text. */
struct http_url {
	struct span host, path;
	uint16_t port;
};

/* False for any other scheme, a user, a fragment, or bytes beyond ASCII. */
MUST bool http_url_parse(struct span, struct http_url *);

/* application/x-www-form-urlencoded, a name or value. */
bool http_enc_form(struct buf *, struct span);

/*
 * A whole response: its status, and its body into b.  False when it is
 * none, or not all of it is there.
 */
MUST bool http_response(struct span, unsigned *status, struct buf *body);

#endif
