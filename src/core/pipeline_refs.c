/* What expressions may name: inputs, steps and their fields, item, secrets … and of which type that
 * is, as far as the contracts say. */
#include "core/pipeline_in.h"

#include <stdio.h>
#include <string.h>

typedef struct RefCheck {
    const RefScope *scope;
    const Place *at;
    Str whole; /* the expression, when it is the whole value; else "" */
    ValueKind kind;
} RefCheck;

const char *pipe_kind_name(ValueKind k)
{
    static const char *const names[] = {
        [VALUE_ANY] = "any value",
        [VALUE_INT] = "a whole number",
        [VALUE_NUMBER] = "a number",
        [VALUE_BOOL] = "true or false",
        [VALUE_TEXT] = "text",
        [VALUE_LIST] = "a list",
        [VALUE_OBJECT] = "an object",
        [VALUE_FILE] = "a file",
        [VALUE_FILES] = "a list of files",
        [VALUE_STEP] = "all that a step gave",
        [VALUE_SECRET] = "a secret",
        [VALUE_WRONG] = "wrong",
    };
    return names[k];
}

/* The path as written, for messages: "steps.text.pages". */
static const char *path_text(RefCheck *c, const Str *path, size_t len)
{
    Buf b = buf_init(c->scope->r->arena, 4096);
    for (size_t i = 0; i < len; i++) {
        if (i > 0)
            buf_add_char(&b, '.');
        buf_add(&b, pipe_short(path[i]));
    }
    return buf_c(&b);
}

static ValueKind wrong(RefCheck *c, const Str *path, size_t len, const char *what)
{
    pipe_fault(c->scope->r, c->at, "%s %s", path_text(c, path, len), what);
    return VALUE_WRONG;
}

static ValueKind unknown(RefCheck *c, const Str *path, size_t len, const char *what,
                         const Nearest *n)
{
    pipe_fault(c->scope->r, c->at, "%s %s%s", path_text(c, path, len), what, pipe_meant(n).text);
    return VALUE_WRONG;
}

