#include "base/str.h"
#include "unit/harness.h"

#include <math.h>

TEST(compares)
{
    assert_true(str_eq(STR(""), (Str){0}));
    assert_true(str_eq((Str){"a\0b", 3}, (Str){"a\0b", 3}));
    assert_false(str_eq((Str){"a\0b", 3}, (Str){"a\0c", 3}));
    assert_true(str_eq_c(STR("abc"), "abc"));
    assert_true(str_eq_c((Str){0}, NULL));
    assert_true(str_eq_nocase(STR("aZ-é"), STR("Az-é")));
    assert_false(str_eq_nocase(STR("é"), STR("É")));
    assert_false(str_eq_nocase(STR("@["), STR("`{")));
    assert_true(str_cmp(STR("a"), STR("b")) < 0);
    assert_true(str_cmp(STR("ab"), STR("a")) > 0);
    assert_true(str_cmp(STR(""), (Str){0}) == 0);
    assert_true(str_cmp(STR("\xff"), STR("a")) > 0);
    assert_true(str_starts(STR("abc"), STR("")) && str_starts(STR("abc"), STR("abc")));
    assert_false(str_starts(STR("ab"), STR("abc")));
    assert_true(str_ends(STR("abc"), STR("bc")) && !str_ends(STR("c"), STR("bc")));
    assert_true(str_ends_nocase(STR("a.PDF"), STR(".pdf")));
}

TEST(slices_and_finds)
{
    assert_str_equal(str_slice(STR("hello"), 1, 3), "el");
    assert_str_equal(str_slice(STR("hello"), 3, 99), "lo");
    assert_str_equal(str_slice(STR("hello"), 9, 2), "");
    assert_str_equal(str_slice((Str){0}, 0, 5), "");
    assert_str_equal(str_trim(STR(" \t\r\n a b \n")), "a b");
    assert_str_equal(str_trim(STR(" \n ")), "");
    assert_str_equal(str_trim((Str){0}), "");
    assert_int_equal(str_find(STR("banana"), STR("na")), 2);
    assert_int_equal(str_find(STR("banana"), STR("")), 0);
    assert_true(str_find(STR(""), STR("x")) == STR_NONE);
    assert_true(str_find((Str){0}, STR("x")) == STR_NONE);
    assert_true(str_find(STR("banana"), STR("bananas")) == STR_NONE);
    assert_int_equal(str_find_char(STR("banana"), 'n'), 2);
    assert_int_equal(str_rfind_char(STR("banana"), 'n'), 4);
    assert_true(str_rfind_char((Str){0}, 'n') == STR_NONE);
    assert_int_equal(str_find_char((Str){"a\0b", 3}, 0), 1);
}

TEST(walks_parts)
{
    static const struct {
        const char *text, *parts;
    } cases[] = {{"a,b", "[a][b]"}, {"", "[]"},         {",", "[][]"},
                 {"a,", "[a][]"},   {",,a", "[][][a]"}, {"abc", "[abc]"}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char got[64] = "";
        Str rest = str_from_c(cases[i].text), part;
        while (str_next(&rest, ',', &part))
            snprintf(got + strlen(got), sizeof got - strlen(got), "[" STR_FMT "]", STR_ARG(part));
        assert_string_equal(got, cases[i].parts);
        assert_false(str_next(&rest, ',', &part));
    }
}

