/*
 * date - seconds since 1970 and the proleptic Gregorian calendar, in UTC
 *
 * No time zone files, no locale.  RFC 5322 dates are in mail/date.h.
 */
#ifndef BASE_DATE_H
#define BASE_DATE_H

#include "base/span.h"

struct civil {
	int year, month, day; /* month 1..12, day 1..31 */
	int hour, min, sec;
	int weekday; /* 0 is Sunday; ignored by date_unix */
};

enum { DATE_RFC3339_SIZE = 32 };

struct civil date_civil(int64_t t);
int64_t date_unix(struct civil);

/* Days since 1970-01-01 of a calendar day. */
int64_t date_days(int year, int month, int day);

/* False for the 31st of February, hour 24, ...; second 60 is allowed. */
bool date_valid(struct civil);

/* "2026-11-22T22:44:31Z" into dst of DATE_RFC3339_SIZE; returns dst. */
char *date_rfc3339(int64_t t, char *dst);

/* The same back, that form only. */
MUST bool date_parse_rfc3339(struct span, int64_t *t);

extern const char date_months[12][4];  /* "Jan" */
extern const char date_weekdays[7][4]; /* "Sun" */

/* 1..12 of a three-letter name in any case; 0 when it is none. */
int date_month(struct span);

#endif
