#include "document/convert_in.h"

#include <string.h>

typedef enum From {
    FROM_NOTHING,
    FROM_PDF,
    FROM_TEXT_FILE, /* a text document of an office suite that our readers know */
    FROM_OLD_TEXT,  /* one that only the suite reads */
    FROM_SHEET,
    FROM_OLD_SHEET,
    FROM_SLIDES,
    FROM_OLD_SLIDES,
    FROM_DRAWING,
    FROM_OLD_DRAWING,
    FROM_HTML,
    FROM_PROSE, /* Markdown, text, tables as text, mail, programs */
    FROM_BOOK,
    FROM_PICTURE,       /* decoded here */
    FROM_OTHER_PICTURE, /* decoded by the image engine */
    FROM_COUNT
} From;

static const struct {
    unsigned short type, from;
} families[] = {
    {TYPE_PDF, FROM_PDF},
    {TYPE_DOCX, FROM_TEXT_FILE},
    {TYPE_DOCM, FROM_TEXT_FILE},
    {TYPE_ODT, FROM_TEXT_FILE},
    {TYPE_FODT, FROM_TEXT_FILE},
    {TYPE_RTF, FROM_TEXT_FILE},
    {TYPE_DOC, FROM_OLD_TEXT},
    {TYPE_XLSX, FROM_SHEET},
    {TYPE_XLSM, FROM_SHEET},
    {TYPE_ODS, FROM_SHEET},
    {TYPE_FODS, FROM_SHEET},
    {TYPE_XLS, FROM_OLD_SHEET},
    {TYPE_XLSB, FROM_OLD_SHEET},
    {TYPE_PPTX, FROM_SLIDES},
    {TYPE_PPTM, FROM_SLIDES},
    {TYPE_ODP, FROM_SLIDES},
    {TYPE_FODP, FROM_SLIDES},
    {TYPE_PPT, FROM_OLD_SLIDES},
    {TYPE_ODG, FROM_DRAWING},
    {TYPE_FODG, FROM_DRAWING},
    {TYPE_VSDX, FROM_OLD_DRAWING},
    {TYPE_VSD, FROM_OLD_DRAWING},
    {TYPE_PUB, FROM_OLD_DRAWING},
    {TYPE_HTML, FROM_HTML},
    {TYPE_XHTML, FROM_HTML},
    {TYPE_EPUB, FROM_BOOK},
    {TYPE_EML, FROM_PROSE},
    {TYPE_MSG, FROM_PROSE},
    {TYPE_MBOX, FROM_PROSE},
    {TYPE_DOTX, FROM_TEXT_FILE},
    {TYPE_DOTM, FROM_TEXT_FILE},
    {TYPE_OTT, FROM_TEXT_FILE},
    {TYPE_ODM, FROM_TEXT_FILE},
    {TYPE_OTH, FROM_TEXT_FILE},
    {TYPE_SXW, FROM_TEXT_FILE},
    {TYPE_XLTX, FROM_SHEET},
    {TYPE_XLTM, FROM_SHEET},
    {TYPE_XLAM, FROM_SHEET},
    {TYPE_OTS, FROM_SHEET},
    {TYPE_SXC, FROM_SHEET},
    {TYPE_POTX, FROM_SLIDES},
    {TYPE_POTM, FROM_SLIDES},
    {TYPE_PPSX, FROM_SLIDES},
    {TYPE_PPSM, FROM_SLIDES},
    {TYPE_OTP, FROM_SLIDES},
    {TYPE_SXI, FROM_SLIDES},
    {TYPE_OTG, FROM_DRAWING},
    {TYPE_SXD, FROM_DRAWING},
    {TYPE_MHTML, FROM_PROSE},
    {TYPE_FB2, FROM_PROSE},
    {TYPE_ABIWORD, FROM_PROSE},
    {TYPE_WORDML, FROM_PROSE},
    {TYPE_EXCELML, FROM_PROSE},
    {TYPE_DXF, FROM_PROSE},
    {TYPE_STEP, FROM_PROSE},
    {TYPE_WORKS, FROM_OLD_TEXT},
    {TYPE_HWP, FROM_OLD_TEXT},
    {TYPE_PAGES, FROM_OLD_TEXT},
    {TYPE_NUMBERS, FROM_OLD_SHEET},
    {TYPE_KEYNOTE, FROM_OLD_SLIDES},
    {TYPE_PNG, FROM_PICTURE},
    {TYPE_JPEG, FROM_PICTURE},
    {TYPE_GIF, FROM_PICTURE},
    {TYPE_TIFF, FROM_PICTURE},
    {TYPE_BMP, FROM_PICTURE},
    {TYPE_JP2, FROM_PICTURE},
    {TYPE_WEBP, FROM_OTHER_PICTURE},
    {TYPE_HEIC, FROM_OTHER_PICTURE},
    {TYPE_AVIF, FROM_OTHER_PICTURE},
    {TYPE_JXL, FROM_OTHER_PICTURE},
    {TYPE_SVG, FROM_OTHER_PICTURE},
};

