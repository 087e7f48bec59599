/* The drawing of batches in flow.h, edge by edge. */
#include "unit/flow/bench_db.h"

static const Step unpack = {.name = "un.pack", .attempts = 1};
static const char hash[] = "00000000000000000000000000000000000000000000000000000000000000aa";

typedef struct BatchCall {
    int64_t id;
    const BatchNew *n;
    JobAdded added;
} BatchCall;

static ErrCode batch_write(DbConn *tx, void *arg, Err *err)
{
    BatchCall *c = arg;
    return flow_add_batch_tx(tx, c->id, c->n, &c->added, err);
}

static JobFile file_called(Bench *b, const char *name, int i)
{
    return (JobFile){.name = str_printf(b->arena, "%s-%d", name, i),
                     .type = STR("text/plain"),
                     .hash = {hash, 64},
                     .size_bytes = i};
}

static int64_t add_batch(Bench *b, int files, const bool *archive)
{
    JobFile *inputs = arena_new(b->arena, JobFile, (size_t)files);
    for (int i = 0; i < files; i++)
        inputs[i] = file_called(b, "file", i);
    BatchNew n = {.job = {.project = PROJECT,
                          .step = &step_a,
                          .params = STR("{\"x\":1}"),
                          .attempts = 1,
                          .inputs = inputs,
                          .inputs_len = (size_t)files},
                  .unpack = &unpack,
                  .unpack_params = STR("{\"depth\":1}"),
                  .archive = archive};
    BatchCall c = {.id = id_new(), .n = &n};
    assert_ok(db_write(b->db, batch_write, &c, &b->err), &b->err);
    return c.added.job;
}

/* Run up to `most` ready items; those whose place is in `bad` (bits) fail for good. */
static size_t run_items(Bench *b, int most, unsigned bad)
{
    TaskLease *l = NULL;
    size_t n = bench_lease(b, "default", most, &l);
    for (size_t i = 0; i < n; i++) {
        Job j = bench_get(b, l[i].job);
        bool fails = (bad >> j.place & 1) != 0;
        TaskResult r = result_of(&l[i], fails ? ERR_INPUT_DAMAGED : OK);
        JobFile out[2] = {file_called(b, "out", (int)j.place), file_called(b, "more", 1)};
        r.outputs = out;
        r.outputs_len = fails ? 0 : str_eq_c(l[i].step, "un.pack") ? 2 : 1;
        bench_finish(b, &r);
    }
    return n;
}

static BatchCounts counts(Bench *b, int64_t batch)
{
    BatchCounts n;
    assert_ok(flow_batch_counts(b->reader, batch, &n, &b->err), &b->err);
    return n;
}

static size_t listed(Bench *b, int state)
{
    Job *jobs = NULL;
    size_t n = 0;
    bool more;
    JobFilter f = {.project = PROJECT, .states = state < 0 ? 0 : 1u << state, .limit = 50};
    assert_ok(flow_list(b->reader, &f, b->arena, &jobs, &n, &more, &b->err), &b->err);
    return n;
}

TEST(a_batch_is_done_when_its_last_item_is)
{
    Bench b = bench_open();
    int64_t id = add_batch(&b, 3, NULL);
    Job j = bench_get(&b, id);
    assert_true(j.batch);
    assert_int_equal(j.state, JOB_RUNNING);
    assert_int_equal(j.progress_total, 3);
    assert_int_equal(j.inputs_len, 3);
    assert_int_equal(listed(&b, -1), 1); /* the items are not listed with the jobs */
    assert_int_equal(listed(&b, JOB_RUNNING), 1);
    assert_int_equal(listed(&b, JOB_QUEUED), 0);

    assert_int_equal(run_items(&b, 2, 0), 2);
    j = bench_get(&b, id);
    assert_int_equal(j.state, JOB_RUNNING);
    assert_int_equal(j.progress_done, 2);
    assert_int_equal(counts(&b, id).done, 2);
    assert_int_equal(counts(&b, id).queued, 1);

    assert_int_equal(run_items(&b, 5, 0), 1);
    j = bench_get(&b, id);
    assert_int_equal(j.state, JOB_DONE);
    assert_str_equal(j.data, "{\"items\":3,\"done\":3,\"failed\":0,\"canceled\":0}");
    assert_string_equal(bench_events(&b, id), "job.added job.item job.item job.item job.done");
    assert_int_equal(listed(&b, JOB_DONE), 1);

    Job *items = NULL;
    JobFile *files = NULL;
    size_t n = 0;
    bool more;
    assert_ok(flow_items(b.reader, PROJECT, id, JOB_DONE, 0, 2, b.arena, &items, &n, &more, &b.err),
              &b.err);
    assert_int_equal(n, 2);
    assert_true(more);
    assert_int_equal(items[0].place, 1);
    assert_int_equal(items[0].parent, id);
    assert_str_equal(items[1].inputs[0].name, "file-1");
    assert_ok(flow_outputs(b.reader, &j, b.arena, &files, &n, &b.err), &b.err);
    assert_int_equal(n, 3);
    assert_str_equal(files[2].name, "out-3");
    bench_close(&b);
}

