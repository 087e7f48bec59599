/* image.montage: many pictures on one sheet.
 *
 * What    a grid of up to 100 pictures, each as large as fits its cell, in the order of the inputs,
 *         with their names on demand.
 * Why     to see at a glance what a folder holds.
 * Errors  a picture that cannot be read leaves its cell empty and a note; all of them: the first
 *         one's reason. */
#include "image/edit.h"
#include "image/text.h"

#include <math.h>

enum { PICTURES_MAX = 100, LABEL_SIZE_MIN = 9, LABEL_SIZE_MAX = 28 };

typedef struct MontageArgs {
    int64_t cell_width, cell_height, columns, gap, quality;
    bool labels;
    int format;
    Str background;
} MontageArgs;

static const Param montage_params[] = {
    PARAM_INT(MontageArgs, columns, .min = 1, .max = PICTURES_MAX, .example = "4",
              .help = "Pictures in a row; left out: about as many as there are rows."),
    PARAM_INT(MontageArgs, cell_width, .min = 16, .max = 2048, .def = 240, .unit = "px",
              .help = "Width of a cell."),
    PARAM_INT(MontageArgs, cell_height, .min = 16, .max = 2048, .unit = "px", .example = "180",
              .help = "Height of a cell, without its label; left out: as its width."),
    PARAM_INT(MontageArgs, gap, .min = 0, .max = 200, .def = 8, .unit = "px",
              .help = "Space between cells and around them."),
    PARAM_BOOL(MontageArgs, labels, .help = "Write the file's name under each picture."),
    PARAM_TEXT(MontageArgs, background, .def_text = "#ffffff", .max_len = 7, .example = "#202020",
               .help = "Colour between and behind the pictures, as #rrggbb."),
    PARAM_CHOICE(MontageArgs, format, .choices = edit_format_choices, .def = EDIT_WEBP,
                 .help = "Format to make."),
    PARAM_INT(MontageArgs, quality, .min = 1, .max = 100, .example = "82",
              .help = "Quality of webp (80), jpeg (82) and avif (60)."),
    PARAM_END,
};

static const Field montage_fields[] = {
    {"width", FIELD_TYPE_INT, "Pixels across."},
    {"height", FIELD_TYPE_INT, "Pixels down."},
    {"format", FIELD_TYPE_TEXT, "Format made."},
    {"bytes", FIELD_TYPE_INT, "Size of the new file."},
    {"pictures", FIELD_TYPE_INT, "Pictures on the sheet."},
    {"failed", FIELD_TYPE_INT, "Cells left empty because their file could not be read."},
    {"columns", FIELD_TYPE_INT, "Pictures in a row."},
    {"rows", FIELD_TYPE_INT, "Rows."},
    {0},
};

typedef struct Sheet {
    StepCtx *c;
    const MontageArgs *args;
    VipsImage *canvas;
    Size cell; /* without the label */
    int columns, rows, gap, label_height, failed;
    double paper[3], ink[3];
    ImageFormat first; /* the first picture's, for format=keep */
} Sheet;

static void sheet_close(Sheet *s)
{
    image_unref(&s->canvas);
}

static void plan(Sheet *s)
{
    const MontageArgs *a = s->args;
    int count = (int)s->c->inputs_len;
    s->gap = (int)a->gap;
    s->cell = (Size){a->cell_width, a->cell_height > 0 ? a->cell_height : a->cell_width};
    int size = (int)s->cell.w / 16;
    size = size < LABEL_SIZE_MIN ? LABEL_SIZE_MIN : size > LABEL_SIZE_MAX ? LABEL_SIZE_MAX : size;
    s->label_height = a->labels ? size * 3 / 2 : 0;
    s->columns = a->columns > 0 ? (int)a->columns : (int)ceil(sqrt(count));
    s->columns = s->columns < count ? s->columns : count;
    s->rows = (count + s->columns - 1) / s->columns;
    bool light = s->paper[0] * 0.3 + s->paper[1] * 0.6 + s->paper[2] * 0.1 > 128;
    for (int i = 0; i < 3; i++)
        s->ink[i] = light ? 40 : 225;
}

