/* sheet_fonts.c: fonts with only the glyphs that were used, under their old numbers, so that pages
 * could be written before it was known which those are. */
#include "document/sheet_in.h"

#include <hb-ot.h>
#include <hb-subset.h>

enum { TEXT_LONG = 1u << 31, NO_TEXT = 0 };

int sheet_font(Sheet *s, const Face *face)
{
    for (int i = 0; i < s->fonts_len; i++)
        if (s->fonts[i].face == face)
            return i;
    if (s->fonts_len == SHEET_FONTS_MAX) {
        sheet_fail(s, ERR_LIMIT_COUNT, "the document needs too many fonts");
        return 0;
    }
    SheetFont *f = &s->fonts[s->fonts_len];
    *f = (SheetFont){.face = face,
                     .object = sheet_new_object(s),
                     .used = hb_set_create(),
                     .text = arena_new(s->arena, uint32_t, hb_face_get_glyph_count(face->face))};
    if (f->text == NULL) {
        sheet_fail(s, ERR_LIMIT_MEMORY, "keeping the document's fonts");
        hb_set_destroy(f->used);
        return 0;
    }
    return s->fonts_len++;
}

void sheet_glyph_used(Sheet *s, int font, uint32_t glyph, const uint32_t *cps, size_t cps_len)
{
    if (s->err.code != OK || font >= s->fonts_len)
        return;
    SheetFont *f = &s->fonts[font];
    if (glyph >= hb_face_get_glyph_count(f->face->face))
        return;
    hb_set_add(f->used, glyph);
    if (f->text[glyph] != NO_TEXT || cps_len == 0)
        return;
    if (cps_len == 1) {
        f->text[glyph] = cps[0];
        return;
    }
    /* A ligature: as UTF-16 in the arena, found by its place there. */
    uint32_t *kept = arena_new(s->arena, uint32_t, cps_len + 1);
    if (kept == NULL)
        return;
    kept[0] = (uint32_t)cps_len;
    for (size_t i = 0; i < cps_len; i++)
        kept[i + 1] = cps[i];
    for (int i = 0; i < SHEET_LIGATURES_MAX; i++)
        if (s->ligatures[i] == NULL) {
            s->ligatures[i] = kept;
            f->text[glyph] = TEXT_LONG | (uint32_t)i;
            return;
        }
}

static void add_utf16(Buf *b, uint32_t cp)
{
    if (cp >= 0x10000)
        buf_addf(b, "%04X%04X", 0xD800 + ((cp - 0x10000) >> 10), 0xDC00 + ((cp - 0x10000) & 0x3FF));
    else
        buf_addf(b, "%04X", cp);
}

static void add_glyph_text(const Sheet *s, Buf *b, uint32_t text)
{
    if (!(text & TEXT_LONG)) {
        add_utf16(b, text);
        return;
    }
    const uint32_t *kept = s->ligatures[text & ~TEXT_LONG];
    for (uint32_t i = 1; i <= kept[0]; i++)
        add_utf16(b, kept[i]);
}

static int put_to_unicode(Sheet *s, const SheetFont *f)
{
    enum { AT_ONCE = 100 };
    Buf *b = &s->scratch;
    Buf lines = buf_init(s->arena, 8 * MIB);
    int object = sheet_new_object(s), count = 0;
    buf_add_c(b, "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
                 "/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n"
                 "/CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n"
                 "1 begincodespacerange\n<0000><FFFF>\nendcodespacerange\n");
    for (hb_codepoint_t g = HB_SET_VALUE_INVALID; hb_set_next(f->used, &g);) {
        if (f->text[g] == NO_TEXT)
            continue;
        buf_addf(&lines, "<%04X><", g);
        add_glyph_text(s, &lines, f->text[g]);
        buf_add_c(&lines, ">\n");
        if (++count < AT_ONCE)
            continue;
        buf_addf(b, "%d beginbfchar\n" STR_FMT "endbfchar\n", count, STR_ARG(buf_str(&lines)));
        buf_clear(&lines);
        count = 0;
    }
    if (count > 0)
        buf_addf(b, "%d beginbfchar\n" STR_FMT "endbfchar\n", count, STR_ARG(buf_str(&lines)));
    buf_add_c(b, "endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n");
    if (b->failed || lines.failed)
        sheet_fail(s, ERR_LIMIT_MEMORY, "a font's characters");
    sheet_put_stream(s, object, "", buf_str(b), true);
    buf_clear(b);
    return object;
}

