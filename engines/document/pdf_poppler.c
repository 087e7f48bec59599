/* pdf_poppler.c: PDF by poppler, for builds that must not carry MuPDF's licence (meson
 * -Dpdf_engine=poppler).
 *
 * Simpler than pdf.c: lines in poppler's reading order, headings by font size, paragraphs by
 * distance, bullets; no tables, links or emphasis. */
#include "document/document.h"

#include <poppler.h>
#include <string.h>
#include <time.h>

/* Poppler sets up its tables with the first document it opens; this one has a single empty page. */
static const char smallest[] = "%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
                               "2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n"
                               "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
                               "trailer<</Root 1 0 R>>\n%%EOF\n";

typedef struct PopplerReader {
    const DocInput *in;
    Doc *out;
    PopplerDocument *doc;
    int64_t wanted, empty, first_empty;
    double body; /* the size most characters had so far */
    uint64_t sizes[256];
} PopplerReader;

/* One line of a page. */
typedef struct Line {
    Str text;
    double top, bottom, left, size;
} Line;

static PopplerDocument *open_bytes(Str bytes, const char *password, GError **error)
{
    GBytes *held = g_bytes_new_static(bytes.ptr, bytes.len);
    PopplerDocument *doc = poppler_document_new_from_bytes(held, password, error);
    g_bytes_unref(held);
    return doc;
}

ErrCode pdf_warm(Err *err)
{
    GError *error = NULL;
    PopplerDocument *doc = open_bytes((Str){smallest, sizeof smallest - 1}, NULL, &error);
    PopplerPage *page = doc != NULL ? poppler_document_get_page(doc, 0) : NULL;
    if (page == NULL) {
        g_clear_error(&error);
        g_clear_object(&doc);
        return err_set(err, ERR_INTERNAL, "could not start the PDF library");
    }
    g_free(poppler_page_get_text(page));
    g_object_unref(page);
    g_object_unref(doc);
    return OK;
}

/* --- metadata */

static void put_text(PopplerReader *r, const char *key, char *value)
{
    doc_meta(r->out, key, str_from_c(value));
    g_free(value);
}

static void put_date(PopplerReader *r, const char *key, time_t when)
{
    struct tm t;
    char text[32];
    if (when > 0 && gmtime_r(&when, &t) != NULL &&
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &t) > 0)
        doc_meta(r->out, key, str_from_c(text));
}

static void put_metadata(PopplerReader *r)
{
    put_text(r, "title", poppler_document_get_title(r->doc));
    put_text(r, "author", poppler_document_get_author(r->doc));
    put_text(r, "subject", poppler_document_get_subject(r->doc));
    put_text(r, "keywords", poppler_document_get_keywords(r->doc));
    put_text(r, "generator", poppler_document_get_producer(r->doc));
    put_date(r, "created", poppler_document_get_creation_date(r->doc));
    put_date(r, "modified", poppler_document_get_modification_date(r->doc));
}

/* --- lines */

static double size_at(GList **attributes, gint index)
{
    while (*attributes != NULL && ((PopplerTextAttributes *)(*attributes)->data)->end_index < index)
        *attributes = (*attributes)->next;
    return *attributes != NULL ? ((PopplerTextAttributes *)(*attributes)->data)->font_size : 0;
}

static void count_size(PopplerReader *r, double size, size_t chars)
{
    size_t bucket = size > 0 && size < 127 ? (size_t)(size * 2 + 0.5) : 0, best = 1;
    r->sizes[bucket] += chars;
    for (size_t i = 1; i < COUNT_OF(r->sizes); i++)
        if (r->sizes[i] > r->sizes[best])
            best = i;
    r->body = (double)best / 2;
}

static bool bullet_of(Str *text)
{
    static const Str bullets[] = {
        {"\xE2\x80\xA2", 3}, {"\xE2\x96\xAA", 3}, {"\xE2\x97\x8F", 3}, {"\xC2\xB7", 2}, {"- ", 2}};
    for (size_t i = 0; i < COUNT_OF(bullets); i++)
        if (str_starts(*text, bullets[i])) {
            *text = str_trim(str_slice(*text, bullets[i].len, text->len));
            return true;
        }
    return false;
}

static bool number_of(Str *text, int64_t *number)
{
    size_t n = 0;
    while (n < text->len && n < 3 && text->ptr[n] >= '0' && text->ptr[n] <= '9')
        n++;
    if (n == 0 || n + 1 >= text->len || (text->ptr[n] != '.' && text->ptr[n] != ')') ||
        text->ptr[n + 1] != ' ' || !str_to_i64(str_slice(*text, 0, n), number))
        return false;
    *text = str_trim(str_slice(*text, n + 1, text->len));
    return *number > 0;
}

static int heading_level(const PopplerReader *r, const Line *l)
{
    double ratio = r->body > 0 ? l->size / r->body : 1;
    if (l->text.len > 240 || l->text.len < 2)
        return 0;
    return ratio >= 1.6 ? 1 : ratio >= 1.28 ? 2 : ratio >= 1.18 ? 3 : 0;
}

