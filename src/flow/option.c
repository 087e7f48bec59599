/* option.c: what few jobs ask for (concurrency keys, unique keys, deadlines, another backoff), in a
 * table of its own, so that the others pay nothing. */
#include "flow/flow_in.h"
#include "base/clock.h"
#include "db/queries.h"

enum { LIMIT_MAX = 100000, KEY_MEMORY = 64 * KIB };
static const int64_t TIME_MAX_MS = INT64_C(366) * 24 * 3600 * 1000;

static ErrCode check(bool good, Err *err, const char *param, const char *why)
{
    if (good)
        return OK;
    err_set(err, ERR_BAD_PARAM, "%s %s", param, why);
    err_param(err, param);
    return ERR_BAD_PARAM;
}

static bool is_time(int64_t ms)
{
    return ms >= 0 && ms <= TIME_MAX_MS;
}

ErrCode flow_check_options(const JobNew *n, Err *err)
{
    ErrCode rc = check(n->concurrency_key.len <= QUEUE_KEY_MAX, err, "concurrency_key",
                       "must be at most 200 bytes");
    if (rc == OK)
        rc = check(n->unique_key.len <= QUEUE_KEY_MAX, err, "unique_key",
                   "must be at most 200 bytes");
    if (rc == OK)
        rc = check(n->concurrency_limit >= 0 && n->concurrency_limit <= LIMIT_MAX, err,
                   "concurrency_limit", "must be 1 to 100000");
    if (rc == OK)
        rc = check(is_time(n->deadline_ms), err, "deadline_ms", "must be at most 366 days");
    if (rc == OK)
        rc = check(is_time(n->start_within_ms), err, "start_within_ms", "must be at most 366 days");
    return rc == OK ? check(is_time(n->retry_ms), err, "retry_ms", "must be at most 366 days") : rc;
}

static ErrCode add_timers(DbConn *tx, int64_t id, const JobNew *n, int64_t now_ms, Err *err)
{
    ErrCode rc = OK;
    if (n->start_within_ms > 0) {
        rc = queue_timer_add(tx, now_ms + n->start_within_ms, TIMER_START, id, err);
        if (rc == OK)
            rc = flow_tell_due(tx, now_ms + n->start_within_ms, err);
    }
    if (rc == OK && n->deadline_ms > 0) {
        rc = queue_timer_add(tx, now_ms + n->deadline_ms, TIMER_END, id, err);
        if (rc == OK)
            rc = flow_tell_due(tx, now_ms + n->deadline_ms, err);
    }
    return rc;
}

static ErrCode take_unique(DbConn *tx, int64_t project, Str key, int64_t job, bool *got, Err *err)
{
    int64_t changed = 0;
    ErrCode rc =
        db_exec(tx, &sql_unique_put, DB_ARGS(DB_I(project), DB_S(key), DB_I(job)), &changed, err);
    *got = changed > 0;
    return rc;
}

ErrCode flow_add_options(DbConn *tx, int64_t id, const JobNew *n, int64_t now_ms, int64_t *flags,
                         Err *err)
{
    bool unique = n->unique_key.len > 0, got = false;
    *flags = 0;
    if (!unique && (n->concurrency_limit | n->start_within_ms | n->deadline_ms | n->retry_ms) == 0)
        return OK;
    *flags = TASK_HAS_OPTIONS | (unique ? TASK_IS_UNIQUE : 0);
    int64_t start_by_ms = n->start_within_ms > 0 ? now_ms + n->start_within_ms : 0;
    int64_t deadline_ms = n->deadline_ms > 0 ? now_ms + n->deadline_ms : 0;
    ErrCode rc = db_exec(tx, &sql_option_add,
                         DB_ARGS(DB_I(id), DB_I(n->project),
                                 DB_I(n->concurrency_limit > 0 ? n->concurrency_limit : 1),
                                 DB_I(start_by_ms), DB_I(deadline_ms), DB_I(n->retry_ms),
                                 db_text_or_null(n->unique_key)),
                         NULL, err);
    if (rc == OK && unique)
        rc = take_unique(tx, n->project, n->unique_key, id, &got, err);
    return rc == OK ? add_timers(tx, id, n, now_ms, err) : rc;
}

ErrCode flow_batch_options(DbConn *tx, int64_t id, const JobNew *n, Err *err)
{
    int64_t flags = 0;
    ErrCode rc = flow_add_options(tx, id, n, clock_now_ms(), &flags, err);
    if (rc != OK || flags == 0)
        return rc;
    return db_exec(tx, &sql_option_flag, DB_ARGS(DB_I(id), DB_I(flags)), NULL, err);
}

