/* fuzz_html: any bytes as a page. */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        fuzz_read(read_html, (Str){(const char *)data, size});
    return 0;
}
