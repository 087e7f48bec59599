/* JSON: what was read and written again reads the same; strict text is UTF-8. */
#include "base/json.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static Str write_again(Arena *a, const Json *j)
{
    Buf b = buf_init(a, 4 * MIB);
    JsonOut out = json_out(&b);
    json_put(&out, j);
    if (b.failed)
        abort();
    return buf_str(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    char *copy = malloc(size);
    memcpy(copy, data, size);
    const Json *first = NULL, *second = NULL;
    Err err = {0};
    ErrCode rc = json_parse(a, (Str){copy, size}, &first, &err);
    if (rc == OK) {
        Str once = write_again(a, first);
        if (!str_is_utf8(once) || json_parse(a, once, &second, &err) != OK ||
            !str_eq(once, write_again(a, second)))
            abort();
    } else if (rc != ERR_NO_MEMORY && (rc != ERR_BAD_JSON || err.text[0] == 0)) {
        abort();
    }
    free(copy);
    return 0;
}
