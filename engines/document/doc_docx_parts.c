#include "document/doc_docx_in.h"

#define TYPES "application/vnd.openxmlformats-officedocument.wordprocessingml."
#define RELS  "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"

const char docx_content_types[] = DOCX_XML
    "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\">"
    "<Default Extension=\"rels\" "
    "ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"
    "<Default Extension=\"xml\" ContentType=\"application/xml\"/>"
    "<Default Extension=\"png\" ContentType=\"image/png\"/>"
    "<Default Extension=\"jpg\" ContentType=\"image/jpeg\"/>"
    "<Default Extension=\"gif\" ContentType=\"image/gif\"/>"
    "<Override PartName=\"/word/document.xml\" ContentType=\"" TYPES "document.main+xml\"/>"
    "<Override PartName=\"/word/styles.xml\" ContentType=\"" TYPES "styles+xml\"/>"
    "<Override PartName=\"/word/settings.xml\" ContentType=\"" TYPES "settings+xml\"/>"
    "<Override PartName=\"/word/numbering.xml\" ContentType=\"" TYPES "numbering+xml\"/>"
    "<Override PartName=\"/docProps/core.xml\" "
    "ContentType=\"application/vnd.openxmlformats-package.core-properties+xml\"/></Types>";

const char docx_package_rels[] = DOCX_XML
    "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
    "<Relationship Id=\"rId1\" Type=\"" RELS "officeDocument\" Target=\"word/document.xml\"/>"
    "<Relationship Id=\"rId2\" Type=\"http://schemas.openxmlformats.org/package/2006/relationships/"
    "metadata/core-properties\" Target=\"docProps/core.xml\"/></Relationships>";

const char docx_settings[] =
    DOCX_XML "<w:settings " DOCX_W "><w:defaultTabStop w:val=\"720\"/><w:compat><w:compatSetting "
             "w:name=\"compatibilityMode\" w:uri=\"http://schemas.microsoft.com/office/word\" "
             "w:val=\"15\"/></w:compat></w:settings>";

typedef struct ParagraphStyle {
    const char *id, *name, *based_on, *next, *ppr, *rpr;
} ParagraphStyle;

#define HEADING(n, before, after, size)                                                            \
    {                                                                                              \
        "Heading" #n, "heading " #n, "Normal", "Normal",                                           \
            "<w:keepNext/><w:keepLines/><w:spacing w:before=\"" before "\" w:after=\"" after       \
            "\"/>",                                                                                \
            "<w:b/><w:bCs/><w:color w:val=\"1F3552\"/><w:sz w:val=\"" size                         \
            "\"/><w:szCs w:val=\"" size "\"/>"                                                     \
    }

static const ParagraphStyle paragraph_styles[] = {
    HEADING(1, "360", "160", "36"),
    HEADING(2, "300", "120", "28"),
    HEADING(3, "240", "100", "25"),
    HEADING(4, "200", "80", "22"),
    HEADING(5, "200", "80", "22"),
    HEADING(6, "200", "80", "22"),
    {"ListParagraph", "List Paragraph", "Normal", NULL, "<w:spacing w:after=\"60\"/>", NULL},
    {"SourceCode", "Source Code", "Normal", NULL,
     "<w:pBdr><w:top w:val=\"single\" w:sz=\"4\" w:space=\"4\" w:color=\"E1E4E8\"/>"
     "<w:left w:val=\"single\" w:sz=\"4\" w:space=\"4\" w:color=\"E1E4E8\"/>"
     "<w:bottom w:val=\"single\" w:sz=\"4\" w:space=\"4\" w:color=\"E1E4E8\"/>"
     "<w:right w:val=\"single\" w:sz=\"4\" w:space=\"4\" w:color=\"E1E4E8\"/></w:pBdr>"
     "<w:shd w:val=\"clear\" w:color=\"auto\" w:fill=\"F4F5F7\"/>"
     "<w:spacing w:after=\"160\" w:line=\"240\" w:lineRule=\"auto\"/>",
     "<w:rFonts w:ascii=\"Consolas\" w:hAnsi=\"Consolas\" w:cs=\"Consolas\"/><w:noProof/>"
     "<w:sz w:val=\"19\"/><w:szCs w:val=\"19\"/>"},
    {"Quote", "Quote", "Normal", NULL,
     "<w:pBdr><w:left w:val=\"single\" w:sz=\"18\" w:space=\"10\" w:color=\"C6CCD4\"/></w:pBdr>"
     "<w:ind w:left=\"360\"/>",
     "<w:color w:val=\"4D5560\"/>"},
    {"FootnoteText", "footnote text", "Normal", NULL, "<w:spacing w:after=\"60\"/>",
     "<w:sz w:val=\"19\"/><w:szCs w:val=\"19\"/>"},
    {"TableText", "Table Text", "Normal", NULL, "<w:spacing w:before=\"40\" w:after=\"40\"/>",
     "<w:sz w:val=\"20\"/><w:szCs w:val=\"20\"/>"},
};

static void add_paragraph_style(Buf *b, const ParagraphStyle *s, int outline)
{
    buf_addf(b,
             "<w:style w:type=\"paragraph\" w:styleId=\"%s\"><w:name w:val=\"%s\"/>"
             "<w:basedOn w:val=\"%s\"/>",
             s->id, s->name, s->based_on);
    if (s->next != NULL)
        buf_addf(b, "<w:next w:val=\"%s\"/>", s->next);
    buf_addf(b, "<w:qFormat/><w:pPr>%s", s->ppr);
    if (outline >= 0)
        buf_addf(b, "<w:outlineLvl w:val=\"%d\"/>", outline);
    buf_add_c(b, "</w:pPr>");
    if (s->rpr != NULL)
        buf_addf(b, "<w:rPr>%s</w:rPr>", s->rpr);
    buf_add_c(b, "</w:style>");
}

