/* formats.c: LibreOffice's filters by kind of document and format wanted. */
#include "office/office.h"

#include <string.h>

static const char *const kind_names[OFFICE_KINDS] = {
    [OFFICE_TEXT] = "text document",  [OFFICE_WEB] = "web page",    [OFFICE_SHEET] = "spreadsheet",
    [OFFICE_SLIDES] = "presentation", [OFFICE_DRAWING] = "drawing", [OFFICE_FORMULA] = "formula",
};

const char *office_kind_name(OfficeKind k)
{
    return k >= 0 && k < OFFICE_KINDS ? kind_names[k] : "document of an unknown kind";
}

const Choice office_format_choices[] = {
    [OFFICE_PDF] = {"pdf", "PDF, as it would be printed."},
    [OFFICE_DOCX] = {"docx", "Word."},
    [OFFICE_XLSX] = {"xlsx", "Excel."},
    [OFFICE_PPTX] = {"pptx", "PowerPoint."},
    [OFFICE_ODT] = {"odt", "OpenDocument text."},
    [OFFICE_ODS] = {"ods", "OpenDocument spreadsheet."},
    [OFFICE_ODP] = {"odp", "OpenDocument presentation."},
    [OFFICE_HTML] = {"html", "One HTML page with its pictures inside."},
    [OFFICE_TXT] = {"txt", "Plain text in UTF-8."},
    [OFFICE_CSV] = {"csv", "The first sheet as a table of text."},
    [OFFICE_RTF] = {"rtf", "Rich text."},
    [OFFICE_DOC] = {"doc", "Word 97 to 2003."},
    [OFFICE_XLS] = {"xls", "Excel 97 to 2003."},
    [OFFICE_PPT] = {"ppt", "PowerPoint 97 to 2003."},
    [OFFICE_ODG] = {"odg", "OpenDocument drawing."},
    [OFFICE_EPUB] = {"epub", "EPUB book."},
    [OFFICE_PNG] = {"png", "The first page as a picture."},
    [OFFICE_SVG] = {"svg", "The first page as a drawing."},
    {0},
};

static const char *const media_types[OFFICE_FORMATS] = {
    [OFFICE_PDF] = "application/pdf",
    [OFFICE_DOCX] = "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    [OFFICE_XLSX] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    [OFFICE_PPTX] = "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    [OFFICE_ODT] = "application/vnd.oasis.opendocument.text",
    [OFFICE_ODS] = "application/vnd.oasis.opendocument.spreadsheet",
    [OFFICE_ODP] = "application/vnd.oasis.opendocument.presentation",
    [OFFICE_HTML] = "text/html",
    [OFFICE_TXT] = "text/plain",
    [OFFICE_CSV] = "text/csv",
    [OFFICE_RTF] = "application/rtf",
    [OFFICE_DOC] = "application/msword",
    [OFFICE_XLS] = "application/vnd.ms-excel",
    [OFFICE_PPT] = "application/vnd.ms-powerpoint",
    [OFFICE_ODG] = "application/vnd.oasis.opendocument.graphics",
    [OFFICE_EPUB] = "application/epub+zip",
    [OFFICE_PNG] = "image/png",
    [OFFICE_SVG] = "image/svg+xml",
};

const char *office_media_type(OfficeFormat f)
{
    return media_types[f];
}

typedef struct Export {
    const char *filter, *options;
} Export;

static const char utf8_text[] = "UTF8,LF,,,";
static const char utf8_table[] = "44,34,76,1,,0,false,true,false";

static const Export exports[OFFICE_KINDS][OFFICE_FORMATS] = {
    [OFFICE_TEXT] =
        {
            [OFFICE_PDF] = {"writer_pdf_Export", NULL},
            [OFFICE_DOCX] = {"MS Word 2007 XML", NULL},
            [OFFICE_ODT] = {"writer8", NULL},
            [OFFICE_HTML] = {"HTML (StarWriter)", "EmbedImages"},
            [OFFICE_TXT] = {"Text (encoded)", utf8_text},
            [OFFICE_RTF] = {"Rich Text Format", NULL},
            [OFFICE_DOC] = {"MS Word 97", NULL},
            [OFFICE_EPUB] = {"EPUB", NULL},
            [OFFICE_PNG] = {"writer_png_Export", NULL},
            [OFFICE_SVG] = {"writer_svg_Export", NULL},
        },
    [OFFICE_WEB] =
        {
            [OFFICE_PDF] = {"writer_web_pdf_Export", NULL},
            [OFFICE_ODT] = {"writerweb8_writer", NULL},
            [OFFICE_HTML] = {"HTML", "EmbedImages"},
            [OFFICE_TXT] = {"Text (encoded) (StarWriter/Web)", utf8_text},
            [OFFICE_PNG] = {"writer_web_png_Export", NULL},
        },
    [OFFICE_SHEET] =
        {
            [OFFICE_PDF] = {"calc_pdf_Export", NULL},
            [OFFICE_XLSX] = {"Calc MS Excel 2007 XML", NULL},
            [OFFICE_ODS] = {"calc8", NULL},
            [OFFICE_HTML] = {"HTML (StarCalc)", "EmbedImages"},
            [OFFICE_TXT] = {"Text - txt - csv (StarCalc)", "9,34,76,1,,0,false,true,false"},
            [OFFICE_CSV] = {"Text - txt - csv (StarCalc)", utf8_table},
            [OFFICE_XLS] = {"MS Excel 97", NULL},
            [OFFICE_PNG] = {"calc_png_Export", NULL},
            [OFFICE_SVG] = {"calc_svg_Export", NULL},
        },
    [OFFICE_SLIDES] =
        {
            [OFFICE_PDF] = {"impress_pdf_Export", NULL},
            [OFFICE_PPTX] = {"Impress MS PowerPoint 2007 XML", NULL},
            [OFFICE_ODP] = {"impress8", NULL},
            [OFFICE_HTML] = {"XHTML Impress File", NULL},
            [OFFICE_PPT] = {"MS PowerPoint 97", NULL},
            [OFFICE_ODG] = {"impress8_draw", NULL},
            [OFFICE_PNG] = {"impress_png_Export", NULL},
            [OFFICE_SVG] = {"impress_svg_Export", NULL},
        },
    [OFFICE_DRAWING] =
        {
            [OFFICE_PDF] = {"draw_pdf_Export", NULL},
            [OFFICE_ODG] = {"draw8", NULL},
            [OFFICE_HTML] = {"XHTML Draw File", NULL},
            [OFFICE_PNG] = {"draw_png_Export", NULL},
            [OFFICE_SVG] = {"draw_svg_Export", NULL},
        },
    [OFFICE_FORMULA] = {[OFFICE_PDF] = {"math_pdf_Export", NULL}},
};

