#include "media/video.h"

#include <stdio.h>
#include <string.h>

enum { TRACKS_MAX = 2, CHAIN_MAX = 900 };

const Choice video_format_choices[] = {
    [VIDEO_MP4] = {"mp4", "MP4, ready for streaming."},
    [VIDEO_WEBM] = {"webm", "WebM."},
    [VIDEO_MKV] = {"mkv", "Matroska."},
    [VIDEO_MOV] = {"mov", "QuickTime."},
    [VIDEO_GIF] = {"gif", "Animated GIF, without sound."},
    {0},
};
const Choice video_codec_choices[] = {
    [VIDEO_AUTO] = {"auto", "What suits the format: H.264, or VP9 in WebM."},
    [VIDEO_H264] = {"h264", "H.264: plays everywhere."},
    [VIDEO_H265] = {"h265", "H.265: smaller, slower."},
    [VIDEO_VP9] = {"vp9", "VP9."},
    [VIDEO_AV1] = {"av1", "AV1: smallest."},
    [VIDEO_COPY] = {"copy", "As it is, without encoding it again."},
    [VIDEO_NONE] = {"none", "No pictures."},
    {0},
};
const Choice sound_codec_choices[] = {
    [SOUND_AUTO] = {"auto", "What suits the format: AAC, or Opus in WebM."},
    [SOUND_AAC] = {"aac", "AAC."},
    [SOUND_OPUS] = {"opus", "Opus."},
    [SOUND_MP3] = {"mp3", "MP3."},
    [SOUND_COPY] = {"copy", "As it is, without encoding it again."},
    [SOUND_NONE] = {"none", "No sound."},
    {0},
};
const Choice speed_choices[] = {
    [SPEED_FAST] = {"fast", "Fast, larger files."},
    [SPEED_MEDIUM] = {"medium", "Between them."},
    [SPEED_SLOW] = {"slow", "Slow, smallest files."},
    {0},
};

static const struct {
    const char *muxer, *type, *extension;
    int video, sound;
} formats[] = {
    [VIDEO_MP4] = {"mp4", "video/mp4", "mp4", VIDEO_H264, SOUND_AAC},
    [VIDEO_WEBM] = {"webm", "video/webm", "webm", VIDEO_VP9, SOUND_OPUS},
    [VIDEO_MKV] = {"matroska", "video/x-matroska", "mkv", VIDEO_H264, SOUND_AAC},
    [VIDEO_MOV] = {"mov", "video/quicktime", "mov", VIDEO_H264, SOUND_AAC},
    [VIDEO_GIF] = {"gif", "image/gif", "gif", VIDEO_NONE, SOUND_NONE},
};

/* speed: the encoder's option and its values; crf: what it uses when none is given. */
static const struct {
    const char *encoder, *speed_option, *speeds[3];
    int crf;
} video_encoders[] = {
    [VIDEO_H264] = {"libx264", "preset", {"veryfast", "medium", "slow"}, 23},
    [VIDEO_H265] = {"libx265", "preset", {"veryfast", "medium", "slow"}, 28},
    [VIDEO_VP9] = {"libvpx-vp9", "cpu-used", {"5", "3", "1"}, 32},
    [VIDEO_AV1] = {"libsvtav1", "preset", {"10", "8", "5"}, 35},
    [VIDEO_COPY] = {0},
    [VIDEO_NONE] = {0},
};
static const char *const sound_encoders[] = {[SOUND_AAC] = "aac",
                                             [SOUND_OPUS] = "libopus",
                                             [SOUND_MP3] = "libmp3lame",
                                             [SOUND_COPY] = NULL,
                                             [SOUND_NONE] = NULL};

typedef struct Conversion {
    StepCtx *c;
    const VideoArgs *args;
    Media *media;
    Sink sink;
    Track tracks[TRACKS_MAX];
    size_t len;
    AVDictionary *options;
} Conversion;

static void conversion_done(Conversion *v)
{
    for (size_t i = 0; i < TRACKS_MAX; i++)
        track_done(&v->tracks[i]);
    av_dict_free(&v->options);
    sink_done(&v->sink);
    media_close(&v->media);
}

