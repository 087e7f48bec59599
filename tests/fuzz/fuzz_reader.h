/* fuzz_reader.h: run a reader of the document engine on bytes; its output goes nowhere. It must end
 * in OK or in a reason with a message, and the sanitizers watch the rest. */
#ifndef PLATEN_TESTS_FUZZ_READER_H
#define PLATEN_TESTS_FUZZ_READER_H

#include <fcntl.h>
#include <stdlib.h>

#include "document/readers.h"

static ErrCode fuzz_output(void *ctx, Str name, Str type, int *out_fd, Err *err)
{
    (void)ctx, (void)name, (void)type;
    *out_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    return *out_fd >= 0 ? OK : err_set(err, ERR_IO, "no descriptor");
}

static void fuzz_note(void *ctx, Str text)
{
    (void)ctx, (void)text;
}

static void fuzz_progress(void *ctx, int64_t done, int64_t total, Str note)
{
    (void)ctx, (void)done, (void)total, (void)note;
}

static bool fuzz_canceled(void *ctx)
{
    (void)ctx;
    return false;
}

static inline void fuzz_read(DocReader reader, Str bytes)
{
    static const StepHost host = {.output = fuzz_output,
                                  .progress = fuzz_progress,
                                  .note = fuzz_note,
                                  .canceled = fuzz_canceled};
    CLEANUP(arena_close) Arena *a = arena_open(256 * MIB);
    Err err = {0};
    StepCtx step = {.arena = a, .err = &err, .input_fd = -1, .host = &host};
    DocInput in = {.step = &step,
                   .fd = -1,
                   .bytes = bytes,
                   .name = STR("fuzz"),
                   .password = STR(""),
                   .pages = STR(""),
                   .comments = true,
                   .charset = STR(""),
                   .attachments = ATTACHMENTS_LIST};
    Doc *d = NULL;
    ErrCode rc = doc_open(&step, DOC_MARKDOWN, &d);
    if (rc == OK)
        rc = reader(&in, d);
    rc = rc == OK ? doc_close(&d) : rc;
    doc_abandon(&d);
    if (rc != OK && err.text[0] == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
