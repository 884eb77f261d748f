/*
 * mqueue add - a message in, durably
 *
 * Called by a person, by mrecv as its sink, and by any route.  What the
 * environment says about the message is recorded, never trusted.
 */
#include "mqueue.h"

#include <errno.h>
#include <unistd.h>

#include "base/num.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "io/fs.h"
#include "io/in.h"
#include "io/log.h"
#include "mail/addr.h"

static struct queue_file file;
static char input[65536];

/* A value that can stand in the envelope, or nothing. */
static struct span
value_of(const char *name)
{
	struct span v = span_of(getenv(name));

	if (v.n > LIMIT_ENV_VALUE)
		return SPAN("");
	for (size_t i = 0; i < v.n; i++)
		if (!is_print(v.p[i]) || v.p[i] == ' ')
			return SPAN("");
	return v;
}

static void
put_arg(struct buf *b, const char *name, struct span v)
{
	if (v.n == 0)
		return;
	if (b->n > 0)
		buf_putc(b, ' ');
	buf_puts(b, name);
	buf_putc(b, '=');
	buf_put(b, v);
}

static void
put_flag(struct buf *b, const char *name, const char *variable)
{
	struct span v = value_of(variable);

	if (v.n == 0 || span_is(v, "0"))
		return;
	if (b->n > 0)
		buf_putc(b, ' ');
	buf_puts(b, name);
}

/* A parameter of time; one that can't be kept is a broken set-up. */
static void
put_checked(struct buf *b, const char *name, const char *variable)
{
	const char *text = getenv(variable);
	size_t was = b->n;
	struct span word;
	struct deliver_by by;
	int64_t t;

	if (text == NULL || *text == '\0')
		return;
	put_arg(b, name, value_of(variable));
	word = (struct span){ b->p + was, b->n - was };
	if (!envelope_deliver_by(word, &by) && !envelope_hold_until(word, &t))
		die(EXIT_TEMP, "%s: not a time", variable);
}

/* When what was sent for the future is due; 0: at once. */
static int64_t
held_until(struct span args)
{
	int64_t t;

	return envelope_hold_until(args, &t) ? t : 0;
}

static struct span
sender_args(struct arena *a)
{
	struct buf b = { .max = 4 * LIMIT_ENV_VALUE };
	struct span ret = value_of("MAIL_RET"), body = value_of("MAIL_BODY");
	struct span all;

	if (span_iis(ret, "FULL") || span_iis(ret, "HDRS"))
		put_arg(&b, "RET", ret);
	put_arg(&b, "ENVID", value_of("MAIL_ENVID"));
	if (span_iis(body, "7BIT") || span_iis(body, "8BITMIME"))
		put_arg(&b, "BODY", body);
	put_flag(&b, "SMTPUTF8", "MAIL_SMTPUTF8");
	put_flag(&b, "REQUIRETLS", "MAIL_REQUIRETLS");
	put_checked(&b, "BY", "MAIL_BY");
	put_checked(&b, "HOLDUNTIL", "MAIL_HOLDUNTIL");
	all = arena_span(a, buf_span(&b));
	buf_free(&b);
	return all;
}

/* "NEVER" / 1#( "SUCCESS" / "FAILURE" / "DELAY" ) */
static bool
notify_ok(struct span list)
{
	if (list.n == 0 || list.p[list.n - 1] == ',')
		return false;
	if (span_iis(list, "NEVER"))
		return true;
	while (list.n > 0) {
		struct span w = span_cut(&list, ',');

		if (!span_iis(w, "SUCCESS") && !span_iis(w, "FAILURE") &&
		    !span_iis(w, "DELAY"))
			return false;
	}
	return true;
}

/* ORCPT: addr-type ";" xtext */
static bool
orcpt_ok(struct span v)
{
	struct span type = span_cut(&v, ';');

	for (size_t i = 0; i < type.n; i++)
		if (!is_alnum(type.p[i]) && type.p[i] != '-')
			return false;
	for (size_t i = 0; i < v.n; i++)
		if ((unsigned char)v.p[i] <= ' ' || v.p[i] == 0x7f)
			return false;
	return type.n > 0 && v.n > 0 && v.n <= 500;
}

