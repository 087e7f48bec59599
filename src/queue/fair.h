/* fair.h: whose turn it is: projects that may have ready tasks in a queue, weighted.
 *
 * Stride scheduling: every project has a pass; the lowest is next, and what it takes moves its pass
 * on by taken / weight. A project that comes (back) begins at the pass of whoever was served last:
 * it is soon served, and cannot save up turns while it has nothing to do.
 *
 *   fair_add ──► active ──fair_pick──► with the caller ──fair_put(taken)──► active
 *                                            └──(nothing: it had no more)──► forgotten
 *
 * The set may hold projects that have nothing (they are dropped when they are picked); it must not
 * lack one that has. Cost: O(log n) per turn, one comparison to add the project that came last, 24
 * bytes per active project. Not for several threads: it belongs to the writer's (queue/memory.h). */
#ifndef PLATEN_QUEUE_FAIR_H
#define PLATEN_QUEUE_FAIR_H

#include "base/err.h"

enum { FAIR_WEIGHT_MAX = 1000 };

typedef struct FairTurn {
    uint64_t pass;
    int64_t project, weight;
} FairTurn;

typedef struct Fair {
    FairTurn *heap; /* lowest pass first */
    size_t len, cap;
    int64_t *set; /* active projects and the picked ones: open addressing, 0: free */
    size_t set_len, set_cap;
    uint64_t now;    /* pass of the last pick */
    int64_t weights; /* of all in the heap */
    int64_t last;    /* a project that is in the heap for certain; 0: none */
} Fair;

/* The project (> 0) may have ready tasks. weight: 1 … FAIR_WEIGHT_MAX. False: no memory. */
bool fair_add(Fair *f, int64_t project, int64_t weight);
/* Whose turn it is; it is not active until it is put back. False: there is none. */
bool fair_pick(Fair *f, FairTurn *out);
/* How many of `max` this turn may take: its part of them by weight, at least one, and at least a
 * 64th of a large batch. */
int fair_share(const Fair *f, const FairTurn *turn, int max);
/* Back after `taken` tasks; it may have more. */
void fair_put(Fair *f, FairTurn turn, int64_t taken);
/* Not put back: it has nothing. */
void fair_drop(Fair *f, const FairTurn *turn);
/* Nobody has anything. */
void fair_clear(Fair *f);
void fair_done(Fair *f);

#endif
