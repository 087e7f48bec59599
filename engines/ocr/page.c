/* page.c: a page that has been read, and the geometry of turning it. */
#include "ocr/ocr.h"

#include <math.h>

OcrMatrix ocr_matrix_then(OcrMatrix m, OcrMatrix n)
{
    return (OcrMatrix){m.a * n.a + m.b * n.c,       m.a * n.b + m.b * n.d,
                       m.c * n.a + m.d * n.c,       m.c * n.b + m.d * n.d,
                       m.e * n.a + m.f * n.c + n.e, m.e * n.b + m.f * n.d + n.f};
}

OcrMatrix ocr_matrix_invert(OcrMatrix m)
{
    double det = m.a * m.d - m.b * m.c;
    return (OcrMatrix){m.d / det,
                       -m.b / det,
                       -m.c / det,
                       m.a / det,
                       (m.c * m.f - m.d * m.e) / det,
                       (m.b * m.e - m.a * m.f) / det};
}

OcrPoint ocr_matrix_point(OcrMatrix m, OcrPoint p)
{
    return (OcrPoint){m.a * p.x + m.c * p.y + m.e, m.b * p.x + m.d * p.y + m.f};
}

OcrBox ocr_matrix_box(OcrMatrix m, OcrBox b)
{
    const OcrPoint corners[4] = {{b.x0, b.y0}, {b.x1, b.y0}, {b.x0, b.y1}, {b.x1, b.y1}};
    OcrBox out = {INFINITY, INFINITY, -INFINITY, -INFINITY};
    for (size_t i = 0; i < COUNT_OF(corners); i++) {
        OcrPoint p = ocr_matrix_point(m, corners[i]);
        out = (OcrBox){fmin(out.x0, p.x), fmin(out.y0, p.y), fmax(out.x1, p.x), fmax(out.y1, p.y)};
    }
    return out;
}

OcrMatrix ocr_matrix_turn(int degrees, double w, double h)
{
    switch (((degrees % 360) + 360) % 360) {
    case 90:
        return (OcrMatrix){0, 1, -1, 0, h, 0};
    case 180:
        return (OcrMatrix){-1, 0, 0, -1, w, h};
    case 270:
        return (OcrMatrix){0, -1, 1, 0, 0, w};
    default:
        return OCR_IDENTITY;
    }
}

OcrPage *ocr_page_new(Arena *a, int64_t page_no)
{
    OcrPage *p = arena_new(a, OcrPage, 1);
    if (p != NULL)
        *p = (OcrPage){.arena = a, .page_no = page_no, .language = ""};
    return p;
}

void ocr_page_map(OcrPage *p, OcrMatrix m)
{
    for (size_t i = 0; i < p->words_len; i++)
        p->words[i].box = ocr_matrix_box(m, p->words[i].box);
    for (size_t i = 0; i < p->lines_len; i++) {
        OcrLine *l = &p->lines[i];
        l->box = ocr_matrix_box(m, l->box);
        l->from = ocr_matrix_point(m, l->from);
        l->to = ocr_matrix_point(m, l->to);
    }
}

int64_t ocr_page_characters(const OcrPage *p)
{
    int64_t n = 0;
    for (size_t i = 0; i < p->words_len; i++)
        n += (int64_t)str_count_utf8(p->words[i].text);
    return n;
}
