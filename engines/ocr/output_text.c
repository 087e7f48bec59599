/* output_text.c: text and JSON of a page. */
#include "ocr/output.h"

#include <math.h>

void output_line(Buf *b, const OcrPage *p, const OcrLine *l)
{
    for (size_t i = 0; i < l->len; i++) {
        const OcrWord *w = &p->words[l->first + i];
        if (w->space_before && i > 0)
            buf_add_char(b, ' ');
        buf_add(b, w->text);
    }
}

void output_text(Buf *b, const OcrPage *p)
{
    for (size_t i = 0; i < p->lines_len; i++) {
        const OcrLine *l = &p->lines[i], *before = i > 0 ? l - 1 : l;
        if (l->block != before->block || l->paragraph != before->paragraph)
            buf_add_char(b, '\n');
        output_line(b, p, l);
        buf_add_char(b, '\n');
    }
}

/* A tenth of a unit is finer than anybody's print. */
static double tenth(double v)
{
    return round(v * 10) / 10;
}

static void put_box(JsonOut *j, OcrBox box)
{
    json_key(j, "box");
    json_begin(j, '[');
    json_put_double(j, tenth(box.x0));
    json_put_double(j, tenth(box.y0));
    json_put_double(j, tenth(box.x1));
    json_put_double(j, tenth(box.y1));
    json_end(j, ']');
}

static void put_confidence(JsonOut *j, double v)
{
    json_kv_double(j, "confidence", round(v * 1000) / 1000);
}

static void put_words(JsonOut *j, const OcrPage *p, const OcrLine *l)
{
    json_key(j, "words");
    json_begin(j, '[');
    for (size_t i = 0; i < l->len; i++) {
        const OcrWord *w = &p->words[l->first + i];
        json_begin(j, '{');
        json_kv_str(j, "text", w->text);
        put_box(j, w->box);
        put_confidence(j, w->confidence);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static void put_line(Buf *b, JsonOut *j, const OcrPage *p, const OcrLine *l)
{
    Buf text = buf_init(b->arena, 1 * MIB);
    output_line(&text, p, l);
    json_begin(j, '{');
    json_kv_str(j, "text", buf_str(&text));
    put_box(j, l->box);
    put_confidence(j, l->confidence);
    json_kv_int(j, "block", l->block);
    json_kv_int(j, "paragraph", l->paragraph);
    if (l->vertical)
        json_kv_bool(j, "vertical", true);
    if (l->rtl)
        json_kv_bool(j, "right_to_left", true);
    put_words(j, p, l);
    json_end(j, '}');
    b->failed = b->failed || text.failed;
}

void output_json(Buf *b, const OcrPage *p)
{
    JsonOut j = json_out(b);
    json_begin(&j, '{');
    json_kv_int(&j, "page", p->page_no);
    json_kv_double(&j, "width", tenth(p->width));
    json_kv_double(&j, "height", tenth(p->height));
    json_kv_int(&j, "rotation", p->rotation);
    put_confidence(&j, p->confidence);
    json_kv_c(&j, "language", p->language);
    if (p->had_text)
        json_kv_bool(&j, "had_text", true);
    json_key(&j, "lines");
    json_begin(&j, '[');
    for (size_t i = 0; i < p->lines_len; i++)
        put_line(b, &j, p, &p->lines[i]);
    json_end(&j, ']');
    json_end(&j, '}');
}
