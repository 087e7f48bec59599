/* edits.h: what the tests of the editing steps share: run a step on one or more inputs, with its
 * notes kept. */
#ifndef PLATEN_TESTS_EDITS_H
#define PLATEN_TESTS_EDITS_H

#include "pictures.h"

enum { EDIT_RUN_INPUTS = 8, EDIT_RUN_NOTES = 16 };

typedef struct EditRun {
    StepRun r; /* first: the host's functions of step_runner.h take it */
    char notes[EDIT_RUN_NOTES][256];
    size_t notes_len;
} EditRun;

static void edit_run_note(void *ctx, Str text)
{
    EditRun *e = ctx;
    if (e->notes_len < EDIT_RUN_NOTES)
        snprintf(e->notes[e->notes_len++], sizeof e->notes[0], STR_FMT, STR_ARG(text));
}

static bool edit_run_noted(const EditRun *e, const char *words)
{
    for (size_t i = 0; i < e->notes_len; i++)
        if (strstr(e->notes[i], words) != NULL)
            return true;
    return false;
}

typedef struct EditInput {
    const char *name;
    Str bytes;
} EditInput;

static EditRun edit_run(const Step *s, const char *params, const EditInput *files, size_t len)
{
    static const StepHost host = {
        .output = step_run_output, .usage = step_run_usage, .note = edit_run_note};
    EditRun e = {.r = {.arena = arena_open(512 * MIB)}};
    Arena *work = arena_open(512 * MIB);
    StepInput in[EDIT_RUN_INPUTS];
    Str data = {0};
    assert_true(len <= EDIT_RUN_INPUTS);
    for (size_t i = 0; i < len; i++) {
        int fd = memfd_create("input", MFD_CLOEXEC);
        assert_true(write(fd, files[i].bytes.ptr, files[i].bytes.len) ==
                        (ssize_t)files[i].bytes.len &&
                    lseek(fd, 0, SEEK_SET) == 0);
        in[i] = (StepInput){
            .name = str_from_c(files[i].name), .fd = fd, .size_bytes = (int64_t)files[i].bytes.len};
    }
    StepCtx c = {.arena = work,
                 .err = &e.r.err,
                 .inputs = in,
                 .inputs_len = len,
                 .input_fd = len > 0 ? in[0].fd : -1,
                 .host = &host,
                 .host_ctx = &e};
    e.r.code = step_run(s, &c, step_run_params(s, params, work), &data);
    for (size_t i = 0; i < len; i++)
        close(in[i].fd);
    for (size_t i = 0; i < e.r.outputs_len; i++) {
        Err err = {0};
        assert_ok(
            fd_read_file(e.r.outputs[i].fd, e.r.arena, 256 * MIB, &e.r.outputs[i].bytes, &err),
            &err);
        close(e.r.outputs[i].fd);
    }
    if (e.r.code == OK) {
        Err err = {0};
        assert_ok(json_parse(e.r.arena, str_copy(e.r.arena, data), &e.r.data, &err), &err);
    } else {
        step_runner_assert_explained(s, &e.r);
    }
    arena_close(&work);
    return e;
}

static EditRun edit_run_one(const Step *s, const char *params, const char *name, Str bytes)
{
    return edit_run(s, params, &(EditInput){name, bytes}, 1);
}

static int64_t edit_run_int(const EditRun *e, const char *key)
{
    return json_int(json_get(e->r.data, key), -1);
}

static void edit_run_free(EditRun *e)
{
    step_runner_free(&e->r);
}

static Str edit_sample(Arena *a, const char *name)
{
    char path[512];
    Str bytes = {0};
    Err err = {0};
    snprintf(path, sizeof path, "%s/samples/%s", getenv("PLATEN_ROOT"), name);
    assert_ok(fd_read_path(path, a, 16 * MIB, &bytes, &err), &err);
    return bytes;
}

#endif