TEST(a_batch_with_a_bad_item_fails_and_runs_only_that_again)
{
    Bench b = bench_open();
    int64_t id = add_batch(&b, 3, NULL);
    assert_int_equal(run_items(&b, 5, 1u << 2), 3);
    Job j = bench_get(&b, id);
    assert_int_equal(j.state, JOB_FAILED);
    assert_str_equal(j.reason, "items_failed");
    assert_str_equal(j.detail, "1 of 3 items did not succeed");
    assert_str_equal(j.data, "{\"items\":3,\"done\":2,\"failed\":1,\"canceled\":0}");

    assert_ok(flow_retry(b.db, PROJECT, id, &b.err), &b.err);
    j = bench_get(&b, id);
    assert_int_equal(j.state, JOB_RUNNING);
    assert_int_equal(j.progress_done, 2);
    assert_int_equal(run_items(&b, 5, 0), 1);
    j = bench_get(&b, id);
    assert_int_equal(j.state, JOB_DONE);
    assert_string_equal(
        bench_events(&b, id),
        "job.added job.item job.item job.item job.failed job.retried job.item job.done");
    assert_int_equal(flow_retry(b.db, PROJECT, id, &b.err), ERR_CONFLICT);
    bench_close(&b);
}

/* Retrying an item takes back the end of its batch, too. */
TEST(an_item_that_runs_again_opens_its_batch)
{
    Bench b = bench_open();
    Job *items = NULL;
    size_t n = 0;
    bool more;
    int64_t count = 0;
    int64_t id = add_batch(&b, 2, NULL);
    assert_int_equal(run_items(&b, 5, 3u << 1), 2);
    assert_ok(
        flow_items(b.reader, PROJECT, id, JOB_FAILED, 0, 9, b.arena, &items, &n, &more, &b.err),
        &b.err);
    assert_int_equal(n, 2);
    assert_ok(flow_retry(b.db, PROJECT, items[1].id, &b.err), &b.err);
    assert_int_equal(bench_get(&b, id).state, JOB_RUNNING);
    assert_int_equal(run_items(&b, 5, 0), 1);
    assert_int_equal(bench_get(&b, id).state, JOB_FAILED);
    assert_ok(flow_dead_redrive(b.db, PROJECT, 0, &count, &b.err), &b.err);
    assert_int_equal(count, 1);
    assert_int_equal(run_items(&b, 5, 0), 1);
    assert_int_equal(bench_get(&b, id).state, JOB_DONE);
    bench_close(&b);
}

TEST(cancel_reaches_every_item_that_lives)
{
    Bench b = bench_open();
    int64_t id = add_batch(&b, 4, NULL);
    assert_int_equal(run_items(&b, 1, 0), 1);
    assert_ok(flow_cancel(b.db, PROJECT, id, &b.err), &b.err);
    assert_int_equal(bench_get(&b, id).state, JOB_CANCELED);
    assert_int_equal(counts(&b, id).canceled, 3);
    assert_int_equal(counts(&b, id).done, 1);
    assert_int_equal(run_items(&b, 5, 0), 0);
    assert_int_equal(flow_cancel(b.db, PROJECT, id, &b.err), ERR_CONFLICT);

    assert_ok(flow_retry(b.db, PROJECT, id, &b.err), &b.err);
    assert_int_equal(run_items(&b, 5, 0), 3);
    assert_int_equal(bench_get(&b, id).state, JOB_DONE);
    bench_close(&b);
}

