#include "queue/fair.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* With more projects than that in a batch the turns go on in the next: a turn is a query. */
enum { STRIDE = 1 << 20, FIRST = 8, TURNS_PER_BATCH = 64 };

/* --- the set --- */

static size_t place_of(const Fair *f, int64_t project)
{
    size_t at = (size_t)((uint64_t)project * 0x9e3779b97f4a7c15 >> 20) & (f->set_cap - 1);
    while (f->set[at] != 0 && f->set[at] != project)
        at = (at + 1) & (f->set_cap - 1);
    return at;
}

static bool grow_set(Fair *f)
{
    if (2 * (f->set_len + 1) <= f->set_cap)
        return true;
    Fair bigger = {.set_cap = f->set_cap > 0 ? 2 * f->set_cap : (size_t)2 * FIRST};
    bigger.set = calloc(bigger.set_cap, sizeof *bigger.set);
    if (bigger.set == NULL)
        return false;
    for (size_t i = 0; i < f->set_cap; i++)
        if (f->set[i] != 0)
            bigger.set[place_of(&bigger, f->set[i])] = f->set[i];
    free(f->set);
    f->set = bigger.set;
    f->set_cap = bigger.set_cap;
    return true;
}

/* Those behind the gap move up, or they would not be found any more. */
static void forget(Fair *f, int64_t project)
{
    size_t at = place_of(f, project);
    assert(f->set[at] == project);
    f->set[at] = 0;
    f->set_len--;
    for (size_t i = (at + 1) & (f->set_cap - 1); f->set[i] != 0; i = (i + 1) & (f->set_cap - 1)) {
        int64_t moved = f->set[i];
        f->set[i] = 0;
        f->set[place_of(f, moved)] = moved;
    }
}

/* --- the heap --- */

static bool before(const FairTurn *x, const FairTurn *y)
{
    return x->pass != y->pass ? x->pass < y->pass : x->project < y->project;
}

static bool grow_heap(Fair *f)
{
    if (f->set_len < f->cap) /* room also for those that are picked */
        return true;
    size_t cap = f->cap > 0 ? 2 * f->cap : FIRST;
    FairTurn *heap = realloc(f->heap, cap * sizeof *heap);
    if (heap == NULL)
        return false;
    f->heap = heap;
    f->cap = cap;
    return true;
}

static void push(Fair *f, FairTurn turn)
{
    assert(f->len < f->cap);
    size_t i = f->len++;
    for (; i > 0 && before(&turn, &f->heap[(i - 1) / 2]); i = (i - 1) / 2)
        f->heap[i] = f->heap[(i - 1) / 2];
    f->heap[i] = turn;
    f->weights += turn.weight;
}

static FairTurn pop(Fair *f)
{
    FairTurn first = f->heap[0], moved = f->heap[--f->len];
    size_t i = 0;
    for (size_t child = 1; child < f->len; child = 2 * i + 1) {
        if (child + 1 < f->len && before(&f->heap[child + 1], &f->heap[child]))
            child++;
        if (!before(&f->heap[child], &moved))
            break;
        f->heap[i] = f->heap[child];
        i = child;
    }
    f->heap[i] = moved;
    f->weights -= first.weight;
    return first;
}

/* --- */

bool fair_add(Fair *f, int64_t project, int64_t weight)
{
    if (project == f->last)
        return true;
    assert(project != 0 && weight > 0 && weight <= FAIR_WEIGHT_MAX);
    if (!grow_set(f) || !grow_heap(f))
        return false;
    size_t at = place_of(f, project);
    if (f->set[at] == 0) {
        f->set[at] = project;
        f->set_len++;
        push(f, (FairTurn){.pass = f->now, .project = project, .weight = weight});
    }
    f->last = project;
    return true;
}

bool fair_pick(Fair *f, FairTurn *out)
{
    if (f->len == 0)
        return false;
    *out = pop(f);
    if (out->pass > f->now)
        f->now = out->pass;
    return true;
}

int fair_share(const Fair *f, const FairTurn *turn, int max)
{
    int64_t share = (int64_t)max * turn->weight / (f->weights + turn->weight);
    int64_t least = max / TURNS_PER_BATCH;
    share = share > least ? share : least;
    return share > 0 ? (int)share : 1;
}

void fair_put(Fair *f, FairTurn turn, int64_t taken)
{
    if (turn.pass < f->now) /* it was passed over: its turns are not saved up */
        turn.pass = f->now;
    turn.pass += (uint64_t)taken * STRIDE / (uint64_t)turn.weight;
    push(f, turn);
}

void fair_drop(Fair *f, const FairTurn *turn)
{
    if (f->last == turn->project)
        f->last = 0;
    forget(f, turn->project);
}

void fair_clear(Fair *f)
{
    for (FairTurn turn; fair_pick(f, &turn);)
        fair_drop(f, &turn);
}

void fair_done(Fair *f)
{
    free(f->heap);
    free(f->set);
    *f = (Fair){0};
}
