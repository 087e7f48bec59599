#include "cli/scratch.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

enum { OPEN_FOLDERS = 16 };

ErrCode scratch_make(Arena *a, const char *prefix, char **out, Err *err)
{
    const char *tmp = getenv("TMPDIR");
    Str path = str_printf(a, "%s/%s-XXXXXX", tmp != NULL && tmp[0] != 0 ? tmp : "/tmp", prefix);
    if (path.ptr == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory");
    char *made = mkdtemp((char *)path.ptr);
    if (made == NULL)
        return err_set_errno(err, ERR_IO, errno, "could not make a folder in TMPDIR");
    *out = made;
    return OK;
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    (void)at;
    return remove(path);
}

void scratch_remove(const char *path)
{
    if (path != NULL)
        nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS);
}
