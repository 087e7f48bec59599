/* secret.h: values of a project that nobody reads back: passwords and tokens that pipelines hand to
 * steps as secrets.NAME.
 *
 * They lie in the database sealed (base/seal.h) and leave it only into parameters that a contract
 * marks secret. The API gives names and times. The database must have a seal: db_attach_seal.
 *
 * Threads: any; secret_get and secret_list work on a reader and inside a write function. */
#ifndef PLATEN_SECRET_SECRET_H
#define PLATEN_SECRET_SECRET_H

#include "db/db.h"

enum { SECRET_NAME_MAX = 64, SECRET_VALUE_MAX = 64 * 1024, SECRETS_MAX = 1000 };

typedef struct SecretInfo {
    Str name;
    int64_t created_ms, changed_ms;
    int64_t by; /* id of the key that wrote it last; 0: not known */
} SecretInfo;

/* A-Z a-z 0-9 _ - ; begins with a letter. */
bool secret_name_ok(Str name);

/* Store or replace. ERR_BAD_PARAM (name, value), ERR_LIMIT_COUNT, ERR_SECRET_KEY. */
MUST_CHECK ErrCode secret_put(Db *db, int64_t project, Str name, Str value, int64_t by,
                              SecretInfo *out, Err *err);
/* ERR_NOT_FOUND. */
MUST_CHECK ErrCode secret_remove(Db *db, int64_t project, Str name, Err *err);
/* In the order of names; memory from `a`. */
MUST_CHECK ErrCode secret_list(DbConn *c, int64_t project, Arena *a, SecretInfo **out, size_t *len,
                               Err *err);
/* The value. ERR_UNKNOWN_SECRET, ERR_SECRET_KEY. */
MUST_CHECK ErrCode secret_get(DbConn *c, int64_t project, Str name, Arena *a, Str *out, Err *err);

#endif
