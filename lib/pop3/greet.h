/*
 * greet - POP3 before the login (base/greet.h)
 *
 * The AUTHORIZATION state of RFC 1939 without APOP: USER and PASS, CAPA
 * (RFC 2449), STLS (RFC 2595), AUTH (RFC 5034) and QUIT.  A name is never
 * told from a wrong one before its password came.  LANG and UTF8 are those of
 * RFC 6856; the state for the server is "UTF8" after that command.
 */
#ifndef POP3_GREET_H
#define POP3_GREET_H

#include "base/greet.h"

extern const struct greet_proto pop3_greet;

#endif
