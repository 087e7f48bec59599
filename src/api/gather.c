#include "api/gather.h"
#include "api/params.h"
#include "api/write.h"
#include "base/fd.h"
#include "base/id.h"
#include "content/document.h"

#include <string.h>

enum { TEXTS_MAX = 128, TEXTS_BYTES_MAX = 2 << 20, VALUES_MAX = 4 << 20 };

/* Names and values of the query and the form, sorted into the two tables. */
typedef struct Texts {
    ParamText params[TEXTS_MAX], options[TEXTS_MAX];
    size_t params_len, options_len;
} Texts;

static const FileInput *file_input(const Gathered *g, Str name)
{
    for (size_t i = 0; i < g->files_len; i++)
        if (str_eq(g->files[i].name, name))
            return &g->files[i];
    return NULL;
}

static void add_fault(ParamFaults *faults, Str param, Str detail)
{
    if (faults->len < PARAM_FAULTS_MAX)
        faults->items[faults->len++] = (ParamFault){param, detail};
}

static ErrCode gather_reference(Call *c, Gathered *g, Str input, Str text);

static ErrCode add_text(Call *c, Gathered *g, Texts *t, Str name, Str value)
{
    if (file_input(g, name) != NULL)
        return gather_reference(c, g, name, value);
    bool is_option = param_find(g->option_params, name) != NULL;
    ParamText *texts = is_option ? t->options : t->params;
    size_t *len = is_option ? &t->options_len : &t->params_len;
    if (*len == TEXTS_MAX)
        return err_set(&c->err, ERR_LIMIT_COUNT, "more than %d parameters", TEXTS_MAX);
    texts[(*len)++] = (ParamText){name, value};
    return OK;
}

/* Append a copy of the member (its value is shared). */
static ErrCode append(Call *c, Json *object, const Json *member)
{
    Json *copy = arena_new(c->arena, Json, 1);
    if (copy == NULL)
        return err_set(&c->err, ERR_NO_MEMORY, "no memory for the parameters");
    *copy = *member;
    copy->next = NULL;
    Json **tail = &object->first;
    while (*tail != NULL)
        tail = &(*tail)->next;
    *tail = copy;
    object->len++;
    return OK;
}

static ErrCode append_all(Call *c, Json *object, const Json *members)
{
    ErrCode rc = OK;
    json_each(member, members)
        if (rc == OK)
            rc = append(c, object, member);
    return rc;
}

static ErrCode texts_to_object(Call *c, const Param *params, const ParamText *texts, size_t len,
                               Json *out)
{
    const Json *object = NULL;
    if (len == 0)
        return OK;
    Buf b = buf_init(c->arena, TEXTS_BYTES_MAX);
    JsonOut j = json_out(&b);
    param_from_texts(params, texts, len, &j);
    if (b.failed)
        return err_set(&c->err, ERR_INPUT_TOO_LARGE, "the parameters are larger than %d bytes",
                       TEXTS_BYTES_MAX);
    ErrCode rc = json_parse(c->arena, buf_str(&b), &object, &c->err);
    return rc != OK ? rc : append_all(c, out, object);
}

static ErrCode gather_texts(Call *c, Gathered *g)
{
    HttpRequest *req = c->req;
    Str name, value;
    ErrCode rc = OK;
    if (req->query.len == 0 && req->form_len == 0)
        return OK;
    Texts *t = arena_new(c->arena, Texts, 1);
    if (t == NULL)
        return err_set(&c->err, ERR_NO_MEMORY, "no memory for the parameters");
    for (size_t at = 0; rc == OK && http_query_next(req, &at, &name, &value);)
        rc = add_text(c, g, t, name, value);
    for (size_t i = 0; rc == OK && i < req->form_len; i++)
        rc = add_text(c, g, t, req->form[i].name, req->form[i].value);
    if (rc == OK)
        rc = texts_to_object(c, g->table, t->params, t->params_len, &g->params);
    if (rc == OK)
        rc = texts_to_object(c, g->option_params, t->options, t->options_len, &g->options);
    return rc;
}

