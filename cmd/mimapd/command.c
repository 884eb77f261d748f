/* The table of commands, and what holds for all of them. */
#include "imap.h"

static const struct command commands[] = {
	/* clang-format off */
	/* name            run         selected  uid   numbers  arguments */
	{ "CAPABILITY",  cmd_capability,  false, false, false, 0, 0 },
	{ "NOOP",        cmd_noop,        false, false, false, 0, 0 },
	{ "LOGOUT",      cmd_logout,      false, false, false, 0, 0 },
	{ "ID",          cmd_id,          false, false, false, 1, 1 },
	{ "ENABLE",      cmd_enable,      false, false, false, 1, -1 },
	{ "NAMESPACE",   cmd_namespace,   false, false, false, 0, 0 },
	{ "SELECT",      cmd_select,      false, false, false, 1, 2 },
	{ "EXAMINE",     cmd_examine,     false, false, false, 1, 2 },
	{ "CREATE",      cmd_create,      false, false, false, 1, 2 },
	{ "DELETE",      cmd_delete,      false, false, false, 1, 1 },
	{ "RENAME",      cmd_rename,      false, false, false, 2, 2 },
	{ "SUBSCRIBE",   cmd_subscribe,   false, false, false, 1, 1 },
	{ "UNSUBSCRIBE", cmd_unsubscribe, false, false, false, 1, 1 },
	{ "LIST",        cmd_list,        false, false, false, 2, 5 },
	{ "LSUB",        cmd_lsub,        false, false, false, 2, 2 },
	{ "STATUS",      cmd_status,      false, false, false, 2, 2 },
	{ "APPEND",      cmd_append,      false, false, false, 1, -1 },
	{ "GETQUOTA",    cmd_getquota,    false, false, false, 1, 1 },
	{ "GETQUOTAROOT", cmd_getquotaroot, false, false, false, 1, 1 },
	{ "SETQUOTA",    cmd_setquota,    false, false, false, 2, 2 },
	{ "REPLACE",     cmd_replace,     true,  true,  false, 2, -1 },
	{ "COMPRESS",    cmd_compress,    false, false, false, 1, 1 },
	{ "GETMETADATA", cmd_getmetadata, false, false, false, 2, 3 },
	{ "SETMETADATA", cmd_setmetadata, false, false, false, 2, 2 },
	{ "GETACL",      cmd_getacl,      false, false, false, 1, 1 },
	{ "SETACL",      cmd_setacl,      false, false, false, 3, 3 },
	{ "DELETEACL",   cmd_deleteacl,   false, false, false, 2, 2 },
	{ "LISTRIGHTS",  cmd_listrights,  false, false, false, 2, 2 },
	{ "MYRIGHTS",    cmd_myrights,    false, false, false, 1, 1 },
	{ "NOTIFY",      cmd_notify,      false, false, false, 1, -1 },
	{ "IDLE",        cmd_idle,        false, false, false, 0, 0 },
	{ "UNAUTHENTICATE", cmd_unauthenticate, false, false, false, 0, 0 },
	{ "UIDBATCHES",  cmd_uidbatches,  true,  false, false, 1, 2 },
	{ "CHECK",       cmd_check,       true,  false, false, 0, 0 },
	{ "CLOSE",       cmd_close,       true,  false, false, 0, 0 },
	{ "UNSELECT",    cmd_unselect,    true,  false, false, 0, 0 },
	{ "EXPUNGE",     cmd_expunge,     true,  true,  false, 0, 1 },
	{ "SEARCH",      cmd_search,      true,  true,  true,  1, -1 },
	{ "SORT",        cmd_sort,        true,  true,  true,  3, -1 },
	{ "THREAD",      cmd_thread,      true,  true,  true,  3, -1 },
	{ "ESEARCH",     cmd_esearch,     false, true, false, 1, -1 },
	{ "CANCELUPDATE", cmd_cancelupdate, true, false, false, 1, -1 },
	{ "FETCH",       cmd_fetch,       true,  true,  true,  2, -1 },
	{ "STORE",       cmd_store,       true,  true,  true,  3, -1 },
	{ "COPY",        cmd_copy,        true,  true,  false, 2, 2 },
	{ "MOVE",        cmd_move,        true,  true,  false, 2, 2 },
	/* clang-format on */
};

static const struct command *
find(const struct imapd *e)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (span_iis(e->name, commands[i].name) &&
		    (!e->uid || commands[i].uid))
			return &commands[i];
	return NULL;
}

static int
count(const struct imap_arg *a)
{
	int n = 0;

	for (; a != NULL; a = a->next)
		n++;
	return n;
}

/* Whether it may run; answers when not. */
static bool
allowed(struct imap *im, const struct command *c)
{
	int n = count(im->e.args);

	if (c == NULL || masks_hide(im, im->e.name)) {
		imap_bad(im,
		    span_iis(im->e.name, "LOGIN") ||
			    span_iis(im->e.name, "AUTHENTICATE") ||
			    span_iis(im->e.name, "STARTTLS")
			? "Already logged in"
			: "Unknown command");
		return false;
	}
	if (n < c->min || (c->max != -1 && n > c->max)) {
		imap_bad(im, "Wrong number of arguments");
		return false;
	}
	if (c->selected && im->folder == NULL) {
		imap_bad(im, "No mailbox is selected");
		return false;
	}
	/* ESEARCH tells UIDs anyway */
	if (im->enabled & ENABLE_UIDONLY && c->uid && !im->e.uid &&
	    c->run != cmd_expunge && c->run != cmd_esearch) {
		imap_bad(im, "[UIDREQUIRED] With UIDONLY there are no numbers");
		return false;
	}
	return true;
}

void
command_run(struct imap *im)
{
	const struct command *c = find(&im->e);

	im->commands++;
	im->gone = false;
	progress_begin(im);
	acl_renew(im);
	if (allowed(im, c) && acl_allows(im)) {
		im->expunge_ok = !c->numbers || im->e.uid;
		notify_command(im, true);
		c->run(im);
		notify_command(im, false);
		events_flush(&im->events);
	}
	if (imapd_has_message(&im->e))
		imapd_refuse(&im->e);
}
