/* pdf_layout.c: what the lines of a page are.
 *
 * Lines come in the order of reading (pdf_order.c). A line
 * goes on with the paragraph before it unless the distance, the indent, the size or a bullet says
 * otherwise, or its first word would have fitted on the line before (then the writer broke it on
 * purpose). */
#include "document/pdf_in.h"

#include <math.h>

enum { LIST_LEVELS = 8 };

typedef enum Kind { KIND_NONE, KIND_PARAGRAPH, KIND_HEADING, KIND_ITEM, KIND_CODE } Kind;

typedef struct Layout {
    PdfReader *r;
    PdfPage *p;
    Doc *out;
    PdfLook look;
    Kind kind; /* of the block in hand */
    int level;
    const PdfLine *line; /* its last line, not yet written */
    size_t skip;         /* characters of that line that are not text: the bullet */
    float left, leading; /* where its lines begin; their distance, 0: not known yet */
    int lines;
    float item_left[LIST_LEVELS];
    int depth;
} Layout;

/* --- writing a line */

static void set_mark(Doc *out, MarkKind kind, bool was, bool is)
{
    if (was && !is)
        doc_unmark(out, kind);
    else if (is && !was)
        doc_mark(out, kind, STR(""));
}

static void set_style(Doc *out, const PdfPage *p, PdfChar was, PdfChar is)
{
    if (was.link != is.link && was.link != 0)
        doc_unmark(out, MARK_LINK);
    set_mark(out, MARK_BOLD, was.style & PDF_BOLD, is.style & PDF_BOLD);
    set_mark(out, MARK_ITALIC, was.style & PDF_ITALIC, is.style & PDF_ITALIC);
    set_mark(out, MARK_CODE, was.style & PDF_MONO, is.style & PDF_MONO);
    if (was.link != is.link && is.link != 0)
        doc_mark(out, MARK_LINK, p->links[is.link - 1]);
}

static void put_chars(Doc *out, const PdfPage *p, const PdfLine *l, size_t from, size_t to,
                      uint8_t styles)
{
    char bytes[512];
    size_t used = 0;
    PdfChar now = {0};
    for (size_t i = from; i < to; i++) {
        PdfChar c = l->chars[i];
        c.style &= styles;
        if (pdf_is_space(c.cp)) { /* a space has the style of what stands before it */
            c.style = now.style;
            c.link = now.link;
        }
        if (c.style != now.style || c.link != now.link || used + 4 > sizeof bytes) {
            doc_text(out, (Str){bytes, used});
            used = 0;
            set_style(out, p, now, c);
            now = c;
        }
        used += str_put_utf8(bytes + used, c.cp);
    }
    doc_text(out, (Str){bytes, used});
    set_style(out, p, now, (PdfChar){0});
}

void pdf_put_line(Doc *out, const PdfPage *p, const PdfLine *l, size_t from, size_t to,
                  uint8_t styles)
{
    put_chars(out, p, l, from, to, styles);
}

static uint8_t styles_shown(const Layout *y)
{
    if (y->kind == KIND_HEADING)
        return 0;
    return (uint8_t)((y->look.bold ? 0 : PDF_BOLD) | PDF_ITALIC | (y->look.mono ? 0 : PDF_MONO));
}

/* Write the line in hand. `next`: the line that goes on from it, or NULL. */
static void flush_line(Layout *y, const PdfLine *next)
{
    const PdfLine *l = y->line;
    y->line = NULL;
    if (l == NULL)
        return;
    size_t end = l->len;
    bool join = false;
    if (next != NULL && end > 1 && pdf_is_hyphen(pdf_last_of(l)) &&
        pdf_is_letter(l->chars[end - 2].cp) &&
        (pdf_is_lower(pdf_first_of(next)) || pdf_last_of(l) == 0xAD)) {
        end--;
        join = true;
    }
    put_chars(y->out, y->p, l, y->skip < end ? y->skip : end, end, styles_shown(y));
    if (next != NULL && !join && !(pdf_is_cjk(pdf_last_of(l)) && pdf_is_cjk(pdf_first_of(next))))
        doc_text(y->out, STR(" "));
}

static void end_block(Layout *y)
{
    flush_line(y, NULL);
    if (y->kind != KIND_NONE)
        doc_end(y->out);
    y->kind = KIND_NONE;
}

/* --- lists */

typedef struct Bullet {
    size_t skip; /* characters up to the text */
    int64_t number;
} Bullet;

