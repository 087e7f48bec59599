#include "secret/secret.h"
#include "base/clock.h"
#include "base/seal.h"
#include "db/queries.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool secret_name_ok(Str name)
{
    if (name.len == 0 || name.len > SECRET_NAME_MAX || !is_letter(name.ptr[0]))
        return false;
    for (size_t i = 1; i < name.len; i++) {
        char c = name.ptr[i];
        if (!is_letter(c) && !(c >= '0' && c <= '9') && c != '_' && c != '-')
            return false;
    }
    return true;
}

static SealPlace place_of(int64_t project, Str name)
{
    return (SealPlace){.project = project, .kind = "secret", .name = name};
}

static ErrCode bad(Err *err, const char *param, const char *why)
{
    err_set(err, ERR_BAD_PARAM, "%s", why);
    err_param(err, param);
    return ERR_BAD_PARAM;
}

static ErrCode check(Str name, Str value, Err *err)
{
    if (!secret_name_ok(name))
        return bad(err, "name", "must be 1 to 64 of A-Z a-z 0-9 _ - and begin with a letter");
    if (value.len == 0 || value.len > SECRET_VALUE_MAX)
        return bad(err, "value", "must be 1 to 65536 bytes of text");
    return OK;
}

typedef struct Put {
    int64_t project, by, now_ms;
    Str name, value;
    SecretInfo *out;
} Put;

static ErrCode put_write(DbConn *tx, void *arg, Err *err)
{
    const Put *p = arg;
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    Str sealed;
    int64_t others = 0;
    SealPlace where = place_of(p->project, p->name);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for a secret");
    ErrCode rc = db_get_int(tx, &sql_secret_count, DB_ARGS(DB_I(p->project), DB_S(p->name)), 0,
                            &others, err);
    if (rc == OK && others >= SECRETS_MAX)
        rc = err_set(err, ERR_LIMIT_COUNT, "a project has at most %d secrets", SECRETS_MAX);
    if (rc == OK)
        rc = seal_text(db_seal(tx), &where, p->value, a, &sealed, err);
    if (rc == OK)
        rc = db_exec(
            tx, &sql_secret_put,
            DB_ARGS(DB_I(p->project), DB_S(p->name), DB_S(sealed), DB_I(p->now_ms), DB_I(p->by)),
            NULL, err);
    if (rc == OK)
        rc = db_get_int(tx, &sql_secret_created, DB_ARGS(DB_I(p->project), DB_S(p->name)),
                        p->now_ms, &p->out->created_ms, err);
    return rc;
}

ErrCode secret_put(Db *db, int64_t project, Str name, Str value, int64_t by, SecretInfo *out,
                   Err *err)
{
    SecretInfo info = {.name = name, .changed_ms = clock_now_ms(), .by = by};
    Put p = {.project = project,
             .by = by,
             .now_ms = info.changed_ms,
             .name = name,
             .value = value,
             .out = &info};
    ErrCode rc = check(name, value, err);
    if (rc == OK)
        rc = db_write(db, put_write, &p, err);
    if (rc == OK)
        *out = info;
    return rc;
}

typedef struct Remove {
    int64_t project, changed;
    Str name;
} Remove;

static ErrCode remove_write(DbConn *tx, void *arg, Err *err)
{
    Remove *r = arg;
    return db_exec(tx, &sql_secret_remove, DB_ARGS(DB_I(r->project), DB_S(r->name)), &r->changed,
                   err);
}

ErrCode secret_remove(Db *db, int64_t project, Str name, Err *err)
{
    Remove r = {.project = project, .name = name};
    ErrCode rc = db_write(db, remove_write, &r, err);
    if (rc == OK && r.changed == 0)
        rc = err_set(err, ERR_NOT_FOUND, "there is no secret \"" STR_FMT "\"",
                     STR_ARG(str_slice(name, 0, SECRET_NAME_MAX)));
    return rc;
}

ErrCode secret_list(DbConn *c, int64_t project, Arena *a, SecretInfo **out, size_t *len, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    SecretInfo *list = arena_new(a, SecretInfo, SECRETS_MAX);
    size_t n = 0;
    if (list == NULL)
        return err_set(err, ERR_NO_MEMORY, "listing secrets");
    ErrCode rc =
        db_query(c, &sql_secret_list, DB_ARGS(DB_I(project), DB_I(SECRETS_MAX)), &rows, err);
    while (rc == OK && n < SECRETS_MAX && db_next(&rows, &rc, err)) {
        list[n] = (SecretInfo){.name = db_str_copy(&rows, 0, a),
                               .created_ms = db_int(&rows, 1),
                               .changed_ms = db_int(&rows, 2),
                               .by = db_int(&rows, 3)};
        if (list[n++].name.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "listing secrets");
    }
    *out = list;
    *len = n;
    return rc;
}

ErrCode secret_get(DbConn *c, int64_t project, Str name, Arena *a, Str *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    Str sealed = {0};
    SealPlace where = place_of(project, name);
    ErrCode rc = db_query(c, &sql_secret_get, DB_ARGS(DB_I(project), DB_S(name)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        sealed = db_str_copy(&rows, 0, a);
        if (sealed.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading a secret");
    }
    if (rc != OK)
        return rc;
    if (sealed.ptr == NULL)
        return err_set(err, ERR_UNKNOWN_SECRET, "there is no secret \"" STR_FMT "\"",
                       STR_ARG(str_slice(name, 0, SECRET_NAME_MAX)));
    return seal_read(db_seal(c), &where, sealed, a, out, err);
}
