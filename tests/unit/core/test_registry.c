#include "core/registry.h"
#include "core/schema.h"
#include "unit/harness.h"

typedef struct Args {
    int64_t n, m;
    Str text;
    int kind;
    double f;
} Args;

static const Choice kinds[] = {{"one", "The first."}, {"two", "The second."}, {0}};
static const Choice twice[] = {{"one", NULL}, {"one", NULL}, {0}};
static const Choice unhelpful[] = {{"one", "no sentence"}, {0}};
static const Choice no_choices[] = {{0}};
static const Example fine[] = {{.title = "An example", .args = "{}", .expect = "pages>=1"}, {0}};

/* A good step with one thing changed is what each case is. */
#pragma GCC diagnostic ignored "-Woverride-init"
#define WITH(...)                                                                                  \
    {                                                                                              \
        .name = "test.one", .title = "One", .summary = "Does one thing.", .examples = fine,        \
        __VA_ARGS__                                                                                \
    }
#define PARAMS(...) .params = (const Param[]){__VA_ARGS__, PARAM_END}, .args_size = sizeof(Args)
#define HELP        .help = "A sentence."
#define EXAMPLE(...)                                                                               \
    .examples = (const Example[])                                                                  \
    {                                                                                              \
        {.title = "T", .expect = "a/b", __VA_ARGS__},                                              \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

static ErrCode run(StepCtx *c, const void *args)
{
    (void)c;
    (void)args;
    return OK;
}

static const Step good_steps[] = {
    WITH(.since = "0.1"),
    WITH(.accepts =
             "image/*,application/vnd.openxmlformats-officedocument.wordprocessingml.document",
         .returns = "text/plain, image/svg+xml", .inputs_max = 4, .input_optional = true),
    WITH(PARAMS(PARAM_INT(Args, n, HELP, .min = 1, .max = 9, .example = "3"),
                PARAM_TEXT(Args, text, HELP)),
         .run = run),
    WITH(PARAMS(PARAM_CHOICE(Args, kind, HELP, .choices = kinds, .def = -1, .example = "two"))),
    WITH(PARAMS(PARAM_INT(Args, n, HELP, .replaced_by = "m"), PARAM_INT(Args, m, HELP))),
    WITH(EXAMPLE(.args = "{\"nope\":1}", .expect = "reason=bad_param")),
    WITH(PARAMS(PARAM_TEXT(Args, text, HELP, .required = true)), .outside = "text",
         EXAMPLE(.args = "{\"text\":\"x\"}")),
    {.name = "test.hidden", .title = "Hidden", .summary = "For tests only.", .internal = true},
};

TEST(accepts_good_descriptions)
{
    for (size_t i = 0; i < COUNT_OF(good_steps); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
        const char *problem = registry_problem(&good_steps[i], a);
        if (problem != NULL)
            fail_msg("%zu: %s", i, problem);
    }
}

static const struct {
    const char *says;
    Step step;
} rules[] = {
    {"noun.verb", WITH(.name = NULL)},
    {"noun.verb", WITH(.name = "")},
    {"noun.verb", WITH(.name = "image")},
    {"noun.verb", WITH(.name = "Image.convert")},
    {"noun.verb", WITH(.name = "image.")},
    {"noun.verb", WITH(.name = ".convert")},
    {"noun.verb", WITH(.name = "image.convert.fast")},
    {"noun.verb", WITH(.name = "image/x.y")},
    {"noun.verb", WITH(.name = "image.1x")},
    {"title", WITH(.title = NULL)},
    {"title", WITH(.title = "A title.")},
    {"title", WITH(.title = "lower case")},
    {"summary", WITH(.summary = NULL)},
    {"summary", WITH(.summary = "No full stop")},
    {"summary", WITH(.summary = "lower case.")},
    {"summary", WITH(.summary = "Two\nlines.")},
    {"since", WITH(.since = "next")},
    {"accepts", WITH(.accepts = "image")},
    {"accepts", WITH(.accepts = "")},
    {"accepts", WITH(.accepts = "image/png,")},
    {"accepts", WITH(.accepts = "image/p*")},
    {"returns", WITH(.returns = "image/ png")},
    {"need accepts", WITH(.inputs_max = 1)},
    {"need accepts", WITH(.input_optional = true)},
    {"attempts", WITH(.attempts = -1)},
    {"limits", WITH(.limits = {.cpu_ms = -1})},
    {"no type", WITH(PARAMS({.name = "x", .type = (ParamType)99, HELP}))},
    {"lower case", WITH(PARAMS({.name = "X", .type = PARAM_TYPE_INT, HELP}))},
    {"lower case", WITH(PARAMS({.type = PARAM_TYPE_INT, HELP}))},
    {"surfaces", WITH(PARAMS({.name = "wait", .type = PARAM_TYPE_INT, HELP}))},
    {"two parameters", WITH(PARAMS(PARAM_INT(Args, n, HELP), PARAM_INT(Args, n, HELP)))},
    {"n: help", WITH(PARAMS(PARAM_INT(Args, n)))},
    {"n: help", WITH(PARAMS(PARAM_INT(Args, n, .help = "no")))},
    {"n: since", WITH(PARAMS(PARAM_INT(Args, n, HELP, .since = "v1")))},
    {"n: the unit", WITH(PARAMS(PARAM_INT(Args, n, HELP, .unit = "")))},
    {"n: replaced_by", WITH(PARAMS(PARAM_INT(Args, n, HELP, .replaced_by = "gone")))},
    {"n: replaced_by", WITH(PARAMS(PARAM_INT(Args, n, HELP, .replaced_by = "n")))},
    {"n: min is above max", WITH(PARAMS(PARAM_INT(Args, n, HELP, .min = 5)))},
    {"f: min is above max", WITH(PARAMS(PARAM_NUMBER(Args, f, HELP, .min_num = 2, .max_num = 1)))},
    {"n: only a choice", WITH(PARAMS(PARAM_INT(Args, n, HELP, .choices = kinds)))},
    {"n: max_len", WITH(PARAMS(PARAM_INT(Args, n, HELP, .max_len = -1)))},
    {"text: a secret", WITH(PARAMS(PARAM_TEXT(Args, text, HELP, .secret = true, .example = "x")))},
    {"kind: choices", WITH(PARAMS(PARAM_CHOICE(Args, kind, HELP)))},
    {"kind: choices", WITH(PARAMS(PARAM_CHOICE(Args, kind, HELP, .choices = no_choices)))},
    {"kind: two choices", WITH(PARAMS(PARAM_CHOICE(Args, kind, HELP, .choices = twice)))},
    {"kind: help of choice", WITH(PARAMS(PARAM_CHOICE(Args, kind, HELP, .choices = unhelpful)))},
    {"kind: the default", WITH(PARAMS(PARAM_CHOICE(Args, kind, HELP, .choices = kinds, .def = 2)))},
    {"text: default", WITH(PARAMS(PARAM_TEXT(Args, text, HELP, .max_len = 2, .def_text = "abc")))},
    {"n: example", WITH(PARAMS(PARAM_INT(Args, n, HELP, .min = 1, .max = 9, .example = "10")))},
    {"kind: example",
     WITH(PARAMS(PARAM_CHOICE(Args, kind, HELP, .choices = kinds, .example = "three")))},
    {"args struct", WITH(PARAMS(PARAM_INT(Args, n, HELP)), .args_size = 4, .run = run)},
    {"lower case",
     WITH(.data = (const Field[]){{"Pages", FIELD_TYPE_INT, "Pages.", false, NULL}, {0}})},
    {"pages has no type",
     WITH(.data = (const Field[]){{"pages", FIELD_TYPE_END, "Pages.", false, NULL}, {0}})},
    {"pages: help",
     WITH(.data = (const Field[]){{"pages", FIELD_TYPE_INT, NULL, false, NULL}, {0}})},
    {"two data fields", WITH(.data = (const Field[]){{"a", FIELD_TYPE_INT, "A.", false, NULL},
                                                     {"a", FIELD_TYPE_INT, "A.", false, NULL},
                                                     {0}})},
    {"only a list",
     WITH(.data = (const Field[]){{"a", FIELD_TYPE_INT, "A.", false,
                                   (const Field[]){{"b", FIELD_TYPE_INT, "B.", false, NULL}, {0}}},
                                  {0}})},
    {"errors names", WITH(.errors = (const ErrCode[]){ERR_NO_TEXT, ERR_NO_TEXT, OK})},
    {"errors has", WITH(.errors = (const ErrCode[]){ERR_COUNT, OK})},
    {"must be an example", WITH(.examples = NULL)},
    {"outside must name", WITH(.outside = "text")},
    {"outside must name", WITH(PARAMS(PARAM_TEXT(Args, text, HELP)), .outside = "text")},
    {"outside must name",
     WITH(PARAMS(PARAM_INT(Args, n, HELP), PARAM_TEXT(Args, text, HELP, .required = true)),
          .outside = "text")},
    {"outside must name",
     WITH(PARAMS(PARAM_TEXT(Args, text, HELP, .required = true)), .outside = "text", .run = run)},
    {"the title", WITH(EXAMPLE(.title = "lower"))},
    {"expects nothing", WITH(EXAMPLE(.expect = NULL))},
    {"takes none", WITH(EXAMPLE(.input = "a.png"))},
    {"samples/", WITH(.accepts = "image/png", EXAMPLE(.input = "../a.png"))},
    {"example \"T\"", WITH(EXAMPLE(.args = "{"))},
    {"example \"T\"", WITH(EXAMPLE(.args = "{\"nope\":1}"))},
};

TEST(refuses_each_broken_rule)
{
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(64 * KIB);
        const char *problem = registry_problem(&rules[i].step, a);
        if (problem == NULL || strstr(problem, rules[i].says) == NULL)
            fail_msg("%zu: want \"%s\", got \"%s\"", i, rules[i].says,
                     problem != NULL ? problem : "no problem");
    }
}

