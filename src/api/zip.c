#include "api/zip.h"
#include "base/fd.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

enum {
    LOCAL_SIGNATURE = 0x04034b50,
    CENTRAL_SIGNATURE = 0x02014b50,
    END64_SIGNATURE = 0x06064b50,
    LOCATOR64_SIGNATURE = 0x07064b50,
    END_SIGNATURE = 0x06054b50,
    VERSION_64 = 45,
    FLAG_UTF8 = 1 << 11,
    MADE_BY_UNIX = 3 << 8,
    EXTRA_64 = 0x0001,
    MODE_FILE = 0100644,
    COPY_BLOCK = 256 * 1024,
    HEADER_MAX = 64 * 1024,
    CRC_AT = 14, /* in a local header */
};
static const uint32_t FULL_32 = UINT32_MAX;
static const uint16_t FULL_16 = UINT16_MAX;

typedef struct Entry {
    Str name;
    int64_t size, offset;
    uint32_t crc;
} Entry;

struct Zip {
    BlobStore *blobs;
    Arena *arena;
    int fd;
    int64_t at;
    uint32_t dos_time;
    char *block;
    Entry *entries;
    size_t len, cap;
    Str *names; /* taken: of entries and of folders */
    size_t names_len;
    size_t *seen; /* open addressing over names, from 1; 0: free */
    size_t seen_cap;
};

/* --- names --- */

static uint64_t hash_name(Str s)
{
    uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < s.len; i++)
        h = (h ^ (unsigned char)s.ptr[i]) * UINT64_C(1099511628211);
    return h;
}

/* The slot of the name: holds it, or is free. */
static size_t *find_slot(Zip *z, Str name)
{
    size_t i = (size_t)hash_name(name) % z->seen_cap;
    while (z->seen[i] != 0 && !str_eq(z->names[z->seen[i] - 1], name))
        i = (i + 1) % z->seen_cap;
    return &z->seen[i];
}

/* "dir/a.pdf" and 2: "dir/a-2.pdf". */
static Str numbered(Arena *a, Str name, int64_t n)
{
    size_t slash = str_rfind_char(name, '/'), dot = str_rfind_char(name, '.');
    if (dot == STR_NONE || (slash != STR_NONE && dot < slash) || dot == 0)
        dot = name.len;
    return str_printf(a, STR_FMT "-%" PRId64 STR_FMT, STR_ARG(str_slice(name, 0, dot)), n,
                      STR_ARG(str_slice(name, dot, name.len)));
}

ErrCode zip_take_name(Zip *z, Str wanted, Str *out, Err *err)
{
    Str name = wanted;
    for (int64_t n = 2; name.ptr != NULL && *find_slot(z, name) != 0; n++)
        name = numbered(z->arena, wanted, n);
    if (name.ptr == NULL || z->names_len == 2 * z->cap)
        return err_set(err, ERR_NO_MEMORY, "no memory for an archive");
    *find_slot(z, name) = z->names_len + 1;
    z->names[z->names_len++] = name;
    *out = name;
    return OK;
}

/* --- records --- */

static void put(Buf *b, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_add_char(b, (char)(v >> (8 * i) & 0xFF));
}

static uint32_t clamp_32(int64_t v)
{
    return v >= (int64_t)FULL_32 ? FULL_32 : (uint32_t)v;
}

/* What a local header and one of the directory share, from "version needed" to "extra length". */
static void put_common(Buf *b, const Zip *z, const Entry *e, int extra)
{
    put(b, VERSION_64, 2);
    put(b, FLAG_UTF8, 2);
    put(b, 0, 2); /* stored */
    put(b, z->dos_time, 4);
    put(b, e->crc, 4);
    put(b, clamp_32(e->size), 4);
    put(b, clamp_32(e->size), 4);
    put(b, e->name.len, 2);
    put(b, (uint64_t)extra, 2);
}

static bool is_large(const Entry *e)
{
    return e->size >= (int64_t)FULL_32;
}

static void put_local(Buf *b, const Zip *z, const Entry *e)
{
    put(b, LOCAL_SIGNATURE, 4);
    put_common(b, z, e, is_large(e) ? 20 : 0);
    buf_add(b, e->name);
    if (!is_large(e))
        return;
    put(b, EXTRA_64, 2);
    put(b, 16, 2);
    put(b, (uint64_t)e->size, 8);
    put(b, (uint64_t)e->size, 8);
}

