/* secrets, hash, scram, sasl, monitor: who proves what, and to whom. */
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

#include "auth/hash.h"
#include "auth/monitor.h"
#include "auth/sasl.h"
#include "auth/secrets.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "test.h"

/* clang-format off */
/* of `openssl passwd`, mkpasswd and `doveadm pw`'s own arithmetic */
static const struct {
	const char *hash, *password;
} good[] = {
	{ "{PLAIN}secret", "secret" },
	{ "{plain}a$b{c}", "a$b{c}" },
	{ "{SHA512-CRYPT}$6$pneupneu$"
	    "r/.RQ6ZKv.IFZQ6cgYECGbHIlvQRIMBl7HlCfOZzF8nUJFLXu.2ZWIx.DiXseydQDemIUR62SmsaxHZ9XRGfR/", "secret-alice" },
	{ "{SHA256-CRYPT}$5$pneupneu$"
	    "sMBS3PwKb7jEx9bEcjcUFGKU0QubQpEpNmm05ORYs/B", "secret-alice" },
	{ "{CRYPT}$6$pneupneu$"
	    "r/.RQ6ZKv.IFZQ6cgYECGbHIlvQRIMBl7HlCfOZzF8nUJFLXu.2ZWIx.DiXseydQDemIUR62SmsaxHZ9XRGfR/", "secret-alice" },
	{ "{BLF-CRYPT}$2b$04$abcdefghijklmnopqrstuudjQGlIesOYHpM86vx2I7n8S/U3Cyboi", "secret-alice" },
	{ "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,"
	    "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
	    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=", "pencil" },
};
static const char *const malformed[] = {
	"", "secret", "{}x", "{PLAIN}", "{PLAIN", "{MD4}abc", "{CRYPT}",
	"{SHA512-CRYPT}$5$ab$cd", "{BLF-CRYPT}$6$ab$cd", "{SCRAM-SHA-256}",
	"{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==",
	"{SCRAM-SHA-256}0,AAAA,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	"{SCRAM-SHA-256}1000001,AAAA,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	"{SCRAM-SHA-256}4096,,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	"{SCRAM-SHA-256}4096,AAAA,AAAA,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	"{SCRAM-SHA-256}4096,AAAA,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,x",
	"{SCRAM-SHA-256}-1,AAAA,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
};
/* clang-format on */

static void
test_hash(void)
{
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct span h = span_of(good[i].hash);
		char longer[64];

		snprintf(longer, sizeof(longer), "%sx", good[i].password);
		check(hash_is_known(h));
		check(hash_check(h, good[i].password,
			  &(struct scram_secret){ 0 }) == HASH_YES);
		check(hash_check(h, longer, &(struct scram_secret){ 0 }) ==
		    HASH_NO);
		check(
		    hash_check(h, "x", &(struct scram_secret){ 0 }) == HASH_NO);
		h.n--;
		check(hash_check(h, good[i].password,
			  &(struct scram_secret){ 0 }) != HASH_YES);
	}
	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		check(!hash_is_known(span_of(malformed[i])));
		check(hash_check(span_of(malformed[i]), "x",
			  &(struct scram_secret){ 0 }) == HASH_BAD);
	}
	check(hash_is_known(SPAN("{CRYPT}!")));
	check(hash_check(SPAN("{CRYPT}!"), "x", &(struct scram_secret){ 0 }) ==
	    HASH_BAD);
}

static struct scram_secret found;

static enum secrets_result
ask(const char *address, const char *scope, const char *password, int64_t now,
    char *label)
{
	struct credential c = { .password = password };

	return secrets_check(address, scope, &c, now, label, &found);
}

static void
put_secrets(const char *dir, const char *text, int age)
{
	char path[512];
	time_t then = time(NULL) - age;
	FILE *f;

	snprintf(path, sizeof(path), "%s/secrets", dir);
	f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
	utime(path, &(struct utimbuf){ then, then });
}

static const char file[] =
    "# comment\n"
    "alice@example.test:phone:imap,send:{PLAIN}one:\n"
    "alice@example.test:web:all:{PLAIN}two:2026-01-01T00:00:00Z\n"
    "alice@example.test:old:all:{PLAIN}one:2020-01-01T00:00:00Z\n"
    "bob@example.test::pop imap:{PLAIN}three:\n";

