/* doc_pdf_table.c: tables on pages. The first rows are held until the widths of the columns are
 * known; later ones are drawn as they come. Rows go over to the next page whole where they can, and
 * line by line where they are taller than a page; the first row is the head and is repeated. */
#include "document/doc_pdf_in.h"

#include <string.h>

enum { HELD_BYTES = 2 << 20 };
static const float pad_x = 5, pad_y = 3.5f, rule = 0.6f;
static const uint32_t rule_colour = 0xC9CED6, head_ground = 0xEEF1F5;

typedef struct Cell {
    Str text;
    SetRun *runs;
    size_t runs_len;
    int column, colspan, rowspan;
    SetText set;
    size_t line; /* drawn up to here */
} Cell;

typedef struct Row {
    Cell *cells;
    size_t len;
    float height;
    bool head;
} Row;

struct PressTable {
    Arena *arena;      /* of the head and of what holds for the whole table */
    Arena *held_arena; /* of the rows in hand */
    int columns;
    float widths[PRESS_COLUMNS], edges[PRESS_COLUMNS + 1];
    float size;
    bool ready; /* widths are known */
    Row head;
    Row held[PRESS_ROWS_HELD];
    size_t held_len, held_bytes, rows;
    int covered[PRESS_COLUMNS]; /* rows below that a cell from above reaches into */
};

static SetLook cell_look(const Press *p, const PressTable *t, bool head)
{
    return (SetLook){p->family, head, false, false, t->size, t->size * 1.35f, 0x1C1F23};
}

static void no_memory(Press *p)
{
    doc_fail(p->d, ERR_LIMIT_MEMORY, "laying out a table");
}

void press_table_begin(Press *p)
{
    Arena *a = arena_open(256 << 20);
    Arena *held = arena_open(256 << 20);
    PressTable *t = a != NULL && held != NULL ? arena_new(a, PressTable, 1) : NULL;
    p->table = t;
    if (t == NULL) {
        arena_close(&a);
        arena_close(&held);
        no_memory(p);
        return;
    }
    t->arena = a;
    t->held_arena = held;
    t->size = p->size * 0.93f;
    t->columns = p->d->columns < PRESS_COLUMNS ? (int)p->d->columns : PRESS_COLUMNS;
    t->columns = t->columns > 0 ? t->columns : 1;
    if (p->d->columns > PRESS_COLUMNS)
        step_note(p->d->step, STR("a table has more than 128 columns; the others were left out"));
}

/* --- rows from the sink */

static bool copy_cell(const Press *p, Arena *a, const DocCell *from, Cell *to)
{
    DocSpan s = doc_cell_span(p->d, from);
    to->text = str_copy(a, s.text);
    to->runs = set_runs(a, p->d, &s);
    to->runs_len = s.runs_len;
    to->rowspan = from->rowspan;
    return to->text.ptr != NULL && to->runs != NULL;
}

/* Where each cell stands in the grid, past what reaches down from above. */
static bool take_row(Press *p, Arena *a, const DocRow *from, Row *to)
{
    PressTable *t = p->table;
    size_t len, next = 0;
    const DocCell *cells = doc_cells(p->d, from, &len);
    *to = (Row){.cells = arena_new(a, Cell, len + 1), .head = t->rows == 0};
    if (to->cells == NULL)
        return false;
    for (int column = 0; column < t->columns;) {
        if (t->covered[column] > 0 || next == len) {
            t->covered[column] -= t->covered[column] > 0;
            column++;
            continue;
        }
        Cell *c = &to->cells[to->len++];
        if (!copy_cell(p, a, &cells[next], c))
            return false;
        int span = cells[next++].colspan;
        c->column = column;
        c->colspan = span < t->columns - column ? span : t->columns - column;
        for (int i = 0; i < c->colspan; i++)
            t->covered[column + i] = c->rowspan - 1;
        column += c->colspan;
    }
    t->rows++;
    return true;
}

/* --- widths */

typedef struct Wish {
    float least, most;
} Wish;

static ErrCode shape_cell(Press *p, Arena *a, Cell *c, bool head)
{
    SetLook look = cell_look(p, p->table, head);
    return set_shape(a, c->text, c->runs, c->runs_len, &look, &c->set, &p->d->err);
}

