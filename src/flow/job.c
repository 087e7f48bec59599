/* job.c: reading jobs. */
#include "flow/flow_in.h"
#include "flow/plan.h"
#include "base/id.h"
#include "db/queries.h"

#include <string.h>

static const char *const state_names[] = {[JOB_QUEUED] = "queued",
                                          [JOB_RUNNING] = "running",
                                          [JOB_DONE] = "done",
                                          [JOB_FAILED] = "failed",
                                          [JOB_CANCELED] = "canceled"};

const char *job_state_name(JobState s)
{
    return s < JOB_STATE_COUNT ? state_names[s] : "unknown";
}

JobState job_state_from(Str name)
{
    for (int s = 0; s < JOB_STATE_COUNT; s++)
        if (str_eq_c(name, state_names[s]))
            return (JobState)s;
    return JOB_STATE_COUNT;
}

/* Columns of a row copied one after the other; remembers failure, so one question at the end is
 * enough. */
typedef struct Copier {
    const DbRows *rows;
    Arena *arena;
    int at;
    bool failed;
} Copier;

static int64_t next_int(Copier *c)
{
    return db_int(c->rows, c->at++);
}

static Str next_text(Copier *c)
{
    int column = c->at++;
    if (db_is_null(c->rows, column))
        return (Str){0};
    Str s = db_str_copy(c->rows, column, c->arena);
    c->failed = c->failed || s.ptr == NULL;
    return s;
}

/* In the order of job_get's columns. */
static bool read_job(const DbRows *rows, Arena *a, Job *j)
{
    Copier c = {.rows = rows, .arena = a};
    j->id = next_int(&c);
    j->project = next_int(&c);
    j->key = next_int(&c);
    j->step = next_text(&c);
    j->queue = next_text(&c);
    j->params = next_text(&c);
    j->trace = next_text(&c);
    j->priority = next_int(&c);
    j->state = job_state_from(next_text(&c));
    j->attempts = next_int(&c);
    j->max_attempts = next_int(&c);
    j->events = next_int(&c);
    j->started_ms = next_int(&c);
    j->finished_ms = next_int(&c);
    j->run_at_ms = next_int(&c);
    j->progress_done = next_int(&c);
    j->progress_total = next_int(&c);
    j->reason = next_text(&c);
    j->detail = next_text(&c);
    j->hint = next_text(&c);
    j->data = next_text(&c);
    j->batch = next_int(&c) != 0;
    j->parent = next_int(&c);
    j->place = next_int(&c);
    j->pipeline = next_text(&c);
    j->pipeline_version = next_int(&c);
    j->origin = next_int(&c);
    j->reused = next_int(&c);
    j->node = next_int(&c);
    j->paused = (next_int(&c) & HALT_PAUSED) != 0;
    j->paused = str_eq_c(db_str(rows, c.at), "paused") || j->paused;
    j->blocked = str_eq_c(db_str(rows, c.at), "blocked");
    c.at++;
    j->input = next_text(&c);
    j->created_ms = id_time_ms(j->id);
    return !c.failed;
}

static ErrCode read_row(DbConn *reader, int64_t project, int64_t job, Arena *a, Job *out,
                        bool *found, Err *err)
{
    *found = false;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_job_get, DB_ARGS(DB_I(job), DB_I(project)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        Job j = {0};
        if (!read_job(&rows, a, &j))
            return err_set(err, ERR_NO_MEMORY, "reading a job");
        if (flow_params_open(reader, j.project, a, &j.params, NULL) != OK)
            j.params = STR("{}"); /* the job can be looked at without the key */
        *out = j;
        *found = true;
    }
    return rc;
}

typedef struct FileList {
    JobFile *items;
    size_t len, cap;
} FileList;

static JobFile *file_room(FileList *l, Arena *a)
{
    if (l->len == l->cap) {
        size_t cap = l->cap > 0 ? 2 * l->cap : 8;
        JobFile *grown = arena_grow(a, l->items, l->cap * sizeof *grown, cap * sizeof *grown);
        if (grown == NULL)
            return NULL;
        l->items = grown;
        l->cap = cap;
    }
    return &l->items[l->len++];
}

