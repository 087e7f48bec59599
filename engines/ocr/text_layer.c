#include "ocr/text_layer.h"

#include <fribidi.h>
#include <math.h>
#include <stdio.h>

enum { WORD_MAX = 512, LINE_WORDS_MAX = 1024 };
static const double glyph_width = 0.5; /* of the font size; see pdf_write.c */
static const double font_descent = 0.2;

OcrMatrix text_layer_matrix(OcrBox box, int rotate, double unit, int rotation)
{
    double w = (box.x1 - box.x0) * unit, h = (box.y1 - box.y0) * unit;
    /* Own space, y upwards, → as shown, y downwards. */
    OcrMatrix flip = {unit, 0, 0, -unit, -box.x0 * unit, box.y1 * unit};
    OcrMatrix shown = ocr_matrix_then(flip, ocr_matrix_turn(rotate, w, h));
    bool lies = rotate % 180 != 0;
    OcrMatrix upright =
        ocr_matrix_then(shown, ocr_matrix_turn(rotation, lies ? h : w, lies ? w : h));
    return ocr_matrix_invert(upright);
}

/* A line in the page's own space: where its letters begin, which way they go, how high they are. */
typedef struct Frame {
    OcrPoint origin;
    double ux, uy;          /* along the letters, length 1 */
    double ascent, descent; /* from the baseline, to both sides positive */
} Frame;

static double along(const Frame *f, OcrPoint p)
{
    return (p.x - f->origin.x) * f->ux + (p.y - f->origin.y) * f->uy;
}

static double above(const Frame *f, OcrPoint p)
{
    return (p.y - f->origin.y) * f->ux - (p.x - f->origin.x) * f->uy;
}

typedef struct Extent {
    double from, to; /* along the line */
} Extent;

static Extent extent(Frame *f, OcrMatrix m, OcrBox box)
{
    const OcrPoint corners[4] = {
        {box.x0, box.y0}, {box.x1, box.y0}, {box.x0, box.y1}, {box.x1, box.y1}};
    Extent e = {INFINITY, -INFINITY};
    for (size_t i = 0; i < COUNT_OF(corners); i++) {
        OcrPoint p = ocr_matrix_point(m, corners[i]);
        double s = along(f, p), t = above(f, p);
        e = (Extent){fmin(e.from, s), fmax(e.to, s)};
        f->ascent = fmax(f->ascent, t);
        f->descent = fmax(f->descent, -t);
    }
    return e;
}

static bool frame_of(const OcrLine *l, OcrMatrix m, Frame *out)
{
    OcrPoint from = ocr_matrix_point(m, l->from), to = ocr_matrix_point(m, l->to);
    double dx = to.x - from.x, dy = to.y - from.y, length = hypot(dx, dy);
    if (!isfinite(length) || length < 1e-6)
        return false;
    *out = (Frame){.origin = from, .ux = dx / length, .uy = dy / length};
    return true;
}

/* --- characters */

static uint32_t code_of(TextGlyphs *g, uint32_t cp)
{
    if (cp < 0x10000)
        return cp;
    for (size_t i = 0; i < g->len; i++)
        if (g->extra[i] == cp)
            return TEXT_GLYPHS_FIRST + (uint32_t)i;
    if (g->len == TEXT_GLYPHS_MAX)
        return 0xfffd;
    g->extra[g->len++] = cp;
    return TEXT_GLYPHS_FIRST + (uint32_t)g->len - 1;
}

/* Put into the order in which it is seen, from the left. Not shaped and not mirrored: a reader that
 * turns it back must find the characters of the text. */
static void reorder(FriBidiChar *text, size_t len)
{
    FriBidiCharType types[WORD_MAX];
    FriBidiLevel levels[WORD_MAX];
    FriBidiParType base = FRIBIDI_PAR_RTL;
    bool rtl = false;
    fribidi_get_bidi_types(text, (FriBidiStrIndex)len, types);
    for (size_t i = 0; i < len; i++)
        rtl = rtl || FRIBIDI_IS_RTL(types[i]);
    if (rtl &&
        fribidi_get_par_embedding_levels_ex(types, NULL, (FriBidiStrIndex)len, &base, levels) != 0)
        (void)!fribidi_reorder_line(FRIBIDI_FLAG_REORDER_NSM, types, (FriBidiStrIndex)len, 0, base,
                                    levels, text, NULL);
}

