/* The hub: who listens is called, who has left is not, waiting ends with the job. */
#include "flow/hub.h"
#include "unit/flow/bench_db.h"

#include <pthread.h>

static void count(void *ctx, int64_t project, int64_t job)
{
    (void)project;
    (void)job;
    ++*(int *)ctx;
}

TEST(called_for_what_they_asked)
{
    Hub *h = hub_open();
    int job1 = 0, also_job1 = 0, job2 = 0, project = 0;
    HubSub a = {.fn = count, .ctx = &job1}, b = {.fn = count, .ctx = &also_job1},
           c = {.fn = count, .ctx = &job2}, d = {.fn = count, .ctx = &project}, never = {0};
    hub_subscribe(h, HUB_JOB, 1, &a);
    hub_subscribe(h, HUB_JOB, 1, &b);
    hub_subscribe(h, HUB_JOB, 2, &c);
    hub_subscribe(h, HUB_PROJECT, 9, &d);
    assert_int_equal(hub_count(h), 4);
    hub_news(h, 9, 1);
    hub_news(h, 8, 2);
    hub_news(h, 1, 9); /* a project and a job of the same number are two things */
    assert_int_equal(job1, 1);
    assert_int_equal(also_job1, 1);
    assert_int_equal(job2, 1);
    assert_int_equal(project, 1);
    hub_unsubscribe(h, &a);
    hub_unsubscribe(h, &a);
    hub_unsubscribe(h, &never);
    hub_news(h, 9, 1);
    assert_int_equal(job1, 1);
    assert_int_equal(also_job1, 2);
    hub_unsubscribe(h, &b);
    hub_unsubscribe(h, &c);
    hub_unsubscribe(h, &d);
    assert_int_equal(hub_count(h), 0);
    hub_close(&h);
}

enum { MANY = 3000, ROUNDS = 2000 };

static void *tell(void *hub)
{
    for (int i = 0; i < ROUNDS * 50; i++)
        hub_news(hub, 1, i % MANY);
    return NULL;
}

typedef struct Owner {
    bool alive;
    int64_t calls;
} Owner;

static void must_live(void *ctx, int64_t project, int64_t job)
{
    (void)project;
    (void)job;
    Owner *o = ctx;
    o->calls++;
    if (!o->alive)
        abort();
}

TEST(leaving_while_news_come)
{
    Hub *h = hub_open();
    static HubSub crowd[MANY];
    static Owner owners[MANY];
    pthread_t teller;
    for (int i = 0; i < MANY; i++) {
        owners[i].alive = true;
        crowd[i] = (HubSub){.fn = must_live, .ctx = &owners[i]};
        hub_subscribe(h, HUB_JOB, i, &crowd[i]);
    }
    assert_int_equal(pthread_create(&teller, NULL, tell, h), 0);
    for (int round = 0; round < ROUNDS; round++) {
        int i = round % MANY;
        hub_unsubscribe(h, &crowd[i]);
        owners[i].alive = false; /* nobody may be called from here on */
        owners[i].alive = true;
        hub_subscribe(h, HUB_JOB, i, &crowd[i]);
    }
    pthread_join(teller, NULL);
    int64_t calls = 0;
    for (int i = 0; i < MANY; i++) {
        hub_unsubscribe(h, &crowd[i]);
        calls += owners[i].calls;
    }
    assert_true(calls > ROUNDS); /* most were there when their news came */
    hub_close(&h);
}

static void on_news(void *ctx, int64_t project, int64_t job)
{
    hub_news(ctx, project, job);
}

typedef struct Finisher {
    Bench *bench;
    pthread_t thread;
} Finisher;

static void *finish_soon(void *arg)
{
    Bench *b = ((Finisher *)arg)->bench;
    LeaseCall c = {.queue = STR("default"), .max = 1, .arena = arena_open(1 * MIB)};
    Err err;
    while (c.len == 0)
        if (db_write(b->db, lease_write, &c, &err) != OK)
            abort();
    TaskResult r = result_of(&c.out[0], OK);
    if (db_write(b->db, finish_write, &(FinishCall){&r, 1}, &err) != OK)
        abort();
    arena_close(&c.arena);
    return NULL;
}

TEST(waiting)
{
    Bench b = bench_open();
    Hub *h = hub_open();
    const FlowHooks hooks = {.ctx = h, .news = on_news};
    flow_set_hooks(b.db, &hooks);
    int64_t id = bench_add(&b, (JobNew){0});
    Job j = {0};
    assert_ok(hub_wait(h, b.db, PROJECT, id, 20, NULL, b.arena, &j, &b.err), &b.err);
    assert_int_equal(j.state, JOB_QUEUED); /* time is up */
    atomic_bool stop = true;
    assert_ok(hub_wait(h, b.db, PROJECT, id, 60000, &stop, b.arena, &j, &b.err), &b.err);
    assert_int_equal(j.state, JOB_QUEUED); /* told to stop */

    Finisher f = {.bench = &b};
    assert_int_equal(pthread_create(&f.thread, NULL, finish_soon, &f), 0);
    assert_ok(hub_wait(h, b.db, PROJECT, id, 60000, NULL, b.arena, &j, &b.err), &b.err);
    pthread_join(f.thread, NULL);
    assert_int_equal(j.state, JOB_DONE);
    assert_str_equal(j.data, "{\"n\":1}");
    assert_int_equal(hub_wait(h, b.db, PROJECT + 1, id, 1, NULL, b.arena, &j, &b.err),
                     ERR_NOT_FOUND);
    assert_int_equal(hub_count(h), 0);
    flow_set_hooks(b.db, NULL);
    bench_close(&b);
    hub_close(&h);
}

TEST_MAIN(called_for_what_they_asked, leaving_while_news_come, waiting)
