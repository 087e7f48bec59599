#include "flow/outside.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/seal.h"
#include "db/queries.h"
#include "flow/flow_in.h"

#include <stdio.h>

enum { HANDLERS_MAX = 1024 };

/* --- which queues --- */

static ErrCode check_name(DbConn *tx, Str queue, const char *param, Err *err)
{
    const FlowHooks *h = db_attached(tx);
    bool served = h != NULL && h->has_lane != NULL && h->has_lane(h->ctx, queue_hash(queue));
    if (!served && !str_eq_c(queue, "default") && !str_eq_c(queue, "batch"))
        return OK;
    err_set(err, ERR_BAD_PARAM,
            "%s must not be \"" STR_FMT "\": this server serves that queue itself", param,
            STR_ARG(queue));
    err_param(err, param);
    return ERR_BAD_PARAM;
}

ErrCode flow_admit_outside(DbConn *tx, const JobNew *n, Str queue, Err *err)
{
    ErrCode rc = check_name(tx, queue, n->step->outside, err);
    return rc != OK
               ? rc
               : db_exec(tx, &sql_outside_note,
                         DB_ARGS(DB_I(n->project), DB_S(queue), DB_I(clock_now_ms())), NULL, err);
}

ErrCode flow_is_outside(DbConn *c, Str queue, bool *out, Err *err)
{
    int64_t any = 0;
    ErrCode rc = db_get_int(c, &sql_outside_any, DB_ARGS(DB_S(queue)), 0, &any, err);
    *out = any != 0;
    return rc;
}

const char *handler_kind_name(HandlerKind k)
{
    static const char *const names[] = {"workers", "push", "bridge"};
    return names[k];
}

static HandlerKind kind_from(Str name)
{
    return str_eq_c(name, "push")     ? HANDLER_PUSH
           : str_eq_c(name, "bridge") ? HANDLER_BRIDGE
                                      : HANDLER_WORKERS;
}

/* --- leases --- */

static ErrCode refuse_handled(DbConn *tx, const OutsideLease *l, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    HandlerKind kind = HANDLER_WORKERS;
    ErrCode rc =
        db_query(tx, &sql_outside_get, DB_ARGS(DB_I(l->project), DB_S(l->queue)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err))
        kind = kind_from(db_str(&rows, 0));
    if (rc != OK || kind == HANDLER_WORKERS)
        return rc;
    err_set(err, ERR_CONFLICT, "the tasks of queue \"" STR_FMT "\" are handed on by a %s",
            STR_ARG(l->queue), handler_kind_name(kind));
    err_hint(err, "PUT /api/v1/queues/{queue}/handler with kind workers lets workers lease them.");
    return ERR_CONFLICT;
}

static ErrCode lease(DbConn *tx, const OutsideLease *l, Str worker, Arena *a, TaskLease **out,
                     size_t *len, int64_t *due_ms, Err *err)
{
    int64_t now_ms = clock_now_ms();
    *due_ms = INT64_MAX;
    ErrCode rc = queue_lease_of(tx, l->project, l->queue, l->max, now_ms, now_ms + l->lease_ms,
                                worker, a, out, len, err);
    if (rc == OK)
        rc = flow_begin(tx, *out, *len, a, err);
    if (rc == OK && *len < (size_t)l->max)
        rc = queue_next_look(tx, l->queue, due_ms, err);
    return rc;
}

ErrCode flow_lease_outside_tx(DbConn *tx, const OutsideLease *l, Arena *a, TaskLease **out,
                              size_t *len, int64_t *due_ms, Err *err)
{
    char worker[sizeof QUEUE_OUTSIDE + OUTSIDE_WORKER_MAX];
    snprintf(worker, sizeof worker, QUEUE_OUTSIDE STR_FMT, STR_ARG(l->worker));
    ErrCode rc = refuse_handled(tx, l, err);
    return rc != OK ? rc : lease(tx, l, str_from_c(worker), a, out, len, due_ms, err);
}

