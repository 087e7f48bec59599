#include "document/zip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/fault.h"

enum {
    LOCAL_SIZE = 30,
    CENTRAL_SIZE = 46,
    END_SIZE = 22,
    END64_SIZE = 56,
    LOCATOR64_SIZE = 20,
    COMMENT_MAX = 65535,
    FLAG_ENCRYPTED = 1,
    FLAG_STREAMED = 8, /* sizes stand behind the data */
    METHOD_STORED = 0,
    METHOD_DEFLATE = 8,
    METHOD_AES = 99,
};

struct ZipStream {
    Zip *zip;
    const ZipEntry *entry;
    z_stream z;
    const unsigned char
        *at; /* packed bytes not yet handed to zlib, or stored bytes not yet given out */
    uint64_t left;
    uint64_t given;
    uint32_t crc;
    bool cut; /* the archive ends before the entry does */
    bool ended;
};

static uint16_t le16(const char *p)
{
    const unsigned char *b = (const unsigned char *)p;
    return (uint16_t)(b[0] | b[1] << 8);
}

static uint32_t le32(const char *p)
{
    return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static uint64_t le64(const char *p)
{
    return le32(p) | (uint64_t)le32(p + 4) << 32;
}

static bool has_bytes(Str s, uint64_t at, uint64_t size)
{
    return at <= s.len && size <= s.len - at;
}

static bool is_at(Str s, uint64_t at, const char signature[4])
{
    return has_bytes(s, at, 4) && memcmp(s.ptr + at, signature, 4) == 0;
}

/* ---- the directory ---- */

typedef struct Directory {
    uint64_t at, size, count;
} Directory;

static bool find_end(Str s, uint64_t *out)
{
    if (s.len < END_SIZE)
        return false;
    uint64_t lowest = s.len > END_SIZE + COMMENT_MAX ? s.len - END_SIZE - COMMENT_MAX : 0;
    for (uint64_t at = s.len - END_SIZE;; at--) {
        if (is_at(s, at, "PK\5\6")) {
            *out = at;
            return true;
        }
        if (at == lowest)
            return false;
    }
}

static bool find_directory(Str s, Directory *out)
{
    uint64_t end = 0;
    if (!find_end(s, &end))
        return false;
    const char *p = s.ptr + end;
    Directory d = {.count = le16(p + 10), .size = le32(p + 12), .at = le32(p + 16)};
    uint64_t after = end;

    if (end >= LOCATOR64_SIZE && is_at(s, end - LOCATOR64_SIZE, "PK\6\7")) {
        uint64_t end64 = le64(s.ptr + end - LOCATOR64_SIZE + 8);
        if (is_at(s, end64, "PK\6\6") && has_bytes(s, end64, END64_SIZE)) {
            p = s.ptr + end64;
            d = (Directory){.count = le64(p + 32), .size = le64(p + 40), .at = le64(p + 48)};
            after = end64;
        }
    }
    /* Bytes put in front of the archive shift every offset; the directory still ends where the end
     * record starts. */
    if (!is_at(s, d.at, "PK\1\2") && d.size <= after)
        d.at = after - d.size;
    if (d.count == 0 || !is_at(s, d.at, "PK\1\2"))
        return false;
    *out = d;
    return true;
}

/* Sizes and offset that did not fit into 32 bits stand in extra field 1, in this order, only those
 * that are needed. */
static void read_extra64(Str extra, ZipEntry *e)
{
    for (size_t at = 0; at + 4 <= extra.len;) {
        uint16_t id = le16(extra.ptr + at), size = le16(extra.ptr + at + 2);
        at += 4;
        if (size > extra.len - at)
            return;
        if (id == 1) {
            uint64_t *wide[] = {&e->size, &e->packed, &e->header};
            size_t used = 0;
            for (size_t i = 0; i < COUNT_OF(wide); i++) {
                if (*wide[i] == UINT32_MAX && used + 8 <= size) {
                    *wide[i] = le64(extra.ptr + at + used);
                    used += 8;
                }
            }
            return;
        }
        at += size;
    }
}

/* One directory record; 0 when it is not one, else its length. */
static uint64_t read_central(Str s, uint64_t at, ZipEntry *out)
{
    if (!is_at(s, at, "PK\1\2") || !has_bytes(s, at, CENTRAL_SIZE))
        return 0;
    const char *p = s.ptr + at;
    uint64_t name = le16(p + 28), extra = le16(p + 30), comment = le16(p + 32);
    if (!has_bytes(s, at, CENTRAL_SIZE + name + extra))
        return 0;
    *out = (ZipEntry){
        .name = {p + CENTRAL_SIZE, name},
        .header = le32(p + 42),
        .packed = le32(p + 20),
        .size = le32(p + 24),
        .crc = le32(p + 16),
        .method = le16(p + 10),
        .encrypted = (le16(p + 8) & FLAG_ENCRYPTED) != 0,
        .trusted = true,
    };
    read_extra64((Str){p + CENTRAL_SIZE + name, extra}, out);
    return CENTRAL_SIZE + name + extra + comment;
}

static ErrCode add_entry(Arena *a, Zip *z, size_t *cap, const ZipEntry *e, Err *err)
{
    if (z->len == ZIP_ENTRIES_MAX)
        return err_set(err, ERR_LIMIT_COUNT, "more than %d entries in the archive",
                       ZIP_ENTRIES_MAX);
    if (z->len == *cap) {
        size_t more = *cap ? *cap * 2 : 64;
        ZipEntry *grown =
            arena_grow(a, z->entries, *cap * sizeof(ZipEntry), more * sizeof(ZipEntry));
        if (grown == NULL)
            return err_set(err, ERR_NO_MEMORY, "listing %zu entries", z->len);
        z->entries = grown;
        *cap = more;
    }
    z->entries[z->len++] = *e;
    return OK;
}

static ErrCode read_directory(Arena *a, Zip *z, Err *err)
{
    Directory d;
    if (!find_directory(z->bytes, &d))
        return OK;
    size_t cap = 0;
    uint64_t at = d.at;
    for (uint64_t i = 0; i < d.count; i++) {
        ZipEntry e;
        uint64_t step = read_central(z->bytes, at, &e);
        if (step == 0)
            break;
        /* A prefix shifts the headers too: the directory's own offset is off by the same. */
        if (!is_at(z->bytes, e.header, "PK\3\4")) {
            z->len = 0;
            return OK;
        }
        at += step;
        ErrCode rc = add_entry(a, z, &cap, &e, err);
        if (rc != OK)
            return rc;
    }
    return OK;
}

/* ---- without a directory ---- */

static uint64_t next_signature(Str s, uint64_t from)
{
    for (uint64_t at = from; has_bytes(s, at, 4); at++) {
        const char *p = memchr(s.ptr + at, 'P', s.len - at - 3);
        if (p == NULL)
            break;
        at = (uint64_t)(p - s.ptr);
        if (is_at(s, at, "PK\3\4") || is_at(s, at, "PK\1\2") || is_at(s, at, "PK\7\10"))
            return at;
    }
    return s.len;
}

static ErrCode search_entries(Arena *a, Zip *z, Err *err)
{
    Str s = z->bytes;
    size_t cap = 0;
    z->repaired = true;
    z->entries = NULL;
    for (uint64_t at = next_signature(s, 0); has_bytes(s, at, LOCAL_SIZE);) {
        const char *p = s.ptr + at;
        uint64_t name = le16(p + 26), extra = le16(p + 28), data = at + LOCAL_SIZE + name + extra;
        if (!is_at(s, at, "PK\3\4") || data > s.len) {
            at = next_signature(s, at + 4);
            continue;
        }
        ZipEntry e = {
            .name = {p + LOCAL_SIZE, name},
            .header = at,
            .packed = le32(p + 18),
            .size = le32(p + 22),
            .crc = le32(p + 14),
            .method = le16(p + 8),
            .encrypted = (le16(p + 6) & FLAG_ENCRYPTED) != 0,
        };
        e.trusted = !(le16(p + 6) & FLAG_STREAMED) && has_bytes(s, data, e.packed);
        at = e.trusted ? next_signature(s, data + e.packed) : next_signature(s, data);
        if (!e.trusted)
            e.packed = at - data; /* deflate knows its own end */
        ErrCode rc = add_entry(a, z, &cap, &e, err);
        if (rc != OK)
            return rc;
    }
    return OK;
}

/* ---- opening ---- */

static int by_header(const void *a, const void *b)
{
    const ZipEntry *x = *(const ZipEntry *const *)a, *y = *(const ZipEntry *const *)b;
    return x->header < y->header ? -1 : x->header > y->header;
}

/* Entries that share their packed bytes make a small file claim many times its size. */
static ErrCode refuse_overlap(Arena *a, const Zip *z, Err *err)
{
    ArenaMark mark = arena_mark(a);
    const ZipEntry **sorted = arena_new(a, const ZipEntry *, z->len);
    if (sorted == NULL)
        return err_set(err, ERR_NO_MEMORY, "checking %zu entries", z->len);
    for (size_t i = 0; i < z->len; i++)
        sorted[i] = &z->entries[i];
    qsort(sorted, z->len, sizeof(sorted[0]), by_header);
    ErrCode rc = OK;
    for (size_t i = 1; i < z->len && rc == OK; i++) {
        const ZipEntry *before = sorted[i - 1], *e = sorted[i];
        bool same = before->header == e->header && str_eq(before->name, e->name);
        if (!same && e->header - before->header < LOCAL_SIZE + before->packed)
            rc = err_set(err, ERR_LIMIT_RATIO, "entries of the archive overlap");
    }
    arena_rewind(a, mark);
    return rc;
}

/* Office encrypts a whole document by putting it into an OLE container with a stream of this name
 * (UTF-16). */
static ErrCode refuse_ole(Str bytes, Err *err)
{
    static const char encrypted[] = "E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e";
    if (str_find(bytes, (Str){encrypted, sizeof(encrypted) - 1}) != STR_NONE)
        return err_set(err, ERR_INPUT_ENCRYPTED, "the document is encrypted with a password");
    return err_set(err, ERR_UNSUPPORTED_TYPE, "an OLE container, not a ZIP archive");
}

ErrCode zip_open(Arena *a, Str bytes, Zip *out, Err *err)
{
    if (bytes.len == 0)
        return err_set(err, ERR_INPUT_EMPTY, "the file has 0 bytes");
    if (str_starts(bytes, STR("\xd0\xcf\x11\xe0")))
        return refuse_ole(bytes, err);
    Zip z = {.bytes = bytes};
    ErrCode rc = read_directory(a, &z, err);
    if (rc == OK && z.len == 0)
        rc = search_entries(a, &z, err);
    if (rc != OK)
        return rc;
    if (z.len == 0)
        return err_set(err, ERR_INPUT_DAMAGED, "no ZIP entry in the file");
    rc = refuse_overlap(a, &z, err);
    if (rc == OK)
        *out = z;
    return rc;
}

static bool same_path(Str a, Str b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++) {
        char x = a.ptr[i] == '\\' ? '/' : a.ptr[i], y = b.ptr[i] == '\\' ? '/' : b.ptr[i];
        x = x >= 'A' && x <= 'Z' ? (char)(x + 32) : x;
        y = y >= 'A' && y <= 'Z' ? (char)(y + 32) : y;
        if (x != y)
            return false;
    }
    return true;
}

