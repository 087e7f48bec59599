#include "cli/files.h"
#include "base/fd.h"

#include <errno.h>
#include <fts.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static Str base_name(Str path)
{
    while (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    size_t slash = str_rfind_char(path, '/');
    return slash == STR_NONE ? path : str_slice(path, slash + 1, path.len);
}

static ErrCode add(InputFiles *f, const InputFile *one, Err *err)
{
    if (f->len == FILES_MAX)
        return err_set(err, ERR_USAGE, "more than %d files", FILES_MAX);
    if (f->len == f->cap) {
        size_t cap = f->cap > 0 ? f->cap * 2 : 64, each = sizeof *f->items;
        InputFile *grown = arena_grow(f->arena, f->items, f->cap * each, cap * each);
        if (grown == NULL)
            return err_set(err, ERR_NO_MEMORY, "no memory for the list of files");
        f->items = grown;
        f->cap = cap;
    }
    f->items[f->len++] = *one;
    return OK;
}

/* Standard input, kept in memory so that it can be read like a file. */
static const char *spool_stdin(Arena *a, Err *err)
{
    char buffer[65536];
    int fd = memfd_create("stdin", 0);
    if (fd < 0) {
        err_set_errno(err, ERR_NO_MEMORY, errno, "could not keep standard input");
        return NULL;
    }
    for (ssize_t n = 1; n > 0;) {
        n = read(STDIN_FILENO, buffer, sizeof buffer);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0 && fd_write_all(fd, buffer, (size_t)n, err) != OK)
            return NULL;
    }
    return str_printf(a, "/proc/self/fd/%d", fd).ptr; /* open until the process ends */
}

static ErrCode add_stdin(InputFiles *f, Err *err)
{
    for (size_t i = 0; i < f->len; i++)
        if (f->items[i].is_stdin)
            return err_set(err, ERR_USAGE, "standard input can be read only once");
    InputFile one = {.path = spool_stdin(f->arena, err),
                     .name = STR("stdin"),
                     .packed = STR("stdin"),
                     .is_stdin = true};
    return one.path != NULL ? add(f, &one, err) : err->code;
}

static ErrCode add_file(InputFiles *f, Str operand, const struct stat *st, Err *err)
{
    Str name = base_name(operand);
    InputFile one = {.path = str_to_c(f->arena, operand), .name = name, .packed = name};
    if (st != NULL) {
        one.device = st->st_dev;
        one.inode = st->st_ino;
        one.size_bytes = st->st_size;
    }
    return one.path != NULL ? add(f, &one, err) : err_set(err, ERR_NO_MEMORY, "no memory");
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* `e` as a file below the folder `root`. */
static ErrCode add_found(InputFiles *f, const FTSENT *e, Str root, const struct stat *st, Err *err)
{
    Str path = str_copy(f->arena, str_from_c(e->fts_path));
    Str name = str_slice(path, root.len, path.len);
    while (name.len > 0 && name.ptr[0] == '/')
        name = str_slice(name, 1, name.len);
    size_t slash = str_rfind_char(name, '/');
    Str top = base_name(root);
    bool plain = !str_eq_c(top, ".") && !str_eq_c(top, "..") && !str_eq_c(top, "/");
    InputFile one = {
        .path = path.ptr != NULL ? str_to_c(f->arena, path) : NULL,
        .name = name,
        .folder = slash == STR_NONE ? (Str){0} : str_slice(name, 0, slash),
        .packed =
            plain ? str_printf(f->arena, STR_FMT "/" STR_FMT, STR_ARG(top), STR_ARG(name)) : name,
        .found = true,
        .device = st->st_dev,
        .inode = st->st_ino,
        .size_bytes = st->st_size,
    };
    return one.path != NULL && one.packed.ptr != NULL ? add(f, &one, err)
                                                      : err_set(err, ERR_NO_MEMORY, "no memory");
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino != 0 && a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

static ErrCode take_entry(InputFiles *f, FTS *walk, FTSENT *e, Str root, const struct stat *except,
                          Err *err)
{
    struct stat st;
    bool hidden = e->fts_level > 0 && e->fts_name[0] == '.';
    switch (e->fts_info) {
    case FTS_D:
        if (hidden || (e->fts_level > 0 && is_same(e->fts_statp, except)))
            fts_set(walk, e, FTS_SKIP);
        return OK;
    case FTS_F:
        return hidden ? OK : add_found(f, e, root, e->fts_statp, err);
    case FTS_SL: /* a link to a file is that file; links to folders could lead in circles */
        return hidden || stat(e->fts_accpath, &st) != 0 || !S_ISREG(st.st_mode)
                   ? OK
                   : add_found(f, e, root, &st, err);
    case FTS_DNR:
    case FTS_ERR:
        return err_set_errno(err, ERR_IO, e->fts_errno, "could not read \"%s\"", e->fts_path);
    default:
        return OK;
    }
}

static ErrCode add_folder(InputFiles *f, Str operand, const char *except, Err *err)
{
    while (operand.len > 1 && operand.ptr[operand.len - 1] == '/')
        operand.len--;
    char *root = str_to_c(f->arena, operand);
    char *roots[] = {root, NULL};
    size_t before = f->len;
    struct stat left_out = {0};
    if (except != NULL && stat(except, &left_out) != 0)
        left_out = (struct stat){0};
    FTS *walk = root != NULL ? fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, by_name) : NULL;
    if (walk == NULL)
        return err_set_errno(err, ERR_IO, errno, "could not read \"" STR_FMT "\"",
                             STR_ARG(operand));
    ErrCode rc = OK;
    for (FTSENT *e; rc == OK && (e = fts_read(walk)) != NULL;)
        rc = take_entry(f, walk, e, operand, &left_out, err);
    fts_close(walk);
    f->folders = true;
    if (rc == OK && f->len == before)
        rc = err_set(err, ERR_USAGE, "there is no file in \"" STR_FMT "\"", STR_ARG(operand));
    return rc;
}

ErrCode files_expand(Arena *a, const Str *operands, size_t len, const char *except, InputFiles *out,
                     Err *err)
{
    *out = (InputFiles){.arena = a};
    ErrCode rc = OK;
    for (size_t i = 0; i < len && rc == OK; i++) {
        struct stat st;
        char *path = str_to_c(a, operands[i]);
        bool there = path != NULL && stat(path, &st) == 0;
        if (str_eq_c(operands[i], "-"))
            rc = add_stdin(out, err);
        else if (there && S_ISDIR(st.st_mode))
            rc = add_folder(out, operands[i], except, err);
        else
            rc = add_file(out, operands[i], there ? &st : NULL, err);
    }
    return rc;
}
