/* cron_times: for test_cron_zones.py. Reads lines "zone|from_ms|to_ms|expression" and writes the
 * times in between, in seconds, one line each. */
#include "queue/cron.h"

#include <stdio.h>
#include <string.h>

static int answer(Arena *a, Str line)
{
    Str part[4] = {0};
    for (int i = 0; i < 3; i++)
        if (!str_next(&line, '|', &part[i]))
            return 1;
    int64_t at, to;
    Zone zone;
    Cron cron;
    Err err = {0};
    if (!str_to_i64(part[1], &at) || !str_to_i64(part[2], &to) ||
        zone_open(a, part[0], &zone, &err) != OK || cron_parse(line, &cron, &err) != OK) {
        fprintf(stderr, "cron_times: %s\n", err.text);
        return 1;
    }
    for (at = cron_next(&cron, &zone, at); at < to; at = cron_next(&cron, &zone, at))
        printf("%" PRId64 " ", at / 1000);
    printf("\n");
    return 0;
}

int main(void)
{
    char line[1024];
    int rc = 0;
    while (rc == 0 && fgets(line, sizeof line, stdin) != NULL) {
        CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
        rc = answer(a, str_trim(str_from_c(line)));
    }
    return rc;
}
