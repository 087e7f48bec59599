/* media.h: recordings by FFmpeg's libraries (libav* 5.1), in this process.
 *
 * Why in process and not the ffmpeg program: the sandbox of a task forbids exec and open, limits
 * hold, progress is ours, and a probe takes 5 ms instead of 150. Input and output are descriptors;
 * nothing here ever opens a path or an address (protocols inside playlists included).
 *
 * FFmpeg as Debian builds it is GPL: so is this engine as a whole; it is a program of its own.
 *
 * Objects are closed by scope: CLEANUP(media_close) Media *m. Times are milliseconds, unless a name
 * says otherwise; in FFmpeg's own structures they are in the stream's time base. Not thread-safe;
 * codecs use threads of their own. */
#ifndef PLATEN_MEDIA_MEDIA_H
#define PLATEN_MEDIA_MEDIA_H

#include "core/step.h"

#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavformat/avformat.h>

enum { MEDIA_THREADS = 2, MEDIA_PIXELS_MAX = 64 * 1000 * 1000, MEDIA_STREAMS_MAX = 64 };

MUST_CHECK ErrCode media_warm(Err *err);

/* ---- input ---- */

typedef struct Media {
    AVFormatContext *format;
    AVIOContext *io;
    int fd;
    int64_t at; /* where reading is: several may read one descriptor */
} Media;

/* Open and look at the streams. ERR_UNSUPPORTED_TYPE: no known recording. */
MUST_CHECK ErrCode media_open(StepCtx *c, const StepInput *in, Media **out);
void media_close(Media **m);

/* What FFmpeg says failed, as a reason: `what` names the work ("could not read the video"). */
ErrCode media_failed(StepCtx *c, int averror, const char *what);

/* The stream of a kind that players would choose, or the n-th of its kind (from 1).
 * ERR_UNSUPPORTED_TYPE: there is none. Attached pictures are no video. */
MUST_CHECK ErrCode media_stream(StepCtx *c, const Media *m, enum AVMediaType kind, int64_t nth,
                                int *out);
bool media_is_cover(const AVStream *s);
int64_t media_duration_ms(const Media *m); /* 0: not known */
/* How long from_ms to to_ms (0: the end) is, within the recording. */
int64_t media_span_ms(const Media *m, int64_t from_ms, int64_t to_ms);
int64_t media_start_us(const Media *m); /* the time stamp of its beginning */
/* Filters that keep from_ms to to_ms (0: the end) and let time begin at 0; "" when all is kept. */
const char *media_trim(StepCtx *c, const Media *m, int64_t from_ms, int64_t to_ms, bool audio);
/* Degrees to turn clockwise for showing: 0, 90, 180, 270. */
int media_rotation(const AVStream *s);

/* ---- frames of one stream ---- */

typedef struct Decoder {
    AVCodecContext *codec;
    AVStream *stream;
    bool drained;
} Decoder;
MUST_CHECK ErrCode decoder_open(StepCtx *c, const Media *m, int stream, Decoder *out);
void decoder_done(Decoder *d);
/* The next frame; *got is false at the end. A damaged packet is skipped and counted in *bad. */
MUST_CHECK ErrCode decoder_next(StepCtx *c, const Media *m, Decoder *d, AVFrame *frame, bool *got,
                                int *bad);
int64_t frame_ms(const AVFrame *f, const AVStream *s); /* from the recording's start */

/* ---- output ---- */

typedef struct Sink {
    AVFormatContext *format;
    AVIOContext *io;
    int fd;
    bool begun;
} Sink;
/* A new output of the task in FFmpeg's format `muxer` ("mp4"). */
MUST_CHECK ErrCode sink_open(StepCtx *c, Str name, const char *type, const char *muxer, Sink *out);
MUST_CHECK ErrCode sink_begin(StepCtx *c, Sink *s, AVDictionary **options);
MUST_CHECK ErrCode sink_end(StepCtx *c, Sink *s);
void sink_done(Sink *s);
/* The input's name with another extension: "talk.mov" and "mp3" give "talk.mp3". */
Str media_output_name(Arena *a, Str input, const char *extension);

/* ---- pictures ---- */

typedef enum PictureFormat { PICTURE_JPEG, PICTURE_PNG, PICTURE_WEBP } PictureFormat;
extern const Choice picture_format_choices[];
/* Scale a frame to `width` (0: as it is; height by its shape and its sample aspect), turn it, encode
 * it as an output. */
MUST_CHECK ErrCode picture_write(StepCtx *c, const AVFrame *frame, int rotation, int64_t width,
                                 PictureFormat format, Str name);
/* Encode pixels of a format the encoder takes. */
MUST_CHECK ErrCode picture_encode(StepCtx *c, AVFrame *pixels, PictureFormat format, Str name);
const char *picture_extension(PictureFormat f);

#endif
