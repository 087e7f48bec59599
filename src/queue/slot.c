/* slot.c: concurrency keys: who holds a slot, who waits for one. */
#include "queue/memory.h"
#include "base/clock.h"
#include "db/queries.h"

ErrCode queue_slot_take(DbConn *tx, int64_t project, Str key, int64_t slots, bool *got, Err *err)
{
    int64_t changed = 0;
    ErrCode rc =
        db_exec(tx, &sql_slot_take, DB_ARGS(DB_I(project), DB_S(key), DB_I(slots > 0 ? slots : 1)),
                &changed, err);
    *got = changed > 0;
    return rc;
}

static ErrCode block(DbConn *tx, const TaskNew *n, bool waits, Err *err)
{
    return db_exec(tx, &sql_slot_block,
                   DB_ARGS(DB_I(n->project), DB_S(n->concurrency_key), DB_I(-n->priority),
                           DB_I(n->id), DB_I(n->slots > 0 ? n->slots : 1), DB_I(waits),
                           DB_S(n->queue)),
                   NULL, err);
}

ErrCode queue_slot_wait(DbConn *tx, int64_t project, Str key, int64_t task, int64_t priority,
                        int64_t slots, Err *err)
{
    return block(tx,
                 &(TaskNew){.id = task,
                            .project = project,
                            .concurrency_key = key,
                            .priority = priority,
                            .slots = slots},
                 true, err);
}

ErrCode queue_slot_give(DbConn *tx, int64_t project, Str key, int64_t now_ms, Err *err)
{
    ErrCode rc = db_exec(tx, &sql_slot_give, DB_ARGS(DB_I(project), DB_S(key)), NULL, err);
    return rc == OK ? db_exec(tx, &sql_slot_clean,
                              DB_ARGS(DB_I(project), DB_S(key), DB_I(now_ms * 1000)), NULL, err)
                    : rc;
}

/* When the holder of a new slot may start: GCRA. Every start moves the key's time on by the gap;
 * a start is allowed when that time is no more than the window ahead. */
static ErrCode pass_rate(DbConn *tx, const QueueMem *m, int64_t project, Str key, int64_t now_ms,
                         int64_t *start_ms, Err *err)
{
    int64_t window_us = 0, tat_us = 0, gap_us = queue_key_gap_us(m, project, &window_us);
    *start_ms = now_ms;
    if (gap_us == 0)
        return OK;
    ErrCode rc = db_get_int(tx, &sql_slot_tat, DB_ARGS(DB_I(project), DB_S(key)), 0, &tat_us, err);
    if (rc != OK)
        return rc;
    if (tat_us < now_ms * 1000)
        tat_us = now_ms * 1000;
    tat_us += gap_us;
    int64_t at_ms = (tat_us - window_us + 999) / 1000;
    *start_ms = at_ms > now_ms ? at_ms : now_ms;
    return db_exec(tx, &sql_slot_tat_put, DB_ARGS(DB_I(project), DB_S(key), DB_I(tat_us)), NULL,
                   err);
}

ErrCode queue_enter(DbConn *tx, const TaskNew *n, int64_t now_ms, Entry *out, Err *err)
{
    QueueMem *m;
    bool got = false;
    if (n->run_at_ms > now_ms) { /* asks for its slot when it is due */
        *out = (Entry){"blocked", n->run_at_ms, INT64_MAX, 0};
        return queue_timer_add(tx, n->run_at_ms, TIMER_ARRIVE, n->id, err);
    }
    ErrCode rc = queue_mem(tx, n->queue, &m, err);
    if (rc == OK)
        rc = queue_slot_take(tx, n->project, n->concurrency_key, n->slots, &got, err);
    if (rc == OK && !got) {
        *out = (Entry){"blocked", n->run_at_ms, INT64_MAX, 0};
        return block(tx, n, false, err);
    }
    int64_t start_ms = n->run_at_ms;
    if (rc == OK)
        rc = pass_rate(tx, m, n->project, n->concurrency_key, now_ms, &start_ms, err);
    bool now = start_ms <= now_ms;
    *out = (Entry){now ? "ready" : "delayed", now ? n->run_at_ms : start_ms, start_ms,
                   TASK_HOLDS_SLOT};
    return rc;
}

static ErrCode grant(DbConn *tx, const SlotTask *t, int64_t project, int64_t now_ms, Err *err)
{
    bool now = t->ready_ms <= now_ms;
    const char *state = t->waits ? "waiting" : now ? "ready" : "delayed";
    ErrCode rc =
        db_exec(tx, &sql_slot_grant,
                DB_ARGS(DB_I(t->task), DB_S(str_from_c(state)), DB_I(t->ready_ms)), NULL, err);
    if (rc != OK || t->waits)
        return rc;
    return queue_mem_ready(tx, t->queue, project, now ? 0 : t->ready_ms, err);
}