ErrCode flow_lease_handler_tx(DbConn *tx, const OutsideLease *l, Arena *a, TaskLease **out,
                              size_t *len, int64_t *due_ms, Err *err)
{
    return lease(tx, l, l->worker, a, out, len, due_ms, err);
}

/* --- as JSON --- */

static void put_id(JsonOut *j, const char *key, const char *prefix, int64_t id)
{
    char text[ID_TEXT_SIZE];
    json_kv_c(j, key, id_text(prefix, id, text));
}

static void put_time(JsonOut *j, const char *key, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];
    clock_text(ms, text);
    json_kv_c(j, key, text);
}

const Json *flow_payload(const TaskLease *t, Arena *a)
{
    const Json *params = NULL;
    return json_parse(a, t->params, &params, NULL) == OK ? json_get(params, "payload") : NULL;
}

ErrCode flow_put_task(DbConn *reader, const TaskLease *t, Str queue, Arena *a, JsonOut *j, Err *err)
{
    JobFile *inputs = NULL;
    size_t len = 0;
    ErrCode rc = flow_files(reader, t->job, false, a, &inputs, &len, err);
    if (rc != OK)
        return rc;
    json_begin(j, '{');
    put_id(j, "id", "task", t->id);
    put_id(j, "job", "job", t->job);
    json_kv_str(j, "queue", queue);
    json_kv_int(j, "attempt", t->attempt);
    json_kv_int(j, "max_attempts", t->max_attempts);
    json_kv_int(j, "priority", t->priority);
    json_key(j, "payload");
    json_put(j, flow_payload(t, a));
    put_time(j, "created", id_time_ms(t->job));
    put_time(j, "lease_until", t->lease_until_ms);
    json_kv_str(j, "trace", t->trace);
    json_key(j, "inputs");
    json_begin(j, '[');
    for (size_t i = 0; i < len; i++) {
        json_begin(j, '{');
        json_kv_str(j, "name", inputs[i].name);
        json_kv_str(j, "type", inputs[i].type);
        json_kv_int(j, "bytes", inputs[i].size_bytes);
        json_kv_str(j, "blob", inputs[i].hash);
        json_end(j, '}');
    }
    json_end(j, ']');
    json_end(j, '}');
    return OK;
}

/* --- answers --- */

typedef struct Held {
    bool found, ours; /* ours: this attempt holds it */
    bool repeated;    /* it does not any more, and the answer was the same */
    int64_t attempt;
    char state[16];
} Held;

static ErrCode look(DbConn *tx, int64_t project, int64_t task, int64_t attempt, Held *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_outside_task, DB_ARGS(DB_I(task), DB_I(project)), &rows, err);
    *out = (Held){0};
    while (rc == OK && db_next(&rows, &rc, err)) {
        out->found = true;
        out->attempt = db_int(&rows, 0);
        snprintf(out->state, sizeof out->state, STR_FMT, STR_ARG(db_str(&rows, 1)));
        out->ours = out->attempt == attempt && str_eq_c(db_str(&rows, 1), "leased") &&
                    queue_worker_is_outside(db_str(&rows, 2));
    }
    return rc;
}

static ErrCode look_at_end(DbConn *tx, int64_t project, int64_t task, Held *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_outside_ended, DB_ARGS(DB_I(task), DB_I(project)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        out->found = true;
        out->attempt = db_int(&rows, 1);
        snprintf(out->state, sizeof out->state, STR_FMT, STR_ARG(db_str(&rows, 0)));
    }
    return rc;
}

/* Did this very attempt end it like this before? Then its answer got lost on the way back. */
static bool is_repeated(const Held *h, const TaskResult *r)
{
    if (h->attempt != r->attempt)
        return false;
    return str_eq_c(str_from_c(h->state), r->code == OK ? "done" : "failed") ||
           (r->code == ERR_TASK_FAILED && str_eq_c(str_from_c(h->state), "delayed"));
}

