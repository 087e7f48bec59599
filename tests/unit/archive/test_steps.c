#include "archive/names.h"
#include "archive_maker.h"
#include "step_runner.h"

#include <locale.h>
#include <sys/resource.h>
#include <time.h>

extern const Step step_archive_list, step_archive_extract;

static const Made three[] = {
    {.name = "readme.txt", .content = {"hello\n", 6}},
    {.name = "letters/march.md", .content = {"# March\n", 8}},
    {.name = "letters/april.md", .content = {"# April\n", 8}},
};

static Arena *arena;

static const StepRunOutput *find_output(const StepRun *r, const char *name)
{
    for (size_t i = 0; i < r->outputs_len; i++)
        if (str_eq_c(r->outputs[i].name, name))
            return &r->outputs[i];
    return NULL;
}

static int64_t number(const StepRun *r, const char *key)
{
    return json_int(json_get(r->data, key), -1);
}

static void assert_code(const StepRun *r, ErrCode want, const char *why)
{
    if (r->code != want)
        fail_msg("%s: got %s (%s), want %s", why, err_reason(r->code), r->err.text,
                 err_reason(want));
}

TEST(every_format)
{
    static const struct {
        const char *format, *filter, *want, *compression;
    } cases[] = {
        {"zip", "none", "zip", NULL},
        {"ustar", "none", "tar", NULL},
        {"pax", "gzip", "tar", "gzip"},
        {"gnutar", "bzip2", "tar", "bzip2"},
        {"pax", "xz", "tar", "xz"},
        {"pax", "zstd", "tar", "zstd"},
        {"pax", "lz4", "tar", "lz4"},
        {"ustar", "lzma", "tar", "lzma"},
        {"ustar", "compress", "tar", "compress (.Z)"},
        {"7zip", "none", "7z", NULL},
        {"cpio", "none", "cpio", NULL},
        {"newc", "gzip", "cpio", "gzip"},
        {"iso9660", "none", "iso", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Str bytes =
            make_archive(arena, cases[i].format, cases[i].filter, NULL, three, COUNT_OF(three));
        StepRun list = step_runner_do(&step_archive_list, NULL, "a.bin", bytes);
        StepRun out = step_runner_do(&step_archive_extract, NULL, "a.bin", bytes);
        assert_code(&list, OK, cases[i].format);
        assert_code(&out, OK, cases[i].format);
        assert_str_equal(json_text(json_get(list.data, "format")), cases[i].want);
        assert_str_equal(json_text(json_get(list.data, "compression")),
                         cases[i].compression != NULL ? cases[i].compression : "");
        assert_int_equal(number(&list, "files"), 3);
        assert_int_equal(number(&list, "bytes"), 22);
        assert_int_equal(list.outputs_len, 0);
        assert_int_equal(out.outputs_len, 3);
        assert_int_equal(list.leaked_fds + out.leaked_fds, 0);
        const StepRunOutput *march = find_output(&out, "letters/march.md");
        if (march == NULL)
            fail_msg("%s: no letters/march.md", cases[i].format);
        assert_str_equal(march->bytes, "# March\n");
        assert_str_equal(march->type, "text/markdown");
        step_runner_free(&list);
        step_runner_free(&out);
    }
}

TEST(one_compressed_file)
{
    static const char *const filters[] = {"gzip", "bzip2", "xz", "zstd", "lz4", "lzma"};
    static const Made one[] = {{.name = "ignored", .content = {"alone\n", 6}}};
    for (size_t i = 0; i < COUNT_OF(filters); i++) {
        Str bytes = make_archive(arena, "raw", filters[i], NULL, one, 1);
        StepRun r = step_runner_do(&step_archive_extract, NULL, "notes.txt.gz", bytes);
        assert_code(&r, OK, filters[i]);
        assert_str_equal(json_text(json_get(r.data, "format")), filters[i]);
        assert_int_equal(r.outputs_len, 1);
        assert_str_equal(r.outputs[0].name, "notes.txt");
        assert_str_equal(r.outputs[0].bytes, "alone\n");
        step_runner_free(&r);
    }
}

TEST(what_is_refused)
{
    static const Made up[] = {{.name = "../up.txt", .content = {"x", 1}}},
                      root[] = {{.name = "/etc/x", .content = {"x", 1}}},
                      drive[] = {{.name = "C:\\x.txt", .content = {"x", 1}}},
                      device[] = {{.name = "a/con.txt", .content = {"x", 1}}},
                      control[] = {{.name = "a\x1b[2J", .content = {"x", 1}}},
                      link[] = {{.name = "a/link", .link = "../../etc/passwd"}},
                      fine_link[] = {{.name = "a/link", .link = "../b"}},
                      method[] = {{.name = "a", .content = {"abc", 3}, .method = 6}};
    static const struct {
        const char *why;
        const Made *files;
        ErrCode want;
    } cases[] = {
        {"parent", up, ERR_PATH_ESCAPE},
        {"root", root, ERR_PATH_ESCAPE},
        {"drive", drive, ERR_PATH_ESCAPE},
        {"device", device, ERR_PATH_ESCAPE},
        {"control bytes", control, ERR_PATH_ESCAPE},
        {"link out", link, ERR_PATH_ESCAPE},
        {"link within", fine_link, OK},
        {"imploded", method, ERR_UNSUPPORTED_TYPE},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        StepRun r = step_runner_do(&step_archive_extract, NULL, "a.zip",
                                   make_zip(arena, cases[i].files, 1));
        assert_code(&r, cases[i].want, cases[i].why);
        if (r.code != OK)
            step_runner_assert_explained(&step_archive_extract, &r);
        assert_int_equal(r.outputs_len, 0 + (r.code == ERR_UNSUPPORTED_TYPE ? r.outputs_len : 0));
        step_runner_free(&r);
    }
    StepRun r = step_runner_do(&step_archive_extract, "{\"unsafe_paths\":\"skip\"}", "a.zip",
                               make_zip(arena, up, 1));
    assert_code(&r, OK, "skipped");
    assert_int_equal(number(&r, "skipped"), 1);
    step_runner_free(&r);
}

TEST(hard_links_in_tar)
{
    static const Made out[] = {{.name = "a", .content = {"x", 1}},
                               {.name = "b", .link = "../a", .hard = true}},
                      in[] = {{.name = "a", .content = {"x", 1}},
                              {.name = "b", .link = "a", .hard = true}};
    StepRun bad = step_runner_do(&step_archive_list, NULL, "a.tar",
                                 make_archive(arena, "ustar", "none", NULL, out, 2));
    StepRun good = step_runner_do(&step_archive_list, NULL, "a.tar",
                                  make_archive(arena, "ustar", "none", NULL, in, 2));
    assert_code(&bad, ERR_PATH_ESCAPE, "leads out");
    assert_code(&good, OK, "stays in");
    assert_int_equal(number(&good, "links"), 1);
    step_runner_free(&bad);
    step_runner_free(&good);
}

/* Bombs are refused fast and without memory for what they claim to hold. */
TEST(bombs)
{
    Str flat = filled(arena, 60 * MIB);
    const Made honest[] = {{.name = "zeros", .content = flat, .method = 8}};
    const Made liar[] = {{.name = "zeros", .content = flat, .method = 8, .claims = 10}};
    const Made giant[] = {{.name = "a", .content = {"abc", 3}, .method = 8, .claims = 0xfffffff0}};
    Str inner = make_zip(arena, honest, 1);
    const Made nested[] = {{.name = "inner.zip", .content = inner}};
    const struct {
        const char *why, *params, *name;
        Str bytes;
    } cases[] = {
        {"says its size", NULL, "a.zip", inner},
        {"lies about its size", NULL, "a.zip", make_zip(arena, liar, 1)},
        {"announces four gigabytes", NULL, "a.zip", make_zip(arena, giant, 1)},
        {"inside another", NULL, "a.zip", make_zip(arena, nested, 1)},
        {"opened inside another", "{\"nested\":\"open\"}", "a.zip", make_zip(arena, nested, 1)},
        {"a tar", NULL, "a.tar.gz", make_archive(arena, "ustar", "gzip", NULL, honest, 1)},
        {"one file", NULL, "a.gz", make_archive(arena, "raw", "gzip", NULL, honest, 1)},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        clock_t before = clock();
        StepRun r =
            step_runner_do(&step_archive_extract, cases[i].params, cases[i].name, cases[i].bytes);
        double seconds = (double)(clock() - before) / CLOCKS_PER_SEC;
        /* libarchive itself notices some lies first: the length is wrong */
        if (r.code != ERR_LIMIT_RATIO && !(r.code == ERR_INPUT_DAMAGED && i == 1))
            fail_msg("%s: %s (%s), %zu bytes", cases[i].why, err_reason(r.code), r.err.text,
                     cases[i].bytes.len);
        if (seconds > 2)
            fail_msg("%s took %.1f s", cases[i].why, seconds);
        step_runner_free(&r);
    }
    StepRun kept = step_runner_do(&step_archive_extract, "{\"nested\":\"keep\"}", "a.zip",
                                  make_zip(arena, nested, 1));
    assert_code(&kept, OK, "not looked into");
    step_runner_free(&kept);
}

static Str nest(int levels)
{
    Str bytes = make_zip(arena, three, COUNT_OF(three));
    for (int i = 1; i < levels; i++) {
        const Made one[] = {{.name = "inner.zip", .content = bytes}};
        bytes = make_zip(arena, one, 1);
    }
    return bytes;
}

TEST(archives_inside_archives)
{
    static const struct {
        int levels;
        const char *params;
        ErrCode want;
        int64_t files, archives;
    } cases[] = {
        {2, "{}", OK, 1, 0},
        {2, "{\"nested\":\"open\"}", OK, 3, 1},
        {5, "{\"nested\":\"open\"}", OK, 3, 4},
        {6, "{\"nested\":\"open\"}", ERR_LIMIT_DEPTH, 0, 0},
        {6, "{}", ERR_LIMIT_DEPTH, 0, 0},
        {6, "{\"nested\":\"keep\"}", OK, 1, 0},
        {3, "{\"depth\":2}", ERR_LIMIT_DEPTH, 0, 0},
        {3, "{\"nested\":\"open\",\"match\":[\"*.md\"]}", OK, 2, 2},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        StepRun r =
            step_runner_do(&step_archive_extract, cases[i].params, "a.zip", nest(cases[i].levels));
        assert_code(&r, cases[i].want, cases[i].params);
        if (r.code == OK) {
            assert_int_equal(number(&r, "files"), cases[i].files);
            assert_int_equal(number(&r, "archives"), cases[i].archives);
            assert_int_equal(r.outputs_len, cases[i].files);
        }
        step_runner_free(&r);
    }
    StepRun r = step_runner_do(&step_archive_extract, "{\"nested\":\"open\"}", "a.zip", nest(2));
    assert_non_null(find_output(&r, "inner.zip/letters/march.md"));
    step_runner_free(&r);
}

TEST(what_only_looks_like_an_archive)
{
    const Made files[] = {{.name = "broken.zip", .content = STR("PK\3\4 and nothing more")},
                          {.name = "report.docx", .content = nest(1)}};
    static const char *const params[] = {"{}", "{\"nested\":\"open\"}"};
    for (size_t i = 0; i < COUNT_OF(params); i++) {
        StepRun r =
            step_runner_do(&step_archive_extract, params[i], "a.zip", make_zip(arena, files, 2));
        assert_code(&r, OK, params[i]);
        assert_int_equal(r.outputs_len, 2);
        assert_str_equal(r.outputs[0].bytes, "PK\3\4 and nothing more");
        assert_int_equal(r.outputs[1].bytes.len, files[1].content.len);
        step_runner_free(&r);
    }
}

TEST(limits_as_asked)
{
    static const struct {
        const char *params;
        ErrCode want;
    } cases[] = {
        {"{\"max_entries\":3}", OK},
        {"{\"max_entries\":2}", ERR_LIMIT_COUNT},
        {"{\"max_bytes\":22}", OK},
        {"{\"max_bytes\":21}", ERR_LIMIT_OUTPUT},
        {"{\"max_bytes\":8,\"match\":[\"march*\"]}", OK},
    };
    Str zip = make_zip(arena, three, COUNT_OF(three)),
        tar = make_archive(arena, "ustar", "gzip", NULL, three, COUNT_OF(three));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        StepRun a = step_runner_do(&step_archive_extract, cases[i].params, "a.zip", zip);
        StepRun b = step_runner_do(&step_archive_extract, cases[i].params, "a.tgz", tar);
        assert_code(&a, cases[i].want, cases[i].params);
        assert_code(&b, cases[i].want, cases[i].params);
        step_runner_free(&a);
        step_runner_free(&b);
    }
}

