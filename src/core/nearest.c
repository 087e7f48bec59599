#include "core/nearest.h"

#include <string.h>

enum { LONGEST = 64 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool same_letter(char a, char b)
{
    return str_eq_nocase((Str){&a, 1}, (Str){&b, 1});
}

/* Optimal string alignment, with three rows of the table: the two before are needed for swaps. */
size_t nearest_distance(Str a, Str b)
{
    size_t rows[3][LONGEST + 1];
    if (a.len > LONGEST || b.len > LONGEST)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *now = rows[i % 3], *before = rows[(i + 2) % 3], *two_before = rows[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t change = same_letter(a.ptr[i - 1], b.ptr[j - 1]) ? 0 : 1;
            now[j] = least(before[j - 1] + change, least(before[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && same_letter(a.ptr[i - 1], b.ptr[j - 2]) &&
                same_letter(a.ptr[i - 2], b.ptr[j - 1]))
                now[j] = least(now[j], two_before[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

/* A third of the letters may differ: enough for a slip, too little for another word. */
Nearest nearest_to(Str wanted)
{
    return (Nearest){.wanted = wanted, .distance = 2 + wanted.len / 3};
}

void nearest_try(Nearest *n, const char *candidate)
{
    size_t distance = nearest_distance(n->wanted, str_from_c(candidate));
    if (distance >= n->distance || distance >= strlen(candidate))
        return;
    n->distance = distance;
    n->name = candidate;
}
