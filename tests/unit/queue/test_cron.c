/* What is refused, what it says in words, and the corners of the calendar. The times themselves are
 * compared with a reference in tests/unit/queue/test_cron_zones.py, which drives cron_times. */
#include "base/clock.h"
#include "queue/cron.h"
#include "unit/harness.h"

static Cron parse(const char *text)
{
    Cron c = {0};
    Err err = {0};
    assert_ok(cron_parse(str_from_c(text), &c, &err), &err);
    return c;
}

static int64_t at(int64_t year, int month, int day, int hour, int minute, int second)
{
    return ((zone_days(year, month, day) * 24 + hour) * 60 + minute) * INT64_C(60000) +
           second * INT64_C(1000);
}

TEST(what_is_no_expression_is_refused)
{
    static const char *const bad[] = {
        "",
        "*",
        "* * * *",
        "* * * * * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * * 8",
        "5-1 * * * *",
        "*/0 * * * *",
        "1,,2 * * * *",
        "1, * * * *",
        "a * * * *",
        "* * * foo *",
        "* * * * mon#6",
        "* * * * mon#0",
        "* * L-31 * *",
        "* * LX * *",
        "* * 32W * *",
        "1.5 * * * *",
        "-1 * * * *",
        "0x1 * * * *",
        "@often",
        "@every",
        "@every 5",
        "@every 500ms",
        "@every 90x",
        "@every 400d",
        "@every 999999999999999999999d",
        "@reboot",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        Cron c;
        Err err = {0};
        if (cron_parse(str_from_c(bad[i]), &c, &err) != ERR_BAD_PARAM)
            fail_msg("\"%s\" is taken", bad[i]);
        assert_string_equal(err.param, "cron");
        assert_true(err.text[0] != 0 && err.hint[0] != 0);
    }
}

TEST(in_words)
{
    static const struct {
        const char *cron, *words;
    } cases[] = {
        {"0 9 * * mon-fri", "At 09:00 on weekdays, Europe/Berlin"},
        {"30 0 9 * * *", "At 09:00:30, Europe/Berlin"},
        {"0 9,12 * * *", "At 09:00 and 12:00, Europe/Berlin"},
        {"*/15 * * * *", "Every 15 minutes, Europe/Berlin"},
        {"* * * * *", "Every minute, Europe/Berlin"},
        {"*/15 9-17 * * *", "Every 15 minutes from 09:00 to 17:59, Europe/Berlin"},
        {"30 * * * *", "At minute 30 of every hour, Europe/Berlin"},
        {"@hourly", "Every hour, Europe/Berlin"},
        {"0 */2 * * *", "Every 2 hours, Europe/Berlin"},
        {"@daily", "At 00:00, Europe/Berlin"},
        {"@weekly", "At 00:00 on Sunday, Europe/Berlin"},
        {"@monthly", "At 00:00 on day 1 of the month, Europe/Berlin"},
        {"@yearly", "At 00:00 on day 1 of the month in January, Europe/Berlin"},
        {"@every 90s", "Every 90 seconds"},
        {"@every 1h30m", "Every 90 minutes"},
        {"@every 1d", "Every day"},
        {"*/10 * * * * *", "Every 10 seconds, Europe/Berlin"},
        {"0 8 L * *", "At 08:00 on the last day of the month, Europe/Berlin"},
        {"0 8 LW,15W * *",
         "At 08:00 on the weekday nearest day 15 and the last weekday of the month, Europe/Berlin"},
        {"0 8 * * mon#2,friL", "At 08:00 on the second Monday of the month and the last Friday of "
                               "the month, Europe/Berlin"},
        {"0 8 1,15 * mon", "At 08:00 on days 1 and 15 of the month and on Monday, Europe/Berlin"},
        {"0 8 * jan,jun sat,sun", "At 08:00 on weekends in January and June, Europe/Berlin"},
    };
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Buf b = buf_init(a, KIB);
        Cron c = parse(cases[i].cron);
        cron_explain(&c, STR("Europe/Berlin"), &b);
        assert_string_equal(buf_c(&b), cases[i].words);
    }
}

