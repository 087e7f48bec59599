/* doc_html_blocks.c: the elements themselves. Well-formed as XML, so that EPUB can hold them. */
#include "document/doc_html_in.h"
#include "document/xml_write.h"

/* --- the inside of a block */

static const char *const tags[MARK_COUNT] = {[MARK_BOLD] = "strong",
                                             [MARK_ITALIC] = "em",
                                             [MARK_CODE] = "code",
                                             [MARK_STRIKE] = "s",
                                             [MARK_LINK] = "a"};
static const MarkKind outer_first[MARK_COUNT] = {MARK_LINK, MARK_BOLD, MARK_ITALIC, MARK_STRIKE,
                                                 MARK_CODE};

typedef struct Marks {
    MarkKind open[MARK_COUNT];
    int len;
    Str href;
} Marks;

static void close_to(Buf *b, Marks *m, int len)
{
    while (m->len > len)
        buf_addf(b, "</%s>", tags[m->open[--m->len]]);
}

/* How many of the open marks, from the outside, the run goes on with. */
static int still_open(const Doc *d, const Marks *m, const DocRun *r)
{
    for (int i = 0; i < m->len; i++)
        if (!(r->marks & 1u << m->open[i]) ||
            (m->open[i] == MARK_LINK && !str_eq(m->href, doc_run_href(d, r))))
            return i;
    return m->len;
}

static bool is_open(const Marks *m, MarkKind kind)
{
    for (int i = 0; i < m->len; i++)
        if (m->open[i] == kind)
            return true;
    return false;
}

static void open_mark(Doc *d, Buf *b, Marks *m, MarkKind kind, const DocRun *r)
{
    m->open[m->len++] = kind;
    buf_addf(b, "<%s", tags[kind]);
    if (kind == MARK_LINK) {
        m->href = doc_run_href(d, r);
        xml_add_attribute(b, "href", m->href);
    }
    buf_add_char(b, '>');
}

static void add_text(Buf *b, Str text)
{
    Str line;
    for (bool first = true; str_next(&text, '\n', &line); first = false) {
        if (!first)
            buf_add_c(b, "<br/>");
        xml_add(b, line);
    }
}

/* In a book a link may not lead to a file that is not in it. */
static bool is_web(Str href)
{
    return str_eq_nocase(str_slice(href, 0, 7), STR("http://")) ||
           str_eq_nocase(str_slice(href, 0, 8), STR("https://")) ||
           str_eq_nocase(str_slice(href, 0, 7), STR("mailto:"));
}

static void add_inline(Doc *d, HtmlBlocks *h, const DocSpan *s)
{
    Buf *b = &h->b;
    Marks m = {.len = 0};
    for (size_t i = 0; i < s->runs_len; i++) {
        DocRun r = s->runs[i];
        if (h->book && (r.marks & 1u << MARK_LINK) && !is_web(doc_run_href(d, &r)))
            r.marks &= ~(1u << MARK_LINK);
        close_to(b, &m, still_open(d, &m, &r));
        for (int k = 0; k < MARK_COUNT; k++)
            if ((r.marks & 1u << outer_first[k]) && !is_open(&m, outer_first[k]))
                open_mark(d, b, &m, outer_first[k], &r);
        add_text(b, str_slice(s->text, r.from - s->base, r.to - s->base));
    }
    close_to(b, &m, 0);
}

/* --- lists and quotes */

static void close_lists(HtmlBlocks *h, int depth)
{
    while (h->depth > depth)
        buf_add_c(&h->b, h->lists[--h->depth].ordered ? "</li>\n</ol>\n" : "</li>\n</ul>\n");
}

static void want_quotes(HtmlBlocks *h, int quotes)
{
    for (; h->quotes > quotes; h->quotes--)
        buf_add_c(&h->b, "</blockquote>\n");
    for (; h->quotes < quotes; h->quotes++)
        buf_add_c(&h->b, "<blockquote>\n");
}

static void open_list(HtmlBlocks *h, int64_t number)
{
    h->lists[h->depth].ordered = number > 0;
    if (number > 1)
        buf_addf(&h->b, "\n<ol start=\"%" PRId64 "\">\n<li>", number);
    else
        buf_add_c(&h->b, number > 0 ? "\n<ol>\n<li>" : "\n<ul>\n<li>");
    h->lists[h->depth++].number = number;
}

/* An item goes on with the list of its level when it is of its kind and has the next number. */
static void begin_item(HtmlBlocks *h, int level, int64_t number)
{
    level = level < h->depth ? level : h->depth;
    level = level < HTML_LISTS ? level : HTML_LISTS - 1;
    close_lists(h, level + 1);
    if (h->depth == level + 1) {
        bool goes_on = h->lists[level].ordered == (number > 0) &&
                       (number == 0 || number == h->lists[level].number + 1);
        if (goes_on) {
            buf_add_c(&h->b, "</li>\n<li>");
            h->lists[level].number = number;
            return;
        }
        close_lists(h, level);
    }
    open_list(h, number);
}

