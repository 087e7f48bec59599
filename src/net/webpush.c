#include "net/webpush.h"
#include "base/fault.h"
#include "base/json.h"
#include "net/signing.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <string.h>
#include <sys/random.h>

enum { HASH = 32, KEY = 16, NONCE = 12, TAG = 16, RECORD = 4096, HEAD = WEBPUSH_SALT + 4 + 1 };

static ErrCode failed(Err *err, const char *what)
{
    return err_set(err, ERR_INTERNAL, "libcrypto could not %s", what);
}

/* --- base64url --- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

Str webpush_text(Arena *a, const unsigned char *bytes, size_t len)
{
    size_t size = (len * 8 + 5) / 6;
    char *text = arena_new(a, char, size + 1);
    if (text == NULL)
        return (Str){0};
    for (size_t i = 0; i < size; i++) {
        size_t bit = i * 6, at = bit / 8, shift = bit % 8;
        unsigned next = at + 1 < len ? bytes[at + 1] : 0;
        unsigned pair = (unsigned)bytes[at] << 8 | next;
        text[i] = alphabet[pair >> (10 - shift) & 63];
    }
    return (Str){text, size};
}

bool webpush_bytes(Str text, unsigned char *out, size_t len)
{
    unsigned held = 0, bits = 0;
    size_t n = 0;
    while (text.len > 0 && text.ptr[text.len - 1] == '=')
        text.len--;
    if (text.len != (len * 8 + 5) / 6)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        const char *found = memchr(alphabet, text.ptr[i], sizeof alphabet - 1);
        if (found == NULL)
            return false;
        held = held << 6 | (unsigned)(found - alphabet);
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out[n++] = (unsigned char)(held >> bits & 255);
        }
    }
    return n == len && (held & ((1U << bits) - 1)) == 0;
}

/* --- keys --- */

static void pkey_free(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
    *key = NULL;
}

/* private_key NULL: the public one alone. NULL: it is no point of the curve, or no memory. */
static EVP_PKEY *pkey_of(const unsigned char *private_key, const unsigned char *public_key)
{
    EVP_PKEY *key = NULL;
    BIGNUM *secret = NULL;
    OSSL_PARAM *params = NULL;
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    bool ok = build != NULL && ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
              OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0) == 1 &&
              OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, public_key,
                                               WEBPUSH_PUBLIC) == 1;
    if (ok && private_key != NULL) {
        secret = BN_secure_new();
        ok = secret != NULL && BN_bin2bn(private_key, WEBPUSH_PRIVATE, secret) != NULL &&
             OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, secret) == 1;
    }
    if (ok)
        params = OSSL_PARAM_BLD_to_param(build);
    int selection = private_key != NULL ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY;
    if (params != NULL)
        (void)EVP_PKEY_fromdata(ctx, &key, selection, params);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BN_clear_free(secret);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* The point of a private key: the generator times it. */
ErrCode webpush_pair_of(const unsigned char private_key[WEBPUSH_PRIVATE], WebpushPair *out,
                        Err *err)
{
    EC_GROUP *group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
    EC_POINT *point = group != NULL ? EC_POINT_new(group) : NULL;
    BIGNUM *secret = BN_secure_new();
    bool ok = point != NULL && secret != NULL &&
              BN_bin2bn(private_key, WEBPUSH_PRIVATE, secret) != NULL && !BN_is_zero(secret) &&
              BN_cmp(secret, EC_GROUP_get0_order(group)) < 0 &&
              EC_POINT_mul(group, point, secret, NULL, NULL, NULL) == 1 &&
              EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out->public_key,
                                 WEBPUSH_PUBLIC, NULL) == WEBPUSH_PUBLIC;
    BN_clear_free(secret);
    EC_POINT_free(point);
    EC_GROUP_free(group);
    if (!ok)
        return err_set(err, ERR_BAD_PARAM, "this is no private key of P-256");
    memcpy(out->private_key, private_key, WEBPUSH_PRIVATE);
    return OK;
}

/* Any 32 random bytes are one, but for odds of 2^-32. */
ErrCode webpush_pair_make(WebpushPair *out, Err *err)
{
    unsigned char raw[WEBPUSH_PRIVATE];
    ErrCode rc = ERR_BAD_PARAM;
    for (int i = 0; i < 4 && rc == ERR_BAD_PARAM; i++) {
        if (fault_hit("webpush.random") || getrandom(raw, sizeof raw, 0) != sizeof raw)
            return err_set(err, ERR_INTERNAL, "no random bytes for a key");
        rc = webpush_pair_of(raw, out, err);
    }
    OPENSSL_cleanse(raw, sizeof raw);
    return rc == OK ? OK : failed(err, "make a key");
}

