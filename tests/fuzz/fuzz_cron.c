/* Cron expressions and time zone files: whatever comes, the next time lies after and is stable. The
 * input: the expression, a line break, the bytes of a zone's file. */
#include "queue/cron.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    Str rest = {(const char *)data, size}, text;
    Zone zone = {0};
    Cron cron;
    Err err;
    if (a == NULL || !str_next(&rest, '\n', &text) || cron_parse(text, &cron, &err) != OK)
        return 0;
    if (rest.ptr != NULL && zone_parse(a, STR("Fuzz/Zone"), rest, &zone, &err) != OK)
        zone = (Zone){0};
    int64_t at = INT64_C(1767225600000);
    for (int i = 0; i < 20 && at != INT64_MAX; i++) {
        int64_t next = cron_next(&cron, &zone, at);
        if (next <= at ||
            (next != INT64_MAX && cron.every_ms == 0 && cron_next(&cron, &zone, next - 1) != next))
            abort();
        at = next;
    }
    Buf words = buf_init(a, 64 * KIB);
    cron_explain(&cron, zone.name, &words);
    if (words.failed)
        abort();
    return 0;
}
