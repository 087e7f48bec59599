/* fuzz_zip: any bytes as an archive; every entry is found by its name and read. */
#include <stdlib.h>

#include "document/zip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Err err = {0};
    Zip z;
    if (zip_open(a, (Str){(const char *)data, size}, &z, &err) != OK) {
        if (err.text[0] == 0)
            abort();
        return 0;
    }
    for (size_t i = 0; i < z.len && i < 100; i++) {
        if (zip_find(&z, z.entries[i].name) == NULL)
            abort();
        ArenaMark m = arena_mark(a);
        Str out;
        if (zip_read(&z, &z.entries[i], a, 4 * MIB, &out, &err) == OK && out.len > 4 * MIB)
            abort();
        arena_rewind(a, m);
    }
    return 0;
}
