#include "api/former.h"
#include "api/gather.h"
#include "api/params.h"
#include "api/routes.h"
#include "api/wait.h"
#include "api/write.h"
#include "base/fd.h"
#include "base/id.h"

#include <stdio.h>
#include <string.h>

enum { WAIT_S = 60, TEXT_MAX = 24 * 1024 * 1024, PARAMS_MAX = 64 * 1024 };

typedef struct FormerArgs {
    Str output_format, language, password, operation;
    int64_t width, height, quality, start_page, end_page;
} FormerArgs;

#define OUTPUT_FORMAT(shown)                                                                       \
    PARAM_TEXT(FormerArgs, output_format, .max_len = 20, .def_text = "", .example = shown,         \
               .help = "Format to make.")
#define SIZE                                                                                       \
    PARAM_INT(FormerArgs, width, .min = 0, .max = 16384, .unit = "px", .help = "Largest width."),  \
        PARAM_INT(FormerArgs, height, .min = 0, .max = 16384, .unit = "px",                        \
                  .help = "Largest height.")
#define PASSWORD                                                                                   \
    PARAM_TEXT(FormerArgs, password, .secret = true, .max_len = 500,                               \
               .help = "Password of an encrypted file.")
#define LANGUAGE                                                                                   \
    PARAM_TEXT(FormerArgs, language, .max_len = 100, .def_text = "", .example = "eng+deu",         \
               .help = "Languages for text recognition, joined by a plus sign.")

const Param former_document_params[] = {OUTPUT_FORMAT("pdf"), PASSWORD, LANGUAGE, PARAM_END};
const Param former_picture_params[] = {
    OUTPUT_FORMAT("webp"), SIZE,
    PARAM_INT(FormerArgs, quality, .min = 0, .max = 100, .help = "Quality of the picture."),
    PARAM_END};
const Param former_video_params[] = {OUTPUT_FORMAT("mp4"), SIZE,
                                     PARAM_TEXT(FormerArgs, operation, .max_len = 20,
                                                .def_text = "", .example = "thumbnail",
                                                .help = "One of convert, thumbnail, audio."),
                                     PARAM_END};
const Param former_text_params[] = {PASSWORD, LANGUAGE, PARAM_END};
const Param former_range_params[] = {PARAM_INT(FormerArgs, start_page, .required = true, .min = 1,
                                               .max = 1000000, .help = "First page."),
                                     PARAM_INT(FormerArgs, end_page, .required = true, .min = 1,
                                               .max = 1000000, .help = "Last page."),
                                     PASSWORD, LANGUAGE, PARAM_END};
const Param former_ocr_params[] = {LANGUAGE, PASSWORD, PARAM_END};

/* ---- what a row asks for ---- */

/* The step's name, and its parameters onto *j. */
typedef const char *(*FormerAsk)(const FormerArgs *a, JsonOut *j);

static void put_if(JsonOut *j, const char *key, Str value)
{
    if (value.len > 0)
        json_kv_str(j, key, value);
}

static void put_size(JsonOut *j, const FormerArgs *a)
{
    if (a->width > 0)
        json_kv_int(j, "width", a->width);
    if (a->height > 0)
        json_kv_int(j, "height", a->height);
}

static void put_languages(JsonOut *j, const FormerArgs *a)
{
    Str rest = a->language, one;
    if (rest.len == 0)
        return;
    json_key(j, "languages");
    json_begin(j, '[');
    while (str_next(&rest, '+', &one))
        json_put_str(j, str_trim(one));
    json_end(j, ']');
}

static const char *extract(const FormerArgs *a, JsonOut *j, const char *format)
{
    json_kv_c(j, "format", format);
    put_if(j, "password", a->password);
    put_languages(j, a);
    return "document.extract";
}

static const char *ask_text(const FormerArgs *a, JsonOut *j)
{
    return extract(a, j, "text");
}

static const char *ask_range(const FormerArgs *a, JsonOut *j)
{
    json_key(j, "pages");
    char pages[48];
    snprintf(pages, sizeof pages, "%" PRId64 "-%" PRId64, a->start_page, a->end_page);
    json_put_c(j, pages);
    return extract(a, j, "text");
}

static bool is(Str s, const char *word)
{
    return str_eq_nocase(s, str_from_c(word));
}

