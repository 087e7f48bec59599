#include "ocr/run.h"
#include "ocr/crew.h"
#include "ocr/output.h"
#include "ocr/pdf_write.h"
#include "ocr/picture.h"
#include "ocr/render.h"
#include "base/fd.h"
#include "kit/pages.h"

#include <leptonica/allheaders.h>
#include <math.h>
#include <string.h>

enum { PAGE_ARENA = 128 << 20, DATA_TEXT_MAX = 16 * 1024, A4_WIDTH = 595, A4_HEIGHT = 842 };
static const double hocr_dpi = 300; /* pixels in hOCR and TSV of a PDF, whose boxes are points */

typedef struct Job {
    StepCtx *c;
    const OcrArgs *args;
    Str bytes;
    bool pdf;
    Picture picture;
    Render *render;
    int64_t pages; /* of the file */
    int64_t wanted, done;
    ReadOptions options;
    char languages[LANGUAGES_TEXT_MAX], last[LANGUAGES_TEXT_MAX];
    Outputs outputs;
    PdfWrite *write;
    Crew *crew;
    /* totals of what was read */
    int64_t words, characters, skipped, failed, first_failed, empty;
    double confidences;
    char language[LANGUAGES_TEXT_MAX]; /* of the page with most characters */
    int64_t language_characters;
    int rotation; /* of the first page that was turned */
    Buf text;
} Job;

/* --- opening */

static bool is_pdf(Str bytes)
{
    Str head = str_slice(bytes, 0, 1024);
    return str_find(head, STR("%PDF-")) != STR_NONE;
}

static ErrCode open_source(Job *j, bool pdf_allowed)
{
    Err *err = j->c->err;
    j->pdf = is_pdf(j->bytes);
    if (j->pdf && !pdf_allowed) {
        err_set(err, ERR_UNSUPPORTED_TYPE, "this is a PDF");
        err_hint(err, "ocr.document reads PDFs");
        return ERR_UNSUPPORTED_TYPE;
    }
    if (!j->pdf) {
        ErrCode rc = picture_open(j->bytes, &j->picture, err);
        j->pages = j->picture.pages;
        return rc;
    }
    ErrCode rc = render_open(j->bytes, j->args->password, j->c->arena, &j->render, err);
    if (rc == OK)
        j->pages = render_pages(j->render);
    return rc;
}

static ErrCode count_wanted(Job *j)
{
    for (int64_t n = 1; n <= j->pages; n++)
        j->wanted += pages_wanted(j->args->pages, n);
    if (j->wanted > 0)
        return OK;
    err_set(j->c->err, ERR_BAD_PARAM,
            "there are %" PRId64 " pages, none of them in \"" STR_FMT "\"", j->pages,
            STR_ARG(str_slice(j->args->pages, 0, 60)));
    err_param(j->c->err, "pages");
    return ERR_BAD_PARAM;
}

static ErrCode open_outputs(Job *j, int which)
{
    Err *err = j->c->err;
    ErrCode rc = outputs_begin(j->c, which, j->pdf ? hocr_dpi / 72 : 1, &j->outputs);
    if (rc != OK || (which & OUTPUT_PDF) == 0)
        return rc;
    return j->pdf ? pdf_write_open(j->bytes, j->args->password, j->c->arena, &j->write, err)
                  : pdf_write_new(j->c->arena, &j->write, err);
}

/* --- pages in */

