#include "document/doc_in.h"

#include "base/fd.h"

#include <stdio.h>
#include <string.h>

enum { ARENA_BYTES = 128 << 20, OUT_FLUSH = 64 << 10, OUT_MAX = 32 << 20 };

static const DocWriter *writer_of(DocFormat f)
{
    switch (f) {
    case DOC_TEXT:
        return &doc_text_writer;
    case DOC_JSON:
        return &doc_json_writer;
    case DOC_HTML:
        return &doc_html_writer;
    case DOC_EPUB:
        return &doc_epub_writer;
    case DOC_DOCX:
        return &doc_docx_writer;
    case DOC_PDF:
        return &doc_pdf_writer;
    case DOC_MARKDOWN:
        break;
    }
    return &doc_markdown_writer;
}

void doc_fail(Doc *d, ErrCode code, const char *what)
{
    if (d->err.code == OK)
        err_set(&d->err, code, "%s", what);
}

/* "reports/2026 plan.docx" → "2026 plan" */
static Str base_name(const StepCtx *c)
{
    Str name = c->inputs_len > 0 ? c->inputs[0].name : STR("");
    size_t slash = str_rfind_char(name, '/');
    if (slash != STR_NONE)
        name = str_slice(name, slash + 1, name.len);
    size_t dot = str_rfind_char(name, '.');
    if (dot != STR_NONE && dot > 0)
        name = str_slice(name, 0, dot);
    return name.len > 0 ? name : STR("document");
}

static Str output_name(StepCtx *c, Arena *a, const char *extension)
{
    return str_printf(a, STR_FMT ".%s", STR_ARG(base_name(c)), extension);
}

ErrCode doc_open(StepCtx *c, DocFormat format, Doc **out)
{
    return doc_open_with(c, format, &(DocOptions){.style = DOC_STYLE_CLEAN}, out);
}

ErrCode doc_open_with(StepCtx *c, DocFormat format, const DocOptions *options, Doc **out)
{
    Arena *a = arena_open(ARENA_BYTES);
    Doc *d = a != NULL ? arena_new(a, Doc, 1) : NULL;
    if (d == NULL) {
        arena_close(&a);
        return err_set(c->err, ERR_NO_MEMORY, "opening the result");
    }
    *d = (Doc){
        .step = c,
        .writer = writer_of(format),
        .options = *options,
        .arena = a,
        .fd = -1,
        .out = buf_init(a, OUT_MAX),
        .text = buf_init(a, DOC_ROW_MAX),
        .runs = buf_init(a, DOC_ROW_MAX),
        .hrefs = buf_init(a, DOC_ROW_MAX),
        .cells = buf_init(a, 2 * DOC_CELLS_MAX * sizeof(DocCell)),
        .rows = buf_init(a, 2 * DOC_ROWS_HELD * sizeof(DocRow)),
        .places = buf_init(a, DOC_CELLS_MAX * sizeof(DocPlace)),
    };
    Str name = output_name(c, a, d->writer->extension);
    ErrCode rc = name.ptr != NULL ? step_output(c, name, str_from_c(d->writer->media_type), &d->fd)
                                  : err_set(c->err, ERR_NO_MEMORY, "naming the result");
    if (rc != OK) {
        doc_abandon(&d);
        return rc;
    }
    d->writer->begin(d);
    *out = d;
    return OK;
}

void doc_abandon(Doc **d)
{
    if (*d == NULL)
        return;
    if ((*d)->writer->drop != NULL)
        (*d)->writer->drop(*d);
    fd_close(&(*d)->fd);
    Arena *a = (*d)->arena;
    *d = NULL;
    arena_close(&a);
}

static void flush_out(Doc *d)
{
    if (d->out.failed)
        doc_fail(d, ERR_LIMIT_MEMORY, "a block of the document is too long to write");
    if (d->err.code == OK && d->out.len > 0) {
        Err err = {0};
        if (fd_write_all(d->fd, d->out.ptr, d->out.len, &err) != OK)
            d->err = err;
    }
    buf_clear(&d->out);
}