static ErrCode grow_inputs(Call *c, Gathered *g)
{
    size_t cap = g->inputs_cap > 0 ? 2 * g->inputs_cap : 4;
    JobFile *files =
        arena_grow(c->arena, g->inputs, g->inputs_cap * sizeof *files, cap * sizeof *files);
    Str *names =
        arena_grow(c->arena, g->input_names, g->inputs_cap * sizeof *names, cap * sizeof *names);
    if (files == NULL || names == NULL)
        return err_set(&c->err, ERR_NO_MEMORY, "no memory for %zu inputs", cap);
    g->inputs = files;
    g->input_names = names;
    g->inputs_cap = cap;
    return OK;
}

static ErrCode add_input(Call *c, Gathered *g, Str name, JobFile file)
{
    size_t max = g->inputs_max > 0 ? g->inputs_max : GATHER_INPUTS_MAX;
    if (g->inputs_len == max)
        return err_set(&c->err, ERR_LIMIT_COUNT, "more than %zu inputs", max);
    ErrCode rc = g->inputs_len == g->inputs_cap ? grow_inputs(c, g) : OK;
    if (rc != OK)
        return rc;
    g->input_names[g->inputs_len] = name;
    g->inputs[g->inputs_len++] = file;
    return OK;
}

/* The input that an upload is for: its field says it, or there is only one. */
static Str input_of_field(const Gathered *g, Str field)
{
    bool unnamed = field.len == 0 || (str_eq_c(field, "file") && file_input(g, field) == NULL);
    if (unnamed && g->main.len > 0)
        return g->main;
    return unnamed && g->files_len == 1 ? g->files[0].name : field;
}

static ErrCode gather_uploads(Call *c, Gathered *g)
{
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < c->req->uploads_len; i++) {
        const HttpUpload *u = &c->req->uploads[i];
        Str name = input_of_field(g, u->field);
        if (g->named && file_input(g, name) == NULL) {
            add_fault(&g->faults, name.len > 0 ? name : STR("file"),
                      STR("is no file input of this pipeline"));
            continue;
        }
        rc = add_input(c, g, name,
                       (JobFile){.name = u->filename.len > 0 ? u->filename : STR("input"),
                                 .type = u->type,
                                 .hash = {u->blob.hash, BLOB_HASH_LEN},
                                 .size_bytes = u->blob.size_bytes});
    }
    return rc;
}

static ErrCode gather_document(Call *c, Gathered *g, Str name, Str id_text)
{
    int64_t id;
    Document d;
    if (!id_parse("doc", id_text, &id))
        return err_set(&c->err, ERR_NOT_FOUND,
                       "an input's \"document\" must be an id of the form doc_…");
    ErrCode rc = document_get(c->reader, c->who.project, id, c->arena, &d, &c->err);
    return rc != OK ? rc : add_input(c, g, name, (JobFile){d.name, d.type, d.hash, d.size_bytes});
}

static ErrCode gather_blob(Call *c, Gathered *g, Str name, JobFile file)
{
    bool seen = false;
    CLEANUP(fd_close) int fd = -1;
    ErrCode rc = blob_row_seen(c->reader, c->who.project, file.hash, &seen, &c->err);
    if (rc == OK && !seen)
        rc = err_set(&c->err, ERR_NOT_FOUND, "an input's \"blob\" is not in this project");
    if (rc == OK)
        rc = blob_open(c->app->blobs, file.hash, &fd, &file.size_bytes, &c->err);
    if (rc != OK)
        return rc;
    if (file.name.len == 0)
        file.name = file.hash;
    return add_input(c, g, name, file);
}

static ErrCode gather_file(Call *c, Gathered *g, Str name, const Json *file)
{
    const Json *document = json_get(file, "document");
    if (document != NULL)
        return gather_document(c, g, name, json_text(document));
    return gather_blob(c, g, name,
                       (JobFile){.name = json_text(json_get(file, "name")),
                                 .type = json_text(json_get(file, "type")),
                                 .hash = json_text(json_get(file, "blob"))});
}

