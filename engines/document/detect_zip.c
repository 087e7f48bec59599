#include "document/detect_in.h"

#include <string.h>
#include <zlib.h>

enum { ENTRIES_MAX = 4000, MANIFEST_MAX = 256 << 10 };

typedef struct Member {
    Str name;
    uint32_t flags, method, packed, local;
} Member;

typedef struct Facts {
    bool word, excel, slides, visio, types, binary_book, vba, xps;
    bool epub, java, android, open_document;
    bool any_encrypted;
    TypeId mimetype;
} Facts;

/* The data of an entry, found through its local header. */
static Str entry_data(Str s, const Member *e)
{
    if (detect_u32(s, e->local) != 0x04034B50)
        return STR("");
    size_t from = e->local + 30 + detect_u16(s, e->local + 26) + detect_u16(s, e->local + 28);
    return str_slice(s, from, from + e->packed);
}

static Str inflate_some(Arena *a, Str s, const Member *e)
{
    Str packed = entry_data(s, e);
    if (e->method == 0)
        return str_slice(packed, 0, MANIFEST_MAX);
    char *out = e->method == 8 ? arena_alloc_raw(a, MANIFEST_MAX) : NULL;
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.ptr,
                  .avail_in = (uInt)packed.len,
                  .next_out = (Bytef *)out,
                  .avail_out = MANIFEST_MAX};
    if (out == NULL || inflateInit2(&z, -15) != Z_OK)
        return STR("");
    inflate(&z, Z_SYNC_FLUSH);
    inflateEnd(&z);
    return (Str){out, MANIFEST_MAX - z.avail_out};
}

static TypeId by_mimetype(Str mime)
{
    static const struct {
        const char *mime;
        TypeId type;
    } known[] = {
        {"application/epub+zip", TYPE_EPUB},
        {"application/vnd.oasis.opendocument.text", TYPE_ODT},
        {"application/vnd.oasis.opendocument.spreadsheet", TYPE_ODS},
        {"application/vnd.oasis.opendocument.presentation", TYPE_ODP},
        {"application/vnd.oasis.opendocument.graphics", TYPE_ODG},
        {"application/vnd.sun.xml.writer", TYPE_ODT},
        {"application/vnd.sun.xml.calc", TYPE_ODS},
        {"application/vnd.sun.xml.impress", TYPE_ODP},
    };
    mime = str_trim(mime);
    for (size_t i = COUNT_OF(known); i-- > 0;)
        if (str_starts(mime, str_from_c(known[i].mime)))
            return known[i].type;
    return TYPE_UNKNOWN;
}

static void look_at(Arena *a, Str s, const Member *e, Facts *f, bool *odf_encrypted)
{
    Str n = e->name;
    f->any_encrypted |= (e->flags & 1) != 0;
    f->types |= str_eq_nocase(n, STR("[Content_Types].xml"));
    f->word |= str_starts(n, STR("word/"));
    f->excel |= str_starts(n, STR("xl/"));
    f->slides |= str_starts(n, STR("ppt/"));
    f->visio |= str_starts(n, STR("visio/"));
    f->xps |= str_ends_nocase(n, STR(".fdseq"));
    f->binary_book |= str_eq_c(n, "xl/workbook.bin");
    f->vba |= str_ends_nocase(n, STR("vbaProject.bin")) || str_starts(n, STR("Basic/")) ||
              str_starts(n, STR("xl/macrosheets/"));
    f->java |= str_eq_c(n, "META-INF/MANIFEST.MF");
    f->android |= str_eq_c(n, "AndroidManifest.xml");
    f->epub |= str_eq_c(n, "META-INF/container.xml");
    if (str_eq_c(n, "mimetype") && f->mimetype == TYPE_UNKNOWN)
        f->mimetype = by_mimetype(str_slice(inflate_some(a, s, e), 0, 100));
    if (str_eq_c(n, "META-INF/manifest.xml")) {
        f->open_document = true;
        ArenaMark m = arena_mark(a);
        *odf_encrypted |= str_find(inflate_some(a, s, e), STR("encryption-data")) != STR_NONE;
        arena_rewind(a, m);
    }
}

