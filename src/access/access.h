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
 *
 * A browser holds no key: it changes one for a session, a cookie of its own ("ps_" + 43 characters,
 * stored hashed as well) that may what the key may, for 30 days at most and as long as the key
 * lives.
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
    int64_t session; /* 0: it came with the key itself */
    Role role;
} Caller;

enum { ACCESS_KEY_TEXT = 48 }; /* of a key or a session, with the 0 */

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

/* --- sessions --- */

enum { SESSION_DAYS = 30, SESSIONS_PER_KEY = 100 };

typedef struct SessionNew {
    Caller who;
    char token[ACCESS_KEY_TEXT]; /* for the cookie; kept nowhere else */
    int64_t expires_ms;
} SessionNew;

/* Change a key for a session; beyond SESSIONS_PER_KEY the oldest one ends. `peer` is who asks: after
 * 10 wrong keys in a minute it hears ERR_TOO_MANY_REQUESTS, with a right one, too.
 * ERR_UNAUTHORIZED: there is no such key. */
MUST_CHECK ErrCode access_session_start(Access *a, Str key_text, Str peer, SessionNew *out,
                                        Err *err);
/* As access_check, for the token of a session. */
MUST_CHECK ErrCode access_session_check(Access *a, Str token, Caller *out, Err *err);
/* The session of `who` is over at once, everywhere in this process. */
MUST_CHECK ErrCode access_session_end(Access *a, const Caller *who, Err *err);
/* Remove what has expired. */
MUST_CHECK ErrCode access_sessions_sweep(Access *a, Err *err);

typedef struct CallerInfo {
    Str project_name, key_name;
    int64_t expires_ms; /* of the session; 0: none */
} CallerInfo;
MUST_CHECK ErrCode access_describe(Access *a, const Caller *who, Arena *mem, CallerInfo *out,
                                   Err *err);

#endif
