/* halt.c: what people do to a pipeline's job: pause and resume, cancel with something left to do,
 * run again. */
#include "flow/pipeline_in.h"
#include "base/clock.h"
#include "db/queries.h"

static ErrCode no_memory(Err *err)
{
    return err_set(err, ERR_NO_MEMORY, "changing a pipeline's job");
}

/* --- pause --- */

typedef struct Pause {
    int64_t project, job;
    bool pause;
} Pause;

typedef struct LiveChild {
    int64_t id;
    bool waits; /* it has children of its own */
} LiveChild;

static ErrCode live_children(DbConn *tx, int64_t job, Arena *a, LiveChild **out, size_t *len,
                             Err *err)
{
    size_t n = 0, cap = 0;
    LiveChild *list = NULL;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_flow_children_live, DB_ARGS(DB_I(job)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        if (n == cap) {
            size_t more = cap > 0 ? 2 * cap : 64;
            list = arena_grow(a, list, cap * sizeof *list, more * sizeof *list);
            if (list == NULL)
                return no_memory(err);
            cap = more;
        }
        list[n++] = (LiveChild){db_int(&rows, 0), str_eq_c(db_str(&rows, 1), "waiting")};
    }
    *out = list;
    *len = n;
    return rc;
}

/* A task that is not running leaves its queue, or comes back to it. *found: there was one. */
static ErrCode pause_task(DbConn *tx, int64_t project, int64_t job, bool pause, bool *found,
                          Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    int64_t now_ms = clock_now_ms(), run_at_ms = 0;
    char queue[QUEUE_NAME_MAX + 1] = "";
    ErrCode rc = pause
                     ? db_query(tx, &sql_task_pause, DB_ARGS(DB_I(job), DB_I(project)), &rows, err)
                     : db_query(tx, &sql_task_resume,
                                DB_ARGS(DB_I(job), DB_I(project), DB_I(now_ms)), &rows, err);
    *found = false;
    while (rc == OK && db_next(&rows, &rc, err)) {
        Str name = db_str(&rows, 0);
        *found = true;
        for (size_t i = 0; i < name.len && i < QUEUE_NAME_MAX; i++)
            queue[i] = name.ptr[i];
        run_at_ms = db_int(&rows, 1);
    }
    db_rows_done(&rows);
    if (rc == OK && *found && !pause)
        rc =
            queue_is_ready(tx, str_from_c(queue), project, run_at_ms > now_ms ? run_at_ms : 0, err);
    if (rc == OK && *found && !pause)
        rc = flow_tell_ready(tx, str_from_c(queue), run_at_ms, err);
    return rc;
}

static ErrCode say(DbConn *tx, int64_t job, bool pause, Err *err)
{
    Running r;
    bool found = false;
    CLEANUP(arena_close) Arena *a = arena_open(RUN_MEMORY);
    if (a == NULL)
        return no_memory(err);
    ErrCode rc = running_open(tx, job, a, &r, &found, err);
    if (rc == OK && found)
        rc = running_event(&r, (EventNew){.type = pause ? EVENT_JOB_PAUSED : EVENT_JOB_RESUMED},
                           err);
    for (size_t i = 0; rc == OK && found && !pause && i < r.p->nodes_len; i++)
        if (r.now[i].state == NODE_RUNNING && plan_room(&r.p->nodes[i], &r.now[i]) > 0) {
            rc = node_fill(&r, (int)i, err);
            if (rc == OK)
                rc = running_settle(&r, (int)i, false, err);
        }
    if (rc == OK && found)
        rc = running_advance(&r, err);
    running_done(&r);
    return rc;
}

static ErrCode pause_tree(DbConn *tx, int64_t project, int64_t job, bool pause, int depth,
                          bool *found, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    LiveChild *children = NULL;
    size_t n = 0;
    int64_t changed = 0;
    if (a == NULL)
        return no_memory(err);
    ErrCode rc =
        db_get_int(tx, pause ? &sql_flow_halt : &sql_flow_unhalt,
                   DB_ARGS(DB_I(job), DB_I(project), DB_I(HALT_PAUSED)), -1, &changed, err);
    *found = rc == OK && changed >= 0;
    if (rc != OK || !*found)
        return rc;
    rc = live_children(tx, job, a, &children, &n, err);
    for (size_t i = 0; rc == OK && i < n; i++) {
        bool any;
        rc = children[i].waits && depth < PIPELINE_CALLS_DEEP
                 ? pause_tree(tx, project, children[i].id, pause, depth + 1, &any, err)
                 : pause_task(tx, project, children[i].id, pause, &any, err);
    }
    if (rc == OK)
        rc = say(tx, job, pause, err);
    return rc == OK && !pause ? flow_batch_fill(tx, job, err) : rc;
}

