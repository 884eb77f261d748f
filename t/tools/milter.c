/*
 * A milter for the tests, made with libmilter.
 *
 * usage: milter SOCKET LOG [STEP=ACTION[:ARG]] ...
 *
 * What it is told goes to LOG, a line each.  At STEP (connect, helo, mail,
 * rcpt, data, header, eoh, body, eom) it does the actions in their order;
 * one that is an answer ends them.  "rcpt=..." may name a recipient,
 * "rcpt@ADDRESS=...".  In an argument "\n" and "\t" are what they say, "|"
 * separates. "options=NUMBER" are protocol flags that it wants besides.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

static FILE *log_file;
static int nwords;
static char **words;
static unsigned long options;

/* The nth field of an argument, fields separated by "|". */
static char *
part(char *arg, int n)
{
	static char room[8][8192];
	char *to = room[n];
	size_t used = 0;

	for (; *arg != '\0' && n > 0; arg++)
		if (*arg == '|')
			n--;
	if (n > 0)
		return NULL;
	for (; *arg != '\0' && *arg != '|' && used < 8191; arg++) {
		if (arg[0] == '\\' && (arg[1] == 'n' || arg[1] == 't')) {
			to[used++] = *++arg == 'n' ? '\n' : '\t';
		} else {
			to[used++] = *arg;
		}
	}
	to[used] = '\0';
	return to;
}

static void
check(int r, const char *what)
{
	if (r != MI_SUCCESS)
		fprintf(log_file, "FAILED %s\n", what);
}

static void
new_body(SMFICTX *ctx, char *arg)
{
	size_t n = strtoul(part(arg, 0), NULL, 10);
	char *text = part(arg, 1), line[82];

	if (n == 0) {
		check(smfi_replacebody(
			  ctx, (unsigned char *)text, (int)strlen(text)),
		    "replacebody");
		return;
	}
	memset(line, 'n', 80);
	memcpy(line + 80, "\r\n", 2);
	for (size_t i = 0; i < n; i++)
		check(smfi_replacebody(ctx, (unsigned char *)line, 82),
		    "replacebody");
}

/* The reply of "reply": CODE|STATUS|LINE|LINE... */
static sfsistat
set_reply(SMFICTX *ctx, char *arg)
{
	char *code = part(arg, 0), *status = part(arg, 1), *two;

	if (*status == '\0')
		status = NULL;
	two = part(arg, 3);
	if (two != NULL)
		check(
		    smfi_setmlreply(ctx, code, status, part(arg, 2), two, NULL),
		    "setmlreply");
	else
		check(
		    smfi_setreply(ctx, code, status, part(arg, 2)), "setreply");
	return *code == '4' ? SMFIS_TEMPFAIL : SMFIS_REJECT;
}

static void
change(SMFICTX *ctx, const char *what, char *arg)
{
	char *a = part(arg, 0), *b = part(arg, 1), *c = part(arg, 2);

	if (strcmp(what, "add") == 0)
		check(smfi_addheader(ctx, a, b), what);
	else if (strcmp(what, "insert") == 0)
		check(smfi_insheader(ctx, atoi(a), b, c), what);
	else if (strcmp(what, "change") == 0)
		check(smfi_chgheader(ctx, b, atoi(a), c), what);
	else if (strcmp(what, "body") == 0)
		new_body(ctx, arg);
	else if (strcmp(what, "from") == 0)
		check(smfi_chgfrom(ctx, a, b), what);
	else if (strcmp(what, "addrcpt") == 0)
		check(b != NULL ? smfi_addrcpt_par(ctx, a, b)
				: smfi_addrcpt(ctx, a),
		    what);
	else if (strcmp(what, "delrcpt") == 0)
		check(smfi_delrcpt(ctx, a), what);
	else if (strcmp(what, "quarantine") == 0)
		check(smfi_quarantine(ctx, a), what);
	else if (strcmp(what, "progress") == 0)
		check(smfi_progress(ctx), what);
	else if (strcmp(what, "sleep") == 0)
		usleep((useconds_t)(atof(a) * 1e6));
	else if (strcmp(what, "die") == 0)
		kill(getpid(), SIGKILL);
	else
		fprintf(log_file, "FAILED: no action %s\n", what);
	fflush(log_file);
}

static sfsistat
act(SMFICTX *ctx, const char *step, const char *detail)
{
	static const struct {
		const char *name;
		sfsistat answer;
	} answers[] = { { "accept", SMFIS_ACCEPT }, { "reject", SMFIS_REJECT },
		{ "tempfail", SMFIS_TEMPFAIL }, { "discard", SMFIS_DISCARD },
		{ "skip", SMFIS_SKIP }, { "continue", SMFIS_CONTINUE } };
	size_t n = strlen(step);

	for (int i = 0; i < nwords; i++) {
		char word[8192], *what, *arg, *at;

		snprintf(word, sizeof(word), "%s", words[i]);
		what = strchr(word, '=');
		if (what == NULL || strncmp(word, step, n) != 0)
			continue;
		*what++ = '\0';
		at = word + n;
		if (*at == '@' ? strstr(detail, at + 1) == NULL : *at != '\0')
			continue;
		arg = strchr(what, ':');
		if (arg != NULL)
			*arg++ = '\0';
		for (size_t k = 0; k < sizeof(answers) / sizeof(*answers); k++)
			if (strcmp(what, answers[k].name) == 0)
				return answers[k].answer;
		if (strcmp(what, "reply") == 0)
			return set_reply(ctx, arg);
		change(ctx, what, arg == NULL ? word + n : arg);
	}
	return SMFIS_CONTINUE;
}

