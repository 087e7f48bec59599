/* What goes into a node: values against the step's own table of parameters, files, conditions,
 * fan-out. */
#include "core/pipeline_in.h"

#include <stdio.h>
#include <string.h>

static const char *const file_names[] = {"file", "inputs", "document"};

/* The key that says what goes in. A parameter of the step has the first right to its name. */
static bool is_file_key(const Step *s, Str key)
{
    for (size_t i = 0; i < COUNT_OF(file_names); i++)
        if (str_eq_c(key, file_names[i]))
            return s == NULL || param_find(s->params, key) == NULL;
    return false;
}

/* Values */

static void check_constant(PipeReader *r, const Place *at, const Param *p, const Json *value)
{
    Param alone[2] = {*p, PARAM_END};
    Json member = *value, object = {.type = JSON_OBJECT, .len = 1, .first = &member};
    ParamFaults faults;
    Str canonical;
    Err err = {0};
    member.key = str_from_c(p->name);
    member.next = NULL;
    ErrCode rc = param_check(alone, &object, r->arena, &canonical, &faults, &err);
    if (rc == ERR_NO_MEMORY)
        r->no_memory = true;
    else if (rc != OK)
        for (size_t i = 0; i < faults.len; i++)
            pipe_fault(r, at, STR_FMT, STR_ARG(faults.items[i].detail));
}

static bool kind_fits(ParamType t, ValueKind k)
{
    if (k == VALUE_ANY || k == VALUE_WRONG)
        return true;
    switch (t) {
    case PARAM_TYPE_INT:
    case PARAM_TYPE_NUMBER:
        return k == VALUE_INT || k == VALUE_NUMBER;
    case PARAM_TYPE_BOOL:
        return k == VALUE_BOOL;
    case PARAM_TYPE_TEXT:
    case PARAM_TYPE_CHOICE:
        return k == VALUE_TEXT || k == VALUE_SECRET;
    case PARAM_TYPE_LIST:
        return k == VALUE_LIST;
    case PARAM_TYPE_JSON:
    case PARAM_TYPE_END:
        break;
    }
    return true;
}

static const char *kind_of_param(ParamType t)
{
    static const char *const names[] = {
        [PARAM_TYPE_END] = "nothing",     [PARAM_TYPE_INT] = "a whole number",
        [PARAM_TYPE_NUMBER] = "a number", [PARAM_TYPE_BOOL] = "true or false",
        [PARAM_TYPE_TEXT] = "text",       [PARAM_TYPE_CHOICE] = "one of its choices",
        [PARAM_TYPE_LIST] = "a list",     [PARAM_TYPE_JSON] = "any value",
    };
    return names[t];
}

static void check_kind(PipeReader *r, const Place *at, const Param *p, ValueKind k)
{
    if (kind_fits(p->type, k))
        return;
    const char *help = "";
    if (k == VALUE_FILE || k == VALUE_FILES)
        help = "; files go in by file:";
    else if (p->type == PARAM_TYPE_TEXT)
        help = "; text(…) makes text of it";
    pipe_fault(r, at, "must be %s, and the expression gives %s%s", kind_of_param(p->type),
               pipe_kind_name(k), help);
}

static bool is_constant(const Template *t)
{
    return t != NULL && template_is_constant(t);
}

static void check_param(const RefScope *s, const Place *at, const Param *p, const Json *value)
{
    PipeReader *r = s->r;
    RefScope scope = *s;
    ValueKind k;
    if (p->secret)
        scope.roots |= ROOT_SECRETS;
    const Template *t = pipe_template(&scope, at, value, &k);
    if (t == NULL)
        return;
    if (!is_constant(t)) {
        check_kind(r, at, p, k);
        return;
    }
    static const Json nothing = {.type = JSON_OBJECT};
    const Json *plain = template_eval(t, &nothing, r->arena);
    r->no_memory |= plain == NULL;
    if (plain != NULL && plain->type != JSON_NULL)
        check_constant(r, at, p, plain);
}

static void unknown_param(PipeReader *r, const Place *at, const Param *params,
                          const Pipeline *called)
{
    Nearest n = nearest_to(at->key);
    param_each(p, params)
        nearest_try(&n, p->name);
    for (size_t i = 0; called != NULL && i < called->files_len; i++) {
        const char *name = str_to_c(r->arena, called->files[i].name);
        if (name != NULL)
            nearest_try(&n, name);
    }
    pipe_fault(r, at, "is not %s%s",
               called != NULL ? "an input of the pipeline called" : "a parameter",
               pipe_meant(&n).text);
}

