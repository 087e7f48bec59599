#include "document/pdf_ocr.h"

#include "document/calls.h"

enum { BATCH_BYTES = 256 << 20, CURVES_MIN = 300, GARBAGE_MIN = 10, STAMP_MAX = 40 };

/* Characters without a meaning: fonts that do not say what their glyphs are. */
static bool is_garbage(const PdfPage *p)
{
    size_t seen = 0, bad = 0;
    for (size_t i = 0; i < p->len; i++)
        for (size_t k = 0; k < p->lines[i].len; k++) {
            uint32_t c = p->lines[i].chars[k].cp;
            if (c <= ' ' || c == 0xA0)
                continue;
            seen++;
            bad += c == 0xFFFD || (c >= 0xE000 && c < 0xF900) || (c > 0x7E && c < 0xA0) || c < 0x20;
        }
    return seen >= GARBAGE_MIN && bad * 3 > seen;
}

/* Visible characters; enough of them are text. */
static size_t count_text(const PdfPage *p)
{
    size_t seen = 0;
    for (size_t i = 0; i < p->len; i++)
        for (size_t k = 0; k < p->lines[i].len; k++)
            seen += p->lines[i].chars[k].cp > ' ';
    return seen;
}

bool pdf_ocr_wants(const PdfReader *r, const PdfPage *p)
{
    if (r->in->ocr != OCR_AUTO)
        return r->in->ocr == OCR_ALWAYS;
    bool drawn = p->pictures || p->curves >= CURVES_MIN; /* letters may be drawn as outlines */
    size_t text = count_text(p);
    bool stamped = text <= STAMP_MAX && p->picture_share >= 0.6f; /* a scan with a page number */
    return text == 0 ? drawn : stamped || is_garbage(p);
}

/* The page and the next ones that want it: "3-5,9". */
static Str pages_of_batch(PdfReader *r, const PdfPage *first, Buf *b)
{
    int count = 1;
    buf_add_int(b, first->page_no);
    int64_t n = first->page_no;
    while (n < r->pages && n - first->page_no < PDF_OCR_LOOK && count < PDF_OCR_BATCH) {
        n++;
        PdfPage p;
        if (!pages_wanted(r->in->pages, n))
            continue;
        if (pdf_page_read(r, n, &p) != OK)
            break;
        if (pdf_ocr_wants(r, &p)) {
            buf_addf(b, ",%" PRId64, n);
            count++;
        }
        pdf_page_done(&p);
    }
    r->ocr.looked_at = n;
    return buf_str(b);
}

static void read_batch(PdfReader *r, const PdfPage *first)
{
    PdfOcr *o = &r->ocr;
    StepCtx *c = r->in->step;
    pdf_ocr_done(o);
    o->arena = arena_open(BATCH_BYTES);
    Buf b = buf_init(c->arena, 4 * KIB);
    Str pages = pages_of_batch(r, first, &b);
    ErrCode rc = o->arena != NULL && !b.failed
                     ? calls_ocr(r->in, "pdf", pages, true, o->arena, &o->pages)
                     : err_set(c->err, ERR_LIMIT_MEMORY, "reading pages by OCR");
    if (rc == OK)
        return;
    o->failure = *c->err;
    o->failure.code = rc;
    Str note = str_printf(c->arena, "page %" PRId64 " and others were not read by OCR: %s",
                          first->page_no, o->failure.text);
    if (note.ptr != NULL)
        step_note(c, note);
}

bool pdf_ocr_put(PdfReader *r, const PdfPage *p)
{
    PdfOcr *o = &r->ocr;
    if (p->page_no > o->looked_at && o->failure.code == OK)
        read_batch(r, p);
    const Json *page = o->failure.code == OK ? calls_ocr_page(o->pages, p->page_no) : NULL;
    return page != NULL && calls_ocr_put(r->out, o->arena, page);
}

void pdf_ocr_done(PdfOcr *o)
{
    arena_close(&o->arena);
    o->pages = NULL;
}