static hb_face_t *subset(const SheetFont *f)
{
    static const hb_tag_t dropped[] = {
        HB_TAG('G', 'S', 'U', 'B'), HB_TAG('G', 'P', 'O', 'S'), HB_TAG('G', 'D', 'E', 'F'),
        HB_TAG('k', 'e', 'r', 'n'), HB_TAG('O', 'S', '/', '2'), HB_TAG('p', 'o', 's', 't'),
        HB_TAG('n', 'a', 'm', 'e'), HB_TAG('c', 'm', 'a', 'p'), HB_TAG('v', 'h', 'e', 'a'),
        HB_TAG('v', 'm', 't', 'x'), HB_TAG('V', 'O', 'R', 'G'), HB_TAG('B', 'A', 'S', 'E'),
        HB_TAG('M', 'A', 'T', 'H'), HB_TAG('F', 'F', 'T', 'M'), HB_TAG('J', 'S', 'T', 'F')};
    hb_subset_input_t *in = hb_subset_input_create_or_fail();
    if (in == NULL)
        return NULL;
    hb_set_union(hb_subset_input_glyph_set(in), f->used);
    hb_subset_input_set_flags(in, HB_SUBSET_FLAGS_RETAIN_GIDS | HB_SUBSET_FLAGS_NO_HINTING |
                                      HB_SUBSET_FLAGS_NOTDEF_OUTLINE);
    hb_set_t *drop = hb_subset_input_set(in, HB_SUBSET_SETS_DROP_TABLE_TAG);
    for (size_t i = 0; i < COUNT_OF(dropped); i++)
        hb_set_add(drop, dropped[i]);
    hb_face_t *out = hb_subset_or_fail(f->face->face, in);
    hb_subset_input_destroy(in);
    return out;
}

/* The font's program: for outlines in CFF the bare table, else the file. */
static int put_program(Sheet *s, const SheetFont *f, bool *cff)
{
    int object = sheet_new_object(s);
    hb_face_t *small = subset(f);
    if (small == NULL) {
        sheet_fail(s, ERR_LIMIT_MEMORY, "cutting a font down to what is used");
        return object;
    }
    hb_blob_t *table = hb_face_reference_table(small, HB_TAG('C', 'F', 'F', ' '));
    *cff = hb_blob_get_length(table) > 0;
    hb_blob_t *whole = *cff ? hb_blob_reference(table) : hb_face_reference_blob(small);
    unsigned len = 0;
    const char *bytes = hb_blob_get_data(whole, &len);
    char more[64];
    Buf b = {.ptr = more, .cap = sizeof more, .ceiling = sizeof more};
    if (*cff)
        buf_add_c(&b, "/Subtype/CIDFontType0C");
    else
        buf_addf(&b, "/Length1 %u", len);
    sheet_put_stream(s, object, buf_c(&b), (Str){bytes, len}, true);
    hb_blob_destroy(whole);
    hb_blob_destroy(table);
    hb_face_destroy(small);
    return object;
}

/* "ABCDEF+" from what is used, as a subset's name begins. */
static void subset_tag(const SheetFont *f, char out[8])
{
    unsigned h = hb_set_hash(f->used);
    for (int i = 0; i < 6; i++, h /= 26)
        out[i] = (char)('A' + h % 26);
    out[6] = '+';
    out[7] = 0;
}

static int units(const Face *f, int v)
{
    return (int)((int64_t)v * 1000 / (int)f->upem);
}

