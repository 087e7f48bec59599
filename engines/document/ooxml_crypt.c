#include "document/ooxml_crypt.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "base/buf.h"
#include "document/bytes.h"
#include "document/ole.h"
#include "document/xml.h"

enum {
    HASH_MAX = EVP_MAX_MD_SIZE,
    BLOB_MAX = 128, /* salts, keys, verifiers */
    KEY_MAX = 64,
    SEGMENT = 4096,
    AES_BLOCK = 16,
    SPINS_MAX = 2 * 1000 * 1000,
    PASSWORD_UNITS = 255,
    INFO_MAX = 64 << 10,
};
#define PACKAGE_MAX    (512 * MIB)
#define WRONG_PASSWORD ERR_COUNT /* stays in this file: no message is set */

typedef struct Bytes {
    unsigned char at[BLOB_MAX];
    size_t len;
} Bytes;

typedef struct Keys { /* of the agile scheme: <keyData>, or <encryptedKey> */
    bool seen;
    const EVP_MD *hash;
    size_t hash_size, key_size, block_size;
    int64_t spins;
    Bytes salt, verifier, verifier_hash, value;
} Keys;

typedef struct Agile {
    Keys data, password;
} Agile;

/* --- what is loaded before the sandbox closes */

static const char *const hash_names[] = {"SHA512", "SHA1", "SHA256", "SHA384", "MD5"};
static EVP_MD *hashes[COUNT_OF(hash_names)];
static const char *const cipher_names[] = {"AES-128-CBC", "AES-192-CBC", "AES-256-CBC",
                                           "AES-128-ECB", "AES-192-ECB", "AES-256-ECB"};
static EVP_CIPHER *ciphers[COUNT_OF(cipher_names)];

ErrCode ooxml_crypt_warm(Err *err)
{
    if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1)
        return err_set(err, ERR_INTERNAL, "could not start the cipher library");
    for (size_t i = 0; i < COUNT_OF(hash_names); i++)
        if (hashes[i] == NULL) /* one that a policy forbids stays out */
            hashes[i] = EVP_MD_fetch(NULL, hash_names[i], NULL);
    for (size_t i = 0; i < COUNT_OF(cipher_names); i++)
        if (ciphers[i] == NULL)
            ciphers[i] = EVP_CIPHER_fetch(NULL, cipher_names[i], NULL);
    return OK;
}

static const EVP_MD *hash_named(Str name)
{
    for (size_t i = 0; i < COUNT_OF(hash_names); i++)
        if (str_eq_nocase(name, str_from_c(hash_names[i])) ||
            (i == 1 && str_eq_nocase(name, STR("SHA-1"))))
            return hashes[i];
    return NULL;
}

static const EVP_CIPHER *aes(size_t key_size, bool cbc)
{
    size_t i = key_size == 16 ? 0 : key_size == 24 ? 1 : 2;
    bool known = key_size == 16 || key_size == 24 || key_size == 32;
    return known ? ciphers[i + (cbc ? 0 : 3)] : NULL;
}

static void context_free(EVP_CIPHER_CTX **c)
{
    EVP_CIPHER_CTX_free(*c);
    *c = NULL;
}

static void digest_free(EVP_MD_CTX **c)
{
    EVP_MD_CTX_free(*c);
    *c = NULL;
}

/* Whole blocks, without padding. */
static bool decrypt(const EVP_CIPHER *cipher, const unsigned char *key, const unsigned char *iv,
                    const unsigned char *in, size_t len, unsigned char *out)
{
    CLEANUP(context_free) EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int n = 0;
    return c != NULL && cipher != NULL && len <= INT32_MAX &&
           EVP_DecryptInit_ex2(c, cipher, key, iv, NULL) == 1 &&
           EVP_CIPHER_CTX_set_padding(c, 0) == 1 &&
           EVP_DecryptUpdate(c, out, &n, in, (int)len) == 1;
}

static bool digest(EVP_MD_CTX *c, const EVP_MD *md, const void *a, size_t a_len, const void *b,
                   size_t b_len, unsigned char *out)
{
    return EVP_DigestInit_ex2(c, md, NULL) == 1 && EVP_DigestUpdate(c, a, a_len) == 1 &&
           EVP_DigestUpdate(c, b, b_len) == 1 && EVP_DigestFinal_ex(c, out, NULL) == 1;
}

static void put_le32(unsigned char out[4], uint32_t v)
{
    for (int i = 0; i < 4; i++)
        out[i] = (unsigned char)(v >> (8 * i));
}

