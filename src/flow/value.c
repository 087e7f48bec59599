/* value.c: what the expressions of a pipeline see, read from its job's rows. */
#include "flow/pipeline_in.h"
#include "base/clock.h"
#include "base/id.h"
#include "db/queries.h"

#include <string.h>

/* --- making JSON --- */

Json *value_new(Arena *a, JsonType type)
{
    Json *j = arena_new(a, Json, 1);
    if (j != NULL)
        j->type = type;
    return j;
}

bool value_add(Arena *a, Json *to, Str key, const Json *value)
{
    Json *copy = to != NULL ? arena_new(a, Json, 1) : NULL;
    if (copy == NULL)
        return false;
    if (value != NULL)
        *copy = *value;
    copy->key = key;
    copy->next =
        to->first; /* a later member comes first: json_get finds either, as keys are unique */
    to->first = copy;
    to->len++;
    return true;
}

/* At the end, for lists, whose order counts. */
static bool append(Arena *a, Json *to, Json **last, const Json *value)
{
    Json *copy = arena_new(a, Json, 1);
    if (copy == NULL)
        return false;
    if (value != NULL)
        *copy = *value;
    copy->next = NULL;
    if (*last == NULL)
        to->first = copy;
    else
        (*last)->next = copy;
    *last = copy;
    to->len++;
    return true;
}

Json *value_text(Arena *a, Str text)
{
    Json *j = value_new(a, JSON_TEXT);
    if (j != NULL)
        j->text = text;
    return j;
}

bool value_add_text(Arena *a, Json *to, const char *key, Str text)
{
    Json *j = value_text(a, text);
    return j != NULL && value_add(a, to, str_from_c(key), j);
}

bool value_add_int(Arena *a, Json *to, const char *key, int64_t v)
{
    Json *j = value_new(a, JSON_INT);
    if (j == NULL)
        return false;
    j->integer = v;
    j->text = str_printf(a, "%" PRId64, v);
    return j->text.ptr != NULL && value_add(a, to, str_from_c(key), j);
}

static ErrCode no_memory(Err *err)
{
    return err_set(err, ERR_NO_MEMORY, "the values of the pipeline need more than is allowed");
}

/* --- what a child gave --- */

static Json *file_value(Arena *a, const JobFile *f)
{
    Json *o = value_new(a, JSON_OBJECT);
    bool ok = o != NULL && value_add_text(a, o, "blob", f->hash) &&
              value_add_int(a, o, "bytes", f->size_bytes) &&
              value_add_text(a, o, "type", f->type) && value_add_text(a, o, "name", f->name);
    return ok ? o : NULL;
}

/* outputs, output, and the first of each kind by its short name. */
static ErrCode add_files(Running *r, Json *o, int64_t child, Err *err)
{
    JobFile *files = NULL;
    size_t n = 0;
    Arena *a = r->arena;
    ErrCode rc = flow_files(r->tx, child, true, a, &files, &n, err);
    if (rc != OK)
        return rc;
    Json *list = value_new(a, JSON_LIST), *last = NULL;
    if (list == NULL)
        return no_memory(err);
    for (size_t i = 0; i < n; i++) {
        const Json *f = file_value(a, &files[i]);
        const char *kind = pipeline_type_name(files[i].type);
        if (f == NULL || !append(a, list, &last, f))
            return no_memory(err);
        if (i == 0 && json_get(o, "output") == NULL && !value_add(a, o, STR("output"), f))
            return no_memory(err);
        if (kind != NULL && json_get(o, kind) == NULL && !value_add(a, o, str_from_c(kind), f))
            return no_memory(err);
    }
    if (json_get(o, "outputs") == NULL && !value_add(a, o, STR("outputs"), list))
        return no_memory(err);
    return OK;
}

typedef struct End {
    Str state, data, reason, detail; /* state: "" when it has not ended */
} End;