/* A file said in a text: "doc_…" or a blob's hash. */
static ErrCode gather_reference(Call *c, Gathered *g, Str input, Str text)
{
    if (str_starts(text, STR("doc_")))
        return gather_document(c, g, input, text);
    if (text.len == BLOB_HASH_LEN)
        return gather_blob(c, g, input, (JobFile){.hash = text});
    add_fault(&g->faults, input, STR("must be a file: an upload, a document's id or a blob"));
    return OK;
}

ErrCode gather_inputs(Call *c, Gathered *g, const Json *inputs)
{
    ErrCode rc = OK;
    json_each(input, inputs)
        if (rc == OK)
            rc = gather_file(c, g, (Str){0}, input);
    return rc;
}

static ErrCode gather_named_file(Call *c, Gathered *g, Str name, const Json *value)
{
    if (json_is(value, JSON_OBJECT))
        return gather_file(c, g, name, value);
    if (!json_is(value, JSON_NULL))
        return gather_reference(c, g, name, json_text(value));
    return OK;
}

/* Inputs of a pipeline: values and files under their names. */
static ErrCode gather_named(Call *c, Gathered *g, const Json *inputs)
{
    ErrCode rc = OK;
    json_each(member, inputs) {
        if (rc == OK && file_input(g, member->key) == NULL) {
            rc = append(c, &g->params, member);
        } else if (json_is(member, JSON_LIST)) {
            json_each(item, member)
                if (rc == OK)
                    rc = gather_named_file(c, g, member->key, item);
        } else if (rc == OK) {
            rc = gather_named_file(c, g, member->key, member);
        }
    }
    return rc;
}

static ErrCode gather_member(Call *c, Gathered *g, const Json *member)
{
    bool is_params = !g->named && str_eq_c(member->key, "params"),
         is_inputs = str_eq_c(member->key, "inputs");
    if ((is_params && !json_is(member, JSON_OBJECT)) ||
        (is_inputs && !json_is(member, g->named ? JSON_OBJECT : JSON_LIST)))
        return err_set(&c->err, ERR_BAD_REQUEST, "\"" STR_FMT "\" has the wrong type",
                       STR_ARG(member->key));
    if (is_params)
        return append_all(c, &g->params, member);
    if (is_inputs)
        return g->named ? gather_named(c, g, member) : gather_inputs(c, g, member);
    return append(c, &g->options, member); /* an option, or a name that param_check will refuse */
}

ErrCode gather_request(Call *c, Gathered *g)
{
    const Json *body = NULL;
    g->params = (Json){.type = JSON_OBJECT};
    g->options = (Json){.type = JSON_OBJECT};
    ErrCode rc = gather_texts(c, g);
    if (rc == OK)
        rc = gather_uploads(c, g);
    if (rc == OK)
        rc = call_json(c, &body);
    if (rc == OK && body != NULL && !json_is(body, JSON_OBJECT))
        rc = err_set(&c->err, ERR_BAD_REQUEST,
                     g->named ? "the body must be an object: {\"inputs\":{…}}"
                              : "the body must be an object: {\"params\":{…},\"inputs\":[…]}");
    json_each(member, body)
        if (rc == OK)
            rc = gather_member(c, g, member);
    return rc;
}

static size_t count_of(const Gathered *g, Str input)
{
    size_t n = 0;
    for (size_t i = 0; i < g->inputs_len; i++)
        n += str_eq(g->input_names[i], input);
    return n;
}

ErrCode gather_earlier(Call *c, Gathered *g, const Json *earlier)
{
    Json left = {.type = JSON_OBJECT};
    ErrCode rc = OK;
    json_each(member, earlier)
        if (rc == OK && json_get_str(&g->params, member->key) == NULL &&
            count_of(g, member->key) == 0)
            rc = append(c, &left, member);
    return rc == OK ? gather_named(c, g, &left) : rc;
}