static bool is_bullet_char(uint32_t cp)
{
    static const uint32_t bullets[] = {0x2022, 0x2023, 0x25AA, 0x25AB, 0x25CF, 0x25CB, 0x25E6,
                                       0x25A0, 0x25A1, 0x27A2, 0x2713, 0x2714, 0xB7,   0x2043,
                                       0x2219, 0x25B6, 0x25BA, 0x2756, 0x25C6, 0x25C7};
    for (size_t i = 0; i < COUNT_OF(bullets); i++)
        if (cp == bullets[i])
            return true;
    return false;
}

static bool bullet_of(const PdfLine *l, Bullet *out)
{
    size_t n = 0;
    int64_t number = 0;
    uint32_t c = pdf_first_of(l);
    bool unknown = c == 0xFFFD && l->len == 1; /* a bullet of a font that names no characters */
    bool dash = c == 0xFFFD || c == '-' || c == 0x2013 || c == 0x2014 || c == '*';
    if (is_bullet_char(c) || unknown || (dash && l->len > 1 && pdf_is_space(l->chars[1].cp))) {
        n = 1;
    } else {
        bool paren = c == '(';
        n = paren;
        while (n < l->len && n < 4 && l->chars[n].cp >= '0' && l->chars[n].cp <= '9')
            number = number * 10 + (l->chars[n++].cp - '0');
        if (number == 0 || n >= l->len ||
            (l->chars[n].cp != ')' && (paren || l->chars[n].cp != '.')))
            return false;
        n++;
        if (n < l->len && !pdf_is_space(l->chars[n].cp))
            return false; /* "3.5" */
    }
    while (n < l->len && pdf_is_space(l->chars[n].cp))
        n++;
    *out = (Bullet){n, number};
    return true;
}

static int item_level(Layout *y, float x)
{
    while (y->depth > 0 && x < y->item_left[y->depth - 1] - 3)
        y->depth--;
    if (y->depth > 0 && x < y->item_left[y->depth - 1] + 3)
        return y->depth - 1;
    if (y->depth < LIST_LEVELS)
        y->item_left[y->depth++] = x;
    return y->depth - 1;
}

/* --- does a line go on with the block in hand? */

typedef enum Link { LINK_NO, LINK_JOIN, LINK_BREAK } Link;

static Link over_a_gap(const PdfLine *before, const PdfLine *l)
{
    bool open = !pdf_ends_sentence(before) &&
                (pdf_is_lower(pdf_first_of(l)) || pdf_is_hyphen(pdf_last_of(before)));
    return open ? LINK_JOIN : LINK_NO; /* the next column or page */
}

static Link link_to(const Layout *y, const PdfLine *l)
{
    const PdfLine *before = y->line;
    if (before == NULL || before->turned != l->turned)
        return LINK_NO;
    if (l->turned)
        return before->block == l->block ? LINK_JOIN : LINK_NO;
    if (fabsf(before->size - l->size) > 0.15f * fmaxf(before->size, l->size))
        return LINK_NO;
    float dy = l->base - before->base, size = fmaxf(before->size, 1);
    if (fabsf(dy) < 0.4f * size) /* the same line, cut by a wide space */
        return l->x0 >= before->x1 - size || before->rtl ? LINK_JOIN : LINK_NO;
    if (dy < 0)
        return y->kind == KIND_HEADING ? LINK_NO : over_a_gap(before, l);
    float usual = y->leading > 0 ? y->leading * 1.3f : size * 1.9f;
    if (dy > usual)
        return LINK_NO;
    if (y->kind == KIND_HEADING)
        return before->block == l->block || dy < size * 1.5f ? LINK_JOIN : LINK_NO;
    bool hanging =
        y->kind == KIND_ITEM || (y->lines == 1 && !pdf_broken_on_purpose(&y->look, before, l));
    if (!l->rtl && l->x0 > before->x0 + 0.9f * size && !hanging && y->lines > 1)
        return LINK_NO; /* the first line of the next paragraph */
    if (pdf_broken_on_purpose(&y->look, before, l))
        return pdf_ends_sentence(before) || before->block != l->block ? LINK_NO : LINK_BREAK;
    if (y->kind == KIND_ITEM && l->x0 < y->left - 1.5f * size)
        return LINK_NO;
    return LINK_JOIN;
}

/* --- code */

static bool is_code_line(const Layout *y, const PdfLine *l)
{
    return !y->look.mono && (l->style & PDF_MONO) && !l->turned && !l->dropped;
}

