#include "base/thread.h"
#include "base/fault.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>

void mutex_init(Mutex *m)
{
    pthread_mutex_init(&m->m, NULL);
    atomic_store(&m->holder, (pthread_t)0);
}

void mutex_done(Mutex *m)
{
    pthread_mutex_destroy(&m->m);
}

void mutex_lock(Mutex *m)
{
    pthread_mutex_lock(&m->m);
    atomic_store_explicit(&m->holder, pthread_self(), memory_order_relaxed);
}

void mutex_unlock(Mutex *m)
{
    atomic_store_explicit(&m->holder, (pthread_t)0, memory_order_relaxed);
    pthread_mutex_unlock(&m->m);
}

void mutex_assert_held(Mutex *m)
{
    assert(pthread_equal(atomic_load_explicit(&m->holder, memory_order_relaxed), pthread_self()));
    (void)m;
}

void mutex_scope_end(Mutex **m)
{
    mutex_unlock(*m);
}

void cond_init(Cond *c)
{
    pthread_condattr_t a;
    pthread_condattr_init(&a);
    pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    pthread_cond_init(&c->c, &a);
    pthread_condattr_destroy(&a);
}

void cond_done(Cond *c)
{
    pthread_cond_destroy(&c->c);
}

void cond_wait(Cond *c, Mutex *m)
{
    mutex_assert_held(m);
    pthread_cond_wait(&c->c, &m->m);
    atomic_store_explicit(&m->holder, pthread_self(), memory_order_relaxed);
}

bool cond_wait_until(Cond *c, Mutex *m, int64_t mono_us)
{
    mutex_assert_held(m);
    struct timespec t = {.tv_sec = mono_us / 1000000, .tv_nsec = mono_us % 1000000 * 1000};
    int rc = pthread_cond_timedwait(&c->c, &m->m, &t);
    atomic_store_explicit(&m->holder, pthread_self(), memory_order_relaxed);
    return rc != ETIMEDOUT;
}

void cond_signal(Cond *c)
{
    pthread_cond_signal(&c->c);
}

void cond_broadcast(Cond *c)
{
    pthread_cond_broadcast(&c->c);
}

ErrCode thread_start(pthread_t *out, const char *name, void *(*fn)(void *), void *arg, Err *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = fault_hit("thread.start") ? EAGAIN : pthread_create(out, NULL, fn, arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return err_set_errno(err, ERR_NO_MEMORY, rc, "could not start thread \"%s\"", name);
    char kept[16];
    snprintf(kept, sizeof kept, "%.15s", name);
    pthread_setname_np(*out, kept);
    return OK;
}
