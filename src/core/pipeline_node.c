/* The shape of a node: which keys it has, of which kind it is, its numbers. What it holds of
 * expressions is read when all nodes are known (pipeline_with.c). */
#include "core/pipeline_in.h"

Place pipe_section_place(NodeSection s)
{
    static const Str names[] = {[SECTION_STEPS] = {"steps", 5},
                                [SECTION_ON_FAILURE] = {"on-failure", 10},
                                [SECTION_FINALLY] = {"finally", 7}};
    return (Place){NULL, names[s]};
}

Draft *pipe_draft(PipeReader *r, Str id)
{
    for (size_t i = 0; i < r->drafts_len; i++)
        if (str_eq(r->drafts[i].node.id, id))
            return &r->drafts[i];
    return NULL;
}

static const char *const kind_names[] = {
    [NODE_STEP] = "a step (uses)", [NODE_CALL] = "a call", [NODE_WAIT] = "a wait"};

static void check_key(PipeReader *r, const Place *at, Str key, NodeKind kind)
{
    PipeKeyPlace place = (PipeKeyPlace)(KEY_STEP << kind);
    if (pipe_key(key, place) != NULL)
        return;
    if (pipe_key(key, KEY_STEP | KEY_CALL | KEY_WAIT) != NULL) {
        pipe_fault(r, at, "is not for %s", kind_names[kind]);
        return;
    }
    Nearest n = nearest_to(key);
    pipe_nearest_key(&n, place);
    pipe_fault(r, at, "is not known here%s", pipe_meant(&n).text);
}

/* A word out of a few; the first stands when the key is missing. */
static int one_of(PipeReader *r, const Place *up, const Json *o, PipeKeyPlace place,
                  const char *key)
{
    Place at = {up, str_from_c(key)};
    const char *const *names = pipe_words(key, place);
    const Json *v = json_get(o, key);
    Nearest n = nearest_to(json_text(v));
    for (int i = 0; v != NULL && names[i] != NULL; i++) {
        if (str_eq_c(json_text(v), names[i]))
            return i;
        nearest_try(&n, names[i]);
    }
    if (v != NULL)
        pipe_fault(r, &at, "must be %s%s", pipe_words_text(r->arena, names), pipe_meant(&n).text);
    return 0;
}

static void unknown_step(PipeReader *r, const Place *at, Str uses)
{
    const Step *near = registry_nearest(r->world->registry, uses);
    if (near != NULL)
        pipe_fault(r, at, "there is no step \"" STR_FMT "\"; did you mean \"%s\"?",
                   STR_ARG(pipe_short(uses)), near->name);
    else
        pipe_fault(r, at, "there is no step \"" STR_FMT "\"; `platen steps` lists them",
                   STR_ARG(pipe_short(uses)));
}

static void read_uses(PipeReader *r, const Place *up, Draft *d)
{
    Place at = {up, STR("uses")};
    Node *n = &d->node;
    n->kind = NODE_STEP;
    n->uses = pipe_text(r, up, d->source, "uses", 64);
    n->step = n->uses.len > 0 ? registry_find(r->world->registry, n->uses) : NULL;
    if (n->step == NULL && !r->world->stored) {
        d->broken = true;
        if (json_is(json_get(d->source, "uses"), JSON_TEXT))
            unknown_step(r, &at, n->uses);
    }
    n->memo = pipe_flag(r, up, d->source, "memo", r->defaults.memo);
    n->queue = json_get(d->source, "queue") != NULL ? pipe_text(r, up, d->source, "queue", 64)
                                                    : r->defaults.queue;
}

static void read_call(PipeReader *r, const Place *up, Draft *d)
{
    Place at = {up, STR("call")};
    Node *n = &d->node;
    n->kind = NODE_CALL;
    n->call = pipe_text(r, up, d->source, "call", PIPELINE_TEXT_MAX);
    if (!pipeline_name_ok(n->call))
        pipe_fault(r, &at, "must be the name of a pipeline");
    else if (str_eq(n->call, r->p->name))
        pipe_fault(r, &at, "a pipeline cannot call itself");
    else if (r->world->find != NULL && !r->world->find(r->world->ctx, n->call, &d->called)) {
        d->called = NULL;
        pipe_fault(r, &at, "there is no pipeline \"" STR_FMT "\"; `platen flow list` lists them",
                   STR_ARG(n->call));
    }
}

static void read_time(PipeReader *r, const Place *up, Draft *d)
{
    bool has_for = json_get(d->source, "for") != NULL;
    bool has_until = json_get(d->source, "until") != NULL;
    d->node.for_ms = pipe_duration(r, up, d->source, "for", 0);
    if (has_for == has_until)
        pipe_fault(r, up, "needs one of for: 10m and until: a time");
}

