/*
 * nfc - a letter and the mark behind it as the one letter they are
 *
 * Unicode's composition (UAX 15) of neighbours, which is what keyboards
 * and file systems that take letters apart make necessary.  Marks that
 * stand in another than the canonical order are left alone, and so is
 * what lies outside the Basic Multilingual Plane.
 */
#ifndef MAIL_NFC_H
#define MAIL_NFC_H

#include "base/span.h"

/* What two code points make together, or 0. */
uint32_t nfc_pair(uint32_t, uint32_t);

/* Compose n code points in place; how many are left. */
size_t nfc_compose(uint32_t *, size_t n);

#endif
