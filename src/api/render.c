#include "api/render.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/hash.h"
#include "base/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { JSON_MAX = 1024 * 1024, PAGES_MAX = 100000 };

/* --- what was answered before --- */

typedef struct Slot {
    char key[HASH_HEX_SIZE];
    Rendered answer;
} Slot;

struct RenderCache {
    Mutex lock; /* guards the slots */
    Slot slots[RENDER_SLOTS];
};

RenderCache *render_cache_open(void)
{
    RenderCache *c = fault_hit("render.cache") ? NULL : calloc(1, sizeof *c);
    if (c != NULL)
        mutex_init(&c->lock);
    return c;
}

void render_cache_close(RenderCache **c)
{
    if (*c == NULL)
        return;
    mutex_done(&(*c)->lock);
    free(*c);
    *c = NULL;
}

/* The ending of a name, as far as it can matter. */
static Str ending_of(Str name)
{
    size_t dot = str_rfind_char(name, '.');
    Str ending = dot == STR_NONE ? STR("") : str_slice(name, dot, name.len);
    for (size_t i = 1; i < ending.len; i++) {
        char c = ending.ptr[i];
        bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!plain || i > 12)
            return STR("");
    }
    return ending;
}

static bool key_of(const RenderAsk *ask, char key[HASH_HEX_SIZE])
{
    char text[160];
    Str ending = ending_of(ask->name);
    int64_t width = ask->kind == RENDER_PICTURE ? ask->width : 0;
    int n = snprintf(text, sizeof text, STR_FMT " %d %" PRId64 " %" PRId64 " " STR_FMT,
                     STR_ARG(ask->hash), (int)ask->kind, ask->page, width, STR_ARG(ending));
    return n > 0 && n < (int)sizeof text && hash_sha256((Str){text, (size_t)n}, key);
}

static size_t slot_of(const char key[HASH_HEX_SIZE])
{
    char digits[9] = {0};
    memcpy(digits, key, 8);
    return strtoul(digits, NULL, 16) % RENDER_SLOTS;
}

static bool recall(const App *app, const RenderAsk *ask, Rendered *out)
{
    char key[HASH_HEX_SIZE];
    if (!key_of(ask, key))
        return false;
    RenderCache *c = app->rendered;
    MUTEX_HELD(&c->lock);
    const Slot *s = &c->slots[slot_of(key)];
    *out = s->answer;
    return strcmp(s->key, key) == 0;
}

static void remember(const App *app, const RenderAsk *ask, const Rendered *answer)
{
    char key[HASH_HEX_SIZE];
    if (!key_of(ask, key))
        return;
    RenderCache *c = app->rendered;
    MUTEX_HELD(&c->lock);
    Slot *s = &c->slots[slot_of(key)];
    memcpy(s->key, key, sizeof s->key);
    s->answer = *answer;
}

bool render_known(const App *app, const RenderAsk *ask, Rendered *out, int *fd, int64_t *size)
{
    Err err;
    return recall(app, ask, out) &&
           blob_open(app->blobs, str_from_c(out->hash), fd, size, &err) == OK;
}

int64_t render_width(int64_t width)
{
    static const int64_t widths[] = {160, 320, 640, 1200, 2000};
    for (size_t i = 0; i < COUNT_OF(widths); i++)
        if (width <= widths[i])
            return widths[i];
    return widths[COUNT_OF(widths) - 1];
}

/* --- one step on one file --- */

typedef struct Render {
    const App *app;
    const RenderAsk *ask;
    const atomic_bool *canceled;
    Arena *a;
    Err *err;
    Str hash, type; /* of what steps read: the file, or the PDF made of it */
} Render;

static ErrCode find_step(const Render *r, const char *name, const Step **out)
{
    *out = registry_find(r->app->registry, str_from_c(name));
    if (*out != NULL)
        return OK;
    err_set(r->err, ERR_ENGINE_MISSING, "the engine of %s is not installed", name);
    err_hint(r->err, "`platen doctor` lists the engines; the file can still be downloaded.");
    return ERR_ENGINE_MISSING;
}

static ErrCode check_params(const Render *r, const Step *step, Str params, EngineTask *task)
{
    const Json *given = NULL;
    ParamFaults *faults = arena_new(r->a, ParamFaults, 1);
    if (faults == NULL || params.ptr == NULL)
        return err_set(r->err, ERR_NO_MEMORY, "no memory for a preview");
    ErrCode rc = json_parse(r->a, params, &given, r->err);
    return rc == OK ? param_check(step->params, given, r->a, &task->params, faults, r->err) : rc;
}

