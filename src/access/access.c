/* access.c: checks with a short memory, and the keys behind them. */
#include "access/access_in.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "db/queries.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* How long a check is remembered, how often the time of use is written. */
enum { REMEMBER_US = 5 * 1000 * 1000, USED_EVERY_MS = 60 * 1000, KEYS_LISTED_MAX = 1000 };

/* --- roles --- */

static const char *const role_names[ROLE_COUNT] = {
    [ROLE_VIEWER] = "viewer", [ROLE_RUNNER] = "runner", [ROLE_REVIEWER] = "reviewer",
    [ROLE_EDITOR] = "editor", [ROLE_OWNER] = "owner",
};

const char *role_name(Role r)
{
    return (int)r >= 0 && r < ROLE_COUNT ? role_names[r] : "unknown";
}

Role role_from(Str name)
{
    for (int r = 0; r < ROLE_COUNT; r++)
        if (str_eq_c(name, role_names[r]))
            return (Role)r;
    return ROLE_COUNT;
}

ErrCode access_require(const Caller *c, Role at_least, Err *err)
{
    if (c->role >= at_least && c->role < ROLE_COUNT)
        return OK;
    return err_set(err, ERR_FORBIDDEN, "the key is a %s's, this needs %s", role_name(c->role),
                   role_name(at_least));
}

/* --- open and close --- */

ErrCode access_open(Db *db, Access **out, Err *err)
{
    Access *a = calloc(1, sizeof *a);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "opening the keys");
    a->db = db;
    mutex_init(&a->lock);
    cond_init(&a->changed);
    *out = a;
    return OK;
}

void access_close(Access **access)
{
    Access *a = *access;
    if (a == NULL)
        return;
    mutex_lock(&a->lock);
    while (a->under_way > 0)
        cond_wait(&a->changed, &a->lock);
    mutex_unlock(&a->lock);
    mutex_done(&a->lock);
    cond_done(&a->changed);
    OPENSSL_cleanse(a->cache, sizeof a->cache);
    free(a);
    *access = NULL;
}

/* --- checking --- */

static CacheSlot *slot_of(Access *a, const char *hash)
{
    unsigned n = 0;
    for (int i = 0; i < 4; i++)
        n = n * 31 + (unsigned char)hash[i];
    return &a->cache[n % CACHE_SLOTS];
}

/* A write of its own, because the check does not wait for it. */
typedef struct UsedWrite {
    DbWrite write; /* first */
    Access *access;
    Caller who;
    int64_t now_ms;
} UsedWrite;

static ErrCode write_used(DbConn *tx, void *arg, Err *err)
{
    const UsedWrite *u = arg;
    ErrCode rc =
        db_exec(tx, &sql_key_used, DB_ARGS(DB_I(u->who.key), DB_I(u->who.project), DB_I(u->now_ms)),
                NULL, err);
    if (rc == OK && u->who.session != 0)
        rc = db_exec(tx, &sql_session_used, DB_ARGS(DB_I(u->who.session), DB_I(u->now_ms)), NULL,
                     err);
    return rc;
}

static void used_written(DbWrite *w, ErrCode rc, const Err *err)
{
    UsedWrite *u = (UsedWrite *)w;
    Access *a = u->access;
    (void)rc; /* only a hint for people, tried again in a minute; the database has logged why */
    (void)err;
    free(u);
    MUTEX_HELD(&a->lock);
    a->under_way--;
    cond_broadcast(&a->changed);
}

/* True: `caller` should be handed to write_used, the slot already says so. */
static bool due_locked(Access *a, CacheSlot *slot, int64_t now_ms)
{
    mutex_assert_held(&a->lock);
    if (now_ms - slot->used_ms < USED_EVERY_MS)
        return false;
    slot->used_ms = now_ms;
    a->under_way++;
    return true;
}

static void hand_in_used(Access *a, const Caller *c, int64_t now_ms)
{
    UsedWrite *u = malloc(sizeof *u);
    if (u == NULL) {
        MUTEX_HELD(&a->lock);
        a->under_way--;
        cond_broadcast(&a->changed);
        return;
    }
    *u = (UsedWrite){.write = {.fn = write_used, .arg = u, .done = used_written},
                     .access = a,
                     .who = *c,
                     .now_ms = now_ms};
    db_write_async(a->db, &u->write);
}

static bool remembered(Access *a, const char *hash, Caller *out, bool *due, int64_t now_ms)
{
    MUTEX_HELD(&a->lock);
    CacheSlot *slot = slot_of(a, hash);
    if (slot->until_us < clock_mono_us() || CRYPTO_memcmp(slot->hash, hash, KEY_HASH_LEN) != 0)
        return false;
    *out = slot->caller;
    *due = due_locked(a, slot, now_ms);
    return true;
}

