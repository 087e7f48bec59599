#include "archive/create.c"
#include "archive/names.h"
#include "archive_maker.h"
#include "step_runner.h"

#include <locale.h>
#include <stdlib.h>

extern const Step step_archive_extract;
static Arena *arena;

typedef struct Packed {
    const char *name;
    Str bytes;
} Packed;

/* A host with scratch files, as 7z needs them. */
static ErrCode scratch(void *ctx, int *out_fd, Err *err)
{
    (void)ctx;
    *out_fd = fault_hit("test.scratch") ? -1 : memfd_create("scratch", MFD_CLOEXEC);
    return *out_fd >= 0 ? OK : err_set(err, ERR_DISK_FULL, "no place for a scratch file");
}

static StepRun pack_failing(const char *params, const Packed *files, size_t len, int nth)
{
    static const StepHost host = {
        .output = step_run_output, .usage = step_run_usage, .scratch = scratch};
    StepRun r = {.arena = arena_open(512 * MIB)};
    Arena *work = arena_open(512 * MIB);
    StepInput in[16];
    Str data = {0};
    int before = step_run_count_fds();
    for (size_t i = 0; i < len; i++) {
        int fd = memfd_create("input", MFD_CLOEXEC);
        assert_true(write(fd, files[i].bytes.ptr, files[i].bytes.len) ==
                    (ssize_t)files[i].bytes.len);
        in[i] = (StepInput){
            .name = str_from_c(files[i].name), .fd = fd, .size_bytes = (int64_t)files[i].bytes.len};
    }
    StepCtx c = {.arena = work,
                 .err = &r.err,
                 .inputs = in,
                 .inputs_len = len,
                 .input_fd = len > 0 ? in[0].fd : -1,
                 .host = &host,
                 .host_ctx = &r};
    Str canonical = step_run_params(&step_archive_create, params, work);
    if (nth > 0)
        step_runner_arm(nth);
    r.code = step_run(&step_archive_create, &c, canonical, &data);
    r.failed_on_purpose = nth > 0 && step_runner_disarm();
    for (size_t i = 0; i < len; i++)
        close(in[i].fd);
    r.leaked_fds = step_run_count_fds() - before - (int)r.outputs_len;
    for (size_t i = 0; i < r.outputs_len; i++) {
        Err err = {0};
        assert_ok(fd_read_file(r.outputs[i].fd, r.arena, 256 * MIB, &r.outputs[i].bytes, &err),
                  &err);
        close(r.outputs[i].fd);
    }
    if (r.code == OK) {
        Err err = {0};
        assert_ok(json_parse(r.arena, str_copy(r.arena, data), &r.data, &err), &err);
    } else {
        step_runner_assert_explained(&step_archive_create, &r);
    }
    arena_close(&work);
    return r;
}

static StepRun pack(const char *params, const Packed *files, size_t len)
{
    return pack_failing(params, files, len, 0);
}

static const Packed three[] = {
    {"a.txt", {"first", 5}}, {"b/ö.txt", {"second", 6}}, {"A.TXT", {"third", 5}}};

static const char *const all_formats[] = {"zip", "tar", "tar.gz", "tar.xz", "tar.zst", "7z"};

TEST(what_goes_in_comes_out)
{
    for (size_t f = 0; f < COUNT_OF(all_formats); f++) {
        char params[200];
        snprintf(params, sizeof params, "{\"format\":\"%s\",\"folders\":[\"empty/one\"]}",
                 all_formats[f]);
        StepRun made = pack(params, three, COUNT_OF(three));
        assert_int_equal(made.code, OK);
        assert_int_equal(json_int(json_get(made.data, "renamed"), 0), 1);
        assert_int_equal(json_int(json_get(made.data, "bytes"), 0),
                         (int64_t)made.outputs[0].bytes.len);
        StepRun out = step_runner_do(&step_archive_extract, "{}", "x", made.outputs[0].bytes);
        if (out.code != OK)
            fail_msg("%s: %s", all_formats[f], out.err.text);
        assert_int_equal(out.outputs_len, 3);
        assert_int_equal(json_int(json_get(out.data, "folders"), 0), 1);
        assert_str_equal(out.outputs[0].name, "a.txt");
        assert_str_equal(out.outputs[0].bytes, "first");
        assert_str_equal(out.outputs[1].name, "b/ö.txt");
        assert_str_equal(out.outputs[1].bytes, "second");
        assert_str_equal(out.outputs[2].name, "A (2).TXT");
        assert_str_equal(out.outputs[2].bytes, "third");
        step_runner_free(&out);
        step_runner_free(&made);
    }
}

TEST(the_same_files_give_the_same_bytes)
{
    for (size_t f = 0; f < COUNT_OF(all_formats); f++) {
        char params[200];
        snprintf(params, sizeof params, "{\"format\":\"%s\"}", all_formats[f]);
        StepRun one = pack(params, three, 3), two = pack(params, three, 3);
        if (!str_eq(one.outputs[0].bytes, two.outputs[0].bytes))
            fail_msg("%s differs", all_formats[f]);
        step_runner_free(&one);
        step_runner_free(&two);
    }
}