static bool goes_on(const Line *before, const Line *l, int level_before, int level)
{
    double height = before->bottom - before->top;
    return level == level_before && l->top > before->top &&
           l->top - before->bottom < height * 0.8 && l->left < before->left + 2.5 * height;
}

static void put_line(PopplerReader *r, const Line *before, const Line *l, bool *open, int *level)
{
    Str text = l->text;
    int64_t number = 0;
    int now = heading_level(r, l);
    bool bullet = now == 0 && bullet_of(&text),
         numbered = now == 0 && !bullet && number_of(&text, &number);
    if (!*open || bullet || numbered || !goes_on(before, l, *level, now)) {
        doc_end(r->out);
        if (bullet || numbered)
            doc_item(r->out, 0, number);
        else
            doc_begin(r->out, now > 0 ? BLOCK_HEADING : BLOCK_PARAGRAPH, now);
    } else {
        doc_text(r->out, STR(" "));
    }
    doc_text(r->out, text);
    *open = true;
    *level = now;
}

static void put_lines(PopplerReader *r, const char *text, const PopplerRectangle *boxes,
                      guint count, GList *attributes)
{
    Line before = {0};
    Str rest = str_from_c(text), line;
    bool open = false;
    int level = 0;
    guint index = 0;
    for (const GList *a = attributes; a != NULL; a = a->next) {
        const PopplerTextAttributes *t = a->data;
        count_size(r, t->font_size, (size_t)(t->end_index - t->start_index + 1));
    }
    while (str_next(&rest, '\n', &line) && !doc_failed(r->out)) {
        guint chars = (guint)str_count_utf8(line);
        Line l = {.text = str_trim(line), .size = size_at(&attributes, (gint)index)};
        if (l.text.len > 0 && index < count) {
            l.top = boxes[index].y1;
            l.bottom = boxes[index].y2;
            l.left = boxes[index].x1;
            put_line(r, &before, &l, &open, &level);
            before = l;
        }
        index += chars + 1;
    }
    doc_end(r->out);
}

static void put_page(PopplerReader *r, int64_t page_no)
{
    PopplerPage *page = poppler_document_get_page(r->doc, (int)page_no - 1);
    doc_page(r->out, page_no);
    if (page != NULL) {
        PopplerRectangle *boxes = NULL;
        guint count = 0;
        char *text = poppler_page_get_text(page);
        GList *attributes = poppler_page_get_text_attributes(page);
        if (text != NULL && poppler_page_get_text_layout(page, &boxes, &count))
            put_lines(r, text, boxes, count, attributes);
        poppler_page_free_text_attributes(attributes);
        g_free(boxes);
        g_free(text);
        g_object_unref(page);
    }
    if (!doc_took_text(r->out) && r->empty++ == 0)
        r->first_empty = page_no;
}

/* --- the document */

static ErrCode open_document(PopplerReader *r)
{
    Err *err = r->in->step->err;
    GError *error = NULL;
    const char *password = str_to_c(r->in->step->arena, r->in->password);
    if (password == NULL)
        return err_set(err, ERR_LIMIT_MEMORY, "reading the PDF");
    r->doc = open_bytes(r->in->bytes, password[0] != 0 ? password : NULL, &error);
    if (r->doc != NULL)
        return OK;
    bool locked = g_error_matches(error, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED);
    if (locked) {
        err_set(err, ERR_INPUT_ENCRYPTED,
                password[0] != 0 ? "the password does not open the PDF" : "the PDF is encrypted");
        err_hint(err, "pass its password as `password`");
    } else {
        err_set(err, ERR_INPUT_DAMAGED, "not readable as PDF: %.120s",
                error != NULL ? error->message : "");
    }
    g_clear_error(&error);
    return locked ? ERR_INPUT_ENCRYPTED : ERR_INPUT_DAMAGED;
}

static ErrCode read_pages(PopplerReader *r)
{
    StepCtx *c = r->in->step;
    int64_t pages = poppler_document_get_n_pages(r->doc);
    doc_pages_total(r->out, pages);
    put_metadata(r);
    for (int64_t n = 1; n <= pages && !doc_failed(r->out); n++) {
        if (!pages_wanted(r->in->pages, n))
            continue;
        if (step_canceled(c))
            return err_set(c->err, ERR_CANCELED, "cancelled at page %" PRId64, n);
        r->wanted++;
        put_page(r, n);
        if (n % 16 == 0)
            step_progress(c, n, pages, "pages");
    }
    if (r->wanted == 0) {
        err_set(c->err, ERR_BAD_PARAM,
                "the PDF has %" PRId64 " pages, none of them in \"" STR_FMT "\"", pages,
                STR_ARG(r->in->pages));
        err_param(c->err, "pages");
        return ERR_BAD_PARAM;
    }
    if (c->data != NULL && r->wanted > r->empty)
        json_kv_int(c->data, "pages_without_text", r->empty);
    return OK;
}

ErrCode read_pdf(const DocInput *in, Doc *out)
{
    PopplerReader r = {.in = in, .out = out};
    ErrCode rc = open_document(&r);
    if (rc == OK)
        rc = read_pages(&r);
    g_clear_object(&r.doc);
    return rc;
}
