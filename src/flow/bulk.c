/* bulk.c: one verb for many jobs, found by a filter on the reader and changed in small writes; and the
 * settings of queues, which change what may run. */
#include "flow/flow_in.h"
#include "base/id.h"
#include "db/queries.h"

#include <stdlib.h>

enum { BULK_PAGE = 500 };

typedef struct Found {
    int64_t id, job, project; /* id: what is paged by; of a letter the task's */
} Found;

typedef struct Page {
    const BulkFilter *filter;
    BulkVerb verb;
    Found found[BULK_PAGE];
    size_t len, first; /* the write begins with this one … */
    size_t next;       /* … and ends before that */
    int64_t count;     /* what the write has changed */
} Page;

typedef enum Kind { KIND_LIVE, KIND_FAILED, KIND_CANCELED, KIND_DONE, KIND_LETTER } Kind;

static ErrCode read_page(DbConn *reader, Kind kind, int64_t after, Page *p, Err *err)
{
    const BulkFilter *f = p->filter;
    int64_t first = f->since_ms > 0 ? id_first(f->since_ms) : 0;
    int64_t last = f->until_ms > 0 ? id_first(f->until_ms) : INT64_MAX;
    const Query *const ended[] = {[KIND_FAILED] = &sql_bulk_failed,
                                  [KIND_CANCELED] = &sql_bulk_canceled,
                                  [KIND_DONE] = &sql_bulk_done};
    bool waits = (f->states & (1u << JOB_QUEUED)) != 0,
         runs = (f->states & (1u << JOB_RUNNING)) != 0;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = OK;
    if (kind == KIND_LIVE)
        rc = db_query(reader, &sql_bulk_live,
                      DB_ARGS(DB_I(f->project), DB_I(after), DB_I(first), DB_I(last), DB_S(f->step),
                              DB_S(f->queue), DB_I(waits), DB_I(runs), DB_I(BULK_PAGE),
                              DB_S(f->pipeline), DB_I(f->key)),
                      &rows, err);
    else if (kind == KIND_LETTER)
        rc = db_query(reader, &sql_bulk_letters,
                      DB_ARGS(DB_I(f->project), DB_I(after), DB_I(f->since_ms),
                              DB_I(f->until_ms > 0 ? f->until_ms : INT64_MAX), DB_S(f->queue),
                              DB_S(f->step), DB_S(f->reason), DB_I(BULK_PAGE)),
                      &rows, err);
    else
        rc = db_query(reader, ended[kind],
                      DB_ARGS(DB_I(f->project), DB_I(after), DB_I(first), DB_I(last), DB_S(f->step),
                              DB_S(f->queue), DB_S(f->reason), DB_I(BULK_PAGE), DB_S(f->pipeline),
                              DB_I(f->key)),
                      &rows, err);
    p->len = 0;
    while (rc == OK && db_next(&rows, &rc, err) && p->len < BULK_PAGE)
        p->found[p->len++] = (Found){.id = db_int(&rows, 0),
                                     .job = db_int(&rows, kind == KIND_LETTER ? 1 : 0),
                                     .project = kind == KIND_LIVE ? db_int(&rows, 1) : f->project};
    return rc;
}

/* It may have changed since it was found: then it is passed over. *done is false when there is more
 * of this job than one write should do. */
static ErrCode change_one(DbConn *tx, BulkVerb verb, const Found *f, bool *done, bool *changed,
                          Err *err)
{
    int64_t ended = 0;
    ErrCode rc = OK;
    *done = true;
    *changed = false;
    switch (verb) {
    case BULK_CANCEL:
        return flow_stop_tx(tx, f->project, f->job, ERR_CANCELED, changed, err);
    case BULK_RETRY:
        rc = flow_again_tx(tx, f->project, f->job, changed, err);
        return rc == ERR_CONFLICT ? OK : rc; /* another job has its unique key */
    case BULK_DELETE:
        rc = db_get_int(tx, &sql_job_has_ended, DB_ARGS(DB_I(f->job), DB_I(f->project)), 0, &ended,
                        err);
        if (rc == OK && ended != 0)
            rc = flow_delete_tx(tx, f->project, f->job, done, err);
        *changed = ended != 0 && *done;
        break;
    case BULK_FORGET:
        rc = db_exec(tx, &sql_dead_delete, DB_ARGS(DB_I(f->id), DB_I(f->project)), &ended, err);
        *changed = ended != 0;
    }
    return rc;
}

static ErrCode page_write(DbConn *tx, void *arg, Err *err)
{
    Page *p = arg;
    ErrCode rc = OK;
    bool done = true;
    p->count = 0;
    for (p->next = p->first; rc == OK && done && p->next < p->len; p->next += done) {
        bool changed = false;
        rc = change_one(tx, p->verb, &p->found[p->next], &done, &changed, err);
        p->count += changed;
    }
    return rc;
}

