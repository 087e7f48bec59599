#include "core/nearest.h"
#include "core/param.h"
#include "unit/harness.h"

enum Fit { FIT_INSIDE, FIT_COVER, FIT_STRETCH };

static const Choice fit_choices[] = {
    [FIT_INSIDE] = {"inside", "As large as fits."},
    [FIT_COVER] = {"cover", "As small as covers."},
    [FIT_STRETCH] = {"stretch", "Exactly the box."},
    {0},
};

typedef struct Args {
    int64_t width, height, any;
    double ratio, free;
    bool enlarge;
    Str title, plain;
    int fit, maybe;
    StrList tags;
    const Json *extra;
    Str password;
} Args;

static const Param params[] = {
    PARAM_INT(Args, width, .required = true, .min = 1, .max = 16384),
    PARAM_INT(Args, height, .min = 1, .max = 16384),
    PARAM_INT(Args, any, .def = -3),
    PARAM_NUMBER(Args, ratio, .min_num = 0.5, .max_num = 2, .def_num = 1),
    PARAM_NUMBER(Args, free),
    PARAM_BOOL(Args, enlarge),
    PARAM_TEXT(Args, title, .max_len = 6),
    PARAM_TEXT(Args, plain, .def_text = "x"),
    PARAM_CHOICE(Args, fit, .choices = fit_choices),
    PARAM_CHOICE(Args, maybe, .choices = fit_choices, .def = -1),
    PARAM_LIST(Args, tags, .max_len = 3, .def_text = "a, b"),
    PARAM_JSON(Args, extra),
    PARAM_TEXT(Args, password, .secret = true, .max_len = 4),
    PARAM_END,
};

typedef struct Checked {
    ErrCode code;
    Str text;
    ParamFaults faults;
    Err err;
} Checked;

static Checked check(Arena *a, const Param *table, const char *given)
{
    Checked c = {.code = ERR_INTERNAL};
    const Json *j = NULL;
    if (given != NULL)
        assert_ok(json_parse(a, str_from_c(given), &j, &c.err), &c.err);
    c.code = param_check(table, j, a, &c.text, &c.faults, &c.err);
    return c;
}

#define REST                                                                                       \
    "\"any\":-3,\"ratio\":1,\"free\":0,\"enlarge\":false,\"plain\":\"x\",\"fit\":\"inside\","      \
    "\"tags\":[\"a\",\"b\"]"

TEST(fills_defaults_in_table_order)
{
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    Checked c = check(a, params, "{\"width\":7}");
    assert_ok(c.code, &c.err);
    assert_str_equal(c.text, "{\"width\":7," REST "}");
    c = check(a, params, "{\"extra\":{\"b\":2,\"a\":[1.50]},\"height\":9,\"width\":7}");
    assert_ok(c.code, &c.err);
    assert_str_equal(c.text, "{\"width\":7,\"height\":9," REST ",\"extra\":{\"a\":[1.5],\"b\":2}}");
    static const Param none[] = {PARAM_END};
    assert_str_equal(check(a, none, NULL).text, "{}");
    assert_str_equal(check(a, NULL, "{}").text, "{}");
    assert_str_equal(check(a, NULL, "null").text, "{}");
}

