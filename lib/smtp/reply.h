/*
 * reply - all that the SMTP server can say, in one table
 *
 * A reply is a code, an enhanced status of the same class (RFC 2034), and
 * text.  What the world adds (a queue id, a filter's reason) is appended
 * by the caller.
 */
#ifndef SMTP_REPLY_H
#define SMTP_REPLY_H

enum smtp_reply {
	SMTP_BYE,
	SMTP_TLS_READY,
	SMTP_AUTH_OK,
	SMTP_RESET,
	SMTP_NOOP,
	SMTP_HELP,
	SMTP_SENDER_OK,
	SMTP_RCPT_OK,
	SMTP_ACCEPTED,
	SMTP_VRFY,
	SMTP_GO_AHEAD,

	SMTP_SHUT_DOWN, /* 421: the session ends */
	SMTP_TIMEOUT,
	SMTP_TOO_MANY_ERRORS,
	SMTP_LATER, /* 4xx */
	SMTP_NO_SPACE,
	SMTP_TOO_MANY_RCPTS,
	SMTP_TOO_MANY_MAILS,

	SMTP_UNKNOWN, /* 5xx: the command */
	SMTP_LONG_LINE,
	SMTP_BARE_COMMAND,
	SMTP_NO_ARGUMENT,
	SMTP_NEED_ARGUMENT,
	SMTP_BAD_SENDER,
	SMTP_BAD_RCPT,
	SMTP_BAD_PARAM,
	SMTP_BAD_CHUNK, /* and close: nobody knows where it ends */
	SMTP_PARAM_TWICE,
	SMTP_UNKNOWN_PARAM,
	SMTP_HELLO_FIRST,
	SMTP_WRONG_HELLO,
	SMTP_MAIL_FIRST,
	SMTP_RCPT_FIRST,
	SMTP_BETWEEN_CHUNKS,
	SMTP_NEED_BDAT,
	SMTP_NO_RCPT,
	SMTP_IN_TRANSACTION,
	SMTP_NESTED_MAIL,
	SMTP_AUTH_TWICE,
	SMTP_NO_AUTH,
	SMTP_NO_TLS,
	SMTP_TLS_TWICE,
	SMTP_PIPELINED_TLS,
	SMTP_TOO_EARLY,
	SMTP_NOT_IMPLEMENTED,

	SMTP_NEED_LOGIN, /* 5xx: the policy */
	SMTP_NOT_YOURS,
	SMTP_NO_USER,
	SMTP_DISABLED,
	SMTP_NO_RELAY,
	SMTP_NO_XCLIENT,
	SMTP_NOT_ASCII,      /* RFC 6531, section 3.5: 553 the sender's, */
	SMTP_RCPT_NOT_ASCII, /* 550 a recipient's */

	SMTP_BARE, /* 5xx: the message */
	SMTP_BAD_BINARY,
	SMTP_TOO_BIG,
	SMTP_LONG_HEADER,
	SMTP_TWO_FROM,
	SMTP_LOOP,
	SMTP_REFUSED,

	SMTP_REPLIES
};

struct smtp_text {
	int code;
	const char *text; /* with its enhanced status */
};

const struct smtp_text *smtp_text(enum smtp_reply);

#endif