void doc_put_raw(Doc *d, Str s)
{
    if (d->err.code != OK)
        return;
    buf_add(&d->out, s);
    if (d->out.len >= OUT_FLUSH || d->out.failed)
        flush_out(d);
}

void doc_put(Doc *d, Str s)
{
    for (size_t i = 0; i < s.len; i++)
        d->chars += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
    if (!d->muted)
        doc_put_raw(d, s);
}

void doc_put_c(Doc *d, const char *s)
{
    doc_put(d, str_from_c(s));
}

void doc_put_char(Doc *d, char c)
{
    doc_put(d, (Str){&c, 1});
}

bool doc_failed(const Doc *d)
{
    return d->err.code != OK;
}

bool doc_took_text(Doc *d)
{
    bool took = d->took_text;
    d->took_text = false;
    return took;
}

/* --- pages */

Str doc_metadata(const Doc *d, const char *key)
{
    for (size_t i = 0; i < d->meta_len; i++)
        if (strcmp(d->meta[i].key, key) == 0)
            return d->meta[i].value;
    return STR("");
}

Str doc_title(const Doc *d)
{
    Str own = doc_metadata(d, "title");
    return d->options.title.len > 0 ? d->options.title : own.len > 0 ? own : base_name(d->step);
}

void doc_page(Doc *d, int64_t page_no)
{
    if (d->block_open && !d->cell_open)
        doc_end(d);
    if (page_no < 1 || d->inside > 0)
        return;
    d->page = page_no;
    d->pages_seen++;
}

void doc_pages_total(Doc *d, int64_t pages)
{
    if (d->inside == 0)
        d->pages_total = pages;
}

int64_t doc_pages(const Doc *d)
{
    return d->pages_total > 0 ? d->pages_total : d->pages_seen;
}

void doc_starts_here(Doc *d, int64_t page)
{
    d->block_starts = d->chars;
    while ((int64_t)d->page_starts_len < page && d->page_starts_len < DOC_PAGE_STARTS_MAX)
        d->page_starts[d->page_starts_len++] = d->chars;
}

/* --- blocks */

static void clear_hand(Doc *d)
{
    buf_clear(&d->text);
    buf_clear(&d->runs);
    buf_clear(&d->hrefs);
    buf_clear(&d->cells);
    buf_clear(&d->rows);
    doc_inline_start(d);
}

static void count_text(Doc *d, Str text)
{
    d->words += doc_count_words(text);
    d->characters += (int64_t)str_count_utf8(text);
}

static DocSpan trim_code(DocSpan s)
{
    while (s.text.len > 0 && s.text.ptr[s.text.len - 1] <= ' ' && s.text.ptr[s.text.len - 1] > 0)
        s.text.len--;
    while (s.text.len > 0 && s.text.ptr[0] == '\n') {
        s.text = str_slice(s.text, 1, s.text.len);
        s.base++;
    }
    return s;
}

void doc_end(Doc *d)
{
    if (d->cell_open) {
        d->pending = d->text.len > d->span_from ? PENDING_BREAK : PENDING_NONE;
        return;
    }
    if (!d->block_open)
        return;
    d->block_open = false;
    d->block.span = doc_inline_span(d);
    if (d->block.kind == BLOCK_CODE)
        d->block.span = trim_code(d->block.span);
    if (d->err.code == OK && d->block.span.text.len > 0) {
        count_text(d, d->block.span.text);
        d->blocks++;
        d->writer->block(d, &d->block);
    }
    clear_hand(d);
}

static void begin(Doc *d, BlockKind kind, int level, int64_t number)
{
    if (d->table_open && !d->cell_open)
        doc_cell(d, 1, 1);
    if (d->cell_open) { /* blocks inside a cell become lines of it */
        doc_end(d);
        d->marks = 0;
        memset(d->mark_depth, 0, sizeof d->mark_depth);
        if (kind == BLOCK_ITEM) {
            char prefix[32];
            int n = number > 0 ? snprintf(prefix, sizeof prefix, "%" PRId64 ". ", number)
                               : snprintf(prefix, sizeof prefix, "\xE2\x80\xA2 ");
            doc_text(d, (Str){prefix, (size_t)n});
        }
        return;
    }
    doc_end(d);
    if (d->err.code != OK)
        return;
    clear_hand(d);
    int most = kind == BLOCK_HEADING ? 6 : kind == BLOCK_NOTE ? INT32_MAX : DOC_LEVELS - 1;
    int least = kind == BLOCK_HEADING ? 1 : 0;
    level += kind == BLOCK_HEADING ? d->inside : 0;
    level = level < least ? least : level > most ? most : level;
    d->block = (DocBlock){.kind = kind, .level = level, .number = number, .page = d->page};
    d->block_open = true;
}

