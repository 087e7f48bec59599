/* document.convert: one file in another format. (Several files in one document: combine.c.)
 *
 * What    documents to PDF, Word, HTML, EPUB, Markdown or text; pages as pictures; pictures as a
 *         PDF.
 * How     the type is told from the content; convert_ways.c says what becomes of it, and how.
 * Units   paper and margins in millimetres, dpi in dots per inch of the page, width in pixels.
 * Errors  a pair that cannot be had names the ones that can. */
#include "document/convert_in.h"

#include "base/fd.h"
#include "document/detect.h"
#include "document/face.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

enum {
    INPUTS_MAX = 100,
};

static const Choice to_choices[] = {
    [TO_PDF] = {"pdf", "PDF, for print and reading."},
    [TO_DOCX] = {"docx", "Word document."},
    [TO_HTML] = {"html", "One HTML page with its own style sheet."},
    [TO_EPUB] = {"epub", "EPUB 3 book with a table of contents."},
    [TO_MARKDOWN] = {"markdown", "Markdown with GitHub's tables."},
    [TO_TEXT] = {"text", "Plain text."},
    [TO_PNG] = {"png", "A PNG picture of each page."},
    [TO_JPEG] = {"jpeg", "A JPEG picture of each page."},
    [TO_WEBP] = {"webp", "A WebP picture of each page."},
    [TO_ODT] = {"odt", "OpenDocument text."},
    [TO_XLSX] = {"xlsx", "Excel workbook, from a sheet."},
    [TO_ODS] = {"ods", "OpenDocument spreadsheet, from a sheet."},
    [TO_CSV] = {"csv", "Comma-separated table, from a sheet."},
    [TO_PPTX] = {"pptx", "PowerPoint presentation, from slides."},
    [TO_ODP] = {"odp", "OpenDocument presentation, from slides."},
    {0},
};
const Choice convert_paper_choices[] = {
    [PAPER_AUTO] = {"auto", "A4; a picture's page is as large as the picture."},
    [PAPER_A4] = {"a4", "210 x 297 mm."},
    [PAPER_LETTER] = {"letter", "8.5 x 11 inches."},
    [PAPER_LEGAL] = {"legal", "8.5 x 14 inches."},
    [PAPER_A3] = {"a3", "297 x 420 mm."},
    [PAPER_A5] = {"a5", "148 x 210 mm."},
    {0},
};
const Choice convert_pdf_a_choices[] = {
    [PDF_A_NONE] = {"none", "An ordinary PDF."},
    [PDF_A_1B] = {"1b", "PDF/A-1b: the oldest, without transparency."},
    [PDF_A_2B] = {"2b", "PDF/A-2b: what most archives ask for."},
    [PDF_A_3B] = {"3b", "PDF/A-3b: as 2b, and may carry files."},
    {0},
};
const Choice convert_style_choices[] = {
    [DOC_STYLE_CLEAN] = {"clean", "Sans-serif, for the screen and reports."},
    [DOC_STYLE_BOOK] = {"book", "Serif, for long reading."},
    [DOC_STYLE_NONE] = {"none", "No style sheet in HTML and EPUB; elsewhere as clean."},
    {0},
};

static const Param convert_params[] = {
    PARAM_CHOICE(ConvertArgs, to, .choices = to_choices, .def = TO_PDF, .help = "Format to make."),
    PARAM_TEXT(ConvertArgs, pages, .max_len = 200, .def_text = "", .example = "1-3,7",
               .help = "Pages, slides or sheets to take; all when left out."),
    PARAM_INT(ConvertArgs, dpi, .min = 18, .max = 1200, .def = 150, .unit = "dpi",
              .help = "Resolution of pictures of pages."),
    PARAM_INT(ConvertArgs, width, .min = 16, .max = 16384, .unit = "px", .example = "320",
              .help = "Width of pictures of pages, instead of dpi."),
    PARAM_INT(ConvertArgs, quality, .min = 1, .max = 100, .def = 85,
              .help = "Quality of jpeg and webp pictures."),
    PARAM_CHOICE(ConvertArgs, paper, .choices = convert_paper_choices, .def = PAPER_AUTO,
                 .help = "Paper of what is laid out here; office files keep their own."),
    PARAM_BOOL(ConvertArgs, landscape, .help = "Paper on its side."),
    PARAM_NUMBER(ConvertArgs, margin_mm, .min_num = 0, .max_num = 80, .def_num = 20, .unit = "mm",
                 .help = "Margin on all sides of what is laid out here; pictures have none unless "
                         "a paper is named."),
    PARAM_TEXT(ConvertArgs, title, .max_len = 500, .def_text = "", .example = "Annual report",
               .help = "Title of the new document, instead of its own."),
    PARAM_TEXT(ConvertArgs, password, .secret = true, .max_len = 500,
               .help = "Password of an encrypted input."),
    PARAM_CHOICE(ConvertArgs, pdf_a, .choices = convert_pdf_a_choices, .def = PDF_A_NONE,
                 .help = "Archive standard that the PDF follows."),
    PARAM_CHOICE(ConvertArgs, style, .choices = convert_style_choices, .def = DOC_STYLE_CLEAN,
                 .help = "Look of what is laid out here."),
    PARAM_BOOL(ConvertArgs, light,
               .help = "Lay out by platen's own engine, in milliseconds, also where the office "
                       "suite or the browser would be truer to the original."),
    PARAM_END,
};

