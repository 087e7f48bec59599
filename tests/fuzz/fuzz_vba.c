/* fuzz_vba: any bytes as a compressed VBA module, and as the compound file around one. */
#include <stdlib.h>

#include "document/ole.h"
#include "security/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { MOST = 1 << 20 };
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Str bytes = {(const char *)data, size}, out;
    VbaFacts facts = {0};
    if (vba_decompress(a, bytes, MOST, &out)) {
        if (out.len > MOST || out.len == 0)
            abort();
        vba_read(&facts, out);
    }
    vba_read(&facts, bytes);
    return 0;
}
