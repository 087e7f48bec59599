#include "engine/fixture.h"

#include <pthread.h>
#include <sys/resource.h>

static const StepLimits small = {
    .time_ms = 20000, .cpu_ms = 1000, .memory_bytes = 64 << 20, .output_bytes = 100 * 1000};

typedef struct BadCase {
    const char *step, *params;
    ErrCode want;
    const char *data; /* when it ends well */
    bool needs_memory_limit;
    int64_t time_ms; /* instead of that of `small` */
} BadCase;

/* Every way to misbehave, and exactly the reason it gives. */
static const BadCase bad_cases[] = {
    {"empty", "{}", OK, "{}"},
    {"fine", "{\"count\":0}", OK, "{\"bytes\":0}"},
    {"fail", "{}", ERR_INPUT_DAMAGED},
    {"no_memory", "{}", ERR_LIMIT_MEMORY},
    {"crash", "{}", ERR_ENGINE_CRASHED},
    {"abort_now", "{}", ERR_ENGINE_CRASHED},
    {"spin", "{}", ERR_LIMIT_CPU},
    {"sleep_long", "{}", ERR_LIMIT_TIME, .time_ms = 200},
    {"eat_and_abort", "{}", ERR_LIMIT_MEMORY, .needs_memory_limit = true},
    {"eat_and_crash", "{}", ERR_LIMIT_MEMORY, .needs_memory_limit = true},
    {"write_for_ever", "{}", ERR_LIMIT_OUTPUT},
    {"write_and_ignore", "{}", ERR_LIMIT_OUTPUT},
    {"fork_child", "{}", ERR_ENGINE_FORBIDDEN},
    {"exec_shell", "{}", ERR_ENGINE_FORBIDDEN},
    {"open_file", "{}", OK, "{\"errno\":13}"},
    {"stat_file", "{}", OK, "{\"errno\":13}"},
    {"connect_socket", "{}", OK, "{\"errno\":13}"},
    {"trace_parent", "{}", ERR_ENGINE_FORBIDDEN},
    {"kill_parent", "{}", ERR_ENGINE_FORBIDDEN},
    {"signal_parent", "{}", ERR_ENGINE_FORBIDDEN},
    {"raise_limit", "{}", OK, "{\"errno\":1}"},
    {"hang_up_for_all", "{}", ERR_ENGINE_FORBIDDEN},
    {"start_thread", "{}", OK, "{\"ran\":true}"},
    {"garbage", "{}", ERR_ENGINE_PROTOCOL},
    {"oversized", "{}", ERR_ENGINE_PROTOCOL},
    {"nothing", "{}", ERR_ENGINE_PROTOCOL},
    {"unasked_fd", "{}", ERR_ENGINE_PROTOCOL},
    {"flood", "{}", ERR_ENGINE_PROTOCOL},
    {"thousand", "{}", OK, "{\"sent\":1000}"},
    {"raw", "{\"text\":\"{\\\"task\\\":{\\\"pid\\\":1}}\"}", ERR_ENGINE_PROTOCOL},
    {"raw", "{\"text\":\"{\\\"exit\\\":{\\\"signal\\\":11}}\"}", ERR_ENGINE_CRASHED},
    {"raw", "{\"text\":\"{\\\"error\\\":{\\\"reason\\\":\\\"db_damaged\\\"}}\"}",
     ERR_ENGINE_PROTOCOL},
    {"raw", "{\"text\":\"{\\\"result\\\":{\\\"data\\\":7}}\"}", ERR_ENGINE_PROTOCOL},
    {"leave", "{}", ERR_ENGINE_CRASHED},
    {"hang_up", "{}", ERR_ENGINE_CRASHED},
    {"two_results", "{}", OK, "{\"n\":1}"},
    {"many_outputs", "{\"count\":10000}", ERR_LIMIT_COUNT},
    {"much_data", "{}", ERR_LIMIT_OUTPUT},
    {"call_on", "{\"text\":\"bad.fine\"}", OK, "{\"bytes\":6}"},
    {"call_on", "{\"text\":\"bad.fail\"}", ERR_INPUT_DAMAGED},
    {"call_on", "{\"text\":\"bad.crash\"}", ERR_ENGINE_CRASHED},
    {"call_on", "{\"text\":\"bad.call_on\"}", ERR_LIMIT_DEPTH},
    {"call_on", "{\"text\":\"bad.empty\"}", ERR_ENGINE_PROTOCOL},
    {"call_with_socket", "{}", ERR_ENGINE_PROTOCOL},
};

