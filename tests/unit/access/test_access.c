#include "access/access.c" /* white box: the memory of checks is in reach */
#include "base/fd.h"
#include "access/session.c"
#include "unit/db/folder.h"

typedef struct Desk {
    Folder folder;
    Db *db;
    Access *a;
    Err err;
    int64_t project;
    char owner[ACCESS_KEY_TEXT];
} Desk;

static Desk desk_open(void)
{
    Desk d = {.folder = folder_open()};
    bool created = false;
    log_set_level(LOG_OFF);
    assert_ok(db_open(&(DbOptions){.path = d.folder.db_path}, &d.db, &d.err), &d.err);
    assert_ok(access_open(d.db, &d.a, &d.err), &d.err);
    assert_ok(access_first_start(d.a, &d.project, d.owner, &created, &d.err), &d.err);
    assert_true(created);
    return d;
}

static void desk_close(Desk *d)
{
    access_close(&d->a);
    db_close(&d->db);
    folder_close(&d->folder);
}

static ErrCode check(Desk *d, const char *text, Caller *out)
{
    *out = (Caller){0};
    return access_check(d->a, str_from_c(text), out, &d->err);
}

/* The used_ms updates under way are on disk. */
static void settle(Access *a)
{
    MUTEX_HELD(&a->lock);
    while (a->under_way > 0)
        cond_wait(&a->changed, &a->lock);
}

static KeyInfo info_of(Desk *d, int64_t id)
{
    static char hint[16];
    CLEANUP(arena_close) Arena *mem = arena_open(64 * KIB);
    KeyInfo *keys = NULL;
    size_t len = 0;
    assert_ok(access_key_list(d->a, d->project, mem, &keys, &len, &d->err), &d->err);
    for (size_t i = 0; i < len; i++)
        if (keys[i].id == id) {
            KeyInfo found = keys[i];
            snprintf(hint, sizeof hint, STR_FMT, STR_ARG(found.hint));
            found.hint = str_from_c(hint);
            found.name = STR("");
            return found;
        }
    fail_msg("key %" PRId64 " is not listed", id);
    return (KeyInfo){0};
}

TEST(the_first_start_makes_one_owner)
{
    Desk d = desk_open();
    Caller c;
    assert_int_equal(strlen(d.owner), KEY_TEXT_LEN);
    assert_ok(check(&d, d.owner, &c), &d.err);
    assert_int_equal(c.role, ROLE_OWNER);
    assert_true(c.project == d.project && c.key != 0);
    int64_t project = 0;
    bool created = true;
    char again[ACCESS_KEY_TEXT] = "untouched";
    assert_ok(access_first_start(d.a, &project, again, &created, &d.err), &d.err);
    assert_false(created);
    assert_true(project == d.project);
    assert_string_equal(again, "");
    desk_close(&d);
}

TEST(only_whole_keys_are_let_in)
{
    Desk d = desk_open();
    char wrong[ACCESS_KEY_TEXT + 8];
    Caller c;
    for (size_t i = 0; i < KEY_TEXT_LEN; i++) { /* each character counts */
        snprintf(wrong, sizeof wrong, "%s", d.owner);
        wrong[i] = wrong[i] == 'A' ? 'B' : 'A';
        assert_int_equal(check(&d, wrong, &c), ERR_UNAUTHORIZED);
        assert_int_equal(c.project, 0);
    }
    snprintf(wrong, sizeof wrong, "%s0", d.owner);
    assert_int_equal(check(&d, wrong, &c), ERR_UNAUTHORIZED);
    wrong[KEY_TEXT_LEN - 1] = 0;
    assert_int_equal(check(&d, wrong, &c), ERR_UNAUTHORIZED);
    assert_int_equal(check(&d, "", &c), ERR_UNAUTHORIZED);
    desk_close(&d);
}

TEST(keys_are_different_and_stored_hashed)
{
    Desk d = desk_open();
    int64_t id, other;
    char one[ACCESS_KEY_TEXT], two[ACCESS_KEY_TEXT];
    assert_ok(access_key_create(d.a, d.project, STR("one"), ROLE_RUNNER, &id, one, &d.err), &d.err);
    assert_ok(access_key_create(d.a, d.project, STR("two"), ROLE_RUNNER, &other, two, &d.err),
              &d.err);
    assert_string_not_equal(one, two);
    assert_int_not_equal(id, other);
    assert_int_equal(
        strspn(one + 3, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), 43);
    KeyInfo info = info_of(&d, id);
    assert_int_equal(info.hint.len, 7);
    assert_memory_equal(info.hint.ptr, one, 7);
    access_close(&d.a);
    db_close(&d.db);
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    Str bytes;
    assert_ok(fd_read_path(d.folder.db_path, a, 2 * MIB, &bytes, &d.err), &d.err);
    assert_true(str_find(bytes, str_from_c(one)) == STR_NONE);
    assert_true(str_find(bytes, str_slice(str_from_c(one), 0, 7)) !=
                STR_NONE); /* the hint is what was looked for */
    folder_close(&d.folder);
}

