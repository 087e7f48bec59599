#include "text/myers.h"

#include <stdbool.h>

typedef struct Diff {
    const uint32_t *a, *b;
    MyersEmit emit;
    void *ctx;
    ptrdiff_t forth[2 * MYERS_COST_MAX + 3], back[2 * MYERS_COST_MAX + 3];
} Diff;

typedef struct Box {
    size_t a, b, n, m; /* a[a, a + n) against b[b, b + m) */
} Box;

typedef struct Snake {
    size_t x0, y0, x1, y1;
} Snake;

static void say(Diff *d, MyersOp op, size_t a, size_t b, size_t len)
{
    if (len > 0)
        d->emit(d->ctx, op, a, b, len);
}

#define AT(v, k) ((v)[(k) + MYERS_COST_MAX + 1])

static ptrdiff_t start_of(const ptrdiff_t *v, ptrdiff_t k, ptrdiff_t cost)
{
    bool down = k == -cost || (k != cost && AT(v, k - 1) < AT(v, k + 1));
    return down ? AT(v, k + 1) : AT(v, k - 1) + 1;
}

/* The middle of a shortest way; false: it is too long. */
static bool find_middle(Diff *d, const Box *box, Snake *out)
{
    const uint32_t *a = d->a + box->a, *b = d->b + box->b;
    ptrdiff_t n = (ptrdiff_t)box->n, m = (ptrdiff_t)box->m, delta = n - m;
    bool odd = (delta & 1) != 0;
    AT(d->forth, 1) = AT(d->back, 1) = 0;
    for (ptrdiff_t cost = 0; cost < MYERS_COST_MAX; cost++) {
        for (ptrdiff_t k = -cost; k <= cost; k += 2) {
            ptrdiff_t x = start_of(d->forth, k, cost), y = x - k, x0 = x, y0 = y;
            while (x < n && y >= 0 && y < m && a[x] == b[y])
                x++, y++;
            AT(d->forth, k) = x;
            ptrdiff_t other = delta - k;
            if (odd && other > -cost && other < cost && x + AT(d->back, other) >= n) {
                *out = (Snake){(size_t)x0, (size_t)y0, (size_t)x, (size_t)y};
                return true;
            }
        }
        for (ptrdiff_t k = -cost; k <= cost; k += 2) {
            ptrdiff_t x = start_of(d->back, k, cost), y = x - k, x0 = x, y0 = y;
            while (x < n && y >= 0 && y < m && a[n - 1 - x] == b[m - 1 - y])
                x++, y++;
            AT(d->back, k) = x;
            ptrdiff_t other = delta - k;
            if (!odd && other >= -cost && other <= cost && x + AT(d->forth, other) >= n) {
                *out =
                    (Snake){(size_t)(n - x), (size_t)(m - y), (size_t)(n - x0), (size_t)(m - y0)};
                return true;
            }
        }
    }
    return false;
}

static bool inside(const Box *box, const Snake *s)
{
    return s->x1 <= box->n && s->y1 <= box->m && s->x0 <= s->x1 && s->y0 <= s->y1;
}

static void walk(Diff *d, Box box)
{
    size_t same = 0;
    while (same < box.n && same < box.m && d->a[box.a + same] == d->b[box.b + same])
        same++;
    say(d, MYERS_EQUAL, box.a, box.b, same);
    box = (Box){box.a + same, box.b + same, box.n - same, box.m - same};
    size_t tail = 0;
    while (tail < box.n && tail < box.m &&
           d->a[box.a + box.n - 1 - tail] == d->b[box.b + box.m - 1 - tail])
        tail++;
    box.n -= tail;
    box.m -= tail;
    Snake s;
    if (box.n == 0 || box.m == 0 || !find_middle(d, &box, &s) || !inside(&box, &s) ||
        (s.x0 == 0 && s.y0 == 0 && s.x1 == s.x0) ||
        (s.x1 == box.n && s.y1 == box.m && s.x1 == s.x0)) {
        say(d, MYERS_DELETE, box.a, box.b, box.n);
        say(d, MYERS_INSERT, box.a + box.n, box.b, box.m);
    } else {
        walk(d, (Box){box.a, box.b, s.x0, s.y0});
        say(d, MYERS_EQUAL, box.a + s.x0, box.b + s.y0, s.x1 - s.x0);
        walk(d, (Box){box.a + s.x1, box.b + s.y1, box.n - s.x1, box.m - s.y1});
    }
    say(d, MYERS_EQUAL, box.a + box.n, box.b + box.m, tail);
}

void myers_diff(const uint32_t *a, size_t a_len, const uint32_t *b, size_t b_len, MyersEmit emit,
                void *ctx)
{
    static Diff d; /* too large for a stack; a process has one thread here */
    d.a = a;
    d.b = b;
    d.emit = emit;
    d.ctx = ctx;
    walk(&d, (Box){0, 0, a_len, b_len});
}
