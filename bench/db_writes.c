/* db_writes.c: how many small durable writes a second the writer commits, and how long one takes.
 *
 *   build/bench/db_writes FOLDER [seconds]
 *
 * One write: a row in a table with one index. Four ways to hand it in:
 *   handed   64 writes in flight; done passes each to one of two threads, which hands in the next
 * (as an HTTP server does) direct   64 writes in flight; done itself hands in the next threads  64
 * threads, each waits for its write alone    one thread: the latency of a write nobody shares a
 * sync with */
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/thread.h"
#include "db/db.h"
#include "db/queries.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SUBMITTERS = 64, LOOPS = 2, SAMPLES = 1 << 20 };

typedef struct Loop {
    Mutex lock;
    Cond changed;
    struct Slot *ready;
} Loop;

typedef struct Slot {
    DbWrite write; /* first */
    struct Bench *bench;
    struct Slot *next;
    Loop *loop;
    int64_t id, start_us;
} Slot;

typedef struct Bench {
    Db *db;
    Loop loops[LOOPS];
    Slot slots[SUBMITTERS];
    _Atomic int64_t writes, in_flight;
    _Atomic bool stop;
    bool direct;
    int32_t *waited_us; /* ring of samples */
} Bench;

static ErrCode add_row(DbConn *tx, void *arg, Err *err)
{
    const Slot *s = arg;
    return db_exec(tx, &sql_usage_add,
                   DB_ARGS(DB_I(1), DB_I(s->id), DB_I(1), DB_S(STR("page")), DB_I(s->id), DB_I(7),
                           DB_I(clock_now_ms())),
                   NULL, err);
}

static void hand_in(Slot *s)
{
    s->id = id_new();
    s->start_us = clock_mono_us();
    db_write_async(s->bench->db, &s->write);
}

static void check(ErrCode rc, const Err *err)
{
    if (rc == OK)
        return;
    fprintf(stderr, "%s: %s\n", err_reason(rc), err->text);
    exit(1);
}

static void count(Bench *b, const Slot *s)
{
    int64_t n = atomic_fetch_add(&b->writes, 1);
    b->waited_us[n % SAMPLES] = (int32_t)(clock_mono_us() - s->start_us);
}

static void on_done(DbWrite *w, ErrCode rc, const Err *err)
{
    Slot *s = (Slot *)w;
    Bench *b = s->bench;
    check(rc, err);
    count(b, s);
    if (b->stop) {
        b->in_flight--;
    } else if (b->direct) {
        hand_in(s);
    } else {
        Loop *loop = s->loop;
        MUTEX_HELD(&loop->lock);
        if (loop->ready == NULL)
            cond_signal(&loop->changed);
        s->next = loop->ready;
        loop->ready = s;
    }
}

static void *run_loop(void *arg)
{
    Loop *loop = arg;
    for (;;) {
        mutex_lock(&loop->lock);
        while (loop->ready == NULL)
            cond_wait(&loop->changed, &loop->lock);
        Slot *s = loop->ready;
        loop->ready = NULL;
        mutex_unlock(&loop->lock);
        for (Slot *next; s != NULL; s = next) {
            next = s->next;
            if (s->bench == NULL)
                return NULL;
            if (s->bench->stop)
                s->bench->in_flight--;
            else
                hand_in(s);
        }
    }
}

static void *run_thread(void *arg)
{
    Slot *s = arg;
    while (!s->bench->stop) {
        Err err = {0};
        s->id = id_new();
        s->start_us = clock_mono_us();
        check(db_write(s->bench->db, add_row, s, &err), &err);
        count(s->bench, s);
    }
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}

