#include "http/route_in.h"

#include <stdio.h>
#include <string.h>

typedef struct Node {
    Str segment;           /* literal text of this node */
    struct Node *children; /* literals */
    struct Node *next;     /* sibling */
    struct Node *param;    /* {name} */
    struct Node *rest;     /* {name...} */
    const HttpRoute *routes[HTTP_METHODS];
    unsigned allow;
} Node;

struct HttpRouter {
    Node root;
};

static const char *const method_names[HTTP_METHODS] = {
    [HTTP_GET] = "GET",         [HTTP_HEAD] = "HEAD",   [HTTP_POST] = "POST",
    [HTTP_PUT] = "PUT",         [HTTP_PATCH] = "PATCH", [HTTP_DELETE] = "DELETE",
    [HTTP_OPTIONS] = "OPTIONS",
};

const char *http_method_name(HttpMethod m)
{
    return method_names[m];
}

static Node *child_of(Arena *a, Node *n, Str segment)
{
    for (Node *c = n->children; c != NULL; c = c->next)
        if (str_eq(c->segment, segment))
            return c;
    Node *c = arena_new(a, Node, 1);
    if (c == NULL)
        return NULL;
    *c = (Node){.segment = segment, .next = n->children};
    n->children = c;
    return c;
}

/* The node for one segment of a pattern; *params counts the placeholders. NULL: no memory, or not a
 * pattern. */
static Node *step(Arena *a, Node *n, Str segment, bool last, int *params)
{
    if (!str_starts(segment, STR("{")))
        return child_of(a, n, segment);
    bool rest = str_ends(segment, STR("...}"));
    if (!str_ends(segment, STR("}")) || ++*params > HTTP_PATH_PARAMS_MAX || (rest && !last))
        return NULL;
    Node **where = rest ? &n->rest : &n->param;
    if (*where == NULL)
        *where = arena_new(a, Node, 1);
    return *where;
}

static ErrCode add_route(Arena *a, Node *root, const HttpRoute *route, Err *err)
{
    Node *n = root;
    int params = 0;
    Str rest = str_slice(str_from_c(route->path), 1, SIZE_MAX), segment;
    while (n != NULL && str_next(&rest, '/', &segment))
        n = step(a, n, segment, rest.ptr == NULL, &params);
    if (n == NULL || route->path[0] != '/')
        return err_set(err, ERR_INTERNAL, "route \"%s\" is not a valid pattern", route->path);
    if (n->routes[route->method] != NULL)
        return err_set(err, ERR_INTERNAL, "route \"%s %s\" is there twice",
                       http_method_name(route->method), route->path);
    n->routes[route->method] = route;
    n->allow |= 1u << route->method | 1u << HTTP_OPTIONS;
    if (route->method == HTTP_GET)
        n->allow |= 1u << HTTP_HEAD;
    return OK;
}

ErrCode http_router_build(Arena *a, const HttpRoute *routes, size_t len, HttpRouter **out, Err *err)
{
    HttpRouter *r = arena_new(a, HttpRouter, 1);
    if (r == NULL)
        return err_set(err, ERR_NO_MEMORY, "compiling %zu routes", len);
    for (size_t i = 0; i < len; i++) {
        ErrCode rc = add_route(a, &r->root, &routes[i], err);
        if (rc != OK)
            return rc;
    }
    *out = r;
    return OK;
}

/* Depth is bounded by the patterns, not by the path. */
static const Node *find(const Node *n, Str rest, Str *params, int at)
{
    Str segment, whole = rest;
    if (!str_next(&rest, '/', &segment))
        return n->allow != 0 ? n : NULL;
    const Node *found = NULL;
    for (const Node *c = n->children; c != NULL && found == NULL; c = c->next)
        if (str_eq(c->segment, segment))
            found = find(c, rest, params, at);
    if (found == NULL && n->param != NULL && segment.len > 0) {
        params[at] = segment;
        found = find(n->param, rest, params, at + 1);
    }
    if (found == NULL && n->rest != NULL) {
        params[at] = whole;
        found = n->rest;
    }
    return found;
}

HttpMatch http_router_find(const HttpRouter *r, HttpMethod method, Str path)
{
    HttpMatch m = {0};
    const Node *n = find(&r->root, str_slice(path, 1, path.len), m.params, 0);
    if (n == NULL)
        return (HttpMatch){0};
    m.allow = n->allow;
    m.route = n->routes[method];
    if (m.route == NULL && method == HTTP_HEAD)
        m.route = n->routes[HTTP_GET];
    return m;
}

void http_allow_text(unsigned allow, char *out, size_t size)
{
    size_t at = 0;
    out[0] = 0;
    for (int m = 0; m < HTTP_METHODS; m++)
        if ((allow >> m & 1) != 0 && at < size)
            at +=
                (size_t)snprintf(out + at, size - at, "%s%s", at > 0 ? ", " : "", method_names[m]);
}