static ErrCode page_of_pdf(Job *j, CrewPage *w)
{
    Err *err = j->c->err;
    int64_t index = w->page->page_no - 1;
    RenderPage look;
    ErrCode rc = render_look(j->render, index, &look, err);
    if (rc != OK)
        return rc;
    w->page->width = w->width = look.width;
    w->page->height = w->height = look.height;
    bool has_text = render_has_text(&look);
    if (has_text && j->args->mode == MODE_SKIP_TEXT) {
        w->page->had_text = true;
        return render_text(j->render, index, w->page, err);
    }
    w->dpi = j->args->ask.dpi != 0 ? (double)j->args->ask.dpi : render_dpi(&look);
    w->dpi = fmin(w->dpi, sqrt(OCR_PIXELS_MAX / (look.width * look.height / 72 / 72)));
    CLEANUP(picture_unref) struct Pix *shown = NULL;
    bool redraw = has_text && j->write != NULL;
    rc = redraw ? render_draw(j->render, index, w->dpi, true, &shown, err) : OK;
    if (rc == OK && redraw)
        rc = pdf_write_redraw(j->write, index, shown, err);
    return rc == OK ? render_draw(j->render, index, w->dpi, false, &w->picture, err) : rc;
}

/* Pictures that do not say how large they are become as large as fits A4. */
static double page_dpi(struct Pix *pix, double dpi)
{
    if (dpi > 0)
        return dpi;
    double w = pixGetWidth(pix), h = pixGetHeight(pix);
    double shorter = fmin(w, h), longer = fmax(w, h);
    return fmax(fmax(shorter * 72 / A4_WIDTH, longer * 72 / A4_HEIGHT), 72);
}

static ErrCode page_of_picture(Job *j, CrewPage *w)
{
    double said = 0;
    ErrCode rc = picture_load(&j->picture, w->page->page_no - 1, &w->picture, &said, j->c->err);
    if (rc != OK)
        return rc;
    w->dpi = j->args->ask.dpi != 0 ? (double)j->args->ask.dpi : said;
    w->page->width = pixGetWidth(w->picture);
    w->page->height = pixGetHeight(w->picture);
    if (j->write == NULL)
        return OK;
    return pdf_write_picture(j->write, &j->picture, w->picture, page_dpi(w->picture, w->dpi),
                             j->c->err);
}

/* A page that cannot be read costs that page, as long as there are others. */
static bool may_go_on(const Job *j, ErrCode rc)
{
    return rc == ERR_INPUT_DAMAGED && j->pages > 1 && (j->pdf || j->write == NULL);
}

static ErrCode put_page(Job *j, int64_t page_no)
{
    Arena *a = arena_open(PAGE_ARENA);
    CrewPage w = {.page = a != NULL ? ocr_page_new(a, page_no) : NULL};
    if (w.page == NULL) {
        arena_close(&a);
        return err_set(j->c->err, ERR_LIMIT_MEMORY, "no memory for a page");
    }
    memcpy(w.before, j->last, sizeof w.before);
    ErrCode rc = j->pdf ? page_of_pdf(j, &w) : page_of_picture(j, &w);
    if (rc != OK && may_go_on(j, rc)) {
        j->first_failed = j->failed++ == 0 ? page_no : j->first_failed;
        pixDestroy(&w.picture);
        rc = OK;
    }
    if (rc != OK) {
        pixDestroy(&w.picture);
        arena_close(&a);
        return rc;
    }
    crew_put(j->crew, &w);
    return OK;
}

/* --- pages out */

static void add_up(Job *j, const OcrPage *p)
{
    int64_t characters = ocr_page_characters(p);
    j->characters += characters;
    j->words += (int64_t)p->words_len;
    j->skipped += p->had_text;
    j->empty += p->words_len == 0;
    j->confidences += p->confidence * (double)p->words_len;
    if (p->rotation != 0 && j->rotation == 0)
        j->rotation = p->rotation;
    if (!p->had_text && characters > j->language_characters) {
        j->language_characters = characters;
        snprintf(j->language, sizeof j->language, "%s", p->language);
    }
    if (p->words_len > 0 && !p->had_text)
        snprintf(j->last, sizeof j->last, "%s", p->language);
    if (j->text.len <= DATA_TEXT_MAX) {
        if (j->done > 0)
            buf_add_char(&j->text, '\f');
        output_text(&j->text, p);
    }
}

