/* work_in.h: what the files of this folder share.
 *
 *   work.c     open, drain, close; hooks; the list of lanes
 *   lane.c     leaser: plan, write, dispatch
 *   runner.c   runners and the tasks they hold
 *   attempt.c  one attempt: inputs, engine or built-in step, outputs
 *   waits.c    waits of pipelines that end by themselves
 *   scheduler.c  what starts by the clock
 *   figures.c  what queues and steps did lately
 *   ask.c      what a step may ask about its project
 *   keeper.c   leases made longer, expired, new queues */
#ifndef PLATEN_WORK_WORK_IN_H
#define PLATEN_WORK_WORK_IN_H

#include "base/log.h"
#include "base/thread.h"
#include "work/work.h"

enum {
    WORK_LANES_MAX = 128,
    WORK_RUNNERS_MAX = 64,
    WORK_LEASERS_DEFAULT =
        2, /* of the lane "default": one runs a batch while the other's is written */
    WORK_QUICK_BATCH = 512,
    WORK_RESULTS_MAX = 1024, /* results per write */
    WORK_CANCELED_MAX = 64,
    WORK_NOTES_MAX = 200,    /* notes an attempt may leave */
    WORK_OUTSIDE_MAX = 4096, /* a power of two */
};

/* Why a task is to stop. */
typedef enum Stop { STOP_NOT, STOP_CANCELED, STOP_SHUTDOWN } Stop;

typedef struct Lane Lane;
typedef struct Scheduler Scheduler;

/* A task in this process that is not quick: waiting for a runner, running, or waiting for its
 * result to be written. */
typedef struct Held {
    /* Set when it is made, then constant. */
    Work *work;
    Lane *lane;
    Arena *arena;
    TaskLease lease;
    const Step *step; /* NULL: unknown */

    atomic_bool canceled;
    _Atomic int stop; /* enum Stop: set before `canceled` */

    /* Its runner's, then its leaser's. */
    TaskResult result;
    bool give_back, drop;
    int64_t told_us, started_us; /* last progress */
    int notes;

    struct Held *next;              /* in todo or finished; Lane.lock */
    struct Held *newer, **newer_at; /* in Work.held; Work.lock */
} Held;

typedef struct HeldList {
    Held *first, *last;
    size_t len;
} HeldList;
void held_push(HeldList *l, Held *h);
Held *held_pop(HeldList *l); /* NULL: empty */

struct Lane {
    /* Set when it is made, then constant. */
    Work *work;
    char name[QUEUE_NAME_MAX + 1];
    int64_t hash;
    int leasers_len;
    bool mixes; /* quick tasks pass slow ones: lease without regard to the runners */

    Mutex lock; /* guards the rest */
    Cond wake_leaser, wake_runner;
    HeldList todo, finished;
    size_t slow;      /* in todo, running or finished */
    int ahead;        /* how many may be leased at once */
    int runners_most; /* tasks at once; Work.runners unless somebody has set it */
    bool poked;       /* something may be ready */
    bool stop;        /* leave the threads */
    int64_t due_ms;   /* next delayed task; INT64_MAX: none known */
    int leasers_busy; /* between plan and the end of the write, or running quick ones */
    int runners_len, runners_idle;
    int runners_busy; /* with a task, and not waiting for its turn (Step.concurrency): at most
                         runners_most, but for those that have just got their turn */
    pthread_t leasers[WORK_LEASERS_DEFAULT], runners[WORK_RUNNERS_MAX];
};

struct Work {
    /* Set in work_open, then constant. */
    WorkOptions o;
    char worker[32];
    FlowHooks hooks;
    int runners;
    atomic_bool draining;

    /* Only the keeper (and work_open before it) adds lanes; whoever reads looks at lanes_len first.
     */
    Lane *lanes[WORK_LANES_MAX];
    _Atomic int lanes_len;

    Mutex lock; /* guards the next ones */
    Held *held;
    size_t held_len;
    TaskLease gone[WORK_CANCELED_MAX]; /* cancelled lately: a lease may still be on its way to its
                                          runner */
    size_t gone_next;
    Cond wake_keeper;
    bool keeper_stop, new_queue;
    int64_t lease_end_ms; /* of the outside lease that ends first, as far as known */
    pthread_t keeper;
    bool keeper_runs;
    Cond wake_waits;
    bool waits_stop, waits_runs;
    int64_t waits_due_ms; /* the earliest that is known; INT64_MAX: none */
    pthread_t waits;
    Figures *figures;     /* set in work_open, then constant */
    Scheduler *scheduler; /* set in work_open, then constant; NULL: schedules do not fire here */

    /* Hashes of queues of outside work, so that their tasks do not wake the keeper: open addressing,
     * only the keeper adds. When it is full, the others wake it. */
    _Atomic int64_t outside[WORK_OUTSIDE_MAX];
    int outside_len;

    _Atomic int64_t leased, done, failed, dropped, given_back, lost, running;
};

/* lane.c */
MUST_CHECK ErrCode lane_open(Work *w, Str name, Lane **out, Err *err);
void lane_poke(Lane *l, int64_t run_at_ms);      /* something is or will be ready */
void lane_set_runners(Lane *l, int64_t runners); /* 0: as the server was started */
void lane_stop(Lane *l);                         /* after a drain: ends the threads */
void lane_close(Lane **l);                       /* after lane_stop */
bool lane_is_quiet(Lane *l);                     /* nothing leased, nothing to record */
/* In the figures of its queue and step: the attempt has begun, has ended. */
void note_start(Lane *l, const TaskLease *lease, const TaskResult *r);
void note_end(Lane *l, const TaskLease *lease, const TaskResult *r);

/* runner.c */
MUST_CHECK ErrCode held_new(Lane *l, const TaskLease *lease, const Step *step, Held **out,
                            Err *err);
void held_free(Held **h);
void held_stop(Held *h, Stop why);
/* Give it to a runner; starts one when all are busy. */
void lane_put(Lane *l, Held *h);
/* Its task waits for its turn, or goes on: another runner may take its place meanwhile. */
void lane_park(Lane *l, bool begins);
/* Move what waits for a runner to the finished ones, to be given back. */
void lane_give_back_todo(Lane *l);

/* attempt.c */
bool step_is_quick(const Step *s);
/* Run on this thread. The result's memory is in `a`; `scratch` is used and given back. */
void attempt_quick(const Step *s, const TaskLease *l, Arena *a, Arena *scratch, TaskResult *out);
void attempt_run(Held *h);

/* ask.c */
MUST_CHECK ErrCode work_ask(Work *w, int64_t project, const char *what, int64_t time_ms,
                            JsonOut *out, Err *err);

/* keeper.c */
void *keeper_main(void *work);

/* waits.c */
void *waits_main(void *work);
void waits_poke(Work *w, int64_t due_ms);
/* scheduler.c */
MUST_CHECK ErrCode scheduler_open(Db *db, const Registry *registry, Scheduler **out, Err *err);
MUST_CHECK ErrCode scheduler_start(Scheduler *s, Err *err);
void scheduler_due(Scheduler *s, int64_t due_ms); /* something is due then */
void scheduler_stop(Scheduler *s);                /* starts nothing more; NULL allowed */
void scheduler_close(Scheduler **s);              /* when no hook can call scheduler_due any more */

/* work.c */
MUST_CHECK ErrCode work_add_lane(Work *w, Str name, Err *err);
Lane *work_lane(Work *w, int64_t hash); /* NULL: there is none */
bool work_knows_outside(Work *w, int64_t hash);
void work_note_outside(Work *w, int64_t hash);

#endif