const char *office_export(OfficeKind k, OfficeFormat f, const char **out_options)
{
    *out_options = NULL;
    if (k < 0 || k >= OFFICE_KINDS)
        return NULL;
    *out_options = exports[k][f].options;
    return exports[k][f].filter;
}

Str office_possible(Arena *a, OfficeKind k)
{
    Buf b = buf_init(a, 512);
    for (int f = 0; k >= 0 && k < OFFICE_KINDS && f < OFFICE_FORMATS; f++)
        if (exports[k][f].filter != NULL)
            buf_addf(&b, "%s%s", b.len > 0 ? ", " : "", office_format_choices[f].name);
    return b.failed ? (Str){0} : buf_str(&b);
}

const char *office_import(Str extension, const char **out_options)
{
    static const struct {
        const char *extension, *filter, *options;
    } known[] = {
        {"txt", "Text (encoded)", "UTF8,,,,"},
        {"csv", "Text - txt - csv (StarCalc)", "44,34,76,1,,0,false,true"},
        {"tsv", "Text - txt - csv (StarCalc)", "9,34,76,1,,0,false,true"},
        {"html", "HTML (StarWriter)", NULL},
    };
    *out_options = NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (str_eq_c(extension, known[i].extension)) {
            *out_options = known[i].options;
            return known[i].filter;
        }
    return NULL;
}

static const struct {
    const char *type, *extension;
} by_type[] = {
    {"application/msword", "doc"},
    {"application/vnd.ms-excel", "xls"},
    {"application/vnd.ms-powerpoint", "ppt"},
    {"application/vnd.ms-publisher", "pub"},
    {"application/vnd.visio", "vsd"},
    {"application/vnd.ms-visio.drawing", "vsdx"},
    {"application/vnd.ms-word.document.macroEnabled.12", "docm"},
    {"application/vnd.ms-excel.sheet.macroEnabled.12", "xlsm"},
    {"application/vnd.ms-excel.sheet.binary.macroEnabled.12", "xlsb"},
    {"application/vnd.ms-powerpoint.presentation.macroEnabled.12", "pptm"},
    {"application/vnd.oasis.opendocument.text-flat-xml", "fodt"},
    {"application/vnd.oasis.opendocument.spreadsheet-flat-xml", "fods"},
    {"application/vnd.oasis.opendocument.presentation-flat-xml", "fodp"},
    {"application/vnd.oasis.opendocument.graphics-flat-xml", "fodg"},
    {"application/vnd.oasis.opendocument.formula", "odf"},
    {"application/vnd.wordperfect", "wpd"},
    {"text/rtf", "rtf"},
    {"text/tab-separated-values", "tsv"},
    {"application/xhtml+xml", "html"},
};

static Str extension_of_name(Str name)
{
    size_t dot = str_rfind_char(name, '.');
    Str ext = dot != STR_NONE ? str_slice(name, dot + 1, name.len) : (Str){0};
    if (ext.len == 0 || ext.len > 5)
        return STR("bin");
    for (size_t i = 0; i < ext.len; i++)
        if (!((ext.ptr[i] >= 'a' && ext.ptr[i] <= 'z') ||
              (ext.ptr[i] >= 'A' && ext.ptr[i] <= 'Z') || (ext.ptr[i] >= '0' && ext.ptr[i] <= '9')))
            return STR("bin");
    return ext;
}

Str office_extension(Str type, Str name)
{
    type = str_trim(str_slice(type, 0, str_find_char(type, ';')));
    for (size_t i = 0; i < sizeof by_type / sizeof *by_type; i++)
        if (str_eq_c(type, by_type[i].type))
            return str_from_c(by_type[i].extension);
    for (int f = 0; f < OFFICE_FORMATS; f++)
        if (str_eq_c(type, media_types[f]))
            return str_from_c(office_format_choices[f].name);
    return extension_of_name(name);
}
