/* schedule.h: policies, exactly one firing, clocks that jump; the clock is the test's. */
#include "flow/pipeline.h"
#include "flow/schedule.h"
#include "db/queries.h"
#include "unit/flow/bench_db.h"

enum { MINUTE_MS = 60000, HOUR_MS = 60 * MINUTE_MS };
static const int64_t T0 = INT64_C(1767225600000); /* 2026-01-01 00:00 UTC */

static const Step step_noop = {.name = "test.noop",
                               .title = "Do nothing",
                               .summary = "Succeed without doing anything.",
                               .since = "0.1",
                               .internal = true};

typedef struct World {
    Bench b;
    Registry *registry;
    FlowHooks hooks;
} World;

static World world_open(void)
{
    World w = {.b = bench_open()};
    w.registry = registry_open(w.b.arena);
    assert_ok(registry_add(w.registry, &step_noop, &w.b.err), &w.b.err);
    return w;
}

static void world_close(World *w)
{
    bench_close(&w->b);
}

/* The process dies and another one comes. */
static void world_again(World *w)
{
    db_close(&w->b.db);
    bench_open_db(&w->b);
}

static ScheduleSpec spec(const char *name, const char *cron)
{
    return (ScheduleSpec){.name = str_from_c(name),
                          .cron = str_from_c(cron),
                          .step = STR("test.noop"),
                          .params = STR("{}")};
}

static ErrCode put(World *w, ScheduleSpec s, bool replace, int64_t now_ms)
{
    bool made;
    return schedule_put(w->b.db, w->registry, PROJECT, 1, &s, replace, now_ms, &made, &w->b.err);
}

static void make(World *w, ScheduleSpec s, int64_t now_ms)
{
    assert_ok(put(w, s, false, now_ms), &w->b.err);
}

static Schedule get(World *w, const char *name)
{
    Schedule s = {0};
    assert_ok(schedule_get(w->b.reader, PROJECT, str_from_c(name), w->b.arena, &s, &w->b.err),
              &w->b.err);
    return s;
}

/* How many jobs were started; the next time goes to *next. */
static int64_t fire_next(World *w, int64_t now_ms, int64_t *next)
{
    int64_t fired = -1;
    assert_ok(schedule_fire_due(w->b.db, w->registry, now_ms, &fired, next, &w->b.err), &w->b.err);
    return fired;
}

static int64_t fire(World *w, int64_t now_ms)
{
    int64_t next;
    return fire_next(w, now_ms, &next);
}

static int64_t jobs(World *w, JobState state)
{
    int64_t n = 0, before = 0;
    bool more = true;
    while (more) {
        Job *list = NULL;
        size_t len = 0;
        JobFilter f = {.project = PROJECT, .states = 1u << state, .limit = 200, .before = before};
        assert_ok(flow_list(w->b.reader, &f, w->b.arena, &list, &len, &more, &w->b.err), &w->b.err);
        n += (int64_t)len;
        before = len > 0 ? list[len - 1].id : 0;
    }
    return n;
}

static void end_all(World *w)
{
    TaskLease *l = NULL;
    size_t n = bench_lease(&w->b, "default", 1000, &l);
    for (size_t i = 0; i < n; i++) {
        TaskResult r = result_of(&l[i], OK);
        bench_finish(&w->b, &r);
    }
}

TEST(a_time_is_done_once)
{
    World w = world_open();
    int64_t next = 0;
    make(&w, spec("hourly", "@hourly"), T0);
    assert_int_equal(get(&w, "hourly").next_ms, T0 + HOUR_MS);
    assert_int_equal(fire_next(&w, T0 + HOUR_MS - 1, &next), 0);
    assert_int_equal(next, T0 + HOUR_MS);
    assert_int_equal(fire_next(&w, T0 + HOUR_MS, &next), 1);
    assert_int_equal(next, T0 + 2 * HOUR_MS);
    assert_int_equal(fire(&w, T0 + HOUR_MS), 0);
    world_again(&w);
    assert_int_equal(fire(&w, T0 + HOUR_MS + 500), 0);
    Schedule s = get(&w, "hourly");
    assert_int_equal(s.fired, 1);
    assert_int_equal(s.last_ms, T0 + HOUR_MS);
    assert_int_equal(s.last_fired_ms, T0 + HOUR_MS);
    assert_int_equal(bench_get(&w.b, s.last_job).state, JOB_QUEUED);
    assert_int_equal(jobs(&w, JOB_QUEUED), 1);
    world_close(&w);
}

