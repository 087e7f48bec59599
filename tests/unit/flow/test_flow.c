/* The drawing of flow.h, edge by edge: state, history, dead letters, files, usage. */
#include "db/db_in.h"
#include "unit/flow/bench_db.h"

static TaskLease lease_one(Bench *b)
{
    TaskLease *l = NULL;
    assert_int_equal(bench_lease(b, "default", 10, &l), 1);
    return l[0];
}

TEST(regular_course)
{
    Bench b = bench_open();
    int64_t id = bench_add(
        &b, (JobNew){.params = STR("{\"x\":1}"), .trace = STR("t1"), .key = 5, .priority = 3});

    Job j = bench_get(&b, id);
    assert_int_equal(j.state, JOB_QUEUED);
    assert_str_equal(j.params, "{\"x\":1}");
    assert_str_equal(j.queue, "default");
    assert_int_equal(j.key, 5);
    assert_int_equal(j.priority, 3);
    assert_int_equal(j.max_attempts, 3);
    assert_int_equal(j.started_ms, 0);
    assert_string_equal(bench_events(&b, id), "job.added");

    TaskLease l = lease_one(&b);
    assert_int_equal(l.job, id);
    assert_int_equal(l.attempt, 1);
    assert_str_equal(l.step, "a.step");
    assert_str_equal(l.params, "{\"x\":1}");
    assert_str_equal(l.trace, "t1");
    j = bench_get(&b, id);
    assert_int_equal(j.state, JOB_RUNNING);
    assert_int_equal(j.attempts, 1);
    assert_true(j.started_ms > 0);
    assert_string_equal(bench_events(&b, id), "job.added task.started");

    TaskLease *none = NULL;
    assert_int_equal(bench_lease(&b, "default", 10, &none), 0); /* leased once only */

    TaskResult r = result_of(&l, OK);
    bench_finish(&b, &r);
    j = bench_get(&b, id);
    assert_int_equal(j.state, JOB_DONE);
    assert_str_equal(j.data, "{\"n\":1}");
    assert_int_equal(j.reason.len, 0);
    assert_int_equal(j.events, 4);
    assert_true(j.finished_ms >= j.started_ms && j.started_ms >= j.created_ms);
    assert_string_equal(bench_events(&b, id), "job.added task.started task.done job.done");

    bench_finish(&b, &r); /* said twice is said once */
    assert_int_equal(bench_get(&b, id).events, 4);
    assert_int_equal(flow_cancel(b.db, PROJECT, id, &b.err), ERR_CONFLICT);
    assert_int_equal(flow_retry(b.db, PROJECT, id, &b.err), ERR_CONFLICT);
    bench_close(&b);
}

TEST(never_goes_to_the_dead_letters_at_once)
{
    Bench b = bench_open();
    int64_t id = bench_add(&b, (JobNew){0});
    TaskLease l = lease_one(&b);
    TaskResult r = result_of(&l, ERR_INPUT_DAMAGED);
    bench_finish(&b, &r);

    Job j = bench_get(&b, id);
    assert_int_equal(j.state, JOB_FAILED);
    assert_str_equal(j.reason, "input_damaged");
    assert_str_equal(j.detail, "it went wrong");
    assert_true(j.hint.len > 0);
    assert_string_equal(bench_events(&b, id),
                        "job.added task.started task.failed task.dead job.failed");

    DeadLetter *d = NULL;
    size_t n = 0;
    bool more = true;
    assert_ok(flow_dead_list(
                  b.reader,
                  &(DeadFilter){.project = PROJECT, .queue = STR(""), .before = 0, .limit = 10},
                  b.arena, &d, &n, &more, &b.err),
              &b.err);
    assert_int_equal(n, 1);
    assert_false(more);
    assert_int_equal(d[0].job, id);
    assert_int_equal(d[0].attempts, 1);
    assert_str_equal(d[0].step, "a.step");
    assert_str_equal(d[0].reason, "input_damaged");
    bench_close(&b);
}

