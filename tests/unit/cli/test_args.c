#include "cli/cli.h"
#include "unit/harness.h"

typedef struct Args {
    int64_t max_pages;
    bool keep;
    Str output;
    StrList tags;
} Args;

static const Param params[] = {
    PARAM_INT(Args, max_pages, .min = 1, .max = 100, .def = 7, .help = "Most pages."),
    PARAM_BOOL(Args, keep, .help = "Keep it."),
    PARAM_TEXT(Args, output, .help = "Where to."),
    PARAM_LIST(Args, tags, .help = "Tags."),
    PARAM_END,
};

typedef struct Sorted {
    ErrCode rc;
    Err err;
    Args args;
    Str *operands;
    size_t operands_len;
    bool help;
} Sorted;

static Sorted sort(Arena *a, const char *line)
{
    char *words[32];
    int len = 0;
    Str rest = str_from_c(line), word;
    while (line[0] != 0 && str_next(&rest, ' ', &word))
        words[len++] = str_to_c(a, word);
    ArgsTable table = {.params = params};
    Sorted s = {0};
    s.rc = args_sort(a, words, len, &table, 1, &s.operands, &s.operands_len, &s.help, &s.err);
    const Json *json = NULL;
    if (s.rc == OK && !s.help) {
        assert_ok(json_parse(a, table.json, &json, &s.err), &s.err);
        assert_ok(param_fill(params, json, a, &s.args, &s.err), &s.err);
    }
    return s;
}

TEST(sorts_options_and_operands)
{
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    Sorted s = sort(a, "a.pdf --max-pages 3 --keep b.pdf -o out --tags x,y --tags z");
    assert_ok(s.rc, &s.err);
    assert_int_equal(s.operands_len, 2);
    assert_str_equal(s.operands[1], "b.pdf");
    assert_int_equal(s.args.max_pages, 3);
    assert_true(s.args.keep);
    assert_str_equal(s.args.output, "out");
    assert_int_equal(s.args.tags.len, 3);
    assert_str_equal(s.args.tags.items[2], "z");
}

TEST(takes_equals_defaults_and_double_dash)
{
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    Sorted s = sort(a, "--max-pages=9 -- --keep -");
    assert_ok(s.rc, &s.err);
    assert_int_equal(s.args.max_pages, 9);
    assert_false(s.args.keep);
    assert_int_equal(s.operands_len, 2);
    assert_str_equal(s.operands[0], "--keep");
    assert_int_equal(sort(a, "").args.max_pages, 7);
    assert_str_equal(sort(a, "-").operands[0], "-");
    assert_true(sort(a, "--max-pages 0 --help").help);
}

TEST(names_what_is_wrong)
{
    static const struct {
        const char *line, *says;
        ErrCode rc;
    } cases[] = {
        {"--pages 3", "--pages", ERR_USAGE},
        {"--max-pages", "needs a value", ERR_USAGE},
        {"--max-pages zero", "--max-pages", ERR_BAD_PARAM},
        {"--max-pages 0", "1 to 100", ERR_BAD_PARAM},
        {"--max-pages 101 --keep=maybe", "--keep", ERR_BAD_PARAM},
        {"-x", "-x", ERR_USAGE},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
        Sorted s = sort(a, cases[i].line);
        assert_int_equal(s.rc, cases[i].rc);
        if (strstr(s.err.text, cases[i].says) == NULL)
            fail_msg("\"%s\" says: %s", cases[i].line, s.err.text);
    }
}

TEST(survives_every_failure)
{
    for (int nth = 1;; nth++) {
        fault_arm(nth);
        CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
        char *words[] = {(char *)"--tags", (char *)"a,b", (char *)"file"};
        ArgsTable table = {.params = params};
        Str *operands = NULL;
        size_t len = 0;
        bool help = false;
        Err err = {0};
        ErrCode rc = a != NULL ? args_sort(a, words, 3, &table, 1, &operands, &len, &help, &err)
                               : ERR_NO_MEMORY;
        if (!fault_disarm()) {
            assert_int_equal(rc, OK);
            return;
        }
        assert_int_not_equal(rc, OK);
    }
}

TEST_MAIN(sorts_options_and_operands, takes_equals_defaults_and_double_dash, names_what_is_wrong,
          survives_every_failure)
