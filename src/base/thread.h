/* thread.h: a mutex that knows its holder, a condition, and threads with names.
 *
 * A function that wants a lock held ends in _locked and begins with mutex_assert_held. */
#ifndef PLATEN_BASE_THREAD_H
#define PLATEN_BASE_THREAD_H

#include "base/err.h"
#include <pthread.h>
#include <stdatomic.h>

typedef struct Mutex {
    pthread_mutex_t m;
    _Atomic(pthread_t) holder;
} Mutex;

void mutex_init(Mutex *m);
void mutex_done(Mutex *m);
void mutex_lock(Mutex *m);
void mutex_unlock(Mutex *m);
void mutex_assert_held(Mutex *m);
/* Holds the lock until the end of the scope: MUTEX_HELD(&q->lock); */
void mutex_scope_end(Mutex **m);
#define MUTEX_HELD(lock)          MUTEX_HELD_AT(lock, __LINE__)
#define MUTEX_HELD_AT(lock, line) MUTEX_HELD_NAMED(lock, line)
#define MUTEX_HELD_NAMED(lock, line)                                                               \
    CLEANUP(mutex_scope_end) Mutex *held_##line = (lock);                                          \
    mutex_lock(held_##line)

typedef struct Cond {
    pthread_cond_t c;
} Cond;

void cond_init(Cond *c); /* waits on the monotonic clock */
void cond_done(Cond *c);
void cond_wait(Cond *c, Mutex *m);
/* False: `mono_us` (clock_mono_us) has passed. */
bool cond_wait_until(Cond *c, Mutex *m, int64_t mono_us);
void cond_signal(Cond *c);
void cond_broadcast(Cond *c);

/* Start fn(arg) on a thread called `name` (15 characters are kept). Signals are blocked in it. */
MUST_CHECK ErrCode thread_start(pthread_t *out, const char *name, void *(*fn)(void *), void *arg,
                                Err *err);

#endif
