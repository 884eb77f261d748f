/* Ids that stay (RFC 8474). */
#include "base/enc.h"
#include "base/sha256.h"
#include "store/mdname.h"
#include "store/view.h"

void
folder_mailbox_id(const struct folder *f, char id[FOLDER_ID])
{
	snprintf(id, FOLDER_ID, "%s", f->ix.id);
}

/* objectid = 1*255(ALPHA / DIGIT / "_" / "-") */
static bool
is_id(struct span s)
{
	if (s.n < 2 || s.n >= FOLDER_ID)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '_' && s.p[i] != '-')
			return false;
	return true;
}

void
folder_email_id(const struct folder *f, size_t i, char id[FOLDER_ID])
{
	struct mdname m = mdname_parse(index_name(&f->ix, &f->ix.entry[i]));
	struct span unique = m.base;
	unsigned char sum[SHA256_LEN];
	struct buf hex = { .max = 64 };

	if (is_id(m.id)) {
		memcpy(id, m.id.p, m.id.n);
		id[m.id.n] = '\0';
		return;
	}
	unique.n = span_chr(unique, ',');
	sha256_of(unique, sum);
	enc_hex(&hex, (struct span){ (const char *)sum, 10 });
	snprintf(id, FOLDER_ID, "M%.*s", (int)hex.n, hex.p);
	buf_free(&hex);
}