TEST(equal_arguments_give_equal_text)
{
    static const char *const same[][2] = {
        {"{\"width\":7,\"height\":9}", "{ \"height\" : 9 ,\n\t\"width\" : 7 }"},
        {"{\"width\":1600}", "{\"width\":1600.0}"},
        {"{\"width\":1600}", "{\"width\":1.6e3}"},
        {"{\"width\":1600}", "{\"width\":16000E-1}"},
        {"{\"width\":7}", "{\"width\":1,\"width\":7}"},
        {"{\"width\":7}", "{\"width\":7,\"height\":null,\"extra\":null}"},
        {"{\"width\":7}", "{\"width\":7,\"any\":-3,\"ratio\":1.0,\"enlarge\":false}"},
        {"{\"width\":7,\"free\":0}", "{\"width\":7,\"free\":-0.0}"},
        {"{\"width\":7,\"free\":0.1}", "{\"width\":7,\"free\":1e-1}"},
        {"{\"width\":7,\"free\":100}", "{\"width\":7,\"free\":1E+2}"},
        {"{\"width\":7,\"title\":\"é\"}", "{\"width\":7,\"title\":\"\\u00E9\"}"},
        {"{\"width\":7,\"title\":\"/\"}", "{\"width\":7,\"title\":\"\\/\"}"},
        {"{\"width\":7,\"title\":\"😀\"}", "{\"width\":7,\"title\":\"\\ud83d\\ude00\"}"},
        {"{\"width\":7,\"tags\":[\"a\"]}", "{\"width\":7,\"tags\":[ \"\\u0061\" ]}"},
        {"{\"width\":7,\"extra\":{\"a\":1,\"b\":[{\"c\":0,\"d\":2}]}}",
         "{\"width\":7,\"extra\":{\"b\":[{\"d\":2.0,\"c\":-0}],\"a\":1.0}}"},
        {"{\"width\":7,\"extra\":{\"a\":2}}", "{\"width\":7,\"extra\":{\"a\":1,\"a\":2}}"},
        {"{\"w\\u0069dth\":7}", "{\"width\":7}"},
    };
    for (size_t i = 0; i < COUNT_OF(same); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
        Checked one = check(a, params, same[i][0]), two = check(a, params, same[i][1]);
        assert_ok(one.code, &one.err);
        assert_ok(two.code, &two.err);
        if (!str_eq(one.text, two.text))
            fail_msg("\n" STR_FMT "\n" STR_FMT, STR_ARG(one.text), STR_ARG(two.text));
    }
}

TEST(canonical_text_is_a_fixed_point)
{
    static const char *const given[] = {
        "{\"width\":7,\"free\":0.30000000000000004,\"extra\":18446744073709551616}",
        "{\"width\":7,\"free\":1e300,\"extra\":[1e999,-1e-7,{\"\":{}}]}",
        "{\"width\":7,\"any\":-9223372036854775808,\"extra\":\"\\u0000\\u001f\\ud83d\\ude00\"}",
        "{\"width\":7,\"any\":9223372036854775807,\"title\":\"\\\"\\\\\\n\",\"tags\":[\"\",\",\"]}",
    };
    for (size_t i = 0; i < COUNT_OF(given); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
        Checked one = check(a, params, given[i]);
        assert_ok(one.code, &one.err);
        Checked two = check(a, params, str_to_c(a, one.text));
        assert_ok(two.code, &two.err);
        if (!str_eq(one.text, two.text))
            fail_msg("\n" STR_FMT "\n" STR_FMT, STR_ARG(one.text), STR_ARG(two.text));
    }
}

