/* The dispatcher with built-in steps: through, again, cancelled, drained, recovered. */
#include "unit/work/bench_work.h"

#include <pthread.h>

/* Waiters are woken by the commit, a moment before the dispatcher counts. */
static WorkStats stats_when_done(Bench *b, int64_t done)
{
    WorkStats s = work_stats(b->work);
    for (int64_t until_us = clock_mono_us() + WAIT_MS * 1000; s.done < done;
         s = work_stats(b->work))
        if (clock_mono_us() > until_us)
            fail_msg("%d of %d are done", (int)s.done, (int)done);
    return s;
}

TEST(a_job_goes_through)
{
    Bench b = bench_open();
    Job j = bench_wait(&b, bench_add(&b, "test.noop", "{}", (JobNew){0}));
    assert_int_equal(j.state, JOB_DONE);
    assert_str_equal(j.data, "{}");
    assert_int_equal(j.attempts, 1);
    assert_string_equal(bench_events(&b, j.id), "job.added task.started task.done job.done");

    j = bench_wait(&b, bench_add(&b, "text.stats",
                                 "{\"text\":\"Two words.\\r\\n\\r\\nThree more words.\"}",
                                 (JobNew){0}));
    assert_int_equal(j.state, JOB_DONE);
    assert_str_equal(j.data,
                     "{\"characters\":31,\"characters_without_spaces\":24,\"words\":5,\"lines\":3,"
                     "\"paragraphs\":2,\"size_bytes\":31,\"reading_seconds\":2}");
    assert_int_equal(stats_when_done(&b, 2).runners, 0); /* quick steps need none */
    bench_close(&b);
}

TEST(failures)
{
    static const struct {
        const char *why, *params;
        int attempts;
        JobState state;
        const char *reason, *events;
    } cases[] = {
        {"the input's fault",
         "{\"reason\":\"input_damaged\",\"message\":\"m\",\"until_attempt\":0}", 3, JOB_FAILED,
         "input_damaged", "job.added task.started task.failed task.dead job.failed"},
        {"used up", "{\"reason\":\"internal\",\"message\":\"m\",\"until_attempt\":0}", 1,
         JOB_FAILED, "internal", "job.added task.started task.failed task.dead job.failed"},
        {"the second attempt succeeds",
         "{\"reason\":\"internal\",\"message\":\"m\",\"until_attempt\":2}", 3, JOB_DONE, "",
         "job.added task.started task.retry task.started task.done job.done"},
        {"bad parameters", "{\"reason\":\"no_such_reason\",\"message\":\"m\",\"until_attempt\":0}",
         3, JOB_FAILED, "bad_param", "job.added task.started task.failed task.dead job.failed"},
    };
    Bench b = bench_open();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t id =
            bench_add(&b, "test.fail", cases[i].params, (JobNew){.attempts = cases[i].attempts});
        Job j = bench_wait(&b, id);
        if (j.state != cases[i].state || !str_eq_c(j.reason, cases[i].reason))
            fail_msg("%s: %s, " STR_FMT, cases[i].why, job_state_name(j.state), STR_ARG(j.reason));
        assert_string_equal(bench_events(&b, id), cases[i].events);
    }
    bench_close(&b);
}

TEST(unknown_step)
{
    static const Step gone = {.name = "gone.step"};
    Bench b = bench_open();
    Job j = bench_wait(&b, bench_add(&b, "", "{}", (JobNew){.step = &gone}));
    assert_int_equal(j.state, JOB_FAILED);
    assert_str_equal(j.reason, "unknown_step");
    bench_close(&b);
}

TEST(cancel_reaches_what_runs)
{
    Bench b = bench_open();
    int64_t id = bench_add(&b, "test.sleep", "{\"ms\":600000}", (JobNew){0});
    bench_until(&b, id, JOB_RUNNING);
    assert_ok(flow_cancel(b.db, PROJECT, id, &b.err), &b.err);
    assert_int_equal(bench_wait(&b, id).state, JOB_CANCELED);
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    while (work_stats(b.work).dropped == 0) { /* its thread is free again */
        assert_true(clock_mono_us() < until_us);
        usleep(1000);
    }
    assert_int_equal(work_stats(b.work).running, 0);
    bench_close(&b);
}