TEST(passwords)
{
    static const struct {
        const char *params;
        ErrCode want;
    } cases[] = {
        {"{}", ERR_INPUT_ENCRYPTED},
        {"{\"password\":\"wrong\"}", ERR_INPUT_ENCRYPTED},
        {"{\"password\":\"secret\"}", OK},
    };
    Str bytes = make_archive(arena, "zip", "none", "secret", three, COUNT_OF(three));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        StepRun r = step_runner_do(&step_archive_extract, cases[i].params, "a.zip", bytes);
        assert_code(&r, cases[i].want, cases[i].params);
        if (r.code == OK)
            assert_str_equal(find_output(&r, "readme.txt")->bytes, "hello\n");
        step_runner_free(&r);
    }
    StepRun r = step_runner_do(&step_archive_list, NULL, "a.zip", bytes);
    assert_code(&r, OK, "listing needs no password");
    assert_true(json_bool(json_get(r.data, "encrypted"), false));
    step_runner_free(&r);
}

TEST(names)
{
    static const Made files[] = {
        {.name = "\x94l und \x8apfel.txt", .content = {"1", 1}}, /* CP437: öl und èpfel */
        {.name = "a.txt", .content = {"2", 1}},
        {.name = "A.TXT", .content = {"3", 1}},
        {.name = "x/a.txt", .content = {"4", 1}},
    };
    StepRun r = step_runner_do(&step_archive_extract, "{\"flatten\":true}", "a.zip",
                               make_zip(arena, files, COUNT_OF(files)));
    assert_code(&r, OK, "names");
    static const char *const want[] = {"öl und èpfel.txt", "a.txt", "A (2).TXT", "a (3).txt"};
    assert_int_equal(r.outputs_len, COUNT_OF(want));
    for (size_t i = 0; i < COUNT_OF(want); i++)
        assert_str_equal(r.outputs[i].name, want[i]);
    step_runner_free(&r);
    r = step_runner_do(&step_archive_extract, "{\"charset\":\"windows-1252\"}", "a.zip",
                       make_zip(arena, files, 1));
    assert_str_equal(r.outputs[0].name, "”l und Špfel.txt");
    step_runner_free(&r);
}

