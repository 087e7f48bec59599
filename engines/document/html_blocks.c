#include "document/html_in.h"
#include "document/prose.h"

#include <string.h>

enum { TABLE_SCAN_MAX = 20000 };

typedef struct Walk {
    Prose prose;
    StepCtx *step;
    bool meta;
    int pre;
    int tables;       /* real tables open */
    bool table_begun; /* the innermost one has its first row */
    bool cell;        /* inside a cell of it */
} Walk;

typedef enum TagKind {
    TAG_INLINE, /* nothing of its own */
    TAG_SKIP,
    TAG_BLOCK,
    TAG_HEADING,
    TAG_LIST,
    TAG_ITEM,
    TAG_QUOTE,
    TAG_PRE,
    TAG_BREAK,
    TAG_MARK,
    TAG_LINK,
    TAG_TABLE,
    TAG_ROW,
    TAG_CELL,
    TAG_HEAD,
} TagKind;

typedef struct TagRule {
    TagKind kind;
    int detail; /* the mark, the heading's level, or 1 for a numbered list */
} TagRule;

static TagRule rule_of(GumboTag tag)
{
    static const TagRule rules[GUMBO_TAG_LAST + 1] = {
        [GUMBO_TAG_SCRIPT] = {TAG_SKIP, 0},
        [GUMBO_TAG_STYLE] = {TAG_SKIP, 0},
        [GUMBO_TAG_NOSCRIPT] = {TAG_SKIP, 0},
        [GUMBO_TAG_TEMPLATE] = {TAG_SKIP, 0},
        [GUMBO_TAG_NAV] = {TAG_SKIP, 0},
        [GUMBO_TAG_SVG] = {TAG_SKIP, 0},
        [GUMBO_TAG_IFRAME] = {TAG_SKIP, 0},
        [GUMBO_TAG_OBJECT] = {TAG_SKIP, 0},
        [GUMBO_TAG_SELECT] = {TAG_SKIP, 0},
        [GUMBO_TAG_BUTTON] = {TAG_SKIP, 0},
        [GUMBO_TAG_TEXTAREA] = {TAG_SKIP, 0},
        [GUMBO_TAG_VIDEO] = {TAG_SKIP, 0},
        [GUMBO_TAG_AUDIO] = {TAG_SKIP, 0},
        [GUMBO_TAG_CANVAS] = {TAG_SKIP, 0},
        [GUMBO_TAG_DATALIST] = {TAG_SKIP, 0},
        [GUMBO_TAG_HEAD] = {TAG_HEAD, 0},
        [GUMBO_TAG_P] = {TAG_BLOCK, 0},
        [GUMBO_TAG_DIV] = {TAG_BLOCK, 0},
        [GUMBO_TAG_SECTION] = {TAG_BLOCK, 0},
        [GUMBO_TAG_ARTICLE] = {TAG_BLOCK, 0},
        [GUMBO_TAG_HEADER] = {TAG_BLOCK, 0},
        [GUMBO_TAG_FOOTER] = {TAG_BLOCK, 0},
        [GUMBO_TAG_MAIN] = {TAG_BLOCK, 0},
        [GUMBO_TAG_ASIDE] = {TAG_BLOCK, 0},
        [GUMBO_TAG_ADDRESS] = {TAG_BLOCK, 0},
        [GUMBO_TAG_FIGURE] = {TAG_BLOCK, 0},
        [GUMBO_TAG_FIGCAPTION] = {TAG_BLOCK, 0},
        [GUMBO_TAG_DL] = {TAG_BLOCK, 0},
        [GUMBO_TAG_DT] = {TAG_BLOCK, 0},
        [GUMBO_TAG_DD] = {TAG_BLOCK, 0},
        [GUMBO_TAG_FIELDSET] = {TAG_BLOCK, 0},
        [GUMBO_TAG_FORM] = {TAG_BLOCK, 0},
        [GUMBO_TAG_DETAILS] = {TAG_BLOCK, 0},
        [GUMBO_TAG_SUMMARY] = {TAG_BLOCK, 0},
        [GUMBO_TAG_CENTER] = {TAG_BLOCK, 0},
        [GUMBO_TAG_HR] = {TAG_BLOCK, 0},
        [GUMBO_TAG_BODY] = {TAG_BLOCK, 0},
        [GUMBO_TAG_CAPTION] = {TAG_BLOCK, 0},
        [GUMBO_TAG_LEGEND] = {TAG_BLOCK, 0},
        [GUMBO_TAG_OPTION] = {TAG_BLOCK, 0},
        [GUMBO_TAG_H1] = {TAG_HEADING, 1},
        [GUMBO_TAG_H2] = {TAG_HEADING, 2},
        [GUMBO_TAG_H3] = {TAG_HEADING, 3},
        [GUMBO_TAG_H4] = {TAG_HEADING, 4},
        [GUMBO_TAG_H5] = {TAG_HEADING, 5},
        [GUMBO_TAG_H6] = {TAG_HEADING, 6},
        [GUMBO_TAG_UL] = {TAG_LIST, 0},
        [GUMBO_TAG_OL] = {TAG_LIST, 1},
        [GUMBO_TAG_MENU] = {TAG_LIST, 0},
        [GUMBO_TAG_DIR] = {TAG_LIST, 0},
        [GUMBO_TAG_LI] = {TAG_ITEM, 0},
        [GUMBO_TAG_BLOCKQUOTE] = {TAG_QUOTE, 0},
        [GUMBO_TAG_PRE] = {TAG_PRE, 0},
        [GUMBO_TAG_LISTING] = {TAG_PRE, 0},
        [GUMBO_TAG_XMP] = {TAG_PRE, 0},
        [GUMBO_TAG_PLAINTEXT] = {TAG_PRE, 0},
        [GUMBO_TAG_BR] = {TAG_BREAK, 0},
        [GUMBO_TAG_A] = {TAG_LINK, 0},
        [GUMBO_TAG_B] = {TAG_MARK, MARK_BOLD},
        [GUMBO_TAG_STRONG] = {TAG_MARK, MARK_BOLD},
        [GUMBO_TAG_I] = {TAG_MARK, MARK_ITALIC},
        [GUMBO_TAG_EM] = {TAG_MARK, MARK_ITALIC},
        [GUMBO_TAG_CITE] = {TAG_MARK, MARK_ITALIC},
        [GUMBO_TAG_VAR] = {TAG_MARK, MARK_ITALIC},
        [GUMBO_TAG_DFN] = {TAG_MARK, MARK_ITALIC},
        [GUMBO_TAG_CODE] = {TAG_MARK, MARK_CODE},
        [GUMBO_TAG_TT] = {TAG_MARK, MARK_CODE},
        [GUMBO_TAG_KBD] = {TAG_MARK, MARK_CODE},
        [GUMBO_TAG_SAMP] = {TAG_MARK, MARK_CODE},
        [GUMBO_TAG_S] = {TAG_MARK, MARK_STRIKE},
        [GUMBO_TAG_STRIKE] = {TAG_MARK, MARK_STRIKE},
        [GUMBO_TAG_DEL] = {TAG_MARK, MARK_STRIKE},
        [GUMBO_TAG_TABLE] = {TAG_TABLE, 0},
        [GUMBO_TAG_TR] = {TAG_ROW, 0},
        [GUMBO_TAG_TD] = {TAG_CELL, 0},
        [GUMBO_TAG_TH] = {TAG_CELL, 0},
    };
    return rules[tag];
}