static ErrCode child_value(Running *r, int64_t child, const End *end, const Json **out, Err *err)
{
    Arena *a = r->arena;
    const Json *data = NULL;
    Json *o = value_new(a, JSON_OBJECT);
    if (o == NULL)
        return no_memory(err);
    if (end->data.len > 0) {
        ErrCode rc = json_parse(a, end->data, &data, err);
        if (rc != OK)
            return rc;
        if (json_is(data, JSON_OBJECT))
            *o = *data;
    }
    o->key = (Str){0};
    o->next = NULL;
    bool ok = json_get(o, "state") != NULL || value_add_text(a, o, "state", end->state);
    if (ok && end->reason.len > 0)
        ok = value_add_text(a, o, "reason", end->reason) &&
             value_add_text(a, o, "detail", end->detail);
    if (!ok)
        return no_memory(err);
    *out = o;
    return add_files(r, o, child, err);
}

static ErrCode read_end(Running *r, int64_t child, End *out, Err *err)
{
    Arena *a = r->arena;
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(r->tx, &sql_flow_child_value, DB_ARGS(DB_I(child)), &rows, err);
    *out = (End){0};
    while (rc == OK && db_next(&rows, &rc, err)) {
        out->state = db_str_copy(&rows, 0, a);
        out->data = db_str_copy(&rows, 1, a);
        out->reason = db_str_copy(&rows, 2, a);
        out->detail = db_str_copy(&rows, 3, a);
        if (out->state.ptr == NULL)
            return no_memory(err);
    }
    return rc;
}

static ErrCode one_value(Running *r, int i, const Json **out, Err *err)
{
    End end;
    ErrCode rc = read_end(r, r->now[i].child, &end, err);
    if (rc == OK && end.state.len == 0) { /* it failed before it had a child */
        end.state = STR("failed");
        end.reason = r->now[i].reason;
        end.detail = r->now[i].detail;
    }
    return rc == OK ? child_value(r, r->now[i].child, &end, out, err) : rc;
}

typedef struct Child {
    int64_t id, place;
    End end;
} Child;

static ErrCode read_children(Running *r, int i, Child **out, Err *err)
{
    size_t total = (size_t)r->now[i].total;
    Child *children = arena_new(r->arena, Child, total);
    if (children == NULL)
        return no_memory(err);
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(r->tx, &sql_flow_children, DB_ARGS(DB_I(r->job), DB_I(i)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err)) {
        int64_t place = db_int(&rows, 1);
        if (place < 0 || place >= (int64_t)total)
            continue;
        /* Of several at one place the last one counts: the others are from before a retry. */
        children[place] = (Child){.id = db_int(&rows, 0),
                                  .place = place,
                                  .end = {.state = db_str_copy(&rows, 2, r->arena),
                                          .data = db_str_copy(&rows, 3, r->arena),
                                          .reason = db_str_copy(&rows, 4, r->arena),
                                          .detail = db_str_copy(&rows, 5, r->arena)}};
        if (children[place].end.state.ptr == NULL)
            return no_memory(err);
    }
    *out = children;
    return rc;
}

/* The list of what the items gave, in their order; null for one that failed or never began. */
static ErrCode many_value(Running *r, int i, const Json **out, Err *err)
{
    Child *children = NULL;
    Json *list = value_new(r->arena, JSON_LIST), *last = NULL;
    ErrCode rc = list != NULL ? read_children(r, i, &children, err) : no_memory(err);
    bool ignores = r->p->nodes[i].on_item_failure == ITEM_IGNORE;
    for (int64_t k = 0; rc == OK && k < r->now[i].total; k++) {
        const Json *v = NULL;
        bool done = str_eq_c(children[k].end.state, "done");
        if (done || (!ignores && children[k].end.state.len > 0))
            rc = child_value(r, children[k].id, &children[k].end, &v, err);
        if (rc == OK && !append(r->arena, list, &last, v))
            rc = no_memory(err);
    }
    *out = list;
    return rc;
}

