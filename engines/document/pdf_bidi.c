#include "document/pdf_in.h"

#include <fribidi.h>

/* Hebrew, Arabic, Syriac, Thaana, N'Ko …, and Arabic's presentation forms. */
static bool is_rtl(uint32_t cp)
{
    return (cp >= 0x590 && cp <= 0x8FF) || (cp >= 0xFB1D && cp <= 0xFDFF) ||
           (cp >= 0xFE70 && cp <= 0xFEFC) || (cp >= 0x10800 && cp <= 0x10FFF) ||
           (cp >= 0x1E800 && cp <= 0x1EFFF);
}

typedef struct Bidi {
    FriBidiChar *text;
    FriBidiCharType *types;
    FriBidiBracketType *brackets;
    FriBidiLevel *levels;
    FriBidiStrIndex *map;
    PdfChar *sorted;
} Bidi;

static bool make_room(Bidi *b, Arena *a, size_t n)
{
    b->text = arena_new(a, FriBidiChar, n);
    b->types = arena_new(a, FriBidiCharType, n);
    b->brackets = arena_new(a, FriBidiBracketType, n);
    b->levels = arena_new(a, FriBidiLevel, n);
    b->map = arena_new(a, FriBidiStrIndex, n);
    b->sorted = arena_new(a, PdfChar, n);
    return b->text != NULL && b->types != NULL && b->brackets != NULL && b->levels != NULL &&
           b->map != NULL && b->sorted != NULL;
}

/* The order on paper is the display order of the line. Sorting that once more by the same rules
 * gives the order of reading: right-to-left stretches are turned round, numbers and Latin words
 * inside them back again. */
static bool reorder(PdfLine *l, Bidi *b)
{
    FriBidiStrIndex n = (FriBidiStrIndex)l->len;
    FriBidiParType direction = FRIBIDI_PAR_RTL;
    for (FriBidiStrIndex i = 0; i < n; i++) {
        b->text[i] = l->chars[i].cp;
        b->map[i] = i;
    }
    fribidi_get_bidi_types(b->text, n, b->types);
    fribidi_get_bracket_types(b->text, n, b->types, b->brackets);
    if (fribidi_get_par_embedding_levels_ex(b->types, b->brackets, n, &direction, b->levels) == 0)
        return false;
    if (fribidi_reorder_line(FRIBIDI_FLAGS_DEFAULT & ~FRIBIDI_FLAG_REORDER_NSM, b->types, n, 0,
                             direction, b->levels, NULL, b->map) == 0)
        return false;
    for (FriBidiStrIndex i = 0; i < n; i++) {
        FriBidiChar mirrored;
        PdfChar c = l->chars[b->map[i]];
        if ((b->levels[b->map[i]] & 1) && fribidi_get_mirror_char(c.cp, &mirrored))
            c.cp = mirrored;
        b->sorted[i] = c;
    }
    for (size_t i = 0; i < l->len; i++)
        l->chars[i] = b->sorted[i];
    return true;
}

ErrCode pdf_bidi_line(PdfLine *l, Arena *a, Err *err)
{
    size_t rtl = 0, ltr = 0, descending = 0;
    for (size_t i = 0; i < l->len; i++) {
        uint32_t cp = l->chars[i].cp;
        rtl += is_rtl(cp);
        ltr += (cp | 0x20) >= 'a' && (cp | 0x20) <= 'z';
        descending += i > 0 && l->chars[i].x0 < l->chars[i - 1].x0;
    }
    if (rtl == 0)
        return OK;
    l->rtl = rtl >= ltr;
    if (descending * 2 > l->len)
        return OK; /* already in the order of reading */
    ArenaMark m = arena_mark(a);
    Bidi b;
    bool done = make_room(&b, a, l->len) && reorder(l, &b);
    arena_rewind(a, m);
    return done ? OK : err_set(err, ERR_LIMIT_MEMORY, "ordering right-to-left text of the PDF");
}