/* Whatever fails on the way, the time is done once at the end: not twice, not never. */
TEST(a_death_in_between_changes_nothing)
{
    World w = world_open();
    make(&w, spec("hourly", "@hourly"), T0);
    int64_t now = T0 + HOUR_MS;
    for (int nth = 1;; nth++) {
        int64_t fired = 0, next = 0, before = get(&w, "hourly").fired;
        fault_arm(nth);
        ErrCode rc = schedule_fire_due(w.b.db, w.registry, now, &fired, &next, &w.b.err);
        bool hit = fault_disarm();
        world_again(&w);
        Schedule s = get(&w, "hourly");
        assert_int_equal(s.fired - before, rc == OK ? 1 : 0);
        assert_int_equal(s.next_ms, rc == OK ? now + HOUR_MS : now);
        assert_int_equal(jobs(&w, JOB_QUEUED), s.fired);
        assert_int_equal(fire(&w, now), rc == OK ? 0 : 1);
        now += HOUR_MS;
        if (!hit)
            break;
    }
    world_close(&w);
}

TEST(a_clock_that_jumps)
{
    World w = world_open();
    make(&w, spec("hourly", "@hourly"), T0);
    assert_int_equal(fire(&w, T0 + 5 * HOUR_MS), 1); /* forward: skip makes up none but the last */
    assert_int_equal(fire(&w, T0 + HOUR_MS), 0);     /* back */
    assert_int_equal(fire(&w, T0 + 5 * HOUR_MS), 0); /* what is done is done */
    assert_int_equal(fire(&w, T0 + 5 * HOUR_MS + 1), 0);
    assert_int_equal(fire(&w, T0 + 6 * HOUR_MS), 1);
    /* Back by two hours, then paused and resumed, or changed: done times do not come again. */
    int64_t now = T0 + 4 * HOUR_MS;
    assert_ok(schedule_pause(w.b.db, PROJECT, STR("hourly"), true, now, &w.b.err), &w.b.err);
    assert_int_equal(get(&w, "hourly").next_ms, 0);
    assert_int_equal(fire(&w, T0 + 100 * HOUR_MS), 0);
    assert_ok(schedule_pause(w.b.db, PROJECT, STR("hourly"), false, now, &w.b.err), &w.b.err);
    assert_int_equal(get(&w, "hourly").next_ms, T0 + 7 * HOUR_MS);
    assert_ok(put(&w, spec("hourly", "0,30 * * * *"), true, now), &w.b.err);
    assert_int_equal(get(&w, "hourly").next_ms, T0 + 6 * HOUR_MS + 30 * MINUTE_MS);
    /* A clock that was wrong by years must not silence it for years. */
    assert_int_equal(fire(&w, T0 + 90000 * (int64_t)HOUR_MS), 1);
    assert_ok(schedule_pause(w.b.db, PROJECT, STR("hourly"), true, now, &w.b.err), &w.b.err);
    assert_ok(schedule_pause(w.b.db, PROJECT, STR("hourly"), false, now, &w.b.err), &w.b.err);
    assert_int_equal(get(&w, "hourly").next_ms, now + 30 * MINUTE_MS);
    world_close(&w);
}