static ErrCode run(const Render *r, const char *name, Str params, EngineResult **out)
{
    const Step *step = NULL;
    CLEANUP(fd_close) int fd = -1;
    StepInput input = {.name = r->ask->name, .type = r->type};
    EngineTask task = {.inputs = &input,
                       .inputs_len = 1,
                       .canceled = r->canceled,
                       .limits.time_ms = RENDER_TIME_MS};
    *out = arena_new(r->a, EngineResult, 1);
    if (*out == NULL)
        return err_set(r->err, ERR_NO_MEMORY, "no memory for a preview");
    ErrCode rc = find_step(r, name, &step);
    task.step = step;
    if (rc == OK)
        rc = check_params(r, step, params, &task);
    if (rc == OK)
        rc = blob_open(r->app->blobs, r->hash, &fd, &input.size_bytes, r->err);
    input.fd = fd;
    return rc == OK ? engine_run(r->app->engines, &task, r->a, *out, r->err) : rc;
}

/* The first output is the answer. */
static ErrCode take_output(const Render *r, const EngineResult *result, Rendered *out)
{
    if (result->outputs_len == 0)
        return err_set(r->err, ERR_UNSUPPORTED_TYPE, "there is nothing to show of this file");
    const EngineOutput *o = &result->outputs[0];
    memcpy(out->hash, o->blob.hash, sizeof out->hash);
    snprintf(out->type, sizeof out->type, STR_FMT, STR_ARG(o->type));
    return OK;
}

static ErrCode put_json(const Render *r, Str json, Rendered *out)
{
    Blob blob;
    ErrCode rc = blob_put(r->app->blobs, json, &blob, r->err);
    if (rc != OK)
        return rc;
    memcpy(out->hash, blob.hash, sizeof out->hash);
    snprintf(out->type, sizeof out->type, "application/json");
    return OK;
}

static ErrCode one_output(const Render *r, const char *step, Str params, Rendered *out)
{
    EngineResult *result;
    ErrCode rc = run(r, step, params, &result);
    return rc == OK ? take_output(r, result, out) : rc;
}

static ErrCode only_data(const Render *r, const char *step, Rendered *out)
{
    EngineResult *result;
    ErrCode rc = run(r, step, STR("{}"), &result);
    return rc == OK ? put_json(r, result->data, out) : rc;
}

/* --- what it is --- */

typedef struct Detected {
    Str type, name, family, charset, language;
    bool encrypted;
} Detected;

static ErrCode read_json(const Render *r, const Rendered *from, const Json **out)
{
    CLEANUP(fd_close) int fd = -1;
    int64_t size;
    Str text;
    ErrCode rc = blob_open(r->app->blobs, str_from_c(from->hash), &fd, &size, r->err);
    if (rc == OK)
        rc = fd_read_file(fd, r->a, JSON_MAX, &text, r->err);
    return rc == OK ? json_parse(r->a, text, out, r->err) : rc;
}

static ErrCode detect(const Render *r, Detected *out)
{
    Rendered found;
    const Json *data = NULL;
    const RenderAsk ask = {.hash = r->ask->hash, .name = r->ask->name, .kind = RENDER_TYPE};
    ErrCode rc = render(r->app, &ask, r->canceled, r->a, &found, r->err);
    if (rc == OK)
        rc = read_json(r, &found, &data);
    *out = (Detected){
        .type = json_text(json_get(data, "type")),
        .name = json_text(json_get(data, "name")),
        .family = json_text(json_get(data, "family")),
        .charset = json_text(json_get(data, "charset")),
        .language = json_text(json_get(data, "language")),
        .encrypted = json_bool(json_get(data, "encrypted"), false),
    };
    return rc;
}

/* Families of file.detect whose pages can be drawn. */
static bool has_pages(const Detected *d)
{
    return str_eq_c(d->family, "document") || str_eq_c(d->family, "text");
}

static bool is_pdf(const Detected *d)
{
    return str_eq_c(d->type, "application/pdf");
}

static bool is_media(const Detected *d)
{
    return str_eq_c(d->family, "audio") || str_eq_c(d->family, "video");
}

static ErrCode nothing_to_show(const Render *r, const Detected *d, const char *what)
{
    err_set(r->err, ERR_UNSUPPORTED_TYPE, "there is no %s of \"" STR_FMT "\"", what,
            STR_ARG(d->type));
    err_hint(r->err, "Download the file; kind=info says what can be shown of it.");
    return ERR_UNSUPPORTED_TYPE;
}

