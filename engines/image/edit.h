/* edit.h: what the steps that edit pictures share: their parameters, and the way from an input to
 * an upright picture in memory and back to an output.
 *
 *   edit_open ──> an Edit: the input and its pixels, upright, sRGB or grey, 8 bits, any order
 *   … the step works on e.pixels …
 *   edit_save ──> the output, named after the input, and the result's data */
#ifndef PLATEN_IMAGE_EDIT_H
#define PLATEN_IMAGE_EDIT_H

#include "image/image.h"

enum { EDIT_SIDE_MAX = 16384 };

typedef struct Size {
    int64_t w, h;
} Size;

/* As large as fits into the box, and never larger than it is; a side of 0: any. */
Size edit_inside(Size in, int64_t w, int64_t h);

/* "#ffcc00" or "#fc0". */
bool edit_colour(Str s, double out[3]);
/* ERR_BAD_PARAM about this parameter. */
ErrCode edit_bad_param(StepCtx *c, const char *param, const char *fmt, ...) PRINTF(3, 4);
/* "holiday/DSC_1.JPG" becomes "DSC_1.webp". */
Str edit_name(Arena *a, Str input, const char *ext);

/* Formats that a person can ask for; EDIT_KEEP is the last of the choices. */
enum EditFormat { EDIT_WEBP, EDIT_AVIF, EDIT_JPEG, EDIT_PNG, EDIT_GIF, EDIT_TIFF, EDIT_KEEP };
extern const Choice edit_format_choices[];
ImageFormat edit_format(int choice, ImageFormat source);
enum EditMetadata { EDIT_STRIP, EDIT_KEEP_METADATA };
extern const Choice edit_metadata_choices[];

/* Where something lies on a picture. */
enum EditGravity {
    EDIT_CENTRE,
    EDIT_NORTH,
    EDIT_NORTH_EAST,
    EDIT_EAST,
    EDIT_SOUTH_EAST,
    EDIT_SOUTH,
    EDIT_SOUTH_WEST,
    EDIT_WEST,
    EDIT_NORTH_WEST,
    EDIT_GRAVITIES
};
/* 0 (left, top), 1 (middle) or 2 (right, bottom). */
int edit_gravity_x(int gravity);
int edit_gravity_y(int gravity);
#define EDIT_GRAVITY_CHOICES                                                                       \
    [EDIT_CENTRE] = {"centre", "In the middle."}, [EDIT_NORTH] = {"north", "Top, in the middle."}, \
    [EDIT_NORTH_EAST] = {"north-east", "Top right."},                                              \
    [EDIT_EAST] = {"east", "Right, in the middle."},                                               \
    [EDIT_SOUTH_EAST] = {"south-east", "Bottom right."},                                           \
    [EDIT_SOUTH] = {"south", "Bottom, in the middle."},                                            \
    [EDIT_SOUTH_WEST] = {"south-west", "Bottom left."},                                            \
    [EDIT_WEST] = {"west", "Left, in the middle."},                                                \
    [EDIT_NORTH_WEST] = {"north-west", "Top left."}

/* How the result is written: rows for a Param table whose args struct has an EditArgs `edit`. */
typedef struct EditArgs {
    int format, metadata;
    int64_t quality;
    Str background;
} EditArgs;
#define EDIT_FIELD(T, field) .offset = offsetof(T, edit) + offsetof(EditArgs, field)
#define EDIT_PARAMS(T)                                                                             \
    {.name = "format",                                                                             \
     .type = PARAM_TYPE_CHOICE,                                                                    \
     EDIT_FIELD(T, format),                                                                        \
     .choices = edit_format_choices,                                                               \
     .def = EDIT_KEEP,                                                                             \
     .help = "Format to make."},                                                                   \
        {.name = "quality",                                                                        \
         .type = PARAM_TYPE_INT,                                                                   \
         EDIT_FIELD(T, quality),                                                                   \
         .min = 1,                                                                                 \
         .max = 100,                                                                               \
         .example = "82",                                                                          \
         .help = "Quality of webp (80), jpeg (82) and avif (60)."},                                \
        {.name = "metadata",                                                                       \
         .type = PARAM_TYPE_CHOICE,                                                                \
         EDIT_FIELD(T, metadata),                                                                  \
         .choices = edit_metadata_choices,                                                         \
         .def = EDIT_STRIP,                                                                        \
         .help = "What happens to EXIF, XMP and colour profile."},                                 \
    {                                                                                              \
        .name = "background", .type = PARAM_TYPE_TEXT, EDIT_FIELD(T, background),                  \
        .def_text = "#ffffff", .max_len = 7, .example = "#f4f1ea",                                 \
        .help =                                                                                    \
            "Colour behind transparent parts where the format has no transparency, as #rrggbb."    \
    }

/* What edit_save puts into the data. */
#define EDIT_FIELDS                                                                                \
    {"width", FIELD_TYPE_INT, "Pixels across."}, {"height", FIELD_TYPE_INT, "Pixels down."},       \
        {"format", FIELD_TYPE_TEXT, "Format made."},                                               \
        {"bytes", FIELD_TYPE_INT, "Size of the new file."},                                        \
        {"source_width", FIELD_TYPE_INT, "Pixels across before, upright."},                        \
        {"source_height", FIELD_TYPE_INT, "Pixels down before, upright."},                         \
        {"source_format", FIELD_TYPE_TEXT, "Format before."},                                      \
    {                                                                                              \
        "source_bytes", FIELD_TYPE_INT, "Size of the file before."                                 \
    }
#define EDIT_RETURNS "image/webp,image/avif,image/jpeg,image/png,image/gif,image/tiff"
#define EDIT_LIMITS                                                                                \
    {                                                                                              \
        .time_ms = 120 * 1000, .cpu_ms = 120 * 1000, .memory_bytes = (int64_t)2 << 30              \
    }
#define EDIT_ERRORS                                                                                \
    (const ErrCode[])                                                                              \
    {                                                                                              \
        ERR_UNSUPPORTED_TYPE, ERR_INPUT_EMPTY, ERR_INPUT_DAMAGED, ERR_LIMIT_PIXELS,                \
            ERR_LIMIT_MEMORY, ERR_BAD_PARAM, OK                                                    \
    }

typedef struct Edit {
    Image *img;
    VipsImage *pixels;
    bool keep_metadata;
} Edit;
void edit_close(Edit *e); /* for CLEANUP */

/* Scale *v, a picture as it was loaded, to `want` (upright) and stand it upright. */
MUST_CHECK ErrCode edit_upright(StepCtx *c, Size want, VipsImage **v);
/* All pixels of *v into memory, so that they can be read in any order and again. */
MUST_CHECK ErrCode edit_to_memory(StepCtx *c, VipsImage **v);
/* ERR_LIMIT_PIXELS, with the advice that belongs to it. */
MUST_CHECK ErrCode edit_check_pixels(StepCtx *c, const Image *img, int frames);
/* Input number `index`, scaled down to fit into `box` (sides of 0: any), its first page. What is
 * left out (frames, pages) is said in a note. */
MUST_CHECK ErrCode edit_open(StepCtx *c, size_t index, Size box, bool keep_metadata, Edit *out);
/* e->pixels as args say, as the task's output, and EDIT_FIELDS into the data. */
MUST_CHECK ErrCode edit_save(StepCtx *c, const Edit *e, const EditArgs *args);
/* An operation of libvips has ended with `rc`: *v becomes `next`, or the failure is told. */
MUST_CHECK ErrCode edit_done(StepCtx *c, int rc, VipsImage *next, const char *doing, VipsImage **v);

#endif
