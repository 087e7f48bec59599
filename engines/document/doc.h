/* doc.h: a document as a stream of blocks, written out as it is read.
 *
 * A reader (pdf.c, docx.c, html.c …) calls these functions in reading order; the sink writes text,
 * Markdown or JSON to the output at once and keeps nothing but the block in hand and small totals.
 * So memory does not grow with pages, rows or cells.
 *
 *   doc_page(d, 1);
 *   doc_begin(d, BLOCK_HEADING, 2);  doc_text(d, STR("Results"));  doc_end(d);
 *   doc_begin(d, BLOCK_PARAGRAPH, 0);
 *   doc_text(d, STR("see "));  doc_mark(d, MARK_LINK, href);  doc_text(d, STR("the table"));
 * doc_unmark(d, MARK_LINK); doc_end(d); doc_table(d);  doc_row(d);  doc_cell(d, 1, 1);  doc_text(d,
 * STR("a"));  …  doc_table_end(d);
 *
 * The rules a reader may rely on: white space in doc_text is folded to single spaces (BLOCK_CODE
 * keeps it); doc_break is a line break inside a block; a block without text vanishes; invalid UTF-8
 * becomes U+FFFD; a doc_begin without doc_end ends the block before. Blocks inside a cell become
 * lines of the cell. Tables in tables become text of the outer cell. The sink remembers its first
 * failure (disk, limits, memory); every call after it does nothing; doc_close reports it.
 *
 * Marks end with their block. A block longer than 1 MiB is written as several of its kind.
 *
 * Every block carries its page and its exact range [from, to) in characters (Unicode code points)
 * of the written output. */
#ifndef PLATEN_DOCUMENT_DOC_H
#define PLATEN_DOCUMENT_DOC_H

#include "kit/kit.h"

typedef struct Doc Doc;

typedef enum DocFormat {
    DOC_MARKDOWN,
    DOC_TEXT,
    DOC_JSON,
    DOC_HTML,
    DOC_EPUB,
    DOC_DOCX,
    DOC_PDF
} DocFormat;

typedef enum BlockKind {
    BLOCK_PARAGRAPH, /* level n > 0: a further paragraph of the list item of level n - 1 */
    BLOCK_HEADING,   /* level 1 to 6 */
    BLOCK_ITEM,      /* list item; level 0 is the outermost; see doc_item */
    BLOCK_CODE,
    BLOCK_QUOTE,
    BLOCK_NOTE, /* footnote, speaker note, comment */
} BlockKind;

typedef enum MarkKind {
    MARK_BOLD,
    MARK_ITALIC,
    MARK_CODE,
    MARK_STRIKE,
    MARK_LINK,
    MARK_COUNT
} MarkKind;

/* Open the sink on a new output of the step. `c` must outlive it. Memory: a scratch arena of its
 * own. */
MUST_CHECK ErrCode doc_open(StepCtx *c, DocFormat format, Doc **out);
/* Finish the output and write totals into c->data: format, pages, words, characters, blocks,
 * metadata{…}. ERR_NO_TEXT when not one character of text came. Closes *d either way. */
MUST_CHECK ErrCode doc_close(Doc **d);
void doc_abandon(Doc **d); /* for CLEANUP */

/* How the output looks, where its format knows of looks; and what doc_close tells of it. */
typedef enum DocStyle { DOC_STYLE_CLEAN, DOC_STYLE_BOOK, DOC_STYLE_NONE } DocStyle;
typedef struct DocTotals {
    int64_t pages, words, characters, blocks;
} DocTotals;
typedef struct DocOptions {
    Str title; /* instead of the document's own; or "" */
    DocStyle style;
    float paper_width, paper_height, margin; /* points; width 0: A4 with margins of its own */
    int pdf_a;                               /* 0: none; 1 to 3: PDF/A-1b, -2b, -3b */
    DocTotals *totals;                       /* filled by doc_close when it succeeds; or NULL */
} DocOptions;
/* As doc_open. The options are copied; what they point at must outlive the sink. */
MUST_CHECK ErrCode doc_open_with(StepCtx *c, DocFormat format, const DocOptions *options,
                                 Doc **out);

/* Metadata; well-known keys: title, author, subject, keywords, language (BCP 47), created, modified
 * (RFC 3339), generator. The first value of a key counts; an empty value is ignored. May be called
 * at any time before doc_close. */
void doc_meta(Doc *d, const char *key, Str value);
/* What follows lies on this page (slide, sheet, spine item), counted from 1. Pages seen are
 * counted. */
void doc_page(Doc *d, int64_t page_no);
void doc_pages_total(Doc *d, int64_t pages); /* when the file says how many it has */

/* What follows lies in a file within the file, until doc_leave: its blocks carry its name, its
 * pages and metadata do not count as the outer file's, its headings stand below the one that names
 * it. Whatever the inner reader left open ends. Files in files have their names joined by "/". */
void doc_enter(Doc *d, Str name);
void doc_leave(Doc *d);

/* A field of a form, for the result's `form_fields`. The first DOC_FIELDS_MAX are kept. */
typedef struct DocField {
    Str name, kind, value; /* kind: text, checkbox, radio, choice, button, signature, date … */
    int64_t page;          /* 0: not known */
} DocField;
void doc_field(Doc *d, DocField f);

/* Text of the page in hand was read by OCR, with this confidence (0 to 1). */
void doc_page_by_ocr(Doc *d, double confidence);

void doc_begin(Doc *d, BlockKind kind, int level);
/* A list item: number 0 is a bullet, otherwise the item's number. */
void doc_item(Doc *d, int level, int64_t number);
void doc_end(Doc *d);
void doc_text(Doc *d, Str utf8);
void doc_break(Doc *d);
void doc_mark(Doc *d, MarkKind kind,
              Str href); /* href for MARK_LINK; only http, https, mailto and relative are kept */
void doc_unmark(Doc *d, MarkKind kind);

/* A table: rows of cells. The first row is the header. Spans of 0 count as 1. */
void doc_table(Doc *d);
void doc_row(Doc *d);
void doc_cell(Doc *d, int colspan, int rowspan);
/* The cell above reaches down into this row: for formats that say so below it instead of there. Such
 * tables give no rowspans. */
void doc_cell_below(Doc *d, int colspan);
void doc_table_end(Doc *d);

bool doc_failed(const Doc *d); /* stop early: nothing more will be written */
/* Did any text arrive since the call before? For per-page decisions. */
bool doc_took_text(Doc *d);

#endif
