#include "base/json.h"
#include "unit/harness.h"

static ErrCode parse(Arena *a, const char *text, const Json **out, Err *err)
{
    return json_parse(a, str_from_c(text), out, err);
}

TEST(writes_back_what_it_read)
{
    static const char *const same[] = {
        "{}",
        "[]",
        "null",
        "true",
        "[1,-2,3.50,1e9]",
        "{\"a\":{\"b\":[\"x\",null]}}",
        "9007199254740993",
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
        "",
        "[",
        "[1,]",
        "{\"a\"}",
        "{\"a\":1,}",
        "01",
        "1.",
        "-",
        "+1",
        "NaN",
        "nul",
        "[1 2]",
        "\"a",
        "\"\\x\"",
        "\"\t\"",
        "\"\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\xff\"",
        "\"\xc0\x80\"",
        "\"\xed\xa0\x80\"",
        "[]]",
        "{1:2}",
        "'a'",
        "1e",
        "\"\\u12\"",
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
    assert_ok(parse(a, "{\"n\":-9223372036854775808,\"s\":\"\\ud83d\\ude00\",\"n\":7}", &j, &err),
              &err);
    assert_int_equal(json_int(json_get(j, "n"), 0), 7);
    assert_str_equal(json_text(json_get(j, "s")), "\xf0\x9f\x98\x80");
    assert_int_equal(j->first->integer, INT64_MIN);
}

/* The cases every strict parser agrees on, by what they probe. STR keeps bytes that a C string
 * would end at. */
#define CASE(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

static const Str accepted[] = {
    /* arrays and objects */
    CASE("[]"),
    CASE("[ ]"),
    CASE("[[]   ]"),
    CASE("[\"\"]"),
    CASE("[\"a\"]"),
    CASE("[false]"),
    CASE("[null, 1, \"1\", {}]"),
    CASE("[null]"),
    CASE("[1\n]"),
    CASE(" [1]"),
    CASE("[1,null,null,null,2]"),
    CASE("[2] "),
    CASE("[[[[[]]]]]"),
    CASE("{}"),
    CASE("{\"asd\":\"sdf\", \"dfg\":\"fgh\"}"),
    CASE("{\"asd\":\"sdf\"}"),
    CASE("{\"a\":\"b\",\"a\":\"c\"}"),
    CASE("{\"a\":\"b\",\"a\":\"b\"}"),
    CASE("{\"\":0}"),
    CASE("{\"foo\\u0000bar\": 42}"),
    CASE("{\"a\":[]}"),
    CASE("{\"min\": -1.0e+28, \"max\": 1.0e+28}"),
    CASE("{\n\"a\": \"b\"\n}"),
    CASE("{\"x\":[{\"id\": \"xx\"}], \"id\": \"yy\"}"),
    CASE("{\"title\":\"\\u041f\\u043e\\u043b\\u0442\\u043e\\u0440\\u0430\"}"),
    /* numbers */
    CASE("[123e65]"),
    CASE("[0e+1]"),
    CASE("[0e1]"),
    CASE("[ 4]"),
    CASE("[-0.00000000000000000000000000000000000000000000001]"),
    CASE("[20e1]"),
    CASE("[-0]"),
    CASE("[-123]"),
    CASE("[-1]"),
    CASE("[1E22]"),
    CASE("[1E-2]"),
    CASE("[1E+2]"),
    CASE("[123e45]"),
    CASE("[123.456e78]"),
    CASE("[1e-2]"),
    CASE("[1e+2]"),
    CASE("[123]"),
    CASE("[123.456789]"),
    CASE("[0]"),
    CASE("[0.0]"),
    CASE("0"),
    CASE("-0"),
    CASE("42"),
    CASE("0.1"),
    CASE("1e1"),
    /* texts */
    CASE("[\"\\u0060\\u012a\\u12AB\"]"),
    CASE("[\"\\uD801\\udc37\"]"),
    CASE("[\"\\ud83d\\ude39\\ud83d\\udc8d\"]"),
    CASE("[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"]"),
    CASE("[\"\\\\u0000\"]"),
    CASE("[\"\\\"\"]"),
    CASE("[\"a/*b*/c/*d//e\"]"),
    CASE("[\"\\\\a\"]"),
    CASE("[\"\\\\n\"]"),
    CASE("[\"\\u0012\"]"),
    CASE("[\"\\uFFFF\"]"),
    CASE("[\"asd\"]"),
    CASE("[ \"asd\"]"),
    CASE("[\"\\uDBFF\\uDFFF\"]"),
    CASE("[\"new\\u00A0line\"]"),
    CASE("[\"\xf4\x8f\xbf\xbf\"]"),
    CASE("[\"\xef\xbf\xbf\"]"),
    CASE("[\"\\u0000\"]"),
    CASE("[\"\\u002c\"]"),
    CASE("[\"\xcf\x80\"]"),
    CASE("[\"\xf0\x9b\xbf\xbf\"]"),
    CASE("\" \""),
    CASE("[\"\\uD834\\uDd1e\"]"),
    CASE("[\"\\u0821\"]"),
    CASE("[\"\\u0123\"]"),
    CASE("[\"\xe2\x80\xa8\"]"),
    CASE("[\"\xe2\x80\xa9\"]"),
    CASE("[\"\\u0061\\u30af\\u30EA\\u30b9\"]"),
    CASE("[\"new\\u000Aline\"]"),
    CASE("[\"\x7f\"]"),
    CASE("[\"\\uA66D\"]"),
    CASE("[\"\\u005C\"]"),
    CASE("[\"\xe2\x8d\x82\xe3\x88\xb4\xe2\x8d\x82\"]"),
    CASE("[\"\\u10FFF\"]"),
    CASE("[\"\\u200B\"]"),
    CASE("[\"\\u2064\"]"),
    CASE("[\"\\uFDD0\"]"),
    CASE("[\"\\uFFFE\"]"),
    CASE("[\"\\u0022\"]"),
    CASE("[\"a\x7f"
         "a\"]"),
    /* whole texts */
    CASE("false"),
    CASE("true"),
    CASE("null"),
    CASE("42"),
    CASE("-0.1"),
    CASE("\"asd\""),
    CASE("\"\""),
    CASE("[\"a\"]\n"),
    CASE("[true]"),
    CASE(" [] "),
    CASE("\t{\r\n} "),
    /* numbers beyond a double are kept as text */
    CASE("[123123e100000]"),
    CASE("[-123123e100000]"),
    CASE("[1.5e+9999]"),
    CASE("[123e-10000000]"),
    CASE("[-123123123123123123123123123123]"),
    CASE("[100000000000000000000]"),
    CASE("[0.4e00669999999999999999999999999]"),
};

static const Str refused[] = {
    /* arrays */
    CASE("[1 true]"),
    CASE("[a\xe5]"),
    CASE("[\"\": 1]"),
    CASE("[\"\"],"),
    CASE("[,1]"),
    CASE("[1,,2]"),
    CASE("[\"x\",,]"),
    CASE("[\"x\"]]"),
    CASE("[\"\",]"),
    CASE("[\"x\""),
    CASE("[x"),
    CASE("[3[4]]"),
    CASE("[\xff]"),
    CASE("[1:2]"),
    CASE("[,]"),
    CASE("[-]"),
    CASE("[   , \"\"]"),
    CASE("[\"a\",\n4\n,1,"),
    CASE("[1,]"),
    CASE("[1,,]"),
    CASE("[\"\va\"\\f]"),
    CASE("[*]"),
    CASE("[\"\""),
    CASE("[1,"),
    CASE("[1,\n1\n,1"),
    CASE("[{}"),
    CASE("[fals]"),
    CASE("[nul]"),
    CASE("[tru]"),
    CASE("[True]"),
    /* numbers */
    CASE("[++1234]"),
    CASE("[+1]"),
    CASE("[+Inf]"),
    CASE("[-01]"),
    CASE("[-1.0.]"),
    CASE("[-2.]"),
    CASE("[-NaN]"),
    CASE("[.-1]"),
    CASE("[.2e-3]"),
    CASE("[0.1.2]"),
    CASE("[0.3e+]"),
    CASE("[0.3e]"),
    CASE("[0.e1]"),
    CASE("[0E+]"),
    CASE("[0E]"),
    CASE("[0e+]"),
    CASE("[0e]"),
    CASE("[1.0e+]"),
    CASE("[1.0e-]"),
    CASE("[1.0e]"),
    CASE("[1 000.0]"),
    CASE("[1eE2]"),
    CASE("[2.e+3]"),
    CASE("[2.e-3]"),
    CASE("[2.e3]"),
    CASE("[9.e+]"),
    CASE("[Inf]"),
    CASE("[NaN]"),
    CASE("[\xef\xbc\x91]"),
    CASE("[1+2]"),
    CASE("[0x1]"),
    CASE("[0x42]"),
    CASE("[Infinity]"),
    CASE("[0e+-1]"),
    CASE("[-123.123foo]"),
    CASE("[123\xe5]"),
    CASE("[1e1\xe5]"),
    CASE("[0\xe5]"),
    CASE("[-Infinity]"),
    CASE("[-foo]"),
    CASE("[- 1]"),
    CASE("[-012]"),
    CASE("[-.123]"),
    CASE("[-1x]"),
    CASE("[1ea]"),
    CASE("[1e\xe5]"),
    CASE("[1.]"),
    CASE("[.123]"),
    CASE("[1.2a-3]"),
    CASE("[1.8011670033376514H-308]"),
    CASE("[012]"),
    CASE("-"),
    CASE("1e"),
    CASE("1."),
    CASE("01"),
    CASE("--1"),
    /* objects */
    CASE("[\"x\", truth]"),
    CASE("{[: \"x\"}\n"),
    CASE("{\"x\", null}"),
    CASE("{\"x\"::\"b\"}"),
    CASE("{\xf0\x9f\x87\xa8\xf0\x9f\x87\xad}"),
    CASE("{\"a\":\"a\" 123}"),
    CASE("{key: 'value'}"),
    CASE("{\"\xb9\":\"0\",}"),
    CASE("{\"a\" b}"),
    CASE("{:\"b\"}"),
    CASE("{\"a\" \"b\"}"),
    CASE("{\"a\":"),
    CASE("{\"a\""),
    CASE("{1:1}"),
    CASE("{9999E9999:1}"),
    CASE("{null:null,null:null}"),
    CASE("{\"id\":0,,,,,}"),
    CASE("{'a':0}"),
    CASE("{\"id\":0,}"),
    CASE("{\"a\":\"b\"}/**/"),
    CASE("{\"a\":\"b\"}/**//"),
    CASE("{\"a\":\"b\"}//"),
    CASE("{\"a\":\"b\"}/"),
    CASE("{\"a\":\"b\",,\"c\":\"d\"}"),
    CASE("{a: \"b\"}"),
    CASE("{\"a\":\"a"),
    CASE("{ \"foo\" : \"bar\", \"a\" }"),
    CASE("{\"a\":\"b\"}#"),
    CASE("{\"a\":true} \"x\""),
    CASE("{"),
    CASE("{,"),
    CASE("{["),
    CASE("{\"a"),
    CASE("{'a'"),
    CASE("{}}"),
    CASE("{\"a\":1 \"b\":2}"),
    /* texts */
    CASE(" "),
    CASE("[\"\\uD800\\\"]"),
    CASE("[\"\\uD800\\u\"]"),
    CASE("[\"\\uD800\\u1\"]"),
    CASE("[\"\\uD800\\u1x\"]"),
    CASE("[\xc3\xa9]"),
    CASE("[\"\\x00\"]"),
    CASE("[\"\\\\\\\"]"),
    CASE("[\"\\\t\"]"),
    CASE("[\"\\\xf0\x9f\x8c\x80\"]"),
    CASE("[\"\\\"]"),
    CASE("[\"\\u00A\"]"),
    CASE("[\"\\uD834\\uDd\"]"),
    CASE("[\"\\uD800\\uD800\\x\"]"),
    CASE("[\"\\u\xe5\"]"),
    CASE("[\"\\a\"]"),
    CASE("[\"\\uqqqq\"]"),
    CASE("[\"\\\xe5\"]"),
    CASE("[\\u0020\"asd\"]"),
    CASE("[\\n]"),
    CASE("\""),
    CASE("['single quote']"),
    CASE("abc"),
    CASE("[\"\\"),
    CASE("[\"a\0a\"]"),
    CASE("[\"new\nline\"]"),
    CASE("[\"\t\"]"),
    CASE("\"\\UA66D\""),
    CASE("\"\"x"),
    CASE("[\"\x1f\"]"),
    CASE("[\"\0\"]"),
    /* lone surrogates and bytes that are not UTF-8 */
    CASE("[\"\\uDADA\"]"),
    CASE("[\"\\uD888\\u1234\"]"),
    CASE("[\"\\uD800\\n\"]"),
    CASE("[\"\\uDd1ea\"]"),
    CASE("[\"\\uD800\\uD800\\n\"]"),
    CASE("[\"\\ud800\"]"),
    CASE("[\"\\ud800abc\"]"),
    CASE("[\"\\uDd1e\\uD834\"]"),
    CASE("[\"\\uDFAA\"]"),
    CASE("[\"\xff\"]"),
    CASE("[\"\xe6\x97\xa5\xd1\x88\xfa\"]"),
    CASE("[\"\xed\xa0\x80\"]"),
    CASE("[\"\xe9\"]"),
    CASE("[\"\x81\"]"),
    CASE("[\"\xf4\xbf\xbf\xbf\"]"),
    CASE("[\"\xe0\xff\"]"),
    CASE("[\"\xfc\x80\x80\x80\x80\x80\"]"),
    CASE("[\"\xc0\xaf\"]"),
    CASE("{\"\xff\":1}"),
    /* whole texts */
    CASE(""),
    CASE("<.>"),
    CASE("[<null>]"),
    CASE("[1]x"),
    CASE("[1]]"),
    CASE("[\"asd]"),
    CASE("a\xc3\xa5"),
    CASE("[True]"),
    CASE("1]"),
    CASE("{\"x\": true,"),
    CASE("[][]"),
    CASE("]"),
    CASE("\xef\xbb\xbf{}"),
    CASE("\xef\xbb\xbf"),
    CASE("\xe5"),
    CASE("["),
    CASE("2@"),
    CASE("{}}"),
    CASE("{\"\":"),
    CASE("{\"a\":/*comment*/\"b\"}"),
    CASE("{\"a\": true} \"x\""),
    CASE("['"),
    CASE("[,"),
    CASE("[{"),
    CASE("[\"a"),
    CASE("[\"a\""),
    CASE("{\"a\":\"a"),
    CASE("*"),
    CASE("{\"a\":\"b\"}#{}"),
    CASE("[\\u000A\"\"]"),
    CASE("[1"),
    CASE("[ false, nul"),
    CASE("[ true, fals"),
    CASE("[ false, tru"),
    CASE("{\"asd\":\"asd\""),
    CASE("\xc3\xa5"),
    CASE("[\xe2\x81\xa0]"),
    CASE("\0"),
    CASE("[\0]"),
    CASE("[1]\0"),
    CASE("\f[]"),
    CASE("[\v]"),
    CASE("\xc2\xa0[]"),
    CASE("nulll"),
    CASE("truefalse"),
    CASE("null null"),
};

TEST(agrees_with_every_strict_parser)
{
    for (size_t i = 0; i < COUNT_OF(accepted); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
        const Json *j = NULL;
        Err err = {0};
        if (json_parse(a, accepted[i], &j, &err) != OK)
            fail_msg("refused: " STR_FMT ": %s", STR_ARG(accepted[i]), err.text);
    }
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
        const Json *j = NULL;
        Err err = {0};
        if (json_parse(a, refused[i], &j, &err) != ERR_BAD_JSON || err.text[0] == 0 || j != NULL)
            fail_msg("accepted: " STR_FMT, STR_ARG(refused[i]));
    }
}

