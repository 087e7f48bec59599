#include "http/file_in.h"
#include "http/trace_in.h"
#include "unit/harness.h"

TEST(ranges)
{
    static const struct {
        const char *header;
        int64_t size;
        HttpRange want;
        int64_t from, len;
    } cases[] = {
        {"bytes=0-0", 10, RANGE_PART, 0, 1},
        {"bytes=0-", 10, RANGE_PART, 0, 10},
        {"bytes=2-5", 10, RANGE_PART, 2, 4},
        {"bytes=9-", 10, RANGE_PART, 9, 1},
        {"bytes=5-100", 10, RANGE_PART, 5, 5},
        {"bytes=-3", 10, RANGE_PART, 7, 3},
        {"bytes=-100", 10, RANGE_PART, 0, 10},
        {"Bytes=1-1", 10, RANGE_PART, 1, 1},
        {"bytes=10-", 10, RANGE_OUTSIDE, 0, 0},
        {"bytes=-0", 10, RANGE_OUTSIDE, 0, 0},
        {"bytes=0-", 0, RANGE_OUTSIDE, 0, 0},
        {"bytes=-1", 0, RANGE_OUTSIDE, 0, 0},
        {"bytes=5-2", 10, RANGE_NONE, 0, 0},
        {"bytes=0-1,3-4", 10, RANGE_NONE, 0, 0},
        {"bytes=", 10, RANGE_NONE, 0, 0},
        {"bytes=-", 10, RANGE_NONE, 0, 0},
        {"bytes=a-b", 10, RANGE_NONE, 0, 0},
        {"bytes=+1-2", 10, RANGE_NONE, 0, 0},
        {"bytes=1--2", 10, RANGE_NONE, 0, 0},
        {"bytes=99999999999999999999-", 10, RANGE_NONE, 0, 0},
        {"items=0-1", 10, RANGE_NONE, 0, 0},
        {"", 10, RANGE_NONE, 0, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t from = 0, len = 0;
        HttpRange got = http_range_parse(str_from_c(cases[i].header), cases[i].size, &from, &len);
        if (got != cases[i].want || from != cases[i].from || len != cases[i].len)
            fail_msg("%s of %" PRId64 ": %d %" PRId64 "+%" PRId64, cases[i].header, cases[i].size,
                     got, from, len);
    }
}

TEST(tags)
{
    static const struct {
        const char *list;
        bool listed;
    } cases[] = {
        {"\"abc\"", true}, {"W/\"abc\"", true}, {"\"x\", \"abc\"", true},
        {"*", true},       {"abc", false},      {"\"ab\"", false},
        {"", false},       {"\"abc", false},    {"\"\"", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (http_etag_listed(str_from_c(cases[i].list), STR("abc")) != cases[i].listed)
            fail_msg("%s", cases[i].list);
}

TEST(names_to_save_under)
{
    static const char *const cases[][2] = {
        {"a.pdf", "attachment; filename=\"a.pdf\""},
        {"a b.pdf", "attachment; filename=\"a b.pdf\""},
        {"a\"b", "attachment; filename=\"a_b\"; filename*=UTF-8''a%22b"},
        {"\xc3\xa9", "attachment; filename=\"__\"; filename*=UTF-8''%C3%A9"},
        {"a\r\nb", "attachment; filename=\"a__b\"; filename*=UTF-8''a%0D%0Ab"},
        {"100%", "attachment; filename=\"100_\"; filename*=UTF-8''100%25"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
        Buf b = buf_init(a, 8 * KIB);
        http_disposition_text(&b, str_from_c(cases[i][0]));
        assert_str_equal(buf_str(&b), cases[i][1]);
    }
}

TEST(traceparents)
{
#define ID "0af7651916cd43dd8448eb211c80319c"
    static const struct {
        const char *header;
        bool ok;
    } cases[] = {
        {"00-" ID "-b7ad6b7169203331-01", true},
        {"cc-" ID "-b7ad6b7169203331-01-more", true},
        {"00-" ID "-b7ad6b7169203331-01-more", false},
        {"ff-" ID "-b7ad6b7169203331-01", false},
        {"00-00000000000000000000000000000000-b7ad6b7169203331-01", false},
        {"00-" ID "-0000000000000000-01", false},
        {"00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", false},
        {"00-" ID "-b7ad6b7169203331-0", false},
        {"00_" ID "-b7ad6b7169203331-01", false},
        {"", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char trace[33] = "";
        if (http_trace_from(str_from_c(cases[i].header), trace) != cases[i].ok)
            fail_msg("%s", cases[i].header);
        if (cases[i].ok)
            assert_string_equal(trace, ID);
    }
}

TEST_MAIN(ranges, tags, names_to_save_under, traceparents)