static Str attribute(const GumboNode *n, const char *name)
{
    const GumboAttribute *a = gumbo_get_attribute(&n->v.element.attributes, name);
    return a != NULL ? str_from_c(a->value) : (Str){0};
}

static bool is_hidden(const GumboNode *n)
{
    if (n->v.element.attributes.length == 0)
        return false;
    if (attribute(n, "hidden").ptr != NULL ||
        str_eq_nocase(attribute(n, "aria-hidden"), STR("true")))
        return true;
    Str style = attribute(n, "style");
    size_t at = str_find(style, STR("display"));
    if (at == STR_NONE)
        return false;
    Str rest = str_trim(str_slice(style, at + 7, style.len));
    return str_starts(rest, STR(":")) &&
           str_starts(str_trim(str_slice(rest, 1, rest.len)), STR("none"));
}

/* The node after `n` in document order, inside `root`; without its children when `over`. Calls
 * `leave` on the way up. */
static const GumboNode *following(const GumboNode *n, const GumboNode *root, bool over,
                                  void (*leave)(Walk *w, const GumboNode *n), Walk *w)
{
    bool parent = n->type == GUMBO_NODE_ELEMENT || n->type == GUMBO_NODE_TEMPLATE;
    if (!over && parent && n->v.element.children.length > 0)
        return n->v.element.children.data[0];
    for (;;) {
        if (leave != NULL && n->type == GUMBO_NODE_ELEMENT)
            leave(w, n);
        if (n == root)
            return NULL;
        const GumboVector *siblings = &n->parent->v.element.children;
        if (n->index_within_parent + 1 < siblings->length)
            return siblings->data[n->index_within_parent + 1];
        n = n->parent;
    }
}

