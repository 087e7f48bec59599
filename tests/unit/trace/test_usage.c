/* What was used, summed up: days of a zone, filters, and the sums of the roll-up. */
#include "db/db_in.h"
#include "trace/usage.h"
#include "unit/flow/bench_db.h"

static const int64_t DAY = USAGE_DAY_MS, HOUR = USAGE_HOUR_MS;
/* 2026-03-01T00:00:00Z, a Sunday; clocks change in Berlin on the 29th. */
static const int64_t MARCH = INT64_C(1772323200000);

/* One attempt of a job of `step` and key that used `amount` of `unit` at that time. */
static void use(Bench *b, const Step *step, int64_t key, const char *unit, int64_t amount,
                int64_t at_ms)
{
    TaskLease *l = NULL;
    bench_add(b, (JobNew){.step = step, .key = key});
    assert_int_equal(bench_lease(b, "default", 1, &l), 1);
    TaskResult r = result_of(&l[0], OK);
    r.finished_ms = at_ms;
    r.usage = &(JobUsage){str_from_c(unit), amount};
    r.usage_len = 1;
    bench_finish(b, &r);
    bench_finish(b, &r); /* said twice is counted once */
}

static Zone zone_of(Bench *b, const char *name)
{
    Zone z = {0};
    assert_ok(zone_open(b->arena, str_from_c(name), &z, &b->err), &b->err);
    return z;
}

static size_t ask(Bench *b, UsageAsk a, const char *zone, UsageRow **rows)
{
    size_t n = 0;
    Zone z = zone_of(b, zone);
    a.project = PROJECT;
    a.zone = &z;
    assert_ok(usage_read(b->reader, &a, b->arena, rows, &n, &b->err), &b->err);
    return n;
}

