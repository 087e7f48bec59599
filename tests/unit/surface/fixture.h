/* fixture.h: a small registry that has one of everything the surfaces must show. */
#ifndef PLATEN_TESTS_SURFACE_FIXTURE_H
#define PLATEN_TESTS_SURFACE_FIXTURE_H

#include "core/registry.h"
#include "unit/harness.h"

typedef struct FixtureArgs {
    int64_t width, old_width;
    double ratio;
    bool enlarge;
    Str title, password;
    int fit;
    StrList tags;
    const Json *extra;
} FixtureArgs;

static const Choice fixture_fits[] = {
    {"inside", "As large as fits in the box."},
    {"cover", "As small as covers the box, which may cut off a part of the picture; <b>never</b> "
              "distorts it."},
    {0},
};

static const Param fixture_params[] = {
    PARAM_INT(FixtureArgs, width, .required = true, .min = 1, .max = 16384, .unit = "px",
              .example = "320", .help = "Width of the box."),
    PARAM_INT(FixtureArgs, old_width, .min = 1, .max = 16384, .replaced_by = "width",
              .help = "Use width."),
    PARAM_NUMBER(FixtureArgs, ratio, .min_num = 0.5, .max_num = 2, .def_num = 1,
                 .help = "Ratio of the sides."),
    PARAM_BOOL(FixtureArgs, enlarge, .help = "Also scale up images smaller than the box."),
    PARAM_TEXT(FixtureArgs, title, .max_len = 40, .def_text = "no title", .since = "0.2",
               .help = "It's a \"title\"."),
    PARAM_TEXT(FixtureArgs, password, .secret = true, .help = "Password of the file."),
    PARAM_CHOICE(FixtureArgs, fit, .choices = fixture_fits, .def = 1,
                 .help = "How the image meets the box."),
    PARAM_LIST(FixtureArgs, tags, .max_len = 5, .example = "a,b", .help = "Tags | labels."),
    PARAM_JSON(FixtureArgs, extra, .help = "Anything."),
    PARAM_END,
};

static const Field fixture_sizes[] = {
    {.name = "width", .type = FIELD_TYPE_INT, .help = "Pixels."},
    {.name = "note", .type = FIELD_TYPE_TEXT, .help = "A remark.", .optional = true},
    {0},
};

static const Field fixture_data[] = {
    {.name = "pages", .type = FIELD_TYPE_INT, .help = "Number of pages."},
    {.name = "sizes",
     .type = FIELD_TYPE_LIST,
     .help = "Size of each page.",
     .items = fixture_sizes},
    {.name = "made",
     .type = FIELD_TYPE_TEXT,
     .format = "date-time",
     .nullable = true,
     .help = "When it was made."},
    {0},
};

static const Step fixture_steps[] = {
    {.name = "image.scale",
     .title = "Scale image",
     .summary = "Scale an image to a box.",
     .since = "0.1",
     .accepts = "image/*, application/pdf",
     .returns = "image/webp",
     .inputs_max = 3,
     .cacheable = true,
     .limits = {.time_ms = 60000, .memory_bytes = 512 << 20},
     .params = fixture_params,
     .data = fixture_data,
     .errors = (const ErrCode[]){ERR_INPUT_DAMAGED, ERR_LIMIT_PIXELS, OK},
     .examples =
         (const Example[]){
             {.title = "Make a thumbnail",
              .input = "photo.jpg",
              .args =
                  "{\"width\": 320, \"fit\": \"cover\", \"enlarge\": true, \"tags\": [\"a b\"]}",
              .expect = "image/webp"},
             {0}}},
    {.name = "image.info",
     .title = "Describe image",
     .summary = "Read the size of an image.",
     .accepts = "image/*",
     .input_optional = true,
     .data = fixture_data,
     .examples =
         (const Example[]){{.title = "Ask", .input = "photo.jpg", .expect = "pages>=1"}, {0}}},
    {.name = "text.repeat",
     .title = "Repeat text",
     .summary = "Give back what came.",
     .params =
         (const Param[]){PARAM_TEXT(FixtureArgs, title, .required = true, .help = "The text."),
                         PARAM_END},
     .examples =
         (const Example[]){{.title = "Say it", .args = "{\"title\": \"hi\"}", .expect = "text=hi"},
                           {0}}},
    {.name = "test.hidden", .title = "Hidden", .summary = "For tests only.", .internal = true},
};

static inline Registry *fixture_registry(Arena *a)
{
    Registry *r = registry_open(a);
    Err err = {0};
    for (size_t i = 0; i < COUNT_OF(fixture_steps); i++)
        assert_ok(registry_add(r, &fixture_steps[i], &err), &err);
    return r;
}

#endif