TEST(missed_times)
{
    static const struct {
        const char *why, *cron;
        Missed missed;
        int64_t away_ms, fired, skipped;
    } cases[] = {
        {"on time", "@hourly", MISSED_SKIP, 0, 1, 0},
        {"a little late is on time", "@hourly", MISSED_SKIP, SCHEDULE_LATE_MS, 1, 0},
        {"skip", "@hourly", MISSED_SKIP, SCHEDULE_LATE_MS + 1, 0, 1},
        {"skip, the last is on time", "@hourly", MISSED_SKIP, 5 * HOUR_MS, 1, 5},
        {"skip many", "@hourly", MISSED_SKIP, 5 * HOUR_MS + 2 * MINUTE_MS, 0, 6},
        {"once", "@hourly", MISSED_ONCE, 5 * HOUR_MS + 2 * MINUTE_MS, 1, 5},
        {"once, one", "@hourly", MISSED_ONCE, 2 * MINUTE_MS, 1, 0},
        {"all", "@hourly", MISSED_ALL, 5 * HOUR_MS + 2 * MINUTE_MS, 6, 0},
        {"all is bounded", "@hourly", MISSED_ALL, 200 * HOUR_MS, 100, 101},
        {"a busy second", "* * * * * *", MISSED_SKIP, 30000, 1, 30},
        {"each of them", "* * * * * *", MISSED_ALL, 30000, 31, 0},
        {"every", "@every 90s", MISSED_ALL, 900000, 11, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        World w = world_open();
        ScheduleSpec s = spec("s", cases[i].cron);
        s.missed = cases[i].missed;
        make(&w, s, T0);
        int64_t due = get(&w, "s").next_ms, now = due + cases[i].away_ms;
        int64_t fired = fire(&w, now);
        Schedule after = get(&w, "s");
        if (fired != cases[i].fired || after.skipped != cases[i].skipped)
            fail_msg("%s: fired %" PRId64 ", skipped %" PRId64, cases[i].why, fired, after.skipped);
        assert_int_equal(jobs(&w, JOB_QUEUED), fired);
        assert_true(after.next_ms > now);
        assert_true(after.last_ms <= now);
        assert_int_equal(after.skip_reason.len > 0, after.skipped > 0);
        assert_int_equal(fire(&w, now), 0);
        world_close(&w);
    }
}

/* The newest hundred, in their order, even after years of seconds. */
TEST(what_is_made_up_is_the_newest)
{
    Cron c;
    Err err = {0};
    Zone utc = {0};
    Firing f;
    assert_ok(cron_parse(STR("* * * * * *"), &c, &err), &err);
    Schedule s = {.next_ms = T0, .spec = {.missed = MISSED_ALL}};
    int64_t now = T0 + INT64_C(5) * 365 * 24 * HOUR_MS;
    schedule_plan(&s, &c, &utc, now, &f);
    assert_int_equal(f.len, 100);
    assert_int_equal(f.last_ms, now);
    assert_int_equal(f.next_ms, now + 1000);
    assert_true(f.left_out > 10000);
    for (size_t i = 0; i < f.len; i++)
        assert_int_equal(f.times[i], now - (int64_t)(99 - i) * 1000);
}

TEST(overlap)
{
    World w = world_open();
    static const struct {
        const char *name;
        Overlap overlap;
    } kinds[] = {{"allow", OVERLAP_ALLOW},
                 {"skip", OVERLAP_SKIP},
                 {"queue", OVERLAP_QUEUE},
                 {"cancel", OVERLAP_CANCEL}};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        ScheduleSpec s = spec(kinds[i].name, "@hourly");
        s.overlap = kinds[i].overlap;
        make(&w, s, T0);
    }
    assert_int_equal(fire(&w, T0 + HOUR_MS), 4);
    assert_int_equal(fire(&w, T0 + 2 * HOUR_MS), 3);
    Schedule s = get(&w, "skip");
    assert_int_equal(s.fired, 1);
    assert_int_equal(s.skipped, 1);
    assert_str_equal(s.skip_reason, "the job before has not ended");
    assert_int_equal(s.next_ms, T0 + 3 * HOUR_MS);
    assert_int_equal(jobs(&w, JOB_CANCELED), 1);
    assert_int_equal(get(&w, "cancel").fired, 2);
    assert_int_equal(jobs(&w, JOB_QUEUED), 2 + 1 + 2 + 1);

    end_all(&w);
    assert_int_equal(fire(&w, T0 + 3 * HOUR_MS), 4);
    assert_int_equal(get(&w, "skip").fired, 2);

    /* By hand the same rules hold. */
    JobAdded added;
    assert_int_equal(schedule_run(w.b.db, w.registry, PROJECT, STR("skip"), STR("t"), STR(""),
                                  T0 + 3 * HOUR_MS, &added, &w.b.err),
                     ERR_CONFLICT);
    assert_ok(schedule_run(w.b.db, w.registry, PROJECT, STR("allow"), STR("t"), STR(""),
                           T0 + 3 * HOUR_MS, &added, &w.b.err),
              &w.b.err);
    assert_int_equal(get(&w, "allow").last_job, added.job);
    assert_int_equal(get(&w, "allow").next_ms, T0 + 4 * HOUR_MS);
    assert_str_equal(bench_get(&w.b, added.job).trace, "t");
    world_close(&w);
}

