/* Batches of a pipeline: items are held, begin one after the other, and end their batch. The test is
 * the worker. */
#include "flow/pipeline.h"
#include "unit/flow/bench_db.h"

enum { FILES = 6 };

typedef struct EchoArgs {
    const Json *value;
} EchoArgs;
static const Param echo_params[] = {
    PARAM_JSON(EchoArgs, value, .help = "What comes back."),
    PARAM_END,
};
static const Field echo_data[] = {{"value", FIELD_TYPE_ANY, "What came."}, {0}};
static const Step echo = {.name = "t.echo",
                          .title = "Echo",
                          .summary = "Give back.",
                          .since = "0.1",
                          .internal = true,
                          .cacheable = true,
                          .version = 1,
                          .params = echo_params,
                          .args_size = sizeof(EchoArgs),
                          .data = echo_data,
                          .attempts = 1};
static const Step unpack = {.name = "un.pack", .attempts = 1};
static const char hash[] = "00000000000000000000000000000000000000000000000000000000000000aa";

typedef struct Desk {
    Bench b;
    Arena *arena;
    Registry *registry;
    FlowHooks hooks;
} Desk;

static Desk *desk_open(void)
{
    Desk *d = calloc(1, sizeof *d);
    d->b = bench_open();
    d->arena = arena_open(16 * MIB);
    d->registry = registry_open(d->arena);
    assert_ok(registry_add(d->registry, &echo, &d->b.err), &d->b.err);
    d->hooks = (FlowHooks){.pipelines = pipeline_cache_open(d->registry)};
    flow_set_hooks(d->b.db, &d->hooks);
    return d;
}

static void desk_close(Desk *d)
{
    PipelineCache *cache = d->hooks.pipelines;
    bench_close(&d->b);
    pipeline_cache_close(&cache);
    arena_close(&d->arena);
    free(d);
}

static Str json_of(Desk *d, const char *text)
{
    Str s = str_printf(d->b.arena, "%s", text);
    for (char *p = (char *)(uintptr_t)s.ptr; p < s.ptr + s.len; p++)
        if (*p == '\'')
            *p = '"';
    return s;
}

/* Says the name of its file, and of the one that all get. */
static void store(Desk *d, const char *more)
{
    PipelineInfo info;
    bool made = false;
    Buf text = buf_init(d->b.arena, 4 * KIB);
    buf_addf(&text,
             "{'name':'each',%s'inputs':{'source':{'type':'file','required':true},'logo':{'type':"
             "'file'}},'steps':{'say':{'uses':'t.echo','with':{'value':'${{ inputs.source.name }} "
             "${{ inputs.logo.name }}'}}},'outputs':{'said':'${{ steps.say.value }}'}}",
             more);
    const PipelineNew n = {
        .project = PROJECT, .name = STR("each"), .definition = json_of(d, buf_c(&text))};
    assert_ok(flow_pipeline_put(d->b.db, &n, &info, &made, d->b.arena, &d->b.err), &d->b.err);
}

static JobFile file_called(Desk *d, const char *name, int i)
{
    return (JobFile){.name = str_printf(d->b.arena, "%s-%d", name, i),
                     .type = STR("text/plain"),
                     .hash = {hash, 64},
                     .size_bytes = 1};
}

typedef struct Call {
    int64_t id;
    const PipelineBatch *n;
    JobAdded added;
} Call;

static ErrCode batch_write(DbConn *tx, void *arg, Err *err)
{
    Call *c = arg;
    return flow_run_batch_tx(tx, c->id, c->n, &c->added, err);
}

static int64_t begin(Desk *d, int files, int64_t concurrency, const bool *archive)
{
    JobFile *items = arena_new(d->b.arena, JobFile, (size_t)files);
    JobFile logo = file_called(d, "logo", 0);
    for (int i = 0; i < files; i++)
        items[i] = file_called(d, "file", i);
    const PipelineBatch n = {
        .run = {.project = PROJECT,
                .name = STR("each"),
                .inputs = json_of(d, "{'logo':{'name':'logo-0','type':'text/plain','bytes':1,"
                                     "'blob':'00000000000000000000000000000000000000000000000000"
                                     "000000000000aa'},'source':{'each':true}}"),
                .files = &logo,
                .files_len = 1},
        .files = items,
        .files_len = (size_t)files,
        .unpack = &unpack,
        .unpack_params = STR("{}"),
        .archive = archive,
        .concurrency = concurrency};
    Call c = {.id = id_new(), .n = &n};
    assert_ok(db_write(d->b.db, batch_write, &c, &d->b.err), &d->b.err);
    return c.added.job;
}