/* One of a few fixed members; VALUE_ANY, or wrong with the nearest. */
static ValueKind member_of(RefCheck *c, const Str *path, size_t len, size_t index,
                           const char *const *names)
{
    if (len <= index)
        return VALUE_ANY;
    Nearest n = nearest_to(path[index]);
    char all[200] = "";
    size_t at = 0;
    for (size_t i = 0; names[i] != NULL; i++) {
        if (str_eq_c(path[index], names[i]))
            return VALUE_ANY;
        nearest_try(&n, names[i]);
        at += (size_t)snprintf(all + at, sizeof all - at, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    char what[256];
    snprintf(what, sizeof what, "does not exist; there are %s", all);
    return unknown(c, path, index + 1, what, &n);
}

static const char *const file_members[] = {"name", "type", "bytes", "blob", NULL};

static ValueKind file_member(RefCheck *c, const Str *path, size_t len, size_t index)
{
    if (len <= index)
        return VALUE_FILE;
    ValueKind k = member_of(c, path, len, index, file_members);
    if (k != VALUE_WRONG && len > index + 1)
        return wrong(c, path, len, "goes deeper than a file's fields");
    return k == VALUE_WRONG ? k : str_eq_c(path[index], "bytes") ? VALUE_INT : VALUE_TEXT;
}

static ValueKind list_member(RefCheck *c, const Str *path, size_t len, size_t index, ValueKind list)
{
    if (len <= index)
        return list;
    return wrong(c, path, index, "is a list: take one with [0], or map(list, 'name') of all");
}

/* A value without members. */
static ValueKind plain(RefCheck *c, const Str *path, size_t len, size_t index, ValueKind k)
{
    if (len <= index)
        return k;
    char what[80];
    snprintf(what, sizeof what, "is %s and has nothing inside", pipe_kind_name(k));
    return wrong(c, path, index, what);
}

/* inputs.NAME */

static ValueKind input_kind(ParamType t)
{
    static const ValueKind kinds[] = {
        [PARAM_TYPE_END] = VALUE_ANY,       [PARAM_TYPE_INT] = VALUE_INT,
        [PARAM_TYPE_NUMBER] = VALUE_NUMBER, [PARAM_TYPE_BOOL] = VALUE_BOOL,
        [PARAM_TYPE_TEXT] = VALUE_TEXT,     [PARAM_TYPE_CHOICE] = VALUE_TEXT,
        [PARAM_TYPE_LIST] = VALUE_LIST,     [PARAM_TYPE_JSON] = VALUE_ANY,
    };
    return kinds[t];
}

const FileInput *pipe_file_input(const Pipeline *p, Str name)
{
    for (size_t i = 0; i < p->files_len; i++)
        if (str_eq(p->files[i].name, name))
            return &p->files[i];
    return NULL;
}

static ValueKind ref_inputs(RefCheck *c, const Str *path, size_t len)
{
    PipeReader *r = c->scope->r;
    if (len < 2)
        return VALUE_OBJECT;
    const FileInput *f = pipe_file_input(r->p, path[1]);
    if (f != NULL)
        return f->many ? list_member(c, path, len, 2, VALUE_FILES) : file_member(c, path, len, 2);
    const Param *p = param_find(r->p->inputs, path[1]);
    if (p != NULL) {
        ValueKind k = input_kind(p->type);
        return k == VALUE_ANY    ? k
               : k == VALUE_LIST ? list_member(c, path, len, 2, k)
                                 : plain(c, path, len, 2, k);
    }
    if (json_get_str(r->inputs, path[1]) != NULL)
        return VALUE_WRONG; /* it is there, with a fault of its own */
    Nearest n = nearest_to(path[1]);
    json_each(input, r->inputs) {
        const char *name = input->key.len <= 64 ? str_to_c(r->arena, input->key) : NULL;
        if (name != NULL)
            nearest_try(&n, name);
    }
    return unknown(c, path, 2, "is no input", &n);
}

/* steps.ID */

static ValueKind field_kind(const Field *f)
{
    static const ValueKind kinds[] = {
        [FIELD_TYPE_END] = VALUE_ANY,       [FIELD_TYPE_INT] = VALUE_INT,
        [FIELD_TYPE_NUMBER] = VALUE_NUMBER, [FIELD_TYPE_BOOL] = VALUE_BOOL,
        [FIELD_TYPE_TEXT] = VALUE_TEXT,     [FIELD_TYPE_LIST] = VALUE_LIST,
        [FIELD_TYPE_OBJECT] = VALUE_OBJECT, [FIELD_TYPE_ANY] = VALUE_ANY,
    };
    return kinds[f->type];
}

static const Field *find_field(const Field *fields, Str name, Nearest *n)
{
    for (const Field *f = fields; f != NULL && f->name != NULL; f++) {
        if (str_eq_c(name, f->name))
            return f;
        nearest_try(n, f->name);
    }
    return NULL;
}

static ValueKind ref_field(RefCheck *c, const Str *path, size_t len, size_t index, const Field *f)
{
    for (; index < len && f->type == FIELD_TYPE_OBJECT && f->items != NULL; index++) {
        Nearest n = nearest_to(path[index]);
        f = find_field(f->items, path[index], &n);
        if (f == NULL)
            return unknown(c, path, index + 1, "is not in what the step gives", &n);
    }
    if (f->type == FIELD_TYPE_ANY || (f->type == FIELD_TYPE_OBJECT && f->items == NULL))
        return len > index ? VALUE_ANY : field_kind(f);
    if (f->type == FIELD_TYPE_LIST)
        return list_member(c, path, len, index, VALUE_LIST);
    return plain(c, path, len, index, field_kind(f));
}

static const char *const type_names[] = {"text", "markdown", "html",  "json",  "csv", "xml",
                                         "pdf",  "image",    "audio", "video", "zip", NULL};

static const char *type_name(Str name)
{
    for (size_t i = 0; type_names[i] != NULL; i++)
        if (str_eq_c(name, type_names[i]))
            return type_names[i];
    return NULL;
}

/* Does the step give a file that goes by this name? */
static bool returns_type(const Step *s, Str name)
{
    Str rest = str_from_c(s->returns), part;
    while (s->returns != NULL && str_next(&rest, ',', &part)) {
        part = str_trim(part);
        const char *its = pipeline_type_name(part);
        if (str_eq(part, STR("*/*")) || (its != NULL && str_eq_c(name, its)))
            return true;
    }
    return false;
}

static ValueKind ref_file_of_step(RefCheck *c, const Str *path, size_t len, const Step *s)
{
    if (s->returns == NULL) {
        char what[128];
        snprintf(what, sizeof what, "does not exist: %s gives no file", s->name);
        return wrong(c, path, 3, what);
    }
    if (str_eq_c(path[2], "outputs"))
        return list_member(c, path, len, 3, VALUE_FILES);
    if (!str_eq_c(path[2], "output") && !returns_type(s, path[2])) {
        char what[400];
        snprintf(what, sizeof what, "does not exist: %s gives %.300s", s->name, s->returns);
        return wrong(c, path, 3, what);
    }
    return file_member(c, path, len, 3);
}

/* Of every step, besides the fields of its data. */
static const char *const step_members[] = {"state", "reason", "output", "outputs", NULL};

static ValueKind ref_step(RefCheck *c, const Str *path, size_t len, const Step *s)
{
    Nearest n = nearest_to(path[2]);
    const Field *f = find_field(s->data, path[2], &n);
    if (f != NULL)
        return ref_field(c, path, len, 3, f);
    bool a_file = str_eq_c(path[2], "output") || str_eq_c(path[2], "outputs");
    if (a_file || type_name(path[2]) != NULL)
        return ref_file_of_step(c, path, len, s);
    if (s->data == NULL)
        return VALUE_ANY;
    for (size_t i = 0; step_members[i] != NULL; i++)
        nearest_try(&n, step_members[i]);
    return unknown(c, path, 3, "is not in what the step gives", &n);
}

static ValueKind ref_call(RefCheck *c, const Str *path, size_t len, const Pipeline *called)
{
    if (called == NULL || called->outputs == NULL)
        return VALUE_ANY;
    const Json *outputs = template_source(called->outputs);
    if (!json_is(outputs, JSON_OBJECT) || json_get_str(outputs, path[2]) != NULL)
        return VALUE_ANY;
    if (str_eq_c(path[2], "output") || str_eq_c(path[2], "outputs") || type_name(path[2]) != NULL)
        return VALUE_ANY;
    Nearest n = nearest_to(path[2]);
    json_each(output, outputs) {
        const char *name = output->key.len <= 64 ? str_to_c(c->scope->r->arena, output->key) : NULL;
        if (name != NULL)
            nearest_try(&n, name);
    }
    (void)len;
    return unknown(c, path, 3, "is not among the outputs of the pipeline called", &n);
}

static const char *const approval_members[] = {"approved", "comment",   "by",
                                               "at",       "timed_out", NULL};
static const char *const time_members[] = {"timed_out", "at", NULL};

static ValueKind ref_wait(RefCheck *c, const Str *path, size_t len, WaitKind kind)
{
    if (kind == WAIT_APPROVAL)
        return member_of(c, path, len, 2, approval_members);
    if (kind == WAIT_TIME)
        return member_of(c, path, len, 2, time_members);
    return VALUE_ANY; /* a signal's and a callback's value is what the sender sent */
}

/* May an expression in this section name that node? A need is noted on the way. */
static bool reachable(RefCheck *c, const Str *path, const Draft *target)
{
    const RefScope *s = c->scope;
    NodeSection from = s->draft != NULL ? s->draft->node.section : SECTION_STEPS;
    if (s->draft == target)
        wrong(c, path, 2, "is the step itself: it has no value before it ran");
    else if (from == SECTION_STEPS && target->node.section != SECTION_STEPS)
        wrong(c, path, 2, "runs only after all steps have ended");
    else if (from == SECTION_ON_FAILURE && target->node.section == SECTION_FINALLY)
        wrong(c, path, 2, "runs only after on-failure");
    else
        return true;
    return false;
}

static ValueKind no_such_step(RefCheck *c, const Str *path)
{
    PipeReader *r = c->scope->r;
    Nearest n = nearest_to(path[1]);
    for (size_t i = 0; i < r->drafts_len; i++) {
        const char *name = str_to_c(r->arena, r->drafts[i].node.id);
        if (name != NULL)
            nearest_try(&n, name);
    }
    return unknown(c, path, 2, "does not exist: there is no such step", &n);
}

static ValueKind ref_steps(RefCheck *c, const Str *path, size_t len)
{
    PipeReader *r = c->scope->r;
    if (len < 2)
        return wrong(c, path, len, "needs the name of a step after it: steps.NAME");
    Draft *target = pipe_draft(r, path[1]), *self = c->scope->draft;
    if (target == NULL)
        return no_such_step(c, path);
    if (!reachable(c, path, target))
        return VALUE_WRONG;
    if (self != NULL && self->node.section == target->node.section)
        self->need[target - r->drafts] = true;
    if (target->broken)
        return VALUE_WRONG;
    if (target->many)
        return len > 2 ? list_member(c, path, len, 2, VALUE_LIST) : VALUE_LIST;
    if (len < 3)
        return target->node.kind == NODE_WAIT ? VALUE_ANY : VALUE_STEP;
    if (str_eq_c(path[2], "state") || str_eq_c(path[2], "reason"))
        return plain(c, path, len, 3, VALUE_TEXT);
    if (target->node.kind == NODE_WAIT)
        return ref_wait(c, path, len, target->node.wait);
    if (r->world->stored)
        return VALUE_ANY;
    return target->node.kind == NODE_CALL ? ref_call(c, path, len, target->called)
                                          : ref_step(c, path, len, target->node.step);
}

/* The other roots */

static ValueKind ref_matrix(RefCheck *c, const Str *path, size_t len)
{
    const Json *axes = json_get(c->scope->draft->source, "matrix");
    if (len < 2 || !json_is(axes, JSON_OBJECT) || json_get_str(axes, path[1]) != NULL)
        return VALUE_ANY;
    Nearest n = nearest_to(path[1]);
    json_each(axis, axes) {
        const char *name = axis->key.len <= 64 ? str_to_c(c->scope->r->arena, axis->key) : NULL;
        if (name != NULL)
            nearest_try(&n, name);
    }
    return unknown(c, path, 2, "is no axis of the matrix", &n);
}

static ValueKind ref_secrets(RefCheck *c, const Str *path, size_t len)
{
    const Pipeline *p = c->scope->r->p;
    if (len != 2)
        return wrong(c, path, len, "must name one secret: secrets.NAME");
    bool declared = false;
    Nearest n = nearest_to(path[1]);
    for (size_t i = 0; i < p->secrets_len; i++) {
        declared |= str_eq(p->secrets[i], path[1]);
        const char *name = str_to_c(c->scope->r->arena, p->secrets[i]);
        if (name != NULL)
            nearest_try(&n, name);
    }
    if (!declared)
        return unknown(c, path, len, "is not declared; add it to secrets: at the top", &n);
    if (c->whole.len != strlen("secrets.") + path[1].len)
        return wrong(c, path, len, "must be the whole value, with nothing around it");
    return VALUE_SECRET;
}

static const char *const failure_members[] = {"step", "reason", "detail", NULL};

static ValueKind ref_failure(RefCheck *c, const Str *path, size_t len)
{
    ValueKind k = member_of(c, path, len, 1, failure_members);
    return k == VALUE_WRONG || len < 2 ? k : plain(c, path, len, 2, VALUE_TEXT);
}

static const char *const job_members[] = {"id", "created", NULL};

static ValueKind ref_job(RefCheck *c, const Str *path, size_t len)
{
    ValueKind k = member_of(c, path, len, 1, job_members);
    return k == VALUE_WRONG || len < 2 ? k : plain(c, path, len, 2, VALUE_TEXT);
}

static ValueKind ref_waits(RefCheck *c, const Str *path, size_t len)
{
    if (len != 3 || !str_eq_c(path[2], "url"))
        return wrong(c, path, len, "must be waits.NAME.url");
    const Draft *d = pipe_draft(c->scope->r, path[1]);
    if (d == NULL)
        return no_such_step(c, path);
    if (!d->broken && (d->node.kind != NODE_WAIT || d->node.wait != WAIT_CALLBACK))
        return wrong(c, path, len, "has no address: only wait: callback has one");
    return VALUE_TEXT;
}

static ValueKind ref_any(RefCheck *c, const Str *path, size_t len)
{
    (void)c;
    (void)path;
    (void)len;
    return VALUE_ANY;
}

static const struct {
    const char *name;
    PipeRoot root;
    ValueKind (*check)(RefCheck *c, const Str *path, size_t len);
    const char *elsewhere; /* said where it may not be named */
    const char *help;
} roots[] = {
    {"inputs", ROOT_INPUTS, ref_inputs, "is not known here", "What the caller gave: inputs.NAME."},
    {"steps", ROOT_STEPS, ref_steps, "is not known here: no step has run yet",
     "What a step gave: steps.NAME.FIELD; this step then begins after it."},
    {"item", ROOT_ITEM, ref_any, "is known only in with of a step that has foreach or matrix",
     "Of foreach: the member of the list."},
    {"index", ROOT_ITEM, ref_any, "is known only in with of a step that has foreach or matrix",
     "Of foreach and matrix: the number of the run; the first is 0."},
    {"matrix", ROOT_MATRIX, ref_matrix, "is known only in with of a step that has matrix",
     "Of matrix: the values of this combination, matrix.NAME."},
    {"secrets", ROOT_SECRETS, ref_secrets, "may only be the value of a secret parameter",
     "A secret of the project, only as the whole value of a secret parameter."},
    {"failure", ROOT_FAILURE, ref_failure, "is known only in on-failure and finally",
     "The first step that failed; null when none has."},
    {"job", ROOT_JOB, ref_job, "is not known here", "This job."},
    {"trigger", ROOT_TRIGGER, ref_any, "is not known here", "What started the job."},
    {"waits", ROOT_WAITS, ref_waits, "is known only in with of a step",
     "The address of a callback: waits.NAME.url."},
};

static void put_names(JsonOut *j, const char *key, const char *const *names)
{
    json_key(j, key);
    json_begin(j, '[');
    for (size_t i = 0; names[i] != NULL; i++)
        json_put_c(j, names[i]);
    json_end(j, ']');
}

void pipe_put_roots(JsonOut *j)
{
    json_key(j, "roots");
    json_begin(j, '[');
    for (size_t i = 0; i < COUNT_OF(roots); i++) {
        json_begin(j, '{');
        json_kv_c(j, "name", roots[i].name);
        json_kv_c(j, "help", roots[i].help);
        json_end(j, '}');
    }
    json_end(j, ']');
    json_key(j, "members");
    json_begin(j, '{');
    put_names(j, "step", step_members);
    put_names(j, "file_types", type_names);
    put_names(j, "file", file_members);
    put_names(j, "approval", approval_members);
    put_names(j, "time", time_members);
    put_names(j, "failure", failure_members);
    put_names(j, "job", job_members);
    json_end(j, '}');
}

static ValueKind check_ref(RefCheck *c, const Str *path, size_t len)
{
    Nearest n = nearest_to(path[0]);
    for (size_t i = 0; i < COUNT_OF(roots); i++) {
        if (str_eq_c(path[0], roots[i].name))
            return (c->scope->roots & (unsigned)roots[i].root) != 0
                       ? roots[i].check(c, path, len)
                       : wrong(c, path, len, roots[i].elsewhere);
        nearest_try(&n, roots[i].name);
    }
    pipe_fault(c->scope->r, c->at,
               "\"" STR_FMT "\" is not known; there are inputs, steps, item, index, matrix, "
               "secrets, failure, job, trigger and waits%s",
               STR_ARG(pipe_short(path[0])), pipe_meant(&n).text);
    return VALUE_WRONG;
}

static bool is_whole(Str whole, const Str *path, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (whole.len == 0 || whole.ptr[0] != '.'))
            return false;
        whole = str_slice(whole, i > 0 ? 1 : 0, whole.len);
        if (!str_starts(whole, path[i]))
            return false;
        whole = str_slice(whole, path[i].len, whole.len);
    }
    return whole.len == 0;
}