Str convert_base(const StepCtx *c)
{
    Str name = c->inputs_len > 0 ? c->inputs[0].name : STR("");
    size_t slash = str_rfind_char(name, '/');
    if (slash != STR_NONE)
        name = str_slice(name, slash + 1, name.len);
    size_t dot = str_rfind_char(name, '.');
    if (dot != STR_NONE && dot > 0)
        name = str_slice(name, 0, dot);
    return name.len > 0 ? name : STR("document");
}

/* --- refusals */

static ErrCode refuse_pair(Job *j)
{
    StepCtx *c = j->c;
    Str choices = convert_choices(c->arena, j->id);
    err_set(c->err, ERR_UNSUPPORTED_TYPE, "cannot make %s from \"" STR_FMT "\": it is %s (%s)",
            convert_name(j->to), STR_ARG(str_slice(c->inputs[0].name, 0, 60)), j->type.name,
            j->type.media_type);
    if (j->id == TYPE_PDF && j->to == TO_PDF && j->a->pdf_a != PDF_A_NONE)
        err_hint(c->err,
                 "what is in a PDF cannot be made to conform with certainty: make the PDF/A "
                 "from the document it came from");
    else if (j->id == TYPE_PDF && j->to == TO_PDF)
        err_hint(c->err, "it is a PDF already: pdf.merge, pdf.split and pdf.optimize change PDFs");
    else if (convert_is_picture(j->id) && j->to >= TO_PNG && j->to <= TO_WEBP)
        err_hint(c->err, "image.convert turns pictures into other pictures");
    else if (convert_is_picture(j->id))
        err_hint(c->err, "it can become " STR_FMT "; ocr.document reads its text",
                 STR_ARG(choices));
    else if (choices.len > 0)
        err_hint(c->err, "it can become " STR_FMT, STR_ARG(choices));
    else
        err_hint(c->err, "documents and pictures can be converted; `file.detect` tells what a "
                         "file is");
    return ERR_UNSUPPORTED_TYPE;
}

static ErrCode refuse_pdf_a(Job *j, const char *why)
{
    err_set(j->c->err, ERR_BAD_PARAM, "no PDF/A can be made here: %s", why);
    err_param(j->c->err, "pdf_a");
    return ERR_BAD_PARAM;
}

/* --- a way that ends in a scratch file */

typedef struct Detour {
    StepCtx ctx;
    StepHost host;
    StepCtx *outer;
    int fd;
} Detour;

static ErrCode detour_output(void *arg, Str name, Str type, int *out_fd, Err *err)
{
    Detour *d = arg;
    fd_close(&d->fd);
    (void)name, (void)type;
    ErrCode rc = step_scratch(d->outer, &d->fd);
    if (rc != OK)
        return rc;
    *out_fd = fcntl(d->fd, F_DUPFD_CLOEXEC, 0);
    return *out_fd >= 0 ? OK : err_set_errno(err, ERR_IO, errno, "could not keep what was made");
}

static void detour_progress(void *arg, int64_t done, int64_t total, Str note)
{
    (void)arg, (void)done, (void)total, (void)note; /* the pages of the second half count */
}

static void detour_usage(void *arg, Str unit, int64_t amount)
{
    (void)arg, (void)unit, (void)amount;
}

static void detour_note(void *arg, Str text)
{
    step_note(((Detour *)arg)->outer, text);
}

static bool detour_canceled(void *arg)
{
    return step_canceled(((Detour *)arg)->outer);
}

static ErrCode detour_scratch(void *arg, int *out_fd, Err *err)
{
    (void)err;
    return step_scratch(((Detour *)arg)->outer, out_fd);
}

static ErrCode detour_call(void *arg, Arena *a, Str step, Str params, const StepInput *inputs,
                           size_t inputs_len, StepReply *out, Err *err)
{
    const StepCtx *c = ((Detour *)arg)->outer;
    if (c->host == NULL || c->host->call == NULL)
        return err_set(err, ERR_ENGINE_MISSING, STR_FMT " cannot be reached from here",
                       STR_ARG(step));
    return c->host->call(c->host_ctx, a, step, params, inputs, inputs_len, out, err);
}

