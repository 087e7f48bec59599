/* task.pml: the task of src/queue/queue.h and the jobs around it: two tasks that share a concurrency
 * key with one slot and are the items of one batch, two workers, a keeper, and somebody who cancels and
 * retries. Every transaction of the writer is one atomic step; between two of them everybody can crash.
 *
 * States and moves carry the names of the drawing in queue.h:
 *
 *   queue_add ─► READY ─ queue_lease ─► LEASED ─ queue_take ─► GONE (done, dead, cancelled)
 *                 ▲  ▲                   │ │
 *   DELAYED ──────┘  └─ queue_lose, ─────┘ └─ queue_delay ─► DELAYED
 *                       queue_give_back
 *   BLOCKED ─ queue_slot_next ─► READY          WAITING: the batch, until its last item has ended
 *
 * What a crash loses is what a worker knows: at any point it may forget and begin anew (a whole server
 * that dies is all workers forgetting, and a keeper that finds every lease). A worker that is only slow
 * comes back with a result that is no longer wanted.
 *
 * Each -D of the list below breaks one rule of the code; run.py shows that spin then finds the property
 * it belongs to violated. */

#ifndef ATTEMPTS
#define ATTEMPTS 2 /* of one task, before it is retried by hand */
#endif
#define TASKS 2
#define WORKERS 2
#define LAST (ATTEMPTS + 3) /* highest attempt number there can be: one retry, give-backs */

mtype = { none, ready, delayed, leased, blocked, waiting, gone };

mtype state[TASKS] = none;
byte attempt[TASKS];      /* begun so far */
byte max_attempts[TASKS]; /* rises when an attempt does not count, or by hand */
bool slot[TASKS];         /* holds the slot of the key */
bool slot_taken;

mtype batch = none;
short pending;   /* of the batch: items that have not ended */
byte batch_ends; /* rows of job_end; a retry takes one back */
byte ends[TASKS];

/* For the properties only. */
byte holder[TASKS];            /* which worker leased the attempt that runs: 1, 2; 0: none */
bool recorded[TASKS * (LAST + 1)]; /* usage and result of (task, attempt) */
byte give_backs = 1, retries = 1, cancels = 1;

#define TASK_OF(t, a) ((t) * (LAST + 1) + (a))
#define ALL_GONE (state[0] == gone && state[1] == gone && batch == gone)

/* queue_slot_give and queue_slot_next: the slot goes to whoever waits for it, in the same transaction. */
inline slot_give(t)
{
#ifndef SLOT_KEPT
    if
    :: slot[t] ->
        slot[t] = false;
        slot_taken = false;
        if
        :: state[1 - t] == blocked -> state[1 - t] = ready; slot[1 - t] = true; slot_taken = true
        :: else
        fi
    :: else
    fi
#else
    skip
#endif
}

inline count_down()
{
    pending--;
    assert(pending >= 0); /* P: the count of what has not ended is never negative */
    if
#ifdef EARLY_END
    :: pending <= 1 ->
#else
    :: pending == 0 ->
#endif
        if
        :: batch == waiting ->
            batch = gone;
            batch_ends++;
            assert(batch_ends == 1); /* P: the batch ends once */
            assert(state[0] == gone && state[1] == gone) /* P: and only after all its items */
        :: else
        fi
    :: else
    fi
}

/* flow_end_job: the end of the item and what its batch must know, in one transaction. */
inline end_job(t)
{
    state[t] = gone;
    holder[t] = 0;
    ends[t]++;
    assert(ends[t] == 1); /* P: a job ends once */
    slot_give(t);
#ifdef SPLIT_END
    /* told later, by a process that a crash may take with it */
#else
    count_down()
#endif
}

inline record(t, a)
{
    assert(!recorded[TASK_OF(t, a)]); /* P: nothing of an attempt is recorded twice */
    recorded[TASK_OF(t, a)] = true
}

/* Does attempt `a` hold the task? task_of_attempt's WHERE. */
#if defined(NO_ATTEMPT_CHECK)
#define HOLDS(t, a) (state[t] == leased)
#elif defined(NO_STATE_CHECK)
#define HOLDS(t, a) (attempt[t] == (a))
#else
#define HOLDS(t, a) (state[t] == leased && attempt[t] == (a))
#endif

#ifdef NO_LIMIT
#define MAY_RUN_AGAIN(t) true
#else
#define MAY_RUN_AGAIN(t) (attempt[t] < max_attempts[t])
#endif

inline queue_add(t)
{
    max_attempts[t] = ATTEMPTS;
    if
    :: !slot_taken -> slot_taken = true; slot[t] = true;
        if
        :: state[t] = ready
        :: state[t] = delayed
        fi
    :: else -> state[t] = blocked
    fi
}

inline queue_lease(t)
{
    state[t] = leased;
#ifdef NO_LIMIT
    if /* the number ends, the attempts do not */
    :: attempt[t] < LAST -> attempt[t]++
    :: else
    fi;
#else
    attempt[t]++;
#endif
    holder[t] = me
}