static void run_bad_case(Fixture *f, const BadCase *c)
{
    if (c->needs_memory_limit && !sandbox_layers().memory_limit)
        return;
    EngineTask t = bad_task(f, c->step, c->params);
    t.limits = small;
    if (c->time_ms != 0)
        t.limits.time_ms = c->time_ms;
    EngineResult result;
    Err err = {0};
    CLEANUP(arena_close) Arena *a = arena_open(8 * MIB);
    ErrCode rc = engine_run(f->pool, &t, a, &result, &err);
    if (rc != c->want)
        fail_msg("%s %s: got %s (%s), want %s", c->step, c->params, err_reason(rc), err.text,
                 err_reason(c->want));
    if (rc != OK && (err.code != rc || err.text[0] == 0))
        fail_msg("%s: no message", c->step);
    if (rc == OK)
        assert_str_equal(result.data, c->data);
}

static void *run_good_tasks(void *arg)
{
    Fixture *f = arg;
    intptr_t done = 0;
    for (int i = 0; i < 40; i++) {
        EngineTask t = bad_task(f, "empty", "{}");
        EngineResult result;
        Err err = {0};
        Arena *a = arena_open(MIB);
        done += engine_run(f->pool, &t, a, &result, &err) == OK;
        arena_close(&a);
    }
    return (void *)done;
}

static _Atomic int inside, inside_max;

static void hear_note_order(void *ctx, Str text)
{
    (void)ctx;
    if (str_eq(text, STR("end"))) {
        atomic_fetch_sub(&inside, 1);
        return;
    }
    int now = atomic_fetch_add(&inside, 1) + 1;
    if (now > atomic_load(&inside_max))
        atomic_store(&inside_max, now);
}

TEST(every_misdeed_has_its_reason_and_hurts_nobody_else)
{
    /* Thousands of outputs are open at once in one of the cases. */
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    Fixture f;
    fixture_open(&f);
    int files_before = open_files();
    pthread_t good[2];
    for (size_t i = 0; i < COUNT_OF(good); i++)
        assert_int_equal(pthread_create(&good[i], NULL, run_good_tasks, &f), 0);
    for (size_t i = 0; i < COUNT_OF(bad_cases); i++)
        run_bad_case(&f, &bad_cases[i]);
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        void *done;
        pthread_join(good[i], &done);
        assert_int_equal((intptr_t)done, 40);
    }
    EngineInfo info = info_of_engine(&f, "bad");
    assert_int_equal(info.restarts, 0);
    assert_no_children(info.pid);
    assert_int_equal(children_of(getpid()), 1);       /* the warm parent */
    assert_int_equal(open_files(), files_before + 2); /* its socket and pidfd */
    fixture_close(&f);
    assert_int_equal(children_of(getpid()), 0);
}

typedef struct Heard {
    int progress, notes;
    int64_t total;
    char note[64];
} Heard;

static void hear_progress(void *ctx, int64_t done, int64_t total, Str note)
{
    Heard *h = ctx;
    (void)done, (void)note;
    h->progress++;
    h->total = total;
}

static void hear_note(void *ctx, Str text)
{
    Heard *h = ctx;
    h->notes++;
    snprintf(h->note, sizeof h->note, STR_FMT, STR_ARG(text));
}

static void assert_blob(const Fixture *f, const EngineOutput *o, const char *want)
{
    Err err = {0};
    CLEANUP(fd_close) int fd = -1;
    int64_t size;
    Str text;
    assert_ok(blob_open(f->blobs, str_from_c(o->blob.hash), &fd, &size, &err), &err);
    assert_ok(fd_read_file(fd, f->arena, MIB, &text, &err), &err);
    assert_str_equal(text, want);
    assert_int_equal(size, (int64_t)strlen(want));
}

