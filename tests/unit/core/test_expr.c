#include "core/expr_in.h"
#include "unit/harness.h"

static const char SCOPE[] =
    "{\"inputs\":{\"title\":\"Hi\",\"n\":3,\"half\":0.5,\"yes\":true,\"none\":null,"
    "\"big\":9223372036854775807,\"one\":1.0,\"huge\":1e999,\"minus0\":-0},"
    "\"steps\":{\"my-step\":{\"x\":7},\"a\":{\"list\":[1,2,{\"b\":\"c\"}],\"empty\":[],\"o\":{}},"
    "\"rows\":[{\"k\":1,\"v\":\"x\"},{\"k\":2,\"v\":\"y\"},{\"k\":1.0,\"v\":\"z\"},{}]},"
    "\"p\":{\"a\":1,\"b\":[true,{\"c\":2,\"d\":3}]},\"q\":{\"b\":[true,{\"d\":3.0,\"c\":2}],\"a\":"
    "1},"
    "\"word\":\"\\u00e4b\\u20ac\",\"item\":\"i\"}";

static const Json *parse(Arena *a, const char *json)
{
    const Json *j = NULL;
    Err err = {0};
    assert_ok(json_parse(a, str_from_c(json), &j, &err), &err);
    return j;
}

static Str print(Arena *a, const Json *v)
{
    Buf b = buf_init(a, 4 * MIB);
    JsonOut j = json_out(&b);
    json_put(&j, v);
    assert_false(b.failed);
    return buf_str(&b);
}

typedef struct Case {
    const char *source, *want;
} Case;

static void check_cases(const Case *cases, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        CLEANUP(arena_close) Arena *a = arena_open(16 * MIB);
        const Expr *e = NULL;
        Err err = {0};
        if (expr_parse(a, str_from_c(cases[i].source), &e, &err) != OK)
            fail_msg("%s: %s", cases[i].source, err.text);
        const Json *v = expr_eval(e, parse(a, SCOPE), a);
        assert_non_null(v);
        Str got = print(a, v);
        if (!str_eq_c(got, cases[i].want))
            fail_msg("%s: got " STR_FMT ", want %s", cases[i].source, STR_ARG(got), cases[i].want);
    }
}

TEST(operators)
{
    static const Case cases[] = {
        {"1 + 2 * 3", "7"},
        {"(1 + 2) * 3", "9"},
        {"10 - 2 - 3", "5"},
        {"7 / 2", "3.5"},
        {"6 / 2", "3"},
        {"-7 % 3", "-1"},
        {"7.5 % 2", "1.5"},
        {"- -2", "2"},
        {"--2", "2"},
        {"!!inputs.n", "true"},
        {"1 / 0", "null"},
        {"1 % 0", "null"},
        {"1.5 / 0", "null"},
        {"9223372036854775807 + 0", "9223372036854775807"},
        {"inputs.big + 1", "9.2233720368547758e+18"},
        {"inputs.big + 1 >= inputs.big", "true"},
        {"(-9223372036854775807 - 1) % -1", "0"},
        {"(-9223372036854775807 - 1) / -1", "9.2233720368547758e+18"},
        {"1e308 * 10", "null"},
        {"0.1 + 0.2", "0.30000000000000004"},
        {"inputs.half + inputs.half", "1"},
        {"1e3", "1000"},
        {"2.50", "2.5"},
        {"inputs.one", "1.0"},
        {"inputs.huge + 1", "null"},
        {"inputs.huge == null", "false"},
        {"-inputs.minus0", "0"},
        {"'a' + 'b' + 1", "\"ab1\""},
        {"1 + 'a'", "\"1a\""},
        {"'it''s' + ''", "\"it's\""},
        {"'a' + true", "null"},
        {"'a' + steps.a.list", "null"},
        {"'a' - 'b'", "null"},
        {"1 + null", "null"},
        {"-'a'", "null"},
        {"1 == 1.0", "true"},
        {"'1' == 1", "false"},
        {"'1' != 1", "true"},
        {"null == steps.nowhere.at.all", "true"},
        {"p == q", "true"},
        {"p != q", "false"},
        {"p == p.b", "false"},
        {"steps.a.list == steps.a.empty", "false"},
        {"steps.a.empty == steps.a.o", "false"},
        {"1 < 2 && 2 <= 2 && 3 > 2 && 2 >= 2", "true"},
        {"'a' < 'b'", "true"},
        {"'b' < 'a'", "false"},
        {"'a' < 1", "false"},
        {"null < 1", "false"},
        {"true > false", "false"},
        {"inputs.half < 1", "true"},
        {"inputs.title || false", "true"},
        {"'' || 0 || null || steps.a.empty || steps.a.o", "false"},
        {"1 && 'x'", "true"},
        {"1 && 0.0", "false"},
        {"false && 1 || true", "true"},
        {"!inputs.none && !false", "true"},
        {"1 - 1 == 0", "true"},
        {"  true  ", "true"},
        {"1+1\n==\t2", "true"},
    };
    check_cases(cases, COUNT_OF(cases));
}

