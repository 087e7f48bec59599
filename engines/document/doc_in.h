/* doc_in.h: the inside of the sink, shared by doc*.c.
 *
 *   doc.c           opening, blocks, tables, totals
 *   doc_facts.c     metadata, files within the file, fields of forms, the result's data
 *   doc_grid.c      where the cells of a row stand, with spans
 *   doc_inline.c    text and marks of the block in hand: folding of white space, runs, words
 *   doc_markdown.c  doc_text.c  doc_json.c  doc_html.c  doc_epub.c  doc_docx.c   the writers
 *
 * The block in hand (or the rows in hand, when a table is being read) lies in d->text; runs say
 * which marks a stretch of it carries. A writer gets it as DocSpan and writes with doc_put. */
#ifndef PLATEN_DOCUMENT_DOC_IN_H
#define PLATEN_DOCUMENT_DOC_IN_H

#include "document/doc.h"

enum {
    DOC_BLOCK_MAX = 1 << 20, /* bytes; a longer block is written as several */
    DOC_ROW_MAX = 16 << 20,  /* bytes of one table row */
    DOC_CELLS_MAX = 1 << 16, /* cells of one row */
    DOC_ROWS_HELD = 64,      /* rows kept to learn the number of columns */
    DOC_ROWS_HELD_BYTES = 1 << 18,
    DOC_SPAN_MAX = 1000, /* the largest colspan and rowspan, as in HTML */
    DOC_META_MAX = 32,
    DOC_FIELDS_MAX = 500,
    DOC_FIELDS_BYTES = 32 << 10, /* their texts together: the result's data must fit a message */
    DOC_OCR_PAGES_MAX = 1000,
    DOC_ENTER_MAX = 8,
    DOC_META_VALUE_MAX = 2000,
    DOC_PAGE_STARTS_MAX = 4000,
    DOC_LEVELS = 16,
    DOC_REPEAT_MAX = 100, /* bytes of a cell that are repeated where it covers others */
    DOC_OWNERS_MAX = 256, /* columns whose cells can be lengthened downwards */
    DOC_REPEAT_ROW_MAX = 4096,
    DOC_PAD_COLUMNS = 64, /* wider tables are not padded to a rectangle */
};

typedef struct DocRun {
    size_t from, to; /* bytes in d->text */
    unsigned marks;  /* 1u << MarkKind */
    size_t href;     /* where its link lies in d->hrefs; meaningful with MARK_LINK only */
} DocRun;

typedef struct DocSpan {
    Str text;
    const DocRun *runs; /* cover the text without gaps; offsets are relative to `base` */
    size_t runs_len;
    size_t base;
} DocSpan;

typedef struct DocBlock {
    BlockKind kind;
    int level;
    int64_t number; /* BLOCK_ITEM; 0: a bullet */
    int64_t page;
    DocSpan span;
} DocBlock;

typedef struct DocCell {
    size_t text_from, text_to, run_from, run_to;
    int colspan, rowspan;
} DocCell;

typedef struct DocPlace {
    int64_t from, to; /* characters of the output */
} DocPlace;

/* A column that a cell from above still covers, and what that cell says when it is short. */
typedef struct DocCovered {
    int rows; /* below */
    uint8_t len;
    char text[DOC_REPEAT_MAX];
} DocCovered;

typedef struct DocRow {
    size_t cell_from, cell_to;
} DocRow;

typedef struct DocWriter {
    const char *format, *media_type, *extension;
    void (*begin)(Doc *d);
    void (*block)(Doc *d, const DocBlock *b);
    void (*table_begin)(Doc *d);
    void (*row)(Doc *d, const DocRow *row);
    void (*table_end)(Doc *d);
    void (*end)(Doc *d);
    void (*drop)(Doc *d); /* what the arena does not hold; or NULL */
} DocWriter;

extern const DocWriter doc_markdown_writer, doc_text_writer, doc_json_writer;
extern const DocWriter doc_html_writer, doc_epub_writer, doc_docx_writer, doc_pdf_writer;

typedef enum DocPending { PENDING_NONE, PENDING_SPACE, PENDING_BREAK } DocPending;

struct Doc {
    StepCtx *step;
    const DocWriter *writer;
    Arena *arena;
    Err err; /* the first failure */
    int fd;
    Buf out;
    int64_t chars; /* code points put so far */
    bool muted;    /* doc_put counts and does not write */
    JsonOut json;  /* doc_json.c: writes into `out` */

