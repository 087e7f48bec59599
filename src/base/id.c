#include "base/id.h"
#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static const int64_t EPOCH_MS = 1735689600000; /* 2025-01-01T00:00:00Z */
enum { SEQUENCE_BITS = 12, NODE_BITS = 10, DIGITS = 13 };
static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";

static _Atomic int64_t last_tick; /* milliseconds << 12 | sequence */
static int64_t node_id;

void id_set_node(int node)
{
    node_id = node & (ID_NODES - 1);
}

static int64_t id_of_tick(int64_t tick, int64_t node)
{
    int64_t ms = tick >> SEQUENCE_BITS, sequence = tick & ((1 << SEQUENCE_BITS) - 1);
    return ms << (SEQUENCE_BITS + NODE_BITS) | node << SEQUENCE_BITS | sequence;
}

int64_t id_new_block(int count)
{
    int64_t since = clock_now_ms() - EPOCH_MS;
    int64_t now = since > 0 ? since << SEQUENCE_BITS
                            : 0; /* a clock that was never set must not give negative ids */
    int64_t last = atomic_load(&last_tick), next;
    do
        next = now > last ? now : last + 1; /* a full millisecond borrows from the next one */
    while (!atomic_compare_exchange_weak(&last_tick, &last, next + count - 1));
    return id_of_tick(next, node_id);
}

int64_t id_new(void)
{
    return id_new_block(1);
}

int64_t id_nth(int64_t first, int64_t n)
{
    int64_t tick = first >> (SEQUENCE_BITS + NODE_BITS) << SEQUENCE_BITS |
                   (first & ((1 << SEQUENCE_BITS) - 1));
    return id_of_tick(tick + n, first >> SEQUENCE_BITS & (ID_NODES - 1));
}

void id_follow(int64_t id)
{
    int64_t tick = id >> (SEQUENCE_BITS + NODE_BITS) << SEQUENCE_BITS |
                   (id & ((1 << SEQUENCE_BITS) - 1)),
            last = atomic_load(&last_tick);
    while (last < tick && !atomic_compare_exchange_weak(&last_tick, &last, tick))
        continue;
}

int64_t id_time_ms(int64_t id)
{
    return (id >> (SEQUENCE_BITS + NODE_BITS)) + EPOCH_MS;
}

int64_t id_first(int64_t ms)
{
    return ms > EPOCH_MS ? (ms - EPOCH_MS) << (SEQUENCE_BITS + NODE_BITS) : 0;
}

char *id_text(const char *prefix, int64_t id, char out[ID_TEXT_SIZE])
{
    int n = snprintf(out, ID_TEXT_SIZE, "%.9s_", prefix);
    uint64_t v = (uint64_t)id;
    for (int i = DIGITS - 1; i >= 0; i--) {
        out[n + i] = alphabet[v & 31];
        v >>= 5;
    }
    out[n + DIGITS] = 0;
    return out;
}

static int digit_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        c = (char)(c - 'A' + 'a');
    if (c == 'o')
        return 0;
    if (c == 'i' || c == 'l')
        return 1;
    const char *p = c != 0 ? strchr(alphabet, c) : NULL;
    return p != NULL ? (int)(p - alphabet) : -1;
}

bool id_parse(const char *prefix, Str text, int64_t *out)
{
    Str want = str_from_c(prefix);
    if (text.len != want.len + 1 + DIGITS || !str_starts(text, want) || text.ptr[want.len] != '_')
        return false;
    uint64_t v = 0;
    for (size_t i = want.len + 1; i < text.len; i++) {
        int d = digit_value(text.ptr[i]);
        if (d < 0 || v >> 58 != 0) /* a 64th bit would make it negative */
            return false;
        v = v << 5 | (uint64_t)d;
    }
    *out = (int64_t)v;
    return true;
}

bool id_span(const char *prefix, Str text, int64_t *low, int64_t *high)
{
    Str want = str_from_c(prefix);
    size_t digits = text.len - want.len - 1;
    if (text.len < want.len + 1 || digits > DIGITS || !str_starts(text, want) ||
        text.ptr[want.len] != '_')
        return false;
    uint64_t v = 0, last = 0;
    for (size_t i = 0; i < DIGITS; i++) {
        int d = i < digits ? digit_value(text.ptr[want.len + 1 + i]) : 0;
        if (d < 0 || v >> 58 != 0)
            return false;
        v = v << 5 | (uint64_t)d;
        last = last << 5 | (i < digits ? (uint64_t)d : 31);
    }
    *low = (int64_t)v;
    *high = last >= INT64_MAX || digits == 0 ? INT64_MAX : (int64_t)(last + 1);
    return true;
}
