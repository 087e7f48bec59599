/* media.scenes: where a video cuts from one scene to the next.
 *
 * How     each frame is scaled to 64 × 36 grey; a cut is where the picture changes much more than it
 *         did from frame to frame before: the smaller of the mean absolute difference and its change
 *         (the measure of FFmpeg's scene filter), as a share of the largest possible change. */
#include "media/media.h"

#include <libswscale/swscale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { W = 64, H = 36, CELLS = W * H, SCENES_DATA_MAX = 500, SCENES_MAX = 10000, FULL = 100 };

typedef struct ScenesArgs {
    double threshold;
    int64_t min_ms, width;
    bool pictures;
} ScenesArgs;

static const Param scenes_params[] = {
    PARAM_NUMBER(ScenesArgs, threshold, .min_num = 0.02, .max_num = 1, .def_num = 0.3,
                 .help = "How different two frames must be for a cut; smaller finds more."),
    PARAM_INT(ScenesArgs, min_ms, .min = 0, .max = 600000, .def = 500, .unit = "ms",
              .help = "Shortest scene; what is shorter belongs to the one before."),
    PARAM_BOOL(ScenesArgs, pictures, .help = "Also give the first picture of each scene."),
    PARAM_INT(ScenesArgs, width, .min = 16, .max = 4096, .def = 320, .unit = "px",
              .help = "Width of these pictures."),
    PARAM_END,
};

static const Field scene_fields[] = {
    {"start_ms", FIELD_TYPE_INT, "Where it begins."},
    {"end_ms", FIELD_TYPE_INT, "Where it ends."},
    {"score", FIELD_TYPE_NUMBER, "How hard the cut at its beginning is, 0 to 1."},
    {0},
};
static const Field scenes_fields[] = {
    {"count", FIELD_TYPE_INT, "Number of scenes."},
    {"duration_ms", FIELD_TYPE_INT, "Length of what was read."},
    {"scenes", FIELD_TYPE_LIST, "The scenes, the first 500; all are in the output.",
     .items = scene_fields},
    {0},
};

typedef struct Scene {
    int64_t start_ms;
    double score;
} Scene;

typedef struct Cutter {
    StepCtx *c;
    const ScenesArgs *args;
    Media *media;
    Decoder decoder;
    AVFrame *frame;
    struct SwsContext *scaler;
    uint8_t now[CELLS], before[CELLS];
    double change; /* of the frame before */
    Scene *scenes;
    size_t len;
    int64_t end_ms, frames;
    int bad;
} Cutter;

static void cutter_done(Cutter *k)
{
    sws_freeContext(k->scaler);
    decoder_done(&k->decoder);
    av_frame_free(&k->frame);
    media_close(&k->media);
}

static ErrCode shrink(Cutter *k)
{
    const AVFrame *f = k->frame;
    k->scaler = sws_getCachedContext(k->scaler, f->width, f->height, f->format, W, H,
                                     AV_PIX_FMT_GRAY8, SWS_AREA, NULL, NULL, NULL);
    if (k->scaler == NULL)
        return err_set(k->c->err, ERR_UNSUPPORTED_TYPE, "pixels of this kind cannot be scaled");
    uint8_t *to[4] = {k->now};
    const int lines[4] = {W};
    sws_scale(k->scaler, (const uint8_t *const *)f->data, f->linesize, 0, f->height, to, lines);
    return OK;
}

/* 0 to 1: how much of a cut lies before this frame. */
static double score_frame(Cutter *k)
{
    int64_t sum = 0;
    for (int i = 0; i < CELLS; i++)
        sum += abs(k->now[i] - k->before[i]);
    double change = (double)sum / CELLS, jump = fabs(change - k->change);
    double score = (change < jump ? change : jump) / FULL;
    k->change = change;
    memcpy(k->before, k->now, CELLS);
    return score > 1 ? 1 : score;
}

static ErrCode begin_scene(Cutter *k, int64_t ms, double score)
{
    StepCtx *c = k->c;
    if (k->len == SCENES_MAX)
        return err_set(c->err, ERR_LIMIT_COUNT, "more than %d scenes", SCENES_MAX);
    k->scenes[k->len++] = (Scene){ms, score};
    if (!k->args->pictures)
        return OK;
    Str ending = str_printf(c->arena, "%04zu.jpg", k->len);
    Str name = media_output_name(c->arena, c->inputs[0].name, str_to_c(c->arena, ending));
    return picture_write(c, k->frame, media_rotation(k->decoder.stream), k->args->width,
                         PICTURE_JPEG, name);
}

