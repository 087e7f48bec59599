/* The top level of a pipeline, and how faults are told. */
#include "core/pipeline_in.h"

#include <stdarg.h>
#include <stdio.h>

enum { DETAIL_MAX = 512, PATH_MAX = 1024, TITLE_MAX = 200, SUMMARY_MAX = 2000, SHORT_MAX = 40 };

/* Faults */

void *pipe_memory(PipeReader *r, void *p)
{
    if (p == NULL)
        r->no_memory = true;
    return p;
}

static void add_dotted(Buf *b, const Place *at)
{
    if (at == NULL)
        return;
    add_dotted(b, at->up);
    if (b->len > 0 && at->key.len > 0 && at->key.ptr[0] != '[')
        buf_add_char(b, '.');
    buf_add(b, at->key);
}

/* As the lines name places: "/steps/text"; an item's key is "[2]" here and "2" there. */
static void add_pointer(Buf *b, const Place *at)
{
    if (at == NULL)
        return;
    add_pointer(b, at->up);
    buf_add_char(b, '/');
    Str key = at->key;
    if (key.len > 2 && key.ptr[0] == '[')
        key = str_slice(key, 1, key.len - 1);
    for (size_t i = 0; i < key.len; i++) {
        if (key.ptr[i] == '~')
            buf_add_c(b, "~0");
        else if (key.ptr[i] == '/')
            buf_add_c(b, "~1");
        else
            buf_add_char(b, key.ptr[i]);
    }
}

/* The line of the place, or of the nearest one around it that has a line. */
int pipe_line(const PipeReader *r, const Place *at)
{
    for (; r->lines != NULL && at != NULL; at = at->up) {
        ArenaMark m = arena_mark(r->arena);
        Buf b = buf_init(r->arena, PATH_MAX * 4);
        add_pointer(&b, at);
        int64_t line = b.failed ? 0 : json_int(json_get_str(r->lines, buf_str(&b)), 0);
        arena_rewind(r->arena, m);
        if (line > 0 && line < INT32_MAX)
            return (int)line;
    }
    return 0;
}

void pipe_fault(PipeReader *r, const Place *at, const char *fmt, ...)
{
    if (r->faults->len == PIPELINE_FAULTS_MAX || r->no_memory)
        return;
    char text[DETAIL_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    int line = pipe_line(r, at);
    Str detail = str_copy(r->arena, str_from_c(text));
    Buf path = buf_init(r->arena, PATH_MAX * 4);
    add_dotted(&path, at);
    if (detail.ptr == NULL || path.failed)
        r->no_memory = true;
    else
        r->faults->items[r->faults->len++] = (PipelineFault){buf_str(&path), line, detail};
}

Str pipe_short(Str s)
{
    if (s.len <= SHORT_MAX)
        return s;
    size_t end = 0;
    for (size_t at = 0; at <= SHORT_MAX; str_next_utf8(s, &at))
        end = at;
    return str_slice(s, 0, end);
}

Meant pipe_meant(const Nearest *n)
{
    Meant m = {""};
    if (n->name != NULL)
        snprintf(m.text, sizeof m.text, "; did you mean \"%s\"?", n->name);
    return m;
}

/* Small values */

bool pipe_word_ok(Str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
        if (!letter && (i == 0 || (!(c >= '0' && c <= '9') && c != '-' && c != '_')))
            return false;
    }
    return s.len > 0 && s.len <= 64;
}

bool pipe_keys(PipeReader *r, const Place *at, const Json *object, PipeKeyPlace place)
{
    if (!json_is(object, JSON_OBJECT)) {
        pipe_fault(r, at, "must be an object");
        return false;
    }
    json_each(member, object) {
        Nearest n = nearest_to(member->key);
        Place here = {at, member->key};
        pipe_nearest_key(&n, place);
        if (pipe_key(member->key, place) == NULL)
            pipe_fault(r, &here, "is not known here%s", pipe_meant(&n).text);
        if (r->faults->len == PIPELINE_FAULTS_MAX)
            break;
    }
    return true;
}

