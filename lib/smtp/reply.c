#include "smtp/reply.h"

#include "base/span.h"

static const struct smtp_text texts[SMTP_REPLIES] = {
	/* clang-format off */
	[SMTP_BYE] =             { 221, "2.0.0 bye" },
	[SMTP_TLS_READY] =       { 220, "2.0.0 ready to start TLS" },
	[SMTP_AUTH_OK] =         { 235, "2.7.0 welcome" },
	[SMTP_RESET] =           { 250, "2.0.0 ok" },
	[SMTP_NOOP] =            { 250, "2.0.0 ok" },
	[SMTP_HELP] =            { 214, "2.0.0 see RFC 5321" },
	[SMTP_SENDER_OK] =       { 250, "2.1.0 ok" },
	[SMTP_RCPT_OK] =         { 250, "2.1.5 ok" },
	[SMTP_ACCEPTED] =        { 250, "2.0.0 ok" },
	[SMTP_VRFY] =            { 252, "2.5.0 send some mail, I'll try my best" },
	[SMTP_GO_AHEAD] =        { 354, "end with a dot on a line of its own" },

	[SMTP_SHUT_DOWN] =       { 421, "4.3.2 try again later" },
	[SMTP_TIMEOUT] =         { 421, "4.4.2 too slow" },
	[SMTP_TOO_MANY_ERRORS] = { 421, "4.7.0 too many errors" },
	[SMTP_LATER] =           { 451, "4.3.0 try again later" },
	[SMTP_NO_SPACE] =        { 452, "4.3.1 not enough disk space" },
	[SMTP_TOO_MANY_RCPTS] =  { 452, "4.5.3 too many recipients" },
	[SMTP_TOO_MANY_MAILS] =  { 452, "4.5.3 too many messages in a session" },

	[SMTP_UNKNOWN] =         { 500, "5.5.1 unknown command" },
	[SMTP_LONG_LINE] =       { 500, "5.5.2 line too long" },
	[SMTP_BARE_COMMAND] =    { 550, "5.5.2 a line ends with CR LF" },
	[SMTP_NO_ARGUMENT] =     { 501, "5.5.4 no argument wanted" },
	[SMTP_NEED_ARGUMENT] =   { 501, "5.5.4 an argument is missing" },
	[SMTP_BAD_SENDER] =      { 501, "5.1.7 write MAIL FROM:<address>" },
	[SMTP_BAD_RCPT] =        { 501, "5.1.3 write RCPT TO:<address>" },
	[SMTP_BAD_PARAM] =       { 501, "5.5.4 wrong parameter" },
	[SMTP_BAD_CHUNK] =       { 501, "5.5.4 write BDAT octets [LAST]" },
	[SMTP_PARAM_TWICE] =     { 501, "5.5.4 parameter given twice" },
	[SMTP_UNKNOWN_PARAM] =   { 555, "5.5.4 unknown parameter" },
	[SMTP_HELLO_FIRST] =     { 503, "5.5.1 say hello first" },
	[SMTP_WRONG_HELLO] =     { 500, "5.5.1 the other hello is spoken here" },
	[SMTP_MAIL_FIRST] =      { 503, "5.5.1 MAIL first" },
	[SMTP_RCPT_FIRST] =      { 503, "5.5.1 RCPT first" },
	[SMTP_BETWEEN_CHUNKS] =  { 503, "5.5.1 a message comes by BDAT" },
	[SMTP_NEED_BDAT] =       { 503, "5.5.1 BINARYMIME needs BDAT" },
	[SMTP_NO_RCPT] =         { 554, "5.5.1 no valid recipients" },
	[SMTP_IN_TRANSACTION] =  { 503, "5.5.1 not within a transaction" },
	[SMTP_NESTED_MAIL] =     { 503, "5.5.1 sender already given" },
	[SMTP_AUTH_TWICE] =      { 503, "5.5.1 already logged in" },
	[SMTP_NO_AUTH] =         { 502, "5.5.1 no logins here" },
	[SMTP_NO_TLS] =          { 502, "5.5.1 no TLS here" },
	[SMTP_TLS_TWICE] =       { 503, "5.5.1 TLS already active" },
	[SMTP_PIPELINED_TLS] =   { 554, "5.5.1 nothing may follow STARTTLS" },
	[SMTP_TOO_EARLY] =       { 554, "5.5.1 wait for the greeting" },
	[SMTP_NOT_IMPLEMENTED] = { 502, "5.5.1 not implemented" },

	[SMTP_NEED_LOGIN] =      { 530, "5.7.0 log in first" },
	[SMTP_NOT_YOURS] =       { 553, "5.7.1 not an address of yours" },
	[SMTP_NO_USER] =         { 550, "5.1.1 no such user" },
	[SMTP_DISABLED] =        { 550, "5.2.1 mailbox disabled" },
	[SMTP_NO_RELAY] =        { 550, "5.7.1 relaying denied" },
	[SMTP_NO_XCLIENT] =      { 550, "5.7.1 not from you" },
	[SMTP_NOT_ASCII] =       { 553, "5.6.7 address is not ASCII, say SMTPUTF8" },
	[SMTP_RCPT_NOT_ASCII] =  { 550, "5.6.7 address is not ASCII, say SMTPUTF8" },

	[SMTP_BARE] =            { 550, "5.6.0 bare CR or LF in the message" },
	[SMTP_BAD_BINARY] =      { 550, "5.6.0 not text, nor MIME that says so" },
	[SMTP_TOO_BIG] =         { 552, "5.3.4 message too big" },
	[SMTP_LONG_HEADER] =     { 552, "5.3.4 header too long" },
	[SMTP_TWO_FROM] =        { 554, "5.6.0 more than one From field" },
	[SMTP_LOOP] =            { 554, "5.4.6 too many Received fields: a loop" },
	[SMTP_REFUSED] =         { 554, "5.7.1 refused" },
	/* clang-format on */
};

const struct smtp_text *
smtp_text(enum smtp_reply r)
{
	return &texts[r];
}