static const char *ask_convert(const FormerArgs *a, JsonOut *j)
{
    put_if(j, "to",
           is(a->output_format, "md")    ? STR("markdown")
           : is(a->output_format, "txt") ? STR("text")
           : is(a->output_format, "jpg") ? STR("jpeg")
                                         : a->output_format);
    put_if(j, "password", a->password);
    return "document.convert";
}

/* A document was read unless another format was asked for. */
static const char *ask_document(const FormerArgs *a, JsonOut *j)
{
    Str f = a->output_format;
    if (f.len == 0 || is(f, "text") || is(f, "txt"))
        return extract(a, j, "text");
    if (is(f, "markdown") || is(f, "md"))
        return extract(a, j, "markdown");
    return is(f, "json") ? extract(a, j, "json") : ask_convert(a, j);
}

static const char *ask_picture(const FormerArgs *a, JsonOut *j)
{
    put_if(j, "format", is(a->output_format, "jpg") ? STR("jpeg") : a->output_format);
    put_size(j, a);
    if (a->quality > 0)
        json_kv_int(j, "quality", a->quality);
    return "image.convert";
}

static const char *ask_video(const FormerArgs *a, JsonOut *j)
{
    put_if(j, "format", is(a->output_format, "jpg") ? STR("jpeg") : a->output_format);
    if (is(a->operation, "audio"))
        return "media.audio";
    if (a->width > 0)
        json_kv_int(j, "width", a->width);
    if (is(a->operation, "thumbnail"))
        return "media.thumbnail";
    if (a->height > 0)
        json_kv_int(j, "height", a->height);
    return "media.transcode";
}

static const char *ask_ocr_image(const FormerArgs *a, JsonOut *j)
{
    put_languages(j, a);
    return "ocr.image";
}

static const char *ask_ocr_document(const FormerArgs *a, JsonOut *j)
{
    put_languages(j, a);
    put_if(j, "password", a->password);
    json_key(j, "format");
    json_begin(j, '[');
    json_put_c(j, "text");
    json_end(j, ']');
    return "ocr.document";
}

/* ---- how a job is shown ---- */

static const char *former_state(JobState s)
{
    static const char *const names[] = {[JOB_QUEUED] = "queued",
                                        [JOB_RUNNING] = "processing",
                                        [JOB_DONE] = "completed",
                                        [JOB_FAILED] = "failed",
                                        [JOB_CANCELED] = "cancelled"};
    return names[s];
}

static void put_handle(JsonOut *j, const Job *job)
{
    char id[ID_TEXT_SIZE], url[ID_TEXT_SIZE + 16];
    id_text("job", job->id, id);
    snprintf(url, sizeof url, "/api/v1/job/%s", id);
    json_kv_c(j, "job_id", id);
    json_kv_c(j, "status", former_state(job->state));
    json_kv_c(j, "check_status_url", url);
}

static void answer_accepted(Call *c, const Job *job)
{
    json_begin(&c->json, '{');
    put_handle(&c->json, job);
    json_end(&c->json, '}');
    call_answer(c, 202);
}

static ErrCode read_output(Call *c, const Job *job, Str *out)
{
    CLEANUP(fd_close) int fd = -1;
    int64_t size = 0;
    *out = STR("");
    if (job->outputs_len == 0 || !str_starts(job->outputs[0].type, STR("text/")))
        return OK;
    ErrCode rc = blob_open(c->app->blobs, job->outputs[0].hash, &fd, &size, &c->err);
    return rc == OK ? fd_read_file(fd, c->arena, TEXT_MAX, out, &c->err) : rc;
}

static int64_t data_int(const Json *data, const char *key)
{
    return json_int(json_get(data, key), 0);
}

