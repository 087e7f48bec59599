/* track.h: one stream on its way from a recording to another: decode → filter → encode → write, or
 * copied as it is.
 *
 *   packet ──> decoder ──> filters ──> [burn in] ──> encoder ──> muxer
 *       └──────────────────── copy ─────────────────────────────^
 *
 * A converter feeds all packets of the input to its tracks; each track belongs to one input stream. */
#ifndef PLATEN_MEDIA_TRACK_H
#define PLATEN_MEDIA_TRACK_H

#include "media/media.h"

typedef struct TrackPlan {
    const char *encoder; /* FFmpeg's name; NULL: copy */
    const char *
        filters; /* a chain in FFmpeg's language, made by us, never by the caller; NULL or "": none */
    const char *pixels;    /* of the encoder, as FFmpeg names them; NULL: what players show */
    int64_t bit_rate;      /* 0: the encoder's */
    int64_t sample_rate;   /* of sound; 0: the source's, or the nearest that the encoder takes */
    AVDictionary *options; /* of the encoder; stays the caller's */
    /* Draw on a picture before it is encoded; NULL: nothing. ms counts from the output's start. */
    ErrCode (*draw)(void *ctx, AVFrame *frame, int64_t ms);
    void *draw_ctx;
} TrackPlan;

typedef struct Track {
    Decoder decoder;
    AVFilterGraph *graph;
    AVFilterContext *source, *drain;
    AVCodecContext *encoder;
    AVStream *from, *to;
    AVFrame *frame, *filtered;
    AVPacket *packet;
    TrackPlan plan;
    int64_t copy_from, copy_to; /* of a copy, in the input's time base; INT64_MIN: no limit */
    bool ended;                 /* its filters want no more */
    int bad;
} Track;

/* Everything up to the encoder, and its stream in the sink: before sink_begin. */
MUST_CHECK ErrCode track_open(StepCtx *c, const Media *m, int stream, const TrackPlan *plan,
                              Sink *sink, Track *out);
void track_done(Track *t);
/* One packet of its stream; NULL: there are no more. */
MUST_CHECK ErrCode track_feed(StepCtx *c, Track *t, const AVPacket *packet, Sink *sink);

/* Feed all packets of the recording to the tracks and end the output. from_ms, to_ms: what of the
 * input is wanted (to_ms 0: all), for seeking and progress; cutting itself is the filters' work, and
 * for copies track_feed's. */
MUST_CHECK ErrCode tracks_run(StepCtx *c, Media *m, Track *tracks, size_t len, Sink *sink,
                              int64_t from_ms, int64_t to_ms);

#endif
