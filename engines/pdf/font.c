/* font.c: a line of text as glyphs of an installed font, and the part of the font that draws it.
 *
 * Any script works that an installed font has: HarfBuzz shapes, FriBidi orders runs of both
 * directions, and only the glyphs used are embedded. One font shows the whole line. */
#include "pdf/pdf.h"

#include <errno.h>
#include <fcntl.h>
#include <fontconfig/fontconfig.h>
#include <fribidi.h>
#include <hb-ot.h>
#include <hb-subset.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"

enum { FONTS_MAX = 64, TEXT_CHARS_MAX = 400, FONT_BYTES_MAX = 64 * 1024 * 1024, UNIT = 1000 };

typedef struct Font {
    Str bytes; /* mapped for the life of the process */
    unsigned index;
} Font;
static Font fonts[FONTS_MAX]; /* written in font_warm, then constant */
static size_t fonts_len;

static bool map_font(const char *path, Font *out)
{
    CLEANUP(fd_close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    int64_t size = fd >= 0 ? fd_size(fd) : -1;
    if (size <= 0 || size > FONT_BYTES_MAX)
        return false;
    void *p = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (p == MAP_FAILED)
        return false;
    out->bytes = (Str){p, (size_t)size};
    return true;
}

/* Sans and bold first; then whatever adds characters. */
ErrCode font_warm(Err *err)
{
    FcResult result;
    FcPattern *wanted = FcNameParse((const FcChar8 *)"sans:bold:scalable=true:variable=false");
    if (wanted == NULL || !FcConfigSubstitute(NULL, wanted, FcMatchPattern))
        return err_set(err, ERR_INTERNAL, "could not ask for fonts");
    FcDefaultSubstitute(wanted);
    FcFontSet *set = FcFontSort(NULL, wanted, FcTrue, NULL, &result);
    for (int i = 0; set != NULL && i < set->nfont && fonts_len < FONTS_MAX; i++) {
        FcChar8 *path;
        FcChar8 *format;
        int index = 0;
        if (FcPatternGetString(set->fonts[i], FC_FILE, 0, &path) != FcResultMatch ||
            FcPatternGetString(set->fonts[i], FC_FONTFORMAT, 0, &format) != FcResultMatch)
            continue;
        (void)FcPatternGetInteger(set->fonts[i], FC_INDEX, 0, &index);
        bool known = str_eq_c(STR("TrueType"), (const char *)format) ||
                     str_eq_c(STR("CFF"), (const char *)format);
        if (known && map_font((const char *)path, &fonts[fonts_len]))
            fonts[fonts_len++].index = (unsigned)index & 0xffff;
    }
    if (set != NULL)
        FcFontSetDestroy(set);
    FcPatternDestroy(wanted);
    FcFini();
    return OK;
}

typedef struct Line {
    Arena *a;
    Str text;
    FriBidiChar chars[TEXT_CHARS_MAX];
    uint32_t at[TEXT_CHARS_MAX + 1]; /* byte where the character begins */
    FriBidiLevel levels[TEXT_CHARS_MAX];
    FriBidiStrIndex order[TEXT_CHARS_MAX]; /* left to right */
    int len;
    FontRun *out;
    size_t cap;
    double scale, x;
} Line;

static ErrCode bad_text(Err *err, const char *detail)
{
    err_set(err, ERR_BAD_PARAM, "%s", detail);
    err_param(err, "text");
    return ERR_BAD_PARAM;
}

static ErrCode read_line(Line *l, Err *err)
{
    for (size_t at = 0; at < l->text.len;) {
        if (l->len == TEXT_CHARS_MAX)
            return bad_text(err, "must have at most 400 characters");
        l->at[l->len] = (uint32_t)at;
        l->chars[l->len++] = str_next_utf8(l->text, &at);
        if (l->chars[l->len - 1] < 0x20)
            return bad_text(err, "must be one line without control characters");
    }
    l->at[l->len] = (uint32_t)l->text.len;
    FriBidiCharType types[TEXT_CHARS_MAX];
    FriBidiBracketType brackets[TEXT_CHARS_MAX];
    FriBidiParType direction = FRIBIDI_PAR_ON;
    fribidi_get_bidi_types(l->chars, l->len, types);
    fribidi_get_bracket_types(l->chars, l->len, types, brackets);
    if (fribidi_get_par_embedding_levels_ex(types, brackets, l->len, &direction, l->levels) == 0)
        return err_set(err, ERR_NO_MEMORY, "no memory to lay out the text");
    for (int i = 0; i < l->len; i++)
        l->order[i] = i;
    if (fribidi_reorder_line(0, types, l->len, 0, direction, l->levels, NULL, l->order) == 0)
        return err_set(err, ERR_NO_MEMORY, "no memory to lay out the text");
    return OK;
}

/* The first character that no glyph stands for, or 0. */
static FriBidiChar first_missing(hb_font_t *font, const Line *l)
{
    hb_codepoint_t glyph;
    for (int i = 0; i < l->len; i++)
        if (!hb_font_get_nominal_glyph(font, l->chars[i], &glyph) && l->chars[i] != 0x200c &&
            l->chars[i] != 0x200d && l->chars[i] != 0x200e && l->chars[i] != 0x200f)
            return l->chars[i];
    return 0;
}

static bool add_glyphs(Line *l, hb_buffer_t *buffer)
{
    unsigned count;
    hb_glyph_info_t *info = hb_buffer_get_glyph_infos(buffer, &count);
    hb_glyph_position_t *pos = hb_buffer_get_glyph_positions(buffer, &count);
    size_t need = l->out->len + count;
    if (need > l->cap) {
        FontGlyph *grown =
            arena_grow(l->a, l->out->glyphs, l->cap * sizeof *grown, (need + 64) * sizeof *grown);
        if (grown == NULL)
            return false;
        l->out->glyphs = grown;
        l->cap = need + 64;
    }
    for (unsigned i = 0; i < count; i++) {
        uint32_t cluster = info[i].cluster;
        l->out->glyphs[l->out->len++] = (FontGlyph){
            .id = (uint16_t)info[i].codepoint,
            .x = l->x + pos[i].x_offset * l->scale,
            .y = pos[i].y_offset * l->scale,
            .advance = pos[i].x_advance * l->scale,
            .text_at = l->at[cluster],
            .text_len = l->at[cluster + 1] - l->at[cluster],
        };
        l->x += pos[i].x_advance * l->scale;
    }
    return true;
}

/* Characters of one direction and one script, shaped together. */
static bool shape_run(Line *l, hb_font_t *font, int from, int to, bool backwards)
{
    hb_buffer_t *buffer = hb_buffer_create();
    hb_buffer_add_codepoints(buffer, l->chars, l->len, (unsigned)from, to - from);
    hb_buffer_guess_segment_properties(buffer);
    hb_buffer_set_direction(buffer, backwards ? HB_DIRECTION_RTL : HB_DIRECTION_LTR);
    hb_shape(font, buffer, NULL, 0);
    bool ok = hb_buffer_allocation_successful(buffer) && add_glyphs(l, buffer);
    hb_buffer_destroy(buffer);
    return ok;
}

static hb_script_t script_of(FriBidiChar ch)
{
    return hb_unicode_script(hb_unicode_funcs_get_default(), ch);
}

static bool same_run(const Line *l, int a, int b)
{
    hb_script_t x = script_of(l->chars[a]), y = script_of(l->chars[b]);
    bool neutral = x == HB_SCRIPT_COMMON || x == HB_SCRIPT_INHERITED || y == HB_SCRIPT_COMMON ||
                   y == HB_SCRIPT_INHERITED;
    return l->levels[a] == l->levels[b] && (x == y || neutral);
}

/* Left to right as seen: the order says which character stands where. */
static bool shape_line(Line *l, hb_font_t *font)
{
    for (int i = 0; i < l->len;) {
        int from = l->order[i], to = from, n = 1;
        bool backwards = (l->levels[from] & 1) != 0;
        while (i + n < l->len && same_run(l, l->order[i + n - 1], l->order[i + n]) &&
               l->order[i + n] == l->order[i + n - 1] + (backwards ? -1 : 1))
            n++;
        if (backwards)
            from = l->order[i + n - 1];
        to = from + n;
        if (!shape_run(l, font, from, to, backwards))
            return false;
        i += n;
    }
    l->out->width = l->x;
    return true;
}

static bool copy_blob(Arena *a, hb_blob_t *blob, Str *out)
{
    unsigned len;
    const char *bytes = hb_blob_get_data(blob, &len);
    *out = str_copy(a, (Str){bytes, len});
    return len > 0 && out->ptr != NULL;
}

/* Glyph numbers are kept, so that the text can name them as they are. */
static bool make_subset(Arena *a, hb_face_t *face, FontRun *run)
{
    hb_subset_input_t *input = hb_subset_input_create_or_fail();
    if (input == NULL)
        return false;
    hb_subset_input_set_flags(input, HB_SUBSET_FLAGS_RETAIN_GIDS | HB_SUBSET_FLAGS_NO_HINTING);
    for (size_t i = 0; i < run->len; i++)
        hb_set_add(hb_subset_input_glyph_set(input), run->glyphs[i].id);
    static const char *const dropped[] = {"GSUB", "GPOS", "GDEF", "FFTM", "kern", "DSIG"};
    for (size_t i = 0; i < COUNT_OF(dropped); i++)
        hb_set_add(hb_subset_input_set(input, HB_SUBSET_SETS_DROP_TABLE_TAG),
                   hb_tag_from_string(dropped[i], 4));
    hb_face_t *subset = hb_subset_or_fail(face, input);
    hb_subset_input_destroy(input);
    if (subset == NULL)
        return false;
    hb_blob_t *blob = hb_face_reference_blob(subset);
    bool ok = copy_blob(a, blob, &run->file);
    hb_blob_destroy(blob);
    hb_face_destroy(subset);
    return ok;
}

static void read_facts(Line *l, hb_face_t *face, hb_font_t *font, FontRun *run)
{
    char name[64];
    unsigned size = sizeof name;
    hb_font_extents_t e;
    hb_position_t cap = 0;
    hb_ot_name_get_utf8(face, HB_OT_NAME_ID_POSTSCRIPT_NAME, HB_LANGUAGE_INVALID, &size, name);
    Buf b = buf_init(l->a, 128);
    for (const char *p = name; *p != 0; p++)
        if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
            *p == '-')
            buf_add_char(&b, *p);
    run->name = b.len > 0 ? buf_str(&b) : STR("Font");
    hb_font_get_h_extents(font, &e);
    run->ascent = e.ascender * l->scale;
    run->descent = e.descender * l->scale;
    if (hb_ot_metrics_get_position(font, HB_OT_METRICS_TAG_CAP_HEIGHT, &cap) && cap > 0)
        run->cap_height = cap * l->scale;
    else
        run->cap_height = run->ascent * 0.8;
    hb_blob_t *cff = hb_face_reference_table(face, HB_TAG('C', 'F', 'F', ' '));
    run->cff = hb_blob_get_length(cff) > 0;
    hb_blob_destroy(cff);
}

