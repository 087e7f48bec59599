/* retain.c: ended jobs go when they are old.
 *
 * All jobs are walked once, oldest first, as they come of age; a mark (meta) says how far. A job that
 * cannot go yet (it lives, or its queue keeps it longer) gets a timer, so nothing is looked at twice.
 * The mark goes back to the start when somebody changes a retention. */
#include "flow/flow_in.h"
#include "base/id.h"
#include "db/queries.h"

#include <inttypes.h>
#include <stdio.h>

enum { PAGE = 200, CHILDREN_PER_WRITE = 500, MARK_MEMORY = 4096 };
static const char mark_key[] = "retained_until", default_key[] = "retention_ms";

typedef struct Old {
    int64_t id, project, finished_ms;
    Str queue;
} Old;

/* --- one job goes --- */

static ErrCode delete_rows(DbConn *tx, int64_t project, int64_t job, Err *err)
{
    const Query *const of_job[] = {&sql_retire_events, &sql_retire_files,   &sql_retire_options,
                                   &sql_retire_nodes,  &sql_retire_signals, &sql_dead_drop};
    const Query *const of_both[] = {&sql_retire_refs, &sql_retire_memo};
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < COUNT_OF(of_job); i++)
        rc = db_exec(tx, of_job[i], DB_ARGS(DB_I(job)), NULL, err);
    for (size_t i = 0; rc == OK && i < COUNT_OF(of_both); i++)
        rc = db_exec(tx, of_both[i], DB_ARGS(DB_I(job), DB_I(project)), NULL, err);
    if (rc == OK)
        rc = db_exec(tx, &sql_retire_end, DB_ARGS(DB_I(job)), NULL, err);
    return rc == OK ? db_exec(tx, &sql_retire_job, DB_ARGS(DB_I(job)), NULL, err) : rc;
}

static ErrCode some_children(DbConn *tx, int64_t job, int64_t *out, size_t *len, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_retire_children, DB_ARGS(DB_I(job), DB_I(CHILDREN_PER_WRITE)),
                          &rows, err);
    *len = 0;
    while (rc == OK && db_next(&rows, &rc, err) && *len < CHILDREN_PER_WRITE)
        out[(*len)++] = db_int(&rows, 0);
    return rc;
}

/* `room`: how many jobs may still go in this write; below 0: there are more. */
static ErrCode delete_tree(DbConn *tx, int64_t project, int64_t job, int64_t *room, Err *err)
{
    int64_t children[CHILDREN_PER_WRITE];
    size_t n = 0;
    ErrCode rc = some_children(tx, job, children, &n, err);
    for (size_t i = 0; rc == OK && i < n && *room >= 0; i++)
        rc = delete_tree(tx, project, children[i], room, err);
    if (rc != OK || --*room < 0)
        return rc;
    if (n == CHILDREN_PER_WRITE) { /* there may be others */
        *room = -1;
        return OK;
    }
    return delete_rows(tx, project, job, err);
}

ErrCode flow_delete_tx(DbConn *tx, int64_t project, int64_t job, bool *gone, Err *err)
{
    int64_t room = CHILDREN_PER_WRITE;
    ErrCode rc = delete_tree(tx, project, job, &room, err);
    *gone = rc == OK && room >= 0;
    return rc;
}

/* --- one job is looked at --- */

/* Time to keep it, 0: for ever. */
static ErrCode kept_ms(DbConn *tx, const Old *o, int64_t *out, Err *err)
{
    int64_t general_ms = 0;
    ErrCode rc = queue_retention(tx, o->project, o->queue, out, err);
    if (rc == OK && *out == 0) {
        rc = flow_meta_get(tx, default_key, &general_ms, err);
        *out = general_ms;
    }
    if (*out < 0)
        *out = 0;
    return rc;
}

static ErrCode look_at(DbConn *tx, const Old *o, int64_t now_ms, int64_t *count, Err *err)
{
    int64_t keep_ms = 0;
    bool gone = false;
    ErrCode rc = kept_ms(tx, o, &keep_ms, err);
    if (rc != OK || keep_ms == 0)
        return rc;
    int64_t due_ms = (o->finished_ms > 0 ? o->finished_ms : now_ms) + keep_ms;
    if (o->finished_ms > 0 && due_ms <= now_ms) {
        rc = flow_delete_tx(tx, o->project, o->id, &gone, err);
        *count += gone;
        due_ms = now_ms; /* the rest of a large one with the next write */
    }
    if (rc != OK || gone)
        return rc;
    rc = queue_timer_add(tx, due_ms, TIMER_RETIRE, o->id, err);
    return rc == OK ? flow_tell_due(tx, due_ms, err) : rc;
}

static ErrCode read_old(const DbRows *rows, Arena *a, Old *out, Err *err)
{
    *out = (Old){.id = db_int(rows, 0),
                 .project = db_int(rows, 1),
                 .queue = db_str_copy(rows, 2, a),
                 .finished_ms = db_int(rows, 3)};
    return out->queue.ptr != NULL ? OK : err_set(err, ERR_NO_MEMORY, "looking for old jobs");
}

