/* The dispatcher with an engine: files in and out, usage, notes, every way to end. */
#include "unit/work/bench_work.h"

#include <fcntl.h>

static Bench bench_open_with_engine(void)
{
    Bench b = bench_prepare();
    bench_open_engines(&b);
    bench_start(&b);
    return b;
}

TEST(files_usage_and_notes)
{
    Bench b = bench_open_with_engine();
    Blob in;
    assert_ok(blob_put(b.blobs, STR("hello engine"), &in, &b.err), &b.err);
    const JobFile file = {
        STR("in.txt"), STR("text/plain"), {in.hash, BLOB_HASH_LEN}, in.size_bytes};
    int64_t id = bench_add(&b, "bad.fine", "{\"count\":2,\"text\":\"\"}",
                           (JobNew){.inputs = &file, .inputs_len = 1});
    Job j = bench_wait(&b, id);
    if (j.state != JOB_DONE)
        fail_msg("%s: " STR_FMT, job_state_name(j.state), STR_ARG(j.detail));
    assert_str_equal(j.queue, "bad");
    assert_str_equal(j.data, "{\"bytes\":12}");
    assert_int_equal(j.outputs_len, 2);
    assert_str_equal(j.outputs[0].name, "copy.txt");
    assert_str_equal(j.outputs[0].type, "text/plain");
    assert_int_equal(j.outputs[0].size_bytes, 12);
    CLEANUP(fd_close) int fd = -1;
    int64_t size = 0;
    Str bytes = {0};
    assert_ok(blob_open(b.blobs, j.outputs[1].hash, &fd, &size, &b.err), &b.err);
    assert_ok(fd_read_file(fd, b.arena, 100, &bytes, &b.err), &b.err);
    assert_str_equal(bytes, "hello engine");
    assert_non_null(strstr(bench_events(&b, id), "task.note"));
    bench_close(&b);
}

TEST(ends)
{
    static const struct {
        const char *step, *reason;
        int64_t timeout_ms;
    } cases[] = {
        {"bad.fail", "input_damaged", 0},
        {"bad.crash", "engine_crashed", 0},
        {"bad.sleep_long", "limit_time", 200},
        {"bad.garbage", "engine_protocol", 0},
    };
    Bench b = bench_open_with_engine();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        JobNew n = {.attempts = 1, .timeout_ms = cases[i].timeout_ms};
        Job j = bench_wait(&b, bench_add(&b, cases[i].step, "{\"count\":1,\"text\":\"\"}", n));
        if (j.state != JOB_FAILED || !str_eq_c(j.reason, cases[i].reason))
            fail_msg("%s: %s " STR_FMT ": " STR_FMT, cases[i].step, job_state_name(j.state),
                     STR_ARG(j.reason), STR_ARG(j.detail));
    }
    bench_close(&b);
}

TEST(cancel_kills)
{
    Bench b = bench_open_with_engine();
    int64_t id = bench_add(&b, "bad.sleep_long", "{\"count\":1,\"text\":\"\"}", (JobNew){0});
    bench_until(&b, id, JOB_RUNNING);
    assert_ok(flow_cancel(b.db, PROJECT, id, &b.err), &b.err);
    int64_t until_us = clock_mono_us() + WAIT_MS * 1000;
    while (work_stats(b.work).dropped == 0) {
        assert_true(clock_mono_us() < until_us);
        usleep(1000);
    }
    assert_int_equal(bench_get(&b, id).state, JOB_CANCELED);
    bench_close(&b);
}

TEST(bytes_that_are_gone)
{
    Bench b = bench_open_with_engine();
    char hash[BLOB_HASH_LEN + 1];
    memset(hash, 'a', BLOB_HASH_LEN);
    const JobFile file = {STR("in.txt"), STR("text/plain"), {hash, BLOB_HASH_LEN}, 3};
    Job j = bench_wait(&b, bench_add(&b, "bad.fine", "{\"count\":1,\"text\":\"\"}",
                                     (JobNew){.inputs = &file, .inputs_len = 1}));
    assert_int_equal(j.state, JOB_FAILED);
    assert_str_equal(j.reason, "input_missing");
    bench_close(&b);
}

TEST_MAIN(files_usage_and_notes, ends, cancel_kills, bytes_that_are_gone)
