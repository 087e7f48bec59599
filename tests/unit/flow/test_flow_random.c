/* Random operations, seeded: after each, what a job's rows say must agree, and in the end every job
 * must have an end.
 *
 *   a job has a task or an end, never both, never neither
 *   its events are numbered 1, 2, 3 …, begin with job.added, and the last one fits its state
 *   attempts never exceed their maximum, and never go back
 *   a dead letter belongs to a job that failed
 *   what a stale attempt says changes nothing
 *   a concurrency key has as many slots in use as tasks hold one, never more than its limit, and
 *   none is free while somebody waits for it
 *   a unique key belongs to a live job, and to one at most
 *   nothing is leased while the queue is paused
 *   usage is summed up by the hour and by the day as it was told */
#include "db/db_in.h"
#include "unit/flow/bench_db.h"

enum { JOBS_MAX = 60, LEASES_MAX = 200, STEPS = 1200, SEEDS = 10 };

typedef struct World {
    Bench b;
    uint64_t random;
    int64_t jobs[JOBS_MAX], attempts[JOBS_MAX];
    size_t jobs_len;
    TaskLease leases[LEASES_MAX]; /* also of attempts that are over: they come back as stale ones */
    size_t leases_len;
    int64_t now_ms;
    bool paused;
} World;

enum { KEYS = 3, KEY_LIMIT = 2, UNIQUE_KEYS = 2 };
static const char *const keys[] = {"one", "two", "three"}, *const unique_keys[] = {"u1", "u2"};

static uint64_t roll(World *w, uint64_t sides)
{
    w->random ^= w->random << 13;
    w->random ^= w->random >> 7;
    w->random ^= w->random << 17;
    return w->random % sides;
}

/* Columns of one row of integers. */
static bool row(World *w, const char *sql, int64_t id, int64_t *out, int columns)
{
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(w->b.reader->sqlite, sql, -1, &stmt, NULL), SQLITE_OK);
    sqlite3_bind_int64(stmt, 1, id);
    bool found = sqlite3_step(stmt) == SQLITE_ROW;
    for (int i = 0; found && i < columns; i++)
        out[i] = sqlite3_column_int64(stmt, i);
    sqlite3_finalize(stmt);
    return found;
}

static bool fits(JobState state, Str last)
{
    switch (state) {
    case JOB_QUEUED:
        return str_eq_c(last, "job.added") || str_eq_c(last, "task.retry") ||
               str_eq_c(last, "task.lost") || str_eq_c(last, "job.retried");
    case JOB_RUNNING:
        return str_eq_c(last, "task.started") || str_eq_c(last, "task.progress") ||
               str_eq_c(last, "task.note");
    case JOB_DONE:
        return str_eq_c(last, "job.done");
    case JOB_FAILED:
        return str_eq_c(last, "job.failed");
    case JOB_CANCELED:
        return str_eq_c(last, "job.canceled");
    default:
        return false;
    }
}

static void check_job(World *w, size_t i)
{
    ArenaMark mark = arena_mark(w->b.arena);
    int64_t id = w->jobs[i], task[3] = {0}, end[3] = {0}, letter[1];
    bool alive = row(w, "SELECT seq, attempt, max_attempts FROM task WHERE id = ?", id, task, 3);
    bool ended =
        row(w, "SELECT seq, attempts, max_attempts FROM job_end WHERE job = ?", id, end, 3);
    bool dead = row(w, "SELECT 1 FROM dead_letter WHERE id = ?", id, letter, 1);
    assert_true(alive != ended);
    const int64_t *now = alive ? task : end;
    assert_true(now[1] <= now[2]);
    assert_true(now[1] >= w->attempts[i]);
    w->attempts[i] = now[1];

    Job j = bench_get(&w->b, id);
    assert_int_equal(j.events, now[0]);
    assert_int_equal(j.attempts, now[1]);
    assert_true(!dead || j.state == JOB_FAILED);
    JobEvent *e = NULL;
    size_t n = 0;
    assert_ok(flow_events(w->b.reader, PROJECT, id, 0, 1000, w->b.arena, &e, &n, &w->b.err),
              &w->b.err);
    assert_int_equal(n, now[0]);
    for (size_t k = 0; k < n; k++) {
        assert_int_equal(e[k].seq, k + 1);
        assert_true(e[k].time_ms > 0 && (k == 0) == str_eq_c(e[k].type, "job.added"));
    }
    if (!fits(j.state, e[n - 1].type))
        fail_msg("%s after " STR_FMT, job_state_name(j.state), STR_ARG(e[n - 1].type));
    arena_rewind(w->b.arena, mark);
}

