/* pdf_in.h: the parts of the PDF reader.
 *
 *   pdf.c          open, password, metadata, pages in order, a few pages held to learn the size of
 * body text pdf_page.c     one page to lines of characters with style (MuPDF's structured text,
 * links) pdf_device.c   the device behind it: text goes on to MuPDF, rulings are kept pdf_bidi.c
 * right-to-left lines from the order on paper to the order of reading pdf_layout.c   lines to
 * headings, paragraphs, lists and code pdf_table.c    lines to tables pdf_heading.c  which lines
 * are headings pdf_margins.c  running heads pdf_chars.c    accents, quotes, drop caps
 *
 * A page is read once, into an arena of its own, and forgotten when its blocks are written. */
#ifndef PLATEN_DOCUMENT_PDF_IN_H
#define PLATEN_DOCUMENT_PDF_IN_H

#include "document/readers.h"

#include <mupdf/fitz.h>

enum {
    PDF_AHEAD = 4, /* pages held before the first is written */
    PDF_PAGE_BYTES = 96 << 20,
    PDF_SIZES = 256,  /* font sizes, in half points */
    PDF_MARGINS = 64, /* running heads remembered */
    PDF_OUTLINE_MAX = 5000,
    PDF_RULES_MAX = 4000,
    PDF_FONTS = 64,
};

typedef enum PdfStyle { PDF_BOLD = 1, PDF_ITALIC = 2, PDF_MONO = 4 } PdfStyle;

typedef struct PdfChar {
    uint32_t cp;
    uint8_t style;
    uint16_t link; /* index + 1 into PdfPage.links; 0: none */
    float x0, x1;
} PdfChar;

typedef struct PdfLine {
    float x0, y0, x1, y1, size, base; /* base: y of the baseline */
    PdfChar *chars;
    size_t len;
    uint8_t style;                /* what all visible characters share */
    bool rtl, turned;             /* not set horizontally */
    bool dropped;                 /* a running head, or taken by a table */
    const struct PdfTable *table; /* the table that begins with this line, or NULL */
    int block;                    /* MuPDF's block; lines of one paragraph mostly share it */
} PdfLine;

typedef struct PdfRule { /* a thin line or the edge of a box */
    float x0, y0, x1, y1;
} PdfRule;

typedef struct PdfPage {
    Arena *arena;
    int64_t page_no;
    float width, height;
    PdfLine *lines;
    size_t len;
    Str *links;
    size_t links_len;
    PdfRule *rules;
    size_t rules_len;
    bool failed; /* cut short by an error */
    bool pictures;
    float picture_share; /* of the page that the largest picture covers */
    int curves;          /* pieces of outlines: many of them may be letters */
    bool rtl;            /* right-to-left letters were seen */
} PdfPage;

typedef struct PdfTitle {
    uint64_t hash;
    int64_t page_no;
    int level;
} PdfTitle;

typedef struct PdfFont {
    const fz_font *font;
    uint8_t style;
} PdfFont;

typedef struct PdfOcr { /* see pdf_ocr.h */
    Arena *arena;       /* of the batch */
    const Json *pages;  /* of the batch */
    int64_t looked_at;  /* pages up to here have been asked for */
    Err failure;        /* why no more are asked for; .code OK: none */
} PdfOcr;

typedef struct PdfReader {
    fz_context *ctx;
    fz_document *doc;
    const DocInput *in;
    Doc *out;
    int64_t pages, wanted, empty, failed, first_empty, first_failed;
    PdfPage ahead[PDF_AHEAD];
    size_t ahead_len;
    uint64_t sizes[PDF_SIZES]; /* characters seen of each size */
    float body;                /* the size most text has */
    PdfFont fonts[PDF_FONTS];  /* of the page being read */
    uint64_t margins[PDF_MARGINS];
    size_t margins_at;
    PdfTitle *titles;
    size_t titles_len;
    PdfOcr ocr;
} PdfReader;

/* pdf_page.c: ERR_LIMIT_MEMORY; a page that MuPDF cannot read gives what came before and p->failed.
 */
ErrCode pdf_page_read(PdfReader *r, int64_t page_no, PdfPage *p);
void pdf_page_done(PdfPage *p);
/* Lower-case letters and digits only: for comparing titles and running heads. `digits`: count them
 * too. */
uint64_t pdf_line_hash(const PdfLine *l, uint64_t before, bool digits);

/* pdf_device.c */
fz_device *pdf_device_new(fz_context *ctx, fz_stext_page *text, PdfPage *p);

/* pdf_bidi.c: puts right-to-left lines into the order of reading. ERR_LIMIT_MEMORY without a
 * message. */
ErrCode pdf_bidi_page(PdfPage *p);
bool pdf_is_rtl(uint32_t cp);

/* pdf_chars.c: kinds of characters; mending what typesetting took apart (accents, drop caps). */
static inline bool pdf_is_space(uint32_t cp)
{
    return cp <= ' ' || cp == 0xA0 || cp == 0x3000;
}
bool pdf_is_lower(uint32_t cp);
bool pdf_is_letter(uint32_t cp);
bool pdf_is_cjk(uint32_t cp);
bool pdf_is_hyphen(uint32_t cp);
uint32_t pdf_first_of(const PdfLine *l);
uint32_t pdf_last_of(const PdfLine *l);
bool pdf_ends_sentence(const PdfLine *l);
bool pdf_same_row(const PdfLine *a, const PdfLine *b);
void pdf_chars_mend(PdfPage *p);

/* pdf_margins.c: drops running heads, page numbers and stamps. */
void pdf_margins_drop(PdfReader *r, PdfPage *p);

/* pdf_heading.c: what so much of a page looks like that it says nothing, and where its blocks end.
 */
enum { PDF_LEVEL_PLAIN = 4 }; /* of a heading that is not larger than the text */
typedef struct PdfLook {
    float *right;   /* per block: how far its lines reach */
    int8_t *levels; /* per line: of the heading that it is, 0: none, -1: not asked yet */
    bool titled;    /* the outline names this page */
    size_t first_title, end_title;
    bool bold, italic, mono;
} PdfLook;
bool pdf_look_learn(const PdfReader *r, PdfPage *p, PdfLook *out); /* false: nothing to look at */
int pdf_heading_level(const PdfReader *r, const PdfLook *look, const PdfPage *p, const PdfLine *l);
/* The first word of `l` would have fitted after the line before, so the break was meant. */
bool pdf_broken_on_purpose(const PdfLook *look, const PdfLine *before, const PdfLine *l);

/* pdf_layout.c */
void pdf_layout(PdfReader *r, PdfPage *p);
/* Write characters [from, to) of a line into the block or cell in hand, with these of their styles.
 */
void pdf_put_line(Doc *out, const PdfPage *p, const PdfLine *l, size_t from, size_t to,
                  uint8_t styles);

/* pdf_table.c: finds tables among the lines and returns, for a line that begins one, how to write
 * it. */
typedef struct PdfTable PdfTable;
void pdf_tables_find(PdfPage *p);
void pdf_table_put(const PdfTable *t, const PdfPage *p, Doc *out);

/* pdf_order.c: sorts the lines when the file does not draw them in the order of reading. After
 * pdf_tables_find. */
void pdf_order_page(PdfPage *p);

/* pdf.c: MuPDF's context, made on first use. */
MUST_CHECK ErrCode pdf_context(fz_context **out, Err *err);

#endif
