#include "media/track.h"

#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/pixdesc.h>
#include <stdio.h>
#include <string.h>

enum { DESCRIPTION_MAX = 1024, BAD_MAX = 500 };

void track_done(Track *t)
{
    decoder_done(&t->decoder);
    avfilter_graph_free(&t->graph);
    avcodec_free_context(&t->encoder);
    av_frame_free(&t->frame);
    av_frame_free(&t->filtered);
    av_packet_free(&t->packet);
}

/* ---- filters ---- */

static bool is_video(const Track *t)
{
    return t->from->codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
}

static void describe_source(const Track *t, char *out, size_t size)
{
    const AVCodecContext *d = t->decoder.codec;
    AVRational tb = t->from->time_base, aspect = d->sample_aspect_ratio;
    char layout[64];
    if (is_video(t)) {
        AVRational rate =
            t->from->avg_frame_rate.num > 0 ? t->from->avg_frame_rate : t->from->r_frame_rate;
        if (rate.num <= 0 || rate.den <= 0)
            rate = (AVRational){25, 1};
        snprintf(out, size,
                 "video_size=%dx%d:pix_fmt=%d:time_base=%d/%d:pixel_aspect=%d/%d:frame_rate=%d/%d",
                 d->width, d->height, d->pix_fmt, tb.num, tb.den, aspect.num,
                 aspect.den > 0 ? aspect.den : 1, rate.num, rate.den);
        return;
    }
    av_channel_layout_describe(&d->ch_layout, layout, sizeof layout);
    snprintf(out, size, "time_base=%d/%d:sample_rate=%d:sample_fmt=%s:channel_layout=%s", tb.num,
             tb.den, d->sample_rate, av_get_sample_fmt_name(d->sample_fmt), layout);
}

/* What the encoder takes, as the last filter. */
static void describe_format(const Track *t, const AVCodec *e, char *out, size_t size)
{
    if (is_video(t) && t->plan.pixels != NULL) {
        snprintf(out, size, "format=%s", t->plan.pixels);
        return;
    }
    if (is_video(t)) {
        enum AVPixelFormat best =
            e->pix_fmts != NULL
                ? avcodec_find_best_pix_fmt_of_list(e->pix_fmts, t->decoder.codec->pix_fmt, 0, NULL)
                : AV_PIX_FMT_YUV420P;
        /* What every player shows, unless the encoder has another way. */
        for (const enum AVPixelFormat *p = e->pix_fmts; p != NULL && *p != AV_PIX_FMT_NONE; p++)
            if (*p == AV_PIX_FMT_YUV420P)
                best = *p;
        snprintf(out, size, "format=%s", av_get_pix_fmt_name(best));
        return;
    }
    int rate = t->plan.sample_rate > 0 ? (int)t->plan.sample_rate : t->decoder.codec->sample_rate;
    if (e->supported_samplerates != NULL) { /* the nearest that is not below, else the highest */
        int best = 0;
        for (const int *r = e->supported_samplerates; *r != 0; r++)
            if (best == 0 || (*r >= rate && (best < rate || *r < best)) || (best<rate && * r> best))
                best = *r;
        rate = best;
    }
    snprintf(out, size, "aformat=sample_fmts=%s:sample_rates=%d",
             av_get_sample_fmt_name(e->sample_fmts != NULL ? e->sample_fmts[0]
                                                           : t->decoder.codec->sample_fmt),
             rate);
}

static int make_filters(Track *t, const AVCodec *encoder)
{
    char source[DESCRIPTION_MAX], format[256], chain[2 * DESCRIPTION_MAX];
    AVFilterInOut *in = NULL, *out = NULL;
    describe_source(t, source, sizeof source);
    describe_format(t, encoder, format, sizeof format);
    bool given = t->plan.filters != NULL && t->plan.filters[0] != 0;
    /* A rate that the chain sets itself comes first; `format` then has nothing left to do. */
    snprintf(chain, sizeof chain, "%s%s%s", given ? t->plan.filters : "", given ? "," : "", format);
    t->graph = avfilter_graph_alloc();
    in = avfilter_inout_alloc();
    out = avfilter_inout_alloc();
    int e = t->graph != NULL && in != NULL && out != NULL ? 0 : AVERROR(ENOMEM);
    if (e == 0) {
        t->graph->nb_threads = 1;
        e = avfilter_graph_create_filter(&t->source,
                                         avfilter_get_by_name(is_video(t) ? "buffer" : "abuffer"),
                                         "in", source, NULL, t->graph);
    }
    if (e >= 0)
        e = avfilter_graph_create_filter(
            &t->drain, avfilter_get_by_name(is_video(t) ? "buffersink" : "abuffersink"), "out",
            NULL, NULL, t->graph);
    if (e >= 0) {
        *out = (AVFilterInOut){.name = av_strdup("in"), .filter_ctx = t->source};
        *in = (AVFilterInOut){.name = av_strdup("out"), .filter_ctx = t->drain};
        e = avfilter_graph_parse_ptr(t->graph, chain, &in, &out, NULL);
    }
    if (e >= 0)
        e = avfilter_graph_config(t->graph, NULL);
    avfilter_inout_free(&in);
    avfilter_inout_free(&out);
    return e;
}