TEST(slow_tasks_do_not_hold_up_quick_ones)
{
    Bench b = bench_open();
    int64_t slow[6];
    for (size_t i = 0; i < COUNT_OF(slow); i++) /* three times as many as there are runners */
        slow[i] = bench_add(&b, "test.sleep", "{\"ms\":600000}", (JobNew){0});
    bench_until(&b, slow[5], JOB_RUNNING);
    assert_int_equal(bench_wait(&b, bench_add(&b, "test.noop", "{}", (JobNew){0})).state, JOB_DONE);
    for (size_t i = 0; i < COUNT_OF(slow); i++)
        assert_ok(flow_cancel(b.db, PROJECT, slow[i], &b.err), &b.err);
    bench_close(&b);
}

TEST(time_limit_of_an_attempt)
{
    Bench b = bench_open();
    Job j =
        bench_wait(&b, bench_add(&b, "test.sleep", "{\"ms\":600000}", (JobNew){.timeout_ms = 50}));
    assert_int_equal(j.state, JOB_FAILED);
    assert_str_equal(j.reason, "limit_time");
    bench_close(&b);
}

TEST(delay_and_queues_of_ones_own)
{
    Bench b = bench_open();
    int64_t before_ms = clock_now_ms();
    int64_t late = bench_add(&b, "test.noop", "{}", (JobNew){.delay_ms = 200});
    int64_t own = bench_add(&b, "test.noop", "{}", (JobNew){.queue = STR("mine")});
    Job j = bench_wait(&b, own);
    assert_int_equal(j.state, JOB_DONE);
    assert_str_equal(j.queue, "mine");
    j = bench_wait(&b, late);
    assert_int_equal(j.state, JOB_DONE);
    assert_true(j.started_ms >= before_ms + 200);
    bench_close(&b);
}

TEST(leases_are_made_longer)
{
    Bench b = bench_prepare();
    WorkOptions o = bench_options(&b);
    o.lease_ms = 300;
    assert_ok(work_open(&o, &b.work, &b.err), &b.err);
    int64_t id = bench_add(&b, "test.sleep", "{\"ms\":1200}", (JobNew){0});
    Job j = bench_wait(&b, id);
    assert_int_equal(j.state, JOB_DONE);
    assert_int_equal(j.attempts, 1);
    assert_int_equal(work_stats(b.work).lost, 0);
    bench_close(&b);
}

TEST(drain_gives_back_what_it_cannot_finish)
{
    Bench b = bench_open();
    int64_t ids[5];
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        ids[i] = bench_add(&b, "test.sleep", i == 0 ? "{\"ms\":100}" : "{\"ms\":600000}",
                           (JobNew){.attempts = 1});
    bench_until(&b, ids[4], JOB_RUNNING);
    work_drain(b.work, 400);
    int64_t later = bench_add(&b, "test.noop", "{}", (JobNew){0}); /* accepted, not begun */
    WorkStats s = work_stats(b.work);
    assert_int_equal(s.running, 0);
    assert_int_equal(s.waiting, 0);
    work_close(&b.work);

    assert_int_equal(bench_get(&b, ids[0]).state, JOB_DONE); /* there was time for it */
    for (size_t i = 1; i < COUNT_OF(ids); i++) {
        assert_int_equal(bench_get(&b, ids[i]).state, JOB_QUEUED);
        assert_string_equal(strrchr(bench_events(&b, ids[i]), ' '), " task.lost");
        assert_true(bench_get(&b, ids[i]).attempts < bench_get(&b, ids[i]).max_attempts);
    }
    assert_int_equal(bench_get(&b, later).state, JOB_QUEUED);

    bench_start(&b);
    assert_int_equal(bench_wait(&b, later).state, JOB_DONE);
    for (size_t i = 1; i < COUNT_OF(ids); i++) {
        assert_ok(flow_cancel(b.db, PROJECT, ids[i], &b.err), &b.err);
        assert_int_equal(bench_wait(&b, ids[i]).state, JOB_CANCELED);
    }
    bench_close(&b);
}

typedef struct Lease {
    Arena *arena;
    TaskLease *out;
    size_t len;
} Lease;

static ErrCode lease_write(DbConn *tx, void *arg, Err *err)
{
    Lease *l = arg;
    return flow_lease_tx(tx, STR("default"), 10, 600000, STR("dead"), l->arena, &l->out, &l->len,
                         err);
}

