/* typeset_draw.c: one line onto the sheet: pieces in the order of the eye, glyphs with their places,
 * and what belongs to marks: links, strokes, the ground of code. */
#include "document/typeset_in.h"

#include <math.h>

enum { PARTS_MAX = 512 };

typedef struct Part {
    const SetPiece *piece;
    size_t from, to; /* characters */
    size_t glyph_from, glyph_to;
    float width;
} Part;

/* Glyphs of a piece lie in the order of the eye, so their clusters rise, or fall from right to
 * left. */
static size_t first_glyph(const SetText *t, const SetPiece *p, size_t from, size_t to)
{
    size_t lo = p->glyph_from, hi = p->glyph_to;
    bool rtl = p->level & 1;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        uint32_t c = t->glyphs[mid].cluster;
        if (rtl ? c >= to : c < from)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static Part part_of(const SetText *t, const SetPiece *p, size_t from, size_t to)
{
    Part part = {
        .piece = p, .from = from > p->from ? from : p->from, .to = to < p->to ? to : p->to};
    part.glyph_from = first_glyph(t, p, part.from, part.to);
    part.glyph_to = part.glyph_from;
    while (part.glyph_to < p->glyph_to && t->glyphs[part.glyph_to].cluster >= part.from &&
           t->glyphs[part.glyph_to].cluster < part.to)
        part.width += t->glyphs[part.glyph_to++].advance;
    return part;
}

static size_t first_piece(const SetText *t, size_t from)
{
    size_t lo = 0, hi = t->pieces_len;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (t->pieces[mid].to <= from)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Rule L2 of the bidirectional algorithm: from the highest level down, turn every run that has it. */
static void order_parts(Part *parts, size_t len)
{
    int highest = 0;
    for (size_t i = 0; i < len; i++)
        highest = parts[i].piece->level > highest ? parts[i].piece->level : highest;
    for (int level = highest; level > 0; level--)
        for (size_t i = 0; i < len; i++) {
            if (parts[i].piece->level < level)
                continue;
            size_t end = i;
            while (end + 1 < len && parts[end + 1].piece->level >= level)
                end++;
            for (size_t a = i, b = end; a < b; a++, b--) {
                Part kept = parts[a];
                parts[a] = parts[b];
                parts[b] = kept;
            }
            i = end;
        }
}

/* --- what a glyph stands for */

static size_t cluster_end(const SetText *t, const Part *p, size_t glyph)
{
    uint32_t c = t->glyphs[glyph].cluster;
    size_t end = p->to;
    for (size_t g = p->glyph_from; g < p->glyph_to; g++) {
        uint32_t other = t->glyphs[g].cluster;
        if (other > c && other < end)
            end = other;
        if (!(p->piece->level & 1) && other > c)
            break; /* they rise: the first larger one is it */
    }
    return end;
}

/* The first glyph of a cluster stands for all its characters, unless each has its own. */
static void tell_glyph(const SetText *t, Sheet *s, const Part *p, int font, size_t glyph)
{
    const SetGlyph *g = &t->glyphs[glyph];
    size_t from = g->cluster, before = 0, after = 0;
    while (glyph > p->glyph_from + before && t->glyphs[glyph - before - 1].cluster == from)
        before++;
    while (glyph + after + 1 < p->glyph_to && t->glyphs[glyph + after + 1].cluster == from)
        after++;
    size_t end = cluster_end(t, p, glyph), cps = end - from, glyphs = before + after + 1;
    if (cps == 0)
        return;
    if (glyphs == cps) {
        size_t nth = p->piece->level & 1 ? after : before;
        sheet_glyph_used(s, font, g->id, &t->cps[from + nth], 1);
    } else {
        sheet_glyph_used(s, font, g->id, &t->cps[from], before == 0 ? cps : 0);
    }
}

/* --- drawing */

static void add_colour(Buf *b, uint32_t rgb)
{
    buf_addf(b, "%.3g %.3g %.3g rg\n", (rgb >> 16) / 255.0, (rgb >> 8 & 255) / 255.0,
             (rgb & 255) / 255.0);
}

static double own_advance(const Face *f, uint32_t glyph)
{
    return (double)hb_font_get_glyph_h_advance(f->font, glyph) / f->upem;
}

/* One TJ as long as glyphs follow each other on the line; where they differ from the font's own
 * widths (kerning), by how much. */
static void draw_glyphs(const SetText *t, Sheet *s, const Part *p, float x, float y)
{
    Buf *b = sheet_content(s);
    int font = sheet_font(s, p->piece->face);
    double size = (double)p->piece->size, pen = (double)x;
    bool open = false;
    buf_addf(b, "BT /F%d %.2f Tf\n", font, size);
    for (size_t i = p->glyph_from; i < p->glyph_to; i++) {
        const SetGlyph *g = &t->glyphs[i];
        bool moved = fabsf(g->dx) > 0.001f || fabsf(g->dy) > 0.001f;
        if (t->cps[g->cluster] == '\n')
            continue;
        tell_glyph(t, s, p, font, i);
        if (moved && open)
            buf_add_c(b, "]TJ\n");
        open = open && !moved;
        if (!open)
            buf_addf(b, "1 0 0 1 %.3f %.3f Tm[", pen + (double)g->dx, (double)(y + g->dy));
        buf_addf(b, "<%04X>", g->id);
        double off = own_advance(p->piece->face, g->id) - (double)g->advance / size;
        if (!moved && fabs(off) > 0.0005)
            buf_addf(b, "%.0f", off * 1000);
        open = !moved;
        if (moved)
            buf_add_c(b, "]TJ\n");
        pen += (double)g->advance;
    }
    buf_add_c(b, open ? "]TJ ET\n" : "ET\n");
}

static void draw_ground(Buf *b, const SetText *t, const Part *p, float x, float y)
{
    add_colour(b, 0xF0F1F3);
    buf_addf(b, "%.2f %.2f %.2f %.2f re f\n", (double)x - 0.8, (double)(y - t->look.size * 0.24f),
             (double)p->width + 1.6, (double)(t->look.size * 1.12f));
}

static void draw_part(const SetText *t, Sheet *s, const Part *p, float x, float y)
{
    const SetRun *r = &t->runs[p->piece->run];
    Buf *b = sheet_content(s);
    bool link = (r->marks & 1u << MARK_LINK) && r->href.len > 0 && r->href.ptr[0] != '#';
    if ((r->marks & 1u << MARK_CODE) && !t->look.code)
        draw_ground(b, t, p, x, y);
    add_colour(b, link ? 0x0B57A4 : t->look.colour);
    draw_glyphs(t, s, p, x, y);
    if (r->marks & 1u << MARK_STRIKE)
        buf_addf(b, "%.2f %.2f %.2f %.2f re f\n", (double)x, (double)(y + t->look.size * 0.27f),
                 (double)p->width, (double)(t->look.size * 0.06f));
    if (link)
        sheet_link(s,
                   (SheetRect){x, y - t->look.size * 0.25f, x + p->width, y + t->look.size * 0.85f},
                   r->href);
}

void set_draw(const SetText *t, size_t line, Sheet *s, float x, float y, float width)
{
    const SetLine *l = &t->lines[line];
    Part parts[PARTS_MAX];
    size_t len = 0;
    for (size_t i = first_piece(t, l->from);
         i < t->pieces_len && t->pieces[i].from < l->to && len < PARTS_MAX; i++)
        parts[len++] = part_of(t, &t->pieces[i], l->from, l->to);
    order_parts(parts, len);
    if (t->rtl)
        x += width - l->width;
    for (size_t i = 0; i < len; i++) {
        draw_part(t, s, &parts[i], x, y);
        x += parts[i].width;
    }
}
