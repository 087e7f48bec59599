#include "base/hash.h"

#include <openssl/evp.h>

bool hash_sha256(Str data, char hex[HASH_HEX_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    if (EVP_Digest(data.ptr, data.len, digest, &len, EVP_sha256(), NULL) != 1 ||
        len * 2 + 1 != HASH_HEX_SIZE)
        return false;
    for (unsigned int i = 0; i < len; i++) {
        hex[i * 2] = digits[digest[i] >> 4];
        hex[i * 2 + 1] = digits[digest[i] & 15];
    }
    hex[len * 2] = 0;
    return true;
}
