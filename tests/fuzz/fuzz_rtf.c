/* fuzz_rtf: any bytes behind the mark that makes them RTF. */
#include <string.h>

#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char head[] = "{\\rtf1 ";
    char *bytes = malloc(size + sizeof(head) - 1);
    if (bytes == NULL)
        return 0;
    memcpy(bytes, head, sizeof(head) - 1);
    if (size > 0)
        memcpy(bytes + sizeof(head) - 1, data, size);
    fuzz_read(read_rtf, (Str){bytes, size + sizeof(head) - 1});
    free(bytes);
    return 0;
}
