/* pdf_bidi.c: on paper a right-to-left line is a row of glyphs; here it becomes text again.
 *
 * The pieces of one line are put together, sorted by place, and turned round by FriBidi. A glyph
 * that stands for several letters (lam-alef, a letter with its vowel) comes as a letter with width
 * and others without: they stay together. Arabic letters that were written by their shapes become
 * plain letters. */
#include "document/pdf_in.h"

#include <fribidi.h>
#include <glib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_CHARS_MAX = 20000, LETTERS_MAX = 18 /* of U+FDFA, the longest ligature */ };

typedef struct Spot {
    PdfChar c;
    float key; /* where its glyph begins */
    size_t index;
} Spot;

typedef struct Bidi {
    size_t room;
    FriBidiChar *text;
    FriBidiCharType *types;
    FriBidiBracketType *brackets;
    FriBidiLevel *levels;
    FriBidiStrIndex *map;
    Spot *spots;
} Bidi;

bool pdf_is_rtl(uint32_t cp)
{
    return (cp >= 0x590 && cp <= 0x8FF) || (cp >= 0xFB1D && cp <= 0xFDFF) ||
           (cp >= 0xFE70 && cp <= 0xFEFC) || (cp >= 0x10800 && cp <= 0x10FFF) ||
           (cp >= 0x1E800 && cp <= 0x1EFFF);
}

static bool make_room(Bidi *b, Arena *a, size_t n)
{
    *b = (Bidi){.room = n,
                .text = arena_new(a, FriBidiChar, n),
                .types = arena_new(a, FriBidiCharType, n),
                .brackets = arena_new(a, FriBidiBracketType, n),
                .levels = arena_new(a, FriBidiLevel, n),
                .map = arena_new(a, FriBidiStrIndex, n),
                .spots = arena_new(a, Spot, n)};
    return b->text != NULL && b->types != NULL && b->brackets != NULL && b->levels != NULL &&
           b->map != NULL && b->spots != NULL;
}

