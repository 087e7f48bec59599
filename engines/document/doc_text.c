#include "document/doc_in.h"

#include <stdio.h>

static void begin(Doc *d)
{
    (void)d;
}

/* One empty line between blocks; none between the items of a list. */
static void separate(Doc *d, BlockKind kind, bool table)
{
    if (d->any_out) {
        bool in_list = kind == BLOCK_ITEM && d->last_kind == BLOCK_ITEM && !table && !d->last_table;
        doc_put(d, in_list ? STR("\n") : STR("\n\n"));
    }
    d->any_out = true;
    d->last_kind = kind;
    d->last_table = table;
}

void doc_text_prefix(Doc *d, const DocBlock *b)
{
    char number[32];
    if (b->kind == BLOCK_ITEM) {
        for (int i = 0; i < b->level; i++)
            doc_put(d, STR("  "));
        snprintf(number, sizeof number, b->number > 0 ? "%" PRId64 ". " : "- ", b->number);
        doc_put_c(d, number);
    } else if (b->kind == BLOCK_NOTE) {
        snprintf(number, sizeof number, b->level > 0 ? "[%d] " : "[note] ", b->level);
        doc_put_c(d, number);
    }
}

static void block(Doc *d, const DocBlock *b)
{
    separate(d, b->kind, false);
    doc_starts_here(d, b->page);
    doc_text_prefix(d, b);
    if (b->kind != BLOCK_ITEM) {
        doc_put(d, b->span.text);
        return;
    }
    Str rest = b->span.text, line;
    for (bool first = true; str_next(&rest, '\n', &line); first = false) {
        if (!first) {
            doc_put_char(d, '\n');
            for (int i = 0; i <= b->level; i++)
                doc_put(d, STR("  "));
        }
        doc_put(d, line);
    }
}

static void table_begin(Doc *d)
{
    separate(d, BLOCK_PARAGRAPH, true);
    doc_starts_here(d, d->block.page);
}

/* A line per row, so a break inside a cell becomes a space. */
static void put_cell(Doc *d, const DocCell *c, size_t column)
{
    if (c == NULL)
        return;
    for (; d->row_columns < column; d->row_columns++)
        doc_put_char(d, '\t');
    DocPlace place = {.from = d->chars};
    Str rest = doc_cell_span(d, c).text, line;
    for (bool first = true; str_next(&rest, '\n', &line); first = false) {
        if (!first)
            doc_put_char(d, ' ');
        doc_put(d, line);
    }
    place.to = d->chars;
    buf_add(&d->places, (Str){(const char *)&place, sizeof place});
}

static void row(Doc *d, const DocRow *r)
{
    if (d->table_rows > 0)
        doc_put_char(d, '\n');
    buf_clear(&d->places);
    d->row_columns = 0;
    doc_row_grid(d, r, put_cell);
}

static void table_end(Doc *d)
{
    (void)d;
}

static void end(Doc *d)
{
    if (d->any_out)
        doc_put_char(d, '\n');
}

const DocWriter doc_text_writer = {
    .format = "text",
    .media_type = "text/plain",
    .extension = "txt",
    .begin = begin,
    .block = block,
    .table_begin = table_begin,
    .row = row,
    .table_end = table_end,
    .end = end,
};
