#include "cli/outputs.c" /* white box: static functions are in reach */
#include "unit/harness.h"

TEST(no_name_leaves_the_folder)
{
    static const struct {
        const char *name, *want;
    } cases[] = {
        {"report.md", "report.md"},
        {"a/b.txt", "a/b.txt"},
        {"../x", "output"},
        {"/etc/passwd", "output"},
        {"a/../../x", "output"},
        {"a//b", "output"},
        {"", "output"},
        {".", "output"},
        {"a/.", "output"},
        {"x\ny", "output"},
        {"..", "output"},
        {"...", "..."},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_str_equal(safe_name(str_from_c(cases[i].name)), cases[i].want);
}

TEST(names_that_come_twice_get_a_number)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    Outputs o = {.arena = a};
    assert_str_equal(free_name(&o, STR("a.md")), "a.md");
    assert_str_equal(free_name(&o, STR("a.md")), "a-2.md");
    assert_str_equal(free_name(&o, STR("a.md")), "a-3.md");
    assert_str_equal(free_name(&o, STR("d.x/a")), "d.x/a");
    assert_str_equal(free_name(&o, STR("d.x/a")), "d.x/a-2");
    assert_str_equal(free_name(&o, STR(".rc")), ".rc");
    assert_str_equal(free_name(&o, STR(".rc")), ".rc-2");
}

TEST_MAIN(no_name_leaves_the_folder, names_that_come_twice_get_a_number)