/* Recipient parameters that are well formed; the rest is left out. */
static struct span
rcpt_args(struct arena *a, struct span line)
{
	struct buf b = { .max = 4 * LIMIT_ENV_VALUE };
	struct span all;

	while (line.n > 0) {
		struct span v = span_word(&line), key = span_cut(&v, '=');

		if (span_iis(key, "NOTIFY") && notify_ok(v))
			put_arg(&b, "NOTIFY", v);
		else if (span_iis(key, "ORCPT") && orcpt_ok(v))
			put_arg(&b, "ORCPT", v);
		else if (key.n > 0)
			warn("%.*s: not a parameter of a recipient",
			    key.n > 40 ? 40 : (int)key.n, key.p);
	}
	all = arena_span(a, buf_span(&b));
	buf_free(&b);
	return all;
}

static size_t
take_rcpts(struct arena *a, char **argv, struct queue_rcpt *to)
{
	struct span args = span_of(getenv("MAIL_RCPT_ARGS"));
	size_t n = 0;

	if (args.n > LIMIT_ENV_TOTAL)
		die(EXIT_DATAERR, "MAIL_RCPT_ARGS: too long");
	for (; argv[n] != NULL; n++) {
		to[n].address = span_of(argv[n]);
		if (!addr_valid(to[n].address))
			die(EXIT_DATAERR, "%.100s: not an address", argv[n]);
		if (args.n > 0)
			to[n].args = rcpt_args(a, span_cut(&args, '\n'));
	}
	return n;
}

static void
begin(const struct queue_from *from, const struct queue_rcpt *to, size_t n)
{
	char id[MAIL_ID_LEN + 1];
	struct span given = span_of(getenv("MAIL_ID"));

	if (!ident_is_mail(given) || !span_cstr(given, id, sizeof(id)))
		new_id(id);
	for (int tries = 0; tries < 10; tries++) {
		if (queue_begin(&queue, &file, id, from, to, n) == 0)
			return;
		if (errno != EEXIST)
			break;
		new_id(id);
	}
	if (errno == E2BIG)
		die(EXIT_DATAERR, "too many recipients");
	die_sys(EXIT_TEMP, "queue %s", queue.path);
}

/* The writer's word that it was all; only the byte "y" is a yes. */
static bool
is_whole(void)
{
	const char *v = getenv("MAIL_COMMITFD");
	uint32_t fd;
	char c = '\0';
	ssize_t n;

	if (v == NULL)
		return true;
	if (!num_u32(span_of(v), &fd) || fd > 65535)
		return false;
	do
		n = read((int)fd, &c, 1);
	while (n == -1 && errno == EINTR);
	return n == 1 && c == 'y';
}

static void
copy(struct in *in)
{
	struct span piece;
	uint64_t max = conf_limit("message", UINT64_MAX, LIMIT_MESSAGE);
	int r;

	while ((r = in_next(in, &piece)) == 1) {
		queue_write(&file, piece);
		if (file.wire.size > max) {
			queue_abort(&file);
			die(EXIT_DATAERR, "the message is too large");
		}
	}
	if (r == -1) {
		queue_abort(&file);
		die_sys(EXIT_TEMP, "standard input");
	}
}

static void
finish(void)
{
	char why[200];
	struct span hold = span_of(getenv("MAIL_HOLD"));

	if (!is_whole()) {
		queue_abort(&file);
		die(EXIT_TEMP, "the message was not completed");
	}
	if (hold.n >= sizeof(why))
		hold.n = sizeof(why) - 1;
	if (!span_cstr(hold, why, sizeof(why)))
		snprintf(why, sizeof(why), "held");
	for (char *p = why; *p != '\0'; p++)
		if (!is_print(*p))
			*p = '?';
	if (queue_commit(&file, hold.n > 0 ? why : NULL) == -1)
		die_sys(EXIT_TEMP, "queue %s", queue.path);
	puts(file.id);
}

