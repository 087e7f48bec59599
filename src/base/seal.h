/* seal.h: short texts that only this installation can read: passwords, tokens, keys of other services.
 *
 * Form     "sealed:v1:" and base64 of nonce (12 bytes), AES-256-GCM ciphertext, tag (16 bytes).
 * Place    project, kind, owner and name are authenticated with the text, so a sealed text that is
 *          copied to another row, project or purpose does not open there.
 * Key      32 bytes: a file of the data folder (secret.key, mode 0600, made at first start), or the
 *          variable PLATEN_SECRET_KEY (64 hex digits, or base64), which goes before the file. Backups
 *          hold sealed texts and never the key: who has both can read them, so keep it elsewhere.
 *          Without it sealed texts are lost; nothing else is.
 *
 * What comes out of seal_read lives in the caller's arena: let it be a short-lived one.
 * Threads: any, once it is open. Fault sites: seal.random, seal.cipher. */
#ifndef PLATEN_BASE_SEAL_H
#define PLATEN_BASE_SEAL_H

#include "base/err.h"

typedef struct Seal Seal;

enum { SEAL_CLEAR_MAX = 2 << 20 };

/* The key of `path`, made when the file is not there; NULL: a key for as long as the process runs.
 * ERR_SECRET_KEY: file or variable hold no key. ERR_IO, ERR_DISK_FULL. */
MUST_CHECK ErrCode seal_open(const char *path, Seal **out, Err *err);
void seal_close(Seal **s);

typedef struct SealPlace {
    int64_t project;
    const char *kind; /* "secret", "params", "webhook" … */
    int64_t owner;    /* of a row; 0: none */
    Str name;
} SealPlace;

/* ERR_SECRET_KEY when `s` is NULL: nobody opened one. */
MUST_CHECK ErrCode seal_text(const Seal *s, const SealPlace *where, Str clear, Arena *a, Str *out,
                             Err *err);
/* ERR_SECRET_KEY: another key, another place, or changed bytes: which of them cannot be told. */
MUST_CHECK ErrCode seal_read(const Seal *s, const SealPlace *where, Str sealed, Arena *a, Str *out,
                             Err *err);
/* Has it the form of a sealed text? */
bool seal_is(Str text);

/* Overwrite what is not needed any more. */
void seal_wipe(void *bytes, size_t size);

#endif
