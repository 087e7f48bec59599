/* html_main.c: what a page is about, found by scoring, as readers' modes of browsers do.
 *
 * Every paragraph gives points to its parent, half to the parent's parent, a third to the next one,
 * by its length and commas; names of classes that articles have add, those of menus and comments
 * take away; text that is mostly links counts little. The element with the most points is taken,
 * and of its neighbours those that score nearly as much or are paragraphs of prose. Then what is
 * not of it is dropped inside: boxes of links, forms, what is named like a menu. */
#include "document/html_in.h"

#include <stdlib.h>
#include <string.h>

enum {
    NODES_MAX = 400 * 1000,
    PARAGRAPH_MIN = 25,
    CONTENT_MIN = 250, /* characters: less is no article */
    ROOTS_MAX = 256,
};

typedef struct Mass {
    const GumboNode *node;
    int parent;                  /* index; -1: the root */
    int64_t text, links, commas; /* characters below, those in links */
    int64_t paragraphs, items, inputs, images, headings;
    double score;
    bool scored, link; /* link: it lies in one */
} Mass;

typedef struct Page {
    Mass *all;
    size_t len;
} Page;

static Str attribute_of(const GumboNode *n, const char *name)
{
    GumboAttribute *a = gumbo_get_attribute(&n->v.element.attributes, name);
    return a != NULL ? str_from_c(a->value) : STR("");
}

static bool holds_word(Str text, const char *const *words, size_t len)
{
    for (size_t w = 0; w < len; w++) {
        size_t size = strlen(words[w]);
        for (size_t i = 0; i + size <= text.len; i++)
            if (str_eq_nocase((Str){text.ptr + i, size}, (Str){words[w], size}))
                return true;
    }
    return false;
}

static const char *const good_names[] = {"article", "body", "content", "entry", "hentry", "main",
                                         "page",    "post", "text",    "blog",  "story"};
static const char *const bad_names[] = {
    "hidden",  "banner",  "combx",    "comment", "com-",    "contact", "foot",  "masthead",
    "media",   "meta",    "outbrain", "promo",   "related", "scroll",  "share", "shoutbox",
    "sidebar", "sponsor", "shopping", "tags",    "tool",    "widget",  "gdpr",  "cookie"};
static const char *const outer_names[] = {
    "-ad-",    "ai2html",    "banner",       "breadcrumb", "combx",    "comment",    "community",
    "disqus",  "extra",      "footer",       "gdpr",       "header",   "legends",    "menu",
    "related", "remark",     "replies",      "rss",        "shoutbox", "sidebar",    "skyscraper",
    "social",  "sponsor",    "supplemental", "ad-break",   "agegate",  "pagination", "pager",
    "popup",   "yom-remote", "navbar",       "share"};
static const char *const inner_names[] = {"and",     "article", "body",  "column",
                                          "content", "main",    "shadow"};

static int weight_of(const GumboNode *n)
{
    int weight = 0;
    const char *const names[] = {"class", "id"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        Str v = attribute_of(n, names[i]);
        weight += holds_word(v, good_names, COUNT_OF(good_names)) ? 25 : 0;
        weight -= holds_word(v, bad_names, COUNT_OF(bad_names)) ? 25 : 0;
    }
    return weight;
}

/* By its tag or name no part of what the page is about. */
static bool is_outer(const GumboNode *n)
{
    GumboTag t = n->v.element.tag;
    if (t == GUMBO_TAG_NAV || t == GUMBO_TAG_ASIDE || t == GUMBO_TAG_FOOTER ||
        t == GUMBO_TAG_SCRIPT || t == GUMBO_TAG_STYLE || t == GUMBO_TAG_NOSCRIPT ||
        t == GUMBO_TAG_FORM || t == GUMBO_TAG_BUTTON || t == GUMBO_TAG_SELECT ||
        t == GUMBO_TAG_IFRAME || t == GUMBO_TAG_HEAD)
        return true;
    if (t == GUMBO_TAG_BODY || t == GUMBO_TAG_HTML || t == GUMBO_TAG_A || t == GUMBO_TAG_ARTICLE ||
        t == GUMBO_TAG_MAIN)
        return false;
    static const char *const roles[] = {"navigation", "complementary", "banner", "contentinfo",
                                        "search",     "menu",          "dialog"};
    Str role = attribute_of(n, "role");
    for (size_t i = 0; i < COUNT_OF(roles); i++)
        if (str_eq_nocase(role, str_from_c(roles[i])))
            return true;
    Str class = attribute_of(n, "class"), id = attribute_of(n, "id");
    bool outer = holds_word(class, outer_names, COUNT_OF(outer_names)) ||
                 holds_word(id, outer_names, COUNT_OF(outer_names));
    bool inner = holds_word(class, inner_names, COUNT_OF(inner_names)) ||
                 holds_word(id, inner_names, COUNT_OF(inner_names));
    return outer && !inner;
}

