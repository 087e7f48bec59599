/* fuzz_gif: looking for a GIF's end reads no byte beyond the file, and what ends is not cut. */
#include "image/image.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);
int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    unsigned char *own = malloc(size + 1); /* so that one byte too far is seen */
    if (own == NULL)
        return 0;
    if (size > 0)
        memcpy(own, bytes, size);
    bool cut = image_gif_is_cut(own, size);
    /* What is whole stays whole with more behind it. */
    own[size] = 0x21;
    if (!cut && image_gif_is_cut(own, size + 1))
        abort();
    free(own);
    return 0;
}