static void
note(const char *what, const char *text)
{
	fprintf(log_file, "%s ", what);
	for (; *text != '\0'; text++)
		if (*text == '\n')
			fputs("\\n", log_file);
		else
			fputc(*text, log_file);
	fputc('\n', log_file);
	fflush(log_file);
}

static void
macros(SMFICTX *ctx, const char *const *names)
{
	for (; *names != NULL; names++) {
		char *v = smfi_getsymval(ctx, (char *)(size_t)*names);

		if (v != NULL)
			fprintf(log_file, "macro %s=%s\n", *names, v);
	}
	fflush(log_file);
}

static sfsistat
on_connect(SMFICTX *ctx, char *host, _SOCK_ADDR *addr)
{
	static const char *const names[] = { "j", "{daemon_name}",
		"{client_name}", "{client_addr}", "{client_port}",
		"{client_ptr}", "v", "_", NULL };

	note("connect", host);
	fprintf(log_file, "family %d\n", addr == NULL ? 0 : addr->sa_family);
	macros(ctx, names);
	return act(ctx, "connect", host);
}

static sfsistat
on_helo(SMFICTX *ctx, char *name)
{
	static const char *const names[] = { "{tls_version}", "{cipher}",
		NULL };

	note("helo", name);
	macros(ctx, names);
	return act(ctx, "helo", name);
}

static void
note_args(const char *what, char **argv)
{
	fprintf(log_file, "%s", what);
	for (; *argv != NULL; argv++)
		fprintf(log_file, " %s", *argv);
	fputc('\n', log_file);
	fflush(log_file);
}

static sfsistat
on_mail(SMFICTX *ctx, char **argv)
{
	static const char *const names[] = { "i", "{mail_addr}", "{mail_host}",
		"{mail_mailer}", "{auth_authen}", "{auth_type}", NULL };

	note_args("mail", argv);
	macros(ctx, names);
	return act(ctx, "mail", argv[0]);
}

static sfsistat
on_rcpt(SMFICTX *ctx, char **argv)
{
	static const char *const names[] = { "{rcpt_addr}", "{rcpt_host}",
		"{rcpt_mailer}", NULL };

	note_args("rcpt", argv);
	macros(ctx, names);
	return act(ctx, "rcpt", argv[0]);
}

static sfsistat
on_data(SMFICTX *ctx)
{
	note("data", "");
	return act(ctx, "data", "");
}

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	char text[200];

	snprintf(text, sizeof(text), "%s:[%.150s]", name, value);
	note("header", text);
	return act(ctx, "header", name);
}

static sfsistat
on_eoh(SMFICTX *ctx)
{
	note("eoh", "");
	return act(ctx, "eoh", "");
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *p, size_t n)
{
	fprintf(log_file, "body %zu %s\n", n,
	    n > 1 && memcmp(p + n - 2, "\r\n", 2) == 0 ? "crlf" : "");
	fflush(log_file);
	return act(ctx, "body", "");
}

static sfsistat
on_eom(SMFICTX *ctx)
{
	static const char *const names[] = { "i", NULL };

	note("eom", "");
	macros(ctx, names);
	return act(ctx, "eom", "");
}

static sfsistat
on_abort(SMFICTX *ctx)
{
	(void)ctx;
	note("abort", "");
	return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *ctx)
{
	(void)ctx;
	note("close", "");
	return SMFIS_CONTINUE;
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long f0, unsigned long f1, unsigned long f2,
    unsigned long f3, unsigned long *pf0, unsigned long *pf1,
    unsigned long *pf2, unsigned long *pf3)
{
	(void)ctx;
	(void)f2;
	(void)f3;
	fprintf(log_file, "offered %lx %lx\n", f0, f1);
	fflush(log_file);
	*pf0 = f0;
	*pf1 = options & f1;
	*pf2 = *pf3 = 0;
	return SMFIS_CONTINUE;
}

int
main(int argc, char *argv[])
{
	char name[] = "test";
	struct smfiDesc d = { .xxfi_name = name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGBODY | SMFIF_ADDRCPT |
		    SMFIF_DELRCPT | SMFIF_CHGHDRS | SMFIF_QUARANTINE |
		    SMFIF_CHGFROM | SMFIF_ADDRCPT_PAR | SMFIF_SETSYMLIST,
		.xxfi_connect = on_connect,
		.xxfi_helo = on_helo,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_rcpt,
		.xxfi_data = on_data,
		.xxfi_header = on_header,
		.xxfi_eoh = on_eoh,
		.xxfi_body = on_body,
		.xxfi_eom = on_eom,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_negotiate = on_negotiate };

	if (argc < 3)
		return 64;
	log_file = fopen(argv[2], "a");
	if (log_file == NULL)
		return 75;
	words = argv + 3;
	nwords = argc - 3;
	for (int i = 0; i < nwords; i++)
		if (strncmp(words[i], "options=", 8) == 0)
			options = strtoul(words[i] + 8, NULL, 16);
	if (smfi_setconn(argv[1]) == MI_FAILURE ||
	    smfi_register(d) == MI_FAILURE)
		return 75;
	return smfi_main() == MI_SUCCESS ? 0 : 75;
}
