#include "io/net.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/deadline.h"
#include "test.h"

static const struct {
	const char *text;
	bool ok;
	enum net_kind kind;
	const char *host;
	unsigned port;
} addrs[] = {
	/* clang-format off */
	{ "127.0.0.1:25",        true,  NET_TCP,  "127.0.0.1",   25 },
	{ ":993",                true,  NET_TCP,  "",            993 },
	{ "[2001:db8::1]:25",    true,  NET_TCP,  "2001:db8::1", 25 },
	{ "mx.example.net:0",    true,  NET_TCP,  "mx.example.net", 0 },
	{ "unix:/run/a:b",       true,  NET_UNIX, "/run/a:b",    0 },
	{ "fd:3",                true,  NET_FD,   "",            0 },
	{ "",                    false, NET_TCP,  "",            0 },
	{ "25",                  false, NET_TCP,  "",            0 },
	{ "host:",               false, NET_TCP,  "",            0 },
	{ "host:65536",          false, NET_TCP,  "",            0 },
	{ "host:-1",             false, NET_TCP,  "",            0 },
	{ "::1:25",              false, NET_TCP,  "",            0 },
	{ "[]:25",               false, NET_TCP,  "",            0 },
	{ "[::1:25",             false, NET_TCP,  "",            0 },
	{ "unix:",               false, NET_TCP,  "",            0 },
	{ "fd:",                 false, NET_TCP,  "",            0 },
	{ "fd:x",                false, NET_TCP,  "",            0 },
	/* clang-format on */
};

static void
groups(void)
{
	struct net_peer p = { .ip = "2001:db8:1:2:3:4:5:6", .uid = -1 };
	char g[NET_IP_SIZE];

	net_peer_group(&p, g);
	check(strcmp(g, "2001:db8:1:2::") == 0);
	p = (struct net_peer){ .ip = "192.0.2.7", .uid = -1 };
	net_peer_group(&p, g);
	check(strcmp(g, "192.0.2.7") == 0);
	p = (struct net_peer){ .ipc = true, .uid = 7 };
	net_peer_group(&p, g);
	check(strcmp(g, "uid:7") == 0);
	p = (struct net_peer){ .uid = -1 };
	net_peer_group(&p, g);
	check(g[0] == '\0');
}

static void
connects(void)
{
	struct net_addr a;
	struct net_peer p;
	int fds[4], n, fd, in;
	bool temp;

	check(net_parse("127.0.0.1:0", &a));
	n = net_listen(&a, fds, 4);
	check(n == 1);
	a.port = net_port(fds[0]);
	check(a.port != 0);
	fd = net_connect(&a, deadline_in(60), &temp);
	check(fd != -1);
	in = accept(fds[0], NULL, NULL);
	check(in != -1);
	check(net_peer(in, &p) && strcmp(p.ip, "127.0.0.1") == 0);
	check(p.local_port == a.port && !p.ipc && net_is_loopback(&p));
	check(!net_peer(-1, &p));
	close(fd);
	close(in);
	close(fds[0]);
	check(net_connect(&a, deadline_in(60), &temp) == -1 && temp);
	a = (struct net_addr){ .kind = NET_FD, .fd = 0 };
	check(net_listen(&a, fds, 4) == -1);
}

int
main(void)
{
	struct net_addr a;

	for (size_t i = 0; i < sizeof(addrs) / sizeof(addrs[0]); i++) {
		bool ok = net_parse(addrs[i].text, &a);

		check(ok == addrs[i].ok);
		if (!ok || !addrs[i].ok)
			continue;
		check(a.kind == addrs[i].kind && a.port == addrs[i].port);
		check(strcmp(a.host, addrs[i].host) == 0);
	}
	groups();
	connects();
	return done();
}
