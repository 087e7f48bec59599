/* fuzz_locked: any bytes as the description of an encrypted Office file, with a little package. */
#include <stdlib.h>
#include <string.h>

#include "document/ooxml_crypt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char package[8 + 64] = "\x40";
    CLEANUP(arena_close) Arena *a = arena_open(16 * MIB);
    Err err = {0};
    Str out;
    if (a == NULL || ooxml_crypt_warm(&err) != OK)
        return 0;
    char *info = malloc(size > 0 ? size : 1); /* so that its end is guarded */
    if (info == NULL)
        return 0;
    if (size > 0)
        memcpy(info, data, size);
    ErrCode rc = ooxml_decrypt_streams(a, (Str){info, size}, (Str){package, sizeof package},
                                       STR("pass"), &out, &err);
    if (rc != OK && err.text[0] == 0)
        abort();
    free(info);
    return 0;
}
