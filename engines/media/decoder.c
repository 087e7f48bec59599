/* decoder.c: the frames of one stream. */
#include "media/media.h"

enum { BAD_IN_A_ROW_MAX = 200 };

static ErrCode check_size(StepCtx *c, const AVCodecParameters *p)
{
    if (p->codec_type != AVMEDIA_TYPE_VIDEO || (int64_t)p->width * p->height <= MEDIA_PIXELS_MAX)
        return OK;
    return err_set(c->err, ERR_LIMIT_PIXELS, "%d × %d pixels, the limit is %d million", p->width,
                   p->height, MEDIA_PIXELS_MAX / 1000000);
}

ErrCode decoder_open(StepCtx *c, const Media *m, int stream, Decoder *out)
{
    AVStream *s = m->format->streams[stream];
    const AVCodec *codec = avcodec_find_decoder(s->codecpar->codec_id);
    ErrCode rc = check_size(c, s->codecpar);
    if (rc != OK)
        return rc;
    if (codec == NULL)
        return err_set(c->err, ERR_UNSUPPORTED_TYPE, "there is no decoder for %s",
                       avcodec_get_name(s->codecpar->codec_id));
    *out = (Decoder){.codec = avcodec_alloc_context3(codec), .stream = s};
    if (out->codec == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for a decoder");
    int e = avcodec_parameters_to_context(out->codec, s->codecpar);
    out->codec->pkt_timebase = s->time_base;
    out->codec->thread_count = MEDIA_THREADS;
    out->codec->max_pixels = MEDIA_PIXELS_MAX;
    if (e >= 0)
        e = avcodec_open2(out->codec, codec, NULL);
    if (e < 0)
        decoder_done(out);
    return e < 0 ? media_failed(c, e, "could not open the decoder") : OK;
}

void decoder_done(Decoder *d)
{
    avcodec_free_context(&d->codec);
}

/* Give the decoder its next packet, or tell it that there is none. */
static int feed(const Media *m, Decoder *d, AVPacket *packet)
{
    int e = 0;
    while ((e = av_read_frame(m->format, packet)) >= 0) {
        if (packet->stream_index == d->stream->index) {
            e = avcodec_send_packet(d->codec, packet);
            av_packet_unref(packet);
            return e;
        }
        av_packet_unref(packet);
    }
    /* A file that is cut ends like one that is whole: what was read counts. */
    d->drained = true;
    e = avcodec_send_packet(d->codec, NULL);
    return e == AVERROR_EOF ? 0 : e;
}

ErrCode decoder_next(StepCtx *c, const Media *m, Decoder *d, AVFrame *frame, bool *got, int *bad)
{
    *got = false;
    int in_a_row = 0;
    AVPacket *packet = av_packet_alloc();
    if (packet == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for a packet");
    int e = 0;
    while ((e = avcodec_receive_frame(d->codec, frame)) == AVERROR(EAGAIN) ||
           e == AVERROR_INVALIDDATA) {
        if (e == AVERROR(EAGAIN))
            e = d->drained ? AVERROR_EOF : feed(m, d, packet);
        if (e == AVERROR_INVALIDDATA) {
            ++*bad;
            if (++in_a_row > BAD_IN_A_ROW_MAX)
                break;
        } else if (e < 0) {
            break;
        }
    }
    av_packet_free(&packet);
    *got = e >= 0;
    return e >= 0 || e == AVERROR_EOF ? OK : media_failed(c, e, "could not decode");
}

int64_t frame_ms(const AVFrame *f, const AVStream *s)
{
    int64_t t = f->best_effort_timestamp;
    if (t == AV_NOPTS_VALUE)
        return 0;
    int64_t from = s->start_time != AV_NOPTS_VALUE ? s->start_time : 0;
    return av_rescale_q(t - from, s->time_base, (AVRational){1, 1000});
}
