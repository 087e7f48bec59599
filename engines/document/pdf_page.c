#include "document/pdf_in.h"

#include <math.h>
#include <string.h>

enum { LINKS_MAX = 2000 };

/* --- links */

static ErrCode take_links(PdfReader *r, PdfPage *p, fz_link *first, fz_rect box, fz_rect **out)
{
    size_t count = 0;
    for (fz_link *l = first; l != NULL && count < LINKS_MAX; l = l->next)
        count++;
    fz_rect *rects = *out = arena_new(p->arena, fz_rect, count);
    p->links = arena_new(p->arena, Str, count);
    if (rects == NULL || p->links == NULL)
        return ERR_LIMIT_MEMORY;
    for (fz_link *l = first; l != NULL && p->links_len < count; l = l->next) {
        if (l->uri == NULL || !fz_is_external_link(r->ctx, l->uri))
            continue;
        p->links[p->links_len] = str_copy(p->arena, str_from_c(l->uri));
        if (p->links[p->links_len].ptr == NULL)
            return ERR_LIMIT_MEMORY;
        rects[p->links_len++] = fz_translate_rect(l->rect, -box.x0, -box.y0);
    }
    return OK;
}

static uint16_t link_at(const PdfPage *p, const fz_rect *rects, float x, float y)
{
    for (size_t i = 0; i < p->links_len; i++)
        if (x >= rects[i].x0 && x <= rects[i].x1 && y >= rects[i].y0 && y <= rects[i].y1)
            return (uint16_t)(i + 1);
    return 0;
}

/* --- characters */

static bool name_says(const char *name, const char *word)
{
    size_t len = strlen(word);
    for (; *name != 0; name++)
        if (strncasecmp(name, word, len) == 0)
            return true;
    return false;
}

static uint8_t learn_style(fz_context *ctx, fz_font *font)
{
    const char *name = fz_font_name(ctx, font);
    uint8_t s = 0;
    if (fz_font_is_bold(ctx, font) || name_says(name, "bold") || name_says(name, "black") ||
        name_says(name, "heavy") || name_says(name, "CMBX"))
        s |= PDF_BOLD;
    if (fz_font_is_italic(ctx, font) || name_says(name, "italic") || name_says(name, "oblique"))
        s |= PDF_ITALIC;
    if (fz_font_is_monospaced(ctx, font) || name_says(name, "courier") || name_says(name, "mono") ||
        name_says(name, "consolas") || name_says(name, "CMTT"))
        s |= PDF_MONO;
    return s;
}

/* Asking a font is slow and its answer does not change while the page is held. */
static uint8_t style_of(PdfReader *r, fz_font *font)
{
    PdfFont *slot = &r->fonts[((uintptr_t)font >> 5) % PDF_FONTS];
    if (slot->font != font)
        *slot = (PdfFont){font, learn_style(r->ctx, font)};
    return slot->style;
}

/* A symbol font's private characters: the bullets and arrows that word processors write. */
static uint32_t plain_symbol(uint32_t cp)
{
    switch (cp) {
    case 0xF0B7:
    case 0xF06C:
    case 0xF09F:
        return 0x2022; /* • */
    case 0xF0A7:
    case 0xF06E:
        return 0x25AA; /* ▪ */
    case 0xF0D8:
        return 0x27A2; /* ➢ */
    case 0xF0FC:
    case 0xF0FE:
        return 0x2713; /* ✓ */
    case 0xF02D:
        return '-';
    default:
        return cp;
    }
}

static void take_chars(PdfReader *r, PdfPage *p, const fz_stext_line *from, const fz_rect *rects,
                       PdfLine *l)
{
    fz_font *font = NULL;
    uint8_t style = 0;
    uint8_t shared = PDF_BOLD | PDF_ITALIC | PDF_MONO;
    double size = 0;
    size_t visible = 0;
    for (const fz_stext_char *c = from->first_char; c != NULL; c = c->next) {
        PdfChar *to = &l->chars[l->len++];
        if (c->font != font) {
            font = c->font;
            style = style_of(r, font);
        }
        *to = (PdfChar){.cp = plain_symbol((uint32_t)c->c), .style = style};
        to->x0 = fminf(fminf(c->quad.ll.x, c->quad.lr.x), c->quad.ul.x);
        to->x1 = fmaxf(fmaxf(c->quad.ll.x, c->quad.lr.x), c->quad.ur.x);
        if (p->links_len > 0)
            to->link = link_at(p, rects, (to->x0 + to->x1) / 2, (c->quad.ll.y + c->quad.ul.y) / 2);
        if (pdf_is_space(to->cp))
            continue;
        visible++;
        p->rtl = p->rtl || pdf_is_rtl(to->cp);
        size += (double)c->size;
        shared &= to->style;
        size_t bucket = (size_t)(c->size * 2 + 0.5f);
        r->sizes[bucket < PDF_SIZES ? bucket : PDF_SIZES - 1]++;
    }
    l->style = visible > 0 ? shared : 0;
    l->size = visible > 0 ? (float)(size / (double)visible) : 0;
    while (l->len > 0 && pdf_is_space(l->chars[l->len - 1].cp))
        l->len--;
}