TEST(a_task_gives_outputs_usage_notes_and_progress)
{
    Fixture f;
    Err err = {0};
    Heard heard = {0};
    EngineResult result;
    fixture_open(&f);
    CLEANUP(fd_close) int fd = memory_file("hello");
    StepInput in = {
        .name = STR("a \"quoted\"\n.txt"), .type = STR("text/plain"), .fd = fd, .size_bytes = 5};
    EngineTask t = bad_task(&f, "fine", "{\"count\":2}");
    t.inputs = &in;
    t.inputs_len = 1;
    t.progress = hear_progress;
    t.note = hear_note;
    t.ctx = &heard;
    assert_ok(engine_run(f.pool, &t, f.arena, &result, &err), &err);
    assert_str_equal(result.data, "{\"bytes\":5}");
    assert_int_equal(result.outputs_len, 2);
    assert_str_equal(result.outputs[1].name, "copy.txt");
    assert_str_equal(result.outputs[1].type, "text/plain");
    assert_blob(&f, &result.outputs[0], "hello");
    assert_int_equal(result.usage_len, 1);
    assert_str_equal(result.usage[0].unit, "bytes");
    assert_int_equal(result.usage[0].amount, 5);
    assert_true(result.run_us > 0);
    assert_int_equal(heard.progress, 1); /* the second came within 100 ms */
    assert_int_equal(heard.total, 2);
    assert_int_equal(heard.notes, 1);
    assert_string_equal(heard.note, "copied");
    fixture_close(&f);
}

TEST(an_error_keeps_message_hint_and_parameter)
{
    Fixture f;
    Err err = {0};
    EngineResult result;
    fixture_open(&f);
    EngineTask t = bad_task(&f, "fail", "{}");
    assert_int_equal(engine_run(f.pool, &t, f.arena, &result, &err), ERR_INPUT_DAMAGED);
    assert_string_equal(err.text, "byte 7 is wrong");
    assert_string_equal(err.hint, "mend it");
    assert_string_equal(err.param, "text");
    fixture_close(&f);
}

TEST(names_of_outputs_lead_nowhere)
{
    static const struct {
        const char *params, *want;
    } cases[] = {
        {"{\"text\":\"../../x\"}", "x"},
        {"{\"text\":\"/etc/passwd\"}", "etc/passwd"},
        {"{\"text\":\"..\"}", "output"},
        {"{\"text\":\"\"}", "output"},
        {"{\"text\":\"a\\u0000b\\nc\"}", "a b c"},
        {"{\"text\":\"..\\\\..\\\\x.txt\"}", "x.txt"},
        {"{\"text\":\"\u00fcber.txt\"}", "\u00fcber.txt"},
    };
    Fixture f;
    fixture_open(&f);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Err err = {0};
        EngineResult result;
        EngineTask t = bad_task(&f, "named_output", cases[i].params);
        assert_ok(engine_run(f.pool, &t, f.arena, &result, &err), &err);
        assert_int_equal(result.outputs_len, 1);
        assert_str_equal(result.outputs[0].name, cases[i].want);
        assert_str_equal(result.outputs[0].type, "application/octet-stream");
    }
    fixture_close(&f);
}

static void fail_on_bad_blob(void *ctx, Str hash, const char *why)
{
    (void)ctx;
    fail_msg("blob " STR_FMT ": %s", STR_ARG(hash), why);
}

TEST(what_is_written_after_the_result_changes_nothing)
{
    Fixture f;
    fixture_open(&f);
    for (int i = 0; i < 20; i++) {
        Err err = {0};
        EngineResult result;
        EngineTask t = bad_task(&f, "write_after_result", "{}");
        assert_ok(engine_run(f.pool, &t, f.arena, &result, &err), &err);
        assert_int_equal(result.outputs_len, 1);
        assert_int_equal(result.outputs[0].blob.size_bytes, 5);
    }
    /* Every blob is still what its name says. */
    int64_t seen = 0;
    Err err = {0};
    assert_ok(blob_verify(f.blobs, fail_on_bad_blob, NULL, &seen, &err), &err);
    assert_true(seen > 0);
    fixture_close(&f);
}