static ErrCode look_at(Cutter *k, int64_t duration_ms)
{
    int64_t ms = frame_ms(k->frame, k->decoder.stream);
    ErrCode rc = shrink(k);
    if (rc != OK)
        return rc;
    double score = score_frame(k);
    if (k->frames++ == 0)
        rc = begin_scene(k, ms, 0);
    else if (score >= k->args->threshold && ms - k->scenes[k->len - 1].start_ms >= k->args->min_ms)
        rc = begin_scene(k, ms, score);
    int64_t lasts = k->frame->pkt_duration > 0
                        ? av_rescale_q(k->frame->pkt_duration, k->decoder.stream->time_base,
                                       (AVRational){1, 1000})
                        : 0;
    k->end_ms = ms + lasts;
    step_progress(k->c, ms, duration_ms, "reading");
    return rc;
}

static ErrCode read_all(Cutter *k)
{
    bool got = true;
    int64_t duration_ms = media_duration_ms(k->media);
    ErrCode rc = OK;
    while (rc == OK && got) {
        ArenaMark mark = arena_mark(k->c->arena);
        av_frame_unref(k->frame);
        rc = decoder_next(k->c, k->media, &k->decoder, k->frame, &got, &k->bad);
        if (rc == OK && got)
            rc = look_at(k, duration_ms);
        arena_rewind(k->c->arena, mark);
    }
    return rc;
}

static void put_scenes(const Cutter *k, JsonOut *j, size_t most)
{
    json_begin(j, '[');
    for (size_t i = 0; i < k->len && i < most; i++) {
        json_begin(j, '{');
        json_kv_int(j, "start_ms", k->scenes[i].start_ms);
        json_kv_int(j, "end_ms", i + 1 < k->len ? k->scenes[i + 1].start_ms : k->end_ms);
        json_kv_double(j, "score", round(k->scenes[i].score * 1000) / 1000);
        json_end(j, '}');
    }
    json_end(j, ']');
}

static ErrCode put_result(Cutter *k)
{
    StepCtx *c = k->c;
    Buf b = buf_init(c->arena, 4 * MIB);
    JsonOut j = json_out(&b);
    put_scenes(k, &j, SCENES_MAX);
    if (b.failed)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for the result");
    json_kv_int(c->data, "count", (int64_t)k->len);
    json_kv_int(c->data, "duration_ms", k->end_ms);
    json_key(c->data, "scenes");
    put_scenes(k, c->data, SCENES_DATA_MAX);
    step_usage(c, "media_ms", k->end_ms);
    return step_output_bytes(c, media_output_name(c->arena, c->inputs[0].name, "scenes.json"),
                             STR("application/json"), buf_str(&b));
}

static ErrCode scenes_run(StepCtx *c, const void *args)
{
    CLEANUP(cutter_done) Cutter k = {.c = c, .args = args, .frame = av_frame_alloc()};
    int stream = 0;
    k.scenes = arena_new(c->arena, Scene, SCENES_MAX);
    if (k.frame == NULL || k.scenes == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for the scenes");
    ErrCode rc = media_open(c, &c->inputs[0], &k.media);
    if (rc == OK)
        rc = media_stream(c, k.media, AVMEDIA_TYPE_VIDEO, 0, &stream);
    if (rc == OK)
        rc = decoder_open(c, k.media, stream, &k.decoder);
    if (rc == OK)
        rc = read_all(&k);
    if (rc == OK && k.frames == 0)
        rc = err_set(c->err, ERR_INPUT_DAMAGED, "no frame could be read");
    if (rc == OK && k.bad > 0)
        step_note(c, str_printf(c->arena, "%d damaged packets were skipped", k.bad));
    return rc == OK ? put_result(&k) : rc;
}

const Step step_media_scenes = {
    .name = "media.scenes",
    .title = "Find scenes",
    .summary = "Find where a video cuts from one scene to the next.",
    .since = "0.1",
    .accepts = "video/*,application/mxf,application/octet-stream",
    .returns = "application/json,image/jpeg",
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = 1800 * 1000, .cpu_ms = 3600 * 1000, .memory_bytes = 1024 << 20},
    .params = scenes_params,
    .args_size = sizeof(ScenesArgs),
    .data = scenes_fields,
    .errors = (const ErrCode[]){ERR_UNSUPPORTED_TYPE, ERR_INPUT_EMPTY, ERR_INPUT_DAMAGED,
                                ERR_LIMIT_PIXELS, ERR_LIMIT_COUNT, OK},
    .examples = (const Example[]){{.title = "The cuts of a clip",
                                   .input = "clip.mp4",
                                   .expect = "application/json; count>=2"},
                                  {0}},
    .run = scenes_run,
};
