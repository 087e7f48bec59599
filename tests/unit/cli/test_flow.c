/* The tree of a job's nodes, and lines that differ. */
#include "cli/flow_diff.c" /* white box: static functions are in reach */
#include "unit/harness.h"

#include <fcntl.h>

static const Json *nodes_of(Arena *a, const char *text)
{
    const Json *nodes = NULL;
    Err err = {0};
    assert_ok(json_parse(a, str_from_c(text), &nodes, &err), &err);
    return nodes;
}

#define NODE(id, state, needs, more)                                                               \
    "{\"id\":\"" id "\",\"uses\":\"test.echo\",\"section\":\"steps\",\"state\":\"" state           \
    "\",\"needs\":[" needs "]" more "}"

TEST(a_tree_says_how_each_stands)
{
    static const char text[] =
        "[" NODE("a", "done", "",
                 ",\"started\":\"2026-11-22T08:00:00.000Z\",\"finished\":\"2026-11-22T08:00:01."
                 "500Z\",\"usage\":[{\"unit\":\"pages\",\"amount\":1}]") "," //
        NODE("many", "running", "\"a\"",
             ",\"started\":\"2026-11-22T08:00:00.000Z\",\"many\":true,\"total\":10,\"ended\":3,"
             "\"failed\":1") "," //
        NODE("known", "done", "\"a\"",
             ",\"reused\":true,\"many\":true,\"total\":1,\"ended\":1") "," NODE("wrong", "failed",
                                                                                "\"a\"",
                                                                                ",\"reason\":\"no_"
                                                                                "text\",\"detail\":"
                                                                                "\"empty\"") "," //
        NODE("rest", "omitted", "\"wrong\"", "") "," NODE("later", "pending", "", "") "]";
    static const char *const want[] = {
        "├─ ✓ a           test.echo  1.5 s, 1 page",
        "│  ├─ ● many     test.echo  3 of 10, 1 failed, 4.0 s",
        "│  ├─ ✓ known    test.echo  reused, 1 of 1",
        "│  └─ ✗ wrong    test.echo  no_text: empty",
        "│     └─ − rest  test.echo  not run",
        "└─ · later       test.echo",
    };
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    int64_t now = flow_time_ms(STR("2026-11-22T08:00:04.000Z"));
    int fd = open("/dev/null", O_WRONLY);
    FlowTree t = flow_tree(a, nodes_of(a, text), fd, 0, now);
    close(fd);
    assert_int_equal(t.len, COUNT_OF(want));
    for (size_t i = 0; i < t.len; i++)
        if (!str_eq_c(t.lines[i], want[i]))
            fail_msg("line %zu is \"" STR_FMT "\", not \"%s\"", i, STR_ARG(t.lines[i]), want[i]);
}

/* Needs that name each other, or nothing that is there: a server may say anything. */
TEST(a_tree_of_nonsense_ends)
{
    static const char text[] = "[" NODE("a", "done", "\"b\",\"a\",7,\"x\"", "") "," NODE(
        "b", "what", "\"a\",\"b\"", ",\"nodes\":{}") ",7,{},{\"needs\":7}]";
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    assert_true(flow_tree(a, nodes_of(a, text), STDERR_FILENO, 40, 0).len <= 5);
    assert_int_equal(flow_tree(a, nodes_of(a, "[]"), STDERR_FILENO, 40, 0).len, 0);
    assert_int_equal(flow_tree(a, NULL, STDERR_FILENO, 40, 0).len, 0);
}

TEST(lines_that_differ)
{
    static const struct {
        const char *from, *to, *marks;
    } cases[] = {
        {"a\nb\nc\n", "a\nb\nc\n", "   "},
        {"a\nb\nc\n", "a\nx\nc\n", " -+ "},
        {"", "a\n", "+"},
        {"a\n", "", "-"},
        {"a\nb\n", "b\na\n", "- +"},
        {"a\nb", "a\nb\n", "  "},
        {"", "", ""},
        {"x\na\ny\n", "a\n", "- -"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
        Edits e =
            edits_of(a, split(a, str_from_c(cases[i].from)), split(a, str_from_c(cases[i].to)));
        char marks[16] = "";
        for (size_t k = 0; k < e.len; k++)
            marks[k] = e.items[k].mark;
        if (strcmp(marks, cases[i].marks) != 0)
            fail_msg("case %zu: \"%s\", not \"%s\"", i, marks, cases[i].marks);
    }
}

TEST_MAIN(a_tree_says_how_each_stands, a_tree_of_nonsense_ends, lines_that_differ)