/* From now on the file is its PDF. */
static ErrCode through_pdf(Render *r, const Detected *d)
{
    if (is_pdf(d))
        return OK;
    Rendered *pdf = arena_new(r->a, Rendered, 1);
    if (pdf == NULL)
        return err_set(r->err, ERR_NO_MEMORY, "no memory for a preview");
    const RenderAsk ask = {.hash = r->ask->hash, .name = r->ask->name, .kind = RENDER_PDF};
    ErrCode rc = render(r->app, &ask, r->canceled, r->a, pdf, r->err);
    r->hash = str_from_c(pdf->hash);
    r->type = STR("application/pdf");
    return rc;
}

/* --- the kinds --- */

/* Web pages and texts are laid out by our own engine: they may not ask for anything, and it takes
 * milliseconds. Office files look as the office suite prints them. */
static ErrCode as_pdf(const Render *r, const Detected *d, Rendered *out)
{
    bool light = str_eq_c(d->family, "text") || str_eq_c(d->type, "text/html");
    return one_output(r, "document.convert",
                      light ? STR("{\"to\":\"pdf\",\"light\":true}") : STR("{\"to\":\"pdf\"}"),
                      out);
}

static ErrCode picture(Render *r, const Detected *d, Rendered *out)
{
    int64_t width = r->ask->width, page = r->ask->page > 0 ? r->ask->page : 1;
    if (str_eq_c(d->family, "image"))
        return one_output(r, "image.convert",
                          str_printf(r->a,
                                     "{\"format\":\"webp\",\"width\":%" PRId64
                                     ",\"height\":%" PRId64 ",\"page\":%" PRId64 "}",
                                     width, width * 4, page),
                          out);
    if (is_media(d))
        return one_output(r, "media.thumbnail",
                          str_printf(r->a, "{\"format\":\"webp\",\"width\":%" PRId64 "}", width),
                          out);
    if (!has_pages(d))
        return nothing_to_show(r, d, "picture");
    ErrCode rc = through_pdf(r, d);
    return rc == OK ? one_output(r, "document.convert",
                                 str_printf(r->a,
                                            "{\"to\":\"webp\",\"pages\":\"%" PRId64
                                            "\",\"width\":%" PRId64 "}",
                                            page, width),
                                 out)
                    : rc;
}

static ErrCode text(const Render *r, const Detected *d, Rendered *out)
{
    if (!has_pages(d))
        return nothing_to_show(r, d, "text");
    Str pages = r->ask->page > 0 ? str_printf(r->a, "%" PRId64, r->ask->page) : STR("");
    return one_output(
        r, "document.extract",
        str_printf(r->a, "{\"ocr\":\"never\",\"pages\":\"" STR_FMT "\"}", STR_ARG(pages)), out);
}

static ErrCode wave(const Render *r, const Detected *d, Rendered *out)
{
    if (!is_media(d))
        return nothing_to_show(r, d, "sound");
    return one_output(r, "media.waveform", STR("{\"points\":600}"), out);
}

static ErrCode entries(const Render *r, const Detected *d, Rendered *out)
{
    if (!str_eq_c(d->family, "archive"))
        return nothing_to_show(r, d, "list of entries");
    return only_data(r, "archive.list", out);
}

/* --- info --- */

typedef struct Facts {
    int64_t pages, width, height, duration_ms; /* 0: unknown */
    bool picture, text, wave, entries;
} Facts;

static ErrCode data_of(const Render *r, const char *step, Str params, const Json **out)
{
    EngineResult *result;
    ErrCode rc = run(r, step, params, &result);
    return rc == OK ? json_parse(r->a, result->data, out, r->err) : rc;
}

static ErrCode picture_facts(const Render *r, Facts *f)
{
    const Json *data = NULL;
    ErrCode rc = data_of(r, "image.info", STR("{}"), &data);
    f->picture = rc == OK;
    f->width = json_int(json_get(data, "width"), 0);
    f->height = json_int(json_get(data, "height"), 0);
    f->pages = json_int(json_get(data, "pages"), 0);
    return rc;
}

static ErrCode media_facts(const Render *r, Facts *f)
{
    const Json *data = NULL;
    ErrCode rc = data_of(r, "media.probe", STR("{}"), &data);
    f->wave = json_bool(json_get(data, "has_audio"), false);
    f->picture = json_bool(json_get(data, "has_video"), false);
    f->duration_ms = json_int(json_get(data, "duration_ms"), 0);
    json_each(s, json_get(data, "streams")) {
        bool drawn = str_eq_c(json_text(json_get(s, "kind")), "video");
        if (drawn && f->width == 0) {
            f->width = json_int(json_get(s, "width"), 0);
            f->height = json_int(json_get(s, "height"), 0);
        }
    }
    return rc;
}