/* --- tables */

/* Tables that hold tables and have no heads of their own, or only ever one cell to a row, are there
 * for the looks: their cells are read as blocks. */
static bool is_layout(const GumboNode *table)
{
    if (str_eq_nocase(attribute(table, "role"), STR("presentation")))
        return true;
    int cells = 0, most = 0, seen = 0;
    bool headed = false;
    const GumboNode *n = table;
    while ((n = following(n, table, false, NULL, NULL)) != NULL && seen++ < TABLE_SCAN_MAX) {
        if (n->type != GUMBO_NODE_ELEMENT)
            continue;
        GumboTag tag = n->v.element.tag;
        if (tag == GUMBO_TAG_TABLE)
            return !headed;
        headed = headed || tag == GUMBO_TAG_TH || tag == GUMBO_TAG_CAPTION;
        if (tag == GUMBO_TAG_TR)
            cells = 0;
        TagRule r = rule_of(tag);
        cells += r.kind == TAG_CELL;
        most = cells > most ? cells : most;
    }
    return most < 2;
}

static int span_of(const GumboNode *n, const char *name)
{
    int64_t v;
    return str_to_i64(str_trim(attribute(n, name)), &v) && v > 0 && v < 10000 ? (int)v : 1;
}

static void enter_table(Walk *w, const GumboNode *n)
{
    prose_end(&w->prose);
    if (w->tables > 0 || !is_layout(n)) {
        w->tables++;
        if (w->tables == 1)
            w->table_begun = w->cell = false;
        else if (w->cell)
            doc_table(w->prose.out);
    }
}

static void enter_row(Walk *w)
{
    prose_end(&w->prose);
    if (w->tables == 0)
        return;
    if (w->tables == 1 && !w->table_begun) {
        doc_table(w->prose.out);
        w->table_begun = true;
    }
    doc_row(w->prose.out);
}

/* In a table that stands in a cell: it becomes text of that cell, a line per row. */
static bool in_cell(const Walk *w)
{
    return w->tables > 1 && w->cell;
}

static void enter_cell(Walk *w, const GumboNode *n)
{
    if (!in_cell(w))
        prose_end(&w->prose);
    if (w->tables == 0)
        return;
    bool inside = in_cell(w);
    doc_cell(w->prose.out, span_of(n, "colspan"), span_of(n, "rowspan"));
    w->cell = true;
    prose_cell(&w->prose, inside);
}

/* --- tags */

static void enter_link(Walk *w, const GumboNode *n)
{
    Str href = str_trim(attribute(n, "href"));
    bool jump = href.len == 0 ||
                href.ptr[0] == '#'; /* inside the page: nothing outside it can follow that */
    prose_mark(&w->prose, MARK_LINK, jump ? STR("") : href);
}