TEST(paths)
{
    static const Case cases[] = {
        {"inputs.title", "\"Hi\""},
        {"inputs['title']", "\"Hi\""},
        {"steps.my-step.x", "7"},
        {"steps.my-step.x -1", "6"},
        {"steps.a.list[2].b", "\"c\""},
        {"steps.a.list[1 + 1]['b']", "\"c\""},
        {"steps.a.list[inputs.one]", "2"},
        {"steps.a.list[3]", "null"},
        {"steps.a.list[-1]", "null"},
        {"steps.a.list[0.5]", "null"},
        {"steps.a.list['0']", "null"},
        {"steps.a.list.x", "null"},
        {"inputs.title.x", "null"},
        {"inputs[0]", "null"},
        {"nothing", "null"},
        {"nothing.at['all'][1]", "null"},
        {"p.b[1].d", "3"},
        {"(p).a", "1"},
        {"first(steps.rows).v", "\"x\""},
        {"inputs.true", "null"},
        {"item", "\"i\""},
    };
    check_cases(cases, COUNT_OF(cases));
}

TEST(functions_of_texts)
{
    static const Case cases[] = {
        {"length(word)", "3"},
        {"contains(word, 'b')", "true"},
        {"contains('abc', '')", "true"},
        {"contains('abc', 1)", "null"},
        {"starts('abc', 'ab')", "true"},
        {"starts(1, 'ab')", "null"},
        {"ends('abc', 'bc')", "true"},
        {"ends('abc', 'ab')", "false"},
        {"split('a, b,c', ',')", "[\"a\",\" b\",\"c\"]"},
        {"split('', ',')", "[\"\"]"},
        {"split('a', '')", "null"},
        {"split(',', ',')", "[\"\",\"\"]"},
        {"join(split('a,b', ','), ', ')", "\"a, b\""},
        {"join(steps.a.list)", "\"12{\\\"b\\\":\\\"c\\\"}\""},
        {"join(steps.a.empty, ',')", "\"\""},
        {"join(1, ',')", "null"},
        {"slice('abcde', 1, 3)", "\"bc\""},
        {"slice('abcde', -2)", "\"de\""},
        {"slice('abcde', 3, 1)", "\"\""},
        {"slice(word, 1, 99)", "\"b\u20ac\""},
        {"slice('abc', -99, -1)", "\"ab\""},
        {"slice('abc', 'x')", "null"},
        {"slice(1, 1)", "null"},
        {"lower('AbC')", "\"abc\""},
        {"upper('AbC\u00e4')", "\"ABC\u00e4\""},
        {"upper(1)", "null"},
        {"trim('  a b ')", "\"a b\""},
        {"replace('aXbX', 'X', '--')", "\"a--b--\""},
        {"replace('a', '', 'b')", "null"},
        {"replace('aa', 'a', 1)", "null"},
        {"json('[1, {\"a\": 2}]')[1].a", "2"},
        {"json('nonsense')", "null"},
        {"json(1)", "null"},
        {"text(p)", "\"{\\\"a\\\":1,\\\"b\\\":[true,{\\\"c\\\":2,\\\"d\\\":3}]}\""},
        {"text(null)", "\"\""},
        {"text('a')", "\"a\""},
        {"number(' 12 ')", "12"},
        {"number('1.50')", "1.5"},
        {"number('1x')", "null"},
        {"number('')", "null"},
        {"number(true)", "1"},
        {"number(p)", "null"},
        {"hash('abc') == hash('abc')", "true"},
        {"hash(p) == hash(q)", "true"},
        {"hash(1) == hash(inputs.one)", "true"},
        {"hash(p) == hash(p.b)", "false"},
        /* printf '"abc"' | sha256sum */
        {"hash('abc')", "\"6cc43f858fbb763301637b5af970e2a46b46f461f27e5a0f41e009c59b827b25\""},
        {"format_time(0)", "\"1970-01-01T00:00:00.000Z\""},
        {"format_time('2024-02-29T23:30:00.5+01:00')", "\"2024-02-29T22:30:00.500Z\""},
        {"format_time('2024-02-29', '%d.%m.%Y %H:%M %j %V %u %%')",
         "\"29.02.2024 00:00 060 09 4 %\""},
        {"format_time(-1, '%F %T')", "\"1969-12-31 23:59:59\""},
        {"format_time('2023-02-29')", "null"},
        {"format_time(0, '%q')", "null"},
        {"format_time(0, '%')", "null"},
        {"format_time(1e300)", "null"},
        {"format_time(9223372036854775807)", "null"},
    };
    check_cases(cases, COUNT_OF(cases));
}

