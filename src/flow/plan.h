/* plan.h: what a pipeline's job is to do next. Pure: definition and states in, a decision out.
 *
 * A node is decided when all it needs have ended. A need is met by `done`, by `skipped`, and by
 * `failed` of a node that may fail (continue-on-error); otherwise the node is omitted. Sections
 * follow each other: `on-failure` begins when all steps have ended and the job is failing,
 * `finally` after that, then the job ends. A cancelled job begins nothing but `finally`.
 *
 * The answer does not depend on which of two nodes ended first, so neither does the job's end.
 * Cost: O(nodes + needs) per call. */
#ifndef PLATEN_FLOW_PLAN_H
#define PLATEN_FLOW_PLAN_H

#include "flow/pipeline.h"

/* A node's row, or zeros when it has not begun. */
typedef struct NodeNow {
    NodeState state;
    int64_t total, begun, ended, failed; /* children */
    int64_t child;
    int64_t started_ms, finished_ms, due_ms;
    Str reason, detail;
} NodeNow;

enum { HALT_PAUSED = 1, HALT_CANCELED = 2, HALT_DEADLINE = 4 };

typedef enum PlanDo { PLAN_NOTHING, PLAN_BEGIN, PLAN_OMIT, PLAN_END } PlanDo;
typedef struct PlanStep {
    PlanDo what;
    int node; /* PLAN_BEGIN, PLAN_OMIT */
} PlanStep;

/* The next thing to do; call again with the changed states until PLAN_NOTHING or PLAN_END.
 * `from` is where the last call stopped (0 at first): nodes before it cannot have become
 * decidable by what was done since, as a node comes after all it needs. */
PlanStep plan_next(const Pipeline *p, const NodeNow *now, int64_t halt, int from);

bool node_state_ended(NodeState s);
/* Does the node's end let the job fail? */
bool plan_node_failed(const Node *n, const NodeNow *now);
/* Index of the node that the job fails by: the first in the definition's order; -1: none. */
int plan_failed(const Pipeline *p, const NodeNow *now);
/* Of a running foreach: how many children may begin now. */
int64_t plan_room(const Node *n, const NodeNow *now);
/* Has a running node ended, now that so many children have? */
bool plan_children_done(const Node *n, const NodeNow *now);

#endif
