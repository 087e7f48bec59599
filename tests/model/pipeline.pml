/* pipeline.pml: a pipeline's job as src/flow/pipeline.h draws it, with the rules of plan.h.
 *
 *   node: pending ─needs met─► running ─all children ended─► done | failed
 *            │                 waiting ─signal, time─► done | failed
 *            ├─ if is false ─► skipped      ├─ a need failed ─► omitted      (cancelled: canceled)
 *
 * The pipeline:    a ─┬─► b (foreach: two items, one at a time) ─┬─► c (if)        finally: f
 *                     └─► w (a wait with a time-out) ────────────┘
 *
 * What ends a child decides what follows in the child's own transaction; so there is no state in which
 * the child has ended and its pipeline does not know. Processes: workers that lease and end children
 * (or die, and the lease is found again: task.pml), the clock that ends the wait, somebody who pauses
 * and resumes, cancels (twice), and retries the ended job.
 *
 * Each -D breaks one rule of the code; run.py shows that spin then finds a property violated. */

#define A 0
#define B 1
#define W 2
#define C 3
#define F 4
#define NODES 5
#define STEPS 4 /* the nodes before finally */

mtype = { pending, running, waits, done, failed, skipped, omitted, canceled };
mtype = { none, ready, paused, leased, c_done, c_failed, c_canceled };

mtype node[NODES] = pending;
byte begun[NODES], ended[NODES], failures[NODES];

/* Children by place: a, b first item, b second item, c, f. */
#define CHILDREN 5
mtype child[CHILDREN] = none;
#define LIVE(c) (child[c] == ready || child[c] == paused || child[c] == leased)
#define ANY_LIVE (LIVE(0) || LIVE(1) || LIVE(2) || LIVE(3) || LIVE(4))

bool is_paused, is_canceled;
byte ends; /* rows of job_end */
#define ENDED (ends > 0)
byte pauses = 1, cancels = 2, retries = 1, lost = 1;
bool if_true;

#define HAS_ENDED(n) (node[n] == done || node[n] == failed || node[n] == skipped || node[n] == omitted || node[n] == canceled)
#define IS_MET(n) (node[n] == done || node[n] == skipped)
#define TOTAL(n) ((n) == B -> 2 : 1)
#define CHILD_OF(n, place) ((n) == A -> 0 : ((n) == B -> 1 + (place) : ((n) == C -> 3 : 4)))
#define NODE_OF(c) ((c) == 0 -> A : ((c) <= 2 -> B : ((c) == 3 -> C : F)))

/* c needs b and w; b and w need a; f is of another section. */
#define NEEDS_ENDED(n) ((n) == A || (n) == F -> true : ((n) == C -> HAS_ENDED(B) && HAS_ENDED(W) : HAS_ENDED(A)))
#define NEEDS_MET(n) ((n) == A || (n) == F -> true : ((n) == C -> IS_MET(B) && IS_MET(W) : IS_MET(A)))
#define STEPS_ENDED (HAS_ENDED(A) && HAS_ENDED(B) && HAS_ENDED(W) && HAS_ENDED(C))
#define STEPS_ALIVE (node[A] == running || node[B] == running || node[W] == waits || node[C] == running)

/* flow_end_job of the pipeline's own job. */
inline end_job()
{
    ends++;
    assert(ends == 1); /* P: the job ends once */
    assert(!ANY_LIVE); /* P: and only after all its children */
    assert(node[A] != running && node[B] != running && node[W] != waits && node[C] != running && node[F] != running)
}

inline add_child(c)
{
    assert(child[c] == none); /* P: a child is made once per node and place */
    child[c] = ready
}

inline begin(n)
{
#ifndef NO_NEEDS
    assert(NEEDS_ENDED(n) && NEEDS_MET(n)); /* P: a node begins after what it needs */
#else
    assert(n == A || n == F || (NEEDS_ENDED(n) && NEEDS_MET(n)));
#endif
    if
    :: n == W -> node[n] = waits
    :: n == C && !if_true -> node[n] = skipped
    :: else -> node[n] = running; begun[n] = 1; add_child(CHILD_OF(n, 0))
    fi
}

/* A running node after children were made or have ended (running_settle). */
inline settle(n)
{
    if
    :: node[n] == running && is_canceled && n != F && ended[n] == begun[n] -> node[n] = canceled
    :: node[n] == running && !(is_canceled && n != F) && ended[n] == TOTAL(n) && begun[n] == TOTAL(n) ->
        node[n] = (failures[n] > 0 -> failed : done)
    :: else
    fi
}

