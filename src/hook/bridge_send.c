/* bridge_send.c: tasks of a local queue become messages of theirs. */
#include "hook/bridge_in.h"
#include "base/clock.h"

enum { LEASE_MS = 120000, OVERHEAD = 64, PART_MAX = 600 * 1024 };

typedef struct Parcel {
    Str payload;
    TaskResult result;
    bool give_back; /* their fault: the attempt does not count */
} Parcel;

typedef struct Load {
    BridgeLine *line;
    TaskLease *tasks;
    Parcel *parcels;
    size_t len;
} Load;

static ErrCode lease_write(DbConn *tx, void *arg, Err *err)
{
    Load *load = arg;
    BridgeLine *l = load->line;
    const OutsideLease lease = {.project = l->bridge.project,
                                .queue = l->bridge.queue,
                                .worker = STR("bridge"),
                                .max = BRIDGE_BATCH,
                                .lease_ms = LEASE_MS};
    arena_reset(l->arena);
    load->len = 0;
    return flow_lease_handler_tx(tx, &lease, l->arena, &load->tasks, &load->len, &l->due_ms, err);
}

static ErrCode end_write(DbConn *tx, void *arg, Err *err)
{
    const Load *load = arg;
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < load->len; i++) {
        const Parcel *p = &load->parcels[i];
        rc = p->give_back ? flow_give_back_tx(tx, p->result.task, p->result.attempt, err)
                          : flow_finish_tx(tx, &p->result, 1, err);
    }
    return rc;
}

static ErrCode wrap_up(Load *load, Err *err)
{
    BridgeLine *l = load->line;
    load->parcels = arena_new(l->arena, Parcel, load->len);
    if (load->parcels == NULL)
        return err_set(err, ERR_NO_MEMORY, "sending tasks");
    for (size_t i = 0; i < load->len; i++) {
        const TaskLease *t = &load->tasks[i];
        Parcel *p = &load->parcels[i];
        Buf b = buf_init(l->arena, PART_MAX);
        JsonOut j = json_out(&b);
        json_put(&j, flow_payload(t, l->arena));
        p->payload = buf_str(&b);
        p->give_back = true; /* until they have it */
        p->result = (TaskResult){.task = t->id,
                                 .job = t->job,
                                 .attempt = t->attempt,
                                 .started_ms = clock_now_ms(),
                                 .finished_ms = clock_now_ms()};
        if (b.failed || b.len > BRIDGE_MESSAGE_MAX) {
            p->give_back = false;
            p->result.code = err_set(&p->result.err, ERR_TASK_REFUSED,
                                     "the payload is larger than %d bytes, which the other queue "
                                     "does not take",
                                     BRIDGE_MESSAGE_MAX);
        }
    }
    return OK;
}

/* Those from `from` to before `to` as one request. */
static ErrCode send_as_one(Load *load, size_t from, size_t to, Err *err)
{
    BridgeLine *l = load->line;
    const Json *result = NULL;
    Buf b = buf_init(l->arena, 2 * PART_MAX);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_key(&j, "messages");
    json_begin(&j, '[');
    for (size_t i = from; i < to; i++) {
        json_begin(&j, '{');
        json_kv_raw(&j, "body", load->parcels[i].payload);
        json_kv_c(&j, "content_type", "json");
        json_end(&j, '}');
    }
    json_end(&j, ']');
    json_end(&j, '}');
    if (b.failed)
        return err_set(err, ERR_NO_MEMORY, "sending tasks");
    return bridge_call(&l->bridge, l->outbound, l->token, &l->all->stop, l->bridge.remote,
                       "/messages/batch", buf_str(&b), l->arena, &result, err);
}

static void end_parcels(Load *load, size_t from, size_t to, ErrCode code, const Err *err)
{
    for (size_t i = from; i < to; i++) {
        Parcel *p = &load->parcels[i];
        p->give_back = false;
        p->result.finished_ms = clock_now_ms();
        p->result.code = code;
        if (code != OK)
            err_set(&p->result.err, code, "%s", err->text);
        else
            p->result.data = str_printf(load->line->arena, "{\"bridge\":\"" STR_FMT "\"}",
                                        STR_ARG(load->line->bridge.name));
    }
}

/* One that is refused must not take its neighbours with it: each goes alone then. */
static ErrCode send_part(Load *load, size_t from, size_t to, Err *err)
{
    ErrCode rc = send_as_one(load, from, to, err);
    if (rc == OK) {
        end_parcels(load, from, to, OK, NULL);
        return OK;
    }
    if (rc != ERR_REMOTE_REFUSED)
        return rc;
    if (to - from == 1) {
        end_parcels(load, from, to, ERR_TASK_FAILED, err);
        return OK;
    }
    rc = OK;
    for (size_t i = from; rc == OK && i < to; i++)
        rc = send_part(load, i, i + 1, err);
    return rc;
}

static size_t part_end(const Load *load, size_t from)
{
    size_t bytes = 0, i = from;
    for (; i < load->len && load->parcels[i].give_back; i++) {
        bytes += load->parcels[i].payload.len + OVERHEAD;
        if (bytes > BRIDGE_BATCH_BYTES && i > from)
            break;
    }
    return i;
}

ErrCode bridge_send(BridgeLine *l, int64_t *sent, Err *err)
{
    Load load = {.line = l};
    Err write_err = {0};
    ErrCode rc = db_write(l->all->o.db, lease_write, &load, err);
    *sent = 0;
    if (rc != OK || load.len == 0)
        return rc;
    rc = wrap_up(&load, err);
    if (rc != OK)
        return rc; /* their leases run out */
    for (size_t from = 0; rc == OK && from < load.len;) {
        size_t to = part_end(&load, from);
        if (to > from)
            rc = send_part(&load, from, to, err);
        from = to > from ? to : from + 1;
    }
    /* Not written: the leases run out, and their queue gets the messages a second time: at least once. */
    ErrCode rc_write = db_write(l->all->o.db, end_write, &load, &write_err);
    if (rc == OK && rc_write != OK)
        *err = write_err;
    *sent = (int64_t)load.len;
    return rc != OK ? rc : rc_write;
}
