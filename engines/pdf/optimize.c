/* pdf.optimize: the same document in fewer bytes.
 *
 * Lossless by itself: objects packed into compressed streams, everything deflated as small as it
 * gets, what nothing refers to dropped, equal fonts and pictures kept once. With dpi or quality
 * pictures lose what is not seen. Never larger: when nothing is gained the source is given back as
 * it is, and the history says so. */
#include "pdf/pdf.h"

#include "base/fd.h"

#include <unistd.h>

typedef struct OptimizeArgs {
    int64_t dpi, quality;
    bool linearize;
    Str password;
} OptimizeArgs;

static const Param optimize_params[] = {
    PARAM_INT(OptimizeArgs, dpi, .min = 20, .max = 2400, .unit = "dpi", .example = "150",
              .help = "Scale down pictures that are finer than this where they are drawn; left "
                      "out: no picture is scaled."),
    PARAM_INT(OptimizeArgs, quality, .min = 1, .max = 100, .example = "75",
              .help = "Quality of the JPEG pictures made; given without dpi, pictures that are no "
                      "JPEG become one."),
    PARAM_BOOL(OptimizeArgs, linearize,
               .help = "Arrange it so that the first page shows while the rest still loads."),
    PARAM_TEXT(OptimizeArgs, password, .secret = true, .max_len = 128,
               .help = "Password of the file."),
    PARAM_END,
};

static const Field optimize_fields[] = {
    {"pages", FIELD_TYPE_INT, "Pages of the document."},
    {"bytes", FIELD_TYPE_INT, "Size of the new file."},
    {"source_bytes", FIELD_TYPE_INT, "Size of the file before."},
    {"saved_percent", FIELD_TYPE_NUMBER, "How much smaller it is."},
    {"smaller", FIELD_TYPE_BOOL, "Something was gained; if not, the file is the source as it was."},
    {"pictures", FIELD_TYPE_INT, "Pictures looked at."},
    {"pictures_changed", FIELD_TYPE_INT, "Pictures made smaller."},
    {"duplicates", FIELD_TYPE_INT, "Fonts and pictures that were there twice."},
    {"repairs", FIELD_TYPE_INT, "Damaged places that were repaired while reading."},
    {0},
};

static ErrCode copy_file(int from, int64_t len, int to, Err *err)
{
    char buffer[64 * 1024];
    for (int64_t at = 0; at < len;) {
        ssize_t n = pread(from, buffer, sizeof buffer, at);
        if (n <= 0)
            return err_set(err, ERR_IO, "could not read the new file again");
        ErrCode rc = fd_write_all(to, buffer, (size_t)n, err);
        if (rc != OK)
            return rc;
        at += n;
    }
    return OK;
}

/* Written beside first, because only then it is known whether it is smaller. */
static ErrCode write_smaller(StepCtx *c, Pdf *pdf, const PdfWrite *how, int64_t *bytes,
                             bool *smaller)
{
    CLEANUP(fd_close) int made = -1;
    CLEANUP(fd_close) int out = -1;
    Str name = pagelist_name(c->arena, c->inputs[0].name, "-small");
    ErrCode rc = step_scratch(c, &made);
    if (rc == OK)
        rc = pdf_write_fd(pdf, how, made, bytes, c->err);
    if (rc == OK)
        rc = step_output(c, name, STR("application/pdf"), &out);
    if (rc != OK)
        return rc;
    /* Linearizing costs some bytes, and is what was asked for. */
    *smaller = *bytes < pdf_size_bytes(pdf);
    if (*smaller || how->linearize)
        return copy_file(made, *bytes, out, c->err);
    *bytes = pdf_size_bytes(pdf);
    step_note(c, STR("nothing was gained: the file is the source as it was"));
    return copy_file(c->inputs[0].fd, *bytes, out, c->err);
}

static ErrCode optimize_run(StepCtx *c, const void *args)
{
    const OptimizeArgs *a = args;
    CLEANUP(pdf_close) Pdf *pdf = NULL;
    ShrinkResult r = {0};
    int64_t bytes = 0;
    bool smaller = false;
    ErrCode rc = pdf_open(c, &c->inputs[0], a->password, &pdf);
    if (rc == OK)
        rc = pdf_shrink(c, pdf, &(Shrink){.dpi = a->dpi, .quality = a->quality}, &r);
    PdfWrite how = {.compact = true, .linearize = a->linearize};
    if (rc == OK)
        rc = write_smaller(c, pdf, &how, &bytes, &smaller);
    if (rc != OK)
        return rc;
    int64_t before = pdf_size_bytes(pdf);
    json_kv_int(c->data, "pages", pdf_page_count(pdf));
    json_kv_int(c->data, "bytes", bytes);
    json_kv_int(c->data, "source_bytes", before);
    json_kv_double(c->data, "saved_percent", (double)((before - bytes) * 1000 / before) / 10);
    json_kv_bool(c->data, "smaller", smaller);
    json_kv_int(c->data, "pictures", r.pictures);
    json_kv_int(c->data, "pictures_changed", r.pictures_changed);
    json_kv_int(c->data, "duplicates", r.duplicates);
    json_kv_int(c->data, "repairs", pdf_note_repairs(c, pdf, c->inputs[0].name));
    step_usage(c, "pages", pdf_page_count(pdf));
    return OK;
}

const Step step_pdf_optimize = {
    .name = "pdf.optimize",
    .title = "Optimize PDF",
    .summary = "Make a PDF file smaller, without loss or with smaller pictures, and never larger.",
    .since = "0.1",
    .accepts = "application/pdf",
    .returns = "application/pdf",
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 300 * 1000, .cpu_ms = 240 * 1000, .memory_bytes = (int64_t)2 << 30},
    .params = optimize_params,
    .args_size = sizeof(OptimizeArgs),
    .data = optimize_fields,
    .errors = (const ErrCode[]){ERR_INPUT_EMPTY, ERR_UNSUPPORTED_TYPE, ERR_INPUT_DAMAGED,
                                ERR_INPUT_ENCRYPTED, ERR_LIMIT_COUNT, ERR_LIMIT_MEMORY, OK},
    .examples = (const Example[]){{.title = "Without loss",
                                   .input = "report.pdf",
                                   .expect = "application/pdf; pages=3; bytes>=500"},
                                  {.title = "For the screen, the first page fast",
                                   .input = "report.pdf",
                                   .args = "{\"dpi\": 110, \"quality\": 70, \"linearize\": true}",
                                   .expect = "application/pdf; pages=3"},
                                  {0}},
    .run = optimize_run,
};