static void add(Registry *r, Arena *a, const char *name, bool internal)
{
    Step *s = arena_new(a, Step, 1);
    *s = (Step)WITH(.internal = internal);
    s->name = name;
    Err err = {0};
    assert_ok(registry_add(r, s, &err), &err);
}

TEST(keeps_steps_sorted_and_finds_them)
{
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    Registry *r = registry_open(a);
    char names[100][24];
    for (int i = 0; i < 100; i++) {
        snprintf(names[i], sizeof names[i], "step%02d.run", (i * 37) % 100);
        add(r, a, names[i], false);
    }
    assert_int_equal(registry_count(r), 100);
    for (size_t i = 0; i + 1 < 100; i++)
        assert_true(strcmp(registry_at(r, i)->name, registry_at(r, i + 1)->name) < 0);
    for (int i = 0; i < 100; i++)
        assert_string_equal(registry_find(r, str_from_c(names[i]))->name, names[i]);
    assert_null(registry_find(r, STR("step")));
    assert_null(registry_find(r, STR("")));
    assert_null(registry_at(r, 100));
}

TEST(refuses_a_taken_name_and_a_broken_step)
{
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    Registry *r = registry_open(a);
    Err err = {0};
    add(r, a, "image.convert", false);
    static const Step same = WITH(.name = "image.convert"), broken = WITH(.title = NULL);
    assert_int_equal(registry_add(r, &same, &err), ERR_CONFLICT);
    assert_int_equal(registry_add(r, &broken, &err), ERR_INTERNAL);
    assert_non_null(strstr(err.text, "test.one"));
    assert_int_equal(registry_count(r), 1);
}

