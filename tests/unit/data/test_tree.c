/* YAML into JSON: what is read, what is refused, and in which line. */
#include "data/data.h"
#include "data/tree.h"
#include "unit/step_runner.h"

static StepRun run(const char *yaml)
{
    return step_runner_do(&step_data_yaml, "{}", "a.yaml", str_from_c(yaml));
}

TEST(values)
{
    static const struct {
        const char *yaml, *json;
    } cases[] = {
        {"on: yes\noff: no\ny: n\n", "{\"on\":\"yes\",\"off\":\"no\",\"y\":\"n\"}"},
        {"[true, False, TRUE, ~, null, Null, '', \"~\"]",
         "[true,false,true,null,null,null,\"\",\"~\"]"},
        {"- \n-\n", "[null,null]"},
        {"[0, -0, +12, 007, 0x1F, 0o17, 12_000, 12:30, 0x, -, +, .]",
         "[0,-0,12,7,31,15,\"12_000\",\"12:30\",\"0x\",\"-\",\"+\",\".\"]"},
        {"[.5, -.5, 1., 01.50, 1e3, 1E+3, 2.5e-7, 1.2.3, 1e, e1, 2026-01-02]",
         "[0.5,-0.5,1.0,1.50,1e3,1e+3,2.5e-7,\"1.2.3\",\"1e\",\"e1\",\"2026-01-02\"]"},
        {"123456789012345678901234567890", "123456789012345678901234567890"},
        {"[!!str 5, !!int 5, !!float 5, !!null ~, !!bool true, ! 5, !!int '7']",
         "[\"5\",5,5,null,true,\"5\",7]"},
        {"a: |\n  one\n  two\nb: >\n  one\n  two\n",
         "{\"a\":\"one\\ntwo\\n\",\"b\":\"one two\\n\"}"},
        {"1: a\ntrue: b\n~: c\n", "{\"1\":\"a\",\"true\":\"b\",\"~\":\"c\"}"},
        {"a: &x {k: 1}\nb: *x\nc: &x 2\nd: *x\n",
         "{\"a\":{\"k\":1},\"b\":{\"k\":1},\"c\":2,\"d\":2}"},
        {"a: &k name\n*k : 1\n", "{\"a\":\"name\",\"name\":1}"},
        {"p: &p {a: 1, b: 2}\nq: &q {b: 3, c: 4}\nr: {<<: [*p, *q], c: 5}\n",
         "{\"p\":{\"a\":1,\"b\":2},\"q\":{\"b\":3,\"c\":4},\"r\":{\"a\":1,\"b\":2,\"c\":5}}"},
        {"{\"<<\": 1}", "{\"<<\":1}"},
        {"%YAML 1.1\n---\na: \"\\0\\u263a\"\n...\n", "{\"a\":\"\\u0000\xe2\x98\xba\"}"},
        {"{\"a\": [1, 2.50, {\"b\": null}]}", "{\"a\":[1,2.50,{\"b\":null}]}"},
        {"\xef\xbb\xbf"
         "a: 1",
         "{\"a\":1}"},
    };
    Arena *a = arena_open(MIB);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        StepRun r = run(cases[i].yaml);
        if (r.code != OK)
            fail_msg("%s: %s", cases[i].yaml, r.err.text);
        Buf b = buf_init(a, 64 * KIB);
        JsonOut j = json_out(&b);
        json_put(&j, json_get(r.data, "value"));
        assert_string_equal(buf_c(&b), cases[i].json);
        step_runner_free(&r);
    }
    arena_close(&a);
}

