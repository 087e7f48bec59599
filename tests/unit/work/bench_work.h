/* bench_work.h: a whole dispatcher in a folder of its own: database, blobs, engines, registry, hub.
 */
#ifndef PLATEN_TESTS_WORK_BENCH_WORK_H
#define PLATEN_TESTS_WORK_BENCH_WORK_H

#include "base/clock.h"
#include "base/fd.h"
#include "base/id.h"
#include "base/log.h"
#include "steps/steps.h"
#include "unit/db/folder.h"
#include "unit/harness.h"
#include "work/work.h"

enum { PROJECT = 7, WAIT_MS = 30000 };

typedef struct Bench {
    Folder folder;
    Db *db;
    DbConn *reader;
    BlobStore *blobs;
    EnginePool *engines;
    Registry *registry;
    Hub *hub;
    Work *work;
    Arena *arena;
    Err err;
} Bench;

/* Everything below the dispatcher, which the caller opens. */
static ErrCode bench_try_open_store(Bench *b)
{
    char blobs[128];
    snprintf(blobs, sizeof blobs, "%s/blobs", b->folder.path);
    ErrCode rc =
        db_open(&(DbOptions){.path = b->folder.db_path, .fast_and_loose = true}, &b->db, &b->err);
    if (rc == OK)
        rc = db_reader(b->db, &b->reader, &b->err);
    if (rc == OK)
        rc = blob_store_open(blobs, true, &b->blobs, &b->err);
    if (rc == OK && (b->hub = hub_open()) == NULL)
        rc = err_set(&b->err, ERR_NO_MEMORY, "hub");
    return rc;
}

static WorkOptions bench_options(const Bench *b)
{
    return (WorkOptions){.db = b->db,
                         .registry = b->registry,
                         .blobs = b->blobs,
                         .engines = b->engines,
                         .hub = b->hub,
                         .runners = 2};
}

static void bench_start(Bench *b)
{
    WorkOptions o = bench_options(b);
    assert_ok(work_open(&o, &b->work, &b->err), &b->err);
}

static void bench_open_engines(Bench *b)
{
    char dirs[512];
    const char *build = getenv("PLATEN_BUILD");
    if (build == NULL)
        fail_msg("run this test by meson test: PLATEN_BUILD is not set");
    snprintf(dirs, sizeof dirs, "%s/tests/unit/engine", build);
    EngineOptions o = {
        .dirs = dirs,
        .blobs = b->blobs,
        .limits = {
            .time_ms = 60000, .cpu_ms = 30000, .memory_bytes = 256 << 20, .output_bytes = 1 << 20}};
    assert_ok(engine_pool_open(&o, &b->engines, &b->err), &b->err);
    assert_ok(engine_describe_all(b->engines, b->registry, b->arena, &b->err), &b->err);
}

static Bench bench_prepare(void)
{
    log_set_level(LOG_OFF);
    Bench b = {.folder = folder_open(), .arena = arena_open(256 * MIB)};
    b.registry = registry_open(b.arena);
    assert_ok(steps_register(b.registry, &b.err), &b.err);
    assert_ok(bench_try_open_store(&b), &b.err);
    return b;
}

static Bench bench_open(void)
{
    Bench b = bench_prepare();
    bench_start(&b);
    return b;
}

static void bench_close_store(Bench *b)
{
    work_close(&b->work);
    hub_close(&b->hub);
    engine_pool_close(&b->engines);
    blob_store_close(&b->blobs);
    db_close(&b->db);
    b->reader = NULL;
}

static void bench_close(Bench *b)
{
    bench_close_store(b);
    folder_close(&b->folder);
    arena_close(&b->arena);
}

static int64_t bench_add(Bench *b, const char *step, const char *params, JobNew n)
{
    JobAdded added = {0};
    n.project = PROJECT;
    n.step = n.step != NULL ? n.step : registry_find(b->registry, str_from_c(step));
    n.params = str_from_c(params);
    assert_non_null(n.step);
    assert_ok(flow_add(b->db, &n, &added, &b->err), &b->err);
    return added.job;
}

static Job bench_wait(Bench *b, int64_t job)
{
    Job j = {0};
    assert_ok(hub_wait(b->hub, b->db, PROJECT, job, WAIT_MS, NULL, b->arena, &j, &b->err), &b->err);
    if (!job_state_ended(j.state))
        fail_msg("the job is still %s", job_state_name(j.state));
    return j;
}

static Job bench_get(Bench *b, int64_t job)
{
    Job j = {0};
    assert_ok(flow_get(b->reader, PROJECT, job, b->arena, &j, &b->err), &b->err);
    return j;
}

/* Until `job` is in that state: what the test is about must have begun. */
static void bench_until(Bench *b, int64_t job, JobState state)
{
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    while (bench_get(b, job).state != state) {
        if (clock_mono_us() > until_us)
            fail_msg("the job is %s, not %s", job_state_name(bench_get(b, job).state),
                     job_state_name(state));
        usleep(1000);
    }
}

static const char *bench_events(Bench *b, int64_t job)
{
    JobEvent *e = NULL;
    size_t n = 0;
    assert_ok(flow_events(b->reader, PROJECT, job, 0, 1000, b->arena, &e, &n, &b->err), &b->err);
    Buf out = buf_init(b->arena, 1 * MIB);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(e[i].seq, i + 1);
        if (i > 0)
            buf_add_char(&out, ' ');
        buf_add(&out, e[i].type);
    }
    return buf_c(&out);
}

#endif
