#include "document/doc_pdf_in.h"

#include <stdio.h>

enum { PAGES_MAX = 20000 };

float press_y(const Press *p, float y)
{
    return p->height - y;
}

float press_ascent(const SetLook *k)
{
    return k->leading / 2 + k->size * 0.34f;
}

float press_left_on_page(const Press *p)
{
    return p->bottom - p->y;
}

void press_box(Press *p, float x, float y, float width, float height, uint32_t rgb)
{
    buf_addf(sheet_content(p->sheet), "%.3g %.3g %.3g rg %.2f %.2f %.2f %.2f re f\n",
             (rgb >> 16) / 255.0, (rgb >> 8 & 255) / 255.0, (rgb & 255) / 255.0, (double)x,
             (double)press_y(p, y + height), (double)width, (double)height);
}

/* --- pages */

static void put_page_number(Press *p)
{
    char number[24];
    SetText t;
    const SetLook look = {
        .family = FACE_SANS, .size = 8.5f, .leading = 10, .colour = 0x6B7280, .code = true};
    int len = snprintf(number, sizeof number, "%" PRId64, sheet_pages(p->sheet) + 1);
    if (p->margin < 24)
        return;
    if (set_shape(p->scratch, (Str){number, (size_t)len}, NULL, 0, &look, &t, &p->d->err) != OK ||
        set_break(&t, p->width, &p->d->err) != OK)
        return;
    float y = p->height - p->margin * 0.45f;
    set_draw(&t, 0, p->sheet, (p->width - set_widest(&t)) / 2, press_y(p, y), 0);
}

void press_end_page(Press *p)
{
    if (!p->page_open)
        return;
    put_page_number(p);
    sheet_end_page(p->sheet);
    p->page_open = false;
    step_progress(p->d->step, sheet_pages(p->sheet), 0, "pages");
    if (sheet_pages(p->sheet) >= PAGES_MAX)
        doc_fail(p->d, ERR_LIMIT_COUNT, "the PDF would have more than 20000 pages");
    if (step_canceled(p->d->step))
        doc_fail(p->d, ERR_CANCELED, "stopped while laying out pages");
}

void press_new_page(Press *p)
{
    press_end_page(p);
    sheet_begin_page(p->sheet, p->width, p->height);
    p->page_open = p->fresh = true;
    p->y = p->top;
    p->gap = 0;
}

void press_want(Press *p, float height)
{
    if (!p->page_open)
        press_new_page(p);
    float gap = p->fresh ? 0 : p->gap;
    if (!p->fresh && p->y + gap + height > p->bottom) {
        press_new_page(p);
        gap = 0;
    }
    p->y += gap;
    p->gap = 0;
}

/* --- paragraphs */

typedef struct Column {
    float x, width;
} Column;

/* Indents lie at the side where the text begins. */
static Column column_of(const Press *p, const PressLook *k, bool rtl)
{
    Column c = {p->left + k->pad + (rtl ? 0 : k->indent),
                p->right - p->left - k->indent - 2 * k->pad};
    return c.width > 20 ? c : (Column){p->left, p->right - p->left};
}

static void draw_marker(Press *p, const PressLook *k, const SetText *body, Column c, float y)
{
    SetText t;
    Err *err = &p->d->err;
    SetLook look = k->set;
    look.bold = look.italic = false;
    look.code = true;
    if (set_shape(p->scratch, k->marker, NULL, 0, &look, &t, err) != OK ||
        set_break(&t, 1000, err) != OK)
        return;
    float space = p->size * 0.55f;
    float x = body->rtl ? c.x + c.width + space : c.x - space - t.lines[0].width;
    set_draw(&t, 0, p->sheet, x, y, 0);
}

static void draw_frame(Press *p, const PressLook *k, Column c, size_t lines, bool rtl)
{
    float height = (float)lines * k->set.leading + 2 * k->pad;
    if (k->ground != 0)
        press_box(p, c.x - k->pad, p->y, c.width + 2 * k->pad, height, k->ground);
    for (int i = 0; i < k->bars; i++) {
        float off = (float)(i + 1) * 12;
        press_box(p, rtl ? c.x + c.width + off - 2 : c.x - off, p->y, 2, height, k->bar);
    }
}

/* How many of the lines from `at` go on this page: all, or as many as fit, but not a single one of a
 * longer paragraph. */
static size_t lines_here(const Press *p, const PressLook *k, size_t at, size_t total)
{
    size_t left = total - at;
    float room = press_left_on_page(p) - 2 * k->pad;
    size_t fit = room > 0 ? (size_t)(room / k->set.leading + 0.01f) : 0;
    if (fit >= left)
        return left;
    if (left > 2 && left - fit == 1)
        fit--; /* two lines go over, not one */
    if (fit < 2 && !p->fresh)
        return 0;
    return fit > 0 ? fit : 1;
}

static void draw_lines(Press *p, const PressLook *k, const SetText *t)
{
    Column c = column_of(p, k, t->rtl);
    for (size_t at = 0; at < t->lines_len && p->d->err.code == OK;) {
        size_t count = lines_here(p, k, at, t->lines_len);
        if (count == 0) {
            press_new_page(p);
            continue;
        }
        draw_frame(p, k, c, count, t->rtl);
        float y = p->y + k->pad + press_ascent(&k->set);
        if (at == 0 && k->marker.len > 0)
            draw_marker(p, k, t, c, press_y(p, y));
        for (size_t i = 0; i < count; i++, y += k->set.leading)
            set_draw(t, at + i, p->sheet, c.x, press_y(p, y), c.width);
        p->y += (float)count * k->set.leading + 2 * k->pad;
        p->fresh = false;
        at += count;
        if (at < t->lines_len)
            press_new_page(p);
    }
}

void press_paragraph(Press *p, const PressLook *k, Str text, const SetRun *runs, size_t runs_len)
{
    SetText t;
    Err *err = &p->d->err;
    if (set_shape(p->scratch, text, runs, runs_len, &k->set, &t, err) != OK ||
        set_break(&t, column_of(p, k, false).width, err) != OK)
        return;
    p->gap = p->gap > k->before ? p->gap : k->before;
    float least = (t.lines_len < 2 ? 1 : 2) * k->set.leading + 2 * k->pad;
    if (k->keep > 0)
        least = (float)t.lines_len * k->set.leading + k->keep;
    press_want(p, least < p->bottom - p->top ? least : 0);
    if (k->level > 0)
        sheet_bookmark(p->sheet, k->level, text, press_y(p, p->y - 4));
    draw_lines(p, k, &t);
    p->gap = k->after;
}
