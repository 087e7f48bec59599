/* When messages are tried again, what they say, and what is kept of them. */
#include "hook/delivery.c" /* white box */
#include "unit/db/folder.h"

TEST(the_schedule)
{
    static const int64_t seconds[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};
    for (int i = 0; i < WEBHOOK_ATTEMPTS - 1; i++) {
        assert_int_equal(delivery_backoff_ms(i + 1, 0, 0), seconds[i] * 1000);
        int64_t late = delivery_backoff_ms(i + 1, 0, 0.9999);
        assert_true(late > seconds[i] * 1000 && late < seconds[i] * 1100);
    }
    assert_int_equal(delivery_backoff_ms(WEBHOOK_ATTEMPTS, 0, 0), -1);
    assert_int_equal(delivery_backoff_ms(WEBHOOK_ATTEMPTS, 5000, 0), -1);
    assert_int_equal(delivery_backoff_ms(3, 7000, 0.5), 7000); /* as the receiver asked */
}

TEST(the_body_is_small)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    Buf data = buf_init(a, FEED_DATA_MAX);
    buf_add_c(&data, "{\"x\":\"");
    while (data.len < FEED_DATA_MAX - 2)
        buf_add_char(&data, 'y');
    buf_add_c(&data, "\"}");
    assert_false(data.failed);
    char subject[FEED_SUBJECT_MAX], type[FEED_TYPE_MAX];
    memset(subject, 1, sizeof subject); /* escaped: six bytes each */
    memset(type, 'a', sizeof type);
    const FeedRow row = {.id = INT64_MAX,
                         .job = INT64_MAX,
                         .time_ms = 1,
                         .type = {type, sizeof type},
                         .subject = {subject, sizeof subject},
                         .data = buf_str(&data)};
    Str body = delivery_body(&row, a);
    const Json *got = NULL;
    Err err;
    assert_true(body.ptr != NULL && body.len < 20000);
    assert_ok(json_parse(a, body, &got, &err), &err);
    assert_int_equal(json_text(json_get(got, "subject")).len, sizeof subject);
}

typedef struct Bench {
    Folder folder;
    Db *db;
    DbConn *reader;
    Seal *seal;
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
    assert_ok(seal_open(NULL, &b.seal, &b.err), &b.err);
    return b;
}

static void bench_close(Bench *b)
{
    db_close(&b->db);
    seal_close(&b->seal);
    arena_close(&b->a);
    folder_close(&b->folder);
}

TEST(secrets_are_sealed_and_two_sign_for_a_day)
{
    Bench b = bench_open();
    int64_t id = 0;
    size_t len = 0;
    Webhook w;
    Str made, fresh, now[2];
    const WebhookNew n = {.project = 1,
                          .url = STR("https://example.com"),
                          .types = STR("a.*"),
                          .description = STR("")};
    assert_ok(webhook_add(b.db, b.seal, &n, b.a, &id, &made, &b.err), &b.err);
    assert_ok(webhook_get(b.reader, 1, id, b.a, &w, &b.err), &b.err);
    assert_true(seal_is(w.secret) && str_find(w.secret, made) == STR_NONE);
    assert_ok(webhook_secrets(b.db, b.seal, &w, b.a, now, &len, &b.err), &b.err);
    assert_true(len == 1 && str_eq(now[0], made));
    assert_int_equal(webhook_rotate(b.db, b.seal, 2, id, b.a, &fresh, &b.err), ERR_NOT_FOUND);
    assert_ok(webhook_rotate(b.db, b.seal, 1, id, b.a, &fresh, &b.err), &b.err);
    assert_ok(webhook_get(b.reader, 1, id, b.a, &w, &b.err), &b.err);
    assert_ok(webhook_secrets(b.db, b.seal, &w, b.a, now, &len, &b.err), &b.err);
    assert_true(len == 2 && str_eq(now[0], fresh) && str_eq(now[1], made));
    w.old_until_ms = clock_now_ms() - 1;
    assert_ok(webhook_secrets(b.db, b.seal, &w, b.a, now, &len, &b.err), &b.err);
    assert_true(len == 1 && str_eq(now[0], fresh));
    w.id++; /* a sealed secret copied to another webhook does not open there */
    assert_int_equal(webhook_secrets(b.db, b.seal, &w, b.a, now, &len, &b.err), ERR_SECRET_KEY);
    bench_close(&b);
}

typedef struct Fill {
    const Webhook *hook;
    int64_t first;
    int count;
} Fill;

static ErrCode fill_write(DbConn *tx, void *arg, Err *err)
{
    const Fill *f = arg;
    const FeedRow row = {.id = f->first, .type = STR("a.b"), .data = STR("{}")};
    ErrCode rc = OK;
    for (int i = 0; rc == OK && i < f->count; i++) {
        int64_t id = f->first + i;
        rc = delivery_add_tx(tx, f->hook, &row, STR(""), STR("{}"), id, err);
        if (rc == OK)
            rc = db_exec(tx, &sql_delivery_attempt_add,
                         DB_ARGS(DB_I(id), DB_I(1), DB_I(1), DB_I(1), DB_I(500), DB_N, DB_N, DB_N),
                         NULL, err);
        if (rc == OK)
            rc = db_exec(tx, &sql_delivery_tried,
                         DB_ARGS(DB_I(id), DB_S(STR("failed")), DB_I(1), DB_I(1), DB_I(0),
                                 DB_I(500), DB_I(1)),
                         NULL, err);
    }
    return rc;
}

TEST(a_month_is_kept_and_all_failed_go_again)
{
    Bench b = bench_open();
    const Webhook w = {.id = 9, .project = 1};
    int64_t now_ms = clock_now_ms(), count = 0;
    Fill old = {&w, id_first(now_ms - WEBHOOK_KEPT_MS - 60000), TRIM_BATCH + 5};
    Fill young = {&w, id_first(now_ms - 60000), AGAIN_BATCH + 5};
    assert_ok(db_write(b.db, fill_write, &old, &b.err), &b.err);
    assert_ok(db_write(b.db, fill_write, &young, &b.err), &b.err);
    assert_ok(delivery_trim(b.db, &b.err), &b.err);
    Delivery *items = NULL, one;
    DeliveryAttempt *attempts = NULL;
    size_t len = 0;
    bool more = false;
    assert_ok(delivery_list(b.reader, 1, 9, true, young.first + 10, 200, b.a, &items, &len, &more,
                            &b.err),
              &b.err);
    assert_true(len == 10 && !more && items[9].id == young.first);
    assert_int_equal(delivery_get(b.reader, 1, 9, old.first, b.a, &one, &attempts, &len, &b.err),
                     ERR_NOT_FOUND);
    assert_ok(delivery_get(b.reader, 1, 9, young.first, b.a, &one, &attempts, &len, &b.err),
              &b.err);
    assert_true(len == 1 && attempts[0].status == 500);
    assert_ok(delivery_again_failed(b.db, 1, 9, now_ms - 120000, &count, &b.err), &b.err);
    assert_int_equal(count, AGAIN_BATCH + 5);
    assert_int_equal(delivery_again(b.db, 1, 9, young.first, &b.err), ERR_CONFLICT); /* pending */
    assert_ok(delivery_again_failed(b.db, 1, 9, 0, &count, &b.err), &b.err);
    assert_int_equal(count, 0);
    bench_close(&b);
}

TEST_MAIN(the_schedule, the_body_is_small, secrets_are_sealed_and_two_sign_for_a_day,
          a_month_is_kept_and_all_failed_go_again)