TEST(functions_of_lists_and_numbers)
{
    static const Case cases[] = {
        {"length(steps.a.list)", "3"},
        {"length(p)", "2"},
        {"length(null)", "0"},
        {"length(5)", "null"},
        {"contains(steps.a.list, 2.0)", "true"},
        {"contains(steps.a.list, json('{\"b\":\"c\"}'))", "true"},
        {"contains(steps.a.list, 9)", "false"},
        {"contains(p, 'a')", "true"},
        {"contains(p, 'z')", "false"},
        {"contains(null, 'z')", "null"},
        {"default(null, inputs.none, 'x', 'y')", "\"x\""},
        {"default('', 'x')", "\"\""},
        {"default(null, null)", "null"},
        {"keys(p)", "[\"a\",\"b\"]"},
        {"keys(1)", "null"},
        {"values(steps.my-step)", "[7]"},
        {"first(steps.a.list)", "1"},
        {"last(steps.a.list)", "{\"b\":\"c\"}"},
        {"first(steps.a.empty)", "null"},
        {"last(7)", "null"},
        {"slice(steps.a.list, 1)", "[2,{\"b\":\"c\"}]"},
        {"slice(steps.a.list, -3, -1)", "[1,2]"},
        {"slice(steps.a.list, 2, 1)", "[]"},
        {"round(2.5)", "3"},
        {"round(-2.5)", "-3"},
        {"round(2.345, 2)", "2.35"},
        {"round(1.5, 16)", "null"},
        {"round(1e300)", "1e+300"},
        {"round('x')", "null"},
        {"floor(-1.5)", "-2"},
        {"ceil(-1.5)", "-1"},
        {"ceil(1.2)", "2"},
        {"min(3, 1.5, 2)", "1.5"},
        {"max(range(5))", "4"},
        {"max(3)", "3"},
        {"min(steps.a.empty)", "null"},
        {"min(steps.a.list)", "null"},
        {"max(1, 'x')", "null"},
        {"max(inputs.big, inputs.big - 1)", "9223372036854775807"},
        {"sum(range(5))", "10"},
        {"sum(steps.a.empty)", "0"},
        {"sum(steps.a.list)", "null"},
        {"sum(json('[9223372036854775807, 1]'))", "9.2233720368547758e+18"},
        {"map(steps.rows, 'v')", "[\"x\",\"y\",\"z\",null]"},
        {"map(steps.rows, 1)", "null"},
        {"map(p, 'a')", "null"},
        {"map(where(steps.rows, 'k', 1), 'v')", "[\"x\",\"z\"]"},
        {"length(where(steps.rows, 'v'))", "3"},
        {"length(where(steps.rows, 'v', null))", "1"},
        {"where(1, 'v')", "null"},
        {"range(3)", "[0,1,2]"},
        {"range(0)", "[]"},
        {"range(-1)", "null"},
        {"range(10001)", "null"},
        {"length(range(10000))", "10000"},
    };
    check_cases(cases, COUNT_OF(cases));
}