static void detour_begin(Detour *d, StepCtx *c)
{
    *d = (Detour){.ctx = *c,
                  .host = {.output = detour_output,
                           .progress = detour_progress,
                           .usage = detour_usage,
                           .note = detour_note,
                           .canceled = detour_canceled,
                           .scratch = detour_scratch,
                           .call = detour_call},
                  .outer = c,
                  .fd = -1};
    d->ctx.host = &d->host;
    d->ctx.host_ctx = d;
    d->ctx.data = NULL;
}

static ErrCode go(Job *j, Way way);

/* To PDF into a scratch file, then its pages. `pages` chooses pages of the PDF, not of the input. */
static ErrCode via_pdf(Job *j)
{
    StepCtx *c = j->c;
    Detour d;
    ConvertArgs args = *j->a;
    args.pages = STR("");
    args.to = TO_PDF;
    detour_begin(&d, c);
    Job first = *j;
    first.c = &d.ctx;
    first.a = &args;
    first.to = TO_PDF;
    ErrCode rc = go(&first, convert_way(j->id, TO_PDF));
    int64_t size = rc == OK && d.fd >= 0 ? fd_size(d.fd) : 0;
    void *map = size > 0 ? mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, d.fd, 0) : MAP_FAILED;
    if (rc == OK && map == MAP_FAILED)
        rc = err_set(c->err, ERR_INTERNAL, "the PDF on the way to pictures is not there");
    if (rc == OK)
        rc = convert_pages(j, (Str){map, (size_t)size});
    if (map != MAP_FAILED)
        munmap(map, (size_t)size);
    fd_close(&d.fd);
    j->how = first.how;
    return rc;
}

/* --- the ways */

static void note_fallback(Job *j, const char *who)
{
    Str text = str_printf(j->c->arena,
                          "%s is not there: laid out by platen's own engine, without the "
                          "original's looks",
                          who);
    if (text.ptr != NULL)
        step_note(j->c, text);
}

/* The other engine, or when there is none, what can be done here. */
static ErrCode call_or_own(Job *j, ErrCode (*call)(Job *j), const char *who)
{
    if (!j->a->light) {
        ErrCode rc = call(j);
        if (!convert_nobody(rc))
            return rc;
        note_fallback(j, who);
        *j->c->err = (Err){0};
    }
    return convert_model(j, 1);
}

static ErrCode go(Job *j, Way way)
{
    switch (way) {
    case WAY_MODEL:
        return convert_model(j, 1);
    case WAY_OFFICE:
        return convert_office(j);
    case WAY_OFFICE_OWN:
        return call_or_own(j, convert_office, "the office suite");
    case WAY_BROWSER:
        if (j->a->pdf_a != PDF_A_NONE) /* the browser makes none */
            return convert_model(j, 1);
        return call_or_own(j, convert_browser, "the browser");
    case WAY_PAGES:
        return convert_pages(j, j->bytes);
    case WAY_VIA_PDF:
        return via_pdf(j);
    case WAY_PICTURES:
    case WAY_PICTURES_2:
        return convert_pictures(j, 1);
    case WAY_NONE:
        break;
    }
    return refuse_pair(j);
}

ErrCode convert_open(Job *j)
{
    StepCtx *c = j->c;
    ErrCode rc = document_map(c, &j->bytes);
    if (rc == OK)
        rc = detect_type(c->arena, j->bytes, &j->type, c->err);
    if (rc != OK)
        return rc;
    detect_refine(&j->type, c->inputs[0].name);
    j->id = convert_type_id(&j->type);
    Way way = convert_way(j->id, j->to);
    bool unlocks = j->id == TYPE_PDF || way == WAY_OFFICE || way == WAY_OFFICE_OWN;
    if (way == WAY_NONE)
        return refuse_pair(j);
    if (j->type.encrypted && !unlocks) {
        err_set(c->err, ERR_INPUT_ENCRYPTED, "the file is encrypted: %s", j->type.name);
        err_hint(c->err, "open it with its password, save it without one, and send that");
        return ERR_INPUT_ENCRYPTED;
    }
    if (j->a->pdf_a != PDF_A_NONE && j->to != TO_PDF)
        return refuse_pdf_a(j, "the target is no PDF");
    return OK;
}

static ErrCode put_result(StepCtx *c, const Job *j)
{
    if (j->pages > 0)
        step_usage(c, "pages", j->pages);
    if (c->data == NULL)
        return OK;
    json_kv_c(c->data, "from", j->type.media_type);
    json_kv_c(c->data, "to", convert_name(j->to));
    json_kv_c(c->data, "way", j->how);
    json_kv_int(c->data, "pages", j->pages);
    json_kv_int(c->data, "outputs", j->outputs);
    return OK;
}

