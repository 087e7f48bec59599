/* event.c: the history of a job.
 *
 * Stored are the events that nothing else tells. The others are read from the job's rows; their
 * numbers are the gaps that the stored ones leave:
 *
 *   number          event          told by
 *   1               job.added      the job's id
 *   2               task.started   started_ms: the first start, when nothing came before it
 *   last but one    task.done      job_end of a job that is done: finished_ms, attempts
 *   last            job.done       the same
 *
 * `seq`, the number of the last event, is counted in the task, and in job_end after it. */
#include "flow/flow_in.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"

enum { EVENT_DATA_MAX = 16 * 1024, EVENTS_PER_READ = 1000 };

static void put_fault(JsonOut *j, const TaskFault *f)
{
    json_kv_str(j, "reason", f->reason);
    if (f->detail.len > 0)
        json_kv_str(j, "detail", str_slice(f->detail, 0, FLOW_DETAIL_MAX));
    if (f->hint.len > 0)
        json_kv_str(j, "hint", str_slice(f->hint, 0, FLOW_DETAIL_MAX));
}

static void put_step(JsonOut *j, const EventNew *e)
{
    json_kv_str(j, "step", e->node);
    if (e->item != 0) {
        char job[ID_TEXT_SIZE];
        json_kv_c(j, "job", id_text("job", e->item, job));
    }
    if (e->type == EVENT_STEP_ITEM) {
        json_kv_int(j, "item", e->place);
        json_kv_c(j, "state", job_state_name(e->state));
    }
    if (e->total > 0) {
        json_kv_int(j, "done", e->done);
        json_kv_int(j, "total", e->total);
    }
}

static Str event_data(const EventNew *e, Arena *a)
{
    Buf b = buf_init(a, EVENT_DATA_MAX);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    if (e->attempt > 0)
        json_kv_int(&j, "attempt", e->attempt);
    if (e->fault != NULL)
        put_fault(&j, e->fault);
    if (e->run_at_ms > 0)
        json_kv_int(&j, "run_at", e->run_at_ms);
    if (e->type == EVENT_TASK_PROGRESS) {
        json_kv_int(&j, "done", e->done);
        json_kv_int(&j, "total", e->total);
    }
    if (e->type == EVENT_JOB_ITEM) {
        char item[ID_TEXT_SIZE];
        json_kv_c(&j, "item", id_text("job", e->item, item));
        json_kv_c(&j, "state", job_state_name(e->state));
        json_kv_int(&j, "done", e->done);
        json_kv_int(&j, "total", e->total);
    }
    if (e->node.len > 0)
        put_step(&j, e);
    if (e->note.len > 0)
        json_kv_str(&j, "note", str_slice(e->note, 0, FLOW_DETAIL_MAX));
    json_end(&j, '}');
    return b.failed ? (Str){0} : buf_str(&b);
}

ErrCode flow_event_add(DbConn *tx, const EventNew *e, Arena *scratch, Err *err)
{
    ArenaMark mark = arena_mark(scratch);
    Str data = event_data(e, scratch);
    if (data.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "writing an event");
    ErrCode rc = db_exec(tx, &sql_event_add,
                         DB_ARGS(DB_I(e->job), DB_I(e->seq), DB_I(id_new()), DB_I(e->project),
                                 DB_I(clock_now_ms()), DB_S(str_from_c(log_event_name(e->type))),
                                 DB_S(data)),
                         NULL, err);
    arena_rewind(scratch, mark);
    return rc;
}

/* What the regular events are read from. */
typedef struct History {
    int64_t job, seq, started_ms, finished_ms, attempts;
    bool done;
    Str step;
} History;

