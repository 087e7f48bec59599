#include "document/document.h"

#include "base/fault.h"
#include "base/fd.h"

#include <errno.h>
#include <sys/mman.h>

ErrCode document_map(StepCtx *c, Str *out)
{
    int64_t size = fd_size(c->input_fd);
    if (size < 0)
        return err_set(c->err, ERR_IO, "could not read the input's size");
    if (size == 0)
        return err_set(c->err, ERR_INPUT_EMPTY, "\"" STR_FMT "\" has no bytes",
                       STR_ARG(str_slice(c->inputs[0].name, 0, 80)));
    void *p = fault_hit("document.map")
                  ? MAP_FAILED
                  : mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, c->input_fd, 0);
    if (p == MAP_FAILED)
        return err_set_errno(c->err, ERR_IO, errno, "could not map the input");
    *out = (Str){p, (size_t)size};
    return OK;
}

void document_unmap(Str *bytes)
{
    if (bytes->ptr != NULL)
        munmap((void *)(uintptr_t)bytes->ptr, bytes->len);
    *bytes = (Str){0};
}
