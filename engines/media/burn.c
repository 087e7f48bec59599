#include "media/burn.h"
#include "media/fonts.h"

static void say_nothing(int level, const char *format, va_list args, void *data)
{
    (void)level, (void)format, (void)args, (void)data;
}

ErrCode burner_open(StepCtx *c, Str script, Burner *out)
{
    Burner b = {.c = c, .library = ass_library_init()};
    char *text = str_to_c(c->arena, script);
    if (b.library == NULL || text == NULL) {
        burner_done(&b);
        return err_set(c->err, ERR_NO_MEMORY, "no memory to draw subtitles");
    }
    ass_set_message_cb(b.library, say_nothing, NULL);
    if (!fonts_add(b.library)) {
        burner_done(&b);
        err_set(c->err, ERR_ENGINE_MISSING, "this server has no font to draw subtitles with");
        err_hint(c->err, "install one: apt-get install fonts-dejavu-core");
        return ERR_ENGINE_MISSING;
    }
    b.renderer = ass_renderer_init(b.library);
    if (b.renderer != NULL) {
        ass_set_fonts(b.renderer, NULL, fonts_default(), ASS_FONTPROVIDER_NONE, NULL, 0);
        b.track = ass_read_memory(b.library, text, script.len, NULL);
    }
    if (b.track == NULL) {
        burner_done(&b);
        return err_set(c->err, ERR_INPUT_DAMAGED, "the subtitles cannot be read");
    }
    *out = b;
    return OK;
}

void burner_done(Burner *b)
{
    if (b->track != NULL)
        ass_free_track(b->track);
    if (b->renderer != NULL)
        ass_renderer_done(b->renderer);
    if (b->library != NULL)
        ass_library_done(b->library);
    *b = (Burner){.c = b->c};
}

/* ITU-R BT.601, limited range. */
static void to_yuv(uint32_t rgba, int yuv[3])
{
    int r = (int)(rgba >> 24), g = (int)(rgba >> 16 & 0xFF), b = (int)(rgba >> 8 & 0xFF);
    yuv[0] = 16 + (66 * r + 129 * g + 25 * b + 128) / 256;
    yuv[1] = 128 + (-38 * r - 74 * g + 112 * b + 128) / 256;
    yuv[2] = 128 + (112 * r - 94 * g - 18 * b + 128) / 256;
}

static uint8_t mixed(int under, int over, int alpha)
{
    return (uint8_t)(under + (over - under) * alpha / 255);
}

/* One plane of one image: every `step`-th pixel of the mask falls on one of the plane. */
static void blend(const ASS_Image *img, int opacity, int value, uint8_t *plane, ptrdiff_t line,
                  int step)
{
    for (int y = 0; y < img->h; y++) {
        if ((img->dst_y + y) % step != 0)
            continue;
        const uint8_t *mask = img->bitmap + (ptrdiff_t)y * img->stride;
        uint8_t *row = plane + (img->dst_y + y) / step * line;
        for (int x = 0; x < img->w; x++)
            if (mask[x] != 0 && (img->dst_x + x) % step == 0) {
                uint8_t *p = &row[(img->dst_x + x) / step];
                *p = mixed(*p, value, mask[x] * opacity / 255);
            }
    }
}

ErrCode burner_draw(void *burner, AVFrame *f, int64_t ms)
{
    Burner *b = burner;
    if (f->format != AV_PIX_FMT_YUV420P && f->format != AV_PIX_FMT_YUVJ420P)
        return err_set(b->c->err, ERR_UNSUPPORTED_TYPE,
                       "subtitles cannot be drawn on this kind of "
                       "pictures");
    ass_set_frame_size(b->renderer, f->width, f->height);
    ass_set_storage_size(b->renderer, f->width, f->height);
    int changed;
    for (const ASS_Image *img = ass_render_frame(b->renderer, b->track, ms, &changed); img != NULL;
         img = img->next) {
        int yuv[3], opacity = 255 - (int)(img->color & 0xFF);
        bool inside = img->dst_x >= 0 && img->dst_y >= 0 && img->dst_x + img->w <= f->width &&
                      img->dst_y + img->h <= f->height;
        if (img->w <= 0 || img->h <= 0 || opacity == 0 || !inside)
            continue;
        to_yuv(img->color, yuv);
        for (int plane = 0; plane < 3; plane++)
            blend(img, opacity, yuv[plane], f->data[plane], f->linesize[plane], plane == 0 ? 1 : 2);
    }
    return OK;
}