static ErrCode wait_value(Running *r, int i, const Json **out, Err *err)
{
    Str text = {0};
    CLEANUP(db_rows_done) DbRows rows = {0};
    ErrCode rc = db_query(r->tx, &sql_node_data, DB_ARGS(DB_I(r->job), DB_I(i)), &rows, err);
    while (rc == OK && db_next(&rows, &rc, err))
        if ((text = db_str_copy(&rows, 0, r->arena)).ptr == NULL)
            return no_memory(err);
    const Json *data = NULL;
    Json *o = value_new(r->arena, JSON_OBJECT);
    if (rc == OK && text.len > 0)
        rc = json_parse(r->arena, text, &data, err);
    if (rc != OK)
        return rc;
    if (o == NULL)
        return no_memory(err);
    if (json_is(data, JSON_OBJECT))
        *o = *data;
    *out = o;
    const NodeNow *now = &r->now[i];
    bool ok = value_add_text(r->arena, o, "state", str_from_c(node_state_name(now->state)));
    if (ok && now->reason.len > 0)
        ok = value_add_text(r->arena, o, "reason", now->reason) &&
             value_add_text(r->arena, o, "detail", now->detail);
    return ok ? OK : no_memory(err);
}

ErrCode value_of_node(Running *r, int i, const Json **out, Err *err)
{
    const Node *n = &r->p->nodes[i];
    ErrCode rc = OK;
    if (r->values[i] == NULL) {
        const Json *v = NULL;
        NodeState s = r->now[i].state;
        if (s != NODE_DONE && s != NODE_FAILED)
            v = value_new(r->arena, JSON_NULL);
        else if (n->kind == NODE_WAIT)
            rc = wait_value(r, i, &v, err);
        else if (n->foreach != NULL || n->matrix != NULL)
            rc = many_value(r, i, &v, err);
        else
            rc = one_value(r, i, &v, err);
        if (rc == OK && v == NULL)
            rc = no_memory(err);
        r->values[i] = v;
    }
    *out = r->values[i];
    return rc;
}

/* --- the scope --- */

/* Which nodes are named: their values are read. */
typedef struct Named {
    const Pipeline *p;
    bool *nodes;
    bool any, waits;
} Named;

static void on_ref(void *ctx, const Str *path, size_t len)
{
    Named *n = ctx;
    if (len >= 1 && str_eq_c(path[0], "waits"))
        n->waits = true;
    if (len < 1 || !str_eq_c(path[0], "steps"))
        return;
    n->any = true;
    int i = len > 1 ? pipeline_node_index(n->p, path[1]) : -1;
    for (size_t k = 0; len == 1 && k < n->p->nodes_len; k++)
        n->nodes[k] = true;
    if (i >= 0)
        n->nodes[i] = true;
}

static void look_at(const Template *t, Named *n)
{
    if (t != NULL)
        template_each_ref(t, on_ref, n);
}

static ErrCode add_steps(Running *r, const Named *named, Json *scope, Err *err)
{
    Json *steps = value_new(r->arena, JSON_OBJECT);
    if (steps == NULL)
        return no_memory(err);
    for (size_t i = 0; i < r->p->nodes_len; i++) {
        const Json *v = NULL;
        if (!named->nodes[i])
            continue;
        ErrCode rc = value_of_node(r, (int)i, &v, err);
        if (rc != OK)
            return rc;
        if (!value_add(r->arena, steps, r->p->nodes[i].id, v))
            return no_memory(err);
    }
    return value_add(r->arena, scope, STR("steps"), steps) ? OK : no_memory(err);
}

static ErrCode add_job(Running *r, Json *scope, Err *err)
{
    char id[ID_TEXT_SIZE], time[CLOCK_TEXT_SIZE];
    clock_text(id_time_ms(r->job), time);
    Str id_copy = str_copy(r->arena, str_from_c(id_text("job", r->job, id)));
    Str time_copy = str_copy(r->arena, str_from_c(time));
    Json *job = value_new(r->arena, JSON_OBJECT);
    bool ok = job != NULL && id_copy.ptr != NULL && time_copy.ptr != NULL &&
              value_add_text(r->arena, job, "created", time_copy) &&
              value_add_text(r->arena, job, "id", id_copy) &&
              value_add(r->arena, scope, STR("job"), job);
    return ok ? OK : no_memory(err);
}

