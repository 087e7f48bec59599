/* Through the closed sandbox: what ICU or the C library would open late shows here. */
#include "desk.h"

static void write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    Err err = {0};
    assert_true(fd >= 0);
    assert_ok(fd_write_all(fd, text, strlen(text), &err), &err);
    close(fd);
}

TEST(every_method_with_nothing_to_open)
{
    static const char *const params[] = {
        "{\"method\":\"tokens\"}",
        "{\"method\":\"characters\",\"overlap\":100}",
        "{\"method\":\"sentences\",\"size\":20,\"overlap\":10,\"encoding\":\"cl100k\"}",
        "{\"method\":\"headings\",\"with_source\":true,\"format\":\"json\"}",
        "{\"method\":\"meaning\",\"size\":40}",
        "{\"method\":\"rules\",\"rules\":\"(?i)\\\\bpart\\\\s+\\\\p{Lu}\"}",
    };
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    char dir[] = "/tmp/platen-text-XXXXXX";
    assert_non_null(mkdtemp(dir));
    char *path = str_to_c(a, str_printf(a, "%s/in.md", dir));
    write_text(path, "# Part A\n\nDr. Ada came. "
                     "\xe4\xbb\x8a\xe6\x97\xa5\xe3\x81\xaf\xe8\x89\xaf\xe3\x81\x84\xe5\xa4\xa9\xe6"
                     "\xb0\x97\xe3\x80\x82 "
                     "\xe0\xb8\xaa\xe0\xb8\xa7\xe0\xb8\xb1\xe0\xb8\xaa\xe0\xb8\x94\xe0\xb8\xb5\xe0"
                     "\xb8\x8a\xe0\xb8\xb2\xe0\xb8\xa7\xe0\xb9\x82\xe0\xb8\xa5\xe0\xb8\x81 "
                     "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82.\n\n# Part B\n\n| a | b "
                     "|\n|---|---|\n| 1 | 2 |\n");
    char *out = str_to_c(a, str_printf(a, "%s/out", dir));
    for (size_t i = 0; i < COUNT_OF(params); i++) {
        DeskRun r = desk_run(a, "text", "text.chunk", params[i], path, out);
        if (!r.ended_well || r.result == NULL)
            fail_msg("%s: " STR_FMT " " STR_FMT, params[i], STR_ARG(r.reason), STR_ARG(r.message));
        assert_true(json_int(json_get(r.result, "chunks"), 0) > 0);
    }
    DeskRun r = desk_run(a, "text", "text.tokens", "{\"ids\":\"bytes\"}", path, out);
    assert_true(json_int(json_get(r.result, "tokens"), 0) > 40);
    desk_remove(dir);
}

TEST_MAIN(every_method_with_nothing_to_open)