/* H(n-1 … H(1 H(0 H(salt password)))), the slow part on purpose. */
static bool spin(EVP_MD_CTX *c, const EVP_MD *md, const unsigned char *salt, size_t salt_len,
                 Str password, int64_t spins, unsigned char *h)
{
    size_t size = (size_t)EVP_MD_get_size(md);
    if (!digest(c, md, salt, salt_len, password.ptr, password.len, h))
        return false;
    for (int64_t i = 0; i < spins; i++) {
        unsigned char n[4];
        put_le32(n, (uint32_t)i);
        if (!digest(c, md, n, 4, h, size, h))
            return false;
    }
    return true;
}

static Str to_utf16(Arena *a, Str utf8)
{
    Buf b = buf_init(a, 4 * PASSWORD_UNITS);
    for (size_t at = 0; at < utf8.len && b.len < 2 * PASSWORD_UNITS;) {
        uint32_t c = str_next_utf8(utf8, &at);
        uint32_t high = c >= 0x10000 ? 0xD800 + ((c - 0x10000) >> 10) : 0;
        uint32_t low = c >= 0x10000 ? 0xDC00 + ((c - 0x10000) & 0x3FF) : c;
        if (high != 0) {
            buf_add_char(&b, (char)(high & 0xFF));
            buf_add_char(&b, (char)(high >> 8));
        }
        buf_add_char(&b, (char)(low & 0xFF));
        buf_add_char(&b, (char)(low >> 8));
    }
    return b.len > 0 ? buf_str(&b) : STR("");
}

static ErrCode unknown_scheme(Err *err, const char *what)
{
    err_set(err, ERR_INPUT_ENCRYPTED, "the file is encrypted in a way that is not known here: %s",
            what);
    err_hint(err, "open it with its password, save it without one, and send that");
    return ERR_INPUT_ENCRYPTED;
}

/* `given`: the password was the caller's. */
static ErrCode wrong_password(Err *err, bool given)
{
    err_set(err, ERR_INPUT_ENCRYPTED,
            given ? "the password does not open the file" : "the file is encrypted");
    err_hint(err, "pass its password as `password`");
    return ERR_INPUT_ENCRYPTED;
}

/* --- agile: described by XML */

static void from_base64(Str s, Bytes *out)
{
    uint32_t bits = 0;
    int have = 0;
    out->len = 0;
    for (size_t i = 0; i < s.len && out->len < BLOB_MAX; i++) {
        char c = s.ptr[i];
        int v = c >= 'A' && c <= 'Z'   ? c - 'A'
                : c >= 'a' && c <= 'z' ? c - 'a' + 26
                : c >= '0' && c <= '9' ? c - '0' + 52
                : c == '+'             ? 62
                : c == '/'             ? 63
                                       : -1;
        if (v < 0)
            continue;
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            out->at[out->len++] = (unsigned char)(bits >> have);
        }
    }
}

static void take_keys(const XmlElem *e, Keys *k)
{
    k->seen = str_eq_c(xml_attr(e, "cipherAlgorithm"), "AES") &&
              str_eq_c(xml_attr(e, "cipherChaining"), "ChainingModeCBC");
    k->hash = hash_named(xml_attr(e, "hashAlgorithm"));
    k->hash_size = (size_t)xml_attr_int(e, "hashSize", 0);
    k->key_size = (size_t)xml_attr_int(e, "keyBits", 0) / 8;
    k->block_size = (size_t)xml_attr_int(e, "blockSize", 0);
    k->spins = xml_attr_int(e, "spinCount", 0);
    from_base64(xml_attr(e, "saltValue"), &k->salt);
    from_base64(xml_attr(e, "encryptedVerifierHashInput"), &k->verifier);
    from_base64(xml_attr(e, "encryptedVerifierHashValue"), &k->verifier_hash);
    from_base64(xml_attr(e, "encryptedKeyValue"), &k->value);
}

static XmlWant agile_start(void *ctx, const XmlElem *e)
{
    Agile *x = ctx;
    if (str_eq_c(e->local, "keyData") && !x->data.seen)
        take_keys(e, &x->data);
    if (str_eq_c(e->local, "encryptedKey") && !x->password.seen)
        take_keys(e, &x->password);
    return XML_ENTER;
}

static bool is_sane(const Keys *k)
{
    return k->seen && k->hash != NULL && aes(k->key_size, true) != NULL &&
           k->block_size == AES_BLOCK && k->salt.len > 0 && k->salt.len <= KEY_MAX &&
           k->spins >= 0 && k->hash_size <= HASH_MAX &&
           k->hash_size == (size_t)EVP_MD_get_size(k->hash);
}