static size_t find_end_record(Str s)
{
    size_t lowest = s.len > 66000 ? s.len - 66000 : 0;
    for (size_t i = s.len >= 22 ? s.len - 22 : 0; i > lowest; i--)
        if (s.ptr[i] == 'P' && detect_u32(s, i) == 0x06054B50)
            return i;
    return STR_NONE;
}

static bool walk_directory(Arena *a, Str s, Facts *f, bool *odf_encrypted)
{
    size_t end = find_end_record(s);
    if (end == STR_NONE)
        return false;
    size_t at = detect_u32(s, end + 16), size = detect_u32(s, end + 12);
    if (detect_u32(s, at) != 0x02014B50 && size <= end)
        at = end - size; /* bytes before the archive shift every offset */
    int count = 0;
    for (; count < ENTRIES_MAX && detect_u32(s, at) == 0x02014B50; count++) {
        size_t name_len = detect_u16(s, at + 28);
        Member e = {.name = str_slice(s, at + 46, at + 46 + name_len),
                    .flags = detect_u16(s, at + 8),
                    .method = detect_u16(s, at + 10),
                    .packed = detect_u32(s, at + 20),
                    .local = detect_u32(s, at + 42)};
        look_at(a, s, &e, f, odf_encrypted);
        at += 46 + name_len + detect_u16(s, at + 30) + detect_u16(s, at + 32);
    }
    return count > 0;
}

/* A ZIP that was cut short has no directory; its local headers still tell. */
static void walk_headers(Arena *a, Str s, Facts *f, bool *odf_encrypted)
{
    size_t at = str_find(str_slice(s, 0, 64), STR("PK\x03\x04"));
    for (int count = 0; at != STR_NONE && count < ENTRIES_MAX && detect_u32(s, at) == 0x04034B50;
         count++) {
        size_t name_len = detect_u16(s, at + 26);
        Member e = {.name = str_slice(s, at + 30, at + 30 + name_len),
                    .flags = detect_u16(s, at + 6),
                    .method = detect_u16(s, at + 8),
                    .packed = detect_u32(s, at + 18),
                    .local = (uint32_t)at};
        look_at(a, s, &e, f, odf_encrypted);
        at += 30 + name_len + detect_u16(s, at + 28);
        if (e.packed > 0) {
            at += e.packed;
            continue;
        }
        size_t next = at < s.len ? str_find(str_slice(s, at, s.len), STR("PK\x03\x04")) : STR_NONE;
        at = next == STR_NONE ? STR_NONE : at + next;
    }
}

TypeId detect_zip(Arena *a, Str s, TypeFlags *flags)
{
    Facts f = {.mimetype = TYPE_UNKNOWN};
    bool odf_encrypted = false;
    if (!walk_directory(a, s, &f, &odf_encrypted))
        walk_headers(a, s, &f, &odf_encrypted);
    flags->macros = f.vba;
    flags->encrypted = f.any_encrypted || odf_encrypted;
    if (f.mimetype != TYPE_UNKNOWN)
        return f.mimetype;
    if (f.types || f.word || f.excel || f.slides) {
        if (f.word)
            return f.vba ? TYPE_DOCM : TYPE_DOCX;
        if (f.excel)
            return f.binary_book ? TYPE_XLSB : f.vba ? TYPE_XLSM : TYPE_XLSX;
        if (f.slides)
            return f.vba ? TYPE_PPTM : TYPE_PPTX;
        if (f.visio)
            return TYPE_VSDX;
        if (f.xps)
            return TYPE_XPS;
    }
    flags->macros = false;
    if (f.epub)
        return TYPE_EPUB;
    if (f.android)
        return TYPE_APK;
    return f.java ? TYPE_JAR : TYPE_ZIP;
}
