/* office.h: for the tests of the office readers: a ZIP file made of strings, and a reader's output
 * as text. */
#ifndef PLATEN_TESTS_DOCUMENT_OFFICE_H
#define PLATEN_TESTS_DOCUMENT_OFFICE_H

#include <zlib.h>

#include "document/charset.h"
#include "document/readers.h"
#include "unit/document/sink.h"

typedef struct TestPart {
    const char *name, *text;
} TestPart;

static inline void put16(Buf *b, unsigned v)
{
    buf_add_char(b, (char)(v & 0xFF));
    buf_add_char(b, (char)(v >> 8 & 0xFF));
}

static inline void put32(Buf *b, size_t v)
{
    put16(b, (unsigned)(v & 0xFFFF));
    put16(b, (unsigned)(v >> 16 & 0xFFFF));
}

static inline Str test_deflate(Arena *a, Str s)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 9, Z_DEFAULT_STRATEGY), Z_OK);
    size_t room = deflateBound(&z, s.len);
    char *out = arena_alloc_raw(a, room);
    assert_non_null(out);
    z.next_in = (unsigned char *)(uintptr_t)s.ptr;
    z.avail_in = (uInt)s.len;
    z.next_out = (unsigned char *)out;
    z.avail_out = (uInt)room;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return (Str){out, room - z.avail_out};
}

static inline void put_header_fields(Buf *b, unsigned flags, unsigned method, size_t crc,
                                     size_t packed, size_t size, size_t name)
{
    put16(b, 20);
    put16(b, flags);
    put16(b, method);
    put32(b, 0);
    put32(b, crc);
    put32(b, packed);
    put32(b, size);
    put16(b, (unsigned)name);
    put16(b, 0);
}

/* Local header and data; what the directory needs is added to `directory`. */
static inline void test_zip_entry(Arena *a, Buf *b, Buf *directory, Str name, Str text, bool stored,
                                  unsigned flags)
{
    Str packed = stored ? text : test_deflate(a, text);
    size_t crc = crc32(0, (const unsigned char *)text.ptr, (uInt)text.len), at = b->len;
    buf_add(b, STR("PK\3\4"));
    put_header_fields(b, flags, stored ? 0 : 8, crc, packed.len, text.len, name.len);
    buf_add(b, name);
    buf_add(b, packed);
    buf_add(directory, STR("PK\1\2"));
    put16(directory, 20);
    put_header_fields(directory, flags, stored ? 0 : 8, crc, packed.len, text.len, name.len);
    put16(directory, 0); /* comment */
    put16(directory, 0); /* disk */
    put16(directory, 0);
    put32(directory, 0);
    put32(directory, at);
    buf_add(directory, name);
}

static inline Str test_zip_end(Buf *b, Buf *directory, unsigned count)
{
    size_t at = b->len;
    buf_add(b, buf_str(directory));
    buf_add(b, STR("PK\5\6"));
    put32(b, 0);
    put16(b, count);
    put16(b, count);
    put32(b, directory->len);
    put32(b, at);
    put16(b, 0);
    assert_false(b->failed || directory->failed);
    return buf_str(b);
}

/* Parts until one without a name; every second one is stored, the others deflated. */
static inline Str test_zip(Arena *a, const TestPart *parts)
{
    Buf b = buf_init(a, 128 * MIB), directory = buf_init(a, 1 * MIB);
    unsigned count = 0;
    for (; parts[count].name != NULL; count++)
        test_zip_entry(a, &b, &directory, str_from_c(parts[count].name),
                       str_from_c(parts[count].text), count % 2 == 1, 0);
    return test_zip_end(&b, &directory, count);
}

/* What `reader` makes of `bytes`, in s (sink_open first). */
static inline ErrCode test_read(Sink *s, DocReader reader, Str bytes, DocFormat format,
                                bool comments)
{
    Doc *d = NULL;
    DocInput in = {.step = &s->step,
                   .fd = -1,
                   .bytes = bytes,
                   .name = STR("test"),
                   .password = STR(""),
                   .pages = STR(""),
                   .comments = comments,
                   .charset = STR(""),
                   .attachments = ATTACHMENTS_LIST};
    ErrCode rc = doc_open(&s->step, format, &d);
    if (rc == OK)
        rc = reader(&in, d);
    if (rc != OK) {
        doc_abandon(&d);
        return rc;
    }
    return doc_close(&d);
}

/* The Markdown that `reader` makes of `bytes` must be `want`. */
static inline void check_markdown(DocReader reader, Str bytes, bool comments, const char *want)
{
    Sink s;
    sink_open(&s, "test");
    assert_ok(test_read(&s, reader, bytes, DOC_MARKDOWN, comments), &s.err);
    assert_str_equal(sink_text(&s), want);
    sink_close(&s);
}

static inline void check_refused(DocReader reader, Str bytes, ErrCode want)
{
    Sink s;
    sink_open(&s, "test");
    ErrCode got = test_read(&s, reader, bytes, DOC_MARKDOWN, false);
    if (got != want)
        fail_msg("got %s, want %s", err_reason(got), err_reason(want));
    assert_true(s.err.text[0] != 0);
    sink_close(&s);
}

/* Any failure of memory, disk or a library ends in a reason and leaks nothing (the sanitizer
 * looks). */
static inline void check_every_fault(DocReader reader, Str bytes)
{
#ifdef PLATEN_FAULTS
    for (int nth = 1;; nth++) {
        Sink s;
        sink_open(&s, "test");
        fault_arm(nth);
        ErrCode rc = test_read(&s, reader, bytes, DOC_MARKDOWN, true);
        bool delivered = fault_disarm();
        if (rc != OK)
            assert_true(s.err.text[0] != 0);
        sink_close(&s);
        if (!delivered) {
            assert_int_equal(rc, OK);
            return;
        }
    }
#else
    (void)reader, (void)bytes;
    skip();
#endif
}

#define OPC_RELS(inside)                                                                           \
    "<Relationships "                                                                              \
    "xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">" inside               \
    "</Relationships>"
#define OPC_REL(id, type, target)                                                                  \
    "<Relationship Id=\"" id                                                                       \
    "\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/" type          \
    "\" Target=\"" target "\"/>"
#define OPC_LINK(id, target)                                                                       \
    "<Relationship Id=\"" id                                                                       \
    "\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/hyperlink\" "   \
    "Target=\"" target "\" TargetMode=\"External\"/>"

#endif