static void on_ref(void *ctx, const Str *path, size_t len)
{
    RefCheck *c = ctx;
    if (c->scope->r->faults->len == PIPELINE_FAULTS_MAX || c->scope->r->no_memory || len == 0)
        return;
    Str whole = c->whole;
    bool alone = is_whole(whole, path, len);
    c->whole = alone ? whole : STR("");
    ValueKind k = check_ref(c, path, len);
    c->whole = whole;
    if (alone)
        c->kind = k;
    else if (k == VALUE_WRONG)
        c->kind = VALUE_WRONG;
}

ValueKind pipe_check_expr(const RefScope *s, const Place *at, const Expr *e)
{
    RefCheck c = {.scope = s, .at = at, .kind = VALUE_ANY};
    expr_each_ref(e, on_ref, &c);
    return c.kind;
}

/* "${{ inputs.size }}" → "inputs.size" */
static Str inner(Str text)
{
    text = str_trim(text);
    if (!str_starts(text, STR("${{")) || !str_ends(text, STR("}}")) || text.len < 5)
        return STR("");
    return str_trim(str_slice(text, 3, text.len - 2));
}

static ValueKind check_text(const RefScope *s, const Place *at, const Json *value)
{
    const Template *t;
    Err err = {0};
    ErrCode rc = template_parse(s->r->arena, value, &t, &err);
    if (rc == ERR_NO_MEMORY) {
        s->r->no_memory = true;
        return VALUE_WRONG;
    }
    if (rc != OK) {
        pipe_fault(s->r, at, "%s", err.text);
        return VALUE_WRONG;
    }
    const Expr *e = template_expr(t);
    RefCheck c = {.scope = s, .at = at, .kind = e != NULL ? VALUE_ANY : VALUE_TEXT};
    if (e != NULL)
        c.whole = inner(value->text);
    template_each_ref(t, on_ref, &c);
    return c.kind;
}