/* --- masses: one pass over the tree, then sums from the last to the first */

static void count_text(Mass *m, const char *text)
{
    bool space = true;
    for (const char *p = text; *p != 0; p++) {
        bool blank = *p == ' ' || *p == '\n' || *p == '\t' || *p == '\r';
        m->text += !blank || !space;
        m->commas += *p == ',' || ((unsigned char)*p == 0xE3 && (unsigned char)p[1] == 0x80 &&
                                   (unsigned char)p[2] == 0x81);
        space = blank;
    }
}

static void count_element(Mass *up, GumboTag t)
{
    up->paragraphs += t == GUMBO_TAG_P;
    up->items += t == GUMBO_TAG_LI;
    up->inputs += t == GUMBO_TAG_INPUT;
    up->images += t == GUMBO_TAG_IMG;
    up->headings += t == GUMBO_TAG_H1 || t == GUMBO_TAG_H2 || t == GUMBO_TAG_H3;
}

static size_t count_elements(const GumboNode *root)
{
    size_t count = 1;
    const GumboNode *n = root;
    while (count < NODES_MAX) {
        const GumboVector *below = n->type == GUMBO_NODE_ELEMENT ? &n->v.element.children : NULL;
        if (below != NULL && below->length > 0) {
            n = below->data[0];
        } else {
            while (n != root && n->index_within_parent + 1 >= n->parent->v.element.children.length)
                n = n->parent;
            if (n == root)
                return count;
            n = n->parent->v.element.children.data[n->index_within_parent + 1];
        }
        count += n->type == GUMBO_NODE_ELEMENT;
    }
    return count;
}

static bool weigh(Page *p, const GumboNode *root, Arena *a)
{
    size_t most = count_elements(root);
    p->all = arena_new(a, Mass, most);
    if (p->all == NULL)
        return false;
    p->all[p->len++] = (Mass){.node = root, .parent = -1};
    /* the list is its own queue: children come after their parents */
    for (size_t i = 0; i < p->len; i++) {
        const GumboVector *children = &p->all[i].node->v.element.children;
        for (unsigned k = 0; k < children->length; k++) {
            const GumboNode *c = children->data[k];
            if (c->type == GUMBO_NODE_TEXT || c->type == GUMBO_NODE_CDATA) {
                int64_t before = p->all[i].text;
                count_text(&p->all[i], c->v.text.text);
                if (p->all[i].link)
                    p->all[i].links += p->all[i].text - before;
            } else if (c->type == GUMBO_NODE_ELEMENT && p->len < most && !is_outer(c)) {
                p->all[p->len++] =
                    (Mass){.node = c,
                           .parent = (int)i,
                           .link = p->all[i].link || c->v.element.tag == GUMBO_TAG_A};
            }
        }
    }
    for (size_t i = p->len; i-- > 1;) {
        const Mass *m = &p->all[i];
        Mass *up = &p->all[m->parent];
        up->text += m->text;
        up->links += m->links;
        up->commas += m->commas;
        up->paragraphs += m->paragraphs;
        up->items += m->items;
        up->inputs += m->inputs;
        up->images += m->images;
        up->headings += m->headings;
        count_element(up, m->node->v.element.tag);
    }
    return true;
}

static double link_share(const Mass *m)
{
    return m->text > 0 ? (double)m->links / (double)m->text : 0;
}

/* --- points */

