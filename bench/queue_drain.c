/* queue_drain: how fast jobs come in, go through and start, with every acknowledgement on disk.
 *
 *   queue_drain FOLDER [jobs] [bytes of params]
 *
 * enqueue   64 submitters, each hands in its next job when the last one is on disk: no dispatcher runs
 * drain     a dispatcher leases, runs and finishes them all (test.noop)
 * both      64 submitters and the dispatcher at once; counted when the last job is done
 * start     100 jobs a second, each alone: from handing it in to the first line of its step */
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "steps/steps.h"
#include "work/work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { SUBMITTERS = 64, STARTS = 500, START_EVERY_US = 10000, PROJECT = 1 };

static int64_t handed_in_us[STARTS], started_us[STARTS];

typedef struct StampArgs {
    int64_t n;
    Str text;
} StampArgs;

static const Param stamp_params[] = {
    PARAM_INT(StampArgs, n, .min = 0, .max = STARTS - 1, .help = "Which one."),
    PARAM_TEXT(StampArgs, text, .help = "Ballast."),
    PARAM_END,
};

static ErrCode stamp_run(StepCtx *c, const void *args)
{
    (void)c;
    started_us[((const StampArgs *)args)->n] = clock_mono_us();
    return OK;
}

static const Step step_stamp = {.name = "bench.stamp",
                                .title = "Stamp",
                                .summary = "Note the time.",
                                .since = "0.1",
                                .internal = true,
                                .params = stamp_params,
                                .args_size = sizeof(StampArgs),
                                .run = stamp_run};

static void must(ErrCode rc, const Err *err)
{
    if (rc == OK)
        return;
    fprintf(stderr, "%s: %s\n", err_reason(rc), err->text);
    exit(1);
}

typedef struct Submitter {
    DbWrite write;
    Db *db;
    int64_t id, left;
    JobNew job;
    _Atomic int64_t *pending;
} Submitter;

static ErrCode submit_write(DbConn *tx, void *arg, Err *err)
{
    Submitter *s = arg;
    JobAdded added;
    return flow_add_tx(tx, s->id, &s->job, &added, err);
}

static void submitted(DbWrite *w, ErrCode rc, const Err *err)
{
    Submitter *s = w->arg;
    must(rc, err);
    if (--s->left == 0) {
        atomic_fetch_sub(s->pending, 1);
        return;
    }
    s->id = id_new();
    db_write_async(s->db, w);
}

static void enqueue(Db *db, int64_t jobs, Str params)
{
    static Submitter all[SUBMITTERS];
    _Atomic int64_t pending = SUBMITTERS;
    for (int i = 0; i < SUBMITTERS; i++) {
        all[i] =
            (Submitter){.db = db, .id = id_new(), .left = jobs / SUBMITTERS, .pending = &pending};
        all[i].job = (JobNew){.project = PROJECT, .step = &step_test_noop, .params = params};
        all[i].write = (DbWrite){.fn = submit_write, .done = submitted, .arg = &all[i]};
        db_write_async(db, &all[i].write);
    }
    while (atomic_load(&pending) > 0)
        usleep(500);
}

static double cpu_s(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return (double)u.ru_utime.tv_sec + (double)u.ru_stime.tv_sec +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void report(const char *what, int64_t jobs, int64_t us, double cpu, DbStats before,
                   DbStats after)
{
    printf("%-8s %8.0f jobs/s   %6.1f us CPU per job   %.1f writes per sync\n", what,
           (double)jobs * 1e6 / (double)us, cpu * 1e6 / (double)jobs,
           (double)(after.writes - before.writes) / (double)(after.batches - before.batches));
}

static int by_value(const void *x, const void *y)
{
    int64_t a = *(const int64_t *)x, b = *(const int64_t *)y;
    return (a > b) - (a < b);
}

static void measure_start(Db *db)
{
    static int64_t took[STARTS];
    char params[64];
    Err err;
    for (int i = 0; i < STARTS; i++) {
        snprintf(params, sizeof params, "{\"n\":%d,\"text\":\"\"}", i);
        JobNew n = {.project = PROJECT, .step = &step_stamp, .params = str_from_c(params)};
        JobAdded added;
        handed_in_us[i] = clock_mono_us();
        must(flow_add(db, &n, &added, &err), &err);
        int64_t left_us = START_EVERY_US - (clock_mono_us() - handed_in_us[i]);
        if (left_us > 0)
            usleep((useconds_t)left_us);
    }
    usleep(200000);
    for (int i = 0; i < STARTS; i++)
        took[i] = started_us[i] - handed_in_us[i];
    qsort(took, STARTS, sizeof *took, by_value);
    printf("start    p50 %.2f ms   p99 %.2f ms   max %.2f ms\n", (double)took[STARTS / 2] / 1e3,
           (double)took[STARTS * 99 / 100] / 1e3, (double)took[STARTS - 1] / 1e3);
}

static void wait_done(Work *w, int64_t jobs)
{
    while (work_stats(w).done < jobs)
        usleep(500);
}

int main(int argc, char **argv)
{
    char path[512];
    Err err;
    Db *db = NULL;
    Work *w = NULL;
    if (argc < 2)
        return 2;
    int64_t jobs = argc > 2 ? strtoll(argv[2], NULL, 10) / SUBMITTERS * SUBMITTERS : 64000;
    size_t bytes = argc > 3 ? strtoul(argv[3], NULL, 10) : 1024;
    log_set_level(LOG_WARN);
    snprintf(path, sizeof path, "%s/bench.db", argv[1]);
    must(db_open(&(DbOptions){.path = path}, &db, &err), &err);

    Arena *a = arena_open(16 * MIB);
    Registry *r = registry_open(a);
    must(steps_register(r, &err), &err);
    must(registry_add(r, &step_stamp, &err), &err);
    char *text = arena_alloc(a, bytes + 32);
    memset(text, 'x', bytes);
    Str params = str_printf(a, "{\"text\":\"%.*s\"}", (int)bytes, text);

    DbStats before = db_stats(db);
    int64_t t0 = clock_mono_us();
    double c0 = cpu_s();
    enqueue(db, jobs, params);
    report("enqueue", jobs, clock_mono_us() - t0, cpu_s() - c0, before, db_stats(db));

    before = db_stats(db);
    t0 = clock_mono_us();
    c0 = cpu_s();
    must(work_open(&(WorkOptions){.db = db, .registry = r}, &w, &err), &err);
    wait_done(w, jobs);
    report("drain", jobs, clock_mono_us() - t0, cpu_s() - c0, before, db_stats(db));

    before = db_stats(db);
    t0 = clock_mono_us();
    c0 = cpu_s();
    enqueue(db, jobs, params);
    wait_done(w, 2 * jobs);
    report("both", jobs, clock_mono_us() - t0, cpu_s() - c0, before, db_stats(db));

    measure_start(db);
    DbStats s = db_stats(db);
    printf("file     %.0f bytes per job, %.1f us per commit\n",
           (double)s.file_bytes / (double)(2 * jobs), (double)s.syncs_us / (double)s.batches);
    work_close(&w);
    db_close(&db);
    arena_close(&a);
    return 0;
}