TEST(a_task_sees_nothing_but_its_channel_and_input)
{
    Fixture f;
    Err err = {0};
    EngineResult result;
    fixture_open(&f);
    CLEANUP(fd_close) int fd = memory_file("x");
    StepInput in = {.fd = fd, .size_bytes = 1};
    EngineTask t = bad_task(&f, "look_around", "{}");
    t.inputs = &in;
    t.inputs_len = 1;
    assert_ok(engine_run(f.pool, &t, f.arena, &result, &err), &err);
    char want[64];
    snprintf(want, sizeof want, "{\"files\":5,\"uid\":%d}",
             geteuid() == 0 ? 65534 : (int)geteuid());
    assert_str_equal(result.data, want);
    fixture_close(&f);
}

typedef struct Sleeper {
    Fixture *f;
    atomic_bool asleep, cancel;
    ErrCode rc;
} Sleeper;

static void hear_asleep(void *ctx, Str text)
{
    Sleeper *s = ctx;
    if (str_eq_c(text, "asleep"))
        s->asleep = true;
}

static void *run_sleeper(void *arg)
{
    Sleeper *s = arg;
    Err err = {0};
    EngineResult result;
    EngineTask t = bad_task(s->f, "sleep_long", "{}");
    t.canceled = &s->cancel;
    t.note = hear_asleep;
    t.ctx = s;
    Arena *a = arena_open(MIB);
    s->rc = engine_run(s->f->pool, &t, a, &result, &err);
    arena_close(&a);
    return NULL;
}

static pthread_t start_sleeper(Sleeper *s)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_sleeper, s), 0);
    while (!s->asleep)
        usleep(1000);
    return thread;
}

TEST(cancel_ends_a_task)
{
    Fixture f;
    fixture_open(&f);
    Sleeper s = {.f = &f};
    pthread_t thread = start_sleeper(&s);
    s.cancel = true;
    pthread_join(thread, NULL);
    assert_int_equal(s.rc, ERR_CANCELED);
    assert_no_children(info_of_engine(&f, "bad").pid);
    fixture_close(&f);
}

TEST(a_killed_warm_parent_ends_its_tasks_and_is_started_again)
{
    Fixture f;
    Err err = {0};
    EngineResult result;
    fixture_open(&f);
    Sleeper s = {.f = &f};
    pthread_t thread = start_sleeper(&s);
    int64_t first = info_of_engine(&f, "bad").pid;
    assert_int_equal(kill((pid_t)first, SIGKILL), 0);
    pthread_join(thread, NULL);
    assert_int_equal(s.rc, ERR_ENGINE_KILLED);
    EngineTask t = bad_task(&f, "empty", "{}");
    assert_ok(engine_run(f.pool, &t, f.arena, &result, &err), &err);
    /* And when it dies while nobody looks, the next task does not notice. */
    int64_t second = info_of_engine(&f, "bad").pid;
    assert_true(second > 0 && second != first);
    assert_int_equal(kill((pid_t)second, SIGKILL), 0);
    assert_ok(engine_run(f.pool, &t, f.arena, &result, &err), &err);
    assert_int_equal(info_of_engine(&f, "bad").restarts, 2);
    assert_int_equal(children_of(getpid()), 1);
    fixture_close(&f);
}

TEST(a_called_step_gives_its_files_and_its_words_to_the_caller)
{
    Fixture f;
    Err err = {0};
    Heard heard = {0};
    EngineResult result;
    fixture_open(&f);
    EngineTask t = bad_task(&f, "call_on", "{\"text\":\"bad.fine\",\"count\":3}");
    t.note = hear_note;
    t.ctx = &heard;
    EngineTask first = bad_task(&f, "empty", "{}");
    assert_ok(engine_run(f.pool, &first, f.arena, &result, &err), &err); /* starts the engine */
    int before = open_files();
    assert_ok(engine_run(f.pool, &t, f.arena, &result, &err), &err);
    assert_int_equal(result.outputs_len, 1);
    assert_blob(&f, &result.outputs[0], "called");
    assert_int_equal(result.usage_len, 1);
    assert_int_equal(result.usage[0].amount, 18);
    assert_int_equal(heard.notes, 3);
    assert_int_equal(open_files(), before);
    fixture_close(&f);
}