static void put_central(Buf *b, const Zip *z, const Entry *e)
{
    bool far = e->offset >= (int64_t)FULL_32;
    int fields = (is_large(e) ? 16 : 0) + (far ? 8 : 0);
    put(b, CENTRAL_SIGNATURE, 4);
    put(b, MADE_BY_UNIX | VERSION_64, 2);
    put_common(b, z, e, fields > 0 ? fields + 4 : 0);
    put(b, 0, 2); /* comment */
    put(b, 0, 2); /* disk */
    put(b, 0, 2); /* internal attributes */
    put(b, (uint64_t)MODE_FILE << 16, 4);
    put(b, clamp_32(e->offset), 4);
    buf_add(b, e->name);
    if (fields == 0)
        return;
    put(b, EXTRA_64, 2);
    put(b, (uint64_t)fields, 2);
    if (is_large(e)) {
        put(b, (uint64_t)e->size, 8);
        put(b, (uint64_t)e->size, 8);
    }
    if (far)
        put(b, (uint64_t)e->offset, 8);
}

static void put_end(Buf *b, const Zip *z, int64_t directory)
{
    int64_t size = z->at - directory, end64 = z->at;
    bool large = z->len >= FULL_16 || z->at >= (int64_t)FULL_32;
    if (large) {
        put(b, END64_SIGNATURE, 4);
        put(b, 44, 8); /* of the rest of this record */
        put(b, MADE_BY_UNIX | VERSION_64, 2);
        put(b, VERSION_64, 2);
        put(b, 0, 8); /* this disk, and that of the directory */
        put(b, z->len, 8);
        put(b, z->len, 8);
        put(b, (uint64_t)size, 8);
        put(b, (uint64_t)directory, 8);
        put(b, LOCATOR64_SIGNATURE, 4);
        put(b, 0, 4);
        put(b, (uint64_t)end64, 8);
        put(b, 1, 4);
    }
    uint64_t count = z->len >= FULL_16 ? FULL_16 : z->len;
    put(b, END_SIGNATURE, 4);
    put(b, 0, 4);
    put(b, count, 2);
    put(b, count, 2);
    put(b, clamp_32(size), 4);
    put(b, clamp_32(directory), 4);
    put(b, 0, 2);
}

/* --- writing --- */

static ErrCode write_record(Zip *z, const Buf *b, Err *err)
{
    if (b->failed)
        return err_set(err, ERR_NO_MEMORY, "no memory for an archive");
    ErrCode rc = fd_write_all(z->fd, b->ptr, b->len, err);
    z->at += (int64_t)b->len;
    return rc;
}

static ErrCode copy_bytes(Zip *z, int from, Entry *e, Err *err)
{
    int64_t copied = 0;
    uLong crc = crc32(0, NULL, 0);
    for (;;) {
        ssize_t n = read(from, z->block, COPY_BLOCK);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(err, ERR_IO, errno, "could not read a blob");
        if (n == 0)
            break;
        crc = crc32(crc, (const Bytef *)z->block, (uInt)n);
        ErrCode rc = fd_write_all(z->fd, z->block, (size_t)n, err);
        if (rc != OK)
            return rc;
        copied += n;
    }
    if (copied != e->size)
        return err_set(err, ERR_IO, "a blob has another size than its row says");
    e->crc = (uint32_t)crc;
    z->at += copied;
    return OK;
}

/* The sum is known after the bytes, its place is before them. */
static ErrCode set_crc(Zip *z, const Entry *e, Err *err)
{
    unsigned char bytes[4];
    for (int i = 0; i < 4; i++)
        bytes[i] = (unsigned char)(e->crc >> (8 * i));
    if (pwrite(z->fd, bytes, sizeof bytes, e->offset + CRC_AT) != sizeof bytes)
        return err_set_errno(err, ERR_IO, errno, "could not write an archive");
    return OK;
}