static ErrCode read_files(DbConn *reader, const Query *q, const DbVal *args, size_t args_len,
                          Arena *a, JobFile **out, size_t *len, Err *err)
{
    FileList l = {0};
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, q, args, args_len, &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        JobFile *f = file_room(&l, a);
        Copier c = {.rows = &rows, .arena = a};
        if (f == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading a job's files");
        f->name = next_text(&c);
        f->type = next_text(&c);
        f->hash = next_text(&c);
        f->size_bytes = next_int(&c);
        if (c.failed)
            return err_set(err, ERR_NO_MEMORY, "reading a job's files");
    }
    *out = l.items;
    *len = l.len;
    return rc;
}

ErrCode flow_files(DbConn *reader, int64_t job, bool outputs, Arena *a, JobFile **out, size_t *len,
                   Err *err)
{
    return read_files(reader, &sql_job_files, DB_ARGS(DB_I(job), DB_I(outputs)), a, out, len, err);
}

ErrCode flow_outputs(DbConn *reader, const Job *job, Arena *a, JobFile **out, size_t *len, Err *err)
{
    return job->batch ? read_files(reader, &sql_batch_outputs,
                                   DB_ARGS(DB_I(job->id), DB_I(BATCH_ITEMS_MAX)), a, out, len, err)
                      : flow_files(reader, job->id, true, a, out, len, err);
}

