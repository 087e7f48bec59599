#include "surface/graph.h"

const char *graph_section_name(NodeSection s)
{
    static const char *const names[] = {[SECTION_STEPS] = "steps",
                                        [SECTION_ON_FAILURE] = "on-failure",
                                        [SECTION_FINALLY] = "finally"};
    return names[s];
}

static Str does(const Node *n, Arena *a)
{
    static const char *const waits[] = {[WAIT_APPROVAL] = "approval",
                                        [WAIT_SIGNAL] = "signal",
                                        [WAIT_TIME] = "time",
                                        [WAIT_CALLBACK] = "callback"};
    if (n->kind == NODE_WAIT)
        return str_printf(a, "wait %s", waits[n->wait]);
    return n->kind == NODE_CALL ? str_printf(a, "call " STR_FMT, STR_ARG(n->call)) : n->uses;
}

static const char *times(const Node *n)
{
    return n->foreach != NULL ? " × foreach" : n->matrix != NULL ? " × matrix" : "";
}

/* --- text --- */

/* Index of the node that this one stands below: the last that it needs in its own section; -1. */
static int above(const Pipeline *p, int index)
{
    const Node *n = &p->nodes[index];
    int last = -1;
    for (size_t i = 0; i < n->needs_len; i++)
        if (n->needs[i] > last && p->nodes[n->needs[i]].section == n->section)
            last = n->needs[i];
    return last;
}

static bool has_later_sibling(const Pipeline *p, int index)
{
    for (int i = index + 1; i < (int)p->nodes_len; i++)
        if (above(p, i) == above(p, index) && p->nodes[i].section == p->nodes[index].section)
            return true;
    return false;
}

/* The lines of those above, from the outermost. */
static void put_rails(const Pipeline *p, int index, Buf *b)
{
    int up = above(p, index);
    if (up < 0)
        return;
    put_rails(p, up, b);
    buf_add_c(b, has_later_sibling(p, up) ? "│  " : "   ");
}

static void put_needs(const Pipeline *p, int index, Buf *b)
{
    const Node *n = &p->nodes[index];
    const char *before = "  also needs ";
    for (size_t i = 0; i < n->needs_len; i++) {
        if (n->needs[i] == above(p, index))
            continue;
        buf_add_c(b, before);
        buf_add(b, p->nodes[n->needs[i]].id);
        before = ", ";
    }
}

static void put_below(const Pipeline *p, NodeSection section, int parent, Buf *b)
{
    for (int i = parent + 1; i < (int)p->nodes_len; i++) {
        const Node *n = &p->nodes[i];
        if (n->section != section || above(p, i) != parent)
            continue;
        put_rails(p, i, b);
        buf_add_c(b, has_later_sibling(p, i) ? "├─ " : "└─ ");
        buf_add(b, n->id);
        buf_add_c(b, "  ");
        buf_add(b, does(n, b->arena));
        buf_add_c(b, times(n));
        buf_add_c(b, n->when != NULL ? "  if …" : "");
        put_needs(p, i, b);
        buf_add_char(b, '\n');
        put_below(p, section, i, b);
    }
}

static void put_text(const Pipeline *p, Buf *b)
{
    buf_add(b, p->name);
    buf_addf(b, "%s" STR_FMT "\n", p->title.len > 0 ? "  " : "", STR_ARG(p->title));
    for (int s = SECTION_STEPS; s <= SECTION_FINALLY; s++) {
        bool any = false;
        for (size_t i = 0; i < p->nodes_len; i++)
            any |= p->nodes[i].section == (NodeSection)s;
        if (any && s != SECTION_STEPS)
            buf_addf(b, "%s\n", graph_section_name((NodeSection)s));
        put_below(p, (NodeSection)s, -1, b);
    }
}

/* --- for tools --- */

/* Ids may hold '-' and '.', which both languages read as their own: nodes are numbered. */
static void put_mermaid(const Pipeline *p, Buf *b)
{
    buf_add_c(b, "flowchart TD\n");
    for (size_t i = 0; i < p->nodes_len; i++) {
        const Node *n = &p->nodes[i];
        bool wait = n->kind == NODE_WAIT;
        buf_addf(b, "    n%zu%s\"" STR_FMT "<br/>" STR_FMT "%s\"%s\n", i, wait ? "{{" : "[",
                 STR_ARG(n->id), STR_ARG(does(n, b->arena)), times(n), wait ? "}}" : "]");
    }
    for (size_t i = 0; i < p->nodes_len; i++)
        for (size_t k = 0; k < p->nodes[i].needs_len; k++)
            buf_addf(b, "    n%d --> n%zu\n", p->nodes[i].needs[k], i);
    for (int s = SECTION_ON_FAILURE; s <= SECTION_FINALLY; s++)
        for (size_t i = 0; i < p->nodes_len; i++)
            if (p->nodes[i].section == (NodeSection)s && p->nodes[i].needs_len == 0)
                buf_addf(b, "    s%d([%s]) -.-> n%zu\n", s, graph_section_name((NodeSection)s), i);
}

static void put_dot(const Pipeline *p, Buf *b)
{
    buf_addf(b, "digraph \"" STR_FMT "\" {\n    node [shape=box];\n", STR_ARG(p->name));
    for (size_t i = 0; i < p->nodes_len; i++) {
        const Node *n = &p->nodes[i];
        buf_addf(b, "    n%zu [label=\"" STR_FMT "\\n" STR_FMT "%s\"%s];\n", i, STR_ARG(n->id),
                 STR_ARG(does(n, b->arena)), times(n),
                 n->kind == NODE_WAIT ? ", shape=hexagon" : "");
    }
    for (size_t i = 0; i < p->nodes_len; i++)
        for (size_t k = 0; k < p->nodes[i].needs_len; k++)
            buf_addf(b, "    n%d -> n%zu;\n", p->nodes[i].needs[k], i);
    for (int s = SECTION_ON_FAILURE; s <= SECTION_FINALLY; s++)
        for (size_t i = 0; i < p->nodes_len; i++)
            if (p->nodes[i].section == (NodeSection)s && p->nodes[i].needs_len == 0)
                buf_addf(b, "    \"%s\" -> n%zu [style=dashed];\n",
                         graph_section_name((NodeSection)s), i);
    buf_add_c(b, "}\n");
}

void graph_put(const Pipeline *p, GraphFormat f, Buf *b)
{
    if (f == GRAPH_MERMAID)
        put_mermaid(p, b);
    else if (f == GRAPH_DOT)
        put_dot(p, b);
    else
        put_text(p, b);
}
