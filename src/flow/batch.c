/* batch.c: jobs made of items (see the drawing in flow.h).
 *
 * The batch's task waits in state 'waiting' and counts what has not ended. All that happens to an
 * item reaches the batch in the item's own transaction, so the count is never wrong, whoever dies. */
#include "flow/flow_in.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/seal.h"
#include "db/queries.h"

#include <assert.h>

/* What items are made from. */
typedef struct Ask {
    JobNew job;
    Step step;                 /* only its name: the rest was decided when the batch came in */
    int64_t pipeline, version; /* of a pipeline; 0: of a step */
    bool no_memo;
} Ask;

static ErrCode check_batch(const BatchNew *n, Err *err)
{
    if (n->job.inputs_len == 0)
        return err_set(err, ERR_INPUT_MISSING, "a batch needs files");
    if (n->job.inputs_len > BATCH_ITEMS_MAX)
        return err_set(err, ERR_LIMIT_COUNT, "%zu files, a batch takes at most %d",
                       n->job.inputs_len, BATCH_ITEMS_MAX);
    return flow_check(&n->job, err);
}

ErrCode flow_batch_add_item(DbConn *tx, const JobNew *like, int64_t batch, int64_t place,
                            const JobFile *file, Err *err)
{
    JobNew item = *like;
    item.inputs = file;
    item.inputs_len = 1;
    item.idempotency_key = item.unique_key = (Str){0}; /* the batch's, as are these times */
    item.deadline_ms = item.start_within_ms = 0;
    int64_t id = id_new();
    const JobKin kin = {.parent = batch, .place = place, .node = -1};
    ErrCode rc = flow_add_one(tx, id, &item, &kin, err);
    return rc == OK ? flow_tell_news(tx, like->project, id, err) : rc;
}

static ErrCode add_items(DbConn *tx, int64_t batch, const BatchNew *n, Err *err)
{
    JobNew unpack = n->job;
    unpack.step = n->unpack;
    unpack.params = n->unpack_params;
    unpack.timeout_ms = 0;
    unpack.queue = (Str){0};
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < n->job.inputs_len; i++) {
        bool archive = n->unpack != NULL && n->archive != NULL && n->archive[i];
        rc = flow_batch_add_item(tx, archive ? &unpack : &n->job, batch, (int64_t)i + 1,
                                 &n->job.inputs[i], err);
    }
    return rc;
}

/* started_ms: a batch has no attempts; it runs from the beginning. */
static ErrCode add_waiting(DbConn *tx, int64_t batch, int64_t project, int64_t pending,
                           int64_t total, int64_t seq, int64_t started_ms, Err *err)
{
    return db_exec(tx, &sql_batch_task_add,
                   DB_ARGS(DB_I(batch), DB_I(project), DB_I(pending), DB_I(total), DB_I(seq),
                           DB_I(started_ms), DB_I(total - pending)),
                   NULL, err);
}

ErrCode flow_batch_add_task(DbConn *tx, int64_t batch, int64_t project, int64_t items, Err *err)
{
    return add_waiting(tx, batch, project, items, items, 1, clock_now_ms(), err);
}

ErrCode flow_add_batch_tx(DbConn *tx, int64_t id, const BatchNew *n, JobAdded *out, Err *err)
{
    JobAdded added = {.job = id};
    ErrCode rc = check_batch(n, err);
    if (rc == OK)
        rc = flow_known_key(tx, &n->job, &added, err);
    if (rc == OK && !added.existed) {
        int64_t count = (int64_t)n->job.inputs_len;
        rc = flow_add_ask(tx, id, &n->job, true, err);
        if (rc == OK)
            rc = flow_batch_add_task(tx, id, n->job.project, count, err);
        if (rc == OK)
            rc = flow_batch_options(tx, id, &n->job, err);
        if (rc == OK)
            rc = add_items(tx, id, n, err);
        if (rc == OK)
            rc = flow_tell_news(tx, n->job.project, id, err);
    }
    if (rc == OK)
        *out = added;
    return rc;
}

