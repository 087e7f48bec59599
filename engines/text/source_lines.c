/* source_lines.c: text and Markdown, line by line. Of Markdown only as much as cutting needs: what
 * is a heading, and what must not be torn apart. */
#include "text/source_in.h"

#include <string.h>

enum { INDENT_MAX = 3, HEADING_LEVELS = 6, NUMBER_DIGITS = 9 };

typedef struct Line {
    size_t from, to, next; /* without and with its end */
    bool page;             /* it ends with a form feed */
} Line;

typedef struct Reader {
    Str text;
    bool markdown;
    Blocks *out;
    int64_t page;
    SourceBlock block; /* in the making; none: block.to == 0 */
    bool open;
    char fence;
    size_t fence_len;
} Reader;

static Line line_at(Str text, size_t at)
{
    Line l = {.from = at, .to = at};
    while (l.to < text.len && text.ptr[l.to] != '\n' && text.ptr[l.to] != '\f')
        l.to++;
    l.next = l.to < text.len ? l.to + 1 : l.to;
    l.page = l.to < text.len && text.ptr[l.to] == '\f';
    if (l.to > l.from && text.ptr[l.to - 1] == '\r')
        l.to--;
    return l;
}

static Str content(const Reader *r, const Line *l)
{
    return str_slice(r->text, l->from, l->to);
}

static size_t indent(Str line)
{
    size_t n = 0;
    while (n < line.len && line.ptr[n] == ' ')
        n++;
    return n;
}

static size_t run(Str s, size_t at, char c)
{
    size_t n = 0;
    while (at + n < s.len && s.ptr[at + n] == c)
        n++;
    return n;
}

static void end_block(Reader *r)
{
    if (r->open)
        blocks_add(r->out, &r->block);
    r->open = false;
}

static void begin_block(Reader *r, const Line *l, SourceKind kind, int level)
{
    end_block(r);
    r->open = true;
    r->block = (SourceBlock){.from = l->from,
                             .to = l->to,
                             .body = l->from,
                             .page = r->page,
                             .kind = kind,
                             .level = level};
}

/* "## Words": how many signs, or 0. */
static int heading_level(Str line, size_t *body)
{
    size_t at = indent(line), n = run(line, at, '#');
    if (at > INDENT_MAX || n == 0 || n > HEADING_LEVELS)
        return 0;
    if (at + n < line.len && line.ptr[at + n] != ' ' && line.ptr[at + n] != '\t')
        return 0;
    *body = at + n;
    return (int)n;
}

/* "====" or "----" under a paragraph: 1 or 2, else 0. */
static int underline_level(Str line)
{
    size_t at = indent(line);
    if (at > INDENT_MAX || at == line.len || (line.ptr[at] != '=' && line.ptr[at] != '-'))
        return 0;
    size_t n = run(line, at, line.ptr[at]);
    return str_trim(line).len == n ? (line.ptr[at] == '=' ? 1 : 2) : 0;
}

static bool opens_fence(Reader *r, Str line)
{
    size_t at = indent(line);
    if (at == line.len || (line.ptr[at] != '`' && line.ptr[at] != '~'))
        return false;
    size_t n = run(line, at, line.ptr[at]);
    Str rest = str_slice(line, at + n, line.len);
    if (n < 3 || (line.ptr[at] == '`' && str_find_char(rest, '`') != STR_NONE))
        return false;
    r->fence = line.ptr[at];
    r->fence_len = n;
    return true;
}

static bool closes_fence(const Reader *r, Str line)
{
    size_t at = indent(line), n = run(line, at, r->fence);
    return n >= r->fence_len && str_trim(line).len == n;
}

static bool is_item(Str line)
{
    size_t at = indent(line), digits = 0;
    if (at == line.len)
        return false;
    while (at + digits < line.len && line.ptr[at + digits] >= '0' && line.ptr[at + digits] <= '9')
        digits++;
    size_t mark = at + digits;
    if (mark + 1 >= line.len || digits > NUMBER_DIGITS || line.ptr[mark + 1] != ' ')
        return false;
    char c = line.ptr[mark];
    return digits > 0 ? c == '.' || c == ')' : c == '-' || c == '*' || c == '+';
}

