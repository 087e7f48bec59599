#include "document/face.h"

#include <hb-ot.h>
#include <stdio.h>
#include <string.h>

enum { STYLES = 4, FAMILIES = 3, SYMBOL_FACES = 3, BUILTIN_MAX = 64 };

#define FONTS "/usr/share/fonts/truetype/"
static const char *const paths[FAMILIES][STYLES] = {
    [FACE_SANS] = {FONTS "liberation/LiberationSans-Regular.ttf",
                   FONTS "liberation/LiberationSans-Bold.ttf",
                   FONTS "liberation/LiberationSans-Italic.ttf",
                   FONTS "liberation/LiberationSans-BoldItalic.ttf"},
    [FACE_SERIF] = {FONTS "liberation/LiberationSerif-Regular.ttf",
                    FONTS "liberation/LiberationSerif-Bold.ttf",
                    FONTS "liberation/LiberationSerif-Italic.ttf",
                    FONTS "liberation/LiberationSerif-BoldItalic.ttf"},
    [FACE_MONO] = {FONTS "liberation/LiberationMono-Regular.ttf",
                   FONTS "liberation/LiberationMono-Bold.ttf",
                   FONTS "liberation/LiberationMono-Italic.ttf",
                   FONTS "liberation/LiberationMono-BoldItalic.ttf"},
};
static const char *const symbol_paths[SYMBOL_FACES] = {FONTS "dejavu/DejaVuSans.ttf",
                                                       FONTS "dejavu/DejaVuSans-Bold.ttf",
                                                       FONTS "dejavu/DejaVuSansMono.ttf"};

/* Filled by faces_warm, then constant; the built-in ones as they are first needed. */
static Face faces[FAMILIES][STYLES], symbols[SYMBOL_FACES];
static struct {
    const void *bytes;
    unsigned index;
    Face face;
} builtins[BUILTIN_MAX];
static size_t builtins_len;

static bool face_make(Face *f, hb_blob_t *blob, unsigned index)
{
    f->face = hb_face_create(blob, index);
    f->upem = hb_face_get_upem(f->face);
    f->font = hb_font_create(f->face);
    hb_ot_font_set_funcs(f->font);
    hb_font_set_scale(f->font, (int)f->upem, (int)f->upem);
    unsigned len = sizeof f->name;
    hb_ot_name_get_utf8(f->face, HB_OT_NAME_ID_POSTSCRIPT_NAME, HB_LANGUAGE_INVALID, &len, f->name);
    if (f->name[0] == 0)
        snprintf(f->name, sizeof f->name, "Font");
    for (char *p = f->name; *p != 0; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
              *p == '-'))
            *p = '-';
    return hb_face_get_glyph_count(f->face) > 0 && f->upem > 0;
}

static bool load(Face *f, const char *path)
{
    if (f->face != NULL)
        return true;
    hb_blob_t *blob = hb_blob_create_from_file_or_fail(path);
    if (blob == NULL)
        return false;
    bool ok = face_make(f, blob, 0);
    hb_blob_destroy(blob);
    return ok;
}

ErrCode faces_warm(Err *err)
{
    for (int f = 0; f < FAMILIES; f++)
        for (int s = 0; s < STYLES; s++)
            if (!load(&faces[f][s], paths[f][s]))
                return err_set(err, ERR_INTERNAL, "the font %s is missing",
                               strrchr(paths[f][s], '/') + 1);
    for (int s = 0; s < SYMBOL_FACES; s++)
        (void)load(&symbols[s], symbol_paths[s]); /* without it some symbols are boxes */
    return OK;
}

const Face *face_of(FaceFamily family, bool bold, bool italic)
{
    return &faces[family][(bold ? 1 : 0) + (italic ? 2 : 0)];
}

bool face_has(const Face *f, uint32_t cp)
{
    hb_codepoint_t glyph;
    return f->font != NULL && hb_font_get_nominal_glyph(f->font, cp, &glyph);
}

static const Face *builtin(const void *bytes, size_t len, unsigned index)
{
    for (size_t i = 0; i < builtins_len; i++)
        if (builtins[i].bytes == bytes && builtins[i].index == index)
            return &builtins[i].face;
    if (builtins_len == BUILTIN_MAX)
        return NULL;
    hb_blob_t *blob = hb_blob_create(bytes, (unsigned)len, HB_MEMORY_MODE_READONLY, NULL, NULL);
    bool ok = face_make(&builtins[builtins_len].face, blob, index);
    hb_blob_destroy(blob);
    builtins[builtins_len].bytes = bytes;
    builtins[builtins_len].index = index;
    return ok ? &builtins[builtins_len++].face : NULL;
}

const Face *face_with(const Face *wanted, FaceFamily family, bool bold, uint32_t cp)
{
    const void *bytes;
    size_t len;
    unsigned index;
    if (face_has(wanted, cp))
        return wanted;
    const Face *symbol = &symbols[family == FACE_MONO ? 2 : bold ? 1 : 0];
    bool arabic = cp >= 0x590 && cp < 0xE00; /* better drawn by the fonts made for it */
    if (!arabic && face_has(symbol, cp))
        return symbol;
    for (int n = 0; face_builtin(cp, n, &bytes, &len, &index); n++) {
        const Face *f = builtin(bytes, len, index);
        if (f != NULL && face_has(f, cp))
            return f;
    }
    return face_has(symbol, cp) ? symbol : wanted;
}