static ErrCode refuse(const Held *h, int64_t attempt, Err *err)
{
    if (!h->found)
        return err_set(err, ERR_NOT_FOUND, "there is no such task");
    err_set(err, ERR_CONFLICT,
            "attempt %" PRId64 " does not hold the task: it is %s with attempt %" PRId64, attempt,
            h->state, h->attempt);
    err_hint(err, "Drop this work: the lease ran out, or the job was cancelled.");
    return ERR_CONFLICT;
}

/* The task as `attempt` holds it, or why not. `r` (NULL allowed) may be a repetition. */
static ErrCode find_held(DbConn *tx, int64_t project, int64_t task, int64_t attempt,
                         const TaskResult *r, Held *out, Err *err)
{
    ErrCode rc = look(tx, project, task, attempt, out, err);
    if (rc == OK && !out->found)
        rc = look_at_end(tx, project, task, out, err);
    if (rc != OK || out->ours)
        return rc;
    out->repeated = r != NULL && is_repeated(out, r);
    return out->repeated ? OK : refuse(out, attempt, err);
}

ErrCode flow_answer_tx(DbConn *tx, int64_t project, const TaskResult *r, Err *err)
{
    Held h;
    ErrCode rc = find_held(tx, project, r->task, r->attempt, r, &h, err);
    return rc != OK || h.repeated ? rc : flow_finish_tx(tx, r, 1, err);
}

ErrCode flow_longer_tx(DbConn *tx, const OutsideLonger *l, Err *err)
{
    Held h;
    bool lost = false;
    ErrCode rc = find_held(tx, l->project, l->task, l->attempt, NULL, &h, err);
    if (rc == OK)
        rc = flow_heartbeat_tx(tx, l->task, l->attempt, l->until_ms, &lost, err);
    if (rc == OK && (l->total >= 0 || l->note.len > 0))
        rc = flow_progress_tx(tx, l->task, l->attempt, l->done, l->total, l->note, err);
    return rc;
}

/* --- handlers --- */

static SealPlace place_of(int64_t project, Str queue)
{
    return (SealPlace){.project = project, .kind = "push", .name = queue};
}

ErrCode flow_handler_put_tx(DbConn *tx, const QueueHandler *h, Err *err)
{
    CLEANUP(arena_close) Arena *a = NULL; /* only a secret needs one */
    Str secret = {0};
    const SealPlace where = place_of(h->project, h->queue);
    ErrCode rc = check_name(tx, h->queue, "queue", err);
    if (rc == OK && h->secret.len > 0) {
        a = arena_open(64 * KIB);
        rc = a != NULL ? seal_text(db_seal(tx), &where, h->secret, a, &secret, err)
                       : err_set(err, ERR_NO_MEMORY, "storing a queue's handler");
    }
    if (rc == OK)
        rc = db_exec(tx, &sql_outside_put,
                     DB_ARGS(DB_I(h->project), DB_S(h->queue),
                             DB_S(str_from_c(handler_kind_name(h->kind))), db_text_or_null(h->url),
                             db_text_or_null(secret), DB_I(h->concurrency), DB_I(h->timeout_ms),
                             DB_I(clock_now_ms())),
                     NULL, err);
    /* Whoever takes over looks at what is there already. */
    return rc == OK ? flow_tell_ready(tx, h->queue, 0, err) : rc;
}

static ErrCode put_write(DbConn *tx, void *arg, Err *err)
{
    return flow_handler_put_tx(tx, arg, err);
}

ErrCode flow_handler_put(Db *db, const QueueHandler *h, Err *err)
{
    QueueHandler copy = *h;
    return db_write(db, put_write, &copy, err);
}

static ErrCode open_secret(DbConn *c, QueueHandler *h, Arena *a, Err *err)
{
    const SealPlace where = place_of(h->project, h->queue);
    return seal_is(h->secret) ? seal_read(db_seal(c), &where, h->secret, a, &h->secret, err) : OK;
}

