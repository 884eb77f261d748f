/*
 * RFC 7662: the authorization server says whether a token is good, and
 * whose it is.
 */
#include "base/enc.h"
#include "io/conf.h"
#include "io/deadline.h"
#include "mtoken.h"

enum { RESPONSE_MAX = 65536, REQUEST_MAX = 4 * LIMIT_TOKEN };

/* "user NAME" and "password SECRET", as other files of ours have them. */
static bool
read_login(const char *name, char *user, char *password, size_t size)
{
	static struct conf c;
	char path[LIMIT_PATH];
	struct span line;

	user[0] = password[0] = '\0';
	mtoken_path(path, name);
	if (conf_open_path(&c, path) == -1) {
		warn_sys("%s", path);
		return false;
	}
	while (conf_next(&c, &line) == 1) {
		struct span word = span_word(&line);
		bool is_user = span_is(word, "user");
		struct span value = span_trim(line);

		if ((!is_user && !span_is(word, "password")) ||
		    !span_cstr(value, is_user ? user : password, size))
			conf_bad(&c, "not user NAME or password SECRET");
	}
	conf_close(&c);
	in_wipe(&c.in);
	return user[0] != '\0' && password[0] != '\0';
}

/* Authorization: Basic, of both in their form-encoding (RFC 6749, 2.3.1) */
static bool
put_login(struct buf *b, const char *file)
{
	char user[512], password[512];
	struct buf pair = { .max = 4096 };
	bool ok = read_login(file, user, password, sizeof(user));

	if (ok) {
		http_enc_form(&pair, span_of(user));
		buf_putc(&pair, ':');
		http_enc_form(&pair, span_of(password));
		buf_puts(b, "Authorization: Basic ");
		enc_base64(b, buf_span(&pair));
		buf_puts(b, "\r\n");
	}
	wipe(password, sizeof(password));
	wipe(pair.p, pair.n);
	buf_free(&pair);
	return ok;
}

static bool
put_request(const struct mtoken *m, const struct http_url *u, struct buf *b)
{
	struct buf body = { .max = REQUEST_MAX };
	bool ok = true;

	buf_puts(&body, "token=");
	http_enc_form(&body, span_of(m->token));
	buf_puts(&body, "&token_type_hint=access_token");
	buf_printf(b, "POST %.*s HTTP/1.1\r\nHost: %.*s", (int)u->path.n,
	    u->path.p, (int)u->host.n, u->host.p);
	if (u->port != 443)
		buf_printf(b, ":%u", (unsigned)u->port);
	buf_puts(b, "\r\nConnection: close\r\nAccept: application/json\r\n");
	if (m->login != NULL)
		ok = put_login(b, m->login);
	buf_printf(b,
	    "Content-Type: application/x-www-form-urlencoded\r\n"
	    "Content-Length: %zu\r\n\r\n",
	    body.n);
	buf_put(b, buf_span(&body));
	ok = ok && !body.over && !b->over;
	wipe(body.p, body.n);
	buf_free(&body);
	return ok;
}

static enum verdict
judge(struct mtoken *m, struct span response)
{
	struct buf body = { .max = RESPONSE_MAX };
	enum verdict v = TEMP;
	unsigned status;

	if (!http_response(response, &status, &body)) {
		m->why = "not a whole response of HTTP";
	} else if (status != 200) {
		snprintf(m->text, sizeof(m->text), "status %u", status);
		m->why = m->text;
	} else {
		m->why = claims_judge(buf_span(&body), &m->want, m->address);
		/* what is no answer of theirs says nothing of the token */
		v = m->why == NULL                      ? OK
		    : strcmp(m->why, "not claims") == 0 ? TEMP
							: PERM;
	}
	wipe(body.p, body.n);
	buf_free(&body);
	return v;
}

enum verdict
mtoken_introspect(struct mtoken *m)
{
	struct buf request = { .max = REQUEST_MAX + 8192 },
		   response = { .max = RESPONSE_MAX };
	enum verdict v = TEMP;
	struct http_url u;

	m->want.active = true;
	if (!http_url_parse(span_of(m->url), &u) ||
	    !put_request(m, &u, &request))
		m->why = "no request can be made";
	else if (https_ask(m, &u, buf_span(&request), &response))
		v = judge(m, buf_span(&response));
	wipe(request.p, request.n);
	wipe(response.p, response.n);
	buf_free(&request);
	buf_free(&response);
	return v;
}
