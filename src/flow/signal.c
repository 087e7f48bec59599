/* signal.c: waits: how they begin, and what ends them. */
#include "flow/pipeline_in.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"

#include <openssl/crypto.h>
#include <string.h>

enum { DUE_AT_ONCE = 100 };

/* Signals and callbacks that come early lie under a name; no signal's name has a colon. */
static Str kept_name(const Node *n, Arena *a)
{
    return n->wait == WAIT_SIGNAL ? n->signal : str_printf(a, "callback:" STR_FMT, STR_ARG(n->id));
}

static ErrCode end_wait(Running *r, int i, Str data, Err *err)
{
    ErrCode rc = running_end_node(r, i, NODE_DONE, NULL, err);
    if (rc == OK && data.len > 0)
        rc = db_exec(r->tx, &sql_node_set_data, DB_ARGS(DB_I(r->job), DB_I(i), DB_S(data)), NULL,
                     err);
    return rc;
}

/* {"payload": …} */
static Str payload_data(Arena *a, Str payload)
{
    return str_printf(a, "{\"payload\":" STR_FMT "}",
                      STR_ARG(payload.len > 0 ? payload : STR("null")));
}

static ErrCode take_kept(Running *r, int i, bool *taken, Err *err)
{
    Str name = kept_name(&r->p->nodes[i], r->arena), payload = {0};
    int64_t id = 0;
    *taken = false;
    if (name.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "looking for a signal");
    {
        CLEANUP(db_rows_done) DbRows rows = {0};
        ErrCode rc =
            db_query(r->tx, &sql_signal_first, DB_ARGS(DB_I(r->job), DB_S(name)), &rows, err);
        while (rc == OK && db_next(&rows, &rc, err)) {
            id = db_int(&rows, 0);
            payload = db_str_copy(&rows, 1, r->arena);
        }
        if (rc != OK || id == 0)
            return rc;
    }
    *taken = true;
    Str data = payload_data(r->arena, payload);
    ErrCode rc = data.ptr == NULL ? err_set(err, ERR_NO_MEMORY, "taking a signal")
                                  : db_exec(r->tx, &sql_signal_delete,
                                            DB_ARGS(DB_I(r->job), DB_S(name), DB_I(id)), NULL, err);
    return rc == OK ? end_wait(r, i, data, err) : rc;
}

/* When a wait for a time ends; a text that is no time is the step's fault. */
static ErrCode time_of(Running *r, const Node *n, const Json *scope, int64_t *due_ms, Err *err)
{
    *due_ms = clock_now_ms() + n->for_ms;
    if (n->until == NULL)
        return OK;
    const Json *v = template_eval(n->until, scope, r->arena);
    if (v == NULL)
        return err_set(err, ERR_NO_MEMORY, "waiting for a time");
    if (clock_parse(json_text(v), due_ms))
        return OK;
    return err_set(err, ERR_BAD_PARAM, "until is no time like 2026-01-31T09:00:00Z");
}

static ErrCode start_waiting(Running *r, int i, int64_t due_ms, Err *err)
{
    NodeNow *now = &r->now[i];
    now->state = NODE_WAITING;
    now->due_ms = due_ms;
    ErrCode rc = running_write_node(r, i, true, err);
    if (rc == OK)
        rc = running_event(
            r,
            (EventNew){.type = EVENT_STEP_WAITING, .node = r->p->nodes[i].id, .run_at_ms = due_ms},
            err);
    return rc == OK && due_ms > 0 ? flow_tell_due(r->tx, due_ms, err) : rc;
}

static ErrCode begin_time(Running *r, int i, const Json *scope, Err *err)
{
    Err own = {0};
    int64_t due_ms = 0;
    ErrCode rc = time_of(r, &r->p->nodes[i], scope, &due_ms, &own);
    if (rc == ERR_BAD_PARAM) {
        const TaskFault why = {.reason = str_from_c(err_reason(rc)),
                               .detail = str_from_c(own.text),
                               .hint = str_from_c(err_advice(&own))};
        return running_end_node(r, i, NODE_FAILED, &why, err);
    }
    if (rc != OK) {
        *err = own;
        return rc;
    }
    return due_ms <= clock_now_ms() ? end_wait(r, i, (Str){0}, err)
                                    : start_waiting(r, i, due_ms, err);
}