/* A paragraph or code block with a level stands in the item of the level before it. */
static void place(HtmlBlocks *h, const DocBlock *b)
{
    bool may = b->kind == BLOCK_PARAGRAPH || b->kind == BLOCK_CODE;
    close_lists(h, may && b->level > 0 ? b->level : 0);
    if (h->depth == 0)
        want_quotes(h, b->kind == BLOCK_QUOTE ? (b->level > 0 ? b->level : 1) : 0);
}

void html_close(Doc *d, HtmlBlocks *h)
{
    (void)d;
    close_lists(h, 0);
    want_quotes(h, 0);
}

/* --- blocks */

static void element(Doc *d, HtmlBlocks *h, const char *name, const DocBlock *b)
{
    buf_addf(&h->b, "<%s>", name);
    add_inline(d, h, &b->span);
    buf_addf(&h->b, "</%s>\n", name);
}

/* A heading's name, as GitHub makes it, so that links of Markdown within the document find it: small
 * letters, blanks as hyphens, no punctuation. Of two alike the first one counts. */
static void add_slug(Buf *b, Str text)
{
    for (size_t at = 0, from; at < text.len;) {
        from = at;
        uint32_t cp = str_next_utf8(text, &at);
        if (cp >= 'A' && cp <= 'Z')
            buf_add_char(b, (char)(cp + 32));
        else if (cp == ' ' || cp == '\n')
            buf_add_char(b, '-');
        else if ((cp >= 'a' && cp <= 'z') || (cp >= '0' && cp <= '9') || cp == '-' || cp == '_' ||
                 (cp >= 0xC0 && cp != 0xFFFD && (cp < 0x2000 || cp > 0x206F)))
            xml_add(b, str_slice(text, from, at));
    }
}

static void heading(Doc *d, HtmlBlocks *h, const DocBlock *b)
{
    buf_addf(&h->b, "<h%d id=\"", b->level);
    h->headings++;
    size_t before = h->b.len;
    if (!h->book)
        add_slug(&h->b, b->span.text);
    if (h->b.len == before)
        buf_addf(&h->b, "s%" PRId64, h->headings);
    buf_add_c(&h->b, "\">");
    add_inline(d, h, &b->span);
    buf_addf(&h->b, "</h%d>\n", b->level);
}

static void note(Doc *d, HtmlBlocks *h, const DocBlock *b)
{
    buf_add_c(&h->b, "<p class=\"note\">");
    if (b->level > 0)
        buf_addf(&h->b, "[%d] ", b->level);
    add_inline(d, h, &b->span);
    buf_add_c(&h->b, "</p>\n");
}

void html_block(Doc *d, HtmlBlocks *h, const DocBlock *b)
{
    if (b->kind == BLOCK_ITEM) {
        if (h->depth == 0)
            want_quotes(h, 0);
        begin_item(h, b->level, b->number);
        add_inline(d, h, &b->span);
        return;
    }
    place(h, b);
    switch (b->kind) {
    case BLOCK_HEADING:
        heading(d, h, b);
        break;
    case BLOCK_CODE:
        buf_add_c(&h->b, "<pre><code>");
        xml_add(&h->b, b->span.text);
        buf_add_c(&h->b, "</code></pre>\n");
        break;
    case BLOCK_NOTE:
        note(d, h, b);
        break;
    case BLOCK_PARAGRAPH:
    case BLOCK_QUOTE:
    case BLOCK_ITEM:
        element(d, h, "p", b);
        break;
    }
}

/* --- tables */

void html_table_begin(Doc *d, HtmlBlocks *h)
{
    html_close(d, h);
    h->body = false;
    buf_add_c(&h->b, "<table>\n<thead>\n");
}

void html_row(Doc *d, HtmlBlocks *h, const DocRow *row)
{
    const char *name = h->body ? "td" : "th";
    size_t len;
    const DocCell *cells = doc_cells(d, row, &len);
    buf_add_c(&h->b, "<tr>");
    for (size_t i = 0; i < len; i++) {
        DocSpan s = doc_cell_span(d, &cells[i]);
        buf_addf(&h->b, "<%s", name);
        if (cells[i].colspan > 1)
            buf_addf(&h->b, " colspan=\"%d\"", cells[i].colspan);
        if (cells[i].rowspan > 1 && h->body)
            buf_addf(&h->b, " rowspan=\"%d\"", cells[i].rowspan);
        buf_add_char(&h->b, '>');
        add_inline(d, h, &s);
        buf_addf(&h->b, "</%s>", name);
    }
    buf_add_c(&h->b, "</tr>\n");
    if (!h->body)
        buf_add_c(&h->b, "</thead>\n<tbody>\n");
    h->body = true;
}

void html_table_end(Doc *d, HtmlBlocks *h)
{
    (void)d;
    buf_add_c(&h->b, h->body ? "</tbody>\n</table>\n" : "</thead>\n</table>\n");
}