typedef struct Head {
    int64_t task, slots, rank;
    bool waits;
    Str queue;
} Head;

static ErrCode first_blocked(DbConn *tx, int64_t project, Str key, Arena *a, Head *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_slot_next, DB_ARGS(DB_I(project), DB_S(key)), &rows, err);
    *out = (Head){0};
    while (rc == OK && db_next(&rows, &rc, err)) {
        *out = (Head){.task = db_int(&rows, 0),
                      .slots = db_int(&rows, 1),
                      .waits = db_int(&rows, 2) != 0,
                      .queue = db_str_copy(&rows, 3, a),
                      .rank = db_int(&rows, 4)};
        if (out->queue.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "passing a slot on");
    }
    return rc;
}

ErrCode queue_slot_next(DbConn *tx, int64_t project, Str key, int64_t now_ms, Arena *a,
                        SlotTask *out, bool *found, Err *err)
{
    Head head;
    QueueMem *m = NULL;
    *found = false;
    ErrCode rc = first_blocked(tx, project, key, a, &head, err);
    if (rc == OK && head.task != 0)
        rc = queue_slot_take(tx, project, key, head.slots, found, err);
    if (rc != OK || !*found)
        return rc;
    *out =
        (SlotTask){.task = head.task, .ready_ms = now_ms, .waits = head.waits, .queue = head.queue};
    rc = db_exec(tx, &sql_slot_unblock,
                 DB_ARGS(DB_I(project), DB_S(key), DB_I(head.rank), DB_I(head.task)), NULL, err);
    if (rc == OK && !head.waits)
        rc = queue_mem(tx, head.queue, &m, err);
    if (rc == OK && !head.waits)
        rc = pass_rate(tx, m, project, key, now_ms, &out->ready_ms, err);
    return rc == OK ? grant(tx, out, project, now_ms, err) : rc;
}

/* What the row of a task says of its key. *found is false when it has none. */
static ErrCode read_keyed(DbConn *tx, int64_t task, Arena *a, TaskNew *out, bool *blocked, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_task_keyed, DB_ARGS(DB_I(task)), &rows, err);
    *out = (TaskNew){0};
    *blocked = false;
    while (rc == OK && db_next(&rows, &rc, err)) {
        if (db_is_null(&rows, 2))
            continue;
        *out = (TaskNew){.id = task,
                         .project = db_int(&rows, 0),
                         .queue = db_str_copy(&rows, 1, a),
                         .concurrency_key = db_str_copy(&rows, 2, a),
                         .priority = db_int(&rows, 3),
                         .run_at_ms = db_int(&rows, 4),
                         .slots = db_int(&rows, 6)};
        *blocked = str_eq_c(db_str(&rows, 5), "blocked");
        if (out->queue.ptr == NULL || out->concurrency_key.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading a task");
    }
    return rc;
}

ErrCode queue_arrive(DbConn *tx, int64_t task, int64_t now_ms, Arena *a, SlotTask *out, bool *found,
                     Err *err)
{
    TaskNew n;
    Entry entry;
    ErrCode rc = queue_leave_line(tx, task, err); /* where an earlier life of the task left it */
    if (rc == OK)
        rc = read_keyed(tx, task, a, &n, found, err);
    if (rc != OK || !*found)
        return rc;
    n.run_at_ms = n.run_at_ms < now_ms ? n.run_at_ms : now_ms;
    rc = queue_enter(tx, &n, now_ms, &entry, err);
    *found = rc == OK && entry.flags != 0;
    if (rc != OK || !*found)
        return rc;
    *out = (SlotTask){.task = task, .ready_ms = entry.ready_ms, .queue = n.queue};
    return grant(tx, out, n.project, now_ms, err);
}

ErrCode queue_leave_line(DbConn *tx, int64_t task, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(16 * KIB);
    TaskNew n;
    bool blocked;
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading a task");
    ErrCode rc = read_keyed(tx, task, a, &n, &blocked, err);
    if (rc != OK || !blocked)
        return rc;
    return db_exec(tx, &sql_slot_unblock,
                   DB_ARGS(DB_I(n.project), DB_S(n.concurrency_key), DB_I(-n.priority), DB_I(task)),
                   NULL, err);
}

ErrCode queue_slots_check(DbConn *reader, int64_t *wrong, Err *err)
{
    return db_get_int(reader, &sql_queue_slots_wrong, DB_NO_ARGS, 0, wrong, err);
}

ErrCode queue_slots_clean(DbConn *tx, int64_t now_ms, Err *err)
{
    return db_exec(tx, &sql_slot_clean_old, DB_ARGS(DB_I(now_ms * 1000)), NULL, err);
}
