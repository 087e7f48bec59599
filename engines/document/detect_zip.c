#include "document/detect_in.h"

#include <string.h>
#include <zlib.h>

#include "document/bytes.h"

enum { ENTRIES_MAX = 4000, MANIFEST_MAX = 256 << 10 };

typedef struct Member {
    Str name;
    uint32_t flags, method, packed, local;
} Member;

typedef struct Facts {
    bool word, excel, slides, visio, types, binary_book, vba, xps, strict, embedded;
    bool epub, java, android, kml, three_d, iwork_pages, iwork_numbers, iwork_slides;
    bool any_encrypted, odf_encrypted;
    TypeId mimetype, main; /* as "mimetype" says; as the main part's content type says */
} Facts;

/* The data of an entry, found through its local header. */
static Str entry_data(Str s, const Member *e)
{
    if (le32(s, e->local) != 0x04034B50)
        return STR("");
    size_t from = e->local + 30 + le16(s, e->local + 26) + le16(s, e->local + 28);
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

typedef struct Named {
    const char *name;
    TypeId type;
} Named;

static TypeId by_mimetype(Str mime)
{
#define ODF(name) "application/vnd.oasis.opendocument." name
    static const Named known[] = {
        {"application/epub+zip", TYPE_EPUB},
        {ODF("text"), TYPE_ODT},
        {ODF("text-template"), TYPE_OTT},
        {ODF("text-master"), TYPE_ODM},
        {ODF("text-master-template"), TYPE_ODM},
        {ODF("text-web"), TYPE_OTH},
        {ODF("spreadsheet"), TYPE_ODS},
        {ODF("spreadsheet-template"), TYPE_OTS},
        {ODF("presentation"), TYPE_ODP},
        {ODF("presentation-template"), TYPE_OTP},
        {ODF("graphics"), TYPE_ODG},
        {ODF("graphics-template"), TYPE_OTG},
        {ODF("formula"), TYPE_ODF},
        {ODF("chart"), TYPE_ODC},
        {ODF("base"), TYPE_ODB},
        {ODF("database"), TYPE_ODB},
        {ODF("image"), TYPE_ODI},
        {"application/vnd.sun.xml.writer", TYPE_SXW},
        {"application/vnd.sun.xml.writer.template", TYPE_SXW},
        {"application/vnd.sun.xml.writer.global", TYPE_SXW},
        {"application/vnd.sun.xml.calc", TYPE_SXC},
        {"application/vnd.sun.xml.calc.template", TYPE_SXC},
        {"application/vnd.sun.xml.impress", TYPE_SXI},
        {"application/vnd.sun.xml.impress.template", TYPE_SXI},
        {"application/vnd.sun.xml.draw", TYPE_SXD},
        {"application/vnd.adobe.indesign-idml-package", TYPE_IDML},
        {"application/hwp+zip", TYPE_HWPX},
        {"image/openraster", TYPE_OPENRASTER},
        {"application/x-krita", TYPE_KRITA},
    };
#undef ODF
    mime = str_trim(mime);
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_eq_c(mime, known[i].name))
            return known[i].type;
    return TYPE_UNKNOWN;
}

/* The content type of the main part tells documents, templates, shows and add-ins apart. */
static TypeId by_content_types(Str xml)
{
    static const Named known[] = {
        {"wordprocessingml.document.main+xml", TYPE_DOCX},
        {"wordprocessingml.template.main+xml", TYPE_DOTX},
        {"ms-word.document.macroEnabled.main+xml", TYPE_DOCM},
        {"ms-word.template.macroEnabledTemplate.main+xml", TYPE_DOTM},
        {"spreadsheetml.sheet.main+xml", TYPE_XLSX},
        {"spreadsheetml.template.main+xml", TYPE_XLTX},
        {"ms-excel.sheet.macroEnabled.main+xml", TYPE_XLSM},
        {"ms-excel.template.macroEnabled.main+xml", TYPE_XLTM},
        {"ms-excel.addin.macroEnabled.main+xml", TYPE_XLAM},
        {"ms-excel.sheet.binary.macroEnabled.main", TYPE_XLSB},
        {"presentationml.presentation.main+xml", TYPE_PPTX},
        {"presentationml.template.main+xml", TYPE_POTX},
        {"presentationml.slideshow.main+xml", TYPE_PPSX},
        {"ms-powerpoint.presentation.macroEnabled.main+xml", TYPE_PPTM},
        {"ms-powerpoint.template.macroEnabled.main+xml", TYPE_POTM},
        {"ms-powerpoint.slideshow.macroEnabled.main+xml", TYPE_PPSM},
        {"ms-powerpoint.addin.macroEnabled.main+xml", TYPE_PPAM},
        {"ms-visio.drawing.main+xml", TYPE_VSDX},
        {"ms-visio.drawing.macroEnabled.main+xml", TYPE_VSDM},
        {"ms-visio.template.main+xml", TYPE_VSTX},
        {"ms-visio.stencil.main+xml", TYPE_VSSX},
        {"3dmanufacturing-3dmodel+xml", TYPE_THREEMF},
    };
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_find(xml, str_from_c(known[i].name)) != STR_NONE)
            return known[i].type;
    return TYPE_UNKNOWN;
}

