/*
 * imaplink - a session with the IMAP server at the other end of a command
 *
 * One command at a time.  What can't be gone on from dies.
 */
#ifndef IMAPLINK_H
#define IMAPLINK_H

#include "imap/imapc.h"

/*
 * Start the command and log in, with user, and a password or a token of
 * OAuth, unless the server greets PREAUTH.
 */
void link_open(char *const *argv, const char *user, bool by_token);
void link_close(void);

bool link_has(const char *capability);

/* What the server says while a command runs; both may be NULL. */
extern void (*link_untagged)(struct span text);
extern void (*link_body)(struct span piece);

/* Send a line and wait for its end: whether the answer is OK. */
bool link_run(struct span command);
bool link_runf(const char *fmt, ...) PRINTF(1, 2);

/* What the last answer was, for messages. */
const char *link_answer(void);

#endif
