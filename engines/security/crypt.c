/* crypt.c: Office packages encrypted with "VelvetSweatshop".
 *
 * Excel tries this password by itself, so a workbook encrypted with it opens for everybody and for
 * no scanner that does not know it. Both ways of MS-OFFCRYPTO: agile (2.3.4.10 …) and standard
 * (2.3.4.5 …). */
#include "security/scan.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum { KEY_MAX = 64, SPIN_MAX = 1000000, SEGMENT = 4096 };

/* The literal's own 0 is the last letter's second byte. */
static const char password_utf16[] = "V\0e\0l\0v\0e\0t\0S\0w\0e\0a\0t\0s\0h\0o\0p";

typedef struct Bytes {
    unsigned char b[KEY_MAX];
    unsigned len;
} Bytes;

static bool hash(const EVP_MD *md, const void *a, size_t a_len, const void *b, size_t b_len,
                 Bytes *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL && EVP_DigestInit_ex(ctx, md, NULL) == 1 &&
              EVP_DigestUpdate(ctx, a, a_len) == 1 && EVP_DigestUpdate(ctx, b, b_len) == 1 &&
              EVP_DigestFinal_ex(ctx, out->b, &out->len) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
}

/* H(i, H(i-1 … H(salt, password))): what makes guessing slow. */
static bool spin(const EVP_MD *md, Str salt, uint32_t count, Bytes *out)
{
    unsigned char step[4 + KEY_MAX];
    if (!hash(md, salt.ptr, salt.len, password_utf16, sizeof password_utf16, out))
        return false;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL;
    for (uint32_t i = 0; ok && i < count; i++) {
        step[0] = (unsigned char)i;
        step[1] = (unsigned char)(i >> 8);
        step[2] = (unsigned char)(i >> 16);
        step[3] = (unsigned char)(i >> 24);
        memcpy(step + 4, out->b, out->len);
        ok = EVP_DigestInit_ex(ctx, md, NULL) == 1 &&
             EVP_DigestUpdate(ctx, step, 4 + out->len) == 1 &&
             EVP_DigestFinal_ex(ctx, out->b, &out->len) == 1;
    }
    EVP_MD_CTX_free(ctx);
    return ok;
}

static const EVP_CIPHER *aes(size_t key_bytes, bool chained)
{
    switch (key_bytes) {
    case 16:
        return chained ? EVP_aes_128_cbc() : EVP_aes_128_ecb();
    case 24:
        return chained ? EVP_aes_192_cbc() : EVP_aes_192_ecb();
    case 32:
        return chained ? EVP_aes_256_cbc() : EVP_aes_256_ecb();
    default:
        return NULL;
    }
}