/* Codes of a word as it is seen, from the left. */
static size_t visible_codes(const OcrWord *w, TextGlyphs *g, uint32_t out[static WORD_MAX])
{
    FriBidiChar text[WORD_MAX];
    size_t len = 0;
    for (size_t at = 0; at < w->text.len && len < WORD_MAX;)
        text[len++] = str_next_utf8(w->text, &at);
    if (len > 0)
        reorder(text, len);
    for (size_t i = 0; i < len; i++)
        out[i] = code_of(g, text[i]);
    return len;
}

/* --- content */

/* Enough for a thousandth of a point; never an exponent. */
static void put_number(Buf *b, double v)
{
    char text[32];
    int n = snprintf(text, sizeof text, "%.3f", isfinite(v) ? fmax(-1e7, fmin(1e7, v)) : 0.0);
    while (n > 1 && text[n - 1] == '0')
        n--;
    if (n > 1 && text[n - 1] == '.')
        n--;
    buf_add(b, (Str){text, (size_t)n});
    buf_add_char(b, ' ');
}

static void put_codes(Buf *b, const uint32_t *codes, size_t len)
{
    buf_add_char(b, '<');
    for (size_t i = 0; i < len; i++)
        buf_addf(b, "%04X", (unsigned)codes[i]);
    buf_add_c(b, "> Tj\n");
}

/* So many letters over so much room: the scale in percent. */
static void put_stretch(Buf *b, double room, double size, size_t letters)
{
    put_number(b, 100 * room / (glyph_width * size * (double)letters));
    buf_add_c(b, "Tz ");
}

typedef struct Placed {
    const OcrWord *word;
    Extent at;
} Placed;

static void put_word(Buf *b, const Frame *f, double size, const Placed *w, const Placed *next,
                     TextGlyphs *g)
{
    uint32_t codes[WORD_MAX];
    size_t len = visible_codes(w->word, g, codes);
    double room = w->at.to - w->at.from;
    if (len == 0 || room <= 0)
        return;
    /* The font's box, not its baseline, is put over the line's: that is what gets marked. */
    double up = font_descent * size - f->descent;
    put_number(b, f->ux);
    put_number(b, f->uy);
    put_number(b, -f->uy);
    put_number(b, f->ux);
    put_number(b, f->origin.x + f->ux * w->at.from - f->uy * up);
    put_number(b, f->origin.y + f->uy * w->at.from + f->ux * up);
    buf_add_c(b, "Tm ");
    put_stretch(b, room, size, len);
    put_codes(b, codes, len);
    double gap = next != NULL ? next->at.from - w->at.to : 0;
    if (gap > 0 && (next->word->space_before || w->word->space_before)) {
        put_stretch(b, gap, size, 1);
        put_codes(b, (const uint32_t[]){' '}, 1);
    }
}

/* As they are seen along the line; most are already. */
static void sort_words(Placed *words, size_t len)
{
    for (size_t i = 1; i < len; i++) {
        Placed w = words[i];
        size_t k = i;
        for (; k > 0 && words[k - 1].at.from > w.at.from; k--)
            words[k] = words[k - 1];
        words[k] = w;
    }
}

static void put_line(Buf *b, const OcrPage *p, const OcrLine *l, OcrMatrix m, const char *font,
                     Placed *words, TextGlyphs *g)
{
    Frame f;
    size_t len = l->len < LINE_WORDS_MAX ? l->len : LINE_WORDS_MAX;
    if (len == 0 || !frame_of(l, m, &f))
        return;
    for (size_t i = 0; i < len; i++) {
        const OcrWord *w = &p->words[l->first + i];
        words[i] = (Placed){w, extent(&f, m, w->box)};
    }
    sort_words(words, len);
    double size = f.ascent + f.descent;
    if (!isfinite(size) || size < 0.01)
        return;
    buf_addf(b, "/%s ", font);
    put_number(b, size);
    buf_add_c(b, "Tf\n");
    for (size_t i = 0; i < len; i++)
        put_word(b, &f, size, &words[i], i + 1 < len ? &words[i + 1] : NULL, g);
}

void text_layer_content(Buf *b, const OcrPage *p, OcrMatrix to_page, const char *font,
                        TextGlyphs *glyphs)
{
    Placed *words = arena_new(b->arena, Placed, LINE_WORDS_MAX);
    if (words == NULL) {
        b->failed = true;
        return;
    }
    buf_add_c(b, "q BT 3 Tr\n");
    for (size_t i = 0; i < p->lines_len; i++)
        put_line(b, p, &p->lines[i], to_page, font, words, glyphs);
    buf_add_c(b, "ET Q\n");
}
