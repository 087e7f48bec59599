/* image.filter: a list of operations, one after the other.
 *
 * What    ["blur:3", "grayscale", "round:10%"]: names with a number where they take one.
 * Why     one pass for what would be a chain of steps; the order is the caller's.
 * Errors  bad_param names the operation that is unknown or out of range, before any pixel is read. */
#include "image/filter_in.h"

enum { OPERATIONS_MAX = 20 };

typedef struct FilterArgs {
    StrList operations;
    EditArgs edit;
} FilterArgs;

static const Param filter_params[] = {
    PARAM_LIST(
        FilterArgs, operations, .required = true, .max_len = OPERATIONS_MAX,
        .example = "brightness:1.1,saturation:1.2,sharpen",
        .help = "What to do, in this order: blur:SIGMA (0.3 to 100), sharpen:SIGMA, median:PX, "
                "pixelate:PX, grayscale, sepia:SHARE, brightness:TIMES, contrast:TIMES, "
                "saturation:TIMES, hue:DEGREES, gamma:VALUE, normalise, negate, threshold:LEVEL, "
                "rotate:DEGREES, flip, mirror, round:PX or round:PERCENT%, border:PX."),
    EDIT_PARAMS(FilterArgs),
    PARAM_END,
};

static const Field filter_fields[] = {
    EDIT_FIELDS,
    {"operations", FIELD_TYPE_LIST, "What was done, with the numbers used."},
    {0},
};

/* "blur:3", "blur=3", "round:10%". */
static ErrCode parse(StepCtx *c, Str text, FilterOp *out)
{
    size_t at = str_find_char(text, ':');
    at = at != STR_NONE ? at : str_find_char(text, '=');
    Str name = str_trim(str_slice(text, 0, at)),
        number = at != STR_NONE ? str_trim(str_slice(text, at + 1, text.len)) : STR("");
    const FilterKind *k = filter_kind(name);
    if (k == NULL)
        return edit_bad_param(c, "operations", "there is no operation \"%.40s\"%s%s",
                              str_to_c(c->arena, name), filter_near(name) != NULL ? ", only " : "",
                              filter_near(name) != NULL ? filter_near(name) : "");
    *out = (FilterOp){.kind = k, .value = k->def};
    out->percent = k->percent && str_ends(number, STR("%"));
    if (out->percent)
        number.len--;
    if (number.len == 0)
        return OK;
    if (k->max == 0)
        return edit_bad_param(c, "operations", "%s takes no number", k->name);
    if (!str_to_double(number, &out->value))
        return edit_bad_param(c, "operations", "%s:%.40s is no number", k->name,
                              str_to_c(c->arena, number));
    double max = out->percent ? 50 : k->max;
    if (!(out->value >= k->min && out->value <= max))
        return edit_bad_param(c, "operations", "%s must be %g to %g, not %g", k->name, k->min, max,
                              out->value);
    return OK;
}

static void put_operations(StepCtx *c, const FilterOp *ops, size_t len)
{
    json_key(c->data, "operations");
    json_begin(c->data, '[');
    for (size_t i = 0; i < len; i++) {
        const FilterOp *o = &ops[i];
        json_put_str(c->data, o->kind->max == 0 ? str_from_c(o->kind->name)
                                                : str_printf(c->arena, "%s:%g%s", o->kind->name,
                                                             o->value, o->percent ? "%" : ""));
    }
    json_end(c->data, ']');
}

static ErrCode filter_run(StepCtx *c, const void *args)
{
    const FilterArgs *a = args;
    CLEANUP(edit_close) Edit e = {0};
    FilterOp ops[OPERATIONS_MAX];
    FilterPaper paper = {.args = &a->edit};
    ErrCode rc = OK;
    if (!edit_colour(a->edit.background, paper.colour))
        return edit_bad_param(c, "background", "must be a colour such as #ffcc00");
    for (size_t i = 0; i < a->operations.len && rc == OK; i++)
        rc = parse(c, a->operations.items[i], &ops[i]);
    if (rc == OK)
        rc = edit_open(c, 0, (Size){0}, a->edit.metadata == EDIT_KEEP_METADATA, &e);
    for (size_t i = 0; i < a->operations.len && rc == OK; i++) {
        step_progress(c, (int64_t)i, (int64_t)a->operations.len, ops[i].kind->name);
        rc = filter_apply(c, &ops[i], &paper, &e.pixels);
        if (rc == OK && step_canceled(c))
            rc = err_set(c->err, ERR_CANCELED, "cancelled between operations");
    }
    if (rc == OK)
        rc = edit_save(c, &e, &a->edit);
    if (rc == OK)
        put_operations(c, ops, a->operations.len);
    return rc;
}

const Step step_image_filter = {
    .name = "image.filter",
    .title = "Filter image",
    .summary = "Blur, sharpen, recolour, turn or round an image, by a list of operations.",
    .since = "0.2",
    .accepts = "image/*",
    .returns = EDIT_RETURNS,
    .version = 1,
    .cacheable = true,
    .limits = EDIT_LIMITS,
    .params = filter_params,
    .args_size = sizeof(FilterArgs),
    .data = filter_fields,
    .errors = EDIT_ERRORS,
    .examples =
        (const Example[]){{.title = "An old photograph",
                           .input = "photo.jpg",
                           .args = "{\"operations\": [\"sepia\", \"contrast:0.9\", \"blur:0.6\"]}",
                           .expect = "image/jpeg; width=780"},
                          {.title = "Round corners",
                           .input = "picture.png",
                           .args = "{\"operations\": [\"round:10%\"], \"format\": \"webp\"}",
                           .expect = "image/webp; width=320"},
                          {.title = "A misspelt operation",
                           .input = "picture.png",
                           .args = "{\"operations\": [\"grascale\"]}",
                           .expect = "reason=bad_param"},
                          {0}},
    .run = filter_run,
};
