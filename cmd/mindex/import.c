/* import: mail from an mbox, another Maildir or an IMAP server. */
#include "import.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth/users.h"
#include "io/conf.h"
#include "store/adopt.h"
#include "store/quota.h"

static void
ensure(struct target *t)
{
	switch (
	    boxes_find(&boxes, span_of(t->name), t->path, sizeof(t->path))) {
	case BOX_OK:
		t->exists = true;
		return;
	case BOX_NONE:
		break;
	case BOX_FAILED:
		die_sys(EXIT_TEMP, "%s", t->name);
	case BOX_EXISTS:
	case BOX_BADNAME:
	case BOX_INUSE:
		return;
	}
	if (dry_run)
		return;
	if (boxes_create(&boxes, span_of(t->name), 0) == BOX_FAILED)
		die_sys(EXIT_TEMP, "%s", t->name);
	t->exists = boxes_find(&boxes, span_of(t->name), t->path,
			sizeof(t->path)) == BOX_OK;
	t->made = t->exists;
}

bool
target_open(struct target *t, const char *name)
{
	*t = (struct target){ .name = name };
	ensure(t);
	if (!t->exists && !dry_run) {
		warn("%s: it can't be a mailbox", name);
		status = EXIT_TEMP;
		return false;
	}
	if (t->exists && bring_open(&t->bring, t->path) == -1) {
		failed(name);
		return false;
	}
	return true;
}

bool
target_keeps(struct target *t, uint32_t uidvalidity)
{
	struct adopt a = { .uidvalidity = uidvalidity, .uidnext = 1 };
	struct folder_status st = { .uidnext = 1 };

	if (uidvalidity == 0 ||
	    (t->exists && folder_status(t->path, &st, false) == -1))
		return false;
	if (st.uidvalidity == uidvalidity)
		return true;
	if (st.uidnext != 1)
		return false;
	say_more(
	    t->name, "adopt", "UIDVALIDITY %lu", (unsigned long)uidvalidity);
	if (!dry_run && adopt_index(t->path, &a) == -1)
		die_sys(EXIT_TEMP, "%s", t->name);
	return true;
}

void
target_uidnext(struct target *t, uint32_t uidnext)
{
	if (!dry_run && uidnext > 1 && uidnext <= BRING_UID_MAX &&
	    adopt_uidnext(t->path, uidnext) == -1)
		die_sys(EXIT_TEMP, "%s", t->name);
}

bool
target_has(struct target *t, const char *base)
{
	if (!t->exists || !bring_has(&t->bring, span_of(base)))
		return false;
	t->known++;
	return true;
}

void
target_commit(struct target *t)
{
	uint32_t uidvalidity;

	if (t->bring.n > 0 && bring_commit(&t->bring, &uidvalidity) == -1)
		die_sys(EXIT_TEMP, "%s", t->name);
}

/* That of the user whose Maildir it is, else what its maildirsize says. */
static struct quota *
quota(void)
{
	static struct quota q;
	static struct user u;
	struct stat a, b;
	bool known;

	if (q.root[0] != '\0')
		return &q;
	known = conf_exists() && users_find_uid(getuid(), &u) == OK &&
	    stat(u.maildir, &a) == 0 && fstat(boxes.fd, &b) == 0 &&
	    a.st_dev == b.st_dev && a.st_ino == b.st_ino;
	quota_init(&q, boxes.root, known ? u.quota_bytes : 0,
	    known ? u.quota_messages : 0);
	return &q;
}

/* The messages before it stay, and are known again by the next run. */
static void
check_room(struct target *t)
{
	struct bring *b = &t->bring;

	if (quota_room(quota(), b->bytes + b->file.size, b->n + 1))
		return;
	bring_drop(b);
	target_commit(t);
	die(EXIT_TEMP,
	    "%s: over quota: the next message has no room, %zu were taken",
	    t->name, t->taken);
}

/* With -n: what would be in use when the run comes there. */
static struct quota_use *
foretold(void)
{
	static struct quota_use use;
	static bool known;

	if (!known && quota_peek(quota(), &use) == -1)
		die_sys(EXIT_TEMP, "%s", boxes.root);
	known = true;
	return &use;
}

bool
target_foretells(void)
{
	struct quota_use *u = foretold();

	return u->max_bytes != 0 || u->max_messages != 0;
}

static void
foretell(const struct target *t)
{
	struct quota_use *u = foretold();

	if (!quota_fits(u, t->size, 1))
		die(EXIT_TEMP,
		    "%s: over quota: the next message would have no room, "
		    "%zu would be taken",
		    t->name, t->taken);
	u->bytes += t->size + t->open_line;
	u->messages++;
}

void
target_done(struct target *t, const struct bring_msg *m)
{
	if (dry_run)
		foretell(t);
	else
		check_room(t);
	t->taken++;
	if (dry_run)
		return;
	if (bring_done(&t->bring, m) == -1)
		die_sys(EXIT_TEMP, "%s", t->name);
	if (t->bring.n == IMPORT_BATCH || t->bring.facts > BRING_FACTS)
		target_commit(t);
}

void
target_close(struct target *t)
{
	if (t->exists)
		target_commit(t);
	say(t->name, "import", "%zu messages, %zu more were there", t->taken,
	    t->known);
	if (t->bring.moved > 0)
		say(t->name, "renumber", "%zu messages got other UIDs",
		    t->bring.moved);
	if (t->exists)
		bring_close(&t->bring);
}

int
import_main(int argc, char **argv)
{
	static const struct {
		const char *kind;
		int (*main)(char **argv);
	} kinds[] = {
		{ "mbox", import_mbox },
		{ "maildir", import_maildir },
		{ "imap", import_imap },
	};
	const char *kind;

	verb_options(argc, argv, "nvw:");
	kind = argv[optind];
	if (kind == NULL)
		usage_of("import");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].kind, kind) == 0) {
			open_maildir(!dry_run);
			return kinds[i].main(argv + optind + 1);
		}
	usage_of("import");
}
