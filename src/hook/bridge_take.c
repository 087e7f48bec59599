/* bridge_take.c: messages of theirs become jobs, each once, or dead letters. */
#include "hook/bridge_in.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"

enum { RETRY_FIRST_S = 10, RETRY_MAX_S = 600, PARAMS_MAX = 2 << 20 };

typedef struct Taken {
    const WireMessage *message;
    int64_t id;
    JobNew job;
    TaskFault fault; /* reason "": it can be taken */
    bool dead;       /* a dead letter at once */
    bool keep, old;
} Taken;

typedef struct Take {
    const Bridge *bridge;
    Taken *items;
    size_t len;
} Take;

/* The parameters of queue.send, whatever the payload is. */
static ErrCode wrap(const Bridge *b, Str payload, Arena *a, Str *out)
{
    Buf text = buf_init(a, PARAMS_MAX);
    JsonOut j = json_out(&text);
    json_begin(&j, '{');
    json_kv_str(&j, "to", b->queue.len > 0 ? b->queue : STR("bridge-dead"));
    json_kv_raw(&j, "payload", payload.len > 0 ? payload : STR("null"));
    json_end(&j, '}');
    *out = buf_str(&text);
    return text.failed ? ERR_NO_MEMORY : OK;
}

static void say_fault(Taken *t, Arena *a, ErrCode code, Str detail)
{
    t->fault = (TaskFault){.reason = str_from_c(err_reason(code)), .detail = str_copy(a, detail)};
}

/* What the message asks for. A fault is the message's; an error is ours. */
static ErrCode prepare(const BridgeOptions *o, const Bridge *b, Arena *a, Taken *t, Err *err)
{
    const Step *send = registry_find(o->registry, STR("queue.send"));
    const Step *step = b->step.len > 0 ? registry_find(o->registry, b->step) : send;
    const Json *payload = NULL;
    ParamFaults faults = {0};
    Err fault = {0};
    Str params;
    t->job = (JobNew){.project = b->project, .step = send, .trace = t->message->id};
    if (send == NULL || wrap(b, t->message->payload, a, &t->job.params) != OK)
        return err_set(err, ERR_NO_MEMORY, "taking messages");
    if (t->message->payload.len == 0) {
        say_fault(t, a, ERR_BAD_REQUEST, str_from_c(t->message->problem));
        return OK;
    }
    if (step == NULL) {
        say_fault(t, a, ERR_UNKNOWN_STEP, STR("the step of the bridge is gone"));
        return OK;
    }
    if (step != send) {
        ErrCode rc = json_parse(a, t->message->payload, &payload, &fault);
        if (rc == OK)
            rc = param_check(step->params, payload, a, &params, &faults, &fault);
        if (rc == ERR_NO_MEMORY)
            return err_set(err, rc, "taking messages");
        if (rc != OK) {
            say_fault(t, a, rc, str_from_c(fault.text));
            return OK;
        }
        t->job.step = step;
        t->job.params = params;
    }
    return flow_check(&t->job, err);
}

static ErrCode take_one(DbConn *tx, const Bridge *b, Taken *t, Err *err)
{
    JobAdded added;
    int64_t job = 0;
    ErrCode rc = db_get_int(tx, &sql_bridge_seen_get, DB_ARGS(DB_I(b->id), DB_S(t->message->id)), 0,
                            &job, err);
    t->old = job != 0;
    t->keep = t->old || t->fault.reason.len == 0 || t->dead;
    if (rc != OK || t->old || !t->keep)
        return rc;
    rc = t->dead ? flow_add_dead_tx(tx, t->id, &t->job, &t->fault, err)
                 : flow_add_tx(tx, t->id, &t->job, &added, err);
    if (rc == OK)
        rc = db_exec(tx, &sql_bridge_seen_add,
                     DB_ARGS(DB_I(b->id), DB_S(t->message->id), DB_I(t->id), DB_I(clock_now_ms())),
                     NULL, err);
    return rc;
}

static ErrCode take_write(DbConn *tx, void *arg, Err *err)
{
    Take *take = arg;
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < take->len; i++)
        rc = take_one(tx, take->bridge, &take->items[i], err);
    return rc;
}

static int retry_after_s(int64_t attempts)
{
    int64_t s = RETRY_FIRST_S;
    for (int64_t i = 1; i < attempts && s < RETRY_MAX_S; i++)
        s *= 2;
    return (int)(s < RETRY_MAX_S ? s : RETRY_MAX_S);
}

ErrCode bridge_take(const BridgeOptions *o, const Bridge *b, const WireMessage *m, size_t len,
                    bool dead, Arena *a, bool *keep, int *delay_s, int64_t *made, int64_t *died,
                    Err *err)
{
    Take take = {.bridge = b, .items = arena_new(a, Taken, len), .len = len};
    if (take.items == NULL)
        return err_set(err, ERR_NO_MEMORY, "taking messages");
    for (size_t i = 0; i < len; i++) {
        Taken *t = &take.items[i];
        t->message = &m[i];
        t->id = id_new();
        delay_s[i] = retry_after_s(m[i].attempts);
        ErrCode rc = prepare(o, b, a, t, err);
        if (rc != OK)
            return rc;
        if (dead && t->fault.reason.len == 0)
            say_fault(t, a, ERR_TASK_REFUSED, STR("it was in their dead letter queue"));
        t->dead = t->fault.reason.len > 0 && (dead || m[i].attempts >= b->poison);
    }
    ErrCode rc = db_write(o->db, take_write, &take, err);
    for (size_t i = 0; rc == OK && i < len; i++) {
        const Taken *t = &take.items[i];
        keep[i] = t->keep;
        *made += t->keep && !t->old && !t->dead;
        *died += t->keep && !t->old && t->dead;
    }
    return rc;
}