static void report(Bench *b, const char *name, int64_t start_us, DbStats before, struct rusage from)
{
    int64_t us = clock_mono_us() - start_us, n = b->writes;
    size_t samples = (size_t)(n < SAMPLES ? n : SAMPLES);
    DbStats now = db_stats(b->db);
    struct rusage to;
    getrusage(RUSAGE_SELF, &to);
    qsort(b->waited_us, samples, sizeof *b->waited_us, by_size);
    printf("%-8s %8.0f writes/s  %5.1f per sync  p50 %5d us  p99 %6d us  max %6d us  sync %4.0f us "
           " switches/write %.2f  "
           "wal %.1f MB\n",
           name, (double)n * 1e6 / (double)us, (double)n / (double)(now.batches - before.batches),
           b->waited_us[samples / 2], b->waited_us[samples * 99 / 100], b->waited_us[samples - 1],
           (double)(now.syncs_us - before.syncs_us) / (double)(now.batches - before.batches),
           (double)(to.ru_nvcsw - from.ru_nvcsw) / (double)n, (double)now.wal_bytes / 1e6);
}

static void run_async(Bench *b, const char *name, bool direct, unsigned seconds)
{
    pthread_t loops[LOOPS];
    Slot end = {0};
    Err err = {0};
    struct rusage from;
    b->direct = direct;
    b->stop = false;
    b->writes = 0;
    b->in_flight = SUBMITTERS;
    for (int i = 0; i < LOOPS; i++) {
        b->loops[i] = (Loop){0};
        mutex_init(&b->loops[i].lock);
        cond_init(&b->loops[i].changed);
        check(thread_start(&loops[i], "loop", run_loop, &b->loops[i], &err), &err);
    }
    getrusage(RUSAGE_SELF, &from);
    DbStats before = db_stats(b->db);
    int64_t start_us = clock_mono_us();
    for (int i = 0; i < SUBMITTERS; i++) {
        Slot *s = &b->slots[i];
        *s = (Slot){.bench = b,
                    .loop = &b->loops[i % LOOPS],
                    .write = {.fn = add_row, .arg = s, .done = on_done}};
        hand_in(s);
    }
    sleep(seconds);
    b->stop = true;
    report(b, name, start_us, before, from);
    while (b->in_flight > 0)
        usleep(1000);
    for (int i = 0; i < LOOPS; i++) {
        mutex_lock(&b->loops[i].lock);
        end.next = NULL;
        b->loops[i].ready = &end;
        cond_signal(&b->loops[i].changed);
        mutex_unlock(&b->loops[i].lock);
        pthread_join(loops[i], NULL);
    }
}

static void run_threads(Bench *b, const char *name, int n, unsigned seconds)
{
    pthread_t threads[SUBMITTERS];
    Err err = {0};
    struct rusage from;
    getrusage(RUSAGE_SELF, &from);
    DbStats before = db_stats(b->db);
    int64_t start_us = clock_mono_us();
    b->stop = false;
    b->writes = 0;
    for (int i = 0; i < n; i++) {
        b->slots[i] = (Slot){.bench = b};
        check(thread_start(&threads[i], "submitter", run_thread, &b->slots[i], &err), &err);
    }
    sleep(seconds);
    b->stop = true;
    for (int i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    report(b, name, start_us, before, from);
}

int main(int argc, char **argv)
{
    static Bench b;
    char path[512];
    Err err = {0};
    if (argc < 2) {
        fprintf(stderr, "usage: db_writes FOLDER [seconds]\n");
        return 2;
    }
    unsigned seconds = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 3;
    snprintf(path, sizeof path, "%s/db_writes.db", argv[1]);
    log_set_level(LOG_WARN);
    b.waited_us = calloc(SAMPLES, sizeof *b.waited_us);
    check(db_open(&(DbOptions){.path = path}, &b.db, &err), &err);
    run_async(&b, "handed", false, seconds);
    run_async(&b, "direct", true, seconds);
    run_threads(&b, "threads", SUBMITTERS, seconds);
    run_threads(&b, "alone", 1, seconds);
    db_close(&b.db);
    free(b.waited_us);
    return 0;
}
