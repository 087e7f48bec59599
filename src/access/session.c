/* session.c: sessions of browsers: a key is changed for a cookie. */
#include "access/access_in.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "db/queries.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <string.h>

static const int64_t LASTS_MS = INT64_C(1000) * 3600 * 24 * SESSION_DAYS,
                     GUESS_US = INT64_C(60) * 1000000;
enum { GUESSES_MAX = 10 };

/* --- wrong keys --- */

/* FNV-1a: it only spreads addresses over the table. */
static uint64_t peer_hash(Str peer)
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < peer.len; i++)
        h = (h ^ (unsigned char)peer.ptr[i]) * UINT64_C(1099511628211);
    return h;
}

static GuessSlot *guess_slot_locked(Access *a, Str peer)
{
    mutex_assert_held(&a->lock);
    uint64_t hash = peer_hash(peer);
    GuessSlot *slot = &a->guesses[hash % GUESS_SLOTS];
    if (slot->peer != hash || clock_mono_us() - slot->since_us > GUESS_US)
        *slot = (GuessSlot){.peer = hash, .since_us = clock_mono_us()};
    return slot;
}

static ErrCode may_guess(Access *a, Str peer, Err *err)
{
    MUTEX_HELD(&a->lock);
    if (guess_slot_locked(a, peer)->wrong < GUESSES_MAX)
        return OK;
    return err_set(err, ERR_TOO_MANY_REQUESTS, "%d wrong keys came from this address in a minute",
                   GUESSES_MAX);
}

static void guessed_wrong(Access *a, Str peer)
{
    {
        MUTEX_HELD(&a->lock);
        guess_slot_locked(a, peer)->wrong++;
    }
    LOG(WARN, KEY_REFUSED, KV("peer", peer));
}

/* --- starting --- */

typedef struct NewSession {
    int64_t id, now_ms;
    char hash[KEY_HASH_LEN + 1];
    SessionNew *out;
} NewSession;

static ErrCode write_session(DbConn *tx, void *arg, Err *err)
{
    const NewSession *s = arg;
    const Caller *who = &s->out->who;
    ErrCode rc =
        db_exec(tx, &sql_session_add,
                DB_ARGS(DB_I(s->id), DB_I(who->project), DB_I(who->key), DB_S(str_from_c(s->hash)),
                        DB_I(s->now_ms), DB_I(s->out->expires_ms)),
                NULL, err);
    if (rc != OK)
        return rc;
    return db_exec(tx, &sql_session_crowd, DB_ARGS(DB_I(who->key), DB_I(SESSIONS_PER_KEY)), NULL,
                   err);
}

ErrCode access_session_start(Access *a, Str key_text, Str peer, SessionNew *out, Err *err)
{
    NewSession s = {.id = id_new(), .now_ms = clock_now_ms(), .out = out};
    *out = (SessionNew){.expires_ms = s.now_ms + LASTS_MS};
    ErrCode rc = may_guess(a, peer, err);
    if (rc != OK)
        return rc;
    rc = access_check(a, key_text, &out->who, err);
    if (rc == ERR_UNAUTHORIZED)
        guessed_wrong(a, peer);
    if (rc == OK)
        rc = access_token_make(SESSION_PREFIX, out->token, err);
    if (rc != OK)
        return rc;
    bool has_form = access_token_hash(SESSION_PREFIX, str_from_c(out->token), s.hash);
    assert(has_form); /* we have just made it */
    (void)has_form;
    rc = db_write(a->db, write_session, &s, err);
    if (rc != OK) {
        OPENSSL_cleanse(out, sizeof *out);
        return rc;
    }
    out->who.session = s.id;
    LOG(INFO, SESSION_STARTED, KV("session", s.id), KV("key", out->who.key));
    return OK;
}

/* --- checking --- */

static ErrCode look_up_session(Access *a, Str hash, Found *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    DbConn *c = NULL;
    int64_t now_ms = clock_now_ms();
    ErrCode rc = db_reader(a->db, &c, err);
    if (rc == OK)
        rc = db_query(c, &sql_session_check, DB_ARGS(DB_S(hash), DB_I(now_ms)), &rows, err);
    if (rc != OK)
        return rc;
    if (!db_next(&rows, &rc, err)) {
        if (rc == OK)
            rc = err_set(err, ERR_UNAUTHORIZED, "the session is over");
        err_hint(err, "Sign in again with a key.");
        return rc;
    }
    *out = (Found){.who = {.session = db_int(&rows, 0),
                           .key = db_int(&rows, 1),
                           .project = db_int(&rows, 2),
                           .role = role_from(db_str(&rows, 3))},
                   .used_ms = db_int(&rows, 4),
                   .left_ms = db_int(&rows, 5) - now_ms};
    return OK;
}

ErrCode access_session_check(Access *a, Str token, Caller *out, Err *err)
{
    char hash[KEY_HASH_LEN + 1];
    if (access_token_hash(SESSION_PREFIX, token, hash))
        return access_find(a, hash, look_up_session, out, err);
    err_set(err, ERR_UNAUTHORIZED, "the cookie is not one of ours");
    err_hint(err, "Sign in again with a key.");
    return ERR_UNAUTHORIZED;
}

/* --- ending --- */

static ErrCode write_end(DbConn *tx, void *arg, Err *err)
{
    const Caller *who = arg;
    return db_exec(tx, &sql_session_end, DB_ARGS(DB_I(who->session)), NULL, err);
}

ErrCode access_session_end(Access *a, const Caller *who, Err *err)
{
    Caller copy = *who;
    if (who->session == 0)
        return err_set(err, ERR_CONFLICT, "the request came with a key, not with a session");
    ErrCode rc = db_write(a->db, write_end, &copy, err);
    if (rc != OK)
        return rc;
    LOG(INFO, SESSION_ENDED, KV("session", who->session));
    access_forget(a);
    return OK;
}

static ErrCode write_sweep(DbConn *tx, void *arg, Err *err)
{
    const int64_t *now_ms = arg;
    return db_exec(tx, &sql_session_expired, DB_ARGS(DB_I(*now_ms)), NULL, err);
}

ErrCode access_sessions_sweep(Access *a, Err *err)
{
    int64_t now_ms = clock_now_ms();
    return db_write(a->db, write_sweep, &now_ms, err);
}

/* --- who --- */

ErrCode access_describe(Access *a, const Caller *who, Arena *mem, CallerInfo *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    DbConn *c = NULL;
    ErrCode rc = db_reader(a->db, &c, err);
    if (rc == OK)
        rc = db_query(c, &sql_session_who,
                      DB_ARGS(DB_I(who->project), DB_I(who->key), DB_I(who->session)), &rows, err);
    if (rc != OK)
        return rc;
    if (!db_next(&rows, &rc, err))
        return rc != OK ? rc : err_set(err, ERR_UNAUTHORIZED, "the API key is unknown or revoked");
    *out = (CallerInfo){.project_name = db_str_copy(&rows, 0, mem),
                        .key_name = db_str_copy(&rows, 1, mem),
                        .expires_ms = db_int(&rows, 2)};
    if (out->project_name.ptr == NULL || out->key_name.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the answer");
    return OK;
}
