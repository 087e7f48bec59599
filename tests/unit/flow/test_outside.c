/* Work done outside: who gets which task, and whose answer counts. */
#include "flow/outside.h"
#include "unit/flow/bench_db.h"

static const Param send_params[] = {
    {.name = "to", .type = PARAM_TYPE_TEXT, .required = true, .help = "Queue."},
    {.name = "payload", .type = PARAM_TYPE_JSON, .help = "Payload."},
    PARAM_END,
};
static const Step step_send = {
    .name = "queue.send", .attempts = 3, .outside = "to", .params = send_params};

static int64_t send_to(Bench *b, const char *queue)
{
    Str params = str_printf(b->arena, "{\"to\":\"%s\",\"payload\":{\"n\":1}}", queue);
    return bench_add(b, (JobNew){.step = &step_send, .params = params});
}

typedef struct OutCall {
    OutsideLease l;
    Arena *arena;
    TaskLease *out;
    size_t len;
    int64_t due_ms;
} OutCall;

static ErrCode out_write(DbConn *tx, void *arg, Err *err)
{
    OutCall *c = arg;
    return flow_lease_outside_tx(tx, &c->l, c->arena, &c->out, &c->len, &c->due_ms, err);
}

static OutCall lease_of(Bench *b, int64_t project, const char *queue, int max)
{
    OutCall c = {.l = {.project = project,
                       .queue = str_from_c(queue),
                       .worker = STR("w"),
                       .max = max,
                       .lease_ms = LEASE_MS},
                 .arena = b->arena};
    assert_ok(db_write(b->db, out_write, &c, &b->err), &b->err);
    return c;
}

typedef struct AnswerCall {
    int64_t project;
    TaskResult r;
} AnswerCall;

static ErrCode answer_write(DbConn *tx, void *arg, Err *err)
{
    const AnswerCall *c = arg;
    return flow_answer_tx(tx, c->project, &c->r, err);
}

static ErrCode answer(Bench *b, int64_t project, const TaskLease *l, ErrCode code)
{
    AnswerCall c = {project, result_of(l, code)};
    return db_write(b->db, answer_write, &c, &b->err);
}

TEST(only_its_own_project)
{
    Bench b = bench_open();
    int64_t id = send_to(&b, "mail");
    assert_str_equal(bench_get(&b, id).queue, "mail");
    assert_int_equal(lease_of(&b, PROJECT + 1, "mail", 10).len, 0);
    assert_int_equal(lease_of(&b, PROJECT, "letters", 10).len, 0);
    OutCall c = lease_of(&b, PROJECT, "mail", 10);
    assert_int_equal(c.len, 1);
    assert_int_equal(c.out[0].job, id);
    assert_int_equal(answer(&b, PROJECT + 1, c.out, OK), ERR_NOT_FOUND);
    assert_ok(answer(&b, PROJECT, c.out, OK), &b.err);
    assert_int_equal(bench_get(&b, id).state, JOB_DONE);
    assert_int_equal(bench_get(&b, id).events, 4);
    bench_close(&b);
}

TEST(the_attempt_is_the_ticket)
{
    Bench b = bench_open();
    int64_t id = send_to(&b, "mail");
    OutCall first = lease_of(&b, PROJECT, "mail", 1);
    assert_int_equal(bench_expire(&b, first.out->lease_until_ms, false), 1);
    assert_int_equal(answer(&b, PROJECT, first.out, OK), ERR_CONFLICT); /* ready again */
    OutCall second = lease_of(&b, PROJECT, "mail", 1);
    assert_int_equal(second.out->attempt, 2);
    assert_int_equal(answer(&b, PROJECT, first.out, OK), ERR_CONFLICT);
    assert_ok(answer(&b, PROJECT, second.out, OK), &b.err);
    assert_ok(answer(&b, PROJECT, second.out, OK), &b.err); /* said again */
    assert_int_equal(answer(&b, PROJECT, second.out, ERR_TASK_REFUSED), ERR_CONFLICT);
    assert_int_equal(answer(&b, PROJECT, first.out, OK), ERR_CONFLICT);
    assert_string_equal(bench_events(&b, id),
                        "job.added task.started task.lost task.started task.done job.done");
    bench_close(&b);
}

TEST(a_restart_leaves_them_their_leases)
{
    Bench b = bench_open();
    TaskLease *own = NULL;
    send_to(&b, "mail");
    bench_add(&b, (JobNew){0});
    OutCall c = lease_of(&b, PROJECT, "mail", 1);
    assert_int_equal(bench_lease(&b, "default", 1, &own), 1);
    assert_int_equal(bench_expire(&b, clock_now_ms(), true), 1); /* ours only */
    assert_ok(answer(&b, PROJECT, c.out, OK), &b.err);
    assert_int_equal(bench_lease(&b, "default", 1, &own), 1);
    /* What a lane holds is nobody else's to answer. */
    assert_int_equal(answer(&b, PROJECT, own, OK), ERR_CONFLICT);
    bench_close(&b);
}

static bool has_lane(void *ctx, int64_t queue)
{
    (void)ctx;
    return queue == queue_hash(STR("image"));
}