ErrCode wait_begin(Running *r, int i, const Json *scope, Err *err)
{
    const Node *n = &r->p->nodes[i];
    bool taken = false;
    if (n->wait == WAIT_TIME)
        return begin_time(r, i, scope, err);
    ErrCode rc = n->wait == WAIT_APPROVAL ? OK : take_kept(r, i, &taken, err);
    if (rc != OK || taken)
        return rc;
    rc = start_waiting(r, i, n->timeout_ms > 0 ? clock_now_ms() + n->timeout_ms : 0, err);
    return rc == OK && n->wait == WAIT_APPROVAL
               ? flow_feed_approval(r->tx, r->project, r->job, n->id, n->who, r->arena, err)
               : rc;
}

/* --- what comes in --- */

typedef struct Incoming {
    int64_t project, job;
    Str name; /* of the signal, or of the node */
    Str payload;
    Str token;
    /* an approval */
    bool approved;
    Str comment, by;
    int role;
    int (*role_from)(Str);
} Incoming;

typedef ErrCode (*IncomingFn)(Running *r, const Incoming *in, Err *err);

static ErrCode no_such_job(DbConn *tx, const Incoming *in, Err *err)
{
    int64_t exists = 0;
    ErrCode rc = db_get_int(tx, &sql_job_pipeline, DB_ARGS(DB_I(in->job), DB_I(in->project)), 0,
                            &exists, err);
    if (rc != OK)
        return rc;
    return exists ? err_set(err, ERR_CONFLICT, "the job has ended already")
                  : err_set(err, ERR_NOT_FOUND, "there is no such job of a pipeline");
}

static ErrCode come_in(DbConn *tx, const Incoming *in, IncomingFn fn, Err *err)
{
    Running r;
    bool found = false;
    CLEANUP(arena_close) Arena *a = arena_open(RUN_MEMORY);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "taking a signal");
    ErrCode rc = running_open(tx, in->job, a, &r, &found, err);
    if (rc == OK && (!found || (in->project != 0 && r.project != in->project)))
        rc = no_such_job(tx, in, err);
    else if (rc == OK)
        rc = fn(&r, in, err);
    if (rc == OK)
        rc = running_advance(&r, err);
    running_done(&r);
    return rc;
}

static ErrCode keep(Running *r, Str name, Str payload, Err *err)
{
    int64_t n = 0;
    ErrCode rc = db_get_int(r->tx, &sql_signal_count, DB_ARGS(DB_I(r->job)), 0, &n, err);
    if (rc == OK && n >= SIGNALS_MAX)
        return err_set(err, ERR_LIMIT_COUNT,
                       "%" PRId64 " signals wait to be asked for, that is the most", n);
    if (rc != OK)
        return rc;
    return db_exec(r->tx, &sql_signal_add,
                   DB_ARGS(DB_I(r->job), DB_S(name), DB_I(id_new()),
                           DB_S(payload.len > 0 ? payload : STR("null"))),
                   NULL, err);
}

static ErrCode on_signal(Running *r, const Incoming *in, Err *err)
{
    bool any = false;
    Str data = payload_data(r->arena, in->payload);
    ErrCode rc = data.ptr != NULL ? OK : err_set(err, ERR_NO_MEMORY, "taking a signal");
    for (size_t i = 0; rc == OK && i < r->p->nodes_len; i++) {
        const Node *n = &r->p->nodes[i];
        if (r->now[i].state != NODE_WAITING || n->wait != WAIT_SIGNAL ||
            !str_eq(n->signal, in->name))
            continue;
        any = true;
        rc = end_wait(r, (int)i, data, err);
    }
    return rc == OK && !any ? keep(r, in->name, in->payload, err) : rc;
}

