#include "io/proxies.h"

#include <errno.h>

#include "io/cidr.h"
#include "io/conf.h"
#include "io/log.h"

/* Whether all words are ours and there is one; *has: the one asked for. */
static bool
parse_words(struct span words, const char *word, bool *has)
{
	struct span w = span_word(&words);

	*has = false;
	if (w.n == 0)
		return false;
	for (; w.n > 0; w = span_word(&words)) {
		if (!span_is(w, "proxy") && !span_is(w, "xclient"))
			return false;
		*has = *has || span_is(w, word);
	}
	return true;
}

bool
proxies_allow(const char *ip, const char *word)
{
	static struct conf c;
	struct span line;
	bool has = false, found = false;
	int r = 0;

	if (ip[0] == '\0')
		return false;
	if (conf_open(&c, "proxies") == -1) {
		if (errno != ENOENT)
			log_error("proxies", NULL);
		return false;
	}
	while (!found && (r = conf_next(&c, &line)) == 1) {
		struct span who = span_word(&line);
		struct cidr net;
		bool one;

		if (!cidr_parse(who, &net) || !parse_words(line, word, &one)) {
			conf_bad(&c, "not ADDRESS proxy|xclient ...");
		} else if (cidr_has(&net, ip)) {
			found = true;
			has = one;
		}
	}
	if (r == -1)
		log_error(c.path, NULL);
	conf_close(&c);
	return has;
}
