#include "base/clock.h"
#include "base/id.h"
#include "base/thread.h"
#include "unit/harness.h"

TEST(ids_rise)
{
    int64_t before = 0;
    for (int i = 0; i < 100000; i++) {
        int64_t id = id_new();
        assert_true(id > before);
        before = id;
    }
    int64_t drift = id_time_ms(before) - clock_now_ms();
    assert_true(drift > -5000 && drift < 5000);
}

enum { THREADS = 4, EACH = 20000 };
static int64_t made[THREADS][EACH];

static void *make_ids(void *arg)
{
    int64_t *to = arg;
    for (int i = 0; i < EACH; i++)
        to[i] = id_new();
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

TEST(ids_of_many_threads_differ)
{
    pthread_t threads[THREADS];
    Err err = {0};
    for (int t = 0; t < THREADS; t++)
        assert_ok(thread_start(&threads[t], "ids", make_ids, made[t], &err), &err);
    for (int t = 0; t < THREADS; t++)
        pthread_join(threads[t], NULL);
    int64_t *all = &made[0][0];
    qsort(all, THREADS * EACH, sizeof *all, by_value);
    for (int i = 1; i < THREADS * EACH; i++)
        assert_true(all[i] > all[i - 1]);
}

TEST(text_and_back)
{
    static const int64_t ids[] = {0, 1, 31, 32, 0x7FFFFFFFFFFFFFFF, 0x123456789ABCDEF};
    char text[ID_TEXT_SIZE], before[ID_TEXT_SIZE] = "";
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        int64_t back = -1;
        assert_ptr_equal(id_text("job", ids[i], text), text);
        assert_int_equal(strlen(text), 4 + 13);
        assert_true(id_parse("job", str_from_c(text), &back));
        assert_int_equal(back, ids[i]);
    }
    for (int i = 0; i < 1000; i++) { /* sorts as text as it does as a number */
        id_text("job", id_new(), text);
        assert_true(strcmp(text, before) > 0);
        memcpy(before, text, sizeof text);
    }
    assert_string_equal(id_text("verylongprefix", 0, text), "verylongp_0000000000000");
}

TEST(reads_what_people_type)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t want;
    } cases[] = {
        {"job_0000000000001", true, 1},
        {"job_000000000000I", true, 1},
        {"job_000000000000l", true, 1},
        {"job_00000000000oA", true, 10},
        {"job_000000000000z", true, 31},
        {"job_000000000000Z", true, 31},
        {"job_7zzzzzzzzzzzz", true, INT64_MAX},
        {"job_8000000000000", false, 0},
        {"job_zzzzzzzzzzzzz", false, 0},
        {"job_000000000000u", false, 0},
        {"job_000000000000", false, 0},
        {"job_00000000000011", false, 0},
        {"task_000000000001", false, 0},
        {"jobs_000000000001", false, 0},
        {"JOB_0000000000001", false, 0},
        {"job-0000000000001", false, 0},
        {"", false, 0},
        {"job_", false, 0},
        {"job_00000000000-1", false, 0},
        {"job_000000000000\xc3", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t got = 42;
        bool ok = id_parse("job", str_from_c(cases[i].text), &got);
        if (ok != cases[i].ok || got != (ok ? cases[i].want : 42))
            fail_msg("\"%s\" gave %d, %" PRId64, cases[i].text, ok, got);
    }
    assert_false(id_parse("job", (Str){"job_000000000000\0", 17}, &(int64_t){0}));
}

TEST(the_first_id_of_a_time_is_not_above_its_ids)
{
    int64_t now = clock_now_ms(), id = id_new();
    assert_true(id_first(now) <= id);
    assert_true(id_first(now + 60000) > id);
    assert_int_equal(id_first(0), 0);
}

TEST(times_as_text)
{
    static const struct {
        int64_t ms;
        const char *text, *http;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
        {1, "1970-01-01T00:00:00.001Z", "Thu, 01 Jan 1970 00:00:00 GMT"},
        {-1, "1969-12-31T23:59:59.999Z", "Wed, 31 Dec 1969 23:59:59 GMT"},
        {951782400000, "2000-02-29T00:00:00.000Z", "Tue, 29 Feb 2000 00:00:00 GMT"},
        {1795311020123, "2026-11-22T01:30:20.123Z", "Sun, 22 Nov 2026 01:30:20 GMT"},
        {253402300799999, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z", "Fri, 31 Dec 9999 23:59:59 GMT"},
        {INT64_MIN, "0000-01-01T00:00:00.000Z", "Sat, 01 Jan 0000 00:00:00 GMT"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[CLOCK_TEXT_SIZE], http[30];
        clock_text(cases[i].ms, text);
        clock_http_date(cases[i].ms, http);
        assert_string_equal(text, cases[i].text);
        assert_string_equal(http, cases[i].http);
    }
}

TEST(clocks_go)
{
    int64_t from = clock_mono_us();
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_mono_us();
        assert_true(now >= from);
        from = now;
    }
    assert_true(clock_now_ms() > 1735689600000);
}

TEST(spans_of_ids_that_begin_alike)
{
    int64_t id = id_new(), low, high;
    char text[ID_TEXT_SIZE];
    id_text("job", id, text);
    for (size_t len = 4; len <= 17; len++) {
        assert_true(id_span("job", (Str){text, len}, &low, &high));
        assert_true(low <= id && id < high);
        char at[ID_TEXT_SIZE];
        if (len > 4 && len < 17) {
            assert_memory_equal(id_text("job", low, at), text, len);
            assert_memory_equal(id_text("job", high - 1, at), text, len);
            assert_int_not_equal(memcmp(id_text("job", high, at), text, len), 0);
        }
    }
    assert_int_equal(low, id);
    assert_int_equal(high, id + 1);
    static const char *const bad[] = {"",      "job",   "jo",    "key_0",
                                      "job-0", "job_u", "job_z", "job_00000000000000"};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(id_span("job", str_from_c(bad[i]), &low, &high));
}

TEST_MAIN(ids_rise, ids_of_many_threads_differ, text_and_back, reads_what_people_type,
          the_first_id_of_a_time_is_not_above_its_ids, times_as_text, clocks_go,
          spans_of_ids_that_begin_alike)
