/* media.waveform: the shape of a sound, to draw under a player.
 *
 * What    lowest and highest sample of each of `points` equal parts, as JSON and as a picture.
 * How     samples are mixed to mono and folded into parts of 10 ms while they are read, these into
 *         the points at the end, so the length need not be known before. */
#include "media/media.h"

#include <libswresample/swresample.h>
#include <math.h>
#include <string.h>

enum { RATE = 8000, PART = RATE / 100, PARTS_MAX = 100 * 60 * 60 * 24, POINTS_MAX = 10000 };

typedef struct WaveformArgs {
    int64_t points, width, height, stream;
    Str colour;
    bool picture;
} WaveformArgs;

static const Param waveform_params[] = {
    PARAM_INT(WaveformArgs, points, .min = 10, .max = POINTS_MAX, .def = 800,
              .help = "Number of points over the whole length."),
    PARAM_INT(WaveformArgs, stream, .min = 0, .max = 64,
              .help = "Which stream of sound, from 1; the one players choose when left out."),
    PARAM_BOOL(WaveformArgs, picture, .help = "Also draw it as a PNG with a clear background."),
    PARAM_INT(WaveformArgs, width, .min = 16, .max = 8192, .def = 800, .unit = "px",
              .help = "Width of the picture."),
    PARAM_INT(WaveformArgs, height, .min = 16, .max = 2048, .def = 160, .unit = "px",
              .help = "Height of the picture."),
    PARAM_TEXT(WaveformArgs, colour, .max_len = 7, .def_text = "#2563eb", .example = "#2563eb",
               .help = "Colour of the picture, as #rrggbb."),
    PARAM_END,
};
static const Field waveform_fields[] = {
    {"duration_ms", FIELD_TYPE_INT, "Length of the sound."},
    {"points", FIELD_TYPE_INT, "Number of points; fewer for a very short sound."},
    {"peak", FIELD_TYPE_NUMBER, "Highest point, 1 is full scale."},
    {0},
};

typedef struct Peak {
    float low, high;
} Peak;

typedef struct Wave {
    StepCtx *c;
    Media *media;
    Decoder decoder;
    SwrContext *mixer;
    AVFrame *frame;
    Peak *parts;
    size_t parts_len;
    int in_part, bad;
    int64_t samples;
} Wave;

static void wave_done(Wave *w)
{
    swr_free(&w->mixer);
    decoder_done(&w->decoder);
    av_frame_free(&w->frame);
    media_close(&w->media);
}

static ErrCode fold(Wave *w, const float *samples, int len)
{
    for (int i = 0; i < len; i++) {
        if (w->in_part == 0) {
            if (w->parts_len == PARTS_MAX)
                return err_set(w->c->err, ERR_LIMIT_COUNT, "more than 24 hours of sound");
            w->parts[w->parts_len++] = (Peak){samples[i], samples[i]};
        }
        Peak *p = &w->parts[w->parts_len - 1];
        p->low = samples[i] < p->low ? samples[i] : p->low;
        p->high = samples[i] > p->high ? samples[i] : p->high;
        w->in_part = (w->in_part + 1) % PART;
    }
    w->samples += len;
    return OK;
}

static int open_mixer(Wave *w)
{
    AVChannelLayout mono = AV_CHANNEL_LAYOUT_MONO;
    AVCodecContext *d = w->decoder.codec;
    if (d->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC)
        av_channel_layout_default(&d->ch_layout, d->ch_layout.nb_channels);
    int e = swr_alloc_set_opts2(&w->mixer, &mono, AV_SAMPLE_FMT_FLT, RATE, &d->ch_layout,
                                d->sample_fmt, d->sample_rate, 0, NULL);
    return e < 0 ? e : swr_init(w->mixer);
}

