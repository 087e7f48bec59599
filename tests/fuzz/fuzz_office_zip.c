/* The end and the directory of a ZIP file, as office.convert reads them. */
#include "office/office.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t at, len;
    Str bytes = {(const char *)data, size};
    if (office_zip_directory(bytes, &at, &len) && (at < 0 || len < 0))
        abort();
    if (office_zip_unpacked(bytes) < 0)
        abort();
    return 0;
}