ErrCode webpush_target(Str p256dh, Str auth, WebpushTarget *out, Err *err)
{
    CLEANUP(pkey_free) EVP_PKEY *key = NULL;
    const char *wrong = NULL;
    if (!webpush_bytes(auth, out->auth, WEBPUSH_AUTH))
        wrong = "auth";
    else if (!webpush_bytes(p256dh, out->public_key, WEBPUSH_PUBLIC) ||
             (key = pkey_of(NULL, out->public_key)) == NULL)
        wrong = "p256dh";
    if (wrong == NULL)
        return OK;
    err_set(err, ERR_BAD_PARAM, "must be what the browser's subscription says");
    err_param(err, wrong);
    return ERR_BAD_PARAM;
}

/* --- encryption --- */

static bool shared_secret(const WebpushPair *from, const WebpushTarget *to, unsigned char out[HASH])
{
    CLEANUP(pkey_free) EVP_PKEY *ours = pkey_of(from->private_key, from->public_key);
    CLEANUP(pkey_free) EVP_PKEY *theirs = pkey_of(NULL, to->public_key);
    size_t len = HASH;
    EVP_PKEY_CTX *ctx = ours != NULL && theirs != NULL ? EVP_PKEY_CTX_new(ours, NULL) : NULL;
    bool ok = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
              EVP_PKEY_derive_set_peer(ctx, theirs) == 1 && EVP_PKEY_derive(ctx, out, &len) == 1 &&
              len == HASH;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static Str bytes(const unsigned char *ptr, size_t len)
{
    return (Str){(const char *)ptr, len};
}

typedef struct Keys {
    unsigned char key[HASH], nonce[HASH]; /* the first KEY and NONCE bytes are used */
} Keys;

/* RFC 8291, 3.4: HKDF twice. Every info ends with the byte 1, the number of HKDF's only block. */
static bool derive(const WebpushTarget *to, const WebpushPair *from,
                   const unsigned char salt[WEBPUSH_SALT], Keys *out)
{
    unsigned char secret[HASH], prk[HASH], input[HASH];
    static const Str key_info = {"WebPush: info\0", 14}, one = {"\1", 1};
    static const Str cek_info = {"Content-Encoding: aes128gcm\0\1", 29},
                     nonce_info = {"Content-Encoding: nonce\0\1", 25};
    const Str whom[] = {key_info, bytes(to->public_key, WEBPUSH_PUBLIC),
                        bytes(from->public_key, WEBPUSH_PUBLIC), one};
    const Str secret_part = bytes(secret, HASH), input_part = bytes(input, HASH);
    bool ok = shared_secret(from, to, secret) &&
              signing_hmac(bytes(to->auth, WEBPUSH_AUTH), &secret_part, 1, prk) &&
              signing_hmac(bytes(prk, HASH), whom, COUNT_OF(whom), input) &&
              signing_hmac(bytes(salt, WEBPUSH_SALT), &input_part, 1, prk) &&
              signing_hmac(bytes(prk, HASH), &cek_info, 1, out->key) &&
              signing_hmac(bytes(prk, HASH), &nonce_info, 1, out->nonce);
    OPENSSL_cleanse(secret, sizeof secret);
    OPENSSL_cleanse(prk, sizeof prk);
    OPENSSL_cleanse(input, sizeof input);
    return ok;
}

/* The text, then the byte 2 that ends the last record, then the tag. */
static bool seal_record(const Keys *k, Str clear, unsigned char *out)
{
    static const unsigned char last[] = {2};
    int n = 0;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    bool ok =
        ctx != NULL && EVP_EncryptInit_ex2(ctx, EVP_aes_128_gcm(), k->key, k->nonce, NULL) == 1 &&
        EVP_EncryptUpdate(ctx, out, &n, (const unsigned char *)clear.ptr, (int)clear.len) == 1 &&
        EVP_EncryptUpdate(ctx, out + clear.len, &n, last, 1) == 1 &&
        EVP_EncryptFinal_ex(ctx, out + clear.len + 1, &n) == 1 &&
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, out + clear.len + 1) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

ErrCode webpush_encrypt_with(const WebpushTarget *to, const WebpushPair *from,
                             const unsigned char salt[WEBPUSH_SALT], Str clear, Arena *a, Str *out,
                             Err *err)
{
    Keys keys;
    size_t head = HEAD + WEBPUSH_PUBLIC, len = head + clear.len + 1 + TAG;
    if (clear.len > WEBPUSH_CLEAR_MAX)
        return err_set(err, ERR_INPUT_TOO_LARGE, "a push has %d bytes at most", WEBPUSH_CLEAR_MAX);
    unsigned char *body = arena_new(a, unsigned char, len);
    if (body == NULL)
        return err_set(err, ERR_NO_MEMORY, "encrypting a push");
    memcpy(body, salt, WEBPUSH_SALT);
    memcpy(body + WEBPUSH_SALT,
           (const unsigned char[]){0, 0, RECORD >> 8, RECORD & 255, WEBPUSH_PUBLIC}, 5);
    memcpy(body + HEAD, from->public_key, WEBPUSH_PUBLIC);
    bool ok = !fault_hit("webpush.crypto") && derive(to, from, salt, &keys) &&
              seal_record(&keys, clear, body + head);
    OPENSSL_cleanse(&keys, sizeof keys);
    if (!ok)
        return failed(err, "encrypt a push");
    *out = bytes(body, len);
    return OK;
}

ErrCode webpush_encrypt(const WebpushTarget *to, Str clear, Arena *a, Str *out, Err *err)
{
    WebpushPair from;
    unsigned char salt[WEBPUSH_SALT];
    ErrCode rc = webpush_pair_make(&from, err);
    if (rc == OK && (fault_hit("webpush.random") || getrandom(salt, sizeof salt, 0) != sizeof salt))
        rc = err_set(err, ERR_INTERNAL, "no random bytes for a push");
    if (rc == OK)
        rc = webpush_encrypt_with(to, &from, salt, clear, a, out, err);
    OPENSSL_cleanse(&from, sizeof from);
    return rc;
}

/* --- who sends --- */

/* r and s, 32 bytes each: what JWS wants where OpenSSL gives DER. */
static bool sign(const WebpushPair *from, Str text, unsigned char out[2 * HASH])
{
    unsigned char der[80];
    const unsigned char *at = der;
    size_t len = sizeof der;
    CLEANUP(pkey_free) EVP_PKEY *key = pkey_of(from->private_key, from->public_key);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = key != NULL && ctx != NULL && !fault_hit("webpush.crypto") &&
              EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
              EVP_DigestSign(ctx, der, &len, (const unsigned char *)text.ptr, text.len) == 1;
    ECDSA_SIG *sig = ok ? d2i_ECDSA_SIG(NULL, &at, (long)len) : NULL;
    ok = sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, HASH) == HASH &&
         BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + HASH, HASH) == HASH;
    ECDSA_SIG_free(sig);
    EVP_MD_CTX_free(ctx);
    return ok;
}