void doc_begin(Doc *d, BlockKind kind, int level)
{
    begin(d, kind, level, 0);
}

void doc_item(Doc *d, int level, int64_t number)
{
    begin(d, BLOCK_ITEM, level, number > 0 ? number : 0);
}

/* --- tables */

void doc_table(Doc *d)
{
    if (d->cell_open) {
        d->nested++;
        doc_end(d);
        return;
    }
    doc_table_end(d);
    doc_end(d);
    if (d->err.code != OK)
        return;
    clear_hand(d);
    d->table_open = true;
    d->table_written = d->table_text = false;
    d->table_rows = 0;
    d->columns = 0;
    memset(d->owner, 0, sizeof d->owner);
    d->block = (DocBlock){.page = d->page};
}

DocSpan doc_cell_span(const Doc *d, const DocCell *c)
{
    return (DocSpan){
        .text = str_slice(buf_str(&d->text), c->text_from, c->text_to),
        .runs = (const DocRun *)(void *)d->runs.ptr + c->run_from,
        .runs_len = c->run_to - c->run_from,
        .base = c->text_from,
    };
}

const DocCell *doc_cells(const Doc *d, const DocRow *row, size_t *len)
{
    *len = row->cell_to - row->cell_from;
    return (const DocCell *)(void *)d->cells.ptr + row->cell_from;
}

static void end_cell(Doc *d)
{
    if (!d->cell_open)
        return;
    d->cell_open = false;
    d->nested = 0;
    DocCell *cells = (DocCell *)(void *)d->cells.ptr;
    DocCell *c = &cells[d->cells.len / sizeof(DocCell) - 1];
    c->text_to = d->text.len;
    c->run_to = d->runs.len / sizeof(DocRun);
    Str text = str_slice(buf_str(&d->text), c->text_from, c->text_to);
    if (text.len > 0) {
        d->table_text = true;
        count_text(d, text);
    }
    doc_inline_start(d);
}

static void count_column(Doc *d, const DocCell *c, size_t column)
{
    size_t end = column + (c != NULL && c->colspan > 1 ? (size_t)c->colspan : 1);
    if (end > d->columns)
        d->columns = end;
}

/* Write the rows in hand; the first time, begin the table with the number of columns they show. */
static void write_rows(Doc *d)
{
    const DocRow *rows = (const DocRow *)(void *)d->rows.ptr;
    size_t count = d->rows.len / sizeof(DocRow);
    if (d->table_text && !d->table_written) {
        d->table_written = true;
        doc_grid_forget(d);
        for (size_t i = 0; i < count; i++)
            doc_row_grid(d, &rows[i], count_column);
        doc_grid_forget(d);
        d->blocks++;
        d->writer->table_begin(d);
    }
    for (size_t i = 0; i < count && d->table_written && d->err.code == OK; i++, d->table_rows++)
        d->writer->row(d, &rows[i]);
    clear_hand(d);
    memset(d->owner, 0, sizeof d->owner);
}

static void end_row(Doc *d)
{
    if (!d->row_open)
        return;
    end_cell(d);
    d->row_open = false;
    DocRow *rows = (DocRow *)(void *)d->rows.ptr;
    size_t count = d->rows.len / sizeof(DocRow);
    rows[count - 1].cell_to = d->cells.len / sizeof(DocCell);
    size_t held = d->cells.len + d->runs.len + d->text.len;
    if (count >= DOC_ROWS_HELD || held >= DOC_ROWS_HELD_BYTES)
        write_rows(d);
}