static Str without_slash(Str s)
{
    return s.len > 0 && (s.ptr[0] == '/' || s.ptr[0] == '\\') ? str_slice(s, 1, s.len) : s;
}

const ZipEntry *zip_find(const Zip *z, Str name)
{
    name = without_slash(name);
    for (size_t i = 0; i < z->len; i++)
        if (str_eq(z->entries[i].name, name))
            return &z->entries[i];
    for (size_t i = 0; i < z->len; i++)
        if (same_path(without_slash(z->entries[i].name), name))
            return &z->entries[i];
    return NULL;
}

/* ---- reading ---- */

static ErrCode refuse_ratio(const ZipEntry *e, Err *err)
{
    return err_set(err, ERR_LIMIT_RATIO, "\"" STR_FMT "\" expands to more than %d times its size",
                   STR_ARG(str_slice(e->name, 0, 80)), ZIP_RATIO_MAX);
}

static bool is_bomb(const ZipEntry *e, uint64_t size)
{
    return size > ZIP_RATIO_FREE && size / ZIP_RATIO_MAX > e->packed;
}

static ErrCode check_readable(const ZipEntry *e, Err *err)
{
    Str name = str_slice(e->name, 0, 80);
    if (e->encrypted || e->method == METHOD_AES)
        return err_set(err, ERR_INPUT_ENCRYPTED, "\"" STR_FMT "\" is encrypted", STR_ARG(name));
    if (e->method != METHOD_STORED && e->method != METHOD_DEFLATE)
        return err_set(err, ERR_UNSUPPORTED_TYPE, "\"" STR_FMT "\" uses compression method %d",
                       STR_ARG(name), e->method);
    if (e->trusted && is_bomb(e, e->size))
        return refuse_ratio(e, err);
    return OK;
}

