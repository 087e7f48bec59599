#include "net/signing.h"
#include "base/buf.h"
#include "base/fault.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#define PREFIX STR("whsec_")
enum { MAC_SIZE = 32, MAC_TEXT = 44 };

typedef struct Key {
    unsigned char bytes[SIGNING_KEY_MAX + 3];
    size_t len;
} Key;

bool signing_hmac(Str key, const Str *parts, size_t len, unsigned char out[32])
{
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
        OSSL_PARAM_construct_end()};
    size_t n = 0;
    EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *ctx = mac != NULL ? EVP_MAC_CTX_new(mac) : NULL;
    bool ok =
        ctx != NULL && EVP_MAC_init(ctx, (const unsigned char *)key.ptr, key.len, params) == 1;
    for (size_t i = 0; ok && i < len; i++)
        ok = EVP_MAC_update(ctx, (const unsigned char *)parts[i].ptr, parts[i].len) == 1;
    ok = ok && EVP_MAC_final(ctx, out, &n, MAC_SIZE) == 1 && n == MAC_SIZE;
    EVP_MAC_CTX_free(ctx);
    EVP_MAC_free(mac);
    return ok;
}

ErrCode signing_secret_make(char out[SIGNING_SECRET_SIZE], Err *err)
{
    unsigned char raw[32];
    if (fault_hit("signing.random") || getrandom(raw, sizeof raw, 0) != sizeof raw)
        return err_set_errno(err, ERR_INTERNAL, errno, "no random bytes for a secret");
    memcpy(out, PREFIX.ptr, PREFIX.len);
    EVP_EncodeBlock((unsigned char *)out + PREFIX.len, raw, sizeof raw);
    OPENSSL_cleanse(raw, sizeof raw);
    return OK;
}

static bool read_key(Str secret, Key *out)
{
    enum { TEXT_MAX = (SIGNING_KEY_MAX + 2) / 3 * 4 };
    unsigned char text[TEXT_MAX], raw[TEXT_MAX];
    if (!str_starts(secret, PREFIX))
        return false;
    Str b64 = str_slice(secret, PREFIX.len, secret.len);
    while (b64.len > 0 && b64.ptr[b64.len - 1] == '=')
        b64.len--;
    size_t full = (b64.len + 3) / 4 * 4;
    if (b64.len == 0 || full > TEXT_MAX || b64.len % 4 == 1)
        return false;
    memset(text, '=', sizeof text);
    memcpy(text, b64.ptr, b64.len);
    int n = EVP_DecodeBlock(raw, text, (int)full);
    out->len = n > 0 ? (size_t)n - (full - b64.len) : 0;
    bool ok = out->len >= SIGNING_KEY_MIN && out->len <= SIGNING_KEY_MAX;
    if (ok)
        memcpy(out->bytes, raw, out->len);
    OPENSSL_cleanse(raw, sizeof raw);
    OPENSSL_cleanse(text, sizeof text);
    return ok;
}

static ErrCode get_key(Str secret, Key *out, Err *err)
{
    if (read_key(secret, out))
        return OK;
    err_set(err, ERR_BAD_PARAM, "a secret is whsec_ and the base64 of %d to %d bytes",
            SIGNING_KEY_MIN, SIGNING_KEY_MAX);
    err_param(err, "secret");
    return ERR_BAD_PARAM;
}

ErrCode signing_secret_check(Str secret, Err *err)
{
    Key key;
    ErrCode rc = get_key(secret, &key, err);
    OPENSSL_cleanse(&key, sizeof key);
    return rc;
}

/* base64 of the HMAC over id.time.body */
static ErrCode signature_of(Str secret, Str id, Str time, Str body, char out[MAC_TEXT + 1],
                            Err *err)
{
    Key key;
    unsigned char mac[MAC_SIZE];
    const Str parts[] = {id, STR("."), time, STR("."), body};
    ErrCode rc = get_key(secret, &key, err);
    if (rc != OK)
        return rc;
    bool ok = signing_hmac((Str){(char *)key.bytes, key.len}, parts, COUNT_OF(parts), mac);
    OPENSSL_cleanse(&key, sizeof key);
    if (!ok)
        return err_set(err, ERR_INTERNAL, "could not compute a signature");
    EVP_EncodeBlock((unsigned char *)out, mac, MAC_SIZE);
    return OK;
}

