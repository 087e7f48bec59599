/* replay.c: a new job like an old one, which takes over the results that are to stay. */
#include "flow/pipeline_in.h"
#include "base/id.h"
#include "db/queries.h"

typedef struct Ask {
    int64_t id;
    const Replay *r;
    JobAdded added;
} Ask;

/* What a node's expressions name of the inputs that have changed. */
typedef struct Reached {
    const Json *before, *after;
    bool yes;
} Reached;

static bool same_json(const Json *a, const Json *b, Arena *scratch)
{
    Buf x = buf_init(scratch, RUN_PARAMS_MAX), y = buf_init(scratch, RUN_PARAMS_MAX);
    JsonOut jx = json_out(&x), jy = json_out(&y);
    json_put(&jx, a);
    json_put(&jy, b);
    return !x.failed && !y.failed && str_eq(buf_str(&x), buf_str(&y));
}

typedef struct Change {
    Reached r;
    Arena *arena;
} Change;

static void on_ref(void *ctx, const Str *path, size_t len)
{
    Change *c = ctx;
    if (len == 0 || !str_eq_c(path[0], "inputs"))
        return;
    const Json *a = len > 1 ? json_get_str(c->r.before, path[1]) : c->r.before;
    const Json *b = len > 1 ? json_get_str(c->r.after, path[1]) : c->r.after;
    c->r.yes = c->r.yes || !same_json(a, b, c->arena);
}

static void look(const Template *t, Change *c)
{
    if (t != NULL)
        template_each_ref(t, on_ref, c);
}

static bool is_reached(const Node *n, const Json *before, const Json *after, Arena *a)
{
    Change c = {.r = {before, after, false}, .arena = a};
    if (n->when != NULL)
        expr_each_ref(n->when, on_ref, &c);
    look(n->with, &c);
    look(n->file, &c);
    look(n->foreach, &c);
    look(n->matrix, &c);
    look(n->until, &c);
    return c.r.yes;
}

/* Which nodes keep their results: ended well, not from `from` on, not reached by a change, and
 * nothing they need runs again. */
static bool *kept_nodes(const Running *old, int from, const Json *inputs)
{
    bool *kept = arena_new(old->arena, bool, old->p->nodes_len);
    for (size_t i = 0; kept != NULL && i < old->p->nodes_len; i++) {
        const Node *n = &old->p->nodes[i];
        NodeState s = old->now[i].state;
        kept[i] = n->section == SECTION_STEPS && (int)i != from &&
                  (s == NODE_DONE || s == NODE_SKIPPED) &&
                  !is_reached(n, old->inputs, inputs, old->arena);
        for (size_t k = 0; kept[i] && k < n->needs_len; k++)
            kept[i] = kept[n->needs[k]];
    }
    return kept;
}

typedef struct Source {
    int64_t id, place;
    bool done;
} Source;

static ErrCode children_of(Running *old, int i, Source **out, size_t *len, Err *err)
{
    size_t n = 0, cap = (size_t)old->now[i].total + SIGNALS_MAX;
    Source *list = arena_new(old->arena, Source, cap);
    if (list == NULL)
        return err_set(err, ERR_NO_MEMORY, "replaying a job");
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc =
        db_query(old->tx, &sql_flow_children, DB_ARGS(DB_I(old->job), DB_I(i)), &rows, err);
    while (rc == OK && n < cap && db_next(&rows, &rc, err))
        list[n++] =
            (Source){db_int(&rows, 0), db_int(&rows, 1), str_eq_c(db_str(&rows, 2), "done")};
    *out = list;
    *len = n;
    return rc;
}

static ErrCode copy_wait(Running *old, Running *r, int i, Err *err)
{
    Str data = {0};
    {
        CLEANUP(db_rows_done) DbRows rows = {0};
        ErrCode rc =
            db_query(old->tx, &sql_node_data, DB_ARGS(DB_I(old->job), DB_I(i)), &rows, err);
        while (rc == OK && db_next(&rows, &rc, err))
            data = db_str_copy(&rows, 0, r->arena);
        if (rc != OK)
            return rc;
    }
    return data.len > 0 ? db_exec(r->tx, &sql_node_set_data,
                                  DB_ARGS(DB_I(r->job), DB_I(i), DB_S(data)), NULL, err)
                        : OK;
}