static ErrCode add_trigger(Running *r, Json *scope, Err *err)
{
    const Json *trigger = NULL;
    ErrCode rc = r->trigger.len > 0 ? json_parse(r->arena, r->trigger, &trigger, err) : OK;
    if (rc == OK && !value_add(r->arena, scope, STR("trigger"), trigger))
        rc = no_memory(err);
    return rc;
}

static ErrCode add_failure(Running *r, Json *scope, Err *err)
{
    /* The first of the steps; what fails in finally is not known to those beside it, or it would
     * matter who was faster. */
    int i = plan_failed(r->p, r->now);
    if (i >= 0 && r->p->nodes[i].section != SECTION_STEPS)
        i = -1;
    Json *o = i >= 0 ? value_new(r->arena, JSON_OBJECT) : NULL;
    if (i < 0)
        return value_add(r->arena, scope, STR("failure"), NULL) ? OK : no_memory(err);
    bool ok = o != NULL && value_add_text(r->arena, o, "detail", r->now[i].detail) &&
              value_add_text(r->arena, o, "reason", r->now[i].reason) &&
              value_add_text(r->arena, o, "step", r->p->nodes[i].id) &&
              value_add(r->arena, scope, STR("failure"), o);
    return ok ? OK : no_memory(err);
}

/* The addresses of callbacks, known before anybody waits at them. */
static ErrCode add_waits(Running *r, Json *scope, Err *err)
{
    Json *waits = value_new(r->arena, JSON_OBJECT);
    char id[ID_TEXT_SIZE];
    id_text("job", r->job, id);
    bool ok = waits != NULL;
    for (size_t i = 0; ok && i < r->p->nodes_len; i++) {
        const Node *n = &r->p->nodes[i];
        if (n->kind != NODE_WAIT || n->wait != WAIT_CALLBACK)
            continue;
        Json *o = value_new(r->arena, JSON_OBJECT);
        Str url = str_printf(r->arena, "%s/api/v1/callbacks/%s/" STR_FMT "/" STR_FMT,
                             flow_public_url(r->tx), id, STR_ARG(n->id), STR_ARG(r->token));
        ok = o != NULL && url.ptr != NULL && value_add_text(r->arena, o, "url", url) &&
             value_add(r->arena, waits, n->id, o);
    }
    ok = ok && value_add(r->arena, scope, STR("waits"), waits);
    return ok ? OK : no_memory(err);
}

static ErrCode make_scope(Running *r, const Named *named, bool failure, Json **out, Err *err)
{
    Json *scope = value_new(r->arena, JSON_OBJECT);
    if (scope == NULL || !value_add(r->arena, scope, STR("inputs"), r->inputs))
        return no_memory(err);
    ErrCode rc = named->any ? add_steps(r, named, scope, err) : OK;
    if (rc == OK)
        rc = add_job(r, scope, err);
    if (rc == OK && r->trigger.len > 0)
        rc = add_trigger(r, scope, err);
    if (rc == OK && failure)
        rc = add_failure(r, scope, err);
    if (rc == OK && named->waits)
        rc = add_waits(r, scope, err);
    *out = scope;
    return rc;
}

ErrCode value_scope(Running *r, int i, const Json **out, Err *err)
{
    const Node *n = &r->p->nodes[i];
    Named named = {.p = r->p, .nodes = arena_new(r->arena, bool, r->p->nodes_len)};
    if (named.nodes == NULL)
        return no_memory(err);
    if (n->when != NULL)
        expr_each_ref(n->when, on_ref, &named);
    look_at(n->with, &named);
    look_at(n->file, &named);
    look_at(n->foreach, &named);
    look_at(n->matrix, &named);
    look_at(n->until, &named);
    Json *scope = NULL;
    ErrCode rc = make_scope(r, &named, n->section != SECTION_STEPS, &scope, err);
    *out = scope;
    return rc;
}