ErrCode flow_known_unique(DbConn *tx, const JobNew *n, JobAdded *out, Err *err)
{
    int64_t job = 0;
    ErrCode rc = db_get_int(tx, &sql_unique_get, DB_ARGS(DB_I(n->project), DB_S(n->unique_key)), 0,
                            &job, err);
    if (rc == OK && job != 0)
        *out = (JobAdded){.job = job, .existed = true};
    return rc;
}

typedef struct Options {
    bool found;
    int64_t slots;
    Str unique_key; /* "": none */
} Options;

static ErrCode read_options(DbConn *tx, int64_t job, Arena *a, Options *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_option_get, DB_ARGS(DB_I(job)), &rows, err);
    *out = (Options){0};
    while (rc == OK && db_next(&rows, &rc, err)) {
        *out = (Options){.found = true, .slots = db_int(&rows, 0)};
        if (!db_is_null(&rows, 2) && (out->unique_key = db_str_copy(&rows, 2, a)).ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading the options of a job");
    }
    return rc;
}

ErrCode flow_options_again(DbConn *tx, int64_t project, int64_t job, bool take, int64_t *slots,
                           int64_t *flags, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(KEY_MEMORY);
    Options o;
    bool got = true;
    int64_t alive = 0;
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "running a job again");
    ErrCode rc = read_options(tx, job, a, &o, err);
    *slots = o.slots;
    *flags = o.found ? TASK_HAS_OPTIONS : 0;
    if (rc != OK || o.unique_key.len == 0)
        return rc;
    rc =
        db_get_int(tx, &sql_unique_get, DB_ARGS(DB_I(project), DB_S(o.unique_key)), 0, &alive, err);
    if (rc == OK && alive != 0 && alive != job)
        return err_set(err, ERR_CONFLICT, "another job with the unique key is alive");
    *flags |= TASK_IS_UNIQUE;
    return rc == OK && take ? take_unique(tx, project, o.unique_key, job, &got, err) : rc;
}

ErrCode flow_batch_options_again(DbConn *tx, int64_t project, int64_t batch, Err *err)
{
    int64_t slots = 0, flags = 0;
    ErrCode rc = flow_options_again(tx, project, batch, true, &slots, &flags, err);
    if (rc != OK || flags == 0)
        return rc;
    return db_exec(tx, &sql_option_flag, DB_ARGS(DB_I(batch), DB_I(flags)), NULL, err);
}

ErrCode flow_retry_base(DbConn *tx, int64_t job, int64_t *base_ms, Err *err)
{
    return db_get_int(tx, &sql_option_retry, DB_ARGS(DB_I(job)), 0, base_ms, err);
}

/* --- the end --- */

static ErrCode give_slot(DbConn *tx, const TaskChanged *t, Arena *a, Err *err)
{
    int64_t now_ms = clock_now_ms();
    Str key = {0};
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_job_concurrency_key, DB_ARGS(DB_I(t->job)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err))
        key = db_str_copy(&rows, 0, a);
    db_rows_done(&rows);
    if (rc == OK && key.ptr == NULL)
        return err_set(err, ERR_DB_DAMAGED, "a task that holds a slot has no key");
    if (rc == OK)
        rc = queue_slot_give(tx, t->project, key, now_ms, err);
    for (bool found = true; rc == OK && found;) {
        SlotTask next;
        rc = queue_slot_next(tx, t->project, key, now_ms, a, &next, &found, err);
        if (rc == OK && found)
            rc = next.waits ? flow_slot_granted(tx, t->project, next.task, err)
                            : flow_tell_ready(tx, next.queue, next.ready_ms, err);
    }
    return rc;
}

ErrCode flow_let_go(DbConn *tx, const TaskChanged *t, Err *err)
{
    ErrCode rc = t->poke != 0 ? flow_tell_room(tx, t->poke, err) : OK;
    if (rc != OK || (t->flags & (TASK_HOLDS_SLOT | TASK_IS_UNIQUE)) == 0)
        return rc;
    CLEANUP(arena_close) Arena *a = arena_open(KEY_MEMORY);
    Options o;
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "ending a job");
    if (t->flags & TASK_IS_UNIQUE) {
        rc = read_options(tx, t->job, a, &o, err);
        if (rc == OK)
            rc = db_exec(tx, &sql_unique_drop,
                         DB_ARGS(DB_I(t->project), DB_S(o.unique_key), DB_I(t->job)), NULL, err);
    }
    return rc == OK && (t->flags & TASK_HOLDS_SLOT) ? give_slot(tx, t, a, err) : rc;
}
