#include "archive/path.h"
#include "harness.h"

static Arena *arena;

static void check(const char *why, Str raw, PathFault want, const char *safe)
{
    Str out = {0};
    PathFault got = path_check(arena, raw, &out);
    if (got != want)
        fail_msg("%s: \"" STR_FMT "\" %s, expected that it %s", why, STR_ARG(raw),
                 path_fault_text(got), path_fault_text(want));
    if (want == PATH_SAFE)
        assert_str_equal(out, safe);
}

TEST(names_that_are_fine)
{
    static const struct {
        const char *raw, *safe;
    } cases[] = {
        {"a.txt", "a.txt"},
        {"a/b/c.txt", "a/b/c.txt"},
        {"./a//b/./c", "a/b/c"},
        {"a\\b\\c.txt", "a/b/c.txt"},
        {"folder/", "folder"},
        {"Grüße aus Kyōto.txt", "Grüße aus Kyōto.txt"},
        {"日本語/ファイル.txt", "日本語/ファイル.txt"},
        {"..a/b..", "..a/b.."},
        {".hidden", ".hidden"},
        {"...and more", "...and more"},
        {"10:30 notes", "10:30 notes"},
        {"console.log", "console.log"},
        {"com10", "com10"},
        {"com0", "com0"},
        {"null", "null"},
        {"C_DRIVE", "C_DRIVE"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check("fine", str_from_c(cases[i].raw), PATH_SAFE, cases[i].safe);
}

TEST(names_that_are_refused)
{
    static const struct {
        Str raw;
        PathFault want;
    } cases[] = {
        {{0}, PATH_EMPTY},
        {STR("./"), PATH_EMPTY},
        {STR("/etc/passwd"), PATH_ABSOLUTE},
        {STR("\\windows"), PATH_ABSOLUTE},
        {STR("\\\\server\\share\\x"), PATH_ABSOLUTE},
        {STR("//server/x"), PATH_ABSOLUTE},
        {STR("C:\\x"), PATH_ABSOLUTE},
        {STR("c:x"), PATH_ABSOLUTE},
        {STR(".."), PATH_PARENT},
        {STR("../x"), PATH_PARENT},
        {STR("a/../../x"), PATH_PARENT},
        {STR("a/b/.."), PATH_PARENT},
        {STR("a\\..\\x"), PATH_PARENT},
        {STR("a/.. /x"), PATH_PARENT},
        {STR("a/.../x"), PATH_PARENT},
        {STR("a/. ./x"), PATH_PARENT},
        {STR("a/ /x"), PATH_PARENT},
        {STR("a\0b"), PATH_CONTROL},
        {STR("a\nb"), PATH_CONTROL},
        {STR("a\x1b[2J"), PATH_CONTROL},
        {STR("a\x7f"), PATH_CONTROL},
        {STR("a\xc2\x9b"), PATH_CONTROL},
        {STR("photo\xe2\x80\xaegpj.exe"), PATH_CONTROL},
        {STR("a\xe2\x81\xa6x"), PATH_CONTROL},
        {STR("con"), PATH_RESERVED},
        {STR("a/NUL.txt"), PATH_RESERVED},
        {STR("Aux .c"), PATH_RESERVED},
        {STR("com1:"), PATH_RESERVED},
        {STR("lpt9.tar.gz"), PATH_RESERVED},
        {STR("CONOUT$"), PATH_RESERVED},
        {STR("a\xff"), PATH_NOT_UTF8},
        {STR("a/\xc0\xae\xc0\xae/x"), PATH_NOT_UTF8},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check("refused", cases[i].raw, cases[i].want, NULL);
}

TEST(lengths)
{
    char text[PATH_BYTES_MAX + 2];
    memset(text, 'a', sizeof text);
    check("a part of 255", (Str){text, PATH_PART_MAX}, PATH_SAFE,
          str_to_c(arena, (Str){text, PATH_PART_MAX}));
    check("a part of 256", (Str){text, PATH_PART_MAX + 1}, PATH_LONG, NULL);
    for (size_t i = 1; i < sizeof text; i += 2)
        text[i] = '/';
    check("64 parts", (Str){text, 2 * PATH_PARTS_MAX}, PATH_SAFE,
          str_to_c(arena, (Str){text, 2 * PATH_PARTS_MAX - 1}));
    check("65 parts", (Str){text, 2 * PATH_PARTS_MAX + 1}, PATH_LONG, NULL);
    check("over 1024 bytes", (Str){text, PATH_BYTES_MAX + 1}, PATH_LONG, NULL);
}

TEST(links)
{
    static const struct {
        const char *at, *target;
        bool hard;
        PathFault want;
    } cases[] = {
        {"a/b/link", "c", false, PATH_SAFE},         {"a/b/link", "../c", false, PATH_SAFE},
        {"a/b/link", "../../c", false, PATH_SAFE},   {"a/b/link", "../../../c", false, PATH_PARENT},
        {"link", "..", false, PATH_PARENT},          {"link", "a/../..", false, PATH_PARENT},
        {"link", "a/../b", false, PATH_SAFE},        {"a/link", "x/../../../y", false, PATH_PARENT},
        {"a/link", "..\\..\\y", false, PATH_PARENT}, {"link", "/etc/passwd", false, PATH_ABSOLUTE},
        {"link", "C:/x", false, PATH_ABSOLUTE},      {"a/b/link", "a/c", true, PATH_SAFE},
        {"a/b/link", "../c", true, PATH_PARENT},     {"a/b/link", "/c", true, PATH_ABSOLUTE},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        PathFault got = path_check_link(arena, str_from_c(cases[i].at), str_from_c(cases[i].target),
                                        cases[i].hard);
        if (got != cases[i].want)
            fail_msg("%s -> %s: %s", cases[i].at, cases[i].target, path_fault_text(got));
    }
}

static int open_arena(void **state)
{
    (void)state;
    arena = arena_open(1 * MIB);
    return arena == NULL;
}

static int close_arena(void **state)
{
    (void)state;
    arena_close(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST_ENTRY(names_that_are_fine),
                                       TEST_ENTRY(names_that_are_refused), TEST_ENTRY(lengths),
                                       TEST_ENTRY(links)};
    return cmocka_run_group_tests(tests, open_arena, close_arena);
}