/* A file of the format pneu-queue 1; what was delivered stays so. */
static void
add_envelope(struct arena *a, struct in *in)
{
	enum envelope_result r = ENVELOPE_MORE;
	struct queue_rcpt *to;
	struct queue_from from;
	struct envelope e;
	size_t n = 0;

	while (r == ENVELOPE_MORE) {
		enum in_result got = in_fill(in);
		struct arena_mark mark = arena_mark(a);

		r = envelope_parse(a, in->data, &e);
		if (r == ENVELOPE_MORE && got != IN_DATA)
			break;
		if (r == ENVELOPE_MORE)
			arena_release(a, mark);
	}
	if (r == ENVELOPE_NEWER)
		die(EXIT_TEMP, "the format is newer than this program");
	if (r != ENVELOPE_OK)
		die(EXIT_DATAERR, "not a file of the format pneu-queue 1");
	from = (struct queue_from){ .sender = e.sender,
		.args = e.args,
		.auth = e.auth,
		.ip = e.ip,
		.helo = e.helo,
		.with = e.with,
		.received = e.received,
		.due = held_until(e.args) };
	to = arena_alloc(a, e.nrcpts * sizeof(*to));
	for (size_t i = 0; i < e.nrcpts; i++)
		if (e.rcpts[i].mark == MARK_TO || e.rcpts[i].mark == MARK_NO) {
			to[n].address = e.rcpts[i].address;
			to[n++].args = e.rcpts[i].args;
		}
	if (n == 0)
		die(EXIT_DATAERR, "no recipient is left");
	begin(&from, to, n);
	span_take(&in->data, e.message_at);
	copy(in);
	if (file.wire.size != e.size) {
		queue_abort(&file);
		die(EXIT_DATAERR, "the size is %llu, not %llu",
		    (unsigned long long)file.wire.size,
		    (unsigned long long)e.size);
	}
	finish();
}

/* A message made from another: one grep finds both. */
static void
log_parent(const struct queue_from *from, size_t nrcpts)
{
	struct span parent = value_of("MAIL_PARENT");
	struct logline l;

	if (!ident_is_mail(parent))
		return;
	log_begin(&l, "accept");
	log_str(&l, "id", file.id);
	log_span(&l, "parent", parent);
	log_span(&l, "from", from->sender);
	log_num(&l, "n", nrcpts);
	log_num(&l, "size", file.wire.size);
	log_end(&l);
}

static void
add_message(struct arena *a, struct in *in, const char *sender, char **argv,
    size_t nargs)
{
	struct queue_rcpt *to = arena_alloc(a, (nargs + 1) * sizeof(*to));
	struct queue_from from = { .sender = span_of(sender),
		.args = sender_args(a),
		.auth = value_of("MAIL_AUTH"),
		.ip = value_of("TCPREMOTEIP"),
		.helo = value_of("MAIL_HELO"),
		.with = value_of("MAIL_WITH"),
		.received = unix_now() };
	size_t n;

	from.due = held_until(from.args);
	if (from.sender.n > 0 && !addr_valid(from.sender))
		die(EXIT_DATAERR, "%.100s: not an address", sender);
	n = take_rcpts(a, argv, to);
	begin(&from, to, n);
	copy(in);
	finish();
	log_parent(&from, n);
}

int
add_main(int argc, char **argv)
{
	const char *sender = "";
	bool envelope = false;
	struct arena a;
	struct in in;
	int ch;

	while ((ch = getopt(argc, argv, "+ef:")) != -1)
		switch (ch) {
		case 'e':
			envelope = true;
			break;
		case 'f':
			sender = optarg;
			break;
		default:
			usage_of("add");
		}
	argc -= optind;
	argv += optind;
	if (envelope ? argc > 0 : argc == 0 || argc > LIMIT_QUEUE_RCPTS)
		usage_of("add");
	open_queue(true);
	if (fs_free_bytes(queue.fd) <
	    conf_limit("free-space", UINT64_MAX, LIMIT_FREE_SPACE))
		die(EXIT_TEMP, "queue %s: too little free space", queue.path);
	arena_init(&a, 16 * ENVELOPE_ARENA);
	if (envelope) {
		char *big = arena_alloc(&a, LIMIT_ENVELOPE);

		in_init(&in, STDIN_FILENO, big, LIMIT_ENVELOPE);
		add_envelope(&a, &in);
	} else {
		in_init(&in, STDIN_FILENO, input, sizeof(input));
		add_message(&a, &in, sender, argv, (size_t)argc);
	}
	arena_free(&a);
	return fflush(stdout) == 0 ? EXIT_OK : EXIT_TEMP;
}
