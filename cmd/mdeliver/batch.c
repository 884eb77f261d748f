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

/* All targets of this uid, or all when any is set; boxes in groups. */
static void
do_targets(struct batch *b, bool any, uid_t uid, gid_t gid)
{
	struct target *group[BATCH_JOBS];
	size_t n = 0;

	for (size_t i = 0; i < b->ntargets; i++) {
		struct target *t = &b->targets[i];

		if (t->done || (!any && (t->uid != uid || t->gid != gid)))
			continue;
		if (t->kind == TARGET_BOX)
			group[n++] = t;
		else
			forward_target(t);
		if (n == BATCH_JOBS) {
			file_targets(group, n);
			n = 0;
		}
	}
	file_targets(group, n);
}

_Noreturn static void
child(struct batch *b, uid_t uid, gid_t gid, int report)
{
	static char buf[4096];
	struct out out;

	/* only a uid of its own may be used for a user's mail */
	if (uid == 0 || user_become(uid, gid) == -1)
		_exit(EXIT_TEMP);
	do_targets(b, false, uid, gid);
	out_init(&out, report, buf, sizeof(buf));
	for (size_t i = 0; i < b->ntargets; i++) {
		const struct target *t = &b->targets[i];

		if (t->done && t->uid == uid && t->gid == gid)
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
		    b->targets[i].uid == uid && span_cstr(code, c, sizeof(c)))
			target_set(&b->targets[i], verdict_of(code), c, "%.*s",
			    (int)line.n, line.p);
	}
}

static void
as_user(struct batch *b, uid_t uid, gid_t gid)
{
	int fd[2], status = -1;
	pid_t pid;

	if (spawn_pipe(fd) == -1)
		return;
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
	for (size_t i = 0; i < b->ntargets; i++) {
		struct target *t = &b->targets[i];

		if (!t->done && t->uid == uid && t->gid == gid)
			target_set(t, TEMP, "4.3.0", "delivery as uid %ld: %s",
			    (long)uid, spawn_why(status));
	}
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
		    (t->verdict == PERM && r->verdict == OK);

		if (!worse)
			continue;
		r->verdict = t->verdict;
		memcpy(r->code, t->code, sizeof(r->code));
		memcpy(r->text, t->text, sizeof(r->text));
	}
	for (size_t i = 0; i < b->nrcpts; i++)
		if (b->rcpts[i].code[0] == '\0') { /* it leads nowhere */
			b->rcpts[i].verdict = TEMP;
			memcpy(b->rcpts[i].code, "4.3.5", 6);
			snprintf(b->rcpts[i].text, TEXT_SIZE,
			    "its alias leads nowhere");
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
	if (!user_is_root())
		do_targets(b, true, 0, 0);
	else
		for (size_t i = 0; i < b->ntargets; i++)
			if (!b->targets[i].done)
				as_user(
				    b, b->targets[i].uid, b->targets[i].gid);
	sum_up(b);
	log_targets(b);
}
