/* document.extract: any document as Markdown, text or JSON blocks.
 *
 * What    one file in, its text out, in reading order, with headings, lists, tables, links and pages.
 * Why     everything after it (chunks, search, models) wants text, whatever the file was.
 * How     the type is told from the content, never from the name; its reader (readers.def) streams into the sink (doc.h).
 * Errors  a type without a reader says what would help; encrypted files say so; no text is an error, never an empty success. */
#include "document/document.h"
#include "document/reading.h"

static const Choice format_choices[] = {
    [DOC_MARKDOWN] = {"markdown", "Markdown with GitHub's tables."},
    [DOC_TEXT] = {"text", "Plain text; rows of tables as lines with tabs."},
    [DOC_JSON] = {"json", "Blocks with kind, page, exact range, styles and cells."},
    {0},
};

static const Choice attachment_choices[] = {
    [ATTACHMENTS_NONE] = {"none", "Leave them out."},
    [ATTACHMENTS_LIST] = {"list", "Name them, with type and size."},
    [ATTACHMENTS_READ] = {"read", "Name them and read each, also those within them."},
    {0},
};

static const Choice ocr_choices[] = {
    [OCR_AUTO] = {"auto", "Where a page has pictures and no text, or text that is not readable."},
    [OCR_NEVER] = {"never", "Only text that the file holds."},
    [OCR_ALWAYS] = {"always", "Every page, whatever text it holds."},
    {0},
};

static const Param extract_params[] = {
    PARAM_CHOICE(ExtractArgs, format, .choices = format_choices, .def = DOC_MARKDOWN,
                 .help = "How the text is written."),
    PARAM_TEXT(ExtractArgs, pages, .max_len = 200, .def_text = "", .example = "1-3,7",
               .help = "Pages, slides or sheets to read; all when left out."),
    PARAM_TEXT(ExtractArgs, password, .secret = true, .max_len = 500,
               .help = "Password of an encrypted file."),
    PARAM_BOOL(ExtractArgs, comments,
               .help = "Also read comments, annotations, tracked changes and speaker notes."),
    PARAM_BOOL(ExtractArgs, main, .since = "0.2",
               .help = "Of a web page read only what it is about, not its menus and margins."),
    PARAM_CHOICE(ExtractArgs, attachments, .choices = attachment_choices, .def = ATTACHMENTS_LIST,
                 .since = "0.2", .help = "What happens to files attached to a message."),
    PARAM_CHOICE(ExtractArgs, ocr, .choices = ocr_choices, .def = OCR_AUTO, .since = "0.2",
                 .help = "When pages and pictures are read by optical character recognition."),
    PARAM_LIST(ExtractArgs, languages, .max_len = 10, .def_text = "auto", .example = "eng,deu",
               .since = "0.2", .help = "Languages for that, as three-letter codes, or auto."),
    PARAM_END,
};

/* Why a file that opens may have no text. */
static void advise_no_text(const Reading *r)
{
    bool pdf = str_eq_c(r->in.type, "application/pdf");
    bool told = r->in.ocr == OCR_NEVER;
    err_hint(r->in.step->err, "%s",
             pdf && told ? "its pages may be pictures: set `ocr` to auto"
             : pdf       ? "its pages are blank, or what they show is no text"
                         : "it opens but has no words: is it the right file? Pictures in it are "
                           "read when the file is sent as PDF");
}

static ErrCode read_into(const Reading *r, const ExtractArgs *a)
{
    StepCtx *c = r->in.step;
    CLEANUP(doc_abandon) Doc *doc = NULL;
    ErrCode rc = doc_open(c, (DocFormat)a->format, &doc);
    if (rc != OK)
        return rc;
    rc = r->read(&r->in, doc);
    if (rc != OK)
        return rc;
    if (c->data != NULL) {
        json_kv_c(c->data, "type", r->type.media_type);
        if (r->type.charset != NULL)
            json_kv_c(c->data, "charset", r->type.charset);
    }
    rc = doc_close(&doc);
    if (rc == ERR_NO_TEXT)
        advise_no_text(r);
    return rc;
}