static void enter_list(Walk *w, const GumboNode *n, bool ordered)
{
    int64_t start = 1;
    if (ordered && (!str_to_i64(str_trim(attribute(n, "start")), &start) || start < 1))
        start = 1;
    prose_list(&w->prose, ordered, start);
}

static void enter(Walk *w, const GumboNode *n)
{
    TagRule r = rule_of(n->v.element.tag);
    int64_t number = 0;
    switch (r.kind) {
    case TAG_BLOCK:
        if (n->v.element.tag == GUMBO_TAG_BODY || w->pre == 0)
            prose_end(&w->prose);
        break;
    case TAG_HEADING:
        prose_block(&w->prose, BLOCK_HEADING, r.detail);
        break;
    case TAG_LIST:
        enter_list(w, n, r.detail == 1);
        break;
    case TAG_ITEM:
        if (!str_to_i64(str_trim(attribute(n, "value")), &number) || number < 0)
            number = 0;
        prose_item(&w->prose, number);
        break;
    case TAG_QUOTE:
        prose_quote(&w->prose, +1);
        break;
    case TAG_PRE:
        if (w->pre++ == 0)
            prose_block(&w->prose, BLOCK_CODE, 0);
        break;
    case TAG_BREAK:
        prose_break(&w->prose);
        break;
    case TAG_MARK:
        if (w->pre == 0)
            prose_mark(&w->prose, (MarkKind)r.detail, STR(""));
        break;
    case TAG_LINK:
        enter_link(w, n);
        break;
    case TAG_TABLE:
        enter_table(w, n);
        break;
    case TAG_ROW:
        enter_row(w);
        break;
    case TAG_CELL:
        enter_cell(w, n);
        break;
    case TAG_INLINE:
    case TAG_SKIP:
    case TAG_HEAD:
        break;
    }
}

static void leave_table(Walk *w)
{
    prose_end(&w->prose);
    if (w->tables == 0)
        return;
    if (w->tables-- > 1) {
        if (w->cell)
            doc_table_end(w->prose.out);
        return;
    }
    if (w->table_begun)
        doc_table_end(w->prose.out);
    w->table_begun = w->cell = false;
}

static void leave(Walk *w, const GumboNode *n)
{
    TagRule r = rule_of(n->v.element.tag);
    switch (r.kind) {
    case TAG_BLOCK:
    case TAG_HEADING:
    case TAG_ITEM:
    case TAG_ROW:
        if (w->pre == 0)
            prose_end(&w->prose);
        break;
    case TAG_CELL:
        if (w->pre == 0 && in_cell(w))
            prose_cell(&w->prose, false);
        else if (w->pre == 0)
            prose_end(&w->prose);
        break;
    case TAG_LIST:
        prose_list_end(&w->prose);
        break;
    case TAG_QUOTE:
        prose_quote(&w->prose, -1);
        break;
    case TAG_PRE:
        if (--w->pre == 0)
            prose_end(&w->prose);
        break;
    case TAG_MARK:
        if (w->pre == 0)
            prose_unmark(&w->prose, (MarkKind)r.detail);
        break;
    case TAG_LINK:
        prose_unmark(&w->prose, MARK_LINK);
        break;
    case TAG_TABLE:
        leave_table(w);
        break;
    case TAG_INLINE:
    case TAG_SKIP:
    case TAG_HEAD:
    case TAG_BREAK:
        break;
    }
}

/* --- the head */

static void take_meta(Walk *w, const GumboNode *n)
{
    static const struct {
        const char *name, *key;
    } known[] = {{"author", "author"},
                 {"description", "subject"},
                 {"keywords", "keywords"},
                 {"generator", "generator"},
                 {"article:published_time", "created"},
                 {"article:modified_time", "modified"},
                 {"dcterms.created", "created"},
                 {"dc.creator", "author"}};
    Str name = attribute(n, "name"), content = attribute(n, "content");
    if (name.len == 0)
        name = attribute(n, "property");
    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (str_eq_nocase(name, str_from_c(known[i].name)))
            doc_meta(w->prose.out, known[i].key, content);
}

