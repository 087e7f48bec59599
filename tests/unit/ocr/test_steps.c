/* The steps themselves on the samples: in this process with everything failing once, and through
 * the closed sandbox with hostile files. */
#include "desk.h"
#include "ocr/tess.h"
#include "step_runner.h"

#include "ocr/ocr.h"

static Arena *arena;
static char dir[] = "/tmp/platen-ocr-XXXXXX";

static const char *sample(const char *name)
{
    return str_to_c(arena, str_printf(arena, "%s/samples/%s", getenv("PLATEN_ROOT"), name));
}

static Str bytes_of(const char *name)
{
    Str bytes = {0};
    Err err = {0};
    assert_ok(fd_read_path(sample(name), arena, 8 * MIB, &bytes, &err), &err);
    return bytes;
}

TEST(reads_a_receipt_row_by_row)
{
    StepRun r = step_runner_do(&step_ocr_image, "{\"format\":[\"text\",\"json\",\"tsv\",\"hocr\"]}",
                               "receipt.png", bytes_of("receipt.png"));
    assert_int_equal(r.code, OK);
    assert_int_equal(r.outputs_len, 4);
    assert_true(str_find(r.outputs[0].bytes, STR("1 Apple cake 4.20\n")) != STR_NONE);
    assert_str_equal(r.outputs[1].name, "ocr.json");
    step_runner_free(&r);
}

TEST(says_what_it_cannot_read)
{
    static const struct {
        const char *why, *params;
        Str bytes;
        ErrCode code;
    } cases[] = {
        {"no bytes", "{}", {"", 0}, ERR_INPUT_EMPTY},
        {"text", "{}", {"hello, world", 12}, ERR_UNSUPPORTED_TYPE},
        {"a PDF", "{}", {"%PDF-1.4 ", 9}, ERR_UNSUPPORTED_TYPE},
        {"a cut PNG", "{}", {"\x89PNG\r\n\x1a\n\0\0", 10}, ERR_INPUT_DAMAGED},
        {"white paper", "{}", {"P5\n2 2\n255\n\xff\xff\xff\xff", 15}, ERR_NO_TEXT},
        {"a giant", "{}", {"BM0123456789abcdef\x40\x0d\x03\0\x40\x0d\x03\0", 26}, ERR_LIMIT_PIXELS},
        {"no such language", "{\"languages\":[\"Klingon\"]}", {"P1\n1 1\n0\n", 9}, ERR_BAD_PARAM},
        {"no such form", "{\"format\":[\"docx\"]}", {"P1\n1 1\n0\n", 9}, ERR_BAD_PARAM},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        StepRun r = step_runner_do(&step_ocr_image, cases[i].params, "x", cases[i].bytes);
        if (r.code != cases[i].code)
            fail_msg("%s: %s %s", cases[i].why, err_reason(r.code), r.err.text);
        step_runner_assert_explained(&step_ocr_image, &r);
        step_runner_free(&r);
    }
}

TEST(every_failure_is_explained)
{
    step_runner_every_failure(&step_ocr_document, "{\"format\":[\"text\",\"pdf\"]}", "receipt.png",
                              bytes_of("receipt.png"));
}

TEST(a_pdf_through_the_closed_sandbox)
{
    DeskRun r = desk_run(arena, "ocr", "ocr.document", "{\"format\":[\"pdf\",\"json\"]}",
                         sample("scan.pdf"), dir);
    assert_true(r.ended_well && r.result != NULL);
    assert_int_equal(json_int(json_get(r.result, "pages_read"), 0), 1);
    assert_int_equal(json_int(json_get(r.result, "pages_with_text"), 0), 1);
    char made[64];
    snprintf(made, sizeof made, "%s/scan.searchable.pdf", dir);
    /* What was made has text on every page: nothing is left to do. */
    r = desk_run(arena, "ocr", "ocr.document", "{\"format\":[\"text\"]}", made, dir);
    assert_true(r.result != NULL);
    assert_int_equal(json_int(json_get(r.result, "pages_with_text"), 0), 2);
}

/* A dozen that differ: each is a process of its own. */
static bool of_interest(const char *name)
{
    static const char *const parts[] = {".png", ".gif", ".jpg", "fuzzed", "scan-bad", "qpdf--bad"};
    for (size_t i = 0; i < COUNT_OF(parts); i++)
        if (strstr(name, parts[i]) != NULL)
            return true;
    return false;
}

TEST(hostile_files_end_with_a_reason)
{
    char folder[512];
    const char *corpus = getenv("PLATEN_CORPUS");
    if (corpus != NULL)
        snprintf(folder, sizeof folder, "%s/malformed", corpus);
    else
        snprintf(folder, sizeof folder, "%s/../shared/corpus/malformed", getenv("PLATEN_ROOT"));
    DIR *d = opendir(folder);
    if (d == NULL)
        skip();
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        if (!of_interest(e->d_name))
            continue;
        const char *path = str_to_c(arena, str_printf(arena, "%s/%s", folder, e->d_name));
        DeskRun r = desk_run(arena, "ocr", "ocr.document", "{\"pages\":\"1\",\"format\":[\"pdf\"]}",
                             path, dir);
        if (!r.ended_well)
            fail_msg("%s: no result and no reason", e->d_name);
    }
    closedir(d);
}

static int begin(void **state)
{
    (void)state;
    arena = arena_open(512 * MIB);
    Err err = {0};
    return arena == NULL || mkdtemp(dir) == NULL || tess_warm(&err) != OK;
}

static int end(void **state)
{
    (void)state;
    desk_remove(dir);
    arena_close(&arena);
    return 0;
}

int main(int argc, char **argv)
{
    (void)argc;
    tess_alone(argv);
    const struct CMUnitTest tests[] = {
        TEST_ENTRY(reads_a_receipt_row_by_row), TEST_ENTRY(says_what_it_cannot_read),
        TEST_ENTRY(every_failure_is_explained), TEST_ENTRY(a_pdf_through_the_closed_sandbox),
        TEST_ENTRY(hostile_files_end_with_a_reason)};
    return cmocka_run_group_tests(tests, begin, end);
}