static ErrCode take_line(PdfReader *r, PdfPage *p, const fz_stext_line *from, int block,
                         const fz_rect *rects)
{
    size_t count = 0;
    for (const fz_stext_char *c = from->first_char; c != NULL; c = c->next)
        count++;
    if (count == 0 || from->bbox.x1 < 0 || from->bbox.y1 < 0 || from->bbox.x0 > p->width ||
        from->bbox.y0 > p->height)
        return OK; /* beside the page: not seen, so not read */
    PdfLine l = {.x0 = from->bbox.x0,
                 .y0 = from->bbox.y0,
                 .x1 = from->bbox.x1,
                 .y1 = from->bbox.y1,
                 .base = from->first_char->origin.y,
                 .turned = from->wmode != 0 || from->dir.x < 0.9f,
                 .block = block};
    l.chars = arena_alloc_raw(p->arena, count * sizeof(PdfChar));
    if (l.chars == NULL)
        return ERR_LIMIT_MEMORY;
    take_chars(r, p, from, rects, &l);
    if (l.len == 0)
        return OK;
    p->lines[p->len++] = l;
    return OK;
}

static ErrCode take_text(PdfReader *r, PdfPage *p, const fz_stext_page *text, const fz_rect *rects)
{
    size_t count = 0;
    for (const fz_stext_block *b = text->first_block; b != NULL; b = b->next)
        if (b->type == FZ_STEXT_BLOCK_TEXT)
            for (const fz_stext_line *l = b->u.t.first_line; l != NULL; l = l->next)
                count++;
    p->lines = arena_new(p->arena, PdfLine, count);
    if (p->lines == NULL)
        return ERR_LIMIT_MEMORY;
    int block = 0;
    memset(r->fonts, 0, sizeof r->fonts); /* an address may have become another font's */
    for (const fz_stext_block *b = text->first_block; b != NULL; b = b->next, block++) {
        if (b->type != FZ_STEXT_BLOCK_TEXT)
            continue;
        for (const fz_stext_line *l = b->u.t.first_line; l != NULL; l = l->next) {
            ErrCode rc = take_line(r, p, l, block, rects);
            if (rc != OK)
                return rc;
        }
    }
    return p->rtl ? pdf_bidi_page(p) : OK;
}

/* Run the page through the text device. Errors in the middle keep what was there before. */
static ErrCode run_page(PdfReader *r, PdfPage *p)
{
    fz_rect *rects = NULL;
    fz_context *ctx = r->ctx;
    fz_page *page = NULL;
    fz_stext_page *text = NULL;
    fz_device *dev = NULL;
    fz_link *links = NULL;
    ErrCode rc = OK;
    fz_var(page);
    fz_var(text);
    fz_var(dev);
    fz_var(links);
    fz_var(rc);
    fz_try(ctx)
    {
        page = fz_load_page(ctx, r->doc, (int)p->page_no - 1);
        fz_rect box = fz_bound_page(ctx, page);
        p->width = box.x1 - box.x0;
        p->height = box.y1 - box.y0;
        fz_try(ctx)
        {
            links = fz_load_links(ctx, page);
        }
        fz_catch(ctx)
        {
            links = NULL;
        }
        rc = take_links(r, p, links, box, &rects);
        text = fz_new_stext_page(ctx, box);
        dev = pdf_device_new(ctx, text, p);
        fz_try(ctx)
        {
            fz_run_page(ctx, page, dev, fz_translate(-box.x0, -box.y0), NULL);
            fz_close_device(ctx, dev);
        }
        fz_catch(ctx)
        {
            p->failed = true;
        }
        if (rc == OK)
            rc = take_text(r, p, text, rects);
    }
    fz_always(ctx)
    {
        fz_drop_device(ctx, dev);
        fz_drop_stext_page(ctx, text);
        fz_drop_link(ctx, links);
        fz_drop_page(ctx, page);
    }
    fz_catch(ctx)
    {
        p->failed = true;
        if (fz_caught(ctx) == FZ_ERROR_MEMORY)
            rc = ERR_LIMIT_MEMORY;
    }
    return rc;
}

ErrCode pdf_page_read(PdfReader *r, int64_t page_no, PdfPage *p)
{
    *p = (PdfPage){.page_no = page_no, .arena = arena_open(PDF_PAGE_BYTES)};
    p->rules = p->arena != NULL ? arena_alloc_raw(p->arena, PDF_RULES_MAX * sizeof(PdfRule)) : NULL;
    ErrCode rc = p->rules != NULL ? run_page(r, p) : ERR_LIMIT_MEMORY;
    if (rc == ERR_LIMIT_MEMORY)
        err_set(r->in->step->err, rc, "page %" PRId64 " of the PDF does not fit into memory",
                page_no);
    if (rc != OK)
        pdf_page_done(p);
    return rc;
}

void pdf_page_done(PdfPage *p)
{
    arena_close(&p->arena);
    *p = (PdfPage){0};
}

uint64_t pdf_line_hash(const PdfLine *l, uint64_t before, bool digits)
{
    uint64_t h = before != 0 ? before : 0xCBF29CE484222325u;
    for (size_t i = 0; i < l->len; i++) {
        uint32_t cp = l->chars[i].cp;
        if (cp >= 'A' && cp <= 'Z')
            cp += 'a' - 'A';
        bool letter =
            cp >= 0x80 ? !pdf_is_space(cp) && (cp < 0x2000 || cp > 0x206F) : cp >= 'a' && cp <= 'z';
        if (letter || (digits && cp >= '0' && cp <= '9'))
            h = (h ^ cp) * 0x100000001B3u;
    }
    return h;
}
