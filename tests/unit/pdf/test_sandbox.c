/* Every step through the closed sandbox; the corpus goes through it in tests/e2e/test_corpus.py. */
#include "desk.h"

static Arena *arena;
static char dir[] = "/tmp/platen-pdf-XXXXXX";

TEST(every_step)
{
    static const struct {
        const char *step, *params, *file;
    } cases[] = {
        {"pdf.merge", "{}", "report.pdf"},
        {"pdf.split", "{\"max_kb\":16}", "report.pdf"},
        {"pdf.rotate", "{}", "report.pdf"},
        {"pdf.watermark", "{\"text\":\"\xd9\x85\xd8\xb3\xd9\x88\xd8\xaf\xd8\xa9 \xce\xb1\"}",
         "report.pdf"},
        {"pdf.encrypt", "{\"user_password\":\"u\"}", "report.pdf"},
        {"pdf.decrypt", "{\"password\":\"harbour\"}", "protected.pdf"},
        {"pdf.optimize", "{\"dpi\":72,\"linearize\":true}", "report.pdf"},
        {"pdf.metadata", "{\"title\":\"x\"}", "report.pdf"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *path = str_to_c(
            arena, str_printf(arena, "%s/samples/%s", getenv("PLATEN_ROOT"), cases[i].file));
        DeskRun r = desk_run(arena, "pdf", cases[i].step, cases[i].params, path, dir);
        if (r.result == NULL)
            fail_msg("%s: " STR_FMT " " STR_FMT, cases[i].step, STR_ARG(r.reason),
                     STR_ARG(r.message));
    }
}

static int begin(void **state)
{
    (void)state;
    arena = arena_open(1024 * MIB);
    return arena == NULL || mkdtemp(dir) == NULL;
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
    const struct CMUnitTest tests[] = {TEST_ENTRY(every_step)};
    return cmocka_run_group_tests(tests, begin, end);
}