ErrCode value_scope_of_item(Running *r, const Json *scope, const Json *item, int64_t index,
                            bool matrix, const Json **out, Err *err)
{
    Json *own = value_new(r->arena, JSON_OBJECT);
    if (own == NULL)
        return no_memory(err);
    *own = *scope; /* shares its members */
    bool ok = value_add(r->arena, own, STR("item"), item) &&
              value_add_int(r->arena, own, "index", index) &&
              (!matrix || value_add(r->arena, own, STR("matrix"), item));
    *out = own;
    return ok ? OK : no_memory(err);
}

ErrCode value_of_template(Running *r, const Template *t, const Json **out, Err *err)
{
    Named named = {.p = r->p, .nodes = arena_new(r->arena, bool, r->p->nodes_len)};
    Json *scope = NULL;
    if (named.nodes == NULL)
        return no_memory(err);
    look_at(t, &named);
    ErrCode rc = make_scope(r, &named, false, &scope, err);
    if (rc != OK)
        return rc;
    *out = template_eval(t, scope, r->arena);
    return *out != NULL ? OK : no_memory(err);
}

/* --- the combinations of a matrix --- */

ErrCode value_matrix(Running *r, const Json *axes, const Json **out, Err *err)
{
    Json *list = value_new(r->arena, JSON_LIST), *last = NULL;
    int64_t total = axes != NULL && axes->len > 0 ? 1 : 0;
    json_each(axis, axes) {
        if (!json_is(axis, JSON_LIST))
            return err_set(err, ERR_NOT_A_LIST, "matrix." STR_FMT " is not a list",
                           STR_ARG(axis->key));
        total *= (int64_t)axis->len;
        if (total > PIPELINE_ITEMS_MAX)
            return err_set(err, ERR_LIMIT_COUNT, "the matrix has more than %d combinations",
                           PIPELINE_ITEMS_MAX);
    }
    for (int64_t k = 0; list != NULL && k < total; k++) {
        Json *one = value_new(r->arena, JSON_OBJECT), *member = NULL;
        int64_t left = k, step = total;
        json_each(axis, axes) { /* the first axis changes slowest */
            step /= (int64_t)axis->len;
            const Json *v = axis->first;
            for (int64_t skip = left / step; skip > 0; skip--)
                v = v->next;
            left %= step;
            if (one == NULL || !append(r->arena, one, &member, v))
                return no_memory(err);
            member->key = axis->key;
        }
        if (!append(r->arena, list, &last, one))
            return no_memory(err);
    }
    *out = list;
    return list != NULL ? OK : no_memory(err);
}

/* --- files --- */

static ErrCode blob_file(DbConn *tx, int64_t project, const Json *v, Arena *a, JobFile *out,
                         Err *err)
{
    Str hash = json_text(json_get(v, "blob"));
    int64_t size = -1;
    ErrCode rc = db_get_int(tx, &sql_flow_blob, DB_ARGS(DB_I(project), DB_S(hash)), -1, &size, err);
    if (rc == OK && size < 0)
        return err_set(err, ERR_NOT_FOUND, "there is no blob " STR_FMT,
                       STR_ARG(str_slice(hash, 0, 64)));
    Str name = json_text(json_get(v, "name")), type = json_text(json_get(v, "type"));
    *out = (JobFile){.name = str_copy(a, name.len > 0 ? name : STR("file")),
                     .type = str_copy(a, type),
                     .hash = str_copy(a, hash),
                     .size_bytes = size};
    return rc != OK || (out->name.ptr != NULL && out->type.ptr != NULL && out->hash.ptr != NULL)
               ? rc
               : no_memory(err);
}

