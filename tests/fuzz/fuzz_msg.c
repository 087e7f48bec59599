/* fuzz_msg: any bytes behind the magic number of a compound file: its directory, its streams, and
 * the messages, documents and presentations it may hold. */
#include <string.h>

#include "document/detect_in.h"
#include "document/ole.h"
#include "fuzz_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char magic[] = "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1";
    if (size < sizeof magic)
        return 0;
    char *bytes = malloc(size);
    if (bytes == NULL)
        return 0;
    memcpy(bytes, data, size);
    memcpy(bytes, magic, sizeof magic - 1);
    Str file = {bytes, size};
    Arena *a = arena_open(64 * MIB);
    Ole o;
    Err err = {0};
    if (a != NULL && ole_open(a, file, &o, &err) == OK)
        for (size_t i = 0; i < o.len && i < 64; i++)
            (void)ole_read(&o, (int)i, a, 1 * MIB);
    TypeFlags flags = {0};
    if (a != NULL)
        (void)detect_ole(a, file, &flags);
    arena_close(&a);
    fuzz_read(read_msg, file);
    fuzz_read(read_doc97, file);
    fuzz_read(read_ppt97, file);
    free(bytes);
    return 0;
}
