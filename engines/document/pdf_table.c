#include "document/pdf_table_in.h"

#include <stdlib.h>
#include <string.h>

size_t pdf_parts_of(PdfLine *l, float gap, PdfPart *out, size_t room)
{
    size_t count = 0;
    bool open = false;
    float end = 0;
    for (size_t i = 0; i < l->len; i++) {
        const PdfChar *c = &l->chars[i];
        if (pdf_is_space(c->cp))
            continue;
        if (open && c->x0 - end > gap * l->size)
            open = false;
        if (!open) {
            if (count == room)
                return count;
            out[count++] = (PdfPart){.line = l, .from = i, .x0 = c->x0};
            open = true;
        }
        out[count - 1].to = i + 1;
        out[count - 1].x1 = end = c->x1;
    }
    return count;
}

static int by_place(const void *a, const void *b)
{
    const PdfPart *x = a, *y = b;
    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    if (x->column != y->column)
        return x->column < y->column ? -1 : 1;
    float dy = x->line->base - y->line->base;
    if (dy < -2 || dy > 2)
        return dy < 0 ? -1 : 1;
    return x->x0 < y->x0 ? -1 : x->x0 > y->x0;
}

/* Rows or columns without a single part go; the rest moves up. */
static int close_gaps(PdfPart *parts, size_t len, int count, bool rows)
{
    int place[TABLE_ROWS_MAX + 1] = {0}, used = 0;
    for (size_t i = 0; i < len; i++)
        place[rows ? parts[i].row : parts[i].column] = 1;
    for (int i = 0; i < count; i++)
        place[i] = place[i] ? used++ : -1;
    for (size_t i = 0; i < len; i++) {
        if (rows)
            parts[i].row = place[parts[i].row];
        else
            parts[i].column = place[parts[i].column];
    }
    return used;
}

void pdf_table_make(PdfPage *p, PdfPart *parts, size_t len, int rows, int columns,
                    const uint8_t *spans)
{
    PdfTable *t = arena_new(p->arena, PdfTable, 1);
    PdfPart *own = arena_new(p->arena, PdfPart, len);
    if (t == NULL || own == NULL || len == 0 || rows > TABLE_ROWS_MAX ||
        columns > TABLE_COLUMNS_MAX)
        return;
    memcpy(own, parts, len * sizeof *own);
    int full = columns;
    if (spans == NULL) {
        rows = close_gaps(own, len, rows, true);
        columns = close_gaps(own, len, columns, false);
    }
    t->spans = arena_new(p->arena, uint8_t, (size_t)rows * (size_t)columns);
    if (t->spans == NULL)
        return;
    memset(t->spans, 1, (size_t)rows * (size_t)columns);
    if (spans != NULL)
        memcpy(t->spans, spans, (size_t)rows * (size_t)full);
    qsort(own, len, sizeof *own, by_place);
    t->parts = own;
    t->len = len;
    t->rows = rows;
    t->columns = columns;
    PdfLine *first = own[0].line;
    for (size_t i = 0; i < len; i++) {
        own[i].line->dropped = true;
        if (own[i].line < first)
            first = own[i].line;
    }
    first->table = t;
}

void pdf_tables_find(PdfPage *p)
{
    pdf_grids_find(p);
    pdf_columns_find(p);
}

void pdf_table_put(const PdfTable *t, const PdfPage *p, Doc *out)
{
    size_t i = 0;
    doc_table(out);
    for (int r = 0; r < t->rows; r++) {
        doc_row(out);
        for (int c = 0; c < t->columns; c++) {
            int span = t->spans[r * t->columns + c];
            if (span == 0)
                continue;
            doc_cell(out, span, 1);
            for (; i < t->len && t->parts[i].row == r && t->parts[i].column < c + span; i++) {
                doc_text(out, STR(" "));
                pdf_put_line(out, p, t->parts[i].line, t->parts[i].from, t->parts[i].to,
                             r > 0 ? PDF_BOLD | PDF_ITALIC
                                   : 0); /* the head is bold by being the head */
            }
        }
        while (i < t->len && t->parts[i].row == r)
            i++;
    }
    doc_table_end(out);
}
