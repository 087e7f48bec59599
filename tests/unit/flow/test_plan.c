/* What a pipeline does next, decided without a database. */
#include "flow/plan.h"
#include "unit/harness.h"

enum { NODES = 6 };

typedef struct Case {
    Node nodes[NODES];
    NodeNow now[NODES];
    Pipeline p;
} Case;

/* a → b → c, and d alone; e runs on failure, f at the end. */
static void make(Case *c)
{
    static const int on_a[] = {0}, on_b[] = {1};
    *c = (Case){0};
    static const char *const ids[] = {"a", "b", "c", "d", "e", "f"};
    for (int i = 0; i < NODES; i++)
        c->nodes[i] = (Node){.id = str_from_c(ids[i]), .max_parallel = 100};
    c->nodes[1].needs = on_a;
    c->nodes[2].needs = on_b;
    c->nodes[1].needs_len = c->nodes[2].needs_len = 1;
    c->nodes[4].section = SECTION_ON_FAILURE;
    c->nodes[5].section = SECTION_FINALLY;
    c->p = (Pipeline){.nodes = c->nodes, .nodes_len = NODES};
}

/* What it does now, as text: "+a" begins, "-c" is omitted; begun nodes run on. "." ends. */
static const char *next(Case *c, int64_t halt)
{
    static char out[64];
    size_t n = 0;
    for (int from = 0;;) {
        PlanStep s = plan_next(&c->p, c->now, halt, from);
        if (s.what == PLAN_NOTHING)
            break;
        if (s.what == PLAN_END) {
            out[n++] = '.';
            break;
        }
        out[n++] = s.what == PLAN_BEGIN ? '+' : '-';
        out[n++] = c->nodes[s.node].id.ptr[0];
        c->now[s.node].state = s.what == PLAN_BEGIN ? NODE_RUNNING : NODE_OMITTED;
        from = s.node;
    }
    out[n] = 0;
    return out;
}

TEST(nodes_begin_when_what_they_need_has_ended)
{
    Case c;
    make(&c);
    assert_string_equal(next(&c, 0), "+a+d");
    assert_string_equal(next(&c, 0), "");
    c.now[0].state = NODE_DONE;
    assert_string_equal(next(&c, 0), "+b");
    c.now[1].state = NODE_SKIPPED;
    assert_string_equal(next(&c, 0), "+c");
    c.now[2].state = NODE_DONE;
    assert_string_equal(next(&c, 0), "");
    c.now[3].state = NODE_DONE;
    assert_string_equal(next(&c, 0), "+f"); /* nothing failed: e never begins */
    c.now[5].state = NODE_DONE;
    assert_string_equal(next(&c, 0), ".");
    assert_int_equal(plan_failed(&c.p, c.now), -1);
}

TEST(what_needs_a_failed_node_is_omitted_and_the_rest_goes_on)
{
    Case c;
    make(&c);
    next(&c, 0);
    c.now[0].state = NODE_FAILED;
    assert_string_equal(next(&c, 0), "-b-c");
    c.now[3].state = NODE_DONE;
    assert_string_equal(next(&c, 0), "+e");
    c.now[4].state = NODE_FAILED; /* fails too: that does not hide the first failure */
    assert_string_equal(next(&c, 0), "+f");
    c.now[5].state = NODE_DONE;
    assert_string_equal(next(&c, 0), ".");
    assert_int_equal(plan_failed(&c.p, c.now), 0);
}

TEST(a_node_that_may_fail_counts_as_done)
{
    Case c;
    make(&c);
    c.nodes[0].continue_on_error = true;
    next(&c, 0);
    c.now[0].state = NODE_FAILED;
    assert_string_equal(next(&c, 0), "+b");
    assert_int_equal(plan_failed(&c.p, c.now), -1);
}

TEST(a_paused_job_begins_nothing_and_may_end)
{
    Case c;
    make(&c);
    assert_string_equal(next(&c, HALT_PAUSED), "");
    for (int i = 0; i < NODES; i++)
        c.now[i].state = NODE_DONE;
    assert_string_equal(next(&c, HALT_PAUSED), ".");
}

TEST(a_cancelled_job_ends_with_finally)
{
    Case c;
    make(&c);
    next(&c, 0);
    assert_string_equal(next(&c, HALT_CANCELED), ""); /* a and d are being cancelled */
    c.now[0].state = c.now[3].state = NODE_CANCELED;
    assert_string_equal(next(&c, HALT_CANCELED), "+f");
    c.now[5].state = NODE_DONE;
    assert_string_equal(next(&c, HALT_CANCELED), ".");
}

TEST(items_begin_as_there_is_room)
{
    Node n = {.max_parallel = 3};
    NodeNow now = {.state = NODE_RUNNING, .total = 5};
    assert_int_equal(plan_room(&n, &now), 3);
    now.begun = 3;
    assert_int_equal(plan_room(&n, &now), 0);
    now.ended = now.failed = 2;
    assert_int_equal(plan_room(&n, &now), 2);
    n.on_item_failure = ITEM_STOP;
    assert_int_equal(plan_room(&n, &now), 0);
    assert_false(plan_children_done(&n, &now));
    now.ended = 3;
    assert_true(plan_children_done(&n, &now));
    n.on_item_failure = ITEM_FINISH;
    assert_false(plan_children_done(&n, &now));
}

TEST_MAIN(nodes_begin_when_what_they_need_has_ended,
          what_needs_a_failed_node_is_omitted_and_the_rest_goes_on,
          a_node_that_may_fail_counts_as_done, a_paused_job_begins_nothing_and_may_end,
          a_cancelled_job_ends_with_finally, items_begin_as_there_is_room)
