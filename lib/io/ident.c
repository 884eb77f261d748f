#include "io/ident.h"

#include "io/deadline.h"
#include "io/fs.h"

/*
 * 9 characters of ticks of 100 us since 1970 (until the year 2291) and 5
 * of random: time order, and no collision between processes and nodes.
 */
enum { TIME_LEN = 9 };

static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz";

static void
put(char *to, size_t n, uint64_t v)
{
	while (n > 0) {
		to[--n] = digits[v % 36];
		v /= 36;
	}
}

static bool
is_name(struct span s, size_t len)
{
	if (s.n != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (!is_digit(s.p[i]) && !(s.p[i] >= 'a' && s.p[i] <= 'z'))
			return false;
	return true;
}

const char *
ident_conn(bool inherit)
{
	static char conn[CONN_LEN + 1];
	const char *given = inherit ? getenv("MAIL_CONN") : NULL;
	struct timespec t;
	uint64_t noise;

	if (is_name(span_of(given), CONN_LEN)) {
		memcpy(conn, given, CONN_LEN);
		return conn;
	}
	clock_gettime(CLOCK_REALTIME, &t);
	fs_random(&noise, sizeof(noise));
	put(conn, TIME_LEN,
	    (uint64_t)t.tv_sec * 10000 + (uint64_t)t.tv_nsec / 100000);
	put(conn + TIME_LEN, CONN_LEN - TIME_LEN, noise);
	return conn;
}

void
ident_mail(const char *conn, unsigned n, char id[MAIL_ID_LEN + 1])
{
	memcpy(id, conn, CONN_LEN);
	put(id + CONN_LEN, MAIL_ID_LEN - CONN_LEN, n);
	id[MAIL_ID_LEN] = '\0';
}

bool
ident_is_mail(struct span s)
{
	return is_name(s, MAIL_ID_LEN);
}
