/* Plain engines: a program per task, which may be written by anybody. */
#include "engine/fixture.h"

static const StepLimits small = {
    .time_ms = 20000, .cpu_ms = 1000, .memory_bytes = 128 << 20, .output_bytes = 100 * 1000};

typedef struct RudeCase {
    const char *step;
    ErrCode want;
    const char *data;
    const char *hint; /* must begin the advice */
    bool needs_landlock;
    int64_t time_ms;
} RudeCase;

static const RudeCase rude_cases[] = {
    {"raise_error", ERR_ENGINE_CRASHED, .hint = "it said: ValueError: the moon is wrong"},
    {"leave", ERR_ENGINE_CRASHED},
    {"die", ERR_ENGINE_CRASHED},
    {"network", OK, "{\"refused\":true,\"errno\":13}"},
    {"write_file", OK, "{\"refused\":true,\"errno\":13}", .needs_landlock = true},
    {"read_program", OK, "{\"refused\":false}"},
    {"read_data", OK, "{\"refused\":true,\"errno\":13}", .needs_landlock = true},
    {"new_namespace", ERR_ENGINE_FORBIDDEN},
    {"trace", ERR_ENGINE_FORBIDDEN},
    {"kill_parent", OK, "{\"refused\":true,\"errno\":13}"},
    {"signal_parent", OK, "{\"refused\":true,\"errno\":13}"},
    {"leave_group", OK, "{\"refused\":true,\"errno\":13}"},
    {"hang_up", ERR_ENGINE_PROTOCOL},
    {"sleep_long", ERR_LIMIT_TIME, .time_ms = 500},
    {"spin", ERR_LIMIT_CPU},
    {"big_output", ERR_LIMIT_OUTPUT},
    {"says_task", ERR_ENGINE_PROTOCOL},
};

static ErrCode run_rude(Fixture *f, const char *name, int64_t time_ms, EngineResult *result,
                        Err *err)
{
    char full[64];
    snprintf(full, sizeof full, "rude.%s", name);
    EngineTask t = {
        .step = registry_find(f->registry, str_from_c(full)), .params = STR("{}"), .limits = small};
    if (t.step == NULL)
        fail_msg("there is no step %s: %s", full, info_of_engine(f, "rude").problem);
    if (time_ms != 0)
        t.limits.time_ms = time_ms;
    return engine_run(f->pool, &t, f->arena, result, err);
}

TEST(every_misdeed_of_a_program_has_its_reason)
{
    Fixture f;
    fixture_open(&f);
    int files = open_files();
    for (size_t i = 0; i < COUNT_OF(rude_cases); i++) {
        const RudeCase *c = &rude_cases[i];
        Err err = {0};
        EngineResult result;
        if (c->needs_landlock && sandbox_layers().landlock_abi == 0)
            continue;
        ErrCode rc = run_rude(&f, c->step, c->time_ms, &result, &err);
        if (rc != c->want)
            fail_msg("%s: got %s (%s; %s), want %s", c->step, err_reason(rc), err.text, err.hint,
                     err_reason(c->want));
        if (rc == OK)
            assert_str_equal(result.data, c->data);
        if (c->hint != NULL)
            assert_string_equal(err.hint, c->hint);
    }
    assert_int_equal(open_files(), files);
    assert_int_equal(children_of(getpid()), 0);
    fixture_close(&f);
}

TEST(a_program_sees_no_secret_and_no_descriptor_of_the_server)
{
    Fixture f;
    Err err = {0};
    EngineResult result;
    setenv("PLATEN_SECRET", "hush", 1);
    fixture_open(&f);
    CLEANUP(fd_close)
    int leaky = open("/dev/null", O_RDONLY); /* without O_CLOEXEC: somebody's slip */
    assert_ok(run_rude(&f, "fine", 0, &result, &err), &err);
    char want[80];
    snprintf(want, sizeof want, "{\"uid\":%d,\"files\":4,\"secret\":false}",
             geteuid() == 0 ? 65534 : (int)geteuid());
    assert_str_equal(result.data, want);
    fixture_close(&f);
}

TEST(a_python_program_out_of_memory_fails_alone)
{
    if (!sandbox_layers().memory_limit)
        skip();
    Fixture f;
    Err err = {0};
    EngineResult result;
    fixture_open(&f);
    assert_int_equal(run_rude(&f, "eat", 0, &result, &err), ERR_LIMIT_MEMORY);
    assert_ok(run_rude(&f, "fine", 0, &result, &err), &err);
    fixture_close(&f);
}

static void fail_on_bad_blob(void *ctx, Str hash, const char *why)
{
    (void)ctx;
    fail_msg("blob " STR_FMT ": %s", STR_ARG(hash), why);
}

/* It dies with its group, and what is kept is a copy nobody else holds. */
TEST(a_process_left_behind_cannot_change_a_blob)
{
    Fixture f;
    Err err = {0};
    EngineResult result;
    fixture_open(&f);
    assert_ok(run_rude(&f, "daemon_writes", 0, &result, &err), &err);
    assert_int_equal(result.outputs_len, 1);
    int64_t seen = 0;
    for (int i = 0; i < 20; i++)
        assert_ok(blob_verify(f.blobs, fail_on_bad_blob, NULL, &seen, &err), &err);
    assert_int_equal(seen, 1);
    fixture_close(&f);
}

TEST_MAIN(every_misdeed_of_a_program_has_its_reason,
          a_program_sees_no_secret_and_no_descriptor_of_the_server,
          a_python_program_out_of_memory_fails_alone, a_process_left_behind_cannot_change_a_blob)
