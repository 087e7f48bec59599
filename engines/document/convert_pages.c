/* convert_pages.c: pages of a PDF as pictures, by MuPDF: one output a page, named by its number. */
#include "document/convert_in.h"
#include "document/convert_page_in.h"
#include "document/pdf_in.h"

#include <mupdf/pdf.h>

typedef struct Pdf {
    fz_context *ctx;
    fz_document *doc;
} Pdf;

static ErrCode damaged(fz_context *ctx, Err *err)
{
    if (fz_caught(ctx) == FZ_ERROR_MEMORY)
        return err_set(err, ERR_LIMIT_MEMORY, "the PDF does not fit into memory");
    return err_set(err, ERR_INPUT_DAMAGED, "not readable as PDF: %.120s", fz_caught_message(ctx));
}

static ErrCode unlock(Pdf *p, const Job *j)
{
    const char *password = str_to_c(j->c->arena, j->a->password);
    if (!fz_needs_password(p->ctx, p->doc))
        return OK;
    bool given = password != NULL && password[0] != 0;
    if (given && fz_authenticate_password(p->ctx, p->doc, password))
        return OK;
    err_set(j->c->err, ERR_INPUT_ENCRYPTED,
            given ? "the password does not open the PDF" : "the PDF is encrypted");
    err_hint(j->c->err, "pass its password as `password`");
    return ERR_INPUT_ENCRYPTED;
}

static ErrCode open_pdf(Pdf *p, const Job *j, Str bytes, int64_t *pages)
{
    fz_context *ctx = p->ctx;
    fz_stream *stream = NULL;
    ErrCode rc = OK;
    fz_var(stream);
    fz_var(rc);
    fz_try(ctx)
    {
        stream = fz_open_memory(ctx, (const unsigned char *)bytes.ptr, bytes.len);
        p->doc = fz_open_document_with_stream(ctx, "application/pdf", stream);
        rc = unlock(p, j);
        int64_t objects = pdf_xref_len(ctx, pdf_specifics(ctx, p->doc));
        *pages = rc == OK ? fz_count_pages(ctx, p->doc) : 0;
        *pages = *pages < objects ? *pages : objects; /* each is an object of its own */
    }
    fz_always(ctx)
    {
        fz_drop_stream(ctx, stream);
    }
    fz_catch(ctx)
    {
        rc = damaged(ctx, j->c->err);
    }
    if (rc == OK && *pages == 0)
        rc = err_set(j->c->err, ERR_INPUT_DAMAGED, "the PDF has no readable pages");
    return rc;
}

/* The page as pixels; *size gets its size in points even when it has too many pixels to draw. */
static ErrCode draw_page(void *arg, const Job *j, int64_t page_no, PageDrawn *out)
{
    Pdf *p = arg;
    fz_context *ctx = p->ctx;
    fz_page *page = NULL;
    fz_pixmap *pix = NULL;
    ErrCode rc = OK;
    fz_var(page);
    fz_var(pix);
    fz_var(rc);
    fz_try(ctx)
    {
        page = fz_load_page(ctx, p->doc, (int)page_no - 1);
        fz_rect box = fz_bound_page(ctx, page);
        float scale = 1;
        rc = page_scale(j, box.x1 - box.x0, box.y1 - box.y0, &scale, out);
        if (rc == OK)
            pix = fz_new_pixmap_from_page(ctx, page, fz_scale(scale, scale), fz_device_rgb(ctx), 0);
    }
    fz_always(ctx)
    {
        fz_drop_page(ctx, page);
    }
    fz_catch(ctx)
    {
        return damaged(ctx, j->c->err);
    }
    if (rc != OK)
        return rc;
    out->held = pix;
    out->samples = fz_pixmap_samples(ctx, pix);
    out->picture.width = fz_pixmap_width(ctx, pix);
    out->picture.height = fz_pixmap_height(ctx, pix);
    out->picture.stride = (size_t)fz_pixmap_stride(ctx, pix);
    out->picture.channels = 3;
    out->picture.samples = out->samples;
    return OK;
}

static void release_page(void *arg, PageDrawn *drawn)
{
    fz_drop_pixmap(((Pdf *)arg)->ctx, drawn->held);
    drawn->held = NULL;
}

ErrCode convert_pages(Job *j, Str bytes)
{
    Pdf p = {.ctx = NULL};
    int64_t pages = 0;
    ErrCode rc = pdf_context(&p.ctx, j->c->err);
    if (rc != OK)
        return rc;
    rc = open_pdf(&p, j, bytes, &pages);
    if (rc == OK)
        rc = convert_each_page(j, pages, &(PageDrawer){draw_page, release_page, &p});
    fz_drop_document(p.ctx, p.doc);
    return rc;
}

int64_t convert_count_pages(const Job *j, Str bytes)
{
    Pdf p = {.ctx = NULL};
    Err err = {0};
    StepCtx quiet = *j->c;
    Job own = *j;
    int64_t pages = 0;
    quiet.err = &err;
    own.c = &quiet;
    if (pdf_context(&p.ctx, &err) != OK)
        return 0;
    if (open_pdf(&p, &own, bytes, &pages) != OK)
        pages = 0;
    fz_drop_document(p.ctx, p.doc);
    return pages;
}
