/* content.c: the bytes of one file, counted while they are unpacked. */
#include "archive/walk_in.h"
#include "base/fault.h"
#include "base/fd.h"

#include <stdlib.h>
#include <string.h>

enum { HEAD_MAX = 512 };                        /* enough to know any archive by its beginning */
static const int64_t inner_max = 96 << 20;      /* of one inner archive in memory … */
static const int64_t inner_sum_max = 144 << 20; /* … and of all that are open at once */
static const int64_t report_every = 16 << 20;

static ErrCode check_ratio(Walk *w, int64_t unpacked, Str name)
{
    int64_t packed = w->totals->packed_bytes;
    if (unpacked <= WALK_RATIO_FLOOR || unpacked / w->args->max_ratio < packed)
        return OK;
    return err_set(w->c->err, ERR_LIMIT_RATIO,
                   "%" PRId64 " bytes would become more than %" PRId64 " at \"" STR_FMT
                   "\", the limit is %" PRId64 " times",
                   packed, unpacked, STR_ARG(str_slice(name, 0, 80)), w->args->max_ratio);
}

static ErrCode check_bytes(Walk *w, int64_t bytes, Str name)
{
    if (bytes <= w->args->max_bytes)
        return OK;
    err_set(w->c->err, ERR_LIMIT_OUTPUT, "more than %" PRId64 " bytes at \"" STR_FMT "\"",
            w->args->max_bytes, STR_ARG(str_slice(name, 0, 100)));
    err_hint(w->c->err, "raise max_bytes, or take fewer files with match");
    return ERR_LIMIT_OUTPUT;
}

ErrCode content_announce(Walk *w, int64_t size, bool delivered, Str name)
{
    if (size > INT64_MAX / 4) /* nonsense, and sums must not overflow */
        size = INT64_MAX / 4;
    ErrCode rc = check_ratio(w, w->unpacked + size, name);
    return rc == OK && delivered ? check_bytes(w, w->totals->bytes + size, name) : rc;
}

/* `size` more bytes are unpacked. */
static ErrCode count(Walk *w, int64_t size, bool delivered, Str name)
{
    w->unpacked += size;
    if (delivered)
        w->totals->bytes += size;
    if (w->unpacked - w->reported >= report_every) {
        w->reported = w->unpacked;
        step_progress(w->c, w->unpacked, 0, NULL);
        if (step_canceled(w->c))
            return err_set(w->c->err, ERR_CANCELED, "cancelled while unpacking");
    }
    ErrCode rc = check_ratio(w, w->unpacked, name);
    return rc == OK && delivered ? check_bytes(w, w->totals->bytes, name) : rc;
}

/* Where the bytes of one file go: to a descriptor, into memory, both, or nowhere. */
typedef struct Content {
    Walk *w;
    const WalkEntry *e;
    int fd;
    char *memory;
    size_t memory_len, memory_cap;
    bool in_memory, delivered;
    int64_t size;
} Content;

static void content_done(Content *t)
{
    fd_close(&t->fd);
    free(t->memory);
}

static ErrCode open_output(Content *t)
{
    ErrCode rc = t->w->sink->open(t->w->sink->ctx, t->e, &t->fd);
    t->delivered = rc == OK;
    return rc;
}

/* Too large for memory: then it is a file like any other. What is in memory goes to the descriptor.
 */
static ErrCode give_up_memory(Content *t, bool wanted)
{
    t->in_memory = false;
    ErrCode rc = OK;
    if (wanted && t->fd < 0) {
        rc = open_output(t);
        if (rc == OK)
            rc = fd_write_all(t->fd, t->memory, t->memory_len, t->w->c->err);
        t->w->totals->bytes += (int64_t)t->memory_len;
    }
    free(t->memory);
    t->memory = NULL;
    return rc;
}

static ErrCode remember(Content *t, const void *bytes, size_t len, bool wanted)
{
    if ((int64_t)(t->memory_len + len) > inner_max ||
        t->w->buffered + (int64_t)(t->memory_len + len) > inner_sum_max)
        return give_up_memory(t, wanted);
    if (t->memory_len + len > t->memory_cap) {
        size_t cap = (t->memory_len + len) * 3 / 2;
        if (t->e->size_bytes > (int64_t)cap) /* announced, and not above inner_max: see begin */
            cap = (size_t)t->e->size_bytes;
        char *grown = fault_hit("archive.memory") ? NULL : realloc(t->memory, cap);
        if (grown == NULL)
            return err_set(t->w->c->err, ERR_LIMIT_MEMORY, "looking into \"" STR_FMT "\"",
                           STR_ARG(str_slice(t->e->path, 0, 100)));
        t->memory = grown;
        t->memory_cap = cap;
    }
    memcpy(t->memory + t->memory_len, bytes, len);
    t->memory_len += len;
    return OK;
}

static ErrCode put(Content *t, const void *bytes, size_t len, bool wanted)
{
    t->size += (int64_t)len;
    ErrCode rc = count(t->w, (int64_t)len, t->delivered, t->e->path);
    if (rc == OK && t->in_memory)
        rc = remember(t, bytes, len, wanted); /* may open the descriptor, for these bytes too */
    return rc == OK && t->fd >= 0 ? fd_write_all(t->fd, bytes, len, t->w->c->err) : rc;
}