TEST(faults_name_the_column)
{
    static const Case cases[] = {
        {"", "column 1: an empty expression"},
        {"   ", "column 1: an empty expression"},
        {"1 +", "column 4: a value was expected, not the end"},
        {"a b", "column 3: an operator or the end was expected, not \"b\""},
        {"'\u00e4\u00e4' ?", "column 6: an operator or the end was expected, not \"?\""},
        {"a.", "column 3: a name after '.' was expected, not the end"},
        {"a.1", "column 3: a name after '.' was expected, not \"1\""},
        {"a[1", "column 4: ']' was expected, not the end"},
        {"(1", "column 3: ')' was expected, not the end"},
        {"'abc", "column 1: text without its closing quote"},
        {"'it''", "column 1: text without its closing quote"},
        {"\"abc\"", "column 1: text in single quotes was expected, not \"\"\""},
        {"1 < 2 < 3", "column 7: one comparison at a time; join them by &&"},
        {"12ab", "column 3: a number that goes on as a name"},
        {"1e", "column 3: a digit of the exponent was expected, not the end"},
        {"1e999", "column 1: a number out of range"},
        {"lenght(x)", "column 1: there is no function \"lenght\"; did you mean length?"},
        {"zzzzzzzzz(x)", "column 1: there is no function \"zzzzzzzzz\""},
        {"1 + length()", "column 5: length is called as length(x)"},
        {"length(1, 2)", "column 1: length is called as length(x)"},
        {"length(1 2)", "column 10: ',' or ')' was expected, not \"2\""},
        {"a = 1", "column 3: an operator or the end was expected, not \"=\""},
        {"a & b", "column 3: an operator or the end was expected, not \"&\""},
        {"a-", "column 3: a value was expected, not the end"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(MIB);
        const Expr *e = NULL;
        Err err = {0};
        assert_int_equal(expr_parse(a, str_from_c(cases[i].source), &e, &err), ERR_BAD_EXPRESSION);
        if (strcmp(err.text, cases[i].want) != 0)
            fail_msg("%s: got %s, want %s", cases[i].source, err.text, cases[i].want);
    }
}

/* `n` times `open`, then "1", then `n` times `close`. */
static ErrCode parse_repeated(const char *open, const char *close, int n, Arena *a, const Expr **e)
{
    Err err = {0};
    Buf b = buf_init(a, MIB);
    for (int i = 0; i < n; i++)
        buf_add_c(&b, open);
    buf_add_c(&b, "1");
    for (int i = 0; i < n; i++)
        buf_add_c(&b, close);
    return expr_parse(a, buf_str(&b), e, &err);
}

TEST(nesting_and_length_are_bounded)
{
    static const struct {
        const char *open, *close;
    } nests[] = {{"(", ")"}, {"!", ""}, {"-", ""}, {"length(", ")"}, {"a[", "]"}, {"(-", ")"}};
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    const Expr *e = NULL;
    for (size_t i = 0; i < COUNT_OF(nests); i++) {
        assert_int_equal(parse_repeated(nests[i].open, nests[i].close, 16, a, &e), OK);
        assert_non_null(expr_eval(e, parse(a, SCOPE), a));
        assert_int_equal(parse_repeated(nests[i].open, nests[i].close, EXPR_DEPTH_MAX + 1, a, &e),
                         ERR_BAD_EXPRESSION);
    }
    assert_int_equal(parse_repeated("1+", "", 2047, a, &e), OK); /* long, but not deep */
    assert_str_equal(print(a, expr_eval(e, NULL, a)), "2048");
    assert_int_equal(parse_repeated("1+", "", 2048, a, &e), ERR_BAD_EXPRESSION);
    assert_int_equal(parse_repeated("1 && ", "", 800, a, &e), OK);
    assert_true(expr_truth(expr_eval(e, NULL, a)));
}

TEST(long_texts_are_null)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    static const char source[] =
        "replace(replace(join(range(10000), 'xxxxxxxxxx'), 'x', 'xxxxxxxxxx'), 'x', 'xx')";
    Err err = {0};
    const Expr *e = NULL;
    assert_ok(expr_parse(a, str_from_c(source), &e, &err), &err);
    assert_str_equal(print(a, expr_eval(e, NULL, a)), "null");
}

typedef struct Refs {
    Buf out;
} Refs;

static void note_ref(void *ctx, const Str *path, size_t len)
{
    Refs *r = ctx;
    for (size_t i = 0; i < len; i++) {
        buf_add(&r->out, path[i]);
        buf_add_char(&r->out, i + 1 < len ? '.' : ' ');
    }
}