TEST(later_is_tried_again_until_attempts_are_used_up)
{
    Bench b = bench_open();
    int64_t id = bench_add(&b, (JobNew){.attempts = 2});
    TaskLease l = lease_one(&b);
    TaskResult r = result_of(&l, ERR_ENGINE_CRASHED);
    bench_finish(&b, &r);

    Job j = bench_get(&b, id);
    assert_int_equal(j.state, JOB_QUEUED);
    assert_str_equal(j.reason, "engine_crashed"); /* of the last attempt */
    assert_string_equal(bench_events(&b, id), "job.added task.started task.retry");
    int64_t due = 0;
    assert_ok(queue_next_due(b.reader, STR("default"), &due, &b.err), &b.err);
    assert_int_equal(due, j.run_at_ms);
    assert_in_range(due, clock_now_ms() - 1000, clock_now_ms() + 1000); /* full jitter over 1 s */

    TaskLease *again = NULL;
    while (bench_lease(&b, "default", 1, &again) == 0) /* at most the second that jitter allows */
        ;
    assert_int_equal(again[0].attempt, 2);
    r = result_of(&again[0], ERR_ENGINE_CRASHED);
    bench_finish(&b, &r);
    assert_int_equal(bench_get(&b, id).state, JOB_FAILED);
    assert_int_equal(bench_get(&b, id).attempts, 2);
    assert_string_equal(
        bench_events(&b, id),
        "job.added task.started task.retry task.started task.failed task.dead job.failed");
    bench_close(&b);
}

TEST(the_other_side_said_when)
{
    Bench b = bench_open();
    int64_t id = bench_add(&b, (JobNew){0});
    TaskLease l = lease_one(&b);
    TaskResult r = result_of(&l, ERR_TOO_MANY_REQUESTS);
    r.retry_after_ms = 90000;
    int64_t before = clock_now_ms();
    bench_finish(&b, &r);
    assert_true(bench_get(&b, id).run_at_ms >= before + 90000);
    bench_close(&b);
}

TEST(cancel_in_each_state)
{
    Bench b = bench_open();
    int64_t queued = bench_add(&b, (JobNew){0});
    assert_ok(flow_cancel(b.db, PROJECT, queued, &b.err), &b.err);
    assert_int_equal(bench_get(&b, queued).state, JOB_CANCELED);
    assert_str_equal(bench_get(&b, queued).reason, "canceled");
    assert_string_equal(bench_events(&b, queued), "job.added job.canceled");

    int64_t delayed = bench_add(&b, (JobNew){.delay_ms = 100000});
    assert_ok(flow_cancel(b.db, PROJECT, delayed, &b.err), &b.err);
    assert_string_equal(bench_events(&b, delayed), "job.added job.canceled");

    int64_t running = bench_add(&b, (JobNew){0});
    TaskLease l = lease_one(&b);
    assert_ok(flow_cancel(b.db, PROJECT, running, &b.err), &b.err);
    TaskResult late = result_of(&l, OK);
    bench_finish(&b, &late); /* dropped */
    assert_int_equal(bench_get(&b, running).state, JOB_CANCELED);
    assert_string_equal(bench_events(&b, running), "job.added task.started job.canceled");

    assert_int_equal(flow_cancel(b.db, PROJECT, running, &b.err), ERR_CONFLICT);
    assert_int_equal(flow_cancel(b.db, PROJECT, 12345, &b.err), ERR_NOT_FOUND);
    assert_int_equal(flow_cancel(b.db, PROJECT + 1, running, &b.err), ERR_NOT_FOUND);
    bench_close(&b);
}

TEST(retry_counts_on)
{
    Bench b = bench_open();
    int64_t id = bench_add(&b, (JobNew){.attempts = 1});
    TaskLease first = lease_one(&b);
    TaskResult r = result_of(&first, ERR_INTERNAL);
    bench_finish(&b, &r);
    assert_int_equal(bench_get(&b, id).state, JOB_FAILED);

    assert_ok(flow_retry(b.db, PROJECT, id, &b.err), &b.err);
    assert_int_equal(bench_get(&b, id).state, JOB_QUEUED);
    assert_int_equal(bench_get(&b, id).max_attempts, 2);
    TaskLease second = lease_one(&b);
    assert_int_equal(second.attempt, 2);
    bench_finish(&b, &r); /* a late repetition of the first attempt's result: dropped */
    assert_int_equal(bench_get(&b, id).state, JOB_RUNNING);
    r = result_of(&second, OK);
    bench_finish(&b, &r);
    assert_int_equal(bench_get(&b, id).state, JOB_DONE);
    assert_string_equal(bench_events(&b, id),
                        "job.added task.started task.failed task.dead job.failed "
                        "job.retried task.started task.done job.done");

    DeadLetter *d = NULL;
    size_t n = 1;
    bool more = true;
    assert_ok(flow_dead_list(
                  b.reader,
                  &(DeadFilter){.project = PROJECT, .queue = STR(""), .before = 0, .limit = 10},
                  b.arena, &d, &n, &more, &b.err),
              &b.err);
    assert_int_equal(n, 0);

    /* Cancelled before it ever began, then retried: the first start is not the second event. */
    int64_t other = bench_add(&b, (JobNew){0});
    assert_ok(flow_cancel(b.db, PROJECT, other, &b.err), &b.err);
    assert_ok(flow_retry(b.db, PROJECT, other, &b.err), &b.err);
    TaskLease l = lease_one(&b);
    r = result_of(&l, OK);
    bench_finish(&b, &r);
    assert_string_equal(bench_events(&b, other),
                        "job.added job.canceled job.retried task.started task.done job.done");
    assert_int_equal(flow_retry(b.db, PROJECT, 12345, &b.err), ERR_NOT_FOUND);
    bench_close(&b);
}

