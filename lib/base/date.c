#include "base/date.h"

#include "base/num.h"

const char date_months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
const char date_weekdays[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri",
	"Sat" };

enum { DAY = 86400, DAYS_400_YEARS = 146097, DAYS_TO_1970 = 719468 };

/* Years begin in March here, so that the leap day is the last of a year. */
int64_t
date_days(int year, int month, int day)
{
	int64_t y = month <= 2 ? (int64_t)year - 1 : year;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t yoe = y - era * 400;
	int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;

	return era * DAYS_400_YEARS + doe - DAYS_TO_1970;
}

int64_t
date_unix(struct civil c)
{
	return date_days(c.year, c.month, c.day) * DAY + c.hour * 3600 +
	    c.min * 60 + c.sec;
}

struct civil
date_civil(int64_t t)
{
	int64_t days = t / DAY, secs = t % DAY;
	int64_t z, era, doe, yoe, doy, mp;
	struct civil c;

	if (secs < 0) {
		secs += DAY;
		days--;
	}
	z = days + DAYS_TO_1970;
	era = (z >= 0 ? z : z - (DAYS_400_YEARS - 1)) / DAYS_400_YEARS;
	doe = z - era * DAYS_400_YEARS;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	c.day = (int)(doy - (153 * mp + 2) / 5 + 1);
	c.month = (int)(mp < 10 ? mp + 3 : mp - 9);
	c.year = (int)(yoe + era * 400 + (c.month <= 2));
	c.hour = (int)(secs / 3600);
	c.min = (int)(secs / 60 % 60);
	c.sec = (int)(secs % 60);
	c.weekday = (int)(((days + 4) % 7 + 7) % 7);
	return c;
}

bool
date_valid(struct civil c)
{
	struct civil back;

	if (c.month < 1 || c.month > 12 || c.day < 1 || c.day > 31 ||
	    c.hour < 0 || c.hour > 23 || c.min < 0 || c.min > 59 || c.sec < 0 ||
	    c.sec > 60)
		return false;
	back = date_civil(date_days(c.year, c.month, c.day) * DAY);
	return back.day == c.day && back.month == c.month;
}

char *
date_rfc3339(int64_t t, char *dst)
{
	struct civil c = date_civil(t);

	snprintf(dst, DATE_RFC3339_SIZE, "%04d-%02d-%02dT%02d:%02d:%02dZ",
	    c.year % 10000, c.month, c.day, c.hour, c.min, c.sec);
	return dst;
}

static int
digits(struct span s, size_t at, size_t n)
{
	return (int)num_or((struct span){ s.p + at, n }, 9999, 9999);
}

bool
date_parse_rfc3339(struct span s, int64_t *t)
{
	struct civil c;

	if (s.n != 20 || s.p[4] != '-' || s.p[7] != '-' || s.p[10] != 'T' ||
	    s.p[13] != ':' || s.p[16] != ':' || s.p[19] != 'Z')
		return false;
	c = (struct civil){ digits(s, 0, 4), digits(s, 5, 2), digits(s, 8, 2),
		digits(s, 11, 2), digits(s, 14, 2), digits(s, 17, 2), 0 };
	if (!date_valid(c))
		return false;
	*t = date_unix(c);
	return true;
}

int
date_month(struct span s)
{
	for (int i = 0; i < 12; i++)
		if (span_iis(s, date_months[i]))
			return i + 1;
	return 0;
}
