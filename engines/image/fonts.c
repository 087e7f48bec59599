/* fonts.c: open every font before the sandbox closes the file system.
 *
 * SVG text is drawn by librsvg through fontconfig, pango and cairo, which open a font file when its
 * first glyph is needed: too late in a process that cannot open files. So the warm parent opens
 * each face once, for both that read glyphs: cairo   takes an open FreeType face instead of a file
 * name when fontconfig's description of the font carries one (FC_FT_FACE). So each description is
 * replaced by a copy that does. pango   keeps one HarfBuzz face per file for as long as its font
 * map lives; asking for each fills the map. librsvg uses pango's default font map, and there is one
 * per thread: SVG must be drawn on the main thread.
 *
 * What falls short: at most FACES_MAX faces are opened, in fontconfig's order. The others are taken
 * off its list, so their text is drawn in the nearest open face. */
#include "image/warm_in.h"

#include <ft2build.h>
#include FT_FREETYPE_H
#include <fontconfig/fontconfig.h>
#include <fontconfig/fcfreetype.h> /* needs both */
#include <pango/pangocairo.h>

enum { FACES_MAX = 256 };

/* A copy of the description that carries the open face; NULL when the font cannot be opened. */
static FcPattern *with_open_face(FT_Library ft, const FcPattern *font)
{
    FcChar8 *file = NULL;
    int index = 0;
    FT_Face face = NULL;
    if (FcPatternGetString(font, FC_FILE, 0, &file) != FcResultMatch)
        return NULL;
    (void)FcPatternGetInteger(font, FC_INDEX, 0, &index); /* stays 0 when there is none */
    if (FT_New_Face(ft, (const char *)file, index, &face) != 0)
        return NULL;
    FcPattern *copy = FcPatternDuplicate(font);
    if (copy != NULL && FcPatternAddFTFace(copy, FC_FT_FACE, face))
        return copy;
    FT_Done_Face(face);
    if (copy != NULL)
        FcPatternDestroy(copy);
    return NULL;
}

/* From here on fontconfig knows only fonts that are open. */
static int open_for_cairo(FcFontSet *set)
{
    static FT_Library ft; /* lives as long as the faces: for ever */
    int opened = 0;
    if (set == NULL || FT_Init_FreeType(&ft) != 0)
        return 0;
    for (int i = 0; i < set->nfont && opened < FACES_MAX; i++) {
        FcPattern *open = with_open_face(ft, set->fonts[i]);
        if (open != NULL)
            set->fonts[opened++] = open;
    }
    set->nfont = opened;
    return opened;
}

static void open_for_pango(PangoFontMap *map, PangoContext *context, PangoFontFamily *family)
{
    PangoFontFace **faces = NULL;
    int faces_len = 0;
    pango_font_family_list_faces(family, &faces, &faces_len);
    for (int i = 0; i < faces_len; i++) {
        PangoFontDescription *d = pango_font_face_describe(faces[i]);
        pango_font_description_set_absolute_size(d, 16 * PANGO_SCALE);
        PangoFont *font = pango_font_map_load_font(map, context, d);
        pango_font_description_free(d);
        if (font == NULL)
            continue;
        pango_font_get_hb_font(font);
        g_object_unref(font);
    }
    g_free(faces);
}

int image_warm_fonts(void)
{
    FcConfig *config = FcConfigGetCurrent();
    if (config == NULL)
        return 0;
    FcConfigSetRescanInterval(config, 0);
    int opened = open_for_cairo(FcConfigGetFonts(config, FcSetSystem));

    PangoFontMap *map = pango_cairo_font_map_get_default();
    PangoContext *context = pango_font_map_create_context(map);
    PangoFontFamily **families = NULL;
    int families_len = 0;
    pango_font_map_list_families(map, &families, &families_len);
    for (int f = 0; f < families_len; f++)
        open_for_pango(map, context, families[f]);
    g_free(families);
    g_object_unref(context);
    return opened;
}

#ifdef __SANITIZE_ADDRESS__
/* fontconfig points to its patterns by offsets, which the leak checker cannot follow. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libfontconfig";
}
__attribute__((visibility("default"))) const char *__lsan_default_options(void);
const char *__lsan_default_options(void)
{
    return "print_suppressions=0";
}
#endif
