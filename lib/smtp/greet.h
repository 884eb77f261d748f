/*
 * greet - SMTP submission before the login (base/greet.h)
 *
 * EHLO, HELO, STARTTLS and AUTH (RFC 4954); NOOP, RSET, VRFY, HELP and
 * QUIT are answered; everything about a message is 530.  What the server
 * gets as state is "EHLO name" or "HELO name", empty when neither came.
 */
#ifndef SMTP_GREET_H
#define SMTP_GREET_H

#include "base/greet.h"

extern const struct greet_proto smtp_greet;

#endif
