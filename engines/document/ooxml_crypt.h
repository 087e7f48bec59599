/* ooxml_crypt.h: encrypted Office Open XML ([MS-OFFCRYPTO], "agile" and "standard"): a compound file
 * with the streams EncryptionInfo and EncryptedPackage. Needs OpenSSL's libcrypto. */
#ifndef PLATEN_DOCUMENT_OOXML_CRYPT_H
#define PLATEN_DOCUMENT_OOXML_CRYPT_H

#include "base/err.h"

/* Load the ciphers, once, before the sandbox closes. */
MUST_CHECK ErrCode ooxml_crypt_warm(Err *err);

/* The ZIP file inside, in `a`. With an empty password, the one that Excel uses by itself is tried.
 * INPUT_ENCRYPTED: no or a wrong password, or a scheme that is not known here; INPUT_DAMAGED;
 * LIMIT_MEMORY. */
MUST_CHECK ErrCode ooxml_decrypt(Arena *a, Str bytes, Str password, Str *out, Err *err);
/* The same for its two streams; for tests. */
MUST_CHECK ErrCode ooxml_decrypt_streams(Arena *a, Str info, Str package, Str password, Str *out,
                                         Err *err);

#endif
