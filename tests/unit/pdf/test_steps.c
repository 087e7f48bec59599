/* The steps on the sample report: what they say, and that they survive whatever fails. Other programs
 * look at the results in tests/e2e/test_pdf.py. */
#include "pdf/pdf.h"
#include "step_runner.h"

static Arena *arena;
static Str report;

static StepRun run(const Step *s, const char *params)
{
    return step_runner_do(s, params, "report.pdf", report);
}

static int64_t number(const StepRun *r, const char *key)
{
    return json_int(json_get(r->data, key), -1);
}

TEST(merge_says_where_each_file_begins)
{
    StepRun r = run(&step_pdf_merge, "{\"pages\":\"3,1\"}");
    assert_ok(r.code, &r.err);
    assert_int_equal(number(&r, "pages"), 2);
    assert_true(str_starts(r.outputs[0].bytes, STR("%PDF-1.4")));
    assert_int_equal(r.leaked_fds, 0);
    step_runner_free(&r);
    r = run(&step_pdf_merge, "{\"pages\":\"1;2\"}");
    assert_int_equal(r.code, ERR_BAD_PARAM);
    assert_string_equal(r.err.param, "pages");
    step_runner_free(&r);
}

TEST(split_makes_parts_with_names)
{
    static const struct {
        const char *params;
        size_t parts;
        const char *first;
    } cases[] = {
        {"{}", 3, "report-001.pdf"},
        {"{\"every\":2}", 2, "report-001.pdf"},
        {"{\"ranges\":\"1-2,3,1\"}", 3, "report-001.pdf"},
        {"{\"at\":\"bookmarks\"}", 3, "report-001.pdf"},
        {"{\"max_kb\":16}", 1, "report-001.pdf"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        StepRun r = run(&step_pdf_split, cases[i].params);
        assert_ok(r.code, &r.err);
        assert_int_equal(r.outputs_len, cases[i].parts);
        assert_str_equal(r.outputs[0].name, cases[i].first);
        step_runner_free(&r);
    }
}

TEST(arguments_that_make_no_sense)
{
    static const struct {
        const Step *step;
        const char *params, *param;
    } cases[] = {
        {&step_pdf_split, "{\"at\":\"ranges\"}", "ranges"},
        {&step_pdf_split, "{\"ranges\":\"9\"}", "ranges"},
        {&step_pdf_rotate, "{\"pages\":\"4\"}", "pages"},
        {&step_pdf_encrypt, "{}", "user_password"},
        {&step_pdf_encrypt, "{\"user_password\":\"a\",\"forbid\":[\"copy\"]}", "owner_password"},
        {&step_pdf_encrypt, "{\"owner_password\":\"a\",\"forbid\":[\"fly\"]}", "forbid"},
        {&step_pdf_watermark, "{}", "text"},
        {&step_pdf_watermark, "{\"text\":\"a\",\"colour\":\"red\"}", "colour"},
        {&step_pdf_watermark, "{\"text\":\"a\\nb\"}", "text"},
        {&step_pdf_watermark, "{\"text\":\"\xf0\x92\x80\x80\"}", "text"},
        {&step_pdf_metadata, "{\"created\":\"soon\"}", "created"},
        {&step_pdf_metadata, "{\"clear\":[\"all\"]}", "clear"},
        {&step_pdf_metadata, "{\"custom\":{\"a\":1}}", "custom"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        StepRun r = run(cases[i].step, cases[i].params);
        if (r.code != ERR_BAD_PARAM || strcmp(r.err.param, cases[i].param) != 0)
            fail_msg("%s %s: %s %s %s", cases[i].step->name, cases[i].params, err_reason(r.code),
                     r.err.param, r.err.text);
        step_runner_free(&r);
    }
}

TEST(what_is_no_pdf_is_named)
{
    static const struct {
        const char *bytes;
        ErrCode want;
    } cases[] = {{"\xff\xd8\xff\xe0 jpeg", ERR_UNSUPPORTED_TYPE},
                 {"PK\3\4 office", ERR_UNSUPPORTED_TYPE},
                 {"just text", ERR_UNSUPPORTED_TYPE},
                 {"", ERR_INPUT_EMPTY},
                 {"%PDF-1.4\nnothing more", ERR_INPUT_DAMAGED}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        StepRun r = step_runner_do(&step_pdf_rotate, "{}", "x.pdf", str_from_c(cases[i].bytes));
        if (r.code != cases[i].want)
            fail_msg("\"%s\": %s %s", cases[i].bytes, err_reason(r.code), r.err.text);
        step_runner_assert_explained(&step_pdf_rotate, &r);
        step_runner_free(&r);
    }
}

TEST(metadata_is_read_back_as_written)
{
    StepRun r = run(&step_pdf_metadata,
                    "{\"title\":\"T\\u00ebst \\ud83d\\udea2\",\"custom\":{\"Ship\":\"Emma\"},"
                    "\"modified\":\"2026-02-03T04:05:06+02:00\",\"clear\":[\"author\"]}");
    assert_ok(r.code, &r.err);
    assert_int_equal(r.outputs_len, 1);
    StepRun again = step_runner_do(&step_pdf_metadata, "{}", "x.pdf", r.outputs[0].bytes);
    assert_ok(again.code, &again.err);
    assert_str_equal(json_text(json_get(again.data, "title")), "T\xc3\xabst \xf0\x9f\x9a\xa2");
    assert_str_equal(json_text(json_get(again.data, "modified")), "2026-02-03T04:05:06+02:00");
    assert_str_equal(json_text(json_get(json_get(again.data, "custom"), "Ship")), "Emma");
    assert_null(json_get(again.data, "author"));
    assert_int_equal(again.outputs_len, 0);
    step_runner_free(&again);
    again = step_runner_do(&step_pdf_metadata, "{\"remove\":true}", "x.pdf", r.outputs[0].bytes);
    assert_ok(again.code, &again.err);
    assert_true(str_find(again.outputs[0].bytes, STR("Emma")) == STR_NONE);
    assert_null(json_get(again.data, "title"));
    step_runner_free(&again);
    step_runner_free(&r);
}

TEST(encrypted_and_back)
{
    StepRun r = run(&step_pdf_encrypt, "{\"user_password\":\"u\",\"owner_password\":\"o\"}");
    assert_ok(r.code, &r.err);
    StepRun shut = step_runner_do(&step_pdf_rotate, "{}", "x.pdf", r.outputs[0].bytes);
    assert_int_equal(shut.code, ERR_INPUT_ENCRYPTED);
    step_runner_free(&shut);
    shut = step_runner_do(&step_pdf_split, "{\"password\":\"u\"}", "x.pdf", r.outputs[0].bytes);
    assert_ok(shut.code, &shut.err);
    StepRun part = step_runner_do(&step_pdf_metadata, "{}", "p.pdf", shut.outputs[0].bytes);
    assert_int_equal(part.code, ERR_INPUT_ENCRYPTED); /* a part is as protected as the whole */
    step_runner_free(&part);
    step_runner_free(&shut);
    StepRun open =
        step_runner_do(&step_pdf_decrypt, "{\"password\":\"o\"}", "x.pdf", r.outputs[0].bytes);
    assert_ok(open.code, &open.err);
    assert_true(json_bool(json_get(open.data, "owner"), false));
    assert_true(str_find(open.outputs[0].bytes, STR("/Encrypt")) == STR_NONE);
    step_runner_free(&open);
    step_runner_free(&r);
}

TEST(optimize_never_makes_it_larger)
{
    StepRun r = run(&step_pdf_optimize, "{}");
    assert_ok(r.code, &r.err);
    assert_true(json_bool(json_get(r.data, "smaller"), false));
    assert_true(r.outputs[0].bytes.len < report.len);
    StepRun again = step_runner_do(&step_pdf_optimize, "{}", "x.pdf", r.outputs[0].bytes);
    assert_ok(again.code, &again.err);
    assert_true(again.outputs[0].bytes.len <= r.outputs[0].bytes.len);
    if (!json_bool(json_get(again.data, "smaller"), true))
        assert_true(str_eq(again.outputs[0].bytes, r.outputs[0].bytes));
    step_runner_free(&again);
    step_runner_free(&r);
}

TEST(survive_every_failure)
{
    static const struct {
        const Step *step;
        const char *params;
    } cases[] = {
        {&step_pdf_merge, "{\"title\":\"t\"}"},
        {&step_pdf_split, "{\"max_kb\":16}"},
        {&step_pdf_rotate, "{}"},
        {&step_pdf_watermark, "{\"text\":\"x\"}"},
        {&step_pdf_encrypt, "{\"user_password\":\"u\"}"},
        {&step_pdf_optimize, "{\"dpi\":100}"},
        {&step_pdf_metadata, "{\"title\":\"t\"}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        step_runner_every_failure(cases[i].step, cases[i].params, "report.pdf", report);
}

static int begin(void **state)
{
    (void)state;
    Err err = {0};
    arena = arena_open(64 * MIB);
    assert_ok(font_warm(&err), &err);
    return arena == NULL || fd_read_path(str_to_c(arena, str_printf(arena, "%s/samples/report.pdf",
                                                                    getenv("PLATEN_ROOT"))),
                                         arena, MIB, &report, &err) != OK;
}

static int end(void **state)
{
    (void)state;
    arena_close(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ENTRY(merge_says_where_each_file_begins), TEST_ENTRY(split_makes_parts_with_names),
        TEST_ENTRY(arguments_that_make_no_sense),      TEST_ENTRY(what_is_no_pdf_is_named),
        TEST_ENTRY(metadata_is_read_back_as_written),  TEST_ENTRY(encrypted_and_back),
        TEST_ENTRY(optimize_never_makes_it_larger),    TEST_ENTRY(survive_every_failure)};
    return cmocka_run_group_tests(tests, begin, end);
}
