/* vocab_cuts.c: a tool of the build: the two tokens each token is joined from, found here once, not
 * at every start of the engine.
 *
 *   vocab_cuts RANKS.bin OUT.bin     OUT: uint32 left, right of each token, by id */
#include "base/fd.h"
#include "text/vocab_in.h"

#include <fcntl.h>
#include <stdio.h>

static ErrCode write_cuts(const Vocab *v, Arena *a, int fd, Err *err)
{
    uint32_t *cuts = arena_new(a, uint32_t, (size_t)v->count * 2);
    if (cuts == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for %u cuts", v->count);
    for (uint32_t id = 0; id < v->count; id++) {
        cuts[2 * id] = v->left[id];
        cuts[2 * id + 1] = v->right[id];
    }
    return fd_write_all(fd, cuts, (size_t)v->count * 2 * sizeof *cuts, err);
}

static ErrCode run(char **argv, Err *err)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    CLEANUP(fd_close) int fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    Vocab v = {0};
    Str packed;
    if (a == NULL || fd < 0)
        return err_set(err, ERR_IO, "could not write \"%s\"", argv[2]);
    ErrCode rc = fd_read_path(argv[1], a, 32 * MIB, &packed, err);
    if (rc == OK)
        rc = vocab_build((const unsigned char *)packed.ptr, NULL, &v, err);
    if (rc == OK)
        rc = write_cuts(&v, a, fd, err);
    vocab_free(&v);
    return rc;
}

int main(int argc, char **argv)
{
    Err err = {0};
    if (argc != 3 || run(argv, &err) != OK) {
        fprintf(stderr, "vocab_cuts RANKS.bin OUT.bin: %s\n", err.text);
        return 1;
    }
    return 0;
}