/* *due is left alone when a revocation came in between: the answer still holds for this caller, but
 * is not kept. */
static void remember(Access *a, const char *hash, const Found *found, uint64_t revocations,
                     int64_t now_ms, bool *due)
{
    int64_t used_ms = found->used_ms, left_us = found->left_ms * 1000;
    MUTEX_HELD(&a->lock);
    if (a->revocations != revocations)
        return;
    CacheSlot *slot = slot_of(a, hash);
    if (memcmp(slot->hash, hash, KEY_HASH_LEN) == 0 && slot->used_ms > used_ms)
        used_ms = slot->used_ms; /* handed in, perhaps not yet on disk */
    memcpy(slot->hash, hash, sizeof slot->hash);
    slot->caller = found->who;
    slot->until_us = clock_mono_us() + (left_us < REMEMBER_US ? left_us : REMEMBER_US);
    slot->used_ms = used_ms;
    *due = due_locked(a, slot, now_ms);
}

static ErrCode look_up_key(Access *a, Str hash, Found *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    DbConn *c = NULL;
    ErrCode rc = db_reader(a->db, &c, err);
    if (rc == OK)
        rc = db_query(c, &sql_key_check, DB_ARGS(DB_S(hash)), &rows, err);
    if (rc != OK)
        return rc;
    if (!db_next(&rows, &rc, err))
        return rc != OK ? rc : err_set(err, ERR_UNAUTHORIZED, "the API key is unknown or revoked");
    *out = (Found){.who = {.key = db_int(&rows, 0),
                           .project = db_int(&rows, 1),
                           .role = role_from(db_str(&rows, 2))},
                   .used_ms = db_int(&rows, 3),
                   .left_ms = REMEMBER_US};
    return OK;
}

static uint64_t revocations_so_far(Access *a)
{
    MUTEX_HELD(&a->lock);
    return a->revocations;
}

void access_forget(Access *a)
{
    MUTEX_HELD(&a->lock);
    a->revocations++;
    memset(a->cache, 0, sizeof a->cache);
}

ErrCode access_find(Access *a, const char *hash, LookUp look_up, Caller *out, Err *err)
{
    bool due = false;
    Found found;
    int64_t now_ms = clock_now_ms();
    if (!remembered(a, hash, &found.who, &due, now_ms)) {
        uint64_t revocations = revocations_so_far(a);
        ErrCode rc = look_up(a, (Str){hash, KEY_HASH_LEN}, &found, err);
        if (rc != OK)
            return rc;
        remember(a, hash, &found, revocations, now_ms, &due);
    }
    if (due)
        hand_in_used(a, &found.who, now_ms);
    *out = found.who;
    return OK;
}

ErrCode access_check(Access *a, Str key_text, Caller *out, Err *err)
{
    char hash[KEY_HASH_LEN + 1];
    if (key_text.len == 0)
        return err_set(err, ERR_UNAUTHORIZED, "no API key was sent");
    if (!access_token_hash(KEY_PREFIX, key_text, hash))
        return err_set(err, ERR_UNAUTHORIZED, "this does not look like an API key");
    return access_find(a, hash, look_up_key, out, err);
}

/* --- keys --- */

typedef struct NewKey {
    int64_t id, project, now_ms;
    Str name;
    Role role;
    char text[ACCESS_KEY_TEXT], hash[KEY_HASH_LEN + 1];
    bool with_project, existed; /* first start */
} NewKey;

static ErrCode new_key(int64_t project, Str name, Role role, NewKey *out, Err *err)
{
    *out = (NewKey){
        .id = id_new(), .project = project, .now_ms = clock_now_ms(), .name = name, .role = role};
    ErrCode rc = access_token_make(KEY_PREFIX, out->text, err);
    bool has_form = rc != OK || access_token_hash(KEY_PREFIX, str_from_c(out->text), out->hash);
    assert(has_form); /* we have just made it */
    (void)has_form;
    return rc;
}

static ErrCode write_key(DbConn *tx, void *arg, Err *err)
{
    const NewKey *k = arg;
    return db_exec(tx, &sql_key_add,
                   DB_ARGS(DB_I(k->id), DB_I(k->project), DB_S(k->name),
                           DB_S(str_from_c(role_name(k->role))), DB_S(str_from_c(k->hash)),
                           DB_S(((Str){k->text, KEY_HINT_LEN})), DB_I(k->now_ms)),
                   NULL, err);
}