static const char other_styles[] =
    "<w:style w:type=\"character\" w:default=\"1\" w:styleId=\"DefaultParagraphFont\">"
    "<w:name w:val=\"Default Paragraph Font\"/></w:style>"
    "<w:style w:type=\"character\" w:styleId=\"VerbatimChar\"><w:name w:val=\"Verbatim Char\"/>"
    "<w:rPr><w:rFonts w:ascii=\"Consolas\" w:hAnsi=\"Consolas\" w:cs=\"Consolas\"/>"
    "<w:noProof/></w:rPr></w:style>"
    "<w:style w:type=\"character\" w:styleId=\"Hyperlink\"><w:name w:val=\"Hyperlink\"/>"
    "<w:rPr><w:color w:val=\"0B57A4\"/><w:u w:val=\"single\"/></w:rPr></w:style>"
    "<w:style w:type=\"table\" w:default=\"1\" w:styleId=\"TableNormal\">"
    "<w:name w:val=\"Normal Table\"/><w:tblPr><w:tblInd w:w=\"0\" w:type=\"dxa\"/><w:tblCellMar>"
    "<w:top w:w=\"0\" w:type=\"dxa\"/><w:left w:w=\"108\" w:type=\"dxa\"/>"
    "<w:bottom w:w=\"0\" w:type=\"dxa\"/><w:right w:w=\"108\" w:type=\"dxa\"/></w:tblCellMar>"
    "</w:tblPr></w:style>"
    "<w:style w:type=\"table\" w:styleId=\"TableGrid\"><w:name w:val=\"Table Grid\"/>"
    "<w:basedOn w:val=\"TableNormal\"/><w:tblPr><w:tblBorders>"
    "<w:top w:val=\"single\" w:sz=\"4\" w:space=\"0\" w:color=\"BFC5CD\"/>"
    "<w:left w:val=\"single\" w:sz=\"4\" w:space=\"0\" w:color=\"BFC5CD\"/>"
    "<w:bottom w:val=\"single\" w:sz=\"4\" w:space=\"0\" w:color=\"BFC5CD\"/>"
    "<w:right w:val=\"single\" w:sz=\"4\" w:space=\"0\" w:color=\"BFC5CD\"/>"
    "<w:insideH w:val=\"single\" w:sz=\"4\" w:space=\"0\" w:color=\"BFC5CD\"/>"
    "<w:insideV w:val=\"single\" w:sz=\"4\" w:space=\"0\" w:color=\"BFC5CD\"/>"
    "</w:tblBorders></w:tblPr><w:tblStylePr w:type=\"firstRow\"><w:rPr><w:b/><w:bCs/></w:rPr>"
    "<w:tcPr><w:shd w:val=\"clear\" w:color=\"auto\" w:fill=\"EEF1F5\"/></w:tcPr>"
    "</w:tblStylePr></w:style>";

void docx_add_styles(Buf *b, bool serif)
{
    const char *font = serif ? "Cambria" : "Calibri";
    buf_addf(b,
             DOCX_XML "<w:styles " DOCX_W "><w:docDefaults><w:rPrDefault><w:rPr><w:rFonts "
                      "w:ascii=\"%s\" w:hAnsi=\"%s\" w:eastAsia=\"%s\" w:cs=\"Arial\"/>"
                      "<w:sz w:val=\"22\"/><w:szCs w:val=\"22\"/></w:rPr></w:rPrDefault>"
                      "<w:pPrDefault><w:pPr><w:spacing w:after=\"140\" w:line=\"276\" "
                      "w:lineRule=\"auto\"/></w:pPr></w:pPrDefault></w:docDefaults>"
                      "<w:style w:type=\"paragraph\" w:default=\"1\" w:styleId=\"Normal\">"
                      "<w:name w:val=\"Normal\"/><w:qFormat/></w:style>",
             font, font, font);
    for (size_t i = 0; i < COUNT_OF(paragraph_styles); i++)
        add_paragraph_style(b, &paragraph_styles[i], i < 6 ? (int)i : -1);
    buf_add_c(b, other_styles);
    buf_add_c(b, "</w:styles>");
}

static void add_abstract(Buf *b, int id, bool numbers)
{
    static const char *const bullets[] = {"\xE2\x80\xA2", "\xE2\x80\x93", "\xE2\x96\xAA"};
    buf_addf(b, "<w:abstractNum w:abstractNumId=\"%d\"><w:multiLevelType w:val=\"%s\"/>", id,
             "hybridMultilevel");
    for (int i = 0; i < DOCX_LIST_LEVELS; i++) {
        buf_addf(b, "<w:lvl w:ilvl=\"%d\"><w:start w:val=\"1\"/><w:numFmt w:val=\"%s\"/>", i,
                 numbers ? "decimal" : "bullet");
        if (numbers)
            buf_addf(b, "<w:lvlText w:val=\"%%%d.\"/>", i + 1);
        else
            buf_addf(b, "<w:lvlText w:val=\"%s\"/>", bullets[i % 3]);
        buf_addf(b,
                 "<w:lvlJc w:val=\"left\"/><w:pPr><w:ind w:left=\"%d\" w:hanging=\"360\"/>"
                 "</w:pPr></w:lvl>",
                 540 + 420 * i);
    }
    buf_add_c(b, "</w:abstractNum>");
}

void docx_add_numbering(Buf *b)
{
    buf_add_c(b, DOCX_XML "<w:numbering " DOCX_W ">");
    add_abstract(b, 0, false);
    add_abstract(b, 1, true);
    buf_addf(b, "<w:num w:numId=\"%d\"><w:abstractNumId w:val=\"0\"/></w:num>", DOCX_NUM_BULLETS);
}