TEST(a_long_list_becomes_a_file)
{
    enum { MANY = 1000 };
    Made *files = arena_new(arena, Made, MANY);
    for (int i = 0; i < MANY; i++)
        files[i] = (Made){.name = str_printf(arena, "folder/file %d.txt%c", i, 0).ptr,
                          .content = STR("x")};
    StepRun r = step_runner_do(&step_archive_list, NULL, "a.zip", make_zip(arena, files, MANY));
    assert_code(&r, OK, "many");
    assert_int_equal(number(&r, "files"), MANY);
    assert_int_equal(json_get(r.data, "entries")->len, 100);
    assert_false(json_bool(json_get(r.data, "complete"), true));
    assert_int_equal(r.outputs_len, 1);
    assert_str_equal(r.outputs[0].name, "entries.json");
    const Json *all = NULL;
    Err err = {0};
    assert_ok(json_parse(r.arena, r.outputs[0].bytes, &all, &err), &err);
    assert_int_equal(all->len, MANY);
    step_runner_free(&r);
}

TEST(not_archives_and_damaged_ones)
{
    Str zip = make_zip(arena, three, COUNT_OF(three)),
        gz = make_archive(arena, "ustar", "gzip", NULL, three, COUNT_OF(three));
    char *flipped = str_to_c(arena, zip);
    memcpy(flipped, zip.ptr, zip.len);
    flipped[40] =
        (char)(flipped[40] ^ 1); /* content of the first file: its checksum is wrong now */
    const struct {
        const char *why;
        Str bytes;
        ErrCode want;
    } cases[] = {
        {"nothing", STR(""), ERR_INPUT_EMPTY},
        {"text", STR("only some text, and more of it"), ERR_UNSUPPORTED_TYPE},
        {"cut gzip", str_slice(gz, 0, gz.len - 20), ERR_INPUT_DAMAGED},
        {"cut zip", str_slice(zip, 0, 70), ERR_INPUT_DAMAGED},
        {"a flipped bit", (Str){flipped, zip.len}, ERR_INPUT_DAMAGED},
        {"empty zip", make_zip(arena, three, 0), OK},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        StepRun r = step_runner_do(&step_archive_extract, NULL, "a", cases[i].bytes);
        assert_code(&r, cases[i].want, cases[i].why);
        assert_int_equal(r.leaked_fds, 0);
        step_runner_free(&r);
    }
}

