/* Browsers that hear of events: what is stored, what is sent. */
#include "hook/notify.c" /* white box */
#include "unit/db/folder.h"

#define P256DH                                                                                     \
    "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
#define AUTH "BTBZMqHH6r4Tts7J_aSIgg"

enum { PROJECT = 1, KEY = 7 };

typedef struct Desk {
    Folder folder;
    Db *db;
    Seal *seal;
    Arena *mem;
    Err err;
} Desk;

static Desk desk_open(void)
{
    Desk d = {.folder = folder_open(), .mem = arena_open(8 * MIB)};
    log_set_level(LOG_OFF);
    assert_ok(db_open(&(DbOptions){.path = d.folder.db_path}, &d.db, &d.err), &d.err);
    assert_ok(seal_open(NULL, &d.seal, &d.err), &d.err);
    return d;
}

static void desk_close(Desk *d)
{
    db_close(&d->db);
    seal_close(&d->seal);
    arena_close(&d->mem);
    folder_close(&d->folder);
}

static ErrCode add(Desk *d, const char *endpoint, int wants, int64_t *id, Err *err)
{
    const Browser b = {.project = PROJECT,
                       .key = KEY,
                       .endpoint = str_from_c(endpoint),
                       .label = STR("a test"),
                       .language = STR("ru"),
                       .subject = STR("https://here.example"),
                       .wants = wants};
    return browser_add(d->db, d->seal, &b, STR(P256DH), STR(AUTH), d->mem, id, err);
}

TEST(a_browser_comes_changes_and_goes)
{
    Desk d = desk_open();
    DbConn *reader;
    Browser *list;
    size_t len;
    int64_t one, two, again;
    assert_ok(add(&d, "https://a.example/1", BROWSER_MINE, &one, &d.err), &d.err);
    assert_ok(add(&d, "https://a.example/2", BROWSER_MINE, &two, &d.err), &d.err);
    assert_ok(add(&d, "https://a.example/1", BROWSER_FAILED, &again, &d.err), &d.err);
    assert_true(one == again && one != two);
    assert_ok(db_reader(d.db, &reader, &d.err), &d.err);
    assert_ok(browser_list(reader, PROJECT, KEY, d.mem, &list, &len, &d.err), &d.err);
    assert_int_equal(len, 2);
    assert_true(list[0].id == two && list[1].wants == BROWSER_FAILED);
    assert_int_equal(browser_remove(d.db, PROJECT, KEY + 1, one, &d.err), ERR_NOT_FOUND);
    assert_ok(browser_test(d.db, PROJECT, KEY, one, &d.err), &d.err);
    assert_ok(browser_remove(d.db, PROJECT, KEY, one, &d.err), &d.err);
    assert_int_equal(browser_test(d.db, PROJECT, KEY, one, &d.err), ERR_NOT_FOUND);
    int64_t next = 0;
    assert_ok(db_get_int(reader, &sql_push_message_next, DB_NO_ARGS, -1, &next, &d.err), &d.err);
    assert_int_equal(next, -1); /* its messages went with it */
    desk_close(&d);
}

TEST(a_key_has_so_many_browsers)
{
    Desk d = desk_open();
    char endpoint[64];
    int64_t id;
    for (int i = 0; i < BROWSERS_PER_KEY; i++) {
        snprintf(endpoint, sizeof endpoint, "https://a.example/%d", i);
        assert_ok(add(&d, endpoint, BROWSER_MINE, &id, &d.err), &d.err);
    }
    assert_ok(add(&d, endpoint, BROWSER_FAILED, &id, &d.err), &d.err); /* not one more */
    assert_int_equal(add(&d, "https://a.example/more", BROWSER_MINE, &id, &d.err), ERR_LIMIT_COUNT);
    desk_close(&d);
}

