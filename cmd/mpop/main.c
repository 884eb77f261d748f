/*
 * mpop - serve one user's mail by POP3 on standard input and output
 *
 * Run by mauth once the user is known, or by the user itself (-p), with
 * the rights of that user alone.  Messages are marked as deleted during
 * the session and removed at QUIT; a session that ends in another way
 * removes nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "auth/session.h"
#include "auth/users.h"
#include "base/die.h"
#include "io/conf.h"
#include "io/confine.h"
#include "io/deadline.h"
#include "io/fault.h"
#include "io/fs.h"
#include "io/ident.h"
#include "io/log.h"
#include "io/net.h"
#include "io/ready.h"
#include "io/stop.h"
#include "mpop.h"
#include "store/boxes.h"

static const char usage[] = "mpop [-pV] [-c DIR] [MAILDIR]";

static struct session session;

/* Where the client is told that we can't go on; die's hook. */
static void
tell_later(void)
{
	static const char text[] = "-ERR [SYS/TEMP] try again later\r\n";

	if (write(STDOUT_FILENO, text, sizeof(text) - 1) == -1)
		return;
}

/* A mapped snapshot was cut short under us. */
static void
on_fault(void)
{
	tell_later();
	_exit(EXIT_TEMP);
}

static uint32_t
box_uid(void *ctx, size_t i)
{
	return folder_msg(((struct drop *)ctx)->folder, i)->uid;
}

/* What can't be measured now is not there, and comes back later. */
static bool
box_size(void *ctx, size_t i, uint64_t *size)
{
	struct drop *d = ctx;

	if (folder_size(d->folder, i, size) == 0)
		return true;
	if (errno != ENOENT)
		log_error("message", NULL);
	return false;
}

static struct span
box_name(void *ctx, size_t i)
{
	struct drop *d = ctx;

	return uidl_find(&d->uidl, folder_msg(d->folder, i)->uid);
}

/* A file of names that can't be read makes clients fetch all again: later. */
static void
read_names(struct drop *d, const char *path)
{
	int dir = fs_open_dir(path);
	int r = -1;

	if (dir != -1)
		r = uidl_read(&d->uidl, dir, folder_uidvalidity(d->folder));
	if (r == -1 && errno == EILSEQ)
		die(EXIT_TEMP, "%s/pneu.uidl: damaged", path);
	if (r == -1)
		die_sys(EXIT_TEMP, "%s/pneu.uidl", path);
	close(dir);
}

static void
open_drop(struct drop *d, const char *path, bool create)
{
	struct boxes boxes;
	size_t n;

	die_hook = tell_later;
	if (create) {
		if (boxes_open(&boxes, path, '/') == -1)
			die_sys(EXIT_TEMP, "%s", path);
		boxes_close(&boxes);
	}
	if (folder_open(&d->folder, path, true) == -1)
		die_sys(EXIT_TEMP, "%s", path);
	read_names(d, path);
	n = folder_count(d->folder);
	d->box = (struct pop3d_box){ .ctx = d,
		.count = n,
		.uidvalidity = folder_uidvalidity(d->folder),
		.uid = box_uid,
		.name = d->uidl.n > 0 ? box_name : NULL,
		.size = box_size,
		.mark = calloc(n + 1, 1) };
	d->seen = calloc(n + 1, 1);
	if (d->box.mark == NULL || d->seen == NULL)
		die_memory();
}

void
flush_reply(struct drop *d)
{
	d->out.deadline = deadline_in(TIME_POP3_IDLE);
	out_put(&d->out, buf_span(&d->reply));
	buf_clear(&d->reply);
}

/* The numbers of the messages with this byte; how many. */
static size_t
numbers_of(const unsigned char *byte, unsigned char want, size_t n, size_t *idx)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		if (byte[i] == want)
			idx[found++] = i;
	return found;
}

