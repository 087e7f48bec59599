/* setting.c: what people set for a queue. */
#include "queue/memory.h"
#include "db/queries.h"

enum { SETTINGS_MAX = 2048, COUNT_MAX = 1000000, RUNNERS_MAX = 64 };
static const int64_t WINDOW_MAX_MS = INT64_C(24) * 3600 * 1000,
                     RETENTION_MAX_MS = INT64_C(100) * 366 * 24 * 3600 * 1000;

static const QueueSettings unset = {.weight = 1};

static ErrCode range(int64_t value, int64_t min, int64_t max, const char *name, Err *err)
{
    if (value >= min && value <= max)
        return OK;
    err_set(err, ERR_BAD_PARAM, "%s must be %" PRId64 " to %" PRId64, name, min, max);
    err_param(err, name);
    return ERR_BAD_PARAM;
}

ErrCode queue_settings_check(const QueueSettings *s, Err *err)
{
    bool rated = s->rate > 0 || s->key_rate > 0;
    ErrCode rc = range(s->concurrency, 0, COUNT_MAX, "concurrency", err);
    if (rc == OK)
        rc = range(s->rate, 0, COUNT_MAX, "rate", err);
    if (rc == OK)
        rc = range(s->key_rate, 0, COUNT_MAX, "key_rate", err);
    if (rc == OK)
        rc = range(s->rate_window_ms, rated ? 1 : 0, WINDOW_MAX_MS, "rate_window_ms", err);
    if (rc == OK)
        rc = range(s->weight, 1, FAIR_WEIGHT_MAX, "weight", err);
    if (rc == OK)
        rc = range(s->retention_ms, -1, RETENTION_MAX_MS, "retention_ms", err);
    return rc == OK ? range(s->runners, 0, RUNNERS_MAX, "runners", err) : rc;
}

ErrCode queue_settings_get(DbConn *c, int64_t project, Str queue, QueueSettings *out, bool *found,
                           Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc =
        db_query(c, &sql_queue_settings_get, DB_ARGS(DB_I(project), DB_S(queue)), &rows, err);
    *found = false;
    *out = unset;
    while (rc == OK && db_next(&rows, &rc, err)) {
        *found = true;
        *out = queue_settings_of(&rows, 0);
    }
    return rc;
}

ErrCode queue_settings_put(DbConn *tx, int64_t project, Str queue, const QueueSettings *s, Err *err)
{
    ErrCode rc = queue_settings_check(s, err);
    if (rc != OK)
        return rc;
    queue_mem_forget(tx);
    return db_exec(tx, &sql_queue_settings_put,
                   DB_ARGS(DB_I(project), DB_S(queue), DB_I(s->paused), DB_I(s->draining),
                           DB_I(s->concurrency), DB_I(s->rate), DB_I(s->rate_window_ms),
                           DB_I(s->key_rate), DB_I(s->weight), DB_I(s->retention_ms),
                           DB_I(s->runners)),
                   NULL, err);
}

ErrCode queue_accepts(DbConn *tx, int64_t project, Str queue, Err *err)
{
    QueueMem *m;
    ErrCode rc = queue_mem(tx, queue, &m, err);
    if (rc != OK || m->rows_len == 0)
        return rc;
    const QueueRow *all = queue_row(m, 0), *own = queue_row(m, project);
    if ((all == NULL || !all->s.draining) && (own == NULL || !own->s.draining))
        return OK;
    return err_set(err, ERR_QUEUE_DRAINING, "queue \"" STR_FMT "\" takes nothing new",
                   STR_ARG(queue));
}

ErrCode queue_retention(DbConn *tx, int64_t project, Str queue, int64_t *out, Err *err)
{
    QueueMem *m;
    ErrCode rc = queue_mem(tx, queue, &m, err);
    *out = 0;
    if (rc != OK || m->rows_len == 0)
        return rc;
    const QueueRow *all = queue_row(m, 0), *own = queue_row(m, project);
    if (own != NULL)
        *out = own->s.retention_ms;
    if (*out == 0 && all != NULL)
        *out = all->s.retention_ms;
    return OK;
}

ErrCode queue_settings_list(DbConn *reader, int64_t project, Arena *a, QueueSetting **out,
                            size_t *len, Err *err)
{
    QueueSetting *all = arena_new(a, QueueSetting, SETTINGS_MAX);
    if (all == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading the settings of queues");
    size_t n = 0;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_queue_settings_all, DB_ARGS(DB_I(project)), &rows, err);
    while (rc == OK && n < SETTINGS_MAX && db_next(&rows, &rc, err)) {
        all[n] = (QueueSetting){.queue = db_str_copy(&rows, 0, a),
                                .project = db_int(&rows, 1),
                                .s = queue_settings_of(&rows, 2)};
        if (all[n++].queue.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading the settings of queues");
    }
    *out = all;
    *len = n;
    return rc;
}
