/* A file that a trigger takes, from a folder or a bucket: once, by its path, size, time and hash. */
#include "hook/trigger_in.h"
#include "base/clock.h"
#include "content/document.h"
#include "db/queries.h"

enum { SCRATCH = 64 << 20 };

typedef struct Seen {
    bool any;
    int64_t size_bytes, changed_ns, job;
    bool same_hash;
} Seen;

static ErrCode seen_before(DbConn *c, const TriggerFile *k, Seen *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    *out = (Seen){0};
    ErrCode rc = db_query(c, &sql_trigger_file_get, DB_ARGS(DB_I(k->trigger->id), DB_S(k->path)),
                          &rows, err);
    while (rc == OK && db_next(&rows, &rc, err))
        *out = (Seen){.any = true,
                      .size_bytes = db_int(&rows, 0),
                      .changed_ns = db_int(&rows, 1),
                      .same_hash = str_eq(db_str(&rows, 2), k->file.hash),
                      .job = db_int(&rows, 3)};
    return rc;
}

static ErrCode take_write(DbConn *tx, void *arg, Err *err)
{
    TriggerFile *k = arg;
    CLEANUP(arena_close) Arena *a = arena_open(SCRATCH);
    Trigger now;
    Seen seen;
    k->added = (JobAdded){0};
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "taking a file");
    ErrCode rc = trigger_row(tx, k->trigger->id, a, &now, err);
    if (rc == ERR_NOT_FOUND || (rc == OK && now.paused))
        return OK;
    if (rc == OK)
        rc = seen_before(tx, k, &seen, err);
    if (rc != OK)
        return rc;
    TriggerStart start = {.trigger = &now, .scope = k->scope, .file = &k->file};
    bool is_new = !seen.any || !seen.same_hash;
    if (is_new && k->fault.len == 0)
        rc = trigger_start_tx(tx, &start, a, err);
    k->added = start.added;
    if (rc == OK && is_new)
        rc = trigger_note_tx(tx, now.id, k->added.job, now.feed_id, k->fault, err);
    if (rc != OK)
        return rc;
    return db_exec(tx, &sql_trigger_file_put,
                   DB_ARGS(DB_I(now.id), DB_S(k->path), DB_I(k->size_bytes), DB_I(k->changed_ns),
                           DB_S(k->file.hash), DB_I(is_new ? k->added.job : seen.job),
                           DB_I(clock_now_ms())),
                   NULL, err);
}

ErrCode trigger_file_seen(DbConn *reader, const TriggerFile *k, bool *out, Err *err)
{
    Seen seen;
    ErrCode rc = seen_before(reader, k, &seen, err);
    *out = rc == OK && seen.any && seen.size_bytes == k->size_bytes &&
           seen.changed_ns == k->changed_ns;
    return rc;
}

ErrCode trigger_file_named(Db *db, TriggerFile *k, const Blob *blob, Arena *a, Err *err)
{
    ErrCode rc = blob_row_add(db, k->trigger->project, blob, err);
    if (rc != OK)
        return rc;
    k->file = (JobFile){.name = k->name,
                        .type = trigger_type_of(k->name),
                        .hash = str_copy(a, str_from_c(blob->hash)),
                        .size_bytes = blob->size_bytes};
    return k->file.hash.ptr != NULL ? OK : err_set(err, ERR_NO_MEMORY, "taking a file");
}

static ErrCode make_scope(TriggerFile *k, Arena *a, Err *err)
{
    char modified[CLOCK_TEXT_SIZE];
    clock_text(k->changed_ns / 1000000, modified);
    Buf b = buf_init(a, 64 * KIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_c(&j, "kind", trigger_kind_name(k->trigger->kind));
    json_kv_str(&j, "path", k->path);
    json_kv_str(&j, "name", k->name);
    json_kv_int(&j, "bytes", k->file.size_bytes);
    json_kv_c(&j, "modified", modified);
    json_key(&j, "file");
    trigger_put_file(&j, &k->file);
    json_end(&j, '}');
    if (b.failed)
        return err_set(err, ERR_NO_MEMORY, "taking a file");
    return json_parse(a, buf_str(&b), &k->scope, err);
}

ErrCode trigger_file_start(Db *db, TriggerFile *k, Arena *a, Err *err)
{
    ErrCode rc = make_scope(k, a, err);
    if (rc == OK)
        rc = db_write(db, take_write, k, err);
    if (!trigger_is_hopeless(rc))
        return rc;
    Err why = *err;
    k->fault = str_from_c(why.text);
    return db_write(db, take_write, k, err);
}