static ErrCode document_file(DbConn *tx, int64_t project, Str text, Arena *a, JobFile *out,
                             Err *err)
{
    int64_t id = 0;
    bool found = false;
    ErrCode rc = OK;
    CLEANUP(db_rows_done) DbRows rows = {0};
    if (id_parse("doc", text, &id))
        rc = db_query(tx, &sql_flow_document, DB_ARGS(DB_I(project), DB_I(id)), &rows, err);
    while (rc == OK && rows.stmt != NULL && db_next(&rows, &rc, err)) {
        found = true;
        *out = (JobFile){.name = db_str_copy(&rows, 0, a),
                         .type = db_str_copy(&rows, 1, a),
                         .hash = db_str_copy(&rows, 2, a),
                         .size_bytes = db_int(&rows, 3)};
        if (out->name.ptr == NULL || out->type.ptr == NULL || out->hash.ptr == NULL)
            return no_memory(err);
    }
    return rc == OK && !found ? err_set(err, ERR_NOT_FOUND, "there is no document \"" STR_FMT "\"",
                                        STR_ARG(str_slice(text, 0, 64)))
                              : rc;
}

static ErrCode one_file(DbConn *tx, int64_t project, const Json *v, Arena *a, JobFile *out,
                        Err *err)
{
    const Json *document = json_is(v, JSON_TEXT) ? v : json_get(v, "document");
    if (json_text(document).len > 0)
        return document_file(tx, project, json_text(document), a, out, err);
    if (json_is(json_get(v, "blob"), JSON_TEXT))
        return blob_file(tx, project, v, a, out, err);
    err_set(err, ERR_BAD_PARAM, "this is no file");
    err_param(err, "file");
    err_hint(err, "A file is an input of type file, an output of a step, a document's id, or "
                  "{blob}.");
    return ERR_BAD_PARAM;
}

ErrCode value_files(DbConn *tx, int64_t project, const Json *v, Arena *a, JobFile **out,
                    size_t *len, Err *err)
{
    bool list = json_is(v, JSON_LIST);
    size_t n = v == NULL || json_is(v, JSON_NULL) ? 0 : list ? v->len : 1;
    *out = NULL;
    *len = 0;
    if (n > RUN_FILES_MAX)
        return err_set(err, ERR_LIMIT_COUNT, "%zu files, %d are the most", n, RUN_FILES_MAX);
    JobFile *files = arena_new(a, JobFile, n);
    if (files == NULL)
        return no_memory(err);
    ErrCode rc = OK;
    const Json *f = list ? v->first : v;
    for (size_t i = 0; rc == OK && i < n; i++, f = f->next)
        rc = one_file(tx, project, f, a, &files[i], err);
    *out = files;
    *len = n;
    return rc;
}

/* A value names its files several times: "outputs", "output", "image". */
static bool is_known(const JobFile *files, size_t len, const JobFile *f)
{
    for (size_t i = 0; i < len; i++)
        if (str_eq(files[i].hash, f->hash) && str_eq(files[i].name, f->name))
            return true;
    return false;
}

/* Files anywhere in a value: objects that name a blob. */
static ErrCode find_files(const Running *r, const Json *v, int depth, JobFile *files, size_t *len,
                          Err *err)
{
    ErrCode rc = OK;
    if (depth > JSON_DEPTH_MAX || (!json_is(v, JSON_OBJECT) && !json_is(v, JSON_LIST)))
        return OK;
    if (json_is(v, JSON_OBJECT) && json_text(json_get(v, "blob")).len == 64 &&
        json_get(v, "bytes") != NULL) {
        if (*len == RUN_FILES_MAX)
            return err_set(err, ERR_LIMIT_COUNT, "more than %d output files", RUN_FILES_MAX);
        rc = blob_file(r->tx, r->project, v, r->arena, &files[*len], err);
        *len += rc == OK && !is_known(files, *len, &files[*len]);
        return rc;
    }
    json_each(member, v)
        if (rc == OK)
            rc = find_files(r, member, depth + 1, files, len, err);
    return rc;
}

ErrCode value_find_files(Running *r, const Json *v, JobFile **out, size_t *len, Err *err)
{
    *len = 0;
    *out = arena_new(r->arena, JobFile, RUN_FILES_MAX);
    return *out != NULL ? find_files(r, v, 0, *out, len, err) : no_memory(err);
}
