#include "flow/plan.h"

static const char *const names[] = {
    [NODE_PENDING] = "pending", [NODE_RUNNING] = "running",   [NODE_WAITING] = "waiting",
    [NODE_DONE] = "done",       [NODE_FAILED] = "failed",     [NODE_SKIPPED] = "skipped",
    [NODE_OMITTED] = "omitted", [NODE_CANCELED] = "canceled",
};

const char *node_state_name(NodeState s)
{
    return s < NODE_STATE_COUNT ? names[s] : "unknown";
}

bool node_state_ended(NodeState s)
{
    return s >= NODE_DONE && s < NODE_STATE_COUNT;
}

bool plan_node_failed(const Node *n, const NodeNow *now)
{
    return now->state == NODE_FAILED && !n->continue_on_error;
}

/* An omitted node needs one that failed, so it need not be asked. */
int plan_failed(const Pipeline *p, const NodeNow *now)
{
    for (size_t i = 0; i < p->nodes_len; i++)
        if (plan_node_failed(&p->nodes[i], &now[i]) && p->nodes[i].section != SECTION_ON_FAILURE)
            return (int)i;
    return -1;
}

typedef enum Needs { NEEDS_OPEN, NEEDS_MET, NEEDS_FAILED } Needs;

/* Nodes of on-failure and finally look at the steps whatever became of those: only needs of their
 * own section can omit them. */
static Needs needs_of(const Pipeline *p, const NodeNow *now, const Node *n)
{
    Needs result = NEEDS_MET;
    for (size_t i = 0; i < n->needs_len; i++) {
        const Node *need = &p->nodes[n->needs[i]];
        const NodeNow *state = &now[n->needs[i]];
        if (need->section != n->section)
            continue;
        if (!node_state_ended(state->state))
            return NEEDS_OPEN;
        bool met = state->state == NODE_DONE || state->state == NODE_SKIPPED ||
                   (state->state == NODE_FAILED && need->continue_on_error);
        if (!met)
            result = NEEDS_FAILED;
    }
    return result;
}

/* The section that is on, given which have ended; SECTION_FINALLY + 1: all have. */
typedef struct Sections {
    bool open[3]; /* has nodes that have not ended */
    bool failing;
} Sections;

static Sections look(const Pipeline *p, const NodeNow *now)
{
    Sections s = {0};
    for (size_t i = 0; i < p->nodes_len; i++) {
        const Node *n = &p->nodes[i];
        if (!node_state_ended(now[i].state))
            s.open[n->section] = true;
        s.failing = s.failing || (n->section == SECTION_STEPS && plan_node_failed(n, &now[i]));
    }
    return s;
}

/* Which section may begin nodes now; -1: none is open. A cancelled job skips to finally, as soon as
 * nothing of it is alive. */
static int section_now(const Pipeline *p, const NodeNow *now, int64_t halt)
{
    Sections s = look(p, now);
    bool canceled = (halt & (HALT_CANCELED | HALT_DEADLINE)) != 0;
    if (!canceled && s.open[SECTION_STEPS])
        return SECTION_STEPS;
    if (!canceled && s.failing && s.open[SECTION_ON_FAILURE])
        return SECTION_ON_FAILURE;
    for (size_t i = 0; canceled && i < p->nodes_len; i++)
        if (p->nodes[i].section != SECTION_FINALLY &&
            (now[i].state == NODE_RUNNING || now[i].state == NODE_WAITING))
            return p->nodes[i].section; /* its children are being cancelled */
    return s.open[SECTION_FINALLY] ? SECTION_FINALLY : -1;
}

PlanStep plan_next(const Pipeline *p, const NodeNow *now, int64_t halt, int from)
{
    int section = section_now(p, now, halt);
    if (section < 0)
        return (PlanStep){PLAN_END, -1};
    bool canceled = (halt & (HALT_CANCELED | HALT_DEADLINE)) != 0 && section != SECTION_FINALLY;
    if ((halt & HALT_PAUSED) || canceled)
        return (PlanStep){PLAN_NOTHING, -1};
    for (size_t i = from > 0 ? (size_t)from : 0; i < p->nodes_len; i++) {
        const Node *n = &p->nodes[i];
        if ((int)n->section != section || now[i].state != NODE_PENDING)
            continue;
        Needs needs = needs_of(p, now, n);
        if (needs != NEEDS_OPEN)
            return (PlanStep){needs == NEEDS_MET ? PLAN_BEGIN : PLAN_OMIT, (int)i};
    }
    return (PlanStep){PLAN_NOTHING, -1};
}

static bool stops(const Node *n, const NodeNow *now)
{
    return n->on_item_failure == ITEM_STOP && now->failed > 0;
}

int64_t plan_room(const Node *n, const NodeNow *now)
{
    int64_t live = now->begun - now->ended, left = now->total - now->begun;
    int64_t room = n->max_parallel - live;
    if (now->state != NODE_RUNNING || stops(n, now) || room <= 0)
        return 0;
    return room < left ? room : left;
}

bool plan_children_done(const Node *n, const NodeNow *now)
{
    return now->ended == now->begun && (now->begun == now->total || stops(n, now));
}