/* flow_finish: done, or failed for good, or failed and to be tried again. */
inline finish(t, a)
{
    if
    :: HOLDS(t, a) ->
        assert(holder[t] == me); /* P: an attempt that was lost ends nothing */
        record(t, a);
        if
        :: end_job(t)                                         /* queue_take: done, or a reason that is "never" */
        :: MAY_RUN_AGAIN(t) -> state[t] = delayed; holder[t] = 0 /* queue_delay */
        :: !MAY_RUN_AGAIN(t) -> end_job(t)                    /* a dead letter */
        fi
    :: else /* task.dropped */
    fi
}

proctype worker(byte me)
{
    byte t, a;
    do
    :: atomic { state[0] == ready -> t = 0; queue_lease(0); a = attempt[0] };
        goto holds
    :: atomic { state[1] == ready -> t = 1; queue_lease(1); a = attempt[1] };
        goto holds
    :: ALL_GONE && retries == 0 && cancels == 0 -> break
    od;
    goto over;
holds:
    if
    :: atomic { finish(t, a); t = 0; a = 0 }
    :: atomic { give_backs > 0 -> give_backs--; /* the server stops: queue_give_back */
        if
        :: HOLDS(t, a) -> state[t] = ready; max_attempts[t]++; holder[t] = 0
        :: else
        fi; t = 0; a = 0 }
    :: atomic { true -> t = 0; a = 0 } /* kill -9: nothing is said */
    fi;
    goto again;
again:
    do
    :: atomic { state[0] == ready -> t = 0; queue_lease(0); a = attempt[0] };
        goto holds
    :: atomic { state[1] == ready -> t = 1; queue_lease(1); a = attempt[1] };
        goto holds
    :: ALL_GONE && retries == 0 && cancels == 0 -> break
    od;
over:
    skip
}

/* Leases that have run out: queue_lose, or death by worker_lost. A lease may run out while its worker is
 * merely slow. And delayed tasks whose time has come (queue_lease wakes them). */
proctype keeper()
{
    byte t;
    do
#ifndef NO_KEEPER
    :: atomic { state[0] == leased -> t = 0; goto lost }
    :: atomic { state[1] == leased -> t = 1; goto lost }
#endif
    :: atomic { state[0] == delayed -> state[0] = ready }
    :: atomic { state[1] == delayed -> state[1] = ready }
    :: ALL_GONE && retries == 0 && cancels == 0 -> break
    od;
    goto over;
lost:
    atomic {
        if
        :: state[t] == leased && MAY_RUN_AGAIN(t) -> state[t] = ready; holder[t] = 0
        :: state[t] == leased && !MAY_RUN_AGAIN(t) -> end_job(t)
        :: else
        fi;
        t = 0
    };
    goto again;
again:
    do
#ifndef NO_KEEPER
    :: atomic { state[0] == leased -> t = 0; goto lost }
    :: atomic { state[1] == leased -> t = 1; goto lost }
#endif
    :: atomic { state[0] == delayed -> state[0] = ready }
    :: atomic { state[1] == delayed -> state[1] = ready }
    :: ALL_GONE && retries == 0 && cancels == 0 -> break
    od;
over:
    skip
}

/* flow_cancel and flow_retry, each at most once, at any time; or not at all. */
proctype somebody()
{
    do
    :: atomic { cancels > 0 && state[0] != none ->
        cancels--;
        if
#ifdef CANCEL_AGAIN
        :: true -> /* without looking whether it has ended */
            if
            :: state[0] != gone -> end_job(0)
            :: else -> count_down()
            fi
#else
        :: state[0] != gone -> end_job(0) /* queue_cancel: in whatever state */
        :: else
#endif
        fi }
    :: atomic { retries > 0 && state[0] == gone ->
        retries--;
        if
        :: true -> /* job_end_take; attempts go on counting */
            ends[0]--;
#ifdef ATTEMPTS_FROM_0
            attempt[0] = 0;
#endif
            max_attempts[0] = attempt[0] + 1;
            pending++;
            if
            :: batch == gone -> batch = waiting; batch_ends-- /* flow_item_again */
            :: else
            fi;
            if
            :: !slot_taken -> slot_taken = true; slot[0] = true; state[0] = ready
            :: else -> state[0] = blocked
            fi
        :: true /* they are satisfied */
        fi }
    :: atomic { cancels > 0 -> cancels-- }
    :: atomic { ALL_GONE && retries > 0 -> retries-- }
    :: cancels == 0 && retries == 0 -> break
    od
}

#ifdef SPLIT_END
/* The batch is told in a transaction of its own, by a process that may be gone by then. */
proctype teller()
{
    bool told[TASKS];
    do
    :: atomic { state[0] == gone && !told[0] -> told[0] = true;
        if
        :: count_down()
        :: skip /* crashed in between */
        fi }
    :: atomic { state[1] == gone && !told[1] -> told[1] = true;
        if
        :: count_down()
        :: skip
        fi }
    :: told[0] && told[1] -> break
    od
}
#endif

init
{
    /* The batch and its items are added in one transaction. */
    atomic {
        batch = waiting;
        pending = TASKS;
        queue_add(0);
        queue_add(1);
        run worker(1);
        run worker(2);
        run keeper();
        run somebody();
#ifdef SPLIT_END
        run teller()
#endif
    }
}

/* Every accepted job ends, and stays ended: whoever crashes, as long as workers and keeper get their
 * turn (weak fairness). */
ltl every_job_ends { <> [] (ALL_GONE) }