ErrCode flow_batch_counts(DbConn *reader, int64_t batch, BatchCounts *out, Err *err)
{
    BatchCounts n = {0};
    int64_t *const of[] = {[JOB_QUEUED] = &n.queued,
                           [JOB_RUNNING] = &n.running,
                           [JOB_DONE] = &n.done,
                           [JOB_FAILED] = &n.failed,
                           [JOB_CANCELED] = &n.canceled};
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(reader, &sql_batch_counts, DB_ARGS(DB_I(batch)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        JobState s = job_state_from(db_str(&rows, 0));
        if (s == JOB_STATE_COUNT)
            return err_set(err, ERR_DB_DAMAGED, "an item has no known state");
        *of[s] += db_int(&rows, 1);
        n.total += db_int(&rows, 1);
    }
    if (rc == OK)
        *out = n;
    return rc;
}

ErrCode flow_item_ids(DbConn *tx, const Query *which, int64_t batch, Arena *a, int64_t **out,
                      size_t *len, Err *err)
{
    size_t n = 0, cap = 0;
    int64_t *ids = NULL;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, which, DB_ARGS(DB_I(batch)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        if (n == cap) {
            size_t more = cap > 0 ? 2 * cap : 64;
            ids = arena_grow(a, ids, cap * sizeof *ids, more * sizeof *ids);
            if (ids == NULL)
                return err_set(err, ERR_NO_MEMORY, "reading the items of a batch");
            cap = more;
        }
        ids[n++] = db_int(&rows, 0);
    }
    *out = ids;
    *len = n;
    return rc;
}

/* --- an item has ended --- */

static ErrCode read_ask(DbConn *tx, int64_t batch, Arena *a, Ask *out, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_batch_ask, DB_ARGS(DB_I(batch)), &rows, err);
    bool found = false;
    while (rc == OK && db_next(&rows, &rc, err)) {
        found = true;
        out->step = (Step){.name = str_to_c(a, db_str(&rows, 2))};
        out->job = (JobNew){.project = db_int(&rows, 0),
                            .key = db_int(&rows, 1),
                            .queue = db_str_copy(&rows, 3, a),
                            .params = db_str_copy(&rows, 4, a),
                            .priority = db_int(&rows, 5),
                            .attempts = db_int(&rows, 6),
                            .timeout_ms = db_int(&rows, 7),
                            .concurrency_limit = db_int(&rows, 10),
                            .retry_ms = db_int(&rows, 11)};
        out->pipeline = db_int(&rows, 12);
        out->version = db_int(&rows, 13);
        out->no_memo = db_int(&rows, 14) != 0;
        if (!db_is_null(&rows, 8))
            out->job.trace = db_str_copy(&rows, 8, a);
        if (!db_is_null(&rows, 9))
            out->job.concurrency_key = db_str_copy(&rows, 9, a);
        if (out->step.name == NULL || out->job.queue.ptr == NULL || out->job.params.ptr == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading a batch");
    }
    out->job.step = &out->step;
    out->job.secret_params = seal_is(out->job.params);
    if (rc == OK && found)
        rc = flow_params_open(tx, out->job.project, a, &out->job.params, err);
    return rc == OK && !found ? err_set(err, ERR_DB_DAMAGED, "an item has no batch") : rc;
}

/* What an archive gave becomes items: as many as there is room for, and a batch that would grow
 * beyond its limit fails as a whole by the item that is missing. */
static ErrCode add_unpacked(DbConn *tx, int64_t batch, int64_t item, int64_t *grown, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(32 * MIB);
    Ask ask;
    JobFile *files = NULL;
    size_t n = 0;
    int64_t last = 0;
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "unpacking into a batch");
    ErrCode rc = read_ask(tx, batch, a, &ask, err);
    if (rc == OK)
        rc = flow_files(tx, item, true, a, &files, &n, err);
    if (rc == OK)
        rc = db_get_int(tx, &sql_batch_last_place, DB_ARGS(DB_I(batch)), 0, &last, err);
    if (rc == OK && last + (int64_t)n > BATCH_ITEMS_MAX)
        n = last < BATCH_ITEMS_MAX ? (size_t)(BATCH_ITEMS_MAX - last) : 0;
    if (rc == OK && ask.pipeline != 0)
        rc = flow_batch_add_runs(tx, batch,
                                 &(BatchRuns){.ask = &ask.job,
                                              .pipeline = ask.pipeline,
                                              .version = ask.version,
                                              .no_memo = ask.no_memo},
                                 files, n, last, err);
    for (size_t i = 0; rc == OK && ask.pipeline == 0 && i < n; i++)
        rc = flow_batch_add_item(tx, &ask.job, batch, last + (int64_t)i + 1, &files[i], err);
    if (rc == OK && n > 0)
        rc = db_exec(tx, &sql_batch_grow, DB_ARGS(DB_I(batch), DB_I((int64_t)n)), NULL, err);
    *grown = (int64_t)n;
    return rc;
}