TEST(work_of_a_dead_process_is_done_again)
{
    Bench b = bench_prepare();
    int64_t ids[10];
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        ids[i] = bench_add(&b, "test.noop", "{}", (JobNew){.attempts = i == 0 ? 1 : 2});
    Lease l = {.arena = b.arena};
    assert_ok(db_write(b.db, lease_write, &l, &b.err), &b.err);
    assert_int_equal(l.len, 10);
    bench_close_store(&b); /* and nobody finished them */
    assert_ok(bench_try_open_store(&b), &b.err);
    bench_start(&b);
    assert_int_equal(work_stats(b.work).lost, 10);
    Job j = bench_wait(&b, ids[0]);
    assert_int_equal(j.state, JOB_FAILED); /* its only attempt is used up */
    assert_str_equal(j.reason, "worker_lost");
    for (size_t i = 1; i < COUNT_OF(ids); i++) {
        assert_int_equal(bench_wait(&b, ids[i]).state, JOB_DONE);
        assert_string_equal(bench_events(&b, ids[i]),
                            "job.added task.started task.lost task.started task.done job.done");
    }
    bench_close(&b);
}

enum { THREADS = 4, EACH = 300 };

typedef struct Adder {
    Bench *bench;
    int64_t ids[EACH];
    pthread_t thread;
} Adder;

static void *add_many(void *arg)
{
    Adder *a = arg;
    static const char *const steps[] = {"test.noop", "text.stats", "test.fail", "test.sleep"};
    static const char *const params[] = {
        "{}", "{\"text\":\"a b\"}",
        "{\"reason\":\"no_text\",\"message\":\"m\",\"until_attempt\":0}", "{\"ms\":1}"};
    for (int i = 0; i < EACH; i++) {
        JobNew n = {.project = PROJECT,
                    .step = registry_find(a->bench->registry, str_from_c(steps[i % 4])),
                    .params = str_from_c(params[i % 4]),
                    .priority = i % 7};
        JobAdded added = {0};
        Err err;
        a->ids[i] = flow_add(a->bench->db, &n, &added, &err) == OK ? added.job : 0;
    }
    return NULL;
}

TEST(many_at_once)
{
    Bench b = bench_open();
    static Adder adders[THREADS];
    for (int t = 0; t < THREADS; t++) {
        adders[t].bench = &b;
        assert_int_equal(pthread_create(&adders[t].thread, NULL, add_many, &adders[t]), 0);
    }
    for (int t = 0; t < THREADS; t++)
        pthread_join(adders[t].thread, NULL);
    for (int t = 0; t < THREADS; t++)
        for (int i = 0; i < EACH; i++) {
            Job j = bench_wait(&b, adders[t].ids[i]);
            assert_int_equal(j.state, i % 4 == 2 ? JOB_FAILED : JOB_DONE);
            assert_int_equal(j.attempts, 1);
            const char *events =
                bench_events(&b, j.id); /* numbers are checked there; a nap may tell its progress */
            const char *last = strrchr(events, ' ');
            assert_string_equal(last, i % 4 == 2 ? " job.failed" : " job.done");
        }
    WorkStats s = stats_when_done(&b, THREADS * EACH / 4 * 3);
    assert_int_equal(s.done, THREADS * EACH / 4 * 3);
    assert_int_equal(s.failed, THREADS * EACH / 4);
    assert_int_equal(s.leased, THREADS * EACH);
    bench_close(&b);
}

TEST(paused_accepts_only)
{
    Bench b = bench_prepare();
    WorkOptions o = bench_options(&b);
    o.paused = true;
    assert_ok(work_open(&o, &b.work, &b.err), &b.err);
    int64_t id = bench_add(&b, "test.noop", "{}", (JobNew){0});
    Job j = {0};
    assert_ok(hub_wait(b.hub, b.db, PROJECT, id, 50, NULL, b.arena, &j, &b.err), &b.err);
    assert_int_equal(j.state, JOB_QUEUED);
    work_close(&b.work);
    bench_start(&b);
    assert_int_equal(bench_wait(&b, id).state, JOB_DONE);
    bench_close(&b);
}

TEST_MAIN(a_job_goes_through, failures, unknown_step, cancel_reaches_what_runs,
          slow_tasks_do_not_hold_up_quick_ones, time_limit_of_an_attempt,
          delay_and_queues_of_ones_own, leases_are_made_longer,
          drain_gives_back_what_it_cannot_finish, work_of_a_dead_process_is_done_again,
          many_at_once, paused_accepts_only)