#define PICTURES(way) [TO_PNG] = (way), [TO_JPEG] = (way), [TO_WEBP] = (way)
#define TEXTS(way)    [TO_HTML] = (way), [TO_EPUB] = (way), [TO_MARKDOWN] = (way), [TO_TEXT] = (way)

/* The table. What is not in it cannot be had. */
static const unsigned char ways[FROM_COUNT][TO_COUNT] = {
    [FROM_PDF] = {PICTURES(WAY_PAGES), TEXTS(WAY_MODEL), [TO_DOCX] = WAY_MODEL},
    [FROM_TEXT_FILE] = {PICTURES(WAY_VIA_PDF), TEXTS(WAY_MODEL), [TO_PDF] = WAY_OFFICE_OWN,
                        [TO_DOCX] = WAY_OFFICE_OWN, [TO_ODT] = WAY_OFFICE},
    [FROM_OLD_TEXT] = {PICTURES(WAY_VIA_PDF), [TO_PDF] = WAY_OFFICE, [TO_DOCX] = WAY_OFFICE,
                       [TO_ODT] = WAY_OFFICE, [TO_HTML] = WAY_OFFICE, [TO_TEXT] = WAY_OFFICE},
    [FROM_SHEET] = {PICTURES(WAY_VIA_PDF),
                    TEXTS(WAY_MODEL), [TO_PDF] = WAY_OFFICE_OWN, [TO_DOCX] = WAY_MODEL,
                    [TO_XLSX] = WAY_OFFICE, [TO_ODS] = WAY_OFFICE, [TO_CSV] = WAY_OFFICE},
    [FROM_OLD_SHEET] = {PICTURES(WAY_VIA_PDF), [TO_PDF] = WAY_OFFICE, [TO_XLSX] = WAY_OFFICE,
                        [TO_ODS] = WAY_OFFICE, [TO_CSV] = WAY_OFFICE, [TO_HTML] = WAY_OFFICE},
    [FROM_SLIDES] = {PICTURES(WAY_VIA_PDF), TEXTS(WAY_MODEL), [TO_PDF] = WAY_OFFICE_OWN,
                     [TO_DOCX] = WAY_MODEL, [TO_PPTX] = WAY_OFFICE, [TO_ODP] = WAY_OFFICE},
    [FROM_OLD_SLIDES] = {PICTURES(WAY_VIA_PDF), [TO_PDF] = WAY_OFFICE, [TO_PPTX] = WAY_OFFICE,
                         [TO_ODP] = WAY_OFFICE},
    [FROM_DRAWING] = {PICTURES(WAY_VIA_PDF), TEXTS(WAY_MODEL), [TO_PDF] = WAY_OFFICE},
    [FROM_OLD_DRAWING] = {PICTURES(WAY_VIA_PDF), [TO_PDF] = WAY_OFFICE},
    [FROM_HTML] =
        {PICTURES(WAY_VIA_PDF),
         TEXTS(WAY_MODEL), [TO_PDF] = WAY_BROWSER, [TO_DOCX] = WAY_MODEL, [TO_ODT] = WAY_OFFICE},
    [FROM_PROSE] = {PICTURES(WAY_VIA_PDF),
                    TEXTS(WAY_MODEL), [TO_PDF] = WAY_MODEL, [TO_DOCX] = WAY_MODEL},
    [FROM_BOOK] = {PICTURES(WAY_VIA_PDF),
                   TEXTS(WAY_MODEL), [TO_PDF] = WAY_MODEL, [TO_DOCX] = WAY_MODEL},
    [FROM_PICTURE] = {[TO_PDF] = WAY_PICTURES},
    [FROM_OTHER_PICTURE] = {[TO_PDF] = WAY_PICTURES_2},
};