/* A text cut anywhere is refused without reading past its end (the copy is exactly as long). */
TEST(refuses_every_cut)
{
    static const char whole[] =
        "{\"a\":[1.5e3,\"\\ud83d\\ude00\xe2\x82\xac\",true,false,null,{\"b\":-0}]}";
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
        char *exact = malloc(len > 0 ? len : 1);
        const Json *j = NULL;
        Err err = {0};
        memcpy(exact, whole, len);
        ErrCode rc = json_parse(a, (Str){exact, len}, &j, &err);
        free(exact);
        assert_int_equal(rc, ERR_BAD_JSON);
    }
    static const char *const ends[] = {"[\"\\", "\"\\", "\"12345678\\", "\"1234567\\", "{\"\\"};
    for (size_t i = 0; i < COUNT_OF(ends); i++) { /* an escape that begins with the last byte */
        CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
        char *exact = strdup(ends[i]);
        char *shorter = malloc(strlen(exact));
        const Json *j = NULL;
        Err err = {0};
        memcpy(shorter, exact, strlen(exact));
        ErrCode rc = json_parse(a, (Str){shorter, strlen(exact)}, &j, &err);
        free(exact);
        free(shorter);
        assert_int_equal(rc, ERR_BAD_JSON);
    }
}

TEST(names_line_and_column)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
    const Json *j = NULL;
    Err err = {0};
    assert_int_equal(parse(a, "{\n  \"a\": 1,\n  \"b\" 2\n}", &j, &err), ERR_BAD_JSON);
    assert_string_equal(err.text, "a colon was expected at line 3, column 7");
}

