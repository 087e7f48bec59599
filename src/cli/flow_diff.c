/* flow_diff.c: the lines that differ, with three lines around them.
 *
 * What is equal at both ends is set aside; the rest is compared by the longest common subsequence
 * in a table, which is small for texts that people write. Where it would not be, the rest is shown
 * as replaced. */
#include "cli/flow_in.h"

#include <unistd.h>

enum { CELLS_MAX = 16 * 1024 * 1024, AROUND = 3 };

typedef struct Lines {
    Str *items;
    size_t len;
} Lines;

typedef struct Edit {
    char mark; /* ' ', '-', '+' */
    Str line;
} Edit;

typedef struct Edits {
    Edit *items;
    size_t len;
} Edits;

static Lines split(Arena *a, Str text)
{
    size_t count = 1;
    for (size_t i = 0; i < text.len; i++)
        count += text.ptr[i] == '\n';
    Lines l = {.items = arena_new(a, Str, count)};
    Str rest = text, line;
    while (l.items != NULL && str_next(&rest, '\n', &line))
        l.items[l.len++] = line;
    if (l.len > 0 && l.items[l.len - 1].len == 0)
        l.len--; /* after the last end of a line */
    return l;
}

static void add(Edits *e, char mark, Str line)
{
    e->items[e->len++] = (Edit){mark, line};
}

/* common[i][j]: length of what is common to from[i…] and to[j…]. */
static void compare(Arena *a, Lines from, Lines to, Edits *e)
{
    size_t width = to.len + 1, i = 0, j = 0;
    bool fits = from.len + 1 <= CELLS_MAX / width;
    uint32_t *common = fits ? arena_new(a, uint32_t, (from.len + 1) * width) : NULL;
    for (size_t r = from.len; common != NULL && r-- > 0;)
        for (size_t c = to.len; c-- > 0;) {
            uint32_t down = common[(r + 1) * width + c], right = common[r * width + c + 1];
            common[r * width + c] = str_eq(from.items[r], to.items[c])
                                        ? common[(r + 1) * width + c + 1] + 1
                                    : down >= right ? down
                                                    : right;
        }
    while (common != NULL && i < from.len && j < to.len) {
        if (str_eq(from.items[i], to.items[j])) {
            add(e, ' ', from.items[i++]);
            j++;
        } else if (common[(i + 1) * width + j] >= common[i * width + j + 1]) {
            add(e, '-', from.items[i++]);
        } else {
            add(e, '+', to.items[j++]);
        }
    }
    while (i < from.len)
        add(e, '-', from.items[i++]);
    while (j < to.len)
        add(e, '+', to.items[j++]);
}

static Edits edits_of(Arena *a, Lines from, Lines to)
{
    Edits e = {.items = arena_new(a, Edit, from.len + to.len + 1)};
    size_t head = 0, tail = 0;
    if (e.items == NULL)
        return e;
    while (head < from.len && head < to.len && str_eq(from.items[head], to.items[head]))
        add(&e, ' ', from.items[head++]);
    while (tail < from.len - head && tail < to.len - head &&
           str_eq(from.items[from.len - 1 - tail], to.items[to.len - 1 - tail]))
        tail++;
    compare(a, (Lines){from.items + head, from.len - head - tail},
            (Lines){to.items + head, to.len - head - tail}, &e);
    for (size_t i = tail; i > 0; i--)
        add(&e, ' ', from.items[from.len - i]);
    return e;
}

/* Is there a change within AROUND lines? */
static bool is_near(const Edits *e, size_t at)
{
    size_t from = at > AROUND ? at - AROUND : 0;
    for (size_t i = from; i < e->len && i <= at + AROUND; i++)
        if (e->items[i].mark != ' ')
            return true;
    return false;
}

static void print_head(const Edits *e, size_t at, size_t from_no, size_t to_no)
{
    size_t from_len = 0, to_len = 0;
    for (size_t i = at; i < e->len && is_near(e, i); i++) {
        from_len += e->items[i].mark != '+';
        to_len += e->items[i].mark != '-';
    }
    printf("%s@@ -%zu,%zu +%zu,%zu @@%s\n", term_style(STDOUT_FILENO, TERM_DIM), from_no, from_len,
           to_no, to_len, term_style(STDOUT_FILENO, TERM_PLAIN));
}

bool flow_diff_print(Arena *a, Str from, Str to, const char *from_name, const char *to_name)
{
    const char *plain = term_style(STDOUT_FILENO, TERM_PLAIN);
    Edits e = edits_of(a, split(a, from), split(a, to));
    size_t from_no = 1, to_no = 1;
    bool differ = false, inside = false;
    for (size_t i = 0; i < e.len; i++)
        differ |= e.items[i].mark != ' ';
    if (!differ)
        return false;
    printf("%s--- %s\n+++ %s%s\n", term_style(STDOUT_FILENO, TERM_BOLD), from_name, to_name, plain);
    for (size_t i = 0; i < e.len; i++) {
        const Edit *line = &e.items[i];
        bool near = is_near(&e, i);
        if (near && !inside)
            print_head(&e, i, from_no, to_no);
        inside = near;
        if (near)
            printf("%s%c" STR_FMT "%s\n",
                   line->mark == '-'   ? term_style(STDOUT_FILENO, TERM_RED)
                   : line->mark == '+' ? term_style(STDOUT_FILENO, TERM_GREEN)
                                       : "",
                   line->mark, STR_ARG(line->line), line->mark == ' ' ? "" : plain);
        from_no += line->mark != '+';
        to_no += line->mark != '-';
    }
    return true;
}
