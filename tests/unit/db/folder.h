/* folder.h: a folder of its own for a test, removed with all that is in it. */
#ifndef PLATEN_TESTS_DB_FOLDER_H
#define PLATEN_TESTS_DB_FOLDER_H

#include "base/log.h"
#include "unit/harness.h"

#include <dirent.h>
#include <ftw.h>
#include <unistd.h>

typedef struct Folder {
    char path[64], db_path[96];
} Folder;

static inline Folder folder_open(void)
{
    Folder f = {0};
    const char *tmp = getenv("TMPDIR");
    snprintf(f.path, sizeof f.path, "%.40s/platen-XXXXXX", tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(f.path) == NULL)
        fail_msg("mkdtemp %s", f.path);
    snprintf(f.db_path, sizeof f.db_path, "%s/platen.db", f.path);
    return f;
}

static inline int folder_remove_one(const char *path, const struct stat *st, int type,
                                    struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void folder_close(Folder *f)
{
    assert_int_equal(nftw(f->path, folder_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* Open descriptors of this process. */
static inline int folder_open_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;
    while (d != NULL && readdir(d) != NULL)
        n++;
    if (d != NULL)
        closedir(d);
    return n;
}

#endif