TEST(names_each_fault)
{
    static const struct {
        const char *given, *param, *detail;
    } cases[] = {
        {"{}", "width", "is required"},
        {"{\"width\":null}", "width", "is required"},
        {"{\"width\":0}", "width", "must be 1 to 16384, not 0"},
        {"{\"width\":16385}", "width", "must be 1 to 16384, not 16385"},
        {"{\"width\":1.5}", "width", "must be a whole number of at most 18 digits, not 1.5"},
        {"{\"width\":99999999999999999999}", "width",
         "must be a whole number of at most 18 digits, not 99999999999999999999"},
        {"{\"width\":\"7\"}", "width", "must be a whole number, not \"7\""},
        {"{\"width\":true}", "width", "must be a whole number, not true"},
        {"{\"width\":[7]}", "width", "must be a whole number, not a list"},
        {"{\"width\":{}}", "width", "must be a whole number, not an object"},
        {"{\"width\":7,\"ratio\":2.01}", "ratio", "must be 0.5 to 2, not 2.01"},
        {"{\"width\":7,\"ratio\":\"1\"}", "ratio", "must be a number, not \"1\""},
        {"{\"width\":7,\"free\":1e999}", "free",
         "must be a number within the range of a double, not 1e999"},
        {"{\"width\":7,\"enlarge\":1}", "enlarge", "must be true or false, not 1"},
        {"{\"width\":7,\"enlarge\":\"true\"}", "enlarge", "must be true or false, not \"true\""},
        {"{\"width\":7,\"title\":7}", "title", "must be text, not 7"},
        {"{\"width\":7,\"title\":\"1234567\"}", "title", "must be at most 6 bytes long, not 7"},
        {"{\"width\":7,\"title\":\"ééé!\"}", "title", "must be at most 6 bytes long, not 7"},
        {"{\"width\":7,\"title\":\"a\\u0000b\"}", "title", "must not contain the character U+0000"},
        {"{\"width\":7,\"fit\":\"covr\"}", "fit",
         "must be one of inside, cover, stretch, not \"covr\"; did you mean \"cover\"?"},
        {"{\"width\":7,\"fit\":\"zzzzzzzz\"}", "fit",
         "must be one of inside, cover, stretch, not \"zzzzzzzz\""},
        {"{\"width\":7,\"fit\":1}", "fit", "must be one of inside, cover, stretch, not 1"},
        {"{\"width\":7,\"fit\":\"Cover\"}", "fit",
         "must be one of inside, cover, stretch, not \"Cover\"; did you mean \"cover\"?"},
        {"{\"width\":7,\"tags\":\"a\"}", "tags", "must be a list of texts, not \"a\""},
        {"{\"width\":7,\"tags\":[\"a\",1]}", "tags", "item 2 must be text, not 1"},
        {"{\"width\":7,\"tags\":[\"1\",\"2\",\"3\",\"4\"]}", "tags",
         "must have at most 3 items, not 4"},
        {"{\"width\":7,\"tags\":[\"\\u0000\"]}", "tags",
         "item 1 must not contain the character U+0000"},
        {"{\"width\":7,\"password\":12345}", "password", "must be text"},
        {"{\"width\":7,\"password\":\"topsecret\"}", "password",
         "must be at most 4 bytes long, not 9"},
        {"{\"width\":7,\"widht\":1}", "widht", "is not a parameter; did you mean \"width\"?"},
        {"{\"width\":7,\"Width\":1}", "Width", "is not a parameter; did you mean \"width\"?"},
        {"{\"width\":7,\"completely_else\":1}", "completely_else", "is not a parameter"},
        {"{\"width\":7,\"\":1}", "", "is not a parameter"},
        {"[]", "", "the parameters must be an object"},
        {"\"text\"", "", "the parameters must be an object"},
        {"{\"width\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaé and more\"}", "width",
         "must be a whole number, not \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…\""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
        Checked c = check(a, params, cases[i].given);
        if (c.code != ERR_BAD_PARAM || c.faults.len != 1)
            fail_msg("%s: %zu faults", cases[i].given, c.faults.len);
        assert_str_equal(c.faults.items[0].param, cases[i].param);
        assert_str_equal(c.faults.items[0].detail, cases[i].detail);
        assert_string_equal(c.err.param, cases[i].param);
        assert_non_null(strstr(c.err.text, cases[i].detail));
    }
}

TEST(names_all_faults_at_once)
{
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    Checked c =
        check(a, params,
              "{\"heigth\":1,\"ratio\":9,\"enlarge\":\"x\",\"tags\":{},\"height\":-1,\"heigth\":2,"
              "\"fit\":\"\",\"x\\u0000y\":1}");
    static const char *const want[] = {"width", "height", "ratio", "enlarge",
                                       "fit",   "tags",   "heigth"};
    assert_int_equal(c.code, ERR_BAD_PARAM);
    assert_int_equal(c.faults.len, COUNT_OF(want) + 1);
    for (size_t i = 0; i < COUNT_OF(want); i++)
        assert_str_equal(c.faults.items[i].param, want[i]);
    assert_string_equal(c.err.param, "width");
    assert_string_equal(c.err.text, "width: is required");
}

TEST(a_flood_of_unknown_names_is_cut)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Buf b = buf_init(a, 8 * MIB);
    buf_add_c(&b, "{\"width\":1");
    for (int i = 0; i < 50000; i++)
        buf_addf(&b, ",\"%s%d\":1", i % 2 == 0 ? "unknown" : "same", i % 2 == 0 ? i : 0);
    buf_add_c(&b, "}");
    Checked c = check(a, params, buf_c(&b));
    assert_int_equal(c.code, ERR_BAD_PARAM);
    assert_int_equal(c.faults.len, PARAM_FAULTS_MAX);
}

TEST(a_required_text_or_list_is_not_empty)
{
    static const Param table[] = {
        PARAM_TEXT(Args, title, .required = true),
        PARAM_LIST(Args, tags, .required = true),
        PARAM_END,
    };
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    Checked c = check(a, table, "{\"title\":\"\",\"tags\":[]}");
    assert_int_equal(c.faults.len, 2);
    assert_str_equal(c.faults.items[0].detail, "must not be empty");
    assert_str_equal(c.faults.items[1].detail, "must not be empty");
}

