#include "base/json.h"
#include "unit/harness.h"

static ErrCode parse(Arena *a, const char *text, const Json **out, Err *err)
{
    return json_parse(a, str_from_c(text), out, err);
}

TEST(writes_back_what_it_read)
{
    static const char *const same[] = {
        "{}", "[]", "null", "true", "[1,-2,3.50,1e9]", "{\"a\":{\"b\":[\"x\",null]}}", "9007199254740993",
        "\"\\u0001\\n\\\"\\\\\"",
    };
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
        const Json *j = NULL;
        Err err = {0};
        assert_ok(parse(a, same[i], &j, &err), &err);
        Buf b = buf_init(a, 64 * KIB);
        JsonOut out = json_out(&b);
        json_put(&out, j);
        assert_str_equal(buf_str(&b), same[i]);
    }
}

TEST(refuses_what_is_not_json)
{
    static const char *const bad[] = {
        "", "[", "[1,]", "{\"a\"}", "{\"a\":1,}", "01", "1.", "-", "+1", "NaN", "nul", "[1 2]", "\"a", "\"\\x\"", "\"\t\"",
        "\"\\ud800\"", "\"\\udc00\\ud800\"", "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "[]]", "{1:2}", "'a'", "1e", "\"\\u12\"",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
        const Json *j = NULL;
        Err err = {0};
        if (parse(a, bad[i], &j, &err) != ERR_BAD_JSON)
            fail_msg("accepted: %s", bad[i]);
        assert_true(err.text[0] != 0);
    }
}

TEST(limits_depth_and_memory)
{
    char deep[JSON_DEPTH_MAX + 2];
    memset(deep, '[', sizeof deep - 1);
    deep[sizeof deep - 1] = 0;
    CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
    const Json *j = NULL;
    Err err = {0};
    assert_int_equal(parse(a, deep, &j, &err), ERR_BAD_JSON);
    CLEANUP(arena_close) Arena *tiny = arena_open(200);
    assert_int_equal(parse(tiny, "[1,2,3,4,5,6]", &j, &err), ERR_NO_MEMORY);
}

TEST(keeps_integers_exact_and_reads_surrogates)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
    const Json *j = NULL;
    Err err = {0};
    assert_ok(parse(a, "{\"n\":-9223372036854775808,\"s\":\"\\ud83d\\ude00\",\"n\":7}", &j, &err), &err);
    assert_int_equal(json_int(json_get(j, "n"), 0), 7);
    assert_str_equal(json_text(json_get(j, "s")), "\xf0\x9f\x98\x80");
    assert_int_equal(j->first->integer, INT64_MIN);
}

TEST_MAIN(writes_back_what_it_read, refuses_what_is_not_json, limits_depth_and_memory,
          keeps_integers_exact_and_reads_surrogates)