static ErrCode page_facts(Render *r, const Detected *d, Facts *f)
{
    const Json *data = NULL;
    ErrCode rc = through_pdf(r, d);
    if (rc == OK)
        rc = data_of(r, "document.extract", STR("{\"ocr\":\"never\",\"pages\":\"1\"}"), &data);
    if (rc == ERR_NO_TEXT) /* a scan: its pages can be drawn all the same */
        rc = OK;
    f->pages = json_int(json_get(data, "pages"), rc == OK ? 1 : 0);
    f->picture = rc == OK;
    f->text = data != NULL;
    return rc;
}

static void put_kinds(JsonOut *j, const Facts *f)
{
    json_key(j, "preview");
    json_begin(j, '[');
    if (f->picture)
        json_put_str(j, STR("picture"));
    if (f->text)
        json_put_str(j, STR("text"));
    if (f->wave)
        json_put_str(j, STR("wave"));
    if (f->entries)
        json_put_str(j, STR("entries"));
    json_end(j, ']');
}

static void put_known(JsonOut *j, const char *name, int64_t value)
{
    if (value > 0)
        json_kv_int(j, name, value);
}

static ErrCode put_info(const Render *r, const Detected *d, const Facts *f, Rendered *out)
{
    Buf b = buf_init(r->a, JSON_MAX);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    json_kv_str(&j, "type", d->type);
    json_kv_str(&j, "name", d->name);
    json_kv_str(&j, "family", d->family);
    put_kinds(&j, f);
    put_known(&j, "pages", f->pages);
    put_known(&j, "width", f->width);
    put_known(&j, "height", f->height);
    put_known(&j, "duration_ms", f->duration_ms);
    json_kv_bool(&j, "encrypted", d->encrypted);
    if (d->charset.len > 0)
        json_kv_str(&j, "charset", d->charset);
    if (d->language.len > 0)
        json_kv_str(&j, "language", d->language);
    json_end(&j, '}');
    return b.failed ? err_set(r->err, ERR_NO_MEMORY, "no memory for a preview")
                    : put_json(r, buf_str(&b), out);
}

/* What cannot be read further is still told what it is: the list of previews is then empty. What may
 * go well the next time is a failure, so that it is not remembered. */
static ErrCode info(Render *r, const Detected *d, Rendered *out)
{
    Facts f = {.entries = str_eq_c(d->family, "archive")};
    ErrCode rc = OK;
    if (str_eq_c(d->family, "image"))
        rc = picture_facts(r, &f);
    else if (is_media(d))
        rc = media_facts(r, &f);
    else if (has_pages(d))
        rc = page_facts(r, d, &f);
    if (rc != OK && (err_retry(rc) != RETRY_NEVER || rc == ERR_CANCELED))
        return rc;
    return put_info(r, d, &f, out);
}

static ErrCode make(Render *r, Rendered *out)
{
    Detected d = {0};
    if (r->ask->kind == RENDER_TYPE)
        return only_data(r, "file.detect", out);
    ErrCode rc = detect(r, &d);
    if (rc != OK)
        return rc;
    r->type = d.type;
    switch (r->ask->kind) {
    case RENDER_PICTURE:
        return picture(r, &d, out);
    case RENDER_TEXT:
        return text(r, &d, out);
    case RENDER_WAVE:
        return wave(r, &d, out);
    case RENDER_ENTRIES:
        return entries(r, &d, out);
    case RENDER_PDF:
        return as_pdf(r, &d, out);
    case RENDER_INFO:
    case RENDER_TYPE:
        break;
    }
    return info(r, &d, out);
}

ErrCode render(const App *app, const RenderAsk *ask, const atomic_bool *canceled, Arena *a,
               Rendered *out, Err *err)
{
    CLEANUP(fd_close) int fd = -1;
    int64_t size;
    if (render_known(app, ask, out, &fd, &size))
        return OK;
    Render r = {.app = app,
                .ask = ask,
                .canceled = canceled,
                .a = a,
                .err = err,
                .hash = ask->hash,
                .type = STR("")};
    ErrCode rc = make(&r, out);
    if (rc == OK)
        remember(app, ask, out);
    return rc;
}
