/* render_poppler.c: PDF pages by poppler, for builds that must not carry MuPDF's licence (meson
 * -Dpdf_engine=poppler). Text that is there comes as lines of words, without columns. */
#include "ocr/render.h"

#include <cairo.h>
#include <leptonica/allheaders.h>
#include <math.h>
#include <poppler.h>
#include <string.h>

/* Poppler sets up its tables with the first document it opens; this one has a single empty page. */
static const char smallest[] = "%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
                               "2 0 obj<</Type/Pages/Count 1/Kids[3 0 R]>>endobj\n"
                               "3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
                               "trailer<</Root 1 0 R>>\n%%EOF\n";

struct Render {
    PopplerDocument *doc;
    int64_t pages;
};

static void unref_page(PopplerPage **page)
{
    g_clear_object(page);
}

static PopplerDocument *open_bytes(Str bytes, const char *password, GError **error)
{
    GBytes *held = g_bytes_new_static(bytes.ptr, bytes.len);
    PopplerDocument *doc = poppler_document_new_from_bytes(held, password, error);
    g_bytes_unref(held);
    return doc;
}

ErrCode render_warm(Err *err)
{
    GError *error = NULL;
    PopplerDocument *doc = open_bytes((Str){smallest, sizeof smallest - 1}, NULL, &error);
    PopplerPage *page = doc != NULL ? poppler_document_get_page(doc, 0) : NULL;
    bool ok = page != NULL;
    if (ok)
        g_free(poppler_page_get_text(page));
    g_clear_error(&error);
    g_clear_object(&page);
    g_clear_object(&doc);
    return ok ? OK : err_set(err, ERR_INTERNAL, "could not start the PDF library");
}

ErrCode render_open(Str bytes, Str password, Arena *a, Render **out, Err *err)
{
    GError *error = NULL;
    Render *r = arena_new(a, Render, 1);
    const char *key = password.len > 0 ? str_to_c(a, password) : NULL;
    if (r == NULL || (password.len > 0 && key == NULL))
        return err_set(err, ERR_LIMIT_MEMORY, "opening the PDF");
    r->doc = open_bytes(bytes, key, &error);
    if (r->doc == NULL) {
        bool locked = g_error_matches(error, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED);
        err_set(err, locked ? ERR_INPUT_ENCRYPTED : ERR_INPUT_DAMAGED,
                !locked            ? "not readable as PDF"
                : password.len > 0 ? "the password does not open the PDF"
                                   : "the PDF is encrypted");
        if (locked)
            err_hint(err, "pass its password as `password`");
        g_clear_error(&error);
        return locked ? ERR_INPUT_ENCRYPTED : ERR_INPUT_DAMAGED;
    }
    r->pages = poppler_document_get_n_pages(r->doc);
    if (r->pages <= 0) {
        render_close(&r);
        return err_set(err, ERR_INPUT_DAMAGED, "the PDF has no readable pages");
    }
    *out = r;
    return OK;
}

void render_close(Render **r)
{
    if (*r != NULL)
        g_clear_object(&(*r)->doc);
    *r = NULL;
}

int64_t render_pages(const Render *r)
{
    return r->pages;
}

static ErrCode load(Render *r, int64_t page_index, PopplerPage **out, Err *err)
{
    *out = poppler_document_get_page(r->doc, (int)page_index);
    return *out != NULL ? OK : err_set(err, ERR_INPUT_DAMAGED, "the page is not readable");
}

static void see_pictures(PopplerPage *page, RenderPage *out)
{
    GList *all = poppler_page_get_image_mapping(page);
    for (const GList *l = all; l != NULL; l = l->next) {
        const PopplerImageMapping *m = l->data;
        double w = fabs(m->area.x2 - m->area.x1), h = fabs(m->area.y2 - m->area.y1);
        double share = w * h / (out->width * out->height);
        if (w < 1 || h < 1 || share <= out->picture_covers)
            continue;
        cairo_surface_t *s = poppler_page_get_image(page, m->image_id);
        if (s == NULL)
            continue;
        out->picture_covers = fmin(share, 1);
        out->picture_dpi =
            fmax(cairo_image_surface_get_width(s) / w, cairo_image_surface_get_height(s) / h) * 72;
        cairo_surface_destroy(s);
    }
    poppler_page_free_image_mapping(all);
}

ErrCode render_look(Render *r, int64_t page_index, RenderPage *out, Err *err)
{
    CLEANUP(unref_page) PopplerPage *page = NULL;
    ErrCode rc = load(r, page_index, &page, err);
    if (rc != OK)
        return rc;
    *out = (RenderPage){0};
    poppler_page_get_size(page, &out->width, &out->height);
    char *text = poppler_page_get_text(page);
    for (const char *s = text; s != NULL && *s != 0; s = g_utf8_next_char(s))
        out->characters += !g_unichar_isspace(g_utf8_get_char(s));
    g_free(text);
    see_pictures(page, out);
    return OK;
}

/* --- the text that is there */

typedef struct Copying {
    OcrPage *page;
    double bottom; /* of the line in hand */
} Copying;