/* Rows that a query finds though there must be none. */
static void none(World *w, const char *sql)
{
    int64_t n = 0;
    assert_true(row(w, sql, 0, &n, 1));
    if (n != 0)
        fail_msg("%" PRId64 " of: %s", n, sql);
}

static void check_keys(World *w)
{
    int64_t wrong = -1;
    assert_ok(queue_slots_check(w->b.reader, &wrong, &w->b.err), &w->b.err);
    assert_int_equal(wrong, 0);
    none(w, "SELECT count(*) FROM key_slot WHERE held > 2");
    none(w, "SELECT count(*) FROM task WHERE concurrency_key IS NOT NULL AND (flags & 1) = 0 AND "
            "state IN ('ready', "
            "'delayed', 'leased')");
    none(w, "SELECT count(*) FROM task_blocked b LEFT JOIN task t ON t.id = b.task AND t.state = "
            "'blocked' WHERE t.id IS "
            "NULL");
    none(w, "SELECT count(*) FROM task t WHERE state = 'blocked' AND NOT EXISTS (SELECT 1 FROM "
            "task_blocked b WHERE b.task "
            "= t.id) AND NOT EXISTS (SELECT 1 FROM task_timer m WHERE m.task = t.id AND kind = 1)");
    none(w, "SELECT count(*) FROM (SELECT key, min(slots) least FROM task_blocked GROUP BY key) b "
            "LEFT JOIN key_slot s ON "
            "s.key = b.key WHERE COALESCE(s.held, 0) < b.least");
    none(w, "SELECT count(*) FROM unique_key u LEFT JOIN task t ON t.id = u.job AND (t.flags & 2) "
            "= 2 WHERE t.id IS NULL");
    none(w, "SELECT count(*) FROM (SELECT o.unique_key FROM job_option o JOIN task t ON t.id = "
            "o.job WHERE o.unique_key IS "
            "NOT NULL GROUP BY 1 HAVING count(*) > 1)");
}

static void check_usage(World *w)
{
    static const char sql[] =
        "SELECT (SELECT COALESCE(sum(amount), 0) * 1000 + count(*) FROM usage_event) - "
        "(SELECT COALESCE(sum(amount), 0) * 1000 + COALESCE(sum(facts), 0) FROM usage_total "
        "WHERE span_ms = ?)";
    for (int i = 0; i < 2; i++) {
        int64_t differs = -1;
        assert_true(row(w, sql, i == 0 ? 3600000 : 86400000, &differs, 1));
        assert_int_equal(differs, 0);
    }
}

static void do_add(World *w)
{
    if (w->jobs_len == JOBS_MAX)
        return;
    JobNew n = {.step = &step_a,
                .project = PROJECT,
                .attempts = 1 + (int64_t)roll(w, 3),
                .priority = (int64_t)roll(w, 201) - 100,
                .delay_ms = roll(w, 4) == 0 ? 1 : 0};
    if (roll(w, 2) == 0) {
        n.concurrency_key = str_from_c(keys[roll(w, KEYS)]);
        n.concurrency_limit = 1 + (int64_t)roll(w, KEY_LIMIT);
    }
    if (roll(w, 6) == 0)
        n.unique_key = str_from_c(unique_keys[roll(w, UNIQUE_KEYS)]);
    if (roll(w, 8) == 0)
        n.deadline_ms = 60000;
    if (roll(w, 8) == 0)
        n.start_within_ms = 30000;
    JobAdded added;
    assert_ok(flow_add(w->b.db, &n, &added, &w->b.err), &w->b.err);
    if (!added.existed)
        w->jobs[w->jobs_len++] = added.job;
}

