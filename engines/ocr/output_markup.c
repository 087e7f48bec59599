/* output_markup.c: hOCR and TSV of a page, in the shape of Tesseract's own. */
#include "ocr/output.h"

#include <math.h>

const char output_hocr_head[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<!DOCTYPE html PUBLIC \"-//W3C//DTD XHTML 1.0 Transitional//EN\" "
    "\"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd\">\n"
    "<html xmlns=\"http://www.w3.org/1999/xhtml\" xml:lang=\"en\" lang=\"en\">\n"
    " <head>\n  <title></title>\n"
    "  <meta http-equiv=\"Content-Type\" content=\"text/html;charset=utf-8\"/>\n"
    "  <meta name='ocr-system' content='platen'/>\n"
    "  <meta name='ocr-capabilities' content='ocr_page ocr_carea ocr_par ocr_line ocrx_word'/>\n"
    " </head>\n <body>\n";
const char output_hocr_tail[] = " </body>\n</html>\n";
const char output_tsv_head[] =
    "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\t"
    "width\theight\tconf\ttext\n";

typedef struct Pixels {
    long x0, y0, x1, y1;
} Pixels;

static Pixels pixels(OcrBox b, double scale)
{
    return (Pixels){lround(b.x0 * scale), lround(b.y0 * scale), lround(b.x1 * scale),
                    lround(b.y1 * scale)};
}

static OcrBox around(OcrBox a, OcrBox b)
{
    return (OcrBox){fmin(a.x0, b.x0), fmin(a.y0, b.y0), fmax(a.x1, b.x1), fmax(a.y1, b.y1)};
}

static bool same_block(const OcrLine *a, const OcrLine *b)
{
    return a->block == b->block;
}

static bool same_paragraph(const OcrLine *a, const OcrLine *b)
{
    return a->block == b->block && a->paragraph == b->paragraph;
}

/* The box of the lines that belong together with line i, from i on. */
static OcrBox box_from(const OcrPage *p, size_t i, bool (*same)(const OcrLine *, const OcrLine *))
{
    OcrBox box = p->lines[i].box;
    for (size_t k = i + 1; k < p->lines_len && same(&p->lines[k], &p->lines[i]); k++)
        box = around(box, p->lines[k].box);
    return box;
}

static void title(Buf *b, Pixels at)
{
    buf_addf(b, "title=\"bbox %ld %ld %ld %ld", at.x0, at.y0, at.x1, at.y1);
}

static void hocr_words(Buf *b, const OcrPage *p, const OcrLine *l, double scale)
{
    for (size_t i = 0; i < l->len; i++) {
        const OcrWord *w = &p->words[l->first + i];
        buf_addf(b, "      <span class='ocrx_word' id='word_%" PRId64 "_%zu' ", p->page_no,
                 l->first + i + 1);
        title(b, pixels(w->box, scale));
        buf_addf(b, "; x_wconf %.0f\"%s>", w->confidence * 100, w->rtl ? " dir='rtl'" : "");
        buf_add_html(b, w->text);
        buf_add_c(b, "</span>\n");
    }
}

static void hocr_line(Buf *b, const OcrPage *p, size_t i, double scale)
{
    const OcrLine *l = &p->lines[i];
    bool new_block = i == 0 || !same_block(l, l - 1);
    bool new_paragraph = i == 0 || !same_paragraph(l, l - 1);
    if (new_paragraph && i > 0)
        buf_add_c(b, "    </p>\n");
    if (new_block && i > 0)
        buf_add_c(b, "   </div>\n");
    if (new_block) {
        buf_addf(b, "   <div class='ocr_carea' id='block_%" PRId64 "_%d' ", p->page_no, l->block);
        title(b, pixels(box_from(p, i, same_block), scale));
        buf_add_c(b, "\">\n");
    }
    if (new_paragraph) {
        buf_addf(b, "    <p class='ocr_par' id='par_%" PRId64 "_%d_%d' ", p->page_no, l->block,
                 l->paragraph);
        title(b, pixels(box_from(p, i, same_paragraph), scale));
        buf_add_c(b, "\">\n");
    }
    buf_addf(b, "     <span class='ocr_line' id='line_%" PRId64 "_%zu' ", p->page_no, i + 1);
    title(b, pixels(l->box, scale));
    buf_add_c(b, "\">\n");
    hocr_words(b, p, l, scale);
    buf_add_c(b, "     </span>\n");
}

void output_hocr(Buf *b, const OcrPage *p, double scale)
{
    buf_addf(b, "  <div class='ocr_page' id='page_%" PRId64 "' ", p->page_no);
    title(b, pixels((OcrBox){0, 0, p->width, p->height}, scale));
    buf_addf(b, "; ppageno %" PRId64 "\">\n", p->page_no - 1);
    for (size_t i = 0; i < p->lines_len; i++)
        hocr_line(b, p, i, scale);
    if (p->lines_len > 0)
        buf_add_c(b, "    </p>\n   </div>\n");
    buf_add_c(b, "  </div>\n");
}

/* --- TSV */

typedef struct Row {
    int level, block, paragraph, line, word;
} Row;

static void tsv_row(Buf *b, const OcrPage *p, Row r, OcrBox box, double scale, double conf)
{
    Pixels at = pixels(box, scale);
    buf_addf(b, "%d\t%" PRId64 "\t%d\t%d\t%d\t%d\t%ld\t%ld\t%ld\t%ld\t", r.level, p->page_no,
             r.block, r.paragraph, r.line, r.word, at.x0, at.y0, at.x1 - at.x0, at.y1 - at.y0);
    if (conf < 0)
        buf_add_c(b, "-1\t");
    else
        buf_addf(b, "%.6f\t", conf * 100);
}

void output_tsv(Buf *b, const OcrPage *p, double scale)
{
    Row r = {.level = 1};
    tsv_row(b, p, r, (OcrBox){0, 0, p->width, p->height}, scale, -1);
    buf_add_char(b, '\n');
    for (size_t i = 0; i < p->lines_len; i++) {
        const OcrLine *l = &p->lines[i];
        bool new_block = i == 0 || !same_block(l, l - 1);
        bool new_paragraph = i == 0 || !same_paragraph(l, l - 1);
        if (new_block) {
            tsv_row(b, p, (Row){2, l->block, 0, 0, 0}, box_from(p, i, same_block), scale, -1);
            buf_add_char(b, '\n');
        }
        if (new_paragraph) {
            r.line = 0;
            tsv_row(b, p, (Row){3, l->block, l->paragraph, 0, 0}, box_from(p, i, same_paragraph),
                    scale, -1);
            buf_add_char(b, '\n');
        }
        r.line++;
        tsv_row(b, p, (Row){4, l->block, l->paragraph, r.line, 0}, l->box, scale, -1);
        buf_add_char(b, '\n');
        for (size_t k = 0; k < l->len; k++) {
            const OcrWord *w = &p->words[l->first + k];
            tsv_row(b, p, (Row){5, l->block, l->paragraph, r.line, (int)k + 1}, w->box, scale,
                    w->confidence);
            buf_add(b, w->text); /* words hold neither tabs nor line ends */
            buf_add_char(b, '\n');
        }
    }
}
