/* Through the closed sandbox: converters of names are loaded from files, and decompressors may be.
 */
#include "archive_maker.h"
#include "desk.h"

#include <locale.h>

static Arena *arena;
static char dir[] = "/tmp/platen-archive-XXXXXX";

static DeskRun run(const char *step, const char *params, Str bytes)
{
    const char *path = str_to_c(arena, str_printf(arena, "%s/in.bin", dir));
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    Err err = {0};
    assert_true(fd >= 0);
    assert_ok(fd_write_all(fd, bytes.ptr, bytes.len, &err), &err);
    close(fd);
    return desk_run(arena, "archive", step, params, path, dir);
}

TEST(every_format)
{
    static const struct {
        const char *format, *filter;
    } cases[] = {
        {"zip", "none"}, {"ustar", "none"}, {"pax", "gzip"},  {"pax", "bzip2"}, {"pax", "xz"},
        {"pax", "zstd"}, {"pax", "lz4"},    {"7zip", "none"}, {"newc", "none"}, {"iso9660", "none"},
    };
    static const Made one[] = {{.name = "a.txt", .content = {"hello\n", 6}}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        DeskRun r = run("archive.extract", "{}",
                        make_archive(arena, cases[i].format, cases[i].filter, NULL, one, 1));
        if (r.result == NULL)
            fail_msg("%s: " STR_FMT " " STR_FMT, cases[i].format, STR_ARG(r.reason),
                     STR_ARG(r.message));
        assert_int_equal(json_int(json_get(r.result, "bytes"), 0), 6);
    }
    DeskRun r = run("archive.extract", "{\"password\":\"secret\"}",
                    make_archive(arena, "zip", "none", "secret", one, 1));
    assert_non_null(r.result);
}

TEST(names_in_every_charset)
{
    static const struct {
        const char *charset, *raw, *want;
    } cases[] = {
        {"cp437", "\x94l", "öl"},
        {"cp850", "\x94l", "öl"},
        {"cp866", "\x8f\xe0", "Пр"},
        {"windows-1250", "\xf8", "ř"},
        {"windows-1251", "\xcf\xf0", "Пр"},
        {"windows-1252", "\xf6l", "öl"},
        {"koi8-r", "\xf0\xd2", "Пр"},
        {"shift-jis", "\x93\xfa\x96\x7b", "日本"},
        {"euc-jp", "\xc6\xfc\xcb\xdc", "日本"},
        {"gbk", "\xd6\xd0\xb9\xfa", "中国"},
        {"big5", "\xa4\xa4\xb0\xea", "中國"},
        {"euc-kr", "\xc7\xd1\xb1\xdb", "한글"},
        {"iso-8859-2", "\xf8", "ř"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char params[64];
        const Made one[] = {{.name = cases[i].raw, .content = {"x", 1}}};
        snprintf(params, sizeof params, "{\"charset\":\"%s\"}", cases[i].charset);
        DeskRun r = run("archive.list", params, make_zip(arena, one, 1));
        if (r.result == NULL)
            fail_msg("%s: " STR_FMT, cases[i].charset, STR_ARG(r.message));
        const Json *first = json_get(r.result, "entries")->first;
        assert_str_equal(json_text(json_get(first, "path")), cases[i].want);
    }
}

/* The hostile and odd files of the corpus: a result or a reason, never a crash. */
TEST(corpus_gives_results_or_reasons)
{
    static const char *const folders[] = {"archive",   "malformed", "malicious",
                                          "encrypted", "epub",      "docx"};
    int seen = 0;
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        char folder[512];
        snprintf(folder, sizeof folder, "%s/../shared/corpus/%s", getenv("PLATEN_ROOT"),
                 folders[i]);
        DIR *d = opendir(folder);
        for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
            if (e->d_name[0] == '.')
                continue;
            ArenaMark mark = arena_mark(arena);
            const char *path = str_to_c(arena, str_printf(arena, "%s/%s", folder, e->d_name));
            DeskRun r =
                desk_run(arena, "archive", "archive.extract", "{\"nested\":\"open\"}", path, dir);
            if (!r.ended_well)
                fail_msg("%s: no result and no reason", e->d_name);
            seen++;
            arena_rewind(arena, mark);
        }
        if (d != NULL)
            closedir(d);
    }
    if (seen == 0)
        skip();
}

static int begin(void **state)
{
    (void)state;
    arena = arena_open(1024 * MIB);
    return arena == NULL || setlocale(LC_ALL, "C.UTF-8") == NULL || mkdtemp(dir) == NULL;
}

static int end(void **state)
{
    (void)state;
    desk_remove(dir);
    arena_close(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {TEST_ENTRY(every_format), TEST_ENTRY(names_in_every_charset),
                                       TEST_ENTRY(corpus_gives_results_or_reasons)};
    return cmocka_run_group_tests(tests, begin, end);
}
