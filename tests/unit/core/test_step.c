#include "core/registry.h"
#include "core/schema.h"
#include "unit/harness.h"

#include <fcntl.h>
#include <unistd.h>

enum Fit { FIT_INSIDE, FIT_COVER };

static const Choice fit_choices[] = {
    [FIT_INSIDE] = {"inside", "As large as fits in the box."},
    [FIT_COVER] = {"cover", "As small as covers the box."},
    {0},
};

typedef struct Args {
    int64_t width, quality;
    double ratio;
    bool enlarge;
    Str title;
    int fit;
    StrList tags;
    const Json *extra;
} Args;

static const Param params[] = {
    PARAM_INT(Args, width, .required = true, .min = 1, .max = 16384, .unit = "px",
              .help = "Width of the box.", .example = "320"),
    PARAM_INT(Args, quality, .min = 1, .max = 100, .help = "Quality of the encoder.",
              .since = "0.2"),
    PARAM_NUMBER(Args, ratio, .min_num = 0.5, .max_num = 2, .def_num = 1,
                 .help = "Ratio of the sides."),
    PARAM_BOOL(Args, enlarge, .help = "Also scale up small images."),
    PARAM_TEXT(Args, title, .max_len = 40, .def_text = "no title", .help = "Title."),
    PARAM_CHOICE(Args, fit, .choices = fit_choices, .def = FIT_COVER,
                 .help = "How the image meets the box."),
    PARAM_LIST(Args, tags, .def_text = "a,b", .max_len = 5, .help = "Tags."),
    PARAM_JSON(Args, extra, .def_text = "{ \"deep\": [1, 2] }", .help = "Anything."),
    PARAM_END,
};

static const Field size_fields[] = {
    {.name = "width", .type = FIELD_TYPE_INT, .help = "Pixels."},
    {.name = "note", .type = FIELD_TYPE_TEXT, .help = "A remark.", .optional = true},
    {0},
};

static const Field data[] = {
    {.name = "pages", .type = FIELD_TYPE_INT, .help = "Number of pages."},
    {.name = "sizes", .type = FIELD_TYPE_LIST, .help = "Size of each page.", .items = size_fields},
    {.name = "names", .type = FIELD_TYPE_LIST, .help = "Names.", .optional = true},
    {0},
};

static ErrCode run(StepCtx *c, const void *args)
{
    const Args *a = args;
    if (a->width == 666)
        return ERR_INPUT_DAMAGED; /* says nothing: step_run must */
    if (a->width == 777)
        for (int i = 0; i < 20000; i++)
            json_kv_int(c->data, "n", i);
    json_kv_int(c->data, "pages", a->width);
    json_kv_int(c->data, "quality", a->quality);
    json_kv_int(c->data, "fit", a->fit);
    json_kv_int(c->data, "tags", (int64_t)a->tags.len);
    json_kv_str(c->data, "title", a->title);
    json_key(c->data, "extra");
    json_put(c->data, a->extra);
    step_progress(c, 1, 2, "half");
    step_usage(c, "pages", 3);
    step_note(c, STR("hello"));
    return step_output_bytes(c, STR("out.txt"), STR("text/plain"), STR("result"));
}

static const Step step = {
    .name = "test.all",
    .title = "Every field",
    .summary = "Use every field of a description.",
    .since = "0.1",
    .accepts = "image/*, application/pdf",
    .returns = "text/plain",
    .inputs_max = 3,
    .input_optional = true,
    .version = 2,
    .cacheable = true,
    .attempts = 5,
    .limits = {.time_ms = 1000, .memory_bytes = 1 << 20},
    .params = params,
    .args_size = sizeof(Args),
    .data = data,
    .errors = (const ErrCode[]){ERR_INPUT_DAMAGED, ERR_NO_TEXT, OK},
    .examples = (const Example[]){{.title = "Make a thumbnail",
                                   .input = "photo.jpg",
                                   .args = "{ \"width\": 320 }",
                                   .expect = "pages>=1"},
                                  {0}},
    .run = run,
};

typedef struct Host {
    int64_t done, total, amount;
    char note[32], unit[32], progress[32];
    int pipe[2];
    bool canceled;
} Host;