ErrCode zip_stream_open(Zip *z, const ZipEntry *e, ZipStream **out, Err *err)
{
    ErrCode rc = check_readable(e, err);
    if (rc != OK)
        return rc;
    if (!is_at(z->bytes, e->header, "PK\3\4") || !has_bytes(z->bytes, e->header, LOCAL_SIZE))
        return err_set(err, ERR_INPUT_DAMAGED, "no local header for \"" STR_FMT "\"",
                       STR_ARG(str_slice(e->name, 0, 80)));
    const char *p = z->bytes.ptr + e->header;
    uint64_t data = e->header + LOCAL_SIZE + le16(p + 26) + le16(p + 28);
    uint64_t there = data < z->bytes.len ? z->bytes.len - data : 0;

    ZipStream *s = fault_hit("zip.stream") ? NULL : calloc(1, sizeof(*s));
    if (s == NULL)
        return err_set(err, ERR_NO_MEMORY, "opening an archive entry");
    s->zip = z;
    s->entry = e;
    s->left = e->packed < there ? e->packed : there;
    s->cut = e->packed > there;
    s->at = (const unsigned char *)z->bytes.ptr + (s->left > 0 ? data : 0);
    if (inflateInit2(&s->z, -MAX_WBITS) != Z_OK) {
        free(s);
        return err_set(err, ERR_NO_MEMORY, "opening an archive entry");
    }
    *out = s;
    return OK;
}

