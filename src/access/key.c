/* key.c: the text of a key or a session and its hash. */
#include "access/access_in.h"
#include "base/fault.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>
#include <sys/random.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* 32 bytes as 43 characters of base64url, without padding. */
static void encode(const unsigned char raw[32], char out[44])
{
    for (size_t i = 0; i < 43; i++) {
        size_t bit = i * 6, at = bit / 8, shift = bit % 8;
        unsigned next = at + 1 < 32 ? raw[at + 1] : 0;
        unsigned pair = (unsigned)raw[at] << 8 | next;
        out[i] = alphabet[pair >> (10 - shift) & 63];
    }
    out[43] = 0;
}

enum { PREFIX_LEN = 3 };

ErrCode access_token_make(const char *prefix, char text[ACCESS_KEY_TEXT], Err *err)
{
    unsigned char raw[32];
    if (fault_hit("access.random") || getrandom(raw, sizeof raw, 0) != sizeof raw)
        return err_set_errno(err, ERR_INTERNAL, errno, "no random bytes for a key");
    memcpy(text, prefix, PREFIX_LEN);
    encode(raw, text + PREFIX_LEN);
    OPENSSL_cleanse(raw, sizeof raw);
    return OK;
}

bool access_token_hash(const char *prefix, Str text, char out[KEY_HASH_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[SHA256_DIGEST_LENGTH];
    if (text.len != KEY_TEXT_LEN || memcmp(text.ptr, prefix, PREFIX_LEN) != 0)
        return false;
    SHA256((const unsigned char *)text.ptr, text.len, raw);
    for (size_t i = 0; i < sizeof raw; i++) {
        out[2 * i] = digits[raw[i] >> 4];
        out[2 * i + 1] = digits[raw[i] & 15];
    }
    out[KEY_HASH_LEN] = 0;
    return true;
}
