#include "base/clock.h"
#include "base/fd.h"
#include "cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { BAR_WIDTH = 24, DRAW_EVERY_US = 50000, CELL_MAX = 60 };

bool term_is_tty(int fd)
{
    const char *kind = getenv("TERM");
    return isatty(fd) && (kind == NULL || strcmp(kind, "dumb") != 0);
}

int term_width(void)
{
    struct winsize w = {0};
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col > 20)
        return w.ws_col;
    return TERM_WIDTH_DEFAULT;
}

int term_height(void)
{
    struct winsize w = {0};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 ? w.ws_row : 0;
}

const char *term_style(int fd, TermStyle s)
{
    static const char *const codes[] = {
        [TERM_PLAIN] = "\033[0m", [TERM_BOLD] = "\033[1m",   [TERM_DIM] = "\033[2m",
        [TERM_RED] = "\033[31m",  [TERM_GREEN] = "\033[32m", [TERM_YELLOW] = "\033[33m",
    };
    const char *no_color = getenv("NO_COLOR"); /* no-color.org: an empty one does not count */
    return term_is_tty(fd) && (no_color == NULL || no_color[0] == 0) ? codes[s] : "";
}

void term_error(const Err *err)
{
    const char *plain = term_style(STDERR_FILENO, TERM_PLAIN);
    const char *advice = err_advice(err);
    fprintf(stderr, "%splaten: %s%s\n", term_style(STDERR_FILENO, TERM_RED),
            err->text[0] != 0 ? err->text : err_meaning(err->code), plain);
    if (advice[0] != 0)
        fprintf(stderr, "%s        %s%s\n", term_style(STDERR_FILENO, TERM_DIM), advice, plain);
}

int term_fail(const Err *err)
{
    term_error(err);
    return err->code == ERR_USAGE || err->code == ERR_BAD_PARAM ? EXIT_USAGE : EXIT_FAILED;
}

void term_print_json(Arena *a, const Json *j)
{
    Buf b = buf_init(a, 64 * MIB);
    JsonOut out = json_out(&b);
    json_put(&out, j);
    puts(buf_c(&b));
}

Str term_bytes(Arena *a, int64_t bytes)
{
    static const char *const units[] = {"kB", "MB", "GB", "TB"};
    if (bytes < 1000)
        return str_printf(a, "%" PRId64 " B", bytes);
    double v = (double)bytes / 1000;
    size_t unit = 0;
    while (v >= 1000 && unit + 1 < COUNT_OF(units)) {
        v /= 1000;
        unit++;
    }
    return str_printf(a, v < 10 ? "%.1f %s" : "%.0f %s", v, units[unit]);
}

Str term_duration(Arena *a, int64_t ms)
{
    if (ms < 1000)
        return str_printf(a, "%" PRId64 " ms", ms);
    if (ms < 60000)
        return str_printf(a, "%.1f s", (double)ms / 1000);
    return str_printf(a, "%" PRId64 " min %02" PRId64 " s", ms / 60000, ms / 1000 % 60);
}

static Str first_characters(Str s, size_t count)
{
    size_t at = 0;
    for (size_t n = 0; at < s.len && n < count; n++)
        str_next_utf8(s, &at);
    return str_slice(s, 0, at);
}

void term_progress(TermProgress *p, int64_t done, int64_t total, int64_t hundredths, Str note)
{
    int64_t now = clock_mono_us();
    if (!term_is_tty(STDERR_FILENO) || (p->on && now - p->drawn_us < DRAW_EVERY_US && done < total))
        return;
    *p = (TermProgress){.done = done, .total = total, .drawn_us = now, .on = true};
    int filled = total > 0 ? (int)(hundredths * BAR_WIDTH / (total * 100)) : 0;
    char bar[BAR_WIDTH * 3 + 1];
    size_t at = 0;
    for (int i = 0; i < BAR_WIDTH; i++) {
        memcpy(bar + at, i < filled ? "━" : "┄", 3);
        at += 3;
    }
    bar[at] = 0;
    int room = term_width() - BAR_WIDTH - 24;
    Str shown = first_characters(note, room > 0 ? (size_t)room : 0);
    fprintf(stderr, "\r\033[K%s %" PRId64 "/%" PRId64 "  " STR_FMT, bar, done, total,
            STR_ARG(shown));
    fflush(stderr);
}

