/* pdf.watermark: a text, a picture or a page of another PDF on pages.
 *
 * Text    any script of which the server has a font; its glyphs are embedded, it can be searched.
 * Stamp   a second file: JPEG, PNG or PDF (its first page, or stamp_page). */
#include "pdf/pdf.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { SIZE_MAX_PT = 1000 };

static const Choice place_choices[] = {
    [STAMP_CENTER] = {"center", "The middle of the page."},
    [STAMP_TOP_LEFT] = {"top-left", "The upper left corner."},
    [STAMP_TOP] = {"top", "The middle of the upper edge."},
    [STAMP_TOP_RIGHT] = {"top-right", "The upper right corner."},
    [STAMP_LEFT] = {"left", "The middle of the left edge."},
    [STAMP_RIGHT] = {"right", "The middle of the right edge."},
    [STAMP_BOTTOM_LEFT] = {"bottom-left", "The lower left corner."},
    [STAMP_BOTTOM] = {"bottom", "The middle of the lower edge."},
    [STAMP_BOTTOM_RIGHT] = {"bottom-right", "The lower right corner."},
    [STAMP_TILE] = {"tile", "Again and again all over the page."},
    [STAMP_DIAGONAL] = {"diagonal", "From corner to corner; angle does not count."},
    {0},
};
static const Choice layer_choices[] = {
    {"over", "Above what is on the page."},
    {"under", "Below what is on the page: hidden where that is opaque."},
    {0},
};

typedef struct WatermarkArgs {
    Str text, colour, pages, password;
    int position, layer;
    double size, opacity, angle, margin, fill;
    int64_t stamp_page;
} WatermarkArgs;

static const Param watermark_params[] = {
    PARAM_TEXT(WatermarkArgs, text, .max_len = 1600, .example = "CONFIDENTIAL",
               .help = "Text to draw; left out: the second file."),
    PARAM_CHOICE(WatermarkArgs, position, .choices = place_choices, .def = -1,
                 .help = "Where it stands; left out: text diagonal, a stamp in the center."),
    PARAM_NUMBER(WatermarkArgs, size, .min_num = 1, .max_num = SIZE_MAX_PT, .unit = "pt",
                 .example = "48", .help = "Size of the letters; left out: as fill says."),
    PARAM_NUMBER(WatermarkArgs, fill, .min_num = 0.01, .max_num = 1, .example = "0.3",
                 .help = "Part of the page's width and height that it may take: 0.8 in the "
                         "middle, 0.25 elsewhere."),
    PARAM_NUMBER(WatermarkArgs, angle, .min_num = -360, .max_num = 360, .unit = "degrees",
                 .example = "30", .help = "How far it is turned, counterclockwise."),
    PARAM_NUMBER(WatermarkArgs, opacity, .min_num = 0.01, .max_num = 1, .def_num = 0.3,
                 .help = "From 0.01, hardly seen, to 1, opaque."),
    PARAM_TEXT(WatermarkArgs, colour, .def_text = "#808080", .max_len = 7, .example = "#c00000",
               .help = "Colour of the text."),
    PARAM_CHOICE(WatermarkArgs, layer, .choices = layer_choices, .def = 0,
                 .help = "Above or below what is on the page."),
    PARAM_NUMBER(WatermarkArgs, margin, .min_num = 0, .max_num = 500, .def_num = 24, .unit = "pt",
                 .help = "Distance from the edges, or between tiles."),
    PARAM_TEXT(WatermarkArgs, pages, .max_len = 4096, .example = "1-3,7",
               .help = "Pages to draw on; left out: all."),
    PARAM_INT(WatermarkArgs, stamp_page, .min = 1, .max = PDF_PAGES_MAX, .def = 1,
              .help = "Page of the second file, when it is a PDF."),
    PARAM_TEXT(WatermarkArgs, password, .secret = true, .max_len = 128,
               .help = "Password of the files that have one."),
    PARAM_END,
};

