/* pdf_heading.c: which lines are headings, and of which level.
 *
 * The outline knows, where there is one. Otherwise size and weight say it; and a line of another
 * style than the text below it, ended before its column does, is a heading without being larger. */
#include "document/pdf_in.h"

#include <math.h>
#include <string.h>

enum {
    HEADING_CHARS = 240, /* of all lines of a heading */
    LONG_CHARS = 100,    /* more than a title has, when it ends like a sentence */
    LINE_CHARS = 90,     /* of a heading that is not larger than the text */
    ALONE_LINES_MAX = 4000,
};

static int level_in_outline(const PdfReader *r, const PdfLook *look, const PdfPage *p,
                            const PdfLine *l)
{
    if (!look->titled || l->len > HEADING_CHARS)
        return 0;
    uint64_t h = pdf_line_hash(l, 0, true), text = pdf_line_hash(l, 0, false);
    if (text == pdf_line_hash(&(PdfLine){0}, 0, false))
        return 0;
    for (size_t i = look->first_title; i < look->end_title; i++)
        if (r->titles[i].page_no == p->page_no &&
            (r->titles[i].hash == h || r->titles[i].hash == text))
            return r->titles[i].level;
    return 0;
}

/* No other text to its left or right. */
static bool stands_alone(const PdfPage *p, const PdfLine *l)
{
    if (p->len > ALONE_LINES_MAX)
        return false;
    for (size_t i = 0; i < p->len; i++)
        if (&p->lines[i] != l && !p->lines[i].dropped && pdf_same_row(&p->lines[i], l))
            return false;
    return true;
}

static float first_word_width(const PdfLine *l)
{
    size_t n = 0;
    while (n < l->len && !pdf_is_space(l->chars[n].cp) && !pdf_is_cjk(l->chars[n].cp))
        n++;
    return n > 0 ? l->chars[n - 1].x1 - l->chars[0].x0 : 0;
}

bool pdf_broken_on_purpose(const PdfLook *look, const PdfLine *before, const PdfLine *l)
{
    if (before->rtl || before->turned)
        return false;
    float right = look->right[before->block];
    return before->x1 + first_word_width(l) + before->size * 0.6f < right;
}

static bool punctuated(const PdfLine *l)
{
    uint32_t end = pdf_last_of(l);
    return end == '.' || end == ',' || end == ';' || end == ':' || end == 0x3002 || end == 0x3001;
}

/* The line of text right below `l`, or NULL. */
static const PdfLine *line_below(const PdfPage *p, const PdfLine *l)
{
    const PdfLine *n = l + 1;
    if (n >= p->lines + p->len || n->dropped || n->turned || n->table != NULL)
        return NULL;
    float dy = n->base - l->base;
    return dy > 0.5f * l->size && dy < 2.6f * l->size && n->x0 < l->x1 && n->x1 > l->x0 ? n : NULL;
}

/* Set apart from the text below by its style or a little size, and ended before its column does. */
static bool heads_the_text_below(const PdfReader *r, const PdfLook *look, const PdfPage *p,
                                 const PdfLine *l)
{
    const PdfLine *n = line_below(p, l);
    if (n == NULL || n->len * 2 < l->len || pdf_is_lower(pdf_first_of(l)))
        return false;
    bool italic = (l->style & PDF_ITALIC) && !look->italic && !(n->style & PDF_ITALIC) &&
                  !(n->chars[0].style & PDF_ITALIC);
    bool larger = l->size >= 1.07f * r->body && l->size >= 1.07f * n->size &&
                  fabsf(n->size - r->body) < 0.06f * r->body;
    float right = fmaxf(look->right[n->block], n->x1);
    bool ended = l->x1 + first_word_width(n) + l->size * 0.6f < right;
    const PdfLine *before = l > p->lines ? l - 1 : NULL;
    bool begins = before == NULL || pdf_ends_sentence(before) || before->dropped ||
                  fabsf(l->base - before->base) > 1.5f * l->size;
    return (italic || larger) && ended && begins;
}

