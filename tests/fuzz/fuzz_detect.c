/* fuzz_detect: any bytes get a type from the table, the same twice, and a name that fits it fits.
 */
#include "document/detect.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Str bytes = {(const char *)data, size};
    FileType first, second;
    Err err = {0};
    if (detect_type(a, bytes, &first, &err) != OK)
        return 0;
    if (detect_type(a, bytes, &second, &err) != OK || first.media_type != second.media_type)
        abort();
    Str name = detect_better_name(a, &first, STR("x.y"));
    if (name.ptr == NULL || !detect_name_fits(&first, name))
        abort();
    detect_refine(&first, STR("notes.md"));
    return 0;
}
