/* fuzz_charset: whatever the bytes and the declaration (the first line), the result is text. */
#include "document/charset.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Str bytes = {(const char *)data, size}, declared = STR(""), out;
    size_t line = str_find_char(bytes, '\n');
    const char *used;
    Err err = {0};
    if (line != STR_NONE && line < 40) {
        declared = str_slice(bytes, 0, line);
        bytes = str_slice(bytes, line + 1, bytes.len);
    }
    charset_declared(a, bytes);
    if (charset_to_utf8(a, bytes, declared, &out, &used, &err) != OK)
        return 0;
    /* bytes that were UTF-8 but for a few come back as they are; the sink replaces those */
    bool as_it_was = out.ptr >= bytes.ptr && out.ptr <= bytes.ptr + bytes.len;
    if (used == NULL || (!as_it_was && !str_is_utf8(out)))
        abort();
    return 0;
}