TEST(open_ranges_read_well)
{
    static const Param table[] = {
        PARAM_INT(Args, width, .min = 1, .max = INT64_MAX),
        PARAM_INT(Args, height, .min = INT64_MIN, .max = -1),
        PARAM_END,
    };
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    Checked c = check(a, table, "{\"width\":0,\"height\":0}");
    assert_str_equal(c.faults.items[0].detail, "must be at least 1, not 0");
    assert_str_equal(c.faults.items[1].detail, "must be at most -1, not 0");
}

TEST(fills_the_struct)
{
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    Checked c =
        check(a, params,
              "{\"width\":7,\"ratio\":1.25,\"enlarge\":true,\"title\":\"é\",\"fit\":\"stretch\","
              "\"tags\":[\"x\",\"\"],\"extra\":{\"k\":[true]},\"password\":\"pw\"}");
    const Json *j = NULL;
    Args args = {0};
    assert_ok(c.code, &c.err);
    assert_ok(json_parse(a, c.text, &j, &c.err), &c.err);
    assert_ok(param_fill(params, j, a, &args, &c.err), &c.err);
    assert_int_equal(args.width, 7);
    assert_int_equal(args.height, 0);
    assert_int_equal(args.any, -3);
    assert_true(args.ratio > 1.24 && args.ratio < 1.26);
    assert_true(args.enlarge);
    assert_str_equal(args.title, "é");
    assert_str_equal(args.plain, "x");
    assert_int_equal(args.fit, FIT_STRETCH);
    assert_int_equal(args.maybe, -1);
    assert_int_equal(args.tags.len, 2);
    assert_str_equal(args.tags.items[0], "x");
    assert_true(json_bool(json_get(args.extra, "k")->first, false));
    assert_str_equal(args.password, "pw");
}

