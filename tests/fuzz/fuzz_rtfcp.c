/* fuzz_rtfcp: any bytes behind the head of compressed RTF, and any bytes as RTF that wraps HTML. */
#include <stdlib.h>
#include <string.h>

#include "document/rtfcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char head[16] = "\0\0\0\0\0\0\0\0LZFu";
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    char *bytes = malloc(sizeof head + size);
    if (a == NULL || bytes == NULL) {
        free(bytes);
        return 0;
    }
    memcpy(bytes, head, sizeof head);
    if (size > 0)
        memcpy(bytes + sizeof head, data, size);
    Str rtf;
    Err err = {0};
    int64_t page;
    if (rtfcp_unpack(a, (Str){bytes, sizeof head + size}, &rtf, &err) != OK && err.text[0] == 0)
        abort();
    memcpy(bytes, "\\fromhtml       ", sizeof head);
    (void)rtfcp_html(a, (Str){bytes, sizeof head + size}, &page);
    free(bytes);
    return 0;
}