/* The caller's clock stands still while a called step runs, and the called one has its own. */
TEST(a_called_step_has_its_own_time)
{
    Fixture f;
    Err err = {0};
    EngineResult result;
    fixture_open(&f);
    EngineTask t = bad_task(&f, "call_on", "{\"text\":\"bad.alone\",\"count\":4}");
    t.limits.time_ms = 150;
    assert_ok(engine_run(f.pool, &t, f.arena, &result, &err), &err);
    fixture_close(&f);
}

static void *run_alone(void *arg)
{
    Fixture *f = arg;
    EngineTask t = bad_task(f, "alone", "{}");
    t.limits.time_ms = 1000;
    t.note = hear_note_order;
    EngineResult result;
    Err err = {0};
    Arena *a = arena_open(MIB);
    intptr_t rc = engine_run(f->pool, &t, a, &result, &err);
    arena_close(&a);
    return (void *)rc;
}

TEST(a_step_with_a_concurrency_of_one_never_runs_twice_at_once)
{
    Fixture f;
    fixture_open(&f);
    pthread_t threads[6];
    atomic_store(&inside, 0);
    atomic_store(&inside_max, 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_alone, &f), 0);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        void *rc;
        pthread_join(threads[i], &rc);
        assert_int_equal((intptr_t)rc, OK);
    }
    assert_int_equal(atomic_load(&inside_max), 1);
    fixture_close(&f);
}

/* The second waits for the first; its cancel reaches it there. */
TEST(a_cancel_ends_the_wait_for_a_turn)
{
    Fixture f;
    fixture_open(&f);
    pthread_t first;
    assert_int_equal(pthread_create(&first, NULL, run_alone, &f), 0);
    while (atomic_load(&inside) == 0)
        usleep(1000);
    atomic_bool canceled = true;
    EngineTask t = bad_task(&f, "alone", "{}");
    t.canceled = &canceled;
    EngineResult result;
    Err err = {0};
    assert_int_equal(engine_run(f.pool, &t, f.arena, &result, &err), ERR_CANCELED);
    pthread_join(first, NULL);
    fixture_close(&f);
}

TEST(a_python_engine_counts_words)
{
    Fixture f;
    Err err = {0};
    Heard heard = {0};
    EngineResult result;
    fixture_open(&f);
    assert_false(info_of_engine(&f, "wordcount").warm);
    CLEANUP(fd_close) int fd = memory_file("One two two.\nThree three three!\n");
    StepInput in = {.name = STR("a.txt"), .type = STR("text/plain"), .fd = fd, .size_bytes = 32};
    EngineTask t = {.step = registry_find(f.registry, STR("sample.wordcount")),
                    .params = STR("{\"top\":2}"),
                    .inputs = &in,
                    .inputs_len = 1,
                    .progress = hear_progress,
                    .ctx = &heard};
    assert_non_null(t.step);
    int before = open_files();
    ErrCode rc = engine_run(f.pool, &t, f.arena, &result, &err);
    if (rc != OK)
        fail_msg("%s: %s (%s)", err_reason(rc), err.text, err.hint);
    assert_str_equal(result.data, "{\"words\":6,\"distinct\":3}");
    assert_int_equal(result.outputs_len, 1);
    assert_str_equal(result.outputs[0].type, "text/csv");
    assert_blob(&f, &result.outputs[0], "word,count\r\nthree,3\r\ntwo,2\r\n");
    assert_str_equal(result.usage[0].unit, "words");
    assert_int_equal(heard.progress, 1);
    assert_int_equal(open_files(), before);
    assert_int_equal(children_of(getpid()), 0);
    fixture_close(&f);
}

TEST_MAIN(a_called_step_gives_its_files_and_its_words_to_the_caller, a_called_step_has_its_own_time,
          a_step_with_a_concurrency_of_one_never_runs_twice_at_once,
          a_cancel_ends_the_wait_for_a_turn, every_misdeed_has_its_reason_and_hurts_nobody_else,
          a_task_gives_outputs_usage_notes_and_progress, an_error_keeps_message_hint_and_parameter,
          names_of_outputs_lead_nowhere, what_is_written_after_the_result_changes_nothing,
          a_task_sees_nothing_but_its_channel_and_input, cancel_ends_a_task,
          a_killed_warm_parent_ends_its_tasks_and_is_started_again, a_python_engine_counts_words)