TEST(a_revoked_key_is_refused_at_once)
{
    Desk d = desk_open();
    int64_t id;
    char text[ACCESS_KEY_TEXT];
    Caller c;
    assert_ok(access_key_create(d.a, d.project, STR("guest"), ROLE_VIEWER, &id, text, &d.err),
              &d.err);
    assert_ok(check(&d, text, &c), &d.err);
    assert_ok(check(&d, text, &c), &d.err); /* from memory */
    assert_true(c.key == id && c.role == ROLE_VIEWER);
    assert_int_equal(access_key_revoke(d.a, d.project + 1, id, &d.err), ERR_NOT_FOUND);
    assert_ok(check(&d, text, &c), &d.err);
    assert_ok(access_key_revoke(d.a, d.project, id, &d.err), &d.err);
    assert_int_equal(check(&d, text, &c), ERR_UNAUTHORIZED);
    int64_t when = info_of(&d, id).revoked_ms;
    assert_true(when > 0);
    assert_ok(access_key_revoke(d.a, d.project, id, &d.err), &d.err);
    assert_true(info_of(&d, id).revoked_ms == when);
    assert_ok(check(&d, d.owner, &c), &d.err);
    desk_close(&d);
}

/* Between the look at the database and the entry into the memory somebody revokes. */
TEST(a_revocation_in_between_is_not_forgotten)
{
    Desk d = desk_open();
    Caller c;
    Found found;
    char hash[KEY_HASH_LEN + 1];
    bool due = false;
    assert_true(access_token_hash(KEY_PREFIX, str_from_c(d.owner), hash));
    uint64_t revocations = revocations_so_far(d.a);
    assert_ok(look_up_key(d.a, str_from_c(hash), &found, &d.err), &d.err);
    assert_ok(access_key_revoke(d.a, found.who.project, found.who.key, &d.err), &d.err);
    remember(d.a, hash, &found, revocations, clock_now_ms(), &due);
    assert_false(due);
    assert_int_equal(check(&d, d.owner, &c), ERR_UNAUTHORIZED);
    desk_close(&d);
}

TEST(the_time_of_use_is_written_once_a_minute)
{
    Desk d = desk_open();
    Caller c;
    int64_t before = clock_now_ms(), writes = db_stats(d.db).writes;
    for (int i = 0; i < 100; i++)
        assert_ok(check(&d, d.owner, &c), &d.err);
    settle(d.a);
    assert_int_equal(db_stats(d.db).writes, writes + 1);
    assert_true(info_of(&d, c.key).used_ms >= before);
    CacheSlot *slot = NULL;
    for (size_t i = 0; i < CACHE_SLOTS; i++)
        if (d.a->cache[i].caller.key == c.key)
            slot = &d.a->cache[i];
    assert_non_null(slot);
    slot->used_ms -= USED_EVERY_MS; /* a minute later, still remembered */
    assert_ok(check(&d, d.owner, &c), &d.err);
    slot->until_us = 0; /* forgotten: asked again, but not written again */
    assert_ok(check(&d, d.owner, &c), &d.err);
    settle(d.a);
    assert_int_equal(db_stats(d.db).writes, writes + 2);
    desk_close(&d);
}

TEST(roles_have_an_order_and_names)
{
    Err err = {0};
    for (int have = 0; have < ROLE_COUNT; have++) {
        assert_int_equal(role_from(str_from_c(role_name((Role)have))), have);
        for (int need = 0; need < ROLE_COUNT; need++)
            assert_int_equal(access_require(&(Caller){.role = (Role)have}, (Role)need, &err),
                             have >= need ? OK : ERR_FORBIDDEN);
    }
    assert_int_equal(role_from(STR("root")), ROLE_COUNT);
    assert_int_equal(access_require(&(Caller){.role = ROLE_COUNT}, ROLE_VIEWER, &err),
                     ERR_FORBIDDEN);
}

/* --- sessions --- */

static SessionNew sign_in(Desk *d, const char *key)
{
    SessionNew made;
    assert_ok(access_session_start(d->a, str_from_c(key), STR("::1"), &made, &d->err), &d->err);
    return made;
}

