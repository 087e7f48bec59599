/* fuzz_odf: any bytes as a flat OpenDocument file: the XML layer and the walk over its trees. */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        fuzz_read(read_odf, (Str){(const char *)data, size});
    return 0;
}