static ErrCode task_event(DbConn *tx, const Pause *p, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(FLOW_SCRATCH);
    int64_t seq = 0;
    if (a == NULL)
        return no_memory(err);
    ErrCode rc = db_get_int(tx, &sql_task_count_event, DB_ARGS(DB_I(p->job)), 0, &seq, err);
    if (rc == OK)
        rc = flow_event_add(tx,
                            &(EventNew){.project = p->project,
                                        .job = p->job,
                                        .seq = seq,
                                        .type = p->pause ? EVENT_JOB_PAUSED : EVENT_JOB_RESUMED},
                            a, err);
    return rc == OK ? flow_tell_news(tx, p->project, p->job, err) : rc;
}

static ErrCode pause_write(DbConn *tx, void *arg, Err *err)
{
    const Pause *p = arg;
    bool found = false;
    int64_t exists = 0;
    ErrCode rc = pause_tree(tx, p->project, p->job, p->pause, 0, &found, err);
    if (rc != OK || found)
        return rc;
    rc = pause_task(tx, p->project, p->job, p->pause, &found, err);
    if (rc == OK && found)
        return task_event(tx, p, err);
    if (rc == OK)
        rc = db_get_int(tx, &sql_job_exists, DB_ARGS(DB_I(p->job), DB_I(p->project)), 0, &exists,
                        err);
    if (rc != OK)
        return rc;
    if (!exists)
        return err_set(err, ERR_NOT_FOUND, "there is no such job");
    return err_set(err, ERR_CONFLICT,
                   p->pause ? "the job runs, has ended or is paused already"
                            : "the job is not paused");
}

ErrCode flow_pause(Db *db, int64_t project, int64_t job, Err *err)
{
    return db_write(db, pause_write, &(Pause){project, job, true}, err);
}

ErrCode flow_resume(Db *db, int64_t project, int64_t job, Err *err)
{
    return db_write(db, pause_write, &(Pause){project, job, false}, err);
}

/* --- cancel --- */

static bool has_finally(const Pipeline *p)
{
    return p->nodes_len > 0 && p->nodes[p->nodes_len - 1].section == SECTION_FINALLY;
}

ErrCode flow_halt_softly(DbConn *tx, int64_t project, int64_t job, int64_t why, bool *took,
                         Err *err)
{
    Running r;
    bool found = false;
    int64_t changed = -1;
    *took = false;
    CLEANUP(arena_close) Arena *a = arena_open(RUN_MEMORY);
    if (a == NULL)
        return no_memory(err);
    ErrCode rc = running_open(tx, job, a, &r, &found, err);
    if (rc == OK && found && r.project == project && has_finally(r.p) &&
        (r.halt & (HALT_CANCELED | HALT_DEADLINE)) == 0)
        rc = db_get_int(tx, &sql_flow_halt, DB_ARGS(DB_I(job), DB_I(project), DB_I(why)), -1,
                        &changed, err);
    if (rc == OK && changed >= 0 && (r.halt & HALT_PAUSED)) /* it could not end otherwise */
        rc = db_exec(tx, &sql_flow_unhalt, DB_ARGS(DB_I(job), DB_I(project), DB_I(HALT_PAUSED)),
                     NULL, err);
    *took = rc == OK && changed >= 0;
    running_done(&r);
    return rc;
}

ErrCode flow_go_on(DbConn *tx, int64_t job, Err *err)
{
    Running r;
    bool found = false;
    CLEANUP(arena_close) Arena *a = arena_open(RUN_MEMORY);
    if (a == NULL)
        return no_memory(err);
    ErrCode rc = running_open(tx, job, a, &r, &found, err);
    if (rc == OK && found)
        rc = running_advance(&r, err);
    running_done(&r);
    return rc;
}

/* --- again --- */

static int64_t first_of_later_sections(const Pipeline *p)
{
    size_t i = 0;
    while (i < p->nodes_len && p->nodes[i].section == SECTION_STEPS)
        i++;
    return (int64_t)i;
}

/* An ended job gets its waiting task back. */
static ErrCode reopen(Running *r, bool *found, Err *err)
{
    Ended end;
    ErrCode rc = flow_take_end(r->tx, r->project, r->job, false, &end, err);
    *found = rc == OK && end.found;
    if (rc != OK || !end.found)
        return rc;
    r->seq = end.seq;
    r->started_ms = end.started_ms;
    rc = db_exec(r->tx, &sql_flow_task_add,
                 DB_ARGS(DB_I(r->job), DB_I(r->project), DB_I(r->seq), DB_I(r->started_ms),
                         DB_I(r->priority), db_int_or_null(r->parent)),
                 NULL, err);
    if (rc == OK)
        rc = running_event(r, (EventNew){.type = EVENT_JOB_RETRIED}, err);
    r->ended = false;
    return rc;
}