/* ---- the encoder ---- */

static int open_encoder(Track *t, const AVCodec *codec, const Sink *sink)
{
    AVCodecContext *e = t->encoder = avcodec_alloc_context3(codec);
    if (e == NULL)
        return AVERROR(ENOMEM);
    const AVFilterContext *d = t->drain;
    e->time_base = av_buffersink_get_time_base(d);
    e->bit_rate = t->plan.bit_rate;
    e->thread_count = MEDIA_THREADS;
    if (is_video(t)) {
        e->width = av_buffersink_get_w(d);
        e->height = av_buffersink_get_h(d);
        e->pix_fmt = av_buffersink_get_format(d);
        e->sample_aspect_ratio = av_buffersink_get_sample_aspect_ratio(d);
        e->framerate = av_buffersink_get_frame_rate(d);
    } else {
        e->sample_rate = av_buffersink_get_sample_rate(d);
        e->sample_fmt = av_buffersink_get_format(d);
        int rc = av_buffersink_get_ch_layout(d, &e->ch_layout);
        if (rc < 0)
            return rc;
    }
    if (sink->format->oformat->flags & AVFMT_GLOBALHEADER)
        e->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    e->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
    AVDictionary *options = NULL;
    av_dict_copy(&options, t->plan.options, 0);
    int rc = avcodec_open2(e, codec, &options);
    av_dict_free(&options);
    if (rc >= 0 && !is_video(t) && !(codec->capabilities & AV_CODEC_CAP_VARIABLE_FRAME_SIZE))
        av_buffersink_set_frame_size(t->drain, (unsigned)e->frame_size);
    return rc;
}

static ErrCode open_work(StepCtx *c, const Media *m, int stream, Sink *sink, Track *t)
{
    const AVCodec *codec = avcodec_find_encoder_by_name(t->plan.encoder);
    if (codec == NULL)
        return err_set(c->err, ERR_UNSUPPORTED_TYPE, "this FFmpeg has no encoder %s",
                       t->plan.encoder);
    ErrCode rc = decoder_open(c, m, stream, &t->decoder);
    if (rc != OK)
        return rc;
    if (!is_video(t) && t->decoder.codec->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC)
        av_channel_layout_default(&t->decoder.codec->ch_layout,
                                  t->decoder.codec->ch_layout.nb_channels);
    int e = make_filters(t, codec);
    if (e < 0)
        return media_failed(c, e, "could not set up the conversion");
    e = open_encoder(t, codec, sink);
    if (e >= 0)
        e = avcodec_parameters_from_context(t->to->codecpar, t->encoder);
    t->to->time_base = t->encoder->time_base;
    t->to->sample_aspect_ratio = t->encoder->sample_aspect_ratio;
    return e < 0 ? media_failed(c, e, "could not open the encoder") : OK;
}

/* Encoded pictures are turned upright; copied ones keep the word that says how to. */
static void copy_rotation(Track *t)
{
    size_t size = 0;
    const uint8_t *matrix = av_stream_get_side_data(t->from, AV_PKT_DATA_DISPLAYMATRIX, &size);
    uint8_t *to =
        matrix != NULL ? av_stream_new_side_data(t->to, AV_PKT_DATA_DISPLAYMATRIX, size) : NULL;
    if (to != NULL)
        memcpy(to, matrix, size);
}