static ErrCode on_callback(Running *r, const Incoming *in, Err *err)
{
    int i = pipeline_node_index(r->p, in->name);
    bool right = i >= 0 && r->p->nodes[i].kind == NODE_WAIT &&
                 r->p->nodes[i].wait == WAIT_CALLBACK && r->token.len == in->token.len &&
                 r->token.len > 0 && CRYPTO_memcmp(r->token.ptr, in->token.ptr, r->token.len) == 0;
    if (!right)
        return err_set(err, ERR_NOT_FOUND, "there is no such address");
    if (node_state_ended(r->now[i].state))
        return OK; /* said again: the first counts */
    Str data = payload_data(r->arena, in->payload);
    if (data.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "taking a callback");
    return r->now[i].state == NODE_WAITING
               ? end_wait(r, i, data, err)
               : keep(r, kept_name(&r->p->nodes[i], r->arena), in->payload, err);
}

static ErrCode on_approval(Running *r, const Incoming *in, Err *err)
{
    int i = pipeline_node_index(r->p, in->name);
    if (i < 0 || r->p->nodes[i].kind != NODE_WAIT || r->p->nodes[i].wait != WAIT_APPROVAL)
        return err_set(err, ERR_NOT_FOUND, "there is no approval \"" STR_FMT "\" in this pipeline",
                       STR_ARG(str_slice(in->name, 0, 64)));
    if (in->role < in->role_from(r->p->nodes[i].who))
        return err_set(err, ERR_FORBIDDEN, "this approval asks for the role " STR_FMT,
                       STR_ARG(r->p->nodes[i].who));
    if (r->now[i].state != NODE_WAITING)
        return err_set(err, ERR_CONFLICT, "\"" STR_FMT "\" does not wait for an approval (%s)",
                       STR_ARG(in->name), node_state_name(r->now[i].state));
    Buf b = buf_init(r->arena, SIGNAL_DATA_MAX);
    JsonOut j = json_out(&b);
    char time[CLOCK_TEXT_SIZE];
    clock_text(clock_now_ms(), time);
    json_begin(&j, '{');
    json_kv_bool(&j, "approved", in->approved);
    json_kv_str(&j, "by", in->by);
    json_kv_str(&j, "comment", in->comment);
    json_kv_c(&j, "at", time);
    json_end(&j, '}');
    return b.failed ? err_set(err, ERR_LIMIT_OUTPUT, "the comment is too long")
                    : end_wait(r, i, buf_str(&b), err);
}

static ErrCode signal_write(DbConn *tx, void *arg, Err *err)
{
    return come_in(tx, arg, on_signal, err);
}

static ErrCode callback_write(DbConn *tx, void *arg, Err *err)
{
    return come_in(tx, arg, on_callback, err);
}

static ErrCode approval_write(DbConn *tx, void *arg, Err *err)
{
    return come_in(tx, arg, on_approval, err);
}

static ErrCode check_payload(Str payload, Err *err)
{
    return payload.len > SIGNAL_DATA_MAX
               ? err_set(err, ERR_INPUT_TOO_LARGE, "%zu bytes, a signal has at most %d",
                         payload.len, SIGNAL_DATA_MAX)
               : OK;
}

ErrCode flow_signal(Db *db, int64_t project, int64_t job, Str name, Str payload, Err *err)
{
    Incoming in = {.project = project, .job = job, .name = name, .payload = payload};
    ErrCode rc = check_payload(payload, err);
    return rc == OK ? db_write(db, signal_write, &in, err) : rc;
}

ErrCode flow_callback(Db *db, int64_t job, Str node, Str token, Str payload, Err *err)
{
    Incoming in = {.job = job, .name = node, .token = token, .payload = payload};
    ErrCode rc = check_payload(payload, err);
    if (rc == OK)
        rc = db_write(db, callback_write, &in, err);
    /* A stranger does not learn whether there was such a job. */
    return rc == ERR_CONFLICT ? err_set(err, ERR_NOT_FOUND, "there is no such address") : rc;
}

