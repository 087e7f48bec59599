/* bench_db.h: a database in a folder of its own, and the write functions of flow as plain calls. */
#ifndef PLATEN_TESTS_FLOW_BENCH_DB_H
#define PLATEN_TESTS_FLOW_BENCH_DB_H

#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "flow/flow.h"
#include "unit/db/folder.h"
#include "unit/harness.h"

enum { PROJECT = 7, LEASE_MS = 60000 };

typedef struct Bench {
    Folder folder;
    Db *db;
    DbConn *reader;
    Arena *arena;
    Err err;
} Bench;

static const Step step_a = {.name = "a.step", .attempts = 3};

static void bench_open_db(Bench *b)
{
    assert_ok(
        db_open(&(DbOptions){.path = b->folder.db_path, .fast_and_loose = true}, &b->db, &b->err),
        &b->err);
    assert_ok(db_reader(b->db, &b->reader, &b->err), &b->err);
}

static Bench bench_open(void)
{
    log_set_level(LOG_OFF);
    Bench b = {.folder = folder_open(), .arena = arena_open(256 * MIB)};
    bench_open_db(&b);
    return b;
}

static void bench_close(Bench *b)
{
    db_close(&b->db);
    folder_close(&b->folder);
    arena_close(&b->arena);
}

typedef struct LeaseCall {
    Str queue;
    int max;
    Arena *arena;
    TaskLease *out;
    size_t len;
} LeaseCall;

static ErrCode lease_write(DbConn *tx, void *arg, Err *err)
{
    LeaseCall *c = arg;
    return flow_lease_tx(tx, c->queue, c->max, LEASE_MS, STR("test"), c->arena, &c->out, &c->len,
                         err);
}

static size_t bench_lease(Bench *b, const char *queue, int max, TaskLease **out)
{
    LeaseCall c = {.queue = str_from_c(queue), .max = max, .arena = b->arena};
    assert_ok(db_write(b->db, lease_write, &c, &b->err), &b->err);
    *out = c.out;
    return c.len;
}

typedef struct FinishCall {
    const TaskResult *results;
    size_t len;
} FinishCall;

static ErrCode finish_write(DbConn *tx, void *arg, Err *err)
{
    const FinishCall *c = arg;
    return flow_finish_tx(tx, c->results, c->len, err);
}

static void bench_finish(Bench *b, const TaskResult *r)
{
    assert_ok(db_write(b->db, finish_write, &(FinishCall){r, 1}, &b->err), &b->err);
}

static TaskResult result_of(const TaskLease *l, ErrCode code)
{
    TaskResult r = {.task = l->id,
                    .job = l->job,
                    .attempt = l->attempt,
                    .code = code,
                    .started_ms = clock_now_ms(),
                    .finished_ms = clock_now_ms()};
    if (code != OK)
        err_set(&r.err, code, "it went wrong");
    else
        r.data = STR("{\"n\":1}");
    return r;
}

typedef struct ExpireCall {
    int64_t now_ms, count;
    bool all;
} ExpireCall;

static ErrCode expire_write(DbConn *tx, void *arg, Err *err)
{
    ExpireCall *c = arg;
    return flow_expire_tx(tx, c->now_ms, c->all, &c->count, err);
}

static int64_t bench_expire(Bench *b, int64_t now_ms, bool all)
{
    ExpireCall c = {.now_ms = now_ms, .all = all};
    assert_ok(db_write(b->db, expire_write, &c, &b->err), &b->err);
    return c.count;
}

static ErrCode give_back_write(DbConn *tx, void *arg, Err *err)
{
    const TaskLease *l = arg;
    return flow_give_back_tx(tx, l->id, l->attempt, err);
}

static void bench_give_back(Bench *b, TaskLease *l)
{
    assert_ok(db_write(b->db, give_back_write, l, &b->err), &b->err);
}

static int64_t bench_add(Bench *b, JobNew n)
{
    JobAdded added = {0};
    if (n.step == NULL)
        n.step = &step_a;
    n.project = PROJECT;
    assert_ok(flow_add(b->db, &n, &added, &b->err), &b->err);
    return added.job;
}

static Job bench_get(Bench *b, int64_t job)
{
    Job j = {0};
    assert_ok(flow_get(b->reader, PROJECT, job, b->arena, &j, &b->err), &b->err);
    return j;
}

/* Names of all events, joined by blanks; the numbers must be 1, 2, 3 … */
static const char *bench_events(Bench *b, int64_t job)
{
    JobEvent *e = NULL;
    size_t n = 0;
    assert_ok(flow_events(b->reader, PROJECT, job, 0, 1000, b->arena, &e, &n, &b->err), &b->err);
    Buf out = buf_init(b->arena, 1 * MIB);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(e[i].seq, i + 1);
        assert_int_equal(e[i].job, job);
        assert_true(e[i].time_ms > 0);
        const Json *data = NULL;
        assert_ok(json_parse(b->arena, e[i].data, &data, &b->err), &b->err);
        assert_true(json_is(data, JSON_OBJECT));
        if (i > 0)
            buf_add_char(&out, ' ');
        buf_add(&out, e[i].type);
    }
    return buf_c(&out);
}

#endif
