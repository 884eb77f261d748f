/* Commands that need no mailbox. */
#include "imap.h"
#include "imap/imapid.h"

void
cmd_capability(struct imap *im)
{
	out_puts(&im->out, "* ");
	imap_put_capability(im);
	out_puts(&im->out, "\r\n");
	imap_done(im, "OK Capability completed");
}

void
cmd_noop(struct imap *im)
{
	imap_done(im, "OK NOOP completed");
}

void
cmd_check(struct imap *im)
{
	imap_done(im, "OK Check completed");
}

void
cmd_logout(struct imap *im)
{
	out_puts(&im->out, "* BYE Logging out\r\n");
	imap_reply(im, "OK Logout completed");
	im->over = true;
}

/* id = "ID" SP id-params-list: it decides what is hidden, no more. */
void
cmd_id(struct imap *im)
{
	if (im->e.args->type != IMAP_LIST &&
	    !span_iis(im->e.args->text, "NIL")) {
		imap_bad(im, "ID takes a list or NIL");
		return;
	}
	imapid_read(&im->id, im->e.args);
	masks_apply(im);
	out_puts(&im->out,
	    "* ID (\"name\" \"pneu\" \"version\" \"" VERSION "\")\r\n");
	imap_done(im, "OK ID completed");
}

static const struct {
	const char *name;
	unsigned bits;
} enables[] = {
	{ "IMAP4rev2", ENABLE_REV2 },
	{ "CONDSTORE", ENABLE_CONDSTORE },
	{ "QRESYNC", ENABLE_QRESYNC | ENABLE_CONDSTORE },
	{ "UIDONLY", ENABLE_UIDONLY },
	{ "UTF8=ACCEPT", ENABLE_UTF8 },
};

enum { NENABLES = sizeof(enables) / sizeof(enables[0]) };

/* enable = "ENABLE" 1*(SP capability): unknown ones are passed over. */
void
cmd_enable(struct imap *im)
{
	bool on[NENABLES] = { false };
	unsigned had = im->enabled;

	for (const struct imap_arg *a = im->e.args; a != NULL; a = a->next) {
		if (a->type != IMAP_ATOM) {
			imap_bad(im, "ENABLE takes capabilities");
			return;
		}
		for (size_t i = 0; i < NENABLES; i++)
			if (span_iis(a->text, enables[i].name))
				on[i] = imap_has(im, enables[i].name);
	}
	out_puts(&im->out, "* ENABLED");
	for (size_t i = 0; i < NENABLES; i++)
		if (on[i] && (had & enables[i].bits) != enables[i].bits) {
			out_putc(&im->out, ' ');
			out_puts(&im->out, enables[i].name);
		}
	out_puts(&im->out, "\r\n");
	for (size_t i = 0; i < NENABLES; i++)
		if (on[i]) {
			if (enables[i].bits & ENABLE_CONDSTORE)
				sync_condstore(im);
			im->enabled |= enables[i].bits;
		}
	imap_done(im, "OK Enabled");
}

void
cmd_namespace(struct imap *im)
{
	out_puts(&im->out, "* NAMESPACE ((");
	imap_put_name(im, span_of(im->boxes.prefix));
	out_printf(&im->out, " \"%c\")) NIL NIL\r\n", im->boxes.separator);
	imap_done(im, "OK Namespace completed");
}
