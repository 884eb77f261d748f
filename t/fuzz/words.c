/* base/words: what is split and quoted again splits to the same. */
#include <assert.h>

#include "base/buf.h"
#include "base/words.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

/* A word as sh would take it: '...', and \' for a quote. */
static void
quote(struct buf *b, const char *word)
{
	buf_puts(b, "\t '");
	for (; *word != '\0'; word++) {
		if (*word == '\'')
			buf_puts(b, "'\\''");
		else
			buf_putc(b, *word);
	}
	buf_putc(b, '\'');
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span text = { (const char *)p, n };
	char **argv, **again;
	size_t total = 0, i;
	struct arena a;
	struct buf b;

	arena_init(&a, 16 << 20);
	buf_init(&b, 4 << 20);
	argv = words_split(&a, text);
	if (argv != NULL) {
		assert(argv[0] != NULL && memchr(p, 0, n) == NULL);
		for (i = 0; argv[i] != NULL; i++) {
			total += strlen(argv[i]);
			quote(&b, argv[i]);
		}
		assert(total <= n && i <= n);
		again = words_split(&a, buf_span(&b));
		assert(again != NULL);
		for (i = 0; argv[i] != NULL; i++)
			assert(strcmp(argv[i], again[i]) == 0);
		assert(again[i] == NULL);
	}
	buf_free(&b);
	arena_free(&a);
	return 0;
}
