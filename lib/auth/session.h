/*
 * session - the record that mauth hands to the server it becomes
 *
 * One record on a pipe, PNEU_SESSION=FD: a format number, the login, the
 * service, TLS facts, the state of the greeter's engine and the input it
 * had not used.  It is the only source of identity besides the peer
 * credentials of a Unix socket (DESIGN: nobody trusts MAIL_*).
 */
#ifndef AUTH_SESSION_H
#define AUTH_SESSION_H

#include "base/limits.h"
#include "base/span.h"

struct session {
	char login[LIMIT_LOGIN + 1]; /* the address proved */
	char service[16];            /* "smtp", "pop3", "imap" */
	char mech[32];
	char label[64]; /* which secret of the user */
	char tls[128];  /* "TLSv1.3 CIPHER", "" without TLS */
	char conn[16];  /* MAIL_CONN */
	char state[LIMIT_SESSION_STATE];
	size_t nstate;
	size_t nunread;
	char unread[LIMIT_SESSION_UNREAD];
};

enum session_result {
	SESSION_NONE, /* PNEU_SESSION is not set: nobody logged in */
	SESSION_OK,
	SESSION_BAD /* not readable, another format: try later */
};

/*
 * Exit status of a server whose client has logged out and stays (IMAP's
 * UNAUTHENTICATE): whoever runs it greets the client again.
 */
enum { SESSION_AGAIN = 80 };

/*
 * The server's side of that: the pipe PNEU_AGAIN=FD, which is unset, or -1
 * when nobody would greet again.
 */
int session_again(void);

/* Hand over what it has read and not used; false when it does not fit. */
MUST bool session_leave(int fd, struct span unread);

/* Write it to fd and close fd.  0, or -1 and errno. */
MUST int session_send(int fd, const struct session *);

/* Read and close the pipe, and unset PNEU_SESSION. */
MUST enum session_result session_receive(struct session *);

#endif
