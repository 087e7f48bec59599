/* backoff.c: when to try again. */
#include "queue/queue.h"

enum { BASE_MS = 1000, CEILING_MS = 10 * 60 * 1000, DOUBLINGS = 10 };

int64_t queue_backoff_ms(int64_t attempt, int64_t asked_ms, double dice)
{
    int64_t doublings = attempt > 1 ? attempt - 1 : 0;
    int64_t ceiling = doublings < DOUBLINGS ? (int64_t)BASE_MS << doublings : CEILING_MS;
    if (ceiling > CEILING_MS)
        ceiling = CEILING_MS;
    /* The other side said when: never before that; the jitter comes on top, or all would return at
     * once. */
    if (asked_ms > 0)
        return asked_ms + (int64_t)((double)BASE_MS * dice);
    return (int64_t)((double)ceiling * dice);
}