static double points_of_tag(GumboTag t)
{
    switch (t) {
    case GUMBO_TAG_ARTICLE:
    case GUMBO_TAG_MAIN:
        return 10;
    case GUMBO_TAG_DIV:
        return 5;
    case GUMBO_TAG_PRE:
    case GUMBO_TAG_TD:
    case GUMBO_TAG_BLOCKQUOTE:
        return 3;
    case GUMBO_TAG_UL:
    case GUMBO_TAG_OL:
    case GUMBO_TAG_DL:
    case GUMBO_TAG_LI:
    case GUMBO_TAG_FORM:
    case GUMBO_TAG_ADDRESS:
        return -3;
    case GUMBO_TAG_H1:
    case GUMBO_TAG_H2:
    case GUMBO_TAG_H3:
    case GUMBO_TAG_TH:
        return -5;
    default:
        return 0;
    }
}

/* Elements whose text is a paragraph: also a div that holds text and nothing that makes blocks. */
static bool is_paragraph(const Mass *m)
{
    GumboTag t = m->node->v.element.tag;
    if (t == GUMBO_TAG_P || t == GUMBO_TAG_PRE || t == GUMBO_TAG_TD)
        return true;
    if (t != GUMBO_TAG_DIV && t != GUMBO_TAG_SECTION && t != GUMBO_TAG_LI)
        return false;
    const GumboVector *children = &m->node->v.element.children;
    for (unsigned k = 0; k < children->length; k++) {
        const GumboNode *c = children->data[k];
        static const GumboTag blocks[] = {
            GUMBO_TAG_P,       GUMBO_TAG_DIV, GUMBO_TAG_UL,         GUMBO_TAG_OL,
            GUMBO_TAG_TABLE,   GUMBO_TAG_PRE, GUMBO_TAG_BLOCKQUOTE, GUMBO_TAG_SECTION,
            GUMBO_TAG_ARTICLE, GUMBO_TAG_DL};
        for (size_t i = 0; i < COUNT_OF(blocks) && c->type == GUMBO_NODE_ELEMENT; i++)
            if (c->v.element.tag == blocks[i])
                return false;
    }
    return true;
}

static void give_points(Page *p)
{
    for (size_t i = 1; i < p->len; i++) {
        const Mass *m = &p->all[i];
        if (m->text < PARAGRAPH_MIN || !is_paragraph(m))
            continue;
        double length = (double)m->text / 100;
        double points = 1 + (double)m->commas + (length < 3 ? length : 3);
        int up = m->parent;
        for (int level = 0; level < 4 && up >= 0; level++, up = p->all[up].parent) {
            Mass *to = &p->all[up];
            if (!to->scored) {
                to->scored = true;
                to->score = points_of_tag(to->node->v.element.tag) + weight_of(to->node);
            }
            to->score += level == 0 ? points : level == 1 ? points / 2 : points / (level * 3);
        }
    }
    for (size_t i = 0; i < p->len; i++)
        p->all[i].score *= 1 - link_share(&p->all[i]);
}

/* A page may say it itself: one <article>, or <main>. */
static int said(const Page *p)
{
    int main = -1, article = -1, articles = 0;
    for (size_t i = 0; i < p->len; i++) {
        GumboTag t = p->all[i].node->v.element.tag;
        bool role = str_eq_nocase(attribute_of(p->all[i].node, "role"), STR("main"));
        if (t == GUMBO_TAG_ARTICLE) {
            articles++;
            article = article < 0 || p->all[i].text > p->all[article].text ? (int)i : article;
        } else if ((t == GUMBO_TAG_MAIN || role) && main < 0) {
            main = (int)i;
        }
    }
    int64_t most = p->len > 0 ? p->all[0].text : 0;
    if (articles > 0 && p->all[article].text * 2 > most && p->all[article].text >= CONTENT_MIN)
        return article;
    return main >= 0 && articles != 1 && p->all[main].text >= CONTENT_MIN &&
                   p->all[main].text * 3 > most && link_share(&p->all[main]) < 0.5
               ? main
               : -1;
}

static int best_of(const Page *p)
{
    int best = said(p);
    if (best >= 0)
        return best;
    for (size_t i = 1; i < p->len; i++)
        if (p->all[i].scored && (best < 0 || p->all[i].score > p->all[best].score))
            best = (int)i;
    /* a parent that holds several good ones is the better answer */
    while (best > 0 && p->all[best].parent > 0) {
        const Mass *up = &p->all[p->all[best].parent];
        if (!up->scored || up->score < p->all[best].score * 0.75 ||
            link_share(up) > link_share(&p->all[best]) + 0.2)
            break;
        best = p->all[best].parent;
    }
    return best;
}