static void look_into(Arena *a, Str s, const Member *e, Facts *f)
{
    Str n = e->name;
    ArenaMark mark = arena_mark(a);
    if (str_eq_nocase(n, STR("[Content_Types].xml")))
        f->main = by_content_types(inflate_some(a, s, e));
    else if (str_eq_c(n, "_rels/.rels"))
        f->strict = str_find(inflate_some(a, s, e), STR("purl.oclc.org/ooxml")) != STR_NONE;
    else if (str_eq_c(n, "mimetype") && f->mimetype == TYPE_UNKNOWN)
        f->mimetype = by_mimetype(str_slice(inflate_some(a, s, e), 0, 100));
    else if (str_eq_c(n, "META-INF/manifest.xml"))
        f->odf_encrypted |= str_find(inflate_some(a, s, e), STR("encryption-data")) != STR_NONE;
    arena_rewind(a, mark);
}

/* Folders of programs' own in a package. */
static void look_at_folder(Str n, Facts *f)
{
    f->word |= str_starts(n, STR("word/"));
    f->excel |= str_starts(n, STR("xl/"));
    f->slides |= str_starts(n, STR("ppt/"));
    f->visio |= str_starts(n, STR("visio/"));
    f->vba |= str_ends_nocase(n, STR("vbaProject.bin")) || str_starts(n, STR("Basic/")) ||
              str_starts(n, STR("Scripts/")) || str_starts(n, STR("xl/macrosheets/"));
    bool object = str_starts(n, STR("Object ")) && str_ends(n, STR("/content.xml"));
    f->embedded |= str_find(n, STR("/embeddings/")) != STR_NONE || object;
    f->iwork_numbers |= str_starts(n, STR("Index/Tables/")) || str_eq_c(n, "index.numbers");
    f->iwork_slides |= str_starts(n, STR("Index/Slide")) || str_eq_c(n, "index.apxl");
    f->iwork_pages |= str_eq_c(n, "Index/Document.iwa") || str_eq_c(n, "index.xml");
}

static void look_at(Arena *a, Str s, const Member *e, Facts *f)
{
    Str n = e->name;
    f->any_encrypted |= (e->flags & 1) != 0;
    f->types |= str_eq_nocase(n, STR("[Content_Types].xml"));
    f->xps |= str_ends_nocase(n, STR(".fdseq"));
    f->binary_book |= str_eq_c(n, "xl/workbook.bin");
    f->java |= str_eq_c(n, "META-INF/MANIFEST.MF");
    f->android |= str_eq_c(n, "AndroidManifest.xml");
    f->epub |= str_eq_c(n, "META-INF/container.xml");
    f->kml |= str_eq_c(n, "doc.kml");
    f->three_d |= str_eq_c(n, "3D/3dmodel.model");
    look_at_folder(n, f);
    look_into(a, s, e, f);
}

static size_t find_end_record(Str s)
{
    size_t lowest = s.len > 66000 ? s.len - 66000 : 0;
    for (size_t i = s.len >= 22 ? s.len - 22 : 0; i > lowest; i--)
        if (s.ptr[i] == 'P' && le32(s, i) == 0x06054B50)
            return i;
    return STR_NONE;
}

/* ZIP64 has the size in an extra field; some writers use it for small files, too. */
static uint32_t packed_size(Str s, size_t at, size_t name_len)
{
    uint32_t packed = le32(s, at + 20);
    size_t extra = at + 46 + name_len, end = extra + le16(s, at + 30);
    if (packed != UINT32_MAX)
        return packed;
    for (; extra + 4 <= end; extra += 4 + le16(s, extra + 2))
        if (le16(s, extra) == 1) /* the size before it is there when it did not fit, either */
            return le32(s, extra + 4 + (le32(s, at + 24) == UINT32_MAX ? 8 : 0));
    return packed;
}