/* NULL: what the mixer still holds. */
static ErrCode mix(Wave *w, const AVFrame *f)
{
    float block[4096];
    uint8_t *out[1] = {(uint8_t *)block};
    const uint8_t **in = f != NULL ? (const uint8_t **)f->extended_data : NULL;
    int in_len = f != NULL ? f->nb_samples : 0;
    for (;;) {
        int n = swr_convert(w->mixer, out, 4096, in, in_len);
        if (n < 0)
            return media_failed(w->c, n, "could not mix the sound");
        ErrCode rc = fold(w, block, n);
        if (rc != OK || n < 4096)
            return rc;
        in = NULL;
        in_len = 0;
    }
}

static ErrCode read_all(Wave *w)
{
    bool got = true;
    ErrCode rc = OK;
    int64_t duration_ms = media_duration_ms(w->media);
    while (rc == OK && got) {
        av_frame_unref(w->frame);
        rc = decoder_next(w->c, w->media, &w->decoder, w->frame, &got, &w->bad);
        if (rc == OK)
            rc = mix(w, got ? w->frame : NULL);
        step_progress(w->c, w->samples * 1000 / RATE, duration_ms, "reading");
    }
    return rc;
}

static Peak point(const Wave *w, size_t i, size_t points)
{
    size_t from = i * w->parts_len / points, to = (i + 1) * w->parts_len / points;
    Peak p = w->parts[from];
    for (size_t k = from; k < to; k++) {
        p.low = w->parts[k].low < p.low ? w->parts[k].low : p.low;
        p.high = w->parts[k].high > p.high ? w->parts[k].high : p.high;
    }
    return p;
}

static double rounded(float v)
{
    double r = round((double)v * 1000) / 1000;
    return r < -1 ? -1 : r > 1 ? 1 : r;
}

static ErrCode put_json(const Wave *w, size_t points)
{
    StepCtx *c = w->c;
    double peak = 0;
    Buf b = buf_init(c->arena, 4 * MIB);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_int(&j, "duration_ms", w->samples * 1000 / RATE);
    json_key(&j, "points");
    json_begin(&j, '[');
    for (size_t i = 0; i < points; i++) {
        Peak p = point(w, i, points);
        json_begin(&j, '[');
        json_put_double(&j, rounded(p.low));
        json_put_double(&j, rounded(p.high));
        json_end(&j, ']');
        peak = fmax(peak, fmax(fabs((double)p.low), fabs((double)p.high)));
    }
    json_end(&j, ']');
    json_end(&j, '}');
    if (b.failed)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for the result");
    json_kv_int(c->data, "duration_ms", w->samples * 1000 / RATE);
    json_kv_int(c->data, "points", (int64_t)points);
    json_kv_double(c->data, "peak", rounded((float)peak));
    return step_output_bytes(c, media_output_name(c->arena, c->inputs[0].name, "waveform.json"),
                             STR("application/json"), buf_str(&b));
}

static bool read_colour(Str text, uint8_t rgb[3])
{
    static const char digits[] = "0123456789abcdef";
    if (text.len != 7 || text.ptr[0] != '#')
        return false;
    for (int i = 0; i < 3; i++) {
        int value = 0;
        for (int k = 1; k <= 2; k++) {
            char ch = text.ptr[2 * i + k];
            ch = ch >= 'A' && ch <= 'F' ? (char)(ch + 32) : ch;
            const char *at = ch != 0 ? strchr(digits, ch) : NULL;
            if (at == NULL)
                return false;
            value = value * 16 + (int)(at - digits);
        }
        rgb[i] = (uint8_t)value;
    }
    return true;
}

static void draw(const Wave *w, AVFrame *f, const uint8_t rgb[3])
{
    size_t columns = (size_t)f->width < w->parts_len ? (size_t)f->width : w->parts_len;
    for (int y = 0; y < f->height; y++)
        memset(f->data[0] + (ptrdiff_t)y * f->linesize[0], 0, (size_t)f->width * 4);
    for (int x = 0; x < f->width; x++) {
        Peak p = point(w, (size_t)x * columns / (size_t)f->width, columns);
        double mid = (f->height - 1) / 2.0;
        int top = (int)(mid - rounded(p.high) * mid), bottom = (int)(mid - rounded(p.low) * mid);
        for (int y = top; y <= bottom; y++) {
            uint8_t *q = f->data[0] + (ptrdiff_t)y * f->linesize[0] + 4 * x;
            q[0] = rgb[0], q[1] = rgb[1], q[2] = rgb[2], q[3] = 255;
        }
    }
}