ErrCode flow_approve(Db *db, int64_t project, int64_t job, Str node, bool approved, Str comment,
                     Str by, int role, int (*role_from)(Str), Err *err)
{
    Incoming in = {.project = project,
                   .job = job,
                   .name = node,
                   .approved = approved,
                   .comment = comment,
                   .by = by,
                   .role = role,
                   .role_from = role_from};
    return db_write(db, approval_write, &in, err);
}

/* --- time --- */

static ErrCode time_over(Running *r, int i, Err *err)
{
    const Node *n = &r->p->nodes[i];
    if (n->wait == WAIT_TIME)
        return end_wait(r, i, (Str){0}, err);
    if (n->on_timeout_continue)
        return end_wait(r, i, STR("{\"timed_out\":true}"), err);
    const TaskFault why = {.reason = str_from_c(err_reason(ERR_WAIT_OVER)),
                           .detail = str_printf(r->arena, "\"" STR_FMT "\" waited %" PRId64 " ms",
                                                STR_ARG(n->id), n->timeout_ms),
                           .hint = str_from_c(err_remedy(ERR_WAIT_OVER))};
    return running_end_node(r, i, NODE_FAILED, &why, err);
}

static ErrCode one_due(DbConn *tx, int64_t job, int64_t node, int64_t now_ms, Err *err)
{
    Running r;
    bool found = false;
    if (node == NODE_START)
        return flow_begin_delayed(tx, job, err);
    CLEANUP(arena_close) Arena *a = arena_open(RUN_MEMORY);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "ending a wait");
    ErrCode rc = running_open(tx, job, a, &r, &found, err);
    if (rc == OK && found && node < (int64_t)r.p->nodes_len && r.now[node].state == NODE_WAITING &&
        r.now[node].due_ms <= now_ms) {
        rc = time_over(&r, (int)node, err);
        if (rc == OK)
            rc = running_advance(&r, err);
    } else if (rc == OK && !found) { /* nobody waits any more */
        rc = db_exec(tx, &sql_node_cancel, DB_ARGS(DB_I(job)), NULL, err);
    }
    running_done(&r);
    return rc;
}

typedef struct Due {
    int64_t now_ms, count, next_ms;
} Due;

typedef struct DueNode {
    int64_t job, node;
} DueNode;

static ErrCode due_write(DbConn *tx, void *arg, Err *err)
{
    Due *d = arg;
    DueNode due[DUE_AT_ONCE];
    size_t n = 0;
    ErrCode rc;
    {
        CLEANUP(db_rows_done) DbRows rows = {0};
        rc = db_query(tx, &sql_node_due, DB_ARGS(DB_I(d->now_ms), DB_I(DUE_AT_ONCE)), &rows, err);
        while (rc == OK && n < DUE_AT_ONCE && db_next(&rows, &rc, err))
            due[n++] = (DueNode){db_int(&rows, 0), db_int(&rows, 1)};
    }
    for (size_t i = 0; rc == OK && i < n; i++)
        rc = one_due(tx, due[i].job, due[i].node, d->now_ms, err);
    d->count = (int64_t)n;
    if (rc == OK)
        rc = db_get_int(tx, &sql_node_next_due, DB_NO_ARGS, INT64_MAX, &d->next_ms, err);
    return rc;
}

ErrCode flow_waits_due(Db *db, int64_t now_ms, int64_t *count, int64_t *next_ms, Err *err)
{
    Due d = {.now_ms = now_ms};
    *count = 0;
    do { /* in portions, so that others may write meanwhile */
        ErrCode rc = db_write(db, due_write, &d, err);
        if (rc != OK)
            return rc;
        *count += d.count;
    } while (d.count == DUE_AT_ONCE);
    *next_ms = d.next_ms;
    return OK;
}