/* A key or an IV: the hash, cut or filled up to its size. */
static void fit(const unsigned char *hash, size_t hash_size, size_t size, unsigned char *out)
{
    memset(out, 0x36, size);
    memcpy(out, hash, hash_size < size ? hash_size : size);
}

/* What is locked with the key that the password and this block key give. */
static bool unlock_value(EVP_MD_CTX *c, const Keys *k, const unsigned char *h,
                         const unsigned char block[8], const Bytes *in, unsigned char *out)
{
    unsigned char mixed[HASH_MAX], key[KEY_MAX], iv[AES_BLOCK];
    if (in->len == 0 || in->len % AES_BLOCK != 0 ||
        !digest(c, k->hash, h, k->hash_size, block, 8, mixed))
        return false;
    fit(mixed, k->hash_size, k->key_size, key);
    fit(k->salt.at, k->salt.len, AES_BLOCK, iv);
    return decrypt(aes(k->key_size, true), key, iv, in->at, in->len, out);
}

/* The key of the package; false when the password is wrong. */
static bool agile_key(EVP_MD_CTX *c, const Keys *k, Str password, unsigned char *key)
{
    static const unsigned char input_block[8] = {0xFE, 0xA7, 0xD2, 0x76, 0x3B, 0x4B, 0x9E, 0x79},
                               hash_block[8] = {0xD7, 0xAA, 0x0F, 0x6D, 0x30, 0x61, 0x34, 0x4E},
                               key_block[8] = {0x14, 0x6E, 0x0B, 0xE7, 0xAB, 0xAC, 0xD0, 0xD6};
    unsigned char h[HASH_MAX], input[BLOB_MAX], want[BLOB_MAX], got[HASH_MAX];
    size_t input_len = k->salt.len < k->verifier.len ? k->salt.len : k->verifier.len;
    if (k->verifier_hash.len < k->hash_size || k->value.len < k->key_size ||
        !spin(c, k->hash, k->salt.at, k->salt.len, password, k->spins, h) ||
        !unlock_value(c, k, h, input_block, &k->verifier, input) ||
        !unlock_value(c, k, h, hash_block, &k->verifier_hash, want) ||
        !digest(c, k->hash, input, input_len, "", 0, got) || memcmp(got, want, k->hash_size) != 0)
        return false;
    return unlock_value(c, k, h, key_block, &k->value, key);
}

static bool agile_package(EVP_MD_CTX *c, const Keys *k, const unsigned char *key, Str in,
                          unsigned char *out)
{
    for (size_t at = 0, n = 0; at < in.len; at += SEGMENT, n++) {
        unsigned char number[4], mixed[HASH_MAX], iv[AES_BLOCK];
        size_t len = in.len - at < SEGMENT ? in.len - at : SEGMENT;
        put_le32(number, (uint32_t)n);
        if (!digest(c, k->hash, k->salt.at, k->salt.len, number, 4, mixed))
            return false;
        fit(mixed, k->hash_size, AES_BLOCK, iv);
        if (!decrypt(aes(k->key_size, true), key, iv, (const unsigned char *)in.ptr + at, len,
                     out + at))
            return false;
    }
    return true;
}

static ErrCode open_agile(Arena *a, EVP_MD_CTX *c, Str info, Str password, Str package,
                          unsigned char *out, Err *err)
{
    Agile x = {0};
    XmlHandler h = {.ctx = &x, .start = agile_start};
    Err ignored = {0};
    ErrCode rc = xml_parse_bytes(str_slice(info, 8, info.len), a, &h, &ignored);
    if (rc != OK || !is_sane(&x.data) || !is_sane(&x.password))
        return unknown_scheme(err, "other than AES with a password");
    if (x.password.spins > SPINS_MAX)
        return err_set(err, ERR_LIMIT_COUNT, "the file asks for %" PRId64 " rounds of hashing",
                       x.password.spins);
    unsigned char key[BLOB_MAX] = {0};
    if (!agile_key(c, &x.password, password, key))
        return WRONG_PASSWORD;
    return agile_package(c, &x.data, key, package, out)
               ? OK
               : err_set(err, ERR_INPUT_DAMAGED, "the encrypted package is damaged");
}

/* --- standard: described by numbers; AES in ECB mode and SHA-1 */

enum { STANDARD_SPINS = 50000, SHA1_SIZE = 20 };