TEST(start_end_and_every)
{
    World w = world_open();
    ScheduleSpec s = spec("s", "@every 90s");
    s.start_ms = T0 + HOUR_MS;
    s.end_ms = T0 + HOUR_MS + 200000;
    make(&w, s, T0);
    assert_int_equal(get(&w, "s").next_ms, T0 + HOUR_MS);
    assert_int_equal(fire(&w, T0 + HOUR_MS), 1);
    assert_int_equal(fire(&w, T0 + HOUR_MS + 95000), 1); /* late: the beat stays */
    assert_int_equal(get(&w, "s").next_ms, T0 + HOUR_MS + 180000);
    assert_int_equal(fire(&w, T0 + HOUR_MS + 180000), 1);
    assert_int_equal(get(&w, "s").next_ms, 0); /* over */
    assert_int_equal(fire(&w, T0 + 50 * HOUR_MS), 0);

    s = spec("cron", "@hourly");
    s.start_ms = T0 + 3 * HOUR_MS;
    s.jitter_ms = 1000;
    make(&w, s, T0);
    assert_int_equal(get(&w, "cron").next_ms, T0 + 3 * HOUR_MS); /* start itself counts */
    assert_int_equal(fire(&w, T0 + 3 * HOUR_MS), 1);
    Job j = bench_get(&w.b, get(&w, "cron").last_job);
    assert_true(j.run_at_ms - j.created_ms <= 1001);
    world_close(&w);
}

TEST(what_is_wrong_is_refused)
{
    World w = world_open();
    struct {
        ScheduleSpec s;
        const char *param;
    } cases[16];
    size_t n = 0;
#define BAD(param_, change)                                                                        \
    do {                                                                                           \
        ScheduleSpec s = spec("s", "@hourly");                                                     \
        change;                                                                                    \
        cases[n].s = s;                                                                            \
        cases[n++].param = param_;                                                                 \
    } while (0)
    BAD("name", s.name = STR("Big"));
    BAD("name", s.name = STR(""));
    BAD("name", s.name = STR("a b"));
    BAD("name", s.name = STR("preview"));
    BAD("cron", s.cron = STR("* *"));
    BAD("cron", s.cron = STR("0 0 30 2 *"));
    BAD("zone", s.zone = STR("Mars/Base"));
    BAD("step", s.pipeline = STR("p"));
    BAD("step", s.step = STR(""));
    BAD("", s.step = STR("no.step"));
    BAD("end", s.start_ms = 5; s.end_ms = 5);
    BAD("jitter_ms", s.jitter_ms = -1);
    BAD("priority", s.priority = 101);
    BAD("queue", s.queue = STR("No"));
    for (size_t i = 0; i < n; i++) {
        w.b.err = (Err){0};
        assert_int_not_equal(put(&w, cases[i].s, false, T0), OK);
        assert_string_equal(w.b.err.param, cases[i].param);
    }
    make(&w, spec("s", "@hourly"), T0);
    assert_int_equal(put(&w, spec("s", "@hourly"), false, T0), ERR_CONFLICT);
    assert_ok(put(&w, spec("s", "@daily"), true, T0), &w.b.err);
    assert_ok(schedule_delete(w.b.db, PROJECT, STR("s"), &w.b.err), &w.b.err);
    assert_int_equal(schedule_delete(w.b.db, PROJECT, STR("s"), &w.b.err), ERR_NOT_FOUND);
    Schedule s;
    assert_int_equal(schedule_get(w.b.reader, PROJECT + 1, STR("s"), w.b.arena, &s, &w.b.err),
                     ERR_NOT_FOUND);
    world_close(&w);
}

/* A step that is gone stops nobody else. */
TEST(one_that_cannot_start_does_not_stop_others)
{
    World w = world_open();
    make(&w, spec("a", "@hourly"), T0);
    make(&w, spec("b", "@hourly"), T0);
    Registry *empty = registry_open(w.b.arena);
    int64_t fired = -1, next = 0;
    assert_ok(schedule_fire_due(w.b.db, empty, T0 + HOUR_MS, &fired, &next, &w.b.err), &w.b.err);
    assert_int_equal(fired, 0);
    assert_int_equal(get(&w, "a").skipped, 1);
    assert_str_equal(get(&w, "b").skip_reason, "there is no step \"test.noop\" any more");
    assert_int_equal(fire(&w, T0 + 2 * HOUR_MS), 2);
    world_close(&w);
}

