/* flow_tree.c: the nodes of a pipeline's job as lines.
 *
 *   ├─ ✓ text      document.extract   1.2 s
 *   │  └─ ● chapters  chapter.write   3 of 10, 1 failed, 4.1 s
 *   └─ ◌ review    approval           waits for a reviewer
 *
 * A node stands below the last of those that it needs (as surface/graph.h draws the definition). */
#include "base/clock.h"
#include "cli/flow_in.h"

enum { NODES_MAX = 256, NODE_DEPTH_MAX = 64, LINE_MAX_BYTES = 4096 };

typedef struct Tree {
    Arena *arena;
    const Json *nodes[NODES_MAX];
    int above[NODES_MAX];
    int len, fd, width;
    int64_t now_ms;
    size_t name_width, uses_width;
    FlowTree out;
    size_t cap;
} Tree;

static Str text_of(const Json *node, const char *field)
{
    return json_text(json_get(node, field));
}

int64_t flow_time_ms(Str rfc3339)
{
    int64_t ms = 0;
    return clock_parse(rfc3339, &ms) ? ms : 0;
}

/* --- one node --- */

typedef struct Look {
    const char *state, *mark;
    TermStyle style;
} Look;

static Look look_of(const Json *node)
{
    static const Look looks[] = {
        {"pending", "·", TERM_DIM}, {"running", "●", TERM_YELLOW}, {"waiting", "◌", TERM_YELLOW},
        {"done", "✓", TERM_GREEN},  {"failed", "✗", TERM_RED},     {"skipped", "−", TERM_DIM},
        {"omitted", "−", TERM_DIM}, {"canceled", "✗", TERM_RED},
    };
    for (size_t i = 0; i < COUNT_OF(looks); i++)
        if (str_eq_c(text_of(node, "state"), looks[i].state))
            return looks[i];
    return looks[0];
}

static void add_time(const Json *node, int64_t now_ms, Buf *b)
{
    int64_t from = flow_time_ms(text_of(node, "started")),
            to = flow_time_ms(text_of(node, "finished"));
    if (from == 0)
        return;
    Str t = term_duration(b->arena, (to != 0 ? to : now_ms > from ? now_ms : from) - from);
    buf_addf(b, "%s" STR_FMT, b->len > 0 ? ", " : "", STR_ARG(t));
}

static void add_children(const Json *node, Buf *b)
{
    int64_t total = json_int(json_get(node, "total"), 0),
            ended = json_int(json_get(node, "ended"), 0),
            failed = json_int(json_get(node, "failed"), 0);
    if (!json_bool(json_get(node, "many"), false))
        return;
    buf_addf(b, "%s%" PRId64 " of %" PRId64, b->len > 0 ? ", " : "", ended, total);
    if (failed > 0)
        buf_addf(b, ", %" PRId64 " failed", failed);
}

static void add_progress(const Json *node, Buf *b)
{
    const Json *p = json_get(node, "progress");
    int64_t done = json_int(json_get(p, "done"), 0), total = json_int(json_get(p, "total"), 0);
    if (total > 0)
        buf_addf(b, "%s%" PRId64 " %%", b->len > 0 ? ", " : "",
                 done >= total ? 100 : done * 100 / total);
}

/* "3 pages, 1200 tokens": what it has cost so far. */
static void add_usage(const Json *node, Buf *b)
{
    json_each(u, json_get(node, "usage")) {
        Str unit = text_of(u, "unit");
        int64_t amount = json_int(json_get(u, "amount"), 0);
        Str bytes = term_bytes(b->arena, amount);
        if (amount == 1 && str_ends(unit, STR("s")))
            unit.len--;
        if (str_eq_c(unit, "bytes"))
            buf_addf(b, "%s" STR_FMT, b->len > 0 ? ", " : "", STR_ARG(bytes));
        else
            buf_addf(b, "%s%" PRId64 " " STR_FMT, b->len > 0 ? ", " : "", amount, STR_ARG(unit));
    }
}

static void add_wait(const Json *node, Buf *b)
{
    Str uses = text_of(node, "uses"), who = text_of(node, "who"), due = text_of(node, "due");
    if (str_eq_c(uses, "approval"))
        buf_addf(b, "waits for approval by %s " STR_FMT,
                 str_eq_c(who, "editor") || str_eq_c(who, "owner") ? "an" : "a", STR_ARG(who));
    else if (str_eq_c(uses, "callback"))
        buf_add_c(b, "waits for its callback");
    else if (str_eq_c(uses, "time"))
        buf_add_c(b, "waits");
    else
        buf_add_c(b, "waits for its signal");
    if (due.len >= 19)
        buf_addf(b, " until %.10s %.8s", due.ptr, due.ptr + 11);
}