static ErrCode read_trigger(DbConn *reader, Arena *a, Job *j, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = j->pipeline.len == 0
                     ? OK
                     : db_query(reader, &sql_job_trigger, DB_ARGS(DB_I(j->id), DB_I(j->project)),
                                &rows, err);
    while (rc == OK && j->pipeline.len > 0 && db_next(&rows, &rc, err)) {
        j->trigger = db_str_copy(&rows, 0, a);
        if (j->trigger.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading a job");
    }
    return rc;
}

ErrCode flow_usage(DbConn *reader, int64_t project, int64_t job, Arena *a, JobUsage **out,
                   size_t *len, Err *err)
{
    enum { UNITS_MAX = 100 };
    size_t n = 0;
    JobUsage *all = arena_new(a, JobUsage, UNITS_MAX);
    if (all == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading usage");
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_job_usage, DB_ARGS(DB_I(job), DB_I(project)), &rows, err);
    while (rc == OK && n < UNITS_MAX && db_next(&rows, &rc, err)) {
        all[n] = (JobUsage){.unit = db_str_copy(&rows, 0, a), .amount = db_int(&rows, 1)};
        if (all[n++].unit.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading usage");
    }
    *out = all;
    *len = n;
    return rc;
}

ErrCode flow_item_results(DbConn *reader, int64_t batch, Arena *a, ItemResult **out, size_t *len,
                          Err *err)
{
    size_t n = 0, cap = 0;
    ItemResult *list = NULL;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_batch_results, DB_ARGS(DB_I(batch)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        if (n == cap) {
            size_t more = cap > 0 ? 2 * cap : 64;
            list = arena_grow(a, list, cap * sizeof *list, more * sizeof *list);
            cap = more;
        }
        Copier c = {.rows = &rows, .arena = a, .failed = list == NULL};
        if (list == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading the results of a batch");
        ItemResult *r = &list[n++];
        r->item = next_int(&c);
        r->input = next_text(&c);
        r->file.name = next_text(&c);
        r->file.type = next_text(&c);
        r->file.hash = next_text(&c);
        r->file.size_bytes = next_int(&c);
        if (c.failed)
            return err_set(err, ERR_NO_MEMORY, "reading the results of a batch");
    }
    *out = list;
    *len = n;
    return rc;
}

ErrCode flow_data(DbConn *reader, int64_t job, Arena *a, Str *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_flow_child_value, DB_ARGS(DB_I(job)), &rows, err);
    *out = (Str){0};
    while (rc == OK && db_next(&rows, &rc, err)) {
        if (db_is_null(&rows, 1))
            continue;
        *out = db_str_copy(&rows, 1, a);
        if (out->ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading a result");
    }
    return rc;
}

ErrCode flow_get(DbConn *reader, int64_t project, int64_t job, Arena *a, Job *out, Err *err)
{
    Job j;
    bool found;
    ErrCode rc = read_row(reader, project, job, a, &j, &found, err);
    if (rc == OK && !found)
        rc = err_set(err, ERR_NOT_FOUND, "there is no such job");
    if (rc == OK)
        rc = flow_files(reader, job, false, a, &j.inputs, &j.inputs_len, err);
    if (rc == OK)
        rc = flow_files(reader, job, true, a, &j.outputs, &j.outputs_len, err);
    if (rc == OK)
        rc = read_trigger(reader, a, &j, err);
    if (rc == OK && j.batch)
        rc = flow_batch_counts(reader, job, &j.items, err);
    if (rc == OK)
        *out = j;
    return rc;
}

ErrCode flow_stand(DbConn *reader, int64_t project, int64_t job, JobStand *out, Err *err)
{
    bool found = false;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_job_state, DB_ARGS(DB_I(job), DB_I(project)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        *out = (JobStand){job_state_from(db_str(&rows, 0)), db_int(&rows, 2)};
        found = true;
    }
    return rc == OK && !found ? err_set(err, ERR_NOT_FOUND, "there is no such job") : rc;
}

static ErrCode item_page(DbConn *reader, int64_t batch, int node, int state, int64_t after,
                         int limit, int64_t *ids, size_t *len, Err *err)
{
    size_t n = 0;
    const char *name = state < 0 ? "" : job_state_name((JobState)state);
    const DbVal args[] = {DB_I(batch), DB_I(after), DB_S(str_from_c(name)), DB_I(limit),
                          DB_I(node)};
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = node < 0 ? db_query(reader, &sql_batch_items, args, 4, &rows, err)
                          : db_query(reader, &sql_node_items, args, 5, &rows, err);
    while (rc == OK && db_next(&rows, &rc, err))
        ids[n++] = db_int(&rows, 0);
    *len = n;
    return rc;
}

ErrCode flow_items_by(DbConn *reader, int64_t project, int64_t parent, int node, int state,
                      int64_t after, int limit, Arena *a, Job **out, size_t *len, bool *more,
                      Err *err)
{
    if (limit < 1 || limit > FLOW_LIST_MAX)
        return err_set(err, ERR_BAD_PARAM, "limit must be 1 to %d, not %d", FLOW_LIST_MAX, limit);
    int64_t ids[FLOW_LIST_MAX + 1];
    size_t n = 0;
    ErrCode rc = item_page(reader, parent, node, state, after, limit + 1, ids, &n, err);
    if (rc != OK)
        return rc;
    *more = n > (size_t)limit;
    n = *more ? (size_t)limit : n;
    Job *jobs = arena_new(a, Job, n);
    if (jobs == NULL)
        return err_set(err, ERR_NO_MEMORY, "listing items");
    for (size_t i = 0; rc == OK && i < n; i++)
        rc = flow_get(reader, project, ids[i], a, &jobs[i], err);
    *out = jobs;
    *len = n;
    return rc;
}

ErrCode flow_items(DbConn *reader, int64_t project, int64_t batch, int state, int64_t after,
                   int limit, Arena *a, Job **out, size_t *len, bool *more, Err *err)
{
    return flow_items_by(reader, project, batch, -1, state, after, limit, a, out, len, more, err);
}

/* One state, or any (-1), has its own way to be found (sql/job.sql); all give ids, newest first. */
static const Query *ids_query(int state)
{
    switch (state) {
    case JOB_QUEUED:
        return &sql_job_ids_queued;
    case JOB_RUNNING:
        return &sql_job_ids_running;
    case JOB_DONE:
        return &sql_job_ids_done;
    case JOB_FAILED:
        return &sql_job_ids_failed;
    case JOB_CANCELED:
        return &sql_job_ids_canceled;
    default:
        return &sql_job_ids;
    }
}

/* The newest ids found so far, newest first, without one twice. */
typedef struct Ids {
    int64_t items[FLOW_LIST_MAX + 1];
    size_t len, max;
} Ids;

static void add_id(Ids *l, int64_t id)
{
    size_t at = l->len;
    while (at > 0 && l->items[at - 1] < id)
        at--;
    if (at == l->max || (at > 0 && l->items[at - 1] == id)) /* it changed its state meanwhile */
        return;
    l->len = l->len < l->max ? l->len + 1 : l->len;
    memmove(&l->items[at + 1], &l->items[at], (l->len - 1 - at) * sizeof l->items[0]);
    l->items[at] = id;
}

static ErrCode find_ids_in(DbConn *reader, const JobFilter *f, int state, Ids *ids, Err *err)
{
    /* Ids sort by time, so a span of time is a span of ids. */
    int64_t below = f->before > 0 ? f->before : INT64_MAX;
    if (f->until_ms > 0 && id_first(f->until_ms) < below)
        below = id_first(f->until_ms);
    int64_t from = f->since_ms > 0 ? id_first(f->since_ms) : 0;
    if (f->from > from)
        from = f->from;

    CLEANUP(db_rows_done) DbRows rows = {0};
    bool by_pipeline = f->pipeline.len > 0;
    const char *name = state < 0 ? "" : job_state_name((JobState)state);
    const DbVal args[] = {DB_I(f->project),
                          DB_I(below),
                          DB_I(from),
                          DB_S(by_pipeline ? f->pipeline : f->step),
                          DB_I((int64_t)ids->max),
                          DB_S(f->queue),
                          DB_I(f->key),
                          DB_S(str_from_c(name))};
    const DbVal of_batches[] = {args[0], args[1], args[2], args[4], args[7]};
    if (f->batches) {
        ErrCode rc =
            db_query(reader, &sql_job_ids_batch, of_batches, COUNT_OF(of_batches), &rows, err);
        while (rc == OK && db_next(&rows, &rc, err))
            add_id(ids, db_int(&rows, 0));
        return rc;
    }
    ErrCode rc = by_pipeline ? db_query(reader, &sql_job_ids_pipeline, args, 8, &rows, err)
                             : db_query(reader, ids_query(state), args, 7, &rows, err);
    while (rc == OK && db_next(&rows, &rc, err))
        add_id(ids, db_int(&rows, 0));
    return rc;
}

static ErrCode find_ids(DbConn *reader, const JobFilter *f, Ids *ids, Err *err)
{
    const unsigned every = (1u << JOB_STATE_COUNT) - 1;
    if (f->states == 0 || (f->states & every) == every)
        return find_ids_in(reader, f, -1, ids, err);
    ErrCode rc = OK;
    for (int state = 0; rc == OK && state < JOB_STATE_COUNT; state++)
        if ((f->states & 1u << state) != 0)
            rc = find_ids_in(reader, f, state, ids, err);
    return rc;
}

ErrCode flow_list(DbConn *reader, const JobFilter *f, Arena *a, Job **out, size_t *len, bool *more,
                  Err *err)
{
    if (f->limit < 1 || f->limit > FLOW_LIST_MAX)
        return err_set(err, ERR_BAD_PARAM, "limit must be 1 to %d, not %d", FLOW_LIST_MAX,
                       f->limit);
    Ids ids = {.max = (size_t)f->limit + 1};
    ErrCode rc = find_ids(reader, f, &ids, err);
    if (rc != OK)
        return rc;
    *more = ids.len > (size_t)f->limit;
    size_t n = *more ? (size_t)f->limit : ids.len;

    Job *jobs = arena_new(a, Job, n);
    if (jobs == NULL)
        return err_set(err, ERR_NO_MEMORY, "listing jobs");
    size_t kept = 0;
    for (size_t i = 0; rc == OK && i < n; i++) {
        bool found = false;
        rc = read_row(reader, f->project, ids.items[i], a, &jobs[kept], &found, err);
        kept += found;
    }
    *out = jobs;
    *len = kept;
    return rc;
}
