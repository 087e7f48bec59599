/* media.audio: the sound of a recording as a file of its own.
 *
 * What    one recording in, its sound out, as it is or in another format, cut, mixed down, at another
 *         rate, made as loud as wanted.
 * How     loudness is measured by EBU R 128 (ITU-R BS.1770-4) in a first pass and reached by one gain
 *         over the whole recording, so that nothing pumps; true peaks stay below -1 dB. */
#include "media/track.h"

#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <math.h>
#include <stdlib.h>

enum AudioFormat { AUDIO_MP3, AUDIO_M4A, AUDIO_OPUS, AUDIO_FLAC, AUDIO_WAV, AUDIO_OGG };

static const Choice format_choices[] = {
    [AUDIO_MP3] = {"mp3", "MP3: plays everywhere."},
    [AUDIO_M4A] = {"m4a", "AAC in MP4."},
    [AUDIO_OPUS] = {"opus", "Opus: best for speech and small files."},
    [AUDIO_FLAC] = {"flac", "FLAC: without loss, compressed."},
    [AUDIO_WAV] = {"wav", "WAV: without loss, 16 bits; what speech models want."},
    [AUDIO_OGG] = {"ogg", "Vorbis in Ogg."},
    {0},
};
static const struct {
    const char *muxer, *encoder, *type, *extension;
    bool lossless;
} formats[] = {
    [AUDIO_MP3] = {"mp3", "libmp3lame", "audio/mpeg", "mp3", false},
    [AUDIO_M4A] = {"ipod", "aac", "audio/mp4", "m4a", false},
    [AUDIO_OPUS] = {"opus", "libopus", "audio/ogg", "opus", false},
    [AUDIO_FLAC] = {"flac", "flac", "audio/flac", "flac", true},
    [AUDIO_WAV] = {"wav", "pcm_s16le", "audio/wav", "wav", true},
    [AUDIO_OGG] = {"ogg", "libvorbis", "audio/ogg", "ogg", false},
};

typedef struct AudioArgs {
    int format; /* enum AudioFormat */
    int64_t stream, bit_rate, sample_rate, channels, start_ms, end_ms;
    double loudness;
    bool measure, normalise;
} AudioArgs;

static const Param audio_params[] = {
    PARAM_CHOICE(AudioArgs, format, .choices = format_choices, .def = AUDIO_MP3,
                 .help = "Format of the sound file."),
    PARAM_INT(AudioArgs, stream, .min = 0, .max = 64,
              .help = "Which stream of sound, from 1; the one players choose when left out."),
    PARAM_INT(AudioArgs, bit_rate, .min = 0, .max = 512, .unit = "kbit/s", .example = "96",
              .help = "Bits per second; the format's usual rate when left out."),
    PARAM_INT(AudioArgs, sample_rate, .min = 0, .max = 192000, .unit = "Hz", .example = "16000",
              .help = "Samples per second; as the source when left out."),
    PARAM_INT(AudioArgs, channels, .min = 0, .max = 8, .example = "1",
              .help = "Channels: 1 mixes down to mono, 2 to stereo; as the source when left out."),
    PARAM_INT(AudioArgs, start_ms, .min = 0, .max = 1000000000, .unit = "ms",
              .help = "Where to begin."),
    PARAM_INT(AudioArgs, end_ms, .min = 0, .max = 1000000000, .unit = "ms",
              .help = "Where to end; at the end when left out."),
    PARAM_BOOL(AudioArgs, measure, .help = "Measure the loudness by EBU R 128."),
    PARAM_BOOL(AudioArgs, normalise, .help = "Make it as loud as `loudness` says."),
    PARAM_NUMBER(AudioArgs, loudness, .min_num = -40, .max_num = -5, .def_num = -16, .unit = "LUFS",
                 .help = "Loudness to reach; podcasts use -16, television -23."),
    PARAM_END,
};

static const Field audio_fields[] = {
    {"duration_ms", FIELD_TYPE_INT, "Length of the sound."},
    {"sample_rate", FIELD_TYPE_INT, "Samples per second."},
    {"channels", FIELD_TYPE_INT, "Channels."},
    {"bytes", FIELD_TYPE_INT, "Size of the output."},
    {"loudness", FIELD_TYPE_NUMBER, "Integrated loudness of the source in LUFS.", .optional = true},
    {"true_peak", FIELD_TYPE_NUMBER, "Highest true peak of the source in dBTP.", .optional = true},
    {"gain", FIELD_TYPE_NUMBER, "Decibels by which it was made louder.", .optional = true},
    {0},
};

typedef struct Loudness {
    double integrated, peak; /* LUFS, dBTP */
} Loudness;

/* ---- measuring ---- */

typedef struct Meter {
    AVFilterGraph *graph;
    AVFilterContext *source, *drain;
    Decoder decoder;
    AVFrame *frame, *out;
    int bad;
} Meter;

static void meter_done(Meter *m)
{
    avfilter_graph_free(&m->graph);
    decoder_done(&m->decoder);
    av_frame_free(&m->frame);
    av_frame_free(&m->out);
}

