/* Let the 1st thing that can fail do so, then the 2nd, the 3rd … while a server starts, takes a
 * job, runs it and stops. Whatever fails: nothing crashes, hangs or leaks (the sanitizers watch),
 * and a job that was accepted is done after the next start. */
#include "unit/work/bench_work.h"

enum { SHORT_MS = 300 };

#ifdef PLATEN_FAULTS

/* The life of a server. Returns the job it accepted, or 0. */
static int64_t live(Bench *b, const char *step, const char *params)
{
    WorkOptions o = {0};
    JobAdded added = {0};
    JobNew n = {.project = PROJECT,
                .step = registry_find(b->registry, str_from_c(step)),
                .params = str_from_c(params),
                .idempotency_key = STR("key"),
                .request_hash = STR("aa")};
    ErrCode rc = bench_try_open_store(b);
    if (rc == OK) {
        o = bench_options(b);
        rc = work_open(&o, &b->work, &b->err);
    }
    if (rc == OK)
        rc = flow_add(b->db, &n, &added, &b->err);
    Job j = {0};
    if (rc == OK &&
        hub_wait(b->hub, b->db, PROJECT, added.job, SHORT_MS, NULL, b->arena, &j, &b->err) != OK)
        added.existed = true; /* reading failed: only the job matters here */
    if (rc != OK && b->err.code != rc)
        fail_msg("a failure without words: %s", err_reason(rc));
    bench_close_store(b);
    return rc == OK ? added.job : 0;
}

static void loop(const char *step, const char *params)
{
    for (int nth = 1;; nth++) {
        log_set_level(LOG_OFF);
        Bench b = {.folder = folder_open(), .arena = arena_open(256 * MIB)};
        b.registry = registry_open(b.arena);
        assert_ok(steps_register(b.registry, &b.err), &b.err);
        fault_arm(nth);
        int64_t job = live(&b, step, params);
        bool delivered = fault_disarm();
        assert_true(job != 0 || delivered);
        assert_ok(bench_try_open_store(&b), &b.err);
        bench_start(&b);
        if (job != 0)
            assert_int_equal(bench_wait(&b, job).state, JOB_DONE);
        bench_close(&b);
        if (!delivered)
            return;
    }
}

#else

static void loop(const char *step, const char *params)
{
    (void)step;
    (void)params;
    skip(); /* needs a build with faults */
}

#endif

TEST(quick_step)
{
    loop("text.stats", "{\"text\":\"a b\"}");
}

TEST(step_with_a_runner)
{
    loop("test.sleep", "{\"ms\":1}");
}

TEST_MAIN(quick_step, step_with_a_runner)