TEST(reads_numbers)
{
    static const struct {
        const char *text;
        bool ok;
        int64_t want;
    } whole[] = {
        {"0", true, 0},
        {"-0", true, 0},
        {"007", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"-9223372036854775808", true, INT64_MIN},
        {"9223372036854775808", false, 0},
        {"-9223372036854775809", false, 0},
        {"", false, 0},
        {"-", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1.0", false, 0},
        {"0x1", false, 0},
        {"--1", false, 0},
        {"1e3", false, 0},
        {"99999999999999999999999999", false, 0},
        {"٣", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(whole); i++) {
        int64_t got = 42;
        if (str_to_i64(str_from_c(whole[i].text), &got) != whole[i].ok ||
            got != (whole[i].ok ? whole[i].want : 42))
            fail_msg("\"%s\" gave %" PRId64, whole[i].text, got);
    }
    static const struct {
        const char *text;
        bool ok;
        double want;
    } real[] = {
        {"1.5", true, 1.5}, {"-2e3", true, -2000}, {"1E-2", true, 0.01}, {"5e-324", true, 5e-324},
        {"0", true, 0},     {"1e999", false, 0},   {"-1e999", false, 0}, {"inf", false, 0},
        {"nan", false, 0},  {"0x10", false, 0},    {"", false, 0},       {".", false, 0},
        {"e5", false, 0},   {"1e", false, 0},      {"1-2", false, 0},    {" 1", false, 0},
        {"1 ", false, 0},   {"1,5", false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(real); i++) {
        double got = 42;
        bool ok = str_to_double(str_from_c(real[i].text), &got);
        if (ok != real[i].ok || fabs(got - (ok ? real[i].want : 42)) > 0)
            fail_msg("\"%s\" gave %g", real[i].text, got);
    }
    assert_false(str_to_i64((Str){"1\0002", 3}, &(int64_t){0}));
    assert_false(str_to_double((Str){"1\0002", 3}, &(double){0}));
}

TEST(copies_into_the_arena)
{
    CLEANUP(arena_close) Arena *a = arena_open(256);
    assert_str_equal(str_copy(a, STR("abc")), "abc");
    assert_non_null(str_copy(a, STR("")).ptr);
    assert_string_equal(str_to_c(a, (Str){0}), "");
    assert_str_equal(str_lower(a, STR("AbC É")), "abc É");
    Str s = str_printf(a, "%s %d", "x", 7);
    assert_str_equal(s, "x 7");
    assert_string_equal(s.ptr, "x 7");
    while (arena_alloc_raw(a, 16) != NULL)
        ;
    assert_null(str_copy(a, STR("abc")).ptr);
    assert_null(str_to_c(a, STR("abc")));
    assert_null(str_printf(a, "%d", 1).ptr);
    assert_null(str_lower(a, STR("abc")).ptr);
}

/* Every sequence of one to three bytes, and the edges of four: valid exactly when encoding what was
 * decoded gives it back. */
TEST(knows_utf8)
{
    static const struct {
        const char *bytes;
        bool valid;
    } cases[] = {
        {"", true},
        {"abc", true},
        {"é", true},
        {"€", true},
        {"😀", true},
        {"\x7f", true},
        {"\x80", false},
        {"\xbf", false},
        {"\xc0\x80", false},
        {"\xc1\xbf", false},
        {"\xc2", false},
        {"\xc2\x80", true},
        {"\xdf\xbf", true},
        {"\xe0\x80\x80", false},
        {"\xe0\x9f\xbf", false},
        {"\xe0\xa0\x80", true},
        {"\xed\x9f\xbf", true},
        {"\xed\xa0\x80", false},
        {"\xed\xbf\xbf", false},
        {"\xee\x80\x80", true},
        {"\xef\xbf\xbf", true},
        {"\xf0\x8f\xbf\xbf", false},
        {"\xf0\x90\x80\x80", true},
        {"\xf4\x8f\xbf\xbf", true},
        {"\xf4\x90\x80\x80", false},
        {"\xf5\x80\x80\x80", false},
        {"\xf8\x88\x80\x80\x80", false},
        {"\xff", false},
        {"\xe2\x82", false},
        {"a\xe2\x82z", false},
        {"\xf0\x9f\x98", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (str_is_utf8(str_from_c(cases[i].bytes)) != cases[i].valid)
            fail_msg("case %zu", i);
    for (uint32_t cp = 0; cp <= 0x10FFFF; cp++) {
        char bytes[4];
        size_t at = 0, n = str_put_utf8(bytes, cp);
        bool surrogate = cp >= 0xD800 && cp <= 0xDFFF;
        uint32_t back = str_next_utf8((Str){bytes, n}, &at);
        if (back != (surrogate ? 0xFFFD : cp) || at != n)
            fail_msg("U+%04X", cp);
    }
    char bytes[4];
    assert_int_equal(str_put_utf8(bytes, 0x110000), 3);
}

TEST(steps_over_bad_bytes_one_by_one)
{
    Str s = STR("a\xe2\x82z\xff");
    size_t at = 0;
    static const uint32_t want[] = {'a', 0xFFFD, 0xFFFD, 'z', 0xFFFD};
    for (size_t i = 0; i < COUNT_OF(want); i++)
        assert_int_equal(str_next_utf8(s, &at), want[i]);
    assert_int_equal(at, s.len);
    assert_int_equal(str_count_utf8(s), 5);
    assert_int_equal(str_count_utf8(STR("aé€😀")), 4);
}

TEST_MAIN(compares, slices_and_finds, walks_parts, reads_numbers, copies_into_the_arena, knows_utf8,
          steps_over_bad_bytes_one_by_one)