TEST(suggests_the_nearest)
{
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    Registry *r = registry_open(a);
    assert_null(registry_nearest(r, STR("image.convert")));
    add(r, a, "image.convert", false);
    add(r, a, "image.info", false);
    add(r, a, "test.secret", true);
    assert_string_equal(registry_nearest(r, STR("image.covert"))->name, "image.convert");
    assert_string_equal(registry_nearest(r, STR("img.info"))->name, "image.info");
    assert_null(registry_nearest(r, STR("something.else")));
    assert_null(registry_nearest(r, STR("test.secre")));
}

TEST(says_so_when_memory_ends)
{
    static const Step one = WITH(.version = 1);
    for (size_t ceiling = 0; ceiling < 600; ceiling += 16) {
        CLEANUP(arena_close) Arena *a = arena_open(ceiling);
        Registry *r = registry_open(a);
        Err err = {0};
        ErrCode rc = r != NULL ? registry_add(r, &one, &err) : ERR_NO_MEMORY;
        assert_true(rc == OK || rc == ERR_NO_MEMORY);
    }
}

TEST(writes_schemas)
{
    static const Field items[] = {{"no", FIELD_TYPE_INT, "Number.", false, NULL}, {0}};
    static const Field data[] = {
        {"pages", FIELD_TYPE_INT, "Pages.", false, NULL},
        {"names", FIELD_TYPE_LIST, "Names.", true, NULL},
        {"list", FIELD_TYPE_LIST, "List.", true, items},
        {"object", FIELD_TYPE_OBJECT, "Object.", true, items},
        {"any", FIELD_TYPE_ANY, "Any.", true, NULL},
        {0},
    };
    static const struct {
        Param param;
        const char *want;
    } cases[] = {
        {PARAM_INT(Args, n, .min = 1, .max = 9, .def = 2, .unit = "px", .help = "N.",
                   .example = "3"),
         "{\"type\":\"integer\",\"minimum\":1,\"maximum\":9,\"description\":\"N.\",\"default\":2,"
         "\"x-unit\":\"px\","
         "\"examples\":[3]}"},
        {PARAM_INT(Args, n, .min = 1, .max = INT64_MAX), "{\"type\":\"integer\",\"minimum\":1}"},
        {PARAM_NUMBER(Args, f, .min_num = 0.5, .max_num = 2),
         "{\"type\":\"number\",\"minimum\":0.5,\"maximum\":2}"},
        {PARAM_TEXT(Args, text, .secret = true, .required = true),
         "{\"type\":\"string\",\"minLength\":1,\"maxLength\":1048576,\"writeOnly\":true}"},
        {PARAM_CHOICE(Args, kind, .choices = kinds, .def = 1, .replaced_by = "n", .since = "0.2"),
         "{\"type\":\"string\",\"enum\":[\"one\",\"two\"],\"x-choices\":{\"one\":\"The "
         "first.\",\"two\":\"The "
         "second.\"},\"default\":\"two\",\"x-since\":\"0.2\",\"deprecated\":true,\"x-replaced-by\":"
         "\"n\"}"},
        {{.name = "l", .type = PARAM_TYPE_LIST, .max_len = 3, .def_text = "a,b"},
         "{\"type\":\"array\",\"items\":{\"type\":\"string\"},\"maxItems\":3,\"default\":[\"a\","
         "\"b\"]}"},
        {{.name = "b", .type = PARAM_TYPE_BOOL}, "{\"type\":\"boolean\",\"default\":false}"},
        {{.name = "j", .type = PARAM_TYPE_JSON}, "{}"},
    };
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Buf b = buf_init(a, 64 * KIB);
        JsonOut j = json_out(&b);
        schema_put_param(&cases[i].param, &j);
        assert_str_equal(buf_str(&b), cases[i].want);
    }
    Buf b = buf_init(a, 64 * KIB);
    JsonOut j = json_out(&b);
    schema_put_params(
        (const Param[]){PARAM_INT(Args, n, .required = true), PARAM_INT(Args, m), PARAM_END}, &j);
    assert_str_equal(
        buf_str(&b),
        "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"},\"m\":{\"type\":"
        "\"integer\",\"default\":0}},\"required\":[\"n\"],\"additionalProperties\":false}");
    b = buf_init(a, 64 * KIB);
    j = json_out(&b);
    schema_put_data(data, &j);
#define ITEMS                                                                                      \
    "\"type\":\"object\",\"properties\":{\"no\":{\"type\":\"integer\",\"description\":\"Number."   \
    "\"}},"                                                                                        \
    "\"required\":[\"no\"]"
    assert_str_equal(
        buf_str(&b),
        "{\"type\":\"object\",\"properties\":{\"pages\":{\"type\":\"integer\",\"description\":"
        "\"Pages.\"},"
        "\"names\":{\"type\":\"array\",\"description\":\"Names.\",\"items\":{\"type\":\"string\"}},"
        "\"list\":{\"type\":\"array\",\"description\":\"List.\",\"items\":{" ITEMS "}},"
        "\"object\":{\"type\":\"object\",\"description\":\"Object.\",\"properties\":{\"no\":{"
        "\"type\":"
        "\"integer\",\"description\":\"Number.\"}},\"required\":[\"no\"]},"
        "\"any\":{\"description\":\"Any.\"}},\"required\":[\"pages\"]}");
}

TEST_MAIN(accepts_good_descriptions, refuses_each_broken_rule, keeps_steps_sorted_and_finds_them,
          refuses_a_taken_name_and_a_broken_step, suggests_the_nearest, says_so_when_memory_ends,
          writes_schemas)
