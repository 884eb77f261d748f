/* What the configuration says of the user: names, quota. */
#include <unistd.h>

#include "auth/users.h"
#include "base/die.h"
#include "imap.h"
#include "io/conf.h"

static bool
is_use(struct span word)
{
	struct buf b = { .max = 16 };
	bool is;

	buf_putc(&b, '\\');
	buf_put(&b, word);
	is = !b.over && boxes_use(buf_span(&b)) != 0;
	buf_free(&b);
	return is;
}

/* Separator and prefix of the file `imap`. */
static void
names_of_all(char *separator, char prefix[LIMIT_PREFIX + 1])
{
	static struct conf c;
	struct span line, word;

	if (conf_open(&c, "imap") == -1)
		return;
	while (conf_next(&c, &line) == 1) {
		word = span_word(&line);
		line = span_trim(line);
		if (span_is(word, "separator")) {
			if (line.n == 1 && (*line.p == '/' || *line.p == '.'))
				*separator = *line.p;
			else
				conf_bad(&c, "separator is / or .");
		} else if (span_is(word, "prefix") &&
		    !span_cstr(line, prefix, LIMIT_PREFIX + 1)) {
			conf_bad(&c, "prefix is too long");
		} else if (!span_is(word, "prefix") && !is_use(word)) {
			conf_bad(&c, "separator, prefix or a special use");
		}
	}
	conf_close(&c);
}

void
settings_open(struct imap *im, const char *login, const char *path)
{
	static struct user u;
	char separator = '/', prefix[LIMIT_PREFIX + 1] = "";
	bool known = false;

	if (conf_exists()) {
		names_of_all(&separator, prefix);
		known = (login[0] != '\0' &&
			    users_find(span_of(login), &u) == OK) ||
		    users_find_uid(getuid(), &u) == OK;
	}
	if (known && u.separator != '\0')
		separator = u.separator;
	if (known && u.has_prefix)
		memcpy(prefix, u.prefix, sizeof(prefix));
	im->owner = known ? u.address : login[0] != '\0' ? login : "owner";
	if (boxes_open(&im->boxes, path, separator) == -1)
		die_sys(EXIT_TEMP, "%s", path);
	if (!boxes_set_prefix(&im->boxes, prefix))
		die(EXIT_TEMP, "prefix %s: not one that ends with %c", prefix,
		    separator);
	quota_init(&im->quota, im->boxes.root, known ? u.quota_bytes : 0,
	    known ? u.quota_messages : 0);
}
