/*
 * Do what was planned.  As root each user's part is done by a child that
 * becomes the user first and reports on a pipe, a line a target:
 * INDEX CODE TEXT.
 */
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/num.h"
#include "io/deadline.h"
#include "io/in.h"
#include "io/log.h"
#include "io/out.h"
#include "io/spawn.h"
#include "io/user.h"
#include "mdeliver.h"
#include "queue/job.h"

/* From this one on, those to be filed in the same folder. */
static void
file_with(struct batch *b, size_t first)
{
	const struct target *f = &b->targets[first];
	struct target *group[BATCH_JOBS];
	size_t n = 0;

	for (size_t i = first; i < b->ntargets && n < BATCH_JOBS; i++) {
		struct target *t = &b->targets[i];

		if (!t->done && t->twin == NULL && t->kind == TARGET_BOX &&
		    t->uid == f->uid && t->gid == f->gid &&
		    strcmp(t->path, f->path) == 0)
			group[n++] = t;
	}
	file_targets(group, n);
}

/* All targets of this uid, or all when any is set. */
static void
do_targets(struct batch *b, bool any, uid_t uid, gid_t gid)
{
	for (size_t i = 0; i < b->ntargets; i++) {
		struct target *t = &b->targets[i];

		if (t->done || t->twin != NULL ||
		    (!any && (t->uid != uid || t->gid != gid)))
			continue;
		if (t->kind == TARGET_BOX)
			file_with(b, i);
		else
			forward_target(t);
	}
}

/* Nobody gets to see the messages of others. */
static void
close_others(struct batch *b, uid_t uid, gid_t gid)
{
	for (size_t i = 0; i < b->nrcpts; i++) {
		struct source *s = b->rcpts[i].source;
		bool ours = false;

		for (size_t k = 0; k < b->ntargets && !ours; k++)
			ours = b->targets[k].source == s &&
			    b->targets[k].uid == uid &&
			    b->targets[k].gid == gid;
		if (!ours && s->fd != -1) {
			close(s->fd);
			s->fd = -1;
		}
	}
}

_Noreturn static void
child(struct batch *b, uid_t uid, gid_t gid, int report)
{
	static char buf[4096];
	struct out out;

	close_others(b, uid, gid);
	unsetenv("HOME"); /* it is root's */
	if (user_become(uid, gid) == -1)
		_exit(EXIT_TEMP);
	do_targets(b, false, uid, gid);
	out_init(&out, report, buf, sizeof(buf));
	for (size_t i = 0; i < b->ntargets; i++) {
		const struct target *t = &b->targets[i];

		if (t->done && t->twin == NULL && t->uid == uid &&
		    t->gid == gid)
			out_printf(&out, "%zu %s %s\n", i, t->code, t->text);
	}
	_exit(out_flush(&out) == -1 ? EXIT_TEMP : EXIT_OK);
}

static enum verdict
verdict_of(struct span code)
{
	if (code.n > 0 && *code.p == '2')
		return OK;
	return code.n > 0 && *code.p == '5' ? PERM : TEMP;
}

static void
take_reports(struct batch *b, int fd, uid_t uid)
{
	static char buf[4096];
	struct span line;
	struct in in;

	in_init(&in, fd, buf, sizeof(buf));
	while (in_line(&in, &line) == 1) {
		struct span index = span_cut(&line, ' ');
		struct span code = span_cut(&line, ' ');
		uint32_t i;
		char c[CODE_SIZE];

		if (num_u32(index, &i) && i < b->ntargets &&
		    b->targets[i].uid == uid && !b->targets[i].done &&
		    result_code_ok(code) && span_cstr(code, c, sizeof(c)))
			target_set(&b->targets[i], verdict_of(code), c, "%.*s",
			    (int)line.n, line.p);
	}
}

static void
put_off(struct batch *b, uid_t uid, gid_t gid, const char *why)
{
	for (size_t i = 0; i < b->ntargets; i++) {
		struct target *t = &b->targets[i];

		if (!t->done && t->twin == NULL && t->uid == uid &&
		    t->gid == gid)
			target_set(t, TEMP, "4.3.0", "delivery as uid %ld: %s",
			    (long)uid, why);
	}
}