/* --- what goes with it, and what goes out of it */

static bool goes_along(const Page *p, const Mass *m, const Mass *best)
{
    double share = link_share(m);
    if (m->scored && m->score >= (best->score * 0.2 > 10 ? best->score * 0.2 : 10))
        return true;
    GumboTag t = m->node->v.element.tag;
    if (t == GUMBO_TAG_H1 && m->text > 0)
        return true;
    (void)p;
    return t == GUMBO_TAG_P && ((m->text > 80 && share < 0.25) || (m->text > 0 && share == 0));
}

static void add_roots(const Page *p, int best, Arena *a, HtmlMain *out)
{
    const Mass *m = &p->all[best];
    out->roots = arena_new(a, const GumboNode *, ROOTS_MAX);
    for (size_t i = 0; out->roots != NULL && i < p->len && out->roots_len < ROOTS_MAX; i++)
        if ((int)i == best || (p->all[i].parent == m->parent && goes_along(p, &p->all[i], m)))
            out->roots[out->roots_len++] = p->all[i].node;
}

/* A box inside the article that is mostly links, or asks for input, or holds next to no text. */
static bool is_junk(const Mass *m)
{
    GumboTag t = m->node->v.element.tag;
    bool box = t == GUMBO_TAG_DIV || t == GUMBO_TAG_UL || t == GUMBO_TAG_OL ||
               t == GUMBO_TAG_TABLE || t == GUMBO_TAG_SECTION || t == GUMBO_TAG_DL;
    if (!box || m->commas >= 10)
        return false;
    int weight = weight_of(m->node);
    double share = link_share(m);
    if (weight < 0 && m->paragraphs < 3 && m->text < 500)
        return true;
    return (m->inputs * 3 > m->paragraphs && m->inputs > 0) ||
           (weight < 25 && share > 0.35 && m->text > 0) || (weight >= 25 && share > 0.5);
}

static int by_address(const void *a, const void *b)
{
    const GumboNode *const *x = a, *const *y = b;
    return (*x > *y) - (*x < *y);
}

/* Everything that was not weighed was told to be outer by its tag or name. */
static bool add_drops(const Page *p, const GumboNode *root, Arena *a, HtmlMain *out)
{
    size_t most = 0;
    for (size_t i = 0; i < p->len; i++)
        most += p->all[i].node->v.element.children.length;
    out->drop = arena_new(a, const GumboNode *, p->len + most + 1);
    if (out->drop == NULL)
        return false;
    (void)root;
    for (size_t i = 0; i < p->len; i++) {
        bool is_root = false;
        for (size_t k = 0; k < out->roots_len; k++)
            is_root = is_root || out->roots[k] == p->all[i].node;
        if (!is_root && i > 0 && is_junk(&p->all[i]))
            out->drop[out->drop_len++] = p->all[i].node;
        const GumboVector *children = &p->all[i].node->v.element.children;
        for (unsigned k = 0; k < children->length; k++) {
            const GumboNode *c = children->data[k];
            if (c->type == GUMBO_NODE_ELEMENT && is_outer(c))
                out->drop[out->drop_len++] = c;
        }
    }
    qsort(out->drop, out->drop_len, sizeof *out->drop, by_address);
    return true;
}

bool html_main(const GumboNode *root, Arena *a, HtmlMain *out)
{
    Page p = {0};
    *out = (HtmlMain){0};
    if (root->type != GUMBO_NODE_ELEMENT || !weigh(&p, root, a))
        return false;
    give_points(&p);
    int best = best_of(&p);
    if (best <= 0 || p.all[best].text < CONTENT_MIN)
        return false;
    add_roots(&p, best, a, out);
    return out->roots_len > 0 && add_drops(&p, root, a, out);
}

bool html_main_drops(const HtmlMain *m, const GumboNode *n)
{
    return m->drop_len > 0 &&
           bsearch(&n, m->drop, m->drop_len, sizeof *m->drop, by_address) != NULL;
}