/* The same words everywhere: what came of it, from data that the steps share. */
static void put_facts(JsonOut *j, const Job *job, const Json *data, Str text)
{
    const Json *metadata = json_get(data, "metadata"), *type = json_get(data, "type");
    const Json *language = json_get(data, "language"), *sure = json_get(data, "confidence");
    json_kv_str(j, "source_type",
                type != NULL          ? json_text(type)
                : job->inputs_len > 0 ? job->inputs[0].type
                                      : STR(""));
    json_kv_int(j, "page_count", data_int(data, "pages"));
    json_kv_int(j, "word_count", data_int(data, "words"));
    json_kv_int(j, "char_count", (int64_t)str_count_utf8(text));
    write_time(j, "extracted_at", job->finished_ms);
    json_kv_double(j, "duration", (double)(job->finished_ms - job->started_ms) / 1000);
    if (language != NULL)
        json_kv_str(j, "language", json_text(language));
    double share;
    if (sure != NULL && json_double(sure, &share))
        json_kv_double(j, "confidence", share);
    json_key(j, "metadata");
    if (metadata != NULL)
        json_put(j, metadata);
    else
        json_put_raw(j, STR("{}"));
}

/* A failed job as the problem it would have been at once; one that still runs as its handle. */
static bool answer_unless_done(Call *c, const Job *job)
{
    if (job->state == JOB_DONE)
        return false;
    if (job->state != JOB_FAILED && job->state != JOB_CANCELED) {
        answer_accepted(c, job);
        return true;
    }
    ErrCode code = err_from_reason(job->reason);
    err_set(&c->err, code != OK ? code : ERR_INTERNAL, STR_FMT, STR_ARG(job->detail));
    if (job->hint.len > 0)
        err_hint(&c->err, STR_FMT, STR_ARG(job->hint));
    call_fail(c);
    return true;
}

static ErrCode read_result(Call *c, const Job *job, const Json **data, Str *text)
{
    *data = NULL;
    ErrCode rc = read_output(c, job, text);
    return rc == OK && job->data.len > 0 ? json_parse(c->arena, job->data, data, &c->err) : rc;
}

static void answer_text(Call *c, const Job *job)
{
    const Json *data;
    Str text;
    if (answer_unless_done(c, job))
        return;
    if (read_result(c, job, &data, &text) != OK) {
        call_fail(c);
        return;
    }
    json_begin(&c->json, '{');
    json_kv_str(&c->json, "text", text);
    put_facts(&c->json, job, data, text);
    json_end(&c->json, '}');
    call_answer(c, 200);
}

/* Bytes before character `chars`. */
static size_t byte_of(Str s, size_t from, int64_t *at, int64_t chars)
{
    while (from < s.len && *at < chars) {
        from++;
        while (from < s.len && ((unsigned char)s.ptr[from] & 0xC0) == 0x80)
            from++;
        ++*at;
    }
    return from;
}

static void put_page(JsonOut *j, int64_t number, Str text)
{
    Str trimmed = str_trim(text);
    json_begin(j, '{');
    json_kv_int(j, "page", number);
    json_kv_str(j, "text", trimmed);
    json_kv_int(j, "char_count", (int64_t)str_count_utf8(trimmed));
    json_end(j, '}');
}

/* Data says where each page begins, in characters. */
static void put_pages(JsonOut *j, const Json *data, int64_t first, Str text)
{
    const Json *starts = json_get(data, "page_starts");
    size_t from = 0;
    int64_t at = 0, number = 1;
    json_key(j, "pages");
    json_begin(j, '[');
    json_each(start, starts) {
        const Json *next = start->next;
        size_t to = next != NULL ? byte_of(text, from, &at, json_int(next, 0)) : text.len;
        if (number >= first) /* those before it were not asked for */
            put_page(j, number, str_slice(text, from, to));
        from = to;
        number++;
    }
    if (starts == NULL && text.len > 0)
        put_page(j, first, text);
    json_end(j, ']');
}

/* Pages were asked for as "first-last", or all. */
static int64_t first_page(Call *c, const Job *job)
{
    const Json *params = NULL;
    int64_t first = 1;
    if (json_parse(c->arena, job->params, &params, NULL) != OK)
        return 1;
    Str pages = json_text(json_get(params, "pages"));
    return str_to_i64(str_slice(pages, 0, str_find_char(pages, '-')), &first) ? first : 1;
}

static void answer_pages(Call *c, const Job *job)
{
    const Json *data;
    Str text;
    if (answer_unless_done(c, job))
        return;
    if (read_result(c, job, &data, &text) != OK) {
        call_fail(c);
        return;
    }
    json_begin(&c->json, '{');
    put_pages(&c->json, data, first_page(c, job), text);
    json_kv_int(&c->json, "total_pages", data_int(data, "pages"));
    put_facts(&c->json, job, data, text);
    json_end(&c->json, '}');
    call_answer(c, 200);
}