static void do_pause(World *w, bool paused)
{
    w->paused = paused;
    assert_ok(flow_queue_set(w->b.db, roll(w, 2) ? 0 : PROJECT, STR("default"),
                             &(QueueSettings){.paused = paused, .weight = 1}, &w->b.err),
              &w->b.err);
    if (!paused) /* whichever it was */
        for (int i = 0; i < 2; i++)
            assert_ok(flow_queue_set(w->b.db, i ? 0 : PROJECT, STR("default"),
                                     &(QueueSettings){.weight = 1}, &w->b.err),
                      &w->b.err);
}

static void do_timers(World *w, int64_t ahead_ms)
{
    int64_t count = 0, next_ms = 0;
    assert_ok(flow_timers_due(w->b.db, clock_now_ms() + ahead_ms, &count, &next_ms, &w->b.err),
              &w->b.err);
}

static void do_lease(World *w)
{
    TaskLease *l = NULL;
    size_t n = bench_lease(&w->b, "default", 1 + (int)roll(w, 5), &l);
    assert_true(!w->paused || n == 0);
    for (size_t i = 0; i < n; i++)
        w->leases[w->leases_len++ % LEASES_MAX] = l[i];
}

static TaskLease *some_lease(World *w)
{
    size_t n = w->leases_len < LEASES_MAX ? w->leases_len : LEASES_MAX;
    return n > 0 ? &w->leases[roll(w, n)] : NULL;
}

static void do_finish(World *w)
{
    static const ErrCode codes[] = {OK, OK, ERR_INTERNAL, ERR_ENGINE_CRASHED, ERR_INPUT_DAMAGED};
    TaskLease *l = some_lease(w);
    if (l == NULL)
        return;
    TaskResult r = result_of(l, codes[roll(w, COUNT_OF(codes))]);
    const JobUsage usage[] = {{STR("pages"), (int64_t)roll(w, 9)}, {STR("tokens"), 40}};
    r.usage = usage;
    r.usage_len = roll(w, 3);
    bench_finish(&w->b, &r);
}

static void must_be(ErrCode rc, ErrCode other, const Err *err)
{
    if (rc != OK && rc != other)
        fail_msg("%s: %s", err_reason(rc), err->text);
}

static void do_change(World *w)
{
    if (w->jobs_len == 0)
        return;
    int64_t id = w->jobs[roll(w, w->jobs_len)], count = 0;
    ErrCode rc;
    switch (roll(w, 6)) {
    case 0:
        must_be(flow_cancel(w->b.db, PROJECT, id, &w->b.err), ERR_CONFLICT, &w->b.err);
        break;
    case 1:
    case 2:
        must_be(flow_retry(w->b.db, PROJECT, id, &w->b.err), ERR_CONFLICT, &w->b.err);
        break;
    case 3:
        if ((rc = flow_dead_redrive(w->b.db, PROJECT, id, &count, &w->b.err)) != ERR_CONFLICT)
            must_be(rc, ERR_NOT_FOUND, &w->b.err); /* conflict: its unique key is taken */
        break;
    case 4:
        if (roll(w, 10) == 0)
            must_be(flow_dead_redrive(w->b.db, PROJECT, 0, &count, &w->b.err), OK, &w->b.err);
        break;
    default:
        must_be(flow_dead_delete(w->b.db, PROJECT, id, &count, &w->b.err), ERR_NOT_FOUND,
                &w->b.err);
    }
}

typedef struct Said {
    const TaskLease *l;
    bool note;
} Said;

