#include "api/gather.h"
#include "api/params.h"
#include "base/fd.h"
#include "base/id.h"
#include "content/document.h"

enum { TEXTS_MAX = 128, TEXTS_BYTES_MAX = 2 << 20 };

/* Names and values of the query and the form, sorted into the two tables. */
typedef struct Texts {
    ParamText params[TEXTS_MAX], options[TEXTS_MAX];
    size_t params_len, options_len;
} Texts;

static ErrCode add_text(Call *c, const Gathered *g, Texts *t, Str name, Str value)
{
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
        rc = texts_to_object(c, g->step->params, t->params, t->params_len, &g->params);
    if (rc == OK)
        rc = texts_to_object(c, g->option_params, t->options, t->options_len, &g->options);
    return rc;
}

static ErrCode add_input(Call *c, Gathered *g, JobFile file)
{
    if (g->inputs_len == GATHER_INPUTS_MAX)
        return err_set(&c->err, ERR_LIMIT_COUNT, "more than %d inputs", GATHER_INPUTS_MAX);
    if (g->inputs_len == g->inputs_cap) {
        size_t cap = g->inputs_cap > 0 ? 2 * g->inputs_cap : 4;
        JobFile *more =
            arena_grow(c->arena, g->inputs, g->inputs_cap * sizeof *more, cap * sizeof *more);
        if (more == NULL)
            return err_set(&c->err, ERR_NO_MEMORY, "no memory for %zu inputs", cap);
        g->inputs = more;
        g->inputs_cap = cap;
    }
    g->inputs[g->inputs_len++] = file;
    return OK;
}

static ErrCode gather_uploads(Call *c, Gathered *g)
{
    ErrCode rc = OK;
    for (size_t i = 0; rc == OK && i < c->req->uploads_len; i++) {
        const HttpUpload *u = &c->req->uploads[i];
        rc = add_input(c, g,
                       (JobFile){.name = u->filename.len > 0 ? u->filename : STR("input"),
                                 .type = u->type,
                                 .hash = {u->blob.hash, BLOB_HASH_LEN},
                                 .size_bytes = u->blob.size_bytes});
    }
    return rc;
}

static ErrCode gather_document(Call *c, Gathered *g, Str id_text)
{
    int64_t id;
    Document d;
    if (!id_parse("doc", id_text, &id))
        return err_set(&c->err, ERR_NOT_FOUND,
                       "an input's \"document\" must be an id of the form doc_…");
    ErrCode rc = document_get(c->reader, c->who.project, id, c->arena, &d, &c->err);
    return rc != OK ? rc : add_input(c, g, (JobFile){d.name, d.type, d.hash, d.size_bytes});
}

static ErrCode gather_blob(Call *c, Gathered *g, const Json *input)
{
    Str hash = json_text(json_get(input, "blob")), name = json_text(json_get(input, "name"));
    bool seen = false;
    CLEANUP(fd_close) int fd = -1;
    int64_t size = 0;
    ErrCode rc = blob_row_seen(c->reader, c->who.project, hash, &seen, &c->err);
    if (rc == OK && !seen)
        rc = err_set(&c->err, ERR_NOT_FOUND, "an input's \"blob\" is not in this project");
    if (rc == OK)
        rc = blob_open(c->app->blobs, hash, &fd, &size, &c->err);
    if (rc != OK)
        return rc;
    return add_input(
        c, g,
        (JobFile){name.len > 0 ? name : hash, json_text(json_get(input, "type")), hash, size});
}

ErrCode gather_inputs(Call *c, Gathered *g, const Json *inputs)
{
    ErrCode rc = OK;
    json_each(input, inputs) {
        const Json *document = json_get(input, "document");
        if (rc == OK)
            rc = document != NULL ? gather_document(c, g, json_text(document))
                                  : gather_blob(c, g, input);
    }
    return rc;
}

static ErrCode gather_member(Call *c, Gathered *g, const Json *member)
{
    bool is_params = str_eq_c(member->key, "params"), is_inputs = str_eq_c(member->key, "inputs");
    if ((is_params && !json_is(member, JSON_OBJECT)) || (is_inputs && !json_is(member, JSON_LIST)))
        return err_set(&c->err, ERR_BAD_REQUEST, "\"" STR_FMT "\" has the wrong type",
                       STR_ARG(member->key));
    if (is_params)
        return append_all(c, &g->params, member);
    if (is_inputs)
        return gather_inputs(c, g, member);
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
                     "the body must be an object: {\"params\":{…},\"inputs\":[…]}");
    json_each(member, body)
        if (rc == OK)
            rc = gather_member(c, g, member);
    return rc;
}