static ErrCode host_output(void *ctx, Str name, Str type, int *out_fd, Err *err)
{
    Host *h = ctx;
    if (!str_eq_c(name, "out.txt") || !str_eq_c(type, "text/plain"))
        return err_set(err, ERR_INTERNAL, "unexpected output");
    *out_fd = dup(h->pipe[1]);
    return *out_fd >= 0 ? OK : err_set(err, ERR_IO, "could not dup");
}

static void host_progress(void *ctx, int64_t done, int64_t total, Str note)
{
    Host *h = ctx;
    h->done = done;
    h->total = total;
    snprintf(h->progress, sizeof h->progress, STR_FMT, STR_ARG(note));
}

static void host_usage(void *ctx, Str unit, int64_t amount)
{
    Host *h = ctx;
    h->amount = amount;
    snprintf(h->unit, sizeof h->unit, STR_FMT, STR_ARG(unit));
}

static void host_note(void *ctx, Str text)
{
    Host *h = ctx;
    snprintf(h->note, sizeof h->note, STR_FMT, STR_ARG(text));
}

static bool host_canceled(void *ctx)
{
    return ((Host *)ctx)->canceled;
}

static const StepHost host_functions = {.output = host_output,
                                        .progress = host_progress,
                                        .usage = host_usage,
                                        .note = host_note,
                                        .canceled = host_canceled};

typedef struct Run {
    ErrCode code;
    Err err;
    Str data;
    Host host;
    char output[32];
} Run;

static Run run_step(Arena *a, const char *given)
{
    Run r = {.code = ERR_INTERNAL};
    assert_int_equal(pipe(r.host.pipe), 0);
    StepCtx c = {
        .arena = a, .err = &r.err, .input_fd = -1, .host = &host_functions, .host_ctx = &r.host};
    r.code = step_run(&step, &c, str_from_c(given), &r.data);
    assert_null(c.data);
    close(r.host.pipe[1]);
    ssize_t n = read(r.host.pipe[0], r.output, sizeof r.output - 1);
    r.output[n > 0 ? n : 0] = 0;
    close(r.host.pipe[0]);
    return r;
}

TEST(runs_with_filled_arguments)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Run r = run_step(a, "{\"width\":7,\"fit\":\"inside\"}");
    assert_ok(r.code, &r.err);
    assert_str_equal(r.data,
                     "{\"pages\":7,\"quality\":0,\"fit\":0,\"tags\":2,\"title\":\"no title\","
                     "\"extra\":{\"deep\":[1,2]}}");
    assert_string_equal(r.output, "result");
    assert_int_equal(r.host.done, 1);
    assert_int_equal(r.host.total, 2);
    assert_string_equal(r.host.progress, "half");
    assert_string_equal(r.host.unit, "pages");
    assert_int_equal(r.host.amount, 3);
    assert_string_equal(r.host.note, "hello");
}

TEST(says_what_a_silent_step_did_not)
{
    CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
    Run r = run_step(a, "{\"width\":666}");
    assert_int_equal(r.code, ERR_INPUT_DAMAGED);
    assert_int_equal(r.err.code, ERR_INPUT_DAMAGED);
    assert_true(r.err.text[0] != 0);
}

TEST(refuses_what_it_cannot_run)
{
    static const struct {
        const char *params;
        ErrCode want;
    } cases[] = {
        {"", ERR_BAD_PARAM},
        {"{}", ERR_BAD_PARAM},
        {"{\"width\":\"a\"}", ERR_BAD_PARAM},
        {"{\"width\":1.5}", ERR_BAD_PARAM},
        {"{\"width\":1,\"fit\":\"none\"}", ERR_BAD_PARAM},
        {"{\"width\":1,\"tags\":[1]}", ERR_BAD_PARAM},
        {"{\"width\":1,\"enlarge\":1}", ERR_BAD_PARAM},
        {"[1]", ERR_BAD_PARAM},
        {"{", ERR_BAD_JSON},
        {"{\"width\":777}", ERR_LIMIT_OUTPUT},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
        Run r = run_step(a, cases[i].params);
        if (r.code != cases[i].want || r.err.text[0] == 0)
            fail_msg("%s: %s", cases[i].params, err_reason(r.code));
    }
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    Step described = step;
    described.run = NULL;
    Err err = {0};
    Str out;
    StepCtx c = {.arena = a, .err = &err};
    assert_int_equal(step_run(&described, &c, STR("{\"width\":1}"), &out), ERR_INTERNAL);
}