static bool standard_key(EVP_MD_CTX *c, Str salt, Str password, size_t key_size,
                         unsigned char key[2 * SHA1_SIZE])
{
    const EVP_MD *sha1 = hash_named(STR("SHA1"));
    unsigned char h[HASH_MAX], pad[64], zero[4] = {0};
    if (sha1 == NULL || key_size > 2 * SHA1_SIZE ||
        !spin(c, sha1, (const unsigned char *)salt.ptr, salt.len, password, STANDARD_SPINS, h) ||
        !digest(c, sha1, h, SHA1_SIZE, zero, 4, h))
        return false;
    for (int half = 0; half < 2; half++) {
        memset(pad, half == 0 ? 0x36 : 0x5C, sizeof pad);
        for (int i = 0; i < SHA1_SIZE; i++)
            pad[i] ^= h[i];
        if (!digest(c, sha1, pad, sizeof pad, "", 0, key + half * SHA1_SIZE))
            return false;
    }
    return true;
}

static ErrCode open_standard(EVP_MD_CTX *c, Str info, Str password, Str package, unsigned char *out,
                             Err *err)
{
    enum { HEADER_AT = 12, SALT = 16, VERIFIER = 16, VERIFIER_HASH = 32 };
    size_t header = le32(info, 8), key_size = le32(info, HEADER_AT + 16) / 8;
    size_t at = header < info.len ? HEADER_AT + header + 4 : info.len;
    Str salt = str_slice(info, at, at + SALT), verifier = str_slice(info, at + SALT, at + 32);
    Str verifier_hash = str_slice(info, at + 36, at + 36 + VERIFIER_HASH);
    const EVP_CIPHER *cipher = aes(key_size, false);
    if (cipher == NULL || verifier_hash.len < VERIFIER_HASH)
        return unknown_scheme(err, "RC4");
    unsigned char key[2 * SHA1_SIZE], input[VERIFIER], want[VERIFIER_HASH], got[HASH_MAX];
    bool right =
        standard_key(c, salt, password, key_size, key) &&
        decrypt(cipher, key, NULL, (const unsigned char *)verifier.ptr, VERIFIER, input) &&
        decrypt(cipher, key, NULL, (const unsigned char *)verifier_hash.ptr, VERIFIER_HASH, want) &&
        digest(c, hash_named(STR("SHA1")), input, VERIFIER, "", 0, got) &&
        memcmp(got, want, SHA1_SIZE) == 0;
    if (!right)
        return WRONG_PASSWORD;
    return decrypt(cipher, key, NULL, (const unsigned char *)package.ptr, package.len, out)
               ? OK
               : err_set(err, ERR_INPUT_DAMAGED, "the encrypted package is damaged");
}

/* --- both */

ErrCode ooxml_decrypt_streams(Arena *a, Str info, Str package, Str password, Str *out, Err *err)
{
    uint64_t size = le64(package, 0);
    package = str_slice(package, 8, package.len);
    package.len -= package.len % AES_BLOCK;
    unsigned char *plain = arena_alloc_raw(a, package.len + 1);
    CLEANUP(digest_free) EVP_MD_CTX *c = EVP_MD_CTX_new();
    if (plain == NULL || c == NULL)
        return err_set(err, ERR_LIMIT_MEMORY, "the decrypted file does not fit into memory");
    if (info.len < 8 || package.len == 0)
        return err_set(err, ERR_INPUT_DAMAGED, "the encrypted file is cut short");
    /* what Excel encrypts with when a book is only to be protected from changes */
    Str key = to_utf16(a, password.len > 0 ? password : STR("VelvetSweatshop"));
    unsigned major = le16(info, 0), minor = le16(info, 2);
    ErrCode rc;
    if (major == 4 && minor == 4)
        rc = open_agile(a, c, info, key, package, plain, err);
    else if (major >= 2 && major <= 4 && minor == 2)
        rc = open_standard(c, info, key, package, plain, err);
    else
        rc = unknown_scheme(err, "an extension");
    if (rc == WRONG_PASSWORD)
        return wrong_password(err, password.len > 0);
    *out = (Str){(char *)plain, size < package.len ? (size_t)size : package.len};
    return rc;
}

ErrCode ooxml_decrypt(Arena *a, Str bytes, Str password, Str *out, Err *err)
{
    Ole o;
    ErrCode rc = ole_open(a, bytes, &o, err);
    if (rc == OK)
        rc = ooxml_crypt_warm(err);
    if (rc != OK)
        return rc;
    Str info = ole_read(&o, ole_find(&o, 0, "EncryptionInfo"), a, INFO_MAX);
    Str package = ole_read(&o, ole_find(&o, 0, "EncryptedPackage"), a, PACKAGE_MAX);
    return ooxml_decrypt_streams(a, info, package, password, out, err);
}
