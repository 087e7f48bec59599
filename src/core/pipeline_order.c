/* Needs into an order: sections one after the other, in each a node after all it needs, and where
 * nothing decides, as written. */
#include "core/pipeline_in.h"

typedef struct Order {
    PipeReader *r;
    int place[PIPELINE_NODES_MAX];     /* draft's index → place in the order; -1: not yet */
    size_t drafts[PIPELINE_NODES_MAX]; /* the other way */
    size_t len;
} Order;

static bool ready(const Order *o, size_t i)
{
    const Draft *d = &o->r->drafts[i];
    for (size_t k = 0; k < o->r->drafts_len; k++)
        if (d->need[k] && o->place[k] < 0)
            return false;
    return true;
}

static void put(Order *o, size_t i)
{
    o->place[i] = (int)o->len;
    o->drafts[o->len++] = i;
}

/* The first node of the section that may stand next. */
static bool next_ready(const Order *o, NodeSection section, size_t *out)
{
    for (size_t i = 0; i < o->r->drafts_len; i++)
        if (o->r->drafts[i].node.section == section && o->place[i] < 0 && ready(o, i)) {
            *out = i;
            return true;
        }
    return false;
}

static bool first_left(const Order *o, NodeSection section, size_t *out)
{
    for (size_t i = 0; i < o->r->drafts_len; i++)
        if (o->r->drafts[i].node.section == section && o->place[i] < 0) {
            *out = i;
            return true;
        }
    return false;
}

static size_t first_need(const Order *o, size_t i)
{
    for (size_t k = 0; k < o->r->drafts_len; k++)
        if (o->r->drafts[i].need[k] && o->place[k] < 0)
            return k;
    return i;
}

/* Whoever is left waits for somebody who is left: following that ends in a circle. It is told once
 * and cut, so that the next circle is found too. */
static void tell_cycle(Order *o, size_t start)
{
    bool seen[PIPELINE_NODES_MAX] = {false};
    size_t at = start;
    while (!seen[at]) {
        seen[at] = true;
        at = first_need(o, at);
    }
    PipeReader *r = o->r;
    Buf b = buf_init(r->arena, 400);
    size_t node = at;
    do {
        buf_addf(&b, STR_FMT " → ", STR_ARG(r->drafts[node].node.id));
        node = first_need(o, node);
    } while (node != at);
    Place section = pipe_section_place(r->drafts[at].node.section);
    Place here = {&section, r->drafts[at].node.id};
    if (b.failed) /* a long circle: its end says enough */
        pipe_fault(r, &here, "waits for itself through a long circle of steps; cut it");
    else
        pipe_fault(r, &here, "waits for itself: " STR_FMT STR_FMT "; cut the circle",
                   STR_ARG(buf_str(&b)), STR_ARG(r->drafts[at].node.id));
    put(o, at);
}

static void order_section(Order *o, NodeSection section)
{
    size_t i;
    while (!o->r->no_memory) {
        if (next_ready(o, section, &i))
            put(o, i);
        else if (first_left(o, section, &i))
            tell_cycle(o, i);
        else
            return;
    }
}

static const int *needs_of(Order *o, const Draft *d, size_t *len)
{
    int *needs = pipe_memory(o->r, arena_new(o->r->arena, int, o->len));
    size_t n = 0;
    for (size_t k = 0; needs != NULL && k < o->len; k++)
        if (d->need[o->drafts[k]])
            needs[n++] = (int)k;
    *len = n;
    return needs;
}

void pipe_order(PipeReader *r)
{
    Order o = {.r = r};
    for (size_t i = 0; i < r->drafts_len; i++)
        o.place[i] = -1;
    for (int s = SECTION_STEPS; s <= SECTION_FINALLY; s++)
        order_section(&o, (NodeSection)s);
    if (r->no_memory || r->faults->len > 0)
        return;
    Node *nodes = pipe_memory(r, arena_new(r->arena, Node, o.len));
    for (size_t i = 0; nodes != NULL && i < o.len; i++) {
        nodes[i] = r->drafts[o.drafts[i]].node;
        nodes[i].needs = needs_of(&o, &r->drafts[o.drafts[i]], &nodes[i].needs_len);
    }
    r->p->nodes = nodes;
    r->p->nodes_len = nodes != NULL ? o.len : 0;
}
