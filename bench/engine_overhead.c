/* engine_overhead.c: what it costs to run a task in an engine instead of in the server.
 *
 *   build/bench/engine_overhead FOLDER ENGINES STEP [rounds] [threads] [file]
 *
 * Runs STEP (an empty one, such as bad.empty of tests/unit/engine) again and again through
 * engine_run: channel, fork, sandbox, parameters, result, end. FOLDER is for blobs, ENGINES the
 * folders of engines joined by ":". Prints the first call (which starts the engine), then
 * microseconds per task: least, median, p95, and tasks per second over all threads. */
#include "base/clock.h"
#include "base/fd.h"
#include "engine/engine.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { THREADS_MAX = 64 };

typedef struct Bench {
    EnginePool *pool;
    const Step *step;
    size_t rounds;
    int64_t *us; /* one per round */
    const char *file;
} Bench;

static void check(ErrCode rc, const Err *err)
{
    if (rc == OK)
        return;
    fprintf(stderr, "%s: %s\n", err_reason(rc), err->text);
    exit(1);
}

static void *run_rounds(void *arg)
{
    Bench *b = arg;
    for (size_t i = 0; i < b->rounds; i++) {
        CLEANUP(arena_close) Arena *a = arena_open(MIB);
        Err err = {0};
        EngineResult result;
        EngineTask t = {.step = b->step, .params = STR("{}")};
        CLEANUP(fd_close) int fd = b->file != NULL ? open(b->file, O_RDONLY | O_CLOEXEC) : -1;
        StepInput in = {.fd = fd, .size_bytes = fd_size(fd)};
        t.inputs = &in;
        t.inputs_len = fd >= 0;
        int64_t start = clock_mono_us();
        check(engine_run(b->pool, &t, a, &result, &err), &err);
        b->us[i] = clock_mono_us() - start;
    }
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void run_all(Bench b, size_t rounds, size_t threads)
{
    Bench each[THREADS_MAX];
    pthread_t ids[THREADS_MAX];
    int64_t *us = calloc(rounds * threads, sizeof *us);
    int64_t start = clock_mono_us();
    for (size_t i = 0; i < threads; i++) {
        each[i] = b;
        each[i].rounds = rounds;
        each[i].us = us + i * rounds;
        pthread_create(&ids[i], NULL, run_rounds, &each[i]);
    }
    for (size_t i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
    double seconds = (double)(clock_mono_us() - start) / 1e6;
    size_t n = rounds * threads;
    qsort(us, n, sizeof *us, by_size);
    printf("%zu threads: least %" PRId64 " us, median %" PRId64 " us, p95 %" PRId64
           " us, %.0f tasks/s\n",
           threads, us[0], us[n / 2], us[n * 95 / 100], (double)n / seconds);
    free(us);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: engine_overhead FOLDER ENGINES STEP [rounds] [threads] [file]\n");
        return 2;
    }
    size_t rounds = argc > 4 ? strtoul(argv[4], NULL, 10) : 500;
    size_t threads = argc > 5 ? strtoul(argv[5], NULL, 10) : 1;
    if (rounds == 0 || threads == 0 || threads > THREADS_MAX)
        return 2;
    Err err = {0};
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    CLEANUP(blob_store_close) BlobStore *blobs = NULL;
    CLEANUP(engine_pool_close) EnginePool *pool = NULL;
    Registry *r = registry_open(a);
    check(blob_store_open(argv[1], true, &blobs, &err), &err);
    check(engine_pool_open(&(EngineOptions){.dirs = argv[2], .blobs = blobs}, &pool, &err), &err);
    check(engine_describe_all(pool, r, a, &err), &err);
    Bench b = {.pool = pool,
               .step = registry_find(r, str_from_c(argv[3])),
               .file = argc > 6 ? argv[6] : NULL};
    if (b.step == NULL) {
        fprintf(stderr, "there is no step %s\n", argv[3]);
        return 1;
    }
    int64_t first = 0;
    b.us = &first;
    b.rounds = 1;
    run_rounds(&b);
    printf("first task, with the engine's start: %" PRId64 " us\n", first);
    run_all(b, rounds, threads);
    return 0;
}