/* running_advance: plan_next until there is nothing more to do. */
inline advance()
{
    if
    :: is_canceled && node[W] == waits -> node[W] = canceled
    :: else
    fi;
#ifndef CANCEL_LEAVES_RUNNING
    if /* paused between two items: no child is left whose end would end the node */
    :: is_canceled && node[B] == running && ended[B] == begun[B] -> node[B] = canceled
    :: else
    fi;
#endif
    do
    :: !ENDED && !is_paused && !is_canceled && node[A] == pending -> begin(A)
#ifdef NO_NEEDS
    :: !ENDED && !is_paused && !is_canceled && node[B] == pending -> begin(B)
#else
    :: !ENDED && !is_paused && !is_canceled && node[B] == pending && NEEDS_ENDED(B) ->
        if
        :: NEEDS_MET(B) -> begin(B)
        :: else -> node[B] = omitted
        fi
#endif
    :: !ENDED && !is_paused && !is_canceled && node[W] == pending && NEEDS_ENDED(W) ->
        if
        :: NEEDS_MET(W) -> begin(W)
        :: else -> node[W] = omitted
        fi
    :: !ENDED && !is_paused && !is_canceled && node[C] == pending && NEEDS_ENDED(C) ->
        if
        :: NEEDS_MET(C) -> begin(C)
        :: else -> node[C] = omitted
        fi
#ifdef EARLY_END
    :: !ENDED && !is_paused && !is_canceled && (node[A] == failed || node[B] == failed || node[W] == failed || node[C] == failed) &&
        node[F] == pending -> begin(F)
#else
    :: !ENDED && !is_paused && !is_canceled && STEPS_ENDED && node[F] == pending -> begin(F)
#endif
    :: !ENDED && is_canceled && !STEPS_ALIVE && node[F] == pending -> begin(F)
    :: !ENDED && HAS_ENDED(F) -> end_job(); break
    :: else -> break
    od
}

/* In the transaction that ends child c. */
inline child_ended(c, how)
{
    child[c] = how;
#ifndef SPLIT_END
    tell(c, how)
#endif
}

inline tell(c, how)
{
    if
    :: !ENDED && node[NODE_OF(c)] == running ->
        ended[NODE_OF(c)]++;
        if
        :: how != c_done -> failures[NODE_OF(c)]++
        :: else
        fi;
        assert(ended[NODE_OF(c)] <= begun[NODE_OF(c)] && begun[NODE_OF(c)] <= TOTAL(NODE_OF(c))); /* P: what is open is never negative */
        /* node_fill: max-parallel is 1 */
        if
        :: NODE_OF(c) == B && !is_paused && !is_canceled && begun[B] == 1 && ended[B] == 1 -> begun[B] = 2; add_child(2)
        :: else
        fi;
        settle(NODE_OF(c));
        advance()
    :: else
    fi
}

/* Any child in this state. */
inline pick(c, how)
{
    if
    :: child[0] == how -> c = 0
    :: child[1] == how -> c = 1
    :: child[2] == how -> c = 2
    :: child[3] == how -> c = 3
    :: child[4] == how -> c = 4
    fi
}

#define ANY(how) (child[0] == how || child[1] == how || child[2] == how || child[3] == how || child[4] == how)

/* One transaction leases, another ends; between them the worker can die, and the lease is found. */
proctype workers()
{
    byte c;
    mtype how;
    do
    :: atomic { ANY(ready) -> pick(c, ready); child[c] = leased; c = 0 }
    :: atomic { ANY(leased) ->
        pick(c, leased);
        if
        :: how = c_done
        :: how = c_failed
        :: lost > 0 -> lost--; how = ready
        fi;
        if
        :: how == ready -> child[c] = ready
        :: else -> child_ended(c, how)
        fi;
        c = 0;
        how = none }
    :: ENDED && retries == 0 && !ANY_LIVE -> break
    od
}

#ifdef SPLIT_END
/* The pipeline is told in a transaction of its own, by a process that may be gone by then. */
bool told[CHILDREN];
#define UNTOLD(c) ((child[c] == c_done || child[c] == c_failed) && !told[c])
proctype teller()
{
    byte c;
    do
    :: atomic { UNTOLD(0) || UNTOLD(1) || UNTOLD(2) || UNTOLD(3) || UNTOLD(4) ->
        if
        :: UNTOLD(0) -> c = 0
        :: UNTOLD(1) -> c = 1
        :: UNTOLD(2) -> c = 2
        :: UNTOLD(3) -> c = 3
        :: UNTOLD(4) -> c = 4
        fi;
        told[c] = true;
        if
        :: tell(c, child[c])
        :: true /* crashed in between */
        fi;
        c = 0 }
    :: ENDED -> break
    od
}
#endif