static void add(char *chain, const char *format, ...) PRINTF(2, 3);
static void add(char *chain, const char *format, ...)
{
    size_t at = strlen(chain);
    va_list args;
    va_start(args, format);
    if (at > 0 && at + 1 < CHAIN_MAX)
        chain[at++] = ',';
    vsnprintf(chain + at, CHAIN_MAX - at, format, args);
    va_end(args);
}

/* Within the box, never larger than the source, even numbers of pixels. */
static void add_scale(const VideoArgs *a, char *chain)
{
    if (a->width > 0 || a->height > 0)
        add(chain,
            "scale=w='min(iw,%" PRId64 ")':h='min(ih,%" PRId64
            ")':force_original_aspect_ratio=decrease:force_divisible_by=2",
            a->width > 0 ? a->width : INT64_C(16384), a->height > 0 ? a->height : INT64_C(16384));
    else
        add(chain, "scale=w='trunc(iw/2)*2':h='trunc(ih/2)*2'");
}

static void video_chain(const Conversion *v, const AVStream *s, const char *trim, char *chain)
{
    const VideoArgs *a = v->args;
    static const char *const turns[] = {"", "transpose=clock", "hflip,vflip", "transpose=cclock"};
    chain[0] = 0;
    if (trim[0] != 0)
        add(chain, "%s", trim);
    if (media_rotation(s) != 0)
        add(chain, "%s", turns[media_rotation(s) / 90]);
    if (a->fps > 0)
        add(chain, "fps=%g", a->fps);
    else if (a->format == VIDEO_GIF)
        add(chain, "fps=12");
    add_scale(a, chain);
    if (a->format == VIDEO_GIF)
        add(chain, "split[a][b];[a]palettegen[p];[b][p]paletteuse");
}

static ErrCode video_options(Conversion *v, int codec)
{
    const VideoArgs *a = v->args;
    int64_t crf = a->crf > 0 ? a->crf : video_encoders[codec].crf;
    av_dict_set(&v->options, video_encoders[codec].speed_option,
                video_encoders[codec].speeds[a->speed], 0);
    av_dict_set_int(&v->options, "crf", crf, 0);
    if (codec == VIDEO_VP9) {
        av_dict_set(&v->options, "row-mt", "1", 0);
        av_dict_set(&v->options, "b", "0", 0); /* the quality alone decides */
    }
    return OK;
}

static void limit_copy(const Conversion *v, Track *t)
{
    const AVRational us = AV_TIME_BASE_Q;
    const VideoArgs *a = v->args;
    int64_t start = media_start_us(v->media);
    if (a->start_ms > 0)
        t->copy_from = av_rescale_q(start + a->start_ms * 1000, us, t->from->time_base);
    if (a->end_ms > 0)
        t->copy_to = av_rescale_q(start + a->end_ms * 1000, us, t->from->time_base);
}

static ErrCode add_video(Conversion *v, int codec, TrackPlan plan)
{
    char chain[CHAIN_MAX];
    int stream = 0;
    const VideoArgs *a = v->args;
    ErrCode rc = media_stream(v->c, v->media, AVMEDIA_TYPE_VIDEO, 0, &stream);
    if (rc != OK)
        return rc;
    const char *trim = media_trim(v->c, v->media, a->start_ms, a->end_ms, false);
    if (trim == NULL)
        return err_set(v->c->err, ERR_NO_MEMORY, "no memory for the filters");
    video_chain(v, v->media->format->streams[stream], trim, chain);
    plan.filters = chain;
    if (a->format == VIDEO_GIF) {
        plan.encoder = "gif";
        plan.pixels = "pal8";
    } else if (codec != VIDEO_COPY) {
        plan.encoder = video_encoders[codec].encoder;
        rc = video_options(v, codec);
        plan.options = v->options;
    }
    Track *t = &v->tracks[v->len];
    if (rc == OK)
        rc = track_open(v->c, v->media, stream, &plan, &v->sink, t);
    v->len++;
    if (rc == OK && plan.encoder == NULL)
        limit_copy(v, t);
    if (rc == OK && codec == VIDEO_H265)
        t->to->codecpar->codec_tag = MKTAG('h', 'v', 'c', '1'); /* what Apple's players look for */
    if (rc == OK && a->format != VIDEO_MP4 && a->format != VIDEO_MOV)
        t->to->codecpar->codec_tag = 0;
    return rc;
}

