/* fuzz_csv: any bytes as a table. */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        fuzz_read(read_csv, (Str){(const char *)data, size});
    return 0;
}
