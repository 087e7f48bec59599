/* What a browser says over its pipe, as the client of the DevTools Protocol reads it. */
#include "base/clock.h"
#include "browser/cdp.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void on_event(void *ctx, Str method, Str session, const Json *params)
{
    size_t *seen = ctx;
    *seen += method.len + session.len + (params != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t seen = 0;
    Cdp c;
    Err err = {0};
    const Json *result = NULL;
    int pipes[2], null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (size > 32 * 1024) { /* a pipe takes 64 KiB */
        close(null);
        return 0;
    }
    if (null < 0 || pipe(pipes) != 0)
        abort();
    if (write(pipes[1], data, size) != (ssize_t)size)
        abort();
    close(pipes[1]);
    if (cdp_open(&c, null, pipes[0], &err) != OK)
        abort();
    c.event = on_event;
    c.ctx = &seen;
    c.deadline_us = clock_mono_us() + 1000 * 1000;
    /* Ends with an answer, or with the end of the pipe. */
    while (cdp_call(&c, NULL, "X.y", STR(""), &result, &err) == OK)
        seen += result != NULL;
    cdp_close(&c);
    return 0;
}
