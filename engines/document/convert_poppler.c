/* convert_poppler.c: what convert_pages.c, convert_pictures.c and face_script.c do, in builds with
 * poppler: pages are drawn by it; pictures do not become PDFs; text has the fonts of Latin, Greek,
 * Cyrillic, Hebrew and Arabic letters only. */
#include "document/convert_page_in.h"
#include "document/face.h"

#include <poppler.h>
#include <stdlib.h>
#include <string.h>

static ErrCode open_pdf(const Job *j, Str bytes, PopplerDocument **out)
{
    GError *error = NULL;
    const char *password = str_to_c(j->c->arena, j->a->password);
    GBytes *held = g_bytes_new_static(bytes.ptr, bytes.len);
    *out = poppler_document_new_from_bytes(held, password, &error);
    g_bytes_unref(held);
    if (*out != NULL)
        return OK;
    bool locked = error != NULL && g_error_matches(error, POPPLER_ERROR, POPPLER_ERROR_ENCRYPTED);
    g_clear_error(&error);
    if (!locked)
        return err_set(j->c->err, ERR_INPUT_DAMAGED, "not readable as PDF");
    err_set(j->c->err, ERR_INPUT_ENCRYPTED, "the PDF is encrypted");
    err_hint(j->c->err, "pass its password as `password`");
    return ERR_INPUT_ENCRYPTED;
}

/* Cairo's four bytes a pixel to three, in place. */
static void to_rgb(unsigned char *samples, int width, int height, int stride)
{
    unsigned char *to = samples;
    for (int y = 0; y < height; y++) {
        const unsigned char *row = samples + (ptrdiff_t)y * stride;
        for (int x = 0; x < width; x++) {
            uint32_t v;
            memcpy(&v, row + (ptrdiff_t)x * 4, sizeof v);
            *to++ = (unsigned char)(v >> 16);
            *to++ = (unsigned char)(v >> 8);
            *to++ = (unsigned char)v;
        }
    }
}

static ErrCode render(const Job *j, PopplerPage *page, float scale, int w, int h, PageDrawn *out)
{
    cairo_surface_t *s = cairo_image_surface_create(CAIRO_FORMAT_RGB24, w, h);
    cairo_t *cr = cairo_create(s);
    cairo_set_source_rgb(cr, 1, 1, 1);
    cairo_paint(cr);
    cairo_scale(cr, (double)scale, (double)scale);
    poppler_page_render(page, cr);
    bool ok = cairo_status(cr) == CAIRO_STATUS_SUCCESS;
    cairo_destroy(cr);
    cairo_surface_flush(s);
    out->held = s;
    if (!ok)
        return err_set(j->c->err, ERR_LIMIT_MEMORY, "the page does not fit into memory");
    out->samples = cairo_image_surface_get_data(s);
    to_rgb(out->samples, w, h, cairo_image_surface_get_stride(s));
    out->picture.width = w;
    out->picture.height = h;
    out->picture.stride = (size_t)w * 3;
    out->picture.channels = 3;
    out->picture.samples = out->samples;
    return OK;
}

static ErrCode draw_page(void *arg, const Job *j, int64_t page_no, PageDrawn *out)
{
    double width = 0, height = 0;
    float scale = 1;
    PopplerPage *page = poppler_document_get_page(arg, (int)page_no - 1);
    if (page == NULL)
        return err_set(j->c->err, ERR_INPUT_DAMAGED, "page %" PRId64 " cannot be read", page_no);
    poppler_page_get_size(page, &width, &height);
    ErrCode rc = page_scale(j, (float)width, (float)height, &scale, out);
    int w = (int)(width * (double)scale + 0.5), h = (int)(height * (double)scale + 0.5);
    if (rc == OK)
        rc = render(j, page, scale, w > 0 ? w : 1, h > 0 ? h : 1, out);
    g_object_unref(page);
    return rc;
}

static void release_page(void *arg, PageDrawn *drawn)
{
    (void)arg;
    if (drawn->held != NULL)
        cairo_surface_destroy(drawn->held);
    drawn->held = NULL;
}

ErrCode convert_pages(Job *j, Str pdf)
{
    PopplerDocument *doc = NULL;
    ErrCode rc = open_pdf(j, pdf, &doc);
    if (rc != OK)
        return rc;
    rc = convert_each_page(j, poppler_document_get_n_pages(doc),
                           &(PageDrawer){draw_page, release_page, doc});
    g_object_unref(doc);
    return rc;
}

int64_t convert_count_pages(const Job *j, Str pdf)
{
    PopplerDocument *doc = NULL;
    Err err = {0};
    StepCtx quiet = *j->c;
    Job own = *j;
    quiet.err = &err;
    own.c = &quiet;
    if (open_pdf(&own, pdf, &doc) != OK)
        return 0;
    int64_t pages = poppler_document_get_n_pages(doc);
    g_object_unref(doc);
    return pages;
}

ErrCode convert_pictures(Job *jobs, size_t len)
{
    (void)len;
    err_set(jobs[0].c->err, ERR_UNSUPPORTED_TYPE, "this build makes no PDFs from pictures");
    err_hint(jobs[0].c->err, "it was built with pdf_engine=poppler; the one with mupdf does");
    return ERR_UNSUPPORTED_TYPE;
}

bool face_builtin(uint32_t cp, int n, const void **bytes, size_t *len, unsigned *index)
{
    (void)cp, (void)n, (void)bytes, (void)len, (void)index;
    return false;
}