static ErrCode write_layer(Job *j, OcrPage *p, double dpi)
{
    if (j->write == NULL || p->had_text)
        return OK;
    int64_t index = p->page_no - 1;
    if (!j->pdf) { /* boxes are pixels, the page is measured in points */
        double scale = 72 / dpi;
        ocr_page_map(p, (OcrMatrix){scale, 0, 0, scale, 0, 0});
        index = j->done;
    }
    return pdf_write_layer(j->write, index, p, j->args->rotate_pages, j->c->err);
}

static ErrCode write_page(Job *j, const CrewPage *w)
{
    OcrPage *p = w->page;
    double dpi = w->dpi;
    if (j->pdf && w->dpi > 0 && !p->had_text) {
        double scale = 72 / w->dpi;
        ocr_page_map(p, (OcrMatrix){scale, 0, 0, scale, 0, 0});
        bool lies = p->rotation % 180 != 0; /* and not the picture's size, which is rounded */
        p->width = lies ? w->height : w->width;
        p->height = lies ? w->width : w->height;
    }
    if (!j->pdf && dpi <= 0) {
        double shorter = fmin(p->width, p->height), longer = fmax(p->width, p->height);
        dpi = fmax(fmax(shorter * 72 / A4_WIDTH, longer * 72 / A4_HEIGHT), 72);
    }
    add_up(j, p);
    ErrCode rc = outputs_page(&j->outputs, p);
    return rc == OK ? write_layer(j, p, dpi) : rc;
}

static ErrCode take_page(Job *j)
{
    CrewPage w;
    crew_take(j->crew, &w);
    Arena *a = w.page->arena;
    ErrCode rc = w.rc;
    if (rc != OK)
        *j->c->err = w.err;
    else
        rc = write_page(j, &w);
    arena_close(&a);
    j->done++;
    step_progress(j->c, j->done, j->wanted, "pages");
    return rc;
}

static ErrCode read_all(Job *j)
{
    ErrCode rc = crew_open(&j->options, j->wanted == 1 ? 1 : 0, &j->crew, j->c->err);
    for (int64_t n = 1; rc == OK && n <= j->pages; n++) {
        if (!pages_wanted(j->args->pages, n))
            continue;
        if (crew_full(j->crew))
            rc = take_page(j);
        if (rc == OK)
            rc = put_page(j, n);
    }
    while (rc == OK && !crew_empty(j->crew))
        rc = take_page(j);
    return rc;
}

/* --- the end */

static void note(Job *j, const char *fmt, int64_t a, int64_t b)
{
    Str text = str_printf(j->c->arena, fmt, a, b);
    if (text.ptr != NULL)
        step_note(j->c, text);
}

static ErrCode nothing_read(Job *j)
{
    if (j->failed == j->wanted)
        return err_set(j->c->err, ERR_INPUT_DAMAGED, "not one of %" PRId64 " pages could be read",
                       j->wanted);
    err_set(j->c->err, ERR_NO_TEXT, "no text was found on %" PRId64 " %s", j->wanted,
            j->wanted == 1 ? "page" : "pages");
    err_hint(j->c->err, "if there is some: try layout sparse, denoise, or name its languages");
    return ERR_NO_TEXT;
}

static ErrCode write_pdf(Job *j)
{
    if (j->write == NULL)
        return OK;
    CLEANUP(fd_close) int fd = -1;
    Str name = str_printf(j->c->arena, STR_FMT ".searchable.pdf", STR_ARG(j->outputs.base));
    ErrCode rc = step_output(j->c, name, STR("application/pdf"), &fd);
    return rc == OK ? pdf_write_end(j->write, fd, j->c->err) : rc;
}