static const Field watermark_fields[] = {
    {"pages", FIELD_TYPE_INT, "Pages of the document."},
    {"stamped", FIELD_TYPE_INT, "Pages drawn on."},
    {"font", FIELD_TYPE_TEXT, "Font of the text.", .optional = true},
    {"bytes", FIELD_TYPE_INT, "Size of the new file."},
    {"repairs", FIELD_TYPE_INT, "Damaged places that were repaired while reading."},
    {0},
};

static ErrCode bad_param(StepCtx *c, const char *param, const char *detail)
{
    err_set(c->err, ERR_BAD_PARAM, "%s", detail);
    err_param(c->err, param);
    return ERR_BAD_PARAM;
}

/* "#ffcc00" or "#fc0" as three numbers from 0 to 1. */
static bool parse_colour(Str s, double out[3])
{
    static const char digits[] = "0123456789abcdef";
    if ((s.len != 4 && s.len != 7) || s.ptr[0] != '#')
        return false;
    size_t each = (s.len - 1) / 3;
    for (size_t i = 0; i < 3; i++) {
        int value = 0;
        for (size_t k = 0; k < 2; k++) {
            char ch = s.ptr[1 + i * each + (each == 2 ? k : 0)];
            const char *at = ch == 0 ? NULL : strchr(digits, ch >= 'A' && ch <= 'F' ? ch + 32 : ch);
            if (at == NULL)
                return false;
            value = value * 16 + (int)(at - digits);
        }
        out[i] = value / 255.0;
    }
    return true;
}

static Stamp plan(const WatermarkArgs *a)
{
    StampPlace place = a->position >= 0  ? (StampPlace)a->position
                       : a->text.len > 0 ? STAMP_DIAGONAL
                                         : STAMP_CENTER;
    bool middle = place == STAMP_CENTER || place == STAMP_DIAGONAL,
         sized = a->size > 0 && a->text.len > 0;
    Stamp how = {.place = place,
                 .angle = a->angle,
                 .opacity = a->opacity,
                 .margin = a->margin,
                 .under = a->layer == 1};
    how.scale = sized ? 0 : a->fill > 0 ? a->fill : middle ? 0.8 : 0.25;
    return how;
}

static ErrCode draw_text(StepCtx *c, const WatermarkArgs *a, Pdf *pdf, const PageList *pages,
                         const Stamp *how)
{
    FontRun run;
    StampText text = {.run = &run, .size = a->size > 0 ? a->size : 48};
    if (!parse_colour(a->colour, text.colour))
        return bad_param(c, "colour", "must be a colour such as #c00000");
    ErrCode rc = font_shape(c->arena, a->text, &run, c->err);
    if (rc == OK)
        rc = pdf_stamp_text(pdf, pages, how, &text, c->err);
    if (rc == OK)
        json_kv_str(c->data, "font", run.name);
    return rc;
}

static ErrCode draw_picture(StepCtx *c, Pdf *pdf, const PageList *pages, const Stamp *how)
{
    const StepInput *in = &c->inputs[1];
    if (in->size_bytes <= 0)
        return err_set(c->err, ERR_INPUT_EMPTY, "the second file has no bytes");
    void *p = mmap(NULL, (size_t)in->size_bytes, PROT_READ, MAP_PRIVATE, in->fd, 0);
    if (p == MAP_FAILED)
        return err_set_errno(c->err, ERR_IO, errno, "could not map the second file");
    ErrCode rc = pdf_stamp_picture(c, pdf, pages, how, (Str){p, (size_t)in->size_bytes});
    munmap(p, (size_t)in->size_bytes);
    return rc;
}

static bool is_pdf(const StepInput *in)
{
    char head[1024];
    ssize_t n = pread(in->fd, head, sizeof head, 0);
    return n > 0 && str_find((Str){head, (size_t)n}, STR("%PDF-")) != STR_NONE;
}

