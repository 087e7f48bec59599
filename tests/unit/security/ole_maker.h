/* ole_maker.h: compound files and VBA modules made for tests: small, sound, and of any content.
 *
 *   OleMade in[] = {{"VBA", NULL, .storage = true}, {"dir", "VBA", bytes}, …};
 *   Str file = make_ole(a, in, COUNT_OF(in));
 *
 * Streams are padded to 4096 bytes, so that no mini stream is needed. */
#ifndef PLATEN_TESTS_OLE_MAKER_H
#define PLATEN_TESTS_OLE_MAKER_H

#include "base/buf.h"
#include "harness.h"

typedef struct OleMade {
    const char *name, *parent; /* NULL: the root */
    Str bytes;
    bool storage;
} OleMade;

static void le16(Buf *b, uint32_t v)
{
    buf_add_char(b, (char)(v & 0xff));
    buf_add_char(b, (char)(v >> 8 & 0xff));
}

static void le32(Buf *b, uint32_t v)
{
    le16(b, v & 0xffff);
    le16(b, v >> 16);
}

static void pad(Buf *b, size_t to, char with)
{
    while (b->len % to != 0)
        buf_add_char(b, with);
}

/* Siblings form a list through their right hand: legal for a reader that checks no colours. */
static void put_entry(Buf *b, const char *name, int type, uint32_t right, uint32_t child,
                      uint32_t start, uint32_t size)
{
    size_t from = b->len;
    for (const char *p = name; *p != 0; p++)
        le16(b, (unsigned char)*p);
    while (b->len < from + 64)
        buf_add_char(b, 0);
    le16(b, (uint32_t)(strlen(name) + 1) * 2);
    buf_add_char(b, (char)type);
    buf_add_char(b, 1);
    le32(b, 0xFFFFFFFF);
    le32(b, right);
    le32(b, child);
    while (b->len < from + 116)
        buf_add_char(b, 0);
    le32(b, start);
    le32(b, size);
    le32(b, 0);
}

static uint32_t first_child(const OleMade *in, size_t len, const char *parent, size_t from)
{
    for (size_t i = from; i < len; i++) {
        bool same = parent == NULL ? in[i].parent == NULL
                                   : in[i].parent != NULL && strcmp(in[i].parent, parent) == 0;
        if (same)
            return (uint32_t)i + 1;
    }
    return 0xFFFFFFFF;
}

static Str make_ole(Arena *a, const OleMade *in, size_t len)
{
    Buf dir = buf_init(a, MIB), body = buf_init(a, 64 * MIB), fat = buf_init(a, MIB),
        file = buf_init(a, 64 * MIB);
    size_t dir_sectors = ((len + 1) * 128 + 511) / 512;
    uint32_t next = 1 + (uint32_t)dir_sectors; /* sector 0 is the table */
    le32(&fat, 0xFFFFFFFD);
    for (size_t i = 0; i < dir_sectors; i++)
        le32(&fat, i + 1 < dir_sectors ? (uint32_t)i + 2 : 0xFFFFFFFE);
    put_entry(&dir, "Root Entry", 5, 0xFFFFFFFF, first_child(in, len, NULL, 0), 0xFFFFFFFE, 0);
    for (size_t i = 0; i < len; i++) {
        uint32_t right = first_child(in, len, in[i].parent, i + 1);
        if (in[i].storage) {
            put_entry(&dir, in[i].name, 1, right, first_child(in, len, in[i].name, 0), 0, 0);
            continue;
        }
        size_t size = in[i].bytes.len < 4096 ? 4096 : in[i].bytes.len, sectors = (size + 511) / 512;
        put_entry(&dir, in[i].name, 2, right, 0xFFFFFFFF, next, (uint32_t)size);
        buf_add(&body, in[i].bytes);
        while (body.len % 512 != 0 || body.len / 512 < next - 1 - dir_sectors + sectors)
            buf_add_char(&body, 0);
        for (size_t k = 0; k < sectors; k++)
            le32(&fat, k + 1 < sectors ? next + (uint32_t)k + 1 : 0xFFFFFFFE);
        next += (uint32_t)sectors;
    }
    pad(&dir, 512, 0);
    pad(&fat, 512, (char)0xff);
    assert_int_equal(fat.len, 512); /* one table sector: 60 KB are enough for tests */
    buf_add(&file, (Str){"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24});
    le16(&file, 0x3E);
    le16(&file, 3);
    le16(&file, 0xFFFE);
    le16(&file, 9);
    le16(&file, 6);
    buf_add(&file, (Str){"\0\0\0\0\0\0\0\0\0\0", 10});
    le32(&file, 1); /* sectors of the table */
    le32(&file, 1); /* where the directory begins */
    le32(&file, 0);
    le32(&file, 4096);
    le32(&file, 0xFFFFFFFE); /* no mini table */
    le32(&file, 0);
    le32(&file, 0xFFFFFFFE); /* no more table sectors */
    le32(&file, 0);
    le32(&file, 0);
    pad(&file, 512, (char)0xff);
    buf_add(&file, buf_str(&fat));
    buf_add(&file, buf_str(&dir));
    buf_add(&file, buf_str(&body));
    assert_false(file.failed);
    return buf_str(&file);
}

/* MS-OVBA's compression with literals only. */
static Str pack_vba(Arena *a, Str text)
{
    Buf b = buf_init(a, MIB);
    buf_add_char(&b, 1);
    for (size_t at = 0; at < text.len; at += 3200) {
        Str piece = str_slice(text, at, at + 3200);
        size_t size = piece.len + (piece.len + 7) / 8;
        le16(&b, (uint32_t)(size + 2 - 3) | 0xB000);
        for (size_t i = 0; i < piece.len; i += 8) {
            buf_add_char(&b, 0);
            buf_add(&b, str_slice(piece, i, i + 8));
        }
    }
    return buf_str(&b);
}

static void put_record(Buf *b, uint32_t id, Str value)
{
    le16(b, id);
    le32(b, (uint32_t)value.len);
    buf_add(b, value);
}

/* A project of one module with this source, as a compound file of its own. */
static Str make_vba(Arena *a, const char *source)
{
    Buf dir = buf_init(a, 4096);
    put_record(&dir, 0x0F, (Str){"\1\0", 2});
    put_record(&dir, 0x1A, STR("Module1"));
    put_record(&dir, 0x31, (Str){"\0\0\0\0", 4});
    put_record(&dir, 0x10, STR(""));
    Str text = str_printf(a, "Attribute VB_Name = \"Module1\"\r\n%s", source);
    OleMade in[] = {{"VBA", NULL, {0}, true},
                    {"dir", "VBA", pack_vba(a, buf_str(&dir)), false},
                    {"Module1", "VBA", pack_vba(a, text), false}};
    return make_ole(a, in, COUNT_OF(in));
}

#endif
