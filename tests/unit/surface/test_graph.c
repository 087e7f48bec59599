/* What needs what, drawn. */
#include "surface/graph.h"
#include "unit/harness.h"

static const int needs_first[] = {0}, needs_both[] = {0, 1};
static const Node nodes[] = {
    {.id = {"text", 4}, .uses = {"document.extract", 16}, .kind = NODE_STEP},
    {.id = {"parts", 5},
     .uses = {"text.chunk", 10},
     .kind = NODE_STEP,
     .needs = needs_first,
     .needs_len = 1,
     .foreach = (const Template *)nodes},
    {.id = {"review", 6},
     .kind = NODE_WAIT,
     .wait = WAIT_APPROVAL,
     .needs = needs_both,
     .needs_len = 2},
    {.id = {"other", 5}, .call = {"blog", 4}, .kind = NODE_CALL},
    {.id = {"tidy", 4}, .uses = {"test.noop", 9}, .kind = NODE_STEP, .section = SECTION_FINALLY},
};
static const Pipeline pipeline = {
    .name = {"blog", 4}, .title = {"A blog", 6}, .nodes = nodes, .nodes_len = COUNT_OF(nodes)};

static const char *drawn(Arena *a, GraphFormat f)
{
    Buf b = buf_init(a, 64 * KIB);
    graph_put(&pipeline, f, &b);
    assert_false(b.failed);
    return buf_c(&b);
}

TEST(a_node_stands_below_the_last_that_it_needs)
{
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    assert_string_equal(drawn(a, GRAPH_TEXT), "blog  A blog\n"
                                              "├─ text  document.extract\n"
                                              "│  └─ parts  text.chunk × foreach\n"
                                              "│     └─ review  wait approval  also needs text\n"
                                              "└─ other  call blog\n"
                                              "finally\n"
                                              "└─ tidy  test.noop\n");
}

TEST(tools_get_every_edge)
{
    static const char *const mermaid[] = {"flowchart TD\n", "n0 --> n1\n",
                                          "n0 --> n2\n",    "n1 --> n2\n",
                                          "n2{{\"review",   "s2([finally]) -.-> n4\n"};
    static const char *const dot[] = {"digraph \"blog\" {", "n1 -> n2;", "shape=hexagon",
                                      "\"finally\" -> n4 [style=dashed];"};
    CLEANUP(arena_close) Arena *a = arena_open(MIB);
    for (size_t i = 0; i < COUNT_OF(mermaid); i++)
        assert_non_null(strstr(drawn(a, GRAPH_MERMAID), mermaid[i]));
    for (size_t i = 0; i < COUNT_OF(dot); i++)
        assert_non_null(strstr(drawn(a, GRAPH_DOT), dot[i]));
}

TEST_MAIN(a_node_stands_below_the_last_that_it_needs, tools_get_every_edge)
