/* pdf.rotate: turn pages. The page's rotation is changed, nothing is drawn anew. */
#include "pdf/pdf.h"

static const Choice angle_choices[] = {
    {"90", "A quarter turn clockwise."},
    {"180", "Upside down."},
    {"270", "A quarter turn counterclockwise."},
    {"0", "No turn: with absolute, as the page was drawn."},
    {0},
};
static const int angles[] = {90, 180, 270, 0};

typedef struct RotateArgs {
    int angle; /* into angles */
    Str pages, password;
    bool absolute;
} RotateArgs;

static const Param rotate_params[] = {
    PARAM_CHOICE(RotateArgs, angle, .choices = angle_choices, .def = 0,
                 .help = "How far to turn, clockwise."),
    PARAM_TEXT(RotateArgs, pages, .max_len = 4096, .example = "1-3,7",
               .help = "Pages to turn; left out: all."),
    PARAM_BOOL(RotateArgs, absolute,
               .help = "Set the rotation instead of adding to the one the page has."),
    PARAM_TEXT(RotateArgs, password, .secret = true, .max_len = 128,
               .help = "Password of the file."),
    PARAM_END,
};

static const Field rotate_fields[] = {
    {"pages", FIELD_TYPE_INT, "Pages of the document."},
    {"turned", FIELD_TYPE_INT, "Pages turned."},
    {"bytes", FIELD_TYPE_INT, "Size of the new file."},
    {"repairs", FIELD_TYPE_INT, "Damaged places that were repaired while reading."},
    {0},
};

static ErrCode rotate_run(StepCtx *c, const void *args)
{
    const RotateArgs *a = args;
    CLEANUP(pdf_close) Pdf *pdf = NULL;
    PageList pages = {0};
    int64_t bytes = 0;
    ErrCode rc = pdf_open(c, &c->inputs[0], a->password, &pdf);
    if (rc == OK)
        rc = pagelist_parse(c->arena, a->pages, pdf_page_count(pdf), "pages", &pages, c->err);
    if (rc == OK)
        rc = pdf_rotate(pdf, &pages, angles[a->angle], a->absolute, c->err);
    Str name = pagelist_name(c->arena, c->inputs[0].name, "-rotated");
    if (rc == OK)
        rc = pdf_write(c, pdf, &(PdfWrite){0}, name, &bytes);
    if (rc != OK)
        return rc;
    json_kv_int(c->data, "pages", pdf_page_count(pdf));
    json_kv_int(c->data, "turned", (int64_t)pages.len);
    json_kv_int(c->data, "bytes", bytes);
    json_kv_int(c->data, "repairs", pdf_note_repairs(c, pdf, c->inputs[0].name));
    step_usage(c, "pages", (int64_t)pages.len);
    return OK;
}

const Step step_pdf_rotate = {
    .name = "pdf.rotate",
    .title = "Rotate PDF pages",
    .summary = "Turn all or some pages of a PDF file by quarter turns.",
    .since = "0.1",
    .accepts = "application/pdf",
    .returns = "application/pdf",
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 120 * 1000, .cpu_ms = 120 * 1000, .memory_bytes = (int64_t)1 << 30},
    .params = rotate_params,
    .args_size = sizeof(RotateArgs),
    .data = rotate_fields,
    .errors = (const ErrCode[]){ERR_INPUT_EMPTY, ERR_UNSUPPORTED_TYPE, ERR_INPUT_DAMAGED,
                                ERR_INPUT_ENCRYPTED, ERR_LIMIT_COUNT, ERR_LIMIT_MEMORY,
                                ERR_BAD_PARAM, OK},
    .examples = (const Example[]){{.title = "Turn the second page",
                                   .input = "report.pdf",
                                   .args = "{\"angle\": \"90\", \"pages\": \"2\"}",
                                   .expect = "application/pdf; pages=3; turned=1"},
                                  {0}},
    .run = rotate_run,
};