static OcrLine *line_for(Copying *c, const PopplerRectangle *at, bool fresh)
{
    OcrPage *p = c->page;
    if (fresh || p->lines_len == 0 || at->y1 > c->bottom) {
        p->lines[p->lines_len++] = (OcrLine){.box = {at->x1, at->y1, at->x2, at->y2},
                                             .confidence = 1,
                                             .block = 1,
                                             .paragraph = 1,
                                             .first = p->words_len};
        c->bottom = at->y2;
    }
    return &p->lines[p->lines_len - 1];
}

static void copy_word(Copying *c, Str text, const PopplerRectangle *at, bool fresh)
{
    OcrLine *l = line_for(c, at, fresh);
    l->box = (OcrBox){fmin(l->box.x0, at->x1), fmin(l->box.y0, at->y1), fmax(l->box.x1, at->x2),
                      fmax(l->box.y1, at->y2)};
    c->page->words[c->page->words_len++] = (OcrWord){.text = text,
                                                     .box = {at->x1, at->y1, at->x2, at->y2},
                                                     .confidence = 1,
                                                     .space_before = l->len > 0};
    l->len++;
}

/* The text and a box for each of its characters, in the same order. */
static void copy_words(Copying *c, Str text, const PopplerRectangle *boxes, guint count)
{
    size_t at = 0, from = 0;
    bool in_word = false, fresh = true;
    PopplerRectangle box = {0};
    for (guint i = 0;; i++) {
        size_t here = at;
        uint32_t cp = at < text.len && i < count ? str_next_utf8(text, &at) : 0;
        bool letter = cp > ' ' && cp != 0xa0;
        if (in_word && !letter) {
            copy_word(c, str_slice(text, from, here), &box, fresh);
            fresh = false;
        }
        if (cp == 0)
            return;
        fresh = fresh || cp == '\n';
        if (letter && !in_word) {
            from = here;
            box = boxes[i];
        } else if (letter) {
            box = (PopplerRectangle){fmin(box.x1, boxes[i].x1), fmin(box.y1, boxes[i].y1),
                                     fmax(box.x2, boxes[i].x2), fmax(box.y2, boxes[i].y2)};
        }
        in_word = letter;
    }
}

ErrCode render_text(Render *r, int64_t page_index, OcrPage *out, Err *err)
{
    CLEANUP(unref_page) PopplerPage *page = NULL;
    ErrCode rc = load(r, page_index, &page, err);
    if (rc != OK)
        return rc;
    PopplerRectangle *boxes = NULL;
    guint count = 0;
    char *text = poppler_page_get_text(page);
    bool known = poppler_page_get_text_layout(page, &boxes, &count);
    Str own = str_copy(out->arena, str_from_c(text != NULL ? text : ""));
    g_free(text);
    out->lines = arena_new(out->arena, OcrLine, (size_t)count + 1);
    out->words = arena_new(out->arena, OcrWord, (size_t)count + 1);
    if (own.ptr == NULL || out->lines == NULL || out->words == NULL)
        rc = err_set(err, ERR_LIMIT_MEMORY, "no memory for the text of a page");
    else if (known)
        copy_words(&(Copying){.page = out}, own, boxes, count);
    g_free(boxes);
    out->confidence = out->words_len > 0 ? 1 : 0;
    return rc;
}

/* --- pixels */

static struct Pix *to_pix(cairo_surface_t *s)
{
    int w = cairo_image_surface_get_width(s), h = cairo_image_surface_get_height(s);
    int stride = cairo_image_surface_get_stride(s) / 4;
    const uint32_t *from = (const void *)cairo_image_surface_get_data(s);
    struct Pix *pix = from != NULL ? pixCreateNoInit(w, h, 32) : NULL;
    if (pix == NULL)
        return NULL;
    l_uint32 *to = pixGetData(pix);
    for (int y = 0; y < h; y++, from += stride, to += pixGetWpl(pix))
        for (int x = 0; x < w; x++)
            to[x] = from[x] << 8; /* xRGB to RGBx */
    return pix;
}

ErrCode render_draw(Render *r, int64_t page_index, double dpi, bool colour, struct Pix **out,
                    Err *err)
{
    CLEANUP(unref_page) PopplerPage *page = NULL;
    ErrCode rc = load(r, page_index, &page, err);
    if (rc != OK)
        return rc;
    double w, h, scale = dpi / 72;
    poppler_page_get_size(page, &w, &h);
    cairo_surface_t *s =
        cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)ceil(w * scale), (int)ceil(h * scale));
    cairo_t *cr = cairo_create(s);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_scale(cr, scale, scale);
    poppler_page_render(page, cr);
    bool ok = cairo_status(cr) == CAIRO_STATUS_SUCCESS;
    cairo_destroy(cr);
    cairo_surface_flush(s);
    struct Pix *pix = ok ? to_pix(s) : NULL;
    cairo_surface_destroy(s);
    if (pix != NULL && !colour) {
        struct Pix *grey = pixConvertTo8(pix, 0);
        pixDestroy(&pix);
        pix = grey;
    }
    if (pix == NULL)
        return err_set(err, ERR_LIMIT_MEMORY, "a page does not fit into memory");
    *out = pix;
    return OK;
}