ErrCode track_open(StepCtx *c, const Media *m, int stream, const TrackPlan *plan, Sink *sink,
                   Track *out)
{
    *out = (Track){.from = m->format->streams[stream],
                   .plan = *plan,
                   .frame = av_frame_alloc(),
                   .filtered = av_frame_alloc(),
                   .packet = av_packet_alloc(),
                   .copy_from = INT64_MIN,
                   .copy_to = INT64_MIN};
    out->to = avformat_new_stream(sink->format, NULL);
    if (out->frame == NULL || out->filtered == NULL || out->packet == NULL || out->to == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for a stream");
    av_dict_copy(&out->to->metadata, out->from->metadata, 0);
    out->to->disposition = out->from->disposition;
    if (plan->encoder != NULL)
        return open_work(c, m, stream, sink, out);
    copy_rotation(out);
    int e = avcodec_parameters_copy(out->to->codecpar, out->from->codecpar);
    out->to->codecpar->codec_tag = 0;
    out->to->time_base = out->from->time_base;
    return e < 0 ? media_failed(c, e, "could not copy a stream") : OK;
}

/* ---- at work ---- */

static ErrCode write_packet(StepCtx *c, Track *t, AVPacket *p, AVRational from, Sink *sink)
{
    av_packet_rescale_ts(p, from, t->to->time_base);
    p->stream_index = t->to->index;
    p->pos = -1;
    int e = av_interleaved_write_frame(sink->format, p);
    av_packet_unref(p);
    return e < 0 ? media_failed(c, e, "could not write the output") : OK;
}

static ErrCode encode(StepCtx *c, Track *t, AVFrame *frame, Sink *sink)
{
    int e = avcodec_send_frame(t->encoder, frame);
    if (e < 0 && e != AVERROR_EOF)
        return media_failed(c, e, "could not encode");
    for (;;) {
        e = avcodec_receive_packet(t->encoder, t->packet);
        if (e == AVERROR(EAGAIN) || e == AVERROR_EOF)
            return OK;
        if (e < 0)
            return media_failed(c, e, "could not encode");
        ErrCode rc = write_packet(c, t, t->packet, t->encoder->time_base, sink);
        if (rc != OK)
            return rc;
    }
}

static ErrCode draw(StepCtx *c, Track *t)
{
    (void)c;
    if (t->plan.draw == NULL)
        return OK;
    int e = av_frame_make_writable(t->filtered);
    if (e < 0)
        return media_failed(c, e, "could not draw on a picture");
    int64_t ms = av_rescale_q(t->filtered->pts, av_buffersink_get_time_base(t->drain),
                              (AVRational){1, 1000});
    return t->plan.draw(t->plan.draw_ctx, t->filtered, ms);
}

/* What the filters have ready goes to the encoder. */
static ErrCode drain_filters(StepCtx *c, Track *t, Sink *sink)
{
    for (;;) {
        int e = av_buffersink_get_frame(t->drain, t->filtered);
        if (e == AVERROR_EOF)
            t->ended = true;
        if (e == AVERROR(EAGAIN) || e == AVERROR_EOF)
            return OK;
        if (e < 0)
            return media_failed(c, e, "could not convert");
        t->filtered->pict_type = AV_PICTURE_TYPE_NONE;
        ErrCode rc = draw(c, t);
        if (rc == OK)
            rc = encode(c, t, t->filtered, sink);
        av_frame_unref(t->filtered);
        if (rc != OK)
            return rc;
    }
}

static ErrCode filter(StepCtx *c, Track *t, AVFrame *frame, Sink *sink)
{
    if (frame != NULL)
        frame->pts = frame->best_effort_timestamp;
    int e = av_buffersrc_add_frame_flags(t->source, frame, AV_BUFFERSRC_FLAG_PUSH);
    if (e == AVERROR_EOF)
        t->ended = true;
    if (e < 0 && e != AVERROR_EOF)
        return media_failed(c, e, "could not convert");
    return drain_filters(c, t, sink);
}

static ErrCode feed_decoder(StepCtx *c, Track *t, const AVPacket *packet, Sink *sink)
{
    int e = avcodec_send_packet(t->decoder.codec, packet);
    if (e == AVERROR_INVALIDDATA && ++t->bad <= BAD_MAX)
        return OK;
    if (e < 0 && e != AVERROR_EOF)
        return media_failed(c, e, "could not decode");
    for (;;) {
        e = avcodec_receive_frame(t->decoder.codec, t->frame);
        if (e == AVERROR(EAGAIN) || e == AVERROR_EOF)
            return OK;
        if (e == AVERROR_INVALIDDATA && ++t->bad <= BAD_MAX)
            continue;
        if (e < 0)
            return media_failed(c, e, "could not decode");
        ErrCode rc = filter(c, t, t->frame, sink);
        av_frame_unref(t->frame);
        if (rc != OK || t->ended)
            return rc;
    }
}

static ErrCode copy_packet(StepCtx *c, Track *t, const AVPacket *packet, Sink *sink)
{
    int64_t at = packet->dts != AV_NOPTS_VALUE ? packet->dts : packet->pts;
    if (t->copy_to != INT64_MIN && at != AV_NOPTS_VALUE && at >= t->copy_to) {
        t->ended = true;
        return OK;
    }
    if (t->copy_from != INT64_MIN && at != AV_NOPTS_VALUE && at < t->copy_from)
        return OK;
    int e = av_packet_ref(t->packet, packet);
    if (e < 0)
        return media_failed(c, e, "could not copy a stream");
    if (t->copy_from != INT64_MIN) {
        t->packet->pts -= t->packet->pts != AV_NOPTS_VALUE ? t->copy_from : 0;
        t->packet->dts -= t->packet->dts != AV_NOPTS_VALUE ? t->copy_from : 0;
    }
    return write_packet(c, t, t->packet, t->from->time_base, sink);
}

ErrCode track_feed(StepCtx *c, Track *t, const AVPacket *packet, Sink *sink)
{
    if (t->plan.encoder == NULL)
        return packet != NULL ? copy_packet(c, t, packet, sink) : OK;
    if (packet != NULL)
        return t->ended ? OK : feed_decoder(c, t, packet, sink);
    ErrCode rc = t->ended ? OK : feed_decoder(c, t, NULL, sink);
    if (rc == OK && !t->ended)
        rc = filter(c, t, NULL, sink);
    return rc == OK ? encode(c, t, NULL, sink) : rc;
}

static Track *track_of(Track *tracks, size_t len, int stream)
{
    for (size_t i = 0; i < len; i++)
        if (tracks[i].from->index == stream)
            return &tracks[i];
    return NULL;
}

static bool all_ended(const Track *tracks, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!tracks[i].ended)
            return false;
    return true;
}

