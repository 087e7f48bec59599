/* hash.h: SHA-256 of a text, as hexadecimal digits.
 *
 *   char hex[HASH_HEX_SIZE];
 *   if (!hash_sha256(text, hex)) …
 */
#ifndef PLATEN_BASE_HASH_H
#define PLATEN_BASE_HASH_H

#include "base/str.h"

enum { HASH_HEX_SIZE = 65 };
/* 64 lower-case digits and a final 0. False: the system has no memory. */
bool hash_sha256(Str data, char hex[HASH_HEX_SIZE]);

#endif