/* Whole blocks; `iv` NULL: each on its own. */
static bool decrypt(size_t key_bytes, const unsigned char *key, const unsigned char *iv, Str in,
                    unsigned char *out)
{
    const EVP_CIPHER *cipher = aes(key_bytes, iv != NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0;
    bool ok = cipher != NULL && ctx != NULL && in.len % 16 == 0 && in.len <= INT32_MAX &&
              EVP_DecryptInit_ex(ctx, cipher, NULL, key, iv) == 1 &&
              EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
              EVP_DecryptUpdate(ctx, out, &n, (const unsigned char *)in.ptr, (int)in.len) == 1 &&
              n == (int)in.len;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

/* name="value" behind `from`; "" when there is none. */
static Str attribute(Str xml, const char *name)
{
    char pattern[64];
    snprintf(pattern, sizeof pattern, " %s=\"", name);
    size_t at = str_find(xml, str_from_c(pattern));
    if (at == STR_NONE)
        return (Str){0};
    Str rest = str_slice(xml, at + strlen(pattern), xml.len);
    size_t end = str_find_char(rest, '"');
    return end == STR_NONE ? (Str){0} : str_slice(rest, 0, end);
}

static Str base64(Arena *a, Str text)
{
    unsigned char *out = arena_alloc_raw(a, text.len + 4);
    if (out == NULL || text.len == 0 || text.len % 4 != 0 || text.len > 4096)
        return (Str){0};
    int n = EVP_DecodeBlock(out, (const unsigned char *)text.ptr, (int)text.len);
    for (size_t i = text.len; n > 0 && i > 0 && text.ptr[i - 1] == '='; i--)
        n--;
    return n < 0 ? (Str){0} : (Str){(char *)out, (size_t)n};
}

typedef struct Agile {
    const EVP_MD *md;
    size_t key_bytes;
    Str salt;
} Agile;

static bool read_agile(Arena *a, Str xml, Agile *out)
{
    int64_t bits = 0;
    Str algorithm = attribute(xml, "hashAlgorithm");
    out->md = str_eq_c(algorithm, "SHA1")     ? EVP_sha1()
              : str_eq_c(algorithm, "SHA256") ? EVP_sha256()
              : str_eq_c(algorithm, "SHA384") ? EVP_sha384()
              : str_eq_c(algorithm, "SHA512") ? EVP_sha512()
                                              : NULL;
    out->salt = base64(a, attribute(xml, "saltValue"));
    if (out->md == NULL || !str_to_i64(attribute(xml, "keyBits"), &bits) ||
        !str_eq_c(attribute(xml, "cipherAlgorithm"), "AES"))
        return false;
    out->key_bytes = (size_t)bits / 8;
    return aes(out->key_bytes, true) != NULL && out->salt.len >= 16 && out->salt.len <= KEY_MAX;
}

/* The key for one purpose: H(H(…), purpose), cut or filled up with 0x36. */
static bool purpose_key(const Agile *g, const Bytes *base, const char *purpose, Bytes *out)
{
    if (!hash(g->md, base->b, base->len, purpose, 8, out))
        return false;
    if (out->len < g->key_bytes)
        memset(out->b + out->len, 0x36, g->key_bytes - out->len);
    return true;
}

/* Does the password open the verifier? */
static bool verify(const Agile *g, const Bytes *base, Str input, Str value)
{
    unsigned char plain[KEY_MAX], want[KEY_MAX];
    Bytes key, got;
    if (input.len == 0 || input.len > KEY_MAX || value.len == 0 || value.len > KEY_MAX ||
        !purpose_key(g, base, "\xfe\xa7\xd2\x76\x3b\x4b\x9e\x79", &key) ||
        !decrypt(g->key_bytes, key.b, (const unsigned char *)g->salt.ptr, input, plain) ||
        !purpose_key(g, base, "\xd7\xaa\x0f\x6d\x30\x61\x34\x4e", &key) ||
        !decrypt(g->key_bytes, key.b, (const unsigned char *)g->salt.ptr, value, want) ||
        !hash(g->md, plain, input.len, "", 0, &got))
        return false;
    return value.len >= got.len && memcmp(got.b, want, got.len) == 0;
}

static bool decrypt_segments(const Agile *data, const Bytes *key, Str packed, unsigned char *out)
{
    for (size_t at = 0, n = 0; at < packed.len; at += SEGMENT, n++) {
        unsigned char number[4] = {(unsigned char)n, (unsigned char)(n >> 8),
                                   (unsigned char)(n >> 16), (unsigned char)(n >> 24)};
        Bytes iv;
        if (!hash(data->md, data->salt.ptr, data->salt.len, number, 4, &iv) ||
            !decrypt(data->key_bytes, key->b, iv.b, str_slice(packed, at, at + SEGMENT), out + at))
            return false;
    }
    return true;
}

static bool open_agile(Arena *a, Str xml, Str packed, unsigned char *out)
{
    Agile data, key;
    Bytes base, purpose, secret = {0};
    int64_t count = 0;
    size_t at = str_find(xml, STR("encryptedKey "));
    Str inner = at == STR_NONE ? (Str){0} : str_slice(xml, at, xml.len);
    if (!read_agile(a, xml, &data) || !read_agile(a, inner, &key) ||
        !str_to_i64(attribute(inner, "spinCount"), &count) || count < 0 || count > SPIN_MAX)
        return false;
    Str value = base64(a, attribute(inner, "encryptedKeyValue"));
    if (!spin(key.md, key.salt, (uint32_t)count, &base) ||
        !verify(&key, &base, base64(a, attribute(inner, "encryptedVerifierHashInput")),
                base64(a, attribute(inner, "encryptedVerifierHashValue"))) ||
        value.len < data.key_bytes || value.len > KEY_MAX ||
        !purpose_key(&key, &base, "\x14\x6e\x0b\xe7\xab\xac\xd0\xd6", &purpose) ||
        !decrypt(key.key_bytes, purpose.b, (const unsigned char *)key.salt.ptr, value, secret.b))
        return false;
    return decrypt_segments(&data, &secret, packed, out);
}

/* X1 = H(H ^ 0x36 …), X2 = H(H ^ 0x5c …); the key is their beginning. */
static bool standard_key(Str salt, size_t key_bytes, Bytes *out)
{
    unsigned char block[4] = {0}, x[64];
    Bytes base, last, part;
    if (!spin(EVP_sha1(), salt, 50000, &base) ||
        !hash(EVP_sha1(), base.b, base.len, block, 4, &last))
        return false;
    for (int half = 0; half < 2; half++) {
        memset(x, half == 0 ? 0x36 : 0x5c, sizeof x);
        for (unsigned i = 0; i < last.len; i++)
            x[i] ^= last.b[i];
        if (!hash(EVP_sha1(), x, sizeof x, "", 0, &part))
            return false;
        memcpy(out->b + half * 20, part.b, 20);
    }
    out->len = (unsigned)key_bytes;
    return true;
}

static bool open_standard(Str info, Str packed, unsigned char *out)
{
    size_t head = scan_u32(info, 8), key_bytes = scan_u32(info, 12 + 16) / 8;
    Str verifier = str_slice(info, 12 + head, info.len);
    Bytes key = {0}, got;
    unsigned char plain[16], want[32];
    if (verifier.len < 4 + 16 + 16 + 4 + 32 || aes(key_bytes, false) == NULL || key_bytes > 40 ||
        !standard_key(str_slice(verifier, 4, 20), key_bytes, &key) ||
        !decrypt(key_bytes, key.b, NULL, str_slice(verifier, 20, 36), plain) ||
        !decrypt(key_bytes, key.b, NULL, str_slice(verifier, 40, 72), want) ||
        !hash(EVP_sha1(), plain, sizeof plain, "", 0, &got) || memcmp(got.b, want, 20) != 0)
        return false;
    return decrypt(key_bytes, key.b, NULL, packed, out);
}

bool crypt_open(Arena *a, Str info, Str package, Str *out)
{
    if (info.len < 8 || package.len < 8)
        return false;
    uint64_t size = scan_u32(package, 0) | (uint64_t)scan_u32(package, 4) << 32;
    Str packed = str_slice(package, 8, package.len);
    packed.len -= packed.len % 16;
    unsigned char *plain = arena_alloc_raw(a, packed.len + 16);
    bool agile = scan_u16(info, 0) == 4 && scan_u16(info, 2) == 4;
    if (plain == NULL || packed.len == 0 ||
        !(agile ? open_agile(a, str_slice(info, 8, info.len), packed, plain)
                : open_standard(info, packed, plain)))
        return false;
    *out = (Str){(char *)plain, size < packed.len ? (size_t)size : packed.len};
    return true;
}

/* The library loads its algorithms at first use. */
ErrCode crypt_warm(Err *err)
{
    unsigned char key[16] = {0}, out[16];
    Bytes ignored;
    if (!hash(EVP_sha1(), "", 0, "", 0, &ignored) || !hash(EVP_sha512(), "", 0, "", 0, &ignored) ||
        !hash(EVP_sha256(), "", 0, "", 0, &ignored) ||
        !decrypt(16, key, key, (Str){(char *)key, 16}, out) ||
        !decrypt(16, key, NULL, (Str){(char *)key, 16}, out))
        return err_set(err, ERR_INTERNAL, "no AES or SHA in the library");
    return OK;
}