static int meter_filters(Meter *m, const char *trim)
{
    char source[512], chain[512], layout[64];
    AVCodecContext *d = m->decoder.codec;
    if (d->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC)
        av_channel_layout_default(&d->ch_layout, d->ch_layout.nb_channels);
    av_channel_layout_describe(&d->ch_layout, layout, sizeof layout);
    AVRational tb = m->decoder.stream->time_base;
    snprintf(source, sizeof source,
             "time_base=%d/%d:sample_rate=%d:sample_fmt=%s:channel_layout=%s", tb.num, tb.den,
             d->sample_rate, av_get_sample_fmt_name(d->sample_fmt), layout);
    snprintf(chain, sizeof chain, "%s%sebur128=metadata=1:peak=true", trim,
             trim[0] != 0 ? "," : "");
    AVFilterInOut *in = avfilter_inout_alloc(), *out = avfilter_inout_alloc();
    m->graph = avfilter_graph_alloc();
    int e = m->graph != NULL && in != NULL && out != NULL ? 0 : AVERROR(ENOMEM);
    if (e == 0)
        e = avfilter_graph_create_filter(&m->source, avfilter_get_by_name("abuffer"), "in", source,
                                         NULL, m->graph);
    if (e >= 0)
        e = avfilter_graph_create_filter(&m->drain, avfilter_get_by_name("abuffersink"), "out",
                                         NULL, NULL, m->graph);
    if (e >= 0) {
        *out = (AVFilterInOut){.name = av_strdup("in"), .filter_ctx = m->source};
        *in = (AVFilterInOut){.name = av_strdup("out"), .filter_ctx = m->drain};
        e = avfilter_graph_parse_ptr(m->graph, chain, &in, &out, NULL);
    }
    if (e >= 0)
        e = avfilter_graph_config(m->graph, NULL);
    avfilter_inout_free(&in);
    avfilter_inout_free(&out);
    return e;
}

static double meta(const AVFrame *f, const char *key, double otherwise)
{
    const AVDictionaryEntry *e = av_dict_get(f->metadata, key, NULL, 0);
    return e != NULL ? strtod(e->value, NULL) : otherwise;
}

/* The last frame carries the values over all. */
static void read_meter(Meter *m, Loudness *l)
{
    while (av_buffersink_get_frame(m->drain, m->out) >= 0) {
        l->integrated = meta(m->out, "lavfi.r128.I", l->integrated);
        for (int ch = 0; ch < 8; ch++) {
            char key[40];
            snprintf(key, sizeof key, "lavfi.r128.true_peaks_ch%d", ch);
            double linear = meta(m->out, key, 0);
            if (linear > 0 && 20 * log10(linear) > l->peak)
                l->peak = 20 * log10(linear);
        }
        av_frame_unref(m->out);
    }
}