static void
as_user(struct batch *b, uid_t uid, gid_t gid)
{
	int fd[2], status = -1;
	pid_t pid;

	/* only a uid of its own may be used for a user's mail */
	if (uid == 0 || gid == 0) {
		put_off(b, uid, gid, "users: delivery as root is not done");
		return;
	}
	if (spawn_pipe(fd) == -1) {
		put_off(b, uid, gid, strerror(errno));
		return;
	}
	pid = fork();
	if (pid == 0) {
		close(fd[0]);
		child(b, uid, gid, fd[1]);
	}
	close(fd[1]);
	if (pid != -1) {
		take_reports(b, fd[0], uid);
		status = spawn_wait(pid, false, DEADLINE_NEVER);
	}
	close(fd[0]);
	/* what it did not report stays to be done later */
	put_off(b, uid, gid, spawn_why(status));
}

/* A TEMP outdoes all, a PERM outdoes OK. */
static void
sum_up(struct batch *b)
{
	for (size_t i = 0; i < b->ntargets; i++) {
		const struct target *t = &b->targets[i];
		struct rcpt_state *r = &b->rcpts[t->rcpt];
		bool worse = r->code[0] == '\0' ||
		    (t->verdict == TEMP && r->verdict != TEMP) ||
		    (t->verdict == PERM && r->verdict == OK) ||
		    /* that it was forwarded is what the queue is to know */
		    (t->verdict == OK && r->verdict == OK &&
			t->kind == TARGET_FORWARD);

		if (!worse)
			continue;
		r->verdict = t->verdict;
		memcpy(r->code, t->code, sizeof(r->code));
		memcpy(r->text, t->text, sizeof(r->text));
	}
}

static void
log_targets(const struct batch *b)
{
	struct logline l;

	for (size_t i = 0; i < b->ntargets; i++) {
		const struct target *t = &b->targets[i];

		if (t->verdict != OK)
			continue;
		log_begin(&l, "deliver");
		if (t->source->id[0] != '\0')
			log_str(&l, "id", t->source->id);
		log_str(&l, "rcpt", t->address);
		log_str(&l, t->kind == TARGET_BOX ? "box" : "to", t->path);
		log_end(&l);
	}
}

/*
 * Several recipients of a message that lead to one place by an alias: once
 * is enough there.  Commands are told the recipient, so they are not that.
 */
static void
find_twins(struct batch *b)
{
	for (size_t i = 0; i < b->ntargets; i++) {
		struct target *t = &b->targets[i];

		if (t->done || t->kind == TARGET_COMMAND)
			continue;
		for (size_t k = 0; k < i && t->twin == NULL; k++) {
			const struct target *o = &b->targets[k];

			if (o->done || o->twin != NULL ||
			    o->source != t->source || o->kind != t->kind ||
			    o->uid != t->uid || o->gid != t->gid ||
			    !(o->by_alias || t->by_alias) ||
			    strcmp(o->path, t->path) != 0)
				continue;
			t->twin = o;
		}
	}
}

static void
copy_twins(struct batch *b)
{
	for (size_t i = 0; i < b->ntargets; i++) {
		struct target *t = &b->targets[i];

		if (t->twin != NULL)
			target_set(t, t->twin->verdict, t->twin->code, "%s",
			    t->twin->text);
	}
}

void
batch_run(struct batch *b)
{
	/* who is refused or in doubt gets nothing from the others' targets */
	for (size_t i = 0; i < b->ntargets; i++) {
		const struct rcpt_state *r = &b->rcpts[b->targets[i].rcpt];

		if (r->decided)
			target_set(
			    &b->targets[i], r->verdict, r->code, "%s", r->text);
	}
	find_twins(b);
	if (!user_is_root())
		do_targets(b, true, 0, 0);
	else
		for (size_t i = 0; i < b->ntargets; i++)
			if (!b->targets[i].done && b->targets[i].twin == NULL)
				as_user(
				    b, b->targets[i].uid, b->targets[i].gid);
	copy_twins(b);
	sum_up(b);
	log_targets(b);
}