/* A recording without sound is no error. */
static ErrCode add_sound(Conversion *v, int codec)
{
    int stream = 0;
    const VideoArgs *a = v->args;
    if (media_stream(v->c, v->media, AVMEDIA_TYPE_AUDIO, 0, &stream) != OK) {
        *v->c->err = (Err){0};
        return OK;
    }
    const char *trim = media_trim(v->c, v->media, a->start_ms, a->end_ms, true);
    if (trim == NULL)
        return err_set(v->c->err, ERR_NO_MEMORY, "no memory for the filters");
    const TrackPlan plan = {.encoder = codec == SOUND_COPY ? NULL : sound_encoders[codec],
                            .filters = trim,
                            .bit_rate = a->audio_bit_rate * 1000};
    Track *t = &v->tracks[v->len];
    ErrCode rc = track_open(v->c, v->media, stream, &plan, &v->sink, t);
    v->len++;
    if (rc == OK && plan.encoder == NULL)
        limit_copy(v, t);
    return rc;
}

static ErrCode add_tracks(Conversion *v, const TrackPlan *drawing)
{
    const VideoArgs *a = v->args;
    int video = a->video == VIDEO_AUTO ? formats[a->format].video : a->video;
    int sound = a->sound == SOUND_AUTO ? formats[a->format].sound : a->sound;
    bool gif = a->format == VIDEO_GIF;
    ErrCode rc = OK;
    if (video != VIDEO_NONE || gif)
        rc = add_video(v, video, *drawing);
    if (rc == OK && sound != SOUND_NONE && !gif)
        rc = add_sound(v, sound);
    if (rc == OK && v->len == 0) {
        err_set(v->c->err, ERR_BAD_PARAM, "neither pictures nor sound are wanted");
        err_param(v->c->err, "video");
        return ERR_BAD_PARAM;
    }
    return rc;
}

static ErrCode begin(Conversion *v)
{
    AVDictionary *options = NULL;
    if (v->args->format == VIDEO_MP4 || v->args->format == VIDEO_MOV)
        av_dict_set(&options, "movflags", "+faststart", 0);
    ErrCode rc = sink_begin(v->c, &v->sink, &options);
    av_dict_free(&options);
    return rc;
}

static void put_data(const Conversion *v)
{
    JsonOut *data = v->c->data;
    int64_t length_ms = 0;
    for (size_t i = 0; i < v->len; i++) {
        const Track *t = &v->tracks[i];
        int64_t ms = av_rescale_q(t->to->duration > 0 ? t->to->duration : 0, t->to->time_base,
                                  (AVRational){1, 1000});
        length_ms = ms > length_ms ? ms : length_ms;
        if (t->to->codecpar->codec_type == AVMEDIA_TYPE_VIDEO) {
            json_kv_int(data, "width", t->to->codecpar->width);
            json_kv_int(data, "height", t->to->codecpar->height);
        }
    }
    if (length_ms == 0)
        length_ms = media_span_ms(v->media, v->args->start_ms, v->args->end_ms);
    json_kv_int(data, "duration_ms", length_ms);
    json_kv_int(data, "bytes", avio_size(v->sink.io));
    step_usage(v->c, "media_ms", length_ms);
}

ErrCode video_convert(StepCtx *c, const StepInput *in, const VideoArgs *a,
                      ErrCode (*draw)(void *ctx, AVFrame *frame, int64_t ms), void *draw_ctx)
{
    CLEANUP(conversion_done) Conversion v = {.c = c, .args = a, .sink = {.fd = -1}};
    const TrackPlan drawing = {.draw = draw, .draw_ctx = draw_ctx};
    if (a->end_ms > 0 && a->end_ms <= a->start_ms) {
        err_set(c->err, ERR_BAD_PARAM, "end_ms must lie after start_ms");
        err_param(c->err, "end_ms");
        return ERR_BAD_PARAM;
    }
    ErrCode rc = media_open(c, in, &v.media);
    if (rc == OK)
        rc = sink_open(c, media_output_name(c->arena, in->name, formats[a->format].extension),
                       formats[a->format].type, formats[a->format].muxer, &v.sink);
    if (rc == OK)
        rc = add_tracks(&v, &drawing);
    if (rc == OK)
        rc = begin(&v);
    if (rc == OK)
        rc = tracks_run(c, v.media, v.tracks, v.len, &v.sink, a->start_ms, a->end_ms);
    if (rc == OK)
        put_data(&v);
    return rc;
}
