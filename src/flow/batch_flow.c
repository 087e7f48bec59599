/* batch_flow.c: batches whose items are jobs of a pipeline.
 *
 * All items are there from the beginning, held: a row and nothing that runs. As many begin as the
 * batch lets run at once; the end of one begins the next, in its own transaction. */
#include "flow/pipeline_in.h"
#include "base/id.h"
#include "db/queries.h"

static const char each_key[] = "each";
static const Step run_step = {.name = "flow.run"}; /* what the rows of a pipeline's job say */

/* What items are made from. */
typedef struct Mould {
    DbConn *tx;
    Arena *arena;
    int64_t batch;
    PipelineRun run;
    PipelineKey key;
    const Json *inputs; /* {"each": true} stands for the item's file */
} Mould;

static ErrCode no_memory(Err *err)
{
    return err_set(err, ERR_NO_MEMORY, "making the items of a batch");
}

static bool is_mark(const Json *v)
{
    return json_is(v, JSON_OBJECT) && v->len == 1 && str_eq_c(v->first->key, each_key);
}

static bool is_marked(const Json *v)
{
    return is_mark(v) || (json_is(v, JSON_LIST) && v->len == 1 && is_mark(v->first));
}

static void put_file(JsonOut *j, const JobFile *f)
{
    json_begin(j, '{');
    json_kv_str(j, "name", f->name);
    json_kv_str(j, "type", f->type);
    json_kv_int(j, "bytes", f->size_bytes);
    json_kv_str(j, "blob", f->hash);
    json_end(j, '}');
}

static ErrCode inputs_with(const Mould *m, const JobFile *file, Str *out, Err *err)
{
    Buf b = buf_init(m->arena, RUN_PARAMS_MAX);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_each(member, m->inputs) {
        json_key_str(&j, member->key);
        if (json_is(member, JSON_LIST) && is_marked(member)) {
            json_begin(&j, '[');
            put_file(&j, file);
            json_end(&j, ']');
        } else if (is_mark(member)) {
            put_file(&j, file);
        } else {
            json_put(&j, member);
        }
    }
    json_end(&j, '}');
    *out = buf_str(&b);
    return b.failed ? err_set(err, ERR_LIMIT_OUTPUT, "the inputs are too large") : OK;
}

/* One more item, held. */
static ErrCode add_item(const Mould *m, int64_t place, const JobFile *file, Err *err)
{
    PipelineRun run = m->run;
    size_t shared = m->run.files_len;
    int64_t id = id_new();
    JobFile *files = arena_new(m->arena, JobFile, shared + 1);
    if (files == NULL)
        return no_memory(err);
    files[0] = *file;
    for (size_t i = 0; i < shared; i++)
        files[i + 1] = m->run.files[i];
    run.files = files;
    run.files_len = shared + 1;
    const ChildPlace at = {.parent = m->batch, .node = -1, .place = place};
    ErrCode rc = inputs_with(m, file, &run.inputs, err);
    if (rc == OK)
        rc = flow_add_run(m->tx, id, &run, &m->key, &at, 0, err);
    return rc == OK ? db_exec(m->tx, &sql_batch_hold, DB_ARGS(DB_I(id)), NULL, err) : rc;
}

static ErrCode add_items(const Mould *m, const PipelineBatch *n, Err *err)
{
    const JobNew unpack = {.project = m->run.project,
                           .key = m->run.key,
                           .step = n->unpack,
                           .params = n->unpack_params,
                           .priority = m->run.priority,
                           .trace = m->run.trace};
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < n->files_len; i++) {
        bool archive = n->unpack != NULL && n->archive != NULL && n->archive[i];
        ArenaMark mark = arena_mark(m->arena);
        rc = archive
                 ? flow_batch_add_item(m->tx, &unpack, m->batch, (int64_t)i + 1, &n->files[i], err)
                 : add_item(m, (int64_t)i + 1, &n->files[i], err);
        arena_rewind(m->arena, mark);
    }
    return rc;
}

/* --- items begin --- */

static ErrCode next_held(DbConn *tx, int64_t batch, int64_t *id, Err *err)
{
    return db_get_int(tx, &sql_batch_held, DB_ARGS(DB_I(batch), DB_I(1)), 0, id, err);
}

/* Begin up to `room` items. Those that end at once, because all they do is known already or nothing
 * of it can begin, make room for others; the batch is told of each. */
ErrCode flow_batch_begin(DbConn *tx, int64_t batch, int64_t room, Err *err)
{
    ErrCode rc = OK;
    bool alive = true;
    while (rc == OK && alive && room > 0) {
        int64_t id = 0;
        JobState state = JOB_RUNNING;
        rc = next_held(tx, batch, &id, err);
        if (rc != OK || id == 0)
            return rc;
        rc = flow_begin_held(tx, id, &state, err);
        if (rc == OK && state != JOB_RUNNING)
            rc = flow_item_counted(tx, batch, id, state, &alive, err);
        room -= state == JOB_RUNNING;
    }
    return rc;
}

ErrCode flow_batch_fill(DbConn *tx, int64_t batch, Err *err)
{
    int64_t room = 0, under_way = 0;
    ErrCode rc = db_get_int(tx, &sql_batch_room, DB_ARGS(DB_I(batch)), 0, &room, err);
    if (rc == OK && room > 0)
        rc = db_get_int(tx, &sql_batch_under_way, DB_ARGS(DB_I(batch)), 0, &under_way, err);
    return rc == OK && under_way < room ? flow_batch_begin(tx, batch, room - under_way, err) : rc;
}