/* The line between a table's head and its rows: bars, dashes and colons. */
static bool is_table_rule(Str line)
{
    bool bar = false, dash = false;
    for (size_t i = 0; i < line.len; i++) {
        char c = line.ptr[i];
        bar = bar || c == '|';
        dash = dash || c == '-';
        if (c != '|' && c != '-' && c != ':' && c != ' ' && c != '\t')
            return false;
    }
    return bar && dash;
}

static bool begins_table(const Reader *r, const Line *l, Str line)
{
    if (l->page || l->next >= r->text.len || str_find_char(line, '|') == STR_NONE)
        return false;
    Line second = line_at(r->text, l->next);
    return is_table_rule(content(r, &second));
}

/* A line that goes on with the block before it. */
static bool goes_on(Reader *r, const Line *l, Str line)
{
    SourceBlock *b = &r->block;
    if (!r->open)
        return false;
    if (b->kind == SOURCE_TABLE)
        return str_find_char(line, '|') != STR_NONE;
    int level = b->kind == SOURCE_PARAGRAPH && r->markdown ? underline_level(line) : 0;
    if (level > 0) {
        b->kind = SOURCE_HEADING;
        b->level = level;
        b->to = l->to;
        end_block(r);
        return true;
    }
    return b->kind == SOURCE_PARAGRAPH || b->kind == SOURCE_ITEM || b->kind == SOURCE_QUOTE;
}

static void take_table(Reader *r, const Line *l)
{
    begin_block(r, l, SOURCE_TABLE, 0);
    Line rule = line_at(r->text, l->next);
    r->block.body = rule.next;
}

/* True when the line begins a block of its own. */
static bool begins_markdown(Reader *r, const Line *l, Str line)
{
    size_t body = 0;
    int level = heading_level(line, &body);
    if (level > 0) {
        begin_block(r, l, SOURCE_HEADING, level);
        r->block.body = l->from + body;
        end_block(r);
    } else if (opens_fence(r, line)) {
        begin_block(r, l, SOURCE_CODE, 0);
    } else if (r->open && r->block.kind == SOURCE_TABLE) {
        return false;
    } else if (begins_table(r, l, line)) {
        take_table(r, l);
    } else if (is_item(line)) {
        begin_block(r, l, SOURCE_ITEM, (int)(indent(line) / 2));
    } else if (line.ptr[indent(line)] == '>') {
        if (!r->open || r->block.kind != SOURCE_QUOTE)
            begin_block(r, l, SOURCE_QUOTE, 0);
        r->block.to = l->to;
    } else {
        return false;
    }
    return true;
}

static void take_line(Reader *r, const Line *l)
{
    Str line = content(r, l);
    if (r->fence != 0) {
        if (r->open)
            r->block.to = l->to;
        else /* a new page inside code */
            begin_block(r, l, SOURCE_CODE, 0);
        if (closes_fence(r, line)) {
            r->fence = 0;
            end_block(r);
        }
        return;
    }
    if (str_trim(line).len == 0) {
        end_block(r);
        return;
    }
    /* An underlined paragraph looks like the rule of a table or an empty item. */
    bool underlined =
        r->markdown && r->open && r->block.kind == SOURCE_PARAGRAPH && underline_level(line) > 0;
    if (r->markdown && !underlined && begins_markdown(r, l, line))
        return;
    if (goes_on(r, l, line)) {
        if (r->open)
            r->block.to = l->to;
        return;
    }
    begin_block(r, l, SOURCE_PARAGRAPH, 0);
}

void lines_read(Str text, bool markdown, Blocks *out, int64_t *pages)
{
    bool paged = memchr(text.ptr, '\f', text.len) != NULL;
    Reader r = {.text = text, .markdown = markdown, .out = out, .page = paged ? 1 : 0};
    for (size_t at = 0; at < text.len && !out->failed;) {
        Line l = line_at(text, at);
        take_line(&r, &l);
        if (l.page) {
            end_block(&r);
            r.page++;
        }
        at = l.next;
    }
    end_block(&r);
    *pages = paged ? r.page - (text.ptr[text.len - 1] == '\f') : 0;
}
