#include "io/facts.h"

#include <errno.h>

#include "base/limits.h"
#include "io/in.h"

enum { ROOM = 2048 };

/* What a value may have besides letters and digits; "": digits alone. */
static const char token[] = "._-+:";
static const char base64[] = "+/=";
static const char text[] = " !#$%&'()*+,-./:;=?@[]^_`{|}~";

static const struct {
	const char *name;
	unsigned of;
	const char *more;
} facts[] = {
	/* clang-format off */
	{ "SSL_PROTOCOL",           FACTS_TLS,     token },
	{ "SSL_CIPHER",             FACTS_TLS,     token },
	{ "SSL_CIPHER_USEKEYSIZE",  FACTS_TLS,     "" },
	{ "SSL_TLS_SNI_SERVERNAME", FACTS_TLS,     token },
	{ "SSL_ALPN",               FACTS_TLS,     token },
	{ "SSL_CLIENT_VERIFY",      FACTS_TLS,     token },
	{ "SSL_CLIENT_S_DN_CN",     FACTS_TLS,     text },
	{ "SSL_CLIENT_SAN_Email_0", FACTS_TLS,     text },
	{ "SSL_TLS_EXPORTER",       FACTS_BINDING, base64 },
	{ "TCPREMOTEIP",            FACTS_PEER,    ".:" },
	{ "TCPREMOTEPORT",          FACTS_PEER,    "" },
	{ "TCPLOCALIP",             FACTS_PEER,    ".:" },
	{ "TCPLOCALPORT",           FACTS_PEER,    "" },
	/* clang-format on */
};

static bool
value_ok(struct span v, const char *more)
{
	for (size_t i = 0; i < v.n; i++) {
		bool usual =
		    *more == '\0' ? is_digit(v.p[i]) : is_alnum(v.p[i]);

		if (!usual && (v.p[i] == '\0' || strchr(more, v.p[i]) == NULL))
			return false;
	}
	return v.n > 0 && v.n <= LIMIT_FACT;
}

static void
hand_over(struct span value, unsigned which,
    void (*take)(void *, const char *, struct span), void *arg)
{
	struct span name = span_cut(&value, '=');

	for (size_t i = 0; i < sizeof(facts) / sizeof(*facts); i++)
		if ((facts[i].of & which) != 0 &&
		    span_is(name, facts[i].name) &&
		    value_ok(value, facts[i].more))
			take(arg, facts[i].name, value);
}

static int
failure(enum in_result r)
{
	if (r == IN_TIMEOUT)
		errno = ETIMEDOUT;
	else if (r == IN_EOF)
		errno = EPROTO;
	return -1;
}

int
facts_read(int fd, unsigned which, int64_t deadline,
    void (*take)(void *, const char *, struct span), void *arg)
{
	char room[ROOM];
	size_t total = 0;
	bool skip = false; /* the rest of one that has no room */
	struct in in;

	in_init(&in, fd, room, sizeof(room));
	in.deadline = deadline;
	for (;;) {
		size_t n = span_chr(in.data, '\0');
		struct span fact = span_take(&in.data, n);
		enum in_result r;

		total += n;
		if (total > LIMIT_FACTS) {
			errno = EMSGSIZE;
			return -1;
		}
		if (in.data.n > 0) {
			span_take(&in.data, 1);
			if (n == 0 && !skip)
				return 0;
			if (!skip)
				hand_over(fact, which, take, arg);
			skip = false;
			continue;
		}
		if (n == sizeof(room)) {
			skip = true;
		} else if (!skip) {
			in.data = fact; /* with more behind it, the next time */
			total -= n;
		}
		r = in_fill(&in);
		if (r != IN_DATA)
			return failure(r);
	}
}