/* A signal in time, or none: the wait is over either way. */
proctype clock()
{
    do
    :: atomic { node[W] == waits && !ENDED ->
        if
        :: node[W] = done
        :: node[W] = failed
        fi;
        advance() }
    :: ENDED && retries == 0 -> break
    od
}

#define PAUSE(c) if :: child[c] == ready -> child[c] = paused :: else fi
#define RESUME(c) if :: child[c] == paused -> child[c] = ready :: else fi

proctype pauser()
{
    do
    :: atomic { pauses > 0 && !ENDED && !is_canceled ->
        pauses--;
        is_paused = true;
        PAUSE(0); PAUSE(1); PAUSE(2); PAUSE(3); PAUSE(4) }
    :: atomic { is_paused ->
        is_paused = false;
        RESUME(0); RESUME(1); RESUME(2); RESUME(3); RESUME(4);
#ifndef PAUSE_FORGETS
        if /* what ended in the meantime may have left something to do */
        :: !ENDED && node[B] == running && begun[B] == 1 && ended[B] == 1 -> begun[B] = 2; add_child(2)
        :: else
        fi;
        if
        :: !ENDED -> advance()
        :: else
        fi
#endif
        }
    :: ENDED && retries == 0 && !is_paused -> break
    od
}

/* Children are cancelled in the same transaction; c_canceled counts as failed, and the plan knows why. */
inline cancel_children(from, to)
{
    c = from;
    do
    :: c < to ->
        if
        :: LIVE(c) -> child_ended(c, c_canceled)
        :: else
        fi;
        c++
    :: else -> break
    od;
    c = 0
}

proctype canceler()
{
    byte c;
    do
    :: atomic { cancels > 0 && !ENDED && !is_canceled -> /* flow_halt_softly: there is a finally */
        cancels--;
        is_canceled = true;
        is_paused = false;
        RESUME(4);
        cancel_children(0, 4);
        if
        :: !ENDED -> advance()
        :: else
        fi }
    :: atomic { cancels > 0 && is_canceled && !ENDED -> /* again: at once */
        cancels--;
        if
        :: LIVE(4) -> child[4] = c_canceled
        :: else
        fi;
        node[F] = canceled;
        end_job() }
#ifdef END_TWICE
    :: atomic { cancels > 0 && ENDED -> cancels--; ends++; assert(ends == 1) }
#endif
    :: atomic { cancels > 0 -> cancels-- }
    :: cancels == 0 -> break
    od
}

#define AGAIN(c) if :: child[c] == c_failed || child[c] == c_canceled -> \
        child[c] = ready; \
        node[NODE_OF(c)] = running; \
        ended[NODE_OF(c)] = ended[NODE_OF(c)] - TAKEN_BACK; \
        failures[NODE_OF(c)]-- \
    :: else fi
#ifdef RETRY_KEEPS_COUNT
#define TAKEN_BACK 0
#else
#define TAKEN_BACK 1
#endif

/* flow_pipeline_again: the failed children run again; what they held up, and finally, is open anew. */
proctype retrier()
{
    do
    :: atomic { retries > 0 && ENDED ->
        retries--;
        if
        :: !is_canceled && (node[A] == failed || node[B] == failed || node[C] == failed || node[W] == failed) ->
            ends--;
            if
            :: node[W] == failed || node[W] == omitted -> node[W] = pending
            :: else
            fi;
            if
            :: node[B] == omitted -> node[B] = pending
            :: else
            fi;
            if
            :: node[C] == omitted -> node[C] = pending
            :: else
            fi;
            node[F] = pending;
            begun[F] = 0;
            ended[F] = 0;
            failures[F] = 0;
            child[4] = none; /* another job, of the same place */
            AGAIN(0);
            AGAIN(1);
            AGAIN(2);
            AGAIN(3);
            advance()
        :: true /* they are satisfied */
        fi }
    :: retries == 0 -> break
    od
}

init
{
    atomic {
        if
        :: if_true = true
        :: if_true = false
        fi;
        advance();
        run workers();
        run clock();
        run pauser();
        run canceler();
        run retrier();
#ifdef SPLIT_END
        run teller()
#endif
    }
}

/* As long as nobody leaves it paused, the job ends and stays ended. */
ltl job_ends { <> [] (ENDED) }