TEST(a_lost_worker)
{
    Bench b = bench_open();
    int64_t id = bench_add(&b, (JobNew){.attempts = 2});
    TaskLease first = lease_one(&b);
    assert_int_equal(bench_expire(&b, clock_now_ms(), false), 0); /* the lease has not run out */
    assert_int_equal(bench_expire(&b, clock_now_ms() + LEASE_MS + 1000, false), 1);
    assert_int_equal(bench_get(&b, id).state, JOB_QUEUED);
    assert_str_equal(bench_get(&b, id).reason, "worker_lost");

    TaskLease second = lease_one(&b);
    assert_int_equal(second.attempt, 2);
    TaskResult late = result_of(&first, OK);
    bench_finish(&b, &late); /* it was not dead, only slow: another attempt owns the task */
    assert_int_equal(bench_get(&b, id).state, JOB_RUNNING);

    /* The process is killed: everything leased is lost at the next start; no attempt is left. */
    db_close(&b.db);
    bench_open_db(&b);
    assert_int_equal(bench_expire(&b, clock_now_ms(), true), 1);
    assert_int_equal(bench_get(&b, id).state, JOB_FAILED);
    assert_str_equal(bench_get(&b, id).reason, "worker_lost");
    assert_string_equal(
        bench_events(&b, id),
        "job.added task.started task.lost task.started task.failed task.dead job.failed");
    bench_close(&b);
}

TEST(given_back_does_not_count)
{
    Bench b = bench_open();
    int64_t id = bench_add(&b, (JobNew){.attempts = 1});
    TaskLease l = lease_one(&b);
    bench_give_back(&b, &l);
    bench_give_back(&b, &l); /* not ours any more: nothing happens */
    assert_int_equal(bench_get(&b, id).state, JOB_QUEUED);
    l = lease_one(&b);
    TaskResult r = result_of(&l, OK);
    bench_finish(&b, &r);
    assert_string_equal(bench_events(&b, id),
                        "job.added task.started task.lost task.started task.done job.done");
    bench_close(&b);
}

TEST(idempotency_key)
{
    Bench b = bench_open();
    JobNew n = {.step = &step_a,
                .project = PROJECT,
                .idempotency_key = STR("k"),
                .request_hash = STR("aa")};
    JobAdded first, second;
    assert_ok(flow_add(b.db, &n, &first, &b.err), &b.err);
    assert_false(first.existed);
    assert_ok(flow_add(b.db, &n, &second, &b.err), &b.err);
    assert_true(second.existed);
    assert_int_equal(second.job, first.job);

    n.request_hash = STR("bb");
    assert_int_equal(flow_add(b.db, &n, &second, &b.err), ERR_IDEMPOTENCY_MISMATCH);
    n.project = PROJECT + 1; /* another project's key is another key */
    assert_ok(flow_add(b.db, &n, &second, &b.err), &b.err);
    assert_false(second.existed);

    int64_t forgotten = -1;
    assert_ok(flow_forget_keys(b.db, &forgotten, &b.err), &b.err);
    assert_int_equal(forgotten, 0); /* they are fresh */
    bench_close(&b);
}