void term_progress_end(TermProgress *p)
{
    if (p->on)
        fputs("\r\033[K", stderr);
    *p = (TermProgress){0};
}

TermTable term_table(Arena *a, const char *const *titles)
{
    TermTable t = {.arena = a, .titles = titles};
    while (titles[t.columns] != NULL)
        t.columns++;
    return t;
}

void term_table_row(TermTable *t, const Str *cells)
{
    if (t->rows == t->cap) {
        size_t cap = t->cap > 0 ? t->cap * 2 : 32, row = t->columns * sizeof(Str);
        Str *grown = arena_grow(t->arena, t->cells, t->cap * row, cap * row);
        if (grown == NULL)
            return;
        t->cells = grown;
        t->cap = cap;
    }
    memcpy(t->cells + t->rows * t->columns, cells, t->columns * sizeof(Str));
    t->rows++;
}

static bool is_number(Str s)
{
    bool digit = false;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] >= '0' && s.ptr[i] <= '9')
            digit = true;
        else if (strchr(".,-", s.ptr[i]) == NULL)
            return s.ptr[i] == ' ' && digit; /* "412 ms" */
    }
    return digit || (s.len == 1 && s.ptr[0] == '-') || s.len == 0;
}

typedef struct Column {
    size_t width;
    bool right;
} Column;

static Column measure(const TermTable *t, size_t column)
{
    Column c = {strlen(t->titles[column]), t->rows > 0};
    for (size_t row = 0; row < t->rows; row++) {
        Str cell = t->cells[row * t->columns + column];
        size_t n = str_count_utf8(cell);
        if (n > c.width)
            c.width = n;
        c.right = c.right && is_number(cell);
    }
    if (c.width > CELL_MAX && column + 1 < t->columns)
        c.width = CELL_MAX;
    return c;
}

static void print_cell(Str cell, Column c, bool last)
{
    if (!last || c.right)
        cell = first_characters(cell, c.width);
    size_t n = str_count_utf8(cell);
    int pad = c.width > n ? (int)(c.width - n) : 0;
    if (c.right)
        printf("%*s" STR_FMT, pad, "", STR_ARG(cell));
    else
        printf(STR_FMT "%*s", STR_ARG(cell), last ? 0 : pad, "");
    fputs(last ? "\n" : "  ", stdout);
}

void term_table_print(const TermTable *t)
{
    Column *columns = arena_new(t->arena, Column, t->columns);
    if (columns == NULL)
        return;
    for (size_t i = 0; i < t->columns; i++)
        columns[i] = measure(t, i);
    fputs(term_style(STDOUT_FILENO, TERM_DIM), stdout);
    for (size_t i = 0; i < t->columns; i++)
        print_cell(str_from_c(t->titles[i]), columns[i], i + 1 == t->columns);
    fputs(term_style(STDOUT_FILENO, TERM_PLAIN), stdout);
    for (size_t row = 0; row < t->rows; row++)
        for (size_t i = 0; i < t->columns; i++)
            print_cell(t->cells[row * t->columns + i], columns[i], i + 1 == t->columns);
}

bool term_read_time(Str text, int64_t *ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    enum { MOST = 36500 };
    int64_t n = 0;
    if (text.len < 2 || !str_to_i64(str_slice(text, 0, text.len - 1), &n) || n < 1 || n > MOST)
        return false;
    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (text.ptr[text.len - 1] == units[i].unit) {
            *ms = n * units[i].ms;
            return true;
        }
    return false;
}
