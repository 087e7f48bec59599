/* fuzz_chunk: any bytes as a text, a Markdown file or the JSON of document.extract, cut in any way.
 * The chunks put together are the text that was cut, and none is larger than asked. The first bytes
 * choose the way. */
#include "text/text.h"
#include "base/fd.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct Outputs {
    int fds[2];
    size_t len;
} Outputs;

static ErrCode fuzz_output(void *ctx, Str name, Str type, int *out_fd, Err *err)
{
    Outputs *o = ctx;
    (void)name, (void)type;
    int fd = memfd_create("output", MFD_CLOEXEC);
    if (fd < 0 || o->len == COUNT_OF(o->fds))
        abort();
    o->fds[o->len++] = dup(fd);
    *out_fd = fd;
    return fd >= 0 ? OK : err_set(err, ERR_IO, "no descriptor");
}

static void check(Arena *a, const Outputs *o, int64_t limit, bool characters)
{
    Str lines, source, line;
    Err err = {0};
    size_t at = 0;
    if (o->len != 2 || fd_read_file(o->fds[0], a, 256 * MIB, &lines, &err) != OK ||
        fd_read_file(o->fds[1], a, 64 * MIB, &source, &err) != OK)
        abort();
    while (str_next(&lines, '\n', &line) && line.len > 0) {
        const Json *c = NULL;
        if (json_parse(a, line, &c, &err) != OK)
            abort();
        Str text = json_text(json_get(c, "text"));
        if (text.len == 0 || !str_eq(text, str_slice(source, at, at + text.len)) ||
            json_int(json_get(c, characters ? "characters" : "tokens"), limit + 1) > limit)
            abort();
        at += text.len;
    }
    if (at != source.len)
        abort();
}

static const char *const methods[] = {"tokens",   "characters", "sentences",
                                      "headings", "meaning",    "rules"};
static const char *const read_as[] = {"text", "markdown", "blocks", "auto"};

static Str params_of(Arena *a, const uint8_t *head, int64_t *limit, bool *characters)
{
    const char *method = methods[head[0] % COUNT_OF(methods)];
    *limit = 16 + head[1] % 64;
    *characters = strcmp(method, "characters") == 0;
    return str_printf(
        a,
        "{\"method\":\"%s\",\"size\":%d,\"overlap\":%d,\"min_size\":%d,\"unit\":\"%s\","
        "\"encoding\":\"%s\",\"heading_level\":6,%s\"repeat_header\":%s,"
        "\"read_as\":\"%s\",\"format\":\"jsonl\",\"with_source\":true}",
        method, (int)*limit, head[2] % 9, head[2] % 8, *characters ? "characters" : "tokens",
        head[3] % 2 != 0 ? "o200k" : "cl100k",
        head[0] % COUNT_OF(methods) == 5 ? "\"rules\":\"[.!?] \\n^#+\"," : "",
        head[3] % 4 > 1 ? "true" : "false", read_as[head[3] / 4 % COUNT_OF(read_as)]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const StepHost host = {.output = fuzz_output};
    static bool warmed;
    Err err = {0};
    if (!warmed && text_warm(&err) != OK)
        abort();
    warmed = true;
    if (size < 5)
        return 0;
    CLEANUP(arena_close) Arena *a = arena_open(256 * MIB);
    CLEANUP(arena_close) Arena *results = arena_open(256 * MIB);
    CLEANUP(fd_close) int fd = memfd_create("input", MFD_CLOEXEC);
    Outputs outputs = {0};
    int64_t limit = 0;
    bool characters = false;
    Str params = params_of(a, data, &limit, &characters), out;
    if (fd < 0 || fd_write_all(fd, data + 4, size - 4, &err) != OK)
        abort();
    StepInput in = {.name = STR("a"), .type = STR(""), .fd = fd, .size_bytes = (int64_t)size - 4};
    StepCtx c = {.arena = a,
                 .err = &err,
                 .inputs = &in,
                 .inputs_len = 1,
                 .input_fd = fd,
                 .host = &host,
                 .host_ctx = &outputs};
    ErrCode rc = step_run(&step_text_chunk, &c, params, &out);
    if (rc == OK)
        check(results, &outputs, limit, characters);
    else if (err.text[0] == 0 || rc == ERR_INTERNAL)
        abort();
    for (size_t i = 0; i < outputs.len; i++)
        fd_close(&outputs.fds[i]);
    return 0;
}
