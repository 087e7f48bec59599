/* signing.h: who sent this, and is it what was sent.
 *
 * Standard Webhooks 1.0.0: a message has an id, a time and a body; the signature is HMAC-SHA256 over
 * "id.time.body". While a secret is replaced there are two: the sender signs with both, "v1,… v1,…",
 * and the receiver takes any that fits. GitHub: "sha256=" and hex over the body.
 *
 * Comparisons take the same time whatever differs. Pure. */
#ifndef PLATEN_NET_SIGNING_H
#define PLATEN_NET_SIGNING_H

#include "base/err.h"

enum {
    SIGNING_SECRET_SIZE = 64, /* of a secret made here: "whsec_" and base64 of 32 bytes, and 0 */
    SIGNING_KEY_MIN = 24,     /* bytes behind a secret */
    SIGNING_KEY_MAX = 64,
    SIGNING_TOLERANCE_S = 300,
    SIGNING_SECRETS_MAX = 8
};

/* ERR_INTERNAL: no random bytes. */
MUST_CHECK ErrCode signing_secret_make(char out[SIGNING_SECRET_SIZE], Err *err);
/* ERR_BAD_PARAM "secret": not whsec_ and base64 of SIGNING_KEY_MIN to SIGNING_KEY_MAX bytes. */
MUST_CHECK ErrCode signing_secret_check(Str secret, Err *err);

/* The header webhook-signature, in `a`. An id with a dot in it is refused (ERR_BAD_PARAM). */
MUST_CHECK ErrCode signing_sign(const Str *secrets, size_t len, Str id, int64_t time_s, Str body,
                                Arena *a, Str *out, Err *err);
/* The three headers as they came. ERR_BAD_SIGNATURE; ERR_BAD_PARAM for a secret that is none. */
MUST_CHECK ErrCode signing_verify(const Str *secrets, size_t len, Str id, Str time, Str signature,
                                  Str body, int64_t now_s, Err *err);
/* X-Hub-Signature-256 as it came; the secret is any text. ERR_BAD_SIGNATURE. */
MUST_CHECK ErrCode signing_verify_github(Str secret, Str signature, Str body, Err *err);

/* HMAC-SHA256 over the parts one after the other. False: libcrypto failed. */
MUST_CHECK bool signing_hmac(Str key, const Str *parts, size_t len, unsigned char out[32]);

#endif