/* OK with run->glyphs NULL: this font lacks `missing`. */
static ErrCode try_font(Line *l, const Font *f, FriBidiChar *missing, Err *err)
{
    hb_blob_t *blob =
        hb_blob_create(f->bytes.ptr, (unsigned)f->bytes.len, HB_MEMORY_MODE_READONLY, NULL, NULL);
    hb_face_t *face = hb_face_create(blob, f->index);
    hb_font_t *font = hb_font_create(face);
    ErrCode rc = OK;
    *missing = first_missing(font, l);
    if (*missing == 0) {
        l->scale = (double)UNIT / hb_face_get_upem(face);
        read_facts(l, face, font, l->out);
        if (!shape_line(l, font) || !make_subset(l->a, face, l->out))
            rc = err_set(err, ERR_NO_MEMORY, "no memory to lay out the text");
    }
    hb_font_destroy(font);
    hb_face_destroy(face);
    hb_blob_destroy(blob);
    return rc;
}

ErrCode font_shape(Arena *a, Str text, FontRun *out, Err *err)
{
    Line *l = arena_new(a, Line, 1);
    FriBidiChar missing = 0, first = 0;
    if (l == NULL)
        return err_set(err, ERR_NO_MEMORY, "no memory to lay out the text");
    *out = (FontRun){.text = text};
    *l = (Line){.a = a, .text = text, .out = out};
    if (text.len == 0 || !str_is_utf8(text))
        return bad_text(err, "must be text");
    ErrCode rc = read_line(l, err);
    for (size_t i = 0; rc == OK && i < fonts_len; i++) {
        rc = try_font(l, &fonts[i], &missing, err);
        if (rc != OK || missing == 0)
            return rc;
        first = first == 0 ? missing : first;
    }
    if (rc != OK)
        return rc;
    char utf8[5] = {0};
    utf8[str_put_utf8(utf8, first != 0 ? first : '?')] = 0;
    err_set(err, ERR_BAD_PARAM, "no installed font shows \"%s\" (U+%04X)", utf8, (unsigned)first);
    err_hint(err, "install a font with this script on the server, or stamp a picture of the text");
    err_param(err, "text");
    return ERR_BAD_PARAM;
}