ErrCode extract_bytes(StepCtx *c, Str bytes, const ExtractArgs *a)
{
    AttachBudget budget = {0};
    DocInput in = {
        .step = c,
        .fd = c->input_fd,
        .bytes = bytes,
        .name = c->inputs[0].name,
        .password = a->password,
        .pages = a->pages,
        .charset = reading_charset(c->inputs[0].type),
        .comments = a->comments,
        .main = a->main,
        .attachments = (Attachments)a->attachments,
        .ocr = (OcrWhen)a->ocr,
        .languages = a->languages,
        .budget = &budget,
    };
    CLEANUP(reading_close) Reading r = {0};
    ErrCode rc = reading_open(&in, &r);
    return rc == OK ? read_into(&r, a) : rc;
}

static ErrCode extract_run(StepCtx *c, const void *args)
{
    const ExtractArgs *a = args;
    if (c->inputs_len == 0)
        return err_set(c->err, ERR_INPUT_MISSING, "no file was given");
    ErrCode rc = pages_check(a->pages, c->err);
    if (rc != OK)
        return rc;
    Str bytes;
    rc = document_map(c, &bytes);
    if (rc != OK)
        return rc;
    rc = extract_bytes(c, bytes, a);
    document_unmap(&bytes);
    return rc;
}

static const Field metadata_fields[] = {
    {"title", FIELD_TYPE_TEXT, "Title, as the file says.", .optional = true},
    {"author", FIELD_TYPE_TEXT, "Author.", .optional = true},
    {"subject", FIELD_TYPE_TEXT, "Subject or description.", .optional = true},
    {"keywords", FIELD_TYPE_TEXT, "Keywords.", .optional = true},
    {"language", FIELD_TYPE_TEXT, "Language (BCP 47).", .optional = true},
    {"created", FIELD_TYPE_TEXT, "When it was made (RFC 3339).", .optional = true},
    {"modified", FIELD_TYPE_TEXT, "When it was last changed (RFC 3339).", .optional = true},
    {"generator", FIELD_TYPE_TEXT, "The program that made it.", .optional = true},
    {0},
};

static const Field form_fields[] = {
    {"name", FIELD_TYPE_TEXT, "The field's full name."},
    {"kind", FIELD_TYPE_TEXT, "One of text, checkbox, radio, choice, button, signature, date."},
    {"value", FIELD_TYPE_TEXT, "What is filled in; of a checkbox, true or false."},
    {"page", FIELD_TYPE_INT, "Its page.", .optional = true},
    {0},
};

static const Field ocr_fields[] = {
    {"page", FIELD_TYPE_INT, "The page."},
    {"confidence", FIELD_TYPE_NUMBER, "How sure the engine is of the text, 0 to 1."},
    {0},
};

static const Field extract_fields[] = {
    {"type", FIELD_TYPE_TEXT, "Media type of the input, told from its content."},
    {"charset", FIELD_TYPE_TEXT, "Encoding of a text file.", .optional = true},
    {"format", FIELD_TYPE_TEXT, "One of markdown, text, json."},
    {"pages", FIELD_TYPE_INT, "Pages, slides or sheets; 0 when the format has none."},
    {"words", FIELD_TYPE_INT, "Words; a Han, Hiragana or Katakana character counts as one."},
    {"characters", FIELD_TYPE_INT, "Unicode characters of the text, without what the format adds."},
    {"blocks", FIELD_TYPE_INT, "Headings, paragraphs, items, tables and so on."},
    {"form_fields", FIELD_TYPE_LIST, "Fields of forms, with what is filled in; the first 500.",
     .optional = true, .items = form_fields},
    {"ocr_pages", FIELD_TYPE_LIST, "Pages that were read by OCR.", .optional = true,
     .items = ocr_fields},
    {"pages_without_text", FIELD_TYPE_INT, "Pages of a PDF that gave no text.", .optional = true},
    {"language", FIELD_TYPE_TEXT, "Language, when the file names it (BCP 47).", .optional = true},
    {"metadata", FIELD_TYPE_OBJECT, "What the file says about itself.", .items = metadata_fields},
    {"page_starts", FIELD_TYPE_ANY,
     "Where each page begins in the output, in characters (in JSON: in the same document as text); "
     "the first 4,000.",
     .optional = true},
    {0},
};

