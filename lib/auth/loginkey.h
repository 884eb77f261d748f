/*
 * loginkey - a key of this host's own, for what is kept about logins
 *
 * 32 random bytes in `login-key` of the state folder, made at first use.
 * With it come the salts of users who do not exist, always the same for a
 * name, and the marks by which a wrong password is known again.
 */
#ifndef AUTH_LOGINKEY_H
#define AUTH_LOGINKEY_H

#include "base/sha256.h"

/*
 * The keyed hash of what (a word that says what for) and text.  Where no
 * key can be kept, other stands for it.
 */
void loginkey_mac(const char *what, struct span text, struct span other,
    unsigned char digest[SHA256_LEN]);

#endif
