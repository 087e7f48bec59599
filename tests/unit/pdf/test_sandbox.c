/* Through the closed sandbox: every step on a sound file, and the hostile files of the corpus, which
 * give a result or a reason. */
#include "desk.h"

static Arena *arena;
/* PLATEN_CORPUS, or beside the repository. */
static void corpus_folder(char *out, size_t size, const char *name)
{
    const char *own = getenv("PLATEN_CORPUS");
    if (own != NULL)
        snprintf(out, size, "%s/%s", own, name);
    else
        snprintf(out, size, "%s/../shared/corpus/%s", getenv("PLATEN_ROOT"), name);
}

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

TEST(corpus_gives_results_or_reasons)
{
    static const char *const folders[] = {"malformed", "malicious", "encrypted"};
    static const struct {
        const char *step, *params;
    } steps[] = {
        {"pdf.optimize", "{\"dpi\":72}"}, {"pdf.split", "{\"every\":50}"}, {"pdf.metadata", "{}"}};
    int seen = 0;
    for (size_t i = 0; i < COUNT_OF(folders); i++) {
        char folder[512];
        corpus_folder(folder, sizeof folder, folders[i]);
        DIR *d = opendir(folder);
        for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
            if (!str_ends(str_from_c(e->d_name), STR(".pdf")))
                continue;
            ArenaMark mark = arena_mark(arena);
            const char *path = str_to_c(arena, str_printf(arena, "%s/%s", folder, e->d_name));
            for (size_t k = 0; k < COUNT_OF(steps); k++)
                if (!desk_run(arena, "pdf", steps[k].step, steps[k].params, path, dir).ended_well)
                    fail_msg("%s of %s: no result and no reason", steps[k].step, e->d_name);
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
    const struct CMUnitTest tests[] = {TEST_ENTRY(every_step),
                                       TEST_ENTRY(corpus_gives_results_or_reasons)};
    return cmocka_run_group_tests(tests, begin, end);
}