/* Sparse files skip over zeros; they are written and counted like everything else. */
static ErrCode put_zeros(Content *t, int64_t len, bool wanted)
{
    static const char zeros[64 * 1024];
    ErrCode rc = content_announce(t->w, len, t->delivered, t->e->path);
    while (rc == OK && len > 0) {
        size_t n = len > (int64_t)sizeof zeros ? sizeof zeros : (size_t)len;
        rc = put(t, zeros, n, wanted);
        len -= (int64_t)n;
    }
    return rc;
}

static ErrCode put_at(Content *t, const void *block, size_t len, int64_t offset, bool wanted)
{
    ErrCode rc = offset > t->size ? put_zeros(t, offset - t->size, wanted) : OK;
    return rc == OK && len > 0 ? put(t, block, len, wanted) : rc;
}

/* Documents that are archives inside stay whole even with nested=open. */
static bool is_document(Str path)
{
    static const char *const exts[] = {".docx", ".xlsx", ".pptx", ".docm", ".xlsm",  ".pptm",
                                       ".odt",  ".ods",  ".odp",  ".epub", ".jar",   ".apk",
                                       ".war",  ".whl",  ".xpi",  ".key",  ".pages", ".numbers"};
    for (size_t i = 0; i < COUNT_OF(exts); i++)
        if (str_ends_nocase(path, str_from_c(exts[i])))
            return true;
    return false;
}

/* Is it worth unpacking the beginning only to see whether it is an archive? */
static bool named_like_archive(Str path)
{
    static const char *const exts[] = {".zip",  ".7z",  ".rar",  ".gz",   ".tgz",  ".bz2",
                                       ".tbz2", ".xz",  ".txz",  ".zst",  ".lz4",  ".tar",
                                       ".cab",  ".jar", ".cpio", ".lzma", ".docx", ".xlsx"};
    for (size_t i = 0; i < COUNT_OF(exts); i++)
        if (str_ends_nocase(path, str_from_c(exts[i])))
            return true;
    return false;
}

/* Decide by the first block what the file is, and where it goes. */
static ErrCode begin(Content *t, const void *block, size_t len, bool wanted, WalkInner *inner)
{
    int nested = t->w->args->nested;
    inner->found =
        nested != NESTED_KEEP && reader_sniff(block, len < HEAD_MAX ? len : HEAD_MAX) != NULL;
    inner->open = inner->found && nested == NESTED_OPEN && !is_document(t->e->path);
    t->in_memory = inner->found && t->e->size_bytes <= inner_max;
    if (inner->found && !t->in_memory) {
        inner->found = inner->open = false;
        step_note(t->w->c, str_printf(t->w->scratch, "too large to look into: " STR_FMT,
                                      STR_ARG(t->e->path)));
    }
    return wanted && !inner->open ? open_output(t) : OK;
}

/* Unpack the whole file. `first` and so on are its first block. */
static ErrCode take_all(Content *t, WalkLevel *l, const void *block, size_t len, int64_t offset,
                        bool wanted)
{
    ErrCode rc = OK;
    while (rc == OK && len > 0) {
        rc = put_at(t, block, len, offset, wanted);
        if (rc == OK)
            rc = reader_data(t->w->c, &l->reader, t->e->path, &block, &len, &offset);
    }
    /* A hole at the end leaves no block; the announced size does. */
    if (rc == OK && offset > t->size)
        rc = put_zeros(t, offset - t->size, wanted);
    return rc;
}

ErrCode content_take(Walk *w, WalkLevel *l, WalkEntry *e, bool wanted, WalkInner *inner)
{
    CLEANUP(content_done) Content t = {.w = w, .e = e, .fd = -1};
    const void *block = NULL;
    size_t len = 0;
    int64_t offset = 0;
    *inner = (WalkInner){0};
    bool stream = reader_is_stream(&l->reader) || e->size_bytes < 0;
    bool look = w->args->nested != NESTED_KEEP &&
                (named_like_archive(e->path) || reader_is_single(&l->reader));
    if (!wanted && !stream && (!look || (e->encrypted && w->args->password.len == 0))) {
        w->unpacked += e->size_bytes;
        return OK;
    }
    ErrCode rc = reader_data(w->c, &l->reader, e->path, &block, &len, &offset);
    if (rc == OK)
        rc = begin(&t, block, len, wanted, inner);
    if (rc == OK && !wanted && !stream && !inner->found) {
        w->unpacked += e->size_bytes; /* the rest is passed over */
        return OK;
    }
    if (rc == OK)
        rc = take_all(&t, l, block, len, offset, wanted);
    if (rc != OK)
        return rc;
    e->size_bytes = t.size;
    inner->found = inner->found && t.in_memory;
    inner->open = inner->found && inner->open;
    if (inner->found) {
        inner->bytes = (Str){t.memory, t.memory_len};
        inner->cap = (int64_t)t.memory_cap;
        w->buffered += inner->cap;
        t.memory = NULL;
    }
    return OK;
}

void content_inner_free(Walk *w, WalkInner *inner)
{
    w->buffered -= inner->cap;
    free((void *)(uintptr_t)inner->bytes.ptr);
    *inner = (WalkInner){0};
}