/* --- a batch comes in --- */

static ErrCode check_batch(const PipelineBatch *n, Err *err)
{
    if (n->files_len == 0)
        return err_set(err, ERR_INPUT_MISSING, "a batch needs files");
    if (n->files_len > BATCH_ITEMS_MAX)
        return err_set(err, ERR_LIMIT_COUNT, "%zu files, a batch takes at most %d", n->files_len,
                       BATCH_ITEMS_MAX);
    return OK;
}

/* The files that every item gets stay while an archive is still being unpacked. */
static ErrCode hold_shared(const Mould *m, Err *err)
{
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < m->run.files_len; i++)
        rc = db_exec(m->tx, &sql_job_blob_ref_add,
                     DB_ARGS(DB_I(m->run.project), DB_S(m->run.files[i].hash), DB_I(m->batch)),
                     NULL, err);
    return rc;
}

static ErrCode add_batch(Mould *m, const JobNew *ask, const PipelineBatch *n, Err *err)
{
    int64_t count = (int64_t)n->files_len;
    ErrCode rc = json_parse(m->arena, m->run.inputs, &m->inputs, err);
    if (rc == OK)
        rc = flow_pipeline_key_tx(m->tx, m->run.project, m->run.name, m->run.version, &m->key, err);
    if (rc == OK)
        rc = flow_add_ask(m->tx, m->batch, ask, true, err);
    if (rc == OK)
        rc = db_exec(
            m->tx, &sql_batch_pipeline,
            DB_ARGS(DB_I(m->batch), DB_I(m->key.id), DB_I(m->key.version), DB_I(m->run.no_memo)),
            NULL, err);
    if (rc == OK)
        rc = flow_batch_add_task(m->tx, m->batch, m->run.project, count, err);
    if (rc == OK)
        rc = flow_batch_options(m->tx, m->batch, ask, err);
    if (rc == OK)
        rc = hold_shared(m, err);
    if (rc == OK)
        rc = add_items(m, n, err);
    if (rc == OK)
        rc = flow_batch_begin(m->tx, m->batch, n->concurrency, err);
    return rc == OK ? flow_tell_news(m->tx, m->run.project, m->batch, err) : rc;
}

ErrCode flow_run_batch_tx(DbConn *tx, int64_t id, const PipelineBatch *n, JobAdded *out, Err *err)
{
    JobAdded added = {.job = id};
    const PipelineRun *r = &n->run;
    const JobNew ask = {.project = r->project,
                        .key = r->key,
                        .step = &run_step,
                        .queue = STR("flow"),
                        .params = r->inputs,
                        .inputs = n->files,
                        .inputs_len = n->files_len,
                        .priority = r->priority,
                        .timeout_ms = r->timeout_ms,
                        .callback_url = n->callback_url,
                        .concurrency_limit = n->concurrency,
                        .idempotency_key = r->idempotency_key,
                        .request_hash = r->request_hash,
                        .trace = r->trace};
    CLEANUP(arena_close) Arena *a = arena_open(RUN_MEMORY);
    if (a == NULL)
        return no_memory(err);
    ErrCode rc = check_batch(n, err);
    if (rc == OK)
        rc = flow_check(&ask, err);
    if (rc == OK)
        rc = flow_known_key(tx, &ask, &added, err);
    Mould m = {.tx = tx, .arena = a, .batch = id, .run = *r};
    if (rc == OK && !added.existed)
        rc = add_batch(&m, &ask, n, err);
    if (rc == OK)
        *out = added;
    return rc;
}

/* --- what an archive gave --- */

/* The files of the inputs that are the same for all. */
static ErrCode shared_files(Mould *m, Err *err)
{
    JobFile *all = arena_new(m->arena, JobFile, RUN_FILES_MAX);
    size_t n = 0;
    if (all == NULL)
        return no_memory(err);
    json_each(member, m->inputs) {
        JobFile *files = NULL;
        size_t len = 0;
        bool file = json_get(member, "blob") != NULL ||
                    (json_is(member, JSON_LIST) && json_get(member->first, "blob") != NULL);
        ErrCode rc = file && !is_marked(member)
                         ? value_files(m->tx, m->run.project, member, m->arena, &files, &len, err)
                         : OK;
        if (rc != OK)
            return rc;
        for (size_t i = 0; i < len && n < RUN_FILES_MAX; i++)
            all[n++] = files[i];
    }
    m->run.files = all;
    m->run.files_len = n;
    return OK;
}

ErrCode flow_batch_add_runs(DbConn *tx, int64_t batch, const BatchRuns *n, const JobFile *files,
                            size_t len, int64_t after, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(RUN_MEMORY);
    if (a == NULL)
        return no_memory(err);
    Mould m = {.tx = tx,
               .arena = a,
               .batch = batch,
               .key = {n->pipeline, n->version},
               .run = {.project = n->ask->project,
                       .key = n->ask->key,
                       .priority = n->ask->priority,
                       .timeout_ms = n->ask->timeout_ms,
                       .no_memo = n->no_memo,
                       .trace = n->ask->trace}};
    ErrCode rc = json_parse(a, n->ask->params, &m.inputs, err);
    if (rc == OK)
        rc = shared_files(&m, err);
    for (size_t i = 0; rc == OK && i < len; i++) {
        ArenaMark mark = arena_mark(a);
        rc = add_item(&m, after + (int64_t)i + 1, &files[i], err);
        arena_rewind(a, mark);
    }
    return rc;
}
