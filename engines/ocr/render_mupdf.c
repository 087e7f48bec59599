/* render_mupdf.c: PDF pages by MuPDF. */
#include "ocr/render.h"

#include <leptonica/allheaders.h>
#include <math.h>
#include <mupdf/pdf.h>
#include <string.h>

enum { STORE_BYTES = 48 << 20 };

struct Render {
    fz_context *ctx;
    fz_document *doc;
    int64_t pages;
    Arena *arena;
};

static fz_context *warm_context; /* made in the warm parent; each task uses its own copy of it */

static void quiet(void *user, const char *message)
{
    (void)user, (void)message; /* goes nowhere: it may quote the document */
}

ErrCode render_warm(Err *err)
{
    if (warm_context != NULL)
        return OK;
    fz_context *ctx = fz_new_context(NULL, NULL, STORE_BYTES);
    if (ctx == NULL)
        return err_set(err, ERR_NO_MEMORY, "starting the PDF library");
    fz_set_warning_callback(ctx, quiet, NULL);
    fz_set_error_callback(ctx, quiet, NULL);
    fz_try(ctx)
    {
        fz_register_document_handlers(ctx);
        warm_context = ctx;
    }
    fz_catch(ctx)
    {
        fz_drop_context(ctx);
        return err_set(err, ERR_NO_MEMORY, "starting the PDF library");
    }
    return OK;
}

static ErrCode damaged(Render *r, const char *what, Err *err)
{
    if (fz_caught(r->ctx) == FZ_ERROR_MEMORY)
        return err_set(err, ERR_LIMIT_MEMORY, "%s does not fit into memory", what);
    return err_set(err, ERR_INPUT_DAMAGED, "%s is not readable: %.120s", what,
                   fz_caught_message(r->ctx));
}

static ErrCode unlock(Render *r, Str password, Err *err)
{
    if (!fz_needs_password(r->ctx, r->doc))
        return OK;
    const char *text = str_to_c(r->arena, password);
    if (text != NULL && text[0] != 0 && fz_authenticate_password(r->ctx, r->doc, text))
        return OK;
    err_set(err, ERR_INPUT_ENCRYPTED,
            password.len > 0 ? "the password does not open the PDF" : "the PDF is encrypted");
    err_hint(err, "pass its password as `password`");
    return ERR_INPUT_ENCRYPTED;
}

static ErrCode open_document(Render *r, Str bytes, Str password, Err *err)
{
    fz_context *ctx = r->ctx;
    fz_stream *stream = NULL;
    ErrCode rc = OK;
    fz_var(stream);
    fz_var(rc);
    fz_try(ctx)
    {
        stream = fz_open_memory(ctx, (const unsigned char *)bytes.ptr, bytes.len);
        r->doc = fz_open_document_with_stream(ctx, "application/pdf", stream);
        rc = unlock(r, password, err);
        if (rc == OK)
            r->pages = fz_count_pages(ctx, r->doc);
        /* It may say anything; each page is an object of its own. */
        pdf_document *pdf = pdf_specifics(ctx, r->doc);
        if (rc == OK && pdf != NULL && r->pages > pdf_xref_len(ctx, pdf))
            r->pages = pdf_xref_len(ctx, pdf);
    }
    fz_always(ctx)
    {
        fz_drop_stream(ctx, stream);
    }
    fz_catch(ctx)
    {
        rc = damaged(r, "the PDF", err);
    }
    if (rc == OK && r->pages <= 0)
        rc = err_set(err, ERR_INPUT_DAMAGED, "the PDF has no readable pages");
    return rc;
}

ErrCode render_open(Str bytes, Str password, Arena *a, Render **out, Err *err)
{
    ErrCode rc = render_warm(err);
    Render *r = arena_new(a, Render, 1);
    if (rc == OK && r == NULL)
        rc = err_set(err, ERR_LIMIT_MEMORY, "opening the PDF");
    if (rc != OK)
        return rc;
    *r = (Render){.ctx = warm_context, .arena = a};
    rc = open_document(r, bytes, password, err);
    if (rc != OK) {
        fz_drop_document(r->ctx, r->doc);
        return rc;
    }
    *out = r;
    return OK;
}

void render_close(Render **r)
{
    if (*r != NULL)
        fz_drop_document((*r)->ctx, (*r)->doc);
    *r = NULL;
}

int64_t render_pages(const Render *r)
{
    return r->pages;
}