static ErrCode make_canvas(Sheet *s)
{
    int64_t w = s->columns * (s->cell.w + s->gap) + s->gap;
    int64_t h = s->rows * (s->cell.h + s->label_height + s->gap) + s->gap;
    CLEANUP(image_unref) VipsImage *black = NULL;
    CLEANUP(image_unref) VipsImage *plain = NULL;
    if (w * h > IMAGE_PIXELS_MAX) {
        err_set(s->c->err, ERR_LIMIT_PIXELS,
                "a sheet of %" PRId64 " x %" PRId64 " pixels, the limit is %d in all", w, h,
                IMAGE_PIXELS_MAX);
        err_hint(s->c->err, "choose smaller cells");
        return ERR_LIMIT_PIXELS;
    }
    if (vips_black(&black, (int)w, (int)h, NULL) == 0)
        plain = vips_image_new_from_image(black, s->paper, 3);
    int rc = plain == NULL
                 ? -1
                 : vips_copy(plain, &s->canvas, "interpretation", VIPS_INTERPRETATION_sRGB, NULL);
    return rc != 0 ? image_fail(s->c, "making the sheet") : edit_to_memory(s->c, &s->canvas);
}

/* On paper, three bands. */
static ErrCode flatten(Sheet *s, VipsImage **v)
{
    VipsImage *out = NULL;
    if (vips_image_hasalpha(*v)) {
        VipsArrayDouble *paper = (*v)->Bands <= 2 ? vips_array_double_newv(1, s->paper[0])
                                                  : vips_array_double_new(s->paper, 3);
        int rc = vips_flatten(*v, &out, "background", paper, NULL);
        vips_area_unref(VIPS_AREA(paper));
        ErrCode code = edit_done(s->c, rc, out, "laying out a picture", v);
        if (code != OK)
            return code;
    }
    out = NULL;
    int rc = vips_colourspace(*v, &out, VIPS_INTERPRETATION_sRGB, NULL);
    ErrCode code = edit_done(s->c, rc, out, "laying out a picture", v);
    return code == OK ? edit_to_memory(s->c, v) : code;
}

static ErrCode put_label(Sheet *s, Str name, int left, int top)
{
    CLEANUP(image_unref) VipsImage *mask = NULL;
    const TextStyle style = {
        .font = STR("Sans"), .size = s->label_height * 2.0 / 3, .width_max = (int)s->cell.w};
    if (text_mask(s->c, name, &style, &mask) != OK) {
        *s->c->err = (Err){0}; /* no font for the name: the picture is there all the same */
        return OK;
    }
    int x = left + ((int)s->cell.w - mask->Xsize) / 2,
        y = top + (s->label_height - mask->Ysize) / 2;
    return vips_draw_mask(s->canvas, s->ink, 3, mask, x, y, NULL) == 0
               ? OK
               : image_fail(s->c, "writing a name");
}

static ErrCode put_picture(Sheet *s, size_t index, int left, int top)
{
    CLEANUP(edit_close) Edit e = {0};
    ErrCode rc = edit_open(s->c, index, s->cell, false, &e);
    if (rc == OK)
        rc = flatten(s, &e.pixels);
    if (rc != OK)
        return rc;
    if (index == 0)
        s->first = e.img->format;
    int x = left + ((int)s->cell.w - e.pixels->Xsize) / 2,
        y = top + ((int)s->cell.h - e.pixels->Ysize) / 2;
    return vips_draw_image(s->canvas, e.pixels, x, y, NULL) == 0
               ? OK
               : image_fail(s->c, "laying out a picture");
}

