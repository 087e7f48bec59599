/* queue_moves: what one move of a job costs the writer, in microseconds of its CPU.
 *
 *   queue_moves FOLDER [jobs] [projects] [waiting]
 *
 * add, lease and finish, 512 jobs per transaction, 1 KB of parameters each; nothing is synced, so
 * that only the writer's own work is measured. projects: the jobs are spread over so many. waiting:
 * so many further jobs stand in the queue all the time, of lower priority. */
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "flow/flow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 512, PARAMS = 1000 };

typedef struct Run {
    Arena *arena;
    Str params;
    int64_t count, projects, priority, next;
    TaskLease *leases;
    size_t leases_len;
    double cpu_us;
} Run;

static const Step step = {.name = "test.noop", .attempts = 3};

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static ErrCode add_write(DbConn *tx, void *arg, Err *err)
{
    Run *r = arg;
    JobAdded added;
    ErrCode rc = OK;
    double begin = cpu_us();
    for (int64_t i = 0; rc == OK && i < r->count; i++)
        rc = flow_add_tx(tx, id_new(),
                         &(JobNew){.project = 1 + r->next++ % r->projects,
                                   .step = &step,
                                   .params = r->params,
                                   .priority = r->priority},
                         &added, err);
    r->cpu_us = cpu_us() - begin;
    return rc;
}

static ErrCode lease_write(DbConn *tx, void *arg, Err *err)
{
    Run *r = arg;
    arena_reset(r->arena);
    double begin = cpu_us();
    ErrCode rc = flow_lease_tx(tx, STR("default"), BATCH, 60000, STR("bench"), r->arena, &r->leases,
                               &r->leases_len, err);
    r->cpu_us = cpu_us() - begin;
    return rc;
}

static ErrCode finish_write(DbConn *tx, void *arg, Err *err)
{
    Run *r = arg;
    double begin = cpu_us();
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < r->leases_len; i++) {
        TaskResult t = {.task = r->leases[i].id,
                        .job = r->leases[i].job,
                        .attempt = r->leases[i].attempt,
                        .data = STR("{}"),
                        .started_ms = clock_now_ms(),
                        .finished_ms = clock_now_ms()};
        rc = flow_finish_tx(tx, &t, 1, err);
    }
    r->cpu_us = cpu_us() - begin;
    return rc;
}

static void must(ErrCode rc, const Err *err)
{
    if (rc == OK)
        return;
    fprintf(stderr, "%s\n", err->text);
    exit(1);
}

static int64_t number(int argc, char **argv, int i, int64_t otherwise)
{
    return argc > i ? atoll(argv[i]) : otherwise;
}

int main(int argc, char **argv)
{
    char path[4096], params[PARAMS + 16];
    Err err = {0};
    Db *db = NULL;
    if (argc < 2) {
        fprintf(stderr, "usage: queue_moves FOLDER [jobs] [projects] [waiting]\n");
        return 2;
    }
    log_set_level(LOG_OFF);
    snprintf(path, sizeof path, "%s/moves.db", argv[1]);
    must(db_open(&(DbOptions){.path = path, .fast_and_loose = true}, &db, &err), &err);
    memset(params, 'x', sizeof params);
    memcpy(params, "{\"a\":\"", 6);
    memcpy(params + PARAMS, "\"}", 2);
    int64_t jobs = number(argc, argv, 2, 50000), waiting = number(argc, argv, 4, 0);
    Run r = {.arena = arena_open(64 * MIB),
             .params = {params, PARAMS + 2},
             .projects = number(argc, argv, 3, 1)};
    r.priority = -100;
    for (int64_t left = waiting; left > 0; left -= r.count) {
        r.count = left < BATCH ? left : BATCH;
        must(db_write(db, add_write, &r, &err), &err);
    }
    r.priority = 0;
    double add = 0, lease = 0, finish = 0;
    int64_t done = 0;
    for (r.count = BATCH; done < jobs; done += BATCH) {
        must(db_write(db, add_write, &r, &err), &err);
        add += r.cpu_us;
        must(db_write(db, lease_write, &r, &err), &err);
        lease += r.cpu_us;
        must(db_write(db, finish_write, &r, &err), &err);
        finish += r.cpu_us;
    }
    double n = (double)done;
    printf("{\"jobs\": %lld, \"add_us\": %.2f, \"lease_us\": %.2f, \"finish_us\": %.2f}\n",
           (long long)done, add / n, lease / n, finish / n);
    db_close(&db);
    arena_close(&r.arena);
    return 0;
}