ErrCode flow_handler_get(DbConn *c, int64_t project, Str queue, Arena *a, QueueHandler *out,
                         Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    bool found = false;
    ErrCode rc = db_query(c, &sql_outside_get, DB_ARGS(DB_I(project), DB_S(queue)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        found = true;
        *out = (QueueHandler){.project = project,
                              .queue = queue,
                              .kind = kind_from(db_str(&rows, 0)),
                              .url = db_str_copy(&rows, 1, a),
                              .secret = db_str_copy(&rows, 2, a),
                              .concurrency = db_int(&rows, 3),
                              .timeout_ms = db_int(&rows, 4),
                              .changed_ms = db_int(&rows, 5)};
        if (out->url.ptr == NULL || out->secret.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading a queue's handler");
    }
    if (rc == OK && !found)
        return err_set(err, ERR_NOT_FOUND, "queue \"" STR_FMT "\" is none of outside work",
                       STR_ARG(queue));
    return rc == OK ? open_secret(c, out, a, err) : rc;
}

ErrCode flow_handlers_push(DbConn *reader, Arena *a, QueueHandler **out, size_t *len, Err *err)
{
    QueueHandler *list = arena_new(a, QueueHandler, HANDLERS_MAX);
    if (list == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading the handlers");
    size_t n = 0;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_outside_pushes, DB_ARGS(DB_I(0)), &rows, err);
    while (rc == OK && n < HANDLERS_MAX && db_next(&rows, &rc, err)) {
        QueueHandler h = {.project = db_int(&rows, 0),
                          .kind = HANDLER_PUSH,
                          .queue = db_str_copy(&rows, 1, a),
                          .url = db_str_copy(&rows, 2, a),
                          .secret = db_str_copy(&rows, 3, a),
                          .concurrency = db_int(&rows, 4),
                          .timeout_ms = db_int(&rows, 5),
                          .changed_ms = db_int(&rows, 6)};
        if (h.queue.ptr == NULL || h.url.ptr == NULL || h.secret.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading the handlers");
        /* With another key the queue waits until its handler is set again; the others go on. */
        if (open_secret(reader, &h, a, err) == OK)
            list[n++] = h;
        else
            LOG(ERROR, QUEUE_STUCK, KV("queue", h.queue), KV("detail", err->text));
    }
    *out = list;
    *len = n;
    return rc;
}

/* --- what never runs --- */

ErrCode flow_add_dead_tx(DbConn *tx, int64_t id, const JobNew *n, const TaskFault *fault, Err *err)
{
    static const Event events[] = {EVENT_TASK_DEAD, EVENT_JOB_FAILED};
    CLEANUP(arena_close) Arena *a = arena_open(FLOW_SCRATCH);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "recording a failure");
    int64_t now_ms = clock_now_ms();
    TaskChanged t = {.project = n->project,
                     .job = id,
                     .max_attempts = flow_attempts_of(n),
                     .seq = 1, /* job.added */
                     .queue = n->queue.len > 0 ? n->queue : flow_queue_for(n->step, n->params)};
    ErrCode rc = n->step->outside != NULL ? flow_admit_outside(tx, n, t.queue, err) : OK;
    if (rc == OK)
        rc = flow_add_ask(tx, id, n, false, err);
    for (size_t i = 0; rc == OK && i < COUNT_OF(events); i++)
        rc = flow_event_add(tx,
                            &(EventNew){.project = n->project,
                                        .job = id,
                                        .seq = t.seq + (int64_t)i + 1,
                                        .type = events[i],
                                        .fault = fault},
                            a, err);
    if (rc == OK)
        rc = db_exec(tx, &sql_dead_add,
                     DB_ARGS(DB_I(id), DB_I(n->project), DB_I(id), DB_S(t.queue),
                             DB_S(str_from_c(n->step->name)), DB_I(0), DB_I(now_ms),
                             DB_S(fault->reason), db_text_or_null(fault->detail)),
                     NULL, err);
    const JobEnd end = {
        .state = JOB_FAILED, .events = COUNT_OF(events), .finished_ms = now_ms, .fault = fault};
    return rc == OK ? flow_end_job(tx, &t, &end, err) : rc;
}
