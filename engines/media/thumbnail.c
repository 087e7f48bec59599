/* media.thumbnail: pictures from a video.
 *
 * What    one video in, one or more pictures out: at a time, spread over its length, or the cover
 *         that a sound file carries.
 * How     seeks to the key frame before each time and decodes from there. Without a time the most
 *         telling of a few key frames is taken: not the black one at the beginning. */
#include "media/media.h"

typedef struct ThumbnailArgs {
    int64_t at_ms, count, width;
    int format; /* PictureFormat */
    bool exact;
} ThumbnailArgs;

enum { CANDIDATES = 3, COUNT_MAX = 100, SAMPLE_STEP = 8 };

static const Param thumbnail_params[] = {
    PARAM_INT(ThumbnailArgs, at_ms, .min = 0, .max = 1000000000, .unit = "ms", .example = "5000",
              .help = "Where to take the picture; the most telling of some when left out."),
    PARAM_INT(ThumbnailArgs, count, .min = 1, .max = COUNT_MAX, .def = 1,
              .help = "Number of pictures, spread evenly over the length."),
    PARAM_INT(ThumbnailArgs, width, .min = 16, .max = 8192, .def = 640, .unit = "px",
              .help = "Width of the pictures; never larger than the video."),
    PARAM_CHOICE(ThumbnailArgs, format, .choices = picture_format_choices, .def = PICTURE_JPEG,
                 .help = "File format of the pictures."),
    PARAM_BOOL(ThumbnailArgs, exact,
               .help = "Take exactly the frame at that time instead of the key frame before it."),
    PARAM_END,
};

static const Field picture_fields[] = {
    {"name", FIELD_TYPE_TEXT, "Name of the output."},
    {"at_ms", FIELD_TYPE_INT, "Where in the video it is from."},
    {0},
};
static const Field thumbnail_fields[] = {
    {"pictures", FIELD_TYPE_LIST, "The pictures, in order.", .items = picture_fields},
    {"duration_ms", FIELD_TYPE_INT, "Length of the video."},
    {0},
};

typedef struct Shots {
    StepCtx *c;
    const ThumbnailArgs *args;
    Media *media;
    Decoder decoder;
    AVFrame *frame, *kept;
    int bad;
} Shots;

static void shots_done(Shots *s)
{
    decoder_done(&s->decoder);
    av_frame_free(&s->frame);
    av_frame_free(&s->kept);
    media_close(&s->media);
}

/* How much there is to see: the variance of the luma, sampled. Black and fades score low. */
static double telling(const AVFrame *f)
{
    double sum = 0, squares = 0, n = 0;
    for (int y = 0; y < f->height; y += SAMPLE_STEP)
        for (int x = 0; x < f->width; x += SAMPLE_STEP) {
            double v = f->data[0][(ptrdiff_t)y * f->linesize[0] + x];
            sum += v;
            squares += v * v;
            n++;
        }
    return n > 0 ? squares / n - (sum / n) * (sum / n) : 0;
}

static int64_t to_stream(const Shots *s, int64_t ms)
{
    const AVStream *st = s->decoder.stream;
    int64_t from = st->start_time != AV_NOPTS_VALUE ? st->start_time : 0;
    return from + av_rescale_q(ms, (AVRational){1, 1000}, st->time_base);
}

/* Into s->frame. *got: false past the end. */
static ErrCode frame_at(Shots *s, int64_t ms, bool exact, bool *got)
{
    (void)av_seek_frame(s->media->format, s->decoder.stream->index, to_stream(s, ms),
                        AVSEEK_FLAG_BACKWARD); /* what cannot seek is read from where it is */
    avcodec_flush_buffers(s->decoder.codec);
    s->decoder.drained = false;
    ErrCode rc = OK;
    do {
        av_frame_unref(s->frame);
        rc = decoder_next(s->c, s->media, &s->decoder, s->frame, got, &s->bad);
        if (rc == OK && *got && exact) { /* the last frame counts when the time lies behind it */
            av_frame_unref(s->kept);
            (void)av_frame_ref(s->kept, s->frame);
        }
    } while (rc == OK && *got && exact && frame_ms(s->frame, s->decoder.stream) < ms);
    if (rc == OK && !*got && exact && s->kept->data[0] != NULL) {
        av_frame_move_ref(s->frame, s->kept);
        *got = true;
    }
    return rc;
}

/* The best of a few key frames. */
static ErrCode telling_frame(Shots *s, int64_t duration_ms, bool *got)
{
    double best = -1;
    bool any = false;
    for (int i = 0; i < CANDIDATES; i++) {
        ErrCode rc = frame_at(s, duration_ms * (2 * i + 1) / (2 * CANDIDATES), false, got);
        if (rc != OK && !any)
            return rc;
        if (rc != OK || !*got)
            continue;
        double score = telling(s->frame);
        if (score <= best)
            continue;
        best = score;
        any = true;
        av_frame_unref(s->kept);
        av_frame_move_ref(s->kept, s->frame);
    }
    *got = any;
    if (any)
        av_frame_move_ref(s->frame, s->kept);
    return OK;
}