static ErrCode draw(StepCtx *c, const WatermarkArgs *a, Pdf *pdf, Pdf **stamp,
                    const PageList *pages)
{
    Stamp how = plan(a);
    if (a->text.len > 0)
        return draw_text(c, a, pdf, pages, &how);
    if (!is_pdf(&c->inputs[1]))
        return draw_picture(c, pdf, pages, &how);
    ErrCode rc = pdf_open(c, &c->inputs[1], a->password, stamp);
    if (rc == OK && a->stamp_page > pdf_page_count(*stamp)) {
        err_set(c->err, ERR_BAD_PARAM, "page %" PRId64 " of %" PRId64, a->stamp_page,
                pdf_page_count(*stamp));
        err_param(c->err, "stamp_page");
        return ERR_BAD_PARAM;
    }
    return rc == OK ? pdf_stamp_page(pdf, pages, &how, *stamp, a->stamp_page, c->err) : rc;
}

static ErrCode check_args(StepCtx *c, const WatermarkArgs *a)
{
    if (a->text.len > 0 && c->inputs_len > 1)
        return bad_param(c, "text", "a text or a second file, not both");
    if (a->text.len == 0 && c->inputs_len < 2)
        return bad_param(c, "text", "a text is needed, or a second file to draw");
    return OK;
}

static ErrCode watermark_run(StepCtx *c, const void *args)
{
    WatermarkArgs a = *(const WatermarkArgs *)args;
    CLEANUP(pdf_close) Pdf *stamp = NULL;
    CLEANUP(pdf_close) Pdf *pdf = NULL;
    PageList pages = {0};
    int64_t bytes = 0;
    ErrCode rc = check_args(c, &a);
    if (rc == OK)
        rc = pdf_open(c, &c->inputs[0], a.password, &pdf);
    if (rc == OK)
        rc = pagelist_parse(c->arena, a.pages, pdf_page_count(pdf), "pages", &pages, c->err);
    if (rc == OK)
        rc = draw(c, &a, pdf, &stamp, &pages);
    Str name = pagelist_name(c->arena, c->inputs[0].name, "-stamped");
    if (rc == OK)
        rc = pdf_write(c, pdf, &(PdfWrite){0}, name, &bytes);
    if (rc != OK)
        return rc;
    json_kv_int(c->data, "pages", pdf_page_count(pdf));
    json_kv_int(c->data, "stamped", (int64_t)pages.len);
    json_kv_int(c->data, "bytes", bytes);
    json_kv_int(c->data, "repairs", pdf_note_repairs(c, pdf, c->inputs[0].name));
    step_usage(c, "pages", (int64_t)pages.len);
    return OK;
}

const Step step_pdf_watermark = {
    .name = "pdf.watermark",
    .title = "Watermark PDF",
    .summary = "Draw a text, a picture or a page of another PDF over or under the pages of a PDF "
               "file.",
    .since = "0.1",
    .accepts = "application/pdf,image/jpeg,image/png",
    .returns = "application/pdf",
    .inputs_max = 2,
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 120 * 1000, .cpu_ms = 120 * 1000, .memory_bytes = (int64_t)2 << 30},
    .params = watermark_params,
    .args_size = sizeof(WatermarkArgs),
    .data = watermark_fields,
    .errors = (const ErrCode[]){ERR_INPUT_EMPTY, ERR_UNSUPPORTED_TYPE, ERR_INPUT_DAMAGED,
                                ERR_INPUT_ENCRYPTED, ERR_LIMIT_COUNT, ERR_LIMIT_PIXELS,
                                ERR_LIMIT_MEMORY, ERR_BAD_PARAM, OK},
    .examples = (const Example[]){{.title = "Across every page",
                                   .input = "report.pdf",
                                   .args = "{\"text\": \"CONFIDENTIAL\", \"colour\": \"#c00000\"}",
                                   .expect = "application/pdf; stamped=3"},
                                  {.title = "A line at the foot, in Greek",
                                   .input = "report.pdf",
                                   .args = "{\"text\": \"πρόχειρο\", \"position\": \"bottom\", "
                                           "\"size\": 10, \"opacity\": 1}",
                                   .expect = "application/pdf; stamped=3"},
                                  {0}},
    .run = watermark_run,
};
