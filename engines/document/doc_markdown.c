/* doc_markdown.c: blocks as CommonMark with GitHub's tables and strike-through. The inside of a
 * block: doc_markdown_inline.c. */
#include "document/doc_markdown_in.h"

#include <stdio.h>
#include <string.h>

static void begin(Doc *d)
{
    (void)d;
}

/* --- lists
 *
 * An item stands under the text of the item that holds it: two columns under "- ", three under "1.
 * ". A list that begins again at the same level gets the other delimiter, because CommonMark would
 * join it to the one before. */

static void leave_list(Doc *d)
{
    d->depth = 0;
}

static int item_level(const Doc *d, int wanted)
{
    return wanted < d->depth ? wanted : d->depth;
}

static int item_marker(Doc *d, const DocBlock *b, int level, char out[32])
{
    bool again = level < d->depth;
    int64_t before = again ? d->last_number[level] : -1;
    if (b->number > 0) {
        if (before <= 0)
            d->list_mark[level] = '.';
        else if (b->number != before + 1)
            d->list_mark[level] = d->list_mark[level] == '.' ? ')' : '.';
        int64_t number =
            b->number <= 999999999 ? b->number : 999999999; /* the most CommonMark takes */
        snprintf(out, 32, "%" PRId64 "%c ", number, d->list_mark[level]);
    } else {
        snprintf(out, 32, "- ");
    }
    d->last_number[level] = b->number;
    d->depth = level + 1;
    return (int)strlen(out);
}

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

static void put_item(Doc *d, const DocBlock *b)
{
    char marker[32];
    int level = item_level(d, b->level);
    int left = level > 0 ? d->indent[level - 1] : 0;
    int width = item_marker(d, b, level, marker);
    d->indent[level] = left + width;
    MdPlace place = {.indent = d->indent[level], .line_start = true, .breaks = "\\\n"};
    separate(d, BLOCK_ITEM, false);
    md_put_spaces(d, left);
    doc_starts_here(d, b->page);
    doc_put_c(d, marker);
    md_put_inline(d, &b->span, &place);
}

/* --- the other kinds */

static size_t longest_fence(Str s)
{
    size_t longest = 0, run = 0;
    for (size_t i = 0; i < s.len; i++) {
        run = s.ptr[i] == '`' ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

static void put_code(Doc *d, const DocBlock *b, int indent)
{
    size_t ticks = longest_fence(b->span.text);
    ticks = ticks < 3 ? 3 : ticks + 1;
    for (size_t i = 0; i < ticks; i++)
        doc_put_char(d, '`');
    Str rest = b->span.text, line;
    while (str_next(&rest, '\n', &line)) {
        doc_put_char(d, '\n');
        if (line.len > 0)
            md_put_spaces(d, indent);
        doc_put(d, line);
    }
    doc_put_char(d, '\n');
    md_put_spaces(d, indent);
    for (size_t i = 0; i < ticks; i++)
        doc_put_char(d, '`');
}

static void put_heading(Doc *d, const DocBlock *b)
{
    for (int i = 0; i < b->level; i++)
        doc_put_char(d, '#');
    doc_put_char(d, ' ');
    md_put_inline(d, &b->span, &(MdPlace){.breaks = " ", .heading = true});
}

static void put_quote(Doc *d, const DocBlock *b)
{
    int depth = b->level > 0 ? b->level : 1;
    for (int i = 0; i < depth; i++)
        doc_put(d, STR("> "));
    md_put_inline(d, &b->span, &(MdPlace){.line_start = true, .breaks = "\\\n", .quote = depth});
}

/* A paragraph or code block with a level belongs to the item of the level before; see doc.h. */
static int indent_of(Doc *d, const DocBlock *b)
{
    if (b->kind == BLOCK_ITEM ||
        ((b->kind == BLOCK_PARAGRAPH || b->kind == BLOCK_CODE) && b->level > 0))
        return b->level > 0 && d->depth > 0
                   ? d->indent[(b->level < d->depth ? b->level : d->depth) - 1]
                   : 0;
    leave_list(d);
    return 0;
}

static void block(Doc *d, const DocBlock *b)
{
    if (b->kind == BLOCK_ITEM) {
        put_item(d, b);
        return;
    }
    int indent = indent_of(d, b);
    if (indent == 0)
        leave_list(d);
    separate(d, b->kind, false);
    md_put_spaces(d, indent);
    doc_starts_here(d, b->page);
    switch (b->kind) {
    case BLOCK_HEADING:
        put_heading(d, b);
        break;
    case BLOCK_CODE:
        put_code(d, b, indent);
        break;
    case BLOCK_QUOTE:
        put_quote(d, b);
        break;
    case BLOCK_NOTE:
        doc_text_prefix(d, b);
        md_put_inline(d, &b->span, &(MdPlace){.breaks = "\\\n"});
        break;
    case BLOCK_PARAGRAPH:
    case BLOCK_ITEM:
        md_put_inline(d, &b->span,
                      &(MdPlace){.indent = indent, .line_start = true, .breaks = "\\\n"});
        break;
    }
}

/* --- tables */

static void table_begin(Doc *d)
{
    leave_list(d);
    separate(d, BLOCK_PARAGRAPH, true);
    doc_starts_here(d, d->block.page);
}

/* Markdown has no merged cells: what one says is said again in each place it covers, so that every
 * row can be read by itself. */
static void repeat(Doc *d)
{
    Str text = d->covered_text;
    DocRun whole = {.to = text.len};
    d->repeated += text.len;
    if (text.len > 0 && d->repeated <= DOC_REPEAT_ROW_MAX)
        md_put_inline(d, &(DocSpan){.text = text, .runs = &whole, .runs_len = 1},
                      &(MdPlace){.breaks = "<br>", .cell = true});
}

static void put_cell(Doc *d, const DocCell *c, size_t column)
{
    doc_put_c(d, column > 0 ? " | " : "| ");
    d->row_columns = column + 1;
    if (c == NULL) {
        repeat(d);
        return;
    }
    DocSpan s = doc_cell_span(d, c);
    md_put_inline(d, &s, &(MdPlace){.breaks = "<br>", .cell = true});
}

static void row(Doc *d, const DocRow *r)
{
    if (d->table_rows > 0)
        doc_put_char(d, '\n');
    d->row_columns = d->repeated = 0;
    doc_row_grid(d, r, put_cell);
    size_t full = d->columns <= DOC_PAD_COLUMNS || d->table_rows == 0 ? d->columns : 0;
    d->covered_text = STR("");
    while (d->row_columns < full || d->row_columns == 0)
        put_cell(d, NULL, d->row_columns);
    doc_put(d, STR(" |"));
    if (d->table_rows > 0)
        return;
    doc_put(d, STR("\n|"));
    for (size_t i = 0; i < d->columns; i++)
        doc_put(d, STR(" --- |"));
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

const DocWriter doc_markdown_writer = {
    .format = "markdown",
    .media_type = "text/markdown",
    .extension = "md",
    .begin = begin,
    .block = block,
    .table_begin = table_begin,
    .row = row,
    .table_end = table_end,
    .end = end,
};