Str pipe_text(PipeReader *r, const Place *up, const Json *object, const char *key, size_t max)
{
    Place at = {up, str_from_c(key)};
    const Json *v = json_get(object, key);
    if (v == NULL || v->type == JSON_NULL)
        return STR("");
    if (v->type != JSON_TEXT)
        pipe_fault(r, &at, "must be text");
    else if (v->text.len > max)
        pipe_fault(r, &at, "must be at most %zu bytes long", max);
    else if (str_find_char(v->text, 0) != STR_NONE)
        pipe_fault(r, &at, "must not contain the character U+0000");
    else
        return v->text;
    return STR("");
}

bool pipe_flag(PipeReader *r, const Place *up, const Json *object, const char *key, bool otherwise)
{
    Place at = {up, str_from_c(key)};
    const Json *v = json_get(object, key);
    if (v != NULL && v->type != JSON_BOOL)
        pipe_fault(r, &at, "must be true or false");
    return json_bool(v, otherwise);
}

int64_t pipe_int(PipeReader *r, const Place *up, const Json *object, const char *key, int64_t min,
                 int64_t max, int64_t otherwise)
{
    Place at = {up, str_from_c(key)};
    const Json *v = json_get(object, key);
    if (v == NULL)
        return otherwise;
    if (v->type == JSON_INT && v->integer >= min && v->integer <= max)
        return v->integer;
    pipe_fault(r, &at, "must be a whole number from %" PRId64 " to %" PRId64, min, max);
    return otherwise;
}

int64_t pipe_duration(PipeReader *r, const Place *up, const Json *object, const char *key,
                      int64_t otherwise)
{
    Place at = {up, str_from_c(key)};
    const Json *v = json_get(object, key);
    if (v == NULL)
        return otherwise;
    int64_t ms = pipeline_duration_ms(v);
    if (ms > 0)
        return ms;
    pipe_fault(r, &at, "must be a time such as 500ms, 30s, 10m, 2h or 7d");
    return otherwise;
}

void pipe_retry(PipeReader *r, const Place *up, const Json *object, int64_t *attempts,
                int64_t *delay_ms)
{
    Place at = {up, STR("retry")};
    const Json *v = json_get(object, "retry");
    if (!json_is(v, JSON_OBJECT)) {
        *attempts = pipe_int(r, up, object, "retry", 1, 100, *attempts);
        return;
    }
    pipe_keys(r, &at, v, KEY_RETRY);
    *attempts = pipe_int(r, &at, v, "attempts", 1, 100, *attempts);
    *delay_ms = pipe_duration(r, &at, v, "delay", *delay_ms);
}

/* The top level */

static void read_name(PipeReader *r, const Json *tree)
{
    Place at = {NULL, STR("name")};
    r->p->name = pipe_text(r, NULL, tree, "name", PIPELINE_TEXT_MAX);
    if (!pipeline_name_ok(r->p->name))
        pipe_fault(r, &at,
                   "must begin with a letter and hold only a to z, 0 to 9, -, _ and . (at most %d)",
                   PIPELINE_NAME_MAX);
}

static void read_defaults(PipeReader *r, const Json *d)
{
    Place at = {NULL, STR("defaults")};
    r->defaults = (PipeDefaults){.priority = PIPELINE_NO_PRIORITY, .memo = true};
    if (d == NULL || !pipe_keys(r, &at, d, KEY_DEFAULTS))
        return;
    pipe_retry(r, &at, d, &r->defaults.attempts, &r->defaults.retry_ms);
    r->defaults.timeout_ms = pipe_duration(r, &at, d, "timeout", 0);
    r->defaults.queue = pipe_text(r, &at, d, "queue", 64);
    r->defaults.priority = pipe_int(r, &at, d, "priority", -100, 100, PIPELINE_NO_PRIORITY);
    r->defaults.memo = pipe_flag(r, &at, d, "memo", true);
}

static void read_secrets(PipeReader *r, const Json *list)
{
    Place at = {NULL, STR("secrets")};
    if (list == NULL)
        return;
    if (list->type != JSON_LIST || list->len > 100) {
        pipe_fault(r, &at, "must be a list of at most 100 names");
        return;
    }
    Str *names = pipe_memory(r, arena_new(r->arena, Str, list->len));
    if (names == NULL)
        return;
    r->p->secrets = names;
    json_each(v, list) {
        if (!pipe_word_ok(json_text(v)))
            pipe_fault(r, &at, "must be names of letters, digits, - and _");
        else
            names[r->p->secrets_len++] = v->text;
    }
}

