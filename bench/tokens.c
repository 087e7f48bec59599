/* tokens.c: how fast exact tokens are counted, without a server around it.
 *
 *   bench/tokens ENCODING FILE [IDS]
 *
 * prints seconds and tokens; IDS gets the ids, four bytes each. */
#include "base/buf.h"
#include "base/fd.h"
#include "text/pieces.h"
#include "text/tokenizer.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static ErrCode write_ids(Tokenizer *t, Arena *a, Str text, const char *path, Err *err)
{
    CLEANUP(fd_close) int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    Buf b = buf_init(a, 1024 * MIB);
    for (size_t at = 0; at < text.len;) {
        Tokens tokens;
        ErrCode rc = tokenizer_next(t, text, &at, &tokens, err);
        if (rc != OK)
            return rc;
        buf_add(&b, (Str){(const char *)tokens.ids, tokens.len * sizeof *tokens.ids});
    }
    return b.failed ? err_set(err, ERR_NO_MEMORY, "too many ids")
                    : fd_write_all(fd, b.ptr, b.len, err);
}

static ErrCode measure(int argc, char **argv, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(4 * GIB);
    Encoding e = O200K;
    Str text;
    int64_t tokens = 0;
    pieces_warm();
    ErrCode rc = vocab_warm(err);
    if (rc == OK && !model_encoding(str_from_c(argv[1]), &e))
        rc = err_set(err, ERR_USAGE, "unknown encoding");
    if (rc == OK)
        rc = fd_read_path(argv[2], a, 1024 * MIB, &text, err);
    Tokenizer *t =
        rc == OK ? tokenizer_open(a, e) : NULL; /* nothing remembered yet, as in a task */
    double begin = now();
    if (t != NULL)
        rc = tokenizer_count(t, text, &tokens, err);
    printf("%.4f %" PRId64 "\n", now() - begin, tokens);
    return rc == OK && argc > 3 ? write_ids(t, a, text, argv[3], err) : rc;
}

int main(int argc, char **argv)
{
    Err err = {0};
    if (argc < 3 || measure(argc, argv, &err) != OK) {
        fprintf(stderr, "bench/tokens ENCODING FILE [IDS]: %s\n", err.text);
        return 1;
    }
    return 0;
}