/* Up to `most` ready tasks; those of steps whose value holds `bad` fail. */
static int work(Desk *d, int most, const char *bad)
{
    TaskLease *l = NULL;
    size_t n = bench_lease(&d->b, "default", most, &l);
    for (size_t i = 0; i < n; i++) {
        const Json *params = NULL;
        assert_ok(json_parse(d->b.arena, l[i].params, &params, &d->b.err), &d->b.err);
        Str value = json_text(json_get(params, "value"));
        bool fails = bad != NULL && str_find(value, str_from_c(bad)) != STR_NONE;
        TaskResult r = result_of(&l[i], fails ? ERR_INPUT_DAMAGED : OK);
        JobFile out[2] = {file_called(d, "inner", 0), file_called(d, "inner", 1)};
        if (str_eq_c(l[i].step, "un.pack")) {
            r.outputs = out;
            r.outputs_len = 2;
        } else if (!fails) {
            r.data = str_printf(d->b.arena, "{\"value\":\"" STR_FMT "\"}", STR_ARG(value));
        }
        bench_finish(&d->b, &r);
    }
    return (int)n;
}

static int work_all(Desk *d)
{
    int all = 0;
    for (int n = work(d, 100, NULL); n > 0; n = work(d, 100, NULL))
        all += n;
    return all;
}

static void assert_counts(Desk *d, int64_t batch, int queued, int running, int done, int failed,
                          int canceled)
{
    BatchCounts n;
    assert_ok(flow_batch_counts(d->b.reader, batch, &n, &d->b.err), &d->b.err);
    if (n.queued != queued || n.running != running || n.done != done || n.failed != failed ||
        n.canceled != canceled)
        fail_msg("%d queued, %d running, %d done, %d failed, %d cancelled", (int)n.queued,
                 (int)n.running, (int)n.done, (int)n.failed, (int)n.canceled);
}

static Job *items(Desk *d, int64_t batch, size_t *n)
{
    Job *list = NULL;
    bool more;
    assert_ok(
        flow_items(d->b.reader, PROJECT, batch, -1, 0, 100, d->b.arena, &list, n, &more, &d->b.err),
        &d->b.err);
    return list;
}

TEST(items_begin_one_after_the_other)
{
    Desk *d = desk_open();
    size_t n = 0;
    store(d, "");
    int64_t batch = begin(d, FILES, 2, NULL);
    assert_counts(d, batch, 4, 2, 0, 0, 0);
    assert_int_equal(work(d, 1, NULL), 1);
    assert_counts(d, batch, 3, 2, 1, 0, 0);
    assert_int_equal(work_all(d), FILES - 1);
    assert_counts(d, batch, 0, 0, FILES, 0, 0);
    Job j = bench_get(&d->b, batch);
    assert_int_equal(j.state, JOB_DONE);
    assert_str_equal(j.pipeline, "each");
    Job *list = items(d, batch, &n);
    assert_int_equal(n, FILES);
    assert_str_equal(list[3].data, "{\"said\":\"file-3 logo-0\"}");
    assert_int_equal(list[3].inputs_len, 2);
    bench_events(&d->b, batch); /* numbered without gaps */
    desk_close(d);
}

TEST(items_that_end_at_once_make_room)
{
    Desk *d = desk_open();
    store(d, "");
    int64_t first = begin(d, 3, 1, NULL);
    assert_int_equal(work_all(d), 3);
    int64_t second = begin(d, 3, 1, NULL); /* every result is remembered */
    assert_int_equal(bench_get(&d->b, second).state, JOB_DONE);
    assert_counts(d, second, 0, 0, 3, 0, 0);
    assert_true(first != second);
    desk_close(d);
}