static ErrCode write_first(DbConn *tx, void *arg, Err *err)
{
    NewKey *k = arg;
    int64_t first = 0;
    ErrCode rc = db_get_int(tx, &sql_project_first, DB_NO_ARGS, 0, &first, err);
    if (rc != OK)
        return rc;
    k->existed = first != 0;
    if (k->existed) {
        k->project = first;
        return OK;
    }
    rc = db_exec(tx, &sql_project_add,
                 DB_ARGS(DB_I(k->project), DB_S(STR("default")), DB_I(k->now_ms)), NULL, err);
    return rc == OK ? write_key(tx, k, err) : rc;
}

ErrCode access_first_start(Access *a, int64_t *project, char key_text[ACCESS_KEY_TEXT],
                           bool *created, Err *err)
{
    NewKey k;
    ErrCode rc = new_key(id_new(), STR("owner"), ROLE_OWNER, &k, err);
    if (rc == OK)
        rc = db_write(a->db, write_first, &k, err);
    if (rc == OK) {
        *project = k.project;
        *created = !k.existed;
        memcpy(key_text, k.existed ? "" : k.text, k.existed ? 1 : sizeof k.text);
    }
    if (rc == OK && !k.existed)
        LOG(INFO, KEY_CREATED, KV("key", k.id), KV("role", role_name(k.role)));
    OPENSSL_cleanse(&k, sizeof k);
    return rc;
}

ErrCode access_key_create(Access *a, int64_t project, Str name, Role role, int64_t *id,
                          char key_text[ACCESS_KEY_TEXT], Err *err)
{
    NewKey k;
    assert(role < ROLE_COUNT);
    ErrCode rc = new_key(project, name, role, &k, err);
    if (rc == OK)
        rc = db_write(a->db, write_key, &k, err);
    if (rc == OK) {
        *id = k.id;
        memcpy(key_text, k.text, sizeof k.text);
        LOG(INFO, KEY_CREATED, KV("key", k.id), KV("role", role_name(role)));
    }
    OPENSSL_cleanse(&k, sizeof k);
    return rc;
}

typedef struct Revocation {
    int64_t project, id, now_ms;
} Revocation;

/* A key that is revoked already stays so: asking twice is no error. */
static ErrCode write_revocation(DbConn *tx, void *arg, Err *err)
{
    const Revocation *r = arg;
    int64_t found = 0;
    ErrCode rc =
        db_get_int(tx, &sql_key_exists, DB_ARGS(DB_I(r->id), DB_I(r->project)), 0, &found, err);
    if (rc == OK && found == 0)
        return err_set(err, ERR_NOT_FOUND, "there is no such key");
    if (rc != OK)
        return rc;
    rc = db_exec(tx, &sql_key_revoke, DB_ARGS(DB_I(r->id), DB_I(r->project), DB_I(r->now_ms)), NULL,
                 err);
    return rc == OK ? db_exec(tx, &sql_session_end_of_key, DB_ARGS(DB_I(r->id)), NULL, err) : rc;
}

ErrCode access_key_revoke(Access *a, int64_t project, int64_t id, Err *err)
{
    Revocation r = {project, id, clock_now_ms()};
    ErrCode rc = db_write(a->db, write_revocation, &r, err);
    if (rc != OK)
        return rc;
    LOG(INFO, KEY_REVOKED, KV("key", id));
    access_forget(a);
    return OK;
}

static bool read_key(const DbRows *rows, int64_t project, Arena *mem, KeyInfo *out)
{
    *out = (KeyInfo){
        .id = db_int(rows, 0),
        .project = project,
        .name = db_str_copy(rows, 2, mem),
        .role = role_from(db_str(rows, 3)),
        .hint = db_str_copy(rows, 4, mem),
        .created_ms = db_int(rows, 5),
        .revoked_ms = db_int(rows, 6),
        .used_ms = db_int(rows, 7),
    };
    return out->name.ptr != NULL && out->hint.ptr != NULL;
}

ErrCode access_key_list(Access *a, int64_t project, Arena *mem, KeyInfo **out, size_t *len,
                        Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    DbConn *c = NULL;
    size_t n = 0, cap = 0;
    KeyInfo *list = NULL;
    ErrCode rc = db_reader(a->db, &c, err);
    if (rc == OK)
        rc = db_query(c, &sql_key_list, DB_ARGS(DB_I(project), DB_I(KEYS_LISTED_MAX)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        if (n == cap) {
            KeyInfo *grown = arena_new(mem, KeyInfo, cap == 0 ? 8 : cap * 2);
            if (grown != NULL && n > 0)
                memcpy(grown, list, n * sizeof *list);
            cap = cap == 0 ? 8 : cap * 2;
            list = grown;
        }
        if (list == NULL || !read_key(&rows, project, mem, &list[n++]))
            rc = err_set(err, ERR_NO_MEMORY, "listing keys");
    }
    if (rc == OK) {
        *out = list;
        *len = n;
    }
    return rc;
}