TEST(works_without_a_host)
{
    CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
    Err err = {0};
    int fd = -1;
    StepCtx c = {.arena = a, .err = &err};
    step_progress(&c, 1, 2, NULL);
    step_usage(&c, "pages", 1);
    step_note(&c, STR("x"));
    assert_false(step_canceled(&c));
    assert_int_equal(step_output(&c, STR("a"), STR("b"), &fd), ERR_INTERNAL);
    assert_int_equal(fd, -1);
    Host h = {.canceled = true};
    c.host = &host_functions;
    c.host_ctx = &h;
    assert_true(step_canceled(&c));
}

TEST(accepts_types_families_and_lists)
{
    static const struct {
        const char *accepts, *type;
        bool want;
    } cases[] = {
        {"image/*", "image/jpeg", true},
        {"image/*", "IMAGE/PNG", true},
        {"image/*", "imagex/png", false},
        {"image/*", "image/", false},
        {"image/*", "image", false},
        {"image/*", "", false},
        {"image/png,image/jpeg", "image/jpeg", true},
        {"image/png , image/jpeg", "image/jpeg", true},
        {"image/png,image/jpeg", "image/jpegx", false},
        {"text/plain", "text/plain; charset=utf-8", true},
        {"text/plain", "text/plain ;charset=utf-8", true},
        {"text/plain", "Text/Plain", true},
        {"*/*", "application/x-anything", true},
        {"*/*", "nothing", false},
        {"application/pdf,text/*", "text/csv", true},
        {"application/pdf,text/*", "application/zip", false},
        {NULL, "text/csv", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        Step s = {.accepts = cases[i].accepts};
        if (step_accepts(&s, str_from_c(cases[i].type)) != cases[i].want)
            fail_msg("%s against %s", cases[i].type, cases[i].accepts);
    }
}

static Str describe(Arena *a, const Step *s)
{
    Buf b = buf_init(a, 1 * MIB);
    JsonOut j = json_out(&b);
    step_put_json(s, &j);
    assert_false(b.failed);
    return buf_str(&b);
}

static Step read_back(Arena *a, Str text)
{
    const Json *j = NULL;
    Step s = {0};
    Err err = {0};
    assert_ok(json_parse(a, text, &j, &err), &err);
    assert_ok(step_from_json(j, a, &s, &err), &err);
    return s;
}

TEST(describes_itself_and_reads_it_back)
{
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    assert_null(registry_problem(&step, a));
    Str first = describe(a, &step);
    Step again = read_back(a, first);
    Str second = describe(a, &again);
    if (!str_eq(first, second))
        fail_msg("\n" STR_FMT "\n" STR_FMT, STR_ARG(first), STR_ARG(second));
    assert_null(registry_problem(&again, a));
    assert_null(again.run);
    assert_int_equal(again.attempts, 5);
    assert_int_equal(again.limits.memory_bytes, 1 << 20);
    assert_int_equal(again.errors[1], ERR_NO_TEXT);
    assert_int_equal(again.errors[2], OK);
    assert_string_equal(again.data[1].items[1].name, "note");
    assert_true(again.data[1].items[1].optional);
    assert_string_equal(param_find(again.params, STR("tags"))->def_text, "a,b");
    assert_int_equal(param_find(again.params, STR("fit"))->def, FIT_COVER);
    assert_false(param_has_default(param_find(again.params, STR("quality"))));
    assert_string_equal(again.examples[0].args, "{\"width\":320}");
}

TEST(a_read_step_checks_like_the_table)
{
    static const char *const given[] = {
        "{\"width\":5}",
        "{\"width\":5.0,\"ratio\":2,\"tags\":[\"x\"]}",
        "{\"width\":0}",
        "{\"nope\":1}",
        "{\"width\":1,\"quality\":101}",
        "{\"width\":1,\"extra\":{\"b\":1,\"a\":2}}",
    };
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    Step again = read_back(a, describe(a, &step));
    for (size_t i = 0; i < COUNT_OF(given); i++) {
        const Json *j = NULL;
        Err one = {0}, two = {0};
        ParamFaults faults;
        Str left = STR(""), right = STR("");
        assert_ok(json_parse(a, str_from_c(given[i]), &j, &one), &one);
        ErrCode rc = param_check(params, j, a, &left, &faults, &one);
        assert_int_equal(param_check(again.params, j, a, &right, &faults, &two), rc);
        assert_true(str_eq(left, right));
        assert_string_equal(one.text, two.text);
    }
}

TEST(refuses_hostile_descriptions)
{
    static const char *const bad[] = {
        "[]",
        "1",
        "null",
        "{}",
        "{\"name\":1}",
        "{\"name\":\"\"}",
        "{\"name\":null}",
        "{\"name\":\"a.b\",\"title\":7}",
        "{\"name\":\"a.b\",\"title\":\"x\\u001b[2Jy\"}",
        "{\"name\":\"a.b\",\"title\":\"x\\u0000y\"}",
        "{\"name\":\"a.b\",\"inputs_max\":-1}",
        "{\"name\":\"a.b\",\"inputs_max\":1e9}",
        "{\"name\":\"a.b\",\"inputs_max\":\"1\"}",
        "{\"name\":\"a.b\",\"cacheable\":1}",
        "{\"name\":\"a.b\",\"limits\":[]}",
        "{\"name\":\"a.b\",\"limits\":{\"time_ms\":-1}}",
        "{\"name\":\"a.b\",\"params\":{}}",
        "{\"name\":\"a.b\",\"params\":[1]}",
        "{\"name\":\"a.b\",\"params\":[{\"name\":\"x\"}]}",
        "{\"name\":\"a.b\",\"params\":[{\"name\":\"x\",\"type\":\"end\"}]}",
        "{\"name\":\"a.b\",\"params\":[{\"type\":\"int\"}]}",
        "{\"name\":\"a.b\",\"params\":[{\"name\":\"x\",\"type\":\"int\",\"min\":5,\"max\":1}]}",
        "{\"name\":\"a.b\",\"params\":[{\"name\":\"x\",\"type\":\"int\",\"min\":1.5,\"max\":2}]}",
        "{\"name\":\"a.b\",\"params\":[{\"name\":\"x\",\"type\":\"int\",\"default\":\"1\"}]}",
        "{\"name\":\"a.b\",\"params\":[{\"name\":\"x\",\"type\":\"int\",\"min\":-"
        "9223372036854775808,"
        "\"max\":9223372036854775807}]}",
        "{\"name\":\"a.b\",\"params\":[{\"name\":\"x\",\"type\":\"number\",\"min\":\"a\"}]}",
        "{\"name\":\"a.b\",\"params\":[{\"name\":\"x\",\"type\":\"number\",\"default\":1e999}]}",
        "{\"name\":\"a.b\",\"params\":[{\"name\":\"x\",\"type\":\"bool\",\"default\":true}]}",
        "{\"name\":\"a.b\",\"params\":[{\"name\":\"x\",\"type\":\"choice\",\"choices\":[\"a\"]}]}",
        "{\"name\":\"a.b\",\"params\":[{\"name\":\"x\",\"type\":\"choice\",\"choices\":[{\"name\":"
        "\"a\"}],"
        "\"default\":\"b\"}]}",
        "{\"name\":\"a.b\",\"params\":[{\"name\":\"x\",\"type\":\"list\",\"default\":\"a\"}]}",
        "{\"name\":\"a.b\",\"params\":[{\"name\":\"x\",\"type\":\"list\",\"default\":[\"a,b\"]}]}",
        "{\"name\":\"a.b\",\"params\":[{\"name\":\"x\",\"type\":\"list\",\"default\":[1]}]}",
        "{\"name\":\"a.b\",\"params\":[{\"name\":\"x\",\"type\":\"text\",\"max_len\":-1}]}",
        "{\"name\":\"a.b\",\"data\":[{\"name\":\"x\",\"type\":\"thing\"}]}",
        "{\"name\":\"a.b\",\"data\":[{\"name\":\"x\",\"type\":\"object\",\"items\":7}]}",
        "{\"name\":\"a.b\",\"errors\":[\"no_such_reason\"]}",
        "{\"name\":\"a.b\",\"errors\":[3]}",
        "{\"name\":\"a.b\",\"errors\":[\"ok\"]}",
        "{\"name\":\"a.b\",\"examples\":[{\"title\":\"T\",\"args\":[]}]}",
        "{\"name\":\"a.b\",\"examples\":[{}]}",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        CLEANUP(arena_close) Arena *a = arena_open(1 * MIB);
        const Json *j = NULL;
        Step s = {.name = "untouched"};
        Err err = {0};
        assert_ok(json_parse(a, str_from_c(bad[i]), &j, &err), &err);
        ErrCode rc = step_from_json(j, a, &s, &err);
        if (rc != ERR_ENGINE_PROTOCOL || err.text[0] == 0)
            fail_msg("%s: %s %s", bad[i], err_reason(rc), err.text);
        assert_string_equal(s.name, "untouched");
    }
}

TEST(bounds_depth_and_memory)
{
    CLEANUP(arena_close) Arena *a = arena_open(4 * MIB);
    Buf b = buf_init(a, 1 * MIB);
    buf_add_c(&b, "{\"name\":\"a.b\",\"data\":[");
    for (int i = 0; i < 12; i++)
        buf_add_c(&b, "{\"name\":\"x\",\"type\":\"object\",\"items\":[");
    for (int i = 0; i < 12; i++)
        buf_add_c(&b, "]}");
    buf_add_c(&b, "]}");
    const Json *j = NULL;
    Step s = {0};
    Err err = {0};
    assert_ok(json_parse(a, buf_str(&b), &j, &err), &err);
    assert_int_equal(step_from_json(j, a, &s, &err), ERR_ENGINE_PROTOCOL);

    Str text = describe(a, &step);
    assert_ok(json_parse(a, text, &j, &err), &err);
    for (size_t ceiling = 0; ceiling < 3000; ceiling += 16) {
        CLEANUP(arena_close) Arena *small = arena_open(ceiling);
        ErrCode rc = step_from_json(j, small, &s, &err);
        if (rc != OK)
            assert_int_equal(rc, ERR_NO_MEMORY);
    }
}

#ifdef PLATEN_FAULTS
TEST(survives_every_failure)
{
    for (int nth = 1;; nth++) {
        CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
        assert_non_null(a);
        fault_arm(nth);
        Run r = run_step(a, "{\"width\":7}");
        if (!fault_disarm()) {
            assert_ok(r.code, &r.err);
            break;
        }
        assert_int_not_equal(r.code, OK);
        assert_int_equal(r.err.code, r.code);
        assert_true(r.err.text[0] != 0);
    }
    for (int nth = 1;; nth++) {
        CLEANUP(arena_close) Arena *a = arena_open(64 * MIB);
        CLEANUP(arena_close) Arena *into = arena_open(64 * MIB);
        const Json *j = NULL;
        Step s = {0};
        Err err = {0};
        assert_ok(json_parse(a, describe(a, &step), &j, &err), &err);
        fault_arm(nth);
        ErrCode rc = step_from_json(j, into, &s, &err);
        if (!fault_disarm()) {
            assert_ok(rc, &err);
            return;
        }
        assert_int_equal(rc, ERR_NO_MEMORY);
    }
}
#else
TEST(survives_every_failure)
{
    skip();
}
#endif

TEST_MAIN(runs_with_filled_arguments, says_what_a_silent_step_did_not, refuses_what_it_cannot_run,
          works_without_a_host, accepts_types_families_and_lists,
          describes_itself_and_reads_it_back, a_read_step_checks_like_the_table,
          refuses_hostile_descriptions, bounds_depth_and_memory, survives_every_failure)