static void see_picture(const fz_stext_block *b, RenderPage *out)
{
    fz_matrix m = b->u.i.transform;
    double across = hypot((double)m.a, (double)m.b), down = hypot((double)m.c, (double)m.d);
    double share = across * down / (out->width * out->height);
    if (across < 1 || down < 1 || share <= out->picture_covers)
        return;
    double x = b->u.i.image->w / across * 72, y = b->u.i.image->h / down * 72;
    out->picture_covers = fmin(share, 1);
    out->picture_dpi = fmax(x, y);
}

static void see_text(const fz_stext_block *b, RenderPage *out)
{
    for (const fz_stext_line *l = b->u.t.first_line; l != NULL; l = l->next)
        for (const fz_stext_char *ch = l->first_char; ch != NULL; ch = ch->next)
            out->characters += ch->c > ' ' && ch->c != 0xa0 && ch->c != 0xfffd;
}

ErrCode render_look(Render *r, int64_t page_index, RenderPage *out, Err *err)
{
    fz_context *ctx = r->ctx;
    fz_page *page = NULL;
    fz_stext_page *text = NULL;
    fz_stext_options options = {.flags = FZ_STEXT_PRESERVE_IMAGES};
    ErrCode rc = OK;
    fz_var(page);
    fz_var(text);
    *out = (RenderPage){0};
    fz_try(ctx)
    {
        page = fz_load_page(ctx, r->doc, (int)page_index);
        fz_rect box = fz_bound_page(ctx, page);
        out->width = (double)(box.x1 - box.x0);
        out->height = (double)(box.y1 - box.y0);
        text = fz_new_stext_page_from_page(ctx, page, &options);
        for (const fz_stext_block *b = text->first_block; b != NULL; b = b->next) {
            if (b->type == FZ_STEXT_BLOCK_IMAGE)
                see_picture(b, out);
            else if (b->type == FZ_STEXT_BLOCK_TEXT)
                see_text(b, out);
        }
    }
    fz_always(ctx)
    {
        fz_drop_stext_page(ctx, text);
        fz_drop_page(ctx, page);
    }
    fz_catch(ctx)
    {
        rc = damaged(r, "the page", err);
    }
    return rc;
}

/* --- the text that is there */

typedef struct Copying {
    OcrPage *page;
    size_t lines_max, words_max;
    int block;
} Copying;

static bool is_space(int c)
{
    return c <= ' ' || c == 0xa0;
}

static OcrBox box_of_quad(fz_quad q)
{
    fz_rect r = fz_rect_from_quad(q);
    return (OcrBox){(double)r.x0, (double)r.y0, (double)r.x1, (double)r.y1};
}

static OcrBox around(OcrBox a, OcrBox b)
{
    return (OcrBox){fmin(a.x0, b.x0), fmin(a.y0, b.y0), fmax(a.x1, b.x1), fmax(a.y1, b.y1)};
}

static bool copy_word(Copying *c, OcrLine *to, const fz_stext_char *from, const fz_stext_char *end)
{
    Buf b = buf_init(c->page->arena, 64 * KIB);
    OcrBox box = box_of_quad(from->quad);
    for (const fz_stext_char *ch = from; ch != end; ch = ch->next) {
        buf_add_utf8(&b, (uint32_t)ch->c);
        box = around(box, box_of_quad(ch->quad));
    }
    if (b.failed || c->page->words_len == c->words_max)
        return false;
    c->page->words[c->page->words_len++] =
        (OcrWord){.text = buf_str(&b), .box = box, .confidence = 1, .space_before = to->len > 0};
    to->len++;
    return true;
}

static bool copy_line(Copying *c, const fz_stext_line *l)
{
    OcrPage *p = c->page;
    if (p->lines_len == c->lines_max)
        return false;
    OcrLine *to = &p->lines[p->lines_len];
    *to = (OcrLine){
        .box = {(double)l->bbox.x0, (double)l->bbox.y0, (double)l->bbox.x1, (double)l->bbox.y1},
        .confidence = 1,
        .block = c->block,
        .paragraph = 1,
        .first = p->words_len};
    const fz_stext_char *from = NULL;
    for (const fz_stext_char *ch = l->first_char;; ch = ch->next) {
        bool word = ch != NULL && !is_space(ch->c);
        if (!word && from != NULL && !copy_word(c, to, from, ch))
            return false;
        from = !word ? NULL : from == NULL ? ch : from;
        if (ch == NULL)
            break;
    }
    p->lines_len += to->len > 0;
    return true;
}

