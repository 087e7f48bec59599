/* sink.h: a StepCtx for tests of readers and of the sink: outputs go to an unnamed file, notes are
 * counted. */
#ifndef PLATEN_TESTS_DOCUMENT_SINK_H
#define PLATEN_TESTS_DOCUMENT_SINK_H

#include "base/fd.h"
#include "document/doc.h"
#include "unit/harness.h"

#include <sys/mman.h>
#include <unistd.h>

typedef struct Sink {
    Arena *arena;
    Err err;
    StepInput input;
    StepCtx step;
    Buf data; /* the result's data: a JSON object */
    JsonOut json;
    int kept;   /* the output, or -1 */
    int handed; /* descriptors given out */
    int notes;
    char name[64], type[64], note[256];
} Sink;

static inline ErrCode sink_output(void *ctx, Str name, Str type, int *out_fd, Err *err)
{
    Sink *s = ctx;
    if (fault_hit("test.output"))
        return err_set(err, ERR_DISK_FULL, "no room for the output");
    fd_close(&s->kept);
    s->kept = memfd_create("sink", MFD_CLOEXEC);
    *out_fd = dup(s->kept);
    snprintf(s->name, sizeof s->name, STR_FMT, STR_ARG(name));
    snprintf(s->type, sizeof s->type, STR_FMT, STR_ARG(type));
    return *out_fd >= 0 ? OK : err_set(err, ERR_IO, "no descriptor");
}

static inline void sink_note(void *ctx, Str text)
{
    Sink *s = ctx;
    s->notes++;
    snprintf(s->note, sizeof s->note, STR_FMT, STR_ARG(text));
}

static inline void sink_progress(void *ctx, int64_t done, int64_t total, Str note)
{
    (void)ctx, (void)done, (void)total, (void)note;
}

static inline void sink_usage(void *ctx, Str unit, int64_t amount)
{
    (void)ctx, (void)unit, (void)amount;
}

static inline bool sink_canceled(void *ctx)
{
    (void)ctx;
    return false;
}

static inline ErrCode sink_scratch(void *ctx, int *out_fd, Err *err)
{
    (void)ctx;
    *out_fd = memfd_create("scratch", MFD_CLOEXEC);
    return *out_fd >= 0 ? OK : err_set(err, ERR_IO, "no descriptor");
}

static inline void sink_open(Sink *s, const char *name)
{
    static const StepHost host = {.output = sink_output,
                                  .progress = sink_progress,
                                  .usage = sink_usage,
                                  .note = sink_note,
                                  .canceled = sink_canceled,
                                  .scratch = sink_scratch};
    *s = (Sink){.arena = arena_open(256 * MIB), .kept = -1};
    assert_non_null(s->arena);
    s->data = buf_init(s->arena, 4 * MIB);
    s->json = json_out(&s->data);
    json_begin(&s->json, '{');
    s->input = (StepInput){.name = str_from_c(name), .fd = -1};
    s->step = (StepCtx){.arena = s->arena,
                        .err = &s->err,
                        .inputs = &s->input,
                        .inputs_len = 1,
                        .input_fd = -1,
                        .data = &s->json,
                        .host = &host,
                        .host_ctx = s};
}

/* What has been written, with a final 0. */
static inline Str sink_text(Sink *s)
{
    Str out = STR("");
    if (s->kept >= 0)
        assert_int_equal(fd_read_file(s->kept, s->arena, 64 * MIB, &out, &s->err), OK);
    return out;
}

static inline const Json *sink_data(Sink *s)
{
    const Json *j = NULL;
    json_end(&s->json, '}');
    assert_int_equal(json_parse(s->arena, buf_str(&s->data), &j, &s->err), OK);
    return j;
}

static inline void sink_close(Sink *s)
{
    fd_close(&s->kept);
    arena_close(&s->arena);
}

#endif
