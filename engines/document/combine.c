/* document.combine: several files as one document.
 *
 * What    pictures become the pages of a PDF, texts (Markdown, Word, HTML, EPUB …) the chapters of a
 *         book, in the order in which they are given.
 * Why     scans come page by page, and books are written chapter by chapter. PDFs are joined by
 *         pdf.merge, which keeps them as they are.
 * Errors  pictures and texts do not mix; the file that does not fit is named. */
#include "document/convert_in.h"

enum { INPUTS_MAX = 100 };

/* As many of document.convert's targets as can hold several inputs; the order is theirs. */
static const Choice to_choices[] = {
    [TO_PDF] = {"pdf", "PDF, of pictures or texts."},
    [TO_DOCX] = {"docx", "Word document."},
    [TO_HTML] = {"html", "One HTML page with its own style sheet."},
    [TO_EPUB] = {"epub", "EPUB 3 book with a table of contents."},
    [TO_MARKDOWN] = {"markdown", "Markdown with GitHub's tables."},
    [TO_TEXT] = {"text", "Plain text."},
    {0},
};

static const Param combine_params[] = {
    PARAM_CHOICE(ConvertArgs, to, .choices = to_choices, .def = TO_PDF, .help = "Format to make."),
    PARAM_TEXT(ConvertArgs, title, .max_len = 500, .def_text = "", .example = "Annual report",
               .help = "Title of the document; left out: that of the first file."),
    PARAM_INT(ConvertArgs, dpi, .min = 18, .max = 1200, .def = 150, .unit = "dpi",
              .help = "Resolution of pictures that do not say theirs."),
    PARAM_CHOICE(ConvertArgs, paper, .choices = convert_paper_choices, .def = PAPER_AUTO,
                 .help = "Paper of the PDF."),
    PARAM_BOOL(ConvertArgs, landscape, .help = "Paper on its side."),
    PARAM_NUMBER(ConvertArgs, margin_mm, .min_num = 0, .max_num = 80, .def_num = 20, .unit = "mm",
                 .help = "Margin on all sides; pictures have none unless a paper is named."),
    PARAM_CHOICE(ConvertArgs, pdf_a, .choices = convert_pdf_a_choices, .def = PDF_A_NONE,
                 .help = "Archive standard that the PDF follows."),
    PARAM_CHOICE(ConvertArgs, style, .choices = convert_style_choices, .def = DOC_STYLE_CLEAN,
                 .help = "Look of the document."),
    PARAM_END,
};

static bool fits(const Job *j, bool pictures)
{
    if (pictures)
        return convert_is_picture(j->id);
    return !convert_is_picture(j->id) && j->id != TYPE_PDF && convert_reader(j->id) != NULL;
}

static ErrCode refuse(const Job *j)
{
    err_set(j->c->err, ERR_UNSUPPORTED_TYPE,
            "\"" STR_FMT "\" (%s) cannot be combined with the others",
            STR_ARG(str_slice(j->c->inputs[0].name, 0, 60)), j->type.name);
    err_hint(j->c->err, "combine pictures to a PDF, or texts to a document; pdf.merge joins PDFs");
    return ERR_UNSUPPORTED_TYPE;
}

static ErrCode combine_jobs(Job *jobs, size_t len)
{
    bool pictures = false;
    for (size_t i = 0; i < len; i++) {
        ErrCode rc = convert_open(&jobs[i]);
        if (rc != OK)
            return rc;
        pictures = i == 0 ? convert_is_picture(jobs[i].id) : pictures;
        if (!fits(&jobs[i], pictures))
            return refuse(&jobs[i]);
    }
    return pictures ? convert_pictures(jobs, len) : convert_model(jobs, len);
}

static Job *make_jobs(StepCtx *c, const ConvertArgs *a)
{
    StepCtx *own = arena_new(c->arena, StepCtx, c->inputs_len);
    Job *jobs = arena_new(c->arena, Job, c->inputs_len);
    for (size_t i = 0; own != NULL && jobs != NULL && i < c->inputs_len; i++) {
        own[i] = *c;
        own[i].inputs = &c->inputs[i];
        own[i].inputs_len = 1;
        own[i].input_fd = c->inputs[i].fd;
        own[i].data = NULL;
        jobs[i] = (Job){.c = &own[i], .a = a, .to = (To)a->to, .how = ""};
    }
    return own != NULL ? jobs : NULL;
}

static ErrCode combine_run(StepCtx *c, const void *args)
{
    if (c->inputs_len == 0)
        return err_set(c->err, ERR_INPUT_MISSING, "no file was given");
    Job *jobs = make_jobs(c, args);
    if (jobs == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "listing the inputs");
    ErrCode rc = combine_jobs(jobs, c->inputs_len);
    for (size_t i = 0; i < c->inputs_len; i++)
        document_unmap(&jobs[i].bytes);
    if (rc != OK)
        return rc;
    if (jobs[0].pages > 0)
        step_usage(c, "pages", jobs[0].pages);
    if (c->data != NULL) {
        json_kv_c(c->data, "to", convert_name(jobs[0].to));
        json_kv_c(c->data, "way", jobs[0].how);
        json_kv_int(c->data, "files", (int64_t)c->inputs_len);
        json_kv_int(c->data, "pages", jobs[0].pages);
    }
    return OK;
}

static const Field combine_fields[] = {
    {"to", FIELD_TYPE_TEXT, "Format made."},
    {"way", FIELD_TYPE_TEXT, "How: model (texts) or pictures."},
    {"files", FIELD_TYPE_INT, "Files that went in."},
    {"pages", FIELD_TYPE_INT, "Pages made; 0 where the format has none."},
    {0},
};

const Step step_document_combine = {
    .name = "document.combine",
    .title = "Combine files",
    .summary = "Make one PDF of many pictures, or one document or book of many texts.",
    .since = "0.1",
    .accepts = "image/*,text/*,application/*,message/rfc822",
    .returns = "application/pdf,"
               "application/vnd.openxmlformats-officedocument.wordprocessingml.document,text/html,"
               "application/epub+zip,text/markdown,text/plain",
    .inputs_max = INPUTS_MAX,
    .version = 1,
    .cacheable = true,
    .calls = "image.convert",
    .limits = {.time_ms = 300 * 1000,
               .cpu_ms = 290 * 1000,
               .memory_bytes = 1 << 30,
               .output_bytes = 1 << 30},
    .params = combine_params,
    .args_size = sizeof(ConvertArgs),
    .data = combine_fields,
    .errors = (const ErrCode[]){ERR_UNSUPPORTED_TYPE, ERR_INPUT_MISSING, ERR_INPUT_EMPTY,
                                ERR_INPUT_DAMAGED, ERR_INPUT_ENCRYPTED, ERR_NO_TEXT,
                                ERR_LIMIT_COUNT, ERR_LIMIT_DEPTH, ERR_LIMIT_RATIO, ERR_LIMIT_MEMORY,
                                ERR_LIMIT_OUTPUT, ERR_LIMIT_PIXELS, ERR_INPUT_TOO_LARGE, OK},
    .examples = (const Example[]){{.title = "A picture as a PDF for the archive",
                                   .input = "picture.png",
                                   .args = "{\"pdf_a\": \"2b\"}",
                                   .expect = "application/pdf;pages=1"},
                                  {.title = "The chapters of a book",
                                   .input = "notes.md",
                                   .args = "{\"to\": \"epub\", \"title\": \"Notes\"}",
                                   .expect = "application/epub+zip;files=1"},
                                  {0}},
    .run = combine_run,
};
