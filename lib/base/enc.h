/*
 * enc - base64, hexadecimal, xtext and the %XX of job lines
 *
 * Encoders append to a bounded buffer and return what buf_put returns.
 * Decoders are strict: false, with the buffer as it was, for anything that
 * the grammar does not allow or that does not fit.
 */
#ifndef BASE_ENC_H
#define BASE_ENC_H

#include "base/buf.h"

/* RFC 4648, section 4, with padding and no line ends. */
bool enc_base64(struct buf *, struct span);
MUST bool dec_base64(struct buf *, struct span);

/* The value of a hexadecimal digit in any case, -1 for none. */
int hex_value(char);

bool enc_hex(struct buf *, struct span); /* lower case */
MUST bool dec_hex(struct buf *, struct span);

/* xtext of RFC 3461, section 4: "+" and two upper-case hex digits. */
bool enc_xtext(struct buf *, struct span);
MUST bool dec_xtext(struct buf *, struct span);

/* Fields of job and result lines: bytes below 0x21, "%" and 0x7F as %XX. */
bool enc_pct(struct buf *, struct span);
MUST bool dec_pct(struct buf *, struct span);

#endif
