/* fuzz_docx: any bytes as word/document.xml in an otherwise good Word file. */
#include <string.h>
#include <zlib.h>

#include "base/buf.h"
#include "fuzz_reader.h"

static void put(Buf *b, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        buf_add_char(b, (char)(v >> (8 * i) & 0xFF));
}

/* A stored entry. No directory: the reader searches. */
static void put_entry(Buf *b, const char *name, Str text)
{
    buf_add(b, STR("PK\3\4"));
    put(b, 20, 2);
    put(b, 0, 8);
    put(b, (uint32_t)crc32(0, (const unsigned char *)text.ptr, (uInt)text.len), 4);
    put(b, (uint32_t)text.len, 4);
    put(b, (uint32_t)text.len, 4);
    put(b, (uint32_t)strlen(name), 2);
    put(b, 0, 2);
    buf_add_c(b, name);
    buf_add(b, text);
}

#define W "xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\""

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Buf b = buf_init(a, 32 * MIB);
    put_entry(&b, "word/styles.xml",
              STR("<w:styles " W
                  "><w:style w:styleId=\"H\"><w:name w:val=\"heading 1\"/></w:style></w:styles>"));
    put_entry(&b, "word/numbering.xml",
              STR("<w:numbering " W "><w:abstractNum w:abstractNumId=\"0\"><w:lvl "
                  "w:ilvl=\"0\"><w:numFmt w:val=\"decimal\"/>"
                  "<w:lvlText w:val=\"%1.\"/></w:lvl></w:abstractNum><w:num "
                  "w:numId=\"1\"><w:abstractNumId w:val=\"0\"/></w:num>"
                  "</w:numbering>"));
    put_entry(
        &b, "word/_rels/document.xml.rels",
        STR("<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
            "<Relationship Id=\"s\" Type=\"x/styles\" Target=\"styles.xml\"/>"
            "<Relationship Id=\"n\" Type=\"x/numbering\" "
            "Target=\"numbering.xml\"/></Relationships>"));
    put_entry(&b, "word/document.xml", (Str){(const char *)data, size});
    if (!b.failed)
        fuzz_read(read_docx, buf_str(&b));
    return 0;
}