static int64_t number(Bench *b, const char *sql)
{
    sqlite3_stmt *stmt = NULL;
    assert_int_equal(sqlite3_prepare_v2(b->reader->sqlite, sql, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t n = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    return n;
}

static const Step step_b = {.name = "b.step", .attempts = 3};

TEST(days_are_those_of_the_zone)
{
    Bench b = bench_open();
    use(&b, &step_a, 1, "pages", 3, MARCH + 28 * DAY + 22 * HOUR); /* 29th 00:00 in Berlin (+2) */
    use(&b, &step_a, 1, "pages", 5, MARCH + 28 * DAY + 21 * HOUR + 59 * 60000);
    use(&b, &step_a, 1, "pages", 7, MARCH + 27 * DAY + 23 * HOUR); /* before the change: +1 */
    UsageRow *rows = NULL;
    const UsageAsk all = {.since_ms = MARCH, .until_ms = MARCH + 31 * DAY, .by = USAGE_BY_DAY};

    assert_int_equal(ask(&b, all, "UTC", &rows), 2);
    assert_int_equal(rows[0].amount, 7);
    assert_int_equal(rows[1].amount, 8);
    assert_int_equal(rows[1].day, zone_days(2026, 3, 29));

    assert_int_equal(ask(&b, all, "Europe/Berlin", &rows), 2);
    assert_int_equal(rows[0].day, zone_days(2026, 3, 29));
    assert_int_equal(rows[0].amount, 12);
    assert_int_equal(rows[1].day, zone_days(2026, 3, 30));
    assert_int_equal(rows[1].amount, 3);
    bench_close(&b);
}

TEST(rows_are_told_apart_as_asked)
{
    Bench b = bench_open();
    use(&b, &step_a, 1, "pages", 1, MARCH + HOUR);
    use(&b, &step_a, 2, "pages", 10, MARCH + DAY + HOUR);
    use(&b, &step_b, 2, "pages", 100, MARCH + DAY + 2 * HOUR);
    use(&b, &step_b, 2, "tokens", 1000, MARCH + 2 * DAY);
    UsageRow *rows = NULL;
    UsageAsk a = {.since_ms = MARCH, .until_ms = MARCH + 3 * DAY};

    assert_int_equal(ask(&b, a, "", &rows), 2); /* by unit */
    assert_str_equal(rows[0].unit, "pages");
    assert_int_equal(rows[0].amount, 111);
    assert_int_equal(rows[0].count, 3);

    a.by = USAGE_BY_STEP;
    assert_int_equal(ask(&b, a, "Asia/Tokyo", &rows), 3);
    assert_str_equal(rows[0].part, "b.step"); /* the largest first */
    assert_int_equal(rows[1].amount, 11);
    a.by = USAGE_BY_KEY;
    assert_int_equal(ask(&b, a, "", &rows), 3);
    assert_int_equal(rows[0].key, 2);
    assert_int_equal(rows[0].amount, 110);
    a.key = 1;
    assert_int_equal(ask(&b, a, "", &rows), 1);
    a = (UsageAsk){.since_ms = MARCH, .until_ms = MARCH + 3 * DAY, .by = USAGE_BY_PIPELINE};
    assert_int_equal(ask(&b, a, "", &rows), 2);
    assert_str_equal(rows[0].part, "");

    a = (UsageAsk){.since_ms = MARCH + DAY,
                   .until_ms = MARCH + 2 * DAY,
                   .by = USAGE_BY_DAY,
                   .split = USAGE_BY_STEP,
                   .unit = STR("pages")};
    assert_int_equal(ask(&b, a, "", &rows), 2);
    assert_str_equal(rows[1].part, "a.step");
    a.step = STR("b.step");
    assert_int_equal(ask(&b, a, "", &rows), 1);
    a.step = STR("c.step");
    assert_int_equal(ask(&b, a, "", &rows), 0);
    bench_close(&b);
}

/* Any range gives what a look at every fact gives. */
TEST(ranges_agree_with_the_facts)
{
    Bench b = bench_open();
    uint64_t random = 7;
    for (int i = 0; i < 150; i++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        use(&b, random >> 40 & 1 ? &step_a : &step_b, 1 + (int64_t)(random >> 41 & 1), "pages",
            (int64_t)(random >> 50 & 63), MARCH + (int64_t)(random >> 20 & 0x1ffff) * 5000);
    }
    for (int i = 0; i < 40; i++) {
        char sql[300];
        int64_t since = MARCH + i * 5 * HOUR, until = since + i * 7 * HOUR, sum = 0;
        snprintf(sql, sizeof sql,
                 "SELECT COALESCE(sum(amount), 0) FROM usage_event WHERE created_ms >= %" PRId64
                 " AND created_ms < %" PRId64,
                 since, until);
        for (int by = USAGE_BY_UNIT; by <= USAGE_BY_KEY; by++) {
            UsageRow *rows = NULL;
            UsageAsk a = {.since_ms = since, .until_ms = until, .by = by};
            size_t n = ask(&b, a, i % 2 ? "America/New_York" : "", &rows);
            sum = 0;
            for (size_t k = 0; k < n; k++)
                sum += rows[k].amount;
            assert_int_equal(sum, number(&b, sql));
        }
    }
    bench_close(&b);
}

TEST(too_many_rows_are_refused)
{
    Bench b = bench_open();
    static const char fill[] =
        "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 20001) "
        "INSERT INTO usage_total SELECT 7, 86400000, 86400000 * 10, 'u', 's' || i, '', 0, 1, 1 "
        "FROM n";
    db_close(&b.db);
    sqlite3 *raw = NULL;
    assert_int_equal(sqlite3_open(b.folder.db_path, &raw), SQLITE_OK);
    assert_int_equal(sqlite3_exec(raw, fill, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(raw);
    bench_open_db(&b);
    Zone utc = zone_of(&b, "");
    UsageAsk a = {.project = PROJECT, .until_ms = 20 * DAY, .by = USAGE_BY_STEP, .zone = &utc};
    UsageRow *rows = NULL;
    size_t n = 0;
    assert_int_equal(usage_read(b.reader, &a, b.arena, &rows, &n, &b.err), ERR_BAD_PARAM);
    assert_string_equal(b.err.param, "since_ms");
    bench_close(&b);
}

/* Memory runs out at every allocation in turn; then it works. */
TEST(survives_little_memory)
{
    Bench b = bench_open();
    for (int i = 0; i < 4; i++)
        use(&b, &step_a, i, "pages", 1, MARCH + i * DAY);
    Zone utc = zone_of(&b, "");
    const UsageAsk a = {.project = PROJECT,
                        .since_ms = MARCH,
                        .until_ms = MARCH + 9 * DAY,
                        .by = USAGE_BY_DAY,
                        .split = USAGE_BY_KEY,
                        .zone = &utc};
    for (int nth = 1;; nth++) {
        UsageRow *rows = NULL;
        size_t n = 0;
        CLEANUP(arena_close) Arena *small = arena_open(MIB);
        fault_arm(nth);
        ErrCode rc = usage_read(b.reader, &a, small, &rows, &n, &b.err);
        if (!fault_disarm()) {
            assert_ok(rc, &b.err);
            assert_int_equal(n, 4);
            break;
        }
        assert_true(rc != OK || n == 4);
    }
    bench_close(&b);
}

TEST_MAIN(days_are_those_of_the_zone, rows_are_told_apart_as_asked, ranges_agree_with_the_facts,
          too_many_rows_are_refused, survives_little_memory)
