#include "document/zip_write.h"

#include "base/fault.h"
#include "base/fd.h"

#include <string.h>
#include <zlib.h>

enum {
    ENTRIES_MAX = 65000,
    STORED_MAX = 4096,
    CHUNK = 32 << 10,
    SIGNATURE_LOCAL = 0x04034b50,
    SIGNATURE_SIZES = 0x08074b50,
    SIGNATURE_ENTRY = 0x02014b50,
    SIGNATURE_END = 0x06054b50,
    FLAG_SIZES_FOLLOW = 8,
    FLAG_UTF8 = 0x800,
    DATE_1980 = 0x21,
};

struct ZipOut {
    Arena *arena;
    int fd;
    Err err;
    uint64_t at; /* bytes written */
    z_stream deflate;
    bool deflating, entry_open, stored;
    char small[STORED_MAX]; /* of a stored entry */
    Str name;
    uint32_t crc;
    uint64_t size, packed, header;
    Buf directory;
    size_t entries;
    unsigned char chunk[CHUNK];
};

static voidpf take(voidpf arg, uInt items, uInt size)
{
    return fault_hit("zip_write.deflate") ? NULL : arena_alloc(arg, (size_t)items * size);
}

static void give(voidpf arg, voidpf p)
{
    (void)arg, (void)p; /* the arena goes as a whole */
}

ZipOut *zip_out_open(Arena *a, int fd)
{
    ZipOut *z = arena_new(a, ZipOut, 1);
    if (z == NULL)
        return NULL;
    z->arena = a;
    z->fd = fd;
    z->directory = buf_init(a, 16 * MIB);
    z->deflate = (z_stream){.zalloc = take, .zfree = give, .opaque = a};
    return z;
}

static void fail(ZipOut *z, ErrCode code, const char *what)
{
    if (z->err.code == OK)
        err_set(&z->err, code, "%s", what);
}

static void put_raw(ZipOut *z, const void *bytes, size_t len)
{
    Err err = {0};
    if (z->err.code != OK || len == 0)
        return;
    if (fd_write_all(z->fd, bytes, len, &err) != OK)
        z->err = err;
    z->at += len;
    if (z->at > UINT32_MAX)
        fail(z, ERR_LIMIT_OUTPUT, "the archive would be larger than 4 GiB");
}

static void add_number(Buf *b, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_add_char(b, (char)(i < 8 ? v >> (8 * i) : 0));
}

static int flags_of(const ZipOut *z)
{
    return FLAG_UTF8 | (z->stored ? 0 : FLAG_SIZES_FOLLOW);
}

/* What local header and directory have in common: version to date. */
static void add_head(const ZipOut *z, Buf *b)
{
    add_number(b, 20, 2);
    add_number(b, (uint64_t)flags_of(z), 2);
    add_number(b, z->stored ? 0 : 8, 2);
    add_number(b, 0, 2);
    add_number(b, DATE_1980, 2);
}

static void add_sizes(const ZipOut *z, Buf *b, bool known)
{
    add_number(b, known ? z->crc : 0, 4);
    add_number(b, known ? z->packed : 0, 4);
    add_number(b, known ? z->size : 0, 4);
}

static void put_local_header(ZipOut *z)
{
    ArenaMark mark = arena_mark(z->arena);
    Buf b = buf_init(z->arena, 4 * KIB);
    add_number(&b, SIGNATURE_LOCAL, 4);
    add_head(z, &b);
    add_sizes(z, &b, z->stored);
    add_number(&b, z->name.len, 2);
    add_number(&b, 0, 2);
    buf_add(&b, z->name);
    if (b.failed)
        fail(z, ERR_LIMIT_MEMORY, "writing an entry of the archive");
    z->header = z->at;
    put_raw(z, b.ptr, b.failed ? 0 : b.len);
    arena_rewind(z->arena, mark);
}

static void deflate_some(ZipOut *z, Str in, int flush)
{
    z->deflate.next_in = (Bytef *)(uintptr_t)in.ptr;
    z->deflate.avail_in = (uInt)in.len;
    for (;;) {
        z->deflate.next_out = z->chunk;
        z->deflate.avail_out = CHUNK;
        int rc = deflate(&z->deflate, flush);
        if (rc == Z_STREAM_ERROR) {
            fail(z, ERR_INTERNAL, "packing an entry of the archive");
            return;
        }
        size_t made = CHUNK - z->deflate.avail_out;
        z->packed += made;
        put_raw(z, z->chunk, made);
        if (z->deflate.avail_out != 0)
            return;
    }
}