static void answer_file(Call *c, const Job *job)
{
    int fd = -1;
    int64_t size = 0;
    if (answer_unless_done(c, job))
        return;
    const JobFile *f = job->outputs;
    ErrCode rc = job->outputs_len > 0 ? blob_open(c->app->blobs, f->hash, &fd, &size, &c->err)
                                      : err_set(&c->err, ERR_NOT_FOUND, "the job gave no file");
    if (rc != OK)
        call_fail(c);
    else
        http_answer_file(c->req, fd, size, f->type, f->hash, f->name);
}

/* ---- the table ---- */

typedef struct Former {
    const char *path;
    const Param *params;
    FormerAsk ask;
    WaitAnswer answer; /* NULL: at once */
} Former;

static const Former formers[] = {
    {"/api/v1/process/document", former_document_params, ask_document, NULL},
    {"/api/v1/process/image", former_picture_params, ask_picture, NULL},
    {"/api/v1/process/video", former_video_params, ask_video, NULL},
    {"/api/v1/ocr/image", former_ocr_params, ask_ocr_image, answer_text},
    {"/api/v1/ocr/document", former_ocr_params, ask_ocr_document, answer_text},
    {"/api/v1/extract/text", former_text_params, ask_text, answer_text},
    {"/api/v1/extract/pdf-pages", former_text_params, ask_text, answer_pages},
    {"/api/v1/extract/pdf-range", former_range_params, ask_range, answer_pages},
    {"/api/v1/extract/async/text", former_text_params, ask_text, NULL},
    {"/api/v1/extract/async/pdf-pages", former_text_params, ask_text, NULL},
    {"/api/v1/extract/async/pdf-range", former_range_params, ask_range, NULL},
    {"/api/v1/sync/convert/document", former_document_params, ask_convert, answer_file},
    {"/api/v1/sync/convert/image", former_picture_params, ask_picture, answer_file},
    {"/api/v1/sync/convert/video", former_video_params, ask_video, answer_file},
};

static const Former *find_former(Str path)
{
    for (size_t i = 0; i < COUNT_OF(formers); i++)
        if (str_eq_c(path, formers[i].path))
            return &formers[i];
    return NULL;
}

/* Form fields and query by the row's table, which also refuses what is unknown. */
static ErrCode read_args(Call *c, const Former *f, FormerArgs *out, ParamFaults *faults)
{
    Gathered g = {.table = f->params, .option_params = run_option_params};
    const Json *canonical = NULL;
    Str text;
    ErrCode rc = gather_request(c, &g);
    if (rc == OK)
        rc = param_check(f->params, &g.params, c->arena, &text, faults, &c->err);
    if (rc == OK)
        rc = json_parse(c->arena, text, &canonical, &c->err);
    return rc == OK ? param_fill(f->params, canonical, c->arena, out, &c->err) : rc;
}

static ErrCode read_file(Call *c, JobFile *out)
{
    if (c->req->uploads_len != 1) {
        err_set(&c->err, ERR_INPUT_MISSING, "%zu files came, one is needed", c->req->uploads_len);
        err_hint(&c->err, "send it as multipart/form-data, in the field \"file\"");
        return ERR_INPUT_MISSING;
    }
    const HttpUpload *u = &c->req->uploads[0];
    *out = (JobFile){.name = u->filename.len > 0 ? u->filename : STR("input"),
                     .type = u->type,
                     .hash = {u->blob.hash, BLOB_HASH_LEN},
                     .size_bytes = u->blob.size_bytes};
    return OK;
}

/* The former words as the step's own parameters, checked like anybody's. */
static ErrCode make_job(Call *c, const Former *f, const FormerArgs *a, JobNew *out,
                        ParamFaults *faults)
{
    const Json *given = NULL;
    Buf b = buf_init(c->arena, PARAMS_MAX);
    JsonOut j = json_out(&b);
    json_begin(&j, '{');
    const char *name = f->ask(a, &j);
    json_end(&j, '}');
    out->step = registry_find(c->app->registry, str_from_c(name));
    if (b.failed || out->step == NULL)
        return err_set(&c->err, ERR_ENGINE_MISSING, "the engine of %s is not installed", name);
    ErrCode rc = json_parse(c->arena, buf_str(&b), &given, &c->err);
    return rc == OK ? param_check(out->step->params, given, c->arena, &out->params, faults, &c->err)
                    : rc;
}

