/* pdf_order.c: the order of reading, for pages whose file draws them in another one.
 *
 * Most files draw in the order of reading, and then that is kept: it knows more than any rule. Only
 * when a block comes after one that it stands above, in the same column, are the page's blocks
 * sorted: what overlaps sideways goes from top to bottom; a block to the left goes first unless
 * something between the two spans both (Breuel's two rules). */
#include "document/pdf_table_in.h"

#include <math.h>
#include <string.h>

enum { UNITS_MAX = 160 };

typedef struct Unit {
    float x0, y0, x1, y1;
    size_t from, to; /* lines */
    bool done;
} Unit;

static void include(Unit *u, float x0, float y0, float x1, float y1)
{
    u->x0 = fminf(u->x0, x0);
    u->y0 = fminf(u->y0, y0);
    u->x1 = fmaxf(u->x1, x1);
    u->y1 = fmaxf(u->y1, y1);
}

/* Lines of one block that follow one another are a unit; a table is one, standing where its first
 * line is. */
static size_t make_units(const PdfPage *p, Unit *units)
{
    size_t count = 0;
    const PdfLine *before = NULL;
    for (size_t i = 0; i < p->len; i++) {
        const PdfLine *l = &p->lines[i];
        if (l->dropped && l->table == NULL)
            continue;
        bool goes_on = before != NULL && before->block == l->block && l->table == NULL &&
                       before->table == NULL && l->base >= before->base - 1;
        if (!goes_on) {
            if (count == UNITS_MAX)
                return 0;
            units[count++] = (Unit){INFINITY, INFINITY, -INFINITY, -INFINITY, i, i + 1, false};
        }
        Unit *u = &units[count - 1];
        u->to = i + 1;
        before = l;
        if (l->table == NULL) {
            include(u, l->x0, l->y0, l->x1, l->y1);
            continue;
        }
        for (size_t k = 0; k < l->table->len; k++) {
            const PdfPart *q = &l->table->parts[k];
            include(u, q->x0, q->line->y0, q->x1, q->line->y1);
        }
    }
    return count;
}

static bool beside(const Unit *a, const Unit *b)
{
    float shared = fminf(a->x1, b->x1) - fmaxf(a->x0, b->x0);
    return shared > 0.2f * fminf(a->x1 - a->x0, b->x1 - b->x0);
}

static bool above(const Unit *a, const Unit *b)
{
    return a->y1 <= b->y0 + 0.3f * fminf(a->y1 - a->y0, b->y1 - b->y0);
}

/* A block that comes right after one below it, or after any that is far below it: the head of the
 * page drawn last. Small steps back between blocks apart are columns and boxes, which the file may
 * well have in order. */
static bool disordered(const Unit *units, size_t count, float far)
{
    for (size_t i = 1; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (beside(&units[i], &units[k]) && above(&units[i], &units[k]) &&
                (k + 1 == i || units[k].y0 - units[i].y1 > far))
                return true;
    return false;
}

static bool separated(const Unit *units, size_t count, const Unit *a, const Unit *b)
{
    float top = fminf(a->y1, b->y1), bottom = fmaxf(a->y0, b->y0);
    for (size_t i = 0; i < count; i++) {
        const Unit *c = &units[i];
        if (c != a && c != b && beside(c, a) && beside(c, b) && c->y0 >= top - 2 &&
            c->y1 <= bottom + 2)
            return true;
    }
    return false;
}

static bool goes_first(const Unit *units, size_t count, const Unit *a, const Unit *b)
{
    if (beside(a, b))
        return above(a, b) || (!above(b, a) && (a->y0 + a->y1 < b->y0 + b->y1));
    return a->x1 <= b->x0 + 2 && !separated(units, count, a, b);
}

static Unit *next_unit(Unit *units, size_t count)
{
    Unit *first = NULL;
    for (size_t i = 0; i < count; i++) {
        Unit *u = &units[i];
        bool free = !u->done;
        for (size_t k = 0; k < count && free; k++)
            free = k == i || units[k].done || !goes_first(units, count, &units[k], u);
        if (free && (first == NULL || u->y0 < first->y0))
            first = u;
    }
    for (size_t i = 0; i < count && first == NULL; i++) /* a circle: any way out will do */
        if (!units[i].done)
            first = &units[i];
    return first;
}

void pdf_order_page(PdfPage *p)
{
    Unit *units = arena_alloc_raw(p->arena, UNITS_MAX * sizeof *units);
    size_t count = units != NULL ? make_units(p, units) : 0;
    if (count < 2 || !disordered(units, count, 0.4f * p->height))
        return;
    PdfLine *lines = arena_alloc_raw(p->arena, p->len * sizeof *lines);
    if (lines == NULL)
        return;
    size_t len = 0;
    for (size_t n = 0; n < count; n++) {
        Unit *u = next_unit(units, count);
        u->done = true;
        for (size_t i = u->from; i < u->to; i++)
            if (!p->lines[i].dropped || p->lines[i].table != NULL)
                lines[len++] = p->lines[i];
    }
    p->lines = lines; /* tables go on pointing to the lines as they were */
    p->len = len;
}
