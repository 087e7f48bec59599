/* jq programs: what they give, and how they fail. */
#include "data/data.h"
#include "unit/step_runner.h"

static StepRun run(const char *params, const char *input)
{
    /* The runner always hands in a file. */
    return step_runner_do(&step_data_transform, params, "a.json", str_from_c(input));
}

TEST(results)
{
    static const struct {
        const char *params, *input, *json;
        int count;
    } cases[] = {
        {"{\"program\":\"map(.a)\"}", "[{\"a\":1},{\"a\":\"x\"}]", "[1,\"x\"]", 1},
        {"{\"program\":\".[]\"}", "[1,2]", "[1,2]", 2},
        {"{\"program\":\".[]\"}", "[1]", "1", 1},
        {"{\"program\":\".[]\",\"list\":true}", "[1]", "[1]", 1},
        {"{\"program\":\".[]\"}", "[]", "null", 0},
        {"{\"program\":\".[]\",\"list\":true}", "[]", "[]", 0},
        {"{\"program\":\".a\"}", "{\"a\":1}\n{\"a\":2}\n", "[1,2]", 2},
        {"{\"program\":\"map(.a)\",\"slurp\":true}", "{\"a\":1}\n{\"a\":2}\n", "[1,2]", 1},
        {"{\"program\":\"[., input]\"}", "1 2 3 4", "[[1,2],[3,4]]", 2},
        {"{\"program\":\"$n * 2\",\"args\":{\"n\":21}}", "0", "42", 1},
        {"{\"program\":\"[env, $ENV]\"}", "0", "[{},{}]", 1},
        {"{\"program\":\"1, halt, 2\"}", "0 0", "1", 1},
        {"{\"program\":\".x?\"}", "[1]", "null", 0},
        {"{\"program\":\".\"}", "\"\xc3\xa9\\u0000\\\"\"", "\"\xc3\xa9\\u0000\\\"\"", 1},
        {"{\"program\":\"[.[] | tostring | test(\\\"^1\\\")]\"}", "[1,21]", "[true,false]", 1},
        {"{\"program\":\"nan, infinite\"}", "0", "[null,1.7976931348623157e+308]", 2},
    };
    Arena *a = arena_open(MIB);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        StepRun r = run(cases[i].params, cases[i].input);
        if (r.code != OK)
            fail_msg("%s: %s", cases[i].params, r.err.text);
        Buf b = buf_init(a, 64 * KIB);
        JsonOut j = json_out(&b);
        json_put(&j, json_get(r.data, "result"));
        assert_string_equal(buf_c(&b), cases[i].json);
        assert_int_equal(json_int(json_get(r.data, "count"), -1), cases[i].count);
        step_runner_free(&r);
    }
    arena_close(&a);
}

TEST(failures_name_the_place)
{
    static const struct {
        const char *params, *input;
        ErrCode code;
        const char *says;
    } cases[] = {
        {"{\"program\":\".[\"}", "1", ERR_BAD_PARAM, "syntax error, unexpected $end at line 1"},
        {"{\"program\":\".\\n| nope\"}", "1", ERR_BAD_PARAM, "nope/0 is not defined at line 2"},
        {"{\"program\":\"$nope\"}", "1", ERR_BAD_PARAM, "$nope is not defined"},
        {"{\"program\":\"import \\\"a\\\" as a; .\"}", "1", ERR_BAD_PARAM, "module not found"},
        {"{\"program\":\".a\"}", "[1]", ERR_TRANSFORM_FAILED, "Cannot index array with string"},
        {"{\"program\":\"error({a: 1})\"}", "1", ERR_TRANSFORM_FAILED, "{\"a\":1}"},
        {"{\"program\":\"\\\"bye\\\" | halt_error\"}", "1", ERR_TRANSFORM_FAILED, "bye"},
        {"{\"program\":\"modulemeta\"}", "\"a\"", ERR_TRANSFORM_FAILED, "module not found"},
        {"{\"program\":\".\"}", "{\"a\":1}\n{\"a\":", ERR_INPUT_DAMAGED, "value 2"},
        {"{\"program\":\".\"}", "no", ERR_INPUT_DAMAGED, "value 1"},
        {"{\"program\":\".\",\"slurp\":true}", "1 no", ERR_INPUT_DAMAGED, "value 2"},
        {"{\"program\":\"[., input]\"}", "1 no", ERR_INPUT_DAMAGED, "value 2"},
        {"{\"program\":\".\"}", "", ERR_INPUT_EMPTY, "no bytes"},
        {"{\"program\":\".\",\"value\":1}", "1", ERR_BAD_PARAM, "which is it"},
        {"{\"program\":\".\",\"args\":[1]}", "1", ERR_BAD_PARAM, "object"},
        {"{\"program\":\"reduce range(100) as $i (1; [.])\"}", "1", ERR_LIMIT_DEPTH, "deeper"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        StepRun r = run(cases[i].params, cases[i].input);
        if (r.code != cases[i].code || strstr(r.err.text, cases[i].says) == NULL)
            fail_msg("%s: %s %s", cases[i].params, err_reason(r.code), r.err.text);
        step_runner_assert_explained(&step_data_transform, &r);
        assert_int_equal(r.leaked_fds, 0);
        step_runner_free(&r);
    }
}

static void check_file(const char *params, const char *name, const char *bytes)
{
    StepRun r = run(params, "[\"a\\n\",2]");
    assert_ok(r.code, &r.err);
    assert_int_equal(r.outputs_len, 1);
    assert_str_equal(r.outputs[0].name, name);
    assert_str_equal(r.outputs[0].bytes, bytes);
    assert_null(json_get(r.data, "result"));
    assert_int_equal(json_int(json_get(r.data, "bytes"), -1), strlen(bytes));
    step_runner_free(&r);
}

TEST(files)
{
    check_file("{\"program\":\".[]\",\"raw\":true}", "result.txt", "a\n\n2\n");
    check_file("{\"program\":\".[]\",\"format\":\"jsonl\"}", "result.jsonl", "\"a\\n\"\n2\n");
    check_file("{\"program\":\".[]\",\"format\":\"json\"}", "result.json", "[\"a\\n\",2]");
    StepRun r = run("{\"program\":\"[range(50000)]\"}", "1");
    assert_ok(r.code, &r.err);
    assert_str_equal(r.outputs[0].name, "result.json");
    assert_int_equal(json_int(json_get(r.data, "count"), -1), 1);
    step_runner_free(&r);
}

TEST(the_environment_comes_back)
{
    setenv("PLATEN_TRANSFORM_TEST", "1", 1);
    StepRun r = run("{\"program\":\"env.PLATEN_TRANSFORM_TEST\"}", "1");
    assert_ok(r.code, &r.err);
    assert_true(json_is(json_get(r.data, "result"), JSON_NULL));
    assert_string_equal(getenv("PLATEN_TRANSFORM_TEST"), "1");
    step_runner_free(&r);
}

TEST(every_failure_is_explained)
{
    step_runner_every_failure(&step_data_transform,
                              "{\"program\":\".[]\",\"raw\":true,\"args\":{\"a\":1}}", "a.json",
                              STR("[1,2]"));
}

TEST_MAIN(results, failures_name_the_place, files, the_environment_comes_back,
          every_failure_is_explained)