static void wish_row(Press *p, const Row *row, Wish *wishes)
{
    for (size_t i = 0; i < row->len && p->d->err.code == OK; i++) {
        Cell *c = &row->cells[i];
        ArenaMark mark = arena_mark(p->scratch);
        if (shape_cell(p, p->scratch, c, row->head) == OK) {
            float share = 1 / (float)c->colspan;
            float least = (set_widest_word(&c->set) + 2 * pad_x) * share;
            float most = (set_widest(&c->set) + 2 * pad_x) * share;
            for (int k = c->column; k < c->column + c->colspan; k++) {
                wishes[k].least = least > wishes[k].least ? least : wishes[k].least;
                wishes[k].most = most > wishes[k].most ? most : wishes[k].most;
            }
        }
        arena_rewind(p->scratch, mark);
    }
}

static void wish_all(Press *p, Wish *wishes)
{
    PressTable *t = p->table;
    memset(wishes, 0, sizeof *wishes * PRESS_COLUMNS);
    wish_row(p, &t->head, wishes);
    for (size_t i = 0; i < t->held_len; i++)
        wish_row(p, &t->held[i], wishes);
}

static void sum(const PressTable *t, const Wish *wishes, Wish *out)
{
    *out = (Wish){0, 0};
    for (int i = 0; i < t->columns; i++) {
        out->least += wishes[i].least;
        out->most += wishes[i].most;
    }
}

/* What the columns share beyond their longest words: one that wants less than its part gets what it
 * wants, and the others more. */
static void share_extra(const PressTable *t, const Wish *wishes, float room, float *widths)
{
    bool fixed[PRESS_COLUMNS] = {false};
    int open = t->columns;
    for (int i = 0; i < t->columns; i++) {
        widths[i] = wishes[i].least;
        room -= wishes[i].least;
    }
    for (bool again = true; again && open > 0;) {
        float part = room / (float)open;
        again = false;
        for (int i = 0; i < t->columns; i++) {
            float wants = wishes[i].most - wishes[i].least;
            if (fixed[i] || wants > part)
                continue;
            fixed[i] = again = true;
            widths[i] = wishes[i].most;
            room -= wants;
            open--;
        }
    }
    for (int i = 0; i < t->columns; i++)
        widths[i] += fixed[i] ? 0 : room / (float)open;
}

/* As wide as they wish when that fits. Type gets smaller, to half, before words are cut. */
static void share_width(Press *p)
{
    PressTable *t = p->table;
    Wish wishes[PRESS_COLUMNS], total;
    float room = p->right - p->left, least = 2 * pad_x + 4;
    wish_all(p, wishes);
    sum(t, wishes, &total);
    if (total.least > room) {
        float smaller = room / total.least;
        t->size *= smaller > 0.5f ? smaller : 0.5f;
        wish_all(p, wishes);
        sum(t, wishes, &total);
    }
    if (total.least <= room && total.most > room)
        share_extra(t, wishes, room, t->widths);
    t->edges[0] = p->left;
    for (int i = 0; i < t->columns; i++) {
        if (total.most <= room)
            t->widths[i] = wishes[i].most;
        else if (total.least > room)
            t->widths[i] = wishes[i].least * room / total.least;
        t->widths[i] = t->widths[i] > least ? t->widths[i] : least;
        t->edges[i + 1] = t->edges[i] + t->widths[i];
    }
}

/* --- drawing */

static float inner_width(const PressTable *t, const Cell *c)
{
    return t->edges[c->column + c->colspan] - t->edges[c->column] - 2 * pad_x;
}

static float cell_height(const Cell *c)
{
    return (float)(c->set.lines_len - c->line) * c->set.look.leading + 2 * pad_y;
}

static bool lay_row(Press *p, Arena *a, Row *row)
{
    float least = p->table->size * 1.35f + 2 * pad_y;
    row->height = least;
    for (size_t i = 0; i < row->len; i++) {
        Cell *c = &row->cells[i];
        c->line = 0;
        if (shape_cell(p, a, c, row->head) != OK ||
            set_break(&c->set, inner_width(p->table, c), &p->d->err) != OK)
            return false;
        if (c->rowspan <= 1 && cell_height(c) > row->height)
            row->height = cell_height(c);
    }
    return true;
}

