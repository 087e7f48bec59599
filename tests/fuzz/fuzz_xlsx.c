/* fuzz_xlsx: any bytes as a sheet in an otherwise good workbook, with a drawing anchored in it. */
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "fuzz_reader.h"

static void put(Buf *b, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_add_char(b, (char)(v >> (8 * i) & 0xFF));
}

typedef struct Entry {
    uint32_t crc, size, at;
    const char *name;
} Entry;

/* A local header with its bytes; in the directory the header's fields again. */
static void put_fields(Buf *b, const Entry *e)
{
    put(b, 20, 2);
    put(b, 0, 8);
    put(b, e->crc, 4);
    put(b, e->size, 4);
    put(b, e->size, 4);
    put(b, strlen(e->name), 2);
    put(b, 0, 2);
}

static Entry put_entry(Buf *b, const char *name, Str text)
{
    Entry e = {(uint32_t)crc32(0, (const unsigned char *)text.ptr, (uInt)text.len),
               (uint32_t)text.len, (uint32_t)b->len, name};
    buf_add(b, STR("PK\3\4"));
    put_fields(b, &e);
    buf_add_c(b, name);
    buf_add(b, text);
    return e;
}

/* With a directory: only then is a sheet searched for merged cells. */
static void put_directory(Buf *b, const Entry *entries, size_t len)
{
    size_t from = b->len;
    for (size_t i = 0; i < len; i++) {
        buf_add(b, STR("PK\1\2"));
        put(b, 20, 2);
        put_fields(b, &entries[i]);
        put(b, 0, 8);
        put(b, 0, 2);
        put(b, entries[i].at, 4);
        buf_add_c(b, entries[i].name);
    }
    size_t size = b->len - from;
    buf_add(b, STR("PK\5\6"));
    put(b, 0, 4);
    put(b, len, 2);
    put(b, len, 2);
    put(b, size, 4);
    put(b, from, 4);
    put(b, 0, 2);
}

#define RELS(inside)                                                                               \
    STR("<Relationships "                                                                          \
        "xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">" inside           \
        "</Relationships>")
#define REL(id, type, target)                                                                      \
    "<Relationship Id=\"" id "\" Type=\"x/" type "\" Target=\"" target "\"/>"
#define R "xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\""
#define S "xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\""

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Buf b = buf_init(a, 32 * MIB);
    const Entry entries[] = {
        put_entry(&b, "xl/workbook.xml",
                  STR("<workbook " S " " R "><sheets><sheet name=\"One\" sheetId=\"1\" "
                      "r:id=\"a\"/></sheets></workbook>")),
        put_entry(&b, "xl/_rels/workbook.xml.rels", RELS(REL("a", "worksheet", "sheet.xml"))),
        put_entry(&b, "xl/_rels/sheet.xml.rels", RELS(REL("d", "drawing", "drawing.xml"))),
        put_entry(&b, "xl/drawing.xml",
                  STR("<x:wsDr xmlns:x=\"x\" "
                      "xmlns:a=\"http://schemas.openxmlformats.org/drawingml/2006/main\">"
                      "<x:twoCellAnchor><x:from><x:row>2</x:row></x:from><x:sp><a:p><a:r><a:t>Box"
                      "</a:t></a:r></a:p></x:sp></x:twoCellAnchor></x:wsDr>")),
        put_entry(&b, "xl/sheet.xml", (Str){(const char *)data, size}),
    };
    put_directory(&b, entries, COUNT_OF(entries));
    if (!b.failed)
        fuzz_read(read_xlsx, buf_str(&b));
    return 0;
}