TEST(reads_paths_that_are_not_there)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
    const Json *j = NULL;
    Err err = {0};
    double d = 0;
    assert_ok(parse(a, "{\"a\":{\"n\":1.5,\"t\":\"x\"},\"l\":[1,2]}", &j, &err), &err);
    assert_null(json_get(json_get(json_get(j, "x"), "y"), "z"));
    assert_null(json_get(json_get(j, "l"), "a"));
    assert_str_equal(json_text(NULL), "");
    assert_str_equal(json_text(json_get(j, "l")), "");
    assert_int_equal(json_int(json_get(json_get(j, "a"), "n"), 7), 7);
    assert_true(json_bool(NULL, true));
    assert_true(json_double(json_get(json_get(j, "a"), "n"), &d) && d > 1.4 && d < 1.6);
    assert_false(json_double(json_get(json_get(j, "a"), "t"), &d));
    assert_int_equal(json_get(j, "l")->len, 2);
    assert_false(json_is(NULL, JSON_NULL));
}

TEST(writes_what_can_be_read)
{
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    Buf b = buf_init(a, 64 * KIB);
    JsonOut o = json_out(&b);
    json_begin(&o, '{');
    json_kv_str(&o, "bytes", (Str){"\xff\"\\\0\x1f/\x7f", 7});
    json_kv_c(&o, "none", NULL);
    json_kv_double(&o, "third", 1.0 / 3);
    json_kv_double(&o, "tenth", 0.1);
    json_kv_double(&o, "huge", 1e308 * 10);
    json_kv_int(&o, "least", INT64_MIN);
    json_kv_bool(&o, "yes", true);
    json_kv_raw(&o, "raw", STR("[1,2]"));
    json_key_str(&o, STR("a\"key"));
    json_begin(&o, '[');
    json_put_null(&o);
    json_begin(&o, '{');
    json_end(&o, '}');
    json_begin(&o, '[');
    json_end(&o, ']');
    json_put(&o, NULL);
    json_end(&o, ']');
    json_end(&o, '}');
    assert_str_equal(buf_str(&b),
                     "{\"bytes\":\"\xef\xbf\xbd\\\"\\\\\\u0000\\u001f/\x7f\",\"none\":null,"
                     "\"third\":0.33333333333333331,\"tenth\":0.1,\"huge\":null,"
                     "\"least\":-9223372036854775808,\"yes\":true,\"raw\":[1,2],\"a\\\"key\":[null,"
                     "{},[],null]}");
    const Json *j = NULL;
    Err err = {0};
    assert_ok(json_parse(a, buf_str(&b), &j, &err), &err);
}

TEST(numbers_come_back_exactly)
{
    static const double values[] = {
        0.1,  1.0 / 3, 5e-324,   1.7976931348623157e308, 123456789012345680.0, -2.5,
        1e21, 4.35,    0.1 + 0.2};
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
        Buf b = buf_init(a, 1 * KIB);
        JsonOut o = json_out(&b);
        const Json *j = NULL;
        Err err = {0};
        double back = 0;
        json_put_double(&o, values[i]);
        assert_ok(json_parse(a, buf_str(&b), &j, &err), &err);
        assert_true(json_double(j, &back));
        assert_memory_equal(&back, &values[i], sizeof back);
    }
}

TEST_MAIN(writes_back_what_it_read, refuses_what_is_not_json, limits_depth_and_memory,
          keeps_integers_exact_and_reads_surrogates, agrees_with_every_strict_parser,
          refuses_every_cut, names_line_and_column, reads_paths_that_are_not_there,
          writes_what_can_be_read, numbers_come_back_exactly)
