#include "ocr/crew.h"
#include "base/fault.h"
#include "base/thread.h"

#include <leptonica/allheaders.h>
#include <sched.h>
#include <stdlib.h>

typedef enum SlotState { SLOT_FREE, SLOT_WAITING, SLOT_READING, SLOT_DONE } SlotState;

typedef struct Slot {
    SlotState state;
    CrewPage work; /* while READING: the worker's; else guarded by the lock */
} Slot;

typedef struct Worker {
    Crew *crew;
    size_t number;
    pthread_t thread;
} Worker;

struct Crew {
    const ReadOptions *options; /* constant */
    Worker workers[CREW_WORKERS_MAX];
    size_t workers_len;
    Mutex lock; /* guards the rest */
    Cond changed;
    Slot slots[CREW_RING];
    size_t first, count; /* the oldest page, and how many there are */
    bool closing;
};

static Slot *next_waiting_locked(Crew *c)
{
    mutex_assert_held(&c->lock);
    for (size_t i = 0; i < c->count; i++) {
        Slot *s = &c->slots[(c->first + i) % CREW_RING];
        if (s->state == SLOT_WAITING)
            return s;
    }
    return NULL;
}

static Slot *wait_for_work(Crew *c)
{
    MUTEX_HELD(&c->lock);
    for (;;) {
        Slot *s = c->closing ? NULL : next_waiting_locked(c);
        if (s != NULL)
            s->state = SLOT_READING;
        if (s != NULL || c->closing)
            return s;
        cond_wait(&c->changed, &c->lock);
    }
}

static void read_slot(const Crew *c, Tess *t, CrewPage *w)
{
    if (t == NULL)
        w->rc = err_set(&w->err, ERR_LIMIT_MEMORY, "no memory for another reader");
    else
        w->rc = read_page(t, c->options, w->picture, w->dpi, w->before, w->page, &w->err);
    pixDestroy(&w->picture);
}

static void *work(void *arg)
{
    Worker *w = arg;
    Tess *t = tess_open(w->number);
    for (Slot *s; (s = wait_for_work(w->crew)) != NULL;) {
        read_slot(w->crew, t, &s->work);
        MUTEX_HELD(&w->crew->lock);
        s->state = SLOT_DONE;
        cond_broadcast(&w->crew->changed);
    }
    tess_close(&t);
    return NULL;
}

/* Those this process may use: fewer than there are under taskset or in a container. */
static size_t cores(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return n < 1 ? 1 : n > CREW_WORKERS_MAX ? CREW_WORKERS_MAX : (size_t)n;
}

ErrCode crew_open(const ReadOptions *options, size_t workers, Crew **out, Err *err)
{
    Crew *c = fault_hit("ocr.crew") ? NULL : calloc(1, sizeof *c);
    if (c == NULL)
        return err_set(err, ERR_LIMIT_MEMORY, "no memory for the readers");
    c->options = options;
    mutex_init(&c->lock);
    cond_init(&c->changed);
    size_t wanted = workers == 0                 ? cores()
                    : workers < CREW_WORKERS_MAX ? workers
                                                 : CREW_WORKERS_MAX;
    for (size_t i = 0; i < wanted; i++) {
        Worker *w = &c->workers[i];
        *w = (Worker){.crew = c, .number = i};
        if (thread_start(&w->thread, "ocr", work, w, err) != OK)
            break; /* fewer hands, the same work */
        c->workers_len++;
    }
    if (c->workers_len == 0) {
        crew_close(&c);
        return err_set(err, ERR_LIMIT_MEMORY, "could not start a thread to read with");
    }
    *out = c;
    return OK;
}

bool crew_full(const Crew *c)
{
    return c->count == CREW_RING; /* only the caller's thread changes it */
}

bool crew_empty(const Crew *c)
{
    return c->count == 0;
}

void crew_put(Crew *c, const CrewPage *p)
{
    MUTEX_HELD(&c->lock);
    Slot *s = &c->slots[(c->first + c->count) % CREW_RING];
    *s = (Slot){.state = p->picture != NULL ? SLOT_WAITING : SLOT_DONE, .work = *p};
    c->count++;
    cond_broadcast(&c->changed);
}

void crew_take(Crew *c, CrewPage *out)
{
    MUTEX_HELD(&c->lock);
    Slot *s = &c->slots[c->first];
    while (s->state != SLOT_DONE)
        cond_wait(&c->changed, &c->lock);
    *out = s->work;
    *s = (Slot){0};
    c->first = (c->first + 1) % CREW_RING;
    c->count--;
}

static void drop(CrewPage *p)
{
    pixDestroy(&p->picture);
    if (p->page != NULL) {
        Arena *a = p->page->arena;
        arena_close(&a);
    }
}

void crew_close(Crew **crew)
{
    Crew *c = *crew;
    if (c == NULL)
        return;
    mutex_lock(&c->lock);
    c->closing = true;
    cond_broadcast(&c->changed);
    mutex_unlock(&c->lock);
    for (size_t i = 0; i < c->workers_len; i++)
        pthread_join(c->workers[i].thread, NULL);
    for (size_t i = 0; i < CREW_RING; i++)
        drop(&c->slots[i].work);
    mutex_done(&c->lock);
    cond_done(&c->changed);
    free(c);
    *crew = NULL;
}