TEST(what_an_archive_gave_becomes_items)
{
    Desk *d = desk_open();
    size_t n = 0;
    const bool archive[] = {true, false};
    store(d, "");
    int64_t batch = begin(d, 2, 1, archive);
    assert_int_equal(work_all(d), 4);
    Job *list = items(d, batch, &n);
    assert_int_equal(n, 4);
    assert_str_equal(list[3].data, "{\"said\":\"inner-1 logo-0\"}");
    assert_int_equal(bench_get(&d->b, batch).state, JOB_DONE);
    desk_close(d);
}

TEST(a_retry_runs_what_failed)
{
    Desk *d = desk_open();
    store(d, "");
    int64_t batch = begin(d, 3, 3, NULL);
    assert_int_equal(work(d, 9, "file-1"), 3);
    Job j = bench_get(&d->b, batch);
    assert_int_equal(j.state, JOB_FAILED);
    assert_str_equal(j.reason, "items_failed");
    assert_ok(flow_retry(d->b.db, PROJECT, batch, &d->b.err), &d->b.err);
    assert_counts(d, batch, 0, 1, 2, 0, 0);
    assert_int_equal(work_all(d), 1);
    assert_int_equal(bench_get(&d->b, batch).state, JOB_DONE);
    bench_events(&d->b, batch);
    desk_close(d);
}

TEST(cancel_and_pause_reach_what_is_held)
{
    Desk *d = desk_open();
    size_t n = 0;
    store(d, "");
    int64_t batch = begin(d, 4, 1, NULL);
    Job *list = items(d, batch, &n);
    assert_ok(flow_cancel(d->b.db, PROJECT, list[3].id, &d->b.err), &d->b.err);
    assert_counts(d, batch, 2, 1, 0, 0, 1);
    assert_ok(flow_pause(d->b.db, PROJECT, batch, &d->b.err), &d->b.err);
    assert_int_equal(work_all(d), 0);
    assert_ok(flow_cancel(d->b.db, PROJECT, list[0].id, &d->b.err), &d->b.err);
    assert_counts(d, batch, 2, 0, 0, 0, 2);
    assert_ok(flow_resume(d->b.db, PROJECT, batch, &d->b.err), &d->b.err);
    assert_counts(d, batch, 1, 1, 0, 0, 2);
    assert_ok(flow_cancel(d->b.db, PROJECT, batch, &d->b.err), &d->b.err);
    assert_counts(d, batch, 0, 0, 0, 0, 4);
    desk_close(d);
}

TEST(the_time_of_an_item_runs_from_its_beginning)
{
    Desk *d = desk_open();
    int64_t count = 0, next = 0;
    store(d, "'timeout':'1h',");
    int64_t batch = begin(d, 2, 1, NULL);
    assert_ok(flow_timers_due(d->b.db, 0, &count, &next, &d->b.err), &d->b.err);
    while (clock_now_ms() + 3600 * 1000 <= next) /* the second one begins later */
        continue;
    assert_ok(flow_timers_due(d->b.db, next, &count, &next, &d->b.err), &d->b.err);
    assert_int_equal(count, 1);
    assert_counts(d, batch, 0, 1, 0, 1, 0);
    assert_int_equal(work_all(d), 1);
    assert_int_equal(bench_get(&d->b, batch).state, JOB_FAILED);
    desk_close(d);
}

TEST(a_batch_needs_files)
{
    Desk *d = desk_open();
    store(d, "");
    const PipelineBatch n = {.run = {.project = PROJECT, .name = STR("each"), .inputs = STR("{}")},
                             .concurrency = 1};
    Call c = {.id = id_new(), .n = &n};
    assert_int_equal(db_write(d->b.db, batch_write, &c, &d->b.err), ERR_INPUT_MISSING);
    desk_close(d);
}

TEST_MAIN(items_begin_one_after_the_other, items_that_end_at_once_make_room,
          what_an_archive_gave_becomes_items, a_retry_runs_what_failed,
          cancel_and_pause_reach_what_is_held, the_time_of_an_item_runs_from_its_beginning,
          a_batch_needs_files)
