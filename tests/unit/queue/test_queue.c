/* Backoff, the order of leases, delayed tasks, numbers over queues. */
#include "base/buf.h"
#include "base/clock.h"
#include "base/id.h"
#include "queue/queue.h"
#include "unit/db/folder.h"
#include "unit/harness.h"

TEST(backoff)
{
    static const struct {
        const char *why;
        int64_t attempt, asked_ms;
        double dice;
        int64_t want;
    } cases[] = {
        {"the first: up to a second", 1, 0, 0.999999, 999},
        {"jitter is full: it may be at once", 1, 0, 0.0, 0},
        {"doubled", 2, 0, 0.5, 1000},
        {"doubled again", 3, 0, 0.5, 2000},
        {"ten minutes are the most", 11, 0, 0.5, 300000},
        {"also after many", 100, 0, 0.999999, 599999},
        {"asked for: never earlier", 1, 30000, 0.0, 30000},
        {"asked for: not all at once", 5, 30000, 0.5, 30500},
        {"a number that cannot be", -5, 0, 0.5, 500},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t got = queue_backoff_ms(cases[i].attempt, cases[i].asked_ms, cases[i].dice);
        if (got != cases[i].want)
            fail_msg("%s: got %" PRId64 ", want %" PRId64, cases[i].why, got, cases[i].want);
    }
}

typedef struct Bench {
    Folder folder;
    Db *db;
    Arena *arena;
    Err err;
} Bench;

static Bench bench_open(void)
{
    log_set_level(LOG_OFF);
    Bench b = {.folder = folder_open(), .arena = arena_open(64 * MIB)};
    assert_ok(
        db_open(&(DbOptions){.path = b.folder.db_path, .fast_and_loose = true}, &b.db, &b.err),
        &b.err);
    return b;
}

static void bench_close(Bench *b)
{
    db_close(&b->db);
    folder_close(&b->folder);
    arena_close(&b->arena);
}

static ErrCode add_write(DbConn *tx, void *arg, Err *err)
{
    return queue_add(tx, arg, 1000, NULL, err); /* it is 1000 */
}

static void add(Bench *b, int64_t id, const char *queue, int64_t priority, int64_t run_at_ms)
{
    TaskNew n = {.id = id,
                 .job = id,
                 .project = 1,
                 .queue = str_from_c(queue),
                 .priority = priority,
                 .run_at_ms = run_at_ms,
                 .max_attempts = 3,
                 .seq = 1};
    assert_ok(db_write(b->db, add_write, &n, &b->err), &b->err);
}

typedef struct Lease {
    const char *queue;
    int max;
    int64_t now_ms;
    Arena *arena;
    TaskLease *out;
    size_t len;
} Lease;

static ErrCode lease_write(DbConn *tx, void *arg, Err *err)
{
    Lease *l = arg;
    return queue_lease(tx, str_from_c(l->queue), l->max, l->now_ms, l->now_ms + 100, STR("w"),
                       l->arena, &l->out, &l->len, err);
}

/* The ids that a lease gives, as text. */
static const char *lease(Bench *b, const char *queue, int max, int64_t now_ms)
{
    Lease l = {.queue = queue, .max = max, .now_ms = now_ms, .arena = b->arena};
    assert_ok(db_write(b->db, lease_write, &l, &b->err), &b->err);
    Buf out = buf_init(b->arena, 1 * MIB);
    for (size_t i = 0; i < l.len; i++) {
        assert_int_equal(l.out[i].attempt, 1);
        assert_int_equal(l.out[i].lease_until_ms, now_ms + 100);
        buf_addf(&out, "%s%" PRId64, i > 0 ? " " : "", l.out[i].id);
    }
    return buf_c(&out);
}

TEST(order)
{
    Bench b = bench_open();
    add(&b, 10, "q", 0, 0);
    add(&b, 11, "q", 5, 0);
    add(&b, 12, "q", -5, 0);
    add(&b, 13, "q", 5, 0);
    add(&b, 9, "q", 0, 0);
    add(&b, 8, "other", 100, 0);
    assert_string_equal(lease(&b, "q", 2, 1000), "11 13");
    assert_string_equal(lease(&b, "q", 10, 1000), "9 10 12");
    assert_string_equal(lease(&b, "q", 10, 1000), "");
    assert_string_equal(lease(&b, "other", 10, 1000), "8");
    bench_close(&b);
}

TEST(delayed)
{
    Bench b = bench_open();
    DbConn *reader = NULL;
    int64_t due = 0;
    add(&b, 1, "q", 0, 3000);
    add(&b, 2, "q", 0, 2000);
    add(&b, 3, "q", 100,
        2500); /* delayed ones are not in the way of ready ones, whatever their priority */
    add(&b, 4, "q", 0, 1000);
    assert_string_equal(lease(&b, "q", 10, 1000), "4");
    assert_ok(db_reader(b.db, &reader, &b.err), &b.err);
    assert_ok(queue_next_due(reader, STR("q"), &due, &b.err), &b.err);
    assert_int_equal(due, 2000);
    assert_ok(queue_next_due(reader, STR("none"), &due, &b.err), &b.err);
    assert_true(due == INT64_MAX);
    assert_string_equal(lease(&b, "q", 10, 1999), "");
    assert_string_equal(lease(&b, "q", 10, 2500), "3 2");
    assert_string_equal(lease(&b, "q", 10, 3000), "1");
    bench_close(&b);
}

TEST(numbers)
{
    Bench b = bench_open();
    DbConn *reader = NULL;
    QueueInfo *info = NULL;
    Str *names = NULL;
    size_t n = 0;
    assert_ok(db_reader(b.db, &reader, &b.err), &b.err);
    assert_ok(queue_list(reader, b.arena, &info, &n, &b.err), &b.err);
    assert_int_equal(n, 0);
    assert_ok(queue_names(reader, b.arena, &names, &n, &b.err), &b.err);
    assert_int_equal(n, 0);

    for (int i = 0; i < 5; i++)
        add(&b, id_first(clock_now_ms() - 60000) + i, "b", 0, 0);
    add(&b, 1, "a", 0, 5000);
    add(&b, 2, "c", 0, 0);
    assert_string_equal(lease(&b, "c", 1, 1000), "2");
    assert_ok(queue_list(reader, b.arena, &info, &n, &b.err), &b.err);
    assert_int_equal(n, 3);
    assert_str_equal(info[0].name, "a");
    assert_int_equal(info[0].delayed, 1);
    assert_int_equal(info[1].ready, 5);
    assert_in_range(info[1].oldest_ms, 60000, 70000);
    assert_int_equal(info[2].leased, 1);
    assert_int_equal(info[2].ready, 0);
    assert_ok(queue_names(reader, b.arena, &names, &n, &b.err), &b.err);
    assert_int_equal(n, 2);
    assert_str_equal(names[0], "a");
    assert_str_equal(names[1], "b");
    assert_true(queue_hash(STR("a")) != queue_hash(STR("b")));
    assert_true(queue_hash(STR("")) != 0);
    bench_close(&b);
}

TEST_MAIN(backoff, order, delayed, numbers)
