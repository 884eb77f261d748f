/*
 * mimapd - an IMAP session
 *
 * Serves one user's Maildir on standard input and output: after mauth,
 * whose record says who, or with -p the calling user.
 */
#include <errno.h>
#include <unistd.h>

#include "auth/session.h"
#include "auth/users.h"
#include "base/die.h"
#include "event.h"
#include "io/conf.h"
#include "io/confine.h"
#include "io/deadline.h"
#include "io/ident.h"
#include "io/log.h"
#include "io/net.h"
#include "io/ready.h"

enum { IN_SIZE = LIMIT_SESSION_UNREAD + 4096, OUT_SIZE = 65536 };

static const char usage[] = "mimapd [-pV] [-c dir] [maildir]";

static char in_buf[IN_SIZE], out_buf[OUT_SIZE];
static struct session session;
static struct imap imap;

static const struct encword_charset charsets = { charset_convert, NULL };

/* Nothing may be allocated here. */
static void
say_bye(void)
{
	static const char bye[] = "* BYE Internal error, try again later\r\n";
	int64_t soon = deadline_in(10);

	imap.out.deadline = soon;
	out_flush(&imap.out);
	if (!imap.compressed &&
	    write_all(STDOUT_FILENO, bye, sizeof(bye) - 1, soon) == -1)
		return;
	if (imap.compressed) {
		out_puts(&imap.out, bye);
		out_flush(&imap.out);
	}
}

/* One command or less; false when more input is needed. */
static bool
step(struct imap *im)
{
	enum imapd_event e = imapd_next(&im->e, &im->in.data);

	imap_put(im, &im->said);
	buf_clear(&im->said);
	switch (e) {
	case IMAPD_COMMAND:
	case IMAPD_MESSAGE:
		command_run(im);
		break;
	case IMAPD_CLOSE:
		im->over = true;
		break;
	case IMAPD_MORE:
		return false;
	case IMAPD_PIECE:
	case IMAPD_END:
	case IMAPD_ABORT:
	case IMAPD_LINE:
		break;
	}
	imap_put(im, &im->said);
	buf_clear(&im->said);
	return true;
}

static void
serve(struct imap *im)
{
	while (!im->over) {
		im->out.deadline = deadline_in(TIME_IMAP_IDLE);
		if (im->out.err != 0)
			break;
		if (wait_stopping()) {
			out_puts(&im->out, "* BYE Server is shutting down\r\n");
			break;
		}
		if (step(im))
			continue;
		if (!notify_wait(im))
			break;
		if (!wait_fill(im))
			break;
	}
	out_flush(&im->out);
}

static void
log_close(const struct imap *im)
{
	struct logline l;
	struct net_peer peer;

	net_peer_env(STDIN_FILENO, &peer);
	log_begin(&l, "close");
	if (peer.ip[0] != '\0')
		log_str(&l, "peer", peer.ip);
	if (im->login[0] != '\0')
		log_str(&l, "user", im->login);
	log_str(&l, "svc", "imap");
	log_num(&l, "n", im->commands);
	log_end(&l);
}

/* tag [LF what the client has said by ID] */
static void
take_state(struct imap *im)
{
	struct span s = { session.state, session.nstate };

	out_put(&im->out, span_cut(&s, '\n'));
	buf_put(&im->id, s);
}

/* Who is served, and the first words. */
static void
greet(struct imap *im, enum session_result r)
{
	buf_init(&im->id, LIMIT_IMAP_ID);
	if (r == SESSION_OK) {
		if (!in_unread(&im->in,
			(struct span){ session.unread, session.nunread }))
			die(EXIT_TEMP, "session record: too much input");
		take_state(im);
		out_puts(&im->out, " OK [");
	} else {
		out_puts(&im->out, "* PREAUTH [");
	}
	masks_apply(im);
	imap_put_capability(im);
	if (r == SESSION_OK)
		out_puts(&im->out, "] Logged in\r\n");
	else
		out_printf(&im->out, "] %s ready\r\n", conf_me());
}

static void
start(struct imap *im, const char *arg, enum session_result r)
{
	char path[LIMIT_PATH];

	in_init(&im->in, STDIN_FILENO, in_buf, sizeof(in_buf));
	out_init(&im->out, STDOUT_FILENO, out_buf, sizeof(out_buf));
	im->out.deadline = deadline_in(TIME_IMAP_IDLE);
	im->in.tie = &im->out;
	im->body.fd = -1;
	buf_init(&im->said, 16384);
	imapd_init(&im->e, &im->said, LIMIT_IMAP_ARENA);
	net_nodelay(STDOUT_FILENO);
	wait_init();
	folder_charsets(&charsets);
	die_hook = say_bye;
	if (!users_maildir(arg, path, sizeof(path)))
		die(EXIT_TEMP, "no Maildir: name one, or set HOME");
	settings_open(im, r == SESSION_OK ? session.login : "", path);
}

int
main(int argc, char *argv[])
{
	enum session_result r;
	bool preauth = false;
	int ch;

	progname = "mimapd";
	opterr = 0;
	while ((ch = getopt(argc, argv, "+c:pV")) != -1)
		switch (ch) {
		case 'c':
			conf_set_dir(optarg);
			break;
		case 'p':
			preauth = true;
			break;
		case 'V':
			printf("mimapd %s\n", VERSION);
			return EXIT_OK;
		default:
			die_usage(usage);
		}
	if (argc - optind > 1)
		die_usage(usage);
	die_hook = say_bye;
	if (!preauth)
		ready_serve_sessions();
	die_hook = NULL;
	r = preauth ? SESSION_NONE : session_receive(&session);
	if (r == SESSION_NONE && !preauth)
		die(EXIT_USAGE, "nobody has logged in: run it by mauth, or -p");
	if (preauth)
		log_conn(ident_conn(false));
	else
		log_open(r == SESSION_OK ? session.conn : NULL);
	die_hook = say_bye;
	imap.again = r == SESSION_OK ? session_again() : -1;
	if (r == SESSION_BAD)
		die(EXIT_TEMP, "session record: not one that we can read");
	start(&imap, argv[optind], r);
	imap.login = r == SESSION_OK ? session.login : getenv("USER");
	if (imap.login == NULL)
		imap.login = "";
	event_start(&imap);
	if (confine_mail(imap.boxes.root) == -1)
		die_sys(EXIT_TEMP, "sandbox");
	greet(&imap, r);
	serve(&imap);
	select_close(&imap);
	folder_append_close(&imap.append);
	events_close(&imap.events);
	log_close(&imap);
	return imap.status;
}