static int by_place(const void *a, const void *b)
{
    const Spot *x = a, *y = b;
    if (x->key < y->key || x->key > y->key)
        return x->key < y->key ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

static bool is_space(uint32_t cp)
{
    return cp <= ' ' || cp == 0xA0;
}

static bool is_gap(const Spot *a, const Spot *b)
{
    return !is_space(a->c.cp) && !is_space(b->c.cp) && b->key - a->c.x1 > 1.2f;
}

/* A space where two glyphs stand apart: those at the ends of pieces were cut off. */
static size_t add_spaces(Bidi *b, size_t n)
{
    size_t gaps = 0;
    for (size_t i = 1; i < n; i++)
        gaps += is_gap(&b->spots[i - 1], &b->spots[i]);
    for (size_t from = n, to = n + gaps; from-- > 0 && to > from + 1;) {
        b->spots[--to] = b->spots[from];
        if (from > 0 && is_gap(&b->spots[from - 1], &b->spots[from]))
            b->spots[--to].c = (PdfChar){.cp = ' ', .style = b->spots[from].c.style};
    }
    return n + gaps;
}

/* The characters of lines [from, to), left to right as on paper; spaces where pieces were apart. */
static size_t gather(const PdfPage *p, size_t from, size_t to, Bidi *b)
{
    size_t n = 0;
    for (size_t i = from; i < to; i++)
        for (size_t k = 0; k < p->lines[i].len; k++, n++) {
            PdfChar c = p->lines[i].chars[k];
            bool rides = k > 0 && c.x1 - c.x0 < 0.1f && pdf_is_rtl(c.cp);
            b->spots[n] = (Spot){c, rides ? b->spots[n - 1].key : c.x0, n};
        }
    qsort(b->spots, n, sizeof *b->spots, by_place);
    for (size_t i = 0;
         i < n;) { /* what rides on a glyph goes before it: all is turned round in the end */
        size_t end = i + 1;
        while (end < n && b->spots[end].c.x1 - b->spots[end].c.x0 < 0.1f &&
               pdf_is_rtl(b->spots[end].c.cp))
            end++;
        for (size_t l = i, r = end - 1; l < r; l++, r--) {
            Spot t = b->spots[l];
            b->spots[l] = b->spots[r];
            b->spots[r] = t;
        }
        i = end;
    }
    return add_spaces(b, n);
}

static bool reorder(Bidi *b, FriBidiStrIndex n, bool rtl)
{
    FriBidiParType direction = rtl ? FRIBIDI_PAR_RTL : FRIBIDI_PAR_LTR;
    for (FriBidiStrIndex i = 0; i < n; i++) {
        b->text[i] = b->spots[i].c.cp;
        b->map[i] = i;
    }
    fribidi_get_bidi_types(b->text, n, b->types);
    fribidi_get_bracket_types(b->text, n, b->types, b->brackets);
    if (fribidi_get_par_embedding_levels_ex(b->types, b->brackets, n, &direction, b->levels) == 0)
        return false;
    return fribidi_reorder_line(0, b->types, n, 0, direction, b->levels, NULL, b->map) != 0;
}

/* A letter by its shape (U+FE8D) or a ligature of letters (U+FEFB) as the letters themselves. */
static size_t plain_letters(uint32_t cp, gunichar out[LETTERS_MAX])
{
    bool shaped = (cp >= 0xFB50 && cp <= 0xFDFF) || (cp >= 0xFE70 && cp <= 0xFEFC) ||
                  (cp >= 0xFB1D && cp <= 0xFB4F);
    if (!shaped) {
        out[0] = cp;
        return 1;
    }
    return g_unichar_fully_decompose(cp, TRUE, out, LETTERS_MAX);
}

/* The line again, in the order of reading. */
static bool rebuild(const Bidi *b, size_t n, PdfLine *l, Arena *a)
{
    size_t total = 0;
    gunichar letters[LETTERS_MAX];
    for (size_t i = 0; i < n; i++)
        total += plain_letters(b->spots[i].c.cp, letters);
    l->chars = arena_alloc_raw(a, total * sizeof(PdfChar));
    if (l->chars == NULL)
        return false;
    l->len = 0;
    for (size_t i = 0; i < n; i++) {
        FriBidiStrIndex at = b->map[i];
        PdfChar c = b->spots[at].c;
        FriBidiChar mirrored;
        if ((b->levels[at] & 1) && fribidi_get_mirror_char(c.cp, &mirrored))
            c.cp = mirrored;
        size_t count = plain_letters(c.cp, letters);
        for (size_t k = 0; k < count; k++) {
            c.cp = letters[k];
            l->chars[l->len++] = c;
        }
    }
    return true;
}

static bool same_line(const PdfLine *a, const PdfLine *b)
{
    return a->block - b->block <= 1 && b->block - a->block <= 1 && !b->turned &&
           fabsf(a->base - b->base) < 0.3f * fmaxf(a->size, b->size);
}

/* Lines [from, to) are one line on paper: make it line `from`, and empty the others. */
static bool join_lines(PdfPage *p, size_t from, size_t to, Bidi *b)
{
    size_t rtl = 0, ltr = 0, n = 0;
    PdfLine *l = &p->lines[from];
    for (size_t i = from; i < to; i++) {
        const PdfLine *q = &p->lines[i];
        n += q->len;
        for (size_t k = 0; k < q->len; k++) {
            rtl += pdf_is_rtl(q->chars[k].cp);
            ltr += (q->chars[k].cp | 0x20) >= 'a' && (q->chars[k].cp | 0x20) <= 'z';
        }
    }
    if (rtl == 0 || n > LINE_CHARS_MAX || l->turned)
        return true; /* turned text comes in the order of the file */
    if (n * 2 > b->room && !make_room(b, p->arena, n * 3))
        return false;
    n = gather(p, from, to, b);
    bool right_to_left = rtl * 2 >= ltr;
    if (!reorder(b, (FriBidiStrIndex)n, right_to_left) || !rebuild(b, n, l, p->arena))
        return false;
    l->rtl = right_to_left;
    for (size_t i = from + 1; i < to; i++) {
        l->x0 = fminf(l->x0, p->lines[i].x0);
        l->x1 = fmaxf(l->x1, p->lines[i].x1);
        l->y0 = fminf(l->y0, p->lines[i].y0);
        l->y1 = fmaxf(l->y1, p->lines[i].y1);
        l->style &= p->lines[i].style;
        p->lines[i].len = 0;
        p->lines[i].dropped = true;
    }
    return true;
}

ErrCode pdf_bidi_page(PdfPage *p)
{
    Bidi b = {0};
    for (size_t i = 0; i < p->len;) {
        size_t end = i + 1;
        while (end < p->len && !p->lines[i].turned && same_line(&p->lines[end - 1], &p->lines[end]))
            end++;
        if (!join_lines(p, i, end, &b))
            return ERR_LIMIT_MEMORY;
        i = end;
    }
    return OK;
}
