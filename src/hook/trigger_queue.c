/* trigger_queue.c: messages of a queue of outside work, each a job of the trigger's pipeline.
 *
 * One write takes one message, starts the job and ends the message's own job with the new one's id:
 * so each message starts exactly one job, whoever dies. A message whose values do not fit is refused
 * (task_refused) and goes to the dead letters. */
#include "flow/outside.h"
#include "hook/trigger_in.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"

enum { MESSAGE_MEMORY = 8 << 20, MESSAGES_AT_ONCE = 1000 };
static const int64_t LEASE_MS = 60000;

typedef struct Message {
    const Trigger *trigger;
    Str queue;
    Str fault;      /* not empty: it is refused for this */
    bool found;     /* there was one */
    int64_t due_ms; /* when there was none: of the next delayed one */
} Message;

static const Json *scope_of(const Message *m, const TaskLease *lease, Arena *a)
{
    char job[ID_TEXT_SIZE];
    const Json *out = NULL;
    Buf b = buf_init(a, MESSAGE_MEMORY / 2);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_c(&j, "kind", trigger_kind_name(TRIGGER_QUEUE));
    json_kv_str(&j, "queue", m->queue);
    json_kv_c(&j, "job", id_text("job", lease->job, job));
    json_kv_int(&j, "attempt", lease->attempt);
    json_key(&j, "payload");
    json_put(&j, flow_payload(lease, a));
    json_end(&j, '}');
    return !b.failed && json_parse(a, buf_str(&b), &out, NULL) == OK ? out : NULL;
}

static Str answer_data(int64_t job, Arena *a)
{
    char text[ID_TEXT_SIZE];
    return job != 0 ? str_printf(a, "{\"job\":\"%s\"}", id_text("job", job, text)) : STR("{}");
}

static ErrCode end_message(DbConn *tx, const Message *m, const TaskLease *lease, int64_t job,
                           Arena *a, Err *err)
{
    int64_t now_ms = clock_now_ms();
    TaskResult r = {.task = lease->id,
                    .job = lease->job,
                    .attempt = lease->attempt,
                    .started_ms = now_ms,
                    .finished_ms = now_ms,
                    .data = answer_data(job, a)};
    if (r.data.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "taking a message");
    if (m->fault.len > 0)
        r.code = err_set(&r.err, ERR_TASK_REFUSED, STR_FMT, STR_ARG(m->fault));
    return flow_finish_tx(tx, &r, 1, err);
}

static ErrCode start_job(DbConn *tx, const Message *m, const Trigger *now, const TaskLease *lease,
                         Arena *a, Err *err)
{
    TriggerStart start = {.trigger = now, .scope = scope_of(m, lease, a), .trace = lease->trace};
    if (start.scope == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading a message");
    ErrCode rc = m->fault.len == 0 ? trigger_start_tx(tx, &start, a, err) : OK;
    if (rc == OK)
        rc = trigger_note_tx(tx, now->id, start.added.job, now->feed_id, m->fault, err);
    return rc == OK ? end_message(tx, m, lease, start.added.job, a, err) : rc;
}

static ErrCode message_write(DbConn *tx, void *arg, Err *err)
{
    Message *m = arg;
    CLEANUP(arena_close) Arena *a = arena_open(MESSAGE_MEMORY);
    TaskLease *leases = NULL;
    size_t n = 0;
    Trigger now;
    m->found = false;
    m->due_ms = INT64_MAX;
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "taking a message");
    ErrCode rc = trigger_row(tx, m->trigger->id, a, &now, err);
    if (rc == ERR_NOT_FOUND || (rc == OK && now.paused))
        return OK;
    const OutsideLease ask = {.project = m->trigger->project,
                              .queue = m->queue,
                              .worker = STR("trigger"),
                              .max = 1,
                              .lease_ms = LEASE_MS};
    if (rc == OK)
        rc = flow_lease_handler_tx(tx, &ask, a, &leases, &n, &m->due_ms, err);
    m->found = rc == OK && n > 0;
    return m->found ? start_job(tx, m, &now, &leases[0], a, err) : rc;
}

static ErrCode take_one(Db *db, Message *m, Err *err)
{
    m->fault = (Str){0};
    ErrCode rc = db_write(db, message_write, m, err);
    if (!trigger_is_hopeless(rc))
        return rc;
    const Err why = *err;
    m->fault = str_from_c(why.text);
    return db_write(db, message_write, m, err);
}

ErrCode trigger_queue_take(Db *db, const Trigger *t, Arena *a, bool *again, Err *err)
{
    TriggerSpec spec;
    ErrCode rc = trigger_read_row(t, a, &spec, err);
    Message m = {.trigger = t, .found = rc == OK};
    if (rc == OK)
        m.queue = spec.queue;
    int taken = 0;
    for (; rc == OK && m.found && taken < MESSAGES_AT_ONCE; taken++)
        rc = take_one(db, &m, err);
    *again = *again || taken == MESSAGES_AT_ONCE || m.due_ms != INT64_MAX;
    return rc;
}
