/* access.h: projects, keys, roles: who may do what.
 *
 * A key is shown once, when it is made: "pk_" + 43 characters (32 random bytes, base64url). Stored
 * is its SHA-256; a key has full entropy, so a slow hash would buy nothing. Checks are remembered
 * for a few seconds per process (revocation empties it).
 *
 *   role      may
 *   viewer    read jobs, events, documents, blobs
 *   runner    + start and cancel jobs, upload
 *   reviewer  + approve (later issues)
 *   editor    + change documents, redrive dead letters
 *   owner     + keys, settings, backup
 */
#ifndef PLATEN_ACCESS_ACCESS_H
#define PLATEN_ACCESS_ACCESS_H

#include "db/db.h"

typedef enum Role {
    ROLE_VIEWER,
    ROLE_RUNNER,
    ROLE_REVIEWER,
    ROLE_EDITOR,
    ROLE_OWNER,
    ROLE_COUNT
} Role;
const char *role_name(Role r);
Role role_from(Str name); /* ROLE_COUNT when unknown */

typedef struct Caller {
    int64_t project, key;
    Role role;
} Caller;

enum { ACCESS_KEY_TEXT = 48 };

typedef struct KeyInfo {
    int64_t id, project, created_ms, revoked_ms, used_ms; /* used_ms: to the minute */
    Str name, hint;                                       /* hint: the key's first 7 characters */
    Role role;
} KeyInfo;

typedef struct Access Access;
MUST_CHECK ErrCode access_open(Db *db, Access **out, Err *err);
void access_close(Access **a);

/* First start: make the project "default" and its owner key, whose text goes to `key_text`.
 * *created is false when there is a project already. */
MUST_CHECK ErrCode access_first_start(Access *a, int64_t *project, char key_text[ACCESS_KEY_TEXT],
                                      bool *created, Err *err);
/* ERR_UNAUTHORIZED. Constant time in the key's bytes. */
MUST_CHECK ErrCode access_check(Access *a, Str key_text, Caller *out, Err *err);
MUST_CHECK ErrCode access_require(const Caller *c, Role at_least, Err *err); /* ERR_FORBIDDEN */

MUST_CHECK ErrCode access_key_create(Access *a, int64_t project, Str name, Role role, int64_t *id,
                                     char key_text[ACCESS_KEY_TEXT], Err *err);
MUST_CHECK ErrCode access_key_revoke(Access *a, int64_t project, int64_t id, Err *err);
MUST_CHECK ErrCode access_key_list(Access *a, int64_t project, Arena *mem, KeyInfo **out,
                                   size_t *len, Err *err);

#endif