void former_run(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    const Former *f = find_former(req->path);
    FormerArgs args = {0};
    ParamFaults faults = {0};
    JobFile file;
    JobNew n = {.project = c.who.project,
                .key = c.who.key,
                .inputs = &file,
                .inputs_len = 1,
                .trace = str_from_c(req->trace)};
    JobAdded added;
    Job job;
    ErrCode rc = f != NULL ? read_args(&c, f, &args, &faults)
                           : err_set(&c.err, ERR_NOT_FOUND, "there is no such path");
    if (rc == OK)
        rc = read_file(&c, &file);
    if (rc == OK)
        rc = make_job(&c, f, &args, &n, &faults);
    if (rc == OK)
        rc = flow_add(c.app->db, &n, &added, &c.err);
    if (rc == OK && f->answer == NULL)
        rc = flow_get(c.reader, c.who.project, added.job, c.arena, &job, &c.err);
    if (rc != OK)
        call_refuse(&c, rc, &faults);
    else if (f->answer == NULL)
        answer_accepted(&c, &job);
    else
        wait_for_job_then(&c, added.job, WAIT_S, f->answer);
}

static void put_result(Call *c, const Job *job)
{
    const Json *data;
    Str text;
    if (read_result(c, job, &data, &text) != OK)
        return;
    json_key(&c->json, "result");
    json_begin(&c->json, '{');
    if (text.len > 0) {
        json_kv_str(&c->json, "text", text);
        put_pages(&c->json, data, first_page(c, job), text);
    }
    json_kv_int(&c->json, "total_pages", data_int(data, "pages"));
    put_facts(&c->json, job, data, text);
    json_end(&c->json, '}');
}

void former_job(HttpRequest *req)
{
    Call c;
    if (!call_begin(req, &c))
        return;
    int64_t id;
    Job job;
    ErrCode rc = call_path_id(&c, 0, "job", &id);
    if (rc == OK)
        rc = flow_get(c.reader, c.who.project, id, c.arena, &job, &c.err);
    if (rc != OK) {
        call_fail(&c);
        return;
    }
    JsonOut *j = &c.json;
    json_begin(j, '{');
    put_handle(j, &job);
    json_kv_int(j, "progress",
                job.state == JOB_DONE    ? 100
                : job.progress_total > 0 ? job.progress_done * 100 / job.progress_total
                                         : 0);
    write_time(j, "created_at", job.created_ms);
    write_time(j, "completed_at", job.finished_ms);
    if (job.reason.len > 0)
        json_kv_str(j, "error", job.detail.len > 0 ? job.detail : job.reason);
    if (job.state == JOB_DONE)
        put_result(&c, &job);
    if (job.state == JOB_DONE && job.outputs_len > 0) {
        char text[ID_TEXT_SIZE];
        Str url = str_printf(c.arena, "/api/v1/jobs/%s/outputs/0", id_text("job", job.id, text));
        json_kv_str(j, "result_url", url);
    }
    json_end(j, '}');
    call_answer(&c, 200);
}

void former_stats(HttpRequest *req)
{
    Call c;
    QueueInfo *queues = NULL;
    size_t n = 0;
    if (!call_begin(req, &c))
        return;
    if (queue_list(c.reader, c.arena, &queues, &n, &c.err) != OK) {
        call_fail(&c);
        return;
    }
    JsonOut *j = &c.json;
    int64_t pending = 0, active = 0, failed = 0;
    json_begin(j, '{');
    json_key(j, "queues");
    json_begin(j, '[');
    for (size_t i = 0; i < n; i++) {
        const QueueInfo *q = &queues[i];
        json_begin(j, '{');
        json_kv_str(j, "queue", q->name);
        json_kv_int(j, "pending", q->ready);
        json_kv_int(j, "scheduled", q->delayed);
        json_kv_int(j, "active", q->leased);
        json_kv_int(j, "failed", q->dead);
        json_end(j, '}');
        pending += q->ready + q->delayed;
        active += q->leased;
        failed += q->dead;
    }
    json_end(j, ']');
    json_kv_int(j, "pending", pending);
    json_kv_int(j, "active", active);
    json_kv_int(j, "failed", failed);
    json_end(j, '}');
    call_answer(&c, 200);
}