static ErrCode copy_node(Running *old, Running *r, int i, Err *err)
{
    Source *from = NULL;
    size_t n = 0;
    r->now[i] = old->now[i];
    r->now[i].child = 0;
    ErrCode rc = children_of(old, i, &from, &n, err);
    for (size_t k = 0; rc == OK && k < n; k++) {
        int64_t id = 0;
        if (!from[k].done) /* an item that was allowed to fail stays a gap */
            continue;
        rc = node_copy_child(r, i, from[k].place, from[k].id, &id, err);
        if (r->now[i].total == 1)
            r->now[i].child = id;
    }
    if (rc == OK)
        rc = running_write_node(r, i, true, err);
    if (rc == OK && r->p->nodes[i].kind == NODE_WAIT)
        rc = copy_wait(old, r, i, err);
    if (rc == OK)
        rc = running_event(r,
                           (EventNew){.type = old->now[i].state == NODE_SKIPPED ? EVENT_STEP_SKIPPED
                                                                                : EVENT_STEP_REUSED,
                                      .node = r->p->nodes[i].id,
                                      .item = r->now[i].child},
                           err);
    return rc;
}

static ErrCode take_over(Running *old, int64_t id, int from, Err *err)
{
    Running r;
    bool found = false;
    ErrCode rc = running_open(old->tx, id, old->arena, &r, &found, err);
    if (rc == OK && !found)
        rc = err_set(err, ERR_INTERNAL, "the new job is not there");
    bool *kept = rc == OK ? kept_nodes(old, from, r.inputs) : NULL;
    if (rc == OK && kept == NULL)
        rc = err_set(err, ERR_NO_MEMORY, "replaying a job");
    for (size_t i = 0; rc == OK && i < r.p->nodes_len; i++)
        if (kept[i])
            rc = copy_node(old, &r, (int)i, err);
    if (rc == OK)
        rc = running_advance(&r, err);
    running_done(&r);
    return rc;
}

static ErrCode read_files(DbConn *tx, int64_t job, Arena *a, JobFile **out, size_t *len, Err *err)
{
    return flow_files(tx, job, false, a, out, len, err);
}

static ErrCode replay_of(DbConn *tx, Ask *ask, Running *old, Err *err)
{
    const Replay *n = ask->r;
    int from = n->from.len > 0 ? pipeline_node_index(old->p, n->from) : -1;
    if (n->from.len > 0 && from < 0)
        return err_set(err, ERR_NOT_FOUND, "the pipeline has no step \"" STR_FMT "\"",
                       STR_ARG(str_slice(n->from, 0, 64)));
    PipelineRun run = {.project = n->project,
                       .key = n->key,
                       .inputs = n->inputs.len > 0 ? n->inputs : old->params,
                       .files = n->files,
                       .files_len = n->files_len,
                       .priority = old->priority,
                       .timeout_ms = old->timeout_ms,
                       .trigger = old->trigger,
                       .trace = n->trace};
    JobFile *files = NULL;
    ErrCode rc = OK;
    if (n->inputs.len == 0) {
        rc = read_files(tx, n->job, old->arena, &files, &run.files_len, err);
        run.files = files;
    }
    if (rc == OK)
        rc = flow_add_run(tx, ask->id, &run, &old->version, NULL, n->job, err);
    if (rc == OK)
        rc = take_over(old, ask->id, from, err);
    ask->added = (JobAdded){.job = ask->id};
    return rc == OK ? flow_tell_news(tx, n->project, ask->id, err) : rc;
}

static ErrCode replay_write(DbConn *tx, void *arg, Err *err)
{
    Ask *ask = arg;
    Running old;
    bool found = false;
    CLEANUP(arena_close) Arena *a = arena_open(RUN_MEMORY);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "replaying a job");
    ErrCode rc = running_open_ended(tx, ask->r->job, a, &old, &found, err);
    if (rc == OK && (!found || old.project != ask->r->project))
        rc = err_set(err, ERR_NOT_FOUND, "there is no such job of a pipeline");
    if (rc == OK)
        rc = replay_of(tx, ask, &old, err);
    running_done(&old);
    return rc;
}

ErrCode flow_replay(Db *db, const Replay *r, JobAdded *out, Err *err)
{
    Ask ask = {.id = id_new(), .r = r};
    ErrCode rc = db_write(db, replay_write, &ask, err);
    if (rc == OK)
        *out = ask.added;
    return rc;
}