static int level_by_look(const PdfReader *r, const PdfLook *look, const PdfPage *p,
                         const PdfLine *l)
{
    float ratio = r->body > 0 ? l->size / r->body : 1;
    bool bold = (l->style & PDF_BOLD) && !look->bold;
    if (ratio >= 1.6f)
        return 1;
    if (ratio >= 1.28f)
        return 2;
    if (ratio >= 1.18f || (ratio >= 1.08f && bold))
        return 3;
    if (ratio < 0.95f || l->len > LINE_CHARS || punctuated(l))
        return 0;
    if (bold)
        return stands_alone(p, l) ? PDF_LEVEL_PLAIN : 0;
    return heads_the_text_below(r, look, p, l) ? PDF_LEVEL_PLAIN : 0;
}

/* A long run of lines that look like this one is text that happens to be large or bold. */
static bool is_text(const PdfPage *p, const PdfLine *l, int level)
{
    const PdfLine *first = p->lines, *end = p->lines + p->len, *from = l, *to = l + 1;
#define ALIKE(n)                                                                                   \
    ((n)->block == l->block && fabsf((n)->size - l->size) < 0.6f &&                                \
     (level < PDF_LEVEL_PLAIN || (n)->style == l->style))
    while (from > first && ALIKE(from - 1))
        from--;
    while (to < end && ALIKE(to))
        to++;
#undef ALIKE
    size_t chars = 0;
    for (const PdfLine *n = from; n < to; n++)
        chars += n->len;
    return chars > HEADING_CHARS || (level > 1 && chars > LONG_CHARS && punctuated(to - 1));
}

static int find_level(const PdfReader *r, const PdfLook *look, const PdfPage *p, const PdfLine *l)
{
    size_t letters = 0;
    for (size_t i = 0; i < l->len && letters < 3; i++)
        letters += pdf_is_letter(l->chars[i].cp) ? (pdf_is_cjk(l->chars[i].cp) ? 2 : 1) : 0;
    if (l->turned || letters < 2 || l->len > HEADING_CHARS)
        return 0;
    int level = level_in_outline(r, look, p, l);
    if (level > 0)
        return level;
    level = level_by_look(r, look, p, l);
    return level > 0 && !is_text(p, l, level) ? level : 0;
}

int pdf_heading_level(const PdfReader *r, const PdfLook *look, const PdfPage *p, const PdfLine *l)
{
    int8_t *level = &look->levels[l - p->lines];
    if (*level < 0)
        *level = (int8_t)find_level(r, look, p, l);
    return *level;
}

bool pdf_look_learn(const PdfReader *r, PdfPage *p, PdfLook *out)
{
    int blocks = 0;
    size_t all = 0, bold = 0, italic = 0, mono = 0;
    for (size_t i = 0; i < p->len; i++)
        blocks = p->lines[i].block >= blocks ? p->lines[i].block + 1 : blocks;
    *out = (PdfLook){.right = blocks > 0 ? arena_new(p->arena, float, (size_t)blocks) : NULL,
                     .levels = arena_new(p->arena, int8_t, p->len)};
    if (out->right == NULL || out->levels == NULL)
        return false;
    memset(out->levels, -1, p->len);
    for (size_t i = 0; i < p->len; i++) {
        const PdfLine *l = &p->lines[i];
        all += l->len;
        bold += l->style & PDF_BOLD ? l->len : 0;
        italic += l->style & PDF_ITALIC ? l->len : 0;
        mono += l->style & PDF_MONO ? l->len : 0;
        if (!l->turned && l->x1 > out->right[l->block])
            out->right[l->block] = l->x1;
    }
    for (size_t i = 0; i < r->titles_len; i++)
        if (r->titles[i].page_no == p->page_no) {
            out->first_title = out->titled ? out->first_title : i;
            out->end_title = i + 1;
            out->titled = true;
        }
    out->bold = bold * 2 > all;
    out->italic = italic * 2 > all;
    out->mono = mono * 2 > all;
    return true;
}