/* What there is to say about how it stands. */
static Str stand_of(Arena *a, const Json *node, int64_t now_ms)
{
    Buf b = buf_init(a, LINE_MAX_BYTES);
    Str state = text_of(node, "state"), reason = text_of(node, "reason"),
        detail = text_of(node, "detail");
    if (str_eq_c(state, "waiting")) {
        add_wait(node, &b);
    } else if (str_eq_c(state, "skipped") || str_eq_c(state, "omitted")) {
        buf_add_c(&b, str_eq_c(state, "skipped") ? "skipped" : "not run");
    } else if (!str_eq_c(state, "pending")) {
        if (json_bool(json_get(node, "reused"), false))
            buf_add_c(&b, "reused");
        add_children(node, &b);
        add_progress(node, &b);
        add_time(node, now_ms, &b);
        add_usage(node, &b);
    }
    if (reason.len > 0)
        buf_addf(&b, "%s" STR_FMT "%s" STR_FMT, b.len > 0 ? "  " : "", STR_ARG(reason),
                 detail.len > 0 ? ": " : "", STR_ARG(detail));
    return buf_str(&b);
}

Str flow_tree_line(Arena *a, const Json *node, int64_t now_ms)
{
    Str stand = stand_of(a, node, now_ms), id = text_of(node, "id"), state = text_of(node, "state");
    return str_printf(a, STR_FMT "  " STR_FMT "%s" STR_FMT, STR_ARG(id), STR_ARG(state),
                      stand.len > 0 ? "  " : "", STR_ARG(stand));
}

Str flow_tree_key(Arena *a, const Json *node)
{
    Str state = text_of(node, "state");
    return str_printf(a, STR_FMT "/%" PRId64 "/%" PRId64, STR_ARG(state),
                      json_int(json_get(node, "ended"), 0), json_int(json_get(node, "failed"), 0));
}

/* --- all of them --- */

static int index_of(const Tree *t, Str id)
{
    for (int i = 0; i < t->len; i++)
        if (str_eq(text_of(t->nodes[i], "id"), id))
            return i;
    return -1;
}

static void find_above(Tree *t, int index)
{
    const Json *node = t->nodes[index];
    t->above[index] = -1;
    json_each(need, json_get(node, "needs")) {
        int i = index_of(t, need->text);
        if (i > t->above[index] && i < index &&
            str_eq(text_of(t->nodes[i], "section"), text_of(node, "section")))
            t->above[index] = i;
    }
}

static int depth_of(const Tree *t, int index)
{
    int depth = 0;
    for (int i = t->above[index]; i >= 0 && depth < NODE_DEPTH_MAX; i = t->above[i])
        depth++;
    return depth;
}

static bool has_later_sibling(const Tree *t, int index)
{
    for (int i = index + 1; i < t->len; i++)
        if (t->above[i] == t->above[index] &&
            str_eq(text_of(t->nodes[i], "section"), text_of(t->nodes[index], "section")))
            return true;
    return false;
}

static void add_rails(const Tree *t, int index, Buf *b)
{
    int up = t->above[index];
    if (up < 0)
        return;
    add_rails(t, up, b);
    buf_add_c(b, has_later_sibling(t, up) ? "│  " : "   ");
}

static void add_padded(Buf *b, Str s, size_t width)
{
    buf_add(b, s);
    for (size_t n = str_count_utf8(s); n < width; n++)
        buf_add_char(b, ' ');
}

static Str first_characters(Str s, size_t count)
{
    size_t at = 0;
    for (size_t n = 0; at < s.len && n < count; n++)
        str_next_utf8(s, &at);
    return str_slice(s, 0, at);
}

static void add_line(Tree *t, Str line)
{
    if (t->out.len == t->cap) {
        size_t cap = t->cap > 0 ? 2 * t->cap : 64;
        Str *grown = arena_grow(t->arena, t->out.lines, t->cap * sizeof(Str), cap * sizeof(Str));
        if (grown == NULL)
            return;
        t->out.lines = grown;
        t->cap = cap;
    }
    t->out.lines[t->out.len++] = line;
}