const Step step_document_extract = {
    .name = "document.extract",
    .title = "Extract text",
    .summary = "Read the text of a document as Markdown, plain text or JSON blocks, with headings, "
               "lists, tables and "
               "pages.",
    .since = "0.1",
    .accepts =
        "application/pdf,"
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document,"
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet,"
        "application/vnd.openxmlformats-officedocument.presentationml.presentation,"
        "application/vnd.ms-word.document.macroEnabled.12,application/"
        "vnd.ms-excel.sheet.macroEnabled.12,"
        "application/vnd.ms-powerpoint.presentation.macroEnabled.12,"
        "application/vnd.oasis.opendocument.text,application/vnd.oasis.opendocument.spreadsheet,"
        "application/vnd.oasis.opendocument.presentation,application/"
        "vnd.oasis.opendocument.graphics,"
        "application/msword,application/vnd.ms-excel,application/vnd.ms-powerpoint,"
        "application/vnd.ms-outlook,application/vnd.ms-excel.sheet.binary.macroEnabled.12,image/*,"
        "application/epub+zip,application/rtf,text/rtf,message/rfc822,text/*,application/xhtml+xml,"
        "application/xml,application/json,application/x-ndjson,application/yaml,application/"
        "octet-stream",
    .returns = "text/markdown,text/plain,application/json",
    .version = 2,
    .calls = "office.convert,ocr.document",
    .cacheable = true,
    .limits = {.time_ms = 120 * 1000,
               .cpu_ms = 110 * 1000,
               .memory_bytes = 512 << 20,
               .output_bytes = 512 << 20},
    .params = extract_params,
    .args_size = sizeof(ExtractArgs),
    .data = extract_fields,
    .errors = (const ErrCode[]){ERR_UNSUPPORTED_TYPE, ERR_INPUT_MISSING, ERR_INPUT_EMPTY,
                                ERR_INPUT_DAMAGED, ERR_INPUT_ENCRYPTED, ERR_NO_TEXT,
                                ERR_LIMIT_COUNT, ERR_LIMIT_DEPTH, ERR_LIMIT_RATIO, ERR_LIMIT_MEMORY,
                                ERR_LIMIT_OUTPUT, ERR_INPUT_TOO_LARGE, OK},
    .examples = (const Example[]){{.title = "A PDF as Markdown",
                                   .input = "report.pdf",
                                   .args = "{}",
                                   .expect = "text/markdown;pages=3;words>=100"},
                                  {.title = "The first page of a PDF as plain text",
                                   .input = "report.pdf",
                                   .args = "{\"format\": \"text\", \"pages\": \"1\"}",
                                   .expect = "text/plain;words>=20"},
                                  {.title = "A web page as JSON blocks",
                                   .input = "letter.html",
                                   .args = "{\"format\": \"json\"}",
                                   .expect = "application/json;blocks>=3"},
                                  {.title = "A table",
                                   .input = "people.csv",
                                   .args = "{}",
                                   .expect = "text/markdown;type=text/csv;blocks=1"},
                                  {.title = "A Word document as Markdown",
                                   .input = "report.docx",
                                   .args = "{}",
                                   .expect = "text/markdown;words>=60"},
                                  {.title = "A presentation with its speaker notes",
                                   .input = "slides.pptx",
                                   .args = "{\"comments\": true}",
                                   .expect = "text/markdown;pages=3"},
                                  {.title = "The first sheet of a workbook",
                                   .input = "budget.xlsx",
                                   .args = "{\"pages\": \"1\"}",
                                   .expect = "text/markdown;blocks=2"},
                                  {.title = "A mail with what is attached",
                                   .input = "mail.eml",
                                   .args = "{}",
                                   .expect = "text/markdown;type=message/rfc822"},
                                  {.title = "An Outlook message and the files attached to it",
                                   .input = "mail.msg",
                                   .args = "{\"attachments\": \"read\"}",
                                   .expect = "text/markdown;type=application/vnd.ms-outlook;"
                                             "words>=60"},
                                  {.title = "An old Word document",
                                   .input = "report.doc",
                                   .args = "{}",
                                   .expect = "text/markdown;type=application/msword;words>=60"},
                                  {.title = "A scan, by OCR where a page has no text",
                                   .input = "scan.pdf",
                                   .args = "{}",
                                   .expect = "text/markdown;pages=2;words>=20"},
                                  {.title = "What a web page is about, without its menus",
                                   .input = "letter.html",
                                   .args = "{\"main\": true}",
                                   .expect = "text/markdown;words>=50"},
                                  {.title = "A locked document without its password",
                                   .input = "locked.docx",
                                   .args = "{}",
                                   .expect = "reason=input_encrypted"},
                                  {0}},
    .run = extract_run,
};