static void read_wait(PipeReader *r, const Place *up, Draft *d)
{
    Node *n = &d->node;
    n->kind = NODE_WAIT;
    n->wait = (WaitKind)one_of(r, up, d->source, KEY_WAIT, "wait");
    json_each(member, d->source) {
        const PipeKey *key = pipe_key(member->key, KEY_WAIT);
        Place at = {up, member->key};
        if (key != NULL && key->only != NULL &&
            !str_eq_c(str_from_c(key->only), pipe_words("wait", KEY_WAIT)[n->wait]))
            pipe_fault(r, &at, "is for wait: %s", key->only);
    }
    n->on_timeout_continue = one_of(r, up, d->source, KEY_WAIT, "on-timeout") == 1;
    if (n->wait == WAIT_APPROVAL)
        n->who = str_from_c(pipe_words("who", KEY_WAIT)[one_of(r, up, d->source, KEY_WAIT, "who")]);
    if (n->wait == WAIT_SIGNAL) {
        Place at = {up, STR("signal")};
        n->signal = json_get(d->source, "signal") != NULL
                        ? pipe_text(r, up, d->source, "signal", 64)
                        : n->id;
        if (!pipe_word_ok(n->signal))
            pipe_fault(r, &at, "must be a name of letters, digits, - and _");
    }
    if (n->wait == WAIT_TIME)
        read_time(r, up, d);
    n->timeout_ms = pipe_duration(r, up, d->source, "timeout", 0);
}

/* What steps and calls have in common. */
static void read_work(PipeReader *r, const Place *up, Draft *d)
{
    bool is_step = d->node.kind == NODE_STEP;
    Node *n = &d->node;
    n->attempts = is_step ? r->defaults.attempts : 0;
    n->retry_ms = is_step ? r->defaults.retry_ms : 0;
    pipe_retry(r, up, d->source, &n->attempts, &n->retry_ms);
    n->timeout_ms =
        pipe_duration(r, up, d->source, "timeout", is_step ? r->defaults.timeout_ms : 0);
    n->priority = pipe_int(r, up, d->source, "priority", -100, 100, r->defaults.priority);
    d->many = json_get(d->source, "foreach") != NULL || json_get(d->source, "matrix") != NULL;
    n->max_parallel = (int)pipe_int(r, up, d->source, "max-parallel", 1, PIPELINE_PARALLEL_MAX,
                                    PIPELINE_PARALLEL_DEFAULT);
    n->on_item_failure = (ItemFailure)one_of(r, up, d->source, KEY_STEP, "on-item-failure");
    static const char *const of_many[] = {"max-parallel", "on-item-failure"};
    for (size_t i = 0; i < COUNT_OF(of_many) && !d->many; i++) {
        Place at = {up, str_from_c(of_many[i])};
        if (json_get(d->source, of_many[i]) != NULL)
            pipe_fault(r, &at, "needs foreach or matrix beside it");
    }
}

static void read_shape(PipeReader *r, const Place *at, Draft *d)
{
    bool uses = json_get(d->source, "uses") != NULL, call = json_get(d->source, "call") != NULL;
    bool wait = json_get(d->source, "wait") != NULL;
    d->node.priority = PIPELINE_NO_PRIORITY;
    if (uses + call + wait != 1) {
        pipe_fault(r, at,
                   "needs one of uses: a step, call: a pipeline, wait: approval, signal, "
                   "time or callback");
        d->broken = true;
        return;
    }
    if (uses)
        read_uses(r, at, d);
    else if (call)
        read_call(r, at, d);
    else
        read_wait(r, at, d);
    if (!wait)
        read_work(r, at, d);
    d->node.continue_on_error = pipe_flag(r, at, d->source, "continue-on-error", false);
    json_each(member, d->source) {
        Place here = {at, member->key};
        check_key(r, &here, member->key, d->node.kind);
        if (r->faults->len == PIPELINE_FAULTS_MAX)
            break;
    }
}

static void add_draft(PipeReader *r, const Place *at, const Json *source, NodeSection section)
{
    if (pipe_draft(r, source->key) != NULL) {
        pipe_fault(r, at,
                   "is the name of another step already; names are shared by steps, "
                   "on-failure and finally");
        return;
    }
    if (!pipe_word_ok(source->key))
        pipe_fault(r, at, "must begin with a letter and hold only letters, digits, - and _");
    Draft *d = &r->drafts[r->drafts_len++];
    *d = (Draft){.source = source, .node = {.id = source->key, .section = section}};
    d->node.line = pipe_line(r, at);
    d->need = pipe_memory(r, arena_new(r->arena, bool, PIPELINE_NODES_MAX));
    d->broken = !json_is(source, JSON_OBJECT);
    if (d->broken)
        pipe_fault(r, at, "must be an object such as {uses: document.extract}");
    else if (d->need != NULL)
        read_shape(r, at, d);
}

void pipe_section(PipeReader *r, const Place *at, const Json *nodes, NodeSection section)
{
    if (nodes == NULL)
        return;
    if (nodes->type != JSON_OBJECT) {
        pipe_fault(r, at, "must be an object of steps");
        return;
    }
    json_each(source, nodes) {
        if (r->drafts_len == PIPELINE_NODES_MAX) {
            pipe_fault(r, at,
                       "has more than %d steps; move some into a pipeline of their own and "
                       "call it",
                       PIPELINE_NODES_MAX);
            return;
        }
        Place here = {at, source->key};
        add_draft(r, &here, source, section);
        if (r->no_memory || r->faults->len == PIPELINE_FAULTS_MAX)
            return;
    }
}
