/* fonts.c: open every font before the sandbox closes the file system.
 *
 * SVG text is drawn by librsvg through pango and cairo, which open a font file when its first glyph
 * is needed: too late in a process that cannot open files. So the warm parent opens each face once,
 * in both libraries that keep it open: pango    the HarfBuzz face, kept by the font map for as long
 * as the map lives; cairo    the FreeType face; cairo closes all but ten when it needs room, but
 * never one that is locked, so each stays locked for good. librsvg draws with pango's default font
 * map, and there is one per thread: SVG must be drawn on the main thread.
 *
 * What falls short: FACES_MAX faces are opened, in the order in which fontconfig lists them. Text
 * in a face beyond that comes out as boxes or not at all; a server that draws SVG should not have
 * hundreds of fonts. */
#include "image/warm_in.h"

#include <cairo/cairo-ft.h>
#include <pango/pangocairo.h>
#include <pango/pangofc-font.h>

enum { FACES_MAX = 192 };

static void open_face(PangoFontMap *map, PangoContext *context, PangoFontFace *face)
{
    PangoFontDescription *d = pango_font_face_describe(face);
    pango_font_description_set_absolute_size(d, 16 * PANGO_SCALE);
    PangoFont *font = pango_font_map_load_font(map, context, d);
    pango_font_description_free(d);
    if (font == NULL)
        return;
    pango_font_get_hb_font(font);
    cairo_scaled_font_t *scaled = pango_cairo_font_get_scaled_font(PANGO_CAIRO_FONT(font));
    if (scaled != NULL && cairo_scaled_font_get_type(scaled) == CAIRO_FONT_TYPE_FT) {
        cairo_scaled_font_reference(scaled);
        (void)cairo_ft_scaled_font_lock_face(scaled); /* and never unlocked: see above */
    }
    /* The font itself stays referenced too: its pattern is what later sizes are found by. */
}

int image_warm_fonts(void)
{
    PangoFontMap *map = pango_cairo_font_map_get_default();
    PangoContext *context = pango_font_map_create_context(map);
    PangoFontFamily **families = NULL;
    int families_len = 0, opened = 0;
    pango_font_map_list_families(map, &families, &families_len);
    for (int f = 0; f < families_len; f++) {
        PangoFontFace **faces = NULL;
        int faces_len = 0;
        pango_font_family_list_faces(families[f], &faces, &faces_len);
        for (int i = 0; i < faces_len && opened < FACES_MAX; i++) {
            if (pango_font_face_is_synthesized(faces[i]))
                continue; /* drawn from another face's file */
            open_face(map, context, faces[i]);
            opened++;
        }
        g_free(faces);
    }
    g_free(families);
    g_object_unref(context);
    return opened;
}
