/* media.transcode: a video in another format, size, rate, length or quality. */
#include "media/video.h"

static const Param transcode_params[] = {
    PARAM_CHOICE(VideoArgs, format, .choices = video_format_choices, .def = VIDEO_MP4,
                 .help = "Format of the file."),
    PARAM_CHOICE(VideoArgs, video, .choices = video_codec_choices, .def = VIDEO_AUTO,
                 .help = "How pictures are encoded."),
    PARAM_CHOICE(VideoArgs, sound, .choices = sound_codec_choices, .def = SOUND_AUTO,
                 .help = "How sound is encoded."),
    PARAM_INT(VideoArgs, width, .min = 0, .max = 8192, .unit = "px", .example = "1280",
              .help = "Largest width; the shape is kept and nothing is made larger."),
    PARAM_INT(VideoArgs, height, .min = 0, .max = 8192, .unit = "px", .example = "720",
              .help = "Largest height."),
    PARAM_NUMBER(VideoArgs, fps, .min_num = 0, .max_num = 120,
                 .help = "Frames per second; as the source when left out."),
    PARAM_INT(VideoArgs, crf, .min = 0, .max = 63, .example = "23",
              .help = "Quality: smaller is better and larger; the codec's usual when left out."),
    PARAM_CHOICE(VideoArgs, speed, .choices = speed_choices, .def = SPEED_FAST,
                 .help = "Time against size."),
    PARAM_INT(VideoArgs, audio_bit_rate, .min = 0, .max = 512, .unit = "kbit/s", .example = "128",
              .help = "Bits per second of the sound."),
    PARAM_INT(VideoArgs, start_ms, .min = 0, .max = 1000000000, .unit = "ms",
              .help = "Where to begin; a copied video begins at the key frame before it."),
    PARAM_INT(VideoArgs, end_ms, .min = 0, .max = 1000000000, .unit = "ms",
              .help = "Where to end; at the end when left out."),
    PARAM_END,
};
static const Field transcode_fields[] = {
    {"width", FIELD_TYPE_INT, "Pixels across.", .optional = true},
    {"height", FIELD_TYPE_INT, "Pixels down.", .optional = true},
    {"duration_ms", FIELD_TYPE_INT, "Length."},
    {"bytes", FIELD_TYPE_INT, "Size of the file."},
    {0},
};

static ErrCode transcode_run(StepCtx *c, const void *args)
{
    return video_convert(c, &c->inputs[0], args, NULL, NULL);
}

const Step step_media_transcode = {
    .name = "media.transcode",
    .title = "Convert video",
    .summary = "Convert a video to another format, size, rate, length or quality.",
    .since = "0.1",
    .accepts = "video/*,audio/*,image/gif,application/mxf,application/octet-stream",
    .returns = "video/mp4,video/webm,video/x-matroska,video/quicktime,image/gif",
    .version = 1,
    .cacheable = true,
    .limits = {.time_ms = (int64_t)4 * 3600 * 1000,
               .cpu_ms = (int64_t)8 * 3600 * 1000,
               .memory_bytes = (int64_t)3 << 30,
               .output_bytes = (int64_t)8 << 30},
    .params = transcode_params,
    .args_size = sizeof(VideoArgs),
    .data = transcode_fields,
    .errors = (const ErrCode[]){ERR_UNSUPPORTED_TYPE, ERR_INPUT_EMPTY, ERR_INPUT_DAMAGED,
                                ERR_LIMIT_PIXELS, ERR_BAD_PARAM, OK},
    .examples =
        (const Example[]){{.title = "Small, for the web",
                           .input = "clip.mp4",
                           .args = "{\"format\": \"webm\", \"width\": 160, \"end_ms\": 1500}",
                           .expect = "video/webm; width=160; duration_ms>=1000"},
                          {.title = "An animation for a page that plays no video",
                           .input = "clip.mp4",
                           .args = "{\"format\": \"gif\", \"width\": 120, \"end_ms\": 1000}",
                           .expect = "image/gif; width=120"},
                          {0}},
    .run = transcode_run,
};