TEST(faults_say_where)
{
    static const struct {
        const char *yaml;
        ErrCode code;
        const char *says;
    } cases[] = {
        {"a: [1", ERR_BAD_YAML, "line 2, column 1"},
        {"a: 1\nb: 2\na: 3", ERR_BAD_YAML, "the key \"a\" at line 3 is there already, at line 1"},
        {"--- 1\n--- 2", ERR_BAD_YAML, "a second document begins at line 2"},
        {"# nothing\n", ERR_BAD_YAML, "nothing in it"},
        {"a: &x [*x]", ERR_BAD_YAML, "an alias inside what it names: \"x\" at line 1"},
        {"a: *x", ERR_BAD_YAML, "no anchor \"x\""},
        {"a: !!binary eA==", ERR_BAD_YAML, "binary"},
        {"a: !mine {}", ERR_BAD_YAML, "!mine"},
        {"a: !!int x", ERR_BAD_YAML, "not what its tag says: \"x\""},
        {"a: !!set {}", ERR_BAD_YAML, "set"},
        {"a: -.inf", ERR_BAD_YAML, "-.inf"},
        {"a: 1e999", ERR_BAD_YAML, "1e999"},
        {"a: 0xFFFFFFFFFFFFFFFFF", ERR_BAD_YAML, "0xFFF"},
        {"? [a]\n: 1", ERR_BAD_YAML, "a key that is not a scalar at line 1"},
        {"<<: 1\na: 2", ERR_BAD_YAML, "<< wants a mapping"},
        {"<<: [1]\na: 2", ERR_BAD_YAML, "<< wants a mapping"},
        {"a:\n\t- b", ERR_BAD_YAML, "line 2"},
        {"a: \"\\ud800\"", ERR_BAD_YAML, "Unicode"},
        {"a: 1\nb: \xff", ERR_BAD_YAML, "line 2, column 4"},
        {"a: \x01", ERR_BAD_YAML, "control characters"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        StepRun r = run(cases[i].yaml);
        if (r.code != cases[i].code || strstr(r.err.text, cases[i].says) == NULL)
            fail_msg("%s: %s %s", cases[i].yaml, err_reason(r.code), r.err.text);
        step_runner_assert_explained(&step_data_yaml, &r);
        step_runner_free(&r);
    }
}

static ErrCode code_of(Str yaml)
{
    StepRun r = step_runner_do(&step_data_yaml, "{}", "a.yaml", yaml);
    ErrCode rc = r.code;
    step_runner_free(&r);
    return rc;
}

TEST(bounds)
{
    Arena *a = arena_open(64 * MIB);
    Buf deep = buf_init(a, MIB), wide = buf_init(a, MIB), anchors = buf_init(a, MIB),
        text = buf_init(a, MIB), chain = buf_init(a, MIB), merges = buf_init(a, MIB);
    for (int i = 0; i < TREE_DEPTH_MAX; i++)
        buf_add_c(&deep, "[");
    for (int i = 0; i < TREE_DEPTH_MAX; i++)
        buf_add_c(&deep, "]");
    assert_int_equal(code_of(buf_str(&deep)), OK);
    buf_clear(&deep);
    for (int i = 0; i < 100 * 1000; i++)
        buf_add_c(&deep, "[");
    assert_int_equal(code_of(buf_str(&deep)), ERR_LIMIT_DEPTH);
    /* Each level on its own is shallow. */
    buf_add_c(&chain, "a0: &a0 [[[[[x]]]]]\n");
    for (int i = 1; i < 20; i++)
        buf_addf(&chain, "a%d: &a%d [[[[[*a%d]]]]]\n", i, i, i - 1);
    assert_int_equal(code_of(buf_str(&chain)), ERR_LIMIT_DEPTH);
    for (int i = 0; i < 1500; i++)
        buf_addf(&anchors, "- &a%d 1\n", i);
    assert_int_equal(code_of(buf_str(&anchors)), ERR_LIMIT_COUNT);
    /* Few values, much text. */
    buf_add_c(&text, "a: &a ");
    for (int i = 0; i < 100 * 1000; i++)
        buf_add_c(&text, "x");
    buf_add_c(&text, "\nb: [*a");
    for (int i = 0; i < 100; i++)
        buf_add_c(&text, ", *a");
    buf_add_c(&text, "]\n");
    assert_int_equal(code_of(buf_str(&text)), ERR_LIMIT_RATIO);
    buf_add_c(&merges, "m0: &m0 {a: 1, b: 2}\n");
    for (int i = 1; i < 40; i++)
        buf_addf(&merges, "m%d: &m%d {a%d: *m%d, b%d: *m%d, <<: *m%d}\n", i, i, i, i - 1, i, i - 1,
                 i - 1);
    assert_int_equal(code_of(buf_str(&merges)), ERR_LIMIT_RATIO);
    for (int i = 0; i < 200 * 1000; i++)
        buf_add_c(&wide, "- \n");
    StepRun r = step_runner_do(&step_data_yaml, "{}", "a.yaml", buf_str(&wide));
    assert_int_equal(r.code, OK);
    assert_false(json_bool(json_get(r.data, "all_lines"), true));
    assert_null(json_get(r.data, "value")); /* too large: in the file only */
    step_runner_free(&r);
    arena_close(&a);
}

TEST(lines_of_keys_and_items)
{
    StepRun r =
        run("# head\nname: x\nsteps:\n  a/b:\n    with: {c~d: 1}\n  list:\n    - 1\n\n    - 2\n"
            "base: &b\n  k: 1\nmore: *b\n");
    static const struct {
        const char *path;
        int line;
    } want[] = {{"", 2},
                {"/name", 2},
                {"/steps", 3},
                {"/steps/a~1b", 4},
                {"/steps/a~1b/with/c~0d", 5},
                {"/steps/list/0", 7},
                {"/steps/list/1", 9},
                {"/base/k", 11},
                {"/more", 12},
                {"/more/k", 11}};
    assert_int_equal(r.code, OK);
    const Json *doc = NULL;
    Err err = {0};
    assert_int_equal(r.outputs_len, 1);
    assert_str_equal(r.outputs[0].name, "tree.json");
    assert_ok(json_parse(r.arena, r.outputs[0].bytes, &doc, &err), &err);
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        assert_int_equal(json_int(json_get(json_get(r.data, "lines"), want[i].path), -1),
                         want[i].line);
        assert_int_equal(json_int(json_get(json_get(doc, "lines"), want[i].path), -1),
                         want[i].line);
    }
    step_runner_free(&r);
}

TEST(every_failure_is_explained)
{
    step_runner_every_failure(&step_data_yaml, "{}", "a.yaml",
                              STR("a: &a [1, {b: 2}]\nc: {<<: {d: 3}, e: *a}\n"));
}

TEST_MAIN(values, faults_say_where, bounds, lines_of_keys_and_items, every_failure_is_explained)