static bool walk_directory(Arena *a, Str s, Facts *f)
{
    size_t end = find_end_record(s);
    if (end == STR_NONE)
        return false;
    size_t at = le32(s, end + 16), size = le32(s, end + 12);
    if (le32(s, at) != 0x02014B50 && size <= end)
        at = end - size; /* bytes before the archive shift every offset */
    int count = 0;
    for (; count < ENTRIES_MAX && le32(s, at) == 0x02014B50; count++) {
        size_t name_len = le16(s, at + 28);
        Member e = {.name = str_slice(s, at + 46, at + 46 + name_len),
                    .flags = le16(s, at + 8),
                    .method = le16(s, at + 10),
                    .packed = packed_size(s, at, name_len),
                    .local = le32(s, at + 42)};
        look_at(a, s, &e, f);
        at += 46 + name_len + le16(s, at + 30) + le16(s, at + 32);
    }
    return count > 0;
}

/* A ZIP that was cut short has no directory; its local headers still tell. */
static void walk_headers(Arena *a, Str s, Facts *f)
{
    size_t at = str_find(str_slice(s, 0, 64), STR("PK\x03\x04"));
    for (int count = 0; at != STR_NONE && count < ENTRIES_MAX && le32(s, at) == 0x04034B50;
         count++) {
        size_t name_len = le16(s, at + 26);
        Member e = {.name = str_slice(s, at + 30, at + 30 + name_len),
                    .flags = le16(s, at + 6),
                    .method = le16(s, at + 8),
                    .packed = le32(s, at + 18),
                    .local = (uint32_t)at};
        look_at(a, s, &e, f);
        at += 30 + name_len + le16(s, at + 28);
        if (e.packed > 0) {
            at += e.packed;
            continue;
        }
        size_t next = at < s.len ? str_find(str_slice(s, at, s.len), STR("PK\x03\x04")) : STR_NONE;
        at = next == STR_NONE ? STR_NONE : at + next;
    }
}

/* Without the content type of a main part: by the folders. */
static TypeId by_folders(const Facts *f)
{
    if (f->word)
        return f->vba ? TYPE_DOCM : TYPE_DOCX;
    if (f->excel)
        return f->binary_book ? TYPE_XLSB : f->vba ? TYPE_XLSM : TYPE_XLSX;
    if (f->slides)
        return f->vba ? TYPE_PPTM : TYPE_PPTX;
    if (f->visio)
        return TYPE_VSDX;
    return f->xps ? TYPE_XPS : TYPE_UNKNOWN;
}

static TypeId by_other(const Facts *f)
{
    if (f->epub)
        return TYPE_EPUB;
    if (f->android)
        return TYPE_APK;
    if (f->three_d)
        return TYPE_THREEMF;
    if (f->iwork_numbers || f->iwork_slides || f->iwork_pages)
        return f->iwork_slides ? TYPE_KEYNOTE : f->iwork_numbers ? TYPE_NUMBERS : TYPE_PAGES;
    return f->kml ? TYPE_KMZ : f->java ? TYPE_JAR : TYPE_ZIP;
}

/* A document that says "without macros" and has some is named after what it has. */
static TypeId with_macros(TypeId t, const Facts *f)
{
    if (!f->vba)
        return t;
    return t == TYPE_DOCX ? TYPE_DOCM : t == TYPE_XLSX ? TYPE_XLSM : t == TYPE_PPTX ? TYPE_PPTM : t;
}

TypeId detect_zip(Arena *a, Str s, TypeFlags *flags)
{
    Facts f = {.mimetype = TYPE_UNKNOWN, .main = TYPE_UNKNOWN};
    if (!walk_directory(a, s, &f))
        walk_headers(a, s, &f);
    flags->encrypted = f.any_encrypted || f.odf_encrypted;
    flags->macros = f.vba;
    flags->embedded = f.embedded;
    if (f.mimetype != TYPE_UNKNOWN)
        return f.mimetype;
    TypeId t = with_macros(f.main != TYPE_UNKNOWN ? f.main : by_folders(&f), &f);
    flags->strict = t != TYPE_UNKNOWN && f.strict;
    if (t != TYPE_UNKNOWN)
        return t;
    flags->macros = flags->embedded = false;
    return by_other(&f);
}