static void tell(StepCtx *c, const Media *m, const Track *t, const AVPacket *p, int64_t from_ms,
                 int64_t to_ms)
{
    if (p->pts == AV_NOPTS_VALUE)
        return;
    int64_t ms = av_rescale_q(p->pts, t->from->time_base, (AVRational){1, 1000});
    int64_t end = to_ms > 0 ? to_ms : media_duration_ms(m);
    if (ms > from_ms)
        step_progress(c, ms - from_ms, end > from_ms ? end - from_ms : 0, "converting");
}

static ErrCode feed_all(StepCtx *c, Media *m, Track *tracks, size_t len, Sink *sink,
                        AVPacket *packet, int64_t from_ms, int64_t to_ms)
{
    ErrCode rc = OK;
    while (rc == OK && !all_ended(tracks, len) && av_read_frame(m->format, packet) >= 0) {
        Track *t = track_of(tracks, len, packet->stream_index);
        if (t != NULL) {
            rc = track_feed(c, t, packet, sink);
            tell(c, m, t, packet, from_ms, to_ms);
        }
        av_packet_unref(packet);
    }
    for (size_t i = 0; rc == OK && i < len; i++)
        rc = track_feed(c, &tracks[i], NULL, sink);
    return rc;
}

ErrCode tracks_run(StepCtx *c, Media *m, Track *tracks, size_t len, Sink *sink, int64_t from_ms,
                   int64_t to_ms)
{
    AVPacket *packet = av_packet_alloc();
    if (packet == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for a packet");
    if (from_ms > 0) /* the key frame before it; the filters drop what is too early */
        (void)av_seek_frame(m->format, -1, from_ms * (AV_TIME_BASE / 1000) + media_start_us(m),
                            AVSEEK_FLAG_BACKWARD);
    ErrCode rc = feed_all(c, m, tracks, len, sink, packet, from_ms, to_ms);
    av_packet_free(&packet);
    int bad = 0;
    for (size_t i = 0; i < len; i++)
        bad += tracks[i].bad;
    if (rc == OK && bad > 0)
        step_note(c, str_printf(c->arena, "%d damaged packets were skipped", bad));
    return rc == OK ? sink_end(c, sink) : rc;
}
