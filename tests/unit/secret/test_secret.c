/* Secrets of projects: stored sealed, found by project and name. */
#include "base/seal.h"
#include "secret/secret.h"
#include "unit/db/folder.h"

#include <fcntl.h>

typedef struct Desk {
    Folder folder;
    Db *db;
    Seal *seal;
    DbConn *c;
    Arena *a;
    Err err;
} Desk;

static Desk desk_open(void)
{
    Desk d = {.folder = folder_open(), .a = arena_open(64 * MIB)};
    log_set_level(LOG_OFF);
    assert_ok(db_open(&(DbOptions){.path = d.folder.db_path}, &d.db, &d.err), &d.err);
    assert_ok(seal_open(NULL, &d.seal, &d.err), &d.err);
    db_attach_seal(d.db, d.seal);
    assert_ok(db_reader(d.db, &d.c, &d.err), &d.err);
    return d;
}

static void desk_close(Desk *d)
{
    db_close(&d->db);
    seal_close(&d->seal);
    arena_close(&d->a);
    folder_close(&d->folder);
}

static ErrCode put(Desk *d, int64_t project, const char *name, const char *value)
{
    SecretInfo info;
    return secret_put(d->db, project, str_from_c(name), str_from_c(value), 5, &info, &d->err);
}

static const char *get(Desk *d, int64_t project, const char *name)
{
    Str out;
    ErrCode rc = secret_get(d->c, project, str_from_c(name), d->a, &out, &d->err);
    return rc == OK ? str_to_c(d->a, out) : err_reason(rc);
}

TEST(put_get_list_remove)
{
    Desk d = desk_open();
    SecretInfo *list = NULL;
    size_t len = 0;
    assert_string_equal(get(&d, 1, "A"), "unknown_secret");
    assert_ok(put(&d, 1, "B", "two"), &d.err);
    assert_ok(put(&d, 1, "A", "one"), &d.err);
    assert_ok(put(&d, 2, "A", "other"), &d.err);
    assert_ok(put(&d, 1, "A", "again"), &d.err);
    assert_string_equal(get(&d, 1, "A"), "again");
    assert_string_equal(get(&d, 2, "A"), "other");
    assert_string_equal(get(&d, 3, "A"), "unknown_secret");
    assert_ok(secret_list(d.c, 1, d.a, &list, &len, &d.err), &d.err);
    assert_int_equal(len, 2);
    assert_str_equal(list[0].name, "A");
    assert_true(list[0].changed_ms >= list[0].created_ms && list[0].by == 5);
    assert_ok(secret_remove(d.db, 1, STR("A"), &d.err), &d.err);
    assert_int_equal(secret_remove(d.db, 1, STR("A"), &d.err), ERR_NOT_FOUND);
    assert_string_equal(get(&d, 1, "A"), "unknown_secret");
    assert_string_equal(get(&d, 2, "A"), "other");
    desk_close(&d);
}

TEST(names_and_values_are_checked)
{
    Desk d = desk_open();
    static const char *const bad[] = {"", "1A", "_A", "a b", "a/b", "a.b", "\xc3\xa4"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(put(&d, 1, bad[i], "x"), ERR_BAD_PARAM);
    assert_int_equal(put(&d, 1, "A", ""), ERR_BAD_PARAM);
    char *large = arena_alloc(d.a, SECRET_VALUE_MAX + 2);
    memset(large, 'x', SECRET_VALUE_MAX + 1);
    assert_int_equal(put(&d, 1, "A", large), ERR_BAD_PARAM);
    large[SECRET_VALUE_MAX] = 0;
    assert_ok(put(&d, 1, "A", large), &d.err);
    assert_string_equal(get(&d, 1, "A"), large);
    desk_close(&d);
}

TEST(another_key_does_not_open_them)
{
    Desk d = desk_open();
    Seal *other = NULL;
    assert_ok(put(&d, 1, "A", "one"), &d.err);
    assert_ok(seal_open(NULL, &other, &d.err), &d.err);
    db_attach_seal(d.db, other);
    assert_string_equal(get(&d, 1, "A"), "secret_key");
    db_attach_seal(d.db, d.seal);
    assert_string_equal(get(&d, 1, "A"), "one");
    desk_close(&d);
    seal_close(&other);
}

TEST_MAIN(put_get_list_remove, names_and_values_are_checked, another_key_does_not_open_them)