TEST(corners_of_the_calendar)
{
    static const Zone utc = {.len = 0};
    const struct {
        const char *cron;
        int64_t after, want;
    } cases[] = {
        {"0 0 29 2 *", at(2026, 1, 1, 0, 0, 0), at(2028, 2, 29, 0, 0, 0)},
        {"0 0 29 2 *", at(2096, 2, 29, 0, 0, 0), at(2104, 2, 29, 0, 0, 0)}, /* 2100 has none */
        {"0 0 30 2 *", at(2026, 1, 1, 0, 0, 0), INT64_MAX},
        {"0 0 1 1 *", at(2026, 1, 1, 0, 0, 0), at(2027, 1, 1, 0, 0, 0)}, /* strictly after */
        {"59 59 23 31 12 *", at(2026, 12, 31, 23, 59, 58), at(2026, 12, 31, 23, 59, 59)},
        {"59 59 23 31 12 *", at(2026, 12, 31, 23, 59, 59), at(2027, 12, 31, 23, 59, 59)},
        {"0 0 L * *", at(2028, 2, 1, 0, 0, 0), at(2028, 2, 29, 0, 0, 0)},
        {"0 0 L-2 * *", at(2026, 2, 1, 0, 0, 0), at(2026, 2, 26, 0, 0, 0)},
        {"0 0 LW * *", at(2026, 5, 1, 0, 0, 0), at(2026, 5, 29, 0, 0, 0)},  /* 31 is a Sunday */
        {"0 0 15W * *", at(2026, 8, 1, 0, 0, 0), at(2026, 8, 14, 0, 0, 0)}, /* a Saturday */
        {"0 0 1W * *", at(2026, 7, 31, 0, 0, 0), at(2026, 8, 3, 0, 0, 0)},  /* stays in its month */
        {"0 0 * * mon#2", at(2026, 11, 1, 0, 0, 0), at(2026, 11, 9, 0, 0, 0)},
        {"0 0 * * mon#5", at(2026, 12, 1, 0, 0, 0), at(2027, 3, 29, 0, 0, 0)},
        {"0 0 * * friL", at(2026, 11, 1, 0, 0, 0), at(2026, 11, 27, 0, 0, 0)},
        {"0 0 13 * fri", at(2026, 11, 1, 0, 0, 0), at(2026, 11, 6, 0, 0, 0)},    /* one is enough */
        {"0 0 */13 * fri", at(2026, 11, 1, 0, 0, 0), at(2026, 11, 27, 0, 0, 0)}, /* both */
        {"0 0 * * sat-sun", at(2026, 11, 21, 0, 0, 0), at(2026, 11, 22, 0, 0, 0)},
        {"0 0 * * 7", at(2026, 11, 20, 0, 0, 0), at(2026, 11, 22, 0, 0, 0)},
        {"5/20 * * * *", at(2026, 11, 20, 0, 0, 0), at(2026, 11, 20, 0, 5, 0)},
        {"5/20 * * * *", at(2026, 11, 20, 0, 45, 0), at(2026, 11, 20, 1, 5, 0)},
        {"* * * * *", -1, 0}, /* before 1970 too */
        {"* * * * *", -60001, -60000},
        {"@every 90s", 5, 90005},
        {"* * * * * *", 999, 1000},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Cron c = parse(cases[i].cron);
        int64_t got = cron_next(&c, &utc, cases[i].after);
        char text[CLOCK_TEXT_SIZE];
        clock_text(got, text);
        if (got != cases[i].want)
            fail_msg("case %zu, \"%s\": %s", i, cases[i].cron, text);
    }
}

TEST(no_name_leads_out_of_the_folder)
{
    static const char *const bad[] = {
        "../etc/passwd",  "/etc/passwd", "Europe/../Berlin", "Europe/", "Europe//Berlin",
        "Europe/Nowhere", ".",           "tzdata.zi",        "Europe",  "zone1970",
        "Europe/Berlin\n"};
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    Zone z;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        Err err = {0};
        assert_int_equal(zone_open(a, str_from_c(bad[i]), &z, &err), ERR_BAD_PARAM);
        assert_string_equal(err.param, "zone");
    }
    Err err = {0};
    assert_ok(zone_open(a, STR("Etc/GMT+5"), &z, &err), &err);
    assert_int_equal(zone_span(&z, 0).offset, -5 * 3600);
}

/* Days there and back. */
TEST(the_calendar_agrees_with_itself)
{
    for (int64_t d = zone_days(1890, 1, 1); d < zone_days(2210, 1, 1); d++) {
        ZoneDate date = zone_date(d);
        assert_int_equal(zone_days(date.year, date.month, date.day), d);
        assert_true(date.day <= zone_month_days(date.year, date.month));
    }
    assert_int_equal(zone_days(1970, 1, 1), 0);
    assert_int_equal(zone_weekday(zone_days(2026, 11, 22)), 0);
}

TEST_MAIN(what_is_no_expression_is_refused, in_words, corners_of_the_calendar,
          no_name_leads_out_of_the_folder, the_calendar_agrees_with_itself)
