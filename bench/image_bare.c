/* image_bare: JPEG to a smaller WebP with the bare library in one process: what the queue, the
 * sandbox and the store are measured against. The same work as image.convert: shrink while
 * decoding, sRGB, quality 82, effort 2, no metadata.
 *
 *   image_bare FILE WIDTH COUNT [THREADS]     prints: seconds per picture, bytes of the last one */
#include "base/clock.h"
#include "base/str.h"

#include <stdio.h>
#include <vips/vips.h>

static size_t convert(const char *path, int width)
{
    VipsImage *small = NULL;
    void *bytes = NULL;
    size_t size = 0;
    if (vips_thumbnail(path, &small, width, "height", 16384, NULL) != 0 ||
        vips_webpsave_buffer(small, &bytes, &size, "Q", 82, "effort", 2, "strip", TRUE, NULL) != 0)
        vips_error_exit(NULL);
    g_object_unref(small);
    g_free(bytes);
    return size;
}

int main(int argc, char **argv)
{
    int64_t width, count, threads = 1;
    if (argc < 4 || !str_to_i64(str_from_c(argv[2]), &width) ||
        !str_to_i64(str_from_c(argv[3]), &count) || count < 1 ||
        (argc > 4 && !str_to_i64(str_from_c(argv[4]), &threads))) {
        fprintf(stderr, "usage: image_bare FILE WIDTH COUNT [THREADS]\n");
        return 2;
    }
    if (vips_init(argv[0]) != 0)
        vips_error_exit(NULL);
    vips_concurrency_set((int)threads);
    vips_cache_set_max(0);
    size_t size = convert(argv[1], (int)width); /* what the engine's warm parent has done before */
    int64_t started = clock_mono_us();
    for (int64_t i = 0; i < count; i++)
        size = convert(argv[1], (int)width);
    printf("%.5f %zu\n", (double)(clock_mono_us() - started) / 1e6 / (double)count, size);
    vips_shutdown();
    return 0;
}