static bool copy_text(const fz_stext_page *text, OcrPage *page)
{
    Copying c = {.page = page};
    for (const fz_stext_block *b = text->first_block; b != NULL; b = b->next)
        if (b->type == FZ_STEXT_BLOCK_TEXT)
            for (const fz_stext_line *l = b->u.t.first_line; l != NULL; l = l->next) {
                c.lines_max++;
                for (const fz_stext_char *ch = l->first_char; ch != NULL; ch = ch->next)
                    c.words_max += is_space(ch->c) || ch->next == NULL;
            }
    page->lines = arena_new(page->arena, OcrLine, c.lines_max);
    page->words = arena_new(page->arena, OcrWord, c.words_max);
    if (page->lines == NULL || page->words == NULL)
        return false;
    for (const fz_stext_block *b = text->first_block; b != NULL; b = b->next) {
        c.block += b->type == FZ_STEXT_BLOCK_TEXT;
        if (b->type == FZ_STEXT_BLOCK_TEXT)
            for (const fz_stext_line *l = b->u.t.first_line; l != NULL; l = l->next)
                if (!copy_line(&c, l))
                    return false;
    }
    page->confidence = page->words_len > 0 ? 1 : 0;
    return true;
}

ErrCode render_text(Render *r, int64_t page_index, OcrPage *out, Err *err)
{
    fz_context *ctx = r->ctx;
    fz_stext_page *text = NULL;
    fz_stext_options options = {.flags = 0};
    ErrCode rc = OK;
    fz_var(text);
    fz_var(rc);
    fz_try(ctx)
    {
        text = fz_new_stext_page_from_page_number(ctx, r->doc, (int)page_index, &options);
        if (!copy_text(text, out))
            rc = err_set(err, ERR_LIMIT_MEMORY, "no memory for the text of a page");
    }
    fz_always(ctx)
    {
        fz_drop_stext_page(ctx, text);
    }
    fz_catch(ctx)
    {
        rc = damaged(r, "the page", err);
    }
    return rc;
}

/* --- pixels */

static struct Pix *to_colour_pix(const fz_pixmap *from)
{
    struct Pix *pix = pixCreateNoInit(from->w, from->h, 32);
    if (pix == NULL)
        return NULL;
    l_uint32 *line = pixGetData(pix);
    for (int y = 0; y < from->h; y++, line += pixGetWpl(pix)) {
        const unsigned char *s = from->samples + (ptrdiff_t)y * from->stride;
        for (int x = 0; x < from->w; x++, s += 3)
            line[x] = (l_uint32)s[0] << 24 | (l_uint32)s[1] << 16 | (l_uint32)s[2] << 8;
    }
    return pix;
}

static struct Pix *to_pix(const fz_pixmap *from)
{
    if (from->n == 3)
        return to_colour_pix(from);
    struct Pix *pix = pixCreateNoInit(from->w, from->h, 8);
    if (pix == NULL)
        return NULL;
    l_uint32 *lines = pixGetData(pix);
    size_t words = (size_t)pixGetWpl(pix);
    for (int y = 0; y < from->h; y++)
        memcpy(lines + (size_t)y * words, from->samples + (ptrdiff_t)y * from->stride,
               (size_t)from->w);
    pixEndianByteSwap(pix); /* leptonica counts bytes from the high end of words */
    return pix;
}

ErrCode render_draw(Render *r, int64_t page_index, double dpi, bool colour, struct Pix **out,
                    Err *err)
{
    fz_context *ctx = r->ctx;
    fz_page *page = NULL;
    fz_pixmap *map = NULL;
    struct Pix *pix = NULL;
    ErrCode rc = OK;
    float scale = (float)(dpi / 72);
    fz_var(page);
    fz_var(map);
    fz_var(pix);
    fz_var(rc);
    fz_try(ctx)
    {
        page = fz_load_page(ctx, r->doc, (int)page_index);
        map = fz_new_pixmap_from_page(ctx, page, fz_scale(scale, scale),
                                      colour ? fz_device_rgb(ctx) : fz_device_gray(ctx), 0);
        pix = to_pix(map);
    }
    fz_always(ctx)
    {
        fz_drop_pixmap(ctx, map);
        fz_drop_page(ctx, page);
    }
    fz_catch(ctx)
    {
        rc = damaged(r, "the page", err);
    }
    if (rc == OK && pix == NULL)
        rc = err_set(err, ERR_LIMIT_MEMORY, "a page does not fit into memory");
    if (rc == OK)
        *out = pix;
    else
        pixDestroy(&pix);
    return rc;
}
