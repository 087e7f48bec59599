/* archive_maker.h: archives for tests, good and hostile, byte by byte or by libarchive. */
#ifndef PLATEN_TESTS_ARCHIVE_MAKER_H
#define PLATEN_TESTS_ARCHIVE_MAKER_H

#include "base/buf.h"
#include "harness.h"

#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

typedef struct Made {
    const char *name; /* raw bytes */
    Str content;
    const char *link; /* symbolic link to this */
    size_t claims;    /* ZIP: announced size, when not 0 */
    int method;       /* ZIP: 0 as it is, 8 deflated, others unknown to everybody */
    bool hard;        /* tar: a hard link */
} Made;

static void put16(Buf *b, unsigned v)
{
    buf_add_char(b, (char)(v & 0xff));
    buf_add_char(b, (char)(v >> 8 & 0xff));
}

static void put32(Buf *b, size_t v)
{
    put16(b, (unsigned)(v & 0xffff));
    put16(b, (unsigned)(v >> 16 & 0xffff));
}

static Str deflated(Arena *a, Str s)
{
    z_stream z = {0};
    size_t cap = s.len + s.len / 100 + 100;
    char *out = arena_new(a, char, cap);
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -15, 9, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_in = (Bytef *)(uintptr_t)s.ptr;
    z.avail_in = (uInt)s.len;
    z.next_out = (Bytef *)out;
    z.avail_out = (uInt)cap;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return (Str){out, z.total_out};
}

static void put_zip_header(Buf *b, const Made *m, Str packed, bool central, size_t offset)
{
    put32(b, central ? 0x02014b50 : 0x04034b50);
    if (central)
        put16(b, 0x0314); /* made on Unix, so that links are links */
    put16(b, 20);
    put16(b, 0); /* flags: the name is "the system's" */
    put16(b, (unsigned)m->method);
    put32(b, 0x5cb19545); /* 2026-05-17 18:42:10 */
    put32(b, crc32(0, (const Bytef *)m->content.ptr, (uInt)m->content.len));
    put32(b, packed.len);
    put32(b, m->claims != 0 ? m->claims : m->content.len);
    put16(b, (unsigned)strlen(m->name));
    put16(b, 0);
    if (central) {
        put16(b, 0);
        put32(b, 0);
        put32(b, (size_t)(m->link != NULL ? 0120777u : 0100644u) << 16);
        put32(b, offset);
    }
    buf_add_c(b, m->name);
}

static Str make_zip(Arena *a, const Made *files, size_t count)
{
    Buf b = buf_init(a, 256 * MIB), dir = buf_init(a, 16 * MIB);
    for (size_t i = 0; i < count; i++) {
        Made m = files[i];
        if (m.link != NULL)
            m.content = str_from_c(m.link);
        Str packed = m.method == 8 ? deflated(a, m.content) : m.content;
        put_zip_header(&dir, &m, packed, true, b.len);
        put_zip_header(&b, &m, packed, false, 0);
        buf_add(&b, packed);
    }
    size_t at = b.len;
    buf_add(&b, buf_str(&dir));
    put32(&b, 0x06054b50);
    put32(&b, 0);
    put16(&b, (unsigned)count);
    put16(&b, (unsigned)count);
    put32(&b, dir.len);
    put32(&b, at);
    put16(&b, 0);
    assert_false(b.failed || dir.failed);
    return buf_str(&b);
}

/* By libarchive: format ("ustar", "pax", "7zip", "cpio", "gnutar", "zip", "raw", "ar" …) and filter
 * ("none", "gzip", "xz" …). */
static Str make_archive(Arena *a, const char *format, const char *filter, const char *password,
                        const Made *files, size_t count)
{
    size_t cap = 64 * MIB, used = 0;
    char *out = arena_new(a, char, cap);
    struct archive *w = archive_write_new();
    assert_int_equal(archive_write_set_format_by_name(w, format), ARCHIVE_OK);
    if (strcmp(filter, "none") != 0)
        assert_true(archive_write_add_filter_by_name(w, filter) >= ARCHIVE_WARN);
    if (password != NULL) {
        assert_int_equal(archive_write_set_options(w, "zip:encryption=aes256"), ARCHIVE_OK);
        assert_int_equal(archive_write_set_passphrase(w, password), ARCHIVE_OK);
    }
    archive_write_set_bytes_per_block(w, 0);
    assert_int_equal(archive_write_open_memory(w, out, cap, &used), ARCHIVE_OK);
    for (size_t i = 0; i < count; i++) {
        struct archive_entry *e = archive_entry_new();
        archive_entry_copy_pathname(e, files[i].name);
        archive_entry_set_filetype(e,
                                   files[i].link != NULL && !files[i].hard ? AE_IFLNK : AE_IFREG);
        archive_entry_set_perm(e, 0644);
        archive_entry_set_mtime(e, 1779036130, 0);
        archive_entry_set_size(e, files[i].link != NULL ? 0 : (la_int64_t)files[i].content.len);
        if (files[i].link != NULL && files[i].hard)
            archive_entry_copy_hardlink(e, files[i].link);
        else if (files[i].link != NULL)
            archive_entry_copy_symlink(e, files[i].link);
        assert_true(archive_write_header(w, e) >= ARCHIVE_WARN);
        if (files[i].link == NULL && files[i].content.len > 0)
            assert_int_equal(archive_write_data(w, files[i].content.ptr, files[i].content.len),
                             files[i].content.len);
        archive_entry_free(e);
    }
    assert_int_equal(archive_write_close(w), ARCHIVE_OK);
    archive_write_free(w);
    return (Str){out, used};
}

/* Compresses a thousandfold. (Zeros would make an empty tar.) */
static Str filled(Arena *a, size_t len)
{
    char *out = arena_new(a, char, len);
    memset(out, 'a', len);
    return (Str){out, len};
}

#endif
