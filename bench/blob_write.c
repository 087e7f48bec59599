/* blob_write.c: how fast a large file becomes a blob.
 *
 *   build/bench/blob_write FOLDER FILE [piece in KiB]
 *
 * Reads FILE in pieces (as they come from a connection) and prints MB/s from the first byte to the
 * blob on disk, the time of the last call (sync and link), and the peak of memory. Compare with
 * `time sha256sum FILE`. */
#include "base/clock.h"
#include "base/fd.h"
#include "blob/blob.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static void check(ErrCode rc, const Err *err)
{
    if (rc == OK)
        return;
    fprintf(stderr, "%s: %s\n", err_reason(rc), err->text);
    exit(1);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: blob_write FOLDER FILE [piece in KiB]\n");
        return 2;
    }
    CLEANUP(blob_store_close) BlobStore *s = NULL;
    BlobWriter *w = NULL;
    Blob blob;
    Err err = {0};
    struct rusage use;
    size_t piece = (argc > 3 ? strtoul(argv[3], NULL, 10) : 64) * KIB;
    char *bytes = malloc(piece);
    CLEANUP(fd_close) int fd = open(argv[2], O_RDONLY | O_CLOEXEC);
    check(blob_store_open(argv[1], false, &s, &err), &err);
    int64_t start_us = clock_mono_us();
    check(blob_create(s, -1, &w, &err), &err);
    for (ssize_t n; (n = read(fd, bytes, piece)) > 0;)
        check(blob_write(w, bytes, (size_t)n, &err), &err);
    int64_t last_us = clock_mono_us();
    check(blob_finish(&w, &blob, &err), &err);
    int64_t end_us = clock_mono_us();
    getrusage(RUSAGE_SELF, &use);
    printf("%.0f MB/s, last call %.0f ms, peak %.1f MB, %s\n",
           (double)blob.size_bytes / (double)(end_us - start_us), (double)(end_us - last_us) / 1000,
           (double)use.ru_maxrss / 1024, blob.hash);
    free(bytes);
    return 0;
}