/* One bit per glyph, which PDF/A-1 wants. */
static int put_cid_set(Sheet *s, const SheetFont *f)
{
    hb_codepoint_t last = hb_set_get_max(f->used);
    size_t len = last / 8 + 1;
    unsigned char *bits = arena_alloc(s->arena, len);
    int object = sheet_new_object(s);
    if (bits == NULL) {
        sheet_fail(s, ERR_LIMIT_MEMORY, "listing a font's glyphs");
        return object;
    }
    for (hb_codepoint_t g = HB_SET_VALUE_INVALID; hb_set_next(f->used, &g);)
        bits[g / 8] |= (unsigned char)(0x80 >> (g % 8));
    sheet_put_stream(s, object, "", (Str){(char *)bits, len}, true);
    return object;
}

static int put_descriptor(Sheet *s, const SheetFont *f, const char *tag, bool *cff)
{
    Buf *b = &s->scratch;
    int program = put_program(s, f, cff), object = sheet_new_object(s);
    int cid_set = s->pdf_a == 1 ? put_cid_set(s, f) : 0;
    hb_font_extents_t e = {0};
    hb_font_get_h_extents(f->face->font, &e);
    int ascent = units(f->face, e.ascender), descent = units(f->face, e.descender);
    buf_addf(b,
             "<</Type/FontDescriptor/FontName/%s%s/Flags 4/FontBBox[-500 %d 1500 %d]"
             "/ItalicAngle 0/Ascent %d/Descent %d/CapHeight %d/StemV 80/FontFile%s %d 0 R",
             tag, f->face->name, descent, ascent, ascent, descent, ascent * 7 / 10,
             *cff ? "3" : "2", program);
    if (cid_set > 0)
        buf_addf(b, "/CIDSet %d 0 R", cid_set);
    buf_add_c(b, ">>");
    sheet_put_scratch(s, object);
    return object;
}

static void add_widths(const SheetFont *f, Buf *b)
{
    hb_codepoint_t before = HB_SET_VALUE_INVALID;
    buf_add_c(b, "/DW 1000/W[");
    for (hb_codepoint_t g = HB_SET_VALUE_INVALID; hb_set_next(f->used, &g); before = g) {
        if (before != HB_SET_VALUE_INVALID && g != before + 1)
            buf_add_char(b, ']');
        if (before == HB_SET_VALUE_INVALID || g != before + 1)
            buf_addf(b, "%u[", g);
        double w = (double)hb_font_get_glyph_h_advance(f->face->font, g) * 1000 / f->face->upem;
        buf_addf(b, "%.5g ", w);
    }
    buf_add_c(b, before != HB_SET_VALUE_INVALID ? "]]" : "]");
}

static void put_font(Sheet *s, SheetFont *f)
{
    char tag[8];
    bool cff = false;
    Buf *b = &s->scratch;
    hb_set_add(f->used, 0);
    subset_tag(f, tag);
    int unicode = put_to_unicode(s, f), descriptor = put_descriptor(s, f, tag, &cff);
    int cid = sheet_new_object(s);
    buf_addf(b,
             "<</Type/Font/Subtype/CIDFontType%c/BaseFont/%s%s/CIDSystemInfo<</Registry(Adobe)"
             "/Ordering(Identity)/Supplement 0>>/FontDescriptor %d 0 R%s",
             cff ? '0' : '2', tag, f->face->name, descriptor, cff ? "" : "/CIDToGIDMap/Identity");
    add_widths(f, b);
    buf_add_c(b, ">>");
    sheet_put_scratch(s, cid);
    buf_addf(b,
             "<</Type/Font/Subtype/Type0/BaseFont/%s%s/Encoding/Identity-H"
             "/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>",
             tag, f->face->name, cid, unicode);
    sheet_put_scratch(s, f->object);
}

void sheet_put_fonts(Sheet *s)
{
    for (int i = 0; i < s->fonts_len && s->err.code == OK; i++)
        put_font(s, &s->fonts[i]);
}