static void add_to_directory(ZipOut *z)
{
    Buf *b = &z->directory;
    add_number(b, SIGNATURE_ENTRY, 4);
    add_number(b, 20, 2);
    add_head(z, b);
    add_sizes(z, b, true);
    add_number(b, z->name.len, 2);
    add_number(b, 0, 12); /* extra, comment, disk, attributes */
    add_number(b, z->header, 4);
    buf_add(b, z->name);
    z->entries++;
    if (b->failed || z->entries > ENTRIES_MAX)
        fail(z, ERR_LIMIT_COUNT, "the archive has too many entries");
}

static void put_sizes_after(ZipOut *z)
{
    char room[16];
    Buf b = {.ptr = room, .cap = sizeof room, .ceiling = sizeof room};
    add_number(&b, SIGNATURE_SIZES, 4);
    add_sizes(z, &b, true);
    put_raw(z, b.ptr, b.len);
}

static void end_entry(ZipOut *z)
{
    if (!z->entry_open)
        return;
    z->entry_open = false;
    if (z->stored) {
        z->packed = z->size;
        put_local_header(z);
        put_raw(z, z->small, (size_t)z->size);
    } else {
        deflate_some(z, STR(""), Z_FINISH);
        put_sizes_after(z);
    }
    if (z->err.code == OK)
        add_to_directory(z);
}

void zip_out_entry(ZipOut *z, const char *name, bool stored)
{
    end_entry(z);
    if (z->err.code != OK)
        return;
    z->name = str_copy(z->arena, str_from_c(name));
    z->stored = stored;
    z->crc = (uint32_t)crc32(0, NULL, 0);
    z->size = z->packed = 0;
    bool ready = z->deflating || stored;
    if (!ready)
        ready = z->deflating = deflateInit2(&z->deflate, Z_DEFAULT_COMPRESSION, Z_DEFLATED,
                                            -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK;
    else if (!stored)
        deflateReset(&z->deflate);
    if (!ready || z->name.ptr == NULL) {
        fail(z, ERR_LIMIT_MEMORY, "beginning an entry of the archive");
        return;
    }
    z->entry_open = true;
    if (!stored)
        put_local_header(z);
}

void zip_out_put(ZipOut *z, Str bytes)
{
    if (z->err.code != OK || !z->entry_open || bytes.len == 0)
        return;
    if (z->stored && z->size + bytes.len > STORED_MAX) {
        fail(z, ERR_INTERNAL, "a stored entry of the archive is too long");
        return;
    }
    z->crc = (uint32_t)crc32_z(z->crc, (const Bytef *)bytes.ptr, bytes.len);
    if (z->stored)
        memcpy(z->small + z->size, bytes.ptr, bytes.len);
    z->size += bytes.len;
    for (; !z->stored && bytes.len > 0 && z->err.code == OK;) {
        size_t n = bytes.len < (1u << 30) ? bytes.len : 1u << 30;
        deflate_some(z, str_slice(bytes, 0, n), Z_NO_FLUSH);
        bytes = str_slice(bytes, n, bytes.len);
    }
}

ErrCode zip_out_end(ZipOut *z, Err *err)
{
    end_entry(z);
    uint64_t start = z->at, len = z->directory.len;
    Buf *b = &z->directory;
    add_number(b, SIGNATURE_END, 4);
    add_number(b, 0, 4);
    add_number(b, z->entries, 2);
    add_number(b, z->entries, 2);
    add_number(b, len, 4);
    add_number(b, start, 4);
    add_number(b, 0, 2);
    if (b->failed)
        fail(z, ERR_LIMIT_MEMORY, "ending the archive");
    put_raw(z, b->ptr, b->failed ? 0 : b->len);
    if (z->err.code != OK && err != NULL)
        *err = z->err;
    return z->err.code;
}

void zip_out_drop(ZipOut **z)
{
    if (*z != NULL && (*z)->deflating)
        deflateEnd(&(*z)->deflate);
    *z = NULL;
}
