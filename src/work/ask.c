/* ask.c: what a built-in step may ask the server about its job's own project (core/step.h). */
#include "work/work_in.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"

#include <string.h>

/* Usage is summed up by the hour: counted from the one that since_ms lies in. */
enum { HOUR_MS = 3600000 };

static ErrCode put_usage(DbConn *reader, int64_t project, int64_t since_ms, JsonOut *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(
        reader, &sql_usage_sum,
        DB_ARGS(DB_I(project), DB_I(since_ms - since_ms % HOUR_MS), DB_I(INT64_MAX)), &rows, err);
    json_key(out, "usage");
    json_begin(out, '[');
    while (rc == OK && db_next(&rows, &rc, err)) {
        json_begin(out, '{');
        json_kv_str(out, "unit", db_str(&rows, 0));
        json_kv_int(out, "amount", db_int(&rows, 1));
        json_kv_int(out, "tasks", db_int(&rows, 2));
        json_end(out, '}');
    }
    json_end(out, ']');
    return rc;
}

static ErrCode ask_usage(Work *w, int64_t project, int64_t since_ms, JsonOut *out, Err *err)
{
    DbConn *reader = NULL;
    int64_t failed = 0;
    ErrCode rc = db_reader(w->o.db, &reader, err);
    if (rc == OK)
        rc = db_get_int(reader, &sql_job_failed_since,
                        DB_ARGS(DB_I(project), DB_I(id_first(since_ms))), 0, &failed, err);
    if (rc != OK)
        return rc;
    json_kv_int(out, "failed", failed);
    return put_usage(reader, project, since_ms, out, err);
}

static ErrCode ask_cleanup(Work *w, int64_t project, int64_t until_ms, JsonOut *out, Err *err)
{
    const BulkFilter old = {.project = project,
                            .states = 1u << JOB_DONE | 1u << JOB_FAILED | 1u << JOB_CANCELED,
                            .until_ms = until_ms > 0 ? until_ms : 1};
    int64_t removed = 0;
    ErrCode rc = flow_bulk(w->o.db, BULK_DELETE, &old, false, &removed, err);
    if (rc == OK)
        json_kv_int(out, "removed", removed);
    return rc;
}

ErrCode work_ask(Work *w, int64_t project, const char *what, int64_t time_ms, JsonOut *out,
                 Err *err)
{
    if (strcmp(what, "usage") == 0)
        return ask_usage(w, project, time_ms, out, err);
    if (strcmp(what, "cleanup") == 0)
        return ask_cleanup(w, project, time_ms, out, err);
    return err_set(err, ERR_INTERNAL, "nobody knows about %s", what);
}
