/* What holds a task back, or ends it: shares of projects, settings of queues, concurrency keys, unique
 * keys, deadlines, retention; and verbs for many jobs. */
#include "db/db_in.h"
#include "unit/flow/bench_db.h"

#include <unistd.h>

static int64_t one_int(Bench *b, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(b->reader->sqlite, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return n;
}

static int64_t add_to(Bench *b, int64_t project, JobNew n)
{
    JobAdded added = {0};
    n.step = &step_a;
    n.project = project;
    assert_ok(flow_add(b->db, &n, &added, &b->err), &b->err);
    return added.job;
}

typedef struct Flood {
    int64_t project;
    int count;
} Flood;

static ErrCode flood_write(DbConn *tx, void *arg, Err *err)
{
    const Flood *f = arg;
    ErrCode rc = OK;
    JobAdded added;
    for (int i = 0; rc == OK && i < f->count; i++)
        rc = flow_add_tx(tx, id_new(), &(JobNew){.project = f->project, .step = &step_a}, &added,
                         err);
    return rc;
}

static void flood(Bench *b, int64_t project, int count)
{
    assert_ok(db_write(b->db, flood_write, &(Flood){project, count}, &b->err), &b->err);
}

static void done(Bench *b, const TaskLease *l)
{
    TaskResult r = result_of(l, OK);
    bench_finish(b, &r);
}

static void set(Bench *b, int64_t project, QueueSettings s)
{
    s.weight = s.weight > 0 ? s.weight : 1;
    assert_ok(flow_queue_set(b->db, project, STR("default"), &s, &b->err), &b->err);
}

static size_t lease(Bench *b, int max)
{
    TaskLease *l = NULL;
    return bench_lease(b, "default", max, &l);
}

/* --- projects --- */

TEST(a_flood_delays_others_by_its_share_at_most)
{
    Bench b = bench_open();
    flood(&b, 1, 100000);
    flood(&b, 2, 20);
    flood(&b, 3, 20);
    TaskLease *l = NULL;
    assert_int_equal(bench_lease(&b, "default", 60, &l), 60);
    int64_t of[4] = {0};
    for (size_t i = 0; i < 60; i++)
        of[l[i].project]++;
    assert_int_equal(of[2], 20);
    assert_int_equal(of[3], 20);
    add_to(&b, 4, (JobNew){0}); /* comes now, and is not behind 99,980 others */
    assert_int_equal(bench_lease(&b, "default", 2, &l), 2);
    assert_true(l[0].project == 4 || l[1].project == 4);
    assert_int_equal(bench_lease(&b, "default", 512, &l), 512);
    assert_int_equal(l[511].project, 1);
    bench_close(&b);
}

/* More projects than a batch has turns for; then all that is left fits into one. */
TEST(many_projects)
{
    enum { PROJECTS = 300, EACH = 3 };
    Bench b = bench_open();
    TaskLease *l = NULL;
    bool seen[PROJECTS + 1] = {0};
    for (int64_t p = 1; p <= PROJECTS; p++)
        flood(&b, p, EACH);
    size_t all = 0;
    for (size_t n; (n = bench_lease(&b, "default", 200, &l)) > 0; all += n)
        for (size_t i = 0; i < n; i++) {
            seen[l[i].project] = true;
            done(&b, &l[i]);
        }
    assert_int_equal(all, PROJECTS * EACH);
    for (int64_t p = 1; p <= PROJECTS; p++)
        assert_true(seen[p]);
    flood(&b, 5, 1);
    assert_int_equal(lease(&b, 10), 1);
    bench_close(&b);
}

TEST(weights_are_shares)
{
    Bench b = bench_open();
    set(&b, 1, (QueueSettings){.weight = 3});
    flood(&b, 1, 1000);
    flood(&b, 2, 1000);
    TaskLease *l = NULL;
    int64_t of[3] = {0};
    for (int round = 0; round < 10; round++) {
        size_t n = bench_lease(&b, "default", 40, &l);
        for (size_t i = 0; i < n; i++)
            of[l[i].project]++;
    }
    assert_in_range(of[1], 290, 310);
    assert_in_range(of[2], 90, 110);
    bench_close(&b);
}

TEST(turns_survive_a_restart)
{
    Bench b = bench_open();
    flood(&b, 1, 50);
    flood(&b, 2, 5);
    add_to(&b, 3, (JobNew){.delay_ms = 1});
    db_close(&b.db);
    bench_open_db(&b);
    usleep(3000);
    assert_int_equal(lease(&b, 512), 56);
    bench_close(&b);
}

static ErrCode lease_and_fail(DbConn *tx, void *arg, Err *err)
{
    LeaseCall *c = arg;
    ErrCode rc =
        flow_lease_tx(tx, c->queue, c->max, LEASE_MS, STR("test"), c->arena, &c->out, &c->len, err);
    return rc == OK ? err_set(err, ERR_CONFLICT, "changed its mind") : rc;
}

TEST(a_lease_that_is_taken_back_is_forgotten)
{
    Bench b = bench_open();
    flood(&b, 1, 3);
    LeaseCall c = {.queue = STR("default"), .max = 10, .arena = b.arena};
    assert_int_equal(db_write(b.db, lease_and_fail, &c, &b.err), ERR_CONFLICT);
    assert_int_equal(lease(&b, 10), 3);
    bench_close(&b);
}

/* --- settings --- */

TEST(paused_and_resumed)
{
    Bench b = bench_open();
    bench_add(&b, (JobNew){0});
    bench_add(&b, (JobNew){.delay_ms = 1});
    set(&b, 0, (QueueSettings){.paused = true});
    usleep(3000);
    assert_int_equal(lease(&b, 10), 0);
    set(&b, 0, (QueueSettings){0});
    set(&b, PROJECT, (QueueSettings){.paused = true});
    flood(&b, 1, 2);
    assert_int_equal(lease(&b, 10), 2); /* the other project's */
    db_close(&b.db);
    bench_open_db(&b);
    assert_int_equal(lease(&b, 10), 0);
    set(&b, PROJECT, (QueueSettings){0});
    assert_int_equal(lease(&b, 10), 2);
    bench_close(&b);
}

TEST(draining_refuses_what_is_new)
{
    Bench b = bench_open();
    JobAdded added;
    const JobNew n = {.project = PROJECT, .step = &step_a};
    int64_t first = bench_add(&b, (JobNew){.idempotency_key = STR("k"), .request_hash = STR("h")});
    set(&b, PROJECT, (QueueSettings){.draining = true});
    assert_int_equal(flow_add(b.db, &n, &added, &b.err), ERR_QUEUE_DRAINING);
    JobNew again = n; /* an answer that was lost is given again */
    again.idempotency_key = STR("k");
    again.request_hash = STR("h");
    assert_ok(flow_add(b.db, &again, &added, &b.err), &b.err);
    assert_true(added.existed && added.job == first);
    assert_int_equal(lease(&b, 10), 1);
    set(&b, PROJECT, (QueueSettings){0});
    assert_ok(flow_add(b.db, &n, &added, &b.err), &b.err);
    bench_close(&b);
}

TEST(no_more_than_so_many_at_once)
{
    Bench b = bench_open();
    set(&b, 0, (QueueSettings){.concurrency = 5});
    set(&b, 1, (QueueSettings){.concurrency = 2});
    flood(&b, 1, 10);
    flood(&b, 2, 10);
    TaskLease *l = NULL, *more = NULL;
    int64_t of[3] = {0};
    assert_int_equal(bench_lease(&b, "default", 10, &l), 5);
    for (size_t i = 0; i < 5; i++)
        of[l[i].project]++;
    assert_int_equal(of[1], 2);
    assert_int_equal(lease(&b, 10), 0);
    done(&b, &l[0]);
    assert_int_equal(bench_lease(&b, "default", 10, &more), 1);
    assert_int_equal(more[0].project, l[0].project);
    set(&b, 0, (QueueSettings){0});
    assert_int_equal(lease(&b, 100), 7); /* the rest of project 2 */
    bench_close(&b);
}

TEST(a_rate_is_kept_across_a_restart)
{
    Bench b = bench_open();
    set(&b, 0, (QueueSettings){.rate = 3, .rate_window_ms = 3600000});
    flood(&b, 1, 10);
    assert_int_equal(lease(&b, 10), 3);
    assert_int_equal(lease(&b, 10), 0);
    db_close(&b.db);
    bench_open_db(&b);
    assert_int_equal(lease(&b, 10), 0);
    set(&b, 0, (QueueSettings){.rate = 1000, .rate_window_ms = 1000});
    assert_int_equal(lease(&b, 10), 0); /* what was taken counts */
    set(&b, 0, (QueueSettings){0});
    assert_int_equal(lease(&b, 10), 7);
    bench_close(&b);
}

static ErrCode look_write(DbConn *tx, void *arg, Err *err)
{
    return queue_next_look(tx, STR("default"), arg, err);
}

TEST(a_rate_says_when_the_next_may_start)
{
    Bench b = bench_open();
    int64_t next_ms = 0, now_ms = clock_now_ms();
    set(&b, 1, (QueueSettings){.rate = 2, .rate_window_ms = 10000});
    flood(&b, 1, 5);
    assert_int_equal(lease(&b, 10), 2);
    assert_ok(db_write(b.db, look_write, &next_ms, &b.err), &b.err);
    assert_in_range(next_ms - now_ms, 4900, 6000);
    bench_close(&b);
}

TEST(settings_are_checked)
{
    static const struct {
        const char *why, *param;
        QueueSettings s;
    } cases[] = {
        {"a rate needs its time", "rate_window_ms", {.rate = 1, .weight = 1}},
        {"weight 0", "weight", {.weight = 0}},
        {"too heavy", "weight", {.weight = 1001}},
        {"less than nothing", "concurrency", {.concurrency = -1, .weight = 1}},
        {"too many runners", "runners", {.runners = 65, .weight = 1}},
        {"kept for less than nothing", "retention_ms", {.retention_ms = -2, .weight = 1}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Err err = {0};
        if (queue_settings_check(&cases[i].s, &err) != ERR_BAD_PARAM ||
            strcmp(err.param, cases[i].param) != 0)
            fail_msg("%s: %s", cases[i].why, err.text);
    }
}

/* --- concurrency keys --- */

static int64_t keyed(Bench *b, const char *key, int64_t limit, int64_t priority)
{
    return bench_add(b, (JobNew){.concurrency_key = str_from_c(key),
                                 .concurrency_limit = limit,
                                 .priority = priority});
}

static void check_slots(Bench *b)
{
    int64_t wrong = -1;
    assert_ok(queue_slots_check(b->reader, &wrong, &b->err), &b->err);
    assert_int_equal(wrong, 0);
}

TEST(one_of_a_key_at_a_time)
{
    Bench b = bench_open();
    TaskLease *l = NULL;
    int64_t first = keyed(&b, "k", 0, 0), second = keyed(&b, "k", 0, 0),
            best = keyed(&b, "k", 0, 9);
    int64_t other = keyed(&b, "other", 0, 0);
    assert_int_equal(bench_lease(&b, "default", 10, &l), 2);
    assert_true(l[0].job == first && l[1].job == other);
    assert_int_equal(bench_get(&b, second).state, JOB_QUEUED);
    TaskLease held = l[0];
    TaskResult r = result_of(&held, ERR_INTERNAL); /* it keeps its slot for the next attempt */
    bench_finish(&b, &r);
    assert_int_equal(lease(&b, 10), 0);
    check_slots(&b);
    assert_ok(flow_cancel(b.db, PROJECT, first, &b.err), &b.err);
    assert_int_equal(bench_lease(&b, "default", 10, &l), 1);
    assert_int_equal(l[0].job, best);
    assert_ok(flow_cancel(b.db, PROJECT, second, &b.err), &b.err); /* leaves the line */
    done(&b, &l[0]);
    assert_int_equal(lease(&b, 10), 0);
    check_slots(&b);
    assert_int_equal(one_int(&b, "SELECT count(*) FROM task_blocked"), 0);
    assert_int_equal(one_int(&b, "SELECT count(*) FROM key_slot"), 1); /* "other" runs */
    bench_close(&b);
}

TEST(so_many_of_a_key)
{
    Bench b = bench_open();
    TaskLease *l = NULL;
    for (int i = 0; i < 10; i++)
        keyed(&b, "k", 3, 0);
    size_t ran = 0;
    for (size_t n; (n = bench_lease(&b, "default", 10, &l)) > 0; ran += n) {
        assert_true(n <= 3);
        for (size_t i = 0; i < n; i++)
            done(&b, &l[i]);
        check_slots(&b);
    }
    assert_int_equal(ran, 10);
    assert_int_equal(one_int(&b, "SELECT count(*) FROM key_slot"), 0);
    bench_close(&b);
}

TEST(who_leaves_the_line_lets_the_next_in)
{
    Bench b = bench_open();
    TaskLease *l = NULL;
    keyed(&b, "k", 1, 0);
    keyed(&b, "k", 2, -1);
    assert_int_equal(bench_lease(&b, "default", 10, &l), 2);
    int64_t narrow = keyed(&b, "k", 1, 5), wide = keyed(&b, "k", 2, 0);
    done(&b, &l[1]); /* one slot is held: narrow is first in line and may not have a second */
    assert_int_equal(lease(&b, 10), 0);
    assert_ok(flow_cancel(b.db, PROJECT, narrow, &b.err), &b.err);
    assert_int_equal(bench_lease(&b, "default", 10, &l), 1);
    assert_int_equal(l[0].job, wide);
    check_slots(&b);
    bench_close(&b);
}

TEST(slots_survive_a_death)
{
    Bench b = bench_open();
    TaskLease *l = NULL;
    keyed(&b, "k", 0, 0);
    keyed(&b, "k", 0, 0);
    assert_int_equal(lease(&b, 10), 1);
    db_close(&b.db);
    bench_open_db(&b);
    assert_int_equal(bench_expire(&b, clock_now_ms(), true), 1);
    check_slots(&b);
    assert_int_equal(bench_lease(&b, "default", 10, &l), 1);
    assert_int_equal(l[0].attempt, 2);
    done(&b, &l[0]);
    assert_int_equal(lease(&b, 10), 1);
    check_slots(&b);
    bench_close(&b);
}

static int64_t timers(Bench *b)
{
    int64_t count = 0, next_ms = 0;
    assert_ok(flow_timers_due(b->db, clock_now_ms(), &count, &next_ms, &b->err), &b->err);
    return count;
}

TEST(a_delayed_task_asks_for_its_slot_when_it_is_due)
{
    Bench b = bench_open();
    TaskLease *l = NULL;
    int64_t later = bench_add(&b, (JobNew){.concurrency_key = STR("k"), .delay_ms = 2});
    int64_t now = keyed(&b, "k", 0, 0);
    assert_int_equal(bench_lease(&b, "default", 10, &l), 1);
    assert_int_equal(l[0].job, now);
    TaskLease held = l[0];
    usleep(4000);
    assert_int_equal(timers(&b), 1);
    assert_int_equal(lease(&b, 10), 0); /* blocked now */
    done(&b, &held);
    assert_int_equal(bench_lease(&b, "default", 10, &l), 1);
    assert_int_equal(l[0].job, later);
    check_slots(&b);
    bench_close(&b);
}

TEST(a_key_has_a_rate)
{
    Bench b = bench_open();
    TaskLease *l = NULL;
    set(&b, PROJECT, (QueueSettings){.key_rate = 2, .rate_window_ms = 3600000});
    for (int i = 0; i < 4; i++)
        keyed(&b, "k", 100, 0);
    keyed(&b, "calm", 100, 0);
    assert_int_equal(bench_lease(&b, "default", 10, &l), 3);
    assert_int_equal(one_int(&b, "SELECT count(*) FROM task WHERE state = 'delayed'"), 2);
    assert_in_range(one_int(&b, "SELECT min(run_at_ms) FROM task WHERE state = 'delayed'") -
                        clock_now_ms(),
                    1790000, 1800000);
    check_slots(&b);
    bench_close(&b);
}

/* --- unique keys --- */

static JobAdded unique(Bench *b)
{
    JobAdded added = {0};
    const JobNew n = {.project = PROJECT, .step = &step_a, .unique_key = STR("u")};
    assert_ok(flow_add(b->db, &n, &added, &b->err), &b->err);
    return added;
}

TEST(one_live_job_of_a_unique_key)
{
    Bench b = bench_open();
    TaskLease *l = NULL;
    JobAdded first = unique(&b), second = unique(&b);
    assert_true(!first.existed && second.existed && second.job == first.job);
    assert_int_equal(bench_lease(&b, "default", 10, &l), 1);
    TaskResult r = result_of(&l[0], ERR_INPUT_DAMAGED);
    bench_finish(&b, &r);
    JobAdded third = unique(&b);
    assert_true(!third.existed && third.job != first.job);
    assert_int_equal(flow_retry(b.db, PROJECT, first.job, &b.err), ERR_CONFLICT);
    assert_int_equal(bench_get(&b, first.job).state, JOB_FAILED);
    assert_ok(flow_cancel(b.db, PROJECT, third.job, &b.err), &b.err);
    assert_ok(flow_retry(b.db, PROJECT, first.job, &b.err), &b.err);
    assert_true(unique(&b).job == first.job);
    bench_close(&b);
}

/* --- time --- */

TEST(too_late)
{
    Bench b = bench_open();
    TaskLease *l = NULL;
    int64_t unstarted = bench_add(&b, (JobNew){.start_within_ms = 1});
    int64_t started = bench_add(&b, (JobNew){.start_within_ms = 60000, .priority = 100});
    int64_t slow = bench_add(&b, (JobNew){.deadline_ms = 1, .priority = 50});
    int64_t quick = bench_add(&b, (JobNew){.deadline_ms = 60000, .priority = 40});
    assert_int_equal(bench_lease(&b, "default", 3, &l), 3);
    TaskLease of_slow = l[1];
    done(&b, &l[2]);
    usleep(3000);
    assert_int_equal(timers(&b), 2);
    Job j = bench_get(&b, unstarted);
    assert_true(j.state == JOB_FAILED && str_eq_c(j.reason, "start_too_late"));
    j = bench_get(&b, slow);
    assert_true(j.state == JOB_FAILED && str_eq_c(j.reason, "deadline_passed"));
    assert_string_equal(bench_events(&b, slow), "job.added task.started job.failed");
    done(&b, &of_slow); /* its worker did not know: the result is dropped */
    assert_int_equal(bench_get(&b, slow).state, JOB_FAILED);
    assert_int_equal(bench_get(&b, started).state, JOB_RUNNING);
    assert_int_equal(bench_get(&b, quick).state, JOB_DONE);
    assert_ok(flow_retry(b.db, PROJECT, slow, &b.err), &b.err);
    assert_int_equal(timers(&b), 0);
    bench_close(&b);
}

TEST(the_backoff_of_a_job)
{
    Bench b = bench_open();
    TaskLease *l = NULL;
    bench_add(&b, (JobNew){.retry_ms = 3600000});
    bench_lease(&b, "default", 1, &l);
    int64_t longest = 0;
    for (int i = 0; i < 8 && longest < 3000; i++) { /* full jitter: one of them waits longer */
        TaskResult r = result_of(&l[0], ERR_INTERNAL);
        bench_finish(&b, &r);
        longest = one_int(&b, "SELECT max(run_at_ms) FROM task") - clock_now_ms();
        if (longest < 3000) {
            bench_add(&b, (JobNew){.retry_ms = 3600000});
            bench_lease(&b, "default", 1, &l);
        }
    }
    assert_true(longest >= 3000);
    bench_close(&b);
}

/* --- retention --- */

static int64_t retain(Bench *b, int64_t now_ms)
{
    int64_t count = 0, sum = 0;
    bool more = true;
    while (more) {
        assert_ok(flow_retain(b->db, now_ms, &count, &more, &b->err), &b->err);
        sum += count;
    }
    return sum;
}

TEST(old_jobs_go)
{
    enum { HOUR = 3600 * 1000 };
    Bench b = bench_open();
    TaskLease *l = NULL;
    int64_t now_ms = clock_now_ms(), ended[2];
    for (int i = 0; i < 2; i++)
        ended[i] = bench_add(&b, (JobNew){.unique_key = STR("u")}),
        bench_lease(&b, "default", 1, &l), done(&b, &l[0]);
    int64_t alive = bench_add(&b, (JobNew){0});
    int64_t kept = bench_add(&b, (JobNew){.queue = STR("archive")});
    assert_ok(flow_cancel(b.db, PROJECT, kept, &b.err), &b.err);
    assert_ok(flow_queue_set(b.db, 0, STR("archive"),
                             &(QueueSettings){.weight = 1, .retention_ms = -1}, &b.err),
              &b.err);
    assert_int_equal(retain(&b, now_ms + 100 * HOUR), 0); /* nobody has said how long */
    assert_ok(flow_set_retention(b.db, HOUR, &b.err), &b.err);
    assert_int_equal(retain(&b, now_ms + HOUR / 2), 0);
    assert_int_equal(retain(&b, now_ms + 2 * HOUR), 2);
    Job j;
    assert_int_equal(flow_get(b.reader, PROJECT, ended[0], b.arena, &j, &b.err), ERR_NOT_FOUND);
    assert_int_equal(bench_get(&b, alive).state, JOB_QUEUED);
    assert_int_equal(bench_get(&b, kept).state, JOB_CANCELED);
    assert_int_equal(one_int(&b, "SELECT count(*) FROM job_option"), 0);
    assert_int_equal(retain(&b, now_ms + 3 * HOUR), 0); /* and nothing is looked at again … */
    assert_int_equal(one_int(&b, "SELECT count(*) FROM task_timer"), 1); /* … but by its timer */
    bench_lease(&b, "default", 1, &l);
    done(&b, &l[0]);
    int64_t count = 0, next_ms = 0;
    assert_ok(flow_timers_due(b.db, now_ms + 4 * HOUR, &count, &next_ms, &b.err), &b.err);
    assert_int_equal(flow_get(b.reader, PROJECT, alive, b.arena, &j, &b.err), ERR_NOT_FOUND);
    bench_close(&b);
}

TEST(the_file_shrinks)
{
    Bench b = bench_open();
    TaskLease *l = NULL;
    char *text = arena_alloc(b.arena, 8000);
    memset(text, 'x', 7999);
    for (int i = 0; i < 1200; i++)
        bench_add(&b, (JobNew){.params = str_from_c(text)});
    int64_t pages = one_int(&b, "PRAGMA page_count"), count = 0;
    for (size_t n; (n = bench_lease(&b, "default", 500, &l)) > 0;)
        for (size_t i = 0; i < n; i++)
            done(&b, &l[i]);
    const BulkFilter all = {.project = PROJECT, .states = 1u << JOB_DONE};
    assert_ok(flow_bulk(b.db, BULK_DELETE, &all, false, &count, &b.err), &b.err);
    assert_int_equal(count, 1200);
    bool more = true;
    for (int i = 0; more; i++) {
        assert_true(i < 200);
        assert_ok(db_shrink(b.db, 256, &more, &b.err), &b.err);
    }
    assert_true(one_int(&b, "PRAGMA page_count") < pages / 2);
    bench_close(&b);
}

/* --- many --- */

TEST(many_at_once)
{
    Bench b = bench_open();
    TaskLease *l = NULL;
    int64_t count = 0;
    flood(&b, PROJECT, 1200);
    flood(&b, PROJECT + 1, 3);
    bench_add(&b, (JobNew){.queue = STR("other")});
    BulkFilter f = {.project = PROJECT, .states = 1u << JOB_QUEUED, .queue = STR("default")};
    assert_ok(flow_bulk(b.db, BULK_CANCEL, &f, true, &count, &b.err), &b.err);
    assert_int_equal(count, 1200);
    assert_ok(flow_bulk(b.db, BULK_CANCEL, &f, false, &count, &b.err), &b.err);
    assert_int_equal(count, 1200);
    assert_int_equal(bench_lease(&b, "default", 10, &l), 3);
    assert_int_equal(bench_lease(&b, "other", 10, &l), 1);
    TaskResult r = result_of(&l[0], ERR_INPUT_DAMAGED);
    bench_finish(&b, &r);

    f = (BulkFilter){.project = PROJECT, .letters = true, .reason = STR("limit_time")};
    assert_ok(flow_bulk(b.db, BULK_RETRY, &f, false, &count, &b.err), &b.err);
    assert_int_equal(count, 0);
    f.reason = STR("input_damaged");
    assert_ok(flow_bulk(b.db, BULK_RETRY, &f, false, &count, &b.err), &b.err);
    assert_int_equal(count, 1);
    f = (BulkFilter){.project = PROJECT, .states = 1u << JOB_CANCELED | 1u << JOB_FAILED};
    assert_ok(flow_bulk(b.db, BULK_RETRY, &f, false, &count, &b.err), &b.err);
    assert_int_equal(count, 1200);
    assert_ok(flow_bulk(b.db, BULK_DELETE, &f, false, &count, &b.err), &b.err);
    assert_int_equal(count, 0);
    f.states = 1u << JOB_QUEUED | 1u << JOB_RUNNING;
    f.since_ms = clock_now_ms() + 1000;
    assert_ok(flow_bulk(b.db, BULK_CANCEL, &f, false, &count, &b.err), &b.err);
    assert_int_equal(count, 0);
    f.since_ms = 0;
    assert_ok(flow_bulk(b.db, BULK_CANCEL, &f, false, &count, &b.err), &b.err);
    assert_int_equal(count, 1201);
    bench_close(&b);
}

/* Only those that are named, of this project, in a state that the verb knows; pages of 500 too. */
TEST(those_that_are_named)
{
    enum { MANY = 600 };
    Bench b = bench_open();
    TaskLease *l = NULL;
    int64_t ids[MANY + 1], count = 0;
    for (int i = 0; i < MANY; i++)
        ids[i] = bench_add(&b, (JobNew){.queue = STR("default")});
    int64_t kept = bench_add(&b, (JobNew){.queue = STR("default")});
    ids[MANY] = 1; /* there is no such job */
    BulkFilter f = {.project = PROJECT,
                    .ids = ids,
                    .ids_len = COUNT_OF(ids),
                    .states = 1u << JOB_QUEUED | 1u << JOB_RUNNING};
    assert_ok(flow_bulk(b.db, BULK_CANCEL, &f, true, &count, &b.err), &b.err);
    assert_int_equal(count, MANY);
    assert_ok(flow_bulk(b.db, BULK_CANCEL, &f, false, &count, &b.err), &b.err);
    assert_int_equal(count, MANY);
    assert_int_equal(bench_get(&b, kept).state, JOB_QUEUED);
    BulkFilter others = f;
    others.project = PROJECT + 1;
    assert_ok(flow_bulk(b.db, BULK_CANCEL, &others, true, &count, &b.err), &b.err);
    assert_int_equal(count, 0);
    assert_ok(flow_bulk(b.db, BULK_CANCEL, &f, false, &count, &b.err), &b.err);
    assert_int_equal(count, 0);
    f.states = 1u << JOB_CANCELED;
    f.ids_len = 1;
    assert_ok(flow_bulk(b.db, BULK_RETRY, &f, false, &count, &b.err), &b.err);
    assert_int_equal(count, 1);
    assert_int_equal(bench_get(&b, ids[0]).state, JOB_QUEUED);
    f.ids_len = COUNT_OF(ids);
    assert_ok(flow_bulk(b.db, BULK_DELETE, &f, false, &count, &b.err), &b.err);
    assert_int_equal(count, MANY - 1);
    assert_int_equal(bench_lease(&b, "default", 10, &l), 2);

    f = (BulkFilter){.project = PROJECT, .states = 1u << JOB_RUNNING, .key = 77};
    assert_ok(flow_bulk(b.db, BULK_CANCEL, &f, true, &count, &b.err), &b.err);
    assert_int_equal(count, 0);
    f = (BulkFilter){.project = PROJECT, .states = 31, .pipeline = STR("none")};
    assert_ok(flow_bulk(b.db, BULK_DELETE, &f, true, &count, &b.err), &b.err);
    assert_int_equal(count, 0);
    bench_close(&b);
}

TEST_MAIN(a_flood_delays_others_by_its_share_at_most, many_projects, weights_are_shares,
          turns_survive_a_restart, a_lease_that_is_taken_back_is_forgotten, paused_and_resumed,
          draining_refuses_what_is_new, no_more_than_so_many_at_once,
          a_rate_is_kept_across_a_restart, a_rate_says_when_the_next_may_start,
          settings_are_checked, one_of_a_key_at_a_time, so_many_of_a_key,
          who_leaves_the_line_lets_the_next_in, slots_survive_a_death,
          a_delayed_task_asks_for_its_slot_when_it_is_due, a_key_has_a_rate,
          one_live_job_of_a_unique_key, too_late, the_backoff_of_a_job, old_jobs_go,
          the_file_shrinks, many_at_once, those_that_are_named)
