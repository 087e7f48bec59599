/* text_font.c: the font of the text layer: two glyphs, both blank. A font that is not embedded
 * would be replaced by one with other widths, and PDF/A forbids it. */
#include "ocr/text_layer.h"

enum { UNITS = 1000, ASCENT = 800, DESCENT = -200, ADVANCE = 500, GLYPHS = 2, TABLES = 10 };

static void u16(Buf *b, int v)
{
    buf_add_char(b, (char)(v >> 8));
    buf_add_char(b, (char)v);
}

static void u32(Buf *b, uint32_t v)
{
    u16(b, (int)(v >> 16));
    u16(b, (int)(v & 0xffff));
}

static void u16_list(Buf *b, const int *values, size_t len)
{
    for (size_t i = 0; i < len; i++)
        u16(b, values[i]);
}
#define U16S(b, ...)                                                                               \
    u16_list(b, (const int[]){__VA_ARGS__}, sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

static void table_cmap(Buf *b)
{
    /* One subtable, format 4, that maps the space. */
    U16S(b, 0, 1, 3, 1, 0, 12, 4, 32, 0, 4, 4, 1, 0, 0x20, 0xffff, 0, 0x20, 0xffff, -31, 1, 0, 0);
}

static void table_glyf(Buf *b)
{
    u32(b, 0); /* no outline; loca says that both are empty */
}

static void table_head(Buf *b)
{
    u32(b, 0x00010000);
    u32(b, 0x00010000);
    u32(b, 0); /* checksum: readers of embedded fonts do not ask */
    u32(b, 0x5f0f3cf5);
    U16S(b, 0x000b, UNITS, 0, 0, 0, 0, 0, 0, 0, 0); /* flags, units, two dates */
    U16S(b, 0, DESCENT, ADVANCE, ASCENT, 0, 8, 2, 0, 0);
}

static void table_hhea(Buf *b)
{
    u32(b, 0x00010000);
    U16S(b, ASCENT, DESCENT, 0, ADVANCE, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, GLYPHS);
}

static void table_hmtx(Buf *b)
{
    U16S(b, ADVANCE, 0, ADVANCE, 0);
}

static void table_loca(Buf *b)
{
    U16S(b, 0, 0, 0);
}

static void table_maxp(Buf *b)
{
    u32(b, 0x00010000);
    U16S(b, GLYPHS, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
}

static void table_name(Buf *b)
{
    /* One name, the PostScript one, as Windows writes it. */
    static const char name[] = "PlatenOcr";
    U16S(b, 0, 1, 18, 3, 1, 0x409, 6, 2 * ((int)sizeof name - 1), 0);
    for (size_t i = 0; i + 1 < sizeof name; i++)
        u16(b, name[i]);
}

static void table_os2(Buf *b)
{
    U16S(b, 1, ADVANCE, 400, 5, 0, 650, 600, 0, 75, 650, 600, 0, 350, 50, 300, 0);
    U16S(b, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0); /* panose, Unicode ranges */
    U16S(b, 0x706c, 0x746e, 0x40, 0x20, 0xffff, ASCENT, DESCENT, 0, ASCENT, -DESCENT, 0, 0, 0);
}

static void table_post(Buf *b)
{
    u32(b, 0x00030000); /* no names of glyphs */
    u32(b, 0);
    U16S(b, -100, 50);
    for (int i = 0; i < 5; i++)
        u32(b, 1); /* fixed pitch, and no memory needed */
}

void text_layer_font_file(Buf *b)
{
    static const struct {
        const char *tag;
        void (*put)(Buf *b);
    } tables[TABLES] = {
        {"OS/2", table_os2},  {"cmap", table_cmap}, {"glyf", table_glyf}, {"head", table_head},
        {"hhea", table_hhea}, {"hmtx", table_hmtx}, {"loca", table_loca}, {"maxp", table_maxp},
        {"name", table_name}, {"post", table_post},
    };
    Buf body = buf_init(b->arena, 4096);
    u32(b, 0x00010000);
    U16S(b, TABLES, 128, 3, TABLES * 16 - 128);
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        size_t at = body.len;
        tables[i].put(&body);
        size_t len = body.len - at;
        while (body.len % 4 != 0)
            buf_add_char(&body, 0);
        uint32_t sum = 0;
        for (size_t k = at; k + 4 <= body.len && !body.failed; k += 4)
            sum += (uint32_t)(uint8_t)body.ptr[k] << 24 | (uint32_t)(uint8_t)body.ptr[k + 1] << 16 |
                   (uint32_t)(uint8_t)body.ptr[k + 2] << 8 | (uint32_t)(uint8_t)body.ptr[k + 3];
        buf_add(b, (Str){tables[i].tag, 4});
        u32(b, sum);
        u32(b, (uint32_t)(12 + TABLES * 16 + at));
        u32(b, (uint32_t)len);
    }
    buf_add(b, buf_str(&body));
    b->failed = b->failed || body.failed;
}

static void put_extra(Buf *b, const TextGlyphs *g)
{
    for (size_t i = 0; i < g->len; i++) {
        if (i % 100 == 0)
            buf_addf(b, "%zu beginbfchar\n", g->len - i < 100 ? g->len - i : 100);
        uint32_t v = g->extra[i] - 0x10000;
        buf_addf(b, "<%04X> <%04X%04X>\n", (unsigned)(TEXT_GLYPHS_FIRST + i),
                 (unsigned)(0xd800 + (v >> 10)), (unsigned)(0xdc00 + (v & 0x3ff)));
        if (i % 100 == 99 || i + 1 == g->len)
            buf_add_c(b, "endbfchar\n");
    }
}

void text_layer_to_unicode(Buf *b, const TextGlyphs *glyphs)
{
    buf_add_c(b, "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
                 "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
                 "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
                 "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n");
    /* A range may not cross a high byte, and a block holds 100 of them. 0xd8 to 0xdf are ours. */
    static const int parts[4][2] = {{0x00, 0x5f}, {0x60, 0xbf}, {0xc0, 0xd7}, {0xe0, 0xff}};
    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        buf_addf(b, "%d beginbfrange\n", parts[i][1] - parts[i][0] + 1);
        for (int high = parts[i][0]; high <= parts[i][1]; high++)
            buf_addf(b, "<%02X00> <%02XFF> <%02X00>\n", high, high, high);
        buf_add_c(b, "endbfrange\n");
    }
    put_extra(b, glyphs);
    buf_add_c(b, "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
}