static ErrCode come_back(Desk *d, const SessionNew *s, Caller *out)
{
    *out = (Caller){0};
    return access_session_check(d->a, str_from_c(s->token), out, &d->err);
}

TEST(a_session_may_what_its_key_may)
{
    Desk d = desk_open();
    Caller c;
    SessionNew one = sign_in(&d, d.owner), two = sign_in(&d, d.owner);
    assert_string_not_equal(one.token, two.token);
    assert_true(one.expires_ms - clock_now_ms() <= LASTS_MS);
    for (int i = 0; i < 2; i++) { /* from the database, from memory */
        assert_ok(come_back(&d, &one, &c), &d.err);
        assert_true(c.role == ROLE_OWNER && c.project == d.project && c.session != 0);
    }
    assert_int_equal(check(&d, one.token, &c), ERR_UNAUTHORIZED);
    assert_int_equal(access_session_check(d.a, str_from_c(d.owner), &c, &d.err), ERR_UNAUTHORIZED);
    assert_ok(access_session_end(d.a, &one.who, &d.err), &d.err);
    assert_int_equal(come_back(&d, &one, &c), ERR_UNAUTHORIZED);
    assert_ok(come_back(&d, &two, &c), &d.err);
    assert_int_equal(access_session_end(d.a, &(Caller){.key = c.key}, &d.err), ERR_CONFLICT);
    desk_close(&d);
}

TEST(a_session_ends_with_its_key)
{
    Desk d = desk_open();
    int64_t id, left = -1;
    char text[ACCESS_KEY_TEXT];
    Caller c;
    DbConn *reader;
    assert_ok(access_key_create(d.a, d.project, STR("x"), ROLE_VIEWER, &id, text, &d.err), &d.err);
    SessionNew s = sign_in(&d, text);
    assert_ok(come_back(&d, &s, &c), &d.err);
    assert_ok(access_key_revoke(d.a, d.project, id, &d.err), &d.err);
    assert_int_equal(come_back(&d, &s, &c), ERR_UNAUTHORIZED);
    assert_ok(db_reader(d.db, &reader, &d.err), &d.err);
    const Query count = {.name = "count",
                         .text = "SELECT count(*) FROM session",
                         .index = sql_session_end.index}; /* a text of its own in this place */
    assert_ok(db_get_int(reader, &count, DB_NO_ARGS, -1, &left, &d.err), &d.err);
    assert_int_equal(left, 0);
    desk_close(&d);
}

static ErrCode make_old(DbConn *tx, void *arg, Err *err)
{
    const Query old = {.name = "old",
                       .text = "UPDATE session SET expires_ms = $1",
                       .index = sql_session_end_of_key.index,
                       .params = 1};
    return db_exec(tx, &old, DB_ARGS(DB_I(*(const int64_t *)arg)), NULL, err);
}

TEST(a_session_expires_and_is_swept)
{
    Desk d = desk_open();
    Caller c;
    SessionNew s = sign_in(&d, d.owner);
    int64_t over = clock_now_ms() - 1, soon = clock_now_ms() + 3600 * 1000;
    assert_ok(db_write(d.db, make_old, &soon, &d.err), &d.err);
    assert_ok(access_sessions_sweep(d.a, &d.err), &d.err);
    assert_ok(come_back(&d, &s, &c), &d.err);
    access_forget(d.a);
    assert_ok(db_write(d.db, make_old, &over, &d.err), &d.err);
    assert_int_equal(come_back(&d, &s, &c), ERR_UNAUTHORIZED);
    assert_ok(access_sessions_sweep(d.a, &d.err), &d.err);
    assert_ok(db_write(d.db, make_old, &soon, &d.err), &d.err);
    assert_int_equal(come_back(&d, &s, &c), ERR_UNAUTHORIZED); /* the row is gone */
    desk_close(&d);
}

/* What is remembered does not outlive the session. */
TEST(memory_ends_with_the_session)
{
    Desk d = desk_open();
    char hash[KEY_HASH_LEN + 1];
    bool due = false;
    SessionNew s = sign_in(&d, d.owner);
    Found found = {.who = s.who, .left_ms = 1};
    assert_true(access_token_hash(SESSION_PREFIX, str_from_c(s.token), hash));
    remember(d.a, hash, &found, 0, 0, &due);
    assert_true(slot_of(d.a, hash)->until_us <= clock_mono_us() + 1000);
    desk_close(&d);
}

TEST(the_oldest_session_makes_room)
{
    Desk d = desk_open();
    Caller c;
    SessionNew first = sign_in(&d, d.owner), second = sign_in(&d, d.owner);
    for (int i = 2; i <= SESSIONS_PER_KEY; i++)
        sign_in(&d, d.owner);
    assert_int_equal(come_back(&d, &first, &c), ERR_UNAUTHORIZED);
    assert_ok(come_back(&d, &second, &c), &d.err);
    desk_close(&d);
}