TEST(text_becomes_json)
{
    static const struct {
        ParamType type;
        const char *text, *want;
    } cases[] = {
        {PARAM_TYPE_INT, "1600", "1600"},
        {PARAM_TYPE_INT, " -7 ", "-7"},
        {PARAM_TYPE_INT, "1.5", "1.5"},
        {PARAM_TYPE_INT, "1e3", "1000"},
        {PARAM_TYPE_INT, "abc", "\"abc\""},
        {PARAM_TYPE_INT, "", "\"\""},
        {PARAM_TYPE_INT, "0x10", "\"0x10\""},
        {PARAM_TYPE_INT, "nan", "\"nan\""},
        {PARAM_TYPE_NUMBER, "2.50", "2.5"},
        {PARAM_TYPE_NUMBER, "1e999", "\"1e999\""},
        {PARAM_TYPE_NUMBER, "-0", "0"},
        {PARAM_TYPE_BOOL, "", "true"},
        {PARAM_TYPE_BOOL, "TRUE", "true"},
        {PARAM_TYPE_BOOL, "on", "true"},
        {PARAM_TYPE_BOOL, "0", "false"},
        {PARAM_TYPE_BOOL, "No", "false"},
        {PARAM_TYPE_BOOL, "maybe", "\"maybe\""},
        {PARAM_TYPE_TEXT, "1600", "\"1600\""},
        {PARAM_TYPE_TEXT, "a\"b\xff", "\"a\\\"b\xef\xbf\xbd\""},
        {PARAM_TYPE_CHOICE, "cover", "\"cover\""},
        {PARAM_TYPE_LIST, "a,b", "[\"a\",\"b\"]"},
        {PARAM_TYPE_LIST, " a , ,b, ", "[\"a\",\"b\"]"},
        {PARAM_TYPE_LIST, "", "[]"},
        {PARAM_TYPE_JSON, "{\"a\": 1}", "{\"a\":1}"},
        {PARAM_TYPE_JSON, "[1", "\"[1\""},
        {PARAM_TYPE_JSON, "null", "null"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
        Buf b = buf_init(a, 32 * KIB);
        JsonOut j = json_out(&b);
        param_from_text(&(Param){.name = "p", .type = cases[i].type}, str_from_c(cases[i].text),
                        &j);
        assert_false(b.failed);
        if (!str_eq_c(buf_str(&b), cases[i].want))
            fail_msg("%s \"%s\" gave " STR_FMT, param_type_name(cases[i].type), cases[i].text,
                     STR_ARG(buf_str(&b)));
    }
}

TEST(named_texts_become_an_object)
{
    static const ParamText texts[] = {
        {STR("tags"), STR("a,b")}, {STR("width"), STR("7")},  {STR("tags"), STR("c")},
        {STR("nope"), STR("1")},   {STR("enlarge"), STR("")},
    };
    CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
    Buf b = buf_init(a, 32 * KIB);
    JsonOut j = json_out(&b);
    param_from_texts(params, texts, COUNT_OF(texts), &j);
    assert_str_equal(buf_str(&b),
                     "{\"tags\":[\"a\",\"b\",\"c\"],\"width\":7,\"nope\":\"1\",\"enlarge\":true}");
}

TEST(knows_types_and_names)
{
    for (int t = PARAM_TYPE_INT; t <= PARAM_TYPE_JSON; t++)
        assert_int_equal(param_type_from(str_from_c(param_type_name((ParamType)t))), t);
    assert_int_equal(param_type_from(STR("end")), PARAM_TYPE_END);
    assert_int_equal(param_type_from(STR("")), PARAM_TYPE_END);
    assert_string_equal(param_find(params, STR("fit"))->name, "fit");
    assert_null(param_find(params, STR("fi")));
    assert_null(param_find(NULL, STR("fit")));
    assert_int_equal(param_choice_index(param_find(params, STR("fit")), STR("stretch")),
                     FIT_STRETCH);
    assert_int_equal(param_choice_index(param_find(params, STR("fit")), STR("")), -1);
}

TEST(measures_distance)
{
    static const struct {
        const char *a, *b;
        size_t want;
    } cases[] = {
        {"", "", 0},           {"", "abc", 3},
        {"abc", "", 3},        {"width", "widht", 1},
        {"width", "WIDTH", 0}, {"kitten", "sitting", 3},
        {"ab", "ba", 1},       {"image.covert", "image.convert", 1},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(nearest_distance(str_from_c(cases[i].a), str_from_c(cases[i].b)),
                         cases[i].want);
    char longer[70];
    memset(longer, 'a', sizeof longer);
    assert_true(nearest_distance((Str){longer, sizeof longer}, STR("a")) == SIZE_MAX);
}

#ifdef PLATEN_FAULTS
TEST(survives_every_failure)
{
    for (int nth = 1;; nth++) {
        CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
        const Json *j = NULL;
        Err err = {0};
        Str out = {0};
        ParamFaults faults;
        assert_ok(
            json_parse(a, STR("{\"width\":0,\"nope\":1,\"extra\":{\"b\":1,\"a\":2}}"), &j, &err),
            &err);
        while (arena_alloc_raw(a, 64) != NULL && arena_left(a) > 8 * MIB - 8000)
            ; /* use up the first chunks, so that the check needs new ones */
        fault_arm(nth);
        ErrCode rc = param_check(params, j, a, &out, &faults, &err);
        if (!fault_disarm()) {
            assert_int_equal(rc, ERR_BAD_PARAM);
            return;
        }
        assert_int_equal(rc, ERR_NO_MEMORY);
        assert_true(err.text[0] != 0);
    }
}
#else
TEST(survives_every_failure)
{
    skip();
}
#endif

TEST(says_so_when_memory_ends)
{
    for (size_t ceiling = 0; ceiling < 4000; ceiling += 64) {
        CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
        CLEANUP(arena_close) Arena *small = arena_open(ceiling);
        const Json *j = NULL;
        Err err = {0};
        Str out = {0};
        ParamFaults faults;
        assert_ok(json_parse(a, STR("{\"width\":1,\"extra\":{\"b\":1,\"a\":2}}"), &j, &err), &err);
        ErrCode rc = param_check(params, j, small, &out, &faults, &err);
        assert_true(rc == OK || rc == ERR_NO_MEMORY);
    }
}

TEST_MAIN(fills_defaults_in_table_order, equal_arguments_give_equal_text,
          canonical_text_is_a_fixed_point, names_each_fault, names_all_faults_at_once,
          a_flood_of_unknown_names_is_cut, a_required_text_or_list_is_not_empty,
          open_ranges_read_well, fills_the_struct, text_becomes_json, named_texts_become_an_object,
          knows_types_and_names, measures_distance, survives_every_failure,
          says_so_when_memory_ends)