static const struct {
    const char *name, *extension, *media_type;
} targets[TO_COUNT] = {
    [TO_PDF] = {"pdf", "pdf", "application/pdf"},
    [TO_DOCX] = {"docx", "docx",
                 "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    [TO_HTML] = {"html", "html", "text/html"},
    [TO_EPUB] = {"epub", "epub", "application/epub+zip"},
    [TO_MARKDOWN] = {"markdown", "md", "text/markdown"},
    [TO_TEXT] = {"text", "txt", "text/plain"},
    [TO_PNG] = {"png", "png", "image/png"},
    [TO_JPEG] = {"jpeg", "jpg", "image/jpeg"},
    [TO_WEBP] = {"webp", "webp", "image/webp"},
    [TO_ODT] = {"odt", "odt", "application/vnd.oasis.opendocument.text"},
    [TO_XLSX] = {"xlsx", "xlsx",
                 "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    [TO_ODS] = {"ods", "ods", "application/vnd.oasis.opendocument.spreadsheet"},
    [TO_CSV] = {"csv", "csv", "text/csv"},
    [TO_PPTX] = {"pptx", "pptx",
                 "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    [TO_ODP] = {"odp", "odp", "application/vnd.oasis.opendocument.presentation"},
};

static const struct {
    TypeId type;
    DocReader read;
} readers[] = {
#define READER(type, function) {TYPE_##type, function},
#include "document/readers.def"
#undef READER
};

static const char *const type_names[TYPE_COUNT] = {
#define TYPE(id, media_type, extension, name, family, others) [TYPE_##id] = media_type,
#include "document/types.def"
#undef TYPE
};

TypeId convert_type_id(const FileType *t)
{
    for (int i = 0; i < TYPE_COUNT; i++)
        if (strcmp(type_names[i], t->media_type) == 0)
            return (TypeId)i;
    return TYPE_UNKNOWN;
}

DocReader convert_reader(TypeId from)
{
    for (size_t i = 0; i < COUNT_OF(readers); i++)
        if (readers[i].type == from)
            return readers[i].read;
    return NULL;
}

/* Text of any further kind that a reader knows is read as text. */
static From family_of(TypeId type)
{
    static const char *const type_families[TYPE_COUNT] = {
#define TYPE(id, media_type, extension, name, family, others) [TYPE_##id] = family,
#include "document/types.def"
#undef TYPE
    };
    for (size_t i = 0; i < COUNT_OF(families); i++)
        if (families[i].type == type)
            return (From)families[i].from;
    bool text = strcmp(type_families[type], "text") == 0 && convert_reader(type) != NULL;
    return text ? FROM_PROSE : FROM_NOTHING;
}

Way convert_way(TypeId from, To to)
{
    return (Way)ways[family_of(from)][to];
}

bool convert_is_picture(TypeId from)
{
    From f = family_of(from);
    return f == FROM_PICTURE || f == FROM_OTHER_PICTURE;
}

const char *convert_extension(To to)
{
    return targets[to].extension;
}

const char *convert_media_type(To to)
{
    return targets[to].media_type;
}

const char *convert_name(To to)
{
    return targets[to].name;
}

Str convert_choices(Arena *a, TypeId from)
{
    Buf b = buf_init(a, KIB);
    From f = family_of(from);
    for (int i = 0; i < TO_COUNT; i++)
        if (ways[f][i] != WAY_NONE)
            buf_addf(&b, "%s%s", b.len > 0 ? ", " : "", targets[i].name);
    return buf_str(&b);
}
