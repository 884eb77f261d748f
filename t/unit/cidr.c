/* io/cidr and io/proxies: which address is in which network. */
#include "io/cidr.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/conf.h"
#include "io/proxies.h"
#include "test.h"

static const struct {
	const char *net, *ip;
	bool has;
} cases[] = {
	/* clang-format off */
	{ "192.0.2.1", "192.0.2.1", true },
	{ "192.0.2.1", "192.0.2.2", false },
	{ "192.0.2.1/24", "192.0.2.255", true },
	{ "192.0.2.0/24", "192.0.3.0", false },
	{ "192.0.2.0/23", "192.0.3.9", true },
	{ "192.0.2.128/25", "192.0.2.127", false },
	{ "192.0.2.128/25", "192.0.2.129", true },
	{ "0.0.0.0/0", "255.1.2.3", true },
	{ "0.0.0.0/0", "::1", false },
	{ "128.0.0.0/1", "127.255.255.255", false },
	{ "128.0.0.0/1", "200.1.1.1", true },
	{ "::/0", "2001:db8::1", true },
	{ "::/0", "192.0.2.1", false },
	{ "2001:db8::/32", "2001:db8:ffff::1", true },
	{ "2001:db8::/32", "2001:db9::1", false },
	{ "2001:db8::/33", "2001:db8:8000::1", false },
	{ "2001:DB8::1", "2001:db8:0:0::1", true },
	{ "2001:db8::1/127", "2001:db8::", true },
	{ "::ffff:192.0.2.0/120", "192.0.2.77", true },
	{ "::ffff:192.0.2.0/120", "192.0.3.77", false },
	{ "192.0.2.0/24", "::ffff:192.0.2.5", true },
	{ "::ffff:192.0.2.1", "::ffff:192.0.2.1", true },
	{ "192.0.2.0/24", "192.0.2.5/32", false },
	{ "192.0.2.0/24", "", false },
	{ "192.0.2.0/24", "name.example.org", false },
	{ "192.0.2.0/24", "192.0.2.5 ", false },
	/* clang-format on */
};

static const char *const bad[] = { "", "/", "/24", "192.0.2", "192.0.2.1/",
	"192.0.2.1/33", "192.0.2.1/-1", "192.0.2.1/24/24", "192.0.2.1/x", "*",
	"::/129", "::g", "example.org", "192.0.2.01x", " 192.0.2.1",
	"1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111",
	"192.0.2.1/4294967320" };

static void
test_proxies(void)
{
	char dir[] = "/tmp/pneu-t.XXXXXX", path[64];
	FILE *f;

	if (mkdtemp(dir) == NULL)
		return;
	conf_set_dir(dir);
	check(!proxies_allow("192.0.2.1", "proxy"));
	snprintf(path, sizeof(path), "%s/proxies", dir);
	f = fopen(path, "w");
	if (f == NULL)
		return;
	fputs("# ours\n192.0.2.1 proxy\n192.0.2.2\txclient proxy\n"
	      "192.0.2.3 nonsense\n192.0.2.4\nhost proxy\n"
	      "2001:db8::/32 xclient\n2001:db8::1 proxy\n"
	      "192.0.2.3 proxy\n192.0.2.9 proxy",
	    f);
	fclose(f);
	check(freopen("/dev/null", "w", stderr) != NULL);
	check(proxies_allow("192.0.2.1", "proxy"));
	check(proxies_allow("::ffff:192.0.2.1", "proxy"));
	check(!proxies_allow("192.0.2.1", "xclient"));
	check(proxies_allow("192.0.2.2", "proxy"));
	check(proxies_allow("192.0.2.2", "xclient"));
	check(proxies_allow("192.0.2.3", "proxy")); /* not the bad line */
	check(!proxies_allow("192.0.2.4", "proxy"));
	check(!proxies_allow("2001:db8::1", "proxy")); /* first line wins */
	check(proxies_allow("2001:db8::1", "xclient"));
	check(!proxies_allow("192.0.2.9", "proxy")); /* no end of line */
	check(!proxies_allow("", "proxy"));
	unlink(path);
	rmdir(dir);
}

int
main(void)
{
	struct cidr c;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		check(cidr_parse(span_of(cases[i].net), &c));
		check(cidr_has(&c, cases[i].ip) == cases[i].has);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		check(!cidr_parse(span_of(bad[i]), &c));
	check(!cidr_parse((struct span){ "1.2.3.4\0x", 9 }, &c));
	test_proxies();
	return done();
}