/* "https://push.example:8443/x" → "https://push.example:8443" */
static Str origin_of(Str url)
{
    size_t scheme = str_find(url, STR("://"));
    if (scheme == STR_NONE)
        return url;
    size_t end = scheme + 3;
    while (end < url.len && strchr("/?#", url.ptr[end]) == NULL)
        end++;
    return str_slice(url, 0, end);
}

static Str claims(Str endpoint, Str subject, int64_t now_s, Arena *a)
{
    Buf b = buf_init(a, 8 * KIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_str(&j, "aud", origin_of(endpoint));
    json_kv_int(&j, "exp", now_s + WEBPUSH_TOKEN_S);
    json_kv_str(&j, "sub", subject);
    json_end(&j, '}');
    return b.failed ? (Str){0} : buf_str(&b);
}

static void put(Buf *b, const unsigned char *raw, size_t len, Arena *a)
{
    Str text = webpush_text(a, raw, len);
    if (text.ptr != NULL)
        buf_add(b, text);
    else
        b->failed = true;
}

ErrCode webpush_authorization(const WebpushPair *from, Str endpoint, Str subject, int64_t now_s,
                              Arena *a, Str *out, Err *err)
{
    static const Str lead = {"vapid t=", 8}, head = {"{\"typ\":\"JWT\",\"alg\":\"ES256\"}", 27};
    unsigned char signature[2 * HASH];
    Buf b = buf_init(a, 16 * KIB);
    Str said = claims(endpoint, subject, now_s, a);
    buf_add(&b, lead);
    put(&b, (const unsigned char *)head.ptr, head.len, a);
    buf_add_char(&b, '.');
    put(&b, (const unsigned char *)said.ptr, said.len, a);
    if (said.ptr != NULL && !b.failed) {
        if (!sign(from, str_slice(buf_str(&b), lead.len, b.len), signature))
            return failed(err, "sign a push");
        buf_add_char(&b, '.');
        put(&b, signature, sizeof signature, a);
        buf_add_c(&b, ", k=");
        put(&b, from->public_key, WEBPUSH_PUBLIC, a);
    }
    if (said.ptr == NULL || b.failed)
        return err_set(err, ERR_NO_MEMORY, "signing a push");
    *out = buf_str(&b);
    return OK;
}
