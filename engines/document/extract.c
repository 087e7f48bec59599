/* document.extract: any document as Markdown, text or JSON blocks.
 *
 * What    one file in, its text out, in reading order, with headings, lists, tables, links and pages.
 * Why     everything after it (chunks, search, models) wants text, whatever the file was.
 * How     the type is told from the content, never from the name; its reader (readers.def) streams into the sink (doc.h).
 * Errors  a type without a reader says what would help; encrypted files say so; no text is an error, never an empty success. */
#include "document/detect.h"
#include "document/detect_in.h"
#include "document/document.h"

#include <string.h>
#include <sys/mman.h>

static const Choice format_choices[] = {
    [DOC_MARKDOWN] = {"markdown", "Markdown with GitHub's tables."},
    [DOC_TEXT] = {"text", "Plain text; rows of tables as lines with tabs."},
    [DOC_JSON] = {"json", "Blocks with kind, page, exact range, styles and cells."},
    {0},
};

typedef struct ExtractArgs {
    int format; /* enum DocFormat */
    Str pages, password;
    bool comments;
} ExtractArgs;

static const Param extract_params[] = {
    PARAM_CHOICE(ExtractArgs, format, .choices = format_choices, .def = DOC_MARKDOWN,
                 .help = "How the text is written."),
    PARAM_TEXT(ExtractArgs, pages, .max_len = 200, .def_text = "", .example = "1-3,7",
               .help = "Pages, slides or sheets to read; all when left out."),
    PARAM_TEXT(ExtractArgs, password, .secret = true, .max_len = 500,
               .help = "Password of an encrypted PDF."),
    PARAM_BOOL(ExtractArgs, comments, .help = "Also read comments and speaker notes."),
    PARAM_END,
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

static DocReader reader_of(const FileType *t)
{
    for (size_t i = 0; i < COUNT_OF(readers); i++)
        if (strcmp(type_names[readers[i].type], t->media_type) == 0)
            return readers[i].read;
    return NULL;
}

/* What to do with a file that this step does not read. */
static const char *advice(const FileType *t)
{
    static const struct {
        TypeId type;
        const char *advice;
    } special[] = {
        {TYPE_DOC, "save it as .docx (Word or LibreOffice) and send that"},
        {TYPE_XLS, "save it as .xlsx (Excel or LibreOffice) and send that"},
        {TYPE_XLSB, "save it as .xlsx (Excel or LibreOffice) and send that"},
        {TYPE_PPT, "save it as .pptx (PowerPoint or LibreOffice) and send that"},
        {TYPE_MSG, "save it as .eml, or as text, and send that"},
        {TYPE_PUB, "export it as PDF and send that"},
        {TYPE_VSDX, "export it as PDF and send that"},
        {TYPE_VSD, "export it as PDF and send that"},
        {TYPE_POSTSCRIPT, "convert it to PDF and send that"},
        {TYPE_DJVU, "convert it to PDF and send that"},
        {TYPE_XPS, "convert it to PDF and send that"},
        {TYPE_MOBI, "convert it to EPUB and send that"},
        {TYPE_SVG, "convert it to a picture or PDF first"},
        {TYPE_UNKNOWN, "the content is of no known type: check that the file is whole"},
    };
    static const struct {
        const char *family, *advice;
    } families[] = {
        {"image", "it is a picture: run OCR on it"},
        {"archive", "unpack it first, then send the files in it"},
        {"audio", "it is sound: transcribe it"},
        {"video", "it is a video: transcribe its sound"},
        {"program", "it is a program, not a document"},
    };
    for (size_t i = 0; i < COUNT_OF(special); i++)
        if (strcmp(type_names[special[i].type], t->media_type) == 0)
            return special[i].advice;
    for (size_t i = 0; i < COUNT_OF(families); i++)
        if (strcmp(families[i].family, t->family) == 0)
            return families[i].advice;
    return "send it as PDF, DOCX, HTML or text";
}

static ErrCode refuse(StepCtx *c, const FileType *t)
{
    err_set(c->err, ERR_UNSUPPORTED_TYPE, "cannot read text from \"" STR_FMT "\": it is %s (%s)",
            STR_ARG(str_slice(c->inputs[0].name, 0, 60)), t->name, t->media_type);
    err_hint(c->err, "%s", advice(t));
    return ERR_UNSUPPORTED_TYPE;
}

static ErrCode refuse_encrypted(StepCtx *c, const FileType *t)
{
    err_set(c->err, ERR_INPUT_ENCRYPTED, "the file is encrypted: %s", t->name);
    err_hint(c->err, "open it with its password, save it without one, and send that");
    return ERR_INPUT_ENCRYPTED;
}

static void note_false_name(StepCtx *c, const FileType *t)
{
    Str name = c->inputs[0].name;
    if (detect_name_fits(t, name))
        return;
    Str text = str_printf(c->arena, "\"" STR_FMT "\" is in fact %s (%s); read as that",
                          STR_ARG(str_slice(name, 0, 80)), t->name, t->media_type);
    if (text.ptr != NULL)
        step_note(c, text);
}

/* The charset parameter of a declared type: text/csv; charset=utf-8 */
static Str charset_param(Str type)
{
    size_t at = str_find(type, STR("charset="));
    if (at == STR_NONE)
        return STR("");
    Str v = str_slice(type, at + 8, type.len);
    size_t end = str_find_char(v, ';');
    v = str_trim(end == STR_NONE ? v : str_slice(v, 0, end));
    return v.len >= 2 && v.ptr[0] == '"' ? str_slice(v, 1, v.len - 1) : v;
}

static ErrCode read_into(const DocInput *in, const ExtractArgs *a, DocReader read,
                         const FileType *t)
{
    StepCtx *c = in->step;
    CLEANUP(doc_abandon) Doc *doc = NULL;
    ErrCode rc = doc_open(c, (DocFormat)a->format, &doc);
    if (rc != OK)
        return rc;
    rc = read(in, doc);
    if (rc != OK)
        return rc;
    if (c->data != NULL) {
        json_kv_c(c->data, "type", t->media_type);
        if (t->charset != NULL)
            json_kv_c(c->data, "charset", t->charset);
    }
    return doc_close(&doc);
}

ErrCode extract_bytes(StepCtx *c, Str bytes, const void *args)
{
    const ExtractArgs *a = args;
    FileType t;
    ErrCode rc = detect_type(c->arena, bytes, &t, c->err);
    if (rc != OK)
        return rc;
    detect_refine(&t, c->inputs[0].name);
    bool pdf =
        strcmp(t.media_type, "application/pdf") == 0; /* the only one that can be unlocked here */
    if (t.encrypted && !pdf && strcmp(t.family, "document") == 0)
        return refuse_encrypted(c, &t);
    DocReader read = reader_of(&t);
    if (read == NULL)
        return refuse(c, &t);
    note_false_name(c, &t);
    DocInput in = {
        .step = c,
        .fd = c->input_fd,
        .bytes = bytes,
        .name = c->inputs[0].name,
        .password = a->password,
        .pages = a->pages,
        .comments = a->comments,
        .charset = charset_param(c->inputs[0].type),
    };
    return read_into(&in, a, read, &t);
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
    rc = extract_bytes(c, bytes, args);
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

static const Field extract_fields[] = {
    {"type", FIELD_TYPE_TEXT, "Media type of the input, told from its content."},
    {"charset", FIELD_TYPE_TEXT, "Encoding of a text file.", .optional = true},
    {"format", FIELD_TYPE_TEXT, "One of markdown, text, json."},
    {"pages", FIELD_TYPE_INT, "Pages, slides or sheets; 0 when the format has none."},
    {"words", FIELD_TYPE_INT, "Words; a Han, Hiragana or Katakana character counts as one."},
    {"characters", FIELD_TYPE_INT, "Unicode characters of the text, without what the format adds."},
    {"blocks", FIELD_TYPE_INT, "Headings, paragraphs, items, tables and so on."},
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
        "application/epub+zip,application/rtf,text/rtf,message/rfc822,text/*,application/xhtml+xml,"
        "application/xml,application/json,application/x-ndjson,application/yaml,application/"
        "octet-stream",
    .returns = "text/markdown,text/plain,application/json",
    .version = 1,
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
                                  {0}},
    .run = extract_run,
};