static void check_required(PipeReader *r, const Place *with, const Param *params, const Json *given)
{
    param_each(p, params) {
        const Json *v = json_get(given, p->name);
        Place at = {with, str_from_c(p->name)};
        if (p->required && (v == NULL || v->type == JSON_NULL))
            pipe_fault(r, &at, "is required");
    }
}

/* Files */

static void check_file_kind(PipeReader *r, const Place *at, ValueKind k, bool one)
{
    if (k == VALUE_STEP)
        pipe_fault(r, at, "is %s; name the file: steps.NAME.output", pipe_kind_name(k));
    else if (k == VALUE_FILES && one)
        pipe_fault(r, at,
                   "is a list of files, and one is wanted; go through them with foreach: "
                   "and file: \"${{ item }}\"");
    else if (k != VALUE_FILE && k != VALUE_FILES && k != VALUE_ANY && k != VALUE_LIST &&
             k != VALUE_OBJECT && k != VALUE_WRONG)
        pipe_fault(r, at,
                   "is %s; it must be a file, such as \"${{ inputs.source }}\" or "
                   "\"${{ steps.NAME.output }}\"",
                   pipe_kind_name(k));
}

static const Template *read_file(const RefScope *s, const Place *at, const Json *value, int most)
{
    ValueKind k;
    const Template *t = pipe_template(s, at, value, &k);
    if (t == NULL)
        return NULL;
    if (value->type == JSON_LIST) {
        if (most > 0 && value->len > (size_t)most)
            pipe_fault(s->r, at, "has %zu files, and the step takes at most %d", value->len, most);
    } else if (template_expr(t) == NULL) {
        pipe_fault(s->r, at,
                   "must be an expression that gives a file, such as "
                   "\"${{ inputs.source }}\"");
    } else {
        check_file_kind(s->r, at, k, most == 1);
    }
    return t;
}

static int files_most(const Step *s)
{
    return s == NULL ? 0 : s->inputs_max > 0 ? s->inputs_max : 1;
}

/* with of a step: the one key for files apart, the rest as an object for the parameters. */
static void read_file_key(const RefScope *s, const Place *at, Draft *d, const Json *value)
{
    const Step *step = s->r->world->stored ? NULL : d->node.step;
    if (step != NULL && step->accepts == NULL) {
        pipe_fault(s->r, at, "%s takes no file; leave this out", step->name);
        return;
    }
    if (d->node.file != NULL) {
        pipe_fault(s->r, at,
                   "says a second time what goes in; use only one of file, inputs and "
                   "document");
        return;
    }
    d->node.file = read_file(s, at, value, files_most(step));
}

static void check_file_given(PipeReader *r, const Place *at, const Draft *d, const Json *with)
{
    const Step *s = d->node.step;
    if (s == NULL || s->accepts == NULL || s->input_optional)
        return;
    json_each(member, with)
        if (is_file_key(s, member->key))
            return;
    pipe_fault(r, at, "%s needs a file; add file: to with, such as file: \"${{ inputs.source }}\"",
               s->name);
}

/* `with` without the files, as a tree of its own: members are copied flat. */
static const Json *without_files(PipeReader *r, const Step *s, const Json *with)
{
    Json *object = pipe_memory(r, arena_new(r->arena, Json, 1 + with->len));
    if (object == NULL)
        return NULL;
    *object = (Json){.type = JSON_OBJECT};
    Json *last = NULL;
    json_each(member, with) {
        if (is_file_key(s, member->key))
            continue;
        Json *copy = &object[1 + object->len++];
        *copy = *member;
        copy->next = NULL;
        if (last == NULL)
            object->first = copy;
        else
            last->next = copy;
        last = copy;
    }
    return object;
}

static void set_with(const RefScope *s, Draft *d, const Json *object)
{
    Err err = {0};
    if (object == NULL || object->len == 0 || s->r->faults->len > 0)
        return;
    if (template_parse(s->r->arena, object, &d->node.with, &err) != OK)
        s->r->no_memory = true; /* every part of it has been parsed already */
}

/* Values of a step whose contract is not at hand, or no longer binds (a stored version). */
static void check_loosely(const RefScope *s, const Place *at, const Json *value)
{
    RefScope scope = *s;
    scope.roots |= ROOT_SECRETS;
    pipe_check_value(&scope, at, value);
}

static void read_step_with(const RefScope *s, const Place *at, Draft *d, const Json *with)
{
    const Step *step = s->r->world->stored ? NULL : d->node.step;
    json_each(member, with) {
        Place here = {at, member->key};
        const Param *p = step != NULL ? param_find(step->params, member->key) : NULL;
        if (is_file_key(d->node.step, member->key))
            read_file_key(s, &here, d, member);
        else if (p != NULL)
            check_param(s, &here, p, member);
        else if (step == NULL)
            check_loosely(s, &here, member);
        else
            unknown_param(s->r, &here, step->params, NULL);
        if (s->r->no_memory || s->r->faults->len == PIPELINE_FAULTS_MAX)
            return;
    }
    if (step != NULL) {
        check_required(s->r, at, step->params, with);
        check_file_given(s->r, at->up, d, with);
    }
    if (with != NULL)
        set_with(s, d, without_files(s->r, d->node.step, with));
}