/* One picture's failure is not the sheet's. */
static ErrCode put_cell(Sheet *s, size_t i)
{
    int across = (int)i % s->columns, down = (int)i / s->columns;
    int left = s->gap + across * ((int)s->cell.w + s->gap);
    int top = s->gap + down * ((int)s->cell.h + s->label_height + s->gap);
    Str name = s->c->inputs[i].name;
    ErrCode rc = put_picture(s, i, left, top);
    if (rc == ERR_NO_MEMORY || rc == ERR_CANCELED || rc == ERR_LIMIT_MEMORY)
        return rc;
    if (rc != OK) {
        s->failed++;
        if ((size_t)s->failed == s->c->inputs_len)
            return rc;
        step_note(s->c, str_printf(s->c->arena, "left empty: " STR_FMT ": %s",
                                   STR_ARG(str_slice(name, 0, 200)), s->c->err->text));
        *s->c->err = (Err){0};
    }
    size_t slash = str_rfind_char(name, '/');
    name = slash == STR_NONE ? name : str_slice(name, slash + 1, name.len);
    return s->args->labels && name.len > 0 ? put_label(s, name, left, top + (int)s->cell.h) : OK;
}

static ErrCode save(Sheet *s)
{
    ImageSave how = {.format = edit_format(s->args->format, s->first),
                     .quality = (int)s->args->quality};
    const ImageFormatInfo *to = image_format(how.format);
    int64_t bytes = 0;
    if (s->canvas->Xsize > to->side_max || s->canvas->Ysize > to->side_max)
        return edit_bad_param(s->c, "format", "%s holds at most %d pixels along one side", to->name,
                              to->side_max);
    ErrCode rc =
        image_save(s->c, s->canvas, &how, str_printf(s->c->arena, "montage.%s", to->ext), &bytes);
    if (rc != OK)
        return rc;
    json_kv_int(s->c->data, "width", s->canvas->Xsize);
    json_kv_int(s->c->data, "height", s->canvas->Ysize);
    json_kv_c(s->c->data, "format", to->name);
    json_kv_int(s->c->data, "bytes", bytes);
    json_kv_int(s->c->data, "pictures", (int64_t)s->c->inputs_len - s->failed);
    json_kv_int(s->c->data, "failed", s->failed);
    json_kv_int(s->c->data, "columns", s->columns);
    json_kv_int(s->c->data, "rows", s->rows);
    step_usage(s->c, "images", (int64_t)s->c->inputs_len);
    return OK;
}

static ErrCode montage_run(StepCtx *c, const void *args)
{
    CLEANUP(sheet_close) Sheet s = {.c = c, .args = args, .first = IMAGE_WEBP};
    if (!edit_colour(s.args->background, s.paper))
        return edit_bad_param(c, "background", "must be a colour such as #ffcc00");
    plan(&s);
    ErrCode rc = make_canvas(&s);
    for (size_t i = 0; i < c->inputs_len && rc == OK; i++) {
        step_progress(c, (int64_t)i, (int64_t)c->inputs_len, "pictures");
        rc = step_canceled(c) ? err_set(c->err, ERR_CANCELED, "cancelled between pictures")
                              : put_cell(&s, i);
    }
    return rc == OK ? save(&s) : rc;
}

const Step step_image_montage = {
    .name = "image.montage",
    .title = "Montage of images",
    .summary = "Put many images on one sheet, in a grid, with their names on demand.",
    .since = "0.2",
    .accepts = "image/*",
    .returns = EDIT_RETURNS,
    .inputs_max = PICTURES_MAX,
    .version = 1,
    .cacheable = true,
    .limits = EDIT_LIMITS,
    .params = montage_params,
    .args_size = sizeof(MontageArgs),
    .data = montage_fields,
    .errors = EDIT_ERRORS,
    .examples = (const Example[]){{.title = "A sheet of one, with its name",
                                   .input = "photo.jpg",
                                   .args = "{\"labels\": true, \"cell_width\": 200}",
                                   .expect = "image/webp; pictures=1; width=216"},
                                  {0}},
    .run = montage_run,
};
