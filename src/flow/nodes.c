/* nodes.c: how the nodes of a pipeline's job stand, for people. */
#include "flow/pipeline_in.h"
#include "db/queries.h"

static const char *kind_name(const Node *n)
{
    return n->kind == NODE_WAIT ? "wait" : n->kind == NODE_CALL ? "call" : "step";
}

static Str uses_of(const Node *n)
{
    static const char *const waits[] = {[WAIT_APPROVAL] = "approval",
                                        [WAIT_SIGNAL] = "signal",
                                        [WAIT_TIME] = "time",
                                        [WAIT_CALLBACK] = "callback"};
    return n->kind == NODE_STEP   ? n->uses
           : n->kind == NODE_CALL ? n->call
                                  : str_from_c(waits[n->wait]);
}

static ErrCode copy_needs(const Pipeline *p, const Node *n, Arena *a, NodeView *v, Err *err)
{
    Str *needs = arena_new(a, Str, n->needs_len);
    if (needs == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading nodes");
    for (size_t i = 0; i < n->needs_len; i++)
        if ((needs[i] = str_copy(a, p->nodes[n->needs[i]].id)).ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading nodes");
    v->needs = needs;
    v->needs_len = n->needs_len;
    return OK;
}

static ErrCode read_data(DbConn *reader, int64_t job, int i, Arena *a, NodeView *v, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_node_data, DB_ARGS(DB_I(job), DB_I(i)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err))
        if (!db_is_null(&rows, 0) && (v->data = db_str_copy(&rows, 0, a)).ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading nodes");
    return rc;
}

static ErrCode view(DbConn *reader, int64_t job, const Pipeline *p, int i, const NodeNow *now,
                    Arena *a, NodeView *v, Err *err)
{
    const Node *n = &p->nodes[i];
    *v = (NodeView){.id = str_copy(a, n->id),
                    .uses = str_copy(a, uses_of(n)),
                    .kind = str_from_c(kind_name(n)),
                    .state = now->state,
                    .started_ms = now->started_ms,
                    .finished_ms = now->finished_ms,
                    .due_ms = now->due_ms,
                    .total = now->total,
                    .ended = now->ended,
                    .failed = now->failed,
                    .child = now->child,
                    .many = n->foreach != NULL || n->matrix != NULL,
                    .optional = n->continue_on_error,
                    .reason = now->reason,
                    .detail = now->detail,
                    .section = n->section};
    if (n->kind == NODE_WAIT && n->wait == WAIT_APPROVAL)
        v->who = str_copy(a, n->who);
    if (v->id.ptr == NULL || v->uses.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading nodes");
    ErrCode rc = copy_needs(p, n, a, v, err);
    if (rc == OK && now->child != 0) {
        int64_t source = 0;
        rc = db_get_int(reader, &sql_job_reused, DB_ARGS(DB_I(now->child)), 0, &source, err);
        v->reused = source != 0;
    }
    return rc == OK && n->kind == NODE_WAIT ? read_data(reader, job, i, a, v, err) : rc;
}

typedef struct Asked {
    int64_t pipeline, version;
    bool found, ended;
} Asked;

static ErrCode read_asked(DbConn *reader, int64_t project, int64_t job, Asked *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc =
        db_query(reader, &sql_job_pipeline_of, DB_ARGS(DB_I(job), DB_I(project)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err))
        *out = (Asked){db_int(&rows, 0), db_int(&rows, 1), true, db_int(&rows, 2) != 0};
    if (rc == OK && !out->found)
        return err_set(err, ERR_NOT_FOUND, "there is no such job");
    return rc == OK && out->pipeline == 0
               ? err_set(err, ERR_CONFLICT, "the job is of a step, not of a pipeline")
               : rc;
}

/* What never began in a job that has ended will not. */
static void close_open(const Pipeline *p, NodeNow *now)
{
    for (size_t i = 0; i < p->nodes_len; i++)
        if (now[i].state == NODE_PENDING)
            now[i].state = p->nodes[i].section == SECTION_STEPS ? NODE_CANCELED : NODE_SKIPPED;
}

static ErrCode read_children(DbConn *reader, int64_t job, NodeView *views, size_t len, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_node_children, DB_ARGS(DB_I(job)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        int64_t i = db_int(&rows, 0);
        if (i < 0 || (size_t)i >= len)
            continue;
        views[i].began_ms = db_int(&rows, 1);
        views[i].attempts = db_int(&rows, 2);
        views[i].progress_done = db_int(&rows, 3);
        views[i].progress_total = db_int(&rows, 4);
    }
    return rc;
}

ErrCode flow_nodes(DbConn *reader, int64_t project, int64_t job, Arena *a, NodeView **out,
                   size_t *len, Err *err)
{
    Asked asked = {0};
    PipelineHeld *held = NULL;
    ErrCode rc = read_asked(reader, project, job, &asked, err);
    if (rc == OK)
        rc = flow_hold_version(reader, asked.pipeline, asked.version, &held, err);
    if (rc != OK)
        return rc;
    const Pipeline *p = flow_pipeline_of(held);
    NodeNow *now = arena_new(a, NodeNow, p->nodes_len);
    NodeView *views = arena_new(a, NodeView, p->nodes_len);
    if (now == NULL || views == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "reading nodes");
    if (rc == OK)
        rc = flow_read_nodes(reader, job, p, a, now, err);
    if (rc == OK && asked.ended)
        close_open(p, now);
    for (size_t i = 0; rc == OK && i < p->nodes_len; i++)
        rc = view(reader, job, p, (int)i, &now[i], a, &views[i], err);
    if (rc == OK)
        rc = read_children(reader, job, views, p->nodes_len, err);
    *out = views;
    *len = p->nodes_len;
    flow_pipeline_release(&held);
    return rc;
}

/* --- children --- */

static ErrCode find_node(DbConn *reader, int64_t project, int64_t job, Str node, int *out, Err *err)
{
    Asked asked = {0};
    CLEANUP(flow_pipeline_release) PipelineHeld *held = NULL;
    ErrCode rc = read_asked(reader, project, job, &asked, err);
    if (rc == OK)
        rc = flow_hold_version(reader, asked.pipeline, asked.version, &held, err);
    if (rc == OK)
        *out = pipeline_node_index(flow_pipeline_of(held), node);
    return rc == OK && *out < 0 ? err_set(err, ERR_NOT_FOUND,
                                          "the pipeline has no step \"" STR_FMT "\"", STR_ARG(node))
                                : rc;
}

ErrCode flow_node_items(DbConn *reader, int64_t project, int64_t job, Str node, int state,
                        int64_t after, int limit, Arena *a, Job **out, size_t *len, bool *more,
                        Err *err)
{
    int index = -1;
    ErrCode rc = find_node(reader, project, job, node, &index, err);
    return rc != OK ? rc
                    : flow_items_by(reader, project, job, index, state, after, limit, a, out, len,
                                    more, err);
}

ErrCode flow_node_usage(DbConn *reader, int64_t project, int64_t job, Arena *a, NodeUsage **out,
                        size_t *len, Err *err)
{
    enum { USAGE_MAX = 1000 };
    size_t n = 0;
    NodeUsage *all = arena_new(a, NodeUsage, USAGE_MAX);
    if (all == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading usage");
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_node_usage, DB_ARGS(DB_I(job), DB_I(project)), &rows, err);
    while (rc == OK && n < USAGE_MAX && db_next(&rows, &rc, err)) {
        all[n] = (NodeUsage){db_int(&rows, 0), db_int(&rows, 2), db_str_copy(&rows, 1, a)};
        if (all[n++].unit.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading usage");
    }
    *out = all;
    *len = n;
    return rc;
}

/* --- approvals --- */

typedef struct WaitRow {
    int64_t job, node, started_ms, due_ms;
} WaitRow;

/* Waits of whole jobs: the last job may go over the limit. */
static ErrCode wait_rows(DbConn *reader, int64_t project, int64_t after, int limit, WaitRow *out,
                         size_t *len, int64_t *next, Err *err)
{
    size_t n = 0;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc =
        db_query(reader, &sql_node_waiting,
                 DB_ARGS(DB_I(project), DB_I(after), DB_I(limit + PIPELINE_NODES_MAX)), &rows, err);
    *next = 0;
    while (rc == OK && db_next(&rows, &rc, err)) {
        WaitRow w = {db_int(&rows, 0), db_int(&rows, 1), db_int(&rows, 2), db_int(&rows, 3)};
        if (n >= (size_t)limit && w.job != out[n - 1].job) {
            *next = out[n - 1].job;
            break;
        }
        out[n++] = w;
    }
    *len = n;
    return rc;
}

/* *is: it is an approval. */
static ErrCode view_approval(DbConn *reader, int64_t project, const WaitRow *w, Arena *a,
                             ApprovalView *out, bool *is, Err *err)
{
    Asked asked = {0};
    CLEANUP(flow_pipeline_release) PipelineHeld *held = NULL;
    *is = false;
    ErrCode rc = read_asked(reader, project, w->job, &asked, err);
    if (rc == OK)
        rc = flow_hold_version(reader, asked.pipeline, asked.version, &held, err);
    if (rc != OK)
        return rc;
    const Pipeline *p = flow_pipeline_of(held);
    const Node *n = (size_t)w->node < p->nodes_len ? &p->nodes[w->node] : NULL;
    if (n == NULL || n->kind != NODE_WAIT || n->wait != WAIT_APPROVAL)
        return OK;
    *out = (ApprovalView){.job = w->job,
                          .since_ms = w->started_ms,
                          .due_ms = w->due_ms,
                          .version = asked.version,
                          .pipeline = str_copy(a, p->name),
                          .node = str_copy(a, n->id),
                          .who = str_copy(a, n->who)};
    *is = true;
    return out->pipeline.ptr != NULL && out->node.ptr != NULL && out->who.ptr != NULL
               ? OK
               : err_set(err, ERR_NO_MEMORY, "listing approvals");
}

ErrCode flow_approvals(DbConn *reader, int64_t project, int64_t after, int limit, Arena *a,
                       ApprovalView **out, size_t *len, int64_t *next, Err *err)
{
    size_t rows_len = 0, n = 0;
    WaitRow *rows = arena_new(a, WaitRow, (size_t)limit + PIPELINE_NODES_MAX);
    ApprovalView *all = arena_new(a, ApprovalView, (size_t)limit + PIPELINE_NODES_MAX);
    ErrCode rc =
        rows != NULL && all != NULL ? OK : err_set(err, ERR_NO_MEMORY, "listing approvals");
    if (rc == OK)
        rc = wait_rows(reader, project, after, limit, rows, &rows_len, next, err);
    for (size_t i = 0; rc == OK && i < rows_len; i++) {
        bool is = false;
        rc = view_approval(reader, project, &rows[i], a, &all[n], &is, err);
        n += is;
    }
    *out = all;
    *len = n;
    return rc;
}
