#include "trace/lately.h"
#include "base/id.h"
#include "db/queries.h"

static LatelyReason *reason_of(Lately *l, Str reason, Arena *a)
{
    for (size_t i = 0; i < l->len; i++)
        if (str_eq(l->reasons[i].reason, reason))
            return &l->reasons[i];
    if (l->len == LATELY_REASONS_MAX)
        return &l->reasons[LATELY_REASONS_MAX - 1];
    LatelyReason *r = &l->reasons[l->len];
    *r = (LatelyReason){.reason = str_copy(a, reason)};
    if (r->reason.ptr == NULL)
        return NULL;
    l->len++;
    return r;
}

static bool take(Lately *l, const DbRows *row, Arena *a)
{
    LatelyReason *r = reason_of(l, db_str(row, 3), a);
    if (r == NULL)
        return false;
    r->count++;
    l->count++;
    if (r->jobs_len == LATELY_JOBS_MAX)
        return true;
    LatelyJob *j = &r->jobs[r->jobs_len++];
    *j = (LatelyJob){.id = db_int(row, 0),
                     .step = db_str_copy(row, 1, a),
                     .pipeline = db_str_copy(row, 2, a),
                     .detail = db_str_copy(row, 4, a),
                     .finished_ms = db_int(row, 5)};
    return j->step.ptr != NULL && j->pipeline.ptr != NULL && j->detail.ptr != NULL;
}

ErrCode lately_failed(DbConn *reader, int64_t project, int64_t since_ms, Arena *a, Lately *out,
                      Err *err)
{
    *out = (Lately){0};
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_job_failed_lately,
                          DB_ARGS(DB_I(project), DB_I(id_first(since_ms)), DB_I(LATELY_READ + 1)),
                          &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        out->more = out->count == LATELY_READ;
        if (!out->more && !take(out, &rows, a))
            return err_set(err, ERR_NO_MEMORY, "reading what failed lately");
    }
    return rc;
}