void zip_stream_close(ZipStream **s)
{
    if (*s == NULL)
        return;
    inflateEnd(&(*s)->z);
    free(*s);
    *s = NULL;
}

static ErrCode damaged(const ZipStream *s, const char *what, Err *err)
{
    return err_set(err, ERR_INPUT_DAMAGED, "\"" STR_FMT "\" %s",
                   STR_ARG(str_slice(s->entry->name, 0, 80)), what);
}

static size_t read_stored(ZipStream *s, void *buffer, size_t size)
{
    size_t n = s->left < size ? (size_t)s->left : size;
    memcpy(buffer, s->at, n);
    s->at += n;
    s->left -= n;
    s->ended = s->left == 0;
    return n;
}

static ErrCode read_deflated(ZipStream *s, void *buffer, size_t size, size_t *got, Err *err)
{
    s->z.next_out = buffer;
    s->z.avail_out = size < UINT32_MAX ? (uInt)size : UINT32_MAX;
    uInt room = s->z.avail_out;
    while (s->z.avail_out > 0 && !s->ended) {
        if (s->z.avail_in == 0 && s->left > 0) {
            s->z.next_in = (unsigned char *)s->at;
            s->z.avail_in = s->left < (1U << 30) ? (uInt)s->left : 1U << 30;
            s->at += s->z.avail_in;
            s->left -= s->z.avail_in;
        }
        int rc = inflate(&s->z, Z_NO_FLUSH);
        if (rc == Z_STREAM_END)
            s->ended = true;
        else if (rc == Z_MEM_ERROR)
            return err_set(err, ERR_NO_MEMORY, "inflating an archive entry");
        else if (rc != Z_OK) {
            *got = room - s->z.avail_out;
            return *got > 0 ? OK /* what is readable first; the next call comes back here */
                            : damaged(s, s->cut ? "is cut short" : "cannot be inflated", err);
        }
    }
    *got = room - s->z.avail_out;
    return OK;
}

ErrCode zip_stream_read(ZipStream *s, void *buffer, size_t size, size_t *got, Err *err)
{
    size_t n = 0;
    if (!s->ended) {
        ErrCode rc = OK;
        if (s->entry->method == METHOD_STORED)
            n = read_stored(s, buffer, size);
        else
            rc = read_deflated(s, buffer, size, &n, err);
        if (rc != OK)
            return rc;
    }
    s->given += n;
    s->zip->expanded += n;
    s->crc = (uint32_t)crc32(s->crc, buffer, (uInt)n);
    if (is_bomb(s->entry, s->given))
        return refuse_ratio(s->entry, err);
    if (s->zip->expanded > ZIP_TOTAL_MAX)
        return err_set(err, ERR_LIMIT_RATIO, "the archive expands to more than %zu bytes",
                       (size_t)ZIP_TOTAL_MAX);
    if (n == 0 && s->entry->trusted && s->crc != s->entry->crc)
        return damaged(s, s->cut ? "is cut short" : "has a wrong checksum", err);
    *got = n;
    return OK;
}

ErrCode zip_read(Zip *z, const ZipEntry *e, Arena *a, size_t max, Str *out, Err *err)
{
    CLEANUP(zip_stream_close) ZipStream *s = NULL;
    ErrCode rc = zip_stream_open(z, e, &s, err);
    if (rc != OK)
        return rc;
    Buf b = buf_init(a, max + 1);
    for (size_t got = 1; got > 0; buf_wrote(&b, got)) {
        if (b.len > max)
            return err_set(err, ERR_INPUT_TOO_LARGE, "\"" STR_FMT "\" exceeds %zu bytes",
                           STR_ARG(str_slice(e->name, 0, 80)), max);
        size_t room = max + 1 - b.len < 64 * KIB ? max + 1 - b.len : 64 * KIB;
        char *to = buf_room(&b, room);
        if (to == NULL)
            return err_set(err, ERR_NO_MEMORY, "reading an archive entry");
        rc = zip_stream_read(s, to, room, &got, err);
        if (rc != OK)
            return rc;
    }
    *out = buf_str(&b);
    return OK;
}