static ErrCode read_history(DbConn *reader, int64_t project, int64_t job, Arena *a, History *out,
                            Err *err)
{
    bool found = false;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_job_history, DB_ARGS(DB_I(job), DB_I(project)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        found = true;
        *out = (History){.job = job,
                         .step = db_str_copy(&rows, 0, a),
                         .seq = db_int(&rows, 1),
                         .started_ms = db_int(&rows, 2),
                         .finished_ms = db_int(&rows, 3),
                         .done = str_eq_c(db_str(&rows, 4), "done"),
                         .attempts = db_int(&rows, 5)};
        if (out->step.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading a job");
    }
    if (rc == OK && !found)
        return err_set(err, ERR_NOT_FOUND, "there is no such job");
    return rc;
}

static JobEvent regular(const History *h, int64_t seq, Event type, int64_t time_ms, Str data)
{
    return (JobEvent){.job = h->job,
                      .seq = seq,
                      .time_ms = time_ms,
                      .type = str_from_c(log_event_name(type)),
                      .data = data};
}

/* The event of a number that has no row. */
static ErrCode event_without_row(const History *h, int64_t seq, Arena *a, JobEvent *out, Err *err)
{
    if (seq == 1)
        *out = regular(h, seq, EVENT_JOB_ADDED, id_time_ms(h->job),
                       str_printf(a, "{\"step\":\"" STR_FMT "\"}", STR_ARG(h->step)));
    else if (seq == 2)
        *out = regular(h, seq, EVENT_TASK_STARTED, h->started_ms, STR("{\"attempt\":1}"));
    else if (h->done && seq == h->seq - 1)
        *out = regular(h, seq, EVENT_TASK_DONE, h->finished_ms,
                       str_printf(a, "{\"attempt\":%" PRId64 "}", h->attempts));
    else if (h->done && seq == h->seq)
        *out = regular(h, seq, EVENT_JOB_DONE, h->finished_ms, STR("{}"));
    else
        return err_set(err, ERR_DB_DAMAGED, "event %" PRId64 " of the job is missing", seq);
    return out->data.ptr != NULL ? OK : err_set(err, ERR_NO_MEMORY, "reading events");
}

typedef struct EventList {
    const History *history;
    Arena *arena;
    JobEvent *items;
    size_t len;
    int64_t next; /* number of the next event */
} EventList;

/* Fill up to (without) number `seq`. */
static ErrCode fill_up(EventList *l, int64_t seq, Err *err)
{
    while (l->next < seq) {
        ErrCode rc = event_without_row(l->history, l->next, l->arena, &l->items[l->len], err);
        if (rc != OK)
            return rc;
        l->len++;
        l->next++;
    }
    return OK;
}

static ErrCode add_stored(EventList *l, const DbRows *rows, Err *err)
{
    JobEvent e = {.job = l->history->job,
                  .seq = db_int(rows, 0),
                  .id = db_int(rows, 1),
                  .time_ms = db_int(rows, 2),
                  .type = db_str_copy(rows, 3, l->arena),
                  .data = db_str_copy(rows, 4, l->arena)};
    if (e.type.ptr == NULL || e.data.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading events");
    l->items[l->len++] = e;
    l->next++;
    return OK;
}

ErrCode flow_events(DbConn *reader, int64_t project, int64_t job, int64_t after_seq, int limit,
                    Arena *a, JobEvent **out, size_t *len, Err *err)
{
    History h = {0};
    ErrCode rc = read_history(reader, project, job, a, &h, err);
    if (rc != OK)
        return rc;

    int64_t first = after_seq > 0 ? after_seq + 1 : 1, last = h.seq;
    int64_t most = limit > 0 && limit < EVENTS_PER_READ ? limit : EVENTS_PER_READ;
    if (last - first >= most)
        last = first + most - 1;
    if (last < first) {
        *out = NULL;
        *len = 0;
        return OK;
    }
    EventList l = {.history = &h,
                   .arena = a,
                   .items = arena_new(a, JobEvent, (size_t)(last - first + 1)),
                   .next = first};
    if (l.items == NULL)
        return err_set(err, ERR_NO_MEMORY, "reading events");

    /* Rows that came after the job was read lie beyond its last number and are left for the next
     * call. */
    CLEANUP(db_rows_done) DbRows rows = {0};
    rc = db_query(reader, &sql_event_list, DB_ARGS(DB_I(job), DB_I(first), DB_I(last)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        rc = fill_up(&l, db_int(&rows, 0), err);
        if (rc == OK)
            rc = add_stored(&l, &rows, err);
    }
    if (rc == OK)
        rc = fill_up(&l, last + 1, err);
    if (rc == OK) {
        *out = l.items;
        *len = l.len;
    }
    return rc;
}