/* Cut at every length: a result or a reason, never a crash, and no descriptor is left open. */
TEST(cut_anywhere)
{
    static const struct {
        const char *format, *filter;
    } kinds[] = {{"zip", "none"}, {"7zip", "none"}, {"pax", "xz"}, {"newc", "none"}};
    for (size_t k = 0; k < COUNT_OF(kinds); k++) {
        Str bytes =
            make_archive(arena, kinds[k].format, kinds[k].filter, NULL, three, COUNT_OF(three));
        for (size_t len = 1; len < bytes.len; len += 1 + bytes.len / 200) {
            StepRun r = step_runner_do(&step_archive_extract, NULL, "a", str_slice(bytes, 0, len));
            if (r.code != OK)
                step_runner_assert_explained(&step_archive_extract, &r);
            assert_int_equal(r.leaked_fds, 0);
            step_runner_free(&r);
        }
    }
}

TEST(survives_every_failure)
{
    step_runner_every_failure(&step_archive_extract, "{\"nested\":\"open\"}", "a.zip", nest(3));
}

TEST(listing_survives_every_failure)
{
    step_runner_every_failure(&step_archive_list, NULL, "a.zip", nest(2));
}

static int begin(void **state)
{
    (void)state;
    Err err = {0};
    assert_non_null(setlocale(LC_ALL, "C.UTF-8"));
    assert_ok(names_warm(&err), &err);
    return 0;
}

static int open_arena(void **state)
{
    (void)state;
    arena = arena_open(1024 * MIB);
    return arena == NULL;
}

static int close_arena(void **state)
{
    (void)state;
    arena_close(&arena);
    return 0;
}

#define ENTRY(name) cmocka_unit_test_setup_teardown(name, open_arena, close_arena)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ENTRY(every_format),
        ENTRY(one_compressed_file),
        ENTRY(what_is_refused),
        ENTRY(hard_links_in_tar),
        ENTRY(bombs),
        ENTRY(archives_inside_archives),
        ENTRY(what_only_looks_like_an_archive),
        ENTRY(limits_as_asked),
        ENTRY(passwords),
        ENTRY(names),
        ENTRY(a_long_list_becomes_a_file),
        ENTRY(not_archives_and_damaged_ones),
        ENTRY(cut_anywhere),
        ENTRY(survives_every_failure),
        ENTRY(listing_survives_every_failure),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