TEST(cancelling_items_one_by_one_ends_the_batch)
{
    Bench b = bench_open();
    Job *items = NULL;
    size_t n = 0;
    bool more;
    int64_t id = add_batch(&b, 2, NULL);
    assert_ok(flow_items(b.reader, PROJECT, id, -1, 0, 9, b.arena, &items, &n, &more, &b.err),
              &b.err);
    for (size_t i = 0; i < n; i++)
        assert_ok(flow_cancel(b.db, PROJECT, items[i].id, &b.err), &b.err);
    Job j = bench_get(&b, id);
    assert_int_equal(j.state, JOB_FAILED);
    assert_str_equal(j.data, "{\"items\":2,\"done\":0,\"failed\":0,\"canceled\":2}");
    bench_close(&b);
}

TEST(what_an_archive_gives_becomes_items)
{
    Bench b = bench_open();
    const bool archive[] = {false, true};
    int64_t id = add_batch(&b, 2, archive);
    assert_int_equal(run_items(&b, 5, 0), 2); /* the file, and the archive */
    Job j = bench_get(&b, id);
    assert_int_equal(j.state, JOB_RUNNING);
    assert_int_equal(j.progress_total, 4);
    TaskLease *l = NULL;
    assert_int_equal(bench_lease(&b, "default", 1, &l), 1);
    assert_str_equal(l[0].step, "a.step");
    assert_str_equal(l[0].params, "{\"x\":1}");
    assert_str_equal(bench_get(&b, l[0].job).inputs[0].name, "out-2");
    TaskResult r = result_of(&l[0], OK);
    bench_finish(&b, &r);
    assert_int_equal(run_items(&b, 5, 0), 1);
    j = bench_get(&b, id);
    assert_int_equal(j.state, JOB_DONE);
    assert_str_equal(j.data, "{\"items\":4,\"done\":4,\"failed\":0,\"canceled\":0}");
    JobFile *files = NULL;
    size_t n = 0;
    assert_ok(flow_outputs(b.reader, &j, b.arena, &files, &n, &b.err), &b.err);
    assert_int_equal(n, 2); /* what was unpacked on the way is not a result */
    bench_close(&b);
}

/* A worker that dies leaves its item's lease; the batch only waits longer. */
TEST(a_lost_item_is_tried_again_within_the_batch)
{
    Bench b = bench_open();
    int64_t id = add_batch(&b, 1, NULL);
    TaskLease *l = NULL;
    assert_int_equal(bench_lease(&b, "default", 1, &l), 1);
    assert_int_equal(bench_expire(&b, 0, true), 1);
    Job j = bench_get(&b, id);
    assert_int_equal(j.state, JOB_FAILED); /* one attempt only, and it was lost */
    assert_ok(flow_retry(b.db, PROJECT, id, &b.err), &b.err);
    assert_int_equal(run_items(&b, 5, 0), 1);
    assert_int_equal(bench_get(&b, id).state, JOB_DONE);
    bench_close(&b);
}

TEST(a_batch_without_files_or_with_too_many_is_refused)
{
    Bench b = bench_open();
    BatchNew n = {.job = {.project = PROJECT, .step = &step_a}};
    BatchCall c = {.id = id_new(), .n = &n};
    assert_int_equal(db_write(b.db, batch_write, &c, &b.err), ERR_INPUT_MISSING);
    JobFile one = file_called(&b, "x", 1);
    n.job.inputs = &one;
    n.job.inputs_len = BATCH_ITEMS_MAX + 1;
    assert_int_equal(db_write(b.db, batch_write, &c, &b.err), ERR_LIMIT_COUNT);
    assert_int_equal(listed(&b, -1), 0);
    bench_close(&b);
}

TEST_MAIN(a_batch_is_done_when_its_last_item_is,
          a_batch_with_a_bad_item_fails_and_runs_only_that_again,
          an_item_that_runs_again_opens_its_batch, cancel_reaches_every_item_that_lives,
          cancelling_items_one_by_one_ends_the_batch, what_an_archive_gives_becomes_items,
          a_lost_item_is_tried_again_within_the_batch,
          a_batch_without_files_or_with_too_many_is_refused)