/* "├─ ✓ text      document.extract  1.2 s", cut at the width. The escapes have none. */
static void put_line(Tree *t, Str rails, const char *branch, const Json *node, size_t indent)
{
    Buf b = buf_init(t->arena, LINE_MAX_BYTES);
    Look look = look_of(node);
    Str stand = stand_of(t->arena, node, t->now_ms), id = text_of(node, "id");
    const char *plain = term_style(t->fd, TERM_PLAIN), *dim = term_style(t->fd, TERM_DIM);
    size_t left = indent + 5, name = t->name_width > left ? t->name_width - left : 0;
    size_t uses = t->uses_width, used = t->name_width + 2 + uses + 2;
    size_t room = t->width == 0             ? LINE_MAX_BYTES
                  : (size_t)t->width > used ? (size_t)t->width - used
                                            : 0;
    buf_addf(&b, "%s" STR_FMT "%s%s%s%s%s ", dim, STR_ARG(rails), branch, plain,
             term_style(t->fd, look.style), look.mark, plain);
    add_padded(&b, first_characters(id, name), name);
    buf_addf(&b, "  %s", dim);
    add_padded(&b, first_characters(text_of(node, "uses"), uses), stand.len > 0 ? uses : 0);
    buf_addf(&b, "%s", plain);
    if (stand.len > 0 && room > 0) {
        bool bad = look.style == TERM_RED;
        Str shown = first_characters(stand, room);
        buf_addf(&b, "  %s" STR_FMT "%s", bad ? term_style(t->fd, TERM_RED) : "", STR_ARG(shown),
                 bad ? plain : "");
    }
    add_line(t, buf_str(&b));
}

static Str rails_of(const Tree *t, int index)
{
    Buf b = buf_init(t->arena, LINE_MAX_BYTES);
    add_rails(t, index, &b);
    return buf_str(&b);
}

/* Nodes of the pipeline that the node calls: flat, below it. */
static void put_called(Tree *t, int index)
{
    const Json *called = json_get(t->nodes[index], "nodes");
    Str rails = str_printf(t->arena, STR_FMT "%s", STR_ARG(rails_of(t, index)),
                           has_later_sibling(t, index) ? "│  " : "   ");
    size_t indent = 3 * ((size_t)depth_of(t, index) + 1);
    json_each(node, called)
        put_line(t, rails, "╎  ", node, indent);
}

static void put_below(Tree *t, Str section, int parent)
{
    for (int i = parent + 1; i < t->len; i++) {
        if (t->above[i] != parent || !str_eq(text_of(t->nodes[i], "section"), section))
            continue;
        put_line(t, rails_of(t, i), has_later_sibling(t, i) ? "├─ " : "└─ ", t->nodes[i],
                 3 * (size_t)depth_of(t, i));
        put_called(t, i);
        put_below(t, section, i);
    }
}

static void measure(Tree *t)
{
    for (int i = 0; i < t->len; i++) {
        size_t name = 3 * (size_t)depth_of(t, i) + 5 + str_count_utf8(text_of(t->nodes[i], "id"));
        size_t uses = str_count_utf8(text_of(t->nodes[i], "uses"));
        t->name_width = name > t->name_width ? name : t->name_width;
        t->uses_width = uses > t->uses_width ? uses : t->uses_width;
    }
    size_t most = t->width > 0 ? (size_t)t->width : 80;
    if (t->uses_width > most / 3)
        t->uses_width = most / 3;
    if (t->name_width > most / 2)
        t->name_width = most / 2;
}

FlowTree flow_tree(Arena *a, const Json *nodes, int fd, int width, int64_t now_ms)
{
    static const char *const sections[] = {"steps", "on-failure", "finally"};
    Tree *t = arena_new(a, Tree, 1);
    if (t == NULL)
        return (FlowTree){0};
    *t = (Tree){.arena = a, .fd = fd, .width = width, .now_ms = now_ms};
    json_each(node, nodes)
        if (t->len < NODES_MAX)
            t->nodes[t->len++] = node;
    for (int i = 0; i < t->len; i++)
        find_above(t, i);
    measure(t);
    for (size_t s = 0; s < COUNT_OF(sections); s++) {
        bool any = false;
        for (int i = 0; i < t->len; i++)
            any |= str_eq_c(text_of(t->nodes[i], "section"), sections[s]);
        if (any && s > 0)
            add_line(t, str_from_c(sections[s]));
        put_below(t, str_from_c(sections[s]), -1);
    }
    return t->out;
}
