/* pdf_chars.c: characters of a PDF: what kind they are, and mending what typesetting took apart.
 *
 *   accents     TeX and old fonts draw "´" over "a" as two characters: "á"
 *   quotes      two single quotes side by side are a double one
 *   drop caps   "O" over three lines beside "ver the past": "Over the past"
 *   numbers     "1" drawn after the heading that stands to its right */
#include "document/pdf_in.h"

#include <glib.h>
#include <math.h>
#include <string.h>

/* --- kinds */

bool pdf_is_lower(uint32_t cp)
{
    return (cp >= 'a' && cp <= 'z') || (cp >= 0xDF && cp <= 0xFF && cp != 0xF7) ||
           (cp >= 0x100 && cp <= 0x17F && (cp & 1)) || (cp >= 0x3B1 && cp <= 0x3C9) ||
           (cp >= 0x430 && cp <= 0x45F);
}

bool pdf_is_letter(uint32_t cp)
{
    return (cp >= 'A' && cp <= 'Z') || pdf_is_lower(cp) || (cp >= 0xC0 && cp < 0x2000) ||
           (cp >= 0x3041 && cp < 0xE000) || (cp >= 0xF900 && cp < 0xFFFD) || cp > 0xFFFF;
}

bool pdf_is_cjk(uint32_t cp)
{
    return (cp >= 0x3000 && cp <= 0x30FF) || (cp >= 0x3400 && cp <= 0x9FFF) ||
           (cp >= 0xF900 && cp <= 0xFAFF) || (cp >= 0xFF00 && cp <= 0xFF60) ||
           (cp >= 0x20000 && cp <= 0x323AF);
}

bool pdf_is_hyphen(uint32_t cp)
{
    return cp == '-' || cp == 0x2010 || cp == 0xAD;
}

uint32_t pdf_first_of(const PdfLine *l)
{
    return l->len > 0 ? l->chars[0].cp : 0;
}

uint32_t pdf_last_of(const PdfLine *l)
{
    return l->len > 0 ? l->chars[l->len - 1].cp : 0;
}

bool pdf_ends_sentence(const PdfLine *l)
{
    uint32_t cp = pdf_last_of(l);
    return cp == '.' || cp == '!' || cp == '?' || cp == ':' || cp == ';' || cp == 0x3002 ||
           cp == 0x2026 || cp == 0x061F;
}

bool pdf_same_row(const PdfLine *a, const PdfLine *b)
{
    float overlap = fminf(a->y1, b->y1) - fmaxf(a->y0, b->y0);
    return overlap > 0.5f * fminf(a->y1 - a->y0, b->y1 - b->y0);
}

/* --- accents and quotes */

/* The combining form of an accent that stands as a character of its own; 0: it is none. */
static uint32_t combining(uint32_t cp)
{
    static const struct {
        uint32_t alone, combining;
    } accents[] = {{0xB4, 0x301},  {0x60, 0x300},  {0xA8, 0x308},  {0x2C6, 0x302}, {0x5E, 0x302},
                   {0x2DC, 0x303}, {0x7E, 0x303},  {0x2C7, 0x30C}, {0x2D8, 0x306}, {0xAF, 0x304},
                   {0x2D9, 0x307}, {0x2DA, 0x30A}, {0xB8, 0x327},  {0x2DD, 0x30B}, {0x2DB, 0x328}};
    for (size_t i = 0; i < COUNT_OF(accents); i++)
        if (accents[i].alone == cp)
            return accents[i].combining;
    return 0;
}

static bool over(const PdfChar *accent, const PdfChar *letter)
{
    float middle = (accent->x0 + accent->x1) / 2;
    return middle > letter->x0 && middle < letter->x1;
}

static uint32_t compose(uint32_t letter, uint32_t accent)
{
    gunichar out = 0;
    if (letter == 0x131 || letter == 0x237) /* i and j without their dots */
        letter = letter == 0x131 ? 'i' : 'j';
    return g_unichar_compose(letter, accent, &out) ? out : 0;
}

/* The accented letter that stands at `at` and behind, or 0. */
static uint32_t accented(const PdfLine *l, size_t at)
{
    if (at + 1 >= l->len)
        return 0;
    const PdfChar *a = &l->chars[at], *b = a + 1;
    if (combining(a->cp) != 0 && over(a, b))
        return compose(b->cp, combining(a->cp));
    if (combining(b->cp) != 0 && over(b, a))
        return compose(a->cp, combining(b->cp));
    return 0;
}