static const struct {
	const char *address, *scope, *password;
	enum secrets_result want;
	const char *label;
} asked[] = {
	/* clang-format off */
	{ "alice@example.test", "imap", "one", SECRETS_OK, "phone" },
	{ "ALICE@example.TEST", "send", "one", SECRETS_OK, "phone" },
	{ "alice@example.test", "pop", "one", SECRETS_SCOPE, "phone" },
	{ "alice@example.test", "pop", "two", SECRETS_OK, "web" },
	{ "alice@example.test", "pop", "three", SECRETS_WRONG, "" },
	{ "alice@example.test", "imap", "", SECRETS_WRONG, "" },
	{ "bob@example.test", "pop", "three", SECRETS_OK, "" },
	{ "bob@example.test", "imap", "three", SECRETS_OK, "" },
	{ "bob@example.test", "send", "three", SECRETS_SCOPE, "" },
	{ "carol@example.test", "send", "three", SECRETS_WRONG, "" },
	{ "", "imap", "one", SECRETS_WRONG, "" },
	/* clang-format on */
};

static const char *const bad_lines[] = {
	/* clang-format off */
	"x", "a@b:c", ":l:all:{PLAIN}x:", "a@b:l::{PLAIN}x:",
	"a@b:l:some:{PLAIN}x:", "a@b:l:all::", "a@b:l:all:x:",
	"a@b:l:all:{PLAIN}x:tomorrow", "a@b:\001:all:{PLAIN}x:",
	/* clang-format on */
};

static void
test_secrets(const char *dir)
{
	int64_t now = 1760000000; /* 2025 */
	char label[SECRETS_LABEL_MAX + 1], text[1024];
	int64_t start;

	put_secrets(dir, file, 60);
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
		check(ask(asked[i].address, asked[i].scope, asked[i].password,
			  now, label) == asked[i].want);
		check(strcmp(label, asked[i].label) == 0);
	}
	check(ask("alice@example.test", "pop", "two", 1800000000, label) ==
	    SECRETS_EXPIRED);

	/* a bad line hurts only itself, but a "no" is in doubt */
	for (size_t i = 0; i < sizeof(bad_lines) / sizeof(bad_lines[0]); i++) {
		snprintf(text, sizeof(text), "%s\n%s", bad_lines[i], file);
		put_secrets(dir, text, 60);
		check(ask("bob@example.test", "pop", "three", now, label) ==
		    SECRETS_OK);
		check(ask("bob@example.test", "pop", "x", now, label) ==
		    SECRETS_LATER);
		check(ask("", "pop", "x", now, label) == SECRETS_LATER);
	}
	put_secrets(dir, "", 60);
	check(ask("bob@example.test", "pop", "three", now, label) ==
	    SECRETS_LATER);
	put_secrets(dir, "bob@example.test::all:{PLAIN}three", 60);
	check(ask("bob@example.test", "pop", "x", now, label) == SECRETS_LATER);

	/* a file that just changed is read again before a "no" */
	put_secrets(dir, file, 0);
	start = deadline_now();
	check(
	    ask("bob@example.test", "pop", "three", now, label) == SECRETS_OK);
	check(deadline_now() - start < 500);
	check(ask("bob@example.test", "pop", "x", now, label) == SECRETS_WRONG);
	check(deadline_now() - start > 900);
}

