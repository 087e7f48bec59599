/* The feed: rows in order, per project, filtered, resumed, trimmed, told after the commit. */
#include "feed/feed.c" /* white box: the border of trimming is in reach */
#include "unit/db/folder.h"

typedef struct Bench {
    Folder folder;
    Db *db;
    DbConn *reader;
    Arena *a;
    Err err;
} Bench;

static Bench bench_open(void)
{
    log_set_level(LOG_OFF);
    Bench b = {.folder = folder_open(), .a = arena_open(64 * MIB)};
    assert_ok(
        db_open(&(DbOptions){.path = b.folder.db_path, .fast_and_loose = true}, &b.db, &b.err),
        &b.err);
    assert_ok(db_reader(b.db, &b.reader, &b.err), &b.err);
    return b;
}

static void bench_close(Bench *b)
{
    db_close(&b->db);
    arena_close(&b->a);
    folder_close(&b->folder);
}

static ErrCode projects_write(DbConn *tx, void *arg, Err *err)
{
    (void)arg;
    ErrCode rc =
        db_exec(tx, &sql_project_add, DB_ARGS(DB_I(1), DB_S(STR("one")), DB_I(1)), NULL, err);
    if (rc == OK)
        rc = db_exec(tx, &sql_project_add, DB_ARGS(DB_I(2), DB_S(STR("two")), DB_I(1)), NULL, err);
    return rc;
}

typedef struct OldRows {
    const FeedNew *row;
    int64_t first;
    int count;
} OldRows;

static ErrCode old_write(DbConn *tx, void *arg, Err *err)
{
    const OldRows *o = arg;
    ErrCode rc = OK;
    for (int i = 0; rc == OK && i < o->count; i++)
        rc = feed_add_as_tx(tx, o->first + i, o->row, err);
    return rc;
}

static int64_t add(Bench *b, int64_t project, const char *type)
{
    int64_t id = 0;
    assert_ok(
        feed_add(b->db, &(FeedNew){.project = project, .type = str_from_c(type)}, &id, &b->err),
        &b->err);
    return id;
}

static const char *types_after(Bench *b, int64_t project, int64_t after, const char *types,
                               int limit, int64_t *next)
{
    FeedRow *rows = NULL;
    size_t n = 0;
    bool gap = true;
    assert_ok(feed_read(b->reader, project, after, str_from_c(types), limit, b->a, &rows, &n, next,
                        &gap, &b->err),
              &b->err);
    assert_false(gap);
    Buf out = buf_init(b->a, MIB);
    for (size_t i = 0; i < n; i++) {
        buf_add_c(&out, i > 0 ? " " : "");
        buf_add(&out, rows[i].type);
        assert_true(rows[i].id > after && rows[i].time_ms == id_time_ms(rows[i].id));
    }
    return buf_c(&out);
}

TEST(rows_in_order_of_each_project)
{
    Bench b = bench_open();
    int64_t next = 0;
    assert_ok(db_write(b.db, projects_write, NULL, &b.err), &b.err);
    int64_t first = add(&b, 1, "job.done");
    add(&b, 2, "job.failed");
    add(&b, 1, "document.added");
    int64_t last = add(&b, 1, "user.created");
    assert_string_equal(types_after(&b, 1, 0, "", 10, &next),
                        "job.done document.added user.created");
    assert_int_equal(next, last);
    assert_string_equal(types_after(&b, 1, next, "", 10, &next), "");
    assert_int_equal(next, last);
    assert_string_equal(types_after(&b, 1, first, "", 1, &next), "document.added");
    assert_true(next > first && next < last);
    assert_string_equal(types_after(&b, 2, 0, "", 10, &next), "job.failed");
    assert_string_equal(types_after(&b, 0, 0, "", 10, &next),
                        "job.done job.failed document.added user.created");
    assert_string_equal(types_after(&b, 0, first, "", 2, &next), "job.failed document.added");
    /* filtered rows are passed, too */
    assert_string_equal(types_after(&b, 1, 0, "job.*,user.created", 10, &next),
                        "job.done user.created");
    assert_string_equal(types_after(&b, 1, 0, "nothing.here", 10, &next), "");
    assert_int_equal(next, last);
    int64_t id = 0;
    assert_ok(feed_last(b.reader, 1, &id, &b.err), &b.err);
    assert_int_equal(id, last);
    assert_ok(feed_last(b.reader, 0, &id, &b.err), &b.err);
    assert_int_equal(id, last);
    assert_ok(feed_last(b.reader, 3, &id, &b.err), &b.err);
    assert_int_equal(id, 0);
    bench_close(&b);
}

TEST(a_row_as_all_see_it)
{
    Bench b = bench_open();
    int64_t id = 0;
    FeedRow row;
    const Json *got = NULL;
    const FeedNew full = {.project = 1,
                          .type = STR("document.added"),
                          .job = 5,
                          .subject = STR("doc_x"),
                          .data = STR("{\"name\":\"a\"}")};
    assert_ok(feed_add(b.db, &full, &id, &b.err), &b.err);
    assert_int_equal(feed_get(b.reader, 2, id, b.a, &row, &b.err), ERR_NOT_FOUND);
    assert_ok(feed_get(b.reader, 1, id, b.a, &row, &b.err), &b.err);
    Buf out = buf_init(b.a, MIB);
    JsonOut j = json_out(&out);
    feed_put(&j, &row);
    assert_ok(json_parse(b.a, buf_str(&out), &got, &b.err), &b.err);
    assert_true(str_starts(json_text(json_get(got, "id")), STR("evt_")));
    assert_true(str_starts(json_text(json_get(got, "job")), STR("job_")));
    assert_str_equal(json_text(json_get(got, "subject")), "doc_x");
    assert_str_equal(json_text(json_get(json_get(got, "data"), "name")), "a");
    bench_close(&b);
}

