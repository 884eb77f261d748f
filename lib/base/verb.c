#include "base/verb.h"

#include "base/die.h"

const struct verb *
verb_find(const struct verb *v, const char *name)
{
	for (; v->name != NULL; v++)
		if (strcmp(v->name, name) == 0)
			return v;
	return NULL;
}

_Noreturn void
verb_usage(const struct verb *table, const char *name, const char *usage)
{
	const struct verb *v = verb_find(table, name);
	char text[240];

	if (v == NULL)
		die_usage(usage);
	snprintf(text, sizeof(text), "%s %s%s%s", progname, v->name,
	    v->usage[0] != '\0' ? " " : "", v->usage);
	die_usage(text);
}
