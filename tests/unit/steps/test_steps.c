/* The built-in steps: they keep the rules of descriptions, their examples hold, and text.stats
 * counts right. */
#include "steps/text_stats.c" /* white box: static functions are in reach */
#include "steps/steps.h"
#include "unit/step_runner.h"

TEST(descriptions_keep_the_rules)
{
    Arena *a = arena_open(16 * MIB);
    Registry *r = registry_open(a);
    Err err = {0};
    assert_ok(steps_register(r, &err), &err);
    assert_true(registry_count(r) > 5);
    for (size_t i = 0; i < registry_count(r); i++) {
        const char *problem = registry_problem(registry_at(r, i), a);
        if (problem != NULL)
            fail_msg("%s: %s", registry_at(r, i)->name, problem);
    }
    arena_close(&a);
}

TEST(stats)
{
    static const struct {
        const char *why, *text;
        Stats want; /* characters, spaces, words, lines, paragraphs */
    } cases[] = {
        {"nothing", "", {0, 0, 0, 0, 0}},
        {"one word", "one", {3, 0, 1, 1, 1}},
        {"spaces only", " \t ", {3, 3, 0, 1, 0}},
        {"two words", " two  words ", {12, 4, 2, 1, 1}},
        {"lines", "a\nb\nc", {5, 2, 3, 3, 1}},
        {"the last line ends", "a\nb\n", {4, 2, 2, 2, 1}},
        {"CR LF is one end", "a\r\nb\r\n", {6, 4, 2, 2, 1}},
        {"CR alone ends too", "a\rb", {3, 1, 2, 2, 1}},
        {"paragraphs", "a\n\nb\n \nc", {8, 5, 3, 5, 3}},
        {"not ASCII", "\xc3\xa4\xc3\xb6 \xf0\x9f\x98\x80", {4, 1, 2, 1, 1}},
        {"a no-break space parts words",
         "a\xc2\xa0"
         "b",
         {3, 1, 2, 1, 1}},
        {"Han: a character is a word", "\xe4\xbd\xa0\xe5\xa5\xbd abc", {6, 1, 3, 1, 1}},
        {"a broken byte counts as one", "\xff", {1, 0, 1, 1, 1}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Stats got = stats_of(str_from_c(cases[i].text)), want = cases[i].want;
        if (memcmp(&got, &want, sizeof got) != 0)
            fail_msg("%s: %d %d %d %d %d", cases[i].why, (int)got.characters, (int)got.spaces,
                     (int)got.words, (int)got.lines, (int)got.paragraphs);
    }
}

TEST(fail_until_an_attempt)
{
    StepRun r =
        step_runner_do(&step_test_fail, "{\"reason\":\"no_text\",\"message\":\"hm\"}", "", STR(""));
    assert_int_equal(r.code, ERR_NO_TEXT);
    assert_string_equal(r.err.text, "hm");
    step_runner_free(&r);
    r = step_runner_do(&step_test_fail, "{\"reason\":\"nonsense\"}", "", STR(""));
    assert_int_equal(r.code, ERR_BAD_PARAM);
    step_runner_free(&r);
}

TEST(echo)
{
    StepRun r = step_runner_do(&step_test_echo, "{\"value\":{\"a\":[1,null]}}", "", STR(""));
    assert_int_equal(r.code, OK);
    assert_int_equal(json_int(json_get(json_get(r.data, "value"), "a")->first, -1), 1);
    step_runner_free(&r);
    r = step_runner_do(&step_test_echo, "{}", "", STR(""));
    assert_int_equal(r.code, OK);
    assert_true(json_is(json_get(r.data, "value"), JSON_NULL));
    step_runner_free(&r);
    r = step_runner_do(&step_test_echo, "{\"fail\":true,\"reason\":\"no_text\"}", "", STR(""));
    assert_int_equal(r.code, ERR_NO_TEXT);
    step_runner_free(&r);
    r = step_runner_do(&step_test_echo, "{\"times\":2,\"fail\":true}", "", STR(""));
    assert_int_equal(r.code, ERR_IO);
    step_runner_free(&r);
    r = step_runner_do(&step_test_echo, "{\"reason\":\"nonsense\"}", "", STR(""));
    assert_int_equal(r.code, ERR_BAD_PARAM);
    step_runner_free(&r);
}

TEST(results)
{
    StepRun r = step_runner_do(&step_text_stats, "{\"text\":\"Two words.\\n\\nThree more words.\"}",
                               "", STR(""));
    assert_int_equal(r.code, OK);
    assert_int_equal(json_int(json_get(r.data, "words"), -1), 5);
    assert_int_equal(json_int(json_get(r.data, "lines"), -1), 3);
    assert_int_equal(json_int(json_get(r.data, "paragraphs"), -1), 2);
    assert_int_equal(json_int(json_get(r.data, "reading_seconds"), -1), 2);
    step_runner_free(&r);
    r = step_runner_do(&step_test_sleep, "{\"ms\":5}", "", STR(""));
    assert_int_equal(r.code, OK);
    assert_true(json_int(json_get(r.data, "slept_ms"), -1) >= 5);
    step_runner_free(&r);
    r = step_runner_do(&step_test_noop, "{}", "", STR(""));
    assert_int_equal(r.code, OK);
    step_runner_free(&r);
}

TEST(survive_every_failure)
{
    step_runner_every_failure(&step_text_stats, "{\"text\":\"a b\"}", "", STR(""));
}

TEST_MAIN(descriptions_keep_the_rules, stats, fail_until_an_attempt, echo, results,
          survive_every_failure)