static ErrCode put_picture(Shots *s, int64_t number)
{
    StepCtx *c = s->c;
    const ThumbnailArgs *a = s->args;
    Str ending = a->count > 1 ? str_printf(c->arena, "%03" PRId64 ".%s", number,
                                           picture_extension((PictureFormat)a->format))
                              : str_from_c(picture_extension((PictureFormat)a->format));
    Str name = media_output_name(c->arena, c->inputs[0].name, str_to_c(c->arena, ending));
    ErrCode rc = picture_write(c, s->frame, media_rotation(s->decoder.stream), a->width,
                               (PictureFormat)a->format, name);
    if (rc != OK)
        return rc;
    json_begin(c->data, '{');
    json_kv_str(c->data, "name", name);
    json_kv_int(c->data, "at_ms", frame_ms(s->frame, s->decoder.stream));
    json_end(c->data, '}');
    step_usage(c, "images", 1);
    return OK;
}

static ErrCode take(Shots *s, int64_t duration_ms, int64_t *taken)
{
    const ThumbnailArgs *a = s->args;
    ErrCode rc = OK;
    for (int64_t i = 0; rc == OK && i < a->count; i++) {
        bool got = false;
        int64_t at = a->count > 1 ? duration_ms * (2 * i + 1) / (2 * a->count) : a->at_ms;
        bool choose = a->count == 1 && a->at_ms == 0;
        rc = choose ? telling_frame(s, duration_ms, &got)
                    : frame_at(s, at, a->exact || a->count > 1, &got);
        if (rc == OK && got) {
            rc = put_picture(s, i + 1);
            ++*taken;
        }
        step_progress(s->c, i + 1, a->count, "pictures");
    }
    return rc;
}

/* The cover of a song is a stream with one picture. */
static ErrCode find_stream(StepCtx *c, const Media *m, int *out)
{
    ErrCode rc = media_stream(c, m, AVMEDIA_TYPE_VIDEO, 0, out);
    for (unsigned i = 0; rc != OK && i < m->format->nb_streams; i++)
        if (media_is_cover(m->format->streams[i])) {
            *out = (int)i;
            *c->err = (Err){0};
            return OK;
        }
    return rc;
}

static ErrCode thumbnail_run(StepCtx *c, const void *args)
{
    CLEANUP(shots_done)
    Shots s = {.c = c, .args = args, .frame = av_frame_alloc(), .kept = av_frame_alloc()};
    int stream = 0;
    int64_t taken = 0;
    if (s.frame == NULL || s.kept == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for a frame");
    ErrCode rc = media_open(c, &c->inputs[0], &s.media);
    if (rc == OK)
        rc = find_stream(c, s.media, &stream);
    if (rc == OK)
        rc = decoder_open(c, s.media, stream, &s.decoder);
    if (rc != OK)
        return rc;
    int64_t duration_ms = media_duration_ms(s.media);
    json_kv_int(c->data, "duration_ms", duration_ms);
    json_key(c->data, "pictures");
    json_begin(c->data, '[');
    rc = take(&s, duration_ms, &taken);
    json_end(c->data, ']');
    if (rc == OK && taken == 0)
        return err_set(c->err, ERR_INPUT_DAMAGED, "no frame could be read");
    return rc;
}

const Step step_media_thumbnail = {
    .name = "media.thumbnail",
    .title = "Take pictures from a video",
    .summary = "Take pictures from a video, or the cover from a sound file.",
    .since = "0.1",
    .accepts = "video/*,audio/*,application/ogg,application/mxf,application/octet-stream",
    .returns = "image/jpeg,image/png,image/webp",
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 120 * 1000, .cpu_ms = 100 * 1000, .memory_bytes = 1024 << 20},
    .params = thumbnail_params,
    .args_size = sizeof(ThumbnailArgs),
    .data = thumbnail_fields,
    .errors = (const ErrCode[]){ERR_UNSUPPORTED_TYPE, ERR_INPUT_EMPTY, ERR_INPUT_DAMAGED,
                                ERR_LIMIT_PIXELS, OK},
    .examples = (const Example[]){{.title = "The most telling picture",
                                   .input = "clip.mp4",
                                   .expect = "image/jpeg; duration_ms>=3000"},
                                  {.title = "Four pictures as WebP",
                                   .input = "clip.mp4",
                                   .args = "{\"count\": 4, \"width\": 160, \"format\": \"webp\"}",
                                   .expect = "image/webp"},
                                  {0}},
    .run = thumbnail_run,
};