TEST(references)
{
    static const Case cases[] = {
        {"steps.x.list[0].y", "steps.x.list "},
        {"steps['x'].y", "steps.x.y "},
        {"steps[inputs.name].y", "steps inputs.name "},
        {"item", "item "},
        {"default(inputs.a, -steps.b.c + 1) == !job.id && true", "inputs.a steps.b.c job.id "},
        {"(steps.x).y", "steps.x "},
        {"first(steps.x.l)[index].z", "steps.x.l index "},
        {"1 + length('steps.x')", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(MIB);
        const Expr *e = NULL;
        Err err = {0};
        assert_ok(expr_parse(a, str_from_c(cases[i].source), &e, &err), &err);
        Refs r = {buf_init(a, KIB)};
        expr_each_ref(e, note_ref, &r);
        assert_str_equal(buf_str(&r.out), cases[i].want);
    }
}

static void check_function(void *ctx, const char *name, const char *usage, const char *help)
{
    size_t *count = ctx;
    ++*count;
    assert_true(str_starts(str_from_c(usage), str_from_c(name)));
    assert_int_equal(usage[strlen(name)], '(');
    assert_true(help[0] >= 'A' && help[0] <= 'Z' && help[strlen(help) - 1] == '.');
}

TEST(every_function_is_described)
{
    size_t count = 0;
    expr_each_function(check_function, &count);
    assert_true(count >= 30);
    assert_null(expr_function(STR("system")));
    assert_true(expr_function(STR("min"))->most <= EXPR_ARGS_MAX);
}

static void put_row(void *ctx, const char *name, const char *usage, const char *help)
{
    (void)name;
    buf_addf(ctx, "| `%s` | %s |\n", usage, help);
}

static Str read_docs(Arena *a)
{
    const char *root = getenv("PLATEN_ROOT");
    char path[4096];
    snprintf(path, sizeof path, "%s/docs/pipelines.md", root != NULL ? root : ".");
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    char *text = arena_alloc_raw(a, MIB);
    size_t len = fread(text, 1, MIB, f);
    fclose(f);
    return (Str){text, len};
}

TEST(docs_list_the_functions)
{
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    Buf want = buf_init(a, MIB);
    buf_add_c(&want, "| function | what it gives |\n|---|---|\n");
    expr_each_function(put_row, &want);
    buf_add_c(&want, "<!-- end -->");
    if (str_find(read_docs(a), buf_str(&want)) == STR_NONE)
        fail_msg("the table of functions in docs/pipelines.md must be\n%s", buf_c(&want));
}

TEST(templates)
{
    static const Case cases[] = {
        {"\"plain\"", "\"plain\""},
        {"\"${{ inputs.n }}\"", "3"},
        {"\"${{steps.a.list}}\"", "[1,2,{\"b\":\"c\"}]"},
        {"\"n = ${{ inputs.n }}, ${{ inputs.none }}${{ steps.a.empty }}!\"", "\"n = 3, []!\""},
        {"\"${{ '}}' }}\"", "\"}}\""},
        {"\"${{ 'it''s }}' }}.\"", "\"it's }}.\""},
        {"\"$${{ x }}\"", "\"${{ x }}\""},
        {"\"a $${{ ${{ inputs.n }}\"", "\"a ${{ 3\""},
        {"\"$5 {{ x }} }}\"", "\"$5 {{ x }} }}\""},
        {"[1,null,\"${{ inputs.title }}\",[true]]", "[1,null,\"Hi\",[true]]"},
        {"{\"a\":{\"${{ x }}\":\"${{ 1 + 1 }}\"},\"b\":1.50}",
         "{\"a\":{\"${{ x }}\":2},\"b\":1.50}"},
        {"{\"a\":[\"$${{\"]}", "{\"a\":[\"${{\"]}"},
        {"null", "null"},
        {"{}", "{}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(MIB);
        const Template *t = NULL;
        Err err = {0};
        const Json *source = parse(a, cases[i].source);
        assert_ok(template_parse(a, source, &t, &err), &err);
        assert_ptr_equal(template_source(t), source);
        assert_str_equal(print(a, template_eval(t, parse(a, SCOPE), a)), cases[i].want);
    }
}

TEST(template_faults)
{
    static const Case cases[] = {
        {"\"${{ 1 +\"", "column 1: ${{ without its }}"},
        {"\"${{ }}\"", "column 4: an empty expression"},
        {"\"a ${{ 1 + }}\"", "column 11: a value was expected, not the end"},
        {"{\"with\":{\"title\":\"${{ ? }}\"}}",
         "with.title: column 5: a value was expected, not \"?\""},
        {"{\"a\":[1,{\"b\":\"${{ ? }}\"}]}", "a[1].b: column 5: a value was expected, not \"?\""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(MIB);
        const Template *t = NULL;
        Err err = {0};
        assert_int_equal(template_parse(a, parse(a, cases[i].source), &t, &err),
                         ERR_BAD_EXPRESSION);
        if (strcmp(err.text, cases[i].want) != 0)
            fail_msg("%s: got %s, want %s", cases[i].source, err.text, cases[i].want);
    }
}

TEST(template_parts)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    const Template *t = NULL;
    Err err = {0};
    const char *source = "{\"file\":\"${{ inputs.f }}\",\"w\":{\"x\":1},\"t\":\"a ${{ item }}\","
                         "\"e\":\"$${{\"}";
    assert_ok(template_parse(a, parse(a, source), &t, &err), &err);
    assert_false(template_is_constant(t));
    assert_non_null(template_expr(template_member(t, "file")));
    assert_null(template_expr(template_member(t, "t")));
    assert_true(template_is_constant(template_member(t, "w")));
    assert_true(template_is_constant(template_member(t, "e")));
    assert_non_null(template_member(template_member(t, "w"), "x"));
    assert_null(template_member(t, "nothing"));
    assert_null(template_member(template_member(t, "t"), "nothing"));
    Refs r = {buf_init(a, KIB)};
    template_each_ref(t, note_ref, &r);
    assert_str_equal(buf_str(&r.out), "inputs.f item ");
}

static const char EVERYTHING[] =
    "{\"a\":\"x ${{ join(map(steps.rows, 'v'), ', ') + text(p) }} ${{ hash(p) }}\","
    "\"b\":[\"${{ p == q && contains(steps.a.list, 2) }}\",\"${{ slice(split(word, 'b'), 1) }}\"],"
    "\"c\":\"${{ -sum(range(50)) * 1.5 + number('2.5') }}\",\"d\":\"${{ json(text(q)).b }}\","
    "\"e\":\"${{ upper(replace('abc', 'b', format_time(0))) }}\",\"f\":\"${{ keys(p) }}\"}";

/* With less memory the answer is "no memory", never another value. */
TEST(survives_every_ceiling)
{
    static Str want;
    CLEANUP(arena_close) Arena *big = arena_open(16 * MIB);
    const Json *source = parse(big, EVERYTHING), *scope = parse(big, SCOPE);
    for (size_t ceiling = 64 * KIB;; ceiling -= 128) {
        CLEANUP(arena_close) Arena *a = arena_open(ceiling);
        const Template *t = NULL;
        Err err = {0};
        ErrCode rc = template_parse(a, source, &t, &err);
        if (rc != OK) {
            assert_int_equal(rc, ERR_NO_MEMORY);
            if (ceiling == 0)
                return;
            continue;
        }
        const Json *v = template_eval(t, scope, a);
        ArenaMark mark = arena_mark(big);
        if (want.len == 0)
            want = print(big, v);
        else if (v != NULL && !str_eq(print(big, v), want))
            fail_msg("another value with %zu bytes", ceiling);
        if (ceiling != 64 * KIB)
            arena_rewind(big, mark);
        if (ceiling == 0)
            return;
    }
}

TEST(survives_every_failure)
{
    CLEANUP(arena_close) Arena *big = arena_open(16 * MIB);
    const Json *source = parse(big, EVERYTHING), *scope = parse(big, SCOPE);
    for (int nth = 1;; nth++) {
        fault_arm(nth);
        CLEANUP(arena_close) Arena *a = arena_open(16 * MIB);
        const Template *t = NULL;
        Err err = {0};
        ErrCode rc = a != NULL ? template_parse(a, source, &t, &err) : ERR_NO_MEMORY;
        const Json *v = rc == OK ? template_eval(t, scope, a) : NULL;
        if (!fault_disarm()) {
            assert_non_null(v);
            return;
        }
        assert_true(rc == ERR_NO_MEMORY || (rc == OK && v == NULL));
    }
}

TEST_MAIN(operators, paths, functions_of_texts, functions_of_lists_and_numbers,
          faults_name_the_column, nesting_and_length_are_bounded, long_texts_are_null, references,
          every_function_is_described, docs_list_the_functions, templates, template_faults,
          template_parts, survives_every_ceiling, survives_every_failure)