TEST(wrong_keys_are_counted_by_address)
{
    Desk d = desk_open();
    Str wrong = STR("pk_wrong"), owner = str_from_c(d.owner), peer = STR("192.0.2.7");
    SessionNew s;
    for (int i = 0; i < GUESSES_MAX; i++)
        assert_int_equal(access_session_start(d.a, wrong, peer, &s, &d.err), ERR_UNAUTHORIZED);
    assert_int_equal(access_session_start(d.a, owner, peer, &s, &d.err), ERR_TOO_MANY_REQUESTS);
    assert_ok(access_session_start(d.a, owner, STR("192.0.2.8"), &s, &d.err), &d.err);
    GuessSlot *slot = &d.a->guesses[peer_hash(peer) % GUESS_SLOTS];
    assert_int_equal(slot->wrong, GUESSES_MAX);
    slot->since_us -= GUESS_US + 1; /* a minute later */
    assert_ok(access_session_start(d.a, owner, peer, &s, &d.err), &d.err);
    desk_close(&d);
}

TEST(a_caller_is_described)
{
    Desk d = desk_open();
    CallerInfo info;
    Caller c;
    CLEANUP(arena_close) Arena *mem = arena_open(64 * KIB);
    SessionNew s = sign_in(&d, d.owner);
    assert_ok(access_describe(d.a, &s.who, mem, &info, &d.err), &d.err);
    assert_true(str_eq_c(info.project_name, "default") && str_eq_c(info.key_name, "owner"));
    assert_true(info.expires_ms == s.expires_ms);
    assert_ok(check(&d, d.owner, &c), &d.err);
    assert_ok(access_describe(d.a, &c, mem, &info, &d.err), &d.err);
    assert_true(info.expires_ms == 0);
    c.key++;
    assert_int_equal(access_describe(d.a, &c, mem, &info, &d.err), ERR_UNAUTHORIZED);
    desk_close(&d);
}

#ifdef PLATEN_FAULTS
static ErrCode use_keys(Desk *d, Arena *mem, Err *err)
{
    int64_t id;
    char text[ACCESS_KEY_TEXT];
    Caller c;
    KeyInfo *keys;
    size_t len;
    ErrCode rc = access_key_create(d->a, d->project, STR("x"), ROLE_EDITOR, &id, text, err);
    if (rc == OK)
        rc = access_check(d->a, str_from_c(text), &c, err);
    SessionNew session;
    CallerInfo info;
    if (rc == OK)
        rc = access_session_start(d->a, str_from_c(text), STR("peer"), &session, err);
    if (rc == OK)
        rc = access_session_check(d->a, str_from_c(session.token), &c, err);
    settle(d->a);
    if (rc == OK)
        rc = access_describe(d->a, &c, mem, &info, err);
    if (rc == OK)
        rc = access_session_end(d->a, &c, err);
    if (rc == OK)
        rc = access_sessions_sweep(d->a, err);
    if (rc == OK)
        rc = access_key_list(d->a, d->project, mem, &keys, &len, err);
    if (rc == OK)
        rc = access_key_revoke(d->a, d->project, id, err);
    return rc;
}

TEST(survives_every_failure)
{
    int failed = 0;
    for (int nth = 1;; nth++) {
        Desk d = desk_open();
        Err err = {0};
        CLEANUP(arena_close) Arena *mem = arena_open(64 * KIB);
        fault_arm(nth);
        ErrCode rc = use_keys(&d, mem, &err);
        bool delivered = fault_disarm();
        assert_int_equal(err.code, rc);
        desk_close(&d);
        failed += rc != OK;
        if (!delivered) {
            assert_int_equal(rc, OK);
            assert_true(failed > 8); /* that of used_ms is swallowed */
            return;
        }
    }
}
#else
TEST(survives_every_failure)
{
    skip();
}
#endif

TEST_MAIN(the_first_start_makes_one_owner, only_whole_keys_are_let_in,
          keys_are_different_and_stored_hashed, a_revoked_key_is_refused_at_once,
          a_revocation_in_between_is_not_forgotten, the_time_of_use_is_written_once_a_minute,
          roles_have_an_order_and_names, a_session_may_what_its_key_may,
          a_session_ends_with_its_key, a_session_expires_and_is_swept, memory_ends_with_the_session,
          the_oldest_session_makes_room, wrong_keys_are_counted_by_address, a_caller_is_described,
          survives_every_failure)
