#include "base/clock.h"
#include "unit/harness.h"

TEST(times_are_read)
{
    static const struct {
        const char *text;
        int64_t want;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01 00:00:01z", 1000},
        {"2026-11-22T01:30:20.123Z", 1795311020123},
        {"2026-11-22T02:30:20.1239+01:00", 1795311020123},
        {"2026-11-21T20:00:20.123-05:30", 1795311020123},
        {"1969-12-31T23:59:59.999Z", -1},
        {"2024-02-29T00:00:00Z", 1709164800000},
        {"2016-12-31T23:59:60Z", 1483228800000},
        {"0000-01-01T00:00:00Z", -62167219200000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t ms = 0;
        if (!clock_parse(str_from_c(cases[i].text), &ms) || ms != cases[i].want)
            fail_msg("%s: %" PRId64, cases[i].text, ms);
    }
}

TEST(what_is_no_time_is_refused)
{
    static const char *const cases[] = {
        "",
        "2026",
        "2026-13-01",
        "2026-00-01",
        "2026-02-29",
        "1900-02-29",
        "2026-01-32",
        "2026-01-01T",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:61Z",
        "2026-01-01T00:00:00",
        "2026-01-01T00:00:00.Z",
        "2026-01-01T00:00:00+1:00",
        "2026-01-01T00:00:00+24:00",
        "2026-01-01T00:00:00Z ",
        "2026-1-01",
        "2026-01-01",
        "-026-01-01",
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t ms = 0;
        if (clock_parse(str_from_c(cases[i]), &ms))
            fail_msg("\"%s\" was read as %" PRId64, cases[i], ms);
    }
}

TEST(what_is_written_reads_back)
{
    char text[CLOCK_TEXT_SIZE];
    for (int64_t ms = -62167219200000; ms < 253402300799999; ms += 86399999 * INT64_C(37)) {
        int64_t back = 0;
        clock_text(ms, text);
        assert_true(clock_parse(str_from_c(text), &back));
        assert_true(back == ms);
    }
}

TEST_MAIN(times_are_read, what_is_no_time_is_refused, what_is_written_reads_back)