static void read_concurrency(PipeReader *r, const Json *c)
{
    Place at = {NULL, STR("concurrency")}, key_at = {&at, STR("key")};
    if (c == NULL || !pipe_keys(r, &at, c, KEY_CONCURRENCY))
        return;
    r->p->concurrency_limit = pipe_int(r, &at, c, "limit", 1, 1000000, 1);
    const Json *key = json_get(c, "key");
    if (!json_is(key, JSON_TEXT) || key->text.len == 0) {
        pipe_fault(r, &key_at, "must be text, such as \"${{ inputs.customer }}\"");
        return;
    }
    RefScope s = {.r = r, .roots = ROOT_INPUTS | ROOT_JOB | ROOT_TRIGGER};
    r->p->concurrency_key = pipe_template(&s, &key_at, key, NULL);
}

static void read_nodes(PipeReader *r, const Json *tree)
{
    Place steps = pipe_section_place(SECTION_STEPS),
          failure = pipe_section_place(SECTION_ON_FAILURE);
    Place finally = pipe_section_place(SECTION_FINALLY);
    r->drafts = pipe_memory(r, arena_new(r->arena, Draft, PIPELINE_NODES_MAX));
    if (r->drafts == NULL)
        return;
    const Json *main_nodes = json_get(tree, "steps");
    if (!json_is(main_nodes, JSON_OBJECT) || main_nodes->len == 0)
        pipe_fault(r, &steps,
                   "must be an object of at least one step, such as "
                   "steps: {text: {uses: document.extract}}");
    else
        pipe_section(r, &steps, main_nodes, SECTION_STEPS);
    pipe_section(r, &failure, json_get(tree, "on-failure"), SECTION_ON_FAILURE);
    pipe_section(r, &finally, json_get(tree, "finally"), SECTION_FINALLY);
    for (size_t i = 0; i < r->drafts_len && !r->no_memory; i++)
        pipe_node_values(r, &r->drafts[i]);
}

static void read_tree(PipeReader *r, const Json *tree)
{
    static const Place outputs = {NULL, {"outputs", 7}}, inputs = {NULL, {"inputs", 6}};
    static const Place on = {NULL, {"on", 2}};
    if (!pipe_keys(r, NULL, tree, KEY_TOP))
        return;
    read_name(r, tree);
    r->p->title = pipe_text(r, NULL, tree, "title", TITLE_MAX);
    r->p->summary = pipe_text(r, NULL, tree, "summary", SUMMARY_MAX);
    r->p->timeout_ms = pipe_duration(r, NULL, tree, "timeout", 0);
    r->inputs = json_get(tree, "inputs");
    pipe_inputs(r, &inputs, r->inputs);
    read_defaults(r, json_get(tree, "defaults"));
    read_secrets(r, json_get(tree, "secrets"));
    r->p->on = json_get(tree, "on");
    if (r->p->on != NULL && r->p->on->type != JSON_OBJECT)
        pipe_fault(r, &on, "must be an object of triggers");
    if (r->no_memory)
        return;
    read_concurrency(r, json_get(tree, "concurrency"));
    read_nodes(r, tree);
    if (r->no_memory)
        return;
    pipe_outputs(r, &outputs, json_get(tree, "outputs"));
    pipe_order(r);
}

static ErrCode first_fault(const PipelineFaults *faults, Err *err)
{
    const PipelineFault *f = &faults->items[0];
    char line[32] = "";
    if (f->line > 0)
        snprintf(line, sizeof line, "line %d: ", f->line);
    Str path = pipe_short(f->path);
    return err_set(err, ERR_BAD_PIPELINE, "%s" STR_FMT "%s" STR_FMT, line, STR_ARG(path),
                   path.len > 0 ? ": " : "", STR_ARG(f->detail));
}

ErrCode pipeline_read(const Json *tree, const Json *lines, const PipelineWorld *w, Arena *a,
                      Pipeline *out, PipelineFaults *faults, Err *err)
{
    Pipeline p = {0};
    PipeReader r = {.arena = a, .faults = faults, .lines = lines, .world = w, .p = &p};
    faults->len = 0;
    read_tree(&r, tree);
    if (r.no_memory)
        return err_set(err, ERR_NO_MEMORY, "no memory to read the pipeline");
    if (faults->len > 0)
        return first_fault(faults, err);
    *out = p;
    return OK;
}
