/* input.c: reading a recording from a descriptor. */
#include "media/media.h"

#include <errno.h>
#include <libavutil/display.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    IO_BLOCK = 64 * 1024,
    PROBE_BYTES = 8 * 1024 * 1024,
    ANALYZE_US = 4 * 1000 * 1000,
};

static char last_error[200]; /* what a library said last: one process, one recording */

static void hear(void *object, int level, const char *format, va_list args)
{
    (void)object;
    if (level <= AV_LOG_ERROR)
        vsnprintf(last_error, sizeof last_error, format, args);
}

ErrCode media_warm(Err *err)
{
    (void)err;
    av_log_set_callback(hear);
    /* Tables of formats and codecs are constant; touching them here loads their pages once. */
    void *at = NULL;
    while (av_demuxer_iterate(&at) != NULL)
        ;
    return OK;
}

ErrCode media_failed(StepCtx *c, int averror, const char *what)
{
    char text[AV_ERROR_MAX_STRING_SIZE] = "";
    av_strerror(averror, text, sizeof text);
    if (averror == AVERROR(ENOMEM))
        return err_set(c->err, ERR_NO_MEMORY, "%s: no memory", what);
    if (averror == AVERROR(ENOSPC))
        return err_set(c->err, ERR_DISK_FULL, "%s: the disk is full", what);
    Str said = str_trim(str_from_c(last_error));
    if (averror == AVERROR_DECODER_NOT_FOUND || averror == AVERROR_ENCODER_NOT_FOUND ||
        averror == AVERROR(ENOSYS) || averror == AVERROR_PATCHWELCOME)
        return err_set(c->err, ERR_UNSUPPORTED_TYPE, "%s: %s", what, text);
    return err_set(c->err, ERR_INPUT_DAMAGED, "%s: %s%s" STR_FMT, what, text,
                   said.len > 0 ? ": " : "", STR_ARG(str_slice(said, 0, 120)));
}

