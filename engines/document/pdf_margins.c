/* pdf_margins.c: what stands on a page and is no part of its text: running heads, page numbers, the
 * stamps of repositories ("Downloaded from …"), and lines drawn with characters. */
#include "document/pdf_in.h"

#include <string.h>

/* --- page numbers */

static bool is_ascii_letter(uint32_t cp)
{
    return (cp | 0x20) >= 'a' && (cp | 0x20) <= 'z';
}

/* The next word of letters as lower case; cut to fit. Returns the place behind it. */
static size_t take_word(const PdfLine *l, size_t at, char *out, size_t room)
{
    size_t n = 0;
    for (; at < l->len && is_ascii_letter(l->chars[at].cp); at++)
        if (n < room - 1)
            out[n++] = (char)(l->chars[at].cp | 0x20);
    out[n] = 0;
    return at;
}

static bool is_page_word(const char *word)
{
    static const char *const words[] = {"page", "seite", "pagina", "of", "von",
                                        "de",   "p",     "pp",     "str"};
    for (size_t i = 0; i < COUNT_OF(words); i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static bool is_page_number(const PdfLine *l)
{
    size_t digits = 0;
    for (size_t i = 0; i < l->len;) {
        uint32_t cp = l->chars[i].cp;
        if (cp >= '0' && cp <= '9') {
            digits++;
            i++;
        } else if (is_ascii_letter(cp)) {
            char word[16];
            i = take_word(l, i, word, sizeof word);
            if (!is_page_word(word))
                return false;
        } else if (pdf_is_letter(cp) || l->len > 24) {
            return false;
        } else {
            i++;
        }
    }
    return digits > 0 && digits <= 8;
}

/* --- stamps */

/* Does the line begin with these words, whatever stands between them? */
static bool begins_with(const PdfLine *l, const char *words)
{
    size_t at = 0;
    for (const char *w = words; *w != 0; w++) {
        while (at < l->len && pdf_is_space(l->chars[at].cp))
            at++;
        if (*w == ' ')
            continue;
        uint32_t cp = at < l->len ? l->chars[at++].cp : 0;
        if ((is_ascii_letter(cp) ? (cp | 0x20) : cp) != (uint32_t)*w)
            return false;
    }
    return true;
}

static bool is_stamp(const PdfLine *l)
{
    static const char *const stamps[] = {"download date:", "downloaded from", "downloaded on",
                                         "downloaded by"};
    for (size_t i = 0; i < COUNT_OF(stamps); i++)
        if (begins_with(l, stamps[i]))
            return true;
    return false;
}

/* --- lines made of characters: ". . . . . .", "_______" */

static bool is_drawn(const PdfLine *l)
{
    static const char marks[] = "._-=*~";
    uint32_t mark = pdf_first_of(l);
    bool known = mark == 0xB7 || mark == 0x2026 || mark == 0x2014 ||
                 (mark < 0x80 && strchr(marks, (int)mark) != NULL);
    size_t count = 0;
    for (size_t i = 0; i < l->len && known; i++) {
        known = l->chars[i].cp == mark || pdf_is_space(l->chars[i].cp);
        count += l->chars[i].cp == mark;
    }
    return known && count >= 8;
}

/* --- running heads */

static bool seen_before(PdfReader *r, uint64_t hash)
{
    for (size_t i = 0; i < PDF_MARGINS; i++)
        if (r->margins[i] == hash)
            return true;
    r->margins[r->margins_at++ % PDF_MARGINS] = hash;
    return false;
}

/* The first page that has a running head keeps it. */
static bool is_margin(PdfReader *r, const PdfLine *l)
{
    if (l->turned || r->pages < 2)
        return false;
    uint64_t place = (uint64_t)(l->y0 / 6) + 1;
    return is_page_number(l) ||
           seen_before(r, pdf_line_hash(l, place * 0x9E3779B97F4A7C15u, false));
}

static bool in_margin(const PdfPage *p, const PdfLine *l)
{
    return l->y1 < p->height * 0.09f || l->y0 > p->height * 0.91f;
}

/* A stamp in several pieces is one row. */
static void drop_row(PdfPage *p, const PdfLine *stamp)
{
    for (size_t i = 0; i < p->len; i++)
        if (!p->lines[i].turned && pdf_same_row(&p->lines[i], stamp))
            p->lines[i].dropped = true;
}

void pdf_margins_drop(PdfReader *r, PdfPage *p)
{
    for (size_t i = 0; i < p->len; i++) {
        PdfLine *l = &p->lines[i];
        if (in_margin(p, l) && is_stamp(l))
            drop_row(p, l);
        else if (is_drawn(l))
            l->dropped = true;
        else if (in_margin(p, l) && !l->dropped)
            l->dropped = is_margin(r, l);
    }
}