static Str counts_text(Arena *a, const BatchCounts *n)
{
    return str_printf(a,
                      "{\"items\":%" PRId64 ",\"done\":%" PRId64 ",\"failed\":%" PRId64
                      ",\"canceled\":%" PRId64 "}",
                      n->total, n->done, n->failed, n->canceled);
}

/* Every item has ended: so has the batch. */
static ErrCode end_batch(DbConn *tx, const TaskChanged *t, Arena *a, Err *err)
{
    BatchCounts n;
    ErrCode rc = flow_batch_counts(tx, t->job, &n, err);
    if (rc == OK)
        rc = db_exec(tx, &sql_batch_task_delete, DB_ARGS(DB_I(t->job)), NULL, err);
    if (rc != OK)
        return rc;
    bool done = n.done == n.total;
    const TaskFault f = {.reason = str_from_c(err_reason(ERR_ITEMS_FAILED)),
                         .detail = str_printf(a, "%" PRId64 " of %" PRId64 " items did not succeed",
                                              n.total - n.done, n.total),
                         .hint = str_from_c(err_remedy(ERR_ITEMS_FAILED))};
    const EventNew e = {.project = t->project,
                        .job = t->job,
                        .seq = t->seq + 1,
                        .type = done ? EVENT_JOB_DONE : EVENT_JOB_FAILED,
                        .fault = done ? NULL : &f};
    const JobEnd end = {.state = done ? JOB_DONE : JOB_FAILED,
                        .events = 1,
                        .finished_ms = clock_now_ms(),
                        .fault = done ? NULL : &f,
                        .data = counts_text(a, &n)};
    if (f.detail.ptr == NULL || end.data.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "ending a batch");
    rc = flow_event_add(tx, &e, a, err);
    return rc == OK ? flow_end_job(tx, t, &end, err) : rc;
}

static ErrCode count_down(DbConn *tx, int64_t batch, TaskChanged *t, int64_t *pending, bool *found,
                          Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_batch_item_ended, DB_ARGS(DB_I(batch)), &rows, err);
    *found = false;
    while (rc == OK && db_next(&rows, &rc, err)) {
        *found = true;
        *pending = db_int(&rows, 3);
        *t = (TaskChanged){.project = db_int(&rows, 0),
                           .job = db_int(&rows, 1),
                           .seq = db_int(&rows, 2),
                           .started_ms = db_int(&rows, 4),
                           .progress_done = db_int(&rows, 5),
                           .progress_total = db_int(&rows, 6),
                           .flags = db_int(&rows, 7),
                           .max_attempts = 1};
    }
    return rc;
}

static ErrCode unpacked(DbConn *tx, int64_t batch, int64_t item, int64_t *grown, Err *err)
{
    int64_t is = 0;
    ErrCode rc = db_get_int(tx, &sql_batch_unpacked, DB_ARGS(DB_I(item), DB_I(batch)), 0, &is, err);
    *grown = 0;
    return rc == OK && is ? add_unpacked(tx, batch, item, grown, err) : rc;
}