static void check_files(const Gathered *g, ParamFaults *faults)
{
    for (size_t i = 0; i < g->faults.len; i++)
        add_fault(faults, g->faults.items[i].param, g->faults.items[i].detail);
    for (size_t i = 0; i < g->files_len; i++) {
        const FileInput *f = &g->files[i];
        size_t n = count_of(g, f->name);
        if (f->required && n == 0)
            add_fault(faults, f->name, STR("is required: a file"));
        if (!f->many && n > 1)
            add_fault(faults, f->name, STR("takes one file"));
    }
}

/* The files into the canonical values, in the order of the table. */
static ErrCode add_files(Call *c, const Gathered *g, Str *values)
{
    const Json *checked = NULL;
    Buf b = buf_init(c->arena, VALUES_MAX);
    JsonOut j = json_out(&b);
    ErrCode rc = json_parse(c->arena, *values, &checked, &c->err);
    if (rc != OK)
        return rc;
    json_begin(&j, '{');
    json_each(member, checked) {
        json_key_str(&j, member->key);
        json_put(&j, member);
    }
    for (size_t i = 0; i < g->files_len; i++) {
        if (count_of(g, g->files[i].name) == 0)
            continue;
        json_key_str(&j, g->files[i].name);
        if (g->files[i].many)
            json_begin(&j, '[');
        for (size_t k = 0; k < g->inputs_len; k++)
            if (str_eq(g->input_names[k], g->files[i].name))
                write_file(&j, &g->inputs[k]);
        if (g->files[i].many)
            json_end(&j, ']');
    }
    json_end(&j, '}');
    *values = buf_str(&b);
    return b.failed ? err_set(&c->err, ERR_INPUT_TOO_LARGE, "the inputs are larger than %d bytes",
                              VALUES_MAX)
                    : OK;
}

static ErrCode check_options(Call *c, const Gathered *g, void *options, ParamFaults *faults)
{
    ParamFaults more = {0};
    const Json *checked = NULL;
    Str canonical;
    ErrCode rc = g->options.len == 0
                     ? OK
                     : param_check(g->option_params, &g->options, c->arena, &canonical, &more,
                                   faults->len == 0 ? &c->err : NULL);
    for (size_t i = 0; i < more.len; i++)
        add_fault(faults, more.items[i].param, more.items[i].detail);
    if (rc != OK || g->options.len == 0)
        return rc;
    rc = json_parse(c->arena, canonical, &checked, &c->err);
    return rc != OK ? rc : param_fill(g->option_params, checked, c->arena, options, &c->err);
}

ErrCode gather_check(Call *c, Gathered *g, void *options, Str *values, ParamFaults *faults)
{
    ErrCode rc = param_check(g->table, &g->params, c->arena, values, faults, &c->err);
    if (rc != OK && rc != ERR_BAD_PARAM)
        return rc;
    size_t before = faults->len;
    check_files(g, faults);
    if (rc == OK && faults->len > before) {
        const ParamFault *f = &faults->items[before];
        rc = err_set(&c->err, ERR_BAD_PARAM, STR_FMT " " STR_FMT, STR_ARG(f->param),
                     STR_ARG(f->detail));
        err_param(&c->err, str_to_c(c->arena, f->param));
    }
    ErrCode rc_options = check_options(c, g, options, faults);
    if (rc != OK || rc_options != OK)
        return rc != OK ? rc : rc_options;
    return g->named ? add_files(c, g, values) : OK;
}

bool gather_is_archive(const JobFile *f)
{
    static const char *const ends[] = {".zip",     ".tar",     ".tgz", ".tar.gz", ".tar.xz",
                                       ".tar.zst", ".tar.bz2", ".7z",  ".rar"};
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        size_t n = strlen(ends[i]);
        if (f->name.len > n &&
            str_eq_nocase(str_slice(f->name, f->name.len - n, f->name.len), str_from_c(ends[i])))
            return true;
    }
    return false;
}