/* ---- what the answers are made of ---- */

#define HANDLE_FIELDS                                                                              \
    {"job_id", FIELD_TYPE_TEXT, "Id of the job, job_…."},                                          \
        {"status", FIELD_TYPE_TEXT, "One of queued, processing, completed, failed, cancelled."},   \
    {                                                                                              \
        "check_status_url", FIELD_TYPE_TEXT, "Where to ask for it."                                \
    }
#define FACT_FIELDS                                                                                \
    {"source_type", FIELD_TYPE_TEXT, "Media type of the file."},                                   \
        {"page_count", FIELD_TYPE_INT, "Pages; 0 when the format has none."},                      \
        {"word_count", FIELD_TYPE_INT, "Words."},                                                  \
        {"char_count", FIELD_TYPE_INT, "Characters of the text."},                                 \
        {"extracted_at", FIELD_TYPE_TEXT, "When it was done.", .nullable = true,                   \
         .format = "date-time"},                                                                   \
        {"duration", FIELD_TYPE_NUMBER, "Seconds that it took."},                                  \
        {"language", FIELD_TYPE_TEXT, "Language.", .optional = true},                              \
        {"confidence", FIELD_TYPE_NUMBER, "Of text recognition, 0 to 1.", .optional = true},       \
    {                                                                                              \
        "metadata", FIELD_TYPE_OBJECT, "What the file says about itself."                          \
    }

static const Field page_fields[] = {
    {"page", FIELD_TYPE_INT, "Number of the page."},
    {"text", FIELD_TYPE_TEXT, "Its text."},
    {"char_count", FIELD_TYPE_INT, "Characters of its text."},
    {0},
};
const Field former_accepted_fields[] = {HANDLE_FIELDS, {0}};
const Field former_text_fields[] = {{"text", FIELD_TYPE_TEXT, "The text."}, FACT_FIELDS, {0}};
const Field former_ocr_fields[] = {{"text", FIELD_TYPE_TEXT, "The text."}, FACT_FIELDS, {0}};
const Field former_pages_fields[] = {
    {"pages", FIELD_TYPE_LIST, "The pages that were asked for.", .items = page_fields},
    {"total_pages", FIELD_TYPE_INT, "Pages of the document."},
    FACT_FIELDS,
    {0},
};
static const Field result_fields[] = {
    {"text", FIELD_TYPE_TEXT, "The text.", .optional = true},
    {"pages", FIELD_TYPE_LIST, "The pages.", .items = page_fields, .optional = true},
    {"total_pages", FIELD_TYPE_INT, "Pages of the document."},
    FACT_FIELDS,
    {0},
};
const Field former_job_fields[] = {
    HANDLE_FIELDS,
    {"progress", FIELD_TYPE_INT, "Percent."},
    {"created_at", FIELD_TYPE_TEXT, "When it was accepted.", .format = "date-time"},
    {"completed_at", FIELD_TYPE_TEXT, "When it ended.", .nullable = true, .format = "date-time"},
    {"error", FIELD_TYPE_TEXT, "Why it failed.", .optional = true},
    {"result", FIELD_TYPE_OBJECT, "What came of it.", .optional = true, .items = result_fields},
    {"result_url", FIELD_TYPE_TEXT, "Where its file is.", .optional = true},
    {0},
};
static const Field queue_fields[] = {
    {"queue", FIELD_TYPE_TEXT, "Its name."},
    {"pending", FIELD_TYPE_INT, "Tasks that wait."},
    {"scheduled", FIELD_TYPE_INT, "Tasks that wait for their time."},
    {"active", FIELD_TYPE_INT, "Tasks that run."},
    {"failed", FIELD_TYPE_INT, "Dead letters."},
    {0},
};
const Field former_stats_fields[] = {
    {"queues", FIELD_TYPE_LIST, "The queues.", .items = queue_fields},
    {"pending", FIELD_TYPE_INT, "Tasks that wait, in all."},
    {"active", FIELD_TYPE_INT, "Tasks that run, in all."},
    {"failed", FIELD_TYPE_INT, "Dead letters, in all."},
    {0},
};
