/* picture.c: a frame as a picture: turned, scaled, encoded. */
#include "media/media.h"

#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>

enum { SIDE_MAX = 16384, JPEG_QUALITY = 3, WEBP_QUALITY = 80 };

const Choice picture_format_choices[] = {
    [PICTURE_JPEG] = {"jpeg", "JPEG."},
    [PICTURE_PNG] = {"png", "PNG, without loss."},
    [PICTURE_WEBP] = {"webp", "WebP."},
    {0},
};

static const struct {
    const char *encoder, *type, *extension;
    enum AVPixelFormat pixels;
} formats[] = {
    [PICTURE_JPEG] = {"mjpeg", "image/jpeg", "jpg", AV_PIX_FMT_YUVJ420P},
    [PICTURE_PNG] = {"png", "image/png", "png", AV_PIX_FMT_RGB24},
    [PICTURE_WEBP] = {"libwebp", "image/webp", "webp", AV_PIX_FMT_YUV420P},
};

const char *picture_extension(PictureFormat f)
{
    return formats[f].extension;
}

static void free_frame(AVFrame **f)
{
    av_frame_free(f);
}

static AVFrame *frame_new(int width, int height, enum AVPixelFormat pixels)
{
    AVFrame *f = av_frame_alloc();
    if (f == NULL)
        return NULL;
    f->width = width;
    f->height = height;
    f->format = pixels;
    if (av_frame_get_buffer(f, 0) < 0)
        av_frame_free(&f);
    return f;
}

static ErrCode scale(StepCtx *c, const AVFrame *from, AVFrame *to)
{
    struct SwsContext *s = sws_getContext(from->width, from->height, from->format, to->width,
                                          to->height, to->format, SWS_BICUBIC, NULL, NULL, NULL);
    if (s == NULL)
        return err_set(c->err, ERR_UNSUPPORTED_TYPE, "pixels of this kind cannot be scaled");
    sws_scale(s, (const uint8_t *const *)from->data, from->linesize, 0, from->height, to->data,
              to->linesize);
    sws_freeContext(s);
    return OK;
}

/* A quarter turn clockwise, `quarters` times, of packed pixels. */
static void turn(const AVFrame *from, AVFrame *to, int quarters)
{
    for (int y = 0; y < from->height; y++)
        for (int x = 0; x < from->width; x++) {
            int tx = quarters == 1 ? from->height - 1 - y : quarters == 2 ? from->width - 1 - x : y;
            int ty = quarters == 1 ? x : quarters == 2 ? from->height - 1 - y : from->width - 1 - x;
            const uint8_t *p = from->data[0] + (ptrdiff_t)y * from->linesize[0] + 3 * x;
            uint8_t *q = to->data[0] + (ptrdiff_t)ty * to->linesize[0] + 3 * tx;
            q[0] = p[0], q[1] = p[1], q[2] = p[2];
        }
}

static int clamp_side(double v)
{
    int side = (int)(v + 0.5);
    return side < 2 ? 2 : side > SIDE_MAX ? SIDE_MAX : side;
}

/* The size before turning: `width` is meant as shown. */
static void plan_size(const AVFrame *f, int rotation, int64_t width, int *out_w, int *out_h)
{
    double aspect = f->sample_aspect_ratio.num > 0 ? av_q2d(f->sample_aspect_ratio) : 1;
    double w = f->width * aspect, h = f->height, shown = rotation % 180 == 0 ? w : h;
    double ratio = width > 0 && (double)width < shown ? (double)width / shown : 1;
    *out_w = clamp_side(w * ratio);
    *out_h = clamp_side(h * ratio);
}

ErrCode picture_encode(StepCtx *c, AVFrame *pixels, PictureFormat format, Str name)
{
    const AVCodec *codec = avcodec_find_encoder_by_name(formats[format].encoder);
    AVCodecContext *e = codec != NULL ? avcodec_alloc_context3(codec) : NULL;
    AVPacket *packet = av_packet_alloc();
    int rc = e != NULL && packet != NULL ? 0 : AVERROR(ENOMEM);
    if (rc == 0) {
        e->width = pixels->width;
        e->height = pixels->height;
        e->pix_fmt = pixels->format;
        e->time_base = (AVRational){1, 25};
        e->color_range = pixels->color_range;
        e->thread_count = 1;
        if (format == PICTURE_JPEG) {
            e->flags |= AV_CODEC_FLAG_QSCALE;
            e->global_quality = JPEG_QUALITY * FF_QP2LAMBDA;
            pixels->quality = e->global_quality;
        } else if (format == PICTURE_WEBP) {
            av_opt_set_double(e->priv_data, "quality", WEBP_QUALITY, 0);
        }
        rc = avcodec_open2(e, codec, NULL);
    }
    pixels->pts = 0;
    if (rc >= 0)
        rc = avcodec_send_frame(e, pixels);
    if (rc >= 0)
        rc = avcodec_send_frame(e, NULL);
    if (rc >= 0)
        rc = avcodec_receive_packet(e, packet);
    ErrCode code = rc < 0
                       ? media_failed(c, rc, "could not encode a picture")
                       : step_output_bytes(c, name, str_from_c(formats[format].type),
                                           (Str){(const char *)packet->data, (size_t)packet->size});
    av_packet_free(&packet);
    avcodec_free_context(&e);
    return code;
}

/* Turning wants packed pixels, so a turned picture goes over RGB. */
static ErrCode turned(StepCtx *c, const AVFrame *frame, int rotation, int w, int h,
                      PictureFormat format, AVFrame **out)
{
    bool flat = rotation % 180 == 0;
    CLEANUP(free_frame) AVFrame *upright = frame_new(w, h, AV_PIX_FMT_RGB24);
    CLEANUP(free_frame) AVFrame *round = frame_new(flat ? w : h, flat ? h : w, AV_PIX_FMT_RGB24);
    *out = frame_new(flat ? w : h, flat ? h : w, formats[format].pixels);
    if (upright == NULL || round == NULL || *out == NULL)
        return err_set(c->err, ERR_NO_MEMORY, "no memory for a picture");
    ErrCode rc = scale(c, frame, upright);
    if (rc != OK)
        return rc;
    turn(upright, round, rotation / 90);
    return scale(c, round, *out);
}

ErrCode picture_write(StepCtx *c, const AVFrame *frame, int rotation, int64_t width,
                      PictureFormat format, Str name)
{
    int w, h;
    CLEANUP(free_frame) AVFrame *to = NULL;
    plan_size(frame, rotation, width, &w, &h);
    ErrCode rc = OK;
    if (rotation != 0) {
        rc = turned(c, frame, rotation, w, h, format, &to);
    } else {
        to = frame_new(w, h, formats[format].pixels);
        rc = to != NULL ? scale(c, frame, to)
                        : err_set(c->err, ERR_NO_MEMORY, "no memory for a picture");
    }
    return rc == OK ? picture_encode(c, to, format, name) : rc;
}
