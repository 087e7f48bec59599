/* webpush.h: messages that only a browser can read (RFC 8291, aes128gcm of RFC 8188), and who sends
 * them (VAPID, RFC 8292).
 *
 * A browser gives out an endpoint (an address of its maker's push service), a public key of P-256
 * and 16 secret bytes. A message is encrypted for that key with a new key of ours each time; the
 * service carries it without being able to read it. Its sender is a key pair of the installation:
 * the browser accepts messages of no other.
 *
 * Numbers are as the wire has them: public keys uncompressed (65 bytes), base64url without padding.
 * Fault sites: webpush.random, webpush.crypto. Pure otherwise. */
#ifndef PLATEN_NET_WEBPUSH_H
#define PLATEN_NET_WEBPUSH_H

#include "base/buf.h"
#include "base/err.h"

enum {
    WEBPUSH_PUBLIC = 65,
    WEBPUSH_PRIVATE = 32,
    WEBPUSH_AUTH = 16,
    WEBPUSH_SALT = 16,
    WEBPUSH_CLEAR_MAX = 3072, /* what every push service takes */
    WEBPUSH_TOKEN_S = 12 * 3600,
};

typedef struct WebpushPair {
    unsigned char private_key[WEBPUSH_PRIVATE], public_key[WEBPUSH_PUBLIC];
} WebpushPair;

MUST_CHECK ErrCode webpush_pair_make(WebpushPair *out, Err *err);
/* The pair of a private key. ERR_BAD_PARAM: it is none. */
MUST_CHECK ErrCode webpush_pair_of(const unsigned char private_key[WEBPUSH_PRIVATE],
                                   WebpushPair *out, Err *err);

typedef struct WebpushTarget {
    unsigned char public_key[WEBPUSH_PUBLIC], auth[WEBPUSH_AUTH];
} WebpushTarget;

/* keys.p256dh and keys.auth of a subscription. ERR_BAD_PARAM names which one is none. */
MUST_CHECK ErrCode webpush_target(Str p256dh, Str auth, WebpushTarget *out, Err *err);

/* The body of a message, in `a`. ERR_INPUT_TOO_LARGE above WEBPUSH_CLEAR_MAX. */
MUST_CHECK ErrCode webpush_encrypt(const WebpushTarget *to, Str clear, Arena *a, Str *out,
                                   Err *err);
/* The same with a key and salt that are given: for tests. */
MUST_CHECK ErrCode webpush_encrypt_with(const WebpushTarget *to, const WebpushPair *from,
                                        const unsigned char salt[WEBPUSH_SALT], Str clear, Arena *a,
                                        Str *out, Err *err);

/* "vapid t=…, k=…", for the header Authorization of a request to `endpoint` at now_s. subject: who
 * may be asked about these messages, an https: or mailto: address. */
MUST_CHECK ErrCode webpush_authorization(const WebpushPair *from, Str endpoint, Str subject,
                                         int64_t now_s, Arena *a, Str *out, Err *err);

/* base64url without padding. */
Str webpush_text(Arena *a, const unsigned char *bytes, size_t len); /* .ptr NULL: no memory */
/* Exactly `len` bytes, with padding or without. */
bool webpush_bytes(Str text, unsigned char *out, size_t len);

#endif
