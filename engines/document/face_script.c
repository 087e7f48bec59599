/* face_script.c: MuPDF's own fonts by script. */
#include "document/face.h"
#include "document/pdf_in.h"

#include <mupdf/ucdn.h>

static bool found(const unsigned char *data, int size, int subfont, const void **bytes, size_t *len,
                  unsigned *index)
{
    *bytes = data;
    *len = (size_t)size;
    *index = (unsigned)subfont;
    return true;
}

static const unsigned char *by_script(fz_context *ctx, int script, int *size, int *subfont)
{
    switch (script) {
    case UCDN_SCRIPT_HANGUL:
        return fz_lookup_cjk_font_by_language(ctx, "ko", size, subfont);
    case UCDN_SCRIPT_HIRAGANA:
    case UCDN_SCRIPT_KATAKANA:
        return fz_lookup_cjk_font_by_language(ctx, "ja", size, subfont);
    case UCDN_SCRIPT_HAN:
    case UCDN_SCRIPT_BOPOMOFO:
        return fz_lookup_cjk_font_by_language(ctx, "zh-Hans", size, subfont);
    default:
        return fz_lookup_noto_font(ctx, script, FZ_LANG_UNSET, size, subfont);
    }
}

bool face_builtin(uint32_t cp, int n, const void **bytes, size_t *len, unsigned *index)
{
    fz_context *ctx = NULL;
    Err err;
    int size = 0, subfont = 0;
    if (pdf_context(&ctx, &err) != OK)
        return false;
    for (int step = 0, seen = 0; step < 7; step++) {
        const unsigned char *data = NULL;
        size = subfont = 0;
        switch (step) {
        case 0:
            data = by_script(ctx, ucdn_get_script(cp), &size, &subfont);
            break;
        case 1: /* punctuation that East Asian text shares */
            data = cp >= 0x2E80 ? fz_lookup_cjk_font_by_language(ctx, "zh-Hans", &size, &subfont)
                                : NULL;
            break;
        case 2:
            data = fz_lookup_noto_math_font(ctx, &size);
            break;
        case 3:
            data = fz_lookup_noto_symbol1_font(ctx, &size);
            break;
        case 4:
            data = fz_lookup_noto_symbol2_font(ctx, &size);
            break;
        case 5:
            data = fz_lookup_noto_emoji_font(ctx, &size);
            break;
        case 6:
            data = fz_lookup_noto_music_font(ctx, &size);
            break;
        }
        if (data != NULL && size > 0 && seen++ == n)
            return found(data, size, subfont, bytes, len, index);
    }
    return false;
}