TEST(the_keys_are_made_once_and_sealed)
{
    Desk d = desk_open();
    WebpushPair one, two;
    assert_ok(browser_keys(d.db, d.seal, &one, &d.err), &d.err);
    assert_ok(browser_keys(d.db, d.seal, &two, &d.err), &d.err);
    assert_memory_equal(&one, &two, sizeof one);
    CLEANUP(seal_close) Seal *other = NULL;
    assert_ok(seal_open(NULL, &other, &d.err), &d.err);
    assert_int_equal(browser_keys(d.db, other, &two, &d.err), ERR_SECRET_KEY);
    desk_close(&d);
}

TEST(a_message_says_what_happened)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    char data[2000], detail[1200];
    memset(detail, 'x', sizeof detail);
    memcpy(detail + 299, "\xd0\xb9", 2); /* a letter on the edge */
    snprintf(data, sizeof data, "{\"reason\":\"no_text\",\"detail\":\"%.1199s\",\"secret\":1}",
             detail);
    const FeedRow row = {.id = 1,
                         .project = PROJECT,
                         .job = 5,
                         .type = STR("job.failed"),
                         .subject = STR("ocr.image"),
                         .data = str_from_c(data)};
    Str body = browser_body(&row, STR("zh"), a);
    const Json *j = NULL;
    Err err;
    assert_ok(json_parse(a, body, &j, &err), &err);
    assert_str_equal(json_text(json_get(j, "type")), "job.failed");
    assert_str_equal(json_text(json_get(j, "name")), "ocr.image");
    assert_str_equal(json_text(json_get(j, "reason")), "no_text");
    assert_str_equal(json_text(json_get(j, "language")), "zh");
    assert_true(str_starts(json_text(json_get(j, "path")), STR("/jobs/job_")));
    assert_int_equal(json_text(json_get(j, "detail")).len, 299);
    assert_null(json_get(j, "secret"));
}

TEST(waits_grow_and_end)
{
    int64_t before = 0;
    for (int64_t attempt = 1; browser_backoff_ms(attempt, 0) >= 0; attempt++) {
        assert_true(browser_backoff_ms(attempt, 0) > before);
        assert_int_equal(browser_backoff_ms(attempt, 7000), 7000);
        before = browser_backoff_ms(attempt, 0);
    }
    assert_int_equal(browser_backoff_ms(0, 0), -1);
    assert_int_equal(browser_backoff_ms(6, 7000), -1);
}

TEST(a_flood_is_cut)
{
    static Notify n;
    for (int i = 0; i < BROWSER_PER_MINUTE; i++)
        assert_true(may_tell(&n, 5));
    assert_false(may_tell(&n, 5));
    assert_true(may_tell(&n, 6));
    n.spent[5].since_us -= INT64_C(61) * 1000000;
    assert_true(may_tell(&n, 5));
}

#ifdef PLATEN_FAULTS
static ErrCode use(Desk *d, Err *err)
{
    WebpushPair pair;
    DbConn *reader;
    Browser *list;
    size_t len;
    int64_t id;
    ErrCode rc = browser_keys(d->db, d->seal, &pair, err);
    if (rc == OK)
        rc = add(d, "https://a.example/1", BROWSER_MINE, &id, err);
    if (rc == OK)
        rc = db_reader(d->db, &reader, err);
    if (rc == OK)
        rc = browser_list(reader, PROJECT, KEY, d->mem, &list, &len, err);
    if (rc == OK)
        rc = browser_test(d->db, PROJECT, KEY, id, err);
    if (rc == OK)
        rc = browser_remove(d->db, PROJECT, KEY, id, err);
    return rc;
}

TEST(survives_every_failure)
{
    for (int nth = 1;; nth++) {
        Desk d = desk_open();
        Err err = {0};
        fault_arm(nth);
        ErrCode rc = use(&d, &err);
        bool delivered = fault_disarm();
        assert_int_equal(err.code, rc);
        desk_close(&d);
        if (!delivered) {
            assert_int_equal(rc, OK);
            assert_true(nth > 15);
            return;
        }
    }
}
#else
TEST(survives_every_failure)
{
    skip();
}
#endif

TEST_MAIN(a_browser_comes_changes_and_goes, a_key_has_so_many_browsers,
          the_keys_are_made_once_and_sealed, a_message_says_what_happened, waits_grow_and_end,
          a_flood_is_cut, survives_every_failure)