/* The UPDATE state: true when all that was marked is gone. */
static bool
update(struct drop *d, bool expunge)
{
	size_t n = d->box.count, *idx = calloc(n + 1, sizeof(*idx)), found;
	bool ok = true;

	if (idx == NULL)
		die_memory();
	for (size_t i = 0; expunge && i < n; i++)
		if (d->box.mark[i] == POP3D_DELETED)
			d->seen[i] = 0;
	found = numbers_of(d->seen, 1, n, idx);
	if (found > 0 &&
	    folder_store(d->folder, idx, found, FOLDER_ADD, FLAG_SEEN, 0,
		UINT64_MAX, NULL) == -1)
		log_error("flags", NULL);
	found = expunge ? numbers_of(d->box.mark, POP3D_DELETED, n, idx) : 0;
	if (found > 0 && folder_expunge(d->folder, idx, found) == -1) {
		log_error("delete", NULL);
		ok = false;
	}
	for (size_t k = 0; k < found; k++)
		d->ndeleted += folder_msg(d->folder, idx[k])->gone;
	free(idx);
	return ok;
}

/* While the client is quiet, a new index is put on disk. */
static void
settle(struct drop *d)
{
	if (folder_is_loose(d->folder) &&
	    stop_wait(d->in.fd, deadline_now() + FOLDER_SETTLE_MS) == -1 &&
	    errno == ETIMEDOUT && folder_settle(d->folder) == -1)
		log_error("index", NULL);
}

/* More commands; false at the end of the connection. */
static bool
read_more(struct drop *d)
{
	d->in.deadline = deadline_in(TIME_POP3_IDLE);
	if (out_flush(&d->out) == 0)
		settle(d);
	if (d->out.err == 0 && stop_wait(d->in.fd, d->in.deadline) == 1) {
		d->why = "shutdown";
		return false;
	}
	switch (in_fill(&d->in)) {
	case IN_DATA:
		return true;
	case IN_EOF:
		d->why = "closed";
		return false;
	case IN_TIMEOUT:
		d->why = "timeout";
		return false;
	case IN_FULL:
	case IN_ERROR:
		break;
	}
	d->why = "lost";
	return false;
}

static void
serve(struct drop *d)
{
	bool updated = false;

	while (d->why == NULL) {
		enum pop3d_event e = pop3d_next(&d->pop3d, &d->in.data);

		if (e == POP3D_QUIT) {
			pop3d_quit(&d->pop3d, update(d, true));
			updated = true;
			d->why = "quit";
		} else if (e == POP3D_END) {
			d->why = "errors";
		} else if (e == POP3D_RETR && !retrieve(d)) {
			if (d->why == NULL)
				d->why = "lost";
			break;
		}
		flush_reply(d);
		if (e == POP3D_MORE && !read_more(d))
			break;
	}
	if (out_flush(&d->out) == -1 && strcmp(d->why, "quit") != 0)
		d->why = "lost";
	if (!updated)
		update(d, false);
}

static void
log_close(const struct drop *d, const struct net_peer *peer)
{
	struct logline l;
	char text[64];

	snprintf(text, sizeof(text), "retrieved %llu deleted %llu",
	    (unsigned long long)d->nretrieved, (unsigned long long)d->ndeleted);
	log_begin(&l, "close");
	if (peer->ip[0] != '\0')
		log_str(&l, "peer", peer->ip);
	log_str(&l, "svc", "pop3");
	if (session.login[0] != '\0')
		log_str(&l, "user", session.login);
	log_num(&l, "size", d->sent);
	log_str(&l, "text", text);
	log_str(&l, "why", d->why);
	log_num(&l, "n", d->ndeleted);
	log_end(&l);
}

/* The Maildir of who logged in. */
static void
session_maildir(char *path, size_t size)
{
	static struct user u;
	enum verdict v = TEMP;

	if (conf_exists())
		v = users_find(span_of(session.login), &u);
	else
		v = PERM;
	if (v == TEMP)
		die(EXIT_TEMP, "users: %s can't be looked up", session.login);
	if (v == OK && span_cstr(span_of(u.maildir), path, size))
		return;
	if (!users_maildir(NULL, path, size))
		die(EXIT_TEMP, "%s: no Maildir", session.login);
}

