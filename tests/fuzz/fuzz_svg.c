/* fuzz_svg: any bytes as a drawing. */
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_read(read_svg, (Str){(const char *)data, size});
    return 0;
}