TEST(many_are_due_at_once)
{
    World w = world_open();
    for (int i = 0; i < 120; i++)
        make(&w, spec(str_printf(w.b.arena, "s%d", i).ptr, "@hourly"), T0);
    assert_int_equal(fire(&w, T0 + HOUR_MS), 120);
    assert_int_equal(fire(&w, T0 + HOUR_MS), 0);
    FeedRow *rows = NULL;
    size_t len = 0;
    int64_t next = 0;
    bool gap = false;
    assert_ok(feed_read(w.b.reader, PROJECT, 0, STR("schedule.*"), 1000, w.b.arena, &rows, &len,
                        &next, &gap, &w.b.err),
              &w.b.err);
    assert_int_equal(len, 120);
    assert_str_equal(rows[0].type, "schedule.fired");
    assert_true(rows[0].job != 0);
    world_close(&w);
}

typedef struct Declare {
    World *w;
    const char *pipeline;
    const ScheduleSpec *specs;
    size_t len;
    int64_t now_ms;
} Declare;

static ErrCode declare_write(DbConn *tx, void *arg, Err *err)
{
    const Declare *d = arg;
    return schedule_set_for_pipeline_tx(tx, d->w->registry, PROJECT, 1, str_from_c(d->pipeline),
                                        d->specs, d->len, d->now_ms, err);
}

static ErrCode declare(World *w, const ScheduleSpec *specs, size_t len, int64_t now_ms)
{
    return db_write(w->b.db, declare_write, &(Declare){w, "blog", specs, len, now_ms}, &w->b.err);
}

TEST(a_pipeline_declares_its_schedules)
{
    World w = world_open();
    Schedule *list = NULL, other;
    size_t len = 0;
    const ScheduleSpec two[] = {
        {.cron = STR("0 9 * * mon-fri"), .zone = STR("Europe/Berlin"), .params = STR("{\"a\":1}")},
        {.cron = STR("@every 90s")}};
    make(&w, spec("other", "@hourly"), T0);
    assert_ok(declare(&w, two, 2, T0), &w.b.err);
    Schedule first = get(&w, "blog");
    assert_str_equal(first.spec.pipeline, "blog");
    assert_str_equal(first.pipeline_of, "blog");
    assert_str_equal(first.spec.params, "{\"a\":1}");
    assert_int_equal(get(&w, "blog.2").next_ms, T0 + 90000);
    assert_int_equal(put(&w, spec("blog", "@hourly"), true, T0), ERR_CONFLICT);
    assert_int_equal(schedule_delete(w.b.db, PROJECT, STR("blog"), &w.b.err), ERR_CONFLICT);
    assert_ok(schedule_pause(w.b.db, PROJECT, STR("blog"), true, T0, &w.b.err), &w.b.err);

    /* A further version: the first stays as it is, the second goes. */
    assert_ok(declare(&w, two, 1, T0 + 1000), &w.b.err);
    assert_true(get(&w, "blog").spec.paused);
    assert_int_equal(get(&w, "blog").id, first.id);
    assert_int_equal(schedule_get(w.b.reader, PROJECT, STR("blog.2"), w.b.arena, &other, &w.b.err),
                     ERR_NOT_FOUND);
    /* Nothing of it happens when one of them is wrong. */
    const ScheduleSpec bad[] = {{.cron = STR("@daily")}, {.cron = STR("* *")}};
    assert_int_equal(declare(&w, bad, 2, T0), ERR_BAD_PARAM);
    assert_str_equal(get(&w, "blog").spec.cron, "0 9 * * mon-fri");
    assert_ok(declare(&w, NULL, 0, T0), &w.b.err);
    assert_ok(schedule_list(w.b.reader, PROJECT, w.b.arena, &list, &len, &w.b.err), &w.b.err);
    assert_int_equal(len, 1);
    assert_str_equal(list[0].spec.name, "other");
    world_close(&w);
}

/* JSON with ' for ". */
static ErrCode store(World *w, const char *definition)
{
    PipelineInfo info;
    bool made = false;
    Str text = str_printf(w->b.arena, "%s", definition);
    for (char *p = (char *)(uintptr_t)text.ptr; p < text.ptr + text.len; p++)
        *p = *p == '\'' ? '"' : *p;
    const PipelineNew n = {.project = PROJECT, .name = STR("p"), .definition = text};
    return flow_pipeline_put(w->b.db, &n, &info, &made, w->b.arena, &w->b.err);
}

