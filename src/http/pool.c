#include "http/http_in.h"

void http_jobs_add(HttpJobs *jobs, HttpJob *job)
{
    job->next = NULL;
    if (jobs->first == NULL)
        jobs->first = job;
    else
        jobs->last->next = job;
    jobs->last = job;
    jobs->len++;
}

static HttpJob *take_locked(HttpPool *p)
{
    mutex_assert_held(&p->lock);
    HttpJob *job = p->waiting.first;
    if (job == NULL)
        return NULL;
    p->waiting.first = job->next;
    p->waiting.len--;
    /* One wake starts one thread; it wakes the next as long as there is work. Quick handlers need
     * no second thread. */
    if (p->waiting.first != NULL && p->idle > 0)
        cond_signal(&p->wake);
    return job;
}

static HttpJob *wait_for_job(HttpPool *p)
{
    MUTEX_HELD(&p->lock);
    HttpJob *job;
    while ((job = take_locked(p)) == NULL && !p->stopping) {
        p->idle++;
        cond_wait(&p->wake, &p->lock);
        p->idle--;
    }
    return job;
}

static void *work(void *arg)
{
    HttpPool *p = arg;
    HttpJob *job;
    while ((job = wait_for_job(p)) != NULL)
        job->run(job);
    return NULL;
}

ErrCode http_pool_open(HttpPool *p, int threads, Err *err)
{
    mutex_init(&p->lock);
    cond_init(&p->wake);
    ErrCode rc = OK;
    while (rc == OK && p->threads_len < threads && p->threads_len < (int)COUNT_OF(p->threads)) {
        rc = thread_start(&p->threads[p->threads_len], "http-pool", work, p, err);
        if (rc == OK)
            p->threads_len++;
    }
    if (rc != OK)
        http_pool_close(p);
    return rc;
}

void http_pool_close(HttpPool *p)
{
    mutex_lock(&p->lock);
    p->stopping = true;
    cond_broadcast(&p->wake);
    mutex_unlock(&p->lock);
    for (int i = 0; i < p->threads_len; i++)
        pthread_join(p->threads[i], NULL);
    p->threads_len = 0;
    cond_done(&p->wake);
    mutex_done(&p->lock);
}

void http_pool_add(HttpPool *p, HttpJobs *jobs)
{
    if (jobs->first == NULL)
        return;
    MUTEX_HELD(&p->lock);
    if (p->waiting.first == NULL)
        p->waiting.first = jobs->first;
    else
        p->waiting.last->next = jobs->first;
    p->waiting.last = jobs->last;
    p->waiting.len += jobs->len;
    *jobs = (HttpJobs){0};
    if (p->idle > 0)
        cond_signal(&p->wake);
}

int http_pool_waiting(HttpPool *p)
{
    MUTEX_HELD(&p->lock);
    return p->waiting.len;
}