ErrCode flow_item_counted(DbConn *tx, int64_t batch, int64_t item, JobState state, bool *alive,
                          Err *err)
{
    TaskChanged t = {0};
    int64_t pending = 0, grown = 0;
    CLEANUP(arena_close) Arena *a = arena_open(FLOW_SCRATCH);
    if (a == NULL)
        return err_set(err, ERR_NO_MEMORY, "ending an item");
    ErrCode rc = count_down(tx, batch, &t, &pending, alive, err);
    if (rc != OK || !*alive)
        return rc;
    if (state == JOB_DONE)
        rc = unpacked(tx, batch, item, &grown, err);
    const EventNew e = {.project = t.project,
                        .job = t.job,
                        .seq = t.seq,
                        .type = EVENT_JOB_ITEM,
                        .item = item,
                        .state = state,
                        .done = t.progress_done,
                        .total = t.progress_total + grown};
    if (rc == OK)
        rc = flow_event_add(tx, &e, a, err);
    *alive = pending + grown > 0;
    if (rc == OK && !*alive)
        return end_batch(tx, &t, a, err);
    return rc == OK ? flow_tell_news(tx, t.project, t.job, err) : rc;
}

/* An item that had begun makes room for one, and what came out of an archive may be the first. */
ErrCode flow_item_ended(DbConn *tx, int64_t parent, int64_t item, JobState state, Err *err)
{
    bool alive = false;
    int64_t room = 0, began = 0;
    ErrCode rc = flow_item_counted(tx, parent, item, state, &alive, err);
    if (rc == OK && alive)
        rc = db_get_int(tx, &sql_batch_room, DB_ARGS(DB_I(parent)), 0, &room, err);
    if (rc != OK || room == 0)
        return rc;
    rc = db_get_int(tx, &sql_batch_item_began, DB_ARGS(DB_I(item)), 0, &began, err);
    if (rc == OK)
        rc = began ? flow_batch_begin(tx, parent, 1, err) : flow_batch_fill(tx, parent, err);
    return rc;
}

/* --- an item runs again --- */

static ErrCode count_up(DbConn *tx, int64_t batch, TaskChanged *t, bool *found, Err *err)
{
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(tx, &sql_batch_item_again, DB_ARGS(DB_I(batch)), &rows, err);
    *found = false;
    while (rc == OK && db_next(&rows, &rc, err)) {
        *found = true;
        *t = (TaskChanged){
            .project = db_int(&rows, 0), .job = db_int(&rows, 1), .seq = db_int(&rows, 2)};
    }
    return rc;
}

/* The end of the batch is taken back: it waits for one item again. */
static ErrCode reopen(DbConn *tx, int64_t batch, int64_t project, TaskChanged *t, Err *err)
{
    BatchCounts n;
    Ended end;
    ErrCode rc = flow_take_end(tx, project, batch, true, &end, err);
    if (rc == OK && !end.found)
        return err_set(err, ERR_DB_DAMAGED, "a batch has neither task nor end");
    if (rc == OK)
        rc = flow_batch_counts(tx, batch, &n, err);
    if (rc == OK)
        rc = add_waiting(tx, batch, project, 1, n.total, end.seq + 1, end.started_ms, err);
    if (rc == OK)
        rc = flow_batch_options_again(tx, project, batch, err);
    *t = (TaskChanged){.project = project, .job = batch, .seq = end.seq + 1};
    return rc;
}

ErrCode flow_item_again(DbConn *tx, int64_t batch, int64_t project, Arena *a, Err *err)
{
    TaskChanged t = {0};
    bool waits;
    ErrCode rc = count_up(tx, batch, &t, &waits, err);
    if (rc == OK && !waits)
        rc = reopen(tx, batch, project, &t, err);
    if (rc == OK)
        rc = flow_event_add(
            tx,
            &(EventNew){.project = project, .job = batch, .seq = t.seq, .type = EVENT_JOB_RETRIED},
            a, err);
    return rc == OK ? flow_tell_news(tx, project, batch, err) : rc;
}