/* with of a call: values and files by the names of the other pipeline's inputs. */
static void read_call_with(const RefScope *s, const Place *at, Draft *d, const Json *with)
{
    const Pipeline *to = d->called;
    json_each(member, with) {
        Place here = {at, member->key};
        const FileInput *f = to != NULL ? pipe_file_input(to, member->key) : NULL;
        const Param *p = to != NULL ? param_find(to->inputs, member->key) : NULL;
        if (f != NULL)
            read_file(s, &here, member, f->many ? 0 : 1);
        else if (p != NULL)
            check_param(s, &here, p, member);
        else if (to == NULL)
            pipe_check_value(s, &here, member);
        else
            unknown_param(s->r, &here, to->inputs, to);
        if (s->r->no_memory || s->r->faults->len == PIPELINE_FAULTS_MAX)
            return;
    }
    if (to != NULL)
        check_required(s->r, at, to->inputs, with);
    for (size_t i = 0; to != NULL && i < to->files_len; i++) {
        Place here = {at, to->files[i].name};
        if (to->files[i].required && json_get_str(with, to->files[i].name) == NULL)
            pipe_fault(s->r, &here, "is required: the pipeline called needs this file");
    }
    set_with(s, d, with);
}

static void read_with(const RefScope *s, const Place *up, Draft *d)
{
    Place at = {up, STR("with")};
    const Json *with = json_get(d->source, "with");
    if (with != NULL && with->type != JSON_OBJECT) {
        pipe_fault(s->r, &at, "must be an object of parameters");
        return;
    }
    if (d->node.kind == NODE_CALL)
        read_call_with(s, &at, d, with);
    else
        read_step_with(s, &at, d, with);
}

/* Conditions and fan-out */

static void read_when(const RefScope *s, const Place *up, Draft *d)
{
    Place at = {up, STR("if")};
    const Json *v = json_get(d->source, "if");
    Str text = json_text(v);
    Err err = {0};
    if (v == NULL)
        return;
    if (v->type == JSON_BOOL)
        text = v->truth ? STR("true") : STR("false");
    if (text.len == 0) {
        pipe_fault(s->r, &at, "must be an expression, such as \"${{ inputs.size > 3 }}\"");
        return;
    }
    /* The marks may be left out: what stands here is an expression in any case. */
    ErrCode rc;
    if (str_find(text, STR("${{")) != STR_NONE) {
        const Template *t = pipe_template(s, &at, v, NULL);
        if (t != NULL && (d->node.when = template_expr(t)) == NULL)
            pipe_fault(s->r, &at, "must be one expression and nothing else");
        return;
    }
    rc = expr_parse(s->r->arena, text, &d->node.when, &err);
    if (rc == ERR_NO_MEMORY)
        s->r->no_memory = true;
    else if (rc != OK)
        pipe_fault(s->r, &at, "%s", err.text);
    else
        pipe_check_expr(s, &at, d->node.when);
}

/* A list as written, or an expression that may give one. */
static const Template *read_list(const RefScope *s, const Place *at, const Json *v)
{
    ValueKind k;
    const Template *t = pipe_template(s, at, v, &k);
    if (t == NULL)
        return NULL;
    if (v->type != JSON_LIST && template_expr(t) == NULL)
        pipe_fault(s->r, at, "must be a list, or an expression that gives one");
    else if (k != VALUE_LIST && k != VALUE_FILES && k != VALUE_ANY && k != VALUE_WRONG)
        pipe_fault(s->r, at, "must be a list, and the expression gives %s", pipe_kind_name(k));
    else if (v->type == JSON_LIST && v->len > PIPELINE_ITEMS_MAX)
        pipe_fault(s->r, at, "has %zu items, at most %d are allowed", v->len, PIPELINE_ITEMS_MAX);
    return t;
}

static void read_matrix(const RefScope *s, const Place *at, Draft *d, const Json *axes)
{
    if (!json_is(axes, JSON_OBJECT) || axes->len == 0 || axes->len > 16) {
        pipe_fault(s->r, at,
                   "must be an object of lists (at most 16), such as {width: [320, 640]}");
        return;
    }
    size_t all = 1;
    json_each(axis, axes) {
        Place here = {at, axis->key};
        read_list(s, &here, axis);
        if (axis->type == JSON_LIST && axis->len == 0)
            pipe_fault(s->r, &here, "has no values, so nothing would run");
        else if (axis->type == JSON_LIST && all <= PIPELINE_ITEMS_MAX)
            all *= axis->len;
    }
    if (all > PIPELINE_ITEMS_MAX)
        pipe_fault(s->r, at, "has more than %d combinations", PIPELINE_ITEMS_MAX);
    d->node.matrix = pipe_template(s, at, axes, NULL);
}