static void draw_rules(Press *p, const Cell *c, float y, float height)
{
    const PressTable *t = p->table;
    float x0 = t->edges[c->column], x1 = t->edges[c->column + c->colspan];
    press_box(p, x0 - rule / 2, y - rule / 2, x1 - x0 + rule, rule, rule_colour);
    press_box(p, x0 - rule / 2, y + height - rule / 2, x1 - x0 + rule, rule, rule_colour);
    press_box(p, x0 - rule / 2, y, rule, height, rule_colour);
    press_box(p, x1 - rule / 2, y, rule, height, rule_colour);
}

/* The lines of a cell that fit between y and y + height. */
static void draw_cell(Press *p, Cell *c, float y, float height, bool head)
{
    const PressTable *t = p->table;
    float x = t->edges[c->column] + pad_x, width = inner_width(t, c);
    if (head)
        press_box(p, x - pad_x, y, width + 2 * pad_x, height, head_ground);
    float at = y + pad_y;
    while (c->line < c->set.lines_len && at + c->set.look.leading <= y + height - pad_y + 0.05f) {
        set_draw(&c->set, c->line++, p->sheet, x, press_y(p, at + press_ascent(&c->set.look)),
                 width);
        at += c->set.look.leading;
    }
    draw_rules(p, c, y, height);
}

static void draw_head(Press *p)
{
    PressTable *t = p->table;
    Row *head = &t->head;
    if (head->height > (p->bottom - p->top) / 4)
        return;
    for (size_t i = 0; i < head->len; i++) {
        head->cells[i].line = 0;
        draw_cell(p, &head->cells[i], p->y, head->height, true);
    }
    p->y += head->height;
}

static void turn_page(Press *p)
{
    press_new_page(p);
    draw_head(p);
}

/* Rows that cells tie together, drawn as one; `heights` of each. */
typedef struct Group {
    Row *rows;
    size_t len;
} Group;

static float span_height(const Group *g, size_t row, const Cell *c)
{
    float height = 0;
    size_t end = row + (size_t)c->rowspan;
    for (size_t i = row; i < g->len && i < end; i++)
        height += g->rows[i].height;
    return height;
}

/* A cell over several rows that needs more makes the last of them higher. */
static void stretch(Group *g)
{
    for (size_t i = 0; i < g->len; i++)
        for (size_t k = 0; k < g->rows[i].len; k++) {
            Cell *c = &g->rows[i].cells[k];
            float more = cell_height(c) - span_height(g, i, c);
            size_t last = i + (size_t)c->rowspan - 1;
            if (c->rowspan > 1 && more > 0)
                g->rows[last < g->len ? last : g->len - 1].height += more;
        }
}

static bool rest_of(const Row *row)
{
    for (size_t i = 0; i < row->len; i++)
        if (row->cells[i].line < row->cells[i].set.lines_len)
            return true;
    return false;
}

/* A row taller than what is left of a page: as many lines as fit, the rest on the next. */
static void draw_tall(Press *p, Row *row)
{
    do {
        float room = press_left_on_page(p), height = 0;
        for (size_t i = 0; i < row->len; i++)
            height = cell_height(&row->cells[i]) > height ? cell_height(&row->cells[i]) : height;
        height = height < room ? height : room;
        for (size_t i = 0; i < row->len; i++)
            draw_cell(p, &row->cells[i], p->y, height, row->head);
        p->y += height;
        p->fresh = false;
        if (rest_of(row))
            turn_page(p);
    } while (rest_of(row) && p->d->err.code == OK);
}

static void draw_row(Press *p, Group *g, size_t at)
{
    Row *row = &g->rows[at];
    for (size_t i = 0; i < row->len; i++)
        draw_cell(p, &row->cells[i], p->y, span_height(g, at, &row->cells[i]), row->head);
    p->y += row->height;
    p->fresh = false;
}