static int read_bytes(void *opaque, uint8_t *buffer, int size)
{
    Media *m = opaque;
    for (;;) {
        ssize_t n = pread(m->fd, buffer, (size_t)size, m->at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n == 0 ? AVERROR_EOF : AVERROR(errno);
        m->at += n;
        return (int)n;
    }
}

static int64_t seek_to(void *opaque, int64_t offset, int whence)
{
    Media *m = opaque;
    int64_t size = lseek(m->fd, 0, SEEK_END);
    if (whence == AVSEEK_SIZE)
        return size;
    int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? m->at : size;
    if (base + offset < 0)
        return AVERROR(EINVAL);
    return m->at = base + offset;
}

void media_close(Media **media)
{
    Media *m = *media;
    if (m == NULL)
        return;
    avformat_close_input(&m->format);
    if (m->io != NULL)
        av_freep(&m->io->buffer);
    avio_context_free(&m->io);
    free(m);
    *media = NULL;
}

static Media *media_new(const StepInput *in)
{
    Media *m = calloc(1, sizeof *m);
    uint8_t *block = m != NULL ? av_malloc(IO_BLOCK) : NULL;
    if (block != NULL) {
        m->fd = in->fd;
        m->io = avio_alloc_context(block, IO_BLOCK, 0, m, read_bytes, NULL, seek_to);
        if (m->io == NULL)
            av_free(block);
        m->format = avformat_alloc_context();
    }
    if (m != NULL && (m->io == NULL || m->format == NULL))
        media_close(&m);
    return m;
}

static ErrCode not_media(StepCtx *c, const StepInput *in, int averror)
{
    err_set(c->err, ERR_UNSUPPORTED_TYPE, "\"" STR_FMT "\" is no recording that can be read%s",
            STR_ARG(str_slice(in->name, 0, 60)),
            averror == AVERROR_EOF ? ": it ends too early" : "");
    err_hint(c->err, "file.detect says what it is");
    return c->err->code;
}

static ErrCode look(StepCtx *c, Media *m, const StepInput *in)
{
    if (in->size_bytes == 0)
        return err_set(c->err, ERR_INPUT_EMPTY, "the input has no bytes");
    m->format->pb = m->io;
    m->format->probesize = PROBE_BYTES;
    m->format->max_analyze_duration = ANALYZE_US;
    m->format->max_streams = MEDIA_STREAMS_MAX;
    m->format->fps_probe_size = 2; /* the container says it; counting frames would decode them */
    /* Playlists and the like would open other files: there is no protocol they may use. */
    m->format->protocol_whitelist = av_strdup("none");
    char name[64];
    snprintf(name, sizeof name, STR_FMT, STR_ARG(str_slice(in->name, 0, sizeof name - 1)));
    int rc = avformat_open_input(&m->format, name, NULL, NULL);
    if (rc == AVERROR_INVALIDDATA || rc == AVERROR_EOF)
        return not_media(c, in, rc);
    if (rc < 0)
        return media_failed(c, rc, "could not open the recording");
    rc = avformat_find_stream_info(m->format, NULL);
    if (rc < 0)
        return media_failed(c, rc, "could not look at the streams");
    return m->format->nb_streams > 0 ? OK : not_media(c, in, 0);
}

ErrCode media_open(StepCtx *c, const StepInput *in, Media **out)
{
    CLEANUP(media_close) Media *m = media_new(in);
    last_error[0] = 0;
    if (m == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for the recording");
    ErrCode rc = look(c, m, in);
    if (rc != OK)
        return rc;
    *out = m;
    m = NULL;
    return OK;
}

bool media_is_cover(const AVStream *s)
{
    return (s->disposition & AV_DISPOSITION_ATTACHED_PIC) != 0;
}

static const char *kind_name(enum AVMediaType kind)
{
    return kind == AVMEDIA_TYPE_VIDEO   ? "video"
           : kind == AVMEDIA_TYPE_AUDIO ? "sound"
                                        : "subtitles";
}

ErrCode media_stream(StepCtx *c, const Media *m, enum AVMediaType kind, int64_t nth, int *out)
{
    int64_t seen = 0;
    if (nth == 0) {
        int best = av_find_best_stream(m->format, kind, -1, -1, NULL, 0);
        if (best >= 0 && !media_is_cover(m->format->streams[best])) {
            *out = best;
            return OK;
        }
        nth = 1;
    }
    for (unsigned i = 0; i < m->format->nb_streams; i++) {
        const AVStream *s = m->format->streams[i];
        if (s->codecpar->codec_type != kind || media_is_cover(s) || ++seen != nth)
            continue;
        *out = (int)i;
        return OK;
    }
    err_set(c->err, ERR_UNSUPPORTED_TYPE,
            seen == 0 ? "the recording holds no %s" : "the recording holds fewer streams of %s",
            kind_name(kind));
    err_hint(c->err, "media.probe lists its streams");
    return c->err->code;
}

int64_t media_duration_ms(const Media *m)
{
    int64_t d = m->format->duration;
    return d == AV_NOPTS_VALUE || d < 0 ? 0 : d / (AV_TIME_BASE / 1000);
}

int64_t media_span_ms(const Media *m, int64_t from_ms, int64_t to_ms)
{
    int64_t end = media_duration_ms(m);
    if (to_ms > 0 && (end == 0 || to_ms < end))
        end = to_ms;
    return end > from_ms ? end - from_ms : 0;
}

int64_t media_start_us(const Media *m)
{
    return m->format->start_time == AV_NOPTS_VALUE ? 0 : m->format->start_time;
}

const char *media_trim(StepCtx *c, const Media *m, int64_t from_ms, int64_t to_ms, bool audio)
{
    const char *a = audio ? "a" : "";
    double start = (double)media_start_us(m) / AV_TIME_BASE, from = start + (double)from_ms / 1000;
    if (from_ms == 0 && to_ms == 0)
        return "";
    Str end = to_ms > 0 ? str_printf(c->arena, ":end=%.6f", start + (double)to_ms / 1000) : STR("");
    Str all = str_printf(c->arena, "%strim=start=%.6f" STR_FMT ",%ssetpts=PTS-%.6f/TB", a, from,
                         STR_ARG(end), a, from);
    return str_to_c(c->arena, all);
}

int media_rotation(const AVStream *s)
{
    const uint8_t *matrix = av_stream_get_side_data(s, AV_PKT_DATA_DISPLAYMATRIX, NULL);
    if (matrix == NULL)
        return 0;
    double angle = av_display_rotation_get((const int32_t *)(const void *)matrix);
    if (isnan(angle))
        return 0;
    int turn = (int)lround(-angle / 90) * 90 % 360; /* FFmpeg counts counter-clockwise */
    return turn < 0 ? turn + 360 : turn;
}
