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
    *out = views;
    *len = p->nodes_len;
    flow_pipeline_release(&held);
    return rc;
}
