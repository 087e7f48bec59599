/* Answers of Cloudflare Queues: whatever comes, messages have an id, a lease, and a payload that is
 * JSON or a reason why there is none. */
#include "hook/bridge_wire.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const WireMessage *m, Arena *a)
{
    const Json *payload = NULL;
    if (m->id.len == 0 || m->lease.len == 0)
        abort();
    if ((m->payload.len == 0) != (m->problem != NULL))
        abort();
    ErrCode rc = m->payload.len > 0 ? json_parse(a, m->payload, &payload, NULL) : OK;
    if (rc != OK && rc != ERR_NO_MEMORY)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    char *copy = malloc(size + 1);
    const Json *result = NULL;
    WireMessage *m = NULL;
    size_t len = 0;
    Err err = {0};
    memcpy(copy, data, size);
    int status = size > 0 && data[0] == 'x' ? 400 + data[size - 1] : 200;
    ErrCode rc = wire_result(status, (Str){copy, size}, a, &result, &err);
    if (rc == OK)
        rc = wire_messages(result, a, &m, &len, &err);
    if (rc != OK && err.text[0] == 0)
        abort();
    for (size_t i = 0; rc == OK && i < len; i++)
        check(&m[i], a);
    free(copy);
    return 0;
}