TEST(what_is_refused)
{
    static const struct {
        const char *param;
        JobNew n;
    } cases[] = {
        {"priority", {.priority = 101}},  {"priority", {.priority = -101}},
        {"attempts", {.attempts = -1}},   {"attempts", {.attempts = 101}},
        {"delay_ms", {.delay_ms = -1}},   {"timeout_ms", {.timeout_ms = -1}},
        {"queue", {.queue = {"A B", 3}}},
    };
    Bench b = bench_open();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        JobNew n = cases[i].n;
        JobAdded added;
        n.step = &step_a;
        assert_int_equal(flow_add(b.db, &n, &added, &b.err), ERR_BAD_PARAM);
        assert_string_equal(b.err.param, cases[i].param);
    }
    bench_close(&b);
}

static int64_t count(Bench *b, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(b->reader->sqlite, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return n;
}

TEST(files_and_usage)
{
    Bench b = bench_open();
    const JobFile in[] = {{STR("a.pdf"), STR("application/pdf"), STR("aaaa"), 11},
                          {STR("b.pdf"), STR("application/pdf"), STR("bbbb"), 12}};
    const JobFile out[] = {{STR("a.txt"), STR("text/plain"), STR("cccc"), 5},
                           {STR("same.txt"), STR("text/plain"), STR("cccc"), 5}};
    const JobUsage usage[] = {{STR("pages"), 2}, {STR("bytes"), 10}, {STR("pages"), 3}};
    int64_t id = bench_add(&b, (JobNew){.inputs = in, .inputs_len = 2});
    TaskLease l = lease_one(&b);
    TaskResult r = result_of(&l, OK);
    r.outputs = out;
    r.outputs_len = 2;
    r.usage = usage;
    r.usage_len = 3;
    bench_finish(&b, &r);
    bench_finish(&b, &r);

    Job j = bench_get(&b, id);
    assert_int_equal(j.inputs_len, 2);
    assert_true(str_eq_c(j.input, "a.pdf"));
    assert_str_equal(j.inputs[1].name, "b.pdf");
    assert_int_equal(j.inputs[1].size_bytes, 12);
    assert_int_equal(j.outputs_len, 2);
    assert_str_equal(j.outputs[0].hash, "cccc");
    assert_int_equal(count(&b, "SELECT count(*) FROM usage_event"), 2);
    assert_int_equal(count(&b, "SELECT amount FROM usage_event WHERE unit = 'pages'"), 5);
    JobUsage *used = NULL;
    size_t used_len = 0;
    assert_ok(flow_usage(b.reader, PROJECT, r.job, b.arena, &used, &used_len, &b.err), &b.err);
    assert_int_equal(used_len, 2);
    assert_int_equal(used[1].amount, 5);
    assert_ok(flow_usage(b.reader, PROJECT + 1, r.job, b.arena, &used, &used_len, &b.err), &b.err);
    assert_int_equal(used_len, 0);
    assert_int_equal(count(&b, "SELECT count(*) FROM blob_ref"), 3); /* aaaa bbbb cccc */
    assert_int_equal(count(&b, "SELECT count(*) FROM blob"),
                     3); /* what a job holds, its project knows */
    bench_close(&b);
}

typedef struct ProgressCall {
    const TaskLease *l;
    int64_t done, total;
    Str note;
} ProgressCall;

static ErrCode progress_write(DbConn *tx, void *arg, Err *err)
{
    const ProgressCall *c = arg;
    return flow_progress_tx(tx, c->l->id, c->l->attempt, c->done, c->total, c->note, err);
}

static ErrCode heartbeat_write(DbConn *tx, void *arg, Err *err)
{
    const TaskLease *l = arg;
    bool lost = true;
    ErrCode rc =
        flow_heartbeat_tx(tx, l->id, l->attempt, clock_now_ms() + 10 * LEASE_MS, &lost, err);
    return rc != OK ? rc : lost ? ERR_WORKER_LOST : OK;
}

TEST(progress_notes_heartbeat)
{
    Bench b = bench_open();
    int64_t id = bench_add(&b, (JobNew){0});
    TaskLease l = lease_one(&b);
    assert_ok(db_write(b.db, progress_write, &(ProgressCall){&l, 3, 10, STR("page \"3\"")}, &b.err),
              &b.err);
    assert_ok(db_write(b.db, progress_write, &(ProgressCall){&l, 0, -1, STR("a note")}, &b.err),
              &b.err);
    Job j = bench_get(&b, id);
    assert_int_equal(j.progress_done, 3);
    assert_int_equal(j.progress_total, 10);
    assert_string_equal(bench_events(&b, id), "job.added task.started task.progress task.note");

    assert_ok(db_write(b.db, heartbeat_write, &l, &b.err), &b.err);
    assert_int_equal(bench_expire(&b, clock_now_ms() + 2 * LEASE_MS, false),
                     0); /* it lasts longer now */

    TaskResult r = result_of(&l, OK);
    bench_finish(&b, &r);
    assert_string_equal(bench_events(&b, id),
                        "job.added task.started task.progress task.note task.done job.done");
    assert_int_equal(bench_get(&b, id).progress_total, 10);
    assert_int_equal(db_write(b.db, heartbeat_write, &l, &b.err), ERR_WORKER_LOST);
    assert_ok(db_write(b.db, progress_write, &(ProgressCall){&l, 4, 10, STR("")}, &b.err),
              &b.err); /* ignored */
    assert_int_equal(bench_get(&b, id).events, 6);

    JobEvent *e = NULL;
    size_t n = 0;
    assert_ok(flow_events(b.reader, PROJECT, id, 2, 2, b.arena, &e, &n, &b.err), &b.err);
    assert_int_equal(n, 2);
    assert_str_equal(e[0].data,
                     "{\"attempt\":1,\"done\":3,\"total\":10,\"note\":\"page \\\"3\\\"\"}");
    assert_true(e[0].id > 0 && e[1].id > e[0].id);
    assert_ok(flow_events(b.reader, PROJECT, id, 4, 1, b.arena, &e, &n, &b.err), &b.err);
    assert_int_equal(n, 1);
    assert_str_equal(e[0].type, "task.done");
    assert_ok(flow_events(b.reader, PROJECT, id, 6, 10, b.arena, &e, &n, &b.err), &b.err);
    assert_int_equal(n, 0);
    assert_int_equal(flow_events(b.reader, PROJECT + 1, id, 0, 10, b.arena, &e, &n, &b.err),
                     ERR_NOT_FOUND);
    bench_close(&b);
}

TEST(dead_letters)
{
    Bench b = bench_open();
    int64_t ids[5], redriven = 0;
    for (int i = 0; i < 5; i++) {
        ids[i] = bench_add(&b, (JobNew){0});
        TaskLease l = lease_one(&b);
        TaskResult r = result_of(&l, ERR_NO_TEXT);
        bench_finish(&b, &r);
    }
    DeadLetter *d = NULL;
    size_t n = 0;
    bool more = false;
    assert_ok(
        flow_dead_list(
            b.reader,
            &(DeadFilter){.project = PROJECT, .queue = STR("default"), .before = 0, .limit = 2},
            b.arena, &d, &n, &more, &b.err),
        &b.err);
    assert_int_equal(n, 2);
    assert_true(more);
    assert_int_equal(d[0].id, ids[4]); /* newest first */
    assert_ok(
        flow_dead_list(
            b.reader,
            &(DeadFilter){.project = PROJECT, .queue = STR(""), .before = d[1].id, .limit = 10},
            b.arena, &d, &n, &more, &b.err),
        &b.err);
    assert_int_equal(n, 3);
    assert_int_equal(
        flow_dead_list(b.reader,
                       &(DeadFilter){.project = PROJECT, .queue = STR(""), .before = 0, .limit = 0},
                       b.arena, &d, &n, &more, &b.err),
        ERR_BAD_PARAM);

    assert_ok(flow_dead_redrive(b.db, PROJECT, ids[1], &redriven, &b.err), &b.err);
    assert_int_equal(redriven, 1);
    assert_int_equal(bench_get(&b, ids[1]).state, JOB_QUEUED);
    assert_int_equal(flow_dead_redrive(b.db, PROJECT, ids[1], &redriven, &b.err), ERR_NOT_FOUND);
    assert_ok(flow_dead_delete(b.db, PROJECT, ids[2], &redriven, &b.err), &b.err);
    assert_int_equal(bench_get(&b, ids[2]).state, JOB_FAILED);
    assert_int_equal(flow_dead_delete(b.db, PROJECT, ids[2], &redriven, &b.err), ERR_NOT_FOUND);
    assert_ok(flow_dead_redrive(b.db, PROJECT + 1, 0, &redriven, &b.err), &b.err);
    assert_int_equal(redriven, 0);
    assert_ok(flow_dead_redrive(b.db, PROJECT, 0, &redriven, &b.err), &b.err);
    assert_int_equal(redriven, 3);
    assert_int_equal(count(&b, "SELECT count(*) FROM dead_letter"), 0);
    bench_close(&b);
}

TEST(lists)
{
    Bench b = bench_open();
    static const Step other = {.name = "b.step"};
    int64_t ids[6];
    for (int i = 0; i < 6; i++)
        ids[i] = bench_add(&b, (JobNew){.step = i == 3 ? &other : &step_a});
    TaskLease *l = NULL;
    assert_int_equal(bench_lease(&b, "default", 4, &l), 4); /* 0 … 3 */
    TaskResult done = result_of(&l[0], OK), failed = result_of(&l[1], ERR_NO_TEXT);
    bench_finish(&b, &done);
    bench_finish(&b, &failed);
    assert_ok(flow_cancel(b.db, PROJECT, ids[2], &b.err), &b.err);
    /* 0 done, 1 failed, 2 canceled, 3 running, 4 and 5 queued */

    static const struct {
        const char *why, *step;
        int state, limit;
        int want[6], want_len;
        bool more;
    } cases[] = {
        {"all", "", -1, 10, {5, 4, 3, 2, 1, 0}, 6, false},
        {"a page", "", -1, 2, {5, 4}, 2, true},
        {"by step", "b.step", -1, 10, {3}, 1, false},
        {"queued", "", JOB_QUEUED, 10, {5, 4}, 2, false},
        {"running", "", JOB_RUNNING, 10, {3}, 1, false},
        {"running of a step", "a.step", JOB_RUNNING, 10, {0}, 0, false},
        {"done", "", JOB_DONE, 10, {0}, 1, false},
        {"failed", "", JOB_FAILED, 10, {1}, 1, false},
        {"canceled", "", JOB_CANCELED, 10, {2}, 1, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Job *jobs = NULL;
        size_t n = 0;
        bool more = false;
        JobFilter f = {.project = PROJECT,
                       .states = cases[i].state < 0 ? 0 : 1u << cases[i].state,
                       .step = str_from_c(cases[i].step),
                       .limit = cases[i].limit};
        assert_ok(flow_list(b.reader, &f, b.arena, &jobs, &n, &more, &b.err), &b.err);
        if (n != (size_t)cases[i].want_len || more != cases[i].more)
            fail_msg("%s: %zu jobs, more %d", cases[i].why, n, more);
        for (size_t k = 0; k < n; k++)
            assert_int_equal(jobs[k].id, ids[cases[i].want[k]]);
    }

    static const struct {
        const char *why;
        JobFilter f;
        int want[6], want_len;
        bool more;
    } more_cases[] = {
        {"two states",
         {.states = 1u << JOB_FAILED | 1u << JOB_DONE, .limit = 10},
         {1, 0},
         2,
         false},
        {"a page of three",
         {.states = 1u << JOB_QUEUED | 1u << JOB_RUNNING | 1u << JOB_DONE, .limit = 3},
         {5, 4, 3},
         3,
         true},
        {"every state is any", {.states = 31, .limit = 10}, {5, 4, 3, 2, 1, 0}, 6, false},
        {"a queue", {.queue = STR("default"), .limit = 10}, {5, 4, 3, 2, 1, 0}, 6, false},
        {"no such queue",
         {.queue = STR("x"), .states = 1u << JOB_DONE, .limit = 10},
         {0},
         0,
         false},
        {"nobody's", {.key = 77, .limit = 10}, {0}, 0, false},
        {"nobody's, two states",
         {.key = 77, .states = 1u << JOB_QUEUED | 1u << JOB_RUNNING, .limit = 10},
         {0},
         0,
         false},
    };
    for (size_t i = 0; i < COUNT_OF(more_cases); i++) {
        Job *found = NULL;
        size_t found_len = 0;
        bool rest = false;
        JobFilter filter = more_cases[i].f;
        filter.project = PROJECT;
        assert_ok(flow_list(b.reader, &filter, b.arena, &found, &found_len, &rest, &b.err), &b.err);
        if (found_len != (size_t)more_cases[i].want_len || rest != more_cases[i].more)
            fail_msg("%s: %zu jobs, more %d", more_cases[i].why, found_len, rest);
        for (size_t k = 0; k < found_len; k++)
            assert_int_equal(found[k].id, ids[more_cases[i].want[k]]);
    }

    Job *jobs = NULL;
    size_t n = 0;
    bool more = false;
    JobFilter f = {.project = PROJECT, .limit = 10, .before = ids[2]};
    assert_ok(flow_list(b.reader, &f, b.arena, &jobs, &n, &more, &b.err), &b.err);
    assert_int_equal(n, 2);
    f = (JobFilter){.project = PROJECT, .limit = 10, .since_ms = id_time_ms(ids[5]) + 1};
    assert_ok(flow_list(b.reader, &f, b.arena, &jobs, &n, &more, &b.err), &b.err);
    assert_int_equal(n, 0);
    f = (JobFilter){.project = PROJECT, .limit = 10, .from = ids[2], .before = ids[4]};
    assert_ok(flow_list(b.reader, &f, b.arena, &jobs, &n, &more, &b.err), &b.err);
    assert_int_equal(n, 2);
    f = (JobFilter){.project = PROJECT, .limit = 10, .until_ms = id_time_ms(ids[0])};
    assert_ok(flow_list(b.reader, &f, b.arena, &jobs, &n, &more, &b.err), &b.err);
    assert_int_equal(n, 0); /* created before that time, not at it */
    f.until_ms = id_time_ms(ids[5]) + 1;
    assert_ok(flow_list(b.reader, &f, b.arena, &jobs, &n, &more, &b.err), &b.err);
    assert_int_equal(n, 6);
    JobStand stand;
    assert_ok(flow_stand(b.reader, PROJECT, ids[1], &stand, &b.err), &b.err);
    assert_int_equal(stand.state, JOB_FAILED);
    assert_int_equal(stand.events, bench_get(&b, ids[1]).events);
    assert_int_equal(flow_stand(b.reader, PROJECT + 1, ids[1], &stand, &b.err), ERR_NOT_FOUND);
    f = (JobFilter){.project = PROJECT + 1, .limit = 10};
    assert_ok(flow_list(b.reader, &f, b.arena, &jobs, &n, &more, &b.err), &b.err);
    assert_int_equal(n, 0);
    f.limit = 0;
    assert_int_equal(flow_list(b.reader, &f, b.arena, &jobs, &n, &more, &b.err), ERR_BAD_PARAM);
    bench_close(&b);
}

typedef struct Told {
    int news, ready, cancel;
    int64_t queue, task;
} Told;

static void count_news(void *ctx, int64_t project, int64_t job)
{
    (void)job;
    ((Told *)ctx)->news += project == PROJECT;
}

static void count_ready(void *ctx, int64_t queue, int64_t run_at_ms)
{
    ((Told *)ctx)->ready += run_at_ms > 0;
    ((Told *)ctx)->queue = queue;
}

static void count_cancel(void *ctx, int64_t task, int64_t attempt)
{
    ((Told *)ctx)->cancel += attempt == 1;
    ((Told *)ctx)->task = task;
}

TEST(hooks_tell)
{
    Bench b = bench_open();
    Told told = {0};
    const FlowHooks hooks = {
        .ctx = &told, .news = count_news, .ready = count_ready, .cancel = count_cancel};
    flow_set_hooks(b.db, &hooks);
    int64_t id = bench_add(&b, (JobNew){.queue = STR("mine")});
    assert_int_equal(told.news, 1);
    assert_int_equal(told.ready, 1);
    assert_int_equal(told.queue, queue_hash(STR("mine")));
    TaskLease *l = NULL;
    assert_int_equal(bench_lease(&b, "mine", 1, &l), 1);
    assert_int_equal(told.news, 2);
    assert_ok(flow_cancel(b.db, PROJECT, id, &b.err), &b.err);
    assert_int_equal(told.news, 3);
    assert_int_equal(told.cancel, 1);
    assert_int_equal(told.task, id);
    bench_close(&b);
}

TEST_MAIN(regular_course, never_goes_to_the_dead_letters_at_once,
          later_is_tried_again_until_attempts_are_used_up, the_other_side_said_when,
          cancel_in_each_state, retry_counts_on, a_lost_worker, given_back_does_not_count,
          idempotency_key, what_is_refused, files_and_usage, progress_notes_heartbeat, dead_letters,
          lists, hooks_tell)