TEST(a_pipeline_starts_by_the_clock)
{
    World w = world_open();
    w.hooks = (FlowHooks){.pipelines = pipeline_cache_open(w.registry)};
    flow_set_hooks(w.b.db, &w.hooks);
    assert_ok(store(&w, "{'name':'p','inputs':{'tone':{'type':'text'}},"
                        "'steps':{'a':{'uses':'test.noop'}}}"),
              &w.b.err);
    const ScheduleSpec yearly = {.cron = STR("0 0 1 1 *"),
                                 .zone = STR("Europe/Berlin"),
                                 .params = STR("{\"tone\":\"warm\"}")};
    Declare d = {&w, "p", &yearly, 1, T0};
    assert_ok(db_write(w.b.db, declare_write, &d, &w.b.err), &w.b.err);
    Schedule s = get(&w, "p");
    assert_int_equal(fire(&w, s.next_ms), 1);
    Job j = bench_get(&w.b, get(&w, "p").last_job);
    assert_str_equal(j.params, "{\"tone\":\"warm\"}");
    assert_int_equal(j.state, JOB_RUNNING);
    assert_true(get(&w, "p").next_ms > s.next_ms);

    /* A version that asks for other inputs: said, not started. */
    assert_ok(store(&w, "{'name':'p','inputs':{'size':{'type':'int'}},"
                        "'steps':{'a':{'uses':'test.noop'}}}"),
              &w.b.err);
    assert_int_equal(fire(&w, get(&w, "p").next_ms), 0);
    assert_int_equal(get(&w, "p").skipped, 1);
    assert_true(str_find(get(&w, "p").skip_reason, STR("tone")) != STR_NONE);

    /* Somebody's own schedule of it; the pipeline goes, the schedule stays and says so. */
    ScheduleSpec own = spec("own", "@hourly");
    own.step = (Str){0};
    own.pipeline = STR("p");
    make(&w, own, T0);
    assert_int_equal(fire(&w, T0 + HOUR_MS), 1);
    assert_ok(flow_pipeline_delete(w.b.db, PROJECT, STR("p"), &w.b.err), &w.b.err);
    assert_int_equal(fire(&w, T0 + 2 * HOUR_MS), 0);
    assert_true(get(&w, "own").skip_reason.len > 0);
    PipelineCache *cache = w.hooks.pipelines;
    world_close(&w);
    pipeline_cache_close(&cache);
}

/* A year of a hundred schedules, by a clock that goes from one time to the next. */
TEST(a_year_passes)
{
    static const char *const crons[] = {
        "0 9 * * mon-fri", "@daily",         "30 2 * * *", "@weekly",       "0 8 L * *",
        "0 0 29 2 *",      "0 12 * * mon#2", "@every 33h", "15 6 1,15 * *", "45 23 * * fri"};
    static const char *const zones[] = {"UTC", "Europe/Berlin", "America/New_York",
                                        "Australia/Lord_Howe", "Asia/Kolkata"};
    World w = world_open();
    int64_t now = T0, end = T0 + INT64_C(365) * 24 * HOUR_MS, fired = 0, want = 0;
    for (int i = 0; i < 100; i++) {
        ScheduleSpec s = spec(str_printf(w.b.arena, "s%d", i).ptr, crons[i % 10]);
        s.zone = str_from_c(zones[i / 10 % 5]);
        make(&w, s, T0);
        int64_t *times = arena_new(w.b.arena, int64_t, 400);
        size_t len = 0;
        assert_ok(schedule_preview(&s, T0, T0, times, 400, &len, &w.b.err), &w.b.err);
        for (size_t k = 0; k < len; k++)
            want += times[k] <= end;
    }
    while (now <= end) {
        int64_t next = 0;
        fired += fire_next(&w, now, &next);
        assert_true(next > now);
        now = next;
    }
    assert_int_equal(fired, want);
    assert_true(want > 10000);
    world_close(&w);
}

TEST_MAIN(a_time_is_done_once, a_death_in_between_changes_nothing, a_clock_that_jumps, missed_times,
          what_is_made_up_is_the_newest, overlap, start_end_and_every, what_is_wrong_is_refused,
          one_that_cannot_start_does_not_stop_others, many_are_due_at_once,
          a_pipeline_declares_its_schedules, a_pipeline_starts_by_the_clock, a_year_passes)