static ErrCode say_write(DbConn *tx, void *arg, Err *err)
{
    const Said *s = arg;
    return flow_progress_tx(tx, s->l->id, s->l->attempt, 1, s->note ? -1 : 2, STR("x"), err);
}

/* What waiting would do. */
static ErrCode make_due_write(DbConn *tx, void *arg, Err *err)
{
    (void)arg;
    (void)err;
    queue_reload(tx); /* nobody told the queue */
    return sqlite3_exec(tx->sqlite, "UPDATE task SET run_at_ms = 0 WHERE state = 'delayed'", NULL,
                        NULL, NULL) == SQLITE_OK
               ? OK
               : ERR_DB;
}

static void do_rest(World *w)
{
    TaskLease *l = some_lease(w);
    switch (roll(w, 9)) {
    case 6:
        do_pause(w, !w->paused && roll(w, 2) == 0);
        break;
    case 7:
        do_timers(w, 0);
        break;
    case 8:
        if (roll(w, 20) == 0)
            do_timers(w, roll(w, 2) ? 31000 : 61000);
        break;
    case 5:
        assert_ok(db_write(w->b.db, make_due_write, NULL, &w->b.err), &w->b.err);
        break;
    case 0:
        bench_expire(&w->b, clock_now_ms(), roll(w, 4) == 0);
        break;
    case 1: /* the process dies: nothing is finished, everything is opened again */
        if (roll(w, 10) != 0)
            break;
        db_close(&w->b.db);
        bench_open_db(&w->b);
        bench_expire(&w->b, clock_now_ms(), true);
        break;
    case 2:
        if (l != NULL && roll(w, 3) == 0)
            bench_give_back(&w->b, l);
        break;
    default:
        if (l != NULL)
            assert_ok(db_write(w->b.db, say_write, &(Said){l, roll(w, 2) == 0}, &w->b.err),
                      &w->b.err);
    }
}

static void random_step(World *w)
{
    switch (roll(w, 10)) {
    case 0:
    case 1:
        do_add(w);
        break;
    case 2:
    case 3:
    case 4:
        do_lease(w);
        break;
    case 5:
    case 6:
    case 7:
        do_finish(w);
        break;
    case 8:
        do_change(w);
        break;
    default:
        do_rest(w);
    }
}

/* Lease and finish whatever is left; what waits for its backoff is made due. */
static void run_out(World *w)
{
    for (;;) {
        int64_t left = 0;
        assert_true(row(w, "SELECT count(*) FROM task WHERE id > ?", 0, &left, 1));
        if (left == 0)
            return;
        bench_expire(&w->b, clock_now_ms(), true);
        assert_ok(db_write(w->b.db, make_due_write, NULL, &w->b.err), &w->b.err);
        do_timers(w, 100);
        TaskLease *l = NULL;
        size_t n = bench_lease(&w->b, "default", 100, &l);
        for (size_t i = 0; i < n; i++) {
            TaskResult r = result_of(&l[i], OK);
            bench_finish(&w->b, &r);
        }
    }
}

static void play(uint64_t seed)
{
    World w = {.b = bench_open(), .random = seed * 0x9e3779b97f4a7c15 + 1};
    for (int i = 0; i < STEPS; i++) {
        random_step(&w);
        if (w.jobs_len > 0)
            check_job(&w, roll(&w, w.jobs_len));
        if (i % 4 == 0) {
            check_keys(&w);
            check_usage(&w);
        }
    }
    do_pause(&w, false);
    run_out(&w);
    check_keys(&w);
    check_usage(&w);
    for (size_t i = 0; i < w.jobs_len; i++) {
        check_job(&w, i);
        JobState s = bench_get(&w.b, w.jobs[i]).state;
        assert_true(s == JOB_DONE || s == JOB_FAILED || s == JOB_CANCELED);
    }
    assert_true(w.jobs_len > JOBS_MAX / 2);
    bench_close(&w.b);
}

TEST(every_job_reaches_an_end)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        play(seed);
}

TEST_MAIN(every_job_reaches_an_end)