ErrCode flow_retire_tx(DbConn *tx, int64_t job, int64_t now_ms, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(MARK_MEMORY);
    Old o = {0};
    int64_t count = 0;
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "looking for old jobs");
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_retire_get, DB_ARGS(DB_I(job)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err))
        rc = read_old(&rows, a, &o, err);
    db_rows_done(&rows);
    return rc == OK && o.id != 0 ? look_at(tx, &o, now_ms, &count, err) : rc;
}

/* --- all of them --- */

ErrCode flow_meta_get(DbConn *c, const char *key, int64_t *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(c, &sql_meta_get, DB_ARGS(DB_I(0), DB_S(str_from_c(key))), &rows, err);
    *out = 0;
    while (rc == OK && db_next(&rows, &rc, err))
        (void)str_to_i64(db_str(&rows, 0), out);
    return rc;
}

static ErrCode meta_put(DbConn *tx, const char *key, int64_t value, Err *err)
{
    char text[24];
    snprintf(text, sizeof text, "%" PRId64, value);
    return db_exec(tx, &sql_meta_set,
                   DB_ARGS(DB_I(0), DB_S(str_from_c(key)), DB_S(str_from_c(text))), NULL, err);
}

ErrCode flow_retain_anew(DbConn *tx, Err *err)
{
    return meta_put(tx, mark_key, 0, err);
}

static ErrCode default_write(DbConn *tx, void *arg, Err *err)
{
    ErrCode rc = meta_put(tx, default_key, *(const int64_t *)arg, err);
    return rc == OK ? flow_retain_anew(tx, err) : rc;
}

ErrCode flow_set_retention(Db *db, int64_t retention_ms, Err *err)
{
    DbConn *reader = NULL;
    int64_t before_ms = 0;
    ErrCode rc = db_reader(db, &reader, err);
    if (rc == OK)
        rc = flow_meta_get(reader, default_key, &before_ms, err);
    if (rc != OK || before_ms == retention_ms)
        return rc;
    return db_write(db, default_write, &retention_ms, err);
}

typedef struct Walk {
    int64_t now_ms, before, count; /* jobs with a smaller id than `before` are of age */
    bool more;
} Walk;

static ErrCode walk_write(DbConn *tx, void *arg, Err *err)
{
    Walk *w = arg;
    CLEANUP(arena_close) Arena *a = arena_open(FLOW_SCRATCH);
    int64_t mark = 0;
    size_t n = 0;
    w->count = 0;
    w->more = false;
    Old *old = a != NULL ? arena_new(a, Old, PAGE) : NULL;
    if (old == NULL)
        return err_set(err, ERR_NO_MEMORY, "looking for old jobs");
    ErrCode rc = flow_meta_get(tx, mark_key, &mark, err);
    CLEANUP(db_rows_done) DbRows rows = {0};
    if (rc == OK)
        rc = db_query(tx, &sql_retire_page, DB_ARGS(DB_I(mark), DB_I(w->before), DB_I(PAGE)), &rows,
                      err);
    while (rc == OK && db_next(&rows, &rc, err) && n < PAGE)
        rc = read_old(&rows, a, &old[n++], err);
    db_rows_done(&rows);
    for (size_t i = 0; rc == OK && i < n; i++)
        rc = look_at(tx, &old[i], w->now_ms, &w->count, err);
    w->more = n == PAGE;
    return rc == OK && n > 0 ? meta_put(tx, mark_key, old[n - 1].id, err) : rc;
}

static ErrCode least_retention(DbConn *reader, int64_t *out, Err *err)
{
    int64_t general_ms = 0;
    ErrCode rc = db_get_int(reader, &sql_queue_retention_least, DB_NO_ARGS, INT64_MAX, out, err);
    if (rc == OK)
        rc = flow_meta_get(reader, default_key, &general_ms, err);
    if (general_ms > 0 && general_ms < *out)
        *out = general_ms;
    return rc;
}

static ErrCode is_any(DbConn *reader, const Walk *w, bool *any, Err *err)
{
    int64_t mark = 0, id = 0;
    ErrCode rc = flow_meta_get(reader, mark_key, &mark, err);
    if (rc == OK)
        rc = db_get_int(reader, &sql_retire_page, DB_ARGS(DB_I(mark), DB_I(w->before), DB_I(1)), 0,
                        &id, err);
    *any = id != 0;
    return rc;
}

ErrCode flow_retain(Db *db, int64_t now_ms, int64_t *count, bool *more, Err *err)
{
    DbConn *reader = NULL;
    int64_t least_ms = INT64_MAX;
    bool any = false;
    *count = 0;
    *more = false;
    ErrCode rc = db_reader(db, &reader, err);
    if (rc == OK)
        rc = least_retention(reader, &least_ms, err);
    if (rc != OK || least_ms >= now_ms)
        return rc;
    Walk w = {.now_ms = now_ms, .before = id_first(now_ms - least_ms)};
    rc = is_any(reader, &w, &any, err);
    if (rc == OK && any)
        rc = db_write(db, walk_write, &w, err);
    *count = w.count;
    *more = w.more;
    return rc;
}