/* The local header; the sum in it is set after the bytes. */
static ErrCode begin_entry(Zip *z, Str wanted, Entry *e, Err *err)
{
    if (z->len == z->cap)
        return err_set(err, ERR_LIMIT_COUNT, "more than %zu files in an archive", z->cap);
    e->offset = z->at;
    ErrCode rc = zip_take_name(z, wanted.len > 0 ? wanted : STR("output"), &e->name, err);
    if (rc != OK)
        return rc;
    ArenaMark mark = arena_mark(z->arena);
    Buf b = buf_init(z->arena, HEADER_MAX);
    put_local(&b, z, e);
    rc = write_record(z, &b, err);
    arena_rewind(z->arena, mark);
    return rc;
}

static ErrCode end_entry(Zip *z, const Entry *e, Err *err)
{
    z->entries[z->len++] = *e;
    return set_crc(z, e, err);
}

ErrCode zip_add_blob(Zip *z, Str name, Str hash, Err *err)
{
    CLEANUP(fd_close) int from = -1;
    Entry e = {0};
    ErrCode rc = blob_open(z->blobs, hash, &from, &e.size, err);
    if (rc == OK)
        rc = begin_entry(z, name, &e, err);
    if (rc == OK)
        rc = copy_bytes(z, from, &e, err);
    return rc == OK ? end_entry(z, &e, err) : rc;
}

ErrCode zip_add_text(Zip *z, Str name, Str text, Err *err)
{
    Entry e = {.size = (int64_t)text.len};
    ErrCode rc = begin_entry(z, name, &e, err);
    if (rc == OK)
        rc = fd_write_all(z->fd, text.ptr, text.len, err);
    if (rc != OK)
        return rc;
    e.crc = (uint32_t)crc32(crc32(0, NULL, 0), (const Bytef *)text.ptr, (uInt)text.len);
    z->at += e.size;
    return end_entry(z, &e, err);
}

static ErrCode write_directory(Zip *z, Err *err)
{
    int64_t directory = z->at;
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < z->len; i++) {
        ArenaMark mark = arena_mark(z->arena);
        Buf b = buf_init(z->arena, HEADER_MAX);
        put_central(&b, z, &z->entries[i]);
        rc = write_record(z, &b, err);
        arena_rewind(z->arena, mark);
    }
    if (rc != OK)
        return rc;
    Buf b = buf_init(z->arena, HEADER_MAX);
    put_end(&b, z, directory);
    return write_record(z, &b, err);
}

static uint32_t dos_time(int64_t ms)
{
    struct tm t = {0};
    time_t s = (time_t)(ms / 1000);
    gmtime_r(&s, &t);
    int year = t.tm_year < 80 ? 0 : t.tm_year - 80;
    return (uint32_t)(year << 25 | (t.tm_mon + 1) << 21 | t.tm_mday << 16 | t.tm_hour << 11 |
                      t.tm_min << 5 | t.tm_sec / 2);
}

ErrCode zip_begin(BlobStore *blobs, size_t files_max, int64_t time_ms, Arena *a, int fd, Zip **out,
                  Err *err)
{
    Zip *z = arena_new(a, Zip, 1);
    if (z == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for an archive");
    *z = (Zip){
        .blobs = blobs, .arena = a, .fd = fd, .dos_time = dos_time(time_ms), .cap = files_max};
    z->seen_cap = 4 * files_max + 1;
    z->entries = arena_new(a, Entry, files_max);
    z->names = arena_new(a, Str, 2 * files_max);
    z->seen = arena_new(a, size_t, z->seen_cap);
    z->block = arena_alloc_raw(a, COPY_BLOCK);
    if (z->entries == NULL || z->names == NULL || z->seen == NULL || z->block == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory for an archive of %zu files", files_max);
    *out = z;
    return OK;
}

ErrCode zip_finish(Zip *z, Err *err)
{
    ErrCode rc = write_directory(z, err);
    if (rc == OK && lseek(z->fd, 0, SEEK_SET) != 0)
        rc = err_set_errno(err, ERR_IO, errno, "could not rewind an archive");
    return rc;
}

ErrCode zip_write(BlobStore *blobs, const JobFile *files, size_t len, int64_t time_ms, Arena *a,
                  int fd, Err *err)
{
    Zip *z = NULL;
    ErrCode rc = zip_begin(blobs, len, time_ms, a, fd, &z, err);
    for (size_t i = 0; rc == OK && i < len; i++)
        rc = zip_add_blob(z, files[i].name, files[i].hash, err);
    return rc == OK ? zip_finish(z, err) : rc;
}
