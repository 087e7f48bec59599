#include "document/doc_in.h"

#include <string.h>

void doc_grid_forget(Doc *d)
{
    if (d->covered_cap > 0)
        memset(d->covered, 0, d->covered_cap * sizeof *d->covered);
}

static bool want_columns(Doc *d, size_t columns)
{
    if (columns <= d->covered_cap)
        return true;
    size_t cap = columns < 64 ? 64 : columns * 2;
    size_t size = sizeof *d->covered;
    DocCovered *grown = arena_grow(d->arena, d->covered, d->covered_cap * size, cap * size);
    if (grown == NULL) {
        doc_fail(d, ERR_LIMIT_MEMORY, "keeping the spans of a table");
        return false;
    }
    memset(grown + d->covered_cap, 0, (cap - d->covered_cap) * size);
    d->covered = grown;
    d->covered_cap = cap;
    return true;
}

/* Long text is not repeated: it would say twice what is said once. */
static Str short_text(const Doc *d, const DocCell *c)
{
    Str text = doc_cell_span(d, c).text;
    return text.len <= DOC_REPEAT_MAX ? text : STR("");
}

static void cover_below(Doc *d, const DocCell *c, size_t column)
{
    size_t span = (size_t)c->colspan;
    if (c->rowspan < 2 || !want_columns(d, column + span))
        return;
    Str text = short_text(d, c);
    for (size_t k = column; k < column + span; k++) {
        d->covered[k].rows = c->rowspan - 1;
        d->covered[k].len = (uint8_t)text.len;
        if (text.len > 0)
            memcpy(d->covered[k].text, text.ptr, text.len);
    }
}

/* Put the places from `column` on that are covered from above; returns the first that is not. */
static size_t put_covered(Doc *d, size_t column,
                          void (*put)(Doc *d, const DocCell *c, size_t column))
{
    for (; column < d->covered_cap && d->covered[column].rows > 0; column++) {
        d->covered[column].rows--;
        d->covered_text = (Str){d->covered[column].text, d->covered[column].len};
        put(d, NULL, column);
    }
    return column;
}

void doc_row_grid(Doc *d, const DocRow *row, void (*put)(Doc *d, const DocCell *c, size_t column))
{
    size_t len, column = 0;
    const DocCell *cells = doc_cells(d, row, &len);
    for (size_t i = 0; i < len; i++) {
        column = put_covered(d, column, put);
        put(d, &cells[i], column);
        cover_below(d, &cells[i], column);
        d->covered_text = short_text(d, &cells[i]);
        for (int k = 1; k < cells[i].colspan; k++)
            put(d, NULL, column + (size_t)k);
        column += (size_t)cells[i].colspan;
    }
    column = put_covered(d, column, put);
    for (; column < d->covered_cap; column++)
        if (d->covered[column].rows > 0)
            d->covered[column].rows--;
}