static uint32_t doubled(const PdfLine *l, size_t at)
{
    uint32_t cp = l->chars[at].cp;
    if (at + 1 >= l->len || l->chars[at + 1].cp != cp)
        return 0;
    return cp == 0x2018 ? 0x201C : cp == 0x2019 ? 0x201D : 0;
}

/* Most lines hold nothing that could be part of a pair, and this is asked of every line. */
static bool may_hold_pairs(const PdfLine *l)
{
    for (size_t i = 0; i < l->len; i++)
        if (l->chars[i].cp >= 0xA8 || l->chars[i].cp == '`' || l->chars[i].cp == '^' ||
            l->chars[i].cp == '~')
            return true;
    return false;
}

static void join_pairs(PdfLine *l)
{
    size_t to = 0;
    for (size_t i = 0; i < l->len; to++) {
        uint32_t one = accented(l, i);
        if (one == 0)
            one = doubled(l, i);
        if (one == 0) {
            l->chars[to] = l->chars[i++];
            continue;
        }
        PdfChar c = l->chars[i];
        c.cp = one;
        c.x0 = fminf(c.x0, l->chars[i + 1].x0);
        c.x1 = fmaxf(c.x1, l->chars[i + 1].x1);
        l->chars[to] = c;
        i += 2;
    }
    l->len = to;
}

/* --- drop caps */

static bool is_drop_cap(const PdfLine *cap, const PdfLine *l)
{
    float size = l->size, tall = cap->y1 - cap->y0;
    return !l->dropped && !l->turned && size > 0 && cap->size > 1.8f * size &&
           l->x0 > cap->x1 - size && l->x0 < cap->x1 + 1.2f * size && l->base > cap->y0 &&
           l->base < cap->y0 + 0.7f * tall && pdf_is_letter(pdf_first_of(l));
}

/* Let `l` begin with the characters of `head`, which stands to its left and is no line any more. */
static void prepend(PdfPage *p, PdfLine *head, PdfLine *l, bool space)
{
    size_t len = head->len + space;
    PdfChar *chars = arena_alloc_raw(p->arena, (len + l->len) * sizeof *chars);
    if (chars == NULL)
        return;
    memcpy(chars, head->chars, head->len * sizeof *chars);
    if (space)
        chars[head->len] = (PdfChar){.cp = ' ', .x0 = head->x1, .x1 = head->x1};
    for (size_t i = 0; i < len; i++)
        chars[i].style = l->chars[0].style;
    memcpy(chars + len, l->chars, l->len * sizeof *chars);
    l->chars = chars;
    l->len += len;
    head->dropped = true;
}

static void join_drop_cap(PdfPage *p, PdfLine *cap)
{
    PdfLine *best = NULL;
    for (size_t i = 0; i < p->len; i++)
        if (is_drop_cap(cap, &p->lines[i]) && (best == NULL || p->lines[i].base < best->base))
            best = &p->lines[i];
    if (best != NULL)
        prepend(p, cap, best, false);
}

/* --- numbers of headings that are drawn after them */

static bool is_number_of(const PdfLine *n, const PdfLine *l)
{
    if (n->len > 3 || n->dropped || l->dropped || n->block != l->block || n->style != l->style)
        return false;
    for (size_t i = 0; i < n->len; i++)
        if (n->chars[i].cp < '0' || n->chars[i].cp > '9')
            return false;
    return fabsf(n->size - l->size) < 0.5f && fabsf(n->base - l->base) < 0.2f * l->size &&
           n->x1 < l->x0 && l->x0 - n->x1 < 2.5f * l->size;
}

void pdf_chars_mend(PdfPage *p)
{
    for (size_t i = 0; i < p->len; i++)
        if (!p->lines[i].rtl && may_hold_pairs(&p->lines[i]))
            join_pairs(&p->lines[i]);
    for (size_t i = 0; i < p->len; i++) {
        PdfLine *l = &p->lines[i];
        if (l->len == 1 && !l->dropped && !l->turned && pdf_is_letter(pdf_first_of(l)) &&
            !pdf_is_lower(pdf_first_of(l)))
            join_drop_cap(p, l);
        if (i > 0 && !l->turned && is_number_of(l, l - 1)) {
            prepend(p, l, l - 1, true);
            l[-1].x0 = l->x0;
        }
    }
}