static void draw_group(Press *p, Group *g)
{
    stretch(g);
    float height = 0, page = p->bottom - p->top - p->table->head.height;
    for (size_t i = 0; i < g->len; i++)
        height += g->rows[i].height;
    if (height > press_left_on_page(p) && !p->fresh && height <= page)
        turn_page(p);
    bool whole = height <= press_left_on_page(p) + 0.1f;
    for (size_t i = 0; i < g->len && p->d->err.code == OK; i++) {
        if (whole) {
            draw_row(p, g, i);
            continue;
        }
        float least = p->table->size * 1.35f * 2 + 2 * pad_y;
        float wanted = g->rows[i].height < page ? g->rows[i].height : least;
        if (wanted > press_left_on_page(p) && !p->fresh)
            turn_page(p);
        draw_tall(p, &g->rows[i]);
    }
}

static size_t group_end(const Row *rows, size_t len, size_t from)
{
    size_t end = from + 1;
    for (size_t i = from; i < end && i < len; i++)
        for (size_t k = 0; k < rows[i].len; k++) {
            size_t reach = i + (size_t)rows[i].cells[k].rowspan;
            end = reach > end ? reach : end;
        }
    return end < len ? end : len;
}

static void draw_held(Press *p)
{
    PressTable *t = p->table;
    for (size_t from = 0; from < t->held_len && p->d->err.code == OK;) {
        Group g = {.rows = &t->held[from], .len = group_end(t->held, t->held_len, from) - from};
        ArenaMark mark = arena_mark(p->scratch);
        bool laid = true;
        for (size_t i = 0; i < g.len && laid; i++)
            laid = lay_row(p, p->scratch, &g.rows[i]);
        if (laid)
            draw_group(p, &g);
        arena_rewind(p->scratch, mark);
        from += g.len;
    }
    t->held_len = t->held_bytes = 0;
    arena_recycle(t->held_arena);
}

/* The first rows are in hand: now the columns have their widths, and the head its height. */
static void begin_drawing(Press *p)
{
    PressTable *t = p->table;
    t->ready = true;
    share_width(p);
    if (p->d->err.code != OK || !lay_row(p, t->arena, &t->head))
        return;
    float first = t->held_len > 0 ? t->size * 1.35f + 2 * pad_y : 0;
    p->gap = p->gap > p->size * 0.5f ? p->gap : p->size * 0.5f;
    press_want(p, t->head.height + first < p->bottom - p->top ? t->head.height + first : 0);
    Group g = {.rows = &t->head, .len = 1};
    float tall = t->head.height;
    if (tall <= press_left_on_page(p))
        draw_row(p, &g, 0);
    else
        draw_tall(p, &t->head);
}

void press_row(Press *p, const DocRow *r)
{
    PressTable *t = p->table;
    Row row;
    if (t == NULL || p->d->err.code != OK)
        return;
    if (!take_row(p, t->rows == 0 ? t->arena : t->held_arena, r, &row)) {
        no_memory(p);
        return;
    }
    if (t->rows == 1) {
        for (size_t i = 0; i < row.len; i++)
            row.cells[i].rowspan = 1; /* the head is repeated: nothing hangs out of it */
        memset(t->covered, 0, sizeof t->covered);
        t->head = row;
        return;
    }
    t->held[t->held_len++] = row;
    for (size_t i = 0; i < row.len; i++)
        t->held_bytes += row.cells[i].text.len;
    if (t->held_len < PRESS_ROWS_HELD && t->held_bytes < HELD_BYTES)
        return;
    if (!t->ready)
        begin_drawing(p);
    draw_held(p);
}

void press_table_end(Press *p)
{
    PressTable *t = p->table;
    if (t == NULL)
        return;
    if (p->d->err.code == OK && t->rows > 0) {
        if (!t->ready)
            begin_drawing(p);
        draw_held(p);
    }
    press_table_drop(p);
    p->gap = p->size * 0.9f;
}

void press_table_drop(Press *p)
{
    PressTable *t = p->table;
    if (t == NULL)
        return;
    Arena *a = t->arena, *held = t->held_arena;
    p->table = NULL;
    arena_close(&held);
    arena_close(&a);
}
