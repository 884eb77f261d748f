/*
 * msend - a message in, out to the next host by SMTP
 *
 * Exits 0 only once the next host has taken the message for every
 * recipient; what a recipient got is also a line on standard output.
 */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "base/num.h"
#include "io/conf.h"
#include "io/log.h"
#include "io/spool.h"
#include "mail/addr.h"
#include "msend.h"

static const char usage[] = "msend [-JnvV] [-c DIR] [-h ADDR] [-t SEC] "
			    "[-f SENDER -- RCPT ...]";

struct options opt = { .by_mx = true };

static void
next_hop(const char *arg)
{
	if (!net_parse(arg, &opt.hop))
		die(EXIT_USAGE, "-h %s: not an address", arg);
	/* :PORT is by MX, but with that port */
	opt.by_mx = opt.hop.kind == NET_TCP && opt.hop.host[0] == '\0';
}

static void
print_result(const struct smtpc_rcpt *r)
{
	printf("%.*s\t%s\t%s\n", (int)r->address.n, r->address.p, r->code,
	    r->text);
}

/* The worst of all recipients; PERM with what its code stands for. */
static int
exit_of(int status, const struct smtpc_rcpt *r)
{
	if (r->verdict == TEMP || status == EXIT_TEMP)
		return EXIT_TEMP;
	if (r->verdict == OK)
		return status;
	if (strcmp(r->code, "5.1.1") == 0)
		return EXIT_NOUSER;
	return strcmp(r->code, "5.1.2") == 0 ? EXIT_NOHOST : EXIT_UNAVAILABLE;
}

/* The next line of MAIL_RCPT_ARGS. */
static struct span
next_args(struct span *lines)
{
	return span_cut(lines, '\n');
}

/* What the sender asked for, as MAIL's parameters. */
static struct span
mail_args(void)
{
	static const struct {
		const char *variable, *name;
		bool flag;
	} known[] = { { "MAIL_RET", "RET", false },
		{ "MAIL_ENVID", "ENVID", false }, { "MAIL_BY", "BY", false },
		{ "MAIL_SMTPUTF8", "SMTPUTF8", true },
		{ "MAIL_REQUIRETLS", "REQUIRETLS", true } };
	static struct buf b = { .max = 4 * LIMIT_ENV_VALUE };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const char *value = getenv(known[i].variable);

		if (value == NULL || *value == '\0' ||
		    (known[i].flag && strcmp(value, "0") == 0))
			continue;
		buf_printf(&b, " %s%s%s", known[i].name,
		    known[i].flag ? "" : "=", known[i].flag ? "" : value);
	}
	if (b.over)
		die(EXIT_TEMP, "MAIL_*: too long");
	return buf_span(&b);
}

static int
to(char *const *addresses, const char *sender)
{
	static struct smtpc_rcpt rcpts[LIMIT_JOB_RCPTS];
	struct span args = span_of(getenv("MAIL_RCPT_ARGS"));
	struct message m = { .sender = span_of(sender), .args = mail_args() };
	int status = EXIT_OK;
	size_t n = 0;

	message_asks(&m);
	if (!opt.explain) {
		m.fd = spool_stdin(&m.at);
		if (!spool_committed())
			die(EXIT_TEMP, "the message was not committed");
		if (message_measure(&m) == -1)
			die_sys(EXIT_TEMP, "read the message");
	}
	for (size_t i = 0; addresses[i] != NULL; i++) {
		rcpts[n] =
		    (struct smtpc_rcpt){ .address = span_of(addresses[i]),
			    .args = next_args(&args) };
		if (++n < LIMIT_JOB_RCPTS && addresses[i + 1] != NULL)
			continue;
		send_all(&m, rcpts, n);
		for (size_t k = 0; k < n; k++) {
			status = exit_of(status, &rcpts[k]);
			if (!opt.explain)
				print_result(&rcpts[k]);
		}
		n = 0;
	}
	session_close();
	if (fflush(stdout) != 0)
		die_sys(EXIT_TEMP, "results");
	return status;
}

int
main(int argc, char *argv[])
{
	const char *sender = NULL;
	bool job_mode = false;
	uint32_t seconds;
	int ch;

	progname = "msend";
	opterr = 0;
	while ((ch = getopt(argc, argv, "+Jc:f:h:nt:vV")) != -1)
		switch (ch) {
		case 'J':
			job_mode = true;
			break;
		case 'c':
			conf_set_dir(optarg);
			break;
		case 'f':
			sender = optarg;
			break;
		case 'h':
			next_hop(optarg);
			break;
		case 'n':
			opt.explain = true;
			break;
		case 't':
			if (!num_u32(span_of(optarg), &seconds) || seconds == 0)
				die(EXIT_USAGE,
				    "-t %s: not a number of seconds", optarg);
			opt.step = seconds;
			break;
		case 'v':
			opt.verbose++;
			break;
		case 'V':
			puts("msend " VERSION);
			return EXIT_OK;
		default:
			die_usage(usage);
		}
	argv += optind;
	signal(SIGPIPE, SIG_IGN);
	if (job_mode && (argv[0] != NULL || sender != NULL || opt.explain))
		die_usage(usage);
	if (job_mode)
		return jobs();
	if (argv[0] == NULL || (sender == NULL && !opt.explain))
		die_usage(usage);
	for (size_t i = 0; argv[i] != NULL; i++)
		if (!addr_valid(span_of(argv[i])))
			die(EXIT_DATAERR, "%s: not an address", argv[i]);
	if (sender != NULL && sender[0] != '\0' && !addr_valid(span_of(sender)))
		die(EXIT_USAGE, "-f %s: not an address", sender);
	return to(argv, sender == NULL ? "" : sender);
}