ErrCode signing_sign(const Str *secrets, size_t len, Str id, int64_t time_s, Str body, Arena *a,
                     Str *out, Err *err)
{
    char time[24], one[MAC_TEXT + 1];
    Buf b = buf_init(a, KIB);
    if (id.len == 0 || str_find_char(id, '.') != STR_NONE)
        return err_set(err, ERR_BAD_PARAM, "a message's id has no dot in it");
    snprintf(time, sizeof time, "%" PRId64, time_s);
    for (size_t i = 0; i < len; i++) {
        ErrCode rc = signature_of(secrets[i], id, str_from_c(time), body, one, err);
        if (rc != OK)
            return rc;
        buf_addf(&b, "%sv1,%s", i > 0 ? " " : "", one);
    }
    if (b.failed || len == 0)
        return err_set(err, len == 0 ? ERR_BAD_PARAM : ERR_NO_MEMORY, "nothing to sign with");
    *out = buf_str(&b);
    return OK;
}

/* True: one of the signatures of the header is this one. All are looked at. */
static bool has_signature(Str header, const char want[MAC_TEXT])
{
    Str rest = header, one;
    bool found = false;
    while (str_next(&rest, ' ', &one)) {
        Str mac = str_slice(one, 3, one.len);
        if (str_starts(one, STR("v1,")) && mac.len == MAC_TEXT &&
            CRYPTO_memcmp(mac.ptr, want, MAC_TEXT) == 0)
            found = true;
    }
    return found;
}

ErrCode signing_verify(const Str *secrets, size_t len, Str id, Str time, Str signature, Str body,
                       int64_t now_s, Err *err)
{
    int64_t time_s = 0;
    char want[MAC_TEXT + 1];
    bool found = false;
    if (id.len == 0 || signature.len == 0 || !str_to_i64(time, &time_s))
        return err_set(err, ERR_BAD_SIGNATURE,
                       "webhook-id, webhook-timestamp or webhook-signature is missing or is none");
    if (time_s < now_s - SIGNING_TOLERANCE_S || time_s > now_s + SIGNING_TOLERANCE_S)
        return err_set(err, ERR_BAD_SIGNATURE, "the message is more than %d s old or early",
                       SIGNING_TOLERANCE_S);
    for (size_t i = 0; i < len; i++) {
        ErrCode rc = signature_of(secrets[i], id, time, body, want, err);
        if (rc != OK)
            return rc;
        found = has_signature(signature, want) || found;
    }
    return found ? OK : err_set(err, ERR_BAD_SIGNATURE, "no signature fits the message");
}

ErrCode signing_verify_github(Str secret, Str signature, Str body, Err *err)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char mac[MAC_SIZE];
    char want[2 * MAC_SIZE];
    if (secret.len == 0)
        return err_set(err, ERR_BAD_SIGNATURE, "there is no secret to check the signature with");
    if (!str_starts(signature, STR("sha256=")) || signature.len != 7 + sizeof want)
        return err_set(err, ERR_BAD_SIGNATURE, "X-Hub-Signature-256 is missing or is none");
    if (!signing_hmac(secret, &body, 1, mac))
        return err_set(err, ERR_INTERNAL, "could not compute a signature");
    for (size_t i = 0; i < MAC_SIZE; i++) {
        want[2 * i] = digits[mac[i] >> 4];
        want[2 * i + 1] = digits[mac[i] & 15];
    }
    return CRYPTO_memcmp(signature.ptr + 7, want, sizeof want) == 0
               ? OK
               : err_set(err, ERR_BAD_SIGNATURE, "the signature does not fit the message");
}