static ErrCode measure(StepCtx *c, Media *media, int stream, const char *trim, Loudness *l)
{
    CLEANUP(meter_done) Meter m = {.frame = av_frame_alloc(), .out = av_frame_alloc()};
    *l = (Loudness){-70, -100};
    if (m.frame == NULL || m.out == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for a frame");
    ErrCode rc = decoder_open(c, media, stream, &m.decoder);
    if (rc != OK)
        return rc;
    int e = meter_filters(&m, trim);
    if (e < 0)
        return media_failed(c, e, "could not measure the loudness");
    for (bool got = true; rc == OK && got;) {
        rc = decoder_next(c, media, &m.decoder, m.frame, &got, &m.bad);
        if (rc != OK)
            break;
        m.frame->pts = m.frame->best_effort_timestamp;
        e = av_buffersrc_add_frame_flags(m.source, got ? m.frame : NULL, AV_BUFFERSRC_FLAG_PUSH);
        read_meter(&m, l);
        av_frame_unref(m.frame);
        if (e == AVERROR_EOF)
            break;
    }
    return rc;
}

/* ---- the work ---- */

typedef struct Job {
    Media *media;
    Sink sink;
    Track track;
} Job;

static void job_done(Job *j)
{
    track_done(&j->track);
    sink_done(&j->sink);
    media_close(&j->media);
}

static const char *channel_layout(int64_t channels)
{
    static const char *const names[] = {"",    "mono", "stereo", "3.0", "quad",
                                        "5.0", "5.1",  "6.1",    "7.1"};
    return names[channels];
}

static const char *filters(StepCtx *c, const AudioArgs *a, const char *trim, double gain)
{
    Buf b = buf_init(c->arena, 4096);
    buf_add_c(&b, trim);
    if (a->normalise && gain != 0)
        buf_addf(&b, "%svolume=%.2fdB", b.len > 0 ? "," : "", gain);
    if (a->channels > 0)
        buf_addf(&b, "%saformat=channel_layouts=%s", b.len > 0 ? "," : "",
                 channel_layout(a->channels));
    return b.failed ? NULL : buf_c(&b);
}

/* One gain: to the wanted loudness, but no true peak above -1 dB. */
static double gain_for(const AudioArgs *a, const Loudness *l)
{
    double gain = a->loudness - l->integrated, room = -1 - l->peak;
    if (l->integrated <= -70) /* silence */
        return 0;
    return gain < room ? gain : room;
}

static ErrCode loudness(StepCtx *c, const AudioArgs *a, Job *j, int stream, const char *trim,
                        double *gain)
{
    Loudness l;
    if (!a->measure && !a->normalise)
        return OK;
    ErrCode rc = measure(c, j->media, stream, trim, &l);
    if (rc != OK)
        return rc;
    json_kv_double(c->data, "loudness", round(l.integrated * 10) / 10);
    json_kv_double(c->data, "true_peak", round(l.peak * 10) / 10);
    if (a->normalise) {
        *gain = gain_for(a, &l);
        json_kv_double(c->data, "gain", round(*gain * 100) / 100);
    }
    media_close(&j->media); /* read once: open it again for the second pass */
    return media_open(c, &c->inputs[0], &j->media);
}

static ErrCode convert(StepCtx *c, const AudioArgs *a, Job *j, int stream, double gain)
{
    const char *trim = media_trim(c, j->media, a->start_ms, a->end_ms, true);
    TrackPlan plan = {.encoder = formats[a->format].encoder,
                      .filters = trim != NULL ? filters(c, a, trim, gain) : NULL,
                      .sample_rate = a->sample_rate,
                      .bit_rate = formats[a->format].lossless ? 0 : a->bit_rate * 1000};
    if (plan.filters == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for the filters");
    Str name = media_output_name(c->arena, c->inputs[0].name, formats[a->format].extension);
    ErrCode rc = sink_open(c, name, formats[a->format].type, formats[a->format].muxer, &j->sink);
    if (rc == OK)
        rc = track_open(c, j->media, stream, &plan, &j->sink, &j->track);
    if (rc == OK)
        rc = sink_begin(c, &j->sink, NULL);
    return rc == OK ? tracks_run(c, j->media, &j->track, 1, &j->sink, a->start_ms, a->end_ms) : rc;
}

static ErrCode audio_run(StepCtx *c, const void *args)
{
    const AudioArgs *a = args;
    CLEANUP(job_done) Job j = {.sink = {.fd = -1}};
    int stream = 0;
    double gain = 0;
    if (a->end_ms > 0 && a->end_ms <= a->start_ms) {
        err_param(c->err, "end_ms");
        err_set(c->err, ERR_BAD_PARAM, "end_ms must lie after start_ms");
        return ERR_BAD_PARAM;
    }
    ErrCode rc = media_open(c, &c->inputs[0], &j.media);
    if (rc == OK)
        rc = media_stream(c, j.media, AVMEDIA_TYPE_AUDIO, a->stream, &stream);
    const char *trim = rc == OK ? media_trim(c, j.media, a->start_ms, a->end_ms, true) : NULL;
    if (rc == OK && trim == NULL)
        rc = err_set(c->err, ERR_NO_MEMORY, "no memory for the filters");
    if (rc == OK)
        rc = loudness(c, a, &j, stream, trim, &gain);
    if (rc == OK)
        rc = convert(c, a, &j, stream, gain);
    if (rc != OK)
        return rc;
    const AVStream *to = j.track.to;
    int64_t length_ms = to->duration > 0
                            ? av_rescale_q(to->duration, to->time_base, (AVRational){1, 1000})
                            : media_span_ms(j.media, a->start_ms, a->end_ms);
    json_kv_int(c->data, "duration_ms", length_ms);
    json_kv_int(c->data, "sample_rate", j.track.encoder->sample_rate);
    json_kv_int(c->data, "channels", j.track.encoder->ch_layout.nb_channels);
    json_kv_int(c->data, "bytes", avio_size(j.sink.io));
    step_usage(c, "media_ms", length_ms);
    return OK;
}

const Step step_media_audio = {
    .name = "media.audio",
    .title = "Extract sound",
    .summary = "Take the sound of a recording, convert it, cut it and set its loudness.",
    .since = "0.1",
    .accepts = "video/*,audio/*,application/ogg,application/mxf,application/octet-stream",
    .returns = "audio/mpeg,audio/mp4,audio/ogg,audio/flac,audio/wav",
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 3600 * 1000,
               .cpu_ms = 3600 * 1000,
               .memory_bytes = 1024 << 20,
               .output_bytes = (int64_t)4 << 30},
    .params = audio_params,
    .args_size = sizeof(AudioArgs),
    .data = audio_fields,
    .errors = (const ErrCode[]){ERR_UNSUPPORTED_TYPE, ERR_INPUT_EMPTY, ERR_INPUT_DAMAGED,
                                ERR_BAD_PARAM, OK},
    .examples =
        (const Example[]){{.title = "Sound of a video for a speech model",
                           .input = "clip.mp4",
                           .args = "{\"format\": \"wav\", \"sample_rate\": 16000, \"channels\": 1}",
                           .expect = "audio/wav; sample_rate=16000; channels=1"},
                          {.title = "A podcast at its usual loudness",
                           .input = "clip.mp4",
                           .args = "{\"format\": \"mp3\", \"normalise\": true}",
                           .expect = "audio/mpeg; duration_ms>=3000"},
                          {0}},
    .run = audio_run,
};