static size_t put_code(Layout *y, size_t from)
{
    const PdfPage *p = y->p;
    float left = p->lines[from].x0, step = 0;
    size_t to = from;
    for (; to < p->len && is_code_line(y, &p->lines[to]); to++) {
        const PdfLine *l = &p->lines[to];
        if (to > from && (l->base < p->lines[to - 1].base - l->size ||
                          l->base > p->lines[to - 1].base + 4 * l->size))
            break;
        left = fminf(left, l->x0);
        if (l->len > 0)
            step = fmaxf(step, (l->x1 - l->x0) / (float)l->len);
    }
    end_block(y);
    doc_begin(y->out, BLOCK_CODE, 0);
    for (size_t i = from; i < to; i++) {
        const PdfLine *l = &p->lines[i];
        if (i > from)
            doc_break(y->out);
        int spaces = step > 1 ? (int)((l->x0 - left) / step + 0.5f) : 0;
        for (int k = 0; k < spaces && k < 80; k++)
            doc_text(y->out, STR(" "));
        put_chars(y->out, p, l, 0, l->len, 0);
    }
    doc_end(y->out);
    return to;
}

/* --- the page */

static void begin_line(Layout *y, const PdfLine *l)
{
    Bullet b;
    int level = pdf_heading_level(y->r, &y->look, y->p, l);
    bool item = level == 0 && !l->rtl && bullet_of(l, &b);
    end_block(y);
    y->skip = 0;
    y->left = l->x0;
    y->leading = 0;
    y->lines = 1;
    y->line = l;
    y->level = level;
    if (level > 0) {
        y->kind = KIND_HEADING;
        y->depth = 0;
        doc_begin(y->out, BLOCK_HEADING, level);
    } else if (item) {
        y->kind = KIND_ITEM;
        y->skip = b.skip;
        if (b.skip < l->len)
            y->left = l->chars[b.skip].x0;
        doc_item(y->out, item_level(y, l->x0), b.number);
    } else {
        if (y->depth > 0 && l->x0 < y->item_left[0] + 1)
            y->depth = 0;
        y->kind = KIND_PARAGRAPH;
        doc_begin(y->out, BLOCK_PARAGRAPH, 0);
    }
}

static void put_line(Layout *y, const PdfLine *l)
{
    Bullet b;
    Link link = y->kind == KIND_NONE ? LINK_NO : link_to(y, l);
    bool same_row_item =
        y->kind == KIND_ITEM && y->line != NULL && y->skip >= y->line->len && link == LINK_JOIN;
    if (link != LINK_NO && !same_row_item) {
        bool starts_item = !l->rtl && bullet_of(l, &b) && fabsf(l->base - y->line->base) > 1;
        int level = pdf_heading_level(y->r, &y->look, y->p, l);
        /* bold text goes on over the line's end */
        if (level == PDF_LEVEL_PLAIN && link == LINK_JOIN && y->kind != KIND_HEADING &&
            (y->line->chars[y->line->len - 1].style & PDF_BOLD) && !pdf_ends_sentence(y->line))
            level = 0;
        if (starts_item || (level > 0) != (y->kind == KIND_HEADING))
            link = LINK_NO;
    }
    if (link == LINK_NO) {
        begin_line(y, l);
        return;
    }
    float dy = l->base - y->line->base;
    if (dy > 1)
        y->leading = y->leading > 0 ? fmaxf(y->leading, dy) : dy;
    if (same_row_item)
        y->left = l->x0;
    flush_line(y, link == LINK_JOIN ? l : NULL);
    if (link == LINK_BREAK)
        doc_break(y->out);
    y->skip = 0;
    y->line = l;
    y->lines += dy > 1 || dy < -1;
}

void pdf_layout(PdfReader *r, PdfPage *p)
{
    Layout y = {.r = r, .p = p, .out = r->out};
    pdf_margins_drop(r, p);
    pdf_chars_mend(p);
    pdf_tables_find(p);
    pdf_order_page(p);
    if (!pdf_look_learn(r, p, &y.look))
        return;
    for (size_t i = 0; i < p->len && !doc_failed(r->out);) {
        const PdfLine *l = &p->lines[i];
        if (l->table != NULL) {
            end_block(&y);
            pdf_table_put(l->table, p, r->out);
        }
        if (l->dropped) {
            i++;
        } else if (is_code_line(&y, l) && (y.kind != KIND_PARAGRAPH || link_to(&y, l) == LINK_NO)) {
            i = put_code(&y, i);
        } else {
            put_line(&y, l);
            i++;
        }
    }
    end_block(&y);
}