TEST(levels_and_large_files)
{
    Buf b = buf_init(arena, 8 * MIB);
    for (int i = 0; i < 60000; i++)
        buf_addf(&b, "line %d of a log that repeats itself\n", i % 700);
    const Packed log = {"log.txt", buf_str(&b)};
    for (size_t f = 0; f < COUNT_OF(all_formats); f++) {
        size_t before = SIZE_MAX;
        for (int level = 0; level <= 9; level += 9) {
            char params[200];
            snprintf(params, sizeof params, "{\"format\":\"%s\",\"level\":%d}", all_formats[f],
                     level);
            StepRun r = pack(params, &log, 1);
            assert_int_equal(r.code, OK);
            StepRun out = step_runner_do(&step_archive_extract, "{}", "x", r.outputs[0].bytes);
            assert_int_equal(out.code, OK);
            assert_true(str_eq(out.outputs[0].bytes, log.bytes));
            assert_true(r.outputs[0].bytes.len < before || f == FORMAT_TAR);
            before = r.outputs[0].bytes.len;
            step_runner_free(&out);
            step_runner_free(&r);
        }
    }
}

TEST(passwords)
{
    StepRun r = pack("{\"password\":\"sésame\"}", three, 1);
    assert_int_equal(r.code, OK);
    StepRun again = pack("{\"password\":\"sésame\"}", three, 1);
    assert_false(str_eq(r.outputs[0].bytes, again.outputs[0].bytes)); /* a salt comes only once */
    StepRun out =
        step_runner_do(&step_archive_extract, "{\"password\":\"sésame\"}", "x", r.outputs[0].bytes);
    assert_int_equal(out.code, OK);
    assert_str_equal(out.outputs[0].bytes, "first");
    step_runner_free(&out);
    out =
        step_runner_do(&step_archive_extract, "{\"password\":\"wrong\"}", "x", r.outputs[0].bytes);
    assert_int_equal(out.code, ERR_INPUT_ENCRYPTED);
    step_runner_free(&out);
    step_runner_free(&r);
    step_runner_free(&again);
    r = pack("{\"password\":\"x\",\"format\":\"7z\"}", three, 1);
    assert_int_equal(r.code, ERR_BAD_PARAM);
    step_runner_free(&r);
}

TEST(names_are_safe)
{
    static const struct {
        const char *params;
        ErrCode want;
    } cases[] = {
        {"{\"names\":[\"../x\"]}", ERR_PATH_ESCAPE},
        {"{\"names\":[\"/x\"]}", ERR_PATH_ESCAPE},
        {"{\"names\":[\"c:\\\\x\"]}", ERR_PATH_ESCAPE},
        {"{\"folders\":[\"a/../..\"]}", ERR_PATH_ESCAPE},
        {"{\"names\":[\"a\",\"b\"]}", ERR_BAD_PARAM},
        {"{\"modified\":\"1979-12-31T00:00:00Z\"}", ERR_BAD_PARAM},
        {"{\"modified\":\"2026-02-30T00:00:00Z\"}", ERR_BAD_PARAM},
        {"{\"modified\":\"yesterday\"}", ERR_BAD_PARAM},
        {"{\"names\":[\"a/./b//c\"]}", OK},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        StepRun r = pack(cases[i].params, three, 1);
        if (r.code != cases[i].want)
            fail_msg("%s: %s", cases[i].params, err_reason(r.code));
        step_runner_free(&r);
    }
}

TEST(times_are_the_same_for_all)
{
    time_t t = 0;
    assert_true(parse_time(STR("2026-05-17T18:42:10Z"), &t));
    assert_int_equal(t, 1779043330);
    assert_true(parse_time(STR("2024-02-29T00:00:00Z"), &t));
    assert_false(parse_time(STR("2026-05-17 18:42:10Z"), &t));
    assert_false(parse_time(STR("2108-01-01T00:00:00Z"), &t));
}

TEST(nothing_in_it)
{
    for (size_t f = 0; f < COUNT_OF(all_formats); f++) {
        char params[200];
        snprintf(params, sizeof params, "{\"format\":\"%s\",\"folders\":[\"inbox\"]}",
                 all_formats[f]);
        StepRun r = pack(params, NULL, 0);
        assert_int_equal(r.code, OK);
        assert_int_equal(json_int(json_get(r.data, "files"), -1), 0);
        step_runner_free(&r);
    }
}

TEST(survives_every_failure)
{
#ifndef PLATEN_FAULTS
    skip();
#endif
    for (size_t f = 0; f < COUNT_OF(all_formats); f += 5)
        for (int nth = 1;; nth++) {
            char params[100];
            snprintf(params, sizeof params, "{\"format\":\"%s\"}", all_formats[f]);
            StepRun r = pack_failing(params, three, 3, nth);
            bool more = r.failed_on_purpose;
            assert_int_equal(r.leaked_fds, 0);
            if (!more)
                assert_int_equal(r.code, OK);
            step_runner_free(&r);
            if (!more)
                break;
        }
}

static int begin_names(void **state)
{
    Err err = {0};
    (void)state;
    setlocale(LC_ALL, "C.UTF-8");
    setenv("TZ", "UTC", 1);
    tzset();
    return names_warm(&err) != OK;
}

static int open_arena(void **state)
{
    (void)state;
    arena = arena_open(256 * MIB);
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
        ENTRY(what_goes_in_comes_out), ENTRY(the_same_files_give_the_same_bytes),
        ENTRY(levels_and_large_files), ENTRY(passwords),
        ENTRY(names_are_safe),         ENTRY(times_are_the_same_for_all),
        ENTRY(nothing_in_it),          ENTRY(survives_every_failure),
    };
    return cmocka_run_group_tests(tests, begin_names, NULL);
}
