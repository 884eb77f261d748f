/* siphash: the vectors of its authors. */
#include "base/siphash.h"
#include "test.h"

int
main(void)
{
	unsigned char key[SIPHASH_KEY];
	char text[64];

	for (unsigned i = 0; i < SIPHASH_KEY; i++)
		key[i] = (unsigned char)i;
	for (unsigned i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	check(siphash(key, (struct span){ text, 0 }) ==
	    UINT64_C(0x726fdb47dd0e0e31));
	check(siphash(key, (struct span){ text, 1 }) ==
	    UINT64_C(0x74f839c593dc67fd));
	check(siphash(key, (struct span){ text, 8 }) ==
	    UINT64_C(0x93f5f5799a932462));
	check(siphash(key, (struct span){ text, 15 }) ==
	    UINT64_C(0xa129ca6149be45e5));
	return done();
}