static ErrCode put_picture(const Wave *w, const WaveformArgs *a, const uint8_t rgb[3])
{
    StepCtx *c = w->c;
    AVFrame *f = av_frame_alloc();
    int e = f != NULL ? 0 : AVERROR(ENOMEM);
    if (e == 0) {
        f->width = (int)a->width;
        f->height = (int)a->height;
        f->format = AV_PIX_FMT_RGBA;
        e = av_frame_get_buffer(f, 0);
    }
    ErrCode rc = OK;
    if (e < 0) {
        rc = media_failed(c, e, "could not draw");
    } else {
        draw(w, f, rgb);
        rc = picture_encode(c, f, PICTURE_PNG,
                            media_output_name(c->arena, c->inputs[0].name, "waveform.png"));
    }
    av_frame_free(&f);
    return rc;
}

static ErrCode waveform_run(StepCtx *c, const void *args)
{
    const WaveformArgs *a = args;
    CLEANUP(wave_done) Wave w = {.c = c, .frame = av_frame_alloc()};
    int stream = 0;
    uint8_t rgb[3] = {0};
    if (!read_colour(a->colour, rgb)) {
        err_set(c->err, ERR_BAD_PARAM, "colour must be #rrggbb");
        err_param(c->err, "colour");
        return ERR_BAD_PARAM;
    }
    w.parts = arena_alloc_raw(c->arena, PARTS_MAX * sizeof *w.parts);
    if (w.frame == NULL || w.parts == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for the waveform");
    ErrCode rc = media_open(c, &c->inputs[0], &w.media);
    if (rc == OK)
        rc = media_stream(c, w.media, AVMEDIA_TYPE_AUDIO, a->stream, &stream);
    if (rc == OK)
        rc = decoder_open(c, w.media, stream, &w.decoder);
    if (rc != OK)
        return rc;
    int e = open_mixer(&w);
    if (e < 0)
        return media_failed(c, e, "could not mix the sound");
    rc = read_all(&w);
    if (rc == OK && w.parts_len == 0)
        rc = err_set(c->err, ERR_INPUT_DAMAGED, "no sound could be read");
    if (rc != OK)
        return rc;
    size_t points = (size_t)a->points < w.parts_len ? (size_t)a->points : w.parts_len;
    rc = put_json(&w, points);
    if (rc == OK && a->picture)
        rc = put_picture(&w, a, rgb);
    step_usage(c, "media_ms", w.samples * 1000 / RATE);
    return rc;
}

const Step step_media_waveform = {
    .name = "media.waveform",
    .title = "Draw waveform",
    .summary = "Give the shape of a sound as numbers and as a picture.",
    .since = "0.1",
    .accepts = "video/*,audio/*,application/ogg,application/mxf,application/octet-stream",
    .returns = "application/json,image/png",
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 1800 * 1000, .cpu_ms = 1800 * 1000, .memory_bytes = 1024 << 20},
    .params = waveform_params,
    .args_size = sizeof(WaveformArgs),
    .data = waveform_fields,
    .errors = (const ErrCode[]){ERR_UNSUPPORTED_TYPE, ERR_INPUT_EMPTY, ERR_INPUT_DAMAGED,
                                ERR_LIMIT_COUNT, ERR_BAD_PARAM, OK},
    .examples = (const Example[]){{.title = "For a player, with a picture",
                                   .input = "clip.mp4",
                                   .args = "{\"points\": 200, \"picture\": true}",
                                   .expect = "image/png; points=200; peak>=0.05"},
                                  {0}},
    .run = waveform_run,
};
