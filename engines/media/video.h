/* video.h: a whole recording into another: what media.transcode does, and media.subtitles when it
 * burns them in. */
#ifndef PLATEN_MEDIA_VIDEO_H
#define PLATEN_MEDIA_VIDEO_H

#include "media/track.h"

enum VideoFormat { VIDEO_MP4, VIDEO_WEBM, VIDEO_MKV, VIDEO_MOV, VIDEO_GIF };
enum VideoCodec {
    VIDEO_AUTO,
    VIDEO_H264,
    VIDEO_H265,
    VIDEO_VP9,
    VIDEO_AV1,
    VIDEO_COPY,
    VIDEO_NONE
};
enum AudioCodec { SOUND_AUTO, SOUND_AAC, SOUND_OPUS, SOUND_MP3, SOUND_COPY, SOUND_NONE };
enum Speed { SPEED_FAST, SPEED_MEDIUM, SPEED_SLOW };

extern const Choice video_format_choices[], video_codec_choices[], sound_codec_choices[],
    speed_choices[];

typedef struct VideoArgs {
    int format, video, sound, speed;
    int64_t width, height, crf, audio_bit_rate, start_ms, end_ms;
    double fps;
} VideoArgs;

/* Convert input `in` to an output. Data: width, height, duration_ms, bytes. draw: see TrackPlan. */
MUST_CHECK ErrCode video_convert(StepCtx *c, const StepInput *in, const VideoArgs *a,
                                 ErrCode (*draw)(void *ctx, AVFrame *frame, int64_t ms),
                                 void *draw_ctx);

#endif