static void read_many(const RefScope *s, const Place *up, Draft *d)
{
    Place foreach_at = {up, STR("foreach")}, matrix_at = {up, STR("matrix")};
    const Json *list = json_get(d->source, "foreach"), *axes = json_get(d->source, "matrix");
    if (list != NULL && axes != NULL) {
        pipe_fault(s->r, &matrix_at, "cannot stand beside foreach; make the list an axis of it");
        return;
    }
    if (list != NULL)
        d->node.foreach = read_list(s, &foreach_at, list);
    if (axes != NULL)
        read_matrix(s, &matrix_at, d, axes);
}

static void read_until(const RefScope *s, const Place *up, Draft *d)
{
    Place at = {up, STR("until")};
    const Json *v = json_get(d->source, "until");
    if (v == NULL || d->node.kind != NODE_WAIT)
        return;
    if (v->type != JSON_TEXT)
        pipe_fault(s->r, &at, "must be a time such as 2026-12-24T18:00:00Z, or an expression");
    else
        d->node.until = pipe_template(s, &at, v, NULL);
}

/* needs */

static void add_need(PipeReader *r, const Place *at, Draft *d, const Json *v)
{
    Draft *target = pipe_draft(r, json_text(v));
    if (target == d) {
        pipe_fault(r, at, "is the step itself");
    } else if (target == NULL) {
        Nearest n = nearest_to(json_text(v));
        for (size_t i = 0; i < r->drafts_len; i++) {
            const char *name = str_to_c(r->arena, r->drafts[i].node.id);
            if (name != NULL)
                nearest_try(&n, name);
        }
        pipe_fault(r, at, "there is no step \"" STR_FMT "\"%s", STR_ARG(pipe_short(json_text(v))),
                   pipe_meant(&n).text);
    } else if (target->node.section != d->node.section) {
        pipe_fault(r, at,
                   "\"" STR_FMT "\" is in another section: sections run one after the "
                   "other; leave it out",
                   STR_ARG(target->node.id));
    } else {
        d->need[target - r->drafts] = true;
    }
}

static void read_needs(PipeReader *r, const Place *up, Draft *d)
{
    Place at = {up, STR("needs")};
    const Json *v = json_get(d->source, "needs");
    if (v == NULL)
        return;
    if (v->type == JSON_TEXT) {
        add_need(r, &at, d, v);
        return;
    }
    if (v->type != JSON_LIST || v->len > PIPELINE_NODES_MAX) {
        pipe_fault(r, &at, "must be the name of a step, or a list of names");
        return;
    }
    size_t i = 0;
    json_each(item, v) {
        char no[32];
        snprintf(no, sizeof no, "[%zu]", i++);
        Place here = {&at, str_from_c(no)};
        add_need(r, &here, d, item);
    }
}

void pipe_node_values(PipeReader *r, Draft *d)
{
    Place section = pipe_section_place(d->node.section), at = {&section, d->node.id};
    RefScope once = {
        .r = r, .draft = d, .roots = ROOT_INPUTS | ROOT_STEPS | ROOT_JOB | ROOT_TRIGGER};
    if (d->node.section != SECTION_STEPS)
        once.roots |= ROOT_FAILURE;
    if (!json_is(d->source, JSON_OBJECT) || d->need == NULL)
        return;
    read_needs(r, &at, d);
    read_when(&once, &at, d);
    read_many(&once, &at, d);
    read_until(&once, &at, d);
    if (d->node.kind == NODE_WAIT)
        return;
    RefScope each = once;
    each.roots |= ROOT_WAITS;
    if (d->many)
        each.roots |= ROOT_ITEM;
    if (json_get(d->source, "matrix") != NULL)
        each.roots |= ROOT_MATRIX;
    read_with(&each, &at, d);
}

void pipe_outputs(PipeReader *r, const Place *at, const Json *outputs)
{
    if (outputs == NULL)
        return;
    if (outputs->type != JSON_OBJECT) {
        pipe_fault(r, at, "must be an object, such as {article: \"${{ steps.text.output }}\"}");
        return;
    }
    RefScope s = {.r = r, .roots = ROOT_INPUTS | ROOT_STEPS | ROOT_JOB | ROOT_TRIGGER};
    r->p->outputs = pipe_template(&s, at, outputs, NULL);
}
