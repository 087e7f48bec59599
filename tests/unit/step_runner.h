/* step_runner.h: run a step of an engine within the test, on bytes, and keep what comes out.
 *
 *   StepRun r = step_runner_do(&step_image_info, "{\"position\":true}", "a.jpg", bytes);
 *   assert_int_equal(r.code, OK);   …   json_int(json_get(r.data, "width"), -1)
 *   step_runner_free(&r);
 *
 * The arguments go through param_check like everybody's. Outputs are read back into r.arena. */
#ifndef PLATEN_TESTS_STEP_RUNNER_H
#define PLATEN_TESTS_STEP_RUNNER_H

#include "base/fd.h"
#include "core/step.h"
#include "harness.h"

#include <dirent.h>
#include <sys/mman.h>
#include <unistd.h>

enum { STEP_RUN_OUTPUTS = 64 };

typedef struct StepRunOutput {
    Str name, type, bytes;
    int fd;
} StepRunOutput;

typedef struct StepRun {
    ErrCode code;
    Err err;
    const Json *data;
    StepRunOutput outputs[STEP_RUN_OUTPUTS];
    size_t outputs_len;
    size_t outputs_seen; /* also those beyond the array */
    int64_t usage_sum;
    Arena *arena;
    bool failed_on_purpose; /* the nth thing to fail was there */
    int leaked_fds;         /* descriptors open after the run that were not before */
} StepRun;

static ErrCode step_run_output(void *ctx, Str name, Str type, int *out_fd, Err *err)
{
    StepRun *r = ctx;
    if (fault_hit("test.output"))
        return err_set(err, ERR_DISK_FULL, "no place for the output");
    Str own_name = str_copy(r->arena, name), own_type = str_copy(r->arena, type);
    if (own_name.ptr == NULL || own_type.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for the output's name");
    int fd = memfd_create("output", MFD_CLOEXEC);
    if (fd < 0)
        return err_set(err, ERR_IO, "no place for the output");
    r->outputs_seen++;
    if (r->outputs_len < STEP_RUN_OUTPUTS)
        r->outputs[r->outputs_len++] =
            (StepRunOutput){.name = own_name, .type = own_type, .fd = dup(fd)};
    *out_fd = fd;
    return OK;
}

static ErrCode step_run_scratch(void *ctx, int *out_fd, Err *err)
{
    (void)ctx;
    *out_fd = fault_hit("test.scratch") ? -1 : memfd_create("scratch", MFD_CLOEXEC);
    return *out_fd >= 0 ? OK : err_set(err, ERR_DISK_FULL, "no place for a scratch file");
}

static void step_run_usage(void *ctx, Str unit, int64_t amount)
{
    (void)unit;
    ((StepRun *)ctx)->usage_sum += amount;
}

#ifdef PLATEN_FAULTS
#define step_runner_arm    fault_arm
#define step_runner_disarm fault_disarm
#else
#define step_runner_arm(n)   ((void)(n))
#define step_runner_disarm() false
#endif

static int step_run_count_fds(void)
{
    int count = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d != NULL && readdir(d) != NULL)
        count++;
    if (d != NULL)
        closedir(d);
    return count;
}

static Str step_run_params(const Step *s, const char *params, Arena *a)
{
    static ParamFaults faults;
    const Json *given = NULL;
    Str canonical = {0};
    Err err = {0};
    assert_ok(json_parse(a, str_from_c(params != NULL ? params : "{}"), &given, &err), &err);
    assert_ok(param_check(s->params, given, a, &canonical, &faults, &err), &err);
    return canonical;
}

/* With the nth thing that can fail within the step failing; 0: none. */
static StepRun step_runner_do_failing(const Step *s, const char *params, const char *name,
                                      Str bytes, int nth)
{
    static const StepHost host = {
        .output = step_run_output, .usage = step_run_usage, .scratch = step_run_scratch};
    StepRun r = {.arena = arena_open(512 * MIB)};
    Arena *work = arena_open(512 * MIB);
    Str canonical = step_run_params(s, params, work);
    int before = step_run_count_fds();
    int fd = memfd_create("input", MFD_CLOEXEC);
    assert_true(fd >= 0 && write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len &&
                lseek(fd, 0, SEEK_SET) == 0);
    StepInput in = {
        .name = str_from_c(name), .type = STR(""), .fd = fd, .size_bytes = (int64_t)bytes.len};
    StepCtx c = {.arena = work,
                 .err = &r.err,
                 .inputs = &in,
                 .inputs_len = 1,
                 .input_fd = fd,
                 .host = &host,
                 .host_ctx = &r};
    Str data = {0};
    if (nth > 0)
        step_runner_arm(nth);
    r.code = step_run(s, &c, canonical, &data);
    r.failed_on_purpose = nth > 0 && step_runner_disarm();
    close(fd);
    r.leaked_fds = step_run_count_fds() - before - (int)r.outputs_len;
    for (size_t i = 0; i < r.outputs_len; i++) {
        Err err = {0};
        if (fd_read_file(r.outputs[i].fd, r.arena, 256 * MIB, &r.outputs[i].bytes, &err) != OK)
            r.outputs[i].bytes = (Str){0};
        close(r.outputs[i].fd);
    }
    if (r.code == OK) {
        Err err = {0};
        assert_ok(json_parse(r.arena, str_copy(r.arena, data), &r.data, &err), &err);
    }
    arena_close(&work);
    return r;
}

static StepRun step_runner_do(const Step *s, const char *params, const char *name, Str bytes)
{
    return step_runner_do_failing(s, params, name, bytes, 0);
}

static void step_runner_free(StepRun *r)
{
    arena_close(&r->arena);
}

/* A failure must be one the step declares or a general one, and must come with a sentence. */
static void step_runner_assert_explained(const Step *s, const StepRun *r)
{
    static const ErrCode general[] = {ERR_NO_MEMORY, ERR_DISK_FULL, ERR_IO, ERR_LIMIT_MEMORY,
                                      ERR_LIMIT_OUTPUT};
    bool known = false;
    for (size_t i = 0; i < COUNT_OF(general); i++)
        known = known || r->code == general[i];
    for (const ErrCode *e = s->errors; e != NULL && *e != OK; e++)
        known = known || r->code == *e;
    if (!known)
        fail_msg("%s failed with %s, which it does not declare: %s", s->name, err_reason(r->code),
                 r->err.text);
    if (r->err.text[0] == 0)
        fail_msg("%s failed with %s and no message", s->name, err_reason(r->code));
}

/* Let the 1st thing that can fail do so, then the 2nd, the 3rd …, until nothing is left to fail.
 * Needs a build with faults; elsewhere the test is skipped. A step may also shrug a failure off. */
static void step_runner_every_failure(const Step *s, const char *params, const char *name,
                                      Str bytes)
{
#ifndef PLATEN_FAULTS
    (void)s, (void)params, (void)name, (void)bytes;
    skip();
#endif
    for (int nth = 1;; nth++) {
        StepRun r = step_runner_do_failing(s, params, name, bytes, nth);
        bool more = r.failed_on_purpose;
        assert_int_equal(r.leaked_fds, 0);
        if (r.code != OK)
            step_runner_assert_explained(s, &r);
        if (!more)
            assert_int_equal(r.code, OK);
        step_runner_free(&r);
        if (!more)
            return;
    }
}

#endif