static ErrCode change_page(Db *db, Page *p, int64_t *count, Err *err)
{
    ErrCode rc = OK;
    for (p->first = 0; rc == OK && p->first < p->len; p->first = p->next) {
        rc = db_write(db, page_write, p, err);
        *count += rc == OK ? p->count : 0;
    }
    return rc;
}

static ErrCode all_of_kind(Db *db, DbConn *reader, Kind kind, bool dry_run, Page *p, int64_t *count,
                           Err *err)
{
    ErrCode rc = OK;
    int64_t after = 0;
    do {
        rc = read_page(reader, kind, after, p, err);
        if (rc != OK || p->len == 0)
            return rc;
        after = p->found[p->len - 1].id;
        if (dry_run)
            *count += (int64_t)p->len;
        else
            rc = change_page(db, p, count, err);
    } while (rc == OK && p->len == BULK_PAGE);
    return rc;
}

/* --- those that are named --- */

/* Is it there, in a state that is asked for, and not a part of another that is to stay whole? */
static ErrCode may_change(DbConn *reader, const Page *p, int64_t job, bool *may, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    *may = false;
    ErrCode rc =
        db_query(reader, &sql_job_state, DB_ARGS(DB_I(job), DB_I(p->filter->project)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err))
        *may = (p->filter->states & 1u << job_state_from(db_str(&rows, 0))) != 0 &&
               (p->verb != BULK_DELETE || db_int(&rows, 1) == 0);
    return rc;
}

static ErrCode all_named(Db *db, DbConn *reader, bool dry_run, Page *p, int64_t *count, Err *err)
{
    const BulkFilter *f = p->filter;
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < f->ids_len;) {
        for (p->len = 0; rc == OK && i < f->ids_len && p->len < BULK_PAGE; i++) {
            bool may;
            rc = may_change(reader, p, f->ids[i], &may, err);
            if (rc == OK && may)
                p->found[p->len++] = (Found){f->ids[i], f->ids[i], f->project};
        }
        if (dry_run)
            *count += (int64_t)p->len;
        else if (rc == OK)
            rc = change_page(db, p, count, err);
    }
    return rc;
}

static bool asks_for(const BulkFilter *f, Kind kind)
{
    const unsigned states[] = {[KIND_LIVE] = 1u << JOB_QUEUED | 1u << JOB_RUNNING,
                               [KIND_FAILED] = 1u << JOB_FAILED,
                               [KIND_CANCELED] = 1u << JOB_CANCELED,
                               [KIND_DONE] = 1u << JOB_DONE};
    return kind == KIND_LETTER ? f->letters : !f->letters && (f->states & states[kind]) != 0;
}

ErrCode flow_bulk(Db *db, BulkVerb verb, const BulkFilter *f, bool dry_run, int64_t *count,
                  Err *err)
{
    Page *p = calloc(1, sizeof *p);
    DbConn *reader = NULL;
    if (p == NULL)
        return err_set(err, ERR_NO_MEMORY, "changing many jobs");
    p->filter = f;
    p->verb = verb;
    *count = 0;
    ErrCode rc = db_reader(db, &reader, err);
    if (rc == OK && f->ids != NULL)
        rc = all_named(db, reader, dry_run, p, count, err);
    for (int kind = KIND_LIVE; rc == OK && f->ids == NULL && kind <= KIND_LETTER; kind++)
        if (asks_for(f, (Kind)kind))
            rc = all_of_kind(db, reader, (Kind)kind, dry_run, p, count, err);
    free(p);
    return rc;
}

/* --- settings of queues --- */

typedef struct Setting {
    int64_t project;
    Str queue;
    const QueueSettings *s;
} Setting;

static ErrCode setting_write(DbConn *tx, void *arg, Err *err)
{
    const Setting *n = arg;
    QueueSettings before;
    bool found;
    ErrCode rc = queue_settings_get(tx, n->project, n->queue, &before, &found, err);
    if (rc == OK)
        rc = queue_settings_put(tx, n->project, n->queue, n->s, err);
    if (rc == OK && before.retention_ms != n->s->retention_ms)
        rc = flow_retain_anew(tx, err);
    if (rc == OK && n->project == 0 && before.runners != n->s->runners)
        rc = flow_tell_runners(tx, n->queue, n->s->runners, err);
    /* it may go on, or faster */
    return rc == OK ? flow_tell_room(tx, queue_hash(n->queue), err) : rc;
}

ErrCode flow_queue_set(Db *db, int64_t project, Str queue, const QueueSettings *s, Err *err)
{
    ErrCode rc = queue_settings_check(s, err);
    Setting n = {.project = project, .queue = queue, .s = s};
    return rc == OK ? db_write(db, setting_write, &n, err) : rc;
}