void doc_row(Doc *d)
{
    if (d->nested > 0) {
        doc_end(d);
        return;
    }
    if (d->err.code != OK)
        return;
    if (!d->table_open)
        doc_table(d);
    end_row(d);
    DocRow row = {.cell_from = d->cells.len / sizeof(DocCell)};
    buf_add(&d->rows, (Str){(const char *)&row, sizeof row});
    if (d->rows.failed) {
        doc_fail(d, ERR_LIMIT_MEMORY, "keeping the rows of a table");
        return;
    }
    d->row_open = true;
    d->row_column = 0;
}

static int clamp_span(int span)
{
    return span < 1 ? 1 : span > DOC_SPAN_MAX ? DOC_SPAN_MAX : span;
}

void doc_cell(Doc *d, int colspan, int rowspan)
{
    if (d->nested > 0) {
        if (d->pending == PENDING_NONE)
            d->pending = PENDING_SPACE;
        return;
    }
    end_cell(d);
    if (!d->row_open)
        doc_row(d);
    if (d->err.code != OK)
        return;
    const DocRow *rows = (const DocRow *)(void *)d->rows.ptr;
    size_t index = d->cells.len / sizeof(DocCell);
    if (index - rows[d->rows.len / sizeof(DocRow) - 1].cell_from >= DOC_CELLS_MAX) {
        doc_fail(d, ERR_LIMIT_COUNT, "a table row has more than 65536 cells");
        return;
    }
    DocCell c = {.text_from = d->text.len,
                 .run_from = d->runs.len / sizeof(DocRun),
                 .colspan = clamp_span(colspan),
                 .rowspan = clamp_span(rowspan)};
    buf_add(&d->cells, (Str){(const char *)&c, sizeof c});
    if (d->cells.failed) {
        doc_fail(d, ERR_LIMIT_MEMORY, "keeping the cells of a table");
        return;
    }
    d->cell_open = true;
    for (int k = 0; k < c.colspan; k++, d->row_column++)
        if (d->row_column < DOC_OWNERS_MAX)
            d->owner[d->row_column] = (uint32_t)index + 1;
    doc_inline_start(d);
}

void doc_cell_below(Doc *d, int colspan)
{
    DocCell *cells = (DocCell *)(void *)d->cells.ptr;
    size_t column = d->row_column;
    uint32_t owner = column < DOC_OWNERS_MAX && d->row_open ? d->owner[column] : 0;
    bool same = owner > 0 && cells[owner - 1].colspan == clamp_span(colspan) &&
                (column == 0 || d->owner[column - 1] != owner);
    if (d->nested > 0 || !same || cells[owner - 1].rowspan == DOC_SPAN_MAX) {
        doc_cell(d, colspan, 1); /* the rows above are written already, or do not fit */
        return;
    }
    end_cell(d);
    cells[owner - 1].rowspan++;
    d->row_column += (size_t)cells[owner - 1].colspan;
}

void doc_table_end(Doc *d)
{
    if (d->nested > 0) {
        d->nested--;
        doc_end(d);
        return;
    }
    if (!d->table_open)
        return;
    end_row(d);
    if (d->err.code == OK && d->rows.len > 0)
        write_rows(d);
    if (d->err.code == OK && d->table_written)
        d->writer->table_end(d);
    d->table_open = d->row_open = d->cell_open = false;
    clear_hand(d);
}

/* --- the end */

ErrCode doc_close(Doc **doc)
{
    Doc *d = *doc;
    d->nested = 0; /* whatever was left open ends here */
    doc_table_end(d);
    doc_end(d);
    doc_starts_here(d, d->page);
    d->writer->end(d);
    flush_out(d);
    if (d->err.code == OK && d->characters == 0)
        doc_fail(d, ERR_NO_TEXT, "the file holds no text");
    ErrCode rc = d->err.code;
    if (rc != OK) {
        if (d->step->err != NULL)
            *d->step->err = d->err;
    } else if (d->step->data != NULL) {
        doc_put_totals(d, d->step->data);
    }
    if (rc == OK && d->options.totals != NULL)
        *d->options.totals = (DocTotals){doc_pages(d), d->words, d->characters, d->blocks};
    doc_abandon(doc);
    return rc;
}