static void put_data(Job *j)
{
    JsonOut *d = j->c->data;
    if (d == NULL)
        return;
    json_kv_int(d, "pages", j->pages);
    json_kv_int(d, "pages_read", j->wanted - j->skipped - j->failed);
    json_kv_int(d, "pages_with_text", j->skipped);
    json_kv_int(d, "words", j->words);
    json_kv_int(d, "characters", j->characters);
    json_kv_double(d, "confidence",
                   j->words > 0 ? round(j->confidences / (double)j->words * 1000) / 1000 : 0);
    json_kv_c(d, "language", j->language);
    json_kv_int(d, "rotation", j->rotation);
    if (!j->text.failed && j->text.len <= DATA_TEXT_MAX)
        json_kv_str(d, "text", buf_str(&j->text));
}

static ErrCode finish(Job *j)
{
    if (j->words == 0)
        return nothing_read(j);
    ErrCode rc = outputs_end(&j->outputs);
    if (rc == OK)
        rc = write_pdf(j);
    if (rc != OK)
        return rc;
    if (j->skipped > 0)
        note(j, "%" PRId64 " of %" PRId64 " pages have text of their own and were left as they are",
             j->skipped, j->wanted);
    if (j->failed > 0)
        note(j, "%" PRId64 " pages could not be read, the first of them page %" PRId64, j->failed,
             j->first_failed);
    step_usage(j->c, "pages", j->wanted - j->skipped - j->failed);
    put_data(j);
    return OK;
}

static ErrCode run_job(Job *j, int which, bool pdf_allowed)
{
    ErrCode rc = open_source(j, pdf_allowed);
    if (rc == OK)
        rc = count_wanted(j);
    if (rc == OK)
        rc = open_outputs(j, which);
    if (rc == OK)
        rc = read_all(j);
    return rc == OK ? finish(j) : rc;
}

ErrCode ocr_run(StepCtx *c, const OcrArgs *args, bool pdf_allowed)
{
    int which;
    Job *j = arena_new(c->arena, Job, 1);
    if (j == NULL)
        return err_set(c->err, ERR_LIMIT_MEMORY, "reading the file");
    *j = (Job){.c = c, .args = args, .outputs.fds = {-1, -1, -1, -1}};
    j->text = buf_init(c->arena, 4 * MIB);
    ErrCode rc = outputs_parse(&args->ask.output, pdf_allowed, &which, c->err);
    if (rc == OK)
        rc = pages_check(args->pages, c->err);
    if (rc == OK)
        rc = ask_options(&args->ask, j->languages, &j->options, c->err);
    if (rc == OK)
        rc = picture_map(c, &j->bytes);
    if (rc != OK)
        return rc;
    rc = run_job(j, which, pdf_allowed);
    crew_close(&j->crew);
    outputs_close(&j->outputs);
    pdf_write_close(&j->write);
    render_close(&j->render);
    picture_unmap(&j->bytes);
    return rc;
}

const Field ocr_fields[] = {
    {"pages", FIELD_TYPE_INT, "Pages of the file."},
    {"pages_read", FIELD_TYPE_INT, "Pages that were recognised."},
    {"pages_with_text", FIELD_TYPE_INT, "Pages that had text of their own and were left alone."},
    {"words", FIELD_TYPE_INT, "Words found."},
    {"characters", FIELD_TYPE_INT, "Unicode characters found, without white space."},
    {"confidence", FIELD_TYPE_NUMBER, "Mean confidence of the words, 0 to 1."},
    {"language", FIELD_TYPE_TEXT, "Languages that were read, as Tesseract calls them."},
    {"rotation", FIELD_TYPE_INT, "Degrees the first turned page was turned clockwise."},
    {"text", FIELD_TYPE_TEXT, "The text, when it is at most 16 KiB.", .optional = true},
    {0},
};

const ErrCode ocr_errors[] = {ERR_UNSUPPORTED_TYPE, ERR_INPUT_MISSING,   ERR_INPUT_EMPTY,
                              ERR_INPUT_DAMAGED,    ERR_INPUT_ENCRYPTED, ERR_NO_TEXT,
                              ERR_LIMIT_PIXELS,     ERR_LIMIT_MEMORY,    ERR_LIMIT_OUTPUT,
                              ERR_BAD_PARAM,        ERR_ENGINE_MISSING,  OK};