static void take_head(Walk *w, const GumboNode *head)
{
    const GumboNode *n = head;
    for (int seen = 0; seen < TABLE_SCAN_MAX && (n = following(n, head, false, NULL, NULL)) != NULL;
         seen++) {
        if (n->type != GUMBO_NODE_ELEMENT)
            continue;
        if (n->v.element.tag == GUMBO_TAG_META)
            take_meta(w, n);
        if (n->v.element.tag == GUMBO_TAG_TITLE && n->v.element.children.length > 0) {
            const GumboNode *text = n->v.element.children.data[0];
            if (text->type == GUMBO_NODE_TEXT)
                doc_meta(w->prose.out, "title", str_from_c(text->v.text.text));
        }
    }
}

static void take_text(Walk *w, const GumboNode *n)
{
    GumboTag parent = n->parent != NULL && n->parent->type == GUMBO_NODE_ELEMENT
                          ? n->parent->v.element.tag
                          : GUMBO_TAG_UNKNOWN;
    bool between = parent == GUMBO_TAG_TABLE || parent == GUMBO_TAG_TR ||
                   parent == GUMBO_TAG_TBODY || parent == GUMBO_TAG_THEAD ||
                   parent == GUMBO_TAG_TFOOT;
    if (!between)
        prose_text(&w->prose, str_from_c(n->v.text.text));
}

/* Past an element that was not entered, so is not left either. */
static const GumboNode *after_skipped(const GumboNode *n, const GumboNode *root, Walk *w)
{
    if (n == root)
        return NULL;
    const GumboVector *siblings = &n->parent->v.element.children;
    if (n->index_within_parent + 1 < siblings->length)
        return siblings->data[n->index_within_parent + 1];
    return following(n->parent, root, true, leave, w);
}

static void walk(Walk *w, const GumboNode *root, const HtmlMain *main)
{
    const GumboNode *n = root;
    while (n != NULL && !doc_failed(w->prose.out)) {
        if (n->type == GUMBO_NODE_ELEMENT) {
            TagKind kind = rule_of(n->v.element.tag).kind;
            if (kind == TAG_HEAD && w->meta)
                take_head(w, n);
            if (kind == TAG_SKIP || kind == TAG_HEAD || is_hidden(n) ||
                (main != NULL && html_main_drops(main, n))) {
                n = after_skipped(n, root, w);
                continue;
            }
            enter(w, n);
        } else if (n->type == GUMBO_NODE_TEXT || n->type == GUMBO_NODE_CDATA ||
                   n->type == GUMBO_NODE_WHITESPACE) {
            take_text(w, n);
        }
        n = following(n, root, false, leave, w);
    }
    prose_end(&w->prose);
}

void html_walk(const GumboNode *root, bool meta, StepCtx *c, Doc *out)
{
    Walk w = {.prose = {.out = out}, .step = c, .meta = meta};
    if (meta && root->type == GUMBO_NODE_ELEMENT)
        doc_meta(out, "language", attribute(root, "lang"));
    walk(&w, root, NULL);
}

void html_walk_main(const GumboNode *root, const HtmlMain *m, StepCtx *c, Doc *out)
{
    Walk w = {.prose = {.out = out}, .step = c, .meta = true};
    doc_meta(out, "language", attribute(root, "lang"));
    for (const GumboNode *n = root; n != NULL; n = following(n, root, false, NULL, NULL))
        if (n->type == GUMBO_NODE_ELEMENT && n->v.element.tag == GUMBO_TAG_HEAD)
            take_head(&w, n);
    for (size_t i = 0; i < m->roots_len; i++) {
        w.tables = 0;
        walk(&w, m->roots[i], m);
    }
}