static ValueKind check_members(const RefScope *s, const Place *at, const Json *value)
{
    ValueKind k = value->type == JSON_LIST ? VALUE_LIST : VALUE_OBJECT;
    size_t i = 0;
    json_each(member, value) {
        char no[32];
        snprintf(no, sizeof no, "[%zu]", i++);
        Place here = {at, value->type == JSON_LIST ? str_from_c(no) : member->key};
        if (pipe_check_value(s, &here, member) == VALUE_WRONG)
            k = VALUE_WRONG;
        if (s->r->no_memory || s->r->faults->len == PIPELINE_FAULTS_MAX)
            break;
    }
    return k;
}

ValueKind pipe_check_value(const RefScope *s, const Place *at, const Json *value)
{
    switch (value->type) {
    case JSON_TEXT:
        return check_text(s, at, value);
    case JSON_LIST:
    case JSON_OBJECT:
        return check_members(s, at, value);
    case JSON_INT:
        return VALUE_INT;
    case JSON_NUMBER:
        return VALUE_NUMBER;
    case JSON_BOOL:
        return VALUE_BOOL;
    case JSON_NULL:
        break;
    }
    return VALUE_ANY;
}

const Template *pipe_template(const RefScope *s, const Place *at, const Json *value,
                              ValueKind *kind)
{
    size_t before = s->r->faults->len;
    ValueKind k = pipe_check_value(s, at, value);
    const Template *t = NULL;
    Err err = {0};
    if (kind != NULL)
        *kind = k;
    if (s->r->no_memory || s->r->faults->len > before)
        return NULL;
    ErrCode rc = template_parse(s->r->arena, value, &t, &err);
    if (rc == ERR_NO_MEMORY)
        s->r->no_memory = true;
    else if (rc != OK)
        pipe_fault(s->r, at, "%s", err.text);
    return rc == OK ? t : NULL;
}
