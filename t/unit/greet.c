/* greet: the dialogue before login, however the input is cut. */
#include "pop3/capa.h"
#include "smtp/ehlo.h"
#include "test.h"

static void
test_ehlo(void)
{
	struct ehlo_conf c = { .host = "mx.test" };
	struct buf b = { .max = 4096 };

	ehlo_reply(&b, &c);
	check(strcmp(buf_cstr(&b),
		  "250-mx.test\r\n250-PIPELINING\r\n250-SIZE\r\n"
		  "250-8BITMIME\r\n250 ENHANCEDSTATUSCODES\r\n") == 0);
	buf_clear(&b);
	c.size = 1000;
	c.auth = "PLAIN LOGIN";
	c.starttls = true;
	ehlo_reply(&b, &c);
	check(strcmp(buf_cstr(&b),
		  "250-mx.test\r\n250-PIPELINING\r\n250-SIZE 1000\r\n"
		  "250-8BITMIME\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n"
		  "250 ENHANCEDSTATUSCODES\r\n") == 0);
	buf_free(&b);
}

static void
test_capa(void)
{
	struct capa_conf c = { 0 };
	struct buf b = { .max = 4096 };

	capa_reply(&b, &c);
	check(strstr(buf_cstr(&b), "SASL") == NULL);
	check(strstr(buf_cstr(&b), "STLS") == NULL);
	check(strstr(buf_cstr(&b), "\r\nTOP\r\nUIDL\r\n") != NULL);
	buf_clear(&b);
	c.sasl = "PLAIN LOGIN";
	c.stls = true;
	capa_reply(&b, &c);
	check(strstr(buf_cstr(&b), "\r\nUSER\r\nSASL PLAIN LOGIN\r\n"));
	check(strstr(buf_cstr(&b), "\r\nSTLS\r\n") != NULL);
	buf_free(&b);
}

int
main(void)
{
	test_ehlo();
	test_capa();
	return done();
}
