#include "document/prose.h"

static int top(const Prose *p)
{
    return p->depth < PROSE_LISTS ? p->depth - 1 : PROSE_LISTS - 1;
}

void prose_end(Prose *p)
{
    if (p->open)
        doc_end(p->out);
    p->open = p->kept = false;
}

void prose_block(Prose *p, BlockKind kind, int level)
{
    prose_end(p);
    p->kept = true;
    p->kind = kind;
    p->level = level;
}

static void begin(Prose *p)
{
    if (p->open)
        return;
    bool item = p->depth > 0 && p->lists[top(p)].fresh;
    if (p->kept && p->kind == BLOCK_HEADING) {
        doc_begin(p->out, BLOCK_HEADING, p->level);
    } else if (item && !(p->kept && p->kind == BLOCK_CODE)) {
        doc_item(p->out, top(p), p->lists[top(p)].ordered ? p->lists[top(p)].number : 0);
    } else if (p->kept && p->kind == BLOCK_CODE) {
        doc_begin(p->out, BLOCK_CODE, p->depth > 0 ? top(p) + 1 : 0);
    } else if (p->quotes > 0) {
        doc_begin(p->out, BLOCK_QUOTE, p->quotes);
    } else {
        doc_begin(p->out, BLOCK_PARAGRAPH, p->depth > 0 ? top(p) + 1 : 0);
    }
    if (p->depth > 0)
        p->lists[top(p)].fresh = false;
    p->open = true;
    for (int m = 0; m < MARK_COUNT; m++)
        if (p->marks[m] > 0)
            doc_mark(p->out, (MarkKind)m, p->href);
}

static bool is_blank(Str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != ' ' && s.ptr[i] != '\t' && s.ptr[i] != '\n' && s.ptr[i] != '\r' &&
            s.ptr[i] != '\f')
            return false;
    return true;
}

void prose_text(Prose *p, Str text)
{
    if (!p->open && is_blank(text) && !(p->kept && p->kind == BLOCK_CODE))
        return;
    begin(p);
    doc_text(p->out, text);
}

void prose_break(Prose *p)
{
    if (p->open)
        doc_break(p->out);
}

void prose_mark(Prose *p, MarkKind kind, Str href)
{
    if (kind == MARK_LINK && p->marks[kind] == 0)
        p->href = href;
    if (p->marks[kind]++ == 0 && p->open)
        doc_mark(p->out, kind, href);
}

void prose_unmark(Prose *p, MarkKind kind)
{
    if (p->marks[kind] > 0 && --p->marks[kind] == 0 && p->open)
        doc_unmark(p->out, kind);
}

void prose_list(Prose *p, bool ordered, int64_t start)
{
    prose_end(p);
    p->depth++;
    if (p->depth > PROSE_LISTS)
        return;
    p->lists[p->depth - 1].ordered = ordered;
    p->lists[p->depth - 1].fresh = false;
    p->lists[p->depth - 1].number = start - 1;
}

void prose_list_end(Prose *p)
{
    prose_end(p);
    if (p->depth > 0)
        p->depth--;
}

void prose_item(Prose *p, int64_t number)
{
    prose_end(p);
    if (p->depth == 0)
        prose_list(p, false, 1);
    int t = top(p);
    p->lists[t].number = number > 0 ? number : p->lists[t].number + 1;
    p->lists[t].fresh = true;
}

void prose_quote(Prose *p, int by)
{
    prose_end(p);
    p->quotes = p->quotes + by > 0 ? p->quotes + by : 0;
}

void prose_cell(Prose *p, bool inside)
{
    p->open = inside;
    p->kept = false;
}
