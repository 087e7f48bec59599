/* sink.c: writing a recording to an output of the task. */
#include "media/media.h"
#include "base/fd.h"

#include <errno.h>
#include <unistd.h>

enum { IO_BLOCK = 64 * 1024 };

static int write_bytes(void *opaque, uint8_t *bytes, int size)
{
    const Sink *s = opaque;
    for (int done = 0; done < size;) {
        ssize_t n = write(s->fd, bytes + done, (size_t)(size - done));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return AVERROR(errno);
        done += (int)n;
    }
    return size;
}

static int64_t seek_to(void *opaque, int64_t offset, int whence)
{
    const Sink *s = opaque;
    if (whence == AVSEEK_SIZE)
        return fd_size(s->fd);
    int64_t at = lseek(s->fd, offset, whence);
    return at < 0 ? AVERROR(errno) : at;
}

Str media_output_name(Arena *a, Str input, const char *extension)
{
    size_t slash = str_rfind_char(input, '/');
    Str name = slash == STR_NONE ? input : str_slice(input, slash + 1, input.len);
    size_t dot = str_rfind_char(name, '.');
    if (dot != STR_NONE && dot > 0)
        name = str_slice(name, 0, dot);
    return str_printf(a, STR_FMT ".%s", STR_ARG(name.len > 0 ? name : STR("output")), extension);
}

/* A muxer that moves its index to the front reads back what it wrote. */
typedef struct Back {
    int fd;
    int64_t at;
} Back;

static int read_back(void *opaque, uint8_t *buffer, int size)
{
    Back *b = opaque;
    ssize_t n = pread(b->fd, buffer, (size_t)size, b->at);
    if (n <= 0)
        return n == 0 ? AVERROR_EOF : AVERROR(errno);
    b->at += n;
    return (int)n;
}

static int64_t seek_back(void *opaque, int64_t offset, int whence)
{
    Back *b = opaque;
    if (whence == AVSEEK_SIZE)
        return fd_size(b->fd);
    b->at = whence == SEEK_CUR   ? b->at + offset
            : whence == SEEK_END ? fd_size(b->fd) + offset
                                 : offset;
    return b->at;
}

static int open_back(AVFormatContext *f, AVIOContext **out, const char *url, int flags,
                     AVDictionary **options)
{
    (void)url, (void)options;
    if (flags & AVIO_FLAG_WRITE)
        return AVERROR(EPERM);
    Back *b = av_mallocz(sizeof *b);
    uint8_t *block = av_malloc(IO_BLOCK);
    if (b != NULL && block != NULL) {
        b->fd = ((const Sink *)f->opaque)->fd;
        *out = avio_alloc_context(block, IO_BLOCK, 0, b, read_back, NULL, seek_back);
    }
    if (b == NULL || block == NULL || *out == NULL) {
        av_free(b);
        av_free(block);
        return AVERROR(ENOMEM);
    }
    return 0;
}

static int close_back(AVFormatContext *f, AVIOContext *io)
{
    (void)f;
    av_freep(&io->opaque);
    av_freep(&io->buffer);
    avio_context_free(&io);
    return 0;
}

/* `out` must stay where it is: FFmpeg keeps its address. */
ErrCode sink_open(StepCtx *c, Str name, const char *type, const char *muxer, Sink *out)
{
    *out = (Sink){.fd = -1};
    ErrCode rc = step_output(c, name, str_from_c(type), &out->fd);
    if (rc != OK)
        return rc;
    uint8_t *block = av_malloc(IO_BLOCK);
    if (block != NULL)
        out->io = avio_alloc_context(block, IO_BLOCK, 1, out, NULL, write_bytes, seek_to);
    if (out->io == NULL) {
        av_free(block);
        return err_set(c->err, ERR_NO_MEMORY, "no memory for an output");
    }
    int e = avformat_alloc_output_context2(&out->format, NULL, muxer, NULL);
    if (e < 0)
        return media_failed(c, e, "could not begin the output");
    out->format->pb = out->io;
    out->format->opaque = out;
    out->format->io_open = open_back;
    out->format->io_close2 = close_back;
    return OK;
}

ErrCode sink_begin(StepCtx *c, Sink *s, AVDictionary **options)
{
    int e = avformat_write_header(s->format, options);
    s->begun = e >= 0;
    return e < 0 ? media_failed(c, e, "could not begin the output") : OK;
}

ErrCode sink_end(StepCtx *c, Sink *s)
{
    int e = av_write_trailer(s->format);
    s->begun = false;
    if (e >= 0) {
        avio_flush(s->io);
        e = s->io->error;
    }
    return e < 0 ? media_failed(c, e, "could not end the output") : OK;
}

void sink_done(Sink *s)
{
    avformat_free_context(s->format);
    s->format = NULL;
    if (s->io != NULL)
        av_freep(&s->io->buffer);
    avio_context_free(&s->io);
    fd_close(&s->fd);
}