TEST(types_and_patterns)
{
    static const struct {
        const char *types, *type;
        bool want;
    } match[] = {{"", "job.done", true},
                 {"job.done", "job.done", true},
                 {"job.*", "job.done", true},
                 {"job.*", "jobs.done", false},
                 {"*", "a.b", true},
                 {"a.b, job.failed", "job.failed", true},
                 {"job.don", "job.done", false}};
    for (size_t i = 0; i < COUNT_OF(match); i++)
        if (feed_type_matches(str_from_c(match[i].types), str_from_c(match[i].type)) !=
            match[i].want)
            fail_msg("%s, %s", match[i].types, match[i].type);
    static const struct {
        const char *type;
        bool ok;
    } types[] = {{"user.created", true}, {"a.b.c_1", true},   {"user", false},
                 {"job.done", false},    {"job.mine", false}, {"jobs.x", true},
                 {".a", false},          {"a.", false},       {"a..b", false},
                 {"A.b", false},         {"a.b c", false},    {"", false},
                 {"platen.x", false},    {"a.b-c", false},    {"webhook.y", false}};
    Err err;
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if ((feed_check_type(str_from_c(types[i].type), &err) == OK) != types[i].ok)
            fail_msg("%s", types[i].type);
    static const struct {
        const char *types;
        bool ok;
    } patterns[] = {{"", true},        {"*", true},     {"job.*,a.b", true}, {"job*", true},
                    {"*.done", false}, {"a,,b", false}, {"job.**", false},   {"x y", false}};
    for (size_t i = 0; i < COUNT_OF(patterns); i++)
        if ((feed_check_types(str_from_c(patterns[i].types), &err) == OK) != patterns[i].ok)
            fail_msg("%s", patterns[i].types);
}

TEST(a_cursor_that_was_away_is_told)
{
    Bench b = bench_open();
    assert_ok(db_write(b.db, projects_write, NULL, &b.err), &b.err);
    int64_t now_ms = clock_now_ms(), count = 0, next = 0;
    int64_t old = id_first(now_ms - FEED_KEPT_MS - 60000);
    bool gap = true;
    FeedRow *rows = NULL;
    size_t n = 0;
    const FeedNew row = {.project = 1, .type = STR("a.b")};
    OldRows o = {&row, old, TRIM_BATCH + 10}; /* more than one batch of trimming */
    assert_ok(db_write(b.db, old_write, &o, &b.err), &b.err);
    int64_t kept = add(&b, 1, "new.one");
    assert_ok(feed_trim(b.db, &count, &b.err), &b.err);
    assert_int_equal(count, TRIM_BATCH + 10);
    assert_string_equal(types_after(&b, 1, 0, "", 10, &next), "new.one");
    assert_ok(feed_read(b.reader, 1, old, STR(""), 10, b.a, &rows, &n, &next, &gap, &b.err),
              &b.err);
    assert_true(gap);
    assert_int_equal(n, 1);
    assert_ok(feed_read(b.reader, 0, old, STR(""), 10, b.a, &rows, &n, &next, &gap, &b.err),
              &b.err);
    assert_true(gap);
    assert_ok(feed_read(b.reader, 1, kept, STR(""), 10, b.a, &rows, &n, &next, &gap, &b.err),
              &b.err);
    assert_false(gap);
    assert_ok(feed_trim(b.db, &count, &b.err), &b.err);
    assert_int_equal(count, 0);
    bench_close(&b);
}

typedef struct Told {
    int64_t project, id;
    int times;
} Told;

static void note(void *ctx, int64_t project, int64_t id)
{
    Told *t = ctx;
    *t = (Told){project, id, t->times + 1};
}

TEST(told_after_the_commit_and_ids_rise)
{
    Bench b = bench_open();
    assert_ok(db_write(b.db, projects_write, NULL, &b.err), &b.err);
    Told told = {0};
    const FeedHook hook = {note, &told};
    db_attach(b.db, &hook);
    int64_t id = add(&b, 1, "a.b");
    assert_int_equal(told.project, 1);
    assert_int_equal(told.id, id);
    assert_int_equal(told.times, 1);
    db_attach(b.db, NULL);

    /* rows from the future: the clock was set back since */
    OldRows o = {&(FeedNew){.project = 2, .type = STR("a.b")}, id_first(clock_now_ms() + 3600000),
                 1};
    assert_ok(db_write(b.db, old_write, &o, &b.err), &b.err);
    assert_ok(feed_start(b.db, &b.err), &b.err);
    assert_true(add(&b, 2, "a.c") > o.first);
    bench_close(&b);
}

TEST_MAIN(rows_in_order_of_each_project, a_row_as_all_see_it, types_and_patterns,
          a_cursor_that_was_away_is_told, told_after_the_commit_and_ids_rise)
