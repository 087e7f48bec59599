/* html.c: HTML by gumbo, an HTML5 parser: whatever a browser would show of a page, however it is
 * written.
 *
 * Gumbo checks no allocation and frees trees by recursion, so it gets its memory from here:
 * counted, and given back in one go; past the limit it is left by longjmp. */
#include "document/html_in.h"

#include "base/fault.h"
#include "document/charset.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 5000 };

/* What was asked for follows it, aligned for any type. */
typedef struct Piece {
    _Alignas(16) struct Piece *before;
    struct Piece *after;
    size_t size;
} Piece;

typedef struct Pool {
    Piece head; /* a ring */
    size_t used, most;
    jmp_buf full;
} Pool;

static void *pool_take(void *arg, size_t size)
{
    Pool *p = arg;
    Piece *n =
        p->used + size > p->most || fault_hit("html.memory") ? NULL : malloc(sizeof *n + size);
    if (n == NULL)
        longjmp(p->full, 1);
    p->used += size;
    n->size = size;
    n->before = &p->head;
    n->after = p->head.after;
    n->after->before = n;
    p->head.after = n;
    return n + 1;
}

static void pool_give(void *arg, void *ptr)
{
    Pool *p = arg;
    if (ptr == NULL)
        return;
    Piece *n = (Piece *)ptr - 1;
    n->before->after = n->after;
    n->after->before = n->before;
    p->used -= n->size;
    free(n);
}

static void pool_close(Pool **pool)
{
    Pool *p = *pool;
    if (p == NULL)
        return;
    while (p->head.after != &p->head)
        pool_give(p, p->head.after + 1);
    free(p);
    *pool = NULL;
}

static Pool *pool_open(size_t most)
{
    Pool *p = fault_hit("html.open") ? NULL : calloc(1, sizeof *p);
    if (p != NULL) {
        p->most = most;
        p->head.before = p->head.after = &p->head;
    }
    return p;
}

static const GumboOutput *parse(Pool *p, Str html)
{
    if (setjmp(p->full) != 0)
        return NULL;
    GumboOptions options = kGumboDefaultOptions;
    options.allocator = pool_take;
    options.deallocator = pool_give;
    options.userdata = p;
    options.max_errors = 0;
    return gumbo_parse_with_options(&options, html.ptr, html.len);
}

/* Elements that end by themselves (p, li, td …) or have no content do not nest; all others may. */
static bool nests(Str name)
{
    static const char *const flat[] = {
        "p",     "li",    "td",  "th",    "tr",    "dt",     "dd",    "option", "tbody",
        "thead", "tfoot", "br",  "img",   "hr",    "input",  "meta",  "link",   "col",
        "area",  "base",  "wbr", "embed", "param", "source", "track", "a",      "h1",
        "h2",    "h3",    "h4",  "h5",    "h6",    "body",   "html",  "head"};
    for (size_t i = 0; i < COUNT_OF(flat); i++)
        if (str_eq_nocase(name, str_from_c(flat[i])))
            return false;
    return true;
}

/* The parser takes time that grows with the square of the depth, so what nests like no page does is
 * refused before. */
static bool too_deep(Str html)
{
    int64_t depth = 0;
    const char *end = html.ptr + html.len, *p = html.ptr;
    while (p < end && (p = memchr(p, '<', (size_t)(end - p))) != NULL && ++p < end) {
        bool closes = *p == '/';
        const char *from = p + closes, *to = from;
        while (to < end && to - from < 16 &&
               ((*to | 0x20) >= 'a' && (*to | 0x20) <= 'z' ? true : *to >= '0' && *to <= '9'))
            to++;
        if (to == from || !nests((Str){from, (size_t)(to - from)}))
            continue;
        depth += closes ? (depth > 0 ? -1 : 0) : 1;
        if (depth > DEPTH_MAX)
            return true;
    }
    return false;
}

/* `main`: only what the page is about. */
static ErrCode read_utf8(StepCtx *c, Str html, bool meta, bool main, Doc *out)
{
    if (too_deep(html))
        return err_set(c->err, ERR_LIMIT_DEPTH, "elements of the page are nested more than %d deep",
                       DEPTH_MAX);
    CLEANUP(pool_close) Pool *pool = pool_open(384 * MIB);
    const GumboOutput *tree = pool != NULL ? parse(pool, html) : NULL;
    if (tree == NULL)
        return err_set(c->err, ERR_LIMIT_MEMORY, "the page does not fit into memory");
    HtmlMain parts;
    if (main && html_main(tree->root, c->arena, &parts))
        html_walk_main(tree->root, &parts, c, out);
    else
        html_walk(tree->root, meta, c, out);
    return OK;
}

static ErrCode read_any(StepCtx *c, Str bytes, Str charset, bool meta, bool main, Doc *out)
{
    const char *used;
    Str html;
    if (charset.len == 0)
        charset = charset_declared(c->arena, bytes);
    ErrCode rc = charset_to_utf8(c->arena, bytes, charset, &html, &used, c->err);
    return rc == OK ? read_utf8(c, html, meta, main, out) : rc;
}

ErrCode read_html(const DocInput *in, Doc *out)
{
    return read_any(in->step, in->bytes, in->charset, true, in->main, out);
}

ErrCode read_html_fragment(StepCtx *c, Str html, Str charset, Doc *out)
{
    return read_any(c, html, charset, false, false, out);
}

Str html_entity(Str entity, char out[32])
{
    Pool *pool = pool_open(1 * MIB);
    const GumboOutput *tree = pool != NULL ? parse(pool, entity) : NULL;
    const GumboNode *n = tree != NULL ? tree->root : NULL;
    while (n != NULL && n->type == GUMBO_NODE_ELEMENT && n->v.element.children.length > 0)
        n = n->v.element.children.data[n->v.element.children.length - 1];
    bool text = n != NULL && n->type == GUMBO_NODE_TEXT && strlen(n->v.text.text) < 32;
    Str s = text ? str_from_c(n->v.text.text) : str_slice(entity, 0, 31);
    memcpy(out, s.ptr, s.len);
    pool_close(&pool);
    return (Str){out, s.len};
}