    /* the block or the rows in hand */
    bool block_open, table_open, row_open, cell_open;
    int nested; /* tables open inside the cell */
    DocBlock block;
    Buf text, runs, hrefs;
    Buf cells, rows; /* of DocCell, of DocRow */
    DocPending pending;
    size_t span_from, run_from; /* where the block or cell in hand begins */
    unsigned marks;
    int mark_depth[MARK_COUNT];
    size_t href;

    /* the table in hand */
    bool table_written; /* its beginning is out */
    bool table_text;
    int64_t table_rows;
    size_t columns;
    size_t row_column;              /* where the next cell of the row in hand begins */
    uint32_t owner[DOC_OWNERS_MAX]; /* per column: 1 + the cell in hand that holds it, 0: none */
    DocCovered *covered;            /* per column */
    size_t covered_cap;
    Str covered_text; /* of the cell that covers the place being put */

    DocOptions options;
    void *own; /* what a writer keeps besides the next ones */

    /* files within the file */
    int inside;                       /* how many doc_enter are open */
    Str inside_name;                  /* joined; "" outside */
    size_t inside_cut[DOC_ENTER_MAX]; /* the name's length before each */

    /* the writer's own */
    int64_t block_starts; /* d->chars where the block in hand began */
    bool any_out;         /* a separator is needed before the next block */
    BlockKind last_kind;
    bool last_table;
    int indent[DOC_LEVELS + 1]; /* columns before an item's text, by level */
    int64_t last_number[DOC_LEVELS];
    char list_mark[DOC_LEVELS];
    int depth;          /* levels open in the list in hand */
    size_t row_columns; /* put so far in the row in hand */
    Buf places;         /* of DocPlace: where each cell of the row came to stand, in plain text */

    size_t repeated; /* bytes of merged cells said again in that row */

    /* totals */
    int64_t page, pages_seen, pages_total;
    int64_t words, characters, blocks;
    int64_t fields_seen; /* those beyond the first are counted */
    size_t fields_len, fields_bytes;
    DocField *fields;
    struct {
        int64_t page;
        double confidence;
    } * ocr_pages;
    size_t ocr_pages_len;
    bool took_text;
    int64_t page_starts[DOC_PAGE_STARTS_MAX];
    size_t page_starts_len;
    struct {
        const char *key;
        Str value;
    } meta[DOC_META_MAX];
    size_t meta_len;
};

/* doc_facts.c */
void doc_put_totals(Doc *d, JsonOut *j);
void doc_put_metadata(const Doc *d, JsonOut *j);
void doc_put_fields(const Doc *d, JsonOut *j);

/* doc.c */
void doc_fail(Doc *d, ErrCode code, const char *what);
void doc_put(Doc *d, Str s); /* to the output, counted */
void doc_put_c(Doc *d, const char *s);
void doc_put_char(Doc *d, char c);
void doc_put_raw(Doc *d, Str s); /* to the output, not counted: JSON's own frame */
/* The writer stands where a block of this page begins (after separators). */
void doc_starts_here(Doc *d, int64_t page);
int64_t doc_pages(const Doc *d);
DocSpan doc_cell_span(const Doc *d, const DocCell *c);
const DocCell *doc_cells(const Doc *d, const DocRow *row, size_t *len);
Str doc_run_href(const Doc *d, const DocRun *r);

/* doc_grid.c: the cells of a row as they stand in the grid. `put` gets NULL for a place that a span
 * covers; d->covered_text is then what the covering cell says, or "" when that is long. */
void doc_row_grid(Doc *d, const DocRow *row, void (*put)(Doc *d, const DocCell *c, size_t column));
void doc_grid_forget(Doc *d); /* a table begins */

/* doc_inline.c */
void doc_inline_start(Doc *d);
DocSpan doc_inline_span(Doc *d);
/* Words: runs of letters and digits between white space; each Han, Hiragana or Katakana character
 * counts as one. */
int64_t doc_count_words(Str text);

/* The document's title: the one asked for, its own, or the file's name without its ending. */
Str doc_title(const Doc *d);
Str doc_metadata(const Doc *d, const char *key); /* or "" */

/* doc_text.c: the line prefix of an item or note in plain text ("  - ", "[2] "). */
void doc_text_prefix(Doc *d, const DocBlock *b);

#endif
