#include "io/proxyhdr.h"

#include <arpa/inet.h>

#include "base/num.h"

enum { V1_MAX = 107, V2_HEAD = 16, TLV_HEAD = 3, CRC_SIZE = 4 };
enum { V2_LOCAL = 0x20, V2_PROXY = 0x21, TLV_CRC32C = 0x03 };
enum { TCP4 = 0x11, TCP6 = 0x21, TCP4_SIZE = 12, TCP6_SIZE = 36 };
enum { UNSPEC = 0x00, UNIX = 0x31, UNIX_SIZE = 216 };

static const char v1_mark[] = "PROXY ";
static const char v2_mark[] = "\r\n\r\n\0\r\nQUIT\n";

/* An IPv4 address within IPv6 is shown as what it is. */
static bool
show_ip(int family, const unsigned char *p, char ip[NET_IP_SIZE])
{
	static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0xff, 0xff };

	if (family == AF_INET6 && memcmp(p, mapped, sizeof(mapped)) == 0) {
		family = AF_INET;
		p += sizeof(mapped);
	}
	return inet_ntop(family, p, ip, NET_IP_SIZE) != NULL;
}

static bool
take_ip(struct span *line, int family, char ip[NET_IP_SIZE])
{
	char text[NET_IP_SIZE];
	unsigned char bytes[16];
	struct span s = { .n = 0 };

	if (line->n > 0)
		s = span_cut(line, ' ');
	return span_cstr(s, text, sizeof(text)) &&
	    inet_pton(family, text, bytes) == 1 && show_ip(family, bytes, ip);
}

/* No zeros in front: some read that as octal. */
static bool
take_port(struct span s, uint16_t *port)
{
	uint32_t n;

	if (!num_u32(s, &n) || n > UINT16_MAX || (s.n > 1 && *s.p == '0'))
		return false;
	*port = (uint16_t)n;
	return true;
}

/*
 * "PROXY" SP ( "TCP4" / "TCP6" ) SP source SP destination SP port SP port
 * CRLF, or "PROXY" SP "UNKNOWN" and anything.  One blank each.
 */
static enum proxyhdr_result
parse_v1(struct proxyhdr *h)
{
	struct span line = { (char *)h->buf, h->n - 2 }, kind, port;
	int family;

	span_take(&line, sizeof(v1_mark) - 1);
	kind = line.n > 0 ? span_cut(&line, ' ') : line;
	if (span_is(kind, "UNKNOWN"))
		return PROXYHDR_LOCAL;
	if (span_is(kind, "TCP4"))
		family = AF_INET;
	else if (span_is(kind, "TCP6"))
		family = AF_INET6;
	else
		return PROXYHDR_BAD;
	if (!take_ip(&line, family, h->ip) ||
	    !take_ip(&line, family, h->local_ip) || line.n == 0)
		return PROXYHDR_BAD;
	port = span_cut(&line, ' ');
	if (!take_port(port, &h->port) || !take_port(line, &h->local_port))
		return PROXYHDR_BAD;
	return PROXYHDR_PEER;
}

static uint32_t
crc32c(uint32_t crc, const unsigned char *p, size_t n)
{
	while (n-- > 0) {
		crc ^= *p++;
		for (int i = 0; i < 8; i++)
			crc = crc >> 1 ^ ((crc & 1) != 0 ? 0x82f63b78 : 0);
	}
	return crc;
}

/* The checksum is over the header with zeros in its own place. */
static bool
crc_ok(const struct proxyhdr *h, size_t at)
{
	static const unsigned char zeros[CRC_SIZE];
	const unsigned char *p = h->buf + at;
	uint32_t want = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
	uint32_t crc = crc32c(0xffffffff, h->buf, at);

	crc = crc32c(crc, zeros, CRC_SIZE);
	crc = crc32c(crc, p + CRC_SIZE, h->n - at - CRC_SIZE);
	return (crc ^ 0xffffffff) == want;
}

/* What follows the addresses: type, two bytes of length, value. */
static bool
check_tlvs(const struct proxyhdr *h, size_t at)
{
	while (at < h->n) {
		size_t n;

		if (h->n - at < TLV_HEAD)
			return false;
		n = (size_t)h->buf[at + 1] << 8 | h->buf[at + 2];
		if (n > h->n - at - TLV_HEAD)
			return false;
		if (h->buf[at] == TLV_CRC32C &&
		    (n != CRC_SIZE || !crc_ok(h, at + TLV_HEAD)))
			return false;
		at += TLV_HEAD + n;
	}
	return true;
}

static uint16_t
two(const unsigned char *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static enum proxyhdr_result
parse_v2(struct proxyhdr *h)
{
	const unsigned char *p = h->buf + V2_HEAD;
	size_t n = h->n - V2_HEAD, size, ip = 0;
	int family = AF_INET;

	if (h->buf[12] == V2_LOCAL)
		return PROXYHDR_LOCAL;
	switch (h->buf[13]) {
	case UNSPEC:
		size = 0;
		break;
	case UNIX:
		size = UNIX_SIZE;
		break;
	case TCP4:
		size = TCP4_SIZE;
		ip = 4;
		break;
	case TCP6:
		size = TCP6_SIZE;
		ip = 16;
		family = AF_INET6;
		break;
	default:
		return PROXYHDR_BAD;
	}
	if (n < size || !check_tlvs(h, V2_HEAD + size))
		return PROXYHDR_BAD;
	if (ip == 0)
		return PROXYHDR_LOCAL;
	if (!show_ip(family, p, h->ip) || !show_ip(family, p + ip, h->local_ip))
		return PROXYHDR_BAD;
	h->port = two(p + 2 * ip);
	h->local_port = two(p + 2 * ip + 2);
	return PROXYHDR_PEER;
}

/* As soon as a byte is wrong, that is an end. */
static enum proxyhdr_result
look_v1(struct proxyhdr *h)
{
	unsigned char last = h->buf[h->n - 1];

	if (h->n >= sizeof(v1_mark) && last == '\n')
		return h->buf[h->n - 2] == '\r' ? parse_v1(h) : PROXYHDR_BAD;
	if (h->n > 1 && h->buf[h->n - 2] == '\r')
		return PROXYHDR_BAD;
	return h->n == V1_MAX ? PROXYHDR_BAD : PROXYHDR_MORE;
}

static enum proxyhdr_result
look_v2(struct proxyhdr *h)
{
	size_t total;

	if (h->n < V2_HEAD)
		return PROXYHDR_MORE;
	if (h->buf[12] != V2_LOCAL && h->buf[12] != V2_PROXY)
		return PROXYHDR_BAD;
	total = V2_HEAD + (size_t)two(h->buf + 14);
	if (total > sizeof(h->buf))
		return PROXYHDR_BAD;
	return h->n == total ? parse_v2(h) : PROXYHDR_MORE;
}

static bool
begins(const struct proxyhdr *h, const char *mark, size_t n)
{
	return memcmp(h->buf, mark, h->n < n ? h->n : n) == 0;
}

enum proxyhdr_result
proxyhdr_next(struct proxyhdr *h, struct span *in)
{
	enum proxyhdr_result r = PROXYHDR_MORE;

	while (r == PROXYHDR_MORE && in->n > 0) {
		h->buf[h->n++] = (unsigned char)*span_take(in, 1).p;
		if (begins(h, v1_mark, sizeof(v1_mark) - 1))
			r = look_v1(h);
		else if (begins(h, v2_mark, sizeof(v2_mark) - 1))
			r = look_v2(h);
		else
			r = PROXYHDR_BAD;
	}
	return r;
}