TEST(queues_of_lanes_are_refused)
{
    static const char *const names[] = {"default", "batch", "image", "", "Upper", "a\\\"b"};
    static const FlowHooks hooks = {.has_lane = has_lane};
    Bench b = bench_open();
    flow_set_hooks(b.db, &hooks);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        JobAdded added;
        Str params = str_printf(b.arena, "{\"to\":\"%s\"}", names[i]);
        const JobNew n = {.project = PROJECT, .step = &step_send, .params = params};
        assert_int_equal(flow_add(b.db, &n, &added, &b.err), ERR_BAD_PARAM);
        assert_string_equal(b.err.param, "to");
    }
    assert_int_equal(
        flow_handler_put(b.db, &(QueueHandler){.project = PROJECT, .queue = STR("image")}, &b.err),
        ERR_BAD_PARAM);
    bench_close(&b);
}

TEST(handlers)
{
    Bench b = bench_open();
    QueueHandler h = {0}, *list = NULL;
    size_t len = 0;
    bool outside = true;
    assert_ok(flow_is_outside(b.reader, STR("mail"), &outside, &b.err), &b.err);
    assert_false(outside);
    assert_int_equal(flow_handler_get(b.reader, PROJECT, STR("mail"), b.arena, &h, &b.err),
                     ERR_NOT_FOUND);
    send_to(&b, "mail");
    assert_ok(flow_is_outside(b.reader, STR("mail"), &outside, &b.err), &b.err);
    assert_true(outside);
    assert_ok(flow_handler_put(b.db,
                               &(QueueHandler){.project = PROJECT,
                                               .queue = STR("mail"),
                                               .kind = HANDLER_PUSH,
                                               .url = STR("https://example.com/"),
                                               .concurrency = 2},
                               &b.err),
              &b.err);
    assert_ok(flow_handlers_push(b.reader, b.arena, &list, &len, &b.err), &b.err);
    assert_int_equal(len, 1);
    assert_str_equal(list[0].url, "https://example.com/");
    OutCall c = {.l = {.project = PROJECT, .queue = STR("mail"), .max = 1, .lease_ms = 1000},
                 .arena = b.arena};
    assert_int_equal(db_write(b.db, out_write, &c, &b.err), ERR_CONFLICT);
    bench_close(&b);
}

typedef struct DeadCall {
    int64_t id;
    JobNew n;
} DeadCall;

static ErrCode dead_write(DbConn *tx, void *arg, Err *err)
{
    const DeadCall *c = arg;
    const TaskFault f = {.reason = STR("bad_request"), .detail = STR("cannot be read")};
    return flow_add_dead_tx(tx, c->id, &c->n, &f, err);
}

TEST(dead_from_the_start)
{
    Bench b = bench_open();
    DeadCall c = {id_new(),
                  {.project = PROJECT, .step = &step_send, .params = STR("{\"to\":\"mail\"}")}};
    int64_t count = 0;
    assert_ok(db_write(b.db, dead_write, &c, &b.err), &b.err);
    assert_int_equal(bench_get(&b, c.id).state, JOB_FAILED);
    assert_string_equal(bench_events(&b, c.id), "job.added task.dead job.failed");
    assert_ok(flow_dead_redrive(b.db, PROJECT, c.id, &count, &b.err), &b.err);
    assert_int_equal(count, 1);
    assert_int_equal(lease_of(&b, PROJECT, "mail", 1).len, 1);
    bench_close(&b);
}

typedef struct ManyCall {
    int64_t first;
    JobNew *jobs;
    size_t len;
    JobAdded added;
} ManyCall;

static ErrCode many_write(DbConn *tx, void *arg, Err *err)
{
    ManyCall *c = arg;
    return flow_add_many_tx(tx, c->first, c->jobs, c->len, &c->added, err);
}

TEST(many_at_once)
{
    enum { MANY = 300 };
    Bench b = bench_open();
    JobNew jobs[MANY];
    for (size_t i = 0; i < MANY; i++)
        jobs[i] = (JobNew){.project = PROJECT,
                           .step = i % 3 == 0 ? &step_send : &step_a,
                           .params = STR("{\"to\":\"mail\"}")};
    jobs[0].idempotency_key = STR("once");
    jobs[0].request_hash = STR("h");
    ManyCall c = {id_new_block(MANY), jobs, MANY, {0}};
    assert_ok(db_write(b.db, many_write, &c, &b.err), &b.err);
    assert_int_equal(c.added.job, c.first);
    assert_int_equal(lease_of(&b, PROJECT, "mail", OUTSIDE_LEASE_MAX).len, MANY / 3);
    TaskLease *rest = NULL;
    assert_int_equal(bench_lease(&b, "default", MANY, &rest), MANY - MANY / 3);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(bench_get(&b, id_nth(c.first, i)).id, id_nth(c.first, i));
    ManyCall again = {id_new_block(MANY), jobs, MANY, {0}};
    assert_ok(db_write(b.db, many_write, &again, &b.err), &b.err);
    assert_true(again.added.existed);
    assert_int_equal(again.added.job, c.first);
    assert_true(id_new() > id_nth(again.first, MANY - 1));
    bench_close(&b);
}

TEST_MAIN(only_its_own_project, the_attempt_is_the_ticket, a_restart_leaves_them_their_leases,
          queues_of_lanes_are_refused, handlers, dead_from_the_start, many_at_once)