/* Find out whom to serve; "" in session.login when nobody logged in. */
static void
choose(const char *arg, bool preauth, char *path, size_t size)
{
	enum session_result r =
	    preauth ? SESSION_NONE : session_receive(&session);

	if (r == SESSION_BAD) {
		die_hook = tell_later;
		die(EXIT_TEMP, "the record of the login can't be read");
	}
	if (r == SESSION_NONE && !preauth && arg == NULL)
		die(EXIT_USAGE,
		    "nobody is logged in: run by mauth, or with -p");
	if (r == SESSION_OK) {
		die_hook = tell_later;
		log_open(
		    session.conn[0] != '\0' ? session.conn : ident_conn(true));
	} else if (preauth) {
		log_conn(ident_conn(false));
	} else {
		log_open(ident_conn(true));
	}
	if (r == SESSION_OK && arg == NULL)
		session_maildir(path, size);
	else if (!users_maildir(arg, path, size))
		die(EXIT_CONFIG, "no Maildir: name one, or set HOME");
}

_Noreturn static void
refuse_login(void)
{
	static const char text[] =
	    "-ERR [LOGIN-DELAY] too soon after the last login\r\n";
	struct logline l;

	if (write(STDOUT_FILENO, text, sizeof(text) - 1) == -1)
		exit(EXIT_OK);
	log_begin(&l, "close");
	log_str(&l, "svc", "pop3");
	if (session.login[0] != '\0')
		log_str(&l, "user", session.login);
	log_str(&l, "why", "delay");
	log_end(&l);
	exit(EXIT_OK);
}

/* What was said before the login; with -p nothing could be. */
static void
start_engine(struct drop *d, bool preauth, unsigned wait)
{
	pop3d_init(&d->pop3d, &d->reply, &d->box);
	d->pop3d.login_delay = preauth ? 0 : wait;
	d->pop3d.utf8_now = preauth;
	d->pop3d.utf8 =
	    span_is((struct span){ session.state, session.nstate }, "UTF8");
}

static void
run(const char *arg, bool preauth)
{
	static char in_buf[LIMIT_SESSION_UNREAD + 4096], out_buf[131072];
	static struct drop d;
	struct net_peer peer;
	char path[LIMIT_PATH];
	unsigned wait =
	    (unsigned)conf_limit("pop3-login-delay", 86400, TIME_POP3_LOGIN);

	choose(arg, preauth, path, sizeof(path));
	net_peer_env(STDIN_FILENO, &peer);
	net_nodelay(STDOUT_FILENO);
	signal(SIGPIPE, SIG_IGN);
	fault_last(on_fault);
	stop_init();
	if (!preauth && !login_is_due(path, wait))
		refuse_login();
	open_drop(&d, path, arg == NULL);
	if (confine_mail(path) == -1)
		die_sys(EXIT_TEMP, "sandbox");
	out_init(&d.out, STDOUT_FILENO, out_buf, sizeof(out_buf));
	in_init(&d.in, STDIN_FILENO, in_buf, sizeof(in_buf));
	d.in.tie = &d.out;
	if (!in_unread(&d.in, (struct span){ session.unread, session.nunread }))
		die(EXIT_TEMP, "too much input before the login");
	buf_init(&d.reply, (size_t)POP3D_OUT_MAX);
	start_engine(&d, preauth, wait);
	buf_puts(&d.reply,
	    session.login[0] != '\0'
		? "+OK logged in\r\n"
		: "+OK pneu POP3 ready, no login needed\r\n");
	die_hook = NULL;
	flush_reply(&d);
	serve(&d);
	folder_close(d.folder);
	log_close(&d, &peer);
}

int
main(int argc, char *argv[])
{
	bool preauth = false;
	int ch;

	progname = "mpop";
	opterr = 0;
	while ((ch = getopt(argc, argv, "+pVc:")) != -1)
		switch (ch) {
		case 'p':
			preauth = true;
			break;
		case 'c':
			conf_set_dir(optarg);
			break;
		case 'V':
			puts("mpop " VERSION);
			return EXIT_OK;
		default:
			die_usage(usage);
		}
	argc -= optind;
	argv += optind;
	if (argc > 1)
		die_usage(usage);
	die_hook = tell_later;
	if (!preauth)
		ready_serve_sessions();
	die_hook = NULL;
	run(argv[0], preauth);
	return EXIT_OK;
}