ErrCode convert_warm(Err *err)
{
    return faces_warm(err);
}

static ErrCode convert_run(StepCtx *c, const void *args)
{
    const ConvertArgs *a = args;
    StepCtx own = *c;
    Job j = {.c = &own, .a = a, .to = (To)a->to, .how = ""};
    own.data = NULL; /* readers tell of themselves there */
    if (c->inputs_len == 0)
        return err_set(c->err, ERR_INPUT_MISSING, "no file was given");
    ErrCode rc = pages_check(a->pages, c->err);
    if (rc == OK)
        rc = convert_open(&j);
    if (rc == OK)
        rc = go(&j, convert_way(j.id, j.to));
    document_unmap(&j.bytes);
    return rc == OK ? put_result(c, &j) : rc;
}

static const Field convert_fields[] = {
    {"from", FIELD_TYPE_TEXT, "Media type of the input, told from its content."},
    {"to", FIELD_TYPE_TEXT, "Format made."},
    {"way", FIELD_TYPE_TEXT, "Who did it: model, office, browser, pages or pictures."},
    {"pages", FIELD_TYPE_INT, "Pages made, or pages of the input where the result has none."},
    {"outputs", FIELD_TYPE_INT, "Files made."},
    {0},
};

const Step step_document_convert = {
    .name = "document.convert",
    .title = "Convert document",
    .summary = "Turn documents into PDF, Word, HTML, EPUB, Markdown or text, pages into pictures "
               "and pictures into PDFs.",
    .since = "0.1",
    .accepts = "application/*,text/*,image/*,message/rfc822",
    .returns = "application/pdf,"
               "application/vnd.openxmlformats-officedocument.wordprocessingml.document,text/html,"
               "application/epub+zip,text/markdown,text/plain,image/png,image/jpeg,image/webp,"
               "application/vnd.oasis.opendocument.text,"
               "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet,"
               "application/vnd.oasis.opendocument.spreadsheet,text/csv,"
               "application/vnd.openxmlformats-officedocument.presentationml.presentation,"
               "application/vnd.oasis.opendocument.presentation",
    .version = 1,
    .cacheable = true,
    .calls = "office.convert,browser.print,image.convert,pdf.merge,ocr.document",
    .limits = {.time_ms = 300 * 1000,
               .cpu_ms = 290 * 1000,
               .memory_bytes = 1 << 30,
               .output_bytes = 1 << 30},
    .params = convert_params,
    .args_size = sizeof(ConvertArgs),
    .data = convert_fields,
    .errors = (const ErrCode[]){ERR_UNSUPPORTED_TYPE, ERR_INPUT_MISSING, ERR_INPUT_EMPTY,
                                ERR_INPUT_DAMAGED, ERR_INPUT_ENCRYPTED, ERR_NO_TEXT,
                                ERR_LIMIT_COUNT, ERR_LIMIT_DEPTH, ERR_LIMIT_RATIO, ERR_LIMIT_MEMORY,
                                ERR_LIMIT_OUTPUT, ERR_LIMIT_PIXELS, ERR_INPUT_TOO_LARGE, OK},
    .examples = (const Example[]){{.title = "Markdown as PDF",
                                   .input = "notes.md",
                                   .args = "{}",
                                   .expect = "application/pdf;pages>=1"},
                                  {.title = "Markdown as a Word document",
                                   .input = "notes.md",
                                   .args = "{\"to\": \"docx\"}",
                                   .expect = "application/"
                                             "vnd.openxmlformats-officedocument.wordprocessingml."
                                             "document;outputs=1"},
                                  {.title = "A Word document as HTML",
                                   .input = "report.docx",
                                   .args = "{\"to\": \"html\"}",
                                   .expect = "text/html;outputs=1"},
                                  {.title = "A letter as an EPUB book",
                                   .input = "letter.odt",
                                   .args = "{\"to\": \"epub\", \"title\": \"A letter\"}",
                                   .expect = "application/epub+zip;outputs=1"},
                                  {.title = "Small pictures of the first two pages",
                                   .input = "report.pdf",
                                   .args = "{\"to\": \"png\", \"pages\": \"1-2\", \"width\": 320}",
                                   .expect = "image/png;outputs=2"},
                                  {.title = "A photo as a PDF page",
                                   .input = "photo.jpg",
                                   .args = "{\"to\": \"pdf\", \"paper\": \"a4\"}",
                                   .expect = "application/pdf;pages=1"},
                                  {0}},
    .run = convert_run,
};
