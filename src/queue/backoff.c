/* backoff.c: when to try again. */
#include "queue/queue.h"

enum { BASE_MS = 1000, CEILING_MS = 10 * 60 * 1000 };

int64_t queue_backoff_from(int64_t base_ms, int64_t attempt, int64_t asked_ms, double dice)
{
    int64_t base = base_ms > 0 ? base_ms : BASE_MS, most = base > CEILING_MS ? base : CEILING_MS;
    int64_t ceiling = base;
    for (int64_t i = 1; i < attempt && ceiling < most; i++)
        ceiling *= 2;
    if (ceiling > most)
        ceiling = most;
    /* The other side said when: never before that; the jitter comes on top, or all would return at
     * once. */
    if (asked_ms > 0)
        return asked_ms + (int64_t)((double)base * dice);
    return (int64_t)((double)ceiling * dice);
}

int64_t queue_backoff_ms(int64_t attempt, int64_t asked_ms, double dice)
{
    return queue_backoff_from(0, attempt, asked_ms, dice);
}