static ErrCode reset(Running *r, Err *err)
{
    ErrCode rc = db_exec(r->tx, &sql_node_reset,
                         DB_ARGS(DB_I(r->job), DB_I(first_of_later_sections(r->p))), NULL, err);
    if (rc != OK)
        return rc;
    for (size_t i = 0; i < r->p->nodes_len; i++)
        r->now[i] = (NodeNow){0};
    return flow_read_nodes(r->tx, r->job, r->p, r->arena, r->now, err);
}

static ErrCode write_seq(Running *r, Err *err)
{
    return db_exec(r->tx, &sql_flow_task_set,
                   DB_ARGS(DB_I(r->job), DB_I(r->seq), DB_I(0), DB_I((int64_t)r->p->nodes_len)),
                   NULL, err);
}

static ErrCode again_in(Running *r, int64_t child, Err *err)
{
    int64_t i = -1;
    bool reopened = false;
    ErrCode rc = db_get_int(r->tx, &sql_flow_child_get, DB_ARGS(DB_I(child)), -1, &i, err);
    if (rc == OK && r->ended)
        rc = reopen(r, &reopened, err);
    if (rc == OK)
        rc = reset(r, err);
    if (rc != OK || i < 0 || i >= (int64_t)r->p->nodes_len)
        return rc;
    NodeNow *n = &r->now[i];
    if (node_state_ended(n->state) && n->begun > 0) {
        n->state = NODE_RUNNING;
        n->finished_ms = 0;
        n->reason = n->detail = (Str){0};
    }
    if (n->state == NODE_RUNNING) {
        n->ended -= n->ended > 0;
        n->failed -= n->failed > 0;
        rc = running_write_node(r, (int)i, false, err);
    }
    if (rc == OK)
        rc = write_seq(r, err);
    if (rc == OK)
        rc = flow_tell_news(r->tx, r->project, r->job, err);
    bool is_flow = false;
    if (rc == OK && reopened && r->parent != 0)
        rc = flow_child_again(r->tx, r->parent, r->job, r->project, &is_flow, err);
    return rc;
}

ErrCode flow_child_again(DbConn *tx, int64_t parent, int64_t child, int64_t project, bool *is_flow,
                         Err *err)
{
    Running r;
    bool found = false;
    (void)project;
    CLEANUP(arena_close) Arena *a = arena_open(RUN_MEMORY);
    if (a == NULL)
        return no_memory(err);
    ErrCode rc = running_open(tx, parent, a, &r, &found, err);
    if (rc == OK && !found) {
        running_done(&r);
        rc = running_open_ended(tx, parent, a, &r, &found, err);
    }
    *is_flow = found;
    if (rc == OK && found)
        rc = again_in(&r, child, err);
    running_done(&r);
    return rc;
}

static ErrCode failed_children(DbConn *tx, int64_t job, Arena *a, int64_t **out, size_t *len,
                               Err *err)
{
    return flow_item_ids(tx, &sql_flow_children_failed, job, a, out, len, err);
}

ErrCode flow_pipeline_again(DbConn *tx, int64_t project, int64_t job, bool *found, Err *err)
{
    Running r;
    int64_t *ids = NULL;
    size_t n = 0;
    bool is_flow = false, again = false;
    CLEANUP(arena_close) Arena *a = arena_open(RUN_MEMORY);
    *found = false;
    if (a == NULL)
        return no_memory(err);
    ErrCode rc = running_open_ended(tx, job, a, &r, &is_flow, err);
    if (rc == OK && is_flow && r.project == project)
        rc = reopen(&r, found, err);
    if (rc == OK && *found)
        rc = write_seq(&r, err);
    if (rc == OK && *found)
        rc = failed_children(tx, job, a, &ids, &n, err);
    if (rc == OK && *found)
        rc = reset(&r, err);
    int64_t parent = r.parent;
    running_done(&r);
    for (size_t i = 0; rc == OK && i < n; i++)
        rc = flow_run_again(tx, project, ids[i], &again, err);
    is_flow = false;
    if (rc == OK && *found && parent != 0)
        rc = flow_child_again(tx, parent, job, project, &is_flow, err);
    if (rc == OK && *found && parent != 0 && !is_flow)
        rc = flow_item_again(tx, parent, project, a, err);
    return rc == OK && *found ? flow_go_on(tx, job, err) : rc;
}