static void
test_sasl(void)
{
	static struct sasl s;
	struct sasl_conf conf = { .mechs = "PLAIN LOGIN" };
	struct span c, r;

	r = SPAN("\0alice@b\0pass word");
	check(sasl_begin(&s, &conf, SPAN("plain"), &r, &c) == SASL_READY);
	check(strcmp(s.user, "alice@b") == 0);
	check(strcmp(s.password, "pass word") == 0);
	check(strcmp(s.mech, "PLAIN") == 0);
	r = SPAN("alice@b\0alice@b\0p");
	check(sasl_begin(&s, &conf, SPAN("PLAIN"), NULL, &c) == SASL_CHALLENGE);
	check(c.n == 0);
	check(sasl_next(&s, r, &c) == SASL_READY);
	check(sasl_next(&s, r, &c) == SASL_SYNTAX);
	r = SPAN("bob@b\0alice@b\0p");
	check(sasl_begin(&s, &conf, SPAN("PLAIN"), &r, &c) == SASL_NO);
	r = SPAN("\0alice@b\0");
	check(sasl_begin(&s, &conf, SPAN("PLAIN"), &r, &c) == SASL_NO);
	r = SPAN("\0al ice\0p");
	check(sasl_begin(&s, &conf, SPAN("PLAIN"), &r, &c) == SASL_NO);
	check(s.user[0] == '\0');
	r = SPAN("\0a\0b\0c");
	check(sasl_begin(&s, &conf, SPAN("PLAIN"), &r, &c) == SASL_NO);
	r = SPAN("\0a");
	check(sasl_begin(&s, &conf, SPAN("PLAIN"), &r, &c) == SASL_SYNTAX);
	r = SPAN("");
	check(sasl_begin(&s, &conf, SPAN("PLAIN"), &r, &c) == SASL_SYNTAX);
	check(sasl_begin(&s, &conf, SPAN("GSSAPI"), NULL, &c) == SASL_MECH);

	check(sasl_begin(&s, &conf, SPAN("LOGIN"), NULL, &c) == SASL_CHALLENGE);
	check(span_is(c, "Username:"));
	check(sasl_next(&s, SPAN("a"), &c) == SASL_CHALLENGE);
	check(span_is(c, "Password:"));
	check(sasl_next(&s, SPAN("p"), &c) == SASL_READY);
	check(strcmp(s.user, "a") == 0 && strcmp(s.password, "p") == 0);
	r = SPAN("a:b");
	check(sasl_begin(&s, &conf, SPAN("LOGIN"), &r, &c) == SASL_CHALLENGE);
	check(span_is(c, "Password:"));
	check(sasl_next(&s, SPAN("p"), &c) == SASL_NO);
	sasl_wipe(&s);
	check(s.password[0] == '\0');
}

static void
test_monitor(void)
{
	static struct monitor_msg m;
	static char big[MONITOR_DATA_MAX + 1];
	struct span mech, response, r = SPAN("a\0b");
	bool has;
	int fd[2];

	check(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
	check(monitor_send_begin(fd[0], SPAN("PLAIN"), &r) == 0);
	check(monitor_send_begin(fd[0], SPAN("LOGIN"), NULL) == 0);
	check(monitor_send(fd[0], MONITOR_TLS, SPAN("")) == 0);
	check(monitor_receive(fd[1], &m, deadline_in(60)) == 1);
	check(monitor_parse_begin(&m, &mech, &response, &has));
	check(span_is(mech, "PLAIN") && has && span_eq(response, r));
	check(monitor_receive(fd[1], &m, deadline_in(60)) == 1);
	check(monitor_parse_begin(&m, &mech, &response, &has));
	check(span_is(mech, "LOGIN") && !has && response.n == 0);
	check(monitor_receive(fd[1], &m, deadline_in(60)) == 1);
	check(m.type == MONITOR_TLS && m.n == 0);
	check(!monitor_parse_begin(&m, &mech, &response, &has));
	check(monitor_receive(fd[1], &m, deadline_in(0)) == -1);
	check(monitor_send(fd[0], MONITOR_UNREAD,
		  (struct span){ big, sizeof(big) }) == -1);
	check(monitor_send(fd[0], MONITOR_UNREAD,
		  (struct span){ big, MONITOR_DATA_MAX }) == 0);
	check(monitor_receive(fd[1], &m, deadline_in(60)) == 1);
	check(m.n == MONITOR_DATA_MAX);
	/* not a record: a wrong type, a length too large, a cut one */
	check(write(fd[0], "X\0\0", 3) == 3);
	check(monitor_receive(fd[1], &m, deadline_in(60)) == -1);
	check(write(fd[0], "U\x7f\xff", 3) == 3);
	check(monitor_receive(fd[1], &m, deadline_in(60)) == -1);
	check(write(fd[0], "U\0\5abc", 6) == 6);
	close(fd[0]);
	check(monitor_receive(fd[1], &m, deadline_in(60)) == -1);
	check(monitor_receive(fd[1], &m, deadline_in(60)) == 0);
	close(fd[1]);
}

int
main(void)
{
	char dir[] = "/tmp/pneu-secrets.XX"
		     "XX"
		     "XX",
	     path[64];

	if (mkdtemp(dir) == NULL || freopen("/dev/null", "w", stderr) == NULL)
		return 1;
	conf_set_dir(dir);
	test_hash();
	test_secrets(dir);
	test_sasl();
	test_monitor();
	snprintf(path, sizeof(path), "%s/secrets", dir);
	unlink(path);
	rmdir(dir);
	return done();
}
